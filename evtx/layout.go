package evtx

import (
	"encoding/binary"
	"strconv"
	"sync"
	"unicode/utf16"
)

// SystemField is a field of the System element, which every event has (MS-EVEN6, section 2.2.13, and the event schema).
type SystemField uint8

// The fields of the System element.
const (
	ProviderName SystemField = iota
	ProviderGUID
	EventID
	Qualifiers
	Version
	Level
	Task
	Opcode
	Keywords
	TimeCreated
	EventRecordID
	ActivityID
	RelatedActivityID
	ProcessID
	ThreadID
	Channel
	Computer
	UserID
	NumSystemFields
)

var systemPaths = map[string]SystemField{
	"Event/System/Provider@Name":                 ProviderName,
	"Event/System/Provider@Guid":                 ProviderGUID,
	"Event/System/EventID":                       EventID,
	"Event/System/EventID@Qualifiers":            Qualifiers,
	"Event/System/Version":                       Version,
	"Event/System/Level":                         Level,
	"Event/System/Task":                          Task,
	"Event/System/Opcode":                        Opcode,
	"Event/System/Keywords":                      Keywords,
	"Event/System/TimeCreated@SystemTime":        TimeCreated,
	"Event/System/EventRecordID":                 EventRecordID,
	"Event/System/Correlation@ActivityID":        ActivityID,
	"Event/System/Correlation@RelatedActivityID": RelatedActivityID,
	"Event/System/Execution@ProcessID":           ProcessID,
	"Event/System/Execution@ThreadID":            ThreadID,
	"Event/System/Channel":                       Channel,
	"Event/System/Computer":                      Computer,
	"Event/System/Security@UserID":               UserID,
}

// Field is a place in a record that has a name.
type Field struct {
	// Path is where it stands: Event/System/Provider@Name, Event/EventData/Data[CommandLine],
	// Event/UserData/LogFileCleared/Channel. The second of equal elements ends in _1, the third in _2.
	Path string
	// Name is short: CommandLine, Channel, and Provider_Name for an attribute. Several fields can have the same.
	Name string
	// Slot is the index of its value in Record.Values; -1 if every record of the layout has Text.
	Slot int
	Text string
}

// Layout is all that a template fixes about its records, with the templates in its values. It does not change.
// Records of equal templates have the same *Layout, in whatever chunk or file they are and whichever decoder of the
// same Templates reads them, as long as it is Shared.
type Layout struct {
	// Fields in the order of the document.
	Fields []Field
	// Slots is the length of Record.Values. Values from Composed on are text that was put together of several
	// values and lies in memory of the decoder, valid until it begins another chunk.
	Slots, Composed int
	// Shared says that the Layout is kept. One that is not belongs to one record, made after the bound of Templates
	// was reached: do not key a cache by it.
	Shared bool

	system   [NumSystemFields]systemSlot
	composed [][]part
	why      string // not empty if there can be no record of it
	size     int    // about, in bytes

	node     *layoutNode
	jsonOnce sync.Once
	json     []op // made when first asked for
}

type systemSlot struct {
	slot     int // -1: constant
	constant Value
}

// SystemSlot returns the index in Record.Values of a System field, or -1 and its constant value, whose type is NullType if
// the layout lacks the field.
func (l *Layout) SystemSlot(f SystemField) (slot int, constant Value) {
	return l.system[f].slot, l.system[f].constant
}

// part is a piece of a text: constant, or the value of a slot.
type part struct {
	slot  int // -1: text
	text  string
	utf16 []byte // text, in a composed part
}

const (
	maxFields     = 4096
	maxPath       = 2048
	maxLayoutSize = 1 << 20
	whyLayout     = "more fields, or longer names, than a record can have"
)

// instance is a template with the numbers of its slots in the record, and what stands in its values.
type instance struct {
	template *template
	base     int
	inner    []innerInstance
}

type innerInstance struct {
	slot     int
	instance *instance
}

func (in *instance) at(slot int) *instance {
	for _, i := range in.inner {
		if i.slot == slot {
			return i.instance
		}
	}
	return nil
}

func (in *instance) setAt(slot int, inner *instance) {
	in.inner = append(in.inner, innerInstance{slot, inner})
}

// layoutBuilder makes a Layout and its JSON program.
type layoutBuilder struct {
	*Layout
	json *jsonBuilder
}

