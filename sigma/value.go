package sigma

import (
	"bytes"
	"unicode/utf8"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

const utf16Text = event.Kind(evtx.StringType)

// eachText calls f with each value that v holds and that has a text, until f returns true, and returns what it did last.
func eachText(v event.Value, f func(event.Value) bool) bool {
	if v.IsNull() {
		return false
	}
	if !v.IsList() {
		return f(v)
	}
	for i := 0; ; {
		e, next, ok := v.Elem(i)
		if !ok {
			return false
		}
		if !e.IsNull() && f(e) {
			return true
		}
		i = next
	}
}

// textOf returns the text of a value that is no list, or that is a list inside one and stays as it stands. It is
// appended to dst, or a view of the evidence.
func textOf(dst []byte, v event.Value) []byte {
	if v.Kind == event.UTF8 || v.Kind == event.Number || v.IsList() {
		return v.Data
	}
	return v.AppendText(dst)
}

// appendFolded appends the folded text of a value that is no list, or a list inside one.
func appendFolded(dst []byte, v event.Value, scratch *[]byte) []byte {
	if v.Kind == utf16Text {
		p := v.Data
		if n := len(p) &^ 1; n >= 2 && p[n-1] == 0 && p[n-2] == 0 {
			p = p[:n-2] // a string may carry the NUL that ends it
		}
		return literal.AppendFoldUTF16(dst, p)
	}
	if v.Kind == event.UTF8 || v.Kind == event.Number || v.IsList() {
		return literal.AppendFold(dst, v.Data)
	}
	*scratch = v.AppendText((*scratch)[:0])
	return literal.AppendFold(dst, *scratch)
}

// isTrue reports whether the test is true of an event whose values for the field are in slots. It is the slow way.
func (t *test) isTrue(ev *event.Event, slots []int) bool {
	var scratch []byte
	check := func(v event.Value) bool {
		raw := textOf(nil, v)
		return t.matches(raw, appendFolded(nil, v, &scratch))
	}
	switch {
	case t.op == opField:
		return fieldsCompare(t, ev, slots)
	case t.field == "":
		for i := range ev.Shape.Fields() {
			if eachText(ev.Value(i), check) {
				return true
			}
		}
		return len(ev.Raw) > 0 && rawIsText(ev.Shape) && check(event.Value{Kind: event.UTF8, Data: ev.Raw})
	case !t.onText():
		return t.isThere(ev, slots)
	}
	for _, s := range slots {
		if eachText(ev.Value(s), check) {
			return true
		}
	}
	return false
}

// isThere decides the tests that ask whether a field is there.
func (t *test) isThere(ev *event.Event, slots []int) bool {
	there, value := false, false
	for _, s := range slots {
		v := ev.Value(s)
		if v.IsAbsent() {
			continue
		}
		there = true
		empty := v.Kind == event.Null
		any := eachText(v, func(e event.Value) bool {
			if t.op == opEmpty {
				value = true
				return isEmpty(e)
			}
			return t.op != opNull || !ev.Shape.EmptyIsNull || !isEmpty(e)
		})
		switch {
		case t.op == opEmpty && (any || empty || v.IsList() && hasNull(v)):
			return true
		case t.op != opEmpty && any:
			value = true
		}
	}
	switch t.op {
	case opNull:
		return !value
	case opExists:
		return there
	case opMissing:
		return !there
	}
	return false
}

func hasNull(v event.Value) bool {
	for i := 0; ; {
		e, next, ok := v.Elem(i)
		if !ok {
			return false
		}
		if e.IsNull() {
			return true
		}
		i = next
	}
}

// isEmpty reports whether the text of a value that is no list is empty.
func isEmpty(v event.Value) bool {
	if len(v.Data) == 0 {
		return true
	}
	var few [16]byte // a text may be the NUL that ends it, and half a character
	return len(v.Data) <= 3 && v.Kind < event.UTF8 && len(v.AppendText(few[:0])) == 0
}

// fieldsCompare decides fieldref: whether a value of the field compares with one of the other field.
func fieldsCompare(t *test, ev *event.Event, slots []int) bool {
	var others [][]byte
	for _, s := range ev.Shape.Slots(t.other) {
		eachText(ev.Value(s), func(v event.Value) bool {
			others = append(others, comparand(t, v))
			return false
		})
	}
	for _, s := range slots {
		if eachText(ev.Value(s), func(v event.Value) bool {
			a := comparand(t, v)
			for _, b := range others {
				if t.compares(a, b) {
					return true
				}
			}
			return false
		}) {
			return true
		}
	}
	return false
}

// compares reports whether text a compares with text b of the other field as fieldref asks. Characters are compared: a
// text that was cut off inside of one ends with bytes that others have too.
func (t *test) compares(a, b []byte) bool {
	return t.comparesBytes(a, b) && (t.how == opEqual || utf8.Valid(b) || t.comparesBytes(spelled(a), spelled(b)))
}

func (t *test) comparesBytes(a, b []byte) bool {
	switch t.how {
	case opPrefix:
		return bytes.HasPrefix(a, b)
	case opSuffix:
		return bytes.HasSuffix(a, b)
	case opContains:
		return bytes.Contains(a, b)
	}
	return bytes.Equal(a, b)
}

// spelled returns text with each byte that is not UTF-8 written as if it were a character beyond Unicode, so that its bytes
// are found in no other one.
func spelled(text []byte) []byte {
	var out []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			out = append(out, 0xF4, 0x90, 0x80|text[0]>>6, 0x80|text[0]&0x3F)
		} else {
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}

func comparand(t *test, v event.Value) []byte {
	var scratch []byte
	if t.cased {
		return textOf(nil, v)
	}
	return appendFolded(nil, v, &scratch)
}
