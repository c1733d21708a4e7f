package pipeline

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/internal/logs/access"
	"github.com/barid-dfir/barid/sigma"
)

// Rules that ask for what stands at the edges of fields, for what crosses from one part of a line into the next, and for
// what is in nearly every line.
const (
	edgeRules = `
title: Edges of Fields
logsource: {category: webserver}
detection:
  a: {cs-method: PUT}
  b: {sc-status: [404, 500]}
  c: {cs-uri-query|endswith: '=x'}
  d: {cs-uri-stem|startswith: '/Admin'}
  e: {cs-user-agent|contains: "'"}
  g: {cs-referer: 'http://example.org/'}
  h: {cs-user-agent|re: '(?i)k[ei]lvin'}
  condition: 1 of them
---
title: Words
logsource: {category: webserver}
detection:
  keywords: ['select ', 'order by ', 'http/1.1" 404']
  condition: keywords
`
	crossingRules = `
title: Across Parts
logsource: {category: webserver}
detection:
  keywords: ['" "A', '] "put', '0 "http', '/oct/1999', '192.0.2.8', '- dec']
  a: {c-ip|startswith: '203.0.113.'}
  condition: keywords or a
`
	usualRules = `
title: Everywhere
logsource: {category: webserver}
detection:
  keywords: [' - - ', '/2000:']
  condition: keywords
`
)

// skimmed compares what is read of a text by Skim and by Parse.
func skimmed(t *testing.T, r *run, w *worker, format *logs.Format, text string) (plain int) {
	t.Helper()
	source := &logs.Source{Path: "access.log"}
	b := &logs.Block{Source: source, Data: []byte(text), Line: 1, First: true, Last: true}
	var all, some event.Batch
	parser := format.Parser()
	parser.Parse(b, &all)
	skimmer := w.parser(format).(logs.Skimmer)
	shape, parts := skimmer.Skims(b)
	sieves := r.sievesOf(shape, parts)
	if sieves == nil {
		t.Fatal("no sieves")
	}
	skimmer.Skim(b, sieves, &some)
	if len(all.Defects) != len(some.Defects) || len(all.Events) != len(some.Events)+len(some.Plain) {
		t.Fatalf("%q: %d events and %d defects, skimmed %d, %d plain and %d", text, len(all.Events), len(all.Defects), len(some.Events), len(some.Plain), len(some.Defects))
	}
	told := make(map[string]bool)
	for i := range some.Plain {
		told[string(some.Plain[i].Name)] = true
	}
	events, rest := some.Events, some.Plain
	for i := range all.Events {
		e := &all.Events[i]
		if len(events) > 0 && events[0].Offset == e.Offset {
			events = events[1:]
			continue
		}
		p := rest[0]
		rest = rest[1:]
		if p.Time != e.Time || p.Offset != e.Offset || p.Line != e.Line || string(p.Client) != string(e.Role(event.Client).Data) {
			t.Fatalf("%q: plain %+v is not %+v", e.Raw, p, e)
		}
		if _, a := parser.(logs.Answerer).Answer(e); string(a.Name) != string(p.Name) || a.Kind != p.Kind || a.Bytes != p.Bytes || a.Ranged != p.Ranged {
			if a.Kind == event.NamedAnswer && p.Kind == event.NoAnswer && told[string(a.Name)] {
				continue
			}
			t.Fatalf("%q: plain answer %+v is not %+v", e.Raw, p.Answer, a)
		}
		if found := w.detector.Detect(e, 0, nil); len(found) > 0 {
			t.Fatalf("%q is plain, but %s", e.Raw, found[0].Rule.Title)
		}
		if obs := parser.Observe(e, nil); len(obs) > 0 {
			t.Fatalf("%q is plain, but it is observed: %+v", e.Raw, obs)
		}
		if !e.Role(event.Host).IsNull() {
			t.Fatalf("%q is plain, but has a host", e.Raw)
		}
	}
	return len(some.Plain)
}

func newSkim(t testing.TB, rules string) (*run, *worker, *logs.Format) {
	t.Helper()
	pack, err := sigma.LoadFS(content.Rules())
	if err != nil {
		t.Fatal(err)
	}
	if rules != "" {
		more := sigma.Parse("rules.yml", []byte(rules))
		if len(more.Rejected) > 0 {
			t.Fatal(more.Rejected[0])
		}
		pack.Add(more)
	}
	engine, _ := sigma.Compile(pack, sigma.Options{})
	r := &run{cfg: Config{Rules: detect.NewRules(engine)}, sieves: make(map[*event.Shape][]logs.Sieve)}
	format := access.New()
	return r, newWorker(r), &format
}

const plainLine = `192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.1" 200 2326 "https://example.net/a" "Mozilla/5.0 (X11; Linux)"`

func TestSkim(t *testing.T) {
	r, w, format := newSkim(t, "")
	f := func(line string, want int) {
		t.Helper()
		for range 2 { // the second time from memory
			if got := skimmed(t, r, w, format, line); got != want {
				t.Errorf("%q: %d plain", line, got)
			}
		}
	}
	f(plainLine, 1)
	f(plainLine+"\n"+plainLine+"\r\n", 2)
	f(plainLine+` 0.01 "-"`, 1)
	f(`2001:db8::7 - - [10/Oct/2000:13:55:36 -0700] "HEAD / HTTP/1.0" 304 -`, 1)
	f(`192.0.2.7 - ana [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "POST /cart HTTP/1.0" 200 5`, 1)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "POST /wp-login.php HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "POST /?_task=login HTTP/1.0" 401 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "-" 408 0 "-" "-"`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "" 400 0 "-" "-"`, 1)
	f(`127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [40/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0\" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /?q=${jndi:ldap://x} HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5 "-" "AMProbe/Local"`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET /owa/auth/logon.aspx?reason=2 HTTP/1.0" 200 5`, 0)
	f(`192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5 "-" "no end`, 0)
}

// Lines that are nearly plain, in all the ways in which a line can be not quite.
func TestSkimOfDamagedLines(t *testing.T) {
	for _, rules := range []string{"", edgeRules, crossingRules, usualRules} {
		r, w, format := newSkim(t, rules)
		pieces := []string{`"`, ` `, `\`, `-`, `" "`, "] \"", "\n", "K", "\u212A", "'", "127.", "::1", "PUT", "Oct/1999", "2.8", "Dec", "Agent", "404", "500", "=x", "/Admin", "select ", "order by ",
			"203.0.113.", "http://example.org/", "kelvin", "AMProbe", "[", "]", ":", "_probe/local", "ana", "/owa/auth/logon.aspx?reason=2", "..\\", "%27", "é", "\x00", "GET ", "POST ", "/xmlrpc.php", "?_task=login", "/owa/auth.owa", "-\" \""}
		random := rand.New(rand.NewPCG(3, 4))
		plain := 0
		for range 30_000 {
			line := plainLine
			for range random.IntN(4) {
				at := random.IntN(len(line) + 1)
				to := min(len(line), at+random.IntN(6))
				line = line[:at] + pieces[random.IntN(len(pieces))] + line[to:]
			}
			plain += skimmed(t, r, w, format, line)
		}
		if (plain < 1000) != (rules == usualRules) {
			t.Errorf("%d lines are plain with the rules %q", plain, rules)
		}
	}
}

func FuzzSkim(f *testing.F) {
	f.Add(plainLine)
	f.Add(strings.Replace(plainLine, "GET", "PUT", 1) + "\n" + plainLine)
	r, w, format := newSkim(f, edgeRules+"---"+crossingRules)
	f.Fuzz(func(t *testing.T, text string) { skimmed(t, r, w, format, text) })
}
