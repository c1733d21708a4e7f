package literal

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"unsafe"
)

// Place says where in a text a literal counts.
type Place uint8

// The places.
const (
	Anywhere Place = iota
	Start
	End
	Whole // the text is the literal
)

// Literal is a string to find, folded and not empty.
type Literal struct {
	Text  string
	Place Place
}

// Set finds which of its literals occur in a text. It never changes and may be used by many goroutines, each with
// its own [Hits].
//
// For a literal that counts anywhere, the four bytes of it that are least to be expected are put into a small hash
// filter. A scan looks up every four bytes of the text there and compares a literal only where its own four are seen,
// so its cost is that of the text, hardly of the number of literals, and its tables stay in the processor's cache.
type Set struct {
	literals []Literal

	// A set of few literals has a byte for the hash of the first three bytes of each gram, which is looked up quicker than a
	// bit, and does not use filter.
	small     []uint8 // its length is a power of two
	smallMask uint32  // one less
	filter    []uint8 // a bit for the hash of each gram
	mask      uint64  // of the hash: one less than the filter has bits
	width     uint32  // a mask of the bytes of a gram that the filter regards: all four, or three
	grams     table   // literals of four bytes and more
	// Literals of three bytes. Where they are few, the filter has their grams with every possible fourth byte; else it
	// regards three bytes only.
	triples table
	singles []int32 // literals of one byte
	// Literals of two bytes, and a bit for each pair of bytes that is one; nil if they are few.
	pairs     []int32
	pairBits  *[1 << 16 / 64]uint64
	pairTable table

	starts, ends [9]table // by the length of the key: the first or last bytes, at most 8
	wholes       table
	wholeLen     [8]uint64 // the lengths of literals in wholes, below 512
	wholeLong    bool      // there are longer ones
	startLens    uint16    // which of starts are in use
	endLens      uint16
}

// entry is a literal behind a key of a table.
type entry struct {
	key uint64
	id  int32
	pos int32 // of the key in the literal
}

// table is a hash table from keys to all their entries.
type table struct {
	heads   []uint32 // entries of slot h are entries[heads[h]:heads[h+1]]
	entries []entry
	shift   uint32
}

const keyMul = 0x9E3779B97F4A7C15

func newTable(entries []entry) table {
	if len(entries) == 0 {
		return table{}
	}
	b := bits.Len(uint(len(entries))) + 1
	t := table{shift: uint32(64 - b), heads: make([]uint32, 1<<b+1), entries: make([]entry, len(entries))}
	for _, e := range entries {
		t.heads[e.key*keyMul>>t.shift+1]++
	}
	for i := 1; i < len(t.heads); i++ {
		t.heads[i] += t.heads[i-1]
	}
	next := slices.Clone(t.heads)
	for _, e := range entries {
		h := e.key * keyMul >> t.shift
		t.entries[next[h]] = e
		next[h]++
	}
	return t
}

// slot returns the entries that may have the key.
func (t *table) slot(key uint64) []entry {
	h := key * keyMul >> t.shift
	return t.entries[t.heads[h]:t.heads[h+1]]
}

// NewSet returns a Set of the literals. The scan reports a literal by its index. sample is folded text of the kind
// that will be scanned; it need not be long, and only speed depends on it.
func NewSet(literals []Literal, sample []byte) *Set {
	s := &Set{literals: literals}
	model := newModel(literals, sample)
	var grams, triples, wholes []entry
	var starts, ends [9][]entry
	for i, l := range literals {
		id, n := int32(i), len(l.Text)
		if n == 0 {
			continue
		}
		switch l.Place {
		case Anywhere:
			switch {
			case n >= 4:
				pos := model.rarest(l.Text)
				grams = append(grams, entry{key: uint64(gramAt(l.Text, pos)), id: id, pos: int32(pos)})
			case n == 3:
				triples = append(triples, entry{key: uint64(l.Text[0]) | uint64(l.Text[1])<<8 | uint64(l.Text[2])<<16, id: id})
			case n == 2:
				s.pairs = append(s.pairs, id)
			default:
				s.singles = append(s.singles, id)
			}
		case Start:
			k := min(n, 8)
			starts[k] = append(starts[k], entry{key: keyOf([]byte(l.Text[:k])), id: id})
			s.startLens |= 1 << k
		case End:
			k := min(n, 8)
			ends[k] = append(ends[k], entry{key: keyOf([]byte(l.Text[n-k:])), id: id})
			s.endLens |= 1 << k
		case Whole:
			wholes = append(wholes, entry{key: hashOf([]byte(l.Text)), id: id})
			if n < 512 {
				s.wholeLen[n/64] |= 1 << (n % 64)
			} else {
				s.wholeLong = true
			}
		}
	}
	if n := len(grams) + len(triples); n > 0 && n <= smallSet {
		// Sets are many, and each has its turn for a short text: a table that is no larger than need be stays in the cache.
		size := uint32(1) << min(max(bits.Len(uint(n*smallShare)), minSmallBits), smallBits)
		s.small, s.smallMask = make([]uint8, size), size-1
		for _, e := range grams {
			s.small[smallHash(uint32(e.key))&s.smallMask] = 1
		}
		for _, e := range triples {
			s.small[smallHash(uint32(e.key))&s.smallMask] = 1
		}
	} else if n > 0 {
		s.makeFilter(grams, triples)
	}
	if len(s.pairs) > fewPairs {
		s.pairBits = new([1 << 16 / 64]uint64)
		var pairs []entry
		for _, id := range s.pairs {
			key := keyOf([]byte(literals[id].Text))
			s.pairBits[key/64] |= 1 << (key % 64)
			pairs = append(pairs, entry{key: key, id: id})
		}
		s.pairTable = newTable(pairs)
	}
	s.grams, s.triples, s.wholes = newTable(grams), newTable(triples), newTable(wholes)
	for k := range starts {
		s.starts[k], s.ends[k] = newTable(starts[k]), newTable(ends[k])
	}
	return s
}

