package sigma_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/event"
)

// conformanceEvent is a line of events.jsonl.
type conformanceEvent struct {
	Time      *time.Time                 `json:"time"` // nil where it is not known
	ID        string                     `json:"id,omitempty"`
	Source    string                     `json:"source,omitempty"`
	LogSource event.LogSource            `json:"logsource"`
	Fields    map[string]json.RawMessage `json:"fields"`
}

// nanoseconds returns the time of the event as event.Event has it.
func (e conformanceEvent) nanoseconds() int64 {
	if e.Time == nil {
		return event.UnknownTime
	}
	return e.Time.UnixNano()
}

// event returns the event as a Matcher takes it.
func (e conformanceEvent) event() *event.Event {
	ev := &event.Event{Time: e.nanoseconds()}
	var fields []event.Field
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		fields = append(fields, event.Field{Name: name})
		ev.Values = append(ev.Values, event.JSONValue(bytes.TrimSpace(e.Fields[name])))
	}
	ev.Shape = event.NewShape("jsonl", []event.LogSource{e.LogSource}, fields)
	return ev
}

// conformanceMatch is a match of a correlation in expected.json.
type conformanceMatch struct {
	Rule   string            `json:"rule"`
	Group  map[string]string `json:"group"`
	First  time.Time         `json:"first"`
	Last   time.Time         `json:"last"`
	Events int               `json:"events"`
	Value  json.Number       `json:"value"`
}

// conformanceFinding is a match of a rule by itself.
type conformanceFinding struct {
	Rule  string `json:"rule"`
	Event int    `json:"event"` // line of events.jsonl, from 0
}

// conformanceRejection is a document that cannot be used, and a text that its reason must contain.
type conformanceRejection struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason_contains"`
}

// conformanceResult is what rules make of events: all that expected.json speaks of.
type conformanceResult struct {
	Matches  []conformanceMatch     `json:"matches"`
	Findings []conformanceFinding   `json:"findings"`
	Rejected []conformanceRejection `json:"rejected"` // with the whole reason where it is the result of an engine
}

// conformanceEngine judges events by rules. It is what a test of conformance is given.
type conformanceEngine func(tb testing.TB, rules []byte, events []conformanceEvent) conformanceResult

// sorted puts the result in the order of expected.json.
func (r conformanceResult) sorted() conformanceResult {
	r = conformanceResult{slices.Clone(r.Matches), slices.Clone(r.Findings), slices.Clone(r.Rejected)}
	slices.SortFunc(r.Matches, func(a, b conformanceMatch) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), a.First.Compare(b.First), cmp.Compare(groupText(a.Group), groupText(b.Group)))
	})
	slices.SortFunc(r.Findings, func(a, b conformanceFinding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Event, b.Event))
	})
	slices.SortFunc(r.Rejected, func(a, b conformanceRejection) int { return cmp.Compare(a.Rule, b.Rule) })
	return r
}

func groupText(group map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(group)) {
		fmt.Fprintf(&b, "%s=%s\x00", k, group[k])
	}
	return b.String()
}

// unlike says in lines how got differs from want; "" if it does not.
func (want conformanceResult) unlike(got conformanceResult) string {
	var b strings.Builder
	compare := func(what string, want, got []string) {
		for _, w := range want {
			if i := slices.Index(got, w); i >= 0 {
				got = slices.Delete(slices.Clone(got), i, i+1)
			} else {
				fmt.Fprintf(&b, "  missing %s %s\n", what, w)
			}
		}
		for _, g := range got {
			fmt.Fprintf(&b, "  more %s %s\n", what, g)
		}
	}
	texts := func(r conformanceResult) (matches, findings []string) {
		for _, m := range r.Matches {
			matches = append(matches, fmt.Sprintf("%s %q %s – %s events %d value %s", m.Rule, groupText(m.Group),
				m.First.UTC().Format(time.RFC3339Nano), m.Last.UTC().Format(time.RFC3339Nano), m.Events, rounded(m.Value)))
		}
		for _, f := range r.Findings {
			findings = append(findings, fmt.Sprintf("%s of event %d", f.Rule, f.Event))
		}
		return matches, findings
	}
	wantMatches, wantFindings := texts(want)
	gotMatches, gotFindings := texts(got)
	compare("match", wantMatches, gotMatches)
	compare("finding", wantFindings, gotFindings)
	left := slices.Clone(got.Rejected)
	for _, w := range want.Rejected {
		i := slices.IndexFunc(left, func(g conformanceRejection) bool { return g.Rule == w.Rule })
		if i < 0 {
			fmt.Fprintf(&b, "  not rejected: %s\n", w.Rule)
			continue
		}
		if !strings.Contains(left[i].Reason, w.Reason) {
			fmt.Fprintf(&b, "  %s is rejected for %q, which does not say %q\n", w.Rule, left[i].Reason, w.Reason)
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, g := range left {
		fmt.Fprintf(&b, "  rejected: %s for %q\n", g.Rule, g.Reason)
	}
	return b.String()
}

// rounded returns a number with 12 significant digits: a third has no end as a decimal number.
func rounded(n json.Number) string {
	x, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return "no number: " + string(n)
	}
	f, _ := x.Float64()
	return fmt.Sprintf("%.12g", f)
}

// readEvents reads events.jsonl.
func readEvents(tb testing.TB, name string) []conformanceEvent {
	tb.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	var events []conformanceEvent
	lines := bufio.NewScanner(bytes.NewReader(p))
	for lines.Scan() {
		var e conformanceEvent
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			tb.Fatalf("%s:%d: %v", name, len(events)+1, err)
		}
		events = append(events, e)
	}
	return events
}

