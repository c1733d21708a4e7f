package played_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

// assess makes the case of what is in dir. No rules are matched, and no report is written: verdicts do not depend on them here.
func assess(t *testing.T, ctx context.Context, dir string, workers int) *casefile.Case {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "facts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	facts, err := judge.ParseFacts(file)
	if err != nil {
		t.Fatal(err)
	}
	inventory, err := judge.ReadInventory(facts, dir)
	if err != nil {
		t.Fatal(err)
	}
	none, _ := sigma.Compile(&sigma.Pack{}, sigma.Options{})
	_, c, err := pipeline.Assess(ctx, pipeline.AssessConfig{
		Config: pipeline.Config{Paths: []string{filepath.Join(dir, "evidence")}, Formats: pipeline.Formats(), Workers: workers, From: event.UnknownTime, To: event.UnknownTime, Rules: detect.NewRules(none), NoCounting: true, Zone: facts.Zone},
		Dir:    filepath.Join(dir, "case"), NoReport: true, Now: time.Unix(0, 0), Facts: facts, Inventory: inventory,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
