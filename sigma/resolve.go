package sigma

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// references finds what correlations and filters refer to.
type references struct {
	named map[string][]target // by identifier and by name
	gone  map[string]*Rejection
}

// target is a rule or a correlation.
type target struct {
	rule        *Rule
	correlation *Correlation
}

func (t target) path() string {
	if t.rule != nil {
		return t.rule.Path
	}
	return t.correlation.Path
}

func (p *Pack) references() *references {
	refs := &references{named: make(map[string][]target), gone: make(map[string]*Rejection)}
	add := func(name string, t target) {
		if name != "" && !slices.Contains(refs.named[name], t) {
			refs.named[name] = append(refs.named[name], t)
		}
	}
	for _, r := range p.Rules {
		add(r.ID, target{rule: r})
		add(r.Name, target{rule: r})
	}
	for _, c := range p.Correlations {
		add(c.ID, target{correlation: c})
		add(c.Name, target{correlation: c})
	}
	for old, rules := range p.renamed() {
		if len(refs.named[old]) == 0 {
			for _, r := range rules {
				add(old, target{rule: r})
			}
		}
	}
	for _, r := range slices.Concat(p.LeftOut, p.Rejected) {
		if r.ID != "" {
			refs.gone[r.ID] = r
		}
	}
	return refs
}

// find returns what a name stands for in the file path, or why it stands for nothing. A name that is given several times
// means the one in the same file.
func (refs *references) find(name, path string) (t target, problem string) {
	found := refs.named[name]
	if len(found) > 1 {
		here := slices.DeleteFunc(slices.Clone(found), func(t target) bool { return t.path() != path })
		if len(here) != 1 {
			return target{}, fmt.Sprintf("%q is the name of rules in %s and %s: refer to one of them by its id", name, found[0].path(), found[1].path())
		}
		found = here
	}
	if len(found) == 1 {
		return found[0], ""
	}
	if r := refs.gone[name]; r != nil {
		return target{}, fmt.Sprintf("the rule %s cannot be used (%s)", name, r.Error())
	}
	return target{}, fmt.Sprintf("no rule with the id or name %q is loaded: %s", name, cmp.Or(didYouMean(name, slices.Sorted(maps.Keys(refs.named))), "load the file that has it too"))
}

// link finds what every correlation refers to, and rejects those that refer to nothing, or in a circle. What remains
// comes with what it refers to before it.
func (p *Pack) link(refs *references, usable func(*Rule) bool) (linked []linkedCorrelation, rejected []*Rejection) {
	const (
		unseen = iota
		open
		done
		failed
	)
	state := make(map[*Correlation]int, len(p.Correlations))
	reject := func(c *Correlation, where at, format string, args ...any) {
		state[c] = failed
		rejected = append(rejected, &Rejection{Path: c.Path, Line: where.line, Column: where.column, Reason: fmt.Sprintf(format, args...), ID: c.ID, Title: c.Title})
	}
	var visit func(c *Correlation, depth int)
	visit = func(c *Correlation, depth int) {
		state[c] = open
		l := linkedCorrelation{Correlation: c}
		for i, name := range c.Rules {
			t, problem := refs.find(name, c.Path)
			where := c.rulesAt[i]
			switch {
			case problem != "":
				reject(c, where, "%s", problem)
				return
			case t.rule != nil:
				if !usable(t.rule) {
					reject(c, where, "the rule %s cannot be used: it waits for the values of a placeholder", name)
					return
				}
			case state[t.correlation] == open:
				reject(c, where, "the correlation refers to itself, by way of %q: take that out, or let it refer to a rule", name)
				return
			case depth == maxChain:
				reject(c, where, "correlations refer to each other more than %d deep: leave some out", maxChain)
				return
			default:
				if state[t.correlation] == unseen {
					visit(t.correlation, depth+1)
				}
				if state[t.correlation] == failed {
					reject(c, where, "the correlation %s cannot be used", name)
					return
				}
				if state[c] == failed { // it was reached again from below
					return
				}
			}
			if slices.Contains(l.children, t) {
				reject(c, where, "%q is a rule that the correlation refers to already, by its other name: take one out", name)
				return
			}
			l.children = append(l.children, t)
		}
		l.aliased = make([]map[string]string, len(l.children))
		for _, a := range c.aliases {
			for _, f := range a.fields {
				child := slices.Index(c.Rules, f.rule)
				if t, problem := refs.find(f.rule, c.Path); child < 0 && problem == "" {
					child = slices.Index(l.children, t)
				}
				if child < 0 {
					reject(c, f.at, "the alias %s is for the rule %q, which is not among the rules of the correlation: %s", a.name, f.rule, oneOf(f.rule, c.Rules))
					return
				}
				if l.aliased[child] == nil {
					l.aliased[child] = make(map[string]string)
				}
				l.aliased[child][a.name] = f.field
			}
		}
		state[c] = done
		linked = append(linked, l)
	}
	for _, c := range p.Correlations {
		if state[c] == unseen {
			visit(c, 1)
		}
	}
	return linked, rejected
}

// maxChain is how deep correlations may refer to correlations.
const maxChain = 16

// linkedCorrelation is a Correlation with what its Rules are.
type linkedCorrelation struct {
	*Correlation
	children []target
	aliased  []map[string]string // by child: the field that an alias means
}
