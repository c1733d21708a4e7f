package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/fold"
)

// isRoundcube reports whether a message of a line in brackets is Roundcube's.
func isRoundcube(m []byte) bool {
	return bytes.Contains(m, []byte("ogin ")) || bytes.Contains(m, []byte("IMAP Error")) || len(m) > 0 && m[0] == '<'
}

// parseRoundcube reads a message of Roundcube: of errors.log ("IMAP Error: Login failed for ana from 192.0.2.1. AUTHENTICATE …") and
// of userlogins.log ("Successful login for ana (ID: 1) from 192.0.2.1 in session x").
func parseRoundcube(v []event.Value, m []byte) {
	if len(m) > 2 && m[0] == '<' {
		if i := bytes.IndexByte(m, '>'); i > 0 {
			put(v, cySession, m[1:i])
			m = trimBlanks(m[i+1:])
		}
	}
	m, _ = cutAny(m, "IMAP Error: ", "PHP Error: ")
	var rest []byte
	switch {
	case fold.HasPrefix(m, "login failed for "):
		put(v, cyEvent, evLoginFailed)
		rest = m[len("login failed for "):]
	case fold.HasPrefix(m, "failed login for "):
		put(v, cyEvent, evLoginFailed)
		rest = m[len("failed login for "):]
	case fold.HasPrefix(m, "successful login for "):
		put(v, cyEvent, evLogin)
		rest = m[len("successful login for "):]
	default:
		return
	}
	// The IMAP server's answer may hold the user name once more.
	for _, answer := range [...]string{". AUTHENTICATE ", ". LOGIN", ". CAPABILITY", ". Could not connect"} {
		if i := bytes.Index(rest, []byte(answer)); i >= 0 {
			put(v, cyReason, rest[i+2:])
			rest = rest[:i]
		}
	}
	if i := bytes.LastIndex(rest, []byte(" in session ")); i >= 0 {
		session := rest[i+len(" in session "):]
		put(v, cySession, upTo(session, ' '))
		rest = rest[:i]
	}
	// The last of what looks like an address is the true one: the user name may hold others.
	i := bytes.LastIndex(rest, []byte(" from "))
	if i < 0 {
		put(v, cyUser, rest)
		return
	}
	addr := rest[i+6:]
	for n, c := range addr {
		if c == ' ' || c == '(' {
			addr = addr[:n]
			break
		}
	}
	put(v, cyIP, event.Address(bytes.TrimSuffix(addr, []byte("."))))
	user := rest[:i]
	if j := bytes.LastIndex(user, []byte(" against ")); j > 0 && bytes.IndexByte(user[j+9:], ' ') < 0 { // the IMAP server
		user = user[:j]
	}
	if j := bytes.LastIndex(user, []byte(" (ID: ")); j >= 0 {
		user = user[:j]
	}
	put(v, cyUser, user)
}

// isCyrus reports whether a message is a login line of Cyrus IMAP.
func isCyrus(m []byte) bool {
	return has(m, "badlogin: ") || has(m, "login: ") && bytes.IndexByte(m, '[') > 0 ||
		has(m, "auditlog: ")
}

// parseCyrus reads "login: host [192.0.2.1] ana plaintext User logged in SESSIONID=<x>", "badlogin: host [192.0.2.1] plaintext ana SASL(-13): …" and
// "auditlog: traffic sessionid=<x> bytes_in=1 bytes_out=2".
func parseCyrus(v []event.Value, m []byte) {
	if rest, ok := cutAny(m, "auditlog: traffic sessionid=<"); ok {
		put(v, cyEvent, evTraffic)
		end := bytes.IndexByte(rest, '>')
		if end < 0 {
			return
		}
		put(v, cySession, rest[:end])
		first, second, _ := bytes.Cut(trimBlanks(rest[end+1:]), []byte(" "))
		for _, part := range [...][]byte{first, second} {
			if n, ok := cutAny(part, "bytes_in="); ok {
				num(v, cyIn, n)
			} else if n, ok := cutAny(part, "bytes_out="); ok {
				num(v, cyOut, n)
			}
		}
		return
	}
	rest, bad := cutAny(m, "badlogin: ")
	ok := bad
	if !bad {
		rest, ok = cutAny(m, "login: ")
	}
	if !ok {
		return
	}
	put(v, cyEvent, evLogin)
	if bad {
		put(v, cyEvent, evLoginFailed)
	}
	open := bytes.IndexByte(rest, '[')
	if open < 0 {
		return
	}
	end := bytes.IndexByte(rest[open:], ']')
	if end < 0 {
		return
	}
	put(v, cyClient, bytes.TrimRight(rest[:open], " "))
	put(v, cyIP, event.Address(rest[open+1:open+end]))
	rest = trimBlanks(rest[open+end+1:])
	first, rest, _ := bytes.Cut(rest, []byte(" "))
	if !bad {
		put(v, cyUser, first)
		method, _, _ := bytes.Cut(rest, []byte(" "))
		put(v, cyMethod, method)
		if i := bytes.LastIndex(rest, []byte("SESSIONID=<")); i >= 0 {
			put(v, cySession, upTo(rest[i+len("SESSIONID=<"):], '>'))
		}
		return
	}
	put(v, cyMethod, first)
	if len(rest) > 0 && rest[0] != '[' {
		if i := bytes.Index(rest, []byte(" SASL(")); i > 0 {
			put(v, cyUser, rest[:i])
			rest = rest[i+1:]
		}
	}
	put(v, cyReason, rest)
}
