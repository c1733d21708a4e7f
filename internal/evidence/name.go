package evidence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// showName returns the name of a file as it is shown: valid UTF-8 without control characters, each of which is
// replaced by U+FFFD.
func showName(name string) string {
	clean := func(r rune) bool { return r != utf8.RuneError && !hidden(r) }
	if utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !clean(r) }) < 0 {
		return name
	}
	return strings.Map(func(r rune) rune {
		if !clean(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(name, string(utf8.RuneError)))
}

// hidden reports whether a character could make a name look like another: control characters, and those that
// change the direction of text (Unicode Standard Annex 9, section 2).
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
