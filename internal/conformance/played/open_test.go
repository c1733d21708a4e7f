package played_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// TestWhatKeepsVerdictsOpen lists, for worlds that lost no log, the rules that leave items and mailboxes open: BARID_PLAYED_OPEN=1 switches it
// on, BARID_PLAYED and BARID_PLAYED_FIRST say which attacks, and BARID_PLAYED_OPEN=2 lists each world, too.
func TestWhatKeepsVerdictsOpen(t *testing.T) {
	if os.Getenv("BARID_PLAYED_OPEN") == "" {
		t.Skip("BARID_PLAYED_OPEN is not set")
	}
	n, first := asked(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			var all openness
			for seed := first; seed < first+n; seed++ {
				if w := played(k.play, uint64(seed)); len(w.lost) > 0 {
					continue
				}
				w, c := play(t, k.play, uint64(seed))
				one := opennessOf(w, c)
				if os.Getenv("BARID_PLAYED_OPEN") == "2" && one.open+one.widths > 0 {
					t.Logf("seed %d: %s", seed, &one)
				}
				all.add(&one)
			}
			t.Logf("%s: %s", k.name, &all)
		})
	}
}

// openness counts what is left open, by the rules that leave it so.
type openness struct {
	worlds, closed     int
	items, truth, open int            // items; those that were reached in truth, and that are possible
	rules, alone       map[string]int // items that are possible by a rule, and by it alone
	widths             int            // mailboxes of which lower and upper differ
	boxes, boxAlone    map[string]int // the same of those
}

func opennessOf(w *world, c *casefile.Case) openness {
	o := openness{worlds: 1, rules: map[string]int{}, alone: map[string]int{}, boxes: map[string]int{}, boxAlone: map[string]int{}}
	rules := func(r *casefile.Reached) []string {
		set := map[string]bool{}
		for _, y := range r.Why {
			set[y.Rule] = true
		}
		return slices.Sorted(maps.Keys(set))
	}
	all := map[string]item{}
	for _, b := range w.boxes {
		for _, m := range b.items {
			all[m.in+" "+m.id] = m
		}
	}
	for i := range c.Reached {
		r := &c.Reached[i]
		switch r.Object.Kind {
		case "message", "file":
			m, ok := all[r.Object.In+" "+r.Object.ID]
			if !ok {
				if m, ok = find(all, r.Object.ID); !ok || r.Object.Kind != "file" {
					continue
				}
			}
			o.items++
			if w.truth[m] || w.part[m] {
				o.truth++
			}
			if r.Levels.Content != casefile.Possible {
				continue
			}
			o.open++
			names := rules(r)
			for _, n := range names {
				o.rules[n]++
			}
			o.alone[strings.Join(names, "+")]++
		case "mailbox":
			if r.Lower == r.Upper {
				continue
			}
			o.widths++
			names := rules(r)
			for _, n := range names {
				o.boxes[n]++
			}
			o.boxAlone[strings.Join(names, "+")]++
		}
	}
	if o.open+o.widths == 0 {
		o.closed++
	}
	return o
}

func (o *openness) add(p *openness) {
	if o.rules == nil {
		o.rules, o.alone, o.boxes, o.boxAlone = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	}
	o.worlds, o.closed, o.items, o.truth, o.open, o.widths = o.worlds+p.worlds, o.closed+p.closed, o.items+p.items, o.truth+p.truth, o.open+p.open, o.widths+p.widths
	for _, m := range []struct{ to, from map[string]int }{{o.rules, p.rules}, {o.alone, p.alone}, {o.boxes, p.boxes}, {o.boxAlone, p.boxAlone}} {
		for k, n := range m.from {
			m.to[k] += n
		}
	}
}

func (o *openness) String() string {
	most := func(m map[string]int) string {
		names := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
		var out []string
		for _, n := range names[:min(len(names), 14)] {
			out = append(out, fmt.Sprintf("%d %s", m[n], n))
		}
		return strings.Join(out, "; ")
	}
	return fmt.Sprintf("%d worlds with complete logs, %d closed; of %d items (%d reached) %d are open\n  by rule: %s\n  by the rules together: %s\n  mailboxes of which the count is open: %d\n  by rule: %s\n  together: %s",
		o.worlds, o.closed, o.items, o.truth, o.open, most(o.rules), most(o.alone), o.widths, most(o.boxes), most(o.boxAlone))
}
