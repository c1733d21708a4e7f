package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// hostsBefore says that power over a host of which the first thing shown is its use was held before, nobody knows since when.
func (h *holding) hostsBefore() {
	for i := range h.list {
		if k := &h.list[i]; k.power == logs.HostPower && (k.rule == logs.CodeRan || k.rule == logs.ShellUsed) {
			k.earliest = earlier(k.earliest, h.in.From)
		}
	}
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
