package sigma

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

const loginRules = `
title: Failed
name: failed
id: f1
logsource: {product: p}
detection: {s: {Result: fail}, condition: s}
---
title: Succeeded
name: ok
id: s1
logsource: {product: p}
detection: {s: {Result: ok}, condition: s}
---
`

// correlate runs rules over events, each "seconds result user n", and returns the matches as "rule group first last hits value".
func correlate(tb testing.TB, rules, events string) []string {
	tb.Helper()
	pack := Parse("r.yml", []byte(loginRules+rules))
	for _, r := range pack.Rejected {
		tb.Fatal(r)
	}
	e, rejected := Compile(pack, Options{})
	for _, r := range rejected {
		tb.Fatal(r)
	}
	c := e.NewCorrelator(tb.TempDir())
	defer c.Close()
	m, col := e.NewMatcher(), c.Collector()
	shape := event.NewShape("x", []event.LogSource{{Product: "p"}}, []event.Field{{Name: "Result"}, {Name: "User"}, {Name: "n"}})
	for i, line := range strings.Split(strings.TrimSpace(events), "\n") {
		f := strings.Fields(line)
		var at float64
		fmt.Sscan(f[0], &at)
		ev := &event.Event{Shape: shape, Time: int64(at * 1e9), Offset: int64(i), Line: int64(i + 1), Values: []event.Value{event.Text(f[1]), event.Text(f[2]), {}}}
		if len(f) > 3 {
			ev.Values[2] = event.Text(f[3])
		}
		col.Add(ev, m.Match(ev), Origin{})
	}
	if err := col.Flush(); err != nil {
		tb.Fatal(err)
	}
	var out []string
	err := c.Matches(context.Background(), nil, func(m *CorrelationMatch) error {
		out = append(out, fmt.Sprintf("%s %s %v %v %d %s", m.Correlation.Name, strings.Join(m.Group, "/"), time.Duration(m.First), time.Duration(m.Last), m.Hits, m.ValueText()))
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestCorrelations(t *testing.T) {
	f := func(rules, events string, want ...string) {
		t.Helper()
		got := correlate(t, rules, events)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s\nfor\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), rules, events)
		}
	}
	count := "title: T\nname: c\ncorrelation: {type: event_count, rules: failed, group-by: User, timespan: 10s, condition: {gte: 3}}\n"
	f(count, "0 fail ana\n5 fail ana\n10 fail ANA\n", "c ana 0s 10s 3 3")
	f(count, "0 fail ana\n5 fail ana\n10.001 fail ana\n")
	f(count, "10 fail ana\n5 fail bob\n0 fail ana\n5 fail ana\n6 ok ana\n", "c ana 0s 10s 3 3")
	f(count, "0 fail ana\n1 fail ana\n2 fail ana\n9 fail ana\n13 fail ana\n40 fail ana\n41 fail ana\n42 fail ana\n", "c ana 0s 9s 4 4", "c ana 40s 42s 3 3")
	f(strings.Replace(count, "gte: 3", "lte: 2", 1), "0 fail ana\n1 fail ana\n2 fail ana\n30 fail ana\n", "c ana 30s 30s 1 1")
	f("title: T\nname: many\ncorrelation: {type: event_count, rules: failed, group-by: User, timespan: 10s, condition: {gte: 3}}\n---\n"+
		"title: U\nname: guessed\ncorrelation: {type: temporal_ordered, rules: [many, ok], group-by: User, timespan: 5s}\n",
		"0 fail ana\n1 fail ana\n2 fail ana\n6 ok ana\n0 fail bob\n1 fail bob\n2 ok bob\n", "guessed ana 2s 6s 4 2")
	f("title: T\nname: s\ncorrelation: {type: value_sum, rules: failed, timespan: 10s, condition: {field: n, gte: 1, lte: 1}}\n",
		strings.Repeat("0 fail a 0.1\n", 10)+"3 fail a x\n", "s  0s 0s 10 1")
	f("title: T\nname: m\ncorrelation: {type: value_median, rules: failed, timespan: 10s, condition: {field: n, gt: 2}}\n",
		"0 fail a 1\n1 fail a 2\n2 fail a 3\n3 fail a 10\n", "m  0s 3s 4 2.5")
	f("title: T\nname: x\ncorrelation: {type: temporal, timespan: 10s, group-by: User, condition: failed and not ok}\n",
		"0 fail a\n1 ok a\n30 fail a\n", "x a 30s 30s 1 1")
}

// A correlation silences the rules of its own file alone: those of a set that somebody else wrote stay heard.
func TestRulesOfOtherFilesStayHeard(t *testing.T) {
	f := func(first, second string, want bool) {
		t.Helper()
		p := Parse("rules.yml", []byte(loginRules))
		p.Add(Parse(first, []byte("title: T\nname: c\ncorrelation: {type: event_count, rules: failed, timespan: 10s, condition: {gte: 3}}\n")))
		p.Add(Parse(second, []byte("title: T\nname: d\ncorrelation: {type: event_count, rules: failed, timespan: 10s, condition: {gte: 3}}\n")))
		e, rejected := Compile(p, Options{})
		for _, r := range rejected {
			t.Fatal(r)
		}
		if got := e.Silent(0); got != want {
			t.Errorf("correlations in %s and %s: silent %t, want %t", first, second, got, want)
		}
	}
	f("rules.yml", "rules.yml", true)
	f("other.yml", "another.yml", false)
	f("rules.yml", "other.yml", true)
}

