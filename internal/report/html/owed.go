package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// What is drawn at most of what is owed.
const (
	maxOwedFirst = 7 // duties on the first screen: what is due, and what a clock runs for
	minOwedFirst = 4 // others stand there up to so many
	maxDuties    = 200
	maxMissing   = 20
)

// owedView is what the organisation owes, to whom, by when.
type owedView struct {
	Any     bool
	First   []dutyView // on the first screen: what a clock runs for, the earliest first
	More    markup     // on the first screen
	All     []dutyView
	Not     []dutyView // those that are not owed
	Left    markup
	Classes []classView
}

type dutyView struct {
	Anchor      string
	Name        markup // regime and stage
	Recipient   markup
	State       string // of the class
	StateWords  markup
	Due, Local  markup
	Without     bool
	Starts      markup
	Started     markup
	Done        markup
	Receipt     string
	Form        string
	Why         []markup
	Note        markup
	Missing     []string
	MissingMore markup
	Source      legalView
}

// legalView is where a rule stands.
type legalView struct {
	Act, CELEX, Article string
	Checked             bool
}

// classView is what the rules of a regime say of the incident.
type classView struct {
	Regime      markup
	Result      string // of the class
	ResultWords markup
	Since       markup
	Why         []markup
	Criteria    []criterionView
	Flips       []markup
	Act         markup
	Reason      markup
}

type criterionView struct {
	Name        markup
	Result      string
	ResultWords markup
	Since       markup
	Why         []markup
	Missing     []string
	Source      legalView
}

var dutyStates = []string{casefile.DutyDue, casefile.DutyOpen, casefile.DutyWaiting, casefile.DutyDone, casefile.DutyNotOwed}

// owed builds what the page shows of duties and classifications.
func (p *page) owed(c *casefile.Case) {
	v := &p.Owed
	v.Any = len(c.Owed) > 0 || len(c.Classifications) > 0
	order := make([]*casefile.Duty, len(c.Owed))
	for i := range c.Owed {
		order[i] = &c.Owed[i]
	}
	slices.SortStableFunc(order, func(a, b *casefile.Duty) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)), cmp.Compare(question(a), question(b)), dueOf(a).Compare(dueOf(b)), cmp.Compare(haste(a), haste(b)))
	})
	running := 0
	for i, d := range order {
		if i == maxDuties {
			v.Left = p.t("page.left", "n", len(order)-i, "file", p.val(casefile.CaseFile), "all", len(order))
			break
		}
		view := p.duty(d, fmt.Sprintf("d%d", i+1))
		if d.State == casefile.DutyNotOwed {
			v.Not = append(v.Not, view)
			continue
		}
		v.All = append(v.All, view)
		if d.State != casefile.DutyDue && d.State != casefile.DutyOpen && d.State != casefile.DutyWaiting {
			continue
		}
		running++
		clock := d.State == casefile.DutyDue || d.State == casefile.DutyOpen && d.Due != nil && !d.Question
		if n := len(v.First); n < minOwedFirst || clock && n < maxOwedFirst {
			v.First = append(v.First, view)
		}
	}
	if n := running - len(v.First); n > 0 {
		v.More = p.t("page.more.below", "n", n)
	}
	for i := range c.Classifications {
		v.Classes = append(v.Classes, p.classification(&c.Classifications[i]))
	}
}

// urgency orders states: what a clock runs for first, then what is owed without undue delay, what is open, and what is not.
func urgency(d *casefile.Duty) int {
	switch {
	case d.State == casefile.DutyDue && d.Due != nil:
		return 0
	case d.State == casefile.DutyDue:
		return 1
	}
	return 1 + max(slices.Index(dutyStates, d.State), 1)
}

// question orders what is open: whether a law is for the organisation at all comes after the clocks that may run.
func question(d *casefile.Duty) int {
	if d.Question {
		return 1
	}
	return 0
}

// dueOf is when a duty is due; what has no hour comes after all that has one.
func dueOf(d *casefile.Duty) time.Time {
	if d.Due == nil {
		return time.Unix(1<<40, 0)
	}
	return *d.Due
}

// haste orders what has no hour: what is owed without undue delay comes first.
func haste(d *casefile.Duty) int {
	if d.Without {
		return 0
	}
	return 1
}

