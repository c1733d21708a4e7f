package m365_test

import (
	"bytes"
	"compress/gzip"
	stdjson "encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/logs/m365"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// record is a record of the unified audit log, and what a golden line says of it.
const (
	ruleRecord = `{"CreationTime":"2024-05-01T10:00:00","Id":"4831a108-d2bf-4ba9-86e6-e12540b86826","Operation":"New-InboxRule","RecordType":1,"ResultStatus":"True","Workload":"Exchange","ClientIP":"198.51.100.7:62589","UserId":"ana@example.org","Parameters":[{"Name":"Name","Value":"."},{"Name":"ForwardTo","Value":"x@example.net"}],"ObjectId":"example.org\\ana\\."}`
	ruleDump   = `2024-05-01T10:00:00Z m365.ual CreationTime=2024-05-01T10:00:00 Id=4831a108-d2bf-4ba9-86e6-e12540b86826 RecordType=1 ResultStatus=True ClientIP=198.51.100.7:62589 UserId=ana@example.org Parameters="{\"Name\":\"Name\",\"Value\":\".\"}, {\"Name\":\"ForwardTo\",\"Value\":\"x@example.net\"}" ObjectId="example.org\\ana\\."%s Parameters.Name=. Parameters.ForwardTo=x@example.net Operation=New-InboxRule Workload=Exchange status=success
capability ok account=ana@example.org ip=198.51.100.7 channel=m365 action=New-InboxRule inference=RULE_MADE power=rule rule=. in="example.org\\ana" target=x@example.net`
)

func TestEveryExportGivesTheSameRecord(t *testing.T) {
	plain := fmt.Sprintf(ruleDump, "")
	quoted, _ := stdjson.Marshal(ruleRecord)
	doubled := `"` + strings.ReplaceAll(ruleRecord, `"`, `""`) + `"`
	f := func(in, want string) {
		t.Helper()
		logtest.Golden(t, m365.NewUAL(), in, want)
	}
	f(ruleRecord+"\n", plain)
	f("["+ruleRecord+"]", plain)
	f(`{"Operations":"New-InboxRule","AuditData":`+string(quoted)+"}\n", plain)
	f(`{"Operations":"New-InboxRule","AuditData":`+ruleRecord+`,"Identity":"x"}`, plain)
	f("CreationDate,UserIds,Operations,AuditData\r\n5/1/2024 10:00:00 AM,ana@example.org,New-InboxRule,"+doubled+"\r\n", plain)
	f("\"AuditData\";\"Operations\"\n"+doubled+";\"New-InboxRule\"\n", plain)
	f("#TYPE Selected.System\n\"x\",\"AuditData\"\n\"two\nlines, \"\"quoted\"\"\","+doubled, plain)
	where := strings.Index(plain, " Parameters.Name")
	f("ResultIndex,ResultCount,AuditData\n2,3,"+doubled+"\n", plain[:where]+" ResultIndex=2 ResultCount=3"+plain[where:])
	f(`{"ResultIndex":2,"ResultCount":3,"AuditData":`+string(quoted)+"}\n", plain[:where]+" ResultIndex=2 ResultCount=3"+plain[where:])
}

func TestExchangeOnlineItselfGivesNobodyPowers(t *testing.T) {
	in := `{"CreationTime":"2024-05-01T10:00:00","UserId":"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)","Operation":"Add-MailboxPermission","Workload":"Exchange"}`
	out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(in))
	if o := logtest.Observations(m365.NewUAL(), &out.Events[0]); len(o) != 0 {
		t.Errorf("observed %v", o)
	}
}

func TestNamesOfRulesAreFound(t *testing.T) {
	f := func(in, name, want string, source event.LogSource) {
		t.Helper()
		out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(in))
		e := &out.Events[0]
		slot := e.Shape.Slot(name)
		if slot < 0 || e.Value(slot).String() != want {
			t.Errorf("%s of %s is not %q: %s", name, in, want, logtest.Dump(e))
		}
		for _, s := range e.Shape.Sources {
			if s == source {
				return
			}
		}
		t.Errorf("%s: sources %v, want %v among them", in, e.Shape.Sources, source)
	}
	alert := `{"Operation":"AlertTriggered","Workload":"SecurityComplianceCenter","ResultStatus":"Succeeded","Name":"Impossible travel activity"}`
	f(strings.Replace(alert, `,"Name":"Impossible travel activity"`, "", 1), "eventName", "AlertTriggered", event.LogSource{Product: "m365", Service: "threat_detection"})
	f(alert, "eventSource", "SecurityComplianceCenter", event.LogSource{Product: "m365", Service: "threat_management"})
	f(alert, "status", "success", event.LogSource{Product: "m365", Service: "audit"})
	f(ruleRecord, "ForwardTo", "x@example.net", event.LogSource{Product: "m365", Service: "exchange"})
	f(`{"Operation":"UserLoginFailed","Workload":"AzureActiveDirectory","ErrorNumber":"50053"}`, "ResultType", "50053", event.LogSource{Product: "azure", Service: "signinlogs"})
	f(`{"Operation":"Add service principal.","Workload":"AzureActiveDirectory"}`, "operationName", "Add service principal", event.LogSource{Product: "azure", Service: "auditlogs"})
	f(`{"Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","ExtendedProperties":[{"Name":"RequestType","Value":"Cmsi:Cmsi"}]}`, "RequestType", "Cmsi:Cmsi", event.LogSource{Product: "m365", Service: "audit"})
	f(`{"Operation":"Consent to application.","Workload":"AzureActiveDirectory","ModifiedProperties":[{"Name":"ConsentContext.IsAdminConsent","NewValue":"True","OldValue":""}]}`,
		"ConsentContext.IsAdminConsent", "True", event.LogSource{Product: "azure", Service: "auditlogs"})
}

