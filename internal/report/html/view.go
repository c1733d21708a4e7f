package html

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/fields"
)

// What is drawn at most. A page has to open in a browser whatever the case; what is left out is counted on the page, and
// stands in case.json and findings.jsonl.
const (
	maxTop       = 5       // incidents on the first screen
	maxLanes     = 24      // of the picture
	maxFull      = 60      // incidents with their steps
	maxBrief     = 1000    // incidents with a line
	maxSteps     = 40      // of an incident
	maxEvidence  = 5       // of a step
	maxRaw       = 2000    // bytes of a line of evidence
	maxRawInAll  = 3 << 20 // bytes of evidence on the page
	maxNames     = 12      // hosts, actors
	maxName      = 200     // bytes of a host, an account, a title
	maxText      = 1000    // bytes of a sentence
	maxRulesSeen = 300     // rules with findings
	maxProblems  = 300     // sources with something unread
	maxSources   = 1000
	maxErrors    = 5 // of a source
	maxRejected  = 300
	maxRows      = 300 // of sessions, capabilities, verdicts, coverage
)

// page is what the template shows. Texts in it are as the case has them: the template makes them visible.
type page struct {
	Style, StyleHash string
	Version          string
	Organisation     string
	Evidence         string // the time it spans
	Headline         string
	State            string // of the incidents at the end of the evidence
	Nothing          bool
	Proof            []string // what a page without findings can and cannot say
	Severity         string
	Top              []brief
	MoreTop          int
	Hosts, Accounts  names
	Since, Until     string
	SinceLevel       string
	Earliest         string // of less severe incidents, where that is before Since
	Lasted           string
	Active           string
	ActiveNow        bool
	Levels           []levelCount
	Unread           string
	UnreadAny        bool
	RulesLine        string
	RulesRejected    bool
	Reach            reachView

	Charts      []chart
	NotDrawn    int
	Timeless    int
	Filter      []string
	Incidents   []incident
	Brief       []brief
	Left        int
	Rules       []ruleSeen
	RulesLeft   int
	FindingsErr string
	Sessions    table
	Powers      table
	Coverage    table
	Problems    table
	Sources     []sourceView
	SourcesMore string
	Rejected    table
	RulesLoaded string
}

type levelCount struct{ Level, Number string }

// brief is an incident in a line.
type brief struct {
	ID, Anchor, Level, Title string
	Where                    string
	Span                     string
	Stage                    string
	Findings                 string
	Active                   bool
	State                    string
	Story                    []storyLine
	StoryLeft                int
}

// storyLine is a step of an incident in a line.
type storyLine struct{ Time, Level, Title string }

type incident struct {
	brief
	Summary    string
	First      string
	Last       string
	Lasted     string
	Techniques []technique
	Hosts      names
	Actors     names
	Accounts   names
	Charts     []chart
	Steps      []stepView
	StepsLeft  int
}

type technique struct{ ID, Name, URL string }

type names struct {
	List []string
	More int
}

type stepView struct {
	Level, Title, RuleID string
	Stage                string
	First, Span          string
	Count                string
	Hosts, Actors        names
	Techniques           []technique
	Evidence             []evidenceView
	More                 string // of its findings are not shown
}

type evidenceView struct {
	Time, Source, Place string
	Hash, Short         string
	Raw                 string
	Cut                 string
	Withheld            bool
}

type ruleSeen struct {
	Level, Title, ID string
	Number           int64
	Count            string
	Span             string
	Hosts            names
	first, last      time.Time
	Where, Example   string
}

type sourceView struct {
	Path, Kind, Host, Events, Unread, Size, Span, Hash, Notes string
}

// table is rows of cells for a section that may be empty.
type table struct {
	Head []string
	Rows [][]string
	More string
}

