package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// HybridFact says whether Exchange servers share their service principal with Exchange Online: then who has power over one can make tokens for
// every mailbox of the tenant, which no log shows being made (CVE-2025-53786; mail-forensics 1.7).
type HybridFact struct {
	Shared bool `yaml:"shared"`
	// Rolled is when the key of the service principal was changed: the zero time if it was not.
	Rolled time.Time `yaml:"rolled"`
	Proof  string    `yaml:"proof"` // how it is known
}

const (
	// ruleHybrid is the rule by which power over an Exchange server reaches into Microsoft 365.
	ruleHybrid = "HYBRID_TOKEN"
	// hybridLasts is for how long tokens work that were made before the key was changed.
	hybridLasts = 24 * time.Hour
)

// hybridServers are the servers that may make tokens for Microsoft 365: those of Exchange, where the facts say so, or where both are in the case
// and nobody says that they have nothing in common.
type hybridServers struct {
	cover *coverage
	keys  map[string]bool // of places
}

// newHybridServers returns nil where there are none. cover is nil where nobody asks it.
func newHybridServers(in *Input, cover *coverage) *hybridServers {
	stated := in.Facts.parsed().Hybrid
	if cover == nil || stated == nil && !cover.hasCloud() || stated != nil && !stated.Shared {
		return nil
	}
	h := &hybridServers{cover, make(map[string]bool)}
	for _, p := range cover.places {
		if p.systems[exchangeServer] {
			h.keys[p.called()] = true
		}
	}
	return h
}

// has reports whether a host is one of them.
func (h *hybridServers) has(host string) bool {
	return h != nil && host != "" && h.keys[h.cover.hostKey(host)]
}

// hybrid adds the tokens that may have been made on servers over which an attacker had, or may have had, power.
func (h *holding) hybrid() {
	stated := h.facts.Hybrid
	for i := range h.list {
		k := &h.list[i]
		if k.power != logs.HostPower || !h.s.hybrid.has(k.principal) {
			continue
		}
		why := fmt.Sprintf("whoever has power over %s can make tokens for every mailbox of Microsoft 365 (CVE-2025-53786): ", k.principal)
		if stated != nil {
			why += stated.Proof
		} else {
			why += "its logs and those of Microsoft 365 are in the case, and nobody said that they share no service principal (facts: hybrid)"
		}
		t := capability{power: logs.Token, earliest: k.earliest, from: k.from, to: h.in.To, channels: []string{"m365"}, rule: ruleHybrid, reach: []scope{{kind: "cloud"}},
			lastLogin: event.UnknownTime, doubt: k.doubt, why: []string{why}, evidence: k.evidence}
		if stated != nil && !stated.Rolled.IsZero() {
			t.to, t.ends = stated.Rolled.Add(hybridLasts).UnixNano(), "the key was changed, say the facts, and tokens made before work for a day"
		}
		h.list = append(h.list, t)
	}
}

// onPremises reports whether the inventory says that a mailbox is on a server that logs are of.
func (r *reacher) onPremises(b *box) bool {
	if b.server == "" {
		return false
	}
	if r.servers == nil {
		r.servers = make(map[string]bool)
		seen := make(map[string]bool)
		for i := range r.contexts {
			if c := &r.contexts[i]; c.Host != "" && !seen[c.Host] {
				seen[c.Host] = true
				r.logged = append(r.logged, c.Host)
			}
		}
	}
	known, asked := r.servers[b.server]
	if !asked {
		known = slices.ContainsFunc(r.logged, func(s string) bool { return r.in.Hosts.same(b.server, s) })
		r.servers[b.server] = known
	}
	return known
}

// forge marks as suspected what was read in mailboxes of Microsoft 365, once an attacker may have made tokens for them, without a sign-in that
// they could be from: in the session, or by the account from that network within 30 hours.
func (a *attributing) forge() error {
	if a.hybrid == nil {
		return nil
	}
	since, host := int64(never), ""
	see := func(name string, at int64) {
		if name = strings.ToLower(a.in.Hosts.Of(name)); orAlways(at) < since && a.hybrid.has(name) {
			since, host = orAlways(at), name
		}
	}
	for i := range a.hosts {
		see(a.hosts[i].host, a.hosts[i].from)
	}
	asked := make(map[int]bool)
	for _, p := range a.order {
		for _, x := range p.strands {
			for _, part := range x.parts {
				c := &a.contexts[part.context]
				if x.level == ofAttacker && shells[c.Channel] {
					see(c.Host, part.from)
				}
				if x.level < suspected || asked[part.context] || !mayTellShells(c) {
					continue
				}
				asked[part.context] = true
				for act, err := range a.store.Acts(part.context) {
					if err != nil {
						return err
					}
					if act.Inference == logs.ShellUsed {
						see(c.Host, act.From)
					}
				}
			}
		}
	}
	if since == never {
		return nil
	}
	reads := func(c *tally.Context) bool {
		return c.Format == "m365.ual" && c.Account != "" && c.Standing != logs.AnyStanding && c.Standing != logs.Service && a.tells(c.IP)
	}
	type from struct{ account, network string }
	sessions := make(map[string]bool)
	signedIn := newWhenSeen[from]()
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Format != signInLog && c.Format != "m365.ual" || c.Standing != logs.AnyStanding || c.Channel != "m365" {
			continue
		}
		sessions[c.Session] = true
		signedIn.add(from{c.Account, neighbourhood(c.IP)}, a.store.Visits(i))
	}
	signedIn.join()
	why := fmt.Sprintf("an attacker may have had power over %s, which can make tokens for Microsoft 365 (CVE-2025-53786), and no sign-in is in the logs that this is from (%s)", host, ruleHybrid)
	for i := range a.contexts {
		c := &a.contexts[i]
		if !reads(c) || c.Session != "" && sessions[c.Session] {
			continue
		}
		k := from{c.Account, neighbourhood(c.IP)}
		for _, v := range a.store.Visits(i) {
			if v.From != event.UnknownTime && (v.To < since || signedIn.between(k, v.From-int64(tokenBefore), v.To)) {
				continue
			}
			a.plantSuspicion(&suspicion{int32(i), v.From, why})
		}
	}
	return nil
}

// cloudServer reports whether a server of the inventory is Exchange Online: as it is, or as a list may call it.
func cloudServer(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, domain := range [...]string{"outlook.com", "office365.com", "office.com"} {
		if name == domain || strings.HasSuffix(name, "."+domain) {
			return true
		}
	}
	return name == "microsoft 365" || name == "office 365" || name == "exchange online"
}
