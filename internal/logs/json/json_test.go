package json_test

import (
	"archive/zip"
	stdjson "encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/json"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

func TestRecordIsFlattenedIntoDottedNames(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		var r json.Record
		n, why := r.Scan([]byte(in))
		if why != "" || n != len(in) {
			t.Errorf("%s: read %d of %d bytes: %s", in, n, len(in), why)
			return
		}
		var got []string
		for i, name := range r.Names() {
			v := r.Values[i]
			got = append(got, fmt.Sprintf("%s=%s(%d)", name, v, v.Kind))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", in, d)
		}
	}
	f(`{}`)
	f(`{"a":1}`, fmt.Sprintf("a=1(%d)", event.Number))
	f(`{ "a" : "x" , "b" : null }`, fmt.Sprintf("a=x(%d)", event.UTF8), fmt.Sprintf("b=(%d)", event.Null))
	f(`{"a":{"b":{"c":-1.5e3},"d":true},"e":[1,{"f":"]"}]}`,
		fmt.Sprintf("a.b.c=-1.5e3(%d)", event.Number), fmt.Sprintf("a.d=true(%d)", event.JSON), fmt.Sprintf(`e=1, {"f":"]"}(%d)`, event.JSON))
	f(`{"a":"x\"y\\","b\u0041":"é"}`, fmt.Sprintf(`a=x"y\(%d)`, event.Escape), fmt.Sprintf("bA=é(%d)", event.UTF8))
	f(`{"a":{},"b":[]}`, fmt.Sprintf("a={}(%d)", event.JSON), fmt.Sprintf("b=(%d)", event.JSON))
	f(`{"a":{"b":1},"a":2}`, fmt.Sprintf("a.b=1(%d)", event.Number), fmt.Sprintf("a=2(%d)", event.Number))
}

func TestDamagedRecordSaysWhy(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		var r json.Record
		if _, why := r.Scan([]byte(in)); why != want {
			t.Errorf("%s: %q, want %q", in, why, want)
		}
	}
	f(`[`, "not a JSON object")
	f(`{`, "object without an end")
	f(`{"a`, "string without an end")
	f(`{"a"`, "name without a value")
	f(`{"a":`, "name without a value")
	f(`{"a":1`, "object without an end")
	f(`{"a":1,}`, "no name where one is due")
	f(`{"a":1 "b":2}`, "no comma where one is due")
	f(`{"a":tru}`, "no JSON value where one is due")
	f(`{"a":[1,2}`, "object without an end")
	f("{\"a\":\"x\ny\"}", "line end in a string")
	f(`{`+strings.Repeat(`"a":1,`, json.MaxFields+1)+`"b":2}`, "more fields than are read")
}

func TestDeepObjectStaysOneValue(t *testing.T) {
	var r json.Record
	in := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	if n, why := r.Scan([]byte(in)); n != len(in) || why != "" {
		t.Fatal(n, why)
	}
	if len(r.Values) != 1 || r.Values[0].Kind != event.JSON {
		t.Fatalf("%d values", len(r.Values))
	}
}

