package judge

import (
	"maps"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// copyingApps are programs that keep a copy of the mailbox of whoever signs in to them.
var copyingApps = map[string]bool{
	"d3590ed6-52b3-4102-aeff-aad2292ab01c": true, // Office on the desktop, Outlook among it
	"5d661950-3475-41cd-a2c3-d671a3162bc1": true, // Outlook
	"27922004-5251-4030-b22d-91ecd9a37ea4": true, // Outlook Mobile
	"f8d98a96-0999-43f5-8af3-69971c7bb423": true, // Apple's Mail
}

// copyingClients are parts of what such programs, and those of old protocols, call themselves.
var copyingClients = [...]string{"client=msexchangerpc", "client=mapi", "client=activesync", "client=imap4", "client=pop3", "client=outlookservice", "microsoft outlook", "macoutlook",
	"outlook-ios", "outlook-android", "bav2ropc", "cbainprod", "cbaintar"}

// copyingProtocols are those of sign-ins (clientAppUsed) by which mailboxes are copied.
var copyingProtocols = [...]string{"imap4", "pop3", "exchange activesync", "mapi over http", "outlook anywhere", "offline address book", "other clients"}

// keepsCopy reports whether a context of Microsoft 365 is a program that keeps a copy of a mailbox, by what it calls itself, by its identifier or by
// how it signed in.
func keepsCopy(c *tally.Context, protocol string) bool {
	if !strings.HasPrefix(c.Format, "m365.") && !strings.HasPrefix(c.Format, "entra.") {
		return false
	}
	if copyingApps[strings.ToLower(c.App)] {
		return true
	}
	holds := func(s string, list []string) bool {
		s = strings.ToLower(s)
		return s != "" && slices.ContainsFunc(list, func(part string) bool { return strings.Contains(s, part) })
	}
	return holds(c.Agent, copyingClients[:]) || strings.HasPrefix(c.Format, "entra.") && holds(protocol, copyingProtocols[:])
}

// unseenSyncs opens what a program that keeps a copy may have copied without a record of it (mail-forensics 3.2, R6): that there is none rules
// out a copy only where such a program was not there.
func (r *reacher) unseenSyncs() {
	in := r.entered()
	for _, id := range slices.Sorted(maps.Keys(r.copiers)) {
		s := r.copiers[id]
		from := r.from
		if s.from != event.UnknownTime {
			from = sum(s.from, -s.doubt)
		}
		for _, b := range r.mayUse(s, in) {
			w := b.way(wayKey{rule: ruleUnseenSync, grasp: graspCoarse, degree: may, exposure: logs.Content, open: s.attribution != ofAttacker})
			w.bound(-1, -1)
			w.times++
			w.self = may
			w.span(from, sum(r.endOf(s), r.doubt))
			w.by = addTo(w.by, s.ID, mostBy)
			b.through("m365").raise(may, "session "+s.ID+" is of a program that keeps a copy of the mailbox")
		}
	}
}
