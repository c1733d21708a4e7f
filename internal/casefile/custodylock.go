package casefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// How long a command waits for another that is writing into the chain, and how often it looks.
const (
	lockWait  = 30 * time.Second
	lockPause = 20 * time.Millisecond
)

// errLocked is the error of tryLock where another has the lock.
var errLocked = errors.New("locked")

// lockCustody opens custody.jsonl of the case in dir and locks it, so that of several processes one at a time extends the
// chain. Closing the file gives the lock back. A judgement puts another folder in the place of the case: who waited for the
// old file turns to the new one.
func lockCustody(dir string, flag int) (*os.File, error) {
	path := filepath.Join(dir, CustodyFile)
	for began := time.Now(); ; time.Sleep(lockPause) {
		f, err := openCustody(path, flag)
		if err != nil {
			return nil, err
		}
		switch err := tryLock(f); {
		case err == nil && isStill(path, f):
			return f, nil
		case err != nil && !errors.Is(err, errLocked):
			f.Close()
			return nil, fmt.Errorf("%s cannot be locked: %w", path, err)
		}
		f.Close()
		if time.Since(began) > lockWait {
			return nil, fmt.Errorf("%s: another program has been writing to it for %s: wait until it is done, and do this again", path, lockWait)
		}
	}
}

// openCustody opens a chain that is a regular file: another would block, or lead out of the case.
func openCustody(path string, flag int) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: it is not a regular file", path, ErrNotCase)
	}
	return os.OpenFile(path, flag, 0)
}

// isStill reports whether path is still the name of f.
func isStill(path string, f *os.File) bool {
	a, err := os.Lstat(path)
	if err != nil {
		return false
	}
	b, err := f.Stat()
	return err == nil && os.SameFile(a, b)
}
