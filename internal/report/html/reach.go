package html

import (
	"cmp"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
)

// What is drawn of what was reached at most; what is left out is counted, and stands in case.json and in the CSV.
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
	Headline    string
	Short       string // in a sentence or two
	Counts      []countTable
	Brief       []briefList
	Charts      []barChart
	LanesLeft   string
	Mailboxes   boxes
	Others      []boxes
	RuledOut    names
	Settle      table
	Practice    string // which rules are practitioners' knowledge
	Rules       table
	Statements  table
	Notes       []string
	unverified  map[string]bool
	says        map[string]string // of rules
	left        int               // bytes that may still be shown
	RuledOutAll string
}

// countTable counts the verdicts on kinds of object that are alike.
type countTable struct {
	Head string
	Rows []countRow
}

// briefList is a few lines of the first screen.
type briefList struct {
	Head string
	List []string
	More string
}

// countRow counts the verdicts on a kind of object.
type countRow struct {
	Kind                          string
	Confirmed, Possible, RuledOut string
	Metadata                      string
	Bars                          []share
}

// share is a part of a bar 100 wide.
type share struct{ X, W, Class string }

// boxes is objects of a kind with their proof.
type boxes struct {
	Title string
	List  []box
	More  string
}

// box is an object with its proof, and what lies in it.
type box struct {
	ID, Name, Owner, In string
	Class, Verdict      string
	Interval            string
	Span                string
	Levels              string
	By                  names
	Channels            []channelView
	Why                 []whyView
	WhyMore             string
	Settle              string
	Items               []itemGroup
	ItemsMore           string
	Withheld            bool
}

type channelView struct{ Channel, Content, Why string }

type whyView struct {
	Rule, Text string
	Practice   bool
	Proof      []proofView
	More       string
}

type proofView struct{ Time, Source, Place string }

// itemGroup is messages and folders of a mailbox that are as they are for one reason.
type itemGroup struct {
	Class, Verdict string
	Rule, Why      string
	List           []itemView
}

// itemView is a message or folder of a mailbox in a line.
type itemView struct {
	Kind, ID, Name string
	Span           string
	Proof          []proofView
}

// kinds are the kinds of object in the order in which they are told: one, several.
var kinds = [...][2]string{{"mailbox", "Mailboxes"}, {"message", "Messages"}, {"folder", "Folders"}, {"file", "Files"}, {"host", "Hosts"}, {"credential", "Credentials"}}

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

// verdictWords is a verdict with its exposure, for people.
func verdictWords(r *casefile.Reached) string {
	switch verdictClass(r.Verdict) {
	case casefile.RuledOut:
		return "ruled out"
	case casefile.Confirmed, casefile.Possible:
		if r.Object.Kind == "host" || r.Object.Kind == "credential" {
			return verdictClass(r.Verdict)
		}
	}
	switch verdictClass(r.Verdict) {
	case casefile.Confirmed:
		return strings.TrimSpace("confirmed: " + exposureWords(r.Exposure))
	}
	return strings.TrimSpace("possible: " + exposureWords(r.Exposure))
}

func exposureWords(x string) string {
	switch x {
	case "content":
		return "content"
	case "partial":
		return "part of the content"
	case "metadata":
		return "metadata only"
	}
	return "no content"
}

// reach builds what the page shows of what was reached.
func (p *page) reach(c *casefile.Case) {
	v := &p.Reach
	v.Any, v.left = len(c.Reached) > 0, maxReachText
	v.unverified, v.says = make(map[string]bool), make(map[string]string)
	for i := range c.Inferences {
		v.says[c.Inferences[i].Name] = c.Inferences[i].Says
		if !c.Inferences[i].Verified {
			v.unverified[c.Inferences[i].Name] = true
		}
	}
	v.counts(c)
	v.charts(c)
	v.brief(c)
	v.objects(c)
	v.settle(c)
	v.rules(c)
	v.Statements.Head = []string{"Stated", "By", "When", "Reason"}
	for i := range first(c.Statements, maxStatements) {
		s := &c.Statements[i]
		when := ""
		if s.Time != nil {
			when = stamp(*s.Time)
		}
		v.Statements.add(s.About, s.Author, when, s.Reason)
	}
	v.Statements.left(len(c.Statements), maxStatements, casefile.CaseFile)
	for _, n := range first(c.Notes, maxStatements) {
		v.Notes = append(v.Notes, cut(n, maxText))
	}
}

