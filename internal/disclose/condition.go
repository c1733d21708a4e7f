package disclose

import (
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Condition is met where one of Any is, each a list of questions with the answers that all must have, and none of Unless is known to be. An empty Any is
// met. Where what it asks is not known, it is open.
type Condition struct {
	Any    []map[string][]string `yaml:"any"`
	Unless []map[string][]string `yaml:"unless"`
	// Otherwise is open where it is not known what follows if none of Any is met.
	Otherwise string `yaml:"otherwise"`
}

// truth is what a condition or a criterion comes to, as the case writes it.
type truth string

const (
	notMet truth = "not_met"
	open   truth = "open" // it depends on what nobody has said
	met    truth = "met"
)

// answer is what the facts and the case say to a question: one value, or several that are all true of it.
type answer struct {
	values []string
	known  bool
	key    string // of the facts, that answers it
}

// asked is what questions are put to: the facts and the case, under one regime.
type asked struct {
	in     *Input
	regime *Regime
	proven bool // records of the case prove access to what holds personal data
}

// questions are what conditions may ask. Where it is a key of the facts, it has the name of that key.
var questions = map[string]func(a *asked) answer{
	"organisation.kind": func(a *asked) answer {
		if o := a.in.Facts.Organisation; o != nil && o.Kind != "" {
			return given1(o.Kind, "organisation.kind")
		}
		return answer{values: []string{"none"}, key: "organisation.kind"}
	},
	"country": func(a *asked) answer {
		w := given1(a.in.Facts.Home(), "organisation.country")
		if slices.Contains(eea, a.in.Facts.Home()) {
			w.values = append(w.values, "eea")
		}
		return w
	},
	"disclosure.entity.types": func(a *asked) answer {
		if len(a.in.Facts.Entity.Types) == 0 {
			return answer{values: []string{"none"}, key: "disclosure.entity.types"}
		}
		return answer{values: append([]string{"any"}, a.in.Facts.Entity.Types...), known: true, key: "disclosure.entity.types"}
	},
	"disclosure.entity.nis2": func(a *asked) answer { return given1(a.in.Facts.Entity.NIS2, "disclosure.entity.nis2") },
	"disclosure.entity.trust_services": func(a *asked) answer {
		return given1(a.in.Facts.Entity.TrustServices, "disclosure.entity.trust_services")
	},
	"disclosure.entity.listed":  func(a *asked) answer { return yesNo(a.in.Facts.Entity.Listed, "disclosure.entity.listed") },
	"disclosure.entity.insured": func(a *asked) answer { return yesNo(a.in.Facts.Entity.Insured, "disclosure.entity.insured") },
	"disclosure.incident.malicious": func(a *asked) answer {
		is := a.in.Facts.Incident.Malicious
		if is != nil && !*is && attackerSessions(a.in.Case) > 0 {
			is = nil
		}
		return yesNo(is, "disclosure.incident.malicious")
	},
	"disclosure.incident.cross_border": func(a *asked) answer {
		return yesNo(a.in.Facts.Incident.CrossBorder, "disclosure.incident.cross_border")
	},
	"disclosure.personal_data.controller": func(a *asked) answer {
		return yesNo(a.in.Facts.PersonalData.Controller, "disclosure.personal_data.controller")
	},
	"disclosure.impact.financial_interest": func(a *asked) answer {
		s := a.in.Facts.Impact.FinancialInterest
		if s == "information_not_available" {
			s = ""
		}
		return given1(s, "disclosure.impact.financial_interest")
	},
	"breach":      breach,
	"classified":  func(a *asked) answer { return a.decided(actClassified, actReclassified) },
	"risk":        func(a *asked) answer { return a.decided(actRisk) },
	"significant": func(a *asked) answer { return a.decided(actSignificant) },
	"material":    func(a *asked) answer { return a.decided(actMaterial) },
	"reclassified": func(a *asked) answer {
		w := a.decided(actReclassified)
		if !w.known {
			return answer{values: []string{"none"}, known: true, key: w.key}
		}
		return w
	},
}

func given1(value, key string) answer {
	if value == "" {
		return answer{key: key}
	}
	return answer{values: []string{value}, known: true, key: key}
}

func yesNo(b *bool, key string) answer {
	switch {
	case b == nil:
		return answer{key: key}
	case *b:
		return given1("yes", key)
	}
	return given1("no", key)
}

// decided is what the last of some acts says.
func (a *asked) decided(acts ...string) answer {
	last := a.in.Facts.latest(a.regime.Name, acts...)
	if last == nil {
		return answer{key: actKey(acts[0], a.regime.Name)}
	}
	return given1(last.As, "disclosure.acts: {act: "+last.Act+", regime: "+last.Regime+"}")
}

// actKey is how the facts say an act that is missing, with what it takes: disclosure.acts: {act: risk, regime: gdpr, as: unlikely|risk|high}.
func actKey(act, regime string) string {
	takes := ""
	for _, k := range actKinds {
		switch {
		case k.name != act:
		case k.stage:
			takes = ", stage: …"
		default:
			takes = ", as: " + strings.Join(k.as, "|")
		}
	}
	return "disclosure.acts: {act: " + act + ", regime: " + regime + takes + "}"
}

// breach answers whether there is a personal data breach: yes where people say which or how many persons or data are concerned, or the
// records of the case prove that mail or files were accessed, which hold personal data. No only where people say that nobody is concerned.
func breach(a *asked) answer {
	const key = "disclosure.personal_data.persons"
	p := &a.in.Facts.PersonalData
	some := len(p.Categories)+len(p.Data)+len(p.Sensitive) > 0
	for _, q := range []*Quantity{p.Persons, p.Records} {
		some = some || q != nil && q.Value > 0
	}
	switch {
	case some || a.proven:
		return given1("yes", key)
	case p.Persons != nil && p.Persons.Value == 0 && !accessPossible(a.in.Case):
		return given1("no", key)
	}
	return answer{key: key}
}

// accessProven says whether records of the case prove that mail or files, and whether what tells of them, were accessed.
func (in *Input) accessProven() (content, metadata bool, err error) {
	counts := in.Case.Summary.Reached
	look := counts == nil
	for kind, n := range counts {
		if !isData(kind) {
			continue
		}
		content = content || n.Confirmed > 0
		look = look || n.Possible+n.MetadataConfirmed > 0
	}
	if content || !look {
		return content, content, nil
	}
	for r, err := range in.Verdicts() {
		if err != nil {
			return false, false, err
		}
		if isData(r.CountedAs()) {
			content, metadata = content || contentOf(r) == casefile.Confirmed, metadata || r.Levels.Metadata == casefile.Confirmed
		}
		if content || metadata && counts != nil {
			break
		}
	}
	return content, metadata, nil
}

// isData reports whether what is counted as a kind is mail or files. Web shells are not: the attacker put them there.
func isData(kind string) bool {
	return kind == kindMailbox || kind == kindMessage || kind == kindFolder || kind == kindFile
}

// accessPossible says whether records leave it open that mail was accessed: nobody can know then that it concerns no person.
func accessPossible(c *casefile.Case) bool {
	for _, kind := range []string{kindMailbox, kindMessage, kindFolder} {
		if c.Summary.Reached[kind].Possible > 0 {
			return true
		}
	}
	return false
}

// ask answers a question of a condition.
func (a *asked) ask(name string) answer {
	if stage, ok := submission(name); ok {
		if len(a.submissions(stage)) > 0 {
			return given1("yes", "")
		}
		return given1("no", "")
	}
	return questions[name](a)
}

// judged is what a condition came to, by which answer and for want of which keys.
type judged struct {
	truth   truth
	by      []answer // what made it no, or yes
	missing []string // keys that would decide what is open
}

// all judges questions that must all have one of their answers.
func (a *asked) all(terms map[string][]string) judged {
	j := judged{truth: met}
	for _, name := range sortedKeys(terms) {
		got := a.ask(name)
		switch {
		case slices.ContainsFunc(got.values, func(v string) bool { return slices.Contains(terms[name], v) }):
			j.by = append(j.by, got)
		case got.known:
			return judged{truth: notMet, by: []answer{got}}
		default:
			j.truth = open
			j.missing = append(j.missing, got.key)
		}
	}
	return j
}

// condition judges a condition.
func (a *asked) condition(c *Condition) judged {
	if j := a.unless(c.Unless); j.truth == met {
		return judged{truth: notMet, by: j.by}
	}
	if len(c.Any) == 0 {
		return judged{truth: met}
	}
	all := judged{truth: notMet}
	for _, terms := range c.Any {
		j := a.all(terms)
		switch j.truth {
		case met:
			return j
		case open:
			all.truth = open
			all.missing = append(all.missing, j.missing...)
		case notMet:
			all.by = append(all.by, j.by...)
		}
	}
	if all.truth == notMet && c.Otherwise == "open" {
		return judged{truth: open, missing: []string{"disclosure.entity.regimes." + a.regime.Name}}
	}
	if all.truth == open {
		all.by = nil
	}
	return all
}

// unless judges whether one of several lists of questions is met: yes only where that is known, open where it may be.
func (a *asked) unless(lists []map[string][]string) judged {
	all := judged{truth: notMet}
	for _, terms := range lists {
		switch j := a.all(terms); j.truth {
		case met:
			return j
		case open:
			all.truth = open
			all.missing = append(all.missing, j.missing...)
		}
	}
	return all
}

// said is answers in words: organisation.kind = bank.
func said(by []answer) string {
	var parts []string
	for _, w := range by {
		if s := w.key + " = " + strings.Join(w.values, ", "); w.key != "" && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "; ")
}
