package judge

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

func TestFactsThatNameNobody(t *testing.T) {
	var m tally.Memory
	see := func(o logs.Observation) {
		m.Add(tally.Place{Host: "mx1", Format: "dovecot.imap", Ref: tally.Ref{Time: unix("2021-03-01T08:00:00Z")}}, &o)
	}
	see(logs.Observation{Kind: logs.Login, OK: true, Account: []byte("Ana@example.org"), IP: []byte("203.0.113.9"), Session: []byte("AAA"), Device: []byte("D1"), Agent: []byte("Mozilla/5.0 Evil/1.2"), App: []byte("app1"), Count: 1})
	see(logs.Observation{Kind: logs.Login, Account: []byte("bob"), IP: []byte("198.51.100.77"), Count: 1})
	m.AddAnswer("203.0.113.200", tally.Ref{Time: unix("2021-03-01T08:00:00Z")}, event.Answer{Kind: event.OpaqueAnswer, Bytes: 7000})
	m.AddStream(tally.Stream{Host: "MX1", Format: "dovecot.imap"})
	f := func(text string, want ...string) {
		t.Helper()
		facts, err := ParseFacts(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		j, err := Judge(&Input{Store: &m, Facts: facts, Sources: []casefile.Source{{Path: "logs.zip!web1.example.org/access.log"}}, From: event.UnknownTime, To: event.UnknownTime})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range j.Notes {
			if strings.HasPrefix(n, "facts: ") {
				got = append(got, strings.TrimPrefix(n, "facts: "))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	f("")
	f("attacker: {ips: [203.0.113.0/24, 198.51.100.77], accounts: [ana, BOB, ana@example.org], sessions: [aaa, 'ana@example.org|203.0.113.9|2021-03-01T08:00:00Z'], devices: [d1], user_agents: [evil/1.2]}")
	f("attacker: {ips: [203.0.113.10], accounts: [eve], sessions: [S9], devices: [D9], user_agents: [curl]}",
		"attacker: ips: 203.0.113.10 is named by no evidence", "attacker: accounts: eve is named by no evidence", "attacker: sessions: S9 is named by no evidence",
		"attacker: devices: D9 is named by no evidence", "attacker: user_agents: curl is named by no evidence")
	f("statements: [{author: A, time: 2021-03-09T10:00:00Z, reason: x, ip: 203.0.113.99, is: owner}, {author: A, time: 2021-03-09T10:00:00Z, reason: x, app: APP1, is: owner}]",
		"statements: ip: 203.0.113.99 is named by no evidence")
	f("attacker: {ips: [203.0.113.200]}") // pages and scripts were handed out to it, and nothing else is known of it
	f("{hosts: {Post: [mx1, 10.9.9.9]}, exposed: [{host: post, from: 2021-03-01T00:00:00Z, proof: x}, {host: Mx1, from: 2021-03-01T00:00:00Z, proof: x}]}")
	f("{hosts: {Post: [10.9.9.9]}, exposed: [{host: Post, from: 2021-03-01T00:00:00Z, proof: x}]}",
		"exposed: host: Post is named by no evidence", "hosts: 10.9.9.9 is named by no evidence")
	f("timezones: {web1: Europe/Paris, web2: Europe/Paris, '*': UTC}", "timezones: web2 is part of the path of no evidence")
	f("coverage: [{stream: dovecot.imap, host: mx1, level: presence, from: 2021-03-01T00:00:00Z, to: 2021-03-02T00:00:00Z, proof: x}, {stream: dovecot.imap, host: mx2, level: presence, from: 2021-03-01T00:00:00Z, to: 2021-03-02T00:00:00Z, proof: x}]",
		"coverage: host: mx2 is named by no evidence")
	off := func(channel, scope string) string {
		return "channels_off: [{channel: " + channel + ", scope: \"" + scope + "\", proof: x}]"
	}
	for _, scope := range []string{"", "*", "ANA", "mx1", "bob"} {
		f(off("imap", scope))
	}
	f(off("imap", "eve"), "channels_off: scope: eve is named by no evidence")
	f(off("imaps", "ana"), "channels_off: channel: imaps is named by no evidence")
}
