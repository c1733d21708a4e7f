package remoteaccess

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

const anydesk = `   info 2024-02-16 20:29:04.298       back   4668   6440                   app.backend_session - Incoming session request: Ana (b) (221436813)
   info 2024-02-16 20:29:05.001       lsvc   9952   9944   21                anynet.any_socket - Client-ID: 221436813 (FPR: 8e28a2a25b30).
   info 2024-02-16 20:29:05.002       lsvc   9952   9944   21                anynet.any_socket - Logged in from 203.0.113.9:59562 on relay 80e496c0.
   info 2024-02-16 20:29:09.500       back   4668   6440                          app.session - Authenticated with correct passphrase.
warning 2024-02-16 20:29:10.000       back   4668   6440                          app.session - text
   info 2024-02-16 20:40:00.000       back   4668   6440                          app.session - Session closed by remote side: quit.
   info 2024-02-16 20:41:00.000       back   4668   6440                          app.session - Authenticated by local user.
`

const teamviewer = `2024/02/16 06:05:19.349  2136       3688  0   Logger started.
Start:              2024/02/16 06:05:19.548 (UTC-8:00)
Version:            15.50.5 (64-bit)
IE                  11.1790.17763.0

2024/02/16 06:16:32.562  2216       2492 S0   Negotiating session encryption: client hello received from 100200300, RSA key length = 4096
2024/02/16 06:16:33.862  2216       2492 S0   AuthenticationBlocker::Allocate: allocate ok for DyngateID 100200300, attempt number 1
2024/02/16 06:16:40.312  1084       3644 D1   AuthenticationPasswordLogin_Passive::RunAuthenticationMethod: authentication using dynamic password was denied
2024/02/16 06:16:47.312  1084       3644 D1   AuthenticationPasswordLogin_Passive::RunAuthenticationMethod: authentication using dynamic password was successful
2024/02/16 06:16:47.413  2216       2488 S0   CPersistentParticipantManager::AddParticipant: [100200300,115469523] type=6 name=Ana
2024/02/16 06:18:36.136  2216       2492 S0   SessionStatistics[2] Session to 100200300 ended. Estimated capacity=5448kBit/s, Latency=65ms
Start:              2024/02/16 15:14:13.342 (UTC+1:00)
2024/02/16 15:14:14.000  2216       2488 S0   text
`

