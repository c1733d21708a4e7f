package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// parsePostfix reads a message of Postfix 2 and 3.
func parsePostfix(v []event.Value, h *header) {
	process := lastPart(h.program)
	put(v, pfProcess, process)
	if rest := h.program[:len(h.program)-len(process)]; len(rest) > 0 {
		if _, service, ok := bytes.Cut(rest[:len(rest)-1], []byte("/")); ok { // postfix/submission/smtpd
			put(v, pfService, service)
		}
	}
	m := h.message
	if rest, ok := cutAny(m, "warning: ", "error: ", "fatal: ", "panic: "); ok {
		put(v, pfLevel, m[:len(m)-len(rest)-2])
		m = rest
	}
	if n := queueID(m); n > 0 {
		put(v, pfQueue, m[:n])
		m = m[n+2:]
	}
	if rest, ok := cutAny(m, "warning: "); ok && v[pfLevel].IsAbsent() {
		put(v, pfLevel, m[:7])
		m = rest
	}
	if len(m) == 0 {
		return
	}
	switch m[0] {
	case 'c':
		if rest, ok := cutAny(m, "connect from "); ok {
			put(v, pfEvent, evConnect)
			pfPeer(v, rest, pfClient, pfClientIP, pfClientPort)
			return
		}
		if rest, ok := cutAny(m, "connect to "); ok {
			put(v, pfEvent, evConnect)
			put(v, pfReason, bytes.TrimPrefix(pfPeer(v, rest, pfRelay, pfRelayIP, pfRelayPort), []byte(": ")))
			return
		}
		if has(m, "client=") {
			put(v, pfEvent, evClient)
			pfPairs(v, m)
			return
		}
	case 'd':
		if rest, ok := cutAny(m, "disconnect from "); ok {
			put(v, pfEvent, evDisconnect)
			if rest = trimBlanks(pfPeer(v, rest, pfClient, pfClientIP, pfClientPort)); len(rest) > 0 {
				put(v, pfCommands, rest)
			}
			return
		}
	case 'l', 't':
		if _, rest, ok := bytes.Cut(m, []byte(" from ")); ok && (has(m, "lost connection after ") || has(m, "timeout after ") || has(m, "too many errors after ")) {
			put(v, pfEvent, evLost)
			stage := m[:len(m)-len(rest)-6]
			stage = stage[bytes.Index(stage, []byte(" after "))+7:]
			put(v, pfStage, upTo(stage, '('))
			v[pfStage].Data = bytes.TrimRight(v[pfStage].Data, " ")
			pfPeer(v, rest, pfClient, pfClientIP, pfClientPort)
			return
		}
		if has(m, "to=") {
			put(v, pfEvent, evDelivery)
			pfPairs(v, m)
			return
		}
	case 'f':
		if has(m, "from=") {
			put(v, pfEvent, evQueued)
			pfPairs(v, m)
			return
		}
	case 'r', 'm':
		if string(m) == "removed" {
			put(v, pfEvent, evRemoved)
			return
		}
		if id, ok := cutAny(m, "message-id=", "resent-message-id="); ok {
			put(v, pfEvent, evMessageID)
			put(v, pfMessageID, angle(id))
			return
		}
		if rest, ok := cutAny(m, "reject: ", "milter-reject: ", "reject_warning: "); ok {
			put(v, pfEvent, evReject)
			pfReject(v, rest)
			return
		}
	case 'u':
		if has(m, "uid=") {
			put(v, pfEvent, evClient)
			pfPairs(v, m)
			return
		}
	case 'h':
		if rest, ok := cutAny(m, "host "); ok {
			rest = pfPeer(v, rest, pfRelay, pfRelayIP, pfRelayPort)
			if said, ok := cutAny(rest, " said: ", " refused to talk to me: "); ok {
				if i := bytes.LastIndex(said, []byte(" (in reply to ")); i >= 0 {
					put(v, pfStage, bytes.TrimSuffix(bytes.TrimSuffix(said[i+len(" (in reply to "):], []byte(")")), []byte(" command")))
					said = said[:i]
				}
				put(v, pfReason, said)
			}
			return
		}
	}
	if rest, ok := cutAny(m, "improper command pipelining after "); ok {
		put(v, pfEvent, evPipelining)
		stage, peer, _ := bytes.Cut(rest, []byte(" from "))
		put(v, pfStage, stage)
		pfPeer(v, peer, pfClient, pfClientIP, pfClientPort)
		return
	}
	if i := bytes.Index(m, []byte(" limit exceeded: ")); i > 0 && i < 48 {
		// Connection rate limit exceeded: 31 from host[192.0.2.1] for service smtps
		if j := bytes.Index(m[i:], []byte(" from ")); j >= 0 {
			put(v, pfEvent, evRateLimit)
			put(v, pfReason, m[:i+len(" limit exceeded")])
			pfPeer(v, m[i+j+6:], pfClient, pfClientIP, pfClientPort)
			return
		}
	}
	// warning: host[192.0.2.1]: SASL LOGIN authentication failed: why, sasl_username=ana
	if i := bytes.Index(m, []byte(": SASL ")); i >= 0 {
		rest := m[i+7:]
		method, why, ok := bytes.Cut(rest, []byte(" authentication "))
		if !ok || len(method) > 64 {
			return
		}
		why, failed := cutAny(why, "failed", "aborted", "failure")
		if !failed {
			return
		}
		put(v, pfEvent, evLoginFailed)
		put(v, pfMethod, method)
		pfPeer(v, m[:i], pfClient, pfClientIP, pfClientPort)
		why = trimBlanks(bytes.TrimPrefix(why, []byte(":")))
		if j := bytes.LastIndex(why, []byte(", sasl_username=")); j >= 0 {
			put(v, pfUsername, why[j+len(", sasl_username="):])
			why = why[:j]
		}
		put(v, pfReason, why)
		return
	}
	// An access table or a filter acted: "filter: RCPT from host[192.0.2.1]: why; from=<a> to=<b> …"
	if i := bytes.Index(m, []byte(": ")); i > 3 && i < 16 && bytes.IndexByte(m[:i], ' ') < 0 {
		switch action := m[:i]; string(action) {
		case "filter", "discard", "hold", "redirect", "warn", "bcc", "info", "proxy-reject", "milter-discard", "milter-hold":
			put(v, pfEvent, action)
			pfReject(v, m[i+2:])
			return
		case "proxy-accept", "prepend", "replace", "strip":
			put(v, pfEvent, action)
			m = m[i+2:]
		}
	}
	// Whatever else names a peer, or ends with an envelope. In what comes before "from" a header of the message may stand: the last is true.
	end := len(m)
	for _, first := range [...]string{"; from=<", "; proto="} {
		if i := bytes.LastIndex(m[:end], []byte(first)); i >= 0 {
			end = i
		}
	}
	if end < len(m) {
		pfPairs(v, m[end+2:])
	}
	for _, p := range [...]struct {
		word           string
		host, ip, port int
	}{{" from ", pfClient, pfClientIP, pfClientPort}, {" to ", pfRelay, pfRelayIP, pfRelayPort}, {" with ", pfRelay, pfRelayIP, pfRelayPort}, {" for ", pfRelay, pfRelayIP, pfRelayPort}} {
		if i := bytes.LastIndex(m[:end], []byte(p.word)); i >= 0 {
			rest := m[i+len(p.word) : end]
			if j := bytes.IndexByte(rest, '['); j >= 0 && bytes.IndexByte(rest[:j], ' ') < 0 {
				pfPeer(v, rest, p.host, p.ip, p.port)
				return
			}
		}
	}
}

