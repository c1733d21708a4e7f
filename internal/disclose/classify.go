package disclose

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// The criteria of DORA, in the order of the regulation.
const (
	doraCritical   = "dora.6"
	doraClients    = "dora.9.1"
	doraReputation = "dora.9.2"
	doraDuration   = "dora.9.3"
	doraGeography  = "dora.9.4"
	doraData       = "dora.9.5.a"
	doraAccess     = "dora.9.5.b"
	doraEconomic   = "dora.9.6"
)

// classifyDORA says which criteria of a major incident are met: Delegated Regulation (EU) 2024/1772, articles 1 to 9. Major is
// critical services affected (6), and either malicious access that may result in data losses (9(5)(b)) or two more of the
// thresholds 9(1) to 9(6). It is what the rules say; the classification is the act of a person.
func classifyDORA(in *Input) (casefile.Classification, error) {
	f := in.Facts
	s, err := newSituation(in)
	if err != nil {
		return casefile.Classification{}, err
	}
	out := casefile.Classification{Regime: regimeDORA}
	var results []truth
	tests := s.tests()
	for i, r := range [...]struct{ id, article string }{{doraCritical, "6"}, {doraClients, "9(1)"}, {doraReputation, "9(2)"}, {doraDuration, "9(3)"},
		{doraGeography, "9(4)"}, {doraData, "9(5)(a)"}, {doraAccess, "9(5)(b)"}, {doraEconomic, "9(6)"}} {
		t := tests[i]
		counter := "dora.counter." + strings.TrimPrefix(r.id, "dora.")
		if t.result == met {
			counter += ".not"
		}
		t.why = append(t.why, say(counter))
		results = append(results, t.result)
		out.Criteria = append(out.Criteria, casefile.Criterion{ID: r.id, Result: string(t.result), Since: t.since, Why: t.why, Missing: t.missing,
			Source: casefile.Legal{Act: "Delegated Regulation (EU) 2024/1772", CELEX: "32024R1772", Article: r.article, Checked: true}})
	}
	result := majorUnder(results)
	out.Result = string(result)
	out.Proposed = result == met && s.withoutCase() != met
	if out.Proposed {
		out.Why = append(out.Why, say("dora.result.proposed"))
	} else {
		out.Why = append(out.Why, say("dora.result."+out.Result))
	}
	if result == met {
		since, untimed := metSince(out.Criteria)
		out.Since = since
		switch {
		case since == nil:
			out.Why = append(out.Why, say("dora.since.unknown"))
		case out.Proposed && untimed == "":
			out.Why = append(out.Why, say("dora.since.proposed", "time", stamp(*since)))
		case untimed != "":
			out.Why = append(out.Why, say("dora.since.latest", "time", stamp(*since), "criteria", untimed))
		default:
			out.Why = append(out.Why, say("dora.since", "time", stamp(*since)))
		}
	}
	out.Why = append(out.Why, s.recurring()...)
	out.Flips = flips(out.Criteria, results, result)
	if a := lastClassification(f); a != nil {
		out.Act = &casefile.Act{Act: a.Act, Regime: a.Regime, Stage: a.Stage, As: a.As, Time: a.Time.UTC(), Author: a.Author, Reason: a.Reason}
		if a.As == "major" && result == notMet || a.As == "not_major" && result == met {
			out.Why = append(out.Why, say("dora.act.differs", "author", a.Author, "as", a.As))
		}
	}
	return out, nil
}

// lastClassification returns the latest act that classified the incident under DORA, or said that it never was major; nil
// if there is none.
func lastClassification(f *Facts) *Act { return f.latest(regimeDORA, actClassified, actReclassified) }

// The places of the criteria in a list of results.
const (
	placeGate = iota
	placeClients
	placeReputation
	placeDuration
	placeGeography
	placeData
	placeAccess
	placeEconomic
	places
)

