package judge

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// index finds the contexts that have a name in common, in order.
type index struct {
	ids   map[string]int32
	first []int32
	next  []int32 // by context; -1 ends
}

// newIndex indexes contexts by what name returns, of which about so many have each name; "" is in no index.
func newIndex(contexts []tally.Context, each int, name func(*tally.Context) string) *index {
	x := &index{ids: make(map[string]int32, len(contexts)/each), next: make([]int32, len(contexts))}
	last, lastID := "", int32(-1)
	for i := len(contexts) - 1; i >= 0; i-- {
		n := name(&contexts[i])
		x.next[i] = -1
		if n == "" {
			continue
		}
		id := lastID
		if n != last || id < 0 {
			var ok bool
			if id, ok = x.ids[n]; !ok {
				id = int32(len(x.first))
				x.ids[n] = id
				x.first = append(x.first, -1)
			}
			last, lastID = n, id
		}
		x.next[i] = x.first[id]
		x.first[id] = int32(i)
	}
	return x
}

// of returns the first context with the name, -1 if there is none; next follows.
func (x *index) of(name string) int32 {
	if id, ok := x.ids[name]; ok {
		return x.first[id]
	}
	return -1
}

// strand is what is attributed as one: visits of one account from one address with one strong key, or, where the log gives
// none, with one client program and no longer pause.
type strand struct {
	who      *person
	key      string // sessionKey, or deviceKey, or appKey; "" if medium
	label    string // the key as the log writes it, or account|address|time
	session  string // sessionKey
	device   string
	app      string
	ip       string
	agents   []string // as normalAgent writes them, in order
	service  bool
	known    bool // a log that tells of it reaches back far enough for a baseline
	from, to int64
	host     string // of the log that tells of it; of several the first
	doubt    int64  // by how much from and to may be off: the clock of its log is
	first    tally.Ref
	parts    []part

	level  attribution
	hops   int
	weak   bool // the chain begins with an exploit: it makes nobody else an attacker
	guess  bool
	stated bool // a person said so
	vouch  string
	why    []string
}

// person is an account, and its strands once they matter.
type person struct {
	name     string // as people.key writes it; "" for nobody in particular
	contexts []int32
	strands  []*strand
	byKey    map[string][]*strand // by session, address and device; in order of time
	byVisit  map[int][]*strand    // by context, of each of its visits, once it was asked
	base     baseline
	held     string // why an attacker holds it, or may; "" if none does
	perhaps  bool   // he may: no session of his shows that he does
	alone    bool   // made by the attacker, as far as anybody knows
}

type strandKey struct {
	key, ip, device, family string
	service                 bool
}

// personOf returns the account of a context with all its strands. Requests without an account are told apart by address.
func (a *attributing) personOf(c int32) *person {
	name := a.nameOf(&a.contexts[c])
	if p := a.people[name]; p != nil {
		return p
	}
	p := &person{name: name, byKey: make(map[string][]*strand)}
	if strings.HasPrefix(name, anonymous) {
		p.name = ""
	}
	for i := a.accounts.of(name); i >= 0; i = a.accounts.next[i] {
		p.contexts = append(p.contexts, i)
	}
	a.people[name] = p
	a.order = append(a.order, p)
	a.learn(p)
	a.settle(p)
	return p
}

// strandOf returns the strand that a visit of a context is in; nil if it is in none.
func (p *person) strandOf(context, visit int) *strand {
	if p.byVisit == nil {
		p.byVisit = make(map[int][]*strand, len(p.contexts))
		for _, x := range p.strands {
			for _, part := range x.parts {
				list := p.byVisit[part.context]
				for len(list) <= part.visit {
					list = append(list, nil)
				}
				list[part.visit] = x
				p.byVisit[part.context] = list
			}
		}
	}
	if list := p.byVisit[context]; visit < len(list) {
		return list[visit]
	}
	return nil
}

// title is how a person reads of an account.
func (p *person) title() string { return cmp.Or(p.name, "nobody in particular") }

