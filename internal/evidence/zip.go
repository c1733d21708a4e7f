package evidence

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"
)

// Zip archives are read here, not with archive/zip, because that holds the whole directory in memory, and gives nothing
// of an archive whose end is missing. Sections are those of PKWARE's APPNOTE.TXT, version 6.3.10.

// zipEntry is an entry of a zip: a source.
type zipEntry struct {
	w          *Walker
	acct       *account
	at         seekable
	header     int64 // where its local header lies
	packed     int64 // bytes as compressed
	size       int64
	crc        uint32
	method     uint16
	flags      uint16
	unverified bool // size and crc are not known
	high       atomic.Int64
}

const (
	zipLocal      = "PK\x03\x04" // 4.3.7
	zipCentral    = "PK\x01\x02" // 4.3.12
	zipDescriptor = "PK\x07\x08" // 4.3.9
	zipEnd        = "PK\x05\x06" // 4.3.16
	zip64End      = "PK\x06\x06" // 4.3.14
	zip64Locator  = "PK\x06\x07" // 4.3.15

	zipLocalLen   = 30
	zipCentralLen = 46
	zipEndLen     = 22
)

// zipDirectory is where the central directory of a zip lies.
type zipDirectory struct {
	start, end int64
	entries    uint64 // as stated
	shift      int64  // what was put before the archive
}

// findZipDirectory reads the end of a zip (4.3.16, 4.3.14).
func findZipDirectory(r io.ReaderAt, length int64) (d zipDirectory, err error) {
	tail := make([]byte, min(length, zipEndLen+1<<16))
	start := length - int64(len(tail))
	if _, err := r.ReadAt(tail, start); err != nil && err != io.EOF {
		return d, err
	}
	at := -1
	for i := len(tail) - zipEndLen; i >= 0; i-- {
		if string(tail[i:i+4]) == zipEnd && i+zipEndLen+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
			at = i
			break
		}
	}
	if at < 0 {
		return d, errors.New("its end is missing")
	}
	e := tail[at:]
	if disk := binary.LittleEndian.Uint16(e[4:]); disk != 0 && disk != 0xFFFF {
		return d, said("it is a part of a split archive; put the parts together")
	}
	d.entries = uint64(binary.LittleEndian.Uint16(e[10:]))
	dirSize := uint64(binary.LittleEndian.Uint32(e[12:]))
	dirOffset := uint64(binary.LittleEndian.Uint32(e[16:]))
	d.end = start + int64(at)
	if d.entries == 0xFFFF || dirSize == 0xFFFFFFFF || dirOffset == 0xFFFFFFFF {
		var loc [20]byte
		if _, err := r.ReadAt(loc[:], d.end-20); err == nil && string(loc[:4]) == zip64Locator {
			var e64 [56]byte
			off := int64(binary.LittleEndian.Uint64(loc[8:]))
			if off < 0 || off > length-56 {
				return d, errors.New("its end is wrong")
			}
			if _, err := r.ReadAt(e64[:], off); err != nil || string(e64[:4]) != zip64End {
				// Something may have been put before the archive: then the record lies right before the locator.
				off = d.end - 20 - 56
				if _, err := r.ReadAt(e64[:], max(off, 0)); err != nil || string(e64[:4]) != zip64End {
					return d, errors.New("its end is wrong")
				}
			}
			d.entries = binary.LittleEndian.Uint64(e64[32:])
			dirSize = binary.LittleEndian.Uint64(e64[40:])
			dirOffset = binary.LittleEndian.Uint64(e64[48:])
			d.end = off
		}
	}
	if dirSize > uint64(d.end) || dirOffset > uint64(d.end) {
		return d, errors.New("its directory lies outside of it")
	}
	d.start = d.end - int64(dirSize)
	d.shift = d.start - int64(dirOffset)
	if d.shift < 0 {
		return d, errors.New("its directory lies outside of it")
	}
	// Some writers state a wrong size: what is found where the offset points counts for more.
	var sig [4]byte
	if d.shift > 0 {
		if _, err := r.ReadAt(sig[:], int64(dirOffset)); err == nil && string(sig[:]) == zipCentral {
			if _, err := r.ReadAt(sig[:], d.start); err != nil || string(sig[:]) != zipCentral {
				d.start, d.shift = int64(dirOffset), 0
			}
		}
	}
	if d.entries > 0 {
		if _, err := r.ReadAt(sig[:], d.start); err != nil || string(sig[:]) != zipCentral {
			return d, errors.New("its directory is not where it should be")
		}
	}
	return d, nil
}

