package mailboxaudit_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/mailboxaudit"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

const (
	ana  = `MailboxGuid="g1" Owner="X\ana" MailboxOwnerUPN="ana@example.org" MailboxOwnerSid="S-1-1" `
	bob  = `LogonType="Delegate" LogonUserDN="/o=X/ou=Y/cn=Recipients/cn=bob" LogonUserSid="S-1-2" ClientInfoString="Client=MSExchangeRPC" ClientIPAddress="203.0.113.9" `
	when = `LastAccessed="2024-05-06T09:00:01.25+02:00" OperationResult="Succeeded" `
	// sample is in the wrong in every way that has been seen.
	sample = "<?xml version=\"1.0\"?>\r\n<SearchResults>\r\n" +
		`<Event ` + ana + bob + when + `Operation="MessageBind" FolderId="F1" FolderPathName="\Inbox">` + "\r\n" +
		`<SourceItems>` + "\r\n" + `<ItemId="00A1" Subject="R&D <now> "today"" FolderPathName="\Inbox" />` + "\r\n" + `</SourceItems>` + "\r\n</Event>\r\n" +
		"<Event\n  " + ana + bob + when + `Operation="FolderBind" FolderId="F1" FolderPathName="\Inbox &amp; more" />` + "\n" +
		`<Event ` + ana + bob + when + `Operation="HardDelete" FolderId="F2"><SourceItems><Item Id="00A2" InternetMessageId="&lt;m2@example.org&gt;"/><Item Id="00A3"/>` + "\n" +
		`<Event ` + ana + `LogonType="Admin" LogonUserDisplayName="Eve" LogonUserSid="S-1-3" ` + when + `Operation="SendAs" ItemId="00A4" ItemSubject="hi" ItemInternetMessageId="&#60;m4@x&#x3E;"></Event>` +
		"\r\n</SearchResults>\r\n<SearchResults>\r\n" +
		`<Event ` + ana + `LogonType="Owner" LogonUserSid="S-1-1" ` + `LastAccessed="2024-05-06T09:00:01.25+02:00" OperationResult="Failed" ` + `Operation="SoftDelete"></Event>` +
		"\r\n</SearchResults>"
)

func golden(t *testing.T, in, want string) {
	t.Helper()
	logtest.Golden(t, mailboxaudit.New(), in, want)
}

func TestRecords(t *testing.T) {
	const (
		anaFields = ` MailboxGuid=g1 Owner="X\\ana" MailboxOwnerUPN=ana@example.org MailboxOwnerSid=S-1-1`
		bobFields = ` LogonUserDN=/o=X/ou=Y/cn=Recipients/cn=bob LogonUserSid=S-1-2 ClientInfoString=Client=MSExchangeRPC ClientIPAddress=203.0.113.9`
		begin     = `2024-05-06T07:00:01.25Z exchange.mailboxaudit Operation=`
		then      = ` OperationResult=Succeeded LogonType=Delegate LastAccessed=2024-05-06T09:00:01.25+02:00` + anaFields + bobFields
		by        = ` ok account=bob standing=delegate ip=203.0.113.9 agent=Client=MSExchangeRPC channel=mapi action=`
	)
	golden(t, sample, begin+`MessageBind`+then+` FolderId=F1 FolderPathName="\\Inbox" ItemId=00A1 ItemSubject="R&D <now> \"today\"" Items="<SourceItems>\r\n<ItemId=\"00A1\" Subject=\"R&D <now> \"today\"\" FolderPathName=\"\\Inbox\" />\r\n</SourceItems>"
		access`+by+`MessageBind inference=MESSAGE_BIND message=00A1 in=ana@example.org folder=F1 exposure=content
		`+begin+`FolderBind`+then+` FolderId=F1 FolderPathName="\\Inbox & more"
		access`+by+`FolderBind inference=FOLDER_BIND folder=F1 in=ana@example.org exposure=metadata target="\\Inbox & more"
		`+begin+`HardDelete`+then+` FolderId=F2 ItemId=00A2 ItemInternetMessageId=<m2@example.org> Items="<SourceItems><Item Id=\"00A2\" InternetMessageId=\"&lt;m2@example.org&gt;\"/><Item Id=\"00A3\"/>"
		access`+by+`HardDelete inference=MESSAGE_TOUCHED message=<m2@example.org> in=ana@example.org folder=F2 exposure=metadata
		access`+by+`HardDelete inference=MESSAGE_TOUCHED message=00A3 in=ana@example.org folder=F2 exposure=metadata
		`+begin+`SendAs OperationResult=Succeeded LogonType=Admin LastAccessed=2024-05-06T09:00:01.25+02:00`+anaFields+` LogonUserDisplayName=Eve LogonUserSid=S-1-3 ItemId=00A4 ItemSubject=hi ItemInternetMessageId=<m4@x>
		send ok account=Eve standing=admin channel=mapi action=SendAs inference=MESSAGE_SENT message=<m4@x> in=ana@example.org exposure=content
		`+begin+`SoftDelete OperationResult=Failed LogonType=Owner LastAccessed=2024-05-06T09:00:01.25+02:00`+anaFields+` LogonUserSid=S-1-1
		access failed account=ana@example.org standing=owner channel=mapi action=SoftDelete inference=MESSAGE_TOUCHED mailbox=ana@example.org exposure=metadata
		defect line 10 offset 943 length 452: the record does not end`)
}

