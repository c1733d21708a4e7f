// Package lines divides text logs into lines: first a stream into blocks that end where a line ends, then a block
// into its lines. Every format that has a record on a line builds on it.
//
// A line ends at LF; a CR before it is no part of it. The last line of a stream needs no end. Bytes that are not UTF-8
// are kept as they are. A UTF-8 byte order mark at the start of the stream is skipped. What cannot be a line becomes one
// [event.Defect] for the whole of it, however long it is: a line of [logs.MaxBlock] bytes or more, and a run of NUL bytes such
// as a file system leaves behind when a machine stops before its last writes.
package lines

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
)

// Part says what a block is when it is not a run of lines. The zero Part is: a run of lines.
type Part struct {
	// Skip is why the block belongs to something that is not read; "" if it is read.
	Skip string
	// Before is the length of what was skipped for that reason right before the block, in bytes.
	Before int64
	// Open says that it goes on in the next block.
	Open bool
}

// Reasons for what is not read.
const (
	TooLong = "line is longer than 4 MiB"
	ZeroRun = "zero bytes where text should be"
)

// minRun is how many NUL bytes inside a line divide it. Fewer stay in the line: whoever can have NUL bytes logged
// must not be able to make one line into two.
const minRun = 16

// Cutter divides a stream at ends of lines. It is a [logs.Cutter] whose state is a [Part]; a format whose lines depend on
// earlier ones embeds it, calls Next, and hands on a state of its own that holds the Part.
// The zero Cutter is ready for use.
type Cutter struct {
	size int
	skip Part
}

// SetBlockSize makes blocks about n bytes long instead of [logs.BlockSize]. It is for tests.
func (c *Cutter) SetBlockSize(n int) { c.size = n }

// Cut implements [logs.Cutter].
func (c *Cutter) Cut(data []byte, atEOF bool) (int, any) {
	n, part := c.Next(data, atEOF)
	if part == (Part{}) {
		return n, nil
	}
	return n, part
}

// Next returns the length of the next block, or 0 to ask for more, and what it is. Its arguments are those of Cut. Of a
// block that is read, a format may take less than that length, or ask for more.
func (c *Cutter) Next(data []byte, atEOF bool) (int, Part) {
	if c.skip.Open {
		return c.skipOn(data, atEOF)
	}
	size := c.size
	if size == 0 {
		size = logs.BlockSize
	}
	if len(data) < size {
		if !atEOF {
			return 0, Part{}
		}
		size = len(data)
		if data[size-1] == '\n' {
			return size, Part{}
		}
	}
	if i := bytes.LastIndexByte(data[:size], '\n'); i >= 0 {
		return i + 1, Part{}
	}
	if i := bytes.IndexByte(data[size:], '\n'); i >= 0 {
		return size + i + 1, Part{}
	}
	switch {
	case atEOF:
		return len(data), Part{}
	case len(data) < logs.MaxBlock:
		return 0, Part{}
	}
	if run := zeros(data); run > 0 {
		c.skip = Part{Skip: ZeroRun, Open: true}
		return c.skipOn(data, atEOF)
	}
	if i, _ := findRun(data); i > 0 {
		return i, Part{}
	}
	c.skip = Part{Skip: TooLong, Open: true}
	return c.skipOn(data, atEOF)
}

// skipOn returns the next piece of what is being skipped. A piece that is not the last leaves a byte for the next one,
// so that the last one is never empty.
func (c *Cutter) skipOn(data []byte, atEOF bool) (int, Part) {
	n := 0
	if c.skip.Skip == ZeroRun {
		n = zeros(data)
	} else {
		n = bytes.IndexByte(data, '\n') + 1
		if n == 0 {
			n = len(data)
		}
	}
	ends := atEOF || n < len(data) || c.skip.Skip == TooLong && data[n-1] == '\n'
	part := c.skip
	if !ends {
		if n--; n == 0 {
			return 0, Part{}
		}
		c.skip.Before += int64(n)
		return n, part
	}
	c.skip = Part{}
	part.Open = false
	return n, part
}

// zeros returns how many NUL bytes p begins with.
func zeros(p []byte) int {
	for i, c := range p {
		if c != 0 {
			return i
		}
	}
	return len(p)
}

// findRun returns where the first run of at least minRun NUL bytes in p begins and how long it is, or -1.
func findRun(p []byte) (start, length int) {
	for i := 0; ; {
		j := bytes.IndexByte(p[i:], 0)
		if j < 0 {
			return -1, 0
		}
		i += j
		n := zeros(p[i:])
		if n >= minRun {
			return i, n
		}
		i += n
	}
}
