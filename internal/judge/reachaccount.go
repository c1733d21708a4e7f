package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// maxOutsiders is how many accounts without a mailbox are noted one by one.
const maxOutsiders = 20

// maxSingle is of how many accounts it is asked one by one which mailboxes they may open; of more, each may open any.
const maxSingle = 1000

// outsiders are accounts without a mailbox of the list that an attacker used, or may have used, and what was reached through all of
// them together with one exposure.
type outsiders struct {
	exposure logs.Exposure
	from, to int64
	names    []string // the first few
	by       []string
	channels map[string]bool
	account  *box // of one
	// heldFrom and heldTo enclose when the passwords or tokens of them may have been held: never and always where none was.
	heldFrom, heldTo int64
}

func newOutsiders(x logs.Exposure) *outsiders {
	return &outsiders{exposure: x, from: never, to: always, heldFrom: never, heldTo: always, channels: make(map[string]bool)}
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
	if begin, end := r.heldFor(u.key); begin <= end { // who held it may have come in by the mailbox's own name, too, as nobody who is known to be the attacker
		from, to = min(from, begin), max(to, end)
		o.heldFrom, o.heldTo = min(o.heldFrom, begin), max(o.heldTo, end)
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
// So it does with mailboxes that logs name by an identifier of which nobody knows whose it is.
func (r *reacher) otherAccounts() {
	all := r.sorted()
	listed := r.in.Inventory != nil && slices.ContainsFunc(all, func(b *box) bool { return b.listed })
	var perhaps, unknown []*box // mailboxes that may be another's, and those of which that is asked
	for _, b := range all {
		if b.listed || !listed && !isIdentifier(b.key) {
			perhaps = append(perhaps, b)
		}
		if (!listed || !r.inMailboxList(b)) && !isMachine(b.key) && (b.reached || len(b.by) > 0) && (listed || isIdentifier(b.key)) {
			unknown = append(unknown, b)
		}
	}
	// What may be any mailbox of which the list does not tell, by the kind of name, and what may be one of which it does, by local part.
	var of [nameKinds][logs.Content + 1]*outsiders
	byLocal := make(map[string][]*outsiders)
	var single []*outsiders // accounts that may be some mailboxes only
	var noted [nameKinds][]*box
	for _, u := range unknown {
		x, d := u.most()
		one := newOutsiders(x)
		one.add(r, u)
		one.account = u
		if d == not && (one.heldFrom > one.heldTo || len(r.usesOf(u.key)) == 0) {
			continue // what only facts name need not be anybody's account
		}
		if some, sure := r.meant(u); len(some) > 0 {
			for _, b := range some {
				one.open(r, b, kindOf(u.key))
			}
			if sure {
				continue
			}
		}
		kind := kindOf(u.key)
		switch {
		case kind == nameOfMailbox && len(single) < maxSingle && (u.listed || r.hasGUID(u.key)):
			single = append(single, one)
		case of[kind][x] == nil:
			of[kind][x] = newOutsiders(x)
			fallthrough
		default:
			of[kind][x].add(r, u)
		}
		local := untagged(u.key)
		byLocal[local] = append(byLocal[local], one)
		noted[kind] = append(noted[kind], u)
	}
	var open [nameKinds]int
	for _, b := range perhaps {
		for kind := range of {
			if r.told(b, nameKind(kind)) {
				continue
			}
			opened := false
			for _, o := range of[kind] {
				if o != nil && o.open(r, b, nameKind(kind)) {
					opened = true
				}
			}
			for _, o := range single {
				if kind == int(nameOfMailbox) && r.mayBe(o.account, b) && o.open(r, b, nameOfMailbox) {
					opened = true
				}
			}
			if opened {
				open[kind]++
			}
		}
		for _, n := range r.who.accounts[b.key] {
			for _, o := range byLocal[n] {
				if o.account != b {
					o.open(r, b, nameOfMailbox)
				}
			}
		}
	}
	if listed && len(r.in.Inventory.Mailboxes) > 0 { // a list of messages is often of the mailboxes in question only
		r.otherLogins(all)
	}
	for kind := range noted {
		r.noteOutsiders(noted[kind], open[kind], nameKind(kind))
	}
}

// nameKind is how an account or mailbox is named.
type nameKind uint8

const (
	nameOfMailbox nameKind = iota
	guidOfMailbox
	sidOfAccount
	nameKinds
)

func kindOf(key string) nameKind {
	switch {
	case looksLikeGUID(key):
		return guidOfMailbox
	case isSID(key):
		return sidOfAccount
	}
	return nameOfMailbox
}

// told reports whether the list tells all names of a kind that a mailbox has.
func (r *reacher) told(b *box, kind nameKind) bool {
	switch kind {
	case guidOfMailbox:
		return r.who.allGUIDs[b.key]
	case sidOfAccount:
		return r.who.knownSID[b.key]
	}
	_, told := r.who.accounts[b.key]
	return told
}

// What is said of an account or identifier that follows.
const (
	noMailbox = "the inventory has no mailbox "
	noOwner   = "nothing tells whose mailbox it is: "
)

// inMailboxList reports whether the list of mailboxes names a mailbox; where there is no such list, whether the list of messages does.
func (r *reacher) inMailboxList(b *box) bool {
	if len(r.in.Inventory.Mailboxes) == 0 {
		return b.listed
	}
	return b.listed && !b.byMessages
}

// meant returns the mailboxes of the list that an account may be, by a name that several have or by an identifier that both have; sure says that
// it is one of them.
func (r *reacher) meant(u *box) (some []*box, sure bool) {
	for _, k := range r.who.keys(u.key) {
		if b := r.boxes[k]; b != nil && b != u && (b.listed || isIdentifier(u.key)) {
			some, sure = append(some, b), true
		}
	}
	var have, shared [nameKinds]int
	for _, id := range r.who.identifiers[u.key] {
		kind := kindOf(id)
		have[kind]++
		for _, k := range r.who.named[id] {
			if b := r.boxes[k]; b != nil && b != u && b.listed {
				some = append(some, b)
				shared[kind]++
			}
		}
	}
	// An account has one SID and a mailbox one GUID, but a name may have belonged to several.
	for kind := range have {
		sure = sure || have[kind] == 1 && shared[kind] > 0
	}
	return some, sure
}

// hasGUID reports whether logs or the list tell a GUID of a mailbox of that name, and not only of its object in the directory.
func (r *reacher) hasGUID(key string) bool {
	return slices.ContainsFunc(r.who.identifiers[key], func(id string) bool { return looksLikeGUID(id) && !r.who.objects[id] })
}

// mayBe reports whether an account may be that of a mailbox of another name: not if each is known by a GUID, and not by the same.
func (r *reacher) mayBe(u, b *box) bool {
	return u != b && (!r.hasGUID(u.key) || !r.hasGUID(b.key) || r.who.share(u.key, b.key))
}

// open opens a mailbox that may be the one of accounts by another name of that kind, and reports whether there was anything to open: with
// their password, somebody may have come in by the mailbox's own name.
func (o *outsiders) open(r *reacher, b *box, kind nameKind) bool {
	exposure := o.exposure
	if exposure < logs.Content && o.heldFrom <= o.heldTo && r.strangerIn(b, o.heldFrom, o.heldTo) {
		exposure = logs.Content
	}
	if exposure == logs.NoExposure {
		return false
	}
	rule, words := ruleOtherAccount, noMailbox
	if kind == guidOfMailbox {
		rule, words = ruleUnknownMailbox, noOwner
	}
	w := b.way(wayKey{rule: rule, grasp: graspCoarse, degree: may, exposure: exposure})
	w.bound(-1, -1)
	w.times++
	w.self = max(w.self, may)
	w.span(o.from, o.to)
	for _, n := range o.names {
		w.words = addTo(w.words, words+n, mostWords)
	}
	for _, id := range o.by {
		w.by = addTo(w.by, id, mostBy)
	}
	for _, c := range slices.Sorted(maps.Keys(o.channels)) {
		b.through(c).show(exposure, may, "it may be the mailbox of "+o.names[0])
	}
	return true
}

// strangerIn reports whether somebody came into a mailbox by its own name from from to to of whom nothing says that he is its owner: from
// an address that was not used for it a day before that. Where no log shows who came in, the mailbox is open by itself.
func (r *reacher) strangerIn(b *box, from, to int64) bool {
	from, to = sum(from, -r.doubt), sum(to, r.doubt)
	before := sum(from, -day)
	known, asked := make(map[string]bool), make(map[string]bool)
	logins := make(map[string][]tally.Span) // by session: the end of one may stand in a line without the address
	for _, i := range r.usesOf(b.key) {
		if c := &r.contexts[i]; c.IP != "" && c.Session != "" {
			for _, v := range r.in.Store.Visits(i) {
				logins[c.Session] = append(logins[c.Session], tally.Span{From: orAlways(v.From), To: sum(orNever(v.To), day)})
			}
		}
	}
	for _, i := range r.usesOf(b.key) {
		c := &r.contexts[i]
		for _, v := range r.in.Store.Visits(i) {
			if v.From != event.UnknownTime && v.From < before {
				known[c.IP] = true
			}
			if orAlways(v.From) > to || orNever(v.To) < from {
				continue
			}
			if s := r.whose(i, orAlways(v.From)); s != nil && s.attribution <= ofOwner {
				continue
			}
			if c.IP == "" && v.From != event.UnknownTime && slices.ContainsFunc(logins[c.Session], func(x tally.Span) bool { return x.From <= v.From && x.To >= v.From }) {
				continue
			}
			asked[c.IP] = true
		}
	}
	for ip := range asked {
		if ip == "" || !known[ip] {
			return true
		}
	}
	return false
}

// usesOf returns the contexts in which mail was used by an account.
func (r *reacher) usesOf(key string) []int {
	if r.contextsOf == nil {
		r.contextsOf = make(map[string][]int)
		for i := range r.contexts {
			if c := &r.contexts[i]; c.Account != "" && c.Standing != logs.Service && isMail(c.Channel) {
				key := r.who.key(c.Account)
				r.contextsOf[key] = append(r.contextsOf[key], i)
			}
		}
	}
	return r.contextsOf[key]
}

// noteOutsiders says which accounts, or identifiers, are of no mailbox of the list, how many mailboxes may be theirs, and what settles it. Of
// those that were only guessed at their entries tell.
func (r *reacher) noteOutsiders(list []*box, open int, kind nameKind) {
	noted := 0
	for _, u := range list {
		if open > 0 {
			u.settledBy = nameColumns[kind].settle + u.key
		}
		if len(u.by) == 0 && !r.holdsSurely(u.key) {
			continue
		}
		if noted++; noted > maxOutsiders {
			continue
		}
		text := fmt.Sprintf(nameColumns[kind].note, u.key)
		if open > 0 {
			text += fmt.Sprintf(nameColumns[kind].open, open)
		}
		r.j.Notes = append(r.j.Notes, text)
	}
	if noted > maxOutsiders {
		r.j.Notes = append(r.j.Notes, fmt.Sprintf(nameColumns[kind].more, noted-maxOutsiders))
	}
}

// nameColumns are, by the kind of name, what a note says and which column of the list settles it.
var nameColumns = [nameKinds]struct{ settle, note, open, more string }{
	nameOfMailbox: {"the column accounts of the list of mailboxes, with the account ",
		"account %s, which the attacker used or may have used, is of no mailbox of the list",
		": it may open any of those whose accounts the list does not name (%d); its column accounts settles it",
		"%d more accounts that the attacker used or may have used are of no mailbox of the list"},
	guidOfMailbox: {"the columns exchange_guid and archive_guid of the list of mailboxes, with ",
		"mailbox %s, in which the attacker was or may have been, is named by its GUID only",
		": it may be any of those whose GUIDs the list does not name (%d); its columns exchange_guid and archive_guid settle it",
		"%d more mailboxes in which the attacker was or may have been are named by their GUIDs only"},
	sidOfAccount: {"the column sid of the list of mailboxes, with ",
		"account %s, which the attacker used or may have used, is named by its SID only",
		": it may open any of those whose SID the list does not name (%d); its column sid settles it",
		"%d more accounts that the attacker used or may have used are named by their SIDs only"},
}

// holdsSurely reports whether an attacker certainly held an account.
func (r *reacher) holdsSurely(principal string) bool {
	return slices.ContainsFunc(r.powersOf(principal), func(k *capability) bool { return k.certain && k.isCredential() })
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
