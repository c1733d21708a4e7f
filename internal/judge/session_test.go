package judge

import (
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"

// TestWhose tells whose sessions are.
func TestWhose(t *testing.T) {
	f := func(name string, play func(*scene), want string) {
		t.Helper()
		var s scene
		play(&s)
		if got := told(s.attribute(t)); got != want {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
	}
	web := over("owa")
	iis, proxy := from("EX1", "iis.w3c"), from("EX1", "exchange.httpproxy.owa")
	// month is a month of ordinary days before 10 March.
	month := func(s *scene, account, ip string, more ...with) {
		s.stream("EX1", "iis.w3c", "01-25 00:00", "03-20 00:00")
		for _, d := range []string{"02-12", "02-20", "03-02", "03-09"} {
			s.access(logs.MailboxUsed, d+" 09:00", account, ip, append([]with{iis, web}, more...)...)
		}
	}

	f("script in the owner's own browser", func(s *scene) {
		s.facts.Attacker.Scripts = []ScriptFact{{Account: "ana", From: time.Unix(0, clockOf("10:00")), To: time.Unix(0, clockOf("11:00")), Proof: "mail"}}
		month(s, "ana", "198.51.100.7", bySession("A"))
		month(s, "bob", "198.51.100.7", bySession("B"))
		s.access(logs.MailboxUsed, "09:00", "ana", "198.51.100.7", iis, web, bySession("before"))
		s.access(logs.MailboxUsed, "10:20", "CORP\\ana", "198.51.100.7", iis, web, bySession("during"))
		s.access(logs.MailboxUsed, "10:20", "bob", "198.51.100.7", iis, web, bySession("other"))
		s.access(logs.MailboxUsed, "11:20", "ana", "198.51.100.7", iis, web, bySession("late"))
		s.access(logs.MailboxUsed, "12:00", "ana", "198.51.100.7", iis, web, bySession("after"))
	}, "suspected during\nsuspected late\nowner A\nowner before\nowner after\n")
	f("script whose end is not known", func(s *scene) {
		s.facts.Attacker.Scripts = []ScriptFact{{Account: "ana", From: time.Unix(0, clockOf("10:00")), Proof: "mail"}}
		month(s, "ana", "198.51.100.7", bySession("A"))
		s.access(logs.MailboxUsed, "03-15 10:20", "ana", "198.51.100.7", iis, web, bySession("days after"))
		s.bind("03-15 10:20", "ana", "2603:10a6::13", []string{"m5"}, as(logs.Service))
	}, "suspected days after\nowner A\nservice ana|2603:10a6::13|2026-03-15T10:18:00Z\n")
	f("a strong key holds a session together over two addresses; the service is nobody", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"S1"}
		s.facts.Ours.IPs = []string{"198.51.100.7"}
		s.login("08:01", "mara", "203.0.113.50", bySession("S1"), from("", "m365.ual"), over("m365"))
		s.login("08:02", "mara", "198.51.100.7", bySession("S0"), from("", "m365.ual"), over("m365"))
		s.bind("08:05", "Mara", "203.0.113.50", []string{"m1", "m2", "m3"}, bySession("S1"))
		s.bind("08:06", "mara", "198.51.100.7", []string{"m1", "m4"}, bySession("S0"))
		s.bind("08:07", "mara", "2603:10a6::13", []string{"m5"}, as(logs.Service), byAgent("Client=REST;Client=RESTSystem;;"))
		s.bind("08:20", "mara", "203.0.113.99", []string{"m6"}, bySession("S1"))
	}, "attacker S1\nowner S0\nservice mara|2603:10a6::13|2026-03-10T08:05:00Z\n")

	f("an address that the facts name marks its sessions, and their keys go on", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.50"}
		s.bind("08:05", "mara", "203.0.113.50", []string{"m1"}, bySession("S1"))
		s.bind("08:20", "mara", "203.0.113.99", []string{"m6"}, bySession("S1"))
		s.bind("08:30", "mara", "198.51.100.7", []string{"m4"}, bySession("S0"))
	}, "attacker S1\nunattributed S0\n")

	f("a session that was there before the attacker may have been taken from its owner", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.50"}
		s.bind("08:00", "mara", "198.51.100.7", []string{"m4"}, bySession("S1"))
		s.bind("08:05", "mara", "203.0.113.50", []string{"m1"}, bySession("S1"))
	}, "attacker S1\nsuspected S1|mara\n")

	f("the owner's part of a shared session stays the owner's", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.50"}
		month(s, "mara", "198.51.100.7")
		s.access(logs.MailboxRead, "08:00", "mara", "198.51.100.7", iis, web, bySession("S1"))
		s.access(logs.MailboxRead, "08:05", "mara", "203.0.113.50", iis, web, bySession("S1"))
		s.access(logs.MailboxRead, "08:06", "mara", "192.0.2.77", iis, web, bySession("S1"))
	}, "attacker S1\nsuspected S1|mara\nowner mara|198.51.100.7|2026-02-12T09:00:00Z\nowner mara|198.51.100.7|2026-02-20T09:00:00Z\n"+
		"owner mara|198.51.100.7|2026-03-02T09:00:00Z\nowner mara|198.51.100.7|2026-03-09T09:00:00Z\nowner S1|mara|owner\n")

	f("guessing, a new address and the same client make an attacker; a known device beats the address", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"ana|203.0.113.9|2026-03-10T12:30:00Z"}
		month(s, "bob", "198.51.100.8", byDevice("BOBPHONE1"), over("eas"))
		month(s, "eve", "198.51.100.9", byAgent("Outlook/16.0"))
		s.access(logs.MailboxRead, "12:30", "ana", "203.0.113.9", iis, web, byAgent(chrome))
		for i := range 60 {
			s.fail("12:41", "user"+string(rune('a'+i%26))+string(rune('a'+i/26)), "203.0.113.9", iis, over("ews"))
		}
		s.fail("12:42", "carl", "203.0.113.9", iis, over("ews"))
		s.fail("12:42", "eve", "203.0.113.9", iis, over("ews"))
		s.access(logs.MailboxRead, "12:58", "eve", "203.0.113.9", iis, web, byAgent(strings.ReplaceAll(chrome, " ", "+")))
		s.access(logs.MailboxUsed, "12:58:01", "EXAMPLE\\eve", "203.0.113.9", proxy, web, byAgent(chrome))
		s.access(logs.FolderSynced, "13:20", "bob", "203.0.113.9", iis, over("eas"), byDevice("BOBPHONE1"))
	}, "attacker ana|203.0.113.9|2026-03-10T12:30:00Z\nattacker eve|203.0.113.9|2026-03-10T12:58:00Z\n"+
		"owner eve|198.51.100.9|2026-02-12T09:00:00Z\nowner eve|198.51.100.9|2026-02-20T09:00:00Z\nowner eve|198.51.100.9|2026-03-02T09:00:00Z\n"+
		"owner eve|198.51.100.9|2026-03-09T09:00:00Z\nowner BOBPHONE1\n")

	f("another account at an attacker's address is suspected", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"AAAAAAAAAAAAAAAA"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAAAAAAAAAAAAAAA"))
		s.login("02:30", "bob", "203.0.113.9", bySession("BBBBBBBBBBBBBBBB"))
		s.login("02:40", "bob", "198.51.100.3", bySession("CCCCCCCCCCCCCCCC"))
	}, "attacker AAAAAAAAAAAAAAAA\nsuspected BBBBBBBBBBBBBBBB\nunattributed CCCCCCCCCCCCCCCC\n")

	f("nothing, if many share the address", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"AAAAAAAAAAAAAAAA"}
		s.facts.Ours.NAT = []string{"203.0.113.0/24"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAAAAAAAAAAAAAAA"))
		s.login("02:30", "bob", "203.0.113.9", bySession("BBBBBBBBBBBBBBBB"))
	}, "attacker AAAAAAAAAAAAAAAA\n")

	f("a named address that many share only suspects", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.facts.Ours.NAT = []string{"203.0.113.0/24"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAAAAAAAAAAAAAAA"))
	}, "suspected AAAAAAAAAAAAAAAA\n")

	f("a guess that hits", func(s *scene) {
		for i := range 25 {
			s.fail("02:"+string(rune('0'+i/10))+string(rune('0'+i%10)), "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
		}
		s.login("02:40", "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
		s.login("04:00", "other", "198.51.100.9", over("ssh"), from("h1", "syslog.sshd"))
	}, "attacker test|203.0.113.9|2026-03-10T02:40:00Z\n")

	f("who came from there before mistyped", func(s *scene) {
		s.login("01:00", "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
		for i := range 25 {
			s.fail("02:"+string(rune('0'+i/10))+string(rune('0'+i%10)), "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
		}
		s.login("02:40", "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
	}, "suspected test|203.0.113.9|2026-03-10T01:00:00Z\nsuspected test|203.0.113.9|2026-03-10T02:40:00Z\n")
	f("a guess that hits from where many come from", func(s *scene) {
		sshd := []with{over("ssh"), from("h1", "syslog.sshd")}
		for _, account := range []string{"one", "two", "three"} {
			s.login("01:00", account, "10.0.0.9", sshd...)
		}
		for i := range 25 {
			s.fail("02:"+string(rune('0'+i/10))+string(rune('0'+i%10)), "test", "10.0.0.9", sshd...)
		}
		s.login("02:40", "test", "10.0.0.9", sshd...)
	}, "suspected test|10.0.0.9|2026-03-10T02:40:00Z\n")
	f("another session of the account from the attacker's address", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"AAAAAAAAAAAAAAAA"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAAAAAAAAAAAAAAA"))
		s.login("02:30", "ana", "203.0.113.9", bySession("BBBBBBBBBBBBBBBB"))
	}, "attacker AAAAAAAAAAAAAAAA\nsuspected BBBBBBBBBBBBBBBB\n")

	f("a few mistakes are no guessing", func(s *scene) {
		for i := range 4 {
			s.fail("02:0"+string(rune('0'+i)), "test", "203.0.113.9")
		}
		s.login("02:40", "test", "203.0.113.9")
	}, "")

	relay := []with{over("imap"), from("mx1", "syslog.dovecot")}
	f("a guess that hits through a server that reads mail for many", func(s *scene) {
		s.facts.Ours.ServiceIPs = []string{"192.0.2.25"}
		for i := range 25 {
			s.fail("02:"+string(rune('0'+i/10))+string(rune('0'+i%10)), "test", "192.0.2.25", relay...)
		}
		s.login("02:40", "test", "192.0.2.25", append(relay, bySession("R"))...)
		s.login("04:00", "other", "192.0.2.25", append(relay, bySession("O"))...)
	}, "unattributed R\nunattributed O\n") // no log tells whom web mail opened the other mailbox for
	f("a few failures each through a server that reads mail for many", func(s *scene) {
		s.facts.Ours.ServiceIPs = []string{"192.0.2.25"}
		for i := range 25 {
			s.fail("02:"+string(rune('0'+i/10))+string(rune('0'+i%10)), "user"+string(rune('a'+i)), "192.0.2.25", relay...)
		}
		s.login("02:40", "usera", "192.0.2.25", append(relay, bySession("R"))...)
	}, "")

	f("off the baseline of an account that is held", func(s *scene) {
		s.facts.Attacker.Accounts = []string{"mara@example.org"}
		w := clockOf("03-10 00:00")
		at := *moment(w)
		s.facts.Window.From = &at
		month(s, "mara", "198.51.100.7")
		s.access(logs.MailboxRead, "08:00", "mara", "198.51.100.7", iis, web)
		s.access(logs.MailboxRead, "08:05", "mara", "203.0.113.50", iis, web)
	}, "suspected mara@example.org|203.0.113.50|2026-03-10T08:05:00Z\nowner mara@example.org|198.51.100.7|2026-02-12T09:00:00Z\n"+
		"owner mara@example.org|198.51.100.7|2026-02-20T09:00:00Z\nowner mara@example.org|198.51.100.7|2026-03-02T09:00:00Z\n"+
		"owner mara@example.org|198.51.100.7|2026-03-09T09:00:00Z\nowner mara@example.org|198.51.100.7|2026-03-10T08:00:00Z\n")

	f("what a person states decides", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.50"}
		s.facts.Statements = []Statement{{Author: "A. Responder", Reason: "it was she, on the telephone", Session: "S1", Is: "owner"}}
		s.bind("08:05", "mara", "203.0.113.50", []string{"m1"}, bySession("S1"))
		s.bind("09:05", "mara", "203.0.113.50", []string{"m2"}, bySession("S2"))
	}, "attacker S2\nowner S1\n")

	f("a statement starts a chain", func(s *scene) {
		s.facts.Statements = []Statement{{Author: "A. Responder", Reason: "seen by the provider", Account: "mara", Is: "attacker"}}
		s.bind("08:05", "mara", "203.0.113.50", []string{"m1"}, bySession("S1"))
		s.bind("08:06", "bob", "203.0.113.50", []string{"m1"}, bySession("S3"))
	}, "attacker S1\nsuspected S3\n")

	f("what exploits the server is an attack; what else comes from there is suspected", func(s *scene) {
		s.capability(logs.ShellWritten, logs.HostPower, "06:59", "", "203.0.113.21", from("EX1", "exchange.httpproxy.ecp"), over("ecp"))
		s.access(logs.MailboxRead, "07:30", "ana", "203.0.113.21", proxy, web)
		s.access(logs.MailboxRead, "07:40", "", "203.0.113.21", iis, over("web"))
		s.access(logs.MailboxRead, "05:30", "bob", "203.0.113.21", proxy, web)
	}, "attacker |203.0.113.21|2026-03-10T06:59:00Z\nsuspected bob|203.0.113.21|2026-03-10T05:30:00Z\nsuspected ana|203.0.113.21|2026-03-10T07:30:00Z\nsuspected |203.0.113.21|2026-03-10T07:40:00Z\n")

	f("an incident names the address", func(s *scene) {
		s.incidents = []casefile.Incident{{ID: "I1", Severity: "high", Steps: []casefile.Step{{Rule: casefile.Rule{Title: "Shell used", Level: "high",
			Tags: []string{"attack.t1505.003"}}, First: *moment(clockOf("06:00")), Actors: []string{"203.0.113.21"}}}}}
		s.access(logs.MailboxRead, "07:30", "ana", "203.0.113.21", proxy, web)
	}, "suspected ana|203.0.113.21|2026-03-10T07:30:00Z\n")

	f("a client program alone proves nobody", func(s *scene) {
		s.facts.Attacker.UserAgents = []string{"python-requests"}
		s.access(logs.MailboxRead, "07:30", "ana", "203.0.113.21", proxy, web, byAgent("python-requests/2.25"))
	}, "suspected ana|203.0.113.21|2026-03-10T07:30:00Z\n")

	f("no seed, no session", func(s *scene) {
		s.access(logs.MailboxRead, "07:30", "ana", "203.0.113.21", proxy, web)
	}, "")
}

// A session that never ends in the logs is open.
func TestOpenSessions(t *testing.T) {
	var s scene
	s.facts.Attacker.IPs = []string{"203.0.113.9"}
	dovecot := from("mx1", "syslog.dovecot")
	s.login("02:11:04", "ana", "203.0.113.9", bySession("AAA"), dovecot)
	s.access(logs.MailNotFetched, "02:11:31", "ana", "", bySession("AAA"), dovecot)
	s.login("02:14:00", "ana", "203.0.113.9", bySession("CCC"), dovecot)
	found := s.attribute(t)
	open := make(map[string]bool)
	for _, x := range found.all {
		open[x.ID] = x.open
		if x.attribution != ofAttacker {
			t.Errorf("%s is of %s", x.ID, x.attribution)
		}
	}
	if len(open) != 2 || open["AAA"] || !open["CCC"] {
		t.Errorf("open are %v", open)
	}
	if x := found.of(0, clockOf("02:11:31")); x == nil || x.ID != "AAA" {
		t.Errorf("the end of AAA belongs to %v", x)
	}
}

// Names of one account are one; a guesser's spelling does not part them.
func TestNames(t *testing.T) {
	var s scene
	s.login("08:00", "ana@example.org", "192.0.2.1")
	s.login("08:00", "bob@example.org", "192.0.2.1")
	s.login("08:00", "bob@example.net", "192.0.2.1")
	s.fail("08:00", "ana@guessed.example.com", "203.0.113.9")
	s.fail("08:00", "carl@example.org", "203.0.113.9")
	who, err := newPeople(s.input())
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, want string) {
		t.Helper()
		if got := strings.Join(who.keys(name), " "); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	f("ana", "ana@example.org")
	f(`CORP\Ana`, "ana@example.org")
	f("Ana@Example.org", "ana@example.org")
	f("ana@corp", "ana@example.org")
	f("i:0#.f|membership|ana@example.org", "ana@example.org")
	f("corp.example/Users/Ana", "ana@example.org")
	f("example.org/Users/Sales Staff/ana", "ana@example.org")
	f("example.org/Users/eve", "eve")
	f("ana+shop@example.org", "ana+shop@example.org")
	f("ana@guessed.example.com", "ana@guessed.example.com")
	f("bob", "bob bob@example.net bob@example.org")
	f("bob@example.net", "bob@example.net")
	f("carl", "carl@example.org")
	f("dora", "dora")
}
