package syslog_test

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/syslog"
)

// golden holds one line, written in 2024 in UTC, against what it reads.
func golden(t *testing.T) func(in string, want ...string) {
	return func(in string, want ...string) {
		t.Helper()
		out := readIn(t, []byte(in), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.UTC)
		var got []string
		for i := range out.Events {
			e := &out.Events[i]
			d := logtest.Dump(e)
			if m := e.Value(e.Shape.Slot("message")); !m.IsAbsent() { // it is in the line above
				if slot := e.Shape.Slot("message"); slot >= 0 {
					e.Values[slot] = event.Value{}
					d = logtest.Dump(e)
					e.Values[slot] = m
				}
			}
			got = append(got, d)
			for _, o := range logtest.Observations(syslog.New(), e) {
				got = append(got, logtest.DumpObservation(o))
			}
		}
		for _, d := range out.Defects {
			got = append(got, logtest.DumpDefect(d))
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s\n got %s\nwant %s", in, g, w)
		}
	}
}

func TestHeadersOfEveryForm(t *testing.T) {
	f := golden(t)
	f("Mar  3 02:11:04 mx1 prog[42]: text", "2024-03-03T02:11:04Z syslog host=mx1 program=prog pid=42")
	f("<34>Mar  3 02:11:04 mx1 prog: text", "2024-03-03T02:11:04Z syslog priority=34 host=mx1 program=prog")
	f("Mar 3 02:11:04.250 mx1 prog: text", "2024-03-03T02:11:04.25Z syslog host=mx1 program=prog")
	f("Mar 03 2021 02:11:04 mx1 prog: text", "2021-03-03T02:11:04Z syslog host=mx1 program=prog")
	f("Mar 03 02:11:04 2021 mx1 prog: text", "2021-03-03T02:11:04Z syslog host=mx1 program=prog")
	f("2021 Mar  3 02:11:04 mx1 prog: text", "2021-03-03T02:11:04Z syslog host=mx1 program=prog")
	f("2021-03-03T02:11:04.123456+01:00 mx1 prog[42]: text", "2021-03-03T01:11:04.123456Z syslog host=mx1 program=prog pid=42")
	f("2021-03-03T02:11:04+0100 mx1 prog[42]: text", "2021-03-03T01:11:04Z syslog host=mx1 program=prog pid=42")
	f("2021-03-03 02:11:04 prog: text", "2021-03-03T02:11:04Z syslog program=prog")
	f("<165>1 2021-03-03T02:11:04.003Z mx1 app 42 ID47 [x@1 a=\"b]\\\"\"][y@1] text",
		`2021-03-03T02:11:04.003Z syslog priority=165 host=mx1 program=app pid=42 msgid=ID47 structured_data="[x@1 a=\"b]\\\"\"][y@1]"`)
	f("<165>1 - - - - - - text", "- syslog priority=165")
	f("<165>1 2021-03-03T02:11:04Z mx1 app 42 ID47 [x@1 text", "defect line 1 offset 0 length 53: broken syslog header")
	f("Mar  3 02:11:04 mx1 last message repeated 3 times", "2024-03-03T02:11:04Z syslog host=mx1")
	f("Mar  3 02:11:04 <4.6> mx1 prog[42]: text", "2024-03-03T02:11:04Z syslog host=mx1 program=prog pid=42")
	f("Mar  3 02:11:04 mx1 prog: [ID 800047 auth.info] text", "2024-03-03T02:11:04Z syslog host=mx1 program=prog")
	f("@400000004c91b04400000000 prog: text", "2010-09-16T05:50:50Z syslog program=prog")
	f("text without a time", "defect line 1 offset 0 length 19: no time at the start of the line")
	f("Feb 30 02:11:04 mx1 prog: text", "- syslog host=mx1 program=prog")
}

