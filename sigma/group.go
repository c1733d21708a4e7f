package sigma

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// group is what shapes with the same log sources share: the rules that apply, and the literals of each field.
type group struct {
	engine *Engine
	rules  []int32
	fields []int32 // that the rules ask for, in order

	atoms    map[int32][]int32 // of the rules, by field
	complex  map[int32]bool    // fields of which more than their literals matters
	compared []string          // names of fields that others are compared with

	mu    sync.Mutex
	sets  map[string]*fieldSet // by fields
	folds generations[string, *fold]
	lines []linesOf
}

// maxFolds and maxPrograms bound what is kept for shapes that evidence may invent without end.
const (
	maxFolds    = 512
	maxPrograms = 2048
)

func (e *Engine) group(sources []event.LogSource) *group {
	var key strings.Builder
	for _, s := range sources {
		key.WriteString(strconv.Quote(s.Product) + strconv.Quote(s.Category) + strconv.Quote(s.Service))
	}
	g := e.groups[key.String()]
	if g != nil {
		return g
	}
	g = &group{engine: e, sets: map[string]*fieldSet{}, atoms: map[int32][]int32{}, complex: map[int32]bool{}}
	used := make([]bool, len(e.atoms))
	for i, r := range e.rules {
		if slices.ContainsFunc(sources, func(s event.LogSource) bool { return s.Covers(r.LogSource) }) {
			g.rules = append(g.rules, int32(i))
			g.fields = append(g.fields, e.codes[i].fields...)
			e.codes[i].cond.markAtoms(used)
		}
	}
	for i := range e.atoms {
		if used[i] {
			g.add(int32(i))
		}
	}
	slices.Sort(g.fields)
	g.fields = slices.Compact(g.fields)
	if len(e.groups) < maxPrograms {
		e.groups[key.String()] = g
	}
	return g
}

// add takes an atom of the rules.
func (g *group) add(id int32) {
	a := &g.engine.atoms[id]
	g.atoms[a.field] = append(g.atoms[a.field], id)
	if len(a.complex) == 0 {
		return
	}
	g.complex[a.field] = true
	for _, t := range a.complex {
		if t.op == opField {
			g.compared = append(g.compared, t.other)
		}
	}
}

// fieldSet is the literals of all atoms of a field, or of several, that the rules of a group ask for.
type fieldSet struct {
	set    *literal.Set // nil if there are none
	start  []uint32     // sightings of literal i are seen[start[i]:start[i+1]]
	seen   []sighting
	number uint64 // tells the sets of an engine apart, from 1
	// What a value must be like to hold a literal.
	least   int  // characters that it has at least
	machine bool // there is a literal that can stand in the text of a number, a time, a GUID or a SID
}

// machineText is all that stands in the folded text of numbers, times, GUIDs, SIDs and binary data, and a little more.
const machineText = "0123456789abcdefxstz-:.{} %"

// maxMachine is the length in bytes up to which a text is looked at whether it is of machineText.
const maxMachine = 96

// isSilent reports whether it is easily seen that no literal of the set is in the value.
func (fs *fieldSet) isSilent(v event.Value) bool {
	switch {
	case v.Kind == utf16Text:
		return (len(v.Data)+1)/2 < fs.least || !fs.machine && len(v.Data) <= maxMachine && isMachineText(v.Data)
	case isMachine[v.Kind]:
		return !fs.machine
	}
	return v.IsNull()
}

// isMachineText reports whether a text in UTF-16 is, folded, of machineText. A time, a number or an identifier is in many
// logs written as text, and a new one in every record.
func isMachineText(p []byte) bool {
	for ; len(p) >= 2; p = p[2:] {
		if p[1] != 0 || !machineBytes[p[0]] {
			return false
		}
	}
	return len(p) == 0
}

var machineBytes = func() (is [256]bool) {
	for _, c := range machineText + strings.ToUpper(machineText) {
		is[c] = true
	}
	return is
}()

// isMachine tells the kinds of values whose text is of machineText.
var isMachine = func() (is [256]bool) {
	for t := evtx.Int8Type; t <= evtx.EvtXMLType; t++ {
		is[t] = t != evtx.Real32Type && t != evtx.Real64Type && t != evtx.BoolType
	}
	return is
}()

// sighting is what the sight of a literal says about an atom: that it is true, or that it may be.
type sighting uint32

const maybe sighting = 1 // the low bit; the others are the atom

func (s sighting) atom() int32 { return int32(s >> 1) }

// fieldSet returns the literals of some fields together, and makes them when they are first asked for. Groups that ask
// for the same share them.
func (g *group) fieldSet(fields ...int32) *fieldSet {
	g.mu.Lock()
	defer g.mu.Unlock()
	var key []byte
	for _, f := range fields {
		key = binary.AppendUvarint(key, uint64(f))
	}
	if fs := g.sets[string(key)]; fs != nil {
		return fs
	}
	var atoms []int32
	for _, f := range fields {
		atoms = append(atoms, g.atoms[f]...)
	}
	fs := g.engine.sets.of(g.engine, atoms)
	g.sets[string(key)] = fs
	return fs
}

// fieldSets are all that an engine has, by their atoms.
type fieldSets struct {
	mu   sync.Mutex
	sets map[string]*fieldSet
}

func (s *fieldSets) of(e *Engine, atoms []int32) *fieldSet {
	key := make([]byte, 0, 4*len(atoms))
	for _, a := range atoms {
		key = binary.LittleEndian.AppendUint32(key, uint32(a))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fs := s.sets[string(key)]; fs != nil {
		return fs
	}
	fs := newFieldSet(e, atoms)
	fs.number = uint64(len(s.sets)) + 1
	if s.sets == nil {
		s.sets = map[string]*fieldSet{}
	}
	s.sets[string(key)] = fs
	return fs
}

func newFieldSet(e *Engine, atoms []int32) *fieldSet {
	ids := map[literal.Literal]int32{}
	var literals []literal.Literal
	var sightings [][]sighting
	see := func(l literal.Literal, s sighting) {
		id, ok := ids[l]
		if !ok {
			id = int32(len(literals))
			ids[l] = id
			literals = append(literals, l)
			sightings = append(sightings, nil)
		}
		if !slices.Contains(sightings[id], s) {
			sightings[id] = append(sightings[id], s)
		}
	}
	for _, i := range atoms {
		a := &e.atoms[i]
		for _, l := range a.literals {
			see(l, sighting(i)<<1)
		}
		for _, l := range a.gates {
			see(l, sighting(i)<<1|maybe)
		}
	}
	fs := &fieldSet{}
	if len(literals) == 0 {
		return fs
	}
	fs.set = literal.NewSet(literals, []byte(commonText))
	fs.start = make([]uint32, 1, len(literals)+1)
	for _, s := range sightings {
		fs.seen = append(fs.seen, s...)
		fs.start = append(fs.start, uint32(len(fs.seen)))
	}
	fs.least = math.MaxInt
	for _, l := range literals {
		fs.least = min(fs.least, utf8.RuneCountInString(l.Text))
		fs.machine = fs.machine || strings.Trim(l.Text, machineText) == ""
	}
	return fs
}

func (c *cond) markAtoms(used []bool) {
	if c.op == condAtom {
		used[c.atom] = true
	}
	for i := range c.kids {
		c.kids[i].markAtoms(used)
	}
}