// majorUnder is the rule of article 8(1) over the results of the criteria, in their order.
func majorUnder(results []truth) truth {
	var sure, maybe int
	count := func(rs ...truth) {
		switch {
		case slices.Contains(rs, met):
			sure++
		case slices.Contains(rs, open):
			maybe++
		}
	}
	for i := placeClients; i < places; i++ {
		switch i {
		case placeData:
			count(results[placeData], results[placeAccess])
		case placeAccess:
		default:
			count(results[i])
		}
	}
	gate, access := results[placeGate], results[placeAccess]
	switch {
	case gate == notMet:
		return notMet
	case access == notMet && sure+maybe < 2:
		return notMet
	case gate == met && (access == met || sure >= 2):
		return met
	}
	return open
}

// metSince returns the earliest time at which the criteria whose time is known made an incident major, and names those that are
// met and have no time. They may have made it major earlier.
func metSince(criteria []casefile.Criterion) (since *time.Time, untimed string) {
	gate := criteria[placeGate].Since
	var times []time.Time
	var without []string
	for i := placeClients; i < places; i++ {
		c := &criteria[i]
		if c.Result != string(met) || i == placeAccess && criteria[placeData].Result == string(met) {
			continue
		}
		at := c.Since
		if i == placeData && criteria[placeAccess].Result == string(met) {
			at = earliest(at, criteria[placeAccess].Since)
		}
		if at == nil {
			without = append(without, c.Source.Article)
			continue
		}
		times = append(times, *at)
	}
	untimed = strings.Join(without, ", ")
	if gate == nil {
		return nil, untimed
	}
	slices.SortFunc(times, time.Time.Compare)
	if len(times) >= 2 {
		since = later(*gate, times[1])
	}
	if a := &criteria[placeAccess]; a.Result == string(met) && a.Since != nil {
		since = earliest(since, later(*gate, *a.Since))
	}
	return since, untimed
}

// flips returns which criteria, taken the other way, would turn the result: all sets of up to three of which no part would do.
func flips(criteria []casefile.Criterion, results []truth, result truth) []casefile.Said {
	from, to, id := met, notMet, "dora.flip.not"
	if result != met {
		from, to, id = "", met, "dora.flip.met"
	}
	var sets [][]int
	try := func(set ...int) {
		for _, smaller := range sets {
			if subset(smaller, set) {
				return
			}
		}
		turned := slices.Clone(results)
		for _, i := range set {
			if from != "" && results[i] != from || from == "" && results[i] == met {
				return
			}
			turned[i] = to
		}
		if got := majorUnder(turned); got != result && (result == met || got == met) {
			sets = append(sets, slices.Clone(set))
		}
	}
	for i := range places {
		try(i)
	}
	for i := range places {
		for j := i + 1; j < places; j++ {
			try(i, j)
		}
	}
	for i := range places {
		for j := i + 1; j < places; j++ {
			for k := j + 1; k < places; k++ {
				try(i, j, k)
			}
		}
	}
	var out []casefile.Said
	for _, set := range sets {
		names := make([]string, len(set))
		for n, i := range set {
			names[n] = criteria[i].Source.Article
		}
		out = append(out, say(id, "criteria", strings.Join(names, " + ")))
	}
	return out
}

func subset(small, large []int) bool {
	for _, i := range small {
		if !slices.Contains(large, i) {
			return false
		}
	}
	return true
}

// finding is what one rule, or a part of one, says.
type finding struct {
	result  truth
	since   *time.Time
	why     []casefile.Said
	missing []string
}

// unknown is a finding that waits for facts.
func unknown(keys ...string) finding {
	f := finding{result: open, missing: keys}
	for _, k := range keys {
		f.why = append(f.why, say("dora.why.missing", "key", k))
	}
	return f
}

// anyOf is met where one of its parts is, and not met where none can be.
func anyOf(parts ...finding) finding {
	out := finding{result: notMet}
	for _, p := range parts {
		if p.result == met || p.result == open && out.result == notMet {
			out.result = p.result
		}
	}
	for _, p := range parts {
		switch {
		case p.result == out.result:
			out.why = append(out.why, p.why...)
		case p.result == notMet && out.result == open:
			out.why = append(out.why, p.why...)
		}
		if p.result == out.result {
			out.missing = append(out.missing, p.missing...)
			if out.result == met {
				out.since = earliest(out.since, p.since)
			}
		}
	}
	return out
}

