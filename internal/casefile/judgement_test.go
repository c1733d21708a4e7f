package casefile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// judgeAnew writes case.json and a file of facts anew.
func judgeAnew(t *testing.T, dir, title string, at time.Time) string {
	t.Helper()
	w, err := Rewrite(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteCase(&Case{Schema: Schema, Incidents: []Incident{{Title: title}}}); err != nil {
		t.Fatal(err)
	}
	f, err := w.File(FactsFile)
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("window: {}\n"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	w.DecidedBy(Custody{Path: FactsFile, Bytes: 11, SHA256: strings.Repeat("f", 64)}, nil)
	head, err := w.CommitJudgement(at)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func TestAJudgementIsAddedToTheChain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	before, err := os.ReadFile(filepath.Join(dir, CustodyFile))
	if err != nil {
		t.Fatal(err)
	}
	findings, _ := os.ReadFile(filepath.Join(dir, FindingsFile))
	judgeAnew(t, dir, "two", noon.Add(time.Hour))
	head := judgeAnew(t, dir, "three", noon.Add(2*time.Hour))

	after, err := os.ReadFile(filepath.Join(dir, CustodyFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(after, before) {
		t.Error("lines of the chain were changed")
	}
	if diff := cmp.Diff([]string{"case.json", "custody.jsonl", "facts.yaml", "findings.jsonl"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if kept, _ := os.ReadFile(filepath.Join(dir, FindingsFile)); !bytes.Equal(kept, findings) {
		t.Error("findings were changed")
	}
	if c, err := Open(dir); err != nil || c.Incidents[0].Title != "three" {
		t.Errorf("%+v %v", c, err)
	}
	v, err := Verify(dir, VerifyOptions{})
	if err != nil || v.Head != head {
		t.Fatal(v, head, err)
	}
	var list []string
	for _, c := range v.Checks {
		if c.Kind != KindEvidence {
			list = append(list, c.Kind+" "+c.Path+" "+string(c.Status))
		}
	}
	want := []string{"chain custody.jsonl ok", "case case.json replaced", "case findings.jsonl ok", "judgement facts.yaml ok", "case case.json replaced", "case facts.yaml replaced",
		"judgement facts.yaml ok", "case case.json ok", "case facts.yaml ok"}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}

	// A case that was judged may be replaced by force, and an earlier judgement is not passed off as the last.
	write(t, dir, true, "four")
	judgeAnew(t, dir, "five", noon)
	if err := os.WriteFile(filepath.Join(dir, CaseFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(dir, VerifyOptions{}); err != nil || v.Failed() != 1 {
		t.Errorf("not one change was seen: %v %v", v, err)
	}
}

func TestABrokenChainIsNotContinued(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	name := filepath.Join(dir, CustodyFile)
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f := func(p []byte) {
		t.Helper()
		if err := os.WriteFile(name, p, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Rewrite(dir); err == nil || !strings.Contains(err.Error(), "does not hold") {
			t.Errorf("%v", err)
		}
	}
	f(bytes.Replace(p, []byte("b.log"), []byte("c.log"), 1))
	f(append(bytes.Clone(p), bytes.Repeat([]byte{'x'}, maxTorn+1)...))
	f(nil)
	if err := os.WriteFile(name, p, 0o600); err != nil {
		t.Fatal(err)
	}
	// A file that is not of the case is not carried away.
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrite(dir); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("%v", err)
	}
}
