package pipeline

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/sigma"
)

const rule = `title: Script Asked For
id: 1f0c9a58-7b53-4f5e-8d1f-0a5c0f3d2a01
logsource: {category: webserver}
detection:
  selection: {cs-uri-stem|endswith: .php}
  condition: selection
level: medium
`

// correlations refer to the rule, one to another.
const correlations = `---
title: Many Scripts
name: many
correlation:
  type: value_count
  rules: 1f0c9a58-7b53-4f5e-8d1f-0a5c0f3d2a01
  group-by: c-ip
  timespan: 10m
  condition: {field: cs-uri-stem, gte: 40}
  generate: true
---
title: Again and Again
correlation:
  type: event_count
  rules: many
  timespan: 1d
  condition: {gte: 5}
  generate: true
---
title: Few Scripts
correlation:
  type: event_count
  rules: 1f0c9a58-7b53-4f5e-8d1f-0a5c0f3d2a01
  group-by: c-ip
  timespan: 1h
  condition: {lt: 8}
`

func rules(t testing.TB, text string) *detect.Rules {
	t.Helper()
	pack := sigma.Parse("test.yml", []byte(text))
	if len(pack.Rejected) > 0 {
		t.Fatal(pack.Rejected[0])
	}
	engine, rejected := sigma.Compile(pack, sigma.Options{})
	if len(rejected) > 0 {
		t.Fatal(rejected[0])
	}
	return detect.NewRules(engine)
}

// accessLog returns n lines, of which every tenth asks for a script.
func accessLog(n, client int) []byte {
	var b bytes.Buffer
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for i := range n {
		path := "/index.html"
		if i%10 == 0 {
			path = fmt.Sprintf("/x%d.php", i)
		}
		fmt.Fprintf(&b, "198.51.100.%d - - [%s] \"GET %s HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n", client, at.Add(time.Duration(i)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), path)
	}
	return b.Bytes()
}

