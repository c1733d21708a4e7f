package conformance_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/pipeline"
)

// some is evidence of many kinds that is read in a moment.
var some = [][]string{{"exchange"}, {"iis"}, {"linux-auth"}, {"linux-sotm34"}, {"m365"}, {"mail"}, {"crowdsec-hub"}, {"sigma-regression", "sigma-regression.zip"},
	{"web-access", "honeynet-2004"}, {"web-access", "scanners-2017"}}

// caseOf writes a case of the evidence and returns its files.
func caseOf(t *testing.T, workers int, paths ...string) map[string][]byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	cfg := pipeline.AssessConfig{Config: config(own(t), paths), Dir: dir, Now: time.Unix(0, 0), Facts: &judge.Facts{}}
	cfg.MinLevel, cfg.Workers = detect.Low, workers
	if _, _, err := pipeline.Assess(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"case.json", "findings.jsonl", "timeline.csv", "report.html", "reached.csv", "records.jsonl", "custody.jsonl"} {
		p, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = p
	}
	return files
}

func TestACaseDoesNotDependOnWorkers(t *testing.T) {
	var paths []string
	for _, e := range some {
		paths = append(paths, evidence(t, e...))
	}
	want := caseOf(t, 1, paths...)
	for _, workers := range []int{2, 5} {
		for name, p := range caseOf(t, workers, paths...) {
			if !bytes.Equal(p, want[name]) {
				t.Errorf("%d workers write another %s than one", workers, name)
			}
		}
	}
}

// TestFindingsDoNotDependOnNames copies the evidence under other names, so that it is read in another order, and expects the same findings.
func TestFindingsDoNotDependOnNames(t *testing.T) {
	read := func(dir string) []string {
		var out []string
		for f, err := range casefile.Findings(dir) {
			if err != nil {
				t.Fatal(err)
			}
			f.Source.Path = filepath.Base(f.Source.Path)[3:]
			out = append(out, string(casefile.AppendFinding(nil, f)))
		}
		slices.Sort(out)
		return out
	}
	files := [][]string{
		{"exchange", "proxylogon-2021-03-real", "HttpProxy_Ecp_selected-columns.csv"},
		{"exchange", "proxylogon-2021-03-real", "ECPServer20210303-1_selected-fields.LOG.txt"},
		{"exchange", "proxylogon-2021-03-real", "W3SVC1_u_ex21030x_webshell-hits.log"},
		{"iis", "tunna-rdp-tunnel", "Tunna_rdp_tunnel_IIS.log"},
		{"linux-auth", "elastic-auth-2017", "auth.log"},
		{"m365", "invictus-o365", "auditrecords_2021-03_05.csv.gz"},
		{"web-access", "wordpress-2016", "access_2016-02-20_2016-03-17.log.gz"},
		{"web-access", "scanners-2017", "netsparker.txt.log.gz"},
	}
	list := func(order func(i int) byte) []string {
		dir := t.TempDir()
		written := time.Date(2017, 5, 1, 0, 0, 0, 0, time.UTC)
		for i, f := range files {
			src := evidence(t, f...)
			p, err := os.ReadFile(src)
			if err != nil {
				t.Fatal(err)
			}
			name := put(t, dir, string(order(i))+"--"+strings.ReplaceAll(filepath.Base(src), "/", "-"), p)
			if err := os.Chtimes(name, written, written); err != nil {
				t.Fatal(err)
			}
		}
		out := filepath.Join(t.TempDir(), "case")
		cfg := pipeline.AssessConfig{Config: config(own(t), []string{dir}), Dir: out, Now: time.Unix(0, 0), Facts: &judge.Facts{}}
		if _, _, err := pipeline.Assess(context.Background(), cfg); err != nil {
			t.Fatal(err)
		}
		return read(out)
	}
	a := list(func(i int) byte { return byte('a' + i) })
	b := list(func(i int) byte { return byte('z' - i) })
	if len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("%d findings, and %d in another order", len(a), len(b))
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("%.600s\n%.600s", a[i], b[i])
				break
			}
		}
	}
}
