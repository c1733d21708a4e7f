// Package exchange reads the text logs of Exchange Server: HttpProxy, ECP, EWS, MapiHttp, cmdlets, message tracking, IMAP, POP, SMTP, and
// any other log that is headed "#Software: Microsoft Exchange Server".
//
// They are lines of comma-separated values in UTF-8, quoted with doubled quotation marks, under a header that names the columns: a
// #Fields line, or a bare line of names as Export-Csv and some logs write it. Columns are taken by name, never by
// position: versions differ in number and order. Times are UTC. An empty value is null.
//
// A source is named for its log: exchange.httpproxy.ecp, exchange.ecp.server, exchange.imap4. Without a header the layout is recognised
// where the columns leave no doubt. A quoted value may go on over several lines; a line that begins with a date always
// begins a record, so that a stray quotation mark costs one line.
package exchange

import (
	"bytes"
	"fmt"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// Name is the name of the format; its sources have longer ones.
const Name = "exchange"

// New returns the format, for one run of the program.
func New() logs.Format {
	hs := new(headers)
	return logs.Format{
		Name:   Name,
		Sniff:  func(s *logs.Source) logs.Certainty { sure, _ := look(s, hs); return sure },
		Refine: func(s *logs.Source) string { _, name := look(s, hs); return name },
		Cutter: func(s *logs.Source) logs.Cutter {
			c := &cutter{headers: hs, now: context{path: hint(s.Path)}}
			c.now.assume(s.Head, hs)
			return c
		},
		Parser: func() logs.Parser { return &parser{headers: hs} },
		Notes: func(s *logs.Source) []string {
			c := context{path: hint(s.Path)}
			if c.assume(s.Head, hs); c.header == nil {
				return nil
			}
			return []string{"no header at its beginning; read in the layout of " + c.header.name + ", which its lines fit"}
		},
	}
}

var byteOrderMark = []byte("\xEF\xBB\xBF")

// headLines calls f for the first lines of a stream until it returns false.
func headLines(head []byte, f func(line []byte) bool) {
	head = bytes.TrimPrefix(head, byteOrderMark)
	for range 30 {
		if len(head) == 0 {
			return
		}
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		if line = bytes.TrimRight(line, "\r"); len(line) > 0 && !f(line) {
			return
		}
	}
}

// look says how surely a source is an Exchange log, and what to call it.
func look(s *logs.Source, hs *headers) (logs.Certainty, string) {
	c := context{path: hint(s.Path)}
	c.assume(s.Head, hs)
	sure := logs.No
	if c.header != nil {
		sure = logs.Likely
	}
	h := c.header
	protocol := -1
	headLines(s.Head, func(line []byte) bool {
		switch {
		case bytes.HasPrefix(line, []byte("#Software: Microsoft Exchange")):
			sure = logs.Certain
		case bytes.HasPrefix(line, []byte("#Software:")):
			return sure == logs.Certain
		}
		if line[0] == '#' {
			c.directive(line, hs)
		} else if names, ok := headerLine(line); ok {
			if g := hs.of(c.logType, c.path, names); g != nil && (g.kind.name != "" || sure == logs.Certain) {
				c.header = g
				// A file whose name alone speaks for it is not certain.
				sure = max(sure, logs.Likely)
				if g.stem >= 0 && g.kind.web && g.fields[0].Name == "DateTime" || !g.kind.web {
					sure = logs.Certain
				}
			}
		} else if c.header != nil && protocol < 0 && isStart(line) {
			values := make([]event.Value, c.header.columns)
			splitPlain(line, values)
			protocol = c.header.protocolOf(values)
		}
		h = c.header
		return protocol < 0
	})
	if h == nil || sure == logs.No {
		return sure, Name
	}
	name := h.name
	if protocol < 0 {
		protocol = h.fixed
	}
	if protocol >= 0 {
		name += "." + protocols[protocol]
	}
	return sure, name
}

// context is what the lines above a line, and the file's name, say about it.
type context struct {
	header  *header // nil before the first header
	logType string
	path    string // hint
}

// directive takes a line that begins with '#' into account.
func (c *context) directive(line []byte, hs *headers) {
	if names, ok := bytes.CutPrefix(line, []byte("#Fields:")); ok {
		c.header = hs.of(c.logType, c.path, bytes.TrimSpace(names))
	} else if t, ok := bytes.CutPrefix(line, []byte("#Log-type:")); ok {
		if t = bytes.TrimSpace(t); string(t) != c.logType {
			c.logType = string(t)
		}
		if c.header == nil {
			if k := kindOf(c.logType, c.path, nil); k != nil && k.layout != "" {
				c.header = hs.of(k.logType, c.path, []byte(k.layout))
			}
		}
	}
}

// assume sets the header of a log whose first line is already a record, if its columns leave no doubt.
func (c *context) assume(head []byte, hs *headers) {
	headLines(head, func(line []byte) bool {
		if isStart(line) {
			c.header = hs.guess(line, c.path)
		}
		return false
	})
}

// guess returns the header for a record without one, or nil.
func (hs *headers) guess(line []byte, path string) *header {
	var cols [maxColumns]event.Value
	n, _ := splitPlain(line, cols[:])
	has := func(i int, ok func([]byte) bool) bool { return i < n && i < len(cols) && ok(cols[i].Data) }
	switch {
	case n >= 60 && has(7, func(p []byte) bool { return protocolIndex(p) >= 0 }) && has(9, func(p []byte) bool { return len(p) > 0 && p[0] == '/' }):
		layout := httpProxyLayout
		if n == 74 {
			layout += httpProxyTail
		}
		return hs.of("HttpProxy Logs", path, []byte(layout))
	case n >= 4 && has(2, func(p []byte) bool { return bytes.HasPrefix(p, []byte("ECP.")) }):
		return hs.of("ECP Server Log", path, []byte("TimeStamp,ServerName,EventId,EventData"))
	case n >= 13 && has(1, isHex16) && has(3, isEndpoint) && has(4, isEndpoint):
		if path == "" && popPort(cols[3].Data) {
			path = "pop"
		}
		return hs.of("", path, []byte(clientLayout))
	case n >= 9 && has(2, isHex16) && has(5, isEndpoint) && has(6, isSMTPEvent):
		if path == "" && bytes.IndexByte(cols[1].Data, '\\') < 0 {
			path = "send" // receive connectors are SERVER\Name
		}
		return hs.of("", path, []byte(smtpLayout))
	case n >= 28 && has(8, isUpper) && has(7, isUpper) && has(9, isNumber):
		return hs.of("Message Tracking Log", path, []byte(kinds[7].layout))
	}
	return nil
}

func isHex16(p []byte) bool {
	if len(p) != 16 {
		return false
	}
	for _, c := range p {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func isEndpoint(p []byte) bool {
	i := bytes.LastIndexByte(p, ':')
	return i > 0 && isNumber(p[i+1:])
}

// popPort reports whether an endpoint of the server is one of POP: 1995 is the back end's.
func popPort(endpoint []byte) bool {
	switch string(endpoint[bytes.LastIndexByte(endpoint, ':')+1:]) {
	case "110", "995", "1995":
		return true
	}
	return false
}

func isNumber(p []byte) bool {
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(p) > 0
}

func isSMTPEvent(p []byte) bool { return len(p) == 1 && bytes.IndexByte([]byte("+-<>*"), p[0]) >= 0 }

func isUpper(p []byte) bool {
	for _, c := range p {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(p) > 1
}

// isStart reports whether p begins with a date, as every record does.
func isStart(p []byte) bool {
	if len(p) > 0 && p[0] == '"' {
		p = p[1:]
	}
	if len(p) < 11 || p[4] != '-' || p[7] != '-' || p[10] != 'T' && p[10] != ' ' {
		return false
	}
	return '0' <= p[0] && p[0] <= '9' && '0' <= p[9] && p[9] <= '9'
}

// headerLine returns the names of a line that is a bare header.
func headerLine(line []byte) ([]byte, bool) {
	p := line
	if len(p) > 0 && p[0] == '"' {
		p = p[1:]
	}
	if len(p) == 0 || p[0]|0x20 != 'd' && p[0]|0x20 != 't' {
		return nil, false
	}
	for _, name := range timeColumns {
		if len(p) > len(name) && (p[len(name)] == ',' || p[len(name)] == '"') && bytes.EqualFold(p[:len(name)], []byte(name)) {
			return line, true
		}
	}
	return nil, false
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

// Cut cuts before a line that begins a record or is a header, so that a value of several lines stays in one piece.
func (c *cutter) Cut(data []byte, atEOF bool) (int, any) {
	n, part := c.Next(data, atEOF)
	if n == 0 {
		return 0, nil
	}
	if part.Skip == "" && (n < len(data) || !atEOF) {
		if n = c.boundary(data, n, atEOF); n == 0 {
			return 0, nil
		}
	}
	st := state{part, c.now}
	if part.Skip == "" {
		c.follow(data[:n])
	}
	return n, st
}

// boundary returns the end of a line, if possible the nth byte or the last one before it, after which something begins.
func (c *cutter) boundary(data []byte, n int, atEOF bool) int {
	if data[n-1] != '\n' {
		return n // before a run of zero bytes
	}
	for end := n; end > 0; {
		if begins(data[end:]) {
			return end
		}
		end = bytes.LastIndexByte(data[:end-1], '\n') + 1
	}
	for end := n; end < len(data); {
		i := bytes.IndexByte(data[end:], '\n')
		if i < 0 {
			break
		}
		if end += i + 1; begins(data[end:]) {
			return end
		}
	}
	switch {
	case atEOF:
		return len(data)
	case len(data) < logs.MaxBlock:
		return 0
	}
	// No record in all of it: all of it is one block, so that it is not looked through again.
	return max(n, bytes.LastIndexByte(data, '\n')+1)
}

// begins reports whether what begins a line cannot be the rest of a quoted value.
func begins(p []byte) bool {
	p = p[:min(len(p), 4096)]
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		p = p[:i]
	}
	if len(p) > 0 && p[0] == '#' {
		return true
	}
	if _, ok := headerLine(p); ok {
		return true
	}
	// The line that names the user of a failed login belongs to the one before it.
	return isStart(p) && !bytes.Contains(p, userName)
}

// follow looks for headers in a block.
func (c *cutter) follow(block []byte) {
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		if end < 0 {
			end = len(block) - 1
		}
		if first := block[0]; first < '0' || first > '9' {
			c.now.heading(bytes.TrimRight(bytes.TrimPrefix(bytes.Trim(block[:end+1], "\x00"), byteOrderMark), "\r\n"), c.headers)
		}
		block = block[end+1:]
	}
}

// heading takes a line into account if it is a directive or a bare header, and reports whether it is.
func (c *context) heading(line []byte, hs *headers) bool {
	if len(line) == 0 {
		return false
	}
	if line[0] == '#' {
		c.directive(line, hs)
		return true
	}
	names, ok := headerLine(line)
	if ok {
		c.header = hs.of(c.logType, c.path, names)
	}
	return ok
}

type parser struct {
	headers *headers
	seen    *event.Shape
	slots   slots
}

// Parse implements logs.Parser.
func (p *parser) Parse(b *logs.Block, out *event.Batch) {
	st, _ := b.State.(state)
	ctx := st.context
	for s := lines.Scan(b, st.part, out); s.Next(); {
		if first := s.Line[0]; (first < '0' || first > '9') && ctx.heading(s.Line, p.headers) {
			continue
		}
		h := ctx.header
		if h == nil {
			s.Defect("no header above it that names the columns")
			continue
		}
		p.record(b, &s, h, out)
	}
}

// record reads the record that begins with the current line.
func (p *parser) record(b *logs.Block, s *lines.Scanner, h *header, out *event.Batch) {
	raw, offset, number := s.Line, s.Offset, s.Number
	if !isStart(raw) {
		s.Defect("the line does not begin with a date, as records do")
		return
	}
	e := out.Add(h.shape(-1))
	n, open := h.split(raw, e.Values, out)
	if open {
		if more := continued(b, s); more > 0 {
			from := int(offset - b.Offset)
			rest, _, _ := s.Rest()
			raw = b.Data[from : len(b.Data)-len(rest)+more]
			raw = bytes.TrimRight(raw, "\r\n")
			raw = raw[:len(raw):len(raw)]
			s.Skip(more)
			clear(e.Values)
			n, open = h.split(raw, e.Values, out)
		}
	}
	when, ok := timestamp.RFC3339(e.Values[h.time].Data, time.UTC)
	if !ok {
		out.Events = out.Events[:len(out.Events)-1]
		out.Defects = append(out.Defects, event.Defect{Offset: offset, Length: int64(len(raw)), Line: number, Reason: "no time where the header says there is one"})
		return
	}
	reason := ""
	switch {
	case open:
		reason = "a quoted value that does not end"
	case n != h.columns && !(h.assumed && n > h.columns):
		reason = fmt.Sprintf("%d values for %d columns", n, h.columns)
		if h.status >= 0 && !isNumber(e.Values[h.status].Data) {
			clear(e.Values[h.status:h.columns])
		}
	}
	if reason != "" {
		out.Defects = append(out.Defects, event.Defect{Offset: offset, Length: int64(len(raw)), Line: number, Reason: reason})
	}
	if i := h.protocolOf(e.Values); i >= 0 {
		e.Shape = h.shape(i)
	}
	e.Time = when
	e.Raw, e.Offset, e.Line, e.Record = raw, offset, number, number
	if h.uri >= 0 {
		e.Values[h.uri] = uri(e.Values, h, out)
	}
	if h.data >= 0 {
		splitParts(e.Values[h.data].Data, e.Values[h.parts:], out)
	}
	if h.user >= 0 && bytes.Contains(raw, logonDenied) {
		e.Values[h.user] = deniedUser(raw, s)
	}
}

// uri puts path and query together. HttpProxy's query begins with its question mark.
func uri(values []event.Value, h *header, out *event.Batch) event.Value {
	stem := values[h.stem]
	if h.query < 0 || len(values[h.query].Data) == 0 || stem.Kind != event.UTF8 {
		return stem
	}
	query := bytes.TrimPrefix(values[h.query].Data, []byte("?"))
	u := out.Bytes(len(stem.Data) + 1 + len(query))
	n := copy(u, stem.Data)
	u[n] = '?'
	copy(u[n+1:], query)
	return event.Value{Data: u, Kind: event.UTF8}
}

// The lines that a failed SMTP login leaves.
var (
	logonDenied = []byte(" failed because of LogonDenied")
	userName    = []byte(",User Name: ")
)

// deniedUser returns the user name of a failed SMTP login. Exchange writes it in a line of its own, right after, with the
// same session identifier.
func deniedUser(raw []byte, s *lines.Scanner) event.Value {
	next, _, _ := s.Rest()
	if i := bytes.IndexByte(next, '\n'); i >= 0 {
		next = next[:i]
	}
	next = bytes.TrimRight(next, "\r")
	i := bytes.Index(next, userName)
	if i < 0 || !bytes.Equal(session(raw), session(next[:i])) {
		return event.Value{}
	}
	name := bytes.TrimRight(next[i+len(userName):], ",\"")
	if len(name) == 0 || string(name) == "NULL" {
		return event.Value{Kind: event.Null}
	}
	return event.Value{Data: name[:len(name):len(name)], Kind: event.UTF8}
}

// session returns the third column.
func session(line []byte) []byte {
	for range 2 {
		line = line[bytes.IndexByte(line, ',')+1:]
	}
	if i := bytes.IndexByte(line, ','); i >= 0 {
		return line[:i]
	}
	return nil
}

// maxContinued bounds how far a quoted value goes on after its first line.
const maxContinued = 256 << 10

// continued returns how many of the bytes after the current line belong to its last, quoted value; 0 if that does not
// end before the next record begins.
func continued(b *logs.Block, s *lines.Scanner) int {
	rest, _, _ := s.Rest()
	for pos := 0; pos < min(len(rest), maxContinued); {
		line := rest[pos:]
		if begins(line) || isStart(line) {
			return 0
		}
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		pos += len(line)
		if bytes.Count(line, []byte{'"'})%2 == 1 {
			return pos
		}
	}
	return 0
}
