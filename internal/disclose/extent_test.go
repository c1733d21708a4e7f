package disclose

import (
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// TestExtentOfHostsThatMayBeOne holds that a server of which logs tell by two names is not counted as two for certain.
func TestExtentOfHostsThatMayBeOne(t *testing.T) {
	yes := casefile.Levels{Content: casefile.Confirmed, Partial: casefile.Confirmed, Metadata: casefile.Confirmed}
	list := []casefile.Reached{
		{Object: casefile.Object{Kind: "host", ID: "10.0.0.5", SameAs: "ex1"}, Verdict: casefile.Confirmed, Levels: yes},
		{Object: casefile.Object{Kind: "host", ID: "ex1"}, Verdict: casefile.Confirmed, Levels: yes},
	}
	x, err := MeasureExtent(func(yield func(*casefile.Reached, error) bool) {
		for i := range list {
			if !yield(&list[i], nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := x.Kinds[kindHost].Content; n.ConfirmedLeast() != 1 || n.Confirmed != 2 {
		t.Errorf("at least %d and at most %d, want 1 and 2", n.ConfirmedLeast(), n.Confirmed)
	}
}
