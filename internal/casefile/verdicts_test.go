package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// readVerdicts returns copies of what verdicts yields.
func readVerdicts(r io.Reader) (out []Reached, err error) {
	err = verdicts(r, func(r *Reached, _ error) bool {
		out = append(out, *r)
		return true
	})
	return out, err
}

// byLibrary returns the verdicts of a case as encoding/json reads them.
func byLibrary(p []byte) ([]Reached, error) {
	var c struct{ Reached []Reached }
	err := json.Unmarshal(p, &c)
	return c.Reached, err
}

func TestVerdictsAreWhatEncodingJSONReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		c.Sessions = nil
		text, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		kept := text
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0: // another program has written it again
			var b bytes.Buffer
			if err := json.Compact(&b, text); err != nil {
				t.Fatal(err)
			}
			text = b.Bytes()
		case 1:
			var b bytes.Buffer
			if err := json.Indent(&b, text, "", "  "); err != nil {
				t.Fatal(err)
			}
			text = b.Bytes()
		}
		want, err := byLibrary(text)
		if err != nil {
			t.Fatal(err)
		}
		in := io.Reader(bytes.NewReader(text))
		if rapid.Bool().Draw(t, "halves") {
			in = halves{in}
		}
		got, err := readVerdicts(in)
		if err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, %+v\nwant %+v", err, got, want)
		}
		at := rapid.IntRange(0, len(kept)-1).Draw(t, "cut")
		part, err := readVerdicts(bytes.NewReader(kept[:at]))
		if i := bytes.Index(kept, []byte("\n \"notes\"")); err == nil && at < i-1 || len(part) > len(want) {
			t.Fatalf("%d of %d bytes were read as a case of %d verdicts", at, len(kept), len(part))
		}
		for i := range part {
			if !reflect.DeepEqual(part[i], want[i]) {
				t.Fatalf("%+v\nwant %+v", part[i], want[i])
			}
		}
	})
}

// halves hands out half of what it is asked for.
type halves struct{ r io.Reader }

func (h halves) Read(p []byte) (int, error) { return h.r.Read(p[:(len(p)+1)/2]) }

// What encoder writes must not need the slow way.
func TestVerdictParserKnowsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		text, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		var p verdictParser
		_, rest, _ := bytes.Cut(text, []byte("\n \"reached\": ["))
		for i := range c.Reached {
			rest = bytes.TrimPrefix(rest, []byte("\n  {"))
			n, short := p.parse(rest)
			if n == 0 || short {
				t.Fatalf("verdict %d is not read:\n%s", i, rest)
			}
			for _, cut := range []int{0, n / 2, n - 1} {
				var q verdictParser
				if n, short := q.parse(rest[:cut]); n > 0 || !short {
					t.Fatalf("%d of %d bytes are read", cut, n)
				}
			}
			rest = bytes.TrimPrefix(rest[n:], []byte(","))
		}
	})
}

// FuzzVerdict gives the parser any bytes after a verdict whose lists and texts it remembers.
func FuzzVerdict(f *testing.F) {
	at := time.Date(2026, 3, 1, 8, 5, 0, 5e8, time.UTC)
	full := Reached{Object: Object{"message", "<m\u202e@x>", "ana@example.org", "n", "o", "s"}, Verdict: Confirmed, Exposure: "content", Levels: Levels{Confirmed, Possible, RuledOut}, Lower: 1, Upper: -1, Bytes: 7,
		First: &at, Last: &at, By: []string{"S1", "é"}, Channels: []ChannelVerdict{{"owa", Levels{Possible, Possible, Possible}, `a "log"`}},
		Why: []Reason{{"BIND", "text", []Proof{{"a.log", &at, 1, 2, 3}, {Source: "b.log"}}}, {Rule: "NO_DETAIL"}}, Settle: "the log"}
	texts := make([]string, 0, 2)
	for _, r := range []Reached{full, {}} {
		p, err := Encode(&Case{Reached: []Reached{r}})
		if err != nil {
			f.Fatal(err)
		}
		_, text, _ := strings.Cut(string(p), "\n \"reached\": [\n  {")
		text, _, _ = strings.Cut(text, "\n ],\n")
		texts = append(texts, text)
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p verdictParser
		for _, known := range texts {
			if n, _ := p.parse([]byte(known)); n != len(known) {
				t.Fatalf("%d of %d bytes", n, len(known))
			}
		}
		n, _ := p.parse(text)
		if n == 0 {
			return
		}
		var want Reached
		if err := json.Unmarshal(append([]byte{'{'}, text[:n]...), &want); err != nil || !reflect.DeepEqual(p.r, want) {
			t.Fatalf("%q: %+v\nwant %+v, %v", text[:n], p.r, want, err)
		}
	})
}