// build computes the page. It changes nothing in c.
func build(c *casefile.Case, findings iter.Seq2[*casefile.Finding, error]) *page {
	p := &page{Version: c.Barid.Version}
	if c.Organisation != nil {
		p.Organisation = c.Organisation.Name
	}
	p.Evidence = window(c.Window)

	order := make([]*casefile.Incident, len(c.Incidents))
	for i := range c.Incidents {
		order[i] = &c.Incidents[i]
	}
	slices.SortStableFunc(order, func(a, b *casefile.Incident) int {
		return cmp.Or(cmp.Compare(rank(b.Severity), rank(a.Severity)), compareActive(a, b), a.First.Compare(b.First), strings.Compare(a.ID, b.ID))
	})

	p.seeFindings(findings)
	p.firstScreen(c, order)
	p.picture(order)
	p.incidents(order)
	p.reach(c)
	p.tables(c)
	return p
}

func compareActive(a, b *casefile.Incident) int {
	switch {
	case a.Active == b.Active:
		return 0
	case a.Active:
		return -1
	}
	return 1
}

func window(w casefile.Window) string {
	switch {
	case w.From == nil && w.To == nil:
		return "no time known"
	case w.From == nil:
		return "up to " + stamp(*w.To)
	case w.To == nil:
		return "from " + stamp(*w.From)
	}
	return span(*w.From, *w.To)
}

func (p *page) firstScreen(c *casefile.Case, order []*casefile.Incident) {
	var events, unparsed int64
	var unknown, faulty, given int
	for i := range c.Sources {
		s := &c.Sources[i]
		if !isList(s) {
			events += s.Events
			given++
		}
		unparsed += s.Unparsed
		switch {
		case s.Format == "":
			unknown++
		case s.Unparsed > 0 || len(s.Errors) > 0:
			faulty++
		}
	}
	var total int64
	for _, level := range levels {
		n := c.Summary.Findings[level]
		total += n
		p.Levels = append(p.Levels, levelCount{level, number(n)})
	}

	sources := count(given, "source", "sources")
	p.Unread = "Everything that was given was read."
	var unread []string
	if unknown > 0 {
		unread = append(unread, count(unknown, "source is of a kind that was not recognised", "sources are of a kind that was not recognised"))
	}
	if faulty > 0 {
		unread = append(unread, count(faulty, "source was read in part or not at all", "sources were read in part or not at all"))
	}
	if unparsed > 0 {
		unread = append(unread, count(unparsed, "line, record or chunk is missing from this report", "lines, records or chunks are missing from this report"))
	}
	if len(unread) > 0 {
		p.Unread, p.UnreadAny = upperFirst(list(unread))+".", true
	}
	if len(c.Sources) == 0 {
		p.Unread, p.UnreadAny = "No evidence was given.", true
	}
	p.RulesLine = count(c.Rules.Loaded, "rule was applied", "rules were applied") + "."
	p.RulesLoaded = p.RulesLine
	if n := len(c.Rules.Rejected); n > 0 {
		p.RulesLine += " " + count(n, "rule could not be used.", "rules could not be used.")
		p.RulesRejected = true
	}

	if len(order) == 0 {
		p.nothing(c, total, events, sources)
		if n := c.Summary.Reached; len(n) > 0 {
			// What was reached is the news, and that no rule found the attack comes after it.
			p.Proof[0] = p.Headline + " " + p.Proof[0] + " What was reached is judged apart from findings: from the logs, and from what the facts say of the attacker."
			p.Headline, p.Severity = sentence(c), "medium"
			for _, k := range n {
				if k.Confirmed > 0 {
					p.Severity = "critical"
				}
			}
		}
		return
	}
	p.Severity = class(order[0].Severity)
	var n, active int
	var first, since, last time.Time // since: of the worst
	hosts, accounts := newSet(), newSet()
	for _, in := range order {
		if class(in.Severity) == p.Severity {
			n++
			if !in.First.IsZero() && (since.IsZero() || in.First.Before(since)) {
				since = in.First
			}
		}
		if in.Active {
			active++
		}
		if !in.First.IsZero() && (first.IsZero() || in.First.Before(first)) {
			first = in.First
		}
		if in.Last.After(last) {
			last = in.Last
		}
		hosts.add(in.Hosts)
		accounts.add(in.Accounts)
	}
	switch {
	case len(order) == 1:
		p.Headline = "One incident, " + p.Severity + "."
	case n == len(order):
		p.Headline = number(n) + " incidents, all " + p.Severity + "."
	default:
		p.Headline = number(len(order)) + " incidents, " + number(n) + " of them " + p.Severity + "."
	}
	end := ""
	if c.Window.To != nil {
		end = ", " + stamp(*c.Window.To)
	}
	switch {
	case active == 0:
		p.Active = "No sign of it at the end of the evidence" + end + ". Whether it goes on after that, or where no log looks, is not known."
		p.State = "Not seen at the end of the evidence."
	case len(order) == 1:
		p.Active = "Yes: it was still going on when the logs that show it end."
		p.State = "Still active when its logs end."
	default:
		p.Active = "Yes: " + count(active, "incident was still going on when the logs that show it end.", "incidents were still going on when the logs that show them end.")
		p.State = upperFirst(count(active, "is", "are")) + " still active when their logs end."
	}
	p.ActiveNow = active > 0
	p.Since, p.Until, p.SinceLevel = stamp(since), stamp(last), p.Severity
	if first.Before(since) {
		p.Earliest = stamp(first)
	}
	if d := last.Sub(since); !since.IsZero() && d >= time.Minute {
		p.Lasted = duration(d)
	}
	p.Hosts, p.Accounts = some(hosts.list), some(accounts.list)
	for i, in := range order {
		if i == maxTop {
			p.MoreTop = len(order) - maxTop
			break
		}
		b := inBrief(in)
		if len(p.Top) < maxStories {
			b.Story, b.StoryLeft = story(in)
		}
		p.Top = append(p.Top, b)
	}
}

