package disclose

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// who says whose incident it is and to whom the draft goes. Regime and stage are those of what is owed.
func (d *drafter) who(regime, stage string) {
	d.section("who", law{})
	o := d.organisation()
	d.given("organisation", d.name(o.Name), "organisation.name")
	if o.Country != "" {
		d.given("country", d.codes([]string{o.Country}), "organisation.country")
	}
	if o.LEI != "" {
		d.given("lei", d.codes([]string{o.LEI}), "organisation.lei")
	}
	d.given("reference", d.name(d.f.Incident.Reference), keyIncident+"reference")
	to := d.name(cmp.Or(d.f.Entity.Recipients[regime+"."+stage], d.f.Entity.Recipients[regime]))
	if !to.Empty() || regime != regimeEUData && regime != regimeEUCyber { // which the law names
		d.given("recipient", to, keyEntity+"recipients."+regime)
	}
}

// contact adds whom to ask.
func (d *drafter) contact(role string) {
	c := d.f.Entity.Contacts[role]
	var parts []lang.Words
	if w := d.name(c.Name); !w.Empty() {
		parts = append(parts, w)
	}
	for _, s := range []string{c.Email, c.Phone} {
		if s = oneLine(s); s != "" {
			parts = append(parts, d.l.Values(s)...)
		}
	}
	var said lang.Words
	for _, p := range parts {
		if said.Empty() {
			said = p
			continue
		}
		said = d.l.Words("list.next", "before", said, "after", p)
	}
	d.given("contact."+role, said, keyEntity+"contacts."+role)
}

// dutyNames returns what a duty is called: by the data of its regime, or else by its names there.
func (d *drafter) dutyNames(o *casefile.Duty) (regime, stage lang.Words) {
	regime, stage = d.l.Values(o.Regime)[0], d.l.Values(o.Stage)[0]
	if d.regimes == nil {
		return regime, stage
	}
	g := d.regimes.Find(o.Regime)
	if g == nil {
		return regime, stage
	}
	if w := d.name(g.Words[d.l.Tag()].Name); !w.Empty() {
		regime = w
	}
	if r := g.rule(o.Stage); r != nil {
		if w := d.name(r.Words[d.l.Tag()].Name); !w.Empty() {
			stage = w
		}
	}
	return regime, stage
}

// times says when it was, when it was known, until when the form is due, and what went before.
func (d *drafter) times(at law, duty *casefile.Duty, regime string) {
	d.section("times", at)
	d.occurred()
	if last := d.lastEvent(); !last.IsZero() {
		d.shown("last", d.when(last), incidentRefs(d.c)...)
	}
	d.given("detected", d.whenOf(d.f.Incident.Detected), keyIncident+"detected")
	if s := d.f.Incident.Discovery; s != "" {
		d.given("discovery", d.coded("discovery", []string{s}), keyIncident+"discovery")
	}
	d.given("aware", d.whenOf(d.f.Incident.Aware), keyIncident+"aware")
	d.given("recovered", d.whenOf(d.f.Incident.Recovered), keyIncident+"recovered")
	if r := d.f.Incident.Resolved; r != nil {
		d.given("resolved", d.when(*r), keyIncident+"resolved")
	}
	d.due(duty)
	for _, a := range d.acts(actSubmitted, regime) {
		said := d.l.Words("form.submitted", "stage", lang.Value(a.Stage), "time", d.when(a.Time))
		if a.Receipt != "" {
			said = d.l.Words("form.receipt", "what", said, "receipt", lang.Value(oneLine(a.Receipt)))
		}
		d.stated("earlier", said, a.Author, keyActs)
	}
}

// occurred says when it began: as people stated it, otherwise by the first event of an incident.
func (d *drafter) occurred() {
	if t := d.f.Incident.Occurred; t != nil {
		d.given("occurred", d.when(*t), keyIncident+"occurred")
		return
	}
	first := firstEvent(d.c)
	if first == nil {
		d.open("occurred", keyIncident+"occurred")
		return
	}
	d.shown("occurred.first", d.when(*first), incidentRefs(d.c)...)
}

// lastEvent is when the last event of an incident was; zero where no time is known.
func (d *drafter) lastEvent() (last time.Time) {
	for i := range d.c.Incidents {
		if l := d.c.Incidents[i].Last; l.After(last) {
			last = l
		}
	}
	return last
}

