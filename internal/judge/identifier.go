package judge

import (
	"slices"
	"strings"
)

// noGUID is written where there is none.
const noGUID = "00000000-0000-0000-0000-000000000000"

// maxIdentities is how many names of one identifier, and how many identifiers of one name, are told apart.
const maxIdentities = 16

// identifierOf returns the one form of an identifier that logs write in several: a GUID, as {GUID}, GUID@domain or by itself; a SID.
func identifierOf(text string) string {
	id := strings.ToLower(strings.TrimSpace(text))
	if i := strings.IndexAny(id, "@%"); i >= 36 { // a query may write %40
		id = id[:i]
	}
	return strings.Trim(id, "{}")
}

// looksLikeGUID reports whether a mailbox is named by an identifier.
func looksLikeGUID(key string) bool {
	key, _, _ = strings.Cut(strings.Trim(key, "{}"), "@")
	if len(key) != 36 {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// isSID reports whether a name in lower case is the security identifier of an account: one of a domain, of a machine or of Entra ID. Those that
// mean the same everywhere (the system, everybody) are of no account.
func isSID(name string) bool {
	rest, ok := strings.CutPrefix(name, "s-1-5-21-")
	if !ok {
		if rest, ok = strings.CutPrefix(name, "s-1-12-1-"); !ok {
			return false
		}
	}
	parts := 1
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '-' && i > 0 && rest[i-1] != '-' && i+1 < len(rest):
			parts++
		case c < '0' || c > '9':
			return false
		}
	}
	return parts == 4
}

// isIdentifier reports whether a name in lower case identifies an account or mailbox without naming it.
func isIdentifier(name string) bool { return looksLikeGUID(name) || isSID(name) }

// identify takes that an identifier is of a mailbox or account; names are as key returns them.
func (p *people) identify(id, name string) {
	if id == "" || name == "" || isIdentifier(name) {
		return
	}
	if !p.listedID[id] {
		p.named[id] = addTo(p.named[id], name, maxIdentities)
	}
	p.identifiers[name] = addTo(p.identifiers[name], id, maxIdentities)
}

// tellIdentifiers learns whose identifiers the list tells. What it says of one is all that there is to say.
func (p *people) tellIdentifiers(list []Mailbox) {
	for i := range list {
		m := &list[i]
		k := p.key(m.Name)
		for _, id := range append(slices.Clip(m.GUIDs), m.SID) {
			p.identify(id, k)
		}
		if m.Object != "" {
			p.objects[m.Object] = true
		}
		if m.AllGUIDs {
			p.allGUIDs[k] = true
		}
		if m.SID != "" {
			p.knownSID[k] = true
		}
	}
	for id := range p.named {
		p.listedID[id] = true
	}
}

// learnIdentifiers learns which identifiers logs give names. A name that is no mailbox of the list is another name of the one whose identifier it
// has, if the list tells that one and the name has no other of that kind.
func (p *people) learnIdentifiers(in *Input) error {
	all, err := in.Store.Identities()
	if err != nil {
		return err
	}
	p.uncounted = all.TooMany
	lastName, key := "", ""
	for _, i := range all.List {
		id := identifierOf(i.ID)
		if !isIdentifier(id) || id == noGUID {
			continue
		}
		if i.Name != lastName {
			lastName, key = i.Name, p.key(i.Name)
		}
		if !isMachine(key) {
			p.identify(id, key)
		}
	}
	if len(p.listedID) == 0 {
		return nil
	}
	listed := make(map[string]bool)
	eachListed(in.Inventory, func(mailbox string) { listed[p.key(mailbox)] = true })
	for name, ids := range p.identifiers {
		if local, _, full := cutAddress(name); listed[name] || !full && (len(p.full[name]) > 1 || p.plain[local]) {
			continue
		}
		var only [nameKinds]string
		var have [nameKinds]int
		for _, id := range ids {
			only[kindOf(id)] = id
			have[kindOf(id)]++
		}
		for _, kind := range [...]nameKind{guidOfMailbox, sidOfAccount} {
			if names := p.named[only[kind]]; have[kind] == 1 && p.listedID[only[kind]] && len(names) == 1 && p.alias[name] == "" {
				p.alias[name] = names[0]
			}
		}
	}
	return nil
}

// eachListed calls f with every mailbox of the inventory, some more than once.
func eachListed(inv *Inventory, f func(mailbox string)) {
	for i := range inv.Mailboxes {
		f(inv.Mailboxes[i].Name)
	}
	last := ""
	for i := range inv.Messages {
		if m := inv.Messages[i].Mailbox; m != last {
			last = m
			f(m)
		}
	}
}

// share reports whether two names have an identifier in common.
func (p *people) share(a, b string) bool {
	list := p.identifiers[b]
	return slices.ContainsFunc(p.identifiers[a], func(id string) bool { return slices.Contains(list, id) })
}
