package disclose

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// reckoning works out one duty.
type reckoning struct {
	asked
	regimes *Regimes
	rule    *Rule
	duty    casefile.Duty
	zone    *time.Location
}

// why adds a sentence. Args are pairs of a placeholder's name and what stands in its place.
func (r *reckoning) why(id string, args ...string) {
	r.duty.Why = append(r.duty.Why, say("duty."+id, args...))
}

func (r *reckoning) missing(keys ...string) {
	for _, k := range keys {
		if k != "" && !slices.Contains(r.duty.Missing, k) {
			r.duty.Missing = append(r.duty.Missing, k)
		}
	}
}

// stamp writes a time on the clocks of the duty's zone.
func (r *reckoning) stamp(t time.Time) string { return t.In(r.zone).Format(time.RFC3339) }

// reckon works the duty out.
func (r *reckoning) reckon() {
	r.describe()
	start := r.happened(r.rule.Starts)
	r.duty.Starts = r.rule.Starts
	if start.at != nil {
		r.duty.Started = utc(*start.at)
	}
	clocks, inForce := r.clocks(start.at)
	if len(clocks) == 0 {
		clocks = r.rule.Clocks[len(r.rule.Clocks)-1:] // for its source
	}
	r.duty.Source = r.regime.legal(clocks[0].Source)

	owed := r.owed()
	switch {
	case owed == notMet:
		r.duty.State = casefile.DutyNotOwed
	case !inForce:
		r.duty.State = casefile.DutyNotOwed
	default:
		r.duty.State = map[truth]string{met: casefile.DutyDue, open: casefile.DutyOpen}[owed]
		r.limit(clocks, start)
		r.unlessByThen()
	}
	if r.duty.State != casefile.DutyNotOwed {
		r.waived()
	}
	r.done(start)
	if s := r.duty.State; s == casefile.DutyNotOwed || s == casefile.DutyDone {
		r.duty.Missing, r.duty.Question = nil, false
	}
}

// describe fills in what the duty is and to whom it is owed.
func (r *reckoning) describe() {
	d := &r.duty
	d.Regime, d.Stage = r.regime.Name, r.rule.Stage
	name := r.in.Facts.Entity.Recipients[d.Regime+"."+d.Stage]
	if name == "" && r.rule.Authority {
		name = r.in.Facts.Entity.Recipients[d.Regime]
	}
	d.Words = map[string]casefile.DutyWords{}
	for _, tag := range []string{"en", "fr", "ar"} {
		g, w := words(r.regime.Words, tag), words(r.rule.Words, tag)
		d.Words[tag] = casefile.DutyWords{Regime: g.Name, Stage: w.Name, Recipient: cmp.Or(name, w.Recipient, g.Recipient), Note: w.Note}
	}
	d.Recipient = d.Words["en"].Recipient
	if _, ok := FindForm(r.rule.Form); ok {
		d.Form = r.rule.Form
	}
}

// owed says whether the duty exists, and why.
func (r *reckoning) owed() truth {
	if says, ok := r.in.Facts.Entity.Regimes[r.regime.Name]; ok {
		if !says {
			r.why("regime.no", "key", "disclosure.entity.regimes."+r.regime.Name)
			return notMet
		}
		r.why("regime.yes", "key", "disclosure.entity.regimes."+r.regime.Name)
	} else if j := r.condition(&r.regime.Applies); j.truth == notMet {
		r.why("applies.no", "because", said(j.by))
		return notMet
	} else if j.truth == open {
		r.why("applies.open")
		r.missing(j.missing...)
		if r.occasion() == notMet {
			return notMet
		}
		r.duty.Question = r.regime.Few
		return open
	}
	return r.occasion()
}

// occasion says whether the incident is an occasion for the duty.
func (r *reckoning) occasion() truth {
	result := met
	for _, c := range []*Condition{&r.regime.Owed, &r.rule.Owed} {
		if c == &r.regime.Owed && r.rule.Always {
			continue
		}
		j := r.condition(c)
		switch j.truth {
		case notMet:
			r.why("owed.no", "because", said(j.by))
			return notMet
		case open:
			r.missing(j.missing...)
			result = open
		}
	}
	if result == open {
		r.why("owed.open")
	}
	return result
}

