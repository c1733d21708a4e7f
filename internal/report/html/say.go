package html

import (
	"html/template"
	"maps"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/fields"
)

// markup is HTML that was escaped where it was made.
type markup = template.HTML

// say writes the words of a page in one language, and counts what it has in English only.
type say struct {
	l       *lang.Language
	english map[markup]bool // sentences and names that the language lacks
}

func newSay(l *lang.Language) *say { return &say{l: l, english: make(map[markup]bool)} }

// maxForeign bounds how many sentences are told apart in counting them.
const maxForeign = 10_000

// foreign is how words that a language lacks begin.
const foreign = `<span lang="en"`

// t is a message of the catalogue.
func (s *say) t(id string, args ...any) markup { return s.l.HTML(id, args...) }

// w is a message to be put into another.
func (s *say) w(id string, args ...any) lang.Words { return s.l.Words(id, args...) }

// plain is a message for places that hold no markup, such as the title of a shape.
func (s *say) plain(w lang.Words) string { return strings.ReplaceAll(w.Text(), "[en] ", "") }

func (s *say) num(n int64) string { return s.l.Number(n) }

// seen returns the words as markup, and counts what of them is in English.
func (s *say) seen(w lang.Words) markup {
	h := w.HTML()
	if len(s.english) < maxForeign && s.l.Tag() != lang.English && strings.Contains(string(h), foreign) {
		s.english[h] = true
	}
	return h
}

// phraseWords is a sentence that stands in the case.
func (s *say) phraseWords(english string) lang.Words {
	w, _ := s.l.PhraseWords(cut(english, maxText))
	return w
}

func (s *say) phrase(english string) markup {
	if english == "" {
		return ""
	}
	return s.seen(s.phraseWords(english))
}

func (s *say) rule(title string) markup { return s.seen(s.l.RuleTitle(cut(title, maxName))) }

func (s *say) stage(tactic string) markup {
	if tactic == "" {
		return ""
	}
	return s.seen(s.l.Tactic(cut(tactic, maxName)))
}

// name is text of strangers whose characters say which way it runs: a person, a folder, an account.
func (s *say) name(text string) markup {
	if text == "" {
		return ""
	}
	return "<bdi>" + escape(cut(text, maxText)) + "</bdi>"
}

// val is a machine value: an address, a path, an id.
func (s *say) val(text string) markup { return s.valOf("", text) }

func (s *say) valOf(class, text string) markup {
	if text == "" {
		return ""
	}
	if class != "" {
		class = ` class="` + class + `"`
	}
	return markup(`<bdi dir="ltr"`+class+`>`) + escape(cut(text, maxText)) + "</bdi>"
}

// ident is what an object is called by machines, where a person’s script may come first in it: an account, a mailbox.
func (s *say) ident(text string) markup {
	if lang.RunsLeft(text) {
		return s.name(text)
	}
	return s.val(text)
}

// identWords is ident to be put into a message.
func (s *say) identWords(text string) lang.Words {
	if lang.RunsLeft(text) {
		return s.w("page.is", "what", lang.Name(text))
	}
	return s.w("page.is", "what", lang.Value(text))
}

// escape makes text of strangers visible and HTML of it.
func escape(text string) markup { return markup(template.HTMLEscapeString(visible(text))) }

// oneTime is the class of a time that is not broken into lines.
const oneTime = "time one"

// at is a time of the report. The page says once that it is UTC.
func (s *say) at(t time.Time) markup {
	if t.IsZero() {
		return s.t("time.unknown")
	}
	return s.valOf(oneTime, stamp(t))
}

// span is a first and a last time, the day said once.
func (s *say) span(first, last time.Time) markup {
	if first.IsZero() && last.IsZero() {
		return s.t("time.unknown")
	}
	if first.IsZero() {
		return s.t("time.until", "last", s.at(last))
	}
	return s.valOf("time", span(first, last))
}

// spanText is span for places that hold no markup.
func (s *say) spanText(first, last time.Time) lang.Words {
	if first.IsZero() && last.IsZero() {
		return s.w("time.unknown")
	}
	if first.IsZero() {
		return s.w("time.until", "last", lang.Value(stamp(last)))
	}
	return s.w("page.is", "what", lang.Value(span(first, last)))
}

// window is a time of which either end may be unknown.
func (s *say) window(from, to *time.Time) markup {
	switch {
	case from == nil && to == nil:
		return s.t("time.unknown")
	case from == nil:
		return s.t("time.until", "last", s.at(*to))
	case to == nil:
		return s.t("page.from", "time", s.at(*from))
	}
	return s.span(*from, *to)
}

// windowText is window for places that hold no markup.
func (s *say) windowText(from, to *time.Time) lang.Words {
	switch {
	case from == nil && to == nil:
		return s.w("time.unknown")
	case from == nil:
		return s.w("time.until", "last", lang.Value(stamp(*to)))
	case to == nil:
		return s.w("page.from", "time", lang.Value(stamp(*from)))
	}
	return s.spanText(*from, *to)
}

// names are a few of many.
type names struct {
	List []markup
	More markup
}

// some returns the first of a list, each made by as.
func (s *say) some(all []string, as func(string) markup) names {
	n := names{}
	for i, text := range all {
		if i == maxNames {
			n.More = s.t("page.more", "n", len(all)-maxNames)
			break
		}
		n.List = append(n.List, as(cut(text, maxName)))
	}
	return n
}

// join puts parts one after the other.
func join(parts []markup, between markup) markup {
	var b strings.Builder
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(string(between))
		}
		b.WriteString(string(p))
	}
	return markup(b.String())
}

// stack puts each part on a line of its own.
func stack(parts []markup) markup {
	if len(parts) < 2 {
		return join(parts, "")
	}
	return `<ul class="plain"><li>` + join(parts, "</li><li>") + "</li></ul>"
}

// short is a few names in a cell.
func (s *say) short(all []string, as func(string) markup) markup {
	n := s.some(all, as)
	return stack(append(n.List, n.More))
}

// place says where a record stands in its source.
func (s *say) place(line, record, offset int64) markup {
	at := s.t("page.byte", "n", lang.Value(s.num(offset)))
	switch {
	case line > 0:
		return s.t("page.and", "a", s.t("page.line", "n", lang.Value(s.num(line))), "b", at)
	case record > 0:
		return s.t("page.and", "a", s.t("page.record", "n", lang.Value(s.num(record))), "b", at)
	}
	return at
}

// said is a sentence of the catalogue that the case names, or its English.
func (s *say) said(id string, args map[string]string, text string) markup {
	if !s.l.Has(id) {
		return s.phrase(text)
	}
	for k, v := range args {
		if len(v) > maxText {
			args = maps.Clone(args)
			args[k] = cut(v, maxText)
		}
	}
	return s.seen(s.l.Said(id, args))
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string(fields.Cut([]byte(s), n)) + "…"
}
