package event

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/barid-dfir/barid/evtx"
)

// Kind says how the bytes of a Value are to be read. Kinds below UTF8 are the value types of Windows binary XML
// ([evtx.Type], the same numbers), with [evtx.Array] for its arrays.
type Kind uint8

// The kinds that are not of Windows binary XML.
const (
	None Kind = 0 // the event does not have the field

	UTF8   Kind = 0x40 + iota // text as it stands in the evidence; not necessarily valid UTF-8
	Number                    // a number in decimal text
	Escape                    // the inside of a JSON string that contains escapes
	JSON                      // any other JSON value as it stands: true, {…}; of an array, every element is a value
	Null                      // the field is there and has no value: JSON null, the empty type of binary XML
)

// Value is an undecoded value of an event: a view of the evidence and how to read it.
// The zero Value is an absent one.
type Value struct {
	Data []byte
	Kind Kind
}

// Text returns a UTF8 value of s.
func Text(s string) Value { return Value{Data: []byte(s), Kind: UTF8} }

// IsAbsent reports whether the event lacks the field.
func (v Value) IsAbsent() bool { return v.Kind == None }

// IsNull reports whether there is nothing to compare with: the field is absent, or there without a value.
func (v Value) IsNull() bool { return v.Kind == None || v.Kind == Null }

// IsList reports whether the value holds several values, to be read with Elem.
func (v Value) IsList() bool {
	return v.Kind >= Kind(evtx.Array) || v.Kind == JSON && len(v.Data) > 0 && v.Data[0] == '['
}

// AppendText appends the value as people and rules read it, in UTF-8, and returns the longer slice.
// A list is written as its elements, separated by ", ". An absent or null value adds nothing.
func (v Value) AppendText(dst []byte) []byte {
	switch v.Kind {
	case None, Null:
		return dst
	case UTF8, Number:
		return append(dst, v.Data...)
	case Escape:
		return appendUnescaped(dst, v.Data)
	case Kind(evtx.GUIDType): // as Windows shows it, and rules name it
		if len(v.Data) == 0 {
			return dst
		}
		dst = evtx.Value{Type: evtx.GUIDType, Data: v.Data}.AppendText(append(dst, '{'))
		return append(dst, '}')
	}
	if v.IsList() {
		for i, first := 0, true; ; first = false {
			e, next, ok := v.Elem(i)
			if !ok {
				return dst
			}
			if !first {
				dst = append(dst, ", "...)
			}
			if i = next; e.Kind == JSON { // as it stands: arrays can be nested without end
				dst = append(dst, e.Data...)
			} else {
				dst = e.AppendText(dst)
			}
		}
	}
	if v.Kind == JSON {
		return append(dst, v.Data...)
	}
	return evtx.Value{Type: evtx.Type(v.Kind), Data: v.Data}.AppendText(dst)
}

// String returns the value as text. It allocates: not for the path that every event takes.
func (v Value) String() string { return string(v.AppendText(nil)) }

// Elem returns the element that begins at position i of a list and the position of the next one; begin with 0.
// A value that is no list has one element, itself; an absent or null one has none.
func (v Value) Elem(i int) (e Value, next int, ok bool) {
	if v.IsNull() {
		return Value{}, i, false
	}
	if !v.IsList() {
		return v, len(v.Data) + 1, i == 0
	}
	if v.Kind == JSON {
		return jsonElem(v.Data, i)
	}
	w, next, ok := evtx.Value{Type: evtx.Type(v.Kind), Data: v.Data}.Elem(i)
	return Value{Data: w.Data, Kind: Kind(w.Type)}, next, ok
}

// jsonElem returns the element of the JSON array a that begins at or after i.
func jsonElem(a []byte, i int) (Value, int, bool) {
	if i == 0 {
		i = 1 // the bracket
	}
	for i < len(a) && (a[i] == ',' || a[i] == ' ' || a[i] == '\t' || a[i] == '\n' || a[i] == '\r') {
		i++
	}
	if i >= len(a) || a[i] == ']' {
		return Value{}, i, false
	}
	end := i + JSONLen(a[i:])
	return JSONValue(a[i:end]), end, true
}

// JSONValue returns the value whose JSON text is p, without white space around it.
func JSONValue(p []byte) Value {
	if len(p) == 0 {
		return Value{Kind: Null}
	}
	switch c := p[0]; {
	case c == '"':
		inner := p[1:]
		if n := len(inner); n > 0 && inner[n-1] == '"' {
			inner = inner[:n-1]
		}
		for _, b := range inner {
			if b == '\\' {
				return Value{Data: inner, Kind: Escape}
			}
		}
		return Value{Data: inner, Kind: UTF8}
	case c == '-' || '0' <= c && c <= '9':
		return Value{Data: p, Kind: Number}
	case c == 'n' && string(p) == "null":
		return Value{Kind: Null}
	}
	return Value{Data: p, Kind: JSON}
}

// JSONLen returns the length of the JSON value at the start of p, at most len(p). It trusts nesting and quotes only,
// does not recurse, and returns at least 1 for a p that is not empty.
func JSONLen(p []byte) int {
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '"':
			for i++; i < len(p) && p[i] != '"'; i++ {
				if p[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(p))
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth < 0 {
				return max(i, 1)
			}
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return max(i, 1)
			}
		}
	}
	return len(p)
}

// appendUnescaped appends the inside of a JSON string without its escapes (RFC 8259, section 7). An escape that is
// none is kept as it stands.
func appendUnescaped(dst, p []byte) []byte {
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c != '\\' || i+1 >= len(p) {
			dst = append(dst, c)
			continue
		}
		i++
		switch p[i] {
		case '"', '\\', '/':
			dst = append(dst, p[i])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(p[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(p) && p[i+1] == '\\' && p[i+2] == 'u' {
				if low, ok := hex4(p[i+3:]); ok {
					if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
						r, i = full, i+6
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, '\\', p[i])
		}
	}
	return dst
}

func hex4(p []byte) (rune, bool) {
	if len(p) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p[:4]), 16, 16)
	return rune(n), err == nil
}
