package logs

import (
	"fmt"
	"testing"
)

func TestGUID(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got := "none"
		if id, ok := GUID([]byte(in)); ok {
			got = fmt.Sprintf("%x", id)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	f("cde28fc4-299e-4179-B3E9-de56f5c1d9ee", "cde28fc4299e4179b3e9de56f5c1d9ee")
	f("00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000")
	f("cde28fc4-299e-4179-b3e9-de56f5c1d9e", "none")
	f("cde28fc4-299e-4179-b3e9-de56f5c1d9eg", "none")
	f("cde28fc4+299e-4179-b3e9-de56f5c1d9ee", "none")
	f("cde28fc429-9e-4179-b3e9-de56f5c1d9ee", "none")
	f("3341f5-feerd-4b84-a736-bd1b3245df", "none")
	f("", "none")
}
