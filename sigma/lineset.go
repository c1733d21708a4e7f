package sigma

import (
	"bytes"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// lineSet is the long literals of keywords and of all fields of a group. The values
// of a text log stand in its line, so one scan of the line finds what scans of the values would; whose value a literal
// was found in is only asked when one was found, which in ordinary traffic is seldom.
type lineSet struct {
	set   *literal.Set
	start []uint32 // literal i was taken from from[start[i]:start[i+1]]
	from  []origin
}

// origin is a literal of a fieldSet.
type origin struct {
	fs *fieldSet
	id int32
}

// maxLined is how many literals a lineSet has at most: with more, most of a line would be compared with literals of
// fields that it does not have.
const maxLined = 4096

// lineSet returns the lineSet of the group for the given sets, which are all of its fields with literals, and nil if they
// are too many. It is made once.
func (g *group) lineSet(sets []*fieldSet) *lineSet {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if slices.Equal(l.sets, sets) {
			return l.line
		}
	}
	line := newLineSet(sets)
	if len(g.lines) < maxLineSets {
		g.lines = append(g.lines, linesOf{sets, line})
	}
	return line
}

// maxLineSets is how many lineSets a group keeps: shapes that lack different fields have different ones.
const maxLineSets = 64

type linesOf struct {
	sets []*fieldSet
	line *lineSet
}

func newLineSet(sets []*fieldSet) *lineSet {
	var literals []literal.Literal
	var origins [][]origin
	ids := make(map[string]int)
	for _, fs := range sets {
		for id := range int32(fs.set.Len()) {
			l := fs.set.Literal(id)
			if !l.IsLong() {
				continue
			}
			i, ok := ids[l.Text]
			if !ok {
				i = len(literals)
				ids[l.Text] = i
				literals = append(literals, l)
				origins = append(origins, nil)
			}
			origins[i] = append(origins[i], origin{fs, id})
		}
		if len(literals) > maxLined {
			return nil
		}
	}
	if len(literals) == 0 {
		return nil
	}
	l := &lineSet{set: literal.NewSet(literals, []byte(commonText)), start: make([]uint32, 1, len(literals)+1)}
	for _, o := range origins {
		l.from = append(l.from, o...)
		l.start = append(l.start, uint32(len(l.from)))
	}
	return l
}

// lookInLine looks for all literals of an event whose program has a lineSet.
func (m *Matcher) lookInLine(p *Program, ev *event.Event) {
	line := m.foldedLine(ev)
	same := len(line) == len(ev.Raw) // folding moved nothing
	m.inLine = m.inLine[:0]
	for i := range p.inputs {
		in := &p.inputs[i]
		v := ev.Values[in.slot]
		if v.IsNull() {
			continue
		}
		at, ok := within(ev.Raw, v)
		if !ok || !same || !m.foldInLine(ev, in.slot, at, len(v.Data)) {
			m.look(p, in, ev, v)
			continue
		}
		text := m.foldedText(in.slot, v)
		for _, fs := range in.sets {
			if fs.set.HasPlaced() {
				fs.set.ScanPlaced(text, &m.hits)
				m.seeHits(p, fs)
			}
			if fs.set.HasShort() && !m.covered(p, fs, at, at+len(v.Data)) {
				fs.set.ScanShort(text, &m.hits)
				m.seeHits(p, fs)
			}
		}
		m.inLine = append(m.inLine, lineValue{int32(i), at, at + len(v.Data)})
	}
	if p.keywords != nil {
		if p.keywords.set.HasPlaced() {
			p.keywords.set.ScanPlaced(line, &m.hits)
			m.seeHits(p, p.keywords)
		}
		if p.keywords.set.HasShort() {
			p.keywords.set.ScanShort(line, &m.hits)
			m.seeHits(p, p.keywords)
		}
	}
	p.line.set.Scan(line, &m.hits)
	for _, id := range m.hits.IDs {
		for _, o := range p.line.from[p.line.start[id]:p.line.start[id+1]] {
			if o.fs == p.keywords || m.inValue(p, ev, o.fs, p.line.set.Literal(id).Text) {
				for _, s := range o.fs.seen[o.fs.start[o.id]:o.fs.start[o.id+1]] {
					m.see(p, s)
				}
			}
		}
	}
}

// lineValue is an input whose value stands in the line, and where.
type lineValue struct {
	input    int32
	from, to int
}

// covered reports whether what stands from from to to in the line is part of a value in which fs has been looked for.
func (m *Matcher) covered(p *Program, fs *fieldSet, from, to int) bool {
	for _, l := range m.inLine {
		if l.from <= from && to <= l.to && slices.Contains(p.inputs[l.input].sets, fs) {
			return true
		}
	}
	return false
}

// inValue reports whether text stands in a value of the line whose literals are those of fs.
func (m *Matcher) inValue(p *Program, ev *event.Event, fs *fieldSet, text string) bool {
	for _, l := range m.inLine {
		in := &p.inputs[l.input]
		if slices.Contains(in.sets, fs) && bytes.Contains(m.foldedText(in.slot, ev.Values[in.slot]), []byte(text)) {
			return true
		}
	}
	return false
}
