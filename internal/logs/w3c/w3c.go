// Package w3c reads the W3C extended log files of Internet Information Services
// (W3C Working Draft WD-logfile-960323; "W3C Logging" in the IIS documentation).
//
// The columns are whatever the #Fields line above says; it may change in mid-file. Field names are those of #Fields,
// with the names that Sigma rules use as aliases, and a computed cs-uri, which is the path with its query. Values are as logged:
// IIS writes '+' for a blank. "-" is null. Times are UTC.
//
// A line that has another number of values than #Fields has names is read by other means where exactly one reading
// fits: values in quotes, empty values, the layout that IIS uses by default. Where none fits, what stands before
// the fault and the status codes are kept, the rest is left absent, and the line is reported as a defect as well.
package w3c

import (
	"bytes"
	"fmt"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// New returns the format, for one run of the program.
func New() logs.Format {
	hs := new(headers)
	return logs.Format{
		Name:   Name,
		Sniff:  sniff,
		Cutter: func(*logs.Source) logs.Cutter { return &cutter{headers: hs} },
		Parser: func() logs.Parser { return newParser(hs) },
		Notes:  notes,
	}
}

// notes says what had to be assumed, by the first lines.
func notes(s *logs.Source) []string {
	fields := bytes.Index(s.Head, []byte("#Fields:"))
	if fields < 0 || bytes.IndexByte(bytes.TrimPrefix(s.Head, []byte("\xEF\xBB\xBF")), '#') > 0 {
		return []string{"lines without a #Fields line above them; read in the layout that IIS uses by default"}
	}
	names := s.Head[fields+len("#Fields:"):]
	if i := bytes.IndexByte(names, '\n'); i >= 0 {
		names = names[:i]
	}
	for name := range bytes.FieldsSeq(names) {
		if string(name) == "date" {
			return nil
		}
	}
	return []string{"lines without a date; dates are those of the #Date lines above them"}
}

// sniff looks for a #Fields line that IIS could have written, or a line in a usual layout.
func sniff(s *logs.Source) logs.Certainty {
	head := bytes.TrimPrefix(s.Head, []byte("\xEF\xBB\xBF"))
	sure := logs.No
	hs := new(headers)
	p := newParser(hs)
	for range 20 {
		if len(head) == 0 {
			break
		}
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		line = bytes.TrimRight(line, "\r")
		switch {
		case bytes.HasPrefix(line, []byte("#Software: Microsoft Internet Information Services")),
			bytes.HasPrefix(line, []byte("#Software: Microsoft HTTP API")): // HTTPERR: what never reached IIS
			return logs.Certain
		case bytes.HasPrefix(line, []byte("#Software:")):
			return logs.No // of something else
		case bytes.HasPrefix(line, []byte("#Fields:")):
			names := line[len("#Fields:"):]
			if bytes.Contains(names, []byte(" cs-method ")) || bytes.Contains(names, []byte(" cs-uri-stem ")) {
				return logs.Certain
			}
		case len(line) > 0 && line[0] != '#' && sure == logs.No:
			if p.guess(line) != nil {
				sure = logs.Likely
			}
		}
	}
	return sure
}

// state is what the Cutter hands on.
type state struct {
	part lines.Part
	context
}

type cutter struct {
	lines.Cutter
	headers *headers
	now     context
}

func (c *cutter) Cut(data []byte, atEOF bool) (int, any) {
	n, part := c.Next(data, atEOF)
	if n == 0 {
		return 0, nil
	}
	st := state{part, c.now}
	if part.Skip == "" {
		c.follow(data[:n])
	}
	return n, st
}

// follow looks for directives in a block.
func (c *cutter) follow(block []byte) {
	for {
		i := 0
		if len(block) == 0 || block[0] != '#' && block[0] != 0 && block[0] != 0xEF {
			if i = bytes.Index(block, []byte("\n#")); i < 0 {
				return
			}
			i++
		}
		block = block[i:]
		end := bytes.IndexByte(block, '\n')
		if end < 0 {
			end = len(block) - 1
		}
		line := bytes.TrimRight(bytes.TrimPrefix(bytes.Trim(block[:end+1], "\x00"), []byte("\xEF\xBB\xBF")), "\r\n")
		if len(line) > 0 && line[0] == '#' {
			c.now.directive(line, c.headers)
		}
		block = block[end+1:]
	}
}

type parser struct {
	headers *headers
	usual   []*header
	cols    [][]byte // the values of the line in hand
	spare   [][]byte

	dayText [10]byte // the last date seen, and its day
	day     int64

	seen  *event.Shape // the shape that slots are of
	slots slots
	text  []byte // of observations
}

func newParser(hs *headers) *parser {
	p := &parser{headers: hs}
	for _, u := range usual {
		p.usual = append(p.usual, hs.of([]byte(u)))
	}
	return p
}

// Parse implements logs.Parser.
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	st, _ := b.State.(state)
	ctx := st.context
	for s := lines.Scan(b, st.part, out); s.Next(); {
		if s.Line[0] == '#' {
			ctx.directive(s.Line, p.headers)
			continue
		}
		p.line(&s, &ctx, out)
	}
}

