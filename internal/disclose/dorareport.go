package disclose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// doraReport is what stands in the fields of a report.
type doraReport struct {
	stage doraStage
	// values are by the number of the field: string, []string, bool or json.Number as the kind of the field says. What is not known is not
	// in it.
	values map[string]any
	// from says where each value comes from, and what is missing where there is none.
	from map[string]doraOrigin
	// ask is what its rules have to know besides the values.
	ask doraContext
}

// doraOrigin is where a value comes from.
type doraOrigin struct {
	basis doraBasis
	refs  []string // keys of the facts, or what of the case shows it
}

// doraBasis is who answers for a value.
type doraBasis int

const (
	basisOpen     doraBasis = iota // nobody knows: refs are keys that would say
	basisFacts                     // people
	basisCase                      // the evidence
	basisComputed                  // computed from facts
	basisPrevious                  // it stands in the report before, and nobody says otherwise
)

// doraContext is what of facts and case decides which fields are needed.
type doraContext struct {
	home      string // ISO 3166
	acpr      bool   // the report goes to the French authority
	submitted bool   // an initial notification was submitted
	stillDown bool   // a service is down
	down      bool   // a service was down
	third     bool   // a third party is named
	recurring bool   // earlier incidents are named
	hosts     bool   // the case proves that the attacker had control of hosts
	content   bool   // the case proves that content was accessed
}

func newDoraReport(stage doraStage) *doraReport {
	r := &doraReport{stage: stage, values: map[string]any{}, from: map[string]doraOrigin{}}
	r.set("1.1", doraStages[stage], basisComputed, "--form "+doraFormName(stage))
	return r
}

// set gives a field its value. One that says nothing ("", no entries) leaves it as it is.
func (r *doraReport) set(number string, value any, basis doraBasis, refs ...string) {
	switch v := value.(type) {
	case string:
		if value = plainText(v); value == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	}
	r.values[number], r.from[number] = value, doraOrigin{basis, refs}
}

// text returns the value of a field that is a string; "" if there is none.
func (r *doraReport) text(number string) string {
	s, _ := r.values[number].(string)
	return s
}

// list returns the value of a field that has several.
func (r *doraReport) list(number string) []string {
	l, _ := r.values[number].([]string)
	return l
}

// has says whether a field of several values has that one.
func (r *doraReport) has(number, code string) bool { return slices.Contains(r.list(number), code) }

// given says whether a field has a value.
func (r *doraReport) given(number string) bool { _, ok := r.values[number]; return ok }

// written says whether a field stands in the JSON: its part belongs to the stage, and it has a value and a place.
func (r *doraReport) written(f *doraField) bool {
	if !r.given(f.number) || !r.stage.carries(f.part()) && f.number != "3.1" {
		return false
	}
	if f.number == "3.1" && r.stage == doraInitial {
		return false
	}
	crit := criterionOf(f.path)
	return crit == "" || r.has("2.5", crit)
}

// criterionOf returns the criterion that a path is for: what stands in its brackets.
func criterionOf(path string) string {
	_, rest, ok := strings.Cut(path, "[")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "]")
	return name
}

// doraObject is a JSON object whose members keep their order.
type doraObject struct {
	keys   []string
	values map[string]any // *doraObject, []*doraObject, or what a field holds
}

