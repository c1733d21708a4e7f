// Package detect finds what matters in events: rules over single events, and counts over time.
package detect

import (
	"cmp"
	"fmt"
	"math"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/sigma"
)

// Rule is what a finding says of the rule that made it.
type Rule struct {
	ID    string
	Title string
	Level Level
	Tags  []string // "attack.t1190", "attack.initial-access", "cve.2021-26855"
}

// Finding is a rule that matched an event. It owns its memory.
type Finding struct {
	Rule *Rule
	// Time is nanoseconds since 1970 UTC, or event.UnknownTime.
	Time int64
	// Last is when the last event of a finding about several happened; 0 for one about a single event.
	Last int64
	// Source is the ordinal of the source in the run; Offset, Line and Record are the event's.
	Source               int
	Offset, Line, Record int64
	// Host, Client, Account and Object are whom it concerns, where the event says so, cut at maxText and maxObject bytes.
	// Client is without port.
	Host, Client, Account, Object string
	// Recovered says that the record was found where its log says that there is none.
	Recovered bool
	// Event holds the fields of the event as a JSON object. Of an event whose JSON would be longer than maxEvent, values
	// are cut, and say so.
	Event []byte
	// Clean says that Event is on one line, and its strings are as event.AppendString writes them: it can go into an output as
	// it stands.
	Clean bool
	// Raw is the event as it stands in the log, cut at MaxRaw bytes; nil for a binary log.
	Raw []byte
}

// MaxRaw is how much of a raw event a finding keeps, in bytes.
const MaxRaw = 2000

// An event can be as long as a block, and its JSON several times that; many rules can match it.
const (
	maxEvent  = 1 << 20 // bytes of JSON, beyond which values are cut
	maxValue  = 4 << 10 // bytes, of each of them then
	maxObject = 1 << 10
)

// Rules are the rules of a run: those of the Sigma engine, by its index.
type Rules struct {
	Engine *sigma.Engine
	list   []Rule

	correlations map[*sigma.Correlation]*Rule
}

// NewRules takes the rules of an engine.
func NewRules(e *sigma.Engine) *Rules {
	r := &Rules{Engine: e, list: make([]Rule, len(e.Rules())), correlations: make(map[*sigma.Correlation]*Rule)}
	for i, s := range e.Rules() {
		r.list[i] = Rule{ID: s.ID, Title: s.Title, Level: levelOf(s.Level), Tags: s.Tags}
	}
	for _, c := range e.Correlations() {
		r.correlations[c] = &Rule{ID: cmp.Or(c.ID, c.Name), Title: cmp.Or(c.Title, c.Name), Level: levelOf(c.Level), Tags: c.Tags}
	}
	return r
}

// Len returns how many rules and correlations there are.
func (r *Rules) Len() int { return len(r.list) + len(r.correlations) }

// levelOf reads the level of a rule. One without says nothing about how much it matters.
func levelOf(s string) Level {
	level, err := ParseLevel(s)
	if err != nil {
		return Medium
	}
	return level
}

// Detector matches events against rules, for one worker.
type Detector struct {
	rules   *Rules
	matcher *sigma.Matcher
	min     Level
	text    []byte
	keys    shapeKeys

	collector *sigma.Collector
	hit       hitNote
}

// NewDetector returns a Detector that reports findings of at least level min, and gives what correlations refer to to a
// collector, which may be nil.
func (r *Rules) NewDetector(min Level, collector *sigma.Collector) *Detector {
	return &Detector{rules: r, matcher: r.Engine.NewMatcher(), min: min, collector: collector}
}

// Detect appends the findings in the event to out. It allocates nothing for an event that matches nothing.
func (d *Detector) Detect(e *event.Event, source int, out []Finding) []Finding {
	hits := d.matcher.Match(e)
	if len(hits) == 0 {
		return out
	}
	if d.collector != nil {
		d.collect(e, hits, source)
	}
	var common Finding
	filled := false
	for _, i := range hits {
		rule := &d.rules.list[i]
		if rule.Level < d.min || d.rules.Engine.Silent(i) {
			continue
		}
		if !filled {
			common, filled = d.describe(e, source), true
		}
		f := common
		f.Rule = rule
		out = append(out, f)
	}
	return out
}

// describe returns all of a finding that does not depend on the rule.
func (d *Detector) describe(e *event.Event, source int) Finding {
	f := Finding{Time: e.Time, Source: source, Offset: e.Offset, Line: e.Line, Record: e.Record, Clean: true, Recovered: e.Shape.Slot(event.Recovered) >= 0}
	// One string holds all that is short.
	d.text = d.text[:0]
	var ends [4]int
	d.text = appendRole(d.text, e, event.Host)
	ends[0] = len(d.text)
	d.text = appendRole(d.text, e, event.Client)
	d.text = append(d.text[:ends[0]], event.Address(d.text[ends[0]:])...)
	ends[1] = len(d.text)
	d.text = appendRole(d.text, e, event.Account)
	ends[2] = len(d.text)
	if slot := e.Shape.Slot("cs-uri-stem"); slot >= 0 {
		d.text = e.Value(slot).AppendText(d.text)
		d.text = d.text[:min(len(d.text), ends[2]+maxObject)]
	}
	all := string(d.text)
	f.Host, f.Client, f.Account, f.Object = all[:ends[0]], all[ends[0]:ends[1]], all[ends[1]:ends[2]], all[ends[2]:]

	most := math.MaxInt
	if len(e.Raw) > maxEvent {
		most = maxValue
	}
	keys := d.keys.of(e.Shape)
	d.text = appendFields(d.text[:0], e, keys, most)
	if len(d.text) > maxEvent {
		d.text = appendFields(d.text[:0], e, keys, maxValue)
	}
	if n := len(d.text); n > maxEvent { // endless fields, or elements of lists
		d.text = fmt.Appendf(nil, `{"_cut":"the event is too long to keep: %d bytes of JSON"}`, n)
	}
	f.Event = append([]byte(nil), d.text...)
	if e.Line > 0 {
		f.Raw = append([]byte(nil), e.Raw[:min(len(e.Raw), MaxRaw)]...)
	}
	return f
}

// appendRole appends the text of the value that plays the part r, if there is any.
func appendRole(dst []byte, e *event.Event, r event.Role) []byte {
	v := e.Role(r)
	if v.IsNull() {
		return dst
	}
	start := len(dst)
	dst = v.AppendText(dst)
	if len(dst) == start+1 && dst[start] == '-' {
		return dst[:start]
	}
	return dst[:min(len(dst), start+maxText)]
}

// role returns the text of the value that plays the part r, "" if there is none.
func (d *Detector) role(e *event.Event, r event.Role) string {
	d.text = appendRole(d.text[:0], e, r)
	return string(d.text)
}
