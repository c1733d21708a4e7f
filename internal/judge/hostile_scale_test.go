package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// hostileScenes are cases in which an attacker did the same thing many times.
var hostileScenes = []struct {
	name string
	play func(s *scene, n int)
}{
	{"open sessions", func(s *scene, n int) { // logins of many accounts from one address, of which no log tells the end
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		for i := range n {
			s.login("00:00", fmt.Sprintf("person%d@example.org", i%1000), "203.0.113.9", bySession(fmt.Sprint("S", i)), spaced(i, n))
		}
	}},
	{"web mail", func(s *scene, n int) { // an attacker in web mail that names nobody, and what its server opened
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		for i := range n / 2 {
			s.access(logs.MessageShown, "00:00", "", "203.0.113.9", over("webmail"), from("web", "web.combined"), of("message", "INBOX/1"), inside(""), spaced(i, n/2))
			s.login("00:00", fmt.Sprintf("person%d@example.org", i%10), "10.0.0.5", spaced(i, n/2))
		}
	}},
	{"tokens", func(s *scene, n int) { // a server that can make tokens, and reading that no sign-in precedes
		s.access(logs.ShellUsed, "00:00", "", "203.0.113.9", from("ex1", "iis"), over("web"), of("file", "/aspnet_client/a.aspx"), inside("ex1"), spaced(0, n))
		s.stream("ex1", "exchange.httpproxy.owa", "03-01 00:00", "03-31 00:00")
		s.facts.Hybrid = &HybridFact{Shared: true, Proof: "asked"}
		for i := range n {
			account := fmt.Sprintf("person%d@example.org", i%10)
			if i%2 == 0 {
				s.login("00:00", account, fmt.Sprintf("203.0.113.%d", i%10), from("", "entra.signin"), over("m365"), spaced(i, n))
			} else {
				s.bind("00:00", account, fmt.Sprintf("203.0.113.%d", i%10), []string{"<m@x>"}, byApp("00000002-0000-0ff1-ce00-000000000000"), spaced(i, n))
			}
		}
	}},
	{"exploits", func(s *scene, n int) { // one address that uses web shells all the time
		for i := range n {
			s.access(logs.ShellUsed, "00:00", "", "203.0.113.9", from("ex1", "iis"), over("web"), of("file", fmt.Sprint("/aspnet_client/", i%100, ".aspx")), inside("ex1"), doing("cmd"), spaced(i, n))
		}
	}},
	{"answers", func(s *scene, n int) { // files fetched, and scripts that handed something out to as many addresses
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.inventory = &Inventory{}
		for i := range n {
			s.store.AddAnswer(fmt.Sprintf("198.51.%d.%d", i/250%250, i%250), tally.Ref{Time: clockOf("03-31 00:00") - int64(n-i)*int64(time.Hour), Line: int64(i)}, event.Answer{Kind: event.OpaqueAnswer, Bytes: 5000})
			s.access(logs.HTTPBody, "00:00", "person@example.org", "203.0.113.9", from("web", "web.combined"), over("dav"), of("file", fmt.Sprint("/f", i%1000)), inside("web"), spaced(i, n))
			s.access(logs.HTTPBody, "00:00", "", fmt.Sprintf("192.0.2.%d", i%250), from("web", "web.combined"), over("web"), of("file", fmt.Sprint("/f", i%1000)), inside("web"), spaced(i, n))
		}
		for i := range 1000 {
			s.inventory.Files = append(s.inventory.Files, StoredFile{Path: fmt.Sprint("/g", i), Size: 1000})
		}
	}},
}

// spaced sets the time of observation i of n: an hour after the one before it, so that each is a visit of its own.
func spaced(i, n int) with {
	return func(s *sighting) { s.at.Ref.Time = clockOf("03-31 00:00") - int64(n-i)*int64(time.Hour) }
}

// BenchmarkHostile judges cases of 100,000 visits, and of a tenth of them: ten times as many should take about ten times as long.
func BenchmarkHostile(b *testing.B) {
	for _, x := range hostileScenes {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", x.name, n), func(b *testing.B) {
				s := &scene{}
				x.play(s, n)
				in := s.input()
				in.From = event.UnknownTime
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Judge(in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
