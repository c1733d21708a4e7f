//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The outputs are invented, in the form of the tools.
func TestFindings(t *testing.T) {
	f := func(tl tool, output string, want ...finding) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(out, []byte(output), 0o600); err != nil {
			t.Fatal(err)
		}
		var got []finding
		if err := tl.findings(&job{}, out, func(f finding) { got = append(got, f) }); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(finding{}, record{})); d != "" {
			t.Errorf("%s: %s", tl.name(), d)
		}
	}
	at := record{"pc1.example.org", "7"}

	f(&barid{program{named: "barid"}},
		`{"time":"2026-01-02T03:04:05Z","rule":{"id":"a-1","title":"T","level":"high"},"host":"pc1","source":{"path":"x.evtx","record":1},"event":{"Image":"C:\\a.exe","EventRecordID":7,"Computer":"pc1.example.org","Channel":"Security"}}
{"rule":{"id":"a-1"},"event":{"EventRecordID":7,"Computer":"pc1.example.org","Channel":"Security","_recovered":"true"}}
`, finding{"a-1", at, "Security", false}, finding{"a-1", at, "Security", true})

	f(&chainsaw{program{named: "chainsaw"}},
		`{"group":"Sigma","kind":"individual","document":{"kind":"evtx","path":"x.evtx","data":{"Event":{"System":{"Computer":"pc1.example.org","Channel":"Security","EventRecordID":7}}}},"name":"T","id":"a-1"}
{"group":"Sigma","kind":"aggregate","documents":[{"kind":"evtx","path":"x.evtx","data":{"Event":{"System":{"Computer":"pc1.example.org","Channel":"System","EventRecordID":7}}}}],"name":"T","id":"a-2"}
`, finding{"a-1", at, "Security", false}, finding{"a-2", at, "System", false})

	f(&hayabusa{program: program{named: "hayabusa"}, origin: map[string]string{"h-1": "a-1"}},
		`{"Timestamp":"2026-01-02","RuleTitle":"T","Level":"high","Computer":"pc1.example.org","Channel":"Security","EventID":4688,"RecordID":7,"RuleID":"h-1"}
{"Computer":"pc1.example.org","Channel":"Sec","RecordID":"7","RuleID":"native"}
`, finding{"a-1", at, "Security", false}, finding{"native", at, "Sec", false})

	f(&rsigma{program: program{named: "rsigma"}},
		`{"rule_title":"T","rule_id":"a-1","level":"high","tags":[],"matched_selections":["s"],"event":{"Computer":"pc1.example.org","Channel":"Security","EventRecordID":7}}
{"rule_title":"without an id","rule_id":null,"event":{"Computer":"pc1.example.org","EventRecordID":7}}
`, finding{"a-1", at, "Security", false}, finding{"", at, "", false})

	f(&zircolite{program{named: "zircolite"}},
		`[{"title":"T","id":"a-1","count":2,"matches":[{"row_id":1,"Computer":"pc1.example.org","Channel":"Security","EventRecordID":7},{"Computer":"pc1.example.org","Channel":"Security","EventRecordID":8}]},
{"title":"U","id":"a-2","count":0,"matches":[]}]`,
		finding{"a-1", at, "Security", false}, finding{"a-1", record{"pc1.example.org", "8"}, "Security", false})
}

func TestDamagedOutputIsAnError(t *testing.T) {
	f := func(tl tool, output, want string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(out, []byte(output), 0o600); err != nil {
			t.Fatal(err)
		}
		err := tl.findings(&job{}, out, func(finding) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of %q: %v, want %s", tl.name(), output, err, want)
		}
	}
	f(&barid{}, "{\"rule\":{\"id\":\"a\"}}\n{\"rule\":", "line 2")
	f(&zircolite{}, `[{"id":"a","matches":[`, "EOF")
	f(&zircolite{}, ``, "EOF")
	if err := (&chainsaw{}).findings(&job{}, filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no output: %v", err)
	}
}

func TestLint(t *testing.T) {
	got := lint("[+] Validating as sigma\n[!] /a/b.yml: unsupported modifiers - windash\n\x1b[38;5;11m[!] /c.yml: keyless: cannot\x1b[0m\n[!] no path\n[+] Validated 1 out of 3\n")
	if d := cmp.Diff(map[string]string{"a/b.yml": "unsupported modifiers - windash", "c.yml": "keyless: cannot"}, got); d != "" {
		t.Error(d)
	}
}

func TestConverted(t *testing.T) {
	id, from, err := converted([]byte(`title: T
id: h-1
related:
  - id: other
    type: derived
  - id: a-1
    type: derived
  - id: third
    type: similar
`))
	if id != "h-1" || from != "a-1" || err != nil {
		t.Errorf("got %q %q %v", id, from, err)
	}
}

