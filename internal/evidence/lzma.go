package evidence

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lzmaReader reads LZMA and LZMA2 ("LZMA specification", LZMA SDK; LZMA2 as in Lzma2Dec.c there). It is written here
// because of what a library loses: of a stream that breaks off, all that it had decoded and not yet given, up to the size of the
// dictionary. The dictionary grows with what comes out, whatever a header claims.
type lzmaReader struct {
	r     *bufio.Reader
	lzma2 bool
	taken int64 // bytes of r that chunks of LZMA2 took

	buf        []byte // compressed bytes that were read
	bp         int
	rng, code  uint32
	begun      bool   // of LZMA: the range decoder has its first bytes
	left       uint64 // bytes still to come out of this LZMA, or of this chunk of LZMA2
	marked     bool   // it ends by a marker, not after left bytes
	stored     bool   // the chunk is not compressed
	dictSize   int
	needDict   bool // LZMA2: nothing may come before the dictionary was reset
	needState  bool
	needProps  bool
	dict       []byte
	pos        int
	full       bool // the dictionary has been written to its end
	count      uint32
	copyN      int // bytes left of a match
	lc, lp, pb uint
	err        error

	state      uint32
	rep        [4]uint32
	isMatch    [12 << 4]uint16
	isRep      [12]uint16
	isRep0     [12]uint16
	isRep1     [12]uint16
	isRep2     [12]uint16
	isRep0Long [12 << 4]uint16
	posSlot    [4][64]uint16
	posSpecial [115]uint16
	align      [16]uint16
	length     lzmaLength
	repLength  lzmaLength
	literals   []uint16
}

// lzmaLength is the model of lengths.
type lzmaLength struct {
	choice, choice2 uint16
	low, mid        [16][8]uint16
	high            [256]uint16
}

var (
	errLZMA     = errors.New("the LZMA data are wrong")
	errLZMAEnds = io.ErrUnexpectedEOF
)

const minDictionary = 4 << 10

// newLZMAReader reads a stream of LZMA with the given 5 bytes of properties. unpacked is how many bytes come out;
// 1<<64-1 if it ends by a marker.
func newLZMAReader(r *bufio.Reader, props []byte, unpacked uint64) (*lzmaReader, error) {
	l := &lzmaReader{r: r, left: unpacked, marked: unpacked == 1<<64-1}
	l.dictSize = int(max(min(uint64(binary.LittleEndian.Uint32(props[1:])), unpacked), minDictionary))
	if l.dictSize > maxWindow {
		return nil, said(fmt.Sprintf("refused: unpacking it takes %s of memory; give it unpacked", size(int64(l.dictSize))))
	}
	if !l.properties(props[0], false) {
		return nil, said("damaged: its LZMA properties are wrong")
	}
	l.reset()
	return l, nil
}

// newLZMA2Reader reads chunks of LZMA2 and nothing of r after them.
func newLZMA2Reader(r *bufio.Reader, dictSize int) *lzmaReader {
	return &lzmaReader{r: r, lzma2: true, dictSize: max(dictSize, minDictionary), needDict: true, needState: true, needProps: true}
}

// properties sets lc, lp and pb from their byte.
func (l *lzmaReader) properties(b byte, two bool) bool {
	if b >= 9*5*5 {
		return false
	}
	l.lc, l.lp, l.pb = uint(b%9), uint(b/9%5), uint(b/45)
	if two && l.lc+l.lp > 4 {
		return false
	}
	if n := 0x300 << (l.lc + l.lp); len(l.literals) != n {
		l.literals = make([]uint16, n)
	}
	return true
}

// reset sets the state and all probabilities to their beginning.
func (l *lzmaReader) reset() {
	const half = 1 << 10
	fill := func(p []uint16) {
		for i := range p {
			p[i] = half
		}
	}
	l.state, l.rep = 0, [4]uint32{}
	fill(l.isMatch[:])
	fill(l.isRep[:])
	fill(l.isRep0[:])
	fill(l.isRep1[:])
	fill(l.isRep2[:])
	fill(l.isRep0Long[:])
	fill(l.posSpecial[:])
	fill(l.align[:])
	fill(l.literals)
	for i := range l.posSlot {
		fill(l.posSlot[i][:])
	}
	for _, c := range []*lzmaLength{&l.length, &l.repLength} {
		c.choice, c.choice2 = half, half
		fill(c.high[:])
		for i := range c.low {
			fill(c.low[i][:])
			fill(c.mid[i][:])
		}
	}
}

