package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
	for _, c := range d.conditions {
		e, bad := l.condition(c, d.selections, bodies, d.where())
		if bad != nil {
			return nil, bad
		}
		any = append(any, e)
	}
	e := join(exprOr, any)
	if size := 0; !e.measure(&size) {
		return nil, d.where().flawf("the condition uses more than %d lines of selections", maxSize)
	}
	if l.waiting {
		return nil, nil
	}
	return e, nil
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

func (d *detection) where() at {
	if len(d.selections) > 0 {
		return d.selections[0].at
	}
	return at{}
}

// lowering is the lowering of one detection.
type lowering struct {
	placeholders map[string][]string
	waiting      bool // for the values of a placeholder
}

func (l *lowering) condition(c *condition, selections []selection, bodies []*expr, where at) (*expr, *flaw) {
	switch c.op {
	case nameOp:
		for i, s := range selections {
			if s.name == c.name {
				return bodies[i], nil
			}
		}
		return nil, where.flawf("the condition names %q, which is no selection", c.name)
	case ofOp:
		var kids []*expr
		for i, s := range selections {
			if nameMatches(c.name, s.name) {
				kids = append(kids, bodies[i])
			}
		}
		switch {
		case len(kids) == 0:
			return nil, where.flawf("the condition asks for %q, which is the name of no selection", c.name)
		case c.n > len(kids):
			return nil, where.flawf("the condition asks for %d of %q, of which there are %d", c.n, c.name, len(kids))
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

// modifiers are what the modifiers of a line ask for.
type modifiers struct {
	all, neq, cased, windash, expand  bool
	contains, startswith, endswith    bool
	re, ignoreCase, multiLine, dotAll bool
	cidr, exists, fieldref            bool
	encode                            []string // base64, base64offset, utf16, utf16le, utf16be, in order
	compare                           string   // lt, lte, gt, gte
	part                              timePart
	number                            string // the modifier that asked for a number
	typed                             string // the modifier that made of the value something else than a string
	anchored                          bool   // contains, startswith or endswith was there
	any                               bool   // a modifier other than all and neq was there
}

// readModifiers checks the modifiers of a line and the order they stand in (Sigma modifiers appendix 2.1).
func readModifiers(l *line) (m modifiers, bad *flaw) {
	seen := map[string]bool{}
	previous := ""
	for _, name := range l.modifiers {
		if seen[name] {
			return m, l.flawf("modifier %q stands twice", name)
		}
		seen[name] = true
		// typed modifiers turn the value into something that is no string any more; only some may follow.
		switch name {
		case "all":
			m.all = true
			continue
		case "neq":
			m.neq = true
			continue
		}
		if m.typed != "" && !follows(m.typed, name) {
			return m, l.flawf("modifier %q cannot follow %q", name, m.typed)
		}
		switch name {
		case "contains", "startswith", "endswith":
			if m.anchored {
				return m, l.flawf("modifier %q cannot follow %q", name, previous)
			}
			m.anchored = true
			m.contains = m.contains || name == "contains"
			m.startswith = m.startswith || name == "startswith"
			m.endswith = m.endswith || name == "endswith"
		case "cased":
			m.cased = true
		case "windash":
			if len(m.encode) > 0 {
				return m, l.flawf("modifier %q cannot follow %q", name, previous)
			}
			m.windash = true
		case "expand":
			if len(m.encode) > 0 || m.windash {
				return m, l.flawf("modifier %q cannot follow %q", name, previous)
			}
			m.expand = true
		case "wide", "utf16le", "utf16be", "utf16", "base64", "base64offset":
			if m.anchored {
				return m, l.flawf("modifier %q cannot follow %q: encode first", name, previous)
			}
			if name == "wide" {
				name = "utf16le"
			}
			if len(m.encode) > 0 && (!strings.HasPrefix(m.encode[len(m.encode)-1], "utf16") || strings.HasPrefix(name, "utf16")) {
				return m, l.flawf("modifier %q cannot follow %q", name, previous)
			}
			m.encode = append(m.encode, name)
		case "i", "m", "s", "ignorecase", "multiline", "dotall":
			if !m.re {
				return m, l.flawf("modifier %q is for regular expressions: it must follow re", name)
			}
			m.ignoreCase = m.ignoreCase || name[0] == 'i'
			m.multiLine = m.multiLine || name[0] == 'm'
			m.dotAll = m.dotAll || name[0] == 's' || name[0] == 'd'
		case "re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year":
			if m.any && !(m.typed != "" && follows(m.typed, name)) && !(name == "re" && previous == "expand") {
				return m, l.flawf("modifier %q cannot follow %q", name, previous)
			}
			m.typed = name
			switch name {
			case "re":
				m.re = true
			case "cidr":
				m.cidr = true
			case "exists":
				m.exists = true
			case "fieldref":
				m.fieldref = true
			case "lt", "lte", "gt", "gte":
				m.compare, m.number = name, name
			default:
				m.part, m.number = timeParts[name], name
			}
		default:
			return m, l.flawf("unknown modifier %q", name)
		}
		previous, m.any = name, true
	}
	if l.field == "" && (m.exists || m.fieldref) {
		return m, l.flawf("modifier %q needs a field", m.typed)
	}
	return m, nil
}

// follows reports whether modifier name may follow one that made typed of the value.
func follows(typed, name string) bool {
	switch typed {
	case "re":
		return slices.Contains([]string{"i", "m", "s", "ignorecase", "multiline", "dotall", "expand", "contains"}, name)
	case "fieldref":
		return slices.Contains([]string{"cased", "contains", "startswith", "endswith"}, name)
	case "minute", "hour", "day", "week", "month", "year":
		return slices.Contains([]string{"lt", "lte", "gt", "gte"}, name)
	}
	return false
}

func (l *lowering) line(ln *line) (*expr, *flaw) {
	m, bad := readModifiers(ln)
	if bad != nil {
		return nil, bad
	}
	var any []*test
	var each []*expr
	for _, v := range ln.values {
		tests, bad := l.value(ln, &m, v)
		if bad != nil {
			return nil, bad
		}
		if len(any)+len(tests) > maxVariants {
			return nil, ln.flawf("becomes more than %d values", maxVariants)
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

// value returns the tests that a value asks for, of which one must be true.
func (l *lowering) value(ln *line, m *modifiers, v scalar) ([]*test, *flaw) {
	one := func(t test) ([]*test, *flaw) {
		t.field, t.shown = ln.field, v.text
		return []*test{&t}, nil
	}
	if v.null {
		if m.any {
			return nil, v.flawf("null cannot be modified")
		}
		if ln.field == "" {
			return nil, v.flawf("null is no keyword")
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
		return nil, v.flawf("exists takes true or false, not %q", v.text)
	case m.number != "":
		n, err := strconv.ParseFloat(v.text, 64)
		if err != nil || n != n {
			return nil, v.flawf("%s takes a number, not %q", m.number, v.text)
		}
		t := test{op: opNumber, part: m.part, number: n, compare: m.compare}
		if m.compare == "" {
			t.compare = "eq"
		}
		return one(t)
	case m.cidr:
		prefix, err := parsePrefix(v.text)
		if err != nil {
			return nil, v.flawf("%q is no network in CIDR notation", v.text)
		}
		return one(test{op: opNetwork, network: prefix})
	case m.fieldref:
		t := test{op: opField, cased: m.cased, other: v.text, how: opEqual}
		switch {
		case v.text == "":
			return nil, v.flawf("fieldref names no field")
		case m.contains:
			t.how = opContains
		case m.startswith:
			t.how = opPrefix
		case m.endswith:
			t.how = opSuffix
		}
		return one(t)
	}
	texts := []string{v.text}
	if m.expand {
		var bad *flaw
		if texts, bad = l.expand(v); bad != nil {
			return nil, bad
		}
	}
	var tests []*test
	for _, s := range texts {
		if m.re {
			t, bad := regexTest(ln.field, s, m, v)
			if bad != nil {
				return nil, bad
			}
			tests = append(tests, t)
			continue
		}
		patterns, bad := variants(s, m, v)
		if bad != nil {
			return nil, bad
		}
		for _, p := range patterns {
			if m.contains || m.endswith || ln.field == "" && !m.anchored {
				p = p.starFirst()
			}
			if m.contains || m.startswith || ln.field == "" && !m.anchored {
				p = p.starLast()
			}
			if ln.field == "" && len(p) <= 1 && p.startsWithStar() {
				return nil, v.flawf("an empty keyword is in every event")
			}
			t := stringTest(p, m.cased)
			t.field, t.shown = ln.field, v.text
			tests = append(tests, t)
		}
	}
	return tests, nil
}

func regexTest(field, s string, m *modifiers, v scalar) (*test, *flaw) {
	prefix := ""
	if m.ignoreCase {
		prefix += "i"
	}
	if m.multiLine {
		prefix += "m"
	}
	if m.dotAll {
		prefix += "s"
	}
	source := s
	if prefix != "" {
		source = "(?" + prefix + ")" + s
	}
	re, err := newRegex(source)
	if err != nil {
		return nil, v.flawf("regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return &test{op: opRegex, field: field, regex: re, cased: true, shown: s}, nil
}

// expand returns the value with its placeholders replaced, once for each of their values.
func (l *lowering) expand(v scalar) ([]string, *flaw) {
	texts := []string{""}
	rest := v.text
	for {
		i := strings.IndexByte(rest, '%')
		for i > 0 && rest[i-1] == '\\' { // \% is a plain percent sign
			for j := range texts {
				texts[j] += rest[:i-1] + "%"
			}
			rest = rest[i+1:]
			i = strings.IndexByte(rest, '%')
		}
		end := -1
		if i >= 0 {
			end = strings.IndexByte(rest[i+1:], '%')
		}
		if end <= 0 {
			for j := range texts {
				texts[j] += rest
			}
			return texts, nil
		}
		name := rest[i+1 : i+1+end]
		values := l.placeholders[name]
		if len(values) == 0 {
			if l.placeholders != nil {
				return nil, v.flawf("placeholder %%%s%% has no values", name)
			}
			l.waiting = true
			values = []string{"x"}
		}
		if len(texts)*len(values) > maxVariants {
			return nil, v.flawf("becomes more than %d values", maxVariants)
		}
		longer := make([]string, 0, len(texts)*len(values))
		for _, t := range texts {
			for _, value := range values {
				longer = append(longer, t+rest[:i]+value)
			}
		}
		texts, rest = longer, rest[i+end+2:]
	}
}

// variants returns the patterns that a string becomes through windash and encodings.
func variants(s string, m *modifiers, v scalar) ([]pattern, *flaw) {
	patterns := []pattern{parsePattern(s)}
	if m.windash {
		var ok bool
		if patterns, ok = patterns[0].windash(); !ok {
			return nil, v.flawf("windash: more than %d dashes in one value", maxDashes)
		}
	}
	if len(m.encode) == 0 {
		return patterns, nil
	}
	var out []pattern
	for _, p := range patterns {
		encoded, bad := encode(p, m.encode, v)
		if bad != nil {
			return nil, bad
		}
		out = append(out, encoded...)
	}
	return out, nil
}

func encode(p pattern, encodings []string, v scalar) ([]pattern, *flaw) {
	utf := ""
	if strings.HasPrefix(encodings[0], "utf16") {
		utf = encodings[0]
	}
	bytesOf := func(s string, first bool) []byte {
		switch utf {
		case "utf16le":
			return appendUTF16(nil, s, binary.LittleEndian)
		case "utf16be":
			return appendUTF16(nil, s, binary.BigEndian)
		case "utf16":
			if first {
				return appendUTF16([]byte{0xFF, 0xFE}, s, binary.LittleEndian)
			}
			return appendUTF16(nil, s, binary.LittleEndian)
		}
		return []byte(s)
	}
	last := encodings[len(encodings)-1]
	if !strings.HasPrefix(last, "base64") {
		first := true
		q := p.mapText(func(s string) string {
			b := bytesOf(s, first)
			first = false
			return string(b)
		})
		for _, e := range q {
			if !utf8.ValidString(e.text) {
				return nil, v.flawf("%s of %q is no text: only base64 may follow", utf, v.text)
			}
		}
		return []pattern{q}, nil
	}
	s, ok := p.plain()
	if !ok || s == "" {
		return nil, v.flawf("%s cannot encode wildcards or nothing", last)
	}
	data := bytesOf(s, true)
	if last == "base64" {
		return []pattern{{{text, base64.StdEncoding.EncodeToString(data)}}}, nil
	}
	var out []pattern
	for _, s := range base64Offsets(data) {
		out = append(out, pattern{{text, s}})
	}
	if len(out) < 3 {
		return nil, v.flawf("base64offset: %q is too short", v.text)
	}
	return out, nil
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