func (v *reachView) counts(c *casefile.Case) {
	var said []string
	shells := webShells(c)
	for _, k := range [...][2]string{kinds[0], kinds[1], kinds[2], kinds[3], {"shell", "Web shells used"}, kinds[4], kinds[5]} {
		n, ok := c.Summary.Reached[k[0]]
		switch k[0] {
		case "file":
			n = withoutShells(n, shells)
		case "shell":
			n, ok = shells, true
		}
		all := n.Confirmed + n.Possible + n.RuledOut
		if !ok || all <= 0 {
			continue
		}
		row := countRow{Kind: k[1], Confirmed: number(n.Confirmed), Possible: number(n.Possible), RuledOut: number(n.RuledOut)}
		var meta []string
		if n.MetadataConfirmed > 0 {
			meta = append(meta, "of "+number(n.MetadataConfirmed)+" the metadata was reached")
		}
		if n.MetadataPossible > 0 {
			meta = append(meta, "of "+number(n.MetadataPossible)+" the metadata may have been")
		}
		row.Metadata = upperFirst(list(meta))
		x := 0.0
		for _, part := range [...]struct {
			n     int64
			class string
		}{{n.Confirmed, casefile.Confirmed}, {n.Possible, casefile.Possible}, {n.RuledOut, casefile.RuledOut}} {
			if part.n <= 0 {
				continue
			}
			w := float64(part.n) / float64(all) * 100
			row.Bars = append(row.Bars, share{px(x), px(max(w, 0.6)), part.class})
			x += w
		}
		head := "Content of"
		if k[0] == "host" || k[0] == "credential" || k[0] == "shell" {
			head, row.Kind = "In the attacker’s hands", k[1]
			if k[0] == "host" {
				row.Kind = "Servers attacked with success"
			}
			if k[0] == "credential" {
				row.Kind = "Accounts (password or token)"
			}
		}
		if n := len(v.Counts); n == 0 || v.Counts[n-1].Head != head {
			v.Counts = append(v.Counts, countTable{Head: head})
		}
		t := &v.Counts[len(v.Counts)-1]
		t.Rows = append(t.Rows, row)
		said = append(said, k[1]+": "+tally(n)+".")
	}
	v.Headline = "Nothing in the evidence or the facts ties a mailbox, message, file, host or credential to an attacker, so there is no verdict on any. That is not proof that none was reached."
	if v.Any {
		v.Headline = strings.Join(said, " ")
		if len(said) == 0 {
			v.Headline = count(len(c.Reached), "verdict", "verdicts") + "."
		}
	}
}

// tally is counts of verdicts in words.
func tally(n casefile.VerdictCounts) string {
	var parts []string
	for _, p := range [...]struct {
		n    int64
		word string
	}{{n.Confirmed, "confirmed"}, {n.Possible, "possible"}, {n.RuledOut, "ruled out"}} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}

// spend reports whether so many bytes more may be shown.
func (v *reachView) spend(texts ...string) bool {
	for _, s := range texts {
		v.left -= min(len(s), maxText)
	}
	return v.left > 0
}

// group is an object that contains others, and those that will be shown of it.
type group struct {
	r     *casefile.Reached // nil if there is no verdict on it as a whole
	id    string
	items []*casefile.Reached // the gravest, in order
	more  map[string]int64    // of the others, by verdict
}

