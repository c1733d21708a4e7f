package tally

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Memory is a Store that is held in memory, and the plainest statement of what a Store is: tests judge by it, and the
// one that spills is compared with it. Add everything, then read.
type Memory struct {
	streams  []Stream
	contexts []Context
	visits   [][]Visit
	acts     [][]*Act
	powers   []*Act
	gaps     []*Act
	tries    []*Try
	raw      []observed
	done     bool
}

type observed struct {
	act     Act
	context Context
}

// Place is where an event was seen.
type Place struct {
	Host, Format string
	Ref
}

// Add takes an observation. It copies what it keeps.
func (m *Memory) Add(at Place, o *logs.Observation) {
	if o.Kind == logs.Heartbeat && o.Inference != logs.Down && o.Inference != logs.Up || o.Kind == logs.Login && o.Count == 0 && !o.OK {
		return
	}
	m.done = false
	m.raw = append(m.raw, observed{ActOf(at, o), ContextOf(at, o)})
}

// AddStream takes a stream.
func (m *Memory) AddStream(s Stream) { m.streams = append(m.streams, s) }

// ContextOf returns the Context of an observation.
func ContextOf(at Place, o *logs.Observation) Context {
	return Context{
		Host: at.Host, Format: at.Format, Channel: o.Channel, Account: strings.ToLower(string(o.Account)), Standing: o.Standing,
		IP: string(o.IP), Agent: string(o.Agent), Session: string(o.Session), Device: string(o.Device), App: string(o.App),
	}
}

// ActOf returns the Act that is made of one observation, of no Context yet.
func ActOf(at Place, o *logs.Observation) Act {
	a := Act{
		Kind: o.Kind, OK: o.OK, Unknown: o.Unknown, Action: string(o.Action), Inference: o.Inference, Power: o.Power, Exposure: o.Exposure,
		ObjectKind: o.ObjectKind, Object: string(o.Object), In: strings.ToLower(string(o.In)), Folder: string(o.Folder), Target: string(o.Target),
		From: at.Time, To: at.Time, Times: 1, Count: o.Count, Bytes: o.Bytes, Most: o.Bytes, Refs: []Ref{at.Ref},
	}
	if at.Time != event.UnknownTime {
		a.From -= int64(o.Before)
		a.To += int64(o.After)
	}
	return a
}

// KeptRefs is how many references an Act keeps: the first ones, and the last.
const KeptRefs = 4

// CompareRefs puts references in order of time, then of place.
func CompareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Record, b.Record))
}

// Merge adds b, of the same Context and the same in all but times and amounts, to a. The result does not depend on the
// order in which acts are merged.
func (a *Act) Merge(b *Act) {
	a.From, a.To = min(a.From, b.From), max(a.To, b.To)
	a.Times += b.Times
	a.Count, a.Bytes = addKnown(a.Count, b.Count), addKnown(a.Bytes, b.Bytes)
	a.Most = max(a.Most, b.Most)
	a.Refs = append(a.Refs, b.Refs...)
	slices.SortFunc(a.Refs, CompareRefs)
	a.Refs = slices.Compact(a.Refs)
	if n := len(a.Refs); n > KeptRefs {
		a.Refs[KeptRefs-1] = a.Refs[n-1]
		a.Refs = a.Refs[:KeptRefs]
	}
}

func addKnown(a, b int64) int64 {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return a + b
}

// CompareActs puts acts of one Context in order: of what they are, then of time.
func CompareActs(a, b *Act) int {
	return cmp.Or(a.compareKind(b), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
}

func (a *Act) compareKind(b *Act) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), compareBool(a.OK, b.OK), compareBool(a.Unknown, b.Unknown), strings.Compare(a.In, b.In),
		strings.Compare(a.ObjectKind, b.ObjectKind), strings.Compare(a.Folder, b.Folder), strings.Compare(a.Object, b.Object),
		strings.Compare(a.Inference, b.Inference), strings.Compare(a.Action, b.Action), cmp.Compare(a.Power, b.Power),
		cmp.Compare(a.Exposure, b.Exposure), strings.Compare(a.Target, b.Target))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// CompareContexts puts contexts in order.
func CompareContexts(a, b Context) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.IP, b.IP), strings.Compare(a.Session, b.Session), strings.Compare(a.Device, b.Device),
		strings.Compare(a.App, b.App), strings.Compare(a.Agent, b.Agent), strings.Compare(a.Host, b.Host), strings.Compare(a.Format, b.Format),
		strings.Compare(a.Channel, b.Channel), cmp.Compare(a.Standing, b.Standing))
}

