package detect

import (
	"fmt"
	"math"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
)

// AppendFields appends the fields of an event as one JSON object, each under its own name and under the aliases that no
// other field answers to. Absent fields are left out. Lists become arrays; numbers stay numbers where their text is one in JSON.
func AppendFields(dst []byte, e *event.Event) []byte {
	return appendFields(dst, e, nil, math.MaxInt)
}

// appendFields is AppendFields with values cut at so many bytes. keys are those of the Shape, or nil.
func appendFields(dst []byte, e *event.Event, keys []fieldKeys, most int) []byte {
	dst = append(dst, '{')
	first := true
	fields := e.Shape.Fields()
	for i := range fields {
		v := e.Value(i)
		if v.IsAbsent() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var k fieldKeys
		if keys != nil {
			k = keys[i]
			dst = append(dst, k.name...)
		} else {
			dst = append(event.AppendString(dst, fields[i].Name), ':')
		}
		valueAt := len(dst)
		dst = appendValue(dst, v, most)
		valueEnd := len(dst)
		if keys != nil {
			for _, a := range k.aliases {
				dst = append(dst, a...)
				dst = append(dst, dst[valueAt:valueEnd]...)
			}
			continue
		}
		for _, a := range fields[i].Aliases {
			if isAlone(e.Shape, a) {
				dst = append(event.AppendString(append(dst, ','), a), ':')
				dst = append(dst, dst[valueAt:valueEnd]...)
			}
		}
	}
	return append(dst, '}')
}

// isAlone reports whether one field only answers to an alias.
func isAlone(s *event.Shape, alias string) bool { return len(s.Slots(alias)) == 1 }

// fieldKeys are the names of a field as keys of a JSON object: "name": and ,"alias":
type fieldKeys struct {
	name    []byte
	aliases [][]byte
}

// shapeKeys remembers the keys of Shapes.
type shapeKeys map[*event.Shape][]fieldKeys

// maxShapeKeys bounds what is kept for shapes that evidence may invent without end.
const maxShapeKeys = 1024

func (k *shapeKeys) of(s *event.Shape) []fieldKeys {
	keys, ok := (*k)[s]
	if ok {
		return keys
	}
	keys = make([]fieldKeys, len(s.Fields()))
	for i, f := range s.Fields() {
		keys[i].name = append(event.AppendString(nil, f.Name), ':')
		for _, a := range f.Aliases {
			if isAlone(s, a) {
				keys[i].aliases = append(keys[i].aliases, append(event.AppendString([]byte{','}, a), ':'))
			}
		}
	}
	if *k == nil || len(*k) >= maxShapeKeys {
		*k = shapeKeys{}
	}
	(*k)[s] = keys
	return keys
}

func appendValue(dst []byte, v event.Value, most int) []byte {
	switch {
	case v.Kind == event.Null:
		return append(dst, "null"...)
	case v.IsList():
		dst = append(dst, '[')
		for i, n := 0, 0; ; n++ {
			e, next, ok := v.Elem(i)
			if !ok {
				return append(dst, ']')
			}
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = appendScalar(dst, e, most)
			i = next
		}
	}
	return appendScalar(dst, v, most)
}

func appendScalar(dst []byte, v event.Value, most int) []byte {
	switch {
	case v.Kind == event.Null:
		return append(dst, "null"...)
	case v.Kind == event.Number && isJSONNumber(v.Data),
		v.Kind >= event.Kind(evtx.Int8Type) && v.Kind <= event.Kind(evtx.UInt64Type) && len(v.Data) > 0 && len(v.Data) <= 8:
		return v.AppendText(dst)
	}
	start := len(dst) + 1
	dst = append(dst, '"')
	dst = v.AppendText(dst)
	if n := len(dst) - start; n > most {
		dst = fmt.Appendf(dst[:start+most], "… (cut: %d bytes)", n)
	}
	return endString(dst, start)
}

// endString makes of the text that was written from start on, where a JSON string has begun, that string.
func endString(dst []byte, start int) []byte {
	escapes := 0 // quotes and backslashes
	for _, c := range dst[start:] {
		if c < 0x20 || c >= 0x7F {
			text := string(dst[start:])
			return event.AppendString(dst[:start-1], text)
		}
		if c == '"' || c == '\\' {
			escapes++
		}
	}
	if escapes == 0 {
		return append(dst, '"')
	}
	end := len(dst)
	for range escapes {
		dst = append(dst, 0)
	}
	for i, j := end-1, len(dst)-1; i < j; i, j = i-1, j-1 {
		dst[j] = dst[i]
		if dst[i] == '"' || dst[i] == '\\' {
			j--
			dst[j] = '\\'
		}
	}
	return append(dst, '"')
}

func isJSONNumber(p []byte) bool {
	if len(p) > 0 && p[0] == '-' {
		p = p[1:]
	}
	if len(p) == 0 || len(p) > 20 || p[0] == '0' && len(p) > 1 {
		return false
	}
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
