package sigma

import (
	"fmt"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/literal"
)

// maxVariants bounds the values that one line becomes through windash, base64offset and expand.
const maxVariants = 100_000

// expr is what must be true of an event.
type expr struct {
	op    exprOp
	n     int // of exprCount: how many of kids
	kids  []*expr
	tests []*test // of exprAny: tests of one field, of which one must be true
}

type exprOp uint8

const (
	exprAny exprOp = iota
	exprAnd
	exprOr
	exprNot
	exprCount
)

func join(op exprOp, kids []*expr) *expr {
	if len(kids) == 1 {
		return kids[0]
	}
	return &expr{op: op, kids: kids}
}

// lower turns a detection into an expression. Without placeholders (nil) it returns nil for one that needs them.
func (d *detection) lower(placeholders map[string][]string) (*expr, *flaw) {
	l := &lowering{placeholders: placeholders}
	bodies := make([]*expr, len(d.selections))
	for i, s := range d.selections {
		var bad *flaw
		if bodies[i], bad = l.block(s.body); bad != nil {
			return nil, bad
		}
	}
	var any []*expr
	for i, c := range d.conditions {
		e, bad := l.condition(c, d.selections, bodies, d.where(i))
		if bad != nil {
			return nil, bad
		}
		any = append(any, e)
	}
	e := join(exprOr, any)
	if size := 0; !e.measure(&size) {
		return nil, d.where(0).flawf("the condition uses more than %d lines of selections, counted as often as they are used: split the rule", maxSize)
	}
	if l.waiting {
		return nil, nil
	}
	return e, nil
}

// whyNone says what to do where no selection fits a pattern.
func whyNone(pattern string, selections []selection) string {
	var names []string
	for _, s := range selections {
		if strings.EqualFold(pattern, "them") || fitsStars(pattern, s.name) {
			return "names that begin with _ are only for patterns that do, so rename " + s.name + ", or write _ before the pattern"
		}
		first, _, _ := strings.Cut(s.name, "_")
		names = append(names, s.name, first)
	}
	if near := nearest(strings.TrimRight(pattern, "_*"), names); near != "" {
		return "did you mean " + near + "*?"
	}
	return "add one, or take this out of the condition"
}

// maxSize bounds a condition in which selections that are used several times are written out.
const maxSize = 200_000

// measure adds the number of nodes of e to size, and reports whether it is within maxSize.
func (e *expr) measure(size *int) bool {
	if *size++; *size > maxSize {
		return false
	}
	for _, k := range e.kids {
		if !k.measure(size) {
			return false
		}
	}
	return true
}

// where returns the place of a condition.
func (d *detection) where(i int) at {
	if i < len(d.places) {
		return d.places[i]
	}
	return at{}
}

// unknownName says that a condition names no selection.
func unknownName(name string, selections []selection, where at) *flaw {
	names := make([]string, len(selections))
	for i, s := range selections {
		names[i] = s.name
	}
	mend := didYouMean(name, names)
	switch {
	case mend != "":
	case strings.Contains(name, "*"):
		mend = "write 1 of " + name + " or all of " + name
	case len(names) == 0:
		mend = "add it to the detection"
	default:
		mend = "there are " + strings.Join(names[:min(len(names), 8)], ", ")
	}
	return where.flawf("the condition names %q, which is no selection: %s", name, mend)
}

// lowering is the lowering of one detection.
type lowering struct {
	placeholders map[string][]string
	waiting      bool   // for the values of a placeholder
	tests        []test // to be handed out
}

func (l *lowering) condition(c *condition, selections []selection, bodies []*expr, where at) (*expr, *flaw) {
	switch c.op {
	case nameOp:
		for i, s := range selections {
			if s.name == c.name {
				return bodies[i], nil
			}
		}
		return nil, unknownName(c.name, selections, where)
	case ofOp:
		var kids []*expr
		for i, s := range selections {
			if nameMatches(c.name, s.name) {
				kids = append(kids, bodies[i])
			}
		}
		switch {
		case len(kids) == 0:
			return nil, where.flawf("the condition asks for %q, which no selection fits: %s", c.name, whyNone(c.name, selections))
		case c.n > len(kids):
			return nil, where.flawf("the condition asks for %d of %q, of which there are %d: it could never be true", c.n, c.name, len(kids))
		case c.n == 0 || c.n == len(kids):
			return join(exprAnd, kids), nil
		case c.n == 1:
			return join(exprOr, kids), nil
		}
		return &expr{op: exprCount, n: c.n, kids: kids}, nil
	}
	kids := make([]*expr, len(c.kids))
	for i, k := range c.kids {
		var bad *flaw
		if kids[i], bad = l.condition(k, selections, bodies, where); bad != nil {
			return nil, bad
		}
	}
	switch c.op {
	case andOp:
		return join(exprAnd, kids), nil
	case orOp:
		return join(exprOr, kids), nil
	}
	return &expr{op: exprNot, kids: kids}, nil
}

