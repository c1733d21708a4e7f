package disclose

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check looks for what cannot be meant.
func (f *Facts) check() error {
	for _, check := range []func() error{f.checkOrganisation, f.checkEntity, f.checkYears, f.checkIncident, f.checkOrder, f.checkServices, f.checkImpact, f.checkDORA, f.checkActs} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// given is a value and where it stands.
type given struct {
	path []any
	err  error
}

// first returns the first error, with where it stands.
func (f *Facts) first(all ...given) error {
	for _, g := range all {
		if g.err != nil {
			return fmt.Errorf("%s%w", f.line(g.path...), g.err)
		}
	}
	return nil
}

func in(path ...any) []any { return path }

func entity(path ...any) []any   { return append([]any{"disclosure", "entity"}, path...) }
func incident(path ...any) []any { return append([]any{"disclosure", "incident"}, path...) }
func impact(path ...any) []any   { return append([]any{"disclosure", "impact"}, path...) }

func country(s string) error {
	if s == "" || isCode(countries, s) {
		return nil
	}
	hint := ""
	if up := strings.ToUpper(s); up == "EL" {
		hint = " (Greece is GR)"
	} else if up == "UK" {
		hint = " (the United Kingdom is GB)"
	}
	return fmt.Errorf("%q is no country: write its two letters of ISO 3166, such as FR%s", s, hint)
}

func lei(s string) error {
	if s == "" {
		return nil
	}
	return checkLEI(s)
}

func (f *Facts) checkOrganisation() error {
	o := f.Organisation
	if o == nil {
		return nil
	}
	return f.first(
		given{in("organisation", "kind"), oneOf(o.Kind, organisationKinds)},
		given{in("organisation", "country"), country(o.Country)},
		given{in("organisation", "lei"), lei(o.LEI)})
}

func (f *Facts) checkEntity() error {
	e := &f.Entity
	if e.Timezone != "" {
		zone, err := time.LoadLocation(e.Timezone)
		if err != nil || strings.EqualFold(e.Timezone, "local") {
			return fmt.Errorf("%sthere is no zone %q: use a name such as Europe/Paris", f.line(entity("timezone")...), e.Timezone)
		}
		f.zone = zone
	}
	err := f.first(
		given{entity("nis2"), oneOf(e.NIS2, nis2Kinds)},
		given{entity("trust_services"), oneOf(e.TrustServices, trustServices)},
		given{entity("home"), country(e.Home)})
	if err != nil {
		return err
	}
	if e.Currency != "" && !isCode(currencies, e.Currency) {
		return fmt.Errorf("%s%q is no currency: write its three letters of ISO 4217, such as EUR", f.line(entity("currency")...), e.Currency)
	}
	if e.Parent != nil {
		if err := f.first(given{entity("parent", "lei"), lei(e.Parent.LEI)}); err != nil {
			return err
		}
	}
	if err := f.codes(e.Types, entityTypes, entity("types")); err != nil {
		return err
	}
	for i, day := range e.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return fmt.Errorf("%s%q is no day: write it as 2025-12-26", f.line(entity("holidays", i)...), day)
		}
	}
	for _, role := range sortedKeys(e.Contacts) {
		if err := oneOf(role, contactRoles); err != nil {
			return fmt.Errorf("%s%w", f.line(entity("contacts", role)...), err)
		}
		if mail := e.Contacts[role].Email; mail != "" && !mailAddress.MatchString(mail) {
			return fmt.Errorf("%s%q is no address: write it as name@example.org", f.line(entity("contacts", role, "email")...), mail)
		}
	}
	return nil
}

var mailAddress = regexp.MustCompile(`^[^\s@<>,;"]+@[^\s@<>,;"]+$`)

// codes fails at the first of values that is none of list, or that stands twice.
func (f *Facts) codes(values, list []string, path []any) error {
	for i, v := range values {
		err := oneOf(cmp.Or(v, " "), list)
		if err == nil && slices.Contains(values[:i], v) {
			err = fmt.Errorf("%q stands twice", v)
		}
		if err != nil {
			return fmt.Errorf("%s%w", f.line(append(slices.Clip(path), i)...), err)
		}
	}
	return nil
}

