package sigma

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGramsContain(t *testing.T) {
	g := newGrams(commonText)
	f := func(s string) {
		t.Helper()
		if got, want := g.contains(s), strings.Contains(commonText, s); got != want {
			t.Errorf("contains(%q) = %v, want %v", s, got, want)
		}
	}
	f("")
	f("c")
	f("\x00")
	f("svchost.exe")
	f("svchost.exe!")
	f("\\system32\\")
	f("c:\\windows\\system32\\svchost.exe -k")
	f(commonText)
	f(commonText + " ")
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(commonText)).Draw(t, "from")
		to := rapid.IntRange(from, min(len(commonText), from+20)).Draw(t, "to")
		s := commonText[from:to] + rapid.StringN(0, 2, -1).Draw(t, "more")
		if got, want := g.contains(s), strings.Contains(commonText, s); got != want {
			t.Fatalf("contains(%q) = %v, want %v", s, got, want)
		}
	})
}
