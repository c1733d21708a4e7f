package m365

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/barid-dfir/barid/internal/logs"
)

// row is one record of a CSV file (RFC 4180): fields between delimiters, quoted ones with their quotes doubled and
// perhaps with line ends in them.
type row struct {
	fields []field
}

// field is a field of a row: a view of the file.
type field struct {
	data    []byte
	doubled bool // quotes in data are doubled
}

// damagedRow is the reason of every damage: which sign of it shows first depends on how much of the file is there.
const damagedRow = "quotes out of step"

// read reads the row that begins at i and returns where the next one begins; 0 asks for more data, unless last says that
// there is none. A row whose quotes are out of step is damaged: reason says so, and it ends with its first line.
func (r *row) read(data []byte, i int, delimiter byte, last bool) (end int, reason string) {
	start := i
	r.fields = r.fields[:0]
	for {
		if i < len(data) && data[i] == '"' {
			begin := i + 1
			doubled := false
			for i = begin; ; i += 2 {
				if i = quote(data, i); i >= len(data) {
					if !last {
						return 0, ""
					}
					return lineEnd(data, start), damagedRow
				}
				if i+1 >= len(data) {
					if !last {
						return 0, ""
					}
					break
				}
				if data[i+1] != '"' {
					break
				}
				doubled = true
			}
			r.fields = append(r.fields, field{data[begin:i], doubled})
			i++
		} else {
			begin := i
			for i < len(data) && data[i] != delimiter && data[i] != '\n' {
				i++
			}
			if i >= len(data) && !last {
				return 0, ""
			}
			f := data[begin:i]
			if i >= len(data) || data[i] == '\n' {
				f = bytes.TrimSuffix(f, []byte{'\r'})
			}
			r.fields = append(r.fields, field{f, false})
		}
		if i < len(data) && data[i] == '\r' {
			if i+1 >= len(data) && !last {
				return 0, ""
			}
			if i+1 >= len(data) || data[i+1] == '\n' {
				i++
			}
		}
		switch {
		case i >= len(data):
			if !last {
				return 0, ""
			}
			return len(data), ""
		case data[i] == '\n':
			return i + 1, ""
		case data[i] == delimiter:
			i++
		default:
			return lineEnd(data, start), damagedRow
		}
	}
}

// at returns the field of a column, empty if the row is too short or the column is -1.
func (r *row) at(column int) field {
	if column < 0 || column >= len(r.fields) {
		return field{}
	}
	return r.fields[column]
}

func lineEnd(data []byte, i int) int {
	if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(data)
}

// quote returns the position of the first quote from i on, or len(p). Quotes stand close together here, too close for
// bytes.IndexByte to pay.
func quote(p []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:]) ^ ones*'"'
		if m := (w - ones) &^ w & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(p) && p[i] != '"' {
		i++
	}
	return i
}

// undouble appends the field to dst with its quotes single.
func (f field) undouble(dst []byte) []byte {
	p := f.data
	for {
		n := quote(p, 0)
		if n+1 >= len(p) {
			return append(dst, p...)
		}
		dst = append(dst, p[:n+1]...)
		p = p[n+1:]
		if p[0] == '"' {
			p = p[1:]
		}
	}
}

// table is the heading of a CSV file: the state of its blocks.
type table struct {
	delimiter byte
	length    int // of the heading and what comes before it
	names     []string
	keys      [][]byte // the names as JSON writes them
}

// heading reads the heading of a CSV file; nil if there is none. PowerShell may put a line "#TYPE …" before it.
func heading(head []byte) *table {
	i := 0
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) {
		i = 3
	}
	for bytes.HasPrefix(head[i:], []byte("#TYPE")) || i < len(head) && (head[i] == '\n' || head[i] == '\r') {
		i = lineEnd(head, i)
	}
	t := &table{delimiter: ','}
	line := head[i:lineEnd(head, i)]
	for _, d := range []byte{';', '\t'} {
		if bytes.Count(line, []byte{d}) > bytes.Count(line, []byte{t.delimiter}) {
			t.delimiter = d
		}
	}
	var r row
	end, reason := r.read(head, i, t.delimiter, true)
	if reason != "" || len(r.fields) < 2 {
		return nil
	}
	t.length = end
	for _, f := range r.fields {
		name := string(bytes.TrimSpace(f.undouble(nil)))
		t.names = append(t.names, name)
		t.keys = append(t.keys, []byte(strings.ReplaceAll(name, `\`, `\\`)))
	}
	return t
}

// column returns the column of the given name, or -1.
func (t *table) column(name string) int {
	for i, n := range t.names {
		if n == name {
			return i
		}
	}
	return -1
}

// tableCutter cuts a CSV file where a row ends: seen without what follows, it is the same rows.
type tableCutter struct {
	table *table
	size  int
	begun bool
	pos   int // end of the last row that was found in the unread data
	row   row
}

func newTableCutter(t *table) *tableCutter { return &tableCutter{table: t, size: logs.BlockSize} }

// SetBlockSize makes blocks about n bytes long. It is for tests.
func (c *tableCutter) SetBlockSize(n int) { c.size = n }

// Cut implements [logs.Cutter].
func (c *tableCutter) Cut(data []byte, atEOF bool) (int, any) {
	n := c.cut(data, atEOF)
	if n > 0 {
		c.begun, c.pos = true, 0
	}
	return n, c.table
}

func (c *tableCutter) cut(data []byte, atEOF bool) int {
	if c.pos == 0 && !c.begun {
		c.pos = min(c.table.length, len(data))
	}
	for c.pos < c.size && c.pos < len(data) {
		end, _ := c.row.read(data, c.pos, c.table.delimiter, atEOF)
		if end == 0 {
			break
		}
		c.pos = end
	}
	switch {
	case c.pos >= c.size:
		return c.pos
	case atEOF:
		return len(data)
	case len(data) < logs.MaxBlock:
		return 0
	case c.pos > 0:
		return c.pos
	}
	return len(data)
}
