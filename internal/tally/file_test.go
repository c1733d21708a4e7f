package tally

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// seen is an observation and where it was made.
type seen struct {
	at Place
	o  logs.Observation
}

// pick draws one of a few texts, of which some are awkward.
func pick(t *rapid.T, label string, list ...string) []byte {
	return []byte(rapid.SampledFrom(list).Draw(t, label))
}

func drawSeen(t *rapid.T) seen {
	var s seen
	s.at.Host = string(pick(t, "host", "", "ex1", "EX2"))
	s.at.Format = string(pick(t, "format", "iis.w3c", "m365.ual"))
	s.at.Source = rapid.Int32Range(0, 3).Draw(t, "source")
	s.at.Time = 1_600_000_000_000_000_000 + rapid.Int64Range(0, 400).Draw(t, "minutes")*minute
	switch rapid.IntRange(0, 30).Draw(t, "clock") {
	case 0:
		s.at.Time = event.UnknownTime
	case 1:
		s.at.Time = rapid.SampledFrom([]int64{event.UnknownTime + 1, event.UnknownTime + minute, -1, 0, 1<<63 - 1, (1<<63 - 1) - minute}).Draw(t, "edge")
	}
	s.at.Line = rapid.Int64Range(0, 1000).Draw(t, "line")
	s.at.Offset = s.at.Line * 80
	s.at.Record = rapid.Int64Range(0, 3).Draw(t, "record")
	long := strings.Repeat("é", 700)
	s.o = logs.Observation{
		Kind: logs.Kind(rapid.IntRange(0, int(logs.Gap)).Draw(t, "kind")), OK: rapid.Bool().Draw(t, "ok"),
		Account: pick(t, "account", "", "ana", "Ana", "ÉVA@example.org", "a\x00b", "a\x01", "a", long), IP: pick(t, "ip", "", "192.0.2.7", "192.0.2.70"),
		Agent: pick(t, "agent", "", "Mozilla", long), Channel: string(pick(t, "channel", "owa", "ews")),
		Session: pick(t, "session", "", "s1", "s\x01\x02", "s\x01"), Device: pick(t, "device", "", "d"), App: pick(t, "app", "", "a"),
		Action: pick(t, "action", "", "GetItem"), Inference: string(pick(t, "inference", "", logs.Bind, logs.Down)),
		Object: pick(t, "object", "", "<1@example.org>", "ana", "ANA", "\u212Aurt", "kurt", "K\x00", long), ObjectKind: string(pick(t, "object kind", "mailbox", "message")),
		In: pick(t, "in", "", "Ana", "bob", long), Folder: pick(t, "folder", "", "f"), Target: pick(t, "target", "", "x@example.net"),
		Standing: logs.Standing(rapid.IntRange(0, int(logs.Service)).Draw(t, "standing")), Power: logs.Power(rapid.IntRange(0, int(logs.Rule)).Draw(t, "power")),
		Exposure: logs.Exposure(rapid.IntRange(0, int(logs.Content)).Draw(t, "exposure")),
		Bytes:    rapid.SampledFrom([]int64{-5, -1, 0, 7, 1<<63 - 1}).Draw(t, "bytes"), Count: rapid.SampledFrom([]int64{-1, 0, 1, 1<<63 - 1}).Draw(t, "count"),
	}
	if !s.o.OK {
		s.o.Unknown = rapid.Bool().Draw(t, "unknown")
	}
	if rapid.IntRange(0, 9).Draw(t, "wide") == 0 {
		s.o.Before, s.o.After = 2*60e9, 3600e9
	}
	return s
}

// simpler makes observations of which many are alike.
func simpler(s seen, t *rapid.T) seen {
	plain := logs.Observation{Kind: s.o.Kind, OK: s.o.OK, Unknown: s.o.Unknown, Account: []byte("ana"), IP: []byte("192.0.2.7"), Object: s.o.Object, Bytes: 1, Count: -1, Before: s.o.Before}
	s.o, s.at.Host, s.at.Format = plain, "", "iis.w3c"
	return s
}

