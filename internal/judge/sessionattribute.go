package judge

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

const (
	// baselineDays is how many days a baseline takes, where the facts do not say.
	baselineDays = 30
	// maxHops is how many weak hops a chain may have.
	maxHops = 2
	// addressLasts is for how long before and after its use by an attacker an address ties accounts together.
	addressLasts = 30 * day
	maxListed    = 20 // agents, addresses, … of a session
	maxWhy       = 8
)

// attributing is the work of finding out whose sessions are.
type attributing struct {
	in       *Input
	store    tally.Store
	facts    *Facts
	who      *people
	contexts []tally.Context

	accounts, ips, sessions, devices *index

	start    int64            // of the incident: event.UnknownTime where nothing tells
	days     int64            // of a baseline
	begins   map[string]int64 // since when each log tells, by logOf
	begun    bool             // with what contexts did
	people   map[string]*person
	order    []*person
	roles    map[string]remote
	crowds   map[string]bool
	egresses map[string]int64 // the days since which addresses are those of networks: see egressSince
	blind    map[string]bool  // see blindTo
	front    *fronts
	clientOf map[string]bool   // by address: see ownClient
	inMail   []tally.Span      // when an attacker was in web mail that names no account
	owners   map[string]string // accounts by sessions of Cyrus, once they were asked for
	nobodys  map[string]bool
	spoken   map[string]attribution // how far a strong key was followed
	guessers map[string]*guess
	exploits map[string]*exploit
	hostile  map[string]*hostile // addresses of the attacker's strands, and of suspected ones
	dirty    []string            // those of them that must be followed
	queue    []*strand

	hosts   []exploitedHost
	hybrid  *hybridServers
	cover   *coverage // nil where nobody asks it
	clients map[string]client

	namedSessions, namedDevices, heldAccounts map[string]bool
	notes                                     []string
}

// hostile is what is known of an attacker's address.
type hostile struct {
	level    attribution
	from, to int64
	agents   map[string]bool
	hops     int
	weak     bool
	done     bool
	by       *strand
}

// attribute finds the sessions and says whose they are.
func attribute(in *Input, who *people, cover *coverage) (*sessions, error) {
	a := &attributing{in: in, cover: cover, store: in.Store, facts: in.Facts, who: who, contexts: in.Store.Contexts(), days: baselineDays,
		start: event.UnknownTime, people: make(map[string]*person), roles: make(map[string]remote), crowds: make(map[string]bool), egresses: make(map[string]int64), clientOf: make(map[string]bool),
		nobodys: make(map[string]bool), spoken: make(map[string]attribution), hostile: make(map[string]*hostile),
		exploits: make(map[string]*exploit), clients: make(map[string]client), namedSessions: make(map[string]bool), namedDevices: make(map[string]bool), heldAccounts: make(map[string]bool)}
	a.facts = a.facts.parsed()
	if a.facts.BaselineDays > 0 {
		a.days = int64(min(a.facts.BaselineDays, 3650))
	}
	a.ips = newIndex(a.contexts, func(c *tally.Context) string { return c.IP })
	a.blind = blindTo(in, who, cover)
	var err error
	if a.guessers, err = guesses(in, who, func(ip string) bool { return a.ips.of(ip) >= 0 }); err != nil {
		return nil, err
	}
	if err := a.findExploits(); err != nil {
		return nil, err
	}
	a.hybrid = newHybridServers(in, cover)
	seeds := a.seeds()
	if seeds.exposed, err = exposures(in, who, cover); err != nil {
		return nil, err
	}
	if seeds.suspect, err = a.suspicions(cover); err != nil {
		return nil, err
	}
	a.front = newFronts(in, who, cover, func(ip string) bool { return !a.personal(ip) && !a.ownClient(ip) })
	seeds.relayed = a.guessedThroughRelays(cover)
	out := &sessions{guessers: a.guessers, exploited: a.hosts, exposed: seeds.exposed, hybrid: a.hybrid, notes: a.notes}
	if !seeds.any() && len(a.facts.Attacker.IPs) == 0 { // an address of which no log tells may have come in where none does
		return out, nil
	}
	lastAccount, lastName := "", ""
	a.accounts = newIndex(a.contexts, func(c *tally.Context) string {
		if c.Account == "" || c.Account == "-" {
			return a.nameOf(c)
		}
		if c.Account != lastAccount {
			lastAccount, lastName = c.Account, who.key(c.Account)
		}
		return lastName
	})
	a.sessions, a.devices = newIndex(a.contexts, sessionKey), newIndex(a.contexts, deviceKey)
	a.begin()
	a.start = a.beginning(seeds)
	a.plant(seeds)
	a.spread()
	if err := a.forge(); err != nil {
		return nil, err
	}
	if err := a.followGrants(); err != nil {
		return nil, err
	}
	a.spread()
	if err := a.throughWebMail(cover); err != nil {
		return nil, err
	}
	a.otherNames()
	a.rest()
	if err := out.gather(a); err != nil {
		return nil, err
	}
	return out, nil
}

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

