// Package event holds the one form that every log takes.
//
// Most of an event is known before any value is read: a Windows record names its template, an IIS line follows the
// #Fields header above it. All of that is a [Shape]. An [Event] is a Shape and a row of values that point, undecoded,
// into the evidence. Events travel in a [Batch] and die with it: whoever keeps a value clones its bytes.
//
// The package knows nothing of rules, findings or kinds of log.
package event

import "math"

// UnknownTime is the Time of an event whose time could not be read.
const UnknownTime = math.MinInt64

// Event is one record of a log.
//
// Values and Raw are views into the batch the event came in: they are valid until that batch is reset.
type Event struct {
	Shape *Shape
	// Values holds Shape.Variable() values: the fields of the Shape that are not constant, in their order.
	Values []Value
	// Time is when it happened: nanoseconds since 1970 UTC, or UnknownTime.
	Time int64
	// Raw is the event as it stands in the evidence: the line of a text log without its line end, the bytes of a binary record.
	Raw []byte
	// Offset is where Raw begins in its source, in bytes.
	Offset int64
	// Line is the number of its first line in the source, from 1; 0 in a binary log.
	Line int64
	// Record is the number the log itself gives the record (EventRecordID), or its ordinal in the source from 1.
	Record int64
}

// Value returns the value of the field at slot, variable or constant.
func (e *Event) Value(slot int) Value {
	if slot < len(e.Values) {
		return e.Values[slot]
	}
	return e.Shape.fields[slot].Const
}

// Role returns the value that plays the given part in the event; its Kind is None where the Shape has no such field.
func (e *Event) Role(r Role) Value {
	slot := e.Shape.roles[r]
	if slot < 0 {
		return Value{}
	}
	return e.Value(int(slot))
}
