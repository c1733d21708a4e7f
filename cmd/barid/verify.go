package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/timestamp"
)

type verifyCmd struct {
	Case string   `arg:"" type:"existingdir" help:"The case folder."`
	Head string   `placeholder:"HASH" help:"A head of the chain that was noted down earlier: the chain must still have it."`
	Seal []string `placeholder:"FILE" type:"existingfile" sep:"none" help:"A seal that is kept elsewhere: the chain must still fit it. Can be repeated."`
	tsaFlags
	JSON bool `name:"json" help:"Write what was found as JSON."`
}

// tsaFlags say which authorities are trusted.
type tsaFlags struct {
	CA string `name:"tsa-ca" placeholder:"FILE" type:"existingfile" help:"Certificates (PEM) that the authority's has to lead to; otherwise who made a seal is not checked."`
}

// roots reads the certificates, nil if none were given.
func (f *tsaFlags) roots() (*x509.CertPool, error) {
	if f.CA == "" {
		return nil, nil
	}
	pool, err := timestamp.ReadRoots(f.CA)
	if err != nil {
		return nil, fmt.Errorf("--tsa-ca: %w", err)
	}
	return pool, nil
}

// Run checks a case.
func (c *verifyCmd) Run(e *env) error {
	roots, err := c.roots()
	if err != nil {
		return err
	}
	hashes := pipeline.NewHashes(e.ctx)
	v, err := casefile.Verify(c.Case, casefile.VerifyOptions{Evidence: hashes.Of, Head: c.Head, Seals: c.Seal, Roots: roots, RootsFile: c.CA})
	if err != nil {
		return fmt.Errorf("%s cannot be verified: %w", c.Case, err)
	}
	if !c.JSON {
		sayVerification(e, v)
	} else if err := writeVerification(e, v); err != nil {
		return err
	}
	if n := v.Failed(); n > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", filepath.Base(c.Case), n, len(v.Checks))
	}
	return nil
}

func writeVerification(e *env, v *casefile.Verification) error {
	p, err := json.Marshal(struct {
		*casefile.Verification
		Failed     int      `json:"failed"`
		Conclusion []string `json:"conclusion"`
	}{v, v.Failed(), v.Conclusion()})
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(append(p, '\n'))
	return err
}

// sayVerification writes a line for each check, one for all files of an archive that is missing, and then what they come to.
func sayVerification(e *env, v *casefile.Verification) {
	gone, within := "", 0 // the archive that is missing, and how many files in it
	tell := func() {
		if within > 0 {
			fmt.Fprintf(e.stdout, "%-12s %-9s %s\n", "", "", visible(fmt.Sprintf("and with it %s that came out of it", plural(within, "file"))))
		}
		gone, within = "", 0
	}
	for i := range v.Checks {
		k := &v.Checks[i]
		missing := k.Kind == casefile.KindEvidence && k.Status == casefile.Missing
		if missing && gone != "" && strings.HasPrefix(k.Path, gone+"!") {
			within++
			continue
		}
		tell()
		if missing {
			gone = k.Path
		}
		fmt.Fprintln(e.stdout, visible(checkLine(k)))
	}
	tell()
	fmt.Fprintf(e.stdout, "head         %s\n\n", visible(v.Head))
	for _, s := range v.Conclusion() {
		fmt.Fprintln(e.stdout, visible(s))
	}
}

func checkLine(k *casefile.Check) string {
	line := fmt.Sprintf("%-12s %-9s %s", k.Status, k.Kind, k.Path)
	if k.Detail != "" {
		line += ": " + k.Detail
	}
	return line
}
