package judge

import "github.com/barid-dfir/barid/internal/logs"

// The rules that judging adds to those of package logs: why something is possible although no record shows it, or ruled out.
const (
	ruleCoarse         = "COARSE"
	ruleAttribution    = "ATTRIBUTION"
	ruleNoAttacker     = "NO_ATTACKER"
	ruleNotAssessed    = "NOT_ASSESSED"
	ruleNoPresence     = "NO_PRESENCE"
	ruleNoDetail       = "NO_DETAIL"
	ruleThrottled      = "THROTTLED"
	ruleSyncMailbox    = "SYNC_MAILBOX"
	ruleUnseenSync     = "UNSEEN_SYNC"
	ruleHostCapability = "HOST_CAPABILITY"
	ruleOpenSession    = "OPEN_SESSION"
	ruleDirectory      = "DIRECTORY"
	ruleServerRequest  = "SERVER_REQUEST"
	ruleSuccessUnknown = "SUCCESS_UNKNOWN"
	ruleOtherName      = "OTHER_NAME"
	ruleOtherAccount   = "OTHER_ACCOUNT"
	ruleUnknownMailbox = "UNKNOWN_MAILBOX"
	ruleFullPresumed   = "FULL_PRESUMED"
	ruleUnseenRule     = "UNSEEN_RULE"
	ruleUnnamedAnswer  = "UNNAMED_ANSWER"
	ruleUnnamedClient  = "UNNAMED_CLIENT"
	ruleExploited      = "EXPLOITED"
	ruleSameHost       = "SAME_HOST"
	rulePerhapsHost    = "PERHAPS_SAME_HOST"

	ruleCovered      = "COVERED"
	ruleExcluded     = "EXCLUDED"
	ruleNotInScope   = "NOT_IN_SCOPE"
	ruleOwnerOnly    = "OWNER_ONLY"
	ruleShellNotUsed = "SHELL_NOT_USED"
	ruleHeld         = "HELD"
)

// algebra is where the rules of judging are specified.
const algebra = "docs/verdicts.md, Verdicts"

// rules explains the rules that judging adds.
func rules() []logs.Inference {
	return []logs.Inference{
		{Name: ruleCoarse, Says: "The attacker read in what this lies in, and the log does not say which items.", Verified: true, Source: algebra},
		{Name: ruleAttribution, Says: "It was accessed in a session that may have been the attacker's.", Verified: true, Source: algebra},
		{Name: ruleNoAttacker, Says: "Neither the facts nor the logs tell of an attacker: nobody can say what he did not reach.", Verified: true, Source: algebra},
		{Name: ruleNotAssessed, Says: "Of a way in there is no log, or none that covers all of the time.", Verified: true, Source: algebra},
		{Name: ruleNoPresence, Says: "The attacker could get in, and for a part of that time no log shows who did.", Verified: true, Source: algebra},
		{Name: ruleNoDetail, Says: "The attacker was there, and for that time no log shows what was read.", Verified: true, Source: algebra},
		{Name: ruleThrottled, Says: "The mail service had stopped recording which messages were opened, for 24 hours.", Verified: true, Source: "Microsoft, audit-log-investigate-accounts"},
		{Name: ruleSyncMailbox, Says: "The attacker's client synchronised a folder of this mailbox: Microsoft advises to assume the rest of it.", Verified: true, Source: "Microsoft, audit-log-investigate-accounts"},
		{Name: ruleUnseenSync, Says: "The attacker came by a program that keeps a copy of mailboxes, and not every copy that such programs made was recorded.", Verified: true, Source: "Microsoft, audit-log-investigate-accounts; PwC, tests of MailItemsAccessed"},
		{Name: ruleHostCapability, Says: "The attacker may have run code on the host that this is on, and no complete log of its processes shows what was done.", Verified: true, Source: algebra},
		{Name: ruleOpenSession, Says: "A session has no end in the logs: what was read in it has no bound.", Verified: true, Source: "dovecot/core, source of 2.2 to 2.4"},
		{Name: ruleDirectory, Says: "The list of mailboxes, or the address book, was disclosed.", Verified: true, Source: algebra},
		{Name: ruleServerRequest, Says: "The server answered a request for mailbox contents on the attacker's behalf; of which mailbox is not said.", Verified: true, Source: algebra},
		{Name: ruleSuccessUnknown, Says: "It was tried, and the log does not say whether it succeeded.", Verified: true, Source: algebra},
		{Name: ruleOtherName, Says: "The log names what was read in another way than the inventory: it may be this.", Verified: true, Source: algebra},
		{Name: ruleOtherAccount, Says: "The attacker used an account of which the list has no mailbox: this may be its mailbox, by another name.", Verified: true, Source: algebra},
		{Name: ruleUnknownMailbox, Says: "The attacker was in a mailbox that the log names by an identifier only: this may be it.", Verified: true, Source: algebra},
		{Name: ruleFullPresumed, Says: "Parts were fetched whose sum is the size of the file: all of it is presumed.", Verified: false, Source: ""},
		{Name: ruleUnseenRule, Says: "While no log showed it, a rule may have been made that sends on what comes in: nobody has said that there is none.", Verified: true, Source: algebra},
		{Name: ruleUnnamedAnswer, Says: "A web server handed something out to the attacker's address, and what was asked for does not tell which file it was: it may have been this.", Verified: true, Source: algebra},
		{Name: ruleUnnamedClient, Says: "While the attacker could get in, a web server handed something out to somebody whom no log names, and what was asked for does not tell which file it was: it may have been this.", Verified: true, Source: algebra},
		{Name: ruleExploited, Says: "The host was attacked in a way that runs code on it, and the attack seems to have succeeded.", Verified: false, Source: ""},
		{Name: ruleSameHost, Says: "Names and addresses of one server are told as one.", Verified: true, Source: "docs/verdicts.md, Hosts"},
		{Name: rulePerhapsHost, Says: "This may be a server that stands here by another name, too.", Verified: false, Source: ""},
		{Name: ruleCovered, Says: "Logs that would have shown an access cover all of the time, and show none by the attacker.", Verified: true, Source: algebra},
		{Name: ruleExcluded, Says: "It was not there when the attacker may have read, or is larger than all that was handed out.", Verified: false, Source: ""},
		{Name: ruleNotInScope, Says: "Nothing that the attacker held opens this, and logs cover who came in.", Verified: true, Source: algebra},
		{Name: ruleOwnerOnly, Says: "Only sessions that are not the attacker's accessed it.", Verified: true, Source: algebra},
		{Name: ruleShellNotUsed, Says: "The log of the web server is complete, and shows no request that gives the web shell a command.", Verified: true, Source: "microsoft/CSS-Exchange, Test-ProxyLogon; logs of a victim published in 2021"},
		{Name: ruleHeld, Says: "A login, a session, guesses or the facts show that the attacker held this credential, or may have held it.", Verified: true, Source: algebra},
	}
}

