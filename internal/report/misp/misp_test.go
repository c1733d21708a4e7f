package misp_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/misp"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t *testing.T, in *input.Input) string {
	t.Helper()
	return reporttest.Twice(t, func(w *strings.Builder) error { return misp.Write(w, in) })
}

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) { reporttest.CheckMISP(t, write(t, in)) })
	}
}

func TestSmall(t *testing.T) {
	got := write(t, reporttest.Cases()["small"])
	reporttest.Silent(t, got)
	reporttest.Golden(t, *update, "testdata/small.json", got)
}

func TestAFailedReadIsAnError(t *testing.T) {
	for name, in := range reporttest.Broken() {
		if err := misp.Write(&strings.Builder{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
