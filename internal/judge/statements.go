package judge

import "github.com/barid-dfir/barid/internal/casefile"

// statements returns what people answer for, in the order of the facts, whether or not a verdict leans on it.
func (f *Facts) statements() []casefile.Statement {
	var out []casefile.Statement
	for i := range f.Statements {
		s := &f.Statements[i]
		at := s.Time.UTC()
		out = append(out, casefile.Statement{Author: s.Author, Time: &at, About: s.About(), Reason: s.Reason})
	}
	return out
}
