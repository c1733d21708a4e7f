package evidence

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// xzReader reads an .xz file: streams one after another, of blocks compressed with LZMA2 ("The .xz File Format", version
// 1.2.1).
type xzReader struct {
	r       *bufio.Reader
	begun   bool
	check   byte        // of the stream, section 2.1.1.2
	block   *lzmaReader // nil between blocks
	sum     hash.Hash   // nil for checks that are not known
	sumSize int
	blocks  uint64
	err     error
}

func newXzReader(r *bufio.Reader) *xzReader { return &xzReader{r: r} }

func (x *xzReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for x.err == nil {
		if x.block == nil {
			x.err = x.next()
			continue
		}
		n, err := x.block.Read(p)
		if x.sum != nil {
			x.sum.Write(p[:n])
		}
		if err == io.EOF {
			x.err = x.endBlock()
		} else if err != nil {
			x.err = err
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// next goes on to the next block, over the end of a stream.
func (x *xzReader) next() error {
	if !x.begun {
		if err := x.streamHeader(); err != nil {
			return err
		}
	}
	first, err := x.r.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if first == 0 {
		return x.endStream()
	}
	return x.blockHeader(first)
}

// streamHeader reads the header of a stream (section 2.1.1), or the padding at the end of the file (section 2.2).
func (x *xzReader) streamHeader() error {
	var h [12]byte
	for {
		if _, err := io.ReadFull(x.r, h[:4]); err != nil {
			if err == io.EOF && x.blocks > 0 {
				return io.EOF
			}
			return unexpected(err)
		}
		if x.blocks == 0 || h[0] != 0 || h[1] != 0 || h[2] != 0 || h[3] != 0 {
			break
		}
	}
	if _, err := io.ReadFull(x.r, h[4:]); err != nil {
		return unexpected(err)
	}
	if string(h[:6]) != "\xFD7zXZ\x00" {
		return said("followed by bytes that are no xz; they are left out")
	}
	if crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return errors.New("the checksum of the stream header is wrong")
	}
	if h[6] != 0 || h[7] > 0x0F {
		return errors.New("unknown stream flags")
	}
	x.check = h[7]
	x.begun = true
	return nil
}

// blockHeader reads the header of a block (section 3.1) whose first byte is size.
func (x *xzReader) blockHeader(first byte) error {
	h := make([]byte, (int(first)+1)*4)
	h[0] = first
	if _, err := io.ReadFull(x.r, h[1:]); err != nil {
		return unexpected(err)
	}
	body := h[:len(h)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(h[len(body):]) {
		return errors.New("the checksum of a block header is wrong")
	}
	flags := body[1]
	body = body[2:]
	number := func() (v uint64, ok bool) { // section 1.2
		v, n := binary.Uvarint(body)
		if n <= 0 || n > 9 {
			return 0, false
		}
		body = body[n:]
		return v, true
	}
	for bit := byte(0x40); bit != 0; bit <<= 1 { // compressed and uncompressed size, which are not needed
		if flags&bit != 0 {
			if _, ok := number(); !ok {
				return errors.New("a block header is too short")
			}
		}
	}
	filter, ok1 := number()
	size7, ok2 := number()
	if !ok1 || !ok2 || size7 > uint64(len(body)) {
		return errors.New("a block header is too short")
	}
	if flags&0x3F != 0 || filter != 0x21 || size7 != 1 {
		return said("not read: compressed with a filter other than LZMA2; give it unpacked")
	}
	dict, err := lzma2Dictionary(body[0])
	if err != nil {
		return err
	}
	x.block = newLZMA2Reader(x.r, dict)
	x.blocks++
	switch x.check { // section 2.1.1.2
	case 0x00:
		x.sum, x.sumSize = nil, 0
	case 0x01:
		x.sum, x.sumSize = crc32.NewIEEE(), 4
	case 0x04:
		x.sum, x.sumSize = crc64.New(crc64.MakeTable(crc64.ECMA)), 8
	case 0x0A:
		x.sum, x.sumSize = sha256.New(), 32
	default:
		x.sum, x.sumSize = nil, [...]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[x.check]
	}
	return nil
}

// endBlock reads the padding and the check after a block (sections 3.3 and 3.4).
func (x *xzReader) endBlock() error {
	tail := make([]byte, int(-x.block.taken&3)+x.sumSize)
	x.block = nil
	if _, err := io.ReadFull(x.r, tail); err != nil {
		return unexpected(err)
	}
	if x.sum == nil {
		return nil
	}
	stated := tail[len(tail)-x.sumSize:]
	got := x.sum.Sum(nil)
	for i := range got {
		other := i
		if x.check != 0x0A { // checksums are little-endian, hash.Hash gives big-endian
			other = len(got) - 1 - i
		}
		if got[other] != stated[i] {
			return errors.New("the checksum of a block is wrong")
		}
	}
	return nil
}

// endStream passes over the index, whose first byte was read, and the footer (sections 4 and 2.1.2).
func (x *xzReader) endStream() error {
	in := &countedBytes{r: x.r, n: 1}
	records, err := binary.ReadUvarint(in)
	if err != nil {
		return unexpected(err)
	}
	for range records {
		for range 2 {
			if _, err := binary.ReadUvarint(in); err != nil {
				return unexpected(err)
			}
		}
	}
	if _, err := x.r.Discard(int(-in.n&3) + 4 + 12); err != nil {
		return unexpected(err)
	}
	x.begun = false
	if x.blocks == 0 {
		x.blocks = 1 // an empty stream counts as begun
	}
	return nil
}

// lzma2Dictionary returns the size in bytes that the property byte of LZMA2 stands for (section 5.3.1).
func lzma2Dictionary(p byte) (int, error) {
	if p > 40 {
		return 0, errors.New("the dictionary size is no valid one")
	}
	n := uint64(2|p&1) << (p/2 + 11)
	if n > maxWindow {
		return 0, said(fmt.Sprintf("refused: unpacking it takes %s of memory; give it unpacked", size(int64(n))))
	}
	return int(n), nil
}

// countedBytes counts what is taken from a buffered reader.
type countedBytes struct {
	r *bufio.Reader
	n int64
}

func (c *countedBytes) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
