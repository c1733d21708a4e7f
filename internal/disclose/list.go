package disclose

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// listWidth is how many columns a list takes.
const listWidth = 80

// List is what WriteList writes.
type List struct {
	*Result
	Lang *lang.Language
	// Now is what times are held against.
	Now  time.Time
	Zone *time.Location
	// Why adds to each duty how it and its time come about, and where the rule stands.
	Why bool
}

// WriteList writes what is owed for people: what is due first, then what is open, waits, was done, and is not owed.
func WriteList(w io.Writer, l *List) error {
	p := printer{w: bufio.NewWriter(w), List: l, asked: map[string]bool{}}
	p.line(0, l.Lang.Text("disclose.title"))
	p.line(0, l.Lang.Text("disclose.as_of", "at", l.stamp(l.Now)))
	p.section("disclose.heading.due", casefile.DutyDue, p.duty)
	p.section("disclose.heading.open", casefile.DutyOpen, p.open)
	p.classifications()
	p.section("disclose.heading.waiting", casefile.DutyWaiting, p.duty)
	p.section("disclose.heading.done", casefile.DutyDone, p.duty)
	if l.Why {
		p.section("disclose.heading.not_owed", casefile.DutyNotOwed, p.duty)
	} else {
		p.notOwed()
	}
	p.line(0, "")
	p.line(0, l.Lang.Text("disclose.others"))
	if len(l.Notes) > 0 {
		p.line(0, "")
		p.line(0, l.Lang.Text("disclose.notes"))
		for _, n := range l.Notes {
			p.line(2, l.note(n))
		}
	}
	return p.w.Flush()
}

// stamp is a time on the clocks of the entity.
func (l *List) stamp(t time.Time) lang.Value { return lang.Value(t.In(l.Zone).Format(time.RFC3339)) }

type printer struct {
	*List
	w     *bufio.Writer
	asked map[string]bool // regimes of which it was asked whether they apply
}

func (p *printer) section(heading, state string, each func(*casefile.Duty)) {
	first := true
	for i := range p.Owed {
		d := &p.Owed[i]
		if d.State != state {
			continue
		}
		if first {
			p.line(0, "")
			p.line(0, p.Lang.Text(heading))
			first = false
		}
		each(d)
	}
}

func (p *printer) words(d *casefile.Duty) casefile.DutyWords {
	if w, ok := d.Words[p.Lang.Tag()]; ok {
		return w
	}
	return d.Words[lang.English]
}

