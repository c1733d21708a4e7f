package evidence

import (
	"bufio"
	"errors"
	"io"
	"math/bits"
)

// deflate64 reads the format that Windows Explorer uses for files of more than 2 GiB: Deflate (RFC 1951) with a window of
// 64 KiB, a length code 285 of 3 to 65,538 bytes, and distance codes 30 and 31 (APPNOTE.TXT, section 4.4.5, method 9).
type deflate64 struct {
	in   *bufio.Reader
	hold uint64 // bits not used yet, the next one lowest
	have uint   // how many

	window [1 << 16]byte
	at     uint16 // where in window the next byte goes
	filled bool   // window has been written to its end

	final  bool // the last block has begun
	stored int  // bytes left in a block that is not compressed
	coded  bool // in a compressed block
	copyN  int  // bytes left of a match
	copyD  uint32
	err    error

	literals, distances huffman
}

var errDeflate64 = errors.New("the Deflate64 data are wrong")

func newDeflate64(r *bufio.Reader) *deflate64 { return &deflate64{in: r} }

func (d *deflate64) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && d.err == nil {
		switch {
		case d.copyN > 0:
			k := min(d.copyN, len(p)-n)
			from := d.at - uint16(d.copyD) // a distance of 65,536 is the byte about to be overwritten
			for i := range k {
				b := d.window[from+uint16(i)]
				d.window[d.at] = b
				d.next()
				p[n+i] = b
			}
			n += k
			d.copyN -= k
		case d.stored > 0:
			k, err := d.in.Read(p[n:min(len(p), n+d.stored)])
			for _, b := range p[n : n+k] {
				d.window[d.at] = b
				d.next()
			}
			n += k
			d.stored -= k
			if err != nil {
				d.err = unexpected(err)
			}
		case d.coded:
			n += d.symbols(p[n:])
		case d.final:
			d.err = io.EOF
		default:
			d.block()
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, d.err
}

func (d *deflate64) next() {
	d.at++
	d.filled = d.filled || d.at == 0
}

// need makes n bits available, n at most 48.
func (d *deflate64) need(n uint) bool {
	for d.have < n {
		b, err := d.in.ReadByte()
		if err != nil {
			d.err = unexpected(err)
			return false
		}
		d.hold |= uint64(b) << d.have
		d.have += 8
	}
	return true
}

func (d *deflate64) bits(n uint) uint32 {
	if !d.need(n) {
		return 0
	}
	v := uint32(d.hold & (1<<n - 1))
	d.hold >>= n
	d.have -= n
	return v
}

// block begins a block (RFC 1951, section 3.2.3).
func (d *deflate64) block() {
	d.final = d.bits(1) == 1
	switch d.bits(2) {
	case 0:
		d.bits(d.have & 7)
		n := d.bits(16)
		if ^n&0xFFFF != d.bits(16) && d.err == nil {
			d.err = errDeflate64
		}
		if d.err == nil {
			d.stored = int(n) // no bits are held: never more are taken than a code needs
		}
	case 1:
		var lengths [288 + 32]uint8
		for i := range lengths {
			switch {
			case i < 144, i >= 280 && i < 288:
				lengths[i] = 8
			case i < 256:
				lengths[i] = 9
			case i < 280:
				lengths[i] = 7
			default:
				lengths[i] = 5
			}
		}
		d.tables(lengths[:288], lengths[288:])
	case 2:
		d.dynamic()
	default:
		d.fail()
	}
}

func (d *deflate64) fail() {
	if d.err == nil {
		d.err = errDeflate64
	}
}

func (d *deflate64) tables(literals, distances []uint8) {
	if !d.literals.build(literals) || !d.distances.build(distances) {
		d.fail()
		return
	}
	d.coded = d.err == nil
}

// dynamic reads the codes of a block (section 3.2.7).
func (d *deflate64) dynamic() {
	nLit, nDist, nLen := int(d.bits(5))+257, int(d.bits(5))+1, int(d.bits(4))+4
	order := [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [288 + 32]uint8
	for i := range nLen {
		lengths[order[i]] = uint8(d.bits(3))
	}
	var codes huffman
	if d.err != nil || nLit > 288 || !codes.build(lengths[:19]) {
		d.fail()
		return
	}
	lengths = [288 + 32]uint8{}
	for i := 0; i < nLit+nDist; {
		s := d.decode(&codes)
		if d.err != nil {
			return
		}
		if s < 16 {
			lengths[i] = uint8(s)
			i++
			continue
		}
		var v uint8
		var n int
		switch s {
		case 16:
			if i == 0 {
				d.fail()
				return
			}
			v, n = lengths[i-1], 3+int(d.bits(2))
		case 17:
			n = 3 + int(d.bits(3))
		default:
			n = 11 + int(d.bits(7))
		}
		if i+n > nLit+nDist {
			d.fail()
			return
		}
		for range n {
			lengths[i] = v
			i++
		}
	}
	d.tables(lengths[:nLit], lengths[nLit:nLit+nDist])
}

var (
	lengthBase    = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 3}
	lengthExtra   = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16}
	distanceBase  = [32]uint32{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577, 32769, 49153}
	distanceExtra = [32]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14}
)