func TestPrograms(t *testing.T) {
	f := golden(t)
	const at = "2024-03-03T02:11:04Z"
	line := func(program, message string) string { return "Mar  3 02:11:04 mx1 " + program + "[42]: " + message }
	const head = " host=mx1 program="

	f(line("sshd", "Accepted publickey for ana from 203.0.113.9 port 5022 ssh2: RSA SHA256:x"),
		at+" syslog.sshd"+head+"sshd pid=42 event=accepted user=ana method=publickey src_ip=203.0.113.9 src_port=5022",
		"login ok account=ana ip=203.0.113.9 channel=ssh action=publickey inference=SIGNED_IN")
	f(line("sshd", "Failed password for invalid user a from 192.0.2.7 port 1 ssh2 from 203.0.113.9 port 5022 ssh2"),
		at+` syslog.sshd`+head+`sshd pid=42 event=failed user="a from 192.0.2.7 port 1 ssh2" method=password src_ip=203.0.113.9 src_port=5022`,
		`login failed account="a from 192.0.2.7 port 1 ssh2" ip=203.0.113.9 channel=ssh action=failed`)
	f(line("sshd", "message repeated 5 times: [ Failed password for root from 2001:db8::9 port 5022 ssh2]"),
		at+" syslog.sshd"+head+"sshd pid=42 event=failed user=root method=password src_ip=2001:db8::9 src_port=5022 count=5",
		"login failed account=root ip=2001:db8::9 channel=ssh action=failed count=5")
	f(line("sshd", "Failed publickey for ana from 203.0.113.9 port 5022 ssh2"),
		at+" syslog.sshd"+head+"sshd pid=42 event=failed user=ana method=publickey src_ip=203.0.113.9 src_port=5022")
	f(line("sshd", "Connection closed by authenticating user test 192.0.2.1 203.0.113.9 port 46039 [preauth]"),
		at+` syslog.sshd`+head+`sshd pid=42 event=disconnect user="test 192.0.2.1" src_ip=203.0.113.9 src_port=46039`,
		`login unknown account="test 192.0.2.1" ip=203.0.113.9 channel=ssh action=disconnect count=0`)
	f(line("daemon", "pam_unix(svc:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser=t rhost=192.0.2.1 rhost=203.0.113.9  user=ana rhost=192.0.2.2"),
		at+` syslog.pam`+head+`daemon pid=42 event=auth-failure module=pam_unix service=svc user="ana rhost=192.0.2.2" rhost=203.0.113.9 ruser="t rhost=192.0.2.1" tty=x uid=0 euid=0`,
		`login failed account="ana rhost=192.0.2.2" ip=203.0.113.9 channel=pam action=auth-failure`)
	f(line("sudo", "    ana : TTY=pts/0 ; PWD=/home/ana ; USER=root ; COMMAND=/bin/sh -c id ; id"),
		at+` syslog.sudo`+head+`sudo pid=42 event=command user=ana TTY=pts/0 PWD=/home/ana USER=root COMMAND="/bin/sh -c id ; id"`)
	f(line("sudo", "ana : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh"),
		at+` syslog.sudo`+head+`sudo pid=42 event=not-allowed user=ana TTY=pts/0 PWD=/ USER=root COMMAND=/bin/sh reason="user NOT in sudoers"`)

	f("Mar  3 02:11:04 mx1 dovecot: imap-login: Login: user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, mpid=404, TLS, session=<AAA>",
		at+" syslog.dovecot"+head+"dovecot event=login process=imap-login user=ana method=PLAIN rip=203.0.113.9 lip=192.0.2.1 mpid=404 session=AAA secured=TLS",
		"login ok account=ana ip=203.0.113.9 channel=imap session=AAA action=PLAIN inference=SIGNED_IN")
	f("Mar  3 02:11:04 pop3-login: Info: Disconnected (auth failed, 3 attempts in 16 secs): user=<a>, method=X, rip=192.0.2.99, lip=>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1",
		at+` syslog.dovecot program=pop3-login event=login-failed process=pop3-login level=Info user="a>, method=X, rip=192.0.2.99, lip=" method=PLAIN rip=203.0.113.9 lip=192.0.2.1 attempts=3 reason="Disconnected (auth failed, 3 attempts in 16 secs)"`,
		`login failed account="a>, method=X, rip=192.0.2.99, lip=" ip=203.0.113.9 channel=pop3 action=PLAIN count=3`)
	f("Mar  3 02:11:04 mx1 dovecot: imap(ana)<42><AAA>: Logged out in=1024 out=65536 deleted=1 expunged=0 trashed=0 hdr_count=7 hdr_bytes=900 body_count=3 body_bytes=4096",
		at+` syslog.dovecot`+head+`dovecot event=logout process=imap user=ana mpid=42 session=AAA reason="Logged out" in=1024 out=65536 deleted=1 expunged=0 trashed=0 hdr_count=7 hdr_bytes=900 body_count=3 body_bytes=4096`,
		"access ok account=ana channel=imap session=AAA action=logout inference=MAIL_FETCHED mailbox=ana exposure=content bytes=4096 count=3",
		"access ok account=ana channel=imap session=AAA action=logout inference=MAIL_HEADERS mailbox=ana exposure=metadata bytes=900 count=7")
	f("Mar  3 02:11:04 mx1 dovecot: pop3(ana): Disconnected: Logged out top=0/0, retr=2/3012, del=0/5, size=80000",
		at+` syslog.dovecot`+head+`dovecot event=logout process=pop3 user=ana reason="Disconnected: Logged out" top=0/0 retr=2/3012 del=0/5 size=80000`,
		"access ok account=ana channel=pop3 action=logout inference=MAIL_FETCHED mailbox=ana exposure=content bytes=3012 count=2")
	f("Mar  3 02:11:04 mx1 dovecot: auth-worker(7): conn unix:auth-worker (pid=1,uid=2): auth-worker<5>: sql(ana@example.org,203.0.113.9,<AAA>): Password mismatch",
		at+` syslog.dovecot`+head+`dovecot event=login-failed process=auth-worker user=ana@example.org rip=203.0.113.9 session=AAA reason="Password mismatch" driver=sql`,
		"login failed account=ana@example.org ip=203.0.113.9 channel=mail session=AAA")

	f(line("postfix/submission/smtpd", "4F657A0489: client=unknown[203.0.113.9], sasl_method=LOGIN, sasl_username=ana@example.org"),
		at+" syslog.postfix"+head+"postfix/submission/smtpd pid=42 event=client process=smtpd service=submission queue_id=4F657A0489 client=unknown client_ip=203.0.113.9 sasl_method=LOGIN sasl_username=ana@example.org",
		"login ok account=ana@example.org ip=203.0.113.9 channel=submission session=4F657A0489 action=LOGIN inference=SIGNED_IN",
		"send ok account=ana@example.org ip=203.0.113.9 channel=submission session=4F657A0489 action=LOGIN inference=MESSAGE_SENT message=4F657A0489 in=ana@example.org exposure=content")
	f(line("postfix/smtpd", "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: authentication failure, sasl_username=ana"),
		at+` syslog.postfix`+head+`postfix/smtpd pid=42 event=login-failed process=smtpd level=warning client=unknown client_ip=203.0.113.9 sasl_method=LOGIN sasl_username=ana reason="authentication failure"`,
		"login failed account=ana ip=203.0.113.9 channel=submission action=LOGIN")
	f(line("postfix/smtp", "7EE668039: to=<bob@example.net>, relay=mx.example.net[198.51.100.2]:25, delay=3.6, delays=0.2/0.02/0.04/3.3, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1)"),
		at+` syslog.postfix`+head+`postfix/smtp pid=42 event=delivery process=smtp queue_id=7EE668039 to=bob@example.net relay=mx.example.net relay_ip=198.51.100.2 relay_port=25 delay=3.6 delays=0.2/0.02/0.04/3.3 dsn=2.0.0 status=sent reason="250 2.0.0 Ok: queued as 1"`,
		"send ok channel=smtp session=7EE668039 action=smtp message=7EE668039 target=bob@example.net")

	f("2024-03-03 02:11:04 dovecot_login authenticator failed for ([192.0.2.1]) [203.0.113.9]:41556 I=[192.0.2.2]:25: 535 Incorrect authentication data (set_id=ana)",
		at+` syslog.exim event=login-failed auth=dovecot_login user=ana ip=203.0.113.9 port=41556 reason="535 Incorrect authentication data"`,
		"login failed account=ana ip=203.0.113.9 channel=submission action=dovecot_login")
	f("2024-03-03 02:11:04 1rT2ab-0000Gh-1X <= ana@example.org H=host.example.net (helo) [203.0.113.9]:4711 P=esmtpsa X=TLS1.3 A=plain:ana S=1234 id=x@example.org",
		at+" syslog.exim event=received queue_id=1rT2ab-0000Gh-1X auth=plain user=ana host_name=host.example.net ip=203.0.113.9 port=4711 from=ana@example.org size=1234 message-id=x@example.org proto=esmtpsa",
		"login ok account=ana ip=203.0.113.9 channel=submission session=1rT2ab-0000Gh-1X action=plain inference=SIGNED_IN",
		"send ok account=ana ip=203.0.113.9 channel=submission session=1rT2ab-0000Gh-1X action=plain inference=MESSAGE_SENT message=x@example.org in=ana exposure=content bytes=1234")
	f("[03-Mar-2024 03:11:04 +0100]: <abc> Successful login for ana (ID: 7) from 203.0.113.9 in session abcdef",
		at+" syslog.roundcube event=login user=ana ip=203.0.113.9 session=abcdef",
		"login ok account=ana ip=203.0.113.9 channel=webmail session=abcdef action=login inference=SIGNED_IN")
	f(line("cyrus/imaps", "login: host.example.net [203.0.113.9] ana plaintext+TLS User logged in SESSIONID=<mx1-1>"),
		at+" syslog.cyrus"+head+"cyrus/imaps pid=42 event=login user=ana method=plaintext+TLS client=host.example.net ip=203.0.113.9 session=mx1-1",
		"login ok account=ana ip=203.0.113.9 channel=imap session=mx1-1 action=login inference=SIGNED_IN")
	f(line("sendmail", "06I02CNi016765: AUTH=server, relay=host.example.net [203.0.113.9], authid=ana, mech=LOGIN, bits=0"),
		at+" syslog.sendmail"+head+"sendmail pid=42 event=login queue_id=06I02CNi016765 client=host.example.net client_ip=203.0.113.9 sasl_method=LOGIN sasl_username=ana",
		"login ok account=ana ip=203.0.113.9 channel=submission session=06I02CNi016765 action=LOGIN inference=SIGNED_IN",
		"send ok account=ana ip=203.0.113.9 channel=submission session=06I02CNi016765 action=LOGIN inference=MESSAGE_SENT message=06I02CNi016765 in=ana exposure=content")
}

