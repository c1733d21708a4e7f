package w3c_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/w3c"
)

const (
	software = "#Software: Microsoft Internet Information Services 10.0\r\n"
	fields   = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n"
)

func TestLinesFollowTheFieldsAboveThem(t *testing.T) {
	logtest.Golden(t, w3c.New(), software+`
#Fields: time cs-method cs-uri-stem sc-status
01:02:03 GET /a 200
#Date: 2024-05-06 00:00:00
01:02:03 GET /b 200
#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query cs(Cookie) sc-status
2024-05-07 01:02:03 192.0.2.7 GET /c x=1 - 404
2024-05-07 01:02:04 192.0.2.7 GET /c - "a=1; b=2" 200
`, `
- iis.w3c time=01:02:03 cs-method=GET cs-uri-stem=/a sc-status=200 cs-uri=/a
2024-05-06T01:02:03Z iis.w3c time=01:02:03 cs-method=GET cs-uri-stem=/b sc-status=200 cs-uri=/b
2024-05-07T01:02:03Z iis.w3c date=2024-05-07 time=01:02:03 c-ip=192.0.2.7 cs-method=GET cs-uri-stem=/c cs-uri-query=x=1 cs(Cookie)=<null> sc-status=404 cs-uri=/c?x=1
2024-05-07T01:02:04Z iis.w3c date=2024-05-07 time=01:02:04 c-ip=192.0.2.7 cs-method=GET cs-uri-stem=/c cs-uri-query=<null> cs(Cookie)="a=1; b=2" sc-status=200 cs-uri=/c
`)
}

func TestHTTPERR(t *testing.T) {
	const in = "#Software: Microsoft HTTP API 2.0\n#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason s-queuename\n2024-05-07 01:02:03 203.0.113.9 4711 192.0.2.1 443 HTTP/1.1 GET /x?y 400 - Hostname -\n"
	logtest.Golden(t, w3c.New(), in, `
2024-05-07T01:02:03Z iis.w3c date=2024-05-07 time=01:02:03 c-ip=203.0.113.9 c-port=4711 s-ip=192.0.2.1 s-port=443 cs-version=HTTP/1.1 cs-method=GET cs-uri=/x?y sc-status=400 s-siteid=<null> s-reason=Hostname s-queuename=<null>`)
	if c := w3c.New().Sniff(logtest.Source("x", []byte(in))); c != logs.Certain {
		t.Errorf("not recognised: %d", c)
	}
}

func TestLinesThatDoNotFit(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		logtest.Golden(t, w3c.New(), fields+line, want)
	}
	const start = "2024-05-07T01:02:03Z iis.w3c date=2024-05-07 time=01:02:03 s-ip=192.0.2.1 cs-method=POST cs-uri-stem=/x cs-uri-query=q s-port=443"
	// An empty value that is not written as "-".
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q 443  EXAMPLE\\ana 192.0.2.9 agent - 500 0 0 7",
		start+` cs-username="EXAMPLE\\ana" c-ip=192.0.2.9 cs(User-Agent)=agent cs(Referer)=<null> sc-status=500 sc-substatus=0 sc-win32-status=0 time-taken=7 cs-uri=/x?q`)
	// The default layout of IIS 7 under a #Fields line of IIS 10.
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q 443 - 192.0.2.9 agent 500 0 0 7",
		start+` cs-username=<null> c-ip=192.0.2.9 cs(User-Agent)=agent sc-status=500 sc-substatus=0 sc-win32-status=0 time-taken=7 cs-uri=/x?q`)
	// Two ends run together.
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q 443 - 192.0.2.9 agent - 500 0 0 64200 0 0 28",
		start+` cs-username=<null> c-ip=192.0.2.9 cs(User-Agent)=agent cs(Referer)=<null> sc-status=500 sc-substatus=0 sc-win32-status=0 cs-uri=/x?q
		defect line 2 offset 161 length 84: 18 values for 15 fields: only those that are certain were read`)
	// A blank inside the user agent.
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q 443 - 192.0.2.9 an agent - 500 0 0 6",
		start+` cs-username=<null> c-ip=192.0.2.9 sc-status=500 sc-substatus=0 sc-win32-status=0 cs-uri=/x?q
		defect line 2 offset 161 length 76: 16 values for 15 fields: only those that are certain were read`)
	// Cut off.
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q 44", strings.TrimSuffix(start, " s-port=443")+` cs-uri=/x?q
		defect line 2 offset 161 length 42: 7 values for 15 fields: only those that are certain were read`)
	f("2024-05-07 01:02:03 192.0.2.1 POST /x q", strings.TrimSuffix(start, " s-port=443")+` cs-uri=/x?q
		defect line 2 offset 161 length 39: 6 values for 15 fields: only those that are certain were read`)
	f("-----", "defect line 2 offset 161 length 5: the line is no record: its beginning is not what #Fields says")
	f("2024-05-47 01:02:03 192.0.2.1 POST /x q 443 - 192.0.2.9 agent - 500 0 0 6",
		"defect line 2 offset 161 length 73: the line is no record: its beginning is not what #Fields says")
}

func TestLinesWithoutFields(t *testing.T) {
	logtest.Golden(t, w3c.New(), "2024-05-07 01:02:03 192.0.2.1 GET / - 443 - 192.0.2.9 agent - 200 0 0 7\nnonsense\n",
		`2024-05-07T01:02:03Z iis.w3c date=2024-05-07 time=01:02:03 s-ip=192.0.2.1 cs-method=GET cs-uri-stem=/ cs-uri-query=<null> s-port=443 cs-username=<null> c-ip=192.0.2.9 cs(User-Agent)=agent cs(Referer)=<null> sc-status=200 sc-substatus=0 sc-win32-status=0 time-taken=7 cs-uri=/
		defect line 2 offset 72 length 8: no #Fields line above it, and not in a layout that IIS uses by default`)
}

