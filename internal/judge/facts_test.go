package judge

import (
	"strings"
	"testing"
)

func TestFactsThatCannotBeMeant(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := ParseFacts(strings.NewReader(text))
		if err == nil {
			t.Errorf("no error in\n%s", text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
	}
	f("organisation: {name: X}\n\natacker:\n  ips: []\n", "line 3", `"atacker"`, "attacker")
	f("attacker:\n  ips: []\n  account: [ana]\n", "line 3", `"account" in attacker`, "accounts")
	f("statements:\n- {auhtor: x}\n", "line 2", `"auhtor" in statements`)
	f("window:\n  from: 2021-03-09T00:00:00Z\n  to: 2021-03-01T00:00:00Z\n", "line 2", "ends (2021-03-01T00:00:00Z) before it begins")
	f("window: {from: 2021-03-09T00:00:00Z}\nevicted: 2021-03-01T00:00:00Z\n", "line 2", "evicted", "before the window begins")
	f("window:\n\tfrom: 2021-03-01T00:00:00Z\n", "line 2", "begins with a tab")
	f("window: {from: yesterday}", "line 1", "time")
	f("baseline_days: -3", "baseline_days")
	f("tlp: red\nyears:\n  maillog: 5\n", "line 3", "years: maillog: 5 is no year")
	f("attacker:\n  ips:\n  - 198.51.100.1\n  - 203.0.113.9\nours: {scanners: [203.0.113.0/24]}", "line 4", "203.0.113.9 is both", "scanners: 203.0.113.0/24")
	f("attacker: {ips: ['::ffff:203.0.113.9']}\nours: {ips: [203.0.113.9]}", "both")
	f("ours: {ips: [office]}", "line 1", "no address")
	f("channels_off: [{channel: imap}]", "proof")
	f("coverage: [{stream: iis.w3c, level: presence, from: 2021-03-01T00:00:00Z, to: 2021-03-02T00:00:00Z}]", "proof")
	f("coverage: [{stream: iis.w3c, proof: x, level: all, from: 2021-03-01T00:00:00Z, to: 2021-03-02T00:00:00Z}]", "level")
	f("coverage: [{stream: iis.w3c, proof: x, level: detail, to: 2021-03-02T00:00:00Z}]", "from and to")
	f("coverage: [{stream: iis.w3c, proof: x, level: detail, from: 2021-03-03T00:00:00Z, to: 2021-03-02T00:00:00Z}]", "ends before")
	f("attacker:\n  scripts:\n  - {account: ana, proof: x}", "line 3", "from is missing")
	f("attacker: {scripts: [{account: ana, from: 2021-03-09T10:00:00Z}]}", "a proof")
	f("attacker: {scripts: [{account: ana, proof: x, from: 2021-03-09T10:00:00Z, to: 2021-03-09T09:00:00Z}]}", "ends before")
	f("exposed:\n- {account: ana, host: EX1, from: 2021-03-09T10:00:00Z, proof: x}", "line 2", "not both")
	f("hybrid: {shared: false}", "line 1", "a proof")
	f("travel: {speed: -1}", "line 1", "less than 0")
	f("travel: {distance: .nan}", "less than 0")
	f("exposed: [{from: 2021-03-09T10:00:00Z, proof: x}]", "an account, or a host")
	f("exposed: [{account: ana, from: 2021-03-09T10:00:00Z}]", "proof")
	f("exposed: [{account: ana, proof: x}]", "from is missing")
	f("exposed: [{account: ana, proof: x, from: 2021-03-09T10:00:00Z, to: 2021-03-09T09:00:00Z}]", "ends before")
	f("statements:\n- {time: 2021-03-09T10:00:00Z, reason: x, session: S1, is: owner}", "line 2", "author is missing")
	f("statements: [{author: A, reason: x, session: S1, is: owner}]", "time is missing")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, session: S1, is: owner}]", "reason is missing")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, reason: x, is: owner}]", "exactly one", "not 0")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, reason: x, ip: 203.0.113.9, device: D, is: owner}]", "exactly one", "not 2")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, reason: x, session: S1, is: guilty}]", `"guilty"`, "attacker")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, reason: x, ip: there, is: owner}]", "no address")
	f("baseline_days: 3\n---\nbaseline_days: 4\n", "second document")
	f("window: {from: &a 2021-03-09T00:00:00Z, to: *a}\n", "before it begins")
	f("ours: &a {nat: []}\nattacker: *a\n", "nat")
}

