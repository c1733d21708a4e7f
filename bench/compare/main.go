//go:build unix

// Command compare runs Barid and the scanners it finds on the PATH over the same event logs with the same Sigma rules, in
// one sitting, and prints how fast each was and where their findings differ.
//
//	go run ./bench/compare -rules sigma/rules/windows logs/ > comparison.md
//
// bench/README.md says how each is run and what is prepared before the clock starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const usage = `Compare Barid with other scanners of Windows event logs: same files, same rules, one sitting.

Usage: go run ./bench/compare -rules DIR [flags] EVIDENCE > comparison.md

EVIDENCE is one EVTX file or one folder of them, unpacked. Scanners that are not on the PATH are left out, and named.

Flags:
`

// A job is what every tool is asked to do.
type job struct {
	rules    string   // folder of Sigma rules
	evidence string   // file or folder
	files    []string // the event logs in it
	work     string   // a folder for what is prepared and written
	barid    string   // the program under test

	chainsawMapping  string
	hayabusaRules    string
	hayabusaConfig   string
	zircoliteConfig  string
	zircoliteRules   string
	zircolitePipes   string
	timeout          time.Duration
	cold             bool
	runs, top, lists int
	index            *ruleIndex
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(0)
		}
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	fl := flag.NewFlagSet("compare", flag.ContinueOnError)
	fl.Usage = func() { fmt.Fprint(fl.Output(), usage); fl.PrintDefaults() }
	var j job
	var only, threads, reasons string
	fl.StringVar(&j.rules, "rules", "", "`folder` of Sigma rules, for example rules/windows of SigmaHQ")
	fl.StringVar(&j.barid, "barid", "", "the `program` to compare (default: built from this checkout)")
	fl.StringVar(&only, "tools", "", "run only these, `names` with commas between (default: every one there is)")
	fl.StringVar(&threads, "threads", "all,1", "numbers of threads, with commas between; all is one for every core")
	fl.IntVar(&j.runs, "runs", 3, "warm runs of each; the median is shown")
	fl.BoolVar(&j.cold, "cold", true, "one more run of each first, with evidence and rules dropped from the page cache")
	fl.IntVar(&j.top, "top", 40, "rules to list whose findings differ most; 0 for all")
	fl.IntVar(&j.lists, "records", 3, "records to name for a rule and tool where findings differ")
	fl.StringVar(&reasons, "reasons", "", "`file` of known reasons for differences, beside those that come with this program")
	fl.DurationVar(&j.timeout, "timeout", time.Hour, "give up on one run after this `time`")
	fl.StringVar(&j.work, "work", "", "`folder` for outputs, kept (default: a temporary one)")
	fl.StringVar(&j.chainsawMapping, "chainsaw-mapping", "", "Chainsaw's mapping `file` for Sigma rules, sigma-event-logs-all.yml")
	fl.StringVar(&j.hayabusaRules, "hayabusa-rules", "", "`folder` with the same rules as sigma-to-hayabusa-converter writes them")
	fl.StringVar(&j.hayabusaConfig, "hayabusa-config", "", "the config `folder` of hayabusa-rules")
	fl.StringVar(&j.zircoliteConfig, "zircolite-config", "", "Zircolite's field mapping `file`, config/config.yaml")
	fl.StringVar(&j.zircoliteRules, "zircolite-rules", "", "`file` with the same rules as zircolite --save-ruleset writes them (default: converted before the clock starts)")
	fl.StringVar(&j.zircolitePipes, "zircolite-pipelines", "sysmon,windows-logsources", "pySigma pipelines for that conversion, with commas between")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if j.rules == "" {
		return errors.New("no rules: -rules DIR")
	}
	if fl.NArg() != 1 {
		return fmt.Errorf("one file or folder of event logs is compared, not %d: not every scanner takes more", fl.NArg())
	}
	if j.runs < 1 {
		return fmt.Errorf("-runs %d: one at least", j.runs)
	}
	counts, err := threadCounts(threads)
	if err != nil {
		return err
	}
	if j.work == "" {
		if j.work, err = os.MkdirTemp("", "barid-compare-"); err != nil {
			return err
		}
		defer os.RemoveAll(j.work)
	}
	if err := j.open(ctx, fl.Arg(0)); err != nil {
		return err
	}
	known, err := loadReasons(reasons)
	if err != nil {
		return err
	}

	chosen, absent := choose(tools(&j), only)
	r := report{job: &j, reasons: known}
	r.absent = absent
	r.about(ctx)
	for _, t := range chosen {
		progress("preparing %s", t.name())
		notes, err := t.prepare(ctx, &j)
		if err != nil {
			r.absent = append(r.absent, fmt.Sprintf("%s: %v", t.name(), err))
			continue
		}
		r.tools = append(r.tools, &entry{tool: t, version: t.version(ctx), notes: notes})
	}
	if len(r.tools) == 0 {
		return errors.New("nothing to run")
	}
	measureAll(ctx, &j, r.tools, counts)
	// Findings are read after the last measurement: a child's peak memory counts what its parent held when it was born.
	for _, e := range r.tools {
		e.read(&j)
	}
	return r.write(os.Stdout)
}

// open finds everything that was named, builds Barid where no program was, and lists the rules and the evidence.
func (j *job) open(ctx context.Context, evidence string) error {
	var err error
	for _, p := range []*string{&j.rules, &j.barid, &j.chainsawMapping, &j.hayabusaRules, &j.hayabusaConfig, &j.zircoliteConfig, &j.zircoliteRules, &evidence} {
		if *p == "" {
			continue
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
		if _, err := os.Stat(*p); err != nil {
			return err
		}
	}
	j.evidence = evidence
	err = filepath.WalkDir(evidence, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.EqualFold(filepath.Ext(path), ".evtx") {
			j.files = append(j.files, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(j.files) == 0 {
		return fmt.Errorf("%s: no .evtx file in it; archives are to be unpacked first, because most scanners do not open them", evidence)
	}
	if err = os.MkdirAll(j.work, 0o755); err != nil {
		return err
	}
	if j.work, err = filepath.Abs(j.work); err != nil {
		return err
	}
	if j.barid == "" {
		progress("building barid")
		j.barid = filepath.Join(j.work, "barid")
		out, err := exec.CommandContext(ctx, "go", "build", "-o", j.barid, "github.com/barid-dfir/barid/cmd/barid").CombinedOutput()
		if err != nil {
			return fmt.Errorf("building barid (or name one with -barid): %v: %s", err, out)
		}
	}
	j.index, err = readRules(j.rules)
	return err
}

func threadCounts(list string) ([]int, error) {
	var out []int
	for w := range strings.SplitSeq(list, ",") {
		n := runtime.NumCPU()
		if w = strings.TrimSpace(w); w != "all" {
			var err error
			if n, err = strconv.Atoi(w); err != nil || n < 1 {
				return nil, fmt.Errorf("-threads: %q is neither all nor a number above 0", w)
			}
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out, nil
}

// choose keeps the tools that were asked for and are installed, and says what is not.
func choose(all []tool, only string) (chosen []tool, absent []string) {
	for _, t := range all {
		if only != "" && !slices.Contains(strings.Split(only, ","), t.name()) {
			continue
		}
		if err := t.find(); err != nil {
			absent = append(absent, fmt.Sprintf("%s: %v", t.name(), err))
			continue
		}
		chosen = append(chosen, t)
	}
	return chosen, absent
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "compare: "+format+"\n", args...)
}
