// Package remoteaccess reads the logs of AnyDesk (ad.trace, ad_svc.trace, connection_trace.txt) and TeamViewer (TeamViewer*_Logfile.log,
// Connections_incoming.txt, Connections.txt): who came in, from where, when, and when they left.
//
// The traces give the parts of a session in lines of their own. What a line leaves out, the address or the number of the
// client, is taken from the lines before it.
package remoteaccess

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/logsource"
)

// kind is which log a line is of; it is the Tag of the Shape.
type kind uint32

const (
	none kind = iota
	anydeskTrace
	anydeskConnections
	teamviewerLog
	teamviewerConnections
	numKinds
)

var names = [numKinds]string{anydeskTrace: "anydesk.trace", anydeskConnections: "anydesk.connections",
	teamviewerLog: "teamviewer.log", teamviewerConnections: "teamviewer.connections"}

// New returns the Format "remoteaccess". A source, and the Shape of an event, is called by its log: "anydesk.trace", "anydesk.connections",
// "teamviewer.log" or "teamviewer.connections".
//
// TeamViewer's lists of connections are in UTC. Its log says at each start how far its clock is from UTC; lines before the first
// such, and AnyDesk's logs, are in the zone of the source.
func New() logs.Format {
	set := newShapes()
	return logs.Format{
		Name: "remoteaccess",
		Sniff: func(s *logs.Source) logs.Certainty {
			sure, _ := sniff(s)
			return sure
		},
		Cutter: func(s *logs.Source) logs.Cutter { return newCutter(s) },
		Parser: func() logs.Parser { return &parser{shapes: set} },
		Refine: func(s *logs.Source) string {
			if _, k := sniff(s); k != none {
				return names[k]
			}
			return "remoteaccess"
		},
		Zoneless: func(s *logs.Source) bool {
			_, k := sniff(s)
			return k != teamviewerConnections && (k != teamviewerLog || !begin(s).zoned)
		},
		Known: func() []logs.Known {
			var out []logs.Known
			for k := anydeskTrace; k < numKinds; k++ {
				out = append(out, logs.Known{Name: names[k], Shape: set[k]})
			}
			return out
		},
	}
}

// sniff looks at the first lines: most have to be of one of the logs.
func sniff(s *logs.Source) (logs.Certainty, kind) {
	var of [numKinds]int
	all := 0
	for rest := s.Head; len(rest) > 0 && all < 32; {
		var l []byte
		var whole bool
		l, rest, whole = bytes.Cut(rest, []byte{'\n'})
		l = bytes.TrimRight(bytes.TrimPrefix(l, []byte("\xEF\xBB\xBF")), "\r\x00")
		if len(bytes.TrimSpace(l)) == 0 || isHeader(l) || !whole && all > 0 {
			continue
		}
		all++
		of[kindOf(l)]++
	}
	for k := anydeskTrace; k < numKinds; k++ {
		if of[k]*2 > all {
			return logs.Likely, k
		}
	}
	return logs.No, none
}

// kindOf returns which log a line is of, by its form.
func kindOf(l []byte) kind {
	if _, _, ok := connectionTime(l); ok {
		return anydeskConnections
	}
	if _, _, ok := traceTime(l); ok {
		return anydeskTrace
	}
	if _, _, ok := logTime(l); ok {
		return teamviewerLog
	}
	var c connection
	if c.parse(l) {
		return teamviewerConnections
	}
	return none
}

// known is what the lines so far have said that later ones leave out. It is a value: blocks hold copies.
type known struct {
	part lines.Part
	// offset is what the clock of TeamViewer's log is ahead of UTC; zoned is set where the log said so.
	offset time.Duration
	zoned  bool
	// The client of the session that was made last.
	id, ip field
	// ended says that the session ended with the line before.
	ended bool
}

// field is a short text that outlives the line it was in.
type field struct {
	n    uint8
	text [45]byte
}

func (f *field) set(p []byte) {
	f.n = 0
	if len(p) <= len(f.text) {
		f.n = uint8(copy(f.text[:], p))
	}
}

func (f *field) bytes() []byte { return f.text[:f.n] }

// begin returns what is known before the first line: the zone that the log gives later on.
func begin(s *logs.Source) known {
	var k known
	for rest := s.Head; len(rest) > 0 && !k.zoned; {
		var l []byte
		l, rest, _ = bytes.Cut(rest, []byte{'\n'})
		k.header(l)
	}
	return k
}

