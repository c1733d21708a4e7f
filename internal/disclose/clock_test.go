package disclose

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads a time on the clocks of a zone, with its offset.
func at(t testing.TB, z *time.Location, s string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return got.In(z)
}

func TestLimits(t *testing.T) {
	paris, newYork := zone(t, "Europe/Paris"), zone(t, "America/New_York")
	regimes, err := BuiltinRegimes()
	if err != nil {
		t.Fatal(err)
	}
	us := &workdays{calendars: regimes.calendars, name: "us-federal"}
	for _, c := range []struct {
		name  string
		limit Limit
		zone  *time.Location
		start string
		want  string
	}{
		{"hours pass over the start of summer time", Limit{Hours: 24}, paris, "2026-03-28T12:00:00+01:00", "2026-03-29T13:00:00+02:00"},
		{"hours pass over its end", Limit{Hours: 24}, paris, "2026-10-24T12:00:00+02:00", "2026-10-25T11:00:00+01:00"},
		{"72 hours over its start", Limit{Hours: 72}, paris, "2026-03-27T23:30:00+01:00", "2026-03-31T00:30:00+02:00"},
		{"4 hours over the year's end", Limit{Hours: 4}, paris, "2025-12-31T22:00:00+01:00", "2026-01-01T02:00:00+01:00"},
		{"a month keeps the time on the clock", Limit{Months: 1}, paris, "2026-03-15T10:00:00+01:00", "2026-04-15T10:00:00+02:00"},
		{"31 January", Limit{Months: 1}, paris, "2026-01-31T10:00:00+01:00", "2026-02-28T10:00:00+01:00"},
		{"31 January of a leap year", Limit{Months: 1}, paris, "2028-01-31T10:00:00+01:00", "2028-02-29T10:00:00+01:00"},
		{"30 January", Limit{Months: 1}, paris, "2026-01-30T10:00:00+01:00", "2026-02-28T10:00:00+01:00"},
		{"29 February", Limit{Months: 12}, paris, "2028-02-29T10:00:00+01:00", "2029-02-28T10:00:00+01:00"},
		{"31 December", Limit{Months: 1}, paris, "2025-12-31T10:00:00+01:00", "2026-01-31T10:00:00+01:00"},
		{"31 August", Limit{Months: 1}, paris, "2026-08-31T10:00:00+02:00", "2026-09-30T10:00:00+02:00"},
		{"to an hour that clocks skip", Limit{Months: 1}, paris, "2026-02-28T02:30:00+01:00", "2026-03-28T02:30:00+01:00"},
		{"to an hour that clocks skip, that day", Limit{Days: 1}, paris, "2026-03-28T02:30:00+01:00", "2026-03-29T01:30:00+01:00"},
		{"to an hour that clocks show twice", Limit{Days: 1}, paris, "2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"from the second of the two", Limit{Days: 1}, paris, "2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"},
		{"a local day that is another in UTC", Limit{Months: 1}, paris, "2026-01-31T00:30:00+01:00", "2026-02-28T00:30:00+01:00"},
		{"business days over Christmas", Limit{BusinessDays: 4, At: "17:30"}, newYork, "2025-12-23T16:00:00-05:00", "2025-12-30T17:30:00-05:00"},
		{"from a Saturday", Limit{BusinessDays: 4, At: "17:30"}, newYork, "2026-02-07T09:00:00-05:00", "2026-02-12T17:30:00-05:00"},
		{"over Presidents' Day", Limit{BusinessDays: 4, At: "17:30"}, newYork, "2026-02-12T09:00:00-05:00", "2026-02-19T17:30:00-05:00"},
		{"over a holiday on a Saturday", Limit{BusinessDays: 4, At: "17:30"}, newYork, "2026-07-01T09:00:00-04:00", "2026-07-08T17:30:00-04:00"},
		{"late in Paris, the same day in New York", Limit{BusinessDays: 4, At: "17:30"}, newYork, "2026-02-03T02:00:00+01:00", "2026-02-06T17:30:00-05:00"},
	} {
		got, ok := c.limit.after(at(t, c.zone, c.start), us)
		if !ok || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestEaster(t *testing.T) {
	for year, want := range map[int]string{
		1954: "04-18", 1981: "04-19", 2019: "04-21", 2020: "04-12", 2021: "04-04", 2022: "04-17", 2023: "04-09", 2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28",
		2028: "04-16", 2029: "04-01", 2030: "04-21", 2031: "04-13", 2032: "03-28", 2033: "04-17", 2034: "04-09", 2035: "03-25", 2038: "04-25", 2049: "04-18", 2076: "04-19", 2285: "03-22",
	} {
		if got := easter(year).Format("01-02"); got != want {
			t.Errorf("%d: %s, want %s", year, got, want)
		}
	}
}

func TestHolidays(t *testing.T) {
	regimes, err := BuiltinRegimes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, day string
		works     bool
	}{
		{"FR", "2025-12-25", false}, {"FR", "2025-12-26", true}, {"FR", "2026-04-06", false}, {"FR", "2026-04-03", true}, {"FR", "2026-05-14", false}, {"FR", "2026-05-25", false},
		{"FR", "2026-07-14", false}, {"DE", "2026-04-03", false}, {"DE", "2026-10-03", false}, {"DE", "2025-12-26", false}, {"SE", "2026-06-20", false}, {"SE", "2026-06-19", true},
		{"DK", "2023-05-05", false}, {"DK", "2024-04-26", true}, {"NL", "2025-04-26", false}, {"NL", "2025-04-28", true}, {"NL", "2026-04-27", false}, {"IE", "2026-02-02", false},
		{"IE", "2022-02-07", true}, {"IE", "2030-02-01", false}, {"IE", "2030-02-04", true}, {"IE", "2026-10-26", false}, {"IE", "2026-06-01", false}, {"PL", "2024-12-24", true},
		{"PL", "2025-12-24", false}, {"PT", "2026-06-04", false}, {"IT", "2026-06-02", false}, {"ES", "2026-10-12", false}, {"AT", "2026-10-26", false}, {"BE", "2026-07-21", false},
		{"LU", "2026-06-23", false}, {"FI", "2027-12-06", false}, {"target", "2026-05-01", false}, {"target", "2026-12-24", true}, {"eu-institutions", "2026-12-29", false},
		{"us-federal", "2026-07-03", false}, {"us-federal", "2027-12-31", false}, {"us-federal", "2026-11-26", false}, {"us-federal", "2026-09-07", false}, {"us-federal", "2020-06-19", true},
		{"us-federal", "2023-01-02", false}, {"FR", "2026-08-17", true}, {"GR", "2026-04-13", true}, {"FR", "2036-12-25", true}, {"GR", "2026-04-12", false},
	} {
		w := &workdays{calendars: regimes.calendars, name: c.name}
		day := at(t, time.UTC, c.day+"T15:00:00Z")
		if got := w.works(day); got != c.works {
			t.Errorf("%s %s %s: works %v, want %v", c.name, c.day, day.Weekday(), got, c.works)
		}
	}
	if len(regimes.calendars.days) < 17 || regimes.calendars.from > 2020 || regimes.calendars.to < 2035 {
		t.Errorf("%d calendars, %d to %d", len(regimes.calendars.days), regimes.calendars.from, regimes.calendars.to)
	}
}

var zones = []string{"Europe/Paris", "Europe/Dublin", "UTC", "America/New_York", "Atlantic/Azores", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}

// genTime draws a time, often near one at which clocks change.
func genTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" near") {
		base := rapid.SampledFrom([]string{"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-01-31T12:00:00Z", "2028-02-29T12:00:00Z", "2025-12-31T23:00:00Z"}).Draw(t, label+" base")
		b, _ := time.Parse(time.RFC3339, base)
		return b.Add(time.Duration(rapid.IntRange(-3*24*60, 3*24*60).Draw(t, label+" minutes")) * time.Minute)
	}
	return time.Unix(rapid.Int64Range(1_577_836_800, 2_082_758_399).Draw(t, label), 0).UTC()
}

func TestMonthsAndDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		start, n := genTime(t, "start").In(z), rapid.IntRange(1, 14).Draw(t, "months")
		got := addMonths(start, n)
		if !got.After(start) {
			t.Fatalf("%s + %d months = %s", start, n, got)
		}
		y, m, _ := start.Date()
		want := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		if before := got.Add(-time.Hour).In(z); (got.Year() != want.Year() || got.Month() != want.Month()) && before.Month() != want.Month() {
			t.Fatalf("%s + %d months = %s, not in %s", start, n, got, want)
		}
		if got.Day() > start.Day() {
			t.Fatalf("%s + %d months = %s: a later day", start, n, got)
		}
		// A day has 23 to 25 hours.
		if d := addDays(start, 1).Sub(start); z.String() != "Pacific/Apia" && (d < 22*time.Hour || d > 26*time.Hour) {
			t.Fatalf("%s + 1 day = %s", start, addDays(start, 1))
		}
	})
}

func TestReliefIsNeverEarlier(t *testing.T) {
	regimes, err := BuiltinRegimes()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		z, _ := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		name := rapid.SampledFrom(append(sortedKeys(regimes.calendars.days), "", "GR")).Draw(t, "calendar")
		w := &workdays{calendars: regimes.calendars, name: name}
		due := genTime(t, "due").In(z)
		moved, ok := w.next(due, 12, 0)
		if !ok || !moved.After(due) || !w.works(moved) || moved.Hour() != 12 || moved.Sub(due) > 12*24*time.Hour {
			t.Fatalf("%s: %s moved to %s, %v", name, due, moved, ok)
		}
		all := &workdays{extra: map[string]bool{}}
		for i := range 500 {
			all.extra[due.AddDate(0, 0, i).Format(time.DateOnly)] = true
		}
		if _, ok := all.next(due, 12, 0); ok {
			t.Fatal("a working day was found where there is none")
		}
	})
}

