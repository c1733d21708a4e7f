package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/disclose"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/evidence"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/sigma"
)

// loaded is the rules of a run.
type loaded struct {
	rules    *detect.Rules
	rejected []casefile.RejectedRule
	leftOut  []casefile.RejectedRule
}

// load reads, selects, checks and compiles the rules.
func (f *ruleFlags) load() (*loaded, error) {
	// Most of what is made here stays, and what does not is soon over: looking for it as often as usual is not worth it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	status, err := f.status()
	if err != nil {
		return nil, err
	}
	pack, err := f.pack()
	if err != nil {
		return nil, err
	}
	pack.Select(sigma.Selection{Status: status})
	engine, rejected, err := f.compile(pack)
	if err != nil {
		return nil, err
	}
	l := &loaded{rules: detect.NewRules(engine), rejected: []casefile.RejectedRule{}, leftOut: []casefile.RejectedRule{}}
	for _, r := range rejected {
		l.rejected = append(l.rejected, rejectedRule(r))
	}
	for _, r := range pack.LeftOut {
		l.leftOut = append(l.leftOut, rejectedRule(r))
	}
	return l, nil
}

// counting returns the rules that count over time, which come with Barid.
func (f *ruleFlags) counting() []detect.Rule {
	if f.NoBuiltinRules {
		return nil
	}
	return detect.CountingRules()
}

// status returns the statuses that --rule-status asks for.
func (f *ruleFlags) status() ([]string, error) {
	var out []string
	for _, s := range f.RuleStatus {
		s = strings.ToLower(strings.TrimSpace(s))
		switch {
		case s == "all":
			return sigma.Statuses(), nil
		case !slices.Contains(sigma.Statuses(), s):
			return nil, usage(fmt.Errorf("--rule-status: no status %q: use %s, or all", s, strings.Join(sigma.Statuses(), ", ")))
		}
		out = append(out, s)
	}
	return out, nil
}

// pack reads the rules.
func (f *ruleFlags) pack() (*sigma.Pack, error) {
	pack := &sigma.Pack{}
	if !f.NoBuiltinRules {
		p, err := sigma.LoadFS(content.Rules())
		if err != nil {
			return nil, fmt.Errorf("rules that come with Barid: %w", err)
		}
		pack.Add(p)
	}
	for _, name := range f.Rules {
		p, err := sigma.Load(name)
		if err != nil {
			return nil, fmt.Errorf("--rules %s: %w", name, withoutPath(err))
		}
		if len(p.Rules)+len(p.Correlations)+len(p.Filters)+len(p.Rejected) == 0 {
			return nil, fmt.Errorf("--rules %s: no rule in it", name)
		}
		pack.Add(p)
	}
	return pack, nil
}

// compile makes an engine of the pack, and returns all that was rejected.
func (f *ruleFlags) compile(pack *sigma.Pack) (*sigma.Engine, []*sigma.Rejection, error) {
	var values map[string][]string
	if len(f.Placeholders) > 0 {
		var err error
		if values, err = sigma.LoadPlaceholders(f.Placeholders...); err != nil {
			return nil, nil, fmt.Errorf("--placeholders: %w", err)
		}
	}
	engine, more := sigma.Compile(pack, sigma.Options{Placeholders: values})
	return engine, slices.Concat(pack.Rejected, more), nil
}

func rejectedRule(r *sigma.Rejection) casefile.RejectedRule {
	path := r.Path
	if r.Line > 0 {
		path = fmt.Sprintf("%s:%d", path, r.Line)
	}
	return casefile.RejectedRule{Path: path, Reason: r.Reason}
}

// reading is a run that reads evidence, as the commands share it.
type reading struct {
	flags    *readFlags
	env      *env
	config   pipeline.Config
	facts    *judge.Facts
	given    []byte // the file of facts
	began    time.Time
	mu       sync.Mutex
	problems []evidence.Problem
}

