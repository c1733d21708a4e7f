package tally

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/event"
)

// Answer is what web servers handed out to an address that gave no account, under addresses that do not tell which file it was.
type Answer struct {
	IP   string // as the log writes it, at most 64 bytes of it
	Kind event.AnswerKind
	// From and To are when the first and the last was. Untimed says that of some the time is not known.
	From, To int64
	Untimed  bool
	Times    int64
	// Bytes is the sum of those that say how many, Most the most of one. Unsaid says that some do not.
	Bytes, Most int64
	Unsaid      bool
	// Ranged says that some were parts.
	Ranged bool
	First  Ref
}

// Answers is what was handed out to nobody in particular.
type Answers struct {
	// List is by address and kind. Sampled says that there are more addresses than it has.
	List    []Answer
	Sampled bool
	// names are the hashes of names of files that were handed out, in order; manyNames says that there were too many to keep.
	names     []uint64
	manyNames bool
}

// Handed reports whether something may have been handed out to nobody in particular under the name of a file: the last element of its
// path.
func (a *Answers) Handed(name string) bool {
	if a.manyNames {
		return true
	}
	for _, h := range [...]uint64{nameHash([]byte(name)), wildHash([]byte(name))} {
		if _, ok := slices.BinarySearch(a.names, h); ok {
			return true
		}
	}
	return false
}

// How many addresses, with kind and source, and how many names are kept of all evidence; and how many addresses a Collector holds.
const (
	maxAnswers     = 128 << 10
	maxNames       = 64 << 10
	answersAtOnce  = 16 << 10
	maxAnswerIP    = 64 // bytes of an address
	answerRowFlags = 3
)

// The hash of FNV-1a.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// nameHash is by what a name of a file is known, whatever its case in ASCII. One that may be written in several ways (escapes of a URL or of
// the log, other letters, REPORT~1.DWG) counts as any with its end.
func nameHash(name []byte) uint64 {
	h := uint64(fnvBasis)
	for _, c := range name {
		if c >= 0x80 || c == '%' || c == '+' || c == '\\' || c == '~' {
			return wildHash(name)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// wildHash is by what all names with the end of a name are known.
func wildHash(name []byte) uint64 {
	h := uint64(fnvBasis)
	h = (h ^ '/') * fnvPrime // no name has it
	for _, c := range name[bytes.LastIndexByte(name, '.')+1:] {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// answerRow is an Answer of one source.
type answerRow struct {
	Answer
	hash uint64 // of the address: those with the smallest are kept
}

// add adds what the same address was given under the same kind of address.
func (a *Answer) add(b *Answer) {
	switch {
	case b.From == event.UnknownTime:
	case a.From == event.UnknownTime:
		a.From, a.To = b.From, b.To
	default:
		a.From, a.To = min(a.From, b.From), max(a.To, b.To)
	}
	a.Untimed, a.Unsaid, a.Ranged = a.Untimed || b.Untimed, a.Unsaid || b.Unsaid, a.Ranged || b.Ranged
	a.Times, a.Bytes, a.Most = addKnown(a.Times, b.Times), addKnown(a.Bytes, b.Bytes), max(a.Most, b.Most)
	if CompareRefs(b.First, a.First) < 0 {
		a.First = b.First
	}
}

// answerOf returns that of one event.
func answerOf(at Ref, a *event.Answer) Answer {
	return Answer{Kind: a.Kind, From: at.Time, To: at.Time, Untimed: at.Time == event.UnknownTime, Times: 1, Bytes: max(0, amount(a.Bytes)), Most: max(0, amount(a.Bytes)),
		Unsaid: a.Bytes < 0, Ranged: a.Ranged, First: at}
}

// one is add for that of one event.
func (a *Answer) one(at *Ref, x *event.Answer) {
	switch {
	case at.Time == event.UnknownTime:
		a.Untimed = true
	case a.From == event.UnknownTime:
		a.From, a.To = at.Time, at.Time
	default:
		a.From, a.To = min(a.From, at.Time), max(a.To, at.Time)
	}
	n := max(0, amount(x.Bytes))
	a.Unsaid, a.Ranged = a.Unsaid || x.Bytes < 0, a.Ranged || x.Ranged
	a.Times, a.Bytes, a.Most = addKnown(a.Times, 1), addKnown(a.Bytes, n), max(a.Most, n)
	if at.Time <= a.First.Time && CompareRefs(*at, a.First) < 0 {
		a.First = *at
	}
}

// answerSample takes the answers to the addresses with the smallest hashes: which those are does not depend on the order in which they
// come.
type answerSample struct {
	most, mostNames int
	// limit is beyond the hashes that are still taken.
	limit     atomic.Uint64
	manyNames atomic.Bool

	mu    sync.Mutex
	all   []answerRow
	index map[uint64]int32 // into all, by slot: the first free one from there
	names map[uint64]struct{}
}

func newAnswerSample() *answerSample {
	s := &answerSample{most: maxAnswers, mostNames: maxNames, names: make(map[uint64]struct{}), index: make(map[uint64]int32)}
	s.limit.Store(everyHash)
	return s
}

// add takes what a Collector has seen, whose addresses are in ips.
func (s *answerSample) add(list []takenRow, ips []byte, names map[uint64]struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		x := &list[i]
		if x.hash >= s.limit.Load() {
			continue
		}
		ip := ips[x.at : x.at+uint32(x.length)]
		slot, known := s.find(x.slot(x.hash), ip, &x.Answer)
		if known {
			s.all[s.index[slot]].add(&x.Answer)
			continue
		}
		row := answerRow{x.Answer, x.hash}
		row.IP = string(ip)
		s.index[slot] = int32(len(s.all))
		if s.all = append(s.all, row); len(s.all) > 2*s.most {
			s.cut(func(int) bool { return false })
			clear(s.index)
			for j := range s.all {
				r := &s.all[j]
				slot, _ := s.find(r.slot(r.hash), []byte(r.IP), &r.Answer)
				s.index[slot] = int32(j)
			}
		}
	}
	if s.manyNames.Load() {
		return
	}
	for h := range names {
		s.names[h] = struct{}{}
	}
	if len(s.names) > s.mostNames {
		s.manyNames.Store(true)
		s.names = nil
	}
}

// find returns where the row of an address, kind and source is in the index, or is to be.
func (s *answerSample) find(slot uint64, ip []byte, x *Answer) (at uint64, known bool) {
	for ; ; slot++ {
		j, ok := s.index[slot]
		if !ok {
			return slot, false
		}
		if r := &s.all[j]; r.Kind == x.Kind && r.First.Source == x.First.Source && r.IP == string(ip) {
			return slot, true
		}
	}
}

// cut puts what was seen in order, leaves out sources that skip tells, and keeps no more than it may.
func (s *answerSample) cut(skip func(source int) bool) {
	slices.SortFunc(s.all, func(a, b answerRow) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.IP, b.IP), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.First.Source, b.First.Source))
	})
	kept := s.all[:0]
	begin := 0 // where the last hash begins
	for i := range s.all {
		x := s.all[i]
		if skip(int(x.First.Source)) {
			continue
		}
		n := len(kept)
		if n == 0 || kept[n-1].hash != x.hash {
			begin = n
		}
		if n == s.most {
			kept = kept[:begin]
			s.limit.Store(x.hash)
			break
		}
		kept = append(kept, x)
	}
	s.all = kept
}

