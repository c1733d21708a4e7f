package disclose

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/strictyaml"
)

// calendars are the days on which nobody works, besides Saturdays and Sundays, by country or by what else has one.
type calendars struct {
	from, to int // the years that were looked at
	days     map[string][]holiday
}

// holiday is a day that comes every year.
type holiday struct {
	month   time.Month
	day     int
	easter  bool // day is days after Easter Sunday
	weekday int  // the first such day from month and day on; -1 where it is that day itself
	from    int  // the first year, or 0
	to      int  // the last year, or 0
	moves   map[time.Weekday]int
}

// calendarText is calendars.yaml.
type calendarText struct {
	Years struct {
		From int `yaml:"from"`
		To   int `yaml:"to"`
	} `yaml:"years"`
	Calendars map[string][]holidayText `yaml:"calendars"`
}

type holidayText struct {
	Day   string         `yaml:"day"`
	From  int            `yaml:"from"`
	To    int            `yaml:"to"`
	Moves map[string]int `yaml:"moves"`
}

func (h *holidayText) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		h.Day = n.Value
		return nil
	}
	type plain holidayText
	return n.Decode((*plain)(h))
}

// parseCalendars reads calendars, which take the place of those of the same name in base.
func parseCalendars(text []byte, base calendars) (calendars, error) {
	if len(text) > maxRegime {
		return base, fmt.Errorf("more than %d MiB", maxRegime>>20)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return base, strictyaml.Syntax(err)
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return base, fmt.Errorf("it holds no calendars")
	}
	if err := strictyaml.Keys(root.Content[0], reflect.TypeFor[calendarText](), ""); err != nil {
		return base, err
	}
	var t calendarText
	if err := root.Content[0].Decode(&t); err != nil {
		return base, err
	}
	if t.Years.From < 1900 || t.Years.To > 2200 || t.Years.From > t.Years.To {
		return base, fmt.Errorf("line %d: years: it takes from and to, between 1900 and 2200", strictyaml.Line(&root, "years"))
	}
	all := calendars{from: t.Years.From, to: t.Years.To, days: map[string][]holiday{}}
	for name, days := range base.days {
		all.days[name] = days
	}
	if base.days != nil { // a year is known if both looked at it
		all.from, all.to = max(all.from, base.from), min(all.to, base.to)
	}
	for _, name := range sortedKeys(t.Calendars) {
		days := []holiday{}
		for i, h := range t.Calendars[name] {
			d, err := parseHoliday(h)
			if err != nil {
				return base, fmt.Errorf("line %d: calendars.%s: %w", strictyaml.Line(&root, "calendars", name, i), name, err)
			}
			days = append(days, d)
		}
		all.days[name] = days
	}
	return all, nil
}

var weekdays = map[string]time.Weekday{"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday}

func parseHoliday(t holidayText) (holiday, error) {
	h := holiday{weekday: -1, from: t.From, to: t.To}
	text := t.Day
	if after, ok := strings.CutPrefix(text, "easter"); ok {
		n, err := strconv.Atoi(after)
		if err != nil || n < -100 || n > 100 {
			return h, fmt.Errorf("%q: write easter+39 or easter-2", t.Day)
		}
		h.easter, h.day = true, n
		return h, nil
	}
	if name, day, ok := strings.Cut(text, " from "); ok {
		w, known := weekdays[name]
		if !known {
			return h, fmt.Errorf("%q: there is no weekday %q", t.Day, name)
		}
		h.weekday, text = int(w), day
	}
	day, err := time.Parse("01-02", text)
	if err != nil {
		return h, fmt.Errorf("%q: write 12-25, easter+39 or monday from 02-01", t.Day)
	}
	h.month, h.day = day.Month(), day.Day()
	for name, n := range t.Moves {
		w, known := weekdays[name]
		if !known || n < -7 || n > 7 {
			return h, fmt.Errorf("%q: moves: it takes weekdays and days from -7 to 7", t.Day)
		}
		if h.moves == nil {
			h.moves = map[time.Weekday]int{}
		}
		h.moves[w] = n
	}
	return h, nil
}

// in returns the day of a year, at midnight UTC; ok is false in a year that does not have it.
func (h *holiday) in(year int) (day time.Time, ok bool) {
	if h.from != 0 && year < h.from || h.to != 0 && year > h.to {
		return time.Time{}, false
	}
	if h.easter {
		return easter(year).AddDate(0, 0, h.day), true
	}
	day = time.Date(year, h.month, h.day, 0, 0, 0, 0, time.UTC)
	if h.weekday >= 0 {
		day = day.AddDate(0, 0, (h.weekday-int(day.Weekday())+7)%7)
	}
	return day.AddDate(0, 0, h.moves[day.Weekday()]), true
}

// easter returns Easter Sunday of the Gregorian calendar, at midnight UTC: the Sunday after the full moon, by the tables of the church, that
// is the first on or after 21 March.
func easter(year int) time.Time {
	golden := year % 19
	century := year / 100
	// The age of the moon, corrected for leap years that were left out (the sun) and for the drift of the cycle of 19 years (the moon).
	epact := (19*golden + century - century/4 - (8*century+13)/25 + 15) % 30
	// The tables have no new moon on two days: full moon comes a day earlier.
	moon := epact - (epact/28)*(1-(29/(epact+1))*((21-golden)/11))
	day := time.Date(year, time.March, 21+moon, 0, 0, 0, 0, time.UTC)
	return day.AddDate(0, 0, 7-int(day.Weekday()))
}

// workdays says which days somebody works.
type workdays struct {
	calendars
	name  string          // of the calendar; "" if there is none
	extra map[string]bool // further days, as 2025-12-26
}

// known says whether bank holidays of the year of a day are.
func (w *workdays) known(day time.Time) bool {
	return w.days[w.name] != nil && day.Year() >= w.from && day.Year() <= w.to
}

// works says whether the day that t is on, in its own location, is a working day.
func (w *workdays) works(t time.Time) bool {
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday || w.extra[t.Format(time.DateOnly)] {
		return false
	}
	if !w.known(t) {
		return true
	}
	y, m, d := t.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for i := range w.days[w.name] {
		h := &w.days[w.name][i]
		for _, year := range []int{y - 1, y, y + 1} { // a day may move into the year before or after
			if day, ok := h.in(year); ok && day.Equal(midnight) {
				return false
			}
		}
	}
	return true
}

// maxDays bounds the search for a working day: facts may name any number of holidays.
const maxDays = 400

// next returns a clock time on the first working day after the day that t is on; ok is false if there is none within a year.
func (w *workdays) next(t time.Time, hour, minute int) (time.Time, bool) {
	y, m, d := t.Date()
	for i := 1; i <= maxDays; i++ {
		if at := civil(y, m, d+i, hour, minute, 0, 0, t.Location()); w.works(at) {
			return at, true
		}
	}
	return t, false
}
