package evtx

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/evtxtest"
)

// The reference decodes a record by plain recursion over its bytes, without normal form, template or layout, to a tree of
// elements, and the tree to JSON. It is slow and short, and what it gives is what AppendJSON must give.

type refElement struct {
	name    string
	attrs   []refAttr
	content []any // Value (a value), string (literal text), *refElement
}

type refAttr struct {
	name    string
	content []any
}

var errRef = errors.New("cannot be read")

// reference is one reading of a chunk. It panics with errRef.
type reference struct {
	data       []byte
	dependency bool // elements of fragments without template have a dependency identifier
}

func (x *reference) u16(pos int) int {
	if pos < 0 || pos+2 > len(x.data) {
		panic(errRef)
	}
	return int(binary.LittleEndian.Uint16(x.data[pos:]))
}

func (x *reference) u32(pos int) int { return x.u16(pos) | x.u16(pos+2)<<16 }

func (x *reference) utf16(pos, units int) string {
	if pos+2*units > len(x.data) {
		panic(errRef)
	}
	return string(appendUTF16(nil, x.data[pos:pos+2*units]))
}

func (x *reference) name(pos int) (string, int) {
	at := x.u32(pos)
	n := x.u16(at + 6)
	if pos += 4; at == pos {
		pos += 8 + 2*n + 2
	}
	return x.utf16(at+8, n), pos
}

// fragment returns the roots of the binary XML at data[pos:end], nil if there is nothing in it.
func (x *reference) fragment(pos, end int) []any {
	if pos+4 <= end && x.data[pos] == 0x0F {
		pos += 4
	}
	if pos >= end || x.data[pos]&^0x40 == 0 {
		return nil
	}
	if x.data[pos]&^0x40 != 0x0C {
		roots, _ := x.content(pos, end, nil, true, x.dependency)
		return roots
	}
	def := x.u32(pos + 6)
	if pos += 10; def == pos {
		pos += 24 + x.u32(pos+20)
	}
	count := x.u32(pos)
	pos += 4
	at := pos + 4*count
	values := []refValueAt{}
	for i := range count {
		size, typ := x.u16(pos+4*i), Type(x.data[pos+4*i+2])
		if at+size > end {
			panic(errRef)
		}
		values = append(values, refValueAt{at, size, typ})
		at += size
	}
	roots, _ := x.content(def+24, def+24+x.u32(def+20), values, false, true)
	return roots
}

// refValueAt is a value of a template.
type refValueAt struct {
	pos, size int
	typ       Type
}

func (x *reference) value(v refValueAt, inElement bool) []any {
	if inElement && v.typ == BinXMLType && v.size > 0 {
		if roots := x.fragment(v.pos, v.pos+v.size); roots != nil {
			return roots
		}
	}
	return []any{Value{Data: x.data[v.pos : v.pos+v.size], Type: v.typ}}
}

// content returns what stands at data[pos:end] up to the end of the element that it is in.
func (x *reference) content(pos, end int, values []refValueAt, literal, dependency bool) (list []any, next int) {
	for pos < end {
		token := x.data[pos]
		switch token &^ 0x40 {
		case 0x00:
			return list, pos
		case 0x04:
			return list, pos + 1
		case 0x01:
			e := new(refElement)
			pos++
			if dependency {
				pos += 2
			}
			e.name, pos = x.name(pos + 4)
			if token&0x40 != 0 {
				pos += 4
			}
			for x.data[pos]&^0x40 == 0x06 {
				var a refAttr
				a.name, pos = x.name(pos + 1)
				a.content, pos = x.texts(pos, end, values, false)
				e.attrs = append(e.attrs, a)
			}
			for x.data[pos]&^0x40 == 0x0A || x.data[pos]&^0x40 == 0x0B || x.data[pos]&^0x40 == 0x0F {
				var more []any
				more, pos = x.texts(pos, end, values, false)
				if len(e.attrs) > 0 {
					a := &e.attrs[len(e.attrs)-1]
					a.content = append(a.content, more...)
				}
				if x.data[pos]&^0x40 == 0x06 {
					var a refAttr
					a.name, pos = x.name(pos + 1)
					a.content, pos = x.texts(pos, end, values, false)
					e.attrs = append(e.attrs, a)
				}
			}
			if x.data[pos]&^0x40 == 0x03 {
				pos++
			} else {
				e.content, pos = x.content(pos+1, end, values, literal, dependency)
			}
			list = append(list, e)
		default:
			var texts []any
			before := pos
			texts, pos = x.texts(pos, end, values, true)
			if pos == before {
				panic(errRef)
			}
			for i, t := range texts {
				if s, ok := t.(literalText); ok {
					if literal {
						texts[i] = Value{Data: s.raw, Type: StringType}
					} else {
						texts[i] = string(appendUTF16(nil, s.raw))
					}
				}
			}
			list = append(list, texts...)
		}
	}
	return list, pos
}

