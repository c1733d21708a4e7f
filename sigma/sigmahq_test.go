package sigma

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

func TestEveryRuleOfSigmaHQLoads(t *testing.T) {
	p := sigmaHQ(t)
	for _, r := range p.Rejected {
		t.Errorf("%v", r)
	}
	if want := []string{"tests/thor.yml"}; len(p.Skipped) != 1 || !slices.ContainsFunc(p.Skipped, func(s string) bool {
		return len(s) > len(want[0]) && s[len(s)-len(want[0]):] == want[0]
	}) {
		t.Errorf("skipped %v, want %v", p.Skipped, want)
	}
	if len(p.Rules) != 3780 {
		t.Errorf("%d rules, want 3780", len(p.Rules))
	}
	e, rejected := Compile(p, Options{})
	t.Logf("%d rules, %d rejected, %d atoms, %d fields", len(e.Rules()), len(rejected), len(e.atoms), len(e.fields))
	for _, r := range rejected {
		t.Log(r)
	}
	always := 0
	for i, c := range e.codes {
		if c.trigger == nil {
			always++
			t.Log("no trigger:", e.rules[i].Path)
		}
	}
	t.Log("without trigger:", always)
}

func TestRecordedEventsMatchTheirRules(t *testing.T) {
	e, _ := Compile(sigmaHQ(t), Options{})
	m := e.NewMatcher()
	for _, utf16 := range []bool{false, true} {
		n := 0
		for _, c := range regressionCases(t, &shaper{utf16: utf16}) {
			found := 0
			for _, ev := range c.events {
				for _, r := range m.Match(ev) {
					if e.Rules()[r].ID == c.rule {
						found++
						if len(m.Explain(ev, r)) == 0 {
							t.Errorf("%s: nothing to explain the match", c.path)
						}
					}
				}
			}
			if found == 0 {
				t.Errorf("%s: rule %s does not match", c.path, c.rule)
			}
			n++
		}
		if n != 103 { // the other is a line of a Cisco device, below
			t.Errorf("%d cases, want 103", n)
		}
	}
}

func TestRecordedLineMatchesItsRule(t *testing.T) {
	e, _ := Compile(sigmaHQ(t), Options{})
	shape := event.NewShape("text", []event.LogSource{{Product: "cisco", Service: "aaa"}}, []event.Field{{Name: "message"}})
	line := "<13>Mar  9 18:05:00 198.51.100.7 logged command:no dot1x port-control"
	ev := &event.Event{Shape: shape, Values: make([]event.Value, 1), Raw: []byte(line)}
	for _, r := range e.NewMatcher().Match(ev) {
		if e.Rules()[r].ID == "ef0ff092-a24a-4fbc-beea-06c08d53e085" {
			return
		}
	}
	t.Error("the rule on dot1x does not match")
}