// situation is what the rules are asked of.
type situation struct {
	facts  *Facts
	access access
	// began is when the incident began, as people say or as the logs show; nil where neither does.
	began *time.Time
	// until is the latest time at which the facts are known to have been written or later; nil if they hold no time.
	until *time.Time
}

func newSituation(in *Input) (*situation, error) {
	f := in.Facts
	s := &situation{facts: f}
	s.began, _ = in.Occurred()
	var err error
	if s.access, err = accessIn(in); err != nil {
		return nil, err
	}
	at := func(t *time.Time) {
		if t != nil && (s.until == nil || t.After(*s.until)) {
			s.until = t
		}
	}
	i := &f.Incident
	for _, t := range []*time.Time{i.Occurred, i.Detected, i.Aware, i.Recovered, i.Resolved} {
		at(t)
	}
	for i := range f.Acts {
		at(&f.Acts[i].Time)
	}
	for i := range f.Services {
		for j := range f.Services[i].Down {
			at(&f.Services[i].Down[j].From)
			at(f.Services[i].Down[j].To)
		}
	}
	return s, nil
}

// tests returns what each criterion says, in their order.
func (s *situation) tests() [places]finding {
	return [...]finding{s.critical(), s.clients(), s.reputation(), s.durationOrDowntime(), s.geography(), s.dataLosses(), s.accessWithLosses(), s.economic()}
}

// withoutCase is the result by what people say alone: what the case proposes waits for one to confirm it.
func (s *situation) withoutCase() truth {
	of := *s
	of.access = access{}
	var results []truth
	for _, t := range of.tests() {
		results = append(results, t.result)
	}
	return majorUnder(results)
}

// occurred is when the incident began: as people say, as the logs show, or when it was detected (article 3(1)).
func (s *situation) occurred() *time.Time {
	return cmp.Or(s.began, s.facts.Incident.Detected)
}

// critical is article 6: what the incident affects.
func (s *situation) critical() finding {
	parts := []finding{s.affects("critical", func(v *Service) *bool { return v.Critical }),
		s.affects("supervised", func(v *Service) *bool { return v.Supervised }), s.maliciousAccess()}
	return anyOf(parts...)
}

// affects says whether a service of that kind was affected.
func (s *situation) affects(kind string, is func(*Service) *bool) finding {
	if s.facts.Services == nil {
		return unknown("disclosure.services")
	}
	out := finding{result: notMet}
	for i := range s.facts.Services {
		v := &s.facts.Services[i]
		of := is(v)
		if of != nil && !*of {
			continue
		}
		down := len(v.Down) > 0 || v.DelayedUntil != nil
		switch {
		case of != nil && down:
			if out.result != met {
				out = finding{result: met}
			}
			out.why = append(out.why, say("dora.why.service."+kind, "service", v.Name))
			out.since = earliest(out.since, firstDown(v))
		case out.result == met:
		case v.Down != nil && !down: // people say that it was not down
		case of == nil:
			out.result = open
			out.missing = append(out.missing, "disclosure.services["+strconv.Itoa(i)+"]."+kind)
			out.why = append(out.why, say("dora.why.service.open", "service", v.Name, "key", "disclosure.services["+strconv.Itoa(i)+"]."+kind))
		default:
			out.result = open
			out.missing = append(out.missing, "disclosure.services["+strconv.Itoa(i)+"].down")
			out.why = append(out.why, say("dora.why.service.open", "service", v.Name, "key", "disclosure.services["+strconv.Itoa(i)+"].down"))
		}
	}
	if out.result == notMet {
		out.why = append(out.why, say("dora.why.service.none."+kind))
	}
	return out
}

func firstDown(v *Service) *time.Time {
	var t *time.Time
	for i := range v.Down {
		t = earliest(t, &v.Down[i].From)
	}
	return t
}

