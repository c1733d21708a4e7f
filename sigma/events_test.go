package sigma

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// The tests make their events themselves, so that the engine is tested apart from the readers of logs.

var sysmonCategories = map[string]string{
	"1": "process_creation", "2": "file_change", "3": "network_connection", "4": "sysmon_status", "5": "process_termination",
	"6": "driver_load", "7": "image_load", "8": "create_remote_thread", "9": "raw_access_thread", "10": "process_access",
	"11": "file_event", "13": "registry_set", "14": "registry_rename", "15": "create_stream_hash", "16": "sysmon_status",
	"17": "pipe_created", "18": "pipe_created", "19": "wmi_event", "20": "wmi_event", "21": "wmi_event", "22": "dns_query",
	"23": "file_delete", "25": "process_tampering", "26": "file_delete_detected", "27": "file_block_executable",
	"29": "file_executable_detected", "255": "sysmon_error",
}

var channelServices = map[string]string{
	"Security": "security", "System": "system", "Application": "application", "Windows PowerShell": "powershell-classic",
	"Microsoft-Windows-Sysmon/Operational":                               "sysmon",
	"Microsoft-Windows-PowerShell/Operational":                           "powershell",
	"Microsoft-Windows-TaskScheduler/Operational":                        "taskscheduler",
	"Microsoft-Windows-WMI-Activity/Operational":                         "wmi",
	"Microsoft-Windows-Windows Defender/Operational":                     "windefend",
	"Microsoft-Windows-AppLocker/EXE and DLL":                            "applocker",
	"Microsoft-Windows-Bits-Client/Operational":                          "bits-client",
	"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall": "firewall-as",
	"MSExchange Management":                                              "msexchange-management",
	"Microsoft-Windows-NTLM/Operational":                                 "ntlm",
	"Microsoft-Windows-CodeIntegrity/Operational":                        "codeintegrity-operational",
}

// windowsSources returns the log sources of a Windows event, after the mapping that SigmaHQ tests with.
func windowsSources(channel, id, eventType string) []event.LogSource {
	service := channelServices[channel]
	s := func(category string) []event.LogSource {
		return []event.LogSource{{Product: "windows", Category: category, Service: service}}
	}
	switch {
	case service == "sysmon" && (id == "12" || id == "13" || id == "14"):
		sources := s("registry_event")
		switch {
		case id == "12" && eventType == "CreateKey":
			sources = append(sources, s("registry_add")...)
		case id == "12":
			sources = append(sources, s("registry_delete")...)
		default:
			sources = append(sources, s(sysmonCategories[id])...)
		}
		return sources
	case service == "sysmon":
		return s(sysmonCategories[id])
	case service == "security" && id == "4688":
		return s("process_creation")
	case service == "powershell" && id == "4104":
		return s("ps_script")
	case service == "powershell" && id == "4103":
		return s("ps_module")
	case service == "powershell-classic" && id == "400":
		return s("ps_classic_start")
	case service == "powershell-classic" && id == "600":
		return s("ps_classic_provider_start")
	case service == "powershell-classic" && id == "800":
		return s("ps_classic_script")
	}
	return s("")
}

var windowsAliases = map[string]string{"NewProcessName": "Image", "ParentProcessName": "ParentImage"}

// shaper makes events, and one Shape for all that have the same fields.
type shaper struct {
	shapes map[string]*event.Shape
	utf16  bool // text values are UTF-16LE, as in EVTX
}

// event makes an event of named values. EventID, Channel and Provider_Name become constants.
func (s *shaper) event(format string, sources []event.LogSource, values map[string]event.Value) *event.Event {
	names := slices.Sorted(maps.Keys(values))
	var key strings.Builder
	fmt.Fprintf(&key, "%s%v", format, sources)
	var variable, constant []event.Field
	var row []event.Value
	for _, n := range names {
		f := event.Field{Name: n}
		if a := windowsAliases[n]; a != "" {
			f.Aliases = []string{a}
		}
		if (n == "EventID" || n == "Channel" || n == "Provider_Name") && values[n].Kind != event.None {
			f.Const = values[n]
			constant = append(constant, f)
			fmt.Fprintf(&key, "|%s=%s", n, values[n].Data)
			continue
		}
		variable = append(variable, f)
		row = append(row, values[n])
		key.WriteString("|" + n)
	}
	shape := s.shapes[key.String()]
	if shape == nil {
		shape = event.NewShape(format, sources, append(variable, constant...))
		if s.shapes == nil {
			s.shapes = map[string]*event.Shape{}
		}
		s.shapes[key.String()] = shape
	}
	return &event.Event{Shape: shape, Values: row, Time: event.UnknownTime}
}

// utf16Value returns a value as EVTX has it.
func utf16Value(s string) event.Value {
	var p []byte
	for _, u := range utf16.Encode([]rune(s)) {
		p = binary.LittleEndian.AppendUint16(p, u)
	}
	return event.Value{Kind: event.Kind(evtx.StringType), Data: p}
}

