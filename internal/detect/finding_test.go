package detect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/sigma"
)

// What a finding keeps is bounded, is JSON, and says that it was cut.
func TestAFindingOfAHugeEventIsBounded(t *testing.T) {
	rule := "title: t\nid: 1f0c9a58-7b53-4f5e-8d1f-0a5c0f3d2a02\nlogsource: {category: webserver}\ndetection: {a: {cs-method: GET}, condition: a}\nlevel: high\n"
	pack := sigma.Parse("test.yml", []byte(rule))
	if len(pack.Rejected) > 0 {
		t.Fatal(pack.Rejected[0])
	}
	engine, rejected := sigma.Compile(pack, sigma.Options{})
	if len(rejected) > 0 {
		t.Fatal(rejected[0])
	}
	d := NewRules(engine).NewDetector(Informational, nil)
	f := func(name, want string, values ...string) {
		t.Helper()
		fields := []event.Field{{Name: "cs-method"}, {Name: "cs-uri-stem", Aliases: []string{"path"}}, {Name: "cs-username"}}
		for i := len(fields); i < len(values); i++ {
			fields = append(fields, event.Field{Name: fmt.Sprint("f", i)})
		}
		s := event.NewShape("web", []event.LogSource{{Category: "webserver"}}, fields)
		s.SetRole(event.Account, "cs-username")
		var b event.Batch
		e := b.Add(s)
		for i, v := range values {
			e.Values[i] = event.Text(v)
		}
		e.Raw, e.Line = []byte(strings.Join(values, " ")), 1
		found := d.Detect(e, 0, nil)
		if len(found) != 1 {
			t.Fatalf("%s: %d findings", name, len(found))
		}
		got := found[0]
		if !json.Valid(got.Event) || len(got.Event) > maxEvent || len(got.Raw) > MaxRaw || len(got.Account) > maxText || len(got.Object) > maxObject {
			t.Errorf("%s: %d bytes of event, %d of the line, %d of the account, %d of the object", name, len(got.Event), len(got.Raw), len(got.Account), len(got.Object))
		}
		if !strings.Contains(string(got.Event), want) {
			t.Errorf("%s: no %q in %.200s", name, want, got.Event)
		}
	}
	f("usual", `"cs-uri-stem":"/x","path":"/x"`, "GET", "/x", "ana")
	f("long", strings.Repeat("a", 100_000), "GET", strings.Repeat("a", 100_000), "ana")
	f("huge", "… (cut: 4000000 bytes)", "GET", strings.Repeat("\x01", 4_000_000), strings.Repeat("ü", 2000))
	f("grows when escaped", "… (cut: 600000 bytes)", "GET", strings.Repeat("\x01", 600_000), "ana")
	many := []string{"GET", "/x", "ana"}
	for range 2000 {
		many = append(many, strings.Repeat("v", 2000))
	}
	f("endless fields", "too long to keep", many...)
}
