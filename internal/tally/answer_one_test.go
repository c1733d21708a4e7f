package tally

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
)

// One event added in place is what adding its Answer is.
func TestOneAnswerAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := rapid.OneOf(rapid.Just(int64(event.UnknownTime)), rapid.Int64Range(0, 5))
		var sum, inPlace Answer
		for i := range rapid.IntRange(1, 6).Draw(t, "events") {
			at := Ref{Time: when.Draw(t, "time"), Offset: rapid.Int64Range(0, 3).Draw(t, "offset")}
			a := event.Answer{Kind: event.OpaqueAnswer, Bytes: rapid.Int64Range(-2, 3).Draw(t, "bytes"), Ranged: rapid.Bool().Draw(t, "ranged")}
			x := answerOf(at, &a)
			if i == 0 {
				sum, inPlace = x, x
				continue
			}
			sum.Add(&x)
			inPlace.one(&at, &a)
		}
		if sum != inPlace {
			t.Fatalf("got %+v, want %+v", inPlace, sum)
		}
	})
}

// A name that a log may write in several ways stands for all with its end.
func TestNamesThatWereHandedOut(t *testing.T) {
	for logged, files := range map[string]map[string]bool{
		"plan.dwg":              {"plan.dwg": true, "PLAN.DWG": true, "other.dwg": false, "plan.dxf": false, "é.dwg": false},
		`na\xC3\xAFf.dwg`:       {"naïf.dwg": true, "other.dwg": true, "other.dxf": false},
		"na%C3%AFf.dwg":         {"naïf.dwg": true},
		"REPORT~1.DWG":          {"report of March.dwg": true, "report.dxf": false},
		"two+words.dwg":         {"two words.dwg": true},
		"\xc3\xa9t\xc3\xa9.dwg": {"été.dwg": true},
	} {
		c := &Collector{answers: newAnswerTaker(newAnswerSample())}
		c.Answer(nil, Ref{}, &event.Answer{Kind: event.NamedAnswer, Name: []byte(logged)})
		c.answers.flush()
		all := c.answers.sample.finish(func(int) bool { return false })
		for name, want := range files {
			if got := all.Handed(name); got != want {
				t.Errorf("%s: %s was handed out: %v", logged, name, got)
			}
		}
	}
}
