package disclose

import "time"

// civil returns a time on the clocks of a zone. Where they show it twice, or skip it, it is the earlier of the two that can be meant.
func civil(year int, month time.Month, day, hour, minute, second, nanosecond int, zone *time.Location) time.Time {
	utc := time.Date(year, month, day, hour, minute, second, nanosecond, time.UTC)
	var shown, any time.Time
	for _, near := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, offset := utc.Add(near).In(zone).Zone()
		t := utc.Add(-time.Duration(offset) * time.Second).In(zone)
		if any.IsZero() || t.Before(any) {
			any = t
		}
		if sameClock(t, utc) && (shown.IsZero() || t.Before(shown)) {
			shown = t
		}
	}
	if shown.IsZero() {
		return any
	}
	return shown
}

// sameClock says whether clocks show the same day and time.
func sameClock(a, b time.Time) bool {
	return a.Format("2006-01-02T15:04:05.999999999") == b.Format("2006-01-02T15:04:05.999999999")
}

// addMonths returns the same day of a later month at the same time on the clocks of the zone of t, or the last day of a month that has no such day.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	d = min(d, first.AddDate(0, 1, -1).Day())
	return onClock(t, first.Year(), first.Month(), d)
}

// addDays returns the same time on the clocks of the zone of t, days later.
func addDays(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	return onClock(t, y, m, d+n)
}

func onClock(t time.Time, y int, m time.Month, d int) time.Time {
	return civil(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

// addBusinessDays returns a clock time on the nth working day after the day that t is on.
func addBusinessDays(t time.Time, n int, hour, minute int, w *workdays) (time.Time, bool) {
	for range n {
		var ok bool
		if t, ok = w.next(t, hour, minute); !ok {
			return t, false
		}
	}
	return t, true
}

// after returns when a limit that starts at start ends, in the zone of start. Hours are hours that pass, whatever clocks on the wall show.
func (l *Limit) after(start time.Time, w *workdays) (time.Time, bool) {
	switch {
	case l.Hours > 0:
		return start.Add(time.Duration(l.Hours) * time.Hour), true
	case l.Days > 0:
		return addDays(start, l.Days), true
	case l.Months > 0:
		return addMonths(start, l.Months), true
	}
	hour, minute := clockTime(l.At)
	return addBusinessDays(start, l.BusinessDays, hour, minute, w)
}

// clockTime reads 17:30, which was checked.
func clockTime(s string) (hour, minute int) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, 0
	}
	return t.Hour(), t.Minute()
}