// zipEntries walks the entries of a zip.
func (w *walk) zipEntries(n *node, at seekable) error {
	r, length, err := at.acquire(looking)
	if err != nil {
		w.report(n.path, err)
		return nil
	}
	defer at.release()
	d, err := findZipDirectory(r, length)
	if err != nil {
		if errors.Is(err, errSaid) {
			return &errNotArchive{err}
		}
		return w.salvageZip(n, at, r, 0, length, err.Error())
	}
	in := bufio.NewReaderSize(io.NewSectionReader(r, d.start, d.end-d.start), 64<<10)
	fixed := make([]byte, zipCentralLen)
	var buf []byte
	past := int64(0) // the furthest that a local header was seen
	for i := uint64(0); ; i++ {
		_, err := io.ReadFull(in, fixed)
		if err != nil || string(fixed[:4]) != zipCentral {
			if i < d.entries && uint16(i) != uint16(d.entries) {
				return w.salvageZip(n, at, r, past, d.start, fmt.Sprintf("its directory breaks off after %d of %d entries", i, d.entries))
			}
			return nil
		}
		le := binary.LittleEndian
		nameLen, extraLen, commentLen := int(le.Uint16(fixed[28:])), int(le.Uint16(fixed[30:])), int(le.Uint16(fixed[32:]))
		if need := nameLen + extraLen; cap(buf) < need {
			buf = make([]byte, need)
		}
		buf = buf[:nameLen+extraLen]
		if _, err := io.ReadFull(in, buf); err != nil {
			return w.salvageZip(n, at, r, past, d.start, fmt.Sprintf("its directory breaks off after %d of %d entries", i, d.entries))
		}
		in.Discard(commentLen)

		e := &zipEntry{
			w: w.Walker, acct: n.acct, at: at,
			flags: le.Uint16(fixed[8:]), method: le.Uint16(fixed[10:]), crc: le.Uint32(fixed[16:]),
			packed: int64(le.Uint32(fixed[20:])), size: int64(le.Uint32(fixed[24:])), header: int64(le.Uint32(fixed[42:])),
		}
		mod := dosTime(le.Uint16(fixed[14:]), le.Uint16(fixed[12:]))
		mod = e.extra(buf[nameLen:], mod)
		e.header += d.shift
		past = max(past, e.header+1)
		mode := fs.FileMode(0)
		if fixed[5] == 3 || fixed[5] == 19 { // made on Unix or macOS (4.4.2): the mode is in the upper half
			mode = unixMode(le.Uint32(fixed[38:]) >> 16)
		}
		if err := w.zipNode(n, e, buf[:nameLen], mod, mode, length); err != nil {
			if err == errEnough {
				return nil
			}
			return err
		}
	}
}

// errEnough ends the walk of one archive, for a reason that was reported.
var errEnough = errors.New("enough")

// zipNode walks one entry of the zip n.
func (w *walk) zipNode(n *node, e *zipEntry, rawName []byte, mod time.Time, mode fs.FileMode, length int64) error {
	name := zipName(rawName, e.flags)
	if len(name) > 0 && (name[len(name)-1] == '/' || name[len(name)-1] == '\\') && e.size == 0 {
		return nil // a folder
	}
	if err := w.enter(n.acct); err != nil {
		w.report(n.path, err)
		return errEnough
	}
	path := w.entryPath(n, name)
	switch {
	case e.flags&1 != 0 || e.flags&0x2000 != 0:
		w.tell(Problem{Path: path, Reason: encrypted})
		return nil
	case mode.Type() != 0 && !mode.IsDir():
		w.tell(Problem{Path: path, Reason: "not read: it is a " + kindOfMode(mode)})
		return nil
	case e.header < 0 || e.header > length-zipLocalLen || e.packed < 0 || e.size < 0:
		w.tell(Problem{Path: path, Reason: "damaged: the directory says that it lies outside of the archive"})
		return nil
	}
	e.packed = min(e.packed, length-e.header)
	entry := &node{path: path, size: e.size, mod: mod, depth: n.depth + 1, acct: n.acct, src: e, keep: n.keep}
	if e.unverified {
		entry.size = -1
	}
	if err := w.node(entry); err != nil {
		return err
	}
	if w.unpacked.Load() > w.opt.MaxTotal {
		return errEnough
	}
	return nil
}

const encrypted = "not read: encrypted; give it unpacked"

