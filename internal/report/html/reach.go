package html

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/input"
)

// What is drawn of what was reached at most; what is left out is counted, and stands in case.json and in reached.csv.
const (
	maxBoxes      = 150     // mailboxes with their proof, and as many other objects
	maxItems      = 25      // of a mailbox
	maxReasons    = 6       // of a mailbox, file, host or credential
	maxProofs     = 4       // of a reason
	maxSettle     = 25      // logs that would settle something
	maxInferences = 60      // rules that verdicts lean on
	maxStatements = 100     // of people
	maxRuledOut   = 200     // mailboxes, by name
	maxReachText  = 1 << 20 // bytes of ids, reasons and proofs on the page
)

// reachView is what the page shows of what was reached.
type reachView struct {
	Any         bool
	Headline    markup
	Short       markup // in a sentence or two
	Counts      []countTable
	Brief       []briefList
	Charts      []barChart
	LanesLeft   []markup
	Mailboxes   boxes
	Others      []boxes
	RuledOut    names
	RuledOutAll markup
	Settle      table
	Practice    markup // which rules are practitioners' knowledge
	Rules       table
	Statements  table
	Notes       []markup

	unverified map[string]bool
	says       map[string]string // of rules
	left       int               // bytes that may still be shown
	lines      *lines
}

// countTable counts the verdicts on kinds of object that are alike.
type countTable struct {
	Head markup
	Rows []countRow
}

// briefList is a few lines of the first screen.
type briefList struct {
	Head markup
	List []markup
	More markup
}

// countRow counts the verdicts on a kind of object.
type countRow struct {
	Kind  markup
	Cells []countCell
	Meta  []markup
	Bars  []share
}

type countCell struct {
	Class, Name, Number string
	None                bool
}

// share is a part of a bar 100 wide.
type share struct{ X, W, Class string }

// boxes is objects of a kind with their proof.
type boxes struct {
	Title markup
	List  []box
	More  markup
}

// box is an object with its proof, and what lies in it.
type box struct {
	ID, Name, Owner, In markup
	Class               string
	Verdict             markup
	Interval            markup
	Span                markup
	Levels              markup
	By                  names
	Channels            []channelView
	Why                 []whyView
	WhyMore             markup
	Settle              markup
	Items               []itemGroup
	ItemsMore           markup
	Withheld            bool
}

type channelView struct{ Content, Why markup }

type whyView struct {
	Rule     string
	Text     markup
	Practice bool
	Proof    []proofView
	More     markup
}

type proofView struct {
	Time, Place markup
	Source      string
	*lineView
}

// itemGroup is messages and folders of a mailbox that are as they are for one reason.
type itemGroup struct {
	Class   string
	Verdict markup
	Rule    string
	Why     markup
	List    []itemView
}

// itemView is a message or folder of a mailbox in a line.
type itemView struct {
	Kind, ID, Name markup
	Span           markup
	Proof          []proofView
}

// kinds are the kinds of object in the order in which they are told.
var kinds = [...]string{"mailbox", "message", "folder", "file", casefile.KindShell, "host", "credential"}

// verdictClass is a verdict as the name of a class, never a text from outside.
func verdictClass(v string) string {
	switch v {
	case casefile.Confirmed, casefile.RuledOut:
		return v
	}
	return casefile.Possible
}

// worth orders verdicts: the graver, the higher.
func worth(r *casefile.Reached) int {
	v := 0
	switch verdictClass(r.Verdict) {
	case casefile.Possible:
		v = 1
	case casefile.Confirmed:
		v = 2
	}
	switch r.Exposure {
	case "metadata":
		return v // below everything that concerns content
	case "partial":
		return 3*v + 2 + 2*min(v, 1)
	case "content":
		return 3*v + 3 + 2*min(v, 1)
	}
	return 3*v + 2*min(v, 1)
}

func (s *say) verdict(v string) lang.Words { return s.w("verdict." + verdictClass(v)) }

// verdictWords is a verdict with its exposure, for people.
func (s *say) verdictWords(r *casefile.Reached) markup {
	v := verdictClass(r.Verdict)
	if v == casefile.RuledOut || r.Object.Kind == "host" || r.Object.Kind == "credential" || r.IsShell() {
		return s.verdict(v).HTML()
	}
	exposure := "none"
	switch r.Exposure {
	case "content", "partial", "metadata":
		exposure = r.Exposure
	}
	return s.t("page.verdict", "verdict", s.verdict(v), "exposure", s.w("exposure."+exposure))
}

