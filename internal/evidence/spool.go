package evidence

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// What is held in memory of archives: at most so many bytes of one that lies in another, of an entry that is small, and
// of all of them together.
const (
	maxMemorySpool = 8 << 20
	maxSmall       = 1 << 20
	maxBuffered    = 48 << 20
)

// seekable is a source that can be read at any place.
type seekable interface {
	source
	// acquire returns its bytes, which stay until release.
	acquire(purpose) (io.ReaderAt, int64, error)
	release() error
}

// memory is a small source that was read ahead.
type memory struct {
	data []byte
	err  error // with which it broke off; nil at its end
}

func (m *memory) open(purpose) (io.ReadCloser, error) {
	if m.err == nil {
		return io.NopCloser(bytes.NewReader(m.data)), nil
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(m.data), errReader{m.err})), nil
}

func (m *memory) acquire(purpose) (io.ReaderAt, int64, error) {
	return bytes.NewReader(m.data), int64(len(m.data)), nil
}

func (m *memory) release() error { return nil }

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// spool is an archive inside another one, kept where it can be read at any place: in memory, or in a temporary file
// without a name. It goes when it has been walked and the last stream in it has been read.
type spool struct {
	memory
	w     *Walker
	f     *os.File // nil if it is in memory
	size  int64
	known digest
	held  int64 // bytes of the Walker's budget
	refs  int   // guarded by Walker.closing
}

// newSpool reads r to its end. Where r breaks off, the spool holds what came before, and err says why.
func (w *Walker) newSpool(r io.Reader) (s *spool, err error) {
	s = &spool{w: w, refs: 1}
	h := sha256.New()
	var buf bytes.Buffer
	in := io.TeeReader(r, h)
	if w.hold(maxMemorySpool) {
		s.held = maxMemorySpool
		s.size, err = io.CopyN(&buf, in, maxMemorySpool)
	}
	if err == nil && !(s.held > 0 && s.size < maxMemorySpool) { // there may be more
		if s.f, err = os.CreateTemp(w.opt.TempDir, "barid-*"); err != nil {
			return nil, fmt.Errorf("not read: no temporary file for it: %w", err)
		}
		os.Remove(s.f.Name()) // where the system lets us; otherwise remove does it
		n, e := io.Copy(s.f, io.MultiReader(&buf, in))
		s.size, err = n, e
		buf = bytes.Buffer{}
		w.unhold(s.held)
		s.held = 0
	} else {
		s.data = buf.Bytes()
		w.unhold(s.held - s.size)
		s.held = s.size
	}
	if err == io.EOF {
		err = nil
	}
	s.known.size = s.size
	h.Sum(s.known.sum[:0])
	w.closing.Lock()
	w.spools[s] = struct{}{}
	w.closing.Unlock()
	return s, err
}

func (s *spool) open(p purpose) (io.ReadCloser, error) {
	if s.f == nil {
		return s.memory.open(p)
	}
	return io.NopCloser(io.NewSectionReader(s.f, 0, s.size)), nil
}

func (s *spool) acquire(p purpose) (io.ReaderAt, int64, error) {
	if s.f == nil {
		return s.memory.acquire(p)
	}
	return s.f, s.size, nil
}

// keep adds a reason to keep the spool.
func (s *spool) keep() {
	s.w.closing.Lock()
	s.refs++
	s.w.closing.Unlock()
}

// drop takes one away.
func (s *spool) drop() {
	s.w.closing.Lock()
	defer s.w.closing.Unlock()
	s.refs--
	if _, ok := s.w.spools[s]; ok && s.refs == 0 {
		delete(s.w.spools, s)
		s.remove()
	}
}

func (s *spool) remove() error {
	s.w.unhold(s.held)
	s.held, s.data = 0, nil
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	if e := os.Remove(s.f.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// hold takes n bytes of the budget for what is held in memory, if they are left.
func (w *Walker) hold(n int64) bool {
	if w.buffered.Add(n) > maxBuffered {
		w.buffered.Add(-n)
		return false
	}
	return true
}

func (w *Walker) unhold(n int64) { w.buffered.Add(-n) }
