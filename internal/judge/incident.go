package judge

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
)

// How long a pause may be between findings of one incident, by what ties them together.
const (
	sameActor   = 24 * time.Hour      // an address, or a person's account
	sameObject  = 30 * 24 * time.Hour // a web shell
	samePlace   = 4 * time.Hour       // a host, where one of the two names no address
	sameAttempt = 24 * time.Hour      // attempts of one kind on one host, from wherever
)

// An incident counts as going on if its evidence ends before the incident has been quiet for as long as it lasted, but for
// at least and at most so long.
const (
	quietAtLeast = 5 * time.Minute
	quietAtMost  = time.Hour
)

// Evidence says of the sources what judging needs to know.
type Evidence struct {
	// End returns when the log that a source is a part of ends: the last event of the source or of those that continue it.
	End func(path string) (time.Time, bool)
	// Ours reports whether an address is known not to be an attacker's.
	Ours func(address string) bool
	// Hosts tells which names are of one server; nil takes each for another.
	Hosts *HostNames
}

// Incidents groups findings, which come in order of time, into what a person would call one incident each; the gravest
// come first. Findings of level low and below join an incident but make none.
func Incidents(findings iter.Seq2[*casefile.Finding, error], ev Evidence) ([]casefile.Incident, error) {
	all := nodes{last: make(map[nodeKey]*node)}
	for f, err := range findings {
		if err != nil {
			return nil, err
		}
		level, err := detect.ParseLevel(f.Rule.Level)
		if err != nil || level < detect.Low || f.Client != "" && ev.Ours != nil && ev.Ours(f.Client) {
			continue
		}
		if host := ev.Hosts.Of(f.Host); host != f.Host {
			named := *f
			named.Host = host
			f = &named
		}
		all.add(f, level)
	}
	slices.SortStableFunc(all.list, func(a, b *node) int { return a.first.Compare(b.first) })
	g := graph{list: all.list}
	for i, n := range g.list {
		n.cluster = i
	}
	g.tieGrave()
	g.tieAttempts()
	g.tieLow()
	return g.incidents(ev), nil
}

// graph ties nodes together. Node i belongs with node list[i].cluster, and so on to a node that names itself.
type graph struct {
	list []*node
}

func (g *graph) root(i int) int {
	for g.list[i].cluster != i {
		g.list[i].cluster = g.list[g.list[i].cluster].cluster
		i = g.list[i].cluster
	}
	return i
}

// tie puts two nodes into one incident; j below 0 is no node.
func (g *graph) tie(i, j int) {
	if j < 0 {
		return
	}
	a, b := g.root(i), g.root(j)
	g.list[max(a, b)].cluster = min(a, b)
}

// latest finds, per key, the node that ends last among those seen.
type latest map[string]int

// peek returns the node of that key that ends at most within before node i begins, or -1.
func (l latest) peek(list []*node, i int, key string, within time.Duration) int {
	if j, ok := l[key]; ok && close(list[j], list[i], within) {
		return j
	}
	return -1
}

// near is peek, and remembers node i. No node has the key "".
func (l latest) near(list []*node, i int, key string, within time.Duration) int {
	if key == "" {
		return -1
	}
	found := l.peek(list, i, key, within)
	if j, ok := l[key]; !ok || list[i].last.After(list[j].last) {
		l[key] = i
	}
	return found
}

// close reports whether two runs overlap or have at most so much time between them. Runs without a time are never
// close to those that have one.
func close(a, b *node, within time.Duration) bool {
	if a.first.IsZero() || b.first.IsZero() {
		return a.first.IsZero() && b.first.IsZero()
	}
	return b.first.Sub(a.last) <= within && a.first.Sub(b.last) <= within
}

// tieGrave ties findings of level high and above.
func (g *graph) tieGrave() {
	actors, people, objects, places, silent := latest{}, latest{}, latest{}, latest{}, latest{}
	for i, n := range g.list {
		if n.level < detect.High {
			continue
		}
		tie := func(j int) { g.tie(i, j) }
		tie(actors.near(g.list, i, n.actor(), sameActor))
		tie(people.near(g.list, i, n.person(), sameActor))
		tie(objects.near(g.list, i, n.object, sameObject))
		// Two runs on one host belong together unless both name an address, and not the same one.
		for _, place := range n.placesOrFlaws() {
			if n.actor() == "" {
				tie(places.near(g.list, i, place, samePlace))
				silent.near(g.list, i, place, samePlace)
			} else {
				tie(silent.peek(g.list, i, place, samePlace))
				places.near(g.list, i, place, samePlace)
			}
		}
	}
}

// placesOrFlaws returns the host of the run; where the log names none, the log, and the flaws that were used.
func (n *node) placesOrFlaws() []string {
	out := []string{n.place()}
	if n.host != "" {
		return out
	}
	for _, t := range n.rule.Tags {
		if strings.HasPrefix(t, "cve.") {
			out = append(out, t)
		}
	}
	return out
}

