package judge

import (
	"math"
	"slices"
	"strings"
)

const (
	// maxHops is how many weak hops a chain may have.
	maxHops = 2
	// addressLasts is for how long before and after its use by an attacker an address ties accounts together.
	addressLasts = 30 * day
)

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
