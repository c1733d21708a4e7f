package sigma

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRulesAreReadAsWritten writes generated rules as YAML, in the styles that authors use, and expects to read the same.
func TestRulesAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := newGenStore(t)
		r := &Rule{LogSource: LogSource{Product: "p"}, detection: store.detection(t)}
		var text strings.Builder
		text.WriteString("title: generated\nid: 5b1e6a0c-2f0e-4f39-9a44-1d6a70f6d9b1\nstatus: test\nlevel: low\nlogsource:\n    product: p\ndetection:\n")
		for i := range r.detection.selections {
			s := &r.detection.selections[i]
			s.body = writable(s.body)
			fmt.Fprintf(&text, "    %s:", s.name)
			writeBlock(t, &text, s.body, 8)
		}
		text.WriteString("    condition:")
		for _, c := range r.detection.conditions {
			fmt.Fprintf(&text, "\n        - %s", describeCondition(c))
		}
		text.WriteString("\n")
		if rapid.IntRange(0, 4).Draw(t, "windows") == 0 {
			windows := strings.ReplaceAll(text.String(), "\n", "\r\n")
			text.Reset()
			text.WriteString(windows)
		}
		p := Parse("generated.yml", []byte(text.String()))
		if len(p.Rules) != 1 {
			t.Fatalf("%v\n%s", p.Rejected, text.String())
		}
		got := p.Rules[0]
		for i := range got.detection.selections {
			got.detection.selections[i].body = unwrapped(got.detection.selections[i].body)
		}
		if got, want := describeRule(got), describeRule(r); got != want {
			t.Fatalf("read\n%swant\n%sof\n%s", got, want, text.String())
		}
	})
}

// writable returns b without what YAML has no form for: two lines of one name in a map, and plain keywords in a map.
func writable(b *block) *block {
	b = unwrapped(b)
	if isKeywords(b) {
		return b
	}
	out := &block{}
	for _, sub := range b.any {
		sub = writable(sub)
		if isKeywords(sub) {
			sub.all[0].modifiers = []string{"contains"}
		}
		out.any = append(out.any, sub)
	}
	seen := map[string]bool{}
	for _, l := range b.all {
		if l.field == "" && len(l.modifiers) == 0 {
			l.modifiers = []string{"contains"}
		}
		if key := lineKey(&l); !seen[key] {
			seen[key] = true
			out.all = append(out.all, l)
		}
	}
	return out
}

// isKeywords reports whether b is a list of keywords.
func isKeywords(b *block) bool {
	return len(b.all) == 1 && b.all[0].field == "" && len(b.all[0].modifiers) == 0
}

// unwrapped returns the only element of a list of one.
func unwrapped(b *block) *block {
	for len(b.any) == 1 && len(b.all) == 0 {
		b = b.any[0]
	}
	out := &block{all: b.all}
	for _, sub := range b.any {
		out.any = append(out.any, unwrapped(sub))
	}
	return out
}

func lineKey(l *line) string { return strings.Join(append([]string{l.field}, l.modifiers...), "|") }

// writeBlock writes what stands after the colon of a selection, or the dash of a list.
func writeBlock(t *rapid.T, w *strings.Builder, b *block, indent int) {
	pad := strings.Repeat(" ", indent)
	switch {
	case isKeywords(b):
		writeValues(t, w, b.all[0].values, pad, true)
	case len(b.any) > 0:
		w.WriteString("\n")
		for _, sub := range b.any {
			w.WriteString(pad + "-")
			writeBlock(t, w, sub, indent+4)
		}
	default:
		w.WriteString("\n")
		for i := range b.all {
			key := lineKey(&b.all[i])
			if rapid.Bool().Draw(t, "quoted") || key[0] == '|' {
				key = "'" + key + "'"
			}
			w.WriteString(pad + key + ":")
			writeValues(t, w, b.all[i].values, pad+"    ", false)
		}
	}
}

func writeValues(t *rapid.T, w *strings.Builder, values []scalar, pad string, list bool) {
	style := rapid.IntRange(0, 2).Draw(t, "style")
	switch {
	case style == 0 && len(values) == 1 && !list:
		w.WriteString(" " + writeScalar(t, values[0]) + "\n")
	case style == 1:
		var all []string
		for _, v := range values {
			all = append(all, writeScalar(t, v))
		}
		w.WriteString(" [" + strings.Join(all, ", ") + "]\n")
	default:
		w.WriteString("\n")
		for _, v := range values {
			w.WriteString(pad + "- " + writeScalar(t, v) + "\n")
		}
	}
}

func writeScalar(t *rapid.T, v scalar) string {
	style := rapid.IntRange(0, 2).Draw(t, "scalar")
	switch {
	case v.null:
		return rapid.SampledFrom([]string{"null", "~", "Null"}).Draw(t, "null")
	case style == 0 && needsNoQuotes(v.text):
		return v.text
	case style == 1 && !strings.ContainsAny(v.text, "\x00\uFEFF"):
		return "'" + strings.ReplaceAll(v.text, "'", "''") + "'"
	}
	p, _ := json.Marshal(v.text)
	return string(p)
}

// needsNoQuotes reports whether a text needs no quotes in any place.
func needsNoQuotes(s string) bool {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.\\/é–^$()+") != "" {
		return false
	}
	return !strings.ContainsAny(s[len(s)-1:], ":") && s != "null" && s != "Null" && s != "NULL"
}
