package exchange_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/exchange"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

const (
	software = "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2375.007\r\n"
	proxy    = "DateTime,RequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method,ResponseBytes,UrlQuery"
	sample   = proxy + "\r\n" + software + "#Log-type: HttpProxy Logs\r\n#Date: 2024-05-06T07:00:00.000Z\r\n#Fields: " + proxy + "\r\n" +
		"2024-05-06T07:00:01.002Z,r1,Ecp,mail.example,/ecp/y.js,,,ServerInfo~a]@ex1.example:444/ecp/proxyLogon.ecp?#,python-requests/2.25.1,203.0.113.9,EX1,241,POST,0,\r\n" +
		"2024-05-06T07:00:02.002Z,r2,Owa,mail.example,/owa/service.svc,,EXAMPLE\\ana,,\"An \"\"agent\"\", quoted\",198.51.100.7,EX1,200,POST,512,?action=GetItem\r\n" +
		proxy + "\r\n" +
		"2024-05-06T07:00:03.002Z,r3,Ews,localhost,/ews/,,EXAMPLE\\HealthMailbox1,,AMProbe/Local/ClientAccess,127.0.0.1,EX1,200,GET,,\r\n"
)

func golden(t *testing.T, in, want string) {
	t.Helper()
	logtest.Golden(t, exchange.New(), in, want)
}

func TestHttpProxy(t *testing.T) {
	golden(t, sample, `
2024-05-06T07:00:01.002Z exchange.httpproxy.ecp DateTime=2024-05-06T07:00:01.002Z RequestId=r1 Protocol=Ecp UrlHost=mail.example UrlStem=/ecp/y.js ProtocolAction=<null> AuthenticatedUser=<null> AnchorMailbox=ServerInfo~a]@ex1.example:444/ecp/proxyLogon.ecp?# UserAgent=python-requests/2.25.1 ClientIpAddress=203.0.113.9 ServerHostName=EX1 HttpStatus=241 Method=POST ResponseBytes=0 UrlQuery=<null> cs-uri=/ecp/y.js
access ok ip=203.0.113.9 agent=python-requests/2.25.1 channel=ecp action=ecp/proxyLogon.ecp inference=PROXYLOGON_SESSION host=ex1.example bytes=0
2024-05-06T07:00:02.002Z exchange.httpproxy.owa DateTime=2024-05-06T07:00:02.002Z RequestId=r2 Protocol=Owa UrlHost=mail.example UrlStem=/owa/service.svc ProtocolAction=<null> AuthenticatedUser="EXAMPLE\\ana" AnchorMailbox=<null> UserAgent="An \"agent\", quoted" ClientIpAddress=198.51.100.7 ServerHostName=EX1 HttpStatus=200 Method=POST ResponseBytes=512 UrlQuery=?action=GetItem cs-uri=/owa/service.svc?action=GetItem
access ok account="EXAMPLE\\ana" ip=198.51.100.7 agent="An \"agent\", quoted" channel=owa action=GetItem inference=MAILBOX_READ mailbox="EXAMPLE\\ana" exposure=content bytes=512
2024-05-06T07:00:03.002Z exchange.httpproxy.ews DateTime=2024-05-06T07:00:03.002Z RequestId=r3 Protocol=Ews UrlHost=localhost UrlStem=/ews/ ProtocolAction=<null> AuthenticatedUser="EXAMPLE\\HealthMailbox1" AnchorMailbox=<null> UserAgent=AMProbe/Local/ClientAccess ClientIpAddress=127.0.0.1 ServerHostName=EX1 HttpStatus=200 Method=GET ResponseBytes=<null> UrlQuery=<null> cs-uri=/ews/
heartbeat ok account="EXAMPLE\\HealthMailbox1" ip=127.0.0.1 channel=ews
`)
}

func TestHttpProxyServesWebRules(t *testing.T) {
	out := logtest.Events(t, exchange.New(), "x", []byte(sample))
	s := out.Events[0].Shape
	for _, name := range []string{"cs-uri-stem", "cs-uri-query", "cs-uri", "cs-method", "c-ip", "cs-user-agent", "sc-status", "cs-username", "cs-host", "AnchorMailbox"} {
		if s.Slot(name) < 0 {
			t.Errorf("no field answers to %s", name)
		}
	}
	web := false
	for _, source := range s.Sources {
		web = web || source.Covers(event.LogSource{Category: "webserver"})
	}
	if !web {
		t.Error("no rule for web servers runs on it")
	}
}

