package evtx

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/evtxtest"
	"pgregory.net/rapid"
)

var at = time.Date(2021, 3, 3, 6, 49, 46, 210543200, time.UTC)

func logon(account, ip string) evtxtest.Event {
	return evtxtest.Event{
		Provider: "Microsoft-Windows-Security-Auditing", Channel: "Security", Computer: "ex1.example.org",
		ProviderGUID: evtxtest.GUID{0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xA5, 0xBA, 0x3E, 0x3B, 0x03, 0x28, 0xC3, 0x0D},
		ID:           4624, Version: 2, Task: 12544, Keywords: 0x8020000000000000, Time: at, ProcessID: 704, ThreadID: 708,
		Data: []evtxtest.Field{
			{Name: "TargetUserSid", Value: evtxtest.SID("S-1-5-21-1-2-3-1104")},
			{Name: "TargetUserName", Value: account},
			{Name: "TargetLogonId", Value: evtxtest.Hex64(0x3E7)},
			{Name: "LogonType", Value: uint32(3)},
			{Name: "IpAddress", Value: ip},
		},
	}
}

// decode returns what each gives for the records of a chunk, and the defects.
func decode(tb testing.TB, d *Decoder, chunk []byte, each func(*Record) string) (texts, defects []string) {
	tb.Helper()
	d.Begin(chunk)
	sum := 0
	for r := d.Next(); r != nil; r = d.Next() {
		texts = append(texts, each(r))
		sum += r.Size
	}
	for _, x := range d.Defects() {
		defects = append(defects, fmt.Sprintf("%d+%d: %s", x.Offset, x.Length, x.Reason))
	}
	if n := sum + accounted(d); n != len(chunk) {
		tb.Errorf("%d bytes accounted for, the chunk has %d", n, len(chunk))
	}
	return texts, defects
}

func asJSON(r *Record) string { return string(r.AppendJSON(nil)) }

// data returns the part of the JSON after System.
func data(r *Record) string {
	_, text, _ := strings.Cut(asJSON(r), `"Security":null},`)
	return strings.TrimSuffix(text, "}}")
}

func TestRecordAsJSON(t *testing.T) {
	file := evtxtest.File([]evtxtest.Event{logon("ana", "192.0.2.7")})
	got, defects := decode(t, NewDecoder(NewTemplates()), chunks(file)[0], asJSON)
	want := `{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{` +
		`"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing","Guid":"{54849625-5478-4994-a5ba-3e3b0328c30d}"}},` +
		`"EventID":4624,"Version":2,"Level":0,"Task":12544,"Opcode":0,"Keywords":"0x8020000000000000",` +
		`"TimeCreated":{"#attributes":{"SystemTime":"2021-03-03T06:49:46.210543Z"}},"EventRecordID":1,"Correlation":null,` +
		`"Execution":{"#attributes":{"ProcessID":704,"ThreadID":708}},"Channel":"Security","Computer":"ex1.example.org","Security":null},` +
		`"EventData":{"TargetUserSid":"S-1-5-21-1-2-3-1104","TargetUserName":"ana","TargetLogonId":"0x3e7","LogonType":3,"IpAddress":"192.0.2.7"}}}`
	if len(got) != 1 || got[0] != want || defects != nil {
		t.Errorf("got  %q\nwant %q\ndefects %q", got, want, defects)
	}
}

