package evtx

import (
	"encoding/binary"
	"unicode/utf8"
)

// The JSON of a record has the structure that evtx_dump made common: attributes under #attributes, text beside
// attributes under #text, Data elements by their Name, a second element of the same name with _1 after it. Integers and
// booleans are bare, everything else is a string; a value that is an array is an array. It is written by a short program
// that its Layout holds: constant text, and what to do with which value.

type opKind uint8

const (
	opRaw    opKind = iota // text
	opKey                  // a comma unless this is the first in its object, then text
	opScalar               // the value of slot, or text if it is empty
	opAttr                 // a comma unless first, text (the key) and the value of slot; nothing if it is empty
	opUnless               // go to op number to if all slots are empty
)

type op struct {
	kind  opKind
	slot  int
	text  []byte
	slots []int
	to    int
}

type jsonBuilder struct {
	off   bool // nothing is to be made
	ops   []op
	lit   []byte
	first firstness
}

// firstness says whether the next key is the first of its object.
type firstness uint8

const (
	yesFirst firstness = iota
	noFirst
	maybeFirst
)

func (j *jsonBuilder) flush() {
	if len(j.lit) > 0 {
		j.ops = append(j.ops, op{kind: opRaw, text: j.lit})
		j.lit = nil
	}
}

func (j *jsonBuilder) emit(o op) int {
	j.flush()
	j.ops = append(j.ops, o)
	return len(j.ops) - 1
}

func (j *jsonBuilder) raw(s string) {
	if !j.off {
		j.lit = append(j.lit, s...)
	}
}

func (j *jsonBuilder) notFirst() { j.first = noFirst }

// open begins an object.
func (j *jsonBuilder) open() {
	j.raw("{")
	j.first = yesFirst
}

func (j *jsonBuilder) key(name string) {
	if j.off {
		return
	}
	text := append(appendJSONString(nil, name), ':')
	switch j.first {
	case maybeFirst:
		j.emit(op{kind: opKey, text: text})
	case noFirst:
		j.raw(",")
		fallthrough
	default:
		j.raw(string(text))
	}
	j.first = noFirst
}

// scalar writes the value of a text that is all there is of its element.
func (j *jsonBuilder) scalar(p part, empty string) {
	if j.off {
		return
	}
	switch {
	case p.slot >= 0:
		j.emit(op{kind: opScalar, slot: p.slot, text: []byte(empty)})
	case p.text == "":
		j.raw(empty)
	default:
		j.raw(string(appendJSONString(nil, p.text)))
	}
	j.first = noFirst
}

// text writes the text of an element that has more than text.
func (j *jsonBuilder) text(p part) { j.member("#text", p) }

// member writes a key and its value, unless that is empty.
func (j *jsonBuilder) member(name string, p part) {
	if j.off {
		return
	}
	switch {
	case p.slot >= 0:
		j.emit(op{kind: opAttr, slot: p.slot, text: append(appendJSONString(nil, name), ':')})
		if j.first == yesFirst {
			j.first = maybeFirst
		}
	case p.text != "":
		j.key(name)
		j.raw(string(appendJSONString(nil, p.text)))
	}
}

// attrs writes #attributes, unless all are empty.
func (j *jsonBuilder) attrs(attrs []attr) {
	if j.off {
		return
	}
	slots, constant := attrSlots(attrs)
	if !constant && len(slots) == 0 {
		return
	}
	before := j.first
	jump := -1
	if !constant {
		jump = j.emit(op{kind: opUnless, slots: slots})
	}
	j.key("#attributes")
	j.open()
	for _, a := range attrs {
		j.member(a.name, a.part)
	}
	j.raw("}")
	j.first = noFirst
	if jump >= 0 {
		j.flush()
		j.ops[jump].to = len(j.ops)
		if before == yesFirst {
			j.first = maybeFirst
		}
	}
}

func attrSlots(attrs []attr) (slots []int, constant bool) {
	for _, a := range attrs {
		if a.slot >= 0 {
			slots = append(slots, a.slot)
		} else if a.text != "" {
			constant = true
		}
	}
	return slots, constant
}

// withAttrs writes an element that has attributes and perhaps text: an object, or only the text if all attributes are empty.
func (j *jsonBuilder) withAttrs(attrs []attr, text part) {
	if j.off {
		return
	}
	slots, constant := attrSlots(attrs)
	if !constant && len(slots) == 0 {
		j.scalar(text, "null")
		return
	}
	plain := -1
	if !constant {
		plain = j.emit(op{kind: opUnless, slots: slots})
	}
	j.raw(`{"#attributes":`)
	j.open()
	for _, a := range attrs {
		j.member(a.name, a.part)
	}
	j.raw("}")
	j.first = noFirst
	j.text(text)
	j.raw("}")
	if plain >= 0 {
		over := j.emit(op{kind: opUnless}) // always taken
		j.ops[plain].to = len(j.ops)
		j.scalar(text, "null")
		j.flush()
		j.ops[over].to = len(j.ops)
	}
	j.first = noFirst
}

