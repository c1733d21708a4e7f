package sigma_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
)

func TestCorrelationsAgreeWithOracle(t *testing.T) { agreeWithOracle(t, engineUnderTest) }

// agreeWithOracle compares an engine with the oracle on correlations and events made up at random. The engine is given
// the events in another order.
func agreeWithOracle(t *testing.T, engine conformanceEngine) {
	rapid.Check(t, func(rt *rapid.T) {
		rules, events := drawCase(rt)
		order := make([]int, len(events))
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(rt, "arrival")
		shuffled := make([]conformanceEvent, len(events))
		for at, from := range order {
			shuffled[at] = events[from]
		}
		got := engine(t, rules, shuffled)
		for i := range got.Findings {
			got.Findings[i].Event = order[got.Findings[i].Event]
		}
		want := oracle(t, rules, events)
		for i := range want.Rejected { // words are not compared
			want.Rejected[i].Reason = ""
		}
		if diff := foldGroups(want).unlike(foldGroups(got)); diff != "" {
			var lines strings.Builder
			for _, e := range events {
				p, _ := json.Marshal(e)
				fmt.Fprintf(&lines, "%s\n", p)
			}
			rt.Fatalf("%s\n%s\n%s", diff, rules, lines.String())
		}
	})
}

// foldGroups makes groups equal that differ in how they are spelled: of several hits at one time any may be shown.
func foldGroups(r conformanceResult) conformanceResult {
	for i := range r.Matches {
		for k, v := range r.Matches[i].Group {
			r.Matches[i].Group[k] = fold(v)
		}
	}
	return r.sorted()
}

// drawnRule is a rule or correlation that others may refer to.
type drawnRule struct {
	name    string
	picks   bool // which of several equal occurrences it passes on is open
	groupBy []string
}

var drawnBase = []struct{ name, detection string }{
	{"a", "{s: {action: a}, condition: s}"},
	{"b", "{s: {action: b}, condition: s}"},
	{"c", "{s: {action: c}, condition: s}"},
	{"ab", "{s: {action: [a, b]}, condition: s}"},
}

// drawCase makes up rules and events that make them true now and then.
func drawCase(t *rapid.T) ([]byte, []conformanceEvent) {
	var b strings.Builder
	var known []drawnRule
	for _, r := range drawnBase {
		fmt.Fprintf(&b, "title: %s\nname: %s\nlogsource: {product: p}\ndetection: %s\n---\n", r.name, r.name, r.detection)
		known = append(known, drawnRule{name: r.name})
	}
	lists := rapid.Bool().Draw(t, "lists")
	for i := range rapid.IntRange(1, 4).Draw(t, "correlations") {
		known = append(known, drawCorrelation(t, &b, fmt.Sprintf("k%d", i), known, lists))
	}
	if rapid.IntRange(0, 3).Draw(t, "filter") == 0 {
		fmt.Fprintf(&b, "title: f\nlogsource: {product: p}\nfilter: {rules: %s, s: {User: bob}, condition: not s}\n---\n",
			rapid.SampledFrom([]string{"any", "a", "[a, c]"}).Draw(t, "for"))
	}
	return []byte(b.String()), drawEvents(t, lists)
}