// settle makes the strands of a person.
func (a *attributing) settle(p *person) {
	groups := make(map[strandKey]*strand)
	begun := a.begunFrom(p)
	var all []*strand
	for _, i := range p.contexts {
		c := &a.contexts[i]
		visits := a.store.Visits(int(i))
		if len(visits) == 0 {
			continue
		}
		session, device, app := sessionKey(c), deviceKey(c), appKey(c)
		k := strandKey{key: cmp.Or(session, device, app), ip: c.IP, device: device, service: c.Standing == logs.Service}
		if k.key == "" {
			k.family = a.client(c.Agent).family
		}
		strandOf := func(k strandKey) *strand {
			if s := groups[k]; s != nil {
				return s
			}
			s := &strand{who: p, key: k.key, session: session, device: device, app: app, ip: k.ip, service: k.service,
				from: math.MaxInt64, to: math.MinInt64, level: unattributed}
			switch k.key {
			case session:
				s.label = c.Session
			default:
				s.label = k.key
			}
			groups[k] = s
			all = append(all, s)
			return s
		}
		var last *strand
		for v := range visits {
			if c.IP == "" {
				k.ip = begun[session].address(c, &visits[v])
			}
			s := strandOf(k)
			s.add(part{int(i), v, visits[v].From, visits[v].To}, visits[v].First)
			if s == last {
				continue
			}
			last = s
			s.known = s.known || a.reachesBack(c)
			if agent := a.client(c.Agent).name; agent != "" {
				if j, found := slices.BinarySearch(s.agents, agent); !found && len(s.agents) < maxListed {
					s.agents = slices.Insert(s.agents, j, agent)
				}
			}
			if s.doubt = max(s.doubt, a.in.skew(int(i))); s.host == "" {
				s.host = c.Host
			}
		}
	}
	for _, s := range all {
		slices.SortFunc(s.parts, func(x, y part) int {
			return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.context, y.context), cmp.Compare(x.visit, y.visit))
		})
		if s.key != "" {
			p.strands = append(p.strands, s)
			continue
		}
		p.strands = append(p.strands, a.cut(s)...)
	}
	slices.SortStableFunc(p.strands, func(x, y *strand) int {
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.key, y.key), cmp.Compare(x.ip, y.ip), cmp.Compare(x.device, y.device), slices.Compare(x.agents, y.agents))
	})
	for _, s := range p.strands {
		if s.session != "" {
			p.byKey["s:"+s.session] = append(p.byKey["s:"+s.session], s)
		}
		if s.ip != "" {
			p.byKey["i:"+s.ip] = append(p.byKey["i:"+s.ip], s)
		}
		if s.device != "" {
			p.byKey["d:"+s.device] = append(p.byKey["d:"+s.device], s)
		}
		a.state(s)
	}
}

// whence is where a session came from: the one address that records of it say, and when they do.
type whence struct {
	ip       string // "" where they say several
	from, to int64
}

// address returns whence what a context without an address did in a visit came, by the other records of its session; "" if they do not tell.
// Where a log names a connection, the line of its end is about the connection that its login opened. Windows counts its identifiers anew when
// it starts: a record without an address is of a session that others tell of at most a day apart.
func (o whence) address(c *tally.Context, v *tally.Visit) string {
	switch {
	case tellsEnds(c):
		return o.ip
	case c.Channel != "smb" || v.From == event.UnknownTime || v.From < sum(o.from, -day) || v.To > sum(o.to, day):
		return ""
	}
	return o.ip
}

// begunFrom returns whence a person's sessions of IMAP, POP3 and shares came, by their keys. Left out are those that came from several addresses,
// and of mail those from addresses through which it may be read for others: a log of what is behind them would have to say for whom.
func (a *attributing) begunFrom(p *person) map[string]whence {
	out := make(map[string]whence)
	for _, i := range p.contexts {
		c := &a.contexts[i]
		mail := tellsEnds(c)
		if c.IP == "" || !mail && !strings.HasPrefix(c.Format, "windows") {
			continue
		}
		session := sessionKey(c)
		if session == "" {
			continue
		}
		o, ok := out[session]
		if !ok {
			o = whence{ip: c.IP, from: math.MaxInt64, to: math.MinInt64}
		}
		if o.ip != c.IP || mail && !a.ownClient(c.IP) {
			o.ip = ""
		}
		for _, v := range a.store.Visits(int(i)) {
			if v.From != event.UnknownTime {
				o.from, o.to = min(o.from, v.From), max(o.to, v.To)
			}
		}
		out[session] = o
	}
	return out
}

