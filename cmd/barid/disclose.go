package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose"
	"github.com/barid-dfir/barid/internal/pipeline"
)

// regimesFlag is the flag of the commands that say what is owed.
type regimesFlag struct {
	Regimes string `placeholder:"DIR" type:"existingdir" help:"Further laws by which something is owed, and calendars (YAML, docs/adding-a-regime.md). The case keeps a copy."`
}

func (f *regimesFlag) regimes() (*disclose.Regimes, error) {
	if f.Regimes == "" {
		return disclose.BuiltinRegimes()
	}
	r, err := disclose.LoadRegimes(os.DirFS(f.Regimes), f.Regimes)
	if err != nil {
		return nil, fmt.Errorf("--regimes: %w", err)
	}
	return r, nil
}

// of returns the regimes that are named, and otherwise those that the case in dir was decided by.
func (f *regimesFlag) of(dir string) (*disclose.Regimes, error) {
	if f.Regimes == "" {
		return pipeline.KeptRegimes(dir)
	}
	return f.regimes()
}

// check fails where the text of facts names a regime or a stage that there is not.
func (f *regimesFlag) check(file string, text []byte) (*disclose.Regimes, error) {
	regimes, err := f.regimes()
	if err != nil {
		return nil, err
	}
	facts, err := disclose.ParseFacts(text)
	if err == nil {
		err = facts.CheckRegimes(regimes)
	}
	if err != nil {
		return nil, fmt.Errorf("--facts %s: %w", file, err)
	}
	return regimes, nil
}

type discloseCmd struct {
	Case  string `arg:"" type:"existingdir" help:"The case folder."`
	Facts string `placeholder:"FILE" type:"existingfile" help:"What people know (YAML); otherwise what the case was decided by."`
	regimesFlag
	Now      string `placeholder:"TIME" help:"Hold times against TIME instead of the clock (2025-12-22T08:40:00+01:00)."`
	Why      bool   `help:"Say of each duty how its time comes about, and where the rule stands."`
	JSON     bool   `name:"json" help:"Write the list as JSON."`
	Form     string `placeholder:"FORM" help:"Write a draft: ${forms}."`
	As       string `placeholder:"KIND" help:"Write the draft as html, md or json (default: by the name of FILE, or what is usual for the form)."`
	Previous string `placeholder:"FILE" type:"existingfile" help:"The draft or form before this one: what has changed since is said."`
	Output   string `short:"o" placeholder:"FILE" type:"path" help:"Where to write it (default: standard output)."`
	tlpFlag
	langFlag
}

// Run says what is owed, or writes a draft.
func (c *discloseCmd) Run(e *env) error {
	draft, err := c.prepare(e)
	if err != nil {
		return err
	}
	if c.Form != "" {
		return c.draft(e, draft)
	}
	if c.As != "" || c.Previous != "" {
		return usage(errors.New("--as and --previous are for a draft: name one with --form"))
	}
	now := time.Now()
	if draft.Now != nil {
		now = *draft.Now
	}
	now = now.Truncate(time.Second)
	r := &disclose.Result{Owed: draft.Owed, Classifications: draft.Classifications, Notes: draft.Notes}
	write := func(w io.Writer) error { return c.list(w, draft, r, now) }
	if c.Output == "" {
		return write(e.stdout)
	}
	_, _, err = casefile.WriteFile(c.Output, write)
	return err
}

// prepare reads the case and the facts, and works out what is owed.
func (c *discloseCmd) prepare(e *env) (*disclose.Draft, error) {
	l, err := c.language()
	if err != nil {
		return nil, err
	}
	regimes, err := c.of(c.Case)
	if err != nil {
		return nil, err
	}
	in := &disclose.Input{Reached: casefile.Verdicts(c.Case), Regimes: regimes}
	if in.Case, err = casefile.OpenExcept(c.Case, "reached"); err != nil {
		return nil, err
	}
	if err := c.mayGo(in.Case); err != nil {
		return nil, err
	}
	if err := c.unchanged(e); err != nil {
		return nil, err
	}
	if in.Facts, err = c.facts(e); err != nil {
		return nil, err
	}
	for _, d := range in.Case.Owed {
		if regimes.Find(d.Regime) == nil {
			return nil, fmt.Errorf("the case was decided by a regime that does not come with Barid, %s: name the folder that has it with --regimes", d.Regime)
		}
	}
	r, err := disclose.Assess(in)
	if err != nil {
		return nil, err
	}
	draft := &disclose.Draft{Input: in, Owed: r.Owed, Classifications: r.Classifications, Notes: r.Notes, Lang: l, Warn: func(line string) { e.term.line("barid: " + visible(line)) }}
	if c.Now != "" {
		t, err := time.Parse(time.RFC3339, c.Now)
		if err != nil {
			return nil, usage(fmt.Errorf("--now: %q is no time with its offset: write it as 2025-12-22T08:40:00+01:00", c.Now))
		}
		draft.Now = &t
	}
	return draft, nil
}

// unchanged holds what is read of the case against the chain of custody. Nothing is drafted from what was changed; the list is shown,
// and says so.
func (c *discloseCmd) unchanged(e *env) error {
	names := []string{casefile.CaseFile}
	if c.Facts == "" {
		names = append(names, casefile.FactsFile)
	}
	if c.Regimes == "" {
		names = append(names, casefile.RegimesFile)
	}
	err := casefile.Unchanged(c.Case, names...)
	if err != nil && c.Form == "" {
		e.term.line("barid: " + visible(inWords(err)))
		return nil
	}
	return err
}