func TestTimeIsReadAsLogsWriteIt(t *testing.T) {
	f := func(in string, want string) {
		t.Helper()
		got := "unknown"
		if ns := json.Time(event.JSONValue([]byte(in))); ns != event.UnknownTime {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	f(`"2021-03-23T15:45:38"`, "2021-03-23T15:45:38Z")
	f(`"2021-03-23 15:45:38"`, "2021-03-23T15:45:38Z")
	f(`"2021-08-02T13:11:39.7724491Z"`, "2021-08-02T13:11:39.7724491Z")
	f(`"2024-02-29T23:59:60+01:30"`, "2024-02-29T22:30:00Z")
	f(`"2024-02-29T00:00:00-0500"`, "2024-02-29T05:00:00Z")
	f(`1588205199.82437`, "2020-04-30T00:06:39.82437Z")
	f(`"1588205199"`, "2020-04-30T00:06:39Z")
	f(`1588205199824`, "2020-04-30T00:06:39.824Z")
	f(`1588205199824370`, "2020-04-30T00:06:39.82437Z")
	f(`1588205199824370001`, "2020-04-30T00:06:39.824370001Z")
	f(`"/Date(1661344992170)/"`, "2022-08-24T12:43:12.17Z")
	f(`"\/Date(1661344992170)\/"`, "2022-08-24T12:43:12.17Z")
	f(`42`, "unknown")
	f(`"soon"`, "unknown")
	f(`"2021-13-23T15:45:38"`, "unknown")
	f(`99999999999.5`, "unknown")
	f(`null`, "unknown")
}

func TestLayoutsOfRecordsReadTheSame(t *testing.T) {
	want := `
2024-05-01T10:00:00Z json.lines time=2024-05-01T10:00:00Z a=1
2024-05-01T10:00:01Z json.lines time=2024-05-01T10:00:01Z a=2
2024-05-01T10:00:02Z json.lines time=2024-05-01T10:00:02Z b.c={x}`
	r := [3]string{`{"time":"2024-05-01T10:00:00Z","a":1}`, `{"time":"2024-05-01T10:00:01Z","a":2}`, `{"time":"2024-05-01T10:00:02Z","b":{"c":"{x}"}}`}
	f := func(in string) {
		t.Helper()
		logtest.Golden(t, json.New(), in, want)
	}
	f(r[0] + "\n" + r[1] + "\n" + r[2])
	f("\xEF\xBB\xBF" + r[0] + "\r\n\r\n" + r[1] + "\r\n" + r[2] + "\r\n")
	f(r[0] + r[1] + " " + r[2])
	f("[" + r[0] + "," + r[1] + "," + r[2] + "]")
	f("[\n" + r[0] + ",\n" + r[1] + ",\n" + r[2] + "\n]\n")
	f(r[0] + ",\n" + r[1] + ",\n" + r[2] + "\n")
	f(`{"value":[` + strings.Join(r[:], ",") + `]}`)
	f(`{"@odata.context":"x","count":3,"Records": [ ` + strings.Join(r[:], " , ") + ` ],"nextLink":"https://example.org/?a={"}`)
	f(`{"value":[` + r[0] + `],"n":1}` + "\n" + `{"value":[` + r[1] + `,` + r[2] + `]}`)
	var indented []string
	for _, s := range r {
		var v any
		_ = stdjson.Unmarshal([]byte(s), &v)
		b, _ := stdjson.MarshalIndent(v, "    ", "    ")
		indented = append(indented, "    "+string(b))
	}
	all := strings.Join(indented, ",\n")
	all = strings.ReplaceAll(all, `"a": 1,`+"\n        "+`"time": "2024-05-01T10:00:00Z"`, `"time": "2024-05-01T10:00:00Z","a":1`)
	all = strings.ReplaceAll(all, `"a": 2,`+"\n        "+`"time": "2024-05-01T10:00:01Z"`, `"time": "2024-05-01T10:00:01Z","a":2`)
	all = strings.Replace(all, `"b": {`, `"time": "2024-05-01T10:00:02Z", "b": {`, 1)
	all = strings.Replace(all, `},`+"\n        "+`"time": "2024-05-01T10:00:02Z"`, `}`, 1)
	f("[\n" + all + "\n]\n")
}

func TestDamageCostsOneRecord(t *testing.T) {
	f := func(in string, defects int, want ...string) {
		t.Helper()
		out := logtest.Events(t, json.New(), "x.json", []byte(in))
		var got []string
		for i := range out.Events {
			got = append(got, string(out.Events[i].Raw))
		}
		if d := cmp.Diff(want, got); d != "" || len(out.Defects) != defects {
			t.Errorf("%s: %d defects, want %d; (-want +got)\n%s", in, len(out.Defects), defects, d)
		}
	}
	f("{\"a\":1}\n{\"a\":\n{\"a\":3}\n", 1, `{"a":1}`, `{"a":3}`)
	f("{\"a\n{\"a\":2}\n{\"a\":3}\n", 1, `{"a":2}`, `{"a":3}`)
	f("{\"a\":1} x\n{\"a\":3}\n", 1, `{"a":1}`, `{"a":3}`)
	f("[{\"a\":1},{\"a\":\"x\ny\"},{\"a\":3}]", 1, `{"a":1}`, `{"a":3}`)
	f(`[{"a":"1"},{"a":"2},{"a":"3"},{"a":"4"}]`, 1, `{"a":"1"}`, `{"a":"3"}`, `{"a":"4"}`)
	f("[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": {\n  },\n  {\n    \"a\": 3\n  }\n]", 1,
		"{\n    \"a\": 1\n  }", "{\n    \"a\": 3\n  }")
	f("[{\"a\":1},\nrubbish\n{\"a\":3}]", 1, `{"a":1}`, `{"a":3}`)
}

func TestZeekAndCloudTrailAreRecognised(t *testing.T) {
	f := func(path, in string, want event.LogSource, field string) {
		t.Helper()
		out := logtest.Events(t, json.New(), path, []byte(in))
		if len(out.Events) != 1 {
			t.Fatalf("%d events", len(out.Events))
		}
		s := out.Events[0].Shape
		if s.Sources[0] != want || s.Slot(field) < 0 {
			t.Errorf("%s %s: %v, field %s at %d", path, in, s.Sources, field, s.Slot(field))
		}
	}
	f("x.log", `{"_path":"dns","ts":1588205199.8,"uid":"C1","query":"example.org"}`, event.LogSource{Product: "zeek", Service: "dns"}, "query")
	f("x.log", `{"@stream":"http","ts":1588205199.8,"uid":"C1","uri":"/a","id_orig_h":"192.0.2.1"}`, event.LogSource{Product: "zeek", Service: "http"}, "c-uri")
	f("a.zip!b/day1_smb_files.log", `{"ts":1588205199.8,"uid":"C1","id_orig_h":"192.0.2.1"}`, event.LogSource{Product: "zeek", Service: "smb_files"}, "id.orig_h")
	f("x.log", `{"_path":"conn","ts":1588205199.8,"uid":"C1","id_orig_h":"192.0.2.1"}`, event.LogSource{Product: "zeek", Service: "conn"}, "src_ip")
	f("trail.json", `{"Records":[{"eventVersion":"1.08","eventTime":"2024-05-01T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1"}]}`,
		event.LogSource{Product: "aws", Service: "cloudtrail"}, "eventName")
}

var separators = regexp.MustCompile(`^(?:[\s,\[\]{}]|"(?:[^"\\\n]|\\.)*(?:"\s*(?::\s*(?:"(?:[^"\\\n]|\\.)*(?:"|$)|[-+.\w]*))?|$))*$`)

var options = logtest.Options{Path: "test.json", Gap: separators.Match}

const sample = `{"ts":1588205199.82437,"uid":"C1","host":"example.org","n":{"a":1,"b":[1,2,{"c":"d"}]},"s":"with \"escapes\" é"}
{"ts":1588205200,"uid":"C2","host":"example.org","n":{"a":1,"b":[1,2,{"c":"d"}]},"s":"x"}
{"ts":1588205201,"uid":"C3","host":null,"t":true}
{"broken":
{"ts":1588205202,"uid":"C4","host":"example.net"} {"ts":1588205203,"uid":"C5"}
rubbish
{"ts":1588205204,"uid":"C6"}
`

func TestJSONKeepsThePromisesOfFormats(t *testing.T) {
	t.Run("Lines", func(t *testing.T) { logtest.Check(t, json.New, []byte(sample), options) })
	array := "[\n  {\n    \"ts\": 1588205200,\n    \"n\": {\n      \"a\": [1, 2]\n    }\n  },\n  {\n    \"ts\": 1588205200,\n    \"n\": \"x\ny\"\n  },\n  {\n    \"ts\": 1588205201\n  },\n  {\n    \"ts\": 1588205202\n  }\n]\n"
	t.Run("Indented", func(t *testing.T) { logtest.Check(t, json.New, []byte(array), options) })
	compact := `[{"ts":1588205200,"a":"b"},{"ts":1588205200,"a":"b"},{"ts":1588205200,"a":"b},{"ts":1588205201,"a":"c"},{"ts":1588205202,"a":{"x":[]}}]`
	t.Run("Compact", func(t *testing.T) { logtest.Check(t, json.New, []byte(compact), options) })
	wrapped := `{"@odata.count":3,"value":[{"ts":1588205200,"a":"b"},{"ts":1588205200,"a":"b"},{"ts":1588205200}],"next":"https://example.org/"}
{"@odata.count":3,"value":[{"ts":1588205203,"a":"b"},{"ts":1588205204,"a":"b"}]}`
	t.Run("Wrapped", func(t *testing.T) { logtest.Check(t, json.New, []byte(wrapped), options) })
}

func FuzzJSON(f *testing.F) {
	logtest.Fuzz(f, json.New, options, sample, "[{\"a\":1},{\"b\":[}]", `{"value":[{"a":1},{"a":2}],"x":"y"}`,
		"[\n {\n  \"a\": 1\n },\n {\n  \"a\": \"\n }\n]", `{"a":{"b":{"c":1}}}{"a":2}`, "{}\n[]\n{", "[{\"a\":\"\\\n\"}]")
}

// FuzzScan holds the scanner against the standard library: what that takes for an object, the scanner must take too.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":{"c":[1,"x",null]},"d":"\u00e9\n"}`, `{"a":{"a":{}}}`, `{"a":-0.1e+5}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		var r json.Record
		n, why := r.Scan(p)
		if n < 0 || n > len(p) {
			t.Fatalf("length %d of %d", n, len(p))
		}
		if len(r.Names()) != len(r.Values) {
			t.Fatalf("%d names, %d values", len(r.Names()), len(r.Values))
		}
		if len(p) > 0 && p[0] == '{' && stdjson.Valid(p) && why != "" {
			t.Fatalf("valid JSON refused: %s", why)
		}
	})
}