type cutter struct {
	lines.Cutter
	known   known
	first   bool
	scratch event.Batch
}

func newCutter(s *logs.Source) *cutter { return &cutter{known: begin(s), first: true} }

// Cut implements [logs.Cutter].
func (c *cutter) Cut(data []byte, atEOF bool) (int, any) {
	n, part := c.Next(data, atEOF)
	if n == 0 {
		return 0, nil
	}
	st := c.known
	st.part = part
	b := logs.Block{Data: data[:n], First: c.first}
	for s := lines.Scan(&b, part, &c.scratch); s.Next(); {
		c.known.follow(s.Line)
	}
	c.scratch.Reset()
	c.first = false
	return n, &st
}

// follow takes account of a line.
func (k *known) follow(l []byte) {
	if k.header(l) {
		return
	}
	if rest, _, ok := traceTime(l); ok {
		var t trace
		t.parse(rest)
		k.traced(&t)
		return
	}
	if rest, _, ok := logTime(l); ok {
		var t logLine
		t.parse(rest)
		k.logged(&t)
	}
}

type parser struct{ shapes *shapes }

type shapes [numKinds]*event.Shape

func newShapes() *shapes {
	s := new(shapes)
	for k, list := range [numKinds][]event.Field{
		anydeskTrace: traceFields, anydeskConnections: connectionTraceFields, teamviewerLog: logFields, teamviewerConnections: connectionFields} {
		if list == nil {
			continue
		}
		sh := logsource.Builtin().NewShape(names[k], "", list)
		sh.Tag = uint32(k)
		sh.SetRole(event.Account, "client_id")
		sh.SetRole(event.Client, "src_ip")
		sh.SetRole(event.Session, "session")
		s[k] = sh
	}
	return s
}

// Parse implements [logs.Parser].
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	k := *b.State.(*known)
	for s := lines.Scan(b, k.part, out); s.Next(); {
		if k.header(s.Line) || len(bytes.TrimSpace(s.Line)) == 0 {
			continue
		}
		if !p.line(s.Line, &k, b.Source.Zone, out) {
			s.Defect("no line of a remote-access log")
			continue
		}
		e := &out.Events[len(out.Events)-1]
		e.Raw, e.Offset, e.Line = s.Line, s.Offset, s.Number
	}
}

// line appends the event of a line and reports whether it is one.
func (p *parser) line(l []byte, k *known, zone *time.Location, out *event.Batch) bool {
	if rest, when, ok := connectionTime(l); ok {
		e := out.Add(p.shapes[anydeskConnections])
		e.Time = when.in(zone)
		parseConnectionTrace(e.Values, l, rest)
		return true
	}
	if rest, when, ok := traceTime(l); ok {
		e := out.Add(p.shapes[anydeskTrace])
		e.Time = when.in(zone)
		var t trace
		t.parse(rest)
		k.traced(&t)
		t.values(e.Values, l, k, out)
		return true
	}
	if rest, when, ok := logTime(l); ok {
		e := out.Add(p.shapes[teamviewerLog])
		if e.Time = when.in(zone); k.zoned {
			e.Time = when.in(time.UTC) - int64(k.offset)
		}
		var t logLine
		t.parse(rest)
		k.logged(&t)
		t.values(e.Values, k, out)
		return true
	}
	var c connection
	if !c.parse(l) {
		return false
	}
	e := out.Add(p.shapes[teamviewerConnections])
	e.Time = c.start.in(time.UTC)
	c.values(e.Values)
	return true
}

// put sets the value of a slot to text, unless there is none.
func put(v []event.Value, slot int, p []byte) {
	if len(p) > 0 {
		v[slot] = event.Value{Data: p, Kind: event.UTF8}
	}
}

// num sets the value of a slot to a number in text.
func num(v []event.Value, slot int, p []byte) {
	if len(p) > 0 {
		v[slot] = event.Value{Data: p, Kind: event.Number}
	}
}

// keep sets the value of a slot to a copy of f that lives as long as the batch.
func keep(v []event.Value, slot int, f *field, out *event.Batch) {
	if f.n > 0 {
		p := out.Bytes(int(f.n))
		copy(p, f.bytes())
		put(v, slot, p)
	}
}
