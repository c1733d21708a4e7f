package detect

import (
	"fmt"
	"math"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
)

// AppendFields appends the fields of an event as one JSON object, each under its own name and under the aliases that no
// other field answers to. Absent fields are left out. Lists become arrays; numbers stay numbers where their text is one in JSON.
func AppendFields(dst []byte, e *event.Event) []byte { return appendFields(dst, e, math.MaxInt) }

// appendFields is AppendFields with values cut at so many bytes.
func appendFields(dst []byte, e *event.Event, most int) []byte {
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
		dst = event.AppendString(dst, fields[i].Name)
		dst = append(dst, ':')
		valueAt := len(dst)
		dst = appendValue(dst, v, most)
		valueEnd := len(dst)
		for _, a := range fields[i].Aliases {
			if len(e.Shape.Slots(a)) != 1 {
				continue // another field answers to it too
			}
			dst = append(dst, ',')
			dst = event.AppendString(dst, a)
			dst = append(dst, ':')
			dst = append(dst, dst[valueAt:valueEnd]...)
		}
	}
	return append(dst, '}')
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
		v.Kind >= event.Kind(evtx.Int8Type) && v.Kind <= event.Kind(evtx.UInt64Type):
		return v.AppendText(dst)
	}
	// The text is written in place and then escaped only where it has to be.
	start := len(dst) + 1
	dst = append(dst, '"')
	dst = v.AppendText(dst)
	if n := len(dst) - start; n > most {
		dst = fmt.Appendf(dst[:start+most], "… (cut: %d bytes)", n)
	}
	if plain(dst[start:]) {
		return append(dst, '"')
	}
	text := string(dst[start:])
	return event.AppendString(dst[:start-1], text)
}

// plain reports whether p needs no escaping inside a JSON string.
func plain(p []byte) bool {
	for _, c := range p {
		if c < 0x20 || c == '"' || c == '\\' || c >= 0x7F {
			return false
		}
	}
	return true
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
