// Package literal finds many literals in one pass over a text, and finds the literals that a regular expression
// cannot match without.
//
// It works on folded text: text in which letters that differ by case only are written alike ([AppendFold]). Text and
// literals are folded by the same functions, so that comparing bytes compares letters.
package literal

import (
	"encoding/binary"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// FoldRune returns the rune that stands for every rune that differs from r by case only, as [unicode.SimpleFold] has
// it: the ASCII lower-case letter where there is one (so the Kelvin sign becomes k), else the smallest.
func FoldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// lowerASCII puts the ASCII letters among eight bytes, none of them above 0x7F, in lower case.
func lowerASCII(x uint64) uint64 {
	above := x + (0x80-'A')*ones // the high bit of each byte that is at least 'A'
	past := x + (0x7F-'Z')*ones  // and of each that is more than 'Z'
	return x | (above&^past&highs)>>2
}

// AppendFold appends text, folded, and returns the longer slice. Bytes that are not UTF-8 stay as they are.
func AppendFold(dst, text []byte) []byte {
	dst = grow(dst, len(text)+8)
	for len(text) >= 8 {
		x := binary.LittleEndian.Uint64(text)
		if x&highs != 0 {
			break
		}
		dst = binary.LittleEndian.AppendUint64(dst, lowerASCII(x))
		text = text[8:]
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			dst = append(dst, c)
			i++
			continue
		}
		dst = utf8.AppendRune(dst, FoldRune(r))
		i += n
		if len(text)-i >= 16 {
			// The ASCII after a foreign letter is worth another fast run.
			for len(text)-i >= 8 {
				x := binary.LittleEndian.Uint64(text[i:])
				if x&highs != 0 {
					break
				}
				dst = binary.LittleEndian.AppendUint64(dst, lowerASCII(x))
				i += 8
			}
		}
	}
	return dst
}

// FoldString returns s, folded.
func FoldString(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	var text, folded [256]byte
	if len(s) <= len(text) {
		return string(AppendFold(folded[:0], text[:copy(text[:], s)]))
	}
	return string(AppendFold(nil, []byte(s)))
}

// AppendFoldUTF16 appends the UTF-16LE text p as folded UTF-8 and returns the longer slice. A surrogate without its
// partner becomes U+FFFD, and so does an odd last byte.
func AppendFoldUTF16(dst, p []byte) []byte {
	dst = grow(dst, len(p)/2+8)
	for len(p) >= 16 {
		// Eight letters become one word, so that a scan right behind finds it written in one piece.
		x, y := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		if (x|y)&0xFF80FF80FF80FF80 != 0 {
			for end := len(p) - 16; len(p) > end; {
				dst, p = appendFoldUnit(dst, p)
			}
			continue
		}
		dst = binary.LittleEndian.AppendUint64(dst, lowerASCII(narrow(x)|narrow(y)<<32))
		p = p[16:]
	}
	for len(p) >= 2 {
		dst, p = appendFoldUnit(dst, p)
	}
	if len(p) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

// narrow puts the low bytes of four 16-bit units below 0x100 next to each other.
func narrow(x uint64) uint64 {
	x = (x | x>>8) & 0x0000FFFF0000FFFF
	return (x | x>>16) & 0xFFFFFFFF
}

// appendFoldUnit appends the character that p, at least two bytes, begins with, and returns what is behind it.
func appendFoldUnit(dst, p []byte) (longer, rest []byte) {
	r := rune(binary.LittleEndian.Uint16(p))
	p = p[2:]
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(dst, byte(r)), p
	}
	if utf16.IsSurrogate(r) {
		low := rune(0)
		if len(p) >= 2 {
			low = rune(binary.LittleEndian.Uint16(p))
		}
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			p = p[2:]
		}
	}
	return utf8.AppendRune(dst, FoldRune(r)), p
}

func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) < n {
		q := make([]byte, len(dst), max(2*cap(dst), len(dst)+n))
		copy(q, dst)
		return q
	}
	return dst
}
