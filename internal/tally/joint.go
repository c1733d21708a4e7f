package tally

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// JointLog is a part of a log that tells of things under identifiers which other logs use too.
type JointLog struct {
	Source       int32
	Host, Format string // as those of a Stream
	Channel      string // see logs.Joint
	Sure         bool   // see logs.Joint
}

// Joint is things that the same logs tell of in the same seconds.
type Joint struct {
	Seen  []Sight // in the order of logs
	Count int64
}

// Sight is that a log tells of something. Where it does so several times, At is the first.
type Sight struct {
	Log int32 // index into Joints.Logs
	At  int64 // nanoseconds since 1970 UTC, of a whole second
}

// Joints is what several logs of a host tell of under the same identifiers. Where there are too many of those, it is a sample of them:
// each is in it with all logs that have it, or not at all.
type Joints struct {
	Logs []JointLog
	// Part is how many of all identifiers are in it, from 0 to 1.
	Part float64
	// All returns them in order of the first time, then in a fixed order. A Joint is valid until the next.
	All iter.Seq2[*Joint, error]
}

// How many identifiers are kept, and how often they may have been seen before fewer are.
const (
	maxJoints = 1 << 20
	maxSights = 4 << 20
)

// everyHash is the limit below which all hashes are.
const everyHash = math.MaxUint64

// jointHash is by which identifiers are chosen. Servers make them at random, but evidence may say anything.
func jointHash(id *[16]byte) uint64 {
	h := binary.LittleEndian.Uint64(id[:8])*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(id[8:])
	h = (h ^ h>>32) * 0xC2B2AE3D27D4EB4F
	h = (h ^ h>>29) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}

func compareJointLogs(a, b JointLog) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), strings.Compare(a.Host, b.Host), strings.Compare(a.Format, b.Format), strings.Compare(a.Channel, b.Channel),
		compareBool(a.Sure, b.Sure))
}

// second returns the whole second of a time, in seconds.
func second(t int64) int64 {
	s := t / 1e9
	if t%1e9 < 0 {
		s--
	}
	return max(s, -lastSecond)
}

// lastSecond is the last that can be told in nanoseconds.
const lastSecond = math.MaxInt64 / 1_000_000_000

// sight is an identifier in a log.
type sight struct {
	hash uint64
	at   int64 // seconds
	log  int32 // index into jointSample.list
}

// jointSample takes the identifiers with the smallest hashes: which those are does not depend on the order in which they come.
type jointSample struct {
	ids, sights int
	// limit is beyond the hashes that are still taken.
	limit atomic.Uint64

	mu   sync.Mutex
	logs map[JointLog]int32
	list []JointLog
	all  []sight
	// crowded says that it was cut before sources were known that are skipped.
	crowded bool
}

func newJointSample() *jointSample {
	s := &jointSample{ids: maxJoints, sights: maxSights, logs: make(map[JointLog]int32)}
	s.limit.Store(everyHash)
	return s
}

// index returns that of a log.
func (s *jointSample) index(l JointLog) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.logs[l]
	if !ok {
		i = int32(len(s.list))
		l.Host = strings.Clone(l.Host)
		s.logs[l] = i
		s.list = append(s.list, l)
	}
	return i
}

// add takes what a Collector has seen.
func (s *jointSample) add(list []sight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all)+len(list) > s.sights {
		s.crowded = true
		s.cut(nobody)
	}
	if need := len(s.all) + len(list); need > cap(s.all) {
		s.all = slices.Grow(s.all, max(need, min(s.sights, 2*need))-len(s.all))
	}
	limit := s.limit.Load()
	for i := range list {
		if list[i].hash < limit {
			s.all = append(s.all, list[i])
		}
	}
}

// cut puts what was seen in order, once for each log, leaves out sources that skip tells, and keeps no more than it may: the smallest
// hashes, as many as there are of any.
func (s *jointSample) cut(skip func(source int) bool) {
	sortByKey(s.all, func(x *sight) uint64 { return x.hash }, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.log, b.log), cmp.Compare(a.at, b.at))
	})
	kept := s.all[:0]
	ids, begin := 0, 0 // where the last identifier begins
	for _, x := range s.all {
		if skip(int(s.list[x.log].Source)) {
			continue
		}
		if n := len(kept); n == 0 || kept[n-1].hash != x.hash {
			ids, begin = ids+1, n
		} else if kept[n-1].log == x.log {
			continue
		}
		if ids > s.ids || len(kept) == s.sights/2 {
			kept = kept[:begin]
			s.limit.Store(x.hash)
			break
		}
		kept = append(kept, x)
	}
	s.all = kept
}

