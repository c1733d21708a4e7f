//go:build unix

package bench

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/sigma"
)

// size is how much evidence a benchmark makes: BARID_BENCH_MIB, or 256 MiB.
func size() int64 {
	if n, err := strconv.Atoi(os.Getenv("BARID_BENCH_MIB")); err == nil && n > 0 {
		return int64(n) << 20
	}
	return 256 << 20
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// repeat writes the files again and again into a new folder until there are size bytes, and returns the folder.
func repeat(b *testing.B, files [][]byte, ending string) string {
	b.Helper()
	dir := b.TempDir()
	var written int64
	for n := 0; written < size(); n++ {
		sub := filepath.Join(dir, fmt.Sprintf("%04d", n))
		if err := os.Mkdir(sub, 0o700); err != nil {
			b.Fatal(err)
		}
		for i, f := range files {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%04d%s", i, ending)), f, 0o600); err != nil {
				b.Fatal(err)
			}
			written += int64(len(f))
		}
	}
	return dir
}

func eventLogs(b *testing.B) [][]byte {
	b.Helper()
	var out [][]byte
	for _, name := range []string{"evtx-attack-samples.zip", "parser-conformance.zip"} {
		z, err := zip.OpenReader(sharedtest.Path(b, "evidence", "windows-evtx", name))
		if err != nil {
			b.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			if !strings.HasSuffix(f.Name, ".evtx") {
				continue
			}
			r, err := f.Open()
			if err != nil {
				b.Fatal(err)
			}
			p, err := io.ReadAll(r)
			if err != nil {
				b.Fatal(err)
			}
			out = append(out, p)
		}
	}
	return out
}

// unzipped returns what is in a file of the public evidence that gzip made.
func unzipped(b *testing.B, path ...string) []byte {
	b.Helper()
	f, err := os.Open(sharedtest.Path(b, append([]string{"evidence"}, path...)...))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	p, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// auditLog returns the records of an export of the unified audit log of Microsoft 365, a line each, with identifiers of
// their own for every n.
func auditLog(b *testing.B, export []byte, n int) []byte {
	b.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(export, []byte("\xEF\xBB\xBF")))).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	id := regexp.MustCompile(`"Id":"[0-9a-f]{8}`)
	var out []byte
	for _, row := range rows[1:] {
		record := row[slices.Index(rows[0], "AuditData")]
		if at := id.FindStringIndex(record); at != nil {
			record = fmt.Sprintf("%s%08x%s", record[:at[1]-8], n, record[at[1]:])
		}
		out = append(append(out, record...), '\n')
	}
	return out
}

// rules loads our own rules and all of the public set.
func rules(b *testing.B) *detect.Rules {
	b.Helper()
	return rulesFor(b, func(*sigma.Rule) bool { return true })
}

