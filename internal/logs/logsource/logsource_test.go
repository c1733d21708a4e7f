package logsource

import (
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

func TestErrorsNameThePlaceAndTheMend(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := Builtin().Extend("my.yml", []byte(in))
		if err == nil {
			t.Errorf("%s\nis taken; want %s", in, want)
		} else if got := err.Error(); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	f("logs: [", `my.yml:2:1: not YAML: did not find expected node content`)
	f("log: []", `my.yml:1:1: the file has no part "log" (did you mean logs?); write one of: aliases, categories, events, logs, services`)
	f("- a", `my.yml:1:1: the file must be a mapping, with lines like key: value`)
	f("logs: []\nlogs: []", `my.yml:2:1: "logs" stands twice in the file, first in line 1; keep one`)
	f("logs:\n- {format: x, logsource: {product: y}, when: {a: 1, a: 2}}", `my.yml:2:53: "a" stands twice in when, first in line 2; keep one`)
	f("logs:\n- {format: x, logsource: {prodcut: y}}", `my.yml:2:27: logsource has no part "prodcut"; write one of: category, product, service`)
	f("logs:\n- {format: x, logsource: {product: Y}}", `my.yml:2:36: product "Y" must be in lower case, as rules write it`)
	f("logs:\n- {format: x, logsource: {}}", `my.yml:2:26: logsource is empty; give it a product, category or service`)
	f("logs:\n- {format: x, logsource: [{product: y}, {product: y}]}", `my.yml:2:41: the same logsource stands twice`)
	f("logs:\n- {logsource: {product: y}}", `my.yml:2:3: the entry means every event of every log: say which with format, has or when`)
	f("logs:\n- {format: x}", `my.yml:2:3: the entry says nothing of the events it means: give it a logsource or names`)
	f("logs:\n- {format: x, names: {a: [b, b]}}", `my.yml:2:30: "b" stands twice in the names of a`)
	f("logs:\n- {format: x, names: {a: a}}", `my.yml:2:23: a is its own other name`)
	f("logs:\n- {format: x, names: {a*b*: c}}", `my.yml:2:23: "a*b*" has more than one *`)
	f("logs:\n- {format: x, variant: y, logsource: {product: z}}", `my.yml:2:15: an entry of logs has no part "variant"; write one of: format, has, logsource, names, when`)
	f("services: {Mine: [A]}", `my.yml:1:12: a service "Mine" must be in lower case, as rules write it`)
	f("services: {security: [Security]}", `my.yml:1:23: channel "Security" is of service security already`)
	f("services: {mine: []}", `my.yml:1:18: the channels of mine is empty`)
	f("services: {security: {product: x, channels: [A]}}", `my.yml:1:12: service security is known already, by content/fields/windows.yml:10; give only its further channels: security: [channel]`)
	f("categories: [{service: nothing, events: [1], category: x}]", `my.yml:1:24: no service "nothing"; list its channels under services`)
	f("categories: [{service: system, events: [many], category: x}]", `my.yml:1:41: events: "many" is no number of an event`)
	f("categories: [{service: system, category: x}]", `my.yml:1:14: the entry names no events`)
	f("aliases: [{service: system}]", `my.yml:1:11: the entry gives no names`)
	f("services: &a {x: *a}", `my.yml:1:15: service x has no part "x"; write one of: category, channels, product, service`)
}

// records is a reader whose records are lines of one field.
func records(shape *event.Shape) logs.Format {
	return logs.Format{Name: shape.Format, Parser: func() logs.Parser { return lineParser{shape} }}
}

type lineParser struct{ shape *event.Shape }

func (p lineParser) Parse(b *logs.Block, out *event.Batch) {
	for line := range strings.Lines(string(b.Data)) {
		out.Add(p.shape).Values[0] = event.Text(strings.TrimSuffix(line, "\n"))
	}
}

func (p lineParser) Observe(*event.Event, []logs.Observation) []logs.Observation { return nil }

func TestEachRecordHasItsOwnLogSource(t *testing.T) {
	table, err := Builtin().Extend("my.yml", []byte(`
logs:
  - {format: x, when: {kind: [proxy, 'web*']}, logsource: {category: proxy}, names: {kind: what, peer: c-ip}}
  - {format: x, when: {kind: '*access*log*'}, logsource: {category: webserver}}
  - {format: 'x*', logsource: {product: mine}}
  - {format: x, when: {nothing: x}, logsource: {product: never}}
  - {format: y, logsource: {product: never}}
`))
	if err != nil {
		t.Fatal(err)
	}
	shape := event.NewShape("x", []event.LogSource{{Product: "own"}}, []event.Field{{Name: "kind"}, {Name: "peer"}})
	shape.Tag = 7
	shape.SetRole(event.Client, "peer")
	formats := table.Apply([]logs.Format{records(shape)})
	out := new(event.Batch)
	formats[0].Parser().Parse(&logs.Block{Data: []byte("other\nPROXY\nweb access of the log\nother\nmy access log 2\n")}, out)
	mine, own := event.LogSource{Product: "mine"}, event.LogSource{Product: "own"}
	proxy, web := event.LogSource{Category: "proxy"}, event.LogSource{Category: "webserver"}
	for i, want := range [][]event.LogSource{{mine, own}, {proxy, mine, own}, {proxy, web, mine, own}, {mine, own}, {web, mine, own}} {
		s := out.Events[i].Shape
		if !slices.Equal(s.Sources, want) {
			t.Errorf("event %d: %v, want %v", i, s.Sources, want)
		}
		if is := slices.Contains(want, proxy); s.Slot("what") >= 0 != is || s.Slot("c-ip") >= 0 != is {
			t.Errorf("event %d: what is at %d", i, s.Slot("what"))
		}
		if s.Tag != 7 || out.Events[i].Shape.Slot("peer") != 1 || s.Format != "x" {
			t.Errorf("event %d: %+v", i, s)
		}
	}
	if out.Events[0].Shape != out.Events[3].Shape {
		t.Error("two Shapes where one serves")
	}
	if other := table.Apply([]logs.Format{records(event.NewShape("z", nil, []event.Field{{Name: "kind"}}))}); other[0].Parser == nil {
		t.Error("no parser")
	}
}

func TestChannelsThatAUserAddsAreAsGoodAsOurs(t *testing.T) {
	table, err := Builtin().Extend("my.yml", []byte(`
services:
  sysmon: [Collected-Sysmon]
  mine: [Example/Operational]
categories:
  - {service: mine, events: [5, 6], category: process_creation}
aliases:
  - {service: mine, events: [5], names: {Program: [Image]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := table.Windows()
	f := func(channel string, id int, eventType string, want ...event.LogSource) {
		t.Helper()
		if got := w.Sources(channel, id, eventType); !slices.Equal(got, want) {
			t.Errorf("%s %d %s: %v, want %v", channel, id, eventType, got, want)
		}
	}
	win := func(category, service string) event.LogSource {
		return event.LogSource{Product: "windows", Category: category, Service: service}
	}
	f("collected-sysmon", 1, "", win("process_creation", "sysmon"))
	f("Collected-Sysmon", 12, "DeleteKey", win("registry_delete", "sysmon"), win("registry_event", "sysmon"))
	f("Example/Operational", 6, "", win("process_creation", "mine"))
	f("Example/Operational", 7, "", win("", "mine"))
	f("Elsewhere", 1, "", win("", ""))
	f("Linux-Sysmon/Operational", 1, "", event.LogSource{Product: "linux", Category: "process_creation", Service: "sysmon"})
	f("Microsoft-ServiceBus-Client/Admin", 1, "", win("", "microsoft-servicebus-client"), win("", "servicebus-client"))
	if got := w.Naming("EXAMPLE/operational", 5).Aliases("Program"); !slices.Equal(got, []string{"Image"}) {
		t.Errorf("aliases %v", got)
	}
	if got := Builtin().Windows().Sources("Collected-Sysmon", 1, ""); !slices.Equal(got, []event.LogSource{win("", "")}) {
		t.Errorf("the built-in table has changed: %v", got)
	}
}

func TestNames(t *testing.T) {
	r := Row{Names: []Name{{"a", []string{"b", "c"}}, {"p.*", []string{"*", "q.*.r"}}, {"m.*.v", []string{"*"}}}}
	f := func(name string, want ...string) {
		t.Helper()
		if got := r.appendAliases(nil, name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("a", "b", "c")
	f("p.x", "x", "q.x.r")
	f("p.")
	f("m.x.v", "x")
	f("m..v")
	f("b")
}

func FuzzExtend(f *testing.F) {
	f.Add("logs:\n- {format: x, has: [a], when: {b: 'c*'}, logsource: {product: y}, names: {a: d}}\n")
	f.Add("services: {x: [Y]}\ncategories: [{service: x, events: [1], event_type: z, category: [q]}]\naliases: [{service: x, names: {a: b}, move: {a: c}}]\n")
	f.Add("a: &a [*a, *a]")
	f.Fuzz(func(t *testing.T, in string) {
		table, err := read([]file{{path: "my.yml", data: []byte(in)}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "my.yml") {
				t.Errorf("%q: %v", in, err)
			}
			return
		}
		out := new(event.Batch)
		shape := event.NewShape("x", nil, []event.Field{{Name: "a"}, {Name: "b"}})
		table.Apply([]logs.Format{records(shape)})[0].Parser().Parse(&logs.Block{Data: []byte("c\nd\n")}, out)
		if len(out.Events) != 2 {
			t.Errorf("%d events", len(out.Events))
		}
	})
}

// again is a reader that gives the events of a batch again and again.
type again struct{ events []event.Event }

func (p *again) Parse(_ *logs.Block, out *event.Batch) { out.Events = append(out.Events, p.events...) }

func (p *again) Observe(*event.Event, []logs.Observation) []logs.Observation { return nil }

func TestARecordCostsNoMemory(t *testing.T) {
	table, err := Builtin().Extend("my.yml", []byte("logs: [{format: x, when: {kind: [a, 'b*c']}, logsource: {product: y}}]"))
	if err != nil {
		t.Fatal(err)
	}
	shape := event.NewShape("x", nil, []event.Field{{Name: "kind"}})
	batch := new(event.Batch)
	for _, kind := range []string{"a", "B to C", "other", "a"} {
		batch.Add(shape).Values[0] = event.Text(kind)
	}
	inner := &again{batch.Events}
	p := table.Apply([]logs.Format{{Name: "x", Parser: func() logs.Parser { return inner }}})[0].Parser()
	out := new(event.Batch)
	if n := testing.AllocsPerRun(100, func() {
		out.Events = out.Events[:0]
		p.Parse(nil, out)
	}); n > 0 {
		t.Errorf("%v allocations for %d events", n, len(inner.events))
	}
}