// maliciousAccess is 6(c): successful, malicious and unauthorised access. A person says so, or the case proposes it; where
// they contradict each other, it is open and both are said.
func (s *situation) maliciousAccess() finding {
	const key = "disclosure.impact.malicious_access"
	said, a := s.facts.Impact.MaliciousAccess, s.access
	switch {
	case said != nil && *said:
		f := finding{result: met, since: cmp.Or(a.since, s.occurred()), why: []casefile.Said{say("dora.why.access.stated")}}
		switch {
		case a.proven:
			f.why = append(f.why, say("dora.why.access.shown", "by", a.by))
		default:
			f.why = append(f.why, say("dora.why.access.not_shown"))
		}
		return f
	case said != nil && a.proven:
		return finding{result: open, missing: []string{key}, why: []casefile.Said{say("dora.why.access.contradicted", "by", a.by)}}
	case said != nil:
		return finding{result: notMet, why: []casefile.Said{say("dora.why.access.denied")}}
	case a.proven:
		return finding{result: met, since: cmp.Or(a.since, s.occurred()), missing: []string{key}, why: []casefile.Said{say("dora.why.access.proposed", "by", a.by)}}
	case a.suspected:
		return finding{result: open, missing: []string{key}, why: []casefile.Said{say("dora.why.access.suspected", "by", a.by)}}
	}
	return unknown(key)
}

// clients is 9(1).
func (s *situation) clients() finding {
	im := &s.facts.Impact
	since := s.firstLoss()
	number := func(name, key string, q *Quantity, limit float64) finding { return exceeds(name, key, q, limit, since) }
	relevant := func(key string, b *bool) finding { return stated("relevant", key, b, since) }
	percentage := im.Clients.Percentage
	if percentage == nil {
		percentage = s.shareOfClients()
	}
	return anyOf(
		number("clients", "disclosure.impact.clients.number", im.Clients.Number, 100_000),
		number("clients_share", "disclosure.impact.clients.percentage", percentage, 10),
		number("counterparts_share", "disclosure.impact.counterparts.percentage", im.Counterparts.Percentage, 30),
		number("transactions_share", "disclosure.impact.transactions.percentage", im.Transactions.Percentage, 10),
		number("value_share", "disclosure.impact.transactions.value_percentage", im.Transactions.ValuePercentage, 10),
		relevant("disclosure.impact.clients.relevant", im.Clients.Relevant),
		relevant("disclosure.impact.counterparts.relevant", im.Counterparts.Relevant),
	)
}

// shareOfClients is what the number of clients affected is of those who use the service, in per cent, where one service was
// affected and its clients are known.
func (s *situation) shareOfClients() *Quantity {
	n := s.facts.Impact.Clients.Number
	var of *Quantity
	for i := range s.facts.Services {
		v := &s.facts.Services[i]
		if len(v.Down) == 0 && v.DelayedUntil == nil {
			continue
		}
		if of != nil || v.Clients == nil {
			return nil
		}
		of = v.Clients
	}
	if !usable(n) || !usable(of) || of.Value == 0 || n.Value > of.Value {
		return nil
	}
	q := &Quantity{Value: n.Value / of.Value * 100, Basis: n.Basis}
	if of.Basis == "estimate" {
		q.Basis = of.Basis
	}
	return q
}

// firstLoss is when a service was first not available; nil if none was.
func (s *situation) firstLoss() *time.Time {
	var t *time.Time
	for i := range s.facts.Services {
		t = earliest(t, firstDown(&s.facts.Services[i]))
	}
	return t
}

// reputation is 9(2): one of article 2.
func (s *situation) reputation() finding {
	r := &s.facts.Impact.Reputation
	return anyOf(stated("media", "disclosure.impact.reputation.media", r.Media, nil), stated("complaints", "disclosure.impact.reputation.complaints", r.Complaints, nil),
		stated("regulatory", "disclosure.impact.reputation.regulatory", r.Regulatory, nil), stated("client_loss", "disclosure.impact.reputation.client_loss", r.ClientLoss, nil))
}

// durationOrDowntime is 9(3).
func (s *situation) durationOrDowntime() finding {
	return anyOf(s.longerThan(24*time.Hour), s.downFor(2*time.Hour))
}

