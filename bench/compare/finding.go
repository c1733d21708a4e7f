//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// A finding is one record that one rule matched.
type finding struct {
	rule    string // the id of the Sigma rule
	at      record
	channel string
	// recovered says that the record was found in the unused part of a log. Scanners that can look there do so only when
	// told to, so such findings are counted and not compared.
	recovered bool
}

// A record is named by its computer and number, as all scanners print them. The channel is not part of it: an event can
// have a field of that name beside the one that says where it was logged, and scanners show one or the other. The same
// record in two copies of a log is two findings at one record.
type record struct{ host, number string }

// A place is how many findings of one rule a record has, and the channel it was said to be of.
type place struct {
	n       int
	channel string
}

var errNoRules = errors.New("knows no rules")

// A number is a JSON number, or a string that holds one.
type number string

func (n *number) UnmarshalJSON(p []byte) error {
	*n = number(bytes.Trim(p, `"`))
	return nil
}

// A system is what the fields of <System> are called, alone or among the other fields of a flat event.
type system struct {
	Computer, Channel string
	EventRecordID     number
}

func (s system) finding(rule string) finding {
	return finding{rule: rule, at: record{s.Computer, string(s.EventRecordID)}, channel: s.Channel}
}

// jsonLines calls do for every line of a file that is an object.
func jsonLines(name string, do func(line []byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := eachLine(f, do); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func eachLine(r io.Reader, do func(line []byte) error) error {
	b := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if l := bytes.TrimSpace(line); len(l) > 0 && l[0] == '{' {
			if err := do(l); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// read counts the findings of a tool, those apart that are not of the rules given: a scanner may know more than rules.
func (e *entry) read(j *job) {
	e.found = map[string]map[record]place{}
	e.err = e.tool.findings(j, e.out, func(f finding) {
		id := strings.ToLower(f.rule)
		if _, ok := j.index.rules[id]; !ok {
			e.foreign++
			return
		}
		if f.recovered {
			e.recovered++
			return
		}
		m := e.found[id]
		if m == nil {
			m = map[record]place{}
			e.found[id] = m
		}
		f.at.host = strings.ToLower(f.at.host)
		m[f.at] = place{m[f.at].n + 1, f.channel}
		e.lines++
	})
	if e.err != nil && len(e.found) == 0 {
		e.found = nil
	}
}

// count is the number of findings of a rule.
func (e *entry) count(rule string) int {
	n := 0
	for _, p := range e.found[rule] {
		n += p.n
	}
	return n
}

var _ json.Unmarshaler = (*number)(nil)
