package cacao_test

import (
	"flag"
	"strings"
	"testing"

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

func TestAFailedReadIsAnError(t *testing.T) {
	for name, in := range reporttest.Broken() {
		if err := cacao.Write(&strings.Builder{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
