package sigma

import (
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// Options says how rules are compiled.
type Options struct {
	// Placeholders are the values of %name% in values with the modifier expand.
	Placeholders map[string][]string
}

// Engine is a set of rules, compiled. It does not change and may be used by many goroutines, each with its own
// [Matcher].
//
// A rule becomes a boolean condition over atoms. An atom is one line of a rule: a field and the values of which one
// must match. Rules that ask for the same share it. The literals of all atoms of a field are found in one pass over
// the value, and a rule is looked at only when the atoms that it cannot match without were seen: its trigger.
type Engine struct {
	rules  []*Rule
	codes  []code // of rules
	atoms  []atom
	fields []string // names by number; 0 is for keywords

	triggered [][]int32 // by atom: the rules of which it is in the trigger

	correlated

	mu       sync.Mutex
	groups   map[string]*group
	sets     fieldSets
	bound    uint64 // how many Programs were made
	programs generations[*event.Shape, *Program]
}

// keywordField is the number of the field that keywords ask for.
const keywordField = 0

// atom is the question whether one of some tests of a field is true.
type atom struct {
	field    int32
	tests    []*test
	literals []literal.Literal // those that make it true when they are seen
	complex  []*test           // the tests that literals do not decide
	gates    []literal.Literal // one of them is seen whenever a complex test is true
	ungated  bool              // there is a complex test to which that does not apply
	present  bool              // it is false where the field is absent
	chance   float64           // a guess how often the literals and gates are seen
}

// cond is a condition over atoms.
type cond struct {
	op   condOp
	atom int32
	n    int // of condCount: how many of kids
	kids []cond
}

type condOp uint8

const (
	condAtom condOp = iota
	condAnd
	condOr
	condNot
	condCount
	condTrue
	condFalse
)

// code is a rule, compiled.
type code struct {
	cond     cond
	trigger  []int32 // atoms of which one is seen whenever the rule matches; nil if there are none such
	fields   []int32 // that its atoms ask for
	requires []int32 // fields without which it cannot match
}

// Compile makes an Engine of the rules of a pack. Those that cannot be compiled, for want of values for a placeholder,
// are rejected; the others are Rules() of the engine, in their order.
func Compile(p *Pack, opt Options) (*Engine, []*Rejection) {
	rules := p.Rules
	e := &Engine{fields: []string{""}, groups: map[string]*group{}}
	c := &compiler{engine: e, atoms: make(map[string]int32, 4*len(rules)), fields: map[string]int32{"": keywordField}}
	e.rules, e.codes, e.atoms = make([]*Rule, 0, len(rules)), make([]code, 0, len(rules)), make([]atom, 0, 3*len(rules))
	placeholders := opt.Placeholders
	if placeholders == nil {
		placeholders = map[string][]string{}
	}
	var rejected []*Rejection
	refs := p.references()
	filters, unknown := p.filters(refs, placeholders)
	rejected = append(rejected, unknown...)
	for _, r := range rules {
		x := r.expr
		if x == nil {
			var bad *flaw
			if x, bad = r.detection.lower(placeholders); bad != nil {
				rejected = append(rejected, &Rejection{Path: r.Path, Line: bad.line, Column: bad.column, Reason: bad.reason, ID: r.ID, Title: r.Title})
				continue
			}
		}
		for _, f := range filters {
			if f.appliesTo(r) {
				x = &expr{op: exprAnd, kids: []*expr{x, f.expr}}
			}
		}
		e.rules = append(e.rules, r)
		e.codes = append(e.codes, code{cond: c.cond(x)})
	}
	common := newGrams(commonText)
	inParallel(len(e.atoms), func(i int) { e.atoms[i].finish(common) })
	inParallel(len(e.codes), func(i int) { e.codes[i].finish(e.atoms) })
	e.triggered = make([][]int32, len(e.atoms))
	for i, code := range e.codes {
		for _, a := range code.trigger {
			e.triggered[a] = append(e.triggered[a], int32(i))
		}
	}
	return e, append(rejected, e.correlate(p, refs)...)
}

// Rules returns the rules that Match speaks of, by index. It is not to be changed.
func (e *Engine) Rules() []*Rule { return e.rules }

type compiler struct {
	engine *Engine
	atoms  map[string]int32
	fields map[string]int32
	key    []byte
}

// inParallel calls f for each number below n on all processors. What f does with one number must not depend on others.
func inParallel(n int, f func(int)) {
	const share = 64 // of numbers that one goroutine takes at a time
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+share-1)/share) {
		wg.Go(func() {
			for {
				end := int(next.Add(share))
				if end-share >= n {
					return
				}
				for i := end - share; i < min(end, n); i++ {
					f(i)
				}
			}
		})
	}
	wg.Wait()
}

