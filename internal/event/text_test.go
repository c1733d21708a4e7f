package event

import "testing"

func TestVisible(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Visible(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := string(AppendVisible([]byte("> "), []byte(in))); got != "> "+want {
			t.Errorf("%q: got %q, want %q", in, got, "> "+want)
		}
	}
	f("plain é 日本 مصر", "plain é 日本 مصر")
	f("gpj.\u202eexe", "gpj.[U+202E]exe")
	f("\x1b[31m\x00", "[U+001B][31m[U+0000]")
	f("a\xffb", "a\ufffdb")
	f("\ufffd", "\ufffd")
	f("\U000e0041", "[U+E0041]")
}
