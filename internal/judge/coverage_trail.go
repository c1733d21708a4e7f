package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/tally"
)

// The ends of time.
const (
	always int64 = math.MinInt64
	never  int64 = math.MaxInt64
)

// The limits of docs/verdicts.md, in nanoseconds.
const (
	minute     = int64(time.Minute)
	longPause  = 15 * minute
	shortPause = 2 * minute           // between two files
	rarePause  = 7 * 24 * 60 * minute // of a log of few events
	manyEvents = 1000
	someEvents = 100
)

// trail is the log of one kind of one place: all its files.
type trail struct {
	place  *place
	format string // a line of the table
	name   string // for people
	rule   *covers
	site   string // of a log that has one for each site: what its files are called
	files  []file
	events int64
	// matched is how many events are of the kind, where the log is a part of a larger one.
	matched int64
	// spans are when there were events, whole are when there was a file: apart from one another and in order.
	spans, whole []tally.Span
	beats        bool
	gaps         []gap
	general      []hole // holes in presence of everybody, once they were asked for
	// stated is what people say that it covers.
	stated []statedSpan
	// from is when what it shows of a thing is first proven to be switched on; always if that is not in question.
	from    int64
	fromWhy string
	// skew is by how much its clock may be off, in nanoseconds; 0 if no other log disagrees by more than a minute.
	skew    int64
	skewWhy string
}

// file is a file of a trail.
type file struct {
	tally.Stream
	path string
	name fileName
	torn bool // parts of it could not be read, and nobody knows when they were written
}

// gap is a hole of one log.
type gap struct {
	hole
	// proven says that a record, or the names of the files, prove it: no statement closes it.
	proven bool
	// whom is the account or mailbox that it concerns; "" for everybody.
	whom string
	// levels it concerns.
	presence, detail bool
}

func (g *gap) on(l level) bool { return l == presence && g.presence || l == detail && g.detail }

type statedSpan struct {
	tally.Span
	whom             string
	presence, detail bool
	proof            string
}

// begin is from when on the file tells: from the hour or day in its name, if its first event comes soon after.
func (f *file) begin() int64 {
	if at := f.name.period.UnixNano(); !f.name.period.IsZero() && !f.name.end && f.name.number <= 1 && at < f.From && apart(at, f.From) <= longPause {
		return at
	}
	return f.From
}

// shelve puts the files in order, and fills in when the trail had events and files.
func (t *trail) shelve() {
	slices.SortStableFunc(t.files, func(a, b file) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), strings.Compare(a.path, b.path), cmp.Compare(a.Source, b.Source))
	})
	n := 0
	for i := range t.files {
		n += 2 + len(t.files[i].Active)
	}
	spans := make([]tally.Span, 0, n)
	for i := range t.files {
		f := &t.files[i]
		t.events += f.Events
		t.beats = t.beats || len(f.Beats) > 0
		if f.From == event.UnknownTime {
			continue
		}
		first := f.From
		f.From = f.begin()
		t.whole = append(t.whole, tally.Span{From: f.From, To: f.To})
		spans = append(spans, tally.Span{From: f.From, To: f.From})
		for _, s := range f.Active {
			spans = append(spans, tally.Span{From: max(s.From, first), To: min(s.To, f.To)})
		}
		spans = append(spans, tally.Span{From: f.To, To: f.To})
	}
	t.spans = mergeSpans(spans, minute)
	t.whole = mergeSpans(t.whole, 0)
}

// measure finds what the files of the trail and their times say is missing.
func (t *trail) measure() {
	t.silences()
	t.sequence()
	t.numbers()
	for i := range t.files {
		t.damage(&t.files[i])
	}
}

func (t *trail) add(from, to int64, reason, why string, certain, proven bool) {
	if from <= to {
		t.gaps = append(t.gaps, gap{hole: hole{from, to, reason, certain, why}, proven: proven, presence: true, detail: true})
	}
}

// tolerable returns the longest pause that is no silence: six times the one of which all but one in so many are shorter, or three
// times where that is no more than twice the middle one, since something writes to such a log as regularly as a clock. Pauses of less
// than a minute are not known. A pause that is not there every other day, as nights are, is no measure for others: it may be a hole itself.
func (t *trail) tolerable(pauses []int64, one int64) int64 {
	list := slices.Clone(pauses)
	slices.Sort(list)
	var covered int64
	for _, s := range t.whole {
		covered = sum(covered, apart(s.From, s.To))
	}
	usual, times := minute, int64(6)
	if k := int(max(t.events/one, covered/(48*60*minute))); k < len(list) {
		usual = list[len(list)-1-k]
		if usual <= 2*list[len(list)/2] {
			times = 3
		}
	}
	return max(longPause, times*min(usual, rarePause))
}

