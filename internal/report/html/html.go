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
	"fmt"
	"html/template"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/report/input"
)

//go:embed report.tmpl
var source string

//go:embed report.css
var style string

// Write writes the report of a case in the language of the input. It goes once through the findings and twice through what was
// reached, and keeps of them what the page shows. An error in the findings is said in the report, and is not the error of Write.
func Write(w io.Writer, in *input.Input) error {
	l, err := in.Language()
	if err != nil {
		return err
	}
	p, err := build(in, newSay(l))
	if err != nil {
		return err
	}
	style := style + running(p)
	sum := sha256.Sum256([]byte(style))
	p.StyleHash = base64.StdEncoding.EncodeToString(sum[:])
	t, err := template.New("report").Funcs(template.FuncMap{
		"t":           p.t,
		"text":        l.Text,
		"name":        p.name,
		"val":         p.val,
		"path":        func(s string) markup { return p.valOf("path", s) },
		"raw":         visibleLines,
		"bold":        func(m markup) markup { return "<b>" + m + "</b>" },
		"owedUnknown": func() markup { return p.t("page.owed.unknown", "key", p.val("disclosure")) },
		// The words that the page explains at its end.
		"glossary": func() []string {
			return []string{"active", "actor", "capability", "verdict", "coverage", "content", "finding", "incident", "level", "rejected", "source", "stage", "technique"}
		},
		"style": func() template.CSS { return template.CSS(style) },
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

// running returns the style of what stands on every printed page: the case, its marking and the number of the page.
func running(p *page) string {
	return "@media print { @page { @top-left { content: " + quote(p.Title) + "; " + small + " } @top-right { content: " + quote(p.marking) + "; " + small + " } @bottom-center { content: counter(page) \" / \" counter(pages); " + small + " } } }\n"
}

const small = "font: 8pt system-ui, sans-serif; color: #444;"

// quote writes text as a string of CSS: all but letters, digits and spaces by their numbers.
func quote(s string) string {
	b := []byte{'"'}
	for _, r := range cut(s, maxName) {
		if r == ' ' || unicode.IsLetter(r) || '0' <= r && r <= '9' {
			b = utf8.AppendRune(b, r)
		} else {
			b = fmt.Appendf(b, "\\%06x ", r)
		}
	}
	return string(append(b, '"'))
}
