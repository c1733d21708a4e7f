package pipeline

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/evtxtest"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/logs"
)

// textLogs returns a log of every kind that is text, by file name, each with the number of its events.
func textLogs() map[string]struct {
	text   string
	events int64
} {
	const n = 40
	line := func(f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	type log = struct {
		text   string
		events int64
	}
	proxy := "DateTime,RequestId,Protocol,UrlHost,UrlStem,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method"
	record := func(i int) string {
		return fmt.Sprintf(`{"CreationTime":"2026-01-02T08:00:%02d","Id":"00000000-0000-4000-8000-%012d","Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","UserId":"ána@example.org"}`, i, i)
	}
	return map[string]log{
		"access.log": {string(accessLog(n, 1)), n},
		"u_ex.log": {"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\r\n" +
			line(func(i int) string {
				return fmt.Sprintf("2026-01-02 08:00:%02d 192.0.2.1 GET /é.php a=%d 443 - 198.51.100.9 200\r\n", i, i)
			}), n},
		"HttpProxy.log": {"#Software: Microsoft Exchange Server\r\n#Version: 15.01.2375.007\r\n#Log-type: HttpProxy Logs\r\n#Fields: " + proxy + "\r\n" +
			line(func(i int) string {
				return fmt.Sprintf("2026-01-02T08:00:%02d.002Z,r%d,Owa,mail.example,/owa/x,EXAMPLE\\ana,,\"An \"\"agent\"\", é\",198.51.100.7,EX1,200,POST\r\n", i, i)
			}), n},
		"ual.csv": {"RecordType,CreationDate,UserIds,Operations,AuditData\r\n" + line(func(i int) string {
			return fmt.Sprintf("50,2026-01-02T08:00:%02d,ana@example.org,MailItemsAccessed,\"%s\"\r\n", i, strings.ReplaceAll(record(i), `"`, `""`))
		}), n},
		"ual.jsonl": {line(func(i int) string { return record(100+i) + "\n" }), n},
		"syslog": {line(func(i int) string {
			return fmt.Sprintf("2026-01-02T08:00:%02dZ mx1 sshd[7]: Failed password for rüt from 203.0.113.9 port %d ssh2\n", i, 1000+i)
		}), n},
		"generic.json": {line(func(i int) string {
			return fmt.Sprintf(`{"ts":"2026-01-02T08:00:%02dZ","a":"é","b":[1,{"c":%d}]}`+"\n", i, i)
		}), n},
	}
}

func encoded(s string, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func writeFile(t testing.TB, dir, name string, p []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
		t.Fatal(err)
	}
}

// assess makes a case and checks what holds of every case, whatever the evidence was.
func assess(t *testing.T, dir string, workers int) *casefile.Case {
	t.Helper()
	before := runtime.NumGoroutine()
	cfg := config(dir, workers, rules(t, rule))
	cfg.Evidence.TempDir = t.TempDir()
	out := filepath.Join(t.TempDir(), "case")
	_, c, err := Assess(context.Background(), AssessConfig{Config: cfg, Dir: out, Now: time.Unix(0, 0), Facts: &judge.Facts{}})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(cfg.Evidence.TempDir); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	for range 100 { // goroutines end after the run has returned
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more than before", n-before)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		p, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == casefile.StoreFile { // for programs
			continue
		}
		if !utf8.Valid(p) {
			t.Errorf("%s is not UTF-8", e.Name())
		}
		if i := bytes.IndexFunc(p, func(r rune) bool {
			return r < 0x20 && r != '\n' && r != '\r' && r != '\t' || event.Hidden(r) && r >= 0x7f
		}); i >= 0 {
			t.Errorf("%s holds a character that acts on who shows it: %q", e.Name(), p[max(0, i-20):min(len(p), i+20)])
		}
		if e.Name() == casefile.ReportFile && bytes.Contains(p, []byte("<script>alert")) {
			t.Error("the report holds a script of the evidence")
		}
		if e.Name() == casefile.CaseFile && !json.Valid(p) {
			t.Error("case.json is not JSON")
		}
	}
	v, err := casefile.Verify(out, casefile.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range v.Checks {
		if k.Status != casefile.OK && k.Kind != casefile.KindEvidence {
			t.Errorf("%s %s: %s", k.Status, k.Path, k.Detail)
		}
	}
	return c
}

func TestEveryTextLogIsReadInEveryEncoding(t *testing.T) {
	for _, e := range []struct {
		name   string
		encode func(string) []byte
	}{
		{"UTF-8", func(s string) []byte { return []byte(s) }},
		{"UTF-8 with a mark", func(s string) []byte { return []byte("\ufeff" + s) }},
		{"UTF-16LE with a mark", func(s string) []byte { return encoded(s, binary.LittleEndian, true) }},
		{"UTF-16BE with a mark", func(s string) []byte { return encoded(s, binary.BigEndian, true) }},
		{"UTF-16LE", func(s string) []byte { return encoded(s, binary.LittleEndian, false) }},
		{"UTF-16BE", func(s string) []byte { return encoded(s, binary.BigEndian, false) }},
		{"Latin-1", func(s string) []byte {
			var out []byte
			for _, r := range s {
				out = append(out, byte(r))
			}
			return out
		}},
	} {
		for name, l := range textLogs() {
			dir := t.TempDir()
			p := e.encode(l.text)
			writeFile(t, dir, name, p)
			s := assess(t, dir, 1).Sources[0]
			sum := sha256.Sum256(p)
			if s.Events != l.events || s.Unparsed != 0 {
				t.Errorf("%s in %s: %d events as %q, %d parts unread: %q", name, e.name, s.Events, s.Format, s.Unparsed, s.Errors)
			}
			if s.SHA256 != hex.EncodeToString(sum[:]) || s.Bytes != int64(len(p)) {
				t.Errorf("%s in %s: hash %s of %d bytes", name, e.name, s.SHA256, s.Bytes)
			}
		}
	}
}

// damage returns p in many bad states, by what was done to it.
func damage(p, other []byte) map[string][]byte {
	out := map[string][]byte{"twice": slices.Concat(p, p), "and another": slices.Concat(p, other), "after another": slices.Concat(other, p),
		"nul before": slices.Concat(make([]byte, 5000), p), "nul after": slices.Concat(p, make([]byte, 5000))}
	for _, part := range []int{1, 3, 7, 10, 13, 15} {
		cut := len(p) * part / 16
		out[fmt.Sprint("cut at ", cut)] = p[:cut]
		out[fmt.Sprint("begins at ", cut)] = p[cut:]
		flipped := slices.Clone(p)
		for i := part; i < len(flipped); i += 97 * part {
			flipped[i] ^= 1 << (part % 8)
		}
		out[fmt.Sprint("flipped ", part)] = flipped
		zeroed := slices.Clone(p)
		clear(zeroed[cut:min(len(p), cut+len(p)/16)])
		out[fmt.Sprint("zeroed at ", cut)] = zeroed
		out[fmt.Sprint("swapped at ", cut)] = slices.Concat(p[cut:], p[:cut])
	}
	return out
}

// Whatever was done to it, every file is listed with its hash, and every part of it is an event or is told to be unread.
func TestDamagedEvidenceEndsInACase(t *testing.T) {
	dir := t.TempDir()
	whole := make(map[string][]byte)
	for name, l := range textLogs() {
		whole[name] = []byte(l.text)
	}
	var events []evtxtest.Event
	for i := range 200 {
		events = append(events, evtxtest.Event{Provider: "Microsoft-Windows-Security-Auditing", ID: 4625, Channel: "Security", Computer: "EX1",
			Time: time.Date(2026, 1, 2, 8, 0, i, 0, time.UTC), Data: []evtxtest.Field{{Name: "TargetUserName", Value: "ana"}, {Name: "IpAddress", Value: "203.0.113.9"}}})
	}
	whole["Security.evtx"] = evtxtest.File(events)
	var gz, zipped bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(accessLog(2000, 3))
	z := zip.NewWriter(&zipped)
	for name, p := range whole {
		w, err := z.Create("logs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(p)
	}
	if err := errors.Join(g.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	whole["x.gz"], whole["x.zip"] = gz.Bytes(), zipped.Bytes()

	sums := make(map[string]bool)
	n := 0
	for name, p := range whole {
		for _, bad := range damage(p, whole["access.log"]) {
			sum := sha256.Sum256(bad)
			sums[hex.EncodeToString(sum[:])] = true
			writeFile(t, dir, fmt.Sprintf("%04d-%s", n, name), bad)
			n++
		}
	}
	for _, s := range assess(t, dir, 3).Sources {
		delete(sums, s.SHA256)
		if s.Events == 0 && s.Format != "" && !strings.HasPrefix(s.Format, "archive.") && s.Bytes > 0 && s.Duplicates == 0 && len(s.Errors) == 0 {
			t.Errorf("%s: %d bytes as %s gave nothing, and nobody says why", s.Path, s.Bytes, s.Format)
		}
	}
	if len(sums) > 0 {
		t.Errorf("%d of %d files are not listed", len(sums), n)
	}
}

// Names and lines are written by attackers.
func TestNothingOfTheEvidenceActsOnWhoReadsTheCase(t *testing.T) {
	dir := t.TempDir()
	bad := "<script>alert(1)</script>\x1b[31m\u202e\u2028\x00\xff\x07"
	line := fmt.Sprintf("198.51.100.9 - %s [02/Jan/2026:03:04:05 +0000] \"GET /%s.php HTTP/1.1\" 200 0 \"-\" \"%s\"\n", strings.ReplaceAll(bad, " ", ""), bad, bad)
	for _, name := range []string{"plain.log", "esc\x1b[31mred\x1b]0;t\x07.log", "line\nbarid: done.log", "rtl\u202egol.exe", "no\xffutf8.log", "<script>alert(1)<.log", "-", "--help", "a!b.log"} {
		writeFile(t, dir, name, []byte(name+line+line))
	}
	c := assess(t, dir, 2)
	if len(c.Sources) != 9 {
		t.Errorf("%d sources of 9", len(c.Sources))
	}
}

// What is no file is listed and not opened: a pipe would wait for ever, a device never ends.
func TestPipesDevicesAndLinksAreNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Skip(err)
	}
	for name, to := range map[string]string{"zero": "/dev/zero", "dangling": "nowhere", "loop": "loop", "folder": "."} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, dir, "access.log", accessLog(10, 1))
	var problems []string
	cfg := config(dir, 2, nil)
	cfg.Evidence.Report = func(p evidence.Problem) { problems = append(problems, filepath.Base(p.Path)) }
	var out bytes.Buffer
	if _, _, err := Dump(context.Background(), cfg, &out); err != nil {
		t.Fatal(err)
	}
	slices.Sort(problems)
	if got := strings.Join(problems, " "); got != "dangling fifo folder loop zero" || bytes.Count(out.Bytes(), []byte{'\n'}) != 10 {
		t.Errorf("told of %s; %d events", got, bytes.Count(out.Bytes(), []byte{'\n'}))
	}
}