func (l *lzmaReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && l.err == nil {
		switch {
		case l.copyN > 0:
			n += l.copyMatch(p[n:])
		case l.left == 0 && !l.marked:
			if l.lzma2 {
				l.chunk()
			} else {
				l.err = io.EOF
			}
		case l.stored:
			k, err := l.r.Read(p[n:min(uint64(len(p)), uint64(n)+l.left)])
			for _, b := range p[n : n+k] {
				l.put(b)
			}
			n += k
			l.taken += int64(k)
			l.left -= uint64(k)
			if err != nil {
				l.err = unexpected(err)
			}
		case !l.begun:
			l.begin()
		default:
			n += l.symbols(p[n:])
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, l.err
}

// chunk reads the header of the next chunk of LZMA2.
func (l *lzmaReader) chunk() {
	control, err := l.r.ReadByte()
	if err != nil {
		l.err = unexpected(err)
		return
	}
	l.taken++
	if control == 0 {
		l.err = io.EOF
		return
	}
	if control == 1 || control >= 0xE0 {
		l.pos, l.full, l.count, l.needDict, l.needState = 0, false, 0, false, true
	}
	if l.needDict || control > 2 && control < 0x80 {
		l.err = errLZMA
		return
	}
	var h [5]byte
	n := 2
	if control >= 0xC0 {
		n = 5
	} else if control >= 0x80 {
		n = 4
	}
	if _, err := io.ReadFull(l.r, h[:n]); err != nil {
		l.err = unexpected(err)
		return
	}
	l.taken += int64(n)
	l.left = uint64(binary.BigEndian.Uint16(h[:])) + 1
	l.stored = control < 0x80
	if l.stored {
		return
	}
	l.left += uint64(control&0x1F) << 16
	if control >= 0xC0 {
		if !l.properties(h[4], true) {
			l.err = errLZMA
			return
		}
		l.needProps = false
	}
	if control >= 0xA0 && !l.needProps {
		l.reset()
		l.needState = false
	}
	if l.needProps || l.needState {
		l.err = errLZMA
		return
	}
	packed := int(binary.BigEndian.Uint16(h[2:])) + 1
	if cap(l.buf) < packed {
		l.buf = make([]byte, 1<<16)
	}
	have, err := io.ReadFull(l.r, l.buf[:packed]) // where it breaks off, what is there is decoded first
	l.buf, l.bp = l.buf[:have], 0
	l.taken += int64(have)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		l.err = err
		return
	}
	l.begun = false
}

// begin gives the range decoder its first bytes.
func (l *lzmaReader) begin() {
	if l.next() != 0 && l.err == nil {
		l.err = errLZMA
	}
	l.rng, l.code = 0xFFFFFFFF, 0
	for range 4 {
		l.code = l.code<<8 | uint32(l.next())
	}
	l.begun = true
}

// next returns the next compressed byte; after the last one it sets err.
func (l *lzmaReader) next() byte {
	if l.bp < len(l.buf) {
		b := l.buf[l.bp]
		l.bp++
		return b
	}
	return l.refill()
}

func (l *lzmaReader) refill() byte {
	if l.lzma2 {
		if l.err == nil {
			l.err = errLZMAEnds
		}
		return 0
	}
	b, err := l.r.ReadByte()
	if err != nil && l.err == nil {
		l.err = unexpected(err)
	}
	return b
}

// put appends a byte to the dictionary.
func (l *lzmaReader) put(b byte) {
	if l.pos == len(l.dict) {
		if len(l.dict) < l.dictSize {
			grown := make([]byte, min(max(2*len(l.dict), 64<<10), l.dictSize))
			copy(grown, l.dict)
			l.dict = grown
		} else {
			l.pos, l.full = 0, true
		}
	}
	l.dict[l.pos] = b
	l.pos++
	l.count++
}

// back returns the byte that came out distance+1 before the next one.
func (l *lzmaReader) back(distance uint32) byte {
	i := l.pos - int(distance) - 1
	if i < 0 {
		i += len(l.dict)
	}
	return l.dict[i]
}

func (l *lzmaReader) copyMatch(p []byte) int {
	k := min(l.copyN, len(p))
	l.copyN -= k
	distance := int(l.rep[0]) + 1
	if from := l.pos - distance; from >= 0 && k <= distance && k <= len(l.dict)-l.pos { // in one piece
		copy(l.dict[l.pos:], l.dict[from:from+k])
		copy(p, l.dict[l.pos:l.pos+k])
		l.pos += k
		l.count += uint32(k)
		return k
	}
	for i := range k {
		b := l.back(l.rep[0])
		l.put(b)
		p[i] = b
	}
	return k
}

func (l *lzmaReader) bit(p *uint16) uint32 {
	v := uint32(*p)
	bound := l.rng >> 11 * v
	var bit uint32
	if l.code < bound {
		l.rng = bound
		*p = uint16(v + (1<<11-v)>>5)
	} else {
		l.rng -= bound
		l.code -= bound
		*p = uint16(v - v>>5)
		bit = 1
	}
	if l.rng < 1<<24 {
		l.rng <<= 8
		l.code = l.code<<8 | uint32(l.next())
	}
	return bit
}

// tree reads n bits, the highest first.
func (l *lzmaReader) tree(p []uint16, n uint) uint32 {
	m := uint32(1)
	for range n {
		m = m<<1 | l.bit(&p[m])
	}
	return m - 1<<n
}

// reverse reads n bits, the lowest first.
func (l *lzmaReader) reverse(p []uint16, n uint) uint32 {
	m, v := uint32(1), uint32(0)
	for i := range n {
		b := l.bit(&p[m])
		m = m<<1 | b
		v |= b << i
	}
	return v
}

func (l *lzmaReader) direct(n uint) uint32 {
	var v uint32
	for range n {
		l.rng >>= 1
		b := uint32(0)
		if l.code >= l.rng {
			l.code -= l.rng
			b = 1
		}
		v = v<<1 | b
		if l.rng < 1<<24 {
			l.rng <<= 8
			l.code = l.code<<8 | uint32(l.next())
		}
	}
	return v
}

func (l *lzmaReader) matchLength(c *lzmaLength, posState uint32) int {
	switch {
	case l.bit(&c.choice) == 0:
		return 2 + int(l.tree(c.low[posState][:], 3))
	case l.bit(&c.choice2) == 0:
		return 10 + int(l.tree(c.mid[posState][:], 3))
	}
	return 18 + int(l.tree(c.high[:], 8))
}

// literal reads one byte.
func (l *lzmaReader) literal() byte {
	var before byte
	if l.pos > 0 || l.full {
		before = l.back(0)
	}
	which := (l.count&(1<<l.lp-1))<<l.lc | uint32(before)>>(8-l.lc)
	p := l.literals[0x300*which:][:0x300]
	m := uint32(1)
	if l.state >= 7 {
		match := uint32(l.back(l.rep[0]))
		for m < 0x100 {
			match <<= 1
			want := match & 0x100
			b := l.bit(&p[0x100+want+m])
			m = m<<1 | b
			if want>>8 != b {
				break
			}
		}
	}
	for m < 0x100 {
		m = m<<1 | l.bit(&p[m])
	}
	return byte(m)
}

// symbols decodes literals into p until it is full, a match begins or an end is reached.
func (l *lzmaReader) symbols(p []byte) int {
	for n := 0; n < len(p); {
		if l.left == 0 && !l.marked {
			return n
		}
		posState := l.count & (1<<l.pb - 1)
		state := l.state
		if l.bit(&l.isMatch[state<<4|posState]) == 0 {
			b := l.literal()
			if l.err != nil {
				return n
			}
			switch {
			case state < 4:
				l.state = 0
			case state < 10:
				l.state = state - 3
			default:
				l.state = state - 6
			}
			l.put(b)
			p[n] = b
			n++
			l.left--
			continue
		}
		var length int
		if l.bit(&l.isRep[state]) == 0 {
			length = l.match(posState)
			if l.err != nil {
				return n
			}
		} else {
			length = l.repeat(posState)
		}
		if l.err == nil && (int64(l.rep[0]) >= int64(l.available()) || !l.marked && uint64(length) > l.left) {
			l.err = errLZMA
		}
		if l.err != nil {
			return n
		}
		l.copyN = length
		l.left -= uint64(length)
		return n
	}
	return len(p)
}

// available returns how far back a match may reach.
func (l *lzmaReader) available() int {
	if l.full {
		return len(l.dict)
	}
	return l.pos
}

// match reads the length and distance of a new match. At the marker of the end it sets err.
func (l *lzmaReader) match(posState uint32) int {
	length := l.matchLength(&l.length, posState)
	slot := l.tree(l.posSlot[min(length-2, 3)][:], 6)
	distance := slot
	if slot >= 4 {
		bits := uint(slot>>1 - 1)
		distance = (2 | slot&1) << bits
		if slot < 14 {
			distance += l.reverse(l.posSpecial[distance-slot:], bits)
		} else {
			distance += l.direct(bits-4)<<4 + l.reverse(l.align[:], 4)
		}
	}
	l.rep = [4]uint32{distance, l.rep[0], l.rep[1], l.rep[2]}
	if l.state < 7 {
		l.state = 7
	} else {
		l.state = 10
	}
	if distance == 0xFFFFFFFF && l.err == nil {
		l.err = errLZMA
		if l.marked {
			l.err = io.EOF
		}
	}
	return length
}

// repeat reads a match whose distance was used before.
func (l *lzmaReader) repeat(posState uint32) int {
	state := l.state
	after := uint32(8)
	if state >= 7 {
		after = 11
	}
	if l.bit(&l.isRep0[state]) == 0 {
		if l.bit(&l.isRep0Long[state<<4|posState]) == 0 {
			l.state = after + 1
			if state >= 7 {
				l.state = 11
			} else {
				l.state = 9
			}
			return 1
		}
	} else if l.bit(&l.isRep1[state]) == 0 {
		l.rep[0], l.rep[1] = l.rep[1], l.rep[0]
	} else if l.bit(&l.isRep2[state]) == 0 {
		l.rep[0], l.rep[1], l.rep[2] = l.rep[2], l.rep[0], l.rep[1]
	} else {
		l.rep[0], l.rep[1], l.rep[2], l.rep[3] = l.rep[3], l.rep[0], l.rep[1], l.rep[2]
	}
	l.state = after
	return l.matchLength(&l.repLength, posState)
}