func TestYearThatOnlyPeopleKnow(t *testing.T) {
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	const lines = "Jan 30 04:00:00 h p: a\nFeb 25 04:00:00 h p: b\n"
	f := func(name, path, in string, written time.Time, year int, from, to time.Time, want string, assumed bool) {
		t.Helper()
		s := logtest.Source(path, []byte(in))
		s.ModTime, s.Year, s.Window = written, year, [2]time.Time{from, to}
		format := syslog.New()
		out := logtest.Read(t, format, s, []byte(in), logs.MaxBlock, 30)
		got := "unknown"
		if n := out.Events[len(out.Events)-1].Time; n != event.UnknownTime {
			got = time.Unix(0, n).UTC().Format("2006-01")
		}
		if got != want || format.YearAssumed(s) != assumed {
			t.Errorf("%s: the last line is of %s, assumed %v; want %s, %v (%q)", name, got, format.YearAssumed(s), want, assumed, format.Notes(s))
		}
	}
	var never time.Time
	from, to := date(2005, 1, 30), date(2005, 2, 28)
	f("copied long after", "maillog", lines, date(2026, 11, 22), 0, from, to, "2005-02", true)
	f("without a time", "maillog", lines, never, 0, from, to, "2005-02", true)
	f("without a time, and nobody knows when", "maillog", lines, never, 0, never, never, "unknown", false)
	f("without a time, of another season", "maillog", "Jul  1 04:00:00 h p: a\nJul  2 04:00:00 h p: b\n", never, 0, from, to, "unknown", false)
	f("people say", "maillog", lines, date(2026, 11, 22), 2004, from, to, "2004-02", false)
	f("people say, over the turn of the year", "maillog", "Dec 30 04:00:00 h p: a\nFeb  2 04:00:00 h p: b\n", date(2026, 11, 22), 2004, never, never, "2005-02", false)
	f("the name of the file says", "maillog-20060301", lines, date(2026, 11, 22), 0, from, to, "2006-02", false)
	f("the name of the file speaks against it", "maillog-20050110", lines, date(2026, 11, 22), 0, from, to, "2004-02", true)
	f("written soon after", "maillog", lines, date(2026, 3, 1), 0, from, to, "2026-02", false)
	f("the next log after the incident", "maillog", "Mar 10 04:00:00 h p: a\nJun  1 04:00:00 h p: b\n", date(2005, 6, 1), 0, from, to, "2005-06", false)
	f("of the incident, by its file", "maillog", lines, date(2005, 11, 22), 0, from, to, "2005-02", false)
	f("of another season", "maillog", "Jul  1 04:00:00 h p: a\nJul  2 04:00:00 h p: b\n", date(2026, 11, 22), 0, from, to, "2026-07", false)
	f("a window without a beginning, at the turn of a year", "maillog", "Dec 20 04:00:00 h p: a\nJan  2 04:00:00 h p: b\n", never, 0, never, date(2005, 1, 5), "2005-01", true)
}

