package evtx

import (
	"crypto/sha256"
	"sort"
	"testing"
)

// corpus is every chunk of the attack samples and the conformance files, and the bytes and number of its records.
type corpus struct {
	chunks  [][]byte
	bytes   int64
	records int
}

func loadCorpus(b *testing.B) *corpus {
	c := new(corpus)
	d := NewDecoder(NewTemplates())
	for _, archive := range []string{"evtx-attack-samples.zip", "parser-conformance.zip"} {
		files := unzip(b, ".evtx", "evidence", "windows-evtx", archive)
		var names []string
		for name := range files {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			for _, chunk := range chunks(files[name]) {
				if allZero(chunk) {
					continue
				}
				c.chunks = append(c.chunks, chunk)
				d.Begin(chunk)
				for r := d.Next(); r != nil; r = d.Next() {
					c.bytes += int64(r.Size)
					c.records++
				}
			}
		}
	}
	return c
}

func (c *corpus) bench(b *testing.B, d *Decoder, each func(*Record)) {
	run := func() {
		for _, chunk := range c.chunks {
			d.Begin(chunk)
			for r := d.Next(); r != nil; r = d.Next() {
				each(r)
			}
		}
	}
	run() // compiles what is to be compiled
	b.SetBytes(c.bytes)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(c.records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

var sink int

// BenchmarkSlots decodes the corpus to values, with and without checksums. MB/s are bytes of records.
func BenchmarkSlots(b *testing.B) {
	c := loadCorpus(b)
	for _, skip := range []bool{false, true} {
		name := "checked"
		if skip {
			name = "unchecked"
		}
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(NewTemplates())
			d.SkipChecksums = skip
			c.bench(b, d, func(r *Record) { sink += len(r.Values) })
		})
	}
}

// BenchmarkCold decodes the corpus with nothing compiled before, as the first files of a run are.
func BenchmarkCold(b *testing.B) {
	c := loadCorpus(b)
	b.SetBytes(c.bytes)
	b.ReportAllocs()
	for b.Loop() {
		d := NewDecoder(NewTemplates())
		for _, chunk := range c.chunks {
			d.Begin(chunk)
			for r := d.Next(); r != nil; r = d.Next() {
				sink += len(r.Values)
			}
		}
	}
	b.ReportMetric(float64(c.records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkJSON writes every record of the corpus as JSON.
func BenchmarkJSON(b *testing.B) {
	c := loadCorpus(b)
	var text []byte
	c.bench(b, NewDecoder(NewTemplates()), func(r *Record) {
		text = r.AppendJSON(text[:0])
		sink += len(text)
	})
}

// BenchmarkCalibration hashes the chunks of the corpus, for ratios that hold on other machines; its MB/s are bytes of chunks.
func BenchmarkCalibration(b *testing.B) {
	c := loadCorpus(b)
	var n int64
	for _, chunk := range c.chunks {
		n += int64(len(chunk))
	}
	b.SetBytes(n)
	for b.Loop() {
		for _, chunk := range c.chunks {
			h := sha256.Sum256(chunk)
			sink += int(h[0])
		}
	}
}
