// Package html writes report.html: one file for people, which needs nothing else.
//
// There is no script in it and nothing is loaded from anywhere: its Content-Security-Policy allows one style sheet, its
// own, by hash. Text from logs and rules is escaped by html/template, and characters that would not show are written as
// their number. It holds no time of the run: the same case gives the same bytes.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"github.com/barid-dfir/barid/internal/report/input"
)

//go:embed report.tmpl
var source string

//go:embed report.css
var style string

// Write writes the report of a case. It goes once through the findings; an error in them is said in the report, and is not
// the error of Write.
func Write(w io.Writer, in *input.Input) error {
	whole := *in.Case
	for r, err := range in.Reached {
		if err != nil {
			return err
		}
		whole.Reached = append(whole.Reached, *r)
	}
	c, findings := &whole, in.Findings
	sum := sha256.Sum256([]byte(style))
	p := build(c, findings)
	p.StyleHash = base64.StdEncoding.EncodeToString(sum[:])
	t, err := template.New("report").Funcs(template.FuncMap{
		"v":     visible,
		"raw":   visibleLines,
		"style": func() template.CSS { return template.CSS(style) },
		"n":     number[int],
	}).Parse(source)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 64<<10)
	if err := t.Execute(b, p); err != nil {
		return err
	}
	return b.Flush()
}
