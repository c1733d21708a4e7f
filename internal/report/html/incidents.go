package html

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/fields"
)

type incident struct {
	brief
	Summary    markup
	First      markup
	Lasted     markup
	Techniques []technique
	Hosts      names
	Actors     names
	Accounts   names
	Charts     []chart
	Steps      []stepView
	StepsLeft  int
}

type technique struct {
	ID   string
	Name markup
	URL  string
}

type stepView struct {
	Level         string
	Title         markup
	RuleID        string
	Stage         markup
	First, Span   markup
	Count         markup
	Hosts, Actors names
	Techniques    []technique
	Evidence      []evidenceView
	More          markup // of its findings are not shown
}

type evidenceView struct {
	Time, Place markup
	Source      string
	Short       string // the first digits of its hash
	lineView
}

type ruleSeen struct {
	Level           string
	Title           markup
	title, ID       string
	number          int64
	Count           markup
	Span            markup
	hosts           []string
	Hosts           names
	first, last     time.Time
	source          casefile.Position
	Source, Example string
	Place           markup
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
		words := p.phraseWords(cut(in.Title, maxName))
		label := p.plain(words)
		last := later(in.First, in.Last)
		r := row{
			label: label, level: class(in.Severity), first: in.First, last: last, open: in.Active,
			title: p.plain(p.w("page.shape.incident", "title", words, "span", p.spanText(in.First, last), "level", p.w("level."+class(in.Severity)))),
		}
		if i < maxFull {
			r.href = anchor(i)
		}
		for j := range in.Steps {
			if s := &in.Steps[j]; j < maxSteps && !s.First.IsZero() {
				r.items = append(r.items, p.stepItem(s))
			}
		}
		if len(r.items) == 0 {
			r.items = append(r.items, item{level: r.level, first: r.first, last: r.last, title: r.title})
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		p.Charts = p.both("picture", p.l.Text("page.chart.incidents"), rows)
	}
}

func later(a, b time.Time) time.Time {
	if b.Before(a) {
		return a
	}
	return b
}

func (p *page) stepItem(s *casefile.Step) item {
	last := later(s.First, s.Last)
	return item{level: class(s.Rule.Level), first: s.First, last: last,
		title: p.plain(p.w("page.shape.step", "title", p.l.RuleTitle(cut(s.Rule.Title, maxName)), "span", p.spanText(s.First, last), "count", p.w("page.times", "n", s.Count)))}
}

func anchor(i int) string { return fmt.Sprintf("i%d", i+1) }

