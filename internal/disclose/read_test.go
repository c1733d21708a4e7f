package disclose

import (
	"strings"
	"testing"
	"time"
)

func TestFactsThatCannotBeMeant(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := ParseFacts([]byte(text))
		if err == nil {
			t.Errorf("no error in\n%s", text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
	}
	f("- a", "line 1", "keys")
	f("organisation:\n  lei: 529900T8BM49AURSDO56", "line 2: organisation.lei", "check digits (56)")
	f("organisation: {lei: 529900T8BM49AURSDO5}", "20 letters and digits, not 19")
	f("organisation: {lei: 529900t8BM49AURSDO55}", "capital letters")
	f("organisation: {country: UK}", "organisation.country", "GB")
	f("organisation: {country: fr}", `"fr"`)
	f("organisation: {kind: bnak}", "bank, financial")
	f("organisation: {nmae: X}", `unknown key "nmae" in organisation`)
	f("\ndisclosure:\n  entitty: {}", "line 3", `"entitty" in disclosure`)
	f("disclosure: yes", "line 1", "entity, incident")
	f("disclosure:\n  entity:\n    timezone: Europe/Pariss", "line 3: disclosure.entity.timezone", "Europe/Paris")
	f("disclosure: {entity: {timezone: Local}}", "zone")
	f("disclosure: {entity: {currency: EURO}}", "such as EUR")
	f("disclosure: {entity: {types: [credit_institution, bank]}}", `"bank" is none of`)
	f("disclosure: {entity: {types: [credit_institution, credit_institution]}}", "twice")
	f("disclosure: {entity: {nis2: maybe}}", "essential, important, none")
	f("disclosure: {entity: {holidays: [26.12.2025]}}", "2025-12-26")
	f("disclosure: {entity: {parent: {name: X, lei: '1'}}}", "disclosure.entity.parent.lei")
	f("disclosure: {entity: {contacts: {boss: {name: X}}}}", "primary, secondary")
	f("disclosure: {entity: {contacts: {dpo: {email: 'a b'}}}}", "contacts.dpo.email")
	f("disclosure:\n  incident:\n    aware: 2025-12-22 06:10:00", "line 3: aware", "offset")
	f("disclosure: {incident: {aware: 2025-12-22}}", "offset")
	f("disclosure: {incident: {aware: at dawn}}", "offset")
	f("disclosure: {incident: {aware: 0205-12-22T06:10:00Z}}", "year 205")
	f("disclosure:\n  incident:\n    occurred: 2025-12-22T05:58:00Z\n    detected: 2025-12-22T06:02:00+01:00", "line 4: disclosure.incident.detected", "before occurred (2025-12-22T05:58:00Z)")
	f("disclosure: {incident: {detected: 2025-12-22T06:02:00Z, aware: 2025-12-22T06:01:00Z}}", "aware", "before detected")
	f("disclosure: {incident: {occurred: 2025-12-22T06:02:00Z, recovered: 2025-12-22T06:01:00Z}}", "recovered", "before occurred")
	f("disclosure: {incident: {recovered: 2025-12-22T06:02:00Z, resolved: 2025-12-22T06:01:00Z}}", "resolved", "before recovered")
	f("disclosure: {incident: {discovery: dream}}", "it_security")
	f("disclosure: {incident: {discovery: stafff}}", "did you mean staff?")
	f("disclosure: {incdient: {}}", "did you mean incident?")
	f("disclosure: {incident: {techniques: [phishing]}}", "social_engineering_including_phishing")
	f("disclosure: {incident: {other_authorities: [none, police]}}", "excludes")
	f("disclosure: {services: [{critical: true}]}", "name is missing")
	f("disclosure:\n  services:\n  - name: x\n    down: [{from: 2025-12-22T06:02:00Z, to: 2025-12-22T05:02:00Z}]", "line 4", "ends (2025-12-22T05:02:00Z) before it begins")
	f("disclosure: {services: [{name: x, down: [{to: 2025-12-22T05:02:00Z}]}]}", "from is missing")
	f("disclosure: {services: [{name: x, down: [{from: 2025-12-22T05:02:00Z, level: half}]}]}", "full, partial")
	f("disclosure: {services: [{name: x, clients: 1.5}]}", "whole number")
	f("disclosure: {impact: {clients: {percentage: 101}}}", "more than all")
	f("disclosure: {impact: {clients: {number: 0, percentage: 3}}}", "number is 0")
	f("disclosure:\n  impact:\n    clients: {number: .nan}", "line 3", "no quantity")
	f("disclosure: {impact: {costs: .inf}}", "no quantity")
	f("disclosure: {impact: {costs: -1}}", "no quantity")
	f("disclosure: {impact: {costs: many}}", "{value: 1200, basis: estimate}")
	f("disclosure: {impact: {costs: {value: 1, basis: guess}}}", "actual, estimate")
	f("disclosure: {impact: {costs: {value: 1, source: x}}}", `"source"`)
	f("disclosure: {impact: {member_states: [FR, UK]}}", `"UK" is no Member State`)
	f("disclosure: {impact: {financial_interest: maybe}}", "information_not_available")
	f("disclosure: {dora: {'3.36': x}}", `"3.36" is no field`)
	f("disclosure: {dora: {x: x}}", "no field")

	act := func(acts string) string {
		return "disclosure:\n  incident: {aware: 2025-12-22T06:10:00Z}\n  acts:\n" + acts
	}
	f(act("  - {act: decided}"), "line 4", "classified, reclassified")
	f(act("  - {act: classified, as: major, time: 2025-12-22T08:30:00Z, author: A, reason: r}"), "regime is missing")
	f(act("  - {act: classified, regime: dora, as: major, time: 2025-12-22T08:30:00Z, reason: r}"), "author is missing")
	f(act("  - {act: classified, regime: dora, as: major, author: A, reason: r}"), "time is missing")
	f(act("  - {act: classified, regime: dora, as: major, time: 2025-12-22T08:30:00Z, author: A}"), "reason is missing")
	f(act("  - {act: clasified, regime: dora, as: major, time: 2025-12-22T08:30:00Z, author: A, reason: r}"), "did you mean classified?")
	f(act("  - {act: classified, regime: dora, as: big, time: 2025-12-22T08:30:00Z, author: A, reason: r}"), "major, not_major")
	f(act("  - {act: classified, regime: dora, stage: initial, as: major, time: 2025-12-22T08:30:00Z, author: A, reason: r}"), "no stage")
	f(act("  - {act: submitted, regime: dora, stage: initial, time: 2025-12-22T08:30:00Z, author: A}"), "receipt is missing")
	f(act("  - {act: submitted, regime: dora, time: 2025-12-22T08:30:00Z, author: A, receipt: x}"), "stage is missing")
	f(act("  - {act: classified, regime: dora, as: major, time: 2025-12-22T05:30:00Z, author: A, reason: r}"), "before the incident was known")
	f(act("  - {act: significant, regime: nis2, as: yes, time: 2025-12-22T08:30:00Z, author: A, reason: r}\n  - {act: significant, regime: nis2, as: no, time: 2025-12-22T08:30:00Z, author: B, reason: r}"), "A says yes and B says no")
	f(act("  - {act: classified, regime: dora, as: major, time: 2025-12-22T08:30:00Z, author: A, reason: r}\n  - {act: classified, regime: dora, as: not_major, time: 2025-12-22T09:30:00Z, author: B, reason: r}"), "line 5", "reclassified")
	f(act("  - {act: reclassified, regime: dora, as: not_major, time: 2025-12-22T09:30:00Z, author: B, reason: r}"), "nobody classified")
}

func TestFactsAreRead(t *testing.T) {
	f, err := ParseFacts([]byte(`
window: {from: 2021-02-26T00:00:00Z}
organisation: {name: Example Bank, kind: bank, country: FR, lei: 529900T8BM49AURSDO55}
disclosure:
  entity: {timezone: Europe/Paris, listed: no, contacts: {dpo: {name: D}}}
  incident: {aware: 2025-12-22T06:10:00+01:00}
  impact:
    costs: {value: 250000, basis: estimate}
    clients: {number: 3}
    infrastructure: no
  dora: {"2.10": text, "3.12": [a, b]}
  acts: [{act: classified, regime: dora, as: major, time: 2025-12-22T08:30:00+01:00, author: R. Haddad, reason: thresholds}]
`))
	if err != nil {
		t.Fatal(err)
	}
	zone, given := f.Zone()
	if f.Organisation.LEI != "529900T8BM49AURSDO55" || zone.String() != "Europe/Paris" || !given || f.Home() != "FR" || *f.Entity.Listed ||
		!f.Incident.Aware.Equal(time.Date(2025, 12, 22, 5, 10, 0, 0, time.UTC)) || f.Impact.Costs.Basis != "estimate" || f.Impact.Clients.Number.Value != 3 ||
		f.Impact.Infrastructure != "no" || len(f.DORA) != 2 || f.Acts[0].As != "major" || f.Empty() {
		t.Errorf("read as %+v", f)
	}
	for _, empty := range []string{"", "window: {}\n", "disclosure:\n", "# nothing\n"} {
		if f, err := ParseFacts([]byte(empty)); err != nil || !f.Empty() {
			t.Errorf("%q: %+v, %v", empty, f, err)
		}
	}
}

func FuzzParseFacts(f *testing.F) {
	f.Add([]byte("organisation: {name: X}\ndisclosure: {incident: {aware: 2025-12-22T06:10:00+01:00}, impact: {costs: {value: 1}}}"))
	f.Add([]byte("disclosure: &a {acts: [{act: classified}], entity: *a}"))
	f.Add([]byte("a: &a [*a]\ndisclosure: {services: *a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if facts, err := ParseFacts(text); err == nil {
			facts.Zone()
			facts.Home()
			facts.Empty()
		}
	})
}

// Merge keys take in what stands elsewhere; what the text says under such a key is not empty.
func TestMergeKeys(t *testing.T) {
	f, err := ParseFacts([]byte("x-all: &all {disclosure: {incident: &i {aware: 2025-12-22T06:10:00Z}, entity: {listed: no}}}\n<<: *all\n"))
	if err != nil || f.Empty() || f.Incident.Aware == nil {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = ParseFacts([]byte("disclosure:\n  services:\n  - &s {name: mail, critical: true}\n  - {<<: *s, name: bank}"))
	if err != nil || len(f.Services) != 2 || f.Services[1].Name != "bank" || f.Services[1].Critical == nil || !*f.Services[1].Critical {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := ParseFacts([]byte("disclosure:\n  services:\n  - {<<: {nmae: mail}}")); err == nil || !strings.Contains(err.Error(), "line 3: unknown key \"nmae\"") {
		t.Error(err)
	}
}
