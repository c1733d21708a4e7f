package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// What a proof names is in the case as it stands in the log.
func TestRecordsOfProofsAreAsTheyStandInTheLog(t *testing.T) {
	log := filepath.Join(sharedtest.Root(t), "examples", "imap-theft", "mail.log")
	dir, c := assessIn(t, own(t), log)
	records, err := casefile.ReadRecords(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for at, r := range records {
		if at.Source != log || r.Cut {
			t.Fatalf("%+v", r)
		}
		line, _, _ := strings.Cut(string(text[at.Offset:]), "\n")
		if r.Raw != line || r.Line != int64(strings.Count(string(text[:at.Offset]), "\n")+1) {
			t.Errorf("line %d: %s\nwant %s", r.Line, r.Raw, line)
		}
	}
	n := 0
	for i := range c.Reached {
		for _, why := range c.Reached[i].Why {
			for j, p := range why.Evidence {
				if _, ok := records[casefile.Place{Source: p.Source, Offset: p.Offset}]; ok {
					n++
				} else if j < 2 {
					t.Errorf("%s: %s leans on line %d, which is not in the case", c.Reached[i].Object.ID, why.Rule, p.Line)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("%d proofs have their record", n)
	}
}
