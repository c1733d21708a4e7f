package detect

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/sigma"
)

// hitNote is the memory for what is noted of a hit.
type hitNote struct{ identity, note []byte }

// collect gives the event to the collector if correlations refer to a rule that matches it.
func (d *Detector) collect(e *event.Event, hits []int32, source int) {
	if !slices.ContainsFunc(hits, d.rules.Engine.Correlated) {
		return
	}
	d.hit.note = d.hit.note[:0]
	for _, s := range [...]string{d.role(e, event.Host), string(event.Address([]byte(d.role(e, event.Client)))), d.role(e, event.Account)} {
		d.hit.note = append(binary.AppendUvarint(d.hit.note, uint64(len(s))), s...)
	}
	d.collector.Add(e, hits, sigma.Origin{Source: source, Identity: d.identity(e), Note: d.hit.note})
}

// identity returns what tells a Windows record that was exported twice: its computer, channel, number and time. Lines of
// text logs have nothing of the kind.
func (d *Detector) identity(e *event.Event) []byte {
	if !strings.HasPrefix(e.Shape.Format, "windows.") {
		return nil
	}
	computer, channel := e.Shape.Slot("Computer"), e.Shape.Slot("Channel")
	if computer < 0 || channel < 0 || e.Shape.Slot("EventRecordID") < 0 {
		return nil
	}
	b := e.Value(computer).AppendText(d.hit.identity[:0])
	b = e.Value(channel).AppendText(append(b, 0))
	b = binary.BigEndian.AppendUint64(append(b, 0), uint64(e.Record))
	d.hit.identity = binary.BigEndian.AppendUint64(b, uint64(e.Time))
	return d.hit.identity
}

// Correlation returns the finding of a match of a correlation. It stands at the first hit, and concerns the host,
// address and account that all its hits have in common, as far as that is known: where there are more of them than the
// match names, only what they were grouped by. path returns the path of a source.
func (r *Rules) Correlation(m *sigma.CorrelationMatch, path func(source int) string) Finding {
	first := m.Sample[0]
	f := Finding{Rule: r.correlations[m.Correlation], Time: first.Time, Last: m.Last, Source: first.Source, Offset: first.Offset, Line: first.Line, Record: first.Record}
	for i, h := range m.Sample {
		note := h.Note
		for _, to := range [...]*string{&f.Host, &f.Client, &f.Account} {
			n, size := binary.Uvarint(note)
			if size <= 0 || n > uint64(len(note)-size) {
				break
			}
			s := string(note[size : size+int(n)])
			if note = note[size+int(n):]; i > 0 && s != *to {
				s = ""
			}
			*to = s
		}
	}
	if m.Hits > int64(len(m.Sample)) {
		for _, to := range [...]*string{&f.Host, &f.Client, &f.Account} {
			if !slices.Contains(m.Group, *to) {
				*to = ""
			}
		}
	}
	b := append([]byte(nil), '{')
	for i, name := range m.Correlation.GroupBy {
		b = event.AppendString(b, name)
		b = append(event.AppendString(append(b, ':'), m.Group[i]), ',')
	}
	b = append(b, `"_type":`...)
	b = event.AppendString(b, string(m.Correlation.Type))
	b = append(b, `,"_value":`...)
	b = append(b, m.ValueText()...)
	b = append(b, `,"_events":`...)
	b = strconv.AppendInt(b, m.Hits, 10)
	b = append(b, `,"_timespan":`...)
	b = event.AppendString(b, timespan(m.Correlation.Timespan))
	b = appendTime(append(b, `,"_first":`...), m.First)
	b = appendTime(append(b, `,"_last":`...), m.Last)
	b = append(b, `,"_sample":[`...)
	for i, h := range m.Sample {
		if i > 0 {
			b = append(b, ',')
		}
		b = event.AppendString(append(b, `{"rule":`...), h.Rule)
		b = appendTime(append(b, `,"time":`...), h.Time)
		b = event.AppendString(append(b, `,"source":`...), path(h.Source))
		if h.Line > 0 {
			b = strconv.AppendInt(append(b, `,"line":`...), h.Line, 10)
		} else {
			b = strconv.AppendInt(append(b, `,"record":`...), h.Record, 10)
		}
		b = append(strconv.AppendInt(append(b, `,"offset":`...), h.Offset, 10), '}')
	}
	f.Event = append(b, "]}"...)
	return f
}

// timespan writes a span of time without the parts that are zero: 1h, not 1h0m0s.
func timespan(d time.Duration) string {
	s := d.String()
	if s = strings.TrimSuffix(s, "m0s"); len(s) < len(d.String()) {
		s += "m"
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
