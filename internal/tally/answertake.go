package tally

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/barid-dfir/barid/internal/event"
)

// answersAtOnce is how many addresses a Collector holds.
const answersAtOnce = 16 << 10

// answerTaker takes the answers of one goroutine.
type answerTaker struct {
	sample *answerSample
	seed   maphash.Seed // of slots: who writes a log must not choose where its addresses fall
	slots  []int32      // 1 + index of a row; 0 is a free slot
	rows   []takenRow
	ips    []byte // of rows
	last   int32  // the row that was last added to
	names  map[uint64]struct{}
	recent [256]uint64 // hashes of names that were taken, each where it says; 0 is none
}

func newAnswerTaker(s *answerSample) answerTaker {
	return answerTaker{sample: s, seed: maphash.MakeSeed()}
}

// takenRow is an Answer of one source whose address stands elsewhere.
type takenRow struct {
	Answer
	hash   uint64
	at     uint32 // of the address, in answerTaker.ips
	length uint8
}

// Answer takes that something was handed out to nobody in particular: at is the event that tells of it. It copies what it keeps.
func (c *Collector) Answer(client []byte, at Ref, a *event.Answer) {
	t := &c.answers
	switch a.Kind {
	case event.NoAnswer:
		return
	case event.NamedAnswer:
		if t.sample.manyNames.Load() {
			return
		}
		h := nameHash(a.Name)
		was := &t.recent[h%uint64(len(t.recent))]
		if *was == h && h != 0 {
			return
		}
		*was = h
		if t.names == nil {
			t.names = make(map[uint64]struct{})
		}
		if t.names[h] = struct{}{}; len(t.names) > maxNames {
			t.flush()
		}
		return
	}
	if len(client) > maxAnswerIP {
		client = client[:maxAnswerIP]
	}
	if int(t.last) < len(t.rows) && t.same(&t.rows[t.last], client, at.Source, a.Kind) {
		t.rows[t.last].one(&at, a)
		return
	}
	hash := addressHash(client)
	if hash >= t.sample.limit.Load() {
		return
	}
	if 2*len(t.rows) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	slot := t.slot(client, at.Source, a.Kind) & mask
	for ; t.slots[slot] != 0; slot = (slot + 1) & mask {
		i := t.slots[slot] - 1
		if r := &t.rows[i]; r.hash == hash && t.same(r, client, at.Source, a.Kind) {
			r.one(&at, a)
			t.last = i
			return
		}
	}
	t.last = int32(len(t.rows))
	t.slots[slot] = t.last + 1
	t.rows = append(t.rows, takenRow{answerOf(at, a), hash, uint32(len(t.ips)), uint8(len(client))})
	t.ips = append(t.ips, client...)
	if len(t.rows) == answersAtOnce {
		t.flush()
	}
}

// slot is where a row is looked for first.
func (t *answerTaker) slot(client []byte, source int32, kind event.AnswerKind) uint64 {
	return maphash.Bytes(t.seed, client) ^ uint64(source)*0x9E3779B97F4A7C15 ^ uint64(kind)
}

func (t *answerTaker) grow() {
	t.slots = make([]int32, max(1024, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for i := range t.rows {
		r := &t.rows[i]
		slot := t.slot(t.ips[r.at:r.at+uint32(r.length)], r.First.Source, r.Kind) & mask
		for t.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		t.slots[slot] = int32(i + 1)
	}
}

// same reports whether a row is of an address, kind and source.
func (t *answerTaker) same(r *takenRow, client []byte, source int32, kind event.AnswerKind) bool {
	return r.Kind == kind && r.First.Source == source && string(t.ips[r.at:r.at+uint32(r.length)]) == string(client)
}

// addressHash is by which addresses are chosen.
func addressHash(ip []byte) uint64 {
	h := uint64(len(ip)) * fnvPrime
	for ; len(ip) >= 8; ip = ip[8:] {
		h = (h ^ binary.LittleEndian.Uint64(ip)) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	for _, c := range ip {
		h = (h ^ uint64(c)) * fnvPrime
	}
	h = (h ^ h>>32) * 0xC2B2AE3D27D4EB4F
	h = (h ^ h>>29) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}

// flush hands over what was taken.
func (t *answerTaker) flush() {
	if len(t.rows) > 0 || len(t.names) > 0 {
		t.sample.add(t.rows, t.ips, t.names)
	}
	clear(t.slots)
	clear(t.names)
	t.rows, t.ips, t.last = t.rows[:0], t.ips[:0], 0
}
