package html

import (
	"cmp"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// maxBriefLines is how many lines the first screen gives to what was held, to gaps and to what would settle the rest.
const maxBriefLines = 3

// sentence says in short what was reached, confirmed and possible apart.
func (s *say) sentence(c *casefile.Case) markup {
	n := c.Summary.Reached
	objects := func(of func(casefile.VerdictCounts) int64) lang.Words {
		var parts []lang.Words
		for _, k := range [...]string{"mailbox", "message", "file"} {
			if n := of(n[k]); n > 0 {
				parts = append(parts, s.l.Count("count."+k, n))
			}
		}
		return s.l.List(parts)
	}
	confirmed := objects(func(n casefile.VerdictCounts) int64 { return n.Confirmed })
	possible := objects(func(n casefile.VerdictCounts) int64 { return n.Possible })
	ruledOut := objects(func(n casefile.VerdictCounts) int64 { return n.RuledOut })
	var said []markup
	if !confirmed.Empty() {
		said = append(said, s.t("reached.content.confirmed", "objects", confirmed))
	}
	switch {
	case !possible.Empty() && confirmed.Empty():
		said = append(said, s.t("reached.content.possible", "objects", possible), s.t("reached.content.unconfirmed"))
	case !possible.Empty():
		said = append(said, s.t("reached.content.possible", "objects", possible))
	case confirmed.Empty() && !ruledOut.Empty():
		said = append(said, s.t("reached.content.ruled_out", "objects", ruledOut))
	}
	if shells := n[casefile.KindShell]; shells.Confirmed > 0 {
		said = append(said, s.used("page.shells.used", "accessed.shell.confirmed", shells))
	}
	if len(said) == 0 {
		if h := n["host"]; h.Confirmed > 0 {
			said = append(said, s.used("page.hosts.attacked", "accessed.host.confirmed", h))
		}
		switch k := n["credential"]; {
		case k.Confirmed > 0:
			said = append(said, s.t("page.credentials.confirmed", "n", k.Confirmed))
		case k.Possible > 0:
			said = append(said, s.t("page.credentials.possible", "n", k.Possible))
		}
	}
	if len(said) == 0 {
		said = append(said, s.t("reached.unconfirmed"))
	}
	return join(said, " ")
}

// used says how many are confirmed, by one message for a number and by another for at least and at most so many.
func (s *say) used(one, between string, n casefile.VerdictCounts) markup {
	if least := n.ConfirmedLeast(); least < n.Confirmed {
		return s.t(between, "n", s.l.Between(least, n.Confirmed))
	}
	return s.t(one, "n", n.Confirmed)
}

// brief says on the first screen what was held when, and where the logs have gaps in that time.
func (p *page) brief(c *casefile.Case, g *gathered) {
	v := &p.Reach
	v.Short = p.sentence(c)
	if len(v.Counts) == 0 {
		return
	}
	held := briefList{Head: p.t("page.head.held")}
	order := byPower(c)
	for _, k := range first(order, maxBriefLines) {
		held.List = append(held.List, p.t("page.held", "what", p.powerWords(k), "when", p.heldWhen(k)))
	}
	if n := len(order) - len(held.List); n > 0 {
		held.More = p.t("page.more.below", "n", n)
	}
	if len(held.List) > 0 {
		v.Brief = append(v.Brief, held)
	}
	if b := p.gapsInBrief(c); len(b.List) > 0 {
		v.Brief = append(v.Brief, b)
	}
}

// byPower puts what is proven before what is suspected, and what was held first before the rest.
func byPower(c *casefile.Case) []*casefile.Capability {
	order := make([]*casefile.Capability, 0, len(c.Capabilities))
	for i := range c.Capabilities {
		order = append(order, &c.Capabilities[i])
	}
	slices.SortStableFunc(order, func(a, b *casefile.Capability) int {
		switch {
		case a.Suspected == b.Suspected:
			return a.From.Compare(b.From)
		case b.Suspected:
			return -1
		}
		return 1
	})
	return order
}

// heldWhen says when a power was held.
func (p *page) heldWhen(k *casefile.Capability) markup {
	perhaps := k.Earliest != nil && k.Earliest.Before(k.From)
	from := k.From
	id := "page.held.proven"
	switch {
	case k.Suspected:
		id = "page.held.suspected"
		if k.Earliest != nil && (from.IsZero() || k.Earliest.Before(from)) {
			from = *k.Earliest
		}
	case perhaps:
		id = "page.held.perhaps"
	}
	args := []any{"from", p.minute(from)}
	if id == "page.held.perhaps" {
		args = append(args, "earliest", p.minute(*k.Earliest))
	}
	since := p.t(id, args...)
	if k.To == nil {
		return p.t("page.held.open", "since", since)
	}
	return p.t("page.held.until", "since", since, "to", p.minute(*k.To))
}

// gapView is a gap in the time in which the attacker held something.
type gapView struct {
	log  *casefile.Coverage
	g    *casefile.Gap
	long time.Duration
}

// edge says whether the gap is the end of a log: a hole in it is more of a surprise.
func (g *gapView) edge() int {
	if g.g.Reason == "before_coverage" || g.g.Reason == "after_coverage" {
		return 1
	}
	return 0
}

// gapsInBrief says where logs have gaps while the attacker held something.
func (p *page) gapsInBrief(c *casefile.Case) briefList {
	b := briefList{Head: p.t("page.head.gaps")}
	from, to, ok := axis(c)
	if !ok {
		return b
	}
	var all []gapView
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
			if key := k.Host + "\x00" + k.Stream + g.From.String() + g.To.String(); !seen[key] {
				seen[key] = true
				all = append(all, gapView{k, g, earlier(*g.To, to).Sub(later(*g.From, from))})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b gapView) int {
		return cmp.Or(cmp.Compare(a.edge(), b.edge()), cmp.Compare(b.long, a.long))
	})
	for _, a := range first(all, maxBriefLines) {
		b.List = append(b.List, p.t("page.gap.brief", "log", p.log(a.log), "why", p.gapWords(a.g.Reason), "from", p.minute(*a.g.From), "to", p.minute(*a.g.To)))
	}
	if n := len(all) - len(b.List); n > 0 {
		b.More = p.t("page.more.below", "n", n)
	}
	for i := range c.Coverage {
		k := &c.Coverage[i]
		if k.Beyond == "" || len(b.List) >= 2*maxBriefLines {
			continue
		}
		if line := p.t("page.beyond.brief", "log", p.val(cut(k.Stream, maxName)), "whom", p.seen(p.phraseWords(k.Beyond))); !slices.Contains(b.List, line) {
			b.List = append(b.List, line)
		}
	}
	return b
}

// log names a log: its host, and what it is.
func (s *say) log(k *casefile.Coverage) markup { return s.val(logName(k)) }

func logName(k *casefile.Coverage) string {
	name := k.Stream
	if k.Host != "" {
		name = k.Host + " · " + name
	}
	return cut(name, maxName)
}

// minute is a time without its seconds.
func (s *say) minute(t time.Time) markup {
	if t.IsZero() {
		return s.t("time.unknown")
	}
	return s.valOf(oneTime, t.UTC().Format("2006-01-02 15:04"))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
