package disclose

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// Names of the regimes that drafts are for, as content/regimes has them.
const (
	regimeDORA    = "dora"
	regimeNIS2    = "nis2"
	regimeGDPR    = "gdpr"
	regimeEUData  = "eu-bodies-data"
	regimeEUCyber = "eu-bodies-cyber"
)

// owed returns what is owed of the first of the stages that is not done, and otherwise of the last that is; nil if none is there.
func (d *drafter) owed(regime string, stages ...string) (last *casefile.Duty) {
	for _, s := range stages {
		for i := range d.in.Owed {
			o := &d.in.Owed[i]
			if o.Regime != regime || o.Stage != s {
				continue
			}
			if o.State != casefile.DutyDone && o.State != casefile.DutyNotOwed {
				return o
			}
			last = o
		}
	}
	return last
}

// nis2Early is the early warning of Directive (EU) 2022/2555, Article 23(4)(a).
func (d *drafter) nis2Early() error {
	at := law{regimeNIS2, "23(4)(a)"}
	d.who(regimeNIS2, "early")
	d.contact("primary")
	d.times(law{}, d.owed(regimeNIS2, "early"), regimeNIS2)
	d.suspicion(regimeNIS2, at)
	d.happened(law{})
	d.missing(law{})
	return nil
}

// nis2Notification is the incident notification of Article 23(4)(b).
func (d *drafter) nis2Notification() error {
	at := law{regimeNIS2, "23(4)(b)"}
	d.who(regimeNIS2, "notification")
	d.contact("primary")
	d.times(law{}, d.owed(regimeNIS2, "notification"), regimeNIS2)
	d.suspicion(regimeNIS2, law{regimeNIS2, "23(4)(a)"})
	d.happened(law{})
	d.severity(at)
	d.reached(at)
	d.indicators(at)
	d.missing(law{})
	return nil
}

// nis2Final is the final report of Article 23(4)(d).
func (d *drafter) nis2Final() error {
	at := law{regimeNIS2, "23(4)(d)"}
	if !slices.ContainsFunc(d.acts(actSubmitted, regimeNIS2), func(a *Act) bool { return a.Stage == "notification" }) {
		return fmt.Errorf("the final report follows the incident notification: say in disclosure.acts that it was submitted (act: submitted, regime: %s, stage: notification), when and with which receipt", regimeNIS2)
	}
	d.who(regimeNIS2, "final")
	d.contact("primary")
	d.times(law{}, d.owed(regimeNIS2, "progress", "final"), regimeNIS2)
	d.happened(at.at("(i)"))
	d.severity(at.at("(i)"))
	d.reached(at.at("(i)"))
	d.rootCause(at.at("(ii)"))
	d.measures(at.at("(iii)"))
	d.section("border", at.at("(iv)"))
	d.given("cross_border", d.yesNo(d.f.Incident.CrossBorder), keyIncident+"cross_border")
	d.given("member_states", d.codes(d.f.Impact.MemberStates), keyImpact+"member_states")
	d.indicators(law{})
	d.missing(law{})
	return nil
}

// rootCause says what kind of threat it was and why it could happen.
func (d *drafter) rootCause(at law) {
	d.section("cause", at)
	d.given("root_cause", d.name(d.f.Incident.RootCause.Text), keyIncident+"root_cause.text")
	d.given("techniques", d.coded("technique", d.f.Incident.Techniques), keyIncident+"techniques")
	if t := d.f.Incident.RootCause.Addressed; t != nil {
		d.given("addressed", d.when(*t), keyIncident+"root_cause.addressed")
	}
}

// gdprAuthority is the notification to the supervisory authority, Regulation (EU) 2016/679, Article 33.
func (d *drafter) gdprAuthority() error {
	d.breach(regimeGDPR, "authority", law{regimeGDPR, "33"})
	return nil
}

// edps is the notification to the European Data Protection Supervisor, Regulation (EU) 2018/1725, Article 34.
func (d *drafter) edps() error {
	d.breach(regimeEUData, "edps", law{"eudpr", "34"})
	return nil
}