func TestWhatTakesNoPartIsCounted(t *testing.T) {
	pack := Parse("r.yml", []byte(loginRules+"title: T\nname: c\ncorrelation: {type: event_count, rules: failed, timespan: 10s, condition: {gte: 2}}\n---\n"+
		"title: U\nname: d\ncorrelation: {type: value_count, rules: c, group-by: User, timespan: 10s, condition: {field: n, gte: 1}}\n"))
	e, rejected := Compile(pack, Options{})
	for _, r := range rejected {
		t.Fatal(r)
	}
	c := e.NewCorrelator(t.TempDir())
	defer c.Close()
	m, col := e.NewMatcher(), c.Collector()
	shape := NewShape([]LogSource{{Product: "p"}}, "Result", "User", "n")
	add := func(time int64, values ...Value) {
		ev := &Event{Shape: shape, Time: time, Values: values}
		col.Add(ev, m.Match(ev), Origin{})
	}
	add(UnknownTime, Text("fail"), Text("ana"), Text("1"))
	add(0, Text("fail"), Text("ana"), Text("1"))
	add(1, Text("fail"), Value{}, Text("1"))
	add(2, Text("fail"), Text("ana"), Value{})
	add(3, Text("fail"), Text("bob"), Text("1"))
	if err := col.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // however often it is judged
		if err := c.Matches(context.Background(), nil, func(*CorrelationMatch) error { return nil }); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range c.LeftOut(nil) {
			got = append(got, fmt.Sprintf("%s %d %d %d", l.Correlation.Name, l.NoTime, l.NoGroup, l.NoValue))
		}
		if want := []string{"c 1 0 0", "d 0 1 1"}; !slices.Equal(got, want) {
			t.Errorf("left out %q, want %q", got, want)
		}
	}
}

// More hits than memory holds are judged the same, and handed on to another correlation.
func TestCorrelationsOnDisk(t *testing.T) {
	const hits = 60_000
	pack := Parse("r.yml", []byte(loginRules+"title: T\nname: many\ncorrelation: {type: event_count, rules: failed, timespan: 1d, condition: {gte: 3}}\n---\n"+
		"title: U\nname: guessed\ncorrelation: {type: temporal_ordered, rules: [many, ok], timespan: 1h, generate: true}\n"))
	e, rejected := Compile(pack, Options{})
	for _, r := range rejected {
		t.Fatal(r)
	}
	dir := t.TempDir()
	c := e.NewCorrelator(dir)
	m, col := e.NewMatcher(), c.Collector()
	shape := NewShape([]LogSource{{Product: "p"}}, "Result", "User")
	add := func(second int, result string) {
		ev := &Event{Shape: shape, Time: int64(second) * 1e9, Line: int64(second + 1), Values: []Value{Text(result), Text(strings.Repeat("x", 100))}}
		col.Add(ev, m.Match(ev), Origin{Note: []byte(strings.Repeat("n", 100))})
	}
	for i := range hits {
		add(i*7919%hits, "fail") // in no order
	}
	add(hits+60, "ok")
	if err := col.Flush(); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) == 0 {
		t.Fatalf("nothing went to disk: the test is too small (%v)", err)
	}
	var got []string
	err := c.Matches(context.Background(), nil, func(m *CorrelationMatch) error {
		got = append(got, fmt.Sprintf("%s %v %v %d %s, line %d", m.Correlation.Name, time.Duration(m.First), time.Duration(m.Last), m.Hits, m.ValueText(), m.Sample[0].Line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Of the many, those within the hour before the success are an occurrence each.
	want := []string{"many 0s 16h39m59s 60000 60000, line 1", "guessed 15h41m0s 16h41m0s 3541 2, line 56461"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	c.Close()
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%v is left behind (%v)", files, err)
	}
}

// A rule that a correlation cannot count, since too many ways lead from it to others, is not silenced by it.
func TestARuleThatIsNotCountedIsHeard(t *testing.T) {
	rules := loginRules
	below := []string{"failed"}
	for level := range 6 {
		var names []string
		for i := range 5 {
			name := fmt.Sprintf("c%d_%d", level, i)
			names = append(names, name)
			rules += fmt.Sprintf("title: T\nname: %s\ncorrelation: {type: temporal, rules: [%s], timespan: 1h}\n---\n", name, strings.Join(below, ", "))
		}
		below = names
	}
	e, rejected := Compile(Parse("r.yml", []byte(rules)), Options{})
	if len(rejected) == 0 || !strings.Contains(rejected[0].Reason, "refer to fewer of them") {
		t.Fatalf("rejected %v", rejected)
	}
	if e.Silent(0) {
		t.Error("the rule is neither counted nor heard")
	}
}
