package sigma_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/sigma"
)

// The oracle judges correlations and filters by the words of conformance/README.md, taken literally and slowly. It
// shares nothing with the engine but the matching of single events.

func TestConformanceOracle(t *testing.T) { conformance(t, oracle) }

func oracle(tb testing.TB, rules []byte, events []conformanceEvent) conformanceResult {
	o := &oracleRun{tb: tb, matches: map[*oracleRule][]*oracleMatch{}}
	for _, e := range events {
		o.events = append(o.events, e)
		o.made = append(o.made, e.event())
	}
	o.read(rules)
	return o.result()
}

type oracleRun struct {
	tb      testing.TB
	events  []conformanceEvent
	made    []*event.Event
	rules   []*oracleRule
	filters []*oracleRule
	matches map[*oracleRule][]*oracleMatch
}

// oracleRule is a document: a rule, a correlation or a filter.
type oracleRule struct {
	doc      *yaml.Node
	label    string
	refused  string
	warned   []string
	engines  []*sigma.Engine // of a rule: all must match; of a filter none
	source   event.LogSource
	silent   bool
	cor      *yaml.Node
	kind     string
	of       []*oracleRule
	groupBy  []string
	span     int64
	aliases  map[string]map[*oracleRule]string
	generate bool
	fields   []string
	rank     *big.Rat // percentile
	tests    []oracleTest
	expr     *oracleExpr
}

type oracleTest struct {
	op     string
	number *big.Rat
}

func (r *oracleRule) refuse(format string, args ...any) {
	if r.refused == "" {
		r.refused = fmt.Sprintf(format, args...)
	}
}

// oracleHit is an event that matches a rule, or an occurrence of a correlation.
type oracleHit struct {
	time, own int64 // own is the time of the event below
	rule      *oracleRule
	values    func(name string) []string
	match     *oracleMatch // of an occurrence
}

type oracleMember struct {
	*oracleHit
	spelled []string
}

type oracleMatch struct {
	group       []string
	members     []oracleMember
	first, last int64
	value       *big.Rat
	met         int64
}

// reading

func (o *oracleRun) read(data []byte) {
	for _, doc := range documents(o.tb, data) {
		r := &oracleRule{doc: doc, label: labelOf(doc)}
		switch {
		case entry(doc, "filter") != nil:
			o.filters = append(o.filters, r)
		case entry(doc, "correlation") != nil:
			r.cor = entry(doc, "correlation")
			o.rules = append(o.rules, r)
		default:
			o.rules = append(o.rules, r)
			r.source = sourceOf(entry(doc, "logsource"))
			r.engine(doc)
		}
	}
	for _, f := range o.filters {
		o.filter(f)
	}
	for _, r := range o.rules {
		if r.cor != nil {
			o.correlation(r)
		}
	}
	for _, r := range o.rules {
		o.circles(r, nil)
	}
	for range o.rules { // who refers to what cannot be used cannot be used
		for _, r := range o.rules {
			for _, p := range r.of {
				if p.refused != "" {
					r.refuse("refers to %s, which cannot be used", p.label)
				}
			}
		}
	}
	for _, r := range o.rules {
		if r.refused != "" {
			continue
		}
		for _, p := range r.of {
			p.silent = true
		}
	}
	for _, r := range o.rules {
		if r.refused == "" && r.generate {
			for _, p := range r.of {
				p.silent = false
			}
		}
	}
}

// engine compiles a document as a rule that must match.
func (r *oracleRule) engine(doc *yaml.Node) {
	data, err := yaml.Marshal(doc)
	if err != nil {
		r.refuse("%v", err)
		return
	}
	pack := sigma.Parse("rules.yml", data)
	e, more := sigma.Compile(pack, sigma.Options{})
	for _, x := range append(pack.Rejected, more...) {
		r.refuse("%s", x.Reason)
	}
	r.engines = append(r.engines, e)
}

func sourceOf(n *yaml.Node) event.LogSource {
	text := func(key string) string {
		if v := entry(n, key); v != nil {
			return strings.ToLower(v.Value)
		}
		return ""
	}
	return event.LogSource{Product: text("product"), Category: text("category"), Service: text("service")}
}

