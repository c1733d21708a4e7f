package windows

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// sharedZip calls use for every file of an archive in the shared evidence.
func sharedZip(tb testing.TB, use func(name string, data []byte), elem ...string) {
	path := sharedtest.Path(tb, elem...)
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	unzip(tb, path, data, use)
}

func readEVTX(tb testing.TB, f logs.Format, name string, data []byte) *event.Batch {
	tb.Helper()
	s := logtest.Source(name, data)
	if f.Sniff(s) != logs.Certain {
		tb.Errorf("%s is not recognised", name)
	}
	return logtest.Read(tb, f, s, data, logs.MaxBlock, 0)
}

func recovered(out *event.Batch) (n int) {
	for i := range out.Events {
		if out.Events[i].Shape.Slot("_recovered") >= 0 {
			n++
		}
	}
	return n
}

func TestReadsEveryEVTXSet(t *testing.T) {
	f := EVTX()
	p := f.Parser()
	files, events, slack, defects, timeless := 0, 0, 0, 0, 0
	kinds := map[logs.Kind]int{}
	shapes := map[*event.Shape]bool{}
	d := evtx.NewDecoder(evtx.NewTemplates())
	check := func(name string, data []byte) {
		out := readEVTX(t, f, name, data)
		n, inFile := recovered(out), 0
		for rest := data[evtx.FileHeaderSize:]; len(rest) > 0; rest = rest[min(evtx.ChunkSize, len(rest)):] {
			d.Begin(rest)
			for d.Next() != nil {
				inFile++
			}
		}
		if len(out.Events) != inFile {
			t.Errorf("%s: %d events of %d records", name, len(out.Events), inFile)
		}
		defects += len(out.Defects)
		files++
		events += len(out.Events)
		slack += n
		for i := range out.Events {
			e := &out.Events[i]
			shapes[e.Shape] = true
			if e.Time == event.UnknownTime {
				timeless++
			}
			for _, o := range p.Observe(e, nil) {
				kinds[o.Kind]++
			}
		}
	}
	sharedZip(t, check, "evidence", "windows-evtx", "evtx-attack-samples.zip")
	sharedZip(t, check, "evidence", "windows-evtx", "parser-conformance.zip")
	t.Logf("%d files, %d events, %d of them recovered, %d defects, %d without time, %d shapes, observations %v", files, events, slack, defects, timeless, len(shapes), kinds)
	if timeless > 0 || len(shapes) > 1000 {
		t.Errorf("%d events without time, %d shapes", timeless, len(shapes))
	}
}

// fieldsOf returns the text of the fields of an event by name.
func fieldsOf(e *event.Event) map[string]string {
	m := map[string]string{}
	for slot, f := range e.Shape.Fields() {
		switch v := e.Value(slot); v.Kind {
		case event.None:
		case event.Null:
			m[f.Name] = ""
		default:
			m[f.Name] = v.String()
		}
	}
	return m
}

func TestEVTXAndItsJSONTwinHaveTheSameFields(t *testing.T) {
	files := map[string][]byte{}
	sharedZip(t, func(name string, data []byte) { files[name] = data }, "evidence", "sigma-regression", "sigma-regression.zip")
	fe, fj := EVTX(), JSON()
	pairs, values := 0, 0
	allowed := map[string]int{}
	for name, data := range files {
		base, ok := strings.CutSuffix(name, ".evtx")
		if !ok {
			continue
		}
		twin := files[base+".json"]
		if twin == nil {
			t.Errorf("%s has no twin", name)
			continue
		}
		a := readEVTX(t, fe, name, data)
		b := logtest.Events(t, fj, base+".json", twin)
		if fj.Sniff(logtest.Source(base+".json", twin)) != logs.Certain {
			t.Errorf("%s.json is not recognised", base)
		}
		a.Events = slices.DeleteFunc(a.Events, func(e event.Event) bool { return e.Shape.Slot("_recovered") >= 0 })
		if len(a.Events) != len(b.Events) || len(b.Defects) > 0 {
			t.Errorf("%s: %d records, twin %d and %v", name, len(a.Events), len(b.Events), b.Defects)
			continue
		}
		pairs++
		for i := range a.Events {
			x, y := &a.Events[i], &b.Events[i]
			if x.Time/1000 != y.Time/1000 {
				t.Errorf("%s: record %d: time %d, twin %d", name, i, x.Time, y.Time)
			}
			if !slices.Equal(x.Shape.Sources, y.Shape.Sources) {
				t.Errorf("%s: record %d: sources %v, twin %v", name, i, x.Shape.Sources, y.Shape.Sources)
			}
			fx, fy := fieldsOf(x), fieldsOf(y)
			for k, v := range fx {
				w, ok := fy[k]
				values++
				switch {
				case v == w && ok:
				case ok && k == "TimeCreated" && strings.HasPrefix(w, strings.TrimSuffix(v, "Z")):
					allowed["digits of a time after the sixth"]++
				case ok && k == "ParentCommandLine" && strings.Contains(base, "right_to_left_override") && strings.EqualFold(v, w):
					allowed["an .EXE that somebody wrote .exe in the twin"]++
				case ok && strings.TrimRight(v, " ") == w:
					allowed["trailing blanks, which evtx_dump trimmed"]++
				default:
					t.Errorf("%s: record %d: %s is %q, twin %q %v", name, i, k, v, w, ok)
				}
			}
			for k, w := range fy {
				if _, ok := fx[k]; !ok {
					t.Errorf("%s: record %d: twin has %s %q", name, i, k, w)
				}
			}
		}
	}
	t.Logf("%d pairs, %d values, allowed differences: %v", pairs, values, allowed)
}
