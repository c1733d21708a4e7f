package reporttest

import (
	"encoding/json"
	"strings"
	"testing"
)

// CheckCACAO checks a playbook against the schemas of CACAO 2.0, that its steps lead from the start to the end through all of them, and that
// all of its commands are manual.
func CheckCACAO(tb testing.TB, text string) {
	tb.Helper()
	Shown(tb, text)
	schema := official(tb, "cacao-2.0")
	if err := schema("playbook.json").Validate(decode(tb, text)); err != nil {
		tb.Error(err)
	}
	var p struct {
		Markings []string
		Start    string `json:"workflow_start"`
		Workflow map[string]map[string]any
		Agents   map[string]map[string]any `json:"agent_definitions"`
		Used     map[string]map[string]any `json:"data_marking_definitions"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		tb.Fatal(err)
	}
	for id, m := range p.Used {
		if err := schema("data-markings/marking-tlp.json").Validate(m); err != nil || m["id"] != id {
			tb.Errorf("%s: %v", id, err)
		}
	}
	if len(p.Markings) != 1 || p.Used[p.Markings[0]] == nil {
		tb.Errorf("markings %v", p.Markings)
	}
	seen := 0
	for at := p.Start; seen <= len(p.Workflow); seen++ {
		s := p.Workflow[at]
		if s == nil {
			tb.Fatalf("%s is no step", at)
		}
		kind := s["type"].(string)
		if !strings.HasPrefix(at, kind+"--") {
			tb.Errorf("%s is of type %s", at, kind)
		}
		if err := schema("workflows/" + kind + ".json").Validate(any(s)); err != nil {
			tb.Errorf("%s: %v", at, err)
		}
		commands, _ := s["commands"].([]any)
		for _, c := range commands {
			if c := c.(map[string]any); c["type"] != "manual" || c["command_b64"] != nil {
				tb.Errorf("%s has a command of type %v", at, c["type"])
			}
			if err := schema("commands/manual.json").Validate(c); err != nil {
				tb.Errorf("%s: %v", at, err)
			}
		}
		if kind == "action" && p.Agents[s["agent"].(string)] == nil {
			tb.Errorf("%s: nobody does it", at)
		}
		if kind == "end" {
			seen++
			break
		}
		at, _ = s["on_completion"].(string)
	}
	if seen != len(p.Workflow) {
		tb.Errorf("%d of %d steps lead to the end", seen, len(p.Workflow))
	}
}
