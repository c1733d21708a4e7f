package dovecot_test

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/dovecot"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

const sample = `{"event":"auth_request_finished","hostname":"mx1","start_time":"2024-03-03T02:11:04.422744Z","end_time":"2024-03-03T02:11:05.000000Z","categories":["auth"],"fields":{"user":"ana","protocol":"imap","remote_ip":"203.0.113.9","session":"AAA","mechanism":"PLAIN"}}
{"event":"auth_request_finished","hostname":"mx1","start_time":"2024-03-03T02:11:06Z","end_time":"2024-03-03T02:11:06Z","categories":["auth"],"fields":{"user":"ana","protocol":"smtp","remote_ip":"203.0.113.9","session":"AAB","mechanism":"LOGIN","success":"yes"}}
{"event":"mail_opened","hostname":"mx1","start_time":1709431867,"end_time":1709431867.5,"categories":["mail","storage"],"fields":{"user":"ana","session":"AAA","mailbox":"Sent \"x\"","uid":17,"reason":"mail stream"}}
{"event":"imap_command_finished","hostname":"mx1","start_time":"2024-03-03T02:11:08Z","end_time":"2024-03-03T02:11:08Z","categories":["imap"],"fields":{"user":"ana","session":"AAA","cmd_name":"UID FETCH","tagged_reply_state":"OK","net_in_bytes":30,"net_out_bytes":4096}}
{"event":"imap_command_finished","hostname":"mx1","start_time":"2024-03-03T02:11:08Z","end_time":"2024-03-03T02:11:08Z","categories":["imap"],"fields":{"user":"ana","session":"AAA","cmd_name":"NOOP","tagged_reply_state":"OK","net_in_bytes":30,"net_out_bytes":12}}
{"event":"mail_user_session_finished","hostname":"mx1","end_time":"2024-03-03T02:12:08Z","fields":{"user":"ana","session":"AAA","net_out_bytes":5000}}
`

func TestEventsOfDovecot(t *testing.T) {
	logtest.Golden(t, dovecot.New(), sample, `
2024-03-03T02:11:05Z dovecot.events event=auth_request_finished hostname=mx1 start_time=2024-03-03T02:11:04.422744Z end_time=2024-03-03T02:11:05.000000Z categories=auth fields.user=ana fields.protocol=imap fields.remote_ip=203.0.113.9 fields.session=AAA fields.mechanism=PLAIN
login failed account=ana ip=203.0.113.9 channel=imap session=AAA action=PLAIN
2024-03-03T02:11:06Z dovecot.events event=auth_request_finished hostname=mx1 start_time=2024-03-03T02:11:06Z end_time=2024-03-03T02:11:06Z categories=auth fields.user=ana fields.protocol=smtp fields.remote_ip=203.0.113.9 fields.session=AAB fields.mechanism=LOGIN fields.success=yes
login ok account=ana ip=203.0.113.9 channel=submission session=AAB action=LOGIN inference=SIGNED_IN
2024-03-03T02:11:07.5Z dovecot.events event=mail_opened hostname=mx1 start_time=1709431867 end_time=1709431867.5 categories="mail, storage" fields.user=ana fields.session=AAA fields.mailbox="Sent \"x\"" fields.uid=17 fields.reason="mail stream" message="Sent \"x\"/17"
access unknown account=ana channel=mail session=AAA action=mail_opened inference=MESSAGE_BIND message="Sent \"x\"/17" in=ana folder="Sent \"x\"" exposure=content
2024-03-03T02:11:08Z dovecot.events event=imap_command_finished hostname=mx1 start_time=2024-03-03T02:11:08Z end_time=2024-03-03T02:11:08Z categories=imap fields.user=ana fields.session=AAA fields.cmd_name="UID FETCH" fields.tagged_reply_state=OK fields.net_in_bytes=30 fields.net_out_bytes=4096
access unknown account=ana channel=imap session=AAA action="UID FETCH" inference=MAILBOX_READ mailbox=ana exposure=content bytes=4096
2024-03-03T02:11:08Z dovecot.events event=imap_command_finished hostname=mx1 start_time=2024-03-03T02:11:08Z end_time=2024-03-03T02:11:08Z categories=imap fields.user=ana fields.session=AAA fields.cmd_name=NOOP fields.tagged_reply_state=OK fields.net_in_bytes=30 fields.net_out_bytes=12
2024-03-03T02:12:08Z dovecot.events event=mail_user_session_finished hostname=mx1 end_time=2024-03-03T02:12:08Z fields.user=ana fields.session=AAA fields.net_out_bytes=5000
access ok account=ana channel=mail session=AAA action=mail_user_session_finished inference=MAIL_TRAFFIC mailbox=ana exposure=content bytes=5000`)
}