// longerThan is 9(3)(a): from when the incident occurred until it was resolved, without a break.
func (s *situation) longerThan(limit time.Duration) finding {
	from, to := s.occurred(), s.facts.Incident.Resolved
	if from == nil {
		return unknown("disclosure.incident.occurred")
	}
	passed := from.Add(limit)
	switch {
	case to != nil && to.Sub(*from) > limit, to == nil && s.until != nil && s.until.Sub(*from) > limit:
		return finding{result: met, since: &passed, why: []casefile.Said{say("dora.why.duration.met", "from", stamp(*from), "passed", stamp(passed))}}
	case to != nil:
		return finding{result: notMet, why: []casefile.Said{say("dora.why.duration.not", "from", stamp(*from), "to", stamp(*to))}}
	}
	return finding{result: open, missing: []string{"disclosure.incident.resolved"}, why: []casefile.Said{say("dora.why.duration.open", "passed", stamp(passed))}}
}

// downFor is 9(3)(b): services that support critical or important functions were fully or partially down for longer than limit,
// all times together.
func (s *situation) downFor(limit time.Duration) finding {
	if s.facts.Services == nil {
		return unknown("disclosure.services")
	}
	surely := s.downtime(func(v *Service) bool { return v.Critical != nil && *v.Critical })
	perhaps := s.downtime(func(v *Service) bool { return v.Critical == nil || *v.Critical })
	if at, ok := surely.passes(limit); ok {
		return finding{result: met, since: &at, why: []casefile.Said{say("dora.why.downtime.met", "from", stamp(surely.spans[0].from), "passed", stamp(at))}}
	}
	out := finding{result: open}
	if at, ok := surely.wouldPass(limit); ok {
		out.why = append(out.why, say("dora.why.downtime.will", "passed", stamp(at)))
		out.missing = append(out.missing, "disclosure.services[].down[].to")
	}
	if _, ok := perhaps.passes(limit); ok {
		out.why = append(out.why, say("dora.why.missing", "key", "disclosure.services[].critical"))
		out.missing = append(out.missing, "disclosure.services[].critical")
	}
	for i := range s.facts.Services {
		v := &s.facts.Services[i]
		if v.Down == nil && (v.Critical == nil || *v.Critical) {
			key := "disclosure.services[" + strconv.Itoa(i) + "].down"
			out.why = append(out.why, say("dora.why.service.open", "service", v.Name, "key", key))
			out.missing = append(out.missing, key)
		}
	}
	if len(out.missing) == 0 {
		return finding{result: notMet, why: []casefile.Said{say("dora.why.downtime.not", "minutes", strconv.FormatInt(int64(surely.total/time.Minute), 10))}}
	}
	return out
}

// geography is 9(4). What counts are the states of the European Economic Area, where the regulation holds.
func (s *situation) geography() finding {
	if s.facts.Impact.MemberStates == nil {
		return unknown("disclosure.impact.member_states")
	}
	states := memberStatesOf(s.facts)
	if n := len(states); n >= 2 {
		return finding{result: met, why: []casefile.Said{say("dora.why.states.met", "states", strings.Join(states, ", "))}}
	}
	return finding{result: notMet, why: []casefile.Said{say("dora.why.states.not", "states", strings.Join(states, ", "))}}
}

func memberStatesOf(f *Facts) []string {
	var states []string
	for _, c := range f.Impact.MemberStates {
		if slices.Contains(eea, c) && !slices.Contains(states, c) {
			states = append(states, c)
		}
	}
	slices.Sort(states)
	return states
}

// dataLosses is 9(5)(a): an impact on data, and an adverse one.
func (s *situation) dataLosses() finding {
	d := &s.facts.Impact.Data
	kinds := anyOf(stated("availability", "disclosure.impact.data.availability", d.Availability, nil), stated("authenticity", "disclosure.impact.data.authenticity", d.Authenticity, nil),
		stated("integrity", "disclosure.impact.data.integrity", d.Integrity, nil), s.confidentiality())
	adverse := stated("adverse", "disclosure.impact.data.adverse", d.Adverse, nil)
	if kinds.result == notMet || adverse.result == notMet {
		out := finding{result: notMet}
		for _, p := range []finding{kinds, adverse} {
			if p.result == notMet {
				out.why = append(out.why, p.why...)
			}
		}
		return out
	}
	out := finding{result: met, why: append(kinds.why, adverse.why...), missing: append(kinds.missing, adverse.missing...)}
	if kinds.result == open || adverse.result == open {
		out.result = open
	}
	return out
}

