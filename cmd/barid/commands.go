package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/report"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/pdf"
	"github.com/barid-dfir/barid/sigma"
)

// detectFlags are the flags of the commands that look for something.
type detectFlags struct {
	readFlags
	ruleFlags
	FailOn string `name:"fail-on" placeholder:"LEVEL" help:"Exit with status 4 if there is a finding of LEVEL or above."`
}

// detecting is a run that looks for something.
type detecting struct {
	*reading
	rules  *loaded
	failOn int // a level, or one above all
}

func (f *detectFlags) prepare(e *env, min detect.Level) (*detecting, error) {
	d := &detecting{failOn: len(detect.Levels())}
	if f.FailOn != "" {
		l, err := detect.ParseLevel(f.FailOn)
		if err != nil {
			return nil, usage(fmt.Errorf("--fail-on: %w", err))
		}
		d.failOn = int(l)
	}
	var err error
	if d.reading, err = f.readFlags.prepare(e); err != nil {
		return nil, err
	}
	if d.rules, err = f.load(); err != nil {
		return nil, err
	}
	sayRejected(e, d.rules)
	d.config.Rules, d.config.MinLevel, d.config.NoCounting = d.rules.rules, min, f.NoBuiltinRules
	return d, nil
}

// finish ends the run: levels counts its findings.
func (d *detecting) finish(res pipeline.Result, sources []casefile.Source, levels map[string]int64) error {
	if err := d.reading.finish(res, sources, d.rules); err != nil {
		return err
	}
	for l := d.failOn; l < len(detect.Levels()); l++ {
		if levels[detect.Levels()[l]] > 0 {
			return exit(exitFindings)
		}
	}
	return nil
}

type assessCmd struct {
	detectFlags
	Output string `short:"o" default:"barid-case" placeholder:"DIR" type:"path" help:"The case folder to write (default barid-case)."`
	Force  bool   `short:"f" help:"Replace the case that is there."`
	langFlag
	regimesFlag
	MinLevel levelFlag `name:"min-level" default:"low" placeholder:"LEVEL" help:"Leave out findings below LEVEL: ${levels} (default low)."`
}

// Run writes a case.
func (c *assessCmd) Run(e *env) error {
	d, err := c.prepare(e, c.MinLevel.Level)
	if err != nil {
		return err
	}
	l, err := c.language()
	if err != nil {
		return err
	}
	regimes, err := c.check(c.Facts, d.given)
	if err != nil {
		return err
	}
	inventory, err := readInventory(func() (*judge.Inventory, error) { return judge.ReadInventory(d.facts, filepath.Dir(c.Facts)) })
	if err != nil {
		return err
	}
	sayProblems(e, inventory)
	res, made, err := pipeline.Assess(e.ctx, pipeline.AssessConfig{
		Config: d.config, Dir: c.Output, Force: c.Force, Version: version(), Facts: d.facts, FactsText: d.given, Inventory: inventory, Rejected: d.rules.rejected, Now: d.began.UTC(), Problems: d.asSources, Lang: l, Regimes: regimes,
	})
	if errors.Is(err, casefile.ErrExists) {
		return fmt.Errorf("%w: name another with -o, or replace it with --force", err)
	}
	if err != nil {
		return err
	}
	e.term.clear()
	sayAll(e, "", made.Notes)
	fmt.Fprint(e.stdout, e.term.summary(made, res, c.Output))
	return d.finish(res, made.Sources, made.Summary.Findings)
}

type scanCmd struct {
	detectFlags
	MinLevel levelFlag `name:"min-level" default:"informational" placeholder:"LEVEL" help:"Leave out findings below LEVEL: ${levels} (default informational)."`
}