func TestEventsTellWhatWasRead(t *testing.T) {
	f := func(name, fields string, want ...string) {
		t.Helper()
		in := `{"event":"` + name + `","hostname":"mx1","end_time":"2024-03-03T02:11:04Z","fields":{"user":"ana","session":"AAA","protocol":"imap",` + fields + "}}\n"
		out := logtest.Events(t, dovecot.New(), "x.json", []byte(in))
		var got []string
		for i := range out.Events {
			for _, o := range logtest.Observations(dovecot.New(), &out.Events[i]) {
				got = append(got, logtest.DumpObservation(o))
			}
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s:\n got %s\nwant %s", in, g, w)
		}
	}
	const opened = "account=ana channel=imap session=AAA action=mail_opened inference=MESSAGE_BIND message=INBOX/17 in=ana folder=INBOX"
	mail := func(reasons string) string { return `"mailbox":"INBOX","uid":17,"reason_code":` + reasons }
	f("mail_opened", mail(`["imap:cmd_uid_fetch","imap:fetch_body"]`), "access ok "+opened+" exposure=content")
	f("mail_opened", mail(`["imap:cmd_uid_fetch","mail:imap_envelope","imap:fetch_bodystructure"]`), "access ok "+opened+" exposure=metadata")
	f("mail_opened", mail(`["imap:cmd_uid_fetch","mail:snippet"]`), "access ok "+opened+" exposure=partial")
	f("mail_opened", mail(`["imap:cmd_uid_search"]`), "access unknown "+opened+" exposure=content")
	f("mail_opened", mail(`["indexer:index_mailbox"]`), "access ok account=ana standing=service"+opened[len("account=ana"):]+" exposure=metadata")

	const fetch = "account=ana channel=imap session=AAA action=\"UID FETCH\" inference="
	command := func(args, mailbox, reply string) string {
		return `"cmd_name":"UID FETCH","tagged_reply_state":"` + reply + `","net_out_bytes":900,"cmd_args":"` + args + `","mailbox":"` + mailbox + `"`
	}
	f("imap_command_finished", command("17,19 (FLAGS BODY.PEEK[])", "INBOX", "OK"),
		"access ok "+fetch+"MESSAGE_BIND message=INBOX/17 in=ana folder=INBOX exposure=content", "access ok "+fetch+"MESSAGE_BIND message=INBOX/19 in=ana folder=INBOX exposure=content")
	f("imap_command_finished", command("17 (BODY.PEEK[HEADER.FIELDS (Subject From)] ENVELOPE BODY)", "INBOX", "OK"), "access ok "+fetch+"MESSAGE_BIND message=INBOX/17 in=ana folder=INBOX exposure=metadata bytes=900")
	f("imap_command_finished", command("17 BODY[2.MIME]", "INBOX", "OK"), "access ok "+fetch+"MESSAGE_BIND message=INBOX/17 in=ana folder=INBOX exposure=metadata bytes=900")
	f("imap_command_finished", command("17 BINARY[2]", "INBOX", "OK"), "access ok "+fetch+"MESSAGE_BIND message=INBOX/17 in=ana folder=INBOX exposure=content bytes=900")
	f("imap_command_finished", command("1:* RFC822", "INBOX", "OK"), "access ok "+fetch+"MAILBOX_READ mailbox=ana exposure=content bytes=900")
	f("imap_command_finished", command("1:* (FLAGS RFC822.SIZE)", "INBOX", "OK"), "access ok "+fetch+"MAILBOX_LISTED mailbox=ana exposure=metadata bytes=900")
	f("imap_command_finished", command("17 BODY[]", "", "NO"), "access unknown "+fetch+"MAILBOX_READ mailbox=ana exposure=content bytes=900")

	f("imap_client_disconnected", `"fetch_body_count":0,"fetch_body_bytes":0,"fetch_hdr_count":3,"fetch_hdr_bytes":100`,
		"access ok account=ana channel=imap session=AAA action=imap_client_disconnected inference=MAIL_NOT_FETCHED mailbox=ana bytes=0 count=0",
		"access ok account=ana channel=imap session=AAA action=imap_client_disconnected inference=MAIL_HEADERS mailbox=ana exposure=metadata bytes=100 count=3")
	f("mail_user_session_finished", `"x":1`)
}

func TestSniff(t *testing.T) {
	f := func(in string, want logs.Certainty) {
		t.Helper()
		if c := dovecot.New().Sniff(logtest.Source("x", []byte(in))); c != want {
			t.Errorf("%s: certainty %d, want %d", in, c, want)
		}
	}
	f(sample, logs.Likely)
	f(`{"event":"x","hostname":"h","fields":{}}`, logs.No)
	f(`{"a":1}`, logs.No)
	f("text", logs.No)
}

func TestDovecotKeepsThePromisesOfFormats(t *testing.T) {
	logtest.Check(t, dovecot.New, []byte(sample), logtest.Options{Path: "events.json"})
}

func FuzzDovecot(f *testing.F) {
	logtest.Fuzz(f, dovecot.New, logtest.Options{Path: "events.json", Gap: func([]byte) bool { return true }}, sample, `{"event":"mail_opened","end_time":1,"fields":{"mailbox":"a","uid":{"x":1}}}`+"\n")
}