// queueID returns the length of the queue identifier that begins m, with ": " after it; 0 if there is none. NOQUEUE is one.
func queueID(m []byte) int {
	n, digit := 0, false
	for n < len(m) && n < 24 && (isDigit(m[n]) || 'a' <= m[n] && m[n] <= 'z' || 'A' <= m[n] && m[n] <= 'Z') {
		digit = digit || isDigit(m[n])
		n++
	}
	if n < 5 || n+1 >= len(m) || m[n] != ':' || m[n+1] != ' ' || !digit && string(m[:n]) != "NOQUEUE" && !upperHex(m[:n]) {
		return 0
	}
	return n
}

func upperHex(p []byte) bool {
	for _, c := range p {
		if (c < 'A' || c > 'F') && !isDigit(c) {
			return false
		}
	}
	return true
}

// pfPeer reads "host[192.0.2.1]:25" and returns what follows.
func pfPeer(v []event.Value, p []byte, host, ip, port int) []byte {
	open := bytes.IndexByte(p, '[')
	if open < 0 {
		return p
	}
	end := bytes.IndexByte(p[open:], ']')
	if end < 0 {
		return p
	}
	end += open
	if open > 0 {
		put(v, host, p[:open])
	}
	put(v, ip, event.Address(p[open+1:end]))
	p = p[end+1:]
	if len(p) > 1 && p[0] == ':' {
		if _, n := number(p[1:]); n > 0 {
			num(v, port, p[1:1+n])
			return p[1+n:]
		}
	}
	return p
}

