package reached_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The files of a case are evidence as it stands, but for lines that begin with '@':
//
//	@repeat FROM TO EVERY LINE   the line for every moment from FROM up to and including TO (RFC 3339)
//	@sort                        at the end: put all lines that do not begin with '#' in order
//	@cut N                       at the end: take away the last N bytes
//	@mtime TIME                  when the file was last written (RFC 3339)
//
// In LINE, {rfc3339}, {ual}, {iis}, {syslog}, {clf}, {epoch} and {n} stand for the moment in the form of a log, and for a number from 1.

// expand copies a tree of files, with those lines made.
func expand(tb testing.TB, from, to string) {
	tb.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		p, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		p, written, err := expandFile(p)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := os.WriteFile(target, p, 0o600); err != nil || written.IsZero() {
			return err
		}
		return os.Chtimes(target, written, written)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func expandFile(p []byte) (out []byte, written time.Time, err error) {
	var lines []string
	sorted, cut := false, 0
	for line := range strings.Lines(string(p)) {
		switch f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5); f[0] {
		case "@sort":
			sorted = true
		case "@cut":
			n, err := strconv.Atoi(f[1])
			if err != nil {
				return nil, written, err
			}
			cut = n
		case "@mtime":
			if written, err = time.Parse(time.RFC3339, f[1]); err != nil {
				return nil, written, err
			}
		case "@repeat":
			if len(f) < 5 {
				return nil, written, fmt.Errorf("not @repeat FROM TO EVERY LINE: %s", line)
			}
			first, err := time.Parse(time.RFC3339, f[1])
			if err != nil {
				return nil, written, err
			}
			last, err := time.Parse(time.RFC3339, f[2])
			if err != nil {
				return nil, written, err
			}
			every, err := time.ParseDuration(f[3])
			if err != nil || every <= 0 {
				return nil, written, fmt.Errorf("how often is %s", f[3])
			}
			n := 1
			for t := first; !t.After(last); t = t.Add(every) {
				lines = append(lines, moment(f[4], t, n)+"\n")
				n++
			}
		default:
			lines = append(lines, line)
		}
	}
	if sorted {
		head := 0
		for head < len(lines) && strings.HasPrefix(lines[head], "#") {
			head++
		}
		slices.Sort(lines[head:])
	}
	all := []byte(strings.Join(lines, ""))
	return all[:len(all)-cut], written, nil
}

func moment(line string, t time.Time, n int) string {
	return strings.NewReplacer(
		"{rfc3339}", t.Format("2006-01-02T15:04:05.000Z"),
		"{ual}", t.Format("2006-01-02T15:04:05"),
		"{iis}", t.Format("2006-01-02 15:04:05"),
		"{syslog}", t.Format("Jan _2 15:04:05"),
		"{clf}", t.Format("02/Jan/2006:15:04:05 -0700"),
		"{epoch}", strconv.FormatInt(t.Unix(), 10),
		"{n}", strconv.Itoa(n),
	).Replace(line)
}
