package judge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// listed reads a list of messages.
func listed(t *testing.T, content string, zones ...string) *Inventory {
	t.Helper()
	inv, err := read(t, "messages", content, zones...)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func read(t *testing.T, kind, content string, zones ...string) (*Inventory, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "list.csv"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "inventory: {" + kind + ": list.csv}\n"
	for _, z := range zones {
		text += "timezones: {list: " + z + "}\n"
	}
	facts, err := ParseFacts(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return ReadInventory(facts, dir)
}

func unix(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

func utf16le(s string, bom bool) string {
	var b bytes.Buffer
	if bom {
		b.WriteString("\xff\xfe")
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}

func TestAListIsReadHoweverItIsWritten(t *testing.T) {
	want := []Message{
		{"ana@example.org", "<a@example.org>", "F1", "Boîte, de réception", 1200, unix("2021-03-01T08:00:00Z"), unknownTime},
		{"ana@example.org", `<"b c"@example.org>`, "F1", "", -1, unknownTime, unix("2021-03-02T00:00:00Z")},
	}
	f := func(content string, problems ...string) {
		t.Helper()
		inv := listed(t, content)
		if diff := cmp.Diff(want, inv.Messages); diff != "" {
			t.Errorf("%q: %s", content, diff)
		}
		if diff := cmp.Diff(problems, inv.Problems); diff != "" {
			t.Error(diff)
		}
		if l := inv.Lists[0]; l.Lines != 2 || l.Bytes != int64(len(content)) || len(l.SHA256) != 64 {
			t.Errorf("%+v", l)
		}
	}
	plain := "mailbox,message_id,folder_id,folder,size,received,removed\n" +
		"ana@example.org,<a@example.org>,F1,\"Boîte, de réception\",1200,2021-03-01T08:00:00Z,\n" +
		"ana@example.org,<\"b c\"@example.org>,F1,,,,2021-03-02T00:00:00Z\n"
	f(plain)
	f(strings.ReplaceAll(plain, "\n", "\r\n"))
	f(strings.TrimSuffix(plain, "\n"))
	f("\xef\xbb\xbf" + plain)
	f(utf16le(plain, true))
	f(utf16le(plain, false))
	f(strings.ReplaceAll(plain, "<\"b c\"@example.org>", `"<""b c""@example.org>"`))
	f("sep=;\n\n" + strings.NewReplacer(",", ";", "\"Boîte, de réception\"", "Boîte, de réception").Replace(plain))
	f(strings.ReplaceAll(strings.NewReplacer("\"Boîte, de réception\"", "Boîte| de réception", ",", "\t").Replace(plain), "|", ","))
	f(strings.ReplaceAll(strings.ReplaceAll(plain, "î", "\xee"), "é", "\xe9"), "list.csv:2: not UTF-8: such lines are read as Windows-1252")
	f("Received;Colour;Message ID;MAILBOX;folder-id;Folder;Size;removed\n"+
		"2021-03-01T09:00:00+01:00;red;<a@example.org>;ana@example.org;F1;Boîte, de réception;1.17 KB (1,200 bytes)\n"+
		";;<\"b c\"@example.org>;ana@example.org;F1;;;2021-03-02 00:00:00Z;;\n", `list.csv:1: unknown columns are not read: "Colour"`)
}

func TestWhatIsWrongInAListIsSaidAndNotBelieved(t *testing.T) {
	f := func(row string, want Message, problem string) {
		t.Helper()
		inv := listed(t, "mailbox,message_id,folder_id,folder,size,received,removed\n\n"+row+"\n", "UTC")
		if len(inv.Messages) != 1 || inv.Messages[0] != want {
			t.Errorf("%s: %+v, want %+v", row, inv.Messages, want)
		}
		if len(inv.Problems) != 1 || inv.Problems[0] != "list.csv:"+problem {
			t.Errorf("%s: %q, want %q", row, inv.Problems, problem)
		}
	}
	m := Message{Mailbox: "ana", ID: "<a@x>", Size: -1, Received: unknownTime, Removed: unknownTime}
	f("ana,<a@x>,,,-7,,", m, "3: size -7 is not believed")
	f("ana,<a@x>,,,99999999999999,,", m, "3: size 99999999999999 is not believed")
	f("ana,<a@x>,,,1.2E+06,,", m, `3: size "1.2E+06" is no number of bytes`)
	f("ana,<a@x>,,,,soon,", m, `3: "soon" is no time: write 2021-03-02T06:49:42Z`)
	f("ana,<a@x>,,,,2021-02-30,", m, `3: "2021-02-30" is no time`)
	f("ana,<a@x>,,,,0001-01-01T00:00:00Z,", m, `3: the year of "0001-01-01T00:00:00Z" is not believed`)
	f("ana,<a@x>,,,,02/03/2021 10:00,", m, "3: a time that may be day/month or month/day is not believed: write 2021-03-02T06:49:42Z")
	f("ana,<a@x>,,,,2021-03-02T00:00:00Z,2021-03-01T00:00:00Z", m, "3: removed before it was received: neither is believed")
	f("ana,\"<a@x>,,,,,", m, "3: a quote is not closed within 65536 bytes")
}

func TestMessagesThatStandTwice(t *testing.T) {
	inv := listed(t, "mailbox,message_id,folder_id,size,received\n"+
		"ana,<a@x>,F1,10,2021-03-01T00:00:00Z\n"+
		"ANA,<a@x>,F1,20,2021-03-01T00:00:00Z\n"+
		"ana,<a@x>,F2,10,2021-03-01T00:00:00Z\n"+
		",<b@x>,F2,10,\n"+
		"ana,,F2,10,\n"+
		"ana,,F2,10,\n")
	day := unix("2021-03-01T00:00:00Z")
	want := []Message{
		{"ana", "<a@x>", "F1", "", -1, day, unknownTime}, {"ana", "<a@x>", "F2", "", 10, day, unknownTime},
		{"ana", "", "F2", "", 10, unknownTime, unknownTime}, {"ana", "", "F2", "", 10, unknownTime, unknownTime},
	}
	if diff := cmp.Diff(want, inv.Messages); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"list.csv:3: mailbox, message_id and folder_id are those of line 2",
		"list.csv:5: no mailbox: the line is left out, and how many messages there are is not known",
		"list.csv:6: no message_id: no log can name this message", "list.csv:7: no message_id: no log can name this message"}, inv.Problems); diff != "" {
		t.Error(diff)
	}
	if inv.Unplaced != 1 {
		t.Errorf("%d lines without a mailbox", inv.Unplaced)
	}
}

func TestTimesOfSpreadsheets(t *testing.T) {
	f := func(received, removed, wantFrom, wantTo string, zones ...string) {
		t.Helper()
		inv := listed(t, "mailbox,message_id,received,removed\nana,<a@x>,\""+received+"\",\""+removed+"\"\n", zones...)
		m := inv.Messages[0]
		if m.Received != unix(wantFrom) || m.Removed != unix(wantTo) {
			t.Errorf("%s – %s: %s – %s, want %s – %s (%v)", received, removed, time.Unix(0, m.Received).UTC(), time.Unix(0, m.Removed).UTC(), wantFrom, wantTo, inv.Problems)
		}
	}
	f("2021-03-01 08:00:00", "2021-03-01T08:00:00.5", "2021-03-01T08:00:00Z", "2021-03-01T08:00:00.5Z", "UTC")
	f("2021-03-01", "2021-03-01", "2021-03-01T00:00:00Z", "2021-03-01T23:59:59.999999999Z", "UTC")
	f("2021-03-01", "2021-03-01", "2021-02-28T23:00:00Z", "2021-03-01T22:59:59.999999999Z", "Europe/Paris")
	f("01.03.2021 08:00", "01.03.2021 08:00", "2021-03-01T08:00:00Z", "2021-03-01T08:00:59.999999999Z", "UTC")
	f("13/3/2021 8:00:00", "4/5/2021 8:00:00 AM", "2021-03-13T08:00:00Z", "2021-05-04T08:00:00Z", "UTC")
	f("3/13/2021, 8:00:00 PM", "13/3/21 20:00:01", "2021-03-13T20:00:00Z", "2021-03-13T20:00:01Z", "UTC")
	f("3/3/2021 12:00:00 AM", "3/3/2021 12:00:00 PM", "2021-03-03T00:00:00Z", "2021-03-03T12:00:00Z", "UTC")
	f("44258", "44258.5", "2021-03-03T00:00:00Z", "2021-03-03T12:00:00Z", "UTC")
	f("2021-03-03T12:00:00 +0100", "2021-03-03 12:00:00 UTC", "2021-03-03T11:00:00Z", "2021-03-03T12:00:00Z")
	// Nobody says which zone: the time may lie this much earlier or later.
	f("2021-03-03 12:00:00", "2021-03-03 12:00:00", "2021-03-02T22:00:00Z", "2021-03-04T00:00:00Z")
}

func TestAListThatCannotBeUsed(t *testing.T) {
	f := func(kind, content, want string) {
		t.Helper()
		if _, err := read(t, kind, content); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	f("messages", "", "list.csv: it is empty")
	f("messages", "sep=;\nsep=;", "list.csv: it is empty")
	f("messages", "mailbox,subject\nana,x\n", "list.csv: no column message_id")
	f("mailboxes", "name,owner\n", "no column mailbox")
	f("files", "size\n", "no column path")
	facts := &Facts{Inventory: InventoryFiles{Messages: "missing.csv"}}
	if _, err := ReadInventory(facts, t.TempDir()); err == nil || !strings.Contains(err.Error(), "missing.csv") {
		t.Error(err)
	}
	facts.Inventory.Messages = "."
	if _, err := ReadInventory(facts, t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Error(err)
	}
	if inv, err := ReadInventory(&Facts{}, t.TempDir()); inv != nil || err != nil {
		t.Error(inv, err)
	}
}

func TestMailboxesAndFiles(t *testing.T) {
	inv, err := read(t, "mailboxes", "mailbox,owner,server,database\nana@example.org,Ana,EX1,DB1\nAna@example.org,,,\n,x,,\n")
	if err != nil || len(inv.Mailboxes) != 1 || !reflect.DeepEqual(inv.Mailboxes[0], Mailbox{Name: "ana@example.org", Owner: "Ana", Server: "EX1", Database: "DB1"}) || len(inv.Problems) != 2 {
		t.Errorf("%+v %v", inv, err)
	}
	inv, err = read(t, "files", "path,size,from,to,label\n/Board/a.pdf,10,2021-03-01T00:00:00Z,2021-03-02T00:00:00Z,secret\n/Board/a.pdf,12,2021-03-02T00:00:00Z,,secret\n"+
		"/Board/a.pdf,12,2021-03-02T00:00:00Z,,secret\n/b,1,2021-03-02T00:00:00Z,2021-03-01T00:00:00Z,\n")
	if err != nil || len(inv.Files) != 3 || len(inv.Problems) != 2 || inv.Files[2].From != unknownTime {
		t.Errorf("%+v %v", inv, err)
	}
}

func TestProblemsAreBoundedAndCounted(t *testing.T) {
	inv := listed(t, "mailbox,message_id,size\n"+strings.Repeat("ana,,-1\n", 5000)+strings.Repeat("x", 3<<20)+"\nana,<a@x>,1\n")
	l := inv.Lists[0]
	if len(l.Problems) != maxProblems || l.Unread != 10_001 || len(inv.Problems) != maxProblems+1 || inv.Problems[maxProblems] != "list.csv: and 9001 more" {
		t.Errorf("%d problems of %d", len(l.Problems), l.Unread)
	}
	if n := len(inv.Messages); n != 5001 || inv.Messages[5000].ID != "<a@x>" {
		t.Errorf("%d messages", n)
	}
}

func FuzzInventory(f *testing.F) {
	f.Add("mailbox,message_id,folder_id,folder,size,received,removed\nana,<a>,F,\"x\ny\",1,02/03/2021,3/13/2021 1:00 PM\n")
	f.Add("sep=;\n\"mailbox\";message_id;size\n\"\n\"\"")
	f.Add(utf16le("mailbox\tmessage_id\tremoved\na\tb\t44258,5\n", false))
	f.Fuzz(func(t *testing.T, content string) {
		inv, err := read(t, "messages", content)
		if err != nil {
			return
		}
		for _, m := range inv.Messages {
			if m.Mailbox == "" || m.Size < -1 || backwards(m.Received, m.Removed) {
				t.Errorf("%+v", m)
			}
		}
	})
}

func BenchmarkInventory(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("mailbox,message_id,folder_id,folder,size,received,removed\n")
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "user%d@example.org,<%032x.%d@mail.example.org>,AAMkAGI2TG%060d,Inbox,%d,2021-03-%02dT08:%02d:%02dZ,\n", i%2000, i*7919, i, i%20, i%100000, i%28+1, i%60, i%59)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.csv"), text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	text.Reset()
	facts := &Facts{Inventory: InventoryFiles{Messages: "m.csv"}}
	b.ReportAllocs()
	for b.Loop() {
		if inv, err := ReadInventory(facts, dir); err != nil || len(inv.Messages) != 1_000_000 {
			b.Fatal(err)
		}
	}
}

// A list of nothing is mostly a slip: that it holds nothing is said.
func TestAListOfNothing(t *testing.T) {
	for content, want := range map[string]string{
		"mailbox,message_id\n":            "nothing is listed: after the names of the columns no line follows",
		"mailbox,message_id\nana,<a@b>\n": "",
	} {
		inv := listed(t, content)
		if got := strings.Join(inv.Problems, "; "); want == "" && got != "" || !strings.HasSuffix(got, want) {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}
