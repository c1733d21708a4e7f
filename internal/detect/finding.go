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
	// Source is the ordinal of the source in the run; Offset, Line and Record are the event's.
	Source               int
	Offset, Line, Record int64
	// Host, Client, Account and Object are whom it concerns, where the event says so, cut at maxText and maxObject bytes.
	// Client is without port.
	Host, Client, Account, Object string
	// Event holds the fields of the event as a JSON object. Of an event whose JSON would be longer than maxEvent, values
	// are cut, and say so.
	Event []byte
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
	f := Finding{Time: e.Time, Source: source, Offset: e.Offset, Line: e.Line, Record: e.Record}
	f.Host = d.role(e, event.Host)
	f.Client = string(event.Address([]byte(d.role(e, event.Client))))
	f.Account = d.role(e, event.Account)
	if slot := e.Shape.Slot("cs-uri-stem"); slot >= 0 {
		d.text = e.Value(slot).AppendText(d.text[:0])
		f.Object = string(d.text[:min(len(d.text), maxObject)])
	}
	most := math.MaxInt
	if len(e.Raw) > maxEvent {
		most = maxValue
	}
	d.text = appendFields(d.text[:0], e, most)
	if len(d.text) > maxEvent {
		d.text = appendFields(d.text[:0], e, maxValue)
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

func (d *Detector) role(e *event.Event, r event.Role) string {
	v := e.Role(r)
	if v.IsNull() {
		return ""
	}
	d.text = v.AppendText(d.text[:0])
	if len(d.text) == 1 && d.text[0] == '-' {
		return ""
	}
	return string(d.text[:min(len(d.text), maxText)])
}
