package sigma

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
	"github.com/barid-dfir/barid/internal/spill"
)

// Correlator judges the correlations of an Engine. Hits, which are events that match the rules correlations refer to,
// come in through Collectors in any order; when all are in, Matches judges them in the order of their times. What it says
// does not depend on the order in which hits came, nor on the number of Collectors. Memory is bounded: hits are sorted
// on disk.
type Correlator struct {
	engine *Engine
	dir    string
	hits   *spill.Sorter

	mu      sync.Mutex
	leftOut map[leftOut]int64
	judged  map[leftOut]int64 // occurrences of correlations that took no part in others
	notes   map[string]bool
}

// NewCorrelator returns a Correlator whose temporary files are in dir, "" for the system's place.
func (e *Engine) NewCorrelator(dir string) *Correlator {
	return &Correlator{engine: e, dir: dir, hits: spill.New(dir, bufferSize), leftOut: make(map[leftOut]int64), notes: make(map[string]bool)}
}

// Correlations returns the correlations that can be used, those that others refer to first. It is not to be changed.
func (e *Engine) Correlations() []*Correlation {
	out := make([]*Correlation, len(e.nodes))
	for i := range e.nodes {
		out[i] = e.nodes[i].Correlation
	}
	return out
}

// Silent reports whether a rule, by its index, is reported only as a part of correlations: some in its file refer to it,
// and none that does says generate.
func (e *Engine) Silent(rule int32) bool { return e.silent != nil && e.silent[rule] }

// SilentCorrelation is Silent for a correlation, by its index in Correlations.
func (e *Engine) SilentCorrelation(i int) bool { return e.nodes[i].silent }

// Correlated reports whether correlations refer to a rule, by its index.
func (e *Engine) Correlated(rule int32) bool { return e.plans != nil && len(e.plans[rule]) > 0 }

// bufferSize is how many bytes of hits a Collector keeps in memory.
const bufferSize = 4 << 20

// Close removes the temporary files.
func (c *Correlator) Close() { c.hits.Close() }

// leftOut counts hits of a rule that take no part in a correlation.
type leftOut struct {
	node   int
	reason reason
	source int
}

type reason uint8

const (
	noTime reason = iota
	noGroup
	noValue
)

// Collector takes hits for a Correlator. It is for one goroutine.
type Collector struct {
	correlator *Correlator
	buffer     *spill.Buffer
	leftOut    map[leftOut]int64
	record     []byte
	text       []byte
	scratch    []byte
	err        error
}

// Collector returns a Collector whose hits are in c after Flush.
func (c *Correlator) Collector() *Collector {
	return &Collector{correlator: c, buffer: c.hits.Buffer(), leftOut: make(map[leftOut]int64)}
}

// Origin says where a hit is from.
type Origin struct {
	// Source is a number by which the caller knows where the event was read.
	Source int
	// Identity tells a record that is read twice: hits of one rule with the same one count once. Without one, all events
	// differ.
	Identity []byte
	// Note is given back with the Hit. It is cut at 4 KiB.
	Note []byte
}

// Add notes an event and the rules that match it, as [Matcher.Match] returns them. Nothing of the event is kept.
func (c *Collector) Add(ev *Event, matched []int32, origin Origin) {
	plans := c.correlator.engine.plans
	if plans == nil {
		return
	}
	for _, r := range matched {
		for i := range plans[r] {
			if err := c.add(&plans[r][i], ev, &origin); err != nil && c.err == nil {
				c.err = err
			}
		}
	}
}

// Flush hands the hits over. The Collector is empty afterwards and can go on. The error is that of writing to disk, now
// or in a call of Add.
func (c *Collector) Flush() error {
	if c.err != nil {
		return c.err
	}
	c.correlator.mu.Lock()
	for k, n := range c.leftOut {
		c.correlator.leftOut[k] += n
	}
	c.correlator.mu.Unlock()
	clear(c.leftOut)
	return c.buffer.Flush()
}

