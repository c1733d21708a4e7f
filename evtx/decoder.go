package evtx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Defect is something wrong in a chunk.
type Defect struct {
	Offset int    // in the chunk, in bytes
	Length int    // of what was lost, in bytes; 0 if nothing was
	Reason string // for people
}

// Record is one event of a log. It belongs to its Decoder and is valid until the next call of Next.
type Record struct {
	ID      uint64 // EventRecordID
	Written int64  // when it was written: nanoseconds since 1970 UTC
	Offset  int    // in the chunk, in bytes
	Size    int    // in bytes
	Layout  *Layout
	// Values holds Layout.Slots values. Their bytes are views of the chunk, except those from Layout.Composed on.
	Values []Value
	// Recovered says that the record lies where the chunk says that there is none: it was deleted, or is newer than
	// the chunk's header.
	Recovered bool
}

// Value returns the value of the field with the given index in Layout.Fields.
func (r *Record) Value(field int) Value {
	f := &r.Layout.Fields[field]
	if f.Slot >= 0 {
		return r.Values[f.Slot]
	}
	return Value{Data: encodeUTF16(f.Text), Type: StringType}
}

// System returns the value of a field of the System element; its type is NullType if the record lacks it.
func (r *Record) System(f SystemField) Value {
	s := &r.Layout.system[f]
	if s.slot >= 0 {
		return r.Values[s.slot]
	}
	return s.constant
}

const (
	recordHeaderSize = 24
	recordMagic      = "**\x00\x00"
	minRecordSize    = recordHeaderSize + 4
	definitionHeader = 24
	maxNesting       = 16            // of fragments in values
	maxWalked        = 4 * ChunkSize // bytes of definitions in a chunk; overlapping ones count twice
	maxBuilt         = 16 << 20      // size of the layouts made for a chunk
)

// Reasons for which a record cannot be read.
const (
	whyEmpty       = "record without content"
	whyNoContent   = "content that begins with neither a template nor an element"
	whyDefinition  = "template definition outside the chunk"
	whyIdentifier  = "template definition replaced by something else"
	whyDefinitions = "more template definitions than a chunk can hold"
	whyValues      = "values beyond the end of the record"
	whyLayouts     = "more different layouts than a chunk can hold"
	whyFragments   = "values nested too deeply"
)

// Decoder reads chunks. It is for one goroutine at a time, and reuses its memory from chunk to chunk.
type Decoder struct {
	// SkipChecksums leaves the checksums of chunks unchecked.
	SkipChecksums bool

	templates *Templates
	norm      normalizer
	record    Record
	values    []Value
	scratch   []byte // composed values of this chunk
	text      []byte
	defects   []Defect

	chunk  []byte
	header ChunkHeader
	pos    int
	limit  int // where the records end
	free   int
	noHead bool // the chunk has no header
	noEnd  bool // nothing says where the records end

	// Definitions of this chunk, by offset: a hash table, in which entries of another turn are empty ones.
	index       [definitionSlots]definitionSlot
	definitions []definition
	turn        uint32
	walked      int // bytes of definitions
	built       int // size of layouts
}

const definitionSlots = 4096 // more than there is room for in a chunk

type definitionSlot struct {
	turn   uint32
	offset uint16
	number uint16
}

type definition struct {
	template *template
	why      string
	// the last path that led to the template, and where it went
	from, to *layoutNode
	at       step
}

// NewDecoder returns a Decoder that shares compiled templates with others.
func NewDecoder(t *Templates) *Decoder { return &Decoder{templates: t} }

