package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// replayWithin is within how long a session that was taken is gone on with, in nanoseconds.
const replayWithin = int64(time.Hour)

// replayed finds sessions of Microsoft 365 that a browser in one network began and another browser in another network went on with, within an
// hour: a page between somebody and the sign-in may have taken it.
func (a *attributing) replayed(out []suspicion) []suspicion {
	type first struct {
		ip    string
		more  bool
		where []int32
	}
	sessions := make(map[string]*first)
	var order []string
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Session == "" || len(c.Agent) < 8 || !strings.EqualFold(c.Agent[:8], "mozilla/") || !strings.HasPrefix(c.Format, "m365.") && !strings.HasPrefix(c.Format, "entra.") || !a.tells(c.IP) {
			continue
		}
		s := sessions[c.Session]
		if s == nil {
			s = &first{ip: c.IP}
			sessions[c.Session] = s
		} else if s.ip != c.IP && !s.more {
			s.more = true
			order = append(order, c.Session)
		}
		if len(s.where) < maxExploits {
			s.where = append(s.where, int32(i))
		}
	}
	type stop struct {
		context  int32
		from, to int64
	}
	for _, id := range order {
		var stops []stop
		for _, i := range sessions[id].where {
			for _, v := range a.store.Visits(int(i)) {
				if v.From != event.UnknownTime {
					stops = append(stops, stop{i, v.From, v.To})
				}
			}
		}
		slices.SortFunc(stops, func(x, y stop) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.context, y.context)) })
		for n := 1; n < len(stops); n++ {
			p, q := &a.contexts[stops[n-1].context], &a.contexts[stops[n].context]
			if stops[n].from-stops[n-1].to > replayWithin || p.Account != q.Account || nearby(p.IP, q.IP) || p.Device != "" && p.Device == q.Device {
				continue
			}
			if was, is := a.client(p.Agent).family, a.client(q.Agent).family; was == is {
				continue
			}
			out = append(out, suspicion{stops[n].context, stops[n].from, fmt.Sprintf("its session was begun from %s, and another browser in another network (%s) went on with it within the hour (SESSION_REPLAYED)", p.IP, q.IP)})
		}
	}
	return out
}
