package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// mostReasons is how many reasons an entry gives.
const mostReasons = 12

// tell says what was reached.
func (r *reacher) tell() error {
	r.j.Counts = make(map[string]casefile.VerdictCounts)
	boxes := r.sorted()
	if len(r.nobody.items) > 0 {
		boxes = append(boxes, r.nobody)
	}
	r.layOut(boxes)
	for _, b := range boxes {
		r.tellBox(b)
	}
	if err := r.tellFiles(); err != nil {
		return err
	}
	r.tellHosts()
	r.tellCredentials()
	r.tellRules()
	return nil
}

// add adds an entry, and counts it.
func (r *reacher) add(e casefile.Reached) { r.j.Reached = append(r.j.Reached, r.counted(e)) }

// counted counts an entry.
func (r *reacher) counted(e casefile.Reached) casefile.Reached {
	if e.By == nil {
		e.By = []string{}
	}
	for i := range e.Why {
		r.used[e.Why[i].Rule]++
	}
	kind := e.CountedAs()
	n := r.j.Counts[kind]
	switch l := &e.Levels; {
	case l.Content == casefile.Confirmed || l.Partial == casefile.Confirmed:
		n.Confirmed++
	case l.Content == casefile.Possible || l.Partial == casefile.Possible:
		n.Possible++
	default:
		n.RuledOut++
		switch l.Metadata {
		case casefile.Confirmed:
			n.MetadataConfirmed++
		case casefile.Possible:
			n.MetadataPossible++
		}
	}
	r.j.Counts[kind] = n
	return e
}

var degreeNames = [...]string{casefile.RuledOut, casefile.Possible, casefile.Confirmed}

// verdict sets the verdict of an entry that is one item.
func verdict(e *casefile.Reached, l *levels) {
	x, d := l.main()
	e.Verdict, e.Exposure = degreeNames[d], x.String()
	e.Levels = casefile.Levels{Content: degreeNames[l[logs.Content]], Partial: degreeNames[l[logs.Partial]], Metadata: degreeNames[l[logs.Metadata]]}
	switch l.content() {
	case was:
		e.Lower, e.Upper = 1, 1
	case may:
		e.Lower, e.Upper = 0, 1
	}
}

// signature is which ways reach an item, and which of them surely.
type signature struct{ ways, sure uint64 }

// rendered is what is said of all items of one signature.
type rendered struct {
	entry casefile.Reached
}

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

