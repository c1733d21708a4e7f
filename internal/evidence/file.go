package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// file is a regular file that was handed over. It is open only while somebody reads it, and then once for all readers.
type file struct {
	w    *Walker
	name string      // for the system
	path string      // for people
	info fs.FileInfo // as it was found

	mu   sync.Mutex
	refs int
	f    *os.File
	size int64 // when it was opened
}

// acquire opens the file, or counts one more user of it.
func (f *file) acquire(p purpose) (io.ReaderAt, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refs > 0 {
		f.refs++
		return f.readerAt(p), f.size, nil
	}
	h, err := openRegular(f.name)
	if err != nil {
		return nil, 0, err
	}
	info, err := h.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not read: it became a %s since it was found", kindOfMode(info.Mode()))
	}
	if err == nil && !os.SameFile(info, f.info) {
		err = errors.New("not read: another file took its place since it was found")
	}
	if err != nil {
		h.Close()
		return nil, 0, err
	}
	f.f, f.refs, f.size = h, 1, info.Size()
	return f.readerAt(p), f.size, nil
}

func (f *file) readerAt(p purpose) io.ReaderAt {
	if p == looking {
		return f.f
	}
	return readAt{f}
}

// readAt counts what is read of a file.
type readAt struct{ *file }

func (r readAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.f.ReadAt(p, off)
	r.w.read.Add(int64(n))
	return n, err
}

func (f *file) release() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refs--
	if f.refs > 0 {
		return nil
	}
	h := f.f
	f.f = nil
	return h.Close()
}

func (f *file) open(p purpose) (io.ReadCloser, error) {
	at, size, err := f.acquire(p)
	if err != nil {
		return nil, err
	}
	return &fileReader{file: f, at: at, size: size, tell: p == reading}, nil
}

// fileReader reads a file from its start to where it ended when it was opened.
type fileReader struct {
	*file
	at    io.ReaderAt
	off   int64
	size  int64
	tell  bool // whether to say that the file grew
	ended bool
}

func (r *fileReader) Read(p []byte) (int, error) {
	if r.ended {
		return 0, io.EOF
	}
	if r.off >= r.size {
		r.ended = true
		if info, err := r.f.Stat(); err == nil && info.Size() > r.size && r.tell {
			r.w.note(r.path, fmt.Sprintf("grew by %d bytes while it was read; what was added is left out", info.Size()-r.size))
		}
		return 0, io.EOF
	}
	n, err := r.at.ReadAt(p[:min(int64(len(p)), r.size-r.off)], r.off)
	r.off += int64(n)
	switch {
	case err == io.EOF && r.off < r.size:
		r.ended = true
		return n, fmt.Errorf("shrank while it was read: %d of %d bytes were left", r.off, r.size)
	case err == io.EOF:
		err = nil
	}
	return n, err
}

func (r *fileReader) Close() error { return r.release() }

// Measure returns how many bytes the files at paths hold, archives as they lie on disk, without opening any. Standard
// input counts for nothing, and so does what cannot be found.
func Measure(paths []string) (bytes int64) {
	for _, p := range paths {
		if p == "-" {
			continue
		}
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
			continue
		}
		fs.WalkDir(os.DirFS(p), ".", func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if info, err := d.Info(); err == nil {
					bytes += info.Size()
				}
			}
			return nil
		})
	}
	return bytes
}

// HasFile reports whether path is a file or a folder in which one may lie, however deep: a link, and what cannot be listed, may be one.
func HasFile(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return true
	}
	err = fs.WalkDir(os.DirFS(path), ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return errFound
		}
		return nil
	})
	return err != nil
}

// errFound ends a search.
var errFound = errors.New("found")

// kindOfMode names what a file is that is not a regular one.
func kindOfMode(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// reason says what an error means without the path that it is about.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "not read: no permission"
	case errors.Is(err, fs.ErrNotExist):
		return "not read: it does not exist (any more)"
	case errors.As(err, &pe):
		return fmt.Sprintf("%s: %v", pe.Op, pe.Err)
	}
	return err.Error()
}
