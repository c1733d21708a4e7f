package detect

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
)

// The JSON of an event is what an output would make of it, with remembered keys and without.
func TestFieldsAreCleanJSON(t *testing.T) {
	word := rapid.StringMatching(`[a-cA-C" \\\x00-\x20\x7f\xa0é\x{200f}\x{202e}日😀]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(word, 1, 4, rapid.ID[string]).Draw(t, "names")
		var fields []event.Field
		for _, n := range names {
			fields = append(fields, event.Field{Name: n, Aliases: rapid.SliceOfN(word, 0, 2).Draw(t, "aliases")})
		}
		s := event.NewShape("x", nil, fields)
		e := &event.Event{Shape: s}
		for range names {
			v := event.Value{Kind: event.Kind(rapid.IntRange(0, int(evtx.EvtXMLType)).Draw(t, "type"))}
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				v = event.Text(word.Draw(t, "text") + string(rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "more")))
			case 1:
				v = event.JSONValue([]byte(rapid.SampledFrom([]string{"null", "-12.50", "1e3", "007", "true", `{"a": "\ufffd"}`, `["a\u0041\n", 1, null, [2]]`, `"\u202e"`}).Draw(t, "json")))
			case 2:
				v.Kind |= event.Kind(evtx.Array)
				fallthrough
			default:
				v.Data = rapid.SliceOfN(rapid.Byte(), 0, 18).Draw(t, "data")
			}
			e.Values = append(e.Values, v)
		}
		most := rapid.SampledFrom([]int{3, math.MaxInt}).Draw(t, "most")
		var keys shapeKeys
		got := appendFields(nil, e, keys.of(s), most)
		if !bytes.Equal(got, appendFields(nil, e, nil, most)) {
			t.Fatalf("keys make a difference: %s", got)
		}
		if !json.Valid(got) {
			t.Fatalf("no JSON: %q", got)
		}
		f := casefile.Finding{Event: got}
		dirty := casefile.AppendFinding(nil, &f)
		f.EventIsClean = true
		if clean := casefile.AppendFinding(nil, &f); !bytes.Equal(clean, dirty) {
			t.Fatalf("%q, an output writes %q", clean, dirty)
		}
	})
}