func TestYearIsTakenFromWhatIsKnown(t *testing.T) {
	const turn = "Dec 31 23:59:59 h p: a\nJan  1 00:00:01 h p: b\nDec 31 23:59:59 h p: late\nJan  1 00:00:02 h p: c\n"
	f := func(path, in string, written time.Time, note string, want ...string) {
		t.Helper()
		s := logtest.Source(path, []byte(in))
		s.ModTime = written
		format := syslog.New()
		out := logtest.Read(t, format, s, []byte(in), logs.MaxBlock, 30)
		var got []string
		for i := range out.Events {
			when := "unknown"
			if n := out.Events[i].Time; n != event.UnknownTime {
				when = time.Unix(0, n).UTC().Format("2006-01")
			}
			got = append(got, when)
		}
		if g, w := strings.Join(got, " "), strings.Join(want, " "); g != w {
			t.Errorf("%s %s: %s, want %s", path, written, g, w)
		}
		if n := format.Notes(s); len(n) == 0 || !strings.Contains(n[0], note) {
			t.Errorf("%s: notes %q, want %q", path, n, note)
		}
		if !format.Zoneless(s) {
			t.Errorf("%s has a zone", path)
		}
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	f("auth.log", turn, day(2024, 1, 5), "2023 for its first line, from the time the file was last written (2024-01-05)", "2023-12", "2024-01", "2023-12", "2024-01")
	f("auth.log", turn, day(2024, 12, 30), "2024 for its first line", "2024-12", "2024-01", "2023-12", "2024-01")
	f("auth.log-20220105.gz", turn, day(2024, 1, 5), "2021 for its first line, from the date in the name", "2021-12", "2022-01", "2021-12", "2022-01")
	f("mail.log-20240228ab", "Mar  5 00:00:00 h p: a\nFeb 28 00:00:00 h p: b\n", day(2024, 2, 28), "which would be later than the date in the name", "2023-03", "2023-02")
	f("auth.log", turn, time.Time{}, "neither its name", "unknown", "unknown", "unknown", "unknown")
	f("auth.log", "Jun  1 00:00:00 h p: a\nFeb  1 00:00:00 h p: b\n", day(2024, 2, 2), "2023", "2023-06", "2024-02")
	f("auth.log", "Jun  1 00:00:00 h p: a\nFeb  1 00:00:00 h p: b\n", day(2024, 6, 2), "2024", "2024-06", "2024-02")
	f("mail.log", "Dec 31 00:00:00 h p: a\n2020-01-01T00:00:00Z h p: b\nJan  2 00:00:00 h p: c\n", day(2024, 6, 2), "from lines that have one", "2019-12", "2020-01", "2020-01")
}

func TestZoneOfTheSourceIsUsed(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip(err)
	}
	in := "Mar 31 01:59:59 h p: a\nMar 31 03:00:00 h p: b\n2024-03-31T03:00:00Z h p: c\n"
	out := readIn(t, []byte(in), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), zone)
	var got []string
	for i := range out.Events {
		got = append(got, time.Unix(0, out.Events[i].Time).UTC().Format("15:04:05"))
	}
	if g := strings.Join(got, " "); g != "00:59:59 01:00:00 03:00:00" {
		t.Error(g)
	}
}

