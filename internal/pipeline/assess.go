package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/disclose"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report"
	"github.com/barid-dfir/barid/internal/report/csv"
	"github.com/barid-dfir/barid/internal/tally"
)

// AssessConfig says what a case is made of, and where it goes.
type AssessConfig struct {
	Config
	Dir     string // the case folder
	Force   bool   // replace whatever case is there
	Version string
	Facts   *judge.Facts
	// FactsText is the file of facts as it was read: a copy is kept in the case. It is nil if none was given.
	FactsText []byte
	// Regimes are the laws by which something is owed; nil for those that come with Barid.
	Regimes *disclose.Regimes
	// Inventory is what there was to be reached; nil if nobody says. Copies of its lists are kept in the case.
	Inventory *judge.Inventory
	// Rejected are the rules that could not be used.
	Rejected []casefile.RejectedRule
	// NoReport leaves out the pages and tables for people: the case is in case.json alone.
	NoReport bool
	// Now is when the run began, for the custody chain.
	Now time.Time
	// Lang is the language of the report; nil is English.
	Lang *lang.Language
	// Problems are added to the sources they belong to, or listed as sources of their own. It is called after reading.
	Problems func() []casefile.Source
}

// Assess reads the evidence and writes a case.
func Assess(ctx context.Context, cfg AssessConfig) (Result, *casefile.Case, error) {
	remove, err := cfg.workspace()
	if err != nil {
		return Result{}, nil, err
	}
	defer remove()
	w, err := casefile.Create(cfg.Dir, cfg.Force)
	if err != nil {
		return Result{}, nil, err
	}
	defer w.Abort()
	cfg.Evidence.Skip = append(cfg.Evidence.Skip, cfg.Dir, w.Dir())
	findings := w.Findings(csv.Timeline())
	series := newSeries(&cfg.Config)
	defer series.close()
	cfg.Observed = tally.NewCollection(cfg.Evidence.TempDir, cfg.Workers)
	defer cfg.Observed.Close()
	var streams []tally.Stream

	c := &casefile.Case{Schema: casefile.Schema, Barid: casefile.Program{Version: cfg.Version}, Organisation: cfg.Facts.Organisation}
	c.Summary.Findings = make(map[string]int64)
	for _, l := range detect.Levels() {
		c.Summary.Findings[l] = 0
	}
	first := make(map[string]string) // path of the first source of a content
	copies := make(map[int]bool)     // sources whose content had been read
	var custody []casefile.Custody
	add := func(f *detect.Finding) error {
		c.Summary.Findings[f.Rule.Level.String()]++
		return findings.Add(caseFinding(f, &c.Sources[f.Source]))
	}
	cfg.Source = func(s *tally.Source, found *Findings) error {
		source := CaseSource(s)
		custody = append(custody, casefile.Custody{Path: s.Path, Bytes: s.Bytes, SHA256: source.SHA256, Read: cfg.Now})
		if s.Container == "" && s.Bytes > 0 {
			if path, again := first[source.SHA256]; again {
				source.Notes = append(source.Notes, "the same content as "+path+": its events are not counted again")
				source.Duplicates, source.Events = source.Duplicates+source.Events, 0
				copies[s.Ordinal] = true
			} else {
				first[source.SHA256] = s.Path
			}
		}
		c.Sources = append(c.Sources, source)
		if copies[s.Ordinal] {
			return nil
		}
		streams = append(streams, s.Streams()...)
		return found.Each(add)
	}
	res, err := Run(ctx, cfg.Config)
	if err != nil {
		return res, nil, err
	}
	res.Notes, err = series.each(ctx, &cfg.Config, c.Sources, func(source int) bool { return copies[source] }, add)
	if err != nil {
		return res, nil, err
	}
	res.Findings = findings.Count()
	if err := findings.Close(); err != nil {
		return res, nil, err
	}
	if cfg.Problems != nil {
		c.Sources = WithProblems(c.Sources, cfg.Problems())
	}
	c.Rules = casefile.Rules{Loaded: cfg.RulesLoaded(), Rejected: cfg.Rejected, MinLevel: cfg.MinLevel.String(), Notes: res.Notes}
	c.Window = timespan(c.Sources, cfg.Facts)
	store, err := writeStore(w, cfg.Observed, func(source int) bool { return copies[source] }, streams, len(c.Sources))
	if err != nil {
		return res, nil, err
	}
	defer store.Close()
	hosts, err := judge.NewHostNames(store, c.Sources, cfg.Facts)
	if err := cmp.Or(err, store.Err()); err != nil {
		return res, nil, err
	}
	c.Incidents, err = judge.Incidents(casefile.Findings(w.Dir()), judge.Evidence{End: logEnds(c.Sources), Ours: cfg.Facts.IsOurs, Hosts: hosts})
	if err != nil {
		return res, nil, err
	}
	if err := decide(c, store, hosts, cfg.Facts, cfg.Inventory); err != nil {
		return res, nil, err
	}
	if err := owe(c, cfg.FactsText, cfg.Regimes); err != nil {
		return res, nil, err
	}
	if err := keepGiven(w, cfg.FactsText, cfg.Inventory, cfg.Regimes); err != nil {
		return res, nil, err
	}
	if err := quote(ctx, cfg.Config, w, c); err != nil {
		return res, nil, err
	}
	if cfg.NoReport {
		err = w.WriteCase(c)
	} else {
		err = report.WriteCase(w, c, w.Dir(), cfg.Lang)
	}
	if err != nil {
		return res, nil, err
	}
	if err := ctx.Err(); err != nil {
		return res, nil, err
	}
	w.DecidedBy(factsLine(cfg.FactsText), c.Statements)
	store.Close() // before the folder gets its name
	if _, err := w.Commit(custody, cfg.Now); err != nil {
		return res, nil, err
	}
	return res, c, nil
}

