package logsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/event"
)

// Limits on a file, so that a hostile one costs little.
const (
	maxFile    = 4 << 20
	maxNodes   = 200_000
	maxNesting = 16
	maxList    = 4096
)

// Error is what is wrong with a file, and where.
type Error struct {
	Path         string
	Line, Column int // from 1; 0 if the whole file is meant
	Reason       string
}

// Error returns path:line:column: reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Reason)
}

// file is a file of the table.
type file struct {
	path    string
	data    []byte
	builtin bool
}

// reader reads a file into a table.
type reader struct {
	file
	table *Table
	nodes int
	// later reads what speaks of services, when those of all files are known.
	later []func() error
}

// read makes a table of files.
func read(files []file) (*Table, error) {
	t := &Table{files: files, windows: &Windows{services: map[string]*service{}, channels: map[string][]*service{}, events: map[eventKey]*eventRows{}}}
	readers := make([]reader, len(files))
	for i, f := range files {
		readers[i] = reader{file: f, table: t}
		if err := readers[i].read(); err != nil {
			return nil, err
		}
	}
	for _, r := range readers {
		for _, f := range r.later {
			if err := f(); err != nil {
				return nil, err
			}
		}
	}
	t.windows.addRows(t)
	return t, nil
}

// read reads the documents of the file.
func (r *reader) read() error {
	if len(r.data) > maxFile {
		return &Error{Path: r.path, Reason: fmt.Sprintf("more than %d bytes long", maxFile)}
	}
	docs := yaml.NewDecoder(bytes.NewReader(r.data))
	for {
		var root yaml.Node
		err := docs.Decode(&root)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			bad := &Error{Path: r.path, Reason: "not YAML: " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "go-yaml: "), "yaml: ")}
			var load *yaml.LoadError
			if errors.As(err, &load) {
				bad.Line, bad.Column, bad.Reason = load.Mark.Line, load.Mark.Column, "not YAML: "+load.Message
			}
			return bad
		}
		top := resolve(&root)
		if top == nil || top.Kind == yaml.ScalarNode && top.ShortTag() == "!!null" {
			continue
		}
		if err := r.document(top); err != nil {
			return err
		}
	}
}

// resolve returns the node that n stands for: the body of a document, the target of an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for range maxNesting {
		switch {
		case n == nil:
			return nil
		case n.Kind == yaml.DocumentNode:
			if len(n.Content) == 0 {
				return nil
			}
			n = n.Content[0]
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		default:
			return n
		}
	}
	return nil
}

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return &Error{Path: r.path, Line: n.Line, Column: n.Column, Reason: fmt.Sprintf(format, args...)}
}

// parts is what may stand in a mapping: for each key, what reads its value.
type parts map[string]func(k, v *yaml.Node) error

// mapping reads n, whose keys must be among those of p.
func (r *reader) mapping(n *yaml.Node, what string, p parts) error {
	return r.entries(n, what, func(k, v *yaml.Node) error {
		f := p[k.Value]
		if f == nil {
			return r.errorf(k, "%s has no part %q%s; write one of: %s", what, k.Value, meant(k.Value, p), strings.Join(slices.Sorted(maps.Keys(p)), ", "))
		}
		return f(k, v)
	})
}

// meant returns a guess what a key was meant to be.
func meant(key string, p parts) string {
	for _, k := range slices.Sorted(maps.Keys(p)) {
		if strings.EqualFold(k, key) || strings.TrimSuffix(k, "s") == strings.TrimSuffix(strings.ToLower(key), "s") {
			return " (did you mean " + k + "?)"
		}
	}
	return ""
}

// entries calls f for each entry of the mapping n.
func (r *reader) entries(n *yaml.Node, what string, f func(k, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "%s must be a mapping, with lines like key: value", what)
	}
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		if r.nodes += 2; r.nodes > maxNodes {
			return r.errorf(n, "too much for one file")
		}
		if k == nil || v == nil || k.Kind != yaml.ScalarNode {
			return r.errorf(n.Content[i], "a key in %s is not a plain text", what)
		}
		if line, dup := seen[k.Value]; dup {
			return r.errorf(k, "%q stands twice in %s, first in line %d; keep one", k.Value, what, line)
		}
		seen[k.Value] = k.Line
		if err := f(k, v); err != nil {
			return err
		}
	}
	return nil
}

