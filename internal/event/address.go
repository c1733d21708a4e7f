package event

import "bytes"

// Address returns an address as logs write it without port, brackets and white space: "203.0.113.9" of
// "203.0.113.9:50123", "2001:db8::1" of "[2001:db8::1]:443". What is no address is returned as it is.
func Address(p []byte) []byte {
	p = bytes.TrimSpace(p)
	if len(p) > 1 && p[0] == '[' {
		if end := bytes.IndexByte(p, ']'); end > 0 {
			return p[1:end]
		}
	}
	if i := bytes.IndexByte(p, ':'); i > 0 && bytes.LastIndexByte(p, ':') == i {
		p = p[:i]
	}
	if bytes.HasPrefix(p, []byte("::ffff:")) && bytes.IndexByte(p, '.') > 0 {
		p = p[len("::ffff:"):]
		if i := bytes.IndexByte(p, ':'); i > 0 {
			p = p[:i]
		}
	}
	return p
}
