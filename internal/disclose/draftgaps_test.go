package disclose

import (
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

func TestGapsAreSummedUp(t *testing.T) {
	day := func(d, hour int) *time.Time {
		at := time.Date(2024, 3, d, hour, 0, 0, 0, time.UTC)
		return &at
	}
	all := holesOf([]casefile.Coverage{
		{Host: "mx1", Stream: "dovecot", Level: "detail", Gaps: []casefile.Gap{{From: day(1, 0), To: day(1, 2), Reason: "silence"}}},
		{Host: "EX1", Stream: "iis.w3c", Level: "detail", Gaps: []casefile.Gap{
			{From: day(1, 0), To: day(1, 10), Reason: "silence"}, {From: day(1, 5), To: day(1, 20), Reason: "missing_file"}, {From: day(3, 0), To: day(3, 4), Reason: "clock"},
			{From: day(5, 0), To: day(9, 0), Reason: "silence", Substitute: "exchange.httpproxy.owa"}}},
		{Host: "EX1", Stream: "iis.w3c", Level: "presence", Gaps: []casefile.Gap{
			{From: day(1, 0), To: day(1, 10), Reason: "silence"}, {From: day(10, 0), To: day(19, 0), Reason: "silence", Substitute: "exchange.httpproxy.owa"}}},
		{Stream: "m365.ual", Level: "detail", Gaps: []casefile.Gap{{From: day(1, 0), Reason: "after_coverage"}}},
	})
	want := []struct {
		stream string
		n      int
		long   time.Duration
		worst  string
	}{{"m365.ual", 1, 0, "after_coverage"}, {"iis.w3c", 4, (20 + 4 + 4*24) * time.Hour, "silence"}, {"dovecot", 1, 2 * time.Hour, "silence"}}
	if len(all) != len(want) {
		t.Fatalf("%d logs", len(all))
	}
	for i, w := range want {
		if h := all[i]; h.stream != w.stream || len(h.gaps) != w.n || h.long != w.long || h.gaps[0].reason != w.worst {
			t.Errorf("%d: %+v, want %+v", i, h, w)
		}
	}
}
