package sigma

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"pgregory.net/rapid"
)

// textEvent makes an event of fields and values in turn. "\x00absent" and "\x00null" are what they say, a value that
// begins with [ is a JSON list, one that begins with # is the line itself.
func textEvent(fields ...string) *event.Event {
	var list []event.Field
	ev := &event.Event{}
	for i := 0; i < len(fields); i += 2 {
		v := event.Text(fields[i+1])
		switch {
		case fields[i+1] == "\x00absent":
			v = event.Value{}
		case fields[i+1] == "\x00null":
			v = event.Value{Kind: event.Null}
		case strings.HasPrefix(fields[i+1], "["):
			v.Kind = event.JSON
		case strings.HasPrefix(fields[i+1], "#"):
			ev.Raw = []byte(fields[i+1][1:])
			continue
		}
		list = append(list, event.Field{Name: fields[i]})
		ev.Values = append(ev.Values, v)
	}
	ev.Shape = event.NewShape("text", []event.LogSource{{Product: "p"}}, list)
	return ev
}

func compileOne(tb testing.TB, detection string) *Engine {
	tb.Helper()
	p := Parse("r.yml", []byte(ruleOf(detection)))
	for _, r := range p.Rejected {
		tb.Fatalf("%v\n%s", r, detection)
	}
	e, rejected := Compile(p, Options{Placeholders: map[string][]string{"admins": {"root", "adm*"}}})
	for _, r := range rejected {
		tb.Fatalf("%v\n%s", r, detection)
	}
	return e
}

