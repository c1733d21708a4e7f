package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"
	"unicode/utf16"
)

// 7z archives are read here, not with a library, because those take as much memory as a header asks for. The format is
// that of 7zFormat.txt in the LZMA SDK, version 23.01; its names for properties are kept.

// maxSevenHeader is the most bytes of header that are taken, packed and unpacked. Nothing that is made from a header is
// larger than a small multiple of it.
const maxSevenHeader = 64 << 20

const (
	sevenEnd              = 0x00
	sevenHeader           = 0x01
	sevenArchiveProps     = 0x02
	sevenAdditional       = 0x03
	sevenMainStreams      = 0x04
	sevenFilesInfo        = 0x05
	sevenPackInfo         = 0x06
	sevenUnpackInfo       = 0x07
	sevenSubStreams       = 0x08
	sevenSize             = 0x09
	sevenCRC              = 0x0A
	sevenFolder           = 0x0B
	sevenCodersUnpackSize = 0x0C
	sevenNumUnpackStream  = 0x0D
	sevenEmptyStream      = 0x0E
	sevenNames            = 0x11
	sevenMTime            = 0x14
	sevenAttributes       = 0x15
	sevenEncodedHeader    = 0x17
)

// sevenArchive is what the header of a 7z says.
type sevenArchive struct {
	folders []sevenBlock
	files   []sevenFile
}

// sevenBlock is what is compressed in one piece: a "folder" in the words of the format.
type sevenBlock struct {
	coders  []sevenCoder // in the order in which data pass through them when it is unpacked
	odd     string       // why it cannot be read, if so
	offset  int64        // of the packed bytes in the archive
	packed  int64
	size    uint64 // unpacked
	crc     uint32
	hasCRC  bool
	streams []sevenStream
}

type sevenCoder struct {
	method string
	props  []byte
	size   uint64 // of what comes out
}

type sevenStream struct {
	size   uint64
	crc    uint32
	hasCRC bool
}

type sevenFile struct {
	name   string
	mod    time.Time
	mode   uint32 // of Unix; 0 if unknown
	dir    bool
	stream bool // it has content
}

// readSevenHeader reads the header of a 7z.
func readSevenHeader(r io.ReaderAt, length int64, unpack func(*sevenBlock) (io.ReadCloser, error)) (*sevenArchive, error) {
	var start [32]byte
	if _, err := r.ReadAt(start[:], 0); err != nil {
		return nil, unexpected(err)
	}
	le := binary.LittleEndian
	if crc32.ChecksumIEEE(start[12:]) != le.Uint32(start[8:]) {
		return nil, errors.New("the checksum of its first header is wrong")
	}
	offset, n := le.Uint64(start[12:]), le.Uint64(start[20:])
	if n == 0 {
		return &sevenArchive{}, nil
	}
	if offset > uint64(length) || n > uint64(length)-offset || offset+32+n > uint64(length) {
		return nil, errors.New("its end is missing")
	}
	if n > maxSevenHeader {
		return nil, said(fmt.Sprintf("refused: its header takes %s", size(int64(n))))
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, int64(offset)+32); err != nil {
		return nil, unexpected(err)
	}
	if crc32.ChecksumIEEE(header) != le.Uint32(start[28:]) {
		return nil, errors.New("the checksum of its header is wrong")
	}
	for range 4 { // a header may be compressed, and that one's header too
		p := &sevenParser{rest: header, length: length}
		switch p.byte() {
		case sevenHeader:
			a := p.header()
			return a, p.err
		case sevenEncodedHeader:
			blocks := p.streams()
			if p.err != nil {
				return nil, p.err
			}
			if len(blocks) != 1 {
				return nil, errors.New("its compressed header is wrong")
			}
			if blocks[0].size > maxSevenHeader {
				return nil, said(fmt.Sprintf("refused: its header takes %s", size(int64(min(blocks[0].size, math.MaxInt64)))))
			}
			d, err := unpack(&blocks[0])
			if err != nil {
				return nil, err
			}
			header, err = io.ReadAll(io.LimitReader(d, int64(blocks[0].size)))
			d.Close()
			if err != nil {
				return nil, err
			}
			if blocks[0].hasCRC && crc32.ChecksumIEEE(header) != blocks[0].crc {
				return nil, errors.New("the checksum of its compressed header is wrong")
			}
		default:
			return nil, errors.New("its header is of an unknown kind")
		}
	}
	return nil, errors.New("its header is compressed too often")
}