func compareReached(a, b *casefile.Reached) int {
	return cmp.Or(cmp.Compare(worth(b), worth(a)), strings.Compare(a.Object.Kind, b.Object.Kind), strings.Compare(a.Object.ID, b.Object.ID))
}

// add takes what lies in the object.
func (g *group) add(r *casefile.Reached) {
	if len(g.items) == maxItems && compareReached(r, g.items[maxItems-1]) >= 0 {
		g.more[verdictClass(r.Verdict)]++
		return
	}
	i, _ := slices.BinarySearchFunc(g.items, r, compareReached)
	g.items = slices.Insert(g.items, i, r)
	if n := len(g.items); n > maxItems {
		g.more[verdictClass(g.items[n-1].Verdict)]++
		g.items = g.items[:n-1]
	}
}

func (v *reachView) objects(c *casefile.Case) {
	of := make(map[string]*group)
	var mailboxes []*group
	inside := func(id string) *group {
		key := strings.ToLower(id)
		g := of[key]
		if g == nil {
			g = &group{id: id, more: make(map[string]int64)}
			of[key] = g
			mailboxes = append(mailboxes, g)
		}
		return g
	}
	others := make(map[string][]*casefile.Reached)
	for i := range c.Reached {
		r := &c.Reached[i]
		switch r.Object.Kind {
		case "mailbox":
			if g := inside(r.Object.ID); g.r == nil {
				g.r = r
			}
		case "message", "folder":
			inside(r.Object.In).add(r)
		default:
			others[r.Object.Kind] = append(others[r.Object.Kind], r)
		}
	}
	slices.SortStableFunc(mailboxes, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.worth(), a.worth()), cmp.Compare(b.lower(), a.lower()), strings.Compare(a.id, b.id))
	})
	v.Mailboxes.Title = "Mailboxes"
	out := newSet()
	shown := 0
	var ruledOut int64
	for _, g := range mailboxes {
		switch {
		case g.worth() == 0 && len(g.items) == 0: // ruled out, and nothing to say of what is in it
			if ruledOut++; ruledOut <= maxRuledOut {
				out.add([]string{cut(g.id, maxName)})
			}
		case shown == maxBoxes:
		default:
			shown++
			v.Mailboxes.List = append(v.Mailboxes.List, v.mailbox(g))
		}
	}
	v.RuledOut = names{List: out.list, More: int(ruledOut) - len(out.list)}
	if ruledOut > 0 {
		v.RuledOutAll = count(ruledOut, "mailbox", "mailboxes")
	}
	if more := len(mailboxes) - int(ruledOut) - shown; more > 0 {
		v.Mailboxes.More = number(more) + " more mailboxes are not shown here" + elsewhere
	}
	for _, k := range kinds[3:] {
		v.other(k[1], others[k[0]])
		delete(others, k[0])
	}
	for _, list := range others { // of a kind that is not known
		v.other("Others", list)
		break
	}
}

const elsewhere = ": they stand in case.json, and in the list that barid report CASE --format reached writes."

func (v *reachView) other(title string, list []*casefile.Reached) {
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, compareReached)
	b := boxes{Title: title}
	for _, r := range first(list, maxBoxes) {
		b.List = append(b.List, v.box(r))
	}
	if more := len(list) - len(b.List); more > 0 {
		b.More = number(more) + " more are not shown here" + elsewhere
	}
	v.Others = append(v.Others, b)
}

func (g *group) worth() int {
	if g.r != nil {
		return worth(g.r)
	}
	if len(g.items) > 0 {
		return worth(g.items[0])
	}
	return 0
}

func (g *group) lower() int64 {
	if g.r != nil {
		return g.r.Lower
	}
	return 0
}

