package lang

import (
	"html/template"
	"strings"
	"time"
	"unicode"

	"github.com/barid-dfir/barid/internal/event"
)

// Value is a machine value to be filled in: an address, a path, an id, a hash, a command. It runs from left to right in every language.
type Value string

// Name is text that strangers wrote, to be filled in: the name of a person, a folder, a rule. Its own characters say which way it runs.
type Name string

// Words are words of a language with what was filled in, still to be written as HTML or as text. The zero Words say nothing.
type Words struct {
	parts []part
	rtl   bool
}

type part struct {
	kind kind
	text string
}

type kind uint8

const (
	words   kind = iota // of the language itself
	machine             // Value
	name                // Name
	english             // words of another language than the surroundings: English
	markup              // template.HTML
)

// Unicode's isolates: what stands between one of the first two and the last has no effect on the order of its surroundings.
const (
	ltrIsolate   = "\u2066"
	firstIsolate = "\u2068"
	popIsolate   = "\u2069"
)

// Empty says whether w says nothing.
func (w Words) Empty() bool { return len(w.parts) == 0 }

// HTML returns the words as HTML, safe as content of an element and in an attribute only through html/template.
func (w Words) HTML() template.HTML {
	var b strings.Builder
	for _, p := range w.parts {
		switch p.kind {
		case words:
			template.HTMLEscape(&b, []byte(p.text))
		case machine:
			b.WriteString(`<bdi dir="ltr">`)
			template.HTMLEscape(&b, []byte(p.text))
			b.WriteString(`</bdi>`)
		case name:
			b.WriteString(`<bdi>`)
			template.HTMLEscape(&b, []byte(p.text))
			b.WriteString(`</bdi>`)
		case english:
			b.WriteString(`<span lang="en" dir="ltr">`)
			template.HTMLEscape(&b, []byte(p.text))
			b.WriteString(`</span>`)
		case markup:
			b.WriteString(p.text)
		}
	}
	return template.HTML(b.String())
}

// Text returns the words as plain text. English that stands in for words that the language lacks begins with "[en] ".
func (w Words) Text() string {
	var b strings.Builder
	for _, p := range w.parts {
		open := ""
		switch p.kind {
		case machine:
			if w.rtl {
				open = ltrIsolate
			}
		case name:
			if w.rtl || RunsLeft(p.text) {
				open = firstIsolate
			}
		case english:
			b.WriteString("[en] ")
			if w.rtl {
				open = ltrIsolate
			}
		case markup:
			b.WriteString("[?]")
			continue
		}
		b.WriteString(open)
		b.WriteString(p.text)
		if open != "" {
			b.WriteString(popIsolate)
		}
	}
	return b.String()
}

// String is Text.
func (w Words) String() string { return w.Text() }

// plain returns the words without anything around what was filled in.
func (w Words) plain() string {
	var b strings.Builder
	for _, p := range w.parts {
		b.WriteString(p.text)
	}
	return b.String()
}

// foreign returns English words to stand among words of another language.
func foreign(w Words) Words {
	return Words{parts: []part{{english, w.plain()}}, rtl: true}
}

// appendArg appends what fills the placeholder of that name. What is missing, or of a kind that cannot be filled in, shows
// as [?name].
func (l *Language) appendArg(to []part, placeholder string, args []any) []part {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] != placeholder {
			continue
		}
		switch v := args[i+1].(type) {
		case int:
			return l.appendNumber(to, int64(v))
		case int64:
			return l.appendNumber(to, v)
		case Value:
			return append(to, part{machine, event.Visible(string(v))})
		case Name:
			return append(to, part{name, event.Visible(string(v))})
		case string:
			return append(to, part{name, event.Visible(v)})
		case time.Time:
			return append(to, l.Stamp(v).parts...)
		case Words:
			return append(to, v.parts...)
		case template.HTML:
			return append(to, part{markup, string(v)})
		}
		break
	}
	return append(to, part{machine, "[?" + placeholder + "]"})
}

// appendNumber appends a number. The sign of a negative one would go to the wrong side among letters that run from right to left.
func (l *Language) appendNumber(to []part, n int64) []part {
	k := words
	if n < 0 && l.rtl {
		k = machine
	}
	return append(to, part{k, l.Number(n)})
}

// RunsLeft says whether s holds letters or marks that run from right to left.
func RunsLeft(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r >= 0x590 && (unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam) ||
			r >= 0x10800 && r <= 0x10fff)
	}) >= 0
}
