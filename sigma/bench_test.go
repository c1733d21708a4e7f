package sigma

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/event"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// BenchmarkLoad is from a zip of all SigmaHQ rules to the first event of Sysmon 1 that was matched.
func BenchmarkLoad(b *testing.B) {
	name := sharedtest.Path(b, "evidence", "sigma-rules", "sigma-rules.zip")
	s := &shaper{utf16: true}
	var first *event.Event
	for _, c := range regressionCases(b, s) {
		if c.events[0].Shape.Sources[0].Category == "process_creation" {
			first = c.events[0]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Load(name)
		if err != nil {
			b.Fatal(err)
		}
		e, _ := Compile(p, Options{})
		if len(e.NewMatcher().Match(first)) == 0 {
			b.Fatal("no match")
		}
	}
}

// BenchmarkStart tells what each stage from the files of rules to the first event costs one processor.
func BenchmarkStart(b *testing.B) {
	z, err := zip.OpenReader(sharedtest.Path(b, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	dir := b.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		b.Fatal(err)
	}
	var first *event.Event
	for _, c := range regressionCases(b, &shaper{utf16: true}) {
		if c.events[0].Shape.Sources[0].Category == "process_creation" {
			first = c.events[0]
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	stages := []string{"read-ms", "yaml-ms", "parse-ms", "compile-ms", "bind-ms"}
	spent := make([]time.Duration, len(stages))
	for b.Loop() {
		i, began := 0, time.Now()
		done := func() {
			spent[i] += time.Since(began)
			i, began = i+1, time.Now()
		}
		var names []string
		var texts [][]byte
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && isRuleFile(name) {
				var data []byte
				data, err = os.ReadFile(filepath.Join(dir, name))
				names, texts = append(names, name), append(texts, data)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		done()
		var r yamlReader
		for _, data := range texts {
			r.documents(data)
		}
		done()
		p := &Pack{}
		for i, data := range texts {
			p.add(parseOne(names[i], data, &r).pack)
		}
		p.dropDuplicates()
		done()
		e, _ := Compile(p, Options{})
		done()
		if len(e.NewMatcher().Match(first)) == 0 {
			b.Fatal("no match")
		}
		done()
	}
	spent[2] -= spent[1] // parsing reads the YAML once more
	for i, name := range stages {
		b.ReportMetric(float64(spent[i].Microseconds())/1000/float64(b.N), name)
	}
}

// BenchmarkHeap reports what all rules and the programs for all events hold.
func BenchmarkHeap(b *testing.B) {
	name := sharedtest.Path(b, "evidence", "sigma-rules", "sigma-rules.zip")
	events := otrf(b, &shaper{utf16: true}, 5000)
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		before := heap()
		p, _ := Load(name)
		e, _ := Compile(p, Options{})
		p = nil
		rules := heap()
		m := e.NewMatcher()
		for _, ev := range events {
			m.Match(ev)
		}
		b.ReportMetric(rules-before, "MiB-rules")
		b.ReportMetric(heap()-before, "MiB-all")
		runtime.KeepAlive(p)
		runtime.KeepAlive(m)
	}
}

func valueBytes(events []*event.Event) int64 {
	n := 0
	for _, ev := range events {
		for _, v := range ev.Values {
			n += len(v.Data)
		}
	}
	return int64(n)
}

// calibrate reports what a fixed computation takes on this machine at this moment: some 4 cycles for each byte.
func calibrate(b *testing.B) {
	h := uint64(14695981039346656037)
	start := time.Now()
	for i := range 1 << 20 {
		h = (h ^ uint64(i&0xFF)) * 1099511628211
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/(1<<20)+float64(h&1)*1e-9, "calibration-ns")
}

// packed returns the events with their values next to one another in memory, as in a block that was just read.
func packed(events []*event.Event) []*event.Event {
	arena := make([]byte, 0, valueBytes(events))
	rows := []event.Value{}
	for _, ev := range events {
		rows = append(rows, ev.Values...)
	}
	list := make([]event.Event, len(events))
	out := make([]*event.Event, len(events))
	for i, ev := range events {
		list[i] = *ev
		out[i] = &list[i]
		list[i].Values, rows = rows[:len(ev.Values)], rows[len(ev.Values):]
		if len(ev.Raw) > 0 {
			continue // the values are views of it
		}
		for j, v := range ev.Values {
			from := len(arena)
			arena = append(arena, v.Data...)
			list[i].Values[j].Data = arena[from:len(arena):len(arena)]
		}
	}
	return out
}

func benchmarkMatch(b *testing.B, e *Engine, events []*event.Event) {
	events = packed(events)
	m := e.NewMatcher()
	hits := 0
	for _, ev := range events {
		hits += len(m.Match(ev))
	}
	candidates, judged := 0, 0
	for _, ev := range events {
		m.Match(ev)
		candidates += len(m.candidate)
		judged += len(m.program(ev.Shape).always)
	}
	b.SetBytes(valueBytes(events) / int64(len(events)))
	b.ReportAllocs()
	i := 0
	report := reportCPU(b)
	for b.Loop() {
		m.Match(events[i])
		if i++; i == len(events) {
			i = 0
		}
	}
	report()
	calibrate(b)
	b.ReportMetric(float64(hits)/float64(len(events)), "matches/event")
	b.ReportMetric(float64(candidates)/float64(len(events)), "candidates/event")
	b.ReportMetric(float64(judged)/float64(len(events)), "always/event")
}

func BenchmarkMatchWindows(b *testing.B) {
	e, _ := Compile(sigmaHQ(b), Options{})
	for _, utf16 := range []bool{true, false} {
		s := &shaper{utf16: utf16}
		events := otrf(b, s, 40000)
		name := map[bool]string{true: "UTF16", false: "JSON"}[utf16]
		b.Run(name, func(b *testing.B) { benchmarkMatch(b, e, events) })
		if utf16 {
			var created []*event.Event
			for _, ev := range events {
				if len(ev.Shape.Sources) > 0 && ev.Shape.Sources[0].Category == "process_creation" {
					created = append(created, ev)
				}
			}
			shuffled := slices.Clone(events)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			b.Run("Shuffled", func(b *testing.B) { benchmarkMatch(b, e, shuffled) })
			b.Run("ProcessCreation", func(b *testing.B) { benchmarkMatch(b, e, created) })
			var dense []*event.Event
			for _, c := range regressionCases(b, s) {
				dense = append(dense, c.events...)
			}
			b.Run("Attacks", func(b *testing.B) { benchmarkMatch(b, e, dense) })
		}
	}
}

// webEvents are lines of a web server, and the values in them.
func webEvents(n int) []*event.Event {
	names := []string{"c-ip", "cs-username", "date", "cs-method", "cs-uri-stem", "cs-uri-query", "sc-status", "sc-bytes", "cs-referer", "cs-user-agent"}
	fields := make([]event.Field, len(names))
	for i, n := range names {
		fields[i].Name = n
	}
	shape := event.NewShape("web.combined", []event.LogSource{{Product: "nginx", Category: "webserver"}}, fields)
	stems := []string{"/", "/index.html", "/blog/2016/03/how-to-read-a-log", "/images/header/logo-small.png", "/wp-content/themes/twenty/style.css",
		"/api/v2/items/4711/comments", "/search", "/robots.txt", "/feed/atom.xml", "/downloads/manual-1.4.pdf"}
	queries := []string{"-", "-", "-", "ver=4.4.2", "q=winter+tyres&page=3", "utm_source=newsletter&utm_medium=mail&id=20160311"}
	agents := []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"Mozilla/5.0 (compatible; ExampleBot/2.1; +http://www.example.com/bot.html)",
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
	}
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var events []*event.Event
	for range n {
		values := []string{fmt.Sprintf("198.51.100.%d", r.IntN(256)), "-", "09/Mar/2024:18:05:00 +0000", "GET", pick(stems), pick(queries), "200",
			fmt.Sprint(r.IntN(90000)), "http://www.example.org" + pick(stems), pick(agents)}
		var raw []byte
		at := make([]int, len(values))
		for i, v := range values {
			at[i] = len(raw)
			raw = append(append(raw, v...), ' ')
		}
		ev := &event.Event{Shape: shape, Raw: raw, Values: make([]event.Value, len(values))}
		for i, v := range values {
			if v != "-" {
				ev.Values[i] = event.Value{Kind: event.UTF8, Data: raw[at[i] : at[i]+len(v)]}
			} else {
				ev.Values[i] = event.Value{Kind: event.Null}
			}
		}
		events = append(events, ev)
	}
	return events
}

func BenchmarkMatchWeb(b *testing.B) {
	e, _ := Compile(sigmaHQ(b), Options{})
	benchmarkMatch(b, e, webEvents(5000))
}

// BenchmarkBind is the binding of a Shape like others that were bound.
func BenchmarkBind(b *testing.B) {
	e, _ := Compile(sigmaHQ(b), Options{})
	events := otrf(b, &shaper{utf16: true}, 5000)
	for _, ev := range events {
		e.Bind(ev.Shape)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.bind(events[i%len(events)].Shape)
		i++
	}
}
