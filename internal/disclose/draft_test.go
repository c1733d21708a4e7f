package disclose

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

var updateDrafts = flag.Bool("update-drafts", false, "write the golden drafts anew")

func language(t testing.TB, tag string) *lang.Language {
	t.Helper()
	l, err := lang.Find(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func verdictsOf(list []casefile.Reached) iter.Seq2[*casefile.Reached, error] {
	return func(yield func(*casefile.Reached, error) bool) {
		for i := range list {
			if !yield(&list[i], nil) {
				return
			}
		}
	}
}

func instant(s string) *time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return &t
}

func is(b bool) *bool { return &b }

// mailboxVerdict is a mailbox with its verdicts on content and metadata.
func mailboxVerdict(id, content, metadata string, lower, upper int64) casefile.Reached {
	r := casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: id, Owner: strings.Split(id, "@")[0]}, Verdict: content, Exposure: "content",
		Levels: casefile.Levels{Content: content, Partial: content, Metadata: metadata}, Lower: lower, Upper: upper}
	switch {
	case content == casefile.RuledOut && metadata == casefile.RuledOut:
		r.Exposure = "none"
	case content == casefile.RuledOut:
		r.Verdict, r.Exposure = metadata, "metadata"
	}
	if content == casefile.Possible {
		r.Settle = "an invented log of the host"
	}
	if r.Exposure != "none" {
		r.First, r.Last = instant("2021-03-03T06:49:42Z"), instant("2021-03-05T12:00:42Z")
	}
	return r
}