// tellBox says what was reached of a mailbox and of what lies in it.
func (r *reacher) tellBox(b *box) {
	var messages []Message
	if r.in.Inventory != nil {
		messages = r.in.Inventory.Messages
	}
	all := b.settled(0)
	var standard, other, possible, namedPossible int64
	count := func(id string, l *levels, named bool) {
		switch l.content() {
		case was:
			if isStandard(id) {
				standard++
			} else {
				other++
			}
		case may:
			possible++
			if named {
				namedPossible++
			}
		}
	}
	var reached, wholes uint64 // ways
	for i, w := range b.ways {
		if w.grasp == graspWhole {
			wholes |= 1 << i
		}
	}
	inFolder := make(map[string]*contained)
	for id := range b.folders {
		inFolder[id] = &contained{}
	}
	seen := make(map[signature]*rendered)
	at := len(r.j.Reached)
	_, whole := all.main()
	// The mailbox and its folders stand before its messages.
	ahead := len(b.folders)
	if b != r.nobody {
		ahead++
	}
	r.j.Reached = append(r.j.Reached, make([]casefile.Reached, ahead)...)
	listing := whole != not
	tellItem := func(id string, sig signature, l *levels, t *touch) {
		e := casefile.Reached{}
		key := sig
		s := seen[key]
		if t == nil && s == nil || t != nil {
			e.Why = r.why(b, sig, t, l)
			e.By = r.bySig(b, sig, t)
			if l.content() == may || l[logs.Metadata] == may {
				e.Settle = r.settle(b, sig)
			}
			e.First, e.Last = timesOf(b, sig, t)
			verdict(&e, l)
			if t == nil {
				seen[key] = &rendered{e}
			}
		} else {
			e = s.entry
		}
		e.Object = casefile.Object{Kind: "message", ID: id, In: b.key}
		r.add(e)
	}
	if len(b.rows) > 0 && (listing || len(b.items) > 0) {
		b.each(messages, func(c copies) {
			var t *touch
			if len(b.items) > 0 && c.key != "" {
				t = b.items[messageKey(c.key)]
			}
			if !listing && t == nil {
				return
			}
			var l levels
			var sig signature
			for _, row := range c.rows {
				e := beingOf(&messages[row])
				for i, w := range b.ways {
					if d := w.reaches(&e); d != not {
						l.raise(w.exposure, d)
						sig.ways |= 1 << i
						if d == was {
							sig.sure |= 1 << i
						}
					}
				}
			}
			if t != nil {
				l.join(&t.levels)
				sig.ways |= t.ways
			}
			all.join(&l)
			reached |= sig.ways
			count(c.key, &l, t != nil)
			for _, row := range c.rows {
				if n := inFolder[messages[row].FolderID]; n != nil {
					n.add(&l, sig.ways&wholes != 0)
					break
				}
			}
			tellItem(strings.TrimSpace(messages[c.rows[0]].ID), sig, &l, t)
		})
	}
	for _, key := range slices.Sorted(maps.Keys(b.items)) {
		t := b.items[key]
		if t.listed {
			continue
		}
		// When it was there, and how large it is, is not known.
		e := being{from: always, to: never, size: -1, standard: isStandard(key)}
		l, sig := t.levels, signature{ways: t.ways}
		for i, w := range b.ways {
			if w.rule == ruleOtherName {
				continue
			}
			if d := w.reaches(&e); d != not {
				l.raise(w.exposure, d)
				sig.ways |= 1 << i
				if d == was {
					sig.sure |= 1 << i
				}
			}
		}
		all.join(&l)
		count(key, &l, t.levels.content() != not)
		tellItem(t.id, sig, &l, t)
	}

	settled := b.settled(reached)
	all.join(&settled)
	e := casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: b.key, Name: b.name}}
	verdict(&e, &all)
	sig := signature{ways: 1<<len(b.ways) - 1}
	e.Lower, e.Upper = r.bounds(b, &all, standard, other, possible, namedPossible)
	e.Bytes = b.bytes
	e.By = b.by
	if len(b.by) > 0 && b.from != never && b.from > always {
		e.First, e.Last = timePointer(b.from), timePointer(b.to)
	}
	e.Why = r.whyBox(b, &all)
	e.Settle = r.settle(b, sig)
	if b.settledBy != "" {
		e.Settle = strings.TrimPrefix(e.Settle+"; "+b.settledBy, "; ")
	}
	for _, c := range slices.Sorted(maps.Keys(b.channels)) {
		s := b.channels[c]
		v := casefile.ChannelVerdict{Channel: c, Why: s.why}
		v.Levels = casefile.Levels{Content: degreeNames[s.levels[logs.Content]], Partial: degreeNames[s.levels[logs.Partial]], Metadata: degreeNames[s.levels[logs.Metadata]]}
		_, d := s.levels.main()
		if d == not && v.Why == "" && len(s.by) == 0 { // no log covers it, so that nothing is known of it
			continue
		}
		if d == not && v.Why == "" {
			v.Why = "covered by " + strings.Join(s.by, ", ") + ", which show no access to content by the attacker"
		}
		e.Channels = append(e.Channels, v)
	}
	var folders []casefile.Reached
	for _, id := range slices.Sorted(maps.Keys(b.folders)) {
		f := b.folders[id]
		n := inFolder[id]
		listed := b.hasFolder(id, r)
		if listed && !n.whole && readingOf(f.rule).grasp == graspWhole {
			f.levels[logs.Partial], f.levels[logs.Content] = min(f.levels[logs.Partial], may), min(f.levels[logs.Content], may)
		}
		entry := r.folderEntry(f, &n.levels)
		if listed {
			entry.Lower, entry.Upper = n.lower, n.upper
		} else if d := f.levels.content(); d != not {
			entry.Lower, entry.Upper = int64(d)-int64(may), -1
		}
		folders = append(folders, entry)
	}
	if b != r.nobody {
		folders = slices.Insert(folders, 0, e)
	}
	for i := range folders {
		r.j.Reached[at+i] = r.counted(folders[i])
	}
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
	e.First, e.Last = spanPointers(f.from, f.to)
	e.Why = []casefile.Reason{{Rule: f.rule, Text: r.says(f.rule) + " " + recordsBy(f.times, f.by, e.First, e.Last), Evidence: r.proofs(f.refs)}}
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
func (r *reacher) bounds(b *box, all *levels, standard, other, possible, namedPossible int64) (lower, upper int64) {
	lower = max(standard, other)
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
	upper = standard + other + possible
	complete := len(b.rows) > 0 && r.in.Inventory.Unplaced == 0
	switch {
	case !unbounded && complete && !hasWhole(b):
		upper = min(upper, standard+other+namedPossible+bodies)
	case !unbounded && !complete:
		upper = standard + other + namedPossible + bodies
	case unbounded && !complete:
		return lower, -1
	}
	return lower, max(upper, lower)
}

