package judge

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// attribution is whose a session is. Greater is worse.
type attribution uint8

const (
	ofService attribution = iota
	ofOwner
	unattributed
	suspected
	ofAttacker
)

var attributionNames = [...]string{"service", "owner", "unattributed", "suspected", "attacker"}

func (a attribution) String() string { return attributionNames[a] }

// session is one continuous use of an identity.
type session struct {
	casefile.Session
	attribution attribution
	principal   string // the account, as people.key writes it
	from, to    int64
	ends        bool // a log of it tells ends of sessions
	open        bool // its end is not in the logs, though logs of the kind tell ends
	parts       []part
	held        bool // the account is one that an attacker used, or may have used
	guess       bool // it began with a password that was guessed
	loggedIn    bool // a login of it is in the logs
	lastLogin   int64
	doubt       int64 // by how much from and to may be off: the clock of its log is
}

// part is a visit of a context.
type part struct {
	context  int
	visit    int
	from, to int64 // of the visit: nanoseconds since 1970 UTC, or event.UnknownTime
}

// sessions are all sessions that are the attacker's, suspected, or of accounts that an attacker used.
type sessions struct {
	all []session
	// byContext finds the session of what a context did: in order of time.
	byContext map[int][]located
	// attackers are the addresses of the attacker's sessions.
	attackers map[string]bool
	// guessers are the addresses that guessed and from which somebody got in.
	guessers map[string]*guess
	// heldBy says why an attacker holds an account, where the facts say so or a session is the attacker's.
	heldBy map[string]string
	// exploited is what was done to hosts that only an attack does.
	exploited []exploitedHost
	// exposed are passwords that an attacker may have without any session's showing it.
	exposed []exposure
	hybrid  *hybridServers
	// notes say what was left out.
	notes []string
}

type located struct {
	from, to int64
	session  int
}

// of returns the session that what a context did at a time belongs to, nil if it is of no interest: the account is nobody's
// that an attacker used, and nothing ties it to one.
func (s *sessions) of(context int, at int64) *session {
	list := s.byContext[context]
	if len(list) == 0 {
		return nil
	}
	i, _ := slices.BinarySearchFunc(list, at, func(l located, at int64) int {
		if l.from <= at {
			return -1
		}
		return 1
	})
	return &s.all[list[max(i-1, 0)].session]
}

// maxSessions is how many sessions a case lists.
const maxSessions = 10_000

// list returns them as they stand in a case: the gravest first.
func (s *sessions) list() []casefile.Session {
	out := make([]casefile.Session, 0, min(len(s.all), maxSessions))
	for i := range s.all {
		if len(out) == maxSessions {
			break
		}
		out = append(out, s.all[i].Session)
	}
	return out
}

// gather makes sessions of what was attributed.
func (s *sessions) gather(a *attributing) error {
	s.byContext, s.attackers, s.heldBy, s.notes = make(map[int][]located), make(map[string]bool), make(map[string]string), a.notes
	type key struct {
		who   *person
		key   string
		level attribution
	}
	var groups [][]*strand
	byKey := make(map[key]int)
	for _, p := range a.order {
		if p.held != "" && p.name != "" {
			s.heldBy[p.name] = p.held
		}
		grave := p.held != ""
		for _, x := range p.strands {
			grave = grave || x.level >= suspected
		}
		for _, x := range p.strands {
			if !grave && x.vouch == "" && !x.stated {
				continue
			}
			k := key{p, x.key, x.level}
			if x.key != "" {
				if i, ok := byKey[k]; ok {
					groups[i] = append(groups[i], x)
					continue
				}
				byKey[k] = len(groups)
			}
			groups = append(groups, []*strand{x})
			if x.level == ofAttacker && x.ip != "" && a.remote(x.ip).pivots() {
				s.attackers[x.ip] = true
			}
		}
	}
	for _, g := range groups {
		for _, x := range g {
			if x.level == ofAttacker && x.ip != "" && a.remote(x.ip).pivots() {
				s.attackers[x.ip] = true
			}
		}
		s.all = append(s.all, a.session(g))
	}
	if err := s.follow(a); err != nil {
		return err
	}
	s.exploited = a.hosts
	slices.SortStableFunc(s.all, func(x, y session) int {
		return cmp.Or(cmp.Compare(y.attribution, x.attribution), cmp.Compare(x.from, y.from), strings.Compare(x.ID, y.ID), strings.Compare(x.principal, y.principal))
	})
	s.name()
	for i := range s.all {
		for _, p := range s.all[i].parts {
			s.byContext[p.context] = append(s.byContext[p.context], located{p.from, p.to, i})
		}
	}
	for _, list := range s.byContext {
		slices.SortFunc(list, func(x, y located) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	}
	if n := len(s.all) - maxSessions; n > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s are not listed: a case lists the %d gravest; verdicts take account of all", count(int64(n), "session"), maxSessions))
	}
	return nil
}

