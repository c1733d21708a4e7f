package evidence

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is the most memory, in bytes, that a decompressor may take for what it looks back at: that of zstd --long and
// twice that of xz -9.
const maxWindow = 128 << 20

// unpacked is a source: what is in a compressed one.
type unpacked struct {
	w    *Walker
	acct *account
	of   source
	kind kind
	size int64 // of what is compressed; -1 if unknown
	high atomic.Int64
}

func (u *unpacked) open(p purpose) (io.ReadCloser, error) {
	rc, err := u.of.open(p)
	if err != nil {
		return nil, err
	}
	in := &counted{r: rc}
	d, err := decompress(u.kind, in)
	if err != nil {
		rc.Close()
		return nil, err
	}
	given := func() int64 { return in.n }
	if u.size >= 0 {
		given = func() int64 { return u.size }
	}
	return &meter{w: u.w, acct: u.acct, src: &both{d, rc}, in: given, high: &u.high}, nil
}

// both closes a decoder and what it reads from.
type both struct {
	io.ReadCloser
	under io.Closer
}

func (b *both) Close() error { return errors.Join(b.ReadCloser.Close(), b.under.Close()) }

// inBuffer is how many compressed bytes are read at once.
const inBuffer = 128 << 10

// decompress returns what is in the compressed r, which it does not close.
func decompress(k kind, r io.Reader) (rc io.ReadCloser, err error) {
	defer func() {
		if v := recover(); v != nil {
			rc, err = nil, fmt.Errorf("damaged: the %s decoder failed: %v", k, v)
		}
	}()
	switch k {
	case kindGzip:
		g, err := gzip.NewReader(bufio.NewReaderSize(r, inBuffer))
		if err != nil {
			return nil, damaged(err)
		}
		rc = g
	case kindBzip2:
		rc = io.NopCloser(bzip2.NewReader(bufio.NewReaderSize(r, inBuffer)))
	case kindXz:
		rc = io.NopCloser(newXzReader(bufio.NewReaderSize(r, inBuffer)))
	case kindZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, damaged(err)
		}
		rc = z.IOReadCloser()
	default:
		return nil, fmt.Errorf("no decoder for %s", k)
	}
	return careful{&damageReader{rc, k}, k}, nil
}

// damageReader says in one way what decoders say in theirs.
type damageReader struct {
	io.ReadCloser
	kind kind
}

func (d *damageReader) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		switch {
		case d.kind == kindGzip && errors.Is(err, gzip.ErrHeader):
			err = errors.New("followed by bytes that are no gzip; they are left out")
		case errors.Is(err, zstd.ErrWindowSizeExceeded):
			err = fmt.Errorf("refused: unpacking it takes more than %s of memory; give it unpacked", size(maxWindow))
		default:
			err = damaged(err)
		}
	}
	return n, err
}

// damaged says that a part of an archive is broken, and keeps the errors that say something else.
func damaged(err error) error {
	var l *errLimit
	switch {
	case err == nil, errors.As(err, &l), errors.Is(err, errSaid):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return said("damaged: it ends in the middle")
	}
	return said("damaged: " + err.Error())
}

// errSaid marks errors whose text is complete.
var errSaid = errors.New("said")

type saidError string

func said(text string) error             { return saidError(text) }
func (s saidError) Error() string        { return string(s) }
func (s saidError) Is(target error) bool { return target == errSaid }
