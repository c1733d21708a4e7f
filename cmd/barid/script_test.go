package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/internal/timestamp/tsatest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"barid": main})
}

// The scripts in testdata say what the command line does. UPDATE_GOLDEN=1 writes what differs into them.
func TestScripts(t *testing.T) {
	root := sharedtest.Root(t)
	authority := &tsatest.Authority{}
	if _, err := exec.LookPath("openssl"); err == nil { // custody.txt asks as well
		authority = tsatest.New(t, "sha256")
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE_GOLDEN") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("TSA", authority.URL)
			e.Setenv("TSA_ROOTS", authority.Roots)
			e.Setenv("TSA_CONFIG", authority.Config)
			return nil
		},
	})
}
