package tally

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// seenID is an identifier and where it was seen.
type seenID struct {
	at Place
	j  logs.Joint
}

func drawJoint(t *rapid.T) seenID {
	s := seenID{at: Place{Host: string(pick(t, "host", "", "ex1", "EX2")), Format: string(pick(t, "format", "iis.w3c", "exchange.httpproxy.owa"))}}
	s.at.Source = rapid.Int32Range(0, 3).Draw(t, "source")
	s.at.Time = rapid.SampledFrom([]int64{event.UnknownTime, event.UnknownTime + 1, -1, 0, 5e8, 1e9, 1<<63 - 1}).Draw(t, "time")
	s.j = logs.Joint{ID: [16]byte{rapid.ByteRange(0, 9).Draw(t, "id")}, Channel: string(pick(t, "channel", "", "owa")), Sure: rapid.Bool().Draw(t, "sure")}
	return s
}

// sameJoints compares in all that is told.
func sameJoints(t testing.TB, got, want Joints) {
	t.Helper()
	read := func(j Joints) (out []Joint) {
		for x, err := range j.All {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, Joint{append([]Sight(nil), x.Seen...), x.Count})
		}
		return out
	}
	if g, w := read(got), read(want); !reflect.DeepEqual(g, w) || got.Part != want.Part || len(got.Logs)+len(want.Logs) > 0 && !reflect.DeepEqual(got.Logs, want.Logs) {
		t.Fatalf("joints of %v, part %v: %v\nwant %v, part %v: %v", got.Logs, got.Part, g, want.Logs, want.Part, w)
	}
}

// What is left out of a sample must not depend on how much came before, nor tell of an identifier without all its logs.
func TestSampleOfJointsIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 200).Draw(t, "sights")
		var all []sight
		for range n {
			all = append(all, sight{hash: rapid.Uint64Range(0, 40).Draw(t, "hash"), log: rapid.Int32Range(0, 3).Draw(t, "log"), at: rapid.Int64Range(0, 2).Draw(t, "at")})
		}
		skipped := rapid.IntRange(-1, 3).Draw(t, "skipped")
		skip := func(source int) bool { return source == skipped }
		four := []JointLog{{Source: 0}, {Source: 1}, {Source: 2}, {Source: 3}}
		run := func(batch int) ([]sight, uint64) {
			s := newJointSample()
			s.ids, s.sights, s.list = 10, 40, four
			list := rapid.Permutation(all).Draw(t, "order")
			for len(list) > 0 {
				k := min(batch, len(list))
				s.add(list[:k])
				list = list[k:]
			}
			if s.crowded {
				s.cut(nobody)
			}
			s.cut(skip)
			return s.all, s.limit.Load()
		}
		a, limit := run(7)
		if b, l := run(rapid.IntRange(1, 40).Draw(t, "batch")); len(a)+len(b) > 0 && (!reflect.DeepEqual(a, b) || l != limit) {
			t.Fatalf("%v up to %d, and %v up to %d", a, limit, b, l)
		}
		first := make(map[[2]int64]int64)
		for _, x := range all {
			k := [2]int64{int64(x.hash), int64(x.log)}
			if at, ok := first[k]; x.hash < limit && !skip(int(x.log)) && (!ok || x.at < at) {
				first[k] = x.at
			}
		}
		if len(first) != len(a) {
			t.Fatalf("%d of %d are below %d", len(a), len(first), limit)
		}
		for _, x := range a {
			if first[[2]int64{int64(x.hash), int64(x.log)}] != x.at {
				t.Fatalf("%v is not the first", x)
			}
		}
	})
}

// BenchmarkJointSample takes a million and a half identifiers of requests, each in one log, or each in two.
func BenchmarkJointSample(b *testing.B) {
	for _, logs := range []int32{1, 2} {
		b.Run(fmt.Sprintf("logs=%d", logs), func(b *testing.B) {
			const n = 1_500_000
			r := rand.New(rand.NewPCG(1, 2))
			all := make([]sight, 0, n)
			for at := int64(1_700_000_000); len(all) < n; at++ {
				for id := r.Uint64(); len(all) < n && id%3 > 0; id = r.Uint64() {
					for l := range logs {
						all = append(all, sight{hash: id, at: at, log: l})
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				s := newJointSample()
				s.list = make([]JointLog, logs)
				for i := 0; i < n; i += sightsAtOnce {
					s.add(all[i:min(i+sightsAtOnce, n)])
				}
				s.cut(nobody)
				if err := s.each(func([]sight, int64) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
