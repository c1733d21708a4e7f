package main

import "testing"

func TestNothingShownActsOnTheTerminal(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := visible(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	f("a\tb é ü 漢", "a\tb é ü 漢")
	f("\x1b[31mred\x07\r", "\ufffd[31mred\ufffd\ufffd")
	f("path\nbarid: done\n", "path barid: done")
	f("gol\u202egpj.exe \u2066x\u200b\ufeff\u0085", "gol\ufffdgpj.exe \ufffdx\ufffd\ufffd\ufffd")
	f("\xff", "\ufffd")
}