func (l *lowering) block(b *block) (*expr, *flaw) {
	op, kids := exprOr, make([]*expr, 0, len(b.any)+len(b.all))
	for _, sub := range b.any {
		e, bad := l.block(sub)
		if bad != nil {
			return nil, bad
		}
		kids = append(kids, e)
	}
	for i := range b.all {
		op = exprAnd
		e, bad := l.line(&b.all[i])
		if bad != nil {
			return nil, bad
		}
		kids = append(kids, e)
	}
	return join(op, kids), nil
}

func (l *lowering) line(ln *line) (*expr, *flaw) {
	m, bad := readModifiers(ln)
	if bad != nil {
		return nil, bad
	}
	var any []*test
	if !m.all {
		any = make([]*test, 0, len(ln.values))
	}
	var each []*expr
	for i, v := range ln.values {
		if t := l.plainTest(ln, &m, i); t != nil && len(any) < maxVariants {
			if m.all {
				each = append(each, &expr{op: exprAny, tests: []*test{t}})
			} else {
				any = append(any, t)
			}
			continue
		}
		tests, bad := l.value(ln, &m, v)
		if bad != nil {
			return nil, bad
		}
		if len(any)+len(tests) > maxVariants {
			return nil, ln.flawf("this line becomes more than %d values: split it into several", maxVariants)
		}
		if m.all {
			each = append(each, &expr{op: exprAny, tests: tests})
		} else {
			any = append(any, tests...)
		}
	}
	e := &expr{op: exprAny, tests: any}
	if m.all {
		e = join(exprAnd, each)
	}
	if m.neq {
		e = &expr{op: exprNot, kids: []*expr{e}}
	}
	return e, nil
}

// plainTest returns the test of value i if it is a text without wildcards, escapes and encodings, as nearly all are. It
// is what value returns too, made sooner; otherwise it returns nil.
func (l *lowering) plainTest(ln *line, m *modifiers, i int) *test {
	v := &ln.values[i]
	if v.null || v.text == "" || m.typed != "" || m.number != "" || len(m.steps) > 0 || !isPlain(v.text) {
		return nil
	}
	if len(l.tests) == 0 {
		l.tests = make([]test, len(ln.values)-i)
	}
	t := &l.tests[0]
	l.tests = l.tests[1:]
	t.field, t.shown, t.cased, t.literal = ln.field, v.text, m.cased, v.text
	if !m.cased {
		t.literal = literal.FoldString(v.text)
	}
	keyword := ln.field == "" && !m.anchored()
	first, last := m.contains || m.endswith || keyword, m.contains || m.startswith || keyword
	switch {
	case first && last:
		t.op = opContains
	case first:
		t.op = opSuffix
	case last:
		t.op = opPrefix
	default:
		t.op = opEqual
	}
	return t
}

