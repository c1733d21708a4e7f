package reached

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
)

func TestReached(t *testing.T) {
	at := time.Date(2021, 3, 1, 8, 5, 0, 0, time.UTC)
	c := &casefile.Case{Reached: []casefile.Reached{
		{Object: casefile.Object{Kind: "mailbox", ID: "mara@example.org", Owner: "Mara, Dr."}, Verdict: casefile.Confirmed, Exposure: "content",
			Levels: casefile.Levels{Content: "confirmed", Partial: "confirmed", Metadata: "confirmed"}, Lower: 4, Upper: -1, First: &at, Last: &at, By: []string{"S1", "S2"},
			Why: []casefile.Reason{{Rule: "BIND", Text: "opened"}, {Rule: "BIND", Text: "again"}, {Rule: "THROTTLED", Text: `"gap"`}}, Settle: "the mailbox audit log"},
		{Object: casefile.Object{Kind: "message", ID: "=cmd|'/c calc'!A0", In: "mara@example.org", Name: "@SUM(1)\r\nx\u202e"}, Verdict: casefile.RuledOut, Exposure: "none"},
	}}
	var b strings.Builder
	if err := Write(&b, input.Of(c, nil)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		strings.Split(strings.TrimSpace(header), ","),
		{"mara@example.org", "Mara, Dr.", "mailbox", "mara@example.org", "", "", "confirmed", "content", "confirmed", "confirmed", "confirmed", "4", "unbounded",
			"2021-03-01T08:05:00.000Z", "2021-03-01T08:05:00.000Z", "S1 S2", "BIND THROTTLED", "opened", "the mailbox audit log", "3"},
		{"mara@example.org", "Mara, Dr.", "message", "'=cmd|'/c calc'!A0", "mara@example.org", "'@SUM(1)[U+000D][U+000A]x[U+202E]", "ruled_out", "none", "", "", "", "0", "0", "", "", "", "", "", "", "0"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if strings.Count(b.String(), "\r\n") != strings.Count(b.String(), "\n") {
		t.Error("a line does not end with CR LF")
	}
}

// Many sessions and long words leave a line that people can read. What is left out is counted, or ends in an ellipsis.
func TestLinesAreShort(t *testing.T) {
	r := casefile.Reached{Settle: strings.Repeat("é", 400)}
	for i := range 40 {
		r.By = append(r.By, "S"+strconv.Itoa(i))
		r.Why = append(r.Why, casefile.Reason{Rule: "R" + strconv.Itoa(i%2), Text: strings.Repeat("ü", 1000)})
	}
	var b strings.Builder
	if err := Write(&b, input.Of(&casefile.Case{Reached: []casefile.Reached{r}}, nil)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"S0 S1 S2 +37", "R0 R1", strings.Repeat("ü", 250) + "…", strings.Repeat("é", 150) + "…", "40"}
	if diff := cmp.Diff(want, rows[1][15:]); diff != "" {
		t.Error(diff)
	}
}

// Cells that are made once for several verdicts must be those of each.
func TestReasonsInCommon(t *testing.T) {
	a, b := []casefile.Reason{{Rule: "BIND", Text: "opened"}, {Rule: "THROTTLED", Text: "gap"}}, []casefile.Reason{{Rule: "SYNC_FOLDER", Text: "all"}}
	kinds := [][]casefile.Reason{a, a[:1], b, nil, {}, a}
	by := []string{"S1", "S2"}
	var all []casefile.Reached
	for _, why := range kinds {
		for _, settle := range []string{"", "the log", "the log", "another"} {
			for _, by := range [][]string{by, by, by[:1], nil, {"S3"}} {
				all = append(all, casefile.Reached{By: by, Why: why, Settle: settle}, casefile.Reached{By: by, Why: why, Settle: settle})
			}
		}
	}
	lines := func(list ...casefile.Reached) []string {
		var b strings.Builder
		if err := Write(&b, input.Of(&casefile.Case{Reached: list}, nil)); err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(b.String(), "\r\n"), "\r\n")[1:]
	}
	var want []string
	for _, r := range all {
		want = append(want, lines(r)...)
	}
	if diff := cmp.Diff(want, lines(all...)); diff != "" {
		t.Error(diff)
	}
}