// agency is the mail server of an authority, on one of three days: nothing is known but that it was attacked; then that two of three
// mailboxes are clean; then that all are.
func agency(day int) (*casefile.Case, *Facts, []casefile.Reached) {
	c := &casefile.Case{
		Schema: casefile.Schema, TLP: "amber",
		Incidents: []casefile.Incident{{ID: "I1", Title: "An Invented Rule on EX1, from 203.0.113.21", Severity: "critical", Techniques: []string{"T1505.003", "T1190"},
			First: *instant("2021-03-03T06:49:42Z"), Last: *instant("2021-03-05T12:00:42Z"), Actors: []string{"203.0.113.21", "ana"}, Hosts: []string{"EX1"}, Findings: 76}},
		Sessions: []casefile.Session{{ID: "S1", Attribution: "attacker", IPs: []string{"203.0.113.21"}, Agents: []string{"python-requests/2.25.1"}},
			{ID: "S2", Attribution: "owner", IPs: []string{"198.51.100.7"}}},
		Coverage: []casefile.Coverage{{Host: "EX1", Stream: "exchange.httpproxy.ews", Level: "detail", Gaps: []casefile.Gap{
			{From: instant("2021-03-03T07:00:00Z"), To: instant("2021-03-03T09:30:00Z"), Reason: "lost_in_the_post", Certain: true}}}},
		Owed: []casefile.Duty{
			{Regime: regimeEUData, Stage: "edps", State: casefile.DutyDue, Due: instant("2021-03-10T08:00:00Z"), Form: "edps"},
			{Regime: regimeEUCyber, Stage: "early", State: casefile.DutyDue, Due: instant("2021-03-08T08:00:00Z"), Form: "cert-eu"},
			{Regime: regimeGDPR, Stage: "authority", State: casefile.DutyNotOwed, Form: "gdpr-33"},
			{Regime: regimeNIS2, Stage: "early", State: casefile.DutyOpen, Missing: []string{"disclosure.entity.nis2"}, Form: "nis2-early"},
		},
	}
	f := &Facts{Organisation: &casefile.Organisation{Name: "Example Agency", Kind: "eu-body", Country: "FR"}}
	f.zone, _ = time.LoadLocation("Europe/Paris")
	f.Entity.Recipients = map[string]string{regimeEUData: "EDPS", regimeEUCyber: "CERT-EU"}
	f.Entity.Contacts = map[string]Contact{"dpo": {Name: "D. Moreau", Email: "dpo@agency.example"}, "press": {Name: "Press office", Phone: "+33 1 00 00 00 00"}}
	f.Incident.Reference = "EA-2021-3"
	f.Incident.Detected, f.Incident.Aware = instant("2021-03-07T08:00:00+01:00"), instant("2021-03-07T09:00:00+01:00")
	f.Incident.Malicious = is(true)
	f.Incident.NextStatement = instant(fmt.Sprintf("2021-03-%02dT18:00:00+01:00", 7+day))
	f.PersonalData.Measures = []string{"all e-mail was taken offline as a precaution"}
	f.PersonalData.Advice = []string{"be careful with messages in our name"}
	reached := []casefile.Reached{
		mailboxVerdict("ana@agency.example", casefile.Possible, casefile.Possible, 0, -1),
		mailboxVerdict("bilal@agency.example", casefile.Possible, casefile.Possible, 0, 120),
		mailboxVerdict("mara@agency.example", casefile.Possible, casefile.Possible, 0, 40),
		{Object: casefile.Object{Kind: "file", ID: `C:\inetpub\wwwroot\aspnet_client\x.aspx`, In: "ex1"}, Verdict: casefile.Confirmed, Exposure: "content",
			Levels: casefile.Levels{Content: "confirmed", Partial: "confirmed", Metadata: "confirmed"}, Lower: 1, Upper: 1, Why: []casefile.Reason{{Rule: "SHELL_USED"}}},
		{Object: casefile.Object{Kind: "host", ID: "ex1"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: casefile.Levels{Content: "confirmed", Partial: "confirmed", Metadata: "confirmed"}, Lower: 1, Upper: 1},
	}
	if day >= 2 {
		c.Statements = []casefile.Statement{{Author: "R. Haddad", About: "session S2 is owner", Reason: "asked"},
			// acts: no verdict leans on them, and the draft does not say so
			{Author: "R. Haddad", About: "dora: classified as major", Reason: "not for this authority"}, {Author: "R. Haddad", About: "eu-bodies-cyber early: submitted", Reason: "receipt CE-77"}}
		f.PersonalData.Controller, f.PersonalData.Categories = is(true), []string{"staff", "correspondents"}
		f.PersonalData.Persons = &Quantity{Value: 1200, Basis: "estimate"}
		f.PersonalData.Data = []string{"names", "e-mail addresses"}
		f.PersonalData.Consequences = []string{"phishing"}
		f.Acts = append(f.Acts, Act{Act: "submitted", Regime: regimeEUCyber, Stage: "early", Time: *instant("2021-03-07T20:00:00+01:00"), Author: "R. Haddad", Receipt: "CE-77"})
		reached[0] = mailboxVerdict("ana@agency.example", casefile.RuledOut, casefile.RuledOut, 0, 0)
		reached[1] = mailboxVerdict("bilal@agency.example", casefile.RuledOut, casefile.Possible, 0, 0)
	}
	if day >= 3 {
		f.Incident.Recovered = instant("2021-03-09T14:00:00+01:00")
		f.Impact.Data.Confidentiality = is(false)
		reached[1] = mailboxVerdict("bilal@agency.example", casefile.RuledOut, casefile.RuledOut, 0, 0)
		reached[2] = mailboxVerdict("mara@agency.example", casefile.RuledOut, casefile.RuledOut, 0, 0)
		c.Coverage[0].Gaps = nil
		f.Acts = append(f.Acts, Act{Act: "risk", Regime: regimeEUData, As: "risk", Time: *instant("2021-03-09T15:00:00+01:00"), Author: "D. Moreau", Reason: "names only"})
	}
	return c, f, reached
}

// flooded is a bank whose site is flooded; no data is touched, and nothing is judged.
func flooded() (*casefile.Case, *Facts, []casefile.Reached) {
	c := &casefile.Case{Schema: casefile.Schema, Incidents: []casefile.Incident{{ID: "I1", Title: "An Invented Flood, by 230 actors", Severity: "high", Active: true,
		Techniques: []string{"T1498"}, First: *instant("2025-12-22T04:58:00Z"), Last: *instant("2025-12-22T09:00:00Z"), Findings: 1}}}
	for i := range 230 {
		c.Incidents[0].Actors = append(c.Incidents[0].Actors, fmt.Sprintf("198.51.100.%d", i))
	}
	c.Owed = []casefile.Duty{{Regime: regimeNIS2, Stage: "early", State: casefile.DutyDue, Due: instant("2025-12-23T05:10:00Z"), Form: "nis2-early"},
		{Regime: regimeNIS2, Stage: "notification", State: casefile.DutyDone, Due: instant("2025-12-25T05:10:00Z"), Done: instant("2025-12-26T05:10:00Z"), Form: "nis2-72h"}}
	f := &Facts{Organisation: &casefile.Organisation{Name: "Banque d’Exemple", Country: "FR"}}
	f.zone, _ = time.LoadLocation("Europe/Paris")
	f.Incident.Malicious, f.Incident.CrossBorder = is(true), is(false)
	f.Incident.Detected, f.Incident.Aware = instant("2025-12-22T06:02:00+01:00"), instant("2025-12-22T06:10:00+01:00")
	f.Incident.Description = "The online bank and the app are out of reach.\n\nCards,\ncash machines work."
	f.Services = []Service{{Name: "online bank", Down: []Downtime{{From: *instant("2025-12-22T05:58:00+01:00"), Level: "full"}}},
		{Name: "app", Down: []Downtime{{From: *instant("2025-12-22T05:58:00+01:00"), To: instant("2025-12-22T10:00:00+01:00"), Level: "partial"}}}}
	f.Impact.Data.Confidentiality, f.Impact.Data.Availability = is(false), is(true)
	f.Impact.Clients.Number = &Quantity{Value: 1_200_000, Basis: "estimate"}
	f.Impact.Costs, f.Entity.Currency = &Quantity{Value: 250000.5}, "EUR"
	f.Acts = []Act{{Act: "significant", Regime: regimeNIS2, As: "yes", Time: *instant("2025-12-22T08:00:00+01:00"), Author: "R. Haddad", Reason: "more than a million clients"},
		{Act: "submitted", Regime: regimeNIS2, Stage: "early", Time: *instant("2025-12-22T09:00:00+01:00"), Author: "R. Haddad", Receipt: "A-1"}}
	return c, f, nil
}

const evilName = "\u202egro.live\u2069 <script>alert(1)</script> [x](http://evil.example) ![i](x) `c` | *b* {{.}} =cmd|'/c calc'!A0\n# h"

// hostile is a case in which all that strangers or facts name is hostile.
func hostile() (*casefile.Case, *Facts, []casefile.Reached) {
	c, f, reached := agency(2)
	n := &c.Incidents[0]
	n.Title, n.Actors, n.Techniques, n.ID = evilName, []string{evilName, "203.0.113.21"}, []string{evilName}, evilName
	c.Statements = []casefile.Statement{{Author: evilName, About: evilName, Reason: evilName}}
	c.Sessions[0].Agents, c.Sessions[0].IPs = []string{evilName, strings.Repeat("x", 1000)}, []string{evilName}
	c.Coverage[0].Stream, c.Coverage[0].Host, c.Coverage[0].Gaps[0].Reason = evilName, evilName, evilName
	c.TLP = evilName
	reached[2].Settle, reached[2].Object.ID, reached[2].Object.Owner = evilName, evilName, evilName
	reached = append(reached, mailboxVerdict("=1+1@agency.example", casefile.Confirmed, casefile.Confirmed, 4, 6))
	reached[len(reached)-1].Object.Owner = ""
	reached = append(reached, mailboxVerdict("leila@agency.example", casefile.Possible, casefile.Confirmed, 0, -1), mailboxVerdict("omar@agency.example", casefile.RuledOut, casefile.Confirmed, 0, 0))
	f.Impact.Data.Confidentiality, f.Incident.Malicious, f.PersonalData.Persons = is(false), is(false), &Quantity{}
	f.Organisation.Name, f.Incident.Reference, f.Incident.Description = evilName, evilName, evilName
	f.PersonalData.Data, f.PersonalData.Advice = []string{evilName}, []string{evilName, "www.evil.example", "a@b.example"}
	f.Entity.Contacts["dpo"] = Contact{Name: evilName, Email: evilName, Phone: evilName}
	f.Entity.Recipients[regimeEUData] = evilName
	f.Services = []Service{{Name: evilName, Down: []Downtime{{From: *instant("2021-03-07T08:00:00Z"), Level: evilName}}}}
	f.Acts = append(f.Acts, Act{Act: "risk", Regime: regimeGDPR, As: evilName, Author: evilName, Reason: evilName}, Act{Act: "submitted", Regime: regimeNIS2, Stage: evilName, Author: evilName, Receipt: evilName})
	return c, f, reached
}

type scene struct {
	name  string
	build func() (*casefile.Case, *Facts, []casefile.Reached)
}

func scenes() []scene {
	return []scene{
		{"agency-day1", func() (*casefile.Case, *Facts, []casefile.Reached) { return agency(1) }},
		{"agency-day2", func() (*casefile.Case, *Facts, []casefile.Reached) { return agency(2) }},
		{"agency-day3", func() (*casefile.Case, *Facts, []casefile.Reached) { return agency(3) }},
		{"flood", flooded},
		{"nothing", func() (*casefile.Case, *Facts, []casefile.Reached) { return &casefile.Case{}, nil, nil }},
		{"hostile", hostile},
	}
}

// drafts are the forms that are drafts; not the list of persons.
func drafts() []Form {
	return slices.DeleteFunc(draftForms(), func(f Form) bool { return f.Name == "persons" })
}

func draftOf(c *casefile.Case, f *Facts, reached []casefile.Reached, l *lang.Language) *Draft {
	if f == nil {
		f = &Facts{}
	}
	return &Draft{Input: &Input{Case: c, Facts: f, Reached: verdictsOf(reached)}, Owed: c.Owed, Lang: l, As: "md", PreviousName: "earlier.json"}
}

// The words of every form in every language, over cases from nothing known to everything.
func TestDraftsGolden(t *testing.T) {
	for _, s := range scenes() {
		for _, tag := range lang.Tags() {
			t.Run(s.name+"/"+tag, func(t *testing.T) {
				var got bytes.Buffer
				for _, form := range drafts() {
					c, f, reached := s.build()
					in := draftOf(c, f, reached, language(t, tag))
					in.Now = instant("2021-03-11T00:00:00Z")
					fmt.Fprintf(&got, "<!-- %s -->\n", form.Name)
					if err := form.Write(&got, in); err != nil {
						fmt.Fprintf(&got, "%v\n", err)
					}
				}
				compareGolden(t, filepath.Join("testdata", "drafts", s.name+"."+tag+".md"), got.Bytes())
			})
		}
	}
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *updateDrafts {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (go test -update-drafts writes it anew):\n%s", path, diff)
	}
}

// writeAll returns a form in every format.
func writeAll(t *testing.T, s scene, form Form, tag string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, format := range form.As {
		c, f, reached := s.build()
		in := draftOf(c, f, reached, language(t, tag))
		in.As = format
		var b strings.Builder
		if err := form.Write(&b, in); err != nil {
			if form.Name == "nis2-final" && b.Len() == 0 {
				continue
			}
			t.Fatal(err)
		}
		out[format] = b.String()
	}
	return out
}

// Every place is filled, every message is in the language, and nothing that strangers wrote is markup.
func TestDraftsAreWholeAndInert(t *testing.T) {
	for _, s := range scenes() {
		for _, tag := range lang.Tags() {
			for _, form := range drafts() {
				for format, text := range writeAll(t, s, form, tag) {
					at := s.name + " " + form.Name + " " + tag + " " + format
					if strings.Contains(text, "[?") || strings.Contains(text, `\[?`) {
						t.Errorf("%s: a place is not filled: %s", at, around(text, "[?"))
					}
					bad := []string{"<script>", "\u202e", "\n# h", "%!"}
					if format == "md" {
						text = withoutCode(text)
						bad = append(bad, "](http", "![")
					}
					for _, bad := range bad {
						if strings.Contains(text, bad) {
							t.Errorf("%s holds %q: %s", at, bad, around(text, bad))
						}
					}
					if format == "json" {
						if !json.Valid([]byte(text)) {
							t.Errorf("%s: not JSON", at)
						}
						for _, r := range "\u2066\u2067\u2068\u2069" {
							if strings.ContainsRune(text, r) {
								t.Errorf("%s holds an isolate: programs read it", at)
							}
						}
					}
				}
			}
		}
	}
}

// withoutCode takes the code spans out of Markdown, as CommonMark delimits them.
func withoutCode(s string) string {
	var out strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '`')
		if i < 0 || i > 0 && s[i-1] == '\\' {
			out.WriteString(s[:i+1])
			if s = s[i+1:]; i < 0 {
				out.WriteString(s)
				break
			}
			continue
		}
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		fence, rest := s[i:i+n], s[i+n:]
		end := 0
		for {
			j := strings.Index(rest[end:], fence)
			if j < 0 {
				return out.String() + s
			}
			end += j
			run := len(rest[end:]) - len(strings.TrimLeft(rest[end:], "`"))
			if end += run; run == n {
				break
			}
		}
		out.WriteString(s[:i])
		s = rest[end:]
	}
	return out.String()
}

