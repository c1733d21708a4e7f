package sigma

import (
	"strings"

	"go.yaml.in/yaml/v4"
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
