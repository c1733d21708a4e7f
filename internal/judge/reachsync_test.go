package judge

import (
	"testing"

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
