package mailboxaudit

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// export is the heading of Search-MailboxAuditLog -ShowDetails | Export-Csv: the properties of a record, in any order.
type export struct {
	delimiter byte
	columns   []int // slot of each column, -1 if it is not read
	length    int   // of the heading and what comes before it, in bytes
}

// exportOf returns the heading of a CSV file of records, nil if the source is none. PowerShell may put a line "#TYPE …" before it.
func exportOf(s *logs.Source) *export {
	text := bytes.TrimPrefix(s.Head, []byte("\xEF\xBB\xBF"))
	for bytes.HasPrefix(text, []byte("#TYPE")) {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return nil
		}
		text = text[i+1:]
	}
	line, _, ok := bytes.Cut(text, []byte{'\n'})
	if !ok || !bytes.Contains(line, []byte("LastAccessed")) || !bytes.Contains(line, []byte("LogonType")) || !bytes.Contains(line, []byte("Operation")) {
		return nil
	}
	x := &export{delimiter: ',', length: len(s.Head) - len(text) + len(line) + 1}
	for _, d := range []byte{';', '\t'} {
		if bytes.Count(line, []byte{d}) > bytes.Count(line, []byte{x.delimiter}) {
			x.delimiter = d
		}
	}
	known := 0
	if !x.each(bytes.TrimSuffix(line, []byte{'\r'}), nil, func(_ int, name []byte) {
		slot := -1
		for i, a := range attributes {
			if string(name) == a {
				slot = i
				known++
			}
		}
		x.columns = append(x.columns, slot)
	}) || known < 6 {
		return nil
	}
	return x
}

// each calls f for every field of a line, without its quotes, and reports whether the quotes are in step.
func (x *export) each(line []byte, out *event.Batch, f func(column int, field []byte)) bool {
	for column := 0; ; column++ {
		var field []byte
		if len(line) > 0 && line[0] == '"' {
			end, doubled := 1, 0
			for {
				i := bytes.IndexByte(line[end:], '"')
				if i < 0 {
					return false
				}
				end += i
				if end+1 >= len(line) || line[end+1] != '"' {
					break
				}
				doubled++
				end += 2
			}
			field, line = line[1:end], line[end+1:]
			if doubled > 0 {
				field = undouble(field, out)
			}
			if len(line) > 0 && line[0] != x.delimiter {
				return false
			}
		} else {
			end := bytes.IndexByte(line, x.delimiter)
			if end < 0 {
				end = len(line)
			}
			field, line = line[:end], line[end:]
		}
		f(column, field)
		if len(line) == 0 {
			return true
		}
		line = line[1:]
	}
}

// undouble returns a field with its quotes single, in the memory of the batch.
func undouble(field []byte, out *event.Batch) []byte {
	var dst []byte
	if out != nil {
		dst = out.Bytes(len(field))[:0]
	}
	for i := 0; i < len(field); i++ {
		if dst = append(dst, field[i]); field[i] == '"' {
			i++
		}
	}
	return dst
}

// parse reads a block of a CSV file.
func (x *export) parse(p *parser, b *logs.Block, out *event.Batch) {
	part, _ := b.State.(lines.Part)
	for s := lines.Scan(b, part, out); s.Next(); {
		if s.Offset < int64(x.length) {
			continue
		}
		e := out.Add(p.shape)
		n := 0
		ok := x.each(s.Line, out, func(column int, field []byte) {
			n++
			if column < len(x.columns) && x.columns[column] >= 0 && len(field) > 0 {
				v := &e.Values[x.columns[column]]
				v.Data, v.Kind = field[:len(field):len(field)], event.UTF8
			}
		})
		switch {
		case !ok:
			s.Defect("quotes out of step")
		case n != len(x.columns):
			s.Defect("another number of fields than the heading")
		default:
			e.Time = accessed(e.Values[xTime].Data, b.Source.Zone)
			if e.Time == event.UnknownTime {
				s.Defect("no time in LastAccessed")
			}
			e.Raw, e.Offset, e.Line, e.Record = s.Line, s.Offset, s.Number, s.Number
			continue
		}
		out.Events = out.Events[:len(out.Events)-1]
	}
}

// accessed reads LastAccessed as PowerShell writes it: with a zone, or in words of the administrator's computer, of which only those that cannot
// be meant otherwise are read: 2024-05-06 09:00:01, 06.05.2024 09:00:01 (day first), 5/6/2024 9:00:01 AM (month first, since no zero stands before
// them: Australia writes 6/05/2024).
func accessed(p []byte, zone *time.Location) int64 {
	if t, ok := timestamp.RFC3339(p, zone); ok {
		return t
	}
	date, clock, _ := bytes.Cut(p, []byte{' '})
	var year, month, day int
	ok := false
	switch {
	case bytes.IndexByte(date, '-') > 0:
		year, month, day, ok = numbers(date, '-')
	case bytes.IndexByte(date, '.') > 0:
		day, month, year, ok = numbers(date, '.')
	case bytes.IndexByte(date, '/') > 0 && date[0] != '0' && !bytes.Contains(date, slashZero):
		month, day, year, ok = numbers(date, '/')
	}
	clock, half, halved := bytes.Cut(clock, []byte{' '})
	hour, minute, second, told := numbers(clock, ':')
	switch {
	case string(half) == "AM" && hour >= 1 && hour <= 12:
		hour %= 12
	case string(half) == "PM" && hour >= 1 && hour <= 12:
		hour = hour%12 + 12
	case halved || bytes.IndexByte(date, '/') > 0:
		return event.UnknownTime
	}
	d, known := timestamp.Day(year, month, day)
	if !ok || !told || !known || year < 1980 || year > 2100 || hour > 23 || minute > 59 || second > 59 {
		return event.UnknownTime
	}
	return timestamp.In(d*int64(24*time.Hour)+int64(hour*3600+minute*60+second)*int64(time.Second), zone)
}

var slashZero = []byte("/0")

// numbers reads three numbers with a byte between them.
func numbers(p []byte, between byte) (a, b, c int, ok bool) {
	var n [3]int
	at, digits := 0, 0
	for _, x := range p {
		switch {
		case '0' <= x && x <= '9' && digits < 4:
			n[at] = 10*n[at] + int(x-'0')
			digits++
		case x == between && at < 2 && digits > 0:
			at, digits = at+1, 0
		default:
			return 0, 0, 0, false
		}
	}
	return n[0], n[1], n[2], at == 2 && digits > 0
}

// zoneless reports whether the records of a source do not say the zone of their times.
func zoneless(s *logs.Source) bool {
	x := exportOf(s)
	if x == nil {
		return false
	}
	rest := s.Head[min(x.length, len(s.Head)):]
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	without := false
	x.each(bytes.TrimSuffix(line, []byte{'\r'}), nil, func(column int, field []byte) {
		if column < len(x.columns) && x.columns[column] == xTime {
			_, ok := timestamp.RFC3339(field, time.UTC)
			n := len(field)
			zoned := ok && (field[n-1] == 'Z' || field[n-1] == 'z' || n > 6 && (field[n-6] == '+' || field[n-6] == '-'))
			without = !zoned
		}
	})
	return without
}