// Begin begins a chunk: what lies between two multiples of ChunkSize after the header of the file, less at the end of
// a file that was cut. The chunk must not change while its records are in use.
func (d *Decoder) Begin(chunk []byte) {
	chunk = chunk[:min(len(chunk), ChunkSize)]
	d.chunk, d.norm.chunk = chunk, chunk
	d.scratch = d.scratch[:0]
	d.defects = d.defects[:0]
	d.definitions = d.definitions[:0]
	d.walked, d.built = 0, 0
	if d.turn++; d.turn == 0 {
		clear(d.index[:])
		d.turn = 1
	}
	d.header = ChunkHeader{}
	d.free, d.noHead, d.noEnd, d.norm.strict = 0, false, false, false
	d.pos, d.limit = len(chunk), len(chunk)
	if allZero(chunk) {
		d.free = len(chunk)
		return
	}
	if len(chunk) < ChunkSize {
		d.defect(len(chunk), 0, fmt.Sprintf("chunk cut short: %d bytes of %d", len(chunk), ChunkSize))
	}
	if len(chunk) < chunkHeaderSize {
		d.defect(0, len(chunk), "chunk header cut short")
		return
	}
	d.pos = chunkHeaderSize
	if string(chunk[:len(chunkMagic)]) != chunkMagic {
		d.defect(0, chunkHeaderSize, "chunk header does not begin with ElfChnk")
		d.noHead, d.noEnd, d.norm.strict = true, true, true
		return
	}
	d.header = parseChunkHeader(chunk)
	checked := !d.SkipChecksums && !d.header.NoChecksums
	if checked && !headerChecksumOK(chunk) {
		d.defect(0, 0, "wrong checksum of the chunk header")
	}
	switch free := d.header.FreeOffset; {
	case free < chunkHeaderSize || free > ChunkSize:
		d.defect(48, 0, fmt.Sprintf("impossible end of the records: %d", free))
		d.noEnd = true
	case int(free) > len(chunk):
		// the rest was cut off, which has been said
	default:
		d.limit = int(free)
		if checked && !recordsChecksumOK(chunk, d.limit) {
			d.defect(chunkHeaderSize, 0, "wrong checksum of the records")
		}
	}
}

// Header returns the header of the chunk; all zero if it has none.
func (d *Decoder) Header() ChunkHeader { return d.header }

// Defects returns what was wrong in the chunk, as far as it was read. It is valid until the next Begin.
func (d *Decoder) Defects() []Defect { return d.defects }

// Free returns how many bytes of the chunk hold nothing, once Next has returned nil. They, the header, the records and the lengths
// of the defects add up to the chunk; a header that counts as a defect does not count twice.
func (d *Decoder) Free() int { return d.free }

func (d *Decoder) defect(offset, length int, reason string) {
	d.defects = append(d.defects, Defect{offset, length, reason})
}

// Next returns the next record, or nil at the end of the chunk.
func (d *Decoder) Next() *Record {
	for d.pos < d.limit {
		if d.declared() {
			return &d.record
		}
	}
	d.norm.strict = true
	for d.pos < len(d.chunk) {
		if d.slack() {
			return &d.record
		}
	}
	return nil
}

// declared reads at d.pos, where a record should be, and reports whether there is one. d.pos moves on in any case.
func (d *Decoder) declared() bool {
	pos, rest := d.pos, d.chunk[d.pos:d.limit]
	if len(rest) < minRecordSize || string(rest[:4]) != recordMagic {
		d.skip(pos, pos+1, "no record where one was expected")
		return false
	}
	size := uint64(binary.LittleEndian.Uint32(rest[4:]))
	if size < minRecordSize || size > uint64(len(d.chunk)-pos) {
		d.skip(pos, pos+4, fmt.Sprintf("impossible size of a record: %d", size))
		return false
	}
	end := pos + int(size)
	agrees := uint64(binary.LittleEndian.Uint32(d.chunk[end-4:])) == size
	if !agrees {
		// Believe the first size if something that can follow a record stands where the record would end.
		if end != d.limit && (end+4 > d.limit ||
			string(d.chunk[end:end+4]) != recordMagic && binary.LittleEndian.Uint32(d.chunk[end:]) != 0) {
			d.skip(pos, pos+4, "the two sizes of a record differ")
			return false
		}
	} else if end > d.limit {
		d.defect(pos, 0, "record beyond the end that the chunk header gives")
	}
	d.pos = end
	d.limit = max(d.limit, end)
	if why := d.decode(pos, end); why != "" {
		d.defect(pos, int(size), fmt.Sprintf("record %d: %s", binary.LittleEndian.Uint64(rest[8:]), why))
		return false
	}
	if !agrees {
		d.defect(pos, 0, "the two sizes of a record differ")
	}
	d.record.Recovered = d.noHead
	return true
}

