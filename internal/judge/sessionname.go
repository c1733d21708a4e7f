package judge

import (
	"fmt"
	"strings"
)

// otherNames holds accounts that may be further names of one that is held: both come from an address of the baseline of each, which
// is that of few, and the inventory does not name both. A person may have several login names and one password.
func (a *attributing) otherNames() {
	if a.in.Inventory == nil || len(a.in.Inventory.Mailboxes)+len(a.in.Inventory.Messages) == 0 {
		return
	}
	listed := make(map[string]bool)
	eachListed(a.in.Inventory, func(mailbox string) { listed[a.who.key(mailbox)] = true })
	for _, p := range a.order {
		if p.held == "" || p.name == "" {
			continue
		}
		asked := make(map[string]bool)
		for _, i := range p.contexts {
			ip := a.contexts[i].IP
			if ip == "" || asked[ip] || !p.base.ips[neighbourhood(ip)] || !a.personal(ip) {
				continue
			}
			asked[ip] = true
			for _, c := range a.fewFrom(ip) {
				name := a.nameOf(&a.contexts[c])
				if name == p.name || isMachine(name) || listed[name] && listed[p.name] {
					continue
				}
				if q := a.personOf(c); q.name != "" && q.held == "" && q.base.ips[neighbourhood(ip)] {
					q.held, q.perhaps = fmt.Sprintf("it may be another name of %s, whom an attacker may be: both come from %s, and the list does not name both", p.title(), ip), true
				}
			}
		}
	}
}

// fewFrom returns a context of each account that came from an address; none where these are more than a person has names.
func (a *attributing) fewFrom(ip string) []int32 {
	var out []int32
	last := ""
	for c := a.ips.of(ip); c >= 0; c = a.ips.next[c] {
		name := a.nameOf(&a.contexts[c])
		if name == last || strings.HasPrefix(name, anonymous) {
			continue
		}
		if last = name; len(out) == crowd {
			return nil
		}
		out = append(out, c)
	}
	return out
}
