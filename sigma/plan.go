package sigma

import (
	"cmp"
	"fmt"
	"slices"
)

// correlated is what an Engine knows of correlations. The zero value has none.
type correlated struct {
	nodes  []node   // children before parents
	plans  [][]plan // by rule: the correlations that refer to it
	silent []bool   // by rule: it is only reported as part of a correlation
}

// node is a Correlation that is judged.
type node struct {
	linkedCorrelation
	parents []parent
	silent  bool
	orders  []order // of an extended temporal_ordered condition
}

// parent says which child of which node a node is.
type parent struct{ node, child int }

// plan is what is noted of an event for a correlation, and for those that refer to it in turn.
type plan struct {
	parent
	group  []string // fields, by group-by
	fields []string // of condition.field
	ups    []plan   // by node.parents
}

// maxPlans bounds the ways by which one rule comes into correlations.
const maxPlans = 1000

// correlate makes the nodes and plans of a pack. It returns the correlations that cannot be used.
func (e *Engine) correlate(p *Pack, refs *references) []*Rejection {
	if len(p.Correlations) == 0 {
		return nil
	}
	index := make(map[*Rule]int, len(e.rules))
	for i, r := range e.rules {
		index[r] = i
	}
	linked, rejected := p.link(refs, func(r *Rule) bool { _, ok := index[r]; return ok })
	at := make(map[*Correlation]int, len(linked))
	for i, l := range linked {
		at[l.Correlation] = i
		e.nodes = append(e.nodes, node{linkedCorrelation: l})
	}
	e.plans, e.silent = make([][]plan, len(e.rules)), make([]bool, len(e.rules))
	reported := make(map[target]bool)
	for i, l := range linked {
		for _, t := range l.children {
			if t.path() == l.Path { // what is in another file is somebody else's, and stays as it is
				reported[t] = reported[t] || l.Generate
			}
			if t.correlation != nil {
				n := &e.nodes[at[t.correlation]]
				n.parents = append(n.parents, parent{i, slices.Index(l.children, t)})
			}
		}
		if l.expr != nil && l.Type == TemporalOrdered {
			e.nodes[i].orders, _ = l.expr.orders(l.Rules, false)
		}
	}
	for i, l := range linked {
		for child, t := range l.children {
			if t.rule == nil {
				continue
			}
			r := index[t.rule]
			left := maxPlans
			plan, ok := e.plan(parent{i, child}, nil, &left)
			if !ok {
				rejected = append(rejected, &Rejection{Path: l.Path, Line: l.at.line, Column: l.at.column, ID: l.ID, Title: l.Title,
					Reason: fmt.Sprintf("correlations of correlations lead from %q to others in more than %d ways: refer to fewer of them", l.Rules[child], maxPlans)})
				reported[t] = true // what is not counted must not be silent too
				continue
			}
			e.plans[r] = append(e.plans[r], plan)
		}
	}
	for t, loud := range reported {
		switch {
		case loud:
		case t.rule != nil:
			e.silent[index[t.rule]] = true
		default:
			e.nodes[at[t.correlation]].silent = true
		}
	}
	return rejected
}

// plan makes the plan for a child of a node. below are the aliases of the nodes under it on the way to the rule, the
// nearest last; left is how many plans may yet be made.
func (e *Engine) plan(p parent, below []map[string]string, left *int) (plan, bool) {
	n := &e.nodes[p.node]
	aliases := append(slices.Clip(below), n.aliased[p.child])
	out := plan{parent: p, group: make([]string, 0, len(n.GroupBy))}
	for _, f := range n.GroupBy {
		out.group = append(out.group, field(f, aliases))
	}
	for _, f := range n.fields {
		out.fields = append(out.fields, field(f, aliases))
	}
	for _, up := range n.parents {
		if *left--; *left < 0 {
			return out, false
		}
		u, ok := e.plan(up, aliases, left)
		if !ok {
			return out, false
		}
		out.ups = append(out.ups, u)
	}
	return out, true
}

// field returns the field that a name means. A name is looked up where it is used, and what it stands for there one
// correlation further down.
func field(name string, aliases []map[string]string) string {
	for _, a := range slices.Backward(aliases) {
		name = cmp.Or(a[name], name)
	}
	return name
}

// order is one way for an extended temporal_ordered condition to be true: hits of some rules one after another, and
// none of others.
type order struct{ then, without []int }

// maxOrders bounds the ways.
const maxOrders = 256

// orders returns the ways for a condition over rules to be true, or to be false, and false if they are too many.
func (c *condition) orders(rules []string, negated bool) ([]order, bool) {
	switch c.op {
	case nameOp:
		i := []int{slices.Index(rules, c.name)}
		if negated {
			return []order{{without: i}}, true
		}
		return []order{{then: i}}, true
	case notOp:
		return c.kids[0].orders(rules, !negated)
	}
	var out []order
	for i, k := range c.kids {
		kid, ok := k.orders(rules, negated)
		if !ok {
			return nil, false
		}
		switch {
		case i == 0:
			out = kid
		case (c.op == orOp) != negated:
			out = append(out, kid...)
		default:
			var both []order
			if len(out)*len(kid) > maxOrders {
				return nil, false
			}
			for _, a := range out {
				for _, b := range kid {
					both = append(both, order{slices.Concat(a.then, b.then), slices.Concat(a.without, b.without)})
				}
			}
			out = both
		}
		if len(out) > maxOrders {
			return nil, false
		}
	}
	return out, true
}
