package literal

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func sought(texts ...string) (list []Sought) {
	for _, t := range texts {
		list = append(list, Sought{Text: t})
	}
	return list
}

func TestSieve(t *testing.T) {
	f := func(literals, text string, want bool) {
		t.Helper()
		s := NewSieve(sought(strings.Split(literals, " ")...), nil)
		for before := range 20 {
			for after := range 20 {
				p := strings.Repeat("-", before) + text + strings.Repeat("-", after)
				if got := s.Holds([]byte(p)); got != want {
					t.Errorf("%s in %q: %t", literals, p, got)
				}
			}
		}
	}
	f("nikto", "a Nikto scan", true)
	f("nikto", "a nokia scan", false)
	f("../", "../", true)
	f("../", "..", false)
	f("%27 '", "it's", true)
	f("%27 '", "it%27s", true)
	f("%27 '", "it%28s", false)
	f("ab", "drAB", true)
	f("ab", "drBA", false)
	f("curl", "CURL", true)
	f("curl", "cur l", false)
	f("@", "a@b", true)
	f("k", "\u212A", true)
	f("k", "c", false)
	f("sleep", "ſleep", true)
	f("sleep", "šleep", false)
	f("é", "É", true)
	f("é", "ö", true) // all beyond ASCII
	f("é", "e", false)
	f("каталог/index", "КАТАЛОГ/INDEX", true)
	f("каталог/index", "каталог", false)
	f("", "a", false)
}

func TestSieveWith(t *testing.T) {
	s := NewSieve([]Sought{
		{Text: "/uploads/", With: [][]string{{".php", ".asp"}, {"get "}}},
		{Text: "/uploads/", With: [][]string{{"put "}}},
		{Text: "/plugins/", With: [][]string{{"404"}}},
		{Text: "/plugins/"},
		{Text: "/themes/", With: [][]string{{"é"}}},
	}, nil)
	f := func(text string, want bool) {
		t.Helper()
		if got := s.Holds([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	f("GET /uploads/x.PHP", true)
	f("GET /uploads/x.png", false)
	f("GET /uploads/x.png /uploads/y.asp", true)
	f("POST /uploads/x.php", false)
	f("PUT /uploads/x.png", true)
	f("GET /plugins/x.png", true)
	f("GET /themes/x", true)
	f("GET /uploads/x.png \u212A", true)
}

// What a Set finds, a Sieve does not miss.
func TestSieveMissesNothing(t *testing.T) {
	alphabet := []string{"a", "b", "A", "k", "s", "/", ".", "%", "'", "K", "ſ", "\u212A", "é", "\n", " ", "\x80", "@", "`"}
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	var hits Hits
	for range 3000 {
		var literals []Literal
		var texts []string
		for range 1 + r.IntN(5) {
			l := FoldString(strings.ReplaceAll(word(1+r.IntN(8)), "\n", ""))
			if l != "" {
				literals = append(literals, Literal{Text: l})
				texts = append(texts, l)
			}
		}
		set, sieve := NewSet(literals, nil), NewSieve(sought(texts...), nil)
		text := word(r.IntN(80))
		set.Scan(AppendFold(nil, []byte(text)), &hits)
		if len(hits.IDs) > 0 && !sieve.Holds([]byte(text)) {
			t.Fatalf("%q in %q", texts, text)
		}
	}
}

func FuzzSieve(f *testing.F) {
	f.Add("nikto ../ ' %27", "GET /?a=../ HTTP/1.1\nNiKto")
	f.Fuzz(func(t *testing.T, list, text string) {
		var literals []Literal
		var texts []string
		for _, l := range strings.Fields(list) {
			literals, texts = append(literals, Literal{Text: FoldString(l)}), append(texts, FoldString(l))
		}
		var hits Hits
		NewSet(literals, nil).Scan(AppendFold(nil, []byte(text)), &hits)
		if len(hits.IDs) > 0 && !NewSieve(sought(texts...), nil).Holds([]byte(text)) {
			t.Fatalf("%q in %q is missed", texts, text)
		}
	})
}

func BenchmarkSieve(b *testing.B) {
	text := []byte(`"GET /2015/08/10/one-day-with-a-new-database/?page=2&sort=name HTTP/1.1" 200 24810 `)
	s := NewSieve(sought(strings.Fields("../ ' %27 nikto /etc/passwd union%20select ${jndi: /wp-login.php c99.php curl")...), nil)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if s.Holds(text) {
			b.Fatal("it does not")
		}
	}
}
