package sigma

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

func rawIsText(s *event.Shape) bool { return !strings.HasPrefix(s.Format, "windows.evtx") }

// Matcher says which rules match an event. It has the memory of one worker: it is not safe for concurrent use, and does
// not allocate once it has seen the shapes and lengths that are usual.
type Matcher struct {
	engine *Engine

	last     *Program
	programs [1024]*Program // by a hash of the Shape

	epoch     uint32 // of the event at hand
	state     []uint32
	looked    []uint32 // by rule: the epoch in which it was a candidate
	candidate []int32
	matched   []int32

	hits    literal.Hits
	inLine  []lineValue // of the event at hand
	folded  []byte      // of the event at hand
	raw     []byte
	scratch []byte
	values  memory // the literals found in a value, by set and value
	rows    rows
	texts   []slotText
	line    slotText // Raw
}

// slotText is where the texts of a slot's value are, if they were needed in the event.
type slotText struct {
	foldEpoch, rawEpoch uint32
	foldFrom, foldTo    int // of Matcher.folded
	rawFrom, rawTo      int // of Matcher.raw
}

// What Matcher.state says of an atom, in its two low bits; the others are the epoch in which it was said.
const (
	seenMaybe = 1 + iota
	seenTrue
	seenFalse
)

const maxEpoch = 1<<30 - 1

// NewMatcher returns a Matcher for one worker.
func (e *Engine) NewMatcher() *Matcher {
	return &Matcher{engine: e, state: make([]uint32, len(e.atoms)), looked: make([]uint32, len(e.rules)),
		values: newMemory(memoryNotes, memoryRing), rows: rows{memory: newMemory(memoryNotes, memoryRing)}}
}

// Match returns the rules that match the event: indexes into Engine.Rules, ascending. The slice is valid until the next
// call.
func (m *Matcher) Match(ev *event.Event) []int32 {
	p := m.program(ev.Shape)
	m.matched = m.matched[:0]
	if p.live == 0 {
		return m.matched
	}
	if p.row != nil && m.rows.recall(p, ev, &m.matched) {
		return m.matched
	}
	m.begin(p)
	for _, s := range p.constant {
		m.see(p, s)
	}
	switch {
	case !p.rawText:
		m.lookInSlots(p, ev)
	case p.line != nil && len(ev.Raw) > 0:
		m.lookInLine(p, ev)
	default:
		m.lookInValues(p, ev)
	}
	for _, r := range m.candidate {
		m.judge(p, ev, r)
	}
	for _, r := range p.always {
		m.judge(p, ev, r)
	}
	if len(m.matched) > 1 {
		slices.Sort(m.matched)
	}
	if p.row != nil {
		m.rows.remember(p, m.matched)
	}
	return m.matched
}

// lookInSlots looks for all literals of an event of a binary log, value by value.
func (m *Matcher) lookInSlots(p *Program, ev *event.Event) {
	for i := range p.inputs {
		in := &p.inputs[i]
		v := ev.Values[in.slot]
		switch {
		case in.set.isSilent(v):
		case v.IsList():
			for i := 0; ; {
				e, next, ok := v.Elem(i)
				if !ok {
					break
				}
				if i = next; e.IsNull() {
					continue
				}
				from := len(m.folded)
				m.folded = appendFolded(m.folded, e, &m.scratch)
				m.scan(p, in.set, m.folded[from:])
				m.folded = m.folded[:from]
			}
		case len(v.Data) > maxKey:
			m.scan(p, in.set, m.foldedText(in.slot, v))
		default:
			m.scanOnce(p, in.set, in.slot, v)
		}
	}
}

// lookInValues looks for all literals, value by value.
func (m *Matcher) lookInValues(p *Program, ev *event.Event) {
	if p.keywords != nil && p.rawText && len(ev.Raw) > 0 {
		m.scan(p, p.keywords, m.foldedLine(ev))
	}
	for i := range p.inputs {
		in := &p.inputs[i]
		if v := ev.Values[in.slot]; !v.IsNull() {
			m.look(p, in, ev, v)
		}
	}
}

func (m *Matcher) program(shape *event.Shape) *Program {
	if m.last != nil && m.last.shape == shape {
		return m.last
	}
	slot := &m.programs[hashPointer(shape)%uint64(len(m.programs))]
	if *slot == nil || (*slot).shape != shape {
		*slot = m.engine.Bind(shape)
	}
	m.last = *slot
	return m.last
}

// begin forgets the event before.
func (m *Matcher) begin(p *Program) {
	if m.epoch == maxEpoch {
		clear(m.state)
		clear(m.looked)
		clear(m.texts)
		m.line = slotText{}
		m.epoch = 0
	}
	m.epoch++
	m.candidate = m.candidate[:0]
	m.folded = m.folded[:0]
	m.raw = m.raw[:0]
	if n := len(p.shape.Fields()); len(m.texts) < n {
		m.texts = append(m.texts, make([]slotText, n-len(m.texts))...)
	}
	if cap(m.folded) > maxKept {
		m.folded = nil
	}
	if cap(m.raw) > maxKept {
		m.raw = nil
	}
}

