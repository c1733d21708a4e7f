package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// request adds a request to the logs of the sources, with the clock of the second so much ahead.
func (s *shelf) request(at int64, id int, ahead time.Duration, channel string, sure bool, sources ...int) {
	for i, n := range sources {
		src := s.sources[n]
		p := tally.Place{Host: src.Host, Format: src.Format, Ref: tally.Ref{Source: int32(n), Time: at + int64(i)*int64(ahead)}}
		j := logs.Joint{ID: [16]byte{byte(id), byte(id >> 8), byte(id >> 16), 1}, Sure: sure}
		if src.Format == "iis.w3c" {
			j.Channel = channel
		}
		s.store.AddJoint(p, j)
	}
}

// front is a day of IIS and HttpProxy.
func front(t *testing.T) *shelf {
	s := &shelf{t: t}
	s.add("W3SVC1/u_ex210303.log", "10.0.0.5", "iis.w3c", "3 00:00", "3 23:59", time.Minute)
	s.add("Owa/HttpProxy_2021030300-1.LOG", "EX1", "exchange.httpproxy.owa", "3 00:00", "3 23:59", time.Minute)
	s.add("Ews/HttpProxy_2021030300-1.LOG", "EX1", "exchange.httpproxy.ews", "3 00:00", "3 23:59", time.Minute)
	return s.observe("3 13:00", "10.0.0.5", "iis.w3c", logs.Observation{Kind: logs.Login, OK: true, Account: []byte("bob"), Channel: "owa"})
}

const iisSource, owaSource, ewsSource = 0, 1, 2

// toldOfJoints lists the gaps that requests tell of, and the notes.
func toldOfJoints(c *coverage) string {
	var out []string
	for _, t := range c.trails {
		for _, g := range t.gaps {
			if g.reason == "missing_records" {
				out = append(out, fmt.Sprintf("%s %s–%s %v: %s", t.name, time.Unix(0, g.from).UTC().Format("15:04"), time.Unix(0, g.to).UTC().Format("15:04"), g.certain, g.why))
			}
		}
		if t.skew > 0 {
			out = append(out, t.name+": "+t.skewWhy)
		}
	}
	return strings.Join(out, "\n")
}

func TestRequestsThatOneLogLost(t *testing.T) {
	f := func(name string, build func(s *shelf, both func(from, to int)), want ...string) {
		t.Helper()
		s := front(t)
		id := 0
		// One request a minute of either channel.
		build(s, func(from, to int) {
			for m := from; m < to; m++ {
				at := dayTime(t, "3 00:00") + int64(m)*minute
				s.request(at, id, 0, "owa", true, iisSource, owaSource)
				s.request(at, id+1, 0, "ews", true, iisSource, ewsSource)
				id += 2
			}
		})
		if got := toldOfJoints(s.cover()); got != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, strings.Join(want, "\n"))
		}
	}
	at := func(s string) int64 { return dayTime(t, "3 "+s) }
	alone := func(s *shelf, n int, when string, channel string, source int) {
		for i := range n {
			s.request(at(when)+int64(i)*minute, 1_000_000+1000*source+i+int(at(when)/minute)%997*10_000, 0, channel, true, source)
		}
	}
	f("all there", func(s *shelf, both func(int, int)) { both(0, 1440) })
	f("lines of HttpProxy are gone", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 12, "10:00", "owa", iisSource)
	}, "exchange.httpproxy.owa 10:00–10:11 true: 12 of 24 requests that iis.w3svc1 has are not in exchange.httpproxy.owa")
	f("lines of IIS are gone", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 3, "10:00", "", ewsSource)
	}, "iis.w3svc1 10:00–10:02 true: 3 of 6 requests that exchange.httpproxy.ews has are not in iis.w3svc1")
	f("at two times", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 3, "10:00", "owa", iisSource)
		alone(s, 3, "10:18", "owa", iisSource)
	}, "exchange.httpproxy.owa 10:00–10:02 true: 3 of 6 requests that iis.w3svc1 has are not in exchange.httpproxy.owa",
		"exchange.httpproxy.owa 10:18–10:20 true: 3 of 6 requests that iis.w3svc1 has are not in exchange.httpproxy.owa")
	f("two are not enough", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 2, "10:00", "owa", iisSource)
	})
	f("two here and two there are", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 2, "10:00", "owa", iisSource)
		alone(s, 2, "20:00", "owa", iisSource)
	}, "exchange.httpproxy.owa 10:00–10:01 true: 2 of 4 requests that iis.w3svc1 has are not in exchange.httpproxy.owa",
		"exchange.httpproxy.owa 20:00–20:01 true: 2 of 4 requests that iis.w3svc1 has are not in exchange.httpproxy.owa")
	f("three of very many", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		for i := range 4000 {
			s.request(at("10:00")+int64(i%3)*minute, 2_000_000+i, 0, "owa", true, iisSource, owaSource)
		}
		alone(s, 3, "10:00", "owa", iisSource)
	})
	f("of a protocol without a log", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 12, "10:00", "ecp", iisSource)
	})
	f("refused to nobody", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		for i := range 12 {
			s.request(at("10:00"), 3_000_000+i, 0, "owa", false, iisSource)
		}
	})
	f("in the log of another protocol", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		for i := range 12 {
			s.request(at("10:00"), 3_000_000+i, 0, "ews", true, iisSource, owaSource)
		}
	})
	f("at the edge of the other log", func(s *shelf, both func(int, int)) {
		both(0, 1440)
		alone(s, 2, "00:00", "owa", iisSource)
		alone(s, 2, "23:58", "owa", iisSource)
	})
	f("none of a protocol", func(s *shelf, both func(int, int)) {
		for i := range 100 {
			s.request(at("10:00")+int64(i)*minute, i, 0, "owa", true, iisSource, owaSource)
		}
		alone(s, 3, "10:00", "ews", iisSource)
	}, "exchange.httpproxy.ews 10:00–10:02 false: 3 of 3 requests that iis.w3svc1 has are not in exchange.httpproxy.ews")
	f("nothing in common", func(s *shelf, both func(int, int)) {
		alone(s, 20, "10:00", "owa", iisSource)
		alone(s, 20, "10:00", "", owaSource)
	})
	f("logs of different servers", func(s *shelf, both func(int, int)) {
		alone(s, 120, "10:00", "owa", iisSource)
		alone(s, 120, "10:00", "", owaSource)
	}, "iis.w3svc1 "+time.Unix(0, always).UTC().Format("15:04")+"–"+time.Unix(0, never).UTC().Format("15:04")+
		" false: no request is both in iis.w3svc1 and in HttpProxy, though each has more than 100 of the same time: they may be of different servers")
}