// breach is a notification of a personal data breach. The two laws ask for the same under the same letters; what the form of CNIL asks besides
// stands under "told" and "others".
func (d *drafter) breach(regime, stage string, at law) {
	d.who(regime, stage)
	d.given("controller", d.role(), keyData+"controller")
	d.section("contact", at.at("(3)(b)"))
	d.contact("dpo")
	phase := "form.phase.first"
	if slices.ContainsFunc(d.acts(actSubmitted, regime), func(a *Act) bool { return a.Stage == stage }) {
		phase = "form.phase.further"
	}
	d.times(at.at("(1)"), d.owed(regime, stage), regime)
	d.given("phase", d.l.Words(phase), keyActs)
	d.happened(at.at("(3)(a)"))
	d.reached(at.at("(3)(a)"))
	d.data(at.at("(3)(a)"))
	d.consequences(at.at("(3)(c)"))
	d.measures(at.at("(3)(d)"))
	d.given("measures_before", d.names(d.f.PersonalData.MeasuresBefore), keyData+"measures_before")
	d.told(regime, law{})
	d.others(regime, law{})
	d.given("cross_border", d.yesNo(d.f.Incident.CrossBorder), keyIncident+"cross_border")
	d.missing(at.at("(4)"))
}

func (d *drafter) role() lang.Words {
	switch c := d.f.PersonalData.Controller; {
	case c == nil:
		return lang.Words{}
	case *c:
		return d.l.Words("breach.controller")
	}
	return d.l.Words("breach.processor")
}

// certEU is the report to CERT-EU, Regulation (EU, Euratom) 2023/2841, Article 21: early warning, notification and final report hold
// ever more of the same.
func (d *drafter) certEU() error {
	at := law{"euibas", "21"}
	done := 0 // stages
	for _, a := range d.acts(actSubmitted, regimeEUCyber) {
		done = max(done, 1+slices.Index([]string{"early", "notification"}, a.Stage))
	}
	stage := [...]string{"early_warning", "notification", "final"}[done]
	d.who(regimeEUCyber, "")
	d.given("stage", d.l.Words("report."+stage), keyActs)
	d.contact("primary")
	d.times(at, d.owed(regimeEUCyber, "early", "notification", "final"), regimeEUCyber)
	d.suspicion(regimeEUCyber, at)
	d.happened(at)
	if done >= 1 {
		d.severity(at)
		d.reached(at)
		d.indicators(at)
	}
	if done >= 2 {
		d.rootCause(at)
		d.measures(at)
	}
	d.missing(law{})
	return nil
}

// gdprPersons are the letters to the persons concerned, Article 34: one for each state of knowledge, in plain language.
func (d *drafter) gdprPersons() error {
	regime, at := regimeGDPR, law{regimeGDPR, "34(1)"}
	if d.organisation().Kind == "eu-body" {
		regime, at = regimeEUData, law{"eudpr", "35(1)"}
	}
	d.told(regime, at)
	d.due(d.owed(regime, "persons"))
	d.current().Internal = true
	d.persons()
	d.given("unintelligible", d.yesNo(d.f.PersonalData.Unintelligible), keyData+"unintelligible")
	if d.x.Kinds[kindMailbox].all() == 0 {
		d.sentence("reached", d.l.Words("accessed.unjudged"), draft.Open, "attacker", "window", "inventory")
	} else if len(d.x.Letters) == 0 {
		d.verdict(kindMailbox, "content", d.x.Kinds[kindMailbox].Content)
	}
	for _, letter := range Letters() {
		if d.x.Letters[letter] > 0 {
			d.letter(letter)
		}
	}
	return nil
}

// letter writes one letter. It names no mailbox: the list of persons does.
func (d *drafter) letter(letter Letter) {
	d.section("letter-"+string(letter), law{})
	s := d.current()
	s.Page, s.Greeting = true, d.l.Words("letter.greeting")
	ref := "verdicts mailbox " + string(letter)
	d.attack()
	content, metadata := letter.exposureOf()
	d.sentence("letter.content", d.l.Words("letter.content."+content), draft.Case, ref)
	if metadata != "" {
		d.sentence("letter.metadata", d.l.Words("letter.metadata."+metadata), draft.Case, ref)
	}
	p := &d.f.PersonalData
	d.plain("data", d.coded("data", p.Data), keyData+"data")
	d.plain("consequences", d.coded("consequence", p.Consequences), keyData+"consequences")
	d.plain("measures", d.names(p.Measures), keyData+"measures")
	d.plain("advice", d.names(p.Advice), keyData+"advice")
	d.contact("dpo")
}

// plain adds a sentence that introduces what people stated.
func (d *drafter) plain(about string, said lang.Words, key string) {
	if said.Empty() {
		d.open(about, key)
		return
	}
	d.sentence(about, d.l.Words("letter."+about, "list", said), draft.Facts, key)
}

