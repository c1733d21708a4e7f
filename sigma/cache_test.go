package sigma

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// What a memory says is what it was told last, however often it has gone round.
func TestMemoryForgetsButDoesNotErr(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory(8, 256)
		type known struct {
			owner uint64
			key   string
		}
		told := map[known][]int32{}
		found := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			k := known{rapid.Uint64Range(1, 3).Draw(t, "owner"), rapid.StringMatching(`[ab]{0,5}|c{30,40}`).Draw(t, "key")}
			numbers, place, ok := m.find(k.owner, []byte(k.key))
			if ok {
				found++
				var got []int32
				for ; len(numbers) > 0; numbers = numbers[4:] {
					got = append(got, int32(binary.LittleEndian.Uint32(numbers)))
				}
				if !slices.Equal(got, told[k]) {
					t.Fatalf("%v: %v, told %v", k, got, told[k])
				}
				continue
			}
			told[k] = rapid.SliceOfN(rapid.Int32(), 0, 5).Draw(t, "numbers")
			m.keep(place, k.owner, []byte(k.key), told[k])
			if _, _, ok := m.find(k.owner, []byte(k.key)); !ok {
				t.Fatalf("%v is forgotten at once", k)
			}
		}
	})
}

func TestASilentValueHoldsNoLiteral(t *testing.T) {
	texts := []string{"a", "kali", "1234", "s-1-5", "{0cc", "0x1f", "\u03c9", "lsadump::", "true", "false", "nan", "2024-03-09t18", "beef", "+inf", "1e+", "5:0", " "}
	rapid.Check(t, func(t *rapid.T) {
		var a atom
		for _, s := range rapid.SliceOfN(rapid.SampledFrom(texts), 1, 3).Draw(t, "literals") {
			place := rapid.SampledFrom([]literal.Place{literal.Anywhere, literal.Start, literal.End, literal.Whole}).Draw(t, "place")
			a.literals = append(a.literals, literal.Literal{Text: s, Place: place})
		}
		fs := newFieldSet(&Engine{atoms: []atom{a}}, []int32{0})
		v := event.Value{Kind: event.Kind(rapid.IntRange(0, int(evtx.EvtXMLType)).Draw(t, "kind"))}
		if v.Kind == utf16Text {
			word := rapid.SampledFrom(append(texts, "\u212Aali", "\u2126", "\u017F-1-5", "2024-03-09 18:05:00.123", "{0CC", "%%1936", "1234.", "\u0141")).Draw(t, "text")
			v.Data = utf16Value(word + rapid.SampledFrom([]string{"", "x", "\x00"}).Draw(t, "end")).Data
		} else {
			v.Data = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "data")
		}
		if !fs.isSilent(v) || v.IsNull() {
			return
		}
		var hits literal.Hits
		var scratch []byte
		folded := appendFolded(nil, v, &scratch)
		if fs.set.Scan(folded, &hits); len(hits.IDs) > 0 {
			t.Fatalf("%q in %q, kind %#x", a.literals[hits.IDs[0]].Text, folded, v.Kind)
		}
	})
}

// forgetful returns a Matcher to be made to forget before every event.
func forgetful(e *Engine) (m *Matcher, forget func()) {
	m = e.NewMatcher()
	m.values, m.rows.memory = newMemory(1, 2*maxKey), newMemory(1, 2*maxKey)
	return m, func() {
		clear(m.values.notes)
		clear(m.rows.memory.notes)
	}
}

// A rule depends on nothing that rows leave out.
func TestRowsThatComeBackMatchTheSame(t *testing.T) {
	e, _ := Compile(sigmaHQ(t), Options{})
	s := &shaper{utf16: true}
	var events []*event.Event
	for _, c := range regressionCases(t, s) {
		events = append(events, c.events...)
	}
	events = append(events, otrf(t, s, 3000)...)
	m := e.NewMatcher()
	without, forget := forgetful(e)
	for range 2 {
		for i, ev := range events {
			forget()
			if got, want := m.Match(ev), without.Match(ev); !slices.Equal(got, want) {
				t.Fatalf("event %d: %v, without memory %v", i, got, want)
			}
		}
	}
}

// Generated events of one Shape differ in a value or two, of all types that Windows has.
func TestGeneratedRowsMatchTheSame(t *testing.T) {
	types := rapid.SampledFrom([]event.Kind{event.Kind(evtx.UInt32Type), event.Kind(evtx.HexInt64Type), event.Kind(evtx.FileTimeType),
		event.Kind(evtx.GUIDType), event.Kind(evtx.SIDType), event.Kind(evtx.BoolType), event.Kind(evtx.Real32Type), event.Kind(evtx.BinaryType),
		event.Kind(evtx.Array | evtx.StringType), event.Kind(evtx.Array | evtx.UInt16Type)})
	value := func(t *rapid.T, store genStore) event.Value {
		if rapid.Bool().Draw(t, "text") {
			return store.eventValue(t)
		}
		return event.Value{Kind: types.Draw(t, "type"), Data: rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 10, 'a', 'k'}), 0, 16).Draw(t, "data")}
	}
	rapid.Check(t, func(t *rapid.T) {
		store := newGenStore(t)
		var rules []*Rule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			d := store.detection(t)
			r := &Rule{LogSource: event.LogSource{Product: "p"}, detection: d}
			var bad *flaw
			if r.expr, bad = d.lower(nil); bad == nil {
				rules = append(rules, r)
			}
		}
		e, _ := Compile(&Pack{Rules: rules}, Options{})
		m := e.NewMatcher()
		without, forget := forgetful(e)
		fields := []event.Field{{Name: "A"}, {Name: "B", Aliases: []string{"C"}}, {Name: "B"}, {Name: "D"}, {Name: "EventID"}}
		ev := &event.Event{Shape: event.NewShape("windows.evtx", []event.LogSource{{Product: "p"}}, fields), Values: make([]event.Value, len(fields))}
		for i := range ev.Values {
			ev.Values[i] = value(t, store)
		}
		for range rapid.IntRange(2, 8).Draw(t, "events") {
			forget()
			if got, want := m.Match(ev), without.Match(ev); !slices.Equal(got, want) {
				t.Fatalf("%v, without memory %v", got, want)
			}
			ev.Values[rapid.IntRange(0, len(fields)-1).Draw(t, "slot")] = value(t, store)
		}
	})
}
