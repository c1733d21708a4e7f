package tally

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/barid-dfir/barid/internal/event"
)

// answerRow is an Answer of one source.
type answerRow struct {
	Answer
	hash uint64 // of the address: those with the smallest are kept
}

// answerKey is what there is one row of.
type answerKey struct {
	ip     string
	kind   event.AnswerKind
	source int32
}

func (r *answerRow) key() answerKey { return answerKey{r.IP, r.Kind, r.First.Source} }

// answerSample takes the answers to the addresses with the smallest hashes: which those are does not depend on the order in which they
// come.
type answerSample struct {
	most, mostNames int
	// limit is beyond the hashes that are still taken.
	limit     atomic.Uint64
	manyNames atomic.Bool

	mu      sync.Mutex
	all     []answerRow
	index   map[answerKey]int32 // into all
	names   map[uint64]struct{}
	crowded bool // it was cut before sources were known that are skipped
}

func newAnswerSample() *answerSample {
	s := &answerSample{most: maxAnswers, mostNames: maxNames, names: make(map[uint64]struct{}), index: make(map[answerKey]int32)}
	s.limit.Store(everyHash)
	return s
}

// add takes what a Collector has seen, whose addresses are in ips.
func (s *answerSample) add(list []takenRow, ips []byte, names map[uint64]struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		x := &list[i]
		if x.hash >= s.limit.Load() {
			continue
		}
		ip := ips[x.at : x.at+uint32(x.length)]
		if j, known := s.index[answerKey{string(ip), x.Kind, x.First.Source}]; known {
			s.all[j].Add(&x.Answer)
			continue
		}
		row := answerRow{x.Answer, x.hash}
		row.IP = string(ip)
		s.index[row.key()] = int32(len(s.all))
		if s.all = append(s.all, row); len(s.all) > 2*s.most {
			s.crowded = true
			s.cut(nobody)
			clear(s.index)
			for j := range s.all {
				s.index[s.all[j].key()] = int32(j)
			}
		}
	}
	if s.manyNames.Load() {
		return
	}
	for h := range names {
		s.names[h] = struct{}{}
	}
	if len(s.names) > s.mostNames {
		s.manyNames.Store(true)
		s.names = nil
	}
}

// nobody skips no source.
func nobody(int) bool { return false }

// cut puts what was seen in order, leaves out sources that skip tells, and keeps no more than it may.
func (s *answerSample) cut(skip func(source int) bool) {
	slices.SortFunc(s.all, func(a, b answerRow) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), compareAnswers(&a.Answer, &b.Answer))
	})
	kept := s.all[:0]
	begin := 0 // where the last hash begins
	for i := range s.all {
		x := s.all[i]
		if skip(int(x.First.Source)) {
			continue
		}
		n := len(kept)
		if n == 0 || kept[n-1].hash != x.hash {
			begin = n
		}
		if n == s.most {
			kept = kept[:begin]
			s.limit.Store(x.hash)
			break
		}
		kept = append(kept, x)
	}
	s.all = kept
}

// finish returns all that was taken, without that of sources that skip tells.
func (s *answerSample) finish(skip func(source int) bool) Answers {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crowded { // or what is left would depend on what had come when it was cut
		s.cut(nobody)
	}
	s.cut(skip)
	out := Answers{Sampled: s.limit.Load() != everyHash, manyNames: s.manyNames.Load()}
	out.List = slices.Grow(out.List, len(s.all))
	for i := range s.all {
		out.List = append(out.List, s.all[i].Answer)
	}
	slices.SortFunc(out.List, func(a, b Answer) int { return compareAnswers(&a, &b) })
	if !out.manyNames {
		for h := range s.names {
			out.names = append(out.names, h)
		}
		slices.Sort(out.names)
	}
	return out
}
