package judge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/barid-dfir/barid/internal/logs"
)

// otherLogins opens held mailboxes of which the list does not tell the accounts to those who came in while they were held by names that the list
// does not have, and of whom nothing says who they are: the attacker may have come by another login name of the same person.
func (r *reacher) otherLogins(all []*box) {
	type hold struct {
		*box
		from, to int64
	}
	var held []hold
	from, to := never, always
	for _, b := range all {
		if !b.listed || r.told(b, nameOfMailbox) {
			continue
		}
		h := hold{b, never, always}
		for _, k := range r.powersOf(b.key) {
			if begin, end := max(orAlways(k.earliest), r.from), min(orNever(k.to), r.to); k.isCredential() && k.rule != ruleTried && begin <= end {
				h.from, h.to = min(h.from, begin), max(h.to, end)
			}
		}
		if h.from <= h.to {
			held = append(held, h)
			from, to = min(from, h.from), max(to, h.to)
		}
	}
	if len(held) == 0 {
		return
	}
	r.usesOf("")
	var strangers []*box
	for _, key := range slices.Sorted(maps.Keys(r.contextsOf)) {
		if u := r.boxes[key]; u != nil && (u.listed || u.reached || len(u.by) > 0) || isMachine(key) || kindOf(key) != nameOfMailbox {
			continue // what the attacker reached by that name opens mailboxes by itself
		}
		u := cmp.Or(r.boxes[key], &box{key: key})
		if _, sure := r.meant(u); !sure && r.strangerIn(u, from, to) {
			strangers = append(strangers, u)
		}
	}
	for _, h := range held {
		var names []string
		for _, u := range strangers {
			if r.mayBe(u, h.box) {
				names = addTo(names, u.key, mostWords)
			}
		}
		if len(names) == 0 {
			continue
		}
		w := h.way(wayKey{rule: ruleOtherAccount, grasp: graspCoarse, degree: may, exposure: logs.Content})
		w.bound(-1, -1)
		w.times++
		w.self = max(w.self, may)
		w.span(h.from, h.to)
		for _, n := range names {
			w.words = addTo(w.words, noMailbox+n, mostWords)
		}
		for _, u := range names {
			for _, i := range r.usesOf(u) {
				h.through(r.contexts[i].Channel).show(logs.Content, may, "it may be the mailbox of "+u)
			}
		}
	}
}
