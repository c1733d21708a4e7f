package sigma

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
)

// BenchmarkCorrelations gives hits in no order to one correlation of each type, and judges them.
// BARID_BENCH_HITS says how many (default 200,000).
func BenchmarkCorrelations(b *testing.B) {
	hits := 200_000
	if n, err := strconv.Atoi(os.Getenv("BARID_BENCH_HITS")); err == nil {
		hits = n
	}
	f := func(name, body string) {
		b.Run(name, func(b *testing.B) {
			pack := Parse("r.yml", []byte(loginRules+"title: T\nname: c\ncorrelation:\n"+body))
			e, rejected := Compile(pack, Options{})
			for _, r := range append(pack.Rejected, rejected...) {
				b.Fatal(r)
			}
			shape := event.NewShape("x", []event.LogSource{{Product: "p"}}, []event.Field{{Name: "Result"}, {Name: "User"}, {Name: "n"}})
			ev := &event.Event{Shape: shape, Values: make([]event.Value, 3)}
			m := e.NewMatcher()
			for b.Loop() {
				c := e.NewCorrelator(b.TempDir())
				col := c.Collector()
				random := rand.New(rand.NewPCG(1, 2))
				for i := range hits {
					ev.Time, ev.Offset = int64(random.IntN(hits))*1e9, int64(i)
					ev.Values[0] = event.Text([]string{"fail", "ok"}[random.IntN(2)])
					ev.Values[1] = event.Text(fmt.Sprint("user", random.IntN(1000)))
					ev.Values[2] = event.Text(strconv.Itoa(random.IntN(100_000)))
					col.Add(ev, m.Match(ev), Origin{})
				}
				if err := col.Flush(); err != nil {
					b.Fatal(err)
				}
				if err := c.Matches(context.Background(), nil, func(*CorrelationMatch) error { return nil }); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
			b.ReportMetric(float64(hits)*float64(b.N)/b.Elapsed().Seconds(), "hits/s")
		})
	}
	f("event_count", "  {type: event_count, rules: failed, group-by: User, timespan: 1h, condition: {gte: 10}}\n")
	f("no_group", "  {type: event_count, rules: failed, timespan: 1d, condition: {gte: 10}}\n")
	f("value_count", "  {type: value_count, rules: failed, group-by: User, timespan: 1d, condition: {field: n, gte: 10}}\n")
	f("value_sum", "  {type: value_sum, rules: failed, group-by: User, timespan: 1d, condition: {field: n, gte: 10}}\n")
	f("value_median", "  {type: value_median, rules: failed, group-by: User, timespan: 1d, condition: {field: n, gte: 10}}\n")
	f("temporal_ordered", "  {type: temporal_ordered, rules: [failed, ok], group-by: User, timespan: 1h}\n")
}
