package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packOf returns rules, each written as "id status relation:id…".
func packOf(t *testing.T, rules ...string) *Pack {
	t.Helper()
	p := &Pack{}
	for i, r := range rules {
		words := strings.Fields(r)
		text := fmt.Sprintf("title: T%d\nid: %s\nlogsource: {product: p}\ndetection: {s: {A: %d}, condition: s}\n", i, words[0], i)
		if len(words) > 1 && words[1] != "-" {
			text += "status: " + words[1] + "\n"
		}
		if len(words) > 2 {
			text += "related:\n"
			for _, w := range words[2:] {
				kind, id, _ := strings.Cut(w, ":")
				text += "    - {id: " + id + ", type: " + kind + "}\n"
			}
		}
		p.Add(Parse(words[0]+".yml", []byte(text)))
	}
	for _, r := range p.Rejected {
		t.Fatal(r)
	}
	return p
}

func TestSelection(t *testing.T) {
	f := func(status string, want string, rules ...string) {
		t.Helper()
		p := packOf(t, rules...)
		s := Selection{}
		if status != "" {
			s.Status = strings.Split(status, ",")
		}
		p.Select(s)
		var got []string
		for _, r := range p.Rules {
			got = append(got, r.ID)
		}
		for _, r := range p.LeftOut {
			got = append(got, r.ID+" "+r.Reason)
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%q of %q\ngot  %s\nwant %s", status, rules, g, want)
		}
	}
	all := []string{"a stable", "b test", "c experimental", "d deprecated", "e Unsupported", "f -", "g draft"}
	f("", "a; b; c; f; g; d its status is deprecated; e its status is unsupported", all...)
	f("stable,deprecated", "a; d; b its status is test; c its status is experimental; e its status is unsupported; f it has no status; g it has no status", all...)
	f("none", "f; g; a its status is stable; b its status is test; c its status is experimental; d its status is deprecated; e its status is unsupported", all...)

	f("", "new; old it is obsolete: the rule new (new.yml) is used in its place", "old test", "new test obsolete:old")
	f("", "new; old it is renamed: the rule new (new.yml) is used in its place", "new test renamed:old", "old test")
	f("", "new; old", "new test merged:old derived:old similar:old", "old test")
	f("", "NEW; old it is obsolete: the rule NEW (NEW.yml) is used in its place", "NEW - obsoletes:OLD obsolete:NEW", "old -")
	// One that is not used replaces nothing, one that is replaced still does.
	f("stable", "old; new its status is test", "old stable", "new test obsolete:old")
	f("", "c; a it is obsolete: the rule b (b.yml) is used in its place; b it is obsolete: the rule c (c.yml) is used in its place", "a -", "b - obsolete:a", "c - obsolete:b")
	f("", "a; b; c", "a - obsolete:b", "b - obsolete:c", "c - obsolete:a")
}

func TestRenamedRulesAreFound(t *testing.T) {
	p := packOf(t, "new - renamed:old renamed:older", "other - renamed:new")
	p.Select(Selection{})
	refs := p.references()
	f := func(name, id string) {
		t.Helper()
		got, problem := refs.find(name, "x.yml")
		if id == "" && problem == "" || id != "" && (got.rule == nil || got.rule.ID != id) {
			t.Errorf("%s is %v (%s), want %s", name, got, problem, id)
		}
	}
	f("old", "other") // which was new, which was old
	f("older", "other")
	f("new", "other")
	f("oldest", "")
}

func TestLoadPlaceholders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	f := func(want string, names ...string) {
		t.Helper()
		got, err := LoadPlaceholders(names...)
		text := fmt.Sprint(got)
		if err != nil {
			text = strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
		}
		if text != want {
			t.Errorf("%v\ngot  %s\nwant %s", names, text, want)
		}
	}
	yml := write("a.yml", "admins: [root, 'adm*']\n'%Servers%': srv1\nports: [25, 0x1f]\n")
	txt := write("Servers.txt", "\uFEFF# ours\r\nsrv2\r\n\r\n  srv\\*3  \nsrv1\n")
	f("map[Servers:[srv1] admins:[root adm*] ports:[25 0x1f]]", yml)
	f(`map[Servers:[srv2 srv\*3 srv1]]`, txt)
	f(`map[Servers:[srv1 srv2 srv\*3] admins:[root adm*] ports:[25 0x1f]]`, yml, txt)
	f(`map[Servers:[srv2 srv\*3 srv1] admins:[root adm*] ports:[25 0x1f]]`, dir)
	f("bad.conf:1:9: admins is a mapping: write a list", write("bad.conf", "admins: {a: b}\n"))
	f("bad.conf:2:2: not YAML: did not find expected ',' or ']'; close the [ or {, or quote it", write("bad.conf", "a: [b\nc: d\n"))
	f("bad.conf:1:1: the file of placeholders is a list: write it as lines of name: value", write("bad.conf", "- a\n"))
	f("map[]", write("bad.conf", ""))
	if _, err := LoadPlaceholders(filepath.Join(dir, "missing")); err == nil {
		t.Error("no error for a name that is not there")
	}
	os.Mkdir(filepath.Join(dir, "empty"), 0o755)
	f("empty: no file in it ends in .txt, .yml or .yaml", filepath.Join(dir, "empty"))
}
