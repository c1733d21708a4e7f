package detect

import (
	"encoding/binary"
	"math"

	"github.com/barid-dfir/barid/internal/event"
)

// What says what a Count counts.
type What uint8

// What is counted. The numbers are the order in which counts of one address come.
const (
	LoginFailed What = iota + 1
	LoginOK
	LoginTried // with an outcome that the log does not give
)

// By says under what a Count is filed.
type By uint8

// Counts are filed by the address they came from, and failed logins by the account they were for as well.
const (
	ByClient By = iota + 1
	ByAccount
)

// Count is how often somebody logged in, or tried to, within one minute in one source.
type Count struct {
	By      By
	Client  string // an address, or "" if the log does not say
	What    What
	Account string // in lower case
	Channel string
	Source  int   // ordinal
	Minute  int64 // minutes since 1970 UTC
	N       int64
	// First is the earliest of them.
	First Position
}

// Position is where and when an event stands in its source.
type Position struct {
	Time         int64
	Offset, Line int64
}

func (p Position) before(q Position) bool {
	if p.Time != q.Time {
		return p.Time < q.Time
	}
	return p.Offset < q.Offset
}

// NoMinute is the Minute of events whose time is not known.
const NoMinute = math.MinInt64

func minute(t int64) int64 {
	if t == event.UnknownTime {
		return NoMinute
	}
	m := t / 60e9
	if t < 0 && t%60e9 != 0 {
		m--
	}
	return m
}

// A count is kept as a key, which sorts as its fields do, and a value.
//
//	key:   by, client, 0, what, account, 0, channel, 0, source (4), minute (8, sign flipped)
//	       by, account, 0, what, client, 0, …                       when filed by account
type countValue struct {
	n     int64
	first Position
}

func (v *countValue) add(w countValue) {
	v.n += w.n
	if w.first.before(v.first) {
		v.first = w.first
	}
}

// maxText bounds what of an address or account is counted; longer ones are no addresses or accounts.
const maxText = 256

// appendText appends the text of a key: in lower case where fold is set, and without zero bytes, which end it.
func appendText(key, text []byte, fold bool) []byte {
	for _, c := range text[:min(len(text), maxText)] {
		if fold && 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == 0 {
			c = ' '
		}
		key = append(key, c)
	}
	return append(key, 0)
}

func appendKey(key []byte, by By, what What, client, account []byte, channel string, source int, min int64) []byte {
	key = append(key, byte(by))
	if by == ByAccount {
		key = appendText(key, account, true)
		key = append(key, byte(what))
		key = appendText(key, client, false)
	} else {
		key = appendText(key, client, false)
		key = append(key, byte(what))
		key = appendText(key, account, true)
	}
	key = append(key, channel...)
	key = append(key, 0)
	key = binary.BigEndian.AppendUint32(key, uint32(source))
	return binary.BigEndian.AppendUint64(key, uint64(min)^1<<63)
}

// decodeCount reads back what appendKey wrote.
func decodeCount(key []byte, v countValue) Count {
	c := Count{By: By(key[0]), N: v.n, First: v.first}
	rest := key[1:]
	text := func() string {
		for i, b := range rest {
			if b == 0 {
				s := string(rest[:i])
				rest = rest[i+1:]
				return s
			}
		}
		return ""
	}
	a := text()
	c.What, rest = What(rest[0]), rest[1:]
	b := text()
	c.Client, c.Account = a, b
	if c.By == ByAccount {
		c.Client, c.Account = b, a
	}
	c.Channel = text()
	c.Source = int(binary.BigEndian.Uint32(rest))
	c.Minute = int64(binary.BigEndian.Uint64(rest[4:]) ^ 1<<63)
	return c
}
