package judge

import (
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// layOut settles the ways into all mailboxes, and makes room for what there is to say of them: it may be millions of messages.
func (r *reacher) layOut(boxes []*box) {
	var messages []Message
	if r.in.Inventory != nil {
		messages = r.in.Inventory.Messages
	}
	n := len(boxes)
	for _, b := range boxes {
		r.otherNames(b, messages)
		for _, w := range b.ways {
			w.settleFolders()
		}
		all := b.settled(1<<len(b.ways) - 1)
		n += len(b.folders) + len(b.items)
		if _, d := all.main(); d != not {
			n += len(b.rows)
		}
	}
	r.j.Reached = slices.Grow(r.j.Reached, n)
}

// settled returns what is known of a mailbox by the ways into it, of which those in reached reach anything that the inventory lists:
// a folder that was fetched as a whole while it was empty gave nothing away.
func (b *box) settled(reached uint64) (all levels) {
	for i, w := range b.ways {
		d := w.self
		if w.grasp == graspWhole && len(b.rows) > 0 && reached&(1<<i) == 0 {
			d = min(d, may)
		}
		all.raise(w.exposure, d)
	}
	return all
}

// boxTelling is the work of saying what was reached of one mailbox and of what lies in it.
type boxTelling struct {
	r      *reacher
	box    *box
	all    levels // of everything that is known of it
	counts itemCounts
	// reached are the ways by which something of the list was, wholes those by which something was fetched as a whole: a bit each.
	reached, wholes uint64
	folders         map[string]*contained
	said            map[signature]casefile.Reached // what is said of all items that are reached in the same ways
}

// itemCounts counts the items of a mailbox of which content, or a part of it, was reached.
type itemCounts struct {
	standard, other int64 // confirmed, named by an Internet message id and in another way
	possible        int64
	namedPossible   int64 // those of them that a record names
}

func (n *itemCounts) add(id string, l *levels, named bool) {
	switch l.content() {
	case was:
		if isStandard(id) {
			n.standard++
		} else {
			n.other++
		}
	case may:
		n.possible++
		if named {
			n.namedPossible++
		}
	}
}

// tellBox says what was reached of a mailbox and of what lies in it.
func (r *reacher) tellBox(b *box) {
	t := &boxTelling{r: r, box: b, all: b.settled(0), folders: make(map[string]*contained), said: make(map[signature]casefile.Reached)}
	for i, w := range b.ways {
		if w.grasp == graspWhole {
			t.wholes |= 1 << i
		}
	}
	for id := range b.folders {
		t.folders[id] = &contained{}
	}
	// The mailbox and its folders stand before its messages.
	at, ahead := len(r.j.Reached), len(b.folders)
	if b != r.nobody {
		ahead++
	}
	r.j.Reached = append(r.j.Reached, make([]casefile.Reached, ahead)...)
	t.listed()
	t.unlisted()
	settled := b.settled(t.reached)
	t.all.join(&settled)
	first := make([]casefile.Reached, 0, ahead)
	if b != r.nobody {
		first = append(first, t.mailbox())
	}
	first = t.folderEntries(first)
	for i := range first {
		r.j.Reached[at+i] = r.counted(first[i])
	}
}

// listed says what was reached of the messages of the list, if any may have been.
func (t *boxTelling) listed() {
	b := t.box
	_, d := t.all.main()
	open := d != not
	if len(b.rows) == 0 || !open && len(b.items) == 0 {
		return
	}
	messages := t.r.in.Inventory.Messages
	b.each(messages, func(c copies) {
		var named *touch
		if len(b.items) > 0 && c.key != "" {
			named = b.items[messageKey(c.key)]
		}
		if !open && named == nil {
			return
		}
		var l levels
		var sig signature
		for _, row := range c.rows {
			e := beingOf(&messages[row])
			for i, w := range b.ways {
				sig.raise(&l, i, w, &e)
			}
		}
		if named != nil {
			l.join(&named.levels)
			sig.ways |= named.ways
		}
		t.all.join(&l)
		t.reached |= sig.ways
		t.counts.add(c.key, &l, named != nil)
		for _, row := range c.rows {
			if n := t.folders[messages[row].FolderID]; n != nil {
				n.add(&l, sig.ways&t.wholes != 0)
				break
			}
		}
		t.item(strings.TrimSpace(messages[c.rows[0]].ID), sig, &l, named)
	})
}

// unlisted says what was reached of what records name and the list does not. When it was there, and how large it is, is not known.
func (t *boxTelling) unlisted() {
	b := t.box
	for _, key := range slices.Sorted(maps.Keys(b.items)) {
		named := b.items[key]
		if named.listed {
			continue
		}
		e := being{from: always, to: never, size: -1, standard: isStandard(key)}
		l, sig := named.levels, signature{ways: named.ways}
		for i, w := range b.ways {
			if w.rule != ruleOtherName {
				sig.raise(&l, i, w, &e)
			}
		}
		t.all.join(&l)
		t.counts.add(key, &l, named.levels.content() != not)
		t.item(named.id, sig, &l, named)
	}
}

// signature is which ways reach an item, and which of them surely.
type signature struct{ ways, sure uint64 }

// raise adds the i-th way into a mailbox, if it reaches an item, to those that do, and to what is known of the item.
func (s *signature) raise(l *levels, i int, w *way, e *being) {
	d := w.reaches(e)
	if d == not {
		return
	}
	l.raise(w.exposure, d)
	s.ways |= 1 << i
	if d == was {
		s.sure |= 1 << i
	}
}

// item adds the entry of an item; named is what records name of it, nil for nothing.
func (t *boxTelling) item(id string, sig signature, l *levels, named *touch) {
	r, b := t.r, t.box
	e, ok := t.said[sig]
	if !ok || named != nil {
		e = casefile.Reached{Why: r.why(b, sig, named, l), By: r.bySig(b, sig, named)}
		if l.content() == may || l[logs.Metadata] == may {
			e.Settle = r.settle(b, sig)
		}
		e.First, e.Last = timesOf(b, sig, named)
		verdict(&e, l)
		if named == nil {
			t.said[sig] = e
		}
	}
	e.Object = casefile.Object{Kind: "message", ID: id, In: b.key}
	r.add(e)
}

// mailbox returns the entry of the mailbox, once all that lies in it was told.
func (t *boxTelling) mailbox() casefile.Reached {
	r, b := t.r, t.box
	e := casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: b.key, Name: b.name}, Bytes: b.bytes, By: b.by}
	verdict(&e, &t.all)
	e.Lower, e.Upper = r.bounds(b, &t.all, t.counts)
	if len(b.by) > 0 && b.from != never && b.from > always {
		e.First, e.Last = moment(b.from), moment(b.to)
	}
	e.Why = r.whyBox(b, &t.all)
	e.Settle = r.settle(b, signature{ways: 1<<len(b.ways) - 1})
	if b.settledBy != "" {
		e.Settle = strings.TrimPrefix(e.Settle+"; "+b.settledBy, "; ")
	}
	for _, c := range slices.Sorted(maps.Keys(b.channels)) {
		s := b.channels[c]
		v := casefile.ChannelVerdict{Channel: c, Why: s.why, Levels: s.levels.named()}
		_, d := s.levels.main()
		if d == not && v.Why == "" && len(s.by) == 0 { // no log covers it, so that nothing is known of it
			continue
		}
		if d == not && v.Why == "" {
			v.Why = "covered by " + strings.Join(s.by, ", ") + ", which show no access to content by the attacker"
		}
		e.Channels = append(e.Channels, v)
	}
	return e
}

