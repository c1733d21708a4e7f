package evtx

import (
	"testing"

	"github.com/barid-dfir/barid/internal/evtxtest"
)

// hostileChunk has records that all differ in which of the values of a template hold a template of very many fields.
func hostileChunk() []byte {
	many := element("E")
	for range 1200 {
		many.Content = append(many.Content, element("abcdefgh", evtxtest.Subst(0)))
	}
	big, outer := templateOf(1, many), element("O")
	const slots = 12
	for i := range slots {
		outer.Content = append(outer.Content, evtxtest.Subst(i), evtxtest.Subst(i), evtxtest.Subst(i))
	}
	holder := templateOf(2, outer)
	c := evtxtest.NewChunk()
	for n := 1; ; n++ {
		var values []evtxtest.Value
		for i := range slots {
			v := evtxtest.Null()
			if n>>i&1 == 1 {
				v = evtxtest.Nested(evtxtest.Instance{Template: big})
			}
			values = append(values, v)
		}
		if !c.Record(uint64(n), at, evtxtest.Instance{Template: holder, Values: values}) {
			return c.Bytes()
		}
	}
}

func TestHostileLayoutsAreBounded(t *testing.T) {
	chunk := hostileChunk()
	ts := NewTemplates()
	d := NewDecoder(ts)
	d.Begin(chunk)
	records := 0
	for r := d.Next(); r != nil; r = d.Next() {
		records++
	}
	if ts.size > maxLayoutBytes || ts.bytes > maxTemplateBytes || d.built > maxBuilt+maxLayoutSize {
		t.Errorf("kept %d bytes of templates and %d of layouts, built %d", ts.bytes, ts.size, d.built)
	}
	if len(d.Defects()) == 0 {
		t.Error("got no defects")
	}
	t.Logf("%d records, %d defects, layouts of %d bytes", records, len(d.Defects()), ts.size)
}

// BenchmarkHostile decodes a chunk made to cost as much as it can, with nothing compiled.
func BenchmarkHostile(b *testing.B) {
	chunk := hostileChunk()
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(NewTemplates())
		d.Begin(chunk)
		for r := d.Next(); r != nil; r = d.Next() {
			sink += len(r.Values)
		}
	}
}