func (v *reachView) mailbox(g *group) box {
	var b box
	if g.r != nil {
		b = v.box(g.r)
	} else {
		b = box{ID: cut(g.id, maxName), Class: casefile.Possible, Verdict: "not judged as a whole"}
	}
	for _, r := range g.items {
		if !v.spend(r.Object.ID, r.Object.Name) {
			g.more[verdictClass(r.Verdict)]++
			continue
		}
		id := cut(r.Object.ID, maxName)
		if id == "" {
			id = "(without an id)"
		}
		it := itemView{Kind: r.Object.Kind, ID: id, Name: cut(r.Object.Name, maxName), Span: when(r)}
		g := itemGroup{Class: verdictClass(r.Verdict), Verdict: verdictWords(r)}
		if len(r.Why) > 0 {
			why := &r.Why[0]
			g.Rule, g.Why = cut(why.Rule, maxName), cut(why.Text, maxText)
			// What the rule says is said once for all that it is the reason of; when and where is said of each.
			if says := v.says[why.Rule]; says != "" && strings.HasPrefix(g.Why, says) {
				g.Why = says
			}
			it.Proof, _ = v.proofs(why.Evidence, 1)
		}
		if n := len(b.Items); n == 0 || b.Items[n-1].Class != g.Class || b.Items[n-1].Verdict != g.Verdict || b.Items[n-1].Why != g.Why || b.Items[n-1].Rule != g.Rule {
			b.Items = append(b.Items, g)
		}
		last := &b.Items[len(b.Items)-1]
		last.List = append(last.List, it)
	}
	var more []string
	for _, k := range [...]string{casefile.Confirmed, casefile.Possible, casefile.RuledOut} {
		if n := g.more[k]; n > 0 {
			more = append(more, number(n)+" "+strings.ReplaceAll(k, "_", " "))
		}
	}
	if len(more) > 0 {
		b.ItemsMore = "Not shown here: " + list(more) + elsewhere
	}
	return b
}

// when is when an object was reached, "" if that is not known.
func when(r *casefile.Reached) string {
	switch {
	case r.First == nil && r.Last == nil:
		return ""
	case r.First == nil:
		return stamp(*r.Last)
	case r.Last == nil:
		return stamp(*r.First)
	}
	return span(*r.First, *r.Last)
}

func (v *reachView) box(r *casefile.Reached) box {
	o := &r.Object
	b := box{ID: cut(o.ID, maxName), Name: cut(o.Name, maxName), Owner: cut(o.Owner, maxName), In: cut(o.In, maxName), Class: verdictClass(r.Verdict), Verdict: verdictWords(r),
		Interval: interval(r), Span: when(r), Levels: levelWords(r), By: some(r.By), Settle: cut(r.Settle, maxText)}
	if b.Name == b.Owner {
		b.Name = ""
	}
	if !v.spend(b.ID, b.Name, b.Owner, b.In, b.Settle) {
		b.Withheld = true
		return b
	}
	for i := range first(r.Channels, 20) {
		k := &r.Channels[i]
		b.Channels = append(b.Channels, channelView{cut(k.Channel, maxName), strings.ReplaceAll(verdictClass(k.Content), "_", " "), cut(k.Why, maxName)})
	}
	for i := range first(r.Why, maxReasons) {
		why := &r.Why[i]
		w := whyView{Rule: cut(why.Rule, maxName), Text: cut(why.Text, maxText), Practice: v.unverified[why.Rule]}
		if !v.spend(w.Rule, w.Text) {
			break
		}
		var more int
		if w.Proof, more = v.proofs(why.Evidence, maxProofs); more > 0 {
			w.More = count(more, "more record in case.json", "more records in case.json")
		}
		b.Why = append(b.Why, w)
	}
	if more := len(r.Why) - len(b.Why); more > 0 {
		b.WhyMore = count(more, "more reason in case.json", "more reasons in case.json")
	}
	return b
}

