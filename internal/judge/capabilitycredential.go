package judge

import (
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// opened is what the sessions of an account say of how it was opened.
type opened struct {
	name            string
	password, token *session // the first session that proves it
	suspect         *session // the first that may
	lastLogin       int64
	channels        []string // whose sessions live on by a token
}

// credentials finds the passwords and tokens that the attacker's and suspected sessions show, and the facts name.
func (h *holding) credentials() {
	found := make(map[string]*opened)
	get := func(name string) *opened {
		x := found[name]
		if x == nil {
			x = &opened{name: name, lastLogin: event.UnknownTime}
			found[name] = x
		}
		return x
	}
	for i := range h.s.all { // the gravest first, then in order of time
		s := &h.s.all[i]
		if s.attribution < suspected || s.principal == "" {
			continue
		}
		x := get(s.principal)
		if s.attribution == suspected {
			if x.suspect == nil {
				x.suspect = s
			}
			continue
		}
		x.lastLogin = max(x.lastLogin, s.lastLogin)
		for _, c := range s.Channels {
			if tokenChannels[c] && !slices.Contains(x.channels, c) {
				x.channels = append(x.channels, c)
			}
			h.shell(c, s)
		}
		if s.loggedIn || s.guess {
			if x.password == nil {
				x.password = s
			}
		} else if x.token == nil {
			x.token = s
		}
	}
	for _, account := range h.facts.Attacker.Accounts {
		for _, k := range h.who.keys(account) {
			get(k)
		}
	}
	names := make([]string, 0, len(found))
	for n := range found {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		h.credential(found[n])
	}
}

// credential says which powers over an account were held.
func (h *holding) credential(x *opened) {
	slices.Sort(x.channels)
	named := slices.ContainsFunc(h.facts.Attacker.Accounts, func(a string) bool { return slices.Contains(h.who.keys(a), x.name) })
	base := capability{principal: x.name, earliest: h.in.From, to: h.in.To, rule: logs.SignedIn, lastLogin: x.lastLogin}
	for _, k := range h.who.keys(x.name) {
		base.reach = append(base.reach, scope{kind: "mailbox", in: k})
	}
	base.reach = append(base.reach, scope{kind: "file"})
	by := func(k capability, s *session) capability {
		k.from, k.doubt = s.from, s.doubt
		k.earliest = earlier(k.earliest, sum(s.from, -s.doubt))
		k.evidence = s.Evidence
		return k
	}
	password := base
	password.power = logs.Password
	switch {
	case x.password != nil:
		password = by(password, x.password)
		password.certain = true
		text := "a login of the attacker succeeded: session " + x.password.ID
		if x.password.guess && !x.password.loggedIn {
			text = "the password was guessed: session " + x.password.ID
		}
		password.why = append([]string{text}, x.password.Why...)
		if named {
			password.why = append(password.why, "the facts say that the attacker holds the account")
		}
	case named:
		password.from, password.certain = h.in.From, true
		password.why = []string{"the facts say that the attacker holds the account"}
	case x.token != nil:
		password = by(password, x.token)
		password.why = []string{"session " + x.token.ID + " is the attacker's, and no login of it is in the logs: he may know the password"}
	default:
		password = by(password, x.suspect)
		password.why = append([]string{"session " + x.suspect.ID + " is suspected"}, x.suspect.Why...)
	}
	h.list = append(h.list, password)
	token := base
	token.power, token.channels = logs.Token, x.channels
	switch {
	case x.token != nil && x.password == nil:
		token = by(token, x.token)
		token.certain = true
		if len(x.channels) == 0 {
			token.channels = x.token.Channels
		}
		token.why = append([]string{"session " + x.token.ID + " is the attacker's, without a login of his in the logs"}, x.token.Why...)
	case x.password != nil && len(x.channels) > 0:
		first := x.password
		if x.token != nil && x.token.from < first.from {
			first = x.token
		}
		token = by(token, first)
		token.certain = true
		token.why = []string{"session " + first.ID + " is the attacker's, and lives on when the password is changed"}
	default:
		return
	}
	h.list = append(h.list, token)
}