// filter reads a filter and adds it to its rules.
func (o *oracleRun) filter(f *oracleRule) {
	body, source := entry(f.doc, "filter"), entry(f.doc, "logsource")
	if entry(f.doc, "title") == nil {
		f.refuse("no title")
	}
	if source == nil || source.Kind != yaml.MappingNode {
		f.refuse("no logsource")
	}
	if body.Kind != yaml.MappingNode {
		f.refuse("filter is not a mapping")
	}
	if c := entry(body, "condition"); c == nil || c.Kind != yaml.ScalarNode {
		f.refuse("condition is missing or no text")
	}
	list := entry(body, "rules")
	names, ok := textsOf(list)
	if list == nil || !ok || len(names) == 0 {
		f.refuse("rules are missing or no list of names")
	}
	if f.refused != "" {
		return
	}
	detection := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(body.Content); i += 2 {
		if body.Content[i].Value != "rules" {
			detection.Content = append(detection.Content, body.Content[i], body.Content[i+1])
		}
	}
	as := func(logsource *yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
			word("title"), word("the filter as a rule"), word("logsource"), logsource, word("detection"), detection,
		}}
	}
	f.engine(as(source))
	if f.refused != "" {
		return
	}
	applies := func(r *oracleRule) bool { return r.cor == nil && r.source.Covers(sourceOf(source)) }
	anyRule := list.Kind == yaml.ScalarNode && strings.EqualFold(list.Value, "any")
	for _, r := range o.rules {
		if applies(r) && (anyRule || slices.ContainsFunc(names, r.answersTo)) {
			r.engine(as(entry(r.doc, "logsource")))
		}
	}
	for _, name := range names {
		if !anyRule && !slices.ContainsFunc(o.rules, func(r *oracleRule) bool { return applies(r) && r.answersTo(name) }) {
			f.warned = append(f.warned, "it is not for "+name)
		}
	}
}

func word(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func (r *oracleRule) answersTo(name string) bool {
	for _, key := range []string{"name", "id"} {
		if v := entry(r.doc, key); v != nil && v.Value == name {
			return true
		}
	}
	return false
}

// textsOf returns a text, or the texts of a list.
func textsOf(n *yaml.Node) ([]string, bool) {
	switch {
	case n == nil:
		return nil, true
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, n.ShortTag() != "!!null"
	case n.Kind == yaml.SequenceNode:
		var list []string
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode {
				return nil, false
			}
			list = append(list, c.Value)
		}
		return list, true
	}
	return nil, false
}

var (
	oracleKinds = []string{"event_count", "value_count", "value_sum", "value_avg", "value_median", "value_percentile", "temporal", "temporal_ordered"}
	oracleUnits = map[string]int64{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2629746, "y": 31556952}
	spanForm    = regexp.MustCompile(`^([0-9]+)([smhdwMy])$`)
	numberForm  = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
)

func numberOf(text string) *big.Rat {
	if !numberForm.MatchString(text) {
		return nil
	}
	x, _ := new(big.Rat).SetString(text)
	return x
}

func (o *oracleRun) correlation(r *oracleRule) {
	c := r.cor
	if entry(r.doc, "title") == nil && entry(r.doc, "name") == nil {
		r.refuse("no title")
	}
	if k := entry(c, "type"); k == nil {
		r.refuse("no type")
	} else if r.kind = k.Value; !slices.Contains(oracleKinds, r.kind) {
		r.refuse("type %s is unknown", r.kind)
	}
	temporal := strings.HasPrefix(r.kind, "temporal")
	span := entry(c, "timespan")
	if span == nil {
		r.refuse("no timespan")
	} else if m := spanForm.FindStringSubmatch(span.Value); m == nil {
		r.refuse("timespan %s is none", span.Value)
	} else {
		n, _ := new(big.Int).SetString(m[1], 10)
		n.Mul(n, big.NewInt(oracleUnits[m[2]]*1e9))
		if r.span = n.Int64(); !n.IsInt64() {
			r.refuse("timespan %s is too long", span.Value)
		}
	}
	var ok bool
	if r.groupBy, ok = textsOf(entry(c, "group-by")); !ok {
		r.refuse("group-by is no list of fields")
	}
	for _, place := range []*yaml.Node{entry(c, "generate"), entry(r.doc, "generate")} {
		if place != nil && place.ShortTag() != "!!bool" {
			r.refuse("generate %s is neither true nor false", place.Value)
		}
		r.generate = r.generate || place != nil && place.Value == "true"
	}
	cond := entry(c, "condition")
	switch {
	case cond == nil && !temporal:
		r.refuse("no condition")
	case cond == nil:
	case cond.Kind == yaml.ScalarNode && !temporal:
		r.refuse("the condition of %s is a text", r.kind)
	case cond.Kind == yaml.ScalarNode:
		var err error
		if r.expr, err = parseOracleExpr(cond.Value); err != nil {
			r.refuse("condition: %v", err)
		}
	case cond.Kind == yaml.MappingNode:
		r.condition(cond)
	default:
		r.refuse("the condition is neither a mapping nor a text")
	}
	if n := len(r.fields); strings.HasPrefix(r.kind, "value_") && n != 1 && (n == 0 || r.kind != "value_count") {
		r.refuse("the condition of %s has no field, or too many", r.kind)
	}
	o.references(r)
	if cond == nil {
		r.tests = []oracleTest{{"gte", big.NewRat(int64(len(r.of)), 1)}}
	}
}

