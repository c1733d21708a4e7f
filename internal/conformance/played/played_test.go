// Package played_test plays attacks with a known truth against servers whose logs are then partly lost, and holds the verdicts
// against the truth: nothing that the attacker got may be ruled out, nothing that he did not get may be confirmed, and the
// counts must enclose the truth. What is lost is lost in a way that shows: a file, a beginning, an end, or more silence than
// the log ever has. A single line taken out without a trace no program can miss.
package played_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang/langtest"
)

// kinds are the worlds.
var kinds = []struct {
	name string
	play func(*world)
}{
	{"dovecot", dovecot},
	{"m365", m365},
	{"exchange", exchange},
	{"files", files},
	{"shares", shares},
	{"webmail", webmail},
	{"people", people},
	{"cyrus", cyrus},
	{"courier", courier},
	{"events", events},
	{"farm", farm},
	{"scripts", scripts},
	{"sftp", sftp},
	{"host", host},
	{"director", director},
	{"nodes", nodes},
}

// TestNothingIsWronglyRuledOutOrConfirmed plays a few attacks of each kind; BARID_PLAYED=n plays n of them, BARID_PLAYED_FIRST is the
// number of the first. BARID_PLAYED_KEEP is a folder to which what was played is written; BARID_PLAYED_OPEN=1 tells of some that
// were not touched, with complete logs, and are possible.
func TestNothingIsWronglyRuledOutOrConfirmed(t *testing.T) {
	n, first := asked(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			var sum tightness
			for seed := first; seed < first+n; seed++ {
				w, c := play(t, k.play, uint64(seed))
				if n > 20 && seed%10 > 0 {
					// The sentences of some are enough: there are few kinds of them.
				} else if _, left := langtest.Unmatched(t, c); len(left) > 0 {
					t.Errorf("seed %d: sentences that a phrasebook does not have:\n%s", seed, strings.Join(left[:min(len(left), 6)], "\n"))
				}
				if bad := hold(w, c, &sum); len(bad) > 0 {
					t.Errorf("seed %d (lost: %s; files: %s):\n%s", seed, strings.Join(w.lost, "; "), strings.Join(w.mistreated, "; "), strings.Join(bad[:min(len(bad), 6)], "\n"))
					if sum.failed++; sum.failed > 5 {
						break
					}
				}
			}
			t.Log(k.name, &sum)
			if os.Getenv("BARID_PLAYED_OPEN") != "" {
				t.Log(strings.Join(sum.open, "\n"))
			}
		})
	}
}

