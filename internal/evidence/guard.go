package evidence

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// What may come out of an archive whatever the ratio: logs of machines that repeat themselves compress very well.
const (
	entryFloor = 256 << 20 // out of one compressed stream
	fileFloor  = 1 << 30   // out of one file that was handed over, at all depths
)

// errLimit is the error of an archive that gives more than the Options allow.
type errLimit struct {
	text string
	all  bool // nothing more is to be read of the file that was handed over
}

func (e *errLimit) Error() string { return e.text }

func isFileLimit(err error) bool {
	var l *errLimit
	return errors.As(err, &l) && l.all
}

// account is what is known about one file that was handed over, and what came out of it.
type account struct {
	size     int64        // of the file; -1 if it is standard input
	in       atomic.Int64 // bytes read of standard input
	unpacked atomic.Int64
	entries  int // seen in its archives; for the goroutine that walks
}

func (a *account) given() int64 {
	if a.size >= 0 {
		return a.size
	}
	return a.in.Load()
}

// charge counts n more bytes out of an archive and says whether that is too much.
func (w *Walker) charge(a *account, n int64) error {
	if total := w.unpacked.Add(n); total > w.opt.MaxTotal {
		return &errLimit{fmt.Sprintf("refused: more than %s were unpacked in all; --max-total raises the limit", size(w.opt.MaxTotal)), true}
	}
	if out := a.unpacked.Add(n); float64(out-fileFloor) > w.opt.MaxRatio*float64(a.given()) {
		return &errLimit{fmt.Sprintf("refused: %s came out of %s, as of an archive bomb; --max-ratio raises the limit of %g",
			size(out), size(a.given()), w.opt.MaxRatio), true}
	}
	return nil
}

// meter counts what comes out of a decompressor and breaks off where it is too much.
type meter struct {
	w    *Walker
	acct *account
	src  io.ReadCloser
	in   func() int64  // compressed bytes behind what came out
	high *atomic.Int64 // how far it was ever read, where the same stream is opened again
	pos  int64
	err  error
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.src.Read(p)
	m.pos += int64(n)
	if high := m.high.Load(); m.pos > high {
		m.high.Store(m.pos)
		if e := m.w.charge(m.acct, m.pos-high); e != nil {
			m.err = e
			return 0, e
		}
	}
	if in := m.in(); float64(m.pos-entryFloor) > m.w.opt.MaxRatio*float64(in) {
		m.err = &errLimit{text: fmt.Sprintf("refused: %s came out of %s, as of an archive bomb; --max-ratio raises the limit of %g",
			size(m.pos), size(in), m.w.opt.MaxRatio)}
		return 0, m.err
	}
	return n, err
}

func (m *meter) Close() error { return m.src.Close() }

// enter counts an entry of an archive and says whether there are too many.
func (w *Walker) enter(a *account) error {
	a.entries++
	if a.entries > w.opt.MaxEntries {
		return &errLimit{fmt.Sprintf("the rest is left out: more than %d entries; --max-entries raises the limit", w.opt.MaxEntries), true}
	}
	return nil
}

// careful turns a panic of a decoder, which hostile input might cause, into an error.
type careful struct {
	io.ReadCloser
	what kind
}

func (c careful) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("damaged: the %s decoder failed: %v", c.what, v)
		}
	}()
	n, err = c.ReadCloser.Read(p)
	if n < 0 || n > len(p) {
		return 0, fmt.Errorf("damaged: the %s decoder failed", c.what)
	}
	return n, err
}

// counted counts what is read through it.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
