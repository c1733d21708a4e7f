//go:build unix

package evidence

import (
	"io/fs"
	"os"
	"syscall"
)

// openRegular opens a file for reading. O_NONBLOCK keeps a named pipe that took the file's place from blocking for ever.
func openRegular(name string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY
	if noAccessTime != 0 {
		if f, err := os.OpenFile(name, flags|noAccessTime, 0); err == nil {
			return f, nil
		}
	}
	return os.OpenFile(name, flags, 0)
}

// fileKey tells files apart whatever their names.
type fileKey struct{ device, inode uint64 }

// keyOf returns the key of a file, and whether it has more than one name.
func keyOf(_ string, info fs.FileInfo) (key fileKey, linked, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return key, false, false
	}
	return fileKey{uint64(st.Dev), uint64(st.Ino)}, st.Nlink > 1, true
}
