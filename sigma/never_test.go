package sigma

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

func TestRulesThatNothingCanMatchAreNamed(t *testing.T) {
	variable := func(names ...string) []event.Field {
		var fields []event.Field
		for _, n := range names {
			fields = append(fields, event.Field{Name: n})
		}
		return fields
	}
	id := func(n string) event.Field {
		return event.Field{Name: "EventID", Const: event.Value{Data: []byte(n), Kind: event.Number}}
	}
	win := LogSource{Product: "windows", Category: "process_creation"}
	known := []Known{
		{Name: "one", Shape: event.NewShape("w", []LogSource{win}, append(variable("Image", "CommandLine", "User"), id("1")))},
		{Name: "two", Shape: event.NewShape("w", []LogSource{win}, append([]event.Field{{Name: "NewProcessName", Aliases: []string{"Image"}}, {Name: "Label"}}, id("4688")))},
		{Name: "open", Open: true, Except: map[string][]string{"EventID": {"1", "4688"}},
			Shape: event.NewShape("w", []LogSource{{Product: "windows", Service: "sysmon"}}, variable("EventID"))},
		{Name: "any", Open: true, Shape: event.NewShape("x", []LogSource{{Product: "exchange", Service: "*"}}, nil)},
	}
	f := func(source, detection, want string) {
		t.Helper()
		rule := "title: t\nlogsource: {" + source + "}\ndetection:\n" + detection
		pack := Parse("r.yml", []byte(rule))
		engine, rejected := Compile(pack, Options{})
		if len(pack.Rejected)+len(rejected) > 0 {
			t.Fatalf("%s\n%v %v", rule, pack.Rejected, rejected)
		}
		got := ""
		for _, n := range engine.Never(known) {
			got += strings.TrimPrefix(n.Error(), "r.yml:")
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", rule, got, want)
		}
	}
	creation := "product: windows, category: process_creation"
	f(creation, "  s: {Image: a}\n  condition: s\n", "")
	f(creation, "  s: {image: a}\n  condition: s\n", "4:7: never matches: no event of {product: windows, category: process_creation} has the field image; did you mean Image?")
	f(creation, "  s: {Image: a}\n  k:\n    Parent|contains: a\n  condition: s and k\n", "6:5: never matches: no event of {product: windows, category: process_creation} has the field Parent; correct the name, or map a field to it")
	f(creation, "  s: {Image: a}\n  k: {Parent: a}\n  condition: s or k\n", "")
	f(creation, "  s: {Image: a}\n  k: {Parent: a}\n  condition: s and not k\n", "")
	f(creation, "  k: {Parent: a}\n  condition: not k\n", "")
	f(creation, "  k: {Parent: null}\n  condition: k\n", "")
	f(creation, "  k: {Parent|exists: false}\n  condition: k\n", "")
	f(creation, "  k: {Parent|exists: true}\n  condition: k\n", "4:7: never matches: no event of {product: windows, category: process_creation} has the field Parent; correct the name, or map a field to it")
	f(creation, "  k: {Parent|neq: a}\n  condition: k\n", "")
	f(creation, "  a: {Image: a}\n  b: {Parent: a}\n  condition: 1 of them\n", "")
	f(creation, "  a: {Image: a}\n  b: {Parent: a}\n  condition: all of them\n", "5:7: never matches: no event of {product: windows, category: process_creation} has the field Parent; correct the name, or map a field to it")
	f(creation, "  s: {Image: a, EventID: 4688}\n  condition: s\n", "")
	f(creation, "  s: {Image: a, EventID: 7}\n  condition: s\n", "1: never matches: no event of {product: windows, category: process_creation} (one, two) has all the fields and values that it asks for together")
	f(creation, "  s: {User: a, Label: b}\n  condition: s\n", "1: never matches: no event of {product: windows, category: process_creation} (one, two) has all the fields and values that it asks for together")
	f(creation, "  s: {User|fieldref: Parent}\n  condition: s\n", "")
	f(creation, "  s: [word, other]\n  condition: s\n", "")
	f("product: windows, service: sysmon", "  s: {EventID: 5, Anything: b}\n  condition: s\n", "")
	f("product: windows, service: sysmon", "  s: {EventID: 1, Anything: b}\n  condition: s\n", "1: never matches: no event of {product: windows, service: sysmon} (open) has all the fields and values that it asks for together")
	f("product: windows, service: sysmon", "  s: {EventID: [1, 2], Anything: b}\n  condition: s\n", "")
	f("product: exchange, service: new", "  s: {Anything: b}\n  condition: s\n", "")
	f("service: new", "  s: {Anything: b}\n  condition: s\n", "2:12: never matches: no log that is read has the log source {service: new}; correct it, or map a log to it")
	f("product: macos", "  s: {Anything: b}\n  condition: s\n", "2:12: never matches: no log that is read has the log source {product: macos}; correct it, or map a log to it")
}
