package html

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// brief is an incident in a line.
type brief struct {
	Anchor    string
	Level     string
	Title     markup
	Where     markup
	Span      markup
	Stage     markup
	Findings  markup
	Active    bool
	Last      markup
	Story     []storyLine
	StoryLeft int
}

// storyLine is a step of an incident in a line.
type storyLine struct {
	Time  markup
	Level string
	Title markup
}

// maxStories is how many incidents the first screen tells step by step, and maxStory how many steps of one.
const (
	maxStories = 2
	maxStory   = 9
)

// headlineWords says how many incidents there are, and how grave.
func (s *say) headlineWords(c *casefile.Case, order []*casefile.Incident) lang.Words {
	if len(order) == 0 {
		_, total := s.levelCounts(c)
		events, sources := read(c)
		args := []any{"events", s.l.Count("count.event", events), "sources", s.l.Count("count.source", int64(sources))}
		id := "page.nothing"
		if total > 0 {
			id = "page.no_incident"
			args = append(args, "findings", s.l.Count("count.finding", total))
		}
		if rank(c.Rules.MinLevel) > 0 {
			id += ".above"
			args = append(args, "level", s.w("level."+c.Rules.MinLevel))
		}
		return s.w(id, args...)
	}
	worst := class(order[0].Severity)
	n := 0
	for _, in := range order {
		if class(in.Severity) == worst {
			n++
		}
	}
	level := s.w("level." + worst)
	switch {
	case n == len(order):
		return s.w("page.incidents.all", "n", n, "level", level)
	default:
		return s.w("page.incidents.some", "all", s.l.Count("count.incident", int64(len(order))), "n", n, "level", level)
	}
}

// read is how many events were read, and from how many sources.
func read(c *casefile.Case) (events int64, sources int) {
	for i := range c.Sources {
		if s := &c.Sources[i]; !isList(s) {
			events += s.Events
			sources++
		}
	}
	return events, sources
}

func (s *say) levelCounts(c *casefile.Case) (counts []levelCount, total int64) {
	for _, level := range levels {
		n := c.Summary.Findings[level]
		total += n
		counts = append(counts, levelCount{level, s.num(n)})
	}
	return counts, total
}

func (p *page) firstScreen(c *casefile.Case, order []*casefile.Incident) {
	p.Levels, _ = p.levelCounts(c)
	p.unread(c)
	p.RulesLine = append(p.RulesLine, p.t("page.rules.applied", "n", c.Rules.Loaded))
	if n := len(c.Rules.Rejected); n > 0 {
		p.RulesLine = append(p.RulesLine, p.t("page.rules.rejected", "n", n))
		p.RulesRejected = true
	}
	p.Headline = p.headlineWords(c, order).HTML()
	if len(order) == 0 {
		p.nothing(c)
		return
	}
	p.Severity = class(order[0].Severity)
	var active int
	var first, since, last time.Time // since: of the worst
	hosts, accounts := newSet(), newSet()
	for _, in := range order {
		if class(in.Severity) == p.Severity && !in.First.IsZero() && (since.IsZero() || in.First.Before(since)) {
			since = in.First
		}
		if in.Active {
			active++
		}
		if !in.First.IsZero() && (first.IsZero() || in.First.Before(first)) {
			first = in.First
		}
		if in.Last.After(last) {
			last = in.Last
		}
		hosts.add(in.Hosts)
		accounts.add(in.Accounts)
	}
	switch {
	case active == 0 && c.Window.To != nil:
		p.Active = p.t("page.active.no.at", "end", p.at(*c.Window.To))
		p.State = p.t("page.state.no")
	case active == 0:
		p.Active, p.State = p.t("page.active.no"), p.t("page.state.no")
	case len(order) == 1:
		p.Active, p.State = p.t("page.active.it"), p.t("page.state.it")
	default:
		p.Active, p.State = p.t("page.active.some", "n", active), p.t("page.state.some", "n", active)
	}
	p.ActiveNow = active > 0
	p.Since, p.Until, p.SinceLevel = p.at(since), p.at(last), p.t("page.since", "level", p.w("level."+p.Severity))
	if first.Before(since) {
		p.Earliest = p.at(first)
	}
	if d := last.Sub(since); !since.IsZero() && d >= time.Minute {
		p.Lasted = p.t("page.lasted", "time", p.l.Duration(d))
	}
	p.Hosts, p.Accounts = p.some(hosts.list, p.ident), p.some(accounts.list, p.ident)
	for i, in := range order {
		if i == maxTop {
			p.MoreTop = len(order) - maxTop
			break
		}
		b := p.inBrief(in)
		if len(p.Top) < maxStories {
			b.Story, b.StoryLeft = p.story(in)
		}
		p.Top = append(p.Top, b)
	}
}

