package sigma

import (
	"math"
	"strings"

	"github.com/barid-dfir/barid/internal/literal"
)

// grams is a text, and which runs of gramLen bytes are in it, so that most of what is not in the text is told at once.
type grams struct {
	text string
	seen [1 << 16 / 64]uint64 // a bit for each hash
}

const gramLen = 4

func newGrams(text string) *grams {
	g := &grams{text: text}
	for i := range len(text) - gramLen + 1 {
		h := gramHash(text[i:])
		g.seen[h/64] |= 1 << (h % 64)
	}
	return g
}

func gramHash(s string) uint32 {
	_ = s[gramLen-1]
	return (uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24) * 0x9E3779B1 >> 16
}

// contains reports whether s is part of the text.
func (g *grams) contains(s string) bool {
	for i := range len(s) - gramLen + 1 {
		if h := gramHash(s[i:]); g.seen[h/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	return strings.Contains(g.text, s)
}

// chance guesses how often a literal is seen in a value of its field; g is of commonText.
func (g *grams) chance(l literal.Literal) float64 {
	p := math.Exp2(-1.5 * float64(min(len(l.Text), 10)))
	switch {
	case !g.contains(l.Text):
		return p
	case l.Place == literal.Anywhere:
		return max(p, 0.25)
	case l.Place == literal.Whole && g.contains(" "+l.Text+" "):
		return max(p, 0.5)
	}
	return max(p, 0.1)
}
