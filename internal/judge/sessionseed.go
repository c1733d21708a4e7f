package judge

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// seedList is where attribution starts: contexts that something marks.
type seedList struct {
	named    []int32 // by session or device, in the facts
	stated   []int32 // by a statement that calls them the attacker's or suspected
	agents   []int32 // by a client program, in the facts
	ips      []string
	guessed  []string
	exploits []string
	accounts []string // held, say the facts
	scripts  []string // in whose browsers script ran, say the facts
	exposed  []exposure
	suspect  []suspicion
	relayed  []throughRelay
	medium   []string // accounts of sessions that the facts name as this program does: account|address|time
}

func (s *seedList) any() bool {
	return len(s.named)+len(s.stated)+len(s.agents)+len(s.ips)+len(s.guessed)+len(s.exploits)+len(s.accounts)+len(s.medium)+len(s.scripts)+len(s.exposed)+len(s.suspect)+len(s.relayed) > 0
}

// seeds finds what the facts, guessing and exploits mark.
func (a *attributing) seeds() *seedList {
	s := &seedList{}
	for _, id := range a.facts.Attacker.Sessions {
		a.namedSessions[id] = true
		if account, _, ok := strings.Cut(id, "|"); ok {
			s.medium = append(s.medium, account)
		}
	}
	for _, id := range a.facts.Attacker.Devices {
		a.namedDevices[strings.ToLower(id)] = true
	}
	for _, x := range a.facts.Attacker.Accounts {
		for _, k := range a.who.keys(x) {
			a.heldAccounts[k] = true
			s.accounts = append(s.accounts, k)
		}
	}
	for i := range a.facts.Attacker.Scripts {
		s.scripts = append(s.scripts, a.who.keys(a.facts.Attacker.Scripts[i].Account)...)
	}
	var agents []string
	for _, x := range a.facts.Attacker.UserAgents {
		if n := normalAgent(x); len(n) >= 4 {
			agents = append(agents, n)
		} else {
			a.notes = append(a.notes, fmt.Sprintf("attacker.user_agents: %q is too short to tell anybody apart, and was not used", x))
		}
	}
	var grave []*Statement
	for i := range a.facts.Statements {
		x := &a.facts.Statements[i]
		if x.attribution() >= suspected {
			grave = append(grave, x)
			if account, _, ok := strings.Cut(x.Session, "|"); ok {
				s.medium = append(s.medium, account)
			}
		}
	}
	lastAgent, lastMatch := "", false
	if len(a.namedSessions)+len(a.namedDevices)+len(agents)+len(grave) > 0 {
		for i := range a.contexts {
			c := &a.contexts[i]
			if a.named(c) {
				s.named = append(s.named, int32(i))
			}
			if len(agents) > 0 && c.Agent != "" {
				if c.Agent != lastAgent {
					n := normalAgent(c.Agent)
					lastAgent, lastMatch = c.Agent, slices.ContainsFunc(agents, func(x string) bool { return strings.Contains(n, x) })
				}
				if lastMatch {
					s.agents = append(s.agents, int32(i))
				}
			}
			for _, x := range grave {
				if a.concerns(x, c) {
					s.stated = append(s.stated, int32(i))
					break
				}
			}
		}
	}
	if len(a.facts.Attacker.IPs) > 0 {
		for ip := range a.ips.ids {
			if a.facts.Role(ip)&RoleAttacker != 0 {
				s.ips = append(s.ips, ip)
			}
		}
	}
	for ip := range a.guessers {
		if a.remote(ip).pivots() && a.remote(ip).role&RoleAttacker == 0 {
			s.guessed = append(s.guessed, ip)
		}
	}
	for ip := range a.exploits {
		s.exploits = append(s.exploits, ip)
	}
	slices.Sort(s.ips)
	slices.Sort(s.guessed)
	slices.Sort(s.exploits)
	return s
}

// named reports whether the facts name the session or device of a context.
func (a *attributing) named(c *tally.Context) bool {
	return c.Session != "" && a.namedSessions[c.Session] || c.Device != "" && len(a.namedDevices) > 0 && a.namedDevices[strings.ToLower(c.Device)]
}