// attack says in plain language that there was one, if the logs show it or people say so.
func (d *drafter) attack() {
	o := d.name(d.organisation().Name)
	if o.Empty() {
		o = d.l.Words("letter.us")
	}
	if m := d.f.Incident.Malicious; len(d.c.Incidents) > 0 && (m == nil || *m) {
		d.sentence("attack", d.l.Words("letter.attack", "organisation", o, "days", d.days(firstEvent(d.c), d.lastEvent())), draft.Case, incidentRefs(d.c)...)
	} else {
		d.paragraphs("description", d.f.Incident.Description, keyIncident+"description")
	}
	if t := d.f.Incident.Detected; t != nil {
		d.sentence("detected", d.l.Words("letter.detected", "day", d.days(t, *t)), draft.Facts, keyIncident+"detected")
	} else {
		d.open("detected", keyIncident+"detected")
	}
}

// days returns the days from first to last, as the calendar of the entity has them; where the last is not known, the first.
func (d *drafter) days(first *time.Time, last time.Time) lang.Words {
	if first == nil {
		return d.l.Words("time.unknown")
	}
	zone := cmp.Or(d.zone, time.UTC)
	if !last.IsZero() {
		last = last.In(zone)
	}
	return d.l.Dates(first.In(zone), last)
}

// public is a statement to everybody. It names no host, account or address but in the words of people, and then warns of it.
func (d *drafter) public() error {
	d.section("clearance", law{})
	d.current().Internal = true
	if d.c.Marking() != casefile.TLPClear {
		d.sentence("tlp", d.l.Words("form.clearance", "tlp", d.marking()), draft.Case, "case.json tlp")
	}
	d.named(map[string][]string{
		keyIncident + "description": {d.f.Incident.Description},
		keyData + "measures":        d.f.PersonalData.Measures,
		keyData + "advice":          d.f.PersonalData.Advice,
	})
	if len(d.current().Statements) == 0 {
		d.out.Sections = d.out.Sections[:len(d.out.Sections)-1]
	}
	d.section("public.happened", law{})
	d.attack()
	if len(d.c.Incidents) > 0 && (d.f.Incident.Malicious == nil || *d.f.Incident.Malicious) && oneLine(d.f.Incident.Description) != "" {
		d.paragraphs("description", d.f.Incident.Description, keyIncident+"description")
	}
	d.services()
	d.section("public.known", law{})
	known := false
	for _, kind := range []string{kindMailbox, kindMessage, kindFile} {
		if k := d.x.Kinds[kind]; k.all() > 0 {
			known = true
			d.verdict(kind, "content", k.Content)
			d.verdict(kind, "metadata", k.onlyMetadata())
		}
	}
	if !known {
		d.sentence("reached", d.l.Words("accessed.unjudged"), draft.Open, "attacker", "window", "inventory")
	}
	d.unlisted()
	d.messages()
	settled := d.notConfidential() == "" && (d.f.Impact.Data.Confidentiality != nil || len(d.accessed()) > 0)
	if settled {
		d.confidentiality()
	}
	if t := d.f.Incident.Recovered; t != nil {
		d.given("recovered", d.when(*t), keyIncident+"recovered")
	}
	counted := d.f.PersonalData.Persons != nil && d.notNobody() == ""
	if counted {
		d.affected()
	}
	d.section("public.unknown", law{})
	for _, kind := range []string{kindMailbox, kindMessage, kindFile} {
		if k := d.x.Kinds[kind]; k != nil && k.Content.Possible > 0 {
			d.sentence("unknown.possible", d.l.Words("form.public.possible"), draft.Case, "verdicts "+kind+" content possible")
			break
		}
	}
	if !settled {
		d.confidentiality()
	}
	if !counted {
		d.affected()
	}
	if d.f.Incident.Recovered == nil {
		d.open("recovered", keyIncident+"recovered")
	}
	d.section("public.doing", law{})
	d.plain("measures", d.names(d.f.PersonalData.Measures), keyData+"measures")
	d.plain("advice", d.names(d.f.PersonalData.Advice), keyData+"advice")
	d.section("public.next", law{})
	if t := d.f.Incident.NextStatement; t != nil {
		d.sentence("next", d.l.Words("form.public.next", "time", d.when(*t)), draft.Facts, keyIncident+"next_statement")
	} else {
		d.open("next", keyIncident+"next_statement")
	}
	d.contact("press")
	return nil
}