// FuzzVerdicts reads any bytes as a case.
func FuzzVerdicts(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"reached":[]}`, `{"a":[{"b":"]"}],"reached":[{"verdict":"possible","upper":-1},{"why":null}]}`, `{"reached":[{"lower":1.5}]}`, "{\"reached\":[{\"verdict\":\"a\nb\"}]}", `{"reached":[1]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		got, err := readVerdicts(bytes.NewReader(p))
		var keys map[string]json.RawMessage
		if json.Unmarshal(p, &keys) != nil {
			return
		}
		text, ok := keys["reached"]
		if !ok || bytes.Count(p, []byte(`"reached"`)) != 1 || len(text) == 0 || text[0] != '[' || bytes.Contains(p, []byte(`\u`)) {
			return
		}
		var want []Reached
		if wrong := json.Unmarshal(text, &want); (wrong != nil) != (err != nil) {
			t.Fatalf("%v, want %v", err, wrong)
		} else if wrong == nil && len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
	})
}

func TestDamagedCaseSaysWhereAndWhatToDo(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 5, 0, 0, time.UTC)
	c := &Case{Schema: Schema}
	for range 3 {
		c.Reached = append(c.Reached, Reached{Object: Object{Kind: "message", ID: "<m@x>"}, First: &at})
	}
	p, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.LastIndex(p[:bytes.LastIndex(p, []byte("<m@x>"))], []byte("<m@x>"))
	read := map[string]func(dir string) error{
		"verdicts": func(dir string) error {
			for _, err := range Verdicts(dir) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"open":   func(dir string) error { _, err := Open(dir); return err },
		"given":  func(dir string) error { _, err := OpenGiven(dir); return err },
		"except": func(dir string) error { _, err := OpenExcept(dir, "sources"); return err },
	}
	tests := []struct {
		name, how string
		text      []byte
		want      string
	}{
		{"cut off", "verdicts", p[:second], "in verdict 2: it ends after byte "},
		{"cut off", "open", p[:second], "it ends after byte "},
		{"cut off", "given", p[:second], "it ends after byte "},
		{"cut off", "except", p[:second], "it ends after byte "},
		{"cut off between", "verdicts", p[:bytes.LastIndex(p, []byte("\n  {"))], "after verdict 2: it ends after byte "},
		{"cut off before", "verdicts", p[:30], "it ends after byte 30"},
		{"empty", "verdicts", nil, "it ends after byte 0"},
		{"empty", "given", nil, "it ends after byte 0"},
		{"changed", "verdicts", bytes.Replace(p, []byte(`"lower": 0`), []byte(`"lower": x`), 1), "in verdict 1: at byte "},
		{"of another kind", "verdicts", bytes.Replace(p, []byte(`"lower": 0`), []byte(`"lower": ""`), 1), "in verdict 1: at byte "},
		{"no object", "verdicts", []byte("[]"), "at byte 1: not one JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/"+tt.how, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, CaseFile), tt.text, 0o600); err != nil {
				t.Fatal(err)
			}
			err := read[tt.how](dir)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{filepath.Join(dir, CaseFile), tt.want, "barid verify " + dir, "barid assess"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %s", want, err)
				}
			}
		})
	}
	for _, err := range Verdicts(filepath.Join(t.TempDir(), "none")) {
		if !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "cut off") {
			t.Errorf("no case: %v", err)
		}
	}
}

// BenchmarkVerdicts reads a hundred thousand verdicts, every tenth of which has records to lean on.
func BenchmarkVerdicts(b *testing.B) {
	at := time.Date(2026, 3, 1, 8, 5, 0, 0, time.UTC)
	possible := []Reason{{Rule: "NOT_ASSESSED", Text: strings.Repeat("There is no log of imap. ", 10)}}
	c := &Case{Schema: Schema}
	for i := range 100_000 {
		r := Reached{Object: Object{Kind: "message", ID: "<" + strings.Repeat("0123456789abcdef", 2) + "@mail.example.org>", In: "ana@example.org"}, Verdict: Possible, Exposure: "content",
			Levels: Levels{Possible, Possible, Possible}, Upper: 1, Why: possible, Settle: "the log of who came in: owa and ews, 2026-01-05 00:00"}
		if i%10 == 0 {
			first := at.Add(time.Duration(i) * time.Second)
			r.Verdict, r.Lower, r.First, r.Last, r.By = Confirmed, 1, &first, &first, []string{"S1"}
			r.Why = []Reason{{Rule: "BIND", Text: "opened", Evidence: []Proof{{Source: "ual.json", Time: &first, Line: int64(i + 1), Offset: int64(i) * 1000}}}}
		}
		c.Reached = append(c.Reached, r)
	}
	p, err := Encode(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		b.ReportAllocs()
		for b.Loop() {
			if err := verdicts(bytes.NewReader(p), func(*Reached, error) bool { return true }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := byLibrary(p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("left out", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			if _, err := except(bytes.NewReader(p), decided); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		b.ReportAllocs()
		for b.Loop() {
			if err := encode(io.Discard, c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