func TestSemantics(t *testing.T) {
	f := func(line string, ev *event.Event, want bool) {
		t.Helper()
		e := compileOne(t, "    s:\n        "+line+"\n    condition: s\n")
		if got := len(e.NewMatcher().Match(ev)) == 1; got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
		if ref := (&reference{placeholders: map[string][]string{"admins": {"root", "adm*"}}}).matches(e.rules[0].detection, newRefEvent(ev)); ref != want {
			t.Errorf("%s: the reference says %v, want %v", line, ref, want)
		}
	}
	a := func(v string) *event.Event { return textEvent("A", v, "B", "other") }

	f("A: abc", a("ABC"), true)
	f("A: abc", a("abcd"), false)
	f("A|cased: abc", a("ABC"), false)
	f("A|cased: abc", a("abc"), true)
	f("A: STRASSE", a("straße"), false) // simple folding, not full
	f("A: kelvin", a("\u212AELVIN"), true)
	f("A: ΟΔΟΣ", a("οδος"), true)
	f("A: 'İ'", a("i"), false) // the Turkish letters have no simple folding
	f("A: 'ı'", a("I"), false)
	f("A: 'İ'", a("İ"), true)
	f("A: 'ẞ'", a("ß"), true)
	f("A: 'ſ'", a("S"), true)
	f("A|contains: 'ſK'", a("xs\u212Ax"), true)
	f("A: 'Å'", a("\u212B"), true) // the Ångström sign
	f("A: 'ﬁ'", a("fi"), false)
	f("A|cased: 'K'", a("\u212A"), false)
	f("A|startswith: 'É'", a("école"), true)
	f("A: [x, abc]", a("abc"), true)
	f("A: 4688", a("4688"), true)
	f("A: 4688", a("0x1250"), false)
	f("A: 0x1F", a("0x1f"), true)
	f("A: true", a("True"), true)

	f("A: a*c", a("abbbc"), true)
	f("A: a*c", a("ac"), true)
	f("A: a?c", a("ac"), false)
	f("A: a?c", a("aéc"), true)
	f(`A: a\*c`, a("a*c"), true)
	f(`A: a\*c`, a("abc"), false)
	f(`A: a\\*c`, a(`a\xc`), true)
	f(`A: a\\*c`, a(`axc`), false)
	f(`A: a\\\*c`, a(`a\*c`), true)
	f(`A: \\server\x`, a(`\server\x`), true)
	f(`A: C:\Windows\x`, a(`c:\windows\x`), true)
	f(`A|contains: Temp\`, a(`c:\temp\x`), true)
	f(`A|endswith: \`, a(`c:\temp\`), true)
	f(`A: a\?c`, a("a?c"), true)
	f(`A: a\?c`, a("abc"), false)
	f(`A: 'a\\b'`, a(`a\b`), true)    // two are one
	f(`A: 'a\\\b'`, a(`a\\b`), true)  // three are two
	f(`A: 'a\\\\b'`, a(`a\\b`), true) // and so are four
	f(`A: 'a\\\\*'`, a(`a\\b`), true)
	f(`A: 'a\'`, a(`a\`), true)
	f(`A: '\n'`, a(`\n`), true)
	f(`A|contains: 'x\\'`, a(`x\y`), true)
	f(`A|startswith: 'x\'`, a(`x\y`), true)
	f(`A|contains: '\*'`, a("x*y"), true)
	f(`A|contains: '\*'`, a("xy"), false)
	f("A: '?'", a("é"), true)
	f("A: '?'", a(""), false)
	f("A: '**'", a("x"), true)
	f("A: '*b*d*'", a("abcde"), true)
	f("A: '*?'", a(""), false)
	f("A: 'a*'", a("a\nb"), true)
	f("A: '*'", a(""), true)
	f("A: '*'", textEvent("B", "x"), false)
	f("A|contains: ''", a("x"), true)
	f("A|startswith: ab", a("ABC"), true)
	f("A|startswith: bc", a("ABC"), false)
	f("A|endswith: bc", a("ABC"), true)
	f("A|contains|all: [a, c]", a("abc"), true)
	f("A|contains|all: [a, d]", a("abc"), false)
	f("A|contains: 'p?r*e'", a("a purple bag"), true)

	f("A: null", textEvent("B", "x"), true)
	f("A: null", textEvent("A", "\x00null"), true)
	f("A: null", textEvent("A", "\x00absent"), true)
	f("A: null", a(""), false)
	f("A: null", textEvent("A", "[null]"), true)
	f("A: ''", a(""), true)
	f("A: ''", textEvent("A", "\x00null"), true)
	f("A: ''", textEvent("B", "x"), false)
	f("A: ''", a("x"), false)
	f("A: [null, '']", a(""), true)
	f("A|exists: true", textEvent("A", "\x00null"), true)
	f("A|exists: true", textEvent("A", "\x00absent"), false)
	f("A|exists: false", textEvent("B", "x"), true)
	f("A|neq: x", a("y"), true)
	f("A|neq: [x, y]", a("y"), false)
	f("A|neq: x", textEvent("B", "x"), true)
	f("A|contains|neq: b", a("abc"), false)

	f("A|all: [a, b]", textEvent("A", `["a","b","c"]`), true)
	f("A: 4688", textEvent("A", "[4688, 1]"), true)
	f("A: 1.0", a("1"), false)
	f("A: -3", a("-3"), true)
	f("A: [x, null]", textEvent("B", "y"), true)
	f("A|neq: null", a("x"), true)
	f("A|neq: null", textEvent("B", "x"), false)
	f("A|neq: ''", a(""), false)
	f("A|neq: b", textEvent("A", `["a","b"]`), false)
	f("A|all|neq|contains: [a, b]", a("ab"), false)
	f("A|all|neq|contains: [a, b]", a("a"), true)
	f("A|exists: yes", a(""), true)
	f("A|exists|neq: true", a("x"), false)

	for _, was := range []string{"-", "/", "–", "—", "―"} {
		for _, is := range []string{"-", "/", "–", "—", "―"} {
			f("A|windash|contains: ' "+was+"enc '", a("x "+is+"ENC y"), true)
		}
	}
	f("A|contains|windash: '-a -b -c -d -e -f'", a("-a /b –c —d ―e /f"), true) // more than are written out
	f("A|contains|windash: '-a -b -c -d -e -f'", a("-a /b –c —d ―e xf"), false)
	f("A|windash: '-a -b -c -d -e *-f'", a("/a /b /c /d /e x/f"), true)
	f("A|windash: 'a/b-c'", a("a/b-c"), true)
	f("A|windash: 'a/b-c'", a("a-b-c"), false)
	f("A|windash: 'x --y'", a("x -/y"), true)
	f("A|windash: 'x -'", a("x /"), false)
	f("A|windash: '*-a'", a("b/a"), true)
	f("A|windash|cased: ' -A'", a(" /a"), false)
	f("A|windash: ' -enc'", a(" /ENC"), true)
	f("A|windash: ' -enc'", a(" –enc"), true)
	f("A|contains|windash: a-b", a("a/b"), false)
	f("A|windash|contains: '-foo -bar'", a("x ―foo /bar"), true)
	f("A|re: 'a.c'", a("xxabcxx"), true)
	f("A|re: 'a.c'", a("ABC"), false)
	f("A|re|i: 'a.c'", a("ABC"), true)
	f("A|re: '^b'", a("a\nb"), false)
	f("A|re|m: '^b'", a("a\nb"), true)
	f("A|re: 'a.b'", a("a\nb"), false)
	f("A|re|s: 'a.b'", a("a\nb"), true)
	f("A|wide: ab", a("a\x00b\x00"), true)
	f("A|utf16be|contains: ab", a("--\x00a\x00b--"), true)
	f("A|base64: foo", a("Zm9v"), true)
	f("A|base64offset|contains: /bin/bash", a("x L2Jpbi9iYXNo"), true)
	f("A|base64offset|contains: /bin/bash", a("IC9iaW4vYmFzaA=="), true)
	f("A|base64offset|contains: /bin/bash", a("eHgvYmluL2Jhc2g="), true)
	f("A|wide|base64offset|contains: ping", a("cABpAG4AZwA="), true)
	f("A|utf16|base64|contains: ab", a("//5hAGIA"), true)
	f("A|contains|wide: ab", a("xa\x00b\x00x"), true)
	f("A|wide: 'a*b'", a("a\x00xxb\x00"), true)
	f("A|utf16: ab", a("\xff\xfea\x00b\x00"), true)
	f("A|utf16|contains: ab", a("x\uFEFFa\x00b\x00x"), true)
	f("A|utf16: ab", a("a\x00b\x00"), false)
	f("A|utf16be: ab", a("\x00a\x00B"), true)
	f("A|utf16be|base64offset|contains: ping", a("AHAAaQBuAGc="), true)
	f(`A|base64: 'a\*'`, a("YSo="), true)
	f("A|base64|base64: foo", a("Wm05dg=="), true)
	f("A|base64|cased: foo", a("zM9V"), false)
	f("A|base64offset|base64offset|contains: xfoobar", a("ZUdadmIySmhjZz09"), true) // Base64 of the Base64 of xfoobar
	f("A|base64|wide|base64: foo", a("WgBtADkAdgA="), true)
	f("A|windash|base64: '-a'", a("L2E="), true)
	f("A|wide|base64offset|contains: zoé", a("egBvAOkA"), true)
	f("A|re|startswith: 'b+'", a("bba"), true)
	f("A|re|startswith: 'b|c'", a("ac"), false)
	f("A|re|endswith: 'b|c'", a("xc"), true)
	f("A|re|endswith: 'b|c'", a("cx"), false)
	f("A|re|contains: 'b+'", a("abc"), true)
	f("A|re|m|startswith: 'b'", a("a\nb"), false)
	f("A|re|i|m|s: '^B.c'", a("a\nb\nc"), true)
	f("A|re|ignorecase|multiline|dotall: '^B.c'", a("a\nb\nc"), true)
	f("A|re|s|i: 'A.B'", a("a\nb"), true)
	f("A|re|all: [a, b]", a("ba"), true)
	f("A|re|neq: [a, b]", a("cc"), true)
	f(`A|re: '^C:\\Users\\[^\\]+$'`, a(`C:\Users\ana`), true)
	f("A|re: '(?i)abc'", a("ABC"), true)
	f("A|re: ''", a(""), true)

	f("A|lt: 5", a("4.9"), true)
	f("A|lt: 5", a("x"), false)
	f("A|gte: -3", a("-3"), true)
	f("A|gt: 16", a("0x11"), true)
	f("A|lte: 1e3", a("1000"), true)
	f("A|gt: 0x10", a("17"), true)
	f("A|lt: -1.5", a("-1.6"), true)
	f("A|gt: -0.5", a("-0.25"), true)
	f("A|gt: 9007199254740992", a("9007199254740993"), true) // beyond what a float64 tells apart
	f("A|gte: 18446744073709551615", a("0xffffffffffffffff"), true)
	f("A|lt: 18446744073709551615", a("18446744073709551614"), true)
	f("A|lte: 5", a("5.0"), true)
	f("A|gte: -0", a("0"), true)
	f("A|lt: -9007199254740992", a("-9007199254740993"), true)
	f("A|lt: 5", a(""), false)
	f("A|lt: 5", textEvent("B", "1"), false)
	f("A|lt|neq: 5", a("x"), true)
	f("A|gt: [100, 5]", a("7"), true)
	f("A|gt|all: [1, 5]", a("3"), false)
	f("A|lt: 5", textEvent("A", "[9, 4]"), true)
	f("A|cidr: 192.0.2.0/24", a("192.0.2.7"), true)
	f("A|cidr: 192.0.2.0/24", a("192.0.3.7"), false)
	f("A|cidr: 192.0.2.0/24", a("192.0.2.7:55"), true)
	f("A|cidr: 192.0.2.0/24", a("::ffff:192.0.2.7"), true)
	f("A|cidr: 2001:db8::/32", a("[2001:DB8::1]:80"), true)
	f("A|cidr: 2001:db8::/32", a("2001:db8::1%eth0"), true)
	f("A|cidr: [198.51.100.0/24, '::1']", a("::1"), true)
	f("A|cidr: 192.0.2.0/24", a("host.example.org"), false)
	f("A|cidr: 192.0.2.77/24", a("192.0.2.1"), true)
	f("A|cidr: 192.0.2.7", a("192.0.2.7"), true)
	f("A|cidr: '::ffff:192.0.2.0/120'", a("192.0.2.9"), true)
	f("A|cidr: '::/0'", a("192.0.2.9"), false)
	f("A|cidr: 0.0.0.0/0", a("2001:db8::1"), false)
	f("A|cidr|neq: 192.0.2.0/24", a("198.51.100.1"), true)
	f("A|cidr: 192.0.2.0/24", textEvent("A", `["198.51.100.1","192.0.2.3"]`), true)
	f("'|cidr': 192.0.2.0/24", a("192.0.2.3"), true)
	f("A|fieldref: B", textEvent("A", "Abc", "B", "aBC"), true)
	f("A|fieldref|cased: B", textEvent("A", "Abc", "B", "aBC"), false)
	f("A|cased|fieldref: B", textEvent("A", "Abc", "B", "aBC"), false)
	f("A|fieldref|contains: B", textEvent("A", "xxabcxx", "B", "ABC"), true)
	f("A|fieldref|startswith: B", textEvent("A", "abcxx", "B", "ABC"), true)
	f("A|fieldref|startswith|cased: B", textEvent("A", "abcxx", "B", "ABC"), false)
	f("A|fieldref|neq: B", textEvent("A", "x"), true)
	f("A|fieldref|all: [B, C]", textEvent("A", "x", "B", "x", "C", "X"), true)
	f("A|fieldref|all: [B, C]", textEvent("A", "x", "B", "x", "C", "y"), false)
	f("A|fieldref: B", textEvent("A", "*", "B", "x"), false) // what stands in an event is no pattern
	f("A|fieldref: B", textEvent("A", `["x","y"]`, "B", `["z","Y"]`), true)
	f("A|fieldref: B", textEvent("A", "\x00null", "B", "\x00null"), false)
	f("A|fieldref: B", textEvent("A", "", "B", ""), true)
	f("A|fieldref|neq: B", textEvent("A", "x", "B", "y"), true)
	f("A|fieldref|endswith: B", textEvent("A", `c:\x.exe`, "B", "X.EXE"), true)
	f("A|fieldref: B", textEvent("A", "x"), false)
	// Half of a character is in no text that has the whole one: values may be cut off.
	f("A|fieldref|contains: B", textEvent("A", "xÉx", "B", "\x89"), false)
	f("A|fieldref|contains: B", textEvent("A", "xÉx\x89x", "B", "\x89"), true)
	f("A|fieldref|startswith: B", textEvent("A", "xé", "B", "X\xc3"), false)
	f("A|fieldref|startswith: B", textEvent("A", "x\xc3é", "B", "X\xc3"), true)
	f("A|fieldref|endswith: B", textEvent("A", "x日", "B", "\xa5"), false)
	f("A|fieldref|endswith: B", textEvent("A", "日\xa5", "B", "\xa5"), true)
	f("A|fieldref|contains|cased: B", textEvent("A", "😀", "B", "\x9f\x98"), false)
	f("A|fieldref|contains|cased: B", textEvent("A", "\x9f\x98\x80", "B", "\x9f\x98"), true)
	f("A|fieldref|contains: B", textEvent("A", "日\xe6\x97", "B", "\xe6\x97"), true)
	f("A|fieldref|contains: B", textEvent("A", "日", "B", ""), true)
	f("A|fieldref: B", textEvent("A", "x\xc3", "B", "X\xc3"), true)
	f("A|hour: 18", a("2024-03-09T18:05:00Z"), true)
	f("A|hour|gte: 18", a("2024-03-09 17:59:59.000"), false)
	f("A|week: 10", a("2024-03-09"), true)
	f("A|minute: 5", a("2024-03-09 17"), false)
	f("A|minute|lt: 6", a("2024-03-09T17:05:59.9+02:00"), true)
	f("A|hour: [17, 18]", a("2024-03-09T17:05:59.9+02:00"), true) // as written
	f("A|day: 9", a("2024-03-09"), true)
	f("A|month: 3", a("2024-03-09"), true)
	f("A|year|gte: 2024", a("2024-03-09"), true)
	f("A|week: 53", a("2021-01-01"), true)
	f("A|week: 1", a("2024-12-30"), true)
	f("A|hour|neq: 3", a("2024-03-09 17:00"), true)
	f("A|year: 2024", a("9.3.2024"), false)
	f("A|expand: '%admins%'", a("Administrator"), true)
	f("A|contains|expand: 'user=%admins%;'", a("user=root;"), true)
	f("A|expand: '%admins%'", a("ana"), false)
	f(`A|expand: 'C:\\Users\\%admins%'`, a(`c:\users\root`), true)
	f(`A|expand: '\%admins%'`, a("%admins%"), true)
	f(`A|expand: '\%plain%admins%'`, a("%plainroot"), true)
	f("A: '%admins%'", a("%admins%"), true)
	f("A|expand: '100%*5%'", a("100% of 5%"), true)
	f("A|expand: '%admins%%admins%'", a("rootadmin"), true)
	f("A|windash|expand: '-x %admins%'", a("/x root"), true)
	f("A|expand|windash: '-%admins%'", a("/root"), true)
	f("A|windash|expand: '-%admins%'", a("/root"), false)
	f("A|re|expand: '^%admins%$'", a("root"), true)
	f("A|expand|re: '^%admins%$'", a("roots"), false)

	f("A: b", textEvent("A", `["a","B"]`), true)
	f("A|contains|all: [a, b]", textEvent("A", `["a","b"]`), true)
	f("A: '*a, b*'", textEvent("A", `["a","b"]`), false)
	f("'|all': [abc, xyz]", textEvent("A", "xABCx", "B", "wxyz"), true)
	f("'|all': [abc, xyz]", textEvent("A", "xABCx"), false)
	f("'|cased': ABC", a("xABCx"), true)
	f("'|cased': ABC", a("xabcx"), false)
	f("'|startswith': ab", a("abc"), true)
	f("'|startswith': ab", a("xab"), false)
	f("'|all|contains': ['a*c', d]", a("abcd"), true)
	f("'|neq': abc", a("xyz"), true)
	f("'|contains': abc", textEvent("raw", "#line with ABC in it"), true)
	f("'|re': 'a[bc]+d'", textEvent("A", "x", "raw", "#line with abcbd in it"), true)
}

func TestConditions(t *testing.T) {
	f := func(condition string, want bool) {
		t.Helper()
		e := compileOne(t, "    yes_1: {A: a}\n    yes_2: {B: b}\n    no_1: {A: x}\n    _hidden: {A: x}\n    words: [b]\n    condition: "+condition+"\n")
		if got := len(e.NewMatcher().Match(textEvent("A", "a", "B", "b"))) == 1; got != want {
			t.Errorf("%s: %v, want %v", condition, got, want)
		}
	}
	f("yes_1", true)
	f("no_1", false)
	f("not no_1 and yes_1", true)
	f("not (no_1 or yes_1)", false)
	f("yes_1 or no_1 and no_1", true)
	f("(yes_1 or no_1) and no_1", false)
	f("1 of no_*", false)
	f("all of yes_*", true)
	f("any of them", true)
	f("all of them", false)
	f("all of *_1", false)
	f("all of y*_*", true)
	f("2 of yes*", true)
	f("3 of them", true)
	f("4 of them", false)
	f("1 of _*", false)
	f("all of *", false)
	f("3 of *", true)
	f("4 of *", false) // _hidden is none of them
	f("all of yes_1", true)
	f("1 of *_2", true)
	f("1 of y*s*1", true)
	f("not not yes_1", true)
	f("not yes_1 and yes_2", false)
	f("no_1 and no_1 or yes_1", true)
	f("not no_1 or no_1", true)
	f("not all of no_*", true)
	f("all of yes_* and not 1 of no_*", true)
	f("(yes_1)and(yes_2)", true)
	f("ALL OF yes_*", true)
	f("'1 of them or _hidden'", true)
	f("[no_1, no_1]", false)
	f("words AND Not no_1", true)
	f("[no_1, yes_1]", true)
	f("not 1 of no_* and not 1 of _*", true)
}

func TestConstantsDecideAtBind(t *testing.T) {
	p := Parse("r.yml", []byte(
		strings.Replace(ruleOf("    s: {EventID: 1, A: a}\n    condition: s\n"), "id: 1", "id: one", 1)+"---\n"+
			strings.Replace(ruleOf("    s: {EventID: 2, A: a}\n    condition: s\n"), "id: 1", "id: two", 1)+"---\n"+
			strings.Replace(ruleOf("    s: {EventID: 1, Other: a}\n    condition: s\n"), "id: 1", "id: three", 1)+"---\n"+
			strings.Replace(strings.Replace(ruleOf("    s: {A: a}\n    condition: s\n"), "id: 1", "id: four", 1), "product: p", "product: q", 1)))
	e, _ := Compile(p, Options{})
	shape := event.NewShape("x", []event.LogSource{{Product: "p"}}, []event.Field{{Name: "A"}, {Name: "EventID", Const: event.Value{Kind: event.Number, Data: []byte("1")}}})
	if live := e.Bind(shape).Live(); live != 1 {
		t.Errorf("%d rules may match, want 1", live)
	}
	m := e.NewMatcher()
	if got := m.Match(&event.Event{Shape: shape, Values: []event.Value{event.Text("A")}}); len(got) != 1 || e.Rules()[got[0]].ID != "one" {
		t.Errorf("matches %v, want rule one", got)
	}
	found := m.Explain(&event.Event{Shape: shape, Values: []event.Value{event.Text("A")}}, 0)
	if got := fmt.Sprint(found); got != "[{EventID 1 1} {A A a}]" && got != "[{A A a} {EventID 1 1}]" {
		t.Errorf("explained by %v", got)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	e := compileOne(t, "    s:\n        A|contains: [needle, straw]\n        B|re: 'x[0-9]+'\n        C|cidr: 192.0.2.0/24\n        D|gt: 5\n    words: [keyword]\n    n: {E: null}\n    f: {A|fieldref: B}\n    condition: (s or words or f) and not n\n")
	ev := textEvent("A", "a needle", "B", "x12", "C", "198.51.100.7:80", "D", "nothing", "E", `["a","b"]`, "raw", "#the line")
	utf := &event.Event{Shape: ev.Shape, Values: append([]event.Value(nil), ev.Values...)}
	utf.Values[0] = utf16Value("a needle")
	utf.Values[2] = event.Value{Kind: event.Kind(evtx.UInt32Type), Data: []byte{1, 2, 3, 4}}
	m := e.NewMatcher()
	for _, ev := range []*event.Event{ev, utf} {
		m.Match(ev)
		if n := testing.AllocsPerRun(100, func() { m.Match(ev) }); n != 0 {
			t.Errorf("%v allocations an event, want none", n)
		}
	}
}

func TestManyShapesAreBoundAndForgotten(t *testing.T) {
	e := compileOne(t, "    s: {A: a, EventID: 7}\n    condition: s\n")
	m := e.NewMatcher()
	for i := range 3 * maxPrograms {
		shape := event.NewShape("x", []event.LogSource{{Product: "p"}}, []event.Field{{Name: "A"}, {Name: fmt.Sprint("f", i)},
			{Name: "EventID", Const: event.Value{Kind: event.Number, Data: fmt.Append(nil, i)}}})
		got := m.Match(&event.Event{Shape: shape, Values: []event.Value{event.Text("a"), {}}})
		if want := i == 7; (len(got) == 1) != want {
			t.Fatalf("EventID %d: match %v, want %v", i, got, want)
		}
	}
	if n := len(e.programs.young) + len(e.programs.old); n > 2*maxPrograms {
		t.Errorf("%d programs are kept", n)
	}
}

func TestOneEngineServesManyMatchers(t *testing.T) {
	e := compileOne(t, "    s: {A|re: 'a+b', B|contains: needle}\n    condition: s\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m := e.NewMatcher()
			for range 100 {
				if len(m.Match(textEvent("A", "aab", "B", "a needle"))) != 1 {
					t.Error("no match")
				}
			}
		})
	}
	wg.Wait()
}

