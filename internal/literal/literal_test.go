package literal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// plainFold is AppendFold, one rune at a time.
func plainFold(s string) string {
	var out []byte
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			out = append(out, s[0])
		} else {
			out = utf8.AppendRune(out, FoldRune(r))
		}
		s = s[n:]
	}
	return string(out)
}

func TestFold(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := FoldString(in); got != want {
			t.Errorf("FoldString(%q) = %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("C:\\Windows\\System32\\CMD.EXE", "c:\\windows\\system32\\cmd.exe")
	f("@[`{AZaz", "@[`{azaz")
	f("\u212Aelvin \u017Fhort", "kelvin short")
	f("ÉCOLE école", FoldString("école ÉCOLE"))
	f("ΣΑΣ", FoldString("σας"))
	f("\xffABC\xc3", "\xffabc\xc3")
	f("İ", "İ") // has no simple folding
}

func TestFoldedAlikeMeansEqualFold(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if FoldRune(f) != FoldRune(r) {
				t.Fatalf("%q and %q differ by case only but fold to %q and %q", r, f, FoldRune(r), FoldRune(f))
			}
		}
		if !strings.EqualFold(string(r), string(FoldRune(r))) {
			t.Fatalf("%q folds to %q, another letter", r, FoldRune(r))
		}
	}
}

