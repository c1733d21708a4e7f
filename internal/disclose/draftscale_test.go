package disclose

import (
	"fmt"
	"io"
	"iter"
	"runtime"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// many yields as many mailboxes, with items messages between them; each verdict is valid until the next.
func many(mailboxes, items int) iter.Seq2[*casefile.Reached, error] {
	return func(yield func(*casefile.Reached, error) bool) {
		verdicts := []string{casefile.Confirmed, casefile.Possible, casefile.RuledOut}
		var r casefile.Reached
		for i := range mailboxes + items {
			v := verdicts[i%3]
			r = casefile.Reached{Object: casefile.Object{Kind: "message", ID: "<m@x>", In: "box"}, Verdict: v, Levels: casefile.Levels{Content: v, Partial: v, Metadata: v}, Upper: 1}
			if i < mailboxes {
				r.Object = casefile.Object{Kind: "mailbox", ID: fmt.Sprintf("box%d@example.org", i), Owner: "somebody"}
				r.Upper = -1
			}
			if v == casefile.Possible {
				r.Settle = fmt.Sprintf("log %d", i) // all different
			}
			if !yield(&r, nil) {
				return
			}
		}
	}
}

// Drafts and the list of persons are made in one pass over the verdicts, and hold none of them.
func TestDraftsOfManyVerdictsAreMadeInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a million verdicts")
	}
	before := heap()
	in := draftOf(&casefile.Case{}, nil, nil, language(t, "ar"))
	in.Reached = many(100_000, 1_000_000)
	in.As = "html"
	most := uint64(0)
	for _, form := range draftForms() {
		if form.Name == "nis2-final" {
			continue
		}
		n := countWriter(0)
		if err := form.Write(&n, in); err != nil {
			t.Fatal(form.Name, err)
		}
		if form.Name != "persons" && n > 100<<10 {
			t.Errorf("%s has %d bytes", form.Name, n)
		}
		most = max(most, heap())
	}
	if most > before+32<<20 {
		t.Errorf("%d MB are held", (most-before)>>20)
	}
}

type countWriter int

func (n *countWriter) Write(p []byte) (int, error) {
	*n += countWriter(len(p))
	return len(p), nil
}

var _ io.Writer = (*countWriter)(nil)

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
