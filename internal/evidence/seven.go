package evidence

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// sevenEntries walks the entries of a 7z.
func (w *walk) sevenEntries(n *node, at seekable) error {
	r, length, err := at.acquire(looking)
	if err != nil {
		w.report(n.path, err)
		return nil
	}
	defer at.release()
	block := func(b *sevenBlock) *sevenSource {
		return &sevenSource{w: w.Walker, acct: n.acct, at: at, block: b}
	}
	a, err := readSevenHeader(r, length, func(b *sevenBlock) (io.ReadCloser, error) { return block(b).open(looking) })
	if err != nil {
		if errors.Is(err, errSaid) || isFileLimit(err) {
			w.report(n.path, err)
			return nil
		}
		return &errNotArchive{err}
	}

	var (
		index  = -1         // of the block that entries are taken from
		stream int          // the next one in it
		solid  *solidReader // of the block, where several entries lie in it
	)
	closeBlock := func() {
		if solid != nil {
			solid.src.Close()
			solid = nil
		}
	}
	defer closeBlock()
	for i := range a.files {
		f := &a.files[i]
		if f.dir && !f.stream {
			continue
		}
		if err := w.enter(n.acct); err != nil {
			w.report(n.path, err)
			return nil
		}
		e := &node{path: w.entryPath(n, f.name), mod: f.mod, depth: n.depth + 1, acct: n.acct}
		if f.stream {
			for index < 0 || stream >= len(a.folders[index].streams) {
				closeBlock()
				index, stream = index+1, 0
				if index >= len(a.folders) {
					w.tell(Problem{Path: e.path, Reason: "damaged: the archive names it, but holds no content for it"})
					return nil
				}
			}
		}
		var st sevenStream
		if f.stream {
			st = a.folders[index].streams[stream]
			stream++
		}
		if mode := unixMode(f.mode); mode.Type() != 0 && !mode.IsDir() {
			w.tell(Problem{Path: e.path, Reason: "not read: it is a " + kindOfMode(mode)})
			f.dir = true // only to be passed over
		}
		if st.size > math.MaxInt64 {
			w.tell(Problem{Path: e.path, Reason: "damaged: its stated size is impossible"})
			return nil
		}
		e.size = int64(st.size)
		var b *sevenBlock
		if f.stream {
			b = &a.folders[index]
		}
		switch {
		case !f.stream:
			e.src = &memory{}
		case len(b.streams) == 1:
			if f.dir {
				continue
			}
			s := block(b)
			s.check = &st
			e.src, e.keep = s, n.keep
		default:
			if solid == nil {
				src, err := block(b).open(reading)
				if err != nil {
					src = io.NopCloser(eofReader{})
				}
				solid = &solidReader{src: src, unopened: err}
			}
			if solid.unopened != nil {
				w.report(e.path, solid.unopened)
				continue
			}
			if solid.err != nil {
				if isFileLimit(solid.err) {
					return nil
				}
				w.tell(Problem{Path: e.path, Reason: "not read: the archive cannot be unpacked up to here"})
				continue
			}
			body := &solidEntry{of: solid, left: e.size, want: st}
			if !f.dir {
				e.seq = body
				if err := w.node(e); err != nil {
					return err
				}
			}
			if solid.err == nil {
				if _, err := io.Copy(io.Discard, body); err != nil && !f.dir {
					w.report(e.path, err)
				}
			}
			continue
		}
		if err := w.node(e); err != nil {
			return err
		}
	}
	return nil
}

// solidReader reads a block in which several entries lie.
type solidReader struct {
	src      io.ReadCloser
	err      error // at which it broke off
	unopened error // why it cannot be read at all
}

// solidEntry reads one of them.
type solidEntry struct {
	of   *solidReader
	left int64
	want sevenStream
	crc  uint32
	err  error
}

func (s *solidEntry) Read(p []byte) (int, error) {
	switch {
	case s.err != nil:
		return 0, s.err
	case s.of.err != nil:
		return 0, s.of.err
	case s.left == 0:
		s.err = io.EOF
		if s.want.hasCRC && s.crc != s.want.crc {
			s.err = said("damaged: its checksum is wrong")
		}
		return 0, s.err
	}
	n, err := s.of.src.Read(p[:min(int64(len(p)), s.left)])
	s.crc = crc32.Update(s.crc, crc32.IEEETable, p[:n])
	s.left -= int64(n)
	if err == io.EOF {
		if s.left == 0 {
			return n, nil
		}
		err = said("damaged: it ends in the middle")
	}
	if err != nil {
		s.of.err = err
	}
	return n, err
}