// extra reads the extra fields (4.5): sizes beyond 4 GiB, and times.
func (e *zipEntry) extra(p []byte, mod time.Time) time.Time {
	le := binary.LittleEndian
	for len(p) >= 4 {
		id, n := le.Uint16(p), int(le.Uint16(p[2:]))
		p = p[4:]
		if n > len(p) {
			break
		}
		f := p[:n]
		p = p[n:]
		switch id {
		case 0x0001: // Zip64 (4.5.3): only the values that did not fit, in this order
			for _, v := range []*int64{&e.size, &e.packed, &e.header} {
				if *v == 0xFFFFFFFF && len(f) >= 8 {
					*v = int64(le.Uint64(f))
					f = f[8:]
				}
			}
		case 0x5455: // Info-ZIP's extended timestamp: seconds of UTC
			if len(f) >= 5 && f[0]&1 != 0 {
				mod = time.Unix(int64(int32(le.Uint32(f[1:]))), 0).UTC()
			}
		case 0x000A: // NTFS (4.5.5): 100 ns since 1601
			if len(f) >= 16 && le.Uint16(f[4:]) == 1 {
				if t := fileTime(le.Uint64(f[8:])); !t.IsZero() {
					mod = t
				}
			}
		}
	}
	return mod
}

// dosTime reads a date and a time (4.4.6). They are local to where the archive was made; without a better one, taken as UTC.
func dosTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}

// zipName returns the name of an entry in UTF-8 (4.4.4 bit 11, appendix D).
func zipName(raw []byte, flags uint16) string {
	if flags&0x800 != 0 || utf8.Valid(raw) {
		return string(raw)
	}
	name, err := charmap.CodePage437.NewDecoder().Bytes(raw)
	if err != nil {
		return string(raw)
	}
	return string(name)
}

func unixMode(m uint32) fs.FileMode {
	switch m & 0xF000 {
	case 0xA000:
		return fs.ModeSymlink
	case 0x1000:
		return fs.ModeNamedPipe
	case 0xC000:
		return fs.ModeSocket
	case 0x2000, 0x6000:
		return fs.ModeDevice
	case 0x4000:
		return fs.ModeDir
	}
	return 0
}

func (e *zipEntry) open(p purpose) (rc io.ReadCloser, err error) {
	at, length, err := e.at.acquire(p)
	if err != nil {
		return nil, err
	}
	defer func() {
		if v := recover(); v != nil {
			rc, err = nil, fmt.Errorf("damaged: the zip decoder failed: %v", v)
		}
		if err != nil {
			e.at.release()
		}
	}()
	var h [zipLocalLen]byte
	if _, err := at.ReadAt(h[:], e.header); err != nil || string(h[:4]) != zipLocal {
		return nil, said("damaged: its header is not where the directory says")
	}
	start := e.header + zipLocalLen + int64(binary.LittleEndian.Uint16(h[26:])) + int64(binary.LittleEndian.Uint16(h[28:]))
	packed := min(e.packed, max(length-start, 0))
	raw := io.NewSectionReader(at, start, packed)
	d, err := e.decoder(raw)
	if err != nil {
		return nil, err
	}
	z := &zipReader{src: d, e: e}
	return &meter{w: e.w, acct: e.acct, src: careful{z, kindZip}, in: func() int64 { return packed }, high: &e.high}, nil
}

// decoder returns what decompresses the entry (4.4.5).
func (e *zipEntry) decoder(raw io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(raw, int(min(max(e.packed, 512), inBuffer)))
	switch e.method {
	case 0:
		return raw, nil
	case 8:
		if f, ok := e.w.inflaters.Get().(io.Reader); ok {
			f.(flate.Resetter).Reset(in, nil)
			return f, nil
		}
		return flate.NewReader(in), nil
	case 12:
		return bzip2.NewReader(in), nil
	case 14:
		return zipLZMA(in, e)
	case 93, 20:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, damaged(err)
		}
		return z.IOReadCloser(), nil
	case 95:
		return newXzReader(in), nil
	case 9:
		return newDeflate64(in), nil
	}
	return nil, said(fmt.Sprintf("not read: compressed with the unusual method %d; give it unpacked", e.method))
}

// zipLZMA reads an entry compressed with LZMA (5.8.8).
func zipLZMA(in *bufio.Reader, e *zipEntry) (io.Reader, error) {
	var h [9]byte
	if _, err := io.ReadFull(in, h[:]); err != nil || binary.LittleEndian.Uint16(h[2:]) != 5 {
		return nil, said("damaged: its LZMA header is wrong")
	}
	unpacked := uint64(e.size)
	if e.flags&2 != 0 || e.unverified { // it ends by a marker
		unpacked = 1<<64 - 1
	}
	return newLZMAReader(in, h[4:9], unpacked)
}

