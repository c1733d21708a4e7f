package disclose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// doraFiller fills the fields of a report from facts and case. What neither gives stays open.
type doraFiller struct {
	*doraReport
	in    *Input
	facts *Facts
	situ  *situation
	rules *casefile.Classification
	lang  *lang.Language
}

// fillDORA makes the report of a stage from what people say and what the case proves. What people say of a field by its number
// (disclosure.dora) goes before all else.
func fillDORA(d *Draft, stage doraStage) (*doraReport, error) {
	s, err := newSituation(d.Input)
	if err != nil {
		return nil, err
	}
	f := &doraFiller{doraReport: newDoraReport(stage), in: d.Input, facts: d.Facts, situ: s, lang: d.Lang}
	for i := range d.Classifications {
		if d.Classifications[i].Regime == regimeDORA {
			f.rules = &d.Classifications[i]
		}
	}
	if f.rules == nil {
		c, err := classifyDORA(d.Input)
		if err != nil {
			return nil, err
		}
		f.rules = &c
	}
	f.context()
	f.organisation()
	f.notification()
	f.figures()
	f.times()
	f.impacts()
	f.incidentType()
	f.resolution()
	if err := f.said(); err != nil {
		return nil, err
	}
	return f.doraReport, nil
}

func (f *doraFiller) context() {
	down := f.situ.downtime(func(*Service) bool { return true })
	f.ask = doraContext{home: f.facts.Home(), acpr: strings.EqualFold(f.facts.Entity.Recipients[regimeDORA], "ACPR"), submitted: f.submitted(doraInitial) != nil,
		stillDown: down.still, down: len(down.spans) > 0, third: f.facts.Incident.ThirdParty != nil, recurring: len(f.facts.Incident.Recurring) > 0}
	// Who answers for a field by its number has seen what the case says of it.
	f.ask.hosts = len(provenHosts(f.in.Case)) > 0 && f.facts.DORA["3.28"] == nil
	f.ask.content = f.situ.access.content && f.facts.DORA["3.20"] == nil
}

// submitted returns the act by which a stage was submitted last; nil if it was not.
func (f *doraFiller) submitted(stage doraStage) *Act { return submittedDORA(f.facts, stage) }

func submittedDORA(facts *Facts, stage doraStage) *Act {
	names := map[doraStage][]string{doraInitial: {"initial"}, doraIntermediate: {"intermediate", "intermediate-update"}, doraFinal: {"final"}}
	var last *Act
	for i := range facts.Acts {
		a := &facts.Acts[i]
		if a.Act == "submitted" && a.Regime == regimeDORA && slices.Contains(names[stage], a.Stage) && (last == nil || !a.Time.Before(last.Time)) {
			last = a
		}
	}
	return last
}

// fact gives a field what the facts say under its key.
func (f *doraFiller) fact(number string, value any) {
	f.set(number, value, basisFacts, doraFieldOf(number).key)
}

func (f *doraFiller) time(number string, t *time.Time) {
	if t != nil {
		f.fact(number, stamp(*t))
	}
}

func (f *doraFiller) bool(number string, b *bool) {
	if b != nil {
		f.fact(number, *b)
	}
}

func (f *doraFiller) number(number string, n json.Number, ok bool) {
	if ok {
		f.fact(number, n)
	}
}

func (f *doraFiller) organisation() {
	if o := f.facts.Organisation; o != nil {
		f.fact("1.2", o.Name)
		f.fact("1.3", o.LEI)
	}
	e := &f.facts.Entity
	f.fact("1.4", e.Types)
	for role, n := range map[string]int{"primary": 7, "secondary": 10} {
		c := e.Contacts[role]
		for i, s := range []string{c.Name, c.Email, c.Phone} {
			f.fact("1."+strconv.Itoa(n+i), s)
		}
	}
	if e.Parent != nil {
		f.fact("1.13", e.Parent.Name)
		f.fact("1.14", e.Parent.LEI)
	}
	f.fact("1.15", e.Currency)
}

