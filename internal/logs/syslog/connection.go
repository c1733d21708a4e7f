package syslog

import "github.com/barid-dfir/barid/internal/event"

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

// at returns the place of the connection that a line of sshd is about; nil if the line does not say.
func (c *connections) at(h *header) *connection {
	if len(h.pid) == 0 {
		return nil
	}
	key := sum(sum(offset64, h.host)*prime64, h.pid) | 1
	k := &c[key>>32%uint64(len(c))]
	if k.key != key {
		*k = connection{key: key}
	}
	return k
}

// follow takes account of a line, read into v. It returns the address that the line leaves out, which changes with the next call, and completes
// v with what earlier lines said: a count of 0 where the attempt was counted before.
func (k *connection) follow(v []event.Value) (ip []byte) {
	what := string(v[sshEvent].Data)
	if addr := v[sshIP].Data; len(addr) > 0 {
		if k.ipLen > 0 && string(k.ip[:k.ipLen]) != string(addr) || what == "connect" {
			*k = connection{key: k.key} // the number of the process was used again
		}
		k.ipLen = 0
		if len(addr) <= len(k.ip) {
			k.ipLen = uint8(copy(k.ip[:], addr))
		}
	} else {
		ip = k.ip[:k.ipLen]
	}
	if what == "no-identification" {
		k.noKeys = true
	}
	if v[sshIP].IsAbsent() && len(ip) == 0 {
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
	case "disconnect":
		if k.noKeys && v[sshReason].IsAbsent() {
			put(v, sshReason, beforeKeys)
		}
	}
	return ip
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
