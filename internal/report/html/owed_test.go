package html

import (
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// What has an hour stands before what has none, and no clock hides behind an entry without one.
func TestOpenClocksOnTheFirstScreen(t *testing.T) {
	day := func(d int) *time.Time {
		at := time.Date(2026, 3, d, 9, 0, 0, 0, time.UTC)
		return &at
	}
	c := &casefile.Case{Owed: []casefile.Duty{
		{Regime: "a", Stage: "register", State: casefile.DutyOpen, Without: true},
		{Regime: "a", Stage: "filing", State: casefile.DutyOpen},
		{Regime: "a", Stage: "asked", State: casefile.DutyOpen, Due: day(3), Local: "2026-03-03T10:00:00+01:00", Question: true},
		{Regime: "a", Stage: "late", State: casefile.DutyOpen, Due: day(6), Local: "2026-03-06T10:00:00+01:00"},
		{Regime: "a", Stage: "early", State: casefile.DutyOpen, Due: day(4), Local: "2026-03-04T09:00:00Z"},
		{Regime: "a", Stage: "persons", State: casefile.DutyDue, Without: true},
		{Regime: "a", Stage: "authority", State: casefile.DutyDue, Due: day(7), Local: "2026-03-07T10:00:00+01:00"},
	}}
	p := &page{say: english(t)}
	p.owed(c)
	want := []string{"authority", "persons", "early", "late"}
	if len(p.Owed.First) != len(want) {
		t.Fatalf("%d duties on the first screen, want %d", len(p.Owed.First), len(want))
	}
	for i, stage := range want {
		if !strings.Contains(string(p.Owed.First[i].Name), stage) {
			t.Errorf("%d: %s, want %s", i, p.Owed.First[i].Name, stage)
		}
	}
	if early := p.Owed.First[2]; early.Local != "" {
		t.Errorf("a clock at UTC says its local time again: %s", early.Local)
	}
	if last := p.Owed.All[len(p.Owed.All)-3]; !last.Without {
		t.Errorf("%s stands before what is owed without undue delay", last.Name)
	}
	if last := p.Owed.All[len(p.Owed.All)-1]; !strings.Contains(string(last.Name), "asked") {
		t.Errorf("%s stands after what depends on whether the law applies", last.Name)
	}
}
