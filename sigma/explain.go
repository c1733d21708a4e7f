package sigma

import (
	"github.com/barid-dfir/barid/internal/event"
)

// FieldMatch is a value of an event that a rule asks for.
type FieldMatch struct {
	Field   string // "" for a keyword
	Value   string // as the event has it
	Pattern string // as the rule has it
}

// Explain returns the values of the event that make the rule match: those that its lines ask for, without the ones
// that it wants not to be there. It is for a rule that Match returned, and allocates.
func (m *Matcher) Explain(ev *event.Event, rule int32) []FieldMatch {
	var found []FieldMatch
	m.engine.codes[rule].cond.explain(m.engine, ev, &found)
	return found
}

// explain appends what makes the condition true, and reports whether it is.
func (c *cond) explain(e *Engine, ev *event.Event, found *[]FieldMatch) bool {
	before := len(*found)
	n, want := 0, len(c.kids)
	switch c.op {
	case condAtom:
		return e.atoms[c.atom].explain(ev, found)
	case condNot:
		var none []FieldMatch
		return !c.kids[0].explain(e, ev, &none)
	case condOr:
		want = 1
	case condCount:
		want = c.n
	case condTrue, condFalse:
		return c.op == condTrue
	}
	for i := range c.kids {
		if c.kids[i].explain(e, ev, found) {
			n++
		}
	}
	if n < want {
		*found = (*found)[:before]
		return false
	}
	return true
}

func (a *atom) explain(ev *event.Event, found *[]FieldMatch) bool {
	field := a.tests[0].field
	slots := ev.Shape.Slots(field)
	hit := false
	for _, t := range a.tests {
		if !t.isTrue(ev, slots) {
			continue
		}
		hit = true
		m := FieldMatch{Field: field, Pattern: t.shown}
		if !t.onText() || t.op == opField {
			for _, s := range slots {
				m.Value = ev.Value(s).String()
			}
			addMatch(found, m)
			continue
		}
		see := func(v event.Value) bool {
			var scratch []byte
			raw := textOf(nil, v)
			if t.matches(raw, appendFolded(nil, v, &scratch)) {
				m.Value = string(raw)
				addMatch(found, m)
				return true
			}
			return false
		}
		if field != "" {
			for _, s := range slots {
				if eachText(ev.Value(s), see) {
					break
				}
			}
			continue
		}
		seen := false
		for i := range ev.Shape.Fields() {
			if seen = eachText(ev.Value(i), see); seen {
				break
			}
		}
		if !seen && rawIsText(ev.Shape) {
			see(event.Value{Kind: event.UTF8, Data: ev.Raw})
		}
	}
	return hit
}

func addMatch(found *[]FieldMatch, m FieldMatch) {
	for _, f := range *found {
		if f == m {
			return
		}
	}
	*found = append(*found, m)
}
