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
	dash                  // any of dashes
	hole                  // a placeholder, named by text
)

// piece is a part of a Sigma string.
type piece struct {
	kind pieceKind
	text string
}

// pattern is a Sigma string: text, and the wildcards in it.
type pattern []piece

// parsePattern reads the wildcards and escapes of a Sigma string (Sigma rules specification 2.1, "Escaping").
func parsePattern(s string) pattern { return parseTemplate(s, false) }

// isPlain reports whether s is a pattern of nothing but itself.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '*', '?':
			return false
		case '\\':
			if i+1 < len(s) && strings.IndexByte(`\*?`, s[i+1]) >= 0 {
				return false
			}
		}
	}
	return true
}

// parseTemplate is parsePattern that also reads placeholders, %name%, if holes is set (Sigma rules specification 2.1,
// "Placeholders").
func parseTemplate(s string, holes bool) pattern {
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
		case c == '\\' && holes && i+1 < len(s) && s[i+1] == '%':
			i++
			run.WriteByte('%')
		case c == '%' && holes && placeholderAt(s[i:]) != "":
			flush()
			name := placeholderAt(s[i:])
			p = append(p, piece{hole, name})
			i += len(name) + 1
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

// join2 returns p and then q. Texts that meet become one, and so do stars.
func join2(p, q pattern) pattern {
	if len(p) == 0 || len(q) == 0 {
		return append(p[:len(p):len(p)], q...)
	}
	last, first := p[len(p)-1], q[0]
	switch {
	case last.kind == text && first.kind == text:
		p = append(p[:len(p)-1:len(p)-1], piece{text, last.text + first.text})
		q = q[1:]
	case last.kind == star && first.kind == star:
		q = q[1:]
	}
	return append(p[:len(p):len(p)], q...)
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

// isDash reports whether r is one of dashes.
func isDash(r rune) bool { return r == '-' || r == '/' || '\u2013' <= r && r <= '\u2015' }

// maxDashes is how many dashes in one value of windash are written out, which multiplies its variants by five each.
const maxDashes = 4

// windash returns p with every dash that begins a flag in each of the five ways to write it. One that comes after a
// letter, digit or underscore, or before anything else, begins no flag.
func (p pattern) windash() []pattern {
	var q pattern
	count := 0
	for _, e := range p {
		if e.kind != text {
			q = append(q, e)
			continue
		}
		from, before := 0, false
		for i, r := range e.text {
			_, size := utf8.DecodeRuneInString(e.text[i:])
			next, _ := utf8.DecodeRuneInString(e.text[i+size:])
			if isDash(r) && !before && i+size < len(e.text) && wordRune(next) {
				if i > from {
					q = append(q, piece{text, e.text[from:i]})
				}
				q = append(q, piece{kind: dash})
				from = i + size
				count++
			}
			before = wordRune(r)
		}
		if from < len(e.text) {
			q = append(q, piece{text, e.text[from:]})
		}
	}
	if count > maxDashes {
		return []pattern{q}
	}
	variants := []pattern{nil}
	for _, e := range q {
		if e.kind != dash {
			for i, v := range variants {
				variants[i] = join2(v, pattern{e})
			}
			continue
		}
		longer := make([]pattern, 0, len(variants)*len(dashes))
		for _, v := range variants {
			for _, d := range dashes {
				longer = append(longer, join2(v, pattern{{text, d}}))
			}
		}
		variants = longer
	}
	return variants
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
