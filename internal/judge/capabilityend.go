package judge

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

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