func (p *parser) line(s *lines.Scanner, ctx *context, out *event.Batch) {
	h := ctx.header
	if h == nil {
		if h = p.guess(s.Line); h == nil {
			s.Defect("no #Fields line above it, and not in a layout that IIS uses by default")
			return
		}
	}
	e := out.Add(h.shape)
	if split(s.Line, e.Values[:h.columns]) {
		if when, ok := p.when(e.Values, h, ctx); ok {
			p.finish(e, h, when, s, out)
			return
		}
	}
	out.Events = out.Events[:len(out.Events)-1]
	p.odd(s, h, ctx, out)
}

// split sets values to the columns of a line, and reports whether there are as many as values and none is empty.
func split(line []byte, values []event.Value) bool {
	pos := 0
	last := len(values) - 1
	for i := range values {
		n := bytes.IndexByte(line[pos:], ' ')
		if n < 0 {
			if n = len(line) - pos; i != last && (i != last-1 || n > 0) {
				return false
			}
		}
		if n == 0 {
			return false
		}
		setValue(&values[i], line[pos:pos+n:pos+n])
		pos += n + 1
		if i == last && pos <= len(line) {
			return len(bytes.TrimLeft(line[pos:], " ")) == 0
		}
	}
	return true
}

func setValue(v *event.Value, p []byte) {
	if len(p) == 1 && p[0] == '-' {
		v.Kind = event.Null
		return
	}
	v.Data, v.Kind = p, event.UTF8
}

// when returns the time of a line.
func (p *parser) when(values []event.Value, h *header, ctx *context) (int64, bool) {
	if h.time < 0 {
		return event.UnknownTime, true
	}
	clock, ok := timestamp.Clock(values[h.time].Data)
	if !ok {
		return 0, false
	}
	day := ctx.day
	if h.date >= 0 {
		date := values[h.date].Data
		if len(date) != 10 {
			return 0, false
		}
		if string(date) != string(p.dayText[:]) {
			d, ok := timestamp.DashDate(date)
			if !ok {
				return 0, false
			}
			copy(p.dayText[:], date)
			p.day = d
		}
		day = p.day
	} else if !ctx.dated {
		return event.UnknownTime, true
	}
	return day*int64(24*time.Hour) + clock, true
}

// finish sets what an event has besides its columns.
func (p *parser) finish(e *event.Event, h *header, when int64, s *lines.Scanner, out *event.Batch) {
	e.Time = when
	e.Raw, e.Offset, e.Line, e.Record = s.Line, s.Offset, s.Number, s.Number
	if h.uri < 0 {
		return
	}
	stem := e.Values[h.stem]
	if h.query < 0 || e.Values[h.query].Kind != event.UTF8 || stem.Kind != event.UTF8 {
		e.Values[h.uri] = stem
		return
	}
	query := e.Values[h.query].Data
	uri := out.Bytes(len(stem.Data) + 1 + len(query))
	n := copy(uri, stem.Data)
	uri[n] = '?'
	copy(uri[n+1:], query)
	e.Values[h.uri] = event.Value{Data: uri, Kind: event.UTF8}
}