func (r *oracleRule) condition(cond *yaml.Node) {
	for i := 0; i+1 < len(cond.Content); i += 2 {
		key, v := cond.Content[i].Value, cond.Content[i+1]
		switch key {
		case "field":
			var ok bool
			if r.fields, ok = textsOf(v); !ok {
				r.refuse("field is no name")
			}
		case "percentile":
			r.rank = numberOf(v.Value)
			if r.rank == nil || r.rank.Sign() < 0 || r.rank.Cmp(big.NewRat(100, 1)) > 0 {
				r.refuse("percentile %s is not between 0 and 100", v.Value)
			}
		case "gt", "gte", "lt", "lte", "eq", "neq":
			n := numberOf(v.Value)
			if n == nil {
				r.refuse("%s: %s is no number", key, v.Value)
			}
			r.tests = append(r.tests, oracleTest{key, n})
		default:
			r.refuse("the condition has %s, which is unknown", key)
		}
	}
	if len(r.tests) == 0 {
		r.refuse("the condition compares with nothing")
	}
}

// references finds the rules a correlation refers to, and reads its aliases.
func (o *oracleRun) references(r *oracleRule) {
	list := entry(r.cor, "rules")
	names, ok := textsOf(list)
	if !ok {
		r.refuse("rules are no list of names")
	}
	if list == nil && r.expr != nil {
		names = r.expr.names(nil)
	}
	if len(names) == 0 {
		r.refuse("no rules")
	}
	find := func(name string) *oracleRule {
		var found *oracleRule
		for _, p := range o.rules {
			if p.answersTo(name) {
				if found != nil {
					r.refuse("%s is the name of several rules", name)
				}
				found = p
			}
		}
		if found == nil {
			r.refuse("there is no rule %s", name)
		}
		return found
	}
	for _, name := range names {
		p := find(name)
		if p == nil {
			continue
		}
		if slices.Contains(r.of, p) {
			r.refuse("rules has %s twice", name)
		}
		r.of = append(r.of, p)
	}
	if r.expr != nil {
		seen := map[*oracleRule]bool{}
		for _, leaf := range r.expr.leaves(nil) {
			if leaf.rule = find(leaf.name); leaf.rule != nil && !slices.Contains(r.of, leaf.rule) {
				r.refuse("the condition has %s, which is not in rules", leaf.name)
			}
			seen[leaf.rule] = true
		}
		for _, p := range r.of {
			if !seen[p] {
				r.refuse("rules has %s, which is not in the condition", p.label)
			}
		}
	}
	aliases := entry(r.cor, "aliases")
	if aliases == nil {
		return
	}
	if aliases.Kind != yaml.MappingNode {
		r.refuse("aliases are not a mapping")
		return
	}
	r.aliases = map[string]map[*oracleRule]string{}
	for i := 0; i+1 < len(aliases.Content); i += 2 {
		alias, to := aliases.Content[i].Value, aliases.Content[i+1]
		if to.Kind != yaml.MappingNode {
			r.refuse("alias %s is not a mapping", alias)
			continue
		}
		r.aliases[alias] = map[*oracleRule]string{}
		for j := 0; j+1 < len(to.Content); j += 2 {
			p := find(to.Content[j].Value)
			if p != nil && !slices.Contains(r.of, p) {
				r.refuse("alias %s is for %s, which is not in rules", alias, p.label)
			}
			if to.Content[j+1].Kind != yaml.ScalarNode {
				r.refuse("alias %s is for no field", alias)
			}
			r.aliases[alias][p] = to.Content[j+1].Value
		}
	}
}

