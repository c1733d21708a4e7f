package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// capability is a power that an attacker held, or may have held, for a time.
type capability struct {
	power     logs.Power
	principal string // the account, host or application, as people.key writes it; "" for whoever comes
	// earliest is when it may first have been held, from when that is proven, to when it ended or the window does:
	// nanoseconds since 1970 UTC, or event.UnknownTime.
	earliest, from, to int64
	ends               string
	certain            bool // that an attacker held it: otherwise it is suspected, as after guessing that no log shows to have failed
	// reach says what it gave access to.
	reach []scope
	// channels are the ways in that it opens; nil for all of the system of what it reaches.
	channels []string
	rule     string // inference
	why      []string
	evidence []casefile.Proof

	object, folder string // what a containment must name to end it
	inside, onto   string
	lastLogin      int64 // of the attacker with a password; event.UnknownTime if none is in the logs
	doubt          int64 // by how much from may be off: the clock of its log is
}

// scope is what a capability reaches.
type scope struct {
	kind string // mailbox, file, host, everything
	in   string // the mailbox, site or share, "" for all of them; the host of all mailboxes on it
}

// tokenLasts is for how long an access token works after its session was revoked or the application's consent taken back.
const tokenLasts = int64(90 * time.Minute)

// maxTried is how many accounts that nothing else tells of are listed as guessed at.
const maxTried = 10_000

// webChannels are the ways into Exchange that one web server offers, and whose failures its log shows.
var webChannels = []string{"owa", "ecp", "ews", "eas", "mapi", "rpc", "powershell", "autodiscover", "oab", "rest"}

// tokenChannels are those whose sessions live on by a token or cookie when the password is changed.
var tokenChannels = map[string]bool{"m365": true, "graph": true, "sharepoint": true, "onedrive": true, "owa": true, "ecp": true, "web": true, "webmail": true, "dav": true}

// shells are the channels by which whoever logs in runs programs on the host.
var shells = map[string]bool{"ssh": true, "rdp": true, "anydesk": true, "teamviewer": true, "winrm": true, "telnet": true}

// holding is the work of finding out what an attacker held.
type holding struct {
	in       *Input
	facts    *Facts
	who      *people
	s        *sessions
	contexts []tally.Context
	list     []capability
	// hosts are the capabilities over hosts, by the host in lower case.
	hosts map[string]int
}

// capabilities finds them.
func capabilities(in *Input, who *people, s *sessions) ([]capability, error) {
	h := &holding{in: in, facts: in.Facts.parsed(), who: who, s: s, contexts: in.Store.Contexts(), hosts: make(map[string]int)}
	h.credentials()
	h.exposed()
	h.exploited()
	if err := h.shellsUsed(); err != nil {
		return nil, err
	}
	h.hostsBefore()
	h.hybrid()
	for _, step := range []func() error{h.tried, h.given, h.contained} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	h.evicted()
	slices.SortStableFunc(h.list, func(a, b capability) int {
		return cmp.Or(cmp.Compare(a.power, b.power), -compareBools(a.certain, b.certain), strings.Compare(a.principal, b.principal), cmp.Compare(a.from, b.from),
			strings.Compare(a.inside, b.inside), strings.Compare(a.object, b.object))
	})
	return h.list, nil
}