// reach builds what the page shows of what was reached.
func (p *page) reach(in *input.Input, lines *lines) error {
	c, v := in.Case, &p.Reach
	v.left, v.lines = maxReachText, lines
	v.unverified, v.says = make(map[string]bool), make(map[string]string)
	for i := range c.Inferences {
		v.says[c.Inferences[i].Name] = c.Inferences[i].Says
		if !c.Inferences[i].Verified {
			v.unverified[c.Inferences[i].Name] = true
		}
	}
	g, err := gather(in.Reached)
	if err != nil {
		return err
	}
	v.Any = g.all > 0
	p.counts(c, g)
	p.lanes(c)
	p.brief(c, g)
	p.objects(g)
	p.settle(g)
	p.inferences(c)
	v.Statements.Cols = p.cols("stated", "by", "when", "reason")
	for i := range first(c.Statements, maxStatements) {
		s := &c.Statements[i]
		when := markup("")
		if s.Time != nil {
			when = p.at(*s.Time)
		}
		v.Statements.add(p.name(s.About), p.name(s.Author), when, p.name(s.Reason))
	}
	p.left(&v.Statements, len(c.Statements), maxStatements, casefile.CaseFile)
	for _, n := range first(c.Notes, maxStatements) {
		v.Notes = append(v.Notes, p.phrase(n))
	}
	return nil
}

func (p *page) counts(c *casefile.Case, g *gathered) {
	v := &p.Reach
	v.Headline = p.t("page.reached.nobody")
	for _, k := range [...]string{"mailbox", "message", "folder", "file", "shell", "host", "credential"} {
		n, ok := c.Summary.Reached[k]
		all := n.Confirmed + n.Possible + n.RuledOut
		if !ok || all <= 0 {
			continue
		}
		row := countRow{Kind: p.t("page.kinds." + k)}
		if n.MetadataConfirmed > 0 {
			row.Meta = append(row.Meta, p.t("page.metadata.confirmed", "n", n.MetadataConfirmed))
		}
		if n.MetadataPossible > 0 {
			row.Meta = append(row.Meta, p.t("page.metadata.possible", "n", n.MetadataPossible))
		}
		x := 0.0
		for _, part := range [...]struct {
			n     int64
			class string
		}{{n.Confirmed, casefile.Confirmed}, {n.Possible, casefile.Possible}, {n.RuledOut, casefile.RuledOut}} {
			number := p.num(part.n)
			if least := n.ConfirmedLeast(); part.class == casefile.Confirmed && least < n.Confirmed {
				number = "\u2066" + p.num(least) + "–" + p.num(n.Confirmed) + "\u2069" // from left to right
			}
			row.Cells = append(row.Cells, countCell{part.class, p.verdict(part.class).Text(), number, part.n <= 0})
			if part.n <= 0 {
				continue
			}
			w := float64(part.n) / float64(all) * 100
			row.Bars = append(row.Bars, share{px(x), px(max(w, 0.6)), part.class})
			x += w
		}
		head := p.t("page.content_of")
		if k == "host" || k == "credential" || k == "shell" {
			head = p.t("page.in_hands")
		}
		if n := len(v.Counts); n == 0 || v.Counts[n-1].Head != head {
			v.Counts = append(v.Counts, countTable{Head: head})
		}
		t := &v.Counts[len(v.Counts)-1]
		t.Rows = append(t.Rows, row)
	}
	if v.Any {
		v.Headline = ""
		if len(v.Counts) == 0 {
			v.Headline = p.t("page.verdicts", "n", g.all)
		}
	}
}

// spend reports whether so many bytes more may be shown.
func (v *reachView) spend(texts ...string) bool {
	for _, s := range texts {
		v.left -= min(len(s), maxText)
	}
	return v.left > 0
}

func (p *page) objects(g *gathered) {
	v := &p.Reach
	v.Mailboxes.Title = p.t("page.kinds.mailbox")
	for _, m := range g.mailboxes {
		v.Mailboxes.List = append(v.Mailboxes.List, p.mailbox(m))
	}
	if g.mailboxesLeft > 0 {
		v.Mailboxes.More = p.t("page.reached.left.mailboxes", "n", g.mailboxesLeft, "file", p.val(casefile.ReachedFile))
	}
	for _, id := range g.ruledOut {
		v.RuledOut.List = append(v.RuledOut.List, p.ident(cut(id, maxName)))
	}
	if n := g.ruledOutAll - int64(len(g.ruledOut)); n > 0 {
		v.RuledOut.More = p.t("page.more", "n", n)
	}
	if g.ruledOutAll > 0 {
		v.RuledOutAll = p.l.Count("count.mailbox", g.ruledOutAll).HTML()
	}
	for _, k := range g.kinds {
		title := p.t("page.others")
		if k.kind == casefile.KindShell {
			title = p.t("page.shells") // of which some may not have been used
		} else if slices.Contains(kinds[:], k.kind) {
			title = p.t("page.kinds." + k.kind)
		}
		b := boxes{Title: title}
		for _, r := range k.list {
			b.List = append(b.List, p.box(r))
		}
		if k.left > 0 {
			b.More = p.t("page.reached.left", "n", k.left, "file", p.val(casefile.ReachedFile))
		}
		v.Others = append(v.Others, b)
	}
}