// notification is part 2.
func (f *doraFiller) notification() {
	i := &f.facts.Incident
	f.fact("2.1", i.Reference)
	f.time("2.2", i.Detected)
	if a := classifiedMajor(f.facts); a != nil {
		f.set("2.3", stamp(a.Time), basisFacts, "disclosure.acts: classified, "+a.Author)
	}
	f.fact("2.4", i.Description)
	var criteria, refs []string
	for n := range f.rules.Criteria {
		c := &f.rules.Criteria[n]
		name := criterionNames[c.ID]
		if c.Result == string(met) && !slices.Contains(criteria, name) {
			criteria = append(criteria, name)
			refs = append(refs, "RTS 2024/1772, "+c.Source.Article)
		}
	}
	slices.SortFunc(criteria, func(a, b string) int { return slices.Index(doraCriteria, a) - slices.Index(doraCriteria, b) })
	f.set("2.5", criteria, basisComputed, refs...)
	f.fact("2.6", slices.DeleteFunc(memberStatesOf(f.facts), func(c string) bool { return c == f.ask.home }))
	f.fact("2.7", i.Discovery)
	if p := i.ThirdParty; p != nil {
		code, kind := p.LEI, "LEI"
		if code == "" {
			code, kind = p.Code, "EUID"
		}
		f.fact("2.8", noSemicolon(p.Name)+";"+noSemicolon(code)+";"+kind+";")
	}
	f.bool("2.9", i.ContinuityPlan)
	if a := lastClassification(f.facts); a != nil && a.Act == "reclassified" {
		f.set("2.10", a.Reason, basisFacts, "disclosure.acts: reclassified, "+a.Author)
	}
	if a := f.submitted(doraInitial); a != nil {
		f.set("3.1", a.Receipt, basisFacts, "disclosure.acts: submitted initial, "+a.Author)
	}
}

// criterionNames are what field 2.5 calls the criteria of the rules.
var criterionNames = map[string]string{doraCritical: critCritical, doraClients: critClients, doraReputation: critReputation, doraDuration: critDuration,
	doraGeography: critGeography, doraData: critData, doraAccess: critData, doraEconomic: critEconomic}

func noSemicolon(s string) string { return strings.ReplaceAll(s, ";", ",") }

// classifiedMajor returns the act that classified the incident as major last; nil if nobody did.
func classifiedMajor(facts *Facts) *Act {
	var last *Act
	for i := range facts.Acts {
		a := &facts.Acts[i]
		if a.Act == "classified" && a.Regime == regimeDORA && a.As == "major" && (last == nil || !a.Time.Before(last.Time)) {
			last = a
		}
	}
	return last
}

// figures are how many were affected.
func (f *doraFiller) figures() {
	im := &f.facts.Impact
	share := im.Clients.Percentage
	if share == nil {
		share = f.situ.shareOfClients()
	}
	for _, n := range []struct {
		field string
		q     *Quantity
		write func(*Quantity) (json.Number, bool)
	}{
		{"3.4", im.Clients.Number, wholeNumber}, {"3.5", share, percent}, {"3.6", im.Counterparts.Number, wholeNumber}, {"3.7", im.Counterparts.Percentage, percent},
		{"3.9", im.Transactions.Number, wholeNumber}, {"3.10", im.Transactions.Percentage, percent}, {"3.11", im.Transactions.Value, thousands},
		{"4.13", im.Costs, thousands}, {"4.14", im.Recoveries, thousands},
	} {
		v, ok := n.write(n.q)
		f.number(n.field, v, ok)
	}
	if im.Clients.Percentage == nil && f.given("3.5") {
		f.from["3.5"] = doraOrigin{basisComputed, []string{"disclosure.impact.clients.number", "disclosure.services[].clients"}}
	}
	// None are none of all.
	for _, n := range figureNumbers {
		if f.given(n[0]) && float(f.values[n[0]]) == 0 && !f.given(n[1]) {
			f.set(n[1], json.Number("0"), basisComputed, doraFieldOf(n[0]).key)
		}
	}
	relevant := im.Clients.Relevant
	if r := im.Counterparts.Relevant; relevant == nil || r != nil && *r {
		relevant = r
	}
	f.bool("3.8", relevant)
	var figures []string
	for i, q := range []*Quantity{im.Clients.Number, im.Counterparts.Number, im.Transactions.Number} {
		var p figurePrefix
		switch {
		case !usable(q):
			return
		case q.Value == 0:
			p = figurePrefixes[2]
		case q.Basis == "actual":
			p = figurePrefixes[0]
		case q.Basis == "estimate":
			p = figurePrefixes[1]
		default:
			return
		}
		figures = append(figures, p.of(figureKinds[i]))
	}
	f.fact("3.12", figures)
}

// times are when it was, and how long.
func (f *doraFiller) times() {
	i := &f.facts.Incident
	at, fromCase := f.in.Occurred()
	switch {
	case at != nil && fromCase:
		f.set("3.2", stamp(*at), basisCase, "incident "+incidentAt(f.in.Case, *at))
	case at != nil:
		f.time("3.2", at)
	}
	down := f.situ.downtime(func(*Service) bool { return true })
	end := i.Recovered
	if n := len(down.spans); end == nil && n > 0 && !down.still {
		f.set("3.3", stamp(down.spans[n-1].to), basisComputed, "disclosure.services[].down")
	}
	f.time("3.3", end)
	if n := len(down.spans); n > 0 && !down.still {
		f.set("3.16", daysHoursMinutes(down.total), basisComputed, "disclosure.services[].down")
	}
	from := f.situ.occurred()
	switch {
	case from != nil && i.Resolved != nil:
		f.set("3.15", daysHoursMinutes(i.Resolved.Sub(*from)), basisComputed, "disclosure.incident.occurred", "disclosure.incident.resolved")
		if !down.still {
			f.set("3.17", "actual_figures", basisComputed, "disclosure.incident.resolved")
		} else {
			f.set("3.17", "actual_figures_and_estimates", basisComputed, "disclosure.incident.resolved")
		}
	case from != nil && i.Recovered != nil && !down.still:
		f.set("3.15", daysHoursMinutes(i.Recovered.Sub(*from)), basisComputed, "disclosure.incident.occurred", "disclosure.incident.recovered")
		f.set("3.17", "estimates", basisComputed, "disclosure.incident.recovered")
	}
}

