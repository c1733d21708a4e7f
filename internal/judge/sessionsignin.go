package judge

import (
	"cmp"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// signInLog is the format of the logs that tell of every sign-in how it was made and from where.
const signInLog = "entra.signin"

// suspicion is a visit that is suspected for how it came about.
type suspicion struct {
	context int32
	at      int64
	why     string
}

// signIn is one that succeeded.
type signIn struct {
	context int32
	at      int64
	place   logs.Place
	rule    string
}

// suspicions finds what is suspected for how it came about (mail-forensics 1.7, 2.2, 2.3), in order of time. Each alone is no more than that: it makes
// nobody else suspected. cover is nil where nobody asks it.
func (a *attributing) suspicions(cover *coverage) ([]suspicion, error) {
	var out []suspicion
	var federated []signIn
	var group []signIn
	last := ""
	judge := func() {
		if len(group) > 0 {
			slices.SortFunc(group, func(x, y signIn) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.context, y.context)) })
			out = a.travelled(group, out)
			out = a.oldWays(group, out)
			group = group[:0]
		}
	}
	began := int64(never)
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Format != signInLog || c.Account == "" {
			continue
		}
		if at := a.store.Began(i); at != event.UnknownTime {
			began = min(began, at)
		}
		if c.Account != last { // they stand together
			judge()
			last = c.Account
		}
		for act, err := range a.store.Acts(i) {
			if err != nil {
				return nil, err
			}
			if act.Kind != logs.Login || !act.OK || act.From == event.UnknownTime || act.To == event.UnknownTime {
				continue
			}
			x := signIn{context: int32(i), at: act.From, rule: act.Inference}
			x.place, _ = logs.ParsePlace(act.Target)
			group = append(group, x)
			if x.rule == logs.SignedInFederated {
				federated = append(federated, x)
			}
			if act.To != act.From {
				x.at = act.To
				group = append(group, x)
			}
		}
	}
	judge()
	if began != never {
		out = a.unmatched(cover, began, out)
		out = a.unissued(cover, federated, out)
	}
	out = a.replayed(out)
	out, err := a.massReads(out)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(x, y suspicion) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.context, y.context)) })
	return out, nil
}

// tells reports whether an address says where somebody was: not one that many share, or that acts for people, or that is the organisation's.
func (a *attributing) tells(ip string) bool {
	at := a.remote(ip)
	return !at.none && !at.private && !at.provider && at.role&(RoleNAT|RoleService|RoleOurs|RoleScanner) == 0
}

// twice is the first two days on which something was seen: never where there is none.
type twice struct{ first, second int64 }

func (t *twice) see(d int64) {
	switch {
	case d < t.first:
		t.first, t.second = d, t.first
	case d > t.first && d < t.second:
		t.second = d
	}
}

// familiarTo returns what tells, of the sign-ins of an account, whether the account had signed in from the network of one on at least two days
// before that of it.
func (a *attributing) familiarTo(group []signIn) func(*signIn) bool {
	var homes map[string]*twice // by network, once it was asked
	home := func(x *signIn) *twice {
		network := neighbourhood(a.contexts[x.context].IP)
		if homes[network] == nil {
			homes[network] = &twice{never, never}
		}
		return homes[network]
	}
	return func(x *signIn) bool {
		if homes == nil {
			homes = make(map[string]*twice)
			for i := range group {
				home(&group[i]).see(group[i].at / day)
			}
		}
		return home(x).second < x.at/day
	}
}

// plantSuspicion marks what is suspected for how it came about, unless the owner's baseline or the facts say that it is the owner's.
func (a *attributing) plantSuspicion(s *suspicion) {
	if a.start != event.UnknownTime && s.at != event.UnknownTime && s.at < a.start {
		return
	}
	p, visits := a.personOf(s.context), a.store.Visits(int(s.context))
	i, _ := slices.BinarySearchFunc(visits, s.at, func(v tally.Visit, at int64) int { return cmp.Compare(v.To, at) })
	if i == len(visits) || visits[i].From > s.at {
		return
	}
	if x := p.strandOf(int(s.context), i); x != nil && a.owned(x) == "" {
		a.mark(x, suspected, maxHops, true, s.why)
	}
}