// due says until when the form is owed, and why it is late if it is.
func (d *drafter) due(o *casefile.Duty) {
	if o == nil {
		key := keyIncident + "aware"
		if d.f.Incident.Aware != nil {
			key = keyEntity + "regimes"
		}
		d.open("due", key)
		return
	}
	ref := "owed " + o.Regime + " " + o.Stage
	switch {
	case o.Due != nil:
		d.shown("due", d.when(*o.Due), ref)
	case o.State == casefile.DutyNotOwed:
		d.notOwed = o
		return
	case o.Without:
		d.shown("due", d.l.Words("form.due.without"), ref)
	default:
		missing := o.Missing
		if len(missing) == 0 {
			missing = []string{keyIncident + "aware"}
		}
		d.open("due", missing...)
	}
	reason := d.name(d.f.Incident.Delay[o.Regime])
	late := o.Due != nil && (o.Done != nil && o.Done.After(*o.Due) || o.Done == nil && d.in.Now != nil && d.in.Now.After(*o.Due))
	if late || !reason.Empty() {
		d.given("delay", reason, keyIncident+"delay."+o.Regime)
	}
}

// warnNotOwed begins the draft with a part that is not to be sent where what it is for is not owed.
func (d *drafter) warnNotOwed() {
	if d.notOwed == nil {
		return
	}
	regime, stage := d.dutyNames(d.notOwed)
	d.out.Sections = slices.Insert(d.out.Sections, 0, draft.Section{ID: "not_owed", Heading: d.l.Words("form.head.not_owed"), Internal: true, Statements: []draft.Statement{{
		About: "not_owed", Said: d.l.Words("form.not_owed", "regime", regime, "stage", stage), Basis: draft.Case, Refs: []string{"owed " + d.notOwed.Regime + " " + d.notOwed.Stage}}}})
}

// happened says what happened: in the words of the organisation, and by the incidents of the case.
func (d *drafter) happened(at law) {
	d.section("happened", at)
	d.paragraphs("description", d.f.Incident.Description, keyIncident+"description")
	const most = 20
	for i := range d.c.Incidents {
		n := &d.c.Incidents[i]
		if i == most {
			d.sentence("incidents.more", d.l.Words("form.incidents.more", "n", len(d.c.Incidents)-most), draft.Case, "case.json incidents")
			break
		}
		title, _ := d.l.PhraseWords(cmp.Or(n.Title, n.ID))
		id := "form.incident"
		if n.Active {
			id = "form.incident.active"
		}
		d.sentence("incident", d.l.Words(id, "title", title, "span", d.l.Span(n.First, n.Last), "n", n.Findings), draft.Case, "incident "+n.ID)
	}
	if len(d.c.Incidents) == 0 {
		d.sentence("incident", d.l.Words("form.incident.none"), draft.Case, "case.json incidents")
	}
	d.services()
}

// services says which services were not, or not fully, available.
func (d *drafter) services() {
	for i := range d.f.Services {
		s := &d.f.Services[i]
		for _, w := range s.Down {
			id := "form.service.full"
			if w.Level == "partial" {
				id = "form.service.partial"
			}
			var said lang.Words
			if w.To == nil {
				said = d.l.Words(id+".open", "service", d.name(s.Name), "from", d.when(w.From))
			} else {
				said = d.l.Words(id, "service", d.name(s.Name), "from", d.when(w.From), "to", d.when(*w.To))
			}
			d.sentence("service", said, draft.Facts, keyServices)
		}
	}
}

// reached says what was, may have been, and was not reached, and what would settle what is open.
func (d *drafter) reached(at law) {
	d.section("reached", at)
	d.verdicts()
	for _, s := range d.x.Settles {
		w, _ := d.l.PhraseWords(s)
		d.add(draft.Statement{About: "reached.settle", Label: d.label("settle"), Said: w, Basis: draft.Case, Refs: []string{"case.json reached settle"}})
	}
	d.gaps()
	d.statements()
}

// statements names what people stated and verdicts lean on.
func (d *drafter) statements() {
	const most = 10
	n := 0
	for i := range d.c.Statements {
		s := &d.c.Statements[i]
		if d.isAct(s) {
			continue
		}
		if n++; n > most {
			continue
		}
		if about := d.name(shortened(s.About, 500)); !about.Empty() {
			if r := d.name(shortened(s.Reason, 500)); !r.Empty() {
				about = d.l.Words("form.because", "what", about, "why", r)
			}
			d.stated("statement", about, s.Author, "case.json statements")
		}
	}
	if n > most {
		d.sentence("statements.more", d.l.Words("form.statements.more", "n", n-most), draft.Case, "case.json statements")
	}
}

