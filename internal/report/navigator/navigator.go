// Package navigator writes the techniques of a case as a layer for the ATT&CK Navigator (layer file format 4.5).
package navigator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

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
	Expand      string      `json:"expandedSubtechniques"`
}

type versions struct {
	Layer string `json:"layer"`
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
			for _, tag := range s.Rule.Tags {
				id, ok := strings.CutPrefix(tag, "attack.t")
				if !ok || id == "" || id[0] < '0' || id[0] > '9' {
					continue
				}
				t := all[id]
				if t == nil {
					t = &seen{}
					all[id] = t
				}
				t.count += s.Count
				t.level = max(t.level, slices.IndexFunc(levels[:], func(l legend) bool { return l.Label == s.Rule.Level }))
				if !slices.Contains(t.rules, s.Rule.Title) {
					t.rules = append(t.rules, s.Rule.Title)
				}
			}
		}
	}
	out := layer{
		Name: "Barid", Versions: versions{Layer: "4.5"}, Domain: "enterprise-attack",
		Description: fmt.Sprintf("Techniques named by the findings of %d incidents. A technique that is not marked was not seen; that is no proof of its absence.", len(c.Incidents)),
		Techniques:  []technique{}, Gradient: gradient{Colors: []string{"#ffffff", levels[4].Color}}, Legend: levels[:], Expand: "annotated",
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		t := all[id]
		slices.Sort(t.rules)
		out.Gradient.Max = max(out.Gradient.Max, t.count)
		out.Techniques = append(out.Techniques, technique{ID: "T" + id, Score: t.count, Color: levels[max(t.level, 0)].Color, Comment: strings.Join(t.rules, "; "), Enabled: true})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(&out)
}
