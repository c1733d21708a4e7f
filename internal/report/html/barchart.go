package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
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
func (s *say) drawBars(id, class, title string, rows []barRow, from, to time.Time, style chartStyle) barChart {
	left, right, labels := s.area(style)
	sc := newScale([]row{{first: from, last: to}}, left, right)
	step := float64(laneHeight) - 2
	if style.gutter == 0 {
		step += aboveHeight - 2
	}
	c := barChart{ID: id, Class: class, Title: title, Width: style.width, Left: px(left), Right: px(right)}
	y := 4.0
	for _, r := range rows {
		if r.head != "" {
			c.Heads = append(c.Heads, barHead{X: px(labels), Y: px(y + 16), RuleY: px(y + headHeight - 3), Text: r.head})
			y += headHeight
		}
		l := barLane{Label: shorten(r.label, style.chars), Title: r.title}
		mid := y + step/2
		l.LabelX, l.LabelY = px(labels), px(mid+4)
		if style.gutter == 0 {
			mid = y + aboveHeight + 7
			l.LabelY = px(y + 14)
		}
		l.Base, l.X1, l.X2 = px(mid), px(left), px(right)
		end := left
		ends := make(map[string]float64) // where the last part of a class ends: what would lie on it is one with it
		for _, part := range r.parts {
			if part.to.Before(from) || part.from.After(to) || part.to.Before(part.from) {
				continue
			}
			a, b := sc.x(part.from), sc.x(part.to)
			if b-a < 2 {
				a = math.Max(left, math.Min(a, right-2))
				b = a + 2
			}
			if last, ok := ends[part.class]; ok && b <= last+2 {
				continue
			}
			ends[part.class] = b
			end = math.Max(end, b)
			h := 10.0
			switch part.class {
			case "maybe", "act":
				h = 4
			case "acts":
				h = 12
			}
			l.Parts = append(l.Parts, barPart{X: px(a), Y: px(mid - h/2), W: px(b - a), H: px(h), Class: part.class, Title: part.title})
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
	c.Desc = s.plain(s.w("page.chart.about", "n", len(rows), "span", s.spanText(from, to)))
	c.Ticks = sc.ticks(4, y+4)
	return c
}

func onTop(class string) int {
	if class == "gap" || class == "unsure" {
		return 1
	}
	return 0
}

// lanes draws what the attacker held and what the logs would have shown on one axis.
func (p *page) lanes(c *casefile.Case) {
	v := &p.Reach
	from, to, ok := axis(c)
	if !ok {
		return
	}
	powers, left := p.powerRows(c, to)
	acts := p.sessionRows(c)
	covered, hidden := p.coverageRows(c)
	rows := slices.Concat(powers, acts, covered)
	if len(powers)+len(acts) == 0 || len(rows) == 0 {
		return
	}
	title := p.l.Text("page.chart.held")
	v.Charts = []barChart{p.drawBars("held-w", "wide", title, rows, from, to, wide), p.drawBars("held-n", "narrow", title, rows, from, to, narrow)}
	if left > 0 {
		v.LanesLeft = append(v.LanesLeft, p.t("page.lanes.powers", "n", left))
	}
	if hidden > 0 {
		v.LanesLeft = append(v.LanesLeft, p.t("page.lanes.logs", "n", hidden))
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

func (p *page) powerRows(c *casefile.Case, end time.Time) (rows []barRow, left int) {
	order := byPower(c)
	for i, k := range order {
		if i == maxPowerLanes {
			return rows, len(order) - i
		}
		words := p.powerWords(k)
		r := barRow{label: p.plain(words), open: k.To == nil, suspected: k.Suspected}
		held := "held"
		if k.Suspected {
			held = "maybe"
		}
		to := end
		when := p.w("page.from", "time", lang.Value(stamp(k.From)))
		if k.To != nil {
			to = *k.To
			when = p.spanText(k.From, *k.To)
		}
		if k.Suspected {
			r.title = p.plain(p.w("page.shape.suspected", "what", words, "when", when))
		} else {
			r.title = p.plain(p.w("page.held", "what", words, "when", when))
		}
		start := k.From
		if start.IsZero() && k.Earliest != nil {
			start = to
		}
		if k.Earliest != nil && k.Earliest.Before(start) {
			perhaps := p.w("page.shape.perhaps", "what", words, "time", lang.Value(stamp(*k.Earliest)))
			r.parts = append(r.parts, stretch{*k.Earliest, start, "maybe", p.plain(perhaps)})
		}
		if !k.From.IsZero() {
			r.parts = append(r.parts, stretch{k.From, later(k.From, to), held, r.title})
		}
		if i == 0 {
			r.head = p.l.Text("page.lane.held")
		}
		rows = append(rows, r)
	}
	return rows, 0
}

// powerWords says what a capability is: the password of, code on.
func (s *say) powerWords(k *casefile.Capability) lang.Words {
	of := s.identWords(cut(k.Principal, maxName))
	if slices.Contains(powerKinds, k.Kind) {
		return s.w("page.power."+k.Kind, "of", of)
	}
	return s.w("page.power.other", "kind", lang.Value(cut(k.Kind, maxName)), "of", of)
}

// sessionRows is a lane for the sessions of the attacker, and one for those that are suspected.
func (p *page) sessionRows(c *casefile.Case) []barRow {
	var rows []barRow
	for _, whose := range [...][2]string{{"attacker", "acts"}, {"suspected", "act"}} {
		name := p.w("page.lane." + whose[0])
		r := barRow{label: p.plain(name)}
		n := 0
		for i := range c.Sessions {
			s := &c.Sessions[i]
			if s.Attribution != whose[0] || s.First.IsZero() {
				continue
			}
			n++
			title := p.w("page.held", "what", lang.Value(cut(s.ID, maxName)), "when", p.spanText(s.First, later(s.First, s.Last)))
			r.parts = append(r.parts, stretch{s.First, later(s.First, s.Last), whose[1], p.plain(title)})
		}
		if n == 0 {
			continue
		}
		slices.SortStableFunc(r.parts, func(a, b stretch) int { return a.from.Compare(b.from) })
		r.title = p.plain(p.w("page.held", "what", name, "when", p.l.Count("count.session", int64(n))))
		if len(rows) == 0 {
			r.head = p.l.Text("page.lane.seen")
		}
		rows = append(rows, r)
	}
	return rows
}

// coverageOrder puts the logs first whose gaps matter most: those that cover a way in, and of these those with most of the time of the attack
// in a gap.
func coverageOrder(c *casefile.Case) []*casefile.Coverage {
	from, to, ok := axis(c)
	order := make([]*casefile.Coverage, len(c.Coverage))
	missing := make(map[*casefile.Coverage]time.Duration, len(c.Coverage))
	for i := range c.Coverage {
		k := &c.Coverage[i]
		order[i] = k
		for j := range k.Gaps {
			if g := &k.Gaps[j]; ok && g.From != nil && g.To != nil && g.From.Before(to) && g.To.After(from) {
				missing[k] += earlier(*g.To, to).Sub(later(*g.From, from))
			}
		}
	}
	slices.SortStableFunc(order, func(a, b *casefile.Coverage) int {
		return cmp.Or(cmp.Compare(min(len(b.Channels), 1), min(len(a.Channels), 1)), cmp.Compare(missing[b], missing[a]), cmp.Compare(min(len(a.Principal), 1), min(len(b.Principal), 1)))
	})
	return order
}

// coverageRows is a lane for each log: bars where it would have shown something, and its gaps.
func (p *page) coverageRows(c *casefile.Case) (rows []barRow, left int) {
	for i, k := range coverageOrder(c) {
		if i == maxCoverageLanes {
			return rows, len(c.Coverage) - i
		}
		class := "presence"
		if k.Level == casefile.Detail {
			class = "detail"
		}
		name := visible(logName(k))
		if k.Principal != "" {
			name += " · " + visible(cut(k.Principal, maxName))
		}
		log := lang.Value(name)
		r := barRow{label: p.plain(p.w("page.is", "what", lang.Value(shorterLog.Replace(name))))}
		shows := p.w("coverage." + class)
		if i == 0 {
			r.head = p.l.Text("page.lane.logs")
		}
		r.title = p.plain(p.w("page.shape.log", "log", log, "what", shows, "span", p.windowText(k.From, k.To)))
		if k.Beyond != "" {
			r.title += " · " + p.plain(p.w("page.beyond", "whom", p.phraseWords(k.Beyond)))
		}
		if k.From != nil && k.To != nil {
			r.parts = p.covered(k, class, log)
		}
		// Before and after a log there is nothing.
		rows = append(rows, r)
	}
	return rows, 0
}

// shorterLog leaves out of the name of a log what many have in common; the title of its lane has all of it.
var shorterLog = strings.NewReplacer("windows.evtx:Microsoft-Windows-", "", "windows.evtx:", "", "m365.ual:", "")

// covered is the time of a log, cut at its gaps.
func (p *page) covered(k *casefile.Coverage, class string, log lang.Value) []stretch {
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
	title := func(what lang.Words, from, to time.Time) string {
		return p.plain(p.w("page.shape.log", "log", log, "what", what, "span", p.spanText(from, to)))
	}
	shows := p.w("coverage." + class)
	var out []stretch
	at := *k.From
	for _, h := range holes {
		if h.from.After(at) && !h.from.After(*k.To) {
			out = append(out, stretch{at, h.from, class, title(shows, at, h.from)})
		}
		kind := "unsure"
		if h.gap.Certain {
			kind = "gap"
		}
		out = append(out, stretch{h.from, h.to, kind, title(p.phraseWords(casefile.GapWords(cut(h.gap.Reason, maxName))), h.from, h.to)})
		at = later(at, h.to)
	}
	if at.Before(*k.To) {
		out = append(out, stretch{at, *k.To, class, title(shows, at, *k.To)})
	}
	return out
}
