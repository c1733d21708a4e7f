package access_test

import (
	"bytes"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

const (
	at   = " [06/May/2024:09:00:01 +0200] "
	when = "2024-05-06T07:00:01Z web.access "
	get  = `cs-method=GET cs-uri=/ cs-uri-stem=/ cs-uri-query=<null> cs-version=HTTP/1.1 `
)

func TestAccessLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		logtest.Golden(t, access.New(), line, want)
	}
	// Common and combined.
	f(`192.0.2.7 - -`+at+`"GET /a?b=c HTTP/1.0" 404 -`,
		when+`c-ip=192.0.2.7 cs-username=<null> cs-method=GET cs-uri=/a?b=c cs-uri-stem=/a cs-uri-query=b=c cs-version=HTTP/1.0 sc-status=404 sc-bytes=<null>`)
	f(`2001:db8::7 - ana`+at+`"GET / HTTP/1.1" 200 5 "https://www.example/" "Agent \"of\" \x22old\x22"`,
		when+`c-ip=2001:db8::7 cs-username=ana `+get+`sc-status=200 sc-bytes=5 cs(Referer)=https://www.example/ cs(User-Agent)="Agent \\\"of\\\" \\x22old\\x22"
		access ok account=ana ip=2001:db8::7 agent="Agent \\\"of\\\" \\x22old\\x22" channel=web action=GET inference=FILE_LISTED folder=/ exposure=metadata bytes=5`)
	f(`host.example - john doe`+at+`"GET / HTTP/1.1" 401 5 "-" "a"`,
		when+`c-ip=host.example cs-username="john doe" `+get+`sc-status=401 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=a
		login failed account="john doe" ip=host.example channel=web`)
	// Virtual hosts.
	f(`www.example:443 192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5 "-" "-" GoAway=- TLSv1.3`,
		when+`cs-host=www.example c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=<null> extra="GoAway=- TLSv1.3"`)
	f(` www.example client.example - -`+at+`"GET / HTTP/1.1" 200 5`,
		when+`cs-host=www.example c-ip=client.example cs-username=<null> `+get+`sc-status=200 sc-bytes=5`)
	// What servers add.
	f(`192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5 "-" "a" "198.51.100.1, 198.51.100.2" "0.010"`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=a extra="\"198.51.100.1, 198.51.100.2\" \"0.010\""`)
	f(`192.0.2.7 - -`+at+`"-" "GET / HTTP/1.1" 200 5 0 "-" "a"`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=a extra=0`)
	f(`"192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5 "-" "a""`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=a`)
	// Requests that are none.
	f(`192.0.2.7 - -`+at+`"-" 408 - "-" "-"`,
		when+`c-ip=192.0.2.7 cs-username=<null> sc-status=408 sc-bytes=<null> cs(Referer)=<null> cs(User-Agent)=<null> request=<null>`)
	f(`192.0.2.7 - -`+at+`"" 400 0`, when+`c-ip=192.0.2.7 cs-username=<null> sc-status=400 sc-bytes=0 request=<null>`)
	f(`192.0.2.7 - -`+at+`"\x16\x03\x01\x01 \x02" 400 226 "-" "-"`,
		when+`c-ip=192.0.2.7 cs-username=<null> sc-status=400 sc-bytes=226 cs(Referer)=<null> cs(User-Agent)=<null> request="\\x16\\x03\\x01\\x01 \\x02"`)
	f(`192.0.2.7 - -`+at+`"GET /a b" c HTTP/1.1" 400 226`,
		when+`c-ip=192.0.2.7 cs-username=<null> cs-method=GET cs-uri="/a b\" c" cs-uri-stem="/a b\" c" cs-uri-query=<null> cs-version=HTTP/1.1 sc-status=400 sc-bytes=226`)
	f(`www.example 192.0.2.7 - 95386da81aa1 -`+at+`"GET / HTTP/1.1" 200 5`,
		when+`cs-host=www.example c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5`)
	// Carried by something else.
	f(`May  6 09:00:01 web1 nginx[2869]: 192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5`)
	f(`2024-05-06T07:00:01.5Z stdout F 192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5`)
	// A user name that would be an address.
	f(`192.0.2.7 - x: 198.51.100.1 -`+at+`"GET / HTTP/1.1" 401 5`,
		when+`c-ip=192.0.2.7 cs-username="x: 198.51.100.1 -" `+get+`sc-status=401 sc-bytes=5
		login failed account="x: 198.51.100.1 -" ip=192.0.2.7 channel=web`)
	// Damage.
	f(`192.0.2.7 - -`+at+`"GET /abc`,
		when+`c-ip=192.0.2.7 cs-username=<null> cs-method=GET cs-uri=/abc cs-uri-stem=/abc cs-uri-query=<null>
		defect line 1 offset 0 length 52: the request does not end`)
	f(`192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5 "-" "Mozi`,
		when+`c-ip=192.0.2.7 cs-username=<null> `+get+`sc-status=200 sc-bytes=5 cs(Referer)=<null> cs(User-Agent)=Mozi
		defect line 1 offset 0 length 75: a quoted value that does not end`)
	f(`192.0.2.7 - - [06/Mai/2024:09:00:01 +0200] "GET / HTTP/1.1" 200 5`,
		`defect line 1 offset 0 length 65: no line of an access or error log: no time in brackets`)
	f(`nonsense`, `defect line 1 offset 0 length 8: no line of an access or error log: no time in brackets`)
}

func TestErrorLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		logtest.Golden(t, access.New(), line, want)
	}
	f(`[Sun Jan 30 04:33:18 2005] [error] [client 192.0.2.7] File does not exist: /srv/x`,
		`2005-01-30T04:33:18Z web.error level=error c-ip=192.0.2.7 message="File does not exist: /srv/x"`)
	f(`[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 357:tid 43] [client 192.0.2.7:53375] AH1: no, referer: http://www.example/`,
		`2011-09-09T10:42:29.902022Z web.error level=error module=core pid=357 c-ip=192.0.2.7:53375 cs(Referer)=http://www.example/ message="AH1: no, referer: http://www.example/"`)
	f(`[Fri Sep 09 10:42:29 2011] [error] [client 192.0.2.7] user ana: authentication failure for "/": Password Mismatch`,
		`2011-09-09T10:42:29Z web.error level=error c-ip=192.0.2.7 cs-username=ana message="user ana: authentication failure for \"/\": Password Mismatch"
		login failed account=ana ip=192.0.2.7 channel=web`)
	f(`[Fri Sep 09 10:42:29 2011] [auth_basic:error] [pid 1] [client [2001:db8::7]:5] AH01618: user ana not found: /`,
		`2011-09-09T10:42:29Z web.error level=error module=auth_basic pid=1 c-ip=[2001:db8::7]:5 cs-username=ana message="AH01618: user ana not found: /"
		login failed account=ana ip=2001:db8::7 channel=web`)
	// What a client sent must not speak for another.
	f(`[Fri Sep 09 10:42:29 2011] [error] [client 192.0.2.7] File does not exist: /srv/[client 198.51.100.1] user root not found`,
		`2011-09-09T10:42:29Z web.error level=error c-ip=192.0.2.7 message="File does not exist: /srv/[client 198.51.100.1] user root not found"`)
	f(`2024/05/06 07:00:01 [error] 28#0: *3 user "ana": password mismatch, client: 192.0.2.7, server: , request: "GET /a?b HTTP/1.1", host: "www.example"`,
		`2024-05-06T07:00:01Z web.error level=error pid=28 c-ip=192.0.2.7 cs-username=ana cs-host=www.example server=<null> cs-method=GET cs-uri=/a?b cs-uri-stem=/a cs-uri-query=b message="user \"ana\": password mismatch, client: 192.0.2.7, server: , request: \"GET /a?b HTTP/1.1\", host: \"www.example\""
		login failed account=ana ip=192.0.2.7 channel=web`)
	f(`2024/05/06 07:00:01 [info] 8#8: *15 client login failed: "no" while in http auth state, client: 192.0.2.7, server: 0.0.0.0:143, login: "ana@example.com"`,
		`2024-05-06T07:00:01Z web.error level=info pid=8 c-ip=192.0.2.7 cs-username=ana@example.com server=0.0.0.0:143 message="client login failed: \"no\" while in http auth state, client: 192.0.2.7, server: 0.0.0.0:143, login: \"ana@example.com\""
		login failed account=ana@example.com ip=192.0.2.7 channel=imap`)
	f(`2024/05/06 07:00:01 [192.0.2.7:5] something else`, `defect line 1 offset 0 length 48: no line of an access or error log: no time in brackets`)
	f(`2024/05/06 07:00:01 [notice] 1#1: start`, `2024-05-06T07:00:01Z web.error level=notice pid=1 message=start`)
}

