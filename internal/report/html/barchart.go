package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// barChart is lanes of bars over one axis of time: what was held when, and what the logs would have shown.
type barChart struct {
	ID, Class     string
	Title, Desc   string
	Width, Height int
	Left, Right   string
	AxisY, Top    string
	Ticks         []tick
	Breaks        []axisBreak
	Heads         []barHead
	Lanes         []barLane
}

// barHead is the name of a group of lanes.
type barHead struct{ X, Y, RuleY, Text string }

type barLane struct {
	Label, Title   string
	LabelX, LabelY string
	Base           string // of the line on which nothing is drawn
	X1, X2         string
	Parts          []barPart
	OpenPath       string // an arrow: not known to have ended
	OpenClass      string
}

// barPart is a stretch of time of a lane. Class is one of held, maybe, act, acts, presence, detail, gap, unsure.
type barPart struct {
	X, Y, W, H string
	Class      string
	Title      string
}

// barRow is what is drawn in a lane.
type barRow struct {
	head         string // the group, where it is another than that of the row before
	label, title string
	parts        []stretch
	open         bool
	suspected    bool // what is drawn of it is not proven
}

type stretch struct {
	from, to time.Time
	class    string
	title    string
}

// What is drawn at most.
const (
	maxPowerLanes    = 16
	maxCoverageLanes = 20
)

const headHeight = 26

// drawBars lays out rows between from and to, which is later.
func drawBars(id, class, title string, rows []barRow, from, to time.Time, style chartStyle) barChart {
	left, right := float64(style.gutter)+14, float64(style.width)-18
	sc := newScale([]row{{first: from, last: to}}, left, right)
	step := float64(laneHeight) - 2
	if style.gutter == 0 {
		step += aboveHeight - 2
	}
	c := barChart{ID: id, Class: class, Title: title, Width: style.width, Left: px(left), Right: px(right)}
	y := 4.0
	for _, r := range rows {
		if r.head != "" {
			c.Heads = append(c.Heads, barHead{X: px(0), Y: px(y + 16), RuleY: px(y + headHeight - 3), Text: r.head})
			y += headHeight
		}
		l := barLane{Label: shorten(r.label, style.chars), Title: r.title}
		mid := y + step/2
		l.LabelX, l.LabelY = px(0), px(mid+4)
		if style.gutter == 0 {
			mid = y + aboveHeight + 7
			l.LabelY = px(y + 14)
		}
		l.Base, l.X1, l.X2 = px(mid), px(left), px(right)
		end := left
		ends := make(map[string]float64) // where the last part of a class ends: what would lie on it is one with it
		for _, s := range r.parts {
			if s.to.Before(from) || s.from.After(to) || s.to.Before(s.from) {
				continue
			}
			a, b := sc.x(s.from), sc.x(s.to)
			if b-a < 2 {
				a = math.Max(left, math.Min(a, right-2))
				b = a + 2
			}
			if last, ok := ends[s.class]; ok && b <= last+2 {
				continue
			}
			ends[s.class] = b
			end = math.Max(end, b)
			h := 10.0
			switch s.class {
			case "maybe", "act":
				h = 4
			case "acts":
				h = 12
			}
			l.Parts = append(l.Parts, barPart{X: px(a), Y: px(mid - h/2), W: px(b - a), H: px(h), Class: s.class, Title: s.title})
		}
		// Gaps lie on top.
		slices.SortStableFunc(l.Parts, func(a, b barPart) int { return cmp.Compare(onTop(a.Class), onTop(b.Class)) })
		if r.open {
			x := math.Min(end+1, right+2)
			l.OpenClass = "held"
			if r.suspected {
				l.OpenClass = "maybe"
			}
			l.OpenPath = fmt.Sprintf("M%s %s l7 5 l-7 5 z", px(x), px(mid-5))
		}
		c.Lanes = append(c.Lanes, l)
		y += step
	}
	c.Top, c.AxisY, c.Height = px(4), px(y+4), int(y)+48
	c.Desc = fmt.Sprintf("%s from %s to %s UTC. The same is said in words and tables below.", count(len(rows), "lane", "lanes"), stamp(from), stamp(to))
	c.Ticks = sc.ticks(4, y+4)
	return c
}

