package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/sigma"
)

// A record is quoted only from the bytes that were judged.
func TestRecordsOfEvidenceThatHasChangedAreNotQuoted(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "mail.log")
	text, err := os.ReadFile(filepath.Join(sharedtest.Root(t), "examples", "imap-theft", "mail.log"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(p []byte) {
		if err := os.WriteFile(log, p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	facts, err := judge.ParseFacts(strings.NewReader("attacker: {ips: [203.0.113.9]}"))
	if err != nil {
		t.Fatal(err)
	}
	none, _ := sigma.Compile(&sigma.Pack{}, sigma.Options{})
	cfg := Config{Paths: []string{log}, Formats: Formats(), Workers: 2, From: event.UnknownTime, To: event.UnknownTime, Rules: detect.NewRules(none), NoCounting: true, Zone: facts.Zone}
	_, c, err := Assess(context.Background(), AssessConfig{Config: cfg, Dir: filepath.Join(dir, "case"), Now: time.Unix(0, 0), Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(name string) int {
		w, err := casefile.Create(filepath.Join(dir, name), false)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if err := quote(context.Background(), cfg, w, c); err != nil {
			t.Fatal(err)
		}
		records, err := casefile.ReadRecords(w.Dir())
		if err != nil {
			t.Fatal(err)
		}
		return len(records)
	}
	if n := quoted("same"); n < 5 {
		t.Errorf("%d records of what was judged", n)
	}
	write(append(text, "one more line\n"...))
	if n := quoted("changed"); n != 0 {
		t.Errorf("%d records of what was not judged", n)
	}
}
