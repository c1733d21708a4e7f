package sigma

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Correlation is a rule over the events that other rules match, within a span of time: Sigma correlation rules
// specification 2.1. It does not change.
type Correlation struct {
	ID          string
	Name        string
	Title       string
	Level       string // informational, low, medium, high or critical
	Status      string
	Description string
	Author      string
	Date        string
	Modified    string
	Tags        []string
	References  []string

	Type     CorrelationType
	Rules    []string // identifiers or names of what it refers to, in order
	GroupBy  []string
	Timespan time.Duration
	// Generate says that what it refers to is also reported by itself.
	Generate bool

	// Path is where it was read, Line where its document begins there, from 1.
	Path string
	Line int

	fields     []string // of condition.field
	bounds     []bound
	percentile *big.Rat    // nil: the share of a value
	expr       *condition  // an extended condition over Rules, or nil
	aliases    []alias     // in the order they are written
	rulesAt    []at        // of Rules
	at         at          // of the correlation
	count      []countTest // of bounds, for types that count
}

// CorrelationType says what a Correlation asks of the events in its window.
type CorrelationType string

// The types of the specification, 2.1, and value_median, which the reference implementation adds.
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
	ValueSum        CorrelationType = "value_sum"
	ValueAvg        CorrelationType = "value_avg"
	ValuePercentile CorrelationType = "value_percentile"
	ValueMedian     CorrelationType = "value_median"
)

var correlationParts = [...]string{"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}

var conditionParts = [...]string{"gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"}

var correlationTypes = []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile, ValueMedian}

func (t CorrelationType) temporal() bool { return t == Temporal || t == TemporalOrdered }

// numeric reports whether the type reads its field as numbers.
func (t CorrelationType) numeric() bool {
	return t == ValueSum || t == ValueAvg || t == ValuePercentile || t == ValueMedian
}

// bound is one comparison of a condition; all of them must hold.
type bound struct {
	op    string // gt, gte, lt, lte, eq, neq
	value *big.Rat
}

func (b bound) holds(v *big.Rat) bool { return orderHolds(b.op, v.Cmp(b.value)) }

// countTest is a bound on a count.
type countTest struct {
	op    string
	value float64
}

func (c countTest) holds(n int64) bool {
	switch f := float64(n); {
	case f < c.value:
		return orderHolds(c.op, -1)
	case f > c.value:
		return orderHolds(c.op, 1)
	}
	return orderHolds(c.op, 0)
}

func orderHolds(op string, order int) bool {
	switch op {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	case "eq":
		return order == 0
	}
	return order != 0
}

// alias is a name for what is called differently in the events of different rules.
type alias struct {
	name   string
	fields []aliasField
}

type aliasField struct {
	rule, field string
	at
}

// Limits on a correlation, so that a hostile one costs little.
const (
	maxCorrelated   = 64 // rules of one correlation
	maxGroupBy      = 32
	maxTimespan     = 200 * 365 * 24 * time.Hour
	maxTimespanText = "200 years"
)

// correlation reads the correlation of a document; keys are those of the document.
func (p *parser) correlation(keys map[string]*yaml.Node, top *yaml.Node, r *Rule) (*Correlation, *flaw) {
	n := keys["correlation"]
	c := &Correlation{ID: r.ID, Name: r.Name, Title: r.Title, Level: r.Level, Status: r.Status, Description: r.Description,
		Author: r.Author, Date: r.Date, Modified: r.Modified, Tags: r.Tags, References: r.References, Path: p.path, Line: top.Line, at: place(n)}
	if keys["detection"] != nil {
		return nil, place(n).flawf("a document has both a detection and a correlation: put them into two documents, with --- between them")
	}
	parts := map[string]*yaml.Node{}
	if bad := p.entries(n, "correlation", func(key string, k, v *yaml.Node) *flaw {
		if slices.Contains(correlationParts[:], key) {
			parts[key] = v
			return nil
		}
		return place(k).flawf("a correlation has no %q: %s", key, oneOf(key, correlationParts[:]))
	}); bad != nil {
		return nil, bad
	}
	steps := []func(map[string]*yaml.Node, *Correlation) *flaw{p.correlationType, p.correlationRules, p.timespan, p.groupBy, p.aliases, p.correlationCondition}
	for _, step := range steps {
		if bad := step(parts, c); bad != nil {
			return nil, bad
		}
	}
	for _, v := range []*yaml.Node{keys["generate"], parts["generate"]} {
		if v == nil {
			continue
		}
		b, err := strconv.ParseBool(strings.ToLower(v.Value))
		if err != nil || v.Kind != yaml.ScalarNode {
			return nil, place(v).flawf("generate is %q: write true or false", v.Value)
		}
		c.Generate = c.Generate || b
	}
	if c.Title == "" && c.Name == "" {
		return nil, place(top).flawf("no title: add one, as title: What the correlation detects")
	}
	return c, nil
}

