package judge

import (
	"slices"
	"strings"
	"unicode"
)

// people knows which names are one account: logs write ana, CORP\ana and ana@example.org.
type people struct {
	// full are the addresses that a bare name may belong to, in order.
	full map[string][]string
	// listed says that the inventory names an address with that bare name: other addresses do not make it ambiguous then.
	listed map[string]bool
	// plain says that the inventory names a mailbox by that bare name.
	plain map[string]bool
	// alias are further names, by the one that the inventory gives the mailbox.
	alias map[string]string
	// aliasLocal are mailboxes by the local part of a further name; "" where several have one.
	aliasLocal map[string]string
	// accounts are the local parts of all names of a mailbox, in order, by its key: of those of which the list tells the accounts.
	accounts map[string][]string
	// named are the names, as key returns them, of GUIDs and SIDs in lower case, and identifiers are those by the names.
	named, identifiers map[string][]string
	// others are the further names of accounts, in no order, by their keys.
	others map[string][]string
	// listedID are the identifiers of which the list tells whose they are.
	listedID map[string]bool
	// objects are the identifiers of the list that are of objects in the directory: no log names a mailbox by them.
	objects map[string]bool
	// allGUIDs are the mailboxes of which the list tells all GUIDs, knownSID those of which it tells the SID of the account.
	allGUIDs, knownSID map[string]bool
	// uncounted says that logs tell of more identifiers than are kept, so that none of theirs is known.
	uncounted bool
}

// newPeople learns the names from the inventory, the evidence and the facts. What somebody merely tried teaches a name
// only where nothing else does: whoever guesses could otherwise make one person two.
func newPeople(in *Input) (*people, error) {
	p := &people{full: make(map[string][]string), listed: make(map[string]bool), plain: make(map[string]bool), alias: make(map[string]string),
		aliasLocal: make(map[string]string), accounts: make(map[string][]string),
		named: make(map[string][]string), identifiers: make(map[string][]string), allGUIDs: make(map[string]bool), listedID: make(map[string]bool), objects: make(map[string]bool), knownSID: make(map[string]bool)}
	if in.Inventory != nil {
		for i := range in.Inventory.Mailboxes {
			m := &in.Inventory.Mailboxes[i]
			p.learn(m.Name)
			p.list(m.Name)
			for _, a := range accountsOf(m) {
				p.further(bare(a), bare(m.Name))
			}
		}
		last := ""
		for i := range in.Inventory.Messages {
			if m := in.Inventory.Messages[i].Mailbox; m != last {
				p.learn(m)
				p.list(m)
				last = m
			}
		}
		for local := range p.full {
			p.listed[local] = true
		}
	}
	last := ""
	for _, c := range in.Store.Contexts() {
		if c.Account != last {
			p.learn(c.Account)
			last = c.Account
		}
	}
	if in.Facts != nil {
		for _, a := range in.Facts.Attacker.Accounts {
			p.learn(a)
		}
		for i := range in.Facts.Attacker.Scripts {
			p.learn(in.Facts.Attacker.Scripts[i].Account)
		}
		for i := range in.Facts.Exposed {
			p.learn(in.Facts.Exposed[i].Account)
		}
		for i := range in.Facts.Statements {
			p.learn(in.Facts.Statements[i].Account)
		}
	}
	known := make(map[string]bool, len(p.full))
	for local := range p.full {
		known[local] = true
	}
	failed, err := in.attempts()
	if err != nil {
		return nil, err
	}
	for _, account := range failed.accounts {
		if local, _, ok := cutAddress(strings.ToLower(account)); ok && !known[local] {
			p.learn(account)
		}
	}
	if in.Inventory != nil {
		p.tellAccounts(in.Inventory.Mailboxes)
		p.tellIdentifiers(in.Inventory.Mailboxes)
	}
	if err := p.learnIdentifiers(in); err != nil {
		return nil, err
	}
	p.others = make(map[string][]string)
	for name := range p.alias {
		if k := p.key(name); k != name {
			p.others[k] = append(p.others[k], name)
		}
	}
	return p, nil
}

// noAccounts stands in the column accounts of a mailbox whose account has no name but its own.
const noAccounts = "-"

// accountsOf returns what the list says of the accounts of a mailbox; nothing where it does not tell.
func accountsOf(m *Mailbox) []string {
	if slices.Contains(unknownAccounts[:], strings.ToLower(strings.TrimSpace(m.Accounts))) {
		return nil
	}
	list := strings.FieldsFunc(m.Accounts, func(r rune) bool {
		return unicode.IsSpace(r) || r == ';' || r == ',' || r == '|' || r == '/' || r == '\u200b' || r == '\ufeff'
	})
	return slices.DeleteFunc(list, func(a string) bool { return slices.Contains(unknownAccounts[:], strings.ToLower(a)) })
}

