package windows

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evtxtest"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

var made = time.Date(2026, 3, 1, 10, 0, 0, 123456700, time.UTC)

func madeEvents() []evtxtest.Event {
	at := func(i int) time.Time { return made.Add(time.Duration(i) * time.Second) }
	return []evtxtest.Event{
		{Provider: "Microsoft-Windows-Sysmon", Channel: "Microsoft-Windows-Sysmon/Operational", Computer: "mx1", ID: 10, Time: at(0), Keywords: 1 << 63, Data: []evtxtest.Field{
			{Name: "GrantedAccess", Value: evtxtest.Hex32(0x1410)}, {Name: "SourceProcessId", Value: uint32(4460)}, {Name: "SourceImage", Value: `C:\a.exe`}}},
		{Provider: "Microsoft-Windows-Sysmon", Channel: "Microsoft-Windows-Sysmon/Operational", Computer: "mx1", ID: 12, Time: at(1), Data: []evtxtest.Field{
			{Name: "EventType", Value: "DeleteValue"}, {Name: "TargetObject", Value: `HKLM\X`}}},
		{Provider: "Microsoft-Windows-Sysmon", Channel: "Microsoft-Windows-Sysmon/Operational", Computer: "mx1", ID: 12, Time: at(2), Data: []evtxtest.Field{
			{Name: "EventType", Value: "CreateKey"}, {Name: "TargetObject", Value: `HKLM\Y`}}},
		{Provider: "Microsoft-Windows-Eventlog", Channel: "Security", Computer: "mx1", ID: 1102, Time: at(3), UserData: "LogFileCleared", Data: []evtxtest.Field{
			{Name: "SubjectUserName", Value: "ana"}, {Name: "Channel", Value: "Application"}}},
		{Provider: "MSExchange CmdletLogs", Channel: "MSExchange Management", Computer: "mx1", ID: 1, Time: at(4), Data: []evtxtest.Field{
			{Value: []string{"New-InboxRule", `-Mailbox "ana"`, "example.org/Users/eve"}}}},
		{Provider: "Microsoft-Windows-Security-Auditing", Channel: "Security", Computer: "mx1", ID: 4625, Time: at(5), Data: []evtxtest.Field{
			{Name: "TargetUserName", Value: "ana"}, {Name: "SubStatus", Value: evtxtest.Hex32(0xc000006a)}, {Name: "LogonType", Value: uint32(3)}, {Name: "IpAddress", Value: "203.0.113.9"}}},
	}
}

const madeGolden = `
2026-03-01T10:00:00.1234567Z windows.evtx GrantedAccess=0x1410 SourceProcessId=4460 SourceImage="C:\\a.exe" Version=0 Level=0 Task=0 Opcode=0 Keywords=0x8000000000000000 TimeCreated=2026-03-01T10:00:00.123456Z EventRecordID=1 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name=Microsoft-Windows-Sysmon EventID=10 Channel=Microsoft-Windows-Sysmon/Operational
2026-03-01T10:00:01.1234567Z windows.evtx EventType=DeleteValue TargetObject="HKLM\\X" Version=0 Level=0 Task=0 Opcode=0 Keywords=0x0 TimeCreated=2026-03-01T10:00:01.123456Z EventRecordID=2 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name=Microsoft-Windows-Sysmon EventID=12 Channel=Microsoft-Windows-Sysmon/Operational
2026-03-01T10:00:02.1234567Z windows.evtx EventType=CreateKey TargetObject="HKLM\\Y" Version=0 Level=0 Task=0 Opcode=0 Keywords=0x0 TimeCreated=2026-03-01T10:00:02.123456Z EventRecordID=3 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name=Microsoft-Windows-Sysmon EventID=12 Channel=Microsoft-Windows-Sysmon/Operational
2026-03-01T10:00:03.1234567Z windows.evtx SubjectUserName=ana Channel=Application Version=0 Level=0 Task=0 Opcode=0 Keywords=0x0 TimeCreated=2026-03-01T10:00:03.123456Z EventRecordID=4 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name=Microsoft-Windows-Eventlog EventID=1102 System.Channel=Security
gap ok account=ana action="log cleared" inference=cleared log=Application
2026-03-01T10:00:04.1234567Z windows.evtx Data="New-InboxRule, -Mailbox \"ana\", example.org/Users/eve" Version=0 Level=0 Task=0 Opcode=0 Keywords=0x0 TimeCreated=2026-03-01T10:00:04.123456Z EventRecordID=5 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name="MSExchange CmdletLogs" EventID=1 Channel="MSExchange Management"
capability ok account=example.org/Users/eve channel=powershell action=New-InboxRule inference=RULE_MADE in=ana
2026-03-01T10:00:05.1234567Z windows.evtx TargetUserName=ana SubStatus=0xc000006a LogonType=3 IpAddress=203.0.113.9 Version=0 Level=0 Task=0 Opcode=0 Keywords=0x0 TimeCreated=2026-03-01T10:00:05.123456Z EventRecordID=6 Execution_ProcessID=0 Execution_ThreadID=0 Computer=mx1 Provider_Name=Microsoft-Windows-Security-Auditing EventID=4625 Channel=Security
login failed account=ana ip=203.0.113.9 channel=smb action=0xc000006a
`

