package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
	"github.com/barid-dfir/barid/sigma"
)

// worker has all that is needed to turn blocks into results, and keeps it from block to block.
type worker struct {
	run        *run
	parsers    map[*logs.Format]logs.Parser
	detector   *detect.Detector
	counter    *detect.Counter
	collector  *sigma.Collector
	observer   *observer // nil where nothing asks what events mean
	batch      event.Batch
	meaning    []logs.Observation
	joiner     logs.Joiner   // of the block; nil if its events have no joint identifiers
	answerer   logs.Answerer // of the block; nil if it is not of a web server
	requests   map[*event.Shape]bool
	address    []byte
	ids        []identity      // of the events of the batch
	repeats    []bool          // which of them had been met
	spare      []byte          // a buffer for blocks that nobody uses
	identifier logs.Identifier // of the block; nil if its events tell no identities
	named      []logs.Identity
}

func newWorker(r *run) *worker {
	w := &worker{run: r, parsers: make(map[*logs.Format]logs.Parser), requests: make(map[*event.Shape]bool)}
	if r.cfg.Rules != nil {
		if r.cfg.Correlator != nil {
			w.collector = r.cfg.Correlator.Collector()
		}
		w.detector = r.cfg.Rules.NewDetector(r.cfg.MinLevel, w.collector)
	}
	if r.cfg.Counts != nil {
		w.counter = r.cfg.Counts.Counter()
	}
	if r.cfg.Observed != nil {
		w.observer = newObserver(r.cfg.Observed.Collector())
	}
	return w
}

func (w *worker) close() {
	if w.counter != nil {
		w.counter.Flush()
	}
	if w.collector != nil {
		if err := w.collector.Flush(); err != nil {
			w.run.fail(err)
		}
	}
	if w.observer != nil {
		if err := w.observer.collector.Flush(); err != nil {
			w.run.fail(err)
		}
	}
}

// read reads a source from beginning to end.
func (w *worker) read(j *job) {
	s := newSource(w.run, j)
	if j.stream.Container != "" {
		s.tally.Bytes, s.tally.SHA256, _ = j.stream.Hash() // the error has been reported
		close(j.read)
		s.finish()
		return
	}
	w.cut(s, j)
	close(j.read)
	s.finishReading()
}

// cut cuts a source into blocks and works on them.
func (w *worker) cut(s *source, j *job) {
	defer func() {
		if fault := recover(); fault != nil {
			s.failed(failure(fault))
		}
	}()
	r, err := j.stream.Open()
	if err != nil {
		s.failed(err)
		return
	}
	defer r.Close()
	defer func() {
		if err := r.Finish(); err != nil && !errors.Is(err, io.EOF) {
			s.failed(err)
		}
		s.tally.Bytes, s.tally.SHA256 = r.Count(), r.Sum()
		w.run.bytes.Add(r.Count())
	}()
	head := r.Peek(evidence.MaxPeek)
	zone, from := time.UTC, "assumed"
	if w.run.cfg.Zone != nil {
		zone, from = w.run.cfg.Zone(j.stream.Path)
	}
	year := 0
	if w.run.cfg.Year != nil {
		year = w.run.cfg.Year(j.stream.Path)
	}
	s.logs = &logs.Source{Path: j.stream.Path, ModTime: j.stream.ModTime, Zone: zone, ZoneFrom: from, Year: year, Window: w.run.cfg.Window, Head: append(w.run.head(), head...)}
	if e := r.Encoding(); e != "" {
		s.tally.Notes = append(s.tally.Notes, "read as "+e+": offsets are those of the same text in UTF-8")
	}
	if len(head) == 0 {
		return
	}
	s.format = Recognise(w.run.cfg.Formats, s.logs)
	if s.format == nil {
		return
	}
	if s.format.Identify != nil && !w.helpUntil(s.ordinal) {
		return
	}
	w.blocks(s, r)
}

// readSize is how many bytes are read before the Cutter is asked: a block, and what may belong to it beyond that, such as
// a header.
const readSize = logs.BlockSize + 64<<10

// blocks reads r block by block. The buffer holds what is unread; a block that is laid ready for other workers takes the
// buffer with it.
func (w *worker) blocks(s *source, r *evidence.Reader) {
	defer w.finishReady(s)
	cutter := s.format.Cutter(s.logs)
	buf := w.buffer(readSize)
	have, eof := 0, false
	offset, line, first := int64(0), int64(1), true
	want := readSize
	for index := 0; ; {
		for have < want && !eof {
			n, err := r.Read(buf[have:want])
			have += n
			eof = err != nil // which error it was is asked of r at the end
		}
		if have == 0 {
			w.release(buf)
			return
		}
		n, state := cutter.Cut(buf[:have], eof)
		if n == 0 && !eof && have < logs.MaxBlock {
			want = min(2*want, logs.MaxBlock)
			if len(buf) < want {
				larger := w.buffer(want)
				copy(larger, buf[:have])
				w.release(buf)
				buf = larger
			}
			continue
		}
		if n <= 0 || n > have {
			n = have // a Cutter that cannot decide must not stop the run
		}
		want = readSize
		if n == have && !eof {
			eof = len(r.Peek(1)) == 0
		}
		b := &block{source: s, index: index}
		b.Block = logs.Block{Source: s.logs, Data: buf[:n:n], Offset: offset, Line: line, First: first, Last: eof && n == have, State: state}
		index, first = index+1, false
		offset += int64(n)
		line += countLines(b.Data)
		rest := buf[n:have]
		s.begin()
		if w.run.ctx.Err() != nil {
			s.end()
			return
		}
		if w.run.cfg.Workers <= 1 {
			w.process(b)
			have = copy(buf, rest)
			continue
		}
		b.buffer = buf
		buf = w.buffer(max(want, len(rest)))
		have = copy(buf, rest)
		if oldest := s.lay(b); oldest != nil {
			w.process(oldest)
		}
	}
}

