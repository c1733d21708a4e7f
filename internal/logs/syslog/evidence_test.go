package syslog_test

import (
	"archive/zip"
	stdjson "encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/syslog"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// unzip returns the files of an archive of the evidence by name.
func unzip(t testing.TB, elem ...string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(sharedtest.Path(t, append([]string{"evidence"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

// readIn reads a stream as of the given time of writing and zone.
func readIn(t testing.TB, data []byte, written time.Time, zone *time.Location) *event.Batch {
	t.Helper()
	s := logtest.Source("test.log", data)
	s.ModTime, s.Zone = written, zone
	return logtest.Read(t, syslog.New(), s, data, logs.MaxBlock, 0)
}

// TestFail2banLinesAreFailedLogins holds the reader against the tests of fail2ban: a line of which it says that it must match
// is a failed login from that host at that time. The others of these files are floods, relaying and the like, or need the lines before them.
func TestFail2banLinesAreFailedLogins(t *testing.T) {
	files := unzip(t, "fail2ban", "logs.zip")
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Skip(err)
	}
	written := time.Date(2005, 8, 14, 12, 0, 0, 0, zone)
	f := func(name string, want int) {
		t.Helper()
		lines := strings.Split(string(files[name]), "\n")
		got, must, wrongTime, falsely, mustNot := 0, 0, 0, 0, 0
		for i, l := range lines {
			spec, ok := strings.CutPrefix(l, "# failJSON:")
			if !ok {
				spec, ok = strings.CutPrefix(l, "#failJSON:")
			}
			if !ok || i+1 >= len(lines) {
				continue
			}
			var s struct {
				Time, Host string
				Match      bool
			}
			if err := stdjson.Unmarshal([]byte(spec), &s); err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
			out := readIn(t, []byte(lines[i+1]), written, zone)
			seen := false
			var at int64
			for j := range out.Events {
				for _, o := range logtest.Observations(syslog.New(), &out.Events[j]) {
					if o.Kind == logs.Login && !o.OK && (string(o.IP) == s.Host || s.Host == "") {
						seen, at = true, out.Events[j].Time
					}
				}
			}
			if !s.Match {
				mustNot++
				if seen {
					falsely++
					t.Logf("%s: false: %.160s", name, lines[i+1])
				}
				continue
			}
			must++
			if !seen {
				t.Logf("%s: not seen (%s): %.200s", name, s.Host, lines[i+1])
				continue
			}
			got++
			if when, err := time.ParseInLocation("2006-01-02T15:04:05", s.Time, zone); err == nil {
				if d := time.Duration(at - when.UnixNano()); at == event.UnknownTime || d < 0 || d >= time.Second {
					wrongTime++
					t.Logf("%s: time %s, want %s: %.100s", name, time.Unix(0, at).In(zone), when, lines[i+1])
				}
			}
		}
		t.Logf("%s: %d of %d failures seen, %d at another time; %d of %d others taken for one", name, got, must, wrongTime, falsely, mustNot)
		if got < want {
			t.Errorf("%s: %d of %d, want %d", name, got, must, want)
		}
	}
	f("sshd", 57)
	f("dovecot", 22)
	f("postfix", 3)
	f("exim", 6)
	f("roundcube-auth", 11)
	f("cyrus-imap", 5)
	f("sieve", 3)
	f("pam-generic", 8)
	f("dropbear", 10)
	f("sendmail-auth", 6)
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, append([]string{"evidence"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRealLogsAreReadWhole(t *testing.T) {
	f := func(defects int, elem ...string) {
		t.Helper()
		data := read(t, elem...)
		name := filepath.Join(elem...)
		s := logtest.Source(name, data)
		s.ModTime = time.Date(2017, 4, 20, 0, 0, 0, 0, time.UTC)
		if c := syslog.New().Sniff(s); c != logs.Likely {
			t.Errorf("%s: certainty %d", name, c)
		}
		out := logtest.Read(t, syslog.New(), s, data, logs.MaxBlock, 0)
		formats, unknown := map[string]int{}, 0
		for i := range out.Events {
			formats[out.Events[i].Shape.Format]++
			if out.Events[i].Time == event.UnknownTime {
				unknown++
			}
		}
		t.Log(name, len(out.Events), formats, syslog.New().Notes(s))
		if len(out.Defects) != defects || unknown > 0 {
			t.Errorf("%s: %d defects, want %d; %d without time; %.500v", name, len(out.Defects), defects, unknown, out.Defects)
		}
	}
	f(0, "linux-auth", "elastic-auth-2017", "auth.log")
	f(0, "linux-auth", "loghub-linux-2005", "Linux_2k.log")
	f(0, "linux-sotm34", "raw", "syslog", "messages.log")
	f(0, "linux-sotm34", "raw", "syslog", "secure.log")
	f(0, "linux-sotm34", "raw", "syslog", "maillog.log")
	f(0, "mail", "dovecot-postfix-success-lines", "dovecot_login_logout.log")
	f(0, "mail", "dovecot-postfix-success-lines", "postfix_sasl_success.log")
}

// wrap makes a line of what is only the message of one.
func wrap(program, message string) string {
	return "Mar 11 11:26:54 host " + program + "[42]: " + strings.TrimLeft(message, " ")
}

func first(t testing.TB, line string) *event.Event {
	t.Helper()
	out := readIn(t, []byte(line), time.Date(2022, 4, 1, 0, 0, 0, 0, time.UTC), time.UTC)
	if len(out.Events) != 1 {
		t.Fatalf("%d events of %q, defects %v", len(out.Events), line, out.Defects)
	}
	return &out.Events[0]
}

func field(e *event.Event, name string) string {
	if slot := e.Shape.Slot(name); slot >= 0 {
		return e.Value(slot).String()
	}
	return ""
}

func TestSekoiaSSHFieldsAgree(t *testing.T) {
	right, all := 0, 0
	for name, data := range unzip(t, "linux-auth", "sekoia-openssh-tests.zip") {
		var s struct {
			Input    struct{ Message string }
			Expected struct {
				Source struct {
					IP, Address string
					Port        int
				}
				User    struct{ Name string }
				Openssh struct{ Auth struct{ Method string } }
			}
		}
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		if err := stdjson.Unmarshal(data, &s); err != nil {
			t.Fatal(name, err)
		}
		line := s.Input.Message
		if !strings.HasPrefix(line, "Mar ") {
			line = wrap("sshd", line)
		}
		e := first(t, line)
		want := map[string]string{}
		addr, port := "src_ip", "src_port"
		if e.Shape.Format == "syslog.pam" {
			addr, port = "rhost", ""
		}
		if want[addr] = s.Expected.Source.IP; want[addr] == "" {
			want[addr] = s.Expected.Source.Address
		}
		if port != "" && s.Expected.Source.Port != 0 {
			want[port] = fmt.Sprint(s.Expected.Source.Port)
		}
		want["user"] = s.Expected.User.Name
		if m := s.Expected.Openssh.Auth.Method; m != "" {
			want["method"] = m
		}
		all++
		ok := true
		for n, w := range want {
			if g := field(e, n); g != w && w != "" {
				ok = false
				t.Logf("%s: %s is %q, want %q: %s", name, n, g, w, line)
			}
		}
		if ok {
			right++
		}
	}
	t.Logf("%d of %d agree", right, all)
	if right < 28 {
		t.Errorf("%d of %d agree", right, all)
	}
}

func TestSekoiaPostfixFieldsAgree(t *testing.T) {
	right, all := 0, 0
	for name, data := range unzip(t, "mail", "sekoia-postfix-tests.zip") {
		var s struct {
			Input    struct{ Message string }
			Expected struct {
				Source struct{ IP string }
				Log    struct{ Syslog struct{ Appname string } }
				Email  struct {
					From      struct{ Address []string }
					To        struct{ Address []string }
					MessageID string `json:"message_id"`
				}
				Postfix struct {
					QueueID struct{ Local string } `json:"queue_id"`
				}
			}
		}
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		if err := stdjson.Unmarshal(data, &s); err != nil {
			t.Fatal(name, err)
		}
		x := s.Expected
		app := x.Log.Syslog.Appname
		if !strings.HasPrefix(app, "postfix") && app != "" {
			continue
		}
		if strings.Contains(name, "spamd") || strings.Contains(name, "postgrey") || strings.Contains(name, "policyd") {
			continue // other programs, whose lines have lost their names
		}
		if app == "" {
			app = "postfix/smtp"
		}
		e := first(t, wrap(app, s.Input.Message))
		want := map[string]string{"queue_id": x.Postfix.QueueID.Local, "client_ip": x.Source.IP}
		if len(x.Email.From.Address) == 1 {
			want["from"] = x.Email.From.Address[0]
		}
		if len(x.Email.To.Address) == 1 {
			want["to"] = x.Email.To.Address[0]
		}
		want["message-id"] = x.Email.MessageID
		all++
		ok := true
		for n, w := range want {
			if g := field(e, n); g != w && w != "" {
				ok = false
				t.Logf("%s: %s is %q, want %q: %.300s", name, n, g, w, s.Input.Message)
			}
		}
		if ok {
			right++
		}
	}
	t.Logf("%d of %d agree", right, all)
	if right < 72 {
		t.Errorf("%d of %d agree", right, all)
	}
}

func TestPostfixGrokFieldsAgree(t *testing.T) {
	// Their names and ours; what they take apart further is not compared.
	ours := map[string]string{
		"postfix_queueid": "queue_id", "postfix_client_hostname": "client", "postfix_client_ip": "client_ip", "postfix_client_port": "client_port",
		"postfix_message-id": "message-id", "postfix_status": "status", "postfix_relay_hostname": "relay", "postfix_relay_ip": "relay_ip",
		"postfix_relay_port": "relay_port", "postfix_from": "from", "postfix_to": "to", "postfix_sasl_username": "sasl_username", "postfix_sasl_method": "sasl_method",
		"postfix_smtp_response": "reason", "postfix_local_response": "reason", "postfix_pipe_response": "reason", "postfix_smtp_stage": "stage",
		"postfix_size": "size", "postfix_nrcpt": "nrcpt", "postfix_dsn": "dsn",
	}
	right, all := 0, 0
	for name, data := range unzip(t, "mail", "postfix-grok-tests.zip") {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		var s struct {
			Pattern string
			Data    string
			Results map[string]any
		}
		if err := yaml.Unmarshal(data, &s); err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		_, process, ok := strings.Cut(strings.Trim(s.Pattern, "^$%{}"), "POSTFIX_")
		if !ok {
			continue
		}
		switch process = strings.ToLower(process); process {
		case "smtpd", "smtp", "qmgr", "cleanup", "pickup", "pipe", "local", "lmtp", "virtual", "bounce":
		default:
			continue
		}
		e := first(t, wrap("postfix/"+process, s.Data))
		all++
		good := true
		for n, w := range s.Results {
			o, ok := ours[n]
			if !ok {
				continue
			}
			if g := field(e, o); g != fmt.Sprint(w) {
				good = false
				t.Logf("%s: %s is %q, want %q: %.200s", name, o, g, fmt.Sprint(w), s.Data)
			}
		}
		if good {
			right++
		}
	}
	t.Logf("%d of %d agree", right, all)
	if right < 55 {
		t.Errorf("%d of %d agree", right, all)
	}
}

// TestConnectionsDoNotDependOnBlocks reads logs of sshd in blocks of a few lines and whole: what is known of a connection goes from block to block.
func TestConnectionsDoNotDependOnBlocks(t *testing.T) {
	f := func(name string, data []byte) {
		t.Helper()
		s := logtest.Source(name, data)
		format := syslog.New()
		read := func(size int) []string {
			out := logtest.Read(t, format, s, data, logs.MaxBlock, size)
			var all []string
			for i := range out.Events {
				all = append(all, logtest.Dump(&out.Events[i]))
				for _, o := range logtest.Observations(format, &out.Events[i]) {
					all = append(all, logtest.DumpObservation(o))
				}
			}
			return all
		}
		want := read(0)
		for _, size := range []int{1, 1000} {
			got := read(size)
			for i := range want {
				if i >= len(got) || got[i] != want[i] {
					t.Fatalf("%s in blocks of %d: line %d\n got %s\nwant %s", name, size, i, got[i], want[i])
				}
			}
		}
	}
	f("sshd", unzip(t, "fail2ban", "logs.zip")["sshd"])
	f("auth.log", read(t, "linux-auth", "elastic-auth-2017", "auth.log"))
}