// value returns the tests that a value asks for, of which one must be true.
func (l *lowering) value(ln *line, m *modifiers, v scalar) ([]*test, *flaw) {
	one := func(t test) ([]*test, *flaw) {
		t.field, t.shown = ln.field, v.text
		return []*test{&t}, nil
	}
	if v.null {
		if m.any {
			return nil, v.flawf("null has no text for modifiers to work on: move it to a selection of its own, without %s", strings.Join(ln.modifiers, "|"))
		}
		if ln.field == "" {
			return nil, v.flawf("null is no keyword, since no event is without values: name the field that is to be null")
		}
		return one(test{op: opNull, shown: "null"})
	}
	switch {
	case m.exists:
		switch strings.ToLower(v.text) {
		case "true", "yes":
			return one(test{op: opExists})
		case "false", "no":
			return one(test{op: opMissing})
		}
		return nil, v.flawf("exists takes true or false, not %q: the value of the field is no matter to it", v.text)
	case m.number != "":
		n, ok := parseNumber([]byte(v.text))
		if !ok {
			return nil, v.flawf("%s takes a number, not %q: write it with digits, as 5, -0.5 or 0x1f", m.number, v.text)
		}
		t := test{op: opNumber, special: &special{part: m.part, number: n, compare: m.compare}}
		if m.compare == "" {
			t.compare = "eq"
		}
		return one(t)
	case m.fieldref:
		t := test{op: opField, cased: m.cased, special: &special{other: v.text, how: opEqual}}
		switch {
		case v.text == "":
			return nil, v.flawf("fieldref names no field: give it the name of the field to compare with")
		case strings.ContainsAny(v.text, "*?"):
			return nil, v.flawf("fieldref takes the name of one field, and %q has a wildcard: name the fields one by one in a list", v.text)
		case m.contains:
			t.how = opContains
		case m.startswith:
			t.how = opPrefix
		case m.endswith:
			t.how = opSuffix
		}
		return one(t)
	case m.re, m.cidr:
		texts := []string{v.text}
		if m.expand {
			var bad *flaw
			if texts, bad = l.expandText(v.text, v); bad != nil {
				return nil, bad
			}
		}
		tests := make([]*test, 0, len(texts))
		for _, s := range texts {
			t, bad := l.typedTest(ln.field, s, m, v)
			if bad != nil {
				return nil, bad
			}
			tests = append(tests, t)
		}
		return tests, nil
	}
	patterns, bad := l.patterns(m, v)
	if bad != nil {
		return nil, bad
	}
	keyword := ln.field == "" && !m.anchored()
	tests := make([]*test, 0, len(patterns))
	for _, p := range patterns {
		if m.contains || m.endswith || keyword {
			p = p.starFirst()
		}
		if m.contains || m.startswith || keyword {
			p = p.starLast()
		}
		if ln.field == "" && (len(p) == 0 || len(p) == 1 && p.startsWithStar()) {
			return nil, v.flawf("an empty keyword is in every event: say what to look for, or leave it out")
		}
		t := stringTest(p, m.cased)
		t.field, t.shown = ln.field, v.text
		tests = append(tests, t)
	}
	return tests, nil
}

// patterns returns what a string becomes through expand, windash and encodings, in their order.
func (l *lowering) patterns(m *modifiers, v scalar) ([]pattern, *flaw) {
	patterns := []pattern{parseTemplate(v.text, m.expand)}
	for i, step := range m.steps {
		switch step {
		case "expand":
			var bad *flaw
			if patterns, bad = l.expand(patterns, v); bad != nil {
				return nil, bad
			}
		case "windash":
			var out []pattern
			for _, p := range patterns {
				if out = append(out, p.windash()...); len(out) > maxVariants {
					return nil, v.flawf("%q becomes more than %d values: split it into several lines", v.text, maxVariants)
				}
			}
			patterns = out
		default:
			for _, p := range patterns {
				if slices.ContainsFunc(p, func(e piece) bool { return e.kind == dash }) {
					return nil, v.flawf("windash before %s takes at most %d dashes in one value, and %q has more: split it into several values", step, maxDashes, v.text)
				}
			}
			return encode(patterns, m.steps[i:], v)
		}
	}
	return patterns, nil
}

// typedTest returns the test of a regular expression or a network.
func (l *lowering) typedTest(field, s string, m *modifiers, v scalar) (*test, *flaw) {
	if m.re {
		return regexTest(field, s, m, v)
	}
	prefix, err := parsePrefix(s)
	if err != nil && !l.waiting {
		return nil, v.flawf("%q is no network: write one as 192.0.2.0/24 or 2001:db8::/32", s)
	}
	return &test{op: opNetwork, field: field, special: &special{network: prefix}, shown: v.text}, nil
}

func regexTest(field, s string, m *modifiers, v scalar) (*test, *flaw) {
	flags := ""
	if m.ignoreCase {
		flags += "i"
	}
	if m.multiLine {
		flags += "m"
	}
	if m.dotAll {
		flags += "s"
	}
	source := s
	if m.startswith {
		source = `\A(?:` + source + `)`
	}
	if m.endswith {
		source = `(?:` + source + `)\z`
	}
	if flags != "" {
		source = "(?" + flags + ")" + source
	}
	if _, err := syntax.Parse(s, syntax.Perl); err != nil {
		return nil, v.flawf("%s", regexReason(err))
	}
	re, err := newRegex(source)
	if err != nil {
		return nil, v.flawf("%s", regexReason(err))
	}
	return &test{op: opRegex, field: field, regex: re, cased: true, shown: s}, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, err
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("a prefix that reaches beyond the IPv4 addresses in IPv6")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
