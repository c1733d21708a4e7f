package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/barid-dfir/barid/internal/logs"
)

// maxOutsiders is how many accounts without a mailbox are noted one by one.
const maxOutsiders = 20

// outsiders are accounts without a mailbox of the list that an attacker used, or may have used, and what was reached through all of
// them together with one exposure.
type outsiders struct {
	exposure logs.Exposure
	from, to int64
	names    []string // the first few
	by       []string
	channels map[string]bool
}

func newOutsiders(x logs.Exposure) *outsiders {
	return &outsiders{exposure: x, from: never, to: always, channels: make(map[string]bool)}
}

// add takes what was reached through an account.
func (o *outsiders) add(r *reacher, u *box) {
	from, to := u.from, u.to
	if from == never {
		from, to = r.from, r.to
	}
	for _, w := range u.ways {
		from, to = min(from, w.from), max(to, w.to)
	}
	o.from, o.to = min(o.from, from), max(o.to, to)
	o.names = addTo(o.names, u.key, mostWords)
	for _, id := range u.by {
		o.by = addTo(o.by, id, mostBy)
	}
	for c, state := range u.channels {
		if _, d := state.levels.main(); d != not {
			o.channels[c] = true
		}
	}
}

// otherAccounts opens the mailboxes that may belong to an account that the attacker used and of which the inventory has none: a person may
// have several login names, and none of them need be the name of the mailbox. Where the list says which accounts a mailbox has, it has no other.
func (r *reacher) otherAccounts() {
	var listed []*box
	all := r.sorted()
	for _, b := range all {
		if b.listed {
			listed = append(listed, b)
		}
	}
	if len(listed) == 0 {
		return
	}
	// What may be any mailbox of which the list does not name the accounts; and, by local part, what may be one of which it does.
	var of [logs.Content + 1]*outsiders
	byLocal := make(map[string][]*outsiders)
	var noted []*box
	for _, u := range all {
		if r.inMailboxList(u) || looksLikeGUID(u.key) || isMachine(u.key) || !u.reached && len(u.by) == 0 {
			continue
		}
		x, d := u.most()
		if d == not {
			continue
		}
		one := newOutsiders(x)
		one.add(r, u)
		if some := r.meant(u); len(some) > 0 {
			for _, b := range some {
				one.open(r, b)
			}
			continue
		}
		if of[x] == nil {
			of[x] = newOutsiders(x)
		}
		of[x].add(r, u)
		local := localOf(u.key)
		byLocal[local] = append(byLocal[local], one)
		noted = append(noted, u)
	}
	if len(noted) == 0 {
		return
	}
	open := 0
	for _, b := range listed {
		names, told := r.who.accounts[b.key]
		if !told {
			open++
			for _, o := range of {
				if o != nil {
					o.open(r, b)
				}
			}
			continue
		}
		for _, n := range names {
			for _, o := range byLocal[n] {
				o.open(r, b)
			}
		}
	}
	r.noteOutsiders(noted, open)
}

// noMailbox is followed by an account.
const noMailbox = "the inventory has no mailbox "

// inMailboxList reports whether the list of mailboxes names a mailbox; where there is no such list, whether the list of messages does.
func (r *reacher) inMailboxList(b *box) bool {
	if len(r.in.Inventory.Mailboxes) == 0 {
		return b.listed
	}
	return b.listed && !b.byMessages
}

// meant returns the mailboxes of the list that an account may be by a name that several have.
func (r *reacher) meant(u *box) []*box {
	var out []*box
	for _, k := range r.who.keys(u.key) {
		if b := r.boxes[k]; b != nil && b != u && b.listed {
			out = append(out, b)
		}
	}
	return out
}

// open opens a mailbox that may be the one of accounts by another name.
func (o *outsiders) open(r *reacher, b *box) {
	w := b.way(wayKey{rule: ruleOtherAccount, grasp: graspCoarse, degree: may, exposure: o.exposure})
	w.bound(-1, -1)
	w.times++
	w.self = max(w.self, may)
	w.span(o.from, o.to)
	for _, n := range o.names {
		w.words = addTo(w.words, noMailbox+n, mostWords)
	}
	for _, id := range o.by {
		w.by = addTo(w.by, id, mostBy)
	}
	for _, c := range slices.Sorted(maps.Keys(o.channels)) {
		b.through(c).show(o.exposure, may, "it may be the mailbox of "+o.names[0])
	}
}

// noteOutsiders says which accounts are of no mailbox of the list, how many mailboxes may be theirs, and what settles it. Of those that were
// only guessed at their entries tell.
func (r *reacher) noteOutsiders(list []*box, open int) {
	noted := 0
	for _, u := range list {
		u.outside = open > 0
		if len(u.by) == 0 && !r.holdsSurely(u.key) {
			continue
		}
		if noted++; noted > maxOutsiders {
			continue
		}
		text := "account " + u.key + ", which the attacker used or may have used, is of no mailbox of the list"
		if open > 0 {
			text += fmt.Sprintf(": it may open any of those whose accounts the list does not name (%d); its column accounts settles it", open)
		}
		r.j.Notes = append(r.j.Notes, text)
	}
	if noted > maxOutsiders {
		r.j.Notes = append(r.j.Notes, fmt.Sprintf("%d more accounts that the attacker used or may have used are of no mailbox of the list", noted-maxOutsiders))
	}
}

// holdsSurely reports whether an attacker certainly held an account.
func (r *reacher) holdsSurely(principal string) bool {
	return slices.ContainsFunc(r.powers, func(k capability) bool {
		return k.certain && k.principal == principal && (k.power == logs.Password || k.power == logs.Token)
	})
}

// most returns the highest that any way reaches.
func (b *box) most() (logs.Exposure, degree) {
	var l levels
	for _, w := range b.ways {
		l.raise(w.exposure, max(w.self, w.degree))
	}
	for _, t := range b.items {
		l.join(&t.levels)
	}
	return l.main()
}
