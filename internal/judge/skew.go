package judge

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// skewedStore is a Store in which what a log tells whose clock may be off happened at a time as much less certain. References to
// records, and visits, have the times that the log says.
type skewedStore struct {
	tally.Store
	by   []int64 // nanoseconds, of each context
	logs map[logAt]int64
}

// logAt is a log of a host, as a Context has them.
type logAt struct{ host, format string }

// store returns what the logs taught, with the times as far as clocks that agree tell them.
func (c *coverage) store() tally.Store {
	if len(c.skewed) == 0 {
		return c.in.Store
	}
	s := &skewedStore{Store: c.in.Store, logs: c.skewed}
	for _, ctx := range s.Contexts() {
		s.by = append(s.by, c.skewed[logAt{ctx.Host, ctx.Format}])
	}
	return s
}

// skew returns by how much the times of what a context did may be off, in nanoseconds.
func (in *Input) skew(context int) int64 {
	if s, ok := in.Store.(*skewedStore); ok {
		return s.by[context]
	}
	return 0
}

// skewOf is skew, of all that a log tells.
func (in *Input) skewOf(host, format string) int64 {
	if s, ok := in.Store.(*skewedStore); ok {
		return s.logs[logAt{host, format}]
	}
	return 0
}

func (s *skewedStore) widen(a *tally.Act) *tally.Act {
	by := s.by[a.Context]
	if by == 0 || a.From == event.UnknownTime {
		return a
	}
	w := *a
	if w.From -= by; w.From > a.From || w.From == event.UnknownTime {
		w.From = event.UnknownTime + 1
	}
	if w.To += by; w.To < a.To {
		w.To = math.MaxInt64
	}
	return &w
}

func (s *skewedStore) each(all iter.Seq2[*tally.Act, error]) iter.Seq2[*tally.Act, error] {
	return func(yield func(*tally.Act, error) bool) {
		for a, err := range all {
			if err == nil {
				a = s.widen(a)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

// Acts implements [tally.Store].
func (s *skewedStore) Acts(context int) iter.Seq2[*tally.Act, error] {
	return s.each(s.Store.Acts(context))
}

// Touched implements [tally.Store].
func (s *skewedStore) Touched(in string) iter.Seq2[*tally.Act, error] {
	return s.each(s.Store.Touched(in))
}

// Powers implements [tally.Store].
func (s *skewedStore) Powers() iter.Seq2[*tally.Act, error] {
	return func(yield func(*tally.Act, error) bool) {
		var list []*tally.Act
		for a, err := range s.each(s.Store.Powers()) {
			if err != nil {
				yield(nil, err)
				return
			}
			list = append(list, a)
		}
		slices.SortStableFunc(list, func(a, b *tally.Act) int { return cmp.Compare(a.From, b.From) })
		for _, a := range list {
			if !yield(a, nil) {
				return
			}
		}
	}
}
