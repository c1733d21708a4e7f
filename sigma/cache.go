package sigma

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// memory remembers short lists of numbers by the bytes that they follow from: the literals found in a value, the rules
// that a row of values matched. Programs, users, hosts and user agents come back in event after event, and most records
// of a binary log differ from others in nothing that a rule asks for.
//
// It holds a fixed amount of memory, forgets what was noted longest ago, and compares all bytes: what it says is what would be
// found again.
type memory struct {
	seed  maphash.Seed
	notes []note // by the hash of owner and key
	// Keys and numbers lie in ring, one behind the other, round and round. What was written at position p, counted from the
	// very first byte, is still there if p+len(ring) >= end.
	ring []byte
	end  uint64
	most int // length of the ring, once it is full
}

// note is where a key and its numbers are.
type note struct {
	owner  uint64 // of the key; 0 for an empty note
	at     uint64 // position of the key in the ring; its numbers follow it
	length uint32 // of the key
	count  uint32 // of the numbers
}

const (
	memoryNotes = 1 << 13
	memoryRing  = 2 << 20
	maxKey      = 8 << 10 // bytes, of a key that is worth remembering
	maxNoted    = 256     // numbers of a key
)

// newMemory returns a memory of a given number of notes and of bytes, powers of two.
func newMemory(notes, ring int) memory {
	return memory{seed: maphash.MakeSeed(), notes: make([]note, notes), ring: make([]byte, min(ring, 4*maxKey)), most: ring}
}

// find returns the numbers of a key, as they were given to keep, four bytes each, and where they are to be kept if ok is false.
// owner, not 0, tells keys apart that have the same bytes and mean something else. The numbers are valid until the next keep.
func (m *memory) find(owner uint64, key []byte) (numbers []byte, place *note, ok bool) {
	h := maphash.Bytes(m.seed, key) ^ owner*0x9E3779B97F4A7C15>>17
	n := &m.notes[h&uint64(len(m.notes)-1)]
	if n.owner != owner || int(n.length) != len(key) || n.at+uint64(len(m.ring)) < m.end {
		return nil, n, false
	}
	from := n.at % uint64(len(m.ring))
	p := m.ring[from : from+uint64(n.length)+4*uint64(n.count)]
	if !bytes.Equal(p[:n.length], key) {
		return nil, n, false
	}
	return p[n.length:], n, true
}

// keep notes the numbers of a key at the place that find returned for it.
func (m *memory) keep(place *note, owner uint64, key []byte, numbers []int32) {
	if len(key) > maxKey || len(numbers) > maxNoted {
		return
	}
	size := len(key) + 4*len(numbers)
	for m.end+uint64(size) > uint64(len(m.ring)) && len(m.ring) < m.most {
		m.ring = append(m.ring, make([]byte, len(m.ring))...) // it has not gone round yet: everything stays where it is
	}
	if left := len(m.ring) - int(m.end%uint64(len(m.ring))); size > left {
		m.end += uint64(left) // a note does not go round the end
	}
	*place = note{owner: owner, at: m.end, length: uint32(len(key)), count: uint32(len(numbers))}
	from := int(m.end % uint64(len(m.ring)))
	p := append(m.ring[:from], key...)
	for _, n := range numbers {
		p = binary.LittleEndian.AppendUint32(p, uint32(n))
	}
	m.end += uint64(size)
}
