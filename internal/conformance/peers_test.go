package conformance_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
)

// table says what of a peer's expectations was met, for the log of the test.
var verbose = flag.Bool("tables", false, "log the whole tables of what peers expect and what Barid finds")

// TestCrowdSecScenarios gives Barid the logs that CrowdSec tests its scenarios with, one test at a time. Where an
// alert is expected about something Barid claims to see, it must report something about the same address.
func TestCrowdSecScenarios(t *testing.T) {
	files := unzip(t, "crowdsec-hub", "tests.zip")
	rules := withSigmaHQ(t)
	expected, met := map[string]int{}, map[string]int{}
	for _, row := range table(t, "crowdsec-hub", "expected.tsv") {
		name := row["test"]
		log, ok := files[name+"/"+row["log_file"]]
		if !ok || row["expected_sources"] == "" {
			continue
		}
		scope := crowdSecScope(row)
		dir := t.TempDir()
		findings, sources := scan(t, rules, put(t, dir, row["log_file"], log))
		var missing []string
		for _, source := range strings.Split(row["expected_sources"], ",") {
			expected[scope]++
			if slices.ContainsFunc(findings, func(f casefile.Finding) bool {
				l, _ := detect.ParseLevel(f.Rule.Level)
				return l >= detect.Low && names(&f, source)
			}) {
				met[scope]++
				continue
			}
			missing = append(missing, source)
		}
		format, unparsed := "", int64(0)
		for _, s := range sources {
			format, unparsed = s.Format, unparsed+s.Unparsed
		}
		if len(missing) > 0 || *verbose {
			t.Logf("%-10s %-32s %s: missing %v; %s, %d unread; finds %.200q", scope, name, row["expected_scenarios"], missing, format, unparsed, titles(findings))
		}
	}
	for _, s := range []string{"mail", "auth", "web", "exchange", "windows", "elsewhere"} {
		t.Logf("%-10s %d of %d sources", s, met[s], expected[s])
	}
}

// names reports whether a finding is about an address or account.
func names(f *casefile.Finding, who string) bool {
	return f.Client == who || f.Account == who || strings.Contains(string(f.Event), `"`+who+`"`)
}

// crowdSecScope says whose job the logs of a test are: a part of what Barid reads, or programs it does not know.
func crowdSecScope(row map[string]string) string {
	return fmt.Sprint(row["category"])
}
