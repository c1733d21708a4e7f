package evtx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"
	"testing"
)

// Values of twins that are not what stands in the record, and why.
var editedTwins = map[string]string{
	"ad691d92-15f2-4181-9aa4-723c74f9ddc3.evtx/Event/EventData/ParentCommandLine":               "edited by hand: the record has Explorer.EXE",
	"ad691d92-15f2-4181-9aa4-723c74f9ddc3.evtx/Event/System/TimeCreated/#attributes/SystemTime": "nine digits of a second; all others have six",
}

// TestJSONAgreesWithTwins compares every record of the regression set with what evtx_dump made of it.
func TestJSONAgreesWithTwins(t *testing.T) {
	files := unzip(t, ".evtx", "evidence", "sigma-regression", "sigma-regression.zip")
	twins := unzip(t, ".json", "evidence", "sigma-regression", "sigma-regression.zip")
	d := NewDecoder(NewTemplates())
	records, values, trimmed := 0, 0, 0
	for name, file := range files {
		twin, ok := twins[strings.TrimSuffix(name, ".evtx")+".json"]
		if !ok {
			t.Errorf("%s has no twin", name)
			continue
		}
		want := json.NewDecoder(bytes.NewReader(twin))
		want.UseNumber()
		got := readAll(t, d, file, func(r *Record) {
			if r.Recovered {
				return
			}
			records++
			var w any
			if err := want.Decode(&w); err != nil {
				t.Errorf("%s: record %d is not in the twin: %v", path.Base(name), r.ID, err)
				return
			}
			mine := r.AppendJSON(nil)
			g := decodeJSON(t, mine)
			values += diff(g, w, "", func(at string, g, w any) {
				// That evtx_dump cut spaces off the end of strings.
				if gs, ok := g.(string); ok && w == strings.TrimRight(gs, " ") {
					trimmed++
					return
				}
				if reason := editedTwins[path.Base(name)+at]; reason != "" {
					return
				}
				t.Errorf("%s: record %d: %s: got %v, want %v", path.Base(name), r.ID, at, g, w)
			})
		})
		if len(got.defects) > 0 {
			t.Errorf("%s: %q", path.Base(name), got.defects)
		}
		if want.More() {
			t.Errorf("%s: the twin has more records", path.Base(name))
		}
	}
	t.Logf("%d records, %d values, of which %d differ in spaces at the end", records, values, trimmed)
}

func decodeJSON(tb testing.TB, text []byte) any {
	tb.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		tb.Fatalf("not JSON: %v\n%s", err, text)
	}
	if dec.More() {
		tb.Fatalf("more than one JSON value: %s", text)
	}
	return v
}

// diff walks two trees, reports where they differ, and returns the number of leaves it saw.
func diff(g, w any, at string, report func(at string, g, w any)) int {
	switch w := w.(type) {
	case map[string]any:
		g, ok := g.(map[string]any)
		if !ok {
			report(at, g, w)
			return 1
		}
		keys := make(map[string]bool)
		for k := range g {
			keys[k] = true
		}
		for k := range w {
			keys[k] = true
		}
		sorted := make([]string, 0, len(keys))
		for k := range keys {
			sorted = append(sorted, k)
		}
		sort.Strings(sorted)
		n := 0
		for _, k := range sorted {
			gv, inG := g[k]
			wv, inW := w[k]
			if !inG || !inW {
				report(at+"/"+k, fmt.Sprint(inG, gv), fmt.Sprint(inW, wv))
				continue
			}
			n += diff(gv, wv, at+"/"+k, report)
		}
		return n
	case []any:
		g, ok := g.([]any)
		if !ok || len(g) != len(w) {
			report(at, g, w)
			return 1
		}
		n := 0
		for i := range w {
			n += diff(g[i], w[i], fmt.Sprintf("%s[%d]", at, i), report)
		}
		return n
	}
	if g != w {
		report(at, g, w)
	}
	return 1
}
