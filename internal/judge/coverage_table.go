package judge

import (
	"slices"
	"strings"
)

// The ways in to what is kept on a server, by the system that offers them.
var (
	exchangeWeb   = []string{"owa", "ecp", "ews", "eas", "mapi", "rpc", "powershell", "autodiscover", "oab", "rest"}
	exchangeAll   = append(slices.Clone(exchangeWeb), "imap", "pop3")
	mailboxAccess = []string{"imap", "pop3"}
	submission    = []string{"submission", "smtp"}
	// cloudAll are the ways in that a record of Microsoft 365 may name; its audit log covers them as one.
	cloudAll = []string{"m365", "owa", "ews", "eas", "mapi", "graph", "imap", "pop3"}
	webFiles = []string{"web", "dav"}
)

// system is what a log is the log of.
type system uint8

const (
	otherSystem system = iota
	exchangeServer
	mailServer // Dovecot, Cyrus, Courier
	cloud      // Microsoft 365
	webServer
	shellServer // ssh
	windowsHost
)

// covers says what a kind of log would have shown.
type covers struct {
	format string // of the Stream; with a star at its end, a beginning
	system system
	// presence are the channels of which it would have shown who came in, detail those of which it would have shown what was
	// read, as finely as the log tells it.
	presence, detail []string
	// sites says that each sequence of files is the log of a site of its own: one does not show what another misses.
	sites bool
	// probes says that the server's own monitoring writes to it every few minutes.
	probes bool
	// unordered says that its records need not stand in the order of time: an export.
	unordered bool
	// within names the format under which the whole file counts that the log is a part of: it was alive when the file was.
	within string
}

// table is which logs cover what (mail-forensics 1.1, 2.1, 4). The first line that fits holds.
var table = []covers{
	// A request to Outlook on the web names its operation.
	{format: "exchange.httpproxy.owa", system: exchangeServer, presence: []string{"owa"}, detail: []string{"owa"}, probes: true},
	{format: "exchange.httpproxy.ecp", system: exchangeServer, presence: []string{"ecp"}, probes: true},
	{format: "exchange.httpproxy.ews", system: exchangeServer, presence: []string{"ews"}, probes: true},
	{format: "exchange.httpproxy.eas", system: exchangeServer, presence: []string{"eas"}, probes: true},
	{format: "exchange.httpproxy.mapi", system: exchangeServer, presence: []string{"mapi"}, probes: true},
	{format: "exchange.httpproxy.rpchttp", system: exchangeServer, presence: []string{"rpc"}, probes: true},
	{format: "exchange.httpproxy.oab", system: exchangeServer, presence: []string{"oab"}, probes: true},
	{format: "exchange.httpproxy.autodiscover", system: exchangeServer, presence: []string{"autodiscover"}, probes: true},
	{format: "exchange.httpproxy.rest", system: exchangeServer, presence: []string{"rest"}, probes: true},
	{format: "exchange.httpproxy.powershell", system: exchangeServer, presence: []string{"powershell"}, probes: true},
	{format: "exchange.ews", system: exchangeServer, detail: []string{"ews"}, probes: true},
	{format: "exchange.mapihttp", system: exchangeServer, detail: []string{"mapi"}, probes: true},
	{format: "exchange.ecp.server", system: exchangeServer, detail: []string{"ecp"}},
	{format: "exchange.rps.cmdlet", system: exchangeServer, detail: []string{"powershell"}},
	{format: "exchange.auditqueue", system: exchangeServer, detail: []string{"powershell"}},
	// Which of them shows logins and which commands is told by the names of the files: see newTrail.
	{format: "exchange.imap4", system: exchangeServer, presence: []string{"imap"}},
	{format: "exchange.pop3", system: exchangeServer, presence: []string{"pop3"}},
	{format: "exchange.imap4.backend", system: exchangeServer, detail: []string{"imap"}},
	{format: "exchange.pop3.backend", system: exchangeServer, detail: []string{"pop3"}},
	{format: "exchange.smtp.receive", system: exchangeServer, presence: submission},
	{format: "exchange.mailboxaudit", system: exchangeServer, detail: []string{"delegate"}, unordered: true},
	{format: "exchange.*", system: exchangeServer},

	{format: "iis.exchange", system: exchangeServer, presence: append(slices.Clone(exchangeWeb), webFiles...), detail: append([]string{"owa"}, webFiles...), sites: true, probes: true},
	// The back end says of ActiveSync how many items of which folder it handed out.
	{format: "iis.backend", system: exchangeServer, detail: []string{"eas"}, sites: true, probes: true},
	{format: "iis.w3c", system: webServer, presence: webFiles, detail: webFiles, sites: true},
	{format: "iis.w3c:backend", system: webServer, presence: webFiles, detail: webFiles, sites: true},
	{format: "iis.native", system: webServer, presence: webFiles, detail: webFiles, sites: true},
	{format: "web.access*", system: webServer, presence: webFiles, detail: webFiles, sites: true},
	{format: "nextcloud.audit", system: webServer, presence: []string{"nextcloud"}, detail: []string{"nextcloud"}, sites: true},
	{format: "web.error", system: webServer, sites: true},

	{format: "m365.ual", system: cloud, unordered: true},
	// Who signed in stands in the records of one workload, which an export may have left out.
	{format: signIns, system: cloud, presence: cloudAll, unordered: true, within: "m365.ual"},
	{format: mailAccess, system: cloud, detail: cloudAll, unordered: true, within: "m365.ual"},
	{format: "m365.ual:SharePoint", system: cloud, detail: []string{cloudSites, cloudFiles}, unordered: true, within: "m365.ual"},
	{format: "m365.ual:OneDrive", system: cloud, detail: []string{cloudDrives, cloudFiles}, unordered: true, within: "m365.ual"},
	{format: "m365.ual:*", system: cloud, unordered: true},
	{format: "entra.signin", system: cloud, presence: cloudAll, unordered: true},
	{format: "m365.messagetrace", system: cloud, unordered: true},
	{format: "m365.*", system: cloud, unordered: true},
	{format: "entra.*", system: cloud, unordered: true},
	{format: "azure.*", system: cloud, unordered: true},

	{format: "syslog.dovecot", system: mailServer, presence: []string{"imap", "pop3", "submission", "managesieve"}, detail: mailboxAccess, within: "syslog"},
	{format: "dovecot.events", system: mailServer, presence: mailboxAccess, detail: mailboxAccess},
	{format: "syslog.cyrus", system: mailServer, presence: []string{"imap", "pop3", "managesieve"}, within: "syslog"},
	{format: "syslog.courier", system: mailServer, presence: mailboxAccess, within: "syslog"},
	{format: "syslog.postfix", system: otherSystem, presence: submission, within: "syslog"},
	{format: "syslog.exim", system: otherSystem, presence: submission, within: "syslog"},
	{format: "syslog.sendmail", system: otherSystem, presence: submission, within: "syslog"},
	{format: "syslog.roundcube", system: otherSystem, presence: []string{"webmail"}, within: "syslog"},
	{format: "syslog.sshd", system: shellServer, presence: []string{"ssh", "sftp"}, within: "syslog"},
	{format: "syslog.dropbear", system: shellServer, presence: []string{"ssh", "sftp"}, within: "syslog"},
	{format: "syslog.*", system: otherSystem, within: "syslog"},

	{format: "anydesk.*", system: otherSystem, presence: []string{"anydesk"}},
	{format: "teamviewer.*", system: otherSystem, presence: []string{"teamviewer"}},

	{format: "windows.evtx:Security", system: windowsHost, presence: []string{"windows", "smb", "rdp"}, detail: []string{"smb"}},
	{format: "windows.json:Security", system: windowsHost, presence: []string{"windows", "smb", "rdp"}, detail: []string{"smb"}, unordered: true},
	{format: "windows.evtx:Microsoft-Windows-Sysmon/Operational", system: windowsHost, detail: []string{processes}},
	{format: "windows.json:Microsoft-Windows-Sysmon/Operational", system: windowsHost, detail: []string{processes}, unordered: true},
	{format: "windows.evtx:MSExchange Management", system: exchangeServer, detail: []string{"powershell"}},
	{format: "windows.json:MSExchange Management", system: exchangeServer, detail: []string{"powershell"}, unordered: true},
	{format: "windows.json:*", system: windowsHost, unordered: true},
	{format: "windows.*", system: windowsHost},
}

