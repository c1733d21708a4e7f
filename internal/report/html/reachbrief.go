package html

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// maxBriefLines is how many lines the first screen gives to what was held, to gaps and to what would settle the rest.
const maxBriefLines = 3

// sentence says in short what was reached, confirmed and possible apart.
func sentence(c *casefile.Case) string {
	n := maps.Clone(c.Summary.Reached)
	shells := webShells(c)
	if files := withoutShells(n["file"], shells); n != nil {
		n["file"] = files
	}
	objects := func(of func(casefile.VerdictCounts) int64) string {
		var parts []string
		for _, k := range [...][3]string{{"mailbox", "mailbox", "mailboxes"}, {"message", "message", "messages"}, {"file", "file", "files"}} {
			if n := of(n[k[0]]); n > 0 {
				parts = append(parts, count(n, k[1], k[2]))
			}
		}
		return list(parts)
	}
	confirmed := objects(func(n casefile.VerdictCounts) int64 { return n.Confirmed })
	possible := objects(func(n casefile.VerdictCounts) int64 { return n.Possible })
	ruledOut := objects(func(n casefile.VerdictCounts) int64 { return n.RuledOut })
	var said []string
	if confirmed != "" {
		said = append(said, "The attacker reached content of "+confirmed+".")
	}
	switch {
	case possible != "" && confirmed != "":
		said = append(said, "Content of "+possible+" may have been reached.")
	case possible != "":
		said = append(said, "No access to content is confirmed; content of "+possible+" may have been reached.")
	case confirmed == "" && ruledOut != "":
		said = append(said, "Access to content of "+ruledOut+" is ruled out.")
	}
	if shells.Confirmed > 0 {
		said = append(said, count(shells.Confirmed, "web shell was", "web shells were")+" used.")
	}
	if len(said) == 0 {
		if h := n["host"]; h.Confirmed > 0 {
			said = append(said, count(h.Confirmed, "server was", "servers were")+" attacked with success.")
		}
		switch k := n["credential"]; {
		case k.Confirmed > 0:
			said = append(said, "The attacker held the password or a token of "+count(k.Confirmed, "account.", "accounts."))
		case k.Possible > 0:
			said = append(said, "The attacker may have held the password or a token of "+count(k.Possible, "account.", "accounts."))
		}
	}
	if len(said) == 0 {
		said = append(said, "No access is confirmed.")
	}
	return strings.Join(said, " ")
}

// webShells counts the verdicts on web shells: files that the attacker put there, of which it is asked whether he used them.
func webShells(c *casefile.Case) casefile.VerdictCounts {
	var n casefile.VerdictCounts
	for i := range c.Reached {
		r := &c.Reached[i]
		if r.Object.Kind != "file" || len(r.Why) == 0 || !strings.HasPrefix(r.Why[0].Rule, "SHELL_") {
			continue
		}
		switch verdictClass(r.Verdict) {
		case casefile.Confirmed:
			n.Confirmed++
		case casefile.Possible:
			n.Possible++
		default:
			n.RuledOut++
		}
	}
	return n
}

func withoutShells(files, shells casefile.VerdictCounts) casefile.VerdictCounts {
	files.Confirmed = max(0, files.Confirmed-shells.Confirmed)
	files.Possible = max(0, files.Possible-shells.Possible)
	files.RuledOut = max(0, files.RuledOut-shells.RuledOut)
	return files
}

// brief says on the first screen what was held when, and where the logs have gaps in that time.
func (v *reachView) brief(c *casefile.Case) {
	v.Short = sentence(c)
	if len(v.Counts) == 0 {
		return
	}
	held := briefList{Head: "Held"}
	order := make([]*casefile.Capability, 0, len(c.Capabilities))
	for i := range c.Capabilities {
		order = append(order, &c.Capabilities[i])
	}
	slices.SortStableFunc(order, comparePowers)
	for _, k := range first(order, maxBriefLines) {
		held.List = append(held.List, cut(powerWords(k.Kind)+" "+k.Principal, maxName)+": "+heldWhen(k))
	}
	if n := len(order) - len(held.List); n > 0 {
		held.More = "and " + number(n) + " more, below"
	}
	if len(held.List) > 0 {
		v.Brief = append(v.Brief, held)
	}
	if b := gapsInBrief(c); len(b.List) > 0 {
		v.Brief = append(v.Brief, b)
	}
}

// comparePowers puts what is proven before what is suspected, and what was held first before the rest.
func comparePowers(a, b *casefile.Capability) int {
	switch {
	case a.Suspected == b.Suspected:
		return a.From.Compare(b.From)
	case b.Suspected:
		return -1
	}
	return 1
}

// heldWhen says when a power was held.
func heldWhen(k *casefile.Capability) string {
	var s string
	switch {
	case k.Suspected:
		from := k.From
		if k.Earliest != nil && (from.IsZero() || k.Earliest.Before(from)) {
			from = *k.Earliest
		}
		s = "not proven; perhaps since " + toMinute(from)
	default:
		s = "proven since " + toMinute(k.From)
		if k.Earliest != nil && k.Earliest.Before(k.From) {
			s += ", perhaps since " + toMinute(*k.Earliest)
		}
	}
	if k.To == nil {
		return s + "; no end is known"
	}
	return s + "; until " + toMinute(*k.To)
}

// gapsInBrief says where logs have gaps while the attacker held something.
func gapsInBrief(c *casefile.Case) briefList {
	b := briefList{Head: "Gaps in the logs"}
	from, to, ok := axis(c)
	if !ok {
		return b
	}
	type gap struct {
		log  string
		g    *casefile.Gap
		long time.Duration
	}
	var all []gap
	seen := make(map[string]bool)
	for i := range c.Coverage {
		k := &c.Coverage[i]
		if len(k.Channels) == 0 {
			continue
		}
		for j := range k.Gaps {
			g := &k.Gaps[j]
			if g.From == nil || g.To == nil || !g.From.Before(to) || !g.To.After(from) {
				continue
			}
			log := k.Stream
			if k.Host != "" {
				log = k.Host + " · " + log
			}
			if key := log + g.From.String() + g.To.String(); !seen[key] {
				seen[key] = true
				all = append(all, gap{log, g, earlier(*g.To, to).Sub(later(*g.From, from))})
			}
		}
	}
	// A hole in a log is more of a surprise than where it begins and ends.
	edge := func(g *casefile.Gap) int {
		if g.Reason == "before_coverage" || g.Reason == "after_coverage" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b gap) int {
		return cmp.Or(cmp.Compare(edge(a.g), edge(b.g)), cmp.Compare(b.long, a.long))
	})
	for _, a := range first(all, maxBriefLines) {
		b.List = append(b.List, cut(a.log, maxName)+": "+casefile.GapWords(a.g.Reason)+", "+toMinute(*a.g.From)+" to "+toMinute(*a.g.To))
	}
	if n := len(all) - len(b.List); n > 0 {
		b.More = "and " + number(n) + " more, below"
	}
	for i := range c.Coverage {
		k := &c.Coverage[i]
		if line := cut(k.Stream, maxName) + " shows nothing of " + cut(k.Beyond, maxText); k.Beyond != "" && len(b.List) < 2*maxBriefLines && !slices.Contains(b.List, line) {
			b.List = append(b.List, line)
		}
	}
	return b
}

func toMinute(t time.Time) string {
	if t.IsZero() {
		return "a time that is not known"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