// build puts everything in order.
func (m *Memory) build() {
	if m.done {
		return
	}
	m.done = true
	m.contexts, m.visits, m.acts, m.powers, m.gaps, m.tries = nil, nil, nil, nil, nil, nil
	raw := slices.Clone(m.raw)
	slices.SortStableFunc(raw, func(a, b observed) int {
		return cmp.Or(CompareContexts(a.context, b.context), CompareActs(&a.act, &b.act), CompareRefs(a.act.Refs[0], b.act.Refs[0]))
	})
	for i := 0; i < len(raw); {
		j := i
		for j < len(raw) && raw[j].context == raw[i].context {
			j++
		}
		m.add(raw[i].context, raw[i:j])
		i = j
	}
	byTime := func(a, b *Act) int {
		return cmp.Or(cmp.Compare(a.From, b.From), CompareActs(a, b), CompareContexts(m.contexts[a.Context], m.contexts[b.Context]))
	}
	slices.SortStableFunc(m.powers, byTime)
	slices.SortStableFunc(m.gaps, byTime)
	slices.SortStableFunc(m.tries, func(a, b *Try) int {
		return cmp.Or(strings.Compare(a.IP, b.IP), cmp.Compare(a.From, b.From), strings.Compare(a.Account, b.Account), strings.Compare(a.Host, b.Host),
			strings.Compare(a.Format, b.Format), strings.Compare(a.Channel, b.Channel))
	})
	slices.SortStableFunc(m.streams, func(a, b Stream) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), strings.Compare(a.Host, b.Host), strings.Compare(a.Format, b.Format))
	})
}

func (m *Memory) add(c Context, list []observed) {
	var did []*Act
	for i := range list {
		a := list[i].act
		a.Refs = slices.Clone(a.Refs)
		if n := len(did); n > 0 && did[n-1].compareKind(&a) == 0 && Adjacent(did[n-1].To, a.From) {
			did[n-1].Merge(&a)
			continue
		}
		did = append(did, &a)
	}
	var stays []Visit
	var kept []*Act
	for _, a := range did {
		if a.Kind == logs.Login && !a.OK && !a.Unknown {
			m.tries = append(m.tries, &Try{Host: c.Host, Format: c.Format, Channel: c.Channel, IP: c.IP, Account: c.Account,
				From: a.From, To: a.To, Times: max(a.Times, a.Count), First: a.Refs[0]})
			continue
		}
		a.Context = len(m.contexts)
		kept = append(kept, a)
		switch a.Kind {
		case logs.Capability, logs.Containment:
			m.powers = append(m.powers, a)
		case logs.Gap, logs.Heartbeat:
			m.gaps = append(m.gaps, a)
			continue
		}
		if a.OK || a.Unknown {
			stays = append(stays, Visit{From: a.From, To: a.To, Acts: a.Times, First: a.Refs[0]})
		}
	}
	if len(kept) == 0 {
		return
	}
	m.contexts = append(m.contexts, c)
	m.acts = append(m.acts, kept)
	slices.SortStableFunc(stays, func(a, b Visit) int { return cmp.Or(cmp.Compare(a.From, b.From), CompareRefs(a.First, b.First)) })
	var visits []Visit
	for _, v := range stays {
		if n := len(visits); n > 0 && Adjacent(visits[n-1].To, v.From) {
			last := &visits[n-1]
			last.To, last.Acts = max(last.To, v.To), last.Acts+v.Acts
			if CompareRefs(v.First, last.First) < 0 {
				last.First = v.First
			}
			continue
		}
		visits = append(visits, v)
	}
	m.visits = append(m.visits, visits)
}

// Adjacent reports whether what begins at from belongs to the same Visit as what ended at to and began no later.
func Adjacent(to, from int64) bool {
	if to == event.UnknownTime || from == event.UnknownTime {
		return to == from
	}
	return from-to <= Idle
}

// Streams implements [Store].
func (m *Memory) Streams() []Stream { m.build(); return m.streams }

// Contexts implements [Store].
func (m *Memory) Contexts() []Context { m.build(); return m.contexts }

// Visits implements [Store].
func (m *Memory) Visits(context int) []Visit { m.build(); return m.visits[context] }

// Acts implements [Store].
func (m *Memory) Acts(context int) iter.Seq2[*Act, error] { m.build(); return each(m.acts[context]) }

// Powers implements [Store].
func (m *Memory) Powers() iter.Seq2[*Act, error] { m.build(); return each(m.powers) }

// Gaps implements [Store].
func (m *Memory) Gaps() iter.Seq2[*Act, error] { m.build(); return each(m.gaps) }

// Tries implements [Store].
func (m *Memory) Tries() iter.Seq2[*Try, error] { m.build(); return each(m.tries) }

// Touched implements [Store].
func (m *Memory) Touched(in string) iter.Seq2[*Act, error] {
	m.build()
	return func(yield func(*Act, error) bool) {
		for _, list := range m.acts {
			for _, a := range list {
				if a.Touches(in) && !yield(a, nil) {
					return
				}
			}
		}
	}
}

// Touches reports whether the act is on what lies in in, or on that itself.
func (a *Act) Touches(in string) bool {
	return a.In == in || a.In == "" && strings.EqualFold(a.Object, in)
}

func each[T any](list []*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, x := range list {
			if !yield(x, nil) {
				return
			}
		}
	}
}
