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

// Files whose records the index counts on beyond the end of the records that the header of the chunk gives: it goes on
// as long as one record follows on another. Those are remains of whatever was in the buffer when the file was exported.
// Nobody can read the ones whose templates have been overwritten; we find others, further on.
var countedOn = map[string]tally{
	"EVTX-to-MITRE-Attack/Antivirus/ID1151-Defender health status.evtx":                                                                                {records: 455, recovered: 0},
	"EVTX-to-MITRE-Attack/TA0008-Lateral Movement/T1021.002-SMB Windows Admin Shares/ID4688,4697,5140-5145 PSexec remote execution + admin share.evtx": {records: 30, recovered: 0},
	"EVTX-to-MITRE-Attack/TA0002-Execution/T1569.002-Service execution/ID5145-service massive remote creation via named pipe - Tchopper.evtx":          {records: 246, recovered: 30},
	"EVTX-ATTACK-SAMPLES/Lateral Movement/sysmon_1_exec_via_sql_xpcmdshell.evtx":                                                                       {records: 1, recovered: 0},
	"YamatoSecurity/Persistence/T1197_BitsClient.evtx":                                                                                                 {records: 7, recovered: 0},
	"DeepBlueCLI/Powershell-Invoke-Obfuscation-many.evtx":                                                                                              {records: 302, recovered: 328},
}

func TestAttackSamplesGiveEveryRecord(t *testing.T) {
	files := unzip(t, ".evtx", "evidence", "windows-evtx", "evtx-attack-samples.zip")
	rows := table(t, "evidence", "windows-evtx", "index.tsv")
	d := NewDecoder(NewTemplates())
	var declared, recovered int
	for name, file := range files {
		got := readAll(t, d, file, nil)
		declared += got.records
		recovered += got.recovered
		if len(got.defects) > 0 {
			t.Errorf("%s: defects %q", name, got.defects)
		}
		if want, ok := countedOn[name]; ok {
			if got.records != want.records || got.recovered != want.recovered {
				t.Errorf("%s: got %d records and %d recovered, want %d and %d", name, got.records, got.recovered, want.records, want.recovered)
			}
		} else if want := rows[name]["records"]; strconv.Itoa(got.records) != want {
			t.Errorf("%s: got %d records, want %s", name, got.records, want)
		}
	}
	templates, layouts := d.templates.Len()
	t.Logf("%d files, %d records and %d recovered, %d templates, %d steps of layouts", len(files), declared, recovered, templates, layouts)
}

// Files of which we read more records than a walk from record to record finds, which is what the table counts: it
// ends at the first broken one.
var foundBehindDamage = map[string]int{
	// A record of size 0 hides the 114 that follow it in the first chunk.
	"sample-with-zero-data-size-event.evtx": 449,
	// A log that was being overwritten: chunks whose end is older than their beginning.
	"2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx": 1951,
}

// The defects of each file: a part of the reason, and how many have it.
var knownDefects = map[string]map[string]int{
	"sysmon.evtx":                           {"does not begin with ElfChnk": 8, "no record where one was expected": 8}, // bytes of another file
	"security_bad_string_cache.evtx":        {"checksum of the chunk header": 1},
	"sample-with-zero-data-size-event.evtx": {"checksum of the records": 1, "impossible size of a record: 0": 1},
	// Logs whose last page was not written: the last record ends in zeros, and zeros follow.
	"Microsoft-Windows-HelloForBusiness%4Operational.evtx":  {"checksum of the records": 1, "two sizes": 1, "zeros": 1},
	"Microsoft-Windows-LanguagePackSetup%4Operational.evtx": {"checksum of the records": 1, "two sizes": 1, "zeros": 1},
	// Two chunks of which the pages from 49152 on are those of an older chunk, whose templates are gone where the new one
	// has others.
	"2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx": {
		"checksum of the records": 2, "two sizes": 2, "beyond the end": 2, "replaced by something else": 24,
	},
}

func TestConformanceFilesGiveEveryRecord(t *testing.T) {
	files := unzip(t, ".evtx", "evidence", "windows-evtx", "parser-conformance.zip")
	rows := table(t, "evidence", "windows-evtx", "parser-conformance.tsv")
	d := NewDecoder(NewTemplates())
	for name, file := range files {
		base := path.Base(name)
		got := readAll(t, d, file, nil)
		want := rows[name]["records_by_chunk_scan"]
		if n, ok := foundBehindDamage[base]; ok {
			want = strconv.Itoa(n)
		}
		if strconv.Itoa(got.records) != want {
			t.Errorf("%s: got %d records, want %s", base, got.records, want)
		}
		for _, x := range got.defects {
			known := false
			for reason := range knownDefects[base] {
				if strings.Contains(x, reason) {
					knownDefects[base][reason]--
					known = true
				}
			}
			if !known {
				t.Errorf("%s: %s", base, x)
			}
		}
		for reason, n := range knownDefects[base] {
			if n != 0 {
				t.Errorf("%s: %d fewer defects than expected: %s", base, n, reason)
			}
		}
	}
}
