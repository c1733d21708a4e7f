package evtx

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// Type is the type of a value in Windows binary XML (MS-EVEN6, section 2.2.12, ValueType).
type Type uint8

// The types.
const (
	NullType       Type = 0x00
	StringType     Type = 0x01 // UTF-16LE
	AnsiStringType Type = 0x02 // read as Windows-1252
	Int8Type       Type = 0x03
	UInt8Type      Type = 0x04
	Int16Type      Type = 0x05
	UInt16Type     Type = 0x06
	Int32Type      Type = 0x07
	UInt32Type     Type = 0x08
	Int64Type      Type = 0x09
	UInt64Type     Type = 0x0A
	Real32Type     Type = 0x0B
	Real64Type     Type = 0x0C
	BoolType       Type = 0x0D // 32 bits, true unless all are 0
	BinaryType     Type = 0x0E
	GUIDType       Type = 0x0F
	SizeTType      Type = 0x10
	FileTimeType   Type = 0x11 // 100 ns since 1601 UTC
	SysTimeType    Type = 0x12
	SIDType        Type = 0x13
	HexInt32Type   Type = 0x14
	HexInt64Type   Type = 0x15
	EvtHandleType  Type = 0x20
	BinXMLType     Type = 0x21
	EvtXMLType     Type = 0x23

	// Array is added to the type of the elements of an array.
	Array Type = 0x80
)

// Value is an undecoded value of a record: a view of the chunk it stands in.
type Value struct {
	Data []byte
	Type Type
}

// IsEmpty reports whether there is nothing to show: a null, or no bytes.
func (v Value) IsEmpty() bool { return v.Type == NullType || len(v.Data) == 0 }

// Uint returns an integer value of any width as it stands, without sign; ok is false for other types and lengths.
func (v Value) Uint() (n uint64, ok bool) {
	switch v.Type {
	case Int8Type, UInt8Type, Int16Type, UInt16Type, Int32Type, UInt32Type, Int64Type, UInt64Type,
		SizeTType, HexInt32Type, HexInt64Type, FileTimeType, BoolType:
		if len(v.Data) > 0 && len(v.Data) <= 8 {
			return littleEndian(v.Data), true
		}
	}
	return 0, false
}

func littleEndian(p []byte) uint64 {
	switch len(p) {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(p))
	case 4:
		return uint64(binary.LittleEndian.Uint32(p))
	case 8:
		return binary.LittleEndian.Uint64(p)
	}
	var n uint64
	for i := len(p) - 1; i >= 0; i-- {
		n = n<<8 | uint64(p[i])
	}
	return n
}

// AppendText appends the value as text in UTF-8 and returns the longer slice.
//
// Times are RFC 3339 UTC with six digits of a second, HexInt and SizeT values begin with 0x, GUIDs have no braces,
// binary is upper-case hex, and so is a value whose length does not fit its type. The elements of an array are
// separated by ", ". Half a surrogate pair becomes U+FFFD; one NUL that ends a string is left out.
func (v Value) AppendText(dst []byte) []byte {
	if len(v.Data) == 0 {
		return dst
	}
	switch v.Type {
	case NullType:
		return dst
	case StringType:
		return appendUTF16(dst, trimNUL16(v.Data))
	case AnsiStringType:
		return appendWindows1252(dst, trimNUL(v.Data))
	case Int8Type, Int16Type, Int32Type, Int64Type:
		if n := len(v.Data); n <= 8 {
			shift := 64 - 8*n
			return strconv.AppendInt(dst, int64(littleEndian(v.Data))<<shift>>shift, 10)
		}
	case UInt8Type, UInt16Type, UInt32Type, UInt64Type:
		if len(v.Data) <= 8 {
			return strconv.AppendUint(dst, littleEndian(v.Data), 10)
		}
	case HexInt32Type, HexInt64Type, SizeTType:
		if len(v.Data) <= 8 {
			return strconv.AppendUint(append(dst, '0', 'x'), littleEndian(v.Data), 16)
		}
	case Real32Type:
		if len(v.Data) == 4 {
			f := math.Float32frombits(binary.LittleEndian.Uint32(v.Data))
			return strconv.AppendFloat(dst, float64(f), 'g', -1, 32)
		}
	case Real64Type:
		if len(v.Data) == 8 {
			f := math.Float64frombits(binary.LittleEndian.Uint64(v.Data))
			return strconv.AppendFloat(dst, f, 'g', -1, 64)
		}
	case BoolType:
		for _, b := range v.Data {
			if b != 0 {
				return append(dst, "true"...)
			}
		}
		return append(dst, "false"...)
	case GUIDType:
		if len(v.Data) == 16 {
			return appendGUID(dst, v.Data)
		}
	case FileTimeType:
		if len(v.Data) == 8 {
			return appendFileTime(dst, binary.LittleEndian.Uint64(v.Data))
		}
	case SysTimeType:
		if len(v.Data) == 16 {
			return appendSystemTime(dst, v.Data)
		}
	case SIDType:
		if n := sidLen(v.Data); n > 0 && n <= len(v.Data) {
			return appendSID(dst, v.Data[:n])
		}
	}
	if v.Type&Array != 0 {
		for i, first := 0, true; ; first = false {
			e, next, ok := v.Elem(i)
			if !ok {
				return dst
			}
			if !first {
				dst = append(dst, ", "...)
			}
			dst, i = e.AppendText(dst), next
		}
	}
	return appendHex(dst, v.Data)
}

