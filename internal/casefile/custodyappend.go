package casefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrChain is the error where a chain of custody does not hold: nothing is added to it.
var ErrChain = errors.New("the chain of custody does not hold: barid verify says where")

// maxTorn is how many bytes of a line that was not written to its end are kept: no line of an export or a seal is longer.
const maxTorn = 64 << 10

// extend adds lines to the chain of the case in dir and returns the number and the hash of the last. lines is called while no
// other process can add any, with the chain as it is. If it fails, or the lines cannot be written, the chain stays as it was.
func extend(dir string, now time.Time, lines func(*custodyLog) ([]Custody, error)) (last int, head string, err error) {
	f, err := lockCustody(dir, os.O_RDWR)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	p, err := io.ReadAll(f)
	if err != nil {
		return 0, "", err
	}
	log, whole, err := parseWhole(p)
	if err != nil {
		return 0, "", err
	}
	more, err := lines(log)
	if err != nil {
		return 0, "", err
	}
	torn := p[whole:]
	more = append(repair(torn, now), more...)
	add, head := extendCustody(endLine(p[:whole:whole])[whole:], len(log.entries), log.head, more)
	// Where a torn line stood, a longer one that holds it is written over it: there is no moment at which it is lost.
	_, err = f.WriteAt(add, int64(whole))
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, "", errors.Join(err, f.Truncate(int64(whole)), restore(f, torn, whole))
	}
	return len(log.entries) + len(more), head, nil
}

// repair returns the line that keeps what a write that was interrupted left, none if there is nothing.
func repair(torn []byte, now time.Time) []Custody {
	if len(torn) == 0 {
		return nil
	}
	sum := sha256.Sum256(torn)
	return []Custody{{Kind: KindRepair, Path: CustodyFile, Bytes: int64(len(torn)), SHA256: hex.EncodeToString(sum[:]), Read: now, Torn: string(torn)}}
}

// endLine appends the end of the last line where it is missing.
func endLine(p []byte) []byte {
	if len(p) > 0 && p[len(p)-1] != '\n' {
		p = append(p, '\n')
	}
	return p
}

// restore puts back what stood at the end of a chain.
func restore(f *os.File, torn []byte, at int) error {
	if len(torn) == 0 {
		return nil
	}
	_, err := f.WriteAt(torn, int64(at))
	return err
}

// parseWhole reads a chain that is to be extended, and says of how many of its bytes: the last line may not have been written
// to its end.
func parseWhole(p []byte) (log *custodyLog, whole int, err error) {
	whole = len(p)
	if whole > 0 && p[whole-1] != '\n' {
		if log, err = parseCustody(bytes.NewReader(p)); err == nil && len(log.broken) == 0 {
			return log, whole, nil // only the end of the line is missing
		}
		whole = bytes.LastIndexByte(p, '\n') + 1
	}
	log, err = parseCustody(bytes.NewReader(p[:whole]))
	switch {
	case err != nil:
		return nil, 0, err
	case len(log.broken) > 0 || len(log.entries) == 0:
		return nil, 0, ErrChain
	case len(p)-whole > maxTorn:
		return nil, 0, fmt.Errorf("%w: after line %d come %d bytes that are no line", ErrChain, len(log.entries), len(p)-whole)
	}
	return log, whole, nil
}
