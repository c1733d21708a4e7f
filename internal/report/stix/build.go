package stix

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/attack"
	"github.com/barid-dfir/barid/internal/report/share"
)

// How sure an indicator is, in the middle of the bands of STIX 2.1, appendix A: high, medium, low.
const (
	sure    = 85
	likely  = 50
	unsure  = 15
	shorten = 1000 // bytes of a name from outside
)

// build makes the objects.
func (b *builder) build() {
	b.objects = append(b.objects, tlp(b.v.Marking))
	if b.v.Marking != casefile.TLPClear {
		b.objects = append(b.objects, tlp(casefile.TLPClear)) // that of the identity of Barid
	}
	b.put(b.barid)
	victim := b.organisation()
	techniques := b.techniques()
	cves := b.vulnerabilities()
	actors := map[netip.Addr][]string{} // the incidents that an address acted in
	var incidents []string
	for i := range b.v.Incidents {
		in := &b.v.Incidents[i]
		id := b.incident(in)
		incidents = append(incidents, id)
		for _, t := range in.Techniques {
			b.relate(id, "related-to", techniques[t])
		}
		for _, c := range in.CVEs {
			b.relate(id, "related-to", cves[c])
		}
		for _, ip := range in.Addresses {
			actors[ip] = append(actors[ip], id)
		}
	}
	for i := range b.v.Addresses {
		b.address(&b.v.Addresses[i], victim, actors[b.v.Addresses[i].IP])
	}
	for i := range b.v.Agents {
		a := &b.v.Agents[i]
		b.indicator(cut(a.Name), "export.agent", "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'", a.Name, unsure, a.First)
	}
	for i := range b.v.Files {
		f := &b.v.Files[i]
		path := "file:name"
		if strings.HasPrefix(f.Path, "/") {
			path = "network-traffic:extensions.'http-request-ext'.request_value"
		}
		b.indicator(cut(f.Path), "export.file", path, f.Path, sure, f.First)
	}
	about := incidents
	if len(about) == 0 {
		about = []string{cmp.Or(victim, b.barid.ID)}
	}
	b.notes(about)
	if len(incidents) > 0 {
		for _, action := range [...]string{"preserve", "evict", "rotate", "search"} {
			id := b.add(object{Type: "course-of-action"}, map[string]phrase{"name": say("export.action." + action), "description": say("export.action." + action + ".about")})
			for _, in := range incidents {
				b.relate(id, "related-to", in)
			}
		}
	}
	b.report()
}

// organisation adds whose case it is, and returns its identifier: "" if nobody said.
func (b *builder) organisation() string {
	o := b.v.Organisation
	if o == nil {
		return ""
	}
	var sectors []string
	switch o.Kind {
	case "bank", "financial":
		sectors = []string{"financial-services"}
	case "ministry":
		sectors = []string{"government", "government-national"}
	case "authority", "eu-body":
		sectors = []string{"government"}
	}
	return b.add(object{Type: "identity", Name: cut(event.Visible(o.Name)), IdentityClass: "organization", Sectors: sectors}, nil)
}

// techniques adds the techniques of ATT&CK, and returns their identifiers.
func (b *builder) techniques() map[string]string {
	ids := map[string]string{}
	for _, t := range b.v.Techniques {
		name := attack.Name(t)
		words := map[string]phrase{"name": func(l *lang.Language) string { return cmp.Or(share.Called(t), t) }}
		if name != "" {
			words["name"] = func(l *lang.Language) string { return translated(l.Technique(name), name) }
		}
		ids[t] = b.add(object{Type: "attack-pattern", External: []external{{Source: "mitre-attack", ID: t, URL: attack.URL(t)}}}, words)
	}
	return ids
}

// translated returns words of a language, or the English where it has none.
func translated(w lang.Words, english string) string {
	if s := w.Text(); !strings.Contains(s, "[en] ") {
		return s
	}
	return english
}

func (b *builder) vulnerabilities() map[string]string {
	ids := map[string]string{}
	for _, c := range b.v.CVEs {
		ids[c] = b.add(object{Type: "vulnerability", Name: c, External: []external{{Source: "cve", ID: c}}}, nil)
	}
	return ids
}

