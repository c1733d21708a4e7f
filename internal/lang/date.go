package lang

import (
	"fmt"
	"strconv"
	"time"
)

// Date returns the day of t, in the zone of t, as people write it in a letter: 12 March 2024, 12 mars 2024, 12 مارس 2024. Of the zero time it
// says that it is not known.
func (l *Language) Date(t time.Time) Words {
	if t.IsZero() {
		return l.Words("time.unknown")
	}
	id, day := "date.day", t.Day()
	if day == 1 {
		id = "date.first"
	}
	month := l.Words(fmt.Sprintf("date.month.%d", t.Month()))
	return l.Words(id, "day", l.verbatim(strconv.Itoa(day)), "month", month, "year", l.verbatim(strconv.Itoa(t.Year())))
}

// Dates returns the days from first to last, in the zones that they are in: one day where they are on the same, or last is the zero time.
func (l *Language) Dates(first, last time.Time) Words {
	if last.IsZero() || first.Format(time.DateOnly) == last.Format(time.DateOnly) {
		return l.Date(first)
	}
	return l.Words("date.range", "first", l.Date(first), "last", l.Date(last))
}

// Moment returns a day and the time on the clocks of the zone that t is in: 12 March 2024 at 14:30 (Europe/Paris).
func (l *Language) Moment(t time.Time) Words {
	if t.IsZero() {
		return l.Words("time.unknown")
	}
	return l.Words("date.moment", "date", l.Date(t), "time", l.verbatim(t.Format("15:04")), "zone", Name(t.Location().String()))
}

// verbatim makes words of digits, which are not grouped.
func (l *Language) verbatim(digits string) Words {
	return Words{parts: []part{{words, digits}}, rtl: l.rtl}
}