// folder writes evidence of many kinds: a log of several blocks, many small ones, a tar.gz, a repeated audit log,
// rubbish, and something empty.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, p []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a-large.log", accessLog(30_000, 1))
	for i := range 40 {
		write(fmt.Sprintf("b-small-%02d.log", i), accessLog(50+i, i))
	}
	var tarred bytes.Buffer
	z := gzip.NewWriter(&tarred)
	w := tar.NewWriter(z)
	for i := range 5 {
		p := accessLog(8_000, 100+i)
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("web%d/access.log", i), Size: int64(len(p)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	write("c.tar.gz", tarred.Bytes())
	audit := func(id int) string {
		return fmt.Sprintf(`{"CreationTime":"2026-01-02T08:00:00","Id":"00000000-0000-4000-8000-%012d","Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","UserId":"ana@example.org"}`+"\n", id)
	}
	write("d-audit.jsonl", []byte(audit(1)+audit(2)+audit(1)))
	write("e-audit.jsonl", []byte(audit(2)+audit(3)))
	write("f-rubbish.bin", []byte("\x00\x01\x02 nothing that anybody knows"))
	write("g-empty.log", nil)
	write("h-copy-of-small.log", accessLog(50, 0))
	return dir
}

func config(dir string, workers int, r *detect.Rules) Config {
	return Config{Paths: []string{dir}, Formats: Formats(), Workers: workers, From: event.UnknownTime, To: event.UnknownTime, Rules: r}
}

// Correlations find the same in whatever files the lines of a log are, and in whatever order.
func TestCorrelationsDoNotDependOnFiles(t *testing.T) {
	var lines [][]byte
	for client := range 30 {
		lines = append(lines, bytes.SplitAfter(accessLog(20+97*client, client), []byte{'\n'})...)
	}
	lines = slices.DeleteFunc(lines, func(l []byte) bool { return len(l) == 0 })
	r := rules(t, rule+correlations)
	find := func(files int, random *rand.Rand) []string {
		dir := t.TempDir()
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		for i := range files {
			part := bytes.Join(lines[len(lines)*i/files:len(lines)*(i+1)/files], nil)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.log", i)), part, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if _, _, _, err := Scan(context.Background(), config(dir, 2, r), &out); err != nil {
			t.Fatal(err)
		}
		var found []string
		for line := range strings.Lines(out.String()) {
			// What stands before _sample says where no event is.
			if _, event, ok := strings.Cut(line, `"event":`); ok && strings.Contains(event, `"_sample"`) {
				event, _, _ = strings.Cut(event, `"_sample"`)
				found = append(found, event)
			}
		}
		return found
	}
	random := rand.New(rand.NewPCG(1, 2))
	want := find(1, random)
	if len(want) < 25 {
		t.Errorf("%d matches: the test is too easy", len(want))
	}
	for _, files := range []int{1, 2, 9} {
		if got := find(files, random); !slices.Equal(got, want) {
			t.Errorf("in %d files %d matches, in one %d", files, len(got), len(want))
		}
	}
}

// The same evidence gives the same output, whatever the number of workers.
func TestOrderDoesNotDependOnWorkers(t *testing.T) {
	dir := folder(t)
	r := rules(t, rule+correlations)
	scan := func(workers int) string {
		var out bytes.Buffer
		res, sources, levels, err := Scan(context.Background(), config(dir, workers, r), &out)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s\n%v\n%v\n%+v", out.String(), sources, levels, res.Findings)
	}
	dump := func(workers int) string {
		var out bytes.Buffer
		if _, _, err := Dump(context.Background(), config(dir, workers, nil), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	wantScan, wantDump := noPointers(scan(1)), dump(1)
	if n := strings.Count(wantDump, "\n"); n != 30_000+40*50+39*20+5*8_000+3+50 {
		t.Errorf("%d events", n)
	}
	for range 3 {
		for _, workers := range []int{2, 7} {
			if got := noPointers(scan(workers)); got != wantScan {
				t.Fatalf("%d workers find something else than one", workers)
			}
			if got := dump(workers); got != wantDump {
				t.Fatalf("%d workers dump something else than one", workers)
			}
		}
	}
}

// noPointers takes addresses out of what %v prints of sources.
func noPointers(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "0x")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		s = s[i+2:]
		for len(s) > 0 && strings.IndexByte("0123456789abcdef", s[0]) >= 0 {
			s = s[1:]
		}
	}
}

func TestRepeatedRecordsAndCopiesCountOnce(t *testing.T) {
	dir := folder(t)
	out := filepath.Join(t.TempDir(), "case")
	_, c, err := Assess(context.Background(), AssessConfig{Config: config(dir, 3, rules(t, rule)), Dir: out, Now: time.Unix(0, 0), Facts: &judge.Facts{}})
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, events, duplicates int64, note string) {
		t.Helper()
		for _, s := range c.Sources {
			if filepath.Base(s.Path) == name {
				if s.Events != events || s.Duplicates != duplicates || !strings.Contains(strings.Join(s.Notes, ";"), note) {
					t.Errorf("%s: %d events, %d duplicates, notes %q", name, s.Events, s.Duplicates, s.Notes)
				}
				return
			}
		}
		t.Errorf("no source %s", name)
	}
	f("d-audit.jsonl", 2, 1, "")
	f("e-audit.jsonl", 1, 1, "")
	f("h-copy-of-small.log", 0, 50, "the same content as")
	n := 0
	for _, err := range casefile.Findings(out) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	want := 3_000 + 5*800
	for i := range 40 {
		want += (50+i-1)/10 + 1
	}
	if n != want {
		t.Errorf("%d findings, want %d", n, want)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestARunThatCannotGoOnEnds(t *testing.T) {
	dir := folder(t)
	_, _, _, err := Scan(context.Background(), config(dir, 2, rules(t, rule)), &failing{after: 1})
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("scan to a full disk: %v", err)
	}
	_, _, err = Dump(context.Background(), config(dir, 2, nil), &failing{after: 1})
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("dump to a full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err = Dump(ctx, config(dir, 2, nil), io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestHashesOfWhatIsStillThere(t *testing.T) {
	dir := folder(t)
	var compressed bytes.Buffer // has the path of what is in it
	z := gzip.NewWriter(&compressed)
	z.Write(accessLog(10, 9))
	z.Close()
	if err := os.WriteFile(filepath.Join(dir, "x.log.gz"), compressed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h := NewHashes(context.Background())
	seen := 0
	err := evidence.Walk(context.Background(), []string{dir}, evidence.Options{}, func(s *evidence.Stream) error {
		_, sum, err := s.Hash()
		if err != nil {
			return err
		}
		seen++
		got, err := h.Of(casefile.Custody{Path: s.Path, SHA256: fmt.Sprintf("%x", sum)})
		if err != nil || got != fmt.Sprintf("%x", sum) {
			t.Errorf("%s: %s, %v", s.Path, got, err)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatal(seen, err)
	}
	if sum, err := h.Of(casefile.Custody{Path: filepath.Join(dir, "g-empty.log"), SHA256: "changed"}); err != nil || len(sum) != 64 {
		t.Errorf("a file that was changed: %q, %v", sum, err)
	}
	if _, err := h.Of(casefile.Custody{Path: filepath.Join(dir, "gone.log")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// A log that was rotated goes on in the next file: an incident in the first is not active because that file ends.
func TestARotatedLogGoesOn(t *testing.T) {
	dir := t.TempDir()
	attack := accessLog(50, 9)
	quiet := bytes.ReplaceAll(bytes.ReplaceAll(accessLog(50, 8), []byte(".php"), []byte(".css")), []byte("2026:00:"), []byte("2026:07:"))
	active := func() bool {
		t.Helper()
		out := filepath.Join(t.TempDir(), "case")
		_, c, err := Assess(context.Background(), AssessConfig{Config: config(dir, 1, rules(t, rule)), Dir: out, Now: time.Unix(0, 0), Facts: &judge.Facts{}})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Incidents) != 1 {
			t.Fatalf("%d incidents", len(c.Incidents))
		}
		return c.Incidents[0].Active
	}
	if err := os.WriteFile(filepath.Join(dir, "access.log.1"), attack, 0o600); err != nil {
		t.Fatal(err)
	}
	if !active() {
		t.Error("not active when its only log ends")
	}
	if err := os.WriteFile(filepath.Join(dir, "access.log"), quiet, 0o600); err != nil {
		t.Fatal(err)
	}
	if active() {
		t.Error("active, though the log goes on for hours without it")
	}
}

// Of records that stand twice in one log or in two, the first counts, however many workers there are.
func TestRepeatedRecords(t *testing.T) {
	dir := t.TempDir()
	record := func(n int) string {
		return fmt.Sprintf(`{"CreationTime":"2026-03-23T15:%02d:%02d","Id":"4831a108-d2bf-4ba9-86e6-%012x","Operation":"UserLoginFailed","RecordType":15,"Workload":"AzureActiveDirectory","UserId":"u%d@example.org","ClientIP":"192.0.2.%d","ErrorNumber":"50126","Pad":%q}`+"\n",
			n/60%60, n%60, n, n%7, n%250, strings.Repeat("x", 700))
	}
	for file, first := range []int{0, 2000, 1000} {
		var b strings.Builder
		for n := range 3000 {
			b.WriteString(record(first + n*7%3000))
			if n%5 == 0 {
				b.WriteString(record(first + n/2))
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jsonl", file)), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var want string
	for _, workers := range []int{1, 2, 5} {
		for range 3 {
			var got bytes.Buffer
			res, sources, err := Dump(t.Context(), Config{Paths: []string{dir}, Formats: Formats(), Workers: workers, From: event.UnknownTime, To: event.UnknownTime}, &got)
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = got.String()
				if res.Events != 5000 || sources[0].Duplicates != 600 || sources[2].Duplicates != 3600 {
					t.Fatalf("%d events, %+v", res.Events, sources)
				}
			}
			if got.String() != want {
				t.Fatalf("%d workers: another result", workers)
			}
		}
	}
}
