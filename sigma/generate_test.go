package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
)

// Rules and events are generated from one small store of texts, so that they meet often, and at their edges.

// What texts are made of.
var (
	genWords = []string{"a", "B", "ab", "abc", "Abcd", "abcdefgh", "xyz", "1", "10", "0x1f", "-3.5", " ", "\x00", "powershell", ".exe", "YWJj", "%p%", "\uFEFFa\x00",
		"192.0.2.7", "2024-03-09T18:05:00Z", `\`, `C:\Windows\`, "%", ","}
	genDashed = []string{"-a", "/a", "–a", " —b", " ―x", "a-b", "--enc", "/-q", "-é", "-", "/"}
	// Letters whose cases differ in length, number or script, and letters that have none.
	genLetters = []string{"K", "\u212A", "\u017F", "é", "É", "ß", "ẞ", "σ", "ς", "Σ", "İ", "ı", "ǆ", "ǅ", "Å", "\u212B", "µ", "μ", "θ", "ϴ",
		"Ⱥ", "ⱥ", "Ꭰ", "ꭰ", "𐐀", "𐐨", "ა", "Ა", "ﬅ", "ﬆ", "e\u0301", "日本", "😀", "\uFFFD", "\uFEFF"}
	genSpecial = []string{"*", "?", `\*`, `\?`, `\\`, `\\*`, `\`, "**", "*?", "%p%", "%q%", "%"}
)

// genPlaceholders are the values of placeholders in generated rules.
var genPlaceholders = map[string][]string{"p": {"a*", "abc", `x\*y`, "-b*", "192.0.2.0/24"}, "q": {"10.", ""}}

func genWord(t *rapid.T) string {
	from := genWords
	switch rapid.IntRange(0, 6).Draw(t, "words") {
	case 0, 2:
		from = genLetters
	case 1:
		from = genDashed
	}
	return rapid.SampledFrom(from).Draw(t, "word")
}

// genStore is the texts of a test, of which rules and events are made.
type genStore []string

func newGenStore(t *rapid.T) genStore {
	var s genStore
	for range rapid.IntRange(1, 5).Draw(t, "texts") {
		text := ""
		for range rapid.IntRange(1, 3).Draw(t, "length") {
			text += genWord(t)
		}
		s = append(s, text)
	}
	return s
}

func (s genStore) text(t *rapid.T) string {
	if rapid.IntRange(0, 7).Draw(t, "new") == 0 {
		return genWord(t)
	}
	return rapid.SampledFrom(s).Draw(t, "text")
}

// ruleText returns a Sigma string: the texts of the store with wildcards and escapes between them.
func (s genStore) ruleText(t *rapid.T) string {
	out := ""
	for range rapid.IntRange(0, 3).Draw(t, "pieces") {
		switch piece := rapid.IntRange(0, 7).Draw(t, "piece"); piece {
		case 0, 1:
			out += rapid.SampledFrom(genSpecial).Draw(t, "special")
		case 2: // with every special character escaped
			out += strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(s.text(t))
		case 3: // a part, so that what comes before or after is left
			rs := []rune(s.text(t))
			out += string(rs[rapid.IntRange(0, len(rs)).Draw(t, "cut"):])
		case 4: // with a wildcard for one of its characters
			rs := []rune(s.text(t))
			rs[rapid.IntRange(0, len(rs)-1).Draw(t, "at")] = rapid.SampledFrom([]rune{'?', '?', '*'}).Draw(t, "wildcard")
			out += string(rs)
		default:
			out += s.text(t)
		}
	}
	return out
}

// eventText returns a text of the store as an event may have it: in another case, encoded, with something before and after.
func (s genStore) eventText(t *rapid.T) string {
	out := ""
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		out += s.text(t)
	}
	switch rapid.IntRange(0, 13).Draw(t, "form") {
	case 0:
		out = strings.ToUpper(out)
	case 1:
		out = strings.ToLower(out)
	case 2, 3:
		out = strings.Map(unicode.SimpleFold, out)
	case 4, 5:
		for range rapid.IntRange(1, 3).Draw(t, "layers") {
			switch rapid.IntRange(0, 4).Draw(t, "layer") {
			case 0:
				out = string(genUTF16(out, binary.LittleEndian))
			case 1:
				out = string(genUTF16(out, binary.BigEndian))
			case 2:
				out = "\xff\xfe" + string(genUTF16(out, binary.LittleEndian))
			default:
				out = base64.StdEncoding.EncodeToString([]byte(rapid.SampledFrom([]string{"", "a", "ab"}).Draw(t, "before") + out))
			}
		}
	case 6:
		out = strings.NewReplacer("-", "/", "–", "-", "/", "―").Replace(out)
	case 7:
		out = strings.Repeat(out, rapid.SampledFrom([]int{2, 8, 40, 300}).Draw(t, "times"))
	}
	return out
}

func genUTF16(s string, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

var genFields = []string{"A", "B", "C", "EventID", "D", "E"}

// genModifiers returns modifiers in an order that is mostly legal.
func genModifiers(t *rapid.T) []string {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	chance := func(label string, in int) bool { return rapid.IntRange(1, in).Draw(t, label) == 1 }
	var out []string
	anchor := func() {
		if chance("anchored", 2) {
			out = append(out, one("anchor", "contains", "contains", "startswith", "endswith"))
		}
	}
	switch rapid.IntRange(0, 9).Draw(t, "modifiers") {
	case 0:
		if chance("expanded", 4) {
			out = append(out, "expand")
		}
		out = append(out, "re")
		if chance("anchor", 3) {
			anchor()
		}
		for _, names := range [][]string{{"i", "ignorecase"}, {"m", "multiline"}, {"s", "dotall"}} {
			if chance(names[0], 3) {
				out = append(out, one("flag", names...))
			}
		}
	case 1:
		out = append(out, one("compare", "lt", "lte", "gt", "gte"))
	case 2:
		out = append(out, one("part", "minute", "hour", "day", "week", "month", "year"))
		if chance("compared", 2) {
			out = append(out, one("compare", "lt", "lte", "gt", "gte"))
		}
	case 3:
		if chance("expanded", 4) {
			out = append(out, "expand")
		}
		out = append(out, one("typed", "cidr", "exists"))
	case 4:
		out = append(out, "fieldref")
		anchor()
		if chance("cased", 3) {
			out = slices.Insert(out, rapid.IntRange(1, len(out)).Draw(t, "at"), "cased")
		}
	case 5: // any modifiers in any order, most of which is illegal
		for range rapid.IntRange(1, 4).Draw(t, "any") {
			out = append(out, one("modifier", "contains", "startswith", "endswith", "all", "cased", "neq", "windash", "re", "i", "s", "m", "wide", "utf16",
				"utf16le", "utf16be", "base64", "base64offset", "expand", "fieldref", "exists", "lt", "gte", "cidr", "hour", "year"))
		}
	default:
		if chance("expand", 6) {
			out = append(out, "expand")
		}
		if chance("windash", 5) {
			out = append(out, "windash")
		}
		if len(out) == 2 && chance("turned", 2) {
			slices.Reverse(out)
		}
		if chance("encoded", 4) {
			for range rapid.IntRange(1, 2).Draw(t, "layers") {
				if chance("utf16", 2) {
					out = append(out, one("utf", "wide", "utf16", "utf16le", "utf16be"))
				}
				if chance("base64", 2) {
					out = append(out, one("base", "base64", "base64offset"))
				}
			}
		}
		if chance("early", 4) { // contains before windash, say
			anchor()
			slices.Reverse(out)
		} else {
			anchor()
		}
		if chance("cased", 5) {
			out = slices.Insert(out, rapid.IntRange(0, len(out)).Draw(t, "at"), "cased")
		}
	}
	for _, name := range []string{"all", "neq"} {
		if chance(name, 5) {
			out = slices.Insert(out, rapid.IntRange(0, len(out)).Draw(t, "at"), name)
		}
	}
	return out
}

var (
	genRegexes = []string{"a", "^a", "b$", "a.c", "(abc|xyz)+", "[a-c]{2,3}", "ab?c", "power(shell)?", "(?i)ABC", "k", "é", ".", "", "^$", "a|xyz", "[^a]",
		`\.exe$`, "\uFFFD", "abcd?", `\x00`, `(?i)\x{212a}`, "(?i)σ", "(?s)a.b", `\bab\b`, `^\d+$`, "%p%", `a{2,}`, `(?i:aB)c`, `[[:upper:]]`, `\p{Greek}`, "(ab|ac|ad)xyz"}
	genNetworks  = []string{"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "192.0.2.7", "::/0", "192.0.2.7/32", "::ffff:192.0.2.0/120", "fe80::/10", "10.0.0.0/8", "%p%"}
	genAddresses = []string{"192.0.2.7", "192.0.2.255", "192.0.3.0", " 192.0.2.7 ", "192.0.2.9:443", "[2001:db8::1]:80", "2001:db8::1", "2001:DB8::1", "::ffff:192.0.2.7",
		"fe80::1%eth0", "192.0.2", "192.0.02.7", "192.0.2.7/24", "2001:db8::1:80", "[192.0.2.7]:80", "10.0.0.1:", "::", "[::1", "1:2:3:4:5:6:7:8:9", "abcd"}
	genNumbers = []string{"1", "10", "31", "-3.5", "18", "2024", "3", "9", "5", "0", "-0", "0x1f", "1e3", "1E-2", "+5", ".5", "5.", " 7 ", "1_000", "NaN", "Inf", "0x", "1e", "e1", "--1",
		"18446744073709551616", "0xffffffffffffffff", "0x1ffffffffffffffff", "1e400", "١", "1e1", "9007199254740992", "9007199254740993", "18446744073709551615", "-9223372036854775809"}
	genTimes = []string{"2024-03-09T18:05:00Z", "2024-03-09 18:05:00.123456", "2024-12-30", "2021-01-03t00:59", "2024-03-09T24:05:00Z", "2024-13-09", "2024-02-31T05:05", "24-03-09",
		" 2024-03-09T18:05 ", "2024-03-09T18:5", "2024-03-09X18:05", "2024/03/09 18:05", "0000-01-01T00:00", "2024-03-09T", "2024-03-09 1805"}
	genJSON = []string{`["a","abc",null]`, `[]`, `[null]`, `true`, `false`, `["",["a"]]`, `[1,10,"xy\u007a"]`, `{"a":"abc"}`, `[{"a":1},"B"]`, `["K","\u212a"]`, `[ "a" , 1e3 ]`, `[""]`,
		`["192.0.2.7","10.0.0.1"]`, `["2024-03-09T18:05:00Z"]`, `[`, `["a`, `["a",]`, `[[],[[]]]`, `["\ud83d\ude00","\ud800"]`}
)

// value returns a value that a line with the given modifiers may have.
func (s genStore) value(t *rapid.T, l *line) scalar {
	sample := func(label string, of []string) scalar { return scalar{text: rapid.SampledFrom(of).Draw(t, label)} }
	switch {
	case rapid.IntRange(0, 40).Draw(t, "odd") == 0:
		return scalar{text: s.ruleText(t)}
	case l.has("exists"):
		return sample("bool", []string{"true", "false", "yes", "No"})
	case l.has("re"):
		return sample("regex", genRegexes)
	case l.has("cidr"):
		return sample("network", genNetworks)
	case l.has("fieldref"):
		return sample("other", append([]string{"Absent"}, genFields...))
	case l.has("lt", "lte", "gt", "gte", "hour", "week", "year", "month", "day", "minute"):
		return sample("number", genNumbers)
	case len(l.modifiers) == 0 && l.field != "" && rapid.IntRange(0, 5).Draw(t, "null") == 0:
		return scalar{null: true}
	}
	return scalar{text: s.ruleText(t)}
}

func (s genStore) lines(t *rapid.T) *block {
	b := &block{}
	for range rapid.IntRange(1, 2).Draw(t, "lines") {
		b.all = append(b.all, s.line(t))
	}
	return b
}

// line returns a line that can be used.
func (s genStore) line(t *rapid.T) line {
	field := rapid.SampledFrom(append([]string{"", "Absent"}, genFields...)).Draw(t, "field")
	for range 4 {
		l := line{field: field, modifiers: genModifiers(t)}
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			l.values = append(l.values, s.value(t, &l))
		}
		if _, bad := (&lowering{placeholders: genPlaceholders}).line(&l); bad == nil {
			return l
		}
	}
	return line{field: field, values: []scalar{{text: "*a"}}}
}

func (s genStore) block(t *rapid.T, depth int) *block {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "list") != 0 {
		return s.lines(t)
	}
	b := &block{}
	for range rapid.IntRange(1, 3).Draw(t, "maps") {
		b.any = append(b.any, s.block(t, depth-1))
	}
	return b
}

// genCondition returns a condition over selections of the given names.
func genCondition(t *rapid.T, names []string, depth int) string {
	switch rapid.IntRange(0, 8).Draw(t, "condition") {
	case 0:
		return "not " + genCondition(t, names, max(depth-1, 0))
	case 1, 2:
		if depth > 0 {
			return genCondition(t, names, depth-1) + rapid.SampledFrom([]string{" and ", " or ", " AND "}).Draw(t, "operator") + genCondition(t, names, depth-1)
		}
	case 3:
		if depth > 0 {
			return "(" + genCondition(t, names, depth-1) + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "operator") + genCondition(t, names, depth-1) + ")"
		}
	case 4, 5:
		n := rapid.SampledFrom([]string{"1", "all", "2", "any", "3"}).Draw(t, "quantity")
		return n + " of " + rapid.SampledFrom([]string{"sel*", "them", "*", "_*", "*sel*", "s*1", "*_a", "sel1", "f*l*r*a", "THEM"}).Draw(t, "pattern")
	}
	return rapid.SampledFrom(names).Draw(t, "name")
}

