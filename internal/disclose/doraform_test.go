package disclose

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// schemaDORA is the ESAs' schema of a report.
func schemaDORA(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(sharedtest.Path(t, "schemas", "dora", "dora_ir_v1.2.1.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(s *jsonschema.Schema, p []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(p))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// doraDraft is what forms are written from, in English.
func doraDraft(t testing.TB, c *casefile.Case, f *Facts, as string) *Draft {
	t.Helper()
	if c == nil {
		c = &casefile.Case{}
	}
	en, err := lang.Find(lang.English)
	if err != nil {
		t.Fatal(err)
	}
	return &Draft{Input: &Input{Case: c, Facts: f}, Lang: en, As: as}
}

func write(t testing.TB, form string, d *Draft) ([]byte, error) {
	t.Helper()
	f, ok := FindForm(form)
	if !ok {
		t.Fatalf("no form %s", form)
	}
	var b bytes.Buffer
	err := f.Write(&b, d)
	if err != nil && b.Len() > 0 {
		t.Errorf("%s: an error (%v), and %d bytes were written", form, err, b.Len())
	}
	return b.Bytes(), err
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "dora", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (UPDATE_GOLDEN=1 writes it anew):\n%s", name, got)
	}
}

// Worked case 3.1, three reports, each from the one before.
func TestPostalBankReports(t *testing.T) {
	schema := schemaDORA(t)
	var previous []byte
	for _, tc := range []struct{ form, facts string }{
		{"dora-initial", "postal-bank"}, {"dora-intermediate", "postal-bank-intermediate"}, {"dora-final", "postal-bank-final"},
	} {
		d := doraDraft(t, nil, factsOf(t, tc.facts+".yaml"), "json")
		d.Previous, d.PreviousName = previous, "previous.json"
		got, err := write(t, tc.form, d)
		if err != nil {
			t.Fatalf("%s: %v", tc.form, err)
		}
		if err := valid(schema, got); err != nil {
			t.Errorf("%s: %v\n%s", tc.form, err, got)
		}
		golden(t, tc.form+".json", got)
		if err := valid(schema, []byte(strings.Replace(string(got), "EUR", "XXX", 1))); err == nil {
			t.Error("the schema takes anything")
		}
		previous = got
	}
}

// Worked case 3.2: the initial notification needs no more than what is known in the first hour.
func TestMailServerReports(t *testing.T) {
	schema := schemaDORA(t)
	got, err := write(t, "dora-initial", doraDraft(t, mailServer(), factsOf(t, "mail-server.yaml"), "json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(schema, got); err != nil {
		t.Error(err)
	}
	golden(t, "mail-server-initial.json", got)

	more := []string{"  acts:\n", `  services:
  - {name: e-mail, critical: false, supervised: false, functions: [correspondence with clients], down: [{from: 2021-03-07T11:30:00+01:00, to: 2021-03-09T10:00:00+01:00, level: full}]}
  impact:
    malicious_access: true
    clients: {number: 0}
    counterparts: {number: 0}
    transactions: {number: 0}
    financial_interest: information_not_available
  dora:
    "3.22": The e-mail of the bank, by which clients write to it.
  acts:
  - {act: submitted, regime: dora, stage: initial, time: 2021-03-07T14:00:00+01:00, author: S. Diallo, receipt: 2021I0000003}
`, "    continuity_plan: true\n", "    continuity_plan: true\n    recovered: 2021-03-09T10:00:00+01:00\n    temporary_measures: E-mail was taken off the network.\n"}
	d := doraDraft(t, mailServer(), factsOf(t, "mail-server.yaml", more...), "json")
	d.Previous, d.PreviousName = got, "initial.json"
	got, err = write(t, "dora-intermediate", d)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(schema, got); err != nil {
		t.Error(err)
	}
	golden(t, "mail-server-intermediate.json", got)
	intermediate := got

	more[3] += `    resolved: 2021-03-20T12:00:00+01:00
    resolution: The server was set up anew, and all passwords were changed.
    root_cause: {high: [malicious_actions], detailed: [malicious_actions_fraudulent_actions], text: A weakness of the mail server that was not mended yet., addressed: 2021-03-09T10:00:00+01:00}
`
	more[1] = strings.Replace(more[1], "  dora:\n", "    costs: {value: 80000, basis: actual}\n    recoveries: 0\n  dora:\n    \"4.9\": Resolved as planned.\n", 1)
	more[1] += "  - {act: submitted, regime: dora, stage: intermediate, time: 2021-03-10T10:00:00+01:00, author: S. Diallo, receipt: 2021I0000003}\n"
	d = doraDraft(t, mailServer(), factsOf(t, "mail-server.yaml", more...), "json")
	d.Previous, d.PreviousName = intermediate, "intermediate.json"
	final, err := write(t, "dora-final", d)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(schema, final); err != nil {
		t.Error(err)
	}
	golden(t, "mail-server-final.json", final)
	for _, s := range []string{"Content was accessed, as records show: 3 mailboxes.", "Content may have been accessed, the logs cannot exclude it: 4 mailboxes.",
		"at least 3 mailboxes and at most 7 mailboxes", "203.0.113.9 (session S1)", "2001:db8::9 (session S1)"} {
		if !strings.Contains(string(got), s) {
			t.Errorf("%q is not in it", s)
		}
	}
	if strings.Contains(string(got), "192.0.2.4") || strings.Contains(string(got), "198.51.100.7") {
		t.Error("an address that is not proven is an indicator")
	}
}

// What is missing is named, all of it, by number, name and key; nothing is written.
func TestNotReady(t *testing.T) {
	_, err := write(t, "dora-initial", doraDraft(t, nil, &Facts{}, "json"))
	var not *NotReady
	if !errors.As(err, &not) {
		t.Fatal(err)
	}
	if len(not.Fields) != 17 {
		t.Errorf("%d fields, want all of the 18 but 1.1:\n%v", len(not.Fields), err)
	}
	for _, s := range []string{"2.4 Description of the incident: missing: give disclosure.incident.description", "give disclosure.entity.contacts.primary.email",
		`give disclosure.dora."2.5"`, "act: classified"} {
		if !strings.Contains(strings.Join(not.Fields, "\n"), s) {
			t.Errorf("%q is not in it:\n%v", s, not.Fields)
		}
	}
}

func TestStagesFollowEachOther(t *testing.T) {
	initial, err := write(t, "dora-initial", doraDraft(t, nil, factsOf(t, "postal-bank.yaml"), "json"))
	if err != nil {
		t.Fatal(err)
	}
	final, err := os.ReadFile("testdata/dora/dora-final.json")
	if err != nil {
		t.Fatal(err)
	}
	notMajor := "as: major, time: 2025-12-22T08:30:00+01:00, author: R. Haddad, reason: clients and downtime}"
	for _, tc := range []struct {
		name, form string
		facts      *Facts
		previous   string
		want       string
	}{
		{"nothing before", "dora-intermediate", factsOf(t, "postal-bank.yaml"), "", "there is no initial report before it"},
		{"no intermediate", "dora-final", factsOf(t, "postal-bank-intermediate.yaml"), "", "there is no intermediate report before it"},
		{"a final after the initial", "dora-final", factsOf(t, "postal-bank-final.yaml"), string(initial), "it is the initial notification"},
		{"after the final", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), string(final), "which comes after"},
		{"another incident", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml", "EPB-2025-17", "EPB-2025-18"), string(initial), "it is of another incident: its field 2.1"},
		{"another bank", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml", "5299000EXAMPLEPB0094", "5299000EXAMPLEMB0078"), string(initial), "its field 1.3"},
		{"no JSON", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), "%PDF-1.7", "previous.json: no report under DORA in JSON"},
		{"other JSON", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), "{}", "incidentSubmission (1.1)"},
		{"an unknown field", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), strings.Replace(string(initial), `"reportCurrency"`, `"currencyOfReport"`, 1), "currencyOfReport is no field"},
		{"an unknown field below", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), strings.Replace(string(initial), `"phone"`, `"fax"`, 1), "primaryContact.fax is no field"},
		{"of two entities", "dora-intermediate", factsOf(t, "postal-bank-intermediate.yaml"), strings.Replace(string(initial), `"affectedEntity": [`, `"affectedEntity": [{},`, 1), "2 entries"},
		{"not major", "dora-initial", factsOf(t, "postal-bank.yaml", notMajor, strings.Replace(notMajor, "major", "not_major", 1)), "", "is not major (classified)"},
		{"never reclassified", "dora-reclassified", factsOf(t, "postal-bank.yaml"), "", "nobody reclassified"},
	} {
		d := doraDraft(t, nil, tc.facts, "json")
		if tc.previous != "" {
			d.Previous, d.PreviousName = []byte(tc.previous), "previous.json"
		}
		if _, err := write(t, tc.form, d); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestReclassified(t *testing.T) {
	f := factsOf(t, "postal-bank-intermediate.yaml", "receipt: 2025I0000017}\n",
		"receipt: 2025I0000017}\n  - {act: reclassified, regime: dora, as: not_major, time: 2025-12-28T10:00:00+01:00, author: R. Haddad, reason: The figures were of another service.}\n")
	got, err := write(t, "dora-reclassified", doraDraft(t, nil, f, "json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(schemaDORA(t), got); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"major_incident_reclassified_as_non-major", "The figures were of another service.", "2025I0000017"} {
		if !strings.Contains(string(got), s) {
			t.Errorf("%q is not in it:\n%s", s, got)
		}
	}
	if strings.Contains(string(got), "impactAssessment") {
		t.Error("it carries the intermediate report")
	}
}

// What is different from the report before is listed, field by field.
func TestChanges(t *testing.T) {
	initial, err := write(t, "dora-initial", doraDraft(t, nil, factsOf(t, "postal-bank.yaml"), "json"))
	if err != nil {
		t.Fatal(err)
	}
	f := factsOf(t, "postal-bank-intermediate.yaml", "discovery: monitoring_systems", "discovery: clients", "phone: \"+33 1 99 00 00 02\"", "phone: \"\"")
	d := doraDraft(t, nil, f, "json")
	d.Previous, d.PreviousName = initial, "initial.json"
	var said []string
	d.Warn = func(s string) { said = append(said, s) }
	got, err := write(t, "dora-intermediate", d)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"2.7 Discovery of the incident: was: monitoring_systems; is: clients"}
	if !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if !strings.Contains(string(got), "+33 1 99 00 00 02") {
		t.Error("what the initial says and nobody says anew is lost")
	}
}

// complete are the values of a final report that breaks no rule.
func completeDORA(t testing.TB) *doraReport {
	t.Helper()
	p, err := os.ReadFile("testdata/dora/dora-final.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := readDORA(p)
	if err != nil {
		t.Fatal(err)
	}
	r.ask = doraContext{home: "FR", acpr: true, submitted: true, down: true}
	return r
}

func written2(t testing.TB, r *doraReport) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.writeJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A report that was read is written as it was.
func TestReadAndWrite(t *testing.T) {
	for _, name := range []string{"dora-initial.json", "dora-intermediate.json", "dora-final.json", "mail-server-intermediate.json"} {
		p, err := os.ReadFile("testdata/dora/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := readDORA(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := written2(t, r); !bytes.Equal(got, p) {
			t.Errorf("%s is written otherwise:\n%s", name, got)
		}
	}
}

// Programs write times, numbers and what is empty in their own ways.
func TestReadOthers(t *testing.T) {
	p, err := os.ReadFile("testdata/dora/dora-final.json")
	if err != nil {
		t.Fatal(err)
	}
	s := strings.NewReplacer(`"2025-12-22T05:02:00Z"`, `"2025-12-22T06:02:00.000+01:00"`, `"grossAmountIndirectDirectCosts": 268.45`, `"grossAmountIndirectDirectCosts": 2.6845e2, "rootCausesOther": "", "rootCausesAdditionalClassification": [], "recurringIncidentDate": null`).Replace(string(p))
	if s == string(p) {
		t.Fatal("nothing is different")
	}
	r, err := readDORA([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	if got := written2(t, r); !bytes.Equal(got, p) {
		t.Errorf("%s", got)
	}
}

func TestUnits(t *testing.T) {
	q := func(v float64) *Quantity { return &Quantity{Value: v} }
	for _, tc := range []struct {
		write func(*Quantity) (json.Number, bool)
		in    *Quantity
		want  string
	}{
		{percent, q(10), "10"}, {percent, q(10.01), "10.1"}, {percent, q(33.3), "33.3"}, {percent, q(100.0 / 3), "33.4"}, {percent, q(0.0001), "0.1"}, {percent, q(0), "0"},
		{thousands, q(250_000), "250"}, {thousands, q(2500), "2.5"}, {thousands, q(1), "0.001"}, {thousands, q(0), "0"},
		{wholeNumber, q(12.1), "13"}, {wholeNumber, q(0), "0"}, {wholeNumber, q(999_999_999_999), "999999999999"},
		{wholeNumber, q(1e300), ""}, {percent, q(math.NaN()), ""}, {thousands, q(-1), ""}, {thousands, nil, ""},
	} {
		got, ok := tc.write(tc.in)
		if ok != (tc.want != "") || ok && got.String() != tc.want {
			t.Errorf("%v: %s, want %s", tc.in, got, tc.want)
		}
	}
	for d, want := range map[time.Duration]string{13*time.Hour + 30*time.Minute: "00:13:30", 58*time.Hour + time.Second: "02:10:01", 0: "00:00:00", 24 * time.Hour: "01:00:00", -time.Hour: "00:00:00"} {
		if got := daysHoursMinutes(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := daysHoursMinutes(1<<63 - 1); durationShape.MatchString(got) {
		t.Errorf("%s passes", got)
	}
}

// Every field is in the order of writing, in the table and in the schema, under its number.
func TestFields(t *testing.T) {
	if len(doraFields) != 76 || len(doraOrder) != 76 {
		t.Fatalf("%d fields, %d in order, want 76", len(doraFields), len(doraOrder))
	}
	required := map[doraStage]int{}
	for i := range doraFields {
		f := &doraFields[i]
		if doraFieldOf(f.number) != f {
			t.Errorf("%s is not found", f.number)
		}
		if !slices.Contains(doraOrder, f.number) {
			t.Errorf("%s is not written", f.number)
		}
		for stage := doraInitial; stage <= doraFinal; stage++ {
			if stage.requires(f.from) {
				required[stage]++
			}
		}
	}
	// Annex II has 18, 32 and 41. Of those, 4.12 has a place in the schema only with its criterion; the schema wants 4.9 of a final report
	// besides, and authorities 3.17 and 3.34 from the intermediate on.
	if want := map[doraStage]int{doraInitial: 18, doraIntermediate: 34, doraFinal: 43}; !maps.Equal(required, want) {
		t.Errorf("always required: %v, want %v", required, want)
	}
	for number := range doraConditions {
		if f := doraFieldOf(number); f == nil || f.from != 0 {
			t.Errorf("%s has a condition and is always required, or is no field", number)
		}
	}
	for _, number := range []string{"", "1", "1.0", "1.16", "5.1", "2.11", "3.36", "4.17", "01.1", "1.01", "x"} {
		if doraFieldOf(number) != nil {
			t.Errorf("there is a field %q", number)
		}
	}
}

// Each rule by a report that breaks it and no other.
func TestRules(t *testing.T) {
	if p := completeDORA(t).problems(); len(p) > 0 {
		t.Fatalf("the report to begin with is wrong: %v", describe(p))
	}
	type values map[string]any
	without := func(numbers ...string) values {
		v := values{}
		for _, n := range numbers {
			v[n] = nil
		}
		return v
	}
	num := func(s string) json.Number { return json.Number(s) }
	all := []string{critClients, critGeography, critData, critCritical, critEconomic, critReputation, critDuration}
	geo := values{"2.5": all, "2.6": []string{"DE"}, "3.18": []string{"clients"}, "3.19": "text", "3.20": []string{"confidentiality"}, "3.21": "text"}
	with := func(base values, more values) values {
		v := maps.Clone(base)
		maps.Copy(v, more)
		return v
	}
	seen := map[string]bool{}
	for _, tc := range []struct {
		field, rule, why string
		change           values
		ask              func(*doraContext)
	}{
		// Conditions.
		{"1.5", "missing", "submitter", values{"1.3": "AGENT-7", "1.6": "5299000EXAMPLEPB0094"}, nil},
		{"1.6", "missing", "submitter", values{"1.5": "Example"}, nil},
		{"1.13", "missing", "pair", without("1.13"), nil},
		{"1.14", "missing", "pair", without("1.14"), nil},
		{"2.6", "missing", "geography", with(geo, without("2.6")), nil},
		{"2.8", "missing", "third", values{"2.7": "third-party_provider"}, nil},
		{"2.8", "missing", "third", nil, func(c *doraContext) { c.third = true }},
		{"2.8", "missing", "third", values{"4.1": []string{"external_event"}, "4.2": []string{causeThirdParty}}, nil},
		{"3.1", "missing", "submitted", without("3.1"), nil},
		{"3.3", "missing", "recovered", without("3.3"), nil},
		{"3.8", "missing", "clients", without("3.8"), nil},
		{"3.9", "missing", "transactions", without("3.9"), nil},
		{"3.10", "missing", "transactions", without("3.10"), nil},
		{"3.11", "missing", "transactions", without("3.11"), nil},
		{"3.13", "missing", "reputation", without("3.13"), nil},
		{"3.14", "missing", "reputation", without("3.14"), nil},
		{"3.16", "missing", "down", without("3.16"), nil},
		{"3.18", "missing", "geography", with(geo, without("3.18")), nil},
		{"3.19", "missing", "geography", with(geo, without("3.19")), nil},
		{"3.20", "missing", "data", with(geo, without("3.20")), nil},
		{"3.21", "missing", "data", with(geo, without("3.21")), nil},
		{"3.24", "missing", "other_type", values{"3.23": []string{"cybersecurity-related", "other"}}, nil},
		{"3.25", "missing", "cyber", without("3.25"), nil},
		{"3.26", "missing", "other_technique", values{"3.25": []string{"ddos", "other"}}, nil},
		{"3.29", "missing", "infrastructure", values{"3.28": "yes"}, nil},
		{"3.32", "missing", "other_authority", values{"3.31": []string{"other"}}, nil},
		{"3.35", "missing", "cyber", without("3.35"), nil},
		{"4.3", "missing", "more_causes", values{"4.1": []string{"process_failure"}, "4.2": []string{causeMonitoring}}, nil},
		{"4.4", "missing", "other_cause", values{"4.1": []string{"human_error"}, "4.2": []string{"human_error_other"}}, nil},
		{"4.12", "missing", "economic", without("4.12"), nil},
		{"4.15", "missing", "recurring", values{"4.16": "2025-12-20T05:00:00Z"}, nil},
		{"4.16", "missing", "recurring", values{"4.15": "20 December"}, nil},
		// Values by themselves.
		{"1.15", "list", "", values{"1.15": "USD"}, nil},
		{"1.4", "list", "", values{"1.4": []string{"bank"}}, nil},
		{"1.4", "twice", "", values{"1.4": []string{"credit_institution", "credit_institution"}}, nil},
		{"2.2", "time", "", values{"2.2": "2025-12-22 05:02"}, nil},
		{"3.15", "duration", "", values{"3.15": "1000:00:00"}, nil},
		{"3.16", "duration", "", values{"3.16": "0:24:00"}, nil},
		{"1.8", "email", "", values{"1.8": "crisis.bank.example"}, nil},
		{"1.9", "phone", "", values{"1.9": "01 99 00 00 01"}, nil},
		{"2.4", "long", "", values{"2.4": strings.Repeat("x", maxDORAText+1)}, nil},
		{"1.3", "lei", "", values{"1.3": "5299000EXAMPLEPB0095"}, nil},
		{"1.14", "lei", "", values{"1.14": "5299000EXAMPLEPG0048"}, nil},
		{"1.6", "lei", "", values{"1.5": "Example", "1.6": "AGENT-7"}, nil},
		{"4.13", "number", "", values{"4.13": num("-1")}, nil},
		{"4.13", "number", "", values{"4.13": num("1e300")}, nil},
		{"3.4", "whole", "", values{"3.4": num("1.5")}, nil},
		{"3.10", "percent", "", values{"3.10": num("150.5")}, nil},
		{"3.5", "decimal", "", values{"3.5": num("10.95")}, nil},
		// One with another.
		{"2.2", "order", "", values{"3.2": "2025-12-22T05:03:00Z"}, nil},
		{"2.3", "order", "", values{"2.2": "2025-12-22T07:31:00Z"}, nil},
		{"3.3", "order", "", values{"3.3": "2025-12-22T04:57:00Z"}, nil},
		{"4.7", "order", "", values{"4.7": "2025-12-22T04:57:00Z"}, nil},
		{"4.8", "order", "", values{"4.8": "2025-12-24T14:59:59Z"}, nil},
		{"2.4", "short", "", values{"2.4": strings.Repeat("x", 149)}, nil},
		{"2.5", "criteria", "", values{"2.5": []string{critClients, critReputation, critDuration, critEconomic}}, nil},
		{"2.5", "criteria", "", values{"2.5": []string{critCritical, critDuration}}, nil},
		{"2.5", "criteria", "", values{"2.5": []string{critCritical}}, nil},
		{"2.6", "home", "", with(geo, values{"2.6": []string{"DE", "FR"}}), nil},
		{"2.8", "third", "", values{"2.8": "Example Provider"}, nil},
		{"2.1", "code", "", values{"2.1": "EPB/2025"}, nil},
		{"3.1", "code", "", values{"3.1": "A-17"}, nil},
		{"3.31", "none", "", values{"3.31": []string{"none", "csirt"}}, nil},
		{"3.12", "figures", "", values{"3.12": []string{"estimates_for_clients_affected", "estimates_for_transactions_affected"}}, nil},
		{"3.12", "figures", "", values{"3.12": []string{"estimates_for_clients_affected", "actual_figures_for_clients_affected", "no_impact_on_financial_counterparts", "estimates_for_transactions_affected"}}, nil},
		{"3.6", "zero", "", values{"3.6": num("7"), "3.7": num("1")}, nil},
		{"3.4", "zero", "", values{"3.4": num("0"), "3.5": num("0")}, nil},
		{"3.5", "share", "", values{"3.5": num("0")}, nil},
		{"3.28", "contradicted", "", nil, func(c *doraContext) { c.hosts = true }},
		{"3.20", "contradicted", "", values{"2.5": []string{critCritical, critData, critClients, critReputation, critEconomic}, "3.20": []string{"integrity"}, "3.21": "text"},
			func(c *doraContext) { c.content = true }},
		{"4.2", "cause", "", values{"4.2": []string{"malicious_actions_fraudulent_actions", "system_failure_other", "human_error_omission"}, "4.4": "text"}, nil},
		{"4.1", "cause", "", values{"4.1": []string{"malicious_actions", "system_failure_malfunction", "human_error"}}, nil},
	} {
		seen[tc.rule+tc.why] = true
		r := completeDORA(t)
		for n, v := range tc.change {
			if v == nil {
				delete(r.values, n)
				continue
			}
			r.values[n] = v
		}
		if tc.ask != nil {
			tc.ask(&r.ask)
		}
		got := r.problems()
		if len(got) != 1 || got[0].field.number != tc.field || got[0].rule != tc.rule || got[0].why != tc.why {
			t.Errorf("%s %s: %v", tc.field, tc.rule, describe(got))
		}
	}
	// What is always required.
	for i := range doraFields {
		f := &doraFields[i]
		if f.from == 0 || f.number == "1.1" || f.number == "2.5" {
			continue
		}
		r := completeDORA(t)
		delete(r.values, f.number)
		if f.number == "1.3" {
			r.values["1.5"], r.values["1.6"] = nil, nil
			delete(r.values, "1.5")
			delete(r.values, "1.6")
		}
		got := r.problems()
		if len(got) == 0 || got[0].rule != "missing" || !slices.ContainsFunc(got, func(p doraProblem) bool { return p.field == f }) {
			t.Errorf("without %s: %v", f.number, describe(got))
		}
	}
	// No rule is without its case.
	for _, rule := range doraRules {
		if !seen[rule.name] {
			t.Errorf("no case breaks %s", rule.name)
		}
	}
	for number, c := range doraConditions {
		if name := c.name; !seen["missing"+name] && name != "reclassified" {
			t.Errorf("no case needs %s by %s", number, name)
		}
	}
}

// What the rules let through, the schema does: whatever is left out or put in.
func TestNothingPassesThatTheSchemaRefuses(t *testing.T) {
	schema := schemaDORA(t)
	rapid.Check(t, func(rt *rapid.T) {
		r := completeDORA(t)
		r.stage = rapid.SampledFrom([]doraStage{doraInitial, doraIntermediate, doraFinal, doraReclassified}).Draw(rt, "stage")
		r.values["1.1"] = doraStages[r.stage]
		if r.stage == doraReclassified {
			r.values["2.10"] = "reasons"
		}
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			f := &doraFields[rapid.IntRange(1, len(doraFields)-1).Draw(rt, "field")]
			if rapid.Bool().Draw(rt, "out") {
				delete(r.values, f.number)
				continue
			}
			switch f.kind {
			case kindMulti:
				r.values[f.number] = rapid.SliceOfNDistinct(rapid.SampledFrom(f.codes), 1, 3, rapid.ID[string]).Draw(rt, "codes")
			case kindChoice:
				r.values[f.number] = rapid.SampledFrom(append([]string{"", "other"}, f.codes...)).Draw(rt, "code")
			case kindBool:
				r.values[f.number] = rapid.Bool().Draw(rt, "bool")
			case kindInteger, kindPercent, kindAmount:
				r.values[f.number] = json.Number(rapid.SampledFrom([]string{"0", "0.1", "12", "100", "100.1", "-1", "0.05", "1e300", "999999999999999"}).Draw(rt, "number"))
			case kindTime:
				r.values[f.number] = rapid.SampledFrom([]string{"2025-12-30T00:00:00Z", "2025-12-30", "", "1999-01-01T00:00:00Z"}).Draw(rt, "time")
			case kindDuration:
				r.values[f.number] = rapid.SampledFrom([]string{"1:02:03", "00:00:00", "0:24:00", "1000:00:00", "999:23:59\n"}).Draw(rt, "duration")
			case kindEmail:
				r.values[f.number] = rapid.SampledFrom([]string{"a@b.example", "a", "a@b@c"}).Draw(rt, "email")
			case kindPhone:
				r.values[f.number] = rapid.SampledFrom([]string{"+33 1 99 00 00 01", "0199", "+33(0)1", "+1 (2) 3", "+33-1", "tel:+33"}).Draw(rt, "phone")
			default:
				r.values[f.number] = rapid.SampledFrom([]string{"x", "5299000EXAMPLEPB0094", "5299000EXAMPLEPB0093", "a;b;LEI;c", "<b>\u202e"}).Draw(rt, "text")
			}
		}
		if len(r.problems()) > 0 {
			return
		}
		p := written2(t, r)
		if err := valid(schema, p); err != nil {
			rt.Fatalf("%v\n%s", err, p)
		}
		again, err := readDORA(p)
		if err != nil {
			rt.Fatal(err)
		}
		if got := written2(t, again); !bytes.Equal(got, p) {
			rt.Fatalf("read and written otherwise:\n%s\n%s", p, got)
		}
	})
}

func FuzzReadDORA(f *testing.F) {
	for _, name := range []string{"dora-initial.json", "dora-final.json", "mail-server-intermediate.json"} {
		p, err := os.ReadFile("testdata/dora/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Add([]byte(`{"incidentSubmission":"final_report","incident":{"classificationTypes":[{"classificationCriterion":"data_losses"}],"grossAmountIndirectDirectCosts":1e999}}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		r, err := readDORA(p)
		if err != nil {
			return
		}
		r.problems()
		var b bytes.Buffer
		if err := r.writeJSON(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := readDORA(b.Bytes()); err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, b.Bytes())
		}
	})
}