// open writes what is open. Where nobody said whether a law is for the organisation at all, and it is for few, that is asked once.
func (p *printer) open(d *casefile.Duty) {
	if !d.Question || p.Why {
		p.duty(d)
		return
	}
	if p.asked[d.Regime] {
		return
	}
	p.asked[d.Regime] = true
	var stages []lang.Words
	var first *casefile.Duty
	var keys []string
	for i := range p.Owed {
		o := &p.Owed[i]
		if o.Regime != d.Regime || !o.Question {
			continue
		}
		stages = append(stages, p.Lang.Names(p.words(o).Stage)...)
		if o.Due != nil && (first == nil || o.Due.Before(*first.Due)) {
			first = o
		}
		for _, k := range o.Missing {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	p.line(2, p.Lang.Text("disclose.question", "regime", lang.Name(p.words(d).Regime), "stages", p.Lang.List(stages)))
	if first != nil {
		p.line(6, p.Lang.Text("disclose.question.due", "local", lang.Value(first.Local)))
	}
	p.line(6, p.Lang.Text("disclose.missing", "keys", p.Lang.List(p.Lang.Values(keys...))))
}

func (p *printer) duty(d *casefile.Duty) {
	w := p.words(d)
	p.line(2, p.Lang.Text("disclose.duty", "regime", lang.Name(w.Regime), "stage", lang.Name(w.Stage), "recipient", lang.Name(w.Recipient)))
	p.when(d)
	if len(d.Missing) > 0 {
		p.line(6, p.Lang.Text("disclose.missing", "keys", p.Lang.List(p.Lang.Values(d.Missing...))))
	}
	if d.Form != "" && (d.State == casefile.DutyDue || d.State == casefile.DutyOpen) {
		p.line(6, p.Lang.Text("disclose.form", "command", lang.Value("--form "+d.Form)))
	}
	if !p.Why {
		return
	}
	if w.Note != "" {
		p.line(6, w.Note)
	}
	for _, s := range d.Why {
		p.line(6, p.Lang.Said(s.ID, s.Args).Text())
	}
	source := strings.TrimSpace(d.Source.Act + ", " + d.Source.Article)
	if d.Source.CELEX != "" {
		source += " (CELEX " + d.Source.CELEX + ")"
	}
	p.line(6, p.Lang.Text("disclose.source", "source", lang.Value(source)))
	if !d.Source.Checked {
		p.line(6, p.Lang.Text("disclose.unchecked"))
	}
}

// when says until when, and how long that is.
func (p *printer) when(d *casefile.Duty) {
	switch {
	case d.State == casefile.DutyNotOwed:
	case d.State == casefile.DutyDone:
		id := "disclose.done"
		if d.Due != nil && d.Done.After(*d.Due) {
			id = "disclose.done.late"
		}
		p.line(6, p.Lang.Text(id, "at", p.stamp(*d.Done)))
	case d.State == casefile.DutyWaiting:
		for _, s := range d.Why {
			if !p.Why && strings.HasPrefix(s.ID, "duty.waits") {
				p.line(6, p.Lang.Said(s.ID, s.Args).Text())
			}
		}
	case d.Due != nil:
		left := d.Due.Sub(p.Now)
		id := "disclose.left"
		if left < 0 {
			id = "disclose.late"
		}
		span := p.Lang.Words(id, "span", p.Lang.Duration(left))
		local, universal := lang.Value(d.Local), lang.Value(d.Due.UTC().Format(time.RFC3339))
		id = "disclose.due"
		if d.State == casefile.DutyOpen {
			id = "disclose.due.if_owed"
		}
		if local == universal {
			id += ".utc"
		}
		p.line(6, p.Lang.Text(id, "local", local, "utc", universal, "left", span))
	case d.Without && d.State == casefile.DutyOpen:
		p.line(6, p.Lang.Text("disclose.without.if_owed"))
	case d.Without:
		p.line(6, p.Lang.Text("disclose.without"))
	default:
		p.line(6, p.Lang.Text("disclose.open"))
	}
}

// notOwed names what is not owed in a line for each regime, and says which were not in force: a person who has decided under one of those
// would look for it in vain.
func (p *printer) notOwed() {
	var order []string
	early := map[string]string{}
	stages := map[string][]lang.Words{}
	p.section("disclose.heading.not_owed", casefile.DutyNotOwed, func(d *casefile.Duty) {
		w := p.words(d)
		if stages[w.Regime] == nil {
			order = append(order, w.Regime)
		}
		stages[w.Regime] = append(stages[w.Regime], p.Lang.Names(w.Stage)...)
		for _, s := range d.Why {
			if s.ID == "duty.not_in_force" {
				early[w.Regime] = p.Lang.Said(s.ID, s.Args).Text()
			}
		}
	})
	for _, regime := range order {
		p.line(2, p.Lang.Text("disclose.group", "regime", lang.Name(regime), "stages", p.Lang.List(stages[regime])))
		if early[regime] != "" {
			p.line(6, early[regime])
		}
	}
}

func (p *printer) classifications() {
	for i := range p.Classifications {
		c := &p.Classifications[i]
		p.line(0, "")
		name := c.Regime
		for j := range p.Owed {
			if p.Owed[j].Regime == c.Regime {
				name = p.words(&p.Owed[j]).Regime
				break
			}
		}
		p.line(0, p.Lang.Text("disclose.heading.classified", "regime", lang.Name(name)))
		switch {
		case c.Proposed && c.Since != nil:
			p.line(2, p.Lang.Text("disclose.class.proposed_since", "at", p.stamp(*c.Since)))
		case c.Proposed:
			p.line(2, p.Lang.Text("disclose.class.proposed"))
		case c.Result == "met" && c.Since != nil:
			p.line(2, p.Lang.Text("disclose.class.met_since", "at", p.stamp(*c.Since)))
		case c.Result == "met", c.Result == "not_met":
			p.line(2, p.Lang.Text("disclose.class."+c.Result))
		default:
			p.line(2, p.Lang.Text("disclose.class.open"))
		}
		if c.Act != nil {
			p.line(2, p.Lang.Text("disclose.class.act", "author", lang.Name(c.Act.Author), "at", p.stamp(c.Act.Time), "as", p.decision(c.Act.As)))
		} else {
			p.line(2, p.Lang.Text("disclose.class.no_act"))
		}
		if !p.Why {
			continue
		}
		for _, s := range append(c.Why[:len(c.Why):len(c.Why)], c.Flips...) {
			p.line(6, p.Lang.Said(s.ID, s.Args).Text())
		}
		for _, k := range c.Criteria {
			p.line(4, p.Lang.Text("form.field", "label", p.Lang.Words("duty.criterion."+k.ID), "value", p.Lang.Words("page.result."+k.Result)))
			for _, s := range k.Why {
				p.line(6, p.Lang.Said(s.ID, s.Args).Text())
			}
		}
	}
}

// decision is what an act says, in words.
func (p *printer) decision(as string) lang.Words {
	return p.Lang.Words(map[string]string{"major": "incident.major", "not_major": "incident.not_major"}[as])
}

// line writes a text, broken at spaces so that it fits, each line indented.
func (p *printer) line(indent int, text string) {
	margin := strings.Repeat(" ", indent)
	column := 0
	for word := range strings.FieldsSeq(text) {
		long := columns(word)
		switch {
		case column == 0:
			p.w.WriteString(margin)
			column = indent
		case column+1+long > listWidth:
			p.w.WriteString("\n" + margin)
			column = indent
		default:
			p.w.WriteByte(' ')
			column++
		}
		p.w.WriteString(word)
		column += long
	}
	p.w.WriteByte('\n')
}

// columns is how many columns a word takes: isolates and marks above letters take none.
func columns(word string) int {
	n := utf8.RuneCountInString(word)
	for _, r := range word {
		if r >= 0x2066 && r <= 0x2069 || r >= 0x64b && r <= 0x652 {
			n--
		}
	}
	return n
}

// note is a note in the language: English where the phrasebook does not have it, and marked so.
func (l *List) note(s string) string {
	text, _ := l.Lang.Phrase(s)
	return text
}
