package sigma

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Limits on a rule, so that a hostile one costs little.
const (
	maxRuleFile = 4 << 20
	maxNodes    = 200_000 // of a document, aliases counted as often as they are used
	maxNesting  = 32
)

var levels = []string{"informational", "low", "medium", "high", "critical"}

// Parse reads the rules of a file, which may hold several YAML documents. path is for naming them. A document that is
// no usable rule becomes a Rejection. Parse may be called by many goroutines at once.
func Parse(path string, data []byte) *Pack {
	p, _ := parseFile(path, data, &yamlReader{})
	return p
}

// parseFile is Parse that also says whether anything in the file claims to be a rule. A document does by having a
// detection, correlation or filter, or both a title and a logsource.
func parseFile(path string, data []byte, reader *yamlReader) (pack *Pack, claims bool) {
	pack = &Pack{}
	if len(data) > maxRuleFile {
		pack.Rejected = append(pack.Rejected, tooLong(path))
		return pack, true
	}
	next := reader.documents(data)
	c := &collection{}
	for {
		root, err := next()
		if errors.Is(err, io.EOF) {
			if f := c.unused(); f != nil {
				pack.Rejected, claims = append(pack.Rejected, &Rejection{Path: path, Line: f.line, Column: f.column, Reason: f.reason}), true
			}
			return pack, claims
		}
		if err != nil {
			pack.Rejected = append(pack.Rejected, yamlRejection(path, data, err))
			return pack, true
		}
		top := resolve(root)
		if top == nil || isNull(top) {
			continue
		}
		p := &parser{path: path}
		flaw := c.document(top, p, pack)
		claims = claims || p.claims
		if flaw != nil {
			pack.Rejected = append(pack.Rejected, &Rejection{Path: path, Line: flaw.line, Column: flaw.column, Reason: flaw.reason, ID: p.id, Title: p.title})
		}
	}
}

func yamlRejection(path string, data []byte, err error) *Rejection {
	r := &Rejection{Path: path, Reason: "not YAML: " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "go-yaml: "), "yaml: ")}
	var load *yaml.LoadError
	if errors.As(err, &load) {
		r.Line, r.Column = load.Mark.Line, load.Mark.Column
		r.Reason = "not YAML: " + load.Message + mendYAML(load.Message, lineOf(data, r.Line))
	}
	return r
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

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func place(n *yaml.Node) at { return at{n.Line, n.Column} }

// parser reads one document.
type parser struct {
	path      string
	id, title string
	claims    bool
	nodes     int
}

// entries calls f for each entry of the mapping n. A key that is there twice is an error.
func (p *parser) entries(n *yaml.Node, what string, f func(key string, k, v *yaml.Node) *flaw) *flaw {
	if n.Kind != yaml.MappingNode {
		return place(n).flawf("%s is %s: write it as lines of name: value", what, kindOf(n))
	}
	var seen map[string]bool // nil where looking at each key before is quicker
	if len(n.Content) > 64 {
		seen = make(map[string]bool, len(n.Content)/2)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		if p.nodes += 2; p.nodes > maxNodes {
			return tooLarge(n)
		}
		if k == nil || v == nil || k.Kind != yaml.ScalarNode {
			return place(n.Content[i]).flawf("a key in %s is not a text: write name: value", what)
		}
		twice := seen[k.Value]
		for j := 0; j < i && seen == nil && !twice; j += 2 {
			twice = resolve(n.Content[j]).Value == k.Value
		}
		if twice {
			return place(n.Content[i]).flawf("%q stands twice in %s, and only one could count: %s", k.Value, what, mendTwice(what))
		}
		if seen != nil {
			seen[k.Value] = true
		}
		if bad := f(k.Value, n.Content[i], v); bad != nil {
			return bad
		}
	}
	return nil
}

// kindOf says in words what a node is.
func kindOf(n *yaml.Node) string {
	switch {
	case n == nil:
		return "an alias of itself"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "empty"
	}
	return "a text"
}

