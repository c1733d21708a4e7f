package sigma

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/spill"
)

// CorrelationMatch is a stretch of time in which the condition of a Correlation holds for a group: windows that satisfy
// it, as long as each shares a hit with the next.
type CorrelationMatch struct {
	Correlation *Correlation
	Group       []string // the values of GroupBy, as the first hit has them
	First, Last int64    // times of the first and last hit, in nanoseconds since 1970 UTC
	Hits        int64    // in those windows
	// Value is the largest value of a window; the smallest where the condition has only lt and lte.
	Value *big.Rat
	// Sample is the first of the hits, in order of time, at most SampleSize.
	Sample []Hit
}

// SampleSize is how many hits a CorrelationMatch names.
const SampleSize = 16

// Hit is an event that takes part in a correlation.
type Hit struct {
	Rule                 string // the id or name by which the correlation refers to its rule
	Time                 int64  // its own, in nanoseconds since 1970 UTC
	Source               int    // as it was given to Add
	Offset, Line, Record int64  // as the event has them
	Note                 []byte // as it was given to Add
}

// ValueText returns the value as a decimal number, with at most six digits after the point.
func (m *CorrelationMatch) ValueText() string {
	if m.Value.IsInt() {
		return m.Value.Num().String()
	}
	return strings.TrimRight(m.Value.FloatString(6), "0")
}

// Matches judges all hits and calls f with every match that is to be reported: correlations that others refer to
// first, each by group and time. skip tells the sources whose hits do not count; it may be nil. All Collectors must have
// been flushed. Matches may be called again. The error is that of f, of the context, or of reading and writing temporary files.
func (c *Correlator) Matches(ctx context.Context, skip func(source int) bool, f func(*CorrelationMatch) error) error {
	j := &judge{correlator: c, skip: skip, emit: f, tape: spill.NewTape(c.dir), below: make([]*spill.Buffer, len(c.engine.nodes)), leftOut: make(map[leftOut]int64)}
	derived := make([]*spill.Sorter, len(c.engine.nodes))
	defer func() {
		j.tape.Close()
		for _, s := range derived {
			if s != nil {
				s.Close()
			}
		}
	}()
	for i := range c.engine.nodes {
		for _, p := range c.engine.nodes[i].parents {
			if derived[p.node] == nil {
				derived[p.node] = spill.New(c.dir, bufferSize)
				j.below[p.node] = derived[p.node].Buffer()
			}
		}
	}
	hits := hitReader{reader: c.hits.Reader()}
	for i := range c.engine.nodes {
		var below hitReader
		if derived[i] != nil {
			if err := j.below[i].Flush(); err != nil {
				return err
			}
			below.reader = derived[i].Reader()
		}
		if err := j.judge(ctx, i, &hits, &below); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.judged = j.leftOut
	return nil
}

// Notes returns what had to be cut short in judging, in words.
func (c *Correlator) Notes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.notes))
}

// hitReader reads records of hits, one ahead.
type hitReader struct {
	reader *spill.Reader
	record []byte
	done   bool
}

// peek returns the next record of a node, nil if there is none.
func (r *hitReader) peek(node int) ([]byte, error) {
	if r.record == nil && !r.done && r.reader != nil {
		record, err := r.reader.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		r.record, r.done = record, err != nil
	}
	if r.record == nil || int(binary.BigEndian.Uint16(r.record)) != node {
		return nil, nil
	}
	return r.record, nil
}

// next returns the smallest of what two readers have of a node, nil at the end.
func next(node int, a, b *hitReader) ([]byte, error) {
	x, err := a.peek(node)
	if err != nil {
		return nil, err
	}
	y, err := b.peek(node)
	if err != nil {
		return nil, err
	}
	if x != nil && (y == nil || bytes.Compare(x, y) <= 0) {
		a.record = nil
		return x, nil
	}
	if y != nil {
		b.record = nil
	}
	return y, nil
}

