package main

import (
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

func TestCountsOfWhatMayBeTheSame(t *testing.T) {
	f := func(kind string, n casefile.VerdictCounts, want string) {
		t.Helper()
		if got := counts(kind, n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("host", casefile.VerdictCounts{Confirmed: 2}, "2 attacked with success, 0 perhaps")
	f("host", casefile.VerdictCounts{Confirmed: 2, PerhapsSame: 1}, "at least 1 and at most 2 attacked with success, 0 perhaps")
	f("file", casefile.VerdictCounts{Confirmed: 3, Possible: 1, PerhapsSame: 1}, "at least 2 and at most 3 confirmed, 1 possible, 0 ruled out")
}
