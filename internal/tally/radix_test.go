package tally

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSortByKeyIsSorting(t *testing.T) {
	type pair struct {
		key   uint64
		value int
	}
	compare := func(a, b pair) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value)) }
	keys := []*rapid.Generator[uint64]{rapid.Uint64(), rapid.Uint64Range(0, 3), rapid.Uint64Range(math.MaxUint64-300, math.MaxUint64), rapid.SampledFrom([]uint64{0, 1 << 40, 1<<40 + 1, 1 << 63, math.MaxUint64})}
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.OneOf(keys...)
		if i := rapid.IntRange(0, len(keys)).Draw(t, "keys"); i < len(keys) {
			of = keys[i]
		}
		var list []pair
		for range rapid.IntRange(0, 600).Draw(t, "n") {
			list = append(list, pair{of.Draw(t, "key"), rapid.IntRange(0, 3).Draw(t, "value")})
		}
		want := slices.SortedFunc(slices.Values(list), compare)
		sortByKey(list, func(p *pair) uint64 { return p.key }, compare)
		if !slices.Equal(list, want) {
			t.Fatalf("%v\nwant\n%v", list, want)
		}
	})
}
