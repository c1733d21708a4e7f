package pipeline

import (
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose"
)

// actStatements returns the acts that people signed as statements of the case, in the order of the facts: "dora: classified as major".
func actStatements(acts []disclose.Act) []casefile.Statement {
	var out []casefile.Statement
	for i := range acts {
		a := &acts[i]
		about := strings.TrimSpace(a.Regime+" "+a.Stage) + ": " + a.Act
		if a.As != "" {
			about += " as " + a.As
		}
		reason := a.Reason
		if a.Receipt != "" {
			reason = strings.TrimPrefix(reason+"; receipt "+a.Receipt, "; ")
		}
		at := a.Time.UTC()
		out = append(out, casefile.Statement{Author: a.Author, Time: &at, About: about, Reason: reason})
	}
	return out
}
