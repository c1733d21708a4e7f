package literal

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Limits on an Automaton, so that a hostile expression costs milliseconds and some hundred kilobytes.
const (
	maxStates  = 1000
	maxClasses = 250
	maxWork    = 500_000 // instructions looked at to build it
)

// Automaton says whether a regular expression matches somewhere in a text, with one look into a table for each
// character. It never changes.
//
// It is a deterministic automaton over the instructions of a compiled expression. A state is the instructions that
// may come next and what kind of character stands before; assertions such as $ and \b are decided when the character
// after them is known.
type Automaton struct {
	ascii   [utf8.RuneSelf]uint8 // classes of characters that no instruction tells apart
	bounds  []rune               // class i has the runes from bounds[i] up to bounds[i+1]
	classes int                  // one more than there are of characters: the last is the end of the text
	next    []uint16             // by state and class

	// An expression that is one set of characters, at least so many times, needs to count them only.
	run   int    // 0 for another expression
	inRun []bool // by class: it is in the set
}

const (
	stateMatched = iota
	stateStart
)

// NewAutomaton returns the Automaton of an expression, or nil if it would be too large.
func NewAutomaton(re *syntax.Regexp) *Automaton {
	if set, n := repeated(re); n > 0 {
		return newRun(set, n)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil
	}
	b := &automatonBuilder{prog: prog, a: &Automaton{}, states: map[string]uint16{}, mark: make([]uint32, len(prog.Inst))}
	if !b.classify() || !b.build() {
		return nil
	}
	return b.a
}

// repeated returns the set of characters, and how many of them in a row there must be, where that is all that re asks
// for.
func repeated(re *syntax.Regexp) (set *syntax.Regexp, n int) {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	if re.Op != syntax.OpRepeat || re.Min < 1 {
		return nil, 0
	}
	n, set = re.Min, re.Sub[0]
	for set.Op == syntax.OpCapture {
		set = set.Sub[0]
	}
	switch set.Op {
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return set, n
	}
	return nil, 0
}

func newRun(set *syntax.Regexp, n int) *Automaton {
	prog, err := syntax.Compile(set)
	if err != nil {
		return nil
	}
	b := &automatonBuilder{prog: prog, a: &Automaton{run: n}, mark: make([]uint32, len(prog.Inst))}
	if !b.classify() {
		return nil
	}
	b.closure(automatonState{}, 0)
	for _, r := range b.a.bounds {
		b.a.inRun = append(b.a.inRun, slices.ContainsFunc(b.reach, func(pc uint32) bool { return prog.Inst[pc].MatchRune(r) }))
	}
	return b.a
}

func (a *Automaton) matchRun(text []byte) bool {
	n := 0
	for i := 0; i < len(text); {
		class, size := uint(a.ascii[text[i]&0x7F]), 1
		if text[i] >= utf8.RuneSelf {
			r, width := utf8.DecodeRune(text[i:])
			class, size = a.classOf(r), width
		}
		if i += size; !a.inRun[class] {
			n = 0
		} else if n++; n >= a.run {
			return true
		}
	}
	return false
}

// Match reports whether the expression matches somewhere in text. Bytes that are not UTF-8 count as U+FFFD.
func (a *Automaton) Match(text []byte) bool {
	if a.run > 0 {
		return a.matchRun(text)
	}
	state := uint(stateStart)
	n := uint(a.classes)
	for i := 0; i < len(text); {
		c := text[i]
		var class uint
		if c < utf8.RuneSelf {
			class = uint(a.ascii[c])
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			class = a.classOf(r)
			i += size
		}
		if state = uint(a.next[state*n+class]); state == stateMatched {
			return true
		}
	}
	return a.next[state*n+n-1] == stateMatched
}

func (a *Automaton) classOf(r rune) uint {
	i, found := slices.BinarySearch(a.bounds, r)
	if !found {
		i--
	}
	return uint(i)
}

type automatonBuilder struct {
	prog   *syntax.Prog
	a      *Automaton
	states map[string]uint16
	todo   []automatonState
	work   int

	mark  []uint32 // by instruction: the closure that reached it last
	epoch uint32
	stack []uint32
	reach []uint32
}

// automatonState is the instructions that may come next, and a character like the one before; -1 at the start.
type automatonState struct {
	insts  []uint32
	before rune
}