func around(s, what string) string {
	i := max(0, strings.Index(s, what))
	return s[max(0, i-80):min(len(s), i+80)]
}

// wasWords are what each language says of what was accessed, and of nothing else.
var wasWords = map[string][]string{
	"en": {"was accessed", "were accessed"},
	"fr": {"a été consulté", "ont été consultées"},
	"ar": {"تم الاطلاع"},
}

// No draft says that something was accessed where no verdict is confirmed, or that access is ruled out where none is.
func TestDraftsSayNoMoreThanTheVerdicts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		verdict := rapid.SampledFrom([]string{casefile.Confirmed, casefile.Possible, casefile.RuledOut, ""})
		var reached []casefile.Reached
		confirmed, excluded := false, false
		for i := range rapid.IntRange(0, 6).Draw(r, "mailboxes") {
			content, metadata := verdict.Draw(r, "content"), verdict.Draw(r, "metadata")
			if content == casefile.Confirmed {
				metadata = casefile.Confirmed
			}
			confirmed = confirmed || content == casefile.Confirmed || metadata == casefile.Confirmed
			excluded = excluded || content == casefile.RuledOut
			reached = append(reached, mailboxVerdict(fmt.Sprint(i, "@x"), content, metadata, int64(i), rapid.SampledFrom([]int64{-1, 10}).Draw(r, "upper")))
		}
		tag := rapid.SampledFrom(lang.Tags()).Draw(r, "language")
		form := rapid.SampledFrom(drafts()).Draw(r, "form")
		_, f, _ := agency(2)
		f.Acts = append(f.Acts, Act{Act: "submitted", Regime: regimeNIS2, Stage: "notification"})
		l, err := lang.Find(tag)
		if err != nil {
			r.Fatal(err)
		}
		var b, machine strings.Builder
		in := draftOf(&casefile.Case{}, f, reached, l)
		if err := form.Write(&b, in); err != nil {
			r.Fatal(err)
		}
		in.As = "json"
		if err := form.Write(&machine, in); err != nil {
			r.Fatal(err)
		}
		for _, w := range wasWords[tag] {
			text := strings.ReplaceAll(b.String(), "ربما تم الاطلاع", "")
			if !confirmed && strings.Contains(text, w) {
				r.Fatalf("%s %s: nothing is confirmed: %s", form.Name, tag, around(text, w))
			}
		}
		for _, w := range []string{"ruled out", "est exclue", "مُستبعَد"} {
			if !excluded && strings.Contains(machine.String(), w) {
				r.Fatalf("%s %s: nothing is ruled out: %s", form.Name, tag, around(machine.String(), w))
			}
		}
	})
}

