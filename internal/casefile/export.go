package casefile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Export is something that was handed out of a case: a line of the chain of custody.
type Export struct {
	Format string // what --format or --form was: "html", "stix", "dora-initial"
	Path   string // where it was written; Stdout for the standard output
	Bytes  int64
	SHA256 string // hexadecimal
	TLP    string // the marking that it carries, "" for none
	Lang   string // "en", "fr", "ar"; "" where it has none
}

// Stdout is the Path of an export that went to the standard output.
const Stdout = "-"

// RecordExport adds a line for an export to the chain of custody of the case in dir. Several processes may do so at once. If it
// fails, the chain is as it was: fs.ErrPermission or a read-only file system where the case cannot be written, ErrChain where the chain
// does not hold.
func RecordExport(dir string, x Export, now time.Time) error {
	_, _, err := extend(dir, now, func(*custodyLog) ([]Custody, error) {
		return []Custody{{Kind: KindExport, Path: x.Path, Bytes: x.Bytes, SHA256: x.SHA256, Read: now, Format: x.Format, TLP: x.TLP, Lang: x.Lang}}, nil
	})
	return err
}

// Hasher hashes what is written through it.
type Hasher struct {
	w    io.Writer
	hash hash.Hash
	size int64
}

// NewHasher returns a Hasher that writes to w.
func NewHasher(w io.Writer) *Hasher { return &Hasher{w: w, hash: sha256.New()} }

// Write implements io.Writer. What w did not take is not hashed.
func (h *Hasher) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	if n > 0 {
		h.hash.Write(p[:n])
		h.size += int64(n)
	}
	return n, err
}

// Sum returns how many bytes were written, and their SHA-256 in hexadecimal.
func (h *Hasher) Sum() (bytes int64, sha256 string) {
	return h.size, hex.EncodeToString(h.hash.Sum(nil))
}

// WriteFile writes a file outside of a case, whole or not at all: write fills one beside it, which takes its place if there was
// no error. A link is followed; what is no regular file (a pipe, a terminal) is written to as it is. A new file has the mode
// 0600. It returns how many bytes were written, and their SHA-256 in hexadecimal.
func WriteFile(path string, write func(io.Writer) error) (bytes int64, sha256 string, err error) {
	mode := fs.FileMode(0o600)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return 0, "", fmt.Errorf("%s is a folder: name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		return writeTo(path, write)
	case err == nil:
		mode = info.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return 0, "", err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return 0, "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-")
	if err != nil {
		return 0, "", err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing of that name
	bytes, sha256, err = fill(f, write)
	if err == nil {
		err = errors.Join(f.Chmod(mode), f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, "", err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return 0, "", err
	}
	syncDir(filepath.Dir(path))
	return bytes, sha256, nil
}

// writeTo writes to something that is there and no regular file.
func writeTo(path string, write func(io.Writer) error) (bytes int64, sha256 string, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, "", err
	}
	bytes, sha256, err = fill(f, write)
	return bytes, sha256, errors.Join(err, f.Close())
}

func fill(w io.Writer, write func(io.Writer) error) (bytes int64, sha256 string, err error) {
	buf := bufio.NewWriterSize(w, 64<<10)
	h := NewHasher(buf)
	err = write(h)
	if err == nil {
		err = buf.Flush()
	}
	bytes, sha256 = h.Sum()
	return bytes, sha256, err
}

// Inside reports whether path lies in the case folder dir. Links are followed as far as there is something.
func Inside(dir, path string) bool {
	dir, path = resolve(dir), resolve(path)
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolve returns path without links, those of a last part that does not exist yet apart.
func resolve(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(real, filepath.Base(abs))
	}
	return abs
}
