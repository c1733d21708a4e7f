package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// Values of the field event, as the text of a value.
var (
	evAccepted      = []byte("accepted")
	evFailed        = []byte("failed")
	evInvalidUser   = []byte("invalid-user")
	evNotAllowed    = []byte("not-allowed")
	evRefused       = []byte("refused")
	evMaxAttempts   = []byte("max-attempts")
	evPostponed     = []byte("postponed")
	evConnect       = []byte("connect")
	evDisconnect    = []byte("disconnect")
	evNoIdent       = []byte("no-identification")
	evBadProtocol   = []byte("bad-protocol")
	evNegotiation   = []byte("negotiation-failed")
	evTimeout       = []byte("timeout")
	evProtocol      = []byte("protocol-error")
	evSession       = []byte("session")
	evAuthFailure   = []byte("auth-failure")
	evMoreFailures  = []byte("more-failures")
	evSessionOpened = []byte("session-opened")
	evSessionClosed = []byte("session-closed")
	evLogin         = []byte("login")
	evLoginFailed   = []byte("login-failed")
	evLogout        = []byte("logout")
	evReject        = []byte("reject")
	evLost          = []byte("lost-connection")
	evClient        = []byte("client")
	evQueued        = []byte("queued")
	evRemoved       = []byte("removed")
	evDelivery      = []byte("delivery")
	evMessageID     = []byte("message-id")
	evReceived      = []byte("received")
	evRateLimit     = []byte("rate-limit")
	evPipelining    = []byte("pipelining")
	evTraffic       = []byte("traffic")
	evForwarded     = []byte("forwarded")
	evNoMail        = []byte("no-mail")
	evCommand       = []byte("command")
)

// preauth ends a line of the process that serves a client before it has logged in.
var preauth = []byte(" [preauth]")

