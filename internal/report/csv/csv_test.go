package csv

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/google/go-cmp/cmp"
)

func one(f *casefile.Finding) func(yield func(*casefile.Finding, error) bool) {
	return func(yield func(*casefile.Finding, error) bool) { yield(f, nil) }
}

func TestTimelineLine(t *testing.T) {
	at := time.Date(2021, 3, 3, 6, 49, 46, 210e6, time.UTC)
	f := &casefile.Finding{
		Time:    &at,
		Rule:    casefile.Rule{ID: "r1", Title: `A "shell", used`, Level: "high", Tags: []string{"attack.t1505.003", "attack.persistence"}},
		Host:    "=cmd|' /C calc'!A0",
		Account: "ana; drop", Client: "203.0.113.9",
		Source: casefile.Position{Path: "logs.zip!a.log", SHA256: "ab", Line: 12, Offset: 4711},
		Event:  json.RawMessage(`{"cs-uri-stem":"/x.aspx","cs-uri-query":"a=1,b=2"}`),
	}
	want := header + `2021-03-03T06:49:46.210Z,high,"A ""shell"", used",'=cmd|' /C calc'!A0,"ana; drop",203.0.113.9,logs.zip!a.log,12,,4711,r1,` +
		`attack.t1505.003 attack.persistence,ab,"cs-uri-stem=/x.aspx cs-uri-query=a=1,b=2"` + "\r\n"
	var got strings.Builder
	if err := Write(&got, input.Of(new(casefile.Case), one(f))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkRow(b *testing.B) {
	at := time.Date(2021, 3, 3, 6, 49, 46, 210e6, time.UTC)
	f := &casefile.Finding{Time: &at, Rule: casefile.Rule{ID: "r1", Title: "Web shell used", Level: "high"}, Host: "ex1", Source: casefile.Position{Path: "a.log"},
		Event: json.RawMessage(`{"c-ip":"203.0.113.9","cs-uri-stem":"/aspnet_client/x.aspx","cs(User-Agent)":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","sc-status":"200"}`)}
	row := newRow()
	buf := row(nil, f)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = row(buf[:0], f)
	}
}
