package sigma

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// dumpYAML writes all that is read of nodes.
func dumpYAML(b *strings.Builder, n *yaml.Node, depth int) {
	fmt.Fprintf(b, "%*s%d:%d kind %d style %d %s %q %q\n", depth, "", n.Line, n.Column, n.Kind, n.Style, n.Tag, n.Value, n.Anchor)
	for _, c := range n.Content {
		dumpYAML(b, c, depth+1)
	}
}

// slowYAML returns what go-yaml reads in data.
func slowYAML(data []byte) (string, error) {
	var b strings.Builder
	docs := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var root yaml.Node
		err := docs.Decode(&root)
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		dumpYAML(&b, resolve(&root), 0)
	}
}

// checkYAML compares both readers, and reports whether the fast one read data.
func checkYAML(tb interface {
	Helper()
	Errorf(string, ...any)
}, data []byte) bool {
	tb.Helper()
	tops, ok := new(yamlReader).read(data)
	if !ok {
		return false
	}
	want, err := slowYAML(data)
	if err != nil {
		tb.Errorf("%q was read, and should be refused: %v", data, err)
		return true
	}
	var b strings.Builder
	for _, n := range tops {
		dumpYAML(&b, n, 0)
	}
	if got := b.String(); got != want {
		tb.Errorf("%q is read as\n%s\nwant\n%s", data, got, want)
	}
	return true
}

func TestYAMLOfEveryRule(t *testing.T) {
	f := func(name string, fsys fs.FS, minRead float64) {
		t.Helper()
		files, read := 0, 0
		err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !isRuleFile(name) {
				return err
			}
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			files++
			if checkYAML(t, data) {
				read++
			} else if testing.Verbose() {
				t.Log("left to go-yaml:", name)
			}
			crlf := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
			checkYAML(t, crlf)
			checkYAML(t, data[:len(data)*2/3])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: read %d of %d files", name, read, files)
		if float64(read) < minRead*float64(files) {
			t.Errorf("%s: only %d of %d files are read without go-yaml", name, read, files)
		}
	}
	f("content", content.Rules(), 0.9)
	f("fields", content.Fields(), 0)
	z, err := zip.OpenReader(sharedtest.Path(t, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f("SigmaHQ", z, 0.99)
}

// TestYAMLReaderIsUsedAgain reads one text after another with the same reader.
func TestYAMLReaderIsUsedAgain(t *testing.T) {
	var r yamlReader
	for range 2 {
		for _, s := range yamlSeeds {
			tops, ok := r.read([]byte(s))
			fresh, want := new(yamlReader).read([]byte(s))
			if ok != want || len(tops) != len(fresh) {
				t.Fatalf("%q: read %v, want %v", s, ok, want)
			}
			var a, b strings.Builder
			for i := range tops {
				dumpYAML(&a, tops[i], 0)
				dumpYAML(&b, fresh[i], 0)
			}
			if a.String() != b.String() {
				t.Errorf("%q is read as\n%s\nwant\n%s", s, a.String(), b.String())
			}
		}
	}
}

// FuzzYAML looks for a text that is read otherwise than by go-yaml, or that go-yaml does not take.
func FuzzYAML(f *testing.F) {
	for _, s := range yamlSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkYAML(t, data) })
}

