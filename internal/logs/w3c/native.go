package w3c

import (
	"bytes"
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// NativeName is the name of the format "IIS Log File Format".
const NativeName = "iis.native"

// The columns of IIS's own format are fixed ("IIS Log File Format" in the IIS 6.0 documentation).
var nativeColumns = [...]string{
	"c-ip", "cs-username", "date", "time", "s-sitename", "s-computername", "s-ip", "time-taken", "cs-bytes", "sc-bytes",
	"sc-status", "sc-win32-status", "cs-method", "cs-uri-stem", "cs-uri-query",
}

const (
	nativeDate  = 2
	nativeTime  = 3
	nativeStem  = 13
	nativeQuery = 14
)

// NewNative returns the format of logs in IIS's own format, for one run of the program: values with a comma after each, times in
// the zone of the server, which the log does not say.
func NewNative() logs.Format {
	var fields []event.Field
	for _, name := range nativeColumns {
		fields = append(fields, event.Field{Name: name})
	}
	fields = append(fields, event.Field{Name: "cs-uri"})
	shape := logsource.Builtin().NewShape(NativeName, "", fields)
	shape.SetRole(event.Host, "s-computername")
	shape.SetRole(event.Client, "c-ip")
	shape.SetRole(event.Account, "cs-username")
	newParser := func() *nativeParser { return &nativeParser{shape: shape} }
	return logs.Format{
		Name: NativeName,
		Sniff: func(s *logs.Source) logs.Certainty {
			out := new(event.Batch)
			l := lines.Scan(&logs.Block{Data: s.Head, First: true, Line: 1}, lines.Part{}, out)
			if l.Next() && newParser().line(&l, s, out) {
				return logs.Likely
			}
			return logs.No
		},
		Cutter:   func(*logs.Source) logs.Cutter { return new(lines.Cutter) },
		Parser:   func() logs.Parser { return newParser() },
		Zoneless: func(*logs.Source) bool { return true },
	}
}

type nativeParser struct {
	parser
	shape *event.Shape
}

// Parse implements logs.Parser.
func (p *nativeParser) Parse(b *logs.Block, out *event.Batch) {
	part, _ := b.State.(lines.Part)
	for s := lines.Scan(b, part, out); s.Next(); {
		if s.Line[0] != '#' && !p.line(&s, b.Source, out) {
			s.Defect("not the fifteen values of IIS's own format")
		}
	}
}

// line appends the event of a line and reports whether it is one.
func (p *nativeParser) line(s *lines.Scanner, source *logs.Source, out *event.Batch) bool {
	e := out.Add(p.shape)
	rest := s.Line
	for i := range nativeColumns {
		n := bytes.Index(rest, []byte(", "))
		if i == nativeQuery {
			rest = bytes.TrimRight(rest, " ")
			n = len(rest) - 1 // the query may have commas; the line ends with one
			if n < 1 || rest[n] != ',' {
				n = -1
			}
		}
		if n < 0 {
			out.Events = out.Events[:len(out.Events)-1]
			return false
		}
		setValue(&e.Values[i], rest[:n:n])
		rest = rest[min(n+2, len(rest)):]
	}
	when, ok := nativeWhen(e.Values[nativeDate].Data, e.Values[nativeTime].Data)
	if !ok {
		out.Events = out.Events[:len(out.Events)-1]
		return false
	}
	h := header{stem: nativeStem, query: nativeQuery, uri: len(nativeColumns)}
	p.finish(e, &h, timestamp.In(when, source.Zone), s, out)
	return true
}

// nativeWhen reads a date such as 5/6/2024, month first, and a time such as 7:00:03.
func nativeWhen(date, clock []byte) (int64, bool) {
	month, rest, ok := bytes.Cut(date, []byte("/"))
	day, year, ok2 := bytes.Cut(rest, []byte("/"))
	if !ok || !ok2 || len(month) > 2 || len(day) > 2 || len(year) > 4 || !digits(month) || !digits(day) || !digits(year) {
		return 0, false
	}
	number := func(p []byte) int {
		n, _ := strconv.Atoi(string(p))
		return n
	}
	y := number(year)
	if len(year) == 2 {
		y += 2000
	}
	d, ok := timestamp.Day(y, number(month), number(day))
	if !ok {
		return 0, false
	}
	var padded [8]byte
	if len(clock) == 7 {
		padded[0] = '0'
		copy(padded[1:], clock)
		clock = padded[:]
	}
	t, ok := timestamp.Clock(clock)
	return d*int64(24*time.Hour) + t, ok
}
