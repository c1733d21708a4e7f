package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/tally"
)

// scene is invented evidence, told observation by observation.
type scene struct {
	store     tally.Memory
	facts     Facts
	incidents []casefile.Incident
	inventory *Inventory
	seen      []sighting
	line      int64
}

type sighting struct {
	at tally.Place
	o  logs.Observation
}

// with changes an observation before it is added.
type with func(*sighting)

func bySession(id string) with { return func(s *sighting) { s.o.Session = []byte(id) } }
func byDevice(id string) with  { return func(s *sighting) { s.o.Device = []byte(id) } }
func byApp(id string) with     { return func(s *sighting) { s.o.App = []byte(id) } }
func byAgent(name string) with { return func(s *sighting) { s.o.Agent = []byte(name) } }
func over(name string) with {
	return func(s *sighting) { s.o.Channel = name }
}
func as(x logs.Standing) with       { return func(s *sighting) { s.o.Standing = x } }
func doing(name string) with        { return func(s *sighting) { s.o.Action = []byte(name) } }
func onto(name string) with         { return func(s *sighting) { s.o.Target = []byte(name) } }
func giving(p logs.Power) with      { return func(s *sighting) { s.o.Power = p } }
func exposing(x logs.Exposure) with { return func(s *sighting) { s.o.Exposure = x } }
func unsaid() with                  { return func(s *sighting) { s.o.OK, s.o.Unknown = false, true } }

// inside says what the object lies in.
func inside(mailbox string) with { return func(s *sighting) { s.o.In = []byte(mailbox) } }

// of says what was touched.
func of(kind, id string) with {
	return func(s *sighting) { s.o.ObjectKind, s.o.Object = kind, []byte(id) }
}

// amount says how much: -1 where the log does not.
func amount(count, bytes int64) with {
	return func(s *sighting) { s.o.Count, s.o.Bytes = count, bytes }
}

// from says which log of which host tells of it.
func from(host, format string) with {
	return func(s *sighting) { s.at.Host, s.at.Format = host, format }
}

// clockOf reads "08:01", "08:01:30" (10 March 2026) or "03-04 08:01:30" as nanoseconds since 1970 UTC.
func clockOf(at string) int64 {
	if at == "" {
		return event.UnknownTime
	}
	if !strings.Contains(at, " ") {
		at = "03-10 " + at
	}
	if strings.Count(at, ":") == 1 {
		at += ":00"
	}
	t, err := time.Parse(time.DateTime, "2026-"+at)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// see adds an observation.
func (s *scene) see(kind logs.Kind, at, account, ip string, more ...with) {
	s.line++
	x := sighting{tally.Place{Host: "mx1", Format: "dovecot", Ref: tally.Ref{Time: clockOf(at), Line: s.line, Offset: s.line * 100}},
		logs.Observation{Kind: kind, OK: true, Account: []byte(account), IP: []byte(ip), Channel: "imap", Bytes: -1, Count: -1}}
	for _, d := range more {
		d(&x)
	}
	s.seen = append(s.seen, x)
	s.store.Add(x.at, &x.o)
}

// login is a login that succeeded.
func (s *scene) login(at, account, ip string, more ...with) {
	s.see(logs.Login, at, account, ip, append([]with{func(x *sighting) { x.o.Inference = logs.SignedIn }}, more...)...)
}

// fail is one that failed.
func (s *scene) fail(at, account, ip string, more ...with) {
	s.see(logs.Login, at, account, ip, append([]with{func(x *sighting) { x.o.OK = false }}, more...)...)
}

// access is a successful access to the account's own mailbox, by the rule.
func (s *scene) access(rule, at, account, ip string, more ...with) {
	s.see(logs.Access, at, account, ip, append([]with{func(x *sighting) {
		x.o.Inference, x.o.ObjectKind, x.o.Object, x.o.Exposure = rule, "mailbox", []byte(account), logs.Content
	}}, more...)...)
}

// bind is a MailItemsAccessed record about messages of the account's own mailbox.
func (s *scene) bind(at, account, ip string, messages []string, more ...with) {
	for _, m := range messages {
		s.see(logs.Access, at, account, ip, append([]with{from("", "m365.ual"), over("m365"), inside(account), of("message", m), exposing(logs.Content),
			as(logs.Owner), doing("MailItemsAccessed"), func(x *sighting) { x.o.Inference, x.o.Before = logs.Bind, 2*time.Minute }}, more...)...)
	}
}

// capability is a power given.
func (s *scene) capability(rule string, p logs.Power, at, account, ip string, more ...with) {
	s.see(logs.Capability, at, account, ip, append([]with{giving(p), func(x *sighting) { x.o.Inference = rule }}, more...)...)
}

// containment is a way in that somebody shut.
func (s *scene) containment(rule string, p logs.Power, at, account string, more ...with) {
	s.see(logs.Containment, at, account, "", append([]with{giving(p), func(x *sighting) { x.o.Inference = rule }}, more...)...)
}

// stream is a log that was read without a pause.
func (s *scene) stream(host, format, from, to string) {
	span := tally.Span{From: clockOf(from), To: clockOf(to)}
	s.store.AddStream(tally.Stream{Host: host, Format: format, Events: 1000, From: span.From, To: span.To, Active: []tally.Span{span}})
}

// input is what is judged: the whole of March 2026, unless the facts say otherwise.
func (s *scene) input() *Input {
	in := &Input{Store: &s.store, Incidents: s.incidents, Facts: &s.facts, Inventory: s.inventory,
		Sources: []casefile.Source{{Path: "evidence.log"}}, From: clockOf("03-01 00:00"), To: clockOf("03-31 23:59:59")}
	if w := s.facts.Window; w.From != nil {
		in.From = w.From.UnixNano()
	}
	if w := s.facts.Window; w.To != nil {
		in.To = w.To.UnixNano()
	}
	return in
}

// attribute returns the sessions.
func (s *scene) attribute(t testing.TB) *sessions {
	t.Helper()
	in := s.input()
	who, cover := covering(t, in)
	found, err := attribute(in, who, cover)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// uncovered returns the sessions, and what was held, where nobody asks what the logs cover.
func (s *scene) uncovered(t rapid.TB) (*sessions, []capability) {
	t.Helper()
	in := s.input()
	who, err := newPeople(in)
	if err != nil {
		t.Fatal(err)
	}
	found, err := attribute(in, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := capabilities(in, who, found)
	if err != nil {
		t.Fatal(err)
	}
	return found, list
}

// covering returns who there is, and what the logs cover.
func covering(t rapid.TB, in *Input) (*people, *coverage) {
	t.Helper()
	who, err := newPeople(in)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCoverage(in, who)
	if err != nil {
		t.Fatal(err)
	}
	return who, c
}

// told is the sessions in short: "attacker S1", a line each.
func told(s *sessions) string {
	var b strings.Builder
	for _, x := range s.list() {
		fmt.Fprintf(&b, "%s %s\n", x.Attribution, x.ID)
	}
	return b.String()
}
