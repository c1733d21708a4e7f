package sigma

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
)

// placeholders are values for every placeholder that SigmaHQ rules use.
func placeholders(rules []*Rule) map[string][]string {
	values := map[string][]string{}
	for _, r := range rules {
		for _, s := range r.detection.selections {
			collectPlaceholders(s.body, values)
		}
	}
	return values
}

func collectPlaceholders(b *block, into map[string][]string) {
	for _, sub := range b.any {
		collectPlaceholders(sub, into)
	}
	for _, l := range b.all {
		if l.has("expand") {
			for _, v := range l.values {
				for _, p := range regexp.MustCompile("%[^%]+%").FindAllString(v.text, -1) {
					into[strings.Trim(p, "%")] = []string{"wec*", "WORKSTATION5", "10.*"}
				}
			}
		}
	}
}

// agree compares the engine with the reference on every rule and the events.
func agree(tb testing.TB, e *Engine, given map[string][]string, events []*event.Event) (matches int) {
	tb.Helper()
	m := e.NewMatcher()
	ref := &reference{placeholders: given}
	applies := map[*event.Shape][]int32{}
	for n, ev := range events {
		rules, ok := applies[ev.Shape]
		if !ok {
			for i, r := range e.Rules() {
				for _, s := range ev.Shape.Sources {
					if s.Covers(r.LogSource) {
						rules = append(rules, int32(i))
						break
					}
				}
			}
			applies[ev.Shape] = rules
		}
		rev := newRefEvent(ev)
		var want []int32
		for _, i := range rules {
			if ref.matches(e.rules[i].detection, rev) {
				want = append(want, i)
			}
		}
		got := m.Match(ev)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			for _, i := range want {
				tb.Logf("reference: %s", e.rules[i].Path)
			}
			for _, i := range got {
				tb.Logf("engine: %s", e.rules[i].Path)
			}
			for i, f := range ev.Shape.Fields() {
				tb.Logf("%s = %#x %q", f.Name, ev.Value(i).Kind, ev.Value(i).String())
			}
			tb.Fatalf("event %d: the engine matches %v, the reference %v", n, got, want)
		}
		matches += len(got)
		for _, r := range got {
			m.Explain(ev, r)
		}
	}
	return matches
}

// The reference takes some 15 ms for an event of Windows.
var realEvents = flag.Int("events", 40, "real events to compare the engine with the reference on")

func TestEngineAgreesWithReferenceOnRealEvents(t *testing.T) {
	p := sigmaHQ(t)
	given := placeholders(p.Rules)
	e, rejected := Compile(p, Options{Placeholders: given})
	for _, r := range rejected {
		t.Error(r)
	}
	limit := *realEvents
	for _, utf16 := range []bool{true, false} {
		s := &shaper{utf16: utf16}
		var events []*event.Event
		for _, c := range regressionCases(t, s) {
			events = append(events, c.events...)
		}
		events = append(events, otrf(t, s, limit)...)
		n := agree(t, e, given, events)
		t.Logf("%d events, %d matches", len(events), n)
	}
}

