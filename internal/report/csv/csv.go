// Package csv writes timeline.csv, a line for every finding, for spreadsheets.
//
// Comma-separated values after RFC 4180: UTF-8 without a byte order mark, lines end with CR LF, the first line names the
// columns, cells are those of package cell. findings.jsonl has the values as they are.
package csv

import (
	"io"
	"strconv"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/cell"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/report/fields"
	"github.com/barid-dfir/barid/internal/report/input"
)

// maxMessage is the most of an event that a line shows, in bytes; findings.jsonl has all of it.
const maxMessage = 1000

const header = "time,level,title,host,account,client,source,line,record,offset,rule_id,tags,sha256,message\r\n"

// Timeline returns timeline.csv for a [casefile.FindingWriter].
func Timeline() casefile.LineFile {
	return casefile.LineFile{Name: casefile.TimelineFile, Header: []byte(header), Append: newRow()}
}

// Write writes the timeline of a case.
func Write(w io.Writer, in *input.Input) error {
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	row := newRow()
	var line []byte
	for f, err := range in.Findings {
		if err != nil {
			return err
		}
		line = row(line[:0], f)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// newRow returns what appends a line. It keeps its memory from line to line.
func newRow() func(dst []byte, f *casefile.Finding) []byte {
	var buf []byte
	return func(dst []byte, f *casefile.Finding) []byte {
		if f.Time != nil {
			dst = event.AppendTime(dst, *f.Time)
		}
		dst = cell.Append(append(dst, ','), f.Rule.Level)
		dst = cell.Append(append(dst, ','), f.Rule.Title)
		dst = cell.Append(append(dst, ','), f.Host)
		dst = cell.Append(append(dst, ','), f.Account)
		dst = cell.Append(append(dst, ','), f.Client)
		dst = cell.Append(append(dst, ','), f.Source.Path)
		dst = appendCount(append(dst, ','), f.Source.Line)
		dst = appendCount(append(dst, ','), f.Source.Record)
		dst = strconv.AppendInt(append(dst, ','), f.Source.Offset, 10)
		dst = cell.Append(append(dst, ','), f.Rule.ID)
		buf = buf[:0]
		for i, t := range f.Rule.Tags {
			if i > 0 {
				buf = append(buf, ' ')
			}
			buf = append(buf, t...)
		}
		dst = cell.Append(append(dst, ','), buf)
		dst = cell.Append(append(dst, ','), f.Source.SHA256)
		buf = fields.AppendMessage(buf[:0], f.Event, maxMessage)
		dst = cell.Append(append(dst, ','), buf)
		return append(dst, '\r', '\n')
	}
}

func appendCount(dst []byte, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(dst, n, 10)
}
