package spill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func all(tb testing.TB, r *Reader) (out []string) {
	tb.Helper()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, string(record))
	}
}

func TestSorterGivesBackWhatItGotInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := New(t.TempDir(), 4<<20)
		defer s.Close()
		var want []string
		b := s.Buffer()
		for range rapid.IntRange(0, 5).Draw(rt, "flushes") {
			for _, record := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 20)).Draw(rt, "records") {
				want = append(want, string(record))
				if err := b.Add(record); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.Bool().Draw(rt, "to disk") {
				if err := b.spill(); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(want)
		for range 2 { // it can be read again
			if got := all(t, s.Reader()); !slices.Equal(got, want) {
				rt.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

func TestSorterMergesManyRunsOfManyBuffers(t *testing.T) {
	dir := t.TempDir()
	s := New(dir, 1<<20)
	const workers, each = 4, 40_000
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			b := s.Buffer()
			padding := bytes.Repeat([]byte{'.'}, 200)
			for i := range each {
				if err := b.Add(append(fmt.Appendf(nil, "%08d %d %d", random.IntN(1e8), w, i), padding...)); err != nil {
					t.Error(err)
				}
				if i%500 == 0 {
					if err := b.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
			if err := b.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got := all(t, s.Reader())
	if len(got) != workers*each || !slices.IsSorted(got) {
		t.Errorf("%d records, sorted: %t; want %d in order", len(got), slices.IsSorted(got), workers*each)
	}
	s.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind (%v)", left, err)
	}
}

func TestTapeIsReadFromAnyPlace(t *testing.T) {
	tape := NewTape(t.TempDir())
	defer tape.Close()
	for round := range 2 {
		tape.Reset()
		var cursors []Cursor
		end := tape.Start()
		const records, size = 3000, 5000
		for i := range records {
			if i%500 == 0 {
				cursors = append(cursors, end.Clone())
			}
			if err := tape.Append(append(fmt.Appendf(nil, "%d/%d:", round, i), make([]byte, size)...)); err != nil {
				t.Fatal(err)
			}
			if _, err := end.Next(); err != nil {
				t.Fatal(err)
			}
		}
		for n, c := range cursors {
			for i := n * 500; i < records; i++ {
				record, err := c.Next()
				if want := fmt.Sprintf("%d/%d:", round, i); err != nil || !bytes.HasPrefix(record, []byte(want)) {
					t.Fatalf("record %q, error %v; want %s", record[:min(len(record), 10)], err, want)
				}
			}
			if _, err := c.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("error %v after the last record, want io.EOF", err)
			}
		}
	}
	if tape.file == nil {
		t.Error("nothing went to disk: the test is too small")
	}
}