// isList reports whether a source is a list that people gave with the facts, not evidence.
func isList(s *casefile.Source) bool { return strings.HasPrefix(s.Format, "inventory.") }

// set is names in the order in which they were first met.
type set struct {
	list []string
	seen map[string]bool
}

func newSet() *set { return &set{seen: make(map[string]bool)} }

func (s *set) add(names []string) {
	for _, n := range names {
		if !s.seen[n] {
			s.seen[n] = true
			s.list = append(s.list, n)
		}
	}
}

// nothing is the first screen of a case without incidents.
func (p *page) nothing(c *casefile.Case, total, events int64, sources string) {
	p.Nothing = true
	from := " in " + count(events, "event", "events") + " from " + sources
	at := ""
	if c.Rules.MinLevel != "" {
		at = " at or above " + strings.ToUpper(c.Rules.MinLevel)
	}
	p.Headline = "No finding" + at + from + "."
	if total > 0 {
		p.Headline = count(total, "finding", "findings") + at + from + ", and no incident."
	}
	means := "That is not proof of absence: it means that " + count(c.Rules.Loaded, "rule was applied", "rules were applied") + " to what was read, and nothing more."
	if n := len(c.Rules.Rejected); n > 0 {
		means += " " + upperFirst(count(n, "rule", "rules")) + " could not be used: what they describe was not looked for."
	}
	p.Proof = append(p.Proof, means)
	for _, n := range first(c.Rules.Notes, maxRejected) {
		p.Proof = append(p.Proof, "Correlation "+n+".")
	}
	formats := map[string]int{}
	for i := range c.Sources {
		if s := &c.Sources[i]; s.Format != "" && s.Events > 0 && !isList(s) {
			formats[s.Format]++
		}
	}
	var read []string
	for _, f := range slices.Sorted(maps.Keys(formats)) {
		if len(read) == 20 {
			read = append(read, "others")
			break
		}
		read = append(read, f)
	}
	if len(read) > 0 {
		p.Proof = append(p.Proof, "Read: "+list(read)+". The evidence spans "+p.Evidence+" UTC. What a log did not record, or what happened outside that time, cannot be found in it.")
	} else {
		p.Proof = append(p.Proof, "No event was read at all. Nothing can be concluded from this report.")
	}
	p.Proof = append(p.Proof, "Not read: "+strings.ToLower(p.Unread[:1])+p.Unread[1:])
}