// isAct says whether a statement of the case is an act under a law ("dora: classified as major", "dora initial: submitted"). No verdict leans on
// those, and what was decided under one law is not for the recipients under another.
func (d *drafter) isAct(s *casefile.Statement) bool {
	head, _, _ := strings.Cut(s.About, ": ")
	regime, _, _ := strings.Cut(head, " ")
	return d.regimes.Find(regime) != nil
}

// verdicts adds a sentence for every kind of object and verdict that there is.
func (d *drafter) verdicts() {
	any := false
	for _, kind := range []string{kindMailbox, kindMessage, kindFolder, kindFile} {
		k := d.x.Kinds[kind]
		if k.all() == 0 {
			continue
		}
		any = true
		d.verdict(kind, "content", k.Content)
		d.verdict(kind, "metadata", k.onlyMetadata())
	}
	d.unlisted()
	d.messages()
	for _, kind := range []string{kindHost, kindCredential, kindShell} {
		k := d.x.Kinds[kind]
		if k.all() == 0 {
			continue
		}
		any = true
		for _, v := range verdictList(k.Content) {
			d.sentence("reached."+kind, d.l.Words("accessed."+kind+"."+v.verdict, "n", d.l.Between(v.least, v.n)), draft.Case, "verdicts "+kind+" "+v.verdict)
		}
	}
	if !any {
		d.sentence("reached", d.l.Words("accessed.unjudged"), draft.Open, "attacker", "window", "inventory")
	}
}

// messages says between which bounds the number of messages is.
func (d *drafter) messages() {
	refs := []string{"verdicts mailbox"}
	if d.x.Kinds[kindMailbox] == nil {
		refs = []string{"verdicts message"}
		if d.x.Kinds[kindMessage] == nil {
			return
		}
	}
	if m := d.x.Messages; m.Lower > 0 || m.Upper != 0 {
		d.shown("messages", d.l.Between(m.Lower, m.Upper), refs...)
	}
}

// named says whether the verdicts on single messages are on all of which content was, or may have been, accessed.
func (x *Extent) named() bool {
	k := x.Kinds[kindMessage]
	return k != nil && x.Messages.Upper >= 0 && x.Messages.Lower <= k.Content.Confirmed && x.Messages.Upper <= k.Content.Confirmed+k.Content.Possible
}

// onlyMetadata counts those of which the metadata says more than the content.
func (k *KindExtent) onlyMetadata() casefile.VerdictCounts {
	return casefile.VerdictCounts{Confirmed: k.MetadataConfirmed, Possible: k.MetadataPossible}
}

// unlisted says that there may be more mailboxes than are counted, where no inventory says which there are.
func (d *drafter) unlisted() {
	if k := d.x.Kinds[kindMailbox]; k.all() > 0 && !d.x.Owned {
		d.sentence("reached.mailbox.unlisted", d.l.Words("form.unlisted"), draft.Open, "inventory.mailboxes")
	}
}

func (d *drafter) verdict(kind, level string, n casefile.VerdictCounts) {
	for _, v := range verdictList(n) {
		what := d.l.Count("count."+kind, v.n)
		if kind == kindMessage && v.verdict != casefile.RuledOut && !d.x.named() {
			what = d.l.Words("interval.least", "lower", what)
		}
		d.sentence("reached."+kind+"."+level, d.l.Words("accessed."+level+"."+v.verdict, "what", what), draft.Case, "verdicts "+kind+" "+level+" "+v.verdict)
	}
}

type verdictCount struct {
	verdict  string
	n, least int64 // at most, and at least
}