// finishReady processes the blocks of a source that lie ready and that nobody has taken.
func (w *worker) finishReady(s *source) {
	for b := s.take(); b != nil; b = s.take() {
		if w.run.ctx.Err() != nil {
			s.end()
			continue
		}
		w.process(b)
	}
}

// helpUntil waits for the turn of a source, and meanwhile works on those before it. It reports false if the run was
// stopped.
func (w *worker) helpUntil(ordinal int) bool {
	for {
		moved := w.run.turn.moves()
		if w.run.ctx.Err() != nil {
			return false
		}
		if w.run.turn.isNow(ordinal) {
			return true
		}
		select {
		case <-moved:
		case s := <-w.run.ready:
			// A block of a later source could wait for the turn of this one.
			if s.ordinal >= ordinal {
				continue
			}
			if b := s.take(); b != nil {
				w.process(b)
			}
		}
	}
}

// buffer returns a buffer of at least n bytes: the worker's own spare one where it will do.
func (w *worker) buffer(n int) []byte {
	if b := w.spare; len(b) >= n {
		w.spare = nil
		return b
	}
	select {
	case b := <-w.run.buffers:
		if len(b) >= n {
			return b
		}
	default:
	}
	return make([]byte, n)
}

// release takes a buffer that nobody uses any more. A very large one, for a very long record, is let go.
func (w *worker) release(b []byte) {
	if len(b) > 2*readSize {
		return
	}
	if w.spare == nil {
		w.spare = b
		return
	}
	select {
	case w.run.buffers <- b:
	default:
	}
}

// head returns an empty buffer for the head of a source, which handOver gives back.
func (r *run) head() []byte {
	if b, ok := r.heads.Get().(*[evidence.MaxPeek]byte); ok {
		return b[:0]
	}
	return new([evidence.MaxPeek]byte)[:0]
}

func countLines(p []byte) int64 { return int64(bytes.Count(p, []byte{'\n'})) }

// process turns a block into events and all that follows from them.
func (w *worker) process(b *block) {
	s := b.source
	res := &result{}
	res.tally.Reset()
	w.examine(b, res)
	if s.format.Identify != nil {
		s.identified(b.index, func() {})
	}
	w.run.events.Add(res.tally.Events)
	w.run.findings.Add(int64(len(res.findings)))
	if b.buffer != nil {
		w.batch.Reset() // before its bytes get another owner
		w.release(b.buffer)
	}
	s.deliver(b.index, res)
	s.end()
}

// examine fills in res. A panic on the way is a fault of this program that the evidence brought out: it costs the rest of
// the block, and is told like any other part that could not be read.
func (w *worker) examine(b *block, res *result) {
	defer func() {
		if fault := recover(); fault != nil {
			res.tally.Defect(event.Defect{Offset: b.Offset, Length: int64(len(b.Data)), Line: b.Line, Reason: failure(fault).Error()})
			res.tally.Forget()
			delete(w.parsers, b.source.format)
			w.batch = event.Batch{}
			if w.detector != nil {
				w.detector = w.run.cfg.Rules.NewDetector(w.run.cfg.MinLevel, w.collector)
			}
		}
	}()
	s := b.source
	if wanted := w.run.cfg.Wanted; wanted != nil && !wanted(s.logs.Path, b.Offset, b.Offset+int64(len(b.Data))) {
		w.batch.Reset()
		return
	}
	parser := w.parser(s.format)
	w.joiner, _ = parser.(logs.Joiner)
	w.answerer, _ = parser.(logs.Answerer)
	w.identifier, _ = parser.(logs.Identifier)
	w.batch.Reset()
	plain := w.skim(parser, b)
	if plain == nil {
		parser.Parse(&b.Block, &w.batch)
	}
	w.plain(s, res)
	w.identify(b)
	if w.observer != nil {
		w.streams(b, &res.tally, plain)
	}
	for _, d := range w.batch.Defects {
		res.tally.Defect(d)
	}
	if w.run.cfg.Event != nil {
		res.out = make([]byte, 0, 2*len(b.Data))
	}
	for i := range w.batch.Events {
		if i < len(w.repeats) && w.repeats[i] {
			res.tally.Duplicates++
			w.repeated(s, parser, &w.batch.Events[i])
			continue
		}
		w.event(s, parser, &w.batch.Events[i], res)
	}
}