func list[T any](t testing.TB, seq iter.Seq2[*T, error]) (out []T) {
	t.Helper()
	for x, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, *x)
	}
	return out
}

// same compares two stores in all that they tell.
func same(t testing.TB, got, want Store) {
	t.Helper()
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %+v\nwant %+v", what, got, want)
		}
	}
	if len(got.Contexts()) > 0 || len(want.Contexts()) > 0 {
		check("contexts", got.Contexts(), want.Contexts())
	}
	if len(got.Streams()) > 0 || len(want.Streams()) > 0 {
		check("streams", got.Streams(), want.Streams())
	}
	places := map[string]bool{"": true, "nowhere": true, "KURT": true}
	for i := range want.Contexts() {
		check("began", got.Began(i), want.Began(i)) // before its visits are held, and after
		g, w := got.Visits(i), want.Visits(i)
		if len(g) > 0 || len(w) > 0 {
			check("visits", g, w)
		}
		check("began", got.Began(i), want.Began(i))
		acts := list(t, want.Acts(i))
		check("acts", list(t, got.Acts(i)), acts)
		for _, a := range acts {
			if places[a.In] = true; a.In == "" {
				places[a.Object] = true
			}
		}
	}
	check("powers", list(t, got.Powers()), list(t, want.Powers()))
	check("gaps", list(t, got.Gaps()), list(t, want.Gaps()))
	check("tries", list(t, got.Tries()), list(t, want.Tries()))
	sameJoints(t, got.Joints(), want.Joints())
	gotAnswers, err := got.Answers()
	if err != nil {
		t.Fatal(err)
	}
	wantAnswers, _ := want.Answers()
	check("answers", gotAnswers, wantAnswers)
	g, err := got.Identities()
	if err != nil {
		t.Fatal(err)
	}
	w, err := want.Identities()
	if err != nil {
		t.Fatal(err)
	}
	check("identities", g, w)
	for p := range places {
		check("touched "+p, list(t, got.Touched(p)), list(t, want.Touched(p)))
	}
}

func store(t testing.TB, c *Collection, skip func(int) bool, streams []Stream) ([]byte, *File) {
	t.Helper()
	var out bytes.Buffer
	if err := c.Write(&out, skip, streams, 4); err != nil {
		t.Fatal(err)
	}
	f, err := openStore(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), f
}

