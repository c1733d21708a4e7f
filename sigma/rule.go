package sigma

import (
	"fmt"

	"github.com/barid-dfir/barid/internal/event"
)

// The types of events, which are made by log readers.
type (
	// Event is one record of a log.
	Event = event.Event
	// Shape is all that is fixed about an event before a value is read.
	Shape = event.Shape
	// Field is a named place in a Shape.
	Field = event.Field
	// Value is an undecoded value of an event.
	Value = event.Value
	// LogSource says what kind of log an event or a rule belongs to.
	LogSource = event.LogSource
)

// Rule is one Sigma rule, parsed and found to be usable. It does not change and may be compiled into many engines.
type Rule struct {
	ID             string
	Name           string // by which correlations and filters may refer to it
	Title          string
	Level          string // informational, low, medium, high or critical
	Status         string // stable, test, experimental, deprecated or unsupported; or as written, or nothing
	Description    string
	Author         string // as the licence of a rule asks to be kept
	Date           string
	Modified       string
	Tags           []string
	References     []string
	FalsePositives []string
	LogSource      LogSource
	Related        []Relation

	// Path is where the rule was read, Line where its document begins there, from 1.
	Path string
	Line int

	shared bool // the ID is that of a document which several rules of the file were merged with
	lint   lintNotes

	sourceAt  at // of the logsource
	detection *detection
	// expr is what must be true of an event; nil where that waits for the values of placeholders.
	expr *expr
}

// Relation is what a rule says of another.
type Relation struct {
	ID   string // of the other
	Type string // derived, obsolete, merged, renamed or similar (Sigma rules specification 2.1, "Identification"); or as written
}

// Rejection is a rule, or a file of rules, that cannot be used.
type Rejection struct {
	Path   string
	Line   int // from 1; 0 if the whole file is meant
	Column int // from 1; 0 if the whole line is meant
	// Reason says what is wrong, why that is, and how to mend it where that is known, in one line.
	Reason string
	// ID and Title are those of the rule where they could be read.
	ID    string
	Title string
}

// Error returns the rejection in the form path:line:column: reason.
func (r *Rejection) Error() string {
	switch {
	case r.Line == 0:
		return fmt.Sprintf("%s: %s", r.Path, r.Reason)
	case r.Column == 0:
		return fmt.Sprintf("%s:%d: %s", r.Path, r.Line, r.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", r.Path, r.Line, r.Column, r.Reason)
}

// flaw is an error at a place in a document.
type flaw struct {
	line, column int
	reason       string
}

func (f *flaw) Error() string { return f.reason }

// at is a place in a document, from 1.
type at struct{ line, column int }

func (a at) flawf(format string, args ...any) *flaw {
	return &flaw{a.line, a.column, fmt.Sprintf(format, args...)}
}

// detection is the detection part of a rule as it is written.
type detection struct {
	selections []selection
	conditions []*condition // any of them
	places     []at         // of conditions
}

// selection is a named part of a detection.
type selection struct {
	name string
	body *block
	at
}

// block is the body of a selection: either any of several blocks, or all of several lines.
type block struct {
	any []*block
	all []line
}

// line is a field with its modifiers and values: Image|endswith: [a, b].
type line struct {
	field     string // "" for keywords
	modifiers []string
	values    []scalar
	at
}

// scalar is a value in a rule.
type scalar struct {
	text string // as written
	null bool
	at
}
