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

// The rules of inference that readers of logs use: [Inferences] explains each. Those that judging adds are in package judge.
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
	CrossMailbox     = "CROSS_MAILBOX"     // a request that names the mailbox of somebody else: a hint
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
	Delivered        = "DELIVERED"         // a message came to an address
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
	SignedIn          = "SIGNED_IN"           // a login succeeded
	SignedInLegacy    = "SIGNED_IN_LEGACY"    // the same, by a protocol that asks for no second factor
	SignedInByCode    = "SIGNED_IN_BY_CODE"   // the same, by a code that was typed in on another device
	SignedInFederated = "SIGNED_IN_FEDERATED" // the same, by a token that the organisation's own server signed
	RuleMade          = "RULE_MADE"           // a rule or setting that forwards mail
	DelegationGiven   = "DELEGATION_GIVEN"    // rights over a mailbox or folder
	ConsentGiven      = "CONSENT_GIVEN"       // an application was let in
	RoleGiven         = "ROLE_GIVEN"          // an administrator's role
	LinkMade          = "LINK_MADE"           // a link for whoever has it
	LinkUsed          = "LINK_USED"
	PasswordChanged   = "PASSWORD_CHANGED"
	TokensRevoked     = "TOKENS_REVOKED"
	AccountDisabled   = "ACCOUNT_DISABLED"
	PowerRemoved      = "POWER_REMOVED" // a rule, delegation, consent or role was taken away
	CodeRan           = "CODE_RAN"      // a process that only an attack starts
)

// Where rules were read.
const (
	microsoft     = "Microsoft, audit-log-investigate-accounts"
	measured      = "measured on invictus-ir/o365_dataset"
	dovecotSource = "dovecot/core, source of 2.2 to 2.4"
	exchangeLogs  = "ExchangeLogReport, tests with logs of Exchange SE"
	proxyLogon    = "microsoft/CSS-Exchange, Test-ProxyLogon; logs of a victim published in 2021"
	proxyShell    = "SigmaHQ, web_exchange_proxyshell; Azure-Sentinel, ProxyShellPwn2Own"
	httpSpec      = "RFC 9110"
	nextcloud     = "nextcloud/server, app admin_audit"
	windowsDoc    = "Microsoft, audit events 5145 and 4663"
	practice      = "" // what practitioners know
)

