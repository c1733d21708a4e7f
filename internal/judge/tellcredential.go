package judge

import (
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// tellCredentials says which credentials an attacker held, or may have held.
func (r *reacher) tellCredentials() {
	type held struct {
		l    levels
		k    *capability
		kind []string
	}
	all := make(map[string]*held)
	for i := range r.powers {
		k := &r.powers[i]
		if k.power != logs.Password && k.power != logs.Token || k.principal == "" {
			continue
		}
		d := was
		if !k.certain {
			if d = may; k.rule == ruleTried {
				d = r.guessed(k)
			}
		}
		if d == not {
			continue
		}
		h := all[k.principal]
		if h == nil {
			h = &held{}
			all[k.principal] = h
		}
		if h.l[logs.Content] < d || h.k == nil {
			h.k = k
		}
		h.l.raise(logs.Content, d)
		h.kind = addTo(h.kind, k.power.String(), mostWords)
	}
	for _, p := range slices.Sorted(maps.Keys(all)) {
		h := all[p]
		e := casefile.Reached{Object: casefile.Object{Kind: "credential", ID: p}}
		verdict(&e, &h.l)
		e.First, e.Last = moment(h.k.from), moment(h.k.to)
		proof := h.k.evidence
		if proof == nil {
			proof = []casefile.Proof{}
		}
		text := "The attacker held the " + strings.Join(h.kind, " and a ") + " of this account."
		if h.l[logs.Content] != was {
			text = "The attacker may have held the " + strings.Join(h.kind, " and a ") + " of this account."
		}
		for _, s := range h.k.why {
			text += " " + asSentence(s)
		}
		e.Why = []casefile.Reason{{Rule: ruleHeld, Text: text, Evidence: proof}}
		if h.l[logs.Content] != was {
			switch h.k.rule {
			case ruleTried:
				e.Settle = "the log that would show whether a guess at " + p + " succeeded"
			case ruleExposed:
				e.Settle = "what was captured, if it is found: whether " + p + " is in it"
			default:
				e.Settle = "the owner's word on whether the sessions that are suspected were theirs (facts: statements)"
			}
		}
		r.add(e)
	}
}

// guessed returns whether a credential that was only tried may have been found: where no log shows that it was not.
func (r *reacher) guessed(k *capability) degree {
	from, to := max(orAlways(k.earliest), r.from), min(orNever(k.to), r.to)
	channels := k.channels
	if channels == nil {
		channels = r.cover.channels("mailbox", k.principal)
	}
	if len(channels) == 0 {
		return may
	}
	for _, c := range channels {
		if !r.cover.presence(c, k.principal, from, to).covered() {
			return may
		}
	}
	return not
}