// Run writes findings.
func (c *scanCmd) Run(e *env) error {
	d, err := c.prepare(e, c.MinLevel.Level)
	if err != nil {
		return err
	}
	res, sources, levels, err := pipeline.Scan(e.ctx, d.config, e.stdout)
	if err != nil {
		return err
	}
	return d.finish(res, sources, levels)
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

func sayRejected(e *env, l *loaded) {
	for i, r := range l.rejected {
		if i == maxSaid {
			e.term.say("and %d more rules that cannot be used: barid rules check names them all", len(l.rejected)-i)
			break
		}
		e.term.say("rule not used: %s: %s", r.Path, r.Reason)
	}
	if len(l.leftOut) > 0 {
		e.term.say("%s: barid rules list names them, --rule-status chooses others", leftOut(l))
	}
}

// leftOut says how many rules were left out, and why.
func leftOut(l *loaded) string {
	reasons := map[string]int{}
	for _, r := range l.leftOut {
		reason, _, replaced := strings.Cut(r.Reason, ":")
		if replaced {
			reason = "another has taken its place"
		}
		reasons[reason]++
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		parts = append(parts, fmt.Sprintf("%d since %s", reasons[reason], reason))
	}
	return fmt.Sprintf("rules left out: %s", strings.Join(parts, ", "))
}

type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Say of every rule that cannot be used why."`
	List  rulesListCmd  `cmd:"" help:"List the rules that are loaded."`
}

type rulesCheckCmd struct {
	Paths          []string `arg:"" optional:"" name:"path" help:"Folders, files or zips of rules, besides those that come with Barid."`
	NoBuiltinRules bool     `name:"no-builtin-rules" help:"Do not check the rules that come with Barid."`
	Placeholders   []string `placeholder:"PATH" type:"path" sep:"none" help:"Values of the placeholders in rules: a YAML file of names and lists, a NAME.txt with a value a line, or a folder of such. Can be repeated."`
	Strict         bool     `help:"Fail if there are warnings too."`
	logSourceFlags
}

// Run checks rules, whatever their status. It fails if one cannot be used.
func (c *rulesCheckCmd) Run(e *env) error {
	f := ruleFlags{Rules: c.Paths, NoBuiltinRules: c.NoBuiltinRules, Placeholders: c.Placeholders}
	pack, err := f.pack()
	if err != nil {
		return err
	}
	warnings := pack.Lint()
	engine, rejected, err := f.compile(pack)
	if err != nil {
		return err
	}
	never, err := c.never(engine)
	if err != nil {
		return err
	}
	warnings = append(warnings, never...)
	for _, said := range inFileOrder(rejected, warnings) {
		fmt.Fprintln(e.stdout, visible(said))
	}
	e.term.say("%s can be used, %d cannot; %d warnings", plural(len(engine.Rules())+len(engine.Correlations()), "rule"), len(rejected), len(warnings))
	if len(rejected) > 0 || c.Strict && len(warnings) > 0 {
		return exit(exitFailed)
	}
	return nil
}

// inFileOrder returns what is said of rules, file by file and line by line.
func inFileOrder(rejected []*sigma.Rejection, warnings []*sigma.Warning) []string {
	type said struct {
		path         string
		line, column int
		text         string
	}
	var all []said
	for _, r := range rejected {
		all = append(all, said{r.Path, r.Line, r.Column, r.Error()})
	}
	for _, w := range warnings {
		all = append(all, said{w.Path, w.Line, w.Column, w.String()})
	}
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(strings.Compare(a.path, b.path), a.line-b.line, a.column-b.column)
	})
	var texts []string
	for _, s := range all {
		texts = append(texts, s.text)
	}
	return texts
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type rulesListCmd struct{ ruleFlags }

// Run lists rules.
func (c *rulesListCmd) Run(e *env) error {
	l, err := c.load()
	if err != nil {
		return err
	}
	// A fifth column says which are not reported by themselves.
	part := map[bool]string{true: "\tonly as part of correlations"}
	engine := l.rules.Engine
	for i, c := range engine.Correlations() {
		fmt.Fprintln(e.stdout, visible(fmt.Sprintf("%s\t%s\tcorrelation/%s\t%s%s", cmp.Or(c.ID, c.Name), c.Level, c.Type, cmp.Or(c.Title, c.Name), part[engine.SilentCorrelation(i)])))
	}
	for i, r := range engine.Rules() {
		s := r.LogSource
		source := strings.Trim(strings.Join([]string{s.Product, s.Category, s.Service}, "/"), "/")
		fmt.Fprintln(e.stdout, visible(fmt.Sprintf("%s\t%s\t%s\t%s%s", r.ID, r.Level, source, r.Title, part[engine.Silent(int32(i))])))
	}
	for _, r := range c.counting() {
		fmt.Fprintf(e.stdout, "%s\t%s\t%s\t%s\n", r.ID, r.Level, "counts over time", r.Title)
	}
	for _, r := range l.leftOut {
		e.term.say("rule left out: %s: %s", r.Path, r.Reason)
	}
	sayRejected(e, l)
	return nil
}

