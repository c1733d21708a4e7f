package event

// Batch is a run of events of one source and the memory their values live in. It is the unit in which events travel.
// The zero Batch is ready for use. A Batch is not safe for concurrent use.
type Batch struct {
	Events  []Event
	Defects []Defect
	// Plain are events of which no more is known, because no more was asked for: see logs.Skimmer. They are not in Events.
	Plain []Plain

	values slab[Value]
	bytes  slab[byte]
}

// Defect is a part of the evidence that could not be read as an event, and why.
type Defect struct {
	Offset int64  // in the source, in bytes
	Length int64  // in bytes; 0 where nothing was lost: a wrong checksum, say
	Line   int64  // from 1; 0 in a binary log
	Reason string // what was wrong, for people
}

// Plain is a request to a server that matches no rule and means nothing: it only counts.
type Plain struct {
	Time   int64
	Client []byte // its address; a view, as the values of an Event are
	Offset int64
	Line   int64
	// Answer is what is told of what was handed out. Of a file by name a parser may tell once for all lines that are alike.
	Answer
}

// Add appends an event of the given Shape whose values are all absent, and returns it to be filled in.
// The pointer is valid until the next Add.
func (b *Batch) Add(s *Shape) *Event {
	b.Events = append(b.Events, Event{Shape: s, Values: b.values.take(s.variable), Time: UnknownTime})
	return &b.Events[len(b.Events)-1]
}

// Bytes returns n zeroed bytes that live as long as the events of the batch.
func (b *Batch) Bytes(n int) []byte { return b.bytes.take(n) }

// Copy returns a copy of p that lives as long as the events of the batch.
func (b *Batch) Copy(p []byte) []byte {
	q := b.bytes.take(len(p))
	copy(q, p)
	return q
}

// released is what a value of an emptied batch is overwritten with, where the build asks for it.
var released = Text("released batch")

// Reset empties the batch and keeps its memory. Every value that was handed out is invalid from here on.
func (b *Batch) Reset() {
	if poison {
		for i := range b.Events {
			for j := range b.Events[i].Values {
				b.Events[i].Values[j] = released
			}
		}
		b.bytes.fill(0xDB)
	}
	clear(b.Events)
	b.Events = b.Events[:0]
	clear(b.Defects)
	b.Defects = b.Defects[:0]
	b.Plain = b.Plain[:0]
	b.values.reset()
	b.bytes.reset()
}

// slab hands out slices of blocks that never move, so that what was handed out stays valid while the slab grows.
type slab[T any] struct {
	blocks [][]T
	block  int // index of the block in use
	used   int // of that block
}

// A slab begins small: a batch that holds a line or two must not cost what a full one does. Each block is four times as
// long as the one before it, up to slabBlock.
const (
	slabFirst = 64
	slabBlock = 16 << 10
)

func (s *slab[T]) take(n int) []T {
	for s.block < len(s.blocks) {
		if b := s.blocks[s.block]; s.used+n <= len(b) {
			p := b[s.used : s.used+n : s.used+n]
			s.used += n
			clear(p)
			return p
		}
		s.block++
		s.used = 0
	}
	length := slabBlock
	if i := len(s.blocks); i < 4 {
		length = slabFirst << (2 * i)
	}
	s.blocks = append(s.blocks, make([]T, max(n, length)))
	s.used = n
	return s.blocks[s.block][:n:n]
}

// maxKept bounds what an emptied slab keeps, so that one huge batch does not hold its memory for ever.
const maxKept = 256

func (s *slab[T]) reset() {
	if len(s.blocks) > maxKept {
		clear(s.blocks[maxKept:])
		s.blocks = s.blocks[:maxKept]
	}
	s.block, s.used = 0, 0
}

func (s *slab[T]) fill(v T) {
	for _, b := range s.blocks {
		for i := range b {
			b[i] = v
		}
	}
}