// literalText is text that becomes a value where there is no template.
type literalText struct{ raw []byte }

// texts returns the run of text and values at pos.
func (x *reference) texts(pos, end int, values []refValueAt, inElement bool) (list []any, next int) {
	for pos < end {
		switch x.data[pos] &^ 0x40 {
		case 0x05, 0x07:
			if x.data[pos]&^0x40 == 0x05 {
				pos++
			}
			n := x.u16(pos + 1)
			x.utf16(pos+3, n)
			list = append(list, literalText{x.data[pos+3 : pos+3+2*n]})
			pos += 3 + 2*n
		case 0x08:
			list = append(list, x.utf16(pos+1, 1))
			pos += 3
		case 0x09:
			var name string
			name, pos = x.name(pos + 1)
			if s, ok := map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}[name]; ok {
				list = append(list, s)
			} else {
				list = append(list, "&"+name+";")
			}
		case 0x0A:
			_, pos = x.name(pos + 1)
		case 0x0B:
			pos += 3 + 2*x.u16(pos+1)
		case 0x0D, 0x0E:
			if n := x.u16(pos + 1); n < len(values) {
				list = append(list, x.value(values[n], inElement)...)
			} else {
				list = append(list, Value{})
			}
			pos += 4
		case 0x0F:
			pos += 4
		default:
			return list, pos
		}
	}
	return list, pos
}

// split returns the text parts and the elements of a content.
func split(content []any) (texts []any, elements []*refElement) {
	for _, c := range content {
		if e, ok := c.(*refElement); ok {
			elements = append(elements, e)
		} else {
			texts = append(texts, c)
		}
	}
	return texts, elements
}

// refText returns the JSON value of a text, and whether it is empty.
func refText(texts []any) (v any, empty bool) {
	var parts []any
	constant := ""
	flush := func() {
		if constant != "" {
			parts = append(parts, constant)
			constant = ""
		}
	}
	for _, t := range texts {
		switch t := t.(type) {
		case literalText:
			constant += string(appendUTF16(nil, t.raw))
		case string:
			constant += t
		default:
			flush()
			parts = append(parts, t)
		}
	}
	flush()
	if len(parts) == 0 {
		return nil, true
	}
	if len(parts) == 1 {
		if s, ok := parts[0].(string); ok {
			return s, false
		}
		return refValue(parts[0].(Value))
	}
	text := ""
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			text += p
		case Value:
			text += string(p.AppendText(nil))
		}
	}
	return text, text == ""
}

func refValue(v Value) (any, bool) {
	if v.IsEmpty() {
		return nil, true
	}
	if v.Type&Array != 0 {
		var list []any
		for i := 0; ; {
			e, next, ok := v.Elem(i)
			if !ok {
				break
			}
			j, empty := refValue(e)
			if empty {
				j = ""
			}
			list, i = append(list, j), next
		}
		if len(list) == 1 {
			return list[0], false
		}
		return list, false
	}
	text := string(v.AppendText(nil))
	switch {
	case v.Type >= Int8Type && v.Type <= UInt64Type && len(v.Data) <= 8:
		return json.Number(text), false
	case v.Type == BoolType:
		return text == "true", false
	}
	return text, false
}

func constantName(e *refElement) string {
	for _, a := range e.attrs {
		if a.name == "Name" && len(a.content) == 1 {
			switch s := a.content[0].(type) {
			case literalText:
				return string(appendUTF16(nil, s.raw))
			case string:
				return s
			}
		}
	}
	return ""
}

func refObject(elements []*refElement, into map[string]any, inData bool) {
	names := make(map[string]int)
	name := func(s string) string {
		names[s]++
		if n := names[s]; n > 1 {
			return s + "_" + strconv.Itoa(n-1)
		}
		return s
	}
	var positional []any
	for _, e := range elements {
		if inData && e.name == "Data" && (constantName(e) != "" || len(e.attrs) == 0) {
			v := refJSON(e, true)
			if short := constantName(e); short != "" {
				into[name(short)] = v
				continue
			}
			if positional = append(positional, v); len(positional) == 1 {
				into["Data"] = map[string]any{"#text": v}
			} else {
				into["Data"] = map[string]any{"#text": positional}
			}
			continue
		}
		into[name(e.name)] = refJSON(e, false)
	}
}

func refJSON(e *refElement, isData bool) any {
	texts, elements := split(e.content)
	text, empty := refText(texts)
	o := make(map[string]any)
	if !isData {
		attrs := make(map[string]any)
		for _, a := range e.attrs {
			if v, empty := refText(a.content); !empty {
				attrs[a.name] = v
			}
		}
		if len(attrs) > 0 {
			o["#attributes"] = attrs
		}
	}
	switch {
	case len(elements) > 0:
		if !empty {
			o["#text"] = text
		}
		refObject(elements, o, !isData && (e.name == "EventData" || e.name == "UserData"))
		return o
	case len(o) > 0:
		if !empty {
			o["#text"] = text
		}
		return o
	case empty && isData:
		return ""
	case empty:
		return nil
	}
	return text
}

