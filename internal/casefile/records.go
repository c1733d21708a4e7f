package casefile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/barid-dfir/barid/internal/event"
)

// RecordsFile holds the records of the evidence that verdicts lean on, word for word (Record): a line each.
const RecordsFile = "records.jsonl"

// Bounds of RecordsFile.
const (
	MaxRecords   = 4000
	MaxRecordRaw = 2000 // bytes of a record
)

// Place is where a record of the evidence begins.
type Place struct {
	Source string
	Offset int64
}

// Record is a line of records.jsonl.
type Record struct {
	Source string `json:"source"`
	Line   int64  `json:"line,omitempty"`
	Record int64  `json:"record,omitempty"`
	Offset int64  `json:"offset"`
	// Raw is the line as it stands in the log, or the fields of a binary record as JSON. Cut says that it is longer than
	// MaxRecordRaw, and only its beginning stands here.
	Raw string `json:"raw"`
	Cut bool   `json:"cut,omitempty"`
}

// AppendRecord appends a record as it stands in records.jsonl, with its line end.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = event.AppendString(append(dst, `{"source":`...), r.Source)
	if r.Line > 0 {
		dst = strconv.AppendInt(append(dst, `,"line":`...), r.Line, 10)
	}
	if r.Record > 0 {
		dst = strconv.AppendInt(append(dst, `,"record":`...), r.Record, 10)
	}
	dst = strconv.AppendInt(append(dst, `,"offset":`...), r.Offset, 10)
	dst = event.AppendString(append(dst, `,"raw":`...), r.Raw)
	if r.Cut {
		dst = append(dst, `,"cut":true`...)
	}
	return append(dst, '}', '\n')
}

// ReadRecords reads records.jsonl of the case in dir: nil if it has none. No more than MaxRecords are read.
func ReadRecords(dir string) (map[Place]Record, error) {
	f, err := os.Open(filepath.Join(dir, RecordsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make(map[Place]Record)
	lines := lineReader{r: bufio.NewReaderSize(f, 64<<10)}
	for n := 1; len(out) < MaxRecords; n++ {
		line, err := lines.next()
		if err == io.EOF {
			break
		}
		var r Record
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", filepath.Join(dir, RecordsFile), n, inWords(err))
		}
		out[Place{r.Source, r.Offset}] = r
	}
	return out, nil
}
