package m365

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// means is what the records of a Shape mean; it is the Shape's Tag.
type means uint32

const (
	meansNothing means = iota
	meansLogin
	meansLoginFailed
	meansMailItems
	meansMailbox // another use of a mailbox
	meansSend
	meansFile
	meansRule       // mail is moved, deleted or forwarded from now on
	meansPermission // somebody may use a mailbox of somebody else
	meansFolderPermission
	meansGrant    // an application or a role has powers
	meansAuditing // auditing was configured
	meansContainment
)

// meaning returns what the records of an operation mean, given the names of their fields.
func meaning(op string, own map[string]bool) means {
	switch op {
	case "UserLoggedIn", "MailboxLogin":
		return meansLogin
	case "UserLoginFailed":
		return meansLoginFailed
	case "MailItemsAccessed":
		return meansMailItems
	case "AttachmentAccess", "FolderBind", "MessageBind":
		return meansMailbox
	case "Send", "SendAs", "SendOnBehalf":
		return meansSend
	case "FileDownloaded", "FileAccessed", "FileSyncDownloadedFull", "FilePreviewed", "FileAccessedExtended":
		return meansFile
	case "New-InboxRule", "Set-InboxRule", "Enable-InboxRule", "UpdateInboxRules", "New-TransportRule", "Set-TransportRule", "New-SweepRule":
		return meansRule
	case "Add-MailboxPermission", "Add-RecipientPermission", "Add-MailboxFolderPermission", "Set-MailboxFolderPermission":
		return meansPermission
	case "AddFolderPermissions", "UpdateFolderPermissions", "ModifyFolderPermissions":
		return meansFolderPermission
	case "Set-AdminAuditLogConfig", "Set-MailboxAuditBypassAssociation", "Set-OrganizationConfig":
		return meansAuditing
	case "Set-Mailbox":
		switch {
		case own["Parameters.ForwardingSmtpAddress"], own["Parameters.ForwardingAddress"], own["Parameters.DeliverToMailboxAndForward"]:
			return meansRule
		case own["Parameters.GrantSendOnBehalfTo"]:
			return meansPermission
		case own["Parameters.AuditEnabled"], own["Parameters.AuditOwner"], own["Parameters.AuditDelegate"], own["Parameters.AuditAdmin"]:
			return meansAuditing
		}
	case "New-ManagementRoleAssignment", "Add-RoleGroupMember":
		return meansGrant
	}
	// Entra ID; some of its operations end with a full stop or a blank.
	switch strings.TrimRight(op, ". ") {
	case "Consent to application", "Add delegated permission grant", "Add OAuth2PermissionGrant",
		"Add app role assignment to service principal", "Add app role assignment grant to user",
		"Add service principal credentials", "Update application – Certificates and secrets management",
		"Add owner to application", "Add owner to service principal", "Add member to role", "Add eligible member to role",
		"Set federation settings on domain", "Set domain authentication", "User registered security info":
		return meansGrant
	case "Reset user password", "Change user password", "Disable account", "Update StsRefreshTokenValidFrom Timestamp",
		"Remove delegated permission grant", "Remove OAuth2PermissionGrant", "Remove app role assignment from service principal",
		"Remove member from role":
		return meansContainment
	}
	switch op {
	case "Remove-InboxRule", "Disable-InboxRule", "Remove-TransportRule", "Disable-TransportRule", "Remove-MailboxPermission", "Remove-RecipientPermission":
		return meansContainment
	}
	return meansNothing
}

// Observe implements [logs.Parser].
func (p *ualParser) Observe(e *event.Event, obs []logs.Observation) []logs.Observation {
	m := means(e.Shape.Tag)
	if m == meansNothing {
		return obs
	}
	account := e.Role(event.Account)
	o := logs.Observation{
		OK:      succeeded(e),
		Account: text(account),
		IP:      address(e),
		Channel: "m365",
		Session: text(e.Role(event.Session)),
		Action:  text(get(e, "Operation")),
		Bytes:   -1,
		Count:   -1,
	}
	switch m {
	case meansLogin:
		o.Kind, o.OK = logs.Login, true
		return append(obs, o)
	case meansLoginFailed:
		// Whatever ResultStatus says. Most "failures" are interruptions: another factor is asked for, a session has ended.
		switch string(get(e, "ErrorNumber").Data) {
		case "50126", "50053":
		case "":
			switch string(get(e, "LogonError").Data) {
			case "InvalidUserNameOrPassword", "IdsLocked":
			default:
				return obs
			}
		default:
			return obs
		}
		o.Kind, o.OK = logs.Login, false
		return append(obs, o)
	case meansMailItems, meansMailbox:
		o.Kind = logs.Access
		o.Channel = client(e)
		o.Object, o.ObjectKind = text(get(e, "MailboxOwnerUPN")), "mailbox"
		o.Count = integer(get(e, "OperationCount"))
		if o.Count < 0 {
			o.Count = items(get(e, "Folders"))
		}
		obs = append(obs, o)
		if bytes.EqualFold(get(e, "OperationProperties.IsThrottled").Data, []byte("true")) {
			o.Kind, o.OK, o.Count = logs.Gap, true, -1
			obs = append(obs, o)
		}
		return obs
	case meansSend:
		o.Kind = logs.Send
		o.Channel = client(e)
		o.Object, o.ObjectKind = text(get(e, "Item.InternetMessageId")), "message"
		o.Bytes = integer(get(e, "Item.SizeInBytes"))
		if owner := text(get(e, "MailboxOwnerUPN")); !bytes.EqualFold(owner, o.Account) {
			o.Target = owner
		}
		return append(obs, o)
	case meansFile:
		o.Kind = logs.Access
		o.Object, o.ObjectKind = text(get(e, "ObjectId")), "file"
		o.Bytes = integer(get(e, "FileSizeBytes"))
		return append(obs, o)
	case meansContainment:
		o.Kind = logs.Containment
		o.Target = text(get(e, "ObjectId"))
		return append(obs, o)
	case meansAuditing:
		off := is(e, "Parameters.UnifiedAuditLogIngestionEnabled", "false") || is(e, "Parameters.AdminAuditLogEnabled", "false") ||
			is(e, "Parameters.AuditBypassEnabled", "true") || is(e, "Parameters.AuditDisabled", "true") || is(e, "Parameters.AuditEnabled", "false") ||
			string(get(e, "Operation").Data) == "Set-Mailbox" && !is(e, "Parameters.AuditEnabled", "true") && narrowed(e)
		if !off || isService(account) {
			return obs
		}
		o.Kind = logs.Gap
		o.Target = target(e)
		return append(obs, o)
	}
	// What is left gives a power. Exchange Online does these things by itself all day long.
	if isService(account) {
		return obs
	}
	if m == meansFolderPermission {
		rights := get(e, "Item.ParentFolder.MemberRights")
		if len(rights.Data) == 0 || string(rights.Data) == "None" {
			return obs
		}
	}
	if m == meansRule && o.Action != nil && string(o.Action) == "Set-Mailbox" && emptied(e) {
		o.Kind = logs.Containment
		o.Target = target(e)
		return append(obs, o)
	}
	o.Kind = logs.Capability
	o.Target = target(e)
	if m != meansGrant {
		o.Object, o.ObjectKind = o.Target, "mailbox"
	}
	if bytes.EqualFold(o.Target, o.Account) {
		o.Target = nil
	}
	return append(obs, o)
}

