package evtx

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

func utf16Bytes(s string) []byte {
	var p []byte
	for _, u := range utf16.Encode([]rune(s)) {
		p = binary.LittleEndian.AppendUint16(p, u)
	}
	return p
}

func le(n uint64, width int) []byte {
	return binary.LittleEndian.AppendUint64(nil, n)[:width]
}

func fileTime(t time.Time) uint64 { return uint64(t.UnixNano()/100) + unixEpoch }

func TestValueAsText(t *testing.T) {
	f := func(typ Type, data []byte, want string) {
		t.Helper()
		if got := string(Value{Data: data, Type: typ}.AppendText(nil)); got != want {
			t.Errorf("type %#x, % x: got %q, want %q", typ, data, got, want)
		}
	}
	f(NullType, nil, "")
	f(NullType, []byte{1}, "")
	f(StringType, utf16Bytes("ana"), "ana")
	f(StringType, utf16Bytes("C:\\Windows\\é€😀 tail"), "C:\\Windows\\é€😀 tail")
	f(StringType, utf16Bytes("ends with NUL\x00"), "ends with NUL")
	f(StringType, utf16Bytes("two\x00\x00"), "two\x00")
	f(StringType, utf16Bytes("in\x00side"), "in\x00side")
	f(StringType, []byte{0x00, 0xD8}, "\uFFFD")
	f(StringType, []byte{0x00, 0xDC, 'a', 0}, "\uFFFDa")
	f(StringType, []byte{0x3D, 0xD8, 'a', 0}, "\uFFFDa")
	f(StringType, []byte{'a', 0, 'b'}, "a\uFFFD")
	f(AnsiStringType, []byte("caf\xe9 \x80\x81\x00"), "café €\u0081")
	f(Int8Type, []byte{0xFF}, "-1")
	f(UInt8Type, []byte{0xFF}, "255")
	f(Int16Type, le(0x8000, 2), "-32768")
	f(UInt16Type, le(0x8000, 2), "32768")
	f(Int32Type, le(0xFFFFFFFE, 4), "-2")
	f(UInt32Type, le(0xFFFFFFFE, 4), "4294967294")
	f(Int64Type, le(math.MaxUint64, 8), "-1")
	f(UInt64Type, le(math.MaxUint64, 8), "18446744073709551615")
	f(Int32Type, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, "010203040506070809")
	f(Real32Type, le(uint64(math.Float32bits(0.1)), 4), "0.1")
	f(Real64Type, le(math.Float64bits(-2.5), 8), "-2.5")
	f(Real64Type, []byte{1}, "01")
	f(BoolType, le(0, 4), "false")
	f(BoolType, le(1, 4), "true")
	f(BoolType, le(0x41000000, 4), "true") // seen in real logs: only the highest byte is set
	f(BoolType, []byte{1}, "true")
	f(BinaryType, []byte{0xDE, 0xAD, 0x0F}, "DEAD0F")
	f(GUIDType, []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
		"00112233-4455-6677-8899-AABBCCDDEEFF")
	f(SizeTType, le(0x10, 4), "0x10")
	f(FileTimeType, le(0, 8), "1601-01-01T00:00:00.000000Z")
	f(FileTimeType, le(unixEpoch, 8), "1970-01-01T00:00:00.000000Z")
	f(FileTimeType, le(132590801862105439, 8), "2021-03-01T13:49:46.210543Z")
	f(FileTimeType, le(math.MaxUint64, 8), "60056-05-28T05:36:10.955161Z")
	f(SysTimeType, []byte{0xE5, 7, 3, 0, 3, 0, 9, 0, 23, 0, 59, 0, 1, 0, 7, 0}, "2021-03-09T23:59:01.007000Z")
	f(SIDType, []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}, "S-1-5-32-544")
	f(SIDType, []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 9, 9}, "S-1-5-18")
	f(SIDType, []byte{1, 5, 0, 0, 0, 0, 0, 5}, "0105000000000005")
	f(HexInt32Type, le(0x1FFFFF, 4), "0x1fffff")
	f(HexInt64Type, le(0x8020000000000000, 8), "0x8020000000000000")
	f(StringType|Array, utf16Bytes("a\x00\x00b\x00"), "a, , b")
	f(StringType|Array, utf16Bytes("a\x00b"), "a, b")
	f(AnsiStringType|Array, []byte("a\x00b\x00"), "a, b")
	f(UInt16Type|Array, []byte{1, 0, 2, 0, 3}, "1, 2, 03")
	f(HexInt64Type|Array, append(le(1, 8), le(16, 8)...), "0x1, 0x10")
	f(SIDType|Array, []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0}, "S-1-5-18, S-1-5-19")
	f(BinaryType|Array, []byte{1, 2}, "0102")
	f(0x7E, []byte{1, 2}, "0102")
}

func TestFileTimeAgreesWithTimePackage(t *testing.T) {
	at := time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	for at.Year() < 2150 {
		v := Value{Data: le(fileTime(at), 8), Type: FileTimeType}
		if at.Year() >= 1700 {
			if got, want := string(v.AppendText(nil)), at.Format("2006-01-02T15:04:05.000000Z"); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
			if got := UnixNano(fileTime(at)); got != at.UnixNano()/100*100 {
				t.Fatalf("%s: got %d ns, want %d", at, got, at.UnixNano())
			}
		}
		at = at.Add(31*time.Hour + 17*time.Minute + 123457*time.Microsecond)
	}
}

func FuzzValue(f *testing.F) {
	f.Add(byte(StringType), utf16Bytes("é😀"))
	f.Add(byte(StringType|Array), utf16Bytes("a\x00b\x00"))
	f.Add(byte(SIDType|Array), []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 1})
	f.Add(byte(FileTimeType), le(math.MaxUint64, 8))
	f.Add(byte(SizeTType|Array), le(7, 4))
	f.Fuzz(func(t *testing.T, typ byte, data []byte) {
		v := Value{Data: data, Type: Type(typ)}
		if text := v.AppendText(nil); v.Type != AnsiStringType && !utf8.Valid(text) {
			t.Errorf("text is not UTF-8: %q", text)
		}
		for i := 0; ; {
			_, next, ok := v.Elem(i)
			if !ok {
				break
			}
			if next <= i {
				t.Fatalf("element at %d is followed by one at %d", i, next)
			}
			i = next
		}
	})
}
