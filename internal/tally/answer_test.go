package tally

import (
	"reflect"
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

// Which addresses are kept, and whether that are all, does not depend on the order in which they come, whatever sources are skipped in the end.
func TestSampleOfAnswersIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type seen struct {
			ip string
			at Ref
		}
		var all []seen
		for i := range rapid.IntRange(0, 60).Draw(t, "answers") {
			all = append(all, seen{rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "ip"), Ref{Source: rapid.Int32Range(0, 3).Draw(t, "source"), Time: int64(i)}})
		}
		skipped := rapid.IntRange(-1, 3).Draw(t, "skipped")
		run := func() Answers {
			c := &Collector{answers: newAnswerTaker(newAnswerSample())}
			c.answers.sample.most = 8
			for _, x := range rapid.Permutation(all).Draw(t, "order") {
				c.Answer([]byte(x.ip), x.at, &event.Answer{Kind: event.OpaqueAnswer, Bytes: 1})
				if rapid.Bool().Draw(t, "hand over") {
					c.answers.flush()
				}
			}
			c.answers.flush()
			return c.answers.sample.finish(func(source int) bool { return source == skipped })
		}
		a, b := run(), run()
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\n%+v", a, b)
		}
		times := make(map[string]int64)
		for _, x := range all {
			if int(x.at.Source) != skipped {
				times[x.ip]++
			}
		}
		for _, x := range a.List {
			times[x.IP] -= x.Times
		}
		for ip, n := range times {
			if n > 0 && !a.Sampled {
				t.Fatalf("%s is left out, and nothing says so: %+v", ip, a)
			}
		}
	})
}