// finish leaves out the logs of sources that skip tells, and numbers the others in their order.
func (s *jointSample) finish(skip func(source int) bool) (logs []JointLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowded { // or what is left would depend on what had come when it was cut
		s.cut(nobody)
	}
	s.cut(skip)
	number := make([]int32, len(s.list))
	for _, x := range s.all {
		number[x.log] = 1
	}
	for i, l := range s.list {
		if number[i] > 0 {
			logs = append(logs, l)
		}
	}
	slices.SortFunc(logs, compareJointLogs)
	for i, l := range logs {
		number[s.logs[l]] = int32(i)
	}
	for i := range s.all {
		s.all[i].log = number[s.all[i].log]
	}
	return logs
}

// each calls do with every Joint in order, after finish.
func (s *jointSample) each(do func(seen []sight, count int64) error) error {
	type group struct {
		from, to int32
		at       int64 // the first
	}
	n := 0
	for i := range s.all {
		if i == 0 || s.all[i].hash != s.all[i-1].hash {
			n++
		}
	}
	groups := make([]group, 0, n)
	for i := 0; i < len(s.all); {
		g := group{from: int32(i), at: s.all[i].at}
		for ; i < len(s.all) && s.all[i].hash == s.all[g.from].hash; i++ {
			g.at = min(g.at, s.all[i].at)
		}
		g.to = int32(i)
		if g.to-g.from > 1 {
			slices.SortFunc(s.all[g.from:g.to], func(a, b sight) int { return cmp.Compare(a.log, b.log) })
		}
		groups = append(groups, g)
	}
	compare := func(a, b group) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		if a.to-a.from == 1 && b.to-b.from == 1 {
			return cmp.Compare(s.all[a.from].log, s.all[b.from].log)
		}
		return slices.CompareFunc(s.all[a.from:a.to], s.all[b.from:b.to], func(a, b sight) int { return cmp.Or(cmp.Compare(a.log, b.log), cmp.Compare(a.at, b.at)) })
	}
	sortByKey(groups, func(g *group) uint64 { return uint64(g.at) ^ 1<<63 }, compare)
	for i := 0; i < len(groups); {
		j := i + 1
		for j < len(groups) && compare(groups[i], groups[j]) == 0 {
			j++
		}
		if err := do(s.all[groups[i].from:groups[i].to], int64(j-i)); err != nil {
			return err
		}
		i = j
	}
	return nil
}

// jointTaker takes the identifiers of one goroutine.
type jointTaker struct {
	sample *jointSample
	buffer []sight

	// The logs that were last told of, and which of them is forgotten next: the lines of several servers may stand in one file in turns.
	known  []knownLog
	oldest int
}

type knownLog struct {
	JointLog
	log int32 // index into jointSample.list
}

const maxKnownLogs = 16

// sightsAtOnce is how many are handed over at once.
const sightsAtOnce = 16 << 10

// Joint takes the identifier of an event that the log of a format tells of a host.
func (c *Collector) Joint(host []byte, format string, source int32, at int64, j *logs.Joint) {
	t := &c.joints
	hash := jointHash(&j.ID)
	if hash >= t.sample.limit.Load() || at == event.UnknownTime {
		return
	}
	if t.buffer == nil {
		t.buffer = make([]sight, 0, sightsAtOnce)
	}
	t.buffer = append(t.buffer, sight{hash, second(at), t.log(host, format, source, j)})
	if len(t.buffer) == cap(t.buffer) {
		t.flush()
	}
}

