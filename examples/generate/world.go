package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"log"
	"math/rand/v2"
	"slices"
	"time"
)

// world is where an example happens: people, their addresses, and chance.
type world struct {
	*rand.Rand
	people []person
}

type person struct {
	name   string // ana
	office string // address at work
	home   string
	agent  string // browser
}

var names = []string{"ana", "bilal", "chiara", "dora", "emil", "farah", "goran", "hana", "ivo", "jelena", "karim", "lea", "marek", "nadia", "omar", "petra", "rita", "samir", "tea", "viktor"}

var browsers = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.190 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:86.0) Gecko/20100101 Firefox/86.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.3 Safari/605.1.15",
}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0x6261726964))}
	for i, n := range names {
		w.people = append(w.people, person{name: n, office: fmt.Sprintf("198.51.100.%d", 10+i/5), home: fmt.Sprintf("192.0.2.%d", 20+i), agent: browsers[i%len(browsers)]})
	}
	return w
}

func (w *world) pick(list []string) string { return list[w.IntN(len(list))] }

// between returns a moment from a to b.
func (w *world) between(a, b time.Time) time.Time {
	return a.Add(time.Duration(w.Int64N(int64(b.Sub(a))))).Truncate(time.Millisecond)
}

func (w *world) guid() string {
	a, b := w.Uint64(), w.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a)&0xfff, uint16(b>>48)&0x3fff|0x8000, b&0xffffffffffff)
}

// line is a line of a log and when it was written.
type line struct {
	at   time.Time
	text string
}

// journal is a log that is being written, in any order.
type journal []line

func (j *journal) add(at time.Time, format string, args ...any) {
	*j = append(*j, line{at, fmt.Sprintf(format, args...)})
}

// bytes returns the lines from from to to in order of time, each with the given end.
func (j journal) bytes(from, to time.Time, end string) []byte {
	slices.SortStableFunc(j, func(a, b line) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	var b bytes.Buffer
	for _, l := range j {
		if !l.at.Before(from) && l.at.Before(to) {
			b.WriteString(l.text)
			b.WriteString(end)
		}
	}
	return b.Bytes()
}

func (j journal) all(end string) []byte {
	return j.bytes(time.Time{}, time.Unix(1<<40, 0), end)
}

type file struct {
	name    string
	at      time.Time
	content []byte
}

func zipOf(files []file) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: f.at})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			log.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(p []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if _, err := z.Write(p); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}
