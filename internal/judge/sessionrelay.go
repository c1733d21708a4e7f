package judge

import (
	"fmt"
	"maps"
	"slices"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// throughRelay is an account whose password somebody may have guessed through a server that reads mail for many: the mail server
// saw that server's address only, which is in the baseline of those who use it.
type throughRelay struct {
	account string // as people.key writes it
	since   int64  // the first of the failures that make it guessing
	why     string
}

// guessedThroughRelays finds them, in order: accounts that failed often enough from the address of a relay, for which it succeeded
// then or within guessLasts, or may have as the logs do not show all of that time. Not where the web mail's own list of logins covers
// it, which names the true address of each failure. cover is nil where nobody asks it.
func (a *attributing) guessedThroughRelays(cover *coverage) []throughRelay {
	var out []throughRelay
	for _, ip := range slices.Sorted(maps.Keys(a.guessers)) {
		g := a.guessers[ip]
		if len(g.often) == 0 || !a.relay(ip) {
			continue
		}
		succeeded := make(map[string]bool)
		for i := a.ips.of(ip); i >= 0; i = a.ips.next[i] {
			c := &a.contexts[i]
			k := a.who.key(c.Account)
			o, ok := g.often[k]
			if !ok || !readsMail(c.Channel) && !opensFiles(c) {
				continue
			}
			by := max(g.doubt, a.in.skew(int(i)))
			succeeded[k] = succeeded[k] || slices.ContainsFunc(a.store.Visits(int(i)), func(v tally.Visit) bool {
				return v.From == event.UnknownTime || v.To >= sum(o.From, -by) && v.From <= sum(o.To, guessLasts+by)
			})
		}
		for _, k := range slices.Sorted(maps.Keys(g.often)) {
			o := g.often[k]
			from, to := sum(o.From, -g.doubt), min(sum(o.To, guessLasts+g.doubt), orNever(a.in.To))
			if a.front.tell(ip, from, to) || cover != nil && cover.presence("webmail", k, from, to).covered() || !succeeded[k] && (cover == nil || cover.presence(o.channel, k, from, to).covered()) {
				continue
			}
			if onTheWeb(o.channel) {
				out = append(out, throughRelay{account: k, since: o.From,
					why: fmt.Sprintf("%s, through which many come, failed %s to log in to the account, first at %s: somebody behind it may have guessed its password", ip, count(o.times, "time"), inTime(o.From))})
				continue
			}
			out = append(out, throughRelay{account: k, since: o.From,
				why: fmt.Sprintf("%s, a server through which many read mail, failed %s to log in to the account, first at %s: somebody may have guessed its password through web mail", ip, count(o.times, "time"), inTime(o.From))})
		}
	}
	return out
}

// relay reports whether mail may be read for others through what an address is of.
func (a *attributing) relay(ip string) bool {
	at := a.remote(ip)
	return !a.personal(ip) && !a.ownClient(ip) && !at.provider && at.role&RoleNAT == 0
}

// readsMail reports whether a channel is one by which a web mail server reads mail.
func readsMail(channel string) bool { return channel == "imap" || channel == "pop3" }