func (t *jointTaker) log(host []byte, format string, source int32, j *logs.Joint) int32 {
	for i := range t.known {
		if l := &t.known[i]; l.Sure == j.Sure && l.Source == source && l.Host == string(host) && l.Channel == j.Channel && l.Format == format {
			return l.log
		}
	}
	l := knownLog{JointLog: JointLog{source, string(host), format, j.Channel, j.Sure}}
	l.log = t.sample.index(l.JointLog)
	if len(t.known) < maxKnownLogs {
		t.known = append(t.known, l)
	} else {
		t.known[t.oldest%maxKnownLogs] = l
		t.oldest++
	}
	return l.log
}

func (t *jointTaker) flush() {
	if len(t.buffer) > 0 {
		t.sample.add(t.buffer)
	}
	t.buffer = t.buffer[:0]
}

// writeJointLogs writes the logs, and the limit of the sample at the beginning of each frame.
func (s *storeWriter) writeJointLogs() error {
	f := &s.frames
	for _, l := range s.jointLogs {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			f.buf = binary.AppendUvarint(f.buf, s.joints.limit.Load())
		}
		f.buf = binary.AppendUvarint(f.buf, uint64(l.Source))
		for _, t := range [...]string{l.Host, l.Format, l.Channel} {
			f.buf = binary.AppendUvarint(f.buf, uint64(len(t)))
			f.buf = append(f.buf, t...)
		}
		f.buf = append(f.buf, bit(l.Sure))
	}
	return nil
}

func (s *storeWriter) writeJoints() error {
	f := &s.frames
	before := int64(0)
	return s.joints.each(func(seen []sight, count int64) error {
		begins, err := s.frameIsFull()
		if err != nil {
			return err
		}
		if begins {
			before = 0
		}
		at := seen[0].at
		for _, x := range seen {
			at = min(at, x.at)
		}
		f.buf = binary.AppendVarint(f.buf, at-before)
		f.buf = binary.AppendUvarint(f.buf, uint64(len(seen)))
		log := int32(-1)
		for _, x := range seen {
			f.buf = binary.AppendUvarint(f.buf, uint64(x.log-log-1))
			f.buf = binary.AppendUvarint(f.buf, uint64(x.at-at))
			log = x.log
		}
		f.buf = binary.AppendUvarint(f.buf, uint64(count-1))
		before = at
		return nil
	})
}

func (f *File) readJointLogs(r *reader) error {
	f.jointLimit = r.uvarint()
	for r.left() > 0 {
		l := JointLog{Source: r.ref32()}
		for _, t := range [...]*string{&l.Host, &l.Format, &l.Channel} {
			*t = string(r.take(r.uvarint()))
		}
		l.Sure = r.byte() == 1
		if r.err != nil {
			return r.err
		}
		if n := len(f.jointLogs); int(l.Source) >= f.sources || n > 0 && compareJointLogs(f.jointLogs[n-1], l) >= 0 {
			return errDamaged
		}
		f.jointLogs = append(f.jointLogs, l)
	}
	return nil
}

// Joints implements [Store].
func (f *File) Joints() Joints {
	return Joints{Logs: f.jointLogs, Part: jointPart(f.jointLimit), All: f.eachJoint}
}

// jointPart returns which part of all hashes are below a limit.
func jointPart(limit uint64) float64 {
	if limit == everyHash {
		return 1
	}
	return float64(limit) / (1 << 64)
}

func (f *File) eachJoint(yield func(*Joint, error) bool) {
	in := f.reader(f.begin[jointSection], f.begin[jointSection+1])
	defer f.release(in)
	var out Joint
	for {
		frame, err := in.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		at := int64(0)
		for r := (reader{b: frame}); r.left() > 0; {
			at += r.varint()
			log := int64(-1)
			out.Seen = out.Seen[:0]
			if at < -lastSecond || at > lastSecond {
				r.fail()
			}
			n := r.uvarint()
			for ; n > 0 && r.err == nil; n-- {
				step, after := r.known(1), r.known(0)
				if step < 1 || step > int64(len(f.jointLogs)) || log+step >= int64(len(f.jointLogs)) || after > lastSecond-at {
					r.fail()
					break
				}
				log += step
				out.Seen = append(out.Seen, Sight{int32(log), (at + after) * 1e9})
			}
			out.Count = r.known(1)
			if r.err != nil || len(out.Seen) == 0 || out.Count < 1 {
				yield(nil, errDamaged)
				return
			}
			if !yield(&out, nil) {
				return
			}
		}
	}
}
