package sigma_test

import (
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/sigma"
)

// Sieves find what a rule cannot match without, in the part that holds its field.
func TestSieves(t *testing.T) {
	shape := event.NewShape("test", []event.LogSource{{Category: "webserver"}}, []event.Field{
		{Name: "method", Before: `"`, After: " "}, {Name: "path"}, {Name: "status"}, {Name: "agent"}, {Name: "kind", Const: event.Text("web")}})
	parts := []sigma.Part{{Fields: []string{"method", "path", "status"}}, {Fields: []string{"agent"}, Marks: []string{"probe"}}}
	sieves := func(detection string) []*sigma.Sieve {
		t.Helper()
		pack := sigma.Parse("test.yml", []byte("title: t\nlogsource: {category: webserver}\ndetection: "+detection))
		if len(pack.Rejected) > 0 {
			t.Fatal(pack.Rejected[0])
		}
		e, _ := sigma.Compile(pack, sigma.Options{})
		return e.Sieves(shape, parts)
	}
	f := func(detection, request, agent string, wantRequest, wantAgent bool) {
		t.Helper()
		s := sieves(detection)
		if s == nil {
			t.Fatalf("%s: no sieves", detection)
		}
		holds := func(s *sigma.Sieve, text string) bool { return s != nil && s.Holds([]byte(text)) }
		if r, a := holds(s[0], request), holds(s[1], agent); r != wantRequest || a != wantAgent {
			t.Errorf("%s in %q and %q: %t, %t", detection, request, agent, r, a)
		}
	}
	f("{a: {path|contains: /shell}, condition: a}", `"GET /Shell 200`, "x", true, false)
	f("{a: {path|contains: /shell}, condition: a}", `"GET /x 200`, "/shell", false, false)
	f("{a: {agent|contains: nikto}, condition: a}", "nikto", "a Nikto", false, true)
	f("{a: {agent|contains: nikto}, condition: a}", "", "a probe", false, true)
	f("{a: {method: PUT}, condition: a}", `"PUT /x 200`, "", true, false)
	f("{a: {method: PUT}, condition: a}", `"GET /input 200`, "", false, false)
	f("{a: [/shell], condition: a}", `"GET /Shell 200`, "/shell", true, true)
	f("{a: {path|contains: /uploads/, status: 404}, condition: a}", `"GET /uploads/x 404`, "", true, false)
	f("{a: {path|contains: /uploads/, status: 404}, condition: a}", `"GET /uploads/x 200`, "", false, false)
	f("{a: {path|contains: /uploads/, kind: web}, condition: a}", `"GET /uploads/x 200`, "", true, false)
	f("{a: {path|contains: /uploads/, kind: mail}, condition: a}", `"GET /uploads/x 200`, "", false, false)
	f("{a: {path|contains: /uploads/}, b: {agent: x}, condition: a and not b}", `"GET /uploads/x 200`, "", true, false)

	for _, detection := range []string{
		"{a: {path|re: '^.{100}'}, condition: a}", // asks for nothing in particular
		"{a: {agent: null}, condition: a}",
		"{a: {path|contains: x}, condition: not a}",
		"{a: {path: ''}, condition: a}",
		"{a: [web], condition: a}", // the constant has it
	} {
		if sieves(detection) != nil {
			t.Errorf("%s: sieves for what can stand anywhere", detection)
		}
	}
}