// zipReader checks what comes out of an entry against what the directory says.
type zipReader struct {
	src io.Reader
	e   *zipEntry
	n   int64
	crc uint32
	err error
}

func (z *zipReader) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.src.Read(p)
	z.crc = crc32.Update(z.crc, crc32.IEEETable, p[:n])
	z.n += int64(n)
	switch {
	case err == io.EOF && !z.e.unverified && z.n != z.e.size:
		err = said(fmt.Sprintf("damaged: it is %d bytes long, not the stated %d", z.n, z.e.size))
	case err == io.EOF && !z.e.unverified && z.crc != z.e.crc:
		err = said("damaged: its checksum is wrong")
	case err != nil && err != io.EOF:
		err = damaged(err)
	}
	z.err = err
	return n, err
}

func (z *zipReader) Close() error {
	if z.src != nil {
		if c, ok := z.src.(io.Closer); ok && z.e.method != 8 {
			c.Close()
		} else if z.e.method == 8 {
			z.e.w.inflaters.Put(z.src)
		}
		z.src, z.err = nil, errClosed
	}
	return z.e.at.release()
}

// salvageZip walks a zip without its directory, from the local headers (4.3.7) between start and end.
func (w *walk) salvageZip(n *node, at seekable, r io.ReaderAt, start, end int64, why string) error {
	le := binary.LittleEndian
	found := 0
	var buf []byte
	h := make([]byte, zipLocalLen)
	sigs := &signatures{r: r}
	for pos := start; ; {
		pos = sigs.find(pos, end, zipLocal)
		if pos < 0 {
			break
		}
		if _, err := r.ReadAt(h, pos); err != nil {
			break
		}
		e := &zipEntry{
			w: w.Walker, acct: n.acct, at: at, header: pos,
			flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]),
			packed: int64(le.Uint32(h[18:])), size: int64(le.Uint32(h[22:])),
		}
		nameLen, extraLen := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
		buf = append(buf[:0], make([]byte, nameLen+extraLen)...)
		if _, err := r.ReadAt(buf, pos+zipLocalLen); err != nil || nameLen == 0 || h[4] > 63 {
			pos++ // no header, it only looks like one
			continue
		}
		mod := e.extra(buf[nameLen:], dosTime(le.Uint16(h[12:]), le.Uint16(h[10:])))
		data := pos + zipLocalLen + int64(nameLen+extraLen)
		if e.flags&8 != 0 && e.packed == 0 { // sizes follow the data: it ends where the next thing begins
			e.unverified = true
			next := sigs.find(data, end, zipLocal)
			if next < 0 {
				next = end
			}
			for _, sig := range []string{zipDescriptor, zipCentral} {
				if found := sigs.find(data, next, sig); found >= 0 {
					next = found
				}
			}
			e.packed = next - data
		}
		if found == 0 {
			w.tell(Problem{Path: n.path, Reason: "damaged: " + why + "; its entries were looked for without it"})
		}
		found++
		if err := w.zipNode(n, e, buf[:nameLen], mod, 0, end); err != nil {
			if err == errEnough {
				return nil
			}
			return err
		}
		pos = data
		if e.packed > 0 && e.packed <= end-data {
			pos += e.packed
		}
	}
	if found == 0 {
		return &errNotArchive{errors.New(why)}
	}
	return nil
}

// signatures looks for signatures in an archive through a window that it keeps, so that looking again nearby costs little.
type signatures struct {
	r    io.ReaderAt
	buf  []byte
	base int64
	have int
}

// find returns where sig next occurs from pos on and before end, or -1.
func (s *signatures) find(pos, end int64, sig string) int64 {
	if s.buf == nil {
		s.buf = make([]byte, 256<<10)
	}
	for pos+int64(len(sig)) <= end {
		if pos < s.base || pos+int64(len(sig)) > s.base+int64(s.have) {
			s.base = pos
			s.have, _ = s.r.ReadAt(s.buf, pos)
			if s.have < len(sig) {
				return -1
			}
		}
		window := s.buf[pos-s.base : min(int64(s.have), end-s.base)]
		if i := bytes.Index(window, []byte(sig)); i >= 0 {
			return pos + int64(i)
		}
		pos += int64(len(window) - len(sig) + 1)
	}
	return -1
}
