package html

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
)

// What is drawn at most. A page has to open in a browser whatever the case; what is left out is counted on the page, and
// stands in case.json, findings.jsonl and reached.csv.
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
	maxRows      = 300 // of sessions, capabilities, coverage
)

// page is what the template shows.
type page struct {
	*say
	Tag, Dir         string
	StyleHash        string
	Title            string // of the window
	Version          string
	Marking, Meaning markup
	marking          string
	Organisation     markup
	Evidence         markup // the time it spans
	Foreign          markup // how much is in English only

	Headline      markup
	State         markup // of the incidents at the end of the evidence
	Nothing       bool
	Proof         []markup // what a page without findings can and cannot say
	Severity      string
	Top           []brief
	MoreTop       int
	Hosts         names
	Accounts      names
	Since, Until  markup
	SinceLevel    markup
	Earliest      markup // of less severe incidents, where that is before Since
	Lasted        markup
	Active        markup
	ActiveNow     bool
	Levels        []levelCount
	Unread        []markup
	UnreadAny     bool
	RulesLine     []markup
	RulesRejected bool
	Reach         reachView
	Owed          owedView

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
	Sources     table
	Rejected    table
	RulesNotes  []markup
}

type levelCount struct {
	Level  string
	Number string
}

// column is a column of a table: Key is its class, Name its heading.
type column struct{ Key, Name string }

// table is rows of cells for a section that may be empty.
type table struct {
	Cols []column
	Rows [][]markup
	More markup
}

// cols names the columns of a table: the message page.col.KEY.
func (s *say) cols(keys ...string) []column {
	out := make([]column, len(keys))
	for i, k := range keys {
		out[i] = column{k, s.l.Text("page.col." + k)}
	}
	return out
}

func (t *table) add(cells ...markup) { t.Rows = append(t.Rows, cells) }

// left says how many rows are not shown, and which file has them.
func (s *say) left(t *table, n, shown int, file string) {
	if n > shown {
		t.More = s.t("page.left", "n", n-shown, "file", s.val(file), "all", n)
	}
}

func first[T any](s []T, n int) []T { return s[:min(len(s), n)] }

// build computes the page. It changes nothing in the case.
func build(in *input.Input, s *say) (*page, error) {
	c := in.Case
	p := &page{say: s, Version: c.Barid.Version, Tag: s.l.Tag(), Dir: s.l.Dir()}
	if c.Organisation != nil {
		p.Organisation = s.name(cut(c.Organisation.Name, maxName))
	}
	p.Evidence = s.window(c.Window.From, c.Window.To)
	marking := c.Marking()
	id := "tlp." + strings.ReplaceAll(marking.Name(), "+", "_")
	p.marking = marking.String()
	p.Marking, p.Meaning = s.val(p.marking), s.t(id+".meaning")

	order := make([]*casefile.Incident, len(c.Incidents))
	for i := range c.Incidents {
		order[i] = &c.Incidents[i]
	}
	slices.SortStableFunc(order, func(a, b *casefile.Incident) int {
		return cmp.Or(cmp.Compare(rank(b.Severity), rank(a.Severity)), compareActive(a, b), a.First.Compare(b.First), strings.Compare(a.ID, b.ID))
	})

	lines := newLines(in.Records)
	if err := p.reach(in, lines); err != nil {
		return nil, err
	}
	p.firstScreen(c, order)
	p.owed(c)
	p.picture(order)
	p.incidents(order)
	p.seeFindings(in.Findings, lines)
	p.tables(c)
	if n := len(s.english); n > 0 {
		p.Foreign = s.t("page.foreign", "n", n)
	}
	title := s.plain(s.headlineWords(c, order))
	if c.Organisation != nil && c.Organisation.Name != "" {
		title = visible(cut(c.Organisation.Name, maxName)) + ": " + title
	}
	p.Title = title + " · " + s.l.Text("page.title")
	return p, nil
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