// pfReject reads "RCPT from host[192.0.2.1]: 554 5.7.1 why; from=<a> to=<b> proto=ESMTP helo=<c>".
func pfReject(v []event.Value, m []byte) {
	stage, rest, ok := bytes.Cut(m, []byte(" from "))
	if !ok {
		return
	}
	put(v, pfStage, stage)
	rest = bytes.TrimPrefix(pfPeer(v, rest, pfClient, pfClientIP, pfClientPort), []byte(": "))
	end := len(rest)
	for _, first := range [...]string{"; from=<", "; proto=", "; to=<"} {
		if i := bytes.LastIndex(rest, []byte(first)); i >= 0 && i < end {
			end = i
		}
	}
	put(v, pfReason, rest[:end])
	if end < len(rest) {
		pfPairs(v, rest[end+2:])
	}
}

// pfPairs reads "name=value, name=value", with blanks or commas between them, up to a status and its reason.
func pfPairs(v []event.Value, p []byte) {
	for len(p) > 0 {
		eq := bytes.IndexByte(p, '=')
		if eq < 0 {
			return
		}
		name, rest := p[:eq], p[eq+1:]
		var value []byte
		if len(rest) > 0 && rest[0] == '<' {
			// An address may hold '>' in quotes only: the end is a '>' before a separator.
			end := 1
			for end < len(rest) && !(rest[end] == '>' && (end+1 == len(rest) || rest[end+1] == ',' || rest[end+1] == ' ')) {
				end++
			}
			value = rest[1:end]
			rest = rest[min(end+1, len(rest)):]
		} else {
			end := 0
			for end < len(rest) && rest[end] != ' ' && rest[end] != ',' {
				end++
			}
			value, rest = rest[:end], rest[end:]
		}
		p = bytes.TrimLeft(rest, ", ")
		switch string(name) {
		case "client":
			pfPeer(v, value, pfClient, pfClientIP, pfClientPort)
		case "sasl_method":
			put(v, pfMethod, value)
		case "sasl_username":
			put(v, pfUsername, value)
		case "from", "sender":
			put(v, pfFrom, value)
		case "to":
			put(v, pfTo, value)
		case "orig_to":
			put(v, pfOrigTo, value)
		case "size":
			num(v, pfSize, value)
		case "nrcpt":
			num(v, pfNrcpt, value)
		case "relay":
			put(v, pfRelay, value)
			if bytes.IndexByte(value, '[') > 0 {
				pfPeer(v, value, pfRelay, pfRelayIP, pfRelayPort)
			}
		case "delay":
			put(v, pfDelay, value)
		case "delays":
			put(v, pfDelays, value)
		case "dsn":
			put(v, pfDsn, value)
		case "proto":
			put(v, pfProto, value)
		case "helo":
			put(v, pfHelo, value)
		case "uid":
			num(v, pfUID, value)
		case "status":
			put(v, pfStatus, value)
			p = bytes.TrimSuffix(bytes.TrimPrefix(p, []byte("(")), []byte(")"))
			if len(p) > 0 {
				put(v, pfReason, p)
			}
			return
		}
	}
}

