package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
)

// entra is what a record of a sign-in to Microsoft 365 says: how it was made, and from where.
func entra(rule, place string) []with {
	return []with{from("", "entra.signin"), over("m365"), onto(place), func(x *sighting) { x.o.Inference = rule }}
}

const (
	paris  = "48.85;2.35;FR;3215"
	lille  = "50.63;3.06;FR;3215"
	lagos  = "6.45;3.39;NG;37282"
	beirut = "33.89;35.50;LB;42003"
)

// suspects plays a scene and returns what is suspected: "ana 203.0.113.9 IMPOSSIBLE_TRAVEL".
func (s *scene) suspects(t testing.TB) []string {
	t.Helper()
	out := []string{}
	for _, x := range s.attribute(t).all {
		if x.attribution != suspected {
			if x.attribution == ofAttacker {
				t.Errorf("%s is the attacker's: %v", x.ID, x.Why)
			}
			continue
		}
		rule := ""
		for _, why := range x.Why {
			if i := strings.LastIndexByte(why, '('); i >= 0 && rule == "" {
				rule = strings.TrimSuffix(why[i+1:], ")")
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s", x.principal, strings.Join(x.IPs, ","), rule))
	}
	return out
}

// habit has an account sign in from an address every morning of February and of March up to the ninth.
func (s *scene) habit(account, ip, place string) {
	for m, days := range []int{28, 9} {
		for d := 1; d <= days; d++ {
			s.login(fmt.Sprintf("%02d-%02d 08:00", m+2, d), account, ip, entra(logs.SignedIn, place)...)
		}
	}
}

func TestSignInsThatAreSuspected(t *testing.T) {
	f := func(name string, play func(*scene), want ...string) {
		t.Helper()
		var s scene
		s.stream("", "entra.signin", "02-01 00:00", "03-31 23:00")
		play(&s)
		if got := s.suspects(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	in := func(s *scene, at, ip, place string, more ...with) {
		s.login(at, "ana", ip, append(entra(logs.SignedIn, place), more...)...)
	}
	f("nobody travels so fast", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lagos)
	}, "ana 203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("nor back", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "203.0.113.9", lagos)
		in(s, "09:00", "198.51.100.7", paris)
	}, "ana 203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("where nothing is known of the account, either may be the stranger", func(s *scene) {
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lagos)
	}, "ana 198.51.100.7 IMPOSSIBLE_TRAVEL", "ana 203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("what it did in that session is suspected too", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lagos, bySession("S9"))
		s.bind("11:05", "ana", "203.0.113.77", []string{"m1"}, bySession("S9"))
	}, "ana 203.0.113.77,203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("but nobody else is, though he has the same address and client program", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lagos, byAgent("Tool/1.0"))
		s.login("09:10", "bob", "203.0.113.9", append(entra(logs.SignedIn, lagos), byAgent("Tool/1.0"))...)
	}, "ana 203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("who travels", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "14:00", "203.0.113.9", beirut)
		in(s, "14:05", "203.0.113.10", beirut)
	})
	f("who is near", func(s *scene) {
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "08:01", "203.0.113.9", lille)
	})
	f("guards", func(s *scene) {
		s.facts.Ours.NAT = []string{"203.0.113.9"}
		s.facts.Ours.IPs = []string{"203.0.113.10"}
		s.facts.Ours.ServiceIPs = []string{"203.0.113.11"}
		in(s, "08:00", "198.51.100.7", paris)
		for i, ip := range []string{"203.0.113.9", "203.0.113.10", "203.0.113.11", "10.1.2.3", "127.0.0.1", "2603:1000::1", "mobile"} {
			in(s, fmt.Sprintf("08:%02d", i+1), ip, lagos)
		}
		in(s, "08:30", "203.0.113.12", "0;0;;")
		in(s, "08:31", "203.0.113.13", ";;NG;")
	})
	f("the same device comes out elsewhere", func(s *scene) {
		in(s, "08:00", "198.51.100.7", paris, byDevice("LAPTOP-0007"))
		in(s, "08:01", "203.0.113.9", lagos, byDevice("LAPTOP-0007"))
	})
	f("an address that many used before", func(s *scene) {
		for _, who := range []string{"bob", "carl", "dora"} {
			s.habit(who, "203.0.113.9", lagos)
		}
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "08:30", "203.0.113.9", lagos)
	})
	f("a place that the account is at as often", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		for d := 3; d < 8; d++ {
			in(s, fmt.Sprintf("03-%02d 20:00", d), "203.0.113.9", lagos)
		}
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "08:30", "203.0.113.9", lagos)
	})
	f("as far and as fast as the facts say", func(s *scene) {
		s.facts.Travel.Speed = 90
		s.facts.Travel.Distance = 100
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lille)
	}, "ana 203.0.113.9 IMPOSSIBLE_TRAVEL")
	f("a person's word decides", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		s.facts.Statements = []Statement{{Author: "A", Reason: "a VPN", IP: "203.0.113.9", Is: "owner"}}
		in(s, "08:00", "198.51.100.7", paris)
		in(s, "09:00", "203.0.113.9", lagos)
	})

	f("an old protocol from nowhere", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		s.login("09:00", "ana", "203.0.113.9", entra(logs.SignedInLegacy, "")...)
	}, "ana 203.0.113.9 LEGACY_SIGN_IN")
	f("a code from nowhere", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		s.login("09:00", "ana", "203.0.113.9", entra(logs.SignedInByCode, "")...)
	}, "ana 203.0.113.9 DEVICE_CODE")
	f("an old protocol from where the account always is", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		s.login("09:00", "ana", "198.51.100.7", entra(logs.SignedInLegacy, "")...)
	})
	f("a phone that moves about", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		for d := 1; d < 9; d++ {
			s.login(fmt.Sprintf("02-%02d 12:00", d), "ana", fmt.Sprintf("192.0.2.%d", d), entra(logs.SignedInLegacy, "")...)
		}
		s.login("09:00", "ana", "203.0.113.9", entra(logs.SignedInLegacy, "")...)
	})
	f("the log does not reach back far enough to tell", func(s *scene) {
		s.login("02-20 09:00", "ana", "203.0.113.9", entra(logs.SignedInLegacy, "")...)
	})

	const here, there = "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/121.0"
	f("a session that another browser went on with elsewhere", func(s *scene) {
		s.habit("ana", "198.51.100.7", paris)
		in(s, "08:00", "198.51.100.7", "", bySession("S1"), byAgent(here))
		in(s, "08:20", "203.0.113.9", "", bySession("S1"), byAgent(there))
	}, "ana 203.0.113.9 SESSION_REPLAYED")
	f("the same browser moves from one network to another", func(s *scene) {
		in(s, "08:00", "198.51.100.7", "", bySession("S1"), byAgent(here))
		in(s, "08:20", "203.0.113.9", "", bySession("S1"), byAgent(here))
	})
	f("hours later", func(s *scene) {
		in(s, "08:00", "198.51.100.7", "", bySession("S1"), byAgent(here))
		in(s, "12:20", "203.0.113.9", "", bySession("S1"), byAgent(there))
	})
}