// A hit is kept as a record that sorts by node, group, time, child, identity and place:
//
//	node      uint16
//	group     each value folded, 0x00 written as 0x00 0xFF, and ended by 0x00 0x01
//	time      uint64, biased so that it sorts as a number
//	child     uint16
//	identity  16 bytes, zero for none
//	place     source, offset, line, record, and the event's own time: uint64 each
//	note, with its length
//	group as it is shown: for each value its length and text
//	values, each with its length, after their number
//	for each parent of the node: length, and what is noted for it
//
// Numbers are big-endian; lengths and counts of the last four are uvarints. What is noted for a parent is the number
// of its groups; if there is none, a byte that says why; of each the group, with its length, and how it is shown, with its length; then values and parents
// again, as above.
const (
	nodeSize     = 2
	identitySize = 16
	placeSize    = 5 * 8
	hitSize      = 8 + 2 + identitySize + placeSize // what follows the group, up to what is shown
)

func (c *Collector) add(p *plan, ev *Event, origin *Origin) error {
	source, note := origin.Source, origin.Note[:min(len(origin.Note), maxNote)]
	if ev.Time == event.UnknownTime {
		c.leftOut[leftOut{p.node, noTime, source}]++
		return nil
	}
	groups := c.groups(ev, p.group)
	if len(groups) == 0 {
		c.leftOut[leftOut{p.node, noGroup, source}]++
		return nil
	}
	values, n := c.values(ev, p)
	if n == 0 && len(p.fields) > 0 {
		c.leftOut[leftOut{p.node, noValue, source}]++
		return nil
	}
	tail := c.appendUps(values, p, ev)
	for _, g := range groups {
		b := binary.BigEndian.AppendUint16(c.record[:0], uint16(p.node))
		b = append(b, g.key...)
		b = binary.BigEndian.AppendUint64(b, uint64(ev.Time)^1<<63)
		b = binary.BigEndian.AppendUint16(b, uint16(p.child))
		b = appendIdentity(b, origin.Identity)
		for _, x := range [...]int64{int64(source), ev.Offset, ev.Line, ev.Record, ev.Time} {
			b = binary.BigEndian.AppendUint64(b, uint64(x))
		}
		b = append(binary.AppendUvarint(b, uint64(len(note))), note...)
		b = append(b, g.shown...)
		b = append(b, tail...)
		c.record = b
		if err := c.buffer.Add(b); err != nil {
			return err
		}
	}
	return nil
}

func appendIdentity(b, identity []byte) []byte {
	if len(identity) == 0 {
		return append(b, make([]byte, identitySize)...)
	}
	sum := sha256.Sum256(identity)
	return append(b, sum[:identitySize]...)
}

// groupKey is a group that a hit belongs to: how it is compared, and how it is shown.
type groupKey struct{ key, shown []byte }

// maxGroups bounds the groups that one event with several values belongs to, and the values it gives.
const maxGroups = 64

// groups returns the groups of an event by some fields; none if it lacks one of them.
func (c *Collector) groups(ev *Event, fields []string) []groupKey {
	groups := []groupKey{{}}
	for _, f := range fields {
		var next []groupKey
		var seen [][]byte
		c.each(ev, f, func(text, folded []byte) {
			key := appendKey(nil, folded)
			if slices.ContainsFunc(seen, func(k []byte) bool { return bytes.Equal(k, key) }) {
				return
			}
			seen = append(seen, key)
			text = text[:min(len(text), maxShown)]
			for _, g := range groups {
				if len(next) < maxGroups {
					shown := binary.AppendUvarint(slices.Clip(g.shown), uint64(len(text)))
					next = append(next, groupKey{append(slices.Clip(g.key), key...), append(shown, text...)})
				}
			}
		})
		groups = next
	}
	return groups
}

// maxNote bounds what the caller notes of a hit, in bytes.
const maxNote = 4 << 10

