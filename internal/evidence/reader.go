package evidence

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// MaxPeek is the most bytes that Peek gives.
const MaxPeek = 64 << 10

// Reader reads one stream and hashes it in the same pass. Text in UTF-16 is read as UTF-8 (see Encoding), while length
// and hash are those of the bytes as they were handed over. A Reader is not safe for concurrent use.
type Reader struct {
	s      *Stream
	src    io.ReadCloser
	hash   hash.Hash
	count  int64
	err    error // of src, once it has ended
	closed bool
	idle   int // calls in a row that gave nothing

	head  []byte         // read ahead and not yet consumed, decoded
	ahead *[MaxPeek]byte // what a large Peek reads into; it goes back to the Walker
	begun bool
	utf16 *utf16Decoder // nil for bytes that are read as they are
}

func newReader(s *Stream, src io.ReadCloser) *Reader {
	return &Reader{s: s, src: src, hash: sha256.New()}
}

// Read reads the next bytes into p, straight from where they lie: large buffers make it fast. It returns io.EOF at the
// end of the stream, and another error, which has been reported, where the stream breaks off.
func (r *Reader) Read(p []byte) (int, error) {
	if !r.begun {
		r.begin()
	}
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	r.head = nil
	return r.next(p)
}

// Peek returns the next n bytes without consuming them, fewer only where the stream ends before; n is at most MaxPeek.
// They are valid until the next call of Read, Peek, Finish or Close.
func (r *Reader) Peek(n int) []byte {
	if !r.begun {
		r.begin()
	}
	n = min(n, MaxPeek)
	if len(r.head) < n {
		var grown []byte
		if n == MaxPeek {
			grown = r.borrow()[:]
		} else {
			grown = make([]byte, n)
		}
		have := copy(grown, r.head)
		for have < n {
			m, err := r.next(grown[have:])
			have += m
			if err != nil {
				break
			}
		}
		r.head = grown[:have]
	}
	return r.head[:min(n, len(r.head))]
}

// borrow returns a buffer of the Walker's, until Close.
func (r *Reader) borrow() *[MaxPeek]byte {
	if r.ahead == nil {
		r.ahead, _ = r.s.w.peeks.Get().(*[MaxPeek]byte)
	}
	if r.ahead == nil {
		r.ahead = new([MaxPeek]byte)
	}
	return r.ahead
}

// begin decides on the encoding, for which it looks at the first bytes.
func (r *Reader) begin() {
	r.begun = true
	first := make([]byte, sniffUTF16)
	n := 0
	for n < len(first) {
		m, err := r.raw(first[n:])
		n += m
		if err != nil {
			break
		}
	}
	first = first[:n]
	if order := detectUTF16(first); order != "" {
		r.utf16 = newUTF16Decoder(order, first)
		return
	}
	r.head = first
}

// next reads decoded bytes.
func (r *Reader) next(p []byte) (int, error) {
	if r.utf16 != nil {
		return r.utf16.read(p, r.raw)
	}
	return r.raw(p)
}

// raw reads bytes as they were handed over.
func (r *Reader) raw(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.closed {
		return 0, errClosed
	}
	n, err := r.src.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		if r.idle++; r.idle > 1000 {
			err = io.ErrNoProgress
		}
	} else {
		r.idle = 0
	}
	r.hash.Write(p[:n])
	r.count += int64(n)
	if err != nil {
		r.err = err
		if err != io.EOF {
			r.s.w.report(r.s.Path, err)
		}
	}
	return n, err
}

// Finish reads what is left of the stream, so that Count and Sum are those of the whole.
func (r *Reader) Finish() error {
	if r.err == nil && !r.closed {
		r.head = nil
		for buf := r.borrow(); r.err == nil; {
			r.raw(buf[:])
		}
	}
	return r.Err()
}

// Count returns how many bytes have been read of the stream, as handed over.
func (r *Reader) Count() int64 { return r.count }

// Sum returns the SHA-256 of the bytes that Count counts: of the whole stream, once Read or Finish came to its end.
func (r *Reader) Sum() (sum [32]byte) {
	r.hash.Sum(sum[:0])
	return sum
}

// Encoding returns "utf-16le" or "utf-16be" for text that is read as UTF-8, "" for bytes that are read as they are.
func (r *Reader) Encoding() string {
	if !r.begun {
		r.begin()
	}
	if r.utf16 == nil {
		return ""
	}
	return r.utf16.order
}

// Err returns the error at which the stream broke off; nil while and where it did not.
func (r *Reader) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// Close ends the reading and lets go of the stream.
func (r *Reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.ahead != nil {
		r.s.w.peeks.Put(r.ahead)
		r.head, r.ahead = nil, nil
	}
	err := r.src.Close()
	r.s.release()
	return err
}

var errClosed = errors.New("the reader is closed")
