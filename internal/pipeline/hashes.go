package pipeline

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/evidence"
)

// Hashes hashes evidence again, to check a case against. An archive is read once for all of its entries.
type Hashes struct {
	ctx   context.Context
	known map[string]map[string][]string // by file handed over, by path of the stream
}

// NewHashes returns Hashes that has read nothing yet.
func NewHashes(ctx context.Context) *Hashes {
	return &Hashes{ctx: ctx, known: make(map[string]map[string][]string)}
}

// Of returns the SHA-256, in hexadecimal, of a stream of the case. Several can have one path: a compressed file and what
// is in it, entries of an archive; if one of them is as it was, so is the stream. The error is fs.ErrNotExist if it is
// not there any more.
func (h *Hashes) Of(c casefile.Custody) (string, error) {
	path := c.Path
	file, _, ok := fileOf(path)
	switch {
	case !ok && path == "-":
		return "", casefile.ErrNotChecked
	case !ok:
		return "", fs.ErrNotExist
	}
	streams, known := h.known[file]
	if !known {
		streams = make(map[string][]string)
		h.known[file] = streams
		var problem error
		opt := evidence.Options{MaxDepth: maxDepth, Report: func(p evidence.Problem) {
			if !p.Note {
				problem = fmt.Errorf("%s: %s", p.Path, p.Reason)
			}
		}}
		err := evidence.Walk(h.ctx, []string{file}, opt, func(s *evidence.Stream) error {
			_, sum, _ := s.Hash() // what is damaged has the hash of what could be read, as it had then
			streams[s.Path] = append(streams[s.Path], hex.EncodeToString(sum[:]))
			return nil
		})
		if err != nil {
			return "", err
		}
		if len(streams) == 0 && problem != nil {
			return "", problem
		}
	}
	switch sums := streams[path]; {
	case slices.Contains(sums, c.SHA256):
		return c.SHA256, nil
	case len(sums) > 0:
		return sums[0], nil
	}
	return "", fs.ErrNotExist
}

// maxDepth opens whatever was opened: a case may have been made with a larger --max-depth than the default.
const maxDepth = 16