func TestEVTXGivesTheFieldsOfItsRecords(t *testing.T) {
	file := evtxtest.File(madeEvents())
	logtest.Golden(t, EVTX(), string(file), madeGolden)
	out := logtest.Events(t, EVTX(), "x.evtx", file)
	// One file, and every record has the log source of its own channel.
	for i, want := range []event.LogSource{
		{Product: "windows", Category: "process_access", Service: "sysmon"},
		{Product: "windows", Category: "registry_delete", Service: "sysmon"},
		{Product: "windows", Category: "registry_add", Service: "sysmon"},
		{Product: "windows", Service: "security"},
		{Product: "windows", Service: "msexchange-management"},
		{Product: "windows", Service: "security"},
	} {
		if got := out.Events[i].Shape.Sources[0]; got != want {
			t.Errorf("event %d is of %v, want %v", i, got, want)
		}
	}
}

// manyChunks returns a log of some chunks.
func manyChunks() []byte {
	var events []evtxtest.Event
	for range 500 {
		events = append(events, madeEvents()...)
	}
	return evtxtest.File(events)
}

func dumps(out *event.Batch) string {
	var b strings.Builder
	for i := range out.Events {
		e := &out.Events[i]
		b.WriteString(logtest.Dump(e) + "\n")
	}
	for _, d := range out.Defects {
		b.WriteString(logtest.DumpDefect(d) + "\n")
	}
	return b.String()
}

func TestEVTXIsTheSameHoweverItIsCut(t *testing.T) {
	file := manyChunks()
	f := EVTX()
	s := logtest.Source("x.evtx", file)
	want := dumps(logtest.Read(t, f, s, file, logs.MaxBlock, 0))
	if n := strings.Count(want, "\n"); n != 3000 {
		t.Fatalf("%d events, want 3000", n)
	}
	for _, size := range []int{1, 65536, 200_000} {
		for _, window := range []int{1000, 65536, logs.MaxBlock} {
			if got := dumps(logtest.Read(t, f, s, file, window, size)); got != want {
				t.Errorf("other events in blocks of %d bytes, %d bytes at a time", size, window)
			}
		}
	}
	out := logtest.Read(t, f, s, file, logs.MaxBlock, 1)
	for i := range out.Events {
		e := &out.Events[i]
		if !bytes.Equal(e.Raw, file[e.Offset:e.Offset+int64(len(e.Raw))]) {
			t.Fatalf("event %d is not at offset %d", i, e.Offset)
		}
	}
}

