package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// isExim reports whether a message without a program is one of Exim's main log (Exim specification, chapter 53, "Log files").
func isExim(m []byte) bool {
	if bytes.Contains(m, []byte(" authenticator failed for ")) {
		return true
	}
	if len(m) > 2 && m[0] == '[' { // its pid
		if i := bytes.IndexByte(m, ']'); i > 1 && isNumber(m[1:i]) {
			return true
		}
	}
	if eximID(m) > 0 {
		return true
	}
	for _, p := range [...]string{"H=", "SMTP ", "no MAIL in SMTP ", "no host name found", "no IP address found", "Start queue run", "End queue run", "exim ", "SMTP:", "TLS error on connection"} {
		if len(m) >= len(p) && string(m[:len(p)]) == p {
			return true
		}
	}
	return false
}

// eximID returns the length of the message identifier that begins m (1rT2ab-0000Gh-1X, and the longer one of 4.97); 0 if there is none.
func eximID(m []byte) int {
	for _, form := range [...][2]int{{6, 16}, {6, 23}} {
		first, n := form[0], form[1]
		if len(m) > n && m[n] == ' ' && m[first] == '-' && (m[n-3] == '-' || m[n-5] == '-') {
			ok := true
			for _, c := range m[:n] {
				if c != '-' && !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
					ok = false
				}
			}
			if ok {
				return n
			}
		}
	}
	return 0
}

// parseExim reads a message of Exim.
func parseExim(v []event.Value, m []byte) {
	var h header
	if n := h.dateISO(m); n > 0 { // the time once more, where the line went through syslog
		m = trimBlanks(m[n:])
	}
	if len(m) > 2 && m[0] == '[' {
		if i := bytes.IndexByte(m, ']'); i > 1 && isNumber(m[1:i]) {
			m = trimBlanks(m[i+1:])
		}
	}
	if n := eximID(m); n > 0 {
		put(v, exID, m[:n])
		m = trimBlanks(m[n:])
	}
	if i := bytes.Index(m, []byte(" authenticator failed for ")); i > 0 {
		// login authenticator failed for host (helo) [192.0.2.1]:4711 I=[…]:25: 535 Incorrect authentication data (set_id=ana)
		put(v, exEvent, evLoginFailed)
		put(v, exAuth, m[:i])
		rest := m[i+len(" authenticator failed for "):]
		if j := bytes.LastIndex(rest, []byte("(set_id=")); j >= 0 {
			user := rest[j+8:]
			if !bytes.HasSuffix(user, []byte(")")) { // (set_id=ana): why
				if i := bytes.Index(user, []byte("): ")); i >= 0 {
					user = user[:i+1]
				}
			}
			put(v, exUser, bytes.TrimSuffix(user, []byte(")")))
			rest = rest[:j]
		}
		j := bytes.LastIndex(rest, []byte(": 5"))
		if j < 0 {
			j = bytes.LastIndex(rest, []byte(": 4"))
		}
		if j >= 0 {
			put(v, exReason, bytes.TrimRight(rest[j+2:], " "))
			rest = rest[:j]
		}
		if j := bytes.LastIndex(rest, []byte(" I=[")); j >= 0 {
			rest = rest[:j]
		}
		eximPeer(v, rest)
		return
	}
	if len(m) > 3 && m[2] == ' ' {
		switch string(m[:2]) {
		case "<=":
			put(v, exEvent, evReceived)
			eximMessage(v, m[3:])
			return
		case "=>", "->", "**", "==", "*>", ">>":
			put(v, exEvent, evDelivery)
			if m[0] == '*' || m[0] == '=' && m[1] == '=' {
				put(v, exEvent, evFailed)
			}
			put(v, exTo, upTo(m[3:], ' '))
			return
		}
	}
	if rest, ok := cutAny(m, "no MAIL in SMTP connection from "); ok {
		// no MAIL in SMTP connection from host (helo) [192.0.2.1]:4711 I=[…]:25 D=2m42s C=EHLO,AUTH,QUIT
		put(v, exEvent, evNoMail)
		if i := bytes.LastIndex(rest, []byte(" C=")); i >= 0 {
			put(v, exReason, rest[i+1:])
		}
		peer := rest
		if i := bytes.LastIndex(rest, []byte(" I=[")); i >= 0 {
			peer = rest[:i]
		}
		eximPeer(v, peer)
		return
	}
	if rest, ok := cutAny(m, "SMTP protocol error in \""); ok && fold.HasPrefix(rest, "auth") && bytes.HasSuffix(m, []byte(" AUTH command used when not advertised")) {
		put(v, exEvent, evLoginFailed)
		put(v, exReason, []byte("AUTH command used when not advertised"))
		m = m[:len(m)-len(" AUTH command used when not advertised")]
		if i := bytes.LastIndex(m, []byte(" H=")); i >= 0 {
			peer := m[i+3:]
			if j := bytes.Index(peer, []byte(" I=[")); j >= 0 {
				peer = peer[:j]
			}
			eximPeer(v, peer)
		}
		return
	}
	if bytes.Contains(m, []byte(" rejected ")) || bytes.Contains(m, []byte("protocol ")) {
		put(v, exEvent, evReject)
	}
	if i := bytes.LastIndex(m, []byte("H=")); i >= 0 {
		rest := m[i+2:]
		if j := bytes.IndexByte(rest, ']'); j > 0 {
			eximPeer(v, rest[:j+1])
		}
		return
	}
	if i := bytes.Index(m, []byte(" from ")); i >= 0 {
		rest := m[i+6:]
		if j := bytes.Index(rest, []byte(" I=[")); j >= 0 {
			rest = rest[:j]
		}
		if j := bytes.IndexByte(rest, ']'); j > 0 {
			eximPeer(v, rest[:j+1])
		}
	}
}

