package event

// Answer is that a web server handed something out to nobody in particular. Its zero value is that it did not.
type Answer struct {
	// Name is the last element of the address where that is the name of a file, such as "plan.dwg"; nil where the address does not tell
	// what was handed out. It is a view, as the values of an Event are.
	Name []byte
	// Bytes is how many were handed out, -1 if the log does not say; 0 where the kind is NamedAnswer.
	Bytes int64
	Kind  AnswerKind
	// Ranged says that it was a part of something.
	Ranged bool
}

// AnswerKind is what an Answer tells of what was handed out.
type AnswerKind uint8

// The kinds of answers.
const (
	NoAnswer      AnswerKind = iota
	NamedAnswer              // the file of that name, or a part of a page
	OpaqueAnswer             // the address tells of no file: a script, a number, an interface of programs
	AuditedAnswer            // the same, of a program that may write of it in a log of its own
	StatusAnswer             // an address of a program's version, until it is known how many bytes it had: no event has it
)
