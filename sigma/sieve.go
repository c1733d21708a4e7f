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
	// Can reports whether a text that a rule seeks anywhere in a line can begin in this part; nil for any.
	Can func(text string) bool
}

// Sieves returns a Sieve for each part, nil for one in which nothing is sought. Where a rule matches an event of the Shape,
// the Sieve of one part or another finds something, if all values of the event stand in the parts. It returns nil where a
// rule asks for nothing in particular, so that every event must be looked at.
func (e *Engine) Sieves(shape *event.Shape, parts []Part) []*Sieve {
	p := e.Bind(shape)
	if len(p.always) > 0 {
		return nil
	}
	sought := make([]bool, len(e.atoms))
	for _, r := range p.group.rules {
		if p.fold.mode[r] == ruleOut || p.dead[r/64]&(1<<(r%64)) != 0 {
			continue
		}
		trigger := e.codes[r].trigger
		if p.fold.mode[r] == ruleOwn {
			trigger = p.fold.own[r].trigger
		}
		for _, id := range trigger {
			sought[id] = true
		}
	}
	if slices.ContainsFunc(p.constant, func(s sighting) bool { return sought[s.atom()] }) {
		return nil
	}
	texts := make([][]string, len(parts))
	for id := range e.atoms {
		if !sought[id] {
			continue
		}
		a := &e.atoms[id]
		for _, list := range [...][]literal.Literal{a.literals, a.gates} {
			for _, l := range list {
				if l.Text == "" || !appendTexts(texts, l, shape, e.fields[a.field], parts) {
					return nil
				}
			}
		}
	}
	sieves := make([]*Sieve, len(parts))
	for i := range parts {
		if texts[i] = append(texts[i], parts[i].Marks...); len(texts[i]) == 0 {
			continue
		}
		if sieves[i] = NewSieve(texts[i]); sieves[i] == nil {
			return nil
		}
	}
	return sieves
}

// NewSieve returns a Sieve that finds texts, which are folded; nil if they are too many.
func NewSieve(texts []string) *Sieve { return literal.NewSieve(texts, []byte(commonText)) }

// appendTexts appends the text of a literal of a field to those of the parts that can hold it, with what stands before and
// after a value where it begins and ends one. It reports false if the field is in no part.
func appendTexts(texts [][]string, l literal.Literal, shape *event.Shape, field string, parts []Part) bool {
	if field == "" {
		for i := range parts {
			if can := parts[i].Can; can == nil || can(l.Text) {
				texts[i] = append(texts[i], l.Text)
			}
		}
		return true
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
		i := slices.IndexFunc(parts, func(p Part) bool { return slices.Contains(p.Fields, f.Name) })
		if i < 0 {
			return false
		}
		texts[i] = append(texts[i], text)
	}
	return true
}
