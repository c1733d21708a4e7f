package logsource

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Apply returns the formats with what rows say that their readers do not apply themselves: those of files that users
// gave, and those that depend on values which change from record to record. A format of which no such row speaks is
// returned as it is.
func (t *Table) Apply(formats []logs.Format) []logs.Format {
	var rows []*Row
	for _, r := range t.rows {
		if !r.compact && (!r.builtin || len(r.tests) > 0) && len(r.Variants) == 0 {
			rows = append(rows, r)
		}
	}
	out := make([]logs.Format, len(formats))
	for i, f := range formats {
		out[i] = f
		var of []*Row
		for _, r := range rows {
			if !r.builtin || r.Format == "" || r.Format == f.Name {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			continue
		}
		m := &mapping{rows: of, shapes: map[*event.Shape]*mapped{}}
		inner := f.Parser
		out[i].Parser = func() logs.Parser {
			return &parser{Parser: inner(), mapping: m, seen: map[*event.Shape]*mapped{}}
		}
	}
	return out
}

// mapping is what rows make of the Shapes of a format, the same for all workers.
type mapping struct {
	rows []*Row

	mu     sync.Mutex
	shapes map[*event.Shape]*mapped
}

// The most Shapes that are remembered, and the most that are derived from one; past them it is begun anew.
const (
	maxShapes  = 8192
	maxDerived = 1024
)

// mapped is what rows make of a Shape.
type mapped struct {
	from    *event.Shape
	certain []*Row
	// open are the rows that depend on values; shape is for events that none of them means.
	open  []*Row
	shape *event.Shape

	mu      sync.Mutex
	derived map[string]*event.Shape // by a bit for each open row that means the event
}

func (m *mapping) of(s *event.Shape) *mapped {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.shapes[s]; d != nil {
		return d
	}
	d := &mapped{from: s, shape: s}
	for _, r := range m.rows {
		if !fits(r.Format, s.Format) {
			continue
		}
		switch may, open := r.decide(s); {
		case open:
			d.open = append(d.open, r)
		case may:
			d.certain = append(d.certain, r)
		}
	}
	if len(d.certain) > 0 {
		d.shape = derive(s, d.certain, "")
	}
	if len(m.shapes) >= maxShapes {
		clear(m.shapes)
	}
	m.shapes[s] = d
	return d
}

// with returns the Shape of events that the open rows of bits mean.
func (d *mapped) with(bits []byte) *event.Shape {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.derived[string(bits)]; s != nil {
		return s
	}
	rows := make([]*Row, 0, len(d.certain)+1)
	for i, r := range d.open {
		if bits[i/8]&(1<<(i%8)) != 0 {
			rows = append(rows, r)
		}
	}
	rows = append(rows, d.certain...)
	if d.derived == nil || len(d.derived) >= maxDerived {
		d.derived = map[string]*event.Shape{}
	}
	s := derive(d.from, rows, "")
	d.derived[string(bits)] = s
	return s
}

// parser is a Parser whose events are looked up in the table.
type parser struct {
	logs.Parser
	mapping *mapping
	seen    map[*event.Shape]*mapped

	bits, text []byte
	// chosen is what was chosen last.
	chosen struct {
		from  *mapped
		bits  []byte
		shape *event.Shape
	}
}

// Parse implements [logs.Parser].
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	n := len(out.Events)
	p.Parser.Parse(b, out)
	var last *mapped
	for i := n; i < len(out.Events); i++ {
		e := &out.Events[i]
		if last == nil || last.from != e.Shape {
			last = p.of(e.Shape)
		}
		if len(last.open) == 0 {
			e.Shape = last.shape
			continue
		}
		p.choose(e, last)
	}
}

func (p *parser) of(s *event.Shape) *mapped {
	m := p.seen[s]
	if m == nil {
		if len(p.seen) >= maxShapes {
			clear(p.seen)
		}
		m = p.mapping.of(s)
		p.seen[s] = m
	}
	return m
}

// choose gives the event the Shape that its values ask for.
func (p *parser) choose(e *event.Event, m *mapped) {
	p.bits = append(p.bits[:0], make([]byte, (len(m.open)+7)/8)...)
	met := false
	for i, r := range m.open {
		if p.means(r, e) {
			p.bits[i/8] |= 1 << (i % 8)
			met = true
		}
	}
	switch {
	case !met:
		e.Shape = m.shape
	case p.chosen.from == m && bytes.Equal(p.chosen.bits, p.bits):
		e.Shape = p.chosen.shape
	default:
		e.Shape = m.with(p.bits)
		p.chosen.from, p.chosen.shape, p.chosen.bits = m, e.Shape, append(p.chosen.bits[:0], p.bits...)
	}
}

// means reports whether all conditions of a row hold for the event.
func (p *parser) means(r *Row, e *event.Event) bool {
	for i := range r.tests {
		t, met := &r.tests[i], false
		for _, slot := range e.Shape.Slots(t.field) {
			if met, p.text = t.matches(e.Value(slot), p.text); met {
				break
			}
		}
		if !met {
			return false
		}
	}
	return true
}

// test is a [Condition], made ready.
type test struct {
	field  string
	values [][][]byte // in lower case, in the parts between which anything may stand
}

func newTest(c Condition) test {
	t := test{field: c.Field}
	for _, v := range c.Values {
		var parts [][]byte
		for part := range strings.SplitSeq(v, "*") {
			parts = append(parts, appendLower(nil, []byte(part)))
		}
		t.values = append(t.values, parts)
	}
	return t
}

// matches reports whether a value, or an element of one that is a list, is one of the test's. It works in scratch and
// returns it.
func (t *test) matches(v event.Value, scratch []byte) (bool, []byte) {
	for at := 0; ; {
		elem, next, ok := v.Elem(at)
		if !ok {
			return false, scratch
		}
		at = next
		scratch = elem.AppendText(scratch[:0])
		n := len(scratch)
		scratch = appendLower(scratch, scratch)
		for _, parts := range t.values {
			if match(parts, scratch[n:]) {
				return true, scratch
			}
		}
	}
}

// match reports whether s is the parts in order, with anything between them.
func match(parts [][]byte, s []byte) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return bytes.Equal(s, first)
	}
	if len(s) < len(first)+len(last) || !bytes.HasPrefix(s, first) || !bytes.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := bytes.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// appendLower appends p in lower case.
func appendLower(dst, p []byte) []byte {
	for len(p) > 0 {
		if c := p[0]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst, p = append(dst, c), p[1:]
			continue
		}
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, p[0])
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		p = p[n:]
	}
	return dst
}
