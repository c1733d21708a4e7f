package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// How fast, in kilometres an hour, and how far, in kilometres, nobody travels, where the facts do not say.
const (
	travelSpeed    = 900.0
	travelDistance = 500.0
)

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