// Elem returns the element that begins at position i of an array and the position of the next; begin with 0.
// A value that is no array has one element, itself; a null has none. Bytes left over at the end of an array come as
// an element of type binary.
func (v Value) Elem(i int) (e Value, next int, ok bool) {
	if v.Type&Array == 0 {
		return v, len(v.Data) + 1, i == 0 && v.Type != NullType
	}
	if i < 0 || i >= len(v.Data) {
		return Value{}, i, false
	}
	t, rest := v.Type&^Array, v.Data[i:]
	width := 0
	switch t {
	case StringType:
		n := 0
		for n+1 < len(rest) && (rest[n] != 0 || rest[n+1] != 0) {
			n += 2
		}
		if n+1 >= len(rest) {
			return Value{Data: rest, Type: t}, len(v.Data), true
		}
		return Value{Data: rest[:n:n], Type: t}, i + n + 2, true
	case AnsiStringType:
		for n, c := range rest {
			if c == 0 {
				return Value{Data: rest[:n:n], Type: t}, i + n + 1, true
			}
		}
		return Value{Data: rest, Type: t}, len(v.Data), true
	case SIDType:
		width = sidLen(rest)
	case Int8Type, UInt8Type:
		width = 1
	case Int16Type, UInt16Type:
		width = 2
	case Int32Type, UInt32Type, Real32Type, BoolType, HexInt32Type:
		width = 4
	case Int64Type, UInt64Type, Real64Type, FileTimeType, HexInt64Type:
		width = 8
	case SizeTType:
		if width = 8; len(v.Data)%8 != 0 {
			width = 4
		}
	case GUIDType, SysTimeType:
		width = 16
	}
	if width == 0 || width > len(rest) {
		return Value{Data: rest, Type: BinaryType}, len(v.Data), true
	}
	return Value{Data: rest[:width:width], Type: t}, i + width, true
}

func trimNUL16(p []byte) []byte {
	if n := len(p) &^ 1; n >= 2 && p[n-1] == 0 && p[n-2] == 0 {
		return p[:n-2]
	}
	return p
}

func trimNUL(p []byte) []byte {
	if n := len(p); n > 0 && p[n-1] == 0 {
		return p[:n-1]
	}
	return p
}

// notASCII16 has the bits that are clear in four code units of ASCII.
const notASCII16 = 0xFF80FF80FF80FF80

// pack16 returns the low bytes of four code units.
func pack16(w uint64) uint32 {
	w = (w | w>>8) & 0x0000FFFF0000FFFF
	return uint32(w | w>>16)
}

func appendUTF16(dst, p []byte) []byte {
	for len(p) >= 8 {
		w := binary.LittleEndian.Uint64(p)
		if w&notASCII16 != 0 {
			break
		}
		dst = binary.LittleEndian.AppendUint32(dst, pack16(w))
		p = p[8:]
	}
	for len(p) >= 2 {
		r, n := rune16(p)
		dst = utf8.AppendRune(dst, r)
		p = p[n:]
	}
	if len(p) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

// rune16 returns the first character of p, which has at least two bytes, and its length in bytes.
func rune16(p []byte) (rune, int) {
	r := rune(binary.LittleEndian.Uint16(p))
	if r&^0x7FF != 0xD800 {
		return r, 2
	}
	if r < 0xDC00 && len(p) >= 4 {
		if low := rune(binary.LittleEndian.Uint16(p[2:])); low&^0x3FF == 0xDC00 {
			return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), 4
		}
	}
	return utf8.RuneError, 2
}

