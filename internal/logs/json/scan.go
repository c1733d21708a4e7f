// Package json reads logs that are JSON: lines of objects, arrays of them, and objects one after the other. Its core, a
// scanner of one object into names and undecoded values and a cache of what was built for a sequence of names, serves
// every reader of a log that is written in JSON; its own Format, "json.lines", takes what no other reader knows.
package json

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/barid-dfir/barid/internal/event"
)

// MaxDepth is how deep nested objects are flattened into dotted names. A deeper object stays one value.
const MaxDepth = 16

// MaxFields is the most names that a record is read to. Past it the record is a damaged one.
const MaxFields = 2048

// Key is a name in a record.
type Key struct {
	// Name is the name as it stands between its quotes, escapes included.
	Name []byte
	// Depth is 0 in the record itself, 1 in an object in it, and so on.
	Depth uint8
	// Open marks the name of an object that was flattened: it has no value, the names that follow at Depth+1 are in it.
	Open bool
}

// Record is one object of a log, flattened: {"a":{"b":1},"c":[2]} has the values a.b and c.
// A Record is used again and again; its slices are views into what was scanned.
type Record struct {
	// Keys are the names in the order of the text.
	Keys []Key
	// Values are the values of the keys that are not Open, in their order. An array is one event.JSON value.
	Values []event.Value
}

var seed = maphash.MakeSeed() // of the hashes of one run; nothing that is shown depends on it

// Scan reads the object at the start of p, which begins with '{', and returns its length. Where the text is not a whole
// JSON object, reason says why and n is where; Keys and Values then hold what came before.
//
// Objects and the members of the flattened ones are checked; of what stays one value only quotes and nesting are.
func (r *Record) Scan(p []byte) (n int, reason string) {
	r.Reset()
	if len(p) == 0 || p[0] != '{' {
		return 0, "not a JSON object"
	}
	i, depth := space(p, 1), 0
	if i < len(p) && p[i] == '}' {
		return i + 1, ""
	}
	for {
		if i >= len(p) {
			return i, "object without an end"
		}
		if p[i] != '"' {
			return i, "no name where one is due"
		}
		end, _, why := stringEnd(p, i+1)
		if why != "" {
			return end, why
		}
		name := p[i+1 : end]
		i = space(p, end+1)
		if i >= len(p) || p[i] != ':' {
			return i, "name without a value"
		}
		if i = space(p, i+1); i >= len(p) {
			return i, "name without a value"
		}
		if len(r.Keys) == MaxFields {
			return i, "more fields than are read"
		}
		start := i
		var v event.Value
		switch c := p[i]; {
		case c == '"':
			end, escaped, why := stringEnd(p, i+1)
			if why != "" {
				return end, why
			}
			v = event.Value{Data: p[i+1 : end], Kind: event.UTF8}
			if escaped {
				v.Kind = event.Escape
			}
			i = end + 1
		case c == '{' && depth < MaxDepth:
			j := space(p, i+1)
			if j >= len(p) || p[j] != '}' {
				r.Keys = append(r.Keys, Key{Name: name, Depth: uint8(depth), Open: true})
				depth++
				i = j
				continue
			}
			i = j + 1
			v = event.Value{Data: p[start:i], Kind: event.JSON}
		case c == '{' || c == '[':
			end, why := nestedEnd(p, i)
			if why != "" {
				return end, why
			}
			i = end
			v = event.Value{Data: p[start:i], Kind: event.JSON}
		case c == '-' || '0' <= c && c <= '9':
			for i++; i < len(p) && isNumber[p[i]]; i++ {
			}
			v = event.Value{Data: p[start:i], Kind: event.Number}
		default:
			for i < len(p) && 'a' <= p[i] && p[i] <= 'z' {
				i++
			}
			switch string(p[start:i]) {
			case "null":
				v.Kind = event.Null
			case "true", "false":
				v = event.Value{Data: p[start:i], Kind: event.JSON}
			default:
				return start, "no JSON value where one is due"
			}
		}
		r.Keys = append(r.Keys, Key{Name: name, Depth: uint8(depth)})
		r.Values = append(r.Values, v)
		for {
			if i = space(p, i); i >= len(p) {
				return i, "object without an end"
			}
			if p[i] != '}' {
				break
			}
			i++
			if depth--; depth < 0 {
				return i, ""
			}
		}
		if p[i] != ',' {
			return i, "no comma where one is due"
		}
		i = space(p, i+1)
	}
}

