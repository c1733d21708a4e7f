package disclose

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// holes are the gaps of one log, whichever accounts and levels they are of.
type holes struct {
	stream, host string
	gaps         []span
	long         time.Duration // in all, of those whose bounds are known
}

// span is a gap; a zero time is an end that is not known.
type span struct {
	from, to time.Time // UTC
	reason   string
}

func (s span) bounded() bool { return !s.from.IsZero() && !s.to.IsZero() }

// gaps says where logs are missing in the time of the case: a line for each log, the worst first.
func (d *drafter) gaps() {
	all := holesOf(d.c.Coverage)
	const most = 5
	for _, h := range all[:min(len(all), most)] {
		worst := h.gaps[0]
		why, _ := d.l.PhraseWords(casefile.GapWords(worst.reason))
		args := []any{"stream", lang.Value(h.stream), "host", lang.Value(orDash(h.host)), "span", d.l.Span(worst.from, worst.to), "why", why}
		id := "form.gap"
		if n := int64(len(h.gaps)); n > 1 {
			id = "form.gap.several.open"
			args = append(args, "gaps", d.l.Count("count.gap", n))
			if worst.bounded() {
				id = "form.gap.several"
				args = append(args, "long", d.l.Duration(h.long))
			}
		}
		d.add(draft.Statement{About: "gap", Label: d.label("gap"), Basis: draft.Case, Refs: []string{"coverage " + strings.TrimSpace(h.host+" "+h.stream)}, Said: d.l.Words(id, args...)})
	}
	left := 0
	for _, h := range all[min(len(all), most):] {
		left += len(h.gaps)
	}
	if left > 0 {
		d.sentence("gap.more", d.l.Words("form.gap.more", "n", left), draft.Case, "case.json coverage")
	}
}

// holesOf gathers the gaps by log, each once. Those without a bound come first, then the longest; so do the logs, by all their gaps.
func holesOf(coverage []casefile.Coverage) []*holes {
	var all []*holes
	type log struct{ stream, host string }
	at := map[log]*holes{}
	type bounds struct {
		of       *holes
		from, to time.Time
	}
	seen := map[bounds]bool{}
	for i := range coverage {
		v := &coverage[i]
		for j := range v.Gaps {
			g := &v.Gaps[j]
			if g.Substitute != "" && v.Level == casefile.Presence {
				continue
			}
			h := at[log{v.Stream, v.Host}]
			if h == nil {
				h = &holes{stream: v.Stream, host: v.Host}
				at[log{v.Stream, v.Host}] = h
				all = append(all, h)
			}
			s := span{reason: g.Reason}
			if g.From != nil {
				s.from = g.From.UTC()
			}
			if g.To != nil {
				s.to = g.To.UTC()
			}
			if b := (bounds{h, s.from, s.to}); !seen[b] {
				seen[b] = true
				h.gaps = append(h.gaps, s)
			}
		}
	}
	for _, h := range all {
		h.long = covered(h.gaps)
		slices.SortStableFunc(h.gaps, func(a, b span) int {
			return cmp.Or(boolFirst(!a.bounded(), !b.bounded()), cmp.Compare(b.to.Sub(b.from), a.to.Sub(a.from)), a.from.Compare(b.from))
		})
	}
	slices.SortStableFunc(all, func(a, b *holes) int {
		return cmp.Or(boolFirst(!a.gaps[0].bounded(), !b.gaps[0].bounded()), cmp.Compare(b.long, a.long))
	})
	return all
}

// boolFirst orders what holds before what does not.
func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// covered is how long the gaps are whose bounds are known; what several share counts once.
func covered(gaps []span) time.Duration {
	known := slices.DeleteFunc(slices.Clone(gaps), func(s span) bool { return !s.bounded() })
	slices.SortFunc(known, func(a, b span) int { return a.from.Compare(b.from) })
	var sum time.Duration
	var until time.Time
	for _, s := range known {
		if s.from.Before(until) {
			s.from = until
		}
		if s.to.After(s.from) {
			sum += s.to.Sub(s.from)
			until = s.to
		}
	}
	return sum
}
