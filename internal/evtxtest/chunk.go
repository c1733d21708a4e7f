// Package evtxtest writes Windows event logs, for tests and examples.
//
// [File] makes a log of plain events. [Chunk] gives a say in every template and value, for tests of damaged and odd logs.
// The format is that of libevtx, "Windows XML Event Log (EVTX) format", and MS-EVEN6, section 2.2.12. The same events give
// the same bytes.
package evtxtest

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"time"
)

const (
	fileHeaderSize  = 4096
	chunkSize       = 65536
	chunkHeaderSize = 512
)

// Chunk is a chunk in the making.
type Chunk struct {
	// Offsets says where each record begins.
	Offsets []int

	buf       []byte
	names     map[string]int
	templates map[*Template]int
	first     uint64
	last      uint64
}

// NewChunk returns a chunk without records.
func NewChunk() *Chunk {
	return &Chunk{buf: make([]byte, chunkHeaderSize), names: make(map[string]int), templates: make(map[*Template]int)}
}

// Record adds a record whose content is an Instance or a Literal, and reports whether there was room for it.
func (c *Chunk) Record(id uint64, written time.Time, content any) bool {
	start, names, templates := len(c.buf), maps.Clone(c.names), maps.Clone(c.templates)
	c.buf = append(c.buf, "**\x00\x00"...)
	c.u32(0)
	c.buf = binary.LittleEndian.AppendUint64(c.buf, id)
	c.buf = binary.LittleEndian.AppendUint64(c.buf, FileTime(written))
	c.fragment(content)
	for len(c.buf)%8 != 4 {
		c.buf = append(c.buf, 0)
	}
	size := len(c.buf) + 4 - start
	c.u32(size)
	if len(c.buf) > chunkSize {
		c.buf, c.names, c.templates = c.buf[:start], names, templates
		return false
	}
	binary.LittleEndian.PutUint32(c.buf[start+4:], uint32(size))
	if len(c.Offsets) == 0 {
		c.first = id
	}
	c.last = id
	c.Offsets = append(c.Offsets, start)
	return true
}

// Bytes returns the chunk with its header and checksums.
func (c *Chunk) Bytes() []byte {
	p := make([]byte, chunkSize)
	copy(p, c.buf)
	le := binary.LittleEndian
	copy(p, "ElfChnk\x00")
	le.PutUint64(p[8:], c.first)
	le.PutUint64(p[16:], c.last)
	le.PutUint64(p[24:], c.first)
	le.PutUint64(p[32:], c.last)
	le.PutUint32(p[40:], 128)
	if n := len(c.Offsets); n > 0 {
		le.PutUint32(p[44:], uint32(c.Offsets[n-1]))
	}
	le.PutUint32(p[48:], uint32(len(c.buf)))
	Seal(p)
	return p
}

// Seal sets the checksums of a chunk to what its bytes ask for.
func Seal(chunk []byte) {
	le := binary.LittleEndian
	end := min(max(int(le.Uint32(chunk[48:])), chunkHeaderSize), len(chunk))
	le.PutUint32(chunk[52:], crc32.ChecksumIEEE(chunk[chunkHeaderSize:end]))
	crc := crc32.ChecksumIEEE(chunk[:120])
	le.PutUint32(chunk[124:], crc32.Update(crc, crc32.IEEETable, chunk[128:chunkHeaderSize]))
}

// Wrap returns a file of chunks; next is the identifier that the next record would get.
func Wrap(chunks [][]byte, next uint64) []byte {
	le := binary.LittleEndian
	p := make([]byte, fileHeaderSize)
	copy(p, "ElfFile\x00")
	le.PutUint64(p[16:], uint64(max(len(chunks), 1)-1))
	le.PutUint64(p[24:], next)
	le.PutUint32(p[32:], 128)
	le.PutUint16(p[36:], 1)
	le.PutUint16(p[38:], 3)
	le.PutUint16(p[40:], fileHeaderSize)
	le.PutUint16(p[42:], uint16(len(chunks)))
	le.PutUint32(p[124:], crc32.ChecksumIEEE(p[:120]))
	for _, c := range chunks {
		p = append(p, c...)
	}
	return p
}
