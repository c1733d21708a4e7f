package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// dovecotProcess returns the process that wrote a line of Dovecot and its message: through syslog the program is "dovecot" and
// the process begins the message, in Dovecot's own file the process is the program.
func dovecotProcess(h *header) (process, message []byte) {
	process, message = h.program, h.message
	for range 3 {
		if !has(process, "dovecot") && !isDovecotLevel(process) {
			return process, message
		}
		// "imap(ana)<42><session>: text". The user may hold anything but the ": " that ends it.
		i := bytes.Index(message, []byte(": "))
		if i < 0 {
			return process, message
		}
		process, message = message[:i], trimBlanks(message[i+2:])
	}
	return process, message
}

// isDovecotLevel reports whether the program of a line is a level: so begins the own file of Dovecot 1.
func isDovecotLevel(program []byte) bool {
	switch string(program) {
	case "Info", "Warning", "Error":
		return true
	}
	return false
}

// dovecotService returns the service that a line is about: imap for imap-login and imap(ana).
func dovecotService(h *header) string {
	process, _ := dovecotProcess(h)
	for i, c := range process {
		if c == '(' || c == '<' || c == '-' {
			process = process[:i]
			break
		}
	}
	for _, s := range dovecotServices {
		if string(process) == s {
			return s
		}
	}
	return ""
}

// parseDovecot reads a message of Dovecot 2.0 to 2.4 (Dovecot manual, "Logging"; login_log_format, mail_log_prefix).
func parseDovecot(v []event.Value, h *header) {
	process, m := dovecotProcess(h)
	name := process
	for i, c := range process {
		if i > 0 && (c == '(' || c == '<') {
			name = process[:i]
			break
		}
	}
	put(v, dovProcess, name)
	for _, level := range [...]string{"Info", "Warning", "Error", "Debug", "Fatal", "Panic"} {
		if len(m) > len(level)+1 && string(m[:len(level)]) == level && m[len(level)] == ':' {
			put(v, dovLevel, m[:len(level)])
			m = trimBlanks(m[len(level)+1:])
			break
		}
	}
	switch {
	case bytes.HasSuffix(name, []byte("-login")):
		dovecotLogin(v, m)
	case string(name) == "auth" || string(name) == "auth-worker" || string(name) == "auth-cache":
		if open := len(name); open < len(process) && bytes.IndexByte(process, ',') > 0 {
			// 2.4: auth(ana@example.org,192.0.2.1,sasl:login)<session>: sql: Password mismatch
			dovecotWho(v, process[open:])
			dovecotAuth(v, nil, m)
			return
		}
		if has(m, "conn unix:") { // conn unix:auth-worker (uid=143): auth-worker<1>: sql(…
			if i := bytes.Index(m, []byte("): ")); i > 0 {
				m = m[i+3:]
			}
			if i := bytes.Index(m, []byte(">: ")); i > 0 && has(m, "auth-worker<") {
				m = m[i+3:]
			}
		}
		// sql(ana@example.org,192.0.2.1,<session>): unknown user
		i := bytes.Index(m, []byte("): "))
		if i < 0 {
			return
		}
		open := bytes.IndexByte(m[:i], '(')
		if open < 0 || bytes.IndexByte(m[open:i], ',') < 0 {
			return
		}
		driver := m[:open]
		driver = driver[bytes.LastIndexByte(driver, ' ')+1:]
		dovecotWho(v, m[open:i+1])
		dovecotAuth(v, driver, m[i+3:])
	case has(m, "service="):
		dovecotPrefixed(v, m)
	default:
		if open := len(name); open < len(process) {
			dovecotUser(v, process[open:])
		}
		if !dovecotForwarded(v, m) && !dovecotMail(v, m) {
			dovecotEnd(v, m)
		}
	}
}

// dovecotForwarded reads what Sieve did: "sieve: msgid=<x@example.org>: forwarded to <b@example.net>". Whoever sent the message chose its
// identifier: the last words are the true ones.
func dovecotForwarded(v []event.Value, m []byte) bool {
	i := bytes.Index(m, []byte("sieve: msgid="))
	j := bytes.LastIndex(m, []byte(": forwarded to <"))
	if i < 0 || j < i+len("sieve: msgid=") || m[len(m)-1] != '>' {
		return false
	}
	put(v, dovEvent, evForwarded)
	put(v, dovMsgid, angle(m[i+len("sieve: msgid="):j]))
	put(v, dovTo, m[j+len(": forwarded to <"):len(m)-1])
	return true
}

// mailEvents are what the plugin mail_log tells of; none of them is that a message was read (Dovecot manual, "mail-log plugin").
var mailEvents = [...][]byte{[]byte("delete"), []byte("undelete"), []byte("expunge"), []byte("save"), []byte("copy"), []byte("flag_change")}

