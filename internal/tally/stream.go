package tally

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
)

// Span is a time from From up to and including To, in nanoseconds since 1970 UTC.
type Span struct{ From, To int64 }

// Stream is what a source holds of one kind of log of one host. Events that were left out of the run by their time, that
// another record repeats or that were recovered from free space are not in it.
type Stream struct {
	Source int32
	Host   string // as the log writes it; "" if it does not say
	// Format is event.Shape.Format; of a Windows log with the channel: "windows.evtx:Security". A syslog file has a Stream per
	// kind of program, and one called "syslog" of all its lines; the Microsoft 365 audit log one called "m365.ual", one per
	// workload ("m365.ual:Exchange"), and "m365.ual:MailItemsAccessed" of that operation. What came to a port of Exchange's back end is
	// a Stream apart in IIS, IMAP4 and POP3: "iis.w3c:backend", see logs.IsBackEnd.
	Format   string
	Events   int64
	From, To int64 // event.UnknownTime if no event has a time
	// Active is when there were events, to the minute: spans begin and end with an event, and between one and the next is more
	// than a minute without any. Beats is the same of heartbeats. There are at most MaxSpans of them: beyond that the shortest
	// pauses are left out.
	Active, Beats []Span
	// Records are the runs of record numbers, where the log counts its records, in order; a jump means that some are missing.
	// There are at most MaxSpans: beyond that the shortest runs are left out, as if their records were missing.
	Records []Run
	// Backwards is by how much an event came before the one before it at most, if that is more than a minute: nanoseconds,
	// otherwise 0; and BackwardsAt where.
	Backwards   int64
	BackwardsAt Ref
	// Unread is when there was something that could not be read: from the event before it to the event after it, or to
	// itself where there is none. Most are one apiece; those that overlap are one.
	Unread []Span
	// Cut says that the source, a text log, does not end with a line end, or could not be read to its end.
	Cut bool
	// ZoneAssumed says that its times have no zone, and nobody said which it is: they may be hours off.
	ZoneAssumed bool
	// YearAssumed says that its times have no year, and nobody said which it is: they may be years off.
	YearAssumed bool
}

// Run is records with consecutive numbers, and the earliest and latest of their times.
type Run struct {
	First, Last int64
	From, To    int64 // event.UnknownTime if no record has a time
}

// MaxSpans is how many spans, or runs, a Stream has at most.
const MaxSpans = 100_000

const minute = int64(time.Minute)

// Part is what a block of a source, or several in a row, holds of a Stream.
type Part struct {
	Stream
	numbered    bool
	first, last int64 // times of the first and the last event that has one, in the order of the source
	firstAt     Ref
}

type streamKey struct{ host, format string }

// Stream returns the part of the block that a kind of log of a host has. The log counts its records if numbered. The part is
// valid until the block is added to a Source.
func (b *Block) Stream(host, format string, numbered bool) *Part {
	k := streamKey{host, format}
	if p := b.streams[k]; p != nil {
		return p
	}
	if b.streams == nil {
		b.streams = make(map[streamKey]*Part)
	}
	p := &Part{Stream: Stream{Host: strings.Clone(host), Format: format, From: event.UnknownTime, To: event.UnknownTime}, numbered: numbered,
		first: event.UnknownTime, last: event.UnknownTime}
	b.streams[streamKey{p.Host, format}] = p
	return p
}

// Event takes account of an event, the next in the order of the source.
func (p *Part) Event(at Ref) {
	p.Events++
	t := at.Time
	if p.numbered {
		p.number(at.Record, t)
	}
	if t == event.UnknownTime {
		return
	}
	if p.last == event.UnknownTime {
		p.first, p.firstAt = t, at
	} else {
		p.step(p.last, t, at)
	}
	p.last = t
	if p.From == event.UnknownTime || t < p.From {
		p.From = t
	}
	p.To = max(p.To, t)
	p.Active = extend(p.Active, t)
}

// Beat takes account of an event's being a heartbeat.
func (p *Part) Beat(t int64) {
	if t != event.UnknownTime {
		p.Beats = extend(p.Beats, t)
	}
}

