package stix_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/reporttest"
	"github.com/barid-dfir/barid/internal/report/stix"
)

var update = flag.Bool("update", false, "write the golden files")

func write(t testing.TB, in *input.Input) string {
	t.Helper()
	return reporttest.Twice(t, func(w *strings.Builder) error { return stix.Write(w, in) })
}

func TestEveryCaseIsValid(t *testing.T) {
	for name, in := range reporttest.Cases() {
		t.Run(name, func(t *testing.T) { reporttest.CheckSTIX(t, write(t, in)) })
	}
}

func TestSmall(t *testing.T) {
	got := write(t, reporttest.Cases()["small"])
	reporttest.Silent(t, got)
	for _, words := range []string{`"fr":{`, `"ar":{`, "Ce qui a été atteint", "ما تم الوصول إليه"} {
		if !strings.Contains(got, words) {
			t.Errorf("%s is not in it", words)
		}
	}
	// Translations of rules and techniques are those of package lang.
	lines := slices.DeleteFunc(strings.SplitAfter(got, "\n"), func(l string) bool { return strings.HasPrefix(l, `{"type":"language-content"`) })
	reporttest.Golden(t, *update, "testdata/small.json", strings.Join(lines, ""))
	for _, no := range []string{"198.51.100.7", "10.1.0.5", "203.0.113.77", "Mozilla", "Outlook"} {
		if strings.Contains(got, no) {
			t.Errorf("%s is in it", no)
		}
	}
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	got := write(t, reporttest.Cases()["many"])
	for _, yes := range []string{"Further incidents: 4802.", "Further addresses: ", "Further client programs: ", "Further web shells: "} {
		if !strings.Contains(got, yes) && !strings.Contains(got, strings.Replace(yes, "4802", "4,802", 1)) {
			t.Errorf("%q is not in it", yes)
		}
	}
	if len(got) > 8<<20 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestAFailedReadIsAnError(t *testing.T) {
	for name, in := range reporttest.Broken() {
		if err := stix.Write(&strings.Builder{}, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A value never ends the string of a pattern that it stands in.
func FuzzPattern(f *testing.F) {
	for _, s := range reporttest.Evil {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := reporttest.Small()
		c.Sessions[0].Agents = []string{s}
		c.Reached[2].Object.ID = s
		got := write(t, input.Of(c, nil))
		reporttest.CheckPatterns(t, got)
	})
}
