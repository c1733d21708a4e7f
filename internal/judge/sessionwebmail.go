package judge

import (
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// throughWebMail notes whose mailboxes web mail opened while an attacker was in it, or no log says whether he was. The log of a web server names
// no account, and the mail server sees the web server's address only: each of them may be the account that he used, by web mail and in any
// other way. cover is nil where nothing is asked of coverage.
func (a *attributing) throughWebMail(cover *coverage) error {
	if cover == nil {
		return nil
	}
	var there []tally.Span
	for _, p := range a.order {
		for _, x := range p.strands {
			if x.level < suspected {
				continue
			}
			for _, v := range x.parts {
				c := &a.contexts[v.context]
				if c.Channel != "webmail" || c.Account != "" && c.Account != "-" {
					continue
				}
				if v.from == event.UnknownTime {
					there = append(there, tally.Span{From: always, To: never})
					continue
				}
				by := besideMail + a.in.skew(v.context)
				if s := (tally.Span{From: sum(v.from, -by), To: sum(v.to, by)}); !cover.presence("webmail", "", sum(s.From, -day), s.To).covered() {
					there = append(there, s)
				}
			}
		}
	}
	a.inMail = joinSpans(there)
	// Whose sessions are is not settled yet: the attacker's in web mail are those of inMail.
	told, err := newWebMail(a.in, cover, func(int, int64) bool { return false })
	if err != nil {
		return err
	}
	unseen := func(c *tally.Context, from, to, by int64) bool {
		from, to = sum(orAlways(from), -by), sum(orNever(to), by)
		return from <= orNever(a.in.To) && to >= orAlways(a.in.From) && !told.tells(from, to) && !a.front.tell(c.IP, from, to) && !cover.presence("webmail", c.Account, from, to).covered()
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Channel != "imap" && c.Channel != "pop3" || c.IP == "" || c.Account == "" || a.ownClient(c.IP) {
			continue
		}
		relay := !a.personal(c.IP)
		by := a.in.skew(i)
		if !relay && len(a.inMail) == 0 || !slices.ContainsFunc(a.store.Visits(i), func(v tally.Visit) bool {
			return a.inWebMail(v.From, v.To, by) || relay && unseen(c, v.From, v.To, by)
		}) {
			continue
		}
		if p := a.personOf(int32(i)); p.held == "" && p.name != "" {
			p.held = "web mail opened the mailbox while an attacker may have been in it"
		}
	}
	return nil
}

// inWebMail reports whether an attacker was in web mail, without a log's saying as whom, in a time that may be off by doubt.
func (a *attributing) inWebMail(from, to, doubt int64) bool {
	if from == event.UnknownTime {
		return len(a.inMail) > 0
	}
	return meets(a.inMail, sum(from, -doubt), sum(to, doubt))
}

// byWebMail reports whether a strand is of connections that web mail may have made for the attacker.
func (a *attributing) byWebMail(x *strand) bool {
	if len(a.inMail) == 0 || x.ip == "" || a.ownClient(x.ip) {
		return false
	}
	return slices.ContainsFunc(x.parts, func(p part) bool {
		c := a.contexts[p.context].Channel
		return (c == "imap" || c == "pop3") && a.inWebMail(p.from, p.to, a.in.skew(p.context))
	})
}
