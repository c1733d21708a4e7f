// Package draft is a document that people check, complete and send: a list of statements, each of which says what it leans on, and its
// writers: HTML, Markdown, JSON.
//
// The body of a draft is what is to be sent. What each statement leans on stands in an annex, which stays in the house; what is
// open is marked in the body itself, so that nobody sends it by mistake.
package draft

import (
	"fmt"
	"io"

	"github.com/barid-dfir/barid/internal/lang"
)

// Schema is the value of "schema" in the JSON of a draft.
const Schema = "barid.draft/1"

// Basis says what a statement leans on.
type Basis string

const (
	Case  Basis = "case"  // shown by the evidence: Refs name what of the case
	Facts Basis = "facts" // stated by people: Refs name the keys of the facts
	Open  Basis = "open"  // not known: Closes names the keys of the facts that would say it, Refs what of the case is open
)

// Draft is a document. Its slices are the caller's.
type Draft struct {
	Form     string
	Language *lang.Language
	Title    lang.Words
	// Marking is the TLP marking of the case; none where it has none.
	Marking lang.Words
	// Outward says that the body goes to people outside who are no authority: the persons affected, the public.
	Outward  bool
	Sections []Section
	// Claims are what the whole case and its facts say on the questions that drafts answer, whether or not this form does.
	Claims []Claim
}

// Section is a part of a draft with its heading.
type Section struct {
	ID      string
	Heading lang.Words
	// Law is the place in the law that asks for it; none where none does.
	Law lang.Words
	// Alert says that it must not be overlooked: a correction.
	Alert bool
	// Internal says that it stays in the house: of a draft that goes outward it is not printed.
	Internal bool
	// Page says that it begins a document of its own, such as a letter.
	Page bool
	// Greeting are words before the statements that state nothing; often none.
	Greeting   lang.Words
	Statements []Statement
}

// Statement is one sentence, or a label and its value.
type Statement struct {
	// About is the question that it answers, the same in every language: "incident.aware".
	About string
	Label lang.Words // often none
	Said  lang.Words
	Basis Basis
	// Refs are what it leans on: "incident I1", "verdicts mailbox", "disclosure.incident.aware".
	Refs []string
	// By is the person who stated it, where the facts say who.
	By string
	// Closes are the keys of the facts that would close what is open.
	Closes []string
}

// check says what is wrong with a draft; nothing may be written then.
func (d *Draft) check() error {
	for _, s := range d.Sections {
		for i, st := range s.Statements {
			at := fmt.Sprintf("form %s, section %s, statement %d (%s)", d.Form, s.ID, i+1, st.About)
			switch {
			case st.Said.Empty():
				return fmt.Errorf("%s says nothing", at)
			case st.Basis != Case && st.Basis != Facts && st.Basis != Open:
				return fmt.Errorf("%s leans on nothing", at)
			case st.Basis == Open && len(st.Closes)+len(st.Refs) == 0:
				return fmt.Errorf("%s is open and does not say what would close it", at)
			case st.Basis != Open && len(st.Refs) == 0:
				return fmt.Errorf("%s does not name what it leans on", at)
			}
		}
	}
	return nil
}

// Formats are the names that Write takes.
func Formats() []string { return []string{"html", "md", "json"} }

// Write writes the draft in a format: html, md or json.
func Write(w io.Writer, d *Draft, format string) error {
	if err := d.check(); err != nil {
		return err
	}
	switch format {
	case "html":
		return writeHTML(w, d)
	case "md":
		return writeMarkdown(w, d)
	case "json":
		return writeJSON(w, d)
	}
	return fmt.Errorf("a draft cannot be written as %q: use one of %v", format, Formats())
}

// words returns label and value as one.
func (s *Statement) words(l *lang.Language) lang.Words {
	if s.Label.Empty() {
		return s.Said
	}
	return l.Words("form.field", "label", s.Label, "value", s.Said)
}

// leans says what a statement leans on.
func (s *Statement) leans(l *lang.Language) lang.Words {
	refs := l.List(l.Values(s.Refs...))
	switch {
	case s.Basis == Case:
		return l.Words("form.basis.case", "refs", refs)
	case s.Basis == Facts && s.By != "":
		return l.Words("form.basis.by", "who", lang.Name(s.By), "refs", refs)
	case s.Basis == Facts:
		return l.Words("form.basis.facts", "refs", refs)
	case len(s.Closes) == 0:
		return l.Words("form.basis.open", "refs", refs)
	}
	return l.Words("form.basis.closes", "refs", l.List(l.Values(s.Closes...)))
}
