package logsource

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// NewShape makes a Shape of fields for a reader: with the log sources and other names that the table has for the format
// and the part of it that the reader calls variant ("" for none). Conditions on values count as far as constants decide
// them. Fields may have other names already, which count as names in the table's rows, too.
func (t *Table) NewShape(format, variant string, fields []event.Field) *event.Shape {
	var rows []*Row
	for _, r := range t.rows {
		if !r.compact && r.means(format, variant) {
			rows = append(rows, r)
		}
	}
	plain := event.NewShape(format, nil, fields)
	certain := rows[:0]
	for _, r := range rows {
		if ok, open := r.decide(plain); ok && !open {
			certain = append(certain, r)
		}
	}
	return derive(plain, certain, variant)
}

// decide reports whether a row may mean events of a Shape, and if so, whether that is open: depends on their values.
// The format is not looked at.
func (r *Row) decide(s *event.Shape) (may, open bool) {
	for _, name := range r.Has {
		if s.Slot(name) < 0 {
			return false, false
		}
	}
	for i := range r.tests {
		t := &r.tests[i]
		slots := s.Slots(t.field)
		if len(slots) == 0 {
			return false, false
		}
		constants, is := 0, false
		for _, slot := range slots {
			if slot >= s.Variable() {
				constants++
				met, _ := t.matches(s.Fields()[slot].Const, nil)
				is = is || met
			}
		}
		switch {
		case is:
		case constants == len(slots):
			return false, false
		default:
			open = true
		}
	}
	return true, open
}

// derive returns s with what rows say of it besides: log sources before those it has, and other names where no field
// has them.
func derive(s *event.Shape, rows []*Row, variant string) *event.Shape {
	var sources []event.LogSource
	add := func(list []event.LogSource) {
		for _, source := range list {
			if !slices.Contains(sources, source) {
				sources = append(sources, source)
			}
		}
	}
	for _, r := range rows {
		add(r.sources(variant))
	}
	add(s.Sources)
	own := make(map[string]bool, len(s.Fields()))
	for _, f := range s.Fields() {
		own[f.Name] = true
	}
	return s.With(sources, func(f event.Field) []string {
		aliases := slices.Clone(f.Aliases)
		for _, r := range rows {
			for _, name := range append([]string{f.Name}, aliases...) {
				for _, a := range r.appendAliases(nil, name) {
					a, both := strings.CutPrefix(a, alsoMark)
					if (both || !own[a]) && !slices.Contains(aliases, a) {
						aliases = append(aliases, a)
					}
				}
			}
		}
		return aliases
	})
}