func (f *readFlags) prepare(e *env) (*reading, error) {
	r := &reading{flags: f, env: e, facts: &judge.Facts{}, began: time.Now()}
	from, err := parseTime("from", f.From)
	if err != nil {
		return nil, usage(err)
	}
	to, err := parseTime("to", f.To)
	if err != nil {
		return nil, usage(err)
	}
	if f.Facts != "" {
		if r.facts, r.given, err = readFacts(f.Facts); err != nil {
			return nil, err
		}
		sayEmpty(e, f.Facts, r.given)
	}
	if from != event.UnknownTime && to != event.UnknownTime && from >= to {
		return nil, usage(fmt.Errorf("--to: %s is not after --from, %s: no event lies between them", f.To, f.From))
	}
	if err := f.there(e); err != nil {
		return nil, err
	}
	table, err := pipeline.LogSources(f.LogSources)
	if err != nil {
		return nil, fmt.Errorf("--log-sources: %w", err)
	}
	r.config = pipeline.Config{
		Paths: f.Paths, Formats: pipeline.FormatsWith(table), Workers: f.workers(), From: from, To: to, Zone: r.facts.Zone, Year: r.facts.Year, Window: r.facts.Incident(),
		Evidence: evidence.Options{MaxDepth: f.MaxDepth, MaxRatio: f.MaxRatio, MaxTotal: int64(f.MaxTotal), MaxEntries: f.MaxEntries, Stdin: e.stdin, Report: r.problem},
	}
	if e.term.bar {
		r.config.Progress = func(read, events func() int64) (stop func()) {
			return e.term.watch(read, evidence.Measure(f.Paths), events)
		}
	}
	return r, nil
}

// there fails where a path does not exist, or where there is no file at any: an empty folder is mostly one that was meant to be another, or
// a disk that is not mounted, and no finding in it would say nothing.
func (f *readFlags) there(e *env) error {
	var empty []string
	for _, p := range f.Paths {
		if p == "-" {
			continue
		}
		if _, err := os.Stat(p); err != nil {
			return fmt.Errorf("%s: %w", p, withoutPath(err))
		}
		if !evidence.HasFile(p) {
			empty = append(empty, p)
		}
	}
	if len(empty) == len(f.Paths) {
		return fmt.Errorf("%s: there is no file in this folder: nothing was read", strings.Join(empty, ", "))
	}
	for _, p := range empty {
		e.term.say("%s: there is no file in this folder", p)
	}
	return nil
}

// withoutPath returns what the system said without the name of its call and the path, which stand before it already.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// readFacts reads the file of facts, and returns its text too.
func readFacts(name string) (*judge.Facts, []byte, error) {
	p, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := judge.ParseFacts(bytes.NewReader(p))
	if err == nil {
		_, err = disclose.ParseFacts(p) // here, so that what is wrong is said before evidence is read
	}
	if err != nil {
		return nil, nil, fmt.Errorf("--facts %s: %w", name, err)
	}
	return f, append([]byte{}, p...), nil
}

// sayEmpty says that a file of facts holds none, which nobody gives on purpose.
func sayEmpty(e *env, name string, text []byte) {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return
		}
	}
	e.term.say("--facts %s: there are no facts in it", name)
}

// sayProblems says what could not be read of an inventory.
func sayProblems(e *env, inv *judge.Inventory) {
	if inv != nil {
		sayAll(e, "inventory: ", inv.Problems)
	}
}

// sayAll says the first of a list on stderr; all of it is in the case.
func sayAll(e *env, prefix string, list []string) {
	for i, s := range list {
		if i == maxSaid {
			e.term.say("%sand %d more, in the case", prefix, len(list)-i)
			break
		}
		e.term.say("%s%s", prefix, s)
	}
}

type usageError struct{ error }

func usage(err error) error { return usageError{err} }

func (r *reading) problem(p evidence.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, p)
}

