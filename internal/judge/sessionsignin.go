package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// What of a sign-in makes it suspected (mail-forensics 1.7, 2.2, 2.3). Each alone is no more than that: it makes nobody else suspected.
const (
	travelSpeed    = 900.0 // kilometres an hour
	travelDistance = 500.0 // kilometres
	replayWithin   = int64(time.Hour)
	tokenBaseline  = 60             // days, of the applications that read a mailbox
	tokenBefore    = 30 * time.Hour // an access token lives for 28 hours at most
	federatedSlack = 10 * time.Minute
	fewNetworks    = 3 // from how many networks on a client is one that moves about
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

// suspicions finds them, in order of time. cover is nil where nobody asks it.
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

// travelled finds sign-ins of one account, in order of time, between which nobody can have travelled.
func (a *attributing) travelled(group []signIn, out []suspicion) []suspicion {
	speed, distance := cmp.Or(a.facts.Travel.Speed, travelSpeed), cmp.Or(a.facts.Travel.Distance, travelDistance)
	before := -1
	familiar := a.familiarTo(group)
	for i := range group {
		q := &group[i]
		if !q.place.Known() || !a.tells(a.contexts[q.context].IP) {
			continue
		}
		if before < 0 {
			before = i
			continue
		}
		p := &group[before]
		before = i
		far := p.place.Kilometres(q.place)
		if far <= distance || far <= speed*float64(q.at-p.at)/float64(time.Hour) {
			continue
		}
		from, to := &a.contexts[p.context], &a.contexts[q.context]
		if from.IP == to.IP || from.Device != "" && from.Device == to.Device || a.egress(from.IP, p.at) || a.egress(to.IP, q.at) {
			continue
		}
		why := fmt.Sprintf("it signed in from %s (%s) and from %s (%s), %d km apart: nobody travels that fast (IMPOSSIBLE_TRAVEL)", from.IP, inTime(p.at), to.IP, inTime(q.at), int64(far))
		for _, x := range [...]*signIn{p, q} {
			if !familiar(x) {
				out = append(out, suspicion{x.context, x.at, why})
			}
		}
	}
	return out
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

// egress reports whether several accounts had used an address, each on two days, before a time: it is where a network of theirs, or a
// service that they use, comes out.
func (a *attributing) egress(ip string, at int64) bool {
	since, ok := a.egresses[ip]
	if !ok {
		since = a.egressSince(ip)
		a.egresses[ip] = since
	}
	return since < at/day
}

// egressSince returns the day on which an address had been used by several accounts on two days each; never if it had not.
func (a *attributing) egressSince(ip string) int64 {
	used := make(map[string]*twice)
	for c := a.ips.of(ip); c >= 0; c = a.ips.next[c] {
		ctx := &a.contexts[c]
		if ctx.Account == "" {
			continue
		}
		k := a.who.key(ctx.Account)
		if used[k] == nil {
			used[k] = &twice{never, never}
		}
		for _, v := range a.store.Visits(int(c)) {
			if v.From != event.UnknownTime {
				used[k].see(v.From / day)
			}
		}
	}
	var second []int64
	for _, t := range used {
		second = append(second, t.second)
	}
	if len(second) < crowd {
		return never
	}
	slices.Sort(second)
	return second[crowd-1]
}

// oldWays finds sign-ins of one account, in order of time, by an old protocol or by a code for another device, from where it had not been
// before. The log must reach back as far as a baseline does. A client that had come by an old protocol from many networks moves about.
func (a *attributing) oldWays(group []signIn, out []suspicion) []suspicion {
	a.begin()
	familiar := a.familiarTo(group)
	var networks []string
	for i := range group {
		x := &group[i]
		if x.rule != logs.SignedInLegacy && x.rule != logs.SignedInByCode {
			continue
		}
		c := &a.contexts[x.context]
		began, ok := a.begins[logOf(c.Host, c.Format)]
		if ok && began < x.at-(a.days-1)*day && a.tells(c.IP) && !familiar(x) && (x.rule == logs.SignedInByCode || len(networks) < fewNetworks) {
			how := "by an old protocol, which asks for no second factor (LEGACY_SIGN_IN)"
			if x.rule == logs.SignedInByCode {
				how = "by a code for another device (DEVICE_CODE)"
			}
			out = append(out, suspicion{x.context, x.at, fmt.Sprintf("it signed in from %s, where the account had not been before, %s", c.IP, how)})
		}
		if x.rule == logs.SignedInLegacy && len(networks) < fewNetworks {
			if n := neighbourhood(c.IP); !slices.Contains(networks, n) {
				networks = append(networks, n)
			}
		}
	}
	return out
}

// replayed finds sessions of Microsoft 365 that a browser in one network began and another browser in another network went on with, within an
// hour: a page between somebody and the sign-in may have taken it.
func (a *attributing) replayed(out []suspicion) []suspicion {
	type first struct {
		ip    string
		more  bool
		where []int32
	}
	sessions := make(map[string]*first)
	var order []string
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Session == "" || len(c.Agent) < 8 || !strings.EqualFold(c.Agent[:8], "mozilla/") || !strings.HasPrefix(c.Format, "m365.") && !strings.HasPrefix(c.Format, "entra.") || !a.tells(c.IP) {
			continue
		}
		s := sessions[c.Session]
		if s == nil {
			s = &first{ip: c.IP}
			sessions[c.Session] = s
		} else if s.ip != c.IP && !s.more {
			s.more = true
			order = append(order, c.Session)
		}
		if len(s.where) < maxExploits {
			s.where = append(s.where, int32(i))
		}
	}
	type stop struct {
		context  int32
		from, to int64
	}
	for _, id := range order {
		var stops []stop
		for _, i := range sessions[id].where {
			for _, v := range a.store.Visits(int(i)) {
				if v.From != event.UnknownTime {
					stops = append(stops, stop{i, v.From, v.To})
				}
			}
		}
		slices.SortFunc(stops, func(x, y stop) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.context, y.context)) })
		for n := 1; n < len(stops); n++ {
			p, q := &a.contexts[stops[n-1].context], &a.contexts[stops[n].context]
			if stops[n].from-stops[n-1].to > replayWithin || p.Account != q.Account || nearby(p.IP, q.IP) || p.Device != "" && p.Device == q.Device {
				continue
			}
			if was, is := a.client(p.Agent).family, a.client(q.Agent).family; was == is {
				continue
			}
			out = append(out, suspicion{stops[n].context, stops[n].from, fmt.Sprintf("its session was begun from %s, and another browser in another network (%s) went on with it within the hour (SESSION_REPLAYED)", p.IP, q.IP)})
		}
	}
	return out
}

