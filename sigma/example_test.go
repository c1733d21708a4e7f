package sigma_test

import (
	"context"
	"fmt"
	"time"

	"github.com/barid-dfir/barid/sigma"
)

const rules = `
title: Failed Login
name: failed
logsource: {product: shop, service: login}
detection:
    selection: {outcome: failed}
    filter: {address|cidr: 10.0.0.0/8}
    condition: selection and not filter
level: low
---
title: Many Failed Logins
correlation:
    type: event_count
    rules: failed
    group-by: address
    timespan: 10m
    condition: {gte: 3}
    generate: true
level: high
`

// A program matches rules against events of its own.
func Example() {
	engine, rejected := sigma.Compile(sigma.Parse("rules.yml", []byte(rules)), sigma.Options{})
	for _, r := range rejected {
		fmt.Println(r)
	}
	logins := sigma.NewShape([]sigma.LogSource{{Product: "shop", Service: "login"}}, "user", "address", "outcome")
	matcher := engine.NewMatcher()
	for _, login := range [][]string{{"ana", "203.0.113.9", "failed"}, {"ana", "10.1.2.3", "failed"}, {"bob", "203.0.113.9", "ok"}} {
		event := &sigma.Event{Shape: logins, Time: sigma.UnknownTime}
		for _, value := range login {
			event.Values = append(event.Values, sigma.Text(value))
		}
		for _, i := range matcher.Match(event) {
			fmt.Println(login[0], login[1], engine.Rules()[i].Title)
		}
	}
	// Output:
	// ana 203.0.113.9 Failed Login
}

// Correlations are judged when all events have been seen, in the order of their times.
func ExampleCorrelator() {
	engine, _ := sigma.Compile(sigma.Parse("rules.yml", []byte(rules)), sigma.Options{})
	logins := sigma.NewShape([]sigma.LogSource{{Product: "shop", Service: "login"}}, "user", "address", "outcome")
	matcher := engine.NewMatcher()
	correlator := engine.NewCorrelator("")
	defer correlator.Close()
	collector := correlator.Collector() // one for each worker
	start := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	for i, minute := range []int{9, 1, 5, 30} { // in whatever order they were read
		event := &sigma.Event{Shape: logins, Time: start.Add(time.Duration(minute) * time.Minute).UnixNano(), Line: int64(i + 1),
			Values: []sigma.Value{sigma.Text("ana"), sigma.Text("203.0.113.9"), sigma.Text("failed")}}
		collector.Add(event, matcher.Match(event), sigma.Origin{})
	}
	if err := collector.Flush(); err != nil {
		fmt.Println(err)
	}
	err := correlator.Matches(context.Background(), nil, func(m *sigma.CorrelationMatch) error {
		fmt.Println(m.Correlation.Title, m.Group, time.Unix(0, m.First).UTC().Format("15:04"), time.Unix(0, m.Last).UTC().Format("15:04"), m.Hits)
		for _, hit := range m.Sample {
			fmt.Println("line", hit.Line)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// Many Failed Logins [203.0.113.9] 10:01 10:09 3
	// line 2
	// line 3
	// line 1
}
