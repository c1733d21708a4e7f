package reached_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// sentences returns every sentence that a case says in English, by where it stands.
func sentences(c *casefile.Case) map[string][]string {
	out := map[string][]string{}
	add := func(where string, all ...string) {
		for _, s := range all {
			if s != "" && !slices.Contains(out[where], s) {
				out[where] = append(out[where], s)
			}
		}
	}
	for i := range c.Sources {
		add("source error", c.Sources[i].Errors...)
		add("source note", c.Sources[i].Notes...)
	}
	for i := range c.Coverage {
		v := &c.Coverage[i]
		add("coverage beyond", v.Beyond)
		add("coverage note", v.Notes...)
		for j := range v.Gaps {
			add("gap why", v.Gaps[j].Why)
			add("gap reason", casefile.GapWords(v.Gaps[j].Reason))
		}
	}
	for i := range c.Incidents {
		v := &c.Incidents[i]
		add("incident title", v.Title)
		add("incident summary", v.Summary)
	}
	for i := range c.Sessions {
		add("session why", c.Sessions[i].Why...)
	}
	for i := range c.Capabilities {
		v := &c.Capabilities[i]
		add("capability why", v.Why...)
		add("capability reach", v.Reach...)
		add("capability ends", v.Ends)
	}
	seen := map[string]bool{}
	for i := range c.Reached {
		v := &c.Reached[i]
		for j := range v.Why {
			if s := v.Why[j].Text; !seen[s] && len(seen) < 20000 {
				seen[s] = true
				out["reason"] = append(out["reason"], s)
			}
		}
		if v.Settle != "" && !seen[v.Settle] {
			seen[v.Settle] = true
			out["settle"] = append(out["settle"], v.Settle)
		}
		for j := range v.Channels {
			add("channel why", v.Channels[j].Why)
		}
	}
	for i := range c.Inferences {
		add("inference", c.Inferences[i].Says)
	}
	add("rules note", c.Rules.Notes...)
	add("case note", c.Notes...)
	return out
}

// unmatched counts the sentences of a case, and tells those that a phrasebook does not have.
func unmatched(t *testing.T, c *casefile.Case) (all int, left []string) {
	t.Helper()
	for where, list := range sentences(c) {
		for _, s := range list {
			for _, tag := range []string{"fr", "ar"} {
				l, err := lang.Find(tag)
				if err != nil {
					t.Fatal(err)
				}
				all++
				if _, ok := l.Phrase(s); !ok {
					left = append(left, fmt.Sprintf("%s, %s: %s", tag, where, s))
				}
			}
		}
	}
	slices.Sort(left)
	return all, left
}

// Whatever is said of the examples, French and Arabic have; of the cases of testdata, TestCases asks that too.
func TestSentencesOfExamples(t *testing.T) {
	const examples = "../../../examples"
	dirs, err := os.ReadDir(examples)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		name := d.Name()
		if !d.IsDir() || name == "facts" || name == "generate" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(examples, name)
			tellUnmatched(t, assessAt(t, dir))
			if facts := filepath.Join(examples, "facts", name+".yaml"); exists(facts) {
				tellUnmatched(t, assessAt(t, dir, "--facts", facts))
			}
		})
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// tellUnmatched fails with the sentences of a case that a phrasebook does not have.
func tellUnmatched(t *testing.T, c *casefile.Case) {
	t.Helper()
	if _, left := unmatched(t, c); len(left) > 0 {
		t.Errorf("%d sentences that the phrasebook does not have:\n%s", len(left), strings.Join(left, "\n"))
	}
}

// assessAt makes the case of a folder as it stands.
func assessAt(t *testing.T, dir string, args ...string) *casefile.Case {
	t.Helper()
	to := filepath.Join(t.TempDir(), "case")
	cmd := exec.Command(program, append(append([]string{"assess", "--quiet", "-o", to}, args...), dir)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p, err := os.ReadFile(filepath.Join(to, casefile.CaseFile))
	if err != nil {
		t.Fatal(err)
	}
	var c casefile.Case
	if err := json.Unmarshal(p, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// TestSentencesOfSharedEvidence measures how much of what is said of real evidence the phrasebook has.
func TestSentencesOfSharedEvidence(t *testing.T) {
	all, left := 0, []string(nil)
	for _, folder := range []string{"exchange", "iis", "m365", "mail", "linux-auth", "web-access", "remote-access-tools", "windows-json", "linux-sotm34"} {
		n, l := unmatched(t, assessAt(t, sharedtest.Path(t, "evidence", folder)))
		all, left = all+n, append(left, l...)
	}
	share := 100 - 100*float64(len(left))/float64(all)
	t.Logf("%d sentences, %d not in the phrasebook (%.2f %% are)", all, len(left), share)
	for _, s := range left[:min(len(left), 2000)] {
		t.Log(s)
	}
	if share < 99 {
		t.Errorf("%.2f %% of the sentences are in the phrasebook, want 99", share)
	}
}