// each calls f for each element of the list n.
func (r *reader) each(n *yaml.Node, what string, f func(v *yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return r.errorf(n, "%s must be a list", what)
	}
	if len(n.Content) > maxList {
		return r.errorf(n, "%s has more than %d elements", what, maxList)
	}
	for _, c := range n.Content {
		if r.nodes++; r.nodes > maxNodes {
			return r.errorf(n, "too much for one file")
		}
		v := resolve(c)
		if v == nil {
			return r.errorf(c, "nothing stands here in %s", what)
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || n.Value == "" {
		return "", r.errorf(n, "%s must be a text", what)
	}
	return n.Value, nil
}

// word reads a part of a log source.
func (r *reader) word(n *yaml.Node, what string) (string, error) {
	s, err := r.text(n, what)
	if err == nil && s != strings.ToLower(s) {
		err = r.errorf(n, "%s %q must be in lower case, as rules write it", what, s)
	}
	return s, err
}

// texts reads one text or a list of them, none twice.
func (r *reader) texts(n *yaml.Node, what string) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		s, err := r.text(n, what)
		return []string{s}, err
	}
	var out []string
	err := r.each(n, what, func(v *yaml.Node) error {
		s, err := r.text(v, what)
		if err != nil {
			return err
		}
		if slices.Contains(out, s) {
			return r.errorf(v, "%q stands twice in %s", s, what)
		}
		out = append(out, s)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = r.errorf(n, "%s is empty", what)
	}
	return out, err
}

func (r *reader) numbers(n *yaml.Node, what string) (out []int, err error) {
	list, err := r.texts(n, what)
	for i, s := range list {
		id, bad := strconv.Atoi(s)
		if bad != nil || id < 0 || id > 65535 {
			at := n
			if n.Kind == yaml.SequenceNode {
				at = n.Content[i]
			}
			return nil, r.errorf(at, "%s: %q is no number of an event", what, s)
		}
		out = append(out, id)
	}
	return out, err
}

// names reads native field names and what rules call them.
func (r *reader) names(n *yaml.Node, into *[]Name) error {
	return r.entries(n, "names", func(k, v *yaml.Node) error {
		if strings.Count(k.Value, "*") > 1 {
			return r.errorf(k, "%q has more than one *", k.Value)
		}
		list, err := r.texts(v, "the names of "+k.Value)
		if err != nil {
			return err
		}
		if slices.Contains(list, k.Value) {
			return r.errorf(k, "%s is its own other name", k.Value)
		}
		*into = append(*into, Name{Native: k.Value, Sigma: list})
		return nil
	})
}

// logSources reads one log source or a list of them.
func (r *reader) logSources(n *yaml.Node) (out []event.LogSource, err error) {
	one := func(n *yaml.Node) error {
		var s event.LogSource
		part := func(into *string) func(k, v *yaml.Node) error {
			return func(k, v *yaml.Node) (err error) { *into, err = r.word(v, k.Value); return err }
		}
		if err := r.mapping(n, "logsource", parts{"product": part(&s.Product), "category": part(&s.Category), "service": part(&s.Service)}); err != nil {
			return err
		}
		if s == (event.LogSource{}) {
			return r.errorf(n, "logsource is empty; give it a product, category or service")
		}
		if slices.Contains(out, s) {
			return r.errorf(n, "the same logsource stands twice")
		}
		out = append(out, s)
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		return out, r.each(n, "logsource", one)
	}
	return out, one(n)
}

func (r *reader) document(n *yaml.Node) error {
	list := func(what string, f func(v *yaml.Node) error) func(k, v *yaml.Node) error {
		return func(_, v *yaml.Node) error {
			r.later = append(r.later, func() error { return r.each(v, what, f) })
			return nil
		}
	}
	p := parts{
		"services":   func(_, v *yaml.Node) error { return r.entries(v, "services", r.service) },
		"categories": list("categories", r.category),
		"aliases":    list("aliases", r.alias),
		"events":     list("events", r.event),
		"logs":       list("logs", r.log),
	}
	if r.builtin {
		p["collectors"] = func(_, v *yaml.Node) (err error) {
			r.table.windows.collectors, err = r.texts(v, "collectors")
			return err
		}
	}
	return r.mapping(n, "the file", p)
}

// service reads "name: [channel, …]" or "name: {product: p, category: c, service: s, channels: […]}".
func (r *reader) service(k, v *yaml.Node) (err error) {
	s := &service{key: k.Value, product: windowsProduct, name: k.Value, path: r.path, line: k.Line}
	at := v
	if v.Kind == yaml.MappingNode {
		word := func(into *string) func(k, v *yaml.Node) error {
			return func(k, v *yaml.Node) (err error) { *into, err = r.word(v, k.Value); return err }
		}
		err = r.mapping(v, "service "+k.Value, parts{
			"product": word(&s.product), "category": word(&s.category), "service": word(&s.name),
			"channels": func(_, v *yaml.Node) (err error) { at = v; s.channels, err = r.texts(v, "channels"); return err },
		})
		if err == nil && len(s.channels) == 0 {
			err = r.errorf(v, "service %s has no channels", k.Value)
		}
	} else if _, err = r.word(k, "a service"); err == nil {
		s.channels, err = r.texts(v, "the channels of "+k.Value)
	}
	if err != nil {
		return err
	}
	w := r.table.windows
	for i, ch := range s.channels {
		if of := w.channels[strings.ToLower(ch)]; slices.ContainsFunc(of, func(o *service) bool { return o.key == s.key }) {
			if at.Kind == yaml.SequenceNode {
				at = at.Content[i]
			}
			return r.errorf(at, "channel %q is of service %s already", ch, s.key)
		}
	}
	channels := s.channels
	switch old := w.services[s.key]; {
	case old == nil:
		w.services[s.key] = s
		w.order = append(w.order, s)
	case v.Kind == yaml.MappingNode:
		return r.errorf(k, "service %s is known already, by %s:%d; give only its further channels: %s: [channel]", s.key, old.path, old.line, s.key)
	default: // more channels of it
		s = old
		s.channels = append(s.channels, channels...)
	}
	for _, ch := range channels {
		ch = strings.ToLower(ch)
		w.channels[ch] = append(w.channels[ch], s)
	}
	return nil
}

// ofService is what entries about Windows events share.
type ofService struct {
	service   *service
	events    []int
	eventType string
}

func (r *reader) about(o *ofService, p parts) parts {
	p["service"] = func(_, v *yaml.Node) error {
		name, err := r.text(v, "service")
		if err != nil {
			return err
		}
		if o.service = r.table.windows.services[name]; o.service == nil {
			return r.errorf(v, "no service %q; list its channels under services", name)
		}
		return nil
	}
	p["events"] = func(_, v *yaml.Node) (err error) { o.events, err = r.numbers(v, "events"); return err }
	return p
}

func (o *ofService) conditions() []Condition {
	c := []Condition{{channelField, o.service.channels}}
	if len(o.events) > 0 {
		ids := make([]string, len(o.events))
		for i, id := range o.events {
			ids[i] = strconv.Itoa(id)
		}
		c = append(c, Condition{eventIDField, ids})
	}
	if o.eventType != "" {
		c = append(c, Condition{"EventType", []string{o.eventType}})
	}
	return c
}

// keys are the events that the entry is about.
func (o *ofService) keys() []eventKey {
	if len(o.events) == 0 {
		return []eventKey{{o.service, anyEvent}}
	}
	var keys []eventKey
	for _, id := range o.events {
		keys = append(keys, eventKey{o.service, id})
	}
	return keys
}

func (r *reader) category(n *yaml.Node) error {
	var o ofService
	var categories []string
	err := r.mapping(n, "an entry of categories", r.about(&o, parts{
		"event_type": func(_, v *yaml.Node) (err error) { o.eventType, err = r.text(v, "event_type"); return err },
		"category": func(_, v *yaml.Node) (err error) {
			if categories, err = r.texts(v, "category"); err == nil && v.Kind == yaml.ScalarNode {
				_, err = r.word(v, "category")
			}
			return err
		},
	}))
	switch {
	case err != nil:
		return err
	case o.service == nil:
		return r.errorf(n, "the entry names no service")
	case len(o.events) == 0:
		return r.errorf(n, "the entry names no events")
	case len(categories) == 0:
		return r.errorf(n, "the entry names no category")
	}
	row := r.add(n, &Row{Format: windowsFormats, When: o.conditions(), compact: true})
	for _, c := range categories {
		row.Sources = append(row.Sources, event.LogSource{Product: o.service.product, Category: c, Service: o.service.name})
	}
	for _, k := range o.keys() {
		e := r.table.windows.event(k)
		e.categories = append(e.categories, categoryRow{o.eventType, row.Sources})
	}
	return nil
}

func (r *reader) alias(n *yaml.Node) error {
	var o ofService
	var names []Name
	move := map[string]string{}
	err := r.mapping(n, "an entry of aliases", r.about(&o, parts{
		"names": func(_, v *yaml.Node) error { return r.names(v, &names) },
		"move": func(_, v *yaml.Node) error {
			return r.entries(v, "move", func(k, v *yaml.Node) (err error) { move[k.Value], err = r.text(v, "move"); return err })
		},
	}))
	switch {
	case err != nil:
		return err
	case o.service == nil:
		return r.errorf(n, "the entry names no service")
	case len(names)+len(move) == 0:
		return r.errorf(n, "the entry gives no names")
	}
	row := r.add(n, &Row{Format: windowsFormats, When: o.conditions(), Names: names, Move: move, compact: true})
	for _, k := range o.keys() {
		e := r.table.windows.event(k)
		e.aliases = append(e.aliases, row)
	}
	return nil
}

// event reads what fields an event has, all of them.
func (r *reader) event(n *yaml.Node) error {
	var o ofService
	row := &Row{Format: windowsFormats, compact: true}
	err := r.mapping(n, "an entry of events", r.about(&o, parts{
		"fields": func(_, v *yaml.Node) (err error) { row.Fields, err = r.texts(v, "fields"); return err },
	}))
	switch {
	case err != nil:
		return err
	case o.service == nil || len(o.events) == 0 || len(row.Fields) == 0:
		return r.errorf(n, "the entry needs a service, events and fields")
	}
	row.When = o.conditions()
	r.add(n, row)
	for _, k := range o.keys() {
		e := r.table.windows.event(k)
		for _, f := range row.Fields {
			if !slices.Contains(e.fields, f) {
				e.fields = append(e.fields, f)
			}
		}
	}
	return nil
}

// log reads a row about any log.
func (r *reader) log(n *yaml.Node) error {
	row := &Row{}
	p := parts{
		"format": func(_, v *yaml.Node) (err error) { row.Format, err = r.text(v, "format"); return err },
		"has":    func(_, v *yaml.Node) (err error) { row.Has, err = r.texts(v, "has"); return err },
		"when": func(_, v *yaml.Node) error {
			return r.entries(v, "when", func(k, v *yaml.Node) error {
				values, err := r.texts(v, k.Value)
				row.When = append(row.When, Condition{k.Value, values})
				return err
			})
		},
		"logsource": func(_, v *yaml.Node) (err error) { row.Sources, err = r.logSources(v); return err },
		"names":     func(_, v *yaml.Node) error { return r.names(v, &row.Names) },
	}
	if r.builtin {
		p["variant"] = func(_, v *yaml.Node) (err error) { row.Variants, err = r.texts(v, "variant"); return err }
	}
	err := r.mapping(n, "an entry of logs", p)
	switch {
	case err != nil:
		return err
	case len(row.Sources) == 0 && len(row.Names) == 0:
		return r.errorf(n, "the entry says nothing of the events it means: give it a logsource or names")
	case row.Format == "" && len(row.Has) == 0 && len(row.When) == 0:
		return r.errorf(n, "the entry means every event of every log: say which with format, has or when")
	}
	r.add(n, row)
	return nil
}

func (r *reader) add(n *yaml.Node, row *Row) *Row {
	row.Path, row.Line, row.builtin = r.path, n.Line, r.builtin
	for _, c := range row.When {
		row.tests = append(row.tests, newTest(c))
	}
	r.table.rows = append(r.table.rows, row)
	return row
}
