package tally

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"sort"

	"github.com/barid-dfir/barid/internal/event"
)

// File is a Store on disk. Contexts and streams are in memory, everything else is read when it is asked for: an error of the store
// that is met then comes with what was asked for, or, of Visits, is told by Err.
type File struct {
	r      io.ReaderAt
	closer io.Closer
	size   int64

	begin    [numSections + 1]int64 // of sections; and of the table
	sources  int
	contexts []Context
	places   []place
	count    uint64 // of contexts, as the table says
	streams  []Stream
	touched  []touchFrame

	jointLogs  []JointLog
	jointLimit uint64

	strings interner
	spare   []*frameReader
	visits  *frameReader // kept, with what it read last, for the visits of the next context
	recent  map[int][]Visit
	held    int // of recent, in visits
	err     error
}

// maxHeld is how many visits are remembered, so that asking for those of a context again costs nothing; they take 72 bytes each.
const maxHeld = 512 << 10

// place is where what belongs to a context is: bytes of the file.
type place struct {
	acts, length int64
	visits       visitsAt
	count        uint64 // of visits
}

// touchFrame is a frame that tells where to find acts, and the first key in it.
type touchFrame struct {
	key []byte
	at  int64
}

// Open opens a store that Collection.Write has written.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	s, err := openStore(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.closer = f
	return s, nil
}

// Close closes the file.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Sources is how many sources the case had: every [Ref] is to one of them.
func (f *File) Sources() int { return f.sources }

// ErrVersion is the error of opening a store that another version of Barid wrote.
var ErrVersion = errors.New("it was written by another version of Barid: run barid assess again")

var errNotStore = errors.New("not a store that this program can read: it was cut off or changed, or another version wrote it. Take it from a copy, or run barid assess again")

func openStore(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size, jointLimit: everyHash}
	head, tail := make([]byte, len(storeMagic)), make([]byte, trailerSize)
	if size < int64(len(head)+len(tail)) {
		return nil, errNotStore
	}
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if _, err := r.ReadAt(tail, size-trailerSize); err != nil {
		return nil, err
	}
	if string(head) != storeMagic && string(head[:len(storeKind)]) == storeKind {
		return nil, ErrVersion
	}
	if string(head) != storeMagic || string(tail[8:]) != trailerEnd {
		return nil, errNotStore
	}
	table := binary.LittleEndian.Uint64(tail)
	if table > uint64(size) {
		return nil, errDamaged
	}
	if err := f.readTable(int64(table)); err != nil {
		return nil, err
	}
	for i, read := range [...]func(*reader) error{contextSection: f.readContexts, streamSection: f.readStreams, jointLogSection: f.readJointLogs, touchKeySection: f.readTouched} {
		if read == nil {
			continue
		}
		if err := f.section(i, read); err != nil {
			return nil, err
		}
	}
	if uint64(len(f.contexts)) != f.count {
		return nil, errDamaged
	}
	return f, nil
}

// readTable reads where sections are.
func (f *File) readTable(at int64) error {
	f.begin[numSections] = f.size - trailerSize // for the frame of the table itself
	in := f.reader(at, f.size-trailerSize)
	defer f.release(in)
	frame, err := in.next()
	if err != nil {
		return notEnd(err)
	}
	r := reader{b: frame}
	sources := r.uvarint()
	f.count = r.uvarint()
	if sources > math.MaxInt32 || f.count > math.MaxUint32 {
		r.fail()
	}
	f.sources = int(sources)
	before := int64(len(storeMagic))
	for i := range f.begin {
		f.begin[i] = r.known(0)
		if f.begin[i] < before {
			r.fail()
		}
		before = f.begin[i]
	}
	if f.begin[numSections] != at || r.left() > 0 {
		r.fail()
	}
	return r.err
}

// section calls do with what remains of each frame of a section until nothing does.
func (f *File) section(i int, do func(*reader) error) error {
	in := f.reader(f.begin[i], f.begin[i+1])
	defer f.release(in)
	for {
		frame, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r := reader{b: frame}
		if err := cmp.Or(do(&r), r.err); err != nil {
			return err
		}
	}
}

