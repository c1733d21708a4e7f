package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/evtxtest"
)

// Windows leaves the records of the chunk before in the free space of a chunk. What they say is found once.
func TestStaleCopiesOfRecordsAreNotFoundAgain(t *testing.T) {
	var events []evtxtest.Event
	for i := range 420 {
		events = append(events, evtxtest.Event{Provider: "Microsoft-Windows-Security-Auditing", Channel: "Security", Computer: "ex1.example.org",
			ID: 4625, Time: time.Date(2026, 3, 3, 6, 0, i%60, 0, time.UTC), Data: []evtxtest.Field{{Name: "TargetUserName", Value: fmt.Sprint("user", i)}}})
	}
	file := evtxtest.File(events)
	last := len(file) - evtx.ChunkSize
	free := int(binary.LittleEndian.Uint32(file[last+48:]))
	if last <= evtx.FileHeaderSize || free > evtx.ChunkSize/2 {
		t.Fatalf("the last of the chunks begins at %d and is free from %d: the test needs another number of events", last, free)
	}
	scan := func(file []byte) (found int, note string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Security.evtx"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		r := rules(t, "title: T\nlogsource: {product: windows, service: security}\ndetection: {s: {EventID: 4625}, condition: s}\n")
		var out bytes.Buffer
		res, sources, _, err := Scan(context.Background(), config(dir, 2, r), &out)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(out.Bytes(), []byte(`"title":"T"`)); int64(bytes.Count(out.Bytes(), []byte{'\n'})) != res.Findings {
			t.Errorf("%d findings of the rule, and %d in all, of which the run says %d", n, bytes.Count(out.Bytes(), []byte{'\n'}), res.Findings)
		}
		return bytes.Count(out.Bytes(), []byte(`"title":"T"`)), strings.Join(sources[0].Notes, "; ")
	}
	whole, _ := scan(file)
	if whole != len(events) {
		t.Fatalf("%d findings in %d events", whole, len(events))
	}
	// As Windows does: the end of the chunk before, where it was.
	copy(file[last+free:], file[last-evtx.ChunkSize+free:last])
	got, note := scan(file)
	if got != whole || !strings.Contains(note, "stale copies") {
		t.Errorf("%d findings with stale copies, %d without; note %q", got, whole, note)
	}
	// Where the chunk before is lost, its records are only in the copies.
	clear(file[last-evtx.ChunkSize : last])
	if got, note := scan(file); got <= len(events)/8 || got >= whole || strings.Contains(note, "stale copies") {
		t.Errorf("%d findings where only copies are left; note %q", got, note)
	}
}