func TestEcpServer(t *testing.T) {
	const head = software + "#Log-type: ECP Server Log\n#Fields: TimeStamp,ServerName,EventId,EventData\n"
	f := func(data, want string) {
		t.Helper()
		golden(t, head+"2024-05-06T07:00:01Z,EX1,ECP.Request,"+data+"\n", "2024-05-06T07:00:01Z exchange.ecp.server TimeStamp=2024-05-06T07:00:01Z ServerName=EX1 EventId=ECP.Request "+want)
	}
	f("S:TIME=13;S:CMD=Get-InboxRule;S:URL=/ecp/x?a=b;S:EX=", `EventData=S:TIME=13;S:CMD=Get-InboxRule;S:URL=/ecp/x?a=b;S:EX= CMD=Get-InboxRule URL=/ecp/x?a=b EX=<null> TIME=13`)
	f(`"S:TIME=13;'S:CMD=Set-X.Url=''http://f/<script language=""JScript"">a;b</script>''.Identity=''1''';S:EX="`,
		`EventData="S:TIME=13;'S:CMD=Set-X.Url=''http://f/<script language=\"JScript\">a;b</script>''.Identity=''1''';S:EX=" CMD="Set-X.Url='http://f/<script language=\"JScript\">a;b</script>'.Identity='1'" EX=<null> TIME=13`)
	f(`'S:CMD=New-InboxRule.Name=''.''';;'S:EX=Error, of a kind'`, `EventData="'S:CMD=New-InboxRule.Name=''.''';;'S:EX=Error, of a kind'" CMD=New-InboxRule.Name='.' EX="Error, of a kind"
		capability failed channel=ecp action=New-InboxRule inference=RULE_MADE rule=.`)
	// A published excerpt: no #Fields, and only two columns.
	golden(t, "#Software: Microsoft Exchange Server\n#Log-type: ECP Server Log\nComment\n2024-05-06T07:00:01Z,S:CMD=Get-X;;S:EX=\n", `
		2024-05-06T07:00:01Z exchange.ecp.server TimeStamp=2024-05-06T07:00:01Z EventData=S:CMD=Get-X;;S:EX= CMD=Get-X EX=<null>
		defect line 3 offset 63 length 7: the line does not begin with a date, as records do`)
}

func TestMailClients(t *testing.T) {
	const imap = "2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:143,203.0.113.9:35070,ana,168,31,31,"
	const event = "2024-05-06T07:00:01Z exchange.imap4 dateTime=2024-05-06T07:00:01Z sessionId=000000000000000E seqNumber=2 sIp=192.0.2.1:143 cIp=203.0.113.9:35070 user=ana duration=168 rqsize=31 rpsize=31 "
	golden(t, imap+`authenticate,PLAIN,"R=""2 NO AUTHENTICATE failed."";Msg=""AuthFailed:LogonDenied,User: ana"";ErrMsg=AuthFailed:LogonDenied",`, event+`command=authenticate parameters=PLAIN context="R=\"2 NO AUTHENTICATE failed.\";Msg=\"AuthFailed:LogonDenied,User: ana\";ErrMsg=AuthFailed:LogonDenied" puid=<null>
		login failed account=ana ip=203.0.113.9 channel=imap session=000000000000000E action=authenticate before=168ms`)
	golden(t, imap+`authenticate,PLAIN,R=OK,`, event+`command=authenticate parameters=PLAIN context=R=OK puid=<null>
		login ok account=ana ip=203.0.113.9 channel=imap session=000000000000000E action=authenticate inference=SIGNED_IN before=168ms`)
	golden(t, imap+`fetch,1:* (BODY[]),R=OK,`, event+`command=fetch parameters="1:* (BODY[])" context=R=OK puid=<null>
		access ok account=ana ip=203.0.113.9 channel=imap session=000000000000000E action=fetch inference=MAILBOX_READ mailbox=ana exposure=content bytes=31 before=168ms`)
}

func TestPopIsKnownByItsPort(t *testing.T) {
	golden(t, `2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:110,203.0.113.9:35070,ana,168,31,31,pass,*****,R=OK,`, `
		2024-05-06T07:00:01Z exchange.pop3 dateTime=2024-05-06T07:00:01Z sessionId=000000000000000E seqNumber=2 sIp=192.0.2.1:110 cIp=203.0.113.9:35070 user=ana duration=168 rqsize=31 rpsize=31 command=pass parameters=***** context=R=OK puid=<null>
		login ok account=ana ip=203.0.113.9 channel=pop3 session=000000000000000E action=pass inference=SIGNED_IN before=168ms`)
}

