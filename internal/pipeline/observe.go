package pipeline

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// observer keeps for a worker what events mean, and which streams they are of.
type observer struct {
	collector *tally.Collector
	shapes    map[*event.Shape]*shapeStreams

	// Of the last event, where the next is most often of the same.
	streams *shapeStreams
	host    []byte // as text, in UTF-8
	rawHost []byte
	parts   []*tally.Part
}

// shapeStreams says of which streams the events of a Shape are.
type shapeStreams struct {
	formats   []string
	numbered  bool
	recovered bool // its events were found in free space
	// endpoint is where an event says which port it came to, -1 if it need not be known, and backEnd are the streams of those on a port of
	// Exchange's back end: a file may hold several sites.
	endpoint int
	backEnd  *shapeStreams
}

// of returns those that an event is of.
func (s *shapeStreams) of(e *event.Event) *shapeStreams {
	if s.endpoint >= 0 && logs.IsBackEnd(e.Values[s.endpoint].Data) {
		return s.backEnd
	}
	return s
}

func newObserver(c *tally.Collector) *observer {
	return &observer{collector: c, shapes: make(map[*event.Shape]*shapeStreams)}
}

func (o *observer) of(s *event.Shape) *shapeStreams {
	out := o.shapes[s]
	if out == nil {
		if len(o.shapes) >= maxShapes {
			clear(o.shapes)
		}
		out = streamsOf(s)
		o.shapes[s] = out
	}
	return out
}

// streamsOf returns the streams of events of a Shape: see [tally.Stream].
func streamsOf(s *event.Shape) *shapeStreams {
	out := &shapeStreams{formats: []string{s.Format}, recovered: s.Slot(event.Recovered) >= 0, endpoint: -1}
	constant := func(name string) string {
		if slots := s.Slots(name); len(slots) > 0 {
			return s.Fields()[slots[0]].Const.String()
		}
		return ""
	}
	switch {
	case strings.HasPrefix(s.Format, "windows."):
		out.numbered = true
		channel := constant("System.Channel")
		if channel == "" {
			channel = constant("Channel")
		}
		if channel != "" {
			out.formats[0] += ":" + channel
		}
	case s.Format == "m365.ual":
		workload := constant("Workload")
		if workload == "" {
			workload = constant("OfficeWorkload")
		}
		if workload != "" {
			out.formats = append(out.formats, s.Format+":"+workload)
		}
		if constant("Operation") == "MailItemsAccessed" {
			out.formats = append(out.formats, s.Format+":MailItemsAccessed")
		}
	case strings.HasPrefix(s.Format, "syslog."):
		out.formats = append(out.formats, "syslog")
	case strings.HasPrefix(s.Format, "iis."):
		out.endpoint = s.Slot("s-port")
	case s.Format == "exchange.imap4", s.Format == "exchange.pop3":
		out.endpoint = s.Slot("sIp")
	}
	if out.endpoint >= 0 {
		out.backEnd = &shapeStreams{formats: []string{s.Format + logs.BackEndStream}, recovered: out.recovered, endpoint: -1}
	}
	return out
}

// turn takes the host and the streams of an event for the current ones.
func (o *observer) turn(e *event.Event, b *tally.Block, streams *shapeStreams) {
	v := e.Role(event.Host)
	if streams == o.streams && bytes.Equal(v.Data, o.rawHost) {
		return
	}
	o.streams = streams
	o.rawHost = append(o.rawHost[:0], v.Data...)
	o.host = v.AppendText(o.host[:0])
	o.find(b)
}

func (o *observer) find(b *tally.Block) {
	o.parts = o.parts[:0]
	for _, f := range o.streams.formats {
		o.parts = append(o.parts, b.Stream(string(o.host), f, o.streams.numbered))
	}
}

// begin forgets the block before.
func (o *observer) begin() { o.streams, o.parts = nil, o.parts[:0] }

// observe takes what an event means.
func (w *worker) observe(s *source, e *event.Event, b *tally.Block) {
	o := w.observer
	streams := o.of(e.Shape).of(e)
	if streams.recovered || len(w.meaning) == 0 {
		return
	}
	o.turn(e, b, streams)
	at := tally.Ref{Source: int32(s.ordinal), Time: e.Time, Line: e.Line, Record: e.Record, Offset: e.Offset}
	for i := range w.meaning {
		m := &w.meaning[i]
		if m.Kind == logs.Heartbeat {
			for _, p := range o.parts {
				p.Beat(e.Time)
			}
		}
		if err := o.collector.Add(o.host, e.Shape.Format, at, m); err != nil {
			w.run.fail(err)
			return
		}
	}
}

// identities takes which identifiers the event gives accounts and mailboxes.
func (w *worker) identities(e *event.Event) {
	o := w.observer
	if o.of(e.Shape).recovered {
		return
	}
	w.named = w.identifier.Identities(e, w.named[:0])
	for i := range w.named {
		o.collector.Identity(&w.named[i])
	}
}

