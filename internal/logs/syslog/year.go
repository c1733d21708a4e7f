package syslog

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/timestamp"
)

// calendar supplies the year that RFC 3164 leaves out. Lines come in order but for small steps back, so it counts on from line to line: from
// December to January the year grows, and a step back over New Year takes it back. It never goes past the day after the file was
// last written. The zero calendar knows no year.
type calendar struct {
	year, month int
	limit       int32 // year*400+month*32+day that is not passed; 0 if unknown
}

// from says where the year of a source was taken from: fromNameAgainst from the date in its name, although the first line would be nearer to that in
// another year, as in pieces of several logs that were put together.
type from uint8

const (
	fromNowhere from = iota
	fromName
	fromNameAgainst
	fromModTime
	fromNeighbour
	fromFacts
	fromWindow
)

// begin returns the calendar for the first line of a source, and where its year is taken from.
func begin(s *logs.Source) (calendar, from) {
	var c calendar
	how := fromNowhere
	end := s.ModTime
	if t, ok := dateInName(s.Path); ok {
		end, how = t, fromName
	} else if !end.IsZero() {
		how = fromModTime
	}
	var first, neighbour header
	haveFirst, haveNeighbour := false, false
	for rest := s.Head; len(rest) > 0 && !(haveFirst && haveNeighbour); {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		var h header
		if !h.parse(bytes.TrimRight(line, "\r")) || h.absolute {
			continue
		}
		if h.year > 0 {
			if !haveNeighbour {
				neighbour, haveNeighbour = h, true
			}
		} else if !haveFirst {
			first, haveFirst = h, true
		}
	}
	if !haveFirst {
		return c, fromNowhere
	}
	if haveNeighbour {
		c.year, c.month = neighbour.year, neighbour.month
		if first.month > neighbour.month+6 {
			c.year--
		}
		c.month = first.month
		return c, fromNeighbour
	}
	if s.Year != 0 {
		c.year, c.month = s.Year, first.month
		return c, fromFacts
	}
	if year := yearOf(&s.Window, &first, s.Zone); year != 0 && (how == fromNowhere || how == fromModTime && copied(end, &s.Window, &first)) {
		c.year, c.month = year, first.month
		return c, fromWindow
	}
	if how == fromNowhere {
		return c, how
	}
	end = end.In(s.Zone).AddDate(0, 0, 1)
	c.limit = day(end.Year(), int(end.Month()), end.Day())
	c.year, c.month = end.Year(), first.month
	if day(c.year, first.month, first.day) > c.limit {
		c.year--
		if t := time.Date(end.Year(), time.Month(first.month), first.day, 0, 0, 0, 0, s.Zone); how == fromName && t.Sub(end) < end.Sub(t.AddDate(-1, 0, 0)) {
			how = fromNameAgainst
		}
	}
	return c, how
}

// How long before the incident a log begins that is given as evidence of it, at most; how far after the incident a log of a later one
// begins, at least; and how long before the file was last written a log begins whose file was not copied since, at most: where the window
// of the incident says another year than the file.
const (
	longestBefore = 92 * 24 * time.Hour
	leastAfter    = 180 * 24 * time.Hour
	longestLog    = 40 * 24 * time.Hour
)

// yearOf returns the year in which the first line of a log lies in the window, or shortly before it; 0 if there is none.
func yearOf(window *[2]time.Time, first *header, zone *time.Location) int {
	from, to := window[0], window[1]
	if to.IsZero() {
		return 0
	}
	if from.IsZero() {
		from = to
	}
	for year := to.Year() + 1; year >= from.Year()-1; year-- {
		t := time.Date(year, time.Month(first.month), first.day, 0, 0, 0, 0, zone)
		if !t.After(to.AddDate(0, 0, 1)) {
			if t.Before(from.Add(-longestBefore)) {
				return 0
			}
			return year
		}
	}
	return 0
}

// copied reports whether the time of a file is rather that of its copy: by it the log would begin long after the incident, and long before
// the file was written.
func copied(end time.Time, window *[2]time.Time, first *header) bool {
	t := time.Date(end.Year(), time.Month(first.month), first.day, 0, 0, 0, 0, time.UTC)
	if t.After(end.AddDate(0, 0, 1)) {
		t = t.AddDate(-1, 0, 0)
	}
	return t.After(window[1].Add(leastAfter)) && end.Sub(t) > longestLog
}

func day(year, month, day int) int32 { return int32(year*400 + month*32 + day) }

