package judge

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// doubts opens what must stay open because the logs do not say whose doing something was, or whose mailbox a name means.
func (r *reacher) doubts() error {
	if !r.attacked() {
		return nil
	}
	if err := r.hidden(); err != nil {
		return err
	}
	r.commands()
	r.otherAccounts()
	return nil
}

// commands opens every mailbox where a session that matters gave commands to Exchange and no log shows which: an administrator exports what
// he likes.
func (r *reacher) commands() {
	for _, k := range slices.SortedFunc(maps.Keys(r.stays), func(a, b stay) int { return strings.Compare(a.principal, b.principal) }) {
		if k.channel != "powershell" {
			continue
		}
		for _, s := range r.stays[k] {
			ans := r.cover.detail(k.channel, "", s.From, s.To)
			if ans.covered() || s.From > r.to || s.To < r.from {
				continue
			}
			reason, words := "", "powershell: no log tells which commands were given"
			if ans.assessed {
				reason, words = ans.holes[0].reason, "powershell: "+describeHole(ans.holes[0])
			}
			for _, b := range r.sorted() {
				r.hole(b, ruleNoDetail, reason, words, s.From, s.To)
				b.through(k.channel).raise(may, words)
			}
		}
	}
}

// attacked reports whether there is an attacker at all, by what the facts or the logs say.
func (r *reacher) attacked() bool {
	if f := r.in.Facts; f != nil && (len(f.Attacker.IPs) > 0 || len(f.Attacker.Accounts) > 0 || len(f.Attacker.Sessions) > 0 || len(f.Attacker.Devices) > 0 || len(f.Attacker.Scripts) > 0 || len(f.Exposed) > 0) {
		return true
	}
	return len(r.powers) > 0 || len(r.hosts) > 0 || slices.ContainsFunc(r.sessions, func(s session) bool { return s.attribution >= suspected })
}

// hidden takes what was done in sessions of which no log shows whence they came: their login is not in the log, as it began before the
// log or its line is lost; or they came through a web mail server that no log is of.
func (r *reacher) hidden() error {
	seed := maphash.MakeSeed()
	crowded, err := r.crowded()
	if err != nil {
		return err
	}
	front := newFronts(r.in, r.who, r.cover, func(ip string) bool { return crowded[ip] })
	told, err := newWebMail(r.in, r.cover, func(context int, at int64) bool {
		s := r.whose(context, at)
		return s != nil && s.attribution >= suspected
	})
	if err != nil {
		return err
	}
	type brought struct { // a session that a server brought
		hash    uint64
		context int32
	}
	var begun []uint64 // sessions whose address is known
	var relayed []brought
	for i := range r.contexts {
		if c := &r.contexts[i]; tellsEnds(c) && c.IP != "" && c.Session != "" {
			h := maphash.String(seed, sessionKey(c))
			begun = append(begun, h)
			if crowded[c.IP] {
				relayed = append(relayed, brought{h, int32(i)})
			}
		}
	}
	slices.Sort(begun)
	slices.SortFunc(relayed, func(a, b brought) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.context, b.context)) })
	for i := range r.contexts {
		c := &r.contexts[i]
		if !relays(c) && !opensFiles(c) || c.Standing == logs.Service {
			continue
		}
		through := "" // the address of the server that brought it
		switch {
		case crowded[c.IP]:
			through = c.IP
		case c.IP != "":
			continue
		default:
			if c.Session == "" || !tellsEnds(c) {
				continue
			}
			h := maphash.String(seed, sessionKey(c))
			if n, is := slices.BinarySearchFunc(relayed, h, func(b brought, h uint64) int { return cmp.Compare(b.hash, h) }); is {
				through = r.contexts[relayed[n].context].IP
			} else if _, known := slices.BinarySearch(begun, h); known {
				continue
			}
		}
		if err := r.claimHidden(i, through, told, front); err != nil {
			return err
		}
	}
	return nil
}

// relays reports whether the address in a log may be that of a server between: a web mail server, or what stands before IIS.
func relays(c *tally.Context) bool {
	return c.Channel == "imap" || c.Channel == "pop3" || strings.HasPrefix(c.Format, "iis") && slices.Contains(exchangeWeb, c.Channel)
}

// crowded returns the addresses through which mail is read for many: those of services, those that every machine has, and private ones
// from which many accounts came, or public ones that stand between.
func (r *reacher) crowded() (map[string]bool, error) {
	between, err := r.in.serversBetween(r.who)
	if err != nil {
		return nil, err
	}
	facts := r.in.Facts.parsed()
	out, from := blindTo(r.in, r.who, r.cover), make(map[string]map[string]bool)
	if out == nil {
		out = make(map[string]bool)
	}
	for i := range r.contexts {
		c := &r.contexts[i]
		if c.IP == "" || c.Account == "" || !relays(c) && !opensFiles(c) || out[c.IP] || isMachine(c.Account) {
			continue
		}
		at := remoteOf(facts, c.IP)
		switch {
		case at.role&(RoleOurs|RoleScanner) != 0:
		case at.role&RoleService != 0, at.none:
			out[c.IP] = true
		case at.private || between[c.IP]:
			if from[c.IP] == nil {
				from[c.IP] = make(map[string]bool)
			}
			if from[c.IP][r.who.key(c.Account)] = true; len(from[c.IP]) >= crowd {
				out[c.IP] = true
			}
		}
	}
	return out, nil
}

// claimHidden takes what a context did as what may be the attacker's doing, where no session says whose it is. It came from the address
// through, "" for none that is known, of a web mail server or what stands before this one, whose log would tell: told and front know those logs.
func (r *reacher) claimHidden(context int, through string, told *webMail, front *fronts) error {
	c := &r.contexts[context]
	name := c.Account
	if name == "" {
		name = r.accountOf(c.Session)
	}
	account := r.who.key(name)
	relayed := through != ""
	if relayed && isMachine(account) {
		return nil
	}
	var open []tally.Span
	for _, v := range r.in.Store.Visits(context) {
		by := r.in.skew(context)
		from, to := sum(v.From, -by), sum(v.To, by)
		if v.From == event.UnknownTime || v.To == event.UnknownTime {
			from, to = r.from, r.to
		}
		if from > r.to || to < r.from {
			continue
		}
		if s := r.whose(context, v.From); s != nil && (s.attribution < unattributed || r.matters(s, from, to)) {
			continue
		}
		if relayed && front.tell(through, from, to) {
			continue
		}
		if relayed && slices.Contains(exchangeWeb, c.Channel) {
			if known, ok := r.cover.(*coverage); !ok || known.frontEnd(c.Channel, from, to) {
				continue
			}
		} else if relayed && !opensFiles(c) && (r.cover.presence("webmail", account, from, to).covered() || told.tells(from, to)) {
			continue
		}
		open = append(open, tally.Span{From: v.From, To: v.To})
	}
	if len(open) == 0 {
		return nil
	}
	s := &session{attribution: unattributed, principal: account, from: open[0].From, to: open[len(open)-1].To, doubt: r.in.skew(context)}
	s.ID = cmp.Or(c.Session, account+"|"+c.IP)
	for a, err := range r.in.Store.Acts(context) {
		if err != nil {
			return err
		}
		if a.Kind == logs.Access && (a.OK || a.Unknown) && inSpans(open, timeOf(a)) {
			r.claim(a, c, s)
		}
	}
	return nil
}
