package sigma

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// collection is a file in the way of Sigma before 2.0, where documents with an action make rules of others: global is
// merged into all rules that follow, up to a reset, and repeat is the rule before with something changed.
type collection struct {
	global, previous *yaml.Node
	used             bool // global was merged into something
	nodes            int  // of the file so far, since a small document may stand for a large rule
}

// document reads a document, or the rule it stands for, into the pack.
func (c *collection) document(top *yaml.Node, p *parser, pack *Pack) *flaw {
	top, shared, bad := c.next(top, p)
	if bad == nil && top != nil {
		rules := len(pack.Rules)
		bad = p.document(top, pack)
		for _, r := range pack.Rules[rules:] {
			r.shared = shared
		}
	}
	c.nodes = p.nodes
	return bad
}

// next returns the rule that a document stands for, or nothing if it stands for none by itself, and whether its id may
// be that of other rules.
func (c *collection) next(top *yaml.Node, p *parser) (rule *yaml.Node, shared bool, bad *flaw) {
	action := valueOf(top, "action")
	if action == nil && (c.global == nil || valueOf(top, "correlation") != nil || valueOf(top, "filter") != nil) {
		if top.Kind == yaml.MappingNode && valueOf(top, "detection") != nil {
			c.previous = top
		}
		return top, false, nil
	}
	if top.Kind != yaml.MappingNode {
		return top, false, nil
	}
	p.nodes = c.nodes
	p.claims = true
	if action == nil {
		c.used = true
		merged, bad := merge(top, c.global, p, 0)
		c.previous = merged
		return merged, valueOf(c.global, "id") != nil, bad
	}
	body := withoutKey(top, "action")
	switch strings.ToLower(action.Value) {
	case "global":
		if bad := c.unused(); bad != nil {
			return nil, false, bad
		}
		c.global, c.previous, c.used = body, body, false
		return nil, false, nil
	case "reset":
		bad := c.unused()
		c.global = nil
		return nil, false, bad
	case "repeat":
		if c.previous == nil {
			return nil, false, place(action).flawf("action: repeat has no rule before it in the file to repeat: put it behind one")
		}
		c.used = true
		merged, bad := merge(c.previous, body, p, 0)
		merged.Line, merged.Column = top.Line, top.Column
		c.previous = merged
		return merged, valueOf(body, "id") == nil, bad
	}
	return nil, false, place(action).flawf("action %q is none of global, reset and repeat: take it out", action.Value)
}

// unused returns what is wrong with a global document that no rule has followed.
func (c *collection) unused() *flaw {
	if c.global == nil || c.used {
		return nil
	}
	c.used = true
	return place(c.global).flawf("action: global has no rule behind it in the file: put it before the rules it is for, each behind a line of ---")
}

// valueOf returns the value of a key in a mapping, or nil.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return resolve(n.Content[i+1])
			}
		}
	}
	return nil
}

func withoutKey(n *yaml.Node, key string) *yaml.Node {
	c := *n
	c.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			c.Content = append(c.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &c
}

// merge returns the mapping n with the entries of over, which count where both have one. Mappings in them are merged
// too.
func merge(n, over *yaml.Node, p *parser, depth int) (*yaml.Node, *flaw) {
	c := *n
	c.Content = slices.Clone(n.Content)
	if p.nodes += len(n.Content) + len(over.Content); p.nodes > maxNodes || depth > maxNesting {
		return &c, tooLarge(n)
	}
	at := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		at[n.Content[i].Value] = i
	}
	for i := 0; i+1 < len(over.Content); i += 2 {
		k, v := over.Content[i], over.Content[i+1]
		j, both := at[k.Value]
		if !both {
			c.Content = append(c.Content, k, v)
			continue
		}
		a, b := resolve(c.Content[j+1]), resolve(v)
		if a != nil && b != nil && a.Kind == yaml.MappingNode && b.Kind == yaml.MappingNode {
			m, bad := merge(a, b, p, depth+1)
			if bad != nil {
				return &c, bad
			}
			c.Content[j+1] = m
			continue
		}
		c.Content[j], c.Content[j+1] = k, v
	}
	return &c, nil
}
