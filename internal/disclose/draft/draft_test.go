package draft

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/lang"
)

func small(t testing.TB, tag, text string) *Draft {
	t.Helper()
	l, err := lang.Find(tag)
	if err != nil {
		t.Fatal(err)
	}
	return &Draft{Form: "public", Language: l, Title: l.Words("form.title.public"), Marking: l.Values("TLP:AMBER")[0], Outward: true,
		Claims: []Claim{{About: "messages", Number: true, Lower: 1, Upper: -1, Says: "at least 1"}},
		Sections: []Section{
			{ID: "correction", Heading: l.Words("form.head.correction"), Alert: true, Statements: []Statement{
				{About: "a", Said: l.Names(text)[0], Basis: Case, Refs: []string{text}}}},
			{ID: "who", Heading: l.Words("form.head.who"), Law: l.Words("form.law", "law", l.Words("regime.gdpr"), "article", lang.Value("33(1)")), Internal: true, Page: true,
				Greeting: l.Words("letter.greeting"), Statements: []Statement{
					{About: "b", Label: l.Words("form.label.reference"), Said: l.Values(text)[0], Basis: Facts, Refs: []string{"key"}, By: text},
					{About: "c", Label: l.Words("form.label.due"), Said: l.Words("state.unknown"), Basis: Open, Closes: []string{"key"}}}},
		}}
}

func render(t testing.TB, d *Draft, format string) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, d, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	want := `# Public statement

` + "`TLP:AMBER`" + `

**Draft. A person must check, complete and send it.**

## Correction

1\. x \[1\]

---

## Who reports (Regulation (EU) 2016/679 (GDPR), Article ` + "`33(1)`" + `) (not to be sent)

Dear Sir or Madam,

- Own reference: ` + "`1. x`" + ` \[2\]
- Due: not known **OPEN** \[3\]

---

## Annex: what each statement leans on

This annex is for those who check the draft. It is not to be sent.

- \[1\] Backed by the case: ` + "`1. x`" + `
- \[2\] Stated by 1. x: ` + "`key`" + `
- \[3\] Open; to be closed by: ` + "`key`" + `
`
	if diff := cmp.Diff(want, render(t, small(t, "en", "1. x"), "md")); diff != "" {
		t.Error(diff)
	}
}

func TestJSON(t *testing.T) {
	text := render(t, small(t, "ar", "x\u202e</script>"), "json")
	for _, want := range []string{`"schema": "barid.draft/1"`, `"says": "x[U+202E]\u003c/script\u003e"`, `"by": "x[U+202E]\u003c/script\u003e"`, `"basis": "open"`, `"closes": [`, `"internal": true`, `"tlp": "TLP:AMBER"`} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s:\n%s", want, text)
		}
	}
	e, err := ReadEarlier([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Earlier{"public", small(t, "ar", "").Claims}, e); diff != "" {
		t.Error(diff)
	}
}

func TestHTML(t *testing.T) {
	text := render(t, small(t, "ar", "<b>x\u202e"), "html")
	for _, want := range []string{`<html lang="ar" dir="rtl">`, `<body class="outward">`, `<bdi>&lt;b&gt;x[U+202E]</bdi>`, `<bdi dir="ltr">&lt;b&gt;x[U+202E]</bdi>`, `class="part alert"`, `class="part page internal"`, "<mark>"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s:\n%s", want, text)
		}
	}
}

// A draft in which a sentence leans on nothing is not written, not even a part of it.
func TestNothingIsWrittenWithoutBasis(t *testing.T) {
	for name, spoil := range map[string]func(*Statement){
		"basis":  func(s *Statement) { s.Basis = "" },
		"refs":   func(s *Statement) { s.Refs = nil },
		"open":   func(s *Statement) { *s = Statement{About: "x", Said: s.Said, Basis: Open} },
		"saying": func(s *Statement) { s.Said = lang.Words{} },
	} {
		for _, format := range Formats() {
			d := small(t, "en", "x")
			spoil(&d.Sections[0].Statements[0])
			var b strings.Builder
			if err := Write(&b, d, format); err == nil || b.Len() > 0 {
				t.Errorf("%s, %s: %v, %d bytes written", name, format, err, b.Len())
			}
		}
	}
}

func TestReadEarlierNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "not the JSON"},
		{"<html>", "not the JSON"},
		{"{}", `its schema is ""`},
		{`{"schema":"barid.draft/1","claims":[{"about":"a"},{"about":"a"}]}`, "twice"},
		{`{"schema":"barid.draft/1","claims":[{"about":"a","number":true,"lower":5,"upper":4}]}`, "no interval"},
	} {
		if _, err := ReadEarlier([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	num := func(lower, upper int64) Claim { return Claim{About: "n", Number: true, Lower: lower, Upper: upper} }
	val := func(v string, estimate bool) Claim { return Claim{About: "n", Value: v, Estimate: estimate} }
	open := Claim{About: "n", Open: true}
	for _, c := range []struct {
		name      string
		was, now  Claim
		corrected bool
		news      bool
	}{
		{"the same", num(1, 2), num(1, 2), false, false},
		{"narrower", num(0, 20), num(3, 3), false, true},
		{"bounded now", num(0, -1), num(0, 20), false, true},
		{"wider above", num(0, 3), num(0, 4), true, false},
		{"wider below", num(2, 3), num(1, 3), true, false},
		{"no bound any more", num(0, 3), num(0, -1), true, false},
		{"excluded, then seen", num(0, 0), num(1, 1), true, false},
		{"known now", open, val("true", false), false, true},
		{"open again", val("false", false), open, true, false},
		{"open again, of an estimate", val("7", true), open, true, false},
		{"something else", val("false", false), val("true", false), true, false},
		{"an estimate changes", val("7", true), val("9", false), false, true},
		{"never known", open, open, false, false},
	} {
		corrected, news := (&Earlier{Claims: []Claim{c.was}}).Compare([]Claim{c.now})
		if (len(corrected) > 0) != c.corrected || (len(news) > 0) != c.news {
			t.Errorf("%s: corrected %v, news %v", c.name, corrected, news)
		}
	}
	if corrected, _ := (&Earlier{Claims: []Claim{num(0, 0)}}).Compare(nil); len(corrected) != 1 || !corrected[0].Now.Open {
		t.Errorf("a question that is not asked any more: %v", corrected)
	}
}

// Whatever strangers write, a draft is well-formed, shows nothing hidden, and has the structure that it has without it.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"", "x", "\u202e\u2066", "<script>", "`a``b", "[x](http://y)", "\n# h\n---\n", "1. 2) - + =", "\\", "|", "\xff", "www.x.y a@b"} {
		f.Add(s)
	}
	plain := map[string]int{}
	for _, tag := range []string{"en", "ar"} {
		plain[tag] = strings.Count(render(f, small(f, tag, "x"), "md"), "\n")
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" {
			return
		}
		for _, tag := range []string{"en", "ar"} {
			for _, format := range Formats() {
				text := render(t, small(t, tag, s), format)
				if !utf8.ValidString(text) {
					t.Fatalf("%s: not UTF-8", format)
				}
				for _, r := range text {
					if r >= 0x202a && r <= 0x202e || r == 0x200e || r == 0x200f || r == 0x61c || unicode.IsControl(r) && r != '\n' {
						t.Fatalf("%s %s holds %U", tag, format, r)
					}
				}
				switch format {
				case "md":
					if n := strings.Count(text, "\n"); n != plain[tag] {
						t.Fatalf("%d lines, not %d:\n%s", n, plain[tag], text)
					}
				case "html":
					if strings.Count(text, "<") != strings.Count(render(t, small(t, tag, "x"), format), "<") {
						t.Fatalf("other tags:\n%s", text)
					}
				case "json":
					if _, err := ReadEarlier([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