func TestEVTXAllocatesNothingForAnEvent(t *testing.T) {
	file := manyChunks()
	f := EVTX()
	blocks := logtest.Blocks(t, f, logtest.Source("x.evtx", file), file, logs.MaxBlock, 0)
	p, out := f.Parser(), new(event.Batch)
	if n := testing.AllocsPerRun(10, func() {
		for _, b := range blocks {
			out.Reset()
			p.Parse(b, out)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 3000 events, want none", n)
	}
}

func TestDamagedEVTX(t *testing.T) {
	file := evtxtest.File(madeEvents())
	f := func(name string, data []byte, events int, certain bool, defects ...string) {
		t.Helper()
		format := EVTX()
		s := logtest.Source(name, data)
		if got := format.Sniff(s) == logs.Certain; got != certain {
			t.Errorf("%s: recognised %v, want %v", name, got, certain)
		}
		out := logtest.Read(t, format, s, data, logs.MaxBlock, 0)
		var reasons []string
		for _, d := range out.Defects {
			reasons = append(reasons, d.Reason)
		}
		got, want := strings.Join(reasons, "; "), strings.Join(defects, "; ")
		if len(out.Events) != events || got != want {
			t.Errorf("%s: %d events and %s\nwant %d and %s", name, len(out.Events), got, events, want)
		}
	}
	with := func(change func(p []byte)) []byte {
		p := bytes.Clone(file)
		change(p)
		return p
	}
	const n = evtx.FileHeaderSize
	f("whole", file, 6, true)
	f("a chunk", file[n:], 6, true)
	f("header overwritten", with(func(p []byte) { clear(p[:n]) }), 6, true, "not a Windows event log: it does not begin with ElfFile")
	f("header changed", with(func(p []byte) { p[24]++ }), 6, true, "wrong checksum of the file header")
	f("header alone", file[:n], 0, true, "the log is cut off: its header counts 1 chunks more")
	f("header cut", file[:1000], 0, true, "file header cut short; the log is cut off: its header counts 1 chunks more")
	f("zeros after the header", with(func(p []byte) { clear(p[n:]) }), 0, true, "zeros where the file header counts a chunk")
	f("zeros behind", append(bytes.Clone(file), make([]byte, 3*evtx.ChunkSize)...), 6, true)
	f("rubbish behind", append(bytes.Clone(file), bytes.Repeat([]byte("rubbish "), 25)...), 6, true, "chunk cut short: 200 bytes of 65536; chunk header cut short")
	f("nothing but zeros", make([]byte, 100_000), 0, false, "not a Windows event log: it does not begin with ElfFile")
	f("wrong checksum", with(func(p []byte) { p[n+52]++ }), 6, true, "wrong checksum of the chunk header; wrong checksum of the records")
	second := int64(0)
	{
		out := logtest.Events(t, EVTX(), "x", file)
		second = out.Events[1].Offset
	}
	f("a record's size", with(func(p []byte) { binary.LittleEndian.PutUint32(p[second+4:], 3); evtxtest.Seal(p[n:]) }), 5, true, "impossible size of a record: 3")
}

func TestRecoveredRecordsSaySo(t *testing.T) {
	file := evtxtest.File(madeEvents())
	chunk := file[evtx.FileHeaderSize:]
	out := logtest.Events(t, EVTX(), "x", file)
	last := out.Events[5].Offset - evtx.FileHeaderSize
	binary.LittleEndian.PutUint32(chunk[48:], uint32(last)) // the free space begins where the last record does
	evtxtest.Seal(chunk)
	out = logtest.Events(t, EVTX(), "x", file)
	if len(out.Events) != 6 {
		t.Fatalf("%d events, want 6: %s", len(out.Events), dumps(out))
	}
	for i := range out.Events {
		slot := out.Events[i].Shape.Slot("_recovered")
		if (slot >= 0) != (i == 5) {
			t.Errorf("event %d: _recovered at %d", i, slot)
		}
	}
}

func FuzzEVTX(f *testing.F) {
	file := evtxtest.File(madeEvents())
	short := bytes.TrimRight(file, "\x00")
	f.Add(file[:len(short)])
	f.Add(file[evtx.FileHeaderSize:len(short)])
	f.Add([]byte("ElfFile\x00"))
	f.Add([]byte("ElfChnk\x00"))
	f.Add(append(make([]byte, evtx.FileHeaderSize), "ElfChnk\x00"...))
	format := EVTX()
	f.Fuzz(func(t *testing.T, data []byte) {
		s := logtest.Source("x.evtx", data)
		format.Sniff(s)
		p := format.Parser()
		want := logtest.Read(t, format, s, data, logs.MaxBlock, 0)
		end := int64(0)
		for i := range want.Events {
			e := &want.Events[i]
			if e.Offset < end || !bytes.Equal(e.Raw, data[e.Offset:e.Offset+int64(len(e.Raw))]) || len(e.Values) != e.Shape.Variable() {
				t.Fatalf("event %d: %s", i, logtest.Dump(e))
			}
			end = e.Offset + int64(len(e.Raw))
			p.Observe(e, nil)
		}
		if got := logtest.Read(t, format, s, data, logs.MaxBlock, 1); dumps(got) != dumps(want) {
			t.Fatal("other events when cut into chunks")
		}
	})
}