// clocks returns the clocks that may count, the first of them surely if it is the only one; inForce is false where the rule does not hold at that time.
func (r *reckoning) clocks(start *time.Time) (may []*Clock, inForce bool) {
	day, later := start, false // later: the clock starts on that day, or any time after it
	for _, event := range []string{"aware", "detected", "occurred"} {
		if day == nil {
			day, later = r.happened(event).at, event != "aware"
		}
	}
	var missing []string
	for _, c := range r.rule.Clocks {
		if day != nil {
			today := day.In(r.zone).Format(time.DateOnly)
			if today < c.From && !later || c.To != "" && today >= c.To {
				continue
			}
		} else if c.To != "" {
			continue
		}
		inForce = true
		j := judged{truth: met}
		if len(c.When) > 0 {
			j = r.all(c.When)
		}
		if j.truth == notMet {
			continue
		}
		may = append(may, c)
		missing = append(missing, j.missing...)
		if j.truth == met {
			break
		}
	}
	if !inForce && day != nil {
		r.why("not_in_force", "from", r.rule.Clocks[0].From, "day", day.In(r.zone).Format(time.DateOnly))
	}
	if len(may) > 1 {
		r.missing(missing...)
	}
	return may, inForce && len(may) > 0
}

// limit works out when the duty is due: by the clock that makes it earliest, where it is not known which counts.
func (r *reckoning) limit(clocks []*Clock, start happening) {
	if start.at == nil && start.key == "" {
		r.duty.State = casefile.DutyWaiting
		if stage, ok := submission(r.rule.Starts); ok {
			r.why("waits.stage", "stage", stage)
		} else {
			r.why("waits", "event", "duty.event."+r.rule.Starts)
		}
		return
	}
	timed := slices.DeleteFunc(slices.Clone(clocks), func(c *Clock) bool { return c.Without })
	if start.at != nil {
		r.starts(start)
	} else {
		r.why("start.unknown", "event", "duty.event."+r.rule.Starts)
		r.missing(start.key)
		if len(timed) > 0 {
			r.duty.State = casefile.DutyOpen
		}
	}
	if len(timed) == 0 {
		r.duty.Without = true
		r.why("without")
		return
	}
	var best *casefile.Duty
	before := r.duty
	for _, c := range timed {
		r.duty = before
		r.duty.Why, r.duty.Missing = slices.Clip(before.Why), slices.Clip(before.Missing)
		r.run(c)
		r.duty.Source = r.regime.legal(c.Source)
		if got := r.duty; best == nil || got.Due != nil && (best.Due == nil || got.Due.Before(*best.Due)) {
			best = &got
		}
	}
	r.duty = *best
	if len(clocks) > 1 {
		r.why("clock.open")
	}
	if r.duty.Due == nil {
		r.duty.State = casefile.DutyOpen
	}
}

// starts says what starts the clock.
func (r *reckoning) starts(start happening) {
	event := "duty.event." + r.rule.Starts
	stage, isStage := submission(r.rule.Starts)
	if isStage {
		event = "duty.event.submitted"
	}
	args := []string{"event", event, "at", r.stamp(*start.at)}
	switch {
	case isStage:
		r.why("start.stage", append(args, "stage", stage)...)
	case start.act != nil:
		r.why("start.act", append(args, "author", start.act.Author)...)
	default:
		r.why("start", args...)
	}
}

// run reckons by one clock.
func (r *reckoning) run(c *Clock) {
	var due *time.Time
	days := r.workdays()
	kept := 0
	var decide []*Limit // limits from a decision that nobody made yet
	for i := range c.Limits {
		l := &c.Limits[i]
		if l.Otherwise && kept > 0 {
			continue
		}
		from := r.happened(l.After)
		if from.at == nil {
			if !l.Optional {
				r.missing(from.key)
				if l.After != r.rule.Starts {
					r.why("limit.unknown", "event", "duty.event."+l.After)
				} else if l.Hours > 0 {
					decide = append(decide, l)
				}
			}
			continue
		}
		at, ok := l.after(from.at.In(r.zone), days)
		if !ok {
			r.why("limit.never")
			continue
		}
		if l.Months > 0 || l.Days > 0 || l.BusinessDays > 0 {
			r.zoneKnown()
		}
		if drop := r.happened(l.DropsBefore); drop.at != nil && at.Before(*drop.at) {
			r.sayLimit("dropped", l, at, "before", "duty.event."+l.DropsBefore)
			continue
		}
		r.sayLimit("limit", l, at)
		if l.BusinessDays > 0 {
			r.calendarKnown(days, at)
		}
		kept++
		if due == nil || (c.Take == "latest") == at.After(*due) && !at.Equal(*due) {
			due = &at
		}
	}
	if due == nil {
		return
	}
	for _, l := range decide {
		r.why("decide", "span", l.span(), "at", r.stamp(due.Add(-time.Duration(l.Hours)*time.Hour)), "due", r.stamp(*due))
	}
	if kept > 1 {
		if c.Take == "latest" {
			r.why("latest", "at", r.stamp(*due))
		} else {
			r.why("earliest", "at", r.stamp(*due))
		}
	}
	if c.Relief != nil {
		moved := r.relieve(c.Relief, *due, days)
		due = &moved
	}
	r.duty.Due, r.duty.Local = utc(*due), r.stamp(*due)
}