func (o *oracleRun) circles(r *oracleRule, path []*oracleRule) {
	if i := slices.Index(path, r); i >= 0 {
		var names []string
		for _, p := range append(path[i:], r) {
			names = append(names, p.label)
		}
		for _, p := range path[i:] {
			p.refuse("refers to itself: %s", strings.Join(names, ", "))
		}
		return
	}
	for _, p := range r.of {
		o.circles(p, append(slices.Clone(path), r))
	}
}

// oracleExpr is a condition that is a text.
type oracleExpr struct {
	op   string // and, or, not; "" for a rule
	kids []*oracleExpr
	name string
	rule *oracleRule
}

func parseOracleExpr(text string) (*oracleExpr, error) {
	p := &exprParser{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))}
	e := p.or()
	if p.bad == nil && len(p.words) > 0 {
		p.bad = fmt.Errorf("%s does not belong there", p.words[0])
	}
	return e, p.bad
}

type exprParser struct {
	words []string
	bad   error
}

func (p *exprParser) take(w string) bool {
	if len(p.words) > 0 && strings.EqualFold(p.words[0], w) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *exprParser) or() *oracleExpr {
	e := p.and()
	for p.bad == nil && p.take("or") {
		e = &oracleExpr{op: "or", kids: []*oracleExpr{e, p.and()}}
	}
	return e
}

func (p *exprParser) and() *oracleExpr {
	e := p.not()
	for p.bad == nil && p.take("and") {
		e = &oracleExpr{op: "and", kids: []*oracleExpr{e, p.not()}}
	}
	return e
}

func (p *exprParser) not() *oracleExpr {
	switch {
	case p.take("not"):
		return &oracleExpr{op: "not", kids: []*oracleExpr{p.not()}}
	case p.take("("):
		e := p.or()
		if !p.take(")") && p.bad == nil {
			p.bad = fmt.Errorf("a parenthesis is not closed")
		}
		return e
	case len(p.words) == 0:
		p.bad = fmt.Errorf("it ends too early")
		return &oracleExpr{}
	}
	w := p.words[0]
	if p.words = p.words[1:]; slices.Contains([]string{"and", "or", ")"}, strings.ToLower(w)) && p.bad == nil {
		p.bad = fmt.Errorf("%s does not belong there", w)
	}
	return &oracleExpr{name: w}
}

func (e *oracleExpr) leaves(list []*oracleExpr) []*oracleExpr {
	if e.op == "" {
		return append(list, e)
	}
	for _, k := range e.kids {
		list = k.leaves(list)
	}
	return list
}

func (e *oracleExpr) names(list []string) []string {
	for _, l := range e.leaves(nil) {
		if !slices.Contains(list, l.name) {
			list = append(list, l.name)
		}
	}
	return list
}

// ways returns the lists of rules, in the order of the expression, of which one makes the expression true when all in
// it are found; or makes it false, if it is negated. seen says whether a rule has a hit.
func (e *oracleExpr) ways(seen func(*oracleRule) bool, negated bool) [][]*oracleRule {
	switch {
	case e.op == "" && seen(e.rule) == negated:
		return nil
	case e.op == "" && negated:
		return [][]*oracleRule{{}}
	case e.op == "":
		return [][]*oracleRule{{e.rule}}
	case e.op == "not":
		return e.kids[0].ways(seen, !negated)
	case (e.op == "or") != negated: // not (a and b) is not a or not b
		return append(e.kids[0].ways(seen, negated), e.kids[1].ways(seen, negated)...)
	}
	var out [][]*oracleRule
	for _, a := range e.kids[0].ways(seen, negated) {
		for _, b := range e.kids[1].ways(seen, negated) {
			out = append(out, append(slices.Clone(a), b...))
		}
	}
	return out
}

// judging