// verdictList returns those that are not zero, the gravest first.
func verdictList(n casefile.VerdictCounts) []verdictCount {
	var out []verdictCount
	for _, v := range []verdictCount{{casefile.Confirmed, n.Confirmed, n.ConfirmedLeast()}, {casefile.Possible, n.Possible, n.Possible}, {casefile.RuledOut, n.RuledOut, n.RuledOut}} {
		if v.n > 0 {
			out = append(out, v)
		}
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// suspicion answers what an early warning must answer.
func (d *drafter) suspicion(regime string, at law) {
	d.section("suspicion", at)
	d.malicious()
	if n := attackerSessions(d.c); n > 0 {
		d.shown("attacker.sessions", d.l.Count("count.session", n), "case.json sessions")
	}
	if len(d.c.Incidents) > 0 {
		d.shown("incidents", d.l.Count("count.incident", int64(len(d.c.Incidents))), incidentRefs(d.c)...)
	}
	d.given("cross_border", d.yesNo(d.f.Incident.CrossBorder), keyIncident+"cross_border")
	if c := d.codes(d.f.Impact.MemberStates); !c.Empty() {
		d.given("member_states", c, keyImpact+"member_states")
	}
	d.decision("significant", regime)
}

// decision adds what a person decided by an act.
func (d *drafter) decision(act, regime string) {
	a := d.lastAct(act, regime)
	if a == nil {
		d.open(act, actKey(act, regime))
		return
	}
	id := "form.act." + act + "." + a.As
	said := d.l.Words(id)
	if !d.l.Has(id) {
		said = d.name(a.As)
	}
	if r := d.name(a.Reason); !r.Empty() {
		said = d.l.Words("form.because", "what", said, "why", r)
	}
	d.stated(act, said, a.Author, keyActs)
}

func attackerSessions(c *casefile.Case) (n int64) {
	for i := range c.Sessions {
		if c.Sessions[i].Attribution == "attacker" {
			n++
		}
	}
	return n
}

// severity says how grave it is: by the findings, and by what people say of its impact.
func (d *drafter) severity(at law) {
	d.section("severity", at)
	worst := ""
	for i := range d.c.Incidents {
		if s := d.c.Incidents[i].Severity; levelRank(s) > levelRank(worst) {
			worst = s
		}
	}
	if worst != "" {
		d.shown("severity", d.l.Words("level."+worst), incidentRefs(d.c)...)
	}
	active := []string{}
	for i := range d.c.Incidents {
		if d.c.Incidents[i].Active {
			active = append(active, "incident "+d.c.Incidents[i].ID)
		}
	}
	if len(active) > 0 {
		d.sentence("active", d.l.Words("form.active"), draft.Case, cappedRefs(active)...)
	}
	m := &d.f.Impact
	d.given("clients", d.quantity(m.Clients.Number), keyImpact+"clients.number")
	d.given("member_states", d.codes(m.MemberStates), keyImpact+"member_states")
	d.given("costs", d.money(m.Costs), keyImpact+"costs")
}

func (d *drafter) money(q *Quantity) lang.Words {
	w := d.quantity(q)
	if w.Empty() || d.f.Entity.Currency == "" {
		return w
	}
	return d.l.Words("form.money", "amount", w, "currency", lang.Value(d.f.Entity.Currency))
}

func levelRank(s string) int {
	return slices.Index([]string{"informational", "low", "medium", "high", "critical"}, s)
}

// indicators lists what others can look for.
func (d *drafter) indicators(at law) {
	d.section("indicators", at)
	var attackers, agents, others []string
	known := map[string]bool{}
	for i := range d.c.Sessions {
		s := &d.c.Sessions[i]
		if s.Attribution != "attacker" {
			continue
		}
		for _, ip := range s.IPs {
			known[ip] = true
			attackers = append(attackers, ip)
		}
		agents = append(agents, s.Agents...)
	}
	var techniques []string
	for i := range d.c.Incidents {
		n := &d.c.Incidents[i]
		techniques = append(techniques, n.Techniques...)
		for _, a := range n.Actors {
			if _, err := netip.ParseAddr(a); err == nil && !known[a] {
				others = append(others, a)
			}
		}
	}
	any := d.listed("ioc.attacker", attackers, "case.json sessions")
	any = d.listed("ioc.actors", others, incidentRefs(d.c)...) || any
	any = d.listed("ioc.agents", agents, "case.json sessions") || any
	any = d.listed("ioc.techniques", techniques, incidentRefs(d.c)...) || any
	if !any {
		d.sentence("ioc", d.l.Words("form.ioc.none"), draft.Case, "case.json incidents", "case.json sessions")
	}
}

// listed adds machine values, sorted, at most 50 of them: the exports have all.
func (d *drafter) listed(about string, values []string, refs ...string) bool {
	slices.SortFunc(values, byAddress)
	values = slices.DeleteFunc(slices.Compact(values), func(s string) bool { return s == "" })
	if len(values) == 0 {
		return false
	}
	const most = 50
	n := len(values) - most
	parts := make([]string, 0, min(len(values), most))
	for _, v := range values[:min(len(values), most)] {
		parts = append(parts, shortened(v, 300))
	}
	said := d.codes(parts)
	if n > 0 {
		said = d.l.Words("form.more", "list", said, "n", n)
	}
	d.shown(about, said, refs...)
	return true
}

// byAddress orders addresses as numbers, and texts after them.
func byAddress(a, b string) int {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(x.Compare(y), strings.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

// data says which personal data is concerned, and of whom.
func (d *drafter) data(at law) {
	d.section("data", at)
	m, p := &d.f.Impact.Data, &d.f.PersonalData
	d.confidentiality()
	d.given("integrity", d.yesNo(m.Integrity), keyImpact+"data.integrity")
	d.given("availability", d.yesNo(m.Availability), keyImpact+"data.availability")
	d.given("categories", d.coded("persons", p.Categories), keyData+"categories")
	d.affected()
	d.given("records", d.quantity(p.Records), keyData+"records")
	d.given("data", d.coded("data", p.Data), keyData+"data")
	d.given("sensitive", d.coded("data", p.Sensitive), keyData+"sensitive")
	d.given("unintelligible", d.yesNo(p.Unintelligible), keyData+"unintelligible")
}

func (d *drafter) consequences(at law) {
	d.section("consequences", at)
	d.given("consequences", d.coded("consequence", d.f.PersonalData.Consequences), keyData+"consequences")
}

func (d *drafter) measures(at law) {
	d.section("measures", at)
	d.given("measures", d.names(d.f.PersonalData.Measures), keyData+"measures")
	d.given("temporary", d.name(d.f.Incident.TemporaryMeasures), keyIncident+"temporary_measures")
	if w := d.name(d.f.Incident.Resolution); !w.Empty() {
		d.given("resolution", w, keyIncident+"resolution")
	}
}

// told says whether those affected were told, and who decided on the risk.
func (d *drafter) told(regime string, at law) {
	d.section("told", at)
	d.decision("risk", regime)
	informed := d.acts(actInformed, regime)
	for _, a := range informed {
		said := d.l.Words("form.informed", "stage", lang.Value(a.Stage), "time", d.when(a.Time))
		if r := d.name(a.Reason); !r.Empty() {
			said = d.l.Words("form.because", "what", said, "why", r)
		}
		d.stated("informed", said, a.Author, keyActs)
	}
	if len(informed) == 0 {
		d.open("informed", actKey(actInformed, regime))
	}
}

// persons counts the mailboxes whose owners are to be informed, the wordings kept apart.
func (d *drafter) persons() {
	for _, letter := range Letters() {
		if n := d.x.Letters[letter]; n > 0 {
			d.sentence("letters", d.l.Words("letter.count."+string(letter), "what", d.l.Count("count.mailbox", n), "letter", lang.Value(letter)), draft.Case, "verdicts mailbox "+string(letter))
		}
	}
	if n := d.x.Nameless; n > 0 {
		d.sentence("letters.nameless", d.l.Words("form.nameless", "what", d.l.Count("count.mailbox", n)), draft.Open, "inventory.mailboxes")
	}
	if len(d.x.Letters) > 0 {
		d.sentence("letters.others", d.l.Words("form.letters.others"), draft.Open, keyData+"persons")
	}
}

// others says who else was told or must be. What is open of other regimes is for the list of what is owed.
func (d *drafter) others(regime string, at law) {
	d.section("others", at)
	d.given("other_authorities", d.coded("authority", d.f.Incident.OtherAuthorities), keyIncident+"other_authorities")
	for i := range d.in.Owed {
		o := &d.in.Owed[i]
		if o.Regime == regime || o.State != casefile.DutyDue && o.State != casefile.DutyDone {
			continue
		}
		regime, stage := d.dutyNames(o)
		d.sentence("owed", d.l.Words("form.duty."+o.State, "regime", regime, "stage", stage), draft.Case, "owed "+o.Regime+" "+o.Stage)
	}
}

// missing lists what will follow: what is open in the draft so far.
func (d *drafter) missing(at law) {
	var labels []lang.Words
	var keys []string
	for _, s := range d.out.Sections {
		for _, st := range s.Statements {
			if st.Basis == draft.Open && !st.Label.Empty() && len(st.Closes) > 0 && !slices.Contains(keys, st.Closes[0]) {
				labels, keys = append(labels, st.Label), append(keys, st.Closes...)
			}
		}
	}
	if len(labels) == 0 {
		return
	}
	d.section("missing", at)
	d.sentence("missing", d.l.Words("form.missing", "list", d.l.List(labels)), draft.Open, keys...)
}
