package evidence

import "bytes"

// kind is what a stream is, as far as this package needs to know.
type kind string

const (
	plain kind = ""

	// compressed streams, with one stream inside
	kindGzip  kind = "gzip"
	kindBzip2 kind = "bzip2"
	kindXz    kind = "xz"
	kindZstd  kind = "zstd"

	// archives
	kindTar kind = "tar"
	kindZip kind = "zip"
	kind7z  kind = "7z"
)

func (k kind) compressed() bool {
	return k == kindGzip || k == kindBzip2 || k == kindXz || k == kindZstd
}

// sniffLen is how many bytes of a stream kindOf is to see: the header of a tar.
const sniffLen = 512

// kindOf tells what a stream is by its first bytes.
func kindOf(head []byte) kind {
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("PK\x03\x04"), has("PK\x05\x06"), has("PK\x07\x08PK\x03\x04"), has("PK00PK\x03\x04"):
		return kindZip
	case has("7z\xBC\xAF\x27\x1C"):
		return kind7z
	case has("\x1F\x8B\x08") && len(head) > 3 && head[3]&0xE0 == 0: // RFC 1952, section 2.3.1: reserved flags are zero
		return kindGzip
	case has("\xFD7zXZ\x00"):
		return kindXz
	case has("\x28\xB5\x2F\xFD"), len(head) >= 4 && head[0]&0xF0 == 0x50 && bytes.Equal(head[1:4], []byte("\x2A\x4D\x18")):
		return kindZstd // RFC 8878, sections 3.1.1 and 3.1.2: a frame, or one to skip
	case has("BZh") && len(head) >= 10 && '1' <= head[3] && head[3] <= '9' &&
		(string(head[4:10]) == "\x31\x41\x59\x26\x53\x59" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90"):
		return kindBzip2
	case isTarHeader(head):
		return kindTar
	}
	return plain
}

// unreadable names kinds of archives that are known and not opened; "" for others.
func unreadable(head []byte) string {
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case has("Rar!\x1A\x07"):
		return "a RAR archive"
	case has("MSCF\x00\x00\x00\x00"):
		return "a Windows cabinet"
	case has("\x04\x22\x4D\x18"):
		return "compressed with LZ4"
	case has("\x1F\x9D"):
		return "compressed with compress (.Z)"
	case has("LZIP\x01"):
		return "compressed with lzip"
	case has("MSWIM\x00\x00\x00"):
		return "a Windows image (WIM)"
	case has("EVF\x09\x0D\x0A\xFF\x00"), has("EVF2\x0D\x0A\x81\x00"):
		return "a disk image (EnCase)"
	case has("KDMV"), has("vhdxfile"), has("conectix"), has("QFI\xFB"):
		return "a disk image"
	}
	return ""
}

// isTarHeader reports whether p begins with the header of a tar entry, whichever its dialect: its checksum is right
// (POSIX.1-2017, pax, "ustar Interchange Format").
func isTarHeader(p []byte) bool {
	if len(p) < 512 || p[0] == 0 {
		return false
	}
	var stated int64
	digits := 0
	for _, c := range p[148:156] {
		if c >= '0' && c <= '7' {
			stated = stated<<3 | int64(c-'0')
			digits++
		} else if c != ' ' && c != 0 {
			return false
		}
	}
	if digits == 0 {
		return false
	}
	var unsigned, signed int64 // some old writers added signed bytes
	for i, c := range p[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return stated == unsigned || stated == signed
}
