package judge

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// piece is an invented file of a log that has an event every minute.
type piece struct {
	path, host, format string
	from, to           int64
	cut                bool
	unread             []tally.Span
	records            []tally.Run
}

// day is the day of March 2021 in a path.
func dayPath(log string, day, number int) string {
	switch log {
	case "exchange.httpproxy.owa":
		return fmt.Sprintf("HttpProxy/Owa/HttpProxy_202103%02d00-1.LOG", day)
	case "iis.w3c":
		return fmt.Sprintf("W3SVC1/u_ex2103%02d.log", day)
	case "syslog.dovecot":
		return fmt.Sprintf("maillog.%d", 30-day)
	case "m365.ual":
		return fmt.Sprintf("audit-202103%02d.csv", day)
	}
	return fmt.Sprintf("%s-%d.evtx", log, number)
}

// pieces draws evidence. Files of one log do not overlap: what is damaged in one may be whole in the other, and is not relied on.
func pieces(t *rapid.T) []piece {
	var list []piece
	for _, host := range []string{"EX1", "EX2"} {
		for _, format := range []string{"exchange.httpproxy.owa", "iis.w3c", "syslog.dovecot", "windows.evtx:Security", "m365.ual"} {
			if format == "m365.ual" && host != "EX1" {
				continue
			}
			days := rapid.SliceOfNDistinct(rapid.IntRange(1, 6), 0, 4, rapid.ID[int]).Draw(t, format)
			slices.Sort(days)
			for i, day := range days {
				from := time.Date(2021, 3, day, 0, 0, 0, 0, time.UTC).UnixNano() + rapid.Int64Range(0, 300).Draw(t, "late")*minute
				p := piece{path: host + "/" + dayPath(format, day, i), host: host, format: format, from: from, to: from + rapid.Int64Range(1, 1100).Draw(t, "long")*minute}
				p.cut = rapid.IntRange(0, 9).Draw(t, "cut") == 0
				if rapid.IntRange(0, 9).Draw(t, "unread") == 0 {
					p.unread = []tally.Span{{From: p.from, To: p.from + (p.to-p.from)/2}}
				}
				if format == "windows.evtx:Security" {
					first := int64(day*10_000) + 1
					p.records = []tally.Run{{First: first, Last: first + 9999, From: p.from, To: p.to}}
				}
				list = append(list, p)
			}
		}
	}
	return list
}

func shelve(list []piece, gaps []string) *coverage {
	var store tally.Memory
	var sources []casefile.Source
	add := func(p piece, format string) {
		s := tally.Stream{Source: int32(len(sources)), Host: p.host, Format: format, Events: (p.to-p.from)/minute + 1, From: p.from, To: p.to,
			Active: []tally.Span{{From: p.from, To: p.to}}, Cut: p.cut, Unread: p.unread, Records: p.records}
		if format[:4] == "m365" {
			s.Host = ""
		}
		store.AddStream(s)
	}
	for _, p := range list {
		add(p, p.format)
		if p.format == "m365.ual" {
			add(p, signIns)
			add(p, mailAccess)
		}
		sources = append(sources, casefile.Source{Path: p.path})
	}
	say := func(day, hour int, host, format string, o logs.Observation) {
		o.OK, o.Bytes, o.Count = true, -1, -1
		store.Add(tally.Place{Host: host, Format: format, Ref: tally.Ref{Time: time.Date(2021, 3, day, hour, 0, 0, 0, time.UTC).UnixNano()}}, &o)
	}
	for _, host := range []string{"EX1", "EX2"} {
		say(1, 0, host, "iis.w3c", logs.Observation{Kind: logs.Login, Account: []byte("ana"), Channel: "owa"})
	}
	say(1, 0, "", "m365.ual", logs.Observation{Kind: logs.Access, Account: []byte("ana"), Channel: "m365", Inference: logs.Bind, Object: []byte("m1"), ObjectKind: "message", In: []byte("ana")})
	for i, g := range gaps {
		switch g {
		case logs.GapCleared:
			say(2+i, 12, "EX1", "windows.evtx:Security", logs.Observation{Kind: logs.Gap, Inference: g, Object: []byte("Security"), ObjectKind: "log"})
		default:
			say(2+i, 12, "", "m365.ual", logs.Observation{Kind: logs.Gap, Inference: g, Target: []byte("ana"), After: 24 * time.Hour})
		}
	}
	in := &Input{Store: &store, Sources: sources, From: event.UnknownTime, To: event.UnknownTime,
		Inventory: &Inventory{Mailboxes: []Mailbox{{Name: "ana", Server: "EX1"}, {Name: "bob", Server: "EX2"}}}}
	who, err := newPeople(in)
	if err != nil {
		panic(err)
	}
	c, err := newCoverage(in, who)
	if err != nil {
		panic(err)
	}
	return c
}

