package navigator

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/google/go-cmp/cmp"
)

func TestTechniqueCountsFindingsAndTakesTheHighestLevel(t *testing.T) {
	step := func(title, level string, n int64, tags ...string) casefile.Step {
		return casefile.Step{Rule: casefile.Rule{Title: title, Level: level, Tags: tags}, Count: n}
	}
	c := &casefile.Case{Incidents: []casefile.Incident{
		{Steps: []casefile.Step{step("b", "high", 3, "attack.t1190", "attack.initial-access", "attack.ta0001"), step("a", "critical", 4, "attack.t1190")}},
		{Steps: []casefile.Step{step("b", "low", 5, "attack.t1110.003", "attack.t1190")}},
	}}
	var out strings.Builder
	if err := Write(&out, input.Of(c, nil)); err != nil {
		t.Fatal(err)
	}
	var got layer
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := []technique{
		{ID: "T1110.003", Score: 5, Color: "#a9cbe6", Comment: "b", Enabled: true},
		{ID: "T1190", Score: 12, Color: "#d9557a", Comment: "a; b", Enabled: true},
	}
	if diff := cmp.Diff(want, got.Techniques); diff != "" {
		t.Error(diff)
	}
	if got.Versions.Layer != "4.5" || got.Gradient.Max != 12 {
		t.Errorf("%+v", got)
	}
}
