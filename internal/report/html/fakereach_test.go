package html

import (
	"fmt"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

func on(s string) *time.Time {
	t := at(s)
	return &t
}

func proof(source, when string, line int64) []casefile.Proof {
	return []casefile.Proof{{Source: source, Time: on(when), Line: line, Offset: line * 311}, {Source: source, Time: on(when), Line: line + 4, Offset: line*311 + 900}}
}

// judged is proxyLogon with verdicts: a mailbox read by a synchronisation and a Bind, one whose detail was throttled, one
// that a rotation hole leaves open, many that are ruled out; files, a host, credentials.
func judged() *casefile.Case {
	c := proxyLogon()
	c.Window = casefile.Window{From: on("2021-02-26 00:00:00"), To: on("2021-03-10 00:00:00")}
	c.Capabilities = []casefile.Capability{
		{Kind: "password", Principal: "ana@example.org", Reach: []string{"mailbox ana@example.org"}, From: at("2021-03-05 02:30:07"), Earliest: on("2021-02-26 00:00:00"), To: on("2021-03-08 12:00:00"), Ends: "password reset", Why: []string{"a login of the attacker succeeded"}},
		{Kind: "host", Principal: "EX1", Reach: []string{"every mailbox on EX1"}, From: at("2021-03-03 07:12:04"), Earliest: on("2021-03-03 07:12:04"), To: on("2021-03-09 12:00:00"), Why: []string{"a web shell was written"}},
		{Kind: "rule", Principal: "ana@example.org", Reach: []string{"mailbox ana@example.org"}, From: at("2021-03-06 09:00:00"), Why: []string{"made by session S1"}},
	}
	c.Sessions = append(c.Sessions,
		casefile.Session{ID: "S1", Attribution: "attacker", Accounts: []string{"ana@example.org"}, IPs: []string{"203.0.113.9"}, First: at("2021-03-05 02:30:07"), Last: at("2021-03-05 03:22:41"), Why: []string{"the facts name 203.0.113.9"}},
		casefile.Session{ID: "S2", Attribution: "attacker", Accounts: []string{"ana@example.org"}, IPs: []string{"203.0.113.9"}, First: at("2021-03-06 08:51:00"), Last: at("2021-03-06 11:00:00"), Why: []string{"P5: the device of S1"}})
	c.Coverage = []casefile.Coverage{
		{Host: "EX1", Stream: "iis.w3c", Level: "presence", From: on("2021-02-20 00:00:00"), To: on("2021-03-10 00:00:00"), Channels: []string{"owa", "ews"}},
		{Host: "EX1", Stream: "exchange.httpproxy.owa", Level: "presence", From: on("2021-03-01 00:00:00"), To: on("2021-03-09 23:00:00"), Channels: []string{"owa"}, Gaps: []casefile.Gap{
			{From: on("2021-03-03 13:00:00"), To: on("2021-03-03 15:00:00"), Reason: "missing_file", Certain: true, Substitute: "iis.w3c of EX1"}, {From: on("2021-03-06 02:00:00"), To: on("2021-03-06 20:00:00"), Reason: "silence"}}},
		{Host: "mx1", Stream: "dovecot.imap", Level: "detail", From: on("2021-03-02 00:00:00"), To: on("2021-03-10 00:00:00"), Channels: []string{"imap"}, Gaps: []casefile.Gap{{From: on("2021-03-05 03:00:00"), To: on("2021-03-05 06:25:00"), Reason: "missing_file", Certain: true}}},
		{Stream: "m365.ual:MailItemsAccessed", Principal: "mara@example.org", Level: "detail", From: on("2021-02-26 00:00:00"), To: on("2021-03-09 12:00:00"), Channels: []string{"m365"}, Gaps: []casefile.Gap{{From: on("2021-03-04 09:30:00"), To: on("2021-03-05 09:30:00"), Reason: "throttled", Certain: true}}},
	}
	yes := casefile.Levels{Content: casefile.Confirmed, Partial: casefile.Confirmed, Metadata: casefile.Confirmed}
	open := casefile.Levels{Content: casefile.Possible, Partial: casefile.Possible, Metadata: casefile.Confirmed}
	no := casefile.Levels{Content: casefile.RuledOut, Partial: casefile.RuledOut, Metadata: casefile.RuledOut}
	add := func(r casefile.Reached) { c.Reached = append(c.Reached, r) }
	add(casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: "mara@example.org", Owner: "Mara Khoury"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1241, Upper: 5000,
		First: on("2021-03-04 09:00:00"), Last: on("2021-03-04 09:30:00"), By: []string{"S2"}, Why: []casefile.Reason{
			{Rule: "SYNC_FOLDER", Text: "the client synchronised the folder Posteingang: every message in it then (1,240)", Evidence: proof("ual.csv", "2021-03-04 09:00:00", 1200)},
			{Rule: "THROTTLED", Text: "the audit log was throttled from 2021-03-04 09:30 to 2021-03-05 09:30: what was opened then is not recorded", Evidence: proof("ual.csv", "2021-03-04 09:30:00", 1290)}},
		Channels: []casefile.ChannelVerdict{{Channel: "m365", Levels: yes, Why: "SYNC_FOLDER"}, {Channel: "owa", Levels: no, Why: "covered by iis.w3c of EX1"}},
		Settle:   "the mailbox audit log of mara@example.org for 2021-03-04 09:30 to 2021-03-05 09:30"})
	for i := range 30 {
		add(casefile.Reached{Object: casefile.Object{Kind: "message", ID: fmt.Sprintf("<m%d.8812@mail.example.org>", i), In: "mara@example.org", Name: "Board minutes " + fmt.Sprint(i)}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes,
			Lower: 1, Upper: 1, First: on("2021-03-04 09:00:00"), Last: on("2021-03-04 09:00:00"), By: []string{"S2"}, Why: []casefile.Reason{{Rule: "SYNC_FOLDER", Text: "it lay in Posteingang when that was synchronised", Evidence: proof("ual.csv", "2021-03-04 09:00:00", 1200)}}})
	}
	for i := range 60 {
		add(casefile.Reached{Object: casefile.Object{Kind: "message", ID: fmt.Sprintf("<p%d.77@mail.example.org>", i), In: "mara@example.org"}, Verdict: casefile.Possible, Exposure: "content", Levels: open, Upper: 1,
			Why: []casefile.Reason{{Rule: "THROTTLED", Text: "no detail is recorded while the log is throttled"}}, Settle: "the mailbox audit log of mara@example.org for 2021-03-04 09:30 to 2021-03-05 09:30"})
	}
	add(casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: "ana@example.org", Owner: "Ana Salem"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: -1, Bytes: 18_214_400,
		First: on("2021-03-05 02:30:07"), Last: on("2021-03-05 03:22:41"), By: []string{"S1"}, Why: []casefile.Reason{
			{Rule: "MAIL_FETCHED", Text: "212 bodies, 18.2 MB were fetched; which messages is not said", Evidence: proof("mx1/maillog", "2021-03-05 02:49:45", 121)},
			{Rule: "OPEN_SESSION", Text: "session S1 has no end in the logs: what it read has no bound"}},
		Settle: "mx1: the mail log of 2021-03-05 03:00 to 06:25"})
	add(casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: "board@example.org"}, Verdict: casefile.Possible, Exposure: "content", Levels: open, Upper: 812,
		Why: []casefile.Reason{{Rule: "HOST_CAPABILITY", Text: "code may have run on EX1, and no complete log of its processes shows what it did"}}, Settle: "process events (4688 or Sysmon 1) of EX1"})
	for i := range 410 {
		add(casefile.Reached{Object: casefile.Object{Kind: "mailbox", ID: fmt.Sprintf("user%03d@example.org", i)}, Verdict: casefile.RuledOut, Exposure: "none", Levels: no})
	}
	add(casefile.Reached{Object: casefile.Object{Kind: "file", ID: "/Board/minutes.pdf", In: "cloud.example.org"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: 1, Bytes: 1 << 20,
		First: on("2021-03-05 03:00:00"), By: []string{"S1"}, Why: []casefile.Reason{{Rule: "HTTP_BODY", Text: "200, 1,048,576 bytes of 1,048,576", Evidence: proof("web1/access.log", "2021-03-05 03:00:00", 71)}}})
	add(casefile.Reached{Object: casefile.Object{Kind: "file", ID: "/Board/legal.zip", In: "cloud.example.org"}, Verdict: casefile.Possible, Exposure: "content", Levels: open, Upper: 1, Why: []casefile.Reason{{Rule: "HTTP_NOT_MODIFIED", Text: "304: the client has had it before"}}, Settle: "web1: the access log before 2021-03-02"})
	add(casefile.Reached{Object: casefile.Object{Kind: "host", ID: "EX1"}, Verdict: casefile.Possible, Exposure: "content", Levels: open, Upper: 1, Why: []casefile.Reason{{Rule: "SHELL_WRITTEN", Text: "a web shell was written; no request used it", Evidence: proof("logs.zip!ECP/Server/ECPServer20210303-1.LOG", "2021-03-03 07:12:04", 12)}}, Settle: "process events (4688 or Sysmon 1) of EX1"})
	add(casefile.Reached{Object: casefile.Object{Kind: "credential", ID: "ana@example.org"}, Verdict: casefile.Confirmed, Exposure: "content", Levels: yes, Lower: 1, Upper: 1, By: []string{"S1"}, Why: []casefile.Reason{{Rule: "SIGNED_IN", Text: "the attacker signed in with it", Evidence: proof("mx1/maillog", "2021-03-05 02:30:07", 118)}}})
	c.Summary.Reached = map[string]casefile.VerdictCounts{
		"mailbox": {Confirmed: 2, Possible: 1, RuledOut: 410, MetadataPossible: 12}, "message": {Confirmed: 30, Possible: 60}, "file": {Confirmed: 1, Possible: 1, RuledOut: 35, MetadataConfirmed: 35},
		"host": {Possible: 1}, "credential": {Confirmed: 1},
	}
	c.Inferences = []casefile.Inference{
		{Name: "SYNC_FOLDER", Says: "Every message in the folder at that time was handed to the client.", Verified: true, Source: "Microsoft Learn, audit-log-investigate-accounts", Verdicts: 31},
		{Name: "MAIL_FETCHED", Says: "So many bodies were fetched in the session.", Verified: true, Source: "Dovecot documentation, imap_logout_format", Verdicts: 1},
		{Name: "HTTP_NOT_MODIFIED", Says: "The client has it already: it was handed out before.", Verdicts: 1},
	}
	c.Statements = []casefile.Statement{{Author: "R. Haddad, IT", Time: on("2021-03-09 10:00:00"), About: "session S0 is owner", Reason: "Ana was in the office and read mail on her own laptop; asked on 8 March."}}
	c.Notes = []string{"facts: attacker: accounts: bo@example.org is named by no evidence"}
	return owing(c)
}

