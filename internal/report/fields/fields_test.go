package fields

import (
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

func TestMessageShowsEveryFieldThatSaysSomething(t *testing.T) {
	f := func(object, want string) {
		t.Helper()
		if got := string(AppendMessage([]byte("> "), []byte(object), 60)); got != "> "+want {
			t.Errorf("%s\ngot  %s\nwant %s", object, got, want)
		}
	}
	f(`{"c-ip":"203.0.113.9","sc-status":200,"cs-username":"-","empty":""}`, "c-ip=203.0.113.9 sc-status=200")
	f(` { "a" : [ "x" , "y" ] , "b" : {"c":1} , "d" : null, "e": true }`, `a=x, y b={"c":1} e=true`)
	f(`{"a":"q\"\n\u202e"}`, `a=q"[U+000A][U+202E]`)
	f(`{"a":"0123456789012345678901234567890123456789012345678901234567890123456789","b":1}`, "a=0123456789012345678901234567890123456789012345678901234567…")
	f(`{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaéééééé"}`, "a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…")
	for _, broken := range []string{"", "[", "x", "{", `{"`, `{"a`, `{"a"`, `{"a":`, `{"a" 1}`, `{"a":1 "b":2}`} {
		AppendMessage(nil, []byte(broken), 60)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"a":"x\u202e","b":[1,{"c":2}],"d":null}`))
	f.Add([]byte("{\"\xff\":\"\u2066"))
	f.Fuzz(func(t *testing.T, p []byte) {
		got := AppendMessage(nil, p, 200)
		for _, r := range string(event.AppendVisible(nil, got)) {
			if event.Hidden(r) {
				t.Fatalf("%U in %q", r, got)
			}
		}
		n := 0
		Each(p, func(_, _ []byte) bool { n++; return true })
		if n > len(p) {
			t.Fatalf("%d fields in %d bytes", n, len(p))
		}
	})
}