// concerns reports whether a statement is about a context.
func (a *attributing) concerns(s *Statement, c *tally.Context) bool {
	switch kind, name := s.Subject(); kind {
	case "session":
		return c.Session == name
	case "device":
		return strings.EqualFold(c.Device, name)
	case "app":
		return strings.EqualFold(c.App, name)
	case "account":
		return c.Account != "" && slices.Contains(a.who.keys(name), a.who.key(c.Account))
	case "ip":
		p, err := parsePrefix(name)
		if err != nil {
			return c.IP == name
		}
		ip, err := netip.ParseAddr(c.IP)
		return err == nil && p.Contains(ip.Unmap().WithZone(""))
	}
	return false
}

// beginning returns when the incident began: what the facts say, or the first that any seed did.
func (a *attributing) beginning(s *seedList) int64 {
	if a.facts.Window.From != nil {
		return a.facts.Window.From.UnixNano()
	}
	first := int64(math.MaxInt64)
	see := func(at int64) {
		if at != event.UnknownTime {
			first = min(first, at)
		}
	}
	for i := range a.facts.Attacker.Scripts {
		see(a.facts.Attacker.Scripts[i].From.UnixNano())
	}
	for i := range s.exposed {
		see(s.exposed[i].from)
	}
	visited := func(c int32) {
		for _, v := range a.store.Visits(int(c)) {
			see(v.From)
		}
	}
	for _, c := range s.named {
		visited(c)
	}
	for _, c := range s.stated {
		visited(c)
	}
	for _, ip := range s.ips {
		for c := a.ips.of(ip); c >= 0; c = a.ips.next[c] {
			visited(c)
		}
	}
	for _, ip := range s.exploits {
		see(a.exploits[ip].first)
	}
	for _, ip := range s.guessed {
		g := a.guessers[ip]
		for c := a.ips.of(ip); c >= 0; c = a.ips.next[c] {
			for _, v := range a.store.Visits(int(c)) {
				if by := max(g.doubt, a.in.skew(int(c))); v.From != event.UnknownTime && v.To >= g.first-by && v.From <= g.last+guessLasts+by {
					see(g.began)
				}
			}
		}
	}
	if first == math.MaxInt64 { // what is no more than suspected dates an incident only where nothing else does
		for i := range s.suspect {
			see(s.suspect[i].at)
		}
		for i := range s.relayed {
			see(s.relayed[i].since)
		}
	}
	if first == math.MaxInt64 {
		return event.UnknownTime
	}
	return first
}

// plant marks what the seeds mark.
func (a *attributing) plant(s *seedList) {
	for _, c := range s.stated {
		a.personOf(c) // state marks the strands
	}
	for _, x := range s.medium {
		if c := a.accounts.of(a.who.key(x)); c >= 0 {
			for _, y := range a.personOf(c).strands {
				if y.key == "" && a.namedSessions[y.label] {
					a.mark(y, ofAttacker, 0, false, "the facts name session "+y.label+" as the attacker's")
				}
			}
		}
	}
	for _, c := range s.named {
		ctx := &a.contexts[c]
		if key := sessionKey(ctx); ctx.Session != "" && a.namedSessions[ctx.Session] && key != "" {
			a.follow("s:"+key, ofAttacker, nil, "the facts name session "+ctx.Session+" as the attacker's")
		}
		if key := deviceKey(ctx); key != "" && a.namedDevices[strings.ToLower(ctx.Device)] {
			a.follow("d:"+key, ofAttacker, nil, "the facts name device "+ctx.Device+" as the attacker's")
		}
	}
	for _, ip := range s.ips {
		a.eachStrand(ip, func(x *strand) {
			named := "the facts name " + ip + " as the attacker's address"
			switch owned := a.owned(x); {
			case strings.HasPrefix(owned, "device"):
				x.vouch = named + ", but " + owned + " (P5 before P2)"
			case owned != "":
				a.mark(x, suspected, 0, false, named, "but "+owned)
			case a.remote(ip).role&RoleNAT != 0:
				a.mark(x, suspected, 0, false, named, "but they say too that many share it")
			default:
				a.mark(x, ofAttacker, 0, false, named)
			}
		})
	}
	for _, ip := range s.guessed {
		a.plantGuess(ip, a.guessers[ip])
	}
	for _, ip := range s.exploits {
		a.plantExploit(ip, a.exploits[ip])
	}
	for i := range s.suspect {
		a.plantSuspicion(&s.suspect[i])
	}
	for _, c := range s.agents {
		agent := normalAgent(a.contexts[c].Agent)
		for _, x := range a.personOf(c).strands {
			if slices.Contains(x.agents, agent) && a.owned(x) == "" {
				a.mark(x, suspected, 0, false, "the facts name its client program as the attacker's; a client program alone proves nobody (P3)")
			}
		}
	}
	for _, k := range s.accounts {
		if c := a.accounts.of(k); c >= 0 {
			p := a.personOf(c)
			p.held = "the facts say that the attacker holds the account"
			p.alone = a.madeByAttacker(p)
		}
	}
	for i := range s.exposed {
		a.presumeHeld(s.exposed[i].account, s.exposed[i].why)
	}
	for i := range s.relayed {
		a.presumeHeld(s.relayed[i].account, s.relayed[i].why)
	}
	for _, k := range s.scripts {
		if c := a.accounts.of(k); c >= 0 {
			if p := a.personOf(c); p.held == "" {
				p.held = "the facts say that script of the attacker ran in the browser of the account"
			}
		}
	}
}