func (p *page) mailbox(g *group) box {
	v := &p.Reach
	b := box{ID: p.ident(cut(g.id, maxName)), Class: casefile.Possible, Verdict: p.t("page.not_judged")}
	if g.r != nil {
		b = p.box(g.r)
	}
	for _, r := range g.items {
		if !v.spend(r.Object.ID, r.Object.Name) {
			g.more[verdictClass(r.Verdict)]++
			continue
		}
		it := itemView{ID: p.val(cut(r.Object.ID, maxName)), Name: p.name(cut(r.Object.Name, maxName)), Span: p.when(r)}
		if it.ID == "" {
			it.ID = p.t("page.no_id")
		}
		if r.Object.Kind == "folder" {
			it.Kind = p.t("object.folder")
		}
		ig := itemGroup{Class: verdictClass(r.Verdict), Verdict: p.verdictWords(r)}
		if len(r.Why) > 0 {
			why := &r.Why[0]
			ig.Rule = cut(why.Rule, maxName)
			text := why.Text
			// What the rule says is said once for all that it is the reason of; when and where is said of each.
			if says := v.says[why.Rule]; says != "" && strings.HasPrefix(text, says) {
				text = says
			}
			ig.Why = p.phrase(text)
			it.Proof, _ = p.proofs(why.Evidence, 1)
		}
		if n := len(b.Items); n == 0 || b.Items[n-1].Class != ig.Class || b.Items[n-1].Verdict != ig.Verdict || b.Items[n-1].Why != ig.Why || b.Items[n-1].Rule != ig.Rule {
			b.Items = append(b.Items, ig)
		}
		last := &b.Items[len(b.Items)-1]
		last.List = append(last.List, it)
	}
	var more []lang.Words
	for _, k := range [...]string{casefile.Confirmed, casefile.Possible, casefile.RuledOut} {
		if n := g.more[k]; n > 0 {
			more = append(more, p.w("page.count_verdict", "n", lang.Value(p.num(n)), "verdict", p.verdict(k)))
		}
	}
	if len(more) > 0 {
		b.ItemsMore = p.t("page.items.left", "what", p.l.List(more), "file", p.val(casefile.ReachedFile))
	}
	return b
}

// when is when an object was reached, "" if that is not known.
func (s *say) when(r *casefile.Reached) markup {
	switch {
	case r.First == nil && r.Last == nil:
		return ""
	case r.First == nil:
		return s.at(*r.Last)
	case r.Last == nil:
		return s.at(*r.First)
	}
	return s.span(*r.First, *r.Last)
}

func (p *page) box(r *casefile.Reached) box {
	v, o := &p.Reach, &r.Object
	b := box{ID: p.ident(cut(o.ID, maxName)), Name: p.name(cut(o.Name, maxName)), Owner: p.name(cut(o.Owner, maxName)), In: p.ident(cut(o.In, maxName)), Class: verdictClass(r.Verdict), Verdict: p.verdictWords(r),
		Interval: p.interval(r), Span: p.when(r), Levels: p.levelWords(r), By: p.some(r.By, p.val)}
	if o.Name == o.Owner {
		b.Name = ""
	}
	if !v.spend(o.ID, o.Name, o.Owner, o.In, r.Settle) {
		b.Withheld = true
		return b
	}
	b.Settle = p.phrase(r.Settle)
	for i := range first(r.Channels, 20) {
		k := &r.Channels[i]
		b.Channels = append(b.Channels, channelView{"<b>" + p.val(cut(k.Channel, maxName)) + "</b> " + p.verdict(k.Content).HTML(), p.phrase(k.Why)})
	}
	for i := range first(r.Why, maxReasons) {
		why := &r.Why[i]
		w := whyView{Rule: cut(why.Rule, maxName), Practice: v.unverified[why.Rule]}
		if !v.spend(w.Rule, why.Text) {
			break
		}
		w.Text = p.phrase(why.Text)
		var more int
		if w.Proof, more = p.proofs(why.Evidence, maxProofs); more > 0 {
			w.More = p.t("page.records.left", "n", more, "file", p.val(casefile.CaseFile))
		}
		b.Why = append(b.Why, w)
	}
	if more := len(r.Why) - len(b.Why); more > 0 {
		b.WhyMore = p.t("page.reasons.left", "n", more, "file", p.val(casefile.CaseFile))
	}
	return b
}

