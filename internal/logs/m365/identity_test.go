package m365_test

import (
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/m365"
)

func TestRecordsOfMailboxesTellIdentities(t *testing.T) {
	f := func(fields string, want ...string) {
		t.Helper()
		in := `{"CreationTime":"2024-05-01T10:00:00","Id":"x",` + fields + "}\n"
		if got := logtest.Identities(t, m365.NewUAL(), "x.json", []byte(in)); !slices.Equal(got, want) {
			t.Errorf("%s\ntells %q\nwant  %q", fields, got, want)
		}
	}
	const owner = `"Workload":"Exchange","MailboxOwnerUPN":"\u0061na@example.org","MailboxGuid":"G1","MailboxOwnerSid":"S-1-5-21-1-2-3-4"`
	f(`"Operation":"MailItemsAccessed",`+owner+`,"UserId":"bob@example.org","LogonUserSid":"S-1-5-21-1-2-3-5"`,
		"ana@example.org=G1", "ana@example.org=S-1-5-21-1-2-3-4", "bob@example.org=S-1-5-21-1-2-3-5")
	f(`"Operation":"HardDelete",`+owner+`,"UserId":"NT AUTHORITY\\SYSTEM","LogonUserSid":"S-1-5-18"`, "ana@example.org=G1", "ana@example.org=S-1-5-21-1-2-3-4")
	f(`"Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","UserId":"ana@example.org"`)
	f(`"Operation":"Set-Mailbox","Workload":"Exchange","UserId":"ana@example.org","MailboxOwnerUPN":"bob@example.org","MailboxGuid":"G1"`)
}

func TestIdentitiesCostNoAllocation(t *testing.T) {
	line := `{"CreationTime":"2024-05-01T10:00:00","Id":"x","Operation":"MailItemsAccessed","Workload":"Exchange","UserId":"ana@example.org","LogonUserSid":"S-1-5-21-1-2-3-4","MailboxOwnerUPN":"ana@example.org","MailboxGuid":"G1","MailboxOwnerSid":"S-1-5-21-1-2-3-4"}`
	out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(line+"\n"))
	p := m365.NewUAL().Parser().(logs.Identifier)
	var list []logs.Identity
	if n := testing.AllocsPerRun(100, func() { list = p.Identities(&out.Events[0], list[:0]) }); n > 0 || len(list) != 3 {
		t.Errorf("%.0f allocations for %d identities", n, len(list))
	}
}
