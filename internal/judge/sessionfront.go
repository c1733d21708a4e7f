package judge

import (
	"cmp"
	"iter"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// fronts knows the logs of what stands before a server and passes on to it who comes: a director of Dovecot, a balancer. The server behind
// sees one address for all; the log before it tells whence each came.
type fronts struct {
	before map[string][]*trail // by the address that the server behind sees
}

// passedOn is how far apart the two logs may have the beginning of what was passed on, in nanoseconds.
const passedOn = minute

// leastPassed is how often what a server saw must stand in a log for this to be the log of what is before it.
const leastPassed = 3

// newFronts finds them: logs in which every visit from a relay's address stands, whenever they cover the time, of the same account, from
// another address, at the same time. A visit that is not there came another way, so that nothing is known of what comes from that address.
func newFronts(in *Input, who *people, cover shows, relay func(ip string) bool) *fronts {
	out := &fronts{before: make(map[string][]*trail)}
	known, ok := cover.(*coverage)
	if !ok || known == nil {
		return out
	}
	contexts := in.Store.Contexts()
	type arrival struct {
		at int64
		in *trail
	}
	relays, passed := make([]bool, len(contexts)), make(map[string]bool)
	for i := range contexts {
		if c := &contexts[i]; behind(c) && c.IP != "" && !isMachine(c.Account) && relay(c.IP) {
			relays[i] = true
			passed[passedKey(who, c)] = true
		}
	}
	if len(passed) == 0 {
		return out
	}
	logsOf, facts := newLogsOf(known), in.Facts.parsed()
	arrivals := make(map[string][]arrival)
	for i := range contexts {
		c := &contexts[i]
		if relays[i] || !behind(c) || c.IP == "" || isMachine(c.Account) || remoteOf(facts, c.IP).none {
			continue
		}
		key := passedKey(who, c)
		if !passed[key] {
			continue
		}
		for _, v := range in.Store.Visits(i) {
			for t := range logsOf.each(c, v.First.Source) {
				if v.From != event.UnknownTime {
					arrivals[key] = append(arrivals[key], arrival{v.From, t})
				}
			}
		}
	}
	if len(arrivals) == 0 {
		return out
	}
	for _, list := range arrivals {
		slices.SortFunc(list, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	}
	// each calls f with every visit of relays, and the logs in which it stands.
	each := func(f func(ip string, v tally.Visit, by int64, in []*trail)) {
		var found []*trail
		for i := range contexts {
			if !relays[i] {
				continue
			}
			c := &contexts[i]
			list, by := arrivals[passedKey(who, c)], sum(passedOn, in.skew(i))
			for _, v := range in.Store.Visits(i) {
				found = found[:0]
				n, _ := slices.BinarySearchFunc(list, sum(v.From, -by), func(a arrival, at int64) int { return cmp.Compare(a.at, at) })
				for ; n < len(list) && v.From != event.UnknownTime && list[n].at <= sum(v.From, by); n++ {
					if !slices.Contains(found, list[n].in) {
						found = append(found, list[n].in)
					}
				}
				f(c.IP, v, by, found)
			}
		}
	}
	times := make(map[string]map[*trail]int)
	each(func(ip string, _ tally.Visit, _ int64, in []*trail) {
		for _, t := range in {
			if times[ip] == nil {
				times[ip] = make(map[*trail]int)
			}
			times[ip][t]++
		}
	})
	each(func(ip string, v tally.Visit, by int64, in []*trail) {
		for t := range times[ip] {
			if !slices.Contains(in, t) && (v.From == event.UnknownTime || len(between(t.cached(), sum(v.From, -by), sum(v.From, by))) == 0) {
				delete(times[ip], t)
			}
		}
	})
	for ip, list := range times {
		for t, n := range list {
			if n >= leastPassed {
				out.before[ip] = append(out.before[ip], t)
			}
		}
	}
	return out
}

// logsOf tells in which log a record stands.
type logsOf struct {
	known    *coverage
	bySource map[int32][]*trail
}

func newLogsOf(known *coverage) logsOf {
	out := logsOf{known, make(map[int32][]*trail)}
	for _, t := range known.trails {
		for _, f := range t.files {
			out.bySource[f.Source] = append(out.bySource[f.Source], t)
		}
	}
	return out
}

// each returns the logs that a record of a context is in: of what a server of logs collected, that of the context's host.
func (l logsOf) each(c *tally.Context, source int32) iter.Seq[*trail] {
	return func(yield func(*trail) bool) {
		for _, t := range l.bySource[source] {
			if t.format == c.Format && (c.Host == "" || t.place.called() == l.known.hostKey(c.Host)) && !yield(t) {
				return
			}
		}
	}
}

// tell reports whether a log would have told whence somebody came of whom a server saw a relay's address.
func (f *fronts) tell(ip string, from, to int64) bool {
	return slices.ContainsFunc(f.before[ip], func(t *trail) bool { return len(between(t.cached(), sum(from, -passedOn), sum(to, passedOn))) == 0 })
}

// passedKey is what a visit has in both logs: whose it is, of which kind, and by which program where both tell.
func passedKey(who *people, c *tally.Context) string {
	if readsMail(c.Channel) {
		return c.Channel + "\x00" + who.key(c.Account)
	}
	return "\x00" + who.key(c.Account) + "\x00" + normalAgent(c.Agent)
}

// behind reports whether a server of the kind may stand behind another, whose address it then has for everybody.
func behind(c *tally.Context) bool {
	return c.Account != "" && c.Account != "-" && (relays(c) || opensFiles(c))
}

// opensFiles reports whether a context is of somebody who signed in to a server of files on the web.
func opensFiles(c *tally.Context) bool {
	return onTheWeb(c.Channel) && c.Account != "" && c.Account != "-"
}

// onTheWeb reports whether a channel is one by which files are opened on the web.
func onTheWeb(channel string) bool {
	return channel == "web" || channel == "dav" || channel == "nextcloud"
}

// blindTo returns the private addresses of which a log does not tell who was behind them, though fewer than a crowd of accounts came from
// them: no address of the Internet stands in that log, though the attacker may have come from there, and several accounts came from the
// address, or everybody did.
func blindTo(in *Input, who *people, cover shows) map[string]bool {
	facts := in.Facts.parsed()
	known, ok := cover.(*coverage)
	if !ok || known == nil || !facts.attackerOutside() {
		return nil
	}
	logsOf := newLogsOf(known)
	open := make(map[*trail]bool)
	from := make(map[*trail]map[string]map[string]bool)
	contexts := in.Store.Contexts()
	for i := range contexts {
		c := &contexts[i]
		if !behind(c) || c.IP == "" || isMachine(c.Account) {
			continue
		}
		at := remoteOf(facts, c.IP)
		if at.none || at.private && at.role&(RoleOurs|RoleScanner) != 0 {
			continue
		}
		account, last := who.key(c.Account), int32(-1)
		for _, v := range in.Store.Visits(i) {
			if v.First.Source == last {
				continue
			}
			last = v.First.Source
			for t := range logsOf.each(c, last) {
				if !at.private {
					open[t] = true
					continue
				}
				if from[t] == nil {
					from[t] = make(map[string]map[string]bool)
				}
				if from[t][c.IP] == nil {
					from[t][c.IP] = make(map[string]bool)
				}
				from[t][c.IP][account] = true
			}
		}
	}
	out := make(map[string]bool)
	for t, ips := range from {
		for ip, accounts := range ips {
			if !open[t] && (len(accounts) > 1 || len(ips) == 1) {
				out[ip] = true
			}
		}
	}
	return out
}

// attackerOutside reports whether the attacker may have come from the Internet: all addresses that the facts name as his are not private.
func (f *Facts) attackerOutside() bool {
	return !slices.ContainsFunc(f.Attacker.IPs, func(s string) bool {
		p, err := parsePrefix(s)
		return err == nil && p.Addr().IsPrivate()
	})
}
