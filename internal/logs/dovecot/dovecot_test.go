package dovecot_test

import (
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
login ok account=ana ip=203.0.113.9 channel=submission session=AAB action=LOGIN
2024-03-03T02:11:07.5Z dovecot.events event=mail_opened hostname=mx1 start_time=1709431867 end_time=1709431867.5 categories="mail, storage" fields.user=ana fields.session=AAA fields.mailbox="Sent \"x\"" fields.uid=17 fields.reason="mail stream" message="Sent \"x\"/17"
access ok account=ana channel=mail session=AAA action=mail_opened message="Sent \"x\"/17"
2024-03-03T02:11:08Z dovecot.events event=imap_command_finished hostname=mx1 start_time=2024-03-03T02:11:08Z end_time=2024-03-03T02:11:08Z categories=imap fields.user=ana fields.session=AAA fields.cmd_name="UID FETCH" fields.tagged_reply_state=OK fields.net_in_bytes=30 fields.net_out_bytes=4096
access ok account=ana channel=imap session=AAA action="UID FETCH" mailbox=ana bytes=4096
2024-03-03T02:11:08Z dovecot.events event=imap_command_finished hostname=mx1 start_time=2024-03-03T02:11:08Z end_time=2024-03-03T02:11:08Z categories=imap fields.user=ana fields.session=AAA fields.cmd_name=NOOP fields.tagged_reply_state=OK fields.net_in_bytes=30 fields.net_out_bytes=12
2024-03-03T02:12:08Z dovecot.events event=mail_user_session_finished hostname=mx1 end_time=2024-03-03T02:12:08Z fields.user=ana fields.session=AAA fields.net_out_bytes=5000
access ok account=ana channel=mail session=AAA action=mail_user_session_finished mailbox=ana bytes=5000`)
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
	logtest.Check(t, dovecot.New, []byte(sample), logtest.Options{Path: "events.json", Allocs: 0.5})
}

func FuzzDovecot(f *testing.F) {
	logtest.Fuzz(f, dovecot.New, logtest.Options{Path: "events.json", Gap: func([]byte) bool { return true }}, sample, `{"event":"mail_opened","end_time":1,"fields":{"mailbox":"a","uid":{"x":1}}}`+"\n")
}