// odd reads a line that does not have a value for each column.
func (p *parser) odd(s *lines.Scanner, h *header, ctx *context, out *event.Batch) {
	p.cols = appendColumns(p.cols[:0], s.Line, false)
	count := len(p.cols)
	if count == h.columns && fits(p.cols, h) && p.add(s, h, ctx, out) {
		return
	}
	if len(p.cols) != h.columns || !fits(p.cols, h) {
		// Values that are empty are not written at all, or blanks stand inside quotes.
		for _, quotes := range []bool{false, true} {
			p.spare = p.spare[:0]
			for _, c := range appendColumns(p.spare, s.Line, quotes) {
				if len(c) > 0 {
					p.spare = append(p.spare, c)
				}
			}
			if len(p.spare) == h.columns && fits(p.spare, h) {
				p.cols = append(p.cols[:0], p.spare...)
				if p.add(s, h, ctx, out) {
					return
				}
			}
		}
	}
	p.cols = appendColumns(p.cols[:0], s.Line, true)
	if len(p.cols) == h.columns && fits(p.cols, h) && p.add(s, h, ctx, out) {
		return
	}
	p.cols = appendColumns(p.cols[:0], s.Line, false)
	for _, u := range p.usual {
		if u != h && len(p.cols) == u.columns && fits(p.cols, u) && p.add(s, u, ctx, out) {
			return
		}
	}
	p.certain(h)
	reason := "the line is no record: its beginning is not what #Fields says"
	if len(p.cols) > 0 && p.add(s, h, ctx, out) {
		reason = fmt.Sprintf("%d values for %d fields: only those that are certain were read", count, h.columns)
	}
	s.Defect(reason)
}

// add adds an event of the columns in hand, nil ones absent, if they have a time.
func (p *parser) add(s *lines.Scanner, h *header, ctx *context, out *event.Batch) bool {
	e := out.Add(h.shape)
	for i, c := range p.cols {
		if len(c) > 0 {
			setValue(&e.Values[i], c)
		}
	}
	when, ok := p.when(e.Values, h, ctx)
	if !ok {
		out.Events = out.Events[:len(out.Events)-1]
		return false
	}
	p.finish(e, h, when, s, out)
	return true
}

// appendColumns appends the values of a line, which may be empty. With quotes, a value that begins with a quotation
// mark goes on to the one before the next blank.
func appendColumns(cols [][]byte, line []byte, quotes bool) [][]byte {
	for pos := 0; pos <= len(line) && len(cols) <= 4*maxColumns; {
		rest := line[pos:]
		n := -1
		if quotes && len(rest) > 1 && rest[0] == '"' {
			if n = bytes.Index(rest[1:], []byte("\" ")); n >= 0 {
				n += 2
			} else if rest[len(rest)-1] == '"' {
				n = len(rest)
			}
		}
		if n < 0 {
			if n = bytes.IndexByte(rest, ' '); n < 0 {
				n = len(rest)
			}
		}
		value := rest[:n:n]
		if quotes && n > 1 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		cols = append(cols, value)
		pos += n + 1
	}
	return cols
}

// fits reports whether every value is one that its column can have.
func fits(cols [][]byte, h *header) bool {
	for i, c := range cols {
		if !h.kind[i].allows(c) {
			return false
		}
	}
	return true
}

// allows reports whether a column of the kind can have the value.
func (k columnKind) allows(c []byte) bool {
	if k == free || string(c) == "-" && k != isDate && k != isTime {
		return true
	}
	switch k {
	case isDate:
		_, ok := timestamp.DashDate(c)
		return ok
	case isTime:
		_, ok := timestamp.Clock(c)
		return ok
	case isMethod:
		for _, b := range c {
			if (b < 'A' || b > 'Z') && b != '_' && b != '-' {
				return false
			}
		}
		return len(c) > 0
	case isStem:
		return len(c) > 0 && (c[0] == '/' || c[0] == '*')
	case isPort, isCode:
		return digits(c)
	case isClient:
		return address(c)
	case isStatus:
		return len(c) == 3 && digits(c)
	}
	return true
}

func digits(c []byte) bool {
	for _, b := range c {
		if b < '0' || b > '9' {
			return false
		}
	}
	return len(c) > 0
}

// address reports whether c could be an address: hexadecimal digits with dots or colons, and a zone of IPv6.
func address(c []byte) bool {
	marks := 0
	for _, b := range c {
		switch {
		case b == '.' || b == ':':
			marks++
		case b == '%':
			return marks > 1
		case (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'f'):
			return false
		}
	}
	return marks > 1
}