func drawCorrelation(t *rapid.T, b *strings.Builder, name string, known []drawnRule, lists bool) drawnRule {
	r := drawnRule{name: name}
	kind := rapid.SampledFrom(oracleKinds).Draw(t, "type")
	r.groupBy = rapid.SampledFrom([][]string{nil, {"User"}, {"Host"}, {"User", "Host"}, {"who"}}).Draw(t, "group-by")
	var refs []drawnRule
	for _, k := range rapid.Permutation(known).Draw(t, "rules") {
		if k.picks && (lists || strings.HasPrefix(kind, "value_") || slices.Contains(r.groupBy, "who") ||
			slices.ContainsFunc(r.groupBy, func(f string) bool { return !slices.Contains(k.groupBy, f) })) {
			continue
		}
		refs = append(refs, k)
	}
	refs = refs[:min(len(refs), rapid.IntRange(1, 3).Draw(t, "how many"))]
	var names []string
	for _, k := range refs {
		names = append(names, k.name)
		r.picks = r.picks || kind == "event_count" && strings.HasPrefix(k.name, "k")
	}
	fmt.Fprintf(b, "title: %s\nname: %s\ncorrelation:\n  type: %s\n  rules: [%s]\n  timespan: %ds\n", name, name, kind, strings.Join(names, ", "),
		rapid.IntRange(1, 12).Draw(t, "timespan"))
	if r.groupBy != nil {
		fmt.Fprintf(b, "  group-by: [%s]\n", strings.Join(r.groupBy, ", "))
	}
	if slices.Contains(r.groupBy, "who") || rapid.IntRange(0, 5).Draw(t, "alias") == 0 {
		fmt.Fprintf(b, "  aliases: {who: {")
		for i, n := range names {
			if i == 0 || rapid.Bool().Draw(t, "aliased") {
				fmt.Fprintf(b, "%s: %s, ", n, rapid.SampledFrom([]string{"User", "Host", "who"}).Draw(t, "field"))
			}
		}
		fmt.Fprintf(b, "}}\n")
	}
	if rapid.IntRange(0, 2).Draw(t, "generate") == 0 {
		fmt.Fprintf(b, "  generate: true\n")
	}
	temporal := strings.HasPrefix(kind, "temporal")
	switch {
	case temporal && rapid.Bool().Draw(t, "no condition"):
	case temporal && rapid.Bool().Draw(t, "text"):
		fmt.Fprintf(b, "  condition: %s\n", drawExpression(t, names))
	default:
		b.WriteString("  condition: {")
		switch field := rapid.SampledFrom([]string{"n", "User", "who"}).Draw(t, "field"); {
		case kind == "value_count" && rapid.IntRange(0, 2).Draw(t, "pair") == 0:
			b.WriteString("field: [User, n], ")
		case kind == "value_count":
			fmt.Fprintf(b, "field: %s, ", field)
		case kind == "value_percentile" && rapid.Bool().Draw(t, "share"):
			fmt.Fprintf(b, "field: %s, %s: %d}\n---\n", field, drawOperator(t), rapid.IntRange(0, 100).Draw(t, "percent"))
			return r
		case kind == "value_percentile":
			fmt.Fprintf(b, "field: n, percentile: %s, ", rapid.SampledFrom([]string{"0", "10", "33.3", "50", "95", "100"}).Draw(t, "percentile"))
		case strings.HasPrefix(kind, "value_"):
			b.WriteString("field: n, ")
		}
		bound := rapid.IntRange(0, 4)
		if strings.HasPrefix(kind, "value_") && kind != "value_count" {
			bound = rapid.IntRange(-3, 12)
		}
		op := drawOperator(t)
		fmt.Fprintf(b, "%s: %d", op, bound.Draw(t, "bound"))
		if other := drawOperator(t); other != op && rapid.IntRange(0, 3).Draw(t, "range") == 0 {
			fmt.Fprintf(b, ", %s: %d", other, bound.Draw(t, "bound"))
		}
		b.WriteString("}\n")
	}
	b.WriteString("---\n")
	return r
}

func drawOperator(t *rapid.T) string {
	return rapid.SampledFrom([]string{"gte", "gte", "gte", "gt", "lt", "lte", "eq", "neq"}).Draw(t, "operator")
}

// drawExpression makes up an expression that has every name, and some twice.
func drawExpression(t *rapid.T, names []string) string {
	parts := rapid.Permutation(names).Draw(t, "order")
	if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		parts = append(parts, rapid.SampledFrom(names).Draw(t, "name"))
	}
	for {
		if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
			i := rapid.IntRange(0, len(parts)-1).Draw(t, "which")
			parts[i] = "not " + parts[i]
		}
		if len(parts) == 1 {
			return parts[0]
		}
		i := rapid.IntRange(0, len(parts)-2).Draw(t, "join")
		joined := parts[i] + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "by") + parts[i+1]
		if rapid.Bool().Draw(t, "parentheses") {
			joined = "(" + joined + ")"
		}
		parts = slices.Replace(parts, i, i+2, joined)
	}
}

func drawEvents(t *rapid.T, lists bool) []conformanceEvent {
	keys := []string{`"ana"`, `"ana"`, `"ANA"`, `"bob"`, `"bob"`, `""`, `null`, ``}
	if lists {
		keys = append(keys, `["ana","bob"]`, `["Bob",null,"cyd"]`, `[]`)
	}
	numbers := []string{`1`, `2`, `5`, `0.1`, `"0.2"`, `-3`, `"x"`, `null`, ``, `"1e1"`}
	if lists {
		numbers = append(numbers, `[1,1,"x"]`, `["7",null]`)
	}
	last := rapid.SampledFrom([]int{3, 15, 40}).Draw(t, "last second")
	var events []conformanceEvent
	for range rapid.IntRange(1, 24).Draw(t, "events") {
		if len(events) > 0 && rapid.IntRange(0, 9).Draw(t, "copy") == 0 {
			if e := rapid.SampledFrom(events).Draw(t, "of"); e.ID != "" {
				events = append(events, e)
				continue
			}
		}
		e := conformanceEvent{LogSource: event.LogSource{Product: "p"}, Fields: map[string]json.RawMessage{}}
		set := func(field string, from []string) {
			if v := rapid.SampledFrom(from).Draw(t, field); v != "" {
				e.Fields[field] = json.RawMessage(v)
			}
		}
		set("action", []string{`"a"`, `"a"`, `"b"`, `"c"`})
		set("User", keys)
		set("Host", []string{`"h1"`, `"h1"`, `"H1"`, `"h2"`, ``})
		set("who", []string{`"ana"`, `"h1"`, ``})
		set("n", numbers)
		if rapid.IntRange(0, 19).Draw(t, "no time") > 0 {
			at := time.Unix(0, int64(rapid.IntRange(0, last).Draw(t, "second"))*1e9+int64(rapid.IntRange(0, 9).Draw(t, "nanosecond")/9)).UTC()
			e.Time = &at
		}
		if rapid.Bool().Draw(t, "identity") {
			e.ID = fmt.Sprintf("r%d", len(events))
		}
		events = append(events, e)
	}
	return events
}