// writeStore writes what was observed into the case and opens it.
func writeStore(w *casefile.Writer, observed *tally.Collection, skip func(source int) bool, streams []tally.Stream, sources int) (*tally.File, error) {
	f, err := w.File(casefile.StoreFile)
	if err != nil {
		return nil, err
	}
	err = observed.Write(f, skip, streams, sources)
	if err := cmp.Or(err, f.Close()); err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", casefile.StoreFile, err)
	}
	observed.Close()
	return tally.Open(filepath.Join(w.Dir(), casefile.StoreFile))
}

// nanoseconds returns a time since 1970 UTC: the nearest that can be told where it is centuries away.
func nanoseconds(t *time.Time) int64 {
	switch {
	case t == nil:
		return event.UnknownTime
	case t.Year() < 1678:
		return math.MinInt64 + 1
	case t.Year() > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// logEnds returns a function that tells when the log that a source is a part of ends. Logs are rotated, so what is of one
// format and one host is one log; where no host is known, what lies in one folder is.
func logEnds(sources []casefile.Source) func(path string) (time.Time, bool) {
	type log struct{ format, place string }
	of := make(map[string]log, len(sources))
	ends := make(map[log]time.Time)
	for _, s := range sources {
		l := log{s.Format, "host:" + s.Host}
		if s.Host == "" {
			l.place = "folder:" + s.Path[:strings.LastIndexAny(s.Path, `/\!`)+1]
		}
		of[s.Path] = l
		if s.To != nil && s.To.After(ends[l]) {
			ends[l] = *s.To
		}
	}
	return func(path string) (time.Time, bool) {
		end, ok := ends[of[path]]
		return end, ok
	}
}

// timespan returns what the facts say, or what the sources span.
func timespan(sources []casefile.Source, facts *judge.Facts) casefile.Window {
	var w casefile.Window
	for _, s := range sources {
		if s.From != nil && (w.From == nil || s.From.Before(*w.From)) {
			w.From = s.From
		}
		if s.To != nil && (w.To == nil || s.To.After(*w.To)) {
			w.To = s.To
		}
	}
	if facts.Window.From != nil {
		w.From = facts.Window.From
	}
	if facts.Window.To != nil {
		w.To = facts.Window.To
	}
	return w
}

// WithProblems adds what could not be opened to the sources: to those that are there, and as sources of their own. It
// does not change sources.
func WithProblems(sources []casefile.Source, problems []casefile.Source) []casefile.Source {
	sources = slices.Clone(sources)
	at := make(map[string]int, len(sources))
	for i, s := range sources {
		at[s.Path] = i
	}
	for _, p := range problems {
		i, ok := at[p.Path]
		if !ok {
			at[p.Path] = len(sources)
			sources = append(sources, p)
			continue
		}
		for _, e := range p.Errors {
			if !slices.Contains(sources[i].Errors, e) {
				sources[i].Errors = append(slices.Clip(sources[i].Errors), e)
			}
		}
		for _, n := range p.Notes {
			if !slices.Contains(sources[i].Notes, n) {
				sources[i].Notes = append(slices.Clip(sources[i].Notes), n)
			}
		}
	}
	return sources
}
