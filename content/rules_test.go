package content_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

// written is the time of modification of every example, from which a log without a year takes it.
var written = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// load compiles Barid's own rules, none of which may be rejected.
func load(tb testing.TB) *sigma.Engine {
	tb.Helper()
	pack, err := sigma.LoadFS(content.Rules())
	if err != nil {
		tb.Fatal(err)
	}
	engine, rejected := sigma.Compile(pack, sigma.Options{})
	for _, r := range slices.Concat(pack.Rejected, rejected) {
		tb.Errorf("rejected: %v", r)
	}
	if len(pack.Skipped) > 0 {
		tb.Errorf("not taken for rules: %v", pack.Skipped)
	}
	return engine
}

// read gives data to the one of the formats that recognises it.
func read(tb testing.TB, formats []logs.Format, path string, data []byte) (logs.Format, *event.Batch) {
	tb.Helper()
	s := logtest.Source(path, data)
	s.ModTime = written
	f := pipeline.Recognise(formats, s)
	if f == nil {
		tb.Fatalf("%s: no reader recognises it", path)
	}
	return *f, logtest.Read(tb, *f, s, data, logs.MaxBlock, 0)
}

// TestRules reads the two examples of every rule as if they were evidence: the rule must find something in the first
// and nothing in the second. Run one rule with -run 'TestRules/area/name'.
func TestRules(t *testing.T) {
	engine := load(t)
	formats := pipeline.Formats()
	m := engine.NewMatcher()
	for i, rule := range engine.Rules() {
		name := strings.TrimSuffix(rule.Path, ".yml")
		t.Run(name, func(t *testing.T) {
			f := func(ext string, want bool) {
				t.Helper()
				path := filepath.Join("rules", filepath.FromSlash(name)+ext)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Errorf("every rule has an example beside it: %v", err)
					return
				}
				format, batch := read(t, formats, path, data)
				if len(batch.Events) == 0 {
					t.Errorf("%s: %s reads no event in it", path, format.Name)
				}
				for _, d := range batch.Defects {
					t.Errorf("%s:%d: %s cannot read it: %s", path, d.Line, format.Name, d.Reason)
				}
				got := false
				for j := range batch.Events {
					ev := &batch.Events[j]
					hit := slices.Contains(m.Match(ev), int32(i))
					got = got || hit
					if hit && !want {
						t.Errorf("%s: matches, and should not, because of %v:\n%s", path, m.Explain(ev, int32(i)), dump(ev))
					}
				}
				if want && !got {
					for j := range batch.Events {
						t.Errorf("%s: does not match:\n%s", path, dump(&batch.Events[j]))
					}
				}
			}
			f(".match", true)
			f(".nomatch", false)
		})
	}
}

// dump shows an event as a rule sees it.
func dump(ev *event.Event) string {
	var b strings.Builder
	b.WriteString("  " + ev.Shape.Format)
	for _, s := range ev.Shape.Sources {
		b.WriteString(" {" + s.Product + " " + s.Category + " " + s.Service + "}")
	}
	for i, f := range ev.Shape.Fields() {
		if v := ev.Value(i); !v.IsAbsent() {
			b.WriteString("\n  " + f.Name + " " + strings.Join(f.Aliases, " ") + " = " + v.String())
		}
	}
	return b.String()
}

// TestRulesSayWhatTheyMust holds what the parser leaves to the author: who, when, why, and what else it could be.
func TestRulesSayWhatTheyMust(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	tag := regexp.MustCompile(`^(attack\.(t[0-9]{4}(\.[0-9]{3})?|[a-z]+(-[a-z]+)*)|cve\.[0-9]{4}-[0-9]{4,})$`)
	technique := regexp.MustCompile(`^attack\.t[0-9]{4}`)
	tactics := []string{
		"reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
		"stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
		"command-and-control", "exfiltration", "impact",
	}
	levels := []string{"informational", "low", "medium", "high", "critical"}
	engine := load(t)
	if n := len(engine.Rules()); n < 60 {
		t.Errorf("%d rules, fewer than 60", n)
	}
	ids := map[string]string{}
	titles := map[string]string{}
	for _, r := range engine.Rules() {
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf(r.Path+": "+format, args...)
		}
		if !uuid.MatchString(r.ID) {
			fail("id %q is no random UUID", r.ID)
		}
		if other := ids[r.ID]; other != "" {
			fail("has the id of %s", other)
		}
		if other := titles[r.Title]; other != "" {
			fail("has the title of %s: %s", other, r.Title)
		}
		ids[r.ID], titles[r.Title] = r.Path, r.Path
		if r.Author == "" || r.Date == "" || r.Status == "" || r.Description == "" || len(r.FalsePositives) == 0 {
			fail("author, date, status, description and falsepositives are asked for")
		}
		if !slices.Contains(levels, r.Level) {
			fail("level %q", r.Level)
		}
		if !slices.ContainsFunc(r.Tags, technique.MatchString) {
			fail("names no ATT&CK technique")
		}
		hasTactic := false
		for _, s := range r.Tags {
			name := strings.TrimPrefix(s, "attack.")
			hasTactic = hasTactic || slices.Contains(tactics, name)
			if !tag.MatchString(s) {
				fail("tag %q", s)
			} else if strings.HasPrefix(s, "attack.") && !technique.MatchString(s) && !slices.Contains(tactics, name) {
				fail("%q is no ATT&CK tactic", name)
			}
		}
		if !hasTactic {
			fail("names no ATT&CK tactic")
		}
	}
}

// TestEveryExampleHasItsRule finds what was left behind when a rule was renamed.
func TestEveryExampleHasItsRule(t *testing.T) {
	err := filepath.WalkDir("rules", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch ext := filepath.Ext(path); ext {
		case ".yml":
		case ".match", ".nomatch":
			if _, err := os.Stat(strings.TrimSuffix(path, ext) + ".yml"); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if data, err := os.ReadFile(path); err != nil || len(bytes.TrimSpace(data)) == 0 {
				t.Errorf("%s is empty (%v)", path, err)
			}
		default:
			t.Errorf("%s is neither a rule nor an example", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkOrdinaryRequests measures what all the rules cost an access log in which nothing happens. A rule that shows
// here asks for a pattern before it asks for a word.
func BenchmarkOrdinaryRequests(b *testing.B) {
	var log bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&log, "192.0.2.%d - - [03/Mar/2026:06:49:42 +0000] \"GET /category/news/%d/the-price-of-bread?page=%d&sort=date HTTP/1.1\" 200 %d \"https://www.example.com/category/news\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"\n",
			i%250, i, i%7, 1000+i)
	}
	_, batch := read(b, pipeline.Formats(), "access.log", log.Bytes())
	m := load(b).NewMatcher()
	b.SetBytes(int64(log.Len() / len(batch.Events)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		m.Match(&batch.Events[n%len(batch.Events)])
		n++
	}
}
