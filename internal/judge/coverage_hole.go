package judge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/tally"
)

// subtract takes a span out of holes.
func subtract(list []hole, s tally.Span) []hole {
	var out []hole
	for _, h := range list {
		if s.To < h.from || s.From > h.to {
			out = append(out, h)
			continue
		}
		if h.from < s.From {
			left := h
			left.to = s.From - 1
			out = append(out, left)
		}
		if h.to > s.To {
			right := h
			right.from = s.To + 1
			out = append(out, right)
		}
	}
	return out
}

// joined returns the holes of both, each in order and apart from one another. Where two overlap, the reason is that of the first list.
func joined(a, b []hole) []hole {
	out := slices.Clone(a)
	i := 0
	for _, h := range b {
		for i < len(a) && a[i].to < h.from {
			i++
		}
		for j := i; j < len(a) && a[j].from <= h.to; j++ {
			if h.from < a[j].from {
				left := h
				left.to = a[j].from - 1
				out = append(out, left)
			}
			if a[j].to == never {
				h.from, h.to = 1, 0
				break
			}
			h.from = a[j].to + 1
		}
		if h.from <= h.to {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, compareHoles)
	return out
}

// flatten puts holes in order and apart from one another. Where two overlap, the one that begins first gives the reason.
func flatten(list []hole) []hole {
	slices.SortStableFunc(list, compareHoles)
	var out []hole
	for _, h := range list {
		if n := len(out); n > 0 && h.from <= out[n-1].to {
			if h.to <= out[n-1].to {
				continue
			}
			h.from = out[n-1].to + 1 // it is not never: h.to is later
		}
		out = append(out, h)
	}
	return out
}

func compareHoles(a, b hole) int {
	return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), strings.Compare(a.reason, b.reason), strings.Compare(a.why, b.why))
}

// intersect returns what is a hole in both. The reason is a's, unless a does not begin or has ended then and b has a better one.
func intersect(a, b []hole) []hole {
	var out []hole
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := max(a[i].from, b[j].from), min(a[i].to, b[j].to)
		if from <= to {
			h := a[i]
			if outside(h.reason) && !outside(b[j].reason) {
				h = b[j]
			}
			h.from, h.to = from, to
			out = append(out, h)
		}
		if a[i].to < b[j].to {
			i++
		} else {
			j++
		}
	}
	return out
}

func outside(reason string) bool { return reason == "before_coverage" || reason == "after_coverage" }

// between returns the holes in a time, cut to it.
func between(list []hole, from, to int64) []hole {
	i, _ := slices.BinarySearchFunc(list, from, func(h hole, at int64) int {
		if h.to < at {
			return -1
		}
		return 1
	})
	var out []hole
	for ; i < len(list) && list[i].from <= to; i++ {
		h := list[i]
		h.from, h.to = max(h.from, from), min(h.to, to)
		out = append(out, h)
	}
	return out
}
