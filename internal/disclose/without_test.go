package disclose

import (
	"testing"
	"testing/fstest"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Where it is not known whether a law has an hour, the hour is said: who waits for word would miss it.
func TestAnHourThatMayCountIsSaid(t *testing.T) {
	const law = `regime: test
version: "2026-01-01"
source: {act: "An act"}
words: {en: {name: Test, recipient: somebody}}
applies: {any: [{organisation.kind: [bank]}]}
owed: {any: []}
duties:
- stage: report
  words: {en: {name: report}}
  starts: aware
  clocks:
  - from: "2020-01-01"
    when: {disclosure.entity.listed: ["yes"]}
    without_undue_delay: true
    source: {article: "1"}
  - from: "2020-01-01"
    limits: [{after: aware, hours: 24}]
    source: {article: "2"}
`
	regimes, err := LoadRegimes(fstest.MapFS{"test.yaml": {Data: []byte(law)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	for listed, want := range map[string]string{"": "2025-12-23T06:00:00Z", "listed: false": "2025-12-23T06:00:00Z", "listed: true": ""} {
		f, err := ParseFacts([]byte("organisation: {name: A bank, kind: bank, country: FR}\ndisclosure:\n  incident: {aware: 2025-12-22T06:00:00Z}\n  entity: {" + listed + "}\n"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: new(casefile.Case), Facts: f, Regimes: regimes})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Owed {
			d := &r.Owed[i]
			if d.Regime != "test" {
				continue
			}
			got := ""
			if d.Due != nil {
				got = stamp(*d.Due)
			}
			if got != want || d.Without != (want == "") {
				t.Errorf("%q: due %q, without an hour %v", listed, got, d.Without)
			}
		}
	}
}
