package disclose

import (
	"slices"
	"time"
)

// outage is when services were fully or partially down, all together: article 3(2) of Delegated Regulation (EU) 2024/1772.
type outage struct {
	spans []outageSpan // in order of time, none touching another
	total time.Duration
	still bool // the last of them has no end that is known
}

type outageSpan struct{ from, to time.Time }

// downtime gathers when the services that pick says were down. Two that are down at once count once. Where people say that a
// service was back as it was (incident.recovered), a time without an end ends there; otherwise it lasts at least until the
// latest time that the facts name as past. What was delayed counts as down until it was done.
func (s *situation) downtime(pick func(*Service) bool) outage {
	var o outage
	var spans []outageSpan
	for i := range s.facts.Services {
		v := &s.facts.Services[i]
		if !pick(v) {
			continue
		}
		var last *time.Time
		still := false
		for j := range v.Down {
			d := &v.Down[j]
			to := d.To
			if to == nil {
				to = s.facts.Incident.Recovered
			}
			if to == nil {
				still, to = true, later(d.From, *s.until)
			}
			if to.Before(d.From) {
				continue
			}
			if last == nil || to.After(*last) {
				last = to
			}
			spans = append(spans, outageSpan{d.From, *to})
		}
		o.still = o.still || still
		if last != nil && !still && v.DelayedUntil != nil && v.DelayedUntil.After(*last) {
			spans = append(spans, outageSpan{*last, *v.DelayedUntil})
		}
	}
	slices.SortFunc(spans, func(a, b outageSpan) int { return a.from.Compare(b.from) })
	for _, sp := range spans {
		if n := len(o.spans); n > 0 && !sp.from.After(o.spans[n-1].to) {
			if sp.to.After(o.spans[n-1].to) {
				o.spans[n-1].to = sp.to
			}
			continue
		}
		o.spans = append(o.spans, sp)
	}
	for _, sp := range o.spans {
		o.total += sp.to.Sub(sp.from)
		if o.total < 0 {
			o.total = 1<<63 - 1
		}
	}
	return o
}

// passes returns when the times added up to the limit, if they came to more than it.
func (o *outage) passes(limit time.Duration) (time.Time, bool) {
	for _, sp := range o.spans {
		if d := sp.to.Sub(sp.from); d > limit {
			return sp.from.Add(limit), true
		} else {
			limit -= d
		}
	}
	return time.Time{}, false
}

// wouldPass returns when the times add up to the limit if what is down without an end stays so.
func (o *outage) wouldPass(limit time.Duration) (time.Time, bool) {
	if !o.still || len(o.spans) == 0 || o.total > limit {
		return time.Time{}, false
	}
	return o.spans[len(o.spans)-1].to.Add(limit - o.total), true
}
