package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// pieceKind is what a piece of a pattern stands for.
type pieceKind uint8

const (
	text pieceKind = iota // itself
	star                  // any characters
	mark                  // one character
)

// piece is a part of a Sigma string.
type piece struct {
	kind pieceKind
	text string
}

// pattern is a Sigma string: text, and the wildcards in it.
type pattern []piece

// parsePattern reads the wildcards and escapes of a Sigma string (Sigma rules specification 2.1, "Escaping").
func parsePattern(s string) pattern {
	var p pattern
	var run strings.Builder
	flush := func() {
		if run.Len() > 0 {
			p = append(p, piece{text, run.String()})
			run.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`\*?`, s[i+1]) >= 0:
			i++
			run.WriteByte(s[i])
		case c == '*':
			flush()
			if len(p) == 0 || p[len(p)-1].kind != star {
				p = append(p, piece{kind: star})
			}
		case c == '?':
			flush()
			p = append(p, piece{kind: mark})
		default:
			run.WriteByte(c)
		}
	}
	flush()
	return p
}

func (p pattern) startsWithStar() bool { return len(p) > 0 && p[0].kind == star }
func (p pattern) endsWithStar() bool   { return len(p) > 0 && p[len(p)-1].kind == star }

func (p pattern) starFirst() pattern {
	if p.startsWithStar() {
		return p
	}
	return append(pattern{{kind: star}}, p...)
}

func (p pattern) starLast() pattern {
	if p.endsWithStar() {
		return p
	}
	return append(p[:len(p):len(p)], piece{kind: star})
}

// plain returns the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].kind == text:
		return p[0].text, true
	}
	return "", false
}

// mapText returns p with f done to each piece of text.
func (p pattern) mapText(f func(string) string) pattern {
	q := make(pattern, len(p))
	for i, e := range p {
		if e.kind == text {
			e.text = f(e.text)
		}
		q[i] = e
	}
	return q
}

// dashes are what Windows programs take for the dash before a flag.
var dashes = [...]string{"-", "/", "\u2013", "\u2014", "\u2015"}

// maxDashes bounds the dashes in one value of windash, each of which multiplies its variants by five.
const maxDashes = 4

// windash returns p with every dash or slash that begins a flag in each of the five ways to write it. One that comes
// after a letter, digit or underscore, or before anything else, begins no flag.
func (p pattern) windash() ([]pattern, bool) {
	variants := []pattern{nil}
	count := 0
	for _, e := range p {
		if e.kind != text {
			for i, v := range variants {
				variants[i] = append(v[:len(v):len(v)], e)
			}
			continue
		}
		texts := []string{""}
		before := false
		for i, r := range e.text {
			size := utf8.RuneLen(r)
			if size < 0 || r == utf8.RuneError {
				_, size = utf8.DecodeRuneInString(e.text[i:])
			}
			next, _ := utf8.DecodeRuneInString(e.text[i+size:])
			if (r == '-' || r == '/') && !before && i+size < len(e.text) && wordRune(next) {
				if count++; count > maxDashes {
					return nil, false
				}
				longer := make([]string, 0, len(texts)*len(dashes))
				for _, t := range texts {
					for _, d := range dashes {
						longer = append(longer, t+d)
					}
				}
				texts = longer
			} else {
				for j := range texts {
					texts[j] += e.text[i : i+size]
				}
			}
			before = wordRune(r)
		}
		longer := make([]pattern, 0, len(variants)*len(texts))
		for _, v := range variants {
			for _, t := range texts {
				longer = append(longer, append(v[:len(v):len(v)], piece{text, t}))
			}
		}
		variants = longer
	}
	return variants, true
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// appendUTF16 appends s in UTF-16.
func appendUTF16(dst []byte, s string, order binary.AppendByteOrder) []byte {
	for _, u := range utf16.Encode([]rune(s)) {
		dst = order.AppendUint16(dst, u)
	}
	return dst
}

// base64Offsets returns what stands of data in a Base64 text, whatever stands before and after data in what was
// encoded: for each of the three positions of its first byte, the characters that depend on data alone.
func base64Offsets(data []byte) []string {
	var out []string
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, shift), data...))
		from := [3]int{0, 2, 3}[shift]
		to := len(enc) - [3]int{0, 3, 2}[(len(data)+shift)%3]
		if from < to {
			out = append(out, enc[from:to])
		}
	}
	return out
}
