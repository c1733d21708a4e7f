package disclose

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// harbour is a regime as docs/adding-a-regime.md tells how to write one.
const harbour = `
regime: harbour
version: 2026-01-01
source: {act: Harbour rules}
words: {en: {name: Harbour rules, recipient: harbour master}}
decisions: [significant]
applies: {any: [{country: [FR]}]}
owed: {any: [{significant: ["yes"]}]}
duties:
- stage: call
  words: {en: {name: call}}
  authority: true
  starts: aware
  clocks:
  - from: 2020-01-01
    to: 2026-06-01
    limits: [{after: aware, hours: 72}]
    source: {article: "3"}
  - from: 2026-06-01
    limits:
    - {after: aware, hours: 96}
    - {after: detected, days: 5}
    take: latest
    source: {article: "3, as amended", checked: true}
- stage: report
  words: {en: {name: report}}
  starts: submitted:call
  clocks:
  - from: 2020-01-01
    limits: [{after: "submitted:call", business_days: 2, at: "18:00"}]
    source: {article: "4"}
`

func TestARegimeIsAddedByAddingAFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"harbour.yaml":   harbour,
		"calendars.yaml": "years: {from: 2020, to: 2035}\ncalendars:\n  FR: [03-03]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	regimes, err := LoadRegimes(os.DirFS(dir), dir)
	if err != nil {
		t.Fatal(err)
	}
	if regimes.Find("harbour") == nil || regimes.Find("dora") == nil || !slices.Equal(regimes.Further(), []string{"harbour (2026-01-01)"}) {
		t.Fatalf("%v", regimes.names())
	}
	kept, err := regimes.Kept()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadKeptRegimes(kept, "regimes.yaml")
	if err != nil || !reflect.DeepEqual(regimes, again) {
		t.Fatalf("what is kept makes other regimes: %v", err)
	}
	for _, c := range []struct{ facts, state, due, article string }{
		{"aware: 2026-03-01T10:00:00+01:00", casefile.DutyDue, "2026-03-04T10:00:00+01:00", "3"},
		{"aware: 2026-05-31T10:00:00+02:00", casefile.DutyDue, "2026-06-03T10:00:00+02:00", "3"},
		{"detected: 2026-06-01T09:00:00+02:00, aware: 2026-06-01T10:00:00+02:00", casefile.DutyDue, "2026-06-06T09:00:00+02:00", "3, as amended"},
		{"aware: 2026-06-01T10:00:00+02:00", casefile.DutyDue, "2026-06-05T10:00:00+02:00", "3, as amended"},
	} {
		f, err := ParseFacts([]byte("organisation: {name: P, country: FR}\ndisclosure:\n  entity: {timezone: Europe/Paris, recipients: {harbour: Port of Brest}}\n  incident: {" + c.facts +
			"}\n  acts: [{act: significant, regime: harbour, as: yes, time: 2027-01-01T00:00:00Z, author: A, reason: r}]"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f, Regimes: regimes})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Owed, func(d casefile.Duty) bool { return d.Regime == "harbour" && d.Stage == "call" })
		d := r.Owed[i]
		if d.State != c.state || d.Local != c.due || d.Source.Article != c.article || d.Recipient != "Port of Brest" || d.Words["ar"].Stage != "call" {
			t.Errorf("%s: %s %s %s %s", c.facts, d.State, d.Local, d.Source.Article, d.Recipient)
		}
	}
	f, err := ParseFacts([]byte("organisation: {name: P, country: FR}\ndisclosure:\n  entity: {timezone: Europe/Paris}\n  acts:\n  - {act: submitted, regime: harbour, stage: call, time: 2026-03-02T23:30:00+01:00, author: A, receipt: r}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f, Regimes: regimes})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Owed {
		if d.Regime == "harbour" && d.Stage == "report" && d.Local != "2026-03-05T18:00:00+01:00" { // 3 March is a holiday of this calendar
			t.Errorf("report: %s %s", d.State, d.Local)
		}
	}
}