func TestFoldIsThatOfRunes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-z]{0,40}[éÉK]?[ -~]{0,30}`)).Draw(t, "s") +
			string(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "broken"))
		if got, want := FoldString(s), plainFold(s); got != want {
			t.Fatalf("%q folds to %q, want %q", s, got, want)
		}
		var wide []byte
		units := rapid.SliceOf(rapid.OneOf(rapid.Uint16Range('A', 'z'), rapid.Uint16())).Draw(t, "units")
		for _, u := range units {
			wide = binary.LittleEndian.AppendUint16(wide, u)
		}
		if got, want := string(AppendFoldUTF16(nil, wide)), plainFold(string(utf16.Decode(units))); got != want {
			t.Fatalf("%x folds to %q, want %q", wide, got, want)
		}
	})
}

// plainScan is Scan, one literal at a time.
func plainScan(literals []Literal, text string) []int32 {
	ids := []int32{}
	for i, l := range literals {
		found := false
		switch l.Place {
		case Anywhere:
			found = strings.Contains(text, l.Text)
		case Start:
			found = strings.HasPrefix(text, l.Text)
		case End:
			found = strings.HasSuffix(text, l.Text)
		case Whole:
			found = text == l.Text
		}
		if found {
			ids = append(ids, int32(i))
		}
	}
	return ids
}

func checkScan(literals []Literal, texts []string) error {
	s := NewSet(literals, []byte("abababab"))
	var hits Hits
	for _, text := range texts {
		s.Scan([]byte(text), &hits)
		got := slices.Clone(hits.IDs)
		slices.Sort(got)
		if want := plainScan(literals, text); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			return fmt.Errorf("in %q of %q: found %v, want %v", text, literals, got, want)
		}
	}
	return nil
}

func TestScanFindsWhatIsThere(t *testing.T) {
	alphabet := rapid.SampledFrom([]string{"a", "b", "ab", "abc", "\x00", "é", ".exe", "\\", "abcdefgh", "zzzz"})
	word := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(alphabet, 1, 8).Draw(t, "parts"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		literals := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Literal {
			return Literal{word.Draw(t, "text"), Place(rapid.IntRange(0, 3).Draw(t, "place"))}
		}), 0, 30).Draw(t, "literals")
		literals = slices.Compact(literals)
		texts := rapid.SliceOfN(word, 1, 5).Draw(t, "texts")
		for _, l := range literals {
			texts = append(texts, l.Text, "x"+l.Text, l.Text+"x", l.Text[1:])
		}
		if err := checkScan(literals, append(texts, "")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHitsServeManySets(t *testing.T) {
	var hits Hits
	small, large := NewSet([]Literal{{"abcd", Anywhere}}, nil), NewSet([]Literal{{"x", Start}, {"yyyy", Anywhere}, {"z", End}}, nil)
	for range 3 {
		if small.Scan([]byte("--abcdabcd--"), &hits); len(hits.IDs) != 1 {
			t.Errorf("found %v, want one", hits.IDs)
		}
		if large.Scan([]byte("xyyyyz"), &hits); len(hits.IDs) != 3 {
			t.Errorf("found %v, want three", hits.IDs)
		}
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	s := NewSet([]Literal{{"abcd", Anywhere}, {"abc", Anywhere}, {"a", Anywhere}, {"tail", End}, {"head", Start}, {"whole", Whole}}, nil)
	var hits Hits
	text := []byte("head abcd and the tail")
	s.Scan(text, &hits)
	if n := testing.AllocsPerRun(100, func() { s.Scan(text, &hits) }); n != 0 {
		t.Errorf("%v allocations a scan, want none", n)
	}
}

func TestRequired(t *testing.T) {
	f := func(expr string, want ...string) {
		t.Helper()
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got := Required(re, 2)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("Required(%q) = %q, want %q", expr, got, want)
		}
	}
	f("PowerShell", "powershell")
	f("(?i)PowerShell", "powershell")
	f("a*")
	f("a*bcd?", "bc", "bcd")
	f("(abc|xyz)+", "abc", "xyz")
	f("[ab]cd", "acd", "bcd")
	f("[^a]cd", "cd")
	f("^foo$", "foo")
	f("foo.*longer", "longer")
	f("(?:foo|)bar", "bar", "foobar")
	f("\uFFFDabc", "abc")
	f("ab{3}", "abbb")
	f("x|.")
}

func TestRequiredAll(t *testing.T) {
	f := func(expr string, want ...string) {
		t.Helper()
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(RequiredAll(re, 4)); got != fmt.Sprint(want) {
			t.Errorf("RequiredAll(%q) = %s, want %v", expr, got, want)
		}
	}
	f("(?i)cmd.{0,5}(?:/c|/r).+PowerShell.+(?:input|exit)", "[powershell]", "[input exit]", "[cmd]", "[/c /r]")
	f("(echo.*clip)+&&", "[echo]", "[clip]", "[&&]")
	f("(a.b|c.d)x", "[a c]", "[x]")
	f("a*")
	f("[^a]bc", "[bc]")
	f("[a-z]bc")
}

var expressions = []string{"abc", "(?i)K", "a.c", "^a", "b$", "(?m)^b$", `\bab\b`, `\Bb`, "[^a]b", "(a|b)*c", "a{2,3}b", `\s[a-f0-9]{4}\s`, "é", "(?i)É",
	"\uFFFD", "(?s).b", `\x00`, "", "a||b", `\z`, `\Aab`, "(ab?c|日本)+[x-z]", `[\pL]b`, `(?i)ſ`, "a*?b+?", `\$\{`, ".{3,}", "([^a]){2,5}", "(?s).{4}", "[日-本]{2}"}

func TestRegexHelpersAgreeWithRegexp(t *testing.T) {
	alphabet := rapid.SampledFrom([]string{"a", "b", "c", "A", "K", "k", "\u212A", "é", "É", "ſ", "s", "日本", " ", "\n", "\x00", "\xff", "\xc3", "\uFFFD", "_", "x", "{", "$", "ab", "abc", " 0af9 "})
	rapid.Check(t, func(t *rapid.T) {
		expr := rapid.OneOf(rapid.SampledFrom(expressions), rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom(expressions).Draw(t, "1") + rapid.SampledFrom([]string{"", "|", ".*"}).Draw(t, "op") + rapid.SampledFrom(expressions).Draw(t, "2")
		})).Draw(t, "expr")
		for range 8 {
			text := []byte(strings.Join(rapid.SliceOfN(alphabet, 0, 8).Draw(t, "text"), ""))
			if err := checkRegex(expr, text); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func checkRegex(expr string, text []byte) error {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	want := re.Match(text)
	if a := NewAutomaton(parsed); a != nil && a.Match(text) != want {
		return fmt.Errorf("automaton of %q on %q: %v, want %v", expr, text, !want, want)
	}
	if n := MinLen(parsed); want && len(text) < n {
		return fmt.Errorf("%q matches %q, which has less than %d bytes", expr, text, n)
	}
	if need := Required(parsed, 1); want && need != nil {
		folded := AppendFold(nil, text)
		if !slices.ContainsFunc(need, func(s string) bool { return bytes.Contains(folded, []byte(s)) }) {
			return fmt.Errorf("%q matches %q, which has none of %q", expr, text, need)
		}
	}
	for _, need := range RequiredAll(parsed, 4) {
		folded := AppendFold(nil, text)
		if want && !slices.ContainsFunc(need, func(s string) bool { return bytes.Contains(folded, []byte(s)) }) {
			return fmt.Errorf("%q matches %q, which has none of %q", expr, text, need)
		}
	}
	return nil
}

func TestAutomatonGivesUpOnManyStates(t *testing.T) {
	for _, expr := range []string{`[ab].{40}[cd]`, `(\w{1,60}x){10}`} {
		re, _ := syntax.Parse(expr, syntax.Perl)
		if NewAutomaton(re) != nil {
			t.Errorf("%q has an automaton of bounded size", expr)
		}
	}
}

func FuzzRegex(f *testing.F) {
	for _, e := range expressions {
		f.Add(e, []byte("ab c\nabc"))
	}
	f.Fuzz(func(t *testing.T, expr string, text []byte) {
		if len(expr) > 200 || len(text) > 2000 {
			return
		}
		if err := checkRegex(expr, text); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzScan(f *testing.F) {
	f.Add("abcd\nab\nabc", "zabcdz")
	f.Add("\\cmd.exe\n-enc\n/c", "c:\\windows\\cmd.exe /c -enc")
	f.Fuzz(func(t *testing.T, words, text string) {
		var literals []Literal
		for i, w := range strings.Split(words, "\n") {
			if w != "" && len(literals) < 50 {
				literals = append(literals, Literal{w, Place(i % 4)})
			}
		}
		if err := checkScan(literals, []string{text}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add([]byte("ABC\xff\u212A É"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if got, want := string(AppendFold(nil, p)), plainFold(string(p)); got != want {
			t.Fatalf("%q folds to %q, want %q", p, got, want)
		}
		AppendFoldUTF16(nil, p)
	})
}

func BenchmarkFold(b *testing.B) {
	text := []byte(strings.Repeat(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile `, 3))
	var wide []byte
	for _, c := range text {
		wide = append(wide, c, 0)
	}
	dst := make([]byte, 0, 1024)
	b.Run("UTF8", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			AppendFold(dst, text)
		}
	})
	b.Run("UTF16", func(b *testing.B) {
		b.SetBytes(int64(len(wide)))
		for b.Loop() {
			AppendFoldUTF16(dst, wide)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	var literals []Literal
	for i := range 10000 {
		literals = append(literals, Literal{Text: fmt.Sprintf("-%x%c%d", i*7919, 'a'+i%26, i)})
	}
	s := NewSet(literals, nil)
	text := AppendFold(nil, []byte(strings.Repeat(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile `, 3)))
	var hits Hits
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s.Scan(text, &hits)
	}
}

func BenchmarkAutomaton(b *testing.B) {
	re, _ := syntax.Parse(`\\[a-zA-Z0-9]{1,32}\.[a-zA-Z0-9]{1,6}\.[ "']{1}`, syntax.Perl)
	a := NewAutomaton(re)
	text := []byte(strings.Repeat(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile `, 3))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		a.Match(text)
	}
}

func TestFoldingMakesNothingLonger(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.RuneLen(FoldRune(r)) > utf8.RuneLen(r) {
			t.Errorf("%q folds to the longer %q", r, FoldRune(r))
		}
	}
}
