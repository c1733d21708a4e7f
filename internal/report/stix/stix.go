// Package stix writes what others may be given of a case as a STIX 2.1 bundle (OASIS Standard, 10 June 2021), with the marking of the case
// by the TLP 2.0 extension of the OASIS common objects.
//
// The bundle has: who it is from; an incident object for each incident, the techniques and vulnerabilities in it; indicators for the
// addresses, client programs and web shells of the attacker, with what was observed of the addresses; what was reached, what is not
// known and what was left out, as notes; what to do next; and the words in French and Arabic. It has no name of a person, account,
// mailbox or host, and at most as many objects as package share holds: what is beyond that is counted in a note.
//
// Identifiers are made of the content. created and modified are the end of what the case knows: never when the bundle was written.
package stix

import (
	"io"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/ident"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/share"
)

// maxCount is the largest number that STIX lets an object count.
const maxCount = 999_999_999

// tlpExtension is the extension definition of TLP 2.0 (oasis-open/cti-stix-common-objects).
const tlpExtension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

func tlpID(t casefile.TLP) string { return "marking-definition--" + share.TLPUUID(t) }

// Write writes a bundle.
func Write(w io.Writer, in *input.Input) error {
	v, err := share.Of(in)
	if err != nil {
		return err
	}
	b, err := newBuilder(v)
	if err != nil {
		return err
	}
	b.build()
	return b.write(w)
}

// builder puts a bundle together.
type builder struct {
	v       *share.View
	english *lang.Language
	others  []*lang.Language // in the order of their tags
	at      string           // created and modified
	barid   object           // the identity of Barid
	marking string
	objects []object
	refs    []string // what the report is about
}

func newBuilder(v *share.View) (*builder, error) {
	b := &builder{v: v, at: stamp(v.Time), marking: tlpID(v.Marking), barid: barid()}
	for _, tag := range lang.Tags() {
		l, err := lang.Find(tag)
		if err != nil {
			return nil, err
		}
		if tag == lang.English {
			b.english = l
		} else {
			b.others = append(b.others, l)
		}
	}
	return b, nil
}

// write writes the objects as a bundle, one a line.
func (b *builder) write(w io.Writer) error {
	var lines [][]byte
	all := []byte{}
	for i := range b.objects {
		line, err := casefile.EncodeValue(&b.objects[i], "")
		if err != nil {
			return err
		}
		lines = append(lines, line[:len(line)-1])
		if b.objects[i].Type != "language-content" { // a better translation makes no other bundle
			all = append(append(all, b.objects[i].ID...), ' ')
		}
	}
	if _, err := io.WriteString(w, `{"type":"bundle","id":"bundle--`+ident.V5(ident.Barid, all).String()+`","objects":[`); err != nil {
		return err
	}
	for i, line := range lines {
		sep := ",\n"
		if i == 0 {
			sep = "\n"
		}
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

// phrase says something in a language.
type phrase func(l *lang.Language) string

// say is the message id with what is filled in.
func say(id string, args ...any) phrase {
	return func(l *lang.Language) string { return l.Text(id, args...) }
}

// add adds an object that Barid made, and what its words are in other languages. It returns its identifier.
func (b *builder) add(o object, words map[string]phrase) string {
	o.SpecVersion, o.Created, o.Modified, o.Markings = "2.1", b.at, b.at, []string{b.marking}
	o.CreatedBy = b.barid.ID
	for field, p := range words {
		o.Lang = lang.English
		set(&o, field, p(b.english))
	}
	o = named(o)
	b.put(o)
	contents := map[string]texts{}
	for _, l := range b.others {
		t := texts{}
		for field, p := range words {
			if s := p(l); s != p(b.english) {
				t[field] = s
			}
		}
		if len(t) > 0 {
			contents[l.Tag()] = t
		}
	}
	if len(contents) > 0 {
		b.put(named(object{Type: "language-content", SpecVersion: "2.1", CreatedBy: o.CreatedBy, Created: b.at, Modified: b.at, Markings: o.Markings,
			ObjectRef: o.ID, ObjectModified: o.Modified, Contents: contents}))
	}
	return o.ID
}

// put adds an object.
func (b *builder) put(o object) {
	b.objects = append(b.objects, o)
	if o.Type != "language-content" && o.Type != "marking-definition" {
		b.refs = append(b.refs, o.ID)
	}
}

// set sets a field that can be translated.
func set(o *object, field, text string) {
	switch field {
	case "name":
		o.Name = text
	case "description":
		o.Description = text
	case "abstract":
		o.Abstract = text
	case "content":
		o.Content = text
	}
}

// barid returns the identity of Barid, which does not depend on the case.
func barid() object {
	const epoch = "2026-01-01T00:00:00.000Z"
	return named(object{Type: "identity", SpecVersion: "2.1", Created: epoch, Modified: epoch, Name: "Barid", IdentityClass: "system", Markings: []string{tlpID(casefile.TLPClear)}})
}

// tlp returns a marking as it is published: its identifier and time are fixed.
func tlp(t casefile.TLP) object {
	return object{Type: "marking-definition", SpecVersion: "2.1", ID: tlpID(t), Created: share.TLPPublished, Name: t.String(),
		Extensions: map[string]tlpMarking{tlpExtension: {"property-extension", t.Name()}}}
}