func (p *parser) correlationType(parts map[string]*yaml.Node, c *Correlation) *flaw {
	v := parts["type"]
	if v == nil {
		return c.at.flawf("the correlation has no type: add one of %s, as type: event_count", joinTypes())
	}
	c.Type = CorrelationType(strings.ToLower(v.Value))
	if !slices.Contains(correlationTypes, c.Type) {
		return place(v).flawf("the type of the correlation is %q: %s", v.Value, oneOf(v.Value, typeNames()))
	}
	return nil
}

func typeNames() []string {
	var names []string
	for _, t := range correlationTypes {
		names = append(names, string(t))
	}
	return names
}

func joinTypes() string { return strings.Join(typeNames(), ", ") }

// oneOf says which of some names was meant, or what they are.
func oneOf(name string, names []string) string {
	if n := nearest(name, names); n != "" {
		return "did you mean " + n + "?"
	}
	return "it is one of " + strings.Join(names, ", ")
}

func (p *parser) correlationRules(parts map[string]*yaml.Node, c *Correlation) *flaw {
	v := parts["rules"]
	if v == nil || isNull(v) {
		if cond := parts["condition"]; c.Type.temporal() && cond != nil && cond.Kind == yaml.ScalarNode {
			return nil // the names in the condition are the rules
		}
		return c.at.flawf("the correlation has no rules: list those whose matches it is about, by id or name")
	}
	names, bad := p.strings(v, "rules")
	if bad != nil {
		return bad
	}
	for i, name := range names {
		where := place(v)
		if v.Kind == yaml.SequenceNode {
			where = place(resolve(v.Content[i]))
		}
		switch {
		case name == "":
			return where.flawf("the correlation refers to a rule without a name: write its id or name, or take the entry out")
		case slices.Contains(c.Rules, name):
			return where.flawf("the correlation refers to %q twice: take one out, it counts once", name)
		case len(c.Rules) == maxCorrelated:
			return where.flawf("the correlation refers to more than %d rules: split it, and correlate the parts", maxCorrelated)
		}
		c.Rules, c.rulesAt = append(c.Rules, name), append(c.rulesAt, where)
	}
	if len(c.Rules) == 0 {
		return place(v).flawf("the correlation has no rules: list those whose matches it is about, by id or name")
	}
	return nil
}

// timespanUnits are those of the specification (s, m, h, d), and what the reference implementation adds.
var timespanUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2_629_746 * time.Second, 'y': 31_556_952 * time.Second,
}