const sample = `Mar  3 02:11:04 mx1 sshd[42]: Failed password for invalid user x from 203.0.113.9 port 5022 ssh2
Mar  3 02:11:05 mx1 sshd[42]: Accepted password for ana from 203.0.113.9 port 5022 ssh2
Mar  3 02:11:05 mx1 CRON[7]: pam_unix(cron:session): session opened for user root by (uid=0)
<38>1 2021-03-03T02:11:04Z mx1 sshd 42 - - Invalid user x from 203.0.113.9
Mar  3 02:11:06 mx1 dovecot: imap-login: Login: user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, mpid=404, TLS, session=<AAA>
Mar  3 02:11:07 mx1 dovecot: imap(ana)<404><AAA>: Logged out in=1024 out=65536
not a line of syslog
Mar  3 02:11:08 mx1 postfix/smtpd[9]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: authentication failure
Dec 31 23:59:59 mx1 kernel: [ 1.0] x
Jan  1 00:00:00 mx1 kernel: [ 2.0] y
2022-06-29 16:04:05 dovecot_login authenticator failed for ([192.0.2.5]) [203.0.113.9]:55379: 535 Incorrect authentication data (set_id=info@example.org)
[10-May-2015 13:02:52 -0400]: Failed login for ana from 203.0.113.9 in session 1z506z6rvddstv6k7jz08hxo27 (error: 0)
Mar  3 02:11:04 mx1 sshd[43]: Connection from 203.0.113.9 port 5022
Mar  3 02:11:04 mx1 sshd[43]: Invalid user x from 203.0.113.9 port 5022
Mar  3 02:11:04 mx1 sshd[43]: Failed password for invalid user x from 203.0.113.9 port 5022 ssh2
Mar  3 02:11:04 mx1 sshd[43]: Disconnecting: Too many authentication failures [preauth]
Mar  3 02:11:04 mx1 imapd: LOGOUT, user=ana, ip=[::ffff:203.0.113.9], headers=12, body=2048, rcvd=50, sent=2400, time=3
`

func TestSyslogKeepsThePromisesOfFormats(t *testing.T) {
	logtest.Check(t, syslog.New, []byte(sample), logtest.Options{Path: "mail.log-20240401", Header: func([]byte) bool { return false }})
}

func FuzzSyslog(f *testing.F) {
	o := logtest.Options{Path: "mail.log-20240401", Header: func([]byte) bool { return false }}
	seeds := []string{sample,
		"Mar  3 02:11:04 mx1 sudo:  ana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id\n",
		"Mar  3 02:11:04 mx1 su: FAILED SU (to root) ana on pts/0\nMar  3 02:11:04 mx1 su(pam_unix)[1]: session closed for user x\n",
		"Mar  3 02:11:04 mx1 dovecot: auth: sql(a,b,192.0.2.1,<s>): unknown user\nMar  3 02:11:04 auth(a,192.0.2.1,sasl:login)<x>: Info: sql: Password mismatch\n",
		"Mar  3 02:11:04 mx1 dovecot: pop3(ana): Disconnected top=0/0, retr=2/3012, del=0/5, size=80000\n",
		"Mar  3 02:11:04 mx1 postfix/smtp[1]: 7EE668039: to=<a>, relay=b[c]:25, delay=3.6, status=sent (x)\nMar  3 02:11:04 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from a[b]: 5; from=<> to=<\n",
		"Mar  3 02:11:04 mx1 sendmail[1]: 06I02CNi016765: AUTH failure (LOGIN): x, user=a, relay=[192.0.2.100], relay=[192.0.2.4]\n",
		"Mar  3 02:11:04 mx1 cyrus/imap[1]: badlogin: a [192.0.2.1] PLAIN x SASL(-13): y\nMar  3 02:11:04 mx1 dropbear[1]: Bad password attempt for 'root' from 192.0.2.1:60588\n",
		"Mar  3 02:11:04 mx1 sshd[7]: error: kex_exchange_identification: x\nMar  3 02:11:04 mx1 sshd[7]: Connection closed by 192.0.2.1 port 5\nMar  3 02:11:04 mx1 sshd[7]: SSH: Server;Ltype: Version;Remote: 192.0.2.1-1780;\n",
		"Mar  3 02:11:04 mx1 httpd[1]: [a:error] [client [::1]:5] AH01617: user a not found\nMar  3 02:11:04 mx1 nginx: 2024/03/03 02:11:04 [error] 9#9: *5 user \"a\" x, client: 1\n",
		"Mar  3 02:11:04 mx1 courieresmtpd: error,relay=::1,from=<a>,to=<b>: 550\nMar  3 02:11:04 mx1 imapd: LOGIN FAILED, user=a, ip=[x\n",
		"MAY 1 00:00:00 []\n",
		"@400000004c91b044077a9e94 imap-login: Info: x\n2016 Mar 23 15:04:05 a b: c\n<191>1 - - - - - [a b=\"c\\\"]\"] x\n",
		"Mar  3 02:11:04 mx1 roundcube: IMAP Error: Login failed for a from b from 192.0.2.1. AUTHENTICATE x\n",
	}
	logtest.Fuzz(f, syslog.New, o, seeds...)
}

func BenchmarkAuthLog(b *testing.B) {
	bench(b, read(b, "linux-auth", "elastic-auth-2017", "auth.log"))
}

func BenchmarkSample(b *testing.B) { bench(b, bytes.Repeat([]byte(sample), 500)) }

func bench(b *testing.B, data []byte) {
	f := syslog.New()
	s := logtest.Source("auth.log-20240401", data)
	blocks := logtest.Blocks(b, f, s, data, logs.MaxBlock, 0)
	p := f.Parser()
	out := new(event.Batch)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	cpu := cpuTime()
	for b.Loop() {
		for _, bl := range blocks {
			out.Reset()
			p.Parse(bl, out)
			n += len(out.Events)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(len(data))*float64(b.N)/1e6/(cpuTime()-cpu).Seconds(), "MB/cpu-s")
}

// BenchmarkCut is what the order of lines costs before workers share the rest.
func BenchmarkCut(b *testing.B) {
	data := bytes.Repeat([]byte(sample), 500)
	s := logtest.Source("auth.log-20240401", data)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		c := syslog.New().Cutter(s)
		for rest := data; len(rest) > 0; {
			n, _ := c.Cut(rest, true)
			rest = rest[n:]
		}
	}
}

