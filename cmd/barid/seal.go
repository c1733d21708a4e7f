package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/timestamp"
)

type sealCmd struct {
	Case     string `arg:"" type:"existingdir" help:"The case folder."`
	TSA      string `name:"tsa" placeholder:"URL" xor:"way" help:"Ask this authority, over HTTP or HTTPS."`
	Request  string `placeholder:"FILE" type:"path" xor:"way" help:"Write the request to FILE, for a machine that is online."`
	Response string `placeholder:"FILE" type:"existingfile" xor:"way" help:"Take the answer to such a request."`
	Policy   string `placeholder:"OID" help:"Ask for a time stamp by this policy of the authority, such as 1.2.3.4.1."`
	tsaFlags
}

// Run seals the chain of a case.
func (c *sealCmd) Run(e *env) error {
	if c.TSA == "" && c.Request == "" && c.Response == "" {
		return usage(errors.New("one of --tsa, --request and --response is needed"))
	}
	if c.Policy != "" && c.Response != "" {
		return usage(errors.New("--policy goes with the request: it is remembered"))
	}
	policy, err := timestamp.ParsePolicy(c.Policy)
	if err != nil {
		return usage(fmt.Errorf("--policy: %w", err))
	}
	roots, err := c.roots()
	if err != nil {
		return err
	}
	if c.Response != "" {
		answer, err := readAnswer(c.Response)
		if err != nil {
			return err
		}
		kept, err := casefile.KeepAnswer(c.Case, answer, roots, time.Now().UTC())
		return c.finish(e, kept, err)
	}
	q, err := casefile.AskSeal(c.Case, policy)
	if err != nil {
		return c.notSealed(err)
	}
	c.warn(e)
	if c.Request != "" {
		return c.write(e, q)
	}
	e.term.say("asking %s for a time stamp of %s", visible(c.TSA), q.Head)
	answer, err := timestamp.Fetch(e.ctx, c.TSA, q.DER)
	if err != nil {
		return c.notSealed(err)
	}
	kept, err := casefile.KeepSeal(c.Case, q, answer, roots, time.Now().UTC())
	return c.finish(e, kept, err)
}

// warn says that what is sealed is a chain that files of the case do not fit.
func (c *sealCmd) warn(e *env) {
	v, err := casefile.Verify(c.Case, casefile.VerifyOptions{})
	if err == nil && v.Failed() > 0 {
		e.term.say("%d checks of the case fail: a seal will say that the chain is as it is now, not that the files are. barid verify says which", v.Failed())
	}
}

// write writes the request to a file and remembers it in the chain.
func (c *sealCmd) write(e *env, q *casefile.SealQuestion) error {
	path, err := filepath.Abs(c.Request)
	if err != nil {
		return err
	}
	if casefile.Inside(c.Case, path) {
		return usage(fmt.Errorf("--request %s lies in the case: write it elsewhere", c.Request))
	}
	_, _, err = casefile.WriteFile(path, func(w io.Writer) error {
		if _, err := w.Write(q.DER); err != nil {
			return err
		}
		return casefile.RecordRequest(c.Case, q, path, time.Now().UTC())
	})
	if err != nil {
		return c.notSealed(err)
	}
	fmt.Fprintf(e.stdout, "The request for a time stamp of line %d of the chain (%s) is in %s.\n", q.Line, q.Head, visible(path))
	fmt.Fprintln(e.stdout, "Have it answered on a machine that is online, and take the answer with: barid seal --response")
	return nil
}

// readAnswer reads a file that is to hold an answer.
func readAnswer(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, timestamp.MaxAnswer+1))
}

// finish says what was taken into the case, or that nothing was.
func (c *sealCmd) finish(e *env, kept *casefile.KeptSeal, err error) error {
	if err != nil {
		return c.notSealed(err)
	}
	t := kept.Token
	if s := t.Skew(time.Now()); s != "" && c.Response == "" {
		e.term.say("%s", s)
	}
	fmt.Fprintf(e.stdout, "Sealed: lines 1 to %d of the chain are as they were at %s, says %s.\n", kept.Line, t.Time.Format(time.RFC3339), visible(t.By()))
	if c.CA == "" {
		fmt.Fprintln(e.stdout, "Who that is was not checked: give the roots of the authority with --tsa-ca.")
	}
	fmt.Fprintf(e.stdout, "The seal is %s in the case. Keep a copy of it elsewhere: barid verify --seal takes it.\n", kept.File)
	return nil
}

// notSealed says that the case is as it was.
func (c *sealCmd) notSealed(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		err = fmt.Errorf("%w: a case that is sealed has to be one that can be written to; seal a copy", err)
	}
	return fmt.Errorf("%s was not sealed: %w", filepath.Base(c.Case), err)
}