func TestRegimesThatCannotBeMeant(t *testing.T) {
	f := func(old, new string, want ...string) {
		t.Helper()
		if !strings.Contains(harbour, old) {
			t.Fatalf("no %q", old)
		}
		_, err := LoadRegimes(fstest.MapFS{"h.yaml": {Data: []byte(strings.Replace(harbour, old, new, 1))}}, "dir")
		if err == nil {
			t.Errorf("no error with %q", new)
			return
		}
		for _, w := range append(want, "dir") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
	}
	f("regime: harbour", "regime: Harbour!", "h.yaml: line 2: regime", "small letters")
	f("version: 2026-01-01", "version: new", "line 3: version")
	f("act: Harbour rules", "act: ''", "which law")
	f("recipient: harbour master", "note: x", "recipient")
	f("decisions: [significant]", "decisions: [submitted]", "decisions[1]")
	f("country: [FR]", "contry: [FR]", "contry", "nothing is known by that name")
	f("country: [FR]", "country: []", "list of answers")
	f("starts: aware", "starts: dawn", "duties[1].starts", "submitted:STAGE")
	f("starts: aware", "starts: submitted:report", "no stage", "before this duty")
	f("stage: report", "stage: call", "another duty")
	f("to: 2026-06-01", "to: 2019-06-01", "no day after 2020-01-01")
	f("from: 2020-01-01", "from: always", "clocks[1].from")
	f("hours: 72", "hours: 72, days: 3", "exactly one")
	f("hours: 72", "hours: -1", "more than can be meant")
	f("hours: 72", "hours: 99999999", "more than can be meant")
	f("hours: 72", "hours: 72, at: '12:00'", "limits[1].at")
	f("at: \"18:00\"", "at: \"25:00\"", "hour of the day")
	f("take: latest", "take: all", "earliest, latest")
	f("limits: [{after: aware, hours: 72}]", "without_undue_delay: false", "it takes limits, or")
	f("source: {article: \"4\"}", "source: {}", "article is missing")
	f("authority: true", "relief: {}", `unknown key "relief"`)
	f("decisions: [significant]", "calendar: moon", `no calendar "moon"`)
	f("decisions: [significant]", "zone: Moon/Base", `no zone "Moon/Base"`)
	f("duties:", "dutys:", `"dutys"`)
	for name, files := range map[string]fstest.MapFS{
		"there is no regime":       {},
		"holds no regime":          {"x.yaml": {Data: []byte("")}},
		"is in a.yaml too":         {"a.yaml": {Data: []byte(harbour)}, "b.yaml": {Data: []byte(harbour)}},
		"no weekday \"someday\"":   {"calendars.yaml": {Data: []byte("years: {from: 2020, to: 2030}\ncalendars: {X: [someday from 02-01]}")}},
		"write 12-25, easter+39":   {"calendars.yaml": {Data: []byte("years: {from: 2020, to: 2030}\ncalendars: {X: [32-01]}")}},
		"it takes from and to":     {"calendars.yaml": {Data: []byte("years: {from: 2040, to: 2030}\ncalendars: {X: [01-01]}")}},
		"it takes weekdays and da": {"calendars.yaml": {Data: []byte("years: {from: 2020, to: 2030}\ncalendars: {X: [{day: 01-01, moves: {sunday: 99}}]}")}},
	} {
		if _, err := LoadRegimes(files, "dir"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: want %q", err, name)
		}
	}
}