// dovecotMail reads a line of the plugin mail_log: "expunge: box=INBOX, uid=17, msgid=<x@example.org>, size=1234", "copy from INBOX: box=…".
func dovecotMail(v []event.Value, m []byte) bool {
	at := bytes.Index(m, []byte(": box="))
	if at < 0 {
		return false
	}
	what := upTo(m[:at], ' ')
	for _, known := range mailEvents {
		if string(what) != string(known) {
			continue
		}
		put(v, dovEvent, known)
		rest := m[at+len(": box="):]
		box := len(rest)
		for _, next := range [...]string{", uid=", ", msgid=", ", size="} {
			if i := bytes.Index(rest[:box], []byte(next)); i >= 0 {
				box = i
			}
		}
		put(v, dovBox, rest[:box])
		if i := bytes.Index(rest[box:], []byte(", uid=")); i == 0 {
			uid := rest[box+len(", uid="):]
			_, n := number(uid)
			num(v, dovUID, uid[:n])
		}
		if i := bytes.Index(rest[box:], []byte(", msgid=")); i >= 0 {
			id := rest[box+i+len(", msgid="):]
			if end := bytes.Index(id, []byte(", ")); end >= 0 {
				id = id[:end]
			}
			put(v, dovMsgid, id)
		}
		return true
	}
	return false
}

// dovecotPrefixed reads a line with the mail_log_prefix that Plesk sets: "service=imap, user=ana, ip=[192.0.2.1]. Logged out rcvd=74, sent=803".
func dovecotPrefixed(v []event.Value, m []byte) {
	ip := bytes.LastIndex(m, []byte(", ip=["))
	if ip < 0 {
		return
	}
	end := bytes.Index(m[ip:], []byte("]. "))
	user := bytes.Index(m[:ip], []byte(", user="))
	if end < 0 || user < 0 {
		return
	}
	put(v, dovProcess, m[len("service="):user])
	put(v, dovUser, m[user+len(", user="):ip])
	put(v, dovRip, event.Address(m[ip+len(", ip=["):ip+end]))
	rest := m[ip+end+len("]. "):]
	got := bytes.LastIndex(rest, []byte(" rcvd="))
	if got < 0 {
		return
	}
	put(v, dovEvent, evLogout)
	put(v, dovReason, rest[:got])
	in, out, _ := bytes.Cut(rest[got+len(" rcvd="):], []byte(", sent="))
	num(v, dovIn, in)
	num(v, dovOut, upTo(out, ','))
}

// dovecotUser reads "(ana)<42><session>".
func dovecotUser(v []event.Value, p []byte) {
	if len(p) == 0 || p[0] != '(' {
		return
	}
	end := bytes.LastIndexByte(p, ')')
	if end < 0 {
		return
	}
	put(v, dovUser, p[1:end])
	p = p[end+1:]
	if len(p) > 2 && p[0] == '<' {
		if i := bytes.IndexByte(p, '>'); i > 0 {
			num(v, dovMpid, p[1:i])
			if p = p[i+1:]; len(p) > 2 && p[0] == '<' && p[len(p)-1] == '>' {
				put(v, dovSession, p[1:len(p)-1])
			}
		}
	}
}

// dovecotWho reads "(ana,192.0.2.1,<session>)" and what 2.4 makes of it. The user is up to the last comma but one or two.
func dovecotWho(v []event.Value, p []byte) {
	if i := bytes.LastIndex(p, []byte(")<")); i > 0 && p[len(p)-1] == '>' {
		put(v, dovSession, p[i+2:len(p)-1])
		p = p[:i+1]
	}
	p = bytes.TrimSuffix(bytes.TrimPrefix(p, []byte("(")), []byte(")"))
	var last []byte
	for range 3 {
		i := bytes.LastIndexByte(p, ',')
		if i < 0 {
			break
		}
		last, p = p[i+1:], p[:i]
		if looksLikeAddress(last) {
			put(v, dovRip, event.Address(last))
			break
		}
		if len(last) > 2 && last[0] == '<' {
			put(v, dovSession, last[1:len(last)-1])
		}
		if method, ok := cutAny(last, "sasl:"); ok {
			put(v, dovMethod, method)
		}
	}
	put(v, dovUser, p)
}

