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
	_, c := covering(s.t, in)
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

// shows asks for a level, "presence" or "detail".
func (c *coverage) shows(l, channel, whom string, from, to int64) answer {
	if l == "detail" {
		return c.detail(channel, whom, from, to)
	}
	return c.presence(channel, whom, from, to)
}

func TestGaps(t *testing.T) {
	f := func(name string, build func(*shelf), l, channel, whom, from, to, want string) {
		t.Helper()
		s := &shelf{t: t}
		build(s)
		if got := tell(s.cover().shows(l, channel, whom, dayTime(t, from), dayTime(t, to))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	at := func(s string) int64 { return dayTime(t, s) }
	without := func(from, to string) func(*tally.Stream) { // silence
		return func(s *tally.Stream) {
			var left []tally.Span
			for _, a := range s.Active {
				if a.From <= at(from) {
					left = append(left, tally.Span{From: a.From, To: min(a.To, at(from))})
				}
				if a.To >= at(to) {
					left = append(left, tally.Span{From: max(a.From, at(to)), To: a.To})
				}
			}
			s.Active = left
		}
	}
	beats := func(s *tally.Stream) { s.Beats = s.Active }

	f("silence of a log with heartbeats", func(s *shelf) {
		s.add("a.log", "h", "anydesk.trace", "3 00:00", "3 02:00", 5*time.Minute, without("3 01:00", "3 01:20"), beats)
	}, "presence", "anydesk", "ana", "3 00:30", "3 01:30", "silence 3 01:00:00–3 01:19:59")
	f("a short silence of a log with heartbeats", func(s *shelf) {
		s.add("a.log", "h", "anydesk.trace", "3 00:00", "3 02:00", 5*time.Minute, without("3 01:00", "3 01:15"), beats)
	}, "presence", "anydesk", "ana", "3 00:30", "3 01:30", "covered")
	f("silence of a log that Exchange's probes should be in", func(s *shelf) {
		s.add("HttpProxy_2021030300-1.LOG", "EX1", "exchange.httpproxy.eas", "3 00:00", "3 02:00", 5*time.Minute, without("3 01:00", "3 01:20"))
	}, "presence", "eas", "ana", "3 00:30", "3 01:30", "silence 3 01:00:00–3 01:19:59")
	f("silence of a quiet log", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "4 02:00", 20*time.Minute, without("3 01:00", "3 08:20"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "covered")
	f("silence of a regular log of few events", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "4 02:00", 5*time.Minute, without("3 01:00", "3 08:20"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:00:00–3 08:19:59")
	f("a lone event long before the others", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "12 00:00", "13 02:00", 5*time.Minute, func(s *tally.Stream) {
			s.From = -1 << 62
			s.Active = append([]tally.Span{{From: s.From, To: s.From}}, s.Active...)
		})
	}, "presence", "ssh", "ana", "3 00:30", "12 09:30", "silence 3 00:30:00–11 23:59:59")
	f("silence of a log of many events", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 5*time.Minute, without("3 01:00", "3 01:40"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:00:00–3 01:39:59")
	f("three beats of a log that is as regular as a clock", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 10*time.Minute, without("3 01:00", "3 01:40"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:00:00–3 01:39:59")
	f("the same of one that is not", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 3*time.Minute, without("3 01:00", "3 01:40"), without("4 01:00", "4 01:08"), without("4 02:00", "4 02:08"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "covered")
	f("several holes are no measure for one another", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "16 02:00", 5*time.Minute, without("3 01:00", "3 07:00"), without("5 01:00", "5 07:00"), without("7 01:00", "7 07:00"), without("9 01:00", "9 07:00"),
			without("11 01:00", "11 07:00"))
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:00:00–3 06:59:59")
	f("nights are", func(s *shelf) {
		var nights []func(*tally.Stream)
		for day := 3; day < 16; day++ {
			nights = append(nights, without(fmt.Sprintf("%d 01:00", day), fmt.Sprintf("%d 07:00", day)))
		}
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "16 02:00", 5*time.Minute, nights...)
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "covered")
	f("the host was down", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 5*time.Minute, without("3 01:00", "3 01:40"))
		s.observe("3 01:03", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Down})
		s.observe("3 01:36", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Up})
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "covered")
	f("the host came up, and the log stayed silent", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 5*time.Minute, without("3 01:00", "3 05:00"))
		s.observe("3 01:03", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Down})
		s.observe("3 01:36", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Up})
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:36:00–3 04:59:59")
	f("the host says it is down, and another of its logs goes on", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "7 02:00", 5*time.Minute, without("3 01:00", "3 05:00"))
		s.add("other", "h", "syslog.cron", "3 00:00", "7 02:00", 5*time.Minute)
		s.observe("3 01:03", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Down})
		s.observe("3 04:56", "h", "windows.evtx:System", logs.Observation{Kind: logs.Heartbeat, OK: true, Inference: logs.Up})
	}, "presence", "ssh", "ana", "3 00:30", "3 09:30", "silence 3 01:00:00–3 04:54:59")
	f("record numbers", func(s *shelf) {
		s.add("Security.evtx", "DC1", "windows.evtx:Security", "3 00:00", "3 10:00", time.Minute, func(s *tally.Stream) {
			s.Records = []tally.Run{{First: 1, Last: 50, From: at("3 00:00"), To: at("3 04:00")}, {First: 61, Last: 90, From: at("3 04:30"), To: at("3 10:00")}}
		})
	}, "presence", "rdp", "ana", "3 01:00", "3 09:00", "missing_records 3 04:00:00–3 04:29:59")
	f("record numbers that go on in another file", func(s *shelf) {
		s.add("a/Security.evtx", "DC1", "windows.evtx:Security", "3 00:00", "3 04:00", time.Minute, func(s *tally.Stream) {
			s.Records = []tally.Run{{First: 1, Last: 50, From: at("3 00:00"), To: at("3 04:00")}}
		})
		s.add("b/Security.evtx", "dc1.example.org", "windows.evtx:Security", "3 04:01", "3 10:00", time.Minute, func(s *tally.Stream) {
			s.Records = []tally.Run{{First: 51, Last: 90, From: at("3 04:01"), To: at("3 10:00")}}
		})
	}, "presence", "rdp", "ana", "3 01:00", "3 09:00", "covered")
	f("cleared", func(s *shelf) {
		s.add("Security.evtx", "DC1", "windows.evtx:Security", "3 06:00", "3 10:00", time.Minute)
		s.add("old/Security.evtx", "DC1", "windows.evtx:Security", "3 00:00", "3 02:00", time.Minute)
		s.observe("3 06:00", "DC1", "windows.evtx:Security", logs.Observation{Kind: logs.Gap, OK: true, Inference: logs.GapCleared, Object: []byte("Security"), ObjectKind: "log"})
	}, "presence", "rdp", "ana", "3 01:00", "3 09:00", "cleared 3 02:00:00–3 06:00:00")
	f("another log was cleared", func(s *shelf) {
		s.add("Security.evtx", "DC1", "windows.evtx:Security", "3 00:00", "3 10:00", time.Minute)
		s.observe("3 06:00", "DC1", "windows.evtx:System", logs.Observation{Kind: logs.Gap, OK: true, Inference: logs.GapCleared, Object: []byte("Application"), ObjectKind: "log"})
	}, "presence", "rdp", "ana", "3 01:00", "3 09:00", "covered")
	f("the end of a file is missing", func(s *shelf) {
		s.add("auth.log.1", "h", "syslog.sshd", "3 00:00", "3 02:00", time.Hour, func(s *tally.Stream) { s.Cut = true })
		s.add("auth.log", "h", "syslog.sshd", "3 02:14", "3 12:00", time.Hour)
	}, "presence", "ssh", "ana", "3 01:00", "3 09:00", "truncated_file 3 02:00:00–3 02:13:59")
	// The records of an export stand in any order: what is missing of one may be of any time of the day in its name, or of all of them.
	f("the end of an export of a day is missing", func(s *shelf) {
		s.add("Security-20210302.jsonl", "DC1", "windows.json:Security", "2 00:00", "2 23:59", time.Minute)
		s.add("Security-20210303.jsonl", "DC1", "windows.json:Security", "3 02:00", "3 04:00", time.Minute, func(s *tally.Stream) { s.Cut = true })
		s.add("Security-20210304.jsonl", "DC1", "windows.json:Security", "4 00:00", "4 23:59", time.Minute)
	}, "presence", "rdp", "ana", "2 01:00", "4 23:00", "missing_file 2 23:59:00–3 01:59:59, truncated_file 3 02:00:00–3 23:59:59")
	f("the end of an export is missing", func(s *shelf) {
		s.add("a.jsonl", "DC1", "windows.json:Security", "3 02:00", "3 04:00", time.Minute, func(s *tally.Stream) { s.Cut = true })
		s.add("b.jsonl", "DC1", "windows.json:Security", "3 00:00", "3 10:00", time.Minute)
	}, "presence", "rdp", "ana", "3 01:00", "3 09:00", "truncated_file 3 01:00:00–3 09:00:00")
	f("what could not be read", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "3 12:00", time.Hour, func(s *tally.Stream) { s.Unread = []tally.Span{{From: at("3 02:00"), To: at("3 03:00")}} })
	}, "presence", "ssh", "ana", "3 01:00", "3 09:00", "parse_error 3 02:00:00–3 03:00:00")
	f("a clock that was set back", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "3 12:00", time.Hour, func(s *tally.Stream) {
			s.Backwards, s.BackwardsAt.Time = int64(time.Hour), at("3 02:00")
		})
	}, "presence", "ssh", "ana", "3 01:00", "3 09:00", "clock 3 02:00:00–3 03:00:00")
	f("no times", func(s *shelf) {
		s.add("auth.log", "h", "syslog.sshd", "3 00:00", "3 12:00", time.Hour, func(s *tally.Stream) {
			s.From, s.To, s.Active = event.UnknownTime, event.UnknownTime, nil
		})
	}, "presence", "ssh", "ana", "3 01:00", "3 09:00", "time_unknown 3 01:00:00–3 09:00:00")
	f("lines of the kind in a file that is of other things", func(s *shelf) {
		s.add("messages", "h", "syslog.sshd", "3 00:00", "3 12:00", time.Hour)
	}, "presence", "ssh", "ana", "3 01:00", "3 09:00", "not assessed")

	// Microsoft 365.
	ual := func(s *shelf) {
		s.add("ual.csv", "", "m365.ual", "1 00:00", "9 00:00", time.Hour)
		for _, format := range []string{"m365.ual:AzureActiveDirectory", "m365.ual:MailItemsAccessed"} {
			s.store.AddStream(tally.Stream{Format: format, Events: 5, From: at("2 12:00"), To: at("8 00:00")})
		}
		s.observe("2 13:00", "", "m365.ual", logs.Observation{Kind: logs.Access, OK: true, Account: []byte("ana@example.org"), Channel: "m365", Inference: logs.Bind,
			Object: []byte("<m1@example.org>"), ObjectKind: "message", In: []byte("ana@example.org")})
	}
	say := func(when, reason, target string, after time.Duration) func(*shelf) {
		return func(s *shelf) {
			ual(s)
			s.observe(when, "", "m365.ual", logs.Observation{Kind: logs.Gap, OK: true, Channel: "m365", Inference: reason, Target: []byte(target), After: after})
		}
	}
	f("throttled", say("4 00:00", logs.GapThrottled, "ana@example.org", 24*time.Hour), "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "throttled 4 00:00:00–5 00:00:00")
	f("somebody else throttled", say("4 00:00", logs.GapThrottled, "bob@example.org", 24*time.Hour), "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "covered")
	f("throttling leaves sign-ins", say("4 00:00", logs.GapThrottled, "ana@example.org", 24*time.Hour), "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "covered")
	f("auditing switched off", say("4 00:00", logs.GapDisabled, "", 0), "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "disabled 4 00:00:00–6 09:00:00")
	f("auditing of a mailbox switched off", say("4 00:00", logs.GapDisabled, "ana@example.org", 0), "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "disabled 4 00:00:00–6 09:00:00")
	f("somebody is exempt", say("4 00:00", logs.GapBypass, "bob@example.org", 0), "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "bypass 4 00:00:00–6 09:00:00")
	f("an export that ended at a limit", func(s *shelf) {
		ual(s)
		s.store.Add(tally.Place{Format: "m365.ual", Ref: tally.Ref{Time: at("4 00:00")}},
			&logs.Observation{Kind: logs.Gap, OK: true, Channel: "m365", Inference: logs.GapTruncatedExport, Count: 5000, Bytes: 7000})
	}, "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "truncated_export 3 01:00:00–6 09:00:00")
	f("an export that went on after the limit of a call", func(s *shelf) {
		ual(s)
		for _, n := range []int64{5000, 5001} {
			s.store.Add(tally.Place{Format: "m365.ual", Ref: tally.Ref{Time: at("4 00:00")}},
				&logs.Observation{Kind: logs.Gap, OK: n == 5000, Channel: "m365", Inference: logs.GapTruncatedExport, Count: n, Bytes: 7000})
		}
	}, "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "covered")
	rows := func(kinds ...string) func(*shelf) {
		return func(s *shelf) {
			ual(s)
			for _, kind := range kinds {
				s.observe("4 00:00", "", "m365.ual", logs.Observation{Kind: logs.Gap, Channel: "m365", Inference: logs.GapTruncatedExport, Object: []byte("700"), ObjectKind: kind, Count: -1, Bytes: -1})
			}
		}
	}
	f("a search without its last row", rows("first row"), "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "truncated_export 3 01:00:00–6 09:00:00")
	f("a search without its first row", rows("last row"), "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "truncated_export 3 01:00:00–6 09:00:00")
	f("two searches, one of them whole", rows("first row", "last row", "first row"), "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "truncated_export 3 01:00:00–6 09:00:00")
	f("a search with all its rows", rows("first row", "last row"), "presence", "m365", "ana@example.org", "3 01:00", "6 09:00", "covered")
	f("reading on the last day of an export, after the last record of reading", func(s *shelf) {
		ual(s)
		s.add("ual.csv", "", "m365.ual:AzureActiveDirectory", "9 00:00", "10 12:00", time.Hour)
	}, "detail", "m365", "ana@example.org", "8 13:00", "10 11:00", "after_coverage 9 12:00:00–10 11:00:00")
	f("mail access before the first record of it", ual, "detail", "m365", "ana@example.org", "2 10:00", "6 09:00", "disabled 2 10:00:00–2 10:59:59, disabled 2 11:00:00–2 11:59:59")
	f("a mailbox that has no such record", ual, "detail", "m365", "bob@example.org", "3 01:00", "6 09:00", "disabled 3 01:00:00–6 09:00:00")
	f("an account that a narrow export does not name", ual, "presence", "m365", "bob@example.org", "3 01:00", "6 09:00", "narrowed 3 01:00:00–6 09:00:00")
	f("an audit log without mail access", func(s *shelf) {
		s.add("ual.csv", "", "m365.ual", "1 00:00", "9 00:00", time.Hour)
	}, "detail", "m365", "ana@example.org", "3 01:00", "6 09:00", "disabled 3 01:00:00–6 09:00:00")
}

func TestStatements(t *testing.T) {
	f := func(facts string, build func(*shelf), l, channel, whom, from, to, want string) {
		t.Helper()
		s := &shelf{t: t}
		var err error
		if s.facts, err = ParseFacts(strings.NewReader(facts)); err != nil {
			t.Fatal(err)
		}
		build(s)
		if got := tell(s.cover().shows(l, channel, whom, dayTime(t, from), dayTime(t, to))); got != want {
			t.Errorf("%s: %s, want %s", facts, got, want)
		}
	}
	two := func(s *shelf) {
		s.add("mx1/maillog.1", "mx1", "syslog.dovecot", "4 00:00", "4 02:30", 5*time.Minute)
		s.add("mx1/maillog", "mx1", "syslog.dovecot", "4 06:25", "4 12:00", 5*time.Minute)
	}
	const whole = "from: 2021-03-04T00:00:00Z, to: 2021-03-05T00:00:00Z, proof: counted}]"
	f("coverage: [{stream: syslog.dovecot, level: presence, "+whole, two, "presence", "imap", "ana", "4 02:10", "4 13:00", "covered")
	f("coverage: [{stream: syslog.dovecot, level: presence, "+whole, two, "detail", "imap", "ana", "4 02:10", "4 07:00", "missing_file 4 02:30:00–4 06:24:59")
	f("coverage: [{stream: syslog.dovecot, level: presence, host: mx2, "+whole, two, "presence", "imap", "ana", "4 02:10", "4 07:00",
		"missing_file 4 02:30:00–4 06:24:59")
	f("coverage: [{stream: syslog.dovecot, level: presence, principal: ana, "+whole, two, "presence", "imap", "ana", "4 02:10", "4 13:00", "covered")
	f("coverage: [{stream: syslog.dovecot, level: presence, principal: bob, "+whole, two, "presence", "imap", "ana", "4 02:10", "4 07:00", "missing_file 4 02:30:00–4 06:24:59")
	f("coverage: [{stream: web.access, host: web1, level: detail, "+whole, func(*shelf) {}, "detail", "web", "web1", "4 02:10", "4 07:00", "covered")
	f("coverage: [{stream: web.access, host: web1, level: detail, "+whole, func(*shelf) {}, "detail", "web", "web1", "4 02:10", "5 07:00", "missing_file 5 00:00:00–5 07:00:00")
	f("channels_off: [{channel: imap, scope: ana, proof: config}]", two, "presence", "imap", "ana", "4 02:10", "4 13:00", "covered")
	f("channels_off: [{channel: imap, scope: ana, proof: config}]", two, "presence", "imap", "bob", "4 02:10", "4 07:00", "missing_file 4 02:30:00–4 06:24:59")
	// An export may be complete and a mailbox not audited.
	tenant := func(s *shelf) {
		s.add("ual.csv", "", "m365.ual:MailItemsAccessed", "4 00:00", "5 00:00", 5*time.Minute)
	}
	f("coverage: [{stream: 'm365.ual:MailItemsAccessed', level: detail, "+whole, tenant, "detail", "m365", "board", "4 02:00", "4 03:00", "disabled 4 02:00:00–4 03:00:00")
	f("coverage: [{stream: 'm365.ual:MailItemsAccessed', level: detail, principal: board, "+whole, tenant, "detail", "m365", "board", "4 02:00", "4 03:00", "covered")
	// What a record proves, no statement undoes.
	f("coverage: [{stream: windows.evtx:Security, level: presence, "+whole, func(s *shelf) {
		s.add("Security.evtx", "DC1", "windows.evtx:Security", "4 01:00", "4 10:00", time.Minute)
		s.observe("4 06:00", "DC1", "windows.evtx:Security", logs.Observation{Kind: logs.Gap, OK: true, Inference: logs.GapCleared, Object: []byte("Security"), ObjectKind: "log"})
	}, "presence", "rdp", "ana", "4 01:00", "4 09:00", "cleared 4 05:59:00–4 06:00:00")
}

func TestChannels(t *testing.T) {
	f := func(facts string, build func(*shelf), kind, in, want string) {
		t.Helper()
		s := &shelf{t: t}
		var err error
		if s.facts, err = ParseFacts(strings.NewReader(facts)); err != nil {
			t.Fatal(err)
		}
		build(s)
		if got := strings.Join(s.cover().channels(kind, in), " "); got != want {
			t.Errorf("%s %s: %q, want %q", kind, in, got, want)
		}
	}
	exchange := func(s *shelf) { s.add("a.LOG", "EX1", "exchange.httpproxy.ecp", "3 00:00", "3 10:00", time.Minute) }
	f("", exchange, "mailbox", "ana", "autodiscover eas ecp ews imap mapi oab owa pop3 powershell rest rpc")
	f(`channels_off: [{channel: imap, scope: "*", proof: p}, {channel: pop3, scope: ana, proof: p}, {channel: ews, scope: bob, proof: p}]`, exchange, "message", "ana",
		"autodiscover eas ecp ews mapi oab owa powershell rest rpc")
	f("", func(s *shelf) { s.add("mail.log", "mx", "syslog.cyrus", "3 00:00", "3 10:00", time.Minute) }, "mailbox", "ana", "imap pop3")
	f("", func(s *shelf) { s.add("u", "", "m365.ual", "3 00:00", "3 10:00", time.Minute) }, "mailbox", "ana", "m365")
	f("", func(*shelf) {}, "mailbox", "ana", "mail")
	f("", func(*shelf) {}, "file", "/x", "file")
	f("channels_off: [{channel: smb, scope: ana, proof: p}]", func(s *shelf) { s.add("access.log", "", "web.access", "3 00:00", "3 10:00", time.Minute) }, "file", "ana", "web")
	f("", func(s *shelf) { s.add("u", "", "m365.ual", "3 00:00", "3 10:00", time.Minute) }, "file", "https://x.sharepoint.com/sites/a", "m365")
}

func TestParseName(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		n := parseName(path)
		got := fmt.Sprintf("%s %s %d", n.stem, n.period.Format("2006-01-02T15"), n.number)
		if n.rotated {
			got = fmt.Sprintf("%s rotated %d", n.stem, n.number)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	f("W3SVC1/u_ex210303.log", "u_ex*.log 2021-03-03T00 0")
	f("W3SVC1/u_ex21030306.log", "u_ex*.log 2021-03-03T06 0")
	f("W3SVC1/u_ex210303_x.log", "u_ex*.log 2021-03-03T00 0")
	f("Ecp/HttpProxy_2021030306-2.LOG", "httpproxy_*.log 2021-03-03T06 2")
	f(`C:\x\IMAP42021030306-1.LOG`, "imap4*.log 2021-03-03T06 1")
	f("logs.zip!ECPServer20210303-1.LOG", "ecpserver*.log 2021-03-03T00 1")
	f("maillog-20210307", "maillog-* 2021-03-07T00 0")
	f("access.log-20210307.gz", "access.log-* 2021-03-07T00 0")
	f("audit-2021-03-07.jsonl", "audit-*.jsonl 2021-03-07T00 0")
	f("access.log-20210307aa", "access.log-* 2021-03-07T00 1")
	f("audit-2021-03-07.jsonlac.gz", "audit-*.jsonl 2021-03-07T00 3")
	f("HttpProxy_2021030306-2.LOGab", "httpproxy_*.log 2021-03-03T06 2")
	f("mail.logab", "mail.log rotated 0")
	f("access.log-20210307de", "access.log-20210307de rotated 0") // another site, for all one knows
	f("mail.log.2.gz", "mail.log rotated 2")
	f("mail.log", "mail.log rotated 0")
	f("u_ex219903.log", "u_ex219903.log rotated 0")
	f("20210303", "* 2021-03-03T00 0")
	f("", " rotated 0")
}
