package casefile

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawCase invents a case whose lists are long and short and missing, and whose texts are of every kind.
func drawCase(t *rapid.T) *Case {
	texts := rapid.OneOf(rapid.SampledFrom([]string{"", "ana@example.org", `CORP\ana`, `say "no"`, "<m1@example.org>", "a\u202eb\u2028\x7f\x00\n\t\b\f", "\xff\xfe", "مرحبا", "é\u00a0"}), rapid.String())
	text := func() string { return texts.Draw(t, "text") }
	list := func() []string {
		return rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfN(texts, 0, 3)).Draw(t, "list")
	}
	number := func() int64 { return rapid.Int64Range(-2, 1<<40).Draw(t, "number") }
	moment := func() time.Time {
		if rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		at := time.Unix(rapid.Int64Range(-1<<34, 1<<36).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		if rapid.Bool().Draw(t, "zone") {
			return at.In(time.FixedZone("", 3600))
		}
		return at.UTC()
	}
	pointer := func() *time.Time {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		at := moment()
		return &at
	}
	few := func() int { return rapid.IntRange(0, 3).Draw(t, "n") }
	proofs := func() (out []Proof) {
		for range few() {
			out = append(out, Proof{text(), pointer(), number(), number(), number()})
		}
		return out
	}
	levels := func() Levels { return Levels{text(), text(), text()} }
	c := &Case{Schema: Schema, Notes: []string{noSessions, noReached, text()}, Sources: []Source{{Path: text()}}}
	for range few() {
		c.Sessions = append(c.Sessions, Session{text(), text(), list(), list(), moment(), moment(), list(), text(), list(), list(), list(), number(), proofs()})
	}
	var why []Reason
	var by []string
	for range few() {
		var channels []ChannelVerdict
		for range few() {
			channels = append(channels, ChannelVerdict{text(), levels(), text()})
		}
		if rapid.Bool().Draw(t, "other reasons") {
			why = nil
			for range few() {
				why = append(why, Reason{text(), text(), proofs()})
			}
		}
		if rapid.Bool().Draw(t, "other sessions") {
			by = list()
		}
		// Without names of fields: one that is added must be added here, or encode may leave it out.
		c.Reached = append(c.Reached, Reached{Object{text(), text(), text(), text(), text(), text()}, text(), text(), levels(), number(), number(), number(),
			pointer(), pointer(), by, channels, why, text()})
	}
	return c
}

func TestEncodeIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		want, err := encodeValue(withLists(c))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%s\nwant\n%s", got, want)
		}
	})
}

func TestEncodeRefusesTimesThatCannotBeWritten(t *testing.T) {
	far := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	if p, err := Encode(&Case{Reached: []Reached{{First: &far}}}); err == nil {
		t.Fatalf("wrote %s", p)
	}
}

func TestGivenLeavesOutWhatWasDecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		c.Coverage = []Coverage{{Host: "EX1", Gaps: []Gap{{Why: `a ] in a text \" and [ {`}}}}
		c.Summary.Reached = map[string]VerdictCounts{"mailbox": {Confirmed: 1}}
		p, err := encodeValue(withLists(c))
		if err != nil {
			t.Fatal(err)
		}
		got, err := except(bytes.NewReader(p), decided)
		if err != nil {
			t.Fatal(err)
		}
		short := *c
		short.Coverage, short.Sessions, short.Capabilities, short.Reached = nil, nil, nil, nil
		text := func(c *Case) string {
			p, err := Encode(c)
			if err != nil {
				t.Fatal(err)
			}
			return string(p)
		}
		if a, b := text(got), strings.ReplaceAll(text(&short), `\ufffd`, "\ufffd"); a != b {
			t.Fatalf("%s\nwant\n%s", a, b)
		}
	})
}
