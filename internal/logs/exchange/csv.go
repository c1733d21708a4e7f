package exchange

import (
	"bytes"

	"github.com/barid-dfir/barid/internal/event"
)

// split sets values to the columns of a record. It returns how many columns there are, empty ones past the last name
// not counted, and whether a quoted value is still open at the end.
func (h *header) split(record []byte, values []event.Value, out *event.Batch) (n int, open bool) {
	if h.data >= 0 {
		return h.splitData(record, values, out)
	}
	if bytes.IndexByte(record, '"') < 0 {
		return splitPlain(record, values[:h.columns])
	}
	return splitQuoted(record, values[:h.columns], out)
}

func set(v *event.Value, p []byte) {
	if len(p) == 0 {
		v.Kind = event.Null
		return
	}
	v.Data, v.Kind = p, event.UTF8
}

// splitPlain is split for a record without quotation marks.
func splitPlain(record []byte, values []event.Value) (n int, open bool) {
	for i := range values {
		j := bytes.IndexByte(record, ',')
		if j < 0 {
			set(&values[i], record[:len(record):len(record)])
			return i + 1, false
		}
		set(&values[i], record[:j:j])
		record = record[j+1:]
	}
	return len(values) + extra(record), false
}

// extra returns how many values there are in what follows the last column, unless all are empty.
func extra(rest []byte) int {
	if len(bytes.Trim(rest, ", ")) == 0 {
		return 0
	}
	return bytes.Count(rest, []byte{','}) + 1
}

// splitQuoted is split for a record with quotation marks (RFC 4180, section 2, without its strictness).
func splitQuoted(record []byte, values []event.Value, out *event.Batch) (n int, open bool) {
	for i := range values {
		value, rest, open := cut(record, out)
		set(&values[i], value)
		if open || rest == nil {
			return i + 1, open
		}
		record = rest
	}
	return len(values) + extra(record), false
}

// cut takes the first value off a record. rest is nil after the last one.
func cut(record []byte, out *event.Batch) (value, rest []byte, open bool) {
	if len(record) == 0 || record[0] != '"' {
		i := bytes.IndexByte(record, ',')
		if i < 0 {
			return record[:len(record):len(record)], nil, false
		}
		return record[:i:i], record[i+1:], false
	}
	doubled := 0
	for i := 1; ; {
		j := bytes.IndexByte(record[i:], '"')
		if j < 0 {
			return undouble(record[1:], '"', doubled, out), nil, true
		}
		i += j + 1
		if i < len(record) && record[i] == '"' {
			doubled++
			i++
			continue
		}
		value = undouble(record[1:i-1], '"', doubled, out)
		switch {
		case i == len(record):
			return value, nil, false
		case record[i] == ',':
			return value, record[i+1:], false
		}
		// Something between the closing mark and the comma: the value as it stands.
		k := bytes.IndexByte(record[i:], ',')
		if k < 0 {
			return record[:len(record):len(record)], nil, false
		}
		return record[: i+k : i+k], record[i+k+1:], false
	}
}

// undouble returns p with each of its doubled quotes, n of them at most, written once.
func undouble(p []byte, quote byte, n int, out *event.Batch) []byte {
	p = p[:len(p):len(p)]
	if n == 0 {
		return p
	}
	q := out.Bytes(len(p))[:0]
	for i := 0; i < len(p); i++ {
		q = append(q, p[i])
		if p[i] == quote && i+1 < len(p) && p[i+1] == quote {
			i++
		}
	}
	return q[:len(q):len(q)]
}

// splitData is split for ECP's logs, whose last column takes whatever is left of the line: published excerpts leave out its
// quotation marks, and columns before it.
func (h *header) splitData(record []byte, values []event.Value, out *event.Batch) (n int, open bool) {
	for i := range h.columns {
		if i == h.data || i > 0 && isData(record) {
			value, rest, open := cut(record, out)
			if rest != nil {
				value = record[:len(record):len(record)]
			}
			set(&values[h.data], value)
			return h.columns, open
		}
		value, rest, open := cut(record, out)
		set(&values[i], value)
		if open || rest == nil {
			return i + 1, open
		}
		record = rest
	}
	return h.columns, false
}

// isData reports whether p begins with an item of EventData.
func isData(p []byte) bool {
	if len(p) > 0 && p[0] == '"' {
		p = p[1:]
	}
	if len(p) > 0 && p[0] == '\'' {
		p = p[1:]
	}
	return bytes.HasPrefix(p, []byte("S:"))
}

// splitParts sets values, one for each of parts, to the items of EventData: S:NAME=value, separated by semicolons. An item may
// stand in single quotation marks, which are doubled inside it.
func splitParts(data []byte, values []event.Value, out *event.Batch) {
	for len(data) > 0 {
		var item []byte
		quotes := 0
		if data[0] == '\'' {
			end := len(data)
			for i := 1; i < len(data); i++ {
				if data[i] != '\'' {
					continue
				}
				if i+1 < len(data) && data[i+1] == '\'' {
					quotes++
					i++
					continue
				}
				end = i
				break
			}
			item, data = data[1:end], data[min(end+1, len(data)):]
			if i := bytes.IndexByte(data, ';'); i >= 0 {
				data = data[i+1:]
			} else {
				data = nil
			}
		} else if i := bytes.IndexByte(data, ';'); i >= 0 {
			item, data = data[:i], data[i+1:]
		} else {
			item, data = data, nil
		}
		item, ok := bytes.CutPrefix(item, []byte("S:"))
		if !ok {
			continue
		}
		i := bytes.IndexByte(item, '=')
		if i < 0 {
			continue
		}
		name, value := item[:i], item[i+1:]
		for j := range parts {
			if values[j].Kind == event.None && len(name) == len(parts[j].Name) && bytes.EqualFold(name, []byte(parts[j].Name)) {
				// Exchange marks personal data so.
				if v, ok := bytes.CutPrefix(value, []byte("<PII>")); ok {
					value = bytes.TrimSuffix(v, []byte("</PII>"))
				}
				set(&values[j], undouble(value, '\'', quotes, out))
				break
			}
		}
	}
}
