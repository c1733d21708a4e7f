package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

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
