package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// shelf is evidence of invented logs.
type shelf struct {
	t       *testing.T
	store   tally.Memory
	sources []casefile.Source
	facts   *Facts
	inv     *Inventory
}

// dayTime reads "3 02:30" or "3 02:30:05": a day of March 2021, and a time.
func dayTime(t testing.TB, s string) int64 {
	t.Helper()
	if strings.Count(s, ":") == 1 {
		s += ":00"
	}
	at, err := time.Parse("2006-01-2 15:04:05", "2021-03-"+s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixNano()
}

// add adds a file of a log with an event every so often.
func (s *shelf) add(path, host, format, from, to string, every time.Duration, mend ...func(*tally.Stream)) *shelf {
	s.t.Helper()
	st := tally.Stream{Source: int32(len(s.sources)), Host: host, Format: format, From: dayTime(s.t, from), To: dayTime(s.t, to)}
	for at := st.From; at < st.To; at += int64(every) {
		st.Active = append(st.Active, tally.Span{From: at, To: at})
		st.Events++
	}
	st.Active = append(st.Active, tally.Span{From: st.To, To: st.To})
	st.Events++
	st.Active = mergeSpans(st.Active, minute)
	for _, f := range mend {
		f(&st)
	}
	s.sources = append(s.sources, casefile.Source{Path: path, Host: host, Format: format, Events: st.Events})
	s.store.AddStream(st)
	return s
}

func (s *shelf) observe(at, host, format string, o logs.Observation) *shelf {
	s.t.Helper()
	o.Bytes, o.Count = -1, -1
	s.store.Add(tally.Place{Host: host, Format: format, Ref: tally.Ref{Time: dayTime(s.t, at)}}, &o)
	return s
}

func (s *shelf) cover() *coverage {
	s.t.Helper()
	in := &Input{Store: &s.store, Sources: s.sources, Facts: s.facts, Inventory: s.inv, From: event.UnknownTime, To: event.UnknownTime}
	who, err := newPeople(in)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := newCoverage(in, who)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// tell writes an answer for comparison: "covered", "not assessed", or the holes.
func tell(a answer) string {
	switch {
	case !a.assessed:
		return "not assessed"
	case a.covered():
		return "covered"
	}
	var out []string
	for _, h := range a.holes {
		out = append(out, fmt.Sprintf("%s %s–%s", h.reason, time.Unix(0, h.from).UTC().Format("2 15:04:05"), time.Unix(0, h.to).UTC().Format("2 15:04:05")))
	}
	return strings.Join(out, ", ")
}

func TestPresence(t *testing.T) {
	const dense = time.Minute
	f := func(name string, build func(*shelf), channel, principal, from, to, want string) {
		t.Helper()
		s := &shelf{t: t}
		build(s)
		if got := tell(s.cover().presence(channel, principal, dayTime(t, from), dayTime(t, to))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	owa := func(s *shelf, path, from, to string) {
		s.add(path, "EX1", "exchange.httpproxy.owa", from, to, dense)
	}
	f("one file", func(s *shelf) { owa(s, "Owa/HttpProxy_2021030300-1.LOG", "3 00:00", "3 10:00") }, "owa", "ana", "3 01:00", "3 09:00", "covered")
	f("another channel", func(s *shelf) { owa(s, "Owa/HttpProxy_2021030300-1.LOG", "3 00:00", "3 10:00") }, "ssh", "ana", "3 01:00", "3 09:00", "not assessed")
	f("edges", func(s *shelf) { owa(s, "Owa/HttpProxy_2021030300-1.LOG", "3 00:00", "3 10:00") }, "owa", "ana", "2 23:00", "3 11:00",
		"before_coverage 2 23:00:00–2 23:59:59, after_coverage 3 10:00:00–3 11:00:00")
	f("missing hours", func(s *shelf) {
		owa(s, "Owa/HttpProxy_2021030312-1.LOG", "3 12:00", "3 12:59")
		owa(s, "Owa/HttpProxy_2021030315-1.LOG", "3 15:00", "3 15:59")
	}, "owa", "ana", "3 12:10", "3 15:10", "missing_file 3 12:59:00–3 14:59:59")
	f("missing hours, closed by IIS", func(s *shelf) {
		owa(s, "Owa/HttpProxy_2021030312-1.LOG", "3 12:00", "3 12:59")
		owa(s, "Owa/HttpProxy_2021030315-1.LOG", "3 15:00", "3 15:59")
		s.add("W3SVC1/u_ex210303.log", "10.0.0.5", "iis.w3c", "3 12:00", "3 18:00", dense)
		s.observe("3 13:00", "10.0.0.5", "iis.w3c", logs.Observation{Kind: logs.Login, OK: true, Account: []byte("bob"), Channel: "owa"})
	}, "owa", "ana", "3 12:10", "3 15:10", "covered")
	f("the back end's IIS stands in for nothing", func(s *shelf) {
		owa(s, "Owa/HttpProxy_2021030312-1.LOG", "3 12:00", "3 12:59")
		s.add("W3SVC2/u_ex210303.log", "10.0.0.5", "iis.w3c", "3 12:00", "3 18:00", dense)
		s.observe("3 13:00", "10.0.0.5", "iis.w3c", logs.Observation{Kind: logs.Login, OK: true, Account: []byte("bob"), Channel: "owa"})
	}, "owa", "ana", "3 12:10", "3 13:00", "after_coverage 3 12:59:00–3 13:00:00")
	f("a second server without logs of the channel", func(s *shelf) {
		owa(s, "Owa/HttpProxy_2021030312-1.LOG", "3 12:00", "3 12:59")
		s.inv = &Inventory{Mailboxes: []Mailbox{{Name: "ana", Server: "EX2"}}}
	}, "owa", "ana", "3 12:10", "3 12:20", "missing_file 3 12:10:00–3 12:20:00")
	f("dovecot, with a hole after rotation", func(s *shelf) {
		s.add("mx1/maillog.1", "mx1", "syslog.dovecot", "4 00:00", "4 02:30", 5*time.Minute)
		s.add("mx1/maillog", "mx1", "syslog.dovecot", "4 06:25", "4 12:00", 5*time.Minute)
	}, "imap", "ana", "4 02:10", "4 07:00", "missing_file 4 02:30:00–4 06:24:59")
	f("a number is missing", func(s *shelf) {
		s.add("maillog.3.gz", "mx1", "syslog.dovecot", "1 00:00", "2 00:00", time.Hour)
		s.add("maillog.1", "mx1", "syslog.dovecot", "2 00:30", "3 00:00", time.Hour)
	}, "imap", "ana", "1 01:00", "2 12:00", "missing_file 2 00:00:00–2 00:29:59")
}