// makeFilter makes the filter of a set of many literals.
func (s *Set) makeFilter(grams, triples []entry) {
	set := len(grams) + 256*len(triples)
	s.width = math.MaxUint32
	if 256*len(triples) > len(grams)/2 && (len(grams) < 2000 || set > 1<<15) {
		set, s.width = len(grams)+len(triples), 1<<24-1
	}
	b := min(max(bits.Len(uint(set*48)), min(bits.Len(uint(set*192)), 18), 9), maxFilterBits)
	s.mask = 1<<b - 1
	s.filter = make([]uint8, 1<<b/8)
	for _, e := range grams {
		s.mark(uint32(e.key))
	}
	for _, e := range triples {
		for c := range uint32(256) {
			s.mark(uint32(e.key) | c<<24)
		}
	}
}

func (s *Set) mark(gram uint32) {
	h := uint64(gram&s.width) * keyMul >> (64 - maxFilterBits) & s.mask
	s.filter[h/8] |= 1 << (h % 8)
}

const maxFilterBits = 20

// bitOf has 1<<i at i.
var bitOf = [8]uint8{1, 2, 4, 8, 16, 32, 64, 128}

// Len returns the number of literals.
func (s *Set) Len() int { return len(s.literals) }

// Literal returns the literal that a scan reports as id.
func (s *Set) Literal(id int32) Literal { return s.literals[id] }

func gramAt(t string, i int) uint32 {
	return uint32(t[i]) | uint32(t[i+1])<<8 | uint32(t[i+2])<<16 | uint32(t[i+3])<<24
}

// keyOf returns p, at most eight bytes, as a number.
func keyOf(p []byte) uint64 {
	if len(p) >= 8 {
		return binary.LittleEndian.Uint64(p)
	}
	x := uint64(0)
	for i := len(p) - 1; i >= 0; i-- {
		x = x<<8 | uint64(p[i])
	}
	return x
}

// hashOf returns a hash of all of p.
func hashOf(p []byte) uint64 {
	h := uint64(len(p)) * keyMul
	for len(p) >= 8 {
		h = bits.RotateLeft64((h^binary.LittleEndian.Uint64(p))*keyMul, 29)
		p = p[8:]
	}
	return bits.RotateLeft64((h^keyOf(p))*keyMul, 29)
}

// Hits collects what scans find. The zero Hits is ready for use; it serves scans of any Sets, one after another.
type Hits struct {
	// IDs are the literals found by the scan, each once, in no order.
	IDs   []int32
	stamp []uint32
	epoch uint32
}

func (h *Hits) reset(n int) {
	h.IDs = h.IDs[:0]
	if len(h.stamp) < n {
		h.stamp = append(h.stamp, make([]uint32, n-len(h.stamp))...)
	}
	if h.epoch == math.MaxUint32 {
		clear(h.stamp)
		h.epoch = 0
	}
	h.epoch++
}

func (h *Hits) add(id int32) {
	h.stamp[id] = h.epoch
	h.IDs = append(h.IDs, id)
}

// Scan finds the literals that occur in text, which must be folded, and leaves them in hits.
func (s *Set) Scan(text []byte, hits *Hits) {
	s.ScanPlaced(text, hits)
	if s.HasShort() {
		s.scanShort(text, hits)
	}
	if len(s.grams.entries)+len(s.triples.entries) != 0 {
		s.scanLong(text, hits)
	}
}