// facts reads the facts: those given, or those of the case.
func (c *discloseCmd) facts(e *env) (*disclose.Facts, error) {
	kept := filepath.Join(c.Case, casefile.FactsFile)
	own, err := os.ReadFile(kept)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	name, text := kept, own
	if c.Facts != "" {
		name = c.Facts
		if _, text, err = readFacts(c.Facts); err != nil {
			return nil, err
		}
		if !bytes.Equal(own, text) {
			e.term.line("barid: --facts " + visible(c.Facts) + ": the case was not decided by these facts: its verdicts are those of before. barid judge " + visible(c.Case) + " --facts decides it by them")
		}
	}
	f, err := disclose.ParseFacts(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if f.Empty() {
		e.term.say("nobody said whose case it is: give --facts with organisation and disclosure (docs/disclosure.md); until then all is open")
	}
	return f, nil
}

// list writes what is owed.
func (c *discloseCmd) list(w io.Writer, draft *disclose.Draft, r *disclose.Result, now time.Time) error {
	if !c.JSON {
		zone, _ := draft.Facts.Zone()
		return disclose.WriteList(w, &disclose.List{Result: r, Lang: draft.Lang, Now: now, Zone: zone, Why: c.Why})
	}
	type duty struct {
		casefile.Duty
		// Left is how many seconds there are until it is due, below 0 if it is late; left out where nothing runs.
		Left *int64 `json:"seconds_left,omitempty"`
	}
	out := struct {
		AsOf            time.Time                 `json:"as_of"`
		Owed            []duty                    `json:"owed"`
		Classifications []casefile.Classification `json:"classifications"`
		Notes           []string                  `json:"notes"`
	}{AsOf: now.UTC(), Owed: []duty{}, Classifications: r.Classifications, Notes: append([]string{}, r.Notes...)}
	for _, d := range r.Owed {
		o := duty{Duty: d}
		if d.Due != nil && (d.State == casefile.DutyDue || d.State == casefile.DutyOpen) {
			left := int64(d.Due.Sub(now) / time.Second)
			o.Left = &left
		}
		out.Owed = append(out.Owed, o)
	}
	p, err := casefile.EncodeValue(&out, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(p)
	return err
}

// draft writes a draft.
func (c *discloseCmd) draft(e *env, d *disclose.Draft) error {
	form, ok := disclose.FindForm(c.Form)
	if !ok {
		return usage(fmt.Errorf("--form: there is no form %q: they are %s", c.Form, forms()))
	}
	if c.JSON {
		return usage(errors.New("--json is for the list: a draft takes --as json"))
	}
	var err error
	if d.As, err = c.kind(form); err != nil {
		return err
	}
	if c.Previous != "" {
		if d.Previous, err = readPrevious(c.Previous); err != nil {
			return err
		}
		d.PreviousName = c.Previous
	}
	x := casefile.Export{Format: form.Name, Path: c.Output, TLP: d.Case.Marking().Name(), Lang: d.Lang.Tag()}
	// A file takes its place only when it is whole. Standard output has no such place: there it is made as a whole first.
	var refused error
	err = e.export(c.Case, x, func(w io.Writer) error {
		var whole bytes.Buffer
		to := w
		if c.Output == "" {
			to = &whole
		}
		if refused = form.Write(to, d); refused != nil {
			return refused
		}
		_, err := whole.WriteTo(w)
		return err
	})
	if refused == nil {
		return err
	}
	var not *disclose.NotReady
	if errors.As(refused, &not) {
		for _, f := range not.Fields {
			e.term.line("  " + f)
		}
	}
	return fmt.Errorf("%s: %w", form.Name, refused)
}

// maxPrevious is how large an earlier draft may be, in bytes.
const maxPrevious = 64 << 20

func readPrevious(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := io.ReadAll(io.LimitReader(f, maxPrevious+1))
	if err == nil && len(p) > maxPrevious {
		err = fmt.Errorf("--previous %s: more than %d MiB", name, maxPrevious>>20)
	}
	return p, err
}

// kind says as what a draft is written.
func (c *discloseCmd) kind(form disclose.Form) (string, error) {
	as := c.As
	if as == "" {
		as = strings.ToLower(strings.TrimPrefix(filepath.Ext(c.Output), "."))
		if as == "htm" {
			as = "html"
		}
		switch as {
		case "docx", "doc", "odt", "pdf", "rtf", "xlsx", "ods":
			return "", usage(fmt.Errorf("-o: %s is written as %s, not as %s: name the file so, or say --as", form.Name, strings.Join(form.As, " or "), as))
		}
		if !slices.Contains(form.As, as) {
			return form.As[0], nil
		}
	}
	if !slices.Contains(form.As, as) {
		return "", usage(fmt.Errorf("--as: %s is written as %s, not as %q", form.Name, strings.Join(form.As, " or "), as))
	}
	return as, nil
}

// forms names all forms.
func forms() string {
	var names []string
	for _, f := range disclose.Forms() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// Help returns examples, as --help shows them.
func (*discloseCmd) Help() string {
	var b strings.Builder
	b.WriteString("Examples:\n\n" +
		"  barid disclose barid-case\n" +
		"  barid disclose barid-case --why --now 2025-12-22T08:40:00+01:00\n" +
		"  barid disclose barid-case --form gdpr-33 --lang fr -o notification.html\n\nForms:\n\n")
	for _, f := range disclose.Forms() {
		fmt.Fprintf(&b, "  %-18s %s\n", f.Name, f.About)
	}
	return b.String()
}