func (o *oracleRun) result() conformanceResult {
	var res conformanceResult
	for _, r := range append(slices.Clone(o.rules), o.filters...) {
		for _, w := range r.warned {
			res.Rejected = append(res.Rejected, conformanceRejection{r.label, w})
		}
		switch {
		case r.refused != "":
			res.Rejected = append(res.Rejected, conformanceRejection{r.label, r.refused})
		case r.silent || slices.Contains(o.filters, r):
		case r.cor == nil:
			for i := range o.made {
				if r.matchesEvent(o.made[i]) {
					res.Findings = append(res.Findings, conformanceFinding{r.label, i})
				}
			}
		default:
			for _, m := range o.judge(r) {
				group := map[string]string{}
				for i, name := range r.groupBy {
					group[name] = m.group[i]
				}
				res.Matches = append(res.Matches, conformanceMatch{r.label, group, time.Unix(0, m.first).UTC(), time.Unix(0, m.last).UTC(),
					len(m.members), json.Number(m.value.RatString())})
			}
		}
	}
	return res
}

func (r *oracleRule) matchesEvent(ev *event.Event) bool {
	for _, e := range r.engines {
		if len(e.NewMatcher().Match(ev)) == 0 {
			return false
		}
	}
	return true
}

// hits returns what a correlation is about: hits of rules, occurrences of correlations.
func (o *oracleRun) hits(r *oracleRule) []*oracleHit {
	var hits []*oracleHit
	for _, p := range r.of {
		if p.cor == nil {
			read := map[string]bool{}
			for i, ev := range o.made {
				id := o.events[i].ID
				if ev.Time == event.UnknownTime || !p.matchesEvent(ev) || id != "" && read[id] {
					continue
				}
				read[id] = true
				hits = append(hits, &oracleHit{time: ev.Time, own: ev.Time, rule: p, values: func(name string) []string { return textsIn(ev, name) }})
			}
			continue
		}
		for _, m := range o.judge(p) {
			for _, x := range m.members {
				hits = append(hits, &oracleHit{time: max(x.time, m.met), own: x.own, rule: p, match: m,
					values: func(name string) []string { return p.read(x.oracleHit, name) }})
			}
		}
	}
	return hits
}

// read returns the values that a field or alias of the correlation has in a hit.
func (r *oracleRule) read(h *oracleHit, name string) []string {
	if field, ok := r.aliases[name][h.rule]; ok {
		return h.values(field)
	}
	return h.values(name)
}

func textsIn(ev *event.Event, name string) []string {
	var texts []string
	for _, slot := range ev.Shape.Slots(name) {
		v := ev.Value(slot)
		for i := 0; ; {
			e, next, ok := v.Elem(i)
			if !ok {
				break
			}
			if !e.IsNull() {
				texts = append(texts, e.String())
			}
			i = next
		}
	}
	return texts
}

// fold makes texts equal that differ in case only.
func fold(s string) string {
	return strings.Map(func(c rune) rune {
		least := c
		for d := unicode.SimpleFold(c); d != c; d = unicode.SimpleFold(d) {
			least = min(least, d)
		}
		return least
	}, s)
}

func foldAll(texts []string) string {
	folded := make([]string, len(texts))
	for i, s := range texts {
		folded[i] = fold(s)
	}
	return fmt.Sprintf("%q", folded)
}

// tuples returns every way to take one value for each of the names.
func (r *oracleRule) tuples(h *oracleHit, names []string) [][]string {
	all := [][]string{nil}
	for _, name := range names {
		var longer [][]string
		for _, t := range all {
			for _, v := range r.read(h, name) {
				longer = append(longer, append(slices.Clone(t), v))
			}
		}
		all = longer
	}
	return all
}

func (r *oracleRule) numbers(h *oracleHit) []*big.Rat {
	var list []*big.Rat
	for _, v := range r.read(h, r.fields[0]) {
		if x := numberOf(v); x != nil {
			list = append(list, x)
		}
	}
	return list
}

func (r *oracleRule) numeric() bool {
	return r.kind == "value_sum" || r.kind == "value_avg" || r.kind == "value_median" || r.kind == "value_percentile" && r.rank != nil
}

func (r *oracleRule) takesPart(h *oracleHit) bool {
	switch {
	case r.numeric():
		return len(r.numbers(h)) > 0
	case strings.HasPrefix(r.kind, "value_"):
		return len(r.tuples(h, r.fields)) > 0
	}
	return true
}

