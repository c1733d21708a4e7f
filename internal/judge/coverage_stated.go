package judge

import (
	"fmt"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/tally"
)

// state takes what people state to be covered. Where no file of the log was given, the statement makes the log.
func (g *gatherer) state(f *Facts) {
	for i := range f.Coverage {
		o := &f.Coverage[i]
		host := ""
		if o.Host != "" {
			host = g.c.in.hostOf(o.Host)
		}
		s := statedSpan{Span: tally.Span{From: o.From.UnixNano(), To: o.To.UnixNano()}, proof: o.Proof,
			presence: o.Level != casefile.Detail, detail: o.Level != casefile.Presence}
		if o.Principal != "" {
			s.whom = g.c.who.key(o.Principal)
			g.c.special[s.whom] = true
		}
		l := presence
		if o.Level == casefile.Detail {
			l = detail
		}
		found := false
		for _, k := range g.order {
			if t := g.trails[k]; t.calledSo(o.Stream, host) && len(t.rule.channels(l)) > 0 {
				t.stated = append(t.stated, s)
				found = true
			}
		}
		if !found && !g.invent(o, l, s) {
			g.c.notes = append(g.c.notes, fmt.Sprintf("facts, coverage: no log called %q shows %s: not used", o.Stream, o.Level))
		}
	}
}

// calledSo reports whether people mean the log by those words: by its name, the kind of log, or the log that it is a part of.
func (t *trail) calledSo(stream, host string) bool {
	if host != "" && t.place.key != host && t.place.key != "" && t.place.key != cloudPlace {
		return false
	}
	s := strings.ToLower(strings.TrimSpace(stream))
	for _, name := range [...]string{strings.ToLower(t.format), strings.ToLower(t.name)} {
		if name == s || strings.HasPrefix(name, s+":") || strings.HasPrefix(name, s+".") && s != "syslog" && s != "exchange" {
			return true
		}
	}
	if t.format == "iis.exchange" || t.format == "iis.w3c" {
		return s == "iis.w3c" || s == "iis" || t.name == "iis.w3c" && strings.HasPrefix(s, "iis.w3svc")
	}
	return false
}

// invent makes a log of which no file was given.
func (g *gatherer) invent(o *CoverageFact, l level, s statedSpan) bool {
	format := strings.TrimSpace(o.Stream)
	switch {
	case format == "m365.ual" && l == detail:
		format = mailAccess
	case format == "m365.ual":
		format = signIns
	case strings.HasPrefix(strings.ToLower(format), "iis"):
		format = "iis.w3c"
		if g.exchange[g.c.in.hostOf(o.Host)] || o.Host == "" && len(g.exchange) > 0 {
			format = "iis.exchange"
		}
	}
	rule := coversOf(format)
	if rule == nil || strings.HasSuffix(rule.format, "*") && rule.format != "web.access*" || len(rule.channels(l)) == 0 {
		return false
	}
	stream := tally.Stream{Source: -1, Host: o.Host, Format: format}
	p := g.locate(&stream, rule)
	p.systems[rule.system] = true
	k := trailKey{p.key, format, "\x00stated"}
	if g.trails[k] == nil {
		g.trails[k] = &trail{place: p, format: format, name: strings.TrimSpace(o.Stream), rule: rule, site: k.site, from: always}
		g.order = append(g.order, k)
	}
	g.trails[k].stated = append(g.trails[k].stated, s)
	return true
}
