package lang

import (
	"strings"
	"testing"
)

func TestMarkdownIsOnlyWords(t *testing.T) {
	en, err := Find("en")
	if err != nil {
		t.Fatal(err)
	}
	ar, err := Find("ar")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		l    *Language
		arg  any
		want string
	}{
		{en, Name("[x](http://evil)"), "`[x](http://evil)`"},
		{en, Name("[x](y) <b> *a* #1 | _z_"), `\[x\](y) \<b\> \*a\* \#1 \| \_z\_`},
		{en, Name("www.evil.example"), "`www.evil.example`"},
		{en, Value("a`b``c"), "``` a`b``c ```"},
		{en, Value("10.0.0.1"), "`10.0.0.1`"},
		{en, Name("a\n# b"), `a\[U+000A\]\# b`},
		{ar, Value("10.0.0.1"), "\u2066`10.0.0.1`\u2069"},
		{ar, Name("Mara"), "\u2068Mara\u2069"},
	} {
		got := c.l.Words("state.given", "who", c.arg).Markdown()
		if !strings.Contains(got, c.want) {
			t.Errorf("%v: got %q, want %q in it", c.arg, got, c.want)
		}
	}
}
