package judge

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

func TestProgramsThatKeepACopy(t *testing.T) {
	f := func(format, agent, app, protocol string, want bool) {
		t.Helper()
		if got := keepsCopy(&tally.Context{Format: format, Agent: agent, App: app}, protocol); got != want {
			t.Errorf("%s %q %q %q: %v", format, agent, app, protocol, got)
		}
	}
	f("m365.ual", "Client=MSExchangeRPC", "", "", true)
	f("m365.ual", "Client=OWA;Mozilla/5.0 (Windows NT 10.0)", "", "", false)
	f("m365.ual", "Client=REST;Client=RESTSystem;;", "", "", false)
	f("m365.ual", "BAV2ROPC", "00000002-0000-0ff1-ce00-000000000000", "", true)
	f("m365.ual", "Mozilla/5.0", "D3590ED6-52B3-4102-AEFF-AAD2292AB01C", "UserLoggedIn", true)
	f("m365.ual", "Mozilla/5.0", "00000002-0000-0ff1-ce00-000000000000", "UserLoggedIn", false)
	f("entra.signin", "", "", "IMAP4", true)
	f("entra.signin", "", "", "Exchange ActiveSync", true)
	f("entra.signin", "Mozilla/5.0", "9199bf20-a13f-4107-85dc-02114787ef48", "Office 365 Exchange Online", false)
	f("entra.signin", "Mozilla/5.0", "", "One Outlook Web", false)
	f("entra.signin", "", "", "", false)
	f("exchange.mapihttp", "Microsoft Outlook", "", "", false)
}

// What a program may have copied without a record is said of the mailbox, and of messages only where no recorded synchronisation makes them possible.
func TestACopyWithoutARecordIsSaidOnce(t *testing.T) {
	f := func(name string, sync bool, message string) {
		t.Helper()
		s := &scene{inventory: mail(box1, "<in@x>", "<other@x>||G")}
		rule := logs.SyncFolder
		if !sync {
			rule = logs.MailboxUsed
		}
		s.see(logs.Access, "09:00", box1, "203.0.113.9", over("m365"), from("", "m365.ual"), of("folder", "F"), inside(box1), exposing(logs.Content), bySession("S2"),
			byAgent("Client=MSExchangeRPC"), func(x *sighting) { x.o.Inference = rule })
		j := s.reach(t, &shown{ways: []string{"m365"}}, nil, byIP)
		for id, want := range map[string]string{box1: ruleUnseenSync, "<other@x>": message} {
			i := slices.IndexFunc(j.Reached, func(r casefile.Reached) bool { return r.Object.ID == id })
			if i < 0 {
				t.Fatal(name, "no entry of", id)
			}
			var rules []string
			for _, w := range j.Reached[i].Why {
				rules = append(rules, w.Rule)
			}
			if said := slices.Contains(rules, ruleUnseenSync); !slices.Contains(rules, want) || said != (want == ruleUnseenSync) {
				t.Errorf("%s: of %s is said %v, want %s", name, id, rules, want)
			}
		}
	}
	f("a synchronisation", true, ruleSyncMailbox)
	f("none", false, ruleUnseenSync)
}