// identify finds out which events of a block had been met, in a log that may repeat them. Blocks are parsed and their events
// matched at the same time as others; only here they go one after another.
func (w *worker) identify(b *block) {
	w.repeats, w.ids = w.repeats[:0], w.ids[:0]
	s := b.source
	if s.format.Identify == nil {
		return
	}
	for i := range w.batch.Events {
		id, ok := s.format.Identify(&w.batch.Events[i])
		w.ids, w.repeats = append(w.ids, id), append(w.repeats, ok)
	}
	s.identified(b.index, func() {
		for i, known := range w.repeats {
			w.repeats[i] = known && w.run.seen.add(w.ids[i])
		}
	})
}

// failure puts a panic into words.
func failure(fault any) error {
	return fmt.Errorf("reading it failed by a fault of Barid, which is worth a report: %v", fault)
}

func (w *worker) event(s *source, parser logs.Parser, e *event.Event, res *result) {
	cfg := &w.run.cfg
	res.tally.Event(e)
	if w.left(e.Time) {
		return
	}
	if w.detector != nil {
		res.findings = w.detector.Detect(e, s.ordinal, res.findings)
	}
	if w.counter == nil && cfg.Event == nil && w.observer == nil {
		return
	}
	w.meaning = parser.Observe(e, w.meaning[:0])
	if w.observer != nil {
		if w.joiner != nil {
			w.joint(s, e, &res.tally)
		}
		if w.identifier != nil {
			w.identities(e)
		}
		w.observe(s, e, &res.tally)
		if w.answerer != nil && len(w.meaning) == 0 {
			w.answer(s, e)
		}
	}
	if w.counter != nil {
		w.count(s, e)
	}
	if cfg.Event != nil {
		res.out = cfg.Event(res.out, s.logs, e, w.meaning)
	}
}

// repeated takes what the row of a record that another row had says of the export itself: whether that was cut off.
func (w *worker) repeated(s *source, parser logs.Parser, e *event.Event) {
	if w.observer == nil || w.left(e.Time) {
		return
	}
	w.meaning = parser.Observe(e, w.meaning[:0])
	at := tally.Ref{Source: int32(s.ordinal), Time: e.Time, Line: e.Line, Record: e.Record, Offset: e.Offset}
	for i := range w.meaning {
		if m := &w.meaning[i]; m.Kind == logs.Gap && m.Inference == logs.GapTruncatedExport {
			if err := w.observer.collector.Add(e.Role(event.Host).AppendText(nil), e.Shape.Format, at, m); err != nil {
				w.run.fail(err)
				return
			}
		}
	}
}

// skim parses a block without the events that match no rule and mean nothing, if its parser can do that, and returns the Shape
// of those.
func (w *worker) skim(parser logs.Parser, b *block) *event.Shape {
	p, ok := parser.(logs.Skimmer)
	if !ok || w.run.cfg.Event != nil {
		return nil
	}
	shape, parts := p.Skims(&b.Block)
	if shape == nil {
		return nil
	}
	sieves := w.run.sievesOf(shape, parts)
	if sieves == nil {
		return nil
	}
	p.Skim(&b.Block, sieves, &w.batch)
	return shape
}

// plain takes account of the plain events of a batch.
func (w *worker) plain(s *source, res *result) {
	for i := range w.batch.Plain {
		e := &w.batch.Plain[i]
		res.tally.Plain(e)
		if w.counter == nil || w.left(e.Time) {
			continue
		}
		w.counter.Request(e.Client, s.ordinal, detect.Position{Time: e.Time, Offset: e.Offset, Line: e.Line})
	}
}

// maxShapes bounds the Shapes that a worker remembers, and so keeps alive: evidence can be made of nothing but new ones.
const maxShapes = 4096

// count takes account of logins and of requests to web servers.
func (w *worker) count(s *source, e *event.Event) {
	at := detect.Position{Time: e.Time, Offset: e.Offset, Line: e.Line}
	for i := range w.meaning {
		o := &w.meaning[i]
		switch {
		case o.Kind != logs.Login || o.Count == 0:
		case o.Unknown:
			w.counter.LoginTried(o.IP, o.Account, o.Channel, max(1, o.Count), s.ordinal, at)
		default:
			w.counter.Login(o.OK, o.IP, o.Account, o.Channel, max(1, o.Count), s.ordinal, at)
		}
	}
	request, known := w.requests[e.Shape]
	if !known {
		for _, src := range e.Shape.Sources {
			request = request || src.Category == "webserver"
		}
		if len(w.requests) >= maxShapes {
			clear(w.requests)
		}
		w.requests[e.Shape] = request
	}
	if !request {
		return
	}
	if v := e.Role(event.Client); !v.IsNull() {
		w.address = v.AppendText(w.address[:0])
		w.counter.Request(w.address, s.ordinal, at)
	}
}

func (w *worker) parser(f *logs.Format) logs.Parser {
	p := w.parsers[f]
	if p == nil {
		p = f.Parser()
		w.parsers[f] = p
	}
	return p
}
