package literal

import "math"

// model says how much a gram is to be expected in text.
type model struct {
	bytes [256]float32 // bits of surprise of a byte
	grams map[uint32]float32
}

// rank lists bytes from the most to the least expected in machine-written text: paths, command lines, addresses.
// Bytes that are not in it are rarer than all of these.
const rank = "e tianors\\l.cdmup0h1wfg/-2b3vyx4568_97k:=\"jz(),;&%q'{}[]|$+?@#!~*<>^`"

func newModel(literals []Literal, sample []byte) *model {
	m := &model{grams: make(map[uint32]float32)}
	for i := range m.bytes {
		m.bytes[i] = 9
	}
	for i := range len(rank) {
		m.bytes[rank[i]] = 3 + 5*float32(i)/float32(len(rank))
	}
	// A gram of the sample is met all the time; one that many literals share costs a comparison for each.
	for i := 0; i+4 <= len(sample); i++ {
		m.grams[gramAt(string(sample[i:i+4]), 0)] += 8
	}
	for _, l := range literals {
		if l.Place != Anywhere {
			continue
		}
		for i := 0; i+4 <= len(l.Text); i++ {
			m.grams[gramAt(l.Text, i)] += 0.25
		}
	}
	return m
}

// surprise returns the bits of surprise at the gram that begins at i.
func (m *model) surprise(t string, i int) float32 {
	bits := m.bytes[t[i]] + m.bytes[t[i+1]] + m.bytes[t[i+2]] + m.bytes[t[i+3]]
	return bits - 4*float32(math.Log2(float64(1+m.grams[gramAt(t, i)])))
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
