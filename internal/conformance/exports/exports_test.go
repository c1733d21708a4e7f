// Package exports_test holds what Barid exports of real cases against the official schemas: of the examples, and of cases whose evidence is under
// internal/conformance/reached. The program runs as people run it.
package exports_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/report/reporttest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

var program string

func TestMain(m *testing.M) { os.Exit(sharedtest.RunWithBarid(m, &program)) }

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("barid %v: %v\n%s", args, err, out)
	}
}

func TestExportsOfRealCasesAreValid(t *testing.T) {
	sharedtest.LookAtSources(t)
	root := sharedtest.Root(t)
	facts := filepath.Join(root, "examples", "facts")
	check := func(name, dir string, args ...string) {
		t.Run(name, func(t *testing.T) {
			made := filepath.Join(t.TempDir(), "case")
			run(t, dir, append([]string{"assess", "-q", "-o", made}, args...)...)
			for format, valid := range map[string]func(testing.TB, string){
				"stix": reporttest.CheckSTIX, "misp": reporttest.CheckMISP, "veris": reporttest.CheckVERIS, "cacao": reporttest.CheckCACAO, "navigator": reporttest.CheckNavigator,
				"ocsf": func(tb testing.TB, text string) { reporttest.CheckOCSF(tb, text) },
			} {
				file := filepath.Join(t.TempDir(), format)
				run(t, dir, "report", made, "--format", format, "-o", file)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				t.Run(format, func(t *testing.T) { valid(t, string(text)) })
			}
		})
	}
	for _, e := range []string{"flood", "imap-theft", "proxylogon"} {
		check(e, root, filepath.Join("examples", e))
	}
	check("m365-takeover", root, filepath.Join("examples", "m365-takeover"), "--facts", filepath.Join(facts, "m365-takeover.yaml"))
	cases, err := filepath.Glob(filepath.Join(root, "internal", "conformance", "reached", "testdata", "*"))
	if err != nil || len(cases) == 0 {
		t.Fatal(err, "no cases")
	}
	slices.Sort(cases)
	for i := 0; i < len(cases); i += max(len(cases)/8, 1) { // one in so many, of every letter
		evidence := filepath.Join(cases[i], "evidence")
		if _, err := os.Stat(evidence); err != nil {
			continue
		}
		args := []string{evidence}
		if f := filepath.Join(cases[i], "facts.yaml"); exists(f) {
			args = append(args, "--facts", f)
		}
		check(filepath.Base(cases[i]), cases[i], args...)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