// questions are asked of generated evidence.
func (c *coverage) questions() map[string]answer {
	out := make(map[string]answer)
	for _, ch := range []string{"owa", "ews", "imap", "rdp", "m365", "web", "ssh"} {
		for _, who := range []string{"ana", "bob"} {
			out["presence "+ch+" "+who] = c.presence(ch, who, event.UnknownTime, event.UnknownTime)
			out["detail "+ch+" "+who] = c.detail(ch, who, event.UnknownTime, event.UnknownTime)
		}
		out["at "+ch] = c.presenceAt("ex1", ch, "ana", event.UnknownTime, event.UnknownTime)
	}
	return out
}

// within reports whether all of a is in b.
func within(a, b []hole) bool {
	for _, h := range b {
		a = subtract(a, tally.Span{From: h.from, To: h.to})
	}
	return len(a) == 0
}

// TestLessEvidenceNeverCoversMore takes files away, or the ends of files, as long as something of each log of each host is left: of
// what there is no trace, nobody can say that it is missing.
func TestLessEvidenceNeverCoversMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := pieces(t)
		gaps := rapid.SliceOfN(rapid.SampledFrom([]string{logs.GapThrottled, logs.GapDisabled, logs.GapBypass, logs.GapCleared, logs.GapNarrowed}), 0, 3).Draw(t, "gaps")
		left := make(map[string]int)
		for _, p := range all {
			left[p.host+p.format]++
		}
		var fewer []piece
		for _, p := range all {
			switch rapid.IntRange(0, 3).Draw(t, "take") {
			case 0:
				if left[p.host+p.format] > 1 {
					left[p.host+p.format]--
					continue
				}
			case 1: // its end
				p.to = p.from + (p.to-p.from)/2
				p.records = nil
			case 2: // its beginning
				p.from = p.to - (p.to-p.from)/2
				p.records = nil
			}
			fewer = append(fewer, p)
		}
		more, less := shelve(all, gaps).questions(), shelve(fewer, gaps).questions()
		for q, a := range more {
			b := less[q]
			if b.assessed && !a.assessed || b.assessed && !within(a.holes, b.holes) {
				t.Fatalf("%s: with more evidence %s, with less %s\nmore %+v\nless %+v", q, tell(a), tell(b), all, fewer)
			}
		}
	})
}

func TestCoverageDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := pieces(t)
		gaps := rapid.SliceOfN(rapid.SampledFrom([]string{logs.GapThrottled, logs.GapCleared}), 0, 3).Draw(t, "gaps")
		other := slices.Clone(all)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		other = append(other, other[:len(other)/3]...) // copies
		a, b := shelve(all, gaps), shelve(other, gaps)
		if x, y := a.questions(), b.questions(); !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v\nin another order %+v", x, y)
		}
		if x, y := a.list(), b.list(); !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v\nin another order %+v", x, y)
		}
	})
}

