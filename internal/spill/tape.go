package spill

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Tape keeps records in the order they came, beyond a bound in a temporary file, for Cursors to run along. It is for one
// goroutine.
type Tape struct {
	dir  string
	mem  []byte // what follows the file
	base int64  // where mem begins
	file *os.File
}

// tapeSize is how many bytes of a Tape stay in memory.
const tapeSize = 4 << 20

// NewTape returns an empty Tape with its temporary file in dir.
func NewTape(dir string) *Tape { return &Tape{dir: dir} }

// Append adds a copy of a record.
func (t *Tape) Append(record []byte) error {
	if len(record) > MaxRecord {
		return fmt.Errorf("a record of %d bytes is too long to keep", len(record))
	}
	if len(t.mem) > 0 && len(t.mem)+4+len(record) > tapeSize {
		if t.file == nil {
			f, err := os.CreateTemp(t.dir, "barid-tape-*")
			if err != nil {
				return fmt.Errorf("no place for temporary files: %w", err)
			}
			t.file = f
		}
		if _, err := t.file.WriteAt(t.mem, t.base); err != nil {
			return fmt.Errorf("cannot write a temporary file: %w", err)
		}
		t.base += int64(len(t.mem))
		t.mem = t.mem[:0]
	}
	t.mem = binary.BigEndian.AppendUint32(t.mem, uint32(len(record)))
	t.mem = append(t.mem, record...)
	return nil
}

// Reset forgets all records. Cursors start over.
func (t *Tape) Reset() {
	t.mem, t.base = t.mem[:0], 0
}

// Close removes the temporary file.
func (t *Tape) Close() {
	if t.file != nil {
		remove(t.file)
		t.file = nil
	}
}

// Cursor is a place on a Tape; its zero value is no place.
type Cursor struct {
	tape   *Tape
	at     int64
	reader *bufio.Reader // of the file from at on, up to until
	until  int64
	record []byte
}

// Start returns a Cursor at the first record.
func (t *Tape) Start() Cursor { return Cursor{tape: t} }

// Clone returns a Cursor at the same place.
func (c *Cursor) Clone() Cursor { return Cursor{tape: c.tape, at: c.at} }

// Next returns the record at the cursor, valid until the next call or Append, and goes on to the one after.
func (c *Cursor) Next() ([]byte, error) {
	t := c.tape
	if c.at >= t.base {
		p := t.mem[c.at-t.base:]
		if len(p) == 0 {
			return nil, io.EOF
		}
		n := int(binary.BigEndian.Uint32(p))
		c.at += int64(4 + n)
		c.reader = nil
		return p[4 : 4+n], nil
	}
	if c.reader == nil || c.at >= c.until {
		c.until = t.base
		c.reader = bufio.NewReaderSize(io.NewSectionReader(t.file, c.at, c.until-c.at), readSize)
	}
	var length [4]byte
	if _, err := io.ReadFull(c.reader, length[:]); err != nil {
		return nil, errors.Join(errors.New("a temporary file is damaged"), err)
	}
	n := int(binary.BigEndian.Uint32(length[:]))
	if n > MaxRecord {
		return nil, errors.New("a temporary file is damaged")
	}
	c.record = slices.Grow(c.record[:0], n)[:n]
	if _, err := io.ReadFull(c.reader, c.record); err != nil {
		return nil, errors.Join(errors.New("a temporary file is damaged"), err)
	}
	c.at += int64(4 + n)
	return c.record, nil
}