func TestFlatten(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := flatten([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
	f(`{"logsource":{"product":"windows","service":"sysmon","category":"process_creation"},"event":{"Image":"a","ProcessId":4}}`,
		`{"Image":"a","ProcessId":4,"category":"process_creation","product":"windows","service":"sysmon"}`)
	f(`{"logsource":{"product":"windows","service":"security","category":"process_creation"},"event":{"NewProcessName":"a","NewProcessId":"0x4","ProcessId":"0x8"}}`,
		`{"Image":"a","NewProcessId":"0x4","NewProcessName":"a","ParentProcessId":"0x8","ProcessId":"0x4","category":"process_creation","product":"windows","service":"security"}`)
	f(`{"logsource":{"product":"windows"}}`, `{"category":"-","product":"windows","service":"-"}`)
}

func TestRuleIndex(t *testing.T) {
	x := &ruleIndex{rules: map[string]ruleInfo{}}
	x.add("a/b.yml", []byte(`title: T
id: A-1
logsource: {product: windows, category: process_creation}
detection:
  s1:
    - CommandLine|contains|windash: ' -x'
      Image|endswith: ['\\a.exe', '\b.exe']
    - CommandLine|contains|windash: ' -y'
  words: [one, two]
  condition: s1 or words
---
title: no id
---
title: U
id: a-2
detection: {s: {EventID: 1}, condition: s}
`))
	want := map[string]ruleInfo{
		"a-1": {"T", "a/b.yml", []string{"category process_creation", "escaped backslash", "field CommandLine", "field Image", "keywords", "modifier contains", "modifier endswith", "modifier windash", "product windows"}},
		"a-2": {"U", "a/b.yml", []string{"field EventID"}},
	}
	if d := cmp.Diff(want, x.rules, cmp.AllowUnexported(ruleInfo{})); d != "" {
		t.Error(d)
	}
}

func TestReasons(t *testing.T) {
	for _, bad := range []string{"a\tb", "a\tb\t", "a\tb\tc\td", "a b c"} {
		if _, err := parseReasons("r.tsv", "# fine\n"+bad); err == nil || !strings.HasPrefix(err.Error(), "r.tsv:2:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	all, err := parseReasons("r.tsv", "chainsaw\tmodifier windash\tno dashes\n*\tfield X\tall differ\nchainsaw\ta-2\tthis one\n")
	if err != nil {
		t.Fatal(err)
	}
	r := report{reasons: all, job: &job{index: &ruleIndex{
		rules: map[string]ruleInfo{"a-1": {uses: []string{"modifier windash", "field X"}}, "a-2": {uses: []string{"modifier windash"}}},
		notes: map[[2]string]string{{"hayabusa", "a-2"}: "not converted"},
	}}}
	f := func(tool, rule, want string) {
		t.Helper()
		if got := r.why(tool, rule); got != want {
			t.Errorf("%s %s: %q, want %q", tool, rule, got, want)
		}
	}
	f("chainsaw", "a-1", "no dashes; all differ")
	f("rsigma", "a-1", "all differ")
	f("chainsaw", "a-2", "this one")
	f("hayabusa", "a-2", "not converted")
	f("rsigma", "a-2", "")
	if _, err := loadReasons(""); err != nil {
		t.Error(err)
	}
}

func TestThreadCounts(t *testing.T) {
	if got, err := threadCounts("3,1, 3"); err != nil || len(got) != 2 || got[0] != 3 || got[1] != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "0", "-1", "many"} {
		if _, err := threadCounts(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	f := func(want string, args ...string) {
		t.Helper()
		if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
	f("no rules", dir)
	f("one file or folder", "-rules", dir)
	f("one file or folder", "-rules", dir, dir, dir)
	f("one at least", "-rules", dir, "-runs", "0", dir)
	f("neither all nor a number", "-rules", dir, "-threads", "x", dir)
	f("no such file", "-rules", filepath.Join(dir, "none"), dir)
	f("unpacked first", "-rules", dir, dir)
}

// Measuring runs real processes: those of every Unix.
func TestMeasure(t *testing.T) {
	j := &job{work: t.TempDir(), timeout: time.Minute}
	out := filepath.Join(j.work, "out")
	sh := func(script string) command { return command{argv: []string{"/bin/sh", "-c", script}, stdout: out} }
	if m := measure(t.Context(), j, []command{sh("echo hello"), {argv: []string{"/bin/sh", "-c", "true"}}}); m.err != nil || m.wall <= 0 || m.peak <= 0 {
		t.Errorf("%+v", m)
	}
	if p, _ := os.ReadFile(out); string(p) != "hello\n" {
		t.Errorf("output %q", p)
	}
	if m := measure(t.Context(), j, []command{sh("echo first >&2; echo the reason >&2; exit 3")}); m.err == nil || !strings.HasSuffix(m.err.Error(), "exit status 3: the reason") {
		t.Errorf("%v", m.err)
	}
	lenient := sh("exit 3")
	lenient.lenient = true
	if m := measure(t.Context(), j, []command{lenient}); m.err != nil {
		t.Error(m.err)
	}
	if m := measure(t.Context(), j, []command{{argv: []string{filepath.Join(t.TempDir(), "none")}}}); m.err == nil {
		t.Error("a program that is not there ran")
	}
	if m := measure(t.Context(), &job{work: j.work, timeout: 10 * time.Millisecond}, []command{{argv: []string{"/bin/sleep", "60"}}}); !errors.Is(m.err, context.DeadlineExceeded) {
		t.Errorf("%v", m.err)
	}
}

func TestMeasureAllStopsAtTheFirstFailure(t *testing.T) {
	j := &job{runs: 3, cold: true, work: t.TempDir(), timeout: time.Minute, rules: t.TempDir()}
	e := &entry{tool: &evtxDump{program{named: "none", path: filepath.Join(j.work, "none")}}}
	j.files = []string{filepath.Join(j.work, "x.evtx")}
	measureAll(t.Context(), j, []*entry{e}, []int{1})
	if n := len(e.series[0].cold) + len(e.series[0].warm); n != 1 || !e.series[0].failed() {
		t.Errorf("%d runs of a program that is not there", n)
	}
}

func TestEvict(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	evict([]string{dir}) // whether it can is the system's business; the file must live
	if p, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(p) != "a" {
		t.Errorf("%q %v", p, err)
	}
	if evict([]string{filepath.Join(dir, "none")}) {
		t.Error("what is not there was dropped")
	}
}

func TestReport(t *testing.T) {
	ms := func(wall, cpu int, mib int64) sample {
		return sample{time.Duration(wall) * time.Millisecond, time.Duration(cpu) * time.Millisecond, mib << 20, nil}
	}
	places := func(n int, hosts ...string) map[record]place {
		m := map[record]place{}
		for i, h := range hosts {
			m[record{h, string(rune('1' + i))}] = place{n, "Security"}
		}
		return m
	}
	j := &job{runs: 3, top: 2, lists: 1, work: t.TempDir(), files: make([]string, 2), index: &ruleIndex{
		rules: map[string]ruleInfo{
			"r-same": {title: "The same everywhere"}, "r-dash": {title: "A | dash", uses: []string{"modifier windash"}}, "r-more": {title: "More"}, "r-less": {title: "Less"}},
		notes: map[[2]string]string{{"hayabusa", "r-more"}: "the converter makes no rule of it"},
	}}
	if err := os.WriteFile(statsFile(j), []byte(`{"events":10000,"bytes":2500000,"rules_rejected":[{"path":"x.yml","reason":"x.yml:3:4: no"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := report{
		job: j, machine: []string{"2 cores, Some Processor"}, reasons: []reason{{"chainsaw", "modifier windash", "knows no windash"}},
		absent: []string{"rsigma: not on the PATH"},
		tools: []*entry{
			{tool: &barid{program{named: "barid"}}, version: "barid 1", notes: []string{"a note"}, lines: 9, foreign: 2, recovered: 1,
				series: []*series{{threads: 2, command: "barid scan", times: 1, cold: []sample{ms(900, 800, 90)}, warm: []sample{ms(500, 700, 100), ms(400, 800, 90), ms(450, 750, 95)}},
					{threads: 1, command: "barid scan", times: 1, warm: []sample{ms(700, 700, 80)}}},
				found: map[string]map[record]place{"r-same": places(1, "a"), "r-dash": places(1, "a", "b"), "r-more": places(2, "a", "b", "c")}},
			{tool: &chainsaw{program{named: "chainsaw"}}, version: "chainsaw 2", lines: 8,
				series: []*series{{threads: 2, command: "chainsaw hunt", times: 1, cold: []sample{ms(9000, 8000, 900)}, warm: []sample{ms(5000, 7000, 1000)}}},
				found:  map[string]map[record]place{"r-same": places(1, "a"), "r-dash": places(1, "a"), "r-more": places(2, "a", "b", "c"), "r-less": places(1, "z")}},
			{tool: &hayabusa{program: program{named: "hayabusa"}}, version: "", lines: 3,
				series: []*series{{threads: 2, command: "hayabusa dfir-timeline", times: 1, cold: []sample{{err: errors.New("hayabusa: exit status 1: no | rules")}}}},
				found:  map[string]map[record]place{"r-same": places(1, "a"), "r-dash": places(1, "a", "b")}},
			{tool: &evtxDump{program{named: "evtx_dump"}}, version: "EVTX Parser 0", err: errNoRules,
				series: []*series{{threads: 2, command: "evtx_dump x.evtx", times: 2, warm: []sample{ms(100, 150, 20)}}}},
		},
	}
	var got bytes.Buffer
	if err := r.write(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); d != "" {
		t.Errorf("%s (-update writes it anew): %s", golden, d)
	}
}
