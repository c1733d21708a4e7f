package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// webMail knows which logs of web servers are those of a web mail server: the ones that hold requests to one. Any other says nothing of
// who was behind a session that a web mail server brought.
type webMail struct {
	trails []*trail
	// spans are when somebody used web mail by these logs.
	spans []tally.Span
	// strange are when somebody did from an address that had not used it on two days before the window, or that is an attacker's: as
	// the logs name no accounts, any session of that time may be his.
	strange []tally.Span
	// whole says that coverage is not made of logs at all.
	whole bool
}

// besideMail is how far from a request of web mail the session is that it is answered by: a request stands in the log when it ends, and
// a server between may keep a session for some minutes, in nanoseconds.
const besideMail = 5 * minute

// newWebMail finds the logs that hold requests to web mail, and when these were. hostile reports whether a context was an attacker's, or
// suspected, at a time.
func newWebMail(in *Input, cover shows, hostile func(context int, at int64) bool) (*webMail, error) {
	known, ok := cover.(*coverage)
	if !ok {
		return &webMail{whole: cover.presence("web", "", orAlways(in.From), orNever(in.To)).covered()}, nil
	}
	out, sources := &webMail{}, make(map[int32]bool)
	usual := usesWebMail(in)
	contexts := in.Store.Contexts()
	for i := range contexts {
		c := &contexts[i]
		if c.Channel != "webmail" || strings.HasPrefix(c.Format, "syslog") {
			continue
		}
		for a, err := range in.Store.Acts(i) {
			if err != nil {
				return nil, err
			}
			if a.Kind != logs.Access || !a.OK && !a.Unknown {
				continue
			}
			for _, ref := range a.Refs {
				sources[ref.Source] = true
			}
			if a.From != event.UnknownTime && a.To != event.UnknownTime {
				by := sum(besideMail, in.skew(i))
				span := tally.Span{From: sum(a.From, -by), To: sum(a.To, by)}
				out.spans = append(out.spans, span)
				if !usual[c.IP] || hostile(i, a.From) {
					out.strange = append(out.strange, span)
				}
			}
		}
	}
	out.spans, out.strange = mergeSpans(out.spans, 0), mergeSpans(out.strange, 0)
	for _, t := range known.trails {
		if t.rule.sites && slices.Contains(t.rule.presence, "web") && slices.ContainsFunc(t.files, func(f file) bool { return sources[f.Source] }) {
			out.trails = append(out.trails, t)
		}
	}
	return out, nil
}

// usesWebMail returns the addresses that used web mail on two days before the window.
func usesWebMail(in *Input) map[string]bool {
	out, first := make(map[string]bool), make(map[string]int64)
	contexts := in.Store.Contexts()
	for i := range contexts {
		c := &contexts[i]
		if c.Channel != "webmail" || c.IP == "" || out[c.IP] {
			continue
		}
		for _, v := range in.Store.Visits(i) {
			if v.From == event.UnknownTime || sum(v.To, in.skew(i)) >= orAlways(in.From) {
				continue
			}
			if d, ok := first[c.IP]; !ok {
				first[c.IP] = v.From / day
			} else if d != v.From/day {
				out[c.IP] = true
				break
			}
		}
	}
	return out
}

// tells reports whether these logs would have told who was behind a session of that time: there is one, all of them cover it, and
// somebody used web mail then, and nobody from an address of which nothing is known.
func (w *webMail) tells(from, to int64) bool {
	if w.whole {
		return true
	}
	for _, t := range w.trails {
		if len(between(t.cached(), from, to)) > 0 {
			return false
		}
	}
	if meets(w.strange, from, to) {
		return false
	}
	i, _ := slices.BinarySearchFunc(w.spans, from, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
	return len(w.trails) > 0 && i < len(w.spans) && w.spans[i].From <= from && w.spans[i].To >= to
}
