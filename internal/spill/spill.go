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

// run is a sorted run of records, in memory or in a file. In a file, a record is what it has in common with the one before it:
// the length of that, the length of the rest, the rest.
type run struct {
	arena []byte
	index []span
	file  *os.File
	level int // how often its records were merged
}

// size returns how many bytes of memory it takes.
func (r *run) size() int { return len(r.arena) + 16*len(r.index) }

type span struct{ from, to int }

const (
	maxRuns  = 64 // of one level; each that is read from a file has a buffer
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
	r := run{arena: b.arena, index: b.index}
	size := r.size()
	keep := s.inRuns+size <= 2*s.memory
	if keep {
		s.inRuns += size
	}
	s.mu.Unlock()
	if !keep {
		return b.spill()
	}
	b.sort()
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
	var before, head []byte
	err = each(func(record []byte) error {
		n := common(before, record)
		head = binary.AppendUvarint(binary.AppendUvarint(head[:0], uint64(n)), uint64(len(record)-n))
		before = append(before[:n], record[n:]...)
		if _, err := w.Write(head); err != nil {
			return err
		}
		_, err := w.Write(record[n:])
		return err
	})
	if err = cmp.Or(err, w.Flush()); err != nil {
		remove(f)
		return nil, fmt.Errorf("cannot write a temporary file: %w", err)
	}
	return f, nil
}

// common returns how many bytes a and b begin with alike.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func remove(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// add takes a run. Where there are too many of a level, it makes one of the next of them: so every record is written as often
// as there are levels.
func (s *Sorter) add(r run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, r)
	for level := 0; ; level++ {
		var these, others []run
		for _, r := range s.runs {
			if r.level == level {
				these = append(these, r)
			} else {
				others = append(others, r)
			}
		}
		if len(these) < maxRuns {
			return nil
		}
		f, err := s.write(func(emit func([]byte) error) error {
			all := newReader(these)
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
		for i := range these {
			if these[i].file != nil {
				remove(these[i].file)
			} else {
				s.inRuns -= these[i].size()
			}
		}
		s.runs = append(others, run{file: f, level: level + 1})
	}
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
	return newReader(s.runs)
}

func newReader(runs []run) *Reader {
	r := &Reader{}
	for _, run := range runs {
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
	same, err := binary.ReadUvarint(c.reader)
	if err != nil {
		return err // io.EOF only between records
	}
	rest, err := binary.ReadUvarint(c.reader)
	if err != nil || same > uint64(len(c.record)) || rest > MaxRecord-same {
		return errors.New("a temporary file is damaged")
	}
	c.record = slices.Grow(c.record[:same], int(rest))[:same+rest]
	if _, err := io.ReadFull(c.reader, c.record[same:]); err != nil {
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