// unmatched finds mail that an application read which had not read in that mailbox before, without any sign-in that it could have its token
// from: so did forged tokens in 2023 (mail-forensics 1.7, Storm-0558). began is when the log of sign-ins does.
func (a *attributing) unmatched(cover *coverage, began int64, out []suspicion) []suspicion {
	if cover == nil {
		return out
	}
	a.begin()
	baseline := int64(tokenBaseline)
	if a.facts.BaselineDays > 0 {
		baseline = a.days
	}
	type pair struct{ account, app string }
	first := make(map[pair]int64)
	reads := func(i int) bool {
		c := &a.contexts[i]
		return c.Format == "m365.ual" && c.App != "" && c.Account != "" && c.Standing != logs.AnyStanding && c.Standing != logs.Service
	}
	logBegan, told := a.begins[logOf("", "m365.ual")]
	for i := range a.contexts {
		if c := &a.contexts[i]; reads(i) {
			if at, ok := a.begins[logOf(c.Host, c.Format)]; ok && (!told || at < logBegan) {
				logBegan, told = at, true
			}
			k := pair{c.Account, c.App}
			at := a.store.Began(i)
			if old, ok := first[k]; at != event.UnknownTime && (!ok || at < old) {
				first[k] = at
			}
		}
	}
	if !told {
		return out
	}
	var fresh []int32
	wanted := make(map[string][]tally.Span) // sign-ins by session, application, and account with its network
	untimed := make(map[string]bool)        // those of them of which some have no time
	name := func(kind, x string) string { return kind + "\x00" + strings.ToLower(x) }
	names := func(c *tally.Context) []string {
		list := []string{name("app", c.App), name("at", c.Account+"\x00"+neighbourhood(c.IP))}
		if c.Session != "" {
			list = append(list, name("session", c.Session))
		}
		return list
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if reads(i) && a.tells(c.IP) && first[pair{c.Account, c.App}] >= logBegan+baseline*day {
			fresh = append(fresh, int32(i))
			for _, n := range names(c) {
				wanted[n] = nil
			}
		}
	}
	if len(fresh) == 0 {
		return out
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Format != signInLog && c.Format != "m365.ual" || c.Standing != logs.AnyStanding || c.Channel != "m365" {
			continue
		}
		for _, n := range names(c) {
			if _, ok := wanted[n]; ok {
				for _, v := range a.store.Visits(i) {
					if v.From == event.UnknownTime {
						untimed[n] = true
						continue
					}
					wanted[n] = append(wanted[n], tally.Span{From: v.From, To: v.To})
				}
			}
		}
	}
	for n, list := range wanted {
		wanted[n] = joinSpans(list)
	}
	for _, i := range fresh {
		c := &a.contexts[i]
		named := names(c)
		for _, v := range a.store.Visits(int(i)) {
			since := v.From - int64(tokenBefore)
			if v.From == event.UnknownTime || since < began {
				continue
			}
			if !slices.ContainsFunc(named, func(n string) bool {
				began := since
				if strings.HasPrefix(n, "session") {
					began = always // however long ago
				}
				return untimed[n] || meets(wanted[n], began, v.To)
			}) && cover.presence("m365", a.who.key(c.Account), since, v.To).covered() {
				out = append(out, suspicion{i, v.From, fmt.Sprintf("application %s had not read in the mailbox in the %d days before, and the logs of sign-ins, which are complete, have none that its token is from: it may be forged (UNMATCHED_TOKEN)", c.App, baseline)})
			}
		}
	}
	return out
}