// maxKept bounds the memory that one huge event leaves behind.
const maxKept = 8 << 20

// look looks for literals in the value of a slot.
func (m *Matcher) look(p *Program, in *input, ev *event.Event, v event.Value) {
	keywords := p.keywords
	if keywords != nil && p.rawText {
		if at, ok := within(ev.Raw, v); ok {
			keywords = nil // what is in the value is in the line
			if len(in.sets) != 0 {
				m.foldInLine(ev, in.slot, at, len(v.Data))
			}
		}
	}
	if len(in.sets) == 0 && keywords == nil {
		return
	}
	if v.IsList() {
		for i := 0; ; {
			e, next, ok := v.Elem(i)
			if !ok {
				return
			}
			if i = next; e.IsNull() {
				continue
			}
			from := len(m.folded)
			m.folded = appendFolded(m.folded, e, &m.scratch)
			m.scanAll(p, in.sets, keywords, m.folded[from:])
			m.folded = m.folded[:from]
		}
	}
	if n := len(v.Data); n < minKept || n > maxKey {
		m.scanAll(p, in.sets, keywords, m.foldedText(in.slot, v))
		return
	}
	for _, fs := range in.sets {
		m.scanOnce(p, fs, in.slot, v)
	}
	if keywords != nil {
		m.scanOnce(p, keywords, in.slot, v)
	}
}

// minKept is the length in bytes below which a text is sooner scanned than found in memory.
const minKept = 24

// scanOnce is scan for a value that may have been scanned before.
func (m *Matcher) scanOnce(p *Program, fs *fieldSet, slot int, v event.Value) {
	owner := fs.number<<8 | uint64(v.Kind)
	ids, place, ok := m.values.find(owner, v.Data)
	if !ok {
		m.scan(p, fs, m.foldedText(slot, v))
		m.values.keep(place, owner, v.Data, m.hits.IDs)
		return
	}
	for ; len(ids) >= 4; ids = ids[4:] {
		id := binary.LittleEndian.Uint32(ids)
		for _, s := range fs.seen[fs.start[id]:fs.start[id+1]] {
			m.see(p, s)
		}
	}
}

func (m *Matcher) scanAll(p *Program, sets []*fieldSet, keywords *fieldSet, text []byte) {
	for _, fs := range sets {
		m.scan(p, fs, text)
	}
	if keywords != nil {
		m.scan(p, keywords, text)
	}
}

func (m *Matcher) scan(p *Program, fs *fieldSet, text []byte) {
	fs.set.Scan(text, &m.hits)
	m.seeHits(p, fs)
}

// seeHits notes what the last scan, with fs, has found.
func (m *Matcher) seeHits(p *Program, fs *fieldSet) {
	for _, id := range m.hits.IDs {
		for _, s := range fs.seen[fs.start[id]:fs.start[id+1]] {
			m.see(p, s)
		}
	}
}

// see notes the sighting of an atom, and which rules it makes candidates.
func (m *Matcher) see(p *Program, s sighting) {
	a := s.atom()
	now := m.epoch<<2 | seenTrue
	if s&maybe != 0 {
		now = m.epoch<<2 | seenMaybe
	}
	if before := m.state[a]; before>>2 == m.epoch {
		if now > before {
			m.state[a] = now
		}
		return
	}
	m.state[a] = now
	for _, r := range m.engine.triggered[a] {
		if p.fold.mode[r] == ruleAsIs {
			m.call(p, r)
		}
	}
	if p.fold.isTrigger[a/64]&(1<<(a%64)) != 0 {
		for _, r := range p.fold.triggered[a] {
			m.call(p, r)
		}
	}
}

func (m *Matcher) call(p *Program, r int32) {
	if m.looked[r] != m.epoch {
		m.looked[r] = m.epoch
		if p.dead[r/64]&(1<<(r%64)) == 0 {
			m.candidate = append(m.candidate, r)
		}
	}
}

func (m *Matcher) judge(p *Program, ev *event.Event, r int32) {
	c := &m.engine.codes[r].cond
	if p.fold.mode[r] == ruleOwn {
		c = &p.fold.own[r].cond
	}
	if m.holds(p, ev, c) {
		m.matched = append(m.matched, r)
	}
}

func (m *Matcher) holds(p *Program, ev *event.Event, c *cond) bool {
	switch c.op {
	case condAtom:
		s := m.state[c.atom]
		if s>>2 != m.epoch {
			if !m.engine.atoms[c.atom].ungated {
				return false
			}
			s = seenMaybe
		}
		switch s & 3 {
		case seenTrue:
			return true
		case seenMaybe:
			return m.decide(p, ev, c.atom)
		}
		return false
	case condAnd:
		for i := range c.kids {
			if !m.holds(p, ev, &c.kids[i]) {
				return false
			}
		}
		return true
	case condOr:
		for i := range c.kids {
			if m.holds(p, ev, &c.kids[i]) {
				return true
			}
		}
		return false
	case condNot:
		return !m.holds(p, ev, &c.kids[0])
	case condCount:
		n := 0
		for i := range c.kids {
			if m.holds(p, ev, &c.kids[i]) {
				if n++; n >= c.n {
					return true
				}
			}
		}
		return false
	}
	return c.op == condTrue
}