// hit is a record of a hit, parsed; its slices are views into it.
type hit struct {
	group    []byte
	time     int64
	child    int
	identity []byte
	place    []byte
	note     []byte
	shown    []byte // as many values as the node has group-by fields
	values   [][]byte
	ups      []byte
}

var errRecord = errors.New("sigma: a temporary file of correlations is damaged")

// parse reads the record of a hit of n.
func (h *hit) parse(b []byte, n *node) error {
	b = b[nodeSize:]
	end := groupEnd(b, len(n.GroupBy))
	if end < 0 || len(b) < end+hitSize {
		return errRecord
	}
	h.group, b = b[:end], b[end:]
	h.time = int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	h.child = int(binary.BigEndian.Uint16(b[8:]))
	h.identity, b = b[10:10+identitySize], b[10+identitySize:]
	h.place, b = b[:placeSize], b[placeSize:]
	if h.note, b = cutBytes(b); b == nil {
		return errRecord
	}
	rest := b
	for range n.GroupBy {
		if _, b = cutBytes(b); b == nil {
			return errRecord
		}
	}
	h.shown = rest[:len(rest)-len(b)]
	count, size := binary.Uvarint(b)
	if size <= 0 || count > maxGroups {
		return errRecord
	}
	b = b[size:]
	h.values = h.values[:0]
	for range count {
		var v []byte
		if v, b = cutBytes(b); b == nil {
			return errRecord
		}
		h.values = append(h.values, v)
	}
	h.ups = b
	return nil
}

// groupEnd returns where the n values of a group that b begins with end, or -1.
func groupEnd(b []byte, n int) int {
	at := 0
	for range n {
		for {
			i := bytes.IndexByte(b[at:], 0)
			if i < 0 || at+i+1 >= len(b) {
				return -1
			}
			at += i + 2
			if b[at-1] == 1 {
				break
			}
		}
	}
	return at
}

// cutBytes returns what follows its length at the start of b, and the rest; nil where b is too short.
func cutBytes(b []byte) (p, rest []byte) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil
	}
	return b[size : size+int(n)], b[size+int(n):]
}

// judge is the judging of all correlations.
type judge struct {
	correlator *Correlator
	skip       func(source int) bool
	emit       func(*CorrelationMatch) error
	tape       *spill.Tape     // the hits of a group, in order of time
	below      []*spill.Buffer // by node: what its children among the nodes give it

	node   *node
	state  windowState
	record []byte

	leftOut map[leftOut]int64

	latest   hit
	previous []byte // what tells the hit before from others, if it has an identity

	tail         spill.Cursor // at the first hit of the window, or after it if it was read
	oldest       hit          // the first hit of the window
	isOldest     bool         // it was read
	oldestRecord []byte
	start        spill.Cursor // at the first hit of the window, if it was read
	from, to     int64        // which hits of the group the window has: from, to before
	now          int64        // the time of the latest hit

	met   int64 // when the condition first held since the last judgement
	isMet bool
	open  bool // there is a match
	match openMatch
	hit   hit // of a match
}

// openMatch is a match that may yet go on.
type openMatch struct {
	start     spill.Cursor
	from, to  int64 // hits of the group: from, to before
	first     int64
	last, met int64
	value     *big.Rat
}

// judge judges one correlation.
func (j *judge) judge(ctx context.Context, i int, a, b *hitReader) error {
	n := &j.correlator.engine.nodes[i]
	j.node, j.state = n, newWindowState(n)
	var group []byte
	started := false
	for count := 0; ; count++ {
		if count%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		record, err := next(i, a, b)
		if err != nil {
			return err
		}
		if record == nil {
			break
		}
		if err := j.latest.parse(record, n); err != nil {
			return err
		}
		if j.skip != nil && j.skip(int(binary.BigEndian.Uint64(j.latest.place))) {
			continue
		}
		if !started || !bytes.Equal(group, j.latest.group) {
			if err := j.endGroup(); err != nil {
				return err
			}
			group, started = append(group[:0], j.latest.group...), true
			j.beginGroup()
		}
		if err := j.add(record); err != nil {
			return err
		}
	}
	if !started {
		return nil
	}
	if err := j.endGroup(); err != nil {
		return err
	}
	if note := j.state.note(); note != "" {
		j.correlator.mu.Lock()
		j.correlator.notes[fmt.Sprintf("%s: %s", n.display(), note)] = true
		j.correlator.mu.Unlock()
	}
	return nil
}

