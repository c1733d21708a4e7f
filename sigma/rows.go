package sigma

import (
	"encoding/binary"

	"github.com/barid-dfir/barid/internal/event"
)

// rowSlot is a slot whose value decides which rules match.
type rowSlot struct {
	slot int
	set  *fieldSet // not nil: only the literals that are found in the value do
}

// rows remembers which rules the events of binary logs matched by the values that decide it.
type rows struct {
	memory memory
	row    []byte // of the event at hand
	place  *note  // where to remember it; nil if that is not to be
}

// recall appends to matched the rules that the event matches, and reports whether it knows them.
func (r *rows) recall(p *Program, ev *event.Event, matched *[]int32) bool {
	r.place = nil
	r.row = r.row[:0]
	for i := range p.row {
		s := &p.row[i]
		v := ev.Values[s.slot]
		if s.set != nil && s.set.isSilent(v) {
			r.row = append(r.row, 0) // no other value of the slot begins so: its kind would be None, which is silent
			continue
		}
		if len(r.row)+len(v.Data) > maxKey-3 {
			return false
		}
		r.row = append(r.row, byte(v.Kind), byte(len(v.Data)), byte(len(v.Data)>>8))
		r.row = append(r.row, v.Data...)
	}
	numbers, place, ok := r.memory.find(p.number, r.row)
	if !ok {
		r.place = place
		return false
	}
	for ; len(numbers) >= 4; numbers = numbers[4:] {
		*matched = append(*matched, int32(binary.LittleEndian.Uint32(numbers)))
	}
	return true
}

// remember notes the rules that the event matched for which recall was called last.
func (r *rows) remember(p *Program, matched []int32) {
	if r.place != nil {
		r.memory.keep(r.place, p.number, r.row, matched)
	}
}
