package mailboxaudit

import (
	"bytes"
	"unicode/utf8"
)

// tag reads the attributes of a tag, of which p is what follows its name, and calls f for each. It returns what follows the tag, nil if it does
// not end, and whether it has no content.
func tag(p []byte, f func(name, value []byte)) (rest []byte, closed bool) {
	for {
		for len(p) > 0 && space(p[0]) {
			p = p[1:]
		}
		switch {
		case len(p) == 0:
			return nil, false
		case p[0] == '>':
			return p[1:len(p):len(p)], false
		case p[0] == '/' && len(p) > 1 && p[1] == '>':
			return p[2:len(p):len(p)], true
		}
		n := nameLen(p)
		if n == 0 {
			p = p[1:] // what should not be here
			continue
		}
		name, after := p[:n], trimLeft(p[n:])
		if len(after) < 2 || after[0] != '=' {
			p = p[n:]
			continue
		}
		after = trimLeft(after[1:])
		if len(after) == 0 {
			return nil, false
		}
		if after[0] != '"' && after[0] != '\'' {
			p = after
			continue
		}
		end := valueEnd(after[1:], after[0])
		if end < 0 {
			return nil, false
		}
		f(name, after[1:1+end:1+end])
		p = after[end+2:]
	}
}

func trimLeft(p []byte) []byte {
	for len(p) > 0 && space(p[0]) {
		p = p[1:]
	}
	return p
}

// nameLen returns how many bytes at the beginning of p make a name.
func nameLen(p []byte) int {
	n := 0
	for n < len(p) && n < 64 && ('a' <= p[n]|0x20 && p[n]|0x20 <= 'z' || '0' <= p[n] && p[n] <= '9' || p[n] == '_' || p[n] == '-' || p[n] == ':') {
		n++
	}
	return n
}

// valueEnd returns where the value at the beginning of p, which follows its quotation mark, ends: at the first mark behind which another
// attribute or the end of the tag follows; -1 if nowhere.
func valueEnd(p []byte, quote byte) int {
	for i := 0; ; i++ {
		j := bytes.IndexByte(p[i:], quote)
		if j < 0 {
			return -1
		}
		i += j
		after := p[i+1:]
		if len(after) == 0 || after[0] == '>' || after[0] == '/' && len(after) > 1 && after[1] == '>' {
			return i
		}
		blank := blanks(after)
		after = after[blank:]
		if blank == 0 {
			continue
		}
		if len(after) == 0 || after[0] == '>' || after[0] == '/' && len(after) > 1 && after[1] == '>' {
			return i
		}
		n := nameLen(after)
		after = after[n:]
		after = after[blanks(after):]
		if n == 0 || len(after) == 0 || after[0] != '=' {
			continue
		}
		after = after[1:]
		after = after[blanks(after):]
		if len(after) > 0 && (after[0] == '"' || after[0] == '\'') {
			return i
		}
	}
}

// blanks returns how much white space p begins with, up to what anybody writes.
func blanks(p []byte) int {
	n := 0
	for n < len(p) && n < 256 && space(p[n]) {
		n++
	}
	return n
}

// item is a message or folder that a record names.
type item struct {
	id, subject, message, folder []byte
}

// nextItem reads the first item in p, and returns what follows it.
func nextItem(p []byte) (it item, rest []byte, ok bool) {
	for {
		i := bytes.Index(p, []byte("<Item"))
		if i < 0 {
			return item{}, nil, false
		}
		p = p[i+len("<Item"):]
		if len(p) == 0 || !space(p[0]) && !bytes.HasPrefix(p, []byte("Id")) {
			continue // <Items>
		}
		// Published: <ItemId="…" Subject="…" />
		after, _ := tag(p, func(name, value []byte) {
			switch string(name) {
			case "Id", "ItemId":
				it.id = value
			case "Subject", "ItemSubject":
				it.subject = value
			case "InternetMessageId", "ItemInternetMessageId":
				it.message = value
			case "FolderId", "ParentFolderId":
				it.folder = value
			}
		})
		if after == nil {
			return it, nil, len(it.id)+len(it.message) > 0
		}
		return it, after, true
	}
}

// references are the character references that XML has without a declaration.
var references = [...]struct {
	name string
	char byte
}{{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}}

// appendText appends p with its character references read, which makes it no longer. What is no reference stays.
func appendText(dst, p []byte) []byte {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '&')
		if i < 0 {
			return append(dst, p...)
		}
		dst, p = append(dst, p[:i]...), p[i+1:]
		if r, n := numeric(p); n > 0 {
			dst, p = utf8.AppendRune(dst, r), p[n:]
			continue
		}
		known := false
		for _, r := range references {
			if bytes.HasPrefix(p, []byte(r.name)) {
				dst, p, known = append(dst, r.char), p[len(r.name):], true
				break
			}
		}
		if !known {
			dst = append(dst, '&')
		}
	}
	return dst
}

// numeric reads a reference by number, of which p is what follows the ampersand, and returns its length; 0 if it is none.
func numeric(p []byte) (rune, int) {
	if len(p) < 3 || p[0] != '#' {
		return 0, 0
	}
	i, base := 1, rune(10)
	if p[1] == 'x' || p[1] == 'X' {
		i, base = 2, 16
	}
	from, r := i, rune(0)
	for ; i < len(p) && i < from+7; i++ {
		c, d := p[i], rune(-1)
		switch {
		case '0' <= c && c <= '9':
			d = rune(c - '0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		}
		if d < 0 {
			break
		}
		r = r*base + d
	}
	if i == from || i >= len(p) || p[i] != ';' || !utf8.ValidRune(r) || r == 0 {
		return 0, 0
	}
	return r, i + 1
}