// narrowed reports whether the kinds of audited actions of a mailbox were set.
func narrowed(e *event.Event) bool {
	for _, n := range [...]string{"Parameters.AuditOwner", "Parameters.AuditDelegate", "Parameters.AuditAdmin"} {
		if e.Shape.Slot(n) >= 0 {
			return true
		}
	}
	return false
}

// emptied reports whether a forwarding address was taken away.
func emptied(e *event.Event) bool {
	return len(get(e, "Parameters.ForwardingSmtpAddress").Data) == 0 && len(get(e, "Parameters.ForwardingAddress").Data) == 0 &&
		!is(e, "Parameters.DeliverToMailboxAndForward", "true")
}

// target returns over what a power was given: the mailbox or object that the record names.
func target(e *event.Event) []byte {
	for _, n := range [...]string{"MailboxOwnerUPN", "Parameters.Identity", "ObjectId"} {
		if v := get(e, n); len(v.Data) > 0 {
			return text(v)
		}
	}
	return nil
}

// isService reports whether the account is Exchange Online itself or Microsoft's own provisioning.
func isService(account event.Value) bool {
	return bytes.HasPrefix(account.Data, []byte(`NT AUTHORITY\`)) || bytes.HasPrefix(account.Data, []byte("NT SERVICE\\")) ||
		bytes.Contains(account.Data, []byte("-ApplicationAccount@"))
}

func succeeded(e *event.Event) bool {
	return string(get(e, "status").Data) != "failure"
}

func get(e *event.Event, name string) event.Value {
	if slot := e.Shape.Slot(name); slot >= 0 {
		return e.Value(slot)
	}
	return event.Value{}
}

func is(e *event.Event, name, want string) bool {
	v := get(e, name).Data
	return len(v) == len(want) && bytes.EqualFold(v, []byte(want))
}

// text returns the text of a value; it allocates only for one with escapes.
func text(v event.Value) []byte {
	switch v.Kind {
	case event.UTF8, event.Number:
		return v.Data
	case event.Escape:
		return v.AppendText(nil)
	}
	return nil
}

// address returns the remote address of the event, from the first of its fields that has one.
func address(e *event.Event) []byte {
	if v := e.Role(event.Client); len(v.Data) > 0 && v.Kind == event.UTF8 {
		return event.Address(v.Data)
	}
	for _, n := range [...]string{"ClientIP", "ClientIPAddress", "ActorIpAddress"} {
		if v := get(e, n); len(v.Data) > 0 && v.Kind == event.UTF8 {
			return event.Address(v.Data)
		}
	}
	return nil
}

func integer(v event.Value) int64 {
	if v.Kind != event.Number && v.Kind != event.UTF8 {
		return -1
	}
	n, err := strconv.ParseInt(string(v.Data), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// items counts the messages in the list of folders of a record of mail access; -1 if there is none.
func items(folders event.Value) int64 {
	if n := bytes.Count(folders.Data, []byte(`InternetMessageId`)); n > 0 {
		return int64(n)
	}
	return -1
}

// client returns by which protocol a mailbox was used, by the client's description of itself.
func client(e *event.Event) string {
	info := get(e, "ClientInfoString").Data
	rest, ok := bytes.CutPrefix(info, []byte("Client="))
	if !ok {
		return "m365"
	}
	for _, c := range [...]struct{ prefix, channel string }{
		{"OWA", "owa"}, {"REST", "graph"}, {"WebServices", "ews"}, {"POP3", "pop3"}, {"IMAP4", "imap"},
		{"ActiveSync", "eas"}, {"MSExchangeRPC", "mapi"}, {"Outlook", "mapi"},
	} {
		if bytes.HasPrefix(rest, []byte(c.prefix)) {
			return c.channel
		}
	}
	return "m365"
}