func inBrief(in *casefile.Incident) brief {
	b := brief{
		ID: in.ID, Level: class(in.Severity), Title: cut(in.Title, maxName), Span: span(in.First, in.Last), Stage: cut(in.Stage, maxName),
		Findings: count(in.Findings, "finding", "findings"), Active: in.Active, State: "last seen " + stamp(in.Last),
	}
	if in.Active {
		b.State = "still active"
	}
	hosts := in.Hosts
	if len(hosts) > 3 {
		b.Where = strings.Join(hosts[:3], ", ") + " and " + count(len(hosts)-3, "other", "others")
	} else {
		b.Where = list(hosts)
	}
	b.Where = cut(b.Where, maxName)
	return b
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string(fields.Cut([]byte(s), n)) + "…"
}

func some(all []string) names {
	n := names{}
	for i, s := range all {
		if i == maxNames {
			n.More = len(all) - maxNames
			break
		}
		n.List = append(n.List, cut(s, maxName))
	}
	return n
}

// picture draws the incidents, the most severe above.
func (p *page) picture(order []*casefile.Incident) {
	var rows []row
	for i, in := range order {
		if in.First.IsZero() {
			p.Timeless++
			continue
		}
		if len(rows) == maxLanes {
			p.NotDrawn++
			continue
		}
		r := row{
			label: visible(cut(in.Title, maxName)), level: class(in.Severity), first: in.First, last: later(in.First, in.Last), open: in.Active,
			title: visible(cut(in.Title, maxName)) + ": " + span(in.First, in.Last) + ", " + class(in.Severity),
		}
		if i < maxFull {
			r.href = anchor(i)
		}
		for j := range in.Steps {
			if s := &in.Steps[j]; j < maxSteps && !s.First.IsZero() {
				r.items = append(r.items, stepItem(s))
			}
		}
		if len(r.items) == 0 {
			r.items = append(r.items, item{level: r.level, first: r.first, last: r.last, title: r.title})
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		p.Charts = both("picture", "Timeline of incidents", rows)
	}
}

func both(id, title string, rows []row) []chart {
	return []chart{draw(id+"-w", "wide", title, rows, wide), draw(id+"-n", "narrow", title, rows, narrow)}
}

func later(a, b time.Time) time.Time {
	if b.Before(a) {
		return a
	}
	return b
}

func stepItem(s *casefile.Step) item {
	return item{level: class(s.Rule.Level), first: s.First, last: later(s.First, s.Last),
		title: visible(cut(s.Rule.Title, maxName)) + ": " + span(s.First, s.Last) + ", " + count(s.Count, "time", "times")}
}

func anchor(i int) string { return fmt.Sprintf("i%d", i+1) }

func (p *page) incidents(order []*casefile.Incident) {
	rawLeft := maxRawInAll
	seen := map[string]bool{}
	for i, in := range order {
		seen[class(in.Severity)] = true
		b := inBrief(in)
		switch {
		case i < maxFull:
			b.Anchor = anchor(i)
			if i < len(p.Top) {
				p.Top[i].Anchor = b.Anchor
			}
			p.Incidents = append(p.Incidents, fullIncident(in, b, &rawLeft))
		case i < maxFull+maxBrief:
			p.Brief = append(p.Brief, b)
		default:
			p.Left++
		}
	}
	if len(seen) > 1 && len(order) > 3 {
		for _, l := range levels {
			if seen[l] {
				p.Filter = append(p.Filter, l)
			}
		}
	}
}

// maxStories is how many incidents the first screen tells step by step, and maxStory how many steps of one.
const (
	maxStories = 3
	maxStory   = 12
)

// story returns the gravest steps of an incident in order of time, and how many more there are of those levels.
func story(in *casefile.Incident) (told []storyLine, more int) {
	top := slices.Index(levels[:], class(in.Severity))
	for i := range in.Steps {
		s := &in.Steps[i]
		l := slices.Index(levels[:], class(s.Rule.Level))
		if l < 0 || l > top+1 || l > slices.Index(levels[:], "medium") {
			continue
		}
		if len(told) == maxStory {
			more++
			continue
		}
		told = append(told, storyLine{clock(s.First, in.First), levels[l], cut(s.Rule.Title, maxName)})
	}
	if len(told) < 2 {
		return nil, 0 // the title says it all
	}
	return told, more
}

// clock is the time of day of t, with the date where it is not that of the day before it.
func clock(t, since time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.UTC().Format(time.DateOnly) == since.UTC().Format(time.DateOnly):
		return t.UTC().Format(time.TimeOnly)
	}
	return stamp(t)
}