func TestTokensThatNobodyIssued(t *testing.T) {
	// months has the mailbox read by the owner's mail program for three months, and every sign-in logged.
	months := func(s *scene) {
		s.stream("", "m365.ual", "01-01 00:00", "03-31 23:00")
		s.stream("", "m365.ual:MailItemsAccessed", "01-01 00:00", "03-31 23:00")
		s.stream("", "entra.signin", "01-01 00:00", "03-31 23:00")
		for i := range 12 { // enough accounts for an export to be everybody's
			s.login("01-01 07:00", fmt.Sprintf("user%d@example.org", i), "198.51.100.7", entra(logs.SignedIn, "")...)
		}
		for m := 1; m <= 3; m++ {
			for d := 1; d <= 9; d++ {
				s.login(fmt.Sprintf("%02d-%02d 08:00", m, d), "ana@example.org", "198.51.100.7", entra(logs.SignedIn, "")...)
				s.bind(fmt.Sprintf("%02d-%02d 08:10", m, d), "ana@example.org", "198.51.100.7", []string{"m1"}, byApp("client-of-the-owner"))
			}
		}
	}
	f := func(name string, play func(*scene), want ...string) {
		t.Helper()
		var s scene
		months(&s)
		play(&s)
		if got := s.suspects(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	read := func(s *scene, at string, more ...with) {
		s.bind(at, "ana@example.org", "203.0.113.9", []string{"m2"}, append([]with{byApp("client-nobody-knows")}, more...)...)
	}
	f("a forged token", func(s *scene) { read(s, "09:00") }, "ana@example.org 203.0.113.9 UNMATCHED_TOKEN")
	f("the application signed in", func(s *scene) {
		s.login("03-09 20:00", "app", "203.0.113.50", append(entra(logs.SignedIn, ""), byApp("client-nobody-knows"))...)
		read(s, "09:00")
	})
	f("the account signed in from there", func(s *scene) {
		s.login("08:59", "ana@example.org", "203.0.113.9", entra(logs.SignedIn, "")...)
		read(s, "09:00")
	})
	f("the session began long ago", func(s *scene) {
		s.login("02-20 08:59", "ana@example.org", "203.0.113.8", append(entra(logs.SignedIn, ""), bySession("S1"))...)
		read(s, "09:00", bySession("S1"))
	})
	f("the sign-in was two days before, and tokens do not last", func(s *scene) {
		s.login("03-08 01:00", "ana@example.org", "203.0.113.9", entra(logs.SignedIn, "")...)
		read(s, "09:00")
	}, "ana@example.org 203.0.113.9 UNMATCHED_TOKEN")
	f("the application always read there", func(s *scene) {
		read(s, "01-15 09:00")
		read(s, "09:00")
	})
	f("the service's own", func(s *scene) { read(s, "09:00", as(logs.Service)) })
	f("no baseline", func(s *scene) { read(s, "02-10 09:00") })
}

func TestTokensOfADFS(t *testing.T) {
	var tokens []string
	f := func(name string, play func(*scene), want ...string) {
		t.Helper()
		var s scene
		s.stream("", "entra.signin", "03-01 00:00", "03-31 23:00")
		s.stream("ADFS1", "windows.evtx:Security", "03-01 00:00", "03-31 23:00")
		adfs := []with{from("ADFS1", "windows.evtx:Security"), over("adfs")}
		for d := 1; d <= 12; d++ {
			at := fmt.Sprintf("03-%02d 08:00", d)
			s.login(at+":00", `CORP\bob`, "198.51.100.7", adfs...)
			s.login(at+":09", "bob@example.org", "198.51.100.7", entra(logs.SignedInFederated, "")...)
		}
		play(&s)
		if got := s.suspects(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		tokens = s.attribute(t).notes
	}
	f("all were made", func(s *scene) {})
	f("one was not", func(s *scene) {
		s.login("09:00", "ana@example.org", "203.0.113.9", entra(logs.SignedInFederated, "")...)
	}, "ana@example.org 203.0.113.9 FORGED_SAML")
	f("one was made, nobody knows when", func(s *scene) {
		s.login("09:00", "ana@example.org", "203.0.113.9", entra(logs.SignedInFederated, "")...)
		s.login("", "ana", "203.0.113.9", from("ADFS1", "windows.evtx:Security"), over("adfs"))
	})
	f("many were not: a log is missing", func(s *scene) {
		for i := range 5 {
			s.login(fmt.Sprintf("%02d:00", 9+i), "ana@example.org", "203.0.113.9", entra(logs.SignedInFederated, "")...)
		}
	})
	if len(tokens) == 0 || !strings.Contains(tokens[0], "lack 5 of the 17 sign-ins") {
		t.Errorf("%q", tokens)
	}
}
