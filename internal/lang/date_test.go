package lang

import (
	"strings"
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	paris := time.FixedZone("Europe/Paris", 3600)
	at := time.Date(2024, 3, 12, 14, 30, 0, 0, paris)
	first := time.Date(2024, 3, 1, 0, 0, 0, 0, paris)
	for _, l := range languages(t) {
		isolates := strings.NewReplacer(ltrIsolate, "", firstIsolate, "", popIsolate, "")
		f := func(got Words, want map[string]string) {
			t.Helper()
			if s := isolates.Replace(got.Text()); s != want[l.Tag()] {
				t.Errorf("%s: %q, want %q", l.Tag(), s, want[l.Tag()])
			}
		}
		f(l.Date(at), map[string]string{"en": "12 March 2024", "fr": "12 mars 2024", "ar": "12 مارس 2024"})
		f(l.Date(first), map[string]string{"en": "1 March 2024", "fr": "1er mars 2024", "ar": "1 مارس 2024"})
		f(l.Dates(at, at.Add(time.Hour)), map[string]string{"en": "12 March 2024", "fr": "12 mars 2024", "ar": "12 مارس 2024"})
		f(l.Dates(at, time.Time{}), map[string]string{"en": "12 March 2024", "fr": "12 mars 2024", "ar": "12 مارس 2024"})
		f(l.Dates(first, at), map[string]string{"en": "1 March 2024 to 12 March 2024", "fr": "du 1er mars 2024 au 12 mars 2024", "ar": "من 1 مارس 2024 إلى 12 مارس 2024"})
		f(l.Moment(at), map[string]string{"en": "12 March 2024 at 14:30 (Europe/Paris)", "fr": "12 mars 2024 à 14:30 (Europe/Paris)", "ar": "12 مارس 2024، الساعة 14:30 (Europe/Paris)"})
		for _, w := range []Words{l.Date(time.Time{}), l.Dates(time.Time{}, time.Time{}), l.Moment(time.Time{})} {
			if w.Text() != l.Text("time.unknown") {
				t.Errorf("%s: of no time it says %q", l.Tag(), w.Text())
			}
		}
		months := map[string]bool{}
		for m := range 12 {
			months[l.Date(time.Date(2024, time.Month(m+1), 2, 0, 0, 0, 0, time.UTC)).Text()] = true
		}
		if len(months) != 12 {
			t.Errorf("%s: %v", l.Tag(), months)
		}
	}
}
