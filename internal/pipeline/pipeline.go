// Package pipeline wires the stages: evidence → blocks → events → findings and counts → tallies. It is the only place
// that knows workers, back-pressure and order.
//
// Every worker does the same: it takes a source, reads and cuts it, and lays blocks ready for workers that have nothing to
// do, or works on them itself where there are enough. So many small files and one large file use all cores alike, and what is in
// memory is bounded by the number of workers. Whatever finishes out of order is put back in order, block by block and
// source by source, before anybody sees it.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
	"github.com/barid-dfir/barid/sigma"
)

// Config says what a run reads and what it does with it.
type Config struct {
	Paths    []string
	Evidence evidence.Options
	Formats  []logs.Format
	Workers  int
	// From and To leave out events before and from then on, in nanoseconds since 1970 UTC; event.UnknownTime for no bound.
	// Events whose time is unknown are not left out.
	From, To int64
	// Zone returns the time zone of a stream whose log does not say its own, and where it was taken from.
	Zone func(path string) (zone *time.Location, from string)
	// Year returns the year of the first line of a stream whose log does not say its own; 0 where nobody said it. It may be nil.
	Year func(path string) int
	// Window is from when to when the incident was; zero where nobody said.
	Window [2]time.Time

	// Wanted, if set, leaves out streams in which no record from the first offset to before the second is wanted, and blocks of
	// such records.
	Wanted func(path string, from, to int64) bool

	// Rules are matched against every event if set; findings below MinLevel are dropped.
	Rules    *detect.Rules
	MinLevel detect.Level
	// NoCounting leaves out what rules that count over time find.
	NoCounting bool
	// Correlator takes what correlations refer to if set.
	Correlator *sigma.Correlator
	// Counts takes logins and requests if set.
	Counts *detect.Counts
	// Observed takes what events mean if set; Source.Streams then tells when there were events.
	Observed *tally.Collection
	// Event appends what is to be written of an event, and Out is where to, in the order of sources and events.
	Event func(dst []byte, source *logs.Source, e *event.Event, meaning []logs.Observation) []byte
	Out   io.Writer

	// Progress is told, when reading begins, where to ask for the bytes of files read so far and the events in them, and
	// returns what is to be called when reading ends. It may be nil.
	Progress func(read, events func() int64) (stop func())

	// Source is told of every source, in order, when it has been read; its findings can be read until Source returns.
	Source func(s *tally.Source, findings *Findings) error
}

// Result is how much was done.
type Result struct {
	Events, Bytes int64
	Findings      int64
	// Notes say what took no part in correlations, in words.
	Notes []string
}

// workspace makes a folder for temporary files, which is not read as evidence even if it lies in it.
func (cfg *Config) workspace() (remove func(), err error) {
	dir, err := os.MkdirTemp(cfg.Evidence.TempDir, "barid-*")
	if err != nil {
		return nil, fmt.Errorf("no place for temporary files: %w (TMPDIR can name another)", err)
	}
	cfg.Evidence.TempDir = dir
	cfg.Evidence.Skip = append(slices.Clip(cfg.Evidence.Skip), dir)
	return func() { os.RemoveAll(dir) }, nil
}

// window is how many sources may be finished or under way beyond the first that is not: it bounds what waits for its turn.
const window = 256

// Run reads the evidence. It returns an error where it could not go on; what could not be read of the evidence is told
// to Source and to Evidence.Report instead.
func Run(ctx context.Context, cfg Config) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{
		cfg: cfg, cancel: cancel, ctx: ctx,
		jobs:    make(chan *job),
		ready:   make(chan *source, 2*max(1, cfg.Workers)),
		buffers: make(chan []byte, 4*max(1, cfg.Workers)),
		turn:    newTurn(),

		finished: make(map[int]*source),
		sieves:   make(map[*event.Shape][]logs.Sieve),
	}
	var workers sync.WaitGroup
	for range max(1, cfg.Workers) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			r.work()
		}()
	}
	walker := evidence.NewWalker(cfg.Evidence)
	if cfg.Progress != nil {
		defer cfg.Progress(walker.Read, r.events.Load)()
	}
	ordinal := 0
	err := walker.Walk(ctx, cfg.Paths, func(s *evidence.Stream) error {
		if r.cfg.Wanted != nil && (s.Container != "" || !r.cfg.Wanted(s.Path, 0, math.MaxInt64)) {
			s.Skip()
			return nil
		}
		j := &job{ordinal: ordinal, stream: s, read: make(chan struct{})}
		ordinal++
		if !r.turn.waitFor(j.ordinal - window) {
			return context.Cause(ctx)
		}
		r.open.Add(1)
		select {
		case r.jobs <- j:
		case <-ctx.Done():
			r.open.Done()
			return context.Cause(ctx)
		}
		if s.Sequential {
			<-j.read
		}
		return nil
	})
	if err != nil {
		r.fail(err)
	}
	r.open.Wait()
	close(r.jobs)
	workers.Wait()
	err = cmpErr(context.Cause(ctx), err)
	return Result{Events: r.events.Load(), Bytes: r.bytes.Load(), Findings: r.findings.Load()}, errors.Join(err, walker.Close())
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