// hostsBefore says that power over a host of which the first thing shown is its use was held before, nobody knows since when.
func (h *holding) hostsBefore() {
	for i := range h.list {
		if k := &h.list[i]; k.power == logs.HostPower && (k.rule == logs.CodeRan || k.rule == logs.ShellUsed) {
			k.earliest = earlier(k.earliest, h.in.From)
		}
	}
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// earlier returns the earlier of two times; one that nobody knows counts for nothing.
func earlier(a, b int64) int64 {
	if a == event.UnknownTime || b == event.UnknownTime {
		return max(a, b)
	}
	return min(a, b)
}

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

// shell adds that a session ran programs on a host.
func (h *holding) shell(channel string, s *session) {
	if !shells[channel] {
		return
	}
	for _, p := range s.parts {
		if c := &h.contexts[p.context]; c.Channel == channel {
			h.host(c.Host, logs.SignedIn, sum(p.from, -h.in.skew(p.context)), true, fmt.Sprintf("session %s is the attacker's, by %s", s.ID, channel), s.Evidence)
		}
	}
}

// host adds, or widens, the power over a host.
func (h *holding) host(name, rule string, at int64, certain bool, why string, proofs []casefile.Proof) {
	key := strings.ToLower(h.in.Hosts.Of(name))
	i, ok := h.hosts[key]
	if !ok {
		i = len(h.list)
		h.hosts[key] = i
		h.list = append(h.list, capability{power: logs.HostPower, principal: key, earliest: at, from: at, to: h.in.To, certain: certain, rule: rule,
			reach: []scope{{kind: "host", in: key}}, lastLogin: event.UnknownTime})
	}
	k := &h.list[i]
	k.earliest = earlier(k.earliest, at)
	switch {
	case certain && !k.certain:
		k.certain, k.from, k.rule = true, at, rule
	case certain == k.certain && at != event.UnknownTime && (k.from == event.UnknownTime || at < k.from):
		k.from, k.rule = at, rule
	}
	if len(k.why) < maxWhy && !slices.Contains(k.why, why) {
		k.why = append(k.why, why)
	}
	for _, p := range proofs {
		if len(k.evidence) < maxProofs {
			k.evidence = append(k.evidence, p)
		}
	}
	slices.SortFunc(k.evidence, compareProofs)
}

// shellsUsed adds the hosts on which a session that matters gave a command to a web shell: code ran there, whatever wrote the shell and
// whoever it was.
func (h *holding) shellsUsed() error {
	asked := make(map[int]bool)
	for i := range h.s.all {
		s := &h.s.all[i]
		if s.attribution < suspected {
			continue
		}
		for _, p := range s.parts {
			c := &h.contexts[p.context]
			if asked[p.context] || !mayTellShells(c) {
				continue
			}
			asked[p.context] = true
			for act, err := range h.in.Store.Acts(p.context) {
				if err != nil {
					return err
				}
				if act.Inference != logs.ShellUsed || act.Kind != logs.Access || !act.OK && !act.Unknown {
					continue
				}
				if by := h.s.of(p.context, timeOf(act)); by == nil || by.attribution < suspected {
					continue
				}
				var proofs []casefile.Proof
				for _, r := range act.Refs[:min(len(act.Refs), maxProofs)] {
					proofs = append(proofs, h.in.proof(r))
				}
				h.host(c.Host, logs.ShellUsed, act.From, act.OK, fmt.Sprintf("%s %s: %s", orNobody(c.IP), exploitRules[logs.ShellUsed].what, whereFirst(act.Refs, c)), proofs)
			}
		}
	}
	return nil
}

// mayTellShells reports whether requests to web shells stand in the log that tells of a context.
func mayTellShells(c *tally.Context) bool {
	return strings.HasPrefix(c.Format, "iis") || strings.HasPrefix(c.Format, "exchange.httpproxy") || strings.HasPrefix(c.Format, "web.")
}

// exploited adds the hosts that were exploited.
func (h *holding) exploited() {
	for i := range h.s.exploited {
		x := &h.s.exploited[i]
		h.host(x.host, x.rule, x.from, x.certain, x.why, x.proofs)
	}
}

// tried adds the passwords that may have been guessed without any log's showing it.
func (h *holding) tried() error {
	list, err := tried(h.in, h.who, func(ip string) bool {
		return h.s.attackers[ip] || h.s.guessers[ip] != nil || remoteOf(h.facts, ip).role&RoleAttacker != 0
	}, func(ip string) bool { return remoteOf(h.facts, ip).pivots() })
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for i := range h.list {
		if h.list[i].power == logs.Password {
			known[h.list[i].principal] = true
		}
	}
	real := h.exists(list)
	strangers, left := 0, 0
	for i := range list {
		t := &list[i]
		if known[t.account] {
			continue
		}
		if !real[t.account] {
			if strangers >= maxTried {
				left++
				continue
			}
			strangers++
		}
		channels := []string{t.channel}
		if slices.Contains(webChannels, t.channel) {
			channels = webChannels
		}
		what := "an attacker's address"
		if t.guessing {
			what = "an address that guessed"
		}
		k := capability{power: logs.Password, principal: t.account, earliest: sum(t.first.From, -h.in.skewOf(t.first.Host, t.first.Format)), from: t.first.From, to: h.in.To, channels: channels, rule: ruleTried, lastLogin: event.UnknownTime,
			why: []string{fmt.Sprintf("%s, %s, failed %s to log in as %s by %s, first at %s: whether it ever succeeded, the logs of that way in must tell", t.first.IP, what,
				count(t.times, "time"), t.account, cmp.Or(t.channel, "an unknown way in"), inTime(t.first.From))},
			evidence: []casefile.Proof{h.in.proof(t.first.First)}}
		for _, x := range h.who.keys(t.account) {
			k.reach = append(k.reach, scope{kind: "mailbox", in: x})
		}
		h.list = append(h.list, k)
	}
	if left > 0 {
		h.s.notes = append(h.s.notes, fmt.Sprintf("%s that were only guessed at, and of which neither a list nor a login tells, are not listed", count(int64(left), "name")))
	}
	return nil
}

// ruleTried is the rule by which an account that was guessed at may have been opened.
const ruleTried = "GUESSED_AT"

// exists returns which of the accounts are in the inventory, or did anything.
func (h *holding) exists(list []triedAt) map[string]bool {
	asked := make(map[string]bool, len(list))
	for i := range list {
		asked[list[i].account] = false
	}
	if len(asked) == 0 {
		return asked
	}
	see := func(name string) {
		if k := h.who.key(name); len(k) > 0 {
			if _, ok := asked[k]; ok {
				asked[k] = true
			}
		}
	}
	if h.in.Inventory != nil {
		for i := range h.in.Inventory.Mailboxes {
			see(h.in.Inventory.Mailboxes[i].Name)
		}
	}
	last := ""
	for i := range h.contexts {
		if a := h.contexts[i].Account; a != last {
			last = a
			see(a)
		}
	}
	return asked
}

// given adds delegations, grants and rules that an attacker's session made, or may have.
func (h *holding) given() error {
	for act, err := range h.in.Store.Powers() {
		if err != nil {
			return err
		}
		if act.Kind != logs.Capability || !act.OK && !act.Unknown {
			continue
		}
		if act.Power != logs.Delegation && act.Power != logs.Grant && act.Power != logs.Rule && act.Power != logs.Token {
			continue
		}
		level, text := h.maker(act)
		if text == "" {
			continue
		}
		k := capability{power: act.Power, earliest: act.From, from: act.From, to: h.in.To, rule: act.Inference, certain: level == ofAttacker && act.OK,
			doubt: 2 * h.in.skew(act.Context), object: bare(act.Object), folder: act.Folder, lastLogin: event.UnknownTime, why: []string{text}}
		if act.In != "" {
			k.inside = h.who.key(act.In)
		}
		k.onto = h.who.key(act.Target)
		for _, r := range act.Refs[:min(len(act.Refs), maxProofs)] {
			k.evidence = append(k.evidence, h.in.proof(r))
		}
		inside := []string{""}
		if act.In != "" {
			inside = h.who.keys(act.In)
		}
		for _, m := range inside {
			k.reach = append(k.reach, scope{kind: "mailbox", in: m})
		}
		c := &h.contexts[act.Context]
		switch act.Power {
		case logs.Rule:
			k.principal = k.inside
		case logs.Grant:
			k.principal = cmp.Or(c.App, k.onto)
			k.object = bare(cmp.Or(c.App, act.Object))
			k.reach = append(k.reach, scope{kind: "file"})
		case logs.Token:
			k.principal = k.onto
			k.reach = append(k.reach, scope{kind: "file"})
		default:
			k.principal = k.onto
			if everybody[k.principal] {
				k.principal = ""
			}
			if act.Inference == logs.RoleGiven {
				k.reach = append(k.reach, scope{kind: "file"})
			}
		}
		h.list = append(h.list, k)
	}
	return nil
}

// everybody are names of rights that anybody has.
var everybody = map[string]bool{"default": true, "anonymous": true, "everyone": true, "anonymous logon": true}

// maker tells who gave a power, and in words why that concerns an attacker; "" if it does not.
func (h *holding) maker(act *tally.Act) (attribution, string) {
	c := &h.contexts[act.Context]
	at := act.From
	if len(act.Refs) > 0 {
		at = act.Refs[0].Time
	}
	what := fmt.Sprintf("%s at %s", cmp.Or(act.Action, act.Inference), inTime(at))
	s := h.s.of(act.Context, at)
	switch {
	case s != nil && s.attribution >= suspected:
		return s.attribution, fmt.Sprintf("%s, by session %s (%s)", what, s.ID, s.Attribution)
	case s != nil && s.attribution < unattributed && c.IP != "":
		return s.attribution, ""
	case s != nil && s.held:
		return unattributed, fmt.Sprintf("%s, by %s while an attacker held that account", what, cmp.Or(c.Account, "nobody named"))
	case s != nil && h.mayHold(s.principal):
		return unattributed, fmt.Sprintf("%s, by %s while an attacker may have held that account", what, cmp.Or(c.Account, "nobody named"))
	}
	if i, ok := h.hosts[strings.ToLower(h.in.Hosts.Of(c.Host))]; ok && c.Host != "" && (c.IP == "" || remoteOf(h.facts, c.IP).none) {
		if k := &h.list[i]; at == event.UnknownTime || at >= k.earliest {
			return unattributed, fmt.Sprintf("%s, on %s while an attacker may have had power over it", what, c.Host)
		}
	}
	return unattributed, ""
}

// mayHold reports whether a password or token of the account may have been an attacker's, for another reason than that somebody
// guessed at it.
func (h *holding) mayHold(principal string) bool {
	return slices.ContainsFunc(h.list, func(k capability) bool {
		return k.principal == principal && principal != "" && (k.power == logs.Password || k.power == logs.Token) && k.rule != ruleTried
	})
}

// contained ends what was shut.
func (h *holding) contained() error {
	byName := make(map[string][]int)
	for i := range h.list {
		k := &h.list[i]
		switch k.power {
		case logs.Password, logs.Token:
			byName[k.principal] = append(byName[k.principal], i)
		case logs.HostPower:
			byName["host:"+k.principal] = append(byName["host:"+k.principal], i)
		default:
			byName["in:"+k.inside+"|"+k.object] = append(byName["in:"+k.inside+"|"+k.object], i)
		}
	}
	for act, err := range h.in.Store.Powers() {
		if err != nil {
			return err
		}
		if act.Kind != logs.Containment || !act.OK || act.To == event.UnknownTime {
			continue
		}
		if s := h.s.of(act.Context, timeOf(act)); s != nil && s.attribution >= suspected {
			continue // the attacker shuts out the owner
		}
		c := &h.contexts[act.Context]
		whom := h.who.key(cmp.Or(act.Target, c.Account))
		text := fmt.Sprintf("%s at %s", act.Inference, inTime(act.To))
		switch act.Inference {
		case logs.PasswordChanged, logs.AccountDisabled, logs.TokensRevoked:
			for _, i := range byName[whom] {
				k := &h.list[i]
				switch {
				case act.Inference == logs.TokensRevoked && k.power == logs.Token:
					h.end(k, act.To+tokenLasts, text)
				case act.Inference == logs.AccountDisabled && k.power == logs.Token:
					h.end(k, act.To+tokenLasts, text)
				case act.Inference != logs.TokensRevoked && k.power == logs.Password && k.lastLogin != event.UnknownTime && act.From > k.lastLogin:
					h.end(k, act.To, text)
				}
			}
		case logs.PowerRemoved:
			in := ""
			if act.In != "" {
				in = h.who.key(act.In)
			}
			object := bare(act.Object)
			if act.Power == logs.Grant {
				object = bare(cmp.Or(c.App, act.Object))
			}
			if object == "" && act.Power != logs.Delegation {
				continue // it does not say which
			}
			for _, i := range byName["in:"+in+"|"+object] {
				k := &h.list[i]
				if k.power != act.Power || k.power == logs.Delegation && (k.onto != h.who.key(act.Target) || k.folder != act.Folder) {
					continue
				}
				if after := act.To; k.power == logs.Grant {
					h.end(k, after+tokenLasts, text)
				} else {
					h.end(k, after, text)
				}
			}
		default:
			if act.Power == logs.HostPower {
				for _, i := range byName["host:"+strings.ToLower(h.in.Hosts.Of(cmp.Or(act.Object, c.Host)))] {
					h.end(&h.list[i], act.To, text)
				}
			}
		}
	}
	return nil
}

// end ends a capability, unless it was proven later, or ended before.
func (h *holding) end(k *capability, at int64, text string) {
	if k.from != event.UnknownTime && at < sum(k.from, k.doubt) || k.ends != "" && at >= k.to {
		return
	}
	k.to, k.ends = at, text
}

// evicted ends everything when the facts say that the attacker was shut out - but what he did after that shows that he was not.
func (h *holding) evicted() {
	if h.facts.Evicted == nil {
		return
	}
	at := h.facts.Evicted.UnixNano()
	later := make(map[string]*session)
	for i := range h.s.all {
		s := &h.s.all[i]
		if s.attribution == ofAttacker && s.to != event.UnknownTime && sum(s.to, s.doubt) > at && later[s.principal] == nil {
			later[s.principal] = s
		}
	}
	for i := range h.list {
		k := &h.list[i]
		if k.rule == ruleHybrid {
			if last := sum(at, int64(hybridLasts)); last < k.to {
				k.to, k.ends = last, "evicted, say the facts, and tokens made before work for a day"
			}
			continue
		}
		if s := later[k.principal]; s != nil && (k.power == logs.Password || k.power == logs.Token) {
			k.why = append(k.why, fmt.Sprintf("the facts say evicted at %s, but session %s is later", inTime(at), s.ID))
			continue
		}
		if k.from != event.UnknownTime && sum(k.from, k.doubt) > at {
			continue
		}
		if k.ends != "" && k.to > at && (k.power == logs.Rule || k.power == logs.Delegation || k.power == logs.Grant) {
			k.why = append(k.why, fmt.Sprintf("the facts say evicted at %s, but it was taken away later", inTime(at)))
			continue
		}
		if k.ends == "" && (k.to == event.UnknownTime || at < k.to) || k.ends != "" && at < k.to {
			k.to, k.ends = at, "evicted, say the facts"
		}
	}
	if len(later) > 0 {
		h.s.notes = append(h.s.notes, fmt.Sprintf("the facts say that the attacker was evicted at %s, but sessions of his are later: of these accounts it is not believed", inTime(at)))
	}
}

// listCapabilities returns them as they stand in a case.
func listCapabilities(list []capability) []casefile.Capability {
	out := make([]casefile.Capability, 0, len(list))
	for i := range list {
		k := &list[i]
		c := casefile.Capability{Kind: k.power.String(), Principal: k.principal, Suspected: !k.certain, Reach: []string{}, Ends: k.ends, Why: slices.Clone(k.why), Evidence: k.evidence}
		if !k.certain {
			c.Why = append([]string{"not certain: it is suspected"}, c.Why...)
		}
		for _, s := range k.reach {
			c.Reach = append(c.Reach, s.words(k.principal))
		}
		if k.from != event.UnknownTime && k.from != math.MaxInt64 {
			c.From = time.Unix(0, k.from).UTC()
		}
		if k.earliest != k.from {
			c.Earliest = moment(k.earliest)
		}
		if k.ends != "" {
			c.To = moment(k.to)
		}
		out = append(out, c)
	}
	return out
}

// words says what a scope is.
func (s scope) words(principal string) string {
	switch {
	case s.kind == "cloud":
		return "every mailbox of Microsoft 365"
	case s.kind == "mailbox" && s.in == "":
		return "every mailbox"
	case s.kind == "file" && s.in == "":
		return "files that " + cmp.Or(principal, "anybody") + " may open"
	case s.kind == "host":
		return "host " + cmp.Or(s.in, "of unknown name") + " and what lies on it"
	case s.in == "":
		return s.kind
	}
	return s.kind + " " + s.in
}