func (v *reachView) proofs(list []casefile.Proof, most int) (out []proofView, more int) {
	for i := range first(list, most) {
		k := &list[i]
		if !v.spend(k.Source) {
			break
		}
		pv := proofView{Source: cut(k.Source, 2*maxName), Place: place(k.Line, k.Record, k.Offset)}
		if k.Time != nil {
			pv.Time = stamp(*k.Time)
		}
		out = append(out, pv)
	}
	return out, len(list) - len(out)
}

// interval says how many messages or files were reached, of what contains some.
func interval(r *casefile.Reached) string {
	if k := r.Object.Kind; k != "mailbox" && k != "folder" && k != "site" {
		return ""
	}
	switch {
	case r.Upper < 0 && r.Lower <= 0:
		return "how many messages: not known"
	case r.Upper < 0:
		return "at least " + count(r.Lower, "message", "messages") + "; at most: not known"
	case r.Lower == r.Upper && r.Upper == 0:
		return "no message"
	case r.Lower == r.Upper:
		return "exactly " + count(r.Lower, "message", "messages")
	case r.Lower <= 0:
		return "at most " + count(r.Upper, "message", "messages")
	}
	return "at least " + number(r.Lower) + " and at most " + count(r.Upper, "message", "messages")
}

// levelWords says the verdict on each level of exposure.
func levelWords(r *casefile.Reached) string {
	var parts []string
	for _, l := range [...][2]string{{"content", r.Levels.Content}, {"part of it", r.Levels.Partial}, {"metadata", r.Levels.Metadata}} {
		if l[1] != "" {
			parts = append(parts, l[0]+" "+strings.ReplaceAll(verdictClass(l[1]), "_", " "))
		}
	}
	return strings.Join(parts, ", ")
}

// settle gathers the logs that would settle what is open.
func (v *reachView) settle(c *casefile.Case) {
	type open struct {
		log string
		n   int64
	}
	seen := make(map[string]int)
	var all []open
	for i := range c.Reached {
		s := c.Reached[i].Settle
		if s == "" {
			continue
		}
		for s := range strings.SplitSeq(s, "; ") {
			at, ok := seen[s]
			if !ok {
				at = len(all)
				seen[s] = at
				all = append(all, open{log: s})
			}
			all[at].n++
		}
	}
	slices.SortStableFunc(all, func(a, b open) int { return cmp.Or(cmp.Compare(b.n, a.n), strings.Compare(a.log, b.log)) })
	v.Settle.Head = []string{"What to find", "Bears on"}
	for _, o := range first(all, maxSettle) {
		v.Settle.add(upperFirst(o.log), count(o.n, "verdict", "verdicts"))
	}
	if len(all) > 0 {
		b := briefList{Head: "To settle it"}
		for _, o := range first(all, maxBriefLines) {
			b.List = append(b.List, upperFirst(cut(o.log, maxText)))
		}
		if n := len(all) - len(b.List); n > 0 {
			b.More = "and " + number(n) + " more, below"
		}
		v.Brief = append(v.Brief, b)
	}
	v.Settle.left(len(all), maxSettle, casefile.CaseFile)
}

// rules lists the rules of inference that verdicts lean on; those that are not verified come first.
func (v *reachView) rules(c *casefile.Case) {
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
	v.Rules.Head = []string{"Rule", "What follows from such a record", "Known from", "Verdicts"}
	for _, k := range first(used, maxInferences) {
		from := "practitioners’ knowledge, not verified"
		if k.Verified {
			from = cmp.Or(k.Source, "verified")
		} else if k.Source != "" {
			from += " (" + k.Source + ")"
		}
		v.Rules.add(k.Name, k.Says, from, number(k.Verdicts))
	}
	v.Rules.left(len(used), maxInferences, casefile.CaseFile)
	if len(used) > 0 {
		v.Practice = "Every rule below was read in the source named or measured on real records."
		if unverified > 0 {
			v.Practice = upperFirst(count(unverified, "rule below is", "rules below are")) + " what practitioners know and nobody verified: check what leans on them before it is relied on."
		}
	}
}