// Where a column is missing that would tell what was handed out, it may have been anything.
func TestAnswersOfLogsWithoutColumns(t *testing.T) {
	for _, c := range []struct {
		columns, line string
		want          event.AnswerKind
	}{
		{"cs-method cs-uri-stem c-ip sc-status", "GET /a/plan.dwg 203.0.113.9 200", event.NamedAnswer},
		{"cs-method cs-uri-stem c-ip sc-status", "GET /a/7 203.0.113.9 404", event.NoAnswer},
		{"cs-method cs-uri-stem c-ip", "GET /a/report.pdf 203.0.113.9", event.OpaqueAnswer},
		{"cs-method cs-uri-stem c-ip", "GET /a/7 203.0.113.9", event.OpaqueAnswer},
		{"cs-uri-stem c-ip sc-status", "/a/report.pdf 203.0.113.9 200", event.OpaqueAnswer},
		{"cs-method c-ip sc-status", "GET 203.0.113.9 200", event.OpaqueAnswer},
		{"cs-method c-ip sc-status", "GET 203.0.113.9 403", event.NoAnswer},
		{"cs-method cs-uri-stem c-ip cs-username sc-status", "GET /a/7 203.0.113.9 ana 200", event.NoAnswer},
	} {
		out := logtest.Events(t, w3c.New(), "u_ex.log", []byte("#Software: Microsoft Internet Information Services 10.0\n#Fields: date time "+c.columns+"\n2024-05-06 09:00:01 "+c.line+"\n"))
		p := w3c.New().Parser()
		if obs := p.Observe(&out.Events[0], nil); len(obs) > 0 {
			if c.want != event.NoAnswer {
				t.Errorf("%s: %s", c.line, logtest.DumpObservation(obs[0]))
			}
			continue
		}
		if client, a := p.(logs.Answerer).Answer(&out.Events[0]); a.Kind != c.want || a.Kind != event.NoAnswer && string(client) != "203.0.113.9" {
			t.Errorf("%s of %s: %q %+v, want kind %d", c.line, c.columns, client, a, c.want)
		}
	}
}

func TestSniff(t *testing.T) {
	f := func(head string, want logs.Certainty) {
		t.Helper()
		if got := w3c.New().Sniff(logtest.Source("x", []byte(head))); got != want {
			t.Errorf("%q: %d, want %d", head, got, want)
		}
	}
	f("", logs.No)
	f("\xEF\xBB\xBF"+software, logs.Certain)
	f("#Version: 1.0\n"+fields, logs.Certain)
	f("#Software: Microsoft Exchange Server\n#Fields: date-time,client-ip\n", logs.No)
	f("2024-05-07 01:02:03 192.0.2.1 GET / - 443 - 192.0.2.9 agent - 200 0 0 7\n", logs.Likely)
	f("2024-05-07 01:02:03 something else altogether\n", logs.No)
}

func TestNotes(t *testing.T) {
	f := func(head, want string) {
		t.Helper()
		if got := strings.Join(w3c.New().Notes(logtest.Source("x", []byte(head))), ";"); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
	f(software+fields, "")
	f("\xEF\xBB\xBF"+fields, "")
	f("2024-05-07 01:02:03 192.0.2.1 GET / -\n", "lines without a #Fields line above them; read in the layout that IIS uses by default")
	f("#Fields: time cs-method\n", "lines without a date; dates are those of the #Date lines above them")
}

func TestNative(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		logtest.Golden(t, w3c.NewNative(), in, want)
	}
	const head = "2024-05-06T07:00:03Z iis.native c-ip=192.0.2.7 cs-username=ana date=5/6/2024 time=07:00:03 s-sitename=W3SVC1 s-computername=WEB1 s-ip=192.0.2.1 time-taken=2 cs-bytes=769 sc-bytes=143 sc-status=304 sc-win32-status=0 cs-method=GET cs-uri-stem=/a "
	f("192.0.2.7, ana, 5/6/2024, 7:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, b=c, d,", strings.Replace(head, "time=07", "time=7", 1)+`cs-uri-query="b=c, d" cs-uri="/a?b=c, d"
		access unknown account=ana ip=192.0.2.7 channel=web action=GET inference=HTTP_NOT_MODIFIED file=/a exposure=content before=2ms`)
	f("192.0.2.7, ana, 5/6/2024, 07:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, -,", head+`cs-uri-query=<null> cs-uri=/a
		access unknown account=ana ip=192.0.2.7 channel=web action=GET inference=HTTP_NOT_MODIFIED file=/a exposure=content before=2ms`)
	f("192.0.2.7, ana, 13/6/2024, 07:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, -,", "defect line 1 offset 0 length 94: not the fifteen values of IIS's own format")
	f("192.0.2.7, ana, 5/6/2024", "defect line 1 offset 0 length 24: not the fifteen values of IIS's own format")
	if c := w3c.NewNative().Sniff(logtest.Source("x", []byte("192.0.2.7, -, 5/6/2024, 07:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, -,\n"))); c != logs.Likely {
		t.Errorf("not recognised: %d", c)
	}
	logtest.Check(t, w3c.NewNative, []byte(strings.Repeat("192.0.2.7, -, 5/6/2024, 07:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, b=c,\r\n", 9)), logtest.Options{})
}

