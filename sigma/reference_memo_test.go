package sigma

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
)

// refMemo remembers what the reference found, so that all rules can be compared on all events in minutes: a line of a rule asks for one
// field, and the values of most fields come back in event after event. It decides nothing itself.
type refMemo struct {
	lines    map[*line]*memoLine
	fields   []*memoField
	keywords map[*scalar]int // by value of a rule; equal ones have one number
	words    int             // different keywords
	texts    map[string][]verdict
	event    uint32 // the number of the event
}

// verdict is what is known of a line or keyword.
type verdict uint8

const (
	unknown verdict = iota
	isFalse
	isTrue
)

func verdictOf(b bool) verdict {
	if b {
		return isTrue
	}
	return isFalse
}

// memoLine is a line of a rule; lines that ask for the same are one.
type memoLine struct {
	field *memoField // nil: keywords, or a comparison of fields, of which only the result for the event is kept
	index int        // among the lines of the field

	event  uint32
	result bool
}

// memoField is what is known of the values of a field.
type memoField struct {
	name  string
	lines int
	seen  map[string][]verdict // of all lines, by all values

	event uint32
	known []verdict // of the values in the event
	key   []byte
}

// How much is remembered before it is forgotten, in verdicts.
const (
	maxFieldVerdicts   = 32 << 20
	maxKeywordVerdicts = 64 << 20
)

func newRefMemo(rules []*Rule) *refMemo {
	m := &refMemo{lines: map[*line]*memoLine{}, keywords: map[*scalar]int{}, texts: map[string][]verdict{}}
	fields, same, words := map[string]*memoField{}, map[string]*memoLine{}, map[string]int{}
	var add func(b *block)
	add = func(b *block) {
		for _, sub := range b.any {
			add(sub)
		}
		for i := range b.all {
			l := &b.all[i]
			key := fmt.Sprintf("%q %q", l.field, l.modifiers)
			if l.field == "" {
				for j := range l.values {
					word := fmt.Sprintf("%s %q", key, l.values[j].text)
					if _, ok := words[word]; !ok {
						words[word] = len(words)
					}
					m.keywords[&l.values[j]] = words[word]
				}
			}
			for _, v := range l.values {
				key += fmt.Sprintf(" %v %q", v.null, v.text)
			}
			at := same[key]
			if at == nil {
				at = &memoLine{}
				same[key] = at
				if l.field != "" && !l.has("fieldref") {
					f := fields[l.field]
					if f == nil {
						f = &memoField{name: l.field, seen: map[string][]verdict{}}
						fields[l.field] = f
						m.fields = append(m.fields, f)
					}
					at.field, at.index = f, f.lines
					f.lines++
				}
			}
			m.lines[l] = at
		}
	}
	for _, r := range rules {
		for _, s := range r.detection.selections {
			add(s.body)
		}
	}
	m.words = len(words)
	return m
}

// recalled is line, for every set of values once.
func (r *reference) recalled(l *line, ev *refEvent) bool {
	at := r.memo.lines[l]
	if at.field == nil {
		if at.event != r.memo.event {
			at.event, at.result = r.memo.event, r.line(l, ev)
		}
		return at.result
	}
	known := at.field.of(ev, r.memo.event)
	if known[at.index] == unknown {
		known[at.index] = verdictOf(r.line(l, ev))
	}
	return known[at.index] == isTrue
}

// of returns what is known of the values of the field in the event.
func (f *memoField) of(ev *refEvent, event uint32) []verdict {
	if f.event == event {
		return f.known
	}
	f.event, f.key = event, f.key[:0]
	for _, x := range ev.fields[f.name] {
		switch {
		case x.null:
			f.key = append(f.key, 'n')
		case x.list:
			f.key = append(f.key, 'l')
		case x.none:
			f.key = append(f.key, 'e')
		default:
			f.key = append(binary.AppendUvarint(append(f.key, 't'), uint64(len(x.text))), x.text...)
		}
	}
	known, ok := f.seen[string(f.key)]
	if !ok {
		if len(f.seen)*f.lines > maxFieldVerdicts {
			clear(f.seen)
		}
		known = make([]verdict, f.lines)
		f.seen[string(f.key)] = known
	}
	f.known = known
	return known
}

// recalledKeyword is one, for every text once.
func (r *reference) recalledKeyword(l *line, v *scalar, x *refValue) bool {
	m := r.memo
	if x.known == nil {
		key := "t" + x.text
		if x.null {
			key = "n"
		}
		if x.known = m.texts[key]; x.known == nil {
			if len(m.texts)*m.words > maxKeywordVerdicts {
				clear(m.texts)
			}
			x.known = make([]verdict, m.words)
			m.texts[key] = x.known
		}
	}
	i := m.keywords[v]
	if x.known[i] == unknown {
		x.known[i] = verdictOf(r.one(l, v, x))
	}
	return x.known[i] == isTrue
}

// next says that another event comes.
func (m *refMemo) next() { m.event++ }

// refApplies reports whether a rule asks for events of one of the log sources.
func refApplies(rule event.LogSource, sources []event.LogSource) bool {
	asks := func(want, have string) bool { return want == "" || want == have }
	return slices.ContainsFunc(sources, func(s event.LogSource) bool {
		return asks(rule.Product, s.Product) && asks(rule.Category, s.Category) && asks(rule.Service, s.Service)
	})
}
