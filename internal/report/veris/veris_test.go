package veris_test

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/reporttest"
	"github.com/barid-dfir/barid/internal/report/veris"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, in *input.Input) string {
	t.Helper()
	return reporttest.Twice(t, func(w *strings.Builder) error { return veris.Write(w, in) })
}

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) { reporttest.CheckVERIS(t, write(t, in)) })
	}
}

func TestSmall(t *testing.T) {
	got := write(t, reporttest.Cases()["small"])
	reporttest.Silent(t, got)
	if strings.Contains(got, "Example Post") {
		t.Error("the victim is named")
	}
	reporttest.Golden(t, *update, "testdata/small.json", got)
}

// Disclosure follows from verdicts, and from nothing else; that there was none is never said.
func TestDisclosure(t *testing.T) {
	for _, x := range []struct {
		reached map[string]casefile.VerdictCounts
		want    string // "" for no word on confidentiality
	}{
		{nil, ""},
		{map[string]casefile.VerdictCounts{"mailbox": {RuledOut: 20}}, ""},
		{map[string]casefile.VerdictCounts{"mailbox": {RuledOut: 20}, "host": {Confirmed: 1}}, ""},
		{map[string]casefile.VerdictCounts{"mailbox": {RuledOut: 20}, "credential": {Confirmed: 1}}, "Unknown"},
		{map[string]casefile.VerdictCounts{"mailbox": {Possible: 1, RuledOut: 20}, "credential": {Confirmed: 1}}, "Potentially"},
		{map[string]casefile.VerdictCounts{"mailbox": {RuledOut: 1, MetadataPossible: 1}}, "Potentially"},
		{map[string]casefile.VerdictCounts{"mailbox": {RuledOut: 1, MetadataConfirmed: 1}}, "Yes"},
		{map[string]casefile.VerdictCounts{"message": {Confirmed: 1, Possible: 3}}, "Yes"},
	} {
		c := reporttest.Small()
		c.Reached, c.Summary.Reached = nil, x.reached
		var got struct {
			Attribute struct {
				Confidentiality struct {
					Disclosure string `json:"data_disclosure"`
				}
			}
		}
		if err := json.Unmarshal([]byte(write(t, input.Of(c, nil))), &got); err != nil {
			t.Fatal(err)
		}
		if got.Attribute.Confidentiality.Disclosure != x.want {
			t.Errorf("%v: %q, want %q", x.reached, got.Attribute.Confidentiality.Disclosure, x.want)
		}
	}
}

// A web shell that was used is no file that was disclosed.
func TestAShellIsNoDisclosure(t *testing.T) {
	c := reporttest.Small()
	c.Reached = c.Reached[2:3]
	c.Summary.Reached = map[string]casefile.VerdictCounts{"shell": {Confirmed: 1}}
	if got := write(t, input.Of(c, nil)); strings.Contains(got, "data_disclosure") || !strings.Contains(got, "Software installation") {
		t.Error(got)
	}
}

func TestAFailedReadIsAnError(t *testing.T) {
	for name, in := range reporttest.Broken() {
		if err := veris.Write(&strings.Builder{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
