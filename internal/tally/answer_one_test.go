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
			sum.add(&x)
			inPlace.one(&at, &a)
		}
		if sum != inPlace {
			t.Fatalf("got %+v, want %+v", inPlace, sum)
		}
	})
}