// firstContexts is for how many contexts there is room at once.
const firstContexts = 1 << 14

func (f *File) readContexts(r *reader) error {
	var key []byte
	var c Context
	if n := len(f.contexts); n > 0 {
		c = f.contexts[n-1] // most of its texts come back
	}
	for r.left() > 0 {
		key = r.key(key)
		p := place{acts: r.known(0), length: r.known(0), count: r.uvarint(), visits: visitsAt{r.known(0), r.ref32()}}
		if r.err != nil {
			return r.err
		}
		if err := f.strings.decodeContext(key, &c); err != nil {
			return err
		}
		if n := len(f.contexts); n > 0 && CompareContexts(f.contexts[n-1], c) >= 0 {
			return errDamaged
		}
		if p.acts < int64(len(storeMagic)) || p.length > f.begin[0] || p.acts > f.begin[0]-p.length {
			return errDamaged
		}
		if n := len(f.places); n > 0 && p.acts < f.places[n-1].acts+f.places[n-1].length {
			return errDamaged
		}
		if n := len(f.contexts); n == cap(f.contexts) { // at most twice as many as there are: the table may say anything
			more := max(1, min(max(n, firstContexts), int(f.count)-n))
			f.contexts, f.places = slices.Grow(f.contexts, more), slices.Grow(f.places, more)
		}
		f.contexts, f.places = append(f.contexts, c), append(f.places, p)
	}
	return nil
}

// readVisits reads the visits of a context.
func (f *File) readVisits(p *place) ([]Visit, error) {
	if p.count == 0 {
		return nil, nil
	}
	in := f.visits
	if in == nil {
		in = &frameReader{f: f}
		f.visits = in
	}
	if p.visits.frame < f.begin[visitSection] {
		return nil, errDamaged
	}
	r := reader{}
	if in.frameAt == p.visits.frame && in.frame != nil {
		r.b = in.frame
	} else {
		in.at, in.end = p.visits.frame, f.begin[visitSection+1]
		frame, err := in.next()
		if err != nil {
			return nil, notEnd(err)
		}
		r.b = frame
	}
	r.take(uint64(p.visits.offset))
	out := make([]Visit, 0, min(p.count, 4096))
	var before Visit
	last := int64(math.MinInt64)
	for uint64(len(out)) < p.count {
		if r.left() == 0 && r.err == nil {
			frame, err := in.next()
			if err != nil {
				return nil, notEnd(err)
			}
			r.b, r.at, before = frame, 0, Visit{}
		}
		v := Visit{From: before.To + r.varint()}
		v.To = v.From + int64(r.uvarint())
		v.Acts = r.known(0)
		before.First.Time = v.From + r.varint()
		v.First = r.ref(&before.First)
		if r.err != nil || v.To < v.From || len(out) > 0 && v.From <= last || int(v.First.Source) >= f.sources {
			return nil, errDamaged
		}
		out = append(out, v)
		before, last = v, v.To
	}
	return out, nil
}

func (f *File) readStreams(r *reader) error {
	for r.left() > 0 {
		s := r.stream()
		if r.err != nil {
			return r.err
		}
		if int(s.Source) >= f.sources || int(s.BackwardsAt.Source) >= max(1, f.sources) {
			return errDamaged
		}
		f.streams = append(f.streams, s)
	}
	return nil
}

func (f *File) readTouched(r *reader) error {
	for r.left() > 0 {
		t := touchFrame{key: bytes.Clone(r.take(r.uvarint())), at: r.known(0)}
		if r.err != nil {
			return r.err
		}
		if t.at < f.begin[touchSection] || t.at >= f.begin[touchSection+1] || len(f.touched) > 0 && t.at <= f.touched[len(f.touched)-1].at {
			return errDamaged
		}
		f.touched = append(f.touched, t)
	}
	return nil
}

