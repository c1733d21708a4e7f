//go:build unix && !aix && !solaris

package casefile

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f until it is closed, or until the process ends.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}