func TestDamage(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		golden(t, in, want)
	}
	const begin = `2024-05-06T07:00:01Z exchange.mailboxaudit Operation=FolderBind LastAccessed=2024-05-06T07:00:01Z`
	const good = `Operation="FolderBind" LastAccessed="2024-05-06T07:00:01Z"`
	const meant = "\naccess unknown channel=mapi action=FolderBind inference=FOLDER_BIND exposure=metadata"
	f(`loose <Event `+good+` />`, begin+meant+"\ndefect line 1 offset 0 length 6: text outside of any record")
	f(`<Event `+good+` extra = "1" y='z'/>`, begin+meant)
	f(`<Event `+good, begin+meant+"\ndefect line 1 offset 0 length 65: the tag of the record does not end")
	f(`<Event `+good+`><Event x="1"/>`, begin+meant+"\ndefect line 1 offset 0 length 66: the record does not end\ndefect line 1 offset 66 length 14: neither a time nor an operation")
	f(`<Event Operation="FolderBind" LastAccessed="yesterday"/>`, `- exchange.mailboxaudit Operation=FolderBind LastAccessed=yesterday`+meant+"\ndefect line 1 offset 0 length 56: no time in LastAccessed")
	f(`<Events><EventLog/>`, "defect line 1 offset 0 length 19: text outside of any record")
}

func TestAccounts(t *testing.T) {
	f := func(attributes, want string) {
		t.Helper()
		out := logtest.Events(t, mailboxaudit.New(), "x", []byte(`<Event Operation="MailboxLogin" OperationResult="Succeeded" LastAccessed="2024-05-06T07:00:01Z" `+attributes+`/>`))
		got := ""
		for _, o := range mailboxaudit.New().Parser().Observe(&out.Events[0], nil) {
			got += logtest.DumpObservation(o)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", attributes, got, want)
		}
	}
	f(`LogonType="Owner" MailboxOwnerUPN="ana@example.org" ClientInfoString="Client=OWA;Action=ViaProxy" ClientIPAddress="[2001:db8::1]"`,
		`login ok account=ana@example.org standing=owner ip=2001:db8::1 agent=Client=OWA;Action=ViaProxy channel=owa action=MailboxLogin inference=SIGNED_IN in=ana@example.org`)
	f(`LogonType="Transport" LogonUserSid="S-1-5-18" Owner="X\ana"`, `login ok account=S-1-5-18 standing=service channel=mapi action=MailboxLogin inference=SIGNED_IN in="X\\ana"`)
	f(`LogonType="Owner" MailboxOwnerUPN="HealthMailbox1@example.org"`, ``)
}

func TestSniff(t *testing.T) {
	f := func(head string, want logs.Certainty) {
		t.Helper()
		if got := mailboxaudit.New().Sniff(logtest.Source("x", []byte(head))); got != want {
			t.Errorf("%q: certainty %d, want %d", head, got, want)
		}
	}
	f("", logs.No)
	f("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/></Event>", logs.No)
	f(sample, logs.Certain)
	f("<Event x='1'/><Event MailboxGuid=\"g\" Operation=\"Move\" LogonType=\"Admin\"/>", logs.Certain)
}

// options: what stands between records are tags.
var options = logtest.Options{Path: "SearchResult.xml", Header: func(line []byte) bool {
	if bytes.HasPrefix(line, []byte("#")) || len(line) > 0 && bytes.HasPrefix([]byte(exportHead), line) || bytes.Contains(line, []byte("LastAccessed")) && bytes.Contains(line, []byte("LogonType")) {
		return true
	}
	return bytes.HasPrefix(line, []byte("<?xml")) || bytes.HasPrefix(line, []byte("<SearchResults")) || bytes.HasPrefix(line, []byte("</"))
}}