func TestCacheIsBoundedAndGivesEqualShapes(t *testing.T) {
	built := 0
	c := json.NewCache(func(r *json.Record, also []byte) string { built++; return strings.Join(r.Names(), " ") + string(also) })
	a, b := c.Front(), c.Front()
	var r json.Record
	for round := range 2 {
		for i := range 20_000 {
			r.Scan(fmt.Appendf(nil, `{"a%d":{"b":1}}`, i))
			want := fmt.Sprintf("a%d.b!", i)
			if g := a.Get(&r, []byte("!")); g != want {
				t.Fatalf("%q, want %q", g, want)
			}
			if g := b.Get(&r, []byte("!")); g != want {
				t.Fatalf("%q, want %q", g, want)
			}
		}
		if built != (round+1)*20_000 {
			t.Fatalf("built %d times", built)
		}
	}
}

func TestZeekEvidenceIsReadWhole(t *testing.T) {
	z, err := zip.OpenReader(sharedtest.Path(t, "evidence", "windows-json", "otrf-apt29-zeek", "day1_SCRANTON-zeek_logs.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			continue
		}
		out := logtest.Events(t, json.New(), f.Name, data)
		if lines := strings.Count(string(data), "\n"); len(out.Events) != lines || len(out.Defects) != 0 {
			t.Errorf("%s: %d lines, %d events, defects %v", f.Name, lines, len(out.Events), out.Defects)
		}
		want := event.LogSource{Product: "zeek", Service: strings.TrimSuffix(path.Base(f.Name), ".log")}
		for i := range out.Events {
			if e := &out.Events[i]; e.Time == event.UnknownTime || e.Shape.Sources[0] != want {
				t.Fatalf("%s: %s %v", f.Name, logtest.Dump(e), e.Shape.Sources)
			}
		}
	}
}

