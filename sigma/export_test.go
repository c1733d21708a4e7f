package sigma

import (
	"fmt"
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

// For tests outside of the package, which can make events with the readers of logs.

// SigmaHQ returns the rules of SigmaHQ.
func SigmaHQ(tb testing.TB) *Pack { return sigmaHQ(tb) }

// PlaceholderValues returns values for every placeholder in rules.
func PlaceholderValues(rules []*Rule) map[string][]string { return placeholders(rules) }

// Comparison compares an engine with the reference, event by event. It is for one goroutine.
type Comparison struct {
	engine  *Engine
	matcher *Matcher
	ref     reference
	applies map[string][]int32 // by log sources
	n       int32
	Pairs   int64 // of event and rule that were compared
	Matches int64
}

// NewComparison returns a Comparison for the values that the engine was given for placeholders.
func NewComparison(e *Engine, given map[string][]string) *Comparison {
	return &Comparison{engine: e, matcher: e.NewMatcher(), ref: reference{placeholders: given, memo: newRefMemo(e.rules)}, applies: map[string][]int32{}}
}

// Disagree compares one in every rules that apply to the event, others from event to event, and all that the engine says match. It returns
// those of which the two think otherwise.
func (c *Comparison) Disagree(ev *event.Event, every int32) []int32 {
	sources := fmt.Sprintf("%q", ev.Shape.Sources)
	rules, ok := c.applies[sources]
	if !ok {
		for i, r := range c.engine.Rules() {
			if refApplies(r.LogSource, ev.Shape.Sources) {
				rules = append(rules, int32(i))
			}
		}
		c.applies[sources] = rules
	}
	c.ref.memo.next()
	var out []int32
	c.n++
	got := c.matcher.Match(ev)
	c.Matches += int64(len(got))
	rev := newRefEvent(ev)
	for _, i := range rules {
		match := slices.Contains(got, i)
		if !match && (i+c.n)%every != 0 {
			continue
		}
		c.Pairs++
		if c.ref.matches(c.engine.rules[i].detection, rev) != match {
			out = append(out, i)
		}
	}
	for _, i := range got { // a match of a rule for another log
		if !slices.Contains(rules, i) {
			out = append(out, i)
		}
	}
	return out
}