func (s genStore) detection(t *rapid.T) *detection {
	all := []string{"sel1", "sel2", "_x", "filter_a", "a_sel"}
	names := all[:rapid.IntRange(2, len(all)).Draw(t, "selections")]
	d := &detection{}
	for _, name := range names {
		d.selections = append(d.selections, selection{name: name, body: s.block(t, 2)})
	}
	for range rapid.IntRange(1, 2).Draw(t, "conditions") {
		c, bad := parseCondition(genCondition(t, names, 2), at{})
		if bad == nil {
			_, bad = (&detection{selections: d.selections, conditions: []*condition{c}}).lower(genPlaceholders)
		}
		if bad != nil { // it asks for more than there is
			c, _ = parseCondition("sel1", at{})
		}
		d.conditions = append(d.conditions, c)
	}
	return d
}

// numbersOfEVTX are the types of Windows values that have a width, in bytes.
var numbersOfEVTX = map[evtx.Type]int{evtx.Int8Type: 1, evtx.UInt8Type: 1, evtx.Int16Type: 2, evtx.UInt16Type: 2, evtx.Int32Type: 4, evtx.UInt32Type: 4,
	evtx.Int64Type: 8, evtx.UInt64Type: 8, evtx.Real32Type: 4, evtx.Real64Type: 8, evtx.BoolType: 4, evtx.GUIDType: 16, evtx.SizeTType: 8, evtx.FileTimeType: 8,
	evtx.SysTimeType: 16, evtx.HexInt32Type: 4, evtx.HexInt64Type: 8, evtx.SIDType: 12, evtx.BinaryType: 5}