type run struct {
	cfg     Config
	ctx     context.Context
	cancel  context.CancelCauseFunc
	jobs    chan *job
	ready   chan *source   // sources of which a block lies ready; it may have been taken meanwhile
	buffers chan []byte    // that nobody uses
	open    sync.WaitGroup // sources that are not yet finished
	turn    *turn
	heads   sync.Pool // of *[evidence.MaxPeek]byte

	seen identities // used by the source whose turn it is

	sieving sync.Mutex
	sieves  map[*event.Shape][]logs.Sieve

	finishing sync.Mutex
	finished  map[int]*source // sources that wait for their turn

	events, bytes, findings atomic.Int64
	// inMemory and written are the bytes of findings and of written events that wait for the turn of their sources.
	inMemory, written atomic.Int64
}

// sievesOf returns what finds all that the rules and the parser ask for in the parts of events of the Shape; nil where there
// is no such thing.
func (r *run) sievesOf(shape *event.Shape, parts []logs.Part) []logs.Sieve {
	r.sieving.Lock()
	defer r.sieving.Unlock()
	out, ok := r.sieves[shape]
	if ok {
		return out
	}
	var engine *sigma.Engine
	if r.cfg.Rules != nil {
		engine = r.cfg.Rules.Engine
	} else {
		engine, _ = sigma.Compile(&sigma.Pack{}, sigma.Options{})
	}
	list := make([]sigma.Part, len(parts))
	for i, p := range parts {
		list[i] = sigma.Part(p)
	}
	for _, s := range engine.Sieves(shape, list) {
		if s == nil {
			out = append(out, nil)
		} else {
			out = append(out, s)
		}
	}
	if len(r.sieves) >= maxShapes {
		clear(r.sieves)
	}
	r.sieves[shape] = out
	return out
}

// fail stops the run. The first reason stands.
func (r *run) fail(err error) {
	r.cancel(err)
	r.turn.stop()
}

// job is a source to be read.
type job struct {
	ordinal int
	stream  *evidence.Stream
	read    chan struct{} // closed when the stream has been read
}

// block is a block of a source and its place in it.
type block struct {
	logs.Block
	source *source
	index  int
	buffer []byte // what Data lies in, if it belongs to the block
}

// work takes sources and blocks of other workers' sources until there are no more.
func (r *run) work() {
	w := newWorker(r)
	defer w.close()
	for {
		select {
		case j, ok := <-r.jobs:
			if !ok {
				return
			}
			w.read(j)
			r.open.Done()
		case s := <-r.ready:
			if b := s.take(); b != nil {
				w.process(b)
			}
		}
	}
}

// turn says whose turn it is among sources that finish in any order.
type turn struct {
	mu      sync.Mutex
	cond    *sync.Cond
	now     int
	stopped bool
	moved   chan struct{} // closed when now moves, or nothing moves any more
}

func newTurn() *turn {
	t := &turn{moved: make(chan struct{})}
	t.cond = sync.NewCond(&t.mu)
	return t
}

// waitFor waits until the turn of ordinal has come; it reports false if the run was stopped.
func (t *turn) waitFor(ordinal int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.now < ordinal && !t.stopped {
		t.cond.Wait()
	}
	return !t.stopped
}

// moves returns what is closed when it is the next one's turn, or the run is stopped.
func (t *turn) moves() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moved
}

func (t *turn) isNow(ordinal int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now >= ordinal
}

func (t *turn) next() {
	t.mu.Lock()
	t.now++
	close(t.moved)
	t.moved = make(chan struct{})
	t.mu.Unlock()
	t.cond.Broadcast()
}

func (t *turn) stop() {
	t.mu.Lock()
	if !t.stopped {
		t.stopped = true
		close(t.moved)
		t.moved = make(chan struct{})
	}
	t.mu.Unlock()
	t.cond.Broadcast()
}

// Recognise returns the format that a source is most surely of, or nil.
func Recognise(formats []logs.Format, s *logs.Source) *logs.Format {
	var best *logs.Format
	certainty := logs.No
	for i := range formats {
		if c := formats[i].Sniff(s); c > certainty {
			best, certainty = &formats[i], c
		}
		if certainty == logs.Certain {
			break
		}
	}
	return best
}

// describe puts a defect into words, with its place.
func describe(d event.Defect) string {
	switch {
	case d.Line > 0:
		return fmt.Sprintf("line %d (byte %d, length %d): %s", d.Line, d.Offset, d.Length, d.Reason)
	default:
		return fmt.Sprintf("byte %d, length %d: %s", d.Offset, d.Length, d.Reason)
	}
}

// Errors returns all that was wrong with a source in words, the first of its defects among it.
func Errors(s *tally.Source) []string {
	out := slices.Clone(s.Errors)
	for _, d := range s.Defects {
		out = append(out, describe(d))
	}
	return out
}
