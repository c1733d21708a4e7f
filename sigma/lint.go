package sigma

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/literal"
)

// lintNotes are what parsing has noticed about a rule that does not keep it from being used.
type lintNotes struct {
	id, status, title, taxonomy at
	taxonomyName                string
	notes                       []*flaw
}

// ruleKeys are the parts of a rule that have a meaning; others may be added by anybody.
var ruleKeys = [...]string{"title", "id", "related", "name", "taxonomy", "status", "description", "license", "references", "author", "date", "modified",
	"logsource", "detection", "fields", "falsepositives", "level", "tags", "scope", "correlation", "filter"}

// find notes where parts of the rule stand, and keys that are nearly those of a part.
func (l *lintNotes) find(keys map[string]*yaml.Node, top *yaml.Node) {
	l.title = place(top)
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], resolve(top.Content[i+1])
		if v == nil {
			continue
		}
		switch k.Value {
		case "id":
			l.id = place(v)
		case "status":
			l.status = place(v)
		case "title":
			l.title = place(v)
		case "taxonomy":
			l.taxonomy, l.taxonomyName = place(v), v.Value
		case "related", "name", "description", "license", "references", "author", "date", "modified", "logsource", "detection", "fields",
			"falsepositives", "level", "tags", "scope", "correlation", "filter", "regression_tests_path", "simulation":
		default:
			if n := nearest(k.Value, ruleKeys[:]); n != "" && keys[n] == nil {
				l.notes = append(l.notes, place(k).flawf("%q is not read: did you mean %s?", k.Value, n))
			}
		}
	}
}

// relationTypes are the ways rules are related (Sigma rules specification 2.1, "Identification").
var relationTypes = [...]string{"derived", "obsolete", "merged", "renamed", "similar"}

// related reads what a rule says of others. What cannot be read is left out, with a note.
func (p *parser) related(n *yaml.Node, notes *lintNotes) []Relation {
	if n == nil || isNull(n) {
		return nil
	}
	note := func(n *yaml.Node, format string, args ...any) {
		notes.notes = append(notes.notes, place(n).flawf(format, args...))
	}
	if n.Kind != yaml.SequenceNode {
		note(n, "related is not read: it is %s, where a list of {id: …, type: …} is meant", kindOf(n))
		return nil
	}
	var list []Relation
	for _, c := range n.Content {
		e := resolve(c)
		if p.nodes++; p.nodes > maxNodes {
			return list
		}
		if e == nil || e.Kind != yaml.MappingNode {
			note(c, "an entry of related is not read: it is %s, where {id: …, type: …} is meant", kindOf(e))
			continue
		}
		id, kind := valueOf(e, "id"), valueOf(e, "type")
		if id == nil || id.Kind != yaml.ScalarNode || id.Value == "" || kind == nil || kind.Kind != yaml.ScalarNode {
			note(e, "an entry of related is not read: it lacks an id or a type")
			continue
		}
		r := Relation{ID: id.Value, Type: strings.ToLower(kind.Value)}
		if r.Type == "obsoletes" {
			r.Type = "obsolete"
		}
		if n := nearest(r.Type, relationTypes[:]); n != r.Type {
			note(kind, "related has the type %q, which is none: %s", kind.Value, orElse(n, "did you mean "+n+"?", "write one of "+strings.Join(relationTypes[:], ", ")))
		}
		list = append(list, r)
	}
	return list
}

func orElse(ok, yes, no string) string {
	if ok != "" {
		return yes
	}
	return no
}

// Warning is something about a rule that does not keep it from being used, and that its author would want to know.
type Warning struct {
	Path   string
	Line   int // from 1
	Column int // from 1; 0 if the whole line is meant
	// Reason says what is wrong, why that is, and how to mend it, in one line.
	Reason string
}