// incidentAt names the incident of the case that began then.
func incidentAt(c *casefile.Case, at time.Time) string {
	for i := range c.Incidents {
		if c.Incidents[i].First.Equal(at) {
			return c.Incidents[i].ID
		}
	}
	return ""
}

// impacts are what it did to services, data, reputation and states.
func (f *doraFiller) impacts() {
	im := &f.facts.Impact
	var critical, functions []string
	known := map[string]bool{}
	for i := range f.facts.Services {
		v := &f.facts.Services[i]
		if v.Critical != nil && *v.Critical || v.Supervised != nil && *v.Supervised {
			critical = append(critical, v.Name)
		}
		for _, name := range v.Functions {
			if !known[name] {
				known[name], functions = true, append(functions, name)
			}
		}
	}
	f.fact("3.22", strings.Join(critical, "; "))
	f.fact("3.27", strings.Join(functions, "; "))
	var kinds []string
	for i, b := range []*bool{im.Reputation.Media, im.Reputation.Complaints, im.Reputation.Regulatory, im.Reputation.ClientLoss} {
		if b != nil && *b {
			kinds = append(kinds, doraReputations[i])
		}
	}
	f.fact("3.13", kinds)
	f.fact("3.14", im.Reputation.About)
	f.dataLosses()
	if hosts := provenHosts(f.in.Case); len(hosts) > 0 {
		f.set("3.28", "yes", basisCase, some(hosts))
		f.set("3.29", f.lines("dora.hosts", hosts), basisCase, some(hosts))
	}
	f.fact("3.28", im.Infrastructure)
	f.fact("3.30", im.FinancialInterest)
	if s := f.facts.Incident.TemporaryMeasures; s != "" {
		f.fact("3.33", true)
		f.fact("3.34", s)
	}
	if f.rules.Criteria[placeEconomic].Result == string(met) && usable(im.Costs) {
		f.set("4.12", draft.Plain(f.lang.Words("dora.why.costs.met", "value", lang.Value(decimal(im.Costs.Value)))), basisFacts, "disclosure.impact.costs")
	}
}

// provenHosts names the hosts over which a capability of the attacker is proven.
func provenHosts(c *casefile.Case) []string {
	var hosts []string
	known := map[string]bool{}
	for i := range c.Capabilities {
		if h := &c.Capabilities[i]; h.Kind == "host" && !h.Suspected && !known[h.Principal] {
			known[h.Principal], hosts = true, append(hosts, "host "+h.Principal)
		}
	}
	return hosts
}

// dataLosses are 3.20 and 3.21: what people say, and what the verdicts prove, with what they cannot exclude kept apart.
func (f *doraFiller) dataLosses() {
	d := &f.facts.Impact.Data
	var kinds []string
	for i, b := range []*bool{d.Availability, d.Authenticity, d.Integrity, d.Confidentiality} {
		if b != nil && *b {
			kinds = append(kinds, doraDataKinds[i])
		}
	}
	basis, refs := basisFacts, []string{"disclosure.impact.data"}
	if d.Confidentiality == nil && f.situ.access.content {
		kinds, basis, refs = append(kinds, "confidentiality"), basisCase, append(refs, "verdicts")
	}
	f.set("3.20", kinds, basis, refs...)
	var says []string
	if d.About != "" {
		says = append(says, d.About)
	}
	basis, refs = basisFacts, []string{"disclosure.impact.data.about"}
	if s := f.reached(); s != "" {
		says, basis, refs = append(says, s), basisCase, append(refs, "verdicts")
	}
	f.set("3.21", strings.Join(says, "\n"), basis, refs...)
}

// reached says by kind what was and what may have been accessed: at least what records show, at most what cannot be excluded
// besides. "" where neither holds of anything.
func (f *doraFiller) reached() string {
	var out []string
	for _, kind := range []string{"mailbox", "message", "folder", "file"} {
		n := f.in.Case.Summary.Reached[kind]
		count := "count." + kind
		if n.Confirmed > 0 {
			out = append(out, draft.Plain(f.lang.Words("dora.losses.confirmed", "what", f.lang.Count(count, n.Confirmed))))
		}
		if n.Possible > 0 {
			out = append(out, draft.Plain(f.lang.Words("dora.losses.possible", "what", f.lang.Count(count, n.Possible))))
			out = append(out, draft.Plain(f.lang.Words("dora.losses.all", "what", f.lang.BetweenOf(count, n.Confirmed, n.Confirmed+n.Possible))))
		}
	}
	return strings.Join(out, " ")
}

