package main

import (
	"fmt"

	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

// never returns a warning for each rule that nothing can match that Barid reads.
func (f *logSourceFlags) never(engine *sigma.Engine) ([]*sigma.Warning, error) {
	table, err := pipeline.LogSources(f.LogSources)
	if err != nil {
		return nil, fmt.Errorf("--log-sources: %w", err)
	}
	var warnings []*sigma.Warning
	for _, n := range pipeline.Never(engine, table) {
		warnings = append(warnings, &sigma.Warning{Path: n.Rule.Path, Line: n.Line, Column: n.Column, Reason: n.Reason})
	}
	return warnings, nil
}