// ownClient reports whether a connection of IMAP or POP3 from an address is that of a client, and not that of a web mail server or another
// that reads mail for many: somebody stated whose it is, the facts call it the organisation's, or it is of the Internet and fewer than a crowd
// came from it.
func (a *attributing) ownClient(ip string) bool {
	known, ok := a.clientOf[ip]
	if !ok {
		known = a.isOwnClient(ip)
		a.clientOf[ip] = known
	}
	return known
}

func (a *attributing) isOwnClient(ip string) bool {
	for i := range a.facts.Statements {
		s := &a.facts.Statements[i]
		if kind, _ := s.Subject(); kind == "ip" && s.attribution() != ofService && a.concerns(s, &tally.Context{IP: ip}) {
			return true
		}
	}
	at := a.remote(ip)
	switch {
	case at.role&(RoleNAT|RoleService) != 0 || at.none || at.provider:
		return false
	case at.role&(RoleOurs|RoleScanner) != 0:
		return true
	case at.private:
		return false
	}
	last, n := "", 0
	for c := a.ips.of(ip); c >= 0 && n < crowd; c = a.ips.next[c] {
		if x := &a.contexts[c]; x.Channel == "imap" || x.Channel == "pop3" {
			if k := a.who.key(x.Account); k != last {
				last = k
				n++
			}
		}
	}
	return n < crowd
}

// client is what a program calls itself, as normalAgent and family write it.
type client struct{ name, family string }

func (a *attributing) client(agent string) client {
	c, ok := a.clients[agent]
	if !ok {
		c = client{normalAgent(agent), family(agent)}
		a.clients[agent] = c
	}
	return c
}

// cut parts the visits of one account, address and client where the pause is long.
func (a *attributing) cut(s *strand) []*strand {
	var out []*strand
	for _, p := range s.parts {
		if n := len(out); n > 0 && tally.Adjacent(out[n-1].to, p.from) {
			out[n-1].add(p, a.store.Visits(p.context)[p.visit].First)
			continue
		}
		one := *s
		one.parts, one.from, one.to = nil, math.MaxInt64, math.MinInt64
		one.add(p, a.store.Visits(p.context)[p.visit].First)
		out = append(out, &one)
	}
	for _, one := range out {
		one.label = one.who.name + "|" + one.ip + "|" + second(one.from)
	}
	return out
}

// second writes a time to the second.

func (s *strand) add(p part, first tally.Ref) {
	if len(s.parts) == 0 || tally.CompareRefs(first, s.first) < 0 {
		s.first = first
	}
	s.parts = append(s.parts, p)
	s.from, s.to = min(s.from, p.from), max(s.to, p.to)
}

// during reports whether a visit of the strand lies, in part, in the time. A visit whose time nobody knows may.
func (s *strand) during(from, to int64) bool {
	for _, p := range s.parts {
		if p.from == event.UnknownTime || p.from <= to && p.to >= from {
			return true
		}
	}
	return false
}

const anonymous = "\x00"

// nameOf returns the account of a context, and for whoever gave none a name made of the address.
// ownerOf returns the one account that logins of Cyrus name with a session; "" if there is none, or several.
func (a *attributing) ownerOf(session string) string {
	if a.owners == nil {
		a.owners = make(map[string]string)
		for i := range a.contexts {
			c := &a.contexts[i]
			key := sessionKey(c)
			if key == "" || c.Account == "" || c.Account == "-" || !strings.HasSuffix(c.Format, ".cyrus") {
				continue
			}
			name := a.who.key(c.Account)
			if other, ok := a.owners[key]; ok && other != name {
				name = ""
			}
			a.owners[key] = name
		}
	}
	return a.owners[session]
}

func (a *attributing) nameOf(c *tally.Context) string {
	if c.Account == "" || c.Account == "-" {
		if c.IP == "" && strings.HasSuffix(c.Format, ".cyrus") {
			if name := a.ownerOf(sessionKey(c)); name != "" {
				return name
			}
		}
		return anonymous + c.IP
	}
	return a.who.key(c.Account)
}