// TestHoles compares the arithmetic of holes with one instant at a time.
func TestHoles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []hole {
			var out []hole
			for range rapid.IntRange(0, 6).Draw(t, name) {
				from := rapid.Int64Range(0, 40).Draw(t, "from")
				out = append(out, hole{from: from, to: from + rapid.Int64Range(0, 10).Draw(t, "long"), reason: name})
			}
			return out
		}
		in := func(list []hole, at int64) bool {
			return slices.ContainsFunc(list, func(h hole) bool { return h.from <= at && at <= h.to })
		}
		x, y := draw("x"), draw("y")
		a, b := flatten(slices.Clone(x)), flatten(slices.Clone(y))
		both, either := intersect(a, b), joined(a, b)
		less := subtract(slices.Clone(x), tally.Span{From: 10, To: 20})
		part := between(a, 12, 33)
		for _, list := range [][]hole{a, b, both, either, part} {
			for i := range list {
				if list[i].from > list[i].to || i > 0 && list[i].from <= list[i-1].to {
					t.Fatalf("not in order or not apart: %v", list)
				}
			}
		}
		for at := int64(-1); at < 55; at++ {
			for _, c := range []struct {
				what      string
				got, want bool
			}{
				{"flatten", in(a, at), in(x, at)},
				{"intersect", in(both, at), in(x, at) && in(y, at)},
				{"joined", in(either, at), in(x, at) || in(y, at)},
				{"subtract", in(less, at), in(x, at) && (at < 10 || at > 20)},
				{"between", in(part, at), in(x, at) && at >= 12 && at <= 33},
			} {
				if c.got != c.want {
					t.Fatalf("%s at %d: %v, want %v (%v, %v)", c.what, at, c.got, c.want, x, y)
				}
			}
		}
	})
}

// TestHostileStreams gives coverage what no store should hold: it must answer in order, and not stop the run.
func TestHostileStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) int64 {
			if rapid.Bool().Draw(t, "extreme") {
				return rapid.SampledFrom([]int64{always, always + 1, -1, 0, 1, never - 1, never}).Draw(t, name)
			}
			return rapid.Int64().Draw(t, name)
		}
		spans := func(name string) []tally.Span {
			var out []tally.Span
			for range rapid.IntRange(0, 4).Draw(t, name) {
				out = append(out, tally.Span{From: at("from"), To: at("to")})
			}
			return out
		}
		var store tally.Memory
		var sources []casefile.Source
		for i := range rapid.IntRange(0, 6).Draw(t, "streams") {
			s := tally.Stream{Source: int32(rapid.IntRange(-1, 7).Draw(t, "source")), Host: rapid.SampledFrom([]string{"", "EX1", "10.0.0.5", "::1", "[", "."}).Draw(t, "host"),
				Format: rapid.SampledFrom([]string{"iis.w3c", "exchange.httpproxy.owa", "syslog.dovecot", "syslog", "m365.ual", mailAccess, signIns, "windows.evtx:Security", "?"}).Draw(t, "format"),
				Events: at("events"), From: at("From"), To: at("To"), Active: spans("active"), Beats: spans("beats"), Unread: spans("unread"), Cut: rapid.Bool().Draw(t, "cut"),
				Backwards: at("backwards"), BackwardsAt: tally.Ref{Time: at("where")}}
			for range rapid.IntRange(0, 3).Draw(t, "runs") {
				s.Records = append(s.Records, tally.Run{First: at("first"), Last: at("last"), From: at("from"), To: at("to")})
			}
			store.AddStream(s)
			sources = append(sources, casefile.Source{Path: rapid.SampledFrom([]string{"", "/", "a.log.1", "a.log.9999", "u_ex210303.log", "u_ex210305.log", "x!HttpProxy_2021030306-9.LOG"}).Draw(t, "path"), Unparsed: int64(i)})
		}
		store.Add(tally.Place{Host: "EX1", Format: "iis.w3c", Ref: tally.Ref{Time: at("login")}}, &logs.Observation{Kind: logs.Login, OK: true, Account: []byte("ana"), Channel: "owa"})
		for _, reason := range []string{logs.GapCleared, logs.GapLogLost, logs.GapThrottled, logs.GapTruncatedExport, "?"} {
			store.Add(tally.Place{Host: "EX1", Format: rapid.SampledFrom([]string{"m365.ual", "windows.evtx:Security"}).Draw(t, "of"), Ref: tally.Ref{Source: int32(rapid.IntRange(-1, 7).Draw(t, "by")), Time: at("gap")}},
				&logs.Observation{Kind: logs.Gap, OK: true, Inference: reason, Count: at("count"), Bytes: -1, Object: []byte("Security"), ObjectKind: "log"})
		}
		in := &Input{Store: &store, Sources: sources, From: at("window"), To: at("window's end")}
		_, c := covering(t, in)
		for q, a := range c.questions() {
			for i, h := range a.holes {
				if h.from > h.to || i > 0 && h.from <= a.holes[i-1].to {
					t.Fatalf("%s: holes not in order or not apart: %+v", q, a.holes)
				}
			}
		}
		c.list()
	})
}