func TestRemoteAccessLogs(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		logtest.Golden(t, New(), in, want)
	}
	f(anydesk, `
2024-02-16T20:29:04.298Z anydesk.trace level=info thread=back pid=4668 tid=6440 module=app.backend_session message="Incoming session request: Ana (b) (221436813)" event=request client_id=221436813 name="Ana (b)"
login unknown account=221436813 channel=anydesk action=request count=0
2024-02-16T20:29:05.001Z anydesk.trace level=info thread=lsvc pid=9952 tid=9944 module=anynet.any_socket message="Client-ID: 221436813 (FPR: 8e28a2a25b30)." client_id=221436813
2024-02-16T20:29:05.002Z anydesk.trace level=info thread=lsvc pid=9952 tid=9944 module=anynet.any_socket message="Logged in from 203.0.113.9:59562 on relay 80e496c0." event=connected client_id=221436813 src_ip=203.0.113.9 src_port=59562
login unknown account=221436813 ip=203.0.113.9 channel=anydesk action=connected count=0
2024-02-16T20:29:09.5Z anydesk.trace level=info thread=back pid=4668 tid=6440 module=app.session message="Authenticated with correct passphrase." event=authenticated client_id=221436813 src_ip=203.0.113.9 method="correct passphrase"
login ok account=221436813 ip=203.0.113.9 channel=anydesk action="correct passphrase" inference=SIGNED_IN
2024-02-16T20:29:10Z anydesk.trace level=warning thread=back pid=4668 tid=6440 module=app.session message=text
2024-02-16T20:40:00Z anydesk.trace level=info thread=back pid=4668 tid=6440 module=app.session message="Session closed by remote side: quit." event=session-end client_id=221436813 src_ip=203.0.113.9
2024-02-16T20:41:00Z anydesk.trace level=info thread=back pid=4668 tid=6440 module=app.session message="Authenticated by local user." event=authenticated method="local user"
login ok channel=anydesk action="local user" inference=SIGNED_IN`)
	f(`Incoming    2024-02-16, 20:29    User                              221436813    221436813
Incoming    2024-02-16, 20:30    REJECTED                          ana ad@x     221436813
Outgoing    2024-02-16, 20:31    Passwd                            221436813    221436813
`, `
2024-02-16T20:29:00Z anydesk.connections direction=Incoming method=User alias=221436813 client_id=221436813
login ok account=221436813 channel=anydesk action=User inference=SIGNED_IN
2024-02-16T20:30:00Z anydesk.connections direction=Incoming method=REJECTED alias="ana ad@x" client_id=221436813
login failed account=221436813 channel=anydesk action=REJECTED
2024-02-16T20:31:00Z anydesk.connections direction=Outgoing method=Passwd alias=221436813 client_id=221436813`)
	f(teamviewer, `
2024-02-16T14:05:19.349Z teamviewer.log pid=2136 tid=3688 level=0 message="Logger started."
2024-02-16T14:16:32.562Z teamviewer.log pid=2216 tid=2492 level=S0 message="Negotiating session encryption: client hello received from 100200300, RSA key length = 4096" event=handshake client_id=100200300
login unknown account=100200300 channel=teamviewer action=handshake count=0
2024-02-16T14:16:33.862Z teamviewer.log pid=2216 tid=2492 level=S0 message="AuthenticationBlocker::Allocate: allocate ok for DyngateID 100200300, attempt number 1" client_id=100200300
2024-02-16T14:16:40.312Z teamviewer.log pid=1084 tid=3644 level=D1 message="AuthenticationPasswordLogin_Passive::RunAuthenticationMethod: authentication using dynamic password was denied" event=refused client_id=100200300 method="dynamic password"
login failed account=100200300 channel=teamviewer action="dynamic password"
2024-02-16T14:16:47.312Z teamviewer.log pid=1084 tid=3644 level=D1 message="AuthenticationPasswordLogin_Passive::RunAuthenticationMethod: authentication using dynamic password was successful" event=authenticated client_id=100200300 method="dynamic password"
login ok account=100200300 channel=teamviewer action="dynamic password" inference=SIGNED_IN
2024-02-16T14:16:47.413Z teamviewer.log pid=2216 tid=2488 level=S0 message="CPersistentParticipantManager::AddParticipant: [100200300,115469523] type=6 name=Ana" event=participant client_id=100200300 name=Ana session=115469523
2024-02-16T14:18:36.136Z teamviewer.log pid=2216 tid=2492 level=S0 message="SessionStatistics[2] Session to 100200300 ended. Estimated capacity=5448kBit/s, Latency=65ms" event=session-end client_id=100200300
2024-02-16T14:14:14Z teamviewer.log pid=2216 tid=2488 level=S0 message=text`)
	f("100200300\tAna B\t16-02-2024 14:16:32\t16-02-2024 14:18:36\tbob\tRemoteControl\t{b3a4}\n", `
2024-02-16T14:16:32Z teamviewer.connections direction=incoming client_id=100200300 name="Ana B" start="16-02-2024 14:16:32" end="16-02-2024 14:18:36" user=bob mode=RemoteControl session={b3a4}
login ok account=100200300 channel=teamviewer session={b3a4} action=RemoteControl inference=SIGNED_IN target=bob after=2m4s`)
	f("100200300            20-02-2024 13:10:33       20-02-2024 13:11:52       bob        RemoteControl     {b351}  \n", `
2024-02-20T13:10:33Z teamviewer.connections direction=outgoing client_id=100200300 start="20-02-2024 13:10:33" end="20-02-2024 13:11:52" user=bob mode=RemoteControl session={b351}
access ok account=bob channel=teamviewer session={b351} action=RemoteControl inference=SIGNED_IN host=100200300 after=1m19s`)
	f(`   info 2024-02-16 20:29:09.500       back   4668   6440                          app.session - Incoming session request: Ana (221436813)
   info 2024-02-16 20:30:00.000       ctrl   4668   6440                     app.prepare_task - Preparing files in 'C:\Users\ana\Board'.
`, `
2024-02-16T20:29:09.5Z anydesk.trace level=info thread=back pid=4668 tid=6440 module=app.session message="Incoming session request: Ana (221436813)" event=request client_id=221436813 name=Ana
login unknown account=221436813 channel=anydesk action=request count=0
2024-02-16T20:30:00Z anydesk.trace level=info thread=ctrl pid=4668 tid=6440 module=app.prepare_task message="Preparing files in 'C:\\Users\\ana\\Board'." event=file-transfer client_id=221436813 path="C:\\Users\\ana\\Board"
access ok account=221436813 channel=anydesk action=file-transfer inference=FILE_READ_GRANTED folder="C:\\Users\\ana\\Board" exposure=content`)
	f("text\n", "defect line 1 offset 0 length 4: no line of a remote-access log")
}