func TestFailedSMTPLoginHasTheUserOfTheNextLine(t *testing.T) {
	const head = software + "#Log-type: SMTP Receive Protocol Log\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\n"
	const line = `2024-05-06T07:00:01Z,EX1\Default,08DA4F7C11473A60,9,192.0.2.1:25,203.0.113.9:53722,`
	const want = `2024-05-06T07:00:01Z exchange.smtp.receive date-time=2024-05-06T07:00:01Z connector-id="EX1\\Default" session-id=08DA4F7C11473A60 sequence-number=9 local-endpoint=192.0.2.1:25 remote-endpoint=203.0.113.9:53722 `
	golden(t, head+line+"*,,Inbound AUTH LOGIN failed because of LogonDenied\n"+line+"*,,User Name: ana\n"+line+">,535 5.7.3 Authentication unsuccessful,\n",
		want+`event=* data=<null> context="Inbound AUTH LOGIN failed because of LogonDenied" auth-user=ana
		login failed account=ana ip=203.0.113.9 channel=smtp session=08DA4F7C11473A60
		`+want+`event=* data=<null> context="User Name: ana"
		`+want+`event=> data="535 5.7.3 Authentication unsuccessful" context=<null>
		login failed ip=203.0.113.9 channel=smtp session=08DA4F7C11473A60 count=0`)
}

func TestRecordsOfSeveralLines(t *testing.T) {
	const head = software + "#Log-type: Foo Bar Logs\n#Fields: DateTime,Text,Number\n"
	golden(t, head+"2024-05-06T07:00:01Z,\"one\ntwo\n\nthree\",4\n2024-05-06T07:00:02Z,\"open,5\n2024-05-06T07:00:03Z,x,6\nloose\n", `
		2024-05-06T07:00:01Z exchange.foo-bar DateTime=2024-05-06T07:00:01Z Text="one\ntwo\n\nthree" Number=4
		2024-05-06T07:00:02Z exchange.foo-bar DateTime=2024-05-06T07:00:02Z Text=open,5
		2024-05-06T07:00:03Z exchange.foo-bar DateTime=2024-05-06T07:00:03Z Text=x Number=6
		defect line 9 offset 158 length 28: a quoted value that does not end
		defect line 11 offset 212 length 5: the line does not begin with a date, as records do`)
}

func TestOtherNumberOfValues(t *testing.T) {
	const head = software + "#Log-type: audit\n#Fields: Timestamp,A,B\n"
	const want = "2024-05-06T07:00:01Z exchange.auditqueue Timestamp=2024-05-06T07:00:01Z A=a "
	golden(t, head+"2024-05-06T07:00:01Z,a,b,,\n", want+"B=b")
	golden(t, head+"2024-05-06T07:00:01Z,a\n", want+"\ndefect line 5 offset 104 length 22: 2 values for 3 columns")
	golden(t, head+"2024-05-06T07:00:01Z,a,b,c\n", want+"B=b\ndefect line 5 offset 104 length 26: 4 values for 3 columns")
}

func TestSniffAndRefine(t *testing.T) {
	f := func(path, head string, want logs.Certainty, name string) {
		t.Helper()
		format, s := exchange.New(), logtest.Source(path, []byte(head))
		if got := format.Sniff(s); got != want {
			t.Errorf("%q: certainty %d, want %d", head, got, want)
		}
		if got := format.Refine(s); got != name {
			t.Errorf("%q: called %s, want %s", head, got, name)
		}
	}
	f("x", "", logs.No, "exchange")
	f("x", "hello, world\n", logs.No, "exchange")
	f("x", "Date,Amount\n2024-05-06,7\n", logs.No, "exchange")
	f("u_ex.log", "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time\n", logs.No, "exchange")
	f("x", sample, logs.Certain, "exchange.httpproxy.ecp")
	f("HttpProxy/Owa/HttpProxy_1.LOG", proxy+"\n", logs.Certain, "exchange.httpproxy.owa")
	f("IMAP41.LOG", software+"#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user\n", logs.Certain, "exchange.imap4")
	f("POP31.LOG", software+"#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user\n", logs.Certain, "exchange.pop3")
	f("x", software+"#Log-type: Http Request Filtering Logs\n#Fields: DateTime,HttpMethod\n", logs.Certain, "exchange.http-request-filtering")
}

