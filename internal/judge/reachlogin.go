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
		if begin, end := r.heldFor(b.key); begin <= end {
			held = append(held, hold{b, begin, end})
			from, to = min(from, begin), max(to, end)
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
		o := newOutsiders(logs.Content)
		o.from, o.to = h.from, h.to
		for _, u := range strangers {
			if r.mayBe(u, h.box) {
				o.names = addTo(o.names, u.key, mostWords)
			}
		}
		if len(o.names) == 0 {
			continue
		}
		for _, name := range o.names {
			for _, i := range r.usesOf(name) {
				o.channels[r.contexts[i].Channel] = true
			}
		}
		o.open(r, h.box, nameOfMailbox)
	}
}

// heldFor encloses the times for which the password or tokens of an account may have been held: from never to always where none was.
func (r *reacher) heldFor(key string) (from, to int64) {
	from, to = never, always
	for _, k := range r.powersOf(key) {
		if begin, end := max(orAlways(k.earliest), r.from), min(orNever(k.to), r.to); k.isCredential() && k.rule != ruleTried && begin <= end {
			from, to = min(from, begin), max(to, end)
		}
	}
	return from, to
}
