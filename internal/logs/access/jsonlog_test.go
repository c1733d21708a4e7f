package access_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

const jsonLine = `{"timestamp":"2024-05-06T09:00:01+02:00","remote_addr":"203.0.113.9","remote_user":"-","body_bytes_sent":36,"request_time":0.003,"status":200,"request":"GET /a%20b?c=\"d\" HTTP/1.1","request_method":"GET","host":"www.example","http_referrer":"-","http_user_agent":"curl/7.47.0"}` + "\n"

func TestJSONLines(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		logtest.Golden(t, access.NewJSON(), in, want)
	}
	f(jsonLine, `2024-05-06T07:00:01Z web.access.json timestamp=2024-05-06T09:00:01+02:00 c-ip=203.0.113.9 cs-username=<null> sc-bytes=36 request_time=0.003 sc-status=200 request="GET /a%20b?c=\"d\" HTTP/1.1" cs-method=GET cs-host=www.example cs(Referer)=<null> cs(User-Agent)=curl/7.47.0 cs-uri="/a%20b?c=\"d\"" cs-uri-stem=/a%20b cs-uri-query="c=\"d\"" cs-version=HTTP/1.1`)
	f(`{"time_local":"06/May/2024:09:00:01 +0200","client_ip":"192.0.2.7","user":"ana","method":"POST","uri":"/wp-login.php?x","status":"302","agent":"a"}`,
		`2024-05-06T07:00:01Z web.access.json time_local="06/May/2024:09:00:01 +0200" c-ip=192.0.2.7 cs-username=ana cs-method=POST cs-uri=/wp-login.php?x sc-status=302 cs(User-Agent)=a cs-uri-stem=/wp-login.php cs-uri-query=x
		access ok account=ana ip=192.0.2.7 agent=a channel=web`)
	f(`{"ts":1714978801.5,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/","host":"www.example"},"status":200,"size":5}`,
		`2024-05-06T07:00:01.5Z web.access.json ts=1714978801.5 c-ip=192.0.2.7 cs-method=GET cs-uri=/ cs-host=www.example sc-status=200 sc-bytes=5 cs-uri-stem=/ cs-uri-query=<null>`)
}

// Many writers escape a slash, and all that is no ASCII.
func TestJSONEscapes(t *testing.T) {
	in := `{"timestamp":"2024-05-06T09:00:01Z","remote_addr":"203.0.113.9","remote_user":"\u00e9va@example.org","bytes_sent":36,"status":200,"request":"GET \/docs\/r\u00e9sum\u00e9.pdf?a=\/b HTTP\/1.1","host":"www.example","http_user_agent":"curl\/8"}` + "\n" +
		`{"timestamp":"2024-05-06T09:00:01Z","remote_addr":"203.0.113.9","method":"GET","bytes_sent":36,"status":"200","uri":"\/docs\/pl\u00e4n.dwg","host":"www.example"}` + "\n" +
		`{"timestamp":"2024-05-06T09:00:01Z","remote_addr":"203.0.113.9","method":"GET","bytes_sent":36,"uri":"/docs/report.pdf","host":"www.example"}` + "\n"
	out := logtest.Events(t, access.NewJSON(), "access.json", []byte(in))
	p := access.NewJSON().Parser()
	got := ""
	for i := range out.Events {
		obs := p.Observe(&out.Events[i], nil)
		for _, o := range obs {
			got += logtest.DumpObservation(o) + "\n"
		}
		if len(obs) == 0 {
			_, a := p.(logs.Answerer).Answer(&out.Events[i])
			got += fmt.Sprintf("%d %s\n", a.Kind, a.Name)
		}
	}
	const want = "access ok account=éva@example.org ip=203.0.113.9 agent=curl/8 channel=web action=GET inference=HTTP_BODY file=/docs/résumé.pdf in=www.example exposure=content bytes=36\n1 plän.dwg\n2 \n"
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestJSONSniff(t *testing.T) {
	f := func(head string, want logs.Certainty) {
		t.Helper()
		if got := access.NewJSON().Sniff(logtest.Source("x", []byte(head))); got != want {
			t.Errorf("%s: %d, want %d", head, got, want)
		}
	}
	f(jsonLine, logs.Likely)
	f(`{"remote_addr":"192.0.2.7","request":"GET /","status":200,"x":"cut o`, logs.Likely)
	f(`{"ts":1,"id.orig_h":"192.0.2.7","method":"GET","uri":"/","status_code":200}`, logs.No)
	f(`{"status":"up","ip":"192.0.2.7"}`, logs.No)
	f("192.0.2.7 - -", logs.No)
	f("", logs.No)
}

func TestJSONKeepsThePromises(t *testing.T) {
	o := logtest.Options{Header: func([]byte) bool { return false }}
	logtest.Check(t, access.NewJSON, append(bytes.Repeat([]byte(jsonLine), 5), "{\"remote_addr\":\n{}\n"...), o)
}

func FuzzJSON(f *testing.F) {
	logtest.Fuzz(f, access.NewJSON, logtest.Options{Header: func([]byte) bool { return true }}, jsonLine,
		`{"ts":1714978801.5,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/\u003f","host":"www.example"},"status":200,"size":5}`)
}

func BenchmarkJSON(b *testing.B) {
	data := bytes.Repeat([]byte(jsonLine), 1500)
	s := logtest.Source("x", data)
	format := access.NewJSON()
	block := logtest.Blocks(b, format, s, data, logs.MaxBlock, 0)[0]
	p, out := format.Parser(), new(event.Batch)
	b.SetBytes(int64(len(block.Data)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		p.Parse(block, out)
	}
}
