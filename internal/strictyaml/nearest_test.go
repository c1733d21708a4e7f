package strictyaml

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDidYouMean(t *testing.T) {
	names := []string{"classified", "reclassified", "risk", "significant", "material", "submitted", "no"}
	for word, want := range map[string]string{
		"sigificant": "significant", "signifciant": "significant", "Risk": "risk", "rsik": "risk", "submited": "submitted", "clasified": "classified",
		"informed": "", "": "", "nis": "", "x": "", strings.Repeat("risk", 1000): "",
	} {
		got := DidYouMean(word, names)
		if want == "" && got != "" || want != "" && got != ": did you mean "+want+"?" {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := DidYouMean("risk", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

// One letter taken out, put in, or swapped with the next is found again, and the distance is the same both ways.
func TestDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z_]{3,30}`).Draw(t, "word")
		at := rapid.IntRange(0, len(word)-2).Draw(t, "at")
		for _, typo := range []string{word[:at] + word[at+1:], word[:at] + "0" + word[at:], word[:at] + word[at+1:at+2] + word[at:at+1] + word[at+2:]} {
			if d := distance(typo, word, 10); d > 1 {
				t.Fatalf("%s and %s: %d", typo, word, d)
			}
		}
		other := rapid.StringMatching(`[a-z_]{0,30}`).Draw(t, "other")
		if there, back := distance(word, other, 100), distance(other, word, 100); there != back || there > max(len(word), len(other)) || (there == 0) != (word == other) {
			t.Fatalf("%s and %s: %d, %d", word, other, there, back)
		}
	})
}
