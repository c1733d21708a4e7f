package html

import (
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
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

// visible shows what would not show. Everything from a log or a rule goes through it.
func visible(s string) string { return event.Visible(s) }

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
			out = event.AppendVisible(out, part)
		}
	}
	return string(out)
}