// eximPeer reads "host (helo) [192.0.2.1]:4711". The client chooses helo: the last address is the true one.
func eximPeer(v []event.Value, p []byte) {
	open := bytes.LastIndexByte(p, '[')
	if open < 0 {
		return
	}
	end := bytes.IndexByte(p[open:], ']')
	if end < 0 {
		return
	}
	put(v, exIP, event.Address(p[open+1:open+end]))
	if port, ok := cutAny(p[open+end+1:], ":"); ok {
		_, n := number(port)
		num(v, exPort, port[:n])
	}
	if name := upTo(p[:open], ' '); len(name) > 0 && name[0] != '(' {
		put(v, exHost, name)
	}
}

// eximMessage reads "ana@example.org H=host (helo) [192.0.2.1] P=esmtpsa A=plain:ana S=1234 id=x@y", the arrival of a message.
func eximMessage(v []event.Value, m []byte) {
	put(v, exFrom, upTo(m, ' '))
	if i := bytes.Index(m, []byte(" H=")); i >= 0 {
		end := bytes.Index(m[i:], []byte(" P="))
		if end < 0 {
			end = len(m) - i
		}
		peer := m[i+3 : i+end]
		if j := bytes.Index(peer, []byte(" I=[")); j >= 0 {
			peer = peer[:j]
		}
		eximPeer(v, peer)
	}
	for p := m; len(p) > 0; {
		var part []byte
		part, p, _ = bytes.Cut(p, []byte(" "))
		if len(part) < 3 || part[1] != '=' && !has(part, "id=") {
			continue
		}
		switch part[0] {
		case 'P':
			put(v, exProto, part[2:])
		case 'A':
			auth, user, _ := bytes.Cut(part[2:], []byte(":"))
			put(v, exAuth, auth)
			put(v, exUser, user)
		case 'S':
			num(v, exSize, part[2:])
		case 'i':
			put(v, exMessageID, part[3:])
		}
	}
}
