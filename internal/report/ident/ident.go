// Package ident makes identifiers that are the same for the same thing: UUIDs of version 5 (RFC 9562, 5.5).
package ident

import (
	"crypto/sha1"
	"encoding/hex"
)

// UUID is a UUID, in the order of its text.
type UUID [16]byte

// Barid is the namespace of what Barid names: version 5 of https://github.com/barid-dfir/barid in the namespace of URLs.
var Barid = V5(UUID{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}, []byte("https://github.com/barid-dfir/barid"))

// V5 returns the UUID of a name in a namespace.
func V5(namespace UUID, name []byte) UUID {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write(name)
	var u UUID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// String returns the UUID as text, in lower case.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	at := 8
	for i := 4; i < len(u); {
		n := 2
		if i == 10 {
			n = 6
		}
		b[at] = '-'
		hex.Encode(b[at+1:], u[i:i+n])
		at += 1 + 2*n
		i += n
	}
	return string(b[:])
}
