package judge

import (
	"cmp"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// connections are the sessions of IMAP and POP3, in order of their beginning, by which web mail read mailboxes.
type connections struct {
	list []connection
	// latest is when the last of those up to each one ended.
	latest []int64
}

type connection struct {
	from, to int64
	account  string // as people.key writes it
	relay    bool   // from an address through which mail is read for many
}

// connections lists them. One of which the log shows no beginning, or no end, may have lasted a day longer.
func (r *reacher) connections() (*connections, error) {
	out := &connections{}
	crowded, err := r.crowded()
	if err != nil {
		return nil, err
	}
	type edges struct {
		at         int32
		begun, end bool
	}
	known := make(map[string]edges)
	for i := range r.contexts {
		c := &r.contexts[i]
		if !readsMail(c.Channel) {
			continue
		}
		account, key := r.who.key(c.Account), ""
		if tellsEnds(c) {
			key = sessionKey(c)
		}
		e, joined := edges{at: int32(len(out.list))}, false
		if key != "" {
			key += "\x00" + account
			if x, ok := known[key]; ok {
				e, joined = x, true
			}
		}
		longer := int64(day)
		if key != "" {
			longer = 0
			for a, err := range r.in.Store.Acts(i) {
				if err != nil {
					return nil, err
				}
				e.begun = e.begun || a.Kind == logs.Login && a.OK
				e.end = e.end || a.Inference == logs.MailFetched || a.Inference == logs.MailNotFetched || a.Inference == logs.MailTraffic
			}
		}
		by := sum(r.in.skew(i), longer)
		for _, v := range r.in.Store.Visits(i) {
			x := connection{sum(v.From, -by), sum(v.To, by), account, crowded[c.IP]}
			if v.From == event.UnknownTime || v.To == event.UnknownTime {
				x.from, x.to = always, never
			}
			if key == "" || !joined {
				out.list = append(out.list, x)
				joined = true
				continue
			}
			y := &out.list[e.at]
			y.from, y.to, y.relay = min(y.from, x.from), max(y.to, x.to), y.relay || x.relay
		}
		if key != "" && joined {
			known[key] = e
		}
	}
	for _, e := range known {
		y := &out.list[e.at]
		if !e.begun {
			y.from = sum(y.from, -day)
		}
		if !e.end {
			y.to = sum(y.to, day)
		}
	}
	slices.SortFunc(out.list, func(a, b connection) int { return cmp.Compare(a.from, b.from) })
	latest := int64(always)
	for i := range out.list {
		latest = max(latest, out.list[i].to)
		out.latest = append(out.latest, latest)
	}
	return out, nil
}

// behindWebMail returns whose mailboxes may be behind what web mail showed without a log's saying whose: those of which the mail server had
// a session then. nil is any: logs of mail servers do not cover the time, or have no session that web mail made, or one of an account
// that the list of mailboxes does not have by that name. So it is of Roundcube, which asks the mail server for all that it shows in a visit, if not
// for every message that it keeps; other programs may show what they keep themselves.
func (r *reacher) behindWebMail(a *tally.Act, s *session) (map[string]bool, error) {
	if a.Inference == logs.MailboxRead {
		return nil, nil
	}
	if r.made == nil {
		made, err := r.connections()
		if err != nil {
			return nil, err
		}
		r.made = made
	}
	by := sum(besideMail, max(r.in.skew(a.Context), r.doubt))
	begin := orAlways(a.From)
	if s != nil {
		begin = min(begin, orAlways(s.from))
	}
	from, to := sum(begin, -by), sum(orNever(a.To), by)
	if a.From == event.UnknownTime || a.To == event.UnknownTime || !r.cover.presence("imap", "", from, to).covered() || !r.cover.presence("pop3", "", from, to).covered() {
		return nil, nil
	}
	out, relay := make(map[string]bool), false
	n, _ := slices.BinarySearchFunc(r.made.list, to, func(x connection, at int64) int {
		if x.from <= at {
			return -1
		}
		return 1
	})
	for i := n - 1; i >= 0 && r.made.latest[i] >= from; i-- {
		x := &r.made.list[i]
		if x.to < from || isMachine(x.account) {
			continue
		}
		if b := r.boxes[x.account]; b == nil || !b.listed {
			return nil, nil
		}
		out[x.account], relay = true, relay || x.relay
	}
	if !relay {
		return nil, nil
	}
	return out, nil
}
