package disclose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// assess reads facts of testdata/clock, without the acts that hold one of the texts, and says what is owed.
func assess(t *testing.T, file string, without ...string) map[string]*casefile.Duty {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "clock", file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(p)) {
		if !strings.HasPrefix(line, "  - ") || !slices.ContainsFunc(without, func(w string) bool { return strings.Contains(line, w) }) {
			lines = append(lines, line)
		}
	}
	return assessText(t, strings.Join(lines, ""), nil)
}

func assessText(t *testing.T, text string, c *casefile.Case) map[string]*casefile.Duty {
	t.Helper()
	f, err := ParseFacts([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		c = &casefile.Case{}
	}
	r, err := Assess(&Input{Case: c, Facts: f})
	if err != nil {
		t.Fatal(err)
	}
	duties := map[string]*casefile.Duty{}
	for i := range r.Owed {
		d := &r.Owed[i]
		duties[d.Regime+" "+d.Stage] = d
		checkSaid(t, d)
	}
	return duties
}

// checkSaid looks at every sentence of a duty, in every language.
func checkSaid(t *testing.T, d *casefile.Duty) {
	t.Helper()
	if len(d.Why) == 0 {
		t.Errorf("%s %s: no reason", d.Regime, d.Stage)
	}
	for _, tag := range lang.Tags() {
		l, err := lang.Find(tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Why {
			if got := l.Said(s.ID, s.Args).Text(); !l.Has(s.ID) || strings.Contains(got, "[?") || strings.Contains(got, "[en]") || strings.Contains(got, "duty.") {
				t.Errorf("%s %s: %s: %s: %q", d.Regime, d.Stage, tag, s.ID, got)
			}
		}
		if w := d.Words[tag]; w.Regime == "" || w.Stage == "" || w.Recipient == "" {
			t.Errorf("%s %s: %s: words %+v", d.Regime, d.Stage, tag, w)
		}
	}
}

func why(d *casefile.Duty) string {
	var b strings.Builder
	for _, s := range d.Why {
		b.WriteString(s.Text + "\n")
	}
	return b.String()
}

// expect compares a duty with "state local-time".
func expect(t *testing.T, duties map[string]*casefile.Duty, which, want string, says ...string) {
	t.Helper()
	d := duties[which]
	if d == nil {
		t.Errorf("%s: no such duty", which)
		return
	}
	if got := strings.TrimSpace(d.State + " " + d.Local); got != want {
		t.Errorf("%s: %s, want %s\n%s", which, got, want, why(d))
	}
	for _, s := range says {
		if !strings.Contains(why(d)+strings.Join(d.Missing, "\n"), s) {
			t.Errorf("%s: does not say %q:\n%smissing %v", which, s, why(d), d.Missing)
		}
	}
}

// Worked case 3.1, as it stood at each step.
func TestPostalBankOverChristmas(t *testing.T) {
	aware := assess(t, "postal-bank", "classified", "submitted")
	expect(t, aware, "dora initial", "open 2025-12-23T06:10:00+01:00", "disclosure.acts: {act: classified, regime: dora, as: major|not_major}", "decides by 2025-12-23T02:10:00+01:00 keeps 4 hours")
	expect(t, aware, "dora intermediate", "waiting")

	signed := assess(t, "postal-bank", "submitted")
	expect(t, signed, "dora initial", "due 2025-12-22T12:30:00+01:00", "4 hours after classification as major: 2025-12-22T12:30", "24 hours after awareness: 2025-12-23T06:10")
	expect(t, signed, "dora intermediate", "waiting")
	expect(t, signed, "dora final", "waiting")

	filed := assess(t, "postal-bank", "stage: intermediate")
	expect(t, filed, "dora initial", "done 2025-12-22T12:30:00+01:00", "Done on 2025-12-22T11:00:00+01:00, by R. Haddad.")
	expect(t, filed, "dora intermediate", "due 2025-12-25T11:00:00+01:00", "2025-12-25 is not a working day. For this organisation the limit does not move: disclosure.entity.types = any, credit_institution")
	expect(t, filed, "dora final", "waiting")

	all := assess(t, "postal-bank")
	expect(t, all, "dora intermediate", "done 2025-12-25T11:00:00+01:00")
	expect(t, all, "dora final", "due 2026-01-26T12:00:00+01:00", "1 month after submission: 2026-01-24T18:00:00+01:00", "2026-01-24 is not a working day. The limit moves to 2026-01-26T12:00:00+01:00")
	expect(t, all, "fr-lopmi complaint", "due 2025-12-25T06:10:00+01:00")
	expect(t, all, "nis2 early", "not_owed", "organisation.kind = bank")
	expect(t, all, "gdpr authority", "open 2025-12-25T06:10:00+01:00", "disclosure.personal_data.persons")
	expect(t, all, "dora clients", "open", "disclosure.impact.financial_interest")
	expect(t, all, "eidas supervisor", "not_owed")
	expect(t, all, "sec-8k filing", "not_owed")
	expect(t, all, "eu-bodies-cyber early", "not_owed")
	if all["dora initial"].Recipient != "ACPR" || all["dora initial"].Words["fr"].Recipient != "ACPR" || all["dora initial"].Receipt != "A-1" {
		t.Errorf("%+v", all["dora initial"])
	}
	if src := all["dora initial"].Source; src.CELEX != "32025R0301" || !src.Checked || src.Data == "" {
		t.Errorf("source %+v", src)
	}
}

func TestPostUnderTheSameAttack(t *testing.T) {
	d := assess(t, "post")
	expect(t, d, "nis2 early", "due 2025-12-23T06:10:00+01:00")
	expect(t, d, "nis2 notification", "done 2025-12-25T06:10:00+01:00")
	expect(t, d, "nis2 final", "due 2026-01-24T10:00:00+01:00")
	expect(t, d, "nis2 progress", "open 2026-01-24T10:00:00+01:00", "only if resolution of the incident has not come by 2026-01-24T10:00:00+01:00")
	expect(t, d, "fr-lopmi complaint", "done 2025-12-25T06:10:00+01:00")
	expect(t, d, "dora initial", "not_owed", "organisation.kind = post")
	if d["nis2 early"].Recipient != "ANSSI" || d["nis2 recipients"].Recipient != "recipients of the service" {
		t.Error(d["nis2 early"].Recipient, d["nis2 recipients"].Recipient)
	}
	undecided := assess(t, "post", "significant")
	expect(t, undecided, "nis2 early", "open 2025-12-23T06:10:00+01:00", "disclosure.acts: {act: significant, regime: nis2, as: yes|no}")
}

// Worked case 3.2, for an authority of the Union.
func TestAgencyWithABrokenMailServer(t *testing.T) {
	d := assess(t, "agency")
	expect(t, d, "eu-bodies-data edps", "due 2027-03-10T09:30:00+01:00")
	expect(t, d, "eu-bodies-data persons", "open", "disclosure.acts: {act: risk, regime: eu-bodies-data, as: unlikely|risk|high}")
	expect(t, d, "eu-bodies-cyber early", "done 2027-03-08T09:30:00+01:00")
	expect(t, d, "eu-bodies-cyber notification", "done 2027-03-10T09:30:00+01:00")
	expect(t, d, "eu-bodies-cyber final", "due 2027-04-09T12:00:00+02:00")
	for _, other := range []string{"gdpr authority", "dora initial", "nis2 early", "sec-8k filing", "eidas supervisor", "fr-lopmi complaint"} {
		expect(t, d, other, "not_owed")
	}
}

// Worked case 3.2, for a bank: classified later than 24 hours after awareness, only 4 hours from the classification count.
func TestBankWithAWebShell(t *testing.T) {
	d := assess(t, "bank-web-shell")
	expect(t, d, "dora initial", "due 2027-03-08T15:00:00+01:00", "24 hours after awareness (2027-03-08T09:30:00+01:00) does not count")
	expect(t, d, "gdpr authority", "due 2027-03-10T09:30:00+01:00")
	expect(t, d, "gdpr persons", "open", "disclosure.acts: {act: risk, regime: gdpr, as: unlikely|risk|high}")
	expect(t, d, "gdpr controller", "not_owed")
	expect(t, d, "fr-lopmi complaint", "not_owed")
}

func TestWhatIsNotSaidIsOpen(t *testing.T) {
	for which, d := range assessText(t, "", nil) {
		if d.State != casefile.DutyOpen && d.State != casefile.DutyWaiting && which != "dora reclassification" && which != "gdpr controller" {
			t.Errorf("%s: %s\n%s", which, d.State, why(d))
		}
		if d.State == casefile.DutyOpen && len(d.Missing) == 0 {
			t.Errorf("%s: open, and nothing is missing", which)
		}
	}
	moved := assessText(t, `
organisation: {name: X, kind: financial}
disclosure:
  incident: {aware: 2026-01-02T12:00:00Z}
  acts: [{act: classified, regime: dora, as: major, time: 2026-01-03T06:00:00Z, author: A, reason: r}]`, nil)
	expect(t, moved, "dora initial", "due 2026-01-03T10:00:00Z", "Whether the limit moves to 2026-01-05T12:00:00Z is open", "organisation.country", "The facts name no time zone. UTC was taken", "disclosure.entity.types")
	relief := assessText(t, `
organisation: {name: X, kind: financial, country: AT}
disclosure:
  entity: {types: [management_company], nis2: none, holidays: [2026-01-05]}
  incident: {aware: 2026-01-02T12:00:00+01:00}
  acts: [{act: classified, regime: dora, as: major, time: 2026-01-03T06:00:00+01:00, author: A, reason: r}]`, nil)
	expect(t, relief, "dora initial", "due 2026-01-07T12:00:00+01:00", "The facts name no time zone. Europe/Vienna was taken")
	country := assessText(t, `
organisation: {name: X, kind: financial, country: GR}
disclosure:
  entity: {timezone: Europe/Athens, types: [management_company], nis2: none}
  incident: {aware: 2026-01-02T12:00:00+02:00}
  acts: [{act: classified, regime: dora, as: major, time: 2026-01-03T06:00:00+02:00, author: A, reason: r}]`, nil)
	expect(t, country, "dora initial", "due 2026-01-05T12:00:00+02:00", "no calendar of bank holidays for GR in 2026", "the true limit may be later")
}

func TestDecisions(t *testing.T) {
	base := "organisation: {name: X, kind: bank, country: FR}\ndisclosure:\n  entity: {timezone: Europe/Paris}\n  incident: {aware: 2026-02-02T08:00:00+01:00}\n  personal_data: {persons: 3}\n  acts:\n"
	act := func(s string) string { return "  - {" + s + ", author: A, reason: r}\n" }
	d := assessText(t, base+act("act: classified, regime: dora, as: not_major, time: 2026-02-02T09:00:00+01:00"), nil)
	expect(t, d, "dora initial", "not_owed", "{act: classified, regime: dora} = not_major")
	d = assessText(t, base+act("act: classified, regime: dora, as: not_major, time: 2026-02-02T09:00:00+01:00")+act("act: classified, regime: dora, as: major, time: 2026-02-02T11:00:00+01:00"), nil)
	expect(t, d, "dora initial", "due 2026-02-02T15:00:00+01:00")
	d = assessText(t, base+act("act: classified, regime: dora, as: major, time: 2026-02-02T09:00:00+01:00")+
		act("act: submitted, regime: dora, stage: initial, time: 2026-02-02T14:00:00+01:00")+
		act("act: reclassified, regime: dora, as: not_major, time: 2026-02-03T09:00:00+01:00"), nil)
	expect(t, d, "dora initial", "done", "Done on 2026-02-02T14:00:00+01:00")
	expect(t, d, "dora intermediate", "not_owed")
	expect(t, d, "dora reclassification", "due", "without undue delay")
	d = assessText(t, base+act("act: risk, regime: gdpr, as: unlikely, time: 2026-02-02T09:00:00+01:00"), nil)
	expect(t, d, "gdpr authority", "not_owed", "{act: risk, regime: gdpr} = unlikely")
	expect(t, d, "gdpr register", "due")
	d = assessText(t, base+act("act: risk, regime: gdpr, as: high, time: 2026-02-02T09:00:00+01:00"), nil)
	expect(t, d, "gdpr persons", "due", "without undue delay")
	d = assessText(t, base+act("act: waived, regime: gdpr, stage: authority, time: 2026-02-02T09:00:00+01:00"), nil)
	expect(t, d, "gdpr authority", "not_owed 2026-02-05T08:00:00+01:00", "A decided on 2026-02-02T09:00:00+01:00 that it is not owed: r")
	d = assessText(t, base+act("act: submitted, regime: gdpr, stage: authority, time: 2026-02-06T09:00:00+01:00"), nil)
	expect(t, d, "gdpr authority", "done 2026-02-05T08:00:00+01:00", "after the limit")
}

func TestOverridesAndVersions(t *testing.T) {
	d := assessText(t, "organisation: {kind: bank, country: FR}\ndisclosure: {entity: {regimes: {dora: false, sec-8k: true}}, incident: {aware: 2026-02-02T08:00:00Z}}", nil)
	expect(t, d, "dora initial", "not_owed", "disclosure.entity.regimes.dora")
	expect(t, d, "sec-8k filing", "open", "disclosure.entity.regimes.sec-8k")
	d = assessText(t, "organisation: {kind: bank, country: FR}\ndisclosure: {incident: {aware: 2021-03-07T08:00:00Z}}", nil)
	expect(t, d, "dora initial", "not_owed", "applies from 2025-01-17", "on 2021-03-07")
	d = assessText(t, "organisation: {kind: ministry, country: FR}\ndisclosure: {entity: {nis2: essential, timezone: Europe/Paris}, incident: {aware: 2026-02-02T08:00:00+01:00}}", nil)
	expect(t, d, "nis2 notification", "open 2026-02-03T08:00:00+01:00", "Which limit holds is open", "disclosure.entity.trust_services")
}

func TestCaseProvesABreach(t *testing.T) {
	facts := "organisation: {kind: other, country: FR}\ndisclosure: {entity: {timezone: Europe/Paris}, incident: {aware: 2026-02-02T08:00:00+01:00}, personal_data: {persons: 0}}"
	expect(t, assessText(t, facts, nil), "gdpr authority", "not_owed")
	c := &casefile.Case{Summary: casefile.Summary{Reached: map[string]casefile.VerdictCounts{"mailbox": {Confirmed: 1}}}}
	expect(t, assessText(t, facts, c), "gdpr authority", "due 2026-02-05T08:00:00+01:00")
	f, err := ParseFacts([]byte(facts))
	if err != nil {
		t.Fatal(err)
	}
	// A web shell is no file that was read.
	for rule, want := range map[string]string{"SHELL_USED": casefile.DutyNotOwed, "GET_200": casefile.DutyDue} {
		reached := casefile.Reached{Object: casefile.Object{Kind: "file", ID: "/x"}, Verdict: casefile.Confirmed, Levels: casefile.Levels{Content: casefile.Confirmed}, Why: []casefile.Reason{{Rule: rule}}}
		files := &casefile.Case{Summary: casefile.Summary{Reached: map[string]casefile.VerdictCounts{reached.CountedAs(): {Confirmed: 1}}}}
		r, err := Assess(&Input{Case: files, Facts: f, Reached: func(yield func(*casefile.Reached, error) bool) { yield(&reached, nil) }})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Owed {
			if d.Regime == "gdpr" && d.Stage == "authority" && d.State != want {
				t.Errorf("%s: %s, want %s", rule, d.State, want)
			}
		}
	}
	r, err := Assess(&Input{Case: c, Facts: f})
	if err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "personal_data.persons: 0, but records prove") {
		t.Errorf("notes %q, %v", r.Notes, err)
	}
}

func TestFactsThatNoRegimeTakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		facts, err := ParseFacts([]byte(text))
		if err == nil {
			_, err = Assess(&Input{Case: &casefile.Case{}, Facts: facts})
		}
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
	act := func(s string) string {
		return "disclosure:\n  incident: {aware: 2025-12-22T06:10:00Z}\n  acts:\n  - {" + s + ", author: A, reason: r}"
	}
	f("disclosure:\n  entity:\n    regimes: {dorra: true}", "line 3", `"dorra"`, "dora, eidas")
	f("disclosure: {entity: {recipients: {cnil: x}}}", `"cnil"`)
	f("disclosure: {entity: {recipients: {gdpr.nobody: x}}}", `"gdpr.nobody"`)
	f(act("act: submitted, regime: dora, stage: early, time: 2025-12-22T08:00:00Z"), "line 4", `no stage "early"`, "initial, intermediate")
	f(act("act: significant, regime: dora, as: yes, time: 2025-12-22T08:00:00Z"), "nothing is significant under dora")
	f(act("act: submitted, regime: dora, stage: intermediate, time: 2025-12-22T08:00:00Z"), "no initial was submitted before it")
	f(act("act: submitted, regime: nis2, stage: final, time: 2025-12-22T08:00:00Z"), "no notification was submitted")
}

