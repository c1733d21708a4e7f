package html

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/report/fields"
)

// levels are the levels of findings, the most severe first.
var levels = [...]string{"critical", "high", "medium", "low", "informational"}

// rank orders levels: the more severe, the higher. A level that is none is below all.
func rank(level string) int {
	if i := slices.Index(levels[:], level); i >= 0 {
		return len(levels) - i
	}
	return 0
}

// class returns level as the name of a class, never a text from outside.
func class(level string) string {
	if rank(level) == 0 {
		return "informational"
	}
	return level
}

// stamp is a time of the report. The page says once that it is UTC.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "time unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// span is a first and a last time, the day said once.
func span(first, last time.Time) string {
	a, b := stamp(first), stamp(last)
	switch {
	case a == b || last.IsZero():
		return a
	case !first.IsZero() && a[:10] == b[:10]:
		return a + " – " + b[11:]
	}
	return a + " – " + b
}

// number groups digits by thousands.
func number[T int | int64](v T) string {
	s := strconv.FormatInt(int64(v), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func count[T int | int64](n T, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// size is a number of bytes for people.
func size(n int64) string {
	if n < 1000 {
		return count(n, "byte", "bytes")
	}
	v, unit := float64(n), ""
	for _, unit = range [...]string{"kB", "MB", "GB", "TB", "PB"} {
		if v /= 1000; v < 999.5 {
			break
		}
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
}

// duration says how long, roughly: in the largest unit of which there are at least two.
func duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*365*day:
		return count(int64(d/(365*day)), "year", "years")
	case d >= 60*day:
		return count(int64(d/(30*day)), "month", "months")
	case d >= 2*day:
		return count(int64(d/day), "day", "days")
	case d >= 2*time.Hour:
		return count(int64(d/time.Hour), "hour", "hours")
	case d >= 2*time.Minute:
		return count(int64(d/time.Minute), "minute", "minutes")
	}
	return count(int64(d/time.Second), "second", "seconds")
}

// list joins words: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// visible shows what would not show. Everything from a log or a rule goes through it.
func visible(s string) string { return string(fields.AppendVisible(nil, s)) }

// visibleLines is visible and keeps lines and tabs.
func visibleLines(s string) string {
	var out []byte
	for i, line := range strings.Split(strings.TrimRight(s, "\r\n"), "\n") {
		if i > 0 {
			out = append(out, '\n')
		}
		for j, part := range strings.Split(strings.TrimSuffix(line, "\r"), "\t") {
			if j > 0 {
				out = append(out, '\t')
			}
			out = fields.AppendVisible(out, part)
		}
	}
	return string(out)
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