func (b *builder) incident(in *share.Incident) string {
	about := func(l *lang.Language) string {
		lines := []string{l.Text("export.incident.findings", "n", in.Findings)}
		if in.First.IsZero() {
			lines = append(lines, l.Text("export.incident.undated"))
		} else {
			lines = append(lines, l.Text("export.incident.times", "first", in.First, "last", in.Last))
		}
		if in.Active {
			lines = append(lines, l.Text("export.incident.active"))
		}
		if in.Stage != "" {
			lines = append(lines, l.Text("export.incident.stage", "stage", l.Tactic(in.Stage)))
		}
		return strings.Join(lines, " ")
	}
	labels := []string{"severity:" + in.Severity}
	if in.Active {
		labels = append(labels, "active")
	}
	return b.add(object{Type: "incident", Labels: labels, External: []external{{Source: "barid", ID: cmp.Or(cut(event.Visible(in.ID)), "incident")}}}, map[string]phrase{
		"name":        func(l *lang.Language) string { return translated(l.RuleTitle(in.Name), in.Name) },
		"description": about,
	})
}

// address adds an address: as an observable, as an indicator, and how often it was seen.
func (b *builder) address(a *share.Address, victim string, incidents []string) {
	kind := "ipv4-addr"
	if a.IP.Is6() {
		kind = "ipv6-addr"
	}
	seen := observable(kind, a.IP.String())
	seen.Markings = []string{b.marking}
	b.put(seen)
	why, confidence := "export.address.seen", likely
	if a.Proven {
		why, confidence = "export.address.proven", sure
	}
	id := b.indicator(a.IP.String(), why, kind+":value", a.IP.String(), confidence, a.First)
	if !a.First.IsZero() {
		first, last, n := stamp(a.First), stamp(a.Last), min(max(a.Seen, 1), maxCount)
		data := b.add(object{Type: "observed-data", FirstObserved: first, LastObserved: last, NumberObserved: n, Objects: []string{seen.ID}}, nil)
		b.relate(id, "based-on", data)
		sighting := object{Type: "sighting", SightingOf: id, ObservedData: []string{data}, FirstSeen: first, LastSeen: last, Count: n}
		if victim != "" {
			sighting.WhereSighted = []string{victim}
		}
		b.add(sighting, nil)
	}
	for _, in := range incidents {
		b.relate(id, "related-to", in)
	}
}

// indicator adds an indicator: what stands at a path of a pattern is value.
func (b *builder) indicator(name, why, path, value string, confidence int, first time.Time) string {
	types := []string{"anomalous-activity"}
	if confidence == sure {
		types = []string{"malicious-activity"}
	}
	from := b.at
	if !first.IsZero() {
		from = stamp(first)
	}
	return b.add(object{Type: "indicator", Name: event.Visible(name), IndicatorTypes: types, Pattern: "[" + path + " = " + quote(value) + "]", PatternType: "stix", PatternVersion: "2.1",
		ValidFrom: from, Confidence: confidence}, map[string]phrase{"description": say(why)})
}

func (b *builder) relate(from, how, to string) {
	if from != "" && to != "" {
		b.add(object{Type: "relationship", Relationship: how, Source: from, Target: to}, nil)
	}
}

// notes adds what was reached, what is not known, and what is left out.
func (b *builder) notes(about []string) {
	b.note("export.reached.name", about, share.ReachedText)
	b.note("export.open.name", about, share.OpenText)
	b.note("export.left.name", about, share.LeftText)
}

// note adds a note of the lines that there are, if there are any.
func (b *builder) note(name string, about []string, lines func(v *share.View, l *lang.Language) []string) {
	if len(lines(b.v, b.english)) > 0 {
		b.add(object{Type: "note", Objects: about}, map[string]phrase{
			"abstract": say(name),
			"content":  func(l *lang.Language) string { return strings.Join(lines(b.v, l), "\n") },
		})
	}
}

// report adds the report, which is about all.
func (b *builder) report() {
	b.add(object{Type: "report", ReportTypes: []string{"threat-report"}, Published: b.at, Objects: slices.Clone(b.refs)}, map[string]phrase{
		"name": say("export.report.name"), "description": say("export.report.about"),
	})
}

// cut shortens a text from outside.
func cut(s string) string {
	if len(s) <= shorten {
		return s
	}
	return strings.ToValidUTF8(s[:shorten], "") + "…"
}
