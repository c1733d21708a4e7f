package logs

// Inference is a rule by which a record of a log proves something, or makes it possible. Verdicts name the rules that they
// lean on.
type Inference struct {
	Name string
	// Says is what follows from the record, in a sentence.
	Says string
	// Verified says that the rule was read in the named source or measured on real records; otherwise it is what practitioners
	// know, and a report says so.
	Verified bool
	Source   string
}

// The rules of inference that readers of logs use. Those that judging adds are in package judge.
const (
	// Mailboxes: a message, a folder, or the mailbox as a whole.
	Bind             = "BIND"              // a message was opened or fetched: MailItemsAccessed, Bind
	SyncFolder       = "SYNC_FOLDER"       // a folder was synchronised: MailItemsAccessed, Sync
	ServiceBind      = "SERVICE_BIND"      // the same by the service itself, for nobody
	MessageTouched   = "MESSAGE_TOUCHED"   // created, changed, moved or deleted
	MessageSent      = "MESSAGE_SENT"      // sent by the account
	MessageShown     = "MESSAGE_SHOWN"     // shown by a web mail program, by its UID
	AttachmentRead   = "ATTACHMENT_READ"   // an attachment was fetched
	MailboxRead      = "MAILBOX_READ"      // contents of a mailbox were fetched; which, is not said
	MailboxListed    = "MAILBOX_LISTED"    // folders or messages were listed or searched
	MailboxUsed      = "MAILBOX_USED"      // an authenticated request to a mailbox; for what, is not said
	FolderListed     = "FOLDER_LISTED"     // a folder was listed
	FolderExported   = "FOLDER_EXPORTED"   // a folder was downloaded as an archive
	FolderSynced     = "FOLDER_SYNCED"     // ActiveSync handed out so many changes of a folder
	FolderBind       = "FOLDER_BIND"       // mailbox auditing: a folder was opened
	MessageBind      = "MESSAGE_BIND"      // mailbox auditing: a message was opened
	MailFetched      = "MAIL_FETCHED"      // the end of an IMAP or POP3 session: so many bodies, so many bytes
	MailHeaders      = "MAIL_HEADERS"      // the same of headers
	MailTraffic      = "MAIL_TRAFFIC"      // the same of bytes, whatever was in them
	MailNotFetched   = "MAIL_NOT_FETCHED"  // the same: no body was read in that session
	ExportAll        = "EXPORT_ALL"        // a mailbox was exported as a whole
	ExportRequested  = "EXPORT_REQUESTED"  // the same was asked for
	ExportFiltered   = "EXPORT_FILTERED"   // a mailbox was exported within a filter, or into a web page
	Forwarded        = "FORWARDED"         // a message was forwarded by a rule
	SearchExported   = "SEARCH_EXPORTED"   // the hits of a search were exported
	SearchDownloaded = "SEARCH_DOWNLOADED" // and downloaded
	Searched         = "SEARCHED"          // a search was made: its page of results was shown

	// Files.
	FileDownloaded  = "FILE_DOWNLOADED"   // the server says: downloaded
	FileOpened      = "FILE_OPENED"       // opened for reading
	FilePreviewed   = "FILE_PREVIEWED"    // a preview was made of it
	FileReadGranted = "FILE_READ_GRANTED" // a handle was given that allows reading
	FileListed      = "FILE_LISTED"       // the names in a folder were shown
	FileTouched     = "FILE_TOUCHED"      // changed, moved, shared or deleted
	HTTPBody        = "HTTP_BODY"         // 200: Bytes of it were handed out
	HTTPRange       = "HTTP_RANGE"        // 206: Bytes of it, which ones is not said
	HTTPNotModified = "HTTP_NOT_MODIFIED" // 304: the client has it already
	HTTPHead        = "HTTP_HEAD"         // only whether it is there, and its size

	// Exchange Server under attack.
	ProxyLogonProbe      = "PROXYLOGON_PROBE"     // S0
	ProxyLogonSID        = "PROXYLOGON_SID"       // S1: the SID of a mailbox
	ProxyLogonSession    = "PROXYLOGON_SESSION"   // S2: an administrator's session
	ProxyLogonDirectory  = "PROXYLOGON_DIRECTORY" // S3: the list of mailboxes, or the configuration
	ProxyLogonWritten    = "PROXYLOGON_WRITTEN"   // S4: a file was written on the server
	ProxyLogonMailbox    = "PROXYLOGON_MAILBOX"   // M: a request for mailbox contents went through
	ProxyShellPowerShell = "PROXYSHELL_POWERSHELL"
	ProxyShellMailbox    = "PROXYSHELL_MAILBOX"
	AddressBookRead      = "ADDRESS_BOOK_READ"
	ShellWritten         = "SHELL_WRITTEN" // a web shell was written
	ShellVisited         = "SHELL_VISITED" // GET without a parameter: was it there?
	ShellUsed            = "SHELL_USED"    // commands may have run: POST, or a parameter
	ShellAbsent          = "SHELL_ABSENT"  // asked for, and not there

	// Powers.
	SignedIn        = "SIGNED_IN"        // a login succeeded
	RuleMade        = "RULE_MADE"        // a rule or setting that forwards mail
	DelegationGiven = "DELEGATION_GIVEN" // rights over a mailbox or folder
	ConsentGiven    = "CONSENT_GIVEN"    // an application was let in
	RoleGiven       = "ROLE_GIVEN"       // an administrator's role
	LinkMade        = "LINK_MADE"        // a link for whoever has it
	LinkUsed        = "LINK_USED"
	PasswordChanged = "PASSWORD_CHANGED"
	TokensRevoked   = "TOKENS_REVOKED"
	AccountDisabled = "ACCOUNT_DISABLED"
	PowerRemoved    = "POWER_REMOVED" // a rule, delegation, consent or role was taken away
	CodeRan         = "CODE_RAN"      // a process that only an attack starts
)

// The reasons of gaps.
const (
	GapThrottled       = "throttled"        // Microsoft stopped writing Bind records for a day
	GapDisabled        = "disabled"         // the log was switched off
	GapBypass          = "bypass"           // an account was exempted from auditing
	GapNarrowed        = "narrowed"         // fewer actions are audited
	GapCleared         = "cleared"          // the log was cleared
	GapTruncatedExport = "truncated_export" // the export ended at a limit
	GapLogLost         = "lost"             // the log itself says that events were lost
)

// Down and Up are the inferences of heartbeats that tell of a host's going down and coming up in order: silence between
// them is no gap.
const (
	Down = "DOWN"
	Up   = "UP"
)
