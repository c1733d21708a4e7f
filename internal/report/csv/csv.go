// Package csv writes timeline.csv, a line for every finding, for spreadsheets.
//
// Comma-separated values after RFC 4180: UTF-8 without a byte order mark, lines end with CR LF, the first line names the
// columns, a cell with a comma, semicolon, quote or space at its edge is quoted. A cell never holds a line end: whatever would not show is
// written as its number, [U+000A]. A cell that a spreadsheet could take for a formula begins with an apostrophe, which is
// no part of the value; findings.jsonl has the values as they are.
package csv

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/casefile"
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
		dst = AppendCell(append(dst, ','), f.Rule.Level)
		dst = AppendCell(append(dst, ','), f.Rule.Title)
		dst = AppendCell(append(dst, ','), f.Host)
		dst = AppendCell(append(dst, ','), f.Account)
		dst = AppendCell(append(dst, ','), f.Client)
		dst = AppendCell(append(dst, ','), f.Source.Path)
		dst = appendCount(append(dst, ','), f.Source.Line)
		dst = appendCount(append(dst, ','), f.Source.Record)
		dst = strconv.AppendInt(append(dst, ','), f.Source.Offset, 10)
		dst = AppendCell(append(dst, ','), f.Rule.ID)
		buf = buf[:0]
		for i, t := range f.Rule.Tags {
			if i > 0 {
				buf = append(buf, ' ')
			}
			buf = append(buf, t...)
		}
		dst = AppendCell(append(dst, ','), buf)
		dst = AppendCell(append(dst, ','), f.Source.SHA256)
		buf = fields.AppendMessage(buf[:0], f.Event, maxMessage)
		dst = AppendCell(append(dst, ','), buf)
		return append(dst, '\r', '\n')
	}
}

func appendCount(dst []byte, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(dst, n, 10)
}

// AppendCell appends a cell of text, quoted where it must be, defused and with what would not show made visible.
func AppendCell[T []byte | string](dst []byte, text T) []byte {
	if len(text) == 0 {
		return dst
	}
	start := len(dst)
	if isFormula(text) {
		dst = append(dst, '\'')
	}
	dst = fields.AppendVisible(dst, text)
	cell := dst[start:]
	if cell[0] != ' ' && cell[len(cell)-1] != ' ' && bytes.IndexByte(cell, ',') < 0 && bytes.IndexByte(cell, '"') < 0 && bytes.IndexByte(cell, ';') < 0 {
		return dst
	}
	quotes := bytes.Count(cell, []byte{'"'})
	end := len(dst)
	for range quotes + 2 {
		dst = append(dst, '"')
	}
	// From the back, so that nothing is overwritten before it is moved.
	to := len(dst) - 2
	for from := end - 1; from >= start; from-- {
		dst[to] = dst[from]
		to--
		if dst[from] == '"' {
			dst[to] = '"'
			to--
		}
	}
	dst[start], dst[len(dst)-1] = '"', '"'
	return dst
}

// isFormula reports whether a spreadsheet could calculate with the cell: =, +, -, @ (also in their full width), tab or
// carriage return come first, perhaps after spaces (OWASP, "CSV Injection").
func isFormula[T []byte | string](text T) bool {
	i := 0
	for i < len(text) && text[i] == ' ' {
		i++
	}
	if i == len(text) {
		return false
	}
	switch text[i] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return true
	}
	switch r, _ := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))])); r {
	case '＝', '＋', '－', '＠':
		return true
	}
	return false
}
