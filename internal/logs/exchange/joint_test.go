package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func TestJoint(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		format := exchange.New()
		out := logtest.Events(t, format, "x", []byte(text+"\r\n"))
		p, got := format.Parser().(logs.Joiner), ""
		for i := range out.Events {
			if j, ok := p.Joint(&out.Events[i]); ok {
				got += fmt.Sprintf("%x %v", j.ID[:4], j.Sure)
			}
			if n := testing.AllocsPerRun(10, func() { p.Joint(&out.Events[i]) }); n > 0 {
				t.Errorf("%v allocations", n)
			}
		}
		if got != want || len(out.Defects) > 0 {
			t.Errorf("%.60s: %q with %d defects, want %q", text, got, len(out.Defects), want)
		}
	}
	const id = "cde28fc4-299e-4179-b3e9-de56f5c1d9ee"
	head := "#Software: Microsoft Exchange Server\r\n#Log-type: HttpProxy Logs\r\n#Fields: DateTime,RequestId,Protocol,UrlStem,AnchorMailbox,HttpStatus,UrlQuery\r\n2024-05-07T01:02:03.123Z,"
	f(head+id+",Owa,/owa/,,200,?a=b", "cde28fc4 true")
	f(head+",Owa,/owa/,,200,?a=b", "")
	f(head+id+",Eas,/Microsoft-Server-ActiveSync/,,200,?"+strings.Repeat("x", 4090), "cde28fc4 false")
	f("#Software: Microsoft Exchange Server\r\n#Log-type: EWS Logs\r\n#Fields: DateTime,RequestId,SoapAction,ImpersonatedUser\r\n2024-05-07T01:02:03.123Z,"+id+",GetItem,", "cde28fc4 false")
	f("#Software: Microsoft Exchange Server\r\n#Log-type: Message Tracking Log\r\n#Fields: date-time,RequestId,internal-message-id,event-id\r\n2024-05-07T01:02:03.123Z,"+id+",1,RECEIVE", "")
}