func TestHostileNestingIsHarmless(t *testing.T) {
	e := compileOne(t, "    s: {A|contains: needle}\n    n: {A: null}\n    condition: s or n\n")
	deep := textEvent("A", strings.Repeat("[", 1<<20))
	if len(e.NewMatcher().Match(deep)) != 0 {
		t.Error("a match")
	}
	e.NewMatcher().Explain(deep, 0)
}

// TestPlainValues compares the short way to the test of a value with the long one.
func TestPlainValues(t *testing.T) {
	names := [][]string{nil, {"contains"}, {"startswith"}, {"endswith"}, {"cased"}, {"contains", "cased"}, {"all", "contains"}, {"neq"}, {"windash"}, {"re"}, {"base64offset", "contains"},
		{"wide"}, {"cidr"}, {"exists"}, {"lt"}, {"fieldref"}, {"expand"}}
	rapid.Check(t, func(t *rapid.T) {
		v := scalar{text: rapid.StringOfN(rapid.SampledFrom([]rune(`aB1\*?%-/ éİK`)), 0, 8, -1).Draw(t, "text"), null: rapid.IntRange(0, 9).Draw(t, "null") == 0}
		ln := &line{field: rapid.SampledFrom([]string{"", "Image"}).Draw(t, "field"), modifiers: rapid.SampledFrom(names).Draw(t, "modifiers"), values: []scalar{v}}
		m, bad := readModifiers(ln)
		if bad != nil {
			return
		}
		short := new(lowering).plainTest(ln, &m, 0)
		if short == nil {
			return
		}
		long, bad := new(lowering).value(ln, &m, v)
		if bad != nil || len(long) != 1 || !reflect.DeepEqual(short, long[0]) {
			t.Fatalf("%v: got %+v, want %+v (%v)", ln, short, long, bad)
		}
	})
}
