package access_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// read returns a file, without its gzip.
func read(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			tb.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			tb.Fatal(err)
		}
	}
	return data
}

// TestEvidence pins how many lines each real log has and how many events and defects they give.
func TestEvidence(t *testing.T) {
	f := func(name string, events, defects int, elem ...string) {
		t.Helper()
		t.Run(strings.Join(elem, "/"), func(t *testing.T) {
			path := sharedtest.Path(t, append([]string{"evidence"}, elem...)...)
			data := read(t, path)
			format := access.New()
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
			for i, d := range out.Defects {
				if i < 5 {
					t.Log(logtest.DumpDefect(d), string(data[d.Offset:d.Offset+min(d.Length, 300)]))
				}
			}
		})
	}
	// Where an address was taken out of this one, only the end of the line is left.
	f("web.access", 6773, 1530, "web-access", "erddap-nginx", "access.log.gz")
	f("web.access", 31733, 0, "web-access", "honeynet-2004", "access_2004-04-21_2004-07-04.log.gz")
	f("web.access", 163416, 0, "web-access", "http-flood-2015", "access.log.gz")
	f("web.access", 6539, 0, "web-access", "scanners-2017", "acunetix.txt.log.gz")
	f("web.access", 7314, 0, "web-access", "scanners-2017", "netsparker.txt.log.gz")
	f("web.access", 10000, 1, "web-access", "semicomplete-2015", "access.log.gz")
	f("web.access", 144072, 0, "web-access", "wordpress-2016", "access_2016-02-20_2016-03-17.log.gz")
	f("web.access", 15, 1, "web-access", "plaso-test-data", "apache_access.log")
	f("web.access", 1210, 0, "linux-sotm34", "raw", "http", "access_log.log")
	f("web.error", 1126, 0, "linux-sotm34", "raw", "http", "error_log.log")
	f("web.error", 233, 0, "linux-sotm34", "raw", "http", "ssl_error_log.log")
}