// pdfFormat is the format that a browser writes: it is not the same everywhere, and so no output like the others.
const pdfFormat = "pdf"

type reportCmd struct {
	Case   string `arg:"" type:"existingdir" help:"The case folder."`
	Format string `default:"html" enum:"${formats}" placeholder:"FORMAT" help:"What to write: ${formats} (default html)."`
	Output string `short:"o" placeholder:"FILE" type:"path" help:"Where to write it (default: standard output)."`
	tlpFlag
	langFlag
	Browser string `placeholder:"PATH" help:"For --format pdf: the Chromium, Chrome or Edge to print with (default: one that is installed)."`
}

// Run writes an output of a case.
func (c *reportCmd) Run(e *env) error {
	l, err := c.language()
	if err != nil {
		return err
	}
	in, err := input.Open(c.Case)
	if err != nil {
		return err
	}
	if err := c.mayGo(in.Case); err != nil {
		return err
	}
	in.Lang = l
	if err := casefile.Unchanged(c.Case, casefile.CaseFile, casefile.FindingsFile, casefile.RecordsFile); err != nil {
		e.term.line("barid: " + visible(inWords(err)) + ". What is written now may not be what Barid found")
	}
	write := func(w io.Writer) error { return pdf.Write(e.ctx, w, in, c.Browser) }
	if c.Format != pdfFormat {
		out, ok := report.Find(c.Format)
		if !ok {
			return usage(fmt.Errorf("no format %q", c.Format))
		}
		write = func(w io.Writer) error { return out.Write(w, in) }
		if !out.Marked() {
			e.term.say("the case is %s, which this format has no place for: say so to whom you give it", in.Case.Marking())
		}
	}
	x := casefile.Export{Format: c.Format, Path: c.Output, TLP: in.Case.Marking().Name(), Lang: l.Tag()}
	return e.export(c.Case, x, write)
}

type judgeCmd struct {
	Case  string `arg:"" type:"existingdir" help:"The case folder."`
	Facts string `placeholder:"FILE" type:"existingfile" help:"What people know and logs do not say (YAML); otherwise what the case was decided by."`
	langFlag
	regimesFlag
}

// Run decides a case anew.
func (c *judgeCmd) Run(e *env) error {
	l, err := c.language()
	if err != nil {
		return err
	}
	cfg := pipeline.JudgeConfig{Dir: c.Case, Version: version(), Now: time.Now().UTC(), Lang: l}
	cfg.Inventory, err = readInventory(func() (inv *judge.Inventory, err error) {
		if c.Facts != "" {
			if cfg.Facts, cfg.FactsText, err = readFacts(c.Facts); err == nil {
				inv, err = judge.ReadInventory(cfg.Facts, filepath.Dir(c.Facts))
			}
		} else if cfg.Facts, cfg.FactsText, err = pipeline.KeptFacts(c.Case); err == nil {
			inv, err = pipeline.KeptInventory(c.Case, cfg.Facts)
		}
		return inv, err
	})
	if err != nil {
		return err
	}
	// Most of what is made from here on is in the case that is written at the end.
	debug.SetMemoryLimit(max(judgeLimit, debug.SetMemoryLimit(-1)))
	debug.SetGCPercent(200)
	if c.Regimes != "" {
		if cfg.Regimes, err = c.regimes(); err != nil {
			return err
		}
	}
	if c.Facts != "" {
		sayEmpty(e, c.Facts, cfg.FactsText)
	}
	sayProblems(e, cfg.Inventory)
	before, after, err := pipeline.Judge(e.ctx, cfg)
	if err != nil {
		return err
	}
	sayAll(e, "", after.Notes)
	fmt.Fprint(e.stdout, e.term.judged(before, after, c.Case))
	return nil
}