// judge returns the matches of a correlation.
func (o *oracleRun) judge(r *oracleRule) []*oracleMatch {
	if known, ok := o.matches[r]; ok {
		return known
	}
	groups := map[string][]oracleMember{}
	for _, h := range o.hits(r) {
		if !r.takesPart(h) {
			continue
		}
		spelled := map[string][]string{}
		for _, t := range r.tuples(h, r.groupBy) {
			key := foldAll(t)
			if s, ok := spelled[key]; !ok || slices.Compare(t, s) < 0 {
				spelled[key] = t
			}
		}
		for key, t := range spelled {
			groups[key] = append(groups[key], oracleMember{h, t})
		}
	}
	var all []*oracleMatch
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		members := groups[key]
		if r.kind == "event_count" {
			members = oncePerMatch(members)
		}
		all = append(all, r.group(members)...)
	}
	o.matches[r] = all
	return all
}

func earlier(a, b oracleMember) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.own, b.own), slices.Compare(a.spelled, b.spelled))
}

// oncePerMatch leaves the earliest occurrence of every match of a correlation.
func oncePerMatch(members []oracleMember) []oracleMember {
	var out []oracleMember
	best := map[*oracleMatch]int{}
	for _, m := range members {
		i, seen := best[m.match]
		switch {
		case m.match == nil || !seen:
			best[m.match] = len(out)
			out = append(out, m)
		case earlier(m, out[i]) < 0:
			out[i] = m
		}
	}
	return out
}

// group judges the hits of a group.
func (r *oracleRule) group(members []oracleMember) []*oracleMatch {
	slices.SortStableFunc(members, earlier)
	within := func(from, to int64) []int {
		var w []int
		for i, m := range members {
			if from <= m.time && m.time <= to {
				w = append(w, i)
			}
		}
		return w
	}
	var windows [][]int
	for _, m := range members {
		end := m.time + r.span
		if end < m.time {
			end = math.MaxInt64
		}
		windows = append(windows, within(m.time, end))
	}
	pick := func(w []int) []oracleMember {
		var in []oracleMember
		for _, i := range w {
			in = append(in, members[i])
		}
		return in
	}
	var satisfied [][]int
	var values []*big.Rat
	for i, w := range windows {
		maximal := true
		for j, other := range windows {
			if contains(other, w) && (len(other) > len(w) || j < i) { // of equal windows the first
				maximal = false
			}
		}
		if !maximal {
			continue
		}
		if v, ok := r.satisfied(pick(w)); ok {
			satisfied, values = append(satisfied, w), append(values, v)
		}
	}
	var matches []*oracleMatch
	for i := 0; i < len(satisfied); {
		union := map[int]bool{}
		for _, k := range satisfied[i] {
			union[k] = true
		}
		value := values[i]
		j := i + 1
		for ; j < len(satisfied) && slices.ContainsFunc(satisfied[j], func(k int) bool { return union[k] }); j++ {
			for _, k := range satisfied[j] {
				union[k] = true
			}
			if values[j].Cmp(value) > 0 != r.onlyLess() && values[j].Cmp(value) != 0 {
				value = values[j]
			}
		}
		m := &oracleMatch{members: pick(slices.Sorted(maps.Keys(union))), value: value}
		m.first, m.last = m.members[0].time, m.members[len(m.members)-1].time
		spelled := slices.MinFunc(m.members, func(a, b oracleMember) int {
			return cmp.Or(cmp.Compare(a.time, b.time), slices.Compare(a.spelled, b.spelled))
		})
		m.group = spelled.spelled
		m.met = members[satisfied[i][len(satisfied[i])-1]].time
		if r.rising() {
			for _, x := range m.members {
				if _, ok := r.satisfied(pick(within(max(x.time-r.span, math.MinInt64), x.time))); ok {
					m.met = x.time
					break
				}
			}
		}
		matches = append(matches, m)
		i = j
	}
	return matches
}

func contains(all, some []int) bool {
	return !slices.ContainsFunc(some, func(i int) bool { return !slices.Contains(all, i) })
}

func (r *oracleRule) onlyLess() bool {
	return len(r.tests) > 0 && !slices.ContainsFunc(r.tests, func(t oracleTest) bool { return t.op != "lt" && t.op != "lte" })
}

// rising reports whether a set of hits that satisfies the condition does so with any hits more.
func (r *oracleRule) rising() bool {
	counts := r.kind == "event_count" || r.kind == "value_count" || strings.HasPrefix(r.kind, "temporal")
	return counts && r.expr == nil && !slices.ContainsFunc(r.tests, func(t oracleTest) bool { return t.op != "gt" && t.op != "gte" })
}

