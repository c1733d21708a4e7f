package sharedtest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// RunWithBarid builds barid, sets program to its path, runs the tests and returns the exit status: for TestMain of packages that run the
// program as people do.
func RunWithBarid(m *testing.M, program *string) int {
	dir, err := os.MkdirTemp("", "barid-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*program = filepath.Join(dir, "barid")
	if out, err := exec.Command("go", "build", "-o", *program, "github.com/barid-dfir/barid/cmd/barid").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// LookAtSources opens the folders that the program is built from: Go gives a test's result of before while nothing has changed that it saw
// the test look at, and it does not see what the compiler reads.
func LookAtSources(tb testing.TB) {
	tb.Helper()
	for _, dir := range []string{"cmd", "content", "evtx", "internal", "sigma"} {
		err := filepath.WalkDir(filepath.Join(Root(tb), dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}
