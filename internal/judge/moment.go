package judge

import (
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// moment returns a time as a case writes it; nil for one that is not known, and for the ends of time.
func moment(at int64) *time.Time {
	if at == event.UnknownTime || at <= always || at == never {
		return nil
	}
	t := time.Unix(0, at).UTC()
	return &t
}

// firstLast returns the ends of a span as a case writes them: both, or none.
func firstLast(from, to int64) (first, last *time.Time) {
	first, last = moment(from), moment(to)
	if first == nil || last == nil {
		return nil, nil
	}
	return first, last
}

// stamp says a time to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// inTime says a time to the second, or that it is not known.
func inTime(at int64) string {
	if at == event.UnknownTime {
		return "an unknown time"
	}
	return stamp(time.Unix(0, at))
}

// inWords says a time to the second where it is plain that it is UTC.
func inWords(at int64) string {
	if t := moment(at); t != nil {
		return t.Format("2006-01-02 15:04:05")
	}
	return "no known time"
}

// second writes a time to the second, as a part of an identifier.
func second(t int64) string {
	if t == event.UnknownTime {
		return "unknown"
	}
	return time.Unix(0, t).UTC().Format("2006-01-02T15:04:05Z")
}

// fromTo says a span of time, the day once where it is the same. clock is how exactly.
func fromTo(first time.Time, last *time.Time, clock string) string {
	s := first.Format("2006-01-02 " + clock)
	if last == nil {
		return s
	}
	switch end := last.Format("2006-01-02 " + clock); {
	case end == s:
		return s
	case end[:10] == s[:10]:
		return s + " to " + end[11:]
	default:
		return s + " to " + end
	}
}
