package windows

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// One process creation as every form writes it.
const (
	evtxDump   = `{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"5770385F-C22A-43E0-BF4C-06F5698FFBD9"}},"EventID":1,"Version":5,"Level":4,"Keywords":"0x8000000000000000","TimeCreated":{"#attributes":{"SystemTime":"2026-03-01T10:00:00.123456Z"}},"EventRecordID":7,"Correlation":null,"Execution":{"#attributes":{"ProcessID":10,"ThreadID":11}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"mx1.example.org","Security":{"#attributes":{"UserID":"S-1-5-18"}}},"EventData":{"ProcessGuid":"0197231E-005A-6928-A50B-000000000D00","ProcessId":4460,"Image":"C:\\Windows\\System32\\cmd.exe"}}}`
	winlogbeat = `{"@timestamp":"2026-03-01T10:00:00.123Z","agent":{"type":"winlogbeat"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":"1","record_id":7,"computer_name":"mx1.example.org","task":"Process Create","event_data":{"ProcessGuid":"{0197231E-005A-6928-A50B-000000000D00}","ProcessId":"4460","Image":"C:\\Windows\\System32\\cmd.exe"},"process":{"pid":10,"thread":{"id":11}}},"message":"Process Create:"}`
	beat6      = `{"@timestamp":"2026-03-01T10:00:00.123Z","beat":{"version":"6.7.0"},"event_id":1,"record_number":"7","log_name":"Microsoft-Windows-Sysmon/Operational","source_name":"Microsoft-Windows-Sysmon","computer_name":"mx1.example.org","event_data":{"ProcessId":"4460","Image":"C:\\Windows\\System32\\cmd.exe"},"level":"Information"}`
	velo       = `{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon","Guid":"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}"},"EventID":{"Value":10},"Version":3,"Level":4,"Keywords":9223372036854775808,"TimeCreated":{"SystemTime":1772359200.5},"EventRecordID":7,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"mx1.example.org"},"EventData":{"GrantedAccess":5136,"SourceProcessId":4460},"Message":"Process accessed"}`
	nxlog      = `{"EventTime":"2026-03-01 12:00:00","Hostname":"mx1.example.org","Keywords":-9214364837600034816,"EventType":"AUDIT_SUCCESS","EventID":4688,"SourceName":"Microsoft-Windows-Security-Auditing","Task":13312,"OpcodeValue":0,"Opcode":"Info","RecordNumber":8,"Channel":"security","SubjectUserName":"ana","NewProcessId":"0x15f8","NewProcessName":"C:\\Windows\\System32\\cmd.exe","ProcessId":"0x300","ParentProcessName":"C:\\inetpub\\w3wp.exe","EventReceivedTime":"2026-03-01 12:00:03","SourceModuleName":"eventlog","@timestamp":"2026-03-01T10:00:03.140Z"}`
	flat       = `{"SourceName":"Microsoft-Windows-Sysmon","ProviderGuid":"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}","Level":"4","Keywords":"0x8000000000000000","Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"mx1","TimeCreated":"2026-03-01T10:00:00.028Z","@timestamp":"2026-03-01T10:00:00.028Z","EventID":12,"EventType":"CreateKey","TargetObject":"HKLM\\SOFTWARE\\Example"}`
	wazuh      = `{"timestamp":"2026-03-01T10:00:02.000+0000","rule":{"level":3},"data":{"win":{"system":{"providerName":"Microsoft-Windows-Security-Auditing","eventID":"4625","systemTime":"2026-03-01T10:00:00.1234567Z","eventRecordID":"9","channel":"Security","computer":"mx1","message":"An account failed to log on."},"eventdata":{"targetUserName":"ana","logonType":"3","ipAddress":"203.0.113.9","status":"0xc000006d","subStatus":"0xc000006a"}}}}`
	sentinel   = `{"TenantId":"x","TimeGenerated":"2026-03-01T10:00:00.21Z","Computer":"MX1","EventSourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","EventData":"\u003cEventData xmlns=\"x\"\u003e\r\n  \u003cData Name=\"Application\"\u003e\\device\\a\u0026amp;b.exe\u003c/Data\u003e\u003cData Name=\"DestPort\"\u003e8080\u003c/Data\u003e\u003c/EventData\u003e","EventID":5156}`
	namedList  = `{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":{"#attributes":{"Qualifiers":5},"#text":77},"Channel":"Application"},"EventData":{"Data":[{"#attributes":{"Name":"x"},"#text":"1"},{"@Name":"a","#text":"one"},{"@Name":"b"}]}}}`
)