// IsLong reports whether a literal is one of those whose number hardly matters for the speed of a scan: it counts
// anywhere and has three bytes or more.
func (l Literal) IsLong() bool { return l.Place == Anywhere && len(l.Text) >= 3 }

// HasShort reports whether there are literals of one or two bytes that count anywhere.
func (s *Set) HasShort() bool { return len(s.pairs)+len(s.singles) > 0 }

// ScanShort is Scan for the literals of one or two bytes that count anywhere.
func (s *Set) ScanShort(text []byte, hits *Hits) {
	hits.reset(len(s.literals))
	s.scanShort(text, hits)
}

// HasPlaced reports whether there are literals that count at a certain place only.
func (s *Set) HasPlaced() bool {
	return len(s.wholes.entries) > 0 || s.startLens|s.endLens != 0
}

// ScanPlaced is Scan for the literals that count at a certain place only.
func (s *Set) ScanPlaced(text []byte, hits *Hits) {
	hits.reset(len(s.literals))
	if len(s.wholes.entries) > 0 {
		s.scanWhole(text, hits)
	}
	for lens := s.startLens; lens != 0; lens &= lens - 1 {
		if k := bits.TrailingZeros16(lens); k <= len(text) {
			key := keyOf(text[:k])
			for _, e := range s.starts[k].slot(key) {
				if e.key == key && len(s.literals[e.id].Text) <= len(text) && string(text[:len(s.literals[e.id].Text)]) == s.literals[e.id].Text {
					hits.add(e.id)
				}
			}
		}
	}
	if s.endLens != 0 {
		s.scanEnd(text, hits)
	}
}

func (s *Set) scanWhole(text []byte, hits *Hits) {
	if n := len(text); n < 512 && s.wholeLen[n/64]&(1<<(n%64)) == 0 || n >= 512 && !s.wholeLong {
		return
	}
	key := hashOf(text)
	for _, e := range s.wholes.slot(key) {
		if e.key == key && string(text) == s.literals[e.id].Text {
			hits.add(e.id)
		}
	}
}

func (s *Set) scanEnd(text []byte, hits *Hits) {
	n := len(text)
	var last uint64 // the last eight bytes, the very last on top
	if n >= 8 {
		last = binary.LittleEndian.Uint64(text[n-8:])
	} else {
		last = keyOf(text) << (8 * (8 - n) & 63)
	}
	for lens := s.endLens; lens != 0; lens &= lens - 1 {
		k := bits.TrailingZeros16(lens)
		if k > n {
			break
		}
		key := last >> (8 * (8 - k))
		for _, e := range s.ends[k].slot(key) {
			if e.key == key {
				if t := s.literals[e.id].Text; len(t) <= n && string(text[n-len(t):]) == t {
					hits.add(e.id)
				}
			}
		}
	}
}

func (s *Set) scanLong(text []byte, hits *Hits) {
	if s.small != nil {
		s.scanSmall(text, hits)
		return
	}
	width, mask := s.width, s.mask
	// seen is not 0 if the bit of the filter for a gram is set. A hash is masked to the bits that the filter has, which
	// the compiler cannot know. Shifts by a constant and a table are quicker than shifts by a variable.
	filter := unsafe.Pointer(unsafe.SliceData(s.filter))
	seen := func(gram uint32) uint8 {
		h := uint64(gram&width) * keyMul >> (64 - maxFilterBits) & mask
		return *(*uint8)(unsafe.Add(filter, h>>3)) & bitOf[h&7]
	}
	i, x := 0, wordAt(text, 0)
	for i < len(text) {
		// Words are loaded as they were stored, for a processor cannot forward a load that two stores made.
		var y uint64
		if i+16 <= len(text) {
			y = binary.LittleEndian.Uint64(text[i+8:])
		} else {
			y = wordAt(text, i+8)
		}
		a, b, c, d := seen(uint32(x)), seen(uint32(x>>8)), seen(uint32(x>>16)), seen(uint32(x>>24))
		e, f, g, h := seen(uint32(x>>32)), seen(uint32(x>>40|y<<24)), seen(uint32(x>>48|y<<16)), seen(uint32(x>>56|y<<8))
		if a|b|c|d|e|f|g|h != 0 {
			for at, bit := range [8]uint8{a, b, c, d, e, f, g, h} {
				if bit != 0 {
					s.probe(text, i+at, uint32(wordBetween(x, y, at)), hits)
				}
			}
		}
		i, x = i+8, y
	}
}

// smallSet is how many long literals a set has at most that uses small: with more, too many of its bytes are set.
const (
	smallSet     = 1500
	smallBits    = 15
	minSmallBits = 8
	smallShare   = 32 // bytes of the table for each literal
)