// decide asks the tests of an atom that literals do not decide.
func (m *Matcher) decide(p *Program, ev *event.Event, id int32) bool {
	a := &m.engine.atoms[id]
	var slots []int
	if a.field != keywordField {
		slots = p.shape.Slots(m.engine.fields[a.field])
	}
	for _, t := range a.complex {
		if m.isTrue(p, t, ev, slots) {
			m.state[id] = m.epoch<<2 | seenTrue
			return true
		}
	}
	m.state[id] = m.epoch<<2 | seenFalse
	return false
}

func (m *Matcher) isTrue(p *Program, t *test, ev *event.Event, slots []int) bool {
	switch {
	case t.op == opField:
		return m.fieldsCompare(t, ev, slots)
	case t.field == "":
		for i := range p.shape.Fields() {
			if m.valueIs(t, ev, i) {
				return true
			}
		}
		return p.rawText && len(ev.Raw) > 0 && t.matches(ev.Raw, m.foldedLine(ev))
	case !t.onText():
		return t.isThere(ev, slots)
	}
	for _, s := range slots {
		if m.valueIs(t, ev, s) {
			return true
		}
	}
	return false
}

// fieldsCompare is the function of that name, without allocation where no value is a list.
func (m *Matcher) fieldsCompare(t *test, ev *event.Event, slots []int) bool {
	for _, i := range slots {
		for _, j := range ev.Shape.Slots(t.other) {
			a, b := ev.Value(i), ev.Value(j)
			if a.IsList() || b.IsList() {
				return fieldsCompare(t, ev, slots)
			}
			if a.IsNull() || b.IsNull() {
				continue
			}
			if t.cased && t.compares(m.rawTextOf(i, a), m.rawTextOf(j, b)) || !t.cased && t.compares(m.foldedText(i, a), m.foldedText(j, b)) {
				return true
			}
		}
	}
	return false
}

// valueIs reports whether a test on text is true of the value in a slot.
func (m *Matcher) valueIs(t *test, ev *event.Event, slot int) bool {
	v := ev.Value(slot)
	switch {
	case v.IsNull():
		return false
	case v.IsList():
		for i := 0; ; {
			e, next, ok := v.Elem(i)
			if !ok {
				return false
			}
			if i = next; e.IsNull() {
				continue
			}
			from, rawFrom := len(m.folded), len(m.raw)
			m.folded = appendFolded(m.folded, e, &m.scratch)
			raw := textOf(m.raw[rawFrom:], e)
			if t.matches(raw, m.folded[from:]) {
				return true
			}
			m.folded = m.folded[:from]
		}
	}
	var folded []byte
	if !t.cased || t.op == opRegex {
		folded = m.foldedText(slot, v)
	}
	return t.matches(m.rawTextOf(slot, v), folded)
}

// foldedText returns the folded text of the value in a slot, made at most once for each event.
func (m *Matcher) foldedText(slot int, v event.Value) []byte {
	t := &m.texts[slot]
	if t.foldEpoch != m.epoch {
		t.foldEpoch, t.foldFrom = m.epoch, len(m.folded)
		m.folded = appendFolded(m.folded, v, &m.scratch)
		t.foldTo = len(m.folded)
	}
	return m.folded[t.foldFrom:t.foldTo]
}

// foldInLine takes the folded text of a value of n bytes from that of the line, where it stands at position at, and
// reports whether it could: folding must not have made any character of the line shorter (it makes none longer), and the
// value must neither begin nor end inside one.
func (m *Matcher) foldInLine(ev *event.Event, slot, at, n int) bool {
	line := m.foldedLine(ev)
	if len(line) != len(ev.Raw) || !utf8.RuneStart(ev.Raw[at]) || at+n < len(ev.Raw) && !utf8.RuneStart(ev.Raw[at+n]) {
		return false
	}
	t := &m.texts[slot]
	t.foldEpoch, t.foldFrom = m.epoch, m.line.foldFrom+at
	t.foldTo = t.foldFrom + n
	return true
}

func (m *Matcher) foldedLine(ev *event.Event) []byte {
	if m.line.foldEpoch != m.epoch {
		m.line.foldEpoch, m.line.foldFrom = m.epoch, len(m.folded)
		m.folded = literal.AppendFold(m.folded, ev.Raw)
		m.line.foldTo = len(m.folded)
	}
	return m.folded[m.line.foldFrom:m.line.foldTo]
}

func (m *Matcher) rawTextOf(slot int, v event.Value) []byte {
	if v.Kind == event.UTF8 || v.Kind == event.Number {
		return v.Data
	}
	t := &m.texts[slot]
	if t.rawEpoch != m.epoch {
		t.rawEpoch, t.rawFrom = m.epoch, len(m.raw)
		m.raw = v.AppendText(m.raw)
		t.rawTo = len(m.raw)
	}
	return m.raw[t.rawFrom:t.rawTo]
}
