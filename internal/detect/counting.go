package detect

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// The rules that count. docs/counting-rules.md states their thresholds.
var (
	repeatedFailures = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a01", Title: "Repeated Failed Logins from One Address", Level: Low,
		Tags: []string{"attack.credential-access", "attack.t1110.001"}}
	guessing = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a02", Title: "Password Guessing from One Address", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110.001"}}
	spraying = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a03", Title: "Password Spraying: One Address Tried Many Accounts", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110.003"}}
	slowGuessing = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a08", Title: "Slow Password Guessing from One Address", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110.001"}}
	unplacedGuessing = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a09", Title: "Password Guessing Against One Account from an Address That the Log Does Not Give", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110.001"}}
	loginsTried = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a10", Title: "Login Page Called Again and Again from One Address", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110"}}
	distributedGuessing = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a04", Title: "Password Guessing Against One Account from Many Addresses", Level: Medium,
		Tags: []string{"attack.credential-access", "attack.t1110.001"}}
	guessed = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a05", Title: "Login Succeeded from an Address That Had Been Guessing Passwords", Level: High,
		Tags: []string{"attack.credential-access", "attack.initial-access", "attack.t1110.001", "attack.t1078"}}
	requestFlood = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a06", Title: "Flood of Requests from One Address", Level: Low,
		Tags: []string{"attack.impact", "attack.t1498"}}
	distributedFlood = Rule{ID: "6f1b7d0e-6d0b-4a53-9f0e-2c6c9b2a1a07", Title: "Flood of Requests from Many Addresses at Once", Level: High,
		Tags: []string{"attack.impact", "attack.t1498"}}
)

// CountingRules returns the rules that count over time, for lists of what is looked for.
func CountingRules() []Rule {
	return []Rule{repeatedFailures, guessing, spraying, slowGuessing, distributedGuessing, unplacedGuessing, loginsTried, guessed, requestFlood, distributedFlood}
}

// The thresholds, per minute where nothing else is said.
const (
	repeatedInWindow    = 5  // failures, window minutes
	guessingInWindow    = 10 // failures, window minutes
	window              = 10
	sprayedAccounts     = 5 // accounts, sprayWindow minutes; the default of Microsoft Sentinel's SigninPasswordSpray
	sprayWindow         = 20
	slowWindow          = 7 * 24 * 60
	slowFailures        = 50 // failures, slowWindow minutes, of
	slowAccounts        = 3  // accounts: one that always fails is a forgotten device
	slowSprayed         = 10 // accounts, slowSprayWindow minutes
	slowSprayWindow     = 24 * 60
	slowGap             = 24 * 60 // minutes of quiet that end a slow episode
	triedInWindow       = 50      // attempts whose outcome is not known, triedWindow minutes
	triedWindow         = 60
	triedSlowly         = 100         // such attempts, slowWindow minutes
	guessedWithin       = 7 * 24 * 60 // minutes from guessing to the login that succeeded
	distributedClients  = 5           // addresses, and
	distributedFailures = 20          // failures, distributedWindow minutes
	distributedWindow   = 60
	episodeGap          = 60  // minutes of quiet that end an episode
	floodPerClient      = 600 // requests of one address
	heavyClient         = 30  // requests of one address that takes part in a distributed flood
	heavyClients        = 50  // such addresses
	floodTimesUsual     = 5   // how many times the median minute of that log
	maxListed           = 1000
)