func TestEveryFormGivesTheSameFields(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		logtest.Golden(t, JSON(), in, want)
	}
	f(evtxDump, `2026-03-01T10:00:00.123456Z windows.json ProcessGuid={0197231E-005A-6928-A50B-000000000D00} ProcessId=4460 Image="C:\\Windows\\System32\\cmd.exe" Provider_Guid={5770385F-C22A-43E0-BF4C-06F5698FFBD9} Version=5 Level=4 Keywords=0x8000000000000000 TimeCreated=2026-03-01T10:00:00.123456Z EventRecordID=7 Execution_ProcessID=10 Execution_ThreadID=11 Computer=mx1.example.org Security_UserID=S-1-5-18 Provider_Name=Microsoft-Windows-Sysmon EventID=1 Channel=Microsoft-Windows-Sysmon/Operational`)
	f(winlogbeat, `2026-03-01T10:00:00.123Z windows.json Image="C:\\Windows\\System32\\cmd.exe" ProcessGuid={0197231E-005A-6928-A50B-000000000D00} ProcessId=4460 Computer=mx1.example.org EventRecordID=7 Execution_ProcessID=10 Execution_ThreadID=11 Message="Process Create:" Channel=Microsoft-Windows-Sysmon/Operational EventID=1 Provider_Name=Microsoft-Windows-Sysmon`)
	f(beat6, `2026-03-01T10:00:00.123Z windows.json Image="C:\\Windows\\System32\\cmd.exe" ProcessId=4460 Computer=mx1.example.org EventRecordID=7 Channel=Microsoft-Windows-Sysmon/Operational EventID=1 Provider_Name=Microsoft-Windows-Sysmon`)
	f(velo, `2026-03-01T10:00:00.5Z windows.json GrantedAccess=0x1410 SourceProcessId=4460 Provider_Guid={5770385F-C22A-43E0-BF4C-06F5698FFBD9} Version=3 Level=4 Keywords=0x8000000000000000 TimeCreated=1772359200.5 EventRecordID=7 Computer=mx1.example.org Message="Process accessed" Provider_Name=Microsoft-Windows-Sysmon EventID=10 Channel=Microsoft-Windows-Sysmon/Operational`)
	f(nxlog, `2026-03-01T10:00:00Z windows.json NewProcessId=0x15f8 NewProcessName="C:\\Windows\\System32\\cmd.exe" ParentProcessName="C:\\inetpub\\w3wp.exe" ParentProcessId=0x300 SubjectUserName=ana Computer=mx1.example.org EventRecordID=8 Keywords=0x8020000000000000 Opcode=0 Task=13312 Channel=security EventID=4688 Provider_Name=Microsoft-Windows-Security-Auditing
		capability ok account=ana channel=windows action="C:\\Windows\\System32\\cmd.exe" inference=CODE_RAN power=host host=mx1.example.org`)
	f(flat, `2026-03-01T10:00:00.028Z windows.json EventType=CreateKey TargetObject="HKLM\\SOFTWARE\\Example" Computer=mx1 Keywords=0x8000000000000000 Level=4 Provider_Guid={5770385f-c22a-43e0-bf4c-06f5698ffbd9} TimeCreated=2026-03-01T10:00:00.028Z Channel=Microsoft-Windows-Sysmon/Operational EventID=12 Provider_Name=Microsoft-Windows-Sysmon`)
	f(wazuh, `2026-03-01T10:00:00.1234567Z windows.json IpAddress=203.0.113.9 LogonType=3 Status=0xc000006d SubStatus=0xc000006a TargetUserName=ana Computer=mx1 EventRecordID=9 Message="An account failed to log on." TimeCreated=2026-03-01T10:00:00.1234567Z Channel=Security EventID=4625 Provider_Name=Microsoft-Windows-Security-Auditing
		login failed account=ana ip=203.0.113.9 channel=smb action=0xc000006a`)
	f(sentinel, `2026-03-01T10:00:00.21Z windows.json Application="\\device\\a&b.exe" DestPort=8080 Computer=MX1 Channel=Security EventID=5156 Provider_Name=Microsoft-Windows-Security-Auditing`)
	f(namedList, `- windows.json x=1 a=one b=<null> Qualifiers=5 Provider_Name=P EventID=77 Channel=Application`)
}

