package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"
	"time"
)

// node is a stream on the walk, before it is known what it is. Either src or seq is set.
type node struct {
	path  string
	size  int64 // -1 if unknown
	mod   time.Time
	depth int // how many archives it lies in
	acct  *account

	src  source    // can be opened again and again
	head []byte    // of src, if it was looked at
	seq  io.Reader // can be read once, now
	keep *spool    // what src needs until it was read; nil if nothing
	held int64     // bytes of the budget that src takes until it was read

	at     seekable       // of a tar on the walk: where seq reads from, if it can be read at any place
	names  map[uint64]int // of an archive on the walk: how often each name was met
	broken bool           // of a tar on the walk: it could not be read to its end, which was reported

	known *digest // where it had to be read before it was walked
}

// node visits a stream, or what is in it and then itself.
func (w *walk) node(n *node) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if n.src == nil && n.size >= 0 && n.size <= maxSmall && w.hold(n.size) {
		return w.small(n)
	}
	head, err := n.peek(sniffLen)
	if err != nil {
		w.report(n.path, err)
		return nil
	}
	k := kindOf(head)
	if k == plain {
		if what := unreadable(head); what != "" {
			w.tell(Problem{Path: n.path, Reason: "not unpacked: it is " + what + "; give it unpacked"})
		}
		return w.leaf(n)
	}
	if n.depth >= w.opt.MaxDepth {
		w.tell(Problem{Path: n.path, Reason: fmt.Sprintf("not unpacked: it lies in %d archives already; --max-depth raises the limit", n.depth)})
		return w.container(n, k)
	}
	switch {
	case k.compressed():
		return w.compressed(n, k)
	case k == kindTar:
		return w.tarNode(n)
	}
	return w.indexed(n, k)
}

// peek returns the first bytes of a node, up to limit, and leaves it as it was.
func (n *node) peek(limit int) ([]byte, error) {
	if n.src == nil {
		br, ok := n.seq.(*bufio.Reader)
		if !ok || br.Size() < limit {
			br = bufio.NewReaderSize(n.seq, max(limit, 64<<10))
			n.seq = br
		}
		head, _ := br.Peek(limit) // an error comes again when it is read
		return head, nil
	}
	if n.head != nil {
		return n.head, nil
	}
	rc, err := n.src.open(looking)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	head := make([]byte, limit)
	have, _ := io.ReadFull(rc, head)
	return head[:have], nil
}

// leaf visits a stream that is to be read.
func (w *walk) leaf(n *node) error { return w.call(n, plain) }

// container visits an archive after its content.
func (w *walk) container(n *node, k kind) error { return w.call(n, k) }

func (w *walk) call(n *node, k kind) error {
	s := &Stream{Path: n.path, Size: n.size, ModTime: n.mod, Container: string(k), w: w.Walker, src: n.src, known: n.known}
	switch {
	case n.src == nil:
		s.Sequential = n.known == nil
		s.src = &once{r: n.seq}
	case n.held > 0 && k == plain:
		held := n.held
		s.drop = func() { w.unhold(held) }
		n.held = 0
	case n.keep != nil && n.known == nil:
		n.keep.keep()
		s.drop = n.keep.drop
	}
	if n.known != nil {
		s.Size = n.known.size
	}
	return w.visit(s)
}

// small reads a small sequential node ahead, so that it can be read at any time.
func (w *walk) small(n *node) error {
	data := make([]byte, n.size)
	have, err := io.ReadFull(n.seq, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
		if int64(have) < n.size {
			err = said("damaged: it ends in the middle")
		}
	}
	m := *n
	m.seq, m.src, m.held = nil, &memory{data: data[:have], err: err}, n.size
	defer func() { w.unhold(m.held) }()
	return w.node(&m)
}

// compressed visits what is in a compressed node.
func (w *walk) compressed(n *node, k kind) error {
	inner := &node{path: n.path, size: -1, mod: n.mod, depth: n.depth + 1, acct: n.acct, keep: n.keep}
	if n.src != nil {
		u := &unpacked{w: w.Walker, acct: n.acct, of: n.src, kind: k, size: n.size}
		inner.src = u
		head, err := u.begins()
		if err != nil {
			return w.mistaken(n, k, err)
		}
		if kindOf(head) == kindTar {
			return w.compressedTar(n, k)
		}
		inner.head = head
		if err := w.node(inner); err != nil {
			return err
		}
		return w.container(n, k)
	}

	hashed := w.hashing(n.seq)
	replay := &recorder{r: hashed, on: true}
	d, err := w.decompressed(k, replay, n)
	if err != nil {
		n.seq = replay.again()
		return w.mistaken(n, k, err)
	}
	defer d.Close()
	br := bufio.NewReaderSize(d, 64<<10)
	head, err := br.Peek(sniffLen)
	if err != nil && err != io.EOF && len(head) == 0 && !replay.over {
		n.seq = replay.again()
		return w.mistaken(n, k, err)
	}
	replay.on, replay.kept = false, nil
	inner.seq = br
	if kindOf(head) == kindTar {
		inner.depth--
		if err := w.tarEntries(inner); err != nil {
			return err
		}
		w.drain(inner)
		k = kindTar + "+" + k
	} else if err := w.node(inner); err != nil {
		return err
	}
	n.known = hashed.finish()
	return w.container(n, k)
}

