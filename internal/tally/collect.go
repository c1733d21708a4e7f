package tally

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/spill"
)

// Collection takes what all events of a run mean, in memory up to a bound and beyond that in temporary files. What comes out does
// not depend on the order in which it came, nor on the number of Collectors.
type Collection struct {
	dir     string
	sorter  *spill.Sorter
	memory  int // bytes, of one Collector's table
	joints  *jointSample
	answers *answerSample

	identities *identitySet
}

// How much memory, in bytes, the tables of all Collectors take together, and one of them at least; and what the sorter is given
// for each of them.
const (
	tablesSize = 192 << 20
	tableSize  = 8 << 20
	sorterSize = 16 << 20
)

// NewCollection returns an empty Collection for so many Collectors at once, with its temporary files in dir.
func NewCollection(dir string, collectors int) *Collection {
	return &Collection{dir: dir, sorter: spill.New(dir, sorterSize), memory: max(tableSize, tablesSize/max(1, collectors)), joints: newJointSample(), answers: newAnswerSample(), identities: newIdentitySet()}
}

// Close removes the temporary files.
func (c *Collection) Close() { c.sorter.Close() }

// Collector takes observations for a Collection. It is for one goroutine. Those that agree in all but times and amounts, and are of
// one source and one Visit, become one entry of a table: most records say what the one before said.
type Collector struct {
	collection *Collection
	buffer     *spill.Buffer
	seed       maphash.Seed
	slots      []int32 // 1 + index of an entry, by hash; 0 is a free slot
	entries    []entry
	keys       []byte

	key     []byte // context, act, source
	record  []byte
	joints  jointTaker
	answers answerTaker

	identities    map[string]struct{} // that were handed over
	identityBytes int                 // of these
}

// entry is an act of a source, so far.
type entry struct {
	keyAt, keyEnd int32
	hash          uint64
	amounts
}

const entrySize = 8 + 8 + 56 + 40*KeptRefs + 2*4 // with its slots

// Collector returns a Collector whose observations end up in c after Flush.
func (c *Collection) Collector() *Collector {
	return &Collector{collection: c, buffer: c.sorter.Buffer(), seed: maphash.MakeSeed(), slots: make([]int32, 1024), joints: jointTaker{sample: c.joints}, answers: newAnswerTaker(c.answers)}
}

// Add takes an observation of an event that the log of a format tells of a host. It copies what it keeps.
func (c *Collector) Add(host []byte, format string, at Ref, o *logs.Observation) error {
	if !counts(o) {
		return nil
	}
	c.key = appendContextKey(c.key[:0], host, format, o)
	c.key = appendActKey(c.key, o)
	c.key = binary.BigEndian.AppendUint32(c.key, uint32(at.Source))
	new := amountsOf(at, o)
	hash := maphash.Bytes(c.seed, c.key)
	mask := uint64(len(c.slots) - 1)
	slot := hash & mask
	for ; c.slots[slot] != 0; slot = (slot + 1) & mask {
		e := &c.entries[c.slots[slot]-1]
		if e.hash != hash || !bytes.Equal(c.keys[e.keyAt:e.keyEnd], c.key) {
			continue
		}
		if e.adjacent(&new) {
			e.add(&new)
			return nil
		}
		err := c.put(e)
		e.amounts = new
		return err
	}
	from := int32(len(c.keys))
	c.keys = append(c.keys, c.key...)
	c.entries = append(c.entries, entry{from, int32(len(c.keys)), hash, new})
	c.slots[slot] = int32(len(c.entries))
	switch {
	case len(c.keys)+entrySize*len(c.entries) > c.collection.memory:
		return c.flush()
	case 2*len(c.entries) > len(c.slots):
		c.grow()
	}
	return nil
}

func (c *Collector) grow() {
	c.slots = make([]int32, 2*len(c.slots))
	mask := uint64(len(c.slots) - 1)
	for i := range c.entries {
		slot := c.entries[i].hash & mask
		for c.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		c.slots[slot] = int32(i + 1)
	}
}

// put hands an entry over as a record: the keys of its context and act, the earliest time, the source, the amounts.
func (c *Collector) put(e *entry) error {
	key := c.keys[e.keyAt:e.keyEnd]
	texts, source := key[:len(key)-4], key[len(key)-4:]
	c.record = append(c.record[:0], texts...)
	c.record = appendTime(c.record, e.from)
	c.record = append(c.record, source...)
	c.record = e.amounts.append(c.record)
	return c.buffer.Add(c.record)
}

// flush empties the table.
func (c *Collector) flush() error {
	for i := range c.entries {
		if err := c.put(&c.entries[i]); err != nil {
			return err
		}
	}
	clear(c.slots)
	c.entries, c.keys = c.entries[:0], c.keys[:0]
	return nil
}

// Flush hands over what was taken. The Collector is empty afterwards and can go on.
func (c *Collector) Flush() error {
	if err := c.flush(); err != nil {
		return err
	}
	c.slots, c.entries, c.keys = make([]int32, 1024), nil, nil
	c.joints.flush()
	c.answers.flush()
	c.answers = newAnswerTaker(c.collection.answers)
	c.joints.buffer, c.identities = nil, nil
	return c.buffer.Flush()
}