// An intrusion is often found years later: when the evidence begins says nothing about the law under which it is owed.
func TestLawOfAnOldIntrusionFoundToday(t *testing.T) {
	facts := "organisation: {kind: bank, country: FR}\ndisclosure: {incident: {%s}}"
	old := "occurred: 2021-03-03T08:00:00Z"
	expect(t, assessText(t, fmt.Sprintf(facts, old), nil), "dora initial", "open", "disclosure.incident.aware", "disclosure.acts: {act: classified, regime: dora, as: major|not_major}")
	expect(t, assessText(t, fmt.Sprintf(facts, "detected: 2021-03-03T08:00:00Z"), nil), "dora initial", "open", "disclosure.incident.aware")
	expect(t, assessText(t, fmt.Sprintf(facts, old), nil), "dora intermediate", "waiting")
	expect(t, assessText(t, fmt.Sprintf(facts, old+", aware: 2021-03-07T08:00:00Z"), nil), "dora initial", "not_owed", "applies from 2025-01-17")
	expect(t, assessText(t, fmt.Sprintf(facts, old+", aware: 2026-03-02T08:00:00Z"), nil), "dora initial", "open 2026-03-03T09:00:00+01:00")
}

func TestProcessorAmongBodiesOfTheUnion(t *testing.T) {
	facts := "organisation: {kind: eu-body, country: BE}\ndisclosure: {incident: {aware: 2026-02-02T08:00:00+01:00}, personal_data: {persons: 3, controller: %s}}"
	d := assessText(t, fmt.Sprintf(facts, "false"), nil)
	expect(t, d, "eu-bodies-data edps", "not_owed")
	expect(t, d, "eu-bodies-data controller", "due", "without undue delay")
	expect(t, assessText(t, fmt.Sprintf(facts, "true"), nil), "eu-bodies-data controller", "not_owed")
}