// windowsValue returns a value of binary XML that is no string.
func windowsValue(t *rapid.T) event.Value {
	var types []evtx.Type
	for k := range numbersOfEVTX {
		types = append(types, k)
	}
	slices.Sort(types)
	typ := rapid.SampledFrom(types).Draw(t, "type")
	n := numbersOfEVTX[typ]
	if array := rapid.IntRange(0, 3).Draw(t, "array"); array == 0 {
		typ |= evtx.Array
		n *= rapid.IntRange(0, 2).Draw(t, "elements")
	} else if array == 1 {
		n = rapid.IntRange(0, n).Draw(t, "short")
	}
	data := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 10, 31, 'a', 0xff}), n, n).Draw(t, "data")
	return event.Value{Kind: event.Kind(typ), Data: data}
}

// eventValue returns a value of an event, in any of the forms that logs have.
func (s genStore) eventValue(t *rapid.T) event.Value {
	sample := func(of []string) []byte { return []byte(rapid.SampledFrom(of).Draw(t, "sample")) }
	switch rapid.IntRange(0, 17).Draw(t, "kind") {
	case 0:
		return event.Value{}
	case 1:
		return event.Value{Kind: event.Null}
	case 2:
		return event.Value{Kind: event.Number, Data: sample(genNumbers)}
	case 3, 4, 5:
		v := utf16Value(s.eventText(t))
		switch rapid.IntRange(0, 7).Draw(t, "ending") {
		case 0:
			v.Data = append(v.Data, 0, 0)
		case 1:
			v.Data = append(v.Data, 'a') // half of a character
		case 2:
			v.Data = append(v.Data, 0x3d, 0xd8) // half of a pair
		case 3:
			v.Data = append(append(v.Data, 0, 0), utf16Value(s.eventText(t)).Data...)
			v.Kind |= event.Kind(evtx.Array)
		}
		return v
	case 6:
		return event.Value{Kind: event.JSON, Data: sample(genJSON)}
	case 7:
		text, _ := json.Marshal(s.eventText(t))
		if rapid.Bool().Draw(t, "list") {
			return event.JSONValue([]byte(`[` + string(text) + `,null,` + string(text) + `]`))
		}
		return event.Value{Kind: event.Escape, Data: append([]byte(`\u0061b\\`), text[1:len(text)-1]...)}
	case 8:
		return windowsValue(t)
	case 9:
		return event.Value{Kind: event.Kind(evtx.AnsiStringType), Data: append(sample(genWords), 0xe9, 0x80)}
	case 10:
		return event.Value{Kind: event.UTF8, Data: sample(genAddresses)}
	case 11:
		return event.Value{Kind: event.UTF8, Data: sample(genTimes)}
	case 12:
		return event.Value{Kind: event.UTF8, Data: sample(genNumbers)}
	}
	text := s.eventText(t)
	switch rapid.IntRange(0, 9).Draw(t, "broken") {
	case 0:
		text = "\xff" + text + "\xc3"
	case 1: // cut off, maybe inside of a character
		from := rapid.IntRange(0, len(text)).Draw(t, "from")
		text = text[from:rapid.IntRange(from, len(text)).Draw(t, "to")]
	}
	return event.Value{Kind: event.UTF8, Data: []byte(text)}
}