func hasWhole(b *box) bool {
	return slices.ContainsFunc(b.ways, func(w *way) bool { return w.grasp == graspWhole && w.exposure >= logs.Partial })
}

// gravest returns the indexes of the ways of a signature, the gravest first.
func gravest(b *box, sig signature) []int {
	var out []int
	for i := range b.ways {
		if sig.ways&(1<<i) != 0 {
			out = append(out, i)
		}
	}
	grade := func(i int) int {
		w := b.ways[i]
		g := int(w.exposure)
		if sig.sure&(1<<i) != 0 || w.grasp == graspNamed && w.degree == was {
			g += 8
		}
		return -g
	}
	slices.SortStableFunc(out, func(x, y int) int {
		return cmp.Or(cmp.Compare(grade(x), grade(y)), strings.Compare(b.ways[x].rule, b.ways[y].rule), strings.Compare(b.ways[x].of, b.ways[y].of))
	})
	return out
}

// why says why an item is as it is.
func (r *reacher) why(b *box, sig signature, t *touch, l *levels) []casefile.Reason {
	var out []casefile.Reason
	for _, i := range gravest(b, sig) {
		w := b.ways[i]
		if len(out) == mostReasons {
			break
		}
		if w.grasp == graspNamed && t != nil {
			first, last := spanPointers(t.from, t.to)
			n := int64(0)
			if len(t.refs) == 1 {
				n = 1
			}
			out = append(out, casefile.Reason{Rule: w.rule, Text: r.sentence(w, w.rule) + " " + recordsBy(n, t.by, first, last), Evidence: r.proofs(t.refs)})
			continue
		}
		if w.said == nil {
			said := r.reason(w, w.rule)
			w.said = &said
		}
		out = append(out, *w.said)
	}
	if len(out) > 0 && l.content() != not {
		return out
	}
	switch {
	case t != nil && t.service && !t.owner && l.content() == not:
		out = append(out, casefile.Reason{Rule: logs.ServiceBind, Text: r.says(logs.ServiceBind), Evidence: r.proofs(t.refs)})
	case t != nil && t.owner && l.content() == not && t.levels == (levels{}):
		out = append(out, casefile.Reason{Rule: ruleOwnerOnly, Text: r.says(ruleOwnerOnly), Evidence: r.proofs(t.refs)})
	}
	for _, w := range b.ways {
		if w.exposure >= logs.Partial && w.grasp != graspNamed && w.grasp != graspSelf {
			return append(out, casefile.Reason{Rule: ruleExcluded, Text: r.says(ruleExcluded) + " " + r.coveredBy(b), Evidence: []casefile.Proof{}})
		}
	}
	return append(out, casefile.Reason{Rule: ruleCovered, Text: r.says(ruleCovered) + " " + r.coveredBy(b), Evidence: []casefile.Proof{}})
}

// coveredBy names the logs that cover a mailbox.
func (r *reacher) coveredBy(b *box) string {
	var by []string
	for _, c := range b.channels {
		for _, s := range c.by {
			by = addTo(by, s, mostWords)
		}
	}
	if len(by) == 0 {
		return ""
	}
	return "Logs: " + strings.Join(by, ", ") + "."
}

// whyBox says why a mailbox is as it is.
func (r *reacher) whyBox(b *box, all *levels) []casefile.Reason {
	var out []casefile.Reason
	var told []*way
	sig := signature{ways: 1<<len(b.ways) - 1}
	for i, w := range b.ways {
		if w.self == was {
			sig.sure |= 1 << i
		}
	}
	for _, i := range gravest(b, sig) {
		w := b.ways[i]
		if len(out) == mostReasons {
			break
		}
		rule := w.rule
		if rule == ruleCoarse && w.of != "" {
			rule = w.of
		}
		// The same records may reach a mailbox in several ways.
		if len(w.refs) > 0 && slices.ContainsFunc(told, func(o *way) bool {
			return (o.rule == w.rule || o.of == rule || o.rule == rule) && slices.Equal(o.refs, w.refs)
		}) {
			continue
		}
		told = append(told, w)
		out = append(out, r.reason(w, rule))
	}
	if all.content() != not {
		return out
	}
	rule := ruleCovered
	if !b.held && len(b.by) == 0 && len(b.ways) == 0 {
		rule = ruleNotInScope
	}
	return append(out, casefile.Reason{Rule: rule, Text: r.says(rule) + " " + r.coveredBy(b), Evidence: []casefile.Proof{}})
}

