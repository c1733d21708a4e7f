package casefile

import (
	"math"
	"testing"
)

func TestBounds(t *testing.T) {
	const most = math.MaxInt64
	for _, c := range []struct {
		add  [][2]int64
		want Bounds
	}{
		{nil, Bounds{}},
		{[][2]int64{{1, 2}, {3, 5}}, Bounds{4, 7}},
		{[][2]int64{{1, -1}, {3, 5}}, Bounds{4, -1}},
		{[][2]int64{{-7, 2}}, Bounds{0, 2}},
		{[][2]int64{{most, most}, {1, 1}, {1, 1}}, Bounds{most, -1}},
	} {
		var b Bounds
		for _, a := range c.add {
			b.Add(a[0], a[1])
		}
		if b != c.want {
			t.Errorf("%v: %v, want %v", c.add, b, c.want)
		}
	}
}