// conformance tells for every case of the folder conformance whether judge does what it asks for, whatever the order in
// which the events arrive.
func conformance(t *testing.T, judge conformanceEngine) {
	names, err := filepath.Glob(filepath.Join("conformance", "*", "*", "expected.json"))
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range names {
		dir := filepath.Dir(name)
		topic, which := filepath.Split(strings.TrimPrefix(filepath.ToSlash(dir), "conformance/"))
		t.Run(topic+which, func(t *testing.T) {
			t.Parallel()
			rules, err := os.ReadFile(filepath.Join(dir, "rules.yml"))
			if err != nil {
				t.Fatal(err)
			}
			events := readEvents(t, filepath.Join(dir, "events.jsonl"))
			p, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var expected struct {
				Why  string `json:"why"`
				Spec string `json:"spec"`
				conformanceResult
				Warned []conformanceRejection `json:"warned"`
			}
			d := json.NewDecoder(bytes.NewReader(p))
			d.DisallowUnknownFields()
			if err := d.Decode(&expected); err != nil {
				t.Fatal(err)
			}
			if expected.Why == "" || expected.Spec == "" {
				t.Error("expected.json does not say why, or by what section")
			}
			if s := expected.sorted(); !slices.EqualFunc(s.Matches, expected.Matches, func(a, b conformanceMatch) bool {
				return a.Rule == b.Rule && a.First.Equal(b.First) && maps.Equal(a.Group, b.Group)
			}) || !slices.Equal(s.Findings, expected.Findings) {
				t.Error("the matches or findings of expected.json are not in order")
			}
			want := expected.conformanceResult
			want.Rejected = append(want.Rejected, expected.Warned...) // here they are told in one list
			for i, order := range arrivals(len(events)) {
				in := make([]conformanceEvent, len(events))
				for at, from := range order {
					in[at] = events[from]
				}
				got := judge(t, rules, in)
				for j := range got.Findings {
					got.Findings[j].Event = order[got.Findings[j].Event]
				}
				if diff := want.sorted().unlike(got.sorted()); diff != "" {
					t.Fatalf("arrival %d: %s\n%s", i, expected.Why, diff)
				}
			}
		})
	}
}

// arrivals returns orders in which n events may arrive: as they stand, backwards, and the second half first.
func arrivals(n int) [][]int {
	orders := make([][]int, 3)
	for i := range n {
		orders[0] = append(orders[0], i)
		orders[1] = append(orders[1], n-1-i)
		orders[2] = append(orders[2], (i+n/2)%n)
	}
	return orders
}

// documents returns the documents of a file of rules.
func documents(tb testing.TB, rules []byte) []*yaml.Node {
	tb.Helper()
	var docs []*yaml.Node
	for d := yaml.NewDecoder(bytes.NewReader(rules)); ; {
		n := new(yaml.Node)
		if err := d.Decode(n); err != nil {
			return docs
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			n = n.Content[0]
		}
		docs = append(docs, n)
	}
}

// entry returns the value of a key of a mapping; nil if there is none.
func entry(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// labelOf returns what expected.json calls a rule: its name, else its id, else its title.
func labelOf(doc *yaml.Node) string {
	for _, key := range []string{"name", "id", "title"} {
		if v := entry(doc, key); v != nil && v.Value != "" {
			return v.Value
		}
	}
	return ""
}