// reason says a way.
func (r *reacher) reason(w *way, rule string) casefile.Reason {
	text := r.sentence(w, rule)
	if len(w.refs) > 0 {
		first, last := spanPointers(w.from, w.to)
		if w.from <= always {
			first, last = timePointer(w.refs[0].Time), timePointer(w.refs[len(w.refs)-1].Time)
		}
		text += " " + recordsBy(w.times, w.by, first, last)
	} else if len(w.by) > 0 {
		text += " Sessions: " + sessionNames(w.by, mostSessions) + "."
	}
	for _, s := range w.words {
		text += " " + asSentence(s)
	}
	for i := range w.gaps {
		if i == mostWords {
			text += fmt.Sprintf(" And %d more gaps.", len(w.gaps)-i)
			break
		}
		text += " " + asSentence(w.gaps[i].words())
	}
	return casefile.Reason{Rule: rule, Text: text, Evidence: r.proofs(w.refs)}
}

// sentence says what a way's rule says, and what it goes back to.
func (r *reacher) sentence(w *way, rule string) string {
	s := r.says(rule)
	if w.of != "" && w.of != rule && r.known(w.of) {
		s += " " + r.says(w.of)
	}
	if w.size >= 0 && w.grasp == graspCoarse {
		s += fmt.Sprintf(" At most %d bytes were handed out", w.size)
		if w.items >= 0 {
			s += fmt.Sprintf(" in a session, at most %d bodies in all", w.items)
		}
		s += "."
	}
	return s
}

// says returns what a rule says.
func (r *reacher) says(rule string) string {
	if i, ok := r.explained()[rule]; ok {
		return i.Says
	}
	if rule == "" {
		return "A record of the log shows it."
	}
	return "By the rule " + rule + "."
}

func (r *reacher) known(rule string) bool { _, ok := r.explained()[rule]; return ok }

// explained returns all rules by their names.
func (r *reacher) explained() map[string]logs.Inference {
	if r.byName == nil {
		r.byName = make(map[string]logs.Inference)
		for _, i := range slices.Concat(logs.Inferences(), rules()) {
			r.byName[i.Name] = i
		}
	}
	return r.byName
}

// recordsBy says how many records of which sessions there are, and of when.
func recordsBy(n int64, by []string, first, last *time.Time) string {
	var s strings.Builder
	switch {
	case n == 1:
		s.WriteString("One record")
	case n > 1:
		fmt.Fprintf(&s, "%d records", n)
	default:
		s.WriteString("Records")
	}
	if len(by) > 0 {
		s.WriteString(" of " + sessionNames(by, mostSessions))
	}
	if first != nil {
		s.WriteString(", " + fromTo(*first, last, "15:04:05") + " UTC")
	}
	s.WriteString(".")
	return s.String()
}

func orNone(s string) string {
	if s == "" {
		return "no log"
	}
	return s
}

// bySig returns the sessions that reach an item.
func (r *reacher) bySig(b *box, sig signature, t *touch) []string {
	var out []string
	if t != nil {
		out = slices.Clone(t.by)
	}
	for i, w := range b.ways {
		if sig.ways&(1<<i) == 0 || w.grasp == graspNamed {
			continue
		}
		by := w.by
		if w.rule == ruleOtherAccount || w.rule == ruleUnknownMailbox { // the same for all that lies in all mailboxes: a few say enough, and a million times fifty too much
			by = by[:min(len(by), mostWords)]
		}
		for _, s := range by {
			out = addTo(out, s, mostBy)
		}
	}
	return out
}

// timesOf returns the first and last time at which records show an item to be reached.
func timesOf(b *box, sig signature, t *touch) (first, last *time.Time) {
	from, to := int64(never), int64(always)
	if t != nil {
		from, to = t.from, t.to
	}
	for i, w := range b.ways {
		if sig.ways&(1<<i) == 0 || w.grasp == graspNamed || len(w.refs) == 0 {
			continue
		}
		if t := w.refs[0].Time; w.from > always && w.from < t {
			from = min(from, w.from)
		} else {
			from = min(from, t)
		}
		to = max(to, w.refs[len(w.refs)-1].Time)
	}
	return spanPointers(from, to)
}

