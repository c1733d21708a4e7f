package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/sigma"
)

// series is what is found in many events together, and only when all have been read: by counting, and by correlations.
type series struct {
	counts     *detect.Counts
	correlator *sigma.Correlator
}

// RulesLoaded returns how many rules, correlations and rules that count the run uses.
func (cfg *Config) RulesLoaded() int {
	n := cfg.Rules.Len()
	if !cfg.NoCounting {
		n += len(detect.CountingRules())
	}
	return n
}

// newSeries returns an empty series, which the run of cfg will fill.
func newSeries(cfg *Config) *series {
	s := &series{}
	if !cfg.NoCounting {
		s.counts = detect.NewCounts(cfg.Evidence.TempDir)
		cfg.Counts = s.counts
	}
	if cfg.Rules != nil && len(cfg.Rules.Engine.Correlations()) > 0 {
		s.correlator = cfg.Rules.Engine.NewCorrelator(cfg.Evidence.TempDir)
		cfg.Correlator = s.correlator
	}
	return s
}

func (s *series) close() {
	if s.counts != nil {
		s.counts.Close()
	}
	if s.correlator != nil {
		s.correlator.Close()
	}
}

// each calls f with every finding of at least the level of cfg, in a fixed order. Events of the sources that skip tells,
// if it is not nil, do not count. It returns what could not take part in correlations, in words.
func (s *series) each(ctx context.Context, cfg *Config, sources []casefile.Source, skip func(source int) bool, f func(*detect.Finding) error) (notes []string, err error) {
	if skip == nil {
		skip = func(int) bool { return false }
	}
	var counted []detect.Finding
	if s.counts != nil {
		if counted, err = detect.CountFindings(s.counts, skip); err != nil {
			return nil, err
		}
	}
	for i := range counted {
		if counted[i].Rule.Level < cfg.MinLevel {
			continue
		}
		counted[i].Host = sources[counted[i].Source].Host
		if err := f(&counted[i]); err != nil {
			return nil, err
		}
	}
	if s.correlator == nil {
		return nil, nil
	}
	path := func(source int) string { return sources[source].Path }
	err = s.correlator.Matches(ctx, skip, func(m *sigma.CorrelationMatch) error {
		found := cfg.Rules.Correlation(m, path)
		if found.Rule.Level < cfg.MinLevel {
			return nil
		}
		return f(&found)
	})
	return append(leftOut(s.correlator.LeftOut(skip)), s.correlator.Notes()...), err
}

// leftOut puts into words what took no part in correlations.
func leftOut(list []sigma.LeftOut) (notes []string) {
	for _, l := range list {
		name := l.Correlation.Title
		if name == "" {
			name = l.Correlation.Name
		}
		for _, why := range [...]struct {
			n    int64
			text string
		}{
			{l.NoTime, "their time is not known"},
			{l.NoGroup, "they lack a field of group-by (" + strings.Join(l.Correlation.GroupBy, ", ") + ")"},
			{l.NoValue, "they lack the field that is counted, or it is no number"},
		} {
			if why.n > 0 {
				notes = append(notes, fmt.Sprintf("%s: events that took no part: %d (%s)", name, why.n, why.text))
			}
		}
	}
	return notes
}