// asSources returns the problems as sources of a case, in order of path.
func (r *reading) asSources() []casefile.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []casefile.Source
	for _, p := range r.problems {
		s := casefile.Source{Path: p.Path}
		if p.Note {
			s.Notes = []string{p.Reason}
		} else {
			s.Errors = []string{p.Reason}
			s.Unparsed = 1
		}
		out = append(out, s)
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Path != out[j].Path {
			return out[i].Path < out[j].Path
		}
		return strings.Join(append(out[i].Errors, out[i].Notes...), "") < strings.Join(append(out[j].Errors, out[j].Notes...), "")
	})
	return out
}

// stats is the file that --stats names.
type stats struct {
	Events        int64                   `json:"events"`
	Bytes         int64                   `json:"bytes"`
	Findings      int64                   `json:"findings"`
	Seconds       float64                 `json:"seconds"`
	CPUSeconds    float64                 `json:"cpu_seconds"`
	PeakRSS       int64                   `json:"peak_rss_bytes"`
	RulesLoaded   int                     `json:"rules_loaded"`
	RulesRejected []casefile.RejectedRule `json:"rules_rejected"`
	RulesLeftOut  []casefile.RejectedRule `json:"rules_left_out"`
	RuleNotes     []string                `json:"rule_notes,omitempty"`
	Sources       []casefile.Source       `json:"sources"`
}

// finish says what could not be read, writes --stats and returns the error that --strict asks for.
func (r *reading) finish(res pipeline.Result, sources []casefile.Source, l *loaded) error {
	sources = pipeline.WithProblems(sources, r.asSources())
	unread := r.unread(sources)
	for _, n := range res.Notes {
		r.env.term.say("correlation %s", n)
	}
	if r.flags.Stats != "" {
		s := stats{Events: res.Events, Bytes: res.Bytes, Findings: res.Findings, Seconds: time.Since(r.began).Seconds(),
			RulesRejected: []casefile.RejectedRule{}, RulesLeftOut: []casefile.RejectedRule{}, RuleNotes: res.Notes, Sources: sources}
		s.CPUSeconds, s.PeakRSS = usageOfProcess()
		if l != nil {
			s.RulesLoaded, s.RulesRejected = r.config.RulesLoaded(), l.rejected
			s.RulesLeftOut = l.leftOut
		}
		p, err := json.MarshalIndent(s, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(r.flags.Stats, append(p, '\n'), 0o600); err != nil {
			return fmt.Errorf("--stats: %w", err)
		}
	}
	if unread && r.flags.Strict {
		return exit(exitUnread)
	}
	return nil
}

// maxSaid is how many sources with errors are named on stderr; all are in the case and in --stats.
const maxSaid = 20

func (r *reading) unread(sources []casefile.Source) bool {
	var damaged, strange []string
	for _, s := range sources {
		switch {
		case s.Unparsed > 1 && len(s.Errors) > 0:
			damaged = append(damaged, fmt.Sprintf("%s: %d parts could not be read, the first: %s", s.Path, s.Unparsed, s.Errors[0]))
		case len(s.Errors) > 0:
			damaged = append(damaged, s.Path+": "+s.Errors[0])
		case s.Unparsed > 0:
			damaged = append(damaged, fmt.Sprintf("%s: %d parts could not be read", s.Path, s.Unparsed))
		case s.Format == "" && s.Bytes > 0:
			strange = append(strange, s.Path+": not recognised: hashed, and not read for events")
		}
	}
	all := append(damaged, strange...)
	// A compressed file and what comes out of it are damaged alike, and have one name.
	slices.Sort(all[:len(damaged)])
	all = slices.Compact(all)
	for _, line := range all[:min(len(all), maxSaid)] {
		r.env.term.say("%s", line)
	}
	if more := len(all) - maxSaid; more > 0 {
		r.env.term.say("and %d more sources with something that could not be read (all are in the case and in --stats)", more)
	}
	return len(all) > 0
}