// The vocabulary of generated rules and events is small, so that they meet often.
var (
	genWords = []string{"a", "B", "ab", "abc", "Abcd", "abcdefgh", "xyz", "K", "\u212A", "\u017F", "é", "É", "ß", "日本", "-a", "/a", "–a",
		"*", "?", `\*`, `\\`, `\`, " ", "1", "10", "0x1f", "-3.5", "192.0.2.7", "[2001:db8::1]:80", "192.0.2.9:443",
		"2024-03-09T18:05:00Z", "\x00", "powershell", ".exe", "YWJj", "\uFFFD", "İ", "ı", "ẞ", "σ", "ς", "%p%", "%", "—b", "\uFEFFa\x00", "18446744073709551615", "9007199254740993", "9007199254740992"}
	genFields    = []string{"A", "B", "C", "EventID", "D"}
	genModifiers = [][]string{nil, nil, nil, {"contains"}, {"contains", "all"}, {"startswith"}, {"endswith"}, {"cased"}, {"contains", "cased"},
		{"neq"}, {"contains", "neq"}, {"windash"}, {"windash", "contains"}, {"wide"}, {"utf16be", "contains"}, {"all"}, {"base64"},
		{"base64offset", "contains"}, {"wide", "base64offset", "contains"}, {"utf16", "base64", "contains"}, {"re"}, {"re", "i"}, {"re", "i", "s", "m"},
		{"lt"}, {"lte"}, {"gt"}, {"gte"}, {"cidr"}, {"exists"}, {"fieldref"}, {"fieldref", "contains"}, {"fieldref", "startswith", "cased"},
		{"fieldref", "neq"}, {"fieldref", "endswith"}, {"cased", "fieldref"}, {"contains", "windash", "wide"}, {"utf16"}, {"base64", "base64offset", "contains"},
		{"wide", "base64", "wide", "base64offset", "contains"}, {"re", "startswith"}, {"re", "i", "endswith"}, {"re", "contains"}, {"expand"}, {"contains", "expand"},
		{"windash", "expand"}, {"expand", "windash"}, {"re", "expand"}, {"cidr", "expand"}, {"expand", "wide", "base64"}, {"hour"}, {"hour", "gte"}, {"week"}, {"year"}, {"month"}, {"day", "lt"}, {"minute"}}
	genRegexes      = []string{"a", "^a", "b$", "a.c", "(abc|xyz)+", "[a-c]{2,3}", "ab?c", "power(shell)?", "(?i)ABC", "k", "é", ".", "", "^$", "a|xyz", "[^a]", "\\.exe$", "\uFFFD", "abcd?", "\\x00"}
	genPlaceholders = map[string][]string{"p": {"a", "-b*", "192.0.2.0/24"}}
	genNetworks     = []string{"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "192.0.2.7", "::/0", "%p%"}
)

func genString(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(genWords), 0, 4).Draw(t, label), "")
}

func genDetection(t *rapid.T) *detection {
	d := &detection{}
	names := []string{"sel1", "sel2", "_x"}
	for _, name := range names {
		var body *block
		if rapid.IntRange(0, 3).Draw(t, "list") == 0 {
			body = &block{any: []*block{genLines(t), genLines(t)}}
		} else {
			body = genLines(t)
		}
		d.selections = append(d.selections, selection{name: name, body: body})
	}
	texts := []string{"sel1", "sel1 and sel2", "sel1 or not sel2", "1 of sel*", "all of sel*", "not sel1 and sel2", "2 of *", "1 of them",
		"all of them and not _x", "not (sel1 or _x)", "(sel1 or sel2) and not 1 of _*", "sel1 and sel2 or _x"}
	for range rapid.IntRange(1, 2).Draw(t, "conditions") {
		c, bad := parseCondition(rapid.SampledFrom(texts).Draw(t, "condition"), at{})
		if bad != nil {
			t.Fatal(bad)
		}
		d.conditions = append(d.conditions, c)
	}
	return d
}

func genLines(t *rapid.T) *block {
	b := &block{}
	for range rapid.IntRange(1, 2).Draw(t, "lines") {
		l := line{field: rapid.SampledFrom(append([]string{"", "Absent"}, genFields...)).Draw(t, "field")}
		l.modifiers = rapid.SampledFrom(genModifiers).Draw(t, "modifiers")
		n := rapid.IntRange(1, 3).Draw(t, "values")
		if l.has("exists") {
			n = 1
		}
		for range n {
			v := scalar{}
			switch {
			case l.has("exists"):
				v.text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
			case l.has("re"):
				v.text = rapid.SampledFrom(genRegexes).Draw(t, "regex")
			case l.has("cidr"):
				v.text = rapid.SampledFrom(genNetworks).Draw(t, "network")
			case l.has("fieldref"):
				v.text = rapid.SampledFrom(append([]string{"Absent"}, genFields...)).Draw(t, "other")
			case l.has("lt", "lte", "gt", "gte", "hour", "week", "year", "month", "day", "minute"):
				v.text = rapid.SampledFrom([]string{"1", "10", "31", "-3.5", "18", "2024", "3", "9", "5", "0x1f", "1e1", "9007199254740993", "18446744073709551615"}).Draw(t, "number")
			case len(l.modifiers) == 0 && l.field != "" && rapid.IntRange(0, 5).Draw(t, "null") == 0:
				v.null = true
			default:
				v.text = genString(t, "text")
			}
			l.values = append(l.values, v)
		}
		b.all = append(b.all, l)
	}
	return b
}

func genValue(t *rapid.T) event.Value {
	s := genString(t, "value")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return event.Value{}
	case 1:
		return event.Value{Kind: event.Null}
	case 2:
		return event.Value{Kind: event.Number, Data: []byte(rapid.SampledFrom([]string{"1", "10", "-3.5"}).Draw(t, "number"))}
	case 3, 4, 5:
		return utf16Value(s)
	case 6:
		return event.Value{Kind: event.JSON, Data: []byte(rapid.SampledFrom([]string{`["a","abc",null]`, `[]`, `[null]`, `true`, `["",["a"]]`, `[1,10,"xy\u007a"]`}).Draw(t, "json"))}
	case 7:
		return event.Value{Kind: event.Escape, Data: []byte(`\u0061b\\` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "\x00", `\u0000`))}
	}
	if rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
		s = "\xff" + s + "\xc3"
	}
	return event.Value{Kind: event.UTF8, Data: []byte(s)}
}

func genEvent(t *rapid.T) *event.Event {
	format := rapid.SampledFrom([]string{"text", "windows.evtx"}).Draw(t, "format")
	fields := []event.Field{{Name: "A"}, {Name: "B", Aliases: []string{"C"}}, {Name: "B"}}
	if c := genValue(t); c.Kind != event.None && rapid.Bool().Draw(t, "constant") {
		fields = append(fields, event.Field{Name: "EventID", Const: c})
		if d := genValue(t); d.Kind != event.None && rapid.Bool().Draw(t, "two") {
			fields = append(fields, event.Field{Name: "A", Const: d})
		}
	}
	shape := event.NewShape(format, []event.LogSource{{Product: "p"}}, fields)
	ev := &event.Event{Shape: shape}
	for range shape.Variable() {
		ev.Values = append(ev.Values, genValue(t))
	}
	if rapid.Bool().Draw(t, "line") {
		ev.Raw = []byte(genString(t, "raw"))
		if v := ev.Values[0]; v.Kind == event.UTF8 {
			from := len(ev.Raw)
			ev.Raw = append(ev.Raw, v.Data...)
			ev.Values[0].Data = ev.Raw[from:]
		}
	}
	return ev
}

func TestEngineAgreesWithReferenceOnGeneratedRules(t *testing.T) {
	rapid.Check(t, agreeOnGenerated)
}

func FuzzAgree(f *testing.F) {
	f.Add([]byte("a seed for the generator of rules and events"))
	f.Fuzz(rapid.MakeFuzz(agreeOnGenerated))
}

func agreeOnGenerated(t *rapid.T) {
	var rules []*Rule
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		d := genDetection(t)
		r := &Rule{Path: fmt.Sprint(i), LogSource: event.LogSource{Product: "p"}, detection: d}
		var bad *flaw
		if r.expr, bad = d.lower(nil); bad != nil {
			continue
		}
		rules = append(rules, r)
	}
	e, _ := Compile(&Pack{Rules: rules}, Options{Placeholders: genPlaceholders})
	m := e.NewMatcher()
	ref := &reference{placeholders: genPlaceholders}
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		ev := genEvent(t)
		rev := newRefEvent(ev)
		var want []int32
		for i, r := range e.rules {
			if ref.matches(r.detection, rev) {
				want = append(want, int32(i))
			}
		}
		if got := m.Match(ev); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("engine %v, reference %v", got, want)
		}
		for _, r := range m.Match(ev) {
			var found []FieldMatch
			if !e.codes[r].cond.explain(e, ev, &found) {
				t.Fatalf("Explain does not find that rule %d matches", r)
			}
		}
	}
}
