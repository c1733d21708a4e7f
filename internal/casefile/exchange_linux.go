package casefile

import "golang.org/x/sys/unix"

// exchange swaps two folders in one step (renameat2(2), RENAME_EXCHANGE), and reports whether the file system could.
func exchange(a, b string) bool {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil
}
