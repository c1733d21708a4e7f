package lang

import (
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type mapFS map[string]string

func (m mapFS) fs() fs.FS {
	out := fstest.MapFS{}
	for k, v := range m {
		out[k] = &fstest.MapFile{Data: []byte(v)}
	}
	return out
}

func find(t *testing.T, tag string) *Language {
	t.Helper()
	l, err := Find(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFind(t *testing.T) {
	if got := Tags(); !slices.Equal(got, []string{"en", "ar", "fr"}) {
		t.Errorf("Tags() = %v", got)
	}
	for tag, dir := range map[string]string{"en": "ltr", "fr": "ltr", "ar": "rtl", "FR-be": "ltr"} {
		if l := find(t, tag); l.Dir() != dir || l.Tag() != strings.ToLower(tag[:2]) {
			t.Errorf("%s: %s %s", tag, l.Tag(), l.Dir())
		}
	}
	if _, err := Find("de"); err == nil || !strings.Contains(err.Error(), "en, ar, fr") {
		t.Errorf("got %v, want an error that names the languages", err)
	}
}

func TestPluralForms(t *testing.T) {
	var b strings.Builder
	for _, tag := range Tags() {
		l := find(t, tag)
		for _, id := range []string{"count.mailbox", "count.message", "count.file", "count.day"} {
			fmt.Fprintf(&b, "%s %s\n", tag, id)
			for _, n := range []int64{0, 1, 2, 3, 10, 11, 99, 100, 101, 102, 103, 1000, 1000000} {
				fmt.Fprintf(&b, "  %8d %-5s %s\n", n, l.forms.of(n), l.Text(id, "n", n))
			}
		}
	}
	golden(t, "plurals.txt", b.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if os.Getenv("BARID_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs; write it anew with BARID_UPDATE=1 (-want +got):\n%s", file, d)
	}
}

func TestWhatIsFilledInKeepsItsDirection(t *testing.T) {
	at := time.Date(2021, 3, 3, 6, 49, 46, 210e6, time.FixedZone("", 3600))
	for _, c := range []struct {
		tag        string
		arg        any
		html, text string
	}{
		{"en", Value("10.0.0.1-10.0.0.9"), `<bdi dir="ltr">10.0.0.1-10.0.0.9</bdi> was accessed`, "10.0.0.1-10.0.0.9 was accessed"},
		{"ar", Value("/var/log/x"), `تم الاطلاع على <bdi dir="ltr">/var/log/x</bdi>`, "تم الاطلاع على \u2066/var/log/x\u2069"},
		{"fr", Value("x"), `il y a eu accès à <bdi dir="ltr">x</bdi>`, "il y a eu accès à x"},
		{"en", Name("<b>\u202eevil"), `<bdi>&lt;b&gt;[U+202E]evil</bdi> was accessed`, "<b>[U+202E]evil was accessed"},
		{"en", "سر", `<bdi>سر</bdi> was accessed`, "\u2068سر\u2069 was accessed"},
		{"ar", "ana\u2069", `تم الاطلاع على <bdi>ana[U+2069]</bdi>`, "تم الاطلاع على \u2068ana[U+2069]\u2069"},
		{"ar", at, `تم الاطلاع على <bdi dir="ltr">2021-03-03 05:49:46 UTC</bdi>`, "تم الاطلاع على \u20662021-03-03 05:49:46 UTC\u2069"},
		{"ar", -1234, `تم الاطلاع على <bdi dir="ltr">-1,234</bdi>`, "تم الاطلاع على \u2066-1,234\u2069"},
		{"en", int64(1234567), `1,234,567 was accessed`, "1,234,567 was accessed"},
		{"en", template.HTML("<i>x</i>"), `<i>x</i> was accessed`, "[?] was accessed"},
		{"en", 1.5, `<bdi dir="ltr">[?object]</bdi> was accessed`, "[?object] was accessed"},
		{"en", time.Time{}, "time unknown was accessed", "time unknown was accessed"},
	} {
		l := find(t, c.tag)
		if got := string(l.HTML("accessed.confirmed", "object", c.arg)); got != c.html {
			t.Errorf("%s %v\n got %s\nwant %s", c.tag, c.arg, got, c.html)
		}
		if got := l.Text("accessed.confirmed", "object", c.arg); got != c.text {
			t.Errorf("%s %v\n got %q\nwant %q", c.tag, c.arg, got, c.text)
		}
	}
}

func TestWhatIsMissingShows(t *testing.T) {
	all, err := load(mapFS{
		"en/a.yaml": "language.dir: ltr\nseen: '{n} of <{what}>'",
		"xx/a.yaml": "language.dir: rtl",
	}.fs())
	if err != nil {
		t.Fatal(err)
	}
	l, err := all["xx"]()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(l.HTML("seen", "n", 2)), `<span lang="en" dir="ltr">2 of &lt;[?what]&gt;</span>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := l.Text("seen", "n", 2, "what", "x"), "[en] \u20662 of <x>\u2069"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for tag, read := range all {
		l, err := read()
		if err != nil {
			t.Fatal(tag, err)
		}
		if got := l.Text("nowhere", "odd"); !strings.Contains(got, "[?nowhere]") {
			t.Errorf("a message that no language has: %q", got)
		}
	}
}

func TestNumbersTimesAndLists(t *testing.T) {
	var b strings.Builder
	day := time.Date(2021, 3, 3, 6, 49, 46, 0, time.UTC)
	for _, tag := range Tags() {
		l := find(t, tag)
		fmt.Fprintln(&b, tag)
		for _, w := range []Words{
			l.Between(4, 4), l.Between(4, 1200), l.Between(4, -1), l.BetweenOf("count.message", 2, 11), l.BetweenOf("count.mailbox", 0, 1),
			l.Span(day, day.Add(time.Hour)), l.Span(day, day.Add(30*time.Hour)), l.Span(day, day), l.Span(day, time.Time{}), l.Span(time.Time{}, day), l.Span(time.Time{}, time.Time{}),
			l.Duration(0), l.Duration(90 * time.Second), l.Duration(-26 * time.Hour), l.Duration(3*24*time.Hour + 10*time.Minute), l.Duration(-1 << 63),
			l.Size(0), l.Size(2), l.Size(999), l.Size(1500), l.Size(999_960), l.Size(20e6), l.Size(1<<63 - 1),
			l.List(nil), l.List(l.Values("a")), l.List(l.Names("a", "b")), l.List(l.Values("10.0.0.1", "10.0.0.2", "10.0.0.3")),
		} {
			fmt.Fprintf(&b, "  %+q\n  %s\n", w.Text(), w.HTML())
		}
	}
	golden(t, "numbers.txt", b.String())
}
