package w3c_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/w3c"
)

// TestExchange reads lines of the two sites of an Exchange server: what clients ask of the front end, and what that asks of the back end.
func TestExchange(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		format := w3c.New()
		out := logtest.Events(t, format, "x", []byte(software+strings.Replace(fields, "s-ip", "s-computername", 1)+"2024-05-07 01:02:03 EX1 "+line+"\r\n"))
		p := format.Parser()
		var got []string
		for i := range out.Events {
			for _, o := range p.Observe(&out.Events[i], nil) {
				got = append(got, logtest.DumpObservation(o))
			}
		}
		if g := strings.Join(got, "; "); g != want || len(out.Defects) > 0 {
			t.Errorf("%s:\n got %s\nwant %s\n%d defects", line, g, want, len(out.Defects))
		}
	}
	f("POST /owa/service.svc action=GetConversationItems&EP=1&ID=-11&AC=1&CorrelationID=<empty>;&cafeReqId=1; 443 X\\ana 203.0.113.9 Firefox - 200 0 0 133",
		`access ok account="X\\ana" ip=203.0.113.9 agent=Firefox channel=owa action=GetConversationItems inference=MAILBOX_READ mailbox="X\\ana" exposure=content before=133ms`)
	f("POST /owa/auth.owa &CorrelationID=<empty>; 443 X\\ana 203.0.113.9 Firefox - 302 0 0 20",
		`login ok account="X\\ana" ip=203.0.113.9 agent=Firefox channel=owa inference=SIGNED_IN before=20ms`)
	// The back end knows the front end only.
	f("POST /Microsoft-Server-ActiveSync/Proxy/default.eas User=ana&DeviceId=D1&DeviceType=P&Cmd=Sync&Log=V141_Fc1_Fid:5_Ty:Em_Filt0_St:F_Sk:1_Svr:25A0C0D0F0E_As:AllowedG_ 444 X\\ana 192.0.2.1 Phone - 200 0 0 90",
		`access ok account="X\\ana" agent=Phone channel=eas device=D1 action=Fid:5_Ty:Em_Filt0_St:F inference=FOLDER_SYNCED mailbox="X\\ana" exposure=content count=25 before=90ms`)
	f("POST /ecp/DDI/DDIService.svc/SetObject msExchEcpCanary=x&schema=ResetOABVirtualDirectory 444 X\\EX1$ fe80::1 python - 200 0 0 90",
		`access ok account="X\\EX1$" ip=fe80::1 agent=python channel=ecp action=ecp/DDI/DDIService.svc/SetObject inference=PROXYLOGON_WRITTEN host=EX1 before=90ms; `+
			`capability ok account="X\\EX1$" ip=fe80::1 agent=python channel=ecp action=ecp/DDI/DDIService.svc/SetObject inference=SHELL_WRITTEN power=host host=EX1 before=90ms`)
	f("POST /autodiscover/autodiscover.json @x.example/powershell/?&Email=autodiscover/autodiscover.json%3F@x.example 443 - 203.0.113.9 python - 302 0 0 90",
		`access ok ip=203.0.113.9 agent=python channel=autodiscover action=powershell inference=PROXYSHELL_POWERSHELL host=EX1 before=90ms`)
	f("GET /owa/healthcheck.htm - 443 - 127.0.0.1 AMProbe/Local/ClientAccess - 200 0 0 1", `heartbeat ok ip=127.0.0.1 channel=owa`)
	f("GET /owa/healthcheck.htm - 443 - 203.0.113.9 AMProbe/Local/ClientAccess - 200 0 0 1", ``)
}