// shared reads a text, given the one before, which it overwrites.
func (r *reader) shared(before []byte) []byte {
	n := r.uvarint()
	rest := r.take(r.uvarint())
	if n > uint64(len(before)) || n+uint64(len(rest)) > maxKey {
		r.fail()
		return nil
	}
	return append(before[:n], rest...)
}

// key reads what appendKey wrote, given the key before, which it may overwrite.
func (r *reader) key(before []byte) []byte {
	n, m := r.uvarint(), r.uvarint()
	middle := r.take(r.uvarint())
	if n > uint64(len(before)) || m > uint64(len(before))-n || n+m+uint64(len(middle)) > maxKey {
		r.fail()
		return nil
	}
	if tail := before[uint64(len(before))-m:]; len(middle) == len(before)-int(n+m) { // the rest stays where it is
		copy(before[n:], middle)
		return before
	} else {
		r.tail = append(r.tail[:0], tail...)
	}
	return append(append(before[:n], middle...), r.tail...)
}

// maxKey is more than the longest key: texts of a KiB or so, of which each byte may take two.
const maxKey = 64 << 10

// frameReader reads the frames of a part of a file.
type frameReader struct {
	f       *File
	at, end int64
	window  []byte // of the file
	from    int64  // where it begins
	large   []byte
	frame   []byte // the last one
	frameAt int64  // and where it begins
}

// windowSize is how many bytes of the file are read at once.
const windowSize = 64 << 10

// reader returns a frameReader of the bytes from at up to end. What is next to what was read before need not be read again.
func (f *File) reader(at, end int64) *frameReader {
	in := &frameReader{f: f}
	if n := len(f.spare); n > 0 {
		in, f.spare = f.spare[n-1], f.spare[:n-1]
	}
	in.at, in.end = at, min(end, f.size)
	return in
}

func (f *File) release(in *frameReader) { f.spare = append(f.spare, in) }

// bytes returns the n bytes at at.
func (in *frameReader) bytes(at int64, n int) ([]byte, error) {
	if i := at - in.from; i >= 0 && i+int64(n) <= int64(len(in.window)) {
		return in.window[i : i+int64(n)], nil
	}
	if n > windowSize {
		in.large = slices.Grow(in.large[:0], n)[:n]
		in.frame = nil
		_, err := in.f.r.ReadAt(in.large, at)
		return in.large, notEnd(err)
	}
	if in.window == nil {
		in.window = make([]byte, windowSize)
	}
	in.window, in.from = in.window[:min(windowSize, in.f.size-at)], at
	in.frame = nil
	if _, err := in.f.r.ReadAt(in.window, at); err != nil {
		in.window = in.window[:0]
		return nil, notEnd(err)
	}
	return in.window[:n], nil
}

// next returns the next frame, valid until the next call, and io.EOF after the last.
func (in *frameReader) next() ([]byte, error) {
	if in.at >= in.end {
		return nil, io.EOF
	}
	head, err := in.bytes(in.at, int(min(binary.MaxVarintLen64, in.end-in.at)))
	if err != nil {
		return nil, err
	}
	length, n := binary.Uvarint(head)
	if n <= 0 || length > maxFrame || int64(n)+int64(length)+4 > in.end-in.at {
		return nil, errDamaged
	}
	frame, err := in.bytes(in.at+int64(n), int(length)+4)
	if err != nil {
		return nil, err
	}
	frame, sum := frame[:length], frame[length:]
	if crc32.Checksum(frame, castagnoli) != binary.LittleEndian.Uint32(sum) {
		return nil, fmt.Errorf("%w: wrong checksum at byte %d", errDamaged, in.at)
	}
	in.frameAt, in.frame = in.at, frame
	in.at += int64(n) + int64(length) + 4
	return frame, nil
}

// notEnd makes an error of an end where there is none.
func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return errDamaged
	}
	return err
}

// Streams implements [Store].
func (f *File) Streams() []Stream { return f.streams }

// Contexts implements [Store].
func (f *File) Contexts() []Context { return f.contexts }