// unissued finds sign-ins by a token of AD FS that AD FS did not make. Where more than a tenth are so, its logs are not complete, whatever they
// look like: then nothing is concluded.
func (a *attributing) unissued(cover *coverage, federated []signIn, out []suspicion) []suspicion {
	if len(federated) == 0 || cover == nil {
		return out
	}
	issued, untimed := make(map[string][]tally.Span), make(map[string]bool) // by the local part of the account
	var hosts []string
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Channel != "adfs" {
			continue
		}
		if !slices.Contains(hosts, c.Host) && len(hosts) < 100 {
			hosts = append(hosts, c.Host)
		}
		name := localPart(c.Account)
		for _, v := range a.store.Visits(i) {
			if v.From == event.UnknownTime {
				untimed[name] = true
				continue
			}
			issued[name] = append(issued[name], tally.Span{From: v.From, To: v.To})
		}
	}
	for name, list := range issued {
		issued[name] = joinSpans(list)
	}
	if len(hosts) == 0 {
		return out
	}
	slack := int64(federatedSlack)
	asked := 0
	var none []signIn
	for _, x := range federated {
		if slices.ContainsFunc(hosts, func(h string) bool { return !cover.presenceAt(h, "windows", "", x.at-slack, x.at+slack).covered() }) {
			continue
		}
		asked++
		if name := localPart(a.contexts[x.context].Account); !untimed[name] && !meets(issued[name], x.at-slack, x.at+slack) {
			none = append(none, x)
		}
	}
	if len(none) == 0 {
		return out
	}
	if 10*len(none) > asked {
		a.notes = append(a.notes, fmt.Sprintf("AD FS: its logs lack %d of the %d sign-ins by its tokens: they do not seem to be all there is, and it is not concluded that tokens were forged", len(none), asked))
		return out
	}
	for _, x := range none {
		out = append(out, suspicion{x.context, x.at, "it signed in by a token of AD FS, whose log is complete and has none for it: the token may be forged (FORGED_SAML)"})
	}
	return out
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
