package detect

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// runs are sorted runs of records in temporary files, which are read back as one. Records of one key are put together.
type runs[T any] struct {
	dir     string
	compare func(a, b *T) int
	add     func(to, from *T)                  // puts together two records of one key
	encode  func(dst []byte, r *T) []byte      // appends a record
	decode  func(r *bufio.Reader, to *T) error // reads one over another, whose memory it may use; io.EOF where there is none

	mu    sync.Mutex
	files []*os.File
	err   error
}

// maxRuns bounds how many files are open at once.
const maxRuns = 64

// spill writes what each emits, which is in order, as one run; where there are too many, it makes one of them all.
func (s *runs[T]) spill(each func(emit func(*T) error) error) {
	f, err := s.write(each)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return
	}
	s.files = append(s.files, f)
	if len(s.files) < maxRuns {
		return
	}
	files := s.files
	one, err := s.write(func(emit func(*T) error) error { return s.merge(files, emit) })
	if err != nil {
		s.err = cmp.Or(s.err, err)
		return
	}
	s.files = []*os.File{one}
	for _, f := range files {
		remove(f)
	}
}

func (s *runs[T]) write(each func(emit func(*T) error) error) (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "barid-counts-*")
	if err != nil {
		return nil, fmt.Errorf("cannot keep counts: %w", err)
	}
	w := bufio.NewWriterSize(f, 64<<10)
	var b []byte
	err = each(func(r *T) error {
		b = s.encode(b[:0], r)
		_, err := w.Write(b)
		return err
	})
	if err = cmp.Or(err, w.Flush()); err != nil {
		remove(f)
		return nil, fmt.Errorf("cannot keep counts: %w", err)
	}
	return f, nil
}

// each calls f with every record, in order. It can be called again.
func (s *runs[T]) each(f func(*T) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return s.merge(s.files, f)
}

// close removes the files.
func (s *runs[T]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		remove(f)
	}
	s.files = nil
}

func remove(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// merge reads sorted files in one order. What f is given is valid until it returns.
func (s *runs[T]) merge(files []*os.File, f func(*T) error) error {
	h := runHeap[T]{compare: s.compare}
	next := func(r *run[T]) (bool, error) {
		err := s.decode(r.reader, &r.record)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return err == nil, err
	}
	for _, file := range files {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := &run[T]{reader: bufio.NewReaderSize(file, 64<<10)}
		switch ok, err := next(r); {
		case err != nil:
			return err
		case ok:
			h.list = append(h.list, r)
		}
	}
	for i := len(h.list)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	spare := new(run[T])
	var sum *run[T] // the record that is being put together
	for len(h.list) > 0 {
		top := h.list[0]
		if sum != nil && s.compare(&sum.record, &top.record) == 0 {
			s.add(&sum.record, &top.record)
		} else {
			if sum != nil {
				if err := f(&sum.record); err != nil {
					return err
				}
			}
			sum = spare
			sum.record, top.record = top.record, sum.record
		}
		ok, err := next(top)
		if err != nil {
			return err
		}
		if !ok {
			last := len(h.list) - 1
			h.list[0] = h.list[last]
			h.list = h.list[:last]
		}
		h.down(0)
	}
	if sum == nil {
		return nil
	}
	return f(&sum.record)
}

type run[T any] struct {
	reader *bufio.Reader
	record T
}

// runHeap is a binary heap of runs: the one whose record comes first is list[0].
type runHeap[T any] struct {
	compare func(a, b *T) int
	list    []*run[T]
}

// down puts the run at i in its place among those below it.
func (h *runHeap[T]) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(h.list) {
			return
		}
		if next := least + 1; next < len(h.list) && h.compare(&h.list[next].record, &h.list[least].record) < 0 {
			least = next
		}
		if h.compare(&h.list[i].record, &h.list[least].record) <= 0 {
			return
		}
		h.list[i], h.list[least] = h.list[least], h.list[i]
		i = least
	}
}