func TestKeepsThePromises(t *testing.T) {
	logtest.Check(t, mailboxaudit.New, []byte(sample), options)
	logtest.Check(t, mailboxaudit.New, []byte("\xEF\xBB\xBF"+strings.Repeat(sample+"\n", 3)), options)
}

const exportHead = "Operation;OperationResult;LogonType;MailboxOwnerUPN;LogonUserDisplayName;ItemId;LastAccessed"

const exported = "#TYPE x\r\n" + exportHead + "\r\n" +
	"MessageBind;Succeeded;Delegate;ana@example.org;Bob;\"00\"\"A1\";2024-05-06T07:00:01Z\r\n\r\nSendAs;Succeeded;Admin;ana@example.org;Bob;00A2;06.05.2024 07:00:02\n"

func TestExportKeepsThePromises(t *testing.T) {
	logtest.Check(t, mailboxaudit.New, []byte(exported), options)
}

func FuzzMailboxAudit(f *testing.F) {
	logtest.Fuzz(f, mailboxaudit.New, options, sample, exported, `<Event Operation="a"LastAccessed='2024-05-06T07:00:01Z"><Item Id=`, `<Event a="&#0;&#x110000;&amp" Operation="x" `)
}

func FuzzObserve(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, data []byte) {
		out := logtest.Events(t, mailboxaudit.New(), "x", data)
		p := mailboxaudit.New().Parser()
		for i := range out.Events {
			for _, o := range p.Observe(&out.Events[i], nil) {
				if o.OK && o.Unknown {
					t.Error("both known and unknown")
				}
			}
		}
	})
}

func TestEvidence(t *testing.T) {
	data, err := os.ReadFile(sharedtest.Path(t, "evidence", "exchange", "mailbox-audit-sample-ms-docs", "SearchResult_entry.xml"))
	if err != nil {
		t.Fatal(err)
	}
	format := mailboxaudit.New()
	if c := format.Sniff(logtest.Source("SearchResult_entry.xml", data)); c != logs.Certain {
		t.Errorf("not recognised: %d", c)
	}
	out := logtest.Events(t, format, "x", data)
	if len(out.Events) != 1 || len(out.Defects) != 0 {
		t.Fatalf("%d events, %d defects", len(out.Events), len(out.Defects))
	}
	obs := format.Parser().Observe(&out.Events[0], nil)
	if len(obs) != 1 {
		t.Fatalf("%d observations", len(obs))
	}
	o := obs[0]
	if !o.OK || o.Inference != logs.MessageTouched || o.Standing != logs.Admin || o.Channel != "owa" || o.ObjectKind != "message" || string(o.In) != "david@contoso.com" ||
		string(o.IP) != "10.196.241.168" || len(o.Object) < 100 {
		t.Errorf("got %s", logtest.DumpObservation(o))
	}
}