// folderEntries adds the entries of the folders, once all that lies in them was told.
func (t *boxTelling) folderEntries(out []casefile.Reached) []casefile.Reached {
	for _, id := range slices.Sorted(maps.Keys(t.box.folders)) {
		f, n := t.box.folders[id], t.folders[id]
		listed := t.box.hasFolder(id, t.r)
		if listed && !n.whole && readingOf(f.rule).grasp == graspWhole {
			f.levels[logs.Partial], f.levels[logs.Content] = min(f.levels[logs.Partial], may), min(f.levels[logs.Content], may)
		}
		e := t.r.folderEntry(f, &n.levels)
		if listed {
			e.Lower, e.Upper = n.lower, n.upper
		} else if d := f.levels.content(); d != not {
			e.Lower, e.Upper = int64(d)-int64(may), -1
		}
		out = append(out, e)
	}
	return out
}

// contained counts what was reached in a folder.
type contained struct {
	levels       levels
	lower, upper int64
	whole        bool // something in it was reached with all of it
}

func (n *contained) add(l *levels, whole bool) {
	n.whole = n.whole || whole
	n.levels.join(l)
	switch l.content() {
	case was:
		n.lower++
		n.upper++
	case may:
		n.upper++
	}
}

// folderEntry returns the entry of a folder by what is known of it itself and of what lies in it.
func (r *reacher) folderEntry(f *folderTouch, within *levels) casefile.Reached {
	e := casefile.Reached{Object: casefile.Object{Kind: "folder", ID: f.id, In: f.in, Name: f.name}, By: f.by}
	l := f.levels
	l.join(within)
	verdict(&e, &l)
	e.First, e.Last = firstLast(f.from, f.to)
	e.Why = []casefile.Reason{{Rule: f.rule, Text: r.says(f.rule) + " " + recordsBy(f.times, f.by, e.First, e.Last), Evidence: r.in.proofs(f.refs)}}
	return e
}

