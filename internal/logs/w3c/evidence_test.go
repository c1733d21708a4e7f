package w3c_test

import (
	"os"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/w3c"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// TestEvidence pins how many events and defects each file of real IIS logs gives.
func TestEvidence(t *testing.T) {
	f := func(events, defects int, elem ...string) {
		t.Helper()
		t.Run(elem[len(elem)-1], func(t *testing.T) {
			path := sharedtest.Path(t, append([]string{"evidence"}, elem...)...)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			format := w3c.New()
			if c := format.Sniff(logtest.Source(path, data)); c < logs.Likely {
				t.Errorf("not recognised: %d", c)
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
	f(5, 0, "iis", "elastic-beats-tests", "test.log")
	f(1, 0, "iis", "matomo-tests", "iis.log")
	f(1, 0, "iis", "plaso-test-data", "iis10.log")
	f(3, 0, "iis", "plaso-test-data", "iis10_cookies.log")
	f(15, 0, "iis", "plaso-test-data", "iis10_edge_cases.log")
	f(12, 0, "iis", "plaso-test-data", "iis6.log")
	f(3, 0, "iis", "plaso-test-data", "iis7_owa.log")
	f(4298, 0, "iis", "tunna-rdp-tunnel", "Tunna_rdp_tunnel_IIS.log")
	f(8, 2, "exchange", "proxylogon-2021-03-real", "W3SVC1_u_ex21030x_webshell-hits.log")
	f(5, 5, "exchange", "proxyshell-excerpts-real-anonymised", "iis_u_ex_excerpt.log")
}
