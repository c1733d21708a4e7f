package judge

import (
	"cmp"
	"math"
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// slack is by how much the clock of an inventory may differ from that of a log before something is excluded for not having been
// there, in nanoseconds: that a clock was set right shows only where its log is whole. Microsoft 365 has one clock.
const (
	slack      = 3600e9
	slackCloud = 60e9
)

// degree is how sure it is that something was reached.
type degree uint8

const (
	not degree = iota
	may
	was
)

// levels is a degree for each exposure; that of a greater one holds for the smaller ones too.
type levels [4]degree

func (l *levels) raise(x logs.Exposure, d degree) {
	for i := logs.Metadata; i <= x; i++ {
		l[i] = max(l[i], d)
	}
}

func (l *levels) join(o *levels) {
	for i := range l {
		l[i] = max(l[i], o[i])
	}
}

// main returns the highest that is known: confirmed content, confirmed partial, possible content, possible partial, and then metadata.
func (l *levels) main() (logs.Exposure, degree) {
	for _, d := range [...]degree{was, may} {
		for _, x := range [...]logs.Exposure{logs.Content, logs.Partial} {
			if l[x] == d {
				return x, d
			}
		}
	}
	if l[logs.Metadata] != not {
		return logs.Metadata, l[logs.Metadata]
	}
	return logs.NoExposure, not
}

// content returns the degree of content or a part of it.
func (l *levels) content() degree { return max(l[logs.Content], l[logs.Partial]) }

// wayKey is what ways are told apart by.
type wayKey struct {
	rule     string
	of       string // the inference or the reason of a gap that it goes back to
	grasp    grasp
	degree   degree // of the items that it is about
	exposure logs.Exposure
	open     bool // suspected, not the attacker's
}

// way is how the items of a container were, or may have been, reached: all records and all holes of coverage of one kind together.
type way struct {
	wayKey
	// self is the degree of the container itself.
	self degree
	// from and to enclose all of it.
	from, to int64
	// size is what no item that it reached can be larger than, and items how many it reached at most; -1 where nothing bounds them.
	size, items int64
	// arriving says that only what arrived in that time is meant.
	arriving bool
	// odd says that only items are meant that the inventory names otherwise than by an Internet message id.
	odd bool
	// folders are, by folder, the times at which all that was in it was read; "" is all of the mailbox.
	folders map[string][]tally.Span
	times   int64
	bytes   int64
	refs    []tally.Ref
	by      []string
	// words say more of it: channels and hosts.
	words []string
	gaps  []gapOn
	said  *casefile.Reason // why an item is reached by it, once that was told
}

// mostBy is how many sessions, and mostWords how many further words, are kept of a way.
const (
	mostBy    = 50
	mostWords = 6
)

// span widens the way by a time.
func (w *way) span(from, to int64) {
	w.from, w.to = min(w.from, from), max(w.to, to)
}

// widen takes an act that another way has taken, without a bound.
func (w *way) widen(o *way, a *tally.Act, s *session) {
	w.bound(-1, 0) // o counts them
	w.record(a, s)
	w.self = max(w.self, may)
	w.span(o.from, o.to)
}

// bound takes the bounds of another act: -1 for none.
func (w *way) bound(size, items int64) {
	if w.times == 0 {
		w.size, w.items = size, items
		return
	}
	if size < 0 || w.size < 0 {
		w.size = -1
	} else {
		w.size = max(w.size, size)
	}
	if items < 0 || w.items < 0 || items > math.MaxInt64-w.items {
		w.items = -1
	} else {
		w.items += items
	}
}

// record takes what an act proves it by.
func (w *way) record(a *tally.Act, s *session) {
	w.times += max(a.Times, 1)
	w.bytes = addBytes(w.bytes, a.Bytes)
	w.refs = keepRefs(w.refs, a.Refs)
	if s != nil {
		w.by = addTo(w.by, s.ID, mostBy)
	}
}

func addBytes(sum, n int64) int64 {
	if n <= 0 || sum > math.MaxInt64-n {
		return sum
	}
	return sum + n
}

// keepRefs returns the first few of both and the last, in order.
func keepRefs(refs, more []tally.Ref) []tally.Ref {
	if len(more) == 0 {
		return refs
	}
	refs = append(refs, more...)
	slices.SortFunc(refs, tally.CompareRefs)
	refs = slices.Compact(refs)
	if n := len(refs); n > tally.KeptRefs {
		refs[tally.KeptRefs-1] = refs[n-1]
		refs = refs[:tally.KeptRefs]
	}
	return refs
}

// addTo adds s to a sorted list, unless it is there; beyond most it keeps the first ones.
func addTo(list []string, s string, most int) []string {
	if s == "" {
		return list
	}
	i, ok := slices.BinarySearch(list, s)
	if ok || i >= most {
		return list
	}
	list = slices.Insert(list, i, s)
	if len(list) > most {
		list = list[:most]
	}
	return list
}

// being is what the inventory says of one copy of an item.
type being struct {
	from, to int64 // when it was there; always and never where it does not say
	known    bool  // that it says from when
	size     int64 // -1 if unknown
	folder   string
	standard bool // its name is an Internet message id
}

// reaches returns the degree to which the way reaches a copy of an item that no record names.
func (w *way) reaches(m *being) degree {
	if w.grasp == graspNamed || w.grasp == graspSelf || w.odd && m.standard {
		return not
	}
	by := int64(slack)
	if w.rule == logs.SyncFolder || w.rule == ruleSyncMailbox {
		by = slackCloud
	}
	if w.grasp == graspWhole {
		if m.from > sum(w.to, by) || m.to < sum(w.from, -by) {
			return not
		}
		best := not
		for _, folder := range [...]string{"", m.folder} {
			for _, at := range w.folders[folder] {
				if w.degree == was && m.known && m.from <= at.From && m.to > at.To {
					return was
				}
				best = may
			}
		}
		if m.folder == "" {
			best = may
		}
		return best
	}
	if w.arriving && m.known && (m.from < sum(w.from, -by) || m.from > sum(w.to, by)) {
		return not
	}
	if m.from > sum(w.to, by) || m.to < sum(w.from, -by) || w.size >= 0 && m.size > w.size {
		return not
	}
	return min(w.degree, may)
}

// sum is a+b within the bounds of time.
func sum(a, b int64) int64 {
	switch {
	case a <= always || a == never:
		return a
	case b > 0 && a > never-b:
		return never
	case b < 0 && a < always-b:
		return always
	}
	return a + b
}

// settleFolders puts the times of each folder in order and leaves out those that add nothing.
func (w *way) settleFolders() {
	for f, list := range w.folders {
		slices.SortFunc(list, func(a, b tally.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
		list = slices.Compact(list)
		// The first and the last few tell nearly all that is to be told of what was in the folder; the others only of what came
		// and went between two of them.
		if n := len(list); n > 64 {
			thin := make([]tally.Span, 0, 64)
			for i := range 63 {
				thin = append(thin, list[i*(n-1)/63])
			}
			list = append(thin, list[n-1])
		}
		w.folders[f] = list
	}
}

// joinSpans returns spans in order, those that overlap as one.
func joinSpans(list []tally.Span) []tally.Span {
	slices.SortFunc(list, func(a, b tally.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// meets reports whether one of the spans, as joinSpans or mergeSpans returns them, has a moment in common with the time from from to to.
func meets(spans []tally.Span, from, to int64) bool {
	i, _ := slices.BinarySearchFunc(spans, from, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
	return i < len(spans) && spans[i].From <= to
}

// orAlways and orNever are a time, or the end of time where it is unknown.
func orAlways(t int64) int64 {
	if t == event.UnknownTime {
		return always
	}
	return t
}

func orNever(t int64) int64 {
	if t == event.UnknownTime {
		return never
	}
	return t
}