func TestStatementsAndCoverageAreRead(t *testing.T) {
	facts, err := ParseFacts(strings.NewReader(`
coverage: [{stream: iis.w3c, host: EX1, level: presence, from: 2021-03-01T00:00:00Z, to: 2021-03-02T00:00:00Z, proof: copied from the backup of that night}]
statements: [{author: R. Haddad, time: 2021-03-09T10:00:00Z, reason: asked her, session: S1, is: owner}]
channels_off: [{channel: imap, scope: ana, proof: dovecot.conf}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Coverage) != 1 || facts.Coverage[0].Host != "EX1" || len(facts.ChannelsOff) != 1 || len(facts.Statements) != 1 {
		t.Fatalf("%+v", facts)
	}
	if s := facts.Statements[0]; s.About() != "session S1 is owner" || s.attribution() != ofOwner {
		t.Errorf("%s %s", s.About(), s.attribution())
	}
}

func TestRoles(t *testing.T) {
	facts, err := ParseFacts(strings.NewReader("ours: {ips: [10.0.0.0/8, 'fe80::1'], service_ips: ['2001:db8::/32'], scanners: [198.51.100.4], nat: [203.0.113.0/24]}\nattacker: {ips: [203.0.113.9]}"))
	if err != nil {
		t.Fatal(err)
	}
	bare := *facts
	bare.addresses = nil
	f := func(ip string, want Role) {
		t.Helper()
		for _, facts := range []*Facts{facts, &bare} {
			if got := facts.Role(ip); got != want {
				t.Errorf("role of %s is %b, want %b", ip, got, want)
			}
		}
	}
	f("10.1.2.3", RoleOurs)
	f("::ffff:10.1.2.3", RoleOurs)
	f("fe80::1%eth0", RoleOurs)
	f("2001:db8::13", RoleService)
	f("198.51.100.4", RoleScanner)
	f("198.51.100.5", 0)
	f("203.0.113.8", RoleNAT)
	f("203.0.113.9", RoleNAT|RoleAttacker)
	f("office", 0)
	if facts.IsOurs("203.0.113.8") || !facts.IsOurs("198.51.100.4") {
		t.Error("whose addresses are ours")
	}
}

func FuzzFacts(f *testing.F) {
	f.Add("window: {from: 2021-03-09T00:00:00Z}\nstatements: [{author: A}]\nours: {ips: [10.0.0.0/8]}")
	f.Add("a: &a [*a]")
	f.Add("ours: &x {ips: *x}")
	f.Fuzz(func(t *testing.T, text string) {
		if facts, err := ParseFacts(strings.NewReader(text)); err == nil {
			facts.Role("203.0.113.9")
			facts.Zone("a/b")
		}
	})
}

func TestMarkingAndOurAddresses(t *testing.T) {
	f, err := ParseFacts(strings.NewReader("tlp: TLP:AMBER+STRICT\nours: {ips: [198.51.100.7/24, 198.51.100.0/24], service_ips: [192.0.2.1], nat: ['2001:db8::/32']}\nattacker: {ips: [203.0.113.9]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.OurAddresses(), " "); f.TLP != "amber+strict" || got != "192.0.2.1/32 198.51.100.0/24 2001:db8::/32" {
		t.Errorf("%s %s", f.TLP, got)
	}
	if _, err := ParseFacts(strings.NewReader("baseline_days: 3\ntlp: white\n")); err == nil || !strings.HasPrefix(err.Error(), "line 2: tlp: ") {
		t.Error(err)
	}
}
