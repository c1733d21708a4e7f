package evtxtest

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Element is an element of a template or of a fragment without one.
type Element struct {
	Name    string
	Attrs   []Attr
	Content []any // string, CData, Char, Entity, Subst, Optional, Element
}

// Attr is an attribute.
type Attr struct {
	Name    string
	Content []any // string, Char, Entity, Subst, Optional
}

// What can stand in an element besides text and elements.
type (
	Subst    uint16 // the value of that number
	Optional uint16 // the same; it may be null
	CData    string
	Char     uint16 // a character reference
	Entity   string // an entity reference: amp, lt, …
)

// Template is a template definition. A chunk holds it once, where it is used first.
type Template struct {
	GUID [16]byte
	Root Element
}

// Instance is a template and its values: the content of a record, or of a Value of type 0x21.
type Instance struct {
	Template *Template
	Values   []Value
}

// Literal is a fragment without template.
type Literal struct{ Root Element }

// Value is a value of a template: a type of binary XML and bytes, or, for type 0x21, a Fragment (Instance or Literal).
type Value struct {
	Type     byte
	Data     []byte
	Fragment any
}

// Null is a value that is not there.
func Null() Value { return Value{} }

// Nested is a value that is itself binary XML.
func Nested(fragment any) Value { return Value{Type: 0x21, Fragment: fragment} }

// Types that Go has no type for.
type (
	Hex32 uint32
	Hex64 uint64
	ANSI  string // bytes of Windows-1252
	GUID  [16]byte
	SID   string // S-1-5-18
)

// ValueOf returns the value that Windows would write for v.
func ValueOf(v any) Value {
	le := binary.LittleEndian
	switch v := v.(type) {
	case nil:
		return Null()
	case Value:
		return v
	case Instance, Literal:
		return Nested(v)
	case string:
		return Value{Type: 0x01, Data: UTF16(v)}
	case ANSI:
		return Value{Type: 0x02, Data: []byte(v)}
	case int8:
		return Value{Type: 0x03, Data: []byte{byte(v)}}
	case uint8:
		return Value{Type: 0x04, Data: []byte{v}}
	case int16:
		return Value{Type: 0x05, Data: le.AppendUint16(nil, uint16(v))}
	case uint16:
		return Value{Type: 0x06, Data: le.AppendUint16(nil, v)}
	case int32:
		return Value{Type: 0x07, Data: le.AppendUint32(nil, uint32(v))}
	case uint32:
		return Value{Type: 0x08, Data: le.AppendUint32(nil, v)}
	case int64:
		return Value{Type: 0x09, Data: le.AppendUint64(nil, uint64(v))}
	case uint64:
		return Value{Type: 0x0A, Data: le.AppendUint64(nil, v)}
	case float32:
		return Value{Type: 0x0B, Data: le.AppendUint32(nil, math.Float32bits(v))}
	case float64:
		return Value{Type: 0x0C, Data: le.AppendUint64(nil, math.Float64bits(v))}
	case bool:
		n := uint32(0)
		if v {
			n = 1
		}
		return Value{Type: 0x0D, Data: le.AppendUint32(nil, n)}
	case []byte:
		return Value{Type: 0x0E, Data: v}
	case GUID:
		return Value{Type: 0x0F, Data: v[:]}
	case time.Time:
		return Value{Type: 0x11, Data: le.AppendUint64(nil, FileTime(v))}
	case SID:
		return Value{Type: 0x13, Data: v.bytes()}
	case Hex32:
		return Value{Type: 0x14, Data: le.AppendUint32(nil, uint32(v))}
	case Hex64:
		return Value{Type: 0x15, Data: le.AppendUint64(nil, uint64(v))}
	case []string:
		var p []byte
		for _, s := range v {
			p = append(p, UTF16(s+"\x00")...)
		}
		return Value{Type: 0x81, Data: p}
	}
	panic("evtxtest: no value for this type")
}

// UTF16 returns s in UTF-16LE.
func UTF16(s string) []byte {
	var p []byte
	for _, u := range utf16.Encode([]rune(s)) {
		p = binary.LittleEndian.AppendUint16(p, u)
	}
	return p
}

// FileTime returns t in units of 100 ns since 1601.
func FileTime(t time.Time) uint64 {
	return uint64(t.Unix()+11644473600)*10_000_000 + uint64(t.Nanosecond())/100
}

func (s SID) bytes() []byte {
	parts := strings.Split(string(s), "-")
	if len(parts) < 3 || parts[0] != "S" {
		panic("evtxtest: not a SID: " + string(s))
	}
	var n []uint64
	for _, p := range parts[1:] {
		i, err := strconv.ParseUint(p, 10, 48)
		if err != nil {
			panic(err)
		}
		n = append(n, i)
	}
	p := []byte{byte(n[0]), byte(len(n) - 2)}
	p = append(p, binary.BigEndian.AppendUint64(nil, n[1])[2:]...)
	for _, sub := range n[2:] {
		p = binary.LittleEndian.AppendUint32(p, uint32(sub))
	}
	return p
}