// String returns the warning in the form path:line:column: warning: reason.
func (w *Warning) String() string {
	if w.Column == 0 {
		return fmt.Sprintf("%s:%d: warning: %s", w.Path, w.Line, w.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: warning: %s", w.Path, w.Line, w.Column, w.Reason)
}

// Lint returns what is certainly not meant in the rules of the pack, rule by rule and in the order in which it stands
// in each.
func (p *Pack) Lint() []*Warning {
	var out []*Warning
	for _, r := range p.Rules {
		l := linter{rule: r}
		l.head()
		l.selections()
		slices.SortStableFunc(l.found, func(a, b *Warning) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		out = append(out, l.found...)
	}
	return out
}

// linter looks at one rule.
type linter struct {
	rule  *Rule
	found []*Warning
}

func (l *linter) warn(where at, format string, args ...any) {
	if where.line == 0 {
		where = at{line: l.rule.Line}
	}
	l.found = append(l.found, &Warning{Path: l.rule.Path, Line: where.line, Column: where.column, Reason: fmt.Sprintf(format, args...)})
}

// head looks at what is said about the rule.
func (l *linter) head() {
	r := l.rule
	switch {
	case r.ID == "" && r.Name != "": // by which it can be referred to
	case r.ID == "":
		l.warn(r.lint.title, "the rule has no id, so that nothing can refer to it: add a random UUID, as uuidgen prints one")
	case !isUUID(r.ID):
		l.warn(r.lint.id, "id %q is no UUID, so that somebody else may choose the same: take a random one, as uuidgen prints it, and keep this one under related with the type renamed", r.ID)
	}
	if r.Status != "" && (r.Status == NoStatus || !slices.Contains(Statuses(), r.Status)) {
		known := Statuses()[:5]
		l.warn(r.lint.status, "status %q is none of Sigma, and counts as missing: %s", r.Status, cmp.Or(didYouMean(r.Status, known), "write one of "+strings.Join(known, ", ")))
	}
	if n := utf8.RuneCountInString(r.Title); n > 256 {
		l.warn(r.lint.title, "the title has %d characters, and the specification allows 256: move some to the description", n)
	}
	if t := r.lint.taxonomyName; t != "" && t != "sigma" {
		l.warn(r.lint.taxonomy, "taxonomy %q is not translated: the rule must name fields and log sources as the taxonomy sigma does", t)
	}
	for _, n := range r.lint.notes {
		l.warn(at{n.line, n.column}, "%s", n.reason)
	}
}

// isUUID reports whether s has the form of a UUID.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'):
			return false
		}
	}
	return true
}

func (l *linter) selections() {
	d := l.rule.detection
	for _, s := range d.selections {
		if !slices.ContainsFunc(d.conditions, func(c *condition) bool { return c.uses(s.name) }) {
			l.warn(s.at, "the selection %s is not used: add it to the condition, or take it out", s.name)
		}
		l.block(s.body)
	}
}

// uses reports whether a condition asks for the selection of that name.
func (c *condition) uses(name string) bool {
	switch c.op {
	case nameOp:
		return c.name == name
	case ofOp:
		return nameMatches(c.name, name)
	}
	return slices.ContainsFunc(c.kids, func(k *condition) bool { return k.uses(name) })
}

func (l *linter) block(b *block) {
	for _, sub := range b.any {
		l.block(sub)
	}
	for i := range b.all {
		l.line(&b.all[i])
	}
}

func (l *linter) line(ln *line) {
	m, bad := readModifiers(ln)
	if bad != nil {
		return
	}
	if m.all && len(ln.values) == 1 && !m.expand {
		l.warn(ln.at, "all is for several values, and there is one: leave all out")
	}
	if slices.Contains(m.steps, "base64offset") && !m.anchored() && ln.field != "" {
		l.warn(ln.at, "base64offset without contains fits a field that is nothing but the Base64 of the value: write %s|contains", strings.Join(append([]string{ln.field}, ln.modifiers...), "|"))
	}
	seen := map[string]string{}
	for _, v := range ln.values {
		if v.null {
			if len(ln.values) > 1 {
				l.warn(v.at, "null stands in a list with other values, which the specification forbids and other programs refuse: move it to a selection of its own")
			}
			continue
		}
		key := v.text
		if !m.cased && !m.re && !m.fieldref {
			key = literal.FoldString(key)
		}
		if before, twice := seen[key]; twice && before == v.text {
			l.warn(v.at, "%q stands in the list twice: take one out", v.text)
		} else if twice {
			l.warn(v.at, "%q is the same as %q, since the case of letters is no matter: take one out, or add the modifier cased", v.text, before)
		}
		seen[key] = v.text
		l.value(ln, &m, v)
	}
	l.wildcards(ln, &m)
}