// smallHash is a hash of three bytes, the lowest of gram. Multiplication leaves the best bits on top; they are turned to the
// bottom, for a mask.
func smallHash(gram uint32) uint32 { return bits.ReverseBytes32(gram << 8 * 0x9E3779B1) }

// scanSmall is scanLong with small. Six positions can be read out of eight bytes.
func (s *Set) scanSmall(text []byte, hits *Hits) {
	// A hash is masked to the length of the table, which the compiler cannot know.
	small, mask := unsafe.Pointer(unsafe.SliceData(s.small)), s.smallMask
	seen := func(gram uint32) uint8 { return *(*uint8)(unsafe.Add(small, smallHash(gram)&mask)) }
	i := 0
	for ; i+8 <= len(text); i += 6 {
		x := binary.LittleEndian.Uint64(text[i:])
		a, b, c := seen(uint32(x)), seen(uint32(x>>8)), seen(uint32(x>>16))
		d, e, f := seen(uint32(x>>24)), seen(uint32(x>>32)), seen(uint32(x>>40))
		if a|b|c|d|e|f != 0 {
			for at, bit := range [6]uint8{a, b, c, d, e, f} {
				if bit != 0 {
					s.probe(text, i+at, uint32(wordAt(text, i+at)), hits)
				}
			}
		}
	}
	for ; i < len(text); i++ {
		if x := uint32(wordAt(text, i)); seen(x) != 0 {
			s.probe(text, i, x, hits)
		}
	}
}

// fewPairs is how many literals of two bytes are sooner looked for one by one.
const fewPairs = 4

func (s *Set) scanShort(text []byte, hits *Hits) {
	for _, id := range s.singles {
		if bytes.IndexByte(text, s.literals[id].Text[0]) >= 0 {
			hits.add(id)
		}
	}
	if s.pairBits == nil {
		for _, id := range s.pairs {
			if bytes.Contains(text, []byte(s.literals[id].Text)) {
				hits.add(id)
			}
		}
		return
	}
	known := s.pairBits
	i := 0
	for ; i+8 <= len(text); i += 7 {
		x := binary.LittleEndian.Uint64(text[i:])
		a := known[uint16(x)>>6]>>(x&63) | known[uint16(x>>8)>>6]>>(x>>8&63) | known[uint16(x>>16)>>6]>>(x>>16&63) |
			known[uint16(x>>24)>>6]>>(x>>24&63) | known[uint16(x>>32)>>6]>>(x>>32&63) | known[uint16(x>>40)>>6]>>(x>>40&63) |
			known[uint16(x>>48)>>6]>>(x>>48&63)
		if a&1 != 0 {
			for range 7 {
				s.probePair(uint16(x), hits)
				x >>= 8
			}
		}
	}
	for ; i+2 <= len(text); i++ {
		s.probePair(uint16(text[i])|uint16(text[i+1])<<8, hits)
	}
}

func (s *Set) probePair(pair uint16, hits *Hits) {
	if s.pairBits[pair>>6]>>(pair&63)&1 == 0 {
		return
	}
	for _, e := range s.pairTable.slot(uint64(pair)) {
		if e.key == uint64(pair) && hits.stamp[e.id] != hits.epoch {
			hits.add(e.id)
		}
	}
}

// wordAt returns the eight bytes of text at i as a number, with zeros for what is behind its end.
func wordAt(text []byte, i int) uint64 {
	n := len(text)
	switch {
	case i+8 <= n:
		return binary.LittleEndian.Uint64(text[i:])
	case i >= n:
		return 0
	case n >= 8:
		return binary.LittleEndian.Uint64(text[n-8:]) >> (8 * (i + 8 - n) & 63)
	}
	return keyOf(text[i:])
}

// wordBetween returns the number whose bytes begin at byte at of x and go on in y.
func wordBetween(x, y uint64, at int) uint64 {
	return x>>(8*at) | y<<8<<(56-8*at)
}

// probe compares the literals that have gram with what stands around position i of text.
func (s *Set) probe(text []byte, i int, gram uint32, hits *Hits) {
	if len(s.grams.entries) > 0 {
		for _, e := range s.grams.slot(uint64(gram)) {
			if uint32(e.key) == gram && hits.stamp[e.id] != hits.epoch {
				t := s.literals[e.id].Text
				if at := i - int(e.pos); at >= 0 && len(t) <= len(text)-at && string(text[at:at+len(t)]) == t {
					hits.add(e.id)
				}
			}
		}
	}
	if len(s.triples.entries) > 0 && i+3 <= len(text) {
		key := uint64(gram & 0xFFFFFF)
		for _, e := range s.triples.slot(key) {
			if e.key == key && hits.stamp[e.id] != hits.epoch {
				hits.add(e.id)
			}
		}
	}
}
