package tally

import (
	"math/bits"
	"slices"
)

// fewEnough is how many are put in order by comparing rather than by their digits.
const fewEnough = 48

// sortByKey puts a list in the order of compare, whose first criterion is key. It takes the list apart by the digits of the keys, in place: for keys that are
// spread evenly, which identifiers and times are, the time it takes grows with the list; for any others it is never far from that of comparing.
func sortByKey[T any](list []T, key func(*T) uint64, compare func(a, b T) int) {
	if len(list) == 0 {
		return
	}
	least, most := key(&list[0]), key(&list[0])
	for i := range list {
		k := key(&list[i])
		least, most = min(least, k), max(most, k)
	}
	sortByDigits(list, key, compare, least, max(bits.Len64(most-least)-8, 0))
}

// sortByDigits sorts by the 8 bits of key-least from shift on, and then by what is below. All that is above is the same.
func sortByDigits[T any](list []T, key func(*T) uint64, compare func(a, b T) int, least uint64, shift int) {
	if len(list) <= fewEnough {
		slices.SortFunc(list, compare)
		return
	}
	digit := func(x *T) int { return int((key(x) - least) >> shift & 0xff) }
	var next, end [256]int
	for i := range list {
		end[digit(&list[i])]++
	}
	n := 0
	for d := range end {
		next[d] = n
		n += end[d]
		end[d] = n
	}
	for d := range next {
		for next[d] < end[d] {
			x := list[next[d]]
			for at := digit(&x); at != d; at = digit(&x) {
				x, list[next[at]] = list[next[at]], x
				next[at]++
			}
			list[next[d]] = x
			next[d]++
		}
	}
	from := 0
	for _, to := range end {
		switch part := list[from:to]; {
		case len(part) < 2:
		case shift == 0:
			slices.SortFunc(part, compare)
		default:
			sortByDigits(part, key, compare, least, max(shift-8, 0))
		}
		from = to
	}
}
