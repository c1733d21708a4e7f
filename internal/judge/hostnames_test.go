package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// servers is logs of front ends, of which each request is told by several.
type servers struct {
	store   tally.Memory
	sources []casefile.Source
	facts   Facts
	id      int
}

func (s *servers) log(path, host, format string) int {
	s.sources = append(s.sources, casefile.Source{Path: path, Host: host, Format: format})
	n := len(s.sources) - 1
	s.store.AddStream(tally.Stream{Source: int32(n), Host: host, Format: format, Events: 10, From: 0, To: int64(time.Hour)})
	return n
}

// requests adds so many, each of which all those logs have.
func (s *servers) requests(n int, logged ...int) {
	for range n {
		s.id++
		for _, i := range logged {
			s.store.AddJoint(tally.Place{Host: s.sources[i].Host, Format: s.sources[i].Format, Ref: tally.Ref{Source: int32(i), Time: int64(s.id) * 1e9}},
				logs.Joint{ID: [16]byte{byte(s.id), byte(s.id >> 8), 1}, Channel: "owa", Sure: true})
		}
	}
}

func (s *servers) names(t *testing.T) *HostNames {
	t.Helper()
	n, err := NewHostNames(&s.store, s.sources, &s.facts)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHostsWithSeveralNames(t *testing.T) {
	const ip, other = "10.1.0.5", "10.1.0.6"
	front := func(s *servers, dir, host string) int { return s.log(dir+"W3SVC1/u_ex210303.log", host, "iis.w3c") }
	proxy := func(s *servers, dir, host string) int {
		return s.log(dir+"HttpProxy/Owa/HttpProxy_2021030300-1.LOG", host, "exchange.httpproxy.owa")
	}
	f := func(name string, build func(s *servers), want string) {
		t.Helper()
		var s servers
		build(&s)
		n := s.names(t)
		var got []string
		for _, h := range []string{ip, other} {
			if to := n.Of(h); to != h {
				got = append(got, fmt.Sprintf("%s is %s", h, to))
			}
			if to := n.perhaps[h]; to != "" {
				got = append(got, fmt.Sprintf("%s may be %s", h, to))
			}
		}
		if got := strings.Join(append(got, n.notes...), "; "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("the same requests", func(s *servers) {
		s.requests(3, front(s, "", ip), proxy(s, "", "EX1"))
	}, "10.1.0.5 is EX1")
	f("too few of them", func(s *servers) {
		s.requests(2, front(s, "", ip), proxy(s, "", "EX1"))
	}, "")
	f("two servers behind one balancer", func(s *servers) {
		a, b := front(s, "EX1/", ip), front(s, "EX2/", other)
		s.requests(50, a, proxy(s, "EX1/", "EX1"))
		s.requests(50, b, proxy(s, "EX2/", "EX2"))
	}, "10.1.0.5 is EX1; 10.1.0.6 is EX2")
	f("an address that two servers have", func(s *servers) {
		a := front(s, "", ip)
		s.requests(50, a, proxy(s, "", "EX1"))
		s.requests(1, a, proxy(s, "", "EX2"))
	}, "")
	f("identifiers that two servers have", func(s *servers) {
		s.requests(50, front(s, "", ip), proxy(s, "", "EX1"), proxy(s, "", "EX2"))
	}, "")
	f("one server with two addresses", func(s *servers) {
		p := proxy(s, "", "EX1")
		s.requests(5, front(s, "", ip), p)
		s.requests(5, front(s, "", other), p)
	}, "10.1.0.5 is EX1; 10.1.0.6 is EX1")
	f("requests that logs of two addresses have", func(s *servers) {
		s.requests(5, front(s, "", ip), front(s, "", other), proxy(s, "", "EX1"))
	}, "")
	f("the back end of another server", func(s *servers) {
		s.requests(50, s.log("EX2/W3SVC2/u_ex210303.log", ip, "iis.w3c"), proxy(s, "EX1/", "EX1"))
	}, "")
	f("a name in full and its first part", func(s *servers) {
		a := front(s, "", ip)
		s.requests(5, a, proxy(s, "", "EX1"))
		s.requests(5, a, proxy(s, "", "ex1.corp.example"))
	}, "10.1.0.5 is EX1")
	f("an address that facts call shared", func(s *servers) {
		s.facts.Ours.NAT = []string{"10.1.0.0/24"}
		s.requests(50, front(s, "", ip), proxy(s, "", "EX1"))
	}, "")
	f("loopback", func(s *servers) {
		a := front(s, "", "127.0.0.1")
		s.requests(50, a, proxy(s, "", "EX1"))
	}, "")
	f("the same address in another network", func(s *servers) {
		s.log("EX2/Logging/ECP/Server/ECPServer20210303-1.LOG", "EX2", "exchange.ecp.server")
		front(s, "EX2/", ip)
		s.requests(50, front(s, "EX1/", ip), proxy(s, "EX1/", "EX1"))
	}, "")
	f("the folder only", func(s *servers) {
		front(s, "EX1/", ip)
		s.log("dc1/security.evtx", "EX1", "windows.security")
		s.log("EX1/ECPServer20210303-1.LOG", "EX1", "exchange.ecp.server")
	}, "10.1.0.5 may be EX1")
	f("facts", func(s *servers) {
		s.facts.Hosts = map[string][]string{"EX1": {"10.1.0.5", "mail.corp.example"}}
		front(s, "EX9/", ip)
		s.log("EX9/ECPServer20210303-1.LOG", "EX9", "exchange.ecp.server")
	}, "10.1.0.5 is EX1")
	f("facts against the logs", func(s *servers) {
		s.facts.Hosts = map[string][]string{"EX2": {"10.1.0.5"}}
		s.requests(50, front(s, "", ip), proxy(s, "", "EX1"))
	}, "10.1.0.5 is EX2; facts: hosts: 10.1.0.5 is EX2, but 50 requests have the same identifier in its log and in that of EX1")
	f("a host that facts call otherwise", func(s *servers) {
		s.facts.Hosts = map[string][]string{"Post": {"EX1"}}
		s.requests(50, front(s, "", ip), proxy(s, "", "EX1"))
	}, "10.1.0.5 is Post")
}

func TestNameOfAHost(t *testing.T) {
	s := servers{facts: Facts{Hosts: map[string][]string{"EX1": {"10.1.0.5", "mail.corp.example", "2001:DB8::5"}, "EX2": {"web.a.example"}, "EX3": {"web.b.example"}}}}
	n := s.names(t)
	f := func(name, want string) {
		t.Helper()
		if got := n.Of(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	f("", "")
	f("10.1.0.5", "EX1")
	f("::ffff:10.1.0.5", "EX1")
	f("2001:db8:0::5", "EX1")
	f("ex1", "EX1")
	f("ex1.corp.example", "EX1")
	f("MAIL.corp.example.", "EX1")
	f("mail", "EX1")
	f("mail.other.example", "mail.other.example")
	f("web", "web") // of two
	f("web.b.example", "EX3")
	f("10.1.0.6", "10.1.0.6")
	if got := (*HostNames)(nil).Of("EX1"); got != "EX1" {
		t.Errorf("of no names: %q", got)
	}
}

func TestHostsInFacts(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := ParseFacts(strings.NewReader(text))
		if got := fmt.Sprint(err); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f("hosts: {EX1: [10.1.0.5, mail.corp.example, ex1.corp.example], EX2: [10.1.0.6, mail.other.example]}", "<nil>")
	f("hosts:\n  EX1: [10.1.0.5]\n  EX2:\n  - 10.1.0.6\n  - 10.1.0.5\n", "line 5: hosts: 10.1.0.5 is a name of EX1 and of EX2")
	f("hosts:\n  EX1: [mail]\n  EX2: [mail.corp.example]\n", "line 3: hosts: mail.corp.example is a name of EX1 and of EX2")
	f("hosts:\n  EX1: [mail.corp.example]\n  EX2: [mail]\n", "line 3: hosts: mail is a name of EX1 and of EX2")
	f("hosts:\n  EX1: [mail.a.example]\n  EX2: [mail.b.example]\n  EX3: [mail]\n", "line 4: hosts: mail is a name of others and of EX3")
	f("hosts:\n  EX1: [EX2]\n  EX2: [10.1.0.5]\n", "line 3: hosts: EX2 is a name of EX1 and of EX2")
	f("hosts:\n  EX1: [10.1.0.5]\n  ex1: [10.1.0.6]\n", "line 3: hosts: ex1 is a name of EX1 and of ex1")
	f("hosts: {10.1.0.5: [EX1]}", "line 1: hosts: 10.1.0.5 is an address")
	f("hosts: {EX1: []}", "line 1: hosts: EX1 has no other name")
	f("hosts: {EX1: [127.0.0.1]}", "line 1: hosts: EX1: every server has the address 127.0.0.1")
	f("hosts: {EX1: [10.0.0.0/8]}", `line 1: hosts: EX1: "10.0.0.0/8" is no name`)
	f("hosts: {EX1: ['']}", `line 1: hosts: EX1: "" is no name`)
	f("hosts: {EX1: ['*']}", `line 1: hosts: EX1: "*" is no name`)
	f("hosts: {EX1: [10.1.0.5]}\nours: {nat: [10.1.0.5]}", "line 1: hosts: EX1: 10.1.0.5 is an address that many share")
}

func TestIncidentsOnAHostWithTwoNames(t *testing.T) {
	s := servers{facts: Facts{Hosts: map[string][]string{"EX1": {"10.1.0.5"}}}}
	at := time.Date(2021, 3, 3, 7, 0, 0, 0, time.UTC)
	var findings []*casefile.Finding
	for _, host := range []string{"EX1", "10.1.0.5"} {
		findings = append(findings, &casefile.Finding{Time: &at, Host: host, Client: "203.0.113.9", Rule: casefile.Rule{ID: "r", Title: "Web Shell Used", Level: "critical"}})
	}
	all := func(yield func(*casefile.Finding, error) bool) {
		for _, f := range findings {
			if !yield(f, nil) {
				return
			}
		}
	}
	list, err := Incidents(all, Evidence{End: func(string) (time.Time, bool) { return time.Time{}, false }, Hosts: s.names(t)})
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Hosts, []string{"EX1"}) || list[0].Findings != 2 || !slices.Equal(list[0].Steps[0].Hosts, []string{"EX1"}) {
		t.Errorf("%v, %+v", err, list)
	}
	if findings[1].Host != "10.1.0.5" {
		t.Error("a finding was changed")
	}
}
