package casefile

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// appendJSON appends the JSON value p on one line, with the same care as event.AppendString. What is not JSON is kept as
// text under the key "_invalid".
func appendJSON(dst, p []byte) []byte {
	if len(p) == 0 {
		return append(dst, "{}"...)
	}
	if !json.Valid(p) {
		dst = append(dst, `{"_invalid":`...)
		dst = event.AppendString(dst, string(p))
		return append(dst, '}')
	}
	return appendSafe(dst, p, true)
}

// appendSafe copies valid JSON. Whatever is not ASCII stands in a string there, so it can be escaped on sight.
func appendSafe(dst, p []byte, oneLine bool) []byte {
	inString := false
	start := 0
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '"':
			inString = !inString
			i++
		case c == '\\':
			if string(p[i:min(i+6, len(p))]) == `\ufffd` { // what encoding/json makes of a byte that is no UTF-8
				dst = utf8.AppendRune(append(dst, p[start:i]...), utf8.RuneError)
				i += 6
				start = i
				continue
			}
			i += 2
		case c <= ' ' && oneLine && !inString:
			dst = append(dst, p[start:i]...)
			i++
			start = i
		case c == 0x7f:
			dst = event.AppendEscape(append(dst, p[start:i]...), 0x7f)
			i++
			start = i
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(p[i:])
			if r == utf8.RuneError && n == 1 || event.Hidden(r) {
				dst = event.AppendEscape(append(dst, p[start:i]...), r)
				start = i + n
			}
			i += n
		}
	}
	return append(dst, p[start:]...)
}
