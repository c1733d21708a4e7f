package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// chart is a timeline as numbers for the template: an SVG of Width × Height pixels. It is the same for the same case.
type chart struct {
	ID            string // unique in the page
	Class         string
	Title, Desc   string
	Width, Height int
	Left, Right   string // of the area where time runs
	AxisY         string
	Ticks         []tick
	Breaks        []axisBreak
	Lanes         []lane
	Top           string // of the grid lines
}

type tick struct {
	X           string
	Label       string
	Day         string // a second row: the day, where it begins or changes
	LabelY      string
	DayY        string
	Top, Bottom string
	Anchor      string
}

// axisBreak is a stretch of time that was left out because nothing happened in it.
type axisBreak struct {
	X, Top, Bottom string
	Path           string
	Label          string
	LabelX, LabelY string
}

type lane struct {
	Label        string
	Href         string
	Title        string // in full, for the tooltip
	LabelX       string
	LabelY       string
	Y            string
	RuleY        string
	X1, X2       string
	Level        string
	Bars         []bar
	Marks        []mark
	Open         bool // still going on
	OpenX, OpenY string
	OpenPath     string
}

type bar struct {
	X, Y, W, H string
	Level      string
}

// mark is where something begins, with a shape of its own for each level so that colour is not needed to tell.
type mark struct {
	Path  string
	Level string
	Title string
}

// row is what is drawn in a lane.
type row struct {
	label, title, href string
	level              string
	first, last        time.Time
	open               bool
	items              []item
}

type item struct {
	level       string
	first, last time.Time
	title       string
}

// chartStyle is how a chart is laid out.
type chartStyle struct {
	width  int
	gutter int // for labels left of the area; 0 puts them above their lane
	chars  int // of a label, at most
}

// The two sizes: a style sheet shows the one that fits.
var (
	wide   = chartStyle{width: 1080, gutter: 330, chars: 46}
	narrow = chartStyle{width: 340, gutter: 0, chars: 44}
)

const (
	laneHeight  = 26
	aboveHeight = 18 // what a label above its lane takes
	breakWidth  = 34
	barHeight   = 8
)

// area is where time runs, and where labels begin: left of it, or right where the language runs from right to left. Time runs from left
// to right in every language.
func (s *say) area(style chartStyle) (left, right, labels float64) {
	gutter, width := float64(style.gutter), float64(style.width)
	if s.l.Dir() == "rtl" {
		return 18, width - gutter - 14, width
	}
	return gutter + 14, width - 18, 0
}

// both draws a chart for wide and for narrow windows.
func (s *say) both(id, title string, rows []row) []chart {
	return []chart{s.draw(id+"-w", "wide", title, rows, wide), s.draw(id+"-n", "narrow", title, rows, narrow)}
}

// draw lays out rows, which must not be empty.
func (s *say) draw(id, class, title string, rows []row, style chartStyle) chart {
	left, right, labels := s.area(style)
	sc := newScale(rows, left, right)
	top := 12.0
	step := float64(laneHeight)
	if style.gutter == 0 {
		step += aboveHeight
	}
	bottom := top + step*float64(len(rows))
	c := chart{
		ID: id, Class: class, Title: title, Width: style.width, Height: int(bottom) + 44,
		Left: px(left), Right: px(right), AxisY: px(bottom), Top: px(top),
	}
	first, last := rows[0].first, rows[0].last
	for i, r := range rows {
		if r.first.Before(first) {
			first = r.first
		}
		if r.last.After(last) {
			last = r.last
		}
		y := top + step*float64(i)
		l := lane{Label: shorten(r.label, style.chars), Title: r.title, Href: r.href, Level: r.level, Open: r.open}
		mid := y + laneHeight/2
		l.LabelX, l.LabelY = px(labels), px(mid+4)
		if style.gutter == 0 {
			mid += aboveHeight
			l.LabelY = px(y + 16)
		}
		l.Y, l.RuleY = px(mid), px(y+step)
		x1, x2 := sc.x(r.first), sc.x(r.last)
		l.X1, l.X2 = px(x1), px(x2)
		if r.open {
			x2 = math.Min(x2+9, right+12)
			l.OpenPath = fmt.Sprintf("M%s %s l7 5 l-7 5 z", px(x2), px(mid-5))
		}
		// The most severe comes last and so lies on top.
		items := slices.Clone(r.items)
		slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(rank(a.level), rank(b.level)) })
		for _, it := range items {
			a, b := sc.x(it.first), sc.x(it.last)
			if b-a >= 1 {
				l.Bars = append(l.Bars, bar{X: px(a), Y: px(mid - barHeight/2), W: px(b - a), H: px(barHeight), Level: it.level})
			}
		}
		for _, it := range items {
			l.Marks = append(l.Marks, mark{Path: shape(it.level, sc.x(it.first), mid), Level: it.level, Title: it.title})
		}
		c.Lanes = append(c.Lanes, l)
	}
	c.Desc = s.plain(s.w("page.chart.about", "n", len(rows), "span", s.spanText(first, last)))
	c.Ticks = sc.ticks(top, bottom)
	for _, g := range sc.segments[1:] {
		x := g.x1 - breakWidth/2
		c.Breaks = append(c.Breaks, axisBreak{
			X: px(x), Top: px(top), Bottom: px(bottom),
			Path:  fmt.Sprintf("M%s %s l3 -6 l4 12 l3 -6", px(x-5), px(bottom)),
			Label: s.plain(s.l.Duration(g.gap)), LabelX: px(x), LabelY: px(top - 3),
		})
	}
	return c
}