// angle returns p without the angle brackets around it.
func angle(p []byte) []byte {
	if len(p) > 1 && p[0] == '<' && p[len(p)-1] == '>' {
		return p[1 : len(p)-1]
	}
	return p
}

// parseSendmail reads a message of Sendmail 8.
func parseSendmail(v []event.Value, m []byte) {
	if i := bytes.Index(m, []byte(": ")); i > 8 && i < 24 && bytes.IndexByte(m[:i], ' ') < 0 {
		put(v, smQueue, m[:i])
		m = m[i+2:]
	}
	if rest, ok := cutAny(m, "AUTH failure ("); ok {
		put(v, smEvent, evLoginFailed)
		if i := bytes.Index(rest, []byte("): ")); i >= 0 {
			put(v, smMethod, rest[:i])
			put(v, smReason, rest[i+3:])
		}
		// The user name may hold anything: the last relay is the true one.
		if i := bytes.LastIndex(rest, []byte(", relay=")); i >= 0 {
			smPeer(v, rest[i+8:], smClient, smClientIP)
			if j := bytes.Index(rest[:i], []byte(", user=")); j >= 0 {
				put(v, smUsername, rest[j+7:i])
			}
		}
		return
	}
	if rest, ok := cutAny(m, "AUTH=server, relay="); ok {
		put(v, smEvent, evLogin)
		if i := bytes.LastIndex(rest, []byte(", authid=")); i >= 0 {
			smPeer(v, rest[:i], smClient, smClientIP)
			id := rest[i+9:]
			if j := bytes.LastIndex(id, []byte(", mech=")); j >= 0 {
				put(v, smMethod, upTo(id[j+7:], ','))
				id = id[:j]
			}
			put(v, smUsername, id)
		}
		return
	}
	if i := bytes.Index(m, []byte(": possible SMTP attack: command=AUTH")); i >= 0 {
		put(v, smEvent, evLoginFailed)
		put(v, smReason, m[i+2:])
		smPeer(v, m[:i], smClient, smClientIP)
		return
	}
	if has(m, "ruleset=") {
		put(v, smEvent, evReject)
		if i := bytes.LastIndex(m, []byte(", reject=")); i >= 0 {
			put(v, smReason, m[i+9:])
			m = m[:i]
		}
		if i := bytes.LastIndex(m, []byte(", relay=")); i >= 0 {
			smPeer(v, m[i+8:], smClient, smClientIP)
		}
		return
	}
	if !has(m, "from=") && !has(m, "to=") {
		return
	}
	for p := m; len(p) > 0; {
		var part []byte
		part, p, _ = bytes.Cut(p, []byte(", "))
		name, value, ok := bytes.Cut(part, []byte("="))
		if !ok {
			continue
		}
		switch string(name) {
		case "from":
			put(v, smEvent, evQueued)
			put(v, smFrom, angle(value))
		case "to":
			put(v, smEvent, evDelivery)
			put(v, smTo, angle(value))
		case "size":
			num(v, smSize, value)
		case "nrcpts":
			num(v, smNrcpt, value)
		case "msgid":
			put(v, smMessageID, angle(value))
		case "dsn":
			put(v, smDsn, value)
		case "relay":
			if m[0] == 'f' {
				smPeer(v, value, smClient, smClientIP)
			} else {
				smPeer(v, value, smRelay, smRelayIP)
			}
		case "stat":
			status, why, _ := bytes.Cut(value, []byte(" ("))
			put(v, smStatus, status)
			if len(why) > 0 {
				put(v, smReason, bytes.TrimSuffix(why, []byte(")")))
			}
		}
	}
}

// smPeer reads "host [192.0.2.1] (may be forged)".
func smPeer(v []event.Value, p []byte, host, ip int) {
	open := bytes.IndexByte(p, '[')
	if open < 0 {
		put(v, host, p)
		return
	}
	if name := bytes.TrimRight(p[:open], " "); len(name) > 0 {
		put(v, host, name)
	}
	if end := bytes.IndexByte(p[open:], ']'); end > 0 {
		put(v, ip, event.Address(p[open+1:open+end]))
	}
}