// Visits implements [Store].
func (f *File) Visits(context int) []Visit {
	if visits, ok := f.recent[context]; ok {
		return visits
	}
	visits, err := f.readVisits(&f.places[context])
	if err != nil && f.err == nil {
		f.err = err
	}
	if f.held+len(visits) > maxHeld || f.recent == nil {
		f.recent, f.held = make(map[int][]Visit), 0
	}
	f.recent[context] = visits
	f.held += len(visits) + 1
	return visits
}

// Began implements [Store].
func (f *File) Began(context int) int64 {
	visits, ok := f.recent[context]
	if !ok {
		p := f.places[context]
		for p.count = min(p.count, 1); ; p.count = f.places[context].count {
			var err error
			if visits, err = f.readVisits(&p); err != nil && f.err == nil {
				f.err = err
			}
			if len(visits) == 0 || visits[0].From != event.UnknownTime || p.count == f.places[context].count {
				break
			}
		}
	}
	return began(visits)
}

// Err returns the first error that Visits met: what was made of its answers is worth nothing then.
func (f *File) Err() error { return f.err }

// actReader reads acts of frames.
type actReader struct {
	f      *File
	key    []byte
	from   int64
	before Act
}

// next reads an act. context is -1 where it is told by the record.
func (a *actReader) next(r *reader, context int) (*Act, error) {
	a.key = r.key(a.key)
	a.from += r.varint()
	if context < 0 {
		if n := r.uvarint(); n < uint64(len(a.f.contexts)) {
			context = int(n)
		} else {
			r.fail()
		}
	}
	got := r.amounts(a.from)
	if r.err != nil {
		return nil, r.err
	}
	if err := a.f.strings.decodeAct(a.key, &a.before); err != nil {
		return nil, err
	}
	out := &struct {
		Act
		refs [KeptRefs]Ref
	}{Act: a.before, refs: got.refs}
	out.Context = context
	out.From, out.To, out.Times, out.Count, out.Bytes, out.Most = got.from, got.to, got.times, got.count, got.size, got.most
	out.Refs = out.refs[:got.kept:got.kept]
	for i := range out.Refs {
		if int(out.Refs[i].Source) >= a.f.sources {
			return nil, errDamaged
		}
	}
	return &out.Act, nil
}

// acts reads the acts of frames until do returns false, of one frame if one is set.
func (f *File) acts(at, end int64, context int, one bool, do func(*Act, error) bool) bool {
	in := f.reader(at, end)
	defer f.release(in)
	a := actReader{f: f}
	for {
		frame, err := in.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			do(nil, err)
			return false
		}
		a.key, a.from = a.key[:0], 0
		for r := (reader{b: frame}); r.left() > 0; {
			x, err := a.next(&r, context)
			if err != nil {
				do(nil, err)
				return false
			}
			if !do(x, nil) {
				return false
			}
		}
		if one {
			return true
		}
	}
}

// Acts implements [Store].
func (f *File) Acts(context int) iter.Seq2[*Act, error] {
	p := &f.places[context]
	return func(yield func(*Act, error) bool) { f.acts(p.acts, p.acts+p.length, context, false, yield) }
}

// Powers implements [Store].
func (f *File) Powers() iter.Seq2[*Act, error] { return f.rows(powerSection) }

// Gaps implements [Store].
func (f *File) Gaps() iter.Seq2[*Act, error] { return f.rows(gapSection) }

func (f *File) rows(section int) iter.Seq2[*Act, error] {
	return func(yield func(*Act, error) bool) { f.acts(f.begin[section], f.begin[section+1], -1, false, yield) }
}

// Tries implements [Store].
func (f *File) Tries() iter.Seq2[*Try, error] {
	return func(yield func(*Try, error) bool) {
		in := f.reader(f.begin[trySection], f.begin[trySection+1])
		defer f.release(in)
		var key []byte
		var t tryReader
		for {
			frame, err := in.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			key = key[:0]
			for r := (reader{b: frame}); r.left() > 0; {
				key = r.shared(key)
				if r.err == nil {
					r.err = t.read(f, key)
				}
				if r.err != nil {
					yield(nil, r.err)
					return
				}
				if !yield(&t.Try, nil) {
					return
				}
			}
		}
	}
}

