package judge

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// drawScene invents evidence of a few accounts, addresses, sessions and devices.
func drawScene(t *rapid.T) *scene {
	s := &scene{}
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
	accounts := []string{"Ana@example.org", `CORP\ana`, "bob", "eve", ""}
	ips := []string{"203.0.113.9", "203.0.113.50", "198.51.100.7", "2001:db8::1", "127.0.0.1", "2603:10a6::13", ""}
	if rapid.Bool().Draw(t, "facts name an address") {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
	}
	if rapid.Bool().Draw(t, "facts name a session") {
		s.facts.Attacker.Sessions = []string{"S1"}
	}
	if rapid.Bool().Draw(t, "facts name an account") {
		s.facts.Attacker.Accounts = []string{"ana"}
	}
	for i := range rapid.IntRange(1, 40).Draw(t, "records") {
		at := fmt.Sprintf("%02d-%02d %02d:%02d:%02d", rapid.IntRange(1, 3).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day"), i%24, rapid.IntRange(0, 59).Draw(t, "minute"), i)
		more := []with{bySession(pick("session", "", "S1", "S2", "S3")), byDevice(pick("device", "", "PHONE1", "PHONE2")), byAgent(pick("agent", "", chrome, "curl/8.1"))}
		account, ip := pick("account", accounts...), pick("ip", ips...)
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			s.fail(at, account, ip, more...)
		case 1:
			s.login(at, account, ip, more...)
		case 2:
			s.capability(logs.ShellWritten, logs.HostPower, at, account, ip, more...)
		case 3:
			s.capability(logs.ConsentGiven, logs.Grant, at, account, ip, append(more, byApp("some-app"))...)
		case 4:
			s.access(logs.MailboxRead, at, account, ip, append(more, from("", "m365.ual"), byApp("some-app"))...)
		default:
			s.access(logs.MailboxRead, at, account, ip, more...)
		}
	}
	s.stream("mx1", "dovecot", "01-01 00:00", "03-31 00:00")
	return s
}

type outcome struct {
	sessions     []casefile.Session
	capabilities []casefile.Capability
	notes        []string
}

func (s *scene) outcome(t rapid.TB) outcome {
	found, list := s.uncovered(t)
	for i := range s.store.Contexts() {
		for _, v := range s.store.Visits(i) {
			if x := found.of(i, v.From); x != nil && x.ID == "" {
				t.Fatal("a session without an identifier")
			}
		}
	}
	ids := make(map[string]bool)
	for i := range found.all {
		if ids[found.all[i].ID] {
			t.Fatalf("two sessions are called %s", found.all[i].ID)
		}
		ids[found.all[i].ID] = true
		if found.all[i].attribution >= suspected && len(found.all[i].Why) == 0 {
			t.Fatalf("nothing says why %s is %s", found.all[i].ID, found.all[i].attribution)
		}
	}
	return outcome{found.list(), listCapabilities(list), found.notes}
}

// again tells the same evidence in another order.
func (s *scene) again(order []int) *scene {
	other := &scene{facts: s.facts, incidents: s.incidents, inventory: s.inventory}
	for _, i := range order {
		x := s.seen[i]
		other.store.Add(x.at, &x.o)
		other.seen = append(other.seen, x)
	}
	other.stream("mx1", "dovecot", "01-01 00:00", "03-31 00:00")
	return other
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		order := make([]int, len(s.seen))
		for i := range order {
			order[i] = i
		}
		other := s.again(rapid.Permutation(order).Draw(t, "order"))
		if got, want := other.outcome(t), s.outcome(t); !reflect.DeepEqual(got, want) {
			t.Fatalf("another order:\n%v\nwant\n%v", got, want)
		}
	})
}

// More evidence does not take a record from the attacker, as long as it makes no baseline, shows no application at work
// before it was let in, and no session to come from several addresses: it may show that a session was taken from its owner, who is then suspected.
func TestMoreEvidenceDoesNotClear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		s.facts.Window.From = moment(clockOf("01-01 00:00"))
		var fewer []int
		for i := range s.seen {
			if s.seen[i].o.Inference == logs.ConsentGiven {
				s.seen[i].o.App = nil
			}
			if len(s.seen[i].o.IP) == 0 { // else it stands where its session came from, as long as that is one address
				s.seen[i].o.Session = nil
			}
			if !rapid.Bool().Draw(t, "left out") {
				fewer = append(fewer, i)
			}
		}
		s.login("02-01 00:00", "ana@example.org", "192.0.2.1") // both know the name
		fewer = append(fewer, len(s.seen)-1)
		all := make([]int, len(s.seen))
		for i := range all {
			all[i] = i
		}
		less := s.again(fewer)
		s = s.again(all)
		worst := func(s *scene) map[tally.Ref]attribution {
			found, _ := s.uncovered(t)
			out := make(map[tally.Ref]attribution)
			for i := range s.store.Contexts() {
				for act, err := range s.store.Acts(i) {
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range act.Refs {
						if x := found.of(i, r.Time); x != nil {
							out[r] = x.attribution
						}
					}
				}
			}
			return out
		}
		before, after := worst(less), worst(s)
		why := func(s *scene) string {
			var text string
			for _, x := range s.outcome(t).sessions {
				text += fmt.Sprintf("%s %s %v %v\n", x.Attribution, x.ID, x.IPs, x.Why)
			}
			return text
		}
		for r, level := range before {
			if level == ofAttacker && after[r] < suspected {
				t.Fatalf("the record of line %d was the attacker's, and is %s with more evidence:\n%s\nbefore\n%s", r.Line, after[r], why(s), why(less))
			}
		}
	})
}
