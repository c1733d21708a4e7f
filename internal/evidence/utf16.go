package evidence

import (
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// sniffUTF16 is how many bytes detectUTF16 is to see.
const sniffUTF16 = 1 << 10

// detectUTF16 says whether p begins a text in UTF-16, and in which byte order: by its byte order mark (RFC 2781, section
// 3.2), or without one because nearly every other byte of it is NUL and the rest are characters of a log.
func detectUTF16(p []byte) string {
	if len(p) >= 2 {
		// FF FE 00 00 is the mark of UTF-32, or a binary file.
		if p[0] == 0xFF && p[1] == 0xFE && (len(p) < 4 || p[2] != 0 || p[3] != 0) {
			return "utf-16le"
		}
		if p[0] == 0xFE && p[1] == 0xFF {
			return "utf-16be"
		}
	}
	if len(p) < 16 {
		return ""
	}
	var nul, text [2]int // in even and odd places
	for i, c := range p {
		switch {
		case c == 0:
			nul[i&1]++
		case c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c < 0x7F:
			text[i&1]++
		}
	}
	half := len(p) / 2
	switch {
	case nul[1] > half*9/10 && nul[0] == 0 && text[0] > half*9/10:
		return "utf-16le"
	case nul[0] > half*9/10 && nul[1] == 0 && text[1] > half*9/10:
		return "utf-16be"
	}
	return ""
}

// utf16Decoder turns UTF-16 into UTF-8. Half a surrogate pair, or half a character at the end, becomes U+FFFD.
type utf16Decoder struct {
	order string
	big   bool
	in    []byte // buffer for bytes as handed over
	have  []byte // part of in that is not decoded yet
	out   []byte // decoded and not yet given, where p was too small
	err   error
}

func newUTF16Decoder(order string, first []byte) *utf16Decoder {
	d := &utf16Decoder{order: order, big: order == "utf-16be", in: make([]byte, 128<<10)}
	d.have = d.in[:copy(d.in, first)]
	if u, ok := d.unit(0); ok && u == 0xFEFF {
		d.have = d.have[2:]
	}
	return d
}

func (d *utf16Decoder) unit(i int) (uint16, bool) {
	if i+2 > len(d.have) {
		return 0, false
	}
	if d.big {
		return binary.BigEndian.Uint16(d.have[i:]), true
	}
	return binary.LittleEndian.Uint16(d.have[i:]), true
}

// read fills p with decoded text, reading more through raw.
func (d *utf16Decoder) read(p []byte, raw func([]byte) (int, error)) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(d.out) > 0 {
			n := copy(p, d.out)
			d.out = d.out[n:]
			return n, nil
		}
		if len(p) < utf8.UTFMax {
			var small [utf8.UTFMax]byte
			if n := d.decode(small[:]); n > 0 {
				d.out = append(d.out[:0], small[:n]...)
				continue
			}
		} else if n := d.decode(p); n > 0 {
			return n, nil
		}
		if d.err != nil {
			return 0, d.err
		}
		left := copy(d.in, d.have)
		n, err := raw(d.in[left:])
		d.have, d.err = d.in[:left+n], err
	}
}

// decode decodes what is there into p, as far as both reach, and returns how much of p it filled.
func (d *utf16Decoder) decode(p []byte) int {
	n, i := 0, 0
	for n+utf8.UTFMax <= len(p) {
		if i+8 <= len(d.have) { // four characters of ASCII at once
			w := binary.LittleEndian.Uint64(d.have[i:])
			if d.big {
				w = w>>8&0x00FF00FF00FF00FF | w&0x00FF00FF00FF00FF<<8
			}
			if w&0xFF80FF80FF80FF80 == 0 {
				w |= w >> 8 // the bytes of two characters side by side
				binary.LittleEndian.PutUint16(p[n:], uint16(w))
				binary.LittleEndian.PutUint16(p[n+2:], uint16(w>>32))
				n, i = n+4, i+8
				continue
			}
		}
		u, ok := d.unit(i)
		if !ok {
			if d.err != nil && i < len(d.have) { // half a character at the end
				n += utf8.EncodeRune(p[n:], utf8.RuneError)
				i = len(d.have)
			}
			break
		}
		if u < utf8.RuneSelf {
			p[n] = byte(u)
			n, i = n+1, i+2
			continue
		}
		r, width := rune(u), 2
		if utf16.IsSurrogate(r) {
			low, ok := d.unit(i + 2)
			if !ok && d.err == nil {
				break // the other half is still to come
			}
			r = utf8.RuneError
			if full := utf16.DecodeRune(rune(u), rune(low)); ok && full != utf8.RuneError {
				r, width = full, 4
			}
		}
		n += utf8.EncodeRune(p[n:], r)
		i += width
	}
	d.have = d.have[i:]
	return n
}

var _ io.Reader = (*Reader)(nil)