// sayLimit says a limit by the sentence id.
func (r *reckoning) sayLimit(id string, l *Limit, at time.Time, more ...string) {
	event := "duty.event." + l.After
	if _, ok := submission(l.After); ok {
		event = "duty.event.submitted"
	}
	r.why(id, append([]string{"span", l.span(), "event", event, "at", r.stamp(at)}, more...)...)
}

// span is how long a limit is, as lang.Language.Said takes it.
func (l *Limit) span() string {
	switch {
	case l.Hours > 0:
		return strconv.Itoa(l.Hours) + " hour"
	case l.Days > 0:
		return strconv.Itoa(l.Days) + " day"
	case l.Months > 0:
		return strconv.Itoa(l.Months) + " month"
	}
	return strconv.Itoa(l.BusinessDays) + " working_day"
}

// relieve moves a limit that falls on a day on which nobody works, where the law lets it.
func (r *reckoning) relieve(f *Relief, due time.Time, days *workdays) time.Time {
	due = due.In(r.zone)
	r.calendarKnown(days, due)
	if days.works(due) {
		return due
	}
	r.zoneKnown()
	hour, minute := clockTime(f.To)
	moved, ok := days.next(due, hour, minute)
	if !ok {
		return due
	}
	day := due.Format(time.DateOnly)
	switch j := r.unless(f.Unless); j.truth {
	case met:
		r.why("relief.no", "day", day, "because", said(j.by))
		return due
	case open:
		r.why("relief.open", "day", day, "at", r.stamp(moved))
		r.missing(j.missing...)
		return due
	}
	r.why("relief", "day", day, "at", r.stamp(moved))
	return moved
}

// workdays returns on which days the regime reckons that somebody works.
func (r *reckoning) workdays() *workdays {
	if r.regime.Calendar != "" {
		return &workdays{calendars: r.regimes.calendars, name: r.regime.Calendar}
	}
	w := &workdays{calendars: r.regimes.calendars, name: r.in.Facts.Home(), extra: map[string]bool{}}
	for _, day := range r.in.Facts.Entity.Holidays {
		w.extra[day] = true
	}
	return w
}

// calendarKnown says so where bank holidays of a day are not known.
func (r *reckoning) calendarKnown(w *workdays, day time.Time) {
	if w.known(day) {
		return
	}
	if w.name == "" {
		r.why("calendar.country")
		r.missing("organisation.country")
		return
	}
	r.why("calendar.none", "country", w.name, "year", strconv.Itoa(day.Year()))
}

// zoneKnown says so where local time matters and nobody said what it is.
func (r *reckoning) zoneKnown() {
	if _, given := r.in.Facts.Zone(); given || r.regime.zone != nil {
		return
	}
	const key = "disclosure.entity.timezone"
	if !slices.Contains(r.duty.Missing, key) {
		r.why("zone", "zone", r.zone.String())
		r.missing(key)
	}
}

// unlessByThen looks at whether the duty falls away by what happened before it is due.
func (r *reckoning) unlessByThen() {
	if r.rule.NotIfByThen == "" || r.duty.Due == nil {
		return
	}
	event := "duty.event." + r.rule.NotIfByThen
	h := r.happened(r.rule.NotIfByThen)
	if h.at == nil {
		r.why("by_then.open", "event", event, "at", r.duty.Local)
		if r.duty.State == casefile.DutyDue {
			r.duty.State = casefile.DutyOpen
		}
		r.missing("disclosure.incident." + r.rule.NotIfByThen)
		return
	}
	if !h.at.After(*r.duty.Due) {
		r.why("by_then", "event", event, "at", r.stamp(*h.at))
		r.duty.State = casefile.DutyNotOwed
	}
}

// waived looks for somebody who decided that the stage is not owed.
func (r *reckoning) waived() {
	for _, a := range r.acts(actWaived, func(s string) bool { return s == r.rule.Stage }) {
		r.duty.State = casefile.DutyNotOwed
		r.why("waived", "author", a.Author, "at", r.stamp(a.Time), "reason", a.Reason)
	}
}

// done looks for the act by which the duty was done.
func (r *reckoning) done(start happening) {
	stage := cmp.Or(r.rule.DoneBy.Submitted, r.rule.Stage)
	acts := append(r.submissions(stage), r.acts(actInformed, func(s string) bool { return s == stage })...)
	for _, a := range acts {
		if r.rule.DoneBy.Submitted != "" && (start.at == nil || a.Time.Before(*start.at)) {
			continue
		}
		r.duty.State, r.duty.Done, r.duty.Receipt = casefile.DutyDone, utc(a.Time), a.Receipt
		id := "done"
		if r.duty.Due != nil && a.Time.After(*r.duty.Due) {
			id = "done.late"
		}
		r.why(id, "author", a.Author, "at", r.stamp(a.Time))
		return
	}
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}
