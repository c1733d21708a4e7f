package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

func (s *scene) capabilities(t testing.TB) []capability {
	t.Helper()
	in := s.input()
	who, cover := covering(t, in)
	found, err := attribute(in, who, cover)
	if err != nil {
		t.Fatal(err)
	}
	list, err := capabilities(in, who, found)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestHeld tells what was held: "password ana 03-01 00:00/03-10 02:11 → 03-31 23:59 (all)".
func TestHeld(t *testing.T) {
	at := func(ns int64) string {
		if ns == event.UnknownTime {
			return "?"
		}
		return time.Unix(0, ns).UTC().Format("01-02 15:04")
	}
	f := func(name string, play func(*scene), want ...string) {
		t.Helper()
		var s scene
		play(&s)
		var got []string
		list := s.capabilities(t)
		for _, k := range list {
			text := fmt.Sprintf("%s %s %s/%s-%s", k.power, k.principal, at(k.earliest), at(k.from), at(k.to))
			if !k.certain {
				text = "maybe " + text
			}
			for _, r := range k.reach {
				text += " " + r.kind + ":" + r.in
			}
			if k.channels != nil {
				text += " by " + strings.Join(k.channels, ",")
			}
			got = append(got, text)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		listCapabilities(list)
	}
	evicted := func(s *scene, when string) {
		x := time.Unix(0, clockOf(when))
		s.facts.Evicted = &x
	}
	cloud := []with{from("", "m365.ual"), over("m365"), bySession("S1")}

	f("a login", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAA"))
		evicted(s, "03-12 10:00")
	}, "password ana 03-01 00:00/03-10 02:11-03-12 10:00 mailbox:ana file:")

	f("a session without a login", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"S1"}
		s.bind("08:05", "mara", "203.0.113.50", []string{"m1"}, bySession("S1"))
	}, "maybe password mara 03-01 00:00/03-10 08:03-03-31 23:59 mailbox:mara file:", "token mara 03-01 00:00/03-10 08:03-03-31 23:59 mailbox:mara file: by m365")

	f("a new password ends the old one, revoked tokens after 90 minutes", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"S1"}
		s.login("08:01", "mara", "203.0.113.50", cloud...)
		s.containment(logs.PasswordChanged, logs.Password, "12:00", "admin", onto("mara"))
		s.containment(logs.TokensRevoked, logs.Token, "14:00", "admin", onto("mara"))
	}, "password mara 03-01 00:00/03-10 08:01-03-10 12:00 mailbox:mara file:", "token mara 03-01 00:00/03-10 08:01-03-10 15:30 mailbox:mara file: by m365")

	f("who logs in after a new password knows it", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAA"))
		s.containment(logs.PasswordChanged, logs.Password, "12:00", "admin", onto("ana"))
		s.login("14:11", "ana", "203.0.113.9", bySession("BBB"))
	}, "password ana 03-01 00:00/03-10 02:11-03-31 23:59 mailbox:ana file:")

	f("what the attacker changes ends nothing", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAA"))
		s.see(logs.Containment, "02:15", "ana", "203.0.113.9", giving(logs.Password), onto("ana"), func(x *sighting) { x.o.Inference = logs.PasswordChanged })
	}, "password ana 03-01 00:00/03-10 02:11-03-31 23:59 mailbox:ana file:")

	f("an account that the facts name", func(s *scene) {
		s.facts.Attacker.Accounts = []string{"ana"}
	}, "password ana 03-01 00:00/03-01 00:00-03-31 23:59 mailbox:ana file:")

	f("whoever was guessed at may be open, through that way in", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.fail("12:42", "carl", "203.0.113.9", over("ews"))
		s.fail("12:43", "dora", "198.51.100.9", over("ews")) // one mistake of somebody
		s.login("13:00", "eve", "203.0.113.9")
	}, "password eve 03-01 00:00/03-10 13:00-03-31 23:59 mailbox:eve file:",
		"maybe password carl 03-10 12:42/03-10 12:42-03-31 23:59 mailbox:carl by owa,ecp,ews,eas,mapi,rpc,powershell,autodiscover,oab,rest")

	f("a rule outlives the password, and ends with its removal", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"S1"}
		s.login("08:01", "mara", "203.0.113.50", cloud...)
		s.capability(logs.RuleMade, logs.Rule, "08:10", "mara", "203.0.113.50", append(cloud, inside("mara"), of("rule", "x"), onto("drop@example.net"))...)
		s.capability(logs.RuleMade, logs.Rule, "08:12", "mara", "203.0.113.50", append(cloud, inside("mara"), of("rule", "y"), onto("drop@example.net"))...)
		s.containment(logs.PasswordChanged, logs.Password, "12:00", "admin", onto("mara"))
		s.containment(logs.PowerRemoved, logs.Rule, "13:00", "admin", inside("mara"), of("rule", `mara\x`))
	}, "password mara 03-01 00:00/03-10 08:01-03-10 12:00 mailbox:mara file:", "token mara 03-01 00:00/03-10 08:01-03-31 23:59 mailbox:mara file: by m365",
		"rule mara 03-10 08:10/03-10 08:10-03-10 13:00 mailbox:mara", "rule mara 03-10 08:12/03-10 08:12-03-31 23:59 mailbox:mara")

	f("rights and applications", func(s *scene) {
		s.facts.Attacker.Sessions = []string{"S1"}
		s.login("08:01", "mara", "203.0.113.50", cloud...)
		s.capability(logs.DelegationGiven, logs.Delegation, "08:10", "mara", "203.0.113.50", append(cloud, inside("boss"), onto("mara"))...)
		s.capability(logs.ConsentGiven, logs.Grant, "08:20", "mara", "203.0.113.50", append(cloud, byApp("evil-app"), inside("mara"), onto("Mail.Read"))...)
		s.capability(logs.DelegationGiven, logs.Delegation, "08:30", "admin", "198.51.100.7", inside("other"), onto("helper")) // nobody's business
		s.bind("09:00", "mara", "192.0.2.200", []string{"m1"}, byApp("evil-app"))
	}, "password mara 03-01 00:00/03-10 08:01-03-31 23:59 mailbox:mara file:", "token mara 03-01 00:00/03-10 08:01-03-31 23:59 mailbox:mara file: by m365",
		"delegation mara 03-10 08:10/03-10 08:10-03-31 23:59 mailbox:boss", "grant evil-app 03-10 08:20/03-10 08:20-03-31 23:59 mailbox:mara file:")

	f("a host", func(s *scene) {
		s.capability(logs.ShellWritten, logs.HostPower, "06:59", "", "203.0.113.21", from("EX1", "exchange.httpproxy.ecp"), over("ecp"))
		s.capability(logs.RoleGiven, logs.Delegation, "07:20", "system", "", from("EX1", "windows.evtx"), of("role", "Mailbox Import Export"), onto("admin"))
		evicted(s, "03-11 00:00")
	}, "host ex1 03-10 06:59/03-10 06:59-03-11 00:00 host:ex1", "maybe delegation admin 03-10 07:20/03-10 07:20-03-11 00:00 mailbox: file:")

	f("an eviction that did not hold", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.login("02:11", "ana", "203.0.113.9", bySession("AAA"))
		s.login("03-12 02:11", "ana", "203.0.113.9", bySession("BBB"))
		evicted(s, "03-11 00:00")
	}, "password ana 03-01 00:00/03-10 02:11-03-31 23:59 mailbox:ana file:")

	f("a way into a host", func(s *scene) {
		s.facts.Attacker.IPs = []string{"203.0.113.9"}
		s.login("02:11", "test", "203.0.113.9", over("ssh"), from("h1", "syslog.sshd"))
	}, "password test 03-01 00:00/03-10 02:11-03-31 23:59 mailbox:test file:", "host h1 03-10 02:11/03-10 02:11-03-31 23:59 host:h1")
}