func TestSourcesGoByThePath(t *testing.T) {
	f := func(path string, want event.LogSource) {
		t.Helper()
		out := logtest.Events(t, access.New(), path, []byte("192.0.2.7 - -"+at+"\"GET / HTTP/1.1\" 200 5\n"))
		if got := out.Events[0].Shape.Sources[0]; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	f("var/log/nginx/access.log", event.LogSource{Category: "webserver", Product: "nginx", Service: "nginx"})
	f("var/log/apache2/access.log", event.LogSource{Category: "webserver", Product: "apache", Service: "apache"})
	f("access.log", event.LogSource{Category: "webserver"})
}

func TestErrorLogHasNoZone(t *testing.T) {
	f := func(in string, want bool) {
		t.Helper()
		if got := access.New().Zoneless(logtest.Source("x", []byte(in))); got != want {
			t.Errorf("%s: zoneless %v, want %v", in, got, want)
		}
	}
	f("[Sun Jan 30 04:33:18 2005] [notice] Digest: done\n", true)
	f("192.0.2.7 - -"+at+"\"GET / HTTP/1.1\" 200 5\n", false)
}

const combined = `203.0.113.9 - - [06/May/2024:09:00:01 +0200] "GET /blog/geekery/ssl-latency.html?utm_source=feed HTTP/1.1" 200 17147 "https://www.example/blog/" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"` + "\n"

const sample = combined + "\r\n" +
	`www.example:443 2001:db8::7 - ana [06/May/2024:09:00:02 +0200] "POST /wp-login.php HTTP/1.1" 302 - "-" "-" 0.1` + "\r\n" +
	`[Sun Jan 30 04:33:18 2005] [error] [client 192.0.2.7] File does not exist` + "\n" +
	`2024/05/06 07:00:01 [error] 28#0: *3 open() failed, client: 192.0.2.7, request: "GET /a?b HTTP/1.1", host: "www.example"` + "\n" +
	"not a line\n" +
	`192.0.2.7 - - [06/May/2024:09:00:03 +0200] "POST /xmlrpc.php HTTP/1.1" 200 5`

func TestKeepsThePromises(t *testing.T) {
	o := logtest.Options{Header: func(line []byte) bool { return line[0] == '#' }}
	logtest.Check(t, access.New, []byte("\xEF\xBB\xBF"+sample), o)
	logtest.Check(t, access.New, bytes.Repeat([]byte(combined), 40), o)
}

func FuzzAccess(f *testing.F) {
	logtest.Fuzz(f, access.New, logtest.Options{Header: func(line []byte) bool { return line[0] == '#' }}, sample,
		`192.0.2.7 - -`+at+`"-" "GET / HTTP/1.1" 200 5 0 "-" "a"`, `"192.0.2.7 - -`+at+`"GET / HTTP/1.1" 200 5 "-" "a\""`,
		`[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 357:tid 43] [client 192.0.2.7:53375] [client 192.0.2.7] ModSecurity: x [id "1"]`,
		`192.0.2.7 - - [2024-05-06T09:00:01+02:00] "GET / HTTP/1.1" 200 5`)
}

func BenchmarkParse(b *testing.B) {
	data := bytes.Repeat([]byte(combined), 2000)
	run := func(name string, observe bool) {
		b.Run(name, func(b *testing.B) {
			block := &logs.Block{Source: logtest.Source("x", data), Data: data, Line: 1, First: true}
			p, out := access.New().Parser(), new(event.Batch)
			var obs []logs.Observation
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				p.Parse(block, out)
				if observe {
					for i := range out.Events {
						obs = p.Observe(&out.Events[i], obs[:0])
					}
				}
			}
		})
	}
	run("parse", false)
	run("observe", true)
}
