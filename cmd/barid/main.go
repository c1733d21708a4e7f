// Command barid reads the evidence of an attack on a mail server or a public service and says what happened.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // zones must not depend on the machine that evidence is read on

	"github.com/alecthomas/kong"

	"github.com/barid-dfir/barid/internal/casefile"
)

// The exit statuses.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitUnread   = 3 // done, with something that could not be read, under --strict
	exitFindings = 4 // --fail-on was met
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// exit is an error that only carries an exit status: what there was to say has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// env is what a command works with.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	term   *terminal
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// Blocks and automata live long and are few; collecting less often costs memory that is bounded elsewhere.
	debug.SetMemoryLimit(memoryLimit)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	results := &sink{w: stdout}
	stdout = results

	var flags cli
	status, exited := exitDone, false
	parser := newParser(&flags, stdout, stderr, func(s int) { status, exited = s, true })
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // as people ask other programs
		args = append(slices.Clone(args[1:]), "--help")
	}
	k, err := parser.Parse(args)
	if exited {
		return status
	}
	if err != nil {
		fmt.Fprintf(stderr, "barid: %s\n", misread(err))
		var parse *kong.ParseError
		if errors.As(err, &parse) && parse.Context != nil && parse.Context.Command() != "" {
			fmt.Fprintf(stderr, "See: barid %s --help\n", firstWord(parse.Context.Command()))
		} else {
			fmt.Fprintln(stderr, "See: barid --help")
		}
		return exitUsage
	}
	e := &env{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr, term: newTerminal(stderr, flags.Quiet)}
	err = k.Run(e)
	e.term.clear()
	if code := exit(0); results.err != nil && (err == nil || errors.As(err, &code)) {
		err = fmt.Errorf("cannot write: %w", results.err)
	}
	var code exit
	var wrong usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		e.term.line("barid: " + err.Error())
		return exitUsage
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, syscall.EPIPE):
		return exitDone // the reader had enough
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "barid: interrupted")
		return exitFailed
	}
	e.term.line("barid: " + failed(err))
	return exitFailed
}

// failed says what went wrong. Of a folder that is no case the system says only which file it has not.
func failed(err error) string {
	var of *fs.PathError
	if errors.As(err, &of) && errors.Is(err, fs.ErrNotExist) && filepath.Base(of.Path) == casefile.CaseFile {
		return filepath.Dir(of.Path) + ": there is no case in this folder. Name that of a case, as barid assess wrote it (barid-case, or what -o said)"
	}
	return inWords(err)
}

// inWords returns what an error says without the names of the system's calls, and names files by the place that they were meant for: a case and what
// is written in it are made beside it first.
func inWords(err error) string {
	text := err.Error()
	var of *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &of):
		text = strings.ReplaceAll(text, of.Error(), of.Path+": "+of.Err.Error())
	case errors.As(err, &link):
		text = strings.ReplaceAll(text, link.Error(), link.New+": "+link.Err.Error())
	}
	return partial.ReplaceAllString(text, "$1")
}

// partial is how files are called while they are written.
var partial = regexp.MustCompile(`\.([^/\\]+)\.partial-\d+\b|\.writing-\b`)

// misread says what is wrong with a command line. Of a case that is not there the parser says only what the system called it.
func misread(err error) string {
	text, ofCase := strings.CutPrefix(err.Error(), "<case>: ")
	if !ofCase {
		text := strings.Replace(err.Error(), ": stat ", ": ", 1)
		return visible(notANumber.ReplaceAllString(text, ": $1 is no number"))
	}
	if path, ok := strings.CutPrefix(strings.TrimSuffix(text, ": no such file or directory"), "stat "); ok && strings.HasSuffix(text, ": no such file or directory") {
		return visible(path + ": there is no such folder. Name that of a case, as barid assess wrote it (barid-case, or what -o said)")
	}
	return visible(text + ". Name the folder of a case, as barid assess wrote it (barid-case, or what -o said)")
}

// notANumber is what the parser says of the value of a flag that takes a number.
var notANumber = regexp.MustCompile(`: expected a(?: valid \d+ bit u?int| float) but got (".*?")(?: \(.*\))?$`)

// sink remembers that results could not be written: who prints a line need not ask each time.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}

// gcPercent is below Go's usual 100: a tenth less memory for a fiftieth of the time.
const gcPercent = 70

// memoryLimit makes the garbage collector work harder rather than let the program take more, in bytes.
const memoryLimit = 224 << 20