// sevenSource is a block of a 7z: a source.
type sevenSource struct {
	w     *Walker
	acct  *account
	at    seekable
	block *sevenBlock
	check *sevenStream // the only entry in the block; nil if there may be several
	high  atomic.Int64
}

func (s *sevenSource) open(p purpose) (rc io.ReadCloser, err error) {
	b := s.block
	if b.odd != "" {
		return nil, said(b.odd)
	}
	at, length, err := s.at.acquire(p)
	if err != nil {
		return nil, err
	}
	c := &closers{[]func() error{s.at.release}}
	defer func() {
		if v := recover(); v != nil {
			rc, err = nil, fmt.Errorf("damaged: the 7z decoder failed: %v", v)
		}
		if err != nil {
			c.Close()
		}
	}()
	packed := max(min(b.packed, length-b.offset), 0)
	var r io.Reader = bufio.NewReaderSize(io.NewSectionReader(at, b.offset, packed), inBuffer)
	for i := range b.coders {
		if r, err = sevenDecoder(&b.coders[i], r, c); err != nil {
			return nil, err
		}
	}
	r = io.LimitReader(r, int64(min(b.size, math.MaxInt64)))
	if s.check != nil {
		solid := &solidReader{src: io.NopCloser(r)}
		r = &solidEntry{of: solid, left: int64(min(s.check.size, math.MaxInt64)), want: *s.check}
	}
	body := careful{&damageReader{struct {
		io.Reader
		io.Closer
	}{r, c}, kind7z}, kind7z}
	return &meter{w: s.w, acct: s.acct, src: body, in: func() int64 { return packed }, high: &s.high}, nil
}

// closers closes several things.
type closers struct{ all []func() error }

func (c *closers) Close() error {
	var errs []error
	for _, f := range c.all {
		errs = append(errs, f())
	}
	c.all = nil
	return errors.Join(errs...)
}

// sevenDecoder returns what a coder makes of r. The methods are those of Methods.txt in the LZMA SDK.
func sevenDecoder(c *sevenCoder, r io.Reader, closing *closers) (io.Reader, error) {
	switch c.method {
	case "\x00":
		return r, nil
	case "\x21":
		if len(c.props) != 1 || c.props[0] > 40 {
			return nil, said("damaged: its LZMA2 properties are wrong")
		}
		dict := min(uint64(2|c.props[0]&1)<<(c.props[0]/2+11), c.size)
		if dict > maxWindow {
			return nil, said(fmt.Sprintf("refused: unpacking it takes %s of memory; give it unpacked", size(int64(dict))))
		}
		return newLZMA2Reader(buffered(r), int(dict)), nil
	case "\x03\x01\x01":
		if len(c.props) != 5 {
			return nil, said("damaged: its LZMA properties are wrong")
		}
		return newLZMAReader(buffered(r), c.props, c.size)
	case "\x04\x01\x08":
		return flate.NewReader(r), nil
	case "\x04\x01\x09":
		return newDeflate64(buffered(r)), nil
	case "\x04\x02\x02":
		return bzip2.NewReader(r), nil
	case "\x04\xF7\x11\x01":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, damaged(err)
		}
		closing.all = append(closing.all, z.IOReadCloser().Close)
		return z, nil
	case "\x03": // delta
		if len(c.props) != 1 {
			return nil, said("damaged: its filter's properties are wrong")
		}
		return &deltaReader{r: r, distance: int(c.props[0]) + 1}, nil
	case "\x06\xF1\x07\x01":
		return nil, said(encrypted)
	}
	return nil, said("not read: compressed with " + sevenMethod(c.method) + "; give it unpacked")
}

func buffered(r io.Reader) *bufio.Reader {
	if b, ok := r.(*bufio.Reader); ok {
		return b
	}
	return bufio.NewReaderSize(r, inBuffer)
}

// deltaReader adds to every byte the one that came out distance before it.
type deltaReader struct {
	r        io.Reader
	distance int
	past     [256]byte
	at       byte
}

func (d *deltaReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.past[d.at-byte(d.distance)]
		d.past[d.at] = p[i]
		d.at++
	}
	return n, err
}
