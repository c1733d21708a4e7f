package sigma

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

func TestFoldedTextIsTheTextFolded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := event.Value{Kind: event.Kind(rapid.SampledFrom([]int{1, 2, 3, 4, 7, 8, 0xB, 0xC, 0xD, 0xE, 0xF, 0x11, 0x13, 0x14, 0x15, 0x40, 0x41, 0x42, 0x43, 0x44}).Draw(t, "kind"))}
		v.Data = rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.SliceOf(rapid.SampledFrom([]byte{0, 0, 0, 'a', 'K', 0xD8, 0xDC, 0x21, 0x2A}))).Draw(t, "data")
		if v.IsList() || v.IsNull() {
			return
		}
		var scratch []byte
		if got, want := string(appendFolded(nil, v, &scratch)), string(literal.AppendFold(nil, v.AppendText(nil))); got != want {
			t.Fatalf("%#x % x folds to %q, its text %q to %q", v.Kind, v.Data, got, v.String(), want)
		}
	})
}

// A rule that asks for an empty value and one that compares texts must not differ in what is empty.
func TestEmptyIsWhatHasNoText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := event.Value{Kind: event.Kind(rapid.ByteRange(1, 0x45).Draw(t, "kind")),
			Data: rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0, 0, 1, 'a', 0xff}), 0, 20).Draw(t, "data")}
		if v.IsNull() || v.IsList() {
			return
		}
		if got, want := isEmpty(v), v.String() == ""; got != want {
			t.Fatalf("%#x %q: empty %v, its text is %q", v.Kind, v.Data, got, v.String())
		}
	})
}
