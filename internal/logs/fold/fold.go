// Package fold compares text of logs with words that are written in lower case, whatever the case of the ASCII letters. Nothing is
// allocated.
package fold

// Equal reports whether p is lower.
func Equal(p []byte, lower string) bool {
	if len(p) != len(lower) {
		return false
	}
	for i, c := range p {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// HasPrefix reports whether p begins with lower.
func HasPrefix(p []byte, lower string) bool {
	return len(p) >= len(lower) && Equal(p[:len(lower)], lower)
}

// HasSuffix reports whether p ends with lower.
func HasSuffix(p []byte, lower string) bool {
	return len(p) >= len(lower) && Equal(p[len(p)-len(lower):], lower)
}

// Index returns where lower stands in p first; -1 if nowhere.
func Index(p []byte, lower string) int {
	for i := 0; i+len(lower) <= len(p); i++ {
		if Equal(p[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}
