package cacao_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/cacao"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, in *input.Input) string {
	t.Helper()
	return reporttest.Twice(t, func(w *strings.Builder) error { return cacao.Write(w, in) })
}

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) {
			for _, tag := range lang.Tags() {
				l, err := lang.Find(tag)
				if err != nil {
					t.Fatal(err)
				}
				in.Lang = l
				reporttest.CheckCACAO(t, write(t, in))
			}
		})
	}
}

func TestSmall(t *testing.T) {
	got := write(t, reporttest.Cases()["small"])
	for _, w := range []string{"ana.secret", "cy.secret. May have been held", "mx1: the mail log of 2021-03-05 03:00 to 06:25", "203.0.113.9", "/owa/auth/it's.aspx"} {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in it", w)
		}
	}
	reporttest.Golden(t, *update, "testdata/small.json", got)
}

// What is owed is told as its regime calls it; what is done or not owed is not.
func TestOwed(t *testing.T) {
	c := reporttest.Small()
	due := reporttest.At("03-10 12:00:00")
	c.Owed = []casefile.Duty{
		{Regime: "dora", Stage: "initial", Recipient: "ACPR", State: casefile.DutyDue, Due: &due, Words: map[string]casefile.DutyWords{"en": {Regime: "DORA", Stage: "initial notification", Recipient: "ACPR"}}},
		{Regime: "gdpr", Stage: "33", Recipient: "CNIL\u202e", State: casefile.DutyOpen},
		{Regime: "nis2", Stage: "early", Recipient: "ANSSI", State: casefile.DutyDone},
		{Regime: "sec", Stage: "8k", Recipient: "SEC", State: casefile.DutyNotOwed},
	}
	got := write(t, input.Of(c, nil))
	reporttest.CheckCACAO(t, got)
	for w, want := range map[string]bool{"DORA, initial notification: ACPR. Due 2021-03-10 12:00:00 UTC.": true, "gdpr, 33: CNIL[U+202E]. When it is due is open.": true, "ANSSI": false, "SEC": false} {
		if strings.Contains(got, w) != want {
			t.Errorf("%q is in it: %v", w, !want)
		}
	}
}

func TestAFailedReadIsAnError(t *testing.T) {
	for name, in := range reporttest.Broken() {
		if err := cacao.Write(&strings.Builder{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