// px writes a coordinate with at most one digit after the point.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	open := 0 // isolates that have not ended
	for i, r := range s {
		switch r {
		case '\u2066', '\u2067', '\u2068':
			open++
		case '\u2069':
			open--
		}
		if n--; n == 0 {
			return s[:i] + "…" + strings.Repeat("\u2069", max(open, 0))
		}
	}
	return s
}

// shape is the outline of a mark: diamond, triangle, square, disc, tick.
func shape(level string, x, y float64) string {
	switch level {
	case "critical":
		return fmt.Sprintf("M%s %s l7 -7 l7 7 l-7 7 z", px(x-7), px(y))
	case "high":
		return fmt.Sprintf("M%s %s l6.5 -11.5 l6.5 11.5 z", px(x-6.5), px(y+5))
	case "medium":
		return fmt.Sprintf("M%s %s h9 v9 h-9 z", px(x-4.5), px(y-4.5))
	case "low":
		return fmt.Sprintf("M%s %s a4 4 0 1 0 8 0 a4 4 0 1 0 -8 0 z", px(x-4), px(y))
	}
	return fmt.Sprintf("M%s %s h2 v10 h-2 z", px(x-1), px(y-5))
}

// scale maps time to pixels. Long stretches in which nothing happened are folded away, so that an hour of attack is
// readable beside a stray finding of years ago.
type scale struct {
	segments []segment
}

type segment struct {
	from, to time.Time
	x1, x2   float64
	gap      time.Duration // folded away before it
}

// maxFolds bounds how many stretches are folded away.
const maxFolds = 4

func newScale(rows []row, x1, x2 float64) *scale {
	spans := make([]segment, 0, len(rows))
	for _, r := range rows {
		from, to := r.first, r.last
		if to.Before(from) {
			from, to = to, from
		}
		spans = append(spans, segment{from: from, to: to})
	}
	slices.SortFunc(spans, func(a, b segment) int { return a.from.Compare(b.from) })
	merged := spans[:1]
	for _, s := range spans[1:] {
		if last := &merged[len(merged)-1]; s.from.After(last.to) {
			merged = append(merged, s)
		} else if s.to.After(last.to) {
			last.to = s.to
		}
	}
	// Fold the longest gap while it is more than half of what would be left.
	folded := make([]bool, len(merged)) // the gap before i
	for range maxFolds {
		var rest, longest time.Duration
		at := 0
		for i := range merged {
			rest += merged[i].to.Sub(merged[i].from)
			if i == 0 || folded[i] {
				continue
			}
			gap := merged[i].from.Sub(merged[i-1].to)
			rest += gap
			if gap > longest {
				longest, at = gap, i
			}
		}
		if at == 0 || longest < time.Minute || longest < (rest-longest)/2 {
			break
		}
		folded[at] = true
	}
	s := &scale{}
	for i, m := range merged {
		if i > 0 && !folded[i] {
			s.segments[len(s.segments)-1].to = m.to
			continue
		}
		if i > 0 {
			m.gap = m.from.Sub(merged[i-1].to)
		}
		s.segments = append(s.segments, m)
	}
	s.spread(x1, x2)
	return s
}

