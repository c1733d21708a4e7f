package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

const (
	// tokenBaseline is of how many days the applications are known that read a mailbox.
	tokenBaseline = 60
	// tokenBefore is how long before its use a token may have been made: an access token lives for 28 hours at most.
	tokenBefore = 30 * time.Hour
	// federatedSlack is how far apart AD FS and Microsoft 365 may tell of one sign-in.
	federatedSlack = 10 * time.Minute
)

// unmatched finds mail that an application read which had not read in that mailbox before, without any sign-in that it could have its token
// from: so did forged tokens in 2023 (mail-forensics 1.7, Storm-0558). began is when the log of sign-ins does.
func (a *attributing) unmatched(cover *coverage, began int64, out []suspicion) []suspicion {
	if cover == nil {
		return out
	}
	a.begin()
	baseline := int64(tokenBaseline)
	if a.facts.BaselineDays > 0 {
		baseline = a.days
	}
	type pair struct{ account, app string }
	first := make(map[pair]int64)
	reads := func(i int) bool {
		c := &a.contexts[i]
		return c.Format == "m365.ual" && c.App != "" && c.Account != "" && c.Standing != logs.AnyStanding && c.Standing != logs.Service
	}
	logBegan, told := a.begins[logOf("", "m365.ual")]
	for i := range a.contexts {
		if c := &a.contexts[i]; reads(i) {
			if at, ok := a.begins[logOf(c.Host, c.Format)]; ok && (!told || at < logBegan) {
				logBegan, told = at, true
			}
			k := pair{c.Account, c.App}
			at := a.store.Began(i)
			if old, ok := first[k]; at != event.UnknownTime && (!ok || at < old) {
				first[k] = at
			}
		}
	}
	if !told {
		return out
	}
	var fresh []int32
	wanted := make(map[string]bool)
	signedIn := newWhenSeen[string]() // by session, application, and account with its network
	name := func(kind, x string) string { return kind + "\x00" + strings.ToLower(x) }
	names := func(c *tally.Context) []string {
		list := []string{name("app", c.App), name("at", c.Account+"\x00"+neighbourhood(c.IP))}
		if c.Session != "" {
			list = append(list, name("session", c.Session))
		}
		return list
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if reads(i) && a.tells(c.IP) && first[pair{c.Account, c.App}] >= logBegan+baseline*day {
			fresh = append(fresh, int32(i))
			for _, n := range names(c) {
				wanted[n] = true
			}
		}
	}
	if len(fresh) == 0 {
		return out
	}
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Format != signInLog && c.Format != "m365.ual" || c.Standing != logs.AnyStanding || c.Channel != "m365" {
			continue
		}
		for _, n := range names(c) {
			if wanted[n] {
				signedIn.add(n, a.store.Visits(i))
			}
		}
	}
	signedIn.join()
	for _, i := range fresh {
		c := &a.contexts[i]
		named := names(c)
		for _, v := range a.store.Visits(int(i)) {
			since := v.From - int64(tokenBefore)
			if v.From == event.UnknownTime || since < began {
				continue
			}
			if !slices.ContainsFunc(named, func(n string) bool {
				began := since
				if strings.HasPrefix(n, "session") {
					began = always // however long ago
				}
				return signedIn.between(n, began, v.To)
			}) && cover.presence("m365", a.who.key(c.Account), since, v.To).covered() {
				out = append(out, suspicion{i, v.From, fmt.Sprintf("application %s had not read in the mailbox in the %d days before, and the logs of sign-ins, which are complete, have none that its token is from: it may be forged (UNMATCHED_TOKEN)", c.App, baseline)})
			}
		}
	}
	return out
}

// unissued finds sign-ins by a token of AD FS that AD FS did not make. Where more than a tenth are so, its logs are not complete, whatever they
// look like: then nothing is concluded.
func (a *attributing) unissued(cover *coverage, federated []signIn, out []suspicion) []suspicion {
	if len(federated) == 0 || cover == nil {
		return out
	}
	issued := newWhenSeen[string]() // by the local part of the account
	var hosts []string
	for i := range a.contexts {
		c := &a.contexts[i]
		if c.Channel != "adfs" {
			continue
		}
		if !slices.Contains(hosts, c.Host) && len(hosts) < 100 {
			hosts = append(hosts, c.Host)
		}
		issued.add(localPart(c.Account), a.store.Visits(i))
	}
	issued.join()
	if len(hosts) == 0 {
		return out
	}
	slack := int64(federatedSlack)
	asked := 0
	var none []signIn
	for _, x := range federated {
		if slices.ContainsFunc(hosts, func(h string) bool { return !cover.presenceAt(h, "windows", "", x.at-slack, x.at+slack).covered() }) {
			continue
		}
		asked++
		if !issued.between(localPart(a.contexts[x.context].Account), x.at-slack, x.at+slack) {
			none = append(none, x)
		}
	}
	if len(none) == 0 {
		return out
	}
	if 10*len(none) > asked {
		a.notes = append(a.notes, fmt.Sprintf("AD FS: its logs lack %d of the %d sign-ins by its tokens: they do not seem to be all there is, and it is not concluded that tokens were forged", len(none), asked))
		return out
	}
	for _, x := range none {
		out = append(out, suspicion{x.context, x.at, "it signed in by a token of AD FS, whose log is complete and has none for it: the token may be forged (FORGED_SAML)"})
	}
	return out
}
