package report_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/report"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

// Every output writes every case, the same each time, and nothing in it acts on who shows it.
func TestEveryOutputWritesEveryCase(t *testing.T) {
	for name, in := range reporttest.Cases() {
		for _, o := range report.Outputs() {
			if o.Name == "html" || o.Name == "json" && name == "times that are none" {
				continue // a page isolates names, and has tests of its own; case.json holds no such times
			}
			t.Run(name+"/"+o.Name, func(t *testing.T) {
				got := reporttest.Twice(t, func(w *strings.Builder) error { return o.Write(w, in) })
				reporttest.Shown(t, strings.ReplaceAll(got, "\r\n", "\n"))
			})
		}
	}
}
