package sigma

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/literal"
)

// Program is an Engine bound to a Shape: fields have become slots, rules that cannot match events of the Shape are
// gone, and what constants decide is decided. It does not change.
type Program struct {
	shape  *event.Shape
	number uint64 // tells programs of an engine apart, from 1
	group  *group
	fold   *fold
	dead   []uint64 // a bit for each rule that needs a field the Shape lacks
	always []int32  // rules without a trigger
	inputs []input
	row    []rowSlot // what decides which rules match; nil where that is not worth remembering
	// keywords are looked for in every value, and in Raw where it is text; nil if no rule has any.
	keywords *fieldSet
	rawText  bool       // the line is looked into for them
	line     *lineSet   // nil if values are looked into one by one
	constant []sighting // of keywords in constant values
	live     int        // rules that may match
}

// input is a slot and the literals to look for in it.
type input struct {
	slot int
	sets []*fieldSet // of each field that it answers to, where lines are text
	set  *fieldSet   // of all of them and of keywords, where they are not
}

// fold is what the constant values of a Shape decide about the rules of a group.
type fold struct {
	mode      []ruleMode // by rule
	own       map[int32]*code
	triggered map[int32][]int32 // by atom: the rules with a code of their own of which it is in the trigger
	isTrigger []uint64          // a bit for each atom in triggered
}

type ruleMode uint8

const (
	ruleOut ruleMode = iota
	ruleAsIs
	ruleOwn // has a condition of its own, with what constants decide left out
)

// Live returns how many rules may match an event of the Shape.
func (p *Program) Live() int { return p.live }

// Bind returns the Program for a Shape. It is made once and kept, for as long as the Shape is met now and then.
func (e *Engine) Bind(shape *event.Shape) *Program {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p, ok := e.programs.get(shape, maxPrograms); ok {
		return p
	}
	p := e.bind(shape)
	e.programs.put(shape, p, maxPrograms)
	return p
}

func (e *Engine) bind(shape *event.Shape) *Program {
	g := e.group(shape.Sources)
	e.bound++
	p := &Program{shape: shape, number: e.bound, group: g, dead: make([]uint64, len(e.rules)/64+1), rawText: !strings.HasPrefix(shape.Format, "windows.evtx")}
	p.fold = g.fold(shape)

	// The fields that live rules ask for.
	absent := make([]bool, len(e.fields))
	for _, f := range g.fields {
		absent[f] = f != keywordField && len(shape.Slots(e.fields[f])) == 0
	}
	needed := make([]bool, len(e.fields))
	for _, r := range g.rules {
		mode := p.fold.mode[r]
		if mode == ruleOut {
			continue
		}
		code := &e.codes[r]
		if slices.ContainsFunc(code.requires, func(f int32) bool { return absent[f] }) {
			p.dead[r/64] |= 1 << (r % 64)
			continue
		}
		if mode == ruleOwn {
			code = p.fold.own[r]
		}
		p.live++
		for _, f := range code.fields {
			needed[f] = true
		}
		if code.trigger == nil {
			p.always = append(p.always, r)
		}
	}
	// Without keywords, a text log is as a binary one: most of the line is not asked for.
	if p.rawText = p.rawText && needed[keywordField]; p.rawText {
		p.lookFor(needed, absent)
		return p
	}
	p.lookForAll(needed, absent)
	return p
}

// lookFor chooses the literals to look for in a log of text.
func (p *Program) lookFor(needed, absent []bool) {
	g, shape := p.group, p.shape
	sets := make(map[int][]*fieldSet)
	var all []*fieldSet
	for _, f := range g.fields {
		if !needed[f] || absent[f] {
			continue
		}
		fs := g.fieldSet(f)
		if fs.set == nil {
			continue
		}
		all = append(all, fs)
		if f == keywordField {
			p.keywords = fs
			continue
		}
		for _, slot := range shape.Slots(g.engine.fields[f]) {
			if slot < shape.Variable() {
				sets[slot] = append(sets[slot], fs)
			}
		}
	}
	for slot := range shape.Variable() {
		if sets[slot] != nil || p.keywords != nil {
			p.inputs = append(p.inputs, input{slot: slot, sets: sets[slot]})
		}
	}
	if p.keywords != nil {
		p.seeConstants()
	}
	p.line = g.lineSet(all)
}

// lookForAll chooses the literals to look for in a binary log: of each slot, those of all fields that it answers to and
// of keywords together.
func (p *Program) lookForAll(needed, absent []bool) {
	g, shape := p.group, p.shape
	fields := make([][]int32, shape.Variable())
	whole := make([]bool, shape.Variable())
	needs := func(slot int, f int32) {
		if slot < len(fields) {
			fields[slot] = append(fields[slot], f)
			whole[slot] = whole[slot] || g.complex[f]
		}
	}
	for _, f := range g.fields {
		switch {
		case !needed[f] || absent[f]:
		case f == keywordField:
			for slot := range fields {
				needs(slot, f)
			}
			if fs := g.fieldSet(f); fs.set != nil {
				p.keywords = fs
				p.seeConstants()
			}
		default:
			for _, slot := range shape.Slots(g.engine.fields[f]) {
				needs(slot, f)
			}
		}
	}
	for _, name := range g.compared {
		for _, slot := range shape.Slots(name) {
			if slot < len(whole) {
				whole[slot] = true
			}
		}
	}
	p.row = []rowSlot{}
	for slot := range fields {
		var fs *fieldSet
		if len(fields[slot]) > 0 {
			fs = g.fieldSet(fields[slot]...)
		}
		if fs != nil && fs.set != nil {
			p.inputs = append(p.inputs, input{slot: slot, set: fs})
		}
		switch {
		case whole[slot]:
			p.row = append(p.row, rowSlot{slot: slot})
		case fs != nil && fs.set != nil:
			p.row = append(p.row, rowSlot{slot: slot, set: fs})
		}
	}
}

