package tally

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/spill"
)

// A store on disk is frames: the length of what follows as a uvarint, that, and its CRC-32C. In a frame, what has an order is
// written as what it has in common with the record before it, and every time, place and number as the difference. First
// come the frames of acts, each of one context and of what lies in one place, in the order of contexts; then, a section each,
// contexts with their visits and where their acts are, powers, gaps, tries, streams, joint identifiers and the logs that have them, what was handed out to nobody in particular, the identities of accounts, where to find the acts on what lies in a place,
// and the first key of each frame of that. The last frame is the table of sections, and the last 16 bytes say where it is.
const (
	storeKind   = "barid store "
	storeMagic  = "barid store 6\n\x00\x00"
	trailerSize = 8 + 8
	trailerEnd  = "end 1\n\x00\x00"
	frameSize   = 32 << 10 // a frame is ended beyond so many bytes
	maxFrame    = 16 << 20 // and is never longer
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sections, in their order.
const (
	visitSection = iota
	contextSection
	powerSection
	gapSection
	trySection
	streamSection
	jointLogSection
	jointSection
	answerSection
	identitySection
	touchSection
	touchKeySection
	numSections
)

// frames writes frames.
type frames struct {
	w     io.Writer
	at    int64 // where the next one begins
	buf   []byte
	count int // since it was last set to 0
	head  [binary.MaxVarintLen64]byte
}

// end writes the frame, if anything is in it.
func (f *frames) end() error {
	if len(f.buf) == 0 {
		return nil
	}
	n := binary.PutUvarint(f.head[:], uint64(len(f.buf)))
	f.buf = binary.LittleEndian.AppendUint32(f.buf, crc32.Checksum(f.buf, castagnoli))
	for _, p := range [...][]byte{f.head[:n], f.buf} {
		if _, err := f.w.Write(p); err != nil {
			return err
		}
		f.at += int64(len(p))
	}
	f.buf = f.buf[:0]
	f.count++
	return nil
}

// storeWriter writes a store.
type storeWriter struct {
	frames  frames
	skip    func(source int) bool
	sources int

	powers, gaps, tries, touched     *spill.Buffer
	powersIn, gapsIn, triesIn, touch *spill.Sorter
	contexts, visits                 *spill.Tape
	visitsAt                         []visitsAt // of each context

	context  []byte // key
	ordinal  uint32
	began    int64 // where its acts begin
	kept     int64 // of its acts
	stays    []Visit
	maxStays int
	act      []byte // key
	amounts  amounts
	have     bool

	before     []byte // key of the act before, in the frame
	beforeFrom int64
	place      []byte // by which the acts of the frame are looked up
	key        []byte
	record     []byte

	joints    *jointSample
	jointLogs []JointLog
	answered  Answers

	identities *identitySet
}

// visitsAt is where the visits of a context begin: in which frame, and where in that.
type visitsAt struct {
	frame  int64
	offset int32
}

// rowsSize is how much memory each of the lists is sorted in.
const rowsSize = 4 << 20

// Write writes what was taken, without that of the sources that skip tells, as a store that [Open] opens. All Collectors must have
// been flushed. Streams are those of the sources, of which there are so many, in any order.
func (c *Collection) Write(w io.Writer, skip func(source int) bool, streams []Stream, sources int) (err error) {
	s := &storeWriter{frames: frames{w: w}, skip: skip, sources: sources, maxStays: 1 << 16, contexts: spill.NewTape(c.dir), visits: spill.NewTape(c.dir), joints: c.joints, identities: c.identities}
	defer s.contexts.Close()
	defer s.visits.Close()
	for _, p := range [...]struct {
		sorter **spill.Sorter
		buffer **spill.Buffer
	}{{&s.powersIn, &s.powers}, {&s.gapsIn, &s.gaps}, {&s.triesIn, &s.tries}, {&s.touch, &s.touched}} {
		*p.sorter = spill.New(c.dir, rowsSize)
		defer (*p.sorter).Close()
		*p.buffer = (*p.sorter).Buffer()
	}
	if _, err := io.WriteString(w, storeMagic); err != nil {
		return err
	}
	s.frames.at = int64(len(storeMagic))
	if err := s.acts(c.sorter.Reader()); err != nil {
		return err
	}
	s.jointLogs = c.joints.finish(skip)
	s.answered = c.answers.finish(skip)
	return s.sections(streams)
}

// acts writes the acts, and learns all else from them.
func (s *storeWriter) acts(all *spill.Reader) error {
	for {
		record, err := all.Next()
		if errors.Is(err, io.EOF) {
			return cmp.Or(s.endAct(), s.endContext())
		}
		if err != nil {
			return err
		}
		n := contextLength(record)
		m := n + actLength(record[n:])
		from := readTime(record[m:])
		if s.skip(int(binary.BigEndian.Uint32(record[m+8:]))) {
			continue
		}
		r := reader{b: record[m+12:]}
		a := r.amounts(from)
		if r.err != nil {
			return r.err
		}
		sameContext := bytes.Equal(record[:n], s.context) && len(s.context) > 0
		if s.have && sameContext && bytes.Equal(record[n:m], s.act) && s.amounts.adjacent(&a) {
			s.amounts.add(&a)
			continue
		}
		if err := s.endAct(); err != nil {
			return err
		}
		if !sameContext {
			if err := s.endContext(); err != nil {
				return err
			}
			s.context = append(s.context[:0], record[:n]...)
			s.began = s.frames.at
		}
		s.act, s.amounts, s.have = append(s.act[:0], record[n:m]...), a, true
	}
}

// endAct deals with an act to which nothing comes any more.
func (s *storeWriter) endAct() error {
	if !s.have {
		return nil
	}
	s.have = false
	a := &s.amounts
	kind, ok, unknown := logs.Kind(s.act[0]), s.act[1] == 1, s.act[2] == 1
	if kind == logs.Login && !ok && !unknown {
		return s.try(a)
	}
	place, hasPlace := touchKey(s.key[:0], s.act)
	s.key = place
	f := &s.frames
	if len(f.buf) > frameSize || !bytes.Equal(place, s.place) {
		if err := s.endFrame(); err != nil {
			return err
		}
		s.place = append(s.place[:0], place...)
	}
	if len(f.buf) == 0 {
		s.before, s.beforeFrom = s.before[:0], 0
		if hasPlace {
			s.record = appendTerm(s.record[:0], place)
			s.record = binary.BigEndian.AppendUint32(s.record, s.ordinal)
			s.record = binary.BigEndian.AppendUint64(s.record, uint64(f.at))
			if err := s.touched.Add(s.record); err != nil {
				return err
			}
		}
	}
	f.buf, s.before = appendKey(f.buf, s.before, s.act)
	f.buf = binary.AppendVarint(f.buf, a.from-s.beforeFrom)
	s.beforeFrom = a.from
	f.buf = a.append(f.buf)
	s.kept++
	switch kind {
	case logs.Capability, logs.Containment:
		if err := s.row(s.powers, a); err != nil {
			return err
		}
	case logs.Gap, logs.Heartbeat:
		return s.row(s.gaps, a)
	}
	if ok || unknown {
		s.stays = append(s.stays, Visit{From: a.from, To: a.to, Acts: a.times, First: a.refs[0]})
		if len(s.stays) >= s.maxStays {
			s.stays = joinVisits(s.stays)
			s.maxStays = max(1<<16, 2*len(s.stays))
		}
	}
	return nil
}

// endFrame ends a frame of acts.
func (s *storeWriter) endFrame() error { return s.frames.end() }

// appendShared appends a text as what it has in common with the one before, and returns it to be the one before the next.
func appendShared(dst, before, text []byte) (out, next []byte) {
	n := 0
	for n < len(before) && n < len(text) && before[n] == text[n] {
		n++
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	dst = binary.AppendUvarint(dst, uint64(len(text)-n))
	return append(dst, text[n:]...), append(before[:n], text[n:]...)
}

// appendKey appends a key as what it has in common, at its beginning and at its end, with the one before, and returns it to be the
// one before the next.
func appendKey(dst, before, key []byte) (out, next []byte) {
	n, m := 0, 0
	for n < len(before) && n < len(key) && before[n] == key[n] {
		n++
	}
	for m < len(before)-n && m < len(key)-n && before[len(before)-1-m] == key[len(key)-1-m] {
		m++
	}
	middle := key[n : len(key)-m]
	for _, x := range [...]int{n, m, len(middle)} {
		dst = binary.AppendUvarint(dst, uint64(x))
	}
	return append(dst, middle...), append(before[:0], key...)
}

// row adds the act to a list in order of time.
func (s *storeWriter) row(to *spill.Buffer, a *amounts) error {
	b := appendTime(s.record[:0], a.from)
	b = append(b, s.act...)
	b = appendTime(b, a.to)
	b = binary.BigEndian.AppendUint32(b, s.ordinal)
	s.record = a.append(b)
	return to.Add(s.record)
}

// try adds the act as a Try.
func (s *storeWriter) try(a *amounts) error {
	var texts [contextTexts][]byte // with their ends
	rest := s.context
	for i := range texts {
		n := bytes.IndexByte(rest, 0) + 1
		texts[i], rest = rest[:n], rest[n:]
	}
	account, ip, host, format, channel := texts[0], texts[1], texts[6], texts[7], texts[8]
	b := append(s.record[:0], ip...)
	b = appendTime(b, a.from)
	for _, t := range [...][]byte{account, host, format, channel} {
		b = append(b, t...)
	}
	b = appendTime(b, a.to)
	b = binary.AppendUvarint(b, uint64(max(a.times, a.count)))
	s.record = appendRef(b, &a.refs[0], &Ref{Time: a.from})
	return s.tries.Add(s.record)
}

// joinVisits makes visits of stays: those that are adjacent are one.
func joinVisits(stays []Visit) []Visit {
	slices.SortFunc(stays, func(a, b Visit) int { return cmp.Or(cmp.Compare(a.From, b.From), CompareRefs(a.First, b.First)) })
	visits := stays[:0]
	for _, v := range stays {
		if n := len(visits); n > 0 && Adjacent(visits[n-1].To, v.From) {
			last := &visits[n-1]
			last.To, last.Acts = max(last.To, v.To), addKnown(last.Acts, v.Acts)
			if CompareRefs(v.First, last.First) < 0 {
				last.First = v.First
			}
			continue
		}
		visits = append(visits, v)
	}
	return visits
}

// endContext ends a context, which is one only if an act of it was kept.
func (s *storeWriter) endContext() error {
	if s.kept == 0 {
		return nil
	}
	if err := s.endFrame(); err != nil {
		return err
	}
	s.place = s.place[:0]
	visits := joinVisits(s.stays)
	b := binary.AppendUvarint(s.record[:0], uint64(len(s.context)))
	b = append(b, s.context...)
	b = binary.AppendUvarint(b, uint64(s.began))
	b = binary.AppendUvarint(b, uint64(s.frames.at-s.began))
	b = binary.AppendUvarint(b, uint64(len(visits)))
	s.key = s.key[:0]
	for i := range visits {
		v := &visits[i]
		s.key = appendTime(appendTime(s.key[:0], v.From), v.To)
		s.key = appendRef(binary.AppendUvarint(s.key, uint64(v.Acts)), &v.First, &Ref{})
		if err := s.visits.Append(s.key); err != nil {
			return err
		}
	}
	s.record = b
	s.stays, s.kept = s.stays[:0], 0
	s.ordinal++
	return s.contexts.Append(b)
}

// sections writes what follows the acts.
func (s *storeWriter) sections(streams []Stream) error {
	f := &s.frames
	var begin [numSections + 1]int64
	var directory []byte
	for i, write := range [numSections]func() error{
		s.writeVisits,
		s.writeContexts,
		func() error { return s.writeRows(s.powersIn, s.powers) },
		func() error { return s.writeRows(s.gapsIn, s.gaps) },
		s.writeTries,
		func() error { return s.writeStreams(streams) },
		s.writeJointLogs,
		s.writeJoints,
		s.writeAnswers,
		s.writeIdentities,
		func() (err error) { directory, err = s.writeTouched(); return err },
		func() error {
			f.buf = append(f.buf, directory...)
			return nil
		},
	} {
		begin[i] = f.at
		if err := cmp.Or(write(), f.end()); err != nil {
			return err
		}
	}
	begin[numSections] = f.at
	f.buf = binary.AppendUvarint(f.buf[:0], uint64(s.sources))
	f.buf = binary.AppendUvarint(f.buf, uint64(s.ordinal))
	for _, at := range begin {
		f.buf = binary.AppendUvarint(f.buf, uint64(at))
	}
	if err := f.end(); err != nil {
		return err
	}
	trailer := binary.LittleEndian.AppendUint64(nil, uint64(begin[numSections]))
	_, err := f.w.Write(append(trailer, trailerEnd...))
	return err
}

// frameIsFull ends the frame if it is long enough, and reports whether one begins.
func (s *storeWriter) frameIsFull() (begins bool, err error) {
	if len(s.frames.buf) > frameSize {
		err = s.frames.end()
	}
	return len(s.frames.buf) == 0, err
}

// writeVisits writes the visits of all contexts. What a visit is told by starts anew with each context and each frame.
func (s *storeWriter) writeVisits() error {
	f := &s.frames
	contexts, visits := s.contexts.Start(), s.visits.Start()
	for {
		record, err := contexts.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := s.frameIsFull(); err != nil {
			return err
		}
		s.visitsAt = append(s.visitsAt, visitsAt{f.at, int32(len(f.buf))})
		r := reader{b: record}
		r.take(r.uvarint())
		r.uvarint()
		r.uvarint()
		var before Visit
		for range r.uvarint() {
			record, err := visits.Next()
			if err != nil {
				return err
			}
			begins, err := s.frameIsFull()
			if err != nil {
				return err
			}
			if begins {
				before = Visit{}
			}
			in := reader{b: record}
			v := Visit{From: in.time(), To: in.time(), Acts: in.known(0), First: in.ref(&Ref{})}
			f.buf = binary.AppendVarint(f.buf, v.From-before.To)
			f.buf = binary.AppendUvarint(f.buf, uint64(v.To-v.From))
			f.buf = binary.AppendUvarint(f.buf, uint64(v.Acts))
			f.buf = binary.AppendVarint(f.buf, v.First.Time-v.From)
			before.First.Time = v.First.Time
			f.buf = appendRef(f.buf, &v.First, &before.First)
			before = v
		}
	}
}

func (s *storeWriter) writeContexts() error {
	var before []byte
	f := &s.frames
	tape := s.contexts.Start()
	for i := 0; ; i++ {
		record, err := tape.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			before = before[:0]
		}
		r := reader{b: record}
		key := r.take(r.uvarint())
		f.buf, before = appendKey(f.buf, before, key)
		f.buf = append(f.buf, r.rest()...)
		f.buf = binary.AppendUvarint(f.buf, uint64(s.visitsAt[i].frame))
		f.buf = binary.AppendUvarint(f.buf, uint64(s.visitsAt[i].offset))
	}
}

// each calls do with every record of a sorter, into a frame that is new if begins.
func (s *storeWriter) each(all *spill.Sorter, last *spill.Buffer, do func(record []byte, begins bool) error) error {
	if err := last.Flush(); err != nil {
		return err
	}
	for r := all.Reader(); ; {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		begins, err := s.frameIsFull()
		if err := cmp.Or(err, do(record, begins)); err != nil {
			return err
		}
	}
}

func (s *storeWriter) writeRows(all *spill.Sorter, last *spill.Buffer) error {
	f := &s.frames
	var before []byte
	var beforeFrom int64
	return s.each(all, last, func(record []byte, begins bool) error {
		if begins {
			before, beforeFrom = before[:0], 0
		}
		from := readTime(record)
		n := 8 + actLength(record[8:])
		f.buf, before = appendKey(f.buf, before, record[8:n])
		f.buf = binary.AppendVarint(f.buf, from-beforeFrom)
		f.buf = binary.AppendUvarint(f.buf, uint64(binary.BigEndian.Uint32(record[n+8:])))
		f.buf = append(f.buf, record[n+12:]...)
		beforeFrom = from
		return nil
	})
}

func (s *storeWriter) writeTries() error {
	f := &s.frames
	var before []byte
	return s.each(s.triesIn, s.tries, func(record []byte, begins bool) error {
		if begins {
			before = before[:0]
		}
		f.buf, before = appendShared(f.buf, before, record)
		return nil
	})
}

// writeTouched writes where to find the acts on what lies in a place, and returns the first key of each frame, with its place.
func (s *storeWriter) writeTouched() (directory []byte, err error) {
	f := &s.frames
	var key, list []byte
	n, ordinal, at := 0, uint32(0), uint64(0)
	end := func() {
		if n == 0 {
			return
		}
		if len(f.buf) == 0 {
			directory = binary.AppendUvarint(directory, uint64(len(key)))
			directory = append(directory, key...)
			directory = binary.AppendUvarint(directory, uint64(f.at))
		}
		f.buf = binary.AppendUvarint(f.buf, uint64(len(key)))
		f.buf = append(f.buf, key...)
		f.buf = binary.AppendUvarint(f.buf, uint64(len(list)))
		f.buf = append(f.buf, list...)
		n, ordinal, at, list = 0, 0, 0, list[:0]
	}
	err = s.each(s.touch, s.touched, func(record []byte, _ bool) error {
		text := record[:len(record)-12]
		if !bytes.Equal(text, key) || len(list) > frameSize {
			end()
			key = append(key[:0], text...)
		}
		o, a := binary.BigEndian.Uint32(record[len(text):]), binary.BigEndian.Uint64(record[len(text)+4:])
		list = binary.AppendUvarint(list, uint64(o-ordinal))
		list = binary.AppendUvarint(list, a-at)
		n, ordinal, at = n+1, o, a
		return nil
	})
	end()
	return directory, err
}

func (s *storeWriter) writeStreams(streams []Stream) error {
	streams = slices.Clone(streams)
	slices.SortFunc(streams, compareStreams)
	for i := range streams {
		if _, err := s.frameIsFull(); err != nil {
			return err
		}
		s.frames.buf = appendStream(s.frames.buf, &streams[i])
	}
	return nil
}

func appendStream(b []byte, s *Stream) []byte {
	b = binary.AppendUvarint(b, uint64(s.Source))
	for _, t := range [...]string{s.Host, s.Format} {
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	b = binary.AppendUvarint(b, uint64(s.Events))
	b = binary.AppendVarint(b, s.From)
	b = binary.AppendVarint(b, s.To)
	for _, list := range [...][]Span{s.Active, s.Beats, s.Unread} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		before := int64(0)
		for _, x := range list {
			b = binary.AppendVarint(b, x.From-before)
			b = binary.AppendUvarint(b, uint64(x.To-x.From))
			before = x.To
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.Records)))
	before := Run{}
	for _, r := range s.Records {
		b = binary.AppendVarint(b, r.First-before.Last)
		b = binary.AppendUvarint(b, uint64(r.Last-r.First))
		b = binary.AppendVarint(b, r.From-before.To)
		b = binary.AppendVarint(b, r.To-r.From)
		before = r
	}
	b = binary.AppendUvarint(b, uint64(s.Backwards))
	b = appendRef(b, &s.BackwardsAt, &Ref{})
	return append(b, bit(s.Cut), bit(s.ZoneAssumed)|bit(s.YearAssumed)<<1)
}