// skip goes on at the next mark of a record at or after from, and says why the bytes from pos were lost.
func (d *Decoder) skip(pos, from int, reason string) {
	next := d.limit
	if i := bytes.Index(d.chunk[from:d.limit], []byte(recordMagic)); i >= 0 {
		next = from + i
	}
	d.pos = next
	if allZero(d.chunk[pos:next]) {
		if d.noEnd {
			d.free += next - pos
			return
		}
		reason = "zeros where the chunk header says there are records"
	}
	d.defect(pos, next-pos, reason)
}

// slack looks for a record in the free space from d.pos on and reports whether there is one. Nobody says that there
// should be any, so what is not one is free.
func (d *Decoder) slack() bool {
	pos := d.pos
	i := bytes.Index(d.chunk[pos:], []byte(recordMagic))
	if i < 0 {
		d.free += len(d.chunk) - pos
		d.pos = len(d.chunk)
		return false
	}
	d.free += i
	pos += i
	if rest := d.chunk[pos:]; len(rest) >= minRecordSize {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if size >= minRecordSize && size <= uint64(len(rest)) &&
			uint64(binary.LittleEndian.Uint32(rest[size-4:])) == size && d.decode(pos, pos+int(size)) == "" {
			d.pos = pos + int(size)
			d.record.Recovered = true
			return true
		}
	}
	d.free++
	d.pos = pos + 1
	return false
}

// decode makes d.record of the record at d.chunk[pos:end].
func (d *Decoder) decode(pos, end int) (why string) {
	r := &d.record
	r.Offset, r.Size = pos, end-pos
	r.ID = binary.LittleEndian.Uint64(d.chunk[pos+8:])
	r.Written = UnixNano(binary.LittleEndian.Uint64(d.chunk[pos+16:]))
	d.values = d.values[:0]
	n, why := d.fragment(pos+recordHeaderSize, end-4, step{}, &d.templates.root)
	if why != "" {
		return why
	}
	if n == &d.templates.root {
		return whyEmpty
	}
	r.Layout = n.layout.Load()
	if r.Layout == nil {
		if d.built > maxBuilt {
			return whyLayouts
		}
		r.Layout = d.templates.layout(n)
		d.built += r.Layout.size
	}
	if r.Layout.why != "" {
		return r.Layout.why
	}
	for _, parts := range r.Layout.composed {
		d.values = append(d.values, d.compose(parts))
	}
	r.Values = d.values
	return ""
}

// fragment appends the values of the binary XML at d.chunk[pos:end], which stands at the given place, and returns the node
// after n.
func (d *Decoder) fragment(pos, end int, at step, n *layoutNode) (next *layoutNode, why string) {
	if end-pos >= 4 && d.chunk[pos] == tokenHeader {
		pos += 4
	}
	if pos >= end || d.chunk[pos]&^tokenMore == tokenEOF {
		// Nothing in it: the value stays a value. What was found in free space is held to more.
		if d.norm.strict {
			return n, whyEmpty
		}
		return n, ""
	}
	switch d.chunk[pos] &^ tokenMore {
	case tokenTemplate:
		return d.instance(pos, end, at, n)
	case tokenOpen:
	default:
		return n, whyNoContent
	}
	if why := d.norm.literal(pos, end); why != "" {
		return n, why
	}
	d.values = append(d.values, d.norm.values...)
	at.template = d.templates.template(d.norm.key)
	return d.templates.next(n, at), ""
}

