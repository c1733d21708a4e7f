package lines_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/lines"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

// plain is a format whose events are lines.
func plain() logs.Format {
	shape := event.NewShape("plain", nil, []event.Field{{Name: "line"}})
	return logs.Format{
		Name:   "plain",
		Sniff:  func(*logs.Source) logs.Certainty { return logs.Possible },
		Cutter: func(*logs.Source) logs.Cutter { return new(lines.Cutter) },
		Parser: func() logs.Parser { return plainParser{shape} },
	}
}

type plainParser struct{ shape *event.Shape }

func (p plainParser) Parse(b *logs.Block, out *event.Batch) {
	part, _ := b.State.(lines.Part)
	for s := lines.Scan(b, part, out); s.Next(); {
		e := out.Add(p.shape)
		e.Values[0] = event.Value{Data: s.Line, Kind: event.UTF8}
		e.Raw, e.Offset, e.Line = s.Line, s.Offset, s.Number
	}
}

func (plainParser) Observe(_ *event.Event, obs []logs.Observation) []logs.Observation { return obs }

func TestLines(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		out := logtest.Events(t, plain(), "x", []byte(in))
		var got []string
		for _, e := range out.Events {
			got = append(got, fmt.Sprintf("%d:%d:%s", e.Line, e.Offset, e.Raw))
		}
		for _, d := range out.Defects {
			got = append(got, fmt.Sprintf("%d:%d+%d:%s", d.Line, d.Offset, d.Length, d.Reason))
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q:\n got %q\nwant %q", in, got, want)
		}
	}
	zeros := strings.Repeat("\x00", 20)
	f("")
	f("a", "1:0:a")
	f("a\nb\n", "1:0:a", "2:2:b")
	f("a\r\nb\r\n\r\n\nc", "1:0:a", "2:3:b", "5:9:c")
	f("\xEF\xBB\xBFa\n\xEF\xBB\xBFb", "1:3:a", "2:5:\xEF\xBB\xBFb")
	f("\xFF\xFE\x80\n", "1:0:\xFF\xFE\x80")
	f("a\x00b\n", "1:0:a\x00b")
	f("a\n"+zeros, "1:0:a", "2:2+20:"+lines.ZeroRun)
	f("a"+zeros+"b\nc", "1:0:a", "1:21:b", "2:23:c", "1:1+20:"+lines.ZeroRun)
	f("a\x00\x00\n\x00b", "1:0:a", "2:5:b", "1:1+2:"+lines.ZeroRun, "2:4+1:"+lines.ZeroRun)
	f("\x00\n\x00", "1:0+1:"+lines.ZeroRun, "2:2+1:"+lines.ZeroRun)
}

func TestOverlongIsOneDefect(t *testing.T) {
	f := func(name string, data []byte, events int, want ...string) {
		t.Helper()
		for _, window := range []int{logs.MaxBlock, 1 << 20, 300_001} {
			s := logtest.Source("x", data)
			out := logtest.Read(t, plain(), s, data, window, 0)
			var got []string
			for _, d := range out.Defects {
				got = append(got, fmt.Sprintf("%d:%d+%d:%s", d.Line, d.Offset, d.Length, d.Reason))
			}
			if len(out.Events) != events || strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s, %d bytes at a time: %d events, defects %q; want %d, %q", name, window, len(out.Events), got, events, want)
			}
		}
	}
	a := func(n int) []byte { return bytes.Repeat([]byte("a"), n) }
	z := func(n int) []byte { return make([]byte, n) }
	cat := func(p ...[]byte) []byte { return bytes.Join(p, nil) }
	nl := []byte("x\n")
	const m = logs.MaxBlock
	f("just short enough", cat(nl, a(m-1), nl[1:], nl), 3)
	f("long", cat(nl, a(m), nl[1:], nl), 2, fmt.Sprintf("2:2+%d:%s", m+1, lines.TooLong))
	f("very long", cat(nl, a(3*m+5), nl[1:], nl), 2, fmt.Sprintf("2:2+%d:%s", 3*m+6, lines.TooLong))
	f("long to the end", cat(nl, a(2*m)), 1, fmt.Sprintf("2:2+%d:%s", 2*m, lines.TooLong))
	f("zero tail", cat(nl, nl[:1], z(2*m+9)), 2, fmt.Sprintf("2:3+%d:%s", 2*m+9, lines.ZeroRun))
	f("zeros between", cat(nl, z(2*m), nl, nl), 3, fmt.Sprintf("2:2+%d:%s", 2*m, lines.ZeroRun))
}

func TestPlainKeepsThePromises(t *testing.T) {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "line %d %s\r\n", i, strings.Repeat("x", i%50))
	}
	b.WriteString("\n\n" + strings.Repeat("\x00", 40) + "tail" + strings.Repeat("\x00", 99))
	logtest.Check(t, plain, []byte("\xEF\xBB\xBF"+b.String()), logtest.Options{})
}

func FuzzLines(f *testing.F) {
	logtest.Fuzz(f, plain, logtest.Options{}, "a\nb\r\n", "\xEF\xBB\xBFa\x00\x00\n"+strings.Repeat("\x00", 40)+"b\n", "\r\r\n\n")
}

func BenchmarkScan(b *testing.B) {
	data := bytes.Repeat([]byte(strings.Repeat("x", 150)+"\n"), 3000)
	block := &logs.Block{Source: logtest.Source("x", data), Data: data, Line: 1, First: true}
	p, out := plain().Parser(), new(event.Batch)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		p.Parse(block, out)
	}
}
