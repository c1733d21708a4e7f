package logtest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// Golden reads in and compares its events, what they mean and its defects, one a line as Dump, "  "+DumpObservation and
// DumpDefect write them, with want. White space around want and its lines does not count.
func Golden(tb testing.TB, f logs.Format, in, want string) {
	tb.Helper()
	out := Events(tb, f, "golden.log", []byte(in))
	p := f.Parser()
	var got []string
	for i := range out.Events {
		e := &out.Events[i]
		got = append(got, Dump(e))
		for _, o := range p.Observe(e, nil) {
			got = append(got, DumpObservation(o))
		}
	}
	for _, d := range out.Defects {
		got = append(got, DumpDefect(d))
	}
	var wanted []string
	for l := range strings.Lines(want) {
		if l = strings.TrimSpace(l); l != "" {
			wanted = append(wanted, l)
		}
	}
	if d := diff(got, wanted); d != "" {
		tb.Errorf("%s reads\n%s\n%s", f.Name, in, d)
	}
}

// Options says what Check cannot know.
type Options struct {
	// Path names the stream; "" is "test.log".
	Path string
	// Header reports whether a line belongs to no event because it is a header or a comment. Nil: lines that begin with '#'.
	Header func(line []byte) bool
	// Gap reports whether bytes between events are not lost: separators of a format that is not made of lines. Nil: white space.
	Gap func(p []byte) bool
	// Allocs is how many allocations reading data may cost per event; the promise is 0.
	Allocs float64
}

func (o *Options) defaults() {
	if o.Path == "" {
		o.Path = "test.log"
	}
	if o.Header == nil {
		o.Header = func(line []byte) bool { return bytes.HasPrefix(line, []byte("#")) }
	}
	if o.Gap == nil {
		o.Gap = func(p []byte) bool { return len(bytes.TrimSpace(p)) == 0 }
	}
}

// truncated bounds how much of data is tried at every length: the work grows with the square.
const truncated = 3000

// Check checks on data, which is a whole stream, what every format promises: the same events however the stream is cut and however
// it arrives; the events of what remains when it is cut off at any byte; every byte in an event, a header, white space
// or a defect; no allocation in the steady state.
func Check(t *testing.T, newFormat func() logs.Format, data []byte, o Options) {
	t.Helper()
	o.defaults()
	f := newFormat()
	s := Source(o.Path, data)
	whole := Read(t, f, s, data, logs.MaxBlock, 0)
	want := dumpAll(f.Parser(), whole)

	t.Run("Cuts", func(t *testing.T) {
		for _, size := range []int{1, 7, 40, 100, 300, 1000, 5000} {
			got := dumpAll(f.Parser(), Read(t, newFormat(), s, data, logs.MaxBlock, size))
			if d := diff(got, want); d != "" {
				t.Fatalf("blocks of about %d bytes:\n%s", size, d)
			}
		}
	})
	t.Run("Windows", func(t *testing.T) {
		for _, window := range []int{1, 13, 4096} {
			if window == 1 && len(data) > 20_000 {
				continue
			}
			got := dumpAll(f.Parser(), Read(t, newFormat(), s, data, window, 200))
			if d := diff(got, want); d != "" {
				t.Fatalf("stream that arrives %d bytes at a time:\n%s", window, d)
			}
		}
	})
	t.Run("AnyOrderOfBlocks", func(t *testing.T) {
		blocks := Blocks(t, f, s, data, logs.MaxBlock, 150)
		p := f.Parser()
		parts := make([]*event.Batch, len(blocks))
		for i := len(blocks) - 1; i >= 0; i-- {
			parts[i] = new(event.Batch)
			p.Parse(blocks[i], parts[i])
		}
		all := new(event.Batch)
		for _, b := range parts {
			all.Events = append(all.Events, b.Events...)
			all.Defects = append(all.Defects, b.Defects...)
		}
		if d := diff(dumpAll(p, all), want); d != "" {
			t.Fatalf("blocks parsed last to first:\n%s", d)
		}
	})
	t.Run("Truncated", func(t *testing.T) {
		n := min(len(data), truncated)
		for k := range n {
			// A Parser holds caches; they must not make what it returns depend on what it saw before.
			part := Read(t, f, s, data[:k], logs.MaxBlock, 0)
			i := 0
			for ; i < len(whole.Events) && whole.Events[i].Offset+int64(len(whole.Events[i].Raw)) < int64(k); i++ {
				if i >= len(part.Events) {
					t.Fatalf("the first %d bytes have %d events; the event on line %d is missing", k, len(part.Events), whole.Events[i].Line)
				}
				if g, w := Dump(&part.Events[i]), Dump(&whole.Events[i]); g != w {
					t.Fatalf("the first %d bytes: event %d\n got %s\nwant %s", k, i, g, w)
				}
			}
			if len(part.Events) > i+1 {
				t.Fatalf("the first %d bytes have %d events, want %d and what is left of one", k, len(part.Events), i)
			}
			accounted(t, part, data[:k], o)
		}
	})
	t.Run("EveryByte", func(t *testing.T) { accounted(t, whole, data, o) })
	t.Run("Allocations", func(t *testing.T) {
		if len(whole.Events) == 0 || poison {
			t.Skip("no events, or batches that allocate when they are released")
		}
		blocks := Blocks(t, f, s, data, logs.MaxBlock, 0)
		p := f.Parser()
		out := new(event.Batch)
		var obs []logs.Observation
		var ids []logs.Identity
		answerer, _ := p.(logs.Answerer)
		identifier, _ := p.(logs.Identifier)
		allocs := testing.AllocsPerRun(20, func() {
			out.Reset()
			for _, b := range blocks {
				p.Parse(b, out)
			}
			for i := range out.Events {
				e := &out.Events[i]
				if obs = p.Observe(e, obs[:0]); answerer != nil && len(obs) == 0 {
					answerer.Answer(e)
				}
				if identifier != nil {
					ids = identifier.Identities(e, ids[:0])
				}
			}
		})
		if per := allocs / float64(len(whole.Events)); per > o.Allocs {
			t.Errorf("%.2f allocations per event, want at most %.2f", per, o.Allocs)
		}
	})
}