// asked returns how many attacks are to be played, and the number of the first.
func asked(t *testing.T) (n, first int) {
	n, first = 4, 1
	for name, v := range map[string]*int{"BARID_PLAYED": &n, "BARID_PLAYED_FIRST": &first} {
		if s := os.Getenv(name); s != "" {
			var err error
			if *v, err = strconv.Atoi(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n, first
}

// played plays one attack, and loses some of the logs.
func played(do func(*world), seed uint64) *world {
	w := newWorld(seed)
	do(w)
	w.count()
	for range w.rng.IntN(3) {
		w.lose()
	}
	w.count()
	w.disorder()
	if w.after != nil {
		w.after()
	}
	return w
}

// play plays one attack and returns what Barid says of it.
func play(t *testing.T, do func(*world), seed uint64) (*world, *casefile.Case) {
	t.Helper()
	w := played(do, seed)
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	files := w.mistreat(w.evidence())
	w.write(t, dir, files)
	if keep := os.Getenv("BARID_PLAYED_KEEP"); keep != "" { // to look at it
		w.write(t, keep, files)
	}
	return w, assess(t, context.Background(), dir, 1)
}

// tightness says how much verdicts leave open.
type tightness struct {
	worlds, complete, closed int
	items, confirmed, possible, ruledOut,
	truth int
	width  float64 // sum over mailboxes of (upper - lower) / items
	boxes  int
	failed int
	open   []string // the first of those that are possible, in words
	// why counts the rules by which mailboxes and files are possible that were not touched, where the logs are complete; clean is how many those are.
	why                  map[string]int
	clean, cleanRuledOut int
}

func (s *tightness) String() string {
	var why []string
	for _, rule := range slices.SortedFunc(maps.Keys(s.why), func(a, b string) int { return s.why[b] - s.why[a] }) {
		why = append(why, fmt.Sprintf("%s %d", rule, s.why[rule]))
	}
	return fmt.Sprintf("%d worlds (%d with complete logs, of which %d have closed intervals); %d items: %d confirmed, %d possible, %d ruled out (%d reached in truth); the interval of a mailbox is %.0f%% of its items wide on average; of %d mailboxes and files that were not touched, with complete logs, %d are ruled out, the others possible by %s",
		s.worlds, s.complete, s.closed, s.items, s.confirmed, s.possible, s.ruledOut, s.truth, 100*s.width/float64(max(1, s.boxes)), s.clean, s.cleanRuledOut, strings.Join(why, ", "))
}

// hold compares a case with the truth.
func hold(w *world, c *casefile.Case, sum *tightness) (bad []string) {
	sum.worlds++
	all := map[string]item{}
	for _, b := range w.boxes {
		for _, m := range b.items {
			all[m.in+" "+m.id] = m
		}
	}
	inTruth := map[string]int64{}
	for _, m := range all {
		if w.truth[m] || w.part[m] {
			inTruth[m.in]++
		}
	}
	said := map[string]bool{}
	ruledOut := map[string]bool{} // mailboxes
	credentials := map[string]string{}
	if sum.why == nil {
		sum.why = map[string]int{}
	}
	closed := true
	for i := range c.Reached {
		r := &c.Reached[i]
		if len(w.lost)+len(w.mistreated) == 0 && w.untouched(r, all, inTruth) {
			if sum.clean++; r.Levels.Content == casefile.RuledOut {
				sum.cleanRuledOut++
			}
			if r.Levels.Content != casefile.RuledOut && len(sum.open) < 5 {
				sum.open = append(sum.open, fmt.Sprintf("seed %d: %s", w.seed, words(r)))
			}
			for _, y := range r.Why {
				if r.Levels.Content != casefile.RuledOut {
					sum.why[y.Rule]++
				}
			}
		}
		switch r.Object.Kind {
		case "message", "file":
			m, ok := all[r.Object.In+" "+r.Object.ID]
			if !ok {
				if r.Object.Kind == "file" && r.Object.In == "" {
					m, ok = find(all, r.Object.ID)
				}
				if r.Object.Kind == "file" && w.anywhere {
					m, ok = w.found(r.Object.ID)
				}
				if !ok {
					continue
				}
			}
			said[m.in+" "+m.id] = true
			sum.items++
			truth, part := w.truth[m], w.part[m]
			if truth {
				sum.truth++
			}
			if part && !truth && r.Levels.Partial == casefile.RuledOut {
				bad = append(bad, fmt.Sprintf("A PART WRONGLY RULED OUT: %s %s", r.Object.In, words(r)))
			}
			if !part && !truth && r.Levels.Partial == casefile.Confirmed {
				bad = append(bad, fmt.Sprintf("A PART WRONGLY CONFIRMED: %s %s", r.Object.In, words(r)))
			}
			switch r.Levels.Content {
			case casefile.RuledOut:
				sum.ruledOut++
				if truth {
					bad = append(bad, fmt.Sprintf("WRONGLY RULED OUT: %s %s", r.Object.In, words(r)))
				}
			case casefile.Confirmed:
				sum.confirmed++
				if !truth && !(part && w.opened) {
					bad = append(bad, fmt.Sprintf("WRONGLY CONFIRMED: %s %s", r.Object.In, words(r)))
				}
			case casefile.Possible:
				sum.possible++
				closed = closed && !isFile(m)
			}
			if r.Levels.Metadata == casefile.RuledOut && (w.seen[m] || truth || part) {
				bad = append(bad, fmt.Sprintf("METADATA WRONGLY RULED OUT: %s", words(r)))
			}
			if r.Levels.Metadata == casefile.Confirmed && !w.seen[m] && !truth && !part {
				bad = append(bad, fmt.Sprintf("METADATA WRONGLY CONFIRMED: %s", words(r)))
			}
		case "credential":
			credentials[r.Object.ID] = r.Verdict
		case "mailbox":
			if a, ok := w.names[r.Object.ID]; ok && w.box(r.Object.ID) == nil {
				// What was reached under another name of a mailbox's account is a part of what was reached.
				if n := inTruth[a]; n < r.Lower || r.Levels.Content == casefile.Confirmed && n == 0 {
					bad = append(bad, fmt.Sprintf("%d messages of %s were reached: not as many as %d: %s", n, a, r.Lower, words(r)))
				}
				continue
			}
			n := inTruth[r.Object.ID]
			if r.Levels.Content == casefile.RuledOut {
				ruledOut[r.Object.ID] = true
			}
			if n < r.Lower || r.Upper >= 0 && n > r.Upper {
				bad = append(bad, fmt.Sprintf("%d messages of %s were reached: not between %d and %d: %s", n, r.Object.ID, r.Lower, r.Upper, words(r)))
			}
			if r.Levels.Content == casefile.Confirmed && n == 0 {
				bad = append(bad, fmt.Sprintf("MAILBOX WRONGLY CONFIRMED: %s", words(r)))
			}
			if r.Upper != r.Lower && len(itemsOf(w, r.Object.ID)) > 0 && !isFile(w.boxes[0].items[0]) {
				closed = false
			}
			if items := len(itemsOf(w, r.Object.ID)); items > 0 && r.Upper >= 0 {
				sum.boxes++
				sum.width += float64(r.Upper-r.Lower) / float64(items)
			}
		}
	}
	for a := range w.used {
		if v := credentials[a]; v == casefile.RuledOut {
			bad = append(bad, "the attacker used the account "+a+", and its credential is ruled out")
		}
	}
	for a, v := range credentials {
		if strings.HasSuffix(a, "$") {
			continue // a server's own: what is done there, it does
		}
		if v == casefile.Confirmed && !w.used[a] && !w.used[w.names[a]] {
			bad = append(bad, "the credential of "+a+" is confirmed, and the attacker never had it")
		}
	}
	for key, m := range all {
		if said[key] || !w.truth[m] && !w.part[m] {
			continue
		}
		if ruledOut[m.in] || isFile(m) {
			bad = append(bad, fmt.Sprintf("nothing said of %s, which was reached", key))
		}
	}
	if len(w.lost) == 0 {
		sum.complete++
		if closed {
			sum.closed++
		}
		if w.exact && !closed {
			bad = append(bad, "the logs are complete and name every item, and an interval is open")
		}
	}
	return bad
}

// untouched reports whether an entry is of a mailbox, or where files are played of a file, of which the attacker got nothing.
func (w *world) untouched(r *casefile.Reached, all map[string]item, inTruth map[string]int64) bool {
	if !isFile(w.boxes[0].items[0]) {
		return r.Object.Kind == "mailbox" && w.box(r.Object.ID) != nil && inTruth[r.Object.ID] == 0
	}
	if r.Object.Kind != "file" {
		return false
	}
	m, ok := all[r.Object.In+" "+r.Object.ID]
	if !ok && r.Object.In == "" {
		m, ok = find(all, r.Object.ID)
	}
	return ok && !w.truth[m] && !w.part[m]
}

func find(all map[string]item, id string) (item, bool) {
	for key, m := range all {
		if strings.HasSuffix(key, " "+id) {
			return m, true
		}
	}
	return item{}, false
}

// box returns the mailbox of an account, nil for none.
func (w *world) box(account string) *box {
	for _, b := range w.boxes {
		if b.account == account {
			return b
		}
	}
	return nil
}

func itemsOf(w *world, account string) []item {
	for _, b := range w.boxes {
		if b.account == account {
			return b.items
		}
	}
	return nil
}

func words(r *casefile.Reached) string {
	var why []string
	for _, y := range r.Why {
		why = append(why, y.Rule+": "+y.Text)
	}
	return fmt.Sprintf("%s %s: %s %s (%d to %d): %s", r.Object.Kind, r.Object.ID, r.Verdict, r.Exposure, r.Lower, r.Upper, strings.Join(why, " | "))
}
