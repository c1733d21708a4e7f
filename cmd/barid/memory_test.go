package main

import (
	"errors"
	"runtime/debug"
	"testing"

	"github.com/barid-dfir/barid/internal/judge"
)

func TestMemoryGrowsWithTheInventory(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(was) })
	f := func(lines int64, inv bool, want int64) {
		t.Helper()
		debug.SetMemoryLimit(memoryLimit)
		_, err := readInventory(func() (*judge.Inventory, error) {
			if !inv {
				return nil, errors.New("no list")
			}
			return &judge.Inventory{Lists: []judge.List{{Kind: "messages", Lines: lines}, {Kind: "files", Lines: 7}}}, nil
		})
		if got := debug.SetMemoryLimit(-1); (err == nil) != inv || got != want {
			t.Errorf("%d lines: %d bytes, want %d (%v)", lines, got, want, err)
		}
	}
	f(0, false, memoryLimit)
	f(10, true, judgeLimit)
	f(1_000_000, true, memoryBesides+memoryPerLine*1_000_007)
	f(5_000_000, true, memoryBesides+memoryPerLine*5_000_007)
	if limit := memoryFor(&judge.Inventory{Lists: []judge.List{{Lines: 1_000_000}}}); limit > 1<<30 {
		t.Errorf("%d bytes for a million lines", limit)
	}
}
