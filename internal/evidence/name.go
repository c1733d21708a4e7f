package evidence

import (
	"fmt"
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"
)

// showName returns a name as it is shown: valid UTF-8 in which U+FFFD stands for characters that would hide something.
func showName(name string) string {
	if utf8.ValidString(name) && strings.IndexFunc(name, hidden) < 0 {
		return name
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
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

// maxName is the most bytes of an entry's name that are shown.
const maxName = 4 << 10

// entryPath returns the path of an entry of the archive at path. The name is only ever shown, yet one that would lead out of a
// folder is put right and noted: it was made to harm somebody.
//
// A name that the archive has used before gets a number, so that no two streams have one path.
func (w *Walker) entryPath(n *node, name string) string {
	clean, bad := cleanEntry(name)
	full := n.path + "!" + clean
	if n.names == nil {
		n.names = map[uint64]int{}
	}
	key := maphash.String(w.seed, clean)
	n.names[key]++
	if again := n.names[key]; again > 1 {
		full = fmt.Sprintf("%s#%d", full, again)
		w.note(full, "the archive holds several entries of this name")
	}
	if bad != "" {
		w.note(full, fmt.Sprintf("the archive calls it %+q, %s", cut(name, 200), bad))
	}
	return full
}

// cleanEntry returns the name of an entry with '/' between folders, without what leads elsewhere, and what is wrong with it.
func cleanEntry(name string) (clean, bad string) {
	if len(name) > maxName {
		name, bad = cut(name, maxName), "which is too long"
	}
	shown := showName(name)
	if strings.IndexFunc(name, hidden) >= 0 {
		bad = "with characters that hide something"
	}
	shown = strings.ReplaceAll(shown, `\`, "/")
	if strings.HasPrefix(shown, "/") || len(shown) > 1 && shown[1] == ':' && isLetter(shown[0]) {
		bad = "an absolute path"
	}
	parts := strings.Split(shown, "/")
	kept := parts[:0]
	for _, p := range parts {
		switch p {
		case "", ".":
		case "..":
			bad = "which leads out of its folder"
		default:
			kept = append(kept, p)
		}
	}
	clean = strings.Join(kept, "/")
	if clean == "" {
		clean, bad = "(no name)", "which is no name"
	}
	return clean, bad
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