// isChannel reports whether name is a way in that logs are known to tell of. They may tell of others.
func isChannel(name string) bool {
	switch name {
	case "ftp", "rdp", "su", "sudo", "telnet", "graph", "delegate", "adfs", "file":
		return true
	}
	return slices.Contains(cloudAll, name) || slices.ContainsFunc(table, func(c covers) bool {
		return slices.Contains(c.presence, name) || slices.Contains(c.detail, name)
	})
}

// mailAccess is the Stream of MailItemsAccessed: it is written for whoever has the licence, and reaches as far as the export
// that it stands in.
const mailAccess = "m365.ual:MailItemsAccessed"

// auditMargin is how long before its first record mail access was audited already, in nanoseconds: somebody signs in before he
// reads, and what is read again within an hour is not recorded again (mail-forensics 3.2, R5).
const auditMargin = 3600 * 1e9

// signIns is the Stream of the workload that UserLoggedIn is a record of.
const signIns = "m365.ual:AzureActiveDirectory"

// What is kept in a cloud besides mail has channels of its own in detail: files on sites, on people's drives, and on either.
const (
	cloudSites  = "m365.sites"
	cloudDrives = "m365.drives"
	cloudFiles  = "m365.files"
)

// processes is the channel of what programs ran on a host: the level is detail, and what it is asked of is the host.
const processes = "processes"

// coversOf returns the line of the table for a format, nil for a log that covers nothing and whose gaps concern nobody.
func coversOf(format string) *covers {
	for i := range table {
		c := &table[i]
		if head, ok := strings.CutSuffix(c.format, "*"); ok && strings.HasPrefix(format, head) || c.format == format {
			return c
		}
	}
	return nil
}

func (c *covers) channels(l level) []string {
	if l == presence {
		return c.presence
	}
	return c.detail
}

// level is what a log would show.
type level uint8

const (
	presence level = iota // who came in
	detail                // what was read
)