func (r *oracleRule) holds(v *big.Rat) bool {
	for _, t := range r.tests {
		c := v.Cmp(t.number)
		if !map[string]bool{"gt": c > 0, "gte": c >= 0, "lt": c < 0, "lte": c <= 0, "eq": c == 0, "neq": c != 0}[t.op] {
			return false
		}
	}
	return true
}

// satisfied returns the value of a window, and whether the window satisfies the condition.
func (r *oracleRule) satisfied(w []oracleMember) (*big.Rat, bool) {
	if len(w) == 0 {
		return nil, false
	}
	count := func(n int) *big.Rat { return big.NewRat(int64(n), 1) }
	seen := func(p *oracleRule) bool {
		return slices.ContainsFunc(w, func(m oracleMember) bool { return m.rule == p })
	}
	distinct := map[string]int{} // value: hits that have it
	var numbers []*big.Rat
	sum := new(big.Rat)
	for _, m := range w {
		switch {
		case r.numeric():
			for _, x := range r.numbers(m.oracleHit) {
				numbers = append(numbers, x)
				sum.Add(sum, x)
			}
		case strings.HasPrefix(r.kind, "value_"):
			own := map[string]bool{}
			for _, t := range r.tuples(m.oracleHit, r.fields) {
				own[foldAll(t)] = true
			}
			for k := range own {
				distinct[k]++
			}
		}
	}
	var v *big.Rat
	switch r.kind {
	case "event_count":
		v = count(len(w))
	case "value_count":
		v = count(len(distinct))
	case "value_sum":
		v = sum
	case "value_avg":
		v = sum.Quo(sum, count(len(numbers)))
	case "value_median":
		v = percentile(numbers, count(50))
	case "value_percentile":
		if r.rank != nil {
			v = percentile(numbers, r.rank)
			break
		}
		for _, n := range distinct {
			share := big.NewRat(int64(100*n), int64(len(w)))
			if r.holds(share) && (v == nil || share.Cmp(v) > 0 != r.onlyLess() && share.Cmp(v) != 0) {
				v = share
			}
		}
		return v, v != nil
	case "temporal_ordered":
		if r.expr == nil {
			v = count(longest(r.of, w, math.MinInt64))
			break
		}
		fallthrough
	case "temporal":
		n := 0
		for _, p := range r.of {
			if seen(p) {
				n++
			}
		}
		v = count(n)
	}
	if r.expr == nil {
		return v, r.holds(v)
	}
	for _, way := range r.expr.ways(seen, false) {
		if r.kind == "temporal" || inOrder(way, w) {
			return v, true
		}
	}
	return v, false
}

// longest returns how many of the rules, in their order, have hits whose times do not decrease, from a time on.
func longest(rules []*oracleRule, w []oracleMember, from int64) int {
	if len(rules) == 0 {
		return 0
	}
	best := longest(rules[1:], w, from)
	for _, m := range w { // by time
		if m.rule == rules[0] && m.time >= from {
			return max(best, 1+longest(rules[1:], w, m.time))
		}
	}
	return best
}

// inOrder reports whether every rule of the list has a hit of its own, each not before that of the one before it.
func inOrder(rules []*oracleRule, w []oracleMember) bool {
	from := int64(math.MinInt64)
	used := map[int]bool{}
	for _, r := range rules {
		i := 0
		for i < len(w) && (w[i].rule != r || w[i].time < from || used[i]) {
			i++
		}
		if i == len(w) {
			return false
		}
		used[i], from = true, w[i].time
	}
	return true
}

// percentile interpolates between the closest ranks.
func percentile(numbers []*big.Rat, p *big.Rat) *big.Rat {
	slices.SortFunc(numbers, (*big.Rat).Cmp)
	rank := new(big.Rat).Mul(p, big.NewRat(int64(len(numbers)-1), 100))
	k := int(new(big.Int).Quo(rank.Num(), rank.Denom()).Int64())
	if k+1 >= len(numbers) {
		return numbers[k]
	}
	part := rank.Sub(rank, big.NewRat(int64(k), 1))
	step := new(big.Rat).Sub(numbers[k+1], numbers[k])
	return new(big.Rat).Add(numbers[k], step.Mul(step, part))
}