func fullIncident(in *casefile.Incident, b brief, rawLeft *int) incident {
	v := incident{brief: b, Summary: cut(in.Summary, maxText), First: stamp(in.First), Last: stamp(in.Last), Hosts: some(in.Hosts), Actors: some(in.Actors), Accounts: some(in.Accounts)}
	if d := in.Last.Sub(in.First); !in.First.IsZero() && d >= time.Second {
		v.Lasted = duration(d)
	}
	for i, id := range in.Techniques {
		if i == 40 {
			break
		}
		v.Techniques = append(v.Techniques, newTechnique(id))
	}
	var rows []row
	for i := range in.Steps {
		if i == maxSteps {
			v.StepsLeft = len(in.Steps) - maxSteps
			break
		}
		s := &in.Steps[i]
		v.Steps = append(v.Steps, newStep(s, rawLeft))
		if s.First.IsZero() {
			continue
		}
		it := stepItem(s)
		r := row{label: visible(cut(s.Rule.Title, maxName)), title: it.title, level: it.level, first: it.first, last: it.last, items: []item{it}}
		// The findings that are known one by one; between them the bar says only first and last.
		for j := range s.Evidence {
			if e := &s.Evidence[j]; j < maxEvidence && e.Time.After(it.first) && !e.Time.After(it.last) {
				r.items = append(r.items, item{level: it.level, first: e.Time, last: e.Time, title: stamp(e.Time)})
			}
		}
		rows = append(rows, r)
	}
	if len(rows) > 1 {
		v.Charts = both(b.Anchor+"-c", "Steps of the incident", rows)
	}
	return v
}

// newTechnique takes an ATT&CK technique, T1190 or T1110.003. It is linked only where it is one by its form.
func newTechnique(id string) technique {
	t := technique{ID: cut(id, 40), Name: attack.Name(id)}
	digits := strings.TrimPrefix(id, "T")
	main, sub, hasSub := strings.Cut(digits, ".")
	if digits == id || !isDigits(main, 4) || hasSub && !isDigits(sub, 3) {
		return t
	}
	t.URL = "https://attack.mitre.org/techniques/T" + main + "/"
	if hasSub {
		t.URL += sub + "/"
		if parent := attack.Name("T" + main); parent != "" && t.Name != "" {
			t.Name = parent + ": " + t.Name
		}
	}
	return t
}

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func newStep(s *casefile.Step, rawLeft *int) stepView {
	v := stepView{
		Level: class(s.Rule.Level), Title: cut(s.Rule.Title, maxName), RuleID: cut(s.Rule.ID, maxName), Stage: cut(s.Stage, maxName), First: stamp(s.First), Span: span(s.First, s.Last),
		Count: number(s.Count) + "×", Hosts: some(s.Hosts), Actors: some(s.Actors),
	}
	for _, tag := range s.Rule.Tags {
		if id, ok := strings.CutPrefix(tag, "attack.t"); ok && len(v.Techniques) < 10 && id != "" && '0' <= id[0] && id[0] <= '9' {
			v.Techniques = append(v.Techniques, newTechnique("T"+id))
		}
	}
	for i := range s.Evidence {
		if i == maxEvidence {
			break
		}
		v.Evidence = append(v.Evidence, newEvidence(&s.Evidence[i], rawLeft))
	}
	if left := s.Count - int64(len(v.Evidence)); left > 0 && len(v.Evidence) > 0 {
		v.More = count(left, "more finding of this rule stands in findings.jsonl.", "more findings of this rule stand in findings.jsonl.")
	} else if len(v.Evidence) == 0 {
		v.More = "The records stand in findings.jsonl."
	}
	return v
}