// unknownAccounts are what people write where they do not know.
var unknownAccounts = [...]string{"?", "??", "???", "unknown", "n/a", "na", "tbd", "todo", "null", "none?", "inconnu"}

// further takes that the inventory gives the account of a mailbox another name. A name that two mailboxes claim is neither's.
func (p *people) further(name, own string) {
	if name == "" || name == noAccounts || name == own {
		return
	}
	claim := func(in map[string]string, name string) {
		if other, ok := in[name]; ok && other != own {
			in[name] = ""
		} else {
			in[name] = own
		}
	}
	claim(p.alias, name)
	if local, _, full := cutAddress(name); full {
		claim(p.aliasLocal, local)
	}
}

// tellAccounts learns of which mailboxes the list tells all accounts.
func (p *people) tellAccounts(list []Mailbox) {
	for i := range list {
		told := accountsOf(&list[i])
		if len(told) == 0 {
			continue
		}
		k := p.key(list[i].Name)
		for _, name := range append(told, list[i].Name) {
			p.accounts[k] = append(p.accounts[k], untagged(name))
		}
		slices.Sort(p.accounts[k])
		p.accounts[k] = slices.Compact(p.accounts[k])
	}
}

// list remembers a name of the inventory that has no domain.
func (p *people) list(mailbox string) {
	if a := bare(mailbox); !strings.Contains(a, "@") {
		p.plain[a] = true
	}
}

// maxFull is how many addresses of one bare name are told apart.
const maxFull = 100

func (p *people) learn(account string) {
	account = bare(account)
	local, _, ok := cutAddress(account)
	if !ok || p.listed[local] {
		return
	}
	list := p.full[local]
	if i, found := slices.BinarySearch(list, account); !found && len(list) < maxFull {
		p.full[local] = slices.Insert(list, i, account)
	}
}

// cutAddress cuts ana@example.org; false for what is no address in a domain of the Internet.
func cutAddress(a string) (local, domain string, ok bool) {
	local, domain, ok = strings.Cut(a, "@")
	return local, domain, ok && local != "" && strings.Contains(domain, ".")
}

// localPart returns what of a name stays the same in other domains: ana+shop of ana+shop@example.org, ana of CORP\ana.
func localPart(account string) string {
	local, _, _ := strings.Cut(bare(account), "@")
	return local
}

// untagged returns what of a name stays the same in other domains and with other tags: ana of ana+shop@example.org and CORP\ana.
func untagged(account string) string {
	local := localPart(account)
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	return local
}

// bare returns a name in lower case, without what Windows, Exchange and SharePoint put before it.
func bare(account string) string {
	a := strings.ToLower(strings.TrimSpace(account))
	if i := strings.LastIndexByte(a, '|'); i >= 0 { // i:0#.f|membership|ana@example.org
		a = a[i+1:]
	}
	if i := strings.LastIndexByte(a, '\\'); i >= 0 {
		a = a[i+1:]
	}
	a = strings.TrimPrefix(a, "smtp:")
	if first, _, ok := strings.Cut(a, "/"); ok && strings.Contains(first, ".") && !strings.Contains(a, "@") { // corp.example/Users/Ana
		a = a[strings.LastIndexByte(a, '/')+1:]
	}
	return a
}

// key returns one name for an account, however it is written, in lower case. Names without a domain, or with a Windows
// domain, are those of the one address with the same local part, if there is only one. A tag (ana+shop@…) makes another
// account. A GUID or SID is the name that it is known to be of, if that is one.
func (p *people) key(account string) string {
	a := bare(account)
	if id := identifierOf(a); isIdentifier(id) {
		if names := p.named[id]; len(names) == 1 {
			return names[0]
		}
		return id
	}
	if own := p.alias[a]; own != "" {
		a = own
	}
	k := p.address(a)
	if own := p.alias[k]; own != "" {
		return p.address(own)
	}
	return k
}

// address returns the address that a name as bare returns it is of.
func (p *people) address(a string) string {
	local, _, full := cutAddress(a)
	switch list := p.full[local]; {
	case full && p.plain[local] && len(list) == 0:
		return local // no account has another address of that name, so it is the mailbox of the inventory
	case full:
		return a
	case len(list) == 1:
		return list[0]
	case len(list) == 0 && !p.plain[local] && p.aliasLocal[local] != "":
		return p.aliasLocal[local]
	}
	return local
}

// keys returns every account that a name may be: several where a bare name has more than one address, or an identifier more than one name.
func (p *people) keys(account string) []string {
	k := p.key(account)
	if names := p.named[k]; len(names) > 1 {
		return append([]string{k}, names...)
	}
	if _, _, full := cutAddress(k); !full && len(p.full[k]) > 1 {
		return append([]string{k}, p.full[k]...)
	}
	return []string{k}
}
