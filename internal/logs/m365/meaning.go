package m365

import "strings"

// means is what the records of a Shape mean; it is the Shape's Tag. It fits into a byte.
type means uint32

const (
	meansNothing means = iota
	meansLogin
	meansLoginFailed
	meansMailItems
	meansAttachment
	meansFolderBind
	meansMessageBind
	meansSend
	meansTouch // of messages
	meansSearch
	meansExport
	meansExportDownloaded
	meansFileOpened
	meansFileDownloaded
	meansFilePart
	meansFilePreviewed
	meansFileTouched
	meansFileListed
	meansLinkMade
	meansLinkUsed
	meansLinkRemoved
	meansInboxRule
	meansMailRule // of the organisation: a transport rule, a journal rule, a connector
	meansOutlookRules
	meansForwarding
	meansRuleRemoved
	meansPermission // somebody may use a mailbox of somebody else
	meansPermissionRemoved
	meansFolderPermission
	meansConsent
	meansPermissionGrant
	meansAppRole
	meansAppSecret
	meansGrantPart // a step of a grant that another record tells whole, or that gives nothing by itself
	meansGrantRemoved
	meansRole
	meansRoleRemoved
	meansFederation
	meansAuditing
	meansPassword
	meansTokens
	meansDisabled
)

// operations are the operations of the unified audit log that mean something (Microsoft Learn, "Audit log activities"). Those
// of eDiscovery are as practitioners know them.
var operations = map[string]means{
	"UserLoggedIn": meansLogin, "MailboxLogin": meansLogin, "UserLoginFailed": meansLoginFailed,

	"MailItemsAccessed": meansMailItems, "AttachmentAccess": meansAttachment, "FolderBind": meansFolderBind, "MessageBind": meansMessageBind,
	"Send": meansSend, "SendAs": meansSend, "SendOnBehalf": meansSend,
	"Create": meansTouch, "Update": meansTouch, "Move": meansTouch, "Copy": meansTouch, "MoveToDeletedItems": meansTouch, "SoftDelete": meansTouch,
	"HardDelete": meansTouch, "RecordDelete": meansTouch,

	"SearchQueryInitiatedExchange": meansSearch, "SearchQueryInitiatedSharePoint": meansSearch, "SearchQueryPerformed": meansSearch,
	"SearchExported": meansExport, "New-ComplianceSearchAction": meansExport, "SearchExportDownloaded": meansExportDownloaded,
	"ExportDownloaded": meansExportDownloaded, "PreviewItemDownloaded": meansExportDownloaded, "PreviewItemRendered": meansExportDownloaded,
	"SearchPreviewed": meansExport, "PreviewItemListed": meansExport, "SearchResultsExported": meansExport,

	"FileAccessed": meansFileOpened, "FileAccessedExtended": meansFileOpened, "FileDownloaded": meansFileDownloaded,
	"FileSyncDownloadedFull": meansFileDownloaded, "FileSyncDownloadedPartial": meansFilePart, "FilePreviewed": meansFilePreviewed,
	"FileModified": meansFileTouched, "FileModifiedExtended": meansFileTouched, "FileUploaded": meansFileTouched, "FileDeleted": meansFileTouched,
	"FileMoved": meansFileTouched, "FileRenamed": meansFileTouched, "FileRecycled": meansFileTouched, "FileRestored": meansFileTouched,
	"FileCopied": meansFileTouched, "FileSyncUploadedFull": meansFileTouched, "FileSyncUploadedPartial": meansFileTouched,
	"FileDeletedFirstStageRecycleBin": meansFileTouched, "FileDeletedSecondStageRecycleBin": meansFileTouched, "ListViewed": meansFileListed,
	"AnonymousLinkCreated": meansLinkMade, "AnonymousLinkUpdated": meansLinkMade, "CompanyLinkCreated": meansLinkMade, "SecureLinkCreated": meansLinkMade,
	"SharingLinkCreated": meansLinkMade, "AddedToSecureLink": meansLinkMade, "SharingInvitationCreated": meansLinkMade,
	"AnonymousLinkUsed": meansLinkUsed, "CompanyLinkUsed": meansLinkUsed, "SecureLinkUsed": meansLinkUsed, "SharingLinkUsed": meansLinkUsed,
	"AnonymousLinkRemoved": meansLinkRemoved, "CompanyLinkRemoved": meansLinkRemoved, "SecureLinkDeleted": meansLinkRemoved,
	"SharingRevoked": meansLinkRemoved, "SharingLinkDeleted": meansLinkRemoved,

	"New-InboxRule": meansInboxRule, "Set-InboxRule": meansInboxRule, "Enable-InboxRule": meansInboxRule, "New-SweepRule": meansInboxRule,
	"UpdateInboxRules":  meansOutlookRules,
	"New-TransportRule": meansMailRule, "Set-TransportRule": meansMailRule, "Enable-TransportRule": meansMailRule,
	"New-JournalRule": meansMailRule, "Set-JournalRule": meansMailRule, "Enable-JournalRule": meansMailRule,
	"New-OutboundConnector": meansMailRule, "Set-OutboundConnector": meansMailRule,
	"Remove-InboxRule": meansRuleRemoved, "Disable-InboxRule": meansRuleRemoved, "Remove-TransportRule": meansRuleRemoved,
	"Disable-TransportRule": meansRuleRemoved, "Remove-JournalRule": meansRuleRemoved, "Disable-JournalRule": meansRuleRemoved,
	"Remove-SweepRule": meansRuleRemoved, "Remove-OutboundConnector": meansRuleRemoved,

	"Add-MailboxPermission": meansPermission, "Add-RecipientPermission": meansPermission, "Add-MailboxFolderPermission": meansPermission,
	"Set-MailboxFolderPermission": meansPermission,
	"Remove-MailboxPermission":    meansPermissionRemoved, "Remove-RecipientPermission": meansPermissionRemoved,
	"Remove-MailboxFolderPermission": meansPermissionRemoved, "RemoveFolderPermissions": meansPermissionRemoved,
	"AddFolderPermissions": meansFolderPermission, "UpdateFolderPermissions": meansFolderPermission, "ModifyFolderPermissions": meansFolderPermission,

	"New-ManagementRoleAssignment": meansRole, "Add-RoleGroupMember": meansRole, "Update-RoleGroupMember": meansRole,
	"Remove-ManagementRoleAssignment": meansRoleRemoved, "Remove-RoleGroupMember": meansRoleRemoved,
	"Set-AdminAuditLogConfig": meansAuditing, "Set-MailboxAuditBypassAssociation": meansAuditing, "Set-OrganizationConfig": meansAuditing,

	// Entra ID; some of its operations end with a full stop or a blank, which is cut off.
	"Consent to application": meansConsent, "Add delegated permission grant": meansPermissionGrant, "Add OAuth2PermissionGrant": meansPermissionGrant,
	"Add app role assignment to service principal": meansAppRole, "Add app role assignment grant to user": meansGrantPart,
	"Add service principal credentials": meansAppSecret, "Update application – Certificates and secrets management": meansAppSecret,
	"Add owner to application": meansGrantPart, "Add owner to service principal": meansGrantPart, "User registered security info": meansGrantPart,
	"Add member to role": meansRole, "Add eligible member to role": meansRole,
	"Set federation settings on domain": meansFederation, "Set domain authentication": meansFederation,
	"Remove delegated permission grant": meansGrantRemoved, "Remove OAuth2PermissionGrant": meansGrantRemoved,
	"Remove app role assignment from service principal": meansGrantRemoved, "Remove service principal": meansGrantRemoved,
	"Remove member from role": meansRoleRemoved,
	"Reset user password":     meansPassword, "Change user password": meansPassword, "Reset password (by admin)": meansPassword,
	"Reset password (self-service)": meansPassword, "Change password (self-service)": meansPassword,
	"Update StsRefreshTokenValidFrom Timestamp": meansTokens, "Disable account": meansDisabled,
}

// meaning returns what the records of an operation mean, given the names of their fields.
func meaning(op string, own map[string]bool) means {
	if m, ok := operations[op]; ok {
		return m
	}
	if m, ok := operations[strings.TrimRight(op, ". ")]; ok {
		return m
	}
	if op == "Set-Mailbox" {
		switch {
		case own["Parameters.ForwardingSmtpAddress"], own["Parameters.ForwardingAddress"], own["Parameters.DeliverToMailboxAndForward"]:
			return meansForwarding
		case own["Parameters.GrantSendOnBehalfTo"]:
			return meansPermission
		case own["Parameters.AuditEnabled"], own["Parameters.AuditOwner"], own["Parameters.AuditDelegate"], own["Parameters.AuditAdmin"]:
			return meansAuditing
		}
	}
	return meansNothing
}
