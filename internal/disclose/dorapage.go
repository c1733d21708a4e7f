package disclose

import (
	"io"
	"strconv"
	"strings"

	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// writeDORAPage writes a report to be read: every field that is filled or needed, with what it leans on; what is missing or wrong is
// marked as open.
func writeDORAPage(w io.Writer, d *Draft, r *doraReport, problems []doraProblem, changes []doraChange) error {
	l := d.Lang
	page := &draft.Draft{Form: doraFormName(r.stage), Language: l, Title: l.Words("dora.title." + doraStageName(r.stage)),
		Marking: l.Values(d.Case.Marking().String())[0]}
	wrong := map[string]doraProblem{}
	for _, p := range problems {
		wrong[p.field.number] = p
	}
	if d.Previous != nil {
		page.Sections = append(page.Sections, changeSection(l, d.PreviousName, changes))
	}
	for part := 1; part <= 4; part++ {
		s := draft.Section{ID: "dora-" + strconv.Itoa(part), Heading: l.Words("dora.part." + strconv.Itoa(part))}
		for i := range doraFields {
			f := &doraFields[i]
			p, bad := wrong[f.number]
			if f.part() != part || !bad && !r.written(f) {
				continue
			}
			st := r.statement(l, f)
			if bad {
				problem := l.Words("dora.rule." + p.rule)
				if p.why != "" {
					problem = l.Words("dora.wrong", "value", problem, "problem", l.Words("dora.when."+p.why))
				}
				st.Said = problem
				if r.given(f.number) {
					st.Said = l.Words("dora.wrong", "value", valueWords(l, r.values[f.number]), "problem", problem)
				}
				st.Basis, st.Refs, st.Closes = draft.Open, nil, []string{f.keys()}
			}
			s.Statements = append(s.Statements, st)
		}
		if len(s.Statements) > 0 {
			page.Sections = append(page.Sections, s)
		}
	}
	return draft.Write(w, page, d.As)
}

// statement says the value of a field and what it leans on.
func (r *doraReport) statement(l *lang.Language, f *doraField) draft.Statement {
	st := draft.Statement{About: "dora." + f.number, Basis: draft.Facts, Label: l.Words("dora.label", "number", lang.Value(f.number), "name", l.Words(f.name()))}
	if f.kind == kindText {
		st.Said = l.Names(strings.ReplaceAll(r.text(f.number), "\n", " "))[0]
	} else {
		st.Said = valueWords(l, r.values[f.number])
	}
	from := r.from[f.number]
	st.Refs = from.refs
	switch from.basis {
	case basisCase:
		st.Basis = draft.Case
	case basisPrevious:
		st.Refs = []string{"--previous"}
	}
	if len(st.Refs) == 0 {
		st.Refs = []string{f.keys()}
	}
	return st
}

// changeSection lists what is different from the report before.
func changeSection(l *lang.Language, previous string, changes []doraChange) draft.Section {
	s := draft.Section{ID: "dora-changes", Heading: l.Words("dora.part.changes"), Alert: len(changes) > 0}
	for _, c := range changes {
		s.Statements = append(s.Statements, draft.Statement{About: "dora.change." + c.field.number, Basis: draft.Facts, Refs: []string{previous},
			Label: l.Words("dora.label", "number", lang.Value(c.field.number), "name", l.Words(c.field.name())), Said: changeWords(l, c)})
	}
	if len(changes) == 0 {
		s.Statements = []draft.Statement{{About: "dora.change", Basis: draft.Facts, Refs: []string{previous}, Said: l.Words("dora.changes.none")}}
	}
	return s
}
