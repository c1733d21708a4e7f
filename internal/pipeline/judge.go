package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/disclose"
	"github.com/barid-dfir/barid/internal/judge"
	"github.com/barid-dfir/barid/internal/lang"
	"github.com/barid-dfir/barid/internal/report"
	"github.com/barid-dfir/barid/internal/tally"
)

// JudgeConfig says what is decided anew.
type JudgeConfig struct {
	Dir string // the case folder
	// Facts, FactsText and Inventory are as in AssessConfig.
	Facts     *judge.Facts
	FactsText []byte
	Inventory *judge.Inventory
	Regimes   *disclose.Regimes // nil for those that the case was decided by
	Version   string
	// Now is when it is decided, for the custody chain.
	Now time.Time
	// Lang is the language of the report; nil is English.
	Lang *lang.Language
}

// Judge decides a case anew, from what its evidence taught and the facts that are given, and writes it, its report and a line
// of custody. It does not touch the evidence. It returns the case as it was, without what was decided of it but the counts, and as it is.
func Judge(ctx context.Context, cfg JudgeConfig) (before, after *casefile.Case, err error) {
	before, err = casefile.OpenGiven(cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	sources := slices.DeleteFunc(slices.Clone(before.Sources), isInventory)
	store, err := openStore(cfg.Dir, len(sources))
	if err != nil {
		return nil, nil, err
	}
	defer store.Close()
	w, err := casefile.Rewrite(cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	defer w.Abort()
	c := *before
	c.Barid.Version, c.Organisation = cfg.Version, cfg.Facts.Organisation
	c.Sources = sources
	c.Summary.Findings = maps.Clone(c.Summary.Findings)
	c.Window = timespan(c.Sources, cfg.Facts)
	was, err := factsBefore(w, cfg.Dir, cfg.FactsText)
	if err != nil {
		return nil, nil, err
	}
	if cfg.Regimes == nil {
		path, kept, err := readKept(cfg.Dir, casefile.RegimesFile)
		switch want := w.Kept(casefile.RegimesFile); {
		case err != nil:
			return nil, nil, err
		case kept == nil && want != "":
			return nil, nil, fmt.Errorf("%s is missing: put it back, or give the folder with --regimes", path)
		case kept != nil && hashOf(kept) != want:
			return nil, nil, fmt.Errorf("%s was changed since it was put in custody: give the folder with --regimes", path)
		}
		if cfg.Regimes, err = KeptRegimes(cfg.Dir); err != nil {
			return nil, nil, err
		}
	}
	hosts, err := judge.NewHostNames(store, c.Sources, cfg.Facts)
	if err != nil {
		return nil, nil, err
	}
	if was == nil || !was.SameNames(cfg.Facts) {
		c.Incidents, err = judge.Incidents(casefile.Findings(cfg.Dir), judge.Evidence{End: logEnds(c.Sources), Ours: cfg.Facts.IsOurs, Hosts: hosts})
		if err != nil {
			return nil, nil, err
		}
	}
	if cfg.Inventory != nil {
		for _, l := range cfg.Inventory.Lists {
			name := casefile.InventoryFile(l.Kind)
			if l.File == filepath.Join(cfg.Dir, name) && l.SHA256 != w.Kept(name) {
				return nil, nil, fmt.Errorf("%s was changed since it was put in custody", l.File)
			}
		}
	}
	if err := decide(&c, store, hosts, cfg.Facts, cfg.Inventory); err != nil {
		return nil, nil, err
	}
	if err := owe(&c, cfg.FactsText, cfg.Regimes); err != nil {
		return nil, nil, err
	}
	if was != nil && !maps.Equal(was.Years, cfg.Facts.Years) || slices.Contains(before.Notes, otherYears) {
		c.Notes = append(c.Notes, otherYears)
	}
	if was != nil && !maps.Equal(was.Timezones, cfg.Facts.Timezones) || slices.Contains(before.Notes, otherZones) {
		c.Notes = append(c.Notes, otherZones)
	}
	if was == nil || slices.Contains(before.Notes, lostFacts) {
		c.Notes = append(c.Notes, lostFacts)
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := report.WriteCase(w, &c, cfg.Dir, cfg.Lang); err != nil {
		return nil, nil, err
	}
	if err := keepGiven(w, cfg.FactsText, cfg.Inventory, cfg.Regimes); err != nil {
		return nil, nil, err
	}
	w.DecidedBy(factsLine(cfg.FactsText), c.Statements)
	store.Close()
	if _, err := w.CommitJudgement(cfg.Now); err != nil {
		return nil, nil, err
	}
	return before, &c, nil
}

// factsBefore returns the facts that the case in dir was decided by; nil where those are gone or were changed, and others were given.
func factsBefore(w *casefile.Writer, dir string, given []byte) (*judge.Facts, error) {
	path, text, err := readKept(dir, casefile.FactsFile)
	if err != nil {
		return nil, err
	}
	want := w.Kept(casefile.FactsFile)
	if text == nil && want == "" || text != nil && hashOf(text) == want {
		was, _, err := KeptFacts(dir)
		return was, err
	}
	switch {
	case given != nil && !bytes.Equal(given, text):
		return nil, nil
	case text == nil:
		return nil, fmt.Errorf("%s is missing: put it back, or give facts of your own with --facts", path)
	}
	return nil, fmt.Errorf("%s was changed since it was put in custody: put the old one back, or give facts of your own with --facts", path)
}

// Notes that stay until the evidence is read anew.
const (
	otherYears = "facts: years: they are others than when the evidence was read, and count only then: run barid assess"
	lostFacts  = "facts: those that the case was decided by before are gone or were changed: whether years and timezones are the same is not known, and they count only when the evidence is read: run barid assess"
	otherZones = "facts: timezones: they are others than when the evidence was read, and count only then: run barid assess"
)

// openStore opens what the evidence of a case with so many sources taught.
func openStore(dir string, sources int) (*tally.File, error) {
	path := filepath.Join(dir, casefile.StoreFile)
	store, err := tally.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s: it was written by a version of Barid that kept none; run barid assess again", dir, casefile.StoreFile)
	}
	if err != nil {
		return nil, err
	}
	if store.Sources() > sources {
		store.Close()
		return nil, fmt.Errorf("%s is of another case: it has %d sources, and the case %d", path, store.Sources(), sources)
	}
	return store, nil
}

// decide adds to a case what was reached, and how that is known.
func decide(c *casefile.Case, store *tally.File, hosts *judge.HostNames, facts *judge.Facts, inventory *judge.Inventory) error {
	j, err := judge.Judge(&judge.Input{Store: store, Sources: c.Sources, Incidents: c.Incidents, Facts: facts, Inventory: inventory, Hosts: hosts,
		From: nanoseconds(c.Window.From), To: nanoseconds(c.Window.To)})
	if err := cmp.Or(err, store.Err()); err != nil {
		return fmt.Errorf("cannot judge what was reached: %w", err)
	}
	c.TLP, c.Ours = cmp.Or(facts.TLP, casefile.DefaultTLP.Name()), facts.OurAddresses()
	c.Coverage, c.Sessions, c.Capabilities, c.Reached = j.Coverage, j.Sessions, j.Capabilities, j.Reached
	c.Statements, c.Inferences, c.Summary.Reached, c.Notes = j.Statements, j.Inferences, j.Counts, j.Notes
	c.Sources = append(slices.Clip(c.Sources), inventorySources(inventory)...)
	return nil
}

// KeptFacts reads the facts that a case was decided by, and their text: none and nil if it was decided without.
func KeptFacts(dir string) (*judge.Facts, []byte, error) {
	path, p, err := readKept(dir, casefile.FactsFile)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		return &judge.Facts{}, nil, nil
	}
	f, err := judge.ParseFacts(strings.NewReader(string(p)))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, p, nil
}

// KeptRegimes reads the further laws that a case was decided by, besides those that come with Barid.
func KeptRegimes(dir string) (*disclose.Regimes, error) {
	path, p, err := readKept(dir, casefile.RegimesFile)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return disclose.BuiltinRegimes()
	}
	return disclose.ReadKeptRegimes(p, path)
}

