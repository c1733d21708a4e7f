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

func TestRejectionsSayWhatIsWrong(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		p := Parse("r.yml", []byte(in))
		_, more := Compile(p, Options{})
		var got []string
		for _, r := range append(p.Rejected, more...) {
			got = append(got, r.Error())
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q\nfor %s", got, want, in)
		}
	}
	line := func(l, want string) { t.Helper(); f(ruleOf("    s:\n        "+l+"\n    condition: s\n"), want) }
	cond := func(c, want string) { t.Helper(); f(ruleOf("    s:\n        A: 1\n    condition: "+c+"\n"), want) }

	f(ruleOf("    s:\n        A: 1\n    condition: s\n"))
	f("")
	f("a: [", "r.yml:2:1: not YAML: did not find expected node content")
	f("a: b\n  c: d\n", "r.yml:2:4: not YAML: mapping values are not allowed in this context")
	f("- x\n", "r.yml:1:1: not a Sigma rule: the document is not a mapping")
	f("title: T\n", "r.yml:1:1: no detection")
	f("title: T\nlogsource: {product: p}\n", "r.yml:1:1: no detection")
	f("logsource: {product: p}\ndetection: {}\n", "r.yml:1:1: no title")
	f("title: T\ndetection: {s: {A: 1}, condition: s}\n", "r.yml:1:1: no logsource")
	f("title: T\nlogsource: {definition: x}\ndetection: {s: {A: 1}, condition: s}\n", "r.yml:2:12: logsource names no product, category or service")
	f("title: T\nlogsource: p\ndetection: {s: {A: 1}, condition: s}\n", "r.yml:2:12: logsource is not a mapping")
	f("title: [T]\ndetection: {}\n", "r.yml:1:8: title is not a text")
	f("title: T\nlevel: hight\nlogsource: {product: p}\ndetection: {s: {A: 1}, condition: s}\n",
		`r.yml:2:8: level "hight" is none of informational, low, medium, high, critical`)
	f("title: T\ntitle: U\n", `r.yml:2:1: "title" stands twice in the document`)
	f("title: T\ncorrelation: {type: event_count}\n", "r.yml:2:14: the correlation has no rules: name those whose matches it counts, by id or name")
	f("title: T\nlogsource: {product: p}\nfilter: {rules: any}\n", "r.yml:3:9: no condition")
	f("action: global\ntitle: T\n", "r.yml:1:9: action: global, of Sigma before 2.0, is not supported")
	// A bad document does not take the next one with it.
	f("title: T\n---\n"+ruleOf("    s:\n        A: 1\n    condition: t\n"), "r.yml:1:1: no detection",
		`r.yml:8:5: the condition names "t", which is no selection`)

	f(ruleOf("    s:\n        A: 1\n"), "r.yml:6:5: no condition")
	f(ruleOf("    s:\n        A: 1\n    timeframe: 5m\n    condition: s\n"), "r.yml:8:5: timeframe belongs to aggregations, which are not supported")
	f(ruleOf("    s: {}\n    condition: s\n"), "r.yml:6:8: s is empty")
	f(ruleOf("    s: []\n    condition: s\n"), "r.yml:6:8: s is empty")
	f(ruleOf("    s: ['']\n    condition: s\n"), "r.yml:6:9: an empty keyword is in every event")
	f(ruleOf("    s: [null]\n    condition: s\n"), "r.yml:6:9: null is no keyword")
	f(ruleOf("    s:\n        A: 1\n        A: 2\n    condition: s\n"), `r.yml:8:9: "A" stands twice in s`)

	line("A|contain: x", `r.yml:7:9: unknown modifier "contain"`)
	line("A|contains|contains: x", `r.yml:7:9: modifier "contains" stands twice`)
	line("A|contains|endswith: x", `r.yml:7:9: modifier "endswith" cannot follow "contains"`)
	line("A|contains|base64: x", `r.yml:7:9: modifier "base64" cannot follow "contains": encode first`)
	line("A|base64offset|wide|contains: xxxx", `r.yml:7:9: modifier "utf16le" cannot follow "base64offset"`)
	line("A|base64|contains: x*", "r.yml:7:28: base64 cannot encode wildcards or nothing")
	line("A|wide: é", `r.yml:7:17: utf16le of "é" is no text: only base64 may follow`)
	line("A|i: x", `r.yml:7:9: modifier "i" is for regular expressions: it must follow re`)
	line("A|contains|re: x", `r.yml:7:9: modifier "re" cannot follow "contains"`)
	line("A|re|endswith: x", `r.yml:7:9: modifier "endswith" cannot follow "re"`)
	line("A|re: 'a(?=b)'", "r.yml:7:15: regular expression: invalid or unsupported Perl syntax: `(?=`")
	line("A|cidr: 10.0.0.0/33", `r.yml:7:17: "10.0.0.0/33" is no network in CIDR notation`)
	line("A|cidr|contains: 10.0.0.0/8", `r.yml:7:9: modifier "contains" cannot follow "cidr"`)
	line("A|lt: x", `r.yml:7:15: lt takes a number, not "x"`)
	line("A|hour|contains: 1", `r.yml:7:9: modifier "contains" cannot follow "hour"`)
	line("A|exists: maybe", `r.yml:7:19: exists takes true or false, not "maybe"`)
	line("A|contains: null", "r.yml:7:21: null cannot be modified")
	line("A|fieldref: ''", "r.yml:7:21: fieldref names no field")
	line("'|exists': true", `r.yml:7:9: modifier "exists" needs a field`)
	line("A|expand: '%servers%'", "r.yml:7:19: placeholder %servers% has no values")
	line("A|windash: ' -a -b -c -d -e'", "r.yml:7:20: windash: more than 4 dashes in one value")
	line("A: {b: c}", "r.yml:7:12: the value of A is a mapping")
	line("A: [[b]]", "r.yml:7:13: a value of A is not a plain value")
	line("'': x", "r.yml:7:9: s has a field without a name")
	line("A: []", "r.yml:7:12: A has no values")

	cond("''", "r.yml:8:16: the condition is empty")
	cond("s and", "r.yml:8:16: the condition ends too early")
	cond("s s", `r.yml:8:16: the condition goes on after its end: "s"`)
	cond("(s", "r.yml:8:16: the condition lacks a closing parenthesis")
	cond("or s", `r.yml:8:16: the condition has "or" where a selection is expected`)
	cond("1 of", "r.yml:8:16: the condition has nothing after of")
	cond("0 of s*", `r.yml:8:16: the condition has "0" before of: all, any or a number above 0 is expected`)
	cond("2 of s*", `r.yml:6:5: the condition asks for 2 of "s*", of which there are 1`)
	cond("1 of t*", `r.yml:6:5: the condition asks for "t*", which is the name of no selection`)
	cond("s | count() > 5", "r.yml:8:16: the condition has an aggregation (|), which Sigma 2.0 removed and which is not supported")
	cond("[]", "r.yml:6:5: no condition")
	cond(strings.Repeat("not ", 200)+"s", "r.yml:8:16: the condition is nested too deeply")
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
		"rejected c/broken.yml:2:1: not YAML: did not find expected node content",
		"rejected b/other.yml:1: the rule 1 was already read from a/one.yml, with other content",
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
