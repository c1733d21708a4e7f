package disclose

import (
	"io"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// Form is a kind of draft: what barid disclose --form writes.
type Form struct {
	Name  string // as on the command line: dora-initial
	About string // what it is, in half a line
	// Regime and Stage name the duty that it is for: dora, initial. They are "" where it is for none.
	Regime, Stage string
	// As are the kinds of file that it can be written as: html, md, json. The first is what is written if nobody asks for another.
	As []string
	// Write writes a draft. Where the form may not be written yet, it writes nothing and returns an error that names the keys of
	// the facts that are missing.
	Write func(w io.Writer, d *Draft) error
}

// Draft is what a form is written from.
type Draft struct {
	*Input
	// Owed, Classifications and Notes are what Assess says of the input.
	Owed            []casefile.Duty
	Classifications []casefile.Classification
	Notes           []string
	// Lang is the language to write in; never nil.
	Lang *lang.Language
	// As is the kind of file: one of the form's.
	As string
	// Previous is an earlier draft or a form that was filed, as it was read from PreviousName; nil if none was given.
	Previous     []byte
	PreviousName string
	// Now is the time that somebody gave with --now, to say what is late; nil if nobody did. The clock of the machine is never in a draft.
	Now *time.Time
	// Warn says something to whoever asked for the draft, beside it: a line without its end.
	Warn func(line string)
}

// Duty returns what is owed of a stage of a regime, or nil.
func (d *Draft) Duty(regime, stage string) *casefile.Duty {
	for i := range d.Owed {
		if o := &d.Owed[i]; o.Regime == regime && o.Stage == stage {
			return o
		}
	}
	return nil
}

// Forms returns all forms, in the order in which they are listed. The slice is the caller's.
func Forms() []Form {
	return slices.Concat(doraForms(), draftForms())
}

// FindForm returns the form of that name.
func FindForm(name string) (Form, bool) {
	for _, f := range Forms() {
		if f.Name == name {
			return f, true
		}
	}
	return Form{}, false
}
