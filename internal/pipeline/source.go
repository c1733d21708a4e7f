package pipeline

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// source is a stream that is being read. Its blocks may be with several workers.
type source struct {
	run     *run
	ordinal int
	logs    *logs.Source
	format  *logs.Format // nil if nobody recognised it

	mu        sync.Mutex
	tally     tally.Source
	findings  Findings
	recovered Findings        // in recovered records
	next      int             // index of the block that comes next in order
	waiting   map[int]*result // results that came too early
	advanced  *sync.Cond      // next or identity has moved, or next never will
	identity  int             // index of the block whose events are to be identified next
	broken    bool            // results are not taken any more
	under     int             // blocks under way
	read      bool            // the stream has been read to its end
	out       []byte          // written events that wait for the source's turn

	laying sync.Mutex
	ready  []*block // for whoever takes them, the oldest first
}

// result is what became of a block.
type result struct {
	tally    tally.Block
	findings []detect.Finding
	out      []byte
}

func newSource(r *run, j *job) *source {
	s := &source{run: r, ordinal: j.ordinal, waiting: make(map[int]*result)}
	s.advanced = sync.NewCond(&s.mu)
	s.tally = tally.Source{Ordinal: j.ordinal, Path: j.stream.Path, Container: j.stream.Container, From: event.UnknownTime, To: event.UnknownTime}
	s.findings.dir, s.findings.inAll = r.cfg.Evidence.TempDir, &r.inMemory
	s.recovered.dir, s.recovered.inAll = r.cfg.Evidence.TempDir, &r.inMemory
	return s
}

// maxReady is how many blocks of a source lie ready for others, so that they need not wait while its reader is busy.
const maxReady = 2

// lay lays a block ready for other workers. Where there are too many already, it returns the oldest, which is then the
// caller's to process: whoever reads a source processes nothing else, so that sources end in their order.
func (s *source) lay(b *block) (oldest *block) {
	s.laying.Lock()
	s.ready = append(s.ready, b)
	if len(s.ready) > maxReady {
		oldest = s.ready[0]
		s.ready = append(s.ready[:0], s.ready[1:]...)
	}
	s.laying.Unlock()
	select {
	case s.run.ready <- s:
	default: // nobody is waiting
	}
	return oldest
}

// take returns the oldest block that lies ready, nil if there is none.
func (s *source) take() (oldest *block) {
	s.laying.Lock()
	defer s.laying.Unlock()
	if len(s.ready) == 0 {
		return nil
	}
	oldest = s.ready[0]
	s.ready = append(s.ready[:0], s.ready[1:]...)
	return oldest
}

// failed notes that the stream as a whole could not be read, or not to its end.
func (s *source) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Errors = append(s.tally.Errors, err.Error())
}

func (s *source) begin() {
	s.mu.Lock()
	s.under++
	s.mu.Unlock()
}

func (s *source) end() {
	s.mu.Lock()
	s.under--
	done := s.read && s.under == 0
	s.mu.Unlock()
	if done {
		s.finish()
	}
}

func (s *source) finishReading() {
	s.mu.Lock()
	s.read = true
	done := s.under == 0
	s.mu.Unlock()
	if done {
		s.finish()
	}
}

// How many bytes of events are written ahead of their turn: by one source, and by all.
const (
	maxOut      = 8 << 20
	maxOutInAll = 32 << 20
)

// maxEarly is how many blocks may be ahead of one that takes long: their results wait in memory.
const maxEarly = 64

// deliver takes the result of a block, and deals with it when those before it have been dealt with. Whoever has the block
// that comes next waits for nobody, so that waiting here ends.
func (s *source) deliver(index int, res *result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for index-s.next >= maxEarly && !s.broken {
		s.advanced.Wait()
	}
	s.waiting[index] = res
	for {
		res := s.waiting[s.next]
		if res == nil {
			return
		}
		delete(s.waiting, s.next)
		s.next++
		s.advanced.Broadcast()
		s.tally.Add(&res.tally)
		live, recovered := split(res.findings)
		if err := cmp.Or(s.findings.add(live), s.recovered.add(recovered)); err != nil {
			s.run.fail(err)
			s.broken = true
			s.advanced.Broadcast()
			return
		}
		s.write(res.out)
	}
}

// identified calls do when the events of all blocks before this one have been identified, unless those of this one have.
// It ends, for whoever has the block before this one does not wait for it.
func (s *source) identified(index int, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.identity < index {
		s.advanced.Wait()
	}
	if s.identity == index {
		s.identity++
		defer s.advanced.Broadcast()
		do()
	}
}

// write writes to the run's output what is due, and keeps a bounded part of what is not.
func (s *source) write(p []byte) {
	if s.run.cfg.Out == nil || len(p) == 0 {
		return
	}
	s.out = append(s.out, p...)
	all := s.run.written.Add(int64(len(p)))
	if len(s.out) < 64<<10 || !s.run.turn.isNow(s.ordinal) && len(s.out) < maxOut && all < maxOutInAll {
		return
	}
	s.flush()
}

func (s *source) flush() {
	if len(s.out) == 0 || !s.run.turn.waitFor(s.ordinal) {
		return
	}
	if _, err := s.run.cfg.Out.Write(s.out); err != nil {
		s.run.fail(fmt.Errorf("cannot write: %w", err))
	}
	s.run.written.Add(-int64(len(s.out)))
	s.out = s.out[:0]
}

// finish hands the source over when its turn has come, and those after it that were waiting for it.
func (s *source) finish() {
	r := s.run
	r.finishing.Lock()
	defer r.finishing.Unlock()
	r.finished[s.ordinal] = s
	for {
		s := r.finished[r.turn.now]
		if s == nil {
			return
		}
		delete(r.finished, s.ordinal)
		if r.ctx.Err() == nil {
			s.handOver()
		}
		s.findings.close()
		s.recovered.close()
		if s.logs != nil && cap(s.logs.Head) == evidence.MaxPeek {
			r.heads.Put((*[evidence.MaxPeek]byte)(s.logs.Head[:evidence.MaxPeek]))
			s.logs = nil
		}
		r.turn.next()
	}
}

func (s *source) handOver() {
	s.flush()
	if s.format != nil {
		if s.format.Zoneless != nil && s.format.Zoneless(s.logs) {
			s.tally.Notes = append(s.tally.Notes, "times have no zone; read as "+s.logs.Zone.String()+" ("+s.logs.ZoneFrom+")")
			s.tally.ZoneAssumed = s.logs.ZoneFrom != "facts"
		}
		s.tally.YearAssumed = s.format.YearAssumed != nil && s.format.YearAssumed(s.logs)
		if s.format.Notes != nil {
			s.tally.Notes = append(s.tally.Notes, s.format.Notes(s.logs)...)
		}
		if s.format.Identify != nil && s.run.seen.forgot {
			s.tally.Notes = append(s.tally.Notes, fmt.Sprintf("so many records were read that repeats more than %d records apart may be counted again", maxIdentities))
		}
		s.tally.Format = s.format.Name
		if s.format.Refine != nil {
			s.tally.Format = s.format.Refine(s.logs)
		}
	}
	if s.run.cfg.Source == nil {
		return
	}
	if err := s.addRecovered(); err != nil {
		s.run.fail(err)
		return
	}
	if err := s.run.cfg.Source(&s.tally, &s.findings); err != nil {
		s.run.fail(err)
	}
}