// The regime in the guide is one.
func TestTheGuide(t *testing.T) {
	p, err := os.ReadFile(filepath.Join(sharedtest.Root(t), "docs", "adding-a-regime.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(p), "```yaml\n")
	text, _, found := strings.Cut(text, "```")
	if _, err := ParseRegime([]byte(text)); err != nil || !found {
		t.Error(err)
	}
	for _, q := range sortedKeys(questions) {
		if name := q[strings.LastIndexByte(q, '.')+1:]; !strings.Contains(string(p), name) {
			t.Errorf("the guide does not name the question %s", q)
		}
	}
}

// Every duty that comes with Barid has words in three languages, a source, and a note that was translated where there is one.
func TestBuiltinRegimes(t *testing.T) {
	regimes, err := BuiltinRegimes()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(regimes.names(), ", "); got != "dora, eidas, eu-bodies-cyber, eu-bodies-data, fr-lopmi, gdpr, nis2, sec-8k" {
		t.Errorf("regimes %s", got)
	}
	for _, g := range regimes.List() {
		for _, tag := range []string{"en", "fr", "ar"} {
			if w := g.Words[tag]; w.Name == "" || w.Recipient == "" {
				t.Errorf("%s: %s: %+v", g.Name, tag, w)
			}
			for _, d := range g.Duties {
				if w := d.Words[tag]; w.Name == "" || (w.Note == "") != (d.Words["en"].Note == "") || (w.Recipient == "") != (d.Words["en"].Recipient == "") {
					t.Errorf("%s %s: %s: %+v", g.Name, d.Stage, tag, w)
				}
			}
		}
		for _, d := range g.Duties {
			if d.Form != "" {
				if _, ok := FindForm(d.Form); !ok {
					t.Logf("%s %s: there is no form %s", g.Name, d.Stage, d.Form)
				}
			}
		}
	}
}

func TestSameFactsSameBytes(t *testing.T) {
	text, err := os.ReadFile("testdata/clock/postal-bank.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for range 20 {
		f, err := ParseFacts(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Assess(&Input{Case: &casefile.Case{}, Facts: f})
		if err != nil {
			t.Fatal(err)
		}
		p, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(p)
		} else if first != string(p) {
			t.Fatal("other bytes")
		}
	}
}

func FuzzRegime(f *testing.F) {
	f.Add([]byte(harbour))
	fsys := content.Regimes()
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		p, err := fs.ReadFile(fsys, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	facts, err := ParseFacts([]byte("organisation: {name: P, kind: bank, country: FR}\ndisclosure: {incident: {aware: 2026-01-31T10:00:00+01:00, resolved: 2026-02-28T10:00:00Z}}"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		g, err := ParseRegime(p)
		if err == nil {
			if _, err := Assess(&Input{Case: &casefile.Case{}, Facts: facts, Regimes: &Regimes{list: []*Regime{g}}}); err != nil {
				t.Fatal(err)
			}
		}
		c, err := parseCalendars(p, calendars{})
		if err != nil {
			return
		}
		for name := range c.days {
			w := &workdays{calendars: c, name: name}
			w.next(*facts.Incident.Aware, 12, 0)
		}
	})
}

func TestWhatIsNoFileIsNoRegime(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "z.yaml")); err != nil {
		t.Skip(err)
	}
	if _, err := LoadRegimes(os.DirFS(dir), "rg"); err == nil || !strings.Contains(err.Error(), "rg/z.yaml: it is not a file") {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, "z.yaml"))
	if err := os.WriteFile(filepath.Join(dir, calendarFile), bytes.Repeat([]byte("# \n"), maxRegime), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadRegimes(os.DirFS(dir), "rg"); err == nil || !strings.Contains(err.Error(), "rg/calendars.yaml: more than 1 MiB") {
		t.Error(err)
	}
}

// What was kept may have been changed by anybody.
func TestKeptRegimesAreHeldToWhatTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "there is no regime",
		"[]":                           "there is no regime",
		"a.yaml: {regime: x}":          "line 1: it takes the text of a file",
		"a/b.yaml: x":                  "line 1: it takes the text of a file",
		"a.yaml: x\na.yaml: y":         "line 2: it takes the text of a file, and each once",
		"a.yaml: \"regime: 1\\nx: y\"": "regimes.yaml/a.yaml",
		"a: b: c":                      "regimes.yaml",
		"a.yaml: " + strings.Repeat("x", maxRegime+1): "shorter",
	} {
		if _, err := ReadKeptRegimes([]byte(text), "regimes.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	own, err := BuiltinRegimes()
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := own.Kept(); kept != nil || err != nil {
		t.Errorf("of Barid's own %d bytes are kept, %v", len(kept), err)
	}
}
