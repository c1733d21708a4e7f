package judge

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/tally"
)

// When an address counts as guessing (mail-forensics 2.3), and how long after that a success from it is a guess that hit.
const (
	sprayAccounts = 5
	sprayWindow   = int64(20 * time.Minute)
	guessTimes    = 20
	guessWindow   = int64(24 * time.Hour)
	guessLasts    = int64(7 * 24 * time.Hour)
	allHosts      = "*"
	allNames      = "\x00*"
)

// guess is what an address tried.
type guess struct {
	first, last int64 // of the failures, from the first that made it guessing on
	began       int64 // the very first failure
	accounts    int   // different ones, in all
	times       int64
	spray       bool
	certain     int64            // first of those that make it guessing by themselves: in the log of one host, of one account or sprayed
	apart       int64            // first by the logs of several hosts together, which may tell of the same failures
	mixed       int64            // first of several names together, which may be those of one person
	tried       map[string]bool  // accounts, where somebody got in from the address; otherwise nil
	often       map[string]often // by account: those whose failures alone make it guessing, by ways in of which web mail makes use
	proof       tally.Ref
	host        string // of the log that tells of it; of several the first
	doubt       int64  // by how much the times may be off: the clock of its log is
}

// often are failures of one account that alone make an address one that guessed.
type often struct {
	tally.Span
	channel string
	times   int64 // the most within guessWindow
}

// guesses finds the addresses that guessed. Those from which nobody ever got in are left out unless they are asked for.
func guesses(in *Input, who *people, wanted func(ip string) bool) (map[string]*guess, error) {
	out := make(map[string]*guess)
	err := in.eachGuesser(func(group []*tally.Try) {
		if wanted(group[0].IP) {
			if g := judgeTries(group, who); g != nil {
				g.host = group[0].Host
				for _, t := range group {
					g.doubt = max(g.doubt, in.skewOf(t.Host, t.Format))
				}
				out[group[0].IP] = g
			}
		}
	})
	return out, err
}

// eachGuesser calls f with the failed logins of each address that may be part of guessing, in order of time: at least one, which are f's
// until it returns.
func (in *Input) eachGuesser(f func([]*tally.Try)) error {
	failed, err := in.attempts()
	if err != nil {
		return err
	}
	var group []*tally.Try
	for t, err := range failed.tellingOf(in.Store) {
		if err != nil {
			return err
		}
		if len(group) > 0 && group[0].IP != t.IP {
			f(group)
			group = group[:0]
		}
		group = append(group, t)
	}
	if len(group) > 0 {
		f(group)
	}
	return nil
}

// judgeTries tells whether the tries of one address, in order of time, are guessing: nil if not.
func judgeTries(tries []*tally.Try, who *people) *guess {
	g := &guess{tried: make(map[string]bool), began: tries[0].From, proof: tries[0].First}
	type logged struct{ account, host, format string }
	runs := make(map[logged][]*tally.Try)
	g.certain, g.apart, g.mixed = math.MaxInt64, math.MaxInt64, math.MaxInt64
	inWindow := make(map[string]int)
	start := 0
	keys := make([]string, len(tries))
	for i, t := range tries {
		keys[i] = who.key(t.Account)
		g.last = max(g.last, t.To)
		g.times += t.Times
		g.tried[keys[i]] = true
		inWindow[keys[i]]++
		for tries[start].From < t.From-sprayWindow {
			if inWindow[keys[start]]--; inWindow[keys[start]] == 0 {
				delete(inWindow, keys[start])
			}
			start++
		}
		if len(inWindow) >= sprayAccounts {
			g.spray = true
			g.certain = min(g.certain, tries[start].From)
		}
		// The same failure may stand in several logs. Those of one kind on several hosts are of a balancer, which gives every request to one of them, or
		// of a proxy, which passes them on.
		for _, k := range [...]logged{{keys[i], t.Host, t.Format}, {keys[i], allHosts, t.Format}, {allNames, t.Host, t.Format}} {
			run := append(runs[k], t)
			for run[0].From < t.From-guessWindow {
				run = run[1:]
			}
			runs[k] = run
			n := timesIn(run)
			if n < guessTimes {
				continue
			}
			if k.account == keys[i] && (readsMail(t.Channel) || onTheWeb(t.Channel)) {
				o, ok := g.often[keys[i]]
				if !ok {
					o = often{Span: tally.Span{From: run[0].From, To: t.To}, channel: t.Channel}
				}
				o.From, o.To, o.times = min(o.From, run[0].From), max(o.To, t.To), max(o.times, n)
				if g.often == nil {
					g.often = make(map[string]often)
				}
				g.often[keys[i]] = o
			}
			switch at := run[0].From; {
			case k.account == allNames:
				g.mixed = min(g.mixed, at)
			case k.host == allHosts:
				g.apart = min(g.apart, at)
			default:
				g.certain = min(g.certain, at)
			}
		}
	}
	g.accounts = len(g.tried)
	if g.first = min(g.certain, g.apart, g.mixed); g.first == math.MaxInt64 {
		return nil
	}
	return g
}

// timesIn returns how many failures a window holds.
func timesIn(run []*tally.Try) (times int64) {
	for _, r := range run {
		if long := r.To - r.From; long > guessWindow {
			times += r.Times / (long/guessWindow + 1)
		} else {
			times += r.Times
		}
	}
	return times
}

// triedAt is an account that was guessed at without a success that a log shows.
type triedAt struct {
	account  string // as people.key writes it
	channel  string
	first    tally.Try
	times    int64
	guessing bool // by an address that guessed; otherwise by one that is an attacker's
}

// tried lists the accounts at which addresses guessed, or failed that hostile names, per channel, in order. Addresses that
// counts does not let count are left out.
func tried(in *Input, who *people, hostile, counts func(ip string) bool) ([]triedAt, error) {
	type key struct{ account, channel string }
	found := make(map[key]*triedAt)
	err := in.eachGuesser(func(group []*tally.Try) {
		bad := hostile(group[0].IP)
		guessing := !bad && counts(group[0].IP) && judgeTries(group, who) != nil
		if bad || guessing {
			for _, t := range group {
				k := key{who.key(t.Account), t.Channel}
				x := found[k]
				if x == nil {
					x = &triedAt{account: k.account, channel: k.channel, first: *t, guessing: guessing}
					found[k] = x
				}
				x.times += t.Times
				x.guessing = x.guessing && guessing
				if cmp.Or(cmp.Compare(t.From, x.first.From), cmp.Compare(t.IP, x.first.IP)) < 0 {
					x.first = *t
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := make([]triedAt, 0, len(found))
	for _, x := range found {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b triedAt) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.channel, b.channel))
	})
	return out, nil
}