// yamlSeeds are texts near the edges of what is read; some are left to go-yaml.
var yamlSeeds = []string{
	"a: b\n", "a:\n- b\n- c\nd: e", "a:\n    - b: c\n      d: e\n    - f\n", "a:\n  b\n  c\n\n  d\ne: f # g\n",
	"a: |\n  b\n   c\n\n  d\n\ne: >\n  f\n  g\n   h\n\n  i\n", "a: |-\n  b\n", "a: |\n  b", "a: |\n\n  b\n \n  c\n  ",
	"'a b': \"c\\\\d\\\"\"\n\"e\": 'f''g'\n", "a: 1\nb: -1.5\nc: 2022-02-30\nd: 0x1F\ne: ~\nf: yes\ng: True\nh: .5\ni: +7\nj: 1_000\nk: 010\n",
	"---\na: b\n---\nc: d\n", "# a\na: # b\n  # c\n  b: c\n# d\n", "a:\n-\n- b\n-\n  c: d\n-   e: f\n    g: h\n",
	"- a\n", "a: - b\n", "a: b: c\n", "a: [b, c]\n", "a: &b c\nd: *b\n", "é: ü # ö\nà:\n  - œ: 日本\n", "a\r\n", "a: b\r\nc:\r\n  - d\r\n",
	"a: b#c\nd: e:f\ng: -h\ni: ?j\nk: :l\n", "a: 'b\n  c'\n", "a:\n  b:\n c:\n", "a:\n    - b\n   - c\n", "a: b\n  # c\n  d\n", "a : b\n",
	"a:\n- - b\n  - c\n- d\n", "a: b\n...\nc: d\n", "<<: a\n? b\n: c\n", "a: \"\\x41\\u00e9\\n\"\n", "a: |2\n   b\n", "a: |+\n  b\n\n", "a: >-\n\n  b\n  c\n",
	"a: 2024-01-31\nb: 2024-04-31\nc: 2024-08-31\nd: 2024-13-01\ne: 2023-02-29\nf: 2023-09-31\ng: 2023-12-31\nh: 2024-1-2\n", "a: 1e-5-2\nb: 12345-1-1\nc: 0ad03ef1-f21b-4a79-8ce8-e6900c54b65b\nd: 1.2.3.4\ne: -.inf\n",
	"a: null\nb:\nc: ''\n", "  a: b\n  c: d\n", "a: b \nc:  d  # e\n", "a: |  \n    b  \n    \n", "a: -\n", "a: --- b\n", "a:\n  --- b\n",
}

func TestYAMLSeeds(t *testing.T) {
	read := 0
	for _, s := range yamlSeeds {
		if checkYAML(t, []byte(s)) {
			read++
		} else {
			t.Logf("left to go-yaml: %q", s)
		}
	}
	t.Logf("read %d of %d", read, len(yamlSeeds))
}

// TestYAMLPuzzles puts texts together of pieces that matter to a reader of YAML.
func TestYAMLPuzzles(t *testing.T) {
	pieces := []string{"a", "b", "key:", "k: ", ": ", ":", "- ", "-", " ", "  ", "    ", "\n", "\n", "\n  ", "\n    ", "\n- ", "\n  - ", "\n\n", "#", " # c", "'", "''", "'q'",
		"\"", "\"q\"", "\\", "\\n", "|", "|-", "| ", ">", ">-", "|\n  t", ">\n  t", "---", "\n---\n", "...", "?", "? ", "~", "null", "1", "-1", "2020-01-31", "0o7", "1e3", ".5", "true", "é",
		"&x ", "*x", "!t ", "[", "]", "{", ",", "%", "@", "\t", "\r\n", "\uFEFF", "\u0085", "k: v\n", "l:\n- a\n- b\n", "m:\n  n: o\n  p:\n    - q\n", "- r: s\n  t: u\n"}
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 24).Draw(t, "pieces"), "")
		if checkYAML(t, []byte(s)) || checkYAML(t, []byte("k:"+s)) || checkYAML(t, []byte("k: |\n "+s)) {
			read++
		}
	})
	t.Logf("read %d", read)
}

// BenchmarkYAML compares both readers over the rules of SigmaHQ.
func BenchmarkYAML(b *testing.B) {
	z, err := zip.OpenReader(sharedtest.Path(b, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	var texts [][]byte
	size := 0
	for _, f := range z.File {
		if f.Mode().IsRegular() && isRuleFile(f.Name) {
			data, err := fs.ReadFile(z, f.Name)
			if err != nil {
				b.Fatal(err)
			}
			texts = append(texts, data)
			size += len(data)
		}
	}
	f := func(name string, read func([]byte)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			report := reportCPU(b)
			for b.Loop() {
				for _, data := range texts {
					read(data)
				}
			}
			report()
		})
	}
	var r yamlReader
	f("Own", func(data []byte) { r.read(data) })
	f("GoYAML", func(data []byte) {
		docs := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var root yaml.Node
			if docs.Decode(&root) != nil {
				return
			}
		}
	})
}
