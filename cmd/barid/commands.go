package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/report"
)

type assessCmd struct {
	readFlags
	ruleFlags
	Output   string    `short:"o" default:"barid-case" placeholder:"DIR" type:"path" help:"The case folder to write (default barid-case)."`
	Force    bool      `short:"f" help:"Replace the case that is there."`
	MinLevel levelFlag `name:"min-level" default:"low" placeholder:"LEVEL" help:"Leave out findings below LEVEL: ${levels} (default low)."`
	FailOn   string    `name:"fail-on" placeholder:"LEVEL" help:"Exit with status 4 if there is a finding of LEVEL or above."`
}

// Run writes a case.
func (c *assessCmd) Run(e *env) error {
	failOn, err := parseFailOn(c.FailOn)
	if err != nil {
		return err
	}
	r, err := c.prepare(e)
	if err != nil {
		return err
	}
	l, err := c.load()
	if err != nil {
		return err
	}
	sayRejected(e, l)
	r.config.Rules, r.config.MinLevel = l.rules, c.MinLevel.Level
	res, made, err := pipeline.Assess(e.ctx, pipeline.AssessConfig{
		Config: r.config, Dir: c.Output, Force: c.Force, Version: version(), Facts: r.facts, Rejected: l.rejected, Now: r.began.UTC(), Problems: r.asSources,
	})
	if errors.Is(err, casefile.ErrExists) {
		return fmt.Errorf("%w: name another with -o, or replace it with --force", err)
	}
	if err != nil {
		return err
	}
	e.term.clear()
	fmt.Fprint(e.stdout, e.term.summary(made, res, c.Output))
	if err := r.finish(res, made.Sources, l); err != nil {
		return err
	}
	if failOn != nil && worst(made.Summary.Findings) >= int(*failOn) {
		return exit(exitFindings)
	}
	return nil
}

type scanCmd struct {
	readFlags
	ruleFlags
	MinLevel levelFlag `name:"min-level" default:"informational" placeholder:"LEVEL" help:"Leave out findings below LEVEL: ${levels} (default informational)."`
	FailOn   string    `name:"fail-on" placeholder:"LEVEL" help:"Exit with status 4 if there is a finding of LEVEL or above."`
}

// Run writes findings.
func (c *scanCmd) Run(e *env) error {
	failOn, err := parseFailOn(c.FailOn)
	if err != nil {
		return err
	}
	r, err := c.prepare(e)
	if err != nil {
		return err
	}
	l, err := c.load()
	if err != nil {
		return err
	}
	sayRejected(e, l)
	r.config.Rules, r.config.MinLevel = l.rules, c.MinLevel.Level
	res, sources, levels, err := pipeline.Scan(e.ctx, r.config, e.stdout)
	if err != nil {
		return err
	}
	if err := r.finish(res, sources, l); err != nil {
		return err
	}
	if failOn != nil && worst(levels) >= int(*failOn) {
		return exit(exitFindings)
	}
	return nil
}

type dumpCmd struct{ readFlags }

// Run writes events.
func (c *dumpCmd) Run(e *env) error {
	r, err := c.prepare(e)
	if err != nil {
		return err
	}
	res, sources, err := pipeline.Dump(e.ctx, r.config, e.stdout)
	if err != nil {
		return err
	}
	return r.finish(res, sources, nil)
}

func parseFailOn(name string) (*detect.Level, error) {
	if name == "" {
		return nil, nil
	}
	l, err := detect.ParseLevel(name)
	if err != nil {
		return nil, usage(fmt.Errorf("--fail-on: %w", err))
	}
	return &l, nil
}

// worst returns the highest level of which there are findings, or -1.
func worst(counts map[string]int64) int {
	for l := len(detect.Levels()) - 1; l >= 0; l-- {
		if counts[detect.Levels()[l]] > 0 {
			return l
		}
	}
	return -1
}

