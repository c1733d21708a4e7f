package sigma

import (
	"strconv"
	"strings"
)

// condition is a node of a condition as it is written.
type condition struct {
	op   conditionOp
	kids []*condition
	name string // of a selection, or a pattern of names; "them" for all
	n    int    // of ofOp: how many; 0 for all
}

type conditionOp uint8

const (
	nameOp conditionOp = iota
	andOp
	orOp
	notOp
	ofOp
)

// maxConditionDepth bounds the nesting of a condition.
const maxConditionDepth = 100

// parseCondition reads a condition (Sigma rules specification 2.1, "Condition"): or binds least, then and, then not,
// then "x of", then parentheses.
func parseCondition(text string, where at) (*condition, *flaw) {
	p := &conditionParser{words: conditionWords(text), at: where}
	if len(p.words) == 0 {
		return nil, where.flawf("the condition is empty: name the selections, joined with and, or, not")
	}
	c, bad := p.or(0)
	if bad == nil && p.next < len(p.words) {
		if w := p.words[p.next]; w == ")" {
			bad = where.flawf("the condition has a ) too many: take one out, or add the ( it closes")
		} else {
			bad = where.flawf("the condition has %q where it should end: write and, or before it", w)
		}
	}
	return c, bad
}

func conditionWords(text string) []string {
	for _, c := range []string{"(", ")", "|"} {
		text = strings.ReplaceAll(text, c, " "+c+" ")
	}
	return strings.Fields(text)
}

type conditionParser struct {
	words []string
	next  int
	at
}

// take reports whether the next word is w, in any case, and steps over it.
func (p *conditionParser) take(w string) bool {
	if p.next < len(p.words) && strings.EqualFold(p.words[p.next], w) {
		p.next++
		return true
	}
	return false
}

func (p *conditionParser) or(depth int) (*condition, *flaw) {
	return p.chain("or", orOp, depth, func(depth int) (*condition, *flaw) {
		return p.chain("and", andOp, depth, p.not)
	})
}

func (p *conditionParser) chain(word string, op conditionOp, depth int, part func(int) (*condition, *flaw)) (*condition, *flaw) {
	first, bad := part(depth)
	if bad != nil || p.next >= len(p.words) || !strings.EqualFold(p.words[p.next], word) {
		return first, bad
	}
	c := &condition{op: op, kids: []*condition{first}}
	for p.take(word) {
		kid, bad := part(depth)
		if bad != nil {
			return nil, bad
		}
		c.kids = append(c.kids, kid)
	}
	return c, nil
}

func (p *conditionParser) not(depth int) (*condition, *flaw) {
	if depth > maxConditionDepth {
		return nil, p.flawf("the condition is nested more than %d deep: give parts of it selections of their own", maxConditionDepth)
	}
	if p.take("not") {
		kid, bad := p.not(depth + 1)
		if bad != nil {
			return nil, bad
		}
		return &condition{op: notOp, kids: []*condition{kid}}, nil
	}
	return p.primary(depth)
}

func (p *conditionParser) primary(depth int) (*condition, *flaw) {
	if p.next >= len(p.words) {
		return nil, p.flawf("the condition ends after %q: a selection is missing there", p.words[p.next-1])
	}
	if p.take("(") {
		c, bad := p.or(depth + 1)
		if bad == nil && !p.take(")") {
			bad = p.flawf("the condition has a ( that is not closed: add a )")
		}
		return c, bad
	}
	w := p.words[p.next]
	p.next++
	if p.next < len(p.words) && strings.EqualFold(p.words[p.next], "of") {
		n, err := strconv.Atoi(w)
		switch {
		case strings.EqualFold(w, "all"):
			n = 0
		case strings.EqualFold(w, "any"):
			n = 1
		case err != nil || n < 1:
			return nil, p.flawf("the condition has %q before of: write 1, any, all or another number above 0", w)
		}
		p.next++
		if p.next >= len(p.words) || strings.Contains("()", p.words[p.next]) {
			return nil, p.flawf("the condition has nothing after of: write them, or a pattern such as selection*")
		}
		pattern := p.words[p.next]
		p.next++
		return &condition{op: ofOp, n: n, name: pattern}, nil
	}
	switch strings.ToLower(w) {
	case ")", "and", "or", "of":
		return nil, p.flawf("the condition has %q where the name of a selection is expected", w)
	}
	return &condition{op: nameOp, name: w}, nil
}

// nameMatches reports whether a selection's name fits a pattern, in which * stands for any characters. Names that begin
// with _ are only for patterns that do so too.
func nameMatches(pattern, name string) bool {
	if strings.EqualFold(pattern, "them") {
		return !strings.HasPrefix(name, "_")
	}
	if strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_") {
		return false
	}
	return fitsStars(pattern, name)
}

// fitsStars reports whether a name fits a pattern in which * stands for any characters.
func fitsStars(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, last)
}