// TestRealSessions knows the session that was recorded: 1660360496 came in to IEUser from 14:16:32 to 14:18:36, by its password.
func TestRealSessions(t *testing.T) {
	f := func(name string, want logs.Certainty, format string, logins ...string) {
		t.Helper()
		data, err := os.ReadFile(sharedtest.Path(t, "evidence", "remote-access-tools", name))
		if err != nil {
			t.Fatal(err)
		}
		s := logtest.Source(name, data)
		fm := New()
		if c := fm.Sniff(s); c != want || fm.Refine(s) != format {
			t.Errorf("%s: certainty %d, %s", name, c, fm.Refine(s))
		}
		out := logtest.Read(t, fm, s, data, logs.MaxBlock, 0)
		if len(out.Defects) > 0 {
			t.Errorf("%s: %v", name, logtest.DumpDefect(out.Defects[0]))
		}
		var got []string
		for i := range out.Events {
			e := &out.Events[i]
			for _, o := range logtest.Observations(fm, e) {
				got = append(got, fmt.Sprintf("%s %s", time.Unix(0, e.Time).UTC().Format(time.DateTime), logtest.DumpObservation(o)))
			}
		}
		if g, w := strings.Join(got, "\n"), strings.Join(logins, "\n"); g != w {
			t.Errorf("%s:\n%s\nwant\n%s", name, g, w)
		}
	}
	f("teamviewer-plaso/connections_incoming.txt", logs.Likely, "teamviewer.connections",
		"2024-02-16 14:16:32 login ok account=1660360496 channel=teamviewer session={b3a4df33-d027-44d5-b50f-4e61115494d4} action=RemoteControl inference=SIGNED_IN target=IEUser after=2m4s")
	f("teamviewer-plaso/Connections.txt", logs.Likely, "teamviewer.connections",
		"2024-02-20 13:10:33 access ok account=IEUser channel=teamviewer session={b35110b2-7dc5-4bb9-8d54-ca80953f65f8} action=RemoteControl inference=SIGNED_IN host=1660360496 after=1m19s")
	f("teamviewer-plaso/TeamViewer15_Logfile.log", logs.Likely, "teamviewer.log",
		"2024-02-16 14:16:32 login unknown account=1660360496 channel=teamviewer action=handshake count=0",
		"2024-02-16 14:16:32 login unknown account=1660360496 channel=teamviewer action=handshake count=0",
		`2024-02-16 14:16:47 login ok account=1660360496 channel=teamviewer action="dynamic password" inference=SIGNED_IN`)
	f("anydesk-excerpts/ad_svc.trace.txt", logs.Likely, "anydesk.trace",
		"2022-09-28 12:39:26 login unknown account=442226597 ip=12.xx.xx.21 channel=anydesk action=connected count=0",
		"2022-08-23 10:20:17 login unknown account=547911884 ip=12.xx.xx.21 channel=anydesk action=connected count=0")
}

var options = logtest.Options{Path: "ad_svc.trace", Header: isHeader}

func TestRemoteAccessKeepsThePromisesOfFormats(t *testing.T) {
	logtest.Check(t, New, []byte(anydesk+"Incoming    2024-02-16, 20:29    User    221436813    221436813\nnot a line\n"), options)
	logtest.Check(t, New, []byte(teamviewer+"100200300\tAna\t16-02-2024 14:16:32\t16-02-2024 14:18:36\tbob\tRemoteControl\t{b3a4}\n"), options)
}

func TestOthersAreNotRemoteAccess(t *testing.T) {
	for _, in := range []string{
		"2024/02/16 06:05:19 [error] 1#1: *1 text\n",
		"2024-02-16 20:29:04.298 text\n",
		"Feb 16 20:29:04 host sshd[1]: text\n",
		"Version: 1\nStart: 2\n",
		"",
	} {
		if c := New().Sniff(logtest.Source("x", []byte(in))); c != logs.No {
			t.Errorf("%q: certainty %d", in, c)
		}
	}
}

func FuzzRemoteAccess(f *testing.F) {
	logtest.Fuzz(f, New, options, anydesk, teamviewer, "1\ta\t16-02-2024 14:16:32\t\n1  16-02-2024 14:16:32  x  y\n", "Incoming 2024-02-16, 20:29\nStart: (UTC)\nStart: (UTC+10:30)\n",
		"x 2024-02-16 20:29:04.298 a - Logged in from [::1]:5 on relay\n")
}