// CountFindings returns what the counts show, in no particular order. skip tells which sources are not to be counted.
// Whatever the order in which the events were read, it returns the same.
func CountFindings(counts *Counts, skip func(source int) bool) ([]Finding, error) {
	var out []Finding
	var run []Count
	flush := func() {
		if len(run) == 0 {
			return
		}
		switch {
		case run[0].By == ByAccount:
			out = againstAccount(out, run)
		case run[0].Client != "":
			out = fromClient(out, run)
		}
		run = run[:0]
	}
	err := counts.Each(func(c Count) error {
		if skip(c.Source) {
			return nil
		}
		if len(run) > 0 && (run[0].By != c.By || group(run[0]) != group(c)) {
			flush()
		}
		run = append(run, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	flush()
	return floods(out, counts, skip)
}

func group(c Count) string {
	if c.By == ByAccount {
		return c.Account
	}
	return c.Client
}

// fromClient judges all that came from one address. counts are of that address.
func fromClient(out []Finding, counts []Count) []Finding {
	var failed, ok, tried []Count
	for _, c := range counts {
		switch c.What {
		case LoginFailed:
			failed = append(failed, c)
		case LoginOK:
			ok = append(ok, c)
		case LoginTried:
			tried = append(tried, c)
		}
	}
	byMinute(failed)
	byMinute(ok)
	byMinute(tried)
	var guesses []episode
	for _, e := range episodes(failed, episodeGap) {
		most, mostAccounts := e.most(window), e.mostAccounts(sprayWindow)
		var rule *Rule
		switch {
		case mostAccounts >= sprayedAccounts:
			rule = &spraying
		case most >= guessingInWindow:
			rule = &guessing
		case most >= repeatedInWindow:
			rule = &repeatedFailures
		default:
			continue
		}
		if rule != &repeatedFailures {
			guesses = append(guesses, e)
		}
		out = append(out, e.finding(rule, "failed_logins"))
	}
	out, guesses = slowly(out, guesses, failed, ok)
	for _, e := range episodes(tried, slowGap) {
		if e.most(triedWindow) >= triedInWindow || e.most(slowWindow) >= triedSlowly {
			out = append(out, e.finding(&loginsTried, "attempts"))
		}
	}
	return afterGuessing(out, guesses, ok)
}

// slowly finds guessing with pauses that are too long for an episode, where there was no faster one. An address from
// which more logins succeed than fail is shared.
func slowly(out []Finding, guesses []episode, failed, ok []Count) ([]Finding, []episode) {
	if sum(ok) > sum(failed) {
		return out, guesses
	}
	fast := guesses
	for _, e := range episodes(failed, slowGap) {
		if slices.ContainsFunc(fast, func(g episode) bool {
			return g.last() >= e.counts[0].Minute && g.counts[0].Minute <= e.last()
		}) {
			continue
		}
		n := len(e.accounts())
		if e.mostAccounts(slowSprayWindow) >= slowSprayed || e.most(slowWindow) >= slowFailures && (n == 0 || n >= slowAccounts) {
			guesses = append(guesses, e)
			out = append(out, e.finding(&slowGuessing, "failed_logins"))
		}
	}
	return out, guesses
}

func sum(counts []Count) int64 {
	var n int64
	for _, c := range counts {
		n += c.N
	}
	return n
}

// afterGuessing finds logins that succeeded from an address that had been guessing. An address from which more logins
// succeed than fail is shared (a gateway, a webmail host), and its successes say nothing.
func afterGuessing(out []Finding, guesses []episode, ok []Count) []Finding {
	if len(guesses) == 0 {
		return out
	}
	var failures int64
	for _, g := range guesses {
		failures += g.n
	}
	if sum(ok) > failures {
		return out
	}
	type login struct{ account, channel string }
	seen := make(map[login]bool)
	for _, c := range ok {
		for _, g := range guesses {
			since := c.Minute - g.counts[0].Minute
			if since < 0 || c.Minute-g.last() > guessedWithin || c.First.Time < g.counts[0].First.Time {
				continue
			}
			if l := (login{c.Account, c.Channel}); !seen[l] {
				seen[l] = true
				e := episode{counts: []Count{c}, n: c.N}
				f := e.finding(&guessed, "logins")
				f.Event = appendGuessed(c, g)
				out = append(out, f)
			}
			break
		}
	}
	return out
}

func appendGuessed(c Count, g episode) []byte {
	b := append([]byte(nil), `{"client":`...)
	b = event.AppendString(b, c.Client)
	b = append(b, `,"account":`...)
	b = event.AppendString(b, c.Account)
	b = append(b, `,"channel":`...)
	b = event.AppendString(b, c.Channel)
	return fmt.Appendf(b, `,"failed_logins_before":%d,"accounts_tried":%d}`, g.n, len(g.accounts()))
}

// againstAccount judges the failed logins of one account.
func againstAccount(out []Finding, counts []Count) []Finding {
	byMinute(counts)
	for _, e := range episodes(counts, episodeGap) {
		if clients, n := e.mostClients(distributedWindow); clients >= distributedClients && n >= distributedFailures {
			out = append(out, e.finding(&distributedGuessing, "failed_logins"))
		}
	}
	unplaced := slices.DeleteFunc(counts, func(c Count) bool { return c.Client != "" })
	for _, e := range episodes(unplaced, episodeGap) {
		if e.most(window) >= guessingInWindow {
			out = append(out, e.finding(&unplacedGuessing, "failed_logins"))
		}
	}
	return out
}

func byMinute(counts []Count) {
	sort.SliceStable(counts, func(i, j int) bool { return counts[i].Minute < counts[j].Minute })
}

// episode is a run of counts of one address or account without a long pause. Counts without a time are an episode of
// their own.
type episode struct {
	counts []Count
	n      int64
}

// episodes divides counts, which come in order of time, where nothing happened for more than gap minutes.
func episodes(counts []Count, gap int64) []episode {
	var out []episode
	for i, c := range counts {
		if i == 0 || c.Minute-gap > counts[i-1].Minute || counts[i-1].Minute == NoMinute && c.Minute != NoMinute {
			out = append(out, episode{})
		}
		e := &out[len(out)-1]
		e.counts = append(e.counts, c)
		e.n += c.N
	}
	return out
}

func (e episode) last() int64 { return e.counts[len(e.counts)-1].Minute }

// most returns the largest number within so many minutes.
func (e episode) most(minutes int64) int64 {
	var best, n int64
	for i, j := 0, 0; j < len(e.counts); j++ {
		n += e.counts[j].N
		for e.counts[j].Minute-e.counts[i].Minute >= minutes {
			n -= e.counts[i].N
			i++
		}
		best = max(best, n)
	}
	return best
}

// mostAccounts returns the largest number of accounts tried within so many minutes.
func (e episode) mostAccounts(minutes int64) int {
	n, _ := e.mostDistinct(minutes, func(c Count) string { return c.Account })
	return n
}

// mostClients returns the largest number of addresses within so many minutes, and how many failures they made.
func (e episode) mostClients(minutes int64) (clients int, failures int64) {
	return e.mostDistinct(minutes, func(c Count) string { return c.Client })
}

func (e episode) mostDistinct(minutes int64, of func(Count) string) (int, int64) {
	in := make(map[string]int)
	best, n, bestN := 0, int64(0), int64(0)
	for i, j := 0, 0; j < len(e.counts); j++ {
		if s := of(e.counts[j]); s != "" {
			in[s]++
		}
		n += e.counts[j].N
		for e.counts[j].Minute-e.counts[i].Minute >= minutes {
			s := of(e.counts[i])
			if in[s]--; in[s] <= 0 {
				delete(in, s)
			}
			n -= e.counts[i].N
			i++
		}
		if len(in) > best || len(in) == best && n > bestN {
			best, bestN = len(in), n
		}
	}
	return best, bestN
}

func (e episode) accounts() []string {
	return e.distinct(func(c Count) string { return c.Account })
}

func (e episode) distinct(of func(Count) string) []string {
	set := make(map[string]bool)
	for _, c := range e.counts {
		if s := of(c); s != "" {
			set[s] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// finding describes the episode. It is dated by its earliest event.
func (e episode) finding(rule *Rule, counted string) Finding {
	first, last := e.counts[0], e.counts[0]
	for _, c := range e.counts {
		if c.First.Time < first.First.Time || c.First.Time == first.First.Time && (c.Source < first.Source || c.Source == first.Source && c.First.Offset < first.First.Offset) {
			first = c
		}
		if c.Minute > last.Minute {
			last = c
		}
	}
	accounts := e.accounts()
	clients := e.distinct(func(c Count) string { return c.Client })
	f := Finding{Rule: rule, Time: first.First.Time, Source: first.Source, Offset: first.First.Offset, Line: first.First.Line}
	if len(clients) == 1 {
		f.Client = clients[0]
	}
	if len(accounts) == 1 {
		f.Account = accounts[0]
	}
	b := fmt.Appendf(nil, `{"%s":%d`, counted, e.n)
	b = appendList(b, "clients", clients)
	b = appendList(b, "accounts", accounts)
	b = appendList(b, "channels", e.distinct(func(c Count) string { return c.Channel }))
	if last.Minute != NoMinute {
		b = append(b, `,"first":`...)
		b = appendTime(b, first.First.Time)
		b = append(b, `,"last_minute":`...)
		b = appendTime(b, last.Minute*60e9)
	}
	f.Event = append(b, '}')
	return f
}

func appendList(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = fmt.Appendf(b, `,"%s":[`, name)
	for i, s := range list[:min(len(list), maxListed)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = event.AppendString(b, s)
	}
	b = append(b, ']')
	if len(list) > maxListed {
		b = fmt.Appendf(b, `,"%s_in_all":%d`, name, len(list))
	}
	return b
}

func appendTime(b []byte, t int64) []byte {
	if t == event.UnknownTime {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = event.AppendTime(b, time.Unix(0, t))
	return append(b, '"')
}
