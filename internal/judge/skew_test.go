package judge

import (
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

func TestTimesOfSkewedLogs(t *testing.T) {
	s := front(t)
	for m := 10; m < 100; m++ {
		s.request(dayTime(t, "3 00:00")+int64(m)*minute, m, -20*time.Minute, "owa", true, iisSource, owaSource)
	}
	s.observe("3 13:00", "EX1", "exchange.httpproxy.owa", logs.Observation{Kind: logs.Capability, OK: true, Account: []byte("bob"), Channel: "owa", In: []byte("ana"), Object: []byte("m"), Power: logs.Rule})
	s.observe("3 12:50", "EX1", "exchange.httpproxy.ews", logs.Observation{Kind: logs.Capability, OK: true, Account: []byte("bob"), Channel: "ews", In: []byte("ana"), Object: []byte("n"), Power: logs.Rule})
	store := s.cover().store()
	check := func(what string, a *tally.Act, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		want, by := dayTime(t, "3 12:50"), int64(0)
		if store.Contexts()[a.Context].Format != "exchange.httpproxy.ews" {
			want, by = dayTime(t, "3 13:00"), 20*minute
		}
		if a.From != want-by || a.To != want+by || a.Refs[0].Time != want {
			t.Errorf("%s: %s from %s to %s", what, a.Object, inWords(a.From), inWords(a.To))
		}
	}
	n, order := 0, ""
	for i := range store.Contexts() {
		for a, err := range store.Acts(i) {
			check("acts", a, err)
			n++
		}
	}
	for a, err := range store.Touched("ana") {
		check("touched", a, err)
		n++
	}
	for a, err := range store.Powers() {
		check("powers", a, err)
		order += a.Object
		n++
	}
	if n != 3+2+2 || order != "mn" {
		t.Errorf("%d acts, powers in the order %s", n, order)
	}
}