// cpuTime is the time that the process has computed: on a busy machine it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestAttemptsOverSSHAreCountedOnce(t *testing.T) {
	f := func(want string, messages ...string) {
		t.Helper()
		var in strings.Builder
		for _, m := range messages {
			in.WriteString("Mar  3 02:11:04 mx1 sshd[42]: " + m + "\n")
		}
		out := readIn(t, []byte(in.String()), time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.UTC)
		format := syslog.New()
		var got []string
		for i := range out.Events {
			for _, o := range logtest.Observations(format, &out.Events[i]) {
				got = append(got, fmt.Sprintf("%s %s %d", string(o.Account), string(o.IP), o.Count))
			}
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("%q:\n got %s\nwant %s", messages, g, want)
		}
	}
	const peer = " from 203.0.113.9 port 5022"
	f("x 203.0.113.9 -1, x 203.0.113.9 0, x 203.0.113.9 -1", "Invalid user x"+peer, "Failed password for invalid user x"+peer+" ssh2", "Failed password for invalid user x"+peer+" ssh2")
	f("x 203.0.113.9 -1, x 203.0.113.9 0, x 203.0.113.9 0", "Invalid user x"+peer, "Failed none for invalid user x"+peer+" ssh2", "Failed password for invalid user x"+peer+" ssh2")
	f("x 203.0.113.9 -1, x 203.0.113.9 5", "Invalid user x"+peer, "message repeated 5 times: [ Failed password for invalid user x"+peer+" ssh2]")
	f("ana 203.0.113.9 -1, ana 203.0.113.9 0", "error: PAM: Authentication failure for ana from 203.0.113.9", "Failed keyboard-interactive/pam for ana"+peer+" ssh2")
	f("ana 203.0.113.9 -1, ana 203.0.113.9 0", "Failed password for ana"+peer+" ssh2", "error: maximum authentication attempts exceeded for ana"+peer+" ssh2 [preauth]")
	f("ana 203.0.113.9 -1", "error: maximum authentication attempts exceeded for ana"+peer+" ssh2 [preauth]")
	f("git 203.0.113.9 -1", "Failed publickey for git"+peer+" ssh2: RSA x", "Disconnecting: Too many authentication failures for git [preauth]")
	f("", "Disconnecting: Too many authentication failures for git [preauth]")
	f(" 203.0.113.9 0", "Connection"+peer, "fatal: Unable to negotiate a key exchange method [preauth]")
	f(" 203.0.113.9 0", "error: kex_exchange_identification: Connection closed by remote host", "Connection closed by 203.0.113.9 port 5022")
	f("", "Connection"+peer, "Connection closed by 203.0.113.9 port 5022")
	// Another address is another connection, though the process has the same number.
	f("x 203.0.113.9 -1, x 198.51.100.7 -1", "Invalid user x"+peer, "Failed password for invalid user x from 198.51.100.7 port 1 ssh2")
	f("x 203.0.113.9 -1, y 203.0.113.9 -1", "Invalid user x"+peer, "Failed password for y"+peer+" ssh2")
}

