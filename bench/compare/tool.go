//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A tool is a scanner and how it is run at its best.
type tool interface {
	name() string
	// find looks for the program; the error says why it cannot take part.
	find() error
	// version is the line by which the program names itself.
	version(ctx context.Context) string
	// prepare does what the tool needs before the clock starts, and says in notes what that was.
	prepare(ctx context.Context, j *job) (notes []string, err error)
	// commands are what is timed, one after another; out is the file for the findings. A tool that cannot use that many
	// threads returns none.
	commands(j *job, threads int, out string) []command
	// findings reads what commands wrote to out.
	findings(j *job, out string, yield func(finding)) error
}

// A command is one process.
type command struct {
	argv   []string
	env    []string // beside the environment of this program
	stdout string   // the file its standard output goes to; "" for none

	// lenient says that a failing exit does not end the comparison: the program ends so over a damaged file.
	lenient bool
}

// tools are all there are, Barid first: the others are compared with it.
func tools(j *job) []tool {
	return []tool{
		&barid{program{named: "barid", path: j.barid}},
		&chainsaw{program{named: "chainsaw"}},
		&hayabusa{program: program{named: "hayabusa"}},
		&rsigma{program: program{named: "rsigma"}},
		&zircolite{program: program{named: "zircolite"}},
		&evtxDump{program{named: "evtx_dump"}},
	}
}

// A program is looked for on the PATH.
type program struct {
	named string
	path  string
}

func (p *program) name() string { return p.named }

func (p *program) find() error {
	if p.path != "" {
		return nil
	}
	path, err := exec.LookPath(p.named)
	if err != nil && p.named == "zircolite" {
		path, err = exec.LookPath("zircolite.py")
	}
	if err != nil {
		return errors.New("not on the PATH")
	}
	p.path, err = filepath.Abs(path)
	return err
}

// version runs --version and returns the first line that has a digit in it.
func (p *program) version(ctx context.Context) string { return p.ask(ctx, "--version") }

func (p *program) ask(ctx context.Context, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = os.TempDir() // some leave a log where they are called
	cmd.Env = append(cmd.Environ(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(line)
		}
	}
	if line := strings.TrimSpace(string(out)); err == nil && line != "" && !strings.Contains(line, "\n") {
		return line
	}
	return "version not told"
}