// A post that also pays stays under NIS 2.
func TestPostThatPays(t *testing.T) {
	facts := "organisation: {%scountry: FR}\ndisclosure: {entity: {types: [payment_institution]%s}, incident: {aware: 2026-02-02T08:00:00+01:00}}"
	d := assessText(t, fmt.Sprintf(facts, "kind: post, ", ""), nil)
	expect(t, d, "nis2 early", "open 2026-02-03T08:00:00+01:00", "disclosure.entity.nis2")
	expect(t, d, "dora initial", "open 2026-02-03T08:00:00+01:00")
	expect(t, assessText(t, fmt.Sprintf(facts, "kind: financial, ", ", nis2: essential"), nil), "nis2 early", "not_owed")
	expect(t, assessText(t, fmt.Sprintf(facts, "", ", nis2: essential"), nil), "nis2 early", "not_owed")
}

// Article 23(4)(d): the month runs from the notification, not from an earlier end of the incident.
func TestResolvedBeforeItWasNotified(t *testing.T) {
	facts := `organisation: {kind: post, country: FR}
disclosure:
  entity: {nis2: essential, timezone: Europe/Paris}
  incident: {aware: 2026-01-28T23:30:00+01:00, resolved: %s}
  acts:
  - {act: significant, regime: nis2, as: "yes", time: 2026-01-29T09:00:00+01:00, author: A, reason: r}
  - {act: submitted, regime: nis2, stage: notification, time: 2026-01-31T14:00:00+01:00, author: A, receipt: r}`
	for resolved, want := range map[string]string{
		"2026-01-29T10:00:00+01:00": "2026-02-28T14:00:00+01:00",
		"2026-02-10T10:00:00+01:00": "2026-02-28T14:00:00+01:00",
		"2026-03-05T10:00:00+01:00": "2026-04-05T10:00:00+02:00",
	} {
		expect(t, assessText(t, fmt.Sprintf(facts, resolved), nil), "nis2 final", "due "+want)
	}
}