func (p *page) proofs(list []casefile.Proof, most int) (out []proofView, more int) {
	v := &p.Reach
	for i := range first(list, most) {
		k := &list[i]
		if !v.spend(k.Source) {
			break
		}
		pv := proofView{Source: cut(k.Source, 2*maxName), Place: p.place(k.Line, k.Record, k.Offset), lineView: v.lines.want(k)}
		if k.Time != nil {
			pv.Time = p.at(*k.Time)
		}
		out = append(out, pv)
	}
	return out, len(list) - len(out)
}

// interval says how many messages were reached, of what contains some.
func (s *say) interval(r *casefile.Reached) markup {
	if k := r.Object.Kind; k != "mailbox" && k != "folder" && k != "site" {
		return ""
	}
	if r.Upper < 0 && r.Lower <= 0 {
		return s.t("page.interval.unknown")
	}
	upper := r.Upper
	if upper < 0 {
		upper = -1
	}
	return s.l.BetweenOf("count.message", max(r.Lower, 0), upper).HTML()
}

// levelWords says the verdict on each level of exposure.
func (s *say) levelWords(r *casefile.Reached) markup {
	var parts []lang.Words
	for _, l := range [...][2]string{{"content", r.Levels.Content}, {"partial", r.Levels.Partial}, {"metadata", r.Levels.Metadata}} {
		if l[1] != "" {
			parts = append(parts, s.w("page.verdict", "verdict", s.w("exposure."+l[0]), "exposure", s.verdict(l[1])))
		}
	}
	var out []markup
	for _, w := range parts {
		out = append(out, w.HTML())
	}
	return join(out, " · ")
}

// settle shows the logs that would settle what is open.
func (p *page) settle(g *gathered) {
	v := &p.Reach
	v.Settle.Cols = p.cols("find", "bears")
	b := briefList{Head: p.t("page.head.settle")}
	for i, o := range first(g.settle, maxSettle) {
		text := p.phrase(upperFirst(o.log))
		v.Settle.add(text, p.t("page.verdicts", "n", o.n))
		if i < maxBriefLines {
			b.List = append(b.List, text)
		}
	}
	if len(g.settle) > 0 {
		if n := g.settleAll - len(b.List); n > 0 {
			b.More = p.t("page.more.below", "n", n)
		}
		v.Brief = append(v.Brief, b)
	}
	p.left(&v.Settle, g.settleAll, maxSettle, casefile.ReachedFile)
}

// inferences lists the rules of inference that verdicts lean on; those that are not verified come first.
func (p *page) inferences(c *casefile.Case) {
	v := &p.Reach
	var used []*casefile.Inference
	unverified := 0
	for i := range c.Inferences {
		if c.Inferences[i].Verdicts > 0 {
			used = append(used, &c.Inferences[i])
			if !c.Inferences[i].Verified {
				unverified++
			}
		}
	}
	slices.SortStableFunc(used, func(a, b *casefile.Inference) int {
		switch {
		case a.Verified != b.Verified && b.Verified:
			return -1
		case a.Verified != b.Verified:
			return 1
		}
		return cmp.Or(cmp.Compare(b.Verdicts, a.Verdicts), strings.Compare(a.Name, b.Name))
	})
	v.Rules.Cols = p.cols("inference", "says", "known", "verdicts")
	for _, k := range first(used, maxInferences) {
		from := p.t("page.practice")
		if k.Verified {
			from = p.t("page.verified")
		}
		if k.Source != "" {
			from = p.t("page.known", "how", from, "source", p.name(k.Source))
		}
		v.Rules.add(p.valOf("id", cut(k.Name, maxName)), p.phrase(k.Says), from, markup(p.num(k.Verdicts)))
	}
	p.left(&v.Rules, len(used), maxInferences, casefile.CaseFile)
	if len(used) > 0 {
		v.Practice = p.t("page.rules.verified")
		if unverified > 0 {
			v.Practice = p.t("page.rules.practice", "n", unverified)
		}
	}
}

// upperFirst begins a sentence of the case with a capital.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
