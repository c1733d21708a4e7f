package mailboxaudit

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// export is the heading of Search-MailboxAuditLog -ShowDetails | Export-Csv: the properties of a record, in any order; and what the first
// records tell of how times are written.
type export struct {
	delimiter byte
	columns   []int // slot of each column, -1 if it is not read
	heading   []byte
	length    int // of the heading and what comes before it, in bytes
	order     order
	slashed   bool // some dates have slashes
	zoneless  bool // some times do not say their zone
}

// order is which comes first in dates with slashes.
type order uint8

const (
	unclear order = iota // what the first records have may be either
	monthFirst
	dayFirst
)

// exportOf returns the heading of a CSV file of records, nil if the source is none. PowerShell may put a line "#TYPE …" before it.
func exportOf(s *logs.Source) *export {
	text := bytes.TrimPrefix(s.Head, []byte("\xEF\xBB\xBF"))
	for bytes.HasPrefix(text, typeLine) {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return nil
		}
		text = text[i+1:]
	}
	line, rest, ok := bytes.Cut(text, []byte{'\n'})
	if !ok || !bytes.Contains(line, []byte("LastAccessed")) || !bytes.Contains(line, []byte("LogonType")) || !bytes.Contains(line, []byte("Operation")) {
		return nil
	}
	x := &export{delimiter: ',', heading: bytes.TrimSuffix(line, []byte{'\r'}), length: len(s.Head) - len(rest)}
	for _, d := range []byte{';', '\t'} {
		if bytes.Count(line, []byte{d}) > bytes.Count(line, []byte{x.delimiter}) {
			x.delimiter = d
		}
	}
	known := 0
	if !x.each(x.heading, nil, func(_ int, name []byte) {
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
	x.learn(rest)
	return x
}

var typeLine = []byte("#TYPE")

// learn looks at the times of the first records.
func (x *export) learn(text []byte) {
	day, month := false, false // some date has a day there that is no month
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		x.each(bytes.TrimSuffix(line, []byte{'\r'}), nil, func(column int, field []byte) {
			if column >= len(x.columns) || x.columns[column] != xTime || len(field) == 0 || string(field) == attributes[xTime] {
				return
			}
			t, ok := timestamp.RFC3339(field, time.UTC)
			elsewhere, _ := timestamp.RFC3339(field, anHourEast)
			x.zoneless = x.zoneless || !ok || t != elsewhere
			date, _, _ := bytes.Cut(field, []byte{' '})
			if a, b, _, ok := numbers(date, '/'); ok {
				x.slashed = true
				day, month = day || a > 12, month || b > 12
			}
		})
	}
	switch {
	case day && !month:
		x.order = dayFirst
	case month && !day:
		x.order = monthFirst
	}
}

var anHourEast = time.FixedZone("", 3600)

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
		if s.Offset < int64(x.length) || bytes.Equal(s.Line, x.heading) || bytes.HasPrefix(s.Line, typeLine) { // files may be put together
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
			e.Time = accessed(e.Values[xTime].Data, x.order, b.Source.Zone)
			if e.Time == event.UnknownTime {
				s.Defect("no time in LastAccessed")
			}
			e.Raw, e.Offset, e.Line, e.Record = s.Line, s.Offset, s.Number, s.Number
			continue
		}
		out.Events = out.Events[:len(out.Events)-1]
	}
}

// accessed reads LastAccessed as PowerShell writes it: with a zone, or in words of the administrator's computer: 2024-05-06 09:00:01,
// 06.05.2024 09:00:01 (day first), and with slashes in either order, which the file must tell: 5/6/2024 9:00:01 AM is of May in the United
// States, and of June in Singapore and Hong Kong.
func accessed(p []byte, slashes order, zone *time.Location) int64 {
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
	case slashes == monthFirst:
		month, day, year, ok = numbers(date, '/')
	case slashes == dayFirst:
		day, month, year, ok = numbers(date, '/')
	}
	clock, half, halved := bytes.Cut(clock, []byte{' '})
	if !halved {
		clock, half, halved = bytes.Cut(clock, narrowBlank)
	}
	hour, minute, second, told := numbers(clock, ':')
	if halved {
		if hour < 1 || hour > 12 {
			return event.UnknownTime
		}
		switch hour %= 12; string(half) {
		case "AM", "am", "ص":
		case "PM", "pm", "م":
			hour += 12
		default:
			return event.UnknownTime
		}
	}
	d, known := timestamp.Day(year, month, day)
	if !ok || !told || !known || year < 1980 || year > 2100 || hour > 23 || minute > 59 || second > 59 {
		return event.UnknownTime
	}
	return timestamp.In(d*int64(24*time.Hour)+int64(hour*3600+minute*60+second)*int64(time.Second), zone)
}

// narrowBlank is what newer systems write before AM and PM.
var narrowBlank = []byte("\u202f")

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

// zoneless reports whether records of a source do not say the zone of their times.
func zoneless(s *logs.Source) bool {
	x := exportOf(s)
	return x != nil && x.zoneless
}

// notes says where no time can be read.
func notes(s *logs.Source) []string {
	if x := exportOf(s); x != nil && x.order == unclear && x.slashed {
		return []string{"dates with slashes may have the day or the month first, and the first records do not tell which: the times of such are unknown"}
	}
	return nil
}
