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
	f(security(4624, "TargetUserName=ana", "TargetDomainName=EXAMPLE", "TargetLogonId=0x1234", "LogonType=3", "IpAddress=203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=smb session=0x1234 inference=SIGNED_IN")
	f(security(4624, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=10", "IpAddress=::ffff:203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=rdp session=0x1234 inference=SIGNED_IN")
	f(security(4624, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=2", "IpAddress=-"), "login ok account=ana channel=windows session=0x1234 inference=SIGNED_IN")
	f(security(4624, "TargetUserName=ana", "LogonType=5"), "")
	f(security(4624, "TargetUserName=ana", "LogonType=9"), "")
	// Windows' own identities.
	f(security(4624, "TargetUserName=MX1$", "LogonType=3"), "")
	f(security(4624, "TargetUserName=SYSTEM", "LogonType=2"), "")
	f(security(4624, "TargetUserName=ANONYMOUS LOGON", "LogonType=3", "IpAddress=203.0.113.9"), "")
	f(security(4624, "TargetUserName=DWM-3", "LogonType=2"), "")
	f(security(4624, "TargetUserName=DWM-team", "LogonType=2"), "login ok account=DWM-team channel=windows inference=SIGNED_IN")
	f(security(4624, "TargetUserName=HealthMailbox0a1b2c3", "LogonType=8", "IpAddress=::1"), "heartbeat ok account=HealthMailbox0a1b2c3 ip=::1 channel=windows")
	// Failures.
	f(security(4625, "TargetUserName=ana", "Status=0xc000006d", "SubStatus=0xc000006a", "LogonType=3", "IpAddress=203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=smb action=0xc000006a")
	f(security(4625, "TargetUserName=ana", "Status=0xc000015b", "SubStatus=0x0", "LogonType=10", "IpAddress=203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=rdp action=0xc000015b")
	f(security(4625, "TargetUserName=-", "SubStatus=0xc0000064", "LogonType=3", "IpAddress=203.0.113.9"), "login failed ip=203.0.113.9 channel=smb action=0xc0000064")
	f(security(4625, "TargetUserName=-", "LogonType=3", "IpAddress=-"), "")
	f(security(4625, "TargetUserName=MX1$", "LogonType=3", "IpAddress=203.0.113.9"), "")
	f(security(4776, "TargetUserName=ana", "Workstation=WS1", "Status=0x0"), "login ok account=ana channel=windows inference=SIGNED_IN")
	f(security(4776, "TargetUserName=ana", "Workstation=WS1", "Status=0xc0000064"), "login failed account=ana channel=windows action=0xc0000064")
	f(security(4771, "TargetUserName=ana", "Status=0x18", "IpAddress=::ffff:203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=windows action=0x18")
	f(security(4768, "TargetUserName=ana", "Status=0x6", "IpAddress=::ffff:203.0.113.9"), "login failed account=ana ip=203.0.113.9 channel=windows action=0x6")
	f(security(4768, "TargetUserName=ana", "Status=0x0", "PreAuthType=2", "IpAddress=::ffff:203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=windows inference=SIGNED_IN")
	f(security(4768, "TargetUserName=ana", "Status=0x0", "PreAuthType=0", "IpAddress=::ffff:203.0.113.9"), "login unknown account=ana ip=203.0.113.9 channel=windows inference=SIGNED_IN")
	// Records that do not say whether the password was right.
	f(security(4648, "SubjectUserName=eve", "SubjectLogonId=0x77", "TargetUserName=ana", "TargetServerName=mx2", "IpAddress=203.0.113.9"),
		`login unknown account=ana ip=203.0.113.9 channel=windows session=0x77 action="explicit credentials" inference=SIGNED_IN target=mx2`)
	f(security(4648, "SubjectUserName=MX1$", "TargetUserName=ana", "TargetServerName=mx2"), "")
	f(security(4648, "SubjectUserName=ana", "TargetUserName=ana", "TargetServerName=mx2"), "")
	f(record("Microsoft-Windows-TerminalServices-RemoteConnectionManager", "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational", 1149, "Param1=ana", "Param3=203.0.113.9"), "")
	// Remote desktop sessions.
	f(security(4778, "AccountName=ana", "LogonID=0x1234", "ClientName=WS1", "ClientAddress=203.0.113.9"), "login ok account=ana ip=203.0.113.9 channel=rdp session=0x1234 inference=SIGNED_IN")
	f(security(4778, "AccountName=ana", "LogonID=0x1234", "ClientAddress=LOCAL"), "login ok account=ana channel=windows session=0x1234 inference=SIGNED_IN")
	f(security(4779, "AccountName=ana", "LogonID=0x1234", "ClientAddress=203.0.113.9"), "")
	const lsm = "Microsoft-Windows-TerminalServices-LocalSessionManager"
	f(record(lsm, lsm+"/Operational", 21, `User=EX\ana`, "SessionID=3", "Address=203.0.113.9"), `login ok account="EX\\ana" ip=203.0.113.9 channel=rdp session=3 inference=SIGNED_IN`)
	f(record(lsm, lsm+"/Operational", 25, `User=EX\ana`, "SessionID=3", "Address=LOCAL"), `login ok account="EX\\ana" channel=windows session=3 inference=SIGNED_IN`)
	f(record(lsm, lsm+"/Operational", 24, `User=EX\ana`, "SessionID=3", "Address=203.0.113.9"), "")
	// Logs that miss something.
	f(record("Microsoft-Windows-Eventlog", "Security", 1102, "SubjectUserName=ana"), `gap ok account=ana action="log cleared" inference=cleared log=Security`)
	f(record("Microsoft-Windows-Eventlog", "Security", 1104), `gap ok action="audit events lost" inference=lost log=Security`)
	f(record("Other", "System", 104), "")
	f(security(4719, "SubjectUserName=ana", "SubcategoryGuid={0CCE9244-69AE-11D9-BED3-505054503030}", "AuditPolicyChanges=%%8448, %%8450"), `gap ok account=ana action="audit policy changed" inference=narrowed log=Security in={0CCE9244-69AE-11D9-BED3-505054503030}`)
	f(security(4719, "SubjectUserName=ana", "SubcategoryGuid={0cce9215-69ae-11d9-bed3-505054503030}", "AuditPolicyChanges=%%8448"), `gap ok account=ana action="audit policy changed" inference=disabled log=Security in={0cce9215-69ae-11d9-bed3-505054503030}`)
	f(security(4719, "SubjectUserName=ana", "SubcategoryGuid={0cce9215-69ae-11d9-bed3-505054503030}", "AuditPolicyChanges=%%8449, %%8451"), `gap ok account=ana action="audit policy changed" inference=enabled log=Security in={0cce9215-69ae-11d9-bed3-505054503030}`)
	f(security(4719, "SubjectUserName=ana", "SubcategoryGuid={0CCE9244-69AE-11D9-BED3-505054503030}", "AuditPolicyChanges=%%8449"), `gap ok account=ana action="audit policy changed" inference=narrowing_ended log=Security in={0CCE9244-69AE-11D9-BED3-505054503030}`)
	f(security(4719, "SubjectUserName=ana", "AuditPolicyChanges=%%8449"), "")
	// The host goes and comes.
	f(record("EventLog", "System", 6006), "heartbeat ok inference=DOWN")
	f(record("Microsoft-Windows-Kernel-General", "System", 12), "heartbeat ok inference=UP")
	f(record("User32", "System", 1074), "heartbeat ok inference=DOWN")
	f(record("Microsoft-Windows-Kernel-Power", "System", 41), "heartbeat ok inference=UP")
	f(record("Other", "System", 41), "")
	// The end of a session.
	f(security(4634, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=3"), "login ok account=ana channel=smb session=0x1234 action=logoff inference=SIGNED_IN count=0")
	f(security(4647, "TargetUserName=ana", "TargetLogonId=0x1234"), "login ok account=ana channel=windows session=0x1234 action=logoff inference=SIGNED_IN count=0")
	f(security(4634, "TargetUserName=MX1$", "TargetLogonId=0x1234", "LogonType=3"), "")
	f(security(4634, "TargetUserName=ana", "TargetLogonId=0x1234", "LogonType=5"), "")
}

func TestObserveFiles(t *testing.T) {
	f := meant(t, "Microsoft-Windows-Security-Auditing", "Security")
	who := []string{"SubjectUserName=ana", "SubjectLogonId=0x1234"}
	share := append(who, "IpAddress=203.0.113.9", `ShareName=\\*\Board`)
	f(5145, append(share, `RelativeTargetName=2026\minutes.pdf`, "AccessMask=0x120089"),
		`access ok account=ana ip=203.0.113.9 channel=smb session=0x1234 inference=FILE_READ_GRANTED file="2026\\minutes.pdf" in="\\\\*\\Board" exposure=content`)
	f(5145, append(share, `RelativeTargetName=2026\minutes.pdf`, "AccessMask=0x120089", "Keywords=0x8010000000000000"),
		`access failed account=ana ip=203.0.113.9 channel=smb session=0x1234 inference=FILE_READ_GRANTED file="2026\\minutes.pdf" in="\\\\*\\Board"`)
	f(5145, append(share, `RelativeTargetName=2026\minutes.pdf`, "AccessMask=0x80"), "")
	f(5145, append(share, `RelativeTargetName=\`, "AccessMask=0x1"), `access ok account=ana ip=203.0.113.9 channel=smb session=0x1234 inference=FILE_LISTED folder="\\" in="\\\\*\\Board" exposure=metadata`)
	f(5145, append(who, `ShareName=\\*\IPC$`, "RelativeTargetName=srvsvc", "AccessMask=0x12019f"), "")
	f(5140, append(share, "AccessMask=0x1"), `access ok account=ana ip=203.0.113.9 channel=smb session=0x1234 inference=FILE_LISTED folder="\\" in="\\\\*\\Board"`)
	f(4663, append(who, "ObjectType=File", `ObjectName=C:\Board\a.pdf`, "AccessMask=0x1", "ProcessId=0x4"),
		`access ok account=ana channel=smb session=0x1234 inference=FILE_OPENED file="C:\\Board\\a.pdf" in=mx1 exposure=content`)
	f(4663, append(who, "ObjectType=File", `ObjectName=C:\Board\a.pdf`, "AccessMask=0x1", "ProcessId=0x400", `ProcessName=C:\x.exe`),
		`access ok account=ana channel=windows session=0x1234 action="C:\\x.exe" inference=FILE_OPENED file="C:\\Board\\a.pdf" in=mx1 exposure=content`)
	f(4663, append(who, "ObjectType=Key", `ObjectName=\REGISTRY`, "AccessMask=0x1"), "")
	f(4663, []string{"SubjectUserName=MX1$", "ObjectType=File", `ObjectName=C:\a`, "AccessMask=0x1"}, "")
	f(5145, []string{"SubjectUserName=ANONYMOUS LOGON", `ShareName=\\*\pub`, "RelativeTargetName=a", "AccessMask=1"},
		`access ok account="ANONYMOUS LOGON" channel=smb inference=FILE_READ_GRANTED file=a in="\\\\*\\pub" exposure=content`)
}

func TestObserveCode(t *testing.T) {
	f := meant(t, "Microsoft-Windows-Security-Auditing", "Security")
	const w3wp = `ParentProcessName=C:\Windows\System32\inetsrv\w3wp.exe`
	f(4688, []string{"SubjectUserName=MX1$", "SubjectLogonId=0x3e7", w3wp, `NewProcessName=C:\Windows\System32\cmd.exe`},
		`capability ok account=MX1$ channel=windows session=0x3e7 action="C:\\Windows\\System32\\cmd.exe" inference=CODE_RAN power=host host=mx1`)
	f(4688, []string{w3wp, `NewProcessName=C:\Windows\Microsoft.NET\csc.exe`}, "")
	f(4688, []string{`ParentProcessName=C:\Windows\explorer.exe`, `NewProcessName=C:\Windows\System32\cmd.exe`}, "")
	f(4688, []string{`ParentProcessName=C:\X\UMWorkerProcess.exe`, `NewProcessName=C:\a.exe`}, `capability ok channel=windows action="C:\\a.exe" inference=CODE_RAN power=host host=mx1`)
	f(4688, []string{`ParentProcessName=C:\X\UMWorkerProcess.exe`, `NewProcessName=C:\Windows\System32\wermgr.exe`}, "")
	f = meant(t, "Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational")
	f(1, []string{`ParentImage=C:\Windows\System32\inetsrv\w3wp.exe`, `Image=C:\Windows\System32\whoami.exe`, "User=NT AUTHORITY\\SYSTEM"},
		`capability ok account="NT AUTHORITY\\SYSTEM" channel=windows action="C:\\Windows\\System32\\whoami.exe" inference=CODE_RAN power=host host=mx1`)
	f(11, []string{`Image=C:\Windows\System32\inetsrv\w3wp.exe`, `TargetFilename=C:\inetpub\wwwroot\aspnet_client\a.aspx`},
		`capability ok channel=windows action="C:\\Windows\\System32\\inetsrv\\w3wp.exe" inference=SHELL_WRITTEN power=host host=mx1 target="C:\\inetpub\\wwwroot\\aspnet_client\\a.aspx"`)
	f(11, []string{`Image=C:\Windows\System32\inetsrv\w3wp.exe`, `TargetFilename=C:\temp\a.aspx`}, "")
}

func TestObserveFederation(t *testing.T) {
	f := func(id int, xml, want string) {
		t.Helper()
		in := fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"AD FS Auditing"}},"EventID":%d,"Channel":"Security"},"EventData":{"Data":{"#text":["1-2",%q]}}}}`, id, xml)
		if got := meaningOfRecord(t, in); got != want {
			t.Errorf("%d\nmeans %s\nwant  %s", id, got, want)
		}
	}
	const xml = `<?xml version="1.0"?><AuditBase xsi:type="AppTokenAudit"><ContextComponents><Component><UserId>EX\ana</UserId><RelyingParty>urn:x</RelyingParty></Component>` +
		`<Component><UserAgentString>curl/8</UserAgentString><IpAddress>203.0.113.9,192.0.2.1</IpAddress></Component></ContextComponents></AuditBase>`
	f(1200, xml, `login ok account="EX\\ana" ip=203.0.113.9 agent=curl/8 channel=adfs inference=SIGNED_IN target=urn:x`)
	f(1203, xml, `login failed account="EX\\ana" ip=203.0.113.9 agent=curl/8 channel=adfs target=urn:x`)
	f(1200, "no audit", "")
	f(4624, xml, "")
}

// meant returns a function that checks what an event with some fields means.
func meant(t *testing.T, provider, channel string) func(id int, fields []string, want string) {
	return func(id int, fields []string, want string) {
		t.Helper()
		if got := meaningOfRecord(t, record(provider, channel, id, fields...)); got != want {
			t.Errorf("%d %q\nmeans %s\nwant  %s", id, fields, got, want)
		}
	}
}

func meaningOfRecord(t *testing.T, in string) string {
	t.Helper()
	format := JSON()
	var got []string
	for _, o := range logtest.Observations(format, &logtest.Events(t, format, "x.json", []byte(in)).Events[0]) {
		got = append(got, logtest.DumpObservation(o))
	}
	return strings.Join(got, "; ")
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
