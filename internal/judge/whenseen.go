package judge

import (
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// whenSeen knows when visits of different kinds were.
type whenSeen[K comparable] struct {
	spans   map[K][]tally.Span
	untimed map[K]bool // kinds of which a visit has no time
}

func newWhenSeen[K comparable]() whenSeen[K] {
	return whenSeen[K]{make(map[K][]tally.Span), make(map[K]bool)}
}

// add takes visits of a kind.
func (w *whenSeen[K]) add(k K, visits []tally.Visit) {
	for _, v := range visits {
		if v.From == event.UnknownTime {
			w.untimed[k] = true
			continue
		}
		w.spans[k] = append(w.spans[k], tally.Span{From: v.From, To: v.To})
	}
}

// join makes ready to be asked, once all visits were added.
func (w *whenSeen[K]) join() {
	for k, list := range w.spans {
		w.spans[k] = joinSpans(list)
	}
}

// between reports whether a visit of the kind was in the time from from to to, or may have been.
func (w *whenSeen[K]) between(k K, from, to int64) bool {
	return w.untimed[k] || meets(w.spans[k], from, to)
}