// certain leaves in the columns in hand what is certain of a line that does not fit: of one that ends early what is
// there, of any other the values up to the last column whose values can be checked, the client's address, and the
// status codes. It leaves none if the line does not even begin right.
func (p *parser) certain(h *header) {
	raw := append(p.spare[:0], p.cols...)
	p.spare = raw
	p.cols = p.cols[:0]
	good, fit := 0, 0
	for ; fit < min(len(raw), h.columns); fit++ {
		if k, c := h.kind[fit], raw[fit]; !k.allows(c) || k != free && string(c) == "-" {
			break
		} else if k != free {
			good = fit + 1
		}
	}
	// A line that was merely cut off has its last value cut, too: the beginning of a text, but another number.
	if fit == len(raw) {
		if good == fit {
			good--
		} else {
			good = fit
		}
	}
	for i := range h.columns {
		if i < good {
			p.cols = append(p.cols, raw[i])
		} else {
			p.cols = append(p.cols, nil)
		}
	}
	if h.date >= good || h.time >= good || h.date < 0 && h.time < 0 {
		p.cols = p.cols[:0]
		return
	}
	status, client := -1, -1
	for i := good; i < h.columns; i++ {
		switch h.kind[i] {
		case isStatus:
			status = i
		case isClient:
			client = i
		}
	}
	if good > h.columns || status < 0 {
		return
	}
	// The codes are the first status that is followed by numbers for the columns after it.
	codes := 1
	for status+codes < h.columns && h.kind[status+codes] == isCode {
		codes++
	}
	for i := good; i+codes <= len(raw); i++ {
		if isStatus.allows(raw[i]) && raw[i][0] != '-' && raw[i][0] >= '1' && raw[i][0] <= '5' && allDigits(raw[i+1:i+codes]) {
			copy(p.cols[status:status+codes], raw[i:i+codes])
			if client >= 0 {
				for _, c := range raw[good:i] {
					if address(c) {
						p.cols[client] = c
						break
					}
				}
			}
			return
		}
	}
}

func allDigits(cols [][]byte) bool {
	for _, c := range cols {
		if !digits(c) {
			return false
		}
	}
	return true
}

// guess returns the usual layout that a line without #Fields is in, or nil.
func (p *parser) guess(line []byte) *header {
	p.cols = appendColumns(p.cols[:0], line, false)
	for _, u := range p.usual {
		if len(p.cols) == u.columns && fits(p.cols, u) {
			return u
		}
	}
	// A damaged line is known by its beginning.
	for _, u := range p.usual {
		if len(p.cols) >= 6 && fits(p.cols[:min(7, len(p.cols))], u) && string(p.cols[3]) != "-" && string(p.cols[4]) != "-" {
			return u
		}
	}
	return nil
}

// slots are where Observe finds things.
type slots struct {
	method, stem, query, status, substatus, win32, account, client, agent, bytes, host, taken, port int
}

// look finds where things are in a Shape.
func (p *parser) look(s *event.Shape) {
	if s == p.seen {
		return
	}
	p.seen = s
	p.slots = slots{
		method: s.Slot("cs-method"), stem: s.Slot("cs-uri-stem"), query: s.Slot("cs-uri-query"),
		status: s.Slot("sc-status"), substatus: s.Slot("sc-substatus"), win32: s.Slot("sc-win32-status"),
		account: s.Slot("cs-username"), client: s.Slot("c-ip"), agent: s.Slot("cs(User-Agent)"),
		bytes: s.Slot("sc-bytes"), host: s.Slot("cs(Host)"), taken: s.Slot("time-taken"), port: s.Slot("s-port"),
	}
}

// at returns what stands in a slot, nil where there is none.
func at(e *event.Event, slot int) []byte {
	if slot < 0 {
		return nil
	}
	return e.Values[slot].Data
}

// Observe implements logs.Parser.
func (p *parser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	p.look(e.Shape)
	s := &p.slots
	r := webrequest.Request{
		Method: at(e, s.method), Path: at(e, s.stem), Query: at(e, s.query), Status: at(e, s.status), Substatus: at(e, s.substatus),
		Win32: at(e, s.win32), Account: at(e, s.account), Client: at(e, s.client), UserAgent: at(e, s.agent), Bytes: at(e, s.bytes),
		Host: at(e, s.host), Decoded: true, Buffer: &p.text,
		Taken: at(e, s.taken), Server: e.Role(event.Host).Data,
		Backend: logs.IsBackEnd(at(e, s.port)),
	}
	return webrequest.Observe(&r, obs)
}

// Answer implements logs.Answerer.
func (p *parser) Answer(e *event.Event) (client []byte, a event.Answer) {
	p.look(e.Shape)
	s := &p.slots
	if len(at(e, s.account)) > 0 || logs.IsBackEnd(at(e, s.port)) && webrequest.Channel(at(e, s.stem)) != "web" {
		return nil, a // what a front end was answered, it handed on
	}
	method, status := at(e, s.method), at(e, s.status)
	if s.status < 0 { // anything may have been answered, and Observe says nothing of it
		method, status = nil, []byte("200")
	}
	return at(e, s.client), webrequest.Answered(method, at(e, s.stem), at(e, s.query), status, at(e, s.bytes))
}