// What people rule out while the evidence leaves it open, or says otherwise, takes away no duty.
func TestFactsDoNotRuleOutWhatTheCaseLeavesOpen(t *testing.T) {
	facts := "organisation: {kind: other, country: FR}\ndisclosure:\n  entity: {timezone: Europe/Paris, insured: true}\n  incident: {aware: 2026-02-02T08:00:00+01:00, malicious: false}\n  personal_data: {persons: 0}\n"
	d := assessText(t, facts, nil)
	expect(t, d, "gdpr authority", "not_owed")
	expect(t, d, "fr-lopmi complaint", "not_owed")
	c := &casefile.Case{
		Summary:  casefile.Summary{Reached: map[string]casefile.VerdictCounts{"mailbox": {Possible: 1}}},
		Sessions: []casefile.Session{{ID: "S1", Attribution: "attacker"}},
	}
	d = assessText(t, facts, c)
	expect(t, d, "gdpr authority", "open 2026-02-05T08:00:00+01:00", "disclosure.personal_data.persons")
	expect(t, d, "gdpr register", "open")
	expect(t, d, "fr-lopmi complaint", "open 2026-02-05T08:00:00+01:00", "disclosure.incident.malicious")
	unlikely := "  acts: [{act: risk, regime: gdpr, as: unlikely, time: 2026-02-02T09:00:00+01:00, author: A, reason: r}]\n"
	expect(t, assessText(t, facts+unlikely, c), "gdpr authority", "not_owed", "{act: risk, regime: gdpr} = unlikely")
	f, _ := ParseFacts([]byte(facts))
	r, err := Assess(&Input{Case: c, Facts: f})
	if err != nil || len(r.Notes) != 2 || !strings.Contains(r.Notes[0], "persons: 0, but mail may") || !strings.Contains(r.Notes[1], "malicious: false, but") {
		t.Errorf("notes %q, %v", r.Notes, err)
	}
}

