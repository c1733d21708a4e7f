package sigma

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
)

// genLine returns an event whose values stand in its line, one part after the other, and the texts of the parts.
func (s genStore) genLine(t *rapid.T, shape *event.Shape, parts []Part) (*event.Event, [][]byte) {
	ev := &event.Event{Shape: shape, Values: make([]event.Value, shape.Variable())}
	type place struct{ slot, from, to int }
	var places []place
	ends := make([]int, len(parts))
	for i, part := range parts {
		for _, name := range part.Fields {
			slot := shape.Slots(name)[0]
			if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
				continue
			}
			v := s.eventText(t)
			if rapid.IntRange(0, 3).Draw(t, "typed") == 0 {
				v = rapid.SampledFrom(append(append(genAddresses, genNumbers...), genTimes...)).Draw(t, "value")
			}
			f := shape.Fields()[slot]
			ev.Raw = append(ev.Raw, rapid.SampledFrom([]string{"", " ", "é"}).Draw(t, "between")+f.Before...)
			places = append(places, place{slot, len(ev.Raw), len(ev.Raw) + len(v)})
			ev.Raw = append(append(ev.Raw, v...), f.After...)
		}
		ends[i] = len(ev.Raw)
	}
	for _, p := range places {
		ev.Values[p.slot] = event.Value{Kind: event.UTF8, Data: ev.Raw[p.from:p.to:p.to]}
	}
	texts, from := make([][]byte, len(parts)), 0
	for i, end := range ends {
		texts[i], from = ev.Raw[from:end], end
	}
	return ev, texts
}

// An event that matches a rule is seen by a sieve, whatever the rule and the event.
func TestSievesMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := newGenStore(t)
		pack := &Pack{}
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			d := &detection{selections: []selection{{name: "a", body: store.block(t, 1)}, {name: "b", body: store.lines(t)}}}
			c, _ := parseCondition(rapid.SampledFrom([]string{"a", "a", "a and b", "a or b", "a and not b"}).Draw(t, "condition"), at{})
			d.conditions = append(d.conditions, c)
			r := &Rule{Path: "r", LogSource: event.LogSource{Product: "p"}, detection: d}
			r.expr, _ = d.lower(nil)
			pack.Rules = append(pack.Rules, r)
		}
		e, rejected := Compile(pack, Options{Placeholders: genPlaceholders})
		for _, r := range rejected {
			t.Fatalf("cannot be compiled: %v", r)
		}
		fields := []event.Field{{Name: "A", Before: `"`, After: " "}, {Name: "B"}, {Name: "C", Aliases: []string{"D"}}, {Name: "E", Before: "K", After: "\u212A"},
			{Name: "EventID", Const: event.Text(store.text(t))}}
		never := func(string) bool { return false } // the part for keywords is the whole line
		parts := []Part{{Fields: []string{"A", "B"}, Can: never}, {Fields: []string{"C"}, Can: never}, {Fields: []string{"E"}, Can: never}}
		shape := event.NewShape("text", []event.LogSource{{Product: "p"}}, fields)
		sieves := e.Sieves(shape, append(parts, Part{}))
		if sieves == nil {
			return
		}
		m := e.NewMatcher()
		for range 6 {
			ev, texts := store.genLine(t, shape, parts)
			got := m.Match(ev)
			if len(got) == 0 {
				continue
			}
			seen := false
			for i, text := range append(texts, ev.Raw) {
				seen = seen || sieves[i] != nil && sieves[i].Holds(text)
			}
			if !seen {
				t.Fatalf("no sieve sees %q in parts %q, which matches %s", ev.Raw, texts, describeRule(e.rules[got[0]]))
			}
		}
	})
}