// The log sources of rules; events are of the first three.
var genSources = []event.LogSource{{Product: "p"}, {Product: "p", Category: "c"}, {Product: "p", Service: "s"}, {Product: "p"}, {Product: "p"}, {Category: "c"}, {}, {Product: "q"}}

// shape returns the Shape of some events, with aliases, fields of one name, and constants.
func (s genStore) shape(t *rapid.T) *event.Shape {
	var variable, constant []event.Field
	for range rapid.IntRange(1, 6).Draw(t, "fields") {
		f := event.Field{Name: rapid.SampledFrom(genFields).Draw(t, "field"), Aliases: rapid.SliceOfN(rapid.SampledFrom(genFields), 0, 2).Draw(t, "aliases")}
		if rapid.IntRange(0, 2).Draw(t, "constant") == 0 {
			if f.Const = s.eventValue(t); rapid.IntRange(0, 5).Draw(t, "null") == 0 {
				f.Const = event.Value{Kind: event.Null}
			}
			if f.Const.Kind != event.None {
				constant = append(constant, f)
				continue
			}
		}
		variable = append(variable, f)
	}
	format := rapid.SampledFrom([]string{"text", "text", "windows.evtx", "windows.json"}).Draw(t, "format")
	sources := rapid.SliceOfN(rapid.SampledFrom(genSources[:3]), 1, 2).Draw(t, "sources")
	shape := event.NewShape(format, sources, append(variable, constant...))
	shape.EmptyIsNull = rapid.Bool().Draw(t, "empty is null")
	return shape
}

