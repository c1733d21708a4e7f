package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
)

// How much of a log a case lists.
const (
	maxGaps    = 200
	maxSources = 10
	maxWhom    = 1000
)

// list returns it as it stands in a case: a log has one entry for each level, and one for each account or mailbox that
// something special holds for.
func (c *coverage) list() []casefile.Coverage {
	out := []casefile.Coverage{}
	special := 0
	for _, t := range c.trails {
		for _, l := range [...]level{presence, detail} {
			if len(t.rule.channels(l)) == 0 || l == detail && t.from == never && t.format != mailAccess {
				continue // nothing of the kind was ever recorded
			}
			out = append(out, c.entry(t, l, ""))
			for _, whom := range t.concerned(l) {
				if special++; special <= maxWhom {
					out = append(out, c.entry(t, l, whom))
				}
			}
		}
	}
	return out
}

// concerned returns whom gaps and statements of the log name.
func (t *trail) concerned(l level) []string {
	var out []string
	for i := range t.gaps {
		if g := &t.gaps[i]; g.whom != "" && g.on(l) {
			out = append(out, g.whom)
		}
	}
	for i := range t.stated {
		if s := &t.stated[i]; s.whom != "" && (l == presence && s.presence || l == detail && s.detail) {
			out = append(out, s.whom)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *coverage) entry(t *trail, l level, whom string) casefile.Coverage {
	e := casefile.Coverage{Host: t.place.name, Stream: t.name, Principal: whom, Level: casefile.Presence, Channels: t.rule.channels(l), Gaps: []casefile.Gap{}}
	if l == detail {
		e.Level = casefile.Detail
	}
	if n := len(t.whole); n > 0 {
		e.From, e.To = moment(max(t.whole[0].From, t.from)), moment(t.whole[n-1].To)
		if l == presence {
			e.From = moment(t.whole[0].From)
		}
	}
	for i := range t.files {
		if p := t.files[i].path; p != "" && !slices.Contains(e.Sources, p) && len(e.Sources) < maxSources {
			e.Sources = append(e.Sources, p)
		}
	}
	for i := range t.stated {
		if s := &t.stated[i]; (s.whom == "" || s.whom == whom) && (l == presence && s.presence || l == detail && s.detail) {
			e.Notes = append(e.Notes, fmt.Sprintf("stated to be complete from %s to %s: %s", inWords(s.From), inWords(s.To), s.proof))
		}
	}
	if open := t.strange(nil, l); t.rule.system == cloud && whom == "" && len(open) > 0 && slices.Contains(cloudAll, firstOf(e.Channels)) {
		switch {
		case l == detail:
			e.Beyond = "mailboxes of which it holds no record of access by anybody: they may not be audited"
		case !c.wide:
			e.Beyond = "accounts that it does not name: it names too few to be of everybody"
		}
	}
	if t.skew > 0 {
		e.Notes = append(e.Notes, t.skewWhy)
	}
	from, to := c.in.From, c.in.To
	if to == event.UnknownTime {
		to = never
	}
	holes := between(t.holes(l, whom), from, to)
	left := 0
	for _, h := range holes {
		if h.from == always || h.to == never { // the window has no end there
			if outside(h.reason) {
				continue
			}
		}
		if len(e.Gaps) == maxGaps {
			left++
			continue
		}
		from, to := h.edges()
		e.Gaps = append(e.Gaps, casefile.Gap{From: moment(from), To: moment(to), Reason: h.reason, Certain: h.certain, Why: h.why, Substitute: c.substitute(t, l, h)})
	}
	if left > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("%d more gaps", left))
	}
	return e
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// substitute names the logs that show who came in while one has a hole, and through what, where they do not show all of it.
func (c *coverage) substitute(t *trail, l level, h hole) string {
	if l != presence {
		return ""
	}
	by := make(map[string][]string)
	var names []string
	missing := false
	for _, ch := range t.rule.presence {
		found := ""
		for _, o := range t.place.trails {
			if o != t && o.format != t.format && slices.Contains(o.rule.presence, ch) && len(between(o.cached(), h.from, h.to)) == 0 {
				found = o.name
				break
			}
		}
		if found == "" {
			missing = true
			continue
		}
		if by[found] == nil {
			names = append(names, found)
		}
		by[found] = append(by[found], ch)
	}
	if missing {
		for i, n := range names {
			names[i] = n + " (" + strings.Join(by[n], ", ") + ")"
		}
	}
	return strings.Join(names, ", ")
}

// cached returns the holes in presence of everybody.
func (t *trail) cached() []hole {
	if t.general == nil {
		t.general = t.holes(presence, "")
		if t.general == nil {
			t.general = []hole{}
		}
	}
	return t.general
}

// edges returns the moments between which a hole lies: those of the last event before it and the first after it, where it
// begins a nanosecond after the one and ends a nanosecond before the other.
func (h hole) edges() (from, to int64) {
	from, to = h.from, h.to
	if from%1000 == 1 {
		from--
	}
	if to%1000 == 999 {
		to++
	}
	return from, to
}
