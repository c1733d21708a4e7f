package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// What the system could not do is said of the files that people know.
func TestInWords(t *testing.T) {
	denied := errors.New("permission denied")
	for want, err := range map[string]error{
		"/x/case: permission denied":                                    &fs.PathError{Op: "mkdir", Path: "/x/.case.partial-1586064424", Err: denied},
		"cannot write store.bin: /x/case/store.bin: permission denied":  fmt.Errorf("cannot write store.bin: %w", &fs.PathError{Op: "write", Path: "/x/.case.partial-371135501/.writing-store.bin", Err: denied}),
		"cannot write /x/r.html: /x/r.html: permission denied, at once": fmt.Errorf("cannot write /x/r.html: %w, at once", &fs.PathError{Op: "open", Path: "/x/.r.html.partial-3", Err: denied}),
		"/x/case: permission denied, twice":                             fmt.Errorf("%w, twice", &os.LinkError{Op: "rename", Old: "/x/.case.partial-9", New: "/x/case", Err: denied}),
		"there is no level \"x\"":                                       errors.New("there is no level \"x\""),
	} {
		if got := failed(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
