package html

import (
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
)

func (p *page) tables(c *casefile.Case) {
	p.sessions(c)
	p.powers(c)
	p.coverage(c)
	p.sources(c)

	p.Rejected.Cols = p.cols("rule", "rejected")
	for _, r := range first(c.Rules.Rejected, maxRejected) {
		p.Rejected.add(p.valOf("path", r.Path), p.phrase(r.Reason))
	}
	p.left(&p.Rejected, len(c.Rules.Rejected), maxRejected, casefile.CaseFile)
	for _, n := range first(c.Rules.Notes, maxRejected) {
		p.RulesNotes = append(p.RulesNotes, p.t("page.correlation", "note", p.phraseWords(n)))
	}
}

// phrases are sentences, each on a line.
func (s *say) phrases(all []string, most int) markup {
	var out []markup
	for _, text := range first(all, most) {
		out = append(out, s.phrase(text))
	}
	if n := len(all) - most; n > 0 {
		out = append(out, s.t("page.more", "n", n))
	}
	return stack(out)
}

func (p *page) sessions(c *casefile.Case) {
	p.Sessions.Cols = p.cols("session", "whose", "accounts", "addresses", "when", "why")
	for i := range first(c.Sessions, maxRows) {
		s := &c.Sessions[i]
		p.Sessions.add(p.val(cut(s.ID, maxName)), p.whose(s.Attribution), p.short(s.Accounts, p.ident), p.short(s.IPs, p.val), p.span(s.First, s.Last), p.phrases(s.Why, maxReasons))
	}
	p.left(&p.Sessions, len(c.Sessions), maxRows, casefile.CaseFile)
}

var attributions = []string{"attacker", "suspected", "unattributed", "owner", "service"}

func (s *say) whose(attribution string) markup {
	if slices.Contains(attributions, attribution) {
		return s.t("attribution." + attribution)
	}
	return s.val(cut(attribution, maxName))
}

func (p *page) powers(c *casefile.Case) {
	p.Powers.Cols = p.cols("what", "of", "opens", "when", "why")
	for i := range first(c.Capabilities, maxRows) {
		k := &c.Capabilities[i]
		when := []markup{p.heldWhen(k)}
		if k.Ends != "" {
			when = append(when, p.t("page.ended", "by", p.seen(p.phraseWords(k.Ends))))
		}
		what := p.powerKind(k.Kind)
		if k.Suspected {
			what = join([]markup{what, p.t("page.suspected")}, " ")
		}
		reach := p.some(k.Reach, p.phrase)
		p.Powers.add(what, p.ident(cut(k.Principal, maxName)), stack(append(reach.List, reach.More)), stack(when), p.phrases(k.Why, maxReasons))
	}
	p.left(&p.Powers, len(c.Capabilities), maxRows, casefile.CaseFile)
}

var powerKinds = []string{"password", "token", "host", "delegation", "grant", "rule"}

// powerKind names a power.
func (s *say) powerKind(kind string) markup {
	if slices.Contains(powerKinds, kind) {
		return s.t("capability." + kind)
	}
	return s.val(cut(kind, maxName))
}

func (p *page) coverage(c *casefile.Case) {
	p.Coverage.Cols = p.cols("host", "log", "account", "shows", "when", "gaps")
	order := coverageOrder(c)
	for _, v := range first(order, maxRows) {
		var gaps []markup
		for _, g := range first(v.Gaps, 5) {
			gaps = append(gaps, p.t("page.gap", "span", p.window(g.From, g.To), "why", p.gapWords(g.Reason)))
		}
		if n := len(v.Gaps) - 5; n > 0 {
			gaps = append(gaps, p.t("page.more", "n", n))
		}
		if v.Beyond != "" {
			gaps = append(gaps, p.t("page.beyond", "whom", p.seen(p.phraseWords(v.Beyond))))
		}
		p.Coverage.add(p.val(cut(v.Host, maxName)), p.val(cut(v.Stream, maxName)), p.ident(cut(v.Principal, maxName)), p.shows(v.Level), p.window(v.From, v.To), stack(gaps))
	}
	p.left(&p.Coverage, len(order), maxRows, casefile.CaseFile)
}

// shows is what a log of that level shows.
func (s *say) shows(level string) markup {
	if level == casefile.Presence || level == casefile.Detail {
		return s.t("coverage." + level)
	}
	return s.val(cut(level, maxName))
}

// gapWords says the reason of a gap.
func (s *say) gapWords(reason string) markup {
	return s.phrase(casefile.GapWords(cut(reason, maxName)))
}

func (p *page) sources(c *casefile.Case) {
	p.Problems.Cols = p.cols("source", "problem")
	p.Sources.Cols = p.cols("source", "kind", "host", "events", "unread", "size", "when")
	problems := 0
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.Format == "" && s.SHA256 != "" || s.Unparsed > 0 || len(s.Errors) > 0 {
			if problems++; problems <= maxProblems {
				p.Problems.add(p.valOf("path", s.Path), p.problem(s))
			}
		}
		if i >= maxSources {
			continue
		}
		what := []markup{p.valOf("path", s.Path)}
		if s.SHA256 != "" {
			what = append(what, `<span class="sub">`+p.valOf("hash", cut(s.SHA256, 64))+"</span>")
		}
		if s.Duplicates > 0 {
			what = append(what, `<span class="sub">`+p.t("page.duplicates", "n", s.Duplicates)+"</span>")
		}
		for _, n := range first(s.Notes, maxErrors) {
			what = append(what, `<span class="sub">`+p.phrase(n)+"</span>")
		}
		kind := p.val(cut(s.Format, maxName))
		switch {
		case isEmpty(s):
			kind = p.t("page.kind.empty")
		case s.Format == "":
			kind = p.t("page.kind.unknown")
		}
		unread := markup(p.num(s.Unparsed))
		if s.Unparsed > 0 {
			unread = `<span class="warn">` + unread + "</span>"
		}
		p.Sources.add(join(what, ""), kind, p.val(cut(s.Host, maxName)), markup(p.num(s.Events)), unread, p.l.Size(s.Bytes).HTML(), p.window(s.From, s.To))
	}
	p.left(&p.Problems, problems, maxProblems, casefile.CaseFile)
	p.left(&p.Sources, len(c.Sources), maxSources, casefile.CaseFile)
}

// problem says what of a source could not be read.
func (p *page) problem(s *casefile.Source) markup {
	var what []markup
	said := s.Bytes == 0 && len(s.Errors)+len(s.Notes) > 0 // what is wrong, of a file of which nothing was read
	if s.Format == "" && !said {
		what = append(what, p.t("page.problem.kind"))
	}
	if said {
		for _, n := range first(s.Notes, maxErrors) {
			what = append(what, p.phrase(n))
		}
	} else if s.Unparsed > 0 {
		what = append(what, p.t("page.problem.parts", "n", s.Unparsed))
	}
	if len(s.Errors) > 0 {
		for _, e := range first(s.Errors, maxErrors) {
			what = append(what, p.phrase(e))
		}
		if n := len(s.Errors) - maxErrors; n > 0 {
			what = append(what, p.t("page.more", "n", n))
		}
	}
	return stack(what)
}