func newEvidence(e *casefile.Evidence, rawLeft *int) evidenceView {
	v := evidenceView{Time: stamp(e.Time), Source: cut(e.Source, 2*maxName), Hash: cut(e.SHA256, 64), Short: e.SHA256}
	if len(v.Short) > 12 {
		v.Short = v.Short[:12]
	}
	v.Place = place(e.Line, e.Record, e.Offset)
	v.Raw = e.Raw
	if len(v.Raw) > maxRaw {
		v.Raw = cut(v.Raw, maxRaw)
		v.Cut = "Cut after " + number(maxRaw) + " bytes."
	}
	if len(v.Raw) > *rawLeft {
		v.Raw, v.Cut, v.Withheld = "", "", true
	}
	*rawLeft -= len(v.Raw)
	return v
}

// seeFindings goes once through all findings and keeps what the table of rules shows.
func (p *page) seeFindings(findings iter.Seq2[*casefile.Finding, error]) {
	if findings == nil {
		return
	}
	seen := map[string]*ruleSeen{}
	var buf []byte
	for f, err := range findings {
		if err != nil {
			p.FindingsErr = err.Error()
			break
		}
		key := f.Rule.ID + "\x00" + f.Rule.Title
		r := seen[key]
		if r == nil {
			r = &ruleSeen{Level: class(f.Rule.Level), Title: cut(f.Rule.Title, maxName), ID: cut(f.Rule.ID, maxName)}
			r.Where = cut(f.Source.Path, 2*maxName)
			if f.Source.Line > 0 {
				r.Where += ", line " + number(f.Source.Line)
			} else if f.Source.Record > 0 {
				r.Where += ", record " + number(f.Source.Record)
			}
			buf = fields.AppendMessage(buf[:0], f.Event, maxText)
			r.Example = string(buf)
			seen[key] = r
		}
		r.Number++
		if f.Time != nil {
			if r.first.IsZero() || f.Time.Before(r.first) {
				r.first = *f.Time
			}
			if f.Time.After(r.last) {
				r.last = *f.Time
			}
		}
		if f.Host != "" && r.Hosts.More == 0 && !slices.Contains(r.Hosts.List, cut(f.Host, maxName)) {
			if len(r.Hosts.List) < 4 {
				r.Hosts.List = append(r.Hosts.List, cut(f.Host, maxName))
			} else {
				r.Hosts.More = 1
			}
		}
	}
	for _, r := range seen {
		r.Count, r.Span = number(r.Number), span(r.first, r.last)
		p.Rules = append(p.Rules, *r)
	}
	slices.SortFunc(p.Rules, func(a, b ruleSeen) int {
		return cmp.Or(cmp.Compare(rank(b.Level), rank(a.Level)), cmp.Compare(b.Number, a.Number), strings.Compare(a.Title, b.Title), strings.Compare(a.ID, b.ID))
	})
	if len(p.Rules) > maxRulesSeen {
		p.RulesLeft = len(p.Rules) - maxRulesSeen
		p.Rules = p.Rules[:maxRulesSeen]
	}
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = cut(cells[i], maxText)
	}
	t.Rows = append(t.Rows, cells)
}

func (t *table) left(n, shown int, file string) {
	if n > shown {
		t.More = number(n-shown) + " more are not shown here: " + file + " has all " + number(n) + "."
	}
}

func first[T any](s []T, n int) []T { return s[:min(len(s), n)] }