func BenchmarkParseLines(b *testing.B) {
	line := `{"CreationTime":"2024-05-01T10:00:00","Id":"4831a108-d2bf-4ba9-86e6-e12540b86826","Operation":"MailItemsAccessed","OrganizationId":"0873ee4d-d342-44f2-8961-74c442a2fad2","RecordType":50,"ResultStatus":"Succeeded","UserKey":"100320012668D60F","UserType":0,"Version":1,"Workload":"Exchange","UserId":"ana@example.org","AppId":"f3f64fec-ecee-4e9a-9eed-a36a5e421300","ClientAppId":"f3f64fec-ecee-4e9a-9eed-a36a5e421300","ClientIPAddress":"2001:db8::69","ClientInfoString":"Client=REST;Client=RESTSystem;;","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"MailboxGuid":"96ab9c16-4d14-4711-8ee4-94cdd6434873","MailboxOwnerUPN":"ana@example.org","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"example.org","OriginatingServer":"AM5PR0402MB2804 (15.20.3977.024)\u000d\u000a","Folders":[{"FolderItems":[{"InternetMessageId":"<AM5PR0402MB28043E1B444ABC74D873DB9A92649@example.org>"}],"Id":"LgAAAADg6EHBetuFQ7LfotY140YtAQBApy3sz969T5S28xFPC+4OAAAAAAEJAAAB","Path":"\\Sent Items"}],"OperationCount":1}` + "\n"
	benchmark(b, []byte(strings.Repeat(line, 400)))

}

func BenchmarkParseArray(b *testing.B) {
	benchmark(b, []byte("["+strings.Repeat(`{"ts":1588205199.82437,"uid":"Cw1Hz43UWS4qXFei8f","id_orig_h":"10.0.1.4","id_orig_p":64842,"id_resp_h":"10.0.0.4","id_resp_p":53,"proto":"udp","service":"dns","duration":0.0015780925750732422,"orig_bytes":39,"resp_bytes":55,"conn_state":"SF"},`, 2000)+"{}]"))
}

func benchmark(b *testing.B, data []byte) {
	f := json.New()
	s := logtest.Source("x.json", data)
	blocks := logtest.Blocks(b, f, s, data, logs.MaxBlock, 0)
	p := f.Parser()
	out := new(event.Batch)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	cpu := cpuTime()
	for b.Loop() {
		out.Reset()
		for _, bl := range blocks {
			p.Parse(bl, out)
		}
	}
	b.ReportMetric(float64(len(data))*float64(b.N)/1e6/(cpuTime()-cpu).Seconds(), "MB/cpu-s")
}

// cpuTime is the time that the process has computed: on a busy machine it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