// parseSSH reads a message of OpenSSH's sshd.
func parseSSH(v []event.Value, m []byte) {
	if rest, ok := cutAny(m, "message repeated "); ok {
		// message repeated 5 times: [ Failed password for root from 192.0.2.1 port 5 ssh2]
		_, n := number(rest)
		if inner, ok := cutAny(rest[n:], " times: [ "); ok && n > 0 {
			num(v, sshCount, rest[:n])
			m = bytes.TrimSuffix(inner, []byte("]"))
		}
	}
	for {
		rest, ok := cutAny(m, "error: ", "fatal: ", "PAM: ")
		if !ok {
			break
		}
		m = trimBlanks(rest)
	}
	m = bytes.TrimRight(m, " ")
	if len(m) == 0 {
		return
	}
	switch m[0] {
	case 'A', 'F', 'P':
		ev := evAccepted
		rest, ok := cutAny(m, "Accepted ")
		if !ok {
			ev = evFailed
			rest, ok = cutAny(m, "Failed ")
		}
		if !ok {
			ev = evPostponed
			rest, ok = cutAny(m, "Postponed ")
		}
		if ok {
			method, who, ok := bytes.Cut(rest, []byte(" for "))
			if !ok {
				return
			}
			put(v, sshEvent, ev)
			put(v, sshMethod, method)
			sshUserFrom(v, who)
			return
		}
	case 'I':
		if rest, ok := cutAny(m, "Invalid user ", "Illegal user "); ok {
			put(v, sshEvent, evInvalidUser)
			sshLastFrom(v, rest)
			return
		}
	case 'U':
		if rest, ok := cutAny(m, "User "); ok {
			if i := bytes.LastIndex(rest, []byte(" not allowed because ")); i >= 0 {
				put(v, sshEvent, evNotAllowed)
				put(v, sshReason, rest[i+len(" not allowed because "):])
				sshLastFrom(v, rest[:i])
				return
			}
		}
		if rest, ok := cutAny(m, "Unable to negotiate with "); ok {
			put(v, sshEvent, evNegotiation)
			sshAddress(v, rest)
			return
		}
		if has(m, "Unable to negotiate ") {
			put(v, sshEvent, evNegotiation)
			return
		}
	case 'n':
		if has(m, "no matching ") { // until OpenSSH 7.2
			put(v, sshEvent, evNegotiation)
			return
		}
	case 'k':
		if why, ok := cutAny(m, "kex_exchange_identification: "); ok {
			put(v, sshEvent, evNoIdent)
			put(v, sshReason, why)
			return
		}
	case 'b':
		if rest, ok := cutAny(m, "banner exchange: Connection from "); ok {
			put(v, sshEvent, evBadProtocol)
			sshAddress(v, rest)
			return
		}
	case 's':
		if rest, ok := cutAny(m, "ssh_dispatch_run_fatal: Connection from "); ok {
			put(v, sshEvent, evProtocol)
			if i := bytes.Index(rest, []byte(": ")); i >= 0 {
				put(v, sshReason, bytes.TrimSuffix(rest[i+2:], preauth))
				rest = rest[:i]
			}
			sshPeer(v, rest)
			return
		}
	case 'R':
		if has(m, "Read from socket failed: ") {
			put(v, sshEvent, evDisconnect)
			put(v, sshReason, bytes.TrimSuffix(m[len("Read from socket failed: "):], preauth))
			return
		}
		if rest, ok := cutAny(m, "Received disconnect from "); ok {
			put(v, sshEvent, evDisconnect)
			rest = sshAddress(v, rest)
			if i := bytes.IndexByte(rest, ':'); i >= 0 {
				why := trimBlanks(rest[i+1:])
				put(v, sshReason, why)
				if bytes.HasSuffix(bytes.TrimSuffix(why, preauth), []byte("Auth fail")) { // a client's word for it
					put(v, sshEvent, evFailed)
				}
			}
			return
		}
		if rest, ok := cutAny(m, "ROOT LOGIN REFUSED FROM "); ok {
			put(v, sshEvent, evRefused)
			put(v, sshUser, []byte("root"))
			sshAddress(v, rest)
			return
		}
	case 'C':
		if rest, ok := cutAny(m, "Connection closed by ", "Connection reset by "); ok {
			put(v, sshEvent, evDisconnect)
			sshPeer(v, rest)
			return
		}
		if rest, ok := cutAny(m, "Connection from "); ok {
			put(v, sshEvent, evConnect)
			sshAddress(v, rest)
			return
		}
	case 'D':
		if rest, ok := cutAny(m, "Disconnected from "); ok {
			put(v, sshEvent, evDisconnect)
			sshPeer(v, rest)
			return
		}
		if rest, ok := cutAny(m, "Did not receive identification string from "); ok {
			put(v, sshEvent, evNoIdent)
			sshAddress(v, rest)
			return
		}
		if rest, ok := cutAny(m, "Disconnecting"); ok {
			put(v, sshEvent, evDisconnect)
			if who, ok := cutAny(rest, " "); ok {
				if i := bytes.Index(who, []byte(": ")); i >= 0 {
					put(v, sshReason, who[i+2:])
					who = who[:i]
				}
				sshPeer(v, who)
			} else if why, ok := cutAny(rest, ": "); ok {
				put(v, sshReason, why)
				if has(why, "Too many authentication failures") { // until OpenSSH 6.7, which has no line of its own for it
					put(v, sshEvent, evMaxAttempts)
				}
				if i := bytes.LastIndex(why, []byte(" failures for ")); i >= 0 {
					put(v, sshUser, bytes.TrimSuffix(why[i+len(" failures for "):], preauth))
				}
			}
			return
		}
	case 'B':
		if has(m, "Bad protocol version identification ") {
			put(v, sshEvent, evBadProtocol)
			if i := bytes.LastIndex(m, []byte(" from ")); i >= 0 {
				sshAddress(v, m[i+6:])
			}
			return
		}
	case 'S':
		if i := bytes.Index(m, []byte(";Remote: ")); i > 0 && has(m, "SSH: Server;Ltype: ") { // the patch of high-performance SSH
			if has(m, "SSH: Server;Ltype: Version;") {
				put(v, sshEvent, evConnect)
			}
			peer := upTo(m[i+len(";Remote: "):], ';')
			if j := bytes.LastIndexByte(peer, '-'); j > 0 {
				num(v, sshPort, peer[j+1:])
				peer = peer[:j]
			}
			put(v, sshIP, event.Address(peer))
			return
		}
		if has(m, "Starting session: ") {
			put(v, sshEvent, evSession)
			if i := bytes.LastIndex(m, []byte(" for ")); i >= 0 {
				sshLastFrom(v, m[i+5:])
			}
			return
		}
	case 'T':
		if rest, ok := cutAny(m, "Timeout before authentication for "); ok {
			put(v, sshEvent, evTimeout)
			rest, _ = cutAny(rest, "connection from ")
			sshAddress(v, rest)
			return
		}
	case 'm':
		if rest, ok := cutAny(m, "maximum authentication attempts exceeded for "); ok {
			put(v, sshEvent, evMaxAttempts)
			sshUserFrom(v, rest)
			return
		}
	case 'r':
		if has(m, "refused connect from ") {
			put(v, sshEvent, evRefused)
			if i := bytes.LastIndexByte(m, '('); i >= 0 {
				put(v, sshIP, event.Address(bytes.TrimSuffix(m[i+1:], []byte(")"))))
			} else {
				sshAddress(v, m[len("refused connect from "):])
			}
			return
		}
	}
	// What PAM's conversation reported: Authentication failure for ana from host
	if i := bytes.Index(m, []byte(" for ")); i > 0 && (fold.HasPrefix(m, "authentication ") || fold.HasPrefix(m, "user not known ")) {
		put(v, sshEvent, evFailed)
		put(v, sshMethod, []byte("pam"))
		put(v, sshReason, m[:i])
		who := m[i+5:]
		if via := bytes.LastIndex(who, []byte(" via ")); via > 0 {
			who = who[:via]
		}
		sshLastFrom(v, who)
	}
}