// spread gives every segment its share of the width, and none too little to read.
func (s *scale) spread(x1, x2 float64) {
	n := float64(len(s.segments))
	width := x2 - x1 - (n-1)*breakWidth
	var total float64
	for i := range s.segments {
		g := &s.segments[i]
		// Room at both ends, so that nothing lies on the edge; at least two seconds in all.
		pad := max(g.to.Sub(g.from)/40, time.Second)
		g.from, g.to = g.from.Add(-pad), g.to.Add(pad)
		total += g.to.Sub(g.from).Seconds()
	}
	least := min(max(width/n*0.3, tickDistance+16), width/n*0.8)
	x := x1
	for i := range s.segments {
		g := &s.segments[i]
		w := least + (width-n*least)*g.to.Sub(g.from).Seconds()/total
		g.x1, g.x2 = x, x+w
		x += w + breakWidth
	}
}

func (s *scale) x(t time.Time) float64 {
	for i := range s.segments {
		g := &s.segments[i]
		if !t.After(g.to) || i == len(s.segments)-1 {
			f := t.Sub(g.from).Seconds() / g.to.Sub(g.from).Seconds()
			return g.x1 + (g.x2-g.x1)*min(max(f, 0), 1)
		}
	}
	return s.segments[0].x1
}

// steps are the distances that ticks may have; longer ones count in months.
var steps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour,
}

var monthSteps = [...]int{1, 2, 3, 6, 12, 24, 60, 120, 240, 600}

// tickDistance is how many pixels ticks are apart at least.
const tickDistance = 74

func (s *scale) ticks(top, bottom float64) []tick {
	var out []tick
	for i := range s.segments {
		g := &s.segments[i]
		wanted := time.Duration(float64(g.to.Sub(g.from)) * tickDistance / (g.x2 - g.x1))
		var times []time.Time
		layout, day := "15:04", "2006-01-02"
		if at := slices.IndexFunc(steps[:], func(d time.Duration) bool { return d >= wanted }); at >= 0 {
			d := steps[at]
			switch {
			case d < time.Minute:
				layout = "15:04:05"
			case d >= 24*time.Hour:
				layout, day = "01-02", "2006"
			}
			for t := g.from.UTC().Truncate(d); !t.After(g.to); t = t.Add(d) {
				times = append(times, t)
			}
		} else {
			months := monthSteps[len(monthSteps)-1]
			for _, m := range monthSteps {
				if time.Duration(m)*30*24*time.Hour >= wanted {
					months = m
					break
				}
			}
			layout, day = "2006-01", ""
			if months >= 12 {
				layout, day = "2006", ""
			}
			from := g.from.UTC()
			n := (from.Year()*12 + int(from.Month()) - 1) / months * months
			for ; ; n += months {
				t := time.Date(n/12, time.Month(n%12+1), 1, 0, 0, 0, 0, time.UTC)
				if t.After(g.to) {
					break
				}
				times = append(times, t)
			}
		}
		shown, x := "", math.Inf(-1)
		for _, t := range times {
			if t.Before(g.from) {
				continue
			}
			k := tick{X: px(s.x(t)), Label: t.Format(layout), LabelY: px(bottom + 18), DayY: px(bottom + 34), Top: px(top), Bottom: px(bottom), Anchor: "middle"}
			if d := t.Format(day); day != "" && d != shown && s.x(t)-x > tickDistance {
				k.Day, shown, x = d, d, s.x(t)
			}
			out = append(out, k)
		}
		if shown == "" && (day != "" || len(times) == 0) {
			// Too short for a tick on a round time: say at least the day, at its beginning.
			if len(out) == 0 || out[len(out)-1].X != px(g.x1) {
				out = append(out, tick{X: px(g.x1), Label: g.from.UTC().Format("15:04"), Day: g.from.UTC().Format("2006-01-02"),
					LabelY: px(bottom + 18), DayY: px(bottom + 34), Top: px(top), Bottom: px(bottom), Anchor: "start"})
			}
		}
	}
	return out
}
