package logs

import (
	"bytes"
	"hash/maphash"

	"github.com/barid-dfir/barid/internal/event"
)

// Sieve tells whether a text holds anything that is asked for: always where it does, and seldom where it does not.
type Sieve interface {
	Holds(text []byte) bool
}

// Skimmer is a Parser that can pass quickly over requests that match no rule and mean nothing, which are most of the lines
// of an access log. It cuts a line into parts, and looks closer where the sieve of a part finds something.
type Skimmer interface {
	Parser
	// Skims returns the Shape of the events of a block that may be passed over, and the parts of their lines. The Shape is
	// nil where there are none in the block.
	Skims(b *Block) (*event.Shape, []Part)
	// Skim is Parse, but an event of that Shape that matches no rule and means nothing may be one of the Plain of out
	// instead of its Events. The sieves are those of the parts; nil for a part without anything to find.
	Skim(b *Block, sieves []Sieve, out *event.Batch)
}

// Part is a part of a line. Together the parts are the whole Raw of the event.
type Part struct {
	// Fields are the names of the fields whose values stand in the part, as they are and nowhere else.
	Fields []string
	// Marks are other texts to find in it, folded.
	Marks []string
	// Pairs are texts to find where both stand in it, folded; the first is the rarer.
	Pairs [][2]string
	// Can reports whether a text, folded, that may be anywhere in a line can begin in this part; nil for any.
	Can func(text string) bool
}

// Memo is a Sieve for texts that come back, such as user agents: it remembers which of them held nothing. It is not safe
// for concurrent use.
type Memo struct {
	Sieve   Sieve
	seed    maphash.Seed
	entries [][]byte // texts that hold nothing, each where its hash says
	// At is where the text is remembered that Holds was last asked for, below [MemoSize], -1 if it is not; Known says that it was before.
	At    int
	Known bool
}

const (
	// MemoSize is how many texts a Memo remembers.
	MemoSize = 2048
	maxMemo  = 512 // bytes of a text; at most this much times MemoSize is held
	minMemo  = 16  // shorter ones are read as quickly
)

// Holds implements Sieve.
func (m *Memo) Holds(text []byte) bool {
	if m.At, m.Known = -1, false; len(text) < minMemo || len(text) > maxMemo {
		return m.Sieve.Holds(text)
	}
	if m.entries == nil {
		m.seed, m.entries = maphash.MakeSeed(), make([][]byte, MemoSize)
	}
	i := int(maphash.Bytes(m.seed, text) % MemoSize)
	e := &m.entries[i]
	if bytes.Equal(*e, text) {
		m.At, m.Known = i, true
		return false
	}
	if m.Sieve.Holds(text) {
		return true
	}
	m.At = i
	*e = append((*e)[:0], text...)
	return false
}
