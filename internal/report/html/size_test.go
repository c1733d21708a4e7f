package html

import (
	"cmp"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
)

// large is a case of so many mailboxes, each with items messages, and so many findings, none of which is held.
func large(mailboxes, items, findings int) *input.Input {
	c := judged()
	c.Reached = nil
	c.Summary.Reached = map[string]casefile.VerdictCounts{"mailbox": {Confirmed: int64(mailboxes)}, "message": {Confirmed: int64(mailboxes * items)}}
	in := input.Of(c, nil)
	yes := casefile.Levels{Content: casefile.Confirmed, Partial: casefile.Confirmed, Metadata: casefile.Confirmed}
	first := at("2021-03-04 09:00:00")
	in.Reached = func(yield func(*casefile.Reached, error) bool) {
		for m := range mailboxes {
			box := fmt.Sprintf("user%06d@example.org", m)
			proof := []casefile.Proof{{Source: "logs.zip!ual.csv", Time: &first, Line: int64(m), Offset: int64(m) * 311}}
			if !yield(&casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: box, Owner: "Person " + box}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: int64(items), Upper: int64(2 * items), First: &first, By: []string{"S1"},
				Why: []casefile.Reason{{Rule: "SYNC_FOLDER", Text: fmt.Sprintf("the client synchronised a folder of %d messages", items), Evidence: proof}}, Settle: fmt.Sprintf("the mailbox audit log of %s", box)}, nil) {
				return
			}
			for i := range items {
				if !yield(&casefile.Reached{Object: casefile.Object{Kind: "message", ID: fmt.Sprintf("<%d.%d@mail.example.org>", m, i), In: box, Name: "Minutes of the board"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: 1, First: &first,
					Why: []casefile.Reason{{Rule: "SYNC_FOLDER", Text: "it lay in the folder when that was synchronised", Evidence: proof}}}, nil) {
					return
				}
			}
		}
	}
	in.Findings = func(yield func(*casefile.Finding, error) bool) {
		var f casefile.Finding
		for i := range findings {
			t := first.Add(time.Duration(i) * time.Second)
			f = casefile.Finding{Time: &t, Rule: casefile.Rule{ID: fmt.Sprint("r", i%200), Title: fmt.Sprint("Rule ", i%200), Level: "high"}, Host: "EX1", Source: casefile.Position{Path: "logs.zip!ual.csv", Line: int64(i), Offset: int64(i) * 311}, Raw: "a line of the log"}
			if !yield(&f, nil) {
				return
			}
		}
	}
	return in
}

// heap writes in, and returns how much memory is in use at most when it goes through its lists, and how large the page is.
func heap(t *testing.T, in *input.Input, to string) (most uint64, size int64) {
	t.Helper()
	var m runtime.MemStats
	look := func() {
		runtime.GC()
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	in.Reached = watched(in.Reached, 200_000, look)
	in.Findings = watched(in.Findings, 200_000, look)
	f, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Write(f, in); err != nil {
		t.Fatal(err)
	}
	look()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return most, info.Size()
}

// watched calls look before every so many.
func watched[T any](seq iter.Seq2[T, error], every int, look func()) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for v, err := range seq {
			if n++; n%every == 0 {
				look()
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// A case of 100,000 mailboxes, a million messages and a million findings makes a page that opens, in memory that the mailboxes decide.
func TestALargeCase(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	dir := cmp.Or(os.Getenv("BARID_PAGES"), t.TempDir())
	most, size := heap(t, large(100_000, 10, 1_000_000), filepath.Join(dir, "large.html"))
	t.Logf("%d MB of heap, a page of %.1f MB", most>>20, float64(size)/1e6)
	if size > 20e6 {
		t.Errorf("the page has %d bytes", size)
	}
	if most > 200<<20 {
		t.Errorf("%d bytes of heap", most)
	}
}
