package logs

import "github.com/barid-dfir/barid/internal/event"

// Answerer is a Parser of the log of a web server. It tells of events that mean nothing whether something was handed out all the same: who
// asked is not named, nor what it was, but files may have been behind it. It does not allocate.
type Answerer interface {
	// Answer returns what an event made by this Format, of which Observe says nothing, tells of an answer.
	Answer(e *event.Event) (client []byte, a event.Answer)
}