// buildLayout makes the Layout of the records whose path ends at n, and its JSON program in j unless that is off.
func buildLayout(n *layoutNode, j *jsonBuilder) *Layout {
	var path []step
	node := n
	for ; n.parent != nil; n = n.parent {
		path = append(path, n.step)
	}
	b := &layoutBuilder{Layout: &Layout{node: node}, json: j}
	for i := range b.system {
		b.system[i].slot = -1
	}
	var open []*instance
	for i := len(path) - 1; i >= 0; i-- {
		s := path[i]
		in := &instance{template: s.template, base: b.Slots}
		b.Slots += s.template.slots
		if s.depth > 0 {
			open[s.depth-1].setAt(int(s.slot), in)
		}
		open = append(open[:s.depth], in)
	}
	b.Composed = b.Slots
	b.json.raw("{")
	if len(open) > 0 {
		var c content
		b.content(&c, open[0], 0, len(open[0].template.nodes))
		b.children(&c, "", false)
	}
	b.json.raw("}")
	b.json.flush()
	if b.why != "" {
		return &Layout{why: b.why, size: b.size}
	}
	for i := range b.Fields {
		f := &b.Fields[i]
		if s, ok := systemPaths[f.Path]; ok {
			b.system[s].slot = f.Slot
			if f.Slot < 0 {
				b.system[s].constant = Value{Data: encodeUTF16(f.Text), Type: StringType}
			}
		}
	}
	return b.Layout
}

func encodeUTF16(s string) []byte {
	var p []byte
	for _, u := range utf16.Encode([]rune(s)) {
		p = binary.LittleEndian.AppendUint16(p, u)
	}
	return p
}

// content is what an element holds, with the templates in its values in their place.
type content struct {
	parts    []part
	children []child
}

type child struct {
	in   *instance
	node int
}

func (b *layoutBuilder) content(c *content, in *instance, from, to int) {
	nodes := in.template.nodes
	for i := from; i < to; i = nodes[i].end {
		if len(c.parts)+len(c.children) > maxFields {
			b.why = whyLayout
		}
		if b.why != "" {
			return
		}
		switch n := &nodes[i]; n.kind {
		case elementNode:
			c.children = append(c.children, child{in, i})
		case textNode:
			c.parts = append(c.parts, part{slot: -1, text: n.text})
		case slotNode:
			if inner := in.at(n.slot); inner != nil {
				b.content(c, inner, 0, len(inner.template.nodes))
			} else {
				c.parts = append(c.parts, part{slot: in.base + n.slot})
			}
		}
	}
}

// attr is an attribute of an element: constant text, or a slot.
type attr struct {
	name string
	part
}

func (b *layoutBuilder) attrs(c child) []attr {
	var attrs []attr
	nodes := c.in.template.nodes
	for i := c.node + 1; i < nodes[c.node].content; i = nodes[i].end {
		var parts []part
		for j := i + 1; j < nodes[i].end; j++ {
			if nodes[j].kind == slotNode {
				parts = append(parts, part{slot: c.in.base + nodes[j].slot})
			} else {
				parts = append(parts, part{slot: -1, text: nodes[j].text})
			}
		}
		attrs = append(attrs, attr{nodes[i].text, b.join(parts)})
	}
	return attrs
}

// join makes one part of several: constant, or a slot, which is a composed one if need be.
func (b *layoutBuilder) join(parts []part) part {
	merged := parts[:0:0]
	for _, p := range parts {
		if n := len(merged); p.slot < 0 && n > 0 && merged[n-1].slot < 0 {
			merged[n-1].text += p.text
		} else if p.slot >= 0 || p.text != "" {
			merged = append(merged, p)
		}
	}
	switch len(merged) {
	case 0:
		return part{slot: -1}
	case 1:
		return merged[0]
	}
	for i := range merged {
		merged[i].utf16 = encodeUTF16(merged[i].text)
		b.size += len(merged[i].utf16)
	}
	b.composed = append(b.composed, merged)
	b.size += 48 * len(merged)
	b.Slots++
	return part{slot: b.Slots - 1}
}

func (b *layoutBuilder) field(path, name string, p part) {
	b.size += len(path) + len(p.text) + 96
	if b.tooLarge(path) {
		return
	}
	b.Fields = append(b.Fields, Field{Path: path, Name: name, Slot: p.slot, Text: p.text})
}