// TestExposed tells whose passwords the facts expose, and until when.
func TestExposed(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	var s scene
	s.facts.Exposed = []ExposedFact{
		{Account: "ana", From: day(3), To: day(5), Certain: true, Proof: "captured"},
		{Account: "bob", From: day(3), Proof: "a leak that may go on"},
		{Host: "EX1", From: day(7), To: day(8), Certain: true, Proof: "logon.aspx"},
	}
	s.stream("EX1", "iis.w3c", "03-01 00:00", "03-31 23:00")
	owa := []with{from("EX1", "iis.w3c"), over("owa")}
	s.login("03-07 08:00", "carl", "198.51.100.7", owa...)
	s.access(logs.MailboxUsed, "03-07 09:00", "dora", "198.51.100.8", owa...)
	s.login("03-09 09:00", "eve", "198.51.100.9", owa...)
	s.login("03-07 09:00", "fay", "198.51.100.9", from("EX2", "iis.w3c"), over("owa"))
	s.login("03-07 09:00", "HealthMailbox1", "::1", owa...)
	for _, who := range []string{"ana", "bob", "carl"} {
		s.containment(logs.PasswordChanged, logs.Password, "03-20 00:00", who)
	}
	found, list := s.uncovered(t)
	var got []string
	for _, k := range list {
		got = append(got, fmt.Sprintf("%s %t %s-%s", k.principal, k.certain, inTime(k.earliest), inTime(k.to)))
	}
	want := []string{
		"ana true 2026-03-03 00:00:00 UTC-2026-03-20 00:00:00 UTC", // changed after it was captured
		"carl true 2026-03-07 08:00:00 UTC-2026-03-20 00:00:00 UTC",
		"bob false 2026-03-03 00:00:00 UTC-2026-03-31 23:59:59 UTC", // the new one may have leaked too
		"dora false 2026-03-07 09:00:00 UTC-2026-03-31 23:59:59 UTC",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, x := range found.all {
		if x.held {
			t.Errorf("session %s: an exposed account is not one that the attacker used", x.ID)
		}
	}
}

// TestHybrid tells which tokens an Exchange server that was taken over could make, and until when they worked.
func TestHybrid(t *testing.T) {
	f := func(name string, play func(*scene), want string) {
		t.Helper()
		var s scene
		s.stream("EX1", "exchange.httpproxy.owa", "03-01 00:00", "03-31 23:00")
		s.stream("", "m365.ual", "03-01 00:00", "03-31 23:00")
		s.access(logs.MailboxUsed, "03-02 09:00", "bob", "198.51.100.7", from("EX1", "exchange.httpproxy.owa"), over("owa"))
		play(&s)
		got := "none"
		for _, k := range s.capabilities(t) {
			if k.rule == ruleHybrid {
				got = fmt.Sprintf("%t %s-%s", k.certain, inTime(k.earliest), inTime(k.to))
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	shell := func(s *scene) {
		s.capability(logs.ShellWritten, logs.HostPower, "03-05 09:00", "", "203.0.113.9", from("EX1", "exchange.httpproxy.ecp"), over("ecp"), of("host", "EX1"))
	}
	f("nobody says", shell, "false 2026-03-05 09:00:00 UTC-2026-03-31 23:59:59 UTC")
	f("no power", func(*scene) {}, "none")
	f("not shared", func(s *scene) {
		shell(s)
		s.facts.Hybrid = &HybridFact{Proof: "a dedicated application"}
	}, "none")
	f("the key was changed", func(s *scene) {
		shell(s)
		s.facts.Hybrid = &HybridFact{Shared: true, Rolled: time.Unix(0, clockOf("03-09 10:00")), Proof: "x"}
	}, "false 2026-03-05 09:00:00 UTC-2026-03-10 10:00:00 UTC")
	f("evicted, and tokens last", func(s *scene) {
		shell(s)
		at := time.Unix(0, clockOf("03-07 10:00"))
		s.facts.Evicted = &at
	}, "false 2026-03-05 09:00:00 UTC-2026-03-08 10:00:00 UTC")
	f("power over another server", func(s *scene) {
		s.capability(logs.ShellWritten, logs.HostPower, "03-05 09:00", "", "203.0.113.9", from("WEB1", "iis.w3c"), over("web"), of("host", "WEB1"))
	}, "none")
}
