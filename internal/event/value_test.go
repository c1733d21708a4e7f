package event

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/evtx"
)

func TestValueText(t *testing.T) {
	f := func(v Value, want string) {
		t.Helper()
		if got := v.String(); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
	f(Value{}, "")
	f(JSONValue([]byte(`null`)), "")
	f(JSONValue([]byte(`"a\u0041\n"`)), "aA\n")
	f(JSONValue([]byte(`-1.5e3`)), "-1.5e3")
	f(JSONValue([]byte(`["a", 2,null,{"x":[1]}]`)), `a, 2, , {"x":[1]}`)
	f(JSONValue([]byte(`[[1,2],[3]]`)), "[1,2], [3]")
	f(Value{Kind: Kind(evtx.GUIDType), Data: []byte{0x29, 0x92, 0xCE, 0x0C, 0xAE, 0x69, 0xD9, 0x11, 0xBE, 0xD3, 0x50, 0x50, 0x54, 0x50, 0x30, 0x30}},
		"{0CCE9229-69AE-11D9-BED3-505054503030}")
}

// Taking every level apart would cost time with the square of the depth, and an attacker can write a million levels.
func TestDeepArraysAreReadOnce(t *testing.T) {
	const depth = 1 << 20
	deep := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	if got := len(JSONValue([]byte(deep)).String()); got != len(deep)-2 {
		t.Errorf("%d bytes, want %d", got, len(deep)-2)
	}
}
