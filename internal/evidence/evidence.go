// Package evidence turns what was handed over (files, folders, archives, standard input) into named, hashed streams.
//
// A [Walker] visits every [Stream] in a fixed order: arguments as given, folders by name, archives in the order of
// their entries. Archives are told by content, never by name, and are opened up to a depth. Nothing is ever written,
// run or followed because a name or a link inside the evidence says so; whatever could not be read, was refused or was
// put right is reported with its path and the reason.
package evidence

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Problem is a part of the evidence that was not read as it stands, and why.
type Problem struct {
	// Path names the stream, archive, file or folder.
	Path string
	// Reason says what is wrong, for people, and what they can do about it.
	Reason string
	// Note is set where nothing was lost: the same file was given twice, say.
	Note bool
}

// Options says how evidence is walked. The zero Options is ready for use.
type Options struct {
	// MaxDepth is how many archives may lie in one another; 0 stands for 3. A compressed tar is one archive.
	MaxDepth int
	// MaxRatio is how many bytes may come out of one byte of an archive, beyond a floor that small archives are allowed
	// whatever their ratio; 0 stands for 200.
	MaxRatio float64
	// MaxTotal is how many bytes may be unpacked in all; 0 stands for 200 GiB.
	MaxTotal int64
	// MaxEntries is how many entries may lie in one file that was handed over, at all depths; 0 stands for 1,000,000.
	MaxEntries int
	// TempDir is where archives that lie in archives are spooled if they are too large for memory; "" is the system's.
	TempDir string
	// Skip names folders that are no evidence though they may lie in it: what the program itself is writing. Nobody is told
	// of them: their names differ from run to run.
	Skip []string
	// Stdin is what the path "-" reads; nil is an empty one.
	Stdin io.Reader
	// Report is told of every problem, once. Calls come one at a time, from any goroutine that walks or reads. It may be nil.
	Report func(Problem)
}

// The defaults of Options.
const (
	DefaultMaxDepth   = 3
	DefaultMaxRatio   = 200
	DefaultMaxTotal   = 200 << 30
	DefaultMaxEntries = 1_000_000
)

func (o Options) withDefaults() Options {
	if o.MaxDepth <= 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxRatio <= 0 {
		o.MaxRatio = DefaultMaxRatio
	}
	if o.MaxTotal <= 0 {
		o.MaxTotal = DefaultMaxTotal
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	return o
}

// Walker visits evidence and holds what its streams still need. One Walker walks once.
type Walker struct {
	opt Options

	reporting sync.Mutex
	read      atomic.Int64 // bytes of the files handed over
	unpacked  atomic.Int64 // bytes out of archives, at all depths
	buffered  atomic.Int64 // bytes of small entries that are held until they are read

	seed      maphash.Seed
	inflaters sync.Pool // of readers of Deflate

	seen map[fileKey]string // files that could be met again, and under which path they were

	closing sync.Mutex
	spools  map[*spool]struct{}

	peeks sync.Pool // of *[MaxPeek]byte, for readers
}

// NewWalker returns a Walker that goes by opt.
func NewWalker(opt Options) *Walker {
	return &Walker{seed: maphash.MakeSeed(), opt: opt.withDefaults(), seen: map[fileKey]string{}, spools: map[*spool]struct{}{}}
}

// Walk calls visit for every stream of the evidence at paths, in order, from the calling goroutine. "-" is standard input.
// What cannot be read is reported and costs itself; Walk returns an error only if visit did, or ctx was cancelled.
//
// A container (an archive, a compressed file) is visited after what is in it.
func (w *Walker) Walk(ctx context.Context, paths []string, visit func(*Stream) error) error {
	v := &walk{Walker: w, ctx: ctx, visit: visit, paths: paths, several: len(paths) > 1}
	for _, p := range paths {
		if err := v.argument(p); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what visited streams still hold: temporary files. No stream can be opened afterwards.
func (w *Walker) Close() error {
	w.closing.Lock()
	defer w.closing.Unlock()
	var errs []error
	for s := range w.spools {
		errs = append(errs, s.remove())
	}
	clear(w.spools)
	return errors.Join(errs...)
}

// Read returns how many bytes of the files handed over have been read so far, as they lie on disk: with [Measure], how
// far the work is. It may be called at any time.
func (w *Walker) Read() int64 { return w.read.Load() }

// Walk visits the evidence at paths with a Walker of its own: streams must have been read when visit returns.
func Walk(ctx context.Context, paths []string, opt Options, visit func(*Stream) error) error {
	w := NewWalker(opt)
	err := w.Walk(ctx, paths, visit)
	return errors.Join(err, w.Close())
}

// Stream is a run of bytes that was handed over: a file, standard input, an entry of an archive, or an archive itself.
type Stream struct {
	// Path names it, with '!' between an archive and its entry: logs.zip!HttpProxy/Ecp/x.LOG. A file that is only compressed
	// has one name for both: x.log.gz is the container as well as the log in it. Names are valid UTF-8 without control characters.
	Path string
	// Size is its length in bytes as its folder or archive states it; -1 if that is not known before it was read.
	Size int64
	// ModTime is when it was last written, by the file system or its archive; zero if unknown.
	ModTime time.Time
	// Sequential is set where it can only be read before visit returns. Other streams can be opened at any time until the
	// Walker is closed, several at once.
	Sequential bool
	// Container is the kind of archive (zip, tar, tar+gzip, gzip, …) of a stream whose content is visited apart: it is
	// listed for its hash. "" for a stream that is to be read.
	Container string

	w     *Walker
	src   source
	known *digest // of a container that Walk had to read
	drop  func()  // ends the hold on what src needs; nil if there is none
}

type digest struct {
	size int64
	sum  [32]byte
}

// Open returns the stream from its beginning. It can be opened once.
func (s *Stream) Open() (*Reader, error) { return s.openFor(reading) }

func (s *Stream) openFor(p purpose) (*Reader, error) {
	rc, err := s.src.open(p)
	if err != nil {
		s.release()
		s.w.report(s.Path, err)
		return nil, err
	}
	return newReader(s, rc), nil
}

// Skip gives up a stream that is not to be opened.
func (s *Stream) Skip() { s.release() }

func (s *Stream) release() {
	if s.drop != nil {
		s.drop()
		s.drop = nil
	}
}

// Hash returns the length of the stream and its SHA-256, for streams that need not be looked into: it reads the stream,
// unless Walk has had to. After an error, which has been reported, they are those of what could be read.
func (s *Stream) Hash() (size int64, sum [32]byte, err error) {
	if s.known != nil {
		return s.known.size, s.known.sum, nil
	}
	r, err := s.openFor(looking)
	if err != nil {
		return 0, sum, err
	}
	defer r.Close()
	err = r.Finish()
	return r.Count(), r.Sum(), err
}

// source is where the bytes of a stream come from.
type source interface {
	open(purpose) (io.ReadCloser, error)
}

// purpose is what a source is opened for.
type purpose bool

const (
	reading purpose = true  // its bytes count as progress
	looking purpose = false // they do not: they are, or were, read for another reason too
)

// report tells of an error that cost a part of the evidence.
func (w *Walker) report(path string, err error) { w.tell(Problem{Path: path, Reason: reason(err)}) }

// note tells of something that cost nothing.
func (w *Walker) note(path, text string) { w.tell(Problem{Path: path, Reason: text, Note: true}) }

func (w *Walker) tell(p Problem) {
	if w.opt.Report == nil {
		return
	}
	w.reporting.Lock()
	defer w.reporting.Unlock()
	w.opt.Report(p)
}
