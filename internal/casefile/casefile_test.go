package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/event"
)

var noon = time.Date(2021, 3, 3, 12, 0, 0, 0, time.UTC)

func finding(i int) *Finding {
	at := noon.Add(time.Duration(i*7919%1000) * time.Second)
	return &Finding{
		Time:   &at,
		Rule:   Rule{ID: fmt.Sprint("r", i%3), Title: "Web shell used", Level: "high", Tags: []string{"attack.t1505.003"}},
		Host:   "ex1.example.org",
		Source: Position{Path: fmt.Sprint("logs.zip!u_ex", i%5, ".log"), Line: int64(i + 1), Offset: int64(i * 100)},
		Event:  json.RawMessage(`{"c-ip":"203.0.113.9","cs-uri-stem":"/aspnet_client/x.aspx"}`),
	}
}

func create(t *testing.T, dir string, force bool) *Writer {
	t.Helper()
	w, err := Create(dir, force)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Abort() })
	return w
}

// write writes a whole small case and returns its head.
func write(t *testing.T, dir string, force bool, title string) string {
	t.Helper()
	w := create(t, dir, force)
	if err := w.WriteCase(&Case{Schema: Schema, Incidents: []Incident{{ID: "1", Title: title}}}); err != nil {
		t.Fatal(err)
	}
	fw := w.Findings()
	for i := range 10 {
		if err := fw.Add(finding(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := fw.Close(); err != nil {
		t.Fatal(err)
	}
	head, err := w.Commit([]Custody{
		{Path: "b.log", Bytes: 2, SHA256: strings.Repeat("b", 64), Read: noon},
		{Path: "a.log", Bytes: 1, SHA256: strings.Repeat("a", 64), Read: noon},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestCaseFolderHoldsItsFilesAndNothingElse(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "sub", "case")
	write(t, dir, false, "one")
	if diff := cmp.Diff([]string{"case.json", "custody.jsonl", "findings.jsonl"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"case"}, names(t, filepath.Dir(dir))); diff != "" {
		t.Error("left beside the case:", diff)
	}
	for _, name := range append(names(t, dir), ".") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v: others may look", name, info.Mode())
		}
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Incidents) != 1 || c.Incidents[0].Title != "one" {
		t.Errorf("read back: %+v", c.Incidents)
	}
}

func TestNothingIsOverwrittenByMistake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	write(t, dir, false, "one")
	if _, err := Create(dir, false); !errors.Is(err, ErrExists) {
		t.Errorf("a case without force: %v", err)
	}
	write(t, dir, true, "two")
	if c, err := Open(dir); err != nil || c.Incidents[0].Title != "two" {
		t.Errorf("after force: %v %v", c, err)
	}
	if diff := cmp.Diff([]string{"case"}, names(t, filepath.Dir(dir))); diff != "" {
		t.Error("left beside the case:", diff)
	}

	os.WriteFile(filepath.Join(dir, "my notes.txt"), nil, 0o600)
	if _, err := Create(dir, true); !errors.Is(err, ErrNotCase) {
		t.Errorf("a case with a file of a person in it: %v", err)
	}
	other := t.TempDir()
	os.WriteFile(filepath.Join(other, "case.json"), []byte(`{"schema":"something/1"}`), 0o600)
	if _, err := Create(other, true); !errors.Is(err, ErrNotCase) {
		t.Errorf("another program's folder: %v", err)
	}
	file := filepath.Join(other, "case.json")
	if _, err := Create(file, true); !errors.Is(err, ErrNotCase) {
		t.Errorf("a file: %v", err)
	}
}

func TestCommitLooksAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "case")
	w := create(t, dir, false)
	if err := w.WriteCase(&Case{Schema: Schema}); err != nil {
		t.Fatal(err)
	}
	os.Mkdir(dir, 0o700)
	os.WriteFile(filepath.Join(dir, "precious"), []byte("x"), 0o600)
	if _, err := w.Commit(nil, noon); !errors.Is(err, ErrNotCase) {
		t.Errorf("Commit over a folder that appeared meanwhile: %v", err)
	}
	if diff := cmp.Diff([]string{"precious"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	w := create(t, filepath.Join(parent, "case"), false)
	fw := w.findings(1000, nil)
	for i := range 100 {
		fw.Add(finding(i))
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if left := names(t, parent); len(left) > 0 {
		t.Error("left:", left)
	}
}

func TestFileNamesStayInTheFolder(t *testing.T) {
	w := create(t, filepath.Join(t.TempDir(), "case"), false)
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", CustodyFile} {
		if _, err := w.File(name); err == nil {
			t.Errorf("File(%q) was allowed", name)
		}
	}
}

// sorted writes findings in the order of perm and returns the two files.
func sorted(t *testing.T, dir string, n, spillAt int, perm []int) (jsonl, other string) {
	t.Helper()
	w, err := Create(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	fw := w.findings(spillAt, []LineFile{{Name: "other.txt", Header: []byte("title\n"), Append: func(dst []byte, f *Finding) []byte {
		return fmt.Appendf(dst, "%s %d\n", f.Source.Path, f.Source.Offset)
	}}})
	for _, i := range perm {
		f := finding(i)
		if i%17 == 0 {
			f.Time = nil
		}
		if err := fw.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := fw.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := os.ReadFile(filepath.Join(w.Dir(), FindingsFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(w.Dir(), "other.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(a), string(b)
}

func TestFindingsAreTheSameBytesInWhateverOrderTheyCome(t *testing.T) {
	const n = 400
	in := make([]int, n)
	for i := range in {
		in[i] = i
	}
	dir := t.TempDir()
	wantA, wantB := sorted(t, filepath.Join(dir, "c"), n, SpillAt, in)
	if lines := strings.Count(wantA, "\n"); lines != n {
		t.Fatalf("%d lines of %d findings", lines, n)
	}
	// A bound of 300 bytes gives a run for every finding, so more runs than are merged at once.
	for _, spillAt := range []int{300, 5000, 50_000} {
		for seed := range uint64(4) {
			a, b := sorted(t, filepath.Join(dir, "c"), n, spillAt, rand.New(rand.NewPCG(seed, 0)).Perm(n))
			if a != wantA || b != wantB {
				t.Fatalf("spilled at %d bytes, order %d: the files differ", spillAt, seed)
			}
		}
	}
}

func TestFindingsComeInOrderOfTimePathOffsetRule(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	w := create(t, dir, false)
	fw := w.Findings()
	later := noon.Add(time.Second)
	early := time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)
	add := func(at *time.Time, path string, offset int64, rule string) {
		fw.Add(&Finding{Time: at, Rule: Rule{ID: rule}, Source: Position{Path: path, Offset: offset}})
	}
	add(nil, "a", 0, "r")
	add(&later, "a", 0, "r")
	add(&noon, "b", 0, "r")
	add(&noon, "a", 10, "r2")
	add(&noon, "a", 10, "r1")
	add(&noon, "a", 9, "r9")
	add(&early, "z", 0, "r")
	if err := fw.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for f, err := range Findings(w.Dir()) {
		if err != nil {
			t.Fatal(err)
		}
		at := "-"
		if f.Time != nil {
			at = f.Time.Format("2006 05")
		}
		got = append(got, fmt.Sprint(at, " ", f.Source.Path, f.Source.Offset, f.Rule.ID))
	}
	want := []string{"1700 00 z0r", "2021 00 a9r9", "2021 00 a10r1", "2021 00 a10r2", "2021 00 b0r", "2021 01 a0r", "- a0r"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFindingLine(t *testing.T) {
	f := func(in Finding, want string) {
		t.Helper()
		got := string(AppendFinding(nil, &in))
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		var back Finding
		if err := json.Unmarshal([]byte(got), &back); err != nil {
			t.Error(err)
		}
	}
	at := noon.Add(210 * time.Millisecond).In(time.FixedZone("", 3600))
	f(Finding{Time: &at, Rule: Rule{ID: "1", Title: "<b> & \"x\"", Level: "high", Tags: []string{"attack.t1190"}}, Host: "EX1", Account: "ana", Client: "203.0.113.9",
		Source: Position{Path: "logs.zip!a.LOG", SHA256: "ab", Record: 12, Line: 12, Offset: 4711}, Event: json.RawMessage(`{ "Field" : "va lue" }`)},
		`{"time":"2021-03-03T12:00:00.210Z","rule":{"id":"1","title":"<b> & \"x\"","level":"high","tags":["attack.t1190"]},"host":"EX1","account":"ana","client":"203.0.113.9",`+
			`"source":{"path":"logs.zip!a.LOG","sha256":"ab","record":12,"line":12,"offset":4711},"event":{"Field":"va lue"}}`)
	f(Finding{Host: "a\u202eb\u2028\x00\x7f\xff\U000e0041é", Event: json.RawMessage("{\"a\":\"\u202e\xff\x7fé\"}")},
		`{"time":null,"rule":{"id":"","title":"","level":"","tags":[]},"host":"a\u202eb\u2028\u0000\u007f`+"\ufffd"+`\udb40\udc41é",`+
			`"source":{"path":"","offset":0},"event":{"a":"\u202e`+"\ufffd"+`\u007fé"}}`)
	f(Finding{Event: json.RawMessage(`{"a":`)},
		`{"time":null,"rule":{"id":"","title":"","level":"","tags":[]},"host":"","source":{"path":"","offset":0},"event":{"_invalid":"{\"a\":"}}`)
}

func TestCaseHasNoNullListsAndNoHiddenCharacters(t *testing.T) {
	p, err := Encode(&Case{Schema: Schema, Incidents: []Incident{{Title: "a\u202eb <x>", Steps: []Step{{}}}}, Sessions: []Session{{}},
		Capabilities: []Capability{{}}, Coverage: []Coverage{{}}, Sources: []Source{{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`"techniques": null`, `"steps": null`, `"evidence": null`, `"why": null`, `"gaps": null`, `"errors": null`, `"rejected": null`, "\u202e"} {
		if strings.Contains(string(p), bad) {
			t.Errorf("case.json has %s", bad)
		}
	}
	if !strings.Contains(string(p), `a\u202eb <x>`) {
		t.Errorf("the title is not there as it should be:\n%s", p)
	}
}

func TestCustodyLine(t *testing.T) {
	p, _ := appendCustody(nil, []Custody{{Kind: KindEvidence, Path: "a.log", Bytes: 7, SHA256: "cd", Read: noon}})
	// The hash is what sha256sum says of 000…000{"seq":1,…,"prev":"000…000"}
	want := `{"seq":1,"kind":"evidence","path":"a.log","bytes":7,"sha256":"cd","read":"2021-03-03T12:00:00.000Z","prev":"` + noHash +
		`","hash":"95c84ad661f8b0df44ddcafcd1d8da197358372d3e8caf91b1b48e31449af1e2"}` + "\n"
	if diff := cmp.Diff(want, string(p)); diff != "" {
		t.Error(diff)
	}
}

func TestVerify(t *testing.T) {
	rehash := func(c Custody) (string, error) {
		switch c.Path {
		case "a.log":
			return strings.Repeat("A", 64), nil
		case "b.log":
			return strings.Repeat("b", 64), nil
		}
		return "", fs.ErrNotExist
	}
	f := func(name string, harm func(dir string), evidence func(Custody) (string, error), want ...string) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "case")
		wantHead := write(t, dir, false, "one")
		harm(dir)
		v, err := Verify(dir, VerifyOptions{Evidence: evidence})
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, c := range v.Checks {
			if c.Status != OK {
				got = append(got, fmt.Sprintf("%s %s %s", c.Kind, c.Path, c.Status))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(name, diff)
		}
		if name == "whole" && v.Head != wantHead {
			t.Errorf("head %s, want %s", v.Head, wantHead)
		}
	}
	edit := func(name, old, repl string) func(string) {
		return func(dir string) {
			t.Helper()
			path := filepath.Join(dir, name)
			p, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(p, []byte(old)) {
				t.Fatalf("%s: %v, or no %q", path, err, old)
			}
			os.WriteFile(path, bytes.Replace(p, []byte(old), []byte(repl), 1), 0o600)
		}
	}
	f("whole", func(string) {}, rehash)
	f("evidence not at hand", func(string) {}, nil, "evidence a.log not checked", "evidence b.log not checked")
	f("evidence gone", func(string) {}, func(Custody) (string, error) { return "", fs.ErrNotExist }, "evidence a.log missing", "evidence b.log missing")
	f("evidence another", func(string) {}, func(Custody) (string, error) { return strings.Repeat("c", 64), nil }, "evidence a.log changed", "evidence b.log changed")
	f("case edited", edit("case.json", "one", "two"), rehash, "case case.json changed")
	f("findings gone", func(dir string) { os.Remove(filepath.Join(dir, FindingsFile)) }, rehash, "case findings.jsonl missing")
	f("a file more", func(dir string) { os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) }, rehash, "case x not checked")
	f("line edited", edit("custody.jsonl", "a.log", "b.log"), func(Custody) (string, error) { return "", ErrNotChecked },
		"chain custody.jsonl changed", "evidence b.log not checked", "evidence b.log not checked")
	f("a link out of the case", func(dir string) {
		os.Remove(filepath.Join(dir, FindingsFile))
		os.Symlink("/etc/passwd", filepath.Join(dir, FindingsFile))
	}, rehash, "case findings.jsonl changed")
	f("a folder in its place", func(dir string) {
		os.Remove(filepath.Join(dir, CaseFile))
		os.Mkdir(filepath.Join(dir, CaseFile), 0o700)
	}, rehash, "case case.json changed")
	f("first line cut", func(dir string) {
		path := filepath.Join(dir, CustodyFile)
		p, _ := os.ReadFile(path)
		_, rest, _ := bytes.Cut(p, []byte("\n"))
		os.WriteFile(path, rest, 0o600)
	}, rehash, "chain custody.jsonl changed", "chain custody.jsonl changed", "chain custody.jsonl changed")
	f("last line cut", func(dir string) {
		path := filepath.Join(dir, CustodyFile)
		p, _ := os.ReadFile(path)
		p = p[:bytes.LastIndexByte(bytes.TrimSpace(p), '\n')+1]
		os.WriteFile(path, p, 0o600)
	}, rehash, "chain findings.jsonl missing", "case findings.jsonl not checked")
}

func FuzzCustody(f *testing.F) {
	p, _ := appendCustody(nil, []Custody{{Kind: KindEvidence, Path: "a.log", Read: noon}, {Kind: KindCase, Path: "../case.json", Read: noon}})
	f.Add(p)
	f.Add([]byte("{}\n{\"seq\":2,\"hash\":\"\"}\n\n"))
	f.Fuzz(func(t *testing.T, p []byte) {
		log, err := parseCustody(bytes.NewReader(p))
		if err == nil && len(log.entries) == 0 && len(log.broken) == 0 && len(p) > 0 {
			t.Error("bytes without a line and without a fault")
		}
	})
}

func FuzzFindingLineIsSafeJSON(f *testing.F) {
	f.Add("EX1", []byte(`{"a":"b\\","c":[1, 2]}`))
	f.Add("\u202e\xff\x00", []byte("{\"a\":\"\u2066\\u202e\"}"))
	f.Add("", []byte(`{"a":`))
	f.Fuzz(func(t *testing.T, host string, fields []byte) {
		in := Finding{Time: &noon, Host: host, Event: fields}
		line := AppendFinding(nil, &in)
		if !json.Valid(line) {
			t.Fatalf("no JSON: %q", line)
		}
		for _, r := range string(line) {
			if event.Hidden(r) {
				t.Fatalf("%U in %q", r, line)
			}
		}
		var back Finding
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(host) && back.Host != host {
			t.Fatalf("host %q became %q", host, back.Host)
		}
		if again := AppendFinding(nil, &back); !bytes.Equal(line, again) {
			t.Fatalf("not stable:\n%s\n%s", line, again)
		}
	})
}

func FuzzFindingIsReadAsJSONSaysItIs(f *testing.F) {
	f.Add(AppendFinding(nil, finding(1)))
	f.Add(AppendFinding(nil, &Finding{Host: "a\u202e\"", Account: "b", Client: "c", Source: Position{SHA256: "d", Record: 1}}))
	f.Add(AppendFinding(nil, &Finding{Object: "/x.php", Event: json.RawMessage(`{"a":"}"}`), Raw: "GET /x.php \x01\""}))
	f.Add([]byte(`{"time":null,"rule":{},"host":"","source":{"path":"","offset":1},"event":{},"raw":"a\tb","raw":"c"}`))
	f.Add([]byte(`{"event":{}, "time" : null}`))
	f.Add([]byte(`{"time":null,"rule":{},"host":"","source":{"path":"","offset":00},"event":{}}`))
	f.Add([]byte(`{"time":"2021-03-03T1:00:00Z","rule":{},"host":"","source":{"path":"","offset":+1},"event":{}}`))
	f.Add([]byte(`{"time":"2021-03-03T12:00:00Z","rule":{},"host":"\ud800","source":{"path":null,"offset":1e3},"event":1}`))
	f.Add([]byte(`{"time":null,"rule":null,"host":"","source":{"path":"","offset":0,"line":7},"event":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var want Finding
		wantErr := json.Unmarshal(line, &want)
		p := newFindingParser()
		for range 2 { // the second time from what it remembers
			err := p.parse(line)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%v, encoding/json says %v", err, wantErr)
			}
			if err == nil && !cmp.Equal(want, p.f, cmp.Comparer(func(a, b json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(a), bytes.TrimSpace(b)) })) {
				t.Fatal(cmp.Diff(want, p.f))
			}
		}
	})
}

// Lines of text logs carry an object and the line itself: they must not be the slow ones.
func TestEveryFieldHasItsPlaceInAKnownLine(t *testing.T) {
	f := finding(1)
	f.Last = f.Time
	f.Account, f.Client, f.Object, f.Raw = "ana", "203.0.113.9", "/x.php", `203.0.113.9 - ana "GET /x.php"`
	if line := AppendFinding(nil, f); !newFindingParser().known(line) {
		t.Errorf("not read by its order of fields: %s", line)
	}
}

func BenchmarkParseFinding(b *testing.B) {
	line := AppendFinding(nil, finding(1))
	p := newFindingParser()
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.parse(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFinding(b *testing.B) {
	f := finding(1)
	buf := AppendFinding(nil, f)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFinding(buf[:0], f)
	}
}

func BenchmarkFindingWriter(b *testing.B) {
	const n = 200_000
	b.ReportAllocs()
	for b.Loop() {
		w, err := Create(filepath.Join(b.TempDir(), "c"), false)
		if err != nil {
			b.Fatal(err)
		}
		fw := w.Findings()
		for i := range n {
			fw.Add(finding(i))
		}
		if err := fw.Close(); err != nil {
			b.Fatal(err)
		}
		w.Abort()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "findings/s")
}

// What a damaged file holds is said without the names of Go's types.
func TestDamagedInWords(t *testing.T) {
	for text, want := range map[string]string{
		"[]":                          "at byte 1: what stands here, of the kind array, is nothing that Barid writes",
		`{"schema": 5}`:               "schema is of the kind number, which Barid does not write there",
		`{"schema": "barid.case/1", `: "it ends after byte",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, CaseFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "casefile.") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