// classify finds the ranges of characters that no instruction tells apart.
func (b *automatonBuilder) classify() bool {
	bounds := []rune{0}
	between := func(lo, hi rune) { bounds = append(bounds, lo, hi+1) }
	for _, in := range b.prog.Inst {
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(in.Rune) == 1 {
				r := in.Rune[0]
				between(r, r)
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					between(f, f)
				}
				continue
			}
			for i := 0; i+1 < len(in.Rune); i += 2 {
				between(in.Rune[i], in.Rune[i+1])
			}
		case syntax.InstRuneAnyNotNL:
			between('\n', '\n')
		case syntax.InstEmptyWidth:
			between('\n', '\n')
			between('0', '9')
			between('A', 'Z')
			between('_', '_')
			between('a', 'z')
		}
		if len(bounds) > 1<<16 {
			return false
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	if len(bounds) > maxClasses {
		return false
	}
	b.a.bounds, b.a.classes = bounds, len(bounds)+1
	for c := range b.a.ascii {
		b.a.ascii[c] = uint8(b.a.classOf(rune(c)))
	}
	return true
}

// kind returns a character that stands for all like r to what comes after it.
func kind(r rune) rune {
	switch {
	case r == '\n':
		return r
	case syntax.IsWordChar(r):
		return 'a'
	}
	return ' '
}

func (b *automatonBuilder) build() bool {
	b.a.next = make([]uint16, b.a.classes) // stateMatched stays where it is
	if start, ok := b.state(nil, -1); !ok || start != stateStart {
		return false
	}
	for i := 0; i < len(b.todo); i++ {
		s := b.todo[i]
		row := make([]uint16, b.a.classes)
		for class := range row {
			to, ok := b.step(s, class)
			if !ok {
				return false
			}
			row[class] = to
		}
		b.a.next = append(b.a.next, row...)
	}
	return true
}

// state returns the number of a state; ok is false if there are too many.
func (b *automatonBuilder) state(insts []uint32, before rune) (n uint16, ok bool) {
	slices.Sort(insts)
	insts = slices.Compact(insts)
	key := binary.LittleEndian.AppendUint32(nil, uint32(before))
	for _, in := range insts {
		key = binary.LittleEndian.AppendUint32(key, in)
	}
	if n, ok := b.states[string(key)]; ok {
		return n, true
	}
	if len(b.todo) >= maxStates {
		return 0, false
	}
	b.todo = append(b.todo, automatonState{slices.Clone(insts), before})
	n = uint16(len(b.todo)) // the first is stateStart
	b.states[string(key)] = n
	return n, true
}

// step returns the state after s when a character of the class follows.
func (b *automatonBuilder) step(s automatonState, class int) (uint16, bool) {
	after := rune(-1)
	if class < len(b.a.bounds) {
		after = b.a.bounds[class]
	}
	if b.closure(s, syntax.EmptyOpContext(s.before, after)) {
		return stateMatched, true
	}
	if b.work > maxWork {
		return 0, false
	}
	if after < 0 {
		return stateStart, true // the text is over; anything but stateMatched will do
	}
	var insts []uint32
	for _, pc := range b.reach {
		if in := &b.prog.Inst[pc]; in.MatchRune(after) {
			insts = append(insts, in.Out)
		}
	}
	return b.state(insts, kind(after))
}

// closure finds the instructions for characters that are reached from s, or from the start of the expression, under
// the assertions that hold. It reports whether the expression has matched.
func (b *automatonBuilder) closure(s automatonState, holds syntax.EmptyOp) bool {
	b.epoch++
	b.reach = b.reach[:0]
	b.stack = append(b.stack[:0], uint32(b.prog.Start))
	b.stack = append(b.stack, s.insts...)
	for len(b.stack) > 0 {
		pc := b.stack[len(b.stack)-1]
		b.stack = b.stack[:len(b.stack)-1]
		if b.mark[pc] == b.epoch {
			continue
		}
		b.mark[pc] = b.epoch
		b.work++
		switch in := &b.prog.Inst[pc]; in.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			b.stack = append(b.stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			b.stack = append(b.stack, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^holds == 0 {
				b.stack = append(b.stack, in.Out)
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			b.reach = append(b.reach, pc)
		}
	}
	return false
}