func (p *page) duty(d *casefile.Duty, anchor string) dutyView {
	v := dutyView{
		Anchor: anchor, State: "open", Without: d.Without,
		Receipt: cut(d.Receipt, maxName), Form: cut(d.Form, maxName), Source: legal(d.Source),
	}
	v.Name, v.Recipient, v.Note = p.dutyWords(d)
	if slices.Contains(dutyStates, d.State) {
		v.State = d.State
	}
	v.StateWords = p.t("page.duty." + v.State)
	if d.Due != nil {
		v.Due = p.valOf(oneTime, d.Due.UTC().Format("2006-01-02 15:04")+" UTC")
		if t, err := time.Parse(time.RFC3339, d.Local); err == nil && t.Format("-07:00") != "+00:00" {
			v.Local = p.valOf(oneTime, t.Format("2006-01-02 15:04 -07:00"))
		}
	}
	if d.Starts != "" {
		v.Starts = p.startWords(d.Starts)
	}
	if d.Started != nil {
		v.Started = p.at(*d.Started)
	}
	if d.Done != nil {
		v.Done = p.at(*d.Done)
	}
	for i := range first(d.Why, maxReasons*2) {
		v.Why = append(v.Why, p.said(d.Why[i].ID, d.Why[i].Args, d.Why[i].Text))
	}
	for _, key := range first(d.Missing, maxMissing) {
		v.Missing = append(v.Missing, cut(key, maxName))
	}
	if n := len(d.Missing) - maxMissing; n > 0 {
		v.MissingMore = p.t("page.more", "n", n)
	}
	return v
}

// known returns the first message that the catalogue has, or text as it stands in the case.
func (s *say) known(text string, ids ...string) markup {
	for _, id := range ids {
		if s.l.Has(id) {
			return s.t(id)
		}
	}
	return s.val(cut(text, maxName))
}

func (s *say) regime(name string) markup { return s.known(name, "regime."+name) }

// dutyWords are what a duty, to whom it is owed and what else to know of it are called: by the data of its regime, in English where that lacks the language.
func (s *say) dutyWords(d *casefile.Duty) (name, recipient, note markup) {
	say := func(text string) markup { return s.t("page.is", "what", lang.Name(cut(text, maxText))) }
	w, ok := d.Words[s.l.Tag()]
	if !ok {
		if w, ok = d.Words[lang.English]; ok {
			say = func(text string) markup { return s.seen(s.l.English(cut(text, maxText))) }
		}
	}
	regime, stage := s.regime(d.Regime), s.known(d.Stage, "report."+d.Stage)
	if ok && w.Regime != "" {
		regime = say(w.Regime)
	}
	if ok && w.Stage != "" {
		stage = say(w.Stage)
	}
	recipient = s.name(cut(d.Recipient, maxName))
	if ok && w.Recipient != "" {
		recipient = say(w.Recipient)
	}
	if w.Note != "" {
		note = say(w.Note)
	}
	return s.t("page.duty", "regime", regime, "stage", stage), recipient, note
}

// startWords names the event that starts a clock: classified, or submitted:initial.
func (s *say) startWords(name string) markup {
	event, stage, _ := strings.Cut(name, ":")
	if id := "duty.event." + event; s.l.Has(id) {
		if stage != "" {
			return s.t("page.duty", "regime", s.w(id), "stage", s.known(stage, "report."+stage))
		}
		return s.t(id)
	}
	return s.val(cut(name, maxName))
}

func legal(l casefile.Legal) legalView {
	return legalView{cut(l.Act, maxName), cut(l.CELEX, 40), cut(l.Article, maxName), l.Checked}
}

// results are what a rule of a classification can say.
var results = []string{"met", "not_met", "open"}

func (p *page) result(r string) (class string, words markup) {
	if !slices.Contains(results, r) {
		r = "open"
	}
	return r, p.t("page.result." + r)
}

func (p *page) classification(c *casefile.Classification) classView {
	v := classView{Regime: p.regime(c.Regime), Why: p.sayings(c.Why), Flips: p.sayings(c.Flips)}
	v.Result, v.ResultWords = p.result(c.Result)
	switch {
	case c.Proposed:
		v.Result, v.ResultWords = "open", p.t("page.result.proposed")
		if c.Since != nil {
			v.Since = p.t("page.class.since_latest", "time", p.at(*c.Since))
		}
	case c.Since != nil:
		v.Since = p.t("page.class.since", "time", p.at(*c.Since))
	}
	for i := range first(c.Criteria, maxDuties) {
		k := &c.Criteria[i]
		kv := criterionView{Name: p.known(k.ID, "page.criterion."+k.ID), Why: p.sayings(k.Why), Source: legal(k.Source)}
		kv.Result, kv.ResultWords = p.result(k.Result)
		if k.Since != nil {
			kv.Since = p.at(*k.Since)
		}
		for _, key := range first(k.Missing, maxMissing) {
			kv.Missing = append(kv.Missing, cut(key, maxName))
		}
		v.Criteria = append(v.Criteria, kv)
	}
	if a := c.Act; a != nil {
		v.Act = p.t("page.act", "as", p.known(a.As, "incident."+a.As), "author", p.name(cut(a.Author, maxName)), "time", p.at(a.Time))
		v.Reason = p.name(a.Reason)
	}
	return v
}

func (p *page) sayings(all []casefile.Said) []markup {
	var out []markup
	for i := range first(all, 2*maxReasons) {
		out = append(out, p.said(all[i].ID, all[i].Args, all[i].Text))
	}
	return out
}
