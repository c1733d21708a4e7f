package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report"
	"github.com/barid-dfir/barid/sigma"
)

// cli is the command line: help, errors and completions are made from it.
type cli struct {
	Assess     assessCmd     `cmd:"" help:"Read evidence, decide, write a case folder and its report."`
	Scan       scanCmd       `cmd:"" help:"Write every detection as one JSON line to standard output."`
	Dump       dumpCmd       `cmd:"" help:"Write every event as one JSON line to standard output."`
	Rules      rulesCmd      `cmd:"" help:"Check rules, or list what is loaded."`
	Report     reportCmd     `cmd:"" help:"Write one output of a case again."`
	Judge      judgeCmd      `cmd:"" help:"Decide anew what was reached, with other facts, without the evidence."`
	Disclose   discloseCmd   `cmd:"" help:"Say what is owed to whom by when, or draft what is to be sent."`
	Verify     verifyCmd     `cmd:"" help:"Check every hash and the custody chain of a case, and the evidence if it is still there."`
	Seal       sealCmd       `cmd:"" help:"Have the chain of custody stamped by a time stamping authority (RFC 3161)."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`

	Quiet   bool             `short:"q" help:"No progress and no messages but errors."`
	Version kong.VersionFlag `help:"Print the version and exit."`
}

// readFlags are the flags of the commands that read evidence.
type readFlags struct {
	Paths []string `arg:"" name:"path" help:"Files, folders and archives; - for standard input."`

	From    string `placeholder:"TIME" help:"Leave out events before TIME (2021-03-02, or RFC 3339)."`
	To      string `placeholder:"TIME" help:"Leave out events from TIME on."`
	Workers int    `placeholder:"N" help:"How many cores to use (default: all)."`
	logSourceFlags
	Facts      string    `placeholder:"FILE" type:"existingfile" help:"What people know and logs do not say (YAML)."`
	Stats      string    `placeholder:"FILE" help:"Write what was done, and how fast, to FILE (JSON)."`
	Strict     bool      `help:"Exit with status 3 if something could not be read."`
	MaxDepth   int       `name:"max-depth" default:"${max_depth}" placeholder:"N" help:"Archives in archives to open (default ${max_depth})."`
	MaxRatio   float64   `name:"max-ratio" default:"${max_ratio}" placeholder:"N" help:"Bytes that may come out of one byte of an archive (default ${max_ratio})."`
	MaxTotal   bytesFlag `name:"max-total" default:"${max_total}" placeholder:"SIZE" help:"Bytes that may be unpacked in all, such as 500G (default ${max_total})."`
	MaxEntries int       `name:"max-entries" default:"${max_entries}" placeholder:"N" help:"Entries that may lie in one archive (default ${max_entries})."`
}

// logSourceFlags are the flags of the commands that need to know what rules call which log.
type logSourceFlags struct {
	LogSources []string `name:"log-sources" placeholder:"FILE" type:"existingfile" help:"What rules call further logs and their fields (YAML, docs/log-sources.md). Can be repeated."`
}

// ruleFlags are the flags of the commands that use rules.
type ruleFlags struct {
	Rules          []string `placeholder:"PATH" type:"path" help:"Sigma rules to add: a folder, file or zip. Can be repeated."`
	NoBuiltinRules bool     `name:"no-builtin-rules" help:"Do not use the rules that come with Barid, those that count among them."`
	RuleStatus     []string `name:"rule-status" placeholder:"STATUS" help:"Use rules of these statuses only: ${statuses}, or all (default: all but deprecated and unsupported)."`
	Placeholders   []string `placeholder:"PATH" type:"path" sep:"none" help:"Values of the placeholders in rules: a YAML file of names and lists, a NAME.txt with a value a line, or a folder of such. Can be repeated."`
}

// langFlag is the flag of the commands that write something for people.
type langFlag struct {
	Lang string `default:"en" placeholder:"LANG" help:"Language of the report: ${langs} (default en)."`
}

func (f *langFlag) language() (*lang.Language, error) {
	l, err := lang.Find(f.Lang)
	if err != nil {
		return nil, usage(fmt.Errorf("--lang: %w", err))
	}
	return l, nil
}