// maxLines is how many addresses or hosts are written into a field. What is more is in the case.
const maxLines = 500

// incidentType is what kind of incident it was.
func (f *doraFiller) incidentType() {
	i := &f.facts.Incident
	f.fact("3.23", i.Types)
	f.fact("3.25", i.Techniques)
	authorities := map[string]string{"police": "police_law_enforcement", "dpa": "data_protection_authority", "national_agency": "national_cybersecurity_agency"}
	var told []string
	for _, a := range i.OtherAuthorities {
		told = append(told, cmp.Or(authorities[a], a))
	}
	f.fact("3.31", told)
	if found := indicators(f.in.Case); len(found) > 0 {
		f.set("3.35", f.lines("dora.indicators", found), basisCase, "sessions, incidents")
	}
}

// indicators are the addresses that are proven to have been the attacker's: those of sessions that are, and those that acted in an incident of
// high or critical severity, each with what shows it. Addresses of owners and services are none. Only addresses: names that
// strangers chose do not go to an authority as indicators.
func indicators(c *casefile.Case) []string {
	by := map[netip.Addr]string{}
	ours := map[netip.Addr]bool{}
	for i := range c.Sessions {
		s := &c.Sessions[i]
		for _, ip := range s.IPs {
			a, err := netip.ParseAddr(ip)
			if err != nil {
				continue
			}
			switch s.Attribution {
			case "attacker":
				if by[a] == "" {
					by[a] = "session " + s.ID
				}
			case "owner", "service":
				ours[a] = true
			}
		}
	}
	for i := range c.Incidents {
		in := &c.Incidents[i]
		if !grave(in) {
			continue
		}
		for _, actor := range in.Actors {
			if a, err := netip.ParseAddr(actor); err == nil && by[a] == "" && !ours[a] {
				by[a] = "incident " + in.ID
			}
		}
	}
	addresses := make([]netip.Addr, 0, len(by))
	for a := range by {
		addresses = append(addresses, a)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	out := make([]string, len(addresses))
	for i, a := range addresses {
		out[i] = a.WithZone("").String() + " (" + by[a] + ")"
	}
	return out
}

// resolution is part 4.
func (f *doraFiller) resolution() {
	i := &f.facts.Incident
	f.fact("4.1", i.RootCause.High)
	f.fact("4.2", i.RootCause.Detailed)
	f.fact("4.3", i.RootCause.Additional)
	f.fact("4.5", i.RootCause.Text)
	f.fact("4.6", i.Resolution)
	f.time("4.7", i.RootCause.Addressed)
	f.time("4.8", i.Resolved)
	var about []string
	var first *time.Time
	for n := range i.Recurring {
		r := &i.Recurring[n]
		first = earliest(first, &r.Time)
		about = append(about, strings.TrimSpace(stamp(r.Time)+" "+r.About))
	}
	f.fact("4.15", strings.Join(about, "\n"))
	f.time("4.16", first)
}

// said is what people say of fields by their numbers. An empty text takes out what was there.
func (f *doraFiller) said() error {
	for _, number := range sortedKeys(f.facts.DORA) {
		v := f.facts.DORA[number]
		name := strings.TrimRight(number, "ab")
		field := doraFieldOf(name)
		key := `disclosure.dora."` + number + `"`
		switch {
		case field == nil:
			return fmt.Errorf("%s: the template has no field of that number", key)
		case name == "1.1":
			return fmt.Errorf("%s: the form says which stage it is: leave it out", key)
		case v == nil || v == "":
			delete(f.values, name)
			delete(f.from, name)
			continue
		}
		value, err := field.decode(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		f.set(name, value, basisFacts, key)
	}
	if f.text("3.28") != "yes" && f.from["3.29"].basis == basisCase {
		delete(f.values, "3.29")
		delete(f.from, "3.29")
	}
	return nil
}

// lines is a message of the catalogue and what it is about, a line each, as far as it goes into a field.
func (f *doraFiller) lines(id string, items []string) string {
	var b strings.Builder
	b.WriteString(draft.Plain(f.lang.Words(id)))
	for i, item := range items {
		if i == maxLines || b.Len()+len(item) > maxDORAText/4 { // in bytes; what is visible of an item may be longer than it
			b.WriteString("\n" + draft.Plain(f.lang.Words("dora.more", "n", len(items)-i)))
			break
		}
		b.WriteString("\n" + item)
	}
	return b.String()
}
