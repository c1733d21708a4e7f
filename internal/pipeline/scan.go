package pipeline

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// Scan writes every finding to out as a line of JSON, in the order of sources and events; what was found in many
// events together comes last. It returns what was read of each source, and how many findings of each level there are.
func Scan(ctx context.Context, cfg Config, out io.Writer) (Result, []casefile.Source, map[string]int64, error) {
	remove, err := cfg.workspace()
	if err != nil {
		return Result{}, nil, nil, err
	}
	defer remove()
	w := bufio.NewWriterSize(out, 64<<10)
	defer w.Flush()
	var sources []casefile.Source
	levels := make(map[string]int64)
	var line []byte
	write := func(f *detect.Finding) error {
		levels[f.Rule.Level.String()]++
		cf := caseFinding(f, &sources[f.Source])
		cf.Raw = ""
		line = append(casefile.AppendFinding(line[:0], cf), '\n')
		_, err := w.Write(line)
		return err
	}
	cfg.Source = func(s *tally.Source, findings *Findings) error {
		sources = append(sources, CaseSource(s))
		if err := findings.Each(write); err != nil {
			return fmt.Errorf("cannot write: %w", err)
		}
		return w.Flush()
	}
	series := newSeries(&cfg)
	defer series.close()
	res, err := Run(ctx, cfg)
	if err != nil {
		return res, sources, levels, err
	}
	res.Notes, err = series.each(ctx, &cfg, sources, nil, func(f *detect.Finding) error {
		res.Findings++
		if err := write(f); err != nil {
			return fmt.Errorf("cannot write: %w", err)
		}
		return nil
	})
	if err != nil {
		return res, sources, levels, err
	}
	return res, sources, levels, w.Flush()
}

// Dump writes every event to out as a line of JSON, in the order of sources and events, with what it means.
func Dump(ctx context.Context, cfg Config, out io.Writer) (Result, []casefile.Source, error) {
	remove, err := cfg.workspace()
	if err != nil {
		return Result{}, nil, err
	}
	defer remove()
	var sources []casefile.Source
	cfg.Out = out
	cfg.Event = appendEvent
	cfg.Source = func(s *tally.Source, _ *Findings) error {
		sources = append(sources, CaseSource(s))
		return nil
	}
	res, err := Run(ctx, cfg)
	return res, sources, err
}

// appendEvent appends an event as a line of Dump.
func appendEvent(dst []byte, source *logs.Source, e *event.Event, meaning []logs.Observation) []byte {
	dst = append(dst, `{"time":`...)
	if e.Time == event.UnknownTime {
		dst = append(dst, "null"...)
	} else {
		dst = append(event.AppendTime(append(dst, '"'), time.Unix(0, e.Time)), '"')
	}
	if v := e.Role(event.Host); !v.IsNull() {
		dst = event.AppendString(append(dst, `,"host":`...), v.String())
	}
	dst = event.AppendString(append(dst, `,"source":{"path":`...), source.Path)
	if e.Line > 0 {
		dst = fmt.Appendf(dst, `,"line":%d`, e.Line)
	} else {
		dst = fmt.Appendf(dst, `,"record":%d`, e.Record)
	}
	dst = fmt.Appendf(dst, `,"offset":%d}`, e.Offset)
	if len(e.Shape.Sources) > 0 {
		dst = append(dst, `,"logsource":`...)
		dst = appendLogSource(dst, e.Shape.Sources[0])
	}
	dst = append(dst, `,"event":`...)
	dst = detect.AppendFields(dst, e)
	if len(meaning) > 0 {
		dst = append(dst, `,"observed":[`...)
		for i := range meaning {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendObservation(dst, &meaning[i])
		}
		dst = append(dst, ']')
	}
	return append(dst, '}', '\n')
}

