package evtxtest

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Event is an event as a provider would write it.
type Event struct {
	Provider     string
	ProviderGUID GUID // left out if zero
	Channel      string
	Computer     string
	ID           uint16
	Version      uint8
	Level        uint8
	Task         uint16
	Opcode       uint8
	Keywords     uint64
	Time         time.Time
	RecordID     uint64 // 0: one more than the event before, from 1
	ProcessID    uint32
	ThreadID     uint32
	UserID       SID  // left out if empty
	ActivityID   GUID // left out if zero

	// Data is what the event says: Data elements with names, or without where Name is empty, in EventData.
	Data []Field
	// UserData, if not empty, is the name of the element in UserData that holds Data as elements instead.
	UserData string
}

// Field is a name and a value that ValueOf knows.
type Field struct {
	Name  string
	Value any
}

// Writer turns events into what Chunk takes. Events of equal provider, channel and names share their templates.
type Writer struct {
	templates map[string]*Template
	lastID    uint64
}

// NewWriter returns a Writer for one file.
func NewWriter() *Writer { return &Writer{templates: make(map[string]*Template)} }

// File returns a log of the events, in their order. It panics if one of them is too large for a chunk.
func File(events []Event) []byte {
	w := NewWriter()
	var chunks [][]byte
	c := NewChunk()
	for i := range events {
		id, content := w.Content(&events[i])
		if c.Record(id, events[i].Time, content) {
			continue
		}
		chunks = append(chunks, c.Bytes())
		if c = NewChunk(); !c.Record(id, events[i].Time, content) {
			panic("evtxtest: event too large for a chunk")
		}
	}
	return Wrap(append(chunks, c.Bytes()), w.lastID+1)
}

// Content returns the identifier and the content of the record that e becomes.
func (w *Writer) Content(e *Event) (id uint64, content Instance) {
	if w.lastID++; e.RecordID != 0 {
		w.lastID = e.RecordID
	}
	optional := func(present bool, v any) Value {
		if !present {
			return Null()
		}
		return ValueOf(v)
	}
	payload := Null()
	if len(e.Data) > 0 {
		var values []Value
		for _, f := range e.Data {
			values = append(values, ValueOf(f.Value))
		}
		payload = Nested(Instance{w.payload(e), values})
	}
	return w.lastID, Instance{w.system(e), []Value{
		ValueOf(e.Level), ValueOf(e.Opcode), ValueOf(e.Task), ValueOf(e.ID), Null(), ValueOf(Hex64(e.Keywords)),
		ValueOf(e.Time), optional(e.ActivityID != GUID{}, e.ActivityID), ValueOf(e.ProcessID), ValueOf(e.ThreadID),
		ValueOf(w.lastID), ValueOf(e.Version), optional(e.UserID != "", e.UserID), payload,
	}}
}

// template returns the template kept under key, which make makes the first time.
func (w *Writer) template(key string, make func() Element) *Template {
	t := w.templates[key]
	if t == nil {
		t = &Template{Root: make()}
		sum := sha256.Sum256([]byte(key))
		copy(t.GUID[:], sum[:])
		w.templates[key] = t
	}
	return t
}

func (w *Writer) system(e *Event) *Template {
	key := fmt.Sprintf("system %q %x %q %q", e.Provider, e.ProviderGUID, e.Channel, e.Computer)
	return w.template(key, func() Element {
		el := func(name string, content ...any) Element { return Element{Name: name, Content: content} }
		at := func(name string, content ...any) Attr { return Attr{Name: name, Content: content} }
		provider := []Attr{at("Name", e.Provider)}
		if (e.ProviderGUID != GUID{}) {
			g := e.ProviderGUID
			provider = append(provider, at("Guid", fmt.Sprintf("{%x-%x-%x-%x-%x}",
				[]byte{g[3], g[2], g[1], g[0]}, []byte{g[5], g[4]}, []byte{g[7], g[6]}, g[8:10], g[10:])))
		}
		return Element{
			Name:  "Event",
			Attrs: []Attr{at("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")},
			Content: []any{
				el("System",
					Element{Name: "Provider", Attrs: provider},
					Element{Name: "EventID", Attrs: []Attr{at("Qualifiers", Optional(4))}, Content: []any{Subst(3)}},
					el("Version", Optional(11)), el("Level", Optional(0)), el("Task", Optional(2)),
					el("Opcode", Optional(1)), el("Keywords", Optional(5)),
					Element{Name: "TimeCreated", Attrs: []Attr{at("SystemTime", Optional(6))}},
					el("EventRecordID", Optional(10)),
					Element{Name: "Correlation", Attrs: []Attr{at("ActivityID", Optional(7))}},
					Element{Name: "Execution", Attrs: []Attr{at("ProcessID", Optional(8)), at("ThreadID", Optional(9))}},
					el("Channel", e.Channel), el("Computer", e.Computer),
					Element{Name: "Security", Attrs: []Attr{at("UserID", Optional(12))}},
				),
				Optional(13),
			},
		}
	})
}

func (w *Writer) payload(e *Event) *Template {
	key := fmt.Sprintf("payload %q %d %q", e.Provider, e.ID, e.UserData)
	for _, f := range e.Data {
		key += fmt.Sprintf(" %q", f.Name)
	}
	return w.template(key, func() Element {
		root := Element{Name: "EventData"}
		if e.UserData != "" {
			root.Name = e.UserData
		}
		for i, f := range e.Data {
			el := Element{Name: "Data", Content: []any{Subst(i)}}
			switch {
			case e.UserData != "":
				el.Name = f.Name
			case f.Name != "":
				el.Attrs = []Attr{{Name: "Name", Content: []any{f.Name}}}
			}
			root.Content = append(root.Content, el)
		}
		if e.UserData != "" {
			root = Element{Name: "UserData", Content: []any{root}}
		}
		return root
	})
}
