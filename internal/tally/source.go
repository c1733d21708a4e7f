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
}

// Reset makes an empty Block.
func (b *Block) Reset() {
	*b = Block{From: event.UnknownTime, To: event.UnknownTime, Defects: b.Defects[:0]}
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

// Add adds a block, the next in order.
func (s *Source) Add(b *Block) {
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