// otherNames opens ways for messages that logs name otherwise than the inventory does: it may be any of them.
func (r *reacher) otherNames(b *box, messages []Message) {
	if len(b.items) == 0 {
		return
	}
	for _, i := range b.rows {
		if id := messages[i].ID; id != "" {
			if t := b.items[messageKey(id)]; t != nil {
				t.listed = true
			}
		}
	}
	if len(b.rows) == 0 {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(b.items)) {
		t := b.items[key]
		x, d := t.levels.main()
		if t.listed || d == not {
			continue
		}
		std := isStandard(key)
		if std {
			key = "id" // only lines with a name of another form may be it
		} else {
			key = "number"
		}
		w := b.way(wayKey{rule: ruleOtherName, of: key, grasp: graspCoarse, degree: may, exposure: x})
		w.odd = std && w.rule == ruleOtherName
		w.bound(-1, 1)
		w.times++
		w.span(t.from, t.to)
		w.refs = keepRefs(w.refs, t.refs)
		for _, s := range t.by {
			w.by = addTo(w.by, s, mostBy)
		}
	}
}

// bounds returns how many items of the mailbox had content, or a part of it, reached: at least and at most.
func (r *reacher) bounds(b *box, all *levels, n itemCounts) (lower, upper int64) {
	lower = max(n.standard, n.other)
	if all.content() == not {
		return lower, lower
	}
	unbounded, bodies := false, int64(0)
	for _, w := range b.ways {
		if w.exposure < logs.Partial || w.grasp == graspNamed || w.grasp == graspSelf {
			continue
		}
		if w.self == was && (w.grasp == graspCoarse || len(b.rows) == 0) {
			lower = max(lower, 1)
		}
		switch {
		case w.grasp == graspWhole:
			unbounded = unbounded || len(b.rows) == 0
		case w.items < 0:
			unbounded = true
		default:
			bodies += w.items
		}
	}
	upper = n.standard + n.other + n.possible
	complete := len(b.rows) > 0 && r.in.Inventory.Unplaced == 0
	switch {
	case !unbounded && complete && !hasWhole(b):
		upper = min(upper, n.standard+n.other+n.namedPossible+bodies)
	case !unbounded && !complete:
		upper = n.standard + n.other + n.namedPossible + bodies
	case unbounded && !complete:
		return lower, -1
	}
	return lower, max(upper, lower)
}

func hasWhole(b *box) bool {
	return slices.ContainsFunc(b.ways, func(w *way) bool { return w.grasp == graspWhole && w.exposure >= logs.Partial })
}
