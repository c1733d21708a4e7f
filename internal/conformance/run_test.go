// Package conformance_test holds the whole program, from bytes to incidents, against evidence whose truth others have
// stated: what was done, by whom, and which rule must see it. The evidence is no part of the repository; without it the
// tests are skipped. What is not found although it should be is counted, and the counts may only get better.
package conformance_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/sigma"
)

// The rule sets of these tests, each compiled once.
var (
	ownRules = sync.OnceValues(func() (*detect.Rules, error) { return compile("") })
	allRules sync.Once
	all      *detect.Rules
	errAll   error
)

// own returns Barid's own rules.
func own(t testing.TB) *detect.Rules {
	t.Helper()
	r, err := ownRules()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// withSigmaHQ returns Barid's own rules and those of SigmaHQ.
func withSigmaHQ(t testing.TB) *detect.Rules {
	t.Helper()
	name := sharedtest.Path(t, "evidence", "sigma-rules", "sigma-rules.zip")
	allRules.Do(func() { all, errAll = compile(name) })
	if errAll != nil {
		t.Fatal(errAll)
	}
	return all
}

// compile returns Barid's own rules and those in the file called more, if it is not "".
func compile(more string) (*detect.Rules, error) {
	pack, err := sigma.LoadFS(content.Rules())
	if err != nil {
		return nil, err
	}
	if more != "" {
		p, err := sigma.Load(more)
		if err != nil {
			return nil, err
		}
		pack.Add(p)
	}
	engine, _ := sigma.Compile(pack, sigma.Options{})
	return detect.NewRules(engine), nil
}

func config(rules *detect.Rules, paths []string) pipeline.Config {
	return pipeline.Config{Paths: paths, Formats: pipeline.Formats(), Workers: 2, From: event.UnknownTime, To: event.UnknownTime, Rules: rules}
}

// scan returns every finding in the evidence, what counting found among them.
func scan(t testing.TB, rules *detect.Rules, paths ...string) ([]casefile.Finding, []casefile.Source) {
	t.Helper()
	var out bytes.Buffer
	_, sources, _, err := pipeline.Scan(context.Background(), config(rules, paths), &out)
	if err != nil {
		t.Fatal(err)
	}
	var list []casefile.Finding
	for d := json.NewDecoder(&out); d.More(); {
		var f casefile.Finding
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list, sources
}

// line is a line of barid dump.
type line struct {
	Time   *time.Time
	Source struct {
		Path string
		Line int64
	}
	LogSource struct{ Product, Category, Service string }
	Event     map[string]any
	Observed  []observed
}

type observed struct {
	Kind, Account, IP, Channel, Session, Action, Object, Target string
	OK                                                          *bool // nil: the log does not tell
	Count                                                       *int64
}

// dump calls each with every event in the evidence.
func dump(t testing.TB, each func(*line), paths ...string) []casefile.Source {
	t.Helper()
	r, w := io.Pipe()
	var sources []casefile.Source
	go func() {
		b := bufio.NewWriterSize(w, 1<<20)
		_, s, err := pipeline.Dump(context.Background(), config(nil, paths), b)
		sources = s
		b.Flush()
		w.CloseWithError(err)
	}()
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for {
		var l line
		err := d.Decode(&l)
		if err == io.EOF {
			return sources
		}
		if err != nil {
			t.Fatal(err)
		}
		each(&l)
	}
}

// assess returns the case that the evidence makes, without informational findings.
func assess(t testing.TB, rules *detect.Rules, paths ...string) *casefile.Case {
	t.Helper()
	_, c := assessIn(t, rules, paths...)
	return c
}

// assessIn is assess, and returns the folder of the case too.
func assessIn(t testing.TB, rules *detect.Rules, paths ...string) (string, *casefile.Case) {
	t.Helper()
	cfg := pipeline.AssessConfig{Config: config(rules, paths), Dir: filepath.Join(t.TempDir(), "case"), Now: time.Unix(0, 0), Facts: &judge.Facts{}}
	cfg.MinLevel = detect.Low
	_, c, err := pipeline.Assess(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Dir, c
}

// evidence returns the path of a file or folder of the evidence.
func evidence(t testing.TB, elem ...string) string {
	t.Helper()
	return sharedtest.Path(t, append([]string{"evidence"}, elem...)...)
}

// unzip returns the files of an archive of the evidence by name.
func unzip(t testing.TB, elem ...string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(evidence(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

// table returns the rows of a TSV file of the evidence, each by the names in its first line.
func table(t testing.TB, elem ...string) []map[string]string {
	t.Helper()
	p, err := os.ReadFile(evidence(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(p), "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	var rows []map[string]string
	for _, l := range lines[1:] {
		row := map[string]string{}
		for i, v := range strings.Split(l, "\t") {
			if i < len(names) {
				row[names[i]] = v
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// put writes a file into dir, with the folders above it, and returns its path.
func put(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// incidents returns the incidents of a case, a line each.
func incidents(c *casefile.Case) string {
	var b strings.Builder
	for _, i := range c.Incidents {
		fmt.Fprintf(&b, "%s %s: %s\n   %d findings, %s to %s, %d actors %.100v\n", i.ID, i.Severity, i.Title, i.Findings,
			i.First.Format(time.DateTime), i.Last.Format(time.DateTime), len(i.Actors), i.Actors)
		for _, s := range i.Steps {
			fmt.Fprintf(&b, "      %-8s %6d  %s\n", s.Rule.Level, s.Count, s.Rule.Title)
		}
	}
	return b.String()
}

// golden compares a table with the file of that name in testdata, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not what %s holds (if it is meant: -update):\n%s", name, got)
	}
}

// titles returns the different titles of rules, in order.
func titles(list []casefile.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Rule.Title)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