func (p *parser) timespan(parts map[string]*yaml.Node, c *Correlation) *flaw {
	v := parts["timespan"]
	if v == nil {
		return c.at.flawf("the correlation has no timespan: add one, as timespan: 10m")
	}
	text := v.Value
	bad := place(v).flawf("the timespan is %q: write a whole number and one of s, m, h, d, w, M, y, such as 90m for an hour and a half", text)
	if v.Kind != yaml.ScalarNode || len(text) < 2 {
		return bad
	}
	unit, ok := timespanUnits[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	switch {
	case !ok || err != nil:
		return bad
	case n == 0:
		return place(v).flawf("the timespan is 0, and nothing happens within it: write at least 1s")
	case time.Duration(n) > maxTimespan/unit:
		return place(v).flawf("the timespan is longer than %s: write a shorter one", maxTimespanText)
	}
	c.Timespan = time.Duration(n) * unit
	return nil
}

func (p *parser) groupBy(parts map[string]*yaml.Node, c *Correlation) (bad *flaw) {
	v := parts["group-by"]
	if v == nil || isNull(v) {
		return nil
	}
	if c.GroupBy, bad = p.strings(v, "group-by"); bad != nil {
		return bad
	}
	if len(c.GroupBy) > maxGroupBy {
		return place(v).flawf("group-by has more than %d fields: take some out", maxGroupBy)
	}
	for i, f := range c.GroupBy {
		if f == "" || slices.Contains(c.GroupBy[:i], f) {
			return place(v).flawf("group-by has the field %q twice: take one out", f)
		}
	}
	return nil
}

func (p *parser) aliases(parts map[string]*yaml.Node, c *Correlation) *flaw {
	v := parts["aliases"]
	if v == nil || isNull(v) {
		return nil
	}
	return p.entries(v, "aliases", func(name string, k, fields *yaml.Node) *flaw {
		a := alias{name: name}
		bad := p.entries(fields, "the alias "+name, func(rule string, k, field *yaml.Node) *flaw {
			if field.Kind != yaml.ScalarNode || field.Value == "" {
				return place(k).flawf("the alias %s names no field for the rule %s: write the name of a field of its events", name, rule)
			}
			a.fields = append(a.fields, aliasField{rule, field.Value, place(k)})
			return nil
		})
		if bad == nil && len(a.fields) == 0 {
			bad = place(k).flawf("the alias %s is empty: write a line for each rule, as rule_name: FieldName", name)
		}
		c.aliases = append(c.aliases, a)
		return bad
	})
}

func (p *parser) correlationCondition(parts map[string]*yaml.Node, c *Correlation) *flaw {
	v := parts["condition"]
	switch {
	case v == nil || isNull(v):
		if !c.Type.temporal() {
			return c.at.flawf("a correlation of type %s needs a condition: add one, such as condition: {gte: 10}", c.Type)
		}
		c.bounds = []bound{{"gte", big.NewRat(int64(len(c.Rules)), 1)}}
	case v.Kind == yaml.ScalarNode:
		return p.extendedCondition(v, c)
	default:
		if bad := p.bounds(v, c); bad != nil {
			return bad
		}
	}
	for _, b := range c.bounds {
		f, _ := b.value.Float64()
		c.count = append(c.count, countTest{b.op, f})
	}
	return nil
}

func (p *parser) bounds(n *yaml.Node, c *Correlation) *flaw {
	var percentile *yaml.Node
	bad := p.entries(n, "condition", func(key string, k, v *yaml.Node) (bad *flaw) {
		switch key {
		case "gt", "gte", "lt", "lte", "eq", "neq":
			value, ok := parseDecimal(v.Value)
			if !ok || v.Kind != yaml.ScalarNode {
				return place(v).flawf("%s takes a number, and %q is none: write one such as 10 or 2.5", key, v.Value)
			}
			c.bounds = append(c.bounds, bound{key, value})
		case "field":
			if c.fields, bad = p.strings(v, "field"); bad != nil {
				return bad
			}
			if len(c.fields) == 0 || len(c.fields) > maxGroupBy || slices.Contains(c.fields, "") {
				return place(v).flawf("field names no field, or more than %d: write the name of one", maxGroupBy)
			}
			if len(c.fields) > 1 && c.Type != ValueCount {
				return place(v).flawf("%s calculates with one field, and here are several: leave one, or use value_count, which counts several together", c.Type)
			}
			if c.Type == EventCount || c.Type.temporal() {
				return place(k).flawf("%s has no field: take it out, or use value_count, which counts the values of a field", c.Type)
			}
		case "percentile":
			percentile = v
			value, ok := parseDecimal(v.Value)
			if !ok || value.Sign() < 0 || value.Cmp(big.NewRat(100, 1)) > 0 {
				return place(v).flawf("percentile is %q: write a number from 0 to 100", v.Value)
			}
			c.percentile = value
		default:
			return place(k).flawf("a condition has no %q: %s", key, oneOf(key, conditionParts[:]))
		}
		return nil
	})
	switch {
	case bad != nil:
		return bad
	case len(c.bounds) == 0:
		return place(n).flawf("the condition compares with nothing: add one of gt, gte, lt, lte, eq, neq")
	case percentile != nil && c.Type != ValuePercentile:
		return place(percentile).flawf("%s has no percentile: take it out, or use value_percentile", c.Type)
	case len(c.fields) == 0 && (c.Type == ValueCount || c.Type.numeric()):
		return place(n).flawf("a correlation of type %s needs a field in its condition: add the one it is about, as field: bytes_sent", c.Type)
	}
	if c.Type == ValueMedian {
		c.percentile = big.NewRat(50, 1)
	}
	return nil
}

// extendedCondition reads a condition over the names of rules (sigma-specification, enhancement 198).
func (p *parser) extendedCondition(n *yaml.Node, c *Correlation) *flaw {
	if !c.Type.temporal() {
		return place(n).flawf("only temporal and temporal_ordered take a condition over names of rules: %s takes a comparison, such as gte: 10", c.Type)
	}
	cond, bad := parseCondition(n.Value, place(n))
	if bad != nil {
		return bad
	}
	var used []string
	if bad := cond.names(&used, place(n)); bad != nil {
		return bad
	}
	if len(c.Rules) == 0 {
		if len(used) > maxCorrelated {
			return place(n).flawf("the correlation refers to more than %d rules: split it, and correlate the parts", maxCorrelated)
		}
		for _, name := range used {
			c.Rules, c.rulesAt = append(c.Rules, name), append(c.rulesAt, place(n))
		}
	}
	for i, name := range c.Rules {
		if !slices.Contains(used, name) {
			return c.rulesAt[i].flawf("the condition does not use the rule %q: put it in, or take it out of rules", name)
		}
	}
	for _, name := range used {
		if !slices.Contains(c.Rules, name) {
			return place(n).flawf("the condition names %q, which is not among the rules of the correlation: %s", name, oneOf(name, c.Rules))
		}
	}
	c.expr = cond
	if c.Type == TemporalOrdered {
		if _, ok := cond.orders(c.Rules, false); !ok {
			return place(n).flawf("the condition has more than %d ways to be true: write a correlation for each part", maxOrders)
		}
	}
	return nil
}

// names appends the names in a condition over rules, each once, in order.
func (c *condition) names(to *[]string, where at) *flaw {
	if c.op == ofOp {
		return where.flawf("a condition over rules knows no \"of\": write names of rules, joined with and, or, not")
	}
	if c.op == nameOp && !slices.Contains(*to, c.name) {
		*to = append(*to, c.name)
	}
	for _, k := range c.kids {
		if bad := k.names(to, where); bad != nil {
			return bad
		}
	}
	return nil
}

// parseDecimal reads a decimal number exactly. Its exponent is bounded, so that it costs little to calculate with.
func parseDecimal(s string) (*big.Rat, bool) {
	if len(s) > 64 || s == "" {
		return nil, false
	}
	digits, exponent := false, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '.' && !exponent:
		case (c == 'e' || c == 'E') && digits && !exponent:
			exponent = true
			if n, err := strconv.Atoi(s[i+1:]); err != nil || n > 400 || n < -400 {
				return nil, false
			}
		case (c == '+' || c == '-') && (i == 0 || s[i-1] == 'e' || s[i-1] == 'E'):
		default:
			return nil, false
		}
	}
	if !digits {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
