package literal

import "math"

// model says how much a gram is to be expected in text.
type model struct {
	bytes [256]float32 // bits of surprise of a byte
	// How often a gram of the literals is met, four times over, by a hash: where two grams share a place, both count for
	// more than they are, which costs a little speed at worst. And what each such number takes away.
	grams [1 << gramBits]uint16
	taken [256]float32
}

const gramBits = 13

func placeOf(gram uint32) uint32 { return gram * 0x9E3779B1 >> (32 - gramBits) }

// rank lists bytes from the most to the least expected in machine-written text: paths, command lines, addresses.
// Bytes that are not in it are rarer than all of these.
const rank = "e tianors\\l.cdmup0h1wfg/-2b3vyx4568_97k:=\"jz(),;&%q'{}[]|$+?@#!~*<>^`"

func newModel(literals []Literal, sample []byte) *model {
	m := &model{}
	for i := range m.bytes {
		m.bytes[i] = 9
	}
	for i := range len(rank) {
		m.bytes[rank[i]] = 3 + 5*float32(i)/float32(len(rank))
	}
	// A gram of the sample is met all the time; one that many literals share costs a comparison for each.
	long := false
	for _, l := range literals {
		if l.Place != Anywhere {
			continue
		}
		for i := 0; i+4 <= len(l.Text); i++ {
			if n := &m.grams[placeOf(gramAt(l.Text, i))]; *n < math.MaxUint16/2 {
				*n++
			}
			long = true
		}
	}
	if !long {
		return m
	}
	for i := 0; i+4 <= len(sample); i++ {
		g := uint32(sample[i]) | uint32(sample[i+1])<<8 | uint32(sample[i+2])<<16 | uint32(sample[i+3])<<24
		if n := &m.grams[placeOf(g)]; *n > 0 && *n < math.MaxUint16/2 {
			*n += 4 * 8
		}
	}
	for i := range m.taken {
		m.taken[i] = taken(float32(i) / 4)
	}
	return m
}

// taken returns how many bits of surprise a gram loses that is met n times.
func taken(n float32) float32 { return 4 * float32(math.Log2(float64(1+n))) }

// surprise returns the bits of surprise at the gram that begins at i.
func (m *model) surprise(t string, i int) float32 {
	bits := m.bytes[t[i]] + m.bytes[t[i+1]] + m.bytes[t[i+2]] + m.bytes[t[i+3]]
	n := int(m.grams[placeOf(gramAt(t, i))])
	if n < len(m.taken) {
		return bits - m.taken[n]
	}
	return bits - taken(float32(n)/4)
}

// rarest returns the position in t, of at least four bytes, of the gram that is least to be expected.
func (m *model) rarest(t string) int {
	best, most := 0, float32(math.Inf(-1))
	for i := 0; i+4 <= len(t); i++ {
		if s := m.surprise(t, i); s > most {
			best, most = i, s
		}
	}
	return best
}
