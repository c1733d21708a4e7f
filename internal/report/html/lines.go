package html

import (
	"cmp"

	"github.com/barid-dfir/barid/internal/casefile"
)

// lineView is a record as it stands in the evidence, where the case has it.
type lineView struct {
	Raw      string
	Cut      bool
	Withheld bool // left out to keep the page small
}

// lines are the records that proofs on the page name, in the case or to be found among the findings, and how many bytes of records may
// still be shown.
type lines struct {
	records map[casefile.Place]casefile.Record
	wanted  map[position][]*lineView
	left    int
}

type position struct {
	source       string
	offset, item int64 // item is the number of the line, or of the record
}

func newLines(records map[casefile.Place]casefile.Record) *lines {
	return &lines{records: records, wanted: make(map[position][]*lineView), left: maxRawInAll}
}

// want returns the place for the record of a proof.
func (l *lines) want(p *casefile.Proof) *lineView {
	v := new(lineView)
	if r, ok := l.records[casefile.Place{Source: p.Source, Offset: p.Offset}]; ok {
		*v = l.show(r.Raw)
		v.Cut = v.Cut || r.Cut && !v.Withheld
		return v
	}
	at := position{p.Source, p.Offset, cmp.Or(p.Line, p.Record)}
	l.wanted[at] = append(l.wanted[at], v)
	return v
}

// see fills in what a finding shows of the records that are wanted.
func (l *lines) see(f *casefile.Finding) {
	at := position{f.Source.Path, f.Source.Offset, cmp.Or(f.Source.Line, f.Source.Record)}
	list := l.wanted[at]
	if len(list) == 0 {
		return
	}
	raw := f.Raw
	if raw == "" {
		raw = string(f.Event)
	}
	for _, v := range list {
		*v = l.show(raw)
	}
	delete(l.wanted, at)
}

// show cuts a record, and leaves it out where the page has enough of them.
func (l *lines) show(raw string) lineView {
	v := lineView{Raw: raw}
	if len(raw) > maxRaw {
		v.Raw, v.Cut = cut(raw, maxRaw), true
	}
	if len(v.Raw) > l.left {
		return lineView{Withheld: true}
	}
	l.left -= len(v.Raw)
	return v
}