// confidentiality is as people say; where they say nothing, confirmed access to content is what the case proposes.
func (s *situation) confidentiality() finding {
	const key = "disclosure.impact.data.confidentiality"
	d := s.facts.Impact.Data.Confidentiality
	switch {
	case d == nil && s.access.content:
		return finding{result: met, missing: []string{key}, why: []casefile.Said{say("dora.why.content.proposed")}}
	case d != nil && !*d && s.access.content:
		return finding{result: open, missing: []string{key}, why: []casefile.Said{say("dora.why.content.contradicted")}}
	}
	return stated("confidentiality", key, d, nil)
}

// accessWithLosses is 9(5)(b): malicious access, where it may result in data losses. Only where people say that none of
// the data was affected it waits for the person who classifies.
func (s *situation) accessWithLosses() finding {
	out := s.maliciousAccess()
	if out.result != met {
		return out
	}
	d := &s.facts.Impact.Data
	for _, b := range []*bool{d.Availability, d.Authenticity, d.Integrity, d.Confidentiality} {
		if b == nil || *b {
			out.why = append(out.why, say("dora.why.losses.may"))
			return out
		}
	}
	out.result, out.since = open, nil
	out.why = append(out.why, say("dora.why.losses.denied"))
	out.missing = append(out.missing, "disclosure.impact.data")
	return out
}

// economic is 9(6): costs and losses exceeded, or are likely to exceed, 100,000 euros.
func (s *situation) economic() finding {
	q := s.facts.Impact.Costs
	if usable(q) && q.Value > 0 && s.facts.Entity.Currency != "EUR" {
		return finding{result: open, missing: []string{"disclosure.entity.currency"}, why: []casefile.Said{say("dora.why.currency", "currency", s.facts.Entity.Currency)}}
	}
	return exceeds("costs", "disclosure.impact.costs", q, 100_000, nil)
}

// recurring is article 8(2): earlier incidents within six months with apparently the same root cause count together. What they add
// up to is not in the facts, so it is only said that they have to be assessed.
func (s *situation) recurring() []casefile.Said {
	at := s.occurred()
	if at == nil {
		return nil
	}
	n := 0
	for _, r := range s.facts.Incident.Recurring {
		if r.Time.Before(*at) && !r.Time.Before(addMonths(*at, -6)) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []casefile.Said{say("dora.recurring", "n", strconv.Itoa(n+1))}
}

// exceeds is met where q is more than the limit: "higher than" in the text, so that the limit itself is not.
func exceeds(name, key string, q *Quantity, limit float64, since *time.Time) finding {
	if !usable(q) {
		return unknown(key)
	}
	out := finding{result: notMet}
	id := "dora.why." + name + ".not"
	if q.Value > limit {
		out.result, out.since, id = met, since, "dora.why."+name+".met"
	}
	out.why = append(out.why, say(id, "value", decimal(q.Value)))
	if q.Basis == "estimate" {
		out.why = append(out.why, say("dora.why.estimate", "key", key))
	}
	return out
}

// usable says whether a quantity is there and can be compared.
func usable(q *Quantity) bool {
	return q != nil && q.Value >= 0 && !math.IsInf(q.Value, 0) && q.Value == q.Value
}

// stated is what people say of a fact that is true or false.
func stated(name, key string, b *bool, since *time.Time) finding {
	switch {
	case b == nil:
		return unknown(key)
	case *b:
		return finding{result: met, since: since, why: []casefile.Said{say("dora.why." + name + ".met")}}
	}
	return finding{result: notMet, why: []casefile.Said{say("dora.why." + name + ".not")}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// decimal writes a number as people do: without an exponent, without more digits than it has.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func later(a, b time.Time) *time.Time {
	if b.After(a) {
		return &b
	}
	return &a
}
