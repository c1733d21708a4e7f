package disclose

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// draftForm returns the form of a draft. Build makes its sections; outward says that it goes to people outside who are no authority.
func draftForm(name, about, regime, stage string, outward bool, build func(*drafter) error) Form {
	return Form{Name: name, About: about, Regime: regime, Stage: stage, As: draft.Formats(), Write: func(w io.Writer, in *Draft) error {
		d, err := buildDraft(name, outward, in, build)
		if err != nil {
			return err
		}
		return draft.Write(w, d, in.As)
	}}
}

// draftForms are the drafts, the data of DORA apart.
func draftForms() []Form {
	return []Form{
		draftForm("nis2-early", "early warning of NIS 2", regimeNIS2, "early", false, (*drafter).nis2Early),
		draftForm("nis2-72h", "incident notification of NIS 2", regimeNIS2, "notification", false, (*drafter).nis2Notification),
		draftForm("nis2-final", "final report of NIS 2", regimeNIS2, "final", false, (*drafter).nis2Final),
		draftForm("gdpr-33", "notification of a breach to the supervisory authority", regimeGDPR, "authority", false, (*drafter).gdprAuthority),
		draftForm("gdpr-34", "letters to the persons affected", regimeGDPR, "persons", true, (*drafter).gdprPersons),
		draftForm("edps", "notification of a breach to the EDPS", regimeEUData, "edps", false, (*drafter).edps),
		draftForm("cert-eu", "early warning, notification and final report to CERT-EU", regimeEUCyber, "early", false, (*drafter).certEU),
		draftForm("public", "statement to the public", "", "", true, (*drafter).public),
		{Name: "persons", About: "list of the mailboxes whose owners to inform, to mail from", As: []string{"csv"},
			Write: func(w io.Writer, in *Draft) error { return WritePersons(w, in.Verdicts()) }},
	}
}

// buildDraft makes a draft from a case and its facts, and nothing else.
func buildDraft(form string, outward bool, in *Draft, build func(*drafter) error) (*draft.Draft, error) {
	var earlier *draft.Earlier
	if in.Previous != nil {
		var err error
		if earlier, err = draft.ReadEarlier(in.Previous); err != nil {
			return nil, fmt.Errorf("%s: %w", in.PreviousName, err)
		}
	}
	x, err := MeasureExtent(in.Verdicts())
	if err != nil {
		return nil, err
	}
	d := &drafter{in: in, c: in.Case, f: in.Facts, l: in.Lang, x: x, earlier: earlier}
	if d.f == nil {
		d.f = &Facts{}
	}
	d.zone, _ = d.f.Zone()
	if d.regimes = in.Regimes; d.regimes == nil {
		if d.regimes, err = BuiltinRegimes(); err != nil {
			return nil, err
		}
	}
	d.out = draft.Draft{Form: form, Language: d.l, Title: d.l.Words("form.title." + form), Marking: d.marking(), Outward: outward}
	d.claims()
	d.correct()
	if err := build(d); err != nil {
		return nil, err
	}
	d.warnNotOwed()
	return &d.out, nil
}

// marking returns the TLP marking of the case as words.
func (d *drafter) marking() lang.Words { return d.l.Values(d.c.Marking().String())[0] }

// drafter makes the statements of a draft.
type drafter struct {
	in      *Draft
	c       *casefile.Case
	f       *Facts
	l       *lang.Language
	x       *Extent
	earlier *draft.Earlier
	zone    *time.Location
	regimes *Regimes
	out     draft.Draft
	notOwed *casefile.Duty // what the form is for, where that is not owed
}

// law is a place in a legal text: what the glossary calls the regime, and the article. The zero law is none.
type law struct{ regime, article string }

// at returns a place within an article: law{"gdpr", "33"}.at("(1)").
func (l law) at(part string) law { return law{l.regime, l.article + part} }

// section begins a part of the draft.
func (d *drafter) section(id string, at law) {
	s := draft.Section{ID: id, Heading: d.l.Words("form.head." + id)}
	if at.regime != "" {
		s.Law = d.l.Words("form.law", "law", d.l.Words("regime."+at.regime), "article", lang.Value(at.article))
	}
	d.out.Sections = append(d.out.Sections, s)
}

func (d *drafter) current() *draft.Section { return &d.out.Sections[len(d.out.Sections)-1] }

func (d *drafter) add(s draft.Statement) {
	c := d.current()
	c.Statements = append(c.Statements, s)
}

// label returns the label of a question; the part of its name after the last place is enough for most.
func (d *drafter) label(about string) lang.Words { return d.l.Words("form.label." + about) }

// given adds what people stated: said may be empty, then it is open.
func (d *drafter) given(about string, said lang.Words, keys ...string) {
	d.stated(about, said, "", keys...)
}

func (d *drafter) stated(about string, said lang.Words, by string, keys ...string) {
	if said.Empty() {
		d.open(about, keys...)
		return
	}
	d.add(draft.Statement{About: about, Label: d.label(about), Said: said, Basis: draft.Facts, Refs: keys, By: by})
}

// open adds a question that nobody has answered, with the keys of the facts that would.
func (d *drafter) open(about string, keys ...string) {
	d.add(draft.Statement{About: about, Label: d.label(about), Said: d.l.Words("state.unknown"), Basis: draft.Open, Closes: keys})
}