// Fuzz adds the seeds, the way they are and repeated, and fuzzes the format: it may neither panic nor lose a byte nor depend on how the
// stream is cut.
func Fuzz(f *testing.F, newFormat func() logs.Format, o Options, seeds ...string) {
	o.defaults()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	format := newFormat()
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Source(o.Path, data)
		format.Sniff(s)
		whole := Read(t, format, s, data, logs.MaxBlock, 0)
		accounted(t, whole, data, o)
		want := dumpAll(format.Parser(), whole)
		got := dumpAll(format.Parser(), Read(t, format, s, data, logs.MaxBlock, 1+len(data)/3))
		if d := diff(got, want); d != "" {
			t.Fatalf("cut in three:\n%s", d)
		}
	})
}

// accounted fails the test if a byte of data belongs to no event, defect, header or gap, if events overlap, or if one is
// not where it says it is.
func accounted(t *testing.T, out *event.Batch, data []byte, o Options) {
	t.Helper()
	type span struct{ from, to int64 }
	var taken []span
	for i := range out.Events {
		e := &out.Events[i]
		end := e.Offset + int64(len(e.Raw))
		if e.Offset < 0 || end > int64(len(data)) || !bytes.Equal(e.Raw, data[e.Offset:end]) {
			t.Fatalf("event %d is not at offset %d:\n%s", i, e.Offset, Dump(e))
		}
		if line := int64(bytes.Count(data[:e.Offset], []byte{'\n'})) + 1; e.Line != 0 && e.Line != line && len(data) < 50_000 {
			t.Fatalf("event %d is on line %d and says %d:\n%s", i, line, e.Line, Dump(e))
		}
		if len(e.Values) != e.Shape.Variable() {
			t.Fatalf("event %d has %d values for %d fields", i, len(e.Values), e.Shape.Variable())
		}
		taken = append(taken, span{e.Offset, end})
	}
	slices.SortFunc(taken, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(taken); i++ {
		if taken[i].from < taken[i-1].to {
			t.Fatalf("two events at offset %d", taken[i].from)
		}
	}
	for _, d := range out.Defects {
		if d.Reason == "" || d.Length <= 0 || d.Offset < 0 || d.Offset+d.Length > int64(len(data)) {
			t.Fatalf("bad defect in %d bytes: %s", len(data), DumpDefect(d))
		}
		taken = append(taken, span{d.Offset, d.Offset + d.Length})
	}
	slices.SortFunc(taken, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	lost := func(from, to int64) {
		gap := data[from:to]
		if from == 0 {
			gap = bytes.TrimPrefix(gap, []byte("\xEF\xBB\xBF"))
		}
		if o.Gap(gap) {
			return
		}
		for line := range bytes.Lines(gap) {
			if line = bytes.TrimSpace(line); len(line) > 0 && !o.Header(line) && !o.Gap(line) {
				t.Fatalf("bytes at offset %d belong to nothing: %.200q", from, line)
			}
		}
	}
	pos := int64(0)
	for _, s := range taken {
		if s.from > pos {
			lost(pos, s.from)
		}
		pos = max(pos, s.to)
	}
	if pos < int64(len(data)) {
		lost(pos, int64(len(data)))
	}
}

// diff says where two lists of lines first differ; "" if nowhere.
func diff(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("%d lines, want %d; first difference in line %d:\n got %s\nwant %s", len(got), len(want), i+1, g, w)
		}
	}
	return ""
}