// looksLikeAddress reports whether p can be an IP address: only its digits and separators, and one of these at least.
func looksLikeAddress(p []byte) bool {
	seps := 0
	for _, c := range p {
		switch {
		case c == '.' || c == ':':
			seps++
		case isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return seps >= 2
}

// dovecotAuth reads what an authentication driver says of a user.
func dovecotAuth(v []event.Value, driver, m []byte) {
	put(v, dovDriver, driver)
	put(v, dovReason, m)
	for _, why := range [...]string{"unknown user", "Unknown user", "Password mismatch", "password mismatch", "invalid credentials", "pam_authenticate() failed", "Invalid credentials", "Login attempt with password"} {
		if bytes.Contains(m, []byte(why)) {
			put(v, dovEvent, evLoginFailed)
			return
		}
	}
}

// loginFailures are what a login process says when it ends a session in which a login failed: in words, and since 2.4 as a code.
var loginFailures = [...][]byte{[]byte("(auth failed"), []byte("tried to use disallowed"), []byte("tried to use disabled"), []byte("(auth_failed)"),
	[]byte("(proxy dest auth failed"), []byte("(proxy_dest_auth_failed)"), []byte("(cleartext_auth_disabled)")}

// dovecotLogin reads a line of a login process: "Login: user=<ana>, method=PLAIN, rip=192.0.2.1, …" (since 2.4 "Logged in: …"), or why there was none.
// The user name may hold anything: of repeated elements the last is the true one.
func dovecotLogin(v []event.Value, m []byte) {
	list := len(m)
	for _, first := range [...]string{": user=<", ": method=", ": rip="} {
		if i := bytes.Index(m, []byte(first)); i >= 0 && i < list {
			list = i
		}
	}
	if list == len(m) {
		put(v, dovReason, m)
		return
	}
	what, elements := m[:list], m[list+2:]
	put(v, dovEvent, evDisconnect)
	switch {
	case string(what) == "Login", string(what) == "Logged in", bytes.Contains(what, []byte("roxying started")), bytes.Contains(what, []byte(": started proxying to ")):
		put(v, dovEvent, evLogin)
	default:
		put(v, dovReason, what)
		for _, why := range loginFailures {
			if bytes.Contains(what, why) {
				put(v, dovEvent, evLoginFailed)
				break
			}
		}
		if i := bytes.Index(what, []byte("(auth failed, ")); i >= 0 {
			count := what[i+len("(auth failed, "):]
			_, n := number(count)
			num(v, dovAttempts, count[:n])
		}
	}
	rip := bytes.LastIndex(elements, []byte("rip="))
	if rip < 0 {
		rip = len(elements)
	}
	if user, ok := cutAny(elements[:rip], "user=<"); ok {
		end := bytes.LastIndex(user, []byte(">, method="))
		if end < 0 {
			end = bytes.LastIndexByte(user, '>')
		}
		if end >= 0 {
			put(v, dovUser, user[:end])
		}
	}
	if i := bytes.LastIndex(elements[:rip], []byte("method=")); i >= 0 {
		put(v, dovMethod, upTo(elements[i+7:], ','))
	}
	for tail := elements[rip:]; len(tail) > 0; {
		var part []byte
		part, tail, _ = bytes.Cut(tail, []byte(", "))
		switch {
		case has(part, "rip="):
			put(v, dovRip, event.Address(part[4:]))
		case has(part, "lip="):
			put(v, dovLip, event.Address(part[4:]))
		case has(part, "mpid="):
			num(v, dovMpid, part[5:])
		case has(part, "session=<"):
			put(v, dovSession, upTo(part[9:], '>'))
		case has(part, "TLS"), string(part) == "secured":
			put(v, dovSecured, part)
		}
	}
}

// dovecotEnd reads the end of a session: "Logged out in=50 out=469 deleted=0 … body_count=3 body_bytes=1200", and
// "top=0/0, retr=2/3012, del=0/5, size=80000" of POP3.
func dovecotEnd(v []event.Value, m []byte) {
	in := bytes.Index(m, []byte(" in="))
	top := bytes.Index(m, []byte(" top="))
	switch {
	case in >= 0 && bytes.Contains(m[in:], []byte("out=")):
	case top >= 0 && bytes.Contains(m[top:], []byte("retr=")):
		in = top
	case bytes.Contains(m, []byte(" bytes=")): // 2.0: in/out
		in = bytes.Index(m, []byte(" bytes="))
	default:
		return
	}
	put(v, dovEvent, evLogout)
	put(v, dovReason, m[:in])
	for p := m[in+1:]; len(p) > 0; {
		i := bytes.IndexByte(p, '=')
		if i < 0 {
			return
		}
		name, rest := p[:i], p[i+1:]
		end := bytes.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		value := bytes.TrimSuffix(rest[:end], []byte{','})
		p = trimBlanks(rest[end:])
		switch string(name) {
		case "in":
			num(v, dovIn, value)
		case "out":
			num(v, dovOut, value)
		case "bytes":
			if got, sent, ok := bytes.Cut(value, []byte("/")); ok {
				num(v, dovIn, got)
				num(v, dovOut, sent)
			}
		case "deleted":
			num(v, dovDeleted, value)
		case "expunged":
			num(v, dovExpunged, value)
		case "trashed":
			num(v, dovTrashed, value)
		case "hdr_count":
			num(v, dovHdrCount, value)
		case "hdr_bytes":
			num(v, dovHdrBytes, value)
		case "body_count":
			num(v, dovBodyCount, value)
		case "body_bytes":
			num(v, dovBodyBytes, value)
		case "top":
			put(v, dovTop, value)
		case "retr":
			put(v, dovRetr, value)
		case "del":
			put(v, dovDel, value)
		case "size":
			num(v, dovSize, value)
		}
	}
}

// upTo returns p up to the first c, or all of it.
func upTo(p []byte, c byte) []byte {
	if i := bytes.IndexByte(p, c); i >= 0 {
		return p[:i]
	}
	return p
}
