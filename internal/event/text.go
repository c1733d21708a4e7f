package event

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Hidden reports whether a reader would not see r, or would see its neighbours in another order: control and format
// characters (bidirectional ones among them), line and paragraph separators, fillers, variation selectors and spaces of
// unusual width. Outputs show such a character by its number.
func Hidden(r rune) bool {
	switch {
	case r < 0x7f:
		return r < 0x20
	case r < 0x300:
		return r <= 0x9f || r == 0xad
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x2800, r == 0x3164, r == 0xffa0:
		return true
	case 0x2000 <= r && r <= 0x206f:
		return r <= 0x200f || 0x2028 <= r && r <= 0x202e || r >= 0x205f
	case 0x180b <= r && r <= 0x180f, 0xfe00 <= r && r <= 0xfe0f, 0xe0000 <= r && r <= 0xe0fff, 0xfff0 <= r && r <= 0xfffb:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

const hexDigits = "0123456789abcdef"

// AppendEscape appends r as an escape of JSON: \u202e. U+FFFD stays itself.
func AppendEscape(dst []byte, r rune) []byte {
	if r == utf8.RuneError {
		return utf8.AppendRune(dst, r)
	}
	if r > 0xffff {
		r -= 0x10000
		dst = AppendEscape(dst, 0xd800+r>>10)
		r = 0xdc00 + r&0x3ff
	}
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// AppendString appends s as a JSON string. Hidden characters are escaped and bytes that are no UTF-8 become U+FFFD, so
// that nothing in an output acts on the terminal or editor that shows it.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < 0x7f {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = AppendEscape(dst, rune(c))
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || Hidden(r) {
			dst = append(dst, s[start:i]...)
			dst = AppendEscape(dst, r)
			start = i + n
		}
		i += n
	}
	return append(append(dst, s[start:]...), '"')
}

// Visible returns s as AppendVisible writes it.
func Visible(s string) string {
	if strings.IndexFunc(s, Hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	return string(AppendVisible(nil, s))
}

// AppendVisible appends text with every character that would not show, or would turn its neighbours round, written as
// its number: [U+202E]. Bytes that are not UTF-8 become U+FFFD.
func AppendVisible[T []byte | string](dst []byte, text T) []byte {
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; ' ' <= c && c < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
		if r == utf8.RuneError && n == 1 || Hidden(r) {
			dst = append(dst, text[start:i]...)
			if r == utf8.RuneError {
				dst = utf8.AppendRune(dst, r)
			} else {
				dst = appendNumber(dst, r)
			}
			start = i + n
		}
		i += n
	}
	return append(dst, text[start:]...)
}

// appendNumber appends r as [U+202E].
func appendNumber(dst []byte, r rune) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, "[U+"...)
	for shift := 28; shift >= 0; shift -= 4 {
		if d := r >> shift; d > 0 || shift < 16 {
			dst = append(dst, digits[d&15])
		}
	}
	return append(dst, ']')
}

// AppendTime appends t in UTC as RFC 3339 with three to nine digits of a second: 2021-03-03T06:49:46.210Z.
func AppendTime(dst []byte, t time.Time) []byte {
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000")
	for i := 0; i < 6 && dst[len(dst)-1] == '0'; i++ {
		dst = dst[:len(dst)-1]
	}
	return append(dst, 'Z')
}
