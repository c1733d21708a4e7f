package draft

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/barid-dfir/barid/internal/lang"
)

type jsonDraft struct {
	Schema   string        `json:"schema"`
	Form     string        `json:"form"`
	Lang     string        `json:"lang"`
	Title    string        `json:"title"`
	Note     string        `json:"note"`
	TLP      string        `json:"tlp,omitempty"`
	Sections []jsonSection `json:"sections"`
	Claims   []Claim       `json:"claims"`
}

type jsonSection struct {
	ID         string          `json:"id"`
	Heading    string          `json:"heading"`
	Law        string          `json:"law,omitempty"`
	Internal   bool            `json:"internal,omitempty"`
	Greeting   string          `json:"greeting,omitempty"`
	Statements []jsonStatement `json:"statements"`
}

type jsonStatement struct {
	About  string   `json:"about"`
	Label  string   `json:"label,omitempty"`
	Says   string   `json:"says"`
	Basis  Basis    `json:"basis"`
	Refs   []string `json:"refs,omitempty"`
	By     string   `json:"by,omitempty"`
	Closes []string `json:"closes,omitempty"`
}

func byOf(s Statement) []string {
	if s.By == "" {
		return nil
	}
	return []string{s.By}
}

func writeJSON(w io.Writer, d *Draft) error {
	l := d.Language
	out := jsonDraft{Schema: Schema, Form: d.Form, Lang: l.Tag(), Title: Plain(d.Title), Note: Plain(l.Words("report.draft")), TLP: Plain(d.Marking),
		Sections: []jsonSection{}, Claims: d.Claims}
	if out.Claims == nil {
		out.Claims = []Claim{}
	}
	for _, s := range d.Sections {
		js := jsonSection{ID: s.ID, Heading: Plain(s.Heading), Law: Plain(s.Law), Internal: s.Internal, Greeting: Plain(s.Greeting), Statements: []jsonStatement{}}
		for _, st := range s.Statements {
			js.Statements = append(js.Statements, jsonStatement{st.About, Plain(st.Label), Plain(st.Said), st.Basis, shown(l, st.Refs), strings.Join(shown(l, byOf(st)), ""), shown(l, st.Closes)})
		}
		out.Sections = append(out.Sections, js)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(true)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// shown returns texts with what would not show in them made visible.
func shown(l *lang.Language, list []string) []string {
	var out []string
	for _, w := range l.Values(list...) {
		out = append(out, Plain(w))
	}
	return out
}

// Plain returns words as text without the marks that isolate what is filled in: for programs.
func Plain(w lang.Words) string { return isolates.Replace(w.Text()) }

// What was filled in holds none of these: they were made visible.
var isolates = strings.NewReplacer("\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "")