// program returns the program that writes records of l as JSON.
func (l *Layout) program() []op {
	l.jsonOnce.Do(func() {
		var j jsonBuilder
		buildLayout(l.node, &j)
		l.json = j.ops
	})
	return l.json
}

// AppendJSON appends the record as one JSON object, {"Event":…}, and returns the longer slice.
func (r *Record) AppendJSON(dst []byte) []byte {
	ops := r.Layout.program()
	for i := 0; i < len(ops); i++ {
		switch o := &ops[i]; o.kind {
		case opRaw:
			dst = append(dst, o.text...)
		case opKey:
			if dst[len(dst)-1] != '{' {
				dst = append(dst, ',')
			}
			dst = append(dst, o.text...)
		case opScalar:
			if v := r.Values[o.slot]; v.IsEmpty() {
				dst = append(dst, o.text...)
			} else {
				dst = v.AppendJSON(dst)
			}
		case opAttr:
			if v := r.Values[o.slot]; !v.IsEmpty() {
				if dst[len(dst)-1] != '{' {
					dst = append(dst, ',')
				}
				dst = v.AppendJSON(append(dst, o.text...))
			}
		case opUnless:
			empty := true
			for _, slot := range o.slots {
				empty = empty && r.Values[slot].IsEmpty()
			}
			if empty {
				i = o.to - 1
			}
		}
	}
	return dst
}

// AppendJSON appends the value as JSON and returns the longer slice: a number, a boolean, a string, an array of
// these for an array of more than one element, or null.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.Type&Array != 0 {
		return v.appendJSONArray(dst)
	}
	switch v.Type {
	case NullType:
		return append(dst, "null"...)
	case StringType:
		dst = appendJSONUTF16(append(dst, '"'), trimNUL16(v.Data))
		return append(dst, '"')
	case Int8Type, UInt8Type, Int16Type, UInt16Type, Int32Type, UInt32Type, Int64Type, UInt64Type:
		if n := len(v.Data); n > 0 && n <= 8 {
			return v.AppendText(dst)
		}
	case BoolType:
		if len(v.Data) > 0 {
			return v.AppendText(dst)
		}
	case AnsiStringType:
		dst = append(dst, '"')
		for _, c := range trimNUL(v.Data) {
			switch {
			case c < 0x80:
				dst = appendJSONByte(dst, c)
			default:
				dst = appendWindows1252(dst, []byte{c})
			}
		}
		return append(dst, '"')
	}
	return append(v.AppendText(append(dst, '"')), '"')
}

func (v Value) appendJSONArray(dst []byte) []byte {
	e, next, ok := v.Elem(0)
	if !ok {
		return append(dst, `""`...)
	}
	second, after, more := v.Elem(next)
	if !more {
		return e.appendJSONElem(dst)
	}
	dst = e.appendJSONElem(append(dst, '['))
	for ; more; second, after, more = v.Elem(after) {
		dst = second.appendJSONElem(append(dst, ','))
	}
	return append(dst, ']')
}

func (v Value) appendJSONElem(dst []byte) []byte {
	if len(v.Data) == 0 {
		return append(dst, `""`...)
	}
	return v.AppendJSON(dst)
}

// plainJSON says which ASCII characters stand for themselves in a JSON string.
var plainJSON = func() (t [128]bool) {
	for c := ' '; c < 128; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func appendJSONByte(dst []byte, c byte) []byte {
	if plainJSON[c&0x7F] {
		return append(dst, c)
	}
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
}

func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		if r < 0x80 {
			dst = appendJSONByte(dst, byte(r))
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

func appendJSONUTF16(dst, p []byte) []byte {
	for len(p) >= 2 {
		if len(p) >= 8 {
			if w := binary.LittleEndian.Uint64(p); w&notASCII16 == 0 {
				c := pack16(w)
				if plainJSON[c&0x7F] && plainJSON[c>>8&0x7F] && plainJSON[c>>16&0x7F] && plainJSON[c>>24&0x7F] {
					dst = binary.LittleEndian.AppendUint32(dst, c)
					p = p[8:]
					continue
				}
			}
		}
		r, n := rune16(p)
		if r < 0x80 {
			dst = appendJSONByte(dst, byte(r))
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		p = p[n:]
	}
	if len(p) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}