// event returns an event of the shape. Values may be those of the event before, and may stand in the line.
func (s genStore) event(t *rapid.T, shape *event.Shape, before *event.Event) *event.Event {
	ev := &event.Event{Shape: shape}
	again := rapid.SampledFrom([]int{0, 2, 5}).Draw(t, "often") // of six
	for i := range shape.Variable() {
		if before != nil && rapid.IntRange(1, 6).Draw(t, "again") <= again {
			ev.Values = append(ev.Values, before.Values[i])
		} else {
			ev.Values = append(ev.Values, s.eventValue(t))
		}
	}
	if !rapid.Bool().Draw(t, "line") {
		return ev
	}
	type place struct{ slot, from, to int }
	var places []place
	for i, v := range ev.Values {
		ev.Raw = append(ev.Raw, rapid.SampledFrom([]string{"", " ", ` "`, "=", "é"}).Draw(t, "between")...)
		if v.Kind == event.UTF8 || v.Kind == event.Number || v.Kind == event.Escape || v.Kind == event.JSON {
			places = append(places, place{i, len(ev.Raw), len(ev.Raw) + len(v.Data)})
			ev.Raw = append(ev.Raw, v.Data...)
		}
	}
	ev.Raw = append(ev.Raw, s.eventText(t)...)
	for _, p := range places {
		switch rapid.IntRange(0, 5).Draw(t, "place") {
		case 0: // stays where it was
		case 1: // anywhere in the line, over other values, and not always at the edge of a character
			p.from = rapid.IntRange(0, len(ev.Raw)).Draw(t, "from")
			p.to = rapid.IntRange(p.from, len(ev.Raw)).Draw(t, "to")
			fallthrough
		default:
			ev.Values[p.slot].Data = ev.Raw[p.from:p.to:p.to]
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
	store := newGenStore(t)
	pack := &Pack{}
	for i := range rapid.IntRange(1, rapid.SampledFrom([]int{3, 3, 12}).Draw(t, "most")).Draw(t, "rules") {
		r := &Rule{Path: fmt.Sprint(i), LogSource: rapid.SampledFrom(genSources).Draw(t, "source"), detection: store.detection(t)}
		r.expr, _ = r.detection.lower(nil)
		pack.Rules = append(pack.Rules, r)
	}
	e, rejected := Compile(pack, Options{Placeholders: genPlaceholders})
	for _, r := range rejected {
		t.Fatalf("cannot be compiled: %v", r)
	}
	var events []*event.Event
	var shapes []*event.Shape
	latest := map[*event.Shape]*event.Event{}
	for range rapid.IntRange(1, 2).Draw(t, "shapes") {
		shapes = append(shapes, store.shape(t))
	}
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		shape := rapid.SampledFrom(shapes).Draw(t, "shape")
		ev := store.event(t, shape, latest[shape])
		events = append(events, ev)
		latest[shape] = ev
	}
	plain, remembering := &reference{placeholders: genPlaceholders}, &reference{placeholders: genPlaceholders, memo: newRefMemo(e.rules)}
	m := e.NewMatcher()
	wants := make([][]int32, len(events))
	for n, ev := range events {
		rev := newRefEvent(ev)
		remembering.memo.next()
		for i, r := range e.rules {
			match := refApplies(r.LogSource, ev.Shape.Sources) && plain.matches(r.detection, rev)
			if match {
				wants[n] = append(wants[n], int32(i))
			}
			if match != (refApplies(r.LogSource, ev.Shape.Sources) && remembering.matches(r.detection, rev)) {
				t.Fatalf("the reference does not remember what it found of rule %d: %s", i, describeRule(r))
			}
		}
	}
	for round := range 2 { // in the second, the matcher has seen all values
		for n, ev := range events {
			got := m.Match(ev)
			if !slices.Equal(got, wants[n]) {
				for i, r := range e.rules {
					if slices.Contains(got, int32(i)) != slices.Contains(wants[n], int32(i)) {
						t.Logf("rule %d: %s", i, describeRule(r))
					}
				}
				for i, f := range ev.Shape.Fields() {
					t.Logf("%s %v = %#x %q %q", f.Name, f.Aliases, ev.Value(i).Kind, ev.Value(i).Data, ev.Value(i).String())
				}
				t.Fatalf("round %d, event %d (%q) of %s: engine %v, reference %v", round, n, ev.Raw, ev.Shape.Format, got, wants[n])
			}
			for _, r := range slices.Clone(got) {
				var found []FieldMatch
				if !e.codes[r].cond.explain(e, ev, &found) {
					t.Fatalf("Explain does not find that rule %d matches: %s", r, describeRule(e.rules[r]))
				}
			}
		}
	}
}

// describeRule writes a rule out, for the report of a failure.
func describeRule(r *Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", r.LogSource)
	for _, s := range r.detection.selections {
		fmt.Fprintf(&b, "  %s:\n", s.name)
		describeBlock(&b, s.body, "    ")
	}
	for _, c := range r.detection.conditions {
		fmt.Fprintf(&b, "  condition: %s\n", describeCondition(c))
	}
	return b.String()
}

func describeBlock(b *strings.Builder, x *block, indent string) {
	for _, sub := range x.any {
		fmt.Fprintf(b, "%s-\n", indent)
		describeBlock(b, sub, indent+"  ")
	}
	for _, l := range x.all {
		fmt.Fprintf(b, "%s%s:", indent, strings.Join(append([]string{l.field}, l.modifiers...), "|"))
		for _, v := range l.values {
			if v.null {
				b.WriteString(" null")
			} else {
				fmt.Fprintf(b, " %q", v.text)
			}
		}
		b.WriteString("\n")
	}
}

func describeCondition(c *condition) string {
	var kids []string
	for _, k := range c.kids {
		kids = append(kids, describeCondition(k))
	}
	switch c.op {
	case andOp:
		return "(" + strings.Join(kids, " and ") + ")"
	case orOp:
		return "(" + strings.Join(kids, " or ") + ")"
	case notOp:
		return "not " + kids[0]
	case ofOp:
		if c.n == 0 {
			return "all of " + c.name
		}
		return fmt.Sprintf("%d of %s", c.n, c.name)
	}
	return c.name
}
