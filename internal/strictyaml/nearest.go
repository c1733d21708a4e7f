package strictyaml

import "strings"

// DidYouMean returns ": did you mean NAME?" with the name of the list that a mistyped word is nearest to, and "" where none is near: at
// most one letter in three wrong, missing, too many, or swapped with its neighbour. Case does not count.
func DidYouMean(word string, names []string) string {
	best, least := "", len(word)/3+1
	for _, name := range names {
		if d := distance(strings.ToLower(word), strings.ToLower(name), least); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// maxWord is the length of a word in bytes beyond which nobody mistyped it.
const maxWord = 100

// distance is how many letters are wrong, missing, too many or swapped between a and b; most where it is that or more.
func distance(a, b string, most int) int {
	if len(a) > maxWord || len(b) > maxWord || max(len(a)-len(b), len(b)-len(a)) >= most {
		return most
	}
	var rows [3][maxWord + 1]int // the row before the last, the last, this one
	for j := range len(b) {
		rows[1][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		old, last, row := &rows[(i+2)%3], &rows[i%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(last[j-1]+wrong, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], old[j-2]+1)
			}
		}
	}
	return min(rows[(len(a)+1)%3][len(b)], most)
}