func (l *linter) value(ln *line, m *modifiers, v scalar) {
	switch {
	case m.cidr && !m.expand:
		if p, err := parsePrefix(v.text); err == nil && strings.Contains(v.text, "/") {
			if given, err := netip.ParsePrefix(v.text); err == nil && given.Masked() != given {
				l.warn(v.at, "%s has bits beyond its prefix: it is read as %s", v.text, p)
			}
		}
	case m.part != wholeTime && m.compare == "" && !m.neq:
		n, _ := parseNumber([]byte(v.text))
		least, most := m.part.limits()
		if most > 0 && (!n.whole || n.negative || n.magnitude < least || n.magnitude > most) {
			l.warn(v.at, "%s is never %s: it goes from %d to %d", m.number, v.text, least, most)
		}
	case m.re:
		l.regex(ln, m, v)
	case m.expand && !slices.ContainsFunc(parseTemplate(v.text, true), func(e piece) bool { return e.kind == hole }):
		l.warn(v.at, "expand finds no placeholder in %q: write %%name%%, or leave expand out", v.text)
	case slices.Contains(m.steps, "windash") && !m.expand:
		if vs := parsePattern(v.text).windash(); len(vs) == 1 && !slices.ContainsFunc(vs[0], func(e piece) bool { return e.kind == dash }) {
			l.warn(v.at, "windash finds no dash in %q that begins a flag: leave windash out", v.text)
		}
	}
}

func (l *linter) regex(ln *line, m *modifiers, v scalar) {
	if m.expand {
		return
	}
	if strings.HasPrefix(v.text, "(?") {
		if flags, _, ok := strings.Cut(v.text[2:], ")"); ok && flags != "" && strings.Trim(flags, "ims") == "" {
			l.warn(v.at, "(?%s) inside of a regular expression is deprecated by Sigma 2.2: write %s|re|%s", flags, ln.field, strings.Join(strings.Split(flags, ""), "|"))
		}
		return
	}
	re, err := syntax.Parse(v.text, syntax.Perl)
	if err != nil || re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase != 0 || m.anchored() {
		return
	}
	plain := strings.NewReplacer(`*`, `\*`, `?`, `\?`).Replace(string(re.Rune))
	if strings.Contains(plain, `\\`) {
		return // whoever reads it must count backslashes either way
	}
	modifiers := "contains|cased"
	if m.ignoreCase {
		modifiers = "contains"
	}
	l.warn(v.at, "the regular expression '%s' is plain text: write %s|%s: '%s'", v.text, ln.field, modifiers, plain)
}

// wildcards warns of wildcards that a modifier says better, where all values of the line have them.
func (l *linter) wildcards(ln *line, m *modifiers) {
	if m.typed != "" || len(m.steps) > 0 {
		return
	}
	both := func(v scalar) bool {
		p := parsePattern(v.text)
		return len(p) > 2 && p.startsWithStar() && p.endsWithStar()
	}
	none := func(v scalar) bool { return v.null || !both(v) }
	switch {
	case slices.ContainsFunc(ln.values, none):
	case ln.field == "" && !m.anchored():
		l.warn(ln.values[0].at, "a keyword is looked for everywhere: leave the * at its ends out")
	case m.contains:
		l.warn(ln.values[0].at, "contains puts a * at both ends: leave them out of the value")
	case !m.anchored():
		l.warn(ln.at, "a * at both ends is what contains is for: write %s|contains and leave them out of the value", ln.field)
	}
}

// limits returns the least and the most that a part of a time can be.
func (t timePart) limits() (least, most uint64) {
	switch t {
	case minutePart:
		return 0, 59
	case hourPart:
		return 0, 23
	case dayPart:
		return 1, 31
	case weekPart:
		return 1, 53
	case monthPart:
		return 1, 12
	}
	return 0, 0
}
