package sigma

import (
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// aggregation rejects a condition that counts in the way of Sigma before 2.0, search | count(field) by group > n, and
// says which correlation takes its place.
func aggregation(condition string, timeframe *yaml.Node, where at) *flaw {
	search, rest, found := strings.Cut(condition, "|")
	if !found {
		return nil
	}
	search = strings.TrimSpace(search)
	span := "5m"
	if timeframe != nil && timeframe.Kind == yaml.ScalarNode && timeframe.Value != "" {
		span = timeframe.Value
	}
	const gone = "the condition counts behind a |, which Sigma 2.0 moved to correlations: "
	for _, c := range []string{"(", ")", "<", ">", "=", "!", ","} {
		rest = strings.ReplaceAll(rest, c, " "+c+" ")
	}
	words := strings.Fields(rest)
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	function := strings.ToLower(word(0))
	if function == "near" {
		return where.flawf(gone+"write each selection as a rule of its own with a name, and behind a line of ---: "+
			"{title: …, correlation: {type: temporal, rules: [name1, name2], timespan: %s}}; temporal_ordered if they must follow each other", span)
	}
	field, i := "", 1
	if word(1) == "(" {
		for i = 2; i < len(words) && words[i] != ")"; i++ {
			field += words[i]
		}
		i++
	}
	var groups []string
	if strings.EqualFold(word(i), "by") {
		for i++; i < len(words) && !strings.Contains("<>=!", words[i]); i++ {
			if words[i] != "," {
				groups = append(groups, words[i])
			}
		}
	}
	operator := ""
	for ; i < len(words) && strings.Contains("<>=!", words[i]); i++ {
		operator += words[i]
	}
	compare := map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq", "!=": "neq"}[operator]
	value := word(i)
	kind := map[string]string{"count": "value_count", "sum": "value_sum", "avg": "value_avg"}[function]
	if function == "count" && field == "" {
		kind = "event_count"
	}
	switch {
	case (function == "min" || function == "max") && field != "" && compare != "":
		return where.flawf(gone+"there is none for %s, but %s|%s: %s in a selection says nearly the same of each event", function, field, cmp.Or(compare, "gt"), value)
	case kind == "" || compare == "" || value == "" || kind != "event_count" && field == "":
		return where.flawf(gone + "write what stands before the | as condition, and the counting as a correlation of type event_count or value_count")
	}
	parts := []string{"type: " + kind, "rules: [NAME]"}
	if len(groups) > 0 {
		parts = append(parts, "group-by: ["+strings.Join(groups, ", ")+"]")
	}
	parts = append(parts, "timespan: "+span)
	if kind == "event_count" {
		parts = append(parts, fmt.Sprintf("condition: {%s: %s}", compare, value))
	} else {
		parts = append(parts, fmt.Sprintf("condition: {field: %s, %s: %s}", field, compare, value))
	}
	timeless := ""
	if timeframe != nil {
		timeless = "take timeframe out, "
	}
	return where.flawf(gone+"write condition: %s, %sgive the rule name: NAME, and behind a line of ---: {title: …, correlation: {%s}}", search, timeless, strings.Join(parts, ", "))
}
