package lang

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// phrasebook holds the sentences that stand in a case, with what they are in one language: phrases.yaml, whose head says how they are written.
type phrasebook struct {
	sections map[string]*section
}

// section is templates of which one stands where another stands. They are told apart by their first byte; those that begin with a
// placeholder are under 0.
type section struct {
	by map[byte][]*phrase
}

// phrase is an English template, and what it says.
type phrase struct {
	pieces []piece
	says   message
}

// piece is words of a template, or a placeholder and of what kind it is.
type piece struct {
	words string
	hole  string
	kind  string
	many  bool // several, joined by "; "
}

// sentences is the section of what stands by itself.
const sentences = "sentence"

func readPhrases(l *Language, p []byte) (*phrasebook, error) {
	var all map[string]map[string]text
	if err := yaml.Unmarshal(p, &all); err != nil {
		return nil, err
	}
	b := &phrasebook{sections: make(map[string]*section, len(all))}
	for name, templates := range all {
		s := &section{by: make(map[byte][]*phrase)}
		b.sections[name] = s
		for _, english := range slices.Sorted(maps.Keys(templates)) {
			says, err := l.parse(templates[english])
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", name, english, err)
			}
			for _, one := range eitherNumber(english) {
				pieces, err := piecesOf(one)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				first := byte(0)
				if w := pieces[0].words; w != "" {
					first = lower(w[0])
				}
				s.by[first] = append(s.by[first], &phrase{pieces, says})
			}
		}
	}
	for name, templates := range all {
		for english := range templates {
			pieces, _ := piecesOf(english)
			for _, p := range pieces {
				if p.hole != "" && kinds[p.kind] == nil && b.sections[p.kind] == nil {
					return nil, fmt.Errorf("%s: %q: there is no kind of placeholder or section %q", name, english, p.kind)
				}
			}
		}
	}
	return b, nil
}

// eitherNumber returns a template as it is for one and for several, where it says "record(s)".
func eitherNumber(s string) []string {
	if !strings.Contains(s, "(s)") {
		return []string{s}
	}
	return []string{strings.ReplaceAll(s, "(s)", ""), strings.ReplaceAll(s, "(s)", "s")}
}

// piecesOf cuts a template at its placeholders: {name:kind}, {name:section}, {name:section*}, and {n}, a number.
func piecesOf(s string) ([]piece, error) {
	var out []piece
	for rest := s; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open != 0 {
			if open < 0 {
				open = len(rest)
			}
			out = append(out, piece{words: rest[:open]})
			rest = rest[open:]
			continue
		}
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return nil, fmt.Errorf("%q: a { without }", s)
		}
		hole, kind, typed := strings.Cut(rest[1:end], ":")
		kind, many := strings.CutSuffix(kind, "*")
		if !typed && hole == "n" {
			kind = "number"
		}
		if !placeholder.MatchString(hole) || kind == "" {
			return nil, fmt.Errorf("%q: a placeholder is {name:kind}, or {n}", s)
		}
		if len(out) > 0 && out[len(out)-1].hole != "" {
			return nil, fmt.Errorf("%q: two placeholders with nothing between them", s)
		}
		out = append(out, piece{hole: hole, kind: kind, many: many})
		rest = rest[end+1:]
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("an empty template")
	}
	return out, nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Phrase returns a sentence of a case in this language, as plain text. Where the phrasebook does not have it, ok is false and the
// text is, as far as it goes, the English, marked.
func (l *Language) Phrase(english string) (text string, ok bool) {
	w, ok := l.PhraseWords(english)
	return w.Text(), ok
}

// PhraseHTML is Phrase as HTML: what the phrasebook does not have is <span lang="en" dir="ltr">.
func (l *Language) PhraseHTML(english string) template.HTML {
	w, _ := l.PhraseWords(english)
	return w.HTML()
}

// PhraseWords is Phrase as words, to be put into a message. Of several sentences, those that the phrasebook lacks stay English. It takes
// bounded time, whatever the text: one that is very long or ambiguous stays English.
func (l *Language) PhraseWords(english string) (Words, bool) {
	english = strings.TrimRight(english, " ")
	if l.english == nil || english == "" {
		return l.English(english), true
	}
	if len(english) > mostPhrase || len(l.phrases.sections) == 0 {
		return l.English(english), false
	}
	m := matcher{l: l, s: english, left: mostSteps, memo: make(map[task]*found)}
	if f := m.compose(sentences, 0, len(english), true); f != nil {
		return Words{parts: f.parts, rtl: l.rtl}, true
	}
	m = matcher{l: l, s: english, left: mostSteps, memo: make(map[task]*found), lenient: true}
	if f := m.compose(sentences, 0, len(english), true); f != nil && m.left > 0 {
		return Words{parts: f.parts, rtl: l.rtl}, false
	}
	return l.English(english), false
}