func TestMailServersOfOtherAges(t *testing.T) {
	f := golden(t)
	const at, head = "2024-03-03T02:11:04Z", " host=mx1 program="
	const d = "Mar  3 02:11:04 mx1 dovecot: "
	f(d+"imap-login: Logged in: user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, mpid=404, TLS, session=<AAA>",
		at+" syslog.dovecot"+head+"dovecot event=login process=imap-login user=ana method=PLAIN rip=203.0.113.9 lip=192.0.2.1 mpid=404 session=AAA secured=TLS",
		"login ok account=ana ip=203.0.113.9 channel=imap session=AAA action=PLAIN inference=SIGNED_IN")
	f(d+"imap-login: Login aborted: Connection closed (auth failed, 2 attempts in 4 secs) (auth_failed): user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, TLS",
		at+` syslog.dovecot`+head+`dovecot event=login-failed process=imap-login user=ana method=PLAIN rip=203.0.113.9 lip=192.0.2.1 secured=TLS attempts=2 reason="Login aborted: Connection closed (auth failed, 2 attempts in 4 secs) (auth_failed)"`,
		"login failed account=ana ip=203.0.113.9 channel=imap action=PLAIN count=2")
	f(d+"imap-login: Login aborted: Logged out (no auth attempts in 1 secs) (no_auth_attempts): user=<>, rip=203.0.113.9, lip=192.0.2.1",
		at+` syslog.dovecot`+head+`dovecot event=disconnect process=imap-login user="" rip=203.0.113.9 lip=192.0.2.1 reason="Login aborted: Logged out (no auth attempts in 1 secs) (no_auth_attempts)"`,
		"login unknown ip=203.0.113.9 channel=imap action=disconnect count=0")
	f(d+"imap(ana): Disconnected: Logged out bytes=166/10854",
		at+` syslog.dovecot`+head+`dovecot event=logout process=imap user=ana reason="Disconnected: Logged out" in=166 out=10854`,
		"access ok account=ana channel=imap action=logout inference=MAIL_TRAFFIC mailbox=ana exposure=content bytes=10854")
	f(d+"imap(ana)<42><AAA>: Disconnected: Connection closed (IDLE running for 0.001 + waiting input for 20.1 secs, 2 B in + 10 B out, state=wait-input) in=312 out=9001 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=2 body_bytes=4096",
		at+` syslog.dovecot`+head+`dovecot event=logout process=imap user=ana mpid=42 session=AAA reason="Disconnected: Connection closed (IDLE running for 0.001 + waiting input for 20.1 secs, 2 B in + 10 B out, state=wait-input)" in=312 out=9001 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=2 body_bytes=4096`,
		"access ok account=ana channel=imap session=AAA action=logout inference=MAIL_FETCHED mailbox=ana exposure=content bytes=4096 count=2",
		"access ok account=ana channel=imap session=AAA action=logout inference=MAIL_HEADERS mailbox=ana exposure=metadata bytes=9001")

	f(d+"service=imap, user=ana@example.org, ip=[203.0.113.9]. Logged out rcvd=74, sent=803",
		at+` syslog.dovecot`+head+`dovecot event=logout process=imap user=ana@example.org rip=203.0.113.9 reason="Logged out" in=74 out=803`,
		"access ok account=ana@example.org ip=203.0.113.9 channel=imap action=logout inference=MAIL_TRAFFIC mailbox=ana@example.org exposure=content bytes=803")

	f(d+"lmtp(ana)<42><AAA>: sieve: msgid=<x@example.org>: forwarded to <b@example.net>",
		at+` syslog.dovecot`+head+`dovecot event=forwarded process=lmtp user=ana mpid=42 session=AAA message-id=x@example.org to=b@example.net`,
		"access ok account=ana channel=lmtp session=AAA action=forwarded inference=FORWARDED message=x@example.org in=ana exposure=content target=b@example.net")
	f("Mar  3 02:11:04 mx1 cyrus/imaps[9]: auditlog: traffic sessionid=<mx1-1> bytes_in=90 bytes_out=4096",
		at+` syslog.cyrus`+head+`cyrus/imaps pid=9 event=traffic session=mx1-1 bytes_in=90 bytes_out=4096`,
		"access ok channel=imap session=mx1-1 action=traffic inference=MAIL_TRAFFIC exposure=content bytes=4096")

	f("Mar  3 02:11:04 mx1 imapd: LOGIN, user=ana, ip=[::ffff:203.0.113.9], port=[4711], protocol=IMAP",
		at+" syslog.courier"+head+"imapd event=login user=ana ip=203.0.113.9 port=4711 protocol=IMAP",
		"login ok account=ana ip=203.0.113.9 channel=imap action=login inference=SIGNED_IN")
	f("Mar  3 02:11:04 mx1 pop3d-ssl: LOGIN FAILED, user=a, ip=[192.0.2.9], ip=[::ffff:203.0.113.9]",
		at+` syslog.courier`+head+`pop3d-ssl event=login-failed user="a, ip=[192.0.2.9]" ip=203.0.113.9`,
		`login failed account="a, ip=[192.0.2.9]" ip=203.0.113.9 channel=pop3 action=login-failed`)
	f("Mar  3 02:11:04 mx1 imapd: LOGOUT, user=ana, ip=[::ffff:203.0.113.9], headers=12, body=2048, rcvd=50, sent=2400, time=3",
		at+" syslog.courier"+head+"imapd event=logout user=ana ip=203.0.113.9 headers=12 body=2048 rcvd=50 sent=2400 time=3 reason=LOGOUT",
		"access ok account=ana ip=203.0.113.9 channel=imap action=logout inference=MAIL_FETCHED mailbox=ana exposure=content bytes=2048",
		"access ok account=ana ip=203.0.113.9 channel=imap action=logout inference=MAIL_HEADERS mailbox=ana exposure=metadata bytes=12")
	f(`Mar  3 02:11:04 mx1 courieresmtpd: error,relay=::ffff:203.0.113.9,msg="535 Authentication failed.",cmd: AUTH LOGIN ana`,
		at+` syslog.courier`+head+`courieresmtpd event=login-failed method=LOGIN ip=203.0.113.9 reason="535 Authentication failed."`,
		"login failed ip=203.0.113.9 channel=submission action=login-failed")
	f("Mar  3 02:11:04 mx1 courieresmtpd: error,relay=203.0.113.9,from=<a@example.org>,to=<b@example.org>: 550 User unknown.",
		at+` syslog.courier`+head+`courieresmtpd event=reject ip=203.0.113.9 from=a@example.org to=b@example.org reason="550 User unknown."`)

	f("2024-03-03 02:11:04 SMTP protocol error in \"AUTH LOGIN\" H=(x) [203.0.113.9]:5022 I=[192.0.2.1]:25 AUTH command used when not advertised",
		at+` syslog.exim event=login-failed ip=203.0.113.9 port=5022 reason="AUTH command used when not advertised"`,
		"login failed ip=203.0.113.9 channel=submission")
	f("2024-03-03 02:11:04 plain authenticator failed for (x) [203.0.113.9]:5022: 435 Unable to authenticate at present (set_id=ana): socket: 5 tries",
		at+` syslog.exim event=login-failed auth=plain user=ana ip=203.0.113.9 port=5022 reason="435 Unable to authenticate at present"`,
		"login unknown account=ana ip=203.0.113.9 channel=submission action=plain count=0")
	f("2024-03-03 02:11:04 no MAIL in SMTP connection from (x) [203.0.113.9]:5022 I=[192.0.2.1]:25 D=0.3s C=EHLO,AUTH,QUIT",
		at+` syslog.exim event=no-mail ip=203.0.113.9 port=5022 reason=C=EHLO,AUTH,QUIT`,
		"login unknown ip=203.0.113.9 channel=submission action=no-mail count=0")

	f("Mar  3 02:11:04 Info: auth(default): pam(ana@example.org,::ffff:203.0.113.9): pam_authenticate() failed: User not known",
		at+` syslog.dovecot program=Info event=login-failed process=auth user=ana@example.org rip=203.0.113.9 reason="pam_authenticate() failed: User not known" driver=pam`,
		"login failed account=ana@example.org ip=203.0.113.9 channel=mail")
	f("Mar  3 02:11:04 mx1 sshd(pam_unix)[42]: 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root",
		at+` syslog.pam`+head+`sshd(pam_unix) pid=42 event=more-failures module=pam_unix service=sshd user=root rhost=203.0.113.9 tty=ssh uid=0 euid=0 count=2`,
		"login failed account=root ip=203.0.113.9 channel=ssh action=more-failures count=2")
	f("Mar  3 02:11:04 mx1 sshd[42]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root",
		at+` syslog.pam`+head+`sshd pid=42 event=auth-failure module=pam_unix service=sshd user=root rhost=203.0.113.9 tty=ssh uid=0 euid=0`,
		"login unknown account=root ip=203.0.113.9 channel=ssh action=auth-failure count=0")
	f("Mar  3 02:11:04 mx1 sudo: pam_unix(sudo:auth): authentication failure; logname=ana uid=1000 euid=0 tty=/dev/pts/1 ruser=ana rhost=  user=ana",
		at+` syslog.pam`+head+`sudo event=auth-failure module=pam_unix service=sudo user=ana ruser=ana tty=/dev/pts/1 uid=1000 euid=0 logname=ana`,
		"login failed account=ana channel=su action=auth-failure")
	f("Mar  3 02:11:04 mx1 login: pam_unix(login:session): session opened for user ana by LOGIN(uid=0)",
		at+` syslog.pam`+head+`login event=session-opened module=pam_unix service=login user=ana by=LOGIN uid=0`,
		"login ok account=ana channel=pam action=session-opened inference=SIGNED_IN")
	f("Mar  3 02:11:04 mx1 CRON[7]: pam_unix(cron:session): session opened for user root by (uid=0)",
		at+` syslog.pam`+head+`CRON pid=7 event=session-opened module=pam_unix service=cron user=root by="" uid=0`)

	const p = "Mar  3 02:11:04 mx1 postfix/smtpd[9]: "
	f(p+"disconnect from unknown[203.0.113.9] ehlo=1 auth=0/2 quit=1 commands=2/4",
		at+` syslog.postfix`+head+`postfix/smtpd pid=9 event=disconnect process=smtpd client=unknown client_ip=203.0.113.9 commands="ehlo=1 auth=0/2 quit=1 commands=2/4"`,
		"login failed ip=203.0.113.9 channel=submission action=disconnect count=0")
	f(p+"lost connection after AUTH from unknown[203.0.113.9]",
		at+` syslog.postfix`+head+`postfix/smtpd pid=9 event=lost-connection process=smtpd client=unknown client_ip=203.0.113.9 stage=AUTH`,
		"login unknown ip=203.0.113.9 channel=submission action=lost-connection count=0")
	f(p+"too many errors after AUTH from unknown[203.0.113.9]",
		at+` syslog.postfix`+head+`postfix/smtpd pid=9 event=lost-connection process=smtpd client=unknown client_ip=203.0.113.9 stage=AUTH`,
		"login unknown ip=203.0.113.9 channel=submission action=lost-connection count=0")
	f(p+"warning: Connection rate limit exceeded: 31 from host.example.net[203.0.113.9] for service smtps",
		at+` syslog.postfix`+head+`postfix/smtpd pid=9 event=rate-limit process=smtpd level=warning client=host.example.net client_ip=203.0.113.9 reason="Connection rate limit exceeded"`,
		"login unknown ip=203.0.113.9 channel=smtp action=rate-limit count=0")

	f("Mar  3 02:11:04 mx1 httpd[9]: [auth_basic:error] [pid 9] [client 203.0.113.9:5022] AH01617: user ana: authentication failure for \"/x\": Password Mismatch",
		at+` syslog.webserver`+head+`httpd pid=9 event=login-failed cs-username=ana c-ip=203.0.113.9 reason="AH01617: user ana: authentication failure for \"/x\": Password Mismatch"`,
		"login failed account=ana ip=203.0.113.9 channel=web action=login-failed")
	f("Mar  3 02:11:04 mx1 nginx: 2024/03/03 02:11:04 [error] 9#9: *5 user \"ana\": password mismatch, client: 203.0.113.9, server: x, request: \"GET / HTTP/1.1\"",
		at+` syslog.webserver`+head+`nginx event=login-failed cs-username=ana c-ip=203.0.113.9 reason="user \"ana\": password mismatch, client: 203.0.113.9, server: x, request: \"GET / HTTP/1.1\""`,
		"login failed account=ana ip=203.0.113.9 channel=web action=login-failed")
}