func TestIdentifierIsThatOfTheRecord(t *testing.T) {
	id := func(v string) ([16]byte, bool) {
		out := logtest.Events(t, m365.NewUAL(), "x.json", []byte(`{"Operation":"x","Workload":"y","Id":`+v+"}"))
		return m365.ID(&out.Events[0])
	}
	a, ok := id(`"4831a108-d2bf-4ba9-86e6-e12540b86826"`)
	b, _ := id(`"4831A108-D2BF-4BA9-86E6-E12540B86826"`)
	if !ok || a != b || a[0] != 0x48 || a[15] != 0x26 {
		t.Errorf("%x %x", a, b)
	}
	c, ok := id(`"abc-def-123"`)
	d, _ := id(`"abc-def-124"`)
	if !ok || c == d {
		t.Errorf("%x %x", c, d)
	}
	if _, ok := id("null"); ok {
		t.Error("null is an identifier")
	}
}

func TestDamagedRowCostsItself(t *testing.T) {
	row := `1,"` + strings.ReplaceAll(ruleRecord, `"`, `""`) + `"`
	in := "n,AuditData\n" + row + "\n" + row[:100] + "\n" + row + "\n2,\"{}x\"\n3,\"{\"\"a\n" + row + "\n"
	out := logtest.Events(t, m365.NewUAL(), "x.csv", []byte(in))
	if len(out.Events) != 3 || len(out.Defects) != 3 {
		t.Errorf("%d events, defects %v", len(out.Events), out.Defects)
	}
}

func gunzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const invictus = "auditrecords_2021-03_05.csv.gz"

func TestRealExportIsReadWhole(t *testing.T) {
	data := gunzip(t, sharedtest.Path(t, "evidence", "m365", "invictus-o365", invictus))
	f := m365.NewUAL()
	s := logtest.Source("ual.csv", data)
	if f.Sniff(s) != logs.Certain {
		t.Fatal("not recognised")
	}
	out := logtest.Events(t, f, s.Path, data)
	if len(out.Events) != 4766 || len(out.Defects) != 0 {
		t.Fatalf("%d events, defects %v", len(out.Events), out.Defects)
	}
	ids := map[[16]byte]bool{}
	operations := map[string]int{}
	observed := map[string]int{}
	p := f.Parser()
	for i := range out.Events {
		e := &out.Events[i]
		id, ok := m365.ID(e)
		if !ok || e.Time == event.UnknownTime {
			t.Fatalf("no identifier or time: %s", logtest.Dump(e))
		}
		operations[e.Value(e.Shape.Slot("Operation")).String()]++
		if ids[id] {
			continue
		}
		ids[id] = true
		for _, o := range p.Observe(e, nil) {
			ok := "failed"
			if o.OK {
				ok = "ok"
			}
			if o.Inference != logs.GapTruncatedExport { // ends of searches, of which a record that stands there twice may be one
				observed[o.Kind.String()+" "+ok]++
			}
		}
	}
	if len(ids) != 3114 {
		t.Errorf("%d different identifiers, want 3114", len(ids))
	}
	for _, row := range table(t, "operations_2021-03_05.tsv") {
		if got := fmt.Sprint(operations[row[0]]); got != row[1] {
			t.Errorf("%s: %s records, want %s", row[0], got, row[1])
		}
	}
	// 60 wrong passwords; the other failed logins are interruptions.
	wantObserved := map[string]int{"access ok": 571, "capability ok": 67, "containment ok": 6, "login failed": 60, "login ok": 171, "send ok": 20}
	if d := cmp.Diff(wantObserved, observed); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// table returns the rows of a table of the evidence, without its heading.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, "evidence", "m365", "invictus-o365", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for l := range strings.Lines(string(data)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(l, "\n"), "\t"))
	}
	return rows[1:]
}

var options = logtest.Options{
	Path: "test.csv",
	Header: func(line []byte) bool {
		return bytes.Contains(line, []byte("AuditData")) || bytes.HasPrefix([]byte("n,AuditData"), line)
	},
	Gap: func(p []byte) bool {
		return len(bytes.Trim(p, " \t\r\n,[]")) == 0
	},
	Allocs: 5,
}