// windows1252 holds the characters of 0x80 to 0x9F; the five bytes that have none stand for themselves.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8D, 'Ž', 0x8F,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9D, 'ž', 'Ÿ',
}

func appendWindows1252(dst, p []byte) []byte {
	for _, c := range p {
		switch {
		case c < 0x80:
			dst = append(dst, c)
		case c < 0xA0:
			dst = utf8.AppendRune(dst, windows1252[c-0x80])
		default:
			dst = utf8.AppendRune(dst, rune(c))
		}
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

func appendHex(dst, p []byte) []byte {
	for _, c := range p {
		dst = append(dst, upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

func appendGUID(dst, p []byte) []byte {
	_ = p[15]
	dst = appendHex(dst, []byte{p[3], p[2], p[1], p[0]})
	dst = appendHex(append(dst, '-'), []byte{p[5], p[4]})
	dst = appendHex(append(dst, '-'), []byte{p[7], p[6]})
	dst = appendHex(append(dst, '-'), p[8:10])
	return appendHex(append(dst, '-'), p[10:16])
}

// sidLen returns the length that a SID gives itself (MS-DTYP, section 2.4.2.2), or 0 if p is too short to say.
func sidLen(p []byte) int {
	if len(p) < 8 {
		return 0
	}
	return 8 + 4*int(p[1])
}

func appendSID(dst, p []byte) []byte {
	dst = strconv.AppendUint(append(dst, 'S', '-'), uint64(p[0]), 10)
	authority := uint64(binary.BigEndian.Uint16(p[2:]))<<32 | uint64(binary.BigEndian.Uint32(p[4:]))
	dst = strconv.AppendUint(append(dst, '-'), authority, 10)
	for p = p[8:]; len(p) >= 4; p = p[4:] {
		dst = strconv.AppendUint(append(dst, '-'), uint64(binary.LittleEndian.Uint32(p)), 10)
	}
	return dst
}

// unixEpoch is 1970 in FILETIME.
const unixEpoch = 116444736000000000

// UnixNano returns the FILETIME t in nanoseconds since 1970 UTC; times that do not fit (before 1678, after 2261) give
// the nearest that does.
func UnixNano(t uint64) int64 {
	const reach = math.MaxInt64 / 100
	switch {
	case t > unixEpoch+reach:
		return math.MaxInt64
	case t < unixEpoch-reach:
		return math.MinInt64
	}
	return (int64(t) - unixEpoch) * 100
}

func appendFileTime(dst []byte, t uint64) []byte {
	const ticksPerDay = 24 * 60 * 60 * 10_000_000
	day, tick := t/ticksPerDay, t%ticksPerDay
	year, month, d := civil(day)
	sec := uint32(tick / 10_000_000)
	return appendTime(dst, year, month, d, sec/3600, sec/60%60, sec%60, uint32(tick%10_000_000)/10)
}

// civil returns the date that is the given number of days after 1 January 1601, the first day of a cycle of 400 years.
// Years are counted from March so that the leap day comes last.
func civil(day uint64) (year, month, d uint32) {
	day += 306 // since 1 March 1600
	cycle := day / 146097
	rest := uint32(day % 146097)
	y := (rest - rest/1460 + rest/36524 - rest/146096) / 365
	yday := rest - (365*y + y/4 - y/100)
	m := (5*yday + 2) / 153
	d = yday - (153*m+2)/5 + 1
	year = 1600 + uint32(cycle)*400 + y
	if m < 10 {
		return year, m + 3, d
	}
	return year + 1, m - 9, d
}

func appendSystemTime(dst, p []byte) []byte {
	at := func(i int) uint32 { return uint32(binary.LittleEndian.Uint16(p[2*i:])) }
	return appendTime(dst, at(0), at(1), at(3), at(4), at(5), at(6), at(7)*1000)
}

func appendTime(dst []byte, year, month, day, hour, minute, second, micro uint32) []byte {
	dst = append(appendPadded(dst, year, 4), '-')
	dst = append(appendPadded(dst, month, 2), '-')
	dst = append(appendPadded(dst, day, 2), 'T')
	dst = append(appendPadded(dst, hour, 2), ':')
	dst = append(appendPadded(dst, minute, 2), ':')
	dst = append(appendPadded(dst, second, 2), '.')
	return append(appendPadded(dst, micro, 6), 'Z')
}

// appendPadded appends n with at least width digits.
func appendPadded(dst []byte, n uint32, width int) []byte {
	var b [10]byte
	i := len(b)
	for n > 0 || len(b)-i < width {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[i:]...)
}
