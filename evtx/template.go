package evtx

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// Bounds of what a Templates keeps. What comes after is compiled for one use.
const (
	maxTemplateBytes = 16 << 20 // of normal forms
	maxLayouts       = 1 << 16
	maxLayoutBytes   = 32 << 20
)

// Templates holds compiled templates and the layouts made of them, by content, for all decoders of a run.
// It is safe for concurrent use, and bounded.
type Templates struct {
	mu      sync.RWMutex
	byKey   map[string]*template
	bytes   int
	layouts int
	size    int // of the layouts, about
	root    layoutNode
}

// NewTemplates returns an empty Templates.
func NewTemplates() *Templates { return &Templates{byKey: make(map[string]*template)} }

// Len returns how many templates and how many layouts are kept.
func (t *Templates) Len() (templates, layouts int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byKey), t.layouts
}

// template is a compiled normal form: elements, attributes and their contents, each node before what is in it.
type template struct {
	nodes []node
	slots int // number of values that it takes
}

type nodeKind uint8

const (
	elementNode nodeKind = iota
	attrNode
	textNode
	slotNode
)

type node struct {
	kind    nodeKind
	text    string // name, or text
	slot    int
	content int // of an element: index of the first node after the attributes
	end     int // index of the first node that is not in this one
}

// template returns the compiled form of key, which is copied if it is kept.
func (t *Templates) template(key []byte) *template {
	t.mu.RLock()
	c := t.byKey[string(key)]
	t.mu.RUnlock()
	if c != nil {
		return c
	}
	c = compile(key)
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.byKey[string(key)]; other != nil {
		return other
	}
	if t.bytes+len(key) <= maxTemplateBytes {
		t.byKey[string(key)] = c
		t.bytes += len(key)
	}
	return c
}

// compile reads a normal form, which is well formed.
func compile(key []byte) *template {
	c := new(template)
	var open []int // indexes of the nodes that we are in
	closeAttr := func() {
		if n := len(open); n > 0 && c.nodes[open[n-1]].kind == attrNode {
			c.nodes[open[n-1]].end = len(c.nodes)
			open = open[:n-1]
		}
	}
	values := 0
	for len(key) > 0 {
		token := key[0]
		key = key[1:]
		var text []byte
		switch token {
		case normalElement, normalAttr, normalText:
			n := int(binary.LittleEndian.Uint16(key))
			text, key = key[2:2+n], key[2+n:]
		}
		switch token {
		case normalElement:
			open = append(open, len(c.nodes))
			c.nodes = append(c.nodes, node{kind: elementNode, text: string(appendUTF16(nil, text))})
		case normalAttr:
			closeAttr()
			open = append(open, len(c.nodes))
			c.nodes = append(c.nodes, node{kind: attrNode, text: string(appendUTF16(nil, text))})
		case normalContent:
			closeAttr()
			c.nodes[open[len(open)-1]].content = len(c.nodes)
		case normalEnd:
			c.nodes[open[len(open)-1]].end = len(c.nodes)
			open = open[:len(open)-1]
		case normalText:
			c.nodes = append(c.nodes, node{kind: textNode, text: string(appendUTF16(nil, text)), end: len(c.nodes) + 1})
		case normalSubst, normalOptional:
			slot := int(binary.LittleEndian.Uint16(key))
			key = key[2:]
			c.nodes = append(c.nodes, node{kind: slotNode, slot: slot, end: len(c.nodes) + 1})
			c.slots = max(c.slots, slot+1)
		case normalValue:
			c.nodes = append(c.nodes, node{kind: slotNode, slot: values, end: len(c.nodes) + 1})
			values++
			c.slots = values
		}
	}
	return c
}

// layoutNode is what is known of a record after some of its templates: a record is the path of its templates, each
// before those in its values.
type layoutNode struct {
	parent *layoutNode
	step   step
	next   map[step]*layoutNode // guarded by Templates.mu
	layout atomic.Pointer[Layout]
	kept   bool
}

// step is a template and where it stands: in which value, how deep.
type step struct {
	depth, slot uint16
	template    *template
}

// next returns the node after n and s.
func (t *Templates) next(n *layoutNode, s step) *layoutNode {
	t.mu.RLock()
	m := n.next[s]
	t.mu.RUnlock()
	if m != nil {
		return m
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := n.next[s]; m != nil {
		return m
	}
	m = &layoutNode{parent: n, step: s}
	if t.layouts < maxLayouts && (n == &t.root || n.kept) {
		if n.next == nil {
			n.next = make(map[step]*layoutNode)
		}
		n.next[s] = m
		m.kept = true
		t.layouts++
	}
	return m
}

// layout returns the Layout of records whose path ends at n.
func (t *Templates) layout(n *layoutNode) *Layout {
	if l := n.layout.Load(); l != nil {
		return l
	}
	l := buildLayout(n, &jsonBuilder{off: true})
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := n.layout.Load(); other != nil {
		return other
	}
	if n.kept && t.size+l.size <= maxLayoutBytes {
		if l.why == "" {
			t.size += l.size
		}
		l.Shared = true
		n.layout.Store(l)
	}
	return l
}
