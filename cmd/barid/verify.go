package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/pipeline"
)

type verifyCmd struct {
	Case string `arg:"" type:"existingdir" help:"The case folder."`
	Head string `placeholder:"HASH" help:"A head of the chain that was noted down earlier: the chain must still have it."`
	JSON bool   `name:"json" help:"Write what was found as JSON."`
}

// Run checks a case.
func (c *verifyCmd) Run(e *env) error {
	hashes := pipeline.NewHashes(e.ctx)
	v, err := casefile.Verify(c.Case, casefile.VerifyOptions{Evidence: hashes.Of, Head: c.Head})
	if err != nil {
		return fmt.Errorf("%s cannot be verified: %w", c.Case, err)
	}
	if c.JSON {
		err = writeVerification(e, v)
	} else {
		sayVerification(e, v)
	}
	if err != nil {
		return err
	}
	if n := v.Failed(); n > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", filepath.Base(c.Case), n, len(v.Checks))
	}
	return nil
}

func writeVerification(e *env, v *casefile.Verification) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// sayVerification writes a line for each check, and then what they come to.
func sayVerification(e *env, v *casefile.Verification) {
	for i := range v.Checks {
		fmt.Fprintln(e.stdout, visible(checkLine(&v.Checks[i])))
	}
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