// sevenParser reads a header. After an error everything reads as zero.
type sevenParser struct {
	rest   []byte
	length int64 // of the archive
	err    error
}

func (p *sevenParser) fail(text string) {
	if p.err == nil {
		p.err = errors.New(text)
	}
	p.rest = nil
}

func (p *sevenParser) byte() byte {
	b := p.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

func (p *sevenParser) take(n uint64) []byte {
	if n > uint64(len(p.rest)) {
		p.fail("its header ends too early")
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

// number reads a number of 1 to 9 bytes: the leading ones of the first say how many follow.
func (p *sevenParser) number() uint64 {
	first := p.byte()
	var v uint64
	mask := byte(0x80)
	for i := range 8 {
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(p.byte()) << (8 * i)
		mask >>= 1
	}
	return v
}

// count reads how many of something follow, each of which takes a byte or more in what is left of the header.
func (p *sevenParser) count() int {
	n := p.number()
	if n > uint64(len(p.rest)) {
		p.fail("its header counts more than it holds")
		return 0
	}
	return int(n)
}

func (p *sevenParser) bits(n int) []bool {
	b := p.take(uint64(n+7) / 8)
	if b == nil {
		return nil
	}
	out := make([]bool, n)
	for i := range out {
		out[i] = b[i/8]&(0x80>>(i%8)) != 0
	}
	return out
}

// optionalBits reads which of n are there; nil stands for all.
func (p *sevenParser) optionalBits(n int) []bool {
	if p.byte() != 0 {
		return nil
	}
	return p.bits(n)
}

// digests reads n checksums, where they are defined.
func (p *sevenParser) digests(n int, set func(i int, crc uint32)) {
	defined := p.optionalBits(n)
	for i := range n {
		if defined != nil && !defined[i] {
			continue
		}
		b := p.take(4)
		if b == nil {
			return
		}
		set(i, binary.LittleEndian.Uint32(b))
	}
}

func (p *sevenParser) header() *sevenArchive {
	a := &sevenArchive{}
	for p.err == nil {
		switch id := p.byte(); id {
		case sevenEnd:
			return a
		case sevenArchiveProps:
			for p.err == nil && p.byte() != sevenEnd {
				p.take(p.number())
			}
		case sevenAdditional:
			p.streams()
		case sevenMainStreams:
			a.folders = p.streams()
		case sevenFilesInfo:
			a.files = p.files()
		default:
			p.fail("its header holds something unknown")
		}
	}
	return a
}

func (p *sevenParser) streams() []sevenBlock {
	var packPos uint64
	var packSizes []uint64
	var blocks []sevenBlock
	var packs []int // packed streams of each block
	sub := false
	for p.err == nil {
		switch id := p.byte(); id {
		case sevenEnd:
			if !sub {
				for i := range blocks {
					b := &blocks[i]
					b.streams = []sevenStream{{b.size, b.crc, b.hasCRC}}
				}
			}
			p.place(blocks, packs, packPos, packSizes)
			return blocks
		case sevenPackInfo:
			packPos = p.number()
			n := p.count()
			for id := p.byte(); id != sevenEnd && p.err == nil; id = p.byte() {
				switch id {
				case sevenSize:
					packSizes = make([]uint64, n)
					for i := range packSizes {
						packSizes[i] = p.number()
					}
				case sevenCRC:
					p.digests(n, func(int, uint32) {})
				default:
					p.fail("its header holds something unknown")
				}
			}
		case sevenUnpackInfo:
			blocks, packs = p.blocks()
		case sevenSubStreams:
			sub = true
			p.subStreams(blocks)
		default:
			p.fail("its header holds something unknown")
		}
	}
	return nil
}

// place says where the packed bytes of each block lie.
func (p *sevenParser) place(blocks []sevenBlock, packs []int, pos uint64, sizes []uint64) {
	at := 0
	for i := range blocks {
		b := &blocks[i]
		if packs[i] > len(sizes)-at {
			p.fail("its header names more packed streams than there are")
			return
		}
		b.offset = 32 + int64(min(pos, math.MaxInt64/2))
		for j := range packs[i] {
			size := sizes[at+j]
			if pos > uint64(p.length) || size > uint64(p.length)-pos {
				b.odd = "damaged: its packed bytes lie outside of the archive"
				size = 0
			}
			if j == 0 {
				b.packed = int64(size)
			}
			pos += size
		}
		at += packs[i]
	}
}

func (p *sevenParser) blocks() (blocks []sevenBlock, packs []int) {
	if p.byte() != sevenFolder {
		p.fail("its header holds something unknown")
		return nil, nil
	}
	n := p.count()
	if p.byte() != 0 {
		p.fail("its header lies in another stream, which is not read")
		return nil, nil
	}
	blocks, packs = make([]sevenBlock, n), make([]int, n)
	chains := make([][]int, n) // the coders in the order of the header
	for i := range blocks {
		packs[i], chains[i] = p.block(&blocks[i])
		if p.err != nil {
			return nil, nil
		}
	}
	if p.byte() != sevenCodersUnpackSize {
		p.fail("its header holds something unknown")
		return nil, nil
	}
	for i := range blocks {
		b := &blocks[i]
		outs := len(chains[i])
		sizes := make([]uint64, outs)
		for j := range sizes {
			sizes[j] = p.number()
		}
		if b.odd != "" {
			continue
		}
		for j := range b.coders {
			b.coders[j].size = sizes[chains[i][j]]
		}
		b.size = b.coders[len(b.coders)-1].size
	}
	for id := p.byte(); id != sevenEnd && p.err == nil; id = p.byte() {
		if id != sevenCRC {
			p.fail("its header holds something unknown")
			break
		}
		p.digests(n, func(i int, crc uint32) { blocks[i].crc, blocks[i].hasCRC = crc, true })
	}
	return blocks, packs
}

// maxCoders is the most coders of a block that the format's own program takes.
const maxCoders = 32

// block reads how a block is compressed. It returns how many packed streams it has, and the place of each of its coders in
// the header (for one that cannot be read: as many as it has outputs).
func (p *sevenParser) block(b *sevenBlock) (packs int, chain []int) {
	n := p.count()
	if n == 0 || n > maxCoders {
		p.fail("its header has a wrong number of coders")
		return 0, nil
	}
	coders := make([]sevenCoder, n)
	ins, outs := 0, 0
	for i := range coders {
		flags := p.byte()
		coders[i].method = string(p.take(uint64(flags & 15)))
		in, out := 1, 1
		if flags&0x10 != 0 {
			in, out = p.count(), p.count()
		}
		if flags&0x20 != 0 {
			coders[i].props = p.take(p.number())
		}
		if flags&0xC0 != 0 || in > maxCoders || out != 1 {
			p.fail("its header has a coder of an unknown kind")
			return 0, nil
		}
		if in != 1 {
			b.odd = "not read: compressed with " + sevenMethod(coders[i].method) + "; give it unpacked"
		}
		ins, outs = ins+in, outs+out
	}
	from := make([]int, ins) // which output goes into each input; -1: a packed stream
	for i := range from {
		from[i] = -1
	}
	for range outs - 1 {
		in, out := p.number(), p.number()
		if in >= uint64(ins) || out >= uint64(outs) || from[in] >= 0 {
			p.fail("its header ties coders in a wrong way")
			return 0, nil
		}
		from[in] = int(out)
	}
	packs = ins - (outs - 1)
	if packs > 1 {
		for range packs {
			p.number()
		}
	}
	chain = make([]int, outs)
	if b.odd != "" {
		return packs, chain
	}
	// Every coder has one input and one output: follow them from the packed stream on.
	next := make([]int, n)
	for i := range next {
		next[i] = -1
	}
	first := -1
	for in, out := range from {
		if out < 0 {
			first = in
		} else {
			next[out] = in
		}
	}
	c := first
	for i := range chain {
		if c < 0 {
			p.fail("its header ties coders in a wrong way")
			return 0, nil
		}
		chain[i] = c
		b.coders = append(b.coders, coders[c])
		c = next[c]
	}
	return packs, chain
}

func (p *sevenParser) subStreams(blocks []sevenBlock) {
	id := p.byte()
	counts := make([]int, len(blocks))
	for i := range counts {
		counts[i] = 1
	}
	if id == sevenNumUnpackStream {
		total := 0
		for i := range counts {
			// All but the last stream of a block state their size in a byte or more.
			n := p.number()
			if n > uint64(len(p.rest)+1) || total > len(p.rest)+len(blocks) {
				p.fail("its header counts more than it holds")
				return
			}
			counts[i] = int(n)
			total += counts[i]
		}
		id = p.byte()
	}
	for i := range blocks {
		b := &blocks[i]
		if counts[i] == 0 {
			continue
		}
		if p.err != nil || counts[i]-1 > len(p.rest) {
			p.fail("its header counts more than it holds")
			return
		}
		b.streams = make([]sevenStream, counts[i])
		left := b.size
		for j := range counts[i] - 1 {
			if id == sevenSize {
				b.streams[j].size = p.number()
			}
			left -= min(b.streams[j].size, left)
		}
		b.streams[counts[i]-1].size = left
	}
	if id == sevenSize {
		id = p.byte()
	}
	for p.err == nil && id != sevenEnd {
		if id != sevenCRC {
			p.fail("its header holds something unknown")
			return
		}
		var unknown []*sevenStream
		for i := range blocks {
			b := &blocks[i]
			if len(b.streams) == 1 && b.hasCRC {
				b.streams[0].crc, b.streams[0].hasCRC = b.crc, true
				continue
			}
			for j := range b.streams {
				unknown = append(unknown, &b.streams[j])
			}
		}
		p.digests(len(unknown), func(i int, crc uint32) { unknown[i].crc, unknown[i].hasCRC = crc, true })
		id = p.byte()
	}
}

func (p *sevenParser) files() []sevenFile {
	n := p.count()
	files := make([]sevenFile, n)
	for i := range files {
		files[i].stream = true
	}
	for p.err == nil {
		id := p.number()
		if id == sevenEnd {
			return files
		}
		q := &sevenParser{rest: p.take(p.number())}
		switch id {
		case sevenEmptyStream:
			for i, empty := range q.bits(n) {
				files[i].stream = !empty
			}
		case 0x0F: // kEmptyFile: which of those are files, not folders
			empty := 0
			for i := range files {
				if !files[i].stream {
					empty++
				}
			}
			isFile := q.bits(empty)
			k := 0
			for i := range files {
				if !files[i].stream && k < len(isFile) {
					files[i].dir = !isFile[k]
					k++
				}
			}
		case sevenNames:
			if q.byte() != 0 {
				p.fail("its names lie in another stream, which is not read")
				return nil
			}
			for i := range files {
				files[i].name = q.name()
			}
		case sevenMTime:
			defined := q.optionalBits(n)
			if q.byte() != 0 {
				continue
			}
			for i := range files {
				if q.err == nil && (defined == nil || defined[i]) {
					if b := q.take(8); b != nil {
						files[i].mod = fileTime(binary.LittleEndian.Uint64(b))
					}
				}
			}
		case sevenAttributes:
			defined := q.optionalBits(n)
			if q.byte() != 0 {
				continue
			}
			for i := range files {
				if q.err == nil && (defined == nil || defined[i]) {
					if b := q.take(4); b != nil {
						a := binary.LittleEndian.Uint32(b)
						files[i].dir = files[i].dir || a&0x10 != 0
						if a&0x8000 != 0 { // the upper half is a mode of Unix
							files[i].mode = a >> 16
						}
					}
				}
			}
		}
		if q.err != nil {
			p.fail(q.err.Error())
		}
	}
	return nil
}

// name reads a name in UTF-16 that ends with NUL.
func (p *sevenParser) name() string {
	var units []uint16
	for i := 0; i+2 <= len(p.rest); i += 2 {
		u := binary.LittleEndian.Uint16(p.rest[i:])
		if u == 0 {
			p.rest = p.rest[i+2:]
			return string(utf16.Decode(units))
		}
		if len(units) < maxName {
			units = append(units, u)
		}
	}
	p.fail("its names end too early")
	return ""
}

// fileTime reads a FILETIME: 100 ns since 1601.
func fileTime(t uint64) time.Time {
	const since1970 = 116444736000000000
	if t < since1970 || t-since1970 > math.MaxInt64/100 {
		return time.Time{}
	}
	return time.Unix(0, int64(t-since1970)*100).UTC()
}

// sevenMethod names a method of compression for people.
func sevenMethod(id string) string {
	switch id {
	case "\x03\x03\x01\x1B":
		return "BCJ2 (programs)"
	case "\x03\x03\x01\x03", "\x04", "\x03\x03\x05\x01", "\x07", "\x0A", "\x03\x03\x02\x05", "\x03\x03\x04\x01", "\x03\x03\x08\x05":
		return "a filter for programs"
	case "\x03\x04\x01":
		return "PPMd"
	case "\x04\xF7\x11\x02":
		return "Brotli"
	case "\x04\xF7\x11\x04":
		return "LZ4"
	}
	return fmt.Sprintf("the unusual method %X", id)
}
