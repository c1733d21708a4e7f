package logsource

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// anything, as a service, stands for any.
const anything = "*"

// Known returns the kinds of events that there can be in logs of the formats, as far as they and the table say: for
// telling of rules whether they can match. A service "*" in the log sources of a Shape stands for any.
func (t *Table) Known(formats []logs.Format) []logs.Known {
	var out []logs.Known
	var covered []string // formats that say themselves what they have
	var users []*Row
	for _, r := range t.rows {
		if !r.compact && !r.builtin {
			users = append(users, r)
		}
	}
	for _, f := range formats {
		if f.Known == nil {
			continue
		}
		covered = append(covered, f.Name)
		for _, k := range f.Known() {
			out = append(out, k)
			var also []*Row
			for _, r := range users {
				if fits(r.Format, k.Shape.Format) && r.allows(k) {
					also = append(also, r)
				}
			}
			if len(also) > 0 {
				k.Shape = derive(k.Shape, also, "")
				out = append(out, k)
			}
		}
	}
	for _, r := range t.rows {
		base := strings.TrimRight(r.Format, "*.")
		if r.compact || len(r.Sources) == 0 || slices.ContainsFunc(covered, func(f string) bool { return base == f || strings.HasPrefix(base, f+".") }) {
			continue
		}
		variants := r.Variants
		if len(variants) == 0 {
			variants = []string{""}
		}
		for _, v := range variants {
			out = append(out, logs.Known{Name: r.Describe(), Open: true, Shape: event.NewShape(r.Format, r.sources(v), nil)})
		}
	}
	return out
}

// allows reports whether the row may mean events of a kind.
func (r *Row) allows(k logs.Known) bool {
	if !k.Open {
		may, _ := r.decide(k.Shape)
		return may
	}
	for i := range r.tests {
		t := &r.tests[i]
		slots := k.Shape.Slots(t.field)
		if len(slots) == 0 || slots[0] < k.Shape.Variable() {
			continue
		}
		if met, _ := t.matches(k.Shape.Fields()[slots[0]].Const, nil); !met {
			return false
		}
	}
	return true
}

// Serving returns the rows that give events a log source for which a rule asks.
func (t *Table) Serving(rule event.LogSource) []*Row {
	var out []*Row
	for _, r := range t.rows {
		variants := r.Variants
		if len(variants) == 0 {
			variants = []string{""}
		}
		if slices.ContainsFunc(variants, func(v string) bool {
			return slices.ContainsFunc(r.sources(v), func(s event.LogSource) bool {
				if s.Service == anything && s.Product == rule.Product {
					s.Service = rule.Service
				}
				return s.Covers(rule)
			})
		}) {
			out = append(out, r)
		}
	}
	return out
}

// Describe returns in one line which events the row means.
func (r *Row) Describe() string {
	var b strings.Builder
	b.WriteString(r.Format)
	if b.Len() == 0 {
		b.WriteString("any log")
	}
	if len(r.Variants) > 0 {
		b.WriteString(" " + strings.Join(r.Variants, "|"))
	}
	if len(r.Has) > 0 {
		b.WriteString(" with " + strings.Join(r.Has, ", "))
	}
	for _, c := range r.When {
		b.WriteString(" " + c.Field + "=" + strings.Join(c.Values, "|"))
	}
	return b.String()
}