// tieAttempts ties findings of level medium: to a grave incident of the same address or account, or to one another.
func (g *graph) tieAttempts() {
	taken := g.join(detect.Medium, samePlace)
	actors, people, places, kinds := latest{}, latest{}, latest{}, latest{}
	for i, n := range g.list {
		if n.level != detect.Medium || taken[i] {
			continue
		}
		tie := func(j int) { g.tie(i, j) }
		tie(actors.near(g.list, i, n.actor(), sameActor))
		tie(people.near(g.list, i, n.person(), sameActor))
		if n.actor() == "" {
			tie(places.near(g.list, i, n.place(), samePlace))
		}
		tie(kinds.near(g.list, i, n.place()+"|"+technique(n.rule.Tags), sameAttempt))
	}
}

// tieLow ties findings of level low to incidents there are; the others make none.
func (g *graph) tieLow() { g.join(detect.Low, samePlace/4) }

// join ties the nodes of a level to a node of a higher one that shares an address or account, or the host where they
// name no address. It returns which were tied.
func (g *graph) join(level detect.Level, atPlace time.Duration) []bool {
	taken := make([]bool, len(g.list))
	higher := make(map[string][]int)
	index := func(prefix, key string, i int) {
		if key != "" {
			higher[prefix+key] = append(higher[prefix+key], i)
		}
	}
	for i, n := range g.list {
		if n.level > level {
			index("a:", n.actor(), i)
			index("p:", n.person(), i)
			index("h:", n.place(), i)
		}
	}
	for i, n := range g.list {
		if n.level != level {
			continue
		}
		find := func(key string, within time.Duration) {
			if taken[i] {
				return
			}
			for _, j := range higher[key] {
				if close(g.list[min(i, j)], g.list[max(i, j)], within) {
					g.tie(i, j)
					taken[i] = true
					return
				}
			}
		}
		if a := n.actor(); a != "" {
			find("a:"+a, sameActor)
		}
		if p := n.person(); p != "" {
			find("p:"+p, sameActor)
		}
		if n.actor() == "" {
			find("h:"+n.place(), atPlace)
		}
	}
	return taken
}

// technique returns the first ATT&CK technique of a rule.
func technique(tags []string) string {
	for _, t := range tags {
		if strings.HasPrefix(t, "attack.t") && len(t) > 8 && t[8] >= '0' && t[8] <= '9' {
			return t
		}
	}
	return ""
}

// incidents describes every cluster that holds more than low findings.
func (g *graph) incidents(ev Evidence) []casefile.Incident {
	clusters := make(map[int][]*node)
	for i, n := range g.list {
		r := g.root(i)
		clusters[r] = append(clusters[r], n)
	}
	out := []casefile.Incident{}
	for _, r := range slices.Sorted(maps.Keys(clusters)) {
		members := clusters[r]
		if slices.MaxFunc(members, func(a, b *node) int { return cmp.Compare(a.level, b.level) }).level >= detect.Medium {
			out = append(out, describe(members, ev))
		}
	}
	slices.SortStableFunc(out, func(a, b casefile.Incident) int {
		la, _ := detect.ParseLevel(a.Severity)
		lb, _ := detect.ParseLevel(b.Severity)
		return cmp.Or(cmp.Compare(lb, la), a.First.Compare(b.First), cmp.Compare(a.Title, b.Title))
	})
	for i := range out {
		out[i].ID = fmt.Sprintf("I%d", i+1)
	}
	return out
}

// maxActors is how many addresses and accounts an incident lists.
const maxActors = 200

func describe(members []*node, ev Evidence) casefile.Incident {
	top := members[0]
	first, last := time.Time{}, time.Time{}
	hosts, actors, accounts, techniques := make(map[string]bool), make(map[string]bool), make(map[string]bool), make(map[string]bool)
	var in casefile.Incident
	var end time.Time
	furthest := -1
	for _, n := range members {
		if cmp.Or(cmp.Compare(n.level, top.level), n.first.Compare(top.first)) > 0 {
			top = n // of equally grave ones the last: it says how far they came
		}
		furthest = max(furthest, stageOf(n.rule.Tags))
		if !n.first.IsZero() && (first.IsZero() || n.first.Before(first)) {
			first = n.first
		}
		if n.last.After(last) {
			last = n.last
		}
		if n.host != "" {
			hosts[n.host] = true
		}
		for _, a := range n.actors() {
			actors[a] = true
		}
		for _, a := range append(n.accounts, n.account) {
			if personOf(a) != "" {
				accounts[a] = true
			}
		}
		for _, t := range n.rule.Tags {
			if id := techniqueID(t); id != "" {
				techniques[id] = true
			}
		}
		in.Findings += n.count
		if t, ok := ev.End(n.source); ok && t.After(end) {
			end = t
		}
	}
	in.Severity = top.level.String()
	in.Stage = stageName(furthest)
	in.Techniques = slices.AppendSeq([]string{}, maps.Keys(techniques))
	slices.Sort(in.Techniques)
	in.First, in.Last = first, last
	in.Active = !end.IsZero() && !last.IsZero() && end.Sub(last) < min(max(last.Sub(first), quietAtLeast), quietAtMost)
	in.Hosts = sortedKeys(hosts, maxActors)
	in.Actors = sortedKeys(actors, maxActors)
	in.Accounts = sortedKeys(accounts, maxActors)
	in.Steps = steps(members)
	in.Title = title(top, in, len(actors))
	in.Summary = summary(in, len(actors))
	return in
}

