package lang

import (
	"slices"
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// Number returns n in Latin digits, grouped by thousands as the language does.
func (l *Language) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + l.group + s[i:]
	}
	return sign + s
}

// Count returns n of what the message id names, such as "count.message", which takes the number n: "3 messages".
func (l *Language) Count(id string, n int64) Words { return l.Words(id, "n", n) }

// Between returns a number of which only bounds are known: "at least 4 and at most 6". Equal bounds are an exact number; an upper bound
// below the lower one is none: "at least 4; no upper bound is known", and with a lower bound of 0 "how many is not known".
func (l *Language) Between(lower, upper int64) Words {
	w := func(n int64) Words { return Words{parts: l.appendNumber(nil, n), rtl: l.rtl} }
	return l.between(w, lower, upper)
}

// BetweenOf is Between with what is counted, a message as for Count: "at least 4 messages and at most 6 messages", "at most 6 messages".
func (l *Language) BetweenOf(id string, lower, upper int64) Words {
	if lower == 0 && upper > 0 {
		return l.Words("interval.most", "upper", l.Count(id, upper))
	}
	return l.between(func(n int64) Words { return l.Count(id, n) }, lower, upper)
}

func (l *Language) between(w func(int64) Words, lower, upper int64) Words {
	switch {
	case upper < lower && lower <= 0:
		return l.Words("interval.unknown")
	case upper < lower:
		return l.Words("interval.open", "lower", w(lower))
	case upper == lower:
		return w(lower)
	}
	return l.Words("interval.closed", "lower", w(lower), "upper", w(upper))
}

// Stamp returns a time in UTC as a machine value: 2021-03-03 06:49:46 UTC; of the zero time, that it is not known.
func (l *Language) Stamp(t time.Time) Words {
	if t.IsZero() {
		return l.Words("time.unknown")
	}
	return Words{parts: []part{{machine, stamp(t) + " UTC"}}, rtl: l.rtl}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// Span returns the time from first to last, a machine value: the day is said once, and one time alone where they are equal or
// last is not known.
func (l *Language) Span(first, last time.Time) Words {
	if last.IsZero() || first.Equal(last) {
		return l.Stamp(first)
	}
	if first.IsZero() {
		return l.Words("time.until", "last", last)
	}
	a, b := stamp(first), stamp(last)
	if a == b {
		return l.Stamp(first)
	}
	if a[:10] == b[:10] {
		b = b[11:]
	}
	return Words{parts: []part{{machine, a + " – " + b + " UTC"}}, rtl: l.rtl}
}

// Duration says how long d is, in its two largest units: "2 days and 3 hours". What is less is left out. The sign is not said.
func (l *Language) Duration(d time.Duration) Words {
	if d < 0 {
		d = -max(d, -1<<63+1)
	}
	units := [...]struct {
		id   string
		long time.Duration
	}{{"count.day", 24 * time.Hour}, {"count.hour", time.Hour}, {"count.minute", time.Minute}, {"count.second", time.Second}}
	for i, u := range units {
		n := d / u.long
		if n == 0 && i < len(units)-1 {
			continue
		}
		w := l.Count(u.id, int64(n))
		if i+1 < len(units) {
			if m := d % u.long / units[i+1].long; m > 0 {
				return l.List([]Words{w, l.Count(units[i+1].id, int64(m))})
			}
		}
		return w
	}
	return Words{}
}

// Size returns a number of bytes: "1.5 MB". Units are those of 1000 bytes.
func (l *Language) Size(n int64) Words {
	if n < 1000 {
		return l.Count("count.byte", n)
	}
	v, unit := float64(n), ""
	for _, unit = range [...]string{"size.kb", "size.mb", "size.gb", "size.tb", "size.pb"} {
		if v /= 1000; v < 999.5 {
			break
		}
	}
	s := strconv.FormatFloat(v, 'f', 1, 64)
	whole, _ := strconv.ParseInt(s[:len(s)-2], 10, 64)
	return l.Words(unit, "v", Words{parts: []part{{words, l.Number(whole) + l.decimal + s[len(s)-1:]}}, rtl: l.rtl})
}

// List joins words as the language does: "a, b and c".
func (l *Language) List(items []Words) Words {
	if len(items) == 0 {
		return Words{}
	}
	w := Words{parts: slices.Clone(items[0].parts), rtl: l.rtl}
	for i, item := range items[1:] {
		id := "list.next"
		if i == len(items)-2 {
			id = "list.last"
		}
		w = l.Words(id, "before", w, "after", item)
	}
	return w
}

// Values makes words of machine values, for List.
func (l *Language) Values(values ...string) []Words { return l.each(machine, values) }

// Names makes words of names, for List.
func (l *Language) Names(names ...string) []Words { return l.each(name, names) }

func (l *Language) each(k kind, texts []string) []Words {
	out := make([]Words, len(texts))
	for i, s := range texts {
		out[i] = Words{parts: []part{{k, event.Visible(s)}}, rtl: l.rtl}
	}
	return out
}
