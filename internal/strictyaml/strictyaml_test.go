package strictyaml

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

type outer struct {
	Name  string           `yaml:"name"`
	When  *time.Time       `yaml:"when"`
	Items []inner          `yaml:"items"`
	By    map[string]inner `yaml:"by"`
	Raw   yaml.Node        `yaml:"raw"`
	Yes   bool             `yaml:"yes"`
	Far   float64          `yaml:"far"`
	Day   *time.Time       `yaml:"day" time:"day"`
}

type inner struct {
	Sizes []int     `yaml:"sizes"`
	At    time.Time `yaml:"at"`
}

func parse(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	return root.Content[0]
}

func TestKeysAndOffsets(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\nwhen: 2026-01-01T00:00:00Z\nraw: {anything: goes}\nitems: [{sizes: [1], at: 2026-01-01T10:00:00+02:00}]": "",
		"when: 2026-01-01 10:00:00+02:00":              `"2026-01-01 10:00:00+02:00" is no time with its offset: write it as 2025-12-22T06:10:00+01:00`,
		"name: x\nnaem: y":                             `line 2: unknown key "naem": it is one of name, when, items, by, raw, yes, far, day`,
		"items:\n- {size: [1]}":                        `line 2: unknown key "size" in items: it is one of sizes, at`,
		"by:\n  a: {sise: [1]}":                        `line 2: unknown key "sise" in by.a`,
		"when: 2026-01-01":                             `line 1: when: "2026-01-01" is no time with its offset`,
		"when: 2026-01-01T10:00:00":                    "no time with its offset",
		"items:\n- &a {at: 2026-01-01T10:00:00}\n- *a": "line 2: at",
		"when:": "",
		"items: &a [{sizes: &b [1, 2]}, {sizes: *b}]\nby: {}":                                                                    "",
		"items:\n- &a {sizes: [1]}\n- {<<: *a, at: 2026-01-01T10:00:00Z}\n- {<<: [*a, {sizes: []}]}\nby: {<<: {x: {sizes: []}}}": "",
		"when: 2026-99-01T00:00:00Z":       `line 1: when: "2026-99-01T00:00:00Z" is no time: write it as`,
		"when: [1]":                        "line 1: when: a list is no time: write it as",
		"name: x\nitems:\n- sizes: [many]": `line 3: sizes: "many" is no whole number`,
		"name: {x: y}":                     "line 1: name: keys and values is no text",
		"yes: perhaps":                     `line 1: yes: "perhaps" is no answer: it is true or false`,
		"far: 1e400":                       `line 1: far: "1e400" is no number`,
		"yes: true\nfar: 1.5\nday: 2026-01-01\nname: 7": "",
		"day: 2026-01-01T10:00:00":                      "no time with its offset",
		"day: 2026-02-30":                               `line 1: day: "2026-02-30" is no time`,
		"day: 2026-01-01\nitems: [{at: 2026-01-01}]":    `line 2: at: "2026-01-01" is no time with its offset`,
		"items: x":                        "line 1: items: it takes a list",
		"name: x\nitems: {sizes: 1}":      "line 2: items: it takes a list",
		"items:\n- x":                     "line 2: items: it takes keys and values",
		"by: [x]":                         "line 1: by: it takes keys and values",
		"x":                               "line 1: it takes keys and values",
		"items:\nby: ~\nraw: x":           "",
		"items:\n- {<<: {size: [1]}}":     `line 2: unknown key "size" in items: it is one of sizes, at: did you mean sizes?`,
		"by: {<<: {x: {at: 2026-01-01}}}": `line 1: at: "2026-01-01" is no time with its offset`,
		"raw: {<<: 1}\n\"<<\": {name: x}": `line 2: unknown key "<<"`,
	} {
		err := KeysAndOffsets(parse(t, text), reflect.TypeFor[outer](), "")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if err := Keys(parse(t, "when: 2026-01-01"), reflect.TypeFor[outer](), ""); err != nil {
		t.Error(err)
	}
}

// What the reader of YAML says is told in words, and where.
func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":         "this is not YAML: ",
		"a: 1\n\tb: 2": "line 2: this is not YAML: ",
		"a: *b":        "this is not YAML: ",
		"a: \x00":      "this is not YAML: ",
	} {
		var root yaml.Node
		err := yaml.Unmarshal([]byte(text), &root)
		if err == nil {
			t.Fatal(text)
		}
		if got := Syntax(err).Error(); !strings.Contains(got, want) || strings.Contains(got, "yaml") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// A short text can stand for billions of nodes.
func TestAliasesAreBounded(t *testing.T) {
	text := "items:\n- &a {sizes: &b [" + strings.Repeat("1,", 5000) + "1]}\n" + strings.Repeat("- *a\n", 5000)
	if err := Keys(parse(t, text), reflect.TypeFor[outer](), ""); err == nil || !strings.Contains(err.Error(), "aliases") {
		t.Error(err)
	}
}

func TestLine(t *testing.T) {
	root := parse(t, "name: x\nitems:\n- at: 2026-01-01T00:00:00Z\n- &a\n  at: 2026-01-02T00:00:00Z\nby: {k: *a}\n")
	for _, c := range []struct {
		path []any
		want int
	}{{[]any{"items", 1, "at"}, 5}, {[]any{"items", 7}, 3}, {[]any{"by", "k", "at"}, 5}, {[]any{"nothing"}, 1}, {nil, 1}} {
		if got := Line(root, c.path...); got != c.want {
			t.Errorf("%v: line %d, want %d", c.path, got, c.want)
		}
	}
	if Line(nil, "x") != 0 {
		t.Error("a line of nothing")
	}
}
