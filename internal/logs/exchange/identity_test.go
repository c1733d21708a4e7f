package exchange_test

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func TestWhoSignedInHasASID(t *testing.T) {
	f := func(head, line string, want ...string) {
		t.Helper()
		if got := logtest.Identities(t, exchange.New(), "x", []byte(head+"\n"+line+"\n")); !slices.Equal(got, want) {
			t.Errorf("%s tells %q, want %q", line, got, want)
		}
	}
	const proxied = "DateTime,Protocol,UrlStem,AuthenticatedUser,AnchorMailbox,ClientIpAddress,ServerHostName,HttpStatus"
	f(proxied, `2024-05-06T07:00:01Z,Owa,/owa/,X\ana,Sid~S-1-5-21-1-2-3-1105,203.0.113.9,EX1,200`, `X\ana=S-1-5-21-1-2-3-1105`)
	f(proxied, `2024-05-06T07:00:01Z,Owa,/owa/,,Sid~S-1-5-21-1-2-3-1105,203.0.113.9,EX1,200`)
	f(proxied, `2024-05-06T07:00:01Z,Owa,/owa/,X\EX1$,Sid~S-1-5-21-1-2-3-1105,203.0.113.9,EX1,200`)
	f(proxied, `2024-05-06T07:00:01Z,Mapi,/mapi/emsmdb/,X\ana,MailboxGuid~3b8d1f00-1111-4222-8333-aaaaaaaaaaaa,203.0.113.9,EX1,200`)
	f(proxied, `2024-05-06T07:00:01Z,Ews,/ews/,X\ana,SMTP~bob@example.org,203.0.113.9,EX1,200`)
	const target = proxied + ",TargetServer"
	f(target, `2024-05-06T07:00:01Z,Owa,/owa/,X\ana,Sid~S-1-5-21-1-2-3-1105,203.0.113.9,EX1,200,ex2.example`, "ex2.example=exchange-server", `X\ana=S-1-5-21-1-2-3-1105`)
	f(target, `2024-05-06T07:00:01Z,Mapi,/mapi/,X\ana,MailboxGuid~3b8d1f00-1111-4222-8333-aaaaaaaaaaaa,203.0.113.9,EX1,302,ex2.example`, "ex2.example=exchange-server")
	f(target, `2024-05-06T07:00:01Z,Ecp,/ecp/y.js,X\ana,ServerInfo~a]@ex9.example:444/x?#,203.0.113.9,EX1,200,ex9.example`)
	f(target, `2024-05-06T07:00:01Z,Owa,/owa/,X\ana,MailboxGuid~3b8d1f00-1111-4222-8333-aaaaaaaaaaaa,203.0.113.9,EX1,503,ex2.example`)
	f("DateTime,Cmdlet,Parameters,ExecutionResult,AuthenticatedUser,ExecutingUserSid", `2024-05-06T07:00:01Z,Get-Mailbox,,Success,X\eve,S-1-5-21-1-2-3-1106`, `X\eve=S-1-5-21-1-2-3-1106`)
}
