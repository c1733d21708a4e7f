package tally

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
)

// streamOf reads events, cut into blocks after those whose numbers are in cuts.
func streamOf(events []Ref, lost map[int]bool, cuts func(i int) bool) []Stream {
	s := &Source{Ordinal: 3}
	b := &Block{}
	b.Reset()
	before := int64(event.UnknownTime)
	pending := false
	flush := func() {
		if pending {
			b.Lost(before, event.UnknownTime)
		}
		pending, before = false, event.UnknownTime
		s.Add(b)
		b = &Block{}
		b.Reset()
	}
	for i, at := range events {
		if cuts(i) {
			flush()
		}
		if lost[i] {
			pending = true
		}
		b.Stream("ex1", "windows.evtx:Security", true).Event(at)
		if i%3 == 0 {
			b.Stream("ex1", "windows.evtx:Security", true).Beat(at.Time)
		}
		if at.Time == event.UnknownTime {
			continue
		}
		if b.First == event.UnknownTime {
			b.First = at.Time
		}
		b.Final = at.Time
		if pending {
			b.Lost(before, at.Time)
			pending = false
		}
		before = at.Time
	}
	flush()
	return s.Streams()
}

func TestStreamsDoNotDependOnHowASourceIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "events")
		var events []Ref
		lost := make(map[int]bool)
		at := int64(1_600_000_000_000_000_000)
		record := int64(1)
		for i := range n {
			at += rapid.Int64Range(-2*minute, 3*minute).Draw(t, "pause")
			record += rapid.Int64Range(0, 3).Draw(t, "jump")
			r := Ref{Source: 3, Time: at, Record: record, Offset: int64(i)}
			if rapid.IntRange(0, 9).Draw(t, "timeless") == 0 {
				r.Time = event.UnknownTime
			}
			lost[i] = rapid.IntRange(0, 5).Draw(t, "lost") == 0
			events = append(events, r)
		}
		whole := streamOf(events, lost, func(int) bool { return false })
		cuts := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "cuts")
		if got := streamOf(events, lost, func(i int) bool { return cuts[i] }); !reflect.DeepEqual(got, whole) {
			t.Fatalf("cut otherwise: %+v\nwhole: %+v", got, whole)
		}
		checkStream(t, &whole[0], events)
	})
}

// checkStream compares a stream with what its documentation says of the events.
func checkStream(t *rapid.T, s *Stream, events []Ref) {
	var times []int64
	back := int64(0)
	records := make(map[int64]bool)
	last := int64(event.UnknownTime)
	for _, e := range events {
		records[e.Record] = true
		if e.Time == event.UnknownTime {
			continue
		}
		times = append(times, e.Time)
		if last != event.UnknownTime && last-e.Time > minute {
			back = max(back, last-e.Time)
		}
		last = e.Time
	}
	slices.Sort(times)
	if s.Events != int64(len(events)) || s.Backwards != back {
		t.Fatalf("%d events, %d backwards; want %d and %d", s.Events, s.Backwards, len(events), back)
	}
	var want []Span
	for _, x := range times {
		if n := len(want); n > 0 && x-want[n-1].To <= minute {
			want[n-1].To = x
		} else {
			want = append(want, Span{x, x})
		}
	}
	if !slices.Equal(s.Active, want) {
		t.Fatalf("active %v, want %v", s.Active, want)
	}
	for _, r := range s.Records {
		for n := r.First; n <= r.Last; n++ {
			if !records[n] {
				t.Fatalf("record %d is in %v and was not read", n, r)
			}
			delete(records, n)
		}
	}
	if len(records) > 0 {
		t.Fatalf("records %v are in no run", records)
	}
}

func TestTooManySpansLoseTheShortestPauses(t *testing.T) {
	var list []Span
	at, long := int64(0), 0
	for i := range MaxSpans + 1000 {
		at += 10 * minute
		if i%200 == 0 {
			at += 1000 * minute
			long++
		}
		list = append(list, Span{at, at})
	}
	got := orderSpans(list)
	if len(got) != MaxSpans {
		t.Fatalf("%d spans", len(got))
	}
	for i := 1; i < len(got); i++ {
		if got[i].From-got[i-1].To > 1000*minute {
			long--
		}
	}
	if long != 1 { // the first is before the first span
		t.Fatalf("%d long pauses are left out", long-1)
	}
}

func TestTooManyRunsLoseTheShortest(t *testing.T) {
	var list []Run
	for i := range int64(MaxSpans + 1000) {
		list = append(list, Run{10 * i, 10*i + i%3, i, i})
	}
	got := orderRuns(list)
	var lengths [3]int
	for _, r := range got {
		lengths[r.Last-r.First]++
	}
	if len(got) != MaxSpans || lengths[1] < 33_000 || lengths[2] < 33_000 {
		t.Fatalf("%d runs, by length %v", len(got), lengths)
	}
}
