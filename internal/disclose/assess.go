package disclose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/strictyaml"
)

// Assess says what is owed, and what the rules of regimes say of the incident. It decides nothing, and looks at no clock. An error is one of
// the facts, and names the line.
func Assess(in *Input) (*Result, error) {
	regimes := in.Regimes
	if regimes == nil {
		var err error
		if regimes, err = BuiltinRegimes(); err != nil {
			return nil, err
		}
	}
	if err := in.Facts.CheckRegimes(regimes); err != nil {
		return nil, err
	}
	content, metadata, err := in.accessProven()
	if err != nil {
		return nil, err
	}
	proven := content || metadata
	r := &Result{Notes: contradictions(in, proven)}
	for _, g := range regimes.list {
		zone, _ := in.Facts.Zone()
		if g.zone != nil {
			zone = g.zone
		}
		for _, d := range g.Duties {
			k := reckoning{asked: asked{in: in, regime: g, proven: proven}, regimes: regimes, rule: d, zone: zone}
			k.reckon()
			r.Owed = append(r.Owed, k.duty)
		}
	}
	slices.SortStableFunc(r.Owed, byUrgency)
	if g := regimes.Find(regimeDORA); g != nil && (&asked{in: in, regime: g, proven: proven}).applies() != notMet {
		classified, err := classifyDORA(in)
		if err != nil {
			return nil, err
		}
		r.Classifications = append(r.Classifications, classified)
	}
	return r, nil
}

// applies says whether a regime applies, as far as is known.
func (a *asked) applies() truth {
	if says, ok := a.in.Facts.Entity.Regimes[a.regime.Name]; ok {
		if says {
			return met
		}
		return notMet
	}
	return a.condition(&a.regime.Applies).truth
}

// byUrgency orders duties: what runs by its time, then what is owed without one, what is open, what waits, what is done and what is not owed.
func byUrgency(a, b casefile.Duty) int {
	return cmp.Or(rank(&a)-rank(&b), compareTimes(a.Due, b.Due))
}

func rank(d *casefile.Duty) int {
	switch {
	case d.State == casefile.DutyDone:
		return 4
	case d.State == casefile.DutyNotOwed:
		return 5
	case d.Question:
		return 2
	case d.State == casefile.DutyWaiting:
		return 3
	case d.Due != nil:
		return 0
	case d.State == casefile.DutyDue:
		return 1
	}
	return 2
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// CheckRegimes fails where the facts name a regime or a stage that there is not, decide what is not decided under a regime, or have a stage
// submitted before the one that it follows.
func (f *Facts) CheckRegimes(regimes *Regimes) error {
	for _, name := range sortedKeys(f.Entity.Regimes) {
		if regimes.Find(name) == nil {
			return fmt.Errorf("%sthere is no regime %s", f.line(entity("regimes", name)...), unlike(name, regimes.names()))
		}
	}
	for _, name := range sortedKeys(f.Incident.Delay) {
		if regimes.Find(name) == nil {
			return fmt.Errorf("%sthere is no regime %s", f.line(incident("delay", name)...), unlike(name, regimes.names()))
		}
	}
	for _, name := range sortedKeys(f.Entity.Recipients) {
		if err := checkRecipient(name, regimes); err != nil {
			return fmt.Errorf("%s%w", f.line(entity("recipients", name)...), err)
		}
	}
	for i := range f.Acts {
		if err := f.checkActUnder(&f.Acts[i], regimes); err != nil {
			return fmt.Errorf("%s%w", f.line("disclosure", "acts", i), err)
		}
	}
	return nil
}

// checkRecipient looks at a key of entity.recipients: a regime, or a regime and a stage.
func checkRecipient(name string, regimes *Regimes) error {
	all := regimes.names()
	for _, g := range regimes.list {
		for _, d := range g.Duties {
			all = append(all, g.Name+"."+d.Stage)
		}
	}
	if slices.Contains(all, name) {
		return nil
	}
	return fmt.Errorf("there is no regime %q: they are %s, or with a stage such as gdpr.persons%s", name, strings.Join(regimes.names(), ", "), strictyaml.DidYouMean(name, all))
}

// unlike names what is none of a list, the list, and what of it may be meant.
func unlike(name string, list []string) string {
	return fmt.Sprintf("%q: they are %s%s", name, strings.Join(list, ", "), strictyaml.DidYouMean(name, list))
}

func (f *Facts) checkActUnder(a *Act, regimes *Regimes) error {
	g := regimes.Find(a.Regime)
	if g == nil {
		return fmt.Errorf("%s: there is no regime %s", a.Act, unlike(a.Regime, regimes.names()))
	}
	if a.Stage == "" {
		if !slices.Contains(g.Decisions, a.Act) {
			return fmt.Errorf("%s: nothing is %s under %s", a.Act, a.Act, a.Regime)
		}
		return nil
	}
	d := g.rule(a.Stage)
	if d == nil {
		return fmt.Errorf("%s: %s has no stage %s", a.Act, a.Regime, unlike(a.Stage, g.stages()))
	}
	before, follows := submission(d.Starts)
	if a.Act != actSubmitted || !follows {
		return nil
	}
	for i := range f.Acts {
		b := &f.Acts[i]
		if b.Act == actSubmitted && b.Regime == a.Regime && b.Stage == before && !b.Time.After(a.Time) {
			return nil
		}
	}
	return fmt.Errorf("submitted: %s of %s on %s: no %s was submitted before it", a.Stage, a.Regime, written(a.Time), before)
}

// contradictions says where the facts and the case say different things: both are said, and people decide.
func contradictions(in *Input, proven bool) []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, "facts: "+fmt.Sprintf(format, args...)) }
	i := &in.Facts.Incident
	first := firstEvent(in.Case)
	if first != nil && i.Occurred != nil && first.Before(*i.Occurred) {
		note("disclosure.incident.occurred: %s, but the first event of an incident in the evidence was on %s: one of the two is wrong, or the event is not of this incident",
			written(*i.Occurred), written(*first))
	}
	if known := cmp.Or(i.Detected, i.Aware); first != nil && known != nil && known.Before(*first) {
		note("disclosure.incident: it was known on %s, before the first event of an incident in the evidence (%s): earlier evidence is missing, or the facts are of another case",
			written(*known), written(*first))
	}
	if first != nil && i.Recovered != nil && i.Recovered.Before(*first) {
		note("disclosure.incident.recovered: %s is before the first event of an incident in the evidence (%s)", written(*i.Recovered), written(*first))
	}
	if i.Resolved != nil {
		for n := range in.Case.Incidents {
			if c := &in.Case.Incidents[n]; c.Last.After(*i.Resolved) {
				note("disclosure.incident.resolved: %s, but incident %s goes on until %s", written(*i.Resolved), c.ID, written(c.Last))
				break
			}
		}
	}
	if p := in.Facts.PersonalData.Persons; p != nil && p.Value == 0 && proven {
		note("disclosure.personal_data.persons: 0, but records prove that mail or files were accessed: a breach of personal data is taken to be one")
	} else if p != nil && p.Value == 0 && accessPossible(in.Case) {
		note("disclosure.personal_data.persons: 0, but mail may have been accessed: how many persons that concerns is open, until somebody decides on the risk")
	}
	if i.Malicious != nil && !*i.Malicious && attackerSessions(in.Case) > 0 {
		note("disclosure.incident.malicious: false, but sessions are attributed to an attacker: whether it was is taken to be open")
	}
	return notes
}
