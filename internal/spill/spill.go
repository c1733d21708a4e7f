// Package spill sorts more records than memory should hold: sorted runs of them go to temporary files and are merged.
package spill

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// Sorter puts records, which are bytes, into the order of [bytes.Compare], in whatever order they came. Records come in
// through Buffers, which may be used by several goroutines at once; when all are flushed, Readers give them back.
type Sorter struct {
	dir    string // of temporary files; "" for the system's place
	memory int    // bytes of records in a Buffer before they are spilled

	mu     sync.Mutex
	runs   []run
	inRuns int // bytes of runs in memory
}

// run is a sorted run of records, in memory or in a file.
type run struct {
	arena []byte
	index []span
	file  *os.File
}

type span struct{ from, to int }

const (
	maxRuns  = 64 // read at once: each in a file has a buffer
	readSize = 64 << 10
	// MaxRecord is the length of the longest record, in bytes.
	MaxRecord = 64 << 20
)

// New returns an empty Sorter with its temporary files in dir, "" for the system's place. A Buffer takes about so many
// bytes of memory, and records that were flushed twice as many.
func New(dir string, memory int) *Sorter { return &Sorter{dir: dir, memory: memory} }

// Buffer takes records for a Sorter. It is for one goroutine.
type Buffer struct {
	sorter *Sorter
	arena  []byte
	index  []span
}

// Buffer returns a Buffer whose records end up in s after Flush.
func (s *Sorter) Buffer() *Buffer { return &Buffer{sorter: s} }

// Add takes a copy of a record.
func (b *Buffer) Add(record []byte) error {
	if len(record) > MaxRecord {
		return fmt.Errorf("a record of %d bytes is too long to sort", len(record))
	}
	if len(b.arena)+len(record)+16*len(b.index) > b.sorter.memory && len(b.index) > 0 {
		if err := b.spill(); err != nil {
			return err
		}
	}
	from := len(b.arena)
	b.arena = append(b.arena, record...)
	b.index = append(b.index, span{from, len(b.arena)})
	return nil
}

func (b *Buffer) sort() {
	slices.SortFunc(b.index, func(x, y span) int {
		return bytes.Compare(b.arena[x.from:x.to], b.arena[y.from:y.to])
	})
}

// Flush hands the records over. The Buffer is empty afterwards and can go on.
func (b *Buffer) Flush() error {
	if len(b.index) == 0 {
		return nil
	}
	s := b.sorter
	s.mu.Lock()
	size := len(b.arena) + 16*len(b.index)
	keep := s.inRuns+size <= 2*s.memory
	if keep {
		s.inRuns += size
	}
	s.mu.Unlock()
	if !keep {
		return b.spill()
	}
	b.sort()
	r := run{arena: b.arena, index: b.index}
	b.arena, b.index = nil, nil
	return s.add(r)
}

// spill writes the records into a file.
func (b *Buffer) spill() error {
	b.sort()
	f, err := b.sorter.write(func(emit func([]byte) error) error {
		for _, x := range b.index {
			if err := emit(b.arena[x.from:x.to]); err != nil {
				return err
			}
		}
		return nil
	})
	b.arena, b.index = b.arena[:0], b.index[:0]
	if err != nil {
		return err
	}
	return b.sorter.add(run{file: f})
}

func (s *Sorter) write(each func(emit func([]byte) error) error) (*os.File, error) {
	f, err := os.CreateTemp(s.dir, "barid-sort-*")
	if err != nil {
		return nil, fmt.Errorf("no place for temporary files: %w", err)
	}
	w := bufio.NewWriterSize(f, readSize)
	var length [4]byte
	err = each(func(record []byte) error {
		binary.BigEndian.PutUint32(length[:], uint32(len(record)))
		if _, err := w.Write(length[:]); err != nil {
			return err
		}
		_, err := w.Write(record)
		return err
	})
	if err = cmp.Or(err, w.Flush()); err != nil {
		remove(f)
		return nil, fmt.Errorf("cannot write a temporary file: %w", err)
	}
	return f, nil
}

func remove(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// add takes a run; where there are too many, it makes one of them all.
func (s *Sorter) add(r run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, r)
	if len(s.runs) < maxRuns {
		return nil
	}
	f, err := s.write(func(emit func([]byte) error) error {
		all := s.reader()
		for {
			record, err := all.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil {
				err = emit(record)
			}
			if err != nil {
				return err
			}
		}
	})
	if err != nil {
		return err
	}
	s.drop()
	s.runs = []run{{file: f}}
	return nil
}

// Close removes the temporary files.
func (s *Sorter) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *Sorter) drop() {
	for _, r := range s.runs {
		if r.file != nil {
			remove(r.file)
		}
	}
	s.runs, s.inRuns = nil, 0
}

// Reader gives back records in order. It is for one goroutine.
type Reader struct {
	heap []*cursor // smallest record first
	read *cursor   // whose record was given out
}

// cursor is a place in a run.
type cursor struct {
	run    run
	next   int
	reader *bufio.Reader
	record []byte
}

// Reader returns a Reader of all records that were flushed. There may be several; the Sorter takes no more records
// meanwhile.
func (s *Sorter) Reader() *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reader()
}

func (s *Sorter) reader() *Reader {
	r := &Reader{}
	for _, run := range s.runs {
		c := &cursor{run: run}
		if run.file != nil {
			c.reader = bufio.NewReaderSize(io.NewSectionReader(run.file, 0, 1<<62), readSize)
		}
		r.heap = append(r.heap, c)
	}
	return r
}

// Next returns the next record, which is valid until the call after, and [io.EOF] after the last.
func (r *Reader) Next() ([]byte, error) {
	if r.read == nil { // the first call
		for i := 0; i < len(r.heap); {
			switch err := r.heap[i].advance(); {
			case errors.Is(err, io.EOF):
				r.heap[i] = r.heap[len(r.heap)-1]
				r.heap = r.heap[:len(r.heap)-1]
			case err != nil:
				return nil, err
			default:
				i++
			}
		}
		for i := len(r.heap)/2 - 1; i >= 0; i-- {
			r.down(i)
		}
	} else {
		switch err := r.read.advance(); {
		case errors.Is(err, io.EOF):
			r.heap[0] = r.heap[len(r.heap)-1]
			r.heap = r.heap[:len(r.heap)-1]
		case err != nil:
			return nil, err
		}
		r.down(0)
	}
	if len(r.heap) == 0 {
		r.read = &cursor{}
		return nil, io.EOF
	}
	r.read = r.heap[0]
	return r.read.record, nil
}

// advance goes to the next record; io.EOF where there is none.
func (c *cursor) advance() error {
	if c.reader == nil {
		if c.next >= len(c.run.index) {
			return io.EOF
		}
		x := c.run.index[c.next]
		c.record = c.run.arena[x.from:x.to]
		c.next++
		return nil
	}
	var length [4]byte
	if _, err := io.ReadFull(c.reader, length[:]); err != nil {
		return err // io.EOF only between records
	}
	n := int(binary.BigEndian.Uint32(length[:]))
	if n > MaxRecord {
		return errors.New("a temporary file is damaged")
	}
	c.record = slices.Grow(c.record[:0], n)[:n]
	if _, err := io.ReadFull(c.reader, c.record); err != nil {
		return fmt.Errorf("a temporary file is damaged: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

func (r *Reader) down(i int) {
	h := r.heap
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if bytes.Compare(h[c].record, h[least].record) < 0 {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