// decompressed unpacks a node that is read as it comes.
func (w *walk) decompressed(k kind, r io.Reader, n *node) (io.ReadCloser, error) {
	in := &counted{r: r}
	d, err := decompress(k, in)
	if err != nil {
		return nil, err
	}
	given := func() int64 { return in.n }
	if n.size >= 0 {
		given = func() int64 { return n.size }
	}
	return &meter{w: w.Walker, acct: n.acct, src: d, in: given, high: new(atomic.Int64)}, nil
}

// begins returns the first bytes of what is compressed. An error means that there is nothing to be had at all.
func (u *unpacked) begins() ([]byte, error) {
	rc, err := u.open(looking)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	head := make([]byte, sniffLen)
	n, err := io.ReadFull(rc, head)
	if n > 0 || err == io.EOF {
		err = nil
	}
	return head[:n], err
}

// mistaken visits as it stands what looked like an archive.
func (w *walk) mistaken(n *node, k kind, err error) error {
	if isFileLimit(err) {
		w.report(n.path, err)
		return w.container(n, k)
	}
	w.tell(Problem{Path: n.path, Reason: fmt.Sprintf("taken as it is: it begins like %s, but cannot be unpacked: %s", k, reason(err))})
	return w.leaf(n)
}

// compressedTar walks a compressed tar that can be opened again: once through, with its hash in the same pass.
func (w *walk) compressedTar(n *node, k kind) error {
	rc, err := n.src.open(reading)
	if err != nil {
		w.report(n.path, err)
		return nil
	}
	defer rc.Close()
	hashed := w.hashing(rc)
	d, err := w.decompressed(k, hashed, n)
	if err != nil {
		return w.mistaken(n, k, err)
	}
	defer d.Close()
	inner := &node{path: n.path, size: -1, mod: n.mod, depth: n.depth, acct: n.acct, seq: d}
	if err := w.tarEntries(inner); err != nil {
		return err
	}
	w.drain(inner)
	n.known = hashed.finish()
	return w.container(n, kindTar+"+"+k)
}

// indexed walks an archive that must be read at any place: zip, 7z. If it is not so already, it is spooled.
func (w *walk) indexed(n *node, k kind) error {
	at, ok := n.src.(seekable)
	if !ok {
		in := n.seq
		if n.src != nil {
			rc, err := n.src.open(reading)
			if err != nil {
				w.report(n.path, err)
				return nil
			}
			defer rc.Close()
			in = rc
		}
		s, err := w.newSpool(cancellable{w.ctx, in})
		if err != nil {
			w.report(n.path, err)
		}
		if s == nil {
			return nil
		}
		defer s.drop()
		at = s
		n.src, n.seq, n.keep, n.size, n.known = s, nil, s, s.size, &s.known
	}
	entries := w.zipEntries
	if k == kind7z {
		entries = w.sevenEntries
	}
	if err := entries(n, at); err != nil {
		var no *errNotArchive
		if !errors.As(err, &no) {
			return err
		}
		n.known = nil
		return w.mistaken(n, k, no.err)
	}
	return w.container(n, k)
}

// errNotArchive says that nothing in an archive could be found.
type errNotArchive struct{ err error }

func (e *errNotArchive) Error() string { return e.err.Error() }

// cancellable reads until the context is done.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// hashing hashes what is read through it.
type hashing struct {
	r io.Reader
	h hash.Hash
	n int64
}

func (w *walk) hashing(r io.Reader) *hashing {
	return &hashing{r: cancellable{w.ctx, r}, h: sha256.New()}
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.h.Write(p[:n])
	h.n += int64(n)
	return n, err
}

// finish reads what is left and returns length and hash of all.
func (h *hashing) finish() *digest {
	io.Copy(io.Discard, h)
	d := &digest{size: h.n}
	h.h.Sum(d.sum[:0])
	return d
}

// recorder keeps the first of what is read through it, so that it can be read again.
type recorder struct {
	r    io.Reader
	on   bool
	over bool // it was more than can be kept
	kept []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.on {
		if len(r.kept)+n > maxMemorySpool {
			r.on, r.over, r.kept = false, true, nil
		} else {
			r.kept = append(r.kept, p[:n]...)
		}
	}
	return n, err
}

func (r *recorder) again() io.Reader { return io.MultiReader(bytes.NewReader(r.kept), r.r) }
