package lines

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Scanner walks through the lines of a block:
//
//	for s := lines.Scan(b, part, out); s.Next(); {
//		parse(s.Line, s.Offset, s.Number)
//	}
//
// Empty lines are passed over, and what is no line is added to out as a defect.
type Scanner struct {
	// Line is the current line without its end: a view of the block. It is not empty.
	Line []byte
	// Offset is where Line begins in the source, in bytes.
	Offset int64
	// Number is that of Line in the source, from 1.
	Number int64

	data []byte
	pos  int   // of what is unread in data
	base int64 // offset of data in the source
	next int64 // number of the line that begins or goes on at pos
	nul  bool  // data has NUL bytes
	out  *event.Batch
}

var bom = []byte("\xEF\xBB\xBF")

// Scan returns a Scanner over the block, which is what part says. Defects go to out.
func Scan(b *logs.Block, part Part, out *event.Batch) Scanner {
	s := Scanner{data: b.Data, base: b.Offset, next: b.Line, out: out}
	if part.Skip != "" {
		if !part.Open {
			out.Defects = append(out.Defects, event.Defect{
				Offset: b.Offset - part.Before,
				Length: part.Before + int64(len(b.Data)),
				Line:   b.Line,
				Reason: part.Skip,
			})
		}
		s.pos = len(s.data)
		return s
	}
	if b.First && bytes.HasPrefix(s.data, bom) {
		s.pos = len(bom)
	}
	s.nul = bytes.IndexByte(s.data, 0) >= 0
	return s
}

// Next steps to the next line that is not empty, and reports whether there is one.
func (s *Scanner) Next() bool {
	for s.pos < len(s.data) {
		rest := s.data[s.pos:]
		start, n := s.pos, bytes.IndexByte(rest, '\n')
		s.Number = s.next
		if n < 0 {
			n = len(rest)
			s.pos = len(s.data)
		} else {
			s.pos += n + 1
			s.next++
		}
		if n > 0 && rest[n-1] == '\r' {
			n--
		}
		if s.nul {
			start, n = s.divide(start, n)
		}
		if n == 0 {
			continue
		}
		s.Line = s.data[start : start+n : start+n]
		s.Offset = s.base + int64(start)
		return true
	}
	return false
}

// Rest returns what follows the current line in the block, and its offset and line number: for a record that goes on.
func (s *Scanner) Rest() (data []byte, offset, number int64) {
	return s.data[s.pos:], s.base + int64(s.pos), s.next
}

// Skip passes over the next n bytes, which are part of the current record.
func (s *Scanner) Skip(n int) {
	n = min(n, len(s.data)-s.pos)
	s.next += int64(bytes.Count(s.data[s.pos:s.pos+n], []byte{'\n'}))
	s.pos += n
}

// Defect adds a defect for the current line.
func (s *Scanner) Defect(reason string) {
	s.out.Defects = append(s.out.Defects, event.Defect{
		Offset: s.Offset, Length: int64(len(s.Line)), Line: s.Number, Reason: reason,
	})
}

// divide takes the runs of NUL bytes off the line of n bytes at start that begin it, end it or divide it, and returns
// what is left of it up to the first that divides it; what follows that is read next.
func (s *Scanner) divide(start, n int) (int, int) {
	line := s.data[start : start+n]
	if run := zeros(line); run > 0 {
		s.zeroDefect(start, run)
		start, line = start+run, line[run:]
	}
	if len(line) == 0 {
		return start, 0
	}
	if i, run := findRun(line); i > 0 && i+run < len(line) {
		s.zeroDefect(start+i, run)
		if s.pos > start+len(line) && s.data[s.pos-1] == '\n' {
			s.next--
		}
		s.pos = start + i + run
		line = line[:i]
	}
	end := len(line)
	for line[end-1] == 0 {
		end--
	}
	if end < len(line) {
		s.zeroDefect(start+end, len(line)-end)
	}
	return start, end
}

func (s *Scanner) zeroDefect(at, n int) {
	s.out.Defects = append(s.out.Defects, event.Defect{
		Offset: s.base + int64(at), Length: int64(n), Line: s.Number, Reason: ZeroRun,
	})
}