// display returns how a correlation is called in messages.
func (c *Correlation) display() string {
	if c.Title != "" {
		return c.Title
	}
	return c.Name
}

func (j *judge) beginGroup() {
	j.tape.Reset()
	j.tail = j.tape.Start()
	j.from, j.to = 0, 0
	j.isOldest, j.open, j.isMet = false, false, false
	j.previous = j.previous[:0]
	j.state.reset()
}

var noIdentity [identitySize]byte

// add takes the next hit of the group, whose record is given.
func (j *judge) add(record []byte) error {
	h := &j.latest
	if !bytes.Equal(h.identity, noIdentity[:]) {
		// What tells a record read twice: same time, child and identity.
		key := record[nodeSize+len(h.group) : nodeSize+len(h.group)+8+2+identitySize]
		if bytes.Equal(key, j.previous) {
			return nil
		}
		j.previous = append(j.previous[:0], key...)
	}
	if j.to > 0 && h.time != j.now {
		j.meet()
		if err := j.advance(h.time); err != nil {
			return err
		}
	}
	if err := j.tape.Append(record); err != nil {
		return err
	}
	j.state.add(h)
	j.now = h.time
	j.to++
	return nil
}

// meet notes that the condition holds in the window that ends now.
func (j *judge) meet() {
	if !j.isMet && j.node.rising() && j.state.holds(j.earliest(j.now)) {
		j.met, j.isMet = j.now, true
	}
}

// earliest returns the start of the window that ends at a time.
func (j *judge) earliest(end int64) int64 {
	if end < math.MinInt64+int64(j.node.Timespan) {
		return math.MinInt64
	}
	return end - int64(j.node.Timespan)
}

// advance lets hits go that are too old for a window that reaches to time. The window before is then as large as one
// can be, and is judged.
func (j *judge) advance(time int64) error {
	earliest := j.earliest(time)
	judged := false
	for j.from < j.to {
		if err := j.readOldest(); err != nil {
			return err
		}
		if j.oldest.time >= earliest {
			return nil
		}
		if !judged {
			judged = true
			if err := j.judgeWindow(); err != nil {
				return err
			}
		}
		j.state.remove(&j.oldest)
		j.isOldest = false
		j.from++
	}
	return nil
}

// readOldest reads the first hit of the window.
func (j *judge) readOldest() error {
	if j.isOldest {
		return nil
	}
	j.start = j.tail.Clone()
	record, err := j.tail.Next()
	if err != nil {
		return err
	}
	j.oldestRecord = append(j.oldestRecord[:0], record...)
	j.isOldest = true
	return j.oldest.parse(j.oldestRecord, j.node)
}

// judgeWindow judges the window as it is.
func (j *judge) judgeWindow() error {
	if err := j.readOldest(); err != nil {
		return err
	}
	value, ok := j.state.judge(j.oldest.time)
	met := j.now
	if j.isMet {
		met = j.met
	}
	j.isMet = false
	if !ok {
		return nil
	}
	if j.open && j.from < j.match.to {
		m := &j.match
		m.to, m.last = j.to, j.now
		if c := value.Cmp(m.value); c > 0 && !j.node.falling() || c < 0 && j.node.falling() {
			m.value = value
		}
		return nil
	}
	if err := j.endMatch(); err != nil {
		return err
	}
	j.open = true
	j.match = openMatch{start: j.start, from: j.from, to: j.to, first: j.oldest.time, last: j.now, met: met, value: value}
	return nil
}

