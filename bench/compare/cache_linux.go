package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// evict drops the files, and all in the folders, from the page cache, and says whether it could. Nothing else on the
// machine loses its cache by it, and nobody has to be root.
func evict(paths []string) bool {
	done := true
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if err := unix.Fdatasync(int(f.Fd())); err != nil && err != unix.EINVAL && err != unix.EROFS {
				return err // a page not yet written cannot be dropped
			}
			return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		})
		done = done && err == nil
	}
	return done
}
