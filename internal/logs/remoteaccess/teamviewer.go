package remoteaccess

import (
	"bytes"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// The fields of a line of TeamViewer's log.
const (
	lPid = iota
	lTid
	lLevel
	lMessage
	lEvent
	lClient
	lName
	lSession
	lMethod
	lPath
)

var logFields = []event.Field{
	lPid: {Name: "pid"}, lTid: {Name: "tid"}, lLevel: {Name: "level"}, lMessage: {Name: "message"}, lEvent: {Name: "event"},
	lClient: {Name: "client_id"}, lName: {Name: "name"}, lSession: {Name: "session"}, lMethod: {Name: "method"},
	lPath: {Name: "path"},
}

// isHeader reports whether a line is one of the block that TeamViewer writes when it starts: "Version:            15.50.5 (64-bit)".
func isHeader(l []byte) bool {
	if string(l) == "IE" || bytes.HasPrefix(l, []byte("IE ")) {
		return true
	}
	i := bytes.IndexByte(l, ':')
	if i <= 0 || i > 24 || l[0] < 'A' || l[0] > 'Z' || i+1 < len(l) && l[i+1] != ' ' {
		return false
	}
	for _, c := range l[:i] {
		if c != ' ' && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

// header takes account of a line if it is of the block that TeamViewer writes when it starts, and reports whether it is. "Start:" gives the
// offset of its clock: 2024/02/16 06:05:19.548 (UTC-8:00).
func (k *known) header(l []byte) bool {
	l = bytes.TrimPrefix(l, []byte("\xEF\xBB\xBF"))
	if !isHeader(l) {
		return false
	}
	if bytes.HasPrefix(l, []byte("Start:")) {
		if i := bytes.Index(l, []byte("(UTC")); i >= 0 {
			if off, ok := offset(l[i+len("(UTC"):]); ok {
				k.offset, k.zoned = off, true
			}
		}
	}
	return true
}

// offset reads "-8:00)".
func offset(p []byte) (time.Duration, bool) {
	end := bytes.IndexByte(p, ')')
	if end < 0 || end > 6 {
		return 0, false
	}
	if end == 0 {
		return 0, true
	}
	var b [6]byte
	if n := end; n == 5 && p[2] == ':' { // one digit for the hour
		b = [6]byte{p[0], '0', p[1], ':', p[3], p[4]}
	} else if n == 6 {
		copy(b[:], p[:6])
	} else {
		return 0, false
	}
	off, ok := timestamp.Offset(b[:])
	return time.Duration(off), ok
}

// logLine is what a line of TeamViewer's log says, as views of it.
type logLine struct {
	pid, tid, level, message         []byte
	event, id, name, session, method []byte
	path                             []byte
}

// parse reads what follows the time: "2216       2492 S0   AuthenticationBlocker::Allocate: allocate ok for DyngateID 1660360496, attempt number 1".
func (t *logLine) parse(p []byte) {
	for _, w := range [...]*[]byte{&t.pid, &t.tid, &t.level} {
		*w, p, _ = bytes.Cut(p, []byte(" "))
		p = bytes.TrimLeft(p, " ")
	}
	t.message = p
	if i := bytes.Index(p, []byte("client hello received from ")); i >= 0 && bytes.HasPrefix(p, []byte("Negotiating session encryption: ")) {
		t.event, t.id = evHandshake, digits(p[i+len("client hello received from "):])
		return
	}
	if bytes.HasPrefix(p, []byte("SessionStatistics[")) {
		if i := bytes.Index(p, []byte("] Session to ")); i >= 0 {
			if rest := p[i+len("] Session to "):]; bytes.HasPrefix(rest[len(digits(rest)):], []byte(" ended")) {
				t.event, t.id = evEnd, digits(rest)
			}
		}
		return
	}
	if sent := p; cut(&sent, "Send file ") {
		t.event, t.path = evTransfer, sent
		return
	}
	function, m, ok := bytes.Cut(p, []byte(": "))
	if !ok {
		return
	}
	switch {
	case bytes.HasPrefix(function, []byte("AuthenticationBlocker::")):
		if i := bytes.Index(m, []byte("DyngateID ")); i >= 0 {
			t.id = digits(m[i+len("DyngateID "):])
		}
	case bytes.HasPrefix(function, []byte("Authentication")) && bytes.HasSuffix(function, []byte("_Passive::RunAuthenticationMethod")):
		method := m
		if !cut(&method, "authentication using ") {
			return
		}
		how, result, ok := bytes.Cut(method, []byte(" was "))
		if !ok {
			return
		}
		t.method, t.event = how, evRefused
		if bytes.HasPrefix(result, []byte("successful")) {
			t.event = evAuthenticated
		}
	case string(function) == "CPersistentParticipantManager::AddParticipant":
		// [1660360496,115469523] type=6 name=Ana
		t.event = evParticipant
		if len(m) == 0 || m[0] != '[' {
			return
		}
		t.id = digits(m[1:])
		if rest := m[1+len(t.id):]; len(rest) > 0 && rest[0] == ',' {
			t.session = digits(rest[1:])
		}
		if i := bytes.Index(m, []byte(" name=")); i >= 0 {
			t.name = m[i+len(" name="):]
		}
	}
}

// logged takes account of a line of the log.
func (k *known) logged(t *logLine) {
	if len(t.id) > 0 && string(t.event) != string(evParticipant) {
		k.id.set(t.id)
	}
}

// values sets the values of the event.
func (t *logLine) values(v []event.Value, k *known, out *event.Batch) {
	number(v, lPid, t.pid)
	number(v, lTid, t.tid)
	put(v, lLevel, t.level)
	put(v, lMessage, t.message)
	put(v, lEvent, t.event)
	put(v, lClient, t.id)
	put(v, lName, t.name)
	put(v, lSession, t.session)
	put(v, lMethod, t.method)
	put(v, lPath, t.path)
	if t.event != nil && len(t.id) == 0 {
		keep(v, lClient, &k.id, out)
	}
}

// The fields of a line of Connections_incoming.txt and Connections.txt.
const (
	nDirection = iota
	nClient
	nName
	nStart
	nEnd
	nUser
	nMode
	nSession
)

var connectionFields = []event.Field{
	nDirection: {Name: "direction"}, nClient: {Name: "client_id"}, nName: {Name: "name"}, nStart: {Name: "start"}, nEnd: {Name: "end"},
	nUser: {Name: "user"}, nMode: {Name: "mode"}, nSession: {Name: "session"},
}

// connection is a line of a list of connections: in the list of incoming ones the client's name follows its number.
type connection struct {
	parts [7][]byte
	n     int
	start stamp
}

// parse reads a line. Between its parts is a tab, or as many blanks as fill the column.
func (c *connection) parse(l []byte) bool {
	c.n = 0
	if bytes.IndexByte(l, '\t') >= 0 {
		for rest := l; c.n < len(c.parts) && rest != nil; c.n++ {
			part, after, more := bytes.Cut(rest, []byte("\t"))
			if !more {
				after = nil
			}
			c.parts[c.n], rest = bytes.Trim(part, " "), after
		}
	} else {
		for rest := bytes.Trim(l, " "); c.n < len(c.parts) && len(rest) > 0; c.n++ {
			end := len(rest)
			if i := bytes.Index(rest, []byte("  ")); i >= 0 {
				end = i
			}
			c.parts[c.n] = rest[:end]
			rest = bytes.TrimLeft(rest[end:], " ")
		}
	}
	if c.n < 4 || len(c.parts[0]) == 0 || len(digits(c.parts[0])) != len(c.parts[0]) {
		return false
	}
	from := c.from()
	if from == 0 {
		return false
	}
	c.start, _ = dayFirst(c.parts[from])
	return true
}

// from returns which part is the beginning of the connection; 0 if none is.
func (c *connection) from() int {
	for i := 1; i <= 2; i++ {
		if _, ok := dayFirst(c.parts[i]); ok {
			return i
		}
	}
	return 0
}

var (
	incoming = []byte("incoming")
	outgoing = []byte("outgoing")
)

// values sets the values of the event.
func (c *connection) values(v []event.Value) {
	from := c.from()
	put(v, nDirection, outgoing)
	if from == 2 {
		put(v, nDirection, incoming)
		put(v, nName, c.parts[1])
	}
	put(v, nClient, c.parts[0])
	for i, slot := range [...]int{nStart, nEnd, nUser, nMode, nSession} {
		if from+i < c.n {
			put(v, slot, c.parts[from+i])
		}
	}
}
