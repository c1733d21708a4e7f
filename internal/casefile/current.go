package casefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Unchanged fails where one of the files of the case in dir that are named is not as the chain of custody last has it: changed, missing, or there
// although the chain does not know it. It fails, too, where the chain itself does not hold. A file that is neither there nor in the chain is none.
func Unchanged(dir string, names ...string) error {
	log, err := readCustody(dir)
	if err != nil {
		return fmt.Errorf("the case cannot be checked: %w", err)
	}
	if len(log.broken) > 0 {
		return fmt.Errorf("%s: the chain of custody does not hold: run barid verify %s", filepath.Join(dir, CustodyFile), dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range names {
		want := ""
		for _, c := range slices.Backward(log.entries) {
			if c.Kind == KindCase && c.Path == name {
				want = c.SHA256
				break
			}
		}
		got, err := hashFile(root, name)
		file := filepath.Join(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && want == "":
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s is missing: the chain of custody has it with SHA-256 %s. Put it back, or take a copy of the case that is whole", file, want)
		case err != nil:
			return fmt.Errorf("%s: %w", file, err)
		case want == "":
			return fmt.Errorf("%s is not part of the case: the chain of custody has no line for it. Take it out, or give it with --facts", file)
		case !strings.EqualFold(got, want):
			return fmt.Errorf("%s was changed since it was put in custody (SHA-256 was %s, is %s). Put the old one back, or take a copy of the case that is whole", file, want, got)
		}
	}
	return nil
}