func TestAssumedLayoutIsSaid(t *testing.T) {
	f := func(head, want string) {
		t.Helper()
		got := strings.Join(exchange.New().Notes(logtest.Source("x", []byte(head))), ";")
		if got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
	f(sample, "")
	f("2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:143,203.0.113.9:35070,ana,168,31,31,fetch,1,R=OK,\n",
		"no header at its beginning; read in the layout of exchange.imap4, which its lines fit")
}

func TestKeepsThePromises(t *testing.T) {
	logtest.Check(t, exchange.New, []byte("\xEF\xBB\xBF"+sample), options)
	logtest.Check(t, exchange.New, []byte(software+"#Log-type: Foo Logs\n#Fields: DateTime,Text\n"+
		"2024-05-06T07:00:01Z,\"one\ntwo, \"\"x\"\"\n\"\n2024-05-06T07:00:02Z,b\nloose\n2024-05-06T07:00:03Z,\"c\n"), options)
}

// Reading #Log-type costs an allocation a block, and these samples are short.
var options = logtest.Options{Allocs: 1, Header: func(line []byte) bool {
	return line[0] == '#' || bytes.HasPrefix(bytes.TrimPrefix(bytes.ToLower(line), []byte(`"`)), []byte("d")) || bytes.HasPrefix(bytes.TrimPrefix(bytes.ToLower(line), []byte(`"`)), []byte("timestamp"))
}}

func TestNoAllocationPerRecord(t *testing.T) {
	records := sample[strings.Index(sample, "2024-05-06T07:00:01"):]
	records = strings.ReplaceAll(records, proxy+"\r\n", "")
	logtest.Check(t, exchange.New, []byte(proxy+"\r\n"+strings.Repeat(records, 20)), logtest.Options{Header: options.Header})
}

func FuzzExchange(f *testing.F) {
	logtest.Fuzz(f, exchange.New, options, sample,
		software+"#Log-type: ECP Server Log\n#Fields: TimeStamp,ServerName,EventId,EventData\n2024-05-06T07:00:01Z,EX1,ECP.Request,\"S:TIME=13;'S:CMD=Set-X.Url=''a\"\"b''';S:EX=\"\n",
		"2024-05-06T07:00:01Z,000000000000000E,2,192.0.2.1:143,203.0.113.9:35070,ana,168,31,31,fetch,1,R=OK,\n",
		"2024-05-06T07:00:01Z,EX1\\D,08DA4F7C11473A60,9,192.0.2.1:25,203.0.113.9:5,*,,Inbound AUTH LOGIN failed because of LogonDenied\n2024-05-06T07:00:01Z,EX1\\D,08DA4F7C11473A60,9,192.0.2.1:25,203.0.113.9:5,*,,User Name: ana\n",
		"#Fields: DateTime,Text\n2024-05-06T07:00:01Z,\"one\ntwo\n\"\n")
}

func BenchmarkParse(b *testing.B) {
	line := "2024-05-06T07:00:02.002Z,5e58f5e5-1ddc-48d3-82c6-0199bc121640,15,1,2375,7,,Owa,mail.example,/owa/service.svc,,FBA,true,EXAMPLE\\ana,,Sid~S-1-5-21-1-2-3-4343,Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML  like Gecko) Chrome/62.0.3202.62,198.51.100.7,EX1,200,200,,POST,Proxy,ex1.example,15.01.2375.000,IntraForest,WindowsIdentity,Database~fb7adba2~~2023-02-08T18:59:59,,,336,327,,,0,0,,0,,0,,0,0,,0,13,0,1,0,0,11,0,0,0,0,0,13,0,11,1,1,1,13,,?action=GetItem,,BeginRequest=2024-05-06T07:00:00.116Z;CorrelationID=<empty>;ProxyState-Run=None;FEAuth=BEVersion-1942063431;EndRequest=2024-05-06T07:00:00.130Z;,,,|RoutingDB:fb7adba2,,,CafeV1\r\n"
	data := bytes.Repeat([]byte(line), 500)
	s := logtest.Source("x", data)
	format := exchange.New()
	block := logtest.Blocks(b, format, s, data, logs.MaxBlock, 0)[0]
	p, out := format.Parser(), new(event.Batch)
	b.SetBytes(int64(len(block.Data)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		p.Parse(block, out)
	}
	if len(out.Events) == 0 || len(out.Defects) > 0 {
		b.Fatal(len(out.Events), out.Defects)
	}
}
