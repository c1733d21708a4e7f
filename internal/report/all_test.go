package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/csv"
	"github.com/barid-dfir/barid/internal/report/input"
)

var noon = time.Date(2021, 3, 3, 12, 0, 0, 0, time.UTC)

// write writes a case of n findings to a new folder.
func write(tb testing.TB, n int) (dir string) {
	tb.Helper()
	dir = filepath.Join(tb.TempDir(), "case")
	w, err := casefile.Create(dir, false)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Abort()
	fw := w.Findings(csv.Timeline())
	for i := range n {
		at := noon.Add(time.Duration(i*7919%100_003) * time.Second)
		err := fw.Add(&casefile.Finding{
			Time: &at, Rule: casefile.Rule{ID: fmt.Sprint("r", i%97), Title: "Web shell\u202e used, \"again\"", Level: "high", Tags: []string{"attack.t1505.003"}},
			Host: "EX1", Client: "203.0.113.9", Source: casefile.Position{Path: "logs.zip!u_ex210303.log", Line: int64(i + 1), Offset: int64(i * 100)},
			Event: json.RawMessage(`{"c-ip":"203.0.113.9","cs-method":"POST","cs-uri-stem":"/aspnet_client/x.aspx","sc-status":"200","cs(User-Agent)":"a\u202eb"}`),
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := fw.Close(); err != nil {
		tb.Fatal(err)
	}
	c := &casefile.Case{Schema: casefile.Schema, Summary: casefile.Summary{Findings: map[string]int64{"high": int64(n)}}, Incidents: []casefile.Incident{{
		ID: "i1", Title: "Web shell\xff used", Severity: "high", First: noon, Last: noon.Add(time.Hour), Findings: int64(n), Techniques: []string{"T1505.003"},
		Steps: []casefile.Step{{Rule: casefile.Rule{Title: "Web shell", Level: "high"}, First: noon, Last: noon.Add(time.Hour), Count: int64(n),
			Evidence: []casefile.Evidence{{Source: "u_ex210303.log", Line: 1, Time: noon, Raw: "a\u202eb\tc\x00"}}}},
	}}}
	for i := range 3 {
		c.Reached = append(c.Reached, casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: fmt.Sprint("m\u202e", i)}, Verdict: casefile.Possible, Exposure: "content", Upper: -1,
			Levels: casefile.Levels{Content: casefile.Possible, Partial: casefile.Possible, Metadata: casefile.Confirmed}, Why: []casefile.Reason{{Rule: "PASSWORD", Text: "]}"}}})
	}
	if err := WriteCase(w, c, w.Dir(), nil); err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Commit(nil, noon); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func TestAnOutputWrittenAgainIsTheOneInTheCase(t *testing.T) {
	dir := write(t, 500)
	in, err := input.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, o := range Outputs() {
		var got bytes.Buffer
		if err := o.Write(&got, in); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
		if got.Len() == 0 {
			t.Errorf("%s: nothing", o.Name)
		}
		want, err := os.ReadFile(filepath.Join(dir, o.File))
		if os.IsNotExist(err) {
			continue
		}
		compared++
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: not the same as %s in the case", o.Name, o.File)
		}
	}
	if compared != 5 {
		t.Errorf("%d files compared", compared)
	}
	v, err := casefile.Verify(dir, casefile.VerifyOptions{})
	if err != nil || len(v.Checks) != 6 {
		t.Fatalf("%v %v", v, err)
	}
	for _, k := range v.Checks {
		if k.Status != casefile.OK {
			t.Error(k)
		}
	}
}

func TestNamesOfOutputsAndFilesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Outputs() {
		if seen[o.Name] || seen[o.File] {
			t.Errorf("%s, %s: twice", o.Name, o.File)
		}
		seen[o.Name], seen[o.File] = true, true
		if got, ok := Find(o.Name); !ok || got.File != o.File {
			t.Errorf("%s is not found", o.Name)
		}
	}
	if _, ok := Find("pdf"); ok {
		t.Error("pdf was found")
	}
}

func BenchmarkOutputs(b *testing.B) {
	const n = 100_000
	dir := write(b, n)
	in, err := input.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, o := range Outputs() {
		b.Run(o.Name, func(b *testing.B) {
			for b.Loop() {
				if err := o.Write(io.Discard, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "findings/s")
		})
	}
}