// step takes account of an event that follows another.
func (p *Part) step(before, t int64, at Ref) {
	if t >= before {
		return
	}
	back := before - t
	if back < 0 {
		back = math.MaxInt64
	}
	if back > minute && back > p.Backwards {
		p.Backwards, p.BackwardsAt = back, at
	}
}

// extend adds a moment to spans, which may be out of order.
func extend(list []Span, t int64) []Span {
	if n := len(list); n > 0 {
		if s := &list[n-1]; t >= s.From && t <= s.To {
			return list
		} else if t > s.To && near(s.To, t) {
			s.To = t
			return list
		} else if t < s.From && near(t, s.From) {
			s.From = t
			return list
		}
	}
	if len(list) >= 4*MaxSpans {
		list = orderSpans(list)
	}
	return append(list, Span{t, t})
}

// near reports whether b, which is not before a, is at most a minute after it.
func near(a, b int64) bool { return uint64(b-a) <= uint64(minute) }

// orderSpans puts spans in order, joins those that are near one another and, where there are too many, those with the shortest
// pauses between them.
func orderSpans(list []Span) []Span {
	slices.SortFunc(list, func(a, b Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	list = joinSpans(list, uint64(minute))
	if len(list) <= MaxSpans {
		return list
	}
	pauses := make([]uint64, len(list)-1)
	for i := range pauses {
		pauses[i] = uint64(list[i+1].From - list[i].To)
	}
	slices.Sort(pauses)
	longest := pauses[len(list)-MaxSpans-1]
	out := joinSpans(list, longest-1)
	if longest == 0 || len(out) <= MaxSpans {
		return out
	}
	// Of those as long as the longest to be left out, the earliest.
	n, more := 0, len(out)-MaxSpans
	for _, s := range out {
		if n > 0 && more > 0 && uint64(s.From-out[n-1].To) <= longest {
			out[n-1].To = s.To
			more--
			continue
		}
		out[n] = s
		n++
	}
	return out[:n]
}

// joinSpans joins spans, in order of From, with at most so much time between them.
func joinSpans(list []Span, within uint64) []Span {
	out := list[:0]
	for _, s := range list {
		if n := len(out); n > 0 && (s.From <= out[n-1].To || uint64(s.From-out[n-1].To) <= within) {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// number takes account of a record number.
func (p *Part) number(n, t int64) {
	if l := len(p.Records); l > 0 {
		if r := &p.Records[l-1]; n >= r.First && n <= r.Last || n == r.Last+1 && r.Last != math.MaxInt64 {
			r.Last = max(r.Last, n)
			r.From, r.To = earlier(r.From, t), max(r.To, t)
			return
		}
	}
	if len(p.Records) >= 4*MaxSpans {
		p.Records = orderRuns(p.Records)
	}
	p.Records = append(p.Records, Run{n, n, t, t})
}

// earlier returns the earlier of two times, of which either may be unknown.
func earlier(a, b int64) int64 {
	switch {
	case a == event.UnknownTime:
		return b
	case b == event.UnknownTime:
		return a
	}
	return min(a, b)
}

// orderRuns puts runs in order, joins those that follow one another and leaves out the shortest where there are too many.
func orderRuns(list []Run) []Run {
	slices.SortFunc(list, func(a, b Run) int { return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last)) })
	out := list[:0]
	for _, r := range list {
		if n := len(out); n > 0 && (r.First <= out[n-1].Last || r.First == out[n-1].Last+1) {
			o := &out[n-1]
			o.Last, o.From, o.To = max(o.Last, r.Last), earlier(o.From, r.From), max(o.To, r.To)
			continue
		}
		out = append(out, r)
	}
	if len(out) <= MaxSpans {
		return out
	}
	lengths := make([]uint64, len(out))
	for i, r := range out {
		lengths[i] = uint64(r.Last - r.First)
	}
	slices.Sort(lengths)
	longest := lengths[len(out)-MaxSpans-1]
	more := len(out) - MaxSpans // of which those as long as the longest are the earliest
	for _, l := range lengths[:more] {
		if l < longest {
			more--
		}
	}
	return slices.DeleteFunc(out, func(r Run) bool {
		l := uint64(r.Last - r.First)
		if l == longest && more > 0 {
			more--
			return true
		}
		return l < longest
	})
}

// add adds the part of the next block.
func (p *Part) add(q *Part) {
	p.Events += q.Events
	if q.first != event.UnknownTime {
		if p.last == event.UnknownTime {
			p.first, p.firstAt = q.first, q.firstAt
		} else {
			p.step(p.last, q.first, q.firstAt)
		}
		p.last = q.last
	}
	if q.Backwards > p.Backwards {
		p.Backwards, p.BackwardsAt = q.Backwards, q.BackwardsAt
	}
	p.From, p.To = earlier(p.From, q.From), max(p.To, q.To)
	p.Active, p.Beats = addSpans(p.Active, q.Active), addSpans(p.Beats, q.Beats)
	for _, r := range q.Records {
		if l := len(p.Records); l > 0 && p.Records[l-1].Last != math.MaxInt64 && p.Records[l-1].Last+1 == r.First {
			last := &p.Records[l-1]
			last.Last, last.From, last.To = r.Last, earlier(last.From, r.From), max(last.To, r.To)
			continue
		}
		p.Records = append(p.Records, r)
	}
	if len(p.Records) >= 4*MaxSpans {
		p.Records = orderRuns(p.Records)
	}
}

func addSpans(list, more []Span) []Span {
	for _, s := range more {
		if n := len(list); n > 0 && s.From >= list[n-1].From && (s.From <= list[n-1].To || near(list[n-1].To, s.From)) {
			list[n-1].To = max(list[n-1].To, s.To)
			continue
		}
		list = append(list, s)
	}
	if len(list) >= 4*MaxSpans {
		list = orderSpans(list)
	}
	return list
}

// Streams returns what the source holds, by host and format. It is to be called once, when all blocks have been added.
func (s *Source) Streams() []Stream {
	if s.open && s.openAt != event.UnknownTime {
		s.unread = append(s.unread, Span{s.openAt, s.openAt})
	}
	unread := orderSpans(s.unread)
	out := make([]Stream, 0, len(s.streams))
	for _, p := range s.streams {
		p.Source = int32(s.Ordinal)
		p.Active, p.Beats, p.Records = slices.Clip(orderSpans(p.Active)), slices.Clip(orderSpans(p.Beats)), slices.Clip(orderRuns(p.Records))
		p.Unread = unread
		p.Cut = s.Cut || len(s.Errors) > 0
		p.ZoneAssumed, p.YearAssumed = s.ZoneAssumed, s.YearAssumed
		out = append(out, p.Stream)
	}
	slices.SortFunc(out, compareStreams)
	return out
}

func compareStreams(a, b Stream) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), strings.Compare(a.Host, b.Host), strings.Compare(a.Format, b.Format))
}

