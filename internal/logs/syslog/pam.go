package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// isPAM reports whether the message, or the name of a program such as sshd(pam_unix), is that of a PAM module.
func isPAM(name, m []byte) bool {
	if len(m) > 6 && (m[0] == 'p' && string(m[:4]) == "pam_" || m[0] == '(' && string(m[:5]) == "(pam_") {
		return true
	}
	if has(m, "PAM ") && bytes.Contains(m, []byte(" more authentication failure")) {
		return true
	}
	i := bytes.IndexByte(name, '(')
	return i > 0 && has(name[i+1:], "pam_")
}

// parsePAM reads a message of a PAM module: "pam_unix(sshd:auth): authentication failure; … rhost=192.0.2.1  user=ana", and
// the older "(pam_unix) …" and "sshd(pam_unix)[42]: …".
func parsePAM(v []event.Value, program, m []byte) {
	if i := bytes.IndexByte(program, '('); i > 0 && len(program) > i+2 {
		put(v, pamModule, bytes.TrimSuffix(program[i+1:], []byte(")")))
		put(v, pamService, program[:i])
	} else if rest, ok := cutAny(m, "("); ok {
		if i := bytes.IndexByte(rest, ')'); i > 0 {
			put(v, pamModule, rest[:i])
			put(v, pamService, program)
			m = trimBlanks(rest[i+1:])
		}
	} else if i := bytes.Index(m, []byte(": ")); i > 0 && has(m, "pam_") {
		head := m[:i]
		m = m[i+2:]
		if open := bytes.IndexByte(head, '('); open > 0 && head[len(head)-1] == ')' {
			put(v, pamModule, head[:open])
			service, _, _ := bytes.Cut(head[open+1:len(head)-1], []byte(":"))
			put(v, pamService, service)
		} else {
			put(v, pamModule, head)
		}
	} else {
		// PAM 5 more authentication failures; … of sshd itself
		_, n := number(m[4:])
		num(v, pamCount, m[4:4+n])
		put(v, pamEvent, evMoreFailures)
		pamPairs(v, m)
		return
	}
	switch {
	case has(m, "authentication failure"):
		put(v, pamEvent, evAuthFailure)
		pamPairs(v, m)
	case isNumberThen(m, " more authentication failure"):
		_, n := number(m)
		num(v, pamCount, m[:n])
		put(v, pamEvent, evMoreFailures)
		pamPairs(v, m)
	case has(m, "session opened for user "):
		put(v, pamEvent, evSessionOpened)
		rest := m[len("session opened for user "):]
		if i := bytes.LastIndex(rest, []byte(" by ")); i >= 0 {
			by := rest[i+4:]
			rest = rest[:i]
			if j := bytes.Index(by, []byte("(uid=")); j >= 0 {
				uid := by[j+5:]
				_, n := number(uid)
				num(v, pamUID, uid[:n])
				by = by[:j]
			}
			put(v, pamBy, by)
		}
		if i := bytes.Index(rest, []byte("(uid=")); i > 0 {
			rest = rest[:i]
		}
		put(v, pamUser, rest)
	case has(m, "session closed for user "):
		put(v, pamEvent, evSessionClosed)
		put(v, pamUser, m[len("session closed for user "):])
	case has(m, "user '"):
		if i := bytes.LastIndexByte(m, '\''); i > 6 {
			put(v, pamUser, m[6:i])
		}
	}
}

// isNumberThen reports whether p begins with a number and then with what follows.
func isNumberThen(p []byte, follows string) bool {
	_, n := number(p)
	return n > 0 && has(p[n:], follows)
}

// pamPairs reads the pairs after "authentication failure;". Of what a client can write into them, ruser comes before
// the true rhost and user after it: the true rhost is the last before the first user.
func pamPairs(v []event.Value, m []byte) {
	from := bytes.Index(m, []byte("ruser="))
	if from < 0 {
		from = 0
	}
	pamPair(v, pamLogname, m[:from], "logname=")
	pamPair(v, pamUID, m[:from], " uid=")
	pamPair(v, pamEUID, m[:from], "euid=")
	pamPair(v, pamTTY, m[:from], "tty=")
	tail := m[from:]
	user := bytes.Index(tail, []byte(" user="))
	if user >= 0 {
		put(v, pamUser, bytes.TrimRight(tail[user+6:], " "))
		tail = tail[:user]
	}
	rhost := bytes.LastIndex(tail, []byte("rhost="))
	if rhost < 0 {
		return
	}
	host := tail[rhost+6:]
	if i := bytes.IndexByte(host, ' '); i >= 0 {
		host = host[:i]
	}
	put(v, pamRhost, event.Address(host))
	if ruser := bytes.TrimPrefix(tail[:rhost], []byte("ruser=")); len(ruser) > 1 {
		put(v, pamRuser, bytes.TrimRight(ruser, " "))
	}
}

// pamPair sets a slot to the value of a pair, up to the next blank.
func pamPair(v []event.Value, slot int, m []byte, name string) {
	i := bytes.Index(m, []byte(name))
	if i < 0 {
		return
	}
	p := m[i+len(name):]
	if end := bytes.IndexByte(p, ' '); end >= 0 {
		p = p[:end]
	}
	if len(p) > 0 {
		put(v, slot, p)
	}
}

// parseSudo reads "ana : TTY=pts/0 ; PWD=/home/ana ; USER=root ; COMMAND=/bin/id", which may begin with a reason for refusing.
func parseSudo(v []event.Value, m []byte) {
	i := bytes.Index(m, []byte(" : "))
	if i < 0 {
		return
	}
	put(v, sudoUser, bytes.TrimLeft(m[:i], " "))
	put(v, sudoEvent, evCommand)
	rest := m[i+3:]
	for len(rest) > 0 {
		// The command is the last part and may hold anything.
		if command, ok := cutAny(rest, "COMMAND="); ok {
			put(v, sudoCommand, command)
			return
		}
		part, after, _ := bytes.Cut(rest, []byte(" ; "))
		switch {
		case has(part, "TTY="):
			put(v, sudoTTY, part[4:])
		case has(part, "PWD="):
			put(v, sudoPWD, part[4:])
		case has(part, "USER="):
			put(v, sudoTarget, part[5:])
		case v[sudoTTY].IsAbsent() && v[sudoReason].IsAbsent():
			put(v, sudoReason, part)
			put(v, sudoEvent, evNotAllowed)
		}
		rest = after
	}
}

// parseSu reads "Successful su for root by ana" and "FAILED su for root by ana".
func parseSu(v []event.Value, m []byte) {
	rest, ok := cutAny(m, "Successful su for ")
	put(v, sudoEvent, evAccepted)
	if !ok {
		rest, ok = cutAny(m, "FAILED su for ")
		put(v, sudoEvent, evFailed)
	}
	if !ok {
		if rest, ok = cutAny(m, "FAILED SU (to "); ok { // util-linux: FAILED SU (to root) ana on pts/0
			target, who, _ := bytes.Cut(rest, []byte(") "))
			user, tty, _ := bytes.Cut(who, []byte(" on "))
			put(v, sudoTarget, target)
			put(v, sudoUser, user)
			put(v, sudoTTY, tty)
			return
		}
		v[sudoEvent] = event.Value{}
		return
	}
	if i := bytes.LastIndex(rest, []byte(" by ")); i >= 0 {
		put(v, sudoUser, rest[i+4:])
		rest = rest[:i]
	}
	put(v, sudoTarget, rest)
}