// sshUserFrom reads "[invalid user ]USER from ADDRESS[ port N][ ssh2[: KEY]]". Both the user name and what follows the
// protocol may have been chosen by whoever logs in, so the address is the first one that the protocol and the end, or a colon, follow.
func sshUserFrom(v []event.Value, p []byte) {
	p, _ = cutAny(p, "invalid user ", "illegal user ")
	last := -1
	for i := 0; i < len(p); {
		n := bytes.Index(p[i:], []byte("from "))
		if n < 0 {
			break
		}
		i += n
		if i == 0 || p[i-1] == ' ' {
			last = i
			rest := sshPort2(p[i+5:])
			if rest = bytes.TrimSuffix(rest, preauth); len(rest) == 0 {
				break
			}
			if len(rest) >= 5 && rest[0] == ' ' && rest[1] == 's' && rest[2] == 's' && rest[3] == 'h' && isDigit(rest[4]) && (len(rest) == 5 || rest[5] == ':') {
				break
			}
		}
		i += 5
	}
	if last < 0 {
		put(v, sshUser, p)
		return
	}
	put(v, sshUser, p[:max(0, last-1)])
	sshAddress(v, p[last+5:])
}

// sshPort2 returns what follows the address and port at the start of p.
func sshPort2(p []byte) []byte {
	i := bytes.IndexByte(p, ' ')
	if i < 0 {
		return nil
	}
	p = p[i:]
	if rest, ok := cutAny(p, " port "); ok {
		if _, n := number(rest); n > 0 {
			return rest[n:]
		}
	}
	return p
}

// sshLastFrom reads "[illegal user ]USER from ADDRESS[ port N]" where nothing follows: the last address is the true one.
func sshLastFrom(v []event.Value, p []byte) {
	p, _ = cutAny(p, "invalid user ", "illegal user ")
	if has(p, "from ") {
		put(v, sshUser, p[:0])
		sshAddress(v, p[5:])
		return
	}
	i := bytes.LastIndex(p, []byte(" from "))
	if i < 0 {
		put(v, sshUser, p)
		return
	}
	put(v, sshUser, p[:i])
	sshAddress(v, p[i+6:])
}

