package exchange_test

import (
	"os"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// TestEvidence pins what each real log is called and how many events and defects it gives.
func TestEvidence(t *testing.T) {
	f := func(name string, events, defects int, elem ...string) {
		t.Helper()
		t.Run(elem[len(elem)-1], func(t *testing.T) {
			path := sharedtest.Path(t, append([]string{"evidence", "exchange"}, elem...)...)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			format := exchange.New()
			s := logtest.Source(path, data)
			if c := format.Sniff(s); c < logs.Likely {
				t.Errorf("not recognised: %d", c)
			}
			if got := format.Refine(s); got != name {
				t.Errorf("called %s, want %s", got, name)
			}
			out := logtest.Events(t, format, path, data)
			if len(out.Events) != events || len(out.Defects) != defects {
				t.Errorf("%d events and %d defects, want %d and %d", len(out.Events), len(out.Defects), events, defects)
			}
			for _, d := range out.Defects {
				t.Log(logtest.DumpDefect(d))
			}
		})
	}
	const real, elastic, logon = "format-samples-real-anonymised", "elastic-integration-samples", "proxylogon-2021-03-real"
	f("exchange.agentlog", 2, 0, real, "AgentLog20220913-1.LOG")
	f("exchange.httpproxy.autodiscover", 1, 0, real, "Autodiscover_HttpProxy_2023010919-1.LOG")
	f("exchange.ecp.activity", 2, 0, real, "ECPActivity_11500_20230111-1.LOG")
	f("exchange.ecp.server", 1, 0, real, "ECPServer20230111-1.LOG")
	f("exchange.httpproxy.eas", 1, 0, real, "Eas_HttpProxy_2023011116-1.LOG")
	f("exchange.httpproxy.ecp", 1, 0, real, "Ecp_HttpProxy_2023010611-1.LOG")
	f("exchange.ews", 1, 0, real, "Ews_2023010616-1.LOG")
	f("exchange.httpproxy.ews", 1, 0, real, "Ews_HttpProxy_2023010601-1.LOG")
	f("exchange.messagetracking", 2, 0, real, "MSGTRKMS2022091915-1.LOG")
	f("exchange.httpproxy.mapi", 3, 0, real, "Mapi_HttpProxy_2023010601-1.LOG")
	f("exchange.httpproxy.owa", 1, 0, real, "Owa_HttpProxy_2023010602-1.LOG")
	f("exchange.httpproxy.powershell", 2, 0, real, "PowerShell_HttpProxy_2023011116-1.LOG")
	f("exchange.smtp.receive", 16, 0, real, "RECV2023011116-1.LOG")
	f("exchange.httpproxy.rpchttp", 1, 0, real, "RpcHttp_HttpProxy_2023010708-1.LOG")
	f("exchange.rps.cmdlet", 1, 0, real, "Rps_Cmdlet_2023011116-1.LOG")
	f("exchange.auditqueue", 1, 0, real, "audit20230111-1.LOG")
	f("exchange.httpproxy.mapi", 1, 0, elastic, "httpproxy_mapi.log")
	f("exchange.imap4", 3, 0, elastic, "imap4.log")
	f("exchange.messagetracking", 5, 0, elastic, "messagetracking.log")
	f("exchange.pop3", 3, 0, elastic, "pop3.log")
	f("exchange.smtp.receive", 4, 0, elastic, "smtp_receive.log")
	f("exchange.smtp.send", 3, 0, elastic, "smtp_send.log")
	f("exchange.ecp.server", 17, 3, logon, "ECPServer20210303-1_selected-fields.LOG.txt")
	f("exchange.httpproxy.ecp", 11, 0, logon, "HttpProxy_Ecp_selected-columns.csv")
	f("exchange.httpproxy.owa", 5, 5, logon, "HttpProxy_Owa_139.162.202.236.csv")
	f("exchange.httpproxy.owa", 69, 1, logon, "HttpProxy_Owa_67.205.176.9.csv")
}
