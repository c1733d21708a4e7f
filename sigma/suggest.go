package sigma

import "strings"

// nearest returns the name that word was most likely meant to be, or nothing.
func nearest(word string, names []string) string {
	best, least := "", len(word)/3+1
	if least > 3 {
		least = 3
	}
	if len(word) > 64 {
		return ""
	}
	word = strings.ToLower(word)
	for _, n := range names {
		if d := distance(word, strings.ToLower(n)); d > 0 && d <= least && (best == "" || d < least) || d == 0 {
			best, least = n, d
		}
	}
	if len(best) <= 2 && least > 0 {
		return "" // half of the words of two letters are near
	}
	return best
}

// didYouMean is nearest as a part of a sentence.
func didYouMean(word string, names []string) string {
	if n := nearest(word, names); n != "" {
		return "did you mean " + n + "?"
	}
	return ""
}

// distance is how many bytes must be put in, taken out, replaced or swapped with the next to make b of a.
func distance(a, b string) int {
	if len(b) > len(a)+3 || len(a) > len(b)+3 {
		return 99
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
