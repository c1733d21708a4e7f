package disclose

import (
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

func TestHolidayThatMovesIntoAnotherYear(t *testing.T) {
	c, err := parseCalendars([]byte("years: {from: 2020, to: 2030}\ncalendars:\n  XX:\n  - {day: 12-31, moves: {saturday: 2, sunday: 1}}\n  - {day: 01-02, moves: {monday: -3}}\n"), calendars{})
	if err != nil {
		t.Fatal(err)
	}
	w := &workdays{calendars: c, name: "XX"}
	for day, works := range map[string]bool{
		"2024-01-01": false, // 31 December 2023 was a Sunday
		"2024-12-31": false,
		"2022-12-30": false, // 2 January 2023 was a Monday
		"2023-01-03": true,
		"2029-12-31": false,
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.works(at); got != works {
			t.Errorf("%s: works %v, want %v", day, got, works)
		}
	}
}

func TestSixMonthsAreCalendarMonths(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	occurred := at("2026-08-31")
	f := &Facts{Incident: Incident{Occurred: &occurred, Recurring: []Recurring{{Time: at("2026-02-28")}}}}
	s, err := newSituation(&Input{Case: new(casefile.Case), Facts: f})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.recurring()) != 1 {
		t.Error("an incident of 28 February is within the six months before 31 August")
	}
	f.Incident.Recurring[0].Time = at("2026-02-27")
	if len(s.recurring()) != 0 {
		t.Error("an incident of 27 February is not")
	}
}