func (p *page) incidents(order []*casefile.Incident) {
	lines := newLines(nil)
	seen := map[string]bool{}
	for i, in := range order {
		seen[class(in.Severity)] = true
		b := p.inBrief(in)
		switch {
		case i < maxFull:
			b.Anchor = anchor(i)
			if i < len(p.Top) {
				p.Top[i].Anchor = b.Anchor
			}
			p.Incidents = append(p.Incidents, p.fullIncident(in, b, lines))
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

func (p *page) fullIncident(in *casefile.Incident, b brief, lines *lines) incident {
	v := incident{brief: b, Summary: p.phrase(in.Summary), First: p.at(in.First), Hosts: p.some(in.Hosts, p.val), Actors: p.some(in.Actors, p.ident), Accounts: p.some(in.Accounts, p.ident)}
	if d := in.Last.Sub(in.First); !in.First.IsZero() && d >= time.Second {
		v.Lasted = p.l.Duration(d).HTML()
	}
	for _, id := range first(in.Techniques, 40) {
		v.Techniques = append(v.Techniques, p.technique(id))
	}
	var rows []row
	for i := range in.Steps {
		if i == maxSteps {
			v.StepsLeft = len(in.Steps) - maxSteps
			break
		}
		s := &in.Steps[i]
		v.Steps = append(v.Steps, p.step(s, lines))
		if s.First.IsZero() {
			continue
		}
		it := p.stepItem(s)
		r := row{label: p.plain(p.l.RuleTitle(cut(s.Rule.Title, maxName))), title: it.title, level: it.level, first: it.first, last: it.last, items: []item{it}}
		// The findings that are known one by one; between them the bar says only first and last.
		for j := range s.Evidence {
			if e := &s.Evidence[j]; j < maxEvidence && e.Time.After(it.first) && !e.Time.After(it.last) {
				r.items = append(r.items, item{level: it.level, first: e.Time, last: e.Time, title: p.plain(p.spanText(e.Time, e.Time))})
			}
		}
		rows = append(rows, r)
	}
	if len(rows) > 1 {
		v.Charts = p.both(b.Anchor+"-c", p.l.Text("page.chart.steps"), rows)
	}
	return v
}

// technique takes an ATT&CK technique, T1190 or T1110.003. It is linked only where it is one by its form.
func (s *say) technique(id string) technique {
	t := technique{ID: cut(id, 40)}
	if name := attack.Name(id); name != "" {
		t.Name = s.l.Technique(name).HTML() // a name of MITRE’s, which stays English where it has no other
	}
	digits := strings.TrimPrefix(id, "T")
	main, sub, hasSub := strings.Cut(digits, ".")
	if digits == id || !isDigits(main, 4) || hasSub && !isDigits(sub, 3) {
		return t
	}
	t.URL = "https://attack.mitre.org/techniques/T" + main + "/"
	if hasSub {
		t.URL += sub + "/"
		if parent := attack.Name("T" + main); parent != "" && t.Name != "" {
			t.Name = s.t("page.sub", "of", s.l.Technique(parent), "name", t.Name)
		}
	}
	return t
}

func isDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func (p *page) step(s *casefile.Step, lines *lines) stepView {
	v := stepView{
		Level: class(s.Rule.Level), Title: p.rule(s.Rule.Title), RuleID: cut(s.Rule.ID, maxName), Stage: p.stage(s.Stage), First: p.at(s.First), Span: p.span(s.First, s.Last),
		Count: p.times(s.Count), Hosts: p.some(s.Hosts, p.val), Actors: p.some(s.Actors, p.ident),
	}
	for _, tag := range s.Rule.Tags {
		if id, ok := strings.CutPrefix(tag, "attack.t"); ok && len(v.Techniques) < 10 && id != "" && '0' <= id[0] && id[0] <= '9' {
			v.Techniques = append(v.Techniques, p.technique("T"+id))
		}
	}
	for i := range first(s.Evidence, maxEvidence) {
		e := &s.Evidence[i]
		v.Evidence = append(v.Evidence, evidenceView{Time: p.at(e.Time), Source: cut(e.Source, 2*maxName), Place: p.place(e.Line, e.Record, e.Offset), Short: first12(e.SHA256), lineView: lines.show(e.Raw)})
	}
	if left := s.Count - int64(len(v.Evidence)); left > 0 && len(v.Evidence) > 0 {
		v.More = p.t("page.step.more", "n", left, "file", p.val(casefile.FindingsFile))
	} else if len(v.Evidence) == 0 {
		v.More = p.t("page.step.none", "file", p.val(casefile.FindingsFile))
	}
	return v
}

func first12(s string) string { return s[:min(len(s), 12)] }

// times is how often: 17×.
func (s *say) times(n int64) markup { return s.valOf("", s.num(n)+"×") }

// seeFindings goes once through all findings, keeps what the table of rules shows, and fills in the lines that proofs name.
func (p *page) seeFindings(findings iter.Seq2[*casefile.Finding, error], lines *lines) {
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
		lines.see(f)
		key := f.Rule.ID + "\x00" + f.Rule.Title
		r := seen[key]
		if r == nil {
			r = &ruleSeen{Level: class(f.Rule.Level), title: cut(f.Rule.Title, maxName), ID: cut(f.Rule.ID, maxName), source: f.Source, Source: cut(f.Source.Path, 2*maxName)}
			buf = fields.AppendMessage(buf[:0], f.Event, maxText)
			r.Example = string(buf)
			seen[key] = r
		}
		r.number++
		if f.Time != nil {
			if r.first.IsZero() || f.Time.Before(r.first) {
				r.first = *f.Time
			}
			if f.Time.After(r.last) {
				r.last = *f.Time
			}
		}
		if f.Host != "" && len(r.hosts) <= maxNames && !slices.Contains(r.hosts, cut(f.Host, maxName)) {
			r.hosts = append(r.hosts, cut(f.Host, maxName))
		}
	}
	for _, r := range seen {
		p.Rules = append(p.Rules, *r)
	}
	slices.SortFunc(p.Rules, func(a, b ruleSeen) int {
		return cmp.Or(cmp.Compare(rank(b.Level), rank(a.Level)), cmp.Compare(b.number, a.number), strings.Compare(a.title, b.title), strings.Compare(a.ID, b.ID))
	})
	if len(p.Rules) > maxRulesSeen {
		p.RulesLeft = len(p.Rules) - maxRulesSeen
		p.Rules = p.Rules[:maxRulesSeen]
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		r.Title, r.Count, r.Span = p.rule(r.title), p.times(r.number), p.span(r.first, r.last)
		r.Place = p.place(r.source.Line, r.source.Record, r.source.Offset)
		r.Hosts = p.some(first(r.hosts, maxNames), p.val)
		if len(r.hosts) > maxNames {
			r.Hosts.More = p.t("page.others")
		}
	}
}