func onTop(class string) int {
	if class == "gap" || class == "unsure" {
		return 1
	}
	return 0
}

// charts draws what the attacker held and what the logs would have shown on one axis.
func (v *reachView) charts(c *casefile.Case) {
	from, to, ok := axis(c)
	if !ok {
		return
	}
	powers, left := powerRows(c, to)
	acts := sessionRows(c)
	covered, hidden := coverageRows(c, from, to)
	rows := slices.Concat(powers, acts, covered)
	if len(powers)+len(acts) == 0 || len(rows) == 0 {
		return
	}
	title := "What the attacker held, and what the logs would have shown"
	v.Charts = []barChart{drawBars("held-w", "wide", title, rows, from, to, wide), drawBars("held-n", "narrow", title, rows, from, to, narrow)}
	var more []string
	if left > 0 {
		more = append(more, count(left, "power", "powers"))
	}
	if hidden > 0 {
		more = append(more, count(hidden, "log", "logs"))
	}
	if len(more) > 0 {
		v.LanesLeft = "Not drawn: " + list(more) + ". The tables below, or case.json, have them."
	}
}

// axis is the time that is drawn: that of the case, as far as anything was held or done.
func axis(c *casefile.Case) (from, to time.Time, ok bool) {
	see := func(t *time.Time) {
		if t == nil || t.IsZero() {
			return
		}
		if from.IsZero() || t.Before(from) {
			from = *t
		}
		if t.After(to) {
			to = *t
		}
	}
	open := false
	for i := range c.Capabilities {
		k := &c.Capabilities[i]
		see(k.Earliest)
		see(&k.From)
		see(k.To)
		open = open || k.To == nil
	}
	for i := range c.Sessions {
		if s := &c.Sessions[i]; s.Attribution == "attacker" || s.Attribution == "suspected" {
			see(&s.First)
			see(&s.Last)
		}
	}
	if from.IsZero() {
		return from, to, false
	}
	if open {
		see(c.Window.To)
	}
	if !to.After(from) {
		to = from.Add(time.Minute)
	}
	return from, to, true
}

func powerRows(c *casefile.Case, end time.Time) (rows []barRow, left int) {
	order := make([]*casefile.Capability, 0, len(c.Capabilities))
	for i := range c.Capabilities {
		order = append(order, &c.Capabilities[i])
	}
	slices.SortStableFunc(order, comparePowers)
	for i, k := range order {
		if i == maxPowerLanes {
			return rows, len(order) - i
		}
		r := barRow{label: visible(cut(powerWords(k.Kind)+" "+k.Principal, maxName)), open: k.To == nil, suspected: k.Suspected}
		held := "held"
		if k.Suspected {
			held = "maybe"
		}
		to := end
		when := "since " + stamp(k.From)
		if k.To != nil {
			to = *k.To
			when = span(k.From, *k.To)
		}
		r.title = r.label + ": " + when
		if k.Suspected {
			r.title = r.label + ", suspected: " + when
		}
		start := k.From
		if start.IsZero() && k.Earliest != nil {
			start = to
		}
		if k.Earliest != nil && k.Earliest.Before(start) {
			r.parts = append(r.parts, stretch{*k.Earliest, start, "maybe", visible(r.label) + ": may have been held since " + stamp(*k.Earliest)})
		}
		if !k.From.IsZero() {
			r.parts = append(r.parts, stretch{k.From, later(k.From, to), held, r.title})
		}
		if i == 0 {
			r.head = "Held by the attacker"
		}
		rows = append(rows, r)
	}
	return rows, 0
}

// powerWords says what a capability is: the password of, code on.
func powerWords(kind string) string {
	switch kind {
	case "password":
		return "Password of"
	case "token":
		return "Session of"
	case "host":
		return "Code on"
	case "delegation":
		return "Rights given to"
	case "grant":
		return "Application"
	case "rule":
		return "Forwarding rule of"
	}
	return kind
}

