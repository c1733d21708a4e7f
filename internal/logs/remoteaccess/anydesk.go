package remoteaccess

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// The fields of a line of AnyDesk's trace.
const (
	tLevel = iota
	tThread
	tPid
	tTid
	tModule
	tMessage
	tEvent
	tClient
	tName
	tIP
	tPort
	tMethod
	tPath
)

var traceFields = []event.Field{
	tLevel: {Name: "level"}, tThread: {Name: "thread"}, tPid: {Name: "pid"}, tTid: {Name: "tid"}, tModule: {Name: "module"}, tMessage: {Name: "message"},
	tEvent: {Name: "event"}, tClient: {Name: "client_id"}, tName: {Name: "name"}, tIP: {Name: "src_ip"}, tPort: {Name: "src_port"}, tMethod: {Name: "method"},
	tPath: {Name: "path"},
}

// Values of the field event.
var (
	evRequest       = []byte("request")
	evConnected     = []byte("connected")
	evAuthenticated = []byte("authenticated")
	evRefused       = []byte("refused")
	evEnd           = []byte("session-end")
	evHandshake     = []byte("handshake")
	evParticipant   = []byte("participant")
	evTransfer      = []byte("file-transfer")
)

// trace is what a line of AnyDesk's trace says, as views of it.
type trace struct {
	thread, pid, tid, module, message []byte
	event, id, name, ip, port, method []byte
	path                              []byte
}

// parse reads what follows the time: "back   4668   6440   app.backend_session - Incoming session request: Ana (221436813)".
func (t *trace) parse(p []byte) {
	head, message, ok := bytes.Cut(p, []byte(" - "))
	if !ok {
		t.message = p
		return
	}
	t.message = bytes.TrimRight(message, " ")
	if i := bytes.LastIndexByte(head, ' '); i >= 0 {
		t.module = head[i+1:]
		words := [3]*[]byte{&t.thread, &t.pid, &t.tid}
		for n := 0; n < 3 && i > 0; n++ {
			var w []byte
			head = bytes.TrimLeft(head[:i], " ")
			w, head, _ = bytes.Cut(head, []byte(" "))
			*words[n] = w
			i = len(head)
		}
	}
	m := t.message
	switch {
	case cut(&m, "Client-ID: "):
		t.id = digits(m)
	case cut(&m, "Accept request from "), cut(&m, "Accepting from "):
		t.event, t.id = evRequest, digits(m)
	case cut(&m, "Incoming session request: "):
		// The name is the client's to choose: the last number is the true one.
		t.event = evRequest
		if i := bytes.LastIndex(m, []byte(" (")); i >= 0 {
			t.name, t.id = m[:i], digits(m[i+2:])
		}
	case cut(&m, "Logged in from "):
		t.event = evConnected
		if i := bytes.LastIndex(m, []byte(" on relay")); i >= 0 {
			m = m[:i]
		}
		m = bytes.TrimSuffix(m, []byte("."))
		if i := bytes.LastIndexByte(m, ':'); i >= 0 && len(digits(m[i+1:])) == len(m)-i-1 {
			t.port, m = m[i+1:], m[:i]
		}
		t.ip = bytes.Trim(m, "[]")
	case cut(&m, "Authenticated by "), cut(&m, "Authenticated with "):
		t.event, t.method = evAuthenticated, bytes.TrimSuffix(m, []byte("."))
	case string(t.module) == "app.prepare_task" && cut(&m, "Preparing files in '"):
		t.event, t.path = evTransfer, bytes.TrimSuffix(bytes.TrimSuffix(m, []byte(".")), []byte("'"))
	case bytes.HasPrefix(m, []byte("Session closed ")), bytes.HasPrefix(m, []byte("Session stopped")):
		t.event = evEnd
	}
}

// traced takes account of a line of the trace.
func (k *known) traced(t *trace) {
	if k.ended {
		k.id.set(nil)
		k.ip.set(nil)
	}
	k.ended = string(t.event) == string(evEnd)
	if len(t.id) > 0 {
		if string(k.id.bytes()) != string(t.id) { // another client, whose address is not known
			k.ip.set(nil)
		}
		k.id.set(t.id)
	}
	if len(t.ip) > 0 {
		k.ip.set(t.ip)
	}
}

// values sets the values of the event. The client of the session that is being made is taken from the lines before.
func (t *trace) values(v []event.Value, l []byte, k *known, out *event.Batch) {
	level, _, _ := bytes.Cut(bytes.TrimLeft(l, " "), []byte(" "))
	put(v, tLevel, level)
	put(v, tThread, t.thread)
	number(v, tPid, t.pid)
	number(v, tTid, t.tid)
	put(v, tModule, t.module)
	put(v, tMessage, t.message)
	put(v, tEvent, t.event)
	put(v, tClient, t.id)
	put(v, tName, t.name)
	put(v, tIP, event.Address(t.ip))
	num(v, tPort, t.port)
	put(v, tMethod, t.method)
	put(v, tPath, t.path)
	if t.event != nil {
		if len(t.id) == 0 {
			keep(v, tClient, &k.id, out)
		}
		if len(t.ip) == 0 && string(t.event) != string(evRequest) {
			keep(v, tIP, &k.ip, out)
		}
	}
}

// The fields of a line of connection_trace.txt.
const (
	cDirection = iota
	cMethod
	cAlias
	cClient
)

var connectionTraceFields = []event.Field{cDirection: {Name: "direction"}, cMethod: {Name: "method"}, cAlias: {Name: "alias"}, cClient: {Name: "client_id"}}

// parseConnectionTrace reads a line of connection_trace.txt; rest follows its time: "User    ana@ad    221436813". The alias may hold blanks, and
// is the number again where there is none.
func parseConnectionTrace(v []event.Value, l, rest []byte) {
	direction, _, _ := bytes.Cut(l, []byte(" "))
	put(v, cDirection, direction)
	rest = bytes.TrimRight(rest, " ")
	method, rest, _ := bytes.Cut(rest, []byte(" "))
	put(v, cMethod, method)
	rest = bytes.TrimLeft(rest, " ")
	i := bytes.LastIndexByte(rest, ' ')
	put(v, cClient, rest[i+1:])
	if i > 0 {
		put(v, cAlias, bytes.TrimRight(rest[:i], " "))
	}
}

// cut takes a prefix from p and reports whether it had it.
func cut(p *[]byte, prefix string) bool {
	if len(*p) < len(prefix) || string((*p)[:len(prefix)]) != prefix {
		return false
	}
	*p = (*p)[len(prefix):]
	return true
}

// digits returns the digits that p begins with.
func digits(p []byte) []byte {
	n := 0
	for n < len(p) && '0' <= p[n] && p[n] <= '9' {
		n++
	}
	return p[:n]
}

// number sets the value of a slot to a number, or to text where it is none.
func number(v []event.Value, slot int, p []byte) {
	if len(digits(p)) == len(p) {
		num(v, slot, p)
		return
	}
	put(v, slot, p)
}