// symbols decodes literals into p until it is full, a match begins or the block ends.
func (d *deflate64) symbols(p []byte) int {
	for n := range p {
		s := d.decode(&d.literals)
		switch {
		case d.err != nil:
			return n
		case s < 256:
			p[n] = byte(s)
			d.window[d.at] = byte(s)
			d.next()
		case s == 256:
			d.coded = false
			return n
		case s > 285:
			d.fail()
			return n
		default:
			length := int(lengthBase[s-257]) + int(d.bits(uint(lengthExtra[s-257])))
			code := d.decode(&d.distances)
			if d.err != nil || code > 31 {
				d.fail()
				return n
			}
			distance := distanceBase[code] + d.bits(uint(distanceExtra[code]))
			if d.err != nil || distance > 1<<16 || !d.filled && distance > uint32(d.at) {
				d.fail()
				return n
			}
			d.copyN, d.copyD = length, distance
			return n
		}
	}
	return len(p)
}

// huffman is a canonical Huffman code (section 3.2.2).
type huffman struct {
	fast    [1 << fastBits]uint16 // by the next bits: symbol<<4 | length; 0 for longer codes
	count   [16]uint16            // codes of each length
	symbols [288]uint16           // in the order of their codes
}

const fastBits = 9

// build makes the code of the given lengths. Codes may be left over, as some writers do for a single distance.
func (h *huffman) build(lengths []uint8) bool {
	*h = huffman{}
	for _, l := range lengths {
		h.count[l]++
	}
	h.count[0] = 0
	left := 1
	var first, offset [16]uint16
	code, sum := uint16(0), uint16(0)
	for l := 1; l < 16; l++ {
		left = left<<1 - int(h.count[l])
		if left < 0 {
			return false
		}
		code <<= 1
		first[l], offset[l] = code, sum
		code += h.count[l]
		sum += h.count[l]
	}
	for s, l := range lengths {
		if l == 0 {
			continue
		}
		h.symbols[offset[l]] = uint16(s)
		offset[l]++
		if l <= fastBits {
			reversed := bits.Reverse16(first[l]) >> (16 - l)
			for i := int(reversed); i < len(h.fast); i += 1 << l {
				h.fast[i] = uint16(s)<<4 | uint16(l)
			}
		}
		first[l]++
	}
	return true
}

// decode reads one symbol.
func (d *deflate64) decode(h *huffman) int {
	var code, first, index int
	for l := uint(1); l < 16; l++ {
		if !d.need(l) {
			return 0
		}
		if d.have >= fastBits || l == fastBits {
			if e := h.fast[d.hold&(1<<fastBits-1)]; e != 0 && uint(e&15) <= d.have {
				d.hold >>= e & 15
				d.have -= uint(e & 15)
				return int(e >> 4)
			}
		}
		code |= int(d.hold >> (l - 1) & 1)
		count := int(h.count[l])
		if code-first < count {
			d.hold >>= l
			d.have -= l
			return int(h.symbols[index+code-first])
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	d.fail()
	return 0
}
