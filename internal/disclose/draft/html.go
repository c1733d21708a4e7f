package draft

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed draft.tmpl
var page string

//go:embed draft.css
var style string

var pageTemplate = template.Must(template.New("draft").Parse(page))

type htmlPage struct {
	Lang, Dir      string
	PlainTitle     string
	Title, Note    template.HTML
	Marking        template.HTML
	Outward        bool
	Style          template.CSS
	Sections       []htmlSection
	Annex, AboutIt template.HTML
	OpenMark       template.HTML
	OpenCount      template.HTML
	Inside         template.HTML
}

type htmlSection struct {
	ID                     string
	Heading, Law, Greeting template.HTML
	Alert, Page, Internal  bool
	Statements             []htmlStatement
}

type htmlStatement struct {
	N                  int
	Label, Said, Leans template.HTML
	Open               bool
}

func writeHTML(w io.Writer, d *Draft) error {
	l := d.Language
	p := htmlPage{Lang: l.Tag(), Dir: l.Dir(), PlainTitle: Plain(d.Title), Title: d.Title.HTML(), Note: l.HTML("report.draft"), Marking: d.Marking.HTML(), Outward: d.Outward,
		Style: template.CSS(style), Annex: l.HTML("form.annex"), AboutIt: l.HTML("form.annex.about"), OpenMark: l.HTML("form.mark.open")}
	n, open := 0, 0
	for _, s := range d.Sections {
		hs := htmlSection{ID: s.ID, Heading: s.Heading.HTML(), Law: s.Law.HTML(), Greeting: s.Greeting.HTML(), Alert: s.Alert, Page: s.Page, Internal: s.Internal}
		for i := range s.Statements {
			st := &s.Statements[i]
			n++
			if st.Basis == Open {
				open++
			}
			hs.Statements = append(hs.Statements, htmlStatement{N: n, Label: st.Label.HTML(), Said: st.Said.HTML(), Leans: st.leans(l).HTML(), Open: st.Basis == Open})
		}
		p.Sections = append(p.Sections, hs)
	}
	p.Inside = l.HTML("form.internal")
	p.OpenCount = l.HTML("form.open.count", "n", open)
	return pageTemplate.Execute(w, &p)
}