// shown adds what the case proves.
func (d *drafter) shown(about string, said lang.Words, refs ...string) {
	d.add(draft.Statement{About: about, Label: d.label(about), Said: said, Basis: draft.Case, Refs: refs})
}

// sentence adds a sentence without a label.
func (d *drafter) sentence(about string, said lang.Words, basis draft.Basis, refs ...string) {
	s := draft.Statement{About: about, Said: said, Basis: basis, Refs: refs}
	if basis == draft.Open {
		s.Refs, s.Closes = nil, refs
	}
	d.add(s)
}

// Keys of the facts.
const (
	keyIncident = "disclosure.incident."
	keyEntity   = "disclosure.entity."
	keyData     = "disclosure.personal_data."
	keyImpact   = "disclosure.impact."
	keyActs     = "disclosure.acts"
	keyServices = "disclosure.services"
)

// name returns a text of the facts as words; none if it is empty.
func (d *drafter) name(s string) lang.Words {
	if s = oneLine(s); s == "" {
		return lang.Words{}
	}
	return d.l.Names(s)[0]
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// names returns a list of texts of the facts as words.
func (d *drafter) names(list []string) lang.Words {
	var words []string
	for _, s := range list {
		if s = oneLine(s); s != "" {
			words = append(words, s)
		}
	}
	return d.l.List(d.l.Names(words...))
}

// codes returns a list of codes as words: countries, techniques.
func (d *drafter) codes(list []string) lang.Words { return d.l.List(d.l.Values(list...)) }

func (d *drafter) yesNo(b *bool) lang.Words {
	switch {
	case b == nil:
		return lang.Words{}
	case *b:
		return d.l.Words("form.yes")
	}
	return d.l.Words("form.no")
}

// coded returns a list of codes of the facts in words: code.data.contact is that of "contact" among the data. What is no code is written as
// it stands.
func (d *drafter) coded(of string, list []string) lang.Words {
	var words []lang.Words
	for _, s := range list {
		if id := "code." + of + "." + s; d.l.Has(id) {
			words = append(words, d.l.Words(id))
		} else if w := d.name(s); !w.Empty() {
			words = append(words, w)
		}
	}
	return d.l.List(words)
}

// when returns a time in UTC and, where the facts give a zone, as the clocks on the wall there showed it; where people are addressed, as they
// write it.
func (d *drafter) when(t time.Time) lang.Words {
	if d.out.Outward {
		return d.l.Moment(t.In(cmp.Or(d.zone, time.UTC)))
	}
	if d.zone == nil || d.zone == time.UTC {
		return d.l.Stamp(t)
	}
	local := t.In(d.zone)
	return d.l.Words("form.time.local", "time", d.l.Stamp(t), "local", lang.Value(local.Format("2006-01-02 15:04 -07:00")), "zone", lang.Value(d.zone.String()))
}

func (d *drafter) whenOf(t *time.Time) lang.Words {
	if t == nil {
		return lang.Words{}
	}
	return d.when(*t)
}

// quantity returns a number of the facts, marked where it is an estimate.
func (d *drafter) quantity(q *Quantity) lang.Words {
	if q == nil {
		return lang.Words{}
	}
	n := d.l.Words("form.number", "n", wholeOf(q.Value))
	if q.Value != float64(wholeOf(q.Value)) {
		n = d.l.Values(fmt.Sprintf("%.2f", q.Value))[0]
	}
	if q.Basis == "estimate" {
		return d.l.Words("form.estimate", "what", n)
	}
	return n
}

func wholeOf(v float64) int64 {
	if v >= 1<<62 || v <= -1<<62 || v != v {
		return 0
	}
	return int64(v)
}

// paragraphs adds a text of the facts, a statement a paragraph.
func (d *drafter) paragraphs(about, text, key string) {
	any := false
	for _, p := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if w := d.name(p); !w.Empty() {
			d.add(draft.Statement{About: about, Said: w, Basis: draft.Facts, Refs: []string{key}})
			any = true
		}
	}
	if !any {
		d.open(about, key)
	}
}

// acts returns the acts of a kind under a regime, in the order of the facts.
func (d *drafter) acts(act, regime string) []*Act {
	var out []*Act
	for i := range d.f.Acts {
		if a := &d.f.Acts[i]; a.Act == act && a.Regime == regime {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b *Act) int { return a.Time.Compare(b.Time) })
	return out
}

func (d *drafter) lastAct(act, regime string) *Act {
	if all := d.acts(act, regime); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// organisation returns the name of the organisation, from the facts or the case.
func (d *drafter) organisation() *casefile.Organisation {
	return cmp.Or(d.f.Organisation, d.c.Organisation, &casefile.Organisation{})
}

func incidentRefs(c *casefile.Case) []string {
	var refs []string
	for i := range c.Incidents {
		refs = append(refs, "incident "+c.Incidents[i].ID)
	}
	return cappedRefs(refs)
}

// maxRefs is how many things of the case one statement names.
const maxRefs = 20

func cappedRefs(refs []string) []string {
	if n := len(refs) - maxRefs; n > 0 {
		return append(slices.Clone(refs[:maxRefs]), fmt.Sprintf("+ %d in case.json", n))
	}
	return refs
}