// tryReader reads a Try, and holds it.
type tryReader struct {
	Try
	ip, rest []byte // of the record that was read last: the address, and the other texts
}

func (t *tryReader) read(f *File, record []byte) error {
	r := reader{b: record}
	// Most differ from the one before in their times only.
	head := len(t.ip) + 8
	if len(t.ip) > 0 && len(record) >= head+len(t.rest) && bytes.Equal(record[:len(t.ip)], t.ip) && bytes.Equal(record[head:head+len(t.rest)], t.rest) {
		r.at = len(t.ip)
		t.From = r.time()
		r.at += len(t.rest)
	} else {
		text := func(p *string) {
			s, _, ok := term(r.rest())
			if !ok {
				r.fail()
				return
			}
			*p = f.strings.text(s, *p)
			r.at += len(s) + 1
		}
		text(&t.IP)
		t.ip = append(t.ip[:0], record[:r.at]...)
		t.From = r.time()
		from := r.at
		for _, p := range [...]*string{&t.Account, &t.Host, &t.Format, &t.Channel} {
			text(p)
		}
		t.rest = append(t.rest[:0], record[from:r.at]...)
	}
	t.To = r.time()
	t.Times = r.known(0)
	t.First = r.ref(&Ref{Time: t.From})
	if r.err == nil && (r.left() > 0 || t.To < t.From || int(t.First.Source) >= f.sources) {
		r.fail()
	}
	return r.err
}

// time reads what appendTime wrote.
func (r *reader) time() int64 {
	if b := r.take(8); b != nil {
		return readTime(b)
	}
	return event.UnknownTime
}

// touchedFrame is a frame of acts of a context.
type touchedFrame struct {
	context int
	at      int64
}

// Touched implements [Store].
func (f *File) Touched(in string) iter.Seq2[*Act, error] {
	return func(yield func(*Act, error) bool) {
		if in == "" {
			return
		}
		var list []touchedFrame
		for _, key := range [...][]byte{append([]byte{'i'}, in...), appendFolded([]byte{'o'}, in)} {
			var err error
			if list, err = f.find(list, appendTerm(nil, key)); err != nil {
				yield(nil, err)
				return
			}
		}
		slices.SortFunc(list, func(a, b touchedFrame) int { return cmp.Compare(a.at, b.at) })
		for _, t := range list {
			p := &f.places[t.context]
			// Only what it was looked for: a damaged index must not tell of more.
			more := f.acts(t.at, p.acts+p.length, t.context, true, func(a *Act, err error) bool {
				return err == nil && !a.Touches(in) || yield(a, err)
			})
			if !more {
				return
			}
		}
	}
}

// find appends the frames that an index names for a key.
func (f *File) find(list []touchedFrame, key []byte) ([]touchedFrame, error) {
	first := sort.Search(len(f.touched), func(i int) bool { return bytes.Compare(f.touched[i].key, key) >= 0 })
	if first > 0 {
		first--
	}
	if first == len(f.touched) {
		return list, nil
	}
	in := f.reader(f.touched[first].at, f.begin[touchSection+1])
	defer f.release(in)
	for {
		frame, err := in.next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		for r := (reader{b: frame}); r.left() > 0; {
			found := r.take(r.uvarint())
			entries := reader{b: r.take(r.uvarint())}
			if r.err != nil {
				return list, r.err
			}
			switch bytes.Compare(found, key) {
			case -1:
				continue
			case 1:
				return list, nil
			}
			for context, at := uint64(0), int64(0); entries.left() > 0; {
				context += entries.uvarint()
				step := entries.known(0)
				at += step
				if entries.err != nil || step <= 0 || context >= uint64(len(f.places)) {
					return list, errDamaged
				}
				if p := &f.places[context]; at < p.acts || at >= p.acts+p.length {
					return list, errDamaged
				}
				list = append(list, touchedFrame{int(context), at})
			}
		}
	}
}
