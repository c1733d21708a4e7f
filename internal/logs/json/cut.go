package json

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
)

// Layout says how the records of a stream stand in it. It never changes; it is the block state of a [Cutter].
type Layout struct {
	// Lines is set where every record is one line: a damaged record then costs its line.
	Lines bool
	// Header is the length of what comes before the first record: a byte order mark, the opening of an array, {"value":[.
	Header int
	// Wrapped is set where the records are in an array that is a member of an object.
	Wrapped bool

	column   int  // of the first record in its line
	indented bool // what is in a record stands further right than the record
}

// collections are the names of members that hold the records of a wrapped log.
var collections = [...]string{"value", "Records", "records", "events", "Events", "results", "Results", "data", "items", "logs"}

// Sniff returns the Layout of a stream that begins with head, and whether it is JSON at all.
func Sniff(head []byte) (*Layout, bool) {
	l := &Layout{}
	i := 0
	if bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) {
		i = 3
	}
	i = space(head, i)
	if i < len(head) && head[i] == '[' {
		j := space(head, i+1)
		if j < len(head) && head[j] == '{' {
			l.Header = j
			l.measure(head)
			return l, true
		}
		return l, j < len(head) && head[j] == ']'
	}
	if i >= len(head) || head[i] != '{' {
		return l, false
	}
	l.Header = i
	if n := wrapper(head[i:]); n > 0 {
		l.Header, l.Wrapped = i+n, true
		l.measure(head)
		return l, true
	}
	j := space(head, i+1)
	if j >= len(head) || head[j] != '"' && head[j] != '}' {
		return l, false
	}
	// A record that ends its line shows that lines are records; the first line may be damaged.
	for range 8 {
		end := bytes.IndexByte(head[i:], '\n')
		line := head[i:]
		if end >= 0 {
			line = line[:end]
		}
		if len(line) > 0 && line[0] == '{' {
			if n, why := nestedEnd(line, 0); why == "" && space(line, n) == len(line) {
				l.Lines = true
				return l, true
			}
		}
		if end < 0 {
			break
		}
		i += end + 1
	}
	l.measure(head)
	return l, true
}

// measure finds out how records are indented from the first one in head.
func (l *Layout) measure(head []byte) {
	begin := bytes.LastIndexByte(head[:l.Header], '\n') + 1
	l.column = blanks(head[begin:l.Header])
	if i := space(head, l.Header+1); i < len(head) {
		if end := bytes.LastIndexByte(head[l.Header:i], '\n'); end >= 0 {
			l.indented = i-(l.Header+end+1) > l.column
		}
	}
}

// blanks returns how many blanks p begins with.
func blanks(p []byte) int {
	n := 0
	for n < len(p) && (p[n] == ' ' || p[n] == '\t') {
		n++
	}
	return n
}

// wrapper returns the length of the opening of a wrapping object at the start of p, up to its first record; 0 if p is none.
func wrapper(p []byte) int {
	i := space(p, 1)
	for range 8 {
		if i >= len(p) || p[i] != '"' {
			return 0
		}
		end, _, why := stringEnd(p, i+1)
		if why != "" {
			return 0
		}
		name := p[i+1 : end]
		i = space(p, end+1)
		if i >= len(p) || p[i] != ':' {
			return 0
		}
		if i = space(p, i+1); i >= len(p) {
			return 0
		}
		switch p[i] {
		case '{':
			return 0
		case '[':
			for _, c := range collections {
				if string(name) == c {
					if j := space(p, i+1); j < len(p) && p[j] == '{' {
						return j
					}
				}
			}
			return 0
		case '"':
			end, _, why := stringEnd(p, i+1)
			if why != "" {
				return 0
			}
			i = end + 1
		default:
			for i < len(p) && p[i] != ',' && p[i] != '}' && p[i] != '\n' {
				i++
			}
		}
		i = space(p, i)
		if i >= len(p) || p[i] != ',' {
			return 0
		}
		i = space(p, i+1)
	}
	return 0
}

// State is the state of a block: how its stream is laid out, and whether it is a part that is not read.
type State struct {
	Layout *Layout
	Part   lines.Part
}

// Cutter cuts a stream of JSON records. It implements [logs.Cutter]; the state of its blocks is a *State.
type Cutter struct {
	lines lines.Cutter
	plain *State
	size  int
	begun bool
	pos   int // end of the last piece that was found in the unread data
}

// NewCutter returns a Cutter of a stream of the given layout.
func NewCutter(l *Layout) *Cutter { return &Cutter{plain: &State{Layout: l}, size: logs.BlockSize} }

// SetBlockSize makes blocks about n bytes long instead of [logs.BlockSize]. It is for tests.
func (c *Cutter) SetBlockSize(n int) {
	c.size = n
	c.lines.SetBlockSize(n)
}

// Cut implements [logs.Cutter].
func (c *Cutter) Cut(data []byte, atEOF bool) (int, any) {
	if c.plain.Layout.Lines {
		n, part := c.lines.Next(data, atEOF)
		if part == (lines.Part{}) {
			return n, c.plain
		}
		return n, &State{Layout: c.plain.Layout, Part: part}
	}
	n := c.cut(data, atEOF)
	if n > 0 {
		c.begun, c.pos = true, 0
	}
	return n, c.plain
}

