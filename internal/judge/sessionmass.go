package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// When a session on a share is one that takes files away (mail-forensics 5): so many files within so long.
const (
	massFiles  = 30
	massWindow = int64(5 * time.Minute)
)

// massReads finds the sessions that opened many files of a share for reading at once, from where the account had not been before although it
// is known where it comes from.
func (a *attributing) massReads(out []suspicion) ([]suspicion, error) {
	type opening struct {
		at     int64
		object string
	}
	type hit struct {
		context int32
		at      int64
	}
	var hits []hit
	var list []opening
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Channel != "smb" || c.Account == "" || c.IP == "" || isMachine(c.Account) {
			continue
		}
		list = list[:0]
		for act, err := range a.store.Acts(i) {
			if err != nil {
				return nil, err
			}
			if act.OK && act.From != event.UnknownTime && (act.Inference == logs.FileReadGranted || act.Inference == logs.FileOpened) {
				list = append(list, opening{act.From, act.Object})
			}
		}
		if len(list) < massFiles {
			continue
		}
		slices.SortFunc(list, func(x, y opening) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.object, y.object)) })
		inside := make(map[string]int)
		first := 0
		for _, o := range list {
			for ; o.at-list[first].at > massWindow; first++ {
				if inside[list[first].object]--; inside[list[first].object] == 0 {
					delete(inside, list[first].object)
				}
			}
			if inside[o.object]++; len(inside) == massFiles {
				hits = append(hits, hit{int32(i), list[first].at})
				break
			}
		}
	}
	if len(hits) == 0 {
		return out, nil
	}
	wanted := make(map[string]map[int64]map[string]bool) // by account and day, the networks it came from
	for _, h := range hits {
		wanted[a.who.key(a.contexts[h.context].Account)] = make(map[int64]map[string]bool)
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.IP == "" || c.Account == "" {
			continue
		}
		days := wanted[a.who.key(c.Account)]
		if days == nil {
			continue
		}
		network := subnet(c.IP)
		for _, v := range a.store.Visits(i) {
			if v.From != event.UnknownTime {
				d := v.From / day
				if days[d] == nil {
					days[d] = make(map[string]bool)
				}
				days[d][network] = true
			}
		}
	}
	for _, h := range hits {
		c := &a.contexts[h.context]
		before, familiar := 0, false
		for d, from := range wanted[a.who.key(c.Account)] {
			if d < h.at/day {
				before++
				familiar = familiar || from[subnet(c.IP)]
			}
		}
		if before >= 2 && !familiar {
			out = append(out, suspicion{h.context, h.at, fmt.Sprintf("it opened %d files of a share within 5 minutes, from where the account had not come before (MASS_READ)", massFiles)})
		}
	}
	return out, nil
}
