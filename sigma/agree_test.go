package sigma

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

// placeholders are values for every placeholder that SigmaHQ rules use.
func placeholders(rules []*Rule) map[string][]string {
	values := map[string][]string{}
	for _, r := range rules {
		for _, s := range r.detection.selections {
			collectPlaceholders(s.body, values)
		}
	}
	return values
}

func collectPlaceholders(b *block, into map[string][]string) {
	for _, sub := range b.any {
		collectPlaceholders(sub, into)
	}
	for _, l := range b.all {
		if l.has("expand") {
			for _, v := range l.values {
				for _, p := range regexp.MustCompile("%[^%]+%").FindAllString(v.text, -1) {
					into[strings.Trim(p, "%")] = []string{"wec*", "WORKSTATION5", "10.*"}
				}
			}
		}
	}
}

// agree compares the engine with the reference on every rule and the events.
func agree(tb testing.TB, e *Engine, given map[string][]string, events []*event.Event) (matches int) {
	tb.Helper()
	m := e.NewMatcher()
	ref := &reference{placeholders: given}
	applies := map[*event.Shape][]int32{}
	for n, ev := range events {
		rules, ok := applies[ev.Shape]
		if !ok {
			for i, r := range e.Rules() {
				for _, s := range ev.Shape.Sources {
					if s.Covers(r.LogSource) {
						rules = append(rules, int32(i))
						break
					}
				}
			}
			applies[ev.Shape] = rules
		}
		rev := newRefEvent(ev)
		var want []int32
		for _, i := range rules {
			if ref.matches(e.rules[i].detection, rev) {
				want = append(want, i)
			}
		}
		got := m.Match(ev)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			for _, i := range want {
				tb.Logf("reference: %s", e.rules[i].Path)
			}
			for _, i := range got {
				tb.Logf("engine: %s", e.rules[i].Path)
			}
			for i, f := range ev.Shape.Fields() {
				tb.Logf("%s = %#x %q", f.Name, ev.Value(i).Kind, ev.Value(i).String())
			}
			tb.Fatalf("event %d: the engine matches %v, the reference %v", n, got, want)
		}
		matches += len(got)
		for _, r := range got {
			m.Explain(ev, r)
		}
	}
	return matches
}

// The reference takes some 15 ms for an event of Windows.
var realEvents = flag.Int("events", 40, "real events to compare the engine with the reference on")

func TestEngineAgreesWithReferenceOnRealEvents(t *testing.T) {
	p := sigmaHQ(t)
	given := placeholders(p.Rules)
	e, rejected := Compile(p, Options{Placeholders: given})
	for _, r := range rejected {
		t.Error(r)
	}
	limit := *realEvents
	for _, utf16 := range []bool{true, false} {
		s := &shaper{utf16: utf16}
		var events []*event.Event
		for _, c := range regressionCases(t, s) {
			events = append(events, c.events...)
		}
		events = append(events, otrf(t, s, limit)...)
		n := agree(t, e, given, events)
		t.Logf("%d events, %d matches", len(events), n)
	}
}
