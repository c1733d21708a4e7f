package html

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
)

func TestRecordsOfTheCaseStandUnderTheProofsThatNameThem(t *testing.T) {
	c := judged()
	records := make(map[casefile.Place]casefile.Record)
	named := 0
	for i := range c.Reached {
		for _, why := range c.Reached[i].Why {
			for _, p := range why.Evidence {
				at := casefile.Place{Source: p.Source, Offset: p.Offset}
				records[at] = casefile.Record{Source: p.Source, Line: p.Line, Offset: p.Offset, Raw: "zz71 <b>\u202e" + p.Source, Cut: true}
				named++
			}
		}
	}
	if named == 0 {
		t.Fatal("the case has no proofs")
	}
	in := input.Of(c, nil)
	page := func() string {
		var b strings.Builder
		if err := Write(&b, in); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if strings.Contains(page(), "zz71") {
		t.Error("records from nowhere")
	}
	in.Records = records
	got := page()
	if !strings.Contains(got, "zz71 &lt;b&gt;") || strings.Contains(got, "zz71 <b>") || strings.Contains(got, "\u202e") {
		t.Error("zz71s are not shown, or not as text")
	}
}