// finish returns all that was taken, without that of sources that skip tells.
func (s *answerSample) finish(skip func(source int) bool) Answers {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut(skip)
	out := Answers{Sampled: s.limit.Load() != everyHash, manyNames: s.manyNames.Load()}
	slices.SortStableFunc(s.all, func(a, b answerRow) int { return cmp.Or(strings.Compare(a.IP, b.IP), cmp.Compare(a.Kind, b.Kind)) })
	for i := range s.all {
		if n := len(out.List); n > 0 && out.List[n-1].IP == s.all[i].IP && out.List[n-1].Kind == s.all[i].Kind {
			out.List[n-1].add(&s.all[i].Answer)
			continue
		}
		out.List = append(out.List, s.all[i].Answer)
	}
	if !out.manyNames {
		for h := range s.names {
			out.names = append(out.names, h)
		}
		slices.Sort(out.names)
	}
	return out
}

// answerTaker takes the answers of one goroutine.
type answerTaker struct {
	sample *answerSample
	slots  []int32 // 1 + index of a row, by hash; 0 is a free slot
	rows   []takenRow
	ips    []byte // of rows
	last   int32  // the row that was last added to
	names  map[uint64]struct{}
	recent [256]uint64 // hashes of names that were taken, each where it says; 0 is none
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
	slot := answerSlot(hash, at.Source, a.Kind) & mask
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

// slot is where a row is looked for first, given the hash of its address.
func (a *Answer) slot(hash uint64) uint64 { return answerSlot(hash, a.First.Source, a.Kind) }

func answerSlot(hash uint64, source int32, kind event.AnswerKind) uint64 {
	return hash ^ uint64(source)*0x9E3779B97F4A7C15 ^ uint64(kind)
}

func (t *answerTaker) grow() {
	t.slots = make([]int32, max(1024, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for i := range t.rows {
		slot := t.rows[i].slot(t.rows[i].hash) & mask
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

// What the frames of the section of answers begin with.
const (
	answerLimits = iota // whether it has all
	answerRows
	answerNames
)

// writeAnswers writes what was handed out to nobody in particular.
func (s *storeWriter) writeAnswers() error {
	a, f := &s.answered, &s.frames
	if len(a.List) == 0 && len(a.names) == 0 && !a.manyNames && !a.Sampled {
		return nil
	}
	f.buf = append(f.buf, answerLimits, bit(a.Sampled), bit(a.manyNames))
	if err := f.end(); err != nil {
		return err
	}
	var before Ref
	for i := range a.List {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf, before = append(f.buf, answerRows), Ref{}
		}
		x := &a.List[i]
		f.buf = binary.AppendUvarint(f.buf, uint64(len(x.IP)))
		f.buf = append(f.buf, x.IP...)
		f.buf = append(f.buf, byte(x.Kind), bit(x.Untimed)|bit(x.Unsaid)<<1|bit(x.Ranged)<<2)
		f.buf = binary.AppendVarint(f.buf, x.From)
		f.buf = binary.AppendUvarint(f.buf, uint64(x.To-x.From))
		for _, n := range [...]int64{x.Times, x.Bytes, x.Most} {
			f.buf = binary.AppendUvarint(f.buf, uint64(n))
		}
		f.buf = appendRef(f.buf, &x.First, &before)
		before = x.First
	}
	if err := f.end(); err != nil {
		return err
	}
	last := uint64(0)
	for _, h := range a.names {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf, last = append(f.buf, answerNames), 0
		}
		f.buf = binary.AppendUvarint(f.buf, h-last)
		last = h
	}
	return f.end()
}

// Answers implements [Store].
func (f *File) Answers() (Answers, error) {
	var out Answers
	err := f.section(answerSection, func(r *reader) error { return f.readAnswers(r, &out) })
	return out, err
}

func (f *File) readAnswers(r *reader, out *Answers) error {
	switch r.byte() {
	case answerLimits:
		out.Sampled, out.manyNames = r.byte() == 1, r.byte() == 1
		if r.left() > 0 {
			return errDamaged
		}
	case answerRows:
		var before Ref
		for r.left() > 0 {
			x := Answer{IP: string(r.take(r.uvarint())), Kind: event.AnswerKind(r.byte())}
			flags := r.byte()
			x.Untimed, x.Unsaid, x.Ranged = flags&1 > 0, flags&2 > 0, flags&4 > 0
			x.From = r.varint()
			x.To = x.From + int64(r.uvarint())
			x.Times, x.Bytes, x.Most = r.known(0), r.known(0), r.known(0)
			x.First = r.ref(&before)
			before = x.First
			n := len(out.List)
			if r.err != nil || x.To < x.From || flags >= 1<<answerRowFlags || x.Kind > event.AuditedAnswer || len(x.IP) > maxAnswerIP || int(x.First.Source) >= f.sources || n >= maxAnswers ||
				n > 0 && cmp.Or(strings.Compare(out.List[n-1].IP, x.IP), cmp.Compare(out.List[n-1].Kind, x.Kind)) >= 0 {
				return errDamaged
			}
			out.List = append(out.List, x)
		}
	case answerNames:
		last := uint64(0)
		for r.left() > 0 {
			last += r.uvarint()
			if n := len(out.names); r.err != nil || n >= maxNames || n > 0 && out.names[n-1] >= last {
				return errDamaged
			}
			out.names = append(out.names, last)
		}
	default:
		return errDamaged
	}
	return r.err
}

// AddAnswer takes that something was handed out to nobody in particular.
func (m *Memory) AddAnswer(client string, at Ref, a event.Answer) {
	m.handed = append(m.handed, handed{client[:min(len(client), maxAnswerIP)], at, a})
}

// handed is an answer that a Memory holds.
type handed struct {
	client string
	at     Ref
	answer event.Answer
}

// Answers implements [Store].
func (m *Memory) Answers() (Answers, error) {
	c := &Collector{answers: answerTaker{sample: newAnswerSample()}}
	for i := range m.handed {
		h := &m.handed[i]
		c.Answer([]byte(h.client), h.at, &h.answer)
	}
	c.answers.flush()
	return c.answers.sample.finish(func(int) bool { return false }), nil
}
