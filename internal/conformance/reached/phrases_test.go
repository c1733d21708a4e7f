package reached_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang/langtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

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
	if _, left := langtest.Unmatched(t, c); len(left) > 0 {
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
	for _, folder := range []string{"exchange", "iis", "m365", "mail", "linux-auth", "web-access", "remote-access-tools", "windows-json", "linux-sotm34", "windows-evtx", "webshells", "fail2ban", "wazuh-ruleset", "crowdsec-hub"} {
		n, l := langtest.Unmatched(t, assessAt(t, sharedtest.Path(t, "evidence", folder)))
		all, left = all+n, append(left, l...)
	}
	share := 100 - 100*float64(len(left))/float64(all)
	t.Logf("%d sentences, %d not in the phrasebook (%.2f %% are)", all, len(left), share)
	for _, s := range left[:min(len(left), 60)] {
		t.Log(s)
	}
	if share < 99 {
		t.Errorf("%.2f %% of the sentences are in the phrasebook, want 99", share)
	}
}