// readKept reads a file of a case; nil where there is none of that name.
func readKept(dir, name string) (path string, text []byte, err error) {
	path = filepath.Join(dir, name)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file, as it was when it was put in custody: barid verify says what was changed", path)
	}
	if err != nil {
		return path, nil, err
	}
	text, err = os.ReadFile(path)
	if text == nil {
		text = []byte{}
	}
	return path, text, err
}

// KeptInventory reads the copies of the lists that facts name, which are those of the case.
func KeptInventory(dir string, facts *judge.Facts) (*judge.Inventory, error) {
	return judge.ReadLists(facts, func(kind, _ string) string { return filepath.Join(dir, casefile.InventoryFile(kind)) })
}

// keepGiven copies what people gave into the case.
func keepGiven(w *casefile.Writer, facts []byte, inventory *judge.Inventory, regimes *disclose.Regimes) error {
	kept, err := regimes.Kept()
	if err != nil {
		return err
	}
	for _, g := range []struct {
		name string
		text []byte
	}{{casefile.FactsFile, facts}, {casefile.RegimesFile, kept}} {
		if g.text == nil {
			continue
		}
		f, err := w.File(g.name)
		if err != nil {
			return err
		}
		if _, err := f.Write(g.text); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if inventory == nil {
		return nil
	}
	for i := range inventory.Lists {
		if err := keepList(w, &inventory.Lists[i]); err != nil {
			return fmt.Errorf("inventory: %s: %w", inventory.Lists[i].Path, err)
		}
	}
	return nil
}

// factsLine names facts in the chain of custody.
func factsLine(text []byte) casefile.Custody {
	return casefile.Custody{Path: casefile.FactsFile, Bytes: int64(len(text)), SHA256: hashOf(text)}
}

func hashOf(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

// keepList copies a list, unless the case has it already.
func keepList(w *casefile.Writer, l *judge.List) error {
	if w.Kept(casefile.InventoryFile(l.Kind)) == l.SHA256 {
		return nil
	}
	in, err := os.Open(l.File)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := w.File(casefile.InventoryFile(l.Kind))
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, sum), in); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != l.SHA256 {
		return errors.New("it was changed while Barid ran")
	}
	return f.Close()
}

// inventoryFormat is what formats of lists of the inventory begin with.
const inventoryFormat = "inventory."

func isInventory(s casefile.Source) bool { return strings.HasPrefix(s.Format, inventoryFormat) }

// inventorySources returns the lists of the inventory as sources of the case.
func inventorySources(inv *judge.Inventory) []casefile.Source {
	if inv == nil {
		return nil
	}
	var out []casefile.Source
	for i := range inv.Lists {
		l := &inv.Lists[i]
		s := casefile.Source{Path: l.Path, SHA256: l.SHA256, Bytes: l.Bytes, Format: inventoryFormat + l.Kind, Events: l.Lines, Unparsed: l.Unread, Errors: []string{}}
		for _, p := range l.Problems {
			s.Errors = append(s.Errors, "line "+p)
		}
		out = append(out, s)
	}
	return out
}