func tooLarge(n *yaml.Node) *flaw {
	return place(n).flawf("the rule has more than %d parts, aliases counted as often as they are used: split it", maxNodes)
}

func mendTwice(what string) string {
	switch what {
	case "the document", "logsource":
		return "take one out"
	case "detection":
		return "give one another name"
	}
	return "write a list of values, or a list of two mappings"
}

// lineOf returns a line of data, by its number.
func lineOf(data []byte, n int) string {
	for ; n > 1; n-- {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return ""
		}
		data = data[i+1:]
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return string(line)
}

// mendYAML says what to do about what go-yaml says.
func mendYAML(message, line string) string {
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		return "; quote a value that has a colon and a space in it, and indent lines of one mapping alike"
	case strings.Contains(message, "cannot start any token"):
		if strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") {
			return "; indent with spaces, not tabs"
		}
		return "; quote a value that begins with a sign"
	case strings.Contains(message, "did not find expected '-' indicator"), strings.Contains(message, "did not find expected key"):
		return "; indent the lines of one list or mapping alike, and quote a value that goes on after its closing quote"
	case strings.Contains(message, "unexpected end of stream"):
		return "; close the quotes"
	case strings.Contains(message, "unknown escape character"):
		return "; write a value with backslashes in single quotes"
	case strings.Contains(message, "alphabetic or numeric character"), strings.Contains(message, "unknown anchor"):
		return "; quote a value that begins with * or &"
	case strings.Contains(message, "did not find expected node content"), strings.Contains(message, "did not find expected ','"):
		return "; close the [ or {, or quote it"
	case strings.Contains(message, "control characters"), strings.Contains(message, "UTF-8"):
		return "; save the file as UTF-8"
	}
	return ""
}

// document reads a rule, a correlation or a filter, and adds it to the pack.
func (p *parser) document(top *yaml.Node, pack *Pack) *flaw {
	if top.Kind != yaml.MappingNode {
		return place(top).flawf("not a Sigma rule: the document is %s: a rule is lines of name: value", kindOf(top))
	}
	keys := map[string]*yaml.Node{}
	if bad := p.entries(top, "the document", func(key string, _, v *yaml.Node) *flaw {
		keys[key] = v
		return nil
	}); bad != nil {
		p.claims = true
		return bad
	}
	has := func(key string) bool { return keys[key] != nil }
	p.claims = has("detection") || has("correlation") || has("filter") || has("title") && has("logsource")
	r, bad := p.head(top, keys)
	switch {
	case bad != nil:
		return bad
	case has("correlation"):
		c, bad := p.correlation(keys, top, r)
		if bad == nil {
			pack.Correlations = append(pack.Correlations, c)
		}
		return bad
	case has("filter"):
		f, bad := p.filter(keys, top, r)
		if bad == nil {
			pack.Filters = append(pack.Filters, f)
		}
		return bad
	case !has("detection"):
		return place(top).flawf("no detection: add what is looked for, as detection: {selection: {Field: value}, condition: selection}")
	case r.Title == "":
		return place(top).flawf("no title: add one, as title: What the rule detects")
	case !has("logsource"):
		return place(top).flawf("no logsource: add the kind of log, as logsource: {product: windows, category: process_creation}")
	}
	r.sourceAt = place(keys["logsource"])
	if bad := p.logSource(keys["logsource"], &r.LogSource); bad != nil {
		return bad
	}
	if r.detection, bad = p.detection(keys["detection"]); bad != nil {
		return bad
	}
	if r.expr, bad = r.detection.lower(nil); bad != nil {
		return bad
	}
	pack.Rules = append(pack.Rules, r)
	return nil
}

