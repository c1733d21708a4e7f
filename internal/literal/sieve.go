package literal

import (
	"encoding/binary"
	"maps"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// Sieve tells whether a text holds any of its literals, so that one that does not need not be looked at again. It reads
// text as it stands, and is several times faster than a [Set], which says which literals there are and where they count.
// It never changes and may be used by many goroutines.
//
// Every second position of the text is looked up in a filter of four-byte grams. A literal of five bytes and more has two
// of its grams there, next to one another, of which one begins at such a position wherever the literal stands; of a
// shorter one, every gram that it could be part of is there.
type Sieve struct {
	filter []uint8 // a bit for the hash of each gram
	mask   uint64  // of the hash
	grams  table
	texts  []string // of the literals, blurred
	with   [][]with // by literal; nil where it counts whatever else stands in the text

	singles []uint64 // bytes that are literals, blurred, each eight times
	pairs   *[1 << 16 / 64]uint64
	foreign bool // a literal has too little ASCII to be looked for: text beyond ASCII may hold it
}

// Sought is a literal that a Sieve finds, folded.
type Sought struct {
	Text string
	// With are sets of literals, folded, of each of which one must stand in the text as well. It is a hint: text that lacks
	// one may be found all the same.
	With [][]string
}

// with is sets of literals, blurred.
type with [][]string

// blur makes a letter that is ASCII lower case, and whatever else it changes the same way in literals and text: what
// differs by it only is taken for the same.
const blur = 0x20 * ones

// maxSieved bounds the work for the literals of a Sieve.
const maxSieved = 20_000

// NewSieve returns a Sieve for literals, wherever they count, or nil if they are too many. sample is text of the kind that
// will be read; only speed depends on it.
func NewSieve(sought []Sought, sample []byte) *Sieve {
	s := &Sieve{}
	withs := make(map[string][]with, len(sought))
	for _, l := range sought {
		switch run := longestASCII(l.Text); {
		case len(l.Text) == 1 && len(run) == 1:
			if w := ones * uint64(run[0]|0x20); !slices.Contains(s.singles, w) {
				s.singles = append(s.singles, w)
			}
		case len(run) < 2:
			s.foreign = s.foreign || l.Text != ""
		default:
			t := blurred(run)
			before, known := withs[t]
			if w := newWith(l.With); known && before == nil || len(w) == 0 {
				withs[t] = nil
			} else {
				withs[t] = append(before, w)
			}
		}
	}
	if len(withs) > maxSieved {
		return nil
	}
	all := make([]Literal, 0, len(withs))
	for _, t := range slices.Sorted(maps.Keys(withs)) {
		all = append(all, Literal{Text: t})
	}
	m := newModel(all, []byte(blurred(string(sample))))
	var grams []entry
	for _, l := range all {
		id, t := int32(len(s.texts)), l.Text
		add := func(gram uint32, pos int) {
			grams = append(grams, entry{key: uint64(gram), id: id, pos: int32(pos)})
		}
		switch n := len(t); {
		case n == 2:
			if s.pairs == nil {
				s.pairs = new([1 << 16 / 64]uint64)
			}
			key := uint16(t[0]) | uint16(t[1])<<8
			s.pairs[key/64] |= 1 << (key % 64)
			continue
		case n == 3:
			gram := uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16
			eachByte(func(c uint32) {
				add(gram|c<<24, 0)
				add(gram<<8|c, -1)
			})
		case n == 4:
			gram := gramAt(t, 0)
			add(gram, 0)
			eachByte(func(c uint32) { add(gram<<8|c, -1) })
		default:
			p := m.rarestTwo(t)
			add(gramAt(t, p), p)
			add(gramAt(t, p+1), p+1)
		}
		s.texts, s.with = append(s.texts, t), append(s.with, withs[t])
	}
	b := min(max(bits.Len(uint(len(grams)*48)), 12), maxSieveBits)
	s.mask = 1<<b - 1
	s.filter = make([]uint8, 1<<b/8)
	for _, e := range grams {
		h := e.key * keyMul >> (64 - maxSieveBits) & s.mask
		s.filter[h/8] |= 1 << (h % 8)
	}
	if s.grams = newTable(grams); len(grams) == 0 {
		s.grams = newTable([]entry{{key: math.MaxUint64}}) // no gram
	}
	return s
}

const maxSieveBits = 19

// eachByte calls f with every byte that stands in blurred text.
func eachByte(f func(c uint32)) {
	for c := range uint32(256) {
		if c|0x20 == c {
			f(c)
		}
	}
}

// longestASCII returns the longest run of ASCII in t.
func longestASCII(t string) string {
	best, start := "", 0
	for i := 0; i <= len(t); i++ {
		if i == len(t) || t[i] >= utf8.RuneSelf {
			if i-start > len(best) {
				best = t[start:i]
			}
			start = i + 1
		}
	}
	return best
}

func blurred(t string) string {
	p := []byte(t)
	for i := range p {
		p[i] |= 0x20
	}
	return string(p)
}

// rarestTwo returns the position in t, of at least five bytes, of two grams next to one another that are least to be
// expected.
func (m *model) rarestTwo(t string) int {
	best, most := 0, float32(math.Inf(-1))
	for i := 0; i+5 <= len(t); i++ {
		if s := min(m.surprise(t, i), m.surprise(t, i+1)); s > most {
			best, most = i, s
		}
	}
	return best
}

// Holds reports whether text may hold a literal: always where it does, and seldom where it does not.
func (s *Sieve) Holds(text []byte) bool {
	if s.pairs != nil && s.holdsPair(text) {
		return true
	}
	mask, filter := s.mask, unsafe.Pointer(unsafe.SliceData(s.filter))
	// A hash is masked to the bits that the filter has, which the compiler cannot know.
	seen := func(gram uint32) uint8 {
		h := uint64(gram) * keyMul >> (64 - maxSieveBits) & mask
		return *(*uint8)(unsafe.Add(filter, h>>3)) & bitOf[h&7]
	}
	i, x := 0, wordAt(text, 0)
	for i < len(text) {
		var y uint64
		if i+16 <= len(text) {
			y = binary.LittleEndian.Uint64(text[i+8:])
		} else {
			y = wordAt(text, i+8)
		}
		if x&highs != 0 && s.beyondASCII(text, i) {
			return true
		}
		z := x | blur
		a, b, c, d := seen(uint32(z)), seen(uint32(z>>16)), seen(uint32(z>>32)), seen(uint32(z>>48|(y|blur)<<16))
		for _, w := range s.singles {
			w ^= z
			if (w-ones)&^w&highs != 0 && s.holdsSingle(text[i:min(i+8, len(text))]) {
				return true
			}
		}
		if a|b|c|d != 0 {
			for at, bit := range [4]uint8{a, b, c, d} {
				if bit != 0 && s.probe(text, i+2*at) {
					return true
				}
			}
		}
		i, x = i+8, y
	}
	return false
}

func (s *Sieve) holdsSingle(text []byte) bool {
	for _, c := range text {
		if slices.Contains(s.singles, ones*uint64(c|0x20)) {
			return true
		}
	}
	return false
}

func (s *Sieve) holdsPair(text []byte) bool {
	for i := 0; i+2 <= len(text); i++ {
		key := uint16(text[i]|0x20) | uint16(text[i+1]|0x20)<<8
		if s.pairs[key/64]&(1<<(key%64)) != 0 {
			return true
		}
	}
	return false
}

// beyondASCII reports whether one of the eight bytes at i begins a character that is not ASCII and may fold to it, or
// belong to a literal that is not looked for.
func (s *Sieve) beyondASCII(text []byte, i int) bool {
	for end := min(i+8, len(text)); i < end; i++ {
		switch c := text[i]; {
		case c < utf8.RuneSelf:
		case s.foreign,
			c == 0xC5 && i+1 < len(text) && text[i+1] == 0xBF,                      // the long s
			c == 0xE2 && i+2 < len(text) && text[i+1] == 0x84 && text[i+2] == 0xAA: // the Kelvin sign
			return true
		}
	}
	return false
}

// probe reports whether a literal stands in text one of whose grams is the one at position i.
func (s *Sieve) probe(text []byte, i int) bool {
	gram := uint32(wordAt(text, i)) | blur&math.MaxUint32
	for _, e := range s.grams.slot(uint64(gram)) {
		if uint32(e.key) == gram {
			if at := i - int(e.pos); at >= 0 && hasBlurred(text[min(at, len(text)):], s.texts[e.id]) {
				if s.counts(e.id, text) {
					return true
				}
			}
		}
	}
	return false
}

// counts reports whether a literal that stands in text counts there.
func (s *Sieve) counts(id int32, text []byte) bool {
	if s.with[id] == nil {
		return true
	}
	for _, w := range s.with[id] {
		if w.isIn(text) {
			return true
		}
	}
	return false
}

// newWith leaves out the sets that text beyond ASCII may have a part in.
func newWith(sets [][]string) with {
	var w with
	for _, set := range sets {
		blur := make([]string, len(set))
		for i, t := range set {
			blur[i] = blurred(t)
			if longestASCII(t) != t {
				blur = nil
				break
			}
		}
		if blur != nil {
			w = append(w, blur)
		}
	}
	return w
}

func (w with) isIn(text []byte) bool {
	for _, set := range w {
		if !slices.ContainsFunc(set, func(t string) bool { return containsBlurred(text, t) }) {
			return false
		}
	}
	return true
}

func containsBlurred(text []byte, literal string) bool {
	for i := 0; i+len(literal) <= len(text); i++ {
		if text[i]|0x20 == literal[0] && hasBlurred(text[i:], literal) {
			return true
		}
	}
	return false
}

func hasBlurred(text []byte, literal string) bool {
	if len(text) < len(literal) {
		return false
	}
	for i := range len(literal) {
		if text[i]|0x20 != literal[i] {
			return false
		}
	}
	return true
}
