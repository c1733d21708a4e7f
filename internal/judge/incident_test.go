package judge

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// seen is a finding, in short.
type seen struct {
	at                            string // time of 2021-03-03, or a full date
	level, tactic, title          string
	host, client, account, object string
}

func (s seen) finding() *casefile.Finding {
	f := &casefile.Finding{Rule: casefile.Rule{ID: s.title, Title: s.title, Level: s.level, Tags: []string{"attack." + s.tactic}},
		Host: s.host, Client: s.client, Account: s.account, Object: s.object, Source: casefile.Position{Path: "log"}, Event: json.RawMessage("{}")}
	if s.object != "" {
		f.Rule.Tags = append(f.Rule.Tags, "attack.t1505.003")
	}
	if flaw, _, ok := strings.Cut(s.title, ": "); ok {
		f.Rule.Tags = append(f.Rule.Tags, flaw)
		f.Source.Path = s.title // each in a log of its own
	}
	if s.at != "" {
		at := s.at
		if len(at) <= 8 {
			at = "2021-03-03T" + at
		}
		t, err := time.Parse("2006-01-02T15:04:05", at)
		if err != nil {
			panic(err)
		}
		f.Time = &t
	}
	return f
}

func stream(list []seen) iter.Seq2[*casefile.Finding, error] {
	return func(yield func(*casefile.Finding, error) bool) {
		for _, s := range list {
			if !yield(s.finding(), nil) {
				return
			}
		}
	}
}