// finish computes what follows from the condition.
func (k *code) finish(atoms []atom) {
	k.cond.order(atoms)
	k.trigger, _ = k.cond.trigger(atoms)
	slices.Sort(k.trigger)
	k.trigger = slices.Compact(k.trigger)
	k.fields = k.cond.appendFields(nil, atoms)
	slices.Sort(k.fields)
	k.fields = slices.Compact(k.fields)
	k.requires = k.cond.requires(atoms)
}

func (c *compiler) cond(x *expr) cond {
	switch x.op {
	case exprAny:
		return cond{op: condAtom, atom: c.atom(x.tests)}
	case exprNot:
		return cond{op: condNot, kids: []cond{c.cond(x.kids[0])}}
	}
	op := [...]condOp{exprAnd: condAnd, exprOr: condOr, exprCount: condCount}[x.op]
	d := cond{op: op, n: x.n, kids: make([]cond, 0, len(x.kids))}
	for _, kid := range x.kids {
		k := c.cond(kid)
		if k.op == op && op != condCount {
			d.kids = append(d.kids, k.kids...)
		} else {
			d.kids = append(d.kids, k)
		}
	}
	return d
}

// atom returns the number of the atom of tests, which are of one field.
func (c *compiler) atom(tests []*test) int32 {
	c.key = append(c.key[:0], tests[0].field...)
	for _, t := range tests {
		c.key = t.appendKey(append(c.key, 0))
	}
	if id, ok := c.atoms[string(c.key)]; ok {
		return id
	}
	field, ok := c.fields[tests[0].field]
	if !ok {
		field = int32(len(c.engine.fields))
		c.fields[tests[0].field] = field
		c.engine.fields = append(c.engine.fields, tests[0].field)
	}
	id := int32(len(c.engine.atoms))
	c.atoms[string(c.key)] = id
	c.engine.atoms = append(c.engine.atoms, atom{field: field, tests: tests})
	return id
}

// appendKey appends what tells the test from others of its field.
func (t *test) appendKey(key []byte) []byte {
	key = append(key, byte(t.op))
	if t.cased {
		key = append(key, 'C')
	}
	key = strconv.AppendInt(key, int64(len(t.literal)), 10)
	key = append(append(key, ':'), t.literal...)
	for _, p := range t.like {
		key = strconv.AppendInt(append(key, 'L', byte(p.kind)), int64(len(p.text)), 10)
		key = append(append(key, ':'), p.text...)
	}
	switch t.op {
	case opRegex:
		key = append(append(key, 'R'), t.regex.source...)
	case opNumber:
		key = append(append(key, 'N', byte(t.part)), t.compare...)
		key = strconv.AppendUint(key, math.Float64bits(t.number.float), 16)
		key = strconv.AppendUint(append(key, ' '), t.number.magnitude, 16)
	case opNetwork:
		key = t.network.AppendTo(append(key, 'I'))
	case opField:
		key = append(append(key, 'F', byte(t.how)), t.other...)
	}
	return key
}

var places = [...]literal.Place{opEqual: literal.Whole, opPrefix: literal.Start, opSuffix: literal.End, opContains: literal.Anywhere}

// finish computes what follows from the tests of the atom.
func (a *atom) finish(common *grams) {
	a.present = true
	for _, t := range a.tests {
		if t.op == opNull || t.op == opMissing {
			a.present = false
		}
		// A keyword that is anchored, or may not be seen in the text of a value as it stands, is no matter for literals.
		if t.op <= opContains && !t.cased && (a.field != keywordField || t.op == opContains) {
			if a.literals == nil {
				a.literals = make([]literal.Literal, 0, len(a.tests))
			}
			a.literals = append(a.literals, literal.Literal{Text: t.literal, Place: places[t.op]})
			continue
		}
		a.complex = append(a.complex, t)
		if gates := t.gates(common); len(gates) > 0 {
			a.gates = append(a.gates, gates...)
		} else {
			a.ungated = true
		}
	}
	for _, l := range a.literals {
		a.chance += common.chance(l)
	}
	for _, l := range a.gates {
		a.chance += common.chance(l)
	}
}

// minGate is the length in bytes below which a literal is too common to be worth waiting for.
const minGate = 3