func TestUALKeepsThePromisesOfFormats(t *testing.T) {
	row := "1,\"" + strings.ReplaceAll(ruleRecord, `"`, `""`) + "\"\r\n"
	login := `{"CreationTime":"2024-05-01T10:00:00","Id":"x","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","UserId":"ana@example.org","ClientIP":"203.0.113.9"}`
	t.Run("CSV", func(t *testing.T) {
		logtest.Check(t, m365.NewUAL, []byte("n,AuditData\r\n"+row+row+"2,\"\n{\"\"a\"\nbad\n"+row+row), options)
	})
	t.Run("Lines", func(t *testing.T) {
		logtest.Check(t, m365.NewUAL, []byte(ruleRecord+"\n"+login+"\n{\"AuditData\":"+login+"}\n"+login+"\n"), options)
	})
	t.Run("Array", func(t *testing.T) {
		logtest.Check(t, m365.NewUAL, []byte("["+ruleRecord+","+login+","+login+"]"), options)
	})
}

func TestRecordThatMeansNothingCostsNoAllocation(t *testing.T) {
	line := `{"CreationTime":"2024-05-01T10:00:00","Id":"x","Operation":"Update user.","Workload":"AzureActiveDirectory","UserId":"ana@example.org","ClientIP":"203.0.113.9","ModifiedProperties":[{"Name":"A","NewValue":"1","OldValue":""}]}`
	o := options
	o.Allocs = 0
	t.Run("Lines", func(t *testing.T) { logtest.Check(t, m365.NewUAL, []byte(strings.Repeat(line+"\n", 10)), o) })
	row := "1,\"" + strings.ReplaceAll(line, `"`, `""`) + "\"\r\n"
	t.Run("CSV", func(t *testing.T) {
		logtest.Check(t, m365.NewUAL, []byte("n,AuditData\n"+strings.Repeat(row, 10)), o)
	})
}

func FuzzUAL(f *testing.F) {
	row := "1,\"" + strings.ReplaceAll(ruleRecord, `"`, `""`) + "\"\r\n"
	o := options
	o.Gap = func(p []byte) bool { return true } // brackets, names of a wrapper, headings: package json checks them
	logtest.Fuzz(f, m365.NewUAL, o, "n,AuditData\r\n"+row+row, ruleRecord+"\n", "["+ruleRecord+"]", `{"AuditData":"{\"Operation\":\"x\"}"}`,
		`{"Operation":"MailItemsAccessed","Workload":"Exchange","UserId":"a","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"True"}],"OperationCount":3,"Folders":[{"Id":"F","FolderItems":[{"InternetMessageId":"\u003c1@x\u003e","SizeInBytes":1.0}]}]}`,
		`{"Operation":"MailItemsAccessed","Workload":"Exchange","Folders":"[{\"Id\":\"F\",\"FolderItems\":[{\"Id\":\"\\u00e9\"}]}]","Item":"{\"ParentFolder\":{\"Id\":\"x\"}}"}`,
		`{"Operation":"HardDelete","Workload":"Exchange","AffectedItems":[{"Id":"I","ParentFolder":{"Id":"F"}}]}`+"\n"+`{"Operation":"AttachmentAccess","Workload":"Exchange","Messages":[{"Id":"m","MessageItems":[{"Id":"a","SizeInBytes":1}]}]}`,
		`{"Operation":"Set-InboxRule","Workload":"Exchange","Parameters":[{"Name":"Identity","Value":"a\\b"}]}`+"\n"+`{"Operation":"SearchExported","Workload":"x","ExchangeLocations":"[\"a@b\",\"c@d\"]"}`,
		"AuditData;b\n\"{\"\"Operation\"\":\"\"x\"\"}\";\"\n\"\n", "a,AuditData\n\"\"\"\n,\"x\n")
}

func BenchmarkCSV(b *testing.B) {
	bench(b, gunzip(b, sharedtest.Path(b, "evidence", "m365", "invictus-o365", invictus)))
}

func BenchmarkLines(b *testing.B) {
	data := gunzip(b, sharedtest.Path(b, "evidence", "m365", "invictus-o365", invictus))
	var all []byte
	out := logtest.Events(b, m365.NewUAL(), "x.csv", data)
	for i := range out.Events {
		raw := string(out.Events[i].Raw)
		from, to := strings.Index(raw, `"{`), strings.LastIndex(raw, `}"`)
		all = append(all, strings.ReplaceAll(raw[from+1:to+1], `""`, `"`)+"\n"...)
	}
	bench(b, all)
}

func bench(b *testing.B, data []byte) {
	f := m365.NewUAL()
	s := logtest.Source("x.csv", data)
	blocks := logtest.Blocks(b, f, s, data, logs.MaxBlock, 0)
	p := f.Parser()
	out := new(event.Batch)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	cpu := cpuTime()
	for b.Loop() {
		for _, bl := range blocks {
			out.Reset()
			p.Parse(bl, out)
			n += len(out.Events)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(len(data))*float64(b.N)/1e6/(cpuTime()-cpu).Seconds(), "MB/cpu-s")
}

// cpuTime is the time that the process has computed: on a busy machine it says more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
