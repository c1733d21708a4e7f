package content_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/internal/tally"
)

// find runs Barid's own rules over evidence and calls each with every finding.
func find(tb testing.TB, path string, each func(source string, f *detect.Finding)) pipeline.Result {
	tb.Helper()
	res, err := pipeline.Run(context.Background(), pipeline.Config{
		Paths: []string{path}, Formats: pipeline.Formats(), Workers: 2, From: event.UnknownTime, To: event.UnknownTime,
		Zone:  func(string) (*time.Location, string) { return time.UTC, "assumed" },
		Rules: detect.NewRules(load(tb)),
		Source: func(s *tally.Source, findings *pipeline.Findings) error {
			return findings.Each(func(f *detect.Finding) error {
				each(s.Path, f)
				return nil
			})
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// TestOrdinaryTraffic reads real logs of servers to which nothing grave happened: no rule of level high or above may
// find anything in them. Probes and guessing, which every server on the Internet has, are of lower levels.
func TestOrdinaryTraffic(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 60 MB of logs")
	}
	f := func(elem ...string) {
		t.Helper()
		t.Run(strings.Join(elem, "/"), func(t *testing.T) {
			levels := map[string]int{}
			res := find(t, sharedtest.Path(t, append([]string{"evidence"}, elem...)...), func(source string, f *detect.Finding) {
				levels[f.Rule.Level.String()]++
				if f.Rule.Level >= detect.High {
					t.Errorf("%s (%s) in %s:%d: %s", f.Rule.Title, f.Rule.Level, source, f.Line, f.Raw)
				}
			})
			if res.Events == 0 {
				t.Error("no event was read")
			}
			t.Logf("%d events, findings %v", res.Events, levels)
		})
	}
	f("web-access", "wordpress-2016")
	f("web-access", "erddap-nginx")
	f("web-access", "semicomplete-2015")
	f("web-access", "nginx-plus-json")
	f("windows-evtx", "parser-conformance.zip")
	f("exchange", "format-samples-real-anonymised")
	f("exchange", "elastic-integration-samples")
	f("mail", "dovecot-postfix-success-lines")
}

var counts = flag.String("counts", "", "count in the log of the test what Barid's own rules find in this file or folder")

// TestCounts shows what the rules find in evidence of one's own: go test ./content/ -run TestCounts -counts PATH -v
func TestCounts(t *testing.T) {
	if *counts == "" {
		t.Skip("no -counts")
	}
	if _, err := os.Stat(*counts); err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	first := map[string]string{}
	res := find(t, *counts, func(source string, f *detect.Finding) {
		key := fmt.Sprintf("%-13s %s", f.Rule.Level, f.Rule.Title)
		if n[key]++; n[key] == 1 {
			first[key] = fmt.Sprintf("%s:%d %.300s", source, f.Line, f.Raw)
		}
	})
	t.Logf("%s: %d events", *counts, res.Events)
	for _, key := range slices.Sorted(maps.Keys(n)) {
		t.Logf("%7d  %s\n         %s", n[key], key, first[key])
	}
}
