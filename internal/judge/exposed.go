package judge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// ExposedFact says that passwords were captured, or may have been: of an account, as by a message that makes Outlook hand out its hash
// (CVE-2023-23397), or of all who signed in on a host whose logon page was changed (mail-forensics 1.6, 1.7).
type ExposedFact struct {
	// Account or Host, one of them, says whose.
	Account string `yaml:"account"`
	Host    string `yaml:"host"`
	// From is since when, To until when passwords may have been captured: the zero time if that is not known.
	From time.Time `yaml:"from"`
	To   time.Time `yaml:"to"`
	// Certain says that what was captured was found; otherwise it is suspected.
	Certain bool   `yaml:"certain"`
	Proof   string `yaml:"proof"` // how it is known
}

// exposure is a password that an attacker may have without any session's showing it.
type exposure struct {
	account string // as people.key writes it
	from    int64  // since when he may have it
	last    int64  // until when it was captured: a password that was changed later is another; event.UnknownTime if nobody knows
	certain bool
	why     string
	proofs  []casefile.Proof
}

// ruleExposed is the rule by which a password is held that people say was captured.
const ruleExposed = "EXPOSED"

// exposures finds whose passwords the facts expose. Where a page captured them and the log of its host does not show all of the time,
// anybody may have used it: all mailboxes and accounts that are known. cover is nil where nobody asks it.
func exposures(in *Input, who *people, cover *coverage) ([]exposure, error) {
	var out []exposure
	facts := in.Facts.parsed()
	for i := range facts.Exposed {
		f := &facts.Exposed[i]
		last := int64(event.UnknownTime)
		if !f.To.IsZero() {
			last = f.To.UnixNano()
		}
		if f.Account != "" {
			how := "may have been"
			if f.Certain {
				how = "was"
			}
			for _, k := range who.keys(f.Account) {
				out = append(out, exposure{account: k, from: f.From.UnixNano(), last: last, certain: f.Certain,
					why: fmt.Sprintf("the facts say that the password of %s %s captured, from %s on: %s", f.Account, how, stamp(f.From), f.Proof)})
			}
			continue
		}
		found, err := typedAt(in, who, f, last)
		if err != nil {
			return nil, err
		}
		until := in.To
		if last != event.UnknownTime {
			until = last
		}
		if cover != nil && !cover.presenceAt(f.Host, "owa", "", f.From.UnixNano(), until).covered() {
			why := fmt.Sprintf("the facts say that the logon page of %s captured passwords from %s on, and no log shows all who used it: %s", f.Host, stamp(f.From), f.Proof)
			for _, k := range everyAccount(in, who) {
				if _, ok := found[k]; !ok {
					found[k] = exposure{account: k, from: f.From.UnixNano(), last: last, why: why}
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(found)) {
			out = append(out, found[k])
		}
	}
	slices.SortStableFunc(out, func(a, b exposure) int {
		return cmp.Or(strings.Compare(a.account, b.account), -compareBools(a.certain, b.certain), cmp.Compare(a.from, b.from))
	})
	return out, nil
}

// typedAt returns who used Outlook on the web on a host while its logon page captured passwords. Who has a session need not have typed
// one then: only a login makes it certain.
func typedAt(in *Input, who *people, f *ExposedFact, last int64) (map[string]exposure, error) {
	found := make(map[string]exposure)
	from, to := f.From.UnixNano(), last
	if to == event.UnknownTime {
		to = never
	}
	contexts := in.Store.Contexts()
	for i := range contexts {
		c := &contexts[i]
		if c.Channel != "owa" && c.Channel != "ecp" || c.Account == "" || isMachine(c.Account) || !in.Hosts.same(c.Host, f.Host) {
			continue
		}
		by := in.skew(i)
		see := func(x exposure) {
			if old, ok := found[x.account]; !ok || x.certain && !old.certain || x.certain == old.certain && x.from < old.from {
				found[x.account] = x
			}
		}
		why := fmt.Sprintf("the facts say that the logon page of %s captured passwords from %s on, and %s used it: %s", f.Host, stamp(f.From), who.key(c.Account), f.Proof)
		for _, v := range in.Store.Visits(i) {
			if v.From != event.UnknownTime && (sum(v.From, -by) > to || sum(v.To, by) < from) {
				continue
			}
			at := from
			if v.From != event.UnknownTime {
				at = max(from, sum(v.From, -by))
			}
			see(exposure{account: who.key(c.Account), from: at, last: last, why: why, proofs: []casefile.Proof{in.proof(v.First)}})
		}
		if !f.Certain {
			continue
		}
		for act, err := range in.Store.Acts(i) {
			if err != nil {
				return nil, err
			}
			if act.Kind == logs.Login && act.OK && act.From >= from && act.To <= to {
				x := exposure{account: who.key(c.Account), from: act.From, last: last, certain: true, why: why}
				for _, r := range act.Refs[:min(len(act.Refs), maxProofs)] {
					x.proofs = append(x.proofs, in.proof(r))
				}
				see(x)
			}
		}
	}
	return found, nil
}

// everyAccount returns the mailboxes of the inventory and the accounts that logs of mail name, in order.
func everyAccount(in *Input, who *people) []string {
	set := make(map[string]bool)
	if in.Inventory != nil {
		eachListed(in.Inventory, func(mailbox string) { set[who.key(mailbox)] = true })
	}
	last := ""
	for _, c := range in.Store.Contexts() {
		if c.Account != last && isMail(c.Channel) && !isMachine(c.Account) {
			last = c.Account
			set[who.key(c.Account)] = true
		}
	}
	delete(set, "")
	return slices.Sorted(maps.Keys(set))
}

// exposed adds the passwords that the facts say were captured, unless the attacker is known to have used them.
func (h *holding) exposed() {
	used := make(map[string]bool)
	for i := range h.list {
		if k := &h.list[i]; k.power == logs.Password && k.certain {
			used[k.principal] = true
		}
	}
	for i := range h.s.exposed {
		x := &h.s.exposed[i]
		if used[x.account] {
			continue
		}
		h.list = append(h.list, capability{power: logs.Password, principal: x.account, earliest: x.from, from: x.from, to: h.in.To, certain: x.certain, rule: ruleExposed,
			reach: []scope{{kind: "mailbox", in: x.account}, {kind: "file"}}, lastLogin: x.last, why: []string{x.why}, evidence: x.proofs})
	}
}
