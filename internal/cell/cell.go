// Package cell writes cells of comma-separated values that people open in spreadsheets.
//
// A cell with a comma, semicolon, quote or space at its edge is quoted. It never holds a line end: whatever would not show is
// written as its number, [U+000A]. A cell that a spreadsheet could take for a formula begins with an apostrophe, which is
// no part of the value.
package cell

import (
	"bytes"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/event"
)

// Append appends a cell of text, quoted where it must be, defused and with what would not show made visible.
func Append[T []byte | string](dst []byte, text T) []byte {
	if len(text) == 0 {
		return dst
	}
	start := len(dst)
	if isFormula(text) {
		dst = append(dst, '\'')
	}
	dst = event.AppendVisible(dst, text)
	cell := dst[start:]
	if cell[0] != ' ' && cell[len(cell)-1] != ' ' && bytes.IndexByte(cell, ',') < 0 && bytes.IndexByte(cell, '"') < 0 && bytes.IndexByte(cell, ';') < 0 {
		return dst
	}
	quotes := bytes.Count(cell, []byte{'"'})
	end := len(dst)
	for range quotes + 2 {
		dst = append(dst, '"')
	}
	if quotes == 0 {
		copy(dst[start+1:], dst[start:end])
		dst[start] = '"'
		return dst
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