// owedBy is the duty of a stage of DORA, by the times of awareness, classification and submissions (the zero time: none).
func owedBy(t *rapid.T, stage, kind string, aware, classified, initial, intermediate time.Time) *casefile.Duty {
	yaml := "organisation: {name: X, kind: financial, country: FR}\ndisclosure:\n  entity: {timezone: Europe/Paris, types: [" + kind + "], nis2: none}\n"
	if !aware.IsZero() {
		yaml += "  incident: {aware: " + aware.Format(time.RFC3339) + "}\n"
	}
	if !classified.IsZero() {
		yaml += "  acts:\n  - {act: classified, regime: dora, as: major, time: " + classified.Format(time.RFC3339) + ", author: A, reason: r}\n"
	}
	for _, s := range []struct {
		stage string
		time  time.Time
	}{{"initial", initial}, {"intermediate", intermediate}} {
		if !s.time.IsZero() {
			yaml += "  - {act: submitted, regime: dora, stage: " + s.stage + ", time: " + s.time.Format(time.RFC3339) + ", author: A, receipt: r}\n"
		}
	}
	f, err := ParseFacts([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Owed {
		if d := &r.Owed[i]; d.Regime == "dora" && d.Stage == stage {
			return d
		}
	}
	t.Fatal("no such duty")
	return nil
}

func genAware(t *rapid.T) time.Time {
	start := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(rapid.IntRange(0, 10*365*24*60).Draw(t, "aware")) * time.Minute)
}

// The rule of article 5(1)(a) and 5(2), written down a second time.
func TestInitialNotification(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aware := genAware(t)
		classified := aware.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "minutes")) * time.Minute)
		want := classified.Add(4 * time.Hour)
		if limit := aware.Add(24 * time.Hour); !classified.After(limit) && limit.Before(want) {
			want = limit
		}
		bank := owedBy(t, "initial", "credit_institution", aware, classified, time.Time{}, time.Time{})
		if !bank.Due.Equal(want) {
			t.Fatalf("aware %s, classified %s: due %s, want %s", aware, classified, bank.Due, want)
		}
		if bank.Due.Before(classified) {
			t.Fatal("due before it starts")
		}
		other := owedBy(t, "initial", "management_company", aware, classified, time.Time{}, time.Time{})
		if other.Due.Before(*bank.Due) {
			t.Fatalf("relief made it earlier: %s, %s", other.Due, bank.Due)
		}
		early := owedBy(t, "initial", "credit_institution", aware, time.Time{}, time.Time{}, time.Time{})
		if early.State != casefile.DutyOpen || !early.Due.Equal(aware.Add(24*time.Hour)) {
			t.Fatalf("not classified: %s %s", early.State, early.Due)
		}
	})
}

func TestLaterStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aware := genAware(t)
		initial := aware.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "initial")) * time.Minute)
		intermediate := initial.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "intermediate")) * time.Minute)
		d := owedBy(t, "intermediate", "credit_institution", aware, aware, initial, time.Time{})
		if !d.Due.Equal(initial.Add(72 * time.Hour)) {
			t.Fatalf("intermediate due %s after %s", d.Due, initial)
		}
		f := owedBy(t, "final", "credit_institution", aware, aware, initial, intermediate)
		if d := f.Due.Sub(intermediate); d < 28*24*time.Hour-time.Hour || d > 37*24*time.Hour {
			t.Fatalf("final due %s after %s", f.Due, intermediate)
		}
		later := intermediate.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "later")) * time.Minute)
		g := owedBy(t, "final", "credit_institution", aware, aware, initial, later)
		if g.Due.Before(f.Due.Add(-72 * time.Hour)) { // the last days of long months fall together, at their time of day
			t.Fatalf("%s for %s, %s for %s", f.Due, intermediate, g.Due, later)
		}
	})
}

// Whatever the zone of the entity, hours are the same.
func TestZoneDoesNotChangeHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aware := genAware(t)
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		text := fmt.Sprintf("organisation: {name: X, kind: post, country: FR}\ndisclosure:\n  entity: {timezone: %s, nis2: essential, trust_services: none}\n  incident: {aware: %s}\n", z, aware.Format(time.RFC3339))
		f, err := ParseFacts([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Owed {
			if d.Regime == "nis2" && d.Stage == "notification" && !d.Due.Equal(aware.Add(72*time.Hour)) {
				t.Fatalf("%s: %s", z, d.Due)
			}
		}
	})
}
