// Package lang says things in English, French and Arabic.
//
// A message has an id ("verdict.possible") and a text in each language, with placeholders in braces ("{n} messages"); where a
// number changes the words, it has a text for each plural form of the language. The texts stand in content/lang. What is
// filled in keeps its own direction: a machine value (Value, a time) runs from left to right in Arabic too, and text that
// strangers wrote (Name, a plain string) cannot turn its surroundings round, become markup, or hide a character.
//
// A message that a language lacks is said in English and marked as such, never left out; the tests let none through.
package lang

import (
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/barid-dfir/barid/content"
)

// English is the tag of the language that every message exists in, and that cases are written in.
const English = "en"

// Language is what can be said in one language. It never changes after it was made: use it from anywhere at once.
type Language struct {
	tag      string
	rtl      bool
	group    string // between thousands
	decimal  string
	messages map[string]message
	forms    forms
	english  *Language // nil in English itself
	phrases  *phrasebook
	rules    ruleNames
}

var builtin = sync.OnceValues(func() (map[string]func() (*Language, error), error) { return load(content.Languages()) })

// Find returns the language of a tag: "fr". What follows a hyphen ("fr-BE") is not looked at. The error names the
// languages that there are.
func Find(tag string) (*Language, error) {
	all, err := builtin()
	if err != nil {
		return nil, err
	}
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if l := all[base]; l != nil {
		return l()
	}
	return nil, fmt.Errorf("there is no language %q: use one of %s", tag, strings.Join(Tags(), ", "))
}

// Tags returns the tags of all languages, English first, the others sorted. The slice is the caller's.
func Tags() []string {
	dirs, err := fs.ReadDir(content.Languages(), ".")
	if err != nil {
		return []string{English}
	}
	tags := []string{English}
	for _, d := range dirs {
		if d.IsDir() && d.Name() != English {
			tags = append(tags, d.Name())
		}
	}
	slices.Sort(tags[1:])
	return tags
}

// Tag returns the tag for the lang attribute: "ar".
func (l *Language) Tag() string { return l.tag }

// Dir returns the direction of the script for the dir attribute: "ltr" or "rtl".
func (l *Language) Dir() string {
	if l.rtl {
		return "rtl"
	}
	return "ltr"
}

// Has says whether this language itself has the message.
func (l *Language) Has(id string) bool {
	_, ok := l.messages[id]
	return ok
}

// HTML returns the message with what is filled in, as HTML. Args are pairs of a placeholder's name and its value:
//
//	int, int64        a number, grouped by thousands; the one named n chooses the plural form
//	Value             a machine value: <bdi dir="ltr">
//	Name, string      text that strangers wrote: <bdi>
//	time.Time         as Stamp writes it, a machine value
//	Words             words of this language, such as another message
//	template.HTML     as it is; only here, not in Text
//
// What would not show in a value or a name is written as its number: [U+202E].
func (l *Language) HTML(id string, args ...any) template.HTML { return l.Words(id, args...).HTML() }

// Text returns the message as plain text, for letters, Markdown and mail. In a language that runs from right to left, machine
// values and names are isolated by U+2066, U+2068 and U+2069; do not put it where a program will read it.
func (l *Language) Text(id string, args ...any) string { return l.Words(id, args...).Text() }

// Words returns the message with what is filled in, to be put into another message, or written as HTML or text. Args are
// those of HTML.
func (l *Language) Words(id string, args ...any) Words {
	m, ok := l.messages[id]
	if ok {
		return l.fill(m, args)
	}
	if l.english != nil && l.english.Has(id) {
		return foreign(l.english.Words(id, args...))
	}
	return Words{parts: []part{{machine, "[?" + id + "]"}}, rtl: l.rtl}
}

// fill returns the form of m that its number asks for, with what is filled in.
func (l *Language) fill(m message, args []any) Words {
	form := "other"
	if m.plural() {
		if n, ok := count(args); ok {
			form = l.forms.of(n)
		}
	}
	segments := m.form(form)
	w := Words{parts: make([]part, 0, len(segments)), rtl: l.rtl}
	for _, s := range segments {
		if !s.hole {
			w.parts = append(w.parts, part{words, s.text})
			continue
		}
		w.parts = l.appendArg(w.parts, s.text, args)
	}
	return w
}

// count returns the argument named n.
func count(args []any) (int64, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" {
			switch n := args[i+1].(type) {
			case int:
				return int64(n), true
			case int64:
				return n, true
			}
		}
	}
	return 0, false
}
