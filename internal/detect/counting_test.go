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
	findings, err := CountFindings(counts, func(int) bool { return false })
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
	f("no address in the log", many(50, 1, "", one), unplacedGuessing.Title)
	f("no address in the log, and many accounts", many(50, 1, "", each), "")
	three := func(i int) string { return fmt.Sprintf("user%d", i%3) }
	f("two tries an hour for two days", many(90, 1800, "203.0.113.9", three), slowGuessing.Title)
	f("a forgotten telephone", many(90, 1800, "203.0.113.9", one), "")
	f("another account every hour", many(12, 3600, "203.0.113.9", each), slowGuessing.Title)
	var shared []attempt
	for _, a := range many(90, 1800, "203.0.113.9", three) {
		a.ok = a.second%7 != 0
		shared = append(shared, a)
	}
	f("the same of a gateway", append(shared, many(12, 3600, "203.0.113.9", each)...), "")
	f("a guess that was right in the end", append(many(90, 1800, "203.0.113.9", three), attempt{270_000, "203.0.113.9", "user1", true}),
		guessed.Title+"; "+slowGuessing.Title)
}

// Attempts of which the log does not say how they ended are counted apart from those that failed.
func TestCountingOfTheUnknown(t *testing.T) {
	f := func(name string, n, every int, want int) {
		t.Helper()
		counts := NewCounts(t.TempDir())
		defer counts.Close()
		c := counts.Counter()
		for i := range n {
			c.LoginTried([]byte("203.0.113.9"), nil, "web", 1, 0, Position{Time: int64(100_000+i*every) * 1e9})
		}
		c.Flush()
		findings, err := CountFindings(counts, func(int) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		if len(findings) != want {
			t.Errorf("%s: %d findings, want %d", name, len(findings), want)
		}
		for _, f := range findings {
			if f.Rule != &loginsTried || f.Client != "203.0.113.9" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	f("somebody who writes from a telephone", 30, 60, 0)
	f("one a minute", 50, 60, 1)
	f("one an hour", 100, 3600, 1)
	f("three a day", 100, 8*3600, 0)
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
	var last RequestCount
	err := counts.EachRequest(func(c *RequestCount) error {
		if n > 0 && compareRequests(&last, c) >= 0 {
			return fmt.Errorf("%v after %v", c, last)
		}
		last = *c
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
	f(ByClient, LoginOK, "", "", "web", 0, -5)
	if a, b := appendKey(nil, ByClient, LoginOK, []byte("a"), nil, "", 0, -1), appendKey(nil, ByClient, LoginOK, []byte("a"), nil, "", 0, 1); bytes.Compare(a, b) >= 0 {
		t.Error("minutes before 1970 do not sort before those after")
	}
}

func TestClientKey(t *testing.T) {
	f := func(client, want string) {
		t.Helper()
		if got := keyOfClient([]byte(client)).String(); got != want {
			t.Errorf("%q comes back as %q, want %q", client, got, want)
		}
	}
	f("203.0.113.9", "203.0.113.9")
	f("255.255.255.255", "255.255.255.255")
	f("2001:db8::1", "2001:db8::1")
	f("::ffff:203.0.113.9", "203.0.113.9")
	f("fe80::1%eth0", "fe80::1")
	f("256.0.0.1", keyOfClient([]byte("256.0.0.1")).String())
	f("1.2.3", keyOfClient([]byte("1.2.3")).String())
	if k := keyOfClient([]byte("crawler.example.net")); k.hi != namePrefix || k == keyOfClient([]byte("crawler.example.org")) {
		t.Error("names are not told from addresses, or from one another")
	}
}

func TestCountingARequestDoesNotAllocate(t *testing.T) {
	counts := NewCounts(t.TempDir())
	defer counts.Close()
	c := counts.Counter()
	client := []byte("203.0.113.9")
	c.Request(client, 0, Position{})
	i := int64(0)
	if n := testing.AllocsPerRun(1000, func() { i += 60e9; c.Request(client, 0, Position{Time: i}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The fast order of counts is the order of counts.
func TestPackedOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fast requestTable
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			client := fmt.Sprintf("%d.51.100.%d", rapid.SampledFrom([]int{0, 1, 127, 128, 255}).Draw(t, "a"), rapid.IntRange(0, 3).Draw(t, "b"))
			at := rapid.Int64Range(-5, 5).Draw(t, "minute")*60e9 + 1_700_000_000e9
			fast.add([]byte(client), 3, Position{Time: at})
		}
		if !fast.packed() {
			t.Fatal("not packed")
		}
		for i := 1; i < len(fast.order); i++ {
			if compareRequests(&fast.list[fast.order[i-1]], &fast.list[fast.order[i]]) >= 0 {
				t.Fatalf("%+v before %+v", fast.list[fast.order[i-1]], fast.list[fast.order[i]])
			}
		}
		fast.add([]byte("2001:db8::1"), 3, Position{})
		if fast.packed() {
			t.Fatal("IPv6 is packed")
		}
	})
}

// A log of a server that looks names up names its flooders.
func TestFloodOfNames(t *testing.T) {
	counts := NewCounts(t.TempDir())
	defer counts.Close()
	c := counts.Counter()
	for range floodPerClient {
		c.Request([]byte("crawler.example.net"), 0, Position{Time: 1})
	}
	c.Flush()
	findings, err := CountFindings(counts, func(int) bool { return false })
	if err != nil || len(findings) != 1 || findings[0].Client != "crawler.example.net" {
		t.Errorf("%+v, %v", findings, err)
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
	findings, err := CountFindings(counts, func(int) bool { return false })
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
