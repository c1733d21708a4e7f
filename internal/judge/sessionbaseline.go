package judge

import (
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

const day = int64(24 * 60 * 60 * 1e9)

// baseline is what an account used before the incident.
type baseline struct {
	known   bool // the logs reach back far enough to tell
	ips     map[string]bool
	devices map[string]bool
}

// days remembers on which days something was seen, as far as it matters: on one, or on more.
type days struct {
	first int64
	more  bool
}

func (d *days) see(from, to int64) {
	if d.first == 0 {
		d.first = from/day + 1
	}
	d.more = d.more || from/day+1 != d.first || to/day+1 != d.first
}

// logOf names the log that tells of a context.
func logOf(host, format string) string {
	format, _, _ = strings.Cut(format, ":")
	return host + "|" + format
}

// begin finds out since when each log tells, by its streams.
func (a *attributing) begin() {
	if a.begins != nil {
		return
	}
	a.begins = make(map[string]int64)
	for _, s := range a.store.Streams() {
		if s.Events > 0 {
			a.beganAt(s.Host, s.Format, s.From)
		}
	}
}

func (a *attributing) beganAt(host, format string, at int64) {
	if at == event.UnknownTime {
		return
	}
	k := logOf(host, format)
	if old, ok := a.begins[k]; !ok || at < old {
		a.begins[k] = at
	}
}

// beginActs finds out since when each log tells, by what it tells of: a record may be about the minutes before it.
func (a *attributing) beginActs() {
	a.begun = true
	lastHost, lastFormat, least := "\x00", "", int64(0)
	for i := range a.contexts {
		c := &a.contexts[i]
		if at := a.store.Began(i); at != event.UnknownTime && (c.Host != lastHost || c.Format != lastFormat || at < least) {
			a.beganAt(c.Host, c.Format, at)
			lastHost, lastFormat, least = c.Host, c.Format, at
		}
	}
}

// reachesBack reports whether the log that tells of a context covers the days that a baseline takes. The first day
// need not be whole.
func (a *attributing) reachesBack(c *tally.Context) bool {
	if a.start == event.UnknownTime {
		return false
	}
	key, before := logOf(c.Host, c.Format), a.start-(a.days-1)*day
	if at, ok := a.begins[key]; ok && at < before {
		return true
	}
	if !a.begun {
		a.beginActs()
	}
	at, ok := a.begins[key]
	return ok && at < before
}

// learn learns the baseline of an account: addresses and devices on at least two days before the incident. What the named
// sessions and devices of the attacker did teaches nothing.
func (a *attributing) learn(p *person) {
	p.base = baseline{ips: make(map[string]bool), devices: make(map[string]bool)}
	if a.start == event.UnknownTime || p.name == "" {
		return
	}
	ips, devices := make(map[string]*days), make(map[string]*days)
	for _, i := range p.contexts {
		c := &a.contexts[i]
		if c.Standing == logs.Service || !a.reachesBack(c) {
			continue
		}
		p.base.known = true
		if a.named(c) {
			continue
		}
		start := a.start - a.in.skew(int(i))
		for _, v := range a.store.Visits(int(i)) {
			if v.From == event.UnknownTime || v.From < a.start-a.days*day || v.From >= start {
				continue
			}
			to := min(v.To, start-1)
			if c.IP != "" {
				seeDay(ips, neighbourhood(c.IP), v.From, to)
			}
			if d := deviceKey(c); d != "" {
				seeDay(devices, d, v.From, to)
			}
		}
	}
	for ip, d := range ips {
		if d.more {
			p.base.ips[ip] = true
		}
	}
	for id, d := range devices {
		if d.more {
			p.base.devices[id] = true
		}
	}
}

func seeDay(m map[string]*days, key string, from, to int64) {
	d := m[key]
	if d == nil {
		d = &days{}
		m[key] = d
	}
	d.see(from, to)
}

// owned tells why a strand is the owner's, in words; "" if nothing says that it is.
func (a *attributing) owned(s *strand) string {
	at := a.remote(s.ip)
	switch {
	case s.device != "" && s.who.base.devices[s.device]:
		return "device " + s.device + " is in the baseline of " + s.who.title()
	case at.role&(RoleOurs|RoleScanner) != 0:
		return "the facts say that " + s.ip + " is the organisation's own"
	case s.ip != "" && s.who.base.ips[neighbourhood(s.ip)] && a.personal(s.ip):
		return s.ip + " is in the baseline of " + s.who.title()
	}
	return ""
}

// personal reports whether an address, if it is in a baseline, says that its user was the account's owner. One that every
// machine has does not, nor that of a service, nor a private one that many accounts come from: a web mail server, a proxy.
func (a *attributing) personal(ip string) bool {
	at := a.remote(ip)
	if at.none || at.provider || at.role&RoleService != 0 {
		return false
	}
	if !at.private {
		return !a.between[ip]
	}
	if known, ok := a.crowds[ip]; ok {
		return !known
	}
	last, n := "", 0
	if a.blind[ip] {
		n = crowd
	}
	for c := a.ips.of(ip); c >= 0 && n < crowd; c = a.ips.next[c] {
		if k := a.who.key(a.contexts[c].Account); k != last {
			last = k
			n++
		}
	}
	a.crowds[ip] = n >= crowd
	return n < crowd
}

// crowd is from how many accounts on a private address is no person's.
const crowd = 3

// inNobodys reports whether an address is in the baseline of no account.
func (a *attributing) inNobodys(ip string) bool {
	if known, ok := a.nobodys[ip]; ok {
		return known
	}
	free := true
	seen := make(map[string]map[string]*days)
	for c := a.ips.of(ip); c >= 0 && free; c = a.ips.next[c] {
		ctx := &a.contexts[c]
		if ctx.Account == "" || ctx.Account == "-" || a.start == event.UnknownTime || ctx.Standing == logs.Service || !a.reachesBack(ctx) || a.named(ctx) {
			continue
		}
		k := a.who.key(ctx.Account)
		if seen[k] == nil {
			seen[k] = make(map[string]*days)
		}
		start := a.start - a.in.skew(int(c))
		for _, v := range a.store.Visits(int(c)) {
			if v.From != event.UnknownTime && v.From >= a.start-a.days*day && v.From < start {
				seeDay(seen[k], ip, v.From, min(v.To, start-1))
			}
		}
		if d := seen[k][ip]; d != nil && d.more {
			free = false
		}
	}
	a.nobodys[ip] = free
	return free
}