// presumeHeld takes that an attacker may hold an account, as people.key writes it, unless more is known.
func (a *attributing) presumeHeld(account, why string) {
	if c := a.accounts.of(account); c >= 0 {
		if p := a.personOf(c); p.held == "" {
			p.held, p.perhaps = why, true
		}
	}
}

// madeByAttacker reports whether an account that the attacker holds was never anybody else's, as far as is known: nothing of it
// before the incident in logs that reach back, and no owner in the inventory.
func (a *attributing) madeByAttacker(p *person) bool {
	if !p.base.known {
		return false
	}
	for _, s := range p.strands {
		if s.from < a.start {
			return false
		}
	}
	if a.in.Inventory != nil {
		for i := range a.in.Inventory.Mailboxes {
			if m := &a.in.Inventory.Mailboxes[i]; m.Owner != "" && a.who.key(m.Name) == p.name {
				return false
			}
		}
	}
	return true
}

func (a *attributing) plantGuess(ip string, g *guess) {
	if !a.inNobodys(ip) {
		return
	}
	what := fmt.Sprintf("%s failed to log in to %s", ip, count(int64(g.accounts), "account"))
	if !g.spray {
		what = fmt.Sprintf("%s failed to log in %s", ip, count(g.times, "time"))
	}
	what += fmt.Sprintf(" from %s to %s", inTime(g.began), inTime(g.last))
	a.eachStrand(ip, func(x *strand) {
		doubt := max(x.doubt, g.doubt)
		if x.doubt == g.doubt && x.host == g.host { // by the same clock
			doubt = 0
		}
		until := g.last + guessLasts + doubt
		if !x.during(g.first-doubt, until) {
			return
		}
		if owned := a.owned(x); owned != "" {
			x.vouch = what + ", but " + owned
			return
		}
		but := ""
		switch {
		case x.who.byKey["i:"+ip][0].from < g.began+doubt && x.who.name != "":
			but = "the account had come from there before"
		case x.during(sum(g.certain, -doubt), until):
			if !a.personal(ip) {
				but = "many come from there"
			}
		case x.during(sum(g.apart, -doubt), until):
			but = "the failures stand in the logs of several servers, which may tell of the same ones"
		default:
			but = "of no account alone were there as many as guessing takes"
		}
		then := "then it succeeded for " + a.told(x)
		if but != "" {
			a.mark(x, suspected, 0, false, what, then+"; but "+but)
			return
		}
		x.guess = true
		a.mark(x, ofAttacker, 0, false, what, then)
	})
}

func (a *attributing) plantExploit(ip string, e *exploit) {
	exploited := make(map[int32][]int64)
	for _, act := range e.acts {
		exploited[act.context] = append(exploited[act.context], act.at)
	}
	for _, times := range exploited {
		slices.Sort(times)
	}
	a.eachStrand(ip, func(x *strand) {
		for _, p := range x.parts {
			times := exploited[int32(p.context)]
			if i, _ := slices.BinarySearch(times, p.from); i < len(times) && times[i] <= p.to {
				a.mark(x, ofAttacker, 0, true, e.why, "that is an attack, whoever it was")
				return
			}
		}
		if x.to != event.UnknownTime && sum(x.to, x.doubt) < e.first {
			return
		}
		if owned := a.owned(x); owned != "" {
			x.vouch = e.why + ", but " + owned
			return
		}
		a.mark(x, suspected, 0, true, e.why, "the same address: "+a.told(x)+" (P2)")
	})
}
