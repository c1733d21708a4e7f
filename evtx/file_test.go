package evtx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"time"

	"github.com/barid-dfir/barid/evtx"
	"github.com/barid-dfir/barid/internal/evtxtest"
)

// logins is a log of two chunks or more.
func logins(n int) []byte {
	var events []evtxtest.Event
	for i := range n {
		events = append(events, evtxtest.Event{
			Provider: "Microsoft-Windows-Security-Auditing", Channel: "Security", Computer: "ex1.example.org",
			ID: 4625, Time: time.Date(2021, 3, 3, 6, 49, i%60, 0, time.UTC),
			Data: []evtxtest.Field{{Name: "TargetUserName", Value: fmt.Sprint("user", i)}, {Name: "IpAddress", Value: "203.0.113.9"}},
		})
	}
	return evtxtest.File(events)
}

func ExampleOpen() {
	name := filepath.Join(os.TempDir(), "Security.evtx")
	os.WriteFile(name, logins(2), 0o600)
	defer os.Remove(name)

	log, err := evtx.Open(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	for record, err := range log.Records(context.Background()) {
		if err != nil {
			fmt.Println("damaged:", err)
			continue
		}
		user, _ := record.Get("TargetUserName")
		fmt.Println(record.ID, time.Unix(0, record.Written).UTC(), user)
	}
	// Output:
	// 1 2021-03-03 06:49:00 +0000 UTC user0
	// 2 2021-03-03 06:49:01 +0000 UTC user1
}

func TestRecordsReadsAllChunks(t *testing.T) {
	whole := logins(1000)
	if len(whole) < evtx.FileHeaderSize+2*evtx.ChunkSize {
		t.Fatal("too short to be a test")
	}
	f := func(data []byte, want, defects int) {
		t.Helper()
		log, err := evtx.NewFile(iotest.HalfReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		got, bad := 0, 0
		for record, err := range log.Records(context.Background()) {
			var defect *evtx.DefectError
			switch {
			case errors.As(err, &defect):
				bad++
			case err != nil:
				t.Error(err)
			default:
				if user, ok := record.Get("TargetUserName"); !ok || user == "" {
					t.Errorf("record %d has no TargetUserName", record.ID)
				}
				got++
			}
		}
		if got != want || bad != defects {
			t.Errorf("%d records and %d defects, want %d and %d", got, bad, want, defects)
		}
	}
	f(whole, 1000, 0)
	f(whole[evtx.FileHeaderSize:], 1000, 0)
	damaged := bytes.Clone(whole)
	clear(damaged[:evtx.FileHeaderSize])
	f(damaged, 1000, 0)
}

func TestNewFileTellsWhatIsNoLog(t *testing.T) {
	for _, in := range []string{"", "ElfFil", "<xml/>"} {
		if _, err := evtx.NewFile(bytes.NewReader([]byte(in))); !errors.Is(err, evtx.ErrNotEventLog) {
			t.Errorf("%q: error %v, want ErrNotEventLog", in, err)
		}
	}
	if _, err := evtx.NewFile(iotest.ErrReader(os.ErrPermission)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want that of the reader", err)
	}
}

func TestRecordsStopsWithItsContext(t *testing.T) {
	log, err := evtx.NewFile(bytes.NewReader(logins(1000)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(os.ErrDeadlineExceeded)
	for _, err := range log.Records(ctx) {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v, want the cause", err)
		}
	}
}
