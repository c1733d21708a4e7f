// Package strictyaml holds YAML that people write against the type that it is read into: a key that nobody reads, or a time
// without an offset, is an error that names the line.
package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxNodes is how many nodes a text may have with its aliases followed: one of a few lines can stand for billions.
const maxNodes = 2_000_000

// Keys fails at the first key of n that t, a struct or something that holds structs, has no field for. A field of type yaml.Node
// is whoever reads that node's to check. In names what n is the value of; "" for the whole file.
func Keys(n *yaml.Node, t reflect.Type, in string) error {
	return (&walk{}).node(n, t, in)
}

// KeysAndOffsets is Keys, and fails at the first time that does not carry its offset. A field with the tag `time:"day"` takes a day alone, too.
func KeysAndOffsets(n *yaml.Node, t reflect.Type, in string) error {
	return (&walk{offsets: true}).node(n, t, in)
}

type walk struct {
	offsets bool
	day     bool // a day alone will do for the time that is looked at
	nodes   int
}

var (
	nodeType = reflect.TypeFor[yaml.Node]()
	timeType = reflect.TypeFor[time.Time]()
	// What has either of these reads itself.
	unmarshalerType = reflect.TypeFor[yaml.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	offset          = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)
	day             = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

func (w *walk) node(n *yaml.Node, t reflect.Type, in string) error {
	if w.nodes++; w.nodes > maxNodes {
		return errors.New("aliases (*name) stand for too much: write it out")
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	if err := shape(n, t, in); err != nil {
		return err
	}
	switch {
	case t == nodeType:
	case n.Tag == "!!null":
	case t == timeType && w.offsets && n.Kind == yaml.ScalarNode && !offset.MatchString(n.Value) && !(w.day && day.MatchString(n.Value)):
		return fmt.Errorf("line %d: %s: %q is no time with its offset: write it as 2025-12-22T06:10:00+01:00, or with Z for UTC", n.Line, in, n.Value)
	case t == timeType:
		return value(n, t, in, "time: write it as 2025-12-22T06:10:00+01:00, or with Z for UTC")
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for _, item := range n.Content {
			if err := w.node(item, t.Elem(), in); err != nil {
				return err
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if isMerge(n.Content[i]) {
				if err := w.merged(n.Content[i+1], t, in); err != nil {
					return err
				}
				continue
			}
			if err := w.node(n.Content[i+1], t.Elem(), in+"."+n.Content[i].Value); err != nil {
				return err
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if isMerge(key) {
				if err := w.merged(n.Content[i+1], t, in); err != nil {
					return err
				}
				continue
			}
			field, known := fieldOf(t, key.Value)
			if field.Type == nil {
				where := ""
				if in != "" {
					where = " in " + in
				}
				return fmt.Errorf("line %d: unknown key %q%s: it is one of %s%s", key.Line, key.Value, where, strings.Join(known, ", "), DidYouMean(key.Value, known))
			}
			w.day = field.Tag.Get("time") == "day"
			if err := w.node(n.Content[i+1], field.Type, key.Value); err != nil {
				return err
			}
		}
	case reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textType):
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return value(n, t, in, "whole number")
	case t.Kind() == reflect.Float64:
		return value(n, t, in, "number")
	case t.Kind() == reflect.Bool:
		return value(n, t, in, "answer: it is true or false")
	case t.Kind() == reflect.String:
		return value(n, t, in, "text")
	}
	return nil
}

// value fails where n cannot be read as a t, which people call what.
func value(n *yaml.Node, t reflect.Type, in, what string) error {
	if n.Kind == yaml.ScalarNode && n.Decode(reflect.New(t).Interface()) == nil {
		return nil
	}
	got := "a list"
	switch n.Kind {
	case yaml.ScalarNode:
		got = fmt.Sprintf("%.100q", n.Value)
	case yaml.MappingNode:
		got = "keys and values"
	}
	return fmt.Errorf("line %d: %s: %s is no %s", n.Line, in, got, what)
}

// Syntax says why a text is not YAML: err is what the reader of YAML said, which begins with the reader's own name.
func Syntax(err error) error {
	var load *yaml.LoadError
	if errors.As(err, &load) && load.Mark.Line > 0 {
		return fmt.Errorf("line %d: this is not YAML: %s", load.Mark.Line, load.Message)
	}
	return fmt.Errorf("this is not YAML: %s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "go-yaml: "), "yaml: "))
}

// shape fails where a text stands in the place of a list or of keys, or one of these in the place of the other. What reads itself says itself
// what it takes.
func shape(n *yaml.Node, t reflect.Type, in string) error {
	if n.Tag == "!!null" || t == nodeType || t == timeType || reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textType) {
		return nil
	}
	want := ""
	switch k := t.Kind(); {
	case k == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && n.Kind != yaml.SequenceNode:
		want = "a list: write it as [a, b], or each item on a line of its own that begins with \"- \""
	case (k == reflect.Struct || k == reflect.Map) && n.Kind != yaml.MappingNode:
		want = "keys and values, as in key: value"
	default:
		return nil
	}
	if in != "" {
		in += ": "
	}
	return fmt.Errorf("line %d: %sit takes %s", n.Line, in, want)
}

// isMerge reports whether a key takes in the keys of others: "<<: *name".
func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }

// merged looks at what a merge key takes in, one mapping or a list of them, as keys of t themselves.
func (w *walk) merged(n *yaml.Node, t reflect.Type, in string) error {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, m := range list {
		if err := w.node(m, t, in); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf returns the field of t that a key is for, or one without a type and the keys that there are.
func fieldOf(t reflect.Type, key string) (found reflect.StructField, known []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		if name == key {
			return f, nil
		}
		known = append(known, name)
	}
	return reflect.StructField{}, known
}

// Line returns the line in which something stands, or what holds it where it is not there: path is keys (string) and numbers of
// items (int). It is 0 for a root without a text.
func Line(root *yaml.Node, path ...any) int {
	n := root
	if n == nil {
		return 0
	}
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, step := range path {
		if n.Kind == yaml.AliasNode && n.Alias != nil {
			n = n.Alias
		}
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n.Line
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step]
		}
	}
	return nil
}
