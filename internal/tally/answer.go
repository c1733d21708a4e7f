package tally

import (
	"cmp"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
)

// Answer is what a web server handed out to an address that gave no account, under addresses that do not tell which file it was, as one
// source tells it: what address it is, another server's log may say otherwise.
type Answer struct {
	IP   string // as the log writes it, at most 64 bytes of it
	Kind event.AnswerKind
	// From and To are when the first and the last was. Untimed says that of some the time is not known.
	From, To int64
	Untimed  bool
	Times    int64
	// Bytes is the sum of those that say how many, Most the most of one. Unsaid says that some do not.
	Bytes, Most int64
	Unsaid      bool
	// Ranged says that some were parts.
	Ranged bool
	First  Ref // in the source that tells it
}

// Answers is what was handed out to nobody in particular.
type Answers struct {
	// List is by address, kind and source, which is that of First. Sampled says that there are more addresses than it has.
	List    []Answer
	Sampled bool
	// names are the hashes of names of files that were handed out, in order; manyNames says that there were too many to keep.
	names     []uint64
	manyNames bool
}

// How many addresses, with kind and source, and how many names are kept of all evidence; and how many bytes of an address.
const (
	maxAnswers  = 128 << 10
	maxNames    = 64 << 10
	maxAnswerIP = 64
)

// compareAnswers puts answers in the order of [Answers].
func compareAnswers(a, b *Answer) int {
	return cmp.Or(strings.Compare(a.IP, b.IP), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.First.Source, b.First.Source))
}

// Add adds what the same address was given under the same kind of address.
func (a *Answer) Add(b *Answer) {
	switch {
	case b.From == event.UnknownTime:
	case a.From == event.UnknownTime:
		a.From, a.To = b.From, b.To
	default:
		a.From, a.To = min(a.From, b.From), max(a.To, b.To)
	}
	a.Untimed, a.Unsaid, a.Ranged = a.Untimed || b.Untimed, a.Unsaid || b.Unsaid, a.Ranged || b.Ranged
	a.Times, a.Bytes, a.Most = addKnown(a.Times, b.Times), addKnown(a.Bytes, b.Bytes), max(a.Most, b.Most)
	if CompareRefs(b.First, a.First) < 0 {
		a.First = b.First
	}
}

// answerOf returns that of one event.
func answerOf(at Ref, a *event.Answer) Answer {
	return Answer{Kind: a.Kind, From: at.Time, To: at.Time, Untimed: at.Time == event.UnknownTime, Times: 1, Bytes: max(0, amount(a.Bytes)), Most: max(0, amount(a.Bytes)),
		Unsaid: a.Bytes < 0, Ranged: a.Ranged, First: at}
}

// one is Add for that of one event.
func (a *Answer) one(at *Ref, x *event.Answer) {
	switch {
	case at.Time == event.UnknownTime:
		a.Untimed = true
	case a.From == event.UnknownTime:
		a.From, a.To = at.Time, at.Time
	default:
		a.From, a.To = min(a.From, at.Time), max(a.To, at.Time)
	}
	n := max(0, amount(x.Bytes))
	a.Unsaid, a.Ranged = a.Unsaid || x.Bytes < 0, a.Ranged || x.Ranged
	a.Times, a.Bytes, a.Most = addKnown(a.Times, 1), addKnown(a.Bytes, n), max(a.Most, n)
	if at.Time <= a.First.Time && CompareRefs(*at, a.First) < 0 {
		a.First = *at
	}
}