func TestFieldsAndSystemFields(t *testing.T) {
	file := evtxtest.File([]evtxtest.Event{logon("ana", "192.0.2.7")})
	d := NewDecoder(NewTemplates())
	d.Begin(chunks(file)[0])
	r := d.Next()
	if r == nil {
		t.Fatal("no record")
	}
	f := func(s SystemField, want string) {
		t.Helper()
		if got := string(r.System(s).AppendText(nil)); got != want {
			t.Errorf("System(%d): got %q, want %q", s, got, want)
		}
	}
	f(ProviderName, "Microsoft-Windows-Security-Auditing")
	f(ProviderGUID, "{54849625-5478-4994-a5ba-3e3b0328c30d}")
	f(EventID, "4624")
	f(Qualifiers, "")
	f(Version, "2")
	f(Level, "0")
	f(Task, "12544")
	f(Opcode, "0")
	f(Keywords, "0x8020000000000000")
	f(TimeCreated, "2021-03-03T06:49:46.210543Z")
	f(EventRecordID, "1")
	f(ActivityID, "")
	f(RelatedActivityID, "")
	f(ProcessID, "704")
	f(ThreadID, "708")
	f(Channel, "Security")
	f(Computer, "ex1.example.org")
	f(UserID, "")
	if r.ID != 1 || r.Written != at.UnixNano() || r.Offset != 512 || r.Recovered || !r.Layout.Shared {
		t.Errorf("record: %+v", r)
	}
	var got []string
	for i, f := range r.Layout.Fields {
		if strings.Contains(f.Path, "EventData") || strings.Contains(f.Path, "Provider") {
			got = append(got, f.Path+" "+f.Name+" "+string(r.Value(i).AppendText(nil)))
		}
	}
	want := []string{
		"Event/System/Provider@Name Provider_Name Microsoft-Windows-Security-Auditing",
		"Event/System/Provider@Guid Provider_Guid {54849625-5478-4994-a5ba-3e3b0328c30d}",
		"Event/EventData/Data[TargetUserSid] TargetUserSid S-1-5-21-1-2-3-1104",
		"Event/EventData/Data[TargetUserName] TargetUserName ana",
		"Event/EventData/Data[TargetLogonId] TargetLogonId 0x3e7",
		"Event/EventData/Data[LogonType] LogonType 3",
		"Event/EventData/Data[IpAddress] IpAddress 192.0.2.7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestShapesOfEventData(t *testing.T) {
	f := func(want string, userData string, fields ...evtxtest.Field) {
		t.Helper()
		e := logon("", "")
		e.Data, e.UserData = fields, userData
		got, defects := decode(t, NewDecoder(NewTemplates()), chunks(evtxtest.File([]evtxtest.Event{e}))[0], data)
		if len(got) != 1 || got[0] != want || defects != nil {
			t.Errorf("got %q, want %q; defects %q", got, want, defects)
		}
	}
	F := func(name string, v any) evtxtest.Field { return evtxtest.Field{Name: name, Value: v} }
	f(``, "")
	f(`"EventData":{"A":"","B":""}`, "", F("A", ""), F("B", nil))
	f(`"EventData":{"A":"1","A_1":"2"}`, "", F("A", "1"), F("A", "2"))
	f(`"EventData":{"Data":{"#text":"one"}}`, "", F("", "one"))
	f(`"EventData":{"Data":{"#text":["one",2,""]}}`, "", F("", "one"), F("", int32(2)), F("", nil))
	f(`"EventData":{"Data":{"#text":["one","","three"]}}`, "", F("", []string{"one", "", "three"}))
	f(`"EventData":{"Data":{"#text":"one"}}`, "", F("", []string{"one"}))
	f(`"EventData":{"A":["x","y"]}`, "", F("A", []string{"x", "y"}))
	f(`"EventData":{"A":true,"B":-1,"C":"FF00","D":"caf\té","E":"1.5","F":"\"\\\n"}`, "",
		F("A", true), F("B", int8(-1)), F("C", []byte{0xFF, 0}), F("D", evtxtest.ANSI("caf\t\xe9")), F("E", 1.5), F("F", "\"\\\n"))
	f(`"UserData":{"LogFileCleared":{"SubjectUserName":"ana","Channel":"System"}}`, "LogFileCleared",
		F("SubjectUserName", "ana"), F("Channel", "System"))
	f(`"UserData":{"X":{"Y":null,"Y_1":2}}`, "X", F("Y", nil), F("Y", uint8(2)))
}

func element(name string, content ...any) evtxtest.Element {
	return evtxtest.Element{Name: name, Content: content}
}

func templateOf(id byte, root evtxtest.Element) *evtxtest.Template {
	return &evtxtest.Template{GUID: [16]byte{id, 1, 2, 3}, Root: root}
}

func TestOddContent(t *testing.T) {
	f := func(want string, content any) {
		t.Helper()
		c := evtxtest.NewChunk()
		c.Record(1, at, content)
		got, defects := decode(t, NewDecoder(NewTemplates()), c.Bytes(), asJSON)
		if len(got) != 1 || got[0] != want || defects != nil {
			t.Errorf("got %q, want %q; defects %q", got, want, defects)
		}
	}
	instance := func(root evtxtest.Element, values ...any) evtxtest.Instance {
		var list []evtxtest.Value
		for _, v := range values {
			list = append(list, evtxtest.ValueOf(v))
		}
		return evtxtest.Instance{Template: templateOf(7, root), Values: list}
	}
	sub, opt := func(n int) any { return evtxtest.Subst(n) }, func(n int) any { return evtxtest.Optional(n) }
	name := func(n string, content ...any) []evtxtest.Attr { return []evtxtest.Attr{{Name: n, Content: content}} }

	// Text put together of several values.
	f(`{"E":"1 - é😀 &<A]>"}`, instance(element("E", sub(0), " - ", sub(1), " ", evtxtest.Entity("amp"), evtxtest.Entity("lt"),
		evtxtest.Char('A'), evtxtest.CData("]>")), uint8(1), "é😀"))
	f(`{"E":{"#attributes":{"a":"x1y"},"#text":"t"}}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", "x", sub(0), "y"),
		Content: []any{"t"}}, uint8(1)))
	// Attributes that may be missing.
	f(`{"E":5}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", opt(0)), Content: []any{sub(1)}}, nil, uint8(5)))
	f(`{"E":{"#attributes":{"a":9},"#text":5}}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", opt(0)), Content: []any{sub(1)}}, uint8(9), uint8(5)))
	f(`{"E":null}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", opt(0)), Content: []any{opt(1)}}, nil, nil))
	f(`{"E":{"F":null}}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", opt(0)), Content: []any{element("F")}}, nil))
	f(`{"E":{"#attributes":{"a":"v"},"F":null}}`, instance(evtxtest.Element{Name: "E", Attrs: name("a", opt(0)), Content: []any{element("F")}}, "v"))
	// Values that the template asks for and the record does not have.
	f(`{"E":{"F":1,"G":null}}`, instance(element("E", element("F", sub(0)), element("G", sub(7))), uint8(1)))
	// Text beside elements.
	f(`{"E":{"#text":"before 1 after","F":null}}`, instance(element("E", "before ", element("F"), sub(0), " after"), uint8(1)))
	// Templates in values, several deep, and the same value twice.
	inner := evtxtest.Instance{Template: templateOf(9, element("In", sub(0))), Values: []evtxtest.Value{evtxtest.ValueOf("deep")}}
	middle := evtxtest.Instance{Template: templateOf(8, element("Mid", sub(1), element("x", sub(0)))),
		Values: []evtxtest.Value{evtxtest.ValueOf(uint16(6)), evtxtest.Nested(inner)}}
	f(`{"E":{"Mid":{"In":"deep","x":6},"Mid_1":{"In":"deep","x":6},"tail":2}}`,
		instance(element("E", sub(0), sub(0), element("tail", sub(1))), middle, uint8(2)))
	// Fragments without template, as the record and as a value.
	literal := evtxtest.Literal{Root: element("EventData", evtxtest.Element{Name: "Data", Attrs: name("Name", "A"),
		Content: []any{"one"}}, element("Data", "two"))}
	f(`{"EventData":{"A":"one","Data":{"#text":"two"}}}`, literal)
	f(`{"E":{"EventData":{"A":"one","Data":{"#text":"two"}},"n":3}}`, instance(element("E", sub(0), element("n", sub(1))), literal, uint8(3)))
	// An element Data whose name is a value.
	f(`{"EventData":{"Data":{"#attributes":{"Name":"dyn"},"#text":"v"}}}`,
		instance(element("EventData", evtxtest.Element{Name: "Data", Attrs: name("Name", sub(0)), Content: []any{sub(1)}}), "dyn", "v"))
}

func TestNestingHasAnEnd(t *testing.T) {
	f := func(depth int, want string) {
		t.Helper()
		tmpl := templateOf(7, element("E", evtxtest.Subst(0)))
		v := evtxtest.ValueOf("x")
		for range depth {
			v = evtxtest.Nested(evtxtest.Instance{Template: tmpl, Values: []evtxtest.Value{v}})
		}
		c := evtxtest.NewChunk()
		c.Record(1, at, evtxtest.Instance{Template: tmpl, Values: []evtxtest.Value{v}})
		got, defects := decode(t, NewDecoder(NewTemplates()), c.Bytes(), asJSON)
		if text := strings.Join(append(got, defects...), "; "); !strings.Contains(text, want) {
			t.Errorf("%d deep: got %s, want %s", depth, text, want)
		}
	}
	f(maxNesting, `{"E":{"E":`)
	f(maxNesting+1, whyFragments)

	e := element("E")
	for range maxElementDepth - 1 {
		e = element("E", e)
	}
	c := evtxtest.NewChunk()
	c.Record(1, at, evtxtest.Instance{Template: templateOf(1, e)})
	c.Record(2, at, evtxtest.Instance{Template: templateOf(2, element("E", e))})
	if got, defects := decode(t, NewDecoder(NewTemplates()), c.Bytes(), asJSON); len(got) != 1 || len(defects) != 1 || !strings.Contains(defects[0], whyDepth) {
		t.Errorf("got %d records, defects %q", len(got), defects)
	}
}

// testChunk returns a chunk of n records and their offsets.
func testChunk(n int) ([]byte, []int) {
	w, c := evtxtest.NewWriter(), evtxtest.NewChunk()
	for i := range n {
		e := logon(fmt.Sprintf("user%d", i), "198.51.100.1")
		id, content := w.Content(&e)
		c.Record(id, e.Time, content)
	}
	return c.Bytes(), c.Offsets
}

func ids(r *Record) string {
	if r.Recovered {
		return fmt.Sprintf("(%d)", r.ID)
	}
	return fmt.Sprint(r.ID)
}

func TestDamage(t *testing.T) {
	pristine, offsets := testChunk(5)
	size := func(i int) int { return int(binary.LittleEndian.Uint32(pristine[offsets[i]+4:])) }
	f := func(name string, damage func(p []byte) []byte, want string, reasons ...string) {
		t.Helper()
		got, defects := decode(t, NewDecoder(NewTemplates()), damage(slices.Clone(pristine)), ids)
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got records %s, want %s", name, s, want)
		}
		if !slices.Equal(defects, reasons) {
			t.Errorf("%s: got  %q\nwant %q", name, defects, reasons)
		}
	}
	put := func(at int, n uint32) func([]byte) []byte {
		return func(p []byte) []byte {
			binary.LittleEndian.PutUint32(p[at:], n)
			evtxtest.Seal(p)
			return p
		}
	}
	f("none", func(p []byte) []byte { return p }, "1 2 3 4 5")
	f("zeros", func(p []byte) []byte { clear(p); return p }, "")
	f("header checksum", func(p []byte) []byte { p[124]++; return p }, "1 2 3 4 5", "0+0: wrong checksum of the chunk header")
	f("records checksum", func(p []byte) []byte {
		p[52]++
		binary.LittleEndian.PutUint32(p[124:], headerChecksum(p))
		return p
	}, "1 2 3 4 5", "512+0: wrong checksum of the records")
	f("magic of the chunk", func(p []byte) []byte { p[0]++; return p }, "(1) (2) (3) (4) (5)",
		"0+512: chunk header does not begin with ElfChnk")
	f("magic of a record", put(offsets[2], 0), "1 2 4 5",
		fmt.Sprintf("%d+%d: no record where one was expected", offsets[2], size(2)))
	f("size 0", put(offsets[2]+4, 0), "1 2 4 5", fmt.Sprintf("%d+%d: impossible size of a record: 0", offsets[2], size(2)))
	f("size beyond the chunk", put(offsets[2]+4, 1<<31), "1 2 4 5",
		fmt.Sprintf("%d+%d: impossible size of a record: 2147483648", offsets[2], size(2)))
	f("other size", put(offsets[2]+4, 64), "1 2 4 5", fmt.Sprintf("%d+%d: the two sizes of a record differ", offsets[2], size(2)))
	f("other size at the end", put(offsets[3]-4, 64), "1 2 3 4 5", fmt.Sprintf("%d+0: the two sizes of a record differ", offsets[2]))
	f("template outside", put(offsets[2]+24+4+6, 70000), "1 2 4 5",
		fmt.Sprintf("%d+%d: record 3: template definition outside the chunk", offsets[2], size(2)))
	f("template replaced", put(offsets[2]+24+4+2, 77), "1 2 4 5",
		fmt.Sprintf("%d+%d: record 3: template definition replaced by something else", offsets[2], size(2)))
	f("too many values", put(offsets[2]+24+4+10, 1<<30), "1 2 4 5",
		fmt.Sprintf("%d+%d: record 3: values beyond the end of the record", offsets[2], size(2)))
	f("end too early", put(48, uint32(offsets[3])), "1 2 3 (4) (5)")
	f("end impossible", put(48, 100_000), "1 2 3 4 5", "48+0: impossible end of the records: 100000")
	f("end too late", put(48, uint32(offsets[4]+size(4)+100)), "1 2 3 4 5",
		fmt.Sprintf("%d+100: zeros where the chunk header says there are records", offsets[4]+size(4)))
	f("cut", func(p []byte) []byte { return p[:offsets[3]+10] }, "1 2 3",
		fmt.Sprintf("%d+0: chunk cut short: %d bytes of 65536", offsets[3]+10, offsets[3]+10),
		fmt.Sprintf("%d+10: no record where one was expected", offsets[3]))
	f("cut in the header", func(p []byte) []byte { return p[:100] }, "",
		"100+0: chunk cut short: 100 bytes of 65536", "0+100: chunk header cut short")
	f("zeroed tail", func(p []byte) []byte { clear(p[offsets[3]:]); evtxtest.Seal(p); return p }, "1 2 3",
		fmt.Sprintf("%d+%d: zeros where the chunk header says there are records", offsets[3], offsets[4]+size(4)-offsets[3]))
}

func TestChunkCutAnywhereIsAccountedFor(t *testing.T) {
	chunk, offsets := testChunk(3)
	d := NewDecoder(NewTemplates())
	for n := range offsets[2] + 700 {
		got, defects := decode(t, d, chunk[:n], ids)
		want := 0
		for i := range offsets {
			if n >= offsets[i]+int(binary.LittleEndian.Uint32(chunk[offsets[i]+4:])) {
				want++
			}
		}
		if len(got) != want || n > 0 && len(defects) == 0 {
			t.Fatalf("%d bytes: got %d records, want %d; defects %q", n, len(got), want, defects)
		}
	}
}

func TestEqualTemplatesShareALayout(t *testing.T) {
	ts := NewTemplates()
	layouts := make(map[*Layout]bool)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			d := NewDecoder(ts)
			w, c := evtxtest.NewWriter(), evtxtest.NewChunk()
			other := evtxtest.Event{Provider: "P", Channel: "C", Computer: "h.example.net", Time: at}
			for range i { // so that the templates stand elsewhere in each chunk
				id, content := w.Content(&other)
				c.Record(id, at, content)
			}
			e := logon("ana", "203.0.113.1")
			id, content := w.Content(&e)
			c.Record(id, at, content)
			d.Begin(c.Bytes())
			for r := d.Next(); r != nil; r = d.Next() {
				if len(r.Layout.Fields) > 20 {
					mu.Lock()
					layouts[r.Layout] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if len(layouts) != 1 {
		t.Errorf("got %d layouts, want 1", len(layouts))
	}
}

func TestTemplatesAreBounded(t *testing.T) {
	ts := NewTemplates()
	d := NewDecoder(ts)
	ts.bytes, ts.layouts = maxTemplateBytes, maxLayouts
	chunk, _ := testChunk(2)
	got, defects := decode(t, d, chunk, func(r *Record) string {
		if r.Layout.Shared {
			t.Error("a layout is shared beyond the bound")
		}
		return asJSON(r)
	})
	if len(got) != 2 || defects != nil {
		t.Errorf("got %q, defects %q", got, defects)
	}
	if n, m := ts.Len(); n != 0 || m != maxLayouts {
		t.Errorf("kept %d templates and %d layouts", n, m)
	}
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	chunk, _ := testChunk(40)
	d := NewDecoder(NewTemplates())
	var text []byte
	run := func() {
		d.Begin(chunk)
		for r := d.Next(); r != nil; r = d.Next() {
			text = r.AppendJSON(text[:0])
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n != 0 {
		t.Errorf("%v allocations for a chunk of 40 records, want none", n)
	}
}

func TestDamagedBytesAreAccountedFor(t *testing.T) {
	pristine, _ := testChunk(12)
	d := NewDecoder(NewTemplates())
	rapid.Check(t, func(rt *rapid.T) {
		p := slices.Clone(pristine)
		for range rapid.IntRange(1, 8).Draw(rt, "edits") {
			at := rapid.IntRange(0, 12*800).Draw(rt, "at")
			copy(p[at:], rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(rt, "bytes"))
		}
		p = p[:rapid.IntRange(0, len(p)).Draw(rt, "length")]
		check(rt, d, p)
	})
}

func TestFileHeader(t *testing.T) {
	file := evtxtest.File([]evtxtest.Event{logon("ana", "192.0.2.7")})
	h, err := ParseFileHeader(file)
	if want := (FileHeader{NextRecordID: 2, Chunks: 1, Major: 3, Minor: 1, ChecksumOK: true}); err != nil || h != want {
		t.Errorf("got %+v, %v, want %+v", h, err, want)
	}
	file[120] = 3
	if h, _ := ParseFileHeader(file); !h.Dirty || !h.Full || h.NoChecksums {
		t.Errorf("flags 3: got %+v", h)
	}
	file[30]++
	if h, err := ParseFileHeader(file); err != nil || h.ChecksumOK {
		t.Errorf("damaged header: got %+v, %v", h, err)
	}
	if _, err := ParseFileHeader(file[:127]); err != ErrShortHeader {
		t.Errorf("short header: got %v", err)
	}
	if _, err := ParseFileHeader([]byte("ElfChnk\x00")); err != ErrNotEventLog {
		t.Errorf("no header: got %v", err)
	}
}
