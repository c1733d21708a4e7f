package sigma

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// ruleOf returns a rule with the given detection, indented by four.
func ruleOf(detection string) string {
	return "title: T\nid: 1\nlogsource:\n    product: p\ndetection:\n" + detection
}

func TestABadDocumentDoesNotTakeTheNextWithIt(t *testing.T) {
	p := Parse("r.yml", []byte("title: T\n---\n"+ruleOf("    s:\n        A: 1\n    condition: t\n")+"---\n"+ruleOf("    s:\n        A: 1\n    condition: s\n")))
	if len(p.Rules) != 1 || len(p.Rejected) != 2 || p.Rejected[0].Line != 1 || p.Rejected[1].Line != 10 {
		t.Errorf("rules %v, rejected %v", p.Rules, p.Rejected)
	}
	if p := Parse("r.yml", nil); len(p.Rules)+len(p.Rejected) != 0 {
		t.Errorf("of nothing: %v", p)
	}
}

func TestParseKeepsWhatARuleSays(t *testing.T) {
	p := Parse("x.yml", []byte("\n---\ntitle: Beacon\nid: 7\nstatus: test\nlevel: HIGH\nauthor: A. N. Example\ntags: [attack.t1071]\nfalsepositives:\n    - Backups\n"+
		"references: [https://example.org/]\ndescription: D\nlogsource: {product: Windows, service: Sysmon}\ndetection: {s: {A: 1}, condition: s}\n"))
	if len(p.Rejected) > 0 || len(p.Rules) != 1 {
		t.Fatalf("rules %v, rejected %v", p.Rules, p.Rejected)
	}
	r := p.Rules[0]
	got := []any{r.Title, r.ID, r.Status, r.Level, r.Author, r.Description, r.Tags[0], r.FalsePositives[0], r.References[0], r.LogSource, r.Path, r.Line}
	want := []any{"Beacon", "7", "test", "high", "A. N. Example", "D", "attack.t1071", "Backups", "https://example.org/",
		LogSource{Product: "windows", Service: "sysmon"}, "x.yml", 3}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestAliasesDoNotExplode(t *testing.T) {
	bomb := "title: T\nlogsource: {product: p}\ndetection:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for _, l := range "bcdefghi" {
		before := string(l - 1)
		bomb += "  " + string(l) + ": &" + string(l) + " [" + strings.TrimSuffix(strings.Repeat("*"+before+", ", 10), ", ") + "]\n"
	}
	p := Parse("bomb.yml", []byte(bomb+"  condition: a\n"))
	if len(p.Rules) != 0 || len(p.Rejected) != 1 {
		t.Errorf("rules %v, rejected %v; want one rejection", p.Rules, p.Rejected)
	}
	Parse("self.yml", []byte("title: T\nlogsource: {product: p}\ndetection:\n  a: &a\n    - *a\n  condition: a\n"))
}

func TestLoadReadsFoldersAndZipsAlike(t *testing.T) {
	one := ruleOf("    s:\n        A: 1\n    condition: s\n")
	files := map[string]string{
		"a/one.yml":       one,
		"b/copy.yaml":     one,
		"b/other.yml":     strings.Replace(one, "A: 1", "A: 2", 1),
		"c/mapping.yml":   "title: not a rule\nlogsources: {}\n",
		"c/notes.txt":     "title: T",
		"c/broken.yml":    "a: [",
		"c/noid.yml":      strings.Replace(one, "id: 1\n", "", 1),
		"c/two-docs.yml":  strings.Replace(one, "id: 1", "id: 2", 1) + "---\n" + strings.Replace(one, "id: 1", "id: 3", 1),
		"c/d/nothing.yml": "",
	}
	dir := t.TempDir()
	mem := fstest.MapFS{}
	zipped, err := os.Create(filepath.Join(t.TempDir(), "rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(zipped)
	for name, content := range files {
		mem[name] = &fstest.MapFile{Data: []byte(content)}
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(content))
	}
	z.Close()
	zipped.Close()
	want := []string{
		"rule a/one.yml", "rule c/noid.yml", "rule c/two-docs.yml", "rule c/two-docs.yml",
		"rejected c/broken.yml:2:1: not YAML: did not find expected node content; close the [ or {, or quote it",
		"rejected b/other.yml:1: the rule 1 was already read from a/one.yml, with other content: give one of them another id",
		"skipped c/d/nothing.yml", "skipped c/mapping.yml",
	}
	check := func(p *Pack, err error, prefix string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Rules {
			got = append(got, "rule "+r.Path)
		}
		for _, r := range p.Rejected {
			got = append(got, "rejected "+r.Error())
		}
		for _, s := range p.Skipped {
			got = append(got, "skipped "+s)
		}
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], prefix, "")
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	p, err := Load(dir)
	check(p, err, dir+string(filepath.Separator))
	p, err = Load(zipped.Name())
	check(p, err, zipped.Name()+"!")
	p, err = LoadFS(mem)
	check(p, err, "\x00")
	if p, err := Load(filepath.Join(dir, "a", "one.yml")); err != nil || len(p.Rules) != 1 {
		t.Errorf("a single file: %v, %v", p, err)
	}
	if _, err := Load(filepath.Join(dir, "missing")); err == nil {
		t.Error("no error for a name that is not there")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ruleOf("    s:\n        A|contains: [x, 'y*z']\n    condition: s\n")))
	f.Add([]byte(ruleOf("    s: [a, {B|re|i: 'x+'}]\n    t:\n        C|windash|contains|all: [' -a', '*']\n    condition: 1 of s* and not t\n")))
	f.Add([]byte("a: &a [*a]\n---\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Parse("f.yml", data)
		for _, r := range p.Rejected {
			if r.Reason == "" {
				t.Error("a rejection without a reason")
			}
		}
		Compile(p, Options{})
	})
}
