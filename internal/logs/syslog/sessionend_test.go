package syslog_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/syslog"
)

// meaning returns what lines mean, a line for each observation.
func meaning(t *testing.T, in string) string {
	t.Helper()
	out := logtest.Events(t, syslog.New(), "maillog", []byte(in+"\n"))
	var got []string
	for i := range out.Events {
		for _, o := range logtest.Observations(syslog.New(), &out.Events[i]) {
			got = append(got, logtest.DumpObservation(o))
		}
	}
	return strings.Join(got, "\n")
}

func TestEndOfASessionTellsWhatWasRead(t *testing.T) {
	f := func(message string, want ...string) {
		t.Helper()
		if got, w := meaning(t, "Mar  3 02:11:04 mx1 dovecot: "+message), strings.Join(want, "\n"); got != w {
			t.Errorf("%s:\n got %s\nwant %s", message, got, w)
		}
	}
	const imap = "access ok account=ana channel=imap session=AAA action=logout inference="
	for _, reason := range []string{"Logged out", "Disconnected for inactivity", "Disconnected: Connection closed: read(size=8192) failed: Connection reset by peer", "Connection closed", "Disconnected: Server shutting down."} {
		f("imap(ana)<42><AAA>: "+reason+" in=412 out=1200 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0", imap+"MAIL_NOT_FETCHED mailbox=ana bytes=0 count=0")
	}
	f("imap(ana)<42><AAA>: Logged out in=412 out=9120 deleted=0 expunged=0 trashed=0 hdr_count=180 hdr_bytes=7300 body_count=0 body_bytes=0",
		imap+"MAIL_NOT_FETCHED mailbox=ana bytes=0 count=0", imap+"MAIL_HEADERS mailbox=ana exposure=metadata bytes=7300 count=180")
	f("imap(ana)<42><AAA>: Logged out in=412 out=9120 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0",
		imap+"MAIL_NOT_FETCHED mailbox=ana bytes=0 count=0", imap+"MAIL_HEADERS mailbox=ana exposure=metadata bytes=9120")
	f("imap(ana)<42><AAA>: Disconnected in=3301 out=18400233 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=212 body_bytes=18214400",
		imap+"MAIL_FETCHED mailbox=ana exposure=content bytes=18214400 count=212", imap+"MAIL_HEADERS mailbox=ana exposure=metadata bytes=18400233")
	// Cut off in the middle: the counters that are there prove nothing.
	f("imap(ana)<42><AAA>: Logged out in=412 out=9120 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0", imap+"MAIL_TRAFFIC mailbox=ana exposure=content bytes=9120")
	f("imap(ana)<42><AAA>: Logged out in=412 out=9120 deleted=0", imap+"MAIL_TRAFFIC mailbox=ana exposure=content bytes=9120")
	f("imap(ana): Logged out in=54 out=768", "access ok account=ana channel=imap action=logout inference=MAIL_TRAFFIC mailbox=ana exposure=content bytes=768")
	// A process that ended otherwise counts nothing.
	f("imap(ana)<42><AAA>: Fatal: master: service(imap): child 42 killed with signal 9")

	const pop = "access ok account=ana channel=pop3 session=AAA action=logout inference="
	f("pop3(ana)<42><AAA>: Disconnected: Logged out top=0/0, retr=0/0, del=0/5, size=80000", pop+"MAIL_NOT_FETCHED mailbox=ana bytes=0 count=0")
	f("pop3(ana)<42><AAA>: Disconnected: Logged out top=3/900, retr=0/0, del=0/5, size=80000",
		pop+"MAIL_TRAFFIC mailbox=ana exposure=content bytes=900", pop+"MAIL_HEADERS mailbox=ana exposure=metadata bytes=900 count=3")
	f("pop3(ana)<42><AAA>: Logged out top=1/90, retr=2/3012, del=0/5, size=80000",
		pop+"MAIL_FETCHED mailbox=ana exposure=content bytes=3012 count=2", pop+"MAIL_HEADERS mailbox=ana exposure=metadata bytes=90 count=1")
	f("managesieve(ana)<42><AAA>: Logged out in=412 out=9120")
	f("submission(ana)<42><AAA>: Disconnected: Logged out in=412 out=9120")

	const touched = "access ok account=ana channel=imap session=AAA action="
	f("imap(ana)<42><AAA>: expunge: box=Sent Items, uid=17, msgid=<x@example.org>, size=1234", touched+`expunge inference=MESSAGE_TOUCHED message=<x@example.org> in=ana folder="Sent Items" exposure=metadata`)
	f("imap(ana)<42><AAA>: copy from INBOX: box=Trash, uid=18, msgid=, size=1234", touched+"copy inference=MESSAGE_TOUCHED message=Trash/18 in=ana folder=Trash exposure=metadata")
	f(`imap(ana)<42><AAA>: flag_change: box=INBOX, uid=3, msgid=<y@x>, size=2, flags=(\Seen)`, touched+"flag_change inference=MESSAGE_TOUCHED message=<y@x> in=ana folder=INBOX exposure=metadata")
	f("imap(ana)<42><AAA>: delete: box=INBOX", touched+"delete inference=MESSAGE_TOUCHED mailbox=ana exposure=metadata")
	f("lmtp(ana)<42><AAA>: save: box=INBOX, uid=3, msgid=<y@x>, size=2")
	f("lmtp(ana)<42><AAA>: sieve: msgid=<x@example.org>: stored mail into mailbox 'INBOX'")
}