func sayRejected(e *env, l *loaded) {
	for i, r := range l.rejected {
		if i == maxSaid {
			e.term.say("and %d more rules that cannot be used: barid rules check names them all", len(l.rejected)-i)
			return
		}
		e.term.say("rule not used: %s: %s", r.Path, r.Reason)
	}
}

type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Say of every rule that cannot be used why."`
	List  rulesListCmd  `cmd:"" help:"List the rules that are loaded."`
}

type rulesCheckCmd struct {
	Paths          []string `arg:"" optional:"" name:"path" type:"path" help:"Folders, files or zips of rules, besides those that come with Barid."`
	NoBuiltinRules bool     `name:"no-builtin-rules" help:"Do not check the rules that come with Barid."`
}

// Run checks rules. It fails if one cannot be used.
func (c *rulesCheckCmd) Run(e *env) error {
	f := ruleFlags{Rules: c.Paths, NoBuiltinRules: c.NoBuiltinRules}
	l, err := f.load()
	if err != nil {
		return err
	}
	for _, r := range l.rejected {
		fmt.Fprintln(e.stdout, visible(r.Path+": "+r.Reason))
	}
	e.term.say("%d rules can be used, %d cannot", len(l.rules.Engine.Rules()), len(l.rejected))
	if len(l.rejected) > 0 {
		return exit(exitFailed)
	}
	return nil
}

type rulesListCmd struct{ ruleFlags }

// Run lists rules.
func (c *rulesListCmd) Run(e *env) error {
	l, err := c.load()
	if err != nil {
		return err
	}
	for _, r := range l.rules.Engine.Rules() {
		s := r.LogSource
		source := strings.Trim(strings.Join([]string{s.Product, s.Category, s.Service}, "/"), "/")
		fmt.Fprintln(e.stdout, visible(fmt.Sprintf("%s\t%s\t%s\t%s", r.ID, r.Level, source, r.Title)))
	}
	for _, r := range detect.CountingRules() {
		fmt.Fprintf(e.stdout, "%s\t%s\t%s\t%s\n", r.ID, r.Level, "counts over time", r.Title)
	}
	sayRejected(e, l)
	return nil
}

type reportCmd struct {
	Case   string `arg:"" type:"existingdir" help:"The case folder."`
	Format string `default:"html" enum:"${formats}" placeholder:"FORMAT" help:"What to write: ${formats} (default html)."`
	Output string `short:"o" placeholder:"FILE" type:"path" help:"Where to write it (default: standard output)."`
}

// Run writes an output of a case.
func (c *reportCmd) Run(e *env) error {
	made, err := casefile.Open(c.Case)
	if err != nil {
		return err
	}
	out, ok := report.Find(c.Format)
	if !ok {
		return usage(fmt.Errorf("no format %q", c.Format))
	}
	if c.Output == "" {
		return out.Write(e.stdout, made, casefile.Findings(c.Case))
	}
	f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(out.Write(f, made, casefile.Findings(c.Case)), f.Close())
}

type verifyCmd struct {
	Case string `arg:"" type:"existingdir" help:"The case folder."`
}

// Run checks a case.
func (c *verifyCmd) Run(e *env) error {
	hashes := pipeline.NewHashes(e.ctx)
	checks, seal, err := casefile.Verify(c.Case, hashes.Of)
	if err != nil {
		return err
	}
	bad := 0
	for _, k := range checks {
		if k.Status == casefile.Changed || k.Status == casefile.Missing && k.Kind != casefile.KindEvidence {
			bad++
		}
		line := fmt.Sprintf("%-12s %-9s %s", k.Status, k.Kind, k.Path)
		if k.Detail != "" {
			line += ": " + k.Detail
		}
		fmt.Fprintln(e.stdout, visible(line))
	}
	fmt.Fprintf(e.stdout, "seal         %s\n", seal)
	if bad > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", filepath.Base(c.Case), bad, len(checks))
	}
	return nil
}
