package windows

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func TestEventsTellIdentities(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		if got := logtest.Identities(t, JSON(), "x.json", []byte(in)); !slices.Equal(got, want) {
			t.Errorf("%s\ntells %q\nwant  %q", in, got, want)
		}
	}
	security := func(id int, fields ...string) string {
		return record("Microsoft-Windows-Security-Auditing", "Security", id, fields...)
	}
	f(security(4624, "TargetUserName=ana", "TargetUserSid=S-1-5-21-1-2-3-4", "SubjectUserName=EX1$", "SubjectUserSid=S-1-5-18", "LogonType=3"), "ana=S-1-5-21-1-2-3-4")
	f(security(5145, "SubjectUserName=ana", "SubjectUserSid=S-1-5-21-1-2-3-4", "ShareName=x"), "ana=S-1-5-21-1-2-3-4")
	f(security(4768, "TargetUserName=ana", "TargetSid=S-1-5-21-1-2-3-4", "Status=0x0"), "ana=S-1-5-21-1-2-3-4")
	f(security(4625, "TargetUserName=ana", "TargetUserSid=S-1-5-21-1-2-3-4", "LogonType=3")) // whatever name was tried
	f(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"MSExchange CmdletLogs"}},"EventID":1,"Channel":"MSExchange Management"},"EventData":{"Data":{"#text":["Get-Mailbox","","example.org/Users/eve","S-1-5-21-1-2-3-5","x"]}}}}`,
		"example.org/Users/eve=S-1-5-21-1-2-3-5")
}