// Reset empties the record, for a reader that fills it itself.
func (r *Record) Reset() { r.Keys, r.Values = r.Keys[:0], r.Values[:0] }

// Open appends an object that a reader derives from the other fields; what is added at depth+1 is in it.
// Depth is at most MaxDepth-1.
func (r *Record) Open(name []byte, depth uint8) {
	r.Keys = append(r.Keys, Key{Name: name, Depth: depth, Open: true})
}

// Add appends a field that a reader derives from the others. Past MaxFields it does nothing.
func (r *Record) Add(name []byte, depth uint8, v event.Value) {
	if len(r.Keys) >= MaxFields {
		return
	}
	r.Keys = append(r.Keys, Key{Name: name, Depth: depth})
	r.Values = append(r.Values, v)
}

// hash returns a hash of the keys.
func (r *Record) hash() (h uint64) {
	for i := range r.Keys {
		k := &r.Keys[i]
		one := maphash.Bytes(seed, k.Name) + uint64(k.Depth)<<1
		if k.Open {
			one++
		}
		h = (bits.RotateLeft64(h, 5) ^ one) * 0x9E3779B97F4A7C15
	}
	return h
}

// Names returns the dotted names of the values, without escapes. It allocates.
func (r *Record) Names() []string {
	names := make([]string, 0, len(r.Values))
	var path []byte
	var ends [MaxDepth + 1]int // length of path that is the prefix at a depth
	for _, k := range r.Keys {
		path = event.Value{Data: k.Name, Kind: event.Escape}.AppendText(path[:ends[k.Depth]])
		if k.Open {
			path = append(path, '.')
			ends[k.Depth+1] = len(path)
			continue
		}
		names = append(names, string(path))
	}
	return names
}

var isNumber = [256]bool{'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true,
	'8': true, '9': true, '+': true, '-': true, '.': true, 'e': true, 'E': true}

// space returns the position of the first byte from i on that is no white space.
func space(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') {
		i++
	}
	return i
}

// stringEnd returns the position of the quote that ends the string whose inside begins at i, and whether there are
// escapes in it. A string with a line end in it is broken: that is how a damaged one is noticed early.
func stringEnd(p []byte, i int) (end int, escaped bool, reason string) {
	for {
		// Eight bytes at a time to the next quote, backslash or control character.
		for i+8 <= len(p) {
			w := binary.LittleEndian.Uint64(p[i:])
			if m := special(w); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				goto found
			}
			i += 8
		}
		for i < len(p) && p[i] != '"' && p[i] != '\\' && p[i] >= ' ' {
			i++
		}
		if i >= len(p) {
			return len(p), escaped, "string without an end"
		}
	found:
		switch p[i] {
		case '"':
			return i, escaped, ""
		case '\\':
			escaped = true
			if i+1 < len(p) && p[i+1] == '\n' {
				return i + 1, escaped, "line end in a string"
			}
			i += 2
		case '\n':
			return i, escaped, "line end in a string"
		default:
			i++
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a word whose lowest set bit is in the first byte of w that is a quote, a backslash or a control
// character; 0 if there is none.
func special(w uint64) uint64 {
	q := w ^ ones*'"'
	b := w ^ ones*'\\'
	return ((q-ones)&^q | (b-ones)&^b | (w-ones*' ')&^w) & highs
}

// nestedEnd returns where the object or array that begins at i ends.
func nestedEnd(p []byte, i int) (end int, reason string) {
	depth := 0
	for ; i < len(p); i++ {
		switch p[i] {
		case '"':
			end, _, why := stringEnd(p, i+1)
			if why != "" {
				return end, why
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, ""
			}
		}
	}
	return len(p), "array or object without an end"
}