// cut returns the length of a block that ends where a piece does: seen without what follows, it is the same pieces.
func (c *Cutter) cut(data []byte, atEOF bool) int {
	l := c.plain.Layout
	if c.pos == 0 && !c.begun {
		c.pos = min(l.Header, len(data))
	}
	for c.pos < c.size && c.pos < len(data) {
		p := next(data, c.pos, l, atEOF)
		if p.end == 0 {
			break
		}
		c.pos = p.end
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

// piece is a part of a stream of records.
type piece struct {
	start, end int    // of the record or the damage; what is before start is white space and brackets
	reason     string // of the damage; "" for a record
}

// damaged is the reason of every damage: which sign of it shows first depends on how much of the stream is there.
const damaged = "JSON object without an end, or with quotes out of step"

// next returns the record or damage that begins at or after pos in data, in a layout other than Lines. An end of 0 asks
// for more data; where there is no more, what is there is a piece. A record is found by its own bytes alone: it is the same
// one however the stream comes.
func next(data []byte, pos int, l *Layout, last bool) piece {
	i := pos
	for i < len(data) {
		switch c := data[i]; c {
		case ' ', '\t', '\r', '\n', ',', '[', ']':
			i++
			continue
		case '{':
			if l.Wrapped {
				if n := wrapper(data[i:]); n > 0 {
					i += n
					continue
				}
			}
			return recordEnd(data, i, l, last)
		case '}':
			if l.Wrapped {
				i++
				continue
			}
		case '"':
			if l.Wrapped {
				n, short := member(data[i:])
				if short && !last {
					return piece{}
				}
				if n > 0 {
					i += n
					continue
				}
			}
		}
		end := bytes.IndexByte(data[i:], '\n')
		if end < 0 {
			if !last {
				return piece{}
			}
			return piece{start: i, end: len(data), reason: "not JSON"}
		}
		return piece{start: i, end: i + end + 1, reason: "not JSON"}
	}
	if last {
		return piece{start: len(data), end: len(data)}
	}
	return piece{}
}

// member returns the length of the name and plain value at the start of p, which a wrapper has after its records; 0 if
// there is none. It reports whether p is too short to tell.
func member(p []byte) (n int, short bool) {
	end, _, why := stringEnd(p, 1)
	if why != "" {
		return 0, end >= len(p)
	}
	i := space(p, end+1)
	if i >= len(p) {
		return 0, true
	}
	if p[i] != ':' {
		return 0, false
	}
	if i = space(p, i+1); i >= len(p) {
		return 0, true
	}
	if p[i] == '"' {
		end, _, why := stringEnd(p, i+1)
		if why != "" {
			return 0, end >= len(p)
		}
		return end + 1, false
	}
	start := i
	for i < len(p) && (isNumber[p[i]] || 'a' <= p[i] && p[i] <= 'z') {
		i++
	}
	if i == start {
		return 0, false
	}
	return i, i >= len(p)
}

// recordEnd finds the end of the record that begins at start by its quotes and nesting.
func recordEnd(data []byte, start int, l *Layout, last bool) piece {
	depth := 0
	for i := start; i < len(data); i++ {
		switch data[i] {
		case '"':
			end, _, why := stringEnd(data, i+1)
			if why != "" {
				if end >= len(data) {
					return unended(data, start, last)
				}
				return resync(data, start, end, l, last)
			}
			i = end
			// What follows a string tells a lost quote at once.
			after := space(data, end+1)
			if after >= len(data) {
				return unended(data, start, last)
			}
			if c := data[after]; c != ':' && c != ',' && c != '}' && c != ']' {
				return resync(data, start, end-1, l, last)
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return piece{start: start, end: i + 1}
			}
		case '\n':
			if n := blanks(data[i+1:]); l.indented && n <= l.column && i+1+n < len(data) && data[i+1+n] == '{' {
				return piece{start: start, end: i + 1, reason: damaged}
			}
		}
	}
	return unended(data, start, last)
}

func unended(data []byte, start int, last bool) piece {
	if !last {
		return piece{}
	}
	return piece{start: start, end: len(data), reason: damaged}
}

// resync returns the damage from start to the next place at or after from where a record seems to begin: where records
// are indented, a line no deeper than they that begins with '{'; otherwise the text that this record begins with.
func resync(data []byte, start, from int, l *Layout, last bool) piece {
	if !l.indented {
		opening := data[start:min(len(data), start+64)]
		if i := bytes.IndexByte(opening, ':'); i > 0 {
			if j := bytes.Index(data[from:], opening[:i+1]); j >= 0 {
				return piece{start: start, end: from + j, reason: damaged}
			}
		}
	} else {
		for i := from; ; {
			n := bytes.IndexByte(data[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			if n := blanks(data[i:]); n <= l.column && i+n < len(data) && data[i+n] == '{' {
				return piece{start: start, end: i, reason: damaged}
			}
		}
	}
	if !last {
		return piece{}
	}
	return piece{start: start, end: len(data), reason: damaged}
}