func TestTimesWithoutAZoneAreInTheZoneOfTheSource(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip(err)
	}
	f := func(in, want string, zoneless bool) {
		t.Helper()
		format := JSON()
		s := logtest.Source("x.json", []byte(in))
		s.Zone, s.ZoneFrom = paris, "facts"
		out := logtest.Read(t, format, s, []byte(in), logs.MaxBlock, 0)
		if got := time.Unix(0, out.Events[0].Time).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s\nis at %s, want %s", in, got, want)
		}
		if got := format.Zoneless(s); got != zoneless {
			t.Errorf("%s\nis zoneless: %v, want %v", in, got, zoneless)
		}
	}
	f(`{"EventID":1,"Channel":"a","EventTime":"2026-07-01 12:00:00"}`, "2026-07-01T10:00:00Z", true)
	f(`{"EventID":1,"Channel":"a","TimeCreated":"2026-07-01 12:00:00.5"}`, "2026-07-01T10:00:00Z", true)
	f(`{"EventID":1,"Channel":"a","TimeCreated":"2026-07-01T12:00:00+01:00"}`, "2026-07-01T11:00:00Z", false)
	f(`{"EventID":1,"Channel":"a","TimeCreated":"/Date(1782907200000)/"}`, "2026-07-01T12:00:00Z", false)
	f(`{"EventID":1,"Channel":"a","EventTime":"2026-07-01 08:00:00","EventReceivedTime":"2026-07-01 08:00:05","@timestamp":"2026-07-01T12:00:05.2Z"}`, "2026-07-01T12:00:00Z", false)
	// Two clocks that do not agree show no zone: the time of receipt is what is certain.
	f(`{"EventID":1,"Channel":"a","EventTime":"2026-07-01 08:00:00","EventReceivedTime":"2026-07-01 08:05:05","@timestamp":"2026-07-01T12:00:00Z"}`, "2026-07-01T12:00:00Z", false)
}

func TestParsersShareTheirShapes(t *testing.T) {
	all := []byte(strings.Join([]string{evtxDump, winlogbeat, beat6, velo, nxlog, flat, wazuh}, "\n"))
	file := manyChunks()
	for _, format := range []logs.Format{JSON(), EVTX()} {
		data := all
		if format.Name == "windows.evtx" {
			data = file
		}
		blocks := logtest.Blocks(t, format, logtest.Source("x", data), data, logs.MaxBlock, 0)
		shapes := make([][]*event.Shape, 4)
		var wg sync.WaitGroup
		for i := range shapes {
			wg.Go(func() {
				out := new(event.Batch)
				p := format.Parser()
				for _, b := range blocks {
					p.Parse(b, out)
				}
				for j := range out.Events {
					shapes[i] = append(shapes[i], out.Events[j].Shape)
				}
			})
		}
		wg.Wait()
		for i := range shapes {
			if !slices.Equal(shapes[i], shapes[0]) {
				t.Errorf("%s: workers %d and 0 made other shapes of the same events", format.Name, i)
			}
		}
	}
}

