package w3c_test

import (
	"fmt"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/w3c"
)

func TestJoint(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		format := w3c.New()
		out := logtest.Events(t, format, "x", []byte(software+fields+"2024-05-07 01:02:03 192.0.2.1 "+line+"\r\n"))
		p, got := format.Parser().(logs.Joiner), ""
		for i := range out.Events {
			if j, ok := p.Joint(&out.Events[i]); ok {
				got += fmt.Sprintf("%x %s %v", j.ID[:4], j.Channel, j.Sure)
			}
			if n := testing.AllocsPerRun(10, func() { p.Joint(&out.Events[i]) }); n > 0 {
				t.Errorf("%s: %v allocations", line, n)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	const id = "&CorrelationID=<empty>;&cafeReqId=cde28fc4-299e-4179-b3e9-de56f5c1d9ee;"
	f("GET /owa/ "+id+"&encoding=; 443 X\\ana 203.0.113.9 Firefox - 200 0 0 133", "cde28fc4 owa true")
	f("GET /EWS/Exchange.asmx "+id+" 443 - 203.0.113.9 Firefox - 401 0 0 133", "cde28fc4 ews false")
	f("GET /EWS/Exchange.asmx "+id+" 443 X\\ana 203.0.113.9 Firefox - 401 0 0 133", "cde28fc4 ews true")
	// What the client wrote stands before what the server adds.
	f("GET /owa/ cafeReqId=00000000-0000-0000-0000-000000000000;"+id+" 443 - 203.0.113.9 Firefox - 302 0 0 1", "cde28fc4 owa true")
	f("GET /owa/ &cafeReqId=3341f5-feerd-4b84-a736-bd1b3245df; 443 - 203.0.113.9 Firefox - 302 0 0 1", "")
	f("GET /owa/ - 443 - 203.0.113.9 Firefox - 302 0 0 1", "")
	f("POST /owa/service.svc "+id+" 444 X\\ana 192.0.2.1 Firefox - 200 0 0 1", "")
}
