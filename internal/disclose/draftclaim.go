package disclose

import (
	"strconv"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// claims gathers what case and facts say on the questions that drafts answer, whatever the form.
func (d *drafter) claims() {
	for _, kind := range []string{kindMailbox, kindMessage, kindFolder, kindFile} {
		k := d.x.Kinds[kind]
		d.claimReach("reached."+kind+".content", k, func(k *KindExtent) casefile.VerdictCounts { return k.Content })
		d.claimReach("reached."+kind+".metadata", k, func(k *KindExtent) casefile.VerdictCounts { return k.Metadata })
	}
	for _, kind := range []string{kindHost, kindCredential, kindShell} {
		d.claimReach("reached."+kind, d.x.Kinds[kind], func(k *KindExtent) casefile.VerdictCounts { return k.Content })
	}
	about := "messages"
	if d.x.Kinds[kindMailbox] == nil && d.x.Kinds[kindMessage] == nil {
		d.claim(draft.Claim{About: about, Open: true}, lang.Words{})
	} else {
		m := d.x.Messages
		d.claim(draft.Claim{About: about, Number: true, Lower: m.Lower, Upper: m.Upper}, d.l.Between(m.Lower, m.Upper))
	}
	in, data := &d.f.Incident, &d.f.Impact.Data
	confidential := data.Confidentiality
	if confidential == nil && len(d.accessed()) > 0 {
		yes := true
		confidential = &yes
	}
	for _, b := range []struct {
		about string
		is    *bool
		open  bool // for the case contradicts it
	}{{"malicious", in.Malicious, d.harmlessContradicted()}, {"cross_border", in.CrossBorder, false},
		{"confidentiality", confidential, d.notConfidential() != ""}, {"integrity", data.Integrity, false},
		{"availability", data.Availability, false}, {"unintelligible", d.f.PersonalData.Unintelligible, false}} {
		c := draft.Claim{About: b.about, Open: b.is == nil || b.open}
		if !c.Open {
			c.Value = strconv.FormatBool(*b.is)
		}
		d.claim(c, d.yesNo(b.is))
	}
	for _, t := range []struct {
		about string
		at    *time.Time
	}{{"occurred", in.Occurred}, {"detected", in.Detected}, {"aware", in.Aware}, {"recovered", in.Recovered}} {
		c := draft.Claim{About: t.about, Open: t.at == nil}
		if t.at != nil {
			c.Value = t.at.UTC().Format(time.RFC3339)
		}
		d.claim(c, d.whenOf(t.at))
	}
	for _, q := range []struct {
		about string
		of    *Quantity
	}{{"persons", d.f.PersonalData.Persons}, {"records", d.f.PersonalData.Records}, {"clients", d.f.Impact.Clients.Number}} {
		c := draft.Claim{About: q.about, Open: q.of == nil || q.about == "persons" && d.notNobody() != ""}
		if !c.Open {
			c.Value, c.Estimate = strconv.FormatFloat(q.of.Value, 'f', -1, 64), q.of.Basis == "estimate"
		}
		d.claim(c, d.quantity(q.of))
	}
}

// claimReach says how many of a kind were reached: at least those confirmed, at most those possible besides.
func (d *drafter) claimReach(about string, k *KindExtent, of func(*KindExtent) casefile.VerdictCounts) {
	if k.all() == 0 {
		d.claim(draft.Claim{About: about, Open: true}, lang.Words{})
		return
	}
	n := of(k)
	d.claim(draft.Claim{About: about, Number: true, Lower: n.ConfirmedLeast(), Upper: n.Confirmed + n.Possible}, d.l.Between(n.ConfirmedLeast(), n.Confirmed+n.Possible))
}

func (d *drafter) claim(c draft.Claim, said lang.Words) {
	if c.Open {
		said = d.l.Words("state.unknown")
	}
	c.Says = draft.Plain(said)
	d.out.Claims = append(d.out.Claims, c)
}

// correct begins the draft with what an earlier one said that no longer holds: nobody goes back in silence.
func (d *drafter) correct() {
	corrected, news := d.earlier.Compare(d.out.Claims)
	if len(corrected) > 0 {
		d.section("correction", law{})
		d.current().Alert = true
		d.sentence("correction", d.l.Words("form.correction", "n", len(corrected)), draft.Case, "earlier draft "+d.earlier.Form)
		d.changes("correction", "form.corrected", corrected)
	}
	if len(news) > 0 {
		d.section("news", law{})
		d.current().Internal = d.out.Outward
		d.changes("news", "form.news", news)
	}
}

func (d *drafter) changes(about, id string, list []draft.Change) {
	for _, c := range list {
		was, now := c.Was.Says, c.Now.Says
		if c.Was.Open {
			was = draft.Plain(d.l.Words("state.unknown"))
		}
		nowWords := d.name(now)
		if c.Now.Open {
			nowWords = d.l.Words("state.unknown")
		}
		d.add(draft.Statement{About: about + "." + c.Now.About, Label: d.claimLabel(c.Now.About), Basis: draft.Case, Refs: []string{"earlier draft " + d.earlier.Form, c.Now.About},
			Said: d.l.Words(id, "was", d.name(shortened(was, 500)), "now", nowWords)})
	}
}

// claimLabel is what a claim is about, in words. A question that this program does not ask keeps its name.
func (d *drafter) claimLabel(about string) lang.Words {
	if id := "form.label." + about; d.l.Has(id) {
		return d.l.Words(id)
	}
	return d.l.Values(about)[0]
}