// tlpFlag is the flag of the commands that hand something out.
type tlpFlag struct {
	TLP string `name:"tlp" placeholder:"LEVEL" help:"Refuse if the case is marked above what the recipient may have: clear, green, amber, amber+strict, red. Facts mark a case with tlp (default ${tlp})."`
}

// mayGo returns an error if the case may not go to the recipient.
func (f *tlpFlag) mayGo(k *casefile.Case) error {
	if f.TLP == "" {
		return nil
	}
	recipient, err := casefile.ParseTLP(f.TLP)
	if err != nil {
		return usage(fmt.Errorf("--tlp: %w", err))
	}
	return k.MayGo(recipient)
}

type levelFlag struct{ detect.Level }

// Decode reads a level by its name.
func (l *levelFlag) Decode(ctx *kong.DecodeContext) error {
	var name string
	if err := ctx.Scan.PopValueInto("level", &name); err != nil {
		return err
	}
	level, err := detect.ParseLevel(name)
	l.Level = level
	return err
}

// bytesFlag is a number of bytes, with a binary unit: 512M, 200G, 1T.
type bytesFlag int64

// Decode reads a number of bytes.
func (b *bytesFlag) Decode(ctx *kong.DecodeContext) error {
	var s string
	if err := ctx.Scan.PopValueInto("size", &s); err != nil {
		return err
	}
	n, unit := s, int64(1)
	upper := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "B"), "I")
	if i := strings.IndexAny(upper, "KMGT"); i >= 0 && i == len(upper)-1 {
		unit = 1 << (10 * (1 + strings.IndexByte("KMGT", upper[i])))
		n = upper[:i]
	}
	v, err := strconv.ParseInt(n, 10, 64)
	if err != nil || v <= 0 || v > (1<<62)/unit {
		return fmt.Errorf("%q is no size: write it as 512M or 200G", s)
	}
	*b = bytesFlag(v * unit)
	return nil
}

func newParser(flags *cli, stdout, stderr io.Writer, exit func(int)) *kong.Kong {
	return kong.Must(flags,
		kong.Name("barid"),
		kong.Description("Barid reads the evidence of an attack on a mail server or a public service and says what happened.\n\n"+
			"  barid assess logs.zip                     write a case to barid-case/, with report.html\n"+
			"  barid scan --rules sigma.zip /var/log     every detection as a JSON line\n"+
			"  barid dump Security.evtx | jq .event      every event as a JSON line\n"+
			"  barid judge barid-case --facts facts.yaml what follows from what people know\n"+
			"  barid disclose barid-case                 what is owed to whom, by when\n"+
			"  barid verify barid-case                   has anything been changed?\n\n"+
			"Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, but something could not be read (with --strict); 4 --fail-on was met."),
		kong.Vars{
			"version":     version(),
			"max_depth":   fmt.Sprint(evidence.DefaultMaxDepth),
			"max_ratio":   fmt.Sprint(evidence.DefaultMaxRatio),
			"max_total":   "200G",
			"max_entries": fmt.Sprint(evidence.DefaultMaxEntries),
			"levels":      strings.Join(detect.Levels(), ", "),
			"forms":       forms(),
			"formats":     formats(),
			"tlp":         casefile.DefaultTLP.Name(),
			"langs":       strings.Join(lang.Tags(), ", "),
			"statuses":    strings.Join(sigma.Statuses(), ", "),
		},
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
	)
}

func formats() string {
	var names []string
	for _, o := range report.Outputs() {
		names = append(names, o.Name)
	}
	return strings.Join(append(names, pdfFormat), ",")
}

// parseTime reads a date or an RFC 3339 time, in UTC where it says no zone; "" is event.UnknownTime.
func parseTime(flag, s string) (int64, error) {
	if s == "" {
		return event.UnknownTime, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.UTC); err == nil {
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("--%s: %q is no time: write 2021-03-02 or 2021-03-02T06:49:42Z", flag, s)
}

func (f *readFlags) workers() int {
	if f.Workers > 0 {
		return f.Workers
	}
	return runtime.GOMAXPROCS(0)
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}
