// Package reporttest has invented cases for the tests of outputs, and checks of what outputs write against the definitions of their
// formats.
package reporttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
)

// At returns a time of 2021.
func At(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2021-"+s)
	if err != nil {
		panic(err)
	}
	return t
}

func ptr(s string) *time.Time {
	t := At(s)
	return &t
}

// Small is a case of two incidents: a mail server taken over by a web shell, and a mailbox that was read after its password was guessed. The
// organisation and its people have names that contain Secret.
func Small() *casefile.Case {
	step := func(title, level, stage, tags, first, last string, n int64, actors ...string) casefile.Step {
		return casefile.Step{Rule: casefile.Rule{ID: "6c1f5c9e-0d5c-4a54-9f8b-000000000001", Title: title, Level: level, Tags: strings.Fields(tags)}, Stage: stage,
			First: At(first), Last: At(last), Count: n, Hosts: []string{"EX1-Secret"}, Actors: actors,
			Evidence: []casefile.Evidence{{Source: "logs.zip!u_ex210303.log", SHA256: strings.Repeat("3f", 32), Line: 11, Offset: 900, Time: At(first), Raw: `2021-03-03 06:49:46 POST /ecp/y.js - 203.0.113.21 "it's"`}}}
	}
	yes := casefile.Levels{Content: casefile.Confirmed, Partial: casefile.Confirmed, Metadata: casefile.Confirmed}
	open := casefile.Levels{Content: casefile.Possible, Partial: casefile.Possible, Metadata: casefile.Confirmed}
	return &casefile.Case{
		Schema: casefile.Schema, Barid: casefile.Program{Version: "0.1.0"}, Organisation: &casefile.Organisation{Name: "Example Post", Kind: "post", Country: "FR"},
		TLP: "amber", Ours: []string{"198.51.100.0/24"}, Window: casefile.Window{From: ptr("02-26 00:00:00"), To: ptr("03-09 00:00:00")},
		Sources:  []casefile.Source{{Path: "logs.zip!u_ex210303.log", SHA256: strings.Repeat("3f", 32), Bytes: 1000, Format: "iis.w3c", Host: "EX1-Secret", Events: 9}},
		Coverage: []casefile.Coverage{{Host: "EX1-Secret", Stream: "iis.w3c", Level: "presence", From: ptr("02-26 00:00:00"), To: ptr("03-09 00:00:00"), Gaps: []casefile.Gap{{From: ptr("03-03 13:00:00"), To: ptr("03-03 15:00:00"), Reason: "missing_file", Certain: true}}}},
		Incidents: []casefile.Incident{
			{ID: "I1", Title: "Web Shell Used in an Exchange Folder on EX1-Secret, from 203.0.113.21 and 3 more", Severity: "critical", Stage: "Collection", Techniques: []string{"T1190", "T1505.003", "T9999.123"},
				First: At("03-03 06:49:46"), Last: At("03-08 23:52:10"), Active: true, Hosts: []string{"EX1-Secret"}, Actors: []string{"10.1.0.5", "198.51.100.7", "203.0.113.21", "2001:db8::9", "203.0.113.77"}, Findings: 62, Summary: "62 findings of 2 rules.",
				Steps: []casefile.Step{
					step("ProxyLogon Opened an Administrator Session", "critical", "Initial Access", "attack.initial-access attack.t1190 cve.2021-26855", "03-03 06:49:46", "03-03 07:12:03", 61, "203.0.113.21"),
					step("Web Shell Used in an Exchange Folder", "critical", "Persistence", "attack.persistence attack.t1505.003 attack.t9999.123", "03-03 07:13:20", "03-08 23:52:10", 1, "203.0.113.77", "2001:db8::9"),
				}},
			{ID: "I2", Title: "Login Succeeded from an Address That Had Been Guessing Passwords on mx1-Secret, account ana.secret", Severity: "high", Stage: "Credential Access", Techniques: []string{"T1110.003", "T1078"},
				First: At("03-05 02:10:00"), Last: At("03-05 03:22:41"), Hosts: []string{"mx1-Secret"}, Actors: []string{"203.0.113.9"}, Accounts: []string{"ana.secret"}, Findings: 2, Summary: "2 findings of 1 rule.",
				Steps: []casefile.Step{step("Login Succeeded from an Address That Had Been Guessing Passwords", "high", "Credential Access", "attack.credential-access attack.t1110.003 attack.t1078", "03-05 02:30:07", "03-05 02:30:07", 2, "203.0.113.9")}},
		},
		Sessions: []casefile.Session{
			{ID: "S1", Attribution: "attacker", Accounts: []string{"ana.secret"}, IPs: []string{"203.0.113.9"}, First: At("03-05 02:30:07"), Last: At("03-05 03:22:41"), Agents: []string{"python-requests/2.31.0", "Mozilla/5.0", "it's a \\ client"}, Acts: 14, Why: []string{"the facts name 203.0.113.9"}},
			{ID: "S2", Attribution: "owner", Accounts: []string{"bo.secret"}, IPs: []string{"203.0.113.77"}, First: At("03-05 08:00:00"), Last: At("03-05 09:00:00"), Agents: []string{"Outlook"}},
		},
		Capabilities: []casefile.Capability{
			{Kind: "password", Principal: "ana.secret", Reach: []string{"mailbox ana.secret"}, From: At("03-05 02:30:07"), Why: []string{"a login of the attacker succeeded"}},
			{Kind: "host", Principal: "EX1-Secret", Reach: []string{"host EX1-Secret and what lies on it"}, From: At("03-03 07:13:20"), Why: []string{"a web shell was written"}},
			{Kind: "token", Principal: "cy.secret", Suspected: true, From: At("03-06 02:30:07"), To: ptr("03-07 00:00:00"), Ends: "revoked", Why: []string{"a token was used from elsewhere"}},
		},
		Reached: []casefile.Reached{
			{Object: casefile.Object{Kind: "mailbox", ID: "ana.secret", Owner: "Ana Secret"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 4, Upper: -1, First: ptr("03-05 02:30:07"), Last: ptr("03-05 03:22:41"), By: []string{"S1"},
				Why: []casefile.Reason{{Rule: "MAIL_FETCHED", Text: "212 bodies were fetched", Evidence: []casefile.Proof{{Source: "mx1/maillog", Time: ptr("03-05 02:49:45"), Line: 121, Offset: 900}}}}, Settle: "mx1: the mail log of 2021-03-05 03:00 to 06:25"},
			{Object: casefile.Object{Kind: "mailbox", ID: "bo.secret"}, Verdict: casefile.Possible, Exposure: "content", Levels: open, Upper: 812, Why: []casefile.Reason{{Rule: "HOST_CAPABILITY", Text: "code may have run"}}, Settle: "process events (4688 or Sysmon 1) of EX1"},
			{Object: casefile.Object{Kind: "file", ID: "/owa/auth/it's.aspx", In: "EX1-Secret"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: 1, First: ptr("03-03 07:13:20"), Last: ptr("03-08 23:52:10"), Why: []casefile.Reason{{Rule: "SHELL_USED", Text: "the web shell was given a command"}}},
			{Object: casefile.Object{Kind: "host", ID: "EX1-Secret"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: 1, Why: []casefile.Reason{{Rule: "SHELL_USED", Text: "code ran"}}},
		},
		Rules: casefile.Rules{Loaded: 232, MinLevel: "low"},
		Summary: casefile.Summary{Findings: map[string]int64{"critical": 62, "high": 2}, Reached: map[string]casefile.VerdictCounts{
			"mailbox": {Confirmed: 1, Possible: 1, RuledOut: 20, MetadataConfirmed: 1}, "shell": {Confirmed: 1}, "host": {Confirmed: 1}, "credential": {Confirmed: 1, Possible: 1}}},
	}
}

// Nothing is a case in which nothing was found, of which nothing is known.
func Nothing() *casefile.Case {
	return &casefile.Case{Schema: casefile.Schema, Barid: casefile.Program{Version: "0.1.0"}}
}

// Findings yields a finding for each step of the incidents of a case, and one without a time or anything else.
func Findings(c *casefile.Case) iter.Seq2[*casefile.Finding, error] {
	return func(yield func(*casefile.Finding, error) bool) {
		for _, in := range c.Incidents {
			for _, s := range in.Steps {
				f := casefile.Finding{Time: &s.First, Rule: s.Rule, Event: json.RawMessage(`{"c-ip":"203.0.113.77","cs-uri-stem":"/aspnet_client/discover.aspx"}`), Raw: "a raw line\u202e"}
				if len(s.Hosts) > 0 {
					f.Host = s.Hosts[0]
				}
				if len(s.Actors) > 0 {
					f.Client = s.Actors[0]
				}
				if len(in.Accounts) > 0 {
					f.Account = in.Accounts[0]
				}
				if len(s.Evidence) > 0 {
					f.Source = casefile.Position{Path: s.Evidence[0].Source, SHA256: s.Evidence[0].SHA256, Line: s.Evidence[0].Line, Offset: s.Evidence[0].Offset}
				}
				if !yield(&f, nil) {
					return
				}
			}
		}
		yield(&casefile.Finding{Event: json.RawMessage(`{}`)}, nil)
	}
}

// Evil are texts that must do nothing where they are shown or read.
var Evil = []string{
	`<script>alert(1)</script>`,
	"invoice\u202efdp.exe \u2066x\u2069 \u200b\ufeff\U000e0041",
	`"><img src=x onerror=alert(1)>`,
	`javascript:alert(1)`,
	"\x00\x1b[31m\x7f\xff\xfe",
	`{{.Style}} </style></title></svg><!--`,
	`'] OR [url:value LIKE '%'\`,
	"`id` $(id) ; rm -rf /",
	"=cmd|'/c calc'!A0",
	strings.Repeat("A", 10_000),
	strings.Repeat("\u0301", 500),
	"محمد@example.org",
	"line\r\nline\ttab\u2028sep",
	"",
	" ",
}

// Harm sets every text of a case to one of Evil, beginning with the k-th; hashes, levels, kinds and what Barid itself says stay half of the time.
func Harm(c *casefile.Case, k int) *casefile.Case {
	i := k
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for j := range v.NumField() {
				switch v.Type().Field(j).Name {
				case "Schema", "TLP":
					continue
				case "Severity", "Level", "Kind", "Verdict", "Exposure", "SHA256", "Attribution", "Techniques", "Tags", "Rule", "Actors", "IPs":
					if i++; i%2 == 0 {
						continue
					}
				}
				walk(v.Field(j))
			}
		case reflect.Slice:
			for j := range v.Len() {
				walk(v.Index(j))
			}
		case reflect.String:
			v.SetString(Evil[i%len(Evil)])
			i++
		}
	}
	walk(reflect.ValueOf(c))
	return c
}

// Cases are inputs that every output must be able to write, by name.
func Cases() map[string]*input.Input {
	all := map[string]*input.Input{}
	add := func(name string, c *casefile.Case) { all[name] = input.Of(c, Findings(c)) }
	add("small", Small())
	all["nothing"] = input.Of(Nothing(), nil)
	undated := Small()
	undated.Window, undated.Organisation, undated.TLP = casefile.Window{}, nil, "red"
	for i := range undated.Incidents {
		in := &undated.Incidents[i]
		in.First, in.Last = time.Time{}, time.Time{}
		for j := range in.Steps {
			in.Steps[j].First, in.Steps[j].Last = time.Time{}, time.Time{}
		}
	}
	for i := range undated.Sessions {
		undated.Sessions[i].First, undated.Sessions[i].Last = time.Time{}, time.Time{}
	}
	for i := range undated.Reached {
		undated.Reached[i].First, undated.Reached[i].Last = nil, nil
	}
	add("undated", undated)
	far := Small()
	far.Window.To, far.Incidents[0].Last = ptr("03-09 00:00:00"), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	far.Incidents[1].First, far.Incidents[1].Last = far.Incidents[1].Last, far.Incidents[1].First
	far.Sessions[0].First = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)
	add("times that are none", far)
	for k := range Evil {
		add(fmt.Sprint("hostile ", k), Harm(Small(), k))
	}
	many := Small()
	for i := range 5000 {
		many.Incidents = append(many.Incidents, casefile.Incident{ID: fmt.Sprint("I", i+3), Title: "Scan", Severity: "low", First: At("03-01 00:00:00"), Last: At("03-01 00:00:00"), Actors: []string{fmt.Sprintf("192.0.2.%d", i%256), fmt.Sprintf("2001:db8::%x", i)}, Findings: 1})
		many.Sessions = append(many.Sessions, casefile.Session{ID: fmt.Sprint("X", i), Attribution: "attacker", IPs: []string{fmt.Sprintf("2001:db8:1::%x", i)}, Agents: []string{fmt.Sprint("tool/", i)}, First: At("03-01 00:00:00"), Last: At("03-01 00:00:00")})
		many.Reached = append(many.Reached, casefile.Reached{Object: casefile.Object{Kind: "file", ID: fmt.Sprint("/x/", i, ".aspx")}, Verdict: casefile.Confirmed, Why: []casefile.Reason{{Rule: "SHELL_USED"}}})
	}
	add("many", many)
	return all
}

// Twice writes an output two times and returns what it wrote, which must be the same.
func Twice(tb testing.TB, write func(w *strings.Builder) error) string {
	tb.Helper()
	var a, b strings.Builder
	if err := write(&a); err != nil {
		tb.Fatal(err)
	}
	if err := write(&b); err != nil {
		tb.Fatal(err)
	}
	if a.String() != b.String() {
		tb.Fatal("the same case gave other bytes")
	}
	return a.String()
}

// Broken are inputs that cannot be read to their end, by what of them cannot.
func Broken() map[string]*input.Input {
	broken := errors.New("broken off")
	findings, reached := input.Of(Small(), nil), input.Of(Small(), nil)
	findings.Findings = func(yield func(*casefile.Finding, error) bool) { yield(nil, broken) }
	reached.Reached = func(yield func(*casefile.Reached, error) bool) { yield(nil, broken) }
	return map[string]*input.Input{"findings": findings, "reached": reached}
}

// Golden compares an output with the file that it must be, and writes that where update is true.
func Golden(tb testing.TB, update bool, file, got string) {
	tb.Helper()
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s (-want +got; go test -update writes it anew)\n%s", file, diff)
	}
}