const transferred = `Mar  3 02:11:04 mx1 sshd[41]: Accepted password for ana from 203.0.113.9 port 5022 ssh2
Mar  3 02:11:05 mx1 sftp-server[42]: session opened for local user ana from [203.0.113.9]
Mar  3 02:11:06 mx1 sftp-server[42]: opendir "/srv/Board"
Mar  3 02:11:06 mx1 sftp-server[42]: closedir "/srv/Board"
Mar  3 02:11:07 mx1 sftp-server[42]: open "/srv/Board/a \"b\".pdf" flags READ mode 0666
Mar  3 02:11:08 mx1 sftp-server[42]: close "/srv/Board/a \"b\".pdf" bytes read 4096 written 0
Mar  3 02:11:09 mx1 internal-sftp[42]: close "/srv/x" bytes read 0 written 90
Mar  3 02:11:09 mx1 sftp-server[42]: open "/srv/x" flags WRITE,CREATE,TRUNCATE mode 0644
Mar  3 02:11:09 mx1 sftp-server[42]: sent status No such file
Mar  3 02:11:09 mx1 sftp-server[7]: close "/srv/y" bytes read 5 written 0
`

func TestFilesOverSSHAreOfWhoeverOpenedTheSession(t *testing.T) {
	want := `login ok account=ana ip=203.0.113.9 channel=ssh action=password inference=SIGNED_IN
login ok account=ana ip=203.0.113.9 channel=ssh action=session-opened inference=SIGNED_IN count=0
access ok account=ana ip=203.0.113.9 channel=ssh action=closedir inference=FILE_LISTED folder=/srv/Board exposure=metadata
access unknown account=ana ip=203.0.113.9 channel=ssh action=open inference=FILE_OPENED file="/srv/Board/a \"b\".pdf" exposure=content
access ok account=ana ip=203.0.113.9 channel=ssh action=close inference=FILE_DOWNLOADED file="/srv/Board/a \"b\".pdf" exposure=content bytes=4096
access ok account=ana ip=203.0.113.9 channel=ssh action=close inference=FILE_TOUCHED file=/srv/x exposure=metadata bytes=90
access ok channel=ssh action=close inference=FILE_DOWNLOADED file=/srv/y exposure=content bytes=5`
	if got := meaning(t, strings.TrimSpace(transferred)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	logtest.Check(t, syslog.New, []byte(transferred+strings.Repeat("Mar  3 02:11:10 mx1 cron[1]: text\n", 20)+`Mar  3 02:12:08 mx1 sftp-server[42]: close "/srv/z" bytes read 4096 written 0`+"\n"), logtest.Options{Path: "auth.log", Allocs: 0.5})
}

// OpenSSH writes what is no printable ASCII in octal digits.
func TestNamesOfTransferredFiles(t *testing.T) {
	for name, want := range map[string]string{
		`r\303\251sum\303\251.pdf`: "résumé.pdf", `a\\b.pdf`: `a\b.pdf`, `a\tb\n.pdf`: "a\tb\n.pdf", `a\0b.pdf`: "a\x00b.pdf", `a\0012.pdf`: "a\x012.pdf", `a\b`: "a\b", `a\z`: `a\z`, `a\777`: `a\777`, `a\`: `a\`,
		`\\303\\251.pdf`: `\303\251.pdf`, `two words.pdf`: "two words.pdf",
	} {
		in := "Mar  3 02:11:05 mx1 sftp-server[42]: session opened for local user ana from [203.0.113.9]\nMar  3 02:11:08 mx1 sftp-server[42]: close \"/srv/" + name + "\" bytes read 4096 written 0\n"
		out := logtest.Events(t, syslog.New(), "auth.log", []byte(in))
		obs := syslog.New().Parser().Observe(&out.Events[len(out.Events)-1], nil)
		if len(obs) != 1 || string(obs[0].Object) != "/srv/"+want {
			t.Errorf("%s: %+v", name, obs)
		}
	}
}