// gates returns literals of which one is seen in every value that the test is true of; none if there are no good ones.
func (t *test) gates(common *grams) []literal.Literal {
	switch t.op {
	case opEqual, opPrefix, opSuffix, opContains:
		place := places[t.op]
		if t.field == "" {
			place = literal.Anywhere
		}
		return []literal.Literal{{Text: literal.FoldString(t.literal), Place: place}}
	case opLike:
		best := literal.Literal{}
		for i, p := range t.like {
			if p.kind != text {
				continue
			}
			l := literal.Literal{Text: literal.FoldString(p.text)}
			if t.field != "" && i == 0 {
				l.Place = literal.Start
			} else if t.field != "" && i == len(t.like)-1 {
				l.Place = literal.End
			}
			if best.Text == "" || common.chance(l) < common.chance(best) {
				best = l
			}
		}
		if len(best.Text) >= minGate {
			return []literal.Literal{best}
		}
	case opRegex:
		re := t.regex.parse()
		if re == nil {
			return nil
		}
		var gates []literal.Literal
		// Even a literal of one byte is found sooner than a regular expression is tried.
		for _, s := range literal.Required(re, 1) {
			gates = append(gates, literal.Literal{Text: s})
		}
		return gates
	}
	return nil
}

// trigger returns atoms of which one is seen whenever the condition is true, and a guess how often that is;
// nil if there are none such.
func (c *cond) trigger(atoms []atom) ([]int32, float64) {
	switch c.op {
	case condAtom:
		if a := &atoms[c.atom]; !a.ungated {
			return []int32{c.atom}, a.chance
		}
	case condAnd:
		var best []int32
		least := math.Inf(1)
		for i := range c.kids {
			if t, chance := c.kids[i].trigger(atoms); t != nil && chance < least {
				best, least = t, chance
			}
		}
		return best, least
	case condOr, condCount:
		var all []int32
		sum := 0.0
		for i := range c.kids {
			t, chance := c.kids[i].trigger(atoms)
			if t == nil {
				return nil, 0
			}
			all, sum = append(all, t...), sum+chance
		}
		return all, sum
	}
	return nil, 0
}

// order puts what is cheap and likely to decide first.
func (c *cond) order(atoms []atom) (cost float64) {
	switch c.op {
	case condAtom:
		if a := &atoms[c.atom]; len(a.complex) > 0 {
			return 100 + float64(len(a.complex))
		}
		return atoms[c.atom].chance
	case condTrue, condFalse:
		return 0
	}
	costs := make([]float64, len(c.kids))
	index := make([]int, len(c.kids))
	for i := range c.kids {
		costs[i], index[i] = c.kids[i].order(atoms), i
		if c.kids[i].op != condAtom {
			costs[i] += float64(len(c.kids[i].kids))
		}
		cost += costs[i]
	}
	slices.SortStableFunc(index, func(a, b int) int {
		switch {
		case costs[a] < costs[b]:
			return -1
		case costs[a] > costs[b]:
			return 1
		}
		return 0
	})
	kids := make([]cond, len(c.kids))
	for i, j := range index {
		kids[i] = c.kids[j]
	}
	c.kids = kids
	return cost
}

func (c *cond) appendFields(dst []int32, atoms []atom) []int32 {
	if c.op == condAtom {
		return append(dst, atoms[c.atom].field)
	}
	for i := range c.kids {
		dst = c.kids[i].appendFields(dst, atoms)
	}
	return dst
}

// requires returns the fields, in order, that are there whenever the condition is true.
func (c *cond) requires(atoms []atom) []int32 {
	switch c.op {
	case condAtom:
		if a := &atoms[c.atom]; a.present && a.field != keywordField {
			return []int32{a.field}
		}
	case condAnd:
		var all []int32
		for i := range c.kids {
			all = append(all, c.kids[i].requires(atoms)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	case condOr:
		var common []int32
		for i := range c.kids {
			r := c.kids[i].requires(atoms)
			if i == 0 {
				common = r
				continue
			}
			common = slices.DeleteFunc(slices.Clone(common), func(f int32) bool { return !slices.Contains(r, f) })
		}
		return common
	}
	return nil
}

// generations is a map that forgets what was not asked for lately.
type generations[K comparable, V any] struct {
	young, old map[K]V
}

func (g *generations[K, V]) get(k K, limit int) (V, bool) {
	v, ok := g.young[k]
	if !ok {
		if v, ok = g.old[k]; ok {
			g.put(k, v, limit)
		}
	}
	return v, ok
}

// put keeps v; at most 2*limit values are kept.
func (g *generations[K, V]) put(k K, v V, limit int) {
	if g.young == nil {
		g.young = map[K]V{}
	}
	if len(g.young) >= limit {
		g.old, g.young = g.young, map[K]V{}
	}
	g.young[k] = v
}