// owing is c with duties in every state, and a classification.
func owing(c *casefile.Case) *casefile.Case {
	law := casefile.Legal{Act: "Delegated Regulation (EU) 2025/301", CELEX: "32025R0301", Article: "5(1)(a)", Checked: true}
	words := func(stage string) map[string]casefile.DutyWords {
		return map[string]casefile.DutyWords{"en": {Regime: "DORA", Stage: stage, Recipient: "ACPR", Note: "Tell the authority before the limit passes."}}
	}
	c.Owed = []casefile.Duty{
		{Regime: "nis2", Stage: "early_warning", Recipient: "CSIRT", State: casefile.DutyOpen, Missing: []string{"disclosure.incident.aware", "disclosure.entity.nis2"}, Source: casefile.Legal{Act: "Directive (EU) 2022/2555", Article: "23(4)(a)"}},
		{Regime: "gdpr", Stage: "communication", Recipient: "persons concerned", State: casefile.DutyDue, Without: true, Source: law},
		{Regime: "dora", Stage: "initial", Recipient: "ACPR", State: casefile.DutyDue, Due: on("2021-03-10 11:30:00"), Local: "2021-03-10T12:30:00+01:00", Starts: "classified", Started: on("2021-03-10 07:30:00"), Form: "dora-initial", Words: words("initial notification"),
			Why: []casefile.Said{{ID: "duty.limit", Args: map[string]string{"span": "4 hour", "event": "duty.event.classified", "at": "2021-03-10T11:30:00Z"}, Text: "4 hours after classification as major: 2021-03-10T11:30:00Z."}, {ID: "none.such", Text: "A sentence of a later version."}}, Source: law},
		{Regime: "dora", Stage: "intermediate", Recipient: "ACPR", State: casefile.DutyWaiting, Starts: "submitted:initial", Words: words("intermediate report"), Source: law},
		{Regime: "gdpr", Stage: "register", Recipient: "own register", State: casefile.DutyDone, Done: on("2021-03-09 12:00:00"), Receipt: "R-1", Source: law},
		{Regime: "sec", Stage: "current", Recipient: "SEC", State: casefile.DutyNotOwed, Source: law},
	}
	c.Classifications = []casefile.Classification{{Regime: "dora", Result: "met", Since: on("2021-03-03 07:12:04"), Why: []casefile.Said{{ID: "dora.result.met", Text: "The criteria of a major incident are met."}},
		Criteria: []casefile.Criterion{{ID: "dora.6", Result: "met", Since: on("2021-03-03 07:12:04"), Source: law}, {ID: "dora.9.6", Result: "open", Missing: []string{"disclosure.impact.costs"}, Why: []casefile.Said{{ID: "dora.why.missing", Args: map[string]string{"key": "disclosure.impact.costs"}, Text: "Not known: the facts do not give disclosure.impact.costs."}}, Source: law}},
		Act:      &casefile.Act{Act: "classified", Regime: "dora", As: "major", Time: at("2021-03-10 07:30:00"), Author: "R. Haddad", Reason: "a web shell on the mail server"}}}
	return c
}