// instance appends the values of a template.
func (d *Decoder) instance(pos, end int, at step, n *layoutNode) (*layoutNode, string) {
	data := d.chunk
	if end-pos < 10 {
		return n, whyCut
	}
	id := binary.LittleEndian.Uint32(data[pos+2:])
	offset := int(binary.LittleEndian.Uint32(data[pos+6:]))
	pos += 10
	if offset < 0 || offset > len(data)-definitionHeader {
		return n, whyDefinition
	}
	if binary.LittleEndian.Uint32(data[offset+4:]) != id {
		return n, whyIdentifier // the first part of the GUID
	}
	if offset == pos {
		size := uint64(binary.LittleEndian.Uint32(data[offset+20:]))
		if end-pos < definitionHeader || size > uint64(end-pos-definitionHeader) {
			return n, whyCut
		}
		pos += definitionHeader + int(size)
	}
	def := d.definition(offset)
	if def == nil {
		return n, whyDefinitions
	}
	if def.why != "" {
		return n, def.why
	}
	t := def.template
	at.template = t
	next := def.to
	if def.from != n || def.at != at {
		next = d.templates.next(n, at)
		def.from, def.to, def.at = n, next, at
	}

	if end-pos < 4 {
		return n, whyCut
	}
	count := uint64(binary.LittleEndian.Uint32(data[pos:]))
	pos += 4
	if count > uint64(end-pos)/4 {
		return n, whyValues
	}
	table := data[pos : pos+4*int(count)]
	pos += len(table)
	start, sizes := pos, table
	base := len(d.values)
	if cap(d.values) < base+t.slots {
		d.values = append(d.values, make([]Value, t.slots)...)
	}
	d.values = d.values[:base+t.slots]
	values := d.values[base:]
	nested := false
	for i := range values {
		if len(table) < 4 {
			clear(values[i:])
			break
		}
		size, typ := int(binary.LittleEndian.Uint16(table)), Type(table[2])
		table = table[4:]
		if size > end-pos {
			return n, whyValues
		}
		values[i] = Value{Data: data[pos : pos+size : pos+size], Type: typ}
		pos += size
		nested = nested || typ == BinXMLType && size > 0
	}
	for ; len(table) >= 4; table = table[4:] { // values that the template does not use
		size := int(binary.LittleEndian.Uint16(table))
		if size > end-pos {
			return n, whyValues
		}
		pos += size
	}
	if !nested {
		return next, ""
	}
	if at.depth >= maxNesting {
		return n, whyFragments
	}
	for i := 0; i < t.slots && len(sizes) >= 4; i++ {
		size, typ := int(binary.LittleEndian.Uint16(sizes)), Type(sizes[2])
		sizes = sizes[4:]
		if typ == BinXMLType && size > 0 {
			var why string
			next, why = d.fragment(start, start+size, step{depth: at.depth + 1, slot: uint16(i)}, next)
			if why != "" {
				return n, why
			}
		}
		start += size
	}
	return next, ""
}

// definition returns the compiled definition at offset of the chunk, or nil if there are too many.
func (d *Decoder) definition(offset int) *definition {
	h := uint32(offset) * 0x9E3779B1 >> (32 - 12)
	for ; ; h = (h + 1) % definitionSlots {
		s := &d.index[h]
		if s.turn != d.turn {
			break
		}
		if int(s.offset) == offset {
			return &d.definitions[s.number]
		}
	}
	if len(d.definitions) >= definitionSlots-1 || d.walked > maxWalked {
		return nil
	}
	d.index[h] = definitionSlot{d.turn, uint16(offset), uint16(len(d.definitions))}
	var def definition
	size := uint64(binary.LittleEndian.Uint32(d.chunk[offset+20:]))
	if start := offset + definitionHeader; size > uint64(len(d.chunk)-start) {
		def.why = whyDefinition
	} else {
		d.walked += int(size) + definitionHeader
		def.why = d.norm.definition(start, start+int(size))
		if def.why == "" {
			def.template = d.templates.template(d.norm.key)
		}
	}
	d.definitions = append(d.definitions, def)
	return &d.definitions[len(d.definitions)-1]
}

// compose puts a text together.
func (d *Decoder) compose(parts []part) Value {
	start := len(d.scratch)
	for _, p := range parts {
		if p.slot < 0 {
			d.scratch = append(d.scratch, p.utf16...)
			continue
		}
		v := d.values[p.slot]
		if v.Type == StringType {
			d.scratch = append(d.scratch, trimNUL16(v.Data)...)
			continue
		}
		d.text = v.AppendText(d.text[:0])
		for rest := d.text; len(rest) > 0; {
			r, n := utf8.DecodeRune(rest)
			d.scratch = appendRune16(d.scratch, r)
			rest = rest[n:]
		}
	}
	return Value{Data: d.scratch[start:len(d.scratch):len(d.scratch)], Type: StringType}
}

func appendRune16(dst []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		dst = binary.LittleEndian.AppendUint16(dst, uint16(0xD800+r>>10))
		r = 0xDC00 + r&0x3FF
	}
	return binary.LittleEndian.AppendUint16(dst, uint16(r))
}

func allZero(p []byte) bool {
	for ; len(p) >= 8; p = p[8:] {
		if binary.LittleEndian.Uint64(p) != 0 {
			return false
		}
	}
	for _, c := range p {
		if c != 0 {
			return false
		}
	}
	return true
}
