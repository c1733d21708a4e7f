package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// maxReread is how many bytes of evidence are read again at most, so that what proofs lean on can be shown word for word.
const maxReread = 2 << 30

// wanted are records that are to be shown word for word: offsets by the path of the source, in order.
type wanted map[string][]int64

// within reports whether a record of the source begins from one offset up to another.
func (m wanted) within(source string, from, to int64) bool {
	offsets := m[source]
	i, _ := slices.BinarySearch(offsets, from)
	return i < len(offsets) && offsets[i] < to
}

// proofsOf returns the records that proofs of the case name: first those of powers and sessions, then those of verdicts, the
// confirmed before the others. Two proofs of a reason are enough for a reader.
func proofsOf(c *casefile.Case) wanted {
	places := make(map[casefile.Place]bool)
	add := func(list []casefile.Proof) {
		for _, p := range list[:min(2, len(list))] {
			if len(places) < casefile.MaxRecords {
				places[casefile.Place{Source: p.Source, Offset: p.Offset}] = true
			}
		}
	}
	for i := range c.Capabilities {
		add(c.Capabilities[i].Evidence)
	}
	for _, whose := range []string{"attacker", "suspected"} {
		for i := range c.Sessions {
			if c.Sessions[i].Attribution == whose {
				add(c.Sessions[i].Evidence)
			}
		}
	}
	for _, verdict := range []string{casefile.Confirmed, casefile.Possible, casefile.RuledOut} {
		for i := range c.Reached {
			if len(places) == casefile.MaxRecords {
				break
			}
			if c.Reached[i].Verdict == verdict {
				for j := range c.Reached[i].Why {
					add(c.Reached[i].Why[j].Evidence)
				}
			}
		}
	}
	m := make(wanted)
	for p := range places {
		m[p.Source] = append(m[p.Source], p.Offset)
	}
	for _, offsets := range m {
		slices.Sort(offsets)
	}
	return m
}

// quote reads the evidence again as far as proofs of the case name records in it, and writes these records into the case. What
// is not a file any more, is too large to be read twice, or has other bytes than those that were judged, is left out: a proof says where
// its record stands.
func quote(ctx context.Context, cfg Config, w *casefile.Writer, c *casefile.Case) error {
	m := proofsOf(c)
	files := filesOf(c, m)
	if len(files) == 0 {
		return nil
	}
	f, err := w.File(casefile.RecordsFile)
	if err != nil {
		return err
	}
	type content struct{ path, sha256 string }
	judged := make(map[content]bool, len(c.Sources))
	for i := range c.Sources {
		judged[content{c.Sources[i].Path, c.Sources[i].SHA256}] = true
	}
	var records bytes.Buffer // of the source that is read
	again := Config{
		Paths: files, Evidence: cfg.Evidence, Formats: cfg.Formats, Workers: cfg.Workers, From: cfg.From, To: cfg.To, Zone: cfg.Zone, Year: cfg.Year, Window: cfg.Window,
		Wanted: m.within, Out: &records,
		Event: func(dst []byte, source *logs.Source, e *event.Event, _ []logs.Observation) []byte {
			if !m.within(source.Path, e.Offset, e.Offset+1) {
				return dst
			}
			return casefile.AppendRecord(dst, recordOf(source, e))
		},
		Source: func(s *tally.Source, _ *Findings) error {
			defer records.Reset()
			if !judged[content{s.Path, hex.EncodeToString(s.SHA256[:])}] {
				return nil
			}
			_, err := f.Write(records.Bytes())
			return err
		},
	}
	again.Evidence.Report = func(evidence.Problem) {} // told when it was read first
	if _, err := Run(ctx, again); err != nil {
		return err
	}
	return f.Close()
}

func recordOf(source *logs.Source, e *event.Event) *casefile.Record {
	r := &casefile.Record{Source: source.Path, Line: e.Line, Record: e.Record, Offset: e.Offset}
	raw := e.Raw
	if e.Line == 0 {
		raw = detect.AppendFields(nil, e)
	}
	r.Cut = len(raw) > casefile.MaxRecordRaw
	r.Raw = string(raw[:min(len(raw), casefile.MaxRecordRaw)])
	return r
}

// filesOf returns the files handed over in which the wanted records lie, the smallest first, as many as may be read again.
func filesOf(c *casefile.Case, m wanted) []string {
	size := make(map[string]int64) // of what comes out of a file handed over
	inFile := make(map[string]string)
	for _, path := range slices.Sorted(maps.Keys(m)) {
		if file, mode, ok := fileOf(path); ok && mode.IsRegular() {
			inFile[path], size[file] = file, 0
		}
	}
	for i := range c.Sources {
		for path := c.Sources[i].Path; ; {
			if _, ok := size[path]; ok {
				size[path] += c.Sources[i].Bytes
				break
			}
			end := strings.LastIndexByte(path, '!')
			if end < 0 {
				break
			}
			path = path[:end]
		}
	}
	files := slices.SortedFunc(maps.Keys(size), func(a, b string) int {
		return cmp.Or(cmp.Compare(size[a], size[b]), strings.Compare(a, b))
	})
	left := int64(maxReread)
	for i, file := range files {
		if left -= size[file]; left < 0 {
			return files[:i]
		}
	}
	return files
}

// fileOf returns the file handed over that a source is or lies in, if there is one. A '!' may be part of a name: it is the longest
// beginning that is there.
func fileOf(path string) (file string, mode fs.FileMode, ok bool) {
	for file = path; ; {
		if info, err := os.Stat(file); err == nil {
			return file, info.Mode(), true
		}
		i := strings.LastIndexByte(file, '!')
		if i < 0 {
			return "", 0, false
		}
		file = file[:i]
	}
}
