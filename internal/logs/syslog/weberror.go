package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs/webrequest"
)

// The slots of the error log of a web server that logs through syslog.
const (
	weEvent = headSlots + iota
	weUser
	weIP
	weReason
)

var (
	evDenied = []byte("denied")
	client   = []byte(", client: ")
)

// parseWebError reads a line of the error log of Apache ("[authz_core:error] [pid 1] [client 192.0.2.1:5] AH01630: …") or nginx ("2024/01/02
// 03:04:05 [error] 1#1: *5 …, client: 192.0.2.1, server: …").
func parseWebError(v []event.Value, m []byte) {
	if i := bytes.Index(m, []byte("nginx: ")); i >= 0 && i < 64 && bytes.IndexByte(m[:i], '[') < 0 { // the header once more
		m = m[i+len("nginx: "):]
	}
	for len(m) > 0 && m[0] == '[' {
		end := bytes.IndexByte(m, ']')
		if peer, ok := cutAny(m, "[client ", "[remote "); ok && end > 0 && v[weIP].IsAbsent() {
			if len(peer) > 0 && peer[0] == '[' { // [client [2001:db8::7]:5]
				if i := bytes.IndexByte(m[end+1:], ']'); i >= 0 {
					end += i + 1
				}
			}
			put(v, weIP, event.Address(m[len("[client "):end]))
		}
		if end < 0 {
			return
		}
		m = trimBlanks(m[end+1:])
	}
	if i := bytes.Index(m, []byte("] ")); i > 0 && isDigit(m[0]) && i < 40 { // nginx's own time and level
		m = m[i+2:]
		if i := bytes.Index(m, []byte(": *")); i > 0 && i < 24 {
			_, m, _ = bytes.Cut(m[i+3:], []byte(" "))
		}
		if i := bytes.LastIndex(m, client); i >= 0 {
			put(v, weIP, event.Address(upTo(m[i+len(client):], ',')))
		}
	}
	put(v, weReason, m)
	account, r := webrequest.RefusedBy(m)
	put(v, weUser, account)
	switch r {
	case webrequest.Failed:
		put(v, weEvent, evLoginFailed)
	case webrequest.Denied:
		put(v, weEvent, evDenied)
	}
}
