package reporttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// compiler returns a compiler that knows the schemas in a folder by the addresses they give themselves, and asserts formats.
func compiler(tb testing.TB, dir string) *jsonschema.Compiler {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			return err
		}
		if m, ok := doc.(map[string]any); ok {
			delete(m, "$id") // files of a folder refer to each other by their paths
			delete(m, "id")
		}
		return c.AddResource(fileURL(path), doc)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func fileURL(path string) string { return "file://" + filepath.ToSlash(path) }

// known are the schemas that were compiled, which takes longer than a check.
var known = struct {
	sync.Mutex
	compilers map[string]*jsonschema.Compiler
	schemas   map[string]*jsonschema.Schema
}{compilers: map[string]*jsonschema.Compiler{}, schemas: map[string]*jsonschema.Schema{}}

// official compiles schemas of a folder of shared/schemas; the test is skipped where they are not there.
func official(tb testing.TB, folder string) func(file string) *jsonschema.Schema {
	tb.Helper()
	dir, err := filepath.Abs(sharedtest.Path(tb, "schemas", folder))
	if err != nil {
		tb.Fatal(err)
	}
	known.Lock()
	defer known.Unlock()
	c := known.compilers[folder]
	if c == nil {
		c = compiler(tb, dir)
		known.compilers[folder] = c
	}
	return func(file string) *jsonschema.Schema {
		tb.Helper()
		known.Lock()
		defer known.Unlock()
		if s := known.schemas[folder+"/"+file]; s != nil {
			return s
		}
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			return nil
		}
		s, err := c.Compile(fileURL(filepath.Join(dir, file)))
		if err != nil {
			tb.Fatal(err)
		}
		known.schemas[folder+"/"+file] = s
		return s
	}
}

// decode reads one JSON value as the validator wants it.
func decode(tb testing.TB, text string) any {
	tb.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		tb.Fatalf("%v in %.300s", err, text)
	}
	return v
}

// Shown fails where an output is not UTF-8, or has a character in it that acts on who shows it.
func Shown(tb testing.TB, text string) {
	tb.Helper()
	if !utf8.ValidString(text) {
		tb.Error("not UTF-8")
	}
	for _, r := range text {
		if r != '\n' && (event.Hidden(r) || unicode.IsControl(r)) {
			tb.Errorf("%U stands in it as it is", r)
			return
		}
	}
}

// texts calls do with every string in a JSON value, and the name of the field that it stands in.
func texts(v any, field string, do func(field, s string)) {
	switch v := v.(type) {
	case string:
		do(field, v)
	case []any:
		for _, x := range v {
			texts(x, field, do)
		}
	case map[string]any:
		for k, x := range v {
			do(field, k)
			texts(x, k, do)
		}
	}
}

// Silent fails where an output names one of whom the invented cases say that they are secret.
func Silent(tb testing.TB, text string) {
	tb.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		tb.Fatal(err)
	}
	texts(v, "", func(field, s string) {
		if strings.Contains(strings.ToLower(s), "secret") {
			tb.Errorf("%s names %q", field, s)
		}
	})
}
