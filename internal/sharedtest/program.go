package sharedtest

import (
	"fmt"
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