func appendLogSource(dst []byte, s event.LogSource) []byte {
	dst = append(dst, '{')
	first := true
	for _, f := range [...]struct{ name, value string }{{"product", s.Product}, {"category", s.Category}, {"service", s.Service}} {
		if f.value == "" {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = event.AppendString(dst, f.name)
		dst = event.AppendString(append(dst, ':'), f.value)
	}
	return append(dst, '}')
}

func appendObservation(dst []byte, o *logs.Observation) []byte {
	dst = fmt.Appendf(dst, `{"kind":"%s"`, o.Kind)
	switch {
	case o.Kind == logs.Heartbeat || o.Kind == logs.Gap:
	case o.Unknown:
		dst = append(dst, `,"ok":null`...)
	default:
		dst = fmt.Appendf(dst, `,"ok":%t`, o.OK)
	}
	for _, f := range [...]struct {
		name  string
		value []byte
	}{{"account", o.Account}, {"standing", []byte(o.Standing.String())}, {"ip", o.IP}, {"agent", o.Agent}, {"channel", []byte(o.Channel)}, {"session", o.Session},
		{"device", o.Device}, {"app", o.App}, {"action", o.Action}, {"inference", []byte(o.Inference)}, {"power", []byte(o.Power.String())},
		{"object", o.Object}, {"object_kind", []byte(o.ObjectKind)}, {"in", o.In}, {"folder", o.Folder}, {"exposure", exposure(o)}, {"target", o.Target}} {
		if len(f.value) > 0 {
			dst = append(append(append(dst, `,"`...), f.name...), `":`...)
			dst = event.AppendString(dst, string(f.value))
		}
	}
	if o.Bytes > 0 {
		dst = fmt.Appendf(dst, `,"bytes":%d`, o.Bytes)
	}
	if o.Count > 0 || o.Count == 0 && o.Kind == logs.Login {
		dst = fmt.Appendf(dst, `,"count":%d`, o.Count)
	}
	if o.Before > 0 {
		dst = fmt.Appendf(dst, `,"seconds_before":%g`, o.Before.Seconds())
	}
	if o.After > 0 {
		dst = fmt.Appendf(dst, `,"seconds_after":%g`, o.After.Seconds())
	}
	return append(dst, '}')
}

// exposure returns the exposure in words, nothing where there is none.
func exposure(o *logs.Observation) []byte {
	if o.Exposure == logs.NoExposure {
		return nil
	}
	return []byte(o.Exposure.String())
}

// CaseSource returns a source as it stands in a case.
func CaseSource(s *tally.Source) casefile.Source {
	c := casefile.Source{Path: s.Path, SHA256: hex.EncodeToString(s.SHA256[:]), Bytes: s.Bytes, Format: s.Format, Host: s.Host,
		Events: s.Events, Duplicates: s.Duplicates, Unparsed: s.Unparsed, Errors: Errors(s), Notes: s.Notes,
		From: caseTime(s.From), To: caseTime(s.To)}
	if s.Container != "" {
		c.Format = "archive." + s.Container
	}
	if s.Bytes == 0 && c.Format == "" && len(c.Errors) == 0 {
		c.Notes = append(slices.Clone(c.Notes), "it is empty")
	}
	return c
}

func caseTime(t int64) *time.Time {
	if t == event.UnknownTime {
		return nil
	}
	u := time.Unix(0, t).UTC()
	return &u
}

func caseFinding(f *detect.Finding, s *casefile.Source) *casefile.Finding {
	found := &casefile.Finding{
		Time: caseTime(f.Time),
		Rule: casefile.Rule{ID: f.Rule.ID, Title: f.Rule.Title, Level: f.Rule.Level.String(), Tags: f.Rule.Tags},
		Host: f.Host, Account: f.Account, Client: f.Client, Object: f.Object,
		Source: casefile.Position{Path: s.Path, SHA256: s.SHA256, Record: f.Record, Line: f.Line, Offset: f.Offset},
		Event:  f.Event, EventIsClean: f.Clean, Raw: string(f.Raw),
	}
	if f.Last != 0 {
		found.Last = caseTime(f.Last)
	}
	return found
}