func TestExportOfTheCmdlet(t *testing.T) {
	const (
		head = "#TYPE Selected.Microsoft.Exchange.Data.Storage.Management.MailboxAuditLogEvent\r\n" +
			`"RunspaceId","Operation","OperationResult","LogonType","FolderId","FolderPathName","ClientInfoString","ClientIPAddress","MailboxOwnerUPN","LogonUserDisplayName","LogonUserSid","SourceItemInternetMessageIdsList","ItemId","ItemSubject","LastAccessed"` + "\r\n"
		fields = `exchange.mailboxaudit Operation=MessageBind OperationResult=Succeeded LogonType=Delegate LastAccessed=`
		rest   = ` MailboxOwnerUPN=ana@example.org LogonUserDisplayName=Bob LogonUserSid=S-1-2 ClientInfoString=Client=OWA ClientIPAddress=203.0.113.9 FolderId=F1 FolderPathName="\\Inbox"`
		did    = ` ok account=Bob standing=delegate ip=203.0.113.9 agent=Client=OWA channel=owa action=`
	)
	row := func(operation, ids, item, subject, when string) string {
		return `"x","` + operation + `","Succeeded","Delegate","F1","\Inbox","Client=OWA","203.0.113.9","ana@example.org","Bob","S-1-2","` + ids + `","` + item + `","` + subject + `","` + when + "\"\r\n"
	}
	golden(t, head+row("MessageBind", "", "00A1", `say ""hi""`, "5/16/2024 9:00:01 AM"), `2024-05-16T09:00:01Z `+fields+`"5/16/2024 9:00:01 AM"`+rest+` ItemId=00A1 ItemSubject="say \"hi\""
		access`+did+`MessageBind inference=MESSAGE_BIND message=00A1 in=ana@example.org folder=F1 exposure=content`)
	golden(t, head+row("HardDelete", "<m1@example.org>;<m2@example.org>", "", "", "2024-05-16T09:00:01Z"), `2024-05-16T09:00:01Z `+strings.Replace(fields, "MessageBind", "HardDelete", 1)+`2024-05-16T09:00:01Z`+rest+` SourceItemInternetMessageIdsList=<m1@example.org>;<m2@example.org>
		access`+did+`HardDelete inference=MESSAGE_TOUCHED message=<m1@example.org> in=ana@example.org folder=F1 exposure=metadata
		access`+did+`HardDelete inference=MESSAGE_TOUCHED message=<m2@example.org> in=ana@example.org folder=F1 exposure=metadata`)
	for _, c := range []struct {
		when string // of each record
		zone bool
		want string // the time of the first one
		note bool
	}{
		{"2024-05-16T09:00:01Z", true, "2024-05-16T09:00:01Z", false}, {"2024-05-16T09:00:01+0200", true, "2024-05-16T07:00:01Z", false},
		{"2024-05-16T09:00:01Z|2024-05-16T09:00:01", false, "2024-05-16T09:00:01Z", false},
		{"2024-05-16 09:00:01", false, "2024-05-16T09:00:01Z", false}, {"16.05.2024 09:00:01", false, "2024-05-16T09:00:01Z", false}, {"2024.05.16 09:00:01", false, "", false},
		{"5/6/2024 9:00:01 PM", false, "", true},
		{"5/6/2024 9:00:01 PM|5/16/2024 9:00:01 AM", false, "2024-05-06T21:00:01Z", false},
		{"5/6/2024 9:00:01 pm|16/5/2024 9:00:01 am", false, "2024-06-05T21:00:01Z", false},
		{"5/6/2024 9:00:01 AM|16/5/2024 9:00:01 AM|5/16/2024 9:00:01 AM", false, "", true},
		{"05/06/2024 21:00:01|16/05/2024 09:00:01", false, "2024-06-05T21:00:01Z", false},
		{"16/05/2024 12:00:01 ص", false, "2024-05-16T00:00:01Z", false}, {"5/16/2024 12:00:01\u202fPM", false, "2024-05-16T12:00:01Z", false},
		{"5/16/2024 13:00:01 PM", false, "", false}, {"5/16/2024 9:00:01 XM", false, "", false}, {"2/30/2024 9:00:01 AM", false, "", false},
		{"", false, "", false}, {"x", false, "", false},
	} {
		in := head
		for when := range strings.SplitSeq(c.when, "|") {
			in += row("MessageBind", "", "00A1", "", when)
		}
		s := logtest.Source("MailboxAuditLog.csv", []byte(in))
		format := mailboxaudit.New()
		out := logtest.Events(t, format, "MailboxAuditLog.csv", []byte(in))
		got := ""
		if n := out.Events[0].Time; n != event.UnknownTime {
			got = time.Unix(0, n).UTC().Format(time.RFC3339)
		}
		if c.when != "" && format.Zoneless(s) == c.zone || got != c.want || c.note != (len(format.Notes(s)) > 0) {
			t.Errorf("%q: %s, want %s; zoneless %v, %q", c.when, got, c.want, format.Zoneless(s), format.Notes(s))
		}
	}
	again := row("MessageBind", "", "00A1", "", "2024-05-16T09:00:01Z")
	if out := logtest.Events(t, mailboxaudit.New(), "x.csv", []byte(head+again+head+again)); len(out.Events) != 2 || len(out.Defects) != 0 {
		t.Errorf("two files in one: %d events, defects %v", len(out.Events), out.Defects)
	}
	damaged := logtest.Events(t, mailboxaudit.New(), "x.csv", []byte(head+"\"a\",\"b\nshort,row\n"+row("MessageBind", "", "00A1", "", "2024-05-16T09:00:01Z")))
	if len(damaged.Events) != 1 || len(damaged.Defects) != 2 {
		t.Errorf("%d events, defects %v", len(damaged.Events), damaged.Defects)
	}
}
