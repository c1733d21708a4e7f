// Package navigator writes the techniques of a case as a layer for the ATT&CK Navigator (layer file format 4.5, techniques of ATT&CK 17), with
// the marking of the case as metadata.
package navigator

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/input"
)

type layer struct {
	Name        string      `json:"name"`
	Versions    versions    `json:"versions"`
	Domain      string      `json:"domain"`
	Description string      `json:"description"`
	Sorting     int         `json:"sorting"`
	Techniques  []technique `json:"techniques"`
	Gradient    gradient    `json:"gradient"`
	Legend      []legend    `json:"legendItems"`
	Metadata    []metadata  `json:"metadata"`
	Expand      string      `json:"expandedSubtechniques"`
}

type metadata struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type versions struct {
	Attack    string `json:"attack"`
	Navigator string `json:"navigator"`
	Layer     string `json:"layer"`
}

type technique struct {
	ID      string `json:"techniqueID"`
	Score   int64  `json:"score"`
	Color   string `json:"color"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
}

type gradient struct {
	Colors []string `json:"colors"`
	Min    int64    `json:"minValue"`
	Max    int64    `json:"maxValue"`
}

type legend struct {
	Label string `json:"label"`
	Color string `json:"color"`
}

// levels in order, with the colours of the report.
var levels = [...]legend{
	{"informational", "#d5d9de"}, {"low", "#a9cbe6"}, {"medium", "#e8cf7a"}, {"high", "#ef9f62"}, {"critical", "#d9557a"},
}

// Write writes a layer. The score of a technique is the number of findings of the rules that name it, in incidents; its
// colour is that of the highest of their levels.
func Write(w io.Writer, in *input.Input) error {
	c := in.Case
	type seen struct {
		count int64
		level int
		rules []string
	}
	all := map[string]*seen{}
	for i := range c.Incidents {
		for j := range c.Incidents[i].Steps {
			s := &c.Incidents[i].Steps[j]
			for _, id := range attack.Techniques(s.Rule.Tags) {
				t := all[id]
				if t == nil {
					t = &seen{}
					all[id] = t
				}
				t.count += s.Count
				t.level = max(t.level, slices.IndexFunc(levels[:], func(l legend) bool { return l.Label == s.Rule.Level }))
				if title := event.Visible(s.Rule.Title); !slices.Contains(t.rules, title) {
					t.rules = append(t.rules, title)
				}
			}
		}
	}
	out := layer{
		Name: "Barid", Versions: versions{"17", "5.1.0", "4.5"}, Domain: "enterprise-attack",
		Description: fmt.Sprintf("Techniques named by the findings of %d incidents. A technique that is not marked was not seen; that is no proof of its absence.", len(c.Incidents)),
		Techniques:  []technique{}, Gradient: gradient{Colors: []string{"#ffffff", levels[4].Color}, Max: 1}, Legend: levels[:], Metadata: []metadata{{"TLP", c.Marking().String()}}, Expand: "annotated",
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		t := all[id]
		slices.Sort(t.rules)
		out.Gradient.Max = max(out.Gradient.Max, t.count)
		out.Techniques = append(out.Techniques, technique{ID: id, Score: t.count, Color: levels[max(t.level, 0)].Color, Comment: strings.Join(t.rules, "; "), Enabled: true})
	}
	p, err := casefile.EncodeValue(&out, " ")
	if err != nil {
		return err
	}
	_, err = w.Write(p)
	return err
}