// unread is a part of a block that could not be read: the times of the events before and after it in the block, or
// event.UnknownTime where there is none.
type unread struct{ before, after int64 }

// Lost takes account of a part that could not be read, and lies between events of those times; event.UnknownTime where there is
// none in the block.
func (b *Block) Lost(before, after int64) {
	u := unread{before, after}
	if n := len(b.lost); n == 0 || b.lost[n-1] != u {
		b.lost = append(b.lost, u)
	}
}

// addUnread adds what could not be read of the next block.
func (s *Source) addUnread(b *Block) {
	if b.First != event.UnknownTime {
		s.closeUnread(b.First)
	}
	for _, u := range b.lost {
		before := u.before
		if before == event.UnknownTime {
			before = s.final
		}
		if s.open && before == event.UnknownTime {
			before = s.openAt
		}
		s.open, s.openAt = true, before
		if u.after != event.UnknownTime {
			s.closeUnread(u.after)
		}
	}
	if b.Final != event.UnknownTime {
		s.final = b.Final
	}
	if len(s.unread) >= 4*MaxSpans {
		s.unread = orderSpans(s.unread)
	}
}

// closeUnread says when the event was that follows what could not be read, if anything.
func (s *Source) closeUnread(after int64) {
	if !s.open {
		return
	}
	s.open = false
	if s.openAt == event.UnknownTime {
		s.openAt = after
	}
	s.unread = append(s.unread, spanOf(s.openAt, after))
}

func spanOf(a, b int64) Span { return Span{min(a, b), max(a, b)} }
