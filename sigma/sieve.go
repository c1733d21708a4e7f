package sigma

import (
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// Sieve passes over text that holds nothing a rule asks for.
type Sieve = literal.Sieve

// Part is a part of the Raw of events, which is looked at apart from the others.
type Part struct {
	// Fields are the names of the fields whose values stand in the part, as they are and nowhere else.
	Fields []string
	// Marks are other texts to find in it, folded.
	Marks []string
	// Pairs are texts to find where both stand in it, folded; the first is the rarer.
	Pairs [][2]string
	// Can reports whether a text that a rule seeks anywhere in a line can begin in this part; nil for any.
	Can func(text string) bool
}

// Sieves returns a Sieve for each part, nil for one in which nothing is sought. Where a rule matches an event of the Shape,
// the Sieve of one part or another finds something. It returns nil where a rule asks for nothing in particular, so that
// every event must be looked at, and where the parts lack a field.
func (e *Engine) Sieves(shape *event.Shape, parts []Part) []*Sieve {
	p := e.Bind(shape)
	if len(p.always) > 0 {
		return nil
	}
	for _, f := range shape.Fields()[:shape.Variable()] {
		if !slices.ContainsFunc(parts, func(p Part) bool { return slices.Contains(p.Fields, f.Name) }) {
			return nil
		}
	}
	sought := make([][]literal.Sought, len(parts))
	for i := range parts {
		for _, m := range parts[i].Marks {
			sought[i] = append(sought[i], literal.Sought{Text: m})
		}
		for _, p := range parts[i].Pairs {
			sought[i] = append(sought[i], literal.Sought{Text: p[0], With: [][]string{{p[1]}}})
		}
	}
	places := make([]int, len(e.fields)) // the part of a field; -1 where it is in several, or none
	for f, name := range e.fields {
		places[f] = placeOf(shape, name, parts)
	}
	for _, r := range p.group.rules {
		if p.fold.mode[r] == ruleOut || p.dead[r/64]&(1<<(r%64)) != 0 {
			continue
		}
		code := &e.codes[r]
		if p.fold.mode[r] == ruleOwn {
			code = p.fold.own[r]
		}
		with := make([][][]string, len(parts))
		for i := range parts {
			with[i] = e.besides(code, shape, parts, places, i)
		}
		for _, id := range code.trigger {
			if slices.ContainsFunc(p.constant, func(s sighting) bool { return s.atom() == id }) {
				return nil
			}
			for i, texts := range e.atomTexts(id, shape, parts) {
				for _, t := range texts {
					if t == "" {
						return nil
					}
					sought[i] = append(sought[i], literal.Sought{Text: t, With: with[i]})
				}
			}
		}
	}
	sieves := make([]*Sieve, len(parts))
	for i := range parts {
		if len(sought[i]) == 0 {
			continue
		}
		if sieves[i] = literal.NewSieve(sought[i], []byte(commonText)); sieves[i] == nil {
			return nil
		}
	}
	return sieves
}

// placeOf returns the part in which all values of a field stand; -1 if that is not one.
func placeOf(shape *event.Shape, name string, parts []Part) int {
	place := -1
	for _, slot := range shape.Slots(name) {
		i := slices.IndexFunc(parts, func(p Part) bool { return slices.Contains(p.Fields, shape.Fields()[slot].Name) })
		if i < 0 || place >= 0 && i != place {
			return -1
		}
		place = i
	}
	return place
}

// besides returns sets of texts of each of which one stands in a part, besides the trigger, where the rule matches.
func (e *Engine) besides(c *code, shape *event.Shape, parts []Part, places []int, part int) (sets [][]string) {
	if c.cond.op != condAnd {
		return nil
	}
	for i := range c.cond.kids {
		trigger, _ := c.cond.kids[i].trigger(e.atoms)
		if len(trigger) == 0 || slices.Contains(c.trigger, trigger[0]) {
			continue
		}
		var set []string
		for _, id := range trigger {
			if f := e.atoms[id].field; f == keywordField || places[f] != part {
				set = nil
				break
			}
			set = append(set, e.atomTexts(id, shape, parts)[part]...)
		}
		if len(set) > 0 && !slices.Contains(set, "") {
			sets = append(sets, set)
		}
	}
	return sets
}

// atomTexts returns, by part, the texts of which one stands in a part where the atom is seen.
func (e *Engine) atomTexts(id int32, shape *event.Shape, parts []Part) [][]string {
	a := &e.atoms[id]
	texts := make([][]string, len(parts))
	for _, list := range [...][]literal.Literal{a.literals, a.gates} {
		for _, l := range list {
			appendTexts(texts, l, shape, e.fields[a.field], parts)
		}
	}
	return texts
}

// appendTexts appends the text of a literal of a field to those of the parts that can hold it, with what stands before and
// after a value where it begins and ends one.
func appendTexts(texts [][]string, l literal.Literal, shape *event.Shape, field string, parts []Part) {
	if field == "" {
		for i := range parts {
			if can := parts[i].Can; can == nil || can(l.Text) {
				texts[i] = append(texts[i], l.Text)
			}
		}
		return
	}
	for _, slot := range shape.Slots(field) {
		if slot >= shape.Variable() {
			continue // what the constant says has been decided
		}
		f, text := &shape.Fields()[slot], l.Text
		if l.Place == literal.Start || l.Place == literal.Whole {
			text = literal.FoldString(f.Before) + text
		}
		if l.Place == literal.End || l.Place == literal.Whole {
			text += literal.FoldString(f.After)
		}
		if l.Text == "" {
			text = ""
		}
		for i := range parts {
			if slices.Contains(parts[i].Fields, f.Name) {
				texts[i] = append(texts[i], text)
			}
		}
	}
}
