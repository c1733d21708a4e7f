package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// mostReasons is how many reasons an entry gives.
const mostReasons = 12

// gravest returns the indexes of the ways of a signature, the gravest first, as main verdicts are: what is known for certain to be more than metadata,
// what may be, and metadata.
func gravest(b *box, sig signature) []int {
	var out []int
	for i := range b.ways {
		if sig.ways&(1<<i) != 0 {
			out = append(out, i)
		}
	}
	grade := func(i int) int {
		w := b.ways[i]
		g := 2 * int(w.exposure)
		switch sure := sig.sure&(1<<i) != 0 || w.grasp == graspNamed && w.degree == was; {
		case sure && w.exposure >= logs.Partial:
			g += 8
		case sure:
			g++
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
		if b.saysOnce(w, sig) {
			continue
		}
		if w.grasp == graspNamed && t != nil {
			first, last := firstLast(t.from, t.to)
			n := int64(0)
			if len(t.refs) == 1 {
				n = 1
			}
			out = append(out, casefile.Reason{Rule: w.rule, Text: r.sentence(w, w.rule) + " " + recordsBy(n, t.by, first, last), Evidence: r.in.proofs(t.refs)})
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
		out = append(out, casefile.Reason{Rule: logs.ServiceBind, Text: r.says(logs.ServiceBind), Evidence: r.in.proofs(t.refs)})
	case t != nil && t.owner && l.content() == not && t.levels == (levels{}):
		out = append(out, casefile.Reason{Rule: ruleOwnerOnly, Text: r.says(ruleOwnerOnly), Evidence: r.in.proofs(t.refs)})
	}
	for _, w := range b.ways {
		if w.exposure >= logs.Partial && w.grasp != graspNamed && w.grasp != graspSelf {
			return append(out, casefile.Reason{Rule: ruleExcluded, Text: r.says(ruleExcluded) + " " + r.coveredBy(b), Evidence: []casefile.Proof{}})
		}
	}
	return append(out, casefile.Reason{Rule: ruleCovered, Text: r.says(ruleCovered) + " " + r.coveredBy(b), Evidence: []casefile.Proof{}})
}

// saysOnce reports whether the mailbox alone says that a program may have copied it without a record of it: of an item that is to be assumed
// read for a synchronisation that there is a record of, it adds nothing. It is said of items where the mailbox has no room for it.
func (b *box) saysOnce(w *way, sig signature) bool {
	if w.rule != ruleUnseenSync || len(b.ways) > mostReasons {
		return false
	}
	for i, o := range b.ways {
		if sig.ways&(1<<i) != 0 && o.rule == ruleSyncMailbox && (!o.open || w.open) {
			return true
		}
	}
	return false
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
		first, last := firstLast(w.from, w.to)
		if w.from <= always {
			first, last = moment(w.refs[0].Time), moment(w.refs[len(w.refs)-1].Time)
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
	return casefile.Reason{Rule: rule, Text: text, Evidence: r.in.proofs(w.refs)}
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
	out, ok := b.byWays[sig.ways]
	if !ok {
		out = r.byWays(b, sig)
		if b.byWays == nil {
			b.byWays = make(map[uint64][]string)
		}
		b.byWays[sig.ways] = out
	}
	if t == nil {
		return out
	}
	shared := true
	for _, s := range t.by {
		if _, found := slices.BinarySearch(out, s); found {
			continue
		}
		if shared {
			out, shared = slices.Clone(out), false
		}
		out = addTo(out, s, mostBy)
	}
	return out
}

// byWays returns the sessions by which ways reach an item.
func (r *reacher) byWays(b *box, sig signature) []string {
	var out []string
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
	return firstLast(from, to)
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
