package disclose

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// A draft to read is written whatever is missing, in every language, and marks it.
func TestPages(t *testing.T) {
	initial, err := os.ReadFile("testdata/dora/dora-initial.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv("KEEP_PAGES") // a folder to look at them in
	for _, tag := range lang.Tags() {
		l, err := lang.Find(tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range []string{"html", "md"} {
			for name, d := range map[string]*Draft{
				"dora-initial":      doraDraft(t, nil, &Facts{}, as),
				"dora-intermediate": doraDraft(t, mailServer(), factsOf(t, "postal-bank-intermediate.yaml", "discovery: monitoring_systems", "discovery: clients"), as),
				"dora-final":        doraDraft(t, mailServer(), factsOf(t, "postal-bank-final.yaml"), as),
			} {
				d.Lang = l
				if name == "dora-intermediate" {
					d.Previous, d.PreviousName = initial, "initial.json"
				}
				got, err := write(t, name, d)
				if err != nil {
					t.Errorf("%s %s %s: %v", tag, as, name, err)
					continue
				}
				text := string(got)
				for _, bad := range []string{"[?", "[en]", "<no value>", `<span lang="en"`} {
					if strings.Contains(text, bad) {
						t.Errorf("%s %s %s holds %q", tag, as, name, bad)
					}
				}
				switch name {
				case "dora-initial":
					if n := strings.Count(text, l.Text("form.mark.open")); n < 17 {
						t.Errorf("%s %s: %d fields are marked open, want 17", tag, as, n)
					}
				case "dora-intermediate":
					if !strings.Contains(text, l.Text("dora.part.changes")) {
						t.Errorf("%s %s: what is different is not in it", tag, as)
					}
				}
				if dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"."+tag+"."+as), got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

var codeSpan = regexp.MustCompile("``[^\n]*?``|`[^`\n]*`")

// Names that strangers chose stay text, and a number that cannot be meant is refused.
func TestHostile(t *testing.T) {
	evil := []string{`<script>alert(1)</script>`, "\u202egnp.exe", `=HYPERLINK("http://x")`, "[a](javascript:b)", "a\x00b\xff", "| a |\n# b", `{{.}}`, "`x`"}
	c := mailServer()
	for _, s := range evil {
		c.Capabilities = append(c.Capabilities, casefile.Capability{Kind: "host", Principal: s})
		c.Sessions = append(c.Sessions, casefile.Session{ID: s, Attribution: "attacker", IPs: []string{s, "203.0.113.77", "fe80::1%" + s}})
		c.Incidents = append(c.Incidents, casefile.Incident{ID: s, Severity: "critical", Actors: []string{s}})
	}
	f := factsOf(t, "postal-bank-intermediate.yaml", "    infrastructure: no\n", "")
	f.Services[0].Name = strings.Join(evil, "")
	for _, as := range []string{"html", "md", "json"} {
		got, err := write(t, "dora-intermediate", doraDraft(t, c, f, as))
		if err != nil {
			t.Fatal(err)
		}
		text := string(got)
		bad := []string{"\u202e", "\x00", "\xff"}
		switch as {
		case "html":
			bad = append(bad, "<script", `href="j`, `href="h`)
		case "md":
			bad = append(bad, "<script", "[a](j", "\n# b")
		case "json":
			if err := valid(schemaDORA(t), got); err != nil {
				t.Error(err)
			}
		}
		if as == "md" {
			text = codeSpan.ReplaceAllString(text, "") // what stands in one is no markup
		}
		for _, b := range bad {
			if strings.Contains(text, b) {
				t.Errorf("%s holds %q:\n%s", as, b, text)
			}
		}
	}
	for _, number := range []string{"1e300", "-5", ".nan", ".inf", "1e16"} {
		f, err := ParseFacts([]byte("disclosure: {impact: {clients: {number: " + number + "}, costs: " + number + "}, dora: {\"3.4\": " + number + ", \"4.13\": " + number + "}}"))
		if err != nil {
			continue // the facts are refused: so much the better
		}
		d := doraDraft(t, nil, f, "json")
		if _, err := write(t, "dora-initial", d); err == nil {
			t.Errorf("%s: a report was written", number)
		}
	}
	names := map[string]any{"2.4": []any{map[string]any{"a": 1}}, "2.9": "perhaps", "3.2": "yesterday", "1.1": "final_report", "1.4": 7, "9.9": "x", "3.16": nil, "": "x"}
	for number, v := range names {
		f := factsOf(t, "postal-bank.yaml")
		f.DORA = map[string]any{number: v}
		_, err := write(t, "dora-initial", doraDraft(t, nil, f, "json"))
		if number == "3.16" {
			if err != nil {
				t.Errorf("%s: %v", number, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), `disclosure.dora."`+number+`"`) {
			t.Errorf("%s: %v", number, err)
		}
	}
}

// What people say of a field goes before all else, and an empty text takes out what the case gives.
func TestSaidByNumber(t *testing.T) {
	more := []string{"  dora:\n    \"3.35\": Sources of the requests are in the annex that was handed over to the national CSIRT.\n",
		"  dora: {\"3.35\": \"\", \"3.4\": 1200001, \"3.16\": \"1:00:00\", \"2.9\": false, \"3.3\": 2025-12-24T16:00:00+01:00, \"3.11\": 5200.5}\n"}
	d := doraDraft(t, mailServer(), factsOf(t, "postal-bank-intermediate.yaml", more...), "json")
	_, err := write(t, "dora-intermediate", d)
	var not *NotReady
	if !errors.As(err, &not) || len(not.Fields) != 2 || !strings.HasPrefix(not.Fields[0], "3.28 ") || !strings.HasPrefix(not.Fields[1], "3.35 ") {
		t.Errorf("%v", err)
	}
	r, err := fillDORA(d, doraIntermediate)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"3.4": "1200001", "3.16": "1:00:00", "2.9": "no", "3.3": "2025-12-24T15:00:00Z", "3.11": "5200.5"}
	for number, w := range want {
		if got := valueWords(d.Lang, r.values[number]).Text(); got != w {
			t.Errorf("%s: %s, want %s", number, got, w)
		}
	}
}

func FuzzDORAFacts(f *testing.F) {
	for _, name := range []string{"postal-bank.yaml", "postal-bank-final.yaml", "mail-server.yaml"} {
		p, err := os.ReadFile(filepath.Join("testdata", "dora", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		facts, err := ParseFacts(p)
		if err != nil {
			return
		}
		for _, form := range doraForms() {
			for _, as := range form.As {
				d := doraDraft(t, mailServer(), facts, as)
				got, err := write(t, form.Name, d)
				if err != nil || as != "json" {
					continue
				}
				if _, err := readDORA(got); err != nil {
					t.Fatalf("%s: what was written is not read: %v\n%s", form.Name, err, got)
				}
			}
		}
	})
}