func (j *judge) endGroup() error {
	if j.to == 0 {
		return nil
	}
	j.meet()
	if err := j.judgeWindow(); err != nil {
		return err
	}
	err := j.endMatch()
	j.to = 0
	return err
}

// endMatch reports the match, and tells the correlations that refer to this one.
func (j *judge) endMatch() error {
	if !j.open {
		return nil
	}
	j.open = false
	n, m := j.node, &j.match
	out := &CorrelationMatch{Correlation: n.Correlation, First: m.first, Last: m.last, Hits: m.to - m.from, Value: m.value}
	wanted := m.to - m.from
	if len(n.parents) == 0 {
		wanted = min(wanted, SampleSize)
	}
	once := make(map[valueHash]bool) // groups of parents that count matches
	at := m.start
	for i := range wanted {
		record, err := at.Next()
		if err != nil {
			return err
		}
		h := &j.hit
		if err := h.parse(record, n); err != nil {
			return err
		}
		if i == 0 {
			for shown := h.shown; len(shown) > 0; {
				var v []byte
				v, shown = cutBytes(shown)
				out.Group = append(out.Group, string(v))
			}
		}
		if i < SampleSize {
			out.Sample = append(out.Sample, h.sample(n))
		}
		if err := j.tellParents(h, m.met, once); err != nil {
			return err
		}
	}
	if n.silent {
		return nil
	}
	return j.emit(out)
}

func (h *hit) sample(n *node) Hit {
	p := h.place
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(p[8*i:])) }
	return Hit{Rule: n.Rules[h.child], Time: number(4), Source: int(number(0)), Offset: number(1), Line: number(2), Record: number(3), Note: bytes.Clone(h.note)}
}

// tellParents hands a hit of a match on to the correlations that refer to this one. It is an occurrence of this one at
// its own time, but not before the condition was met.
func (j *judge) tellParents(h *hit, met int64, once map[valueHash]bool) error {
	ups := h.ups
	for i, p := range j.node.parents {
		var note []byte
		if note, ups = cutBytes(ups); ups == nil {
			return errRecord
		}
		count, size := binary.Uvarint(note)
		if size <= 0 || count > maxGroups {
			return errRecord
		}
		note = note[size:]
		if count == 0 {
			if len(note) == 0 || reason(note[0]) > noValue {
				return errRecord
			}
			j.leftOut[leftOut{p.node, reason(note[0]), int(binary.BigEndian.Uint64(h.place))}]++
			continue
		}
		type group struct{ key, shown []byte }
		groups := make([]group, 0, count)
		for range count {
			var g group
			g.key, note = cutBytes(note)
			if g.shown, note = cutBytes(note); note == nil {
				return errRecord
			}
			groups = append(groups, g)
		}
		for _, g := range groups {
			if j.correlator.engine.nodes[p.node].Type == EventCount {
				key := hashOf(binary.BigEndian.AppendUint16(slices.Clip(g.key), uint16(i)))
				if once[key] {
					continue
				}
				if len(once) < maxOnce {
					once[key] = true
				}
			}
			b := binary.BigEndian.AppendUint16(j.record[:0], uint16(p.node))
			b = append(b, g.key...)
			b = binary.BigEndian.AppendUint64(b, uint64(max(h.time, met))^1<<63)
			b = binary.BigEndian.AppendUint16(b, uint16(p.child))
			b = append(append(b, noIdentity[:]...), h.place...) // a record may be in several matches
			b = append(binary.AppendUvarint(b, uint64(len(h.note))), h.note...)
			b = append(b, g.shown...)
			j.record = append(b, note...)
			if err := j.below[p.node].Add(j.record); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxOnce bounds the groups of a parent that one match is kept from counting in twice.
const maxOnce = 1 << 20