// The clock of HttpProxy is five minutes ahead: what it lost is looked for by its own clock, and neither log is relied on beside its holes.
func TestClocksThatDisagree(t *testing.T) {
	s := front(t)
	for m := 10; m < 1400; m++ {
		s.request(dayTime(t, "3 00:00")+int64(m)*minute, m, 5*time.Minute, "owa", true, iisSource, owaSource)
	}
	for i := range 3 {
		s.request(dayTime(t, "3 10:00")+int64(i)*minute, 10_000+i, 0, "owa", true, iisSource)
	}
	c := s.cover()
	why := "the clocks of exchange.httpproxy.owa and iis.w3svc1 differ by 5m0s (the middle of 1,390 requests that both have)"
	want := "exchange.httpproxy.owa 10:05–10:07 true: 3 of 6 requests that iis.w3svc1 has are not in exchange.httpproxy.owa\nexchange.httpproxy.owa: " + why + "\niis.w3svc1: " + why
	if got := toldOfJoints(c); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for _, e := range c.list() {
		if has := slices.Contains(e.Notes, why); has != (e.Stream != "exchange.httpproxy.ews") {
			t.Errorf("%s: %q", e.Stream, e.Notes)
		}
	}
	if got, want := tell(c.presence("owa", "ana", dayTime(t, "3 00:00"), dayTime(t, "3 12:00"))), "clock 3 00:00:00–3 00:04:59"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := tell(c.presence("ews", "ana", dayTime(t, "3 00:00"), dayTime(t, "3 12:00"))), "covered"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Where HttpProxy of a protocol is missing, lines taken out of IIS that another protocol's HttpProxy has leave nothing that covers it.
func TestLostLinesCoverNothing(t *testing.T) {
	s := front(t)
	for m := range 1440 {
		s.request(dayTime(t, "3 00:00")+int64(m)*minute, m, 0, "owa", true, iisSource, owaSource)
	}
	if got := tell(s.cover().presence("ecp", "ana", dayTime(t, "3 09:00"), dayTime(t, "3 12:00"))); got != "covered" {
		t.Errorf("%s, want covered", got)
	}
	for i := range 4 {
		s.request(dayTime(t, "3 10:00")+int64(i)*minute, 10_000+i, 0, "", true, owaSource)
	}
	if got, want := tell(s.cover().presence("ecp", "ana", dayTime(t, "3 09:00"), dayTime(t, "3 12:00"))), "missing_records 3 10:00:00–3 10:03:59"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
