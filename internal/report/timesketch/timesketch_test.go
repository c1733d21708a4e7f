package timesketch

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/google/go-cmp/cmp"
)

func TestEveryFindingIsALineThatTimesketchTakes(t *testing.T) {
	at := time.Date(2021, 3, 3, 6, 49, 46, 210e6, time.UTC)
	findings := []*casefile.Finding{
		{Time: &at, Rule: casefile.Rule{ID: "r1", Title: "Web shell used", Level: "high", Tags: []string{"attack.t1505.003", "attack.persistence", "attack.ta0003"}},
			Host: "EX1", Client: "203.0.113.9", Source: casefile.Position{Path: "a.log", SHA256: "ab", Line: 3, Offset: 9}, Event: json.RawMessage(`{"a":"<x>"}`)},
		{Rule: casefile.Rule{ID: "r2", Title: "No time", Level: "low"}, Source: casefile.Position{Path: "b.log"}, Event: json.RawMessage(`{}`)},
	}
	var got strings.Builder
	err := Write(&got, input.Of(new(casefile.Case), func(yield func(*casefile.Finding, error) bool) {
		for _, f := range findings {
			if !yield(f, nil) {
				return
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"message":"Web shell used: a=<x>","datetime":"2021-03-03T06:49:46.210Z","timestamp_desc":"Event Time","data_type":"barid:finding",` +
		`"tag":["barid","high","T1505.003"],"level":"high","rule_id":"r1","rule_title":"Web shell used","hostname":"EX1","src_ip":"203.0.113.9",` +
		`"display_name":"a.log","sha256_hash":"ab","line":3,"offset":9,"event":{"a":"<x>"}}
{"message":"No time: ","datetime":"1970-01-01T00:00:00.000Z","timestamp_desc":"Time unknown","data_type":"barid:finding",` +
		`"tag":["barid","low"],"level":"low","rule_id":"r2","rule_title":"No time","hostname":"","display_name":"b.log","offset":0,"event":{}}
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}