// sessionRows is a lane for the sessions of the attacker, and one for those that are suspected.
func sessionRows(c *casefile.Case) []barRow {
	var rows []barRow
	for _, whose := range [...][3]string{{"attacker", "Sessions of the attacker", "acts"}, {"suspected", "Suspected sessions", "act"}} {
		r := barRow{label: whose[1]}
		n := 0
		for i := range c.Sessions {
			s := &c.Sessions[i]
			if s.Attribution != whose[0] || s.First.IsZero() {
				continue
			}
			n++
			r.parts = append(r.parts, stretch{s.First, later(s.First, s.Last), whose[2], visible(cut(s.ID, maxName)) + ": " + span(s.First, s.Last)})
		}
		if n == 0 {
			continue
		}
		slices.SortStableFunc(r.parts, func(a, b stretch) int { return a.from.Compare(b.from) })
		r.title = whose[1] + ": " + number(n)
		if len(rows) == 0 {
			r.head = "Seen"
		}
		rows = append(rows, r)
	}
	return rows
}

// coverageRows is a lane for each log: bars where it would have shown something, and its gaps.
func coverageRows(c *casefile.Case, from, to time.Time) (rows []barRow, left int) {
	var order []*casefile.Coverage
	for i := range c.Coverage {
		if len(c.Coverage[i].Channels) > 0 || c.Coverage[i].Level != "" {
			order = append(order, &c.Coverage[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *casefile.Coverage) int {
		return cmp.Or(cmp.Compare(min(len(b.Channels), 1), min(len(a.Channels), 1)), cmp.Compare(min(len(a.Principal), 1), min(len(b.Principal), 1)))
	})
	for i, k := range order {
		if i == maxCoverageLanes {
			return rows, len(order) - i
		}
		class := "presence"
		if k.Level == casefile.Detail {
			class = "detail"
		}
		words := []string{}
		for _, s := range []string{k.Host, k.Stream, k.Principal} {
			if s != "" {
				words = append(words, s)
			}
		}
		log := visible(cut(strings.Join(words, " · "), maxName))
		r := barRow{label: shorterLog.Replace(log)}
		if k.Beyond != "" {
			log += " (not of " + visible(cut(k.Beyond, maxName)) + ")"
		}
		if i == 0 {
			r.head = "What the logs would have shown"
		}
		r.title = log + ", " + class + ": " + window(casefile.Window{From: k.From, To: k.To})
		if k.From != nil && k.To != nil {
			r.parts = covered(k, class, log)
		}
		// Before and after a log there is nothing.
		rows = append(rows, r)
	}
	return rows, 0
}

// shorterLog leaves out of the name of a log what many have in common; the title of its lane has all of it.
var shorterLog = strings.NewReplacer("windows.evtx:Microsoft-Windows-", "", "windows.evtx:", "", "m365.ual:", "")

// covered is the time of a log, cut at its gaps.
func covered(k *casefile.Coverage, class, label string) []stretch {
	type hole struct {
		from, to time.Time
		gap      *casefile.Gap
	}
	var holes []hole
	for i := range k.Gaps {
		g := &k.Gaps[i]
		if g.From == nil || g.To == nil || g.To.Before(*g.From) {
			continue
		}
		holes = append(holes, hole{*g.From, *g.To, g})
	}
	slices.SortStableFunc(holes, func(a, b hole) int { return a.from.Compare(b.from) })
	var out []stretch
	at := *k.From
	for _, h := range holes {
		if h.from.After(at) && !h.from.After(*k.To) {
			out = append(out, stretch{at, h.from, class, label + ", " + class + ": " + span(at, h.from)})
		}
		kind := "unsure"
		if h.gap.Certain {
			kind = "gap"
		}
		out = append(out, stretch{h.from, h.to, kind, label + ", " + visible(cut(casefile.GapWords(h.gap.Reason), maxName)) + ": " + span(h.from, h.to)})
		at = later(at, h.to)
	}
	if at.Before(*k.To) {
		out = append(out, stretch{at, *k.To, class, label + ", " + class + ": " + span(at, *k.To)})
	}
	return out
}
