package evtx

import (
	"archive/zip"
	"encoding/csv"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/sharedtest"
)

// unzip returns the files of an archive of the shared evidence whose names end in suffix.
func unzip(tb testing.TB, suffix string, elem ...string) map[string][]byte {
	tb.Helper()
	z, err := zip.OpenReader(sharedtest.Path(tb, elem...))
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	files := make(map[string][]byte)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, suffix) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		files[f.Name] = data
	}
	return files
}

// table returns the rows of a tab-separated file by their first column, each as column name to value.
func table(tb testing.TB, elem ...string) map[string]map[string]string {
	tb.Helper()
	f, err := os.Open(sharedtest.Path(tb, elem...))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	all, err := r.ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	rows := make(map[string]map[string]string)
	for _, row := range all[1:] {
		m := make(map[string]string)
		for i, name := range all[0] {
			m[name] = row[i]
		}
		rows[row[0]] = m
	}
	return rows
}

// chunks cuts a file.
func chunks(file []byte) [][]byte {
	var list [][]byte
	for rest := file[min(FileHeaderSize, len(file)):]; len(rest) > 0; {
		n := min(ChunkSize, len(rest))
		list = append(list, rest[:n])
		rest = rest[n:]
	}
	return list
}

type tally struct {
	records, recovered int
	defects            []string
}

// readAll reads a file and checks that every byte of its chunks is accounted for.
func readAll(tb testing.TB, d *Decoder, file []byte, each func(*Record)) tally {
	tb.Helper()
	var t tally
	for i, c := range chunks(file) {
		d.Begin(c)
		sum := 0
		for r := d.Next(); r != nil; r = d.Next() {
			if r.Recovered {
				t.recovered++
			} else {
				t.records++
			}
			sum += r.Size
			if each != nil {
				each(r)
			}
		}
		for _, x := range d.Defects() {
			t.defects = append(t.defects, "chunk "+strconv.Itoa(i)+" at "+strconv.Itoa(x.Offset)+"+"+strconv.Itoa(x.Length)+": "+x.Reason)
		}
		if got := sum + accounted(d); got != len(c) {
			tb.Errorf("chunk %d: %d bytes accounted for, it has %d", i, got, len(c))
		}
	}
	return t
}

// accounted returns the bytes of the chunk that are in no record.
func accounted(d *Decoder) int {
	n := d.Free()
	if d.Header() != (ChunkHeader{}) {
		n += chunkHeaderSize
	}
	for _, x := range d.Defects() {
		n += x.Length
	}
	return n
}

func TestAttackSamplesGiveEveryRecord(t *testing.T) {
	files := unzip(t, ".evtx", "evidence", "windows-evtx", "evtx-attack-samples.zip")
	rows := table(t, "evidence", "windows-evtx", "index.tsv")
	d := NewDecoder(NewTemplates())
	for name, file := range files {
		got := readAll(t, d, file, nil)
		if want := rows[name]["records"]; strconv.Itoa(got.records) != want || len(got.defects) > 0 {
			t.Errorf("%s: got %d records and %d recovered, want %s; defects: %q", name, got.records, got.recovered, want, got.defects)
		}
	}
	templates, layouts := d.templates.Len()
	t.Logf("%d files, %d templates, %d layouts", len(files), templates, layouts)
}

func TestConformanceFilesGiveEveryRecord(t *testing.T) {
	files := unzip(t, ".evtx", "evidence", "windows-evtx", "parser-conformance.zip")
	rows := table(t, "evidence", "windows-evtx", "parser-conformance.tsv")
	d := NewDecoder(NewTemplates())
	for name, file := range files {
		got := readAll(t, d, file, nil)
		if want := rows[name]["records_by_chunk_scan"]; strconv.Itoa(got.records) != want || len(got.defects) > 0 {
			t.Errorf("%s: got %d records and %d recovered, want %s; defects: %q", path.Base(name), got.records, got.recovered, want, got.defects)
		}
	}
}