func TestStoreOnDiskIsThatInMemory(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		var all []seen
		simple := rapid.Bool().Draw(rt, "simple")
		for range rapid.IntRange(0, 60).Draw(rt, "observations") {
			s := drawSeen(rt)
			if simple {
				s = simpler(s, rt)
			}
			all = append(all, s)
		}
		var streams []Stream
		for i := range rapid.IntRange(0, 3).Draw(rt, "streams") {
			s := Stream{Source: int32(i), Host: "ex1", Format: "iis.w3c", Events: 7, From: -5, To: 1 << 50, Active: []Span{{-5, 0}, {1 << 40, 1 << 50}},
				Beats: []Span{{0, 0}}, Records: []Run{{1, 7, -5, 9}, {9, 9, event.UnknownTime, event.UnknownTime}}, Cut: i == 1, Unread: []Span{{3, 9}}}
			if i == 2 {
				s = Stream{Source: int32(i), From: event.UnknownTime, To: event.UnknownTime, Backwards: 1 << 40, BackwardsAt: Ref{Source: 2, Time: 99, Line: 4}}
			}
			streams = append(streams, s)
		}
		var joints []seenID
		for range rapid.IntRange(0, 30).Draw(rt, "joints") {
			joints = append(joints, drawJoint(rt))
		}
		var answers []handed
		for i := range rapid.IntRange(0, 20).Draw(rt, "answers") {
			at := Ref{Source: int32(rapid.IntRange(0, 3).Draw(rt, "source")), Time: rapid.SampledFrom([]int64{event.UnknownTime, 5, 1 << 40}).Draw(rt, "time"), Line: int64(i), Offset: int64(i)}
			answers = append(answers, handed{rapid.SampledFrom([]string{"", "192.0.2.1", "192.0.2.2", strings.Repeat("x", 70)}).Draw(rt, "client"), at,
				event.Answer{Kind: event.AnswerKind(rapid.IntRange(0, 3).Draw(rt, "kind")), Name: []byte(rapid.SampledFrom([]string{"a.png", "B.css", "caf%C3%A9.dwg"}).Draw(rt, "name")),
					Bytes: rapid.Int64Range(-1, 3).Draw(rt, "bytes"), Ranged: rapid.Bool().Draw(rt, "ranged")}})
		}
		var identities []logs.Identity
		for range rapid.IntRange(0, 9).Draw(rt, "identities") {
			identities = append(identities, logs.Identity{Name: pick(rt, "name", "", "-", "ana", "ANA", "a\x00b", "Éva"), ID: pick(rt, "id", "", "-", "S-1-5-21-1-2-3-4", "s\x01", strings.Repeat("x", 2000))})
		}
		most := rapid.SampledFrom([]int{3, maxIdentities}).Draw(rt, "most")
		mostBytes := rapid.SampledFrom([]int{20, maxIdentityBytes}).Draw(rt, "bytes")
		skipped := rapid.IntRange(-1, 3).Draw(rt, "skipped")
		skip := func(s int) bool { return s == skipped }
		m := &Memory{}
		for i := range all {
			if !skip(int(all[i].at.Source)) {
				m.Add(all[i].at, &all[i].o)
			}
		}
		for _, s := range streams {
			m.AddStream(s)
		}
		m.identities = newIdentitySet()
		m.identities.most, m.identities.mostBytes = most, mostBytes
		for _, i := range identities {
			m.AddIdentity(i)
		}
		if skipped < 0 {
			m.maxIDs = rapid.SampledFrom([]int{0, 5}).Draw(rt, "ids")
		}
		for _, x := range joints {
			if !skip(int(x.at.Source)) {
				m.AddJoint(x.at, x.j)
			}
		}
		for _, x := range answers {
			if !skip(int(x.at.Source)) || x.answer.Kind == event.NamedAnswer {
				m.AddAnswer(x.client, x.at, x.answer)
			}
		}

		// Any order, any number of collectors, and tables of any size.
		var first []byte
		for range 2 {
			c := NewCollection(dir, 1)
			c.memory = rapid.SampledFrom([]int{1, 2000, 1 << 20}).Draw(rt, "memory")
			if m.maxIDs > 0 {
				c.joints.ids, c.joints.sights = m.maxIDs, rapid.SampledFrom([]int{100, 1000}).Draw(rt, "sights")
			}
			workers := make([]*Collector, rapid.IntRange(1, 3).Draw(rt, "workers"))
			for i := range workers {
				workers[i] = c.Collector()
			}
			for _, i := range rapid.Permutation(indices(len(all))).Draw(rt, "order") {
				w := workers[rapid.IntRange(0, len(workers)-1).Draw(rt, "worker")]
				if err := w.Add([]byte(all[i].at.Host), all[i].at.Format, all[i].at.Ref, &all[i].o); err != nil {
					rt.Fatal(err)
				}
			}
			for _, i := range rapid.Permutation(indices(len(joints))).Draw(rt, "order of joints") {
				w, x := workers[rapid.IntRange(0, len(workers)-1).Draw(rt, "worker")], &joints[i]
				if w.Joint([]byte(x.at.Host), x.at.Format, x.at.Source, x.at.Time, &x.j); rapid.Bool().Draw(rt, "hand over") {
					w.joints.flush()
				}
			}
			for _, i := range rapid.Permutation(indices(len(answers))).Draw(rt, "order of answers") {
				w, x := workers[rapid.IntRange(0, len(workers)-1).Draw(rt, "worker")], &answers[i]
				if w.Answer([]byte(x.client), x.at, &x.answer); rapid.Bool().Draw(rt, "hand over") {
					w.answers.flush()
				}
			}
			c.identities.most, c.identities.mostBytes = most, mostBytes
			for _, i := range rapid.Permutation(indices(len(identities))).Draw(rt, "order of identities") {
				workers[rapid.IntRange(0, len(workers)-1).Draw(rt, "worker")].Identity(&identities[i])
			}
			for _, w := range workers {
				if err := w.Flush(); err != nil {
					rt.Fatal(err)
				}
			}
			data, f := store(t, c, skip, streams)
			c.Close()
			same(t, f, m)
			if first == nil {
				first = data
			}
			if !bytes.Equal(data, first) {
				rt.Fatal("the same observations make another file")
			}
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// made returns a store of many acts, in frames and sorted runs of which there are several.
func made(t testing.TB, n int) (*Collection, *Memory) {
	c, m := NewCollection(t.TempDir(), 1), &Memory{}
	c.memory = 1 << 20
	var group sync.WaitGroup
	var mu sync.Mutex
	for w := range 3 {
		group.Go(func() {
			in := c.Collector()
			for i := w; i < n; i += 3 {
				o := logs.Observation{Kind: logs.Access, OK: true, Account: fmt.Appendf(nil, "person%d@example.org", i%40), IP: fmt.Appendf(nil, "192.0.2.%d", i%7),
					Channel: "owa", Session: fmt.Appendf(nil, "session %d", i%90), Inference: logs.Bind, Object: fmt.Appendf(nil, "<%d@example.org>", i), ObjectKind: "message",
					In: fmt.Appendf(nil, "box%d@example.org", i%5), Folder: []byte("inbox"), Exposure: logs.Content, Bytes: int64(i), Count: -1}
				switch i % 50 {
				case 0:
					o.Kind = logs.Capability
				case 1:
					o.Kind, o.OK = logs.Login, false
				case 2:
					o.Kind = logs.Gap
				case 3:
					o.In, o.Object = nil, fmt.Appendf(nil, "BOX%d@example.org", i%5)
				}
				at := Ref{Source: int32(i % 4), Time: int64(i) * minute, Line: int64(i), Offset: int64(i) * 100}
				if err := in.Add([]byte("ex1"), "m365.ual", at, &o); err != nil {
					t.Error(err)
				}
				mu.Lock()
				m.Add(Place{Host: "ex1", Format: "m365.ual", Ref: at}, &o)
				mu.Unlock()
			}
			for i := w; i < n; i += 3 {
				at, j := Place{Host: "ex1", Format: "iis.w3c", Ref: Ref{Source: int32(i % 4), Time: int64(i) * minute}}, logs.Joint{ID: [16]byte{byte(i % 7), byte(i >> 9)}, Sure: i%2 == 0}
				in.Joint([]byte(at.Host), at.Format, at.Source, at.Time, &j)
				mu.Lock()
				m.AddJoint(at, j)
				mu.Unlock()
			}
			if err := in.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	return c, m
}

func TestLargeStoreOnDiskIsThatInMemory(t *testing.T) {
	c, m := made(t, 60_000)
	defer c.Close()
	data, _ := store(t, c, func(int) bool { return false }, nil)
	path := filepath.Join(t.TempDir(), "store.bin")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	same(t, f, m)
}

// readAll reads all that a store tells, and returns its first error.
func readAll(f *File) error {
	var failed error
	note := func(err error) bool {
		if failed == nil {
			failed = err
		}
		return err == nil
	}
	_ = f.Streams()
	for i := range f.Contexts() {
		_ = f.Contexts()[i].Standing.String()
		_ = f.Visits(i)
		for a, err := range f.Acts(i) {
			if !note(err) {
				break
			}
			_ = a.Kind.String() + a.Power.String() + a.Exposure.String()
			if len(a.Refs) == 0 || int(a.Refs[0].Source) >= f.Sources() {
				panic("an act without a proof")
			}
		}
	}
	for _, seq := range [...]iter.Seq2[*Act, error]{f.Powers(), f.Gaps(), f.Touched("ana"), f.Touched("box1@example.org")} {
		for a, err := range seq {
			if !note(err) {
				break
			}
			_ = f.Contexts()[a.Context]
		}
	}
	for _, err := range f.Tries() {
		if !note(err) {
			break
		}
	}
	for j, err := range f.Joints().All {
		if !note(err) {
			break
		}
		for _, s := range j.Seen {
			_ = f.Joints().Logs[s.Log]
		}
	}
	note(f.Err())
	return failed
}

// Wherever a byte is changed or the end is missing, that is an error.
func TestDamagedStoreIsAnError(t *testing.T) {
	c, _ := made(t, 60)
	defer c.Close()
	data, whole := store(t, c, func(int) bool { return false }, []Stream{{Host: "ex1", Events: 1, Active: []Span{{1, 2}}, From: 1, To: 2}})
	if err := readAll(whole); err != nil {
		t.Fatal(err)
	}
	try := func(p []byte) error {
		f, err := openStore(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			return err
		}
		return readAll(f)
	}
	for i := range data {
		p := bytes.Clone(data)
		p[i] ^= 0x41
		if try(p) == nil && !isIndex(whole, int64(i)) {
			t.Fatalf("byte %d of %d was changed, and nobody noticed", i, len(data))
		}
		if i%7 == 0 && try(data[:i]) == nil {
			t.Fatalf("%d of %d bytes are a store", i, len(data))
		}
	}
}

// isIndex reports whether a byte is of the index, of which readAll reads only a part.
func isIndex(f *File, i int64) bool { return i >= f.begin[touchSection] && i < f.begin[touchSection+1] }

// reseal gives every frame of a store that was tampered with the checksum that it should have.
func reseal(p []byte) []byte {
	p = bytes.Clone(p)
	for at := len(storeMagic); at < len(p)-trailerSize; {
		n, k := binary.Uvarint(p[at:])
		if k <= 0 || n > uint64(len(p)-at-k) || len(p)-at-k-int(n) < 4 {
			break
		}
		at += k
		binary.LittleEndian.PutUint32(p[at+int(n):], crc32.Checksum(p[at:at+int(n)], castagnoli))
		at += int(n) + 4
	}
	return p
}

func FuzzStore(f *testing.F) {
	c, _ := made(f, 120)
	defer c.Close()
	data, _ := store(f, c, func(int) bool { return false }, []Stream{{Host: "ex1", Events: 1, Active: []Span{{1, 2}}, From: 1, To: 2, Records: []Run{{1, 2, 3, 4}}}})
	// Every three bytes are a change: where, and what.
	f.Add([]byte{0, 40, 7})
	f.Add([]byte{8, 40, 7, 1, 1, 255})
	f.Fuzz(func(t *testing.T, changes []byte) {
		p := bytes.Clone(data)
		for ; len(changes) >= 3; changes = changes[3:] {
			p[(int(changes[0])<<8+int(changes[1]))%len(p)] ^= changes[2]
		}
		p = reseal(p)
		s, err := openStore(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			return
		}
		_ = readAll(s)
	})
}

func TestTextsThatDifferStillDo(t *testing.T) {
	long := strings.Repeat("é", 2000)
	f := func(a, b string) {
		t.Helper()
		if x, y := Text(a), Text(b); x == y || len(x) > 1100 || !strings.HasPrefix(a, x[:1023]) {
			t.Errorf("%q and %q", x, y)
		}
	}
	f(long, long+"a")
	f("a"+long, "a"+long+"b")
	if got := Text("short"); got != "short" {
		t.Errorf("%q", got)
	}
	if got := string(cutAgent([]byte("a" + long))); len(got) != 255 || !strings.HasPrefix("a"+long, got) {
		t.Errorf("agent of %d bytes: %q", len(got), got)
	}
}
