package ocsf_test

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/ocsf"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, in *input.Input) string {
	t.Helper()
	return reporttest.Twice(t, func(w *strings.Builder) error { return ocsf.Write(w, in) })
}

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) {
			n := 0
			for range in.Findings {
				n++
			}
			incidents, findings := reporttest.CheckOCSF(t, write(t, in))
			if incidents != len(in.Case.Incidents) || findings != n {
				t.Errorf("%d of %d incidents, %d of %d findings", incidents, len(in.Case.Incidents), findings, n)
			}
		})
	}
}

func TestSmall(t *testing.T) {
	reporttest.Golden(t, *update, "testdata/small.jsonl", write(t, reporttest.Cases()["small"]))
}

// An event that is no JSON is kept as text.
func TestHostileEvents(t *testing.T) {
	at := time.Date(2021, 3, 3, 0, 0, 0, 0, time.UTC)
	for _, event := range append(reporttest.Evil, `{"a":`, `{"a":"\u202e\\u202e"}`, `[]`, `null`) {
		in := input.Of(reporttest.Nothing(), func(yield func(*casefile.Finding, error) bool) {
			yield(&casefile.Finding{Time: &at, Last: &at, Event: json.RawMessage(event), Host: event, Client: event, Account: event, Object: event, Raw: event}, nil)
		})
		if _, n := reporttest.CheckOCSF(t, write(t, in)); n != 1 {
			t.Errorf("%q: %d findings", event, n)
		}
	}
}

func TestAFailedReadIsAnError(t *testing.T) {
	if err := ocsf.Write(&strings.Builder{}, reporttest.Broken()["findings"]); err == nil {
		t.Error("no error")
	}
}

// A web shell that was used is no breach of data by itself; a file that was read is.
func TestAShellIsNoBreach(t *testing.T) {
	for kind, want := range map[string]bool{"shell": false, "file": true, "mailbox": true, "host": false} {
		c := reporttest.Small()
		c.Summary.Reached = map[string]casefile.VerdictCounts{kind: {Confirmed: 1}}
		if got := strings.Contains(write(t, input.Of(c, nil)), `"is_suspected_breach":true`); got != want {
			t.Errorf("%s: suspected breach: %v", kind, got)
		}
	}
}
