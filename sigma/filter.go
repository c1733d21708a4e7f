package sigma

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Filter narrows other rules: a rule it applies to matches where its own condition and that of the filter are true
// (Sigma filters specification 2.1). It does not change.
type Filter struct {
	ID          string
	Title       string
	Description string
	LogSource   LogSource
	// Rules are identifiers or names of the rules it applies to; nil if it applies to any of its log source.
	Rules []string

	// Path is where it was read, Line where its document begins there, from 1.
	Path string
	Line int

	detection *detection
	expr      *expr // nil where that waits for the values of placeholders
	rulesAt   []at
}

// filter reads the filter of a document; keys are those of the document.
func (p *parser) filter(keys map[string]*yaml.Node, top *yaml.Node, r *Rule) (*Filter, *flaw) {
	n := keys["filter"]
	f := &Filter{ID: r.ID, Title: r.Title, Description: r.Description, Path: p.path, Line: top.Line}
	switch {
	case keys["detection"] != nil:
		return nil, place(n).flawf("a document has both a detection and a filter: put them into two documents, with --- between them")
	case n.Kind != yaml.MappingNode:
		return nil, place(n).flawf("filter is no mapping: write it as lines of name: value")
	case f.Title == "":
		return nil, place(top).flawf("no title: add one, as title: What the filter is for")
	case keys["logsource"] == nil:
		return nil, place(top).flawf("no logsource: add the kind of log whose rules are filtered, as logsource: {product: windows}")
	}
	if bad := p.logSource(keys["logsource"], &f.LogSource); bad != nil {
		return nil, bad
	}
	// All of a filter but its rules is a detection.
	body := *n
	body.Content = nil
	named := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := resolve(n.Content[i]); k == nil || k.Value != "rules" {
			body.Content = append(body.Content, n.Content[i], n.Content[i+1])
			continue
		}
		named = true
		v := resolve(n.Content[i+1])
		if v == nil || isNull(v) {
			return nil, place(n).flawf("the filter names no rules: list the ids or names of those it is for, or write rules: any")
		}
		if v.Kind == yaml.ScalarNode && strings.EqualFold(v.Value, "any") {
			continue
		}
		names, bad := p.strings(v, "rules")
		if bad != nil {
			return nil, bad
		}
		if len(names) == 0 {
			return nil, place(v).flawf("the filter names no rules: list the ids or names of those it is for, or write rules: any")
		}
		for i, name := range names {
			where := place(v)
			if v.Kind == yaml.SequenceNode {
				where = place(resolve(v.Content[i]))
			}
			f.Rules, f.rulesAt = append(f.Rules, name), append(f.rulesAt, where)
		}
	}
	if !named {
		return nil, place(n).flawf("the filter names no rules: list the ids or names of those it is for, or write rules: any")
	}
	var bad *flaw
	if f.detection, bad = p.detection(&body); bad != nil {
		return nil, bad
	}
	if len(f.detection.conditions) > 1 {
		return nil, place(n).flawf("the condition of a filter is a list: write one text, with and between the parts that must all hold")
	}
	if f.expr, bad = f.detection.lower(nil); bad != nil {
		return nil, bad
	}
	return f, nil
}

// filters returns the filters of the pack that can be used, and what cannot be used of them.
func (p *Pack) filters(refs *references, placeholders map[string][]string) (usable []usableFilter, rejected []*Rejection) {
	for _, f := range p.Filters {
		reject := func(where at, reason string) {
			rejected = append(rejected, &Rejection{Path: f.Path, Line: where.line, Column: where.column, Reason: reason, ID: f.ID, Title: f.Title})
		}
		u := usableFilter{Filter: f, expr: f.expr}
		if u.expr == nil {
			var bad *flaw
			if u.expr, bad = f.detection.lower(placeholders); bad != nil {
				reject(at{bad.line, bad.column}, bad.reason)
				continue
			}
		}
		for i, name := range f.Rules {
			t, problem := refs.find(name, f.Path)
			switch {
			case problem != "":
				reject(f.rulesAt[i], "the filter is not used for it: "+problem)
			case t.correlation != nil:
				reject(f.rulesAt[i], fmt.Sprintf("the filter is not used for %q, which is a correlation: filter the rules it refers to", name))
			case !t.rule.LogSource.Covers(f.LogSource):
				reject(f.rulesAt[i], fmt.Sprintf("the filter is not used for %q, whose logsource is another: give the filter that one, or write a filter for each", name))
			default:
				u.rules = append(u.rules, t.rule)
			}
		}
		usable = append(usable, u)
	}
	return usable, rejected
}

// usableFilter is a Filter with the rules it names.
type usableFilter struct {
	*Filter
	expr  *expr
	rules []*Rule
}

func (f *usableFilter) appliesTo(r *Rule) bool {
	if f.Rules == nil {
		return r.LogSource.Covers(f.LogSource)
	}
	return slices.Contains(f.rules, r)
}