func TestJSONKeepsItsPromises(t *testing.T) {
	all := strings.Join([]string{evtxDump, winlogbeat, beat6, velo, nxlog, flat, wazuh}, "\n")
	logtest.Check(t, JSON, []byte(all), logtest.Options{})
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(evtxDump), "", "  "); err != nil {
		t.Fatal(err)
	}
	logtest.Check(t, JSON, pretty.Bytes(), logtest.Options{})
}

// separators is what may stand between records.
var separators = regexp.MustCompile(`^[\s,\[\]]*$`)

func FuzzJSON(f *testing.F) {
	logtest.Fuzz(f, JSON, logtest.Options{Gap: separators.Match}, evtxDump, winlogbeat, beat6, velo, nxlog, flat, wazuh, sentinel, namedList,
		"["+evtxDump+","+flat+"]", nxlog+"\n{\"EventID\":12,", `{"EventID":1,"Channel":"a","EventData":"<Data Name=\"x\">"}`)
}

func TestShapeSaysWhereRulesLook(t *testing.T) {
	shape := func(in string) *event.Shape {
		t.Helper()
		return logtest.Events(t, JSON(), "x.json", []byte(in)).Events[0].Shape
	}
	sources := func(in string, want ...event.LogSource) {
		t.Helper()
		got := shape(in).Sources
		if len(got) != len(want) {
			t.Fatalf("%s\nhas sources %v, want %v", in, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s\nhas sources %v, want %v", in, got, want)
			}
		}
	}
	win := func(category, service string) event.LogSource {
		return event.LogSource{Product: "windows", Category: category, Service: service}
	}
	sources(evtxDump, win("process_creation", "sysmon"))
	sources(nxlog, win("process_creation", "security"))
	sources(flat, win("registry_add", "sysmon"), win("registry_event", "sysmon"))
	sources(strings.Replace(flat, "CreateKey", "DeleteValue", 1), win("registry_delete", "sysmon"), win("registry_event", "sysmon"))
	sources(strings.Replace(flat, "CreateKey", "INFO", 1), win("registry_event", "sysmon"))
	sources(strings.Replace(flat, `"CreateKey"`, `"INFO","Message":"x:\r\nEventType: DeleteKey\r\nUtcTime: -"`, 1), win("registry_delete", "sysmon"), win("registry_event", "sysmon"))
	sources(strings.Replace(flat, `12`, `13`, 1), win("registry_set", "sysmon"), win("registry_event", "sysmon"))
	sources(namedList, win("", "application"))
	sources(strings.Replace(namedList, `"Application"`, `"Example/Operational"`, 1), event.LogSource{Product: "windows"})

	names := func(in, own string, alias string) {
		t.Helper()
		s := shape(in)
		if slot := s.Slot(alias); slot < 0 || s.Fields()[slot].Name != own {
			t.Errorf("%s\nhas %s at slot %d, want it to be %s", in, alias, slot, own)
		}
	}
	names(nxlog, "NewProcessName", "Image")
	names(nxlog, "ParentProcessName", "ParentImage")
	names(nxlog, "NewProcessId", "ProcessId")
	names(nxlog, "ParentProcessId", "ParentProcessId")
	names(nxlog, "SubjectUserName", "User")
	names(nxlog, "Computer", "ComputerName")
}

func TestDataNamesComeBeforeThoseOfSystem(t *testing.T) {
	const cleared = `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"EventID":104,"Channel":"System","Computer":"mx1"},"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"y"},"SubjectUserName":"ana","Channel":"Application"}}}}`
	logtest.Golden(t, JSON(), cleared, `- windows.json SubjectUserName=ana Channel=Application Computer=mx1 Provider_Name=Microsoft-Windows-Eventlog EventID=104 System.Channel=System
		gap ok account=ana action="log cleared" inference=cleared log=Application`)
}

