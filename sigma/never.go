package sigma

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// Known is a kind of event that is known to exist, for saying of rules what they can match before any event is seen.
type Known struct {
	// Name says for people which events they are.
	Name string
	// Shape has the fields that the events may have. A constant has its value in all of them. A service "*" in its log
	// sources stands for any of the product.
	Shape *Shape
	// Open says that they may have fields besides.
	Open bool
	// Except are values that a field does not have in them.
	Except map[string][]string
}

// Never is a rule that no known event can match.
type Never struct {
	Rule *Rule
	// Line and Column are of the field that no event has, from 1; those of the rule if it is not one field.
	Line, Column int
	Reason       string // what, why and how to mend it, in one line
}

// Error returns it in the form path:line:column: reason.
func (n *Never) Error() string {
	return (&Rejection{Path: n.Rule.Path, Line: n.Line, Column: n.Column, Reason: n.Reason}).Error()
}

// Never returns the rules that no event of the kinds that are known can match, in the order of Rules: because none of
// them is of the rule's log source, or because its condition needs fields that those lack, or values that they never
// have. The condition counts as a whole: a field that is absent from one branch of an or, or under a not, does not make
// a rule one of these. Nothing is said of a rule that is only unlikely to match.
func (e *Engine) Never(known []Known) []*Never {
	c := &reach{engine: e, atoms: make([]map[int32]truth, len(known)), known: known}
	of := map[LogSource][]int{}
	var out []*Never
	for i, r := range e.rules {
		kinds, ok := of[r.LogSource]
		if !ok {
			for k := range known {
				if slices.ContainsFunc(known[k].Shape.Sources, func(s LogSource) bool {
					if s.Service == "*" && s.Product == r.LogSource.Product {
						s.Service = r.LogSource.Service
					}
					return s.Covers(r.LogSource)
				}) {
					kinds = append(kinds, k)
				}
			}
			of[r.LogSource] = kinds
		}
		if n := c.never(int32(i), kinds); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// truth is what is known of a condition without an event.
type truth uint8

const (
	mayBe truth = iota
	cannotBe
	mustBe
)

type reach struct {
	engine *Engine
	known  []Known
	atoms  []map[int32]truth // by kind
}

func (c *reach) never(rule int32, kinds []int) *Never {
	r := c.engine.rules[rule]
	n := &Never{Rule: r, Line: r.Line}
	if len(kinds) == 0 {
		n.Line, n.Column = r.sourceAt.line, r.sourceAt.column
		n.Reason = "never matches: no log that is read has the log source " + describe(r.LogSource) + "; correct it, or map a log to it"
		return n
	}
	for _, k := range kinds {
		if c.cond(k, &c.engine.codes[rule].cond) != cannotBe {
			return nil
		}
	}
	// A field that none of them has and that would make a difference.
	for _, f := range c.engine.codes[rule].fields {
		name := c.engine.fields[f]
		if f == keywordField || !c.absent(kinds, name) || !c.decides(rule, kinds, f) {
			continue
		}
		n.Reason = fmt.Sprintf("never matches: no event of %s has the field %s", describe(r.LogSource), name)
		n.Reason += "; " + cmp.Or(c.near(kinds, name), "correct the name, or map a field to it")
		if at, ok := r.detection.find(name); ok {
			n.Line, n.Column = at.line, at.column
		}
		return n
	}
	var names []string
	for _, k := range kinds[:min(len(kinds), 3)] {
		names = append(names, c.known[k].Name)
	}
	if len(kinds) > 3 {
		names = append(names, "…")
	}
	n.Reason = fmt.Sprintf("never matches: no event of %s (%s) has all the fields and values that it asks for together", describe(r.LogSource), strings.Join(names, ", "))
	return n
}

// absent reports whether none of the kinds has a field.
func (c *reach) absent(kinds []int, name string) bool {
	return !slices.ContainsFunc(kinds, func(k int) bool { return c.known[k].Open || c.known[k].Shape.Slot(name) >= 0 })
}

// decides reports whether the rule could match if one of the kinds had the field.
func (c *reach) decides(rule int32, kinds []int, field int32) bool {
	for _, k := range kinds {
		with := reach{engine: c.engine, known: c.known, atoms: make([]map[int32]truth, len(c.known))}
		with.atoms[k] = map[int32]truth{}
		for a := range c.engine.atoms {
			if c.engine.atoms[a].field == field {
				with.atoms[k][int32(a)] = mayBe
			}
		}
		if with.cond(k, &c.engine.codes[rule].cond) != cannotBe {
			return true
		}
	}
	return false
}

func (c *reach) cond(kind int, x *cond) truth {
	switch x.op {
	case condAtom:
		return c.atom(kind, x.atom)
	case condNot:
		switch c.cond(kind, &x.kids[0]) {
		case cannotBe:
			return mustBe
		case mustBe:
			return cannotBe
		}
		return mayBe
	case condTrue:
		return mustBe
	case condFalse:
		return cannotBe
	}
	sure, open := 0, 0
	for i := range x.kids {
		switch c.cond(kind, &x.kids[i]) {
		case mustBe:
			sure++
		case mayBe:
			open++
		}
	}
	need := x.n
	switch x.op {
	case condAnd:
		need = len(x.kids)
	case condOr:
		need = 1
	}
	switch {
	case sure >= need:
		return mustBe
	case sure+open < need:
		return cannotBe
	}
	return mayBe
}

func (c *reach) atom(kind int, id int32) truth {
	if c.atoms[kind] == nil {
		c.atoms[kind] = map[int32]truth{}
	}
	if t, ok := c.atoms[kind][id]; ok {
		return t
	}
	t := cannotBe
	for _, test := range c.engine.atoms[id].tests {
		switch c.test(&c.known[kind], test) {
		case mustBe:
			t = mustBe
		case mayBe:
			if t == cannotBe {
				t = mayBe
			}
		}
	}
	c.atoms[kind][id] = t
	return t
}

// test returns what is known of a test in events of a kind.
func (c *reach) test(k *Known, t *test) truth {
	if t.field == "" {
		return mayBe
	}
	slots := k.Shape.Slots(t.field)
	switch {
	case len(slots) == 0 && k.Open:
		return mayBe
	case len(slots) == 0:
		if t.op == opNull || t.op == opMissing {
			return mustBe
		}
		return cannotBe
	case slices.ContainsFunc(slots, func(s int) bool { return s < k.Shape.Variable() }):
		if t.op == opEqual && !t.cased && slices.ContainsFunc(k.Except[t.field], func(v string) bool { return strings.EqualFold(v, t.literal) }) {
			return cannotBe
		}
		return mayBe
	case t.op == opField:
		return mayBe
	}
	ev := event.Event{Shape: k.Shape, Values: make([]event.Value, k.Shape.Variable())}
	if t.isTrue(&ev, slots) {
		return mustBe
	}
	return cannotBe
}

// near returns what field of the kinds name may have been meant for, as a part of a sentence.
func (c *reach) near(kinds []int, name string) string {
	var names []string
	for _, k := range kinds {
		for _, f := range c.known[k].Shape.Fields() {
			names = append(append(names, f.Name), f.Aliases...)
		}
	}
	slices.Sort(names)
	return didYouMean(name, names)
}

// describe returns a log source as a rule writes it, in one line.
func describe(s LogSource) string {
	var parts []string
	for _, p := range [...]struct{ name, value string }{{"product", s.Product}, {"category", s.Category}, {"service", s.Service}} {
		if p.value != "" {
			parts = append(parts, p.name+": "+p.value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// find returns where the detection asks for a field first.
func (d *detection) find(field string) (at, bool) {
	for _, s := range d.selections {
		if a, ok := s.body.find(field); ok {
			return a, true
		}
	}
	return at{}, false
}

func (b *block) find(field string) (at, bool) {
	for i := range b.all {
		if b.all[i].field == field {
			return b.all[i].at, true
		}
	}
	for _, kid := range b.any {
		if a, ok := kid.find(field); ok {
			return a, true
		}
	}
	return at{}, false
}
