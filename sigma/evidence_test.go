package sigma_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/sigma"
)

// TestEngineAgreesWithReferenceOnEvidence reads the evidence with the readers and compares the engine with the reference on every rule.
// Of every source some events are taken; with BARID_DIFFERENTIAL=N in the environment all events, and one rule in N, others for every
// event. With 1, that is every rule on every event: 91 million pairs, some five minutes of processor time.
func TestEngineAgreesWithReferenceOnEvidence(t *testing.T) {
	if testing.Short() {
		t.Skip("reads all evidence")
	}
	every, first, then := int32(4), int64(10), int64(499)
	if s := os.Getenv("BARID_DIFFERENTIAL"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("BARID_DIFFERENTIAL=%s", s)
		}
		every, first = int32(n), 1<<62
	}
	path := sharedtest.Path(t, "evidence")
	if p := os.Getenv("BARID_DIFFERENTIAL_EVIDENCE"); p != "" {
		path = p
	}
	pack := sigma.SigmaHQ(t)
	own, err := sigma.LoadFS(content.Rules())
	if err != nil {
		t.Fatal(err)
	}
	both := &sigma.Pack{}
	both.Add(pack)
	both.Add(own)
	given := sigma.PlaceholderValues(both.Rules)
	engine, _ := sigma.Compile(both, sigma.Options{Placeholders: given})

	var mu sync.Mutex
	var free, all []*sigma.Comparison
	var events int64
	formats := map[string]int64{}
	seen := map[*logs.Source]int64{}
	disagreements := 0
	compare := func(dst []byte, source *logs.Source, e *event.Event, _ []logs.Observation) []byte {
		mu.Lock()
		if seen[source]++; seen[source] > first && seen[source]%then != 0 {
			mu.Unlock()
			return dst
		}
		events++
		formats[e.Shape.Format]++
		if len(free) == 0 {
			c := sigma.NewComparison(engine, given)
			free, all = append(free, c), append(all, c)
		}
		c := free[len(free)-1]
		free = free[:len(free)-1]
		mu.Unlock()
		wrong := c.Disagree(e, every)
		mu.Lock()
		free = append(free, c)
		for _, i := range wrong {
			if disagreements++; disagreements > 20 {
				break
			}
			t.Errorf("%s:%d (byte %d): engine and reference disagree on %s", source.Path, e.Line, e.Offset, engine.Rules()[i].Path)
			for slot, f := range e.Shape.Fields() {
				t.Logf("    %s %v = %#x %.200q", f.Name, f.Aliases, e.Value(slot).Kind, e.Value(slot).String())
			}
		}
		mu.Unlock()
		return dst
	}
	_, err = pipeline.Run(context.Background(), pipeline.Config{
		Paths: []string{path}, Formats: pipeline.Formats(), Workers: 2, From: event.UnknownTime, To: event.UnknownTime,
		Zone:  func(string) (*time.Location, string) { return time.UTC, "assumed" },
		Event: compare,
	})
	if err != nil {
		t.Fatal(err)
	}
	pairs, matches := int64(0), int64(0)
	for _, c := range all {
		pairs, matches = pairs+c.Pairs, matches+c.Matches
	}
	for _, f := range slices.Sorted(maps.Keys(formats)) {
		t.Logf("%9d events of %s", formats[f], f)
	}
	t.Logf("%d events, %d pairs of an event and a rule, %d matches, %d disagreements", events, pairs, matches, disagreements)
	if matches == 0 {
		t.Error("nothing matched")
	}
}