func spanPointers(from, to int64) (first, last *time.Time) {
	if from == never || from <= always || to == never || to <= always {
		return nil, nil
	}
	return timePointer(from), timePointer(to)
}

func timePointer(ns int64) *time.Time {
	if ns == event.UnknownTime || ns <= always || ns == never {
		return nil
	}
	t := time.Unix(0, ns).UTC()
	return &t
}

// proofs returns where records stand.
func (r *reacher) proofs(refs []tally.Ref) []casefile.Proof {
	out := make([]casefile.Proof, 0, len(refs))
	for _, ref := range refs {
		p := casefile.Proof{Time: timePointer(ref.Time), Line: ref.Line, Record: ref.Record, Offset: ref.Offset}
		if i := int(ref.Source); i >= 0 && i < len(r.in.Sources) {
			p.Source = r.in.Sources[i].Path
		}
		out = append(out, p)
	}
	return out
}

// describeHole says a hole in words.
func describeHole(h hole) string {
	s := casefile.GapWords(h.reason)
	if t := h.span(); t != "" {
		s += ", " + t
	}
	if h.why != "" {
		s += " (" + h.why + ")"
	}
	return s
}

// tellRules lists the rules that verdicts lean on, and how many do.
func (r *reacher) tellRules() {
	for _, i := range slices.Concat(logs.Inferences(), rules()) {
		if n := r.used[i.Name]; n > 0 {
			r.j.Inferences = append(r.j.Inferences, casefile.Inference{Name: i.Name, Says: i.Says, Verified: i.Verified, Source: i.Source, Verdicts: n})
		}
	}
}

// tellCredentials says which credentials an attacker held, or may have held.
func (r *reacher) tellCredentials() {
	type held struct {
		l    levels
		k    *capability
		kind []string
	}
	all := make(map[string]*held)
	for i := range r.powers {
		k := &r.powers[i]
		if k.power != logs.Password && k.power != logs.Token || k.principal == "" {
			continue
		}
		d := was
		if !k.certain {
			if d = may; k.rule == ruleTried {
				d = r.guessed(k)
			}
		}
		if d == not {
			continue
		}
		h := all[k.principal]
		if h == nil {
			h = &held{}
			all[k.principal] = h
		}
		if h.l[logs.Content] < d || h.k == nil {
			h.k = k
		}
		h.l.raise(logs.Content, d)
		h.kind = addTo(h.kind, k.power.String(), mostWords)
	}
	for _, p := range slices.Sorted(maps.Keys(all)) {
		h := all[p]
		e := casefile.Reached{Object: casefile.Object{Kind: "credential", ID: p}}
		verdict(&e, &h.l)
		e.First, e.Last = timePointer(h.k.from), timePointer(h.k.to)
		proof := h.k.evidence
		if proof == nil {
			proof = []casefile.Proof{}
		}
		text := "The attacker held the " + strings.Join(h.kind, " and a ") + " of this account."
		if h.l[logs.Content] != was {
			text = "The attacker may have held the " + strings.Join(h.kind, " and a ") + " of this account."
		}
		for _, s := range h.k.why {
			text += " " + asSentence(s)
		}
		e.Why = []casefile.Reason{{Rule: ruleHeld, Text: text, Evidence: proof}}
		if h.l[logs.Content] != was {
			switch h.k.rule {
			case ruleTried:
				e.Settle = "the log that would show whether a guess at " + p + " succeeded"
			case ruleExposed:
				e.Settle = "what was captured, if it is found: whether " + p + " is in it"
			default:
				e.Settle = "the owner's word on whether the sessions that are suspected were theirs (facts: statements)"
			}
		}
		r.add(e)
	}
}

// guessed returns whether a credential that was only tried may have been found: where no log shows that it was not.
func (r *reacher) guessed(k *capability) degree {
	from, to := max(orAlways(k.earliest), r.from), min(orNever(k.to), r.to)
	channels := k.channels
	if channels == nil {
		channels = r.cover.channels("mailbox", k.principal)
	}
	if len(channels) == 0 {
		return may
	}
	for _, c := range channels {
		if !r.cover.presence(c, k.principal, from, to).covered() {
			return may
		}
	}
	return not
}
