// Package fields reads the event of a finding for outputs that are made of text.
package fields

import (
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// Each calls yield with name and value of each field of a JSON object, in order, until it returns false. The slices are
// views: name is the inside of a JSON string, value is JSON. It stops at what is not JSON.
func Each(object []byte, yield func(name, value []byte) bool) {
	i := skip(object, 0)
	if i >= len(object) || object[i] != '{' {
		return
	}
	for i++; ; {
		i = skip(object, i)
		if i >= len(object) || object[i] != '"' {
			return
		}
		n := event.JSONLen(object[i:])
		if n < 2 {
			return
		}
		name := object[i+1 : i+n-1]
		i = skip(object, i+n)
		if i >= len(object) || object[i] != ':' {
			return
		}
		i = skip(object, i+1)
		if i >= len(object) {
			return
		}
		n = event.JSONLen(object[i:])
		if !yield(name, object[i:i+n]) {
			return
		}
		i = skip(object, i+n)
		if i >= len(object) || object[i] != ',' {
			return
		}
		i++
	}
}

func skip(p []byte, i int) int {
	for i < len(p) && p[i] <= ' ' {
		i++
	}
	return i
}

// AppendMessage appends the event as one line for people, name=value name=value, at most about limit bytes of it.
// Empty fields are left out.
func AppendMessage(dst, object []byte, limit int) []byte {
	start := len(dst)
	var plain []byte
	Each(object, func(name, value []byte) bool {
		plain = event.JSONValue(value).AppendText(plain[:0])
		if len(plain) == 0 || len(plain) == 1 && plain[0] == '-' {
			return true
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(append(dst, name...), '=')
		cut := len(dst)-start+len(plain) > limit
		if cut {
			plain = Cut(plain, max(limit-(len(dst)-start), 16))
		}
		dst = event.AppendVisible(dst, plain)
		if cut {
			dst = append(dst, "…"...)
		}
		return !cut && len(dst)-start < limit
	})
	return dst
}

// Cut returns at most n bytes of p and does not cut a character in two.
func Cut(p []byte, n int) []byte {
	if len(p) <= n {
		return p
	}
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(p[n]); i++ {
		n--
	}
	return p[:n]
}