// reread returns what the reference makes of a record.
func reread(chunk []byte, r *Record) (trees []any) {
	for _, dependency := range []bool{false, true} {
		func() {
			defer func() { _ = recover() }()
			x := &reference{data: chunk, dependency: dependency}
			_, elements := split(x.fragment(r.Offset+recordHeaderSize, r.Offset+r.Size-4))
			o := make(map[string]any)
			refObject(elements, o, false)
			trees = append(trees, o)
		}()
	}
	return trees
}

type reporter interface {
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// check decodes a chunk and holds it against the accounting and the reference.
func check(t reporter, d *Decoder, chunk []byte) {
	d.Begin(chunk)
	sum, last := 0, 0
	var text []byte
	for r := d.Next(); r != nil; r = d.Next() {
		sum += r.Size
		if r.Offset < last {
			t.Fatalf("record at %d after one that ends at %d", r.Offset, last)
		}
		last = r.Offset + r.Size
		if len(r.Values) != r.Layout.Slots {
			t.Fatalf("%d values, the layout has %d", len(r.Values), r.Layout.Slots)
		}
		for i := range r.Layout.Fields {
			text = r.Value(i).AppendText(text[:0])
		}
		text = r.AppendJSON(text[:0])
		var got any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&got); err != nil || !utf8.Valid(text) {
			t.Fatalf("record at %d: not JSON: %v: %q", r.Offset, err, text)
		}
		agrees := false
		trees := reread(chunk, r)
		for _, tree := range trees {
			agrees = agrees || reflect.DeepEqual(got, tree)
		}
		if !agrees {
			t.Fatalf("record at %d:\ngot  %v\nwant %v", r.Offset, got, trees)
		}
	}
	if n := sum + accounted(d); n != len(chunk) {
		t.Fatalf("%d bytes accounted for, the chunk has %d", n, len(chunk))
	}
}

func TestReferenceAgreesOnEvidence(t *testing.T) {
	d := NewDecoder(NewTemplates())
	for _, archive := range []string{"evtx-attack-samples.zip", "parser-conformance.zip"} {
		for name, file := range unzip(t, ".evtx", "evidence", "windows-evtx", archive) {
			for _, c := range chunks(file) {
				check(t, d, c)
			}
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

func FuzzChunk(f *testing.F) {
	// Small chunks, so that the fuzzer has little to change: the decoder takes a chunk that was cut.
	add := func(content ...any) {
		c := evtxtest.NewChunk()
		for i, x := range content {
			c.Record(uint64(i+1), time.Unix(1614754186, 0), x)
		}
		p := c.Bytes()
		f.Add(p[chunkHeaderSize : binary.LittleEndian.Uint32(p[48:])+8])
	}
	str := func(s string) evtxtest.Value { return evtxtest.ValueOf(s) }
	e := logon("ana", "192.0.2.7")
	_, whole := evtxtest.NewWriter().Content(&e)
	small := &evtxtest.Template{GUID: [16]byte{1, 2, 3, 4}, Root: element("EventData",
		evtxtest.Element{Name: "Data", Attrs: []evtxtest.Attr{{Name: "Name", Content: []any{"A"}}}, Content: []any{evtxtest.Subst(0)}},
		element("Data", evtxtest.Optional(1)), element("Data", "x", evtxtest.Subst(0), evtxtest.Entity("amp"), evtxtest.Char('c')))}
	in := evtxtest.Instance{Template: small, Values: []evtxtest.Value{str("v"), evtxtest.ValueOf([]string{"a", "b"})}}
	add(whole)
	add(in, in)
	add(evtxtest.Literal{Root: element("E", evtxtest.CData("t"), element("F", "u"))})
	add(evtxtest.Instance{Template: templateOf(5, element("E", evtxtest.Subst(0), evtxtest.Subst(0))), Values: []evtxtest.Value{evtxtest.Nested(in)}})
	f.Fuzz(func(t *testing.T, records []byte) {
		chunk := make([]byte, chunkHeaderSize, chunkHeaderSize+len(records))
		copy(chunk, chunkMagic)
		chunk = append(chunk, records...)
		chunk = chunk[:min(len(chunk), ChunkSize)]
		binary.LittleEndian.PutUint32(chunk[48:], uint32(len(chunk)))
		d := NewDecoder(NewTemplates())
		check(t, d, chunk)
		chunk[0] = 0 // without a header all is searched
		check(t, d, chunk)
	})
}