// silences finds pauses that are too long, inside files and between them.
func (t *trail) silences() {
	var pauses []int64
	for i := 1; i < len(t.spans); i++ {
		pauses = append(pauses, apart(t.spans[i-1].To, t.spans[i].From))
	}
	limit := rarePause
	switch {
	case t.beats || t.rule.probes:
		limit = longPause
	case t.events >= manyEvents:
		limit = t.tolerable(pauses, 1000)
	case t.events >= someEvents: // a hole would be its own measure
		limit = min(t.tolerable(pauses, 100), rarePause)
	}
	longest := int64(0) // ordinary pause inside a file
	inside := make([]bool, len(pauses))
	w := 0
	for i, p := range pauses {
		from, to := t.spans[i].To, t.spans[i+1].From
		for w < len(t.whole) && t.whole[w].To < to {
			w++
		}
		if inside[i] = w < len(t.whole) && t.whole[w].From <= from; inside[i] && p <= limit {
			longest = max(longest, p)
		}
	}
	between := max(shortPause, longest)
	for i, p := range pauses {
		from, to := t.spans[i].To+1, t.spans[i+1].From-1
		switch {
		case inside[i] && p > limit:
			t.quiet(from, to, limit, "silence", fmt.Sprintf("%s is silent for %s", t.name, span(p)))
		case !inside[i] && p > between:
			t.quiet(from, to, between, "missing_file", fmt.Sprintf("nothing for %s between two files of %s, which are never silent for so long", span(p), t.name))
		}
	}
}

// quiet adds a silence, without the times at which the host was down.
func (t *trail) quiet(from, to, limit int64, reason, why string) {
	for _, d := range t.place.down {
		if d.To < from || d.From > to {
			continue
		}
		if apart(from, d.From) > limit {
			t.add(from, d.From-1, reason, why, t.place.alive(from, d.From-1), false)
		}
		from = d.To + 1
		if apart(from, to) <= limit {
			return
		}
	}
	t.add(from, to, reason, why, t.place.alive(from, to), false)
}

// span writes a length of time for people.
func span(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

// numbers finds records that are missing by their numbers.
func (t *trail) numbers() {
	var runs []tally.Run
	for i := range t.files {
		for _, r := range t.files[i].Records {
			if r.First <= r.Last && r.From != event.UnknownTime {
				runs = append(runs, r)
			}
		}
	}
	slices.SortFunc(runs, func(a, b tally.Run) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.Last, a.Last), cmp.Compare(a.From, b.From))
	})
	for i := 1; i < len(runs); i++ {
		before, after := &runs[i-1], &runs[i]
		if after.First > before.Last && after.First-before.Last > 1 {
			n := after.First - before.Last - 1
			from, to := before.To+1, after.From-1
			if after.From <= before.To+1 {
				from, to = after.From, max(before.To, after.From)
			}
			t.add(from, to, "missing_records", fmt.Sprintf("%d records between %d and %d of %s are not there", n, before.Last, after.First, t.name), true, true)
		}
		if after.Last < before.Last { // inside what was seen
			after.Last, after.To = before.Last, before.To
		}
	}
}

// damage finds what of one file could not be read, or not be relied on.
func (t *trail) damage(f *file) {
	if f.From == event.UnknownTime {
		return
	}
	if f.torn && (len(f.Unread) == 0 || t.rule.unordered) {
		t.add(f.From, f.To, "parse_error", fmt.Sprintf("parts of %s could not be read; when they were written is not known", base(f.path)), false, false)
	} else {
		for _, s := range f.Unread {
			from, to := t.unread(f, s)
			t.add(from, to, "parse_error", "a part of "+base(f.path)+" could not be read", true, false)
		}
	}
	if f.Cut {
		from, to, why := f.To+1, t.after(f.To)-1, base(f.path)+" ends in the middle of a line, or could not be read to its end"
		if t.rule.unordered {
			from, to = t.exported(f)
			why += "; its records need not stand in the order of time"
		}
		t.add(from, to, "truncated_file", why, true, false)
	}
	if f.Backwards > mostBack(t.rule.format) && !t.rule.unordered {
		from := f.BackwardsAt.Time
		to := from + f.Backwards
		if from == event.UnknownTime || to < from {
			from, to = f.From, f.To
		}
		t.add(from, to, "clock", fmt.Sprintf("the times of %s run backwards by %s", base(f.path), span(f.Backwards)), true, false)
	}
}

