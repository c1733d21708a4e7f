package sigma_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/barid-dfir/barid/sigma"
)

func TestConformance(t *testing.T) { conformance(t, engineUnderTest) }

// engineUnderTest judges with the engine, by two collectors that take events in turns.
func engineUnderTest(tb testing.TB, rules []byte, events []conformanceEvent) conformanceResult {
	var res conformanceResult
	labels := map[string]string{}
	for _, doc := range documents(tb, rules) {
		for _, key := range []string{"id", "title"} {
			if v := entry(doc, key); v != nil {
				labels[v.Value] = labelOf(doc)
			}
		}
	}
	label := func(id, title string) string {
		if l, ok := labels[id]; ok {
			return l
		}
		if l, ok := labels[title]; ok {
			return l
		}
		return "no name"
	}
	pack := sigma.Parse("rules.yml", rules)
	engine, rejected := sigma.Compile(pack, sigma.Options{})
	for _, r := range append(pack.Rejected, rejected...) {
		res.Rejected = append(res.Rejected, conformanceRejection{label(r.ID, r.Title), r.Reason})
	}
	correlator := engine.NewCorrelator(tb.TempDir())
	defer correlator.Close()
	matcher := engine.NewMatcher()
	collectors := []*sigma.Collector{correlator.Collector(), correlator.Collector()}
	for i, e := range events {
		ev := e.event()
		matched := matcher.Match(ev)
		collectors[i%2].Add(ev, matched, sigma.Origin{Source: i, Identity: []byte(e.ID)})
		for _, r := range matched {
			if !engine.Silent(r) {
				rule := engine.Rules()[r]
				res.Findings = append(res.Findings, conformanceFinding{label(rule.ID, rule.Title), i})
			}
		}
	}
	for _, c := range collectors {
		if err := c.Flush(); err != nil {
			tb.Fatal(err)
		}
	}
	err := correlator.Matches(context.Background(), nil, func(m *sigma.CorrelationMatch) error {
		group := map[string]string{}
		for i, name := range m.Correlation.GroupBy {
			group[name] = m.Group[i]
		}
		res.Matches = append(res.Matches, conformanceMatch{label(m.Correlation.ID, m.Correlation.Title), group,
			time.Unix(0, m.First), time.Unix(0, m.Last), int(m.Hits), json.Number(m.Value.RatString())})
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return res
}
