package fold

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFoldsASCIIOnly(t *testing.T) {
	f := func(p, lower string, equal, prefix, suffix bool, index int) {
		t.Helper()
		b := []byte(p)
		if e, h, s, i := Equal(b, lower), HasPrefix(b, lower), HasSuffix(b, lower), Index(b, lower); e != equal || h != prefix || s != suffix || i != index {
			t.Errorf("%q %q: %v %v %v %d", p, lower, e, h, s, i)
		}
	}
	f("", "", true, true, true, 0)
	f("GeT", "get", true, true, true, 0)
	f("GET /", "get", false, true, false, 0)
	f("forGET", "get", false, false, true, 3)
	f("for[ET", "for{et", false, false, false, -1)
	f("ÀB", "àb", false, false, false, -1)
	f("ge", "get", false, false, false, -1)
}

func TestIsWhatStringsSayOfLowerCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, lower := rapid.StringMatching(`[aAbB[{@]{0,6}`).Draw(t, "p"), rapid.StringMatching(`[ab[{@]{0,3}`).Draw(t, "lower")
		low, b := strings.ToLower(p), []byte(p)
		if Equal(b, lower) != (low == lower) || HasPrefix(b, lower) != strings.HasPrefix(low, lower) || HasSuffix(b, lower) != strings.HasSuffix(low, lower) || Index(b, lower) != strings.Index(low, lower) {
			t.Errorf("%q %q", p, lower)
		}
	})
}