// step moves on to a line of the given date and returns its year, 0 if that is unknown.
func (c *calendar) step(h *header) int {
	if h.year > 0 {
		c.year, c.month = h.year, h.month
		return h.year
	}
	if c.year == 0 {
		return 0
	}
	switch back := c.month - h.month; {
	case back > 1: // forward over New Year, unless that is past the end
		if c.limit == 0 && back >= 6 || c.limit != 0 && day(c.year+1, h.month, h.day) <= c.limit {
			c.year++
		}
	case back == -11: // back over New Year
		c.year--
	}
	c.month = h.month
	return c.year
}

// dateInName returns the date that rotation put into the name of a file, such as maillog-20240501.gz.
func dateInName(path string) (time.Time, bool) {
	name := path[strings.LastIndexAny(path, `/\!`)+1:]
	for i := range name {
		if i > 0 && isDigit(name[i-1]) {
			continue
		}
		year, rest, ok := digits(name[i:], 4)
		if !ok || year < 1900 || year > 2099 {
			continue
		}
		month, rest, ok := digits(afterSeparator(rest), 2)
		if !ok || month < 1 || month > 12 {
			continue
		}
		day, rest, ok := digits(afterSeparator(rest), 2)
		if !ok || day < 1 || day > 31 || rest != "" && isDigit(rest[0]) {
			continue
		}
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC), true
	}
	return time.Time{}, false
}

// digits reads a number of n digits at the start of s.
func digits(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for i := range n {
		if !isDigit(s[i]) {
			return 0, s, false
		}
		value = value*10 + int(s[i]-'0')
	}
	return value, s[n:], true
}

func afterSeparator(s string) string {
	if s != "" && strings.IndexByte("-_.", s[0]) >= 0 {
		return s[1:]
	}
	return s
}

// notes says where the year of a source was taken from.
func notes(s *logs.Source) []string {
	if undated, _ := lacks(s); !undated {
		return nil
	}
	c, how := begin(s)
	switch how {
	case fromName:
		return []string{fmt.Sprintf("the log has no year: %d for its first line, from the date in the name of the file", c.year)}
	case fromNameAgainst:
		return []string{fmt.Sprintf("the log has no year: %d for its first line, which would be later than the date in the name of the file in the year of that: nothing is ruled out by it unless the facts (years) say which", c.year)}
	case fromModTime:
		return []string{fmt.Sprintf("the log has no year: %d for its first line, from the time the file was last written (%s)", c.year, s.ModTime.UTC().Format(time.DateOnly))}
	case fromFacts:
		return []string{fmt.Sprintf("the log has no year: %d for its first line, from the facts (years)", c.year)}
	case fromWindow:
		return []string{fmt.Sprintf("the log has no year: %d for its first line, from the window of the facts: nothing is ruled out by it unless the facts (years) say which", c.year)}
	case fromNeighbour:
		return []string{fmt.Sprintf("some lines have no year: %d for the first of them, from lines that have one", c.year)}
	}
	return []string{"the log has no year, and neither its name nor the time it was last written says which: the times of its lines are unknown"}
}

func zoneless(s *logs.Source) bool {
	_, unzoned := lacks(s)
	return unzoned
}

// lacks reports whether lines at the beginning of a source lack the year, or the zone.
func lacks(s *logs.Source) (undated, unzoned bool) {
	for rest := s.Head; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		var h header
		if h.parse(bytes.TrimRight(line, "\r")) && !h.absolute {
			undated = undated || h.year == 0
			unzoned = unzoned || !h.zoned
		}
	}
	return undated, unzoned
}

// when turns the date of a line into a time. It remembers the offset of the zone for an hour: asking for it is slow.
type when struct {
	zone   *time.Location
	hour   int64
	offset int64
}

func (w *when) time(h *header, year int, zone *time.Location) int64 {
	if h.absolute {
		return h.unix
	}
	if year == 0 {
		return event.UnknownTime
	}
	d, ok := timestamp.Day(year, h.month, h.day)
	if !ok {
		return event.UnknownTime
	}
	t := d*int64(24*time.Hour) + h.clock
	if h.zoned {
		return t - h.offset
	}
	if zone == time.UTC || zone == nil {
		return t
	}
	hour := t / int64(time.Hour)
	if hour != w.hour || zone != w.zone {
		begin := hour * int64(time.Hour)
		w.zone, w.hour, w.offset = zone, hour, timestamp.In(begin, zone)-begin
	}
	return t + w.offset
}
