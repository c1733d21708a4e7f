package judge

import (
	"iter"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// attempts is what is asked of failed logins more than once: there may be millions, and reading them takes a while.
type attempts struct {
	accounts []string // different ones, in the order in which they come
	ips      []string // different ones
	logs     map[attemptLog]bool
	telling  []tally.Try // those that may be guessing, in order; unless there are too many
	tooMany  bool
}

type attemptLog struct{ format, host, channel string }

// maxTelling is how many failed logins are remembered; they take 144 bytes each.
const maxTelling = 512 << 10

// attempts reads the failed logins the first time that it is called.
func (in *Input) attempts() (*attempts, error) {
	if in.failed != nil {
		return in.failed, nil
	}
	a := &attempts{logs: make(map[attemptLog]bool)}
	seen := make(map[string]bool)
	lastAccount, lastIP, lastLog := "", "", attemptLog{}
	for t, err := range in.Store.Tries() {
		if err != nil {
			return nil, err
		}
		if t.Account != lastAccount {
			if lastAccount = t.Account; !seen[lastAccount] {
				seen[lastAccount] = true
				a.accounts = append(a.accounts, lastAccount)
			}
		}
		if t.IP != lastIP { // they are in order of it
			lastIP = t.IP
			a.ips = append(a.ips, lastIP)
		}
		if l := (attemptLog{t.Format, t.Host, t.Channel}); l != lastLog {
			a.logs[l] = true
			lastLog = l
		}
		switch {
		case !telling(t) || a.tooMany:
		case len(a.telling) == maxTelling:
			a.telling, a.tooMany = nil, true
		default:
			a.telling = append(a.telling, *t)
		}
	}
	in.failed = a
	return a, nil
}

// telling reports whether a failed login may be part of guessing.
func telling(t *tally.Try) bool {
	return t.IP != "" && t.Account != "" && t.Account != "-" && t.From != event.UnknownTime
}

// tellingOf returns those failed logins of a store that may be part of guessing, in order. They are not to be changed.
func (a *attempts) tellingOf(store tally.Store) iter.Seq2[*tally.Try, error] {
	return func(yield func(*tally.Try, error) bool) {
		for i := range a.telling {
			if !yield(&a.telling[i], nil) {
				return
			}
		}
		if !a.tooMany {
			return
		}
		for t, err := range store.Tries() {
			if err != nil {
				yield(nil, err)
				return
			}
			if telling(t) {
				kept := *t
				if !yield(&kept, nil) {
					return
				}
			}
		}
	}
}