func (o *doraObject) put(key string, v any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

// child returns the object under key, making it.
func (o *doraObject) child(key string) *doraObject {
	if c, ok := o.values[key].(*doraObject); ok {
		return c
	}
	c := &doraObject{}
	o.put(key, c)
	return c
}

// MarshalJSON writes the members in their order.
func (o *doraObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", k)
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(o.values[k]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// doraRoles are what the schema wants to be told of each organisation.
var doraRoles = map[string]string{"submittingEntity": "SUBMITTING_ENTITY", "affectedEntity": "AFFECTED_ENTITY", "ultimateParentUndertaking": "ULTIMATE_PARENT_UNDERTAKING_ENTITY"}

// object returns the report as the schema IR-1.2.1 wants it. What is empty is left out.
func (r *doraReport) object() *doraObject {
	root := &doraObject{}
	var criteria []*doraObject
	for _, number := range doraOrder {
		f := doraFieldOf(number)
		if !r.written(f) {
			continue
		}
		if number == "2.5" {
			for _, c := range r.list(number) {
				item := &doraObject{}
				item.put("classificationCriterion", c)
				criteria = append(criteria, item)
			}
			root.child("incident").put("classificationTypes", criteria)
			continue
		}
		steps := strings.Split(f.path, ".")
		last := len(steps) - 1
		key := steps[last]
		if number == "1.3" && !leiShape.MatchString(r.text(number)) {
			key = "code"
		}
		o := root
		for _, step := range steps[:last] {
			o = o.step(step, criteria)
		}
		o.put(key, r.values[number])
	}
	return root
}

// step returns what a step of a path leads to, making it.
func (o *doraObject) step(step string, criteria []*doraObject) *doraObject {
	name, inside, array := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	if inside != "" {
		i := slices.IndexFunc(criteria, func(c *doraObject) bool { return c.values["classificationCriterion"] == inside })
		return criteria[i] // written sees to it that there is one
	}
	role, known := doraRoles[name], o.values[name] != nil
	var in *doraObject
	switch {
	case !array:
		in = o.child(name)
	case known:
		in = o.values[name].([]*doraObject)[0]
	default:
		in = &doraObject{}
		o.put(name, []*doraObject{in})
	}
	if role != "" && !known {
		in.put("entityType", role)
	}
	return in
}

// writeJSON writes the report.
func (r *doraReport) writeJSON(w io.Writer) error {
	var out bytes.Buffer
	p, err := r.object().MarshalJSON()
	if err != nil {
		return err
	}
	if err := json.Indent(&out, p, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = w.Write(out.Bytes())
	return err
}

// maxPrevious is how large a report that was filed may be, in bytes.
const maxPrevious = 8 << 20

// readDORA reads a report as it was filed. Anything in it that is no field of IR-1.2.1 is an error: what is not understood would be lost in
// the next report.
func readDORA(p []byte) (*doraReport, error) {
	if len(p) > maxPrevious {
		return nil, fmt.Errorf("more than %d MiB: no report under DORA", maxPrevious>>20)
	}
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("no report under DORA in JSON: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("no report under DORA: something follows after it")
	}
	r := &doraReport{values: map[string]any{}, from: map[string]doraOrigin{}}
	for stage, name := range doraStages {
		if root["incidentSubmission"] == name {
			r.stage = stage
		}
	}
	if r.stage == 0 {
		return nil, fmt.Errorf("incidentSubmission (1.1) is none of initial_notification, intermediate_report, final_report: no report under DORA")
	}
	if err := r.read(root, ""); err != nil {
		return nil, err
	}
	return r, nil
}

// read takes the fields of an object that stands at path.
func (r *doraReport) read(o map[string]any, path string) error {
	for _, key := range sortedKeys(o) {
		at := key
		if path != "" {
			at = path + "." + key
		}
		v := o[key]
		if key == "entityType" && doraRoles[strings.TrimSuffix(path, "[]")] == v {
			continue
		}
		if at == "submittingEntity.code" {
			if r.given("1.3") {
				return fmt.Errorf("submittingEntity has both LEI and code (1.3): one of them")
			}
			at = "submittingEntity.LEI"
		}
		if f := doraFieldAt(at); f != nil {
			if err := r.take(f, v); err != nil {
				return err
			}
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			if !doraPathBegins(at + ".") {
				return fmt.Errorf("%s is no field of IR-1.2.1", at)
			}
			if err := r.read(v, at); err != nil {
				return err
			}
		case []any:
			if err := r.readItems(v, at); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is no field of IR-1.2.1", at)
		}
	}
	return nil
}

func (r *doraReport) readItems(items []any, at string) error {
	if at != "affectedEntity" && at != "incident.classificationTypes" {
		return fmt.Errorf("%s is no field of IR-1.2.1", at)
	}
	if at == "affectedEntity" && len(items) != 1 {
		return fmt.Errorf("affectedEntity has %d entries: Barid writes reports of one financial entity, not aggregated ones", len(items))
	}
	for i, item := range items {
		o, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("%s[%d] is no object", at, i)
		}
		if at == "affectedEntity" {
			if err := r.read(o, "affectedEntity[]"); err != nil {
				return err
			}
			continue
		}
		crit, _ := o["classificationCriterion"].(string)
		if !slices.Contains(doraCriteria, crit) {
			return fmt.Errorf("%s[%d].classificationCriterion (2.5): %q is no criterion", at, i, crit)
		}
		if r.has("2.5", crit) {
			return fmt.Errorf("%s[%d].classificationCriterion (2.5): %s stands twice", at, i, crit)
		}
		r.values["2.5"] = append(r.list("2.5"), crit)
		r.from["2.5"] = doraOrigin{basis: basisPrevious}
		delete(o, "classificationCriterion")
		if err := r.read(o, at+"["+crit+"]"); err != nil {
			return err
		}
	}
	return nil
}

// take reads the value of a field. Programs that write what is empty, instead of leaving it out, mean the same.
func (r *doraReport) take(f *doraField, v any) error {
	if l, ok := v.([]any); v == nil || v == "" || ok && len(l) == 0 {
		return nil
	}
	value, err := f.decode(v)
	if err != nil {
		return fmt.Errorf("%s (%s): %w", f.path, f.number, err)
	}
	if f.kind == kindTime {
		value = utcText(value.(string))
	}
	r.values[f.number], r.from[f.number] = value, doraOrigin{basis: basisPrevious}
	return nil
}

func doraFieldAt(path string) *doraField {
	for i := range doraFields {
		if doraFields[i].path == path && doraFields[i].number != "2.5" {
			return &doraFields[i]
		}
	}
	return nil
}

func doraPathBegins(with string) bool {
	return slices.ContainsFunc(doraFields, func(f doraField) bool { return strings.HasPrefix(f.path, with) })
}

// doraChange is a field that says something else than before.
type doraChange struct {
	field   *doraField
	was, is any // nil where there is none
}

// changes returns which fields of the earlier report say something else now, in the order of the template. Fields of parts that the
// earlier one did not have are new and not in it.
func (r *doraReport) changes(earlier *doraReport) []doraChange {
	var out []doraChange
	for i := range doraFields {
		f := &doraFields[i]
		if f.number == "1.1" || !earlier.stage.carries(f.part()) && !earlier.given(f.number) {
			continue
		}
		was, is := earlier.values[f.number], r.values[f.number]
		if !r.written(f) {
			is = nil
		}
		if !sameValue(was, is) {
			out = append(out, doraChange{f, was, is})
		}
	}
	return out
}

func sameValue(a, b any) bool {
	x, okX := a.([]string)
	y, okY := b.([]string)
	if okX && okY {
		x, y = slices.Clone(x), slices.Clone(y)
		slices.Sort(x)
		slices.Sort(y)
		return slices.Equal(x, y)
	}
	if m, ok := a.(json.Number); ok {
		if n, ok := b.(json.Number); ok {
			p, err1 := m.Float64()
			q, err2 := n.Float64()
			return m == n || err1 == nil && err2 == nil && p == q
		}
	}
	return reflect.DeepEqual(a, b)
}
