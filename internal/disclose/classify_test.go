package disclose

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
)

// factsOf reads a file of testdata/dora, with changes to its text: pairs of what is there and what takes its place.
func factsOf(t *testing.T, name string, changes ...string) *Facts {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "dora", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(p)
	for i := 0; i+1 < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%s does not hold %q", name, changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	f, err := ParseFacts([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mailServer is a case in which a mail server was taken over and content of three mailboxes was accessed.
func mailServer() *casefile.Case {
	at := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	return &casefile.Case{
		Incidents: []casefile.Incident{
			{ID: "I1", Severity: "critical", First: at("2021-03-03T06:49:46Z"), Last: at("2021-03-07T08:00:00Z"), Actors: []string{"203.0.113.9", "ana"}},
			{ID: "I2", Severity: "medium", First: at("2021-01-05T00:00:00Z"), Last: at("2021-03-06T00:00:00Z"), Actors: []string{"198.51.100.7"}},
		},
		Sessions: []casefile.Session{
			{ID: "S1", Attribution: "attacker", IPs: []string{"203.0.113.9", "2001:db8::9"}, First: at("2021-03-03T06:50:00Z")},
			{ID: "S2", Attribution: "owner", IPs: []string{"192.0.2.4"}, First: at("2021-03-01T00:00:00Z")},
		},
		Capabilities: []casefile.Capability{{Kind: "host", Principal: "EX1", From: at("2021-03-03T06:51:00Z")}},
		Summary:      casefile.Summary{Reached: map[string]casefile.VerdictCounts{"mailbox": {Confirmed: 3, Possible: 4, RuledOut: 90}}},
	}
}

func classified(t *testing.T, c *casefile.Case, f *Facts) casefile.Classification {
	t.Helper()
	if c == nil {
		c = &casefile.Case{}
	}
	got, err := classifyDORA(&Input{Case: c, Facts: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Criteria {
		for _, s := range c.Why {
			if strings.Contains(s.Text, "[?") || s.Text == s.ID {
				t.Errorf("%s: %q", s.ID, s.Text)
			}
		}
	}
	for _, s := range slices.Concat(got.Why, got.Flips) {
		if strings.Contains(s.Text, "[?") || s.Text == s.ID {
			t.Errorf("%s: %q", s.ID, s.Text)
		}
	}
	return got
}

func result(c casefile.Classification, id string) truth {
	for i := range c.Criteria {
		if c.Criteria[i].ID == id {
			return truth(c.Criteria[i].Result)
		}
	}
	return ""
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

// Worked case 3.1: clients and downtime, met two hours after the service went down; the signed act came at 08:30.
func TestPostalBank(t *testing.T) {
	got := classified(t, nil, factsOf(t, "postal-bank.yaml"))
	want := map[string]truth{doraCritical: met, doraClients: met, doraReputation: met, doraDuration: met, doraGeography: open,
		doraData: open, doraAccess: notMet, doraEconomic: met}
	for id, w := range want {
		if g := result(got, id); g != w {
			t.Errorf("%s: %s, want %s", id, g, w)
		}
	}
	if got.Result != string(met) || when(got.Since) != "2025-12-22T07:00:00Z" {
		t.Errorf("%s since %s, want met since 07:00 UTC", got.Result, when(got.Since))
	}
	if got.Act == nil || got.Act.As != "major" || when(&got.Act.Time) != "2025-12-22T07:30:00Z" {
		t.Errorf("act %+v", got.Act)
	}
}

// Before anybody classified it, and while the service is down, the rules say when two hours will be over.
func TestStillDown(t *testing.T) {
	f := factsOf(t, "postal-bank.yaml", "as: major, time: 2025-12-22T08:30:00+01:00", "as: major, time: 2025-12-22T07:30:00+01:00")
	got := classified(t, nil, f)
	i := slices.IndexFunc(got.Criteria, func(c casefile.Criterion) bool { return c.ID == doraDuration })
	c := got.Criteria[i]
	if c.Result != string(open) || !slices.ContainsFunc(c.Why, func(s casefile.Said) bool {
		return s.ID == "dora.why.downtime.will" && s.Args["passed"] == "2025-12-22T07:00:00Z"
	}) {
		t.Errorf("%+v", c)
	}
}

// Worked case 3.2: a web shell on the mail server of a bank is major by itself, without a client counted.
func TestMailServer(t *testing.T) {
	got := classified(t, mailServer(), factsOf(t, "mail-server.yaml"))
	if result(got, doraCritical) != met || result(got, doraAccess) != met || got.Result != string(met) {
		t.Errorf("%+v", got)
	}
	if when(got.Since) != "2021-03-03T06:50:00Z" {
		t.Errorf("since %s, want the first proof of the access", when(got.Since))
	}
	if result(got, doraClients) != open || result(got, doraData) != open {
		t.Error("what nobody said is not open")
	}
	if !slices.ContainsFunc(got.Flips, func(s casefile.Said) bool { return s.ID == "dora.flip.not" && s.Args["criteria"] == "9(5)(b)" }) {
		t.Errorf("flips %v", got.Flips)
	}
}

func TestAccess(t *testing.T) {
	suspected := mailServer()
	suspected.Sessions[0].Attribution = "suspected"
	suspected.Capabilities[0].Suspected = true
	only := mailServer() // a session of the attacker, and nothing confirmed
	only.Capabilities = nil
	only.Summary.Reached = map[string]casefile.VerdictCounts{"mailbox": {Possible: 4}}
	session := mailServer()
	session.Capabilities = nil
	yes, no := "  impact: {malicious_access: true}\n  acts:", "  impact: {malicious_access: false}\n  acts:"
	none := "  impact: {malicious_access: true, data: {availability: false, authenticity: false, integrity: false, confidentiality: false}}\n  acts:"
	for _, tc := range []struct {
		name          string
		of            *casefile.Case
		impact        string
		gate, losses  truth
		contradiction bool
	}{
		{"proposed", mailServer(), "  acts:", met, met, false},
		{"a session and a verdict", session, "  acts:", met, met, false},
		{"suspected", suspected, "  acts:", open, open, false},
		{"nothing confirmed", only, "  acts:", open, open, false},
		{"nothing known", nil, "  acts:", open, open, false},
		{"stated", nil, yes, met, met, false},
		{"denied", nil, no, open, notMet, false}, // the services are not known
		{"denied against the case", mailServer(), no, open, open, true},
		{"no data", only, none, met, open, false},
	} {
		got := classified(t, tc.of, factsOf(t, "mail-server.yaml", "  acts:", tc.impact))
		if g, l := result(got, doraCritical), result(got, doraAccess); g != tc.gate || l != tc.losses {
			t.Errorf("%s: 6 %s, 9(5)(b) %s, want %s, %s", tc.name, g, l, tc.gate, tc.losses)
		}
		said := slices.ContainsFunc(got.Criteria[placeAccess].Why, func(s casefile.Said) bool { return s.ID == "dora.why.access.contradicted" })
		if proposed := tc.of != nil && tc.impact == "  acts:" && tc.losses == met; got.Proposed != proposed {
			t.Errorf("%s: proposed %v", tc.name, got.Proposed)
		}
		if said != tc.contradiction {
			t.Errorf("%s: contradiction said: %v", tc.name, said)
		}
	}
}

// Numbers have to be higher than the threshold; Member States two or more.
func TestThresholds(t *testing.T) {
	f := false
	q := func(v float64) *Quantity { return &Quantity{Value: v} }
	at := func(s string) *time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	none := func() *Facts {
		x := &Facts{Services: []Service{}}
		x.Entity.Currency = "EUR"
		for _, a := range []*Affected{&x.Impact.Clients, &x.Impact.Counterparts, &x.Impact.Transactions} {
			a.Number, a.Percentage, a.ValuePercentage, a.Relevant = q(0), q(0), q(0), &f
		}
		x.Impact.MemberStates = []string{}
		x.Impact.Costs = q(0)
		r, d := &x.Impact.Reputation, &x.Impact.Data
		r.Media, r.Complaints, r.Regulatory, r.ClientLoss = &f, &f, &f, &f
		d.Availability, d.Authenticity, d.Integrity, d.Confidentiality, d.Adverse = &f, &f, &f, &f, &f
		x.Impact.MaliciousAccess = &f
		x.Incident.Occurred, x.Incident.Resolved = at("2025-03-29T12:00:00Z"), at("2025-03-29T13:00:00Z")
		return x
	}
	if got := classified(t, nil, none()); got.Result != string(notMet) {
		for _, c := range got.Criteria {
			t.Logf("%s %s %v", c.ID, c.Result, c.Missing)
		}
		t.Fatal("nothing happened, and it is", got.Result)
	}
	yes := true
	service := func(critical *bool, down ...Downtime) []Service {
		return []Service{{Name: "s", Critical: critical, Supervised: &f, Down: down}}
	}
	span := func(from, to string) Downtime { return Downtime{From: *at(from), To: at(to)} }
	for _, tc := range []struct {
		name, id string
		want     truth
		change   func(*Facts)
	}{
		{"100,000 clients", doraClients, notMet, func(x *Facts) { x.Impact.Clients.Number = q(100_000) }},
		{"100,001 clients", doraClients, met, func(x *Facts) { x.Impact.Clients.Number = q(100_001) }},
		{"10 % of clients", doraClients, notMet, func(x *Facts) { x.Impact.Clients.Percentage = q(10) }},
		{"10.1 % of clients", doraClients, met, func(x *Facts) { x.Impact.Clients.Percentage = q(10.1) }},
		{"30 % of counterparts", doraClients, notMet, func(x *Facts) { x.Impact.Counterparts.Percentage = q(30) }},
		{"30.1 % of counterparts", doraClients, met, func(x *Facts) { x.Impact.Counterparts.Percentage = q(30.1) }},
		{"10 % of transactions", doraClients, notMet, func(x *Facts) { x.Impact.Transactions.Percentage = q(10) }},
		{"150 % of transactions", doraClients, met, func(x *Facts) { x.Impact.Transactions.Percentage = q(150) }},
		{"10.1 % of the value", doraClients, met, func(x *Facts) { x.Impact.Transactions.ValuePercentage = q(10.1) }},
		{"a relevant counterpart", doraClients, met, func(x *Facts) { x.Impact.Counterparts.Relevant = &yes }},
		{"clients not known", doraClients, open, func(x *Facts) { x.Impact.Clients.Number = nil }},
		{"a number that is none", doraClients, open, func(x *Facts) { x.Impact.Clients.Number = q(math.NaN()) }},
		{"an infinite number", doraClients, open, func(x *Facts) { x.Impact.Clients.Number = q(math.Inf(1)) }},
		{"a negative number", doraClients, open, func(x *Facts) { x.Impact.Clients.Number = q(-1) }},
		{"11 of 100 clients of a service", doraClients, met, func(x *Facts) {
			x.Impact.Clients.Number, x.Impact.Clients.Percentage = q(11), nil
			x.Services = service(&yes, span("2025-03-29T12:00:00Z", "2025-03-29T12:10:00Z"))
			x.Services[0].Clients = q(100)
		}},
		{"complaints", doraReputation, met, func(x *Facts) { x.Impact.Reputation.Complaints = &yes }},
		{"complaints not known", doraReputation, open, func(x *Facts) { x.Impact.Reputation.Complaints = nil }},
		{"24 hours over the change of clocks", doraDuration, notMet, func(x *Facts) { x.Incident.Resolved = at("2025-03-30T14:00:00+02:00") }},
		{"a second more", doraDuration, met, func(x *Facts) { x.Incident.Resolved = at("2025-03-30T14:00:01+02:00") }},
		{"2 hours down", doraDuration, notMet, func(x *Facts) {
			x.Services = service(&yes, span("2025-03-29T12:00:00Z", "2025-03-29T13:00:00Z"), span("2025-03-29T12:30:00Z", "2025-03-29T14:00:00Z"))
		}},
		{"twice 61 minutes", doraDuration, met, func(x *Facts) {
			x.Services = service(&yes, span("2025-03-29T12:00:00Z", "2025-03-29T13:01:00Z"), span("2025-03-29T18:00:00Z", "2025-03-29T19:01:00Z"))
		}},
		{"delayed for longer", doraDuration, met, func(x *Facts) {
			x.Services = service(&yes, span("2025-03-29T12:00:00Z", "2025-03-29T13:00:00Z"))
			x.Services[0].DelayedUntil = at("2025-03-29T14:00:01Z")
		}},
		{"of a service that is not critical", doraDuration, notMet, func(x *Facts) { x.Services = service(&f, span("2025-03-29T02:00:00Z", "2025-03-29T13:00:00Z")) }},
		{"of a service that may be", doraDuration, open, func(x *Facts) { x.Services = service(nil, span("2025-03-29T02:00:00Z", "2025-03-29T13:00:00Z")) }},
		{"one state twice", doraGeography, notMet, func(x *Facts) { x.Impact.MemberStates = []string{"FR", "FR"} }},
		{"two states", doraGeography, met, func(x *Facts) { x.Impact.MemberStates = []string{"FR", "DE"} }},
		{"data, and no harm", doraData, notMet, func(x *Facts) { x.Impact.Data.Integrity = &yes }},
		{"data, and harm", doraData, met, func(x *Facts) { x.Impact.Data.Integrity, x.Impact.Data.Adverse = &yes, &yes }},
		{"data, and harm not known", doraData, open, func(x *Facts) { x.Impact.Data.Integrity, x.Impact.Data.Adverse = &yes, nil }},
		{"EUR 100,000", doraEconomic, notMet, func(x *Facts) { x.Impact.Costs = q(100_000) }},
		{"EUR 100,000.01", doraEconomic, met, func(x *Facts) { x.Impact.Costs = q(100_000.01) }},
		{"SEK 100,001", doraEconomic, open, func(x *Facts) { x.Impact.Costs, x.Entity.Currency = q(100_001), "SEK" }},
		{"a supervised service", doraCritical, met, func(x *Facts) {
			x.Services = service(&f, span("2025-03-29T12:00:00Z", "2025-03-29T12:10:00Z"))
			x.Services[0].Supervised = &yes
		}},
		{"services not known", doraCritical, open, func(x *Facts) { x.Services = nil }},
	} {
		x := none()
		tc.change(x)
		if got := result(classified(t, nil, x), tc.id); got != tc.want {
			t.Errorf("%s: %s is %s, want %s", tc.name, tc.id, got, tc.want)
		}
	}
}

// A result that is not open holds however what is open turns out, and one that is open can turn out both ways.
func TestMajorUnderAllCompletions(t *testing.T) {
	values := []truth{met, notMet, open}
	results := make([]truth, places)
	for n := range 6561 {
		for i, m := 0, n; i < places; i, m = i+1, m/3 {
			results[i] = values[m%3]
		}
		var yes, no bool
		complete(slices.Clone(results), 0, func(r []truth) {
			if major(r) {
				yes = true
			} else {
				no = true
			}
		})
		want := open
		switch {
		case !no:
			want = met
		case !yes:
			want = notMet
		}
		if got := majorUnder(results); got != want {
			t.Fatalf("%v: %s, want %s", results, got, want)
		}
	}
}

func complete(r []truth, i int, do func([]truth)) {
	if i == len(r) {
		do(r)
		return
	}
	if r[i] != open {
		complete(r, i+1, do)
		return
	}
	for _, v := range []truth{met, notMet} {
		r[i] = v
		complete(r, i+1, do)
	}
	r[i] = open
}

// major is article 8(1) where everything is known.
func major(r []truth) bool {
	is := func(i int) bool { return r[i] == met }
	n := 0
	for _, b := range []bool{is(placeClients), is(placeReputation), is(placeDuration), is(placeGeography), is(placeData) || is(placeAccess), is(placeEconomic)} {
		if b {
			n++
		}
	}
	return is(placeGate) && (is(placeAccess) || n >= 2)
}

// What is said to turn the result does, and nothing of it could be left out.
func TestFlipsTurnTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		criteria := make([]casefile.Criterion, places)
		results := make([]truth, places)
		articles := []string{"6", "9(1)", "9(2)", "9(3)", "9(4)", "9(5)(a)", "9(5)(b)", "9(6)"}
		for i := range criteria {
			results[i] = rapid.SampledFrom([]truth{met, notMet, open}).Draw(t, "result")
			criteria[i] = casefile.Criterion{Result: string(results[i]), Source: casefile.Legal{Article: articles[i]}}
		}
		result := majorUnder(results)
		all := flips(criteria, results, result)
		if len(all) == 0 {
			t.Fatalf("nothing turns %v", results)
		}
		for _, s := range all {
			turned := slices.Clone(results)
			named := strings.Split(s.Args["criteria"], " + ")
			for _, a := range named {
				turned[slices.Index(articles, a)] = map[string]truth{"dora.flip.not": notMet, "dora.flip.met": met}[s.ID]
			}
			if got := majorUnder(turned); got == result {
				t.Fatalf("%v: %v does not turn it", results, named)
			}
		}
	})
}
