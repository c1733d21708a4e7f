package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func chainOf(t testing.TB, dir string) []byte {
	t.Helper()
	p, err := os.ReadFile(filepath.Join(dir, CustodyFile))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// exports returns the paths of the exports in a chain, which has to hold.
func exports(t testing.TB, dir string) []string {
	t.Helper()
	log, err := parseCustody(bytes.NewReader(chainOf(t, dir)))
	if err != nil || len(log.broken) > 0 {
		t.Fatalf("the chain does not hold: %v %v", log.broken, err)
	}
	var paths []string
	for _, c := range log.entries {
		if c.Kind == KindExport {
			paths = append(paths, c.Path)
		}
	}
	return paths
}

func TestAnExportIsALineOfTheChain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	head := write(t, dir, false, "one")
	before := chainOf(t, dir)
	hash := strings.Repeat("e", 64)
	x := Export{Format: "dora-initial", Path: "/out/a\u202eb.json", Bytes: 12, SHA256: hash, TLP: "AMBER", Lang: "fr"}
	if err := RecordExport(dir, x, noon); err != nil {
		t.Fatal(err)
	}
	after := chainOf(t, dir)
	added, ok := bytes.CutPrefix(after, before)
	want := `{"seq":5,"kind":"export","path":"/out/a\u202eb.json","bytes":12,"sha256":"` + hash + `","read":"2021-03-03T12:00:00.000Z","format":"dora-initial","tlp":"AMBER","lang":"fr","prev":"` + head + `","hash":"`
	if !ok || !strings.HasPrefix(string(added), want) {
		t.Errorf("got  %s\nwant %s", added, want)
	}
	// A judgement keeps it.
	judgeAnew(t, dir, "two", noon)
	if diff := cmp.Diff([]string{x.Path}, exports(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// A judgement that began before an export was recorded does not lose it; of two judgements the second says that it was overtaken.
func TestWhatIsRecordedDuringAJudgementStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	begin := func() *Writer {
		w, err := Rewrite(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Abort() })
		if err := w.WriteCase(&Case{Schema: Schema}); err != nil {
			t.Fatal(err)
		}
		w.DecidedBy(Custody{Path: FactsFile}, []Statement{{Author: "R. Haddad", About: "session S1 is owner"}})
		return w
	}
	first, second := begin(), begin()
	if err := RecordExport(dir, Export{Path: "/out/a"}, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := first.CommitJudgement(noon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/out/a"}, exports(t, dir)); diff != "" {
		t.Error(diff)
	}
	if _, err := second.CommitJudgement(noon); err == nil || !strings.Contains(err.Error(), "decided this case anew") {
		t.Errorf("two judgements at once: %v", err)
	}
}

// TestRecordInAProcess is not a test: TestProcessesAtOnce runs it in processes of their own.
func TestRecordInAProcess(t *testing.T) {
	dir := os.Getenv("BARID_TEST_CASE")
	if dir == "" {
		t.Skip("only run by TestProcessesAtOnce")
	}
	for i := range 20 {
		if err := RecordExport(dir, Export{Path: fmt.Sprint("/out/", os.Getpid(), "-", i)}, noon); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProcessesAtOnceLoseNoLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	var wait sync.WaitGroup
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestRecordInAProcess$")
		cmd.Env = append(os.Environ(), "BARID_TEST_CASE="+dir)
		wait.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	judgements := 0
	for range 10 { // the folder is exchanged meanwhile
		w, err := Rewrite(dir)
		if err != nil {
			t.Fatal(err)
		}
		w.WriteCase(&Case{Schema: Schema})
		w.DecidedBy(Custody{Path: FactsFile}, nil)
		if _, err := w.CommitJudgement(noon); err != nil {
			t.Fatal(err)
		}
		judgements++
	}
	wait.Wait()
	seen := make(map[string]bool)
	for _, path := range exports(t, dir) {
		seen[path] = true
	}
	if len(seen) != 60 || judgements != 10 {
		t.Errorf("%d of 60 exports are in the chain", len(seen))
	}
}

// However far a write came before the machine died, the next one mends the chain, and nothing that stood there is lost.
func TestAWriteThatWasInterruptedIsMended(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	before := chainOf(t, dir)
	if err := RecordExport(dir, Export{Path: "/out/\u202ea"}, noon); err != nil {
		t.Fatal(err)
	}
	whole := chainOf(t, dir)
	check := func(t *rapid.T) {
		n := rapid.IntRange(len(before), len(whole)).Draw(t, "bytes")
		left := bytes.Clone(whole[:n])
		if rapid.Bool().Draw(t, "zeros") { // as some file systems leave it
			left = append(left, make([]byte, rapid.IntRange(0, 100).Draw(t, "n"))...)
		}
		torn := left[len(before):]
		if n == len(whole) && len(left) > n {
			torn = left[n:]
		}
		if err := os.WriteFile(filepath.Join(dir, CustodyFile), left, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := RecordExport(dir, Export{Path: "/out/b"}, noon); err != nil {
			t.Fatal(err)
		}
		log, err := readCustody(dir)
		if err != nil || len(log.broken) > 0 {
			t.Fatalf("%v %v", log.broken, err)
		}
		kinds := make(map[string]int)
		for _, c := range log.entries {
			kinds[c.Kind]++
			if c.Kind == KindRepair && c.Torn != string(torn) {
				t.Fatalf("kept %q of %q", c.Torn, torn)
			}
		}
		if entire := n >= len(whole)-1 && len(left) == n; len(left) == len(before) || entire {
			if kinds[KindRepair] != 0 {
				t.Fatal("there was nothing to mend")
			}
		} else if kinds[KindRepair] != 1 {
			t.Fatalf("%v", kinds)
		}
		if kinds[KindEvidence] != 2 || kinds[KindCase] != 2 || kinds[KindExport] == 0 {
			t.Fatalf("%v", kinds)
		}
	}
	rapid.Check(t, check)

	// A judgement mends it as well.
	os.WriteFile(filepath.Join(dir, CustodyFile), whole[:len(whole)-10], 0o600)
	v, err := Verify(dir, VerifyOptions{})
	if err != nil || v.Failed() != 1 {
		t.Errorf("a torn line was not seen: %v %v", v, err)
	}
	judgeAnew(t, dir, "two", noon)
	if v, err = Verify(dir, VerifyOptions{}); err != nil || v.Failed() != 0 {
		t.Errorf("%v %v", v, err)
	}
}

func TestABrokenChainIsNotExtended(t *testing.T) {
	f := func(name string, harm func(path string, p []byte) error, want error) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "case")
		write(t, dir, false, "one")
		path := filepath.Join(dir, CustodyFile)
		if err := harm(path, chainOf(t, dir)); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		if err := RecordExport(dir, Export{Path: "/out/a"}, noon); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the chain was changed", name)
		}
	}
	put := func(p []byte) func(string, []byte) error {
		return func(path string, _ []byte) error { return os.WriteFile(path, p, 0o600) }
	}
	f("a line was changed", func(path string, p []byte) error {
		return os.WriteFile(path, bytes.Replace(p, []byte("a.log"), []byte("c.log"), 1), 0o600)
	}, ErrChain)
	f("nothing in it", put(nil), ErrChain)
	f("no line in it", put([]byte("hello")), ErrChain)
	f("much after it", func(path string, p []byte) error {
		return os.WriteFile(path, append(p, bytes.Repeat([]byte{'x'}, maxTorn+1)...), 0o600)
	}, ErrChain)
	f("no chain", func(path string, _ []byte) error { return os.Remove(path) }, fs.ErrNotExist)
	f("a folder in its place", func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, ErrNotCase)
	f("a link in its place", func(path string, p []byte) error {
		return errors.Join(os.WriteFile(path+"2", p, 0o600), os.Remove(path), os.Symlink(path+"2", path))
	}, ErrNotCase)
}

func TestWriteFileWritesWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	n, sum, err := WriteFile(path, text("hello\n"))
	if err != nil || n != 6 || sum != "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" { // sha256sum
		t.Error(n, sum, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	stop := errors.New("stop")
	if _, _, err := WriteFile(path, func(w io.Writer) error { io.WriteString(w, "half"); return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if p, _ := os.ReadFile(path); string(p) != "hello\n" {
		t.Errorf("%q was left", p)
	}
	link := filepath.Join(dir, "link")
	os.Symlink(path, link)
	os.Chmod(path, 0o640)
	if _, _, err := WriteFile(link, text("through the link")); err != nil {
		t.Error(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	if p, _ := os.ReadFile(path); string(p) != "through the link" {
		t.Errorf("%q", p)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v", info.Mode())
	}
	if _, _, err := WriteFile(dir, text("x")); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Error(err)
	}
	if _, _, err := WriteFile(filepath.Join(dir, "no", "such"), text("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat("/dev/null"); err == nil {
		if n, _, err := WriteFile("/dev/null", text("hello\n")); n != 6 || err != nil {
			t.Error(n, err)
		}
		if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
			t.Fatal("/dev/null was replaced")
		}
	}
	if diff := cmp.Diff([]string{"link", "report.html"}, names(t, dir)); diff != "" {
		t.Error("left:", diff)
	}
}

func TestInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	os.MkdirAll(dir, 0o700)
	os.Symlink(dir, filepath.Join(filepath.Dir(dir), "link"))
	for path, want := range map[string]bool{"case.json": true, "new/x": true, ".": true, "../case2": false, "../other/x": false, "../link/new": true, "..": false, "..x": true} {
		if got := Inside(dir, dir+"/"+path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestStatementWords(t *testing.T) {
	at := time.Date(2021, 3, 9, 11, 0, 0, 0, time.FixedZone("", 3600))
	s := Statement{Author: "R. Haddad", Time: &at, About: "session S1 is owner", Reason: "asked \"her\"\n\u202e"}
	want := `["barid.statement/1","R. Haddad","2021-03-09T10:00:00Z","session S1 is owner","asked \"her\"\n\u202e"]`
	if got := string(StatementWords(&s)); got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(StatementWords(&Statement{})); got != `["barid.statement/1","","","",""]` {
		t.Error(got)
	}
}

func TestStatementsStandInTheChain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	judged := func(written, listed []Statement) *Verification {
		t.Helper()
		w, err := Rewrite(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if err := w.WriteCase(&Case{Schema: Schema, Statements: written}); err != nil {
			t.Fatal(err)
		}
		w.DecidedBy(Custody{Path: FactsFile}, listed)
		if _, err := w.CommitJudgement(noon); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(dir, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	said := func(v *Verification) (list []string) {
		for _, c := range v.Checks {
			if c.Kind == KindStatement {
				list = append(list, fmt.Sprintf("%d %s %s", c.Line, c.Status, c.Detail))
			}
		}
		return list
	}
	one := Statement{Author: "ana", Time: &noon, About: "session S1 is owner", Reason: "asked"}
	two := Statement{Author: "ana", Time: &noon, About: "session S1 is attacker", Reason: "asked again"}
	write(t, dir, false, "one")
	if diff := cmp.Diff([]string{"6 ok ana, 2021-03-03T12:00:00Z: session S1 is owner"}, said(judged([]Statement{one}, []Statement{one}))); diff != "" {
		t.Error(diff)
	}
	v := judged([]Statement{two}, []Statement{two})
	want := []string{"6 replaced ana, 2021-03-03T12:00:00Z: session S1 is owner; withdrawn or changed since", "9 ok ana, 2021-03-03T12:00:00Z: session S1 is attacker"}
	if diff := cmp.Diff(want, said(v)); diff != "" || v.Failed() != 0 {
		t.Error(diff)
	}
	// A case whose statements are not those of its chain.
	if v = judged([]Statement{one}, []Statement{two}); v.Failed() != 2 {
		t.Errorf("%v", said(v))
	}
}
