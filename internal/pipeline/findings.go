package pipeline

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/detect"
)

// Findings are the findings of one source, in the order of its events. Beyond a bound they are kept on disk.
type Findings struct {
	dir   string
	inAll *atomic.Int64 // bytes, about, in memory of all sources
	list  []detect.Finding
	size  int // of list, in bytes, about
	count int64

	file  *os.File
	w     *bufio.Writer
	rules []*detect.Rule
	index map[*detect.Rule]uint64
	buf   []byte
}

// How many bytes of findings are kept in memory: by one source, and by all sources that have not been handed over. Beyond
// maxInAll, a source keeps minInMemory: a temporary file for less is not worth it.
const (
	maxInMemory = 1 << 20
	maxInAll    = 24 << 20
	minInMemory = 64 << 10
)

// Len returns how many there are.
func (f *Findings) Len() int64 { return f.count }

func (f *Findings) add(list []detect.Finding) error {
	f.count += int64(len(list))
	size := 0
	for i := range list {
		size += 256 + len(list[i].Event) + len(list[i].Raw)
	}
	f.list = append(f.list, list...)
	f.size += size
	if all := f.inAll.Add(int64(size)); f.size < minInMemory || f.size < maxInMemory && all < maxInAll {
		return nil
	}
	return f.spill()
}

func (f *Findings) spill() error {
	if f.file == nil {
		file, err := os.CreateTemp(f.dir, "barid-findings-*")
		if err != nil {
			return fmt.Errorf("cannot keep findings: %w", err)
		}
		f.file, f.w, f.index = file, bufio.NewWriterSize(file, 256<<10), make(map[*detect.Rule]uint64)
	}
	for i := range f.list {
		f.buf = f.encode(f.buf[:0], &f.list[i])
		if _, err := f.w.Write(f.buf); err != nil {
			return fmt.Errorf("cannot keep findings: %w", err)
		}
	}
	clear(f.list)
	f.list = f.list[:0]
	f.forget()
	return nil
}

// forget says that what was in memory is not.
func (f *Findings) forget() {
	f.inAll.Add(-int64(f.size))
	f.size = 0
}

func (f *Findings) encode(b []byte, x *detect.Finding) []byte {
	rule, ok := f.index[x.Rule]
	if !ok {
		rule = uint64(len(f.rules))
		f.rules = append(f.rules, x.Rule)
		f.index[x.Rule] = rule
	}
	clean := byte(0)
	if x.Clean {
		clean = 1
	}
	b = append(binary.AppendUvarint(b, rule), clean)
	for _, n := range [...]int64{x.Time, int64(x.Source), x.Offset, x.Line, x.Record} {
		b = binary.AppendVarint(b, n)
	}
	size := 0
	for _, s := range [...]string{x.Host, x.Client, x.Account, x.Object} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		size += len(s)
	}
	b = binary.AppendUvarint(b, uint64(len(x.Event)))
	b = binary.AppendUvarint(b, uint64(len(x.Raw)))
	b = slices.Grow(b, size+len(x.Event)+len(x.Raw))
	b = append(append(append(append(b, x.Host...), x.Client...), x.Account...), x.Object...)
	return append(append(b, x.Event...), x.Raw...)
}

// decode reads a finding back. Its Event and Raw are valid until the next call.
func (f *Findings) decode(r *bufio.Reader, x *detect.Finding) error {
	rule, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	x.Rule = f.rules[rule]
	clean, err := r.ReadByte()
	x.Clean = clean == 1
	var source int64
	for _, n := range [...]*int64{&x.Time, &source, &x.Offset, &x.Line, &x.Record} {
		v, e := binary.ReadVarint(r)
		*n, err = v, cmp.Or(err, e)
	}
	x.Source = int(source)
	var ends [6]int // of host, client, account, object, event, raw
	size := 0
	for i := range ends {
		n, e := binary.ReadUvarint(r)
		size, err = size+int(n), cmp.Or(err, e)
		ends[i] = size
	}
	if err == nil {
		f.buf = slices.Grow(f.buf[:0], size)[:size]
		_, err = io.ReadFull(r, f.buf)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	short := string(f.buf[:ends[3]])
	x.Host, x.Client, x.Account, x.Object = short[:ends[0]], short[ends[0]:ends[1]], short[ends[1]:ends[2]], short[ends[2]:]
	x.Event, x.Raw = f.buf[ends[3]:ends[4]:ends[4]], f.buf[ends[4]:ends[5]:ends[5]]
	return nil
}

// Each calls do with every finding. What it is given is valid during the call.
func (f *Findings) Each(do func(*detect.Finding) error) error {
	if f.file != nil {
		if err := f.w.Flush(); err != nil {
			return fmt.Errorf("cannot keep findings: %w", err)
		}
		if _, err := f.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := bufio.NewReaderSize(f.file, 256<<10)
		for {
			var x detect.Finding
			err := f.decode(r, &x)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("cannot read findings back: %w", err)
			}
			if err := do(&x); err != nil {
				return err
			}
		}
	}
	for i := range f.list {
		if err := do(&f.list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *Findings) close() {
	f.list = nil
	f.forget()
	if f.file != nil {
		f.file.Close()
		os.Remove(f.file.Name())
	}
}