// moment is a time that the facts name.
type moment struct {
	path []any
	time *time.Time
}

// name is the key that it stands under.
func (m moment) name() string {
	for i := len(m.path) - 1; i >= 0; i-- {
		if s, ok := m.path[i].(string); ok {
			return s
		}
	}
	return ""
}

func (f *Facts) moments() []moment {
	i := &f.Incident
	all := []moment{
		{incident("occurred"), i.Occurred}, {incident("detected"), i.Detected}, {incident("aware"), i.Aware},
		{incident("recovered"), i.Recovered}, {incident("resolved"), i.Resolved}, {incident("root_cause", "addressed"), i.RootCause.Addressed},
	}
	for n := range i.Recurring {
		all = append(all, moment{incident("recurring", n, "time"), &i.Recurring[n].Time})
	}
	for n := range f.Services {
		s := &f.Services[n]
		all = append(all, moment{in("disclosure", "services", n, "delayed_until"), s.DelayedUntil})
		for d := range s.Down {
			all = append(all, moment{in("disclosure", "services", n, "down", d, "from"), &s.Down[d].From}, moment{in("disclosure", "services", n, "down", d, "to"), s.Down[d].To})
		}
	}
	for n := range f.Acts {
		all = append(all, moment{in("disclosure", "acts", n, "time"), &f.Acts[n].Time})
	}
	return all
}

// checkYears fails at a time of a year that nobody reports of: it was mistyped, and clocks would be off by it.
func (f *Facts) checkYears() error {
	for _, m := range f.moments() {
		if m.time != nil && !m.time.IsZero() && (m.time.Year() < 2000 || m.time.Year() > 2100) {
			return fmt.Errorf("%sthe year %d cannot be meant", f.line(m.path...), m.time.Year())
		}
	}
	return nil
}

func (f *Facts) checkIncident() error {
	i := &f.Incident
	if err := f.first(given{incident("discovery"), oneOf(i.Discovery, discoveries)}); err != nil {
		return err
	}
	if i.ThirdParty != nil {
		if err := f.first(given{incident("third_party", "lei"), lei(i.ThirdParty.LEI)}); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		values, list []string
		path         []any
	}{
		{i.Types, incidentTypes, incident("types")},
		{i.Techniques, techniques, incident("techniques")},
		{i.OtherAuthorities, otherAuthorities, incident("other_authorities")},
		{i.RootCause.High, rootCauses, incident("root_cause", "high")},
	} {
		if err := f.codes(l.values, l.list, l.path); err != nil {
			return err
		}
	}
	if len(i.OtherAuthorities) > 1 && slices.Contains(i.OtherAuthorities, "none") {
		return fmt.Errorf("%snone excludes the others", f.line(incident("other_authorities")...))
	}
	return nil
}

// checkOrder holds times against each other: what must come first, does.
func (f *Facts) checkOrder() error {
	i := &f.Incident
	occurred, detected, aware := moment{incident("occurred"), i.Occurred}, moment{incident("detected"), i.Detected}, moment{incident("aware"), i.Aware}
	recovered, resolved := moment{incident("recovered"), i.Recovered}, moment{incident("resolved"), i.Resolved}
	addressed := moment{incident("root_cause", "addressed"), i.RootCause.Addressed}
	for _, pair := range [][2]moment{
		{occurred, detected}, {occurred, aware}, {detected, aware}, {occurred, recovered}, {detected, recovered}, {occurred, resolved}, {detected, resolved},
		{recovered, resolved}, {occurred, addressed},
	} {
		before, after := pair[0], pair[1]
		if before.time != nil && after.time != nil && after.time.Before(*before.time) {
			return fmt.Errorf("%s%s is before %s (%s): one of the two is wrong", f.line(after.path...), written(*after.time), before.name(), written(*before.time))
		}
	}
	return nil
}

func written(t time.Time) string { return t.Format(time.RFC3339) }

