package judge

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// maxTried is how many accounts that nothing else tells of are listed as guessed at.
const maxTried = 10_000

// ruleTried is the rule by which an account that was guessed at may have been opened.
const ruleTried = "GUESSED_AT"

// tried adds the passwords that may have been guessed without any log's showing it.
func (h *holding) tried() error {
	list, err := tried(h.in, h.who, func(ip string) bool {
		return h.s.attackers[ip] || h.s.guessers[ip] != nil || remoteOf(h.facts, ip).role&RoleAttacker != 0
	}, func(ip string) bool { return remoteOf(h.facts, ip).pivots() })
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for i := range h.list {
		if h.list[i].power == logs.Password {
			known[h.list[i].principal] = true
		}
	}
	real := h.exists(list)
	strangers, left := 0, 0
	for i := range list {
		t := &list[i]
		if known[t.account] {
			continue
		}
		if !real[t.account] {
			if strangers >= maxTried {
				left++
				continue
			}
			strangers++
		}
		channels := []string{t.channel}
		if slices.Contains(webChannels, t.channel) {
			channels = webChannels
		}
		what := "an attacker's address"
		if t.guessing {
			what = "an address that guessed"
		}
		k := capability{power: logs.Password, principal: t.account, earliest: sum(t.first.From, -h.in.skewOf(t.first.Host, t.first.Format)), from: t.first.From, to: h.in.To, channels: channels, rule: ruleTried, lastLogin: event.UnknownTime,
			why: []string{fmt.Sprintf("%s, %s, failed %s to log in as %s by %s, first at %s: whether it ever succeeded, the logs of that way in must tell", t.first.IP, what,
				count(t.times, "time"), t.account, cmp.Or(t.channel, "an unknown way in"), inTime(t.first.From))},
			evidence: []casefile.Proof{h.in.proof(t.first.First)}}
		for _, x := range h.who.keys(t.account) {
			k.reach = append(k.reach, scope{kind: "mailbox", in: x})
		}
		h.list = append(h.list, k)
	}
	if left > 0 {
		h.s.notes = append(h.s.notes, fmt.Sprintf("%s that were only guessed at, and of which neither a list nor a login tells, are not listed", count(int64(left), "name")))
	}
	return nil
}

// exists returns which of the accounts are in the inventory, or did anything.
func (h *holding) exists(list []triedAt) map[string]bool {
	asked := make(map[string]bool, len(list))
	for i := range list {
		asked[list[i].account] = false
	}
	if len(asked) == 0 {
		return asked
	}
	see := func(name string) {
		if k := h.who.key(name); len(k) > 0 {
			if _, ok := asked[k]; ok {
				asked[k] = true
			}
		}
	}
	if h.in.Inventory != nil {
		for i := range h.in.Inventory.Mailboxes {
			see(h.in.Inventory.Mailboxes[i].Name)
		}
	}
	last := ""
	for i := range h.contexts {
		if a := h.contexts[i].Account; a != last {
			last = a
			see(a)
		}
	}
	return asked
}