// maxShown and maxKeyed bound a value of a group, in bytes: as it is shown, and as it is compared beyond its hash.
const (
	maxShown = 1 << 10
	maxKeyed = 1 << 10
)

func appendKey(dst, folded []byte) []byte {
	if len(folded) > maxKeyed {
		sum := sha256.Sum256(folded)
		folded = append(append([]byte(nil), folded[:maxKeyed-len(sum)]...), sum[:]...)
	}
	for _, b := range folded {
		if dst = append(dst, b); b == 0 {
			dst = append(dst, 0xFF)
		}
	}
	return append(dst, 0, 1)
}

// each calls f with every value of a field: its text, and the text folded. What f is given is valid until it returns.
func (c *Collector) each(ev *Event, field string, f func(text, folded []byte)) {
	n := 0
	for _, slot := range ev.Shape.Slots(field) {
		eachText(ev.Value(slot), func(v Value) bool {
			text := textOf(c.text[:0], v)
			c.scratch = literal.AppendFold(c.scratch[:0], text)
			f(text, c.scratch)
			n++
			return n == maxGroups
		})
	}
}

// values appends the values that an event gives a plan, as records keep them, and returns how many they are.
func (c *Collector) values(ev *Event, p *plan) ([]byte, int) {
	var list [][]byte
	switch n := &c.correlator.engine.nodes[p.node]; {
	case len(p.fields) == 0:
	case n.percentile != nil || n.Type == ValueSum || n.Type == ValueAvg:
		c.each(ev, p.fields[0], func(text, _ []byte) {
			if _, ok := parseDecimal(string(text)); ok {
				list = append(list, append([]byte(nil), text...))
			}
		})
	default:
		for _, g := range c.groups(ev, p.fields) {
			list = append(list, g.key)
		}
	}
	out := binary.AppendUvarint(nil, uint64(len(list)))
	for _, v := range list {
		out = append(binary.AppendUvarint(out, uint64(len(v))), v...)
	}
	return out, len(list)
}

// appendUps appends what is noted for the parents of a plan's node.
func (c *Collector) appendUps(dst []byte, p *plan, ev *Event) []byte {
	for i := range p.ups {
		up := &p.ups[i]
		groups := c.groups(ev, up.group)
		values, n := c.values(ev, up)
		why := noGroup
		if n == 0 && len(up.fields) > 0 && len(groups) > 0 {
			groups, why = nil, noValue
		}
		note := binary.AppendUvarint(nil, uint64(len(groups)))
		if len(groups) == 0 {
			note = append(note, byte(why))
		}
		for _, g := range groups {
			note = append(binary.AppendUvarint(note, uint64(len(g.key))), g.key...)
			note = append(binary.AppendUvarint(note, uint64(len(g.shown))), g.shown...)
		}
		note = c.appendUps(append(note, values...), up, ev)
		dst = append(binary.AppendUvarint(dst, uint64(len(note))), note...)
	}
	return dst
}

// LeftOut is how many hits took no part in a correlation, and why.
type LeftOut struct {
	Correlation *Correlation
	NoTime      int64 // their time is not known
	NoGroup     int64 // they lack a field of group-by
	NoValue     int64 // they lack the field of the condition, or it is no number
}

// LeftOut returns what was left out of the correlations that left something out, in their order, as of the last call of
// Matches. skip tells the sources that do not count; it may be nil.
func (c *Correlator) LeftOut(skip func(source int) bool) []LeftOut {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]LeftOut, len(c.engine.nodes))
	for _, counts := range []map[leftOut]int64{c.leftOut, c.judged} {
		for k, n := range counts {
			if skip != nil && skip(k.source) {
				continue
			}
			l := &all[k.node]
			l.Correlation = c.engine.nodes[k.node].Correlation
			*[...]*int64{noTime: &l.NoTime, noGroup: &l.NoGroup, noValue: &l.NoValue}[k.reason] += n
		}
	}
	var out []LeftOut
	for _, l := range all {
		if l.Correlation != nil {
			out = append(out, l)
		}
	}
	return out
}
