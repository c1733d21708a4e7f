package casefile

import "math"

// Bounds enclose a number: Lower at least, Upper at most, which is -1 where nothing bounds it.
type Bounds struct{ Lower, Upper int64 }

// Add adds what is between two others. A lower bound that is no number of things adds nothing, and a sum that no int64 holds is the
// largest, or without a bound.
func (b *Bounds) Add(lower, upper int64) {
	if b.Lower += max(lower, 0); b.Lower < 0 {
		b.Lower = math.MaxInt64
	}
	if b.Upper < 0 || upper < 0 {
		b.Upper = -1
		return
	}
	if b.Upper += upper; b.Upper < 0 {
		b.Upper = -1
	}
}
