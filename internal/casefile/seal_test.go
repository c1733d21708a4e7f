package casefile

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/timestamp"
	"github.com/barid-dfir/barid/internal/timestamp/tsatest"
)

func rootsOf(t *testing.T, a *tsatest.Authority) *x509.CertPool {
	t.Helper()
	pool, err := timestamp.ReadRoots(a.Roots)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// ask returns a question about the head of a case.
func ask(t *testing.T, dir, policy string) *SealQuestion {
	t.Helper()
	id, err := timestamp.ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	q, err := AskSeal(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// seal has the head of a case stamped.
func seal(t *testing.T, dir string, a *tsatest.Authority) *KeptSeal {
	t.Helper()
	q := ask(t, dir, "")
	answer, err := timestamp.Fetch(t.Context(), a.URL, q.DER)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := KeepSeal(dir, q, answer, rootsOf(t, a), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestASealHolds(t *testing.T) {
	for _, ess := range []string{"sha256", "sha1"} {
		a := tsatest.New(t, ess)
		dir := filepath.Join(t.TempDir(), "the case's")
		head := write(t, dir, false, "one")
		kept := seal(t, dir, a)
		if kept.File != "seal-1.tsr" || kept.Line != 4 || kept.Head != head {
			t.Errorf("%+v", kept)
		}
		second := seal(t, dir, a) // seals the first
		if second.File != "seal-2.tsr" || second.Line != 5 {
			t.Errorf("%+v", second)
		}
		// A judgement keeps them, and so does one that takes the place of the case.
		judgeAnew(t, dir, "two", noon)
		v, err := Verify(dir, VerifyOptions{Roots: rootsOf(t, a), RootsFile: a.Roots})
		if err != nil || v.Failed() != 0 || len(v.Seals) != 2 {
			t.Fatalf("%+v %v", v, err)
		}
		for _, s := range v.Seals {
			if !s.Fits || !s.Trusted || s.By != "CN=Test Time Stamping" {
				t.Errorf("%+v", s)
			}
			if said, err := exec.Command("sh", "-c", s.Command).CombinedOutput(); err != nil || !strings.Contains(string(said), "Verification: OK") {
				t.Errorf("%s: %v: %s", s.Command, err, said)
			}
		}
		said := strings.Join(v.Conclusion(), "\n")
		if !strings.Contains(said, "Sealed: lines 1 to 4 of the chain") || !strings.Contains(said, "Lines 6 to 9 are younger than the last seal that fits") {
			t.Error(said)
		}

		// Who shows a seal that is kept elsewhere needs none in the case.
		elsewhere := filepath.Join(t.TempDir(), "kept.tsr")
		p, _ := os.ReadFile(filepath.Join(dir, "seal-1.tsr"))
		os.WriteFile(elsewhere, p, 0o600)
		v, err = Verify(dir, VerifyOptions{Seals: []string{elsewhere}})
		if err != nil || v.Failed() != 0 || len(v.Seals) != 3 || !v.Seals[2].Fits || v.Seals[2].Trusted {
			t.Errorf("%+v %v", v.Seals, err)
		}

		// OpenSSL does not take a changed one either.
		p[len(p)-1] ^= 1
		os.WriteFile(elsewhere, p, 0o600)
		if v, err = Verify(dir, VerifyOptions{Seals: []string{elsewhere}}); err != nil || v.Failed() != 1 {
			t.Errorf("a changed byte: %v %v", v, err)
		}
		bad := Seal{Path: elsewhere, Head: head, Time: time.Now()}
		if said, err := exec.Command("sh", "-c", opensslCommand(&bad, a.Roots)).CombinedOutput(); err == nil {
			t.Errorf("openssl took a changed byte: %s", said)
		}
	}
}

// Somebody changes a file of the case and writes the whole chain anew, so that it holds: only the seal shows it.
func TestAChainThatWasWrittenAnewDoesNotFitItsSeal(t *testing.T) {
	a := tsatest.New(t, "sha256")
	dir := filepath.Join(t.TempDir(), "case")
	head := write(t, dir, false, "one")
	seal(t, dir, a)
	original, _ := os.ReadFile(filepath.Join(dir, "seal-1.tsr"))

	forge := func() {
		log, err := readCustody(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, FindingsFile), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range log.entries {
			if c := &log.entries[i]; c.Path == FindingsFile {
				c.Bytes, c.SHA256 = 3, "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
			}
		}
		p, _ := appendCustody(nil, log.entries)
		if err := os.WriteFile(filepath.Join(dir, CustodyFile), p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	forge()
	v, err := Verify(dir, VerifyOptions{})
	if err != nil || v.Failed() != 1 || v.Seals[0].Fits {
		t.Fatalf("%+v %v", v, err)
	}
	said := strings.Join(v.Conclusion(), "\n")
	if !strings.Contains(said, "the chain was changed or written anew after it was sealed") || !strings.Contains(said, "No seal fits the chain") {
		t.Error(said)
	}

	// Without the seal nothing shows, and that is said; a copy of the seal, and the head that was noted down, show it.
	os.Remove(filepath.Join(dir, "seal-1.tsr"))
	log, _ := readCustody(dir)
	p, _ := appendCustody(nil, log.entries[:4])
	os.WriteFile(filepath.Join(dir, CustodyFile), p, 0o600)
	v, err = Verify(dir, VerifyOptions{})
	if err != nil || v.Failed() != 0 || !strings.Contains(strings.Join(v.Conclusion(), "\n"), "There is no seal.") {
		t.Errorf("%+v %v", v.Conclusion(), err)
	}
	elsewhere := filepath.Join(t.TempDir(), "kept.tsr")
	os.WriteFile(elsewhere, original, 0o600)
	if v, err = Verify(dir, VerifyOptions{Seals: []string{elsewhere}, Head: strings.ToUpper(head)}); err != nil || v.Failed() != 2 {
		t.Errorf("%+v %v", v, err)
	}
	// One that lies in the folder is looked at, whether or not the chain speaks of it.
	os.WriteFile(filepath.Join(dir, "seal-7.tsr"), original, 0o600)
	if v, err = Verify(dir, VerifyOptions{}); err != nil || v.Failed() != 1 {
		t.Errorf("%+v %v", v, err)
	}

	// A chain that says of a line that it has the hash that was sealed, and does not hold there.
	dir = filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	seal(t, dir, a)
	p = bytes.Replace(chainOf(t, dir), []byte("b.log"), []byte("x.log"), 1)
	os.WriteFile(filepath.Join(dir, CustodyFile), p, 0o600)
	if v, err = Verify(dir, VerifyOptions{}); err != nil || v.Seals[0].Fits || v.Failed() != 2 {
		t.Errorf("%+v %v", v, err)
	}
}

func TestARequestForAnotherMachine(t *testing.T) {
	a := tsatest.New(t, "sha256")
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	q := ask(t, dir, tsatest.OtherPolicy)
	if err := RecordRequest(dir, q, "/out/case.tsq", noon); err != nil {
		t.Fatal(err)
	}
	if err := RecordExport(dir, Export{Path: "/out/b"}, noon); err != nil { // the case goes on meanwhile
		t.Fatal(err)
	}
	before := chainOf(t, dir)
	refuse := func(name string, answer []byte, want string) {
		t.Helper()
		if _, err := KeepAnswer(dir, answer, nil, noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		if !bytes.Equal(before, chainOf(t, dir)) {
			t.Errorf("%s: the chain was changed", name)
		}
		if diff := cmp.Diff([]string{"case.json", "custody.jsonl", "findings.jsonl"}, names(t, dir)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	again := ask(t, dir, "")
	refuse("of a head that nobody asked about", a.Answer(t, again.DER), "has asked for no time stamp")
	same := *q.Request
	other, err := timestamp.NewRequest(same.Digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	refuse("to another question about the same", a.Answer(t, other.DER), "another nonce")
	refuse("garbage", []byte("not found"), "no time stamp response")
	answer := a.Answer(t, q.DER)
	harmed := bytes.Clone(answer)
	harmed[len(harmed)-1] ^= 1
	refuse("a changed byte", harmed, "signature does not hold")
	if _, err := KeepAnswer(dir, answer, rootsOf(t, tsatest.New(t, "sha256")), noon); err == nil || !strings.Contains(err.Error(), "does not lead to a root") {
		t.Errorf("another root: %v", err)
	}

	kept, err := KeepAnswer(dir, answer, rootsOf(t, a), noon)
	if err != nil || kept.Line != 4 || kept.Token.Policy.String() != tsatest.OtherPolicy {
		t.Fatalf("%+v %v", kept, err)
	}
	if _, err := KeepAnswer(dir, answer, nil, noon); err == nil || !strings.Contains(err.Error(), "has this answer already: seal-1.tsr, line 7") {
		t.Errorf("twice: %v", err)
	}
	if diff := cmp.Diff([]string{"case.json", "custody.jsonl", "findings.jsonl", "seal-1.tsr"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	v, err := Verify(dir, VerifyOptions{})
	if err != nil || v.Failed() != 0 || !v.Seals[0].Fits {
		t.Errorf("%+v %v", v, err)
	}
	if p, err := json.Marshal(v); err != nil || !bytes.Contains(p, []byte(`"fits":true,"trusted":false,"command":"openssl ts -verify -digest `)) {
		t.Errorf("%s %v", p, err)
	}
}

func TestWhatCannotBeKeptIsNotAskedFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	path := filepath.Join(dir, CustodyFile)
	p := chainOf(t, dir)
	os.WriteFile(path, bytes.Replace(p, []byte("b.log"), []byte("x.log"), 1), 0o600)
	if _, err := AskSeal(dir, nil); !errors.Is(err, ErrChain) {
		t.Error(err)
	}
	os.Remove(path)
	if _, err := AskSeal(dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if os.Getuid() == 0 {
		return // may write everywhere
	}
	os.WriteFile(path, p, 0o400)
	if _, err := AskSeal(dir, nil); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// The chain was changed between the question and its answer.
func TestAnAnswerToWhatIsNoMoreIsNotKept(t *testing.T) {
	a := tsatest.New(t, "sha256")
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	q := ask(t, dir, "")
	write(t, dir, true, "another")
	if _, err := KeepSeal(dir, q, a.Answer(t, q.DER), nil, noon); err == nil || !strings.Contains(err.Error(), "the chain was changed since") {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"case.json", "custody.jsonl", "findings.jsonl"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{"/a/b-1.tsr": "/a/b-1.tsr", "a b": "'a b'", "a'b": `'a'\''b'`, "": "''", "$(x)": "'$(x)'", "-x": "'-x'"} {
		if got := shellWord(s); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}

func TestSealNames(t *testing.T) {
	for name, want := range map[string]bool{"seal-1.tsr": true, "seal-12.tsr": true, ".writing-seal-1.tsr": true, "seal-0.tsr": false, "seal-x.tsr": false, "seal-1.txt": false, "notes": false} {
		if got := isSealName(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
