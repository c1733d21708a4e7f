package disclose

import (
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose/draft"
	"github.com/barid-dfir/barid/internal/lang"
)

// What people say is not written where the evidence says otherwise: a draft that holds both says neither, and people settle it.

// conflict adds, in place of what the facts say, that the case contradicts it.
func (d *drafter) conflict(about, id, key string) {
	d.add(draft.Statement{About: about, Label: d.label(about), Said: d.l.Words(id), Basis: draft.Open, Refs: []string{"case.json"}, Closes: []string{key}})
}

// notConfidential returns the message that says why confidentiality cannot be said to be unaffected; "" where it can.
func (d *drafter) notConfidential() string {
	if c := d.f.Impact.Data.Confidentiality; c == nil || *c {
		return ""
	}
	id := ""
	for _, kind := range []string{kindMailbox, kindMessage, kindFolder, kindFile} {
		k := d.x.Kinds[kind]
		if k.all() == 0 {
			continue
		}
		for _, n := range []casefile.VerdictCounts{k.Content, k.Metadata} {
			if n.Confirmed > 0 {
				return "conflict.confidentiality.confirmed"
			}
			if n.Possible > 0 {
				id = "conflict.confidentiality.possible"
			}
		}
	}
	return id
}

// accessed names the verdicts by which something with content, or its metadata, was accessed.
func (d *drafter) accessed() (refs []string) {
	for _, kind := range []string{kindMailbox, kindMessage, kindFolder, kindFile} {
		if k := d.x.Kinds[kind]; k != nil && k.Content.Confirmed+k.Metadata.Confirmed > 0 {
			refs = append(refs, "verdicts "+kind+" confirmed")
		}
	}
	return refs
}

// confidentiality answers whether the confidentiality of data is affected: as people say, or else as records prove.
func (d *drafter) confidentiality() {
	const key = keyImpact + "data.confidentiality"
	if id := d.notConfidential(); id != "" {
		d.conflict("confidentiality", id, key)
		return
	}
	if refs := d.accessed(); d.f.Impact.Data.Confidentiality == nil && len(refs) > 0 {
		d.shown("confidentiality", d.l.Words("form.yes"), refs...)
		return
	}
	d.given("confidentiality", d.yesNo(d.f.Impact.Data.Confidentiality), key)
}

// malicious answers whether unlawful or malicious acts are suspected.
func (d *drafter) malicious() {
	const key = keyIncident + "malicious"
	if d.harmlessContradicted() {
		d.conflict("malicious", "conflict.malicious", key)
		return
	}
	d.given("malicious", d.yesNo(d.f.Incident.Malicious), key)
}

func (d *drafter) harmlessContradicted() bool {
	m := d.f.Incident.Malicious
	return m != nil && !*m && attackerSessions(d.c) > 0
}

// affected says how many persons are affected.
func (d *drafter) affected() {
	const key = keyData + "persons"
	if id := d.notNobody(); id != "" {
		d.conflict("persons", id, key)
		return
	}
	var said lang.Words
	if p := d.f.PersonalData.Persons; p != nil {
		said = d.quantity(p)
	}
	d.given("persons", said, key)
}

// notNobody returns the message that says why it cannot be said that nobody is affected; "" where it can.
func (d *drafter) notNobody() string {
	p, k := d.f.PersonalData.Persons, d.x.Kinds[kindMailbox]
	switch {
	case p == nil || p.Value != 0 || k == nil:
	case k.Content.Confirmed+k.MetadataConfirmed > 0:
		return "conflict.persons"
	case k.Content.Possible+k.MetadataPossible > 0:
		return "conflict.persons.possible"
	}
	return ""
}
