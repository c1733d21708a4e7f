package ident

import "testing"

func TestV5(t *testing.T) {
	dns := UUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	// RFC 9562, A.4.
	if got := V5(dns, []byte("www.example.com")).String(); got != "2ed6657d-e927-568b-95e1-2665a8aea6a2" {
		t.Error(got)
	}
	if dns.String() != "6ba7b810-9dad-11d1-80b4-00c04fd430c8" {
		t.Error(dns)
	}
}
