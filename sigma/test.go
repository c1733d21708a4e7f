package sigma

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
	"unsafe"

	"github.com/barid-dfir/barid/internal/literal"
)

// op is what a test asks of a value.
type op uint8

const (
	opEqual    op = iota // the text is this
	opPrefix             // begins with this
	opSuffix             // ends with this
	opContains           // has this in it
	opLike               // fits a pattern with wildcards inside
	opAnyText            // is there, with a value
	opEmpty              // is there, and empty or without a value
	opRegex
	opNumber
	opNetwork
	opField   // compares with another field
	opNull    // is absent or without a value
	opExists  // is there
	opMissing // is not there
)

// test is one question about one field.
type test struct {
	field   string // "" for keywords
	op      op
	cased   bool
	literal string  // folded unless cased
	like    pattern // folded unless cased
	regex   *regex
	shown   string // the value as the rule has it
	*special
}

// special is what only few tests have: those of opNumber, opNetwork and opField.
type special struct {
	number  numeral
	compare string // eq, lt, lte, gt, gte
	part    timePart
	network netip.Prefix
	other   string // of opField: the field to compare with, and how
	how     op
}

// stringTest returns the test that a Sigma string asks for.
func stringTest(p pattern, cased bool) *test {
	if !cased {
		p = p.mapText(literal.FoldString)
	}
	t := &test{cased: cased}
	switch {
	case len(p) == 0:
		t.op = opEmpty
	case len(p) == 1 && p[0].kind == star:
		t.op = opAnyText
	case len(p) == 1 && p[0].kind == text:
		t.op, t.literal = opEqual, p[0].text
	case len(p) == 2 && p[0].kind == text && p[1].kind == star:
		t.op, t.literal = opPrefix, p[0].text
	case len(p) == 2 && p[0].kind == star && p[1].kind == text:
		t.op, t.literal = opSuffix, p[1].text
	case len(p) == 3 && p[0].kind == star && p[1].kind == text && p[2].kind == star:
		t.op, t.literal = opContains, p[1].text
	default:
		t.op, t.like = opLike, p
	}
	return t
}

// onText reports whether the test asks about the text of a value, one value at a time.
func (t *test) onText() bool { return t.op <= opNetwork && t.op != opEmpty }

// matches reports whether a test on text is true of a value. raw is its text and folded its folded text.
func (t *test) matches(raw, folded []byte) bool {
	s := folded
	if t.cased {
		s = raw
	}
	switch t.op {
	case opEqual:
		return string(s) == t.literal
	case opPrefix:
		return len(s) >= len(t.literal) && string(s[:len(t.literal)]) == t.literal
	case opSuffix:
		return len(s) >= len(t.literal) && string(s[len(s)-len(t.literal):]) == t.literal
	case opContains:
		return bytes.Contains(s, unsafeBytes(t.literal))
	case opLike:
		return t.like.matches(s)
	case opAnyText:
		return true
	case opRegex:
		return t.regex.match(raw, folded)
	case opNumber:
		return t.matchesNumber(raw)
	case opNetwork:
		addr, ok := parseAddr(raw)
		return ok && t.network.Contains(addr)
	}
	return false
}

// unsafeBytes returns the bytes of s, not to be written.
func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// unsafeString returns p as a string that must not outlive p.
func unsafeString(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// matches reports whether all of s fits the pattern. Every star takes as little as it can, so the time is at most the
// length of s times that of the pattern.
func (p pattern) matches(s []byte) bool {
	// What stands before the first star must fit at the start.
	i := 0
	for ; i < len(p) && p[i].kind != star; i++ {
		n, ok := p[i].fits(s)
		if !ok {
			return false
		}
		s = s[n:]
	}
	if i == len(p) {
		return len(s) == 0
	}
	for i < len(p) {
		i++ // the star
		end := i
		for end < len(p) && p[end].kind != star {
			end++
		}
		part := p[i:end]
		if end == len(p) {
			return part.fitsEnd(s)
		}
		n, ok := part.find(s)
		if !ok {
			return false
		}
		s, i = s[n:], end
	}
	return true
}

// fits reports whether s begins with the piece, which is no star, and how long that beginning is.
func (e piece) fits(s []byte) (int, bool) {
	if e.kind == text {
		return len(e.text), len(s) >= len(e.text) && string(s[:len(e.text)]) == e.text
	}
	r, n := utf8.DecodeRune(s)
	return n, n > 0 && (e.kind == mark || isDash(r))
}

// fits reports whether s begins with a part without stars, and how long that beginning is.
func (p pattern) fits(s []byte) (int, bool) {
	at := 0
	for _, e := range p {
		n, ok := e.fits(s[at:])
		if !ok {
			return 0, false
		}
		at += n
	}
	return at, true
}

// find returns the end of the first place in s where a part without stars fits.
func (p pattern) find(s []byte) (int, bool) {
	if len(p) == 0 {
		return 0, true
	}
	for at := 0; at <= len(s); {
		if p[0].kind == text {
			i := bytes.Index(s[at:], unsafeBytes(p[0].text))
			if i < 0 {
				return 0, false
			}
			at += i
		}
		if n, ok := p.fits(s[at:]); ok {
			return at + n, true
		}
		_, n := utf8.DecodeRune(s[at:])
		at += max(n, 1)
	}
	return 0, false
}

// fitsEnd reports whether a part without stars fits at the end of s.
func (p pattern) fitsEnd(s []byte) bool {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].kind == text {
			if !bytes.HasSuffix(s, unsafeBytes(p[i].text)) {
				return false
			}
			s = s[:len(s)-len(p[i].text)]
			continue
		}
		r, n := utf8.DecodeLastRune(s)
		if n == 0 || p[i].kind == dash && !isDash(r) {
			return false
		}
		s = s[:len(s)-n]
	}
	return true
}

// parseAddr reads an address, alone or with brackets, port or zone.
func parseAddr(p []byte) (netip.Addr, bool) {
	p = bytes.TrimSpace(p)
	if len(p) > 0 && p[0] == '[' {
		end := bytes.IndexByte(p, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		p = p[1:end]
	}
	colons, dots := 0, 0
	for i, c := range p {
		switch {
		case c == ':':
			colons++
		case c == '.':
			dots++
		case c == '%' && colons > 1:
			p = p[:i]
		case '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f':
		default:
			return netip.Addr{}, false
		}
		if i+1 >= len(p) {
			break
		}
	}
	if colons == 1 && dots == 3 {
		p = p[:bytes.IndexByte(p, ':')]
	}
	if len(p) < 2 || len(p) > 45 || colons < 2 && dots != 3 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(unsafeString(p))
	return a.Unmap(), err == nil
}
