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
	"github.com/barid-dfir/barid/internal/event"
)

// templates returns the phrasebook of a language as it stands in its file: section, English, text.
func templates(t *testing.T, tag string) map[string]map[string]text {
	t.Helper()
	p, err := fs.ReadFile(content.Languages(), path.Join(tag, phraseFile))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]text
	if err := yaml.Unmarshal(p, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// counts is what counts things in English.
var counts = regexp.MustCompile(`\{n\} [a-z]`)

func TestPhrasebooksHaveTheSameSentences(t *testing.T) {
	fr, ar := templates(t, "fr"), templates(t, "ar")
	for _, pair := range [][2]map[string]map[string]text{{fr, ar}, {ar, fr}} {
		for section, all := range pair[0] {
			for english := range all {
				if _, ok := pair[1][section][english]; !ok {
					t.Errorf("%s: %q is in one phrasebook only", section, english)
				}
			}
		}
	}
	for tag, book := range map[string]map[string]map[string]text{"fr": fr, "ar": ar} {
		for section, all := range book {
			for english, says := range all {
				pieces, err := piecesOf(english)
				if err != nil {
					t.Fatal(err)
				}
				want := []string{}
				for _, p := range pieces {
					if p.hole != "" {
						want = append(want, p.hole)
					}
				}
				slices.Sort(want)
				if len(says) > 1 {
					if got := slices.Sorted(maps.Keys(says)); !slices.Equal(got, required[tag]) {
						t.Errorf("%s, %s: %q has the forms %v, and needs %v", tag, section, english, got, required[tag])
					}
				} else if slices.Contains(want, "n") && counts.MatchString(english) && tag == "fr" {
					t.Errorf("%s, %s: %q counts, and has one form only", tag, section, english)
				}
				for form, s := range says {
					segments, err := split(s)
					if err != nil {
						t.Errorf("%s, %s: %q: %v", tag, section, english, err)
					}
					got := holes(segments, form)
					if without := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "n" }); !slices.Equal(got, without) {
						t.Errorf("%s, %s: %q, form %q: placeholders %v, want %v", tag, section, english, form, got, without)
					}
				}
			}
		}
	}
}

func TestPhrase(t *testing.T) {
	for _, c := range []struct{ tag, english, want string }{
		{"fr", "Of a way in there is no log, or none that covers all of the time. There is no log of imap.",
			"D’une voie d’accès il n’existe pas de journal, ou aucun qui couvre toute la période. Il n’existe pas de journal pour imap."},
		{"fr", "2 records of ana from 192.0.2.7 since 2024-03-02 10:00:00, S1 and 3 more, 2024-03-02 10:00:00 to 10:05:00 UTC.",
			"2 enregistrements (ana depuis 192.0.2.7 à partir du 2024-03-02 10:00:00, S1 et 3 autres), 2024-03-02 10:00:00 – 10:05:00 UTC."},
		{"fr", "no log tells what was read: records are missing, 2024-03-02 10:00 to 2024-03-03 11:00 (1,234 of 5,000 requests that a.b has are not in iis.w3svc1)",
			"aucun journal ne dit ce qui a été lu" + narrow + ": des enregistrements manquent, 2024-03-02 10:00 – 2024-03-03 11:00 (1" + narrow + "234 sur 5" + narrow + "000 requêtes présentes dans a.b manquent dans iis.w3svc1)"},
		{"ar", "One record of S1, 2024-03-02 10:00:00 UTC.", "قيد واحد من \u2066S1\u2069، \u20662024-03-02 10:00:00 UTC\u2069."},
		{"ar", "11 records.", "11 قيدًا."},
		{"ar", "And 2 more gaps.", "وفجوتان أخريان."},
		{"en", "One record of S1.", "One record of S1."},
	} {
		got, ok := find(t, c.tag).Phrase(c.english)
		if !ok || got != c.want {
			t.Errorf("%s %q (%v)\n got %q\nwant %q", c.tag, c.english, ok, got, c.want)
		}
	}
}

// What the phrasebook lacks stays as it is, marked; what it has is said all the same.
func TestPhraseThatIsNotThere(t *testing.T) {
	l := find(t, "fr")
	got, ok := l.Phrase("11 records. Nobody wrote <this> down. The account was disabled.")
	if want := "11 enregistrements. [en] Nobody wrote <this> down. Le compte a été désactivé."; ok || got != want {
		t.Errorf("got %q (%v), want %q", got, ok, want)
	}
	if got, want := string(l.PhraseHTML("Nobody wrote <this> down.")), `<span lang="en" dir="ltr">Nobody wrote &lt;this&gt; down.</span>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if w := l.RuleTitle("Somebody's <Rule>"); string(w.HTML()) != `<span lang="en" dir="ltr">Somebody&#39;s &lt;Rule&gt;</span>` {
		t.Error(w.HTML())
	}
}

// A text that can be cut in ever so many ways ends, one way or another, and nothing of it is lost.
func TestHostileSentencesEnd(t *testing.T) {
	l := find(t, "ar")
	for _, s := range []string{
		strings.Repeat("the same address as a from b (c, d) (P2): ", 150),
		strings.Repeat("a, but ", 1000),
		strings.Repeat("One record of ", 500),
		strings.Repeat("x; ", 2500),
		strings.Repeat(". ", 4000),
		"mailbox " + strings.Repeat("(", 8000),
		strings.Repeat("no log shows who came in: the log is silent (", 150),
		strings.Repeat("line 1: ", 1000),
		strings.Repeat("x", 1<<20),
	} {
		w, _ := l.PhraseWords(s)
		if got := w.plain(); len(got) < len(strings.TrimRight(s, " "))/2 {
			t.Errorf("%.60q… is cut short: %.60q…", s, got)
		}
	}
}

func FuzzPhrase(f *testing.F) {
	for _, s := range []string{
		"One record of ana from 192.0.2.7 since 2024-03-02 10:00:00, 2024-03-02 10:00:00 UTC.",
		"then it succeeded for ana from x (2024-03-02 10:00:00 UTC, m365.ual); but the account had come from there before",
		"; ", ". .", "\u202e{n}", "In order: a (10:00:00); and 3 more.",
	} {
		f.Add(s)
	}
	var all []*Language
	for _, tag := range Tags() {
		l, err := Find(tag)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, l)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range all {
			html := string(l.PhraseHTML(s))
			if strings.ContainsAny(html, "\u202e\u2066\u2067") {
				t.Errorf("%q: %q", s, html)
			}
			text, _ := l.Phrase(s)
			w, _ := l.PhraseWords(s)
			for _, p := range w.parts {
				if p.kind == name && !strings.Contains(event.Visible(s), p.text) {
					t.Errorf("%q: %q does not stand in it", s, p.text)
				}
			}
			if text == "" && strings.Trim(s, " ") != "" {
				t.Errorf("%q says nothing", s)
			}
		}
	})
}