// rulesFor loads our own rules, and those of the public set that are chosen.
func rulesFor(b *testing.B, choose func(*sigma.Rule) bool) *detect.Rules {
	b.Helper()
	pack, err := sigma.LoadFS(content.Rules())
	if err != nil {
		b.Fatal(err)
	}
	public, err := sigma.Load(sharedtest.Path(b, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		b.Fatal(err)
	}
	chosen := &sigma.Pack{}
	for _, r := range public.Rules {
		if choose(r) {
			chosen.Rules = append(chosen.Rules, r)
		}
	}
	pack.Add(chosen)
	engine, _ := sigma.Compile(pack, sigma.Options{})
	return detect.NewRules(engine)
}

// hashing is the bound: bytes per CPU second of SHA-256 alone over the same files, in the same run.
func hashing(b *testing.B, dir string) float64 {
	b.Helper()
	var n int64
	start := cpu()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		m, err := io.Copy(sha256.New(), f)
		n += m
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(n) / (cpu() - start).Seconds()
}

func scan(b *testing.B, dir string, workers int, r *detect.Rules) {
	b.Helper()
	var res pipeline.Result
	start := cpu()
	for b.Loop() {
		var err error
		cfg := pipeline.Config{Paths: []string{dir}, Formats: pipeline.Formats(), Workers: workers, From: event.UnknownTime, To: event.UnknownTime, Rules: r}
		if res, _, _, err = pipeline.Scan(context.Background(), cfg, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	seconds := (cpu() - start).Seconds() / float64(b.N)
	bound := hashing(b, dir)
	b.ReportMetric(float64(res.Events)/seconds, "events/cpu-s")
	b.ReportMetric(float64(res.Bytes)/seconds/1e6, "MB/cpu-s")
	b.ReportMetric(bound/1e6, "sha256-MB/cpu-s")
	b.ReportMetric(float64(res.Bytes)/seconds/bound, "of-sha256")
	b.ReportMetric(float64(res.Findings), "findings")
}

// BenchmarkScanWindows scans event logs with every public rule and our own.
func BenchmarkScanWindows(b *testing.B) {
	dir := repeat(b, eventLogs(b), ".evtx")
	r := rules(b)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { scan(b, dir, workers, r) })
	}
}

// BenchmarkScanWindowsOnce scans every event log once: what is only done for the first record of its kind weighs most. It is
// for -benchtime 1x.
func BenchmarkScanWindowsOnce(b *testing.B) {
	dir := b.TempDir()
	for i, f := range eventLogs(b) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.evtx", i)), f, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	scan(b, dir, 1, rules(b))
}

// BenchmarkScanOneFile scans one event log that holds the chunks of all, again and again.
func BenchmarkScanOneFile(b *testing.B) {
	var chunks [][]byte
	for _, f := range eventLogs(b) {
		for at := evtx.FileHeaderSize; at+evtx.ChunkSize <= len(f); at += evtx.ChunkSize {
			if bytes.HasPrefix(f[at:], []byte("ElfChnk\x00")) {
				chunks = append(chunks, f[at:at+evtx.ChunkSize])
			}
		}
	}
	dir := b.TempDir()
	out, err := os.Create(filepath.Join(dir, "one.evtx"))
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	if _, err := out.Write(eventLogs(b)[0][:evtx.FileHeaderSize]); err != nil {
		b.Fatal(err)
	}
	for i := int64(0); i*evtx.ChunkSize < size(); i++ {
		if _, err := out.Write(chunks[i%int64(len(chunks))]); err != nil {
			b.Fatal(err)
		}
	}
	r := rules(b)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { scan(b, dir, workers, r) })
	}
}

// BenchmarkScanWeb scans access logs with every public rule for web servers and our own. The logs differ in how often requests
// come back and how many match: of a busy blog under attack, a quiet site, a flood, a data server.
func BenchmarkScanWeb(b *testing.B) {
	r := rulesFor(b, func(r *sigma.Rule) bool { return r.LogSource.Category == "webserver" })
	for _, log := range [][]string{
		{"wordpress-2016", "access_2016-02-20_2016-03-17.log.gz"}, {"semicomplete-2015", "access.log.gz"},
		{"http-flood-2015", "access.log.gz"}, {"erddap-nginx", "access.log.gz"},
	} {
		b.Run(log[0], func(b *testing.B) {
			dir := repeat(b, [][]byte{unzipped(b, append([]string{"web-access"}, log...)...)}, ".log")
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { scan(b, dir, workers, r) })
			}
		})
	}
}

// BenchmarkScanM365 scans an audit log of Microsoft 365 with every public rule for it and our own.
func BenchmarkScanM365(b *testing.B) {
	r := rulesFor(b, func(r *sigma.Rule) bool { return r.LogSource.Product == "m365" || r.LogSource.Product == "azure" })
	export := unzipped(b, "m365", "invictus-o365", "auditrecords_2021-03_05.csv.gz")
	dir := b.TempDir()
	for n, written := 0, int64(0); written < size(); n++ {
		p := auditLog(b, export, n)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.jsonl", n)), p, 0o600); err != nil {
			b.Fatal(err)
		}
		written += int64(len(p))
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { scan(b, dir, workers, r) })
	}
}

// BenchmarkStart loads and compiles every public rule and our own, and matches the first event.
func BenchmarkStart(b *testing.B) {
	logs := eventLogs(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.evtx"), bytes.Clone(logs[0]), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		cfg := pipeline.Config{Paths: []string{dir}, Formats: pipeline.Formats(), Workers: 2, From: event.UnknownTime, To: event.UnknownTime, Rules: rules(b)}
		if _, _, _, err := pipeline.Scan(context.Background(), cfg, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
