package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/tally"
)

// learnt assesses files, a name and a content each, and returns what the store says, in lines.
func learnt(t *testing.T, change func(*Config), files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := AssessConfig{Config: config(dir, 2, rules(t, rule)), Dir: filepath.Join(t.TempDir(), "case"), Now: time.Unix(0, 0), Facts: &judge.Facts{}}
	if change != nil {
		change(&cfg.Config)
	}
	if _, _, err := Assess(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	store, err := tally.Open(filepath.Join(cfg.Dir, casefile.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	clock := func(ns int64) string {
		if ns == event.UnknownTime {
			return "?"
		}
		return time.Unix(0, ns).UTC().Format("15:04:05")
	}
	var b strings.Builder
	spans := func(name string, list []tally.Span) {
		for _, s := range list {
			fmt.Fprintf(&b, " %s %s-%s", name, clock(s.From), clock(s.To))
		}
	}
	for _, s := range store.Streams() {
		fmt.Fprintf(&b, "stream %d %q %s: %d events", s.Source, s.Host, s.Format, s.Events)
		spans("active", s.Active)
		spans("unread", s.Unread)
		if s.Backwards > 0 {
			fmt.Fprintf(&b, " back %s at line %d", time.Duration(s.Backwards), s.BackwardsAt.Line)
		}
		if s.Cut {
			b.WriteString(" cut")
		}
		b.WriteByte('\n')
	}
	for x, err := range store.Tries() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "try %s %s %s: %d from %s line %d\n", x.Format, x.IP, x.Account, x.Times, clock(x.From), x.First.Line)
	}
	for i, c := range store.Contexts() {
		for _, v := range store.Visits(i) {
			fmt.Fprintf(&b, "visit %s %s %s: %d at %s-%s\n", c.Format, c.Account, c.IP, v.Acts, clock(v.From), clock(v.To))
		}
	}
	joints := store.Joints()
	for x, err := range joints.All {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "joint %d times", x.Count)
		for _, s := range x.Seen {
			l := &joints.Logs[s.Log]
			fmt.Fprintf(&b, " %d %q %s %s %v at %s", l.Source, l.Host, l.Format, l.Channel, l.Sure, clock(s.At))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

const authLog = `2024-05-01T10:00:00Z mx1 sshd[7]: Accepted password for ana from 203.0.113.9 port 4711 ssh2
2024-05-01T10:00:30Z mx1 sshd[8]: Failed password for eve from 198.51.100.7 port 4712 ssh2
2024-05-01T10:05:00Z mx1 dovecot: imap-login: Login: user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, mpid=5, TLS, session=<AAA>
2024-05-01T10:20:00Z mx1 kernel: nothing
2024-05-01T10:10:00Z mx1 sshd[9]: Failed password for eve from 198.51.100.7 port 4713 ssh2
`

func TestStoreOfARun(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != strings.TrimPrefix(want, "\n") {
			t.Errorf("got\n%s\nwant%s", got, want)
		}
	}
	// A copy counts once, and so does a stream per kind of program beside that of all lines.
	all := `
stream 0 "mx1" syslog: 5 events active 10:00:00-10:00:30 active 10:05:00-10:05:00 active 10:10:00-10:10:00 active 10:20:00-10:20:00 back 10m0s at line 5
stream 0 "mx1" syslog.dovecot: 1 events active 10:05:00-10:05:00
stream 0 "mx1" syslog.sshd: 3 events active 10:00:00-10:00:30 active 10:10:00-10:10:00
try syslog.sshd 198.51.100.7 eve: 2 from 10:00:30 line 2
visit syslog.sshd ana 203.0.113.9: 1 at 10:00:00-10:00:00
visit syslog.dovecot ana 203.0.113.9: 1 at 10:05:00-10:05:00
`
	f(learnt(t, nil, "auth.log", authLog, "copy.log", authLog), all)

	// What the command line leaves out was not seen, nor was it quiet then.
	at := time.Date(2024, 5, 1, 10, 1, 0, 0, time.UTC)
	f(learnt(t, func(c *Config) { c.From, c.To = at.UnixNano(), at.Add(10*time.Minute).UnixNano() }, "auth.log", authLog), `
stream 0 "mx1" syslog: 2 events active 10:05:00-10:05:00 active 10:10:00-10:10:00
stream 0 "mx1" syslog.dovecot: 1 events active 10:05:00-10:05:00
stream 0 "mx1" syslog.sshd: 1 events active 10:10:00-10:10:00
try syslog.sshd 198.51.100.7 eve: 1 from 10:10:00 line 5
visit syslog.dovecot ana 203.0.113.9: 1 at 10:05:00-10:05:00
`)

	// The last line has no end, and a line in the middle cannot be read.
	damaged := `192.0.2.7 - - [10/Oct/2000:13:00:00 +0000] "GET / HTTP/1.1" 200 5
damaged
192.0.2.7 - - [10/Oct/2000:13:10:00 +0000] "GET / HTTP/1.1" 200 5
192.0.2.7 - - [10/Oct/2000:13:10:30 +0000] "GET / HTTP/1.1" 200 5`
	f(learnt(t, nil, "access.log", damaged), `
stream 0 "" web.access: 3 events active 13:00:00-13:00:00 active 13:10:00-13:10:30 unread 13:00:00-13:10:00 cut
`)
}

func TestRequestsInTwoLogs(t *testing.T) {
	iis := "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status\n"
	proxy := "#Software: Microsoft Exchange Server\n#Log-type: HttpProxy Logs\n#Fields: DateTime,RequestId,Protocol,UrlStem,AnchorMailbox,ClientIpAddress,ServerHostName,HttpStatus\n"
	for i := range 3 {
		const id = "cde28fc4-299e-4179-b3e9-de56f5c1d9e"
		iis += fmt.Sprintf("2021-03-05 03:06:27 192.0.2.1 GET /owa/ &cafeReqId=%s%d; 443 - 203.0.113.9 200\n", id, i)
		if i != 1 {
			proxy += fmt.Sprintf("2021-03-05T03:06:28.123Z,%s%d,Owa,/owa/,,203.0.113.9,EX1,200\n", id, i)
		}
	}
	got := learnt(t, nil, "a.log", iis, "b.log", proxy, "c.log", iis) // a copy counts once
	got = got[max(0, strings.Index(got, "joint")):]
	if want := `joint 1 times 0 "192.0.2.1" iis.w3c owa true at 03:06:27
joint 2 times 0 "192.0.2.1" iis.w3c owa true at 03:06:27 1 "EX1" exchange.httpproxy.owa  true at 03:06:28
`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
