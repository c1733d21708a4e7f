package sigma

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// group is what shapes with the same log sources share: the rules that apply, and the literals of each field.
type group struct {
	engine *Engine
	rules  []int32
	fields []int32 // that the rules ask for, in order

	mu    sync.Mutex
	sets  map[int32]*fieldSet
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
	g = &group{engine: e, sets: map[int32]*fieldSet{}}
	for i, r := range e.rules {
		if slices.ContainsFunc(sources, func(s event.LogSource) bool { return s.Covers(r.LogSource) }) {
			g.rules = append(g.rules, int32(i))
			g.fields = append(g.fields, e.codes[i].fields...)
		}
	}
	slices.Sort(g.fields)
	g.fields = slices.Compact(g.fields)
	if len(e.groups) < maxPrograms {
		e.groups[key.String()] = g
	}
	return g
}

// fieldSet is the literals of all atoms of a field that the rules of a group ask for.
type fieldSet struct {
	set   *literal.Set // nil if there are none
	start []uint32     // sightings of literal i are seen[start[i]:start[i+1]]
	seen  []sighting
	salt  uint64 // tells sets apart in a cache
}

// sighting is what the sight of a literal says about an atom: that it is true, or that it may be.
type sighting uint32

const maybe sighting = 1 // the low bit; the others are the atom

func (s sighting) atom() int32 { return int32(s >> 1) }

// fieldSet returns the literals of a field, and makes them when they are first asked for.
func (g *group) fieldSet(field int32) *fieldSet {
	g.mu.Lock()
	defer g.mu.Unlock()
	if fs := g.sets[field]; fs != nil {
		return fs
	}
	e := g.engine
	used := make([]bool, len(e.atoms))
	for _, r := range g.rules {
		if slices.Contains(e.codes[r].fields, field) {
			e.codes[r].cond.markAtoms(used)
		}
	}
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
	for i := range e.atoms {
		a := &e.atoms[i]
		if !used[i] || a.field != field {
			continue
		}
		for _, l := range a.literals {
			see(l, sighting(i)<<1)
		}
		for _, l := range a.gates {
			see(l, sighting(i)<<1|maybe)
		}
	}
	fs := &fieldSet{salt: uint64(len(g.sets)+1) * 0x9E3779B97F4A7C15 >> 17}
	if len(literals) > 0 {
		fs.set = literal.NewSet(literals, []byte(commonText))
		fs.start = make([]uint32, 1, len(literals)+1)
		for _, s := range sightings {
			fs.seen = append(fs.seen, s...)
			fs.start = append(fs.start, uint32(len(fs.seen)))
		}
	}
	g.sets[field] = fs
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
