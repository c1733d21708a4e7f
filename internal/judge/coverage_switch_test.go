package judge

import (
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// TestSwitches tells of recording that was switched off, on other logs than the one that tells of it, and on again.
func TestSwitches(t *testing.T) {
	type said struct {
		at, host, format, action, reason, log, target, in string
		failed                                            bool
	}
	f := func(name, l, channel, whom, want string, list ...said) {
		t.Helper()
		s := &shelf{t: t}
		for _, host := range []string{"EX1", "EX2"} {
			s.add(host+"/Security.evtx", host, "windows.evtx:Security", "3 00:00", "9 00:00", time.Minute)
			s.add(host+"/Management.evtx", host, "windows.evtx:MSExchange Management", "3 00:00", "9 00:00", time.Hour)
			s.add(host+"/IMAP42021030300-1.LOG", host, "exchange.imap4", "3 00:00", "9 00:00", time.Minute)
		}
		s.add("SearchResult.xml", "EX1", "exchange.mailboxaudit", "3 00:00", "9 00:00", time.Hour)
		s.add("ual.csv", "", "m365.ual", "3 00:00", "9 00:00", time.Hour)
		s.store.AddStream(tally.Stream{Source: int32(len(s.sources) - 1), Format: signIns, Events: 5, From: dayTime(t, "3 00:00"), To: dayTime(t, "9 00:00")})
		for i := range wideExport {
			s.observe("3 13:00", "", "m365.ual", logs.Observation{Kind: logs.Login, OK: true, Account: []byte{'a' + byte(i)}, Channel: "m365"})
		}
		for _, x := range list {
			s.observe(x.at, x.host, x.format, logs.Observation{Kind: logs.Gap, OK: !x.failed, Account: []byte("eve"), Inference: x.reason, Action: []byte(x.action),
				Object: []byte(x.log), ObjectKind: "log", Target: []byte(x.target), In: []byte(x.in)})
		}
		if got := tell(s.cover().shows(l, channel, whom, dayTime(t, "4 00:00"), dayTime(t, "8 00:00"))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	management := func(at, action, reason, log, target string) said {
		return said{at: at, host: "EX1", format: "windows.evtx:MSExchange Management", action: action, reason: reason, log: log, target: target}
	}
	const detail, presence = "detail", "presence"

	off := management("4 06:00", "Set-Mailbox", logs.GapDisabled, logs.MailboxAuditLog, "ana")
	f("one mailbox", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", off)
	f("another mailbox", detail, "delegate", "bob", "covered", off)
	f("the log that tells of it is whole", detail, "powershell", "", "covered", off)
	on := management("5 06:00", "Set-Mailbox", logs.GapEnabled, logs.MailboxAuditLog, "EXAMPLE\\ana")
	f("on again, settled after a day", detail, "delegate", "ana", "disabled 4 06:00:00–6 06:00:00", off, on)
	onOther := on
	onOther.target = "bob"
	f("another one on again", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", off, onOther)
	failed := on
	failed.failed = true
	f("an attempt to switch it on", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", off, failed)
	onBefore := on
	onBefore.at = "4 05:00"
	f("on before it was off", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", off, onBefore)
	offAgain := off
	offAgain.at = "7 00:00"
	f("off again", detail, "delegate", "ana", "disabled 4 06:00:00–6 06:00:00, disabled 7 00:00:00–8 00:00:00", off, on, offAgain)
	onQuick, offQuick := on, off
	onQuick.at, offQuick.at = "4 06:05", "4 06:10"
	f("off, on and off within one visit", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", off, onQuick, offQuick)
	onLast := on
	onLast.at = "4 06:15"
	f("off, on, off and on within one visit", detail, "delegate", "ana", "disabled 4 06:00:00–5 06:15:00", off, onQuick, offQuick, onLast)
	elsewhere := on
	elsewhere.host = "EX2"
	f("on again from the other server", detail, "delegate", "ana", "disabled 4 06:00:00–6 06:00:00", off, elsewhere)

	organisation := management("4 06:00", "Set-OrganizationConfig", logs.GapDisabled, logs.MailboxAuditLog, "")
	f("of the organisation", detail, "delegate", "ana", "disabled 4 06:00:00–8 00:00:00", organisation, on)
	bypass := management("4 06:00", "Set-MailboxAuditBypassAssociation", logs.GapBypass, logs.MailboxAuditLog, "eve")
	f("bypass", detail, "delegate", "ana", "bypass 4 06:00:00–8 00:00:00", bypass)
	ended := management("4 08:00", "Set-MailboxAuditBypassAssociation", logs.GapBypassEnded, logs.MailboxAuditLog, "eve")
	f("bypass ended", detail, "delegate", "ana", "bypass 4 06:00:00–5 08:00:00", bypass, ended)
	f("nothing is kept", detail, "delegate", "ana", "cleared 4 00:00:00–8 00:00:00", management("6 06:00", "Set-Mailbox", logs.GapCleared, logs.MailboxAuditLog, "ana"))

	unified := management("4 06:00", "Set-AdminAuditLogConfig", logs.GapDisabled, logs.UnifiedAuditLog, "")
	f("the log of Microsoft 365", presence, "m365", "a", "disabled 4 06:00:00–8 00:00:00", unified)
	unified.format, unified.host = "m365.ual", ""
	again := unified
	again.at, again.reason = "5 00:00", logs.GapEnabled
	f("by its own word, and on again", presence, "m365", "a", "disabled 4 06:00:00–6 00:00:00", unified, again)
	again.log = logs.AdminAuditLog
	f("another log on again", presence, "m365", "a", "disabled 4 06:00:00–8 00:00:00", unified, again)

	f("commands", detail, "powershell", "", "disabled 4 06:00:00–8 00:00:00", management("4 06:00", "Set-AdminAuditLogConfig", logs.GapDisabled, logs.AdminAuditLog, ""))
	f("protocol log", presence, "imap", "ana", "disabled 4 06:00:00–8 00:00:00", management("4 06:00", "Set-ImapSettings", logs.GapDisabled, logs.IMAPLog, ""))

	policy := said{at: "4 06:00", host: "EX1", format: "windows.evtx:Security", action: "audit policy changed", reason: logs.GapDisabled, log: "Security", in: "{0CCE9215-A}"}
	success := policy
	success.at, success.reason, success.in = "4 09:00", logs.GapEnabled, "{0cce9215-a}"
	f("logons audited again", presence, "rdp", "ana", "disabled 4 06:00:00–4 09:00:00", policy, success)
	other := success
	other.in = "{0CCE923F-A}"
	f("another kind audited again", presence, "rdp", "ana", "disabled 4 06:00:00–8 00:00:00", policy, other)
	other = success
	other.host = "EX2"
	f("on another host", presence, "rdp", "ana", "disabled 4 06:00:00–8 00:00:00", policy, other)
}