// actors returns who acted in the run: addresses, or the account where no address is known.
func (n *node) actors() []string {
	switch {
	case n.client != "":
		return []string{n.client}
	case len(n.clients) > 0:
		return n.clients
	case n.person() != "":
		return []string{n.account}
	}
	return nil
}

func sortedKeys(set map[string]bool, most int) []string {
	list := slices.AppendSeq([]string{}, maps.Keys(set))
	slices.Sort(list)
	return list[:min(len(list), most)]
}

// steps puts together the runs of one rule.
func steps(members []*node) []casefile.Step {
	byRule := make(map[string]int)
	out := []casefile.Step{}
	hosts, actors := []map[string]bool{}, []map[string]bool{}
	for _, n := range members {
		i, ok := byRule[ruleKey(n.rule)]
		if !ok {
			i = len(out)
			byRule[ruleKey(n.rule)] = i
			out = append(out, casefile.Step{Rule: n.rule, Stage: stageName(stageOf(n.rule.Tags)), First: n.first, Last: n.last})
			hosts, actors = append(hosts, make(map[string]bool)), append(actors, make(map[string]bool))
		}
		s := &out[i]
		if n.first.Before(s.First) {
			s.First = n.first
		}
		if n.last.After(s.Last) {
			s.Last = n.last
		}
		s.Count += n.count
		if n.host != "" {
			hosts[i][n.host] = true
		}
		for _, a := range n.actors() {
			actors[i][a] = true
		}
		s.Evidence = append(s.Evidence, n.evidence[:min(len(n.evidence), maxEvidence-min(maxEvidence, len(s.Evidence)))]...)
	}
	for i := range out {
		out[i].Hosts, out[i].Actors = sortedKeys(hosts[i], maxActors), sortedKeys(actors[i], maxActors)
	}
	slices.SortStableFunc(out, func(a, b casefile.Step) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(stageOf(a.Rule.Tags), stageOf(b.Rule.Tags)), cmp.Compare(a.Rule.Title, b.Rule.Title))
	})
	return out
}

func title(top *node, in casefile.Incident, actors int) string {
	t := top.rule.Title
	switch n := len(in.Hosts); {
	case n > 0 && n <= 2:
		t += " on " + strings.Join(in.Hosts, " and ")
	case n > 2:
		t += fmt.Sprintf(" on %d hosts", n)
	}
	if a := personOf(top.account); a != "" && top.client != "" {
		t += ", account " + top.account
	}
	switch {
	case actors == 1 && top.client != "":
		t += ", from " + in.Actors[0]
	case actors > 1 && top.client != "":
		t += fmt.Sprintf(", from %s and %d more", top.client, actors-1)
	case actors > 1:
		t += fmt.Sprintf(", by %d actors", actors)
	}
	return t
}

func summary(in casefile.Incident, actors int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s", count(in.Findings, "finding"), count(int64(len(in.Steps)), "rule"))
	switch {
	case in.First.IsZero():
		b.WriteString(", at a time the evidence does not give")
	case in.First.Equal(in.Last):
		fmt.Fprintf(&b, ", at %s", stamp(in.First))
	default:
		fmt.Fprintf(&b, ", from %s to %s", stamp(in.First), stamp(in.Last))
	}
	switch {
	case actors == 1:
		fmt.Fprintf(&b, ", by %s", in.Actors[0])
	case actors > 1:
		fmt.Fprintf(&b, ", by %d addresses and accounts", actors)
	}
	b.WriteString(".")
	if steps := grave(in); len(steps) > 0 {
		b.WriteString(" In order: ")
		for i, s := range steps[:min(len(steps), maxTold)] {
			if i > 0 {
				b.WriteString("; ")
			}
			b.WriteString(s.Rule.Title)
			if !s.First.IsZero() {
				fmt.Fprintf(&b, " (%s)", clock(s.First, in.First))
			}
		}
		if more := len(steps) - maxTold; more > 0 {
			fmt.Fprintf(&b, "; and %d more", more)
		}
		b.WriteString(".")
	}
	if in.Active {
		b.WriteString(" It was still going on when the logs that show it end.")
	}
	return b.String()
}

// maxTold is how many steps a summary tells.
const maxTold = 12

// grave returns the steps of the two highest levels there are in the incident, in order of time, and at least those
// above low.
func grave(in casefile.Incident) []casefile.Step {
	top, _ := detect.ParseLevel(in.Severity)
	var out []casefile.Step
	for _, s := range in.Steps {
		if l, _ := detect.ParseLevel(s.Rule.Level); l >= detect.Medium && l+1 >= top {
			out = append(out, s)
		}
	}
	return out
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clock is the time of day of t, with the date where it is not that of the day of since.
func clock(t, since time.Time) string {
	if t, since = t.UTC(), since.UTC(); t.Format(time.DateOnly) == since.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.UTC().Format(time.DateTime)
}