// People keep the case, and temporary files, beside the evidence, and run the program again.
func TestWhatBaridWritesIsNotEvidence(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "access.log", accessLog(100, 1))
	cfg := config(dir, 2, rules(t, rule))
	cfg.Evidence.TempDir = dir
	for i := range 2 {
		_, c, err := Assess(context.Background(), AssessConfig{Config: cfg, Dir: filepath.Join(dir, "case"), Force: true, Now: time.Unix(0, 0), Facts: &judge.Facts{}})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Sources) != 1 || c.Summary.Findings["medium"] != 10 {
			t.Errorf("run %d: %d sources, %d findings", i+1, len(c.Sources), c.Summary.Findings["medium"])
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

func TestAMissingFolderForTemporaryFilesIsToldBeforeReading(t *testing.T) {
	cfg := config(t.TempDir(), 1, nil)
	cfg.Evidence.TempDir = filepath.Join(t.TempDir(), "missing")
	_, _, err := Dump(context.Background(), cfg, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Error(err)
	}
}

// fake is a format of lines whose parser does what it is told.
func fake(parse func(b *logs.Block, out *event.Batch)) logs.Format {
	return logs.Format{Name: "fake", Sniff: func(*logs.Source) logs.Certainty { return logs.Certain },
		Cutter: func(*logs.Source) logs.Cutter { return lineCutter{} },
		Parser: func() logs.Parser { return fakeParser(parse) }}
}

type fakeParser func(b *logs.Block, out *event.Batch)

func (p fakeParser) Parse(b *logs.Block, out *event.Batch) { p(b, out) }

func (fakeParser) Observe(_ *event.Event, obs []logs.Observation) []logs.Observation { return obs }

// lineCutter makes a block of every line.
type lineCutter struct{}

func (lineCutter) Cut(data []byte, atEOF bool) (int, any) {
	if string(data[:min(len(data), 6)]) == "broken" {
		panic("cutter")
	}
	return bytes.IndexByte(data, '\n') + 1, nil
}

var fakeShape = event.NewShape("fake", nil, nil)

func TestAFaultOfAReaderCostsItsBlock(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a.log", []byte("one\nfault\nthree\n"))
	writeFile(t, dir, "b.log", []byte("one\nbroken\n"))
	writeFile(t, dir, "c.log", []byte("one\ntwo\n"))
	for _, workers := range []int{1, 3} {
		cfg := config(dir, workers, nil)
		cfg.Formats = []logs.Format{fake(func(b *logs.Block, out *event.Batch) {
			if string(b.Data) == "fault\n" {
				panic("parser")
			}
			out.Add(fakeShape)
		})}
		_, sources, err := Dump(context.Background(), cfg, new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range sources {
			got = append(got, fmt.Sprintf("%s %d %d %q", filepath.Base(s.Path), s.Events, s.Unparsed, s.Errors))
		}
		want := `a.log 2 1 ["line 2 (byte 4, length 6): reading it failed by a fault of Barid, which is worth a report: parser"]` + "\n" +
			`b.log 1 0 ["reading it failed by a fault of Barid, which is worth a report: cutter"]` + "\n" + `c.log 2 0 []`
		if s := strings.Join(got, "\n"); s != want {
			t.Errorf("%d workers:\n%s", workers, s)
		}
	}
}

// A block that takes long must not make the results of all that follow pile up in memory.
func TestResultsDoNotPileUpBehindASlowBlock(t *testing.T) {
	s := newSource(&run{turn: newTurn()}, &job{stream: &evidence.Stream{}})
	for i := 1; i < maxEarly; i++ {
		s.deliver(i, &result{})
	}
	delivered := make(chan struct{})
	go func() {
		s.deliver(maxEarly, &result{})
		close(delivered)
	}()
	select {
	case <-delivered:
		t.Error("more is taken than may wait")
	case <-time.After(20 * time.Millisecond):
	}
	s.deliver(0, &result{})
	<-delivered
	if s.next != maxEarly+1 || len(s.waiting) != 0 {
		t.Errorf("%d blocks are dealt with, %d wait", s.next, len(s.waiting))
	}
}

// What waits for its turn is bounded in all, not only source by source.
func TestFindingsInMemoryAreBoundedInAll(t *testing.T) {
	dir := t.TempDir()
	var inAll atomic.Int64
	var list []*Findings
	one := detect.Finding{Rule: &detect.Rule{ID: "r"}, Event: bytes.Repeat([]byte("x"), 1000)}
	for range 100 {
		f := &Findings{dir: dir, inAll: &inAll}
		for range 600 {
			if err := f.add([]detect.Finding{one}); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, f)
	}
	if n := inAll.Load(); n > maxInAll+100*minInMemory {
		t.Errorf("%d bytes in memory", n)
	}
	for _, f := range list {
		n := 0
		if err := f.Each(func(*detect.Finding) error { n++; return nil }); err != nil || n != 600 {
			t.Fatalf("%d findings, %v", n, err)
		}
		f.close()
	}
	left, err := fs.Glob(os.DirFS(dir), "*")
	if inAll.Load() != 0 || len(left) > 0 || err != nil {
		t.Errorf("%d bytes and %d files are left, %v", inAll.Load(), len(left), err)
	}
}
