package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

const (
	// baselineDays is how many days a baseline takes, where the facts do not say.
	baselineDays = 30
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
	between  map[string]bool   // see serversBetween
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
	a.ips = newIndex(a.contexts, 8, func(c *tally.Context) string { return c.IP })
	a.blind = blindTo(in, who, cover)
	var err error
	if a.between, err = in.serversBetween(who); err != nil {
		return nil, err
	}
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
	a.accounts = newIndex(a.contexts, 8, func(c *tally.Context) string {
		if c.Account == "" || c.Account == "-" {
			return a.nameOf(c)
		}
		if c.Account != lastAccount {
			lastAccount, lastName = c.Account, who.key(c.Account)
		}
		return lastName
	})
	a.sessions, a.devices = newIndex(a.contexts, 2, sessionKey), newIndex(a.contexts, 8, deviceKey)
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
