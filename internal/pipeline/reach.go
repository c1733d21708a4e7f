package pipeline

import (
	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/sigma"
)

// Never returns the rules that nothing can match that Barid reads, by the table of log sources.
func Never(e *sigma.Engine, t *logsource.Table) []*sigma.Never {
	var known []sigma.Known
	for _, k := range t.Known(FormatsWith(t)) {
		known = append(known, sigma.Known{Name: k.Name, Shape: k.Shape, Open: k.Open, Except: k.Except})
	}
	return e.Never(known)
}