// unread returns of which time the part of a file may be that could not be read between the times of s. Beside the last record of the file
// it may be of any time until the next record of the trail. Beside the first it may be of any since the record before: the file
// before may hold the rest of the same line.
func (t *trail) unread(f *file, s tally.Span) (from, to int64) {
	from, to = s.From, s.To
	if s.From == s.To && s.To == f.To {
		to = max(to, t.after(f.To)-1)
	}
	if s.From == s.To && s.From == f.From {
		from = min(from, t.before(f.From)+1)
	}
	return from, to
}

// mostBack is by how much the times of a log may run backwards without its clock being wrong, in nanoseconds.
func mostBack(format string) int64 {
	if strings.HasPrefix(format, "web.") {
		return 60 * minute // a request stands there when it ends, with the time at which it began
	}
	return minute
}

// exported returns of which time the records of a file may be that stand in it in any order, of which some are missing: of its period, where the name
// says it, and of any time of the log otherwise. Often the newest comes first.
func (t *trail) exported(f *file) (from, to int64) {
	if n := &f.name; !n.period.IsZero() && n.step > 0 {
		return min(f.From, n.period.UnixNano()), max(f.To, n.period.Add(n.step).UnixNano()-1)
	}
	from, to = f.From, f.To
	for i := range t.files {
		if o := &t.files[i]; o.From != event.UnknownTime {
			from, to = min(from, o.From), max(to, o.To)
		}
	}
	return from, to
}

// after returns the first time from which on the trail has events again after at; never if it has none.
func (t *trail) after(at int64) int64 {
	i, _ := slices.BinarySearchFunc(t.spans, at, func(s tally.Span, at int64) int { return cmp.Compare(s.To, at) })
	for ; i < len(t.spans); i++ {
		if t.spans[i].From > at {
			return t.spans[i].From
		}
		if t.spans[i].To > at {
			return at + 1
		}
	}
	return never
}

// before returns the last time up to which the trail has events before at; always if it has none. Inside a span it is a
// minute before, since the events in it are no further apart.
func (t *trail) before(at int64) int64 {
	i, _ := slices.BinarySearchFunc(t.spans, at, func(s tally.Span, at int64) int { return cmp.Compare(s.From, at) })
	if i == 0 {
		return always
	}
	if s := t.spans[i-1]; s.To < at {
		return s.To
	}
	return max(t.spans[i-1].From, at-minute) // at is later than From
}

// holes returns when the log would not have shown what it is asked for, in order and apart from one another.
func (t *trail) holes(l level, whom string) []hole {
	var open, out []hole
	collect := func(h hole, proven bool) {
		if proven {
			out = append(out, h)
		} else {
			open = append(open, h)
		}
	}
	if len(t.whole) == 0 {
		reason, why := "missing_file", "no file of "+t.name+" was given"
		if t.events > 0 {
			reason, why = "time_unknown", "no event of "+t.name+" has a time that could be read"
		}
		collect(hole{always, never, reason, true, why}, false)
	} else {
		first, last := t.whole[0].From, t.whole[len(t.whole)-1].To
		if first > always {
			collect(hole{always, first - 1, "before_coverage", true, t.name + " begins then"}, false)
		}
		if last < never {
			collect(hole{last + 1, never, "after_coverage", true, t.name + " ends then"}, false)
		}
		if l == detail && t.from > first {
			collect(hole{first, max(t.from-1, first), "disabled", false, t.fromWhy}, false)
		}
	}
	for i := range t.gaps {
		if g := &t.gaps[i]; g.on(l) && (g.whom == "" || g.whom == whom) {
			collect(g.hole, g.proven)
		}
	}
	for i := range t.stated {
		s := &t.stated[i]
		if (l == presence && s.presence || l == detail && s.detail) && (s.whom == "" || s.whom == whom) {
			open = subtract(open, s.Span)
		}
	}
	return t.widen(joined(flatten(out), flatten(open)))
}
