package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// The slots of Courier's lines.
const (
	coEvent = headSlots + iota
	coUser
	coMethod
	coIP
	coPort
	coProto
	coHeaders
	coBody
	coRcvd
	coSent
	coTime
	coTop
	coRetr
	coFrom
	coTo
	coReason
)

// isCourier reports whether a message is one of Courier's IMAP, POP3 or ESMTP server.
func isCourier(m []byte) bool {
	if len(m) < 5 {
		return false
	}
	switch m[0] {
	case 'L':
		return has(m, "LOGIN, user=") || has(m, "LOGIN FAILED, ") || has(m, "LOGIN: ip=") || has(m, "LOGOUT, ")
	case 'D':
		return has(m, "DISCONNECTED, ")
	case 'T':
		return has(m, "TIMEOUT, ")
	case 'C':
		return has(m, "Connection, ip=")
	case 'e':
		return has(m, "error,relay=")
	case 's':
		return has(m, "started,ip=")
	}
	return false
}

// parseCourier reads
//
//	LOGIN, user=ana, ip=[::ffff:192.0.2.1], port=[4711], protocol=IMAP
//	LOGIN FAILED, user=ana, ip=[::ffff:192.0.2.1], port=[4711]
//	LOGOUT, user=ana, ip=[::ffff:192.0.2.1], headers=0, body=1200, rcvd=50, sent=1400, time=3
//	error,relay=::ffff:192.0.2.1,msg="535 Authentication failed.",cmd: AUTH PLAIN AGFuYQ==
//
// The user name is what the client sent: the last address is the true one.
func parseCourier(v []event.Value, m []byte) {
	if rest, ok := cutAny(m, "error,relay="); ok {
		put(v, coEvent, evReject)
		put(v, coIP, event.Address(upTo(rest, ',')))
		if i := bytes.Index(rest, []byte(",msg=\"")); i >= 0 {
			why := rest[i+len(",msg=\""):]
			put(v, coReason, upTo(why, '"'))
			if has(why, "535 ") {
				put(v, coEvent, evLoginFailed)
			}
			if i := bytes.Index(why, []byte(",cmd: AUTH ")); i >= 0 {
				method := why[i+len(",cmd: AUTH "):]
				put(v, coMethod, upTo(method, ' '))
			}
			return
		}
		courierEnvelope(v, rest)
		return
	}
	if rest, ok := cutAny(m, "started,ip="); ok {
		put(v, coEvent, evConnect)
		courierAddress(v, upTo(rest, ','))
		return
	}
	what, rest, _ := bytes.Cut(m, []byte(", "))
	switch string(what) {
	case "LOGIN":
		put(v, coEvent, evLogin)
	case "LOGIN FAILED":
		put(v, coEvent, evLoginFailed)
	case "LOGOUT", "DISCONNECTED", "TIMEOUT":
		put(v, coEvent, evLogout)
		put(v, coReason, what)
	case "Connection":
		put(v, coEvent, evConnect)
	default:
		return
	}
	tail := rest
	if i := bytes.LastIndex(rest, []byte("ip=[")); i >= 0 {
		who := bytes.TrimSuffix(rest[:i], []byte(", "))
		if user, ok := cutAny(who, "user="); ok {
			put(v, coUser, user)
		} else if method, ok := cutAny(who, "method="); ok {
			put(v, coMethod, method)
		}
		tail = rest[i:]
	}
	for len(tail) > 0 {
		var part []byte
		part, tail, _ = bytes.Cut(tail, []byte(", "))
		name, value, ok := bytes.Cut(part, []byte("="))
		if !ok {
			continue
		}
		switch string(name) {
		case "ip":
			courierAddress(v, value)
		case "port":
			num(v, coPort, bytes.Trim(value, "[]"))
		case "protocol":
			put(v, coProto, value)
		case "headers":
			num(v, coHeaders, value)
		case "body":
			num(v, coBody, value)
		case "rcvd":
			num(v, coRcvd, value)
		case "sent":
			num(v, coSent, value)
		case "time":
			num(v, coTime, value)
		case "top":
			num(v, coTop, value)
		case "retr":
			num(v, coRetr, value)
		}
	}
}

// courierAddress reads "[::ffff:192.0.2.1]".
func courierAddress(v []event.Value, p []byte) {
	put(v, coIP, event.Address(bytes.TrimSuffix(bytes.TrimPrefix(p, []byte("[")), []byte("]"))))
}

// courierEnvelope reads "…,from=<a@example.org>,to=<b@example.org>: 550 User unknown."
func courierEnvelope(v []event.Value, p []byte) {
	if i := bytes.LastIndex(p, []byte(">: ")); i >= 0 {
		put(v, coReason, p[i+3:])
		p = p[:i+1]
	}
	if i := bytes.LastIndex(p, []byte(",to=")); i >= 0 {
		put(v, coTo, angle(p[i+4:]))
		p = p[:i]
	}
	if i := bytes.LastIndex(p, []byte(",from=")); i >= 0 {
		put(v, coFrom, angle(p[i+6:]))
	}
}