// Three statements on three days, each more certain: none is a correction. Then it turns out that the second was wrong.
func TestEarlierStatementsAreCorrected(t *testing.T) {
	en := language(t, "en")
	write := func(form string, day int, previous []byte) []byte {
		c, f, reached := agency(day)
		in := draftOf(c, f, reached, en)
		in.As, in.Previous = "json", previous
		var b bytes.Buffer
		if k, ok := FindForm(form); !ok {
			t.Fatal(form)
		} else if err := k.Write(&b, in); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		was, now int
		want     []string
	}{
		{1, 1, nil}, {1, 2, nil}, {2, 3, nil}, {1, 3, nil},
		{3, 2, []string{"reached.mailbox.content", "reached.mailbox.metadata", "messages", "confidentiality", "recovered"}},
		{2, 1, []string{"reached.mailbox.content", "reached.mailbox.metadata", "messages", "persons"}},
	} {
		var d struct {
			Sections []struct {
				ID         string
				Statements []struct{ About string }
			}
		}
		if err := json.Unmarshal(write("edps", c.now, write("public", c.was, nil)), &d); err != nil {
			t.Fatal(err)
		}
		var got []string
		if s := d.Sections[0]; s.ID == "correction" {
			for _, st := range s.Statements[1:] {
				got = append(got, strings.TrimPrefix(st.About, "correction."))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("day %d after day %d: %s", c.now, c.was, diff)
		}
	}
}

func TestPersons(t *testing.T) {
	_, _, reached := hostile()
	reached = append(reached, mailboxVerdict("zoe@agency.example", casefile.RuledOut, casefile.RuledOut, 0, 0))
	var b strings.Builder
	if err := WritePersons(&b, verdictsOf(reached)); err != nil {
		t.Fatal(err)
	}
	want := personsHeader +
		"bilal@agency.example,bilal,possible,metadata,0,0,2021-03-03T06:49:42.000Z,2021-03-05T12:00:42.000Z,metadata-possible\r\n"
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", b.String(), want)
	}
	if !strings.Contains(b.String(), "'=1+1@agency.example,,confirmed,content,4,6,") || strings.Contains(b.String(), "zoe") || strings.Contains(b.String(), "ana@") {
		t.Error(b.String())
	}
}