// grasp is which of the items in a container a record is about.
type grasp uint8

const (
	graspNothing grasp = iota // of no item
	graspNamed                // of the one it names
	graspWhole                // of all that was in it then
	graspCoarse               // of some of them; which, is not said
	graspSelf                 // of the container itself, and no item in it
)

// reading is what a record by a rule says of what it is on.
type reading struct {
	grasp grasp
	// weak says that the record makes it possible and no more.
	weak bool
	// besides is what it makes possible beyond its own exposure.
	besides logs.Exposure
	// file says that it is about files; otherwise it is about mail.
	file bool
	// server says that it is about a server under attack.
	server bool
}

// readingOf returns how records by the rule are read. A rule that nobody knows makes its exposure possible.
func readingOf(rule string) reading {
	switch rule {
	case logs.Bind, logs.MessageBind, logs.MessageShown, logs.MessageSent, logs.AttachmentRead:
		return reading{grasp: graspNamed}
	case logs.MessageTouched:
		return reading{grasp: graspNamed, besides: logs.Content}
	case logs.SyncFolder, logs.FolderExported, logs.ExportAll:
		return reading{grasp: graspWhole}
	case logs.MailboxRead, logs.FolderSynced, logs.MailFetched:
		return reading{grasp: graspCoarse}
	case logs.MailboxListed, logs.FolderListed, logs.FolderBind, logs.MailHeaders, logs.Searched:
		return reading{grasp: graspCoarse}
	case logs.MailTraffic, logs.ExportRequested, logs.ExportFiltered, logs.SearchExported, logs.SearchDownloaded, logs.MailboxUsed, logs.CrossMailbox:
		return reading{grasp: graspCoarse, weak: true, besides: logs.Content}
	case logs.Forwarded:
		return reading{grasp: graspNothing} // nobody's session does it: see forwarded
	case logs.MailNotFetched, logs.ServiceBind, logs.SignedIn, logs.SignedInLegacy, logs.SignedInByCode, logs.SignedInFederated, logs.Delivered:
		return reading{grasp: graspNothing}

	case logs.FileDownloaded, logs.FileOpened, logs.FilePreviewed, logs.HTTPBody, logs.HTTPRange, logs.HTTPHead, logs.LinkUsed:
		return reading{grasp: graspNamed, file: true}
	case logs.FileReadGranted, logs.HTTPNotModified:
		return reading{grasp: graspNamed, file: true, weak: true, besides: logs.Content}
	case logs.FileTouched:
		return reading{grasp: graspNamed, file: true, besides: logs.Content}
	case logs.FileListed:
		return reading{grasp: graspWhole, file: true}

	case logs.ProxyLogonProbe, logs.ProxyLogonSID, logs.ProxyLogonSession, logs.ProxyLogonDirectory, logs.ProxyLogonWritten, logs.ProxyLogonMailbox,
		logs.ProxyShellPowerShell, logs.ProxyShellMailbox, logs.AddressBookRead, logs.ShellWritten, logs.ShellVisited, logs.ShellUsed, logs.ShellAbsent, logs.CodeRan:
		return reading{server: true}
	}
	return reading{grasp: graspCoarse, weak: true, besides: logs.Content}
}
