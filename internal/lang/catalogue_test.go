package lang

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/content"
)

// required are the plural forms that a message needs in each language, where it has any.
var required = map[string][]string{
	"en": {"one", "other"},
	"fr": {"many", "one", "other"},
	"ar": {"few", "many", "one", "other", "two", "zero"},
}

func languages(t *testing.T) []*Language {
	t.Helper()
	var out []*Language
	for _, tag := range Tags() {
		l, err := Find(tag)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestEveryLanguageHasEveryMessageInEveryForm(t *testing.T) {
	all := languages(t)
	ids := map[string]bool{}
	for _, l := range all {
		for id := range l.messages {
			ids[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		var names []string
		plural := false
		for _, l := range all {
			m, ok := l.messages[id]
			if !ok {
				t.Errorf("%s: %s lacks it", id, l.tag)
				continue
			}
			plural = plural || m.plural()
			for form, segments := range m.forms {
				if len(segments) == 0 {
					t.Errorf("%s: %s: the form %q is empty", id, l.tag, form)
				}
				got := holes(segments, form)
				if names == nil {
					names = got
				}
				if !slices.Equal(got, names) {
					t.Errorf("%s: %s, form %q: placeholders %v, elsewhere %v", id, l.tag, form, got, names)
				}
			}
		}
		if !plural {
			continue
		}
		for _, l := range all {
			if got := slices.Sorted(maps.Keys(l.messages[id].forms)); !slices.Equal(got, required[l.tag]) {
				t.Errorf("%s: %s has the plural forms %v, and needs %v", id, l.tag, got, required[l.tag])
			}
		}
	}
}

// holes returns the placeholders, sorted. The number itself may be left to the words where a form is of one number: “رسالتين”.
func holes(segments []segment, form string) []string {
	out := []string{}
	for _, s := range segments {
		if s.hole && s.text != "n" {
			out = append(out, s.text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A number that the words of a form do not say must stand in it.
func TestFormsOfSeveralNumbersSayTheNumber(t *testing.T) {
	for _, l := range languages(t) {
		for id, m := range l.messages {
			if !m.plural() || !strings.HasPrefix(id, "count.") {
				continue
			}
			for _, form := range []string{"few", "many", "other"} {
				if s, ok := m.forms[form]; ok && !slices.Contains(s, segment{"n", true}) {
					t.Errorf("%s: %s: the form %q does not say the number", id, l.tag, form)
				}
			}
		}
	}
}

// How each script is set: see typeset, and glossary.yaml of each language.
func TestTextsAreSetAsTheirLanguageSetsThem(t *testing.T) {
	wrong := map[string]*regexp.Regexp{
		"fr": regexp.MustCompile(`'|"|[\p{L})}][;!?»]|[\p{L})}]:(\s|$)|«[^` + narrow + `]|\.\.\.|^ | $`),
		"ar": regexp.MustCompile(`\p{Arabic}[,;?]|[\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]|\x{640}[^ ]|[٠-٩]|\.\.\.|^ | $`),
		"en": regexp.MustCompile(`\.\.\.|^ | $`),
	}
	each(t, func(tag, file, key, s string) {
		l, _ := Find(tag)
		s = l.typeset(s)
		if key == "number.group" {
			return
		}
		if found := wrong[tag].FindString(s); found != "" {
			t.Errorf("%s/%s: %s: %q holds %q", tag, file, key, s, found)
		}
	})
}

// each calls f with every text of every language, as it stands in its file.
func each(t *testing.T, f func(tag, file, key, text string)) {
	t.Helper()
	fsys := content.Languages()
	for _, tag := range Tags() {
		files, err := fs.Glob(fsys, path.Join(tag, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatal(tag, err)
		}
		for _, file := range files {
			p, err := fs.ReadFile(fsys, file)
			if err != nil {
				t.Fatal(err)
			}
			if path.Base(file) == ruleFile {
				var r map[string]map[string]string
				if err := yaml.Unmarshal(p, &r); err != nil {
					t.Fatal(file, err)
				}
				for _, m := range r {
					for k, s := range m {
						f(tag, path.Base(file), k, s)
					}
				}
				continue
			}
			sections := map[string]map[string]text{"": {}}
			if path.Base(file) == phraseFile {
				err = yaml.Unmarshal(p, &sections)
			} else {
				var all map[string]text
				err = yaml.Unmarshal(p, &all)
				sections[""] = all
			}
			if err != nil {
				t.Fatal(file, err)
			}
			for _, all := range sections {
				for k, forms := range all {
					for _, s := range forms {
						f(tag, path.Base(file), k, s)
					}
				}
			}
		}
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"open", "a: 'x {y'", "a placeholder is {name}"},
		{"closed", "a: 'x y}'", "a } without {"},
		{"odd", "a: '{x y}'", "a placeholder is {name}"},
		{"form", "a: {eins: x, other: y}", "not a plural form"},
		{"no other", "a: {one: x}", "without the form"},
		{"twice", "language.dir: ltr", "another file of this language"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := mapFS{"en/glossary.yaml": "language.dir: ltr", "en/zz.yaml": c.text}
			all, err := load(fsys.fs())
			if err == nil {
				_, err = all[English]()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "en/zz.yaml") {
				t.Errorf("got %v, want an error that names en/zz.yaml and says %q", err, c.want)
			}
		})
	}
}