func TestFactsOfAnotherCase(t *testing.T) {
	c := &casefile.Case{Incidents: []casefile.Incident{{ID: "I1", Severity: "high", First: *instant("2026-03-09T09:30:00Z"), Last: *instant("2026-03-09T10:30:00Z")}}}
	for facts, want := range map[string]int{
		"disclosure: {incident: {aware: 2026-02-02T08:00:00Z}}":                                 1,
		"disclosure: {incident: {detected: 2026-02-02T08:00:00Z, aware: 2026-03-10T08:00:00Z}}": 1,
		"disclosure: {incident: {detected: 2026-03-09T09:30:00Z}}":                              0,
	} {
		f, err := ParseFacts([]byte(facts))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: c, Facts: f})
		if err != nil || len(r.Notes) != want || want > 0 && !strings.Contains(r.Notes[0], "facts are of another case") {
			t.Errorf("%s: notes %q, %v", facts, r.Notes, err)
		}
	}
}

// Few organisations are trust service providers: nobody is shown two clocks for want of that one answer.
func TestALawForFewIsAskedForOnce(t *testing.T) {
	const facts = "organisation: {name: P, kind: post, country: FR}\ndisclosure: {entity: {timezone: Europe/Paris%s}, incident: {aware: 2026-02-02T08:00:00+01:00}}"
	list := func(entity string) (string, []casefile.Duty) {
		f, err := ParseFacts([]byte(fmt.Sprintf(facts, entity)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		zone, _ := f.Zone()
		if err := WriteList(&b, &List{Result: r, Lang: language(t, "en"), Now: *instant("2026-02-02T09:00:00+01:00"), Zone: zone}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(b.String()), " "), r.Owed
	}
	text, owed := list("")
	if n := strings.Count(text, "eIDAS"); n != 1 || !strings.Contains(text, "eIDAS: does it apply to this organisation?") || !strings.Contains(text, "disclosure.entity.trust_services") ||
		!strings.Contains(text, "The first of them by 2026-02-03T08:00:00+01:00.") {
		t.Errorf("eIDAS is named %d times:\n%s", n, text)
	}
	for _, d := range owed {
		if is := d.Regime == "eidas"; d.Question != is || is && (d.State != casefile.DutyOpen || d.Due == nil) {
			t.Errorf("%+v", d)
		}
	}
	text, owed = list(", trust_services: qualified")
	if strings.Contains(text, "does it apply") || strings.Count(text, "eIDAS: ") != 2 {
		t.Errorf("of a provider:\n%s", text)
	}
	for _, d := range owed {
		if d.Question {
			t.Errorf("%+v", d)
		}
	}
}