func FuzzNative(f *testing.F) {
	logtest.Fuzz(f, w3c.NewNative, logtest.Options{}, "192.0.2.7, -, 5/6/2024, 7:00:03, W3SVC1, WEB1, 192.0.2.1, 2, 769, 143, 304, 0, GET, /a, b=c,\r\n")
}

func TestRoles(t *testing.T) {
	out := logtest.Events(t, w3c.New(), "x", []byte(fields+"2024-05-07 01:02:03 192.0.2.1 GET / - 443 ana 192.0.2.9 agent - 200 0 0 7\n"))
	e := &out.Events[0]
	f := func(r event.Role, want string) {
		t.Helper()
		if got := e.Role(r).String(); got != want {
			t.Errorf("role %d: %q, want %q", r, got, want)
		}
	}
	f(event.Host, "192.0.2.1")
	f(event.Client, "192.0.2.9")
	f(event.Account, "ana")
	f(event.UserAgent, "agent")
	for _, alias := range []string{"cs-user-agent", "c-useragent", "cs-referer", "cs-uri"} {
		if e.Shape.Slot(alias) < 0 {
			t.Errorf("no field answers to %s", alias)
		}
	}
	if n := len(e.Shape.Slots("cs-uri-query")); n != 2 {
		t.Errorf("%d fields answer to cs-uri-query, want the query and the whole", n)
	}
}

const sample = software + "#Date: 2024-05-07 00:00:00\r\n" + fields +
	"2024-05-07 01:02:03 192.0.2.1 GET /owa/ &CorrelationID=<empty>;&cafeReqId=0;&encoding=; 443 EXAMPLE\\ana 192.0.2.9 Mozilla/5.0+(Windows+NT+10.0) https://mail.example/ 200 0 0 133\r\n" +
	"2024-05-07 01:02:04 192.0.2.1 POST /EWS/Exchange.asmx - 443 - 198.51.100.7 python - 401 1 1326 5\r\n" +
	"\r\n-----\r\n" +
	"#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status sc-bytes\r\n" +
	"2024-05-07 02:02:04 198.51.100.7 - GET / 200 7\r\n" +
	"2024-05-07 02:02:05 198.51.100.7 ana PROPFIND /dav 207 99\r\n"

func TestKeepsThePromises(t *testing.T) {
	logtest.Check(t, w3c.New, []byte("\xEF\xBB\xBF"+sample), logtest.Options{Allocs: 0.5}) // the odd line's reason
	logtest.Check(t, w3c.New, []byte(strings.ReplaceAll(sample, "\r\n-----", "")), logtest.Options{})
}

func FuzzW3C(f *testing.F) {
	logtest.Fuzz(f, w3c.New, logtest.Options{}, sample,
		fields+"2024-05-07 01:02:03 192.0.2.1 POST /x q 443  ana 192.0.2.9 \"an agent\" - 500 0 0 7\n",
		"2024-05-07 01:02:03 192.0.2.1 GET / - 443 -Agent - 200 0 0 64200 0 0 28\n",
		"#Fields:\n#Fields: time\n01:02:03\n#Date: 2024-05-06\n01:02:03\n")
}

func BenchmarkParse(b *testing.B) {
	line := "2024-05-07 01:02:03 192.0.2.1 GET /owa/service.svc action=GetItem&CorrelationID=<empty>;&cafeReqId=cde28fc4-299e-4179-b3e9-de56f5c1d9ee; 443 EXAMPLE\\ana 192.0.2.9 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/65.0.2345+Safari/537.36 https://mail.example/ 200 0 0 133\r\n"
	data := append([]byte(fields), bytes.Repeat([]byte(line), 1500)...)
	s := logtest.Source("x", data)
	format := w3c.New()
	block := logtest.Blocks(b, format, s, data, logs.MaxBlock, 0)[0]
	p, out := format.Parser(), new(event.Batch)
	run := func(observe bool) func(*testing.B) {
		return func(b *testing.B) {
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
		}
	}
	b.Run("parse", run(false))
	b.Run("observe", run(true))
}
