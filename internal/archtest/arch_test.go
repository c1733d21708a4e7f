// Package archtest holds the tests that fail when the house is no longer built to its plan: ARCHITECTURE.md.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/sharedtest"
)

const module = "github.com/barid-dfir/barid/"

// allowed names, for every package or folder of packages, what of ours it may import. Data flows from the first line to
// the last; nothing imports what comes after it.
var allowed = []struct {
	folder  string
	imports []string
}{
	{"evtx", nil},
	{"internal/literal", nil},
	{"internal/spill", nil},
	{"internal/timestamp", nil},
	{"internal/event", []string{"evtx"}},
	{"internal/cell", []string{"internal/event"}},
	{"internal/strictyaml", nil},
	{"sigma", []string{"internal/event", "internal/literal", "internal/spill", "evtx"}},
	{"internal/evidence", nil},
	{"content", nil},
	{"internal/logs", []string{"internal/event", "internal/logs", "evtx", "content"}},
	{"internal/detect", []string{"internal/event", "sigma", "evtx"}},
	{"internal/tally", []string{"internal/event", "internal/detect", "internal/logs", "internal/spill"}},
	{"internal/casefile", []string{"internal/event", "internal/detect", "internal/spill", "internal/timestamp"}},
	{"internal/judge", []string{"internal/casefile", "internal/detect", "internal/event", "internal/logs", "internal/spill", "internal/strictyaml", "internal/tally"}},
	{"internal/lang", []string{"internal/event", "content"}},
	{"internal/disclose", []string{"internal/casefile", "internal/cell", "internal/disclose", "internal/event", "internal/lang", "internal/strictyaml", "content"}},
	{"internal/report", []string{"internal/casefile", "internal/cell", "internal/report", "internal/detect", "internal/event", "internal/lang", "content"}},
	{"internal/pipeline", []string{"internal/event", "internal/evidence", "internal/logs", "internal/detect", "internal/tally", "internal/casefile", "internal/judge", "internal/disclose", "internal/lang", "internal/report", "sigma", "content"}},
	{"cmd/barid", []string{"internal/casefile", "internal/detect", "internal/disclose", "internal/event", "internal/evidence", "internal/judge", "internal/lang", "internal/pipeline", "internal/report", "internal/tally", "content", "sigma", "internal/timestamp"}},
}

func TestImportsFollowThePlan(t *testing.T) {
	root := sharedtest.Root(t)
	each(t, root, func(path string, f *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		i := slices.IndexFunc(allowed, func(a struct {
			folder  string
			imports []string
		}) bool {
			return within(dir, a.folder)
		})
		if i < 0 {
			return // examples, benchmarks, test helpers
		}
		for _, im := range f.Imports {
			target, ours := strings.CutPrefix(strings.Trim(im.Path.Value, `"`), module)
			if !ours {
				continue
			}
			if !slices.ContainsFunc(allowed[i].imports, func(a string) bool { return within(target, a) }) {
				t.Errorf("%s imports %s: %s may import only %v. Move the code, or change the plan in ARCHITECTURE.md and here",
					path, target, allowed[i].folder, allowed[i].imports)
			}
		}
	})
}

// The event path turns nothing into maps or JSON values before a rule has matched.
func TestNoMapPerEvent(t *testing.T) {
	root := sharedtest.Root(t)
	each(t, root, func(path string, f *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir != "internal/event" && dir != "evtx" && !within(dir, "internal/logs") {
			return
		}
		for _, im := range f.Imports {
			if p := strings.Trim(im.Path.Value, `"`); p == "encoding/json" || p == "reflect" || p == "regexp" {
				t.Errorf("%s imports %s: readers make events of views into the evidence", path, p)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if m, ok := n.(*ast.MapType); ok {
				if v, ok := m.Value.(*ast.Ident); ok && (v.Name == "any" || v.Name == "Value") {
					t.Errorf("%s: map of %s: an event is a Shape and a row of values", path, v.Name)
				}
			}
			return true
		})
	})
}

// Nothing is sent anywhere, but a question to a time stamping authority that a person names.
func TestOnlyTimestampUsesTheNetwork(t *testing.T) {
	each(t, sharedtest.Root(t), func(path string, f *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "internal/timestamp" || within(dir, "bench") {
			return
		}
		for _, im := range f.Imports {
			if p := strings.Trim(im.Path.Value, `"`); p == "net" || p == "net/http" || p == "crypto/tls" {
				t.Errorf("%s imports %s: only internal/timestamp uses the network", path, p)
			}
		}
	})
}

func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// each parses every Go file of the product, tests and their helpers apart.
func each(t *testing.T, root string, do func(path string, f *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		name := d.Name()
		if d.IsDir() {
			if strings.HasPrefix(name, ".") && rel != "." || name == "testdata" || name == "logtest" || strings.HasSuffix(name, "test") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		do(filepath.ToSlash(rel), f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
