// Package report writes a case in the forms that people and programs take: a folder for each output, and here the table
// of all of them. An output computes nothing that the case does not say.
package report

import (
	"io"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report/cacao"
	"github.com/barid-dfir/barid/internal/report/csv"
	"github.com/barid-dfir/barid/internal/report/html"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/misp"
	"github.com/barid-dfir/barid/internal/report/navigator"
	"github.com/barid-dfir/barid/internal/report/ocsf"
	"github.com/barid-dfir/barid/internal/report/reached"
	"github.com/barid-dfir/barid/internal/report/stix"
	"github.com/barid-dfir/barid/internal/report/timesketch"
	"github.com/barid-dfir/barid/internal/report/veris"
)

// Output is a form of a case.
type Output struct {
	// Name is what --format takes.
	Name string
	// File is a name for a file that holds it.
	File string
	// About says in a few words what it is for.
	About string
	// Write writes the case as it goes through it.
	Write func(w io.Writer, in *input.Input) error
}

// Marked reports whether the output has a place for the marking of the case (TLP 2.0). Lists that are made for tables and pipelines have none.
func (o Output) Marked() bool {
	switch o.Name {
	case "csv", "reached", "jsonl", "timesketch":
		return false
	}
	return true
}

// Outputs returns all outputs, in the order in which they are listed for people.
func Outputs() []Output {
	return []Output{
		{"html", casefile.ReportFile, "a page for people, one file, works offline", html.Write},
		{"csv", casefile.TimelineFile, "every finding, for spreadsheets", csv.Write},
		{"reached", casefile.ReachedFile, "what was reached, for those who write to the people affected", reached.Write},
		{"json", casefile.CaseFile, "the case, for programs", writeJSON},
		{"jsonl", casefile.FindingsFile, "every finding, one JSON line each", writeJSONLines},
		{"timesketch", "timesketch.jsonl", "every finding, for import into Timesketch", timesketch.Write},
		{"navigator", "navigator.json", "techniques, as a layer for the ATT&CK Navigator", navigator.Write},
		{"stix", "stix.json", "what partners need to look for it, as a STIX 2.1 bundle without names of persons or hosts", stix.Write},
		{"misp", "misp.json", "the same as a MISP event", misp.Write},
		{"veris", "veris.json", "the incident for statistics, as VERIS 1.4.1", veris.Write},
		{"ocsf", "ocsf.jsonl", "incidents and findings for a SIEM, as OCSF 1.8 events", ocsf.Write},
		{"cacao", "cacao.json", "what to do next, as a CACAO 2.0 playbook of steps for people", cacao.Write},
	}
}

// Find returns the output called name.
func Find(name string) (Output, bool) {
	for _, o := range Outputs() {
		if o.Name == name {
			return o, true
		}
	}
	return Output{}, false
}

func writeJSON(w io.Writer, in *input.Input) error { return casefile.EncodeTo(w, in.Case, in.Reached) }

func writeJSONLines(w io.Writer, in *input.Input) error {
	var line []byte
	for f, err := range in.Findings {
		if err != nil {
			return err
		}
		line = append(casefile.AppendFinding(line[:0], f), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// WriteCase writes the files of a case that are not lists of findings: case.json, reached.csv and, in the language l, report.html.
// Findings and records are those of the case in dir.
func WriteCase(w *casefile.Writer, c *casefile.Case, dir string, l *lang.Language) error {
	if err := w.WriteCase(c); err != nil {
		return err
	}
	in := input.Of(c, casefile.Findings(dir))
	var err error
	if in.Records, err = casefile.ReadRecords(dir); err != nil {
		return err
	}
	in.Lang = l
	for _, out := range [...]struct {
		file  string
		write func(io.Writer, *input.Input) error
	}{{casefile.ReachedFile, reached.Write}, {casefile.ReportFile, html.Write}} {
		f, err := w.File(out.file)
		if err != nil {
			return err
		}
		if err := out.write(f, in); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