// jsonSets calls use for every file of JSON in the shared Windows sets.
func jsonSets(tb testing.TB, use func(path string, data []byte)) {
	root := sharedtest.Path(tb, "evidence", "windows-json")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "zeek") || strings.Contains(path, "sekoia") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(path, ".zip"):
			unzip(tb, path, data, func(name string, data []byte) {
				if strings.HasSuffix(name, ".json") && !strings.Contains(name, "__MACOSX") {
					use(filepath.Base(path)+"!"+name, data)
				}
			})
		case strings.HasSuffix(path, ".tar.gz"):
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return err
			}
			r := tar.NewReader(z)
			for {
				h, err := r.Next()
				if err != nil {
					break // one of them is cut off
				}
				data, _ := io.ReadAll(r)
				if strings.HasSuffix(h.Name, ".json") {
					use(filepath.Base(path)+"!"+h.Name, data)
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func linesWithText(data []byte) int {
	n := 0
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

func unzip(tb testing.TB, path string, data []byte, use func(name string, data []byte)) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			tb.Fatalf("%s!%s: %v", path, f.Name, err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			tb.Fatalf("%s!%s: %v", path, f.Name, err)
		}
		use(f.Name, data)
	}
}

func TestReadsEveryWindowsJSONSet(t *testing.T) {
	files, events, defects, timeless, unnamed := 0, 0, 0, 0, 0
	shapes := map[*event.Shape]bool{}
	kinds := map[logs.Kind]int{}
	format := JSON()
	p := format.Parser()
	jsonSets(t, func(path string, data []byte) {
		s := logtest.Source(path, data)
		if strings.Contains(path, "auditd") {
			if format.Sniff(s) != logs.No {
				t.Errorf("%s is taken for Windows events", path)
			}
			return
		}
		files++
		if format.Sniff(s) != logs.Certain {
			t.Errorf("%s is not recognised", path)
			return
		}
		out := logtest.Read(t, format, s, data, logs.MaxBlock, 0)
		if lines := linesWithText(data); len(out.Events)+len(out.Defects) != lines {
			t.Errorf("%s: %d events and %d defects of %d lines", path, len(out.Events), len(out.Defects), lines)
		}
		events += len(out.Events)
		defects += len(out.Defects)
		for _, d := range out.Defects {
			t.Logf("%s: %s", path, logtest.DumpDefect(d))
		}
		var obs []logs.Observation
		for i := range out.Events {
			e := &out.Events[i]
			shapes[e.Shape] = true
			if e.Time == event.UnknownTime {
				timeless++
			}
			if e.Shape.Slot("EventID") < 0 || e.Shape.Slot("Channel") < 0 {
				unnamed++
			}
			for _, o := range p.Observe(e, obs[:0]) {
				kinds[o.Kind]++
			}
		}
	})
	t.Logf("%d files, %d events, %d defects, %d without time, %d without EventID or Channel, %d shapes, observations %v", files, events, defects, timeless, unnamed, len(shapes), kinds)
	if timeless > 0 || unnamed > 0 {
		t.Errorf("%d events without time, %d without EventID or Channel", timeless, unnamed)
	}
}

func TestReadsTheMessagesOfSekoiasTests(t *testing.T) {
	format := JSON()
	read, recognised := 0, 0
	sharedZip(t, func(name string, data []byte) {
		var test struct{ Input struct{ Message string } }
		if err := json.Unmarshal(data, &test); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		message := []byte(test.Input.Message)
		read++
		s := logtest.Source(name, message)
		if format.Sniff(s) != logs.Certain {
			t.Logf("%s is not recognised: %.100s", name, message)
			return
		}
		recognised++
		out := logtest.Read(t, format, s, message, logs.MaxBlock, 0)
		hasTime := strings.Contains(test.Input.Message, "Time")
		if len(out.Events) != 1 || len(out.Defects) > 0 || hasTime != (out.Events[0].Time != event.UnknownTime) {
			t.Errorf("%s: %d events, %v", name, len(out.Events), out.Defects)
		}
	}, "evidence", "windows-json", "sekoia-windows-tests.zip")
	t.Logf("%d of %d", recognised, read)
}
