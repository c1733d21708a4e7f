package windows

import (
	"bytes"
	"html"

	"github.com/barid-dfir/barid/internal/event"
	ljson "github.com/barid-dfir/barid/internal/logs/json"
)

// maxEmbedded is the longest text with an event's data in it that is taken apart.
const maxEmbedded = 1 << 20

// unpack adds the fields that stand in a value to the record, as "EventData.<name>", and reports whether it did:
// the XML of <EventData> as a string (Sentinel), or a list of objects of a name and a text (XML turned into JSON).
func (p *jsonParser) unpack(v event.Value, out *event.Batch) bool {
	if len(v.Data) > maxEmbedded {
		return false
	}
	switch {
	case v.Kind == event.JSON && v.IsList():
		return p.unpackList(v)
	case v.Kind == event.Escape || v.Kind == event.UTF8:
		text := out.Bytes(len(v.Data)) // the text of a JSON string is never longer than the string
		text = v.AppendText(text[:0:len(text)])
		if bytes.HasPrefix(text, []byte("<EventData")) || bytes.HasPrefix(text, []byte("<UserData")) || bytes.HasPrefix(text, []byte("<Data")) {
			return p.unpackXML(text)
		}
	}
	return false
}

func (p *jsonParser) unpackList(v event.Value) bool {
	added := false
	for i := 0; ; {
		elem, next, ok := v.Elem(i)
		if !ok {
			return added
		}
		i = next
		if elem.Kind != event.JSON || elem.Data[0] != '{' {
			continue
		}
		if _, why := p.element.Scan(elem.Data); why != "" {
			continue
		}
		var name, text event.Value
		n := 0
		for _, k := range p.element.Keys {
			if k.Open {
				continue
			}
			w := p.element.Values[n]
			n++
			switch string(k.Name) {
			case "Name", "@Name":
				name = w
			case "#text", "Value", "Text", "content":
				text = w
			}
		}
		if name.Kind == event.UTF8 && len(name.Data) > 0 {
			if text.IsAbsent() {
				text.Kind = event.Null
			}
			p.add(name.Data, text, !added)
			added = true
		}
	}
}

// unpackXML takes the <Data Name="…">…</Data> out of an event's XML. What is not of that form is passed over.
func (p *jsonParser) unpackXML(text []byte) bool {
	added := false
	for len(p.record.Keys) < ljson.MaxFields {
		i := bytes.Index(text, []byte("<Data"))
		if i < 0 {
			break
		}
		text = text[i+len("<Data"):]
		end := bytes.IndexByte(text, '>')
		if end < 0 {
			break
		}
		tag := text[:end]
		text = text[end+1:]
		name := []byte("Data")
		if i := bytes.Index(tag, []byte(`Name="`)); i >= 0 {
			name = tag[i+len(`Name="`):]
			if i = bytes.IndexByte(name, '"'); i < 0 {
				break
			}
			name = name[:i]
		}
		v := event.Value{Kind: event.Null}
		if len(tag) == 0 || tag[len(tag)-1] != '/' {
			end := bytes.IndexByte(text, '<')
			if end < 0 {
				break
			}
			v = event.Value{Data: text[:end:end], Kind: event.UTF8}
			if bytes.IndexByte(v.Data, '&') >= 0 {
				v.Data = []byte(html.UnescapeString(string(v.Data)))
			}
			text = text[end:]
		}
		if len(name) > 0 {
			p.add(name, v, !added)
			added = true
		}
	}
	return added
}

// add adds a field to the record as EventData.<name>; first says that it is the first one.
func (p *jsonParser) add(name []byte, v event.Value, first bool) {
	if first {
		p.record.Open([]byte("EventData"), 0)
	}
	p.record.Add(name, 1, v)
}
