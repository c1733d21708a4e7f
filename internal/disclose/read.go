package disclose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/strictyaml"
)

// maxFacts is how large a file of facts may be, in bytes.
const maxFacts = 16 << 20

// ParseFacts reads what a file of facts says for the disclosure: its keys "organisation" and "disclosure". The others are
// judge.ParseFacts' to read. An unknown key, a time without an offset, a code that there is not, and facts that contradict each
// other are errors that name the line and the key. A nil or empty text is facts that say nothing. Whether acts name regimes and stages
// that there are is CheckRegimes' to say.
func ParseFacts(text []byte) (*Facts, error) {
	if len(text) > maxFacts {
		return nil, fmt.Errorf("more than %d MiB: facts are shorter", maxFacts>>20)
	}
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, strictyaml.Syntax(err)
	}
	f := &Facts{root: &root}
	if len(root.Content) == 0 {
		return f, nil
	}
	if err := f.decode(root.Content[0]); err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Facts) decode(n *yaml.Node) error {
	var sections struct {
		Organisation yaml.Node `yaml:"organisation"`
		Disclosure   yaml.Node `yaml:"disclosure"`
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: facts are keys and values, such as organisation: {name: …}", n.Line)
	}
	if err := n.Decode(&sections); err != nil {
		return err
	}
	if o := &sections.Organisation; present(o) {
		f.Organisation = &casefile.Organisation{}
		if err := strictyaml.Keys(o, reflect.TypeFor[casefile.Organisation](), "organisation"); err != nil {
			return err
		}
		if err := o.Decode(f.Organisation); err != nil {
			return err
		}
	}
	d := &sections.Disclosure
	if f.said = present(d); !f.said {
		return nil
	}
	if d.Kind != yaml.MappingNode && d.Kind != yaml.AliasNode {
		return fmt.Errorf("line %d: disclosure: it takes keys: entity, incident, services, impact, personal_data, dora, acts", d.Line)
	}
	if err := strictyaml.KeysAndOffsets(d, reflect.TypeFor[Facts](), "disclosure"); err != nil {
		return err
	}
	return d.Decode(f)
}

func present(n *yaml.Node) bool { return n.Kind != 0 && n.Tag != "!!null" }

// Empty says whether the facts say nothing for the disclosure, not even whose case it is.
func (f *Facts) Empty() bool {
	if f.Organisation != nil {
		return false
	}
	if f.root == nil {
		g := *f
		g.zone = nil
		return reflect.DeepEqual(g, Facts{})
	}
	return !f.said
}

// Zone returns the time zone of the entity: the one given, or else the one of its country, or UTC. Given says whether the facts name it.
func (f *Facts) Zone() (zone *time.Location, given bool) {
	if f.zone != nil {
		return f.zone, true
	}
	if z, err := time.LoadLocation(countryZones[f.Home()]); err == nil && countryZones[f.Home()] != "" {
		return z, false
	}
	return time.UTC, false
}

// Home returns the country of the entity, ISO 3166-1 alpha-2: "" if nobody says.
func (f *Facts) Home() string {
	if f.Entity.Home != "" {
		return f.Entity.Home
	}
	if f.Organisation != nil {
		return f.Organisation.Country
	}
	return ""
}

// line says where a key of the facts stands, for an error: "line 12: disclosure.acts: ". Path is keys and numbers of items.
func (f *Facts) line(path ...any) string {
	key := ""
	for _, p := range path {
		if s, ok := p.(string); ok {
			if key != "" {
				key += "."
			}
			key += s
		}
	}
	if n := strictyaml.Line(f.root, path...); n > 0 {
		return fmt.Sprintf("line %d: %s: ", n, key)
	}
	return key + ": "
}

// UnmarshalYAML reads a number, or {value, basis}.
func (q *Quantity) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	var err error
	if n.Kind == yaml.MappingNode {
		type plain Quantity
		err = n.Decode((*plain)(q))
	} else {
		err = n.Decode(&q.Value)
	}
	switch {
	case err != nil:
		return fmt.Errorf("line %d: a quantity is a number, or {value: 1200, basis: estimate}", n.Line)
	case math.IsNaN(q.Value) || math.IsInf(q.Value, 0) || q.Value < 0 || q.Value > maxQuantity:
		return fmt.Errorf("line %d: %v is no quantity: it takes a number from 0 to 10^15", n.Line, q.Value)
	case q.Basis != "" && q.Basis != "actual" && q.Basis != "estimate":
		return fmt.Errorf("line %d: basis: %q is none of actual, estimate", n.Line, q.Basis)
	}
	return nil
}

// maxQuantity is more than there is of anything that is asked for, and a whole number in float64.
const maxQuantity = 1e15