func (s *shaper) jsonValue(p json.RawMessage) event.Value {
	v := event.JSONValue(bytes.TrimSpace(p))
	if s.utf16 && (v.Kind == event.UTF8 || v.Kind == event.Escape) {
		return utf16Value(v.String())
	}
	return v
}

// windows makes an event of flat Windows values.
func (s *shaper) windows(flat map[string]json.RawMessage) *event.Event {
	values := make(map[string]event.Value, len(flat))
	for k, v := range flat {
		values[k] = s.jsonValue(v)
	}
	text := func(k string) string {
		if values[k].IsAbsent() {
			return ""
		}
		return values[k].String()
	}
	format := "windows.json"
	if s.utf16 {
		format = "windows.evtx"
	}
	return s.event(format, windowsSources(text("Channel"), text("EventID"), text("EventType")), values)
}

// evtxDump makes an event of a record in the form of evtx_dump.
func (s *shaper) evtxDump(tb testing.TB, p []byte) *event.Event {
	var record struct {
		Event struct {
			System    map[string]json.RawMessage
			EventData map[string]json.RawMessage
			UserData  map[string]map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(p, &record); err != nil {
		tb.Fatal(err)
	}
	flat := map[string]json.RawMessage{}
	for k, v := range record.Event.System {
		var nested map[string]json.RawMessage
		if k == "Provider" {
			var attributes struct {
				Attributes map[string]json.RawMessage `json:"#attributes"`
			}
			json.Unmarshal(v, &attributes)
			flat["Provider_Name"] = attributes.Attributes["Name"]
		} else if json.Unmarshal(v, &nested) != nil {
			flat[k] = v
		}
	}
	for _, body := range record.Event.UserData {
		maps.Copy(flat, body)
	}
	for k, v := range record.Event.EventData {
		flat[k] = v
		flat[strings.ReplaceAll(k, " ", "")] = v
	}
	delete(flat, "#attributes")
	return s.windows(flat)
}

// sigmaHQ returns all SigmaHQ rules, loaded once.
func sigmaHQ(tb testing.TB) *Pack {
	tb.Helper()
	name := sharedtest.Path(tb, "evidence", "sigma-rules", "sigma-rules.zip")
	p, err := loadedOnce(name)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

var loadedOnce = func() func(string) (*Pack, error) {
	var once sync.Once
	var p *Pack
	var err error
	return func(name string) (*Pack, error) {
		once.Do(func() { p, err = Load(name) })
		return p, err
	}
}()

// regressionCase is a recorded event and the rule that must match it.
type regressionCase struct {
	path, rule string
	events     []*event.Event
}

// regressionCases returns the recorded events of SigmaHQ's rules.
func regressionCases(tb testing.TB, s *shaper) []regressionCase {
	tb.Helper()
	dir := sharedtest.Path(tb, "evidence", "sigma-regression")
	z, err := zip.OpenReader(filepath.Join(dir, "sigma-regression.zip"))
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	table, err := os.ReadFile(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		tb.Fatal(err)
	}
	var cases []regressionCase
	for i, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		cols := strings.Split(line, "\t")
		if i == 0 || len(cols) < 6 {
			continue
		}
		c := regressionCase{path: cols[0], rule: cols[5]}
		twin := strings.TrimSuffix(cols[0], filepath.Ext(cols[0])) + ".json"
		f, err := z.Open(twin)
		if err != nil {
			tb.Logf("%s: no JSON twin", cols[0])
			continue
		}
		for d := json.NewDecoder(f); ; {
			var record json.RawMessage
			if err := d.Decode(&record); err == io.EOF {
				break
			} else if err != nil {
				tb.Fatalf("%s: %v", twin, err)
			}
			c.events = append(c.events, s.evtxDump(tb, record))
		}
		f.Close()
		cases = append(cases, c)
	}
	return cases
}

// otrf returns at most limit events of the flat Windows data sets.
func otrf(tb testing.TB, s *shaper, limit int) []*event.Event {
	tb.Helper()
	dir := sharedtest.Path(tb, "evidence", "windows-json", "otrf-atomic", "windows")
	var zips []string
	filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".zip") {
			zips = append(zips, p)
		}
		return nil
	})
	slices.Sort(zips)
	var events []*event.Event
	each := limit/len(zips) + 1
	for _, name := range zips {
		z, err := zip.OpenReader(name)
		if err != nil {
			tb.Fatal(err)
		}
		n := 0
		for _, entry := range z.File {
			f, err := entry.Open()
			if err != nil {
				tb.Fatal(err)
			}
			lines := bufio.NewScanner(f)
			lines.Buffer(nil, 16<<20)
			for n < each && lines.Scan() {
				var flat map[string]json.RawMessage
				if json.Unmarshal(lines.Bytes(), &flat) != nil || flat["EventID"] == nil {
					continue
				}
				for k := range flat {
					if v := flat[k]; len(v) > 0 && v[0] == '{' {
						delete(flat, k)
					}
				}
				delete(flat, "Message") // what other fields say, put into a sentence by the collector
				if flat["SourceName"] != nil {
					flat["Provider_Name"] = flat["SourceName"]
				}
				events = append(events, s.windows(flat))
				n++
			}
			f.Close()
		}
		z.Close()
	}
	return events
}