func (c *Chunk) u16(n int) { c.buf = binary.LittleEndian.AppendUint16(c.buf, uint16(n)) }
func (c *Chunk) u32(n int) { c.buf = binary.LittleEndian.AppendUint32(c.buf, uint32(n)) }

// hold makes room for a length of 32 bits, and returns what sets it to the number of bytes that follow it.
func (c *Chunk) hold() (set func()) {
	at := len(c.buf)
	c.u32(0)
	return func() { binary.LittleEndian.PutUint32(c.buf[at:], uint32(len(c.buf)-at-4)) }
}

// name writes a reference to a name, and after it the name itself where the chunk does not have it yet.
func (c *Chunk) name(s string) {
	if at, ok := c.names[s]; ok {
		c.u32(at)
		return
	}
	at := len(c.buf) + 4
	c.names[s] = at
	c.u32(at)
	c.u32(0) // no other name with the same hash
	var hash uint32
	text := UTF16(s)
	for i := 0; i < len(text); i += 2 {
		hash = hash*65599 + uint32(binary.LittleEndian.Uint16(text[i:]))
	}
	c.u16(int(hash & 0xFFFF))
	c.u16(len(text) / 2)
	c.buf = append(c.buf, text...)
	c.u16(0)
}

func (c *Chunk) element(e *Element, definition bool) {
	token := byte(0x01)
	if len(e.Attrs) > 0 {
		token = 0x41
	}
	c.buf = append(c.buf, token)
	if definition {
		c.u16(0xFFFF) // depends on no value
	}
	setLength := c.hold()
	c.name(e.Name)
	if len(e.Attrs) > 0 {
		setAttrs := c.hold()
		for i, a := range e.Attrs {
			token := byte(0x06)
			if i < len(e.Attrs)-1 {
				token = 0x46
			}
			c.buf = append(c.buf, token)
			c.name(a.Name)
			c.content(a.Content, definition)
		}
		setAttrs()
	}
	if len(e.Content) == 0 {
		c.buf = append(c.buf, 0x03)
	} else {
		c.buf = append(c.buf, 0x02)
		c.content(e.Content, definition)
		c.buf = append(c.buf, 0x04)
	}
	setLength()
}

func (c *Chunk) content(content []any, definition bool) {
	for _, x := range content {
		switch x := x.(type) {
		case string:
			c.buf = append(c.buf, 0x05, 0x01)
			c.counted(x)
		case CData:
			c.buf = append(c.buf, 0x07)
			c.counted(string(x))
		case Char:
			c.buf = append(c.buf, 0x08)
			c.u16(int(x))
		case Entity:
			c.buf = append(c.buf, 0x09)
			c.name(string(x))
		case Subst:
			c.buf = append(c.buf, 0x0D)
			c.u16(int(x))
			c.buf = append(c.buf, 0x01)
		case Optional:
			c.buf = append(c.buf, 0x0E)
			c.u16(int(x))
			c.buf = append(c.buf, 0x01)
		case Element:
			c.element(&x, definition)
		default:
			panic("evtxtest: nothing that can stand in an element")
		}
	}
}

func (c *Chunk) counted(s string) {
	text := UTF16(s)
	c.u16(len(text) / 2)
	c.buf = append(c.buf, text...)
}

func (c *Chunk) fragment(f any) {
	c.buf = append(c.buf, 0x0F, 1, 1, 0)
	switch f := f.(type) {
	case Literal:
		c.element(&f.Root, false)
		c.buf = append(c.buf, 0)
	case Instance:
		c.instance(f)
	default:
		panic("evtxtest: neither an Instance nor a Literal")
	}
}

func (c *Chunk) instance(in Instance) {
	t := in.Template
	c.buf = append(c.buf, 0x0C, 1)
	c.buf = append(c.buf, t.GUID[:4]...)
	at, known := c.templates[t]
	if !known {
		at = len(c.buf) + 4
		c.templates[t] = at
	}
	c.u32(at)
	if !known {
		c.u32(0)
		c.buf = append(c.buf, t.GUID[:]...)
		set := c.hold()
		c.buf = append(c.buf, 0x0F, 1, 1, 0)
		c.element(&t.Root, true)
		c.buf = append(c.buf, 0)
		set()
	}
	c.u32(len(in.Values))
	table := len(c.buf)
	for _, v := range in.Values {
		c.u16(0)
		c.buf = append(c.buf, v.Type, 0)
	}
	for i, v := range in.Values {
		start := len(c.buf)
		if v.Fragment != nil {
			c.fragment(v.Fragment)
		} else {
			c.buf = append(c.buf, v.Data...)
		}
		binary.LittleEndian.PutUint16(c.buf[table+4*i:], uint16(len(c.buf)-start))
	}
}
