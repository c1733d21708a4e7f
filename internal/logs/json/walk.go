package json

import (
	"bytes"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
)

// Walker goes through the records of a block that a [Cutter] cut:
//
//	for w := json.Walk(b, out); w.Next(&rec); {
//		use(rec.Values, w.Raw, w.Offset, w.Line)
//	}
//
// What is no record is added to the batch as a defect.
type Walker struct {
	// Raw is the text of the current record: a view of the block.
	Raw []byte
	// Offset is where Raw begins in the source, in bytes, and Line the number of the line it begins in, from 1.
	Offset, Line int64

	layout  *Layout
	out     *event.Batch
	scanner lines.Scanner // in the Lines layout
	rest    []byte        // of the scanner's line
	data    []byte
	pos     int
	base    int64
	counted int // up to where the lines of data have been counted
}

// Walk returns a Walker over b, whose state is a *State. Defects go to out.
func Walk(b *logs.Block, out *event.Batch) Walker {
	s := b.State.(*State)
	w := Walker{layout: s.Layout, out: out, data: b.Data, base: b.Offset, Line: b.Line}
	if w.layout.Lines {
		w.scanner = lines.Scan(b, s.Part, out)
	} else if b.First {
		w.pos = min(w.layout.Header, len(b.Data))
	}
	return w
}

// Next scans the next record into r, and reports whether there was one.
func (w *Walker) Next(r *Record) bool {
	if w.layout.Lines {
		return w.nextInLine(r)
	}
	for w.pos < len(w.data) {
		p := next(w.data, w.pos, w.layout, true)
		w.pos = p.end
		if p.start >= p.end {
			return false
		}
		w.Line += int64(bytes.Count(w.data[w.counted:p.start], []byte{'\n'}))
		w.counted = p.start
		w.Offset = w.base + int64(p.start)
		w.Raw = w.data[p.start:p.end:p.end]
		if p.reason == "" {
			n, why := r.Scan(w.Raw)
			if why == "" && n == len(w.Raw) {
				return true
			}
			p.reason = why
			if why == "" {
				p.reason = "brackets out of step"
			}
		}
		w.Defect(p.reason)
	}
	return false
}

func (w *Walker) nextInLine(r *Record) bool {
	for {
		rest := w.rest
		i := 0
		for i < len(rest) && (rest[i] == ' ' || rest[i] == '\t' || rest[i] == ',' || rest[i] == '\r') {
			i++
		}
		if rest = rest[i:]; len(rest) == 0 {
			if !w.scanner.Next() {
				return false
			}
			w.rest = w.scanner.Line
			w.Line = w.scanner.Number
			continue
		}
		w.Offset = w.scanner.Offset + int64(len(w.scanner.Line)-len(rest))
		n, why := r.Scan(rest)
		if why != "" {
			w.Raw, w.rest = rest, nil
			w.Defect(why)
			continue
		}
		w.Raw, w.rest = rest[:n:n], rest[n:]
		return true
	}
}

// Defect says that the current record could not be used, and why.
func (w *Walker) Defect(reason string) {
	w.out.Defects = append(w.out.Defects, event.Defect{Offset: w.Offset, Length: int64(len(w.Raw)), Line: w.Line, Reason: reason})
}

// First scans the first record of a stream that begins with head into r, for a Format to see by its names whether it is its
// own. A damaged one is passed over if records are lines; of one that is not whole in head, the names that are there count.
// It reports whether there is any name.
func First(head []byte, r *Record) bool {
	r.Reset()
	l, ok := Sniff(head)
	if !ok || l.Header >= len(head) {
		return false
	}
	rest := head[l.Header:]
	for range 8 {
		_, why := r.Scan(rest)
		if why == "" || !l.Lines {
			break
		}
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	return len(r.Keys) > 0
}

// Has reports whether the record has a name no deeper than depth, in any case of its letters.
func (r *Record) Has(name string, depth uint8) bool {
	for i := range r.Keys {
		if k := &r.Keys[i]; k.Depth <= depth && len(k.Name) == len(name) && strings.EqualFold(string(k.Name), name) {
			return true
		}
	}
	return false
}