// seeConstants looks for keywords in the constant values.
func (p *Program) seeConstants() {
	var hits literal.Hits
	for _, f := range p.shape.Fields()[p.shape.Variable():] {
		eachText(f.Const, func(v event.Value) bool {
			p.keywords.set.Scan(literal.AppendFold(nil, textOf(nil, v)), &hits)
			for _, id := range hits.IDs {
				p.constant = append(p.constant, p.keywords.seen[p.keywords.start[id]:p.keywords.start[id+1]]...)
			}
			return false
		})
	}
	slices.Sort(p.constant)
	p.constant = slices.Compact(p.constant)
}

// fold returns what the constants of shape decide.
func (g *group) fold(shape *event.Shape) *fold {
	e := g.engine
	var key strings.Builder
	if shape.EmptyIsNull {
		key.WriteByte('e')
	}
	constant := make([]bool, len(e.fields))
	for _, f := range g.fields {
		if f == keywordField {
			continue
		}
		for _, slot := range shape.Slots(e.fields[f]) {
			if v := shape.Fields()[slot].Const; slot >= shape.Variable() {
				constant[f] = true
				key.WriteString(e.fields[f])
				key.WriteByte(0)
				key.WriteByte(byte(v.Kind))
				key.WriteByte(byte(len(v.Data)))
				key.WriteByte(byte(len(v.Data) >> 8))
				key.WriteByte(byte(len(v.Data) >> 16))
				key.Write(v.Data)
			} else {
				key.WriteString("v") // a variable value besides may change what the constant decides
			}
		}
		key.WriteByte(';')
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.folds.get(key.String(), maxFolds); ok {
		return f
	}
	f := &fold{mode: make([]ruleMode, len(e.rules)), own: map[int32]*code{}, triggered: map[int32][]int32{}, isTrigger: make([]uint64, len(e.atoms)/64+1)}
	decided := map[int32]cond{}
	for _, r := range g.rules {
		rule := &e.codes[r]
		f.mode[r] = ruleAsIs
		if !slices.ContainsFunc(rule.fields, func(f int32) bool { return constant[f] }) {
			continue
		}
		own := &code{cond: rule.cond.fold(func(a int32) cond {
			if !constant[e.atoms[a].field] {
				return cond{op: condAtom, atom: a}
			}
			d, ok := decided[a]
			if !ok {
				d = e.atoms[a].decide(a, shape)
				decided[a] = d
			}
			return d
		})}
		if own.cond.op == condFalse {
			f.mode[r] = ruleOut
			continue
		}
		own.finish(e.atoms)
		f.mode[r] = ruleOwn
		f.own[r] = own
		for _, a := range own.trigger {
			f.triggered[a] = append(f.triggered[a], r)
			f.isTrigger[a/64] |= 1 << (a % 64)
		}
	}
	g.folds.put(key.String(), f, maxFolds)
	return f
}

// decide returns what the constant values of its field say of an atom: true, false, or itself if they do not decide it.
func (a *atom) decide(id int32, shape *event.Shape) cond {
	slots := shape.Slots(a.tests[0].field)
	constants := 0
	for _, s := range slots {
		if s >= shape.Variable() {
			constants++
		}
	}
	undecided := constants < len(slots)
	ev := event.Event{Shape: shape, Values: make([]event.Value, shape.Variable())}
	for _, t := range a.tests {
		switch {
		case t.op == opField:
			undecided = true
		case (t.op == opNull || t.op == opMissing) && constants < len(slots):
			// A variable value may yet be there.
		case t.isTrue(&ev, slots):
			return cond{op: condTrue}
		}
	}
	if undecided {
		return cond{op: condAtom, atom: id}
	}
	return cond{op: condFalse}
}

// fold returns the condition with what decide says of its atoms put in.
func (c *cond) fold(decide func(int32) cond) cond {
	switch c.op {
	case condAtom:
		return decide(c.atom)
	case condNot:
		kid := c.kids[0].fold(decide)
		switch kid.op {
		case condTrue:
			return cond{op: condFalse}
		case condFalse:
			return cond{op: condTrue}
		}
		return cond{op: condNot, kids: []cond{kid}}
	case condTrue, condFalse:
		return *c
	}
	var kids []cond
	n := c.n
	for i := range c.kids {
		kid := c.kids[i].fold(decide)
		switch {
		case kid.op == condTrue && c.op == condOr, kid.op == condFalse && c.op == condAnd:
			return kid
		case kid.op == condTrue && c.op == condCount:
			n--
		case kid.op != condTrue && kid.op != condFalse:
			kids = append(kids, kid)
		}
	}
	switch {
	case c.op == condCount && n <= 0, c.op == condAnd && len(kids) == 0:
		return cond{op: condTrue}
	case c.op == condCount && n > len(kids), c.op == condOr && len(kids) == 0:
		return cond{op: condFalse}
	case len(kids) == 1:
		return kids[0]
	}
	return cond{op: c.op, n: n, kids: kids}
}