// head reads what rules, correlations and filters have in common.
func (p *parser) head(top *yaml.Node, keys map[string]*yaml.Node) (*Rule, *flaw) {
	r := &Rule{Path: p.path, Line: top.Line, Level: "medium"}
	texts := []struct {
		key  string
		into *string
	}{
		{"title", &r.Title}, {"id", &r.ID}, {"name", &r.Name}, {"level", &r.Level}, {"status", &r.Status}, {"description", &r.Description},
		{"author", &r.Author}, {"date", &r.Date}, {"modified", &r.Modified},
	}
	for _, t := range texts {
		v := keys[t.key]
		if v == nil || isNull(v) {
			continue
		}
		if v.Kind != yaml.ScalarNode {
			if t.key == "author" && v.Kind == yaml.SequenceNode {
				if names, bad := p.strings(v, t.key); bad == nil {
					r.Author = strings.Join(names, ", ")
					continue
				}
			}
			return nil, place(v).flawf("%s is %s: write one text", t.key, kindOf(v))
		}
		*t.into = v.Value
	}
	p.id, p.title = r.ID, r.Title
	if r.Level = strings.ToLower(r.Level); !slices.Contains(levels, r.Level) {
		return nil, place(keys["level"]).flawf("level %q is no level of Sigma: %s", r.Level, cmp.Or(didYouMean(r.Level, levels), "write one of "+strings.Join(levels, ", ")))
	}
	lists := []struct {
		key  string
		into *[]string
	}{{"tags", &r.Tags}, {"references", &r.References}, {"falsepositives", &r.FalsePositives}}
	for _, l := range lists {
		if v := keys[l.key]; v != nil && !isNull(v) {
			var bad *flaw
			if *l.into, bad = p.strings(v, l.key); bad != nil {
				return nil, bad
			}
		}
	}
	r.Status = strings.ToLower(r.Status)
	r.Related = p.related(keys["related"], &r.lint)
	r.lint.find(keys, top)
	return r, nil
}

func (p *parser) strings(n *yaml.Node, what string) ([]string, *flaw) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, place(n).flawf("%s is %s: write a list", what, kindOf(n))
	}
	list := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		v := resolve(c)
		if v == nil || v.Kind != yaml.ScalarNode {
			return nil, place(c).flawf("an entry of %s is no text: write each as one text", what)
		}
		if p.nodes++; p.nodes > maxNodes {
			return nil, tooLarge(n)
		}
		list = append(list, v.Value)
	}
	return list, nil
}

func (p *parser) logSource(n *yaml.Node, into *LogSource) *flaw {
	bad := p.entries(n, "logsource", func(key string, _, v *yaml.Node) *flaw {
		var field *string
		switch key {
		case "product":
			field = &into.Product
		case "category":
			field = &into.Category
		case "service":
			field = &into.Service
		default:
			return nil // definition, and what users add
		}
		if v.Kind != yaml.ScalarNode {
			return place(v).flawf("%s of the logsource is %s: a rule is for one, so write one text, or a rule for each", key, kindOf(v))
		}
		if !isNull(v) {
			*field = strings.ToLower(v.Value)
		}
		return nil
	})
	if bad == nil && *into == (LogSource{}) {
		bad = place(n).flawf("logsource says nothing about the log: name its product, category or service")
	}
	return bad
}

func (p *parser) detection(n *yaml.Node) (*detection, *flaw) {
	d := &detection{}
	var conditions []*yaml.Node
	var timeframe *yaml.Node
	bad := p.entries(n, "detection", func(key string, k, v *yaml.Node) *flaw {
		switch key {
		case "condition":
			switch v.Kind {
			case yaml.ScalarNode:
				conditions = append(conditions, v)
			case yaml.SequenceNode:
				for _, c := range v.Content {
					if c = resolve(c); c == nil || c.Kind != yaml.ScalarNode {
						return place(v).flawf("an entry in the list of conditions is no text: write each as one text")
					}
					conditions = append(conditions, c)
				}
			default:
				return place(v).flawf("condition is %s: write one text, such as selection and not filter", kindOf(v))
			}
			return nil
		case "timeframe":
			timeframe = v
			return nil
		}
		body, bad := p.block(v, key, 0)
		if bad != nil {
			return bad
		}
		d.selections = append(d.selections, selection{name: key, body: body, at: place(k)})
		return nil
	})
	if bad != nil {
		return nil, bad
	}
	if len(conditions) == 0 {
		return nil, place(n).flawf("no condition: add one, such as condition: selection")
	}
	for _, c := range conditions {
		if bad := aggregation(c.Value, timeframe, place(c)); bad != nil {
			return nil, bad
		}
		cond, bad := parseCondition(c.Value, place(c))
		if bad != nil {
			return nil, bad
		}
		d.conditions = append(d.conditions, cond)
		d.places = append(d.places, place(c))
	}
	if timeframe != nil {
		return nil, place(timeframe).flawf("timeframe is for counting, and the condition counts nothing: take it out, or write a correlation with this timespan")
	}
	return d, nil
}