func (a *attributing) remote(ip string) remote {
	x, ok := a.roles[ip]
	if !ok {
		x = remoteOf(a.facts, ip)
		a.roles[ip] = x
	}
	return x
}

// whereFirst says when and where the first of the records of a context stands.
func whereFirst(refs []tally.Ref, c *tally.Context) string {
	if len(refs) == 0 {
		return c.Format
	}
	return where(refs[0], c)
}

func where(r tally.Ref, c *tally.Context) string {
	at := "at an unknown time"
	if r.Time != event.UnknownTime {
		at = stamp(time.Unix(0, r.Time))
	}
	log := c.Format
	if c.Host != "" {
		log += " of " + c.Host
	}
	return at + ", " + log
}

// told describes a strand: who, from where, when, in which log.
func (a *attributing) told(s *strand) string {
	var c *tally.Context
	for _, p := range s.parts { // of logs that tell of the same moment the same one, in whatever order they were read
		if x := &a.contexts[p.context]; a.store.Visits(p.context)[p.visit].First.Time == s.first.Time && (c == nil || cmp.Or(cmp.Compare(x.Format, c.Format), cmp.Compare(x.Host, c.Host)) < 0) {
			c = x
		}
	}
	text := s.who.title()
	if s.ip != "" {
		text += " from " + s.ip
	}
	return text + " (" + where(s.first, c) + ")"
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
		a.mayHold(s.exposed[i].account, s.exposed[i].why)
	}
	for i := range s.relayed {
		a.mayHold(s.relayed[i].account, s.relayed[i].why)
	}
	for _, k := range s.scripts {
		if c := a.accounts.of(k); c >= 0 {
			if p := a.personOf(c); p.held == "" {
				p.held = "the facts say that script of the attacker ran in the browser of the account"
			}
		}
	}
}

