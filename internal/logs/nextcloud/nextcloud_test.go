package nextcloud_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/nextcloud"
)

// line returns a line of a log.
func line(app, user, ip, method, url, message string) string {
	return fmt.Sprintf(`{"reqId":"r1","level":1,"time":"2026-03-03T06:49:42+00:00","remoteAddr":%q,"user":%q,"app":%q,"method":%q,"url":%q,"message":%q,"userAgent":"curl\/8","version":"31.0.4.1","data":{"app":%q}}`+"\n",
		ip, user, app, method, url, message, app)
}

var sample = line("admin_audit", "ana", "203.0.113.9", "GET", "/remote.php/dav/files/ana/a.pdf", `File with id "77" accessed: "/a.pdf"`) +
	line("admin_audit", "--", "203.0.113.9", "POST", "/login", `Login failed: "ana"`) +
	`{"reqId":"r2","level":2,"time":"April 13, 2021 16:55:37","remoteAddr":"203.0.113.9","user":"--","app":"core","method":"POST","url":"\/login","message":"Login failed: ana (Remote IP: 203.0.113.9)","userAgent":"x","version":"21.0.1.1"}` + "\n" +
	line("files", "ana", "203.0.113.9", "GET", "/", "something else")

func TestLines(t *testing.T) {
	logtest.Golden(t, nextcloud.New(), sample, `
2026-03-03T06:49:42Z nextcloud.audit reqId=r1 level=1 time=2026-03-03T06:49:42+00:00 remoteAddr=203.0.113.9 user=ana app=admin_audit method=GET url=/remote.php/dav/files/ana/a.pdf message="File with id \"77\" accessed: \"/a.pdf\"" userAgent=curl/8 version=31.0.4.1 data.app=admin_audit
access ok account=ana ip=203.0.113.9 agent=curl/8 channel=nextcloud inference=FILE_OPENED file=/a.pdf in=ana folder=77 exposure=content
2026-03-03T06:49:42Z nextcloud.audit reqId=r1 level=1 time=2026-03-03T06:49:42+00:00 remoteAddr=203.0.113.9 user=-- app=admin_audit method=POST url=/login message="Login failed: \"ana\"" userAgent=curl/8 version=31.0.4.1 data.app=admin_audit
login failed account=ana ip=203.0.113.9 agent=curl/8 channel=nextcloud
2021-04-13T16:55:37Z nextcloud.log reqId=r2 level=2 time="April 13, 2021 16:55:37" remoteAddr=203.0.113.9 user=-- app=core method=POST url=/login message="Login failed: ana (Remote IP: 203.0.113.9)" userAgent=x version=21.0.1.1
login failed account=ana ip=203.0.113.9 agent=x channel=nextcloud
2026-03-03T06:49:42Z nextcloud.log reqId=r1 level=1 time=2026-03-03T06:49:42+00:00 remoteAddr=203.0.113.9 user=ana app=files method=GET url=/ message="something else" userAgent=curl/8 version=31.0.4.1 data.app=files`)
}

