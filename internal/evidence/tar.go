package evidence

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
)

// tarNode walks a tar that is not compressed.
func (w *walk) tarNode(n *node) error {
	at, ok := n.src.(seekable)
	if !ok {
		if n.src != nil {
			rc, err := n.src.open(reading)
			if err != nil {
				w.report(n.path, err)
				return nil
			}
			defer rc.Close()
			n.seq = rc
		}
		hashed := w.hashing(n.seq)
		inner := *n
		inner.src, inner.seq = nil, hashed
		if err := w.tarEntries(&inner); err != nil {
			return err
		}
		w.drain(&inner)
		n.known = hashed.finish()
		return w.container(n, kindTar)
	}

	r, length, err := at.acquire(looking)
	if err != nil {
		w.report(n.path, err)
		return nil
	}
	defer at.release()
	inner := *n
	inner.src, inner.seq = nil, io.NewSectionReader(r, 0, length)
	inner.at = at
	if err := w.tarEntries(&inner); err != nil {
		return err
	}
	return w.container(n, kindTar)
}

// tarEntries walks the entries of the tar in n.seq. Where n.at is set, entries that lie there in one piece can be read at
// any time.
func (w *walk) tarEntries(n *node) error {
	defer func() { n.at = nil }()
	tr := tar.NewReader(n.seq)
	section, _ := n.seq.(*io.SectionReader)
	for {
		h, err := nextTar(tr)
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, tar.ErrHeader) {
			skipped, rest := resync(n.seq)
			if rest == nil {
				w.tell(Problem{Path: n.path, Reason: fmt.Sprintf("damaged: a header is wrong, and the %s after it hold no other; they are left out", size(skipped))})
				n.broken = true
				return nil
			}
			w.tell(Problem{Path: n.path, Reason: fmt.Sprintf("damaged: a header is wrong; %s to the next one are left out", size(skipped))})
			if section != nil {
				section.Seek(-512, io.SeekCurrent)
				rest = section
			}
			tr = tar.NewReader(rest)
			if section == nil {
				n.seq = rest
			}
			continue
		}
		if err != nil {
			w.report(n.path, damaged(err))
			n.broken = true
			return nil
		}
		if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := w.enter(n.acct); err != nil {
			w.report(n.path, err)
			n.broken = true
			return nil
		}
		path := w.entryPath(n, h.Name)
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse && h.Typeflag != tar.TypeCont {
			w.tell(Problem{Path: path, Reason: "not read: it is a " + tarKind(h)})
			continue
		}
		e := &node{path: path, size: h.Size, mod: h.ModTime.UTC(), depth: n.depth + 1, acct: n.acct}
		if section != nil && n.at != nil && !sparse(h) {
			start, _ := section.Seek(0, io.SeekCurrent)
			e.src, e.keep = &part{of: n.at, off: start, size: h.Size}, n.keep
		} else {
			e.seq = &tarBody{r: tr, w: w.Walker, acct: n.acct, sparse: sparse(h)}
		}
		if err := w.node(e); err != nil {
			return err
		}
	}
}

// nextTar goes on to the next entry of a tar.
func nextTar(tr *tar.Reader) (h *tar.Header, err error) {
	defer func() {
		if v := recover(); v != nil {
			h, err = nil, fmt.Errorf("the tar reader failed: %v", v)
		}
	}()
	return tr.Next()
}

// resync looks for the next header of a tar that was damaged. It returns how many bytes it skipped and a reader that
// begins with the header, nil if there is none.
func resync(r io.Reader) (skipped int64, rest io.Reader) {
	block := make([]byte, 512)
	for {
		n, err := io.ReadFull(r, block)
		if err != nil {
			return skipped + int64(n), nil
		}
		if isTarHeader(block) {
			return skipped, io.MultiReader(strings.NewReader(string(block)), r)
		}
		skipped += 512
	}
}

// sparse reports whether the entry is stored without its holes.
func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// tarBody reads an entry of a tar; the holes of a sparse one count as unpacked.
type tarBody struct {
	r      io.Reader
	w      *Walker
	acct   *account
	sparse bool
}

func (t *tarBody) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("damaged: the tar reader failed: %v", v)
		}
	}()
	n, err = t.r.Read(p)
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	if t.sparse {
		if e := t.w.charge(t.acct, int64(n)); e != nil {
			return 0, e
		}
	}
	return n, err
}

func tarKind(h *tar.Header) string {
	switch h.Typeflag {
	case tar.TypeLink:
		return "hard link to " + showName(h.Linkname)
	case tar.TypeSymlink:
		return "symbolic link to " + showName(h.Linkname)
	case tar.TypeChar, tar.TypeBlock:
		return "device"
	case tar.TypeFifo:
		return "named pipe"
	}
	return fmt.Sprintf("tar entry of the unknown type %q", h.Typeflag)
}

// part is a piece of a seekable source.
type part struct {
	of        seekable
	off, size int64
}

func (p *part) open(u purpose) (io.ReadCloser, error) {
	at, _, err := p.of.acquire(u)
	if err != nil {
		return nil, err
	}
	return &partReader{io.NewSectionReader(at, p.off, p.size), p}, nil
}

func (p *part) acquire(u purpose) (io.ReaderAt, int64, error) {
	at, length, err := p.of.acquire(u)
	if err != nil {
		return nil, 0, err
	}
	size := max(min(p.size, length-p.off), 0)
	return io.NewSectionReader(at, p.off, size), size, nil
}

func (p *part) release() error { return p.of.release() }

type partReader struct {
	*io.SectionReader
	of *part
}

func (p *partReader) Read(b []byte) (int, error) {
	n, err := p.SectionReader.Read(b)
	if err == io.EOF {
		if at, _ := p.Seek(0, io.SeekCurrent); at < p.of.size {
			err = said("damaged: it ends in the middle")
		}
	}
	return n, err
}

func (p *partReader) Close() error { return p.of.release() }

// drain reads what follows the last entry of n.seq, and reports where that breaks off.
func (w *walk) drain(n *node) {
	if n.broken {
		io.Copy(io.Discard, n.seq)
		return
	}
	if _, err := io.Copy(io.Discard, n.seq); err != nil {
		w.tell(Problem{Path: n.path, Reason: "damaged after its last entry, which was read: " + strings.TrimPrefix(reason(err), "damaged: ")})
	}
}
