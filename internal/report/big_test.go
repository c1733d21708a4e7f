package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/report/input"
	"github.com/barid-dfir/barid/internal/report/reporttest"
)

// A case of 100,000 mailboxes, a million messages that were reached and a million findings. BARID_BIG names a folder for it, which is
// kept for the next time.
func TestBigCase(t *testing.T) {
	dir := os.Getenv("BARID_BIG")
	if dir == "" {
		t.Skip("BARID_BIG names no folder")
	}
	if _, err := os.Stat(filepath.Join(dir, casefile.FindingsFile)); err != nil {
		writeBig(t, dir)
	}
	for _, o := range Outputs() {
		if only := os.Getenv("BARID_BIG_FORMAT"); only != "" && only != o.Name {
			continue
		}
		debug.FreeOSMemory()
		os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
		in, err := input.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var n counter
		if err := o.Write(&n, in); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
		t.Logf("%-10s %8.1f s %12d bytes, peak %s", o.Name, time.Since(began).Seconds(), n, peak())
	}
}

// counter counts the bytes that it is given.
type counter int64

// Write implements io.Writer.
func (n *counter) Write(p []byte) (int, error) { *n += counter(len(p)); return len(p), nil }

// peak returns the most memory that the process had, where the system tells.
func peak() string {
	p, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(p), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

func writeBig(t *testing.T, dir string) {
	t.Helper()
	c := reporttest.Small()
	write := func(name string, fill func(w *bufio.Writer) error) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w := bufio.NewWriter(f)
		if err := fill(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	write(casefile.CaseFile, func(w *bufio.Writer) error { return casefile.EncodeTo(w, c, bigReached(c)) })
	write(casefile.FindingsFile, func(w *bufio.Writer) error {
		var line []byte
		for i := range 1_000_000 {
			at := reporttest.At("03-03 00:00:00").Add(time.Duration(i) * 100 * time.Millisecond)
			f := casefile.Finding{Time: &at, Rule: c.Incidents[i%2].Steps[0].Rule, Host: "EX1", Client: fmt.Sprintf("203.0.113.%d", i%256), Account: fmt.Sprint("user", i%1000), Object: "/ecp/y.js",
				Source: casefile.Position{Path: "logs.zip!u_ex210303.log", SHA256: c.Sources[0].SHA256, Line: int64(i), Offset: int64(i) * 300},
				Event:  json.RawMessage(fmt.Sprintf(`{"c-ip":"203.0.113.%d","cs-method":"POST","cs-uri-stem":"/ecp/y.js","n":%d}`, i%256, i)), Raw: strings.Repeat("raw line ", 20)}
			line = append(casefile.AppendFinding(line[:0], &f), '\n')
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// bigReached yields the verdicts of a case, then those of 100,000 mailboxes with ten messages each.
func bigReached(c *casefile.Case) iter.Seq2[*casefile.Reached, error] {
	return func(yield func(*casefile.Reached, error) bool) {
		for i := range c.Reached {
			if !yield(&c.Reached[i], nil) {
				return
			}
		}
		for i := range 1_100_000 {
			r := c.Reached[i%2]
			r.Object = casefile.Object{Kind: "message", ID: fmt.Sprintf("<m%d@mail.example.org>", i), In: fmt.Sprintf("user%d@example.org", i/11)}
			if i%11 == 0 {
				r.Object = casefile.Object{Kind: "mailbox", ID: fmt.Sprintf("user%d@example.org", i/11), Owner: fmt.Sprint("User ", i/11)}
			}
			r.Settle = fmt.Sprintf("the mailbox audit log of user%d@example.org", i/11)
			if !yield(&r, nil) {
				return
			}
		}
	}
}