// mayHold takes that an attacker may hold an account, as people.key writes it, unless more is known.
func (a *attributing) mayHold(account, why string) {
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

// eachStrand visits every strand from an address.
func (a *attributing) eachStrand(ip string, do func(*strand)) {
	var seen *person
	for c := a.ips.of(ip); c >= 0; c = a.ips.next[c] {
		p := a.personOf(c)
		if p == seen {
			continue // contexts of an account stand together
		}
		seen = p
		for _, x := range p.byKey["i:"+ip] {
			do(x)
		}
	}
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

// mark raises a strand.
func (a *attributing) mark(x *strand, level attribution, hops int, weak bool, why ...string) {
	if x.stated || x.service || level <= x.level {
		return
	}
	x.level, x.hops, x.weak = level, hops, weak
	x.why = slices.Clone(why[:min(len(why), maxWhy)])
	a.queue = append(a.queue, x)
}

// state applies what people stated of a strand: the narrowest statement holds, and of equally narrow ones the latest.
func (a *attributing) state(x *strand) {
	var best *Statement
	rank := func(s *Statement) int {
		kind, _ := s.Subject()
		return slices.Index([]string{"account", "ip", "app", "device", "session"}, kind)
	}
	for i := range a.facts.Statements {
		s := &a.facts.Statements[i]
		concerned := s.Session != "" && x.key == "" && s.Session == x.label
		for j := 0; j < len(x.parts) && !concerned; j++ {
			if j > 0 && x.parts[j].context == x.parts[j-1].context {
				continue
			}
			concerned = a.concerns(s, &a.contexts[x.parts[j].context])
		}
		if concerned && (best == nil || rank(s) > rank(best) || rank(s) == rank(best) && s.Time.After(best.Time)) {
			best = s
		}
	}
	if best == nil {
		return
	}
	x.stated = true
	x.level = best.attribution()
	x.why = []string{fmt.Sprintf("%s stated on %s that %s: %s", best.Author, best.Time.UTC().Format(time.DateOnly), best.About(), best.Reason)}
	if x.level >= suspected {
		a.queue = append(a.queue, x)
	}
}

// spread follows strong keys and addresses from what is marked, until nothing more is.
func (a *attributing) spread() {
	for len(a.queue) > 0 || len(a.dirty) > 0 {
		for len(a.queue) > 0 {
			x := a.queue[0]
			a.queue = a.queue[1:]
			if x.session != "" {
				a.follow("s:"+x.session, x.level, x, "the same session as "+a.told(x)+" (P1)")
			}
			if x.device != "" {
				a.follow("d:"+x.device, x.level, x, "the same device as "+a.told(x)+" (P5)")
			}
			if x.level == ofAttacker && (x.who.held == "" || x.who.perhaps) {
				x.who.perhaps = false
				x.who.held = "the attacker used the account: " + a.told(x)
			}
			a.hostileFrom(x)
		}
		slices.Sort(a.dirty)
		dirty := slices.Compact(a.dirty)
		a.dirty = nil
		for _, key := range dirty {
			a.hostile[key].done = true
			a.followAddress(key[1:], a.hostile[key])
		}
	}
}

// follow marks everything with a strong key, of whatever account (P1, P5).
func (a *attributing) follow(key string, level attribution, from *strand, step string) {
	if a.spoken[key] >= level {
		return
	}
	a.spoken[key] = level
	idx, name := a.sessions, key[2:]
	if key[0] == 'd' {
		idx = a.devices
	}
	var users []*person
	seen := make(map[*person]bool)
	for c := idx.of(name); c >= 0; c = idx.next[c] {
		if p := a.personOf(c); !seen[p] {
			seen[p] = true
			users = append(users, p)
		}
	}
	theirs := taken{from: math.MaxInt64, ips: make(map[string]bool)}
	for _, p := range users {
		for _, x := range p.byKey[key] {
			if x.level == ofAttacker {
				theirs.from = min(theirs.from, x.from)
				theirs.ips[x.ip] = true
			}
		}
	}
	for _, p := range users {
		a.followIn(p, key, level, from, theirs, step)
	}
}

// taken is what is known of the attacker's use of a session or a device: since when, and from which addresses.
type taken struct {
	from int64
	ips  map[string]bool
}

func (a *attributing) followIn(p *person, key string, level attribution, from *strand, theirs taken, step string) {
	var others, owners []*strand
	owned := ""
	for _, x := range p.byKey[key] {
		why := a.owned(x)
		if key[0] == 'd' && strings.HasPrefix(why, "device") {
			why = "" // the very device that is the attacker's does not speak for the owner
			if from != nil {
				why = a.owned(x)
			}
		}
		if why != "" && x.level < level {
			owners = append(owners, x)
			owned = why
		} else {
			others = append(others, x)
		}
	}
	if len(others) == 0 && from == nil { // nobody shares it: the baseline and the facts say different things
		for _, x := range owners {
			a.mark(x, min(level, suspected), 0, false, step, "but "+owned+", and nobody else used it")
		}
		return
	}
	for _, x := range owners {
		x.vouch = step + ", but " + owned
	}
	chain, hops, weak := []string{step}, 0, false
	if from != nil {
		chain, hops, weak = append(slices.Clone(from.why), step), from.hops, from.weak
	}
	for _, x := range others {
		switch {
		case x == from:
		case len(owners) > 0:
			a.mark(x, min(level, suspected), hops, weak, append(chain, "but the session is shared with its owner: "+owned)...)
		case from != nil && !p.base.known && x.from < theirs.from && !theirs.ips[x.ip]:
			a.mark(x, min(level, suspected), hops, weak, append(chain, "but it is earlier, from another address, and no baseline of the account is known: the session may have been taken from its owner")...)
		default:
			a.mark(x, level, hops, weak, chain...)
		}
	}
}

// hostileFrom notes that a strand makes its address an attacker's.
func (a *attributing) hostileFrom(x *strand) {
	if x.ip == "" || !a.remote(x.ip).pivots() || x.hops >= maxHops {
		return
	}
	key := "a" + x.ip
	if x.level == suspected {
		key = "s" + x.ip
	}
	h := a.hostile[key]
	if h == nil {
		h = &hostile{level: x.level, from: x.from, to: x.to, agents: make(map[string]bool), hops: x.hops, weak: x.weak, by: x}
		a.hostile[key] = h
	}
	changed := !h.done || x.from < h.from || x.to > h.to || x.hops < h.hops || h.weak && !x.weak
	h.from, h.to, h.hops = min(h.from, x.from), max(h.to, x.to), min(h.hops, x.hops)
	if h.weak && !x.weak {
		h.weak, h.by = false, x
	}
	for _, g := range x.agents {
		if identifies(g) && !h.agents[g] && len(h.agents) < maxListed {
			h.agents[g] = true
			changed = true
		}
	}
	if changed {
		a.dirty = append(a.dirty, key)
	}
}

// followAddress marks what else was done from an attacker's address, by whatever account (P2).
func (a *attributing) followAddress(ip string, h *hostile) {
	free := a.inNobodys(ip)
	g := a.guessers[ip]
	step := ""
	a.eachStrand(ip, func(x *strand) {
		if x.level >= h.level || !x.during(h.from-addressLasts, h.to+addressLasts) {
			return
		}
		if owned := a.owned(x); owned != "" {
			if h.level == ofAttacker {
				x.vouch = "the address of an attacker, " + a.told(h.by) + ", but " + owned + " (P5 before P2)"
			}
			return
		}
		if step == "" {
			step = "the same address as " + a.told(h.by)
		}
		level, same := h.level-1, "" // a weak hop lowers by a step (P8)
		if free && (!h.weak || h.level == suspected) {
			switch {
			case g != nil && g.tried[x.who.name]:
				level, same = h.level, "it guessed at this account, and is in no account's baseline"
			case slices.ContainsFunc(x.agents, func(s string) bool { return h.agents[s] }):
				level, same = h.level, "with the same client program, and in no account's baseline"
			}
		}
		chain := slices.Clone(h.by.why)
		if same != "" {
			a.mark(x, level, h.hops+1, h.weak, append(chain, step+", "+same+" (P2): "+a.told(x))...)
			return
		}
		a.mark(x, level, h.hops+1, h.weak, append(chain, step+" (P2): "+a.told(x))...)
	})
}

// rest attributes what else was done in the accounts that matter (P4).
func (a *attributing) rest() {
	for _, p := range a.order {
		for _, x := range p.strands {
			if x.stated || x.level >= suspected {
				continue
			}
			owned := a.owned(x)
			switch {
			case x.service:
				x.level, x.why = ofService, []string{"the mail system's own processing, for nobody"}
			case a.byWebMail(x):
				x.level, x.why = suspected, []string{"web mail made this connection while the attacker was in it, and no log says for whom"}
			case x.vouch != "":
				x.level, x.why = ofOwner, []string{x.vouch}
			case owned != "":
				x.level, x.why = ofOwner, []string{owned}
			case p.held == "":
				x.why = []string{"nothing ties it to an attacker"}
			case p.alone:
				x.level, x.why = suspected, []string{p.held, "nothing is known of the account before the incident, and it has no owner"}
			case a.beforeWindow(x):
				x.why = []string{p.held, "but it is earlier than the window that the facts state"}
			case p.name != "" && x.known && p.base.known && !a.remote(x.ip).none && !a.remote(x.ip).provider && x.ip != "" && a.remote(x.ip).role&(RoleNAT|RoleService) == 0:
				x.level, x.why = suspected, []string{p.held, "neither the address nor a device is in the baseline of " + p.title() + " (P4)"}
			default:
				x.why = []string{p.held, "nothing tells whose this is: no baseline says it (P4)"}
			}
			if script := a.scripted(x); script != nil && x.level != ofService {
				x.level = suspected
				x.why = []string{fmt.Sprintf("script of the attacker ran in the browser of %s from %s on (facts: %s): what it did cannot be told from what the owner did (XSS_SAME_CONTEXT)", p.title(), stamp(script.From), script.Proof)}
			}
		}
	}
}

// beforeWindow reports whether a strand ended before the window that the facts state: what was held was not held then.
func (a *attributing) beforeWindow(x *strand) bool {
	from := a.facts.Window.From
	return from != nil && x.from <= x.to && x.to != event.UnknownTime && sum(x.to, x.doubt) < from.UnixNano()
}

// scripted returns what the facts say of script that ran while a strand lasted; nil if nothing. A strand lasts as long as a visit may
// pause.
func (a *attributing) scripted(x *strand) *ScriptFact {
	for i := range a.facts.Attacker.Scripts {
		f := &a.facts.Attacker.Scripts[i]
		if !slices.Contains(a.who.keys(f.Account), x.who.name) {
			continue
		}
		to := never
		if !f.To.IsZero() {
			to = sum(f.To.UnixNano(), tally.Idle)
		}
		if x.from > x.to || sum(x.from, -x.doubt) <= to && sum(x.to, x.doubt) >= sum(f.From.UnixNano(), -tally.Idle) {
			return f
		}
	}
	return nil
}