// unread says what of the evidence could not be read.
func (p *page) unread(c *casefile.Case) {
	var unparsed int64
	var unknown, faulty, empty int
	for i := range c.Sources {
		s := &c.Sources[i]
		unparsed += s.Unparsed
		switch {
		case s.Format == "" && s.Bytes > 0:
			unknown++
		case s.Unparsed > 0 || len(s.Errors) > 0:
			faulty++
		case isEmpty(s):
			empty++
		}
	}
	if unknown > 0 {
		p.Unread = append(p.Unread, p.t("page.unread.kind", "n", unknown))
	}
	if empty > 0 {
		p.Unread = append(p.Unread, p.t("page.unread.empty", "n", empty))
	}
	if faulty > 0 {
		p.Unread = append(p.Unread, p.t("page.unread.part", "n", faulty))
	}
	if unparsed > 0 {
		p.Unread = append(p.Unread, p.t("page.unread.lines", "n", unparsed))
	}
	if len(c.Sources) == 0 {
		p.Unread = []markup{p.t("page.unread.none")}
	}
	p.UnreadAny = len(p.Unread) > 0
	if !p.UnreadAny {
		p.Unread = []markup{p.t("page.unread.nothing")}
	}
}

// isEmpty reports whether a source is a file without a byte: a log in which something was, perhaps.
func isEmpty(s *casefile.Source) bool { return s.Format == "" && s.Bytes == 0 && s.SHA256 != "" }

// isList reports whether a source is a list that people gave with the facts, not evidence.
func isList(s *casefile.Source) bool { return strings.HasPrefix(s.Format, "inventory.") }

// set is names in the order in which they were first met. Logs do not agree in the case of a name.
type set struct {
	list []string
	seen map[string]bool
}

func newSet() *set { return &set{seen: make(map[string]bool)} }

func (s *set) add(names []string) {
	for _, n := range names {
		if key := strings.ToLower(n); !s.seen[key] {
			s.seen[key] = true
			s.list = append(s.list, n)
		}
	}
}

// nothing is the first screen of a case without incidents.
func (p *page) nothing(c *casefile.Case) {
	p.Nothing = true
	means := []markup{p.t("page.nothing.means", "n", c.Rules.Loaded)}
	if n := len(c.Rules.Rejected); n > 0 {
		means = append(means, p.t("page.nothing.rejected", "n", n))
	}
	p.Proof = append(p.Proof, join(means, " "))
	for _, n := range first(c.Rules.Notes, maxRejected) {
		p.Proof = append(p.Proof, p.t("page.correlation", "note", p.phraseWords(n)))
	}
	formats := map[string]int{}
	for i := range c.Sources {
		if s := &c.Sources[i]; s.Format != "" && s.Events > 0 && !isList(s) {
			formats[s.Format]++
		}
	}
	var kinds []lang.Words
	for _, f := range slices.Sorted(maps.Keys(formats)) {
		if len(kinds) == 20 {
			kinds = append(kinds, p.w("page.others"))
			break
		}
		kinds = append(kinds, p.l.Values(cut(f, maxName))...)
	}
	if len(kinds) > 0 {
		p.Proof = append(p.Proof, p.t("page.nothing.read", "kinds", p.l.List(kinds), "span", p.Evidence))
	} else {
		p.Proof = append(p.Proof, p.t("page.nothing.unread"))
	}
	if p.UnreadAny {
		p.Proof = append(p.Proof, p.t("page.nothing.not_read", "what", join(p.Unread, " ")))
	}
	if n := c.Summary.Reached; len(n) > 0 {
		// What was reached is the news, and that no rule found the attack comes after it.
		p.Proof[0] = join([]markup{p.Headline, p.Proof[0], p.t("page.nothing.apart")}, " ")
		p.Headline, p.Severity = p.Reach.Short, "medium"
		for _, k := range n {
			if k.Confirmed > 0 {
				p.Severity = "critical"
			}
		}
	}
}

func (p *page) inBrief(in *casefile.Incident) brief {
	b := brief{
		Level: class(in.Severity), Title: p.phrase(cut(in.Title, maxName)), Span: p.span(in.First, in.Last), Stage: p.stage(in.Stage),
		Findings: p.l.Count("count.finding", in.Findings).HTML(), Active: in.Active, Last: p.at(in.Last),
	}
	hosts := p.l.Values(cutAll(first(in.Hosts, 3))...)
	if n := len(in.Hosts) - 3; n > 0 {
		hosts = append(hosts, p.w("page.other_hosts", "n", n))
	}
	b.Where = p.l.List(hosts).HTML()
	return b
}

// story returns the gravest steps of an incident in order of time, and how many more there are of those levels.
func (p *page) story(in *casefile.Incident) (told []storyLine, more int) {
	top := slices.Index(levels[:], class(in.Severity))
	for i := range in.Steps {
		s := &in.Steps[i]
		l := slices.Index(levels[:], class(s.Rule.Level))
		if l > top+1 || l > slices.Index(levels[:], "medium") {
			continue
		}
		if len(told) == maxStory {
			more++
			continue
		}
		told = append(told, storyLine{p.clock(s.First, in.First), levels[l], p.rule(s.Rule.Title)})
	}
	if len(told) < 2 {
		return nil, 0 // the title says it all
	}
	return told, more
}

func cutAll(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = cut(s, maxName)
	}
	return out
}

// clock is the time of day of t, with the date where it is not that of the day before it.
func (p *page) clock(t, since time.Time) markup {
	switch {
	case t.IsZero():
		return ""
	case t.UTC().Format(time.DateOnly) == since.UTC().Format(time.DateOnly):
		return p.valOf(oneTime, t.UTC().Format(time.TimeOnly))
	}
	return p.at(t)
}
