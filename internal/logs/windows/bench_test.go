package windows

import (
	"bytes"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/logtest"
)

// blocksOf returns the blocks of a stream, to be parsed again and again.
func blocksOf(b *testing.B, f logs.Format, path string, data []byte) []*logs.Block {
	return logtest.Blocks(b, f, logtest.Source(path, data), data, logs.MaxBlock, 0)
}

func BenchmarkEVTX(b *testing.B) {
	f := EVTX()
	var blocks []*logs.Block
	size := int64(0)
	add := func(name string, data []byte) {
		blocks = append(blocks, blocksOf(b, f, name, data)...)
		out := new(event.Batch)
		for _, bl := range blocksOf(b, f, name, data) {
			f.Parser().Parse(bl, out)
		}
		for i := range out.Events {
			size += int64(len(out.Events[i].Raw))
		}
	}
	sharedZip(b, add, "evidence", "windows-evtx", "evtx-attack-samples.zip")
	sharedZip(b, add, "evidence", "windows-evtx", "parser-conformance.zip")
	parseAll(b, f, blocks, size)
}

func parseAll(b *testing.B, f logs.Format, blocks []*logs.Block, bytes int64) {
	p := f.Parser()
	out := new(event.Batch)
	var obs []logs.Observation
	events := 0
	run := func() {
		events = 0
		for _, bl := range blocks {
			out.Reset()
			p.Parse(bl, out)
			for i := range out.Events {
				obs = p.Observe(&out.Events[i], obs[:0])
			}
			events += len(out.Events)
		}
	}
	run()
	b.SetBytes(bytes)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkJSONWinlogbeat(b *testing.B) {
	data := bytes.Repeat([]byte(winlogbeat+"\n"), 2000)
	f := JSON()
	parseAll(b, f, blocksOf(b, f, "x.json", data), int64(len(data)))
}

func BenchmarkJSONDump(b *testing.B) {
	data := bytes.Repeat([]byte(evtxDump+"\n"), 2000)
	f := JSON()
	parseAll(b, f, blocksOf(b, f, "x.json", data), int64(len(data)))
}

func BenchmarkJSONSecurityDatasets(b *testing.B) {
	f := JSON()
	var blocks []*logs.Block
	size := int64(0)
	jsonSets(b, func(path string, data []byte) {
		if size > 64<<20 || strings.Contains(path, "auditd") {
			return
		}
		blocks = append(blocks, blocksOf(b, f, path, data)...)
		size += int64(len(data))
	})
	parseAll(b, f, blocks, size)
}