// tooLarge reports whether there is more than a record can have, or else what stands at path.
func (b *layoutBuilder) tooLarge(path string) bool {
	if len(b.Fields) >= maxFields || len(path) > maxPath || b.size > maxLayoutSize {
		b.why = whyLayout
	}
	return b.why != ""
}

// hasAttrs reports whether the element has attributes.
func (c child) hasAttrs() bool { return c.in.template.nodes[c.node].content > c.node+1 }

// name returns the constant text of the attribute Name, if there is one.
func (c child) name() string {
	nodes := c.in.template.nodes
	for i := c.node + 1; i < nodes[c.node].content; i = nodes[i].end {
		if nodes[i].text == "Name" && nodes[i].end == i+2 && nodes[i+1].kind == textNode {
			return nodes[i+1].text
		}
	}
	return ""
}

// children adds the elements of c, whose parent is at path; data says that the parent is EventData or UserData.
func (b *layoutBuilder) children(c *content, path string, data bool) {
	names := make(map[string]int, len(c.children))
	for i, ch := range c.children {
		if b.tooLarge(path) {
			return
		}
		name := ch.in.template.nodes[ch.node].text
		b.size += len(name) + 64
		if data && name == "Data" {
			if short := ch.name(); short != "" {
				key := unique(names, short)
				b.json.key(key)
				b.data(ch, path+"/Data["+short+"]"+key[len(short):], short)
				continue
			}
			if !ch.hasAttrs() {
				if names[""] == 0 {
					b.positionalData(c.children[i:], path)
				}
				names[""]++
				continue
			}
		}
		key := unique(names, name)
		below := path + "/" + key
		if path == "" {
			below = key
		}
		b.json.key(key)
		b.element(ch, below, name)
	}
}

// unique returns name, with _1, _2, … after it if it was seen before.
func unique(names map[string]int, name string) string {
	n := names[name]
	names[name]++
	if n == 0 {
		return name
	}
	return name + "_" + strconv.Itoa(n)
}

func (b *layoutBuilder) contentOf(ch child) *content {
	c := new(content)
	nodes := ch.in.template.nodes
	b.content(c, ch.in, nodes[ch.node].content, nodes[ch.node].end)
	return c
}

// element adds the element ch, whose key in JSON has been written.
func (b *layoutBuilder) element(ch child, path, name string) {
	attrs := b.attrs(ch)
	c := b.contentOf(ch)
	for _, a := range attrs {
		b.field(path+"@"+a.name, name+"_"+a.name, a.part)
	}
	var text part
	if len(c.parts) > 0 {
		text = b.join(c.parts)
		b.field(path, name, text)
	} else {
		text = part{slot: -1}
	}
	if b.why != "" {
		return
	}
	j := b.json
	if len(c.children) == 0 {
		if len(attrs) == 0 {
			j.scalar(text, "null")
			return
		}
		j.withAttrs(attrs, text)
		return
	}
	j.open()
	j.attrs(attrs)
	j.text(text)
	b.children(c, path, name == "EventData" || name == "UserData")
	j.raw("}")
	j.notFirst()
}

// data adds a Data element, whose attributes say nothing more.
func (b *layoutBuilder) data(ch child, path, name string) {
	c := b.contentOf(ch)
	text := b.join(c.parts)
	if len(c.parts) > 0 || len(c.children) == 0 {
		b.field(path, name, text)
	}
	if len(c.children) == 0 {
		b.json.scalar(text, `""`)
		return
	}
	b.json.open()
	b.json.text(text)
	b.children(c, path, false)
	b.json.raw("}")
	b.json.notFirst()
}

// positionalData adds the Data elements without attributes among those given, as one list.
func (b *layoutBuilder) positionalData(all []child, path string) {
	var list []child
	for _, ch := range all {
		if ch.in.template.nodes[ch.node].text == "Data" && !ch.hasAttrs() {
			list = append(list, ch)
		}
	}
	b.json.key("Data")
	b.json.raw(`{"#text":`)
	if len(list) > 1 {
		b.json.raw("[")
	}
	names := make(map[string]int)
	for i, ch := range list {
		if i > 0 {
			b.json.raw(",")
		}
		b.data(ch, path+"/"+unique(names, "Data"), "Data")
	}
	if len(list) > 1 {
		b.json.raw("]")
	}
	b.json.raw("}")
	b.json.notFirst()
}
