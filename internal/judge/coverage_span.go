package judge

import (
	"cmp"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// mergeSpans puts spans in order and joins those with at most so much between them.
func mergeSpans(list []tally.Span, within int64) []tally.Span {
	if !slices.IsSortedFunc(list, compareSpans) { // files of a log mostly follow one another
		slices.SortFunc(list, compareSpans)
	}
	var out []tally.Span
	for _, s := range list {
		if s.From == event.UnknownTime || s.To < s.From {
			continue
		}
		if n := len(out); n > 0 && apart(out[n-1].To, s.From) <= within {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// apart returns how long it is from one time to a later one: 0 if that is none, never if it is too long for a number.
func apart(from, to int64) int64 {
	switch d := to - from; {
	case to <= from:
		return 0
	case d < 0:
		return never
	default:
		return d
	}
}

func compareSpans(a, b tally.Span) int {
	if a.From != b.From {
		return cmp.Compare(a.From, b.From)
	}
	return cmp.Compare(a.To, b.To)
}

// unite returns the spans of all lists, each in order, as one.
func unite(lists [][]tally.Span) []tally.Span {
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	}
	a, b := unite(lists[:len(lists)/2]), unite(lists[len(lists)/2:])
	out := make([]tally.Span, 0, len(a)+len(b))
	for i, j := 0, 0; i < len(a) || j < len(b); {
		var s tally.Span
		if j == len(b) || i < len(a) && a[i].From <= b[j].From {
			s = a[i]
			i++
		} else {
			s = b[j]
			j++
		}
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
		} else {
			out = append(out, s)
		}
	}
	return out
}
