package main

import (
	"fmt"

	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

// sayNever writes a line for each rule that nothing can match that Barid reads.
func (f *logSourceFlags) sayNever(e *env, engine *sigma.Engine) error {
	table, err := pipeline.LogSources(f.LogSources)
	if err != nil {
		return fmt.Errorf("--log-sources: %w", err)
	}
	for _, n := range pipeline.Never(engine, table) {
		warning := sigma.Rejection{Path: n.Rule.Path, Line: n.Line, Column: n.Column, Reason: "warning: " + n.Reason}
		fmt.Fprintln(e.stdout, visible(warning.Error()))
	}
	return nil
}