func judgeAll(t *testing.T, list ...seen) []casefile.Incident {
	t.Helper()
	end := time.Date(2021, 3, 3, 12, 0, 0, 0, time.UTC)
	in, err := Incidents(stream(list), Evidence{
		End:  func(string) (time.Time, bool) { return end, true },
		Ours: func(a string) bool { return a == "198.51.100.250" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestWhatBelongsTogether(t *testing.T) {
	// f says how many incidents there are, by their number of findings, the gravest first.
	f := func(name, want string, list ...seen) {
		t.Helper()
		var got []string
		for _, in := range judgeAll(t, list...) {
			got = append(got, fmt.Sprintf("%s:%d", in.Severity, in.Findings))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", name, s, want)
		}
	}
	f("one attacker, one run", "critical:3",
		seen{"06:49:42", "high", "initial-access", "probe", "EX1", "203.0.113.21", "", ""},
		seen{"06:49:46", "high", "initial-access", "session", "EX1", "203.0.113.21", "", ""},
		seen{"06:49:59", "critical", "persistence", "shell written", "EX1", "203.0.113.21", "", ""})
	f("two attackers on one host", "high:1 high:1",
		seen{"06:49:42", "high", "initial-access", "probe", "EX1", "203.0.113.21", "", ""},
		seen{"06:50:42", "high", "initial-access", "probe", "EX1", "203.0.113.22", "", ""})
	f("what happens on the host right after", "critical:2",
		seen{"06:49:42", "high", "initial-access", "exploit", "EX1", "203.0.113.21", "", ""},
		seen{"06:51:00", "critical", "execution", "w3wp starts cmd", "EX1", "", "", ""})
	f("what happens on the host next day", "critical:1 high:1",
		seen{"2021-03-03T06:49:42", "high", "initial-access", "exploit", "EX1", "203.0.113.21", "", ""},
		seen{"2021-03-04T06:51:00", "critical", "execution", "w3wp starts cmd", "EX1", "", "", ""})
	f("a visitor of the same web shell days later", "high:2",
		seen{"2021-03-03T06:49:42", "high", "persistence", "shell", "EX1", "203.0.113.21", "", "/owa/auth/x.aspx"},
		seen{"2021-03-06T06:49:42", "high", "persistence", "shell", "EX1", "203.0.113.99", "", "/owa/auth/x.aspx"})
	f("an account that was guessed and then used from elsewhere", "high:2",
		seen{"06:00:00", "high", "initial-access", "login after guessing", "", "203.0.113.9", "Ana@example.org", ""},
		seen{"07:00:00", "high", "collection", "inbox rule", "", "203.0.113.77", "ana@example.org", ""})
	f("SYSTEM ties nothing", "high:1 high:1",
		seen{"06:00:00", "high", "execution", "a", "PC1", "", `NT AUTHORITY\SYSTEM`, ""},
		seen{"06:01:00", "high", "execution", "b", "PC2", "", `NT AUTHORITY\SYSTEM`, ""})
	f("guessing by many is one campaign", "medium:3",
		seen{"06:00:00", "medium", "credential-access", "guessing", "mx1", "203.0.113.1", "", ""},
		seen{"06:01:00", "medium", "credential-access", "guessing", "mx1", "203.0.113.2", "", ""},
		seen{"06:02:00", "medium", "credential-access", "guessing", "mx1", "203.0.113.3", "", ""})
	f("the one that succeeded is apart from the campaign", "high:2 medium:1",
		seen{"06:00:00", "medium", "credential-access", "guessing", "mx1", "203.0.113.1", "", ""},
		seen{"06:01:00", "medium", "credential-access", "guessing", "mx1", "203.0.113.2", "", ""},
		seen{"06:02:00", "high", "initial-access", "login after guessing", "mx1", "203.0.113.2", "", ""})
	f("low findings make no incident", "",
		seen{"06:00:00", "low", "discovery", "whoami", "PC1", "", "", ""})
	f("and join one", "high:2",
		seen{"06:00:00", "low", "discovery", "whoami", "PC1", "", "", ""},
		seen{"06:05:00", "high", "execution", "mimikatz", "PC1", "", "", ""})
	f("our own scanner", "",
		seen{"06:00:00", "high", "reconnaissance", "scan", "web1", "198.51.100.250", "", ""})
	f("findings without a time", "high:2",
		seen{"", "high", "execution", "a", "PC1", "", "", ""},
		seen{"", "high", "execution", "b", "PC1", "", "", ""})
}

// Whoever writes a log can write any number of addresses and hosts into it.
func TestEndlessNamesAreBounded(t *testing.T) {
	const n = 60_000
	line := strings.Repeat("x", 3000)
	findings := func(yield func(*casefile.Finding, error) bool) {
		for i := range n {
			at := time.Date(2021, 3, 3, 0, 0, 0, i, time.UTC)
			f := casefile.Finding{Time: &at, Rule: casefile.Rule{ID: "r", Title: "probe", Level: "high"}, Raw: line, Source: casefile.Position{Path: "log"},
				Host: fmt.Sprint("host", i), Client: fmt.Sprintf("2001:db8::%x", i)}
			if !yield(&f, nil) {
				return
			}
		}
		f := seen{"23:00:00", "critical", "persistence", "shell", "EX1", "203.0.113.21", "", ""}.finding()
		yield(f, nil)
	}
	in, err := Incidents(findings, Evidence{End: func(string) (time.Time, bool) { return time.Time{}, false }})
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	words := 0
	for _, i := range in {
		all += i.Findings
		for _, s := range i.Steps {
			for _, e := range s.Evidence {
				words += len(e.Raw)
			}
		}
	}
	if all != n+1 {
		t.Errorf("%d findings, want all %d", all, n+1)
	}
	if len(in) > 3*maxRuns || words > maxWords+3*maxRuns*scantWords+maxEvidence*len(line) {
		t.Errorf("%d incidents with %d bytes of evidence", len(in), words)
	}
	if in[0].Severity != "critical" || len(in[0].Actors) != 1 || in[0].Actors[0] != "203.0.113.21" {
		t.Errorf("noise hides the gravest: %+v", in[0])
	}
}

func TestAnIncidentSaysWhatItIs(t *testing.T) {
	in := judgeAll(t,
		seen{"06:49:42", "medium", "initial-access", "Exchange probed", "EX1", "203.0.113.21", "", ""},
		seen{"06:49:59", "critical", "persistence", "Web shell written", "EX1", "203.0.113.21", "", ""},
		seen{"11:30:00", "high", "collection", "Mailbox exported", "EX1", "203.0.113.21", "", ""})
	if len(in) != 1 {
		t.Fatalf("%d incidents", len(in))
	}
	i := in[0]
	if i.Title != "Web shell written on EX1, from 203.0.113.21" || i.Stage != "Collection" || !i.Active || i.ID != "I1" || len(i.Steps) != 3 {
		t.Errorf("%+v", i)
	}
	want := "3 findings of 3 rules, from 2021-03-03 06:49:42 UTC to 2021-03-03 11:30:00 UTC, by 203.0.113.21. In order: Web shell written (06:49:59); Mailbox exported (11:30:00). It was still going on when the logs that show it end."
	if i.Summary != want {
		t.Errorf("summary %q", i.Summary)
	}
}

// An incident of several days tells the day with the time.
func TestASummaryTellsTheDay(t *testing.T) {
	in := judgeAll(t,
		seen{"2021-03-02T06:49:42", "high", "initial-access", "Probed", "EX1", "203.0.113.21", "", ""},
		seen{"2021-03-03T05:00:00", "high", "persistence", "Written", "EX1", "203.0.113.21", "", ""})
	if len(in) != 1 || !strings.Contains(in[0].Summary, "Probed (06:49:42); Written (2021-03-03 05:00:00)") {
		t.Errorf("%+v", in)
	}
}

func TestFacts(t *testing.T) {
	f := func(text, wantErr string) *Facts {
		t.Helper()
		facts, err := ParseFacts(strings.NewReader(text))
		switch {
		case wantErr == "" && err != nil, wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
			t.Errorf("%q: error %v, want %q", text, err, wantErr)
		}
		return facts
	}
	f("", "")
	f("organisation: {name: X, kind: bank}\nours: {scanners: [198.51.100.0/24], nat: []}\n", "")
	f("our: {ips: []}", "our")
	f("ours: {ips: [office]}", "no address")
	f("attacker: {ips: [203.0.113.9]}\nours: {ips: [203.0.113.0/24]}", "both")
	f("timezones: {web1: Paris}", "no zone")
	facts := f("timezones: {web1: Europe/Paris, '*': Asia/Beirut}\nours: {ips: [10.0.0.0/8]}", "")
	zone := func(path, want string) {
		t.Helper()
		if z, _ := facts.Zone(path); z.String() != want {
			t.Errorf("zone of %s is %s, want %s", path, z, want)
		}
	}
	zone("logs/web1/access.log", "Europe/Paris")
	zone("logs.zip!web1.example.org-access.log", "Europe/Paris")
	zone(`logs\Web1\access.log`, "Europe/Paris")
	zone("logs/web10/access.log", "Asia/Beirut")
	f("timezones: {web1: Europe/Paris, WEB1: Asia/Beirut}", "do not say the same")
	f("timezones: {web1: Europe/Paris, WEB1: Europe/Paris}", "")
	f("years: {Mail: 2005, mail: 2006}", "do not say the same")
	if !facts.IsOurs("10.1.2.3") || facts.IsOurs("203.0.113.9") || facts.IsOurs("office") {
		t.Error("whose addresses are ours")
	}
}

func TestOneFlawIsOneIncidentWhereNoHostIsNamed(t *testing.T) {
	f := func(want int, list ...seen) {
		t.Helper()
		if got := judgeAll(t, list...); len(got) != want {
			t.Errorf("%d incidents, want %d", len(got), want)
		}
	}
	request := seen{at: "06:00:00", level: "critical", tactic: "persistence", title: "cve.2021-27065: a", client: "203.0.113.9"}
	server := seen{at: "06:00:09", level: "critical", tactic: "persistence", title: "cve.2021-27065: b"}
	f(1, request, server)
	other := server
	other.title = "cve.2022-41082: b"
	f(2, request, other)
	later := server
	later.at = "11:00:00"
	f(2, request, later)
	elsewhere := server
	elsewhere.host = "EX2"
	f(2, request, elsewhere)
	visitor := request
	visitor.client = "203.0.113.10"
	f(2, request, visitor)
}

// Rules of one's own may lack an id: two of them are two rules all the same.
func TestRulesWithoutIDAreToldApart(t *testing.T) {
	a := seen{at: "06:00:00", level: "high", tactic: "initial-access", title: "A", host: "h1", client: "203.0.113.9"}
	b := seen{at: "06:00:10", level: "high", tactic: "execution", title: "B", host: "h1", client: "203.0.113.9"}
	in, err := Incidents(func(yield func(*casefile.Finding, error) bool) {
		for _, s := range []seen{a, b} {
			f := s.finding()
			f.Rule.ID = ""
			if !yield(f, nil) {
				return
			}
		}
	}, Evidence{End: func(string) (time.Time, bool) { return time.Time{}, false }, Ours: func(string) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, i := range in {
		for _, s := range i.Steps {
			titles = append(titles, s.Rule.Title)
		}
	}
	if fmt.Sprint(titles) != "[A B]" {
		t.Errorf("steps of the rules %v, want A and B", titles)
	}
}