func TestObserve(t *testing.T) {
	f := func(user, method, url, message, want string) {
		t.Helper()
		format := nextcloud.New()
		in := line("admin_audit", user, "203.0.113.9", method, url, message)
		var got []string
		for _, o := range logtest.Observations(format, &logtest.Events(t, format, "audit.log", []byte(in)).Events[0]) {
			o.IP, o.Agent = nil, nil
			got = append(got, strings.Replace(logtest.DumpObservation(o), " channel=nextcloud", "", 1))
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%s:\n got %s\nwant %s", message, g, want)
		}
	}
	const dav = "/remote.php/dav/files/ana/a.pdf"
	f("ana", "GET", dav, `File with id "77" accessed: "/a "b".pdf"`, `access ok account=ana inference=FILE_OPENED file="/a \"b\".pdf" in=ana folder=77 exposure=content`)
	f("ana", "GET", dav, `File accessed: "/a.pdf"`, `access ok account=ana inference=FILE_OPENED file=/a.pdf in=ana exposure=content`)
	f("ana", "GET", dav, `File with id "77" accessed: "/ana/files/a.pdf"`, `access ok account=ana inference=FILE_OPENED file=/ana/files/a.pdf in=ana folder=77 exposure=content`) // a folder called ana
	// What opens a file without showing all of it.
	f("ana", "GET", "/index.php/core/preview?fileId=77", `File with id "77" accessed: "/a.pdf"`, `access ok account=ana inference=FILE_PREVIEWED file=/a.pdf in=ana folder=77 exposure=partial`)
	f("ana", "PUT", dav, `File with id "77" accessed: "/a.pdf"`, `access ok account=ana inference=FILE_TOUCHED file=/a.pdf in=ana folder=77 exposure=metadata`)
	f("ana", "GET", "/x", `Preview accessed: (id: "77", width: "256", height: "256" crop: "1", mode: "fill", path: "/ana/files/a.png")`, `access ok account=ana inference=FILE_PREVIEWED file=/a.png in=ana exposure=partial`)
	f("--", "GET", "/x", `Preview accessed: (id: "77", width: "256", height: "256" crop: "1", mode: "fill", path: "/ana/files/a.png")`, `access ok inference=FILE_PREVIEWED file=/a.png in=ana exposure=partial`)
	f("ana", "GET", "/x", `Preview accessed: "/a.png" (width: "256", height: "256" crop: "", mode: "fill")`, `access ok account=ana inference=FILE_PREVIEWED file=/a.png in=ana exposure=partial`)
	// Changes.
	f("ana", "PUT", dav, `File with id "77" written to: "/a.pdf"`, `access ok account=ana action=written inference=FILE_TOUCHED file=/a.pdf in=ana folder=77 exposure=metadata`)
	f("ana", "DELETE", dav, `File with id "77" deleted: "/a.pdf"`, `access ok account=ana action=deleted inference=FILE_TOUCHED file=/a.pdf in=ana folder=77 exposure=metadata`)
	f("ana", "MOVE", dav, `File renamed with id "77" from "/a.pdf" to "/b.pdf"`, `access ok account=ana inference=FILE_TOUCHED file=/a.pdf in=ana exposure=metadata target=/b.pdf`)
	f("ana", "COPY", dav, `File id copied from: "77" to "78", path from "/a.pdf" to "/b.pdf"`, `access ok account=ana inference=FILE_TOUCHED file=/a.pdf in=ana exposure=metadata target=/b.pdf`)
	// Shares.
	f("ana", "POST", "/ocs", `The file "/ana/files/a.pdf" with ID "77" has been shared via link with permissions "17" (Share ID: 5)`, `capability ok account=ana inference=LINK_MADE power=delegation file=/a.pdf in=ana target=anybody`)
	f("ana", "POST", "/ocs", `The folder "/Board" with ID "70" has been shared to the user "eve" with permissions "31"  (Share ID: 6)`, `capability ok account=ana inference=DELEGATION_GIVEN power=delegation file=/Board in=ana target=eve`)
	f("ana", "DELETE", "/ocs", `The folder "/Board" with ID "70" has been unshared from the user "eve" (Share ID: 6)`, `containment ok account=ana inference=POWER_REMOVED power=delegation file=/Board in=ana target=eve`)
	f("--", "GET", "/s/abc", `The shared file with the token "abc" by "ana" has been accessed.`, `access ok inference=LINK_USED file=abc in=ana exposure=metadata`)
	// Accounts.
	f("--", "POST", "/login", `Login attempt: "ana"`, ``)
	f("ana", "POST", "/login", `Login successful: "ana"`, `login ok account=ana inference=SIGNED_IN`)
	f("ana", "POST", "/login", `Failed two factor attempt by user ana (Ana) with provider TOTP`, `login failed account=ana action="two factor"`)
	f("admin", "PUT", "/ocs", `Password of user "ana" has been changed`, `containment ok account=admin inference=PASSWORD_CHANGED power=password target=ana`)
	f("admin", "PUT", "/ocs", `User disabled: "ana"`, `containment ok account=admin inference=ACCOUNT_DISABLED power=password target=ana`)
	f("admin", "POST", "/x", `App "admin_audit" disabled`, `gap ok account=admin inference=disabled`)
	f("admin", "POST", "/x", `App "files" disabled`, ``)
	f("ana", "GET", "/", `File with id "77`, ``)
	f("ana", "GET", "/", `The file "`, ``)
}

func TestTheMainLogTellsOfFailedLogins(t *testing.T) {
	f := func(message, want string) {
		t.Helper()
		format := nextcloud.New()
		got := ""
		for _, o := range logtest.Observations(format, &logtest.Events(t, format, "nextcloud.log", []byte(line("core", "--", "203.0.113.9", "POST", "/login", message))).Events[0]) {
			got += logtest.DumpObservation(o)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", message, got, want)
		}
	}
	f("Login failed: 'ana' (Remote IP: '203.0.113.9')", "login failed account=ana ip=203.0.113.9 agent=curl/8 channel=nextcloud")
	f("Login failed: a (Remote IP: x) (Remote IP: 203.0.113.9)", `login failed account="a (Remote IP: x)" ip=203.0.113.9 agent=curl/8 channel=nextcloud`)
	f(`Bruteforce attempt from "203.0.113.9" detected for action "login".`, "")
	f(`File with id "77" accessed: "/a.pdf"`, "")
}

func TestSniff(t *testing.T) {
	f := func(in string, want logs.Certainty) {
		t.Helper()
		if c := nextcloud.New().Sniff(logtest.Source("x", []byte(in))); c != want {
			t.Errorf("%s: certainty %d, want %d", in, c, want)
		}
	}
	f(sample, logs.Likely)
	f(`{"reqId":"1","message":"x"}`, logs.No)
	f("text", logs.No)
}

func TestOldTimesHaveNoZone(t *testing.T) {
	f := func(time string, want bool) {
		t.Helper()
		in := `{"reqId":"1","level":2,"time":"` + time + `","remoteAddr":"203.0.113.9","user":"--","app":"core","message":"x"}` + "\n"
		if got := nextcloud.New().Zoneless(logtest.Source("nextcloud.log", []byte(in))); got != want {
			t.Errorf("%s: zoneless %v, want %v", time, got, want)
		}
	}
	f("April 13, 2021 16:55:37", true)
	f("2021-04-13T16:55:37+00:00", false)
	f("yesterday", false)
}

func TestNextcloudKeepsThePromisesOfFormats(t *testing.T) {
	logtest.Check(t, nextcloud.New, []byte(sample), logtest.Options{Path: "audit.log"})
}

func FuzzNextcloud(f *testing.F) {
	logtest.Fuzz(f, nextcloud.New, logtest.Options{Path: "audit.log", Gap: func([]byte) bool { return true }}, sample)
}
