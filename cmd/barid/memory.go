package main

import (
	"math"
	"runtime/debug"

	"github.com/barid-dfir/barid/internal/judge"
)

// judgeLimit is the limit of memory while verdicts are made, in bytes: what there is to say of things takes what it takes, and looking for
// garbage again and again gives none of it back.
const judgeLimit = 640 << 20

// Of a line of an inventory, what it says and what there is to say of it take so much, and all else so much.
const (
	memoryPerLine = 560
	memoryBesides = 160 << 20
)

// readInventory reads the lists of an inventory and raises the limit of memory to what they and their verdicts need. How many lines there are is only known then.
func readInventory(read func() (*judge.Inventory, error)) (*judge.Inventory, error) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	inv, err := read()
	if inv == nil {
		debug.SetMemoryLimit(before)
		return nil, err
	}
	debug.SetMemoryLimit(max(before, memoryFor(inv)))
	return inv, err
}

func memoryFor(inv *judge.Inventory) int64 {
	lines := int64(0)
	for i := range inv.Lists {
		lines += inv.Lists[i].Lines
	}
	return max(judgeLimit, memoryBesides+memoryPerLine*lines)
}