// sshAddress reads "ADDRESS[ port N]" and returns what follows.
func sshAddress(v []event.Value, p []byte) []byte {
	end := 0
	for end < len(p) && p[end] != ' ' && (p[end] != ':' || end+1 < len(p) && p[end+1] != ' ') && p[end] != ',' {
		end++
	}
	put(v, sshIP, event.Address(p[:end]))
	rest := p[end:]
	if after, ok := cutAny(rest, " port "); ok {
		if _, n := number(after); n > 0 {
			num(v, sshPort, after[:n])
			return after[n:]
		}
	}
	return rest
}

// sshPeer reads "[authenticating |invalid |illegal ][user USER ]ADDRESS[ port N][ [preauth]]".
func sshPeer(v []event.Value, p []byte) {
	p = bytes.TrimSuffix(p, preauth)
	who, named := cutAny(p, "authenticating user ", "invalid user ", "illegal user ", "user ")
	if !named {
		sshAddress(v, p)
		return
	}
	// The address is what stands before the last " port N".
	addr := who
	port := bytes.LastIndex(who, []byte(" port "))
	if port >= 0 {
		addr = who[:port]
	}
	i := bytes.LastIndexByte(addr, ' ')
	put(v, sshUser, who[:max(0, i)])
	sshAddress(v, who[i+1:])
}

// parseDropbear reads a message of Dropbear.
func parseDropbear(v []event.Value, m []byte) {
	if len(m) > 0 && m[0] == '[' { // its own pid and time once more
		if i := bytes.IndexByte(m, ']'); i > 0 {
			m = trimBlanks(m[i+1:])
			var h header
			if n := h.date3164(m); n > 0 {
				m = trimBlanks(m[n:])
			}
		}
	}
	switch {
	case fold.HasPrefix(m, "bad password attempt for '"), fold.HasPrefix(m, "bad pam password attempt for '"):
		put(v, sshEvent, evFailed)
		put(v, sshMethod, []byte("password"))
	case fold.HasPrefix(m, "login attempt for nonexistent user"):
		put(v, sshEvent, evInvalidUser)
	case fold.HasPrefix(m, "exit before auth"):
		put(v, sshEvent, evDisconnect)
		if bytes.Contains(m, []byte("Max auth tries reached")) {
			put(v, sshEvent, evMaxAttempts)
		}
		if i := bytes.Index(m, []byte(" from <")); i >= 0 {
			if j := bytes.IndexByte(m[i:], '>'); j > 0 {
				put(v, sshIP, event.Address(m[i+7:i+j]))
			}
			if j := bytes.Index(m, []byte("user '")); j > i {
				dropbearUser(v, m[j+5:])
			}
			return
		}
	case fold.HasPrefix(m, "password auth succeeded for '"), fold.HasPrefix(m, "pubkey auth succeeded for '"):
		put(v, sshEvent, evAccepted)
		put(v, sshMethod, m[:bytes.IndexByte(m, ' ')])
	case fold.HasPrefix(m, "child connection from "):
		put(v, sshEvent, evConnect)
	default:
		return
	}
	from := bytes.LastIndex(m, []byte(" from "))
	if from < 0 {
		return
	}
	if i := bytes.IndexByte(m[:from], '\''); i >= 0 {
		dropbearUser(v, m[i:from])
	}
	addr := m[from+6:]
	if i := bytes.LastIndexByte(addr, ':'); i > 0 { // the port is always there
		num(v, sshPort, addr[i+1:])
		addr = addr[:i]
	}
	put(v, sshIP, event.Address(addr))
}

func dropbearUser(v []event.Value, p []byte) {
	if j := bytes.LastIndexByte(p, '\''); j > 0 {
		put(v, sshUser, p[1:j])
	}
}

// cutAny returns p without the first of the prefixes that it has, and whether it had one.
func cutAny(p []byte, prefixes ...string) ([]byte, bool) {
	for _, s := range prefixes {
		if len(p) >= len(s) && string(p[:len(s)]) == s {
			return p[len(s):], true
		}
	}
	return p, false
}

// has reports whether p begins with s.
func has(p []byte, s string) bool { return len(p) >= len(s) && string(p[:len(s)]) == s }
