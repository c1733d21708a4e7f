package judge

import (
	"slices"
	"strings"
)

// people knows which names are one account: logs write ana, CORP\ana and ana@example.org.
type people struct {
	// full is the one address that a bare name belongs to; "" where there are several.
	full map[string]string
}

// newPeople learns the names from the evidence, the inventory and the facts.
func newPeople(in *Input) (*people, error) {
	p := &people{full: make(map[string]string)}
	for _, c := range in.Store.Contexts() {
		p.learn(c.Account)
	}
	for t, err := range in.Store.Tries() {
		if err != nil {
			return nil, err
		}
		p.learn(t.Account)
	}
	if in.Inventory != nil {
		for i := range in.Inventory.Mailboxes {
			p.learn(strings.ToLower(in.Inventory.Mailboxes[i].Name))
		}
		for i := range in.Inventory.Messages {
			p.learn(strings.ToLower(in.Inventory.Messages[i].Mailbox))
		}
	}
	if in.Facts != nil {
		for _, a := range slices.Concat(in.Facts.Attacker.Accounts) {
			p.learn(strings.ToLower(a))
		}
	}
	return p, nil
}

func (p *people) learn(account string) {
	local, domain, ok := strings.Cut(account, "@")
	if !ok || local == "" || !strings.Contains(domain, ".") {
		return
	}
	if other, known := p.full[local]; known && other != account {
		p.full[local] = "" // two people
		return
	}
	p.full[local] = account
}

// key returns one name for an account, however it is written, in lower case. Names without a domain, or with a Windows
// domain, are those of the one address with the same local part, if there is only one.
func (p *people) key(account string) string {
	a := strings.ToLower(strings.TrimSpace(account))
	if strings.Contains(a, "@") && strings.Contains(a[strings.IndexByte(a, '@'):], ".") {
		return a
	}
	if i := strings.LastIndexByte(a, '\\'); i >= 0 {
		a = a[i+1:]
	}
	local, _, _ := strings.Cut(a, "@")
	if full := p.full[local]; full != "" {
		return full
	}
	return local
}
