package m365_test

import (
	stdjson "encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/m365"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// observed returns what a record means, a line for each observation.
func observed(t *testing.T, in string) string {
	t.Helper()
	out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(in+"\n"))
	if len(out.Events) != 1 {
		t.Fatalf("%d events of %s %v", len(out.Events), in, out.Defects)
	}
	var got []string
	for _, o := range logtest.Observations(m365.NewUAL(), &out.Events[0]) {
		got = append(got, logtest.DumpObservation(o))
	}
	return strings.Join(got, "\n")
}

func TestOperationsMeanWhatTheyAre(t *testing.T) {
	f := func(fields string, want ...string) {
		t.Helper()
		got := observed(t, `{"CreationTime":"2024-05-01T10:00:00","UserId":"ana@example.org","Workload":"Exchange",`+fields+`}`)
		if w := strings.Join(want, "\n"); got != w {
			t.Errorf("%s:\n got %s\nwant %s", fields, got, w)
		}
	}
	parameters := func(op string, pairs ...string) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			name, _ := stdjson.Marshal(pairs[i])
			value, _ := stdjson.Marshal(pairs[i+1])
			list = append(list, `{"Name":`+string(name)+`,"Value":`+string(value)+`}`)
		}
		return `"Operation":"` + op + `","Parameters":[` + strings.Join(list, ",") + `]`
	}
	const by = "account=ana@example.org"

	// Sign-ins.
	f(`"Operation":"UserLoggedIn","ClientIP":"203.0.113.9:50000","ErrorNumber":"0","ApplicationId":"app1","DeviceProperties":[{"Name":"Id","Value":"d1"},{"Name":"SessionId","Value":"s1"}]`,
		"login ok "+by+" ip=203.0.113.9 channel=m365 session=s1 device=d1 app=app1 action=UserLoggedIn inference=SIGNED_IN")
	f(`"Operation":"UserLoginFailed","ResultStatus":"Success","ClientIP":"203.0.113.9","ErrorNumber":"50126"`, "login failed "+by+" ip=203.0.113.9 channel=m365 action=UserLoginFailed")
	f(`"Operation":"UserLoginFailed","ErrorNumber":"50053"`, "login failed "+by+" channel=m365 action=UserLoginFailed")
	f(`"Operation":"UserLoginFailed","ErrorNumber":"50072"`)
	f(`"Operation":"UserLoginFailed","LogonError":"InvalidUserNameOrPassword"`, "login failed "+by+" channel=m365 action=UserLoginFailed")

	// Sending and handling messages.
	f(`"Operation":"SendAs","LogonType":2,"MailboxOwnerUPN":"bob@example.org","SendAsUserSmtp":"bob@example.org","Item":{"InternetMessageId":"<1@x>","SizeInBytes":77,"ParentFolder":{"Id":"F"}}`,
		"send ok "+by+" standing=delegate channel=m365 action=SendAs inference=MESSAGE_SENT message=<1@x> in=bob@example.org folder=F exposure=content target=bob@example.org bytes=77")
	f(`"Operation":"Send","Item":{"Id":"Unknown"}`, "send ok "+by+" channel=m365 action=Send inference=MESSAGE_SENT mailbox=ana@example.org exposure=content")
	f(`"Operation":"HardDelete","ResultStatus":"PartiallySucceeded","MailboxOwnerUPN":"ana@example.org","LogonType":0,"AffectedItems":[{"Id":"I1","InternetMessageId":"<1@x>","ParentFolder":{"Id":"F1"}},{"Id":"I2"}],"Folder":{"Id":"F2"}`,
		"access ok "+by+" standing=owner channel=m365 action=HardDelete inference=MESSAGE_TOUCHED message=<1@x> in=ana@example.org folder=F1 exposure=metadata",
		"access ok "+by+" standing=owner channel=m365 action=HardDelete inference=MESSAGE_TOUCHED message=I2 in=ana@example.org folder=F2 exposure=metadata")
	f(`"Operation":"Update","Item":{"Id":"I1"}`, "access ok "+by+" channel=m365 action=Update inference=MESSAGE_TOUCHED message=I1 in=ana@example.org exposure=metadata")
	f(`"Operation":"Update"`, "access ok "+by+" channel=m365 action=Update inference=MESSAGE_TOUCHED mailbox=ana@example.org exposure=metadata")
	f(`"Operation":"SearchQueryInitiatedExchange","QueryText":"salary"`, "access ok "+by+" channel=m365 action=SearchQueryInitiatedExchange inference=SEARCHED mailbox=ana@example.org exposure=metadata")

	// eDiscovery.
	f(`"Operation":"SearchExportDownloaded","ExchangeLocations":"bob@example.org;eve@example.org"`,
		"access ok "+by+" channel=m365 action=SearchExportDownloaded inference=SEARCH_DOWNLOADED mailbox=bob@example.org exposure=content",
		"access ok "+by+" channel=m365 action=SearchExportDownloaded inference=SEARCH_DOWNLOADED mailbox=eve@example.org exposure=content")
	f(`"Operation":"SearchExported","ExchangeLocations":"All"`, `access ok `+by+` channel=m365 action=SearchExported inference=SEARCH_EXPORTED exposure=content`)
	f(parameters("New-ComplianceSearchAction", "SearchName", "x", "Purge", "True"))

	// Files.
	f(`"Operation":"FileDownloaded","ObjectId":"https://example.org/s/a.docx","SiteUrl":"https://example.org/s","FileSizeBytes":12,"UserAgent":"OneDriveMpc-Transform_Zip/1.0","ClientIP":"203.0.113.9"`,
		"access ok "+by+" ip=203.0.113.9 agent=OneDriveMpc-Transform_Zip/1.0 channel=m365 action=FileDownloaded inference=FILE_DOWNLOADED file=https://example.org/s/a.docx in=https://example.org/s exposure=content bytes=12")
	f(`"Operation":"FileDownloaded","ObjectId":"a","UserAgent":"MSWAC","ClientIP":"52.108.80.42"`, "access ok "+by+" standing=service ip=52.108.80.42 agent=MSWAC channel=m365 action=FileDownloaded inference=FILE_DOWNLOADED file=a exposure=content")
	f(`"Operation":"FileDownloaded","ObjectId":"a","UserAgent":"MSWAC","ClientIP":"203.0.113.9"`, "access ok "+by+" ip=203.0.113.9 agent=MSWAC channel=m365 action=FileDownloaded inference=FILE_DOWNLOADED file=a exposure=content")
	f(`"Operation":"FilePreviewed","ObjectId":"a"`, "access ok "+by+" channel=m365 action=FilePreviewed inference=FILE_PREVIEWED file=a exposure=partial")
	f(`"Operation":"FileUploaded","ObjectId":"a"`, "access ok "+by+" channel=m365 action=FileUploaded inference=FILE_TOUCHED file=a exposure=metadata")
	f(`"Operation":"AnonymousLinkCreated","ObjectId":"a"`, "capability ok "+by+" channel=m365 action=AnonymousLinkCreated inference=LINK_MADE power=delegation file=a")
	f(`"Operation":"AnonymousLinkUsed","ObjectId":"a"`, "access ok "+by+" channel=m365 action=AnonymousLinkUsed inference=LINK_USED file=a exposure=content")

	// Rules.
	f(parameters("New-InboxRule", "Name", "r", "DeleteMessage", "True"), "capability ok "+by+" channel=m365 action=New-InboxRule rule=r in=ana@example.org")
	f(parameters("Set-InboxRule", "Identity", `bob@example.org\123`), "capability ok "+by+` channel=m365 action=Set-InboxRule inference=RULE_MADE power=rule rule="bob@example.org\\123" in=bob@example.org`)
	f(parameters("New-TransportRule", "Name", "r", "BlindCopyTo", "x@example.net"), "capability ok "+by+" channel=m365 action=New-TransportRule inference=RULE_MADE power=rule rule=r target=x@example.net")
	f(parameters("Remove-InboxRule", "Identity", `bob@example.org\123`), "containment ok "+by+` channel=m365 action=Remove-InboxRule inference=POWER_REMOVED power=rule rule="bob@example.org\\123" in=bob@example.org target="bob@example.org\\123"`)
	f(parameters("Set-Mailbox", "Identity", "bob", "ForwardingSmtpAddress", "smtp:x@example.net"), "capability ok "+by+" channel=m365 action=Set-Mailbox inference=RULE_MADE power=rule rule=ForwardingSmtpAddress in=bob target=smtp:x@example.net")
	f(parameters("Set-Mailbox", "Identity", "bob", "ForwardingSmtpAddress", ""), "containment ok "+by+" channel=m365 action=Set-Mailbox inference=POWER_REMOVED power=rule rule=ForwardingSmtpAddress in=bob")
	f(parameters("Set-Mailbox", "Identity", "bob", "Force", "True"))
	f(`"Operation":"UpdateInboxRules","MailboxOwnerUPN":"ana@example.org","OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"r"},{"Name":"RuleActions","Value":"[{\"ActionType\":\"Forward\",\"Recipients\":[\"x@example.net\"]}]"}]`,
		"capability ok "+by+` channel=m365 action=UpdateInboxRules inference=RULE_MADE power=rule rule=r in=ana@example.org target="[{\"ActionType\":\"Forward\",\"Recipients\":[\"x@example.net\"]}]"`)

	// Permissions.
	f(parameters("Add-MailboxPermission", "Identity", "EURPR01.PROD/Microsoft Exchange Hosted Organizations/example.org/bob", "User", "EURPR01.PROD/Microsoft Exchange Hosted Organizations/example.org/eve", "AccessRights", "FullAccess"),
		"capability ok "+by+" channel=m365 action=Add-MailboxPermission inference=DELEGATION_GIVEN power=delegation mailbox=bob in=bob target=eve")
	f(`"ResultStatus":"Failed",`+parameters("Add-MailboxPermission", "Identity", "bob"), "capability failed "+by+" channel=m365 action=Add-MailboxPermission inference=DELEGATION_GIVEN power=delegation mailbox=bob in=bob")
	f(parameters("Add-MailboxFolderPermission", "Identity", `bob@example.org:\Inbox`, "User", "Default", "AccessRights", "Reviewer"),
		"capability ok "+by+` channel=m365 action=Add-MailboxFolderPermission inference=DELEGATION_GIVEN power=delegation folder="\\Inbox" in=bob@example.org folder="\\Inbox" target=Default`)
	f(parameters("Remove-MailboxPermission", "Identity", "bob", "User", "eve"), "containment ok "+by+" channel=m365 action=Remove-MailboxPermission inference=POWER_REMOVED power=delegation mailbox=bob in=bob target=eve")
	f(`"Operation":"ModifyFolderPermissions","Item":{"ParentFolder":{"MemberRights":"None","MemberUpn":"Everyone"}}`)
	f(`"Operation":"ModifyFolderPermissions","MailboxOwnerUPN":"bob@example.org","Item":{"ParentFolder":{"Id":"F","MemberRights":"ReadAny","MemberUpn":"eve@example.org"}}`,
		"capability ok "+by+" channel=m365 action=ModifyFolderPermissions inference=DELEGATION_GIVEN power=delegation folder=F in=bob@example.org folder=F target=eve@example.org")

	// Applications and roles.
	f(`"Operation":"Consent to application.","ObjectId":"app1","ModifiedProperties":[{"Name":"ConsentContext.OnBehalfOfAll","NewValue":"False","OldValue":""},{"Name":"ConsentAction.Permissions","NewValue":"[] => [[Id: x, ConsentType: Principal, Scope:  Mail.Read openid]]; ","OldValue":""}]`,
		"capability ok "+by+` channel=m365 app=app1 action="Consent to application." inference=CONSENT_GIVEN power=grant in=ana@example.org target="Mail.Read openid"`)
	f(`"Operation":"Consent to application.","ObjectId":"app1"`, "capability ok "+by+` channel=m365 app=app1 action="Consent to application." inference=CONSENT_GIVEN power=grant`)
	f(`"Operation":"Add app role assignment to service principal.","ModifiedProperties":[{"Name":"AppRole.Value","NewValue":"Mail.Read"},{"Name":"ServicePrincipal.AppId","NewValue":"app1"}]`,
		"capability ok "+by+` channel=m365 app=app1 action="Add app role assignment to service principal." inference=CONSENT_GIVEN power=grant target=Mail.Read`)
	f(`"Operation":"Add member to role.","ObjectId":"eve@example.org","ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Exchange Administrator"}]`,
		"capability ok "+by+` channel=m365 action="Add member to role." inference=ROLE_GIVEN power=delegation role="Exchange Administrator" target=eve@example.org`)
	f(`"Operation":"Remove member from role.","ObjectId":"eve@example.org"`, "containment ok "+by+` channel=m365 action="Remove member from role." inference=POWER_REMOVED power=delegation target=eve@example.org`)

	// What ends powers, and what ends records.
	f(`"Operation":"Reset user password.","ObjectId":"bob@example.org"`, "containment ok "+by+` channel=m365 action="Reset user password." inference=PASSWORD_CHANGED power=password target=bob@example.org`)
	f(`"Operation":"Update StsRefreshTokenValidFrom Timestamp.","ObjectId":"bob@example.org"`, "containment ok "+by+` channel=m365 action="Update StsRefreshTokenValidFrom Timestamp." inference=TOKENS_REVOKED power=token target=bob@example.org`)
	f(parameters("Set-Mailbox", "Identity", "bob", "AuditEnabled", "False"), "gap ok "+by+" channel=m365 action=Set-Mailbox inference=disabled log=\"mailbox audit log\" target=bob")
	f(parameters("Set-Mailbox", "Identity", "bob", "AuditOwner", "Update"), "gap ok "+by+" channel=m365 action=Set-Mailbox inference=narrowed log=\"mailbox audit log\" target=bob")
	f(parameters("Set-Mailbox", "Identity", "bob", "AuditOwner", "Update;MailItemsAccessed"))
	f(parameters("Set-MailboxAuditBypassAssociation", "Identity", "eve", "AuditBypassEnabled", "True"), "gap ok "+by+" channel=m365 action=Set-MailboxAuditBypassAssociation inference=bypass log=\"mailbox audit log\" target=eve")
	f(parameters("Set-MailboxAuditBypassAssociation", "Identity", "eve", "AuditBypassEnabled", "False"), "gap ok "+by+" channel=m365 action=Set-MailboxAuditBypassAssociation inference=bypass_ended log=\"mailbox audit log\" target=eve")
	f(parameters("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "False"), "gap ok "+by+" channel=m365 action=Set-AdminAuditLogConfig inference=disabled log=\"unified audit log\"")
	f(parameters("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "True"), "gap ok "+by+" channel=m365 action=Set-AdminAuditLogConfig inference=enabled log=\"unified audit log\"")
	f(`"Operation":"Update user."`)
}

func TestMailAccessNamesItsMessagesAndFolders(t *testing.T) {
	f := func(fields string, want ...string) {
		t.Helper()
		got := observed(t, `{"CreationTime":"2024-05-01T10:00:00","Operation":"MailItemsAccessed","UserId":"ana@example.org","Workload":"Exchange","MailboxOwnerUPN":"Bob@example.org",`+fields+`}`)
		if w := strings.Join(want, "\n"); got != w {
			t.Errorf("%s:\n got %s\nwant %s", fields, got, w)
		}
	}
	const (
		bind = `"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}]`
		sync = `"OperationProperties":[{"Name":"MailAccessType","Value":"Sync"},{"Name":"IsThrottled","Value":"False"}]`
		did  = "action=MailItemsAccessed inference=BIND"
	)
	f(bind+`,"LogonType":2,"SessionId":"s1","ClientIPAddress":"[2001:db8::1]:47114","ClientInfoString":"Client=OWA;x","ClientAppId":"","AppId":"app1","OperationCount":2,"Folders":[{"Id":"F1","Path":"\\Inbox","FolderItems":[{"InternetMessageId":"\u003c1@x\u003e","Id":"I1","SizeInBytes":70}]},{"Id":"F2","FolderItems":[{"Id":"I2"}]}]`,
		"access ok account=ana@example.org standing=delegate ip=2001:db8::1 agent=Client=OWA;x channel=owa session=s1 app=app1 "+did+" message=<1@x> in=Bob@example.org folder=F1 exposure=content bytes=70 before=2m0s",
		"access ok account=ana@example.org standing=delegate ip=2001:db8::1 agent=Client=OWA;x channel=owa session=s1 app=app1 "+did+" message=I2 in=Bob@example.org folder=F2 exposure=content before=2m0s")
	// The same as a string, as Sentinel has it.
	f(bind+`,"Logon_Type":"Owner","Client_IPAddress":"203.0.113.9","Folders":"[{\"Id\":\"F1\",\"FolderItems\":[{\"InternetMessageId\":\"<1@x>\"}]}]"`,
		"access ok account=ana@example.org standing=owner ip=203.0.113.9 channel=m365 "+did+" message=<1@x> in=Bob@example.org folder=F1 exposure=content before=2m0s")
	// What is counted and not named is the mailbox's, as is a record that names nothing, or is damaged.
	f(bind+`,"OperationCount":5,"Folders":[{"Id":"F1","FolderItems":[{"InternetMessageId":"<1@x>"},7,{"x":1},{"y":z}]}]`,
		"access ok account=ana@example.org channel=m365 "+did+" message=<1@x> in=Bob@example.org folder=F1 exposure=content before=2m0s",
		"access ok account=ana@example.org channel=m365 "+did+" mailbox=Bob@example.org exposure=content count=4 before=2m0s")
	f(bind, "access ok account=ana@example.org channel=m365 "+did+" mailbox=Bob@example.org exposure=content before=2m0s")
	f(`"OperationProperties":[{"Name":"IsThrottled","Value":"True"}],"AppAccessContext":{"AADSessionId":"s2","ClientAppId":"app2"},"Folders":[{"FolderItems":[{"InternetMessageId":"<1@x>"}]}]`,
		"access ok account=ana@example.org channel=m365 session=s2 app=app2 "+did+" message=<1@x> in=Bob@example.org exposure=content before=2m0s",
		"gap ok account=ana@example.org channel=m365 session=s2 app=app2 action=MailItemsAccessed inference=throttled target=Bob@example.org after=24h0m0s")

	f(sync+`,"ClientInfoString":"Client=MSExchangeRPC","Item":{"Id":"F1","ParentFolder":{"Id":"F1","Name":"Posteingang","Path":"Not Available"}}`,
		"access ok account=ana@example.org agent=Client=MSExchangeRPC channel=mapi action=MailItemsAccessed inference=SYNC_FOLDER folder=F1 in=Bob@example.org exposure=content target=Posteingang")
	f(sync+`,"Item":"{\"ParentFolder\":{\"Id\":\"F1\",\"Name\":\"Inbox\"}}"`,
		"access ok account=ana@example.org channel=m365 action=MailItemsAccessed inference=SYNC_FOLDER folder=F1 in=Bob@example.org exposure=content target=Inbox")
	f(sync+`,"Folders":[{"Id":"F1","Path":"\\Inbox"},{"Id":"F2","Name":"Sent"}]`,
		`access ok account=ana@example.org channel=m365 action=MailItemsAccessed inference=SYNC_FOLDER folder=F1 in=Bob@example.org exposure=content target="\\Inbox"`,
		"access ok account=ana@example.org channel=m365 action=MailItemsAccessed inference=SYNC_FOLDER folder=F2 in=Bob@example.org exposure=content target=Sent")
	f(sync, "access ok account=ana@example.org channel=m365 action=MailItemsAccessed inference=MAILBOX_READ mailbox=Bob@example.org exposure=content")
}

func TestOnlyExchangeOnlineItselfIsNobody(t *testing.T) {
	f := func(fields string, want bool) {
		t.Helper()
		got := observed(t, `{"CreationTime":"2024-05-01T10:00:00","Operation":"MailItemsAccessed","UserId":"ana@example.org","Workload":"Exchange","Folders":[{"FolderItems":[{"InternetMessageId":"<1@x>"}]}],`+fields+`}`)
		if own := strings.Contains(got, "standing=service") && strings.Contains(got, "SERVICE_BIND"); own != want {
			t.Errorf("%s: the service's own: %t\n%s", fields, own, got)
		}
	}
	const rest = `"ClientInfoString":"Client=REST;Client=RESTSystem;;"`
	f(rest+`,"ClientIPAddress":"2603:10a6:20b:f0:cafe::69","LogonType":0`, true)
	f(rest+`,"ClientIPAddress":"2603:10b6::13"`, true)
	f(rest+`,"ClientIPAddress":"2603:1020::13"`, false)
	f(rest+`,"ClientIPAddress":"203.0.113.9"`, false)
	f(rest, false)
	f(rest+`,"ClientIPAddress":"2603:10a6::13","SessionId":"s1"`, false)
	f(rest+`,"ClientIPAddress":"2603:10a6::13","AppAccessContext":{"UniqueTokenId":"x"}`, false)
	f(rest+`,"ClientIPAddress":"2603:10a6::13","AppId":"00000003-0000-0000-c000-000000000000","ClientAppId":"x"`, false)
	f(rest+`,"ClientIPAddress":"2603:10a6::13","LogonType":2`, false)
	f(`"ClientInfoString":"Client=OWA;x","ClientIPAddress":"2603:10a6::13"`, false)
	f(`"LogonType":4`, true)
	f(`"LogonType":"3"`, true)
}

func TestAttachmentsAreOfTheirMessage(t *testing.T) {
	data, err := os.ReadFile(sharedtest.Path(t, "evidence", "m365", "elastic-integration-samples", "attachment-access.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for l := range strings.Lines(observed(t, strings.TrimSpace(string(data)))) {
		if strings.Contains(l, "inference=ATTACHMENT_READ") && strings.Contains(l, "exposure=content") && !strings.Contains(l, "standing=service") {
			got = append(got, strings.TrimSpace(l[strings.Index(l, "bytes="):]))
		}
	}
	want := []string{"bytes=2379 before=2m0s", "bytes=7356 before=2m0s", "bytes=1156492 before=2m0s", "bytes=87052 before=2m0s", "bytes=267212 before=2m0s", "bytes=20477 before=2m0s"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestRowAtTheLimitOfAnExportIsAGap(t *testing.T) {
	f := func(index, want string) {
		t.Helper()
		doubled := strings.ReplaceAll(`{"CreationTime":"2024-05-01T10:00:00","Operation":"Update user.","Workload":"AzureActiveDirectory"}`, `"`, `""`)
		out := logtest.Events(t, m365.NewUAL(), "x.csv", []byte("ResultIndex,ResultCount,AuditData\n"+index+`,"`+doubled+"\"\n"))
		got := ""
		for _, o := range logtest.Observations(m365.NewUAL(), &out.Events[0]) {
			got += logtest.DumpObservation(o)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", index, got, want)
		}
	}
	f("4999,7000", "")
	f("1,7000", "gap failed channel=m365 inference=truncated_export first row=7000")
	f("7000,7000", "gap failed channel=m365 inference=truncated_export last row=7000")
	f("1,1", "")
	f("0,0", "")
	f("-1,0", "")
	f("1,", "")
	f("5000,7000", "gap ok channel=m365 inference=truncated_export bytes=7000 count=5000")
	f("5001,7000", "gap failed channel=m365 inference=truncated_export bytes=7000 count=5001")
	f("50000,60000", "gap ok channel=m365 inference=truncated_export bytes=60000 count=50000")
}

// TestRealMailAccessIsWhatItsIndexSays holds every record of mail access of a real export against the index that was made of it: its messages, its
// folders, its session; each once, though many are in the export twice.
func TestRealMailAccessIsWhatItsIndexSays(t *testing.T) {
	data := gunzip(t, sharedtest.Path(t, "evidence", "m365", "invictus-o365", invictus))
	out := logtest.Events(t, m365.NewUAL(), "ual.csv", data)
	p := m365.NewUAL().Parser()
	seen := map[[16]byte]bool{}
	var got []string
	services, sessions, people := 0, map[string]bool{}, 0
	for i := range out.Events {
		e := &out.Events[i]
		id, _ := m365.ID(e)
		if e.Value(e.Shape.Slot("Operation")).String() != "MailItemsAccessed" || seen[id] {
			continue
		}
		seen[id] = true
		var items, folders []string
		var first logs.Observation
		for _, o := range p.Observe(e, nil) {
			if o.Kind == logs.Gap {
				continue // an end of a search
			}
			if first = o; o.Inference == logs.SyncFolder {
				folders = append(folders, string(o.Target))
				continue
			}
			if o.ObjectKind != "message" || len(o.Folder) == 0 || o.Exposure != logs.Content {
				t.Errorf("%s", logtest.DumpObservation(o))
			}
			items = append(items, string(o.Object))
		}
		kind := "Bind"
		if first.Inference == logs.SyncFolder {
			kind = "Sync"
		}
		if sessions[string(first.Session)] = true; first.Standing == logs.Service {
			if services++; !strings.HasPrefix(string(first.IP), "2603:10a6:") {
				t.Errorf("from %s", first.IP)
			}
		} else {
			people++
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s %d %s %s", e.Value(e.Shape.Slot("CreationTime")), first.Account, first.In, first.IP, kind,
			strings.Join(folders, "|"), len(items), strings.Join(items, ","), first.Session))
	}
	want := map[string]bool{}
	wantSessions := map[string]bool{}
	for _, row := range table(t, "mailitemsaccessed_2021-03_05.tsv") {
		if row[5] == "Bind" {
			row[6] = "" // of messages the folder is told by its identifier
		}
		want[fmt.Sprintf("%s %s %s %s %s %s %s %s %s", row[0], row[1], row[2], event.Address([]byte(row[4])), row[5], row[6], row[7], row[8], row[9])] = true
		wantSessions[row[9]] = true
	}
	slices.Sort(got)
	var list []string
	for w := range want {
		list = append(list, w)
	}
	slices.Sort(list)
	if d := cmp.Diff(list, got); d != "" {
		t.Errorf("(-want +got)\n%.2000s", d)
	}
	if d := cmp.Diff(wantSessions, sessions); d != "" {
		t.Errorf("sessions (-want +got)\n%s", d)
	}
	if services != 102 || people != 68 {
		t.Errorf("%d by the service itself, %d not, want 102 and 68", services, people)
	}
}

func TestMailAccessCostsNoAllocation(t *testing.T) {
	line := `{"CreationTime":"2024-05-01T10:00:00","Id":"x","Operation":"MailItemsAccessed","Workload":"Exchange","UserId":"ana@example.org","MailboxOwnerUPN":"ana@example.org","LogonType":0,"ClientIPAddress":"203.0.113.9","ClientInfoString":"Client=REST;Client=RESTSystem;;","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"Folders":[{"Id":"F1","Path":"\\Inbox","FolderItems":[{"InternetMessageId":"\u003c1@x\u003e","Id":"I1","SizeInBytes":70},{"InternetMessageId":"<2@x>"}]}],"OperationCount":2}`
	out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(line+"\n"))
	p := m365.NewUAL().Parser()
	var obs []logs.Observation
	if n := testing.AllocsPerRun(100, func() { obs = p.Observe(&out.Events[0], obs[:0]) }); n > 0 || len(obs) != 2 {
		t.Errorf("%.0f allocations for %d observations", n, len(obs))
	}
}

func TestEntraSaysWhoCameInAndWhatWasAllowed(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		out := logtest.Events(t, m365.NewAzure(), "x.json", []byte(in+"\n"))
		if len(out.Events) != 1 {
			t.Fatalf("%d events of %s %v", len(out.Events), in, out.Defects)
		}
		var got []string
		for _, o := range logtest.Observations(m365.NewAzure(), &out.Events[0]) {
			got = append(got, logtest.DumpObservation(o))
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s:\n got %s\nwant %s", in, g, w)
		}
	}
	f(`{"createdDateTime":"2024-05-01T10:00:00Z","userPrincipalName":"ana@example.org","appDisplayName":"OWA","appId":"app1","ipAddress":"203.0.113.9","clientAppUsed":"Browser","conditionalAccessStatus":"success","isInteractive":false,"sessionId":"s1","uniqueTokenIdentifier":"t1","userAgent":"Mozilla","status":{"errorCode":0},"deviceDetail":{"deviceId":"d1"}}`,
		"login ok account=ana@example.org ip=203.0.113.9 agent=Mozilla channel=m365 session=s1 device=d1 app=app1 action=OWA inference=SIGNED_IN")
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"NonInteractiveUserSignInLogs","resultType":"0","callerIpAddress":"2001:db8::1","properties":{"userPrincipalName":"ana@example.org","appId":"app1","sessionId":"s1"}}`,
		"login ok account=ana@example.org ip=2001:db8::1 channel=m365 session=s1 app=app1 inference=SIGNED_IN")
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"ServicePrincipalSignInLogs","resultType":"0","callerIpAddress":"203.0.113.9","properties":{"servicePrincipalName":"mailer","servicePrincipalId":"sp1","appId":"app1"}}`,
		"login ok account=mailer ip=203.0.113.9 channel=m365 app=app1 inference=SIGNED_IN")
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"ManagedIdentitySignInLogs","resultType":"0","properties":{"servicePrincipalId":"mi1","appId":"app2"}}`,
		"login ok account=mi1 channel=m365 app=app2 inference=SIGNED_IN")
	f(`{"time":"2024-05-01T10:00:00Z","resourceId":"/tenants/x","operationName":"Sign-in activity","category":"SignInLogs","resultType":"50076","properties":{"userPrincipalName":"ana@example.org"}}`)

	audit := func(activity, resource string) string {
		return `{"activityDateTime":"2024-05-01T10:00:00Z","activityDisplayName":"` + activity + `","result":"success","initiatedBy":{"user":{"userPrincipalName":"ana@example.org"}},"targetResources":[` + resource + `]}`
	}
	const by = "account=ana@example.org channel=m365 action="
	f(audit("Consent to application", `{"id":"sp1","displayName":"App","modifiedProperties":[{"displayName":"ConsentContext.OnBehalfOfAll","oldValue":null,"newValue":"\"False\""},{"displayName":"ConsentAction.Permissions","newValue":"\"[] => [[Id: x, ConsentType: Principal, Scope:  Mail.Read]]; \""},{"displayName":"TargetId.ServicePrincipalNames","newValue":"\"app1;https://example.org\""}]}`),
		"capability ok account=ana@example.org channel=m365 app=app1 action="+`"Consent to application" inference=CONSENT_GIVEN power=grant in=ana@example.org target=Mail.Read`)
	f(audit("Reset password (by admin)", `{"id":"u1","userPrincipalName":"bob@example.org"}`), "containment ok "+by+`"Reset password (by admin)" inference=PASSWORD_CHANGED power=password target=bob@example.org`)
	f(audit("Add member to role", `{"id":"u1","userPrincipalName":"eve@example.org","modifiedProperties":[{"displayName":"Role.DisplayName","newValue":"\"Global Administrator\""}]}`),
		"capability ok "+by+`"Add member to role" inference=ROLE_GIVEN power=delegation role="Global Administrator" target=eve@example.org`)
	f(audit("Update StsRefreshTokenValidFrom Timestamp", `{"userPrincipalName":"bob@example.org"}`), "containment ok "+by+`"Update StsRefreshTokenValidFrom Timestamp" inference=TOKENS_REVOKED power=token target=bob@example.org`)
	f(audit("Disable account", `{"userPrincipalName":"bob@example.org"}`), "containment ok "+by+`"Disable account" inference=ACCOUNT_DISABLED power=password target=bob@example.org`)
	f(audit("Update user", `{}`))
}
