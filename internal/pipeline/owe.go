package pipeline

import (
	"fmt"
	"iter"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose"
)

// owe adds to a case that was decided what is owed by it and the facts, whose text is given. Where nobody says whose case it is, nothing is
// added: all that there is would be open.
func owe(c *casefile.Case, text []byte, regimes *disclose.Regimes) error {
	c.Owed, c.Classifications = nil, nil
	facts, err := disclose.ParseFacts(text)
	if err != nil {
		return fmt.Errorf("%s: %w", casefile.FactsFile, err)
	}
	if facts.Empty() {
		return nil
	}
	r, err := disclose.Assess(&disclose.Input{Case: c, Reached: each(c.Reached), Facts: facts, Regimes: regimes})
	if err != nil {
		return fmt.Errorf("%s: %w", casefile.FactsFile, err)
	}
	c.Owed, c.Classifications = r.Owed, r.Classifications
	c.Notes = append(c.Notes, r.Notes...)
	c.Statements = append(c.Statements, actStatements(facts.Acts)...)
	if more := regimes.Further(); len(more) > 0 {
		c.Notes = append(c.Notes, "regimes: besides those of Barid, or in their place: "+strings.Join(more, ", "))
	}
	return nil
}

// each goes through verdicts.
func each(reached []casefile.Reached) iter.Seq2[*casefile.Reached, error] {
	return func(yield func(*casefile.Reached, error) bool) {
		for i := range reached {
			if !yield(&reached[i], nil) {
				return
			}
		}
	}
}
