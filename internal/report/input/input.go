// Package input is what outputs are made of.
package input

import (
	"iter"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// Input is a case as an output reads it. What may be long is gone through, not held.
type Input struct {
	// Case is case.json without Reached, which is nil. It is not to be changed.
	Case *casefile.Case
	// Findings yields findings.jsonl in order of (time, source, offset, rule), and Reached the verdicts in the order of
	// case.json; each item is valid until the next. Both can be gone through more than once.
	Findings iter.Seq2[*casefile.Finding, error]
	Reached  iter.Seq2[*casefile.Reached, error]
	// Records are the records of the evidence that verdicts lean on, as far as the case has them word for word.
	Records map[casefile.Place]casefile.Record
	// Lang is the language of outputs for people; nil is English. Outputs for programs do not depend on it.
	Lang *lang.Language
}

// Language returns Lang, or English.
func (in *Input) Language() (*lang.Language, error) {
	if in.Lang != nil {
		return in.Lang, nil
	}
	return lang.Find(lang.English)
}

// Of returns the input of a case that is in memory as a whole.
func Of(c *casefile.Case, findings iter.Seq2[*casefile.Finding, error]) *Input {
	short := *c
	short.Reached = nil
	if findings == nil {
		findings = func(func(*casefile.Finding, error) bool) {}
	}
	return &Input{Case: &short, Findings: findings, Reached: func(yield func(*casefile.Reached, error) bool) {
		for i := range c.Reached {
			if !yield(&c.Reached[i], nil) {
				return
			}
		}
	}}
}

// Open returns the input of the case in dir.
func Open(dir string) (*Input, error) {
	c, err := casefile.OpenExcept(dir, "reached")
	if err != nil {
		return nil, err
	}
	records, err := casefile.ReadRecords(dir)
	if err != nil {
		return nil, err
	}
	return &Input{Case: c, Findings: casefile.Findings(dir), Reached: casefile.Verdicts(dir), Records: records}, nil
}
