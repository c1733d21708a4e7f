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
			var all, spoilt openness // files as they were, and copies that were mistreated, clocks that jumped, zones that nobody states
			for seed := first; seed < first+n; seed++ {
				if w := played(k.play, uint64(seed)); len(w.lost) > 0 {
					continue
				}
				w, c := play(t, k.play, uint64(seed))
				one := opennessOf(w, c)
				if os.Getenv("BARID_PLAYED_OPEN") == "2" && one.open+one.widths > 0 {
					t.Logf("seed %d: %s", seed, &one)
				}
				if len(w.mistreated) > 0 || !w.zoneStated {
					spoilt.add(&one)
				} else {
					all.add(&one)
				}
			}
			t.Logf("%s: %s", k.name, &all)
			t.Logf("%s, mistreated: %s", k.name, &spoilt)
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
	// by what the attacker did in a mailbox, or with a person's files: never in, in and got nothing, got some
	untouched, unread, read standing
}

// standing counts mailboxes, those of which the count is closed, and by which rules the others are open.
type standing struct {
	n, closed int
	together  map[string]int
}

func (s *standing) see(closed bool, rules []string) {
	if s.n++; closed {
		s.closed++
		return
	}
	if s.together == nil {
		s.together = map[string]int{}
	}
	s.together[strings.Join(rules, "+")]++
}

func (s *standing) add(o *standing) {
	s.n, s.closed = s.n+o.n, s.closed+o.closed
	if s.together == nil {
		s.together = map[string]int{}
	}
	for k, n := range o.together {
		s.together[k] += n
	}
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
	got, used := map[string]bool{}, map[string]bool{}
	for _, b := range w.boxes {
		used[b.account] = w.used[b.account]
		for _, m := range b.items {
			all[m.in+" "+m.id] = m
			got[m.in] = got[m.in] || w.truth[m] || w.part[m]
			used[m.in] = used[m.in] || got[m.in] || w.seen[m]
		}
	}
	of := func(name string) *standing {
		switch {
		case got[name]:
			return &o.read
		case used[name]:
			return &o.unread
		}
		return &o.untouched
	}
	openFiles := map[string]map[string]bool{}
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
			if openFiles[m.in] == nil {
				openFiles[m.in] = map[string]bool{}
			}
			for _, n := range names {
				o.rules[n]++
				openFiles[m.in][n] = true
			}
			o.alone[strings.Join(names, "+")]++
		case "mailbox":
			if isFile(w.boxes[0].items[0]) || len(itemsOf(w, r.Object.ID)) == 0 {
				continue
			}
			of(r.Object.ID).see(r.Lower == r.Upper && r.Levels.Content != casefile.Possible, rules(r))
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
	if isFile(w.boxes[0].items[0]) {
		for _, b := range w.boxes {
			of(b.account).see(openFiles[b.account] == nil, slices.Sorted(maps.Keys(openFiles[b.account])))
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
	o.untouched.add(&p.untouched)
	o.unread.add(&p.unread)
	o.read.add(&p.read)
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
	tell := func(s *standing) string {
		return fmt.Sprintf("%d of %d closed; open: %s", s.closed, s.n, most(s.together))
	}
	return fmt.Sprintf("%d worlds with complete logs, %d closed; of %d items (%d reached) %d are open\n  by rule: %s\n  by the rules together: %s\n  mailboxes of which the count is open: %d\n  by rule: %s\n  together: %s\n  never entered: %s\n  entered, nothing got: %s\n  something got: %s",
		o.worlds, o.closed, o.items, o.truth, o.open, most(o.rules), most(o.alone), o.widths, most(o.boxes), most(o.boxAlone), tell(&o.untouched), tell(&o.unread), tell(&o.read))
}
