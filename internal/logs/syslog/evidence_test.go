package syslog_test

import (
	"archive/zip"
	stdjson "encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	f("sshd", 0)
	f("dovecot", 0)
	f("postfix", 0)
	f("exim", 0)
	f("roundcube-auth", 0)
	f("cyrus-imap", 0)
	f("sieve", 0)
	f("pam-generic", 0)
	f("dropbear", 0)
	f("sendmail-auth", 0)
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