// name makes ids unique: the gravest session keeps the identifier that the log gives it.
func (s *sessions) name() {
	taken := make(map[string]bool, len(s.all))
	for i := range s.all {
		x := &s.all[i]
		id := x.ID
		for _, more := range []string{"", "|" + x.principal, "|" + x.principal + "|" + x.Attribution} {
			if !taken[x.ID+more] {
				id = x.ID + more
				break
			}
		}
		for n := 2; taken[id]; n++ {
			id = fmt.Sprintf("%s|%s|%d", x.ID, x.Attribution, n)
		}
		x.ID = id
		taken[id] = true
	}
}

// maxProofs is how many records a session or capability is proven by.
const maxProofs = 5

// session puts strands of one key and attribution together.
func (a *attributing) session(strands []*strand) session {
	first := strands[0]
	s := session{attribution: first.level, principal: first.who.name, from: math.MaxInt64, to: math.MinInt64, held: first.who.held != "" && !first.who.perhaps}
	s.lastLogin = event.UnknownTime
	s.ID, s.Attribution, s.Key = first.label, first.level.String(), "strong"
	if first.key == "" {
		s.Key = "medium"
	}
	s.Accounts, s.IPs, s.Why = []string{}, []string{}, []string{}
	add := func(list *[]string, text string, most int) {
		if text == "" || len(*list) >= most {
			return
		}
		if i, found := slices.BinarySearch(*list, text); !found {
			*list = slices.Insert(*list, i, text)
		}
	}
	var refs []tally.Ref
	for _, x := range strands {
		s.guess = s.guess || x.guess
		add(&s.IPs, x.ip, maxListed*10)
		for _, why := range x.why {
			if len(s.Why) < maxWhy && !slices.Contains(s.Why, why) {
				s.Why = append(s.Why, why)
			}
		}
		refs = append(refs, x.first)
		for i, p := range x.parts {
			s.parts = append(s.parts, p)
			s.doubt = max(s.doubt, a.in.skew(p.context))
			s.Acts += a.store.Visits(p.context)[p.visit].Acts
			if p.from != event.UnknownTime {
				s.from, s.to = min(s.from, p.from), max(s.to, p.to)
			}
			if i > 0 && x.parts[i-1].context == p.context {
				continue
			}
			c := &a.contexts[p.context]
			add(&s.Accounts, c.Account, maxListed)
			add(&s.Channels, c.Channel, maxListed)
			add(&s.Agents, c.Agent, maxListed)
			add(&s.Devices, c.Device, maxListed)
			s.ends = s.ends || tellsEnds(c)
		}
	}
	if s.from == math.MaxInt64 {
		s.from, s.to = event.UnknownTime, event.UnknownTime
	} else {
		s.First, s.Last = time.Unix(0, s.from).UTC(), time.Unix(0, s.to).UTC()
	}
	slices.SortFunc(refs, tally.CompareRefs)
	for _, r := range refs[:min(len(refs), maxProofs)] {
		s.Evidence = append(s.Evidence, a.in.proof(r))
	}
	return s
}

// tellsEnds reports whether a log writes a line at the end of every session through a channel.
func tellsEnds(c *tally.Context) bool {
	return (c.Channel == "imap" || c.Channel == "pop3") && (strings.Contains(c.Format, "dovecot") || strings.Contains(c.Format, "cyrus") || strings.Contains(c.Format, "courier"))
}

// follow finds out whether sessions have a login and an end. One whose logins outnumber the ends is open.
func (s *sessions) follow(a *attributing) error {
	visits := make(map[int][]located) // by context; each is of one session
	for i := range s.all {
		if s.all[i].attribution < unattributed {
			continue
		}
		for _, p := range s.all[i].parts {
			visits[p.context] = append(visits[p.context], located{p.from, p.to, i})
		}
	}
	logins, closed := make([]int64, len(s.all)), make([]int64, len(s.all))
	for _, context := range slices.Sorted(maps.Keys(visits)) {
		list := visits[context]
		slices.SortFunc(list, func(x, y located) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
		end := tellsEnds(&a.contexts[context])
		for act, err := range a.store.Acts(context) {
			if err != nil {
				return err
			}
			login := act.Kind == logs.Login && act.OK
			if !login && !(end && (act.Inference == logs.MailFetched || act.Inference == logs.MailNotFetched || act.Inference == logs.MailTraffic)) {
				continue
			}
			at := timeOf(act)
			i, _ := slices.BinarySearchFunc(list, at, func(l located, at int64) int {
				if l.from <= at {
					return -1
				}
				return 1
			})
			if i == 0 || list[i-1].to < at {
				continue
			}
			n := list[i-1].session
			switch x := &s.all[n]; {
			case !login:
				closed[n] += act.Times
			default:
				x.loggedIn, x.lastLogin = true, max(x.lastLogin, act.To)
				if end {
					logins[n] += act.Times
				}
			}
		}
	}
	for i := range s.all {
		s.all[i].open = s.all[i].ends && logins[i] > closed[i]
	}
	return nil
}

// inSpans reports whether a time lies in one of the spans, which are in order.
func inSpans(spans []tally.Span, at int64) bool {
	i, _ := slices.BinarySearchFunc(spans, at, func(s tally.Span, at int64) int {
		if s.From <= at {
			return -1
		}
		return 1
	})
	return i > 0 && spans[i-1].To >= at
}