func (r *reader) stream() (s Stream) {
	s.Source = r.ref32()
	s.Host, s.Format = string(r.take(r.uvarint())), string(r.take(r.uvarint()))
	s.Events, s.From, s.To = r.known(0), r.varint(), r.varint()
	for _, list := range [...]*[]Span{&s.Active, &s.Beats, &s.Unread} {
		before := int64(0)
		for range r.uvarint() {
			from := before + r.varint()
			to := from + int64(r.uvarint())
			if r.err != nil || to < from || len(*list) > 0 && from < before {
				r.fail()
				return s
			}
			*list = append(*list, Span{from, to})
			before = to
		}
	}
	before := Run{}
	for range r.uvarint() {
		x := Run{First: before.Last + r.varint()}
		x.Last = x.First + int64(r.uvarint())
		x.From = before.To + r.varint()
		x.To = x.From + r.varint()
		if r.err != nil || x.Last < x.First || len(s.Records) > 0 && x.First <= before.Last || x.To < x.From {
			r.fail()
			return s
		}
		s.Records = append(s.Records, x)
		before = x
	}
	s.Backwards, s.BackwardsAt = r.known(0), r.ref(&Ref{})
	s.Cut = r.byte() == 1
	assumed := r.byte()
	s.ZoneAssumed, s.YearAssumed = assumed&1 != 0, assumed&2 != 0
	if s.From > s.To || s.From == event.UnknownTime && s.To != event.UnknownTime {
		r.fail()
	}
	return s
}

func (r *reader) ref32() int32 {
	n := r.uvarint()
	if n > 1<<31-1 {
		r.fail()
		return 0
	}
	return int32(n)
}