func (f *Facts) checkServices() error {
	for n := range f.Services {
		s := &f.Services[n]
		at := in("disclosure", "services", n)
		if s.Name == "" {
			return fmt.Errorf("%sname is missing", f.line(at...))
		}
		if err := f.whole(append(at, "clients"), s.Clients); err != nil {
			return err
		}
		for d := range s.Down {
			if err := f.checkDown(&s.Down[d], append(slices.Clip(at), "down", d)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Facts) checkDown(d *Downtime, path []any) error {
	switch {
	case d.From.IsZero():
		return fmt.Errorf("%sfrom is missing: since when?", f.line(path...))
	case d.To != nil && !d.From.Before(*d.To):
		return fmt.Errorf("%sit ends (%s) before it begins (%s)", f.line(path...), written(*d.To), written(d.From))
	case f.Incident.Occurred != nil && d.To != nil && !d.To.After(*f.Incident.Occurred):
		return fmt.Errorf("%sit ends (%s) before the incident occurred (%s)", f.line(path...), written(*d.To), written(*f.Incident.Occurred))
	case f.Incident.Recovered != nil && d.From.After(*f.Incident.Recovered):
		return fmt.Errorf("%sit begins (%s) after the services recovered (%s): correct incident.recovered", f.line(path...), written(d.From), written(*f.Incident.Recovered))
	}
	return f.first(given{append(slices.Clip(path), "level"), oneOf(d.Level, downLevels)})
}

// whole fails where q counts something in parts.
func (f *Facts) whole(path []any, q *Quantity) error {
	if q != nil && q.Value != math.Trunc(q.Value) {
		return fmt.Errorf("%s%v: it takes a whole number", f.line(path...), q.Value)
	}
	return nil
}

func (f *Facts) checkImpact() error {
	for _, a := range []struct {
		name string
		of   *Affected
		most float64 // percent. Of transactions there can be more than on an average day
	}{{"clients", &f.Impact.Clients, 100}, {"counterparts", &f.Impact.Counterparts, 100}, {"transactions", &f.Impact.Transactions, 100_000}} {
		if err := f.whole(impact(a.name, "number"), a.of.Number); err != nil {
			return err
		}
		if p := a.of.Percentage; p != nil && p.Value > a.most {
			return fmt.Errorf("%s%v %% is more than all", f.line(impact(a.name, "percentage")...), p.Value)
		}
		if n, p := a.of.Number, a.of.Percentage; n != nil && p != nil && n.Value == 0 && p.Value > 0 {
			return fmt.Errorf("%snumber is 0, but percentage %v", f.line(impact(a.name, "percentage")...), p.Value)
		}
	}
	for i, c := range f.Impact.MemberStates {
		if !slices.Contains(eea, c) {
			return fmt.Errorf("%s%q is no Member State: write its two letters, such as FR (Greece is GR)", f.line(impact("member_states", i)...), c)
		}
	}
	if err := f.whole(in("disclosure", "personal_data", "persons"), f.PersonalData.Persons); err != nil {
		return err
	}
	if err := f.whole(in("disclosure", "personal_data", "records"), f.PersonalData.Records); err != nil {
		return err
	}
	return f.first(
		given{impact("financial_interest"), oneOf(f.Impact.FinancialInterest, answers)},
		given{impact("infrastructure"), oneOf(f.Impact.Infrastructure, answers)})
}

// checkDORA looks at the numbers of fields: Annex I of Regulation (EU) 2025/302 has 15, 10, 35 and 16 in its four parts.
func (f *Facts) checkDORA() error {
	for _, key := range sortedKeys(f.DORA) {
		part, field, _ := strings.Cut(strings.TrimRight(key, "ab"), ".")
		p, err1 := strconv.Atoi(part)
		n, err2 := strconv.Atoi(field)
		fields := []int{15, 10, 35, 16}
		if err1 != nil || err2 != nil || p < 1 || p > len(fields) || n < 1 || n > fields[p-1] {
			return fmt.Errorf("%s%q is no field of the DORA template: they are 1.1 to 1.15, 2.1 to 2.10, 3.1 to 3.35 and 4.1 to 4.16", f.line("disclosure", "dora", key), key)
		}
	}
	return nil
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
