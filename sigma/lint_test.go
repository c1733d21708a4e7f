package sigma

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files of what is said about rules")

// golden compares text with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Errorf("missing: %s", w[i])
		case i >= len(w):
			t.Errorf("too much: %s", g[i])
		case g[i] != w[i]:
			t.Fatalf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
}

// Every file in testdata/broken has one defect.
func TestEveryDefectIsExplained(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "broken", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	var out strings.Builder
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := Parse(filepath.Base(name), data)
		_, more := Compile(p, Options{Placeholders: map[string][]string{"admins": {"root", "adm*"}, "a": {"x"}}})
		said := append(p.Rejected, more...)
		if len(said) != 1 {
			t.Errorf("%s: %d rejections, want one", name, len(said))
		}
		for _, r := range said {
			out.WriteString(r.Error() + "\n")
			if r.Line == 0 || r.Column == 0 || r.Reason == "" || strings.Contains(r.Error(), "\n") {
				t.Errorf("%s: %q has no place, or is no line", name, r.Error())
			}
		}
	}
	golden(t, filepath.Join("testdata", "broken", "want.txt"), out.String())
}

// Whatever modifiers a line has: they can be used, or what the rejection says to write instead can.
func TestMendedModifiersCanBeUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom(append(modifierNames[:], "contain", "startswit", "")), 1, 5).Draw(t, "modifiers")
		_, at, why := scanModifiers(names)
		if why == "" {
			return
		}
		mend := mendModifiers(names, at)
		if mend == "" {
			t.Fatalf("%q: %s, and nothing about how to mend it", names, why)
		}
		if written, ok := strings.CutPrefix(mend, "|"); ok {
			if _, _, why := scanModifiers(strings.Split(written, "|")); why != "" {
				t.Fatalf("%q: %s cannot be used either: %s", names, mend, why)
			}
		}
	})
}

// Every file in testdata/lint has one thing to be warned of, but for those that say they have none.
func TestWarnings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "lint", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	var out strings.Builder
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := Parse(filepath.Base(name), data)
		for _, r := range p.Rejected {
			t.Error(r)
		}
		want := 1
		if strings.HasSuffix(name, "-is-none.yml") {
			want = 0
		}
		found := p.Lint()
		if len(found) != want {
			t.Errorf("%s: %d warnings, want %d: %v", name, len(found), want, found)
		}
		for _, w := range found {
			out.WriteString(w.String() + "\n")
		}
	}
	golden(t, filepath.Join("testdata", "lint", "want.txt"), out.String())
}