func (p *page) tables(c *casefile.Case) {
	p.Sessions.Head = []string{"Session", "Whose", "Accounts", "Addresses", "When", "Why"}
	for i := range first(c.Sessions, maxRows) {
		s := &c.Sessions[i]
		p.Sessions.add(s.ID, s.Attribution, short(s.Accounts), short(s.IPs), span(s.First, s.Last), strings.Join(s.Why, "; "))
	}
	p.Sessions.left(len(c.Sessions), maxRows, casefile.CaseFile)

	p.Powers.Head = []string{"What", "Of", "Opens", "When", "Why"}
	for i := range first(c.Capabilities, maxRows) {
		k := &c.Capabilities[i]
		when := "since " + stamp(k.From)
		if k.To != nil {
			when = span(k.From, *k.To)
		}
		if k.Earliest != nil && k.Earliest.Before(k.From) {
			when += "; perhaps since " + stamp(*k.Earliest)
		}
		if k.Ends != "" {
			when += "; ended by: " + k.Ends
		}
		p.Powers.add(powerKind(k), k.Principal, short(k.Reach), when, strings.Join(k.Why, "; "))
	}
	p.Powers.left(len(c.Capabilities), maxRows, casefile.CaseFile)

	p.Coverage.Head = []string{"Host", "Log", "Account", "Shows", "From – to", "Gaps"}
	for i := range first(c.Coverage, maxRows) {
		v := &c.Coverage[i]
		var gaps []string
		for _, g := range first(v.Gaps, 5) {
			gaps = append(gaps, window(casefile.Window{From: g.From, To: g.To})+" ("+casefile.GapWords(g.Reason)+")")
		}
		if len(v.Gaps) > 5 {
			gaps = append(gaps, count(len(v.Gaps)-5, "other", "others"))
		}
		if v.Beyond != "" {
			gaps = append(gaps, "shows nothing of "+v.Beyond)
		}
		p.Coverage.add(v.Host, v.Stream, v.Principal, v.Level, window(casefile.Window{From: v.From, To: v.To}), strings.Join(gaps, "; "))
	}
	p.Coverage.left(len(c.Coverage), maxRows, casefile.CaseFile)

	p.Problems.Head = []string{"Source", "What could not be read"}
	problems := 0
	for i := range c.Sources {
		if what := problem(&c.Sources[i]); what != "" {
			if problems++; problems <= maxProblems {
				p.Problems.add(c.Sources[i].Path, what)
			}
		}
	}
	p.Problems.left(problems, maxProblems, casefile.CaseFile)

	for i := range first(c.Sources, maxSources) {
		s := &c.Sources[i]
		v := sourceView{
			Path: cut(s.Path, maxText), Kind: cut(s.Format, maxName), Host: cut(s.Host, maxName), Events: number(s.Events), Unread: number(s.Unparsed), Size: size(s.Bytes),
			Span: window(casefile.Window{From: s.From, To: s.To}), Hash: cut(s.SHA256, 64), Notes: strings.Join(s.Notes, "; "),
		}
		if s.Format == "" {
			v.Kind = "not recognised"
		}
		if s.Duplicates > 0 {
			v.Notes = strings.TrimSuffix(count(s.Duplicates, "duplicate left out", "duplicates left out")+"; "+v.Notes, "; ")
		}
		v.Notes = cut(v.Notes, maxText)
		p.Sources = append(p.Sources, v)
	}
	var more table
	more.left(len(c.Sources), maxSources, casefile.CaseFile)
	p.SourcesMore = more.More

	p.Rejected.Head = []string{"Rule", "Why it could not be used"}
	for _, r := range first(c.Rules.Rejected, maxRejected) {
		p.Rejected.add(r.Path, r.Reason)
	}
	p.Rejected.left(len(c.Rules.Rejected), maxRejected, casefile.CaseFile)
}

// powerKind names a power, and says where it is not proven.
func powerKind(k *casefile.Capability) string {
	words := map[string]string{"token": "session or token", "host": "code on a host", "delegation": "rights", "grant": "application", "rule": "forwarding rule"}[k.Kind]
	words = cmp.Or(words, k.Kind)
	if k.Suspected {
		words += ", suspected"
	}
	return words
}

// problem says what of a source could not be read, or "".
func problem(s *casefile.Source) string {
	var what []string
	if s.Format == "" {
		what = append(what, "its kind was not recognised: nothing of it was read")
	}
	if s.Unparsed > 0 {
		what = append(what, count(s.Unparsed, "part could not be read", "parts could not be read"))
	}
	what = append(what, first(s.Errors, maxErrors)...)
	if n := len(s.Errors) - maxErrors; n > 0 {
		what = append(what, count(n, "other reason", "other reasons"))
	}
	return strings.Join(what, "; ")
}

func short(all []string) string {
	n := some(all)
	s := strings.Join(n.List, ", ")
	if n.More > 0 {
		s += " and " + number(n.More) + " more"
	}
	return s
}

// place says where a record stands in its source.
func place(line, record, offset int64) string {
	var parts []string
	if line > 0 {
		parts = append(parts, "line "+number(line))
	}
	if record > 0 && line == 0 {
		parts = append(parts, "record "+number(record))
	}
	return strings.Join(append(parts, "byte "+number(offset)), ", ")
}
