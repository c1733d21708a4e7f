package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// walk is one run over the evidence.
type walk struct {
	*Walker
	ctx     context.Context
	visit   func(*Stream) error
	paths   []string
	several bool // there are several arguments, which could hold the same file
}

// argument walks one path that was given.
func (w *walk) argument(name string) error {
	if name == "-" {
		return w.stdin()
	}
	info, err := os.Stat(name) // a link is followed where the user himself names it
	if err != nil {
		w.report(showName(name), err)
		return w.ctx.Err()
	}
	if info.IsDir() {
		return w.folder(name, info, nil)
	}
	if info.Mode()&fs.ModeNamedPipe != 0 && strings.HasPrefix(name, "/dev/fd/") {
		return w.substitution(name)
	}
	return w.file(name, info)
}

// substitution walks what a shell's <(command) writes. Other pipes are not opened: nobody may ever write to one that lies in the evidence.
func (w *walk) substitution(name string) error {
	in, err := os.Open(name)
	if err != nil {
		w.report(showName(name), err)
		return w.ctx.Err()
	}
	defer in.Close()
	return w.once(showName(name), in)
}

// folder walks the content of a folder, by name. above are the folders it lies in.
func (w *walk) folder(name string, info fs.FileInfo, above []fs.FileInfo) error {
	for _, a := range above {
		if os.SameFile(a, info) {
			w.note(showName(name), "not entered again: the folder lies in itself")
			return nil
		}
	}
	for _, skip := range w.opt.Skip {
		if s, err := os.Stat(skip); err == nil && os.SameFile(s, info) {
			return nil
		}
	}
	above = append(above, info)
	entries, err := os.ReadDir(name)
	if err != nil { // what could be listed is still read
		w.report(showName(name), err)
	}
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		inner := filepath.Join(name, e.Name())
		info, err := e.Info()
		switch {
		case err != nil:
			w.report(showName(inner), err)
			continue
		case info.IsDir():
			err = w.folder(inner, info, above)
		default:
			err = w.file(inner, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file walks what is no folder.
func (w *walk) file(name string, info fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	path := showName(name)
	if info.Mode()&fs.ModeSymlink != 0 {
		w.link(name, path)
		return nil
	}
	if !info.Mode().IsRegular() {
		w.tell(Problem{Path: path, Reason: fmt.Sprintf("not read: it is a %s", kindOfMode(info.Mode()))})
		return nil
	}
	if key, linked, ok := keyOf(name, info); ok && (linked || w.several) {
		if first, again := w.seen[key]; again {
			w.note(path, "not read again: the same file as "+first)
			return nil
		}
		w.seen[key] = path
	}
	f := &file{w: w.Walker, name: name, path: path, info: info}
	return w.node(&node{path: path, size: info.Size(), mod: info.ModTime().UTC(), src: f, acct: &account{size: info.Size()}})
}

// link tells of a symbolic link, which is not followed: it may lead out of the evidence. If it does not, nothing is lost.
func (w *walk) link(name, path string) {
	to, err := os.Readlink(name)
	if err != nil {
		w.report(path, err)
		return
	}
	p := Problem{Path: path, Reason: "not followed: it is a symbolic link to " + showName(to)}
	if target, ok := resolve(name); ok {
		for _, given := range w.paths {
			root, ok := resolve(given)
			if rel, err := filepath.Rel(root, target); ok && err == nil && filepath.IsLocal(rel) {
				p.Note = true
				break
			}
		}
	}
	w.tell(p)
}

// resolve returns the full name of a file behind all links.
func resolve(name string) (string, bool) {
	full, err := filepath.EvalSymlinks(name)
	if err == nil {
		full, err = filepath.Abs(full)
	}
	return full, err == nil
}

// stdin walks standard input.
func (w *walk) stdin() error {
	in := w.opt.Stdin
	if in == nil {
		in = eofReader{}
	}
	return w.once("-", in)
}

// once walks what can be read only once, from its beginning to its end.
func (w *walk) once(path string, in io.Reader) error {
	acct := &account{size: -1}
	return w.node(&node{path: path, size: -1, seq: &stdinReader{in, w.Walker, acct}, acct: acct})
}

// stdinReader counts what comes in.
type stdinReader struct {
	r    io.Reader
	w    *Walker
	acct *account
}

func (s *stdinReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.w.read.Add(int64(n))
	s.acct.in.Add(int64(n))
	return n, err
}

// once is a source that can be read only as it comes.
type once struct {
	r    io.Reader
	used bool
}

func (o *once) open(purpose) (io.ReadCloser, error) {
	if o.used {
		return nil, errors.New("it can be read only once")
	}
	o.used = true
	return io.NopCloser(o.r), nil
}

type eofReader struct{}

func (eofReader) Read([]byte) (int, error) { return 0, io.EOF }