// Inferences returns every rule of inference that readers of logs use, in a fixed order.
func Inferences() []Inference {
	return []Inference{
		{Bind, "The mail service recorded that this message was opened or fetched: its content counts as read.", true, microsoft},
		{SyncFolder, "A client synchronised the folder: every message that was in it then counts as read. Microsoft advises to assume the rest of the mailbox.", true, microsoft},
		{ServiceBind, "The mail service itself touched the message: nobody read it.", true, measured},
		{MessageTouched, "The message was created, changed, moved or deleted: that it existed was known, its content may have been.", true, microsoft},
		{MessageSent, "The message was sent by the account: whoever sent it knows its content.", true, microsoft},
		{MessageShown, "A web mail program showed the message with this number.", false, practice},
		{AttachmentRead, "An attachment was fetched: a part of the message's content was read.", true, exchangeLogs},
		{MailboxRead, "Contents of the mailbox were fetched; the log does not say which.", true, exchangeLogs},
		{MailboxListed, "Folders or messages of the mailbox were listed or searched: subjects and addresses were shown.", true, exchangeLogs},
		{MailboxUsed, "An authenticated request to the mailbox succeeded; the log does not say for what.", true, exchangeLogs},
		{CrossMailbox, "The client named another mailbox than its own for the request to be routed by; whether it opened that one is not said.", true, "decompiled Microsoft.Exchange.HttpProxy.RequestDetailsLogger"},
		{FolderListed, "The folder was listed: subjects and addresses were shown.", false, practice},
		{FolderExported, "The folder was downloaded as an archive: every message or file that was in it then counts as read.", false, practice},
		{FolderSynced, "ActiveSync handed out changes of the folder, by their number; which, is not said.", true, "Microsoft TechNet, bb201675"},
		{FolderBind, "Mailbox auditing recorded that the folder was opened: what it lists was shown.", false, practice},
		{MessageBind, "Mailbox auditing recorded that the message was opened.", false, practice},
		{MailFetched, "The end of an IMAP or POP3 session says how many bodies and bytes were handed out; not of which messages.", true, dovecotSource},
		{MailHeaders, "The end of an IMAP or POP3 session says that headers were handed out, or more than a session without any needs.", true, dovecotSource},
		{MailTraffic, "The end of the session says how many bytes went out, not what was in them: content may have been.", true, dovecotSource},
		{MailNotFetched, "The end of the session says that no body was handed out in it.", true, dovecotSource},
		{ExportAll, "The mailbox was exported as a whole.", true, proxyShell},
		{ExportRequested, "The export of the mailbox was asked for; that it was made and fetched is not shown.", true, proxyShell},
		{ExportFiltered, "The mailbox was exported within a filter, or in order to write a web page: which messages it held is not shown.", true, proxyShell},
		{Forwarded, "A rule forwarded the message to somebody outside.", false, practice},
		{Delivered, "The message trace says that the message came to this address.", true, "Microsoft, Run a message trace and view results"},
		{SearchExported, "The hits of a search over mailboxes were exported; that they were fetched is not shown.", false, practice},
		{SearchDownloaded, "The exported hits of a search over mailboxes were downloaded; which messages they held is not shown.", false, practice},
		{Searched, "A search was made: its page of results was shown.", true, microsoft},

		{FileDownloaded, "The server recorded that the file was downloaded.", true, measured},
		{FileOpened, "The server recorded that the file was opened for reading.", true, nextcloud},
		{FilePreviewed, "A preview of the file was shown: a part of its content.", true, nextcloud},
		{FileReadGranted, "A handle that allows reading the file was given: whether it was read is not shown.", true, windowsDoc},
		{FileListed, "The names in the folder were shown.", true, "RFC 4918"},
		{FileTouched, "The file was changed, moved, shared or deleted: that it existed was known, its content may have been.", true, measured},
		{HTTPBody, "The web server handed out the file, or as many bytes of it as it logged: all of it if that is its size.", true, httpSpec},
		{HTTPRange, "The web server handed out parts of the file; which, is not logged: all of it is presumed if their sum is its size.", true, httpSpec},
		{HTTPNotModified, "The client held the file already: it may have got it earlier.", true, httpSpec},
		{HTTPHead, "The web server said that the file exists, and its size.", true, httpSpec},

		{ProxyLogonProbe, "The server answered a request that was smuggled through it (CVE-2021-26855): it is vulnerable, and gave its name.", true, proxyLogon},
		{ProxyLogonSID, "The server gave the identifier of a mailbox's owner to a smuggled request.", true, proxyLogon},
		{ProxyLogonSession, "The server opened an administrator's session to a smuggled request (status 241).", true, proxyLogon},
		{ProxyLogonDirectory, "A smuggled request was given the list of mailboxes, or the configuration.", true, proxyLogon},
		{ProxyLogonWritten, "A smuggled request wrote a file on the server (CVE-2021-27065).", true, proxyLogon},
		{ProxyLogonMailbox, "A smuggled request for mailbox contents was answered; of which mailbox is not said.", true, proxyLogon},
		{ProxyShellPowerShell, "A smuggled request reached the server's PowerShell (CVE-2021-34473): commands may have run as an administrator.", true, proxyShell},
		{ProxyShellMailbox, "A smuggled request for mailbox contents was answered (CVE-2021-34473); of which mailbox is not said.", true, proxyShell},
		{AddressBookRead, "The address book was handed out: names and addresses of everybody.", true, proxyShell},
		{ShellWritten, "A web shell was written on the server: who can reach it can run commands.", true, proxyLogon},
		{ShellVisited, "The web shell was asked for without a command: whether it is there.", true, proxyLogon},
		{ShellUsed, "The web shell was given a command, or may have been: code ran, and what it did is not in this log.", true, proxyLogon},
		{ShellAbsent, "The web shell was asked for, and was not there.", true, proxyLogon},

		{SignedIn, "A login succeeded: whoever did it held the password, or a token.", true, microsoft},
		{SignedInLegacy, "A login succeeded by an old protocol, which asks for no second factor: whoever did it held the password.", true, microsoft},
		{SignedInByCode, "A login succeeded by a code that somebody typed in on another device: whoever asked for the code holds the token.", true, microsoft},
		{SignedInFederated, "A login succeeded by a token of the organisation's own AD FS: whoever has its key can make such tokens.", true, microsoft},
		{RuleMade, "A rule or setting forwards mail: what arrives while it holds may have been disclosed.", true, microsoft},
		{DelegationGiven, "Rights over a mailbox or folder were given: who got them may have read it.", true, microsoft},
		{ConsentGiven, "An application was let in: a changed password does not shut it out.", true, microsoft},
		{RoleGiven, "An administrator's role was given.", true, microsoft},
		{LinkMade, "A link was made: whoever has it may have read what it leads to.", true, microsoft},
		{LinkUsed, "A link was used: what it leads to was shown.", true, microsoft},
		{PasswordChanged, "The password was changed: the old one no longer opened anything.", true, microsoft},
		{TokensRevoked, "Sessions were revoked: tokens no longer opened anything.", true, microsoft},
		{AccountDisabled, "The account was disabled.", true, microsoft},
		{PowerRemoved, "A rule, delegation, consent or role was taken away.", true, microsoft},
		{CodeRan, "A process started that only an attack starts: code of the attacker ran on the host.", true, proxyLogon},
	}
}

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

// What ends a gap, as the inference of a Gap that succeeded: it has the same Target, Object and In as the one that it ends.
const (
	GapEnabled        = "enabled"         // ends GapDisabled: the log was switched on
	GapBypassEnded    = "bypass_ended"    // ends GapBypass
	GapNarrowingEnded = "narrowing_ended" // ends GapNarrowed: the actions are audited again
)

// The logs that a setting concerns which another log tells of, as the Object of a Gap.
const (
	UnifiedAuditLog = "unified audit log" // of Microsoft 365
	MailboxAuditLog = "mailbox audit log"
	AdminAuditLog   = "admin audit log"
	IMAPLog         = "imap4 protocol log"
	POPLog          = "pop3 protocol log"
)

// Down and Up are the inferences of heartbeats that tell of a host's going down and coming up in order: silence between
// them is no gap.
const (
	Down = "DOWN"
	Up   = "UP"
)