func (p *parser) block(n *yaml.Node, name string, depth int) (*block, *flaw) {
	if depth > maxNesting {
		return nil, place(n).flawf("%s is nested more than %d deep: spread it over several selections", name, maxNesting)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return p.keywords([]*yaml.Node{n})
	case yaml.MappingNode:
		b := &block{}
		bad := p.entries(n, name, func(key string, k, v *yaml.Node) *flaw {
			l, bad := p.line(key, k, v, name)
			b.all = append(b.all, l)
			return bad
		})
		if bad == nil && len(b.all) == 0 {
			bad = place(n).flawf("%s is empty: say what it looks for, or take it out", name)
		}
		return b, bad
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return nil, place(n).flawf("%s is empty: say what it looks for, or take it out", name)
		}
		b := &block{}
		var words []*yaml.Node
		for _, c := range n.Content {
			v := resolve(c)
			if p.nodes++; p.nodes > maxNodes {
				return nil, tooLarge(n)
			}
			if v == nil {
				return nil, place(c).flawf("%s has an alias of itself: write out what is meant", name)
			}
			if v.Kind == yaml.ScalarNode {
				words = append(words, v)
				continue
			}
			sub, bad := p.block(v, name, depth+1)
			if bad != nil {
				return nil, bad
			}
			b.any = append(b.any, sub)
		}
		if len(words) > 0 {
			sub, bad := p.keywords(words)
			if bad != nil {
				return nil, bad
			}
			b.any = append(b.any, sub)
		}
		return b, nil
	}
	return nil, place(n).flawf("%s is neither fields with values nor a list: write Field: value", name)
}

func (p *parser) keywords(words []*yaml.Node) (*block, *flaw) {
	l := line{at: place(words[0])}
	for _, w := range words {
		l.values = append(l.values, scalar{text: w.Value, null: isNull(w), at: place(w)})
	}
	return &block{all: []line{l}}, nil
}

func (p *parser) line(key string, k, v *yaml.Node, name string) (line, *flaw) {
	field, rest, modified := strings.Cut(key, "|")
	l := line{field: field, at: place(k)}
	if modified {
		l.modifiers = strings.Split(rest, "|")
	}
	if field == "" && !modified {
		return l, l.flawf("%s has a field without a name: write one before the colon, or a list for words that stand anywhere", name)
	}
	switch v.Kind {
	case yaml.ScalarNode:
		l.values = []scalar{{text: v.Value, null: isNull(v), at: place(v)}}
	case yaml.SequenceNode:
		if len(v.Content) == 0 {
			return l, place(v).flawf("%s has an empty list of values: add one, or write null for a field that is not there", key)
		}
		l.values = make([]scalar, 0, len(v.Content))
		for _, c := range v.Content {
			e := resolve(c)
			if e == nil || e.Kind != yaml.ScalarNode {
				return l, place(c).flawf("a value of %s is %s: write one text or number an entry", key, kindOf(e))
			}
			if p.nodes++; p.nodes > maxNodes {
				return l, tooLarge(v)
			}
			l.values = append(l.values, scalar{text: e.Value, null: isNull(e), at: place(e)})
		}
	default:
		return l, place(v).flawf("the value of %s is a mapping: write a field in it as %s.name: value", key, field)
	}
	return l, nil
}
