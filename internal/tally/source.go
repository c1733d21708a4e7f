// Package tally holds what was learnt from evidence, source by source. Tallies of sources are put together in the order
// of their ordinals, whatever the order in which they were read.
package tally

import (
	"github.com/barid-dfir/barid/internal/event"
)

// Source is what one stream of evidence taught, findings apart.
type Source struct {
	Ordinal int
	Path    string
	Bytes   int64
	SHA256  [32]byte
	// Container is the kind of archive, "" for a stream that was read for its events.
	Container string
	Format    string // "" if nobody recognised it
	Host      string
	// Events is how many were read, without Duplicates: records whose identifier had been seen before.
	Events, Duplicates int64
	// From and To are the earliest and latest time of its events: nanoseconds since 1970 UTC, or event.UnknownTime.
	From, To int64
	// Unparsed is how many parts could not be read; Defects are the first of them, and of what was wrong at no cost.
	Unparsed int64
	Defects  []event.Defect
	// Errors says what went wrong with the stream as a whole.
	Errors []string
	// Notes says what was assumed to read it.
	Notes []string
	// Cut says that it is a text log whose last line has no end.
	Cut bool
	// ZoneAssumed says that its times have no zone, and nobody said which it is.
	ZoneAssumed bool
	// YearAssumed says that the year of its times was taken from when the incident was.
	YearAssumed bool

	streams map[streamKey]*Part
	unread  []Span
	// open says that the end of something unread is not known yet, and openAt is the time of the event before it. final is the
	// time of the last event.
	open          bool
	openAt, final int64
	begun         bool
}

// MaxDefects is how many defects of a source are kept word for word.
const MaxDefects = 20

// Block is what one block of a source taught. Blocks of a source are added in their order.
type Block struct {
	Events, Duplicates int64
	From, To           int64
	Unparsed           int64
	Defects            []event.Defect
	Host               string
	// First and Final are the times of its first and last event that has one, in the order of the source.
	First, Final int64
	// Cut says that it is the end of a text log, and its last line has no end.
	Cut bool

	streams map[streamKey]*Part
	lost    []unread
}

// Reset makes an empty Block.
func (b *Block) Reset() {
	*b = Block{From: event.UnknownTime, To: event.UnknownTime, First: event.UnknownTime, Final: event.UnknownTime, Defects: b.Defects[:0]}
}

// Forget forgets when there were events: what they mean is not known, and the block counts as one that could not be read.
func (b *Block) Forget() {
	b.streams, b.Cut = nil, false
	b.First, b.Final = event.UnknownTime, event.UnknownTime
	b.lost = append(b.lost[:0], unread{event.UnknownTime, event.UnknownTime})
}

// Event takes account of an event.
func (b *Block) Event(e *event.Event) {
	b.Events++
	if e.Time != event.UnknownTime {
		b.at(e.Time)
	}
	if b.Host == "" {
		if v := e.Role(event.Host); !v.IsNull() {
			b.Host = v.String()
		}
	}
}

// Plain takes account of an event that is only counted; its time is known.
func (b *Block) Plain(e *event.Plain) {
	b.Events++
	b.at(e.Time)
}

func (b *Block) at(t int64) {
	if b.From == event.UnknownTime || t < b.From {
		b.From = t
	}
	b.To = max(b.To, t)
}

// Defect takes account of a part that could not be read. A defect of no length, such as a wrong checksum, cost nothing.
func (b *Block) Defect(d event.Defect) {
	if d.Length > 0 {
		b.Unparsed++
	}
	if len(b.Defects) < MaxDefects {
		b.Defects = append(b.Defects, d)
	}
}

// Add adds a block, the next in order. It keeps what it needs of it: the block is not to be used any more.
func (s *Source) Add(b *Block) {
	if !s.begun {
		s.begun, s.final = true, event.UnknownTime
	}
	for k, p := range b.streams {
		if s.streams == nil {
			s.streams = make(map[streamKey]*Part)
		}
		if q := s.streams[k]; q != nil {
			q.add(p)
		} else {
			s.streams[k] = p
		}
	}
	s.addUnread(b)
	s.Cut = s.Cut || b.Cut
	s.Events += b.Events
	s.Duplicates += b.Duplicates
	s.Unparsed += b.Unparsed
	s.Defects = append(s.Defects, b.Defects[:min(len(b.Defects), MaxDefects-len(s.Defects))]...)
	if s.Host == "" {
		s.Host = b.Host
	}
	if b.From != event.UnknownTime {
		if s.From == event.UnknownTime || b.From < s.From {
			s.From = b.From
		}
		s.To = max(s.To, b.To)
	}
}
