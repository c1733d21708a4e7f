package logsource

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// Windows is what the table says of Windows events.
type Windows struct {
	services map[string]*service
	order    []*service
	channels map[string][]*service // by channel in lower case
	events   map[eventKey]*eventRows
	// collectors are the fields that collectors write beside those of any event.
	collectors []string
}

// service is a name for some channels.
type service struct {
	key                     string // what the table calls it
	product, category, name string
	channels                []string
	path                    string
	line                    int
}

func (s *service) source() event.LogSource {
	return event.LogSource{Product: s.product, Category: s.category, Service: s.name}
}

// anyEvent stands for all events of a service.
const anyEvent = -1

type eventKey struct {
	service *service
	id      int
}

// eventRows are the rows about an event.
type eventRows struct {
	categories []categoryRow
	aliases    []*Row
	fields     []string // all that it can have; nil if that is not known
}

type categoryRow struct {
	eventType string // "" for any
	sources   []event.LogSource
}

func (w *Windows) event(k eventKey) *eventRows {
	e := w.events[k]
	if e == nil {
		e = &eventRows{}
		w.events[k] = e
	}
	return e
}

// addRows adds to the rows of t those that services make.
func (w *Windows) addRows(t *Table) {
	for _, s := range w.order {
		row := &Row{Path: s.path, Line: s.line, Format: windowsFormats, When: []Condition{{channelField, s.channels}}, Sources: []event.LogSource{s.source()}, compact: true}
		row.tests = []test{newTest(row.When[0])}
		t.rows = append(t.rows, row)
	}
}

// Service returns what the table calls a channel, "" if it has no word for it.
func (w *Windows) Service(channel string) string {
	if of := w.channels[strings.ToLower(channel)]; len(of) > 0 {
		return of[0].key
	}
	return ""
}

// NeedsEventType reports whether the log sources of an event depend on the value of its EventType field.
func (w *Windows) NeedsEventType(channel string, id int) bool {
	for _, s := range w.channels[strings.ToLower(channel)] {
		if e := w.events[eventKey{s, id}]; e != nil && slices.ContainsFunc(e.categories, func(c categoryRow) bool { return c.eventType != "" }) {
			return true
		}
	}
	return false
}

// Sources returns the log sources of an event, the one to show first. eventType is the value of its EventType field, or "".
func (w *Windows) Sources(channel string, id int, eventType string) []event.LogSource {
	var sources []event.LogSource
	add := func(s event.LogSource) {
		if !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	for _, s := range w.channels[strings.ToLower(channel)] {
		var rows []categoryRow
		if e := w.events[eventKey{s, id}]; e != nil {
			rows = e.categories
		}
		special := slices.ContainsFunc(rows, func(c categoryRow) bool { return c.eventType != "" && c.eventType == eventType })
		found := false
		for _, c := range rows {
			if c.eventType == eventType && special || c.eventType == "" && !special {
				for _, source := range c.sources {
					add(source)
					found = true
				}
			}
		}
		if !found {
			add(s.source())
		}
	}
	if len(sources) == 0 {
		add(event.LogSource{Product: windowsProduct})
	}
	return sources
}

// Naming is how the data fields of an event are called.
type Naming struct{ rows []*Row }

// Naming returns how the data fields of an event are called.
func (w *Windows) Naming(channel string, id int) Naming {
	var n Naming
	for _, s := range w.channels[strings.ToLower(channel)] {
		for _, k := range [...]eventKey{{s, id}, {s, anyEvent}} {
			if e := w.events[k]; e != nil {
				n.rows = append(n.rows, e.aliases...)
			}
		}
	}
	return n
}

// Own returns the name to show a field under.
func (n Naming) Own(name string) string {
	for _, r := range n.rows {
		if to, ok := r.Move[name]; ok {
			return to
		}
	}
	return name
}

// Aliases returns the other names of a field. A blank is left out of a name without being listed.
func (n Naming) Aliases(name string) []string {
	var out []string
	if strings.Contains(name, " ") {
		out = append(out, strings.ReplaceAll(name, " ", ""))
	}
	for _, r := range n.rows {
		out = r.appendAliases(out, name)
	}
	return out
}

// Event is an event that the table knows something of.
type Event struct {
	Channel   string
	ID        int // -1 for all events of the channel that are not listed by themselves
	EventType string
	// Fields are all that the event itself can have, and Collectors what may be written beside them; Fields is nil where
	// that is not known.
	Fields, Collectors []string
}

// Events returns the events that the table knows something of, by service in the order of the table.
func (w *Windows) Events() []Event {
	ids := map[*service][]int{}
	for k := range w.events {
		if k.id != anyEvent {
			ids[k.service] = append(ids[k.service], k.id)
		}
	}
	var out []Event
	for _, s := range w.order {
		slices.Sort(ids[s])
		for _, ch := range s.channels {
			for _, id := range ids[s] {
				e := w.events[eventKey{s, id}]
				types := []string{""}
				for _, c := range e.categories {
					if !slices.Contains(types, c.eventType) {
						types = append(types, c.eventType)
					}
				}
				for _, t := range types {
					out = append(out, Event{ch, id, t, e.fields, w.collectors})
				}
			}
			out = append(out, Event{Channel: ch, ID: anyEvent})
		}
	}
	return out
}
