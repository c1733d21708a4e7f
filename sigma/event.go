package sigma

import "github.com/barid-dfir/barid/internal/event"

// NewShape returns the Shape of events of one's own: the log sources they belong to, and the names of their fields, in
// the order in which [Event].Values has their values. Rules are bound to a Shape when its first event comes, so there
// should be one for each kind of event, not one for each event.
func NewShape(sources []LogSource, fields ...string) *Shape {
	list := make([]Field, len(fields))
	for i, name := range fields {
		list[i].Name = name
	}
	return event.NewShape("", sources, list)
}

// UnknownTime is the Time of an event whose time is not known.
const UnknownTime = event.UnknownTime

// Text returns a value that is a text in UTF-8. The zero Value stands for a field that an event does not have.
func Text(s string) Value { return event.Text(s) }

// JSON returns the value that a JSON value stands for: a text, a number, true and false, null, or a list of these. It is
// a view of p.
func JSON(p []byte) Value { return event.JSONValue(p) }
