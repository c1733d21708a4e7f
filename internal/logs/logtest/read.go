// Package logtest is the harness of the log formats. A format's tests give it lines, and it checks what package logs
// promises of every format:
//
//	logtest.Golden(t, w3c.New(), "in", "want")   // lines in, events out
//	logtest.Check(t, w3c.New, data, opts)        // cuts, truncation, accounting, allocations
//	logtest.Fuzz(f, w3c.New, opts, seeds...)     // the same on bytes nobody thought of
package logtest

import (
	"bytes"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
)

// maxHead is the length of a source's Head.
const maxHead = 64 << 10

// Source returns the source of data as a pipeline would: named path, with its Head, in UTC by assumption and without a
// time of modification.
func Source(path string, data []byte) *logs.Source {
	return &logs.Source{Path: path, Zone: time.UTC, ZoneFrom: "assumed", Head: data[:min(len(data), maxHead)]}
}

// Events reads data as a stream called path and returns what the format makes of it. The batch keeps views of data.
func Events(tb testing.TB, f logs.Format, path string, data []byte) *event.Batch {
	tb.Helper()
	return Read(tb, f, Source(path, data), data, logs.MaxBlock, 0)
}

// Read reads data as the stream of s. The Cutter is shown at first window bytes (at most logs.MaxBlock), and window
// more each time it asks; if blockSize is not 0 and the Cutter has a method SetBlockSize, blocks have about that length.
func Read(tb testing.TB, f logs.Format, s *logs.Source, data []byte, window, blockSize int) *event.Batch {
	tb.Helper()
	out := new(event.Batch)
	p := f.Parser()
	for _, b := range Blocks(tb, f, s, data, window, blockSize) {
		p.Parse(b, out)
	}
	return out
}

// Blocks returns the blocks into which the Cutter of the format divides data; see Read. It fails the test if the Cutter
// breaks its contract.
func Blocks(tb testing.TB, f logs.Format, s *logs.Source, data []byte, window, blockSize int) []*logs.Block {
	tb.Helper()
	c := f.Cutter(s)
	if z, ok := c.(interface{ SetBlockSize(int) }); ok && blockSize > 0 {
		z.SetBlockSize(blockSize)
	}
	var blocks []*logs.Block
	line := int64(1)
	for off := 0; off < len(data); {
		rest := data[off:]
		n, shown := 0, 0
		var state any
		for n == 0 {
			if shown == min(len(rest), logs.MaxBlock) {
				tb.Fatalf("Cut at offset %d asks for more than there is: %d bytes shown", off, shown)
			}
			shown = min(shown+window, len(rest), logs.MaxBlock)
			n, state = c.Cut(rest[:shown:shown], shown == len(rest))
		}
		if n < 0 || n > shown {
			tb.Fatalf("Cut at offset %d returned %d of %d bytes", off, n, shown)
		}
		blocks = append(blocks, &logs.Block{
			Source: s, Data: rest[:n:n], Offset: int64(off), Line: line,
			First: off == 0, Last: off+n == len(data), State: state,
		})
		line += int64(bytes.Count(rest[:n], []byte{'\n'}))
		off += n
	}
	return blocks
}

// Observations returns what the event means to its format.
func Observations(f logs.Format, e *event.Event) []logs.Observation {
	return f.Parser().Observe(e, nil)
}

// Identities returns what the format tells of identities in the events of a stream, each as name=identifier.
func Identities(tb testing.TB, f logs.Format, path string, data []byte) []string {
	tb.Helper()
	p, ok := f.Parser().(logs.Identifier)
	if !ok {
		tb.Fatalf("%s tells no identities", f.Name)
	}
	var out []string
	var list []logs.Identity
	batch := Events(tb, f, path, data)
	for i := range batch.Events {
		list = p.Identities(&batch.Events[i], list[:0])
		for _, i := range list {
			out = append(out, string(i.Name)+"="+string(i.ID))
		}
	}
	return out
}
