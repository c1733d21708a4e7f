package detect

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// attempt is a login at a second, from an address, for an account.
type attempt struct {
	second  int
	client  string
	account string
	ok      bool
}

// found counts the attempts, spread over counters as they come, and returns what was found, one line a finding.
func found(t interface{ Fatal(...any) }, counters int, attempts []attempt) []string {
	counts := NewCounts("")
	defer counts.Close()
	var list []*Counter
	for range counters {
		list = append(list, counts.Counter())
	}
	for i, a := range attempts {
		at := Position{Time: int64(a.second) * 1e9, Offset: int64(a.second), Line: int64(a.second)}
		list[i%counters].Login(a.ok, []byte(a.client), []byte(a.account), "imap", 1, 0, at)
	}
	for _, c := range list {
		c.Flush()
	}
	findings, err := CountFindings(counts.Each, func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s|%s|%s|%d|%s", f.Rule.Title, f.Client, f.Account, f.Time/1e9, f.Event))
	}
	slices.Sort(out)
	return out
}

func many(n, every int, client string, account func(i int) string) []attempt {
	var out []attempt
	for i := range n {
		out = append(out, attempt{second: 100_000 + i*every, client: client, account: account(i)})
	}
	return out
}

func TestCounting(t *testing.T) {
	one := func(int) string { return "ana" }
	each := func(i int) string { return fmt.Sprintf("user%d", i) }
	titles := func(attempts ...attempt) string {
		var out []string
		for _, line := range found(t, 1, attempts) {
			title, _, _ := strings.Cut(line, "|")
			out = append(out, title)
		}
		return strings.Join(out, "; ")
	}
	f := func(name string, attempts []attempt, want string) {
		t.Helper()
		if got := titles(attempts...); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("a mistyped password", many(4, 10, "198.51.100.1", one), "")
	f("a stubborn client", many(5, 60, "198.51.100.1", one), repeatedFailures.Title)
	f("guessing", many(10, 20, "203.0.113.9", one), guessing.Title)
	f("the same over two hours", many(10, 720, "203.0.113.9", one), "")
	f("spraying", many(5, 200, "203.0.113.9", each), spraying.Title)
	f("four accounts are no spraying", many(4, 200, "203.0.113.9", each), "")
	f("a success after guessing", append(many(12, 5, "203.0.113.9", one), attempt{100_100, "203.0.113.9", "ana", true}), guessed.Title+"; "+guessing.Title)
	f("a success before guessing", append(many(12, 5, "203.0.113.9", one), attempt{99_000, "203.0.113.9", "ana", true}), guessing.Title)
	f("a success from elsewhere", append(many(12, 5, "203.0.113.9", one), attempt{100_100, "198.51.100.1", "ana", true}), guessing.Title)
	f("a success eight days later", append(many(12, 5, "203.0.113.9", one), attempt{100_100 + 8*86400, "203.0.113.9", "ana", true}), guessing.Title)
	gateway := many(12, 5, "198.51.100.1", each)
	for i := range 30 {
		gateway = append(gateway, attempt{100_000 + i, "198.51.100.1", each(i), true})
	}
	f("a gateway that many share", gateway, spraying.Title)
	var distributed []attempt
	for i := range 24 {
		distributed = append(distributed, attempt{100_000 + i*60, fmt.Sprintf("203.0.113.%d", i%6), "ana", false})
	}
	f("one account from many addresses", distributed, distributedGuessing.Title)
	f("no address in the log", many(50, 1, "", one), "")
}

// Whatever the order of events and the number of workers, the same is found.
func TestCountingDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var attempts []attempt
		for range rapid.IntRange(0, 200).Draw(t, "n") {
			attempts = append(attempts, attempt{
				second:  rapid.IntRange(0, 4000).Draw(t, "second"),
				client:  rapid.SampledFrom([]string{"203.0.113.1", "203.0.113.2", "198.51.100.1", ""}).Draw(t, "client"),
				account: rapid.SampledFrom([]string{"ana", "ANA", "bilal", "chiara", "dora", "emil", ""}).Draw(t, "account"),
				ok:      rapid.IntRange(0, 9).Draw(t, "ok") == 0,
			})
		}
		want := found(t, 1, attempts)
		shuffled := slices.Clone(attempts)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := found(t, 3, shuffled); !slices.Equal(got, want) {
			t.Fatalf("in another order:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestCountsSpillAndMerge(t *testing.T) {
	counts := NewCounts(t.TempDir())
	defer counts.Close()
	c := counts.Counter()
	const clients = maxCounts + 1000
	for round := range 3 {
		for i := range clients {
			c.Request(fmt.Appendf(nil, "198.51.%d.%d", i/256, i%256), 0, Position{Time: int64(round), Offset: int64(i)})
		}
	}
	c.Flush()
	n, total := 0, int64(0)
	last := ""
	err := counts.Each(func(c Count) error {
		if c.Client <= last && last != "" {
			return fmt.Errorf("%q after %q", c.Client, last)
		}
		last = c.Client
		if c.N != 3 || c.First.Time != 0 {
			return fmt.Errorf("%+v", c)
		}
		n++
		total += c.N
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != clients || total != 3*clients {
		t.Errorf("%d clients and %d requests, want %d and %d", n, total, clients, 3*clients)
	}
}

func TestCountKeyRoundTrip(t *testing.T) {
	f := func(by By, what What, client, account, channel string, source int, minute int64) {
		t.Helper()
		key := appendKey(nil, by, what, []byte(client), []byte(account), channel, source, minute)
		c := decodeCount(key, countValue{n: 1})
		want := Count{By: by, What: what, Client: client, Account: account, Channel: channel, Source: source, Minute: minute, N: 1}
		if c != want {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
	f(ByClient, LoginFailed, "203.0.113.9", "ana", "imap", 7, 26_000_000)
	f(ByAccount, LoginFailed, "2001:db8::1", "ana@example.org", "", 70_000, NoMinute)
	f(ByClient, Request, "", "", "web", 0, -5)
	if a, b := appendKey(nil, ByClient, Request, []byte("a"), nil, "", 0, -1), appendKey(nil, ByClient, Request, []byte("a"), nil, "", 0, 1); bytes.Compare(a, b) >= 0 {
		t.Error("minutes before 1970 do not sort before those after")
	}
}

func TestDistributedFlood(t *testing.T) {
	counts := NewCounts(t.TempDir())
	defer counts.Close()
	c := counts.Counter()
	for m := range 30 {
		for i := range 40 {
			c.Request(fmt.Appendf(nil, "198.51.100.%d", i), 0, Position{Time: int64(m) * 60e9, Offset: int64(m*100 + i)})
		}
	}
	for i := range 120 {
		for range 45 {
			c.Request(fmt.Appendf(nil, "203.0.113.%d", i), 0, Position{Time: 20*60e9 + 5e9, Offset: 2050})
		}
	}
	c.Flush()
	findings, err := CountFindings(counts.Each, func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 || findings[0].Rule.ID != distributedFlood.ID {
		t.Fatalf("found %v", findings)
	}
	if s := string(findings[0].Event); strings.Count(s, "203.0.113.") != 120 || strings.Contains(s, "198.51.100.") {
		t.Errorf("the addresses of the flood are not those it names: %.200s", s)
	}
	if findings[0].Time != 20*60e9 {
		t.Errorf("dated %d", findings[0].Time)
	}
}