// joint takes the identifier under which another log tells of the event.
func (w *worker) joint(s *source, e *event.Event, b *tally.Block) {
	j, ok := w.joiner.Joint(e)
	if !ok {
		return
	}
	o := w.observer
	streams := o.of(e.Shape).of(e)
	if streams.recovered {
		return
	}
	o.turn(e, b, streams)
	o.collector.Joint(o.host, e.Shape.Format, int32(s.ordinal), e.Time, &j)
}

// answer takes that something was handed out to nobody in particular, by an event that means nothing else.
func (w *worker) answer(s *source, e *event.Event) {
	client, a := w.answerer.Answer(e)
	if a.Kind != event.NoAnswer {
		w.observer.collector.Answer(client, tally.Ref{Source: int32(s.ordinal), Time: e.Time, Line: e.Line, Record: e.Record, Offset: e.Offset}, &a)
	}
}

// streams takes account of when there were events: those of the batch that count, and its plain ones, in their order in the
// source.
func (w *worker) streams(b *block, res *tally.Block, plain *event.Shape) {
	o, s := w.observer, b.source
	o.begin()
	events, plains := w.batch.Events, w.batch.Plain
	var plainParts []*tally.Part
	source := int32(s.ordinal)
	lost := lostParts{list: w.batch.Defects, to: res}
	byOffset := func(a, b event.Defect) int { return cmp.Compare(a.Offset, b.Offset) }
	if !slices.IsSortedFunc(lost.list, byOffset) {
		lost.list = slices.Clone(lost.list)
		slices.SortStableFunc(lost.list, byOffset)
	}
	for i, j := 0, 0; i < len(events) || j < len(plains); {
		if i == len(events) || j < len(plains) && plains[j].Offset < events[i].Offset {
			p := &plains[j]
			j++
			lost.event(p.Offset, p.Time)
			if p.Kind == event.NamedAnswer {
				o.collector.Answer(nil, tally.Ref{}, &p.Answer) // whenever it was: it is told once
			}
			if w.left(p.Time) {
				continue
			}
			if plainParts == nil {
				plainParts = w.plainParts(res, plain)
			}
			for _, part := range plainParts {
				part.Event(tally.Ref{Source: source, Time: p.Time, Line: p.Line, Offset: p.Offset})
			}
			if p.Kind > event.NamedAnswer {
				o.collector.Answer(p.Client, tally.Ref{Source: source, Time: p.Time, Line: p.Line, Record: p.Line, Offset: p.Offset}, &p.Answer)
			}
			continue
		}
		e := &events[i]
		repeated := i < len(w.repeats) && w.repeats[i]
		i++
		streams := o.of(e.Shape).of(e)
		if streams.recovered {
			continue
		}
		lost.event(e.Offset, e.Time)
		if repeated || w.left(e.Time) {
			continue
		}
		o.turn(e, res, streams)
		at := tally.Ref{Source: source, Time: e.Time, Line: e.Line, Record: e.Record, Offset: e.Offset}
		for _, part := range o.parts {
			part.Event(at)
		}
	}
	lost.event(math.MaxInt64, event.UnknownTime)
	res.Cut = b.Last && len(b.Data) > 0 && b.Data[len(b.Data)-1] != '\n' && isText(events, plains)
}

// plainParts returns the streams of plain events, which are of no host.
func (w *worker) plainParts(b *tally.Block, s *event.Shape) []*tally.Part {
	var out []*tally.Part
	for _, f := range w.observer.of(s).formats {
		out = append(out, b.Stream("", f, false))
	}
	return out
}

// isText reports whether events are lines.
func isText(events []event.Event, plain []event.Plain) bool {
	return len(plain) > 0 || len(events) > 0 && events[len(events)-1].Line > 0
}

// left reports whether an event of that time is left out of the run.
func (w *worker) left(t int64) bool {
	cfg := &w.run.cfg
	return t != event.UnknownTime && (cfg.From != event.UnknownTime && t < cfg.From || cfg.To != event.UnknownTime && t >= cfg.To)
}

// lostParts finds the times of the events before and after each part of a block that could not be read.
type lostParts struct {
	list   []event.Defect
	to     *tally.Block
	before int64 // time of the last event
	begun  bool
}

// event is told of every event in order, and of the end.
func (l *lostParts) event(offset, t int64) {
	if !l.begun {
		l.begun, l.before = true, event.UnknownTime
	}
	for len(l.list) > 0 && (l.list[0].Offset < offset) {
		if l.list[0].Length > 0 {
			if t == event.UnknownTime && offset != math.MaxInt64 {
				break // until one with a time comes
			}
			l.to.Lost(l.before, t)
		}
		l.list = l.list[1:]
	}
	if t == event.UnknownTime {
		return
	}
	if l.to.First == event.UnknownTime {
		l.to.First = t
	}
	l.to.Final, l.before = t, t
}
