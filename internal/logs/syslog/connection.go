package syslog

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// connections remembers what the lines of sshd said of the connections it serves, each by host and process number. A line may leave out the
// address that an earlier one gave, and may tell of an attempt that was told before: "Invalid user x" and the
// "Failed password for invalid user x" after it are one.
//
// It holds a bounded number of connections; one that finds its place taken is forgotten, and its lines are read as if they stood alone.
type connections [512]connection

type connection struct {
	key  uint64 // of host and process; 0 if free
	user uint64 // who was tried on the line that open is about
	// open says that a line announced an attempt whose failure another line may tell once more.
	open bool
	// counted says that an attempt was counted.
	counted bool
	// noKeys says that the exchange of versions or keys failed.
	noKeys bool
	ipLen  uint8
	ip     [45]byte // the longest address in text
}

// follow takes account of a line of sshd, read into v. It returns the address that the line leaves out, which changes with the next call, and
// completes v with what earlier lines said: a count of 0 where the attempt was counted before.
func (c *connections) follow(h *header, v []event.Value) (ip []byte) {
	if len(h.pid) == 0 {
		return nil
	}
	what, addr := string(v[sshEvent].Data), v[sshIP].Data
	tells := false // something that later lines leave out
	switch what {
	case "connect", "invalid-user", "not-allowed", "postponed", "max-attempts", "":
		tells = what != "" || len(addr) > 0
	case "failed":
		tells = !v[sshMethod].IsAbsent() // else it is a client's word for it
	case "no-identification":
		tells = len(addr) == 0
	}
	key := sum(sum(offset64, h.host)*prime64, h.pid) | 1
	k := &c[key>>32%uint64(len(c))]
	if k.key != key {
		if !tells {
			return nil
		}
		*k = connection{key: key}
	}
	if len(addr) == 0 {
		ip = k.ip[:k.ipLen]
	}
	switch {
	case what == "no-identification":
		k.noKeys = k.noKeys || tells
		return ip
	case what == "disconnect" && k.noKeys && v[sshReason].IsAbsent():
		put(v, sshReason, beforeKeys)
	}
	if !tells {
		return ip
	}
	if len(addr) > 0 {
		if k.ipLen > 0 && string(k.ip[:k.ipLen]) != string(addr) || what == "connect" {
			*k = connection{key: key} // the number of the process was used again
		}
		k.ipLen = 0
		if len(addr) <= len(k.ip) {
			k.ipLen = uint8(copy(k.ip[:], addr))
		}
	} else if len(ip) == 0 {
		return nil // without an address nothing is counted
	}
	user := sum(offset64, v[sshUser].Data)
	switch what {
	case "invalid-user", "not-allowed":
		k.open, k.counted, k.user = true, true, user
	case "failed":
		same := k.open && k.user == user && v[sshCount].IsAbsent()
		switch method := string(v[sshMethod].Data); {
		case method == "pam":
			k.open, k.counted, k.user = true, true, user
		case same:
			num(v, sshCount, zero)
			k.open = method == "none" // which is a question before the attempt
		default:
			k.counted = k.counted || isAttempt(v)
		}
	case "max-attempts":
		if k.counted {
			num(v, sshCount, zero)
		}
		k.counted = true
	}
	return ip
}

// changes reports whether a line that begins so can change what follow knows; rest is what follows its time. It spares the rest of the
// lines the work to be read twice.
func changes(rest []byte) bool {
	i := bytes.Index(rest[:min(len(rest), maxSender)], sshdName)
	if i < 0 {
		return false
	}
	end := bytes.Index(rest[i:], []byte("]: "))
	if end < 0 || end > 24 {
		return true // of another form
	}
	m := rest[i+end+3:]
	for {
		after, ok := cutAny(m, "error: ", "fatal: ", "PAM: ")
		if !ok {
			break
		}
		m = trimBlanks(after)
	}
	if len(m) == 0 {
		return false
	}
	switch m[0] {
	case 'A', 'a':
		return !has(m, "Accepted ")
	case 'C':
		return has(m, "Connection from ")
	case 'D':
		return has(m, "Disconnecting: ")
	case 'S':
		return has(m, "SSH: ")
	case 'I', 'F', 'P', 'U', 'm', 'k', 'u', '[', ' ':
		return true
	}
	return false
}

var (
	zero       = []byte("0")
	beforeKeys = []byte("before key exchange")
)

// FNV-1a of 64 bits.
const (
	offset64 = 14695981039346656037
	prime64  = 1099511628211
)

func sum(h uint64, p []byte) uint64 {
	for _, c := range p {
		h = (h ^ uint64(c)) * prime64
	}
	return h
}
