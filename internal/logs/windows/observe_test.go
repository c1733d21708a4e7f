package windows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
)

// record returns an event in the form of evtx_dump, from fields as name=value.
func record(provider, channel string, id int, fields ...string) string {
	var data []string
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		data = append(data, fmt.Sprintf("%q:%q", name, value))
	}
	section := `"EventData":{` + strings.Join(data, ",") + `}`
	if strings.HasPrefix(channel, "Microsoft-Windows-TerminalServices") {
		section = `"UserData":{"EventXML":{` + strings.Join(data, ",") + `}}`
	}
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":%q}},"EventID":%d,"Channel":%q,"Computer":"mx1"},%s}}`, provider, id, channel, section)
}

func TestObserve(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		format := JSON()
		e := &logtest.Events(t, format, "x.json", []byte(in)).Events[0]
		var got []string
		for _, o := range logtest.Observations(format, e) {
			got = append(got, logtest.DumpObservation(o))
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%s\nmeans %s\nwant  %s", in, g, want)
		}
	}
	security := func(id int, fields ...string) string {
		return record("Microsoft-Windows-Security-Auditing", "Security", id, fields...)
	}
	// Logons, by type.
	f(security(4624, "TargetUserName=ana", "TargetDomainName=EXAMPLE", "TargetLogonId=0x1234", "LogonType=3", "IpAddress=203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=smb session=0x1234")
	f(security(4624, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=10", "IpAddress=::ffff:203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=rdp session=0x1234")
	f(security(4624, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=2", "IpAddress=-"), "login ok account=ana channel=windows session=0x1234")
	f(security(4624, "TargetUserName=ana", "LogonType=5"), "")
	f(security(4624, "TargetUserName=ana", "LogonType=9"), "")
	// Windows' own identities.
	f(security(4624, "TargetUserName=MX1$", "LogonType=3"), "")
	f(security(4624, "TargetUserName=SYSTEM", "LogonType=2"), "")
	f(security(4624, "TargetUserName=ANONYMOUS LOGON", "LogonType=3", "IpAddress=203.0.113.9"), "")
	f(security(4624, "TargetUserName=DWM-3", "LogonType=2"), "")
	f(security(4624, "TargetUserName=DWM-team", "LogonType=2"), "login ok account=DWM-team channel=windows")
	f(security(4624, "TargetUserName=HealthMailbox0a1b2c3", "LogonType=8", "IpAddress=::1"), "heartbeat ok account=HealthMailbox0a1b2c3 ip=::1 channel=windows")
	// Failures.
	f(security(4625, "TargetUserName=ana", "Status=0xc000006d", "SubStatus=0xc000006a", "LogonType=3", "IpAddress=203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=smb action=0xc000006a")
	f(security(4625, "TargetUserName=ana", "Status=0xc000015b", "SubStatus=0x0", "LogonType=10", "IpAddress=203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=rdp action=0xc000015b")
	f(security(4625, "TargetUserName=-", "SubStatus=0xc0000064", "LogonType=3", "IpAddress=203.0.113.9"), "login failed ip=203.0.113.9 channel=smb action=0xc0000064")
	f(security(4625, "TargetUserName=-", "LogonType=3", "IpAddress=-"), "")
	f(security(4625, "TargetUserName=MX1$", "LogonType=3", "IpAddress=203.0.113.9"), "")
	f(security(4776, "TargetUserName=ana", "Workstation=WS1", "Status=0x0"), "login ok account=ana channel=windows")
	f(security(4776, "TargetUserName=ana", "Workstation=WS1", "Status=0xc0000064"), "login failed account=ana channel=windows action=0xc0000064")
	f(security(4771, "TargetUserName=ana", "Status=0x18", "IpAddress=::ffff:203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=windows action=0x18")
	f(security(4768, "TargetUserName=ana", "Status=0x6", "IpAddress=::ffff:203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=windows action=0x6")
	f(security(4768, "TargetUserName=ana", "Status=0x0", "IpAddress=::ffff:203.0.113.9"), "")
	// Records that do not say whether the password was right.
	f(security(4648, "TargetUserName=ana", "TargetServerName=mx2", "IpAddress=203.0.113.9"), "")
	f(record("Microsoft-Windows-TerminalServices-RemoteConnectionManager", "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", 1149, "Param1=ana", "Param3=203.0.113.9"), "")
	// Remote desktop sessions.
	f(security(4778, "AccountName=ana", "LogonID=0x1234", "ClientName=WS1", "ClientAddress=203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=rdp session=0x1234")
	f(security(4778, "AccountName=ana", "LogonID=0x1234", "ClientAddress=LOCAL"), "login ok account=ana channel=windows session=0x1234")
	f(security(4779, "AccountName=ana", "LogonID=0x1234", "ClientAddress=203.0.113.9"), "")
	const lsm = "Microsoft-Windows-TerminalServices-LocalSessionManager"
	f(record(lsm, lsm+"/Operational", 21, `User=EX\ana`, "SessionID=3", "Address=203.0.113.9"), `login ok account="EX\\ana" ip=203.0.113.9 channel=rdp session=3`)
	f(record(lsm, lsm+"/Operational", 25, `User=EX\ana`, "SessionID=3", "Address=LOCAL"), `login ok account="EX\\ana" channel=windows session=3`)
	f(record(lsm, lsm+"/Operational", 24, `User=EX\ana`, "SessionID=3", "Address=203.0.113.9"), "")
	// Logs that miss something.
	f(record("Microsoft-Windows-Eventlog", "Security", 1102, "SubjectUserName=ana"), `gap ok account=ana action="log cleared" log=Security`)
	f(record("Microsoft-Windows-Eventlog", "Security", 1104), `gap ok action="audit events lost" log=Security`)
	f(record("Other", "System", 104), "")
}

func TestObserveExchangeCmdlets(t *testing.T) {
	f := func(cmdlet, params, want string) {
		t.Helper()
		in := fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"MSExchange CmdletLogs"}},"EventID":1,"Channel":"MSExchange Management"},"EventData":{"Data":{"#text":[%q,%q,"example.org/Users/eve","S-1-5-21-1"]}}}}`, cmdlet, params)
		format := JSON()
		e := &logtest.Events(t, format, "x.json", []byte(in)).Events[0]
		got := ""
		for _, o := range logtest.Observations(format, e) {
			got += logtest.DumpObservation(o)
		}
		if got != want {
			t.Errorf("%s %s\nmeans %s\nwant  %s", cmdlet, params, got, want)
		}
	}
	f("Set-Mailbox", `-Identity "ana" -ForwardingSmtpAddress "smtp:x@example.net"`,
		"capability ok account=example.org/Users/eve channel=powershell action=Set-Mailbox inference=RULE_MADE power=rule in=ana target=smtp:x@example.net")
	f("New-MailboxExportRequest", `-Mailbox "ana" -FilePath "\\h\c$\x.pst"`,
		`access ok account=example.org/Users/eve channel=powershell action=New-MailboxExportRequest inference=EXPORT_REQUESTED mailbox=ana exposure=content target="\\\\h\\c$\\x.pst"`)
	f("Get-Mailbox", `-Identity "ana"`, "")
}
