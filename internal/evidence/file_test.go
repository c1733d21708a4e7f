package evidence

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts writes problems in lines.
func texts(problems []Problem) (lines []string) {
	for _, p := range problems {
		note := ""
		if p.Note {
			note = " (note)"
		}
		lines = append(lines, p.Path+": "+p.Reason+note)
	}
	return lines
}

func TestWhatIsNoFileIsNamedAndNotOpened(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no named pipes in folders")
	}
	dir := folder(t, map[string]string{"a.log": "a", "real/b.log": "b"})
	outside := folder(t, map[string]string{"secret": "s"})
	symlink(t, "real", filepath.Join(dir, "inside"))
	symlink(t, filepath.Join(outside, "secret"), filepath.Join(dir, "outside"))
	symlink(t, "..", filepath.Join(dir, "real", "loop"))
	symlink(t, "nowhere", filepath.Join(dir, "broken"))
	makePipe(t, filepath.Join(dir, "pipe"))
	if l, err := net.Listen("unix", filepath.Join(dir, "socket")); err == nil {
		defer l.Close()
	} else {
		t.Skip(err)
	}
	streams, problems := collect(t, Options{}, dir)
	relative(dir, streams, problems)
	want := []seen{{"a.log", "", "a"}, {"real/b.log", "", "b"}}
	if d := cmp.Diff(want, streams); d != "" {
		t.Error(d)
	}
	wantProblems := []string{
		"broken: not followed: it is a symbolic link to nowhere",
		"inside: not followed: it is a symbolic link to real (note)",
		"outside: not followed: it is a symbolic link to " + filepath.Join(outside, "secret"),
		"pipe: not read: it is a named pipe",
		"real/loop: not followed: it is a symbolic link to .. (note)",
		"socket: not read: it is a socket",
	}
	if d := cmp.Diff(wantProblems, texts(problems)); d != "" {
		t.Error(d)
	}
}

func TestALinkThatIsAnArgumentIsFollowed(t *testing.T) {
	dir := folder(t, map[string]string{"real/b.log": "b"})
	link := filepath.Join(dir, "link")
	symlink(t, "real", link)
	streams, problems := collect(t, Options{}, link)
	if d := cmp.Diff([]seen{{filepath.Join(link, "b.log"), "", "b"}}, streams); d != "" || len(problems) > 0 {
		t.Error(d, problems)
	}
}

func TestAFileIsReadOnce(t *testing.T) {
	dir := folder(t, map[string]string{"a.log": "a", "b.log": "b"})
	a := filepath.Join(dir, "a.log")
	streams, problems := collect(t, Options{}, a, dir, a)
	relative(dir, streams, problems)
	if d := cmp.Diff([]seen{{"a.log", "", "a"}, {"b.log", "", "b"}}, streams); d != "" {
		t.Error(d)
	}
	again := "a.log: not read again: the same file as a.log (note)"
	if d := cmp.Diff([]string{again, again}, texts(problems)); d != "" {
		t.Error(d)
	}
	if err := os.Link(a, filepath.Join(dir, "c.log")); err != nil {
		t.Skip(err)
	}
	streams, problems = collect(t, Options{}, dir)
	relative(dir, streams, problems)
	if len(streams) != 2 || len(problems) != 1 || problems[0].Path != "c.log" || !problems[0].Note {
		t.Error(streams, problems)
	}
}

func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	streams, problems := collect(t, Options{}, filepath.Join(t.TempDir(), "missing"))
	if len(streams) != 0 || len(problems) != 1 || problems[0].Note || !strings.Contains(problems[0].Reason, "does not exist") {
		t.Error(streams, problems)
	}
	if os.Getuid() == 0 {
		t.Skip("the rest needs a user whom permissions stop")
	}
	dir := folder(t, map[string]string{"a.log": "a", "b.log": "b"})
	os.Chmod(filepath.Join(dir, "a.log"), 0)
	streams, problems = collect(t, Options{}, dir)
	if len(streams) != 1 || len(problems) != 1 || problems[0].Reason != "not read: no permission" {
		t.Error(streams, problems)
	}
}

func TestFilesThatChangeWhileTheyAreRead(t *testing.T) {
	f := func(change func(name string), wantLen int64, want string, note bool) {
		t.Helper()
		dir := folder(t, map[string]string{"a.log": strings.Repeat("line\n", 100_000)})
		name := filepath.Join(dir, "a.log")
		var problems []Problem
		opt := Options{Report: func(p Problem) { problems = append(problems, p) }}
		err := Walk(context.Background(), []string{name}, opt, func(s *Stream) error {
			r, err := s.Open()
			if err != nil {
				return nil
			}
			defer r.Close()
			io.ReadFull(r, make([]byte, 5000))
			change(name)
			r.Finish()
			if r.Count() != wantLen {
				t.Errorf("read %d bytes, want %d", r.Count(), wantLen)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if len(problems) != 1 || problems[0].Note != note || !strings.Contains(problems[0].Reason, want) {
			t.Errorf("got %v, want %q", texts(problems), want)
		}
	}
	f(func(name string) {
		f, _ := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		f.WriteString("more\n")
		f.Close()
	}, 500_000, "grew by 5 bytes", true)
	f(func(name string) { os.Truncate(name, 100_000) }, 100_000, "shrank while it was read: 100000 of 500000 bytes", false)
}

func TestFilesThatGoBetweenFindingAndReading(t *testing.T) {
	f := func(change func(name string), want string) {
		t.Helper()
		dir := folder(t, map[string]string{"a.log": "a"})
		var problems []Problem
		opt := Options{Report: func(p Problem) { problems = append(problems, p) }}
		Walk(context.Background(), []string{dir}, opt, func(s *Stream) error {
			change(filepath.Join(dir, "a.log"))
			if _, err := s.Open(); err == nil {
				t.Error("was opened")
			}
			return nil
		})
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, want) {
			t.Errorf("got %v, want %q", texts(problems), want)
		}
	}
	f(func(name string) { os.Remove(name) }, "does not exist (any more)")
	f(func(name string) {
		os.WriteFile(name+".new", nil, 0o644)
		os.Rename(name+".new", name)
	}, "another file took its place")
	if runtime.GOOS != "windows" {
		f(func(name string) {
			os.Remove(name)
			makePipe(t, name)
		}, "became a named pipe")
	}
}

func TestMeasureAndRead(t *testing.T) {
	dir := folder(t, map[string]string{"a.log": strings.Repeat("a", 1000), "b/c.zip": zipOf(t, entry{"x", noise(1, 5000)}), "d.log.gz": gzipOf(t, noise(2, 5000))})
	total := Measure([]string{dir, "-", filepath.Join(dir, "missing")})
	w := NewWalker(Options{})
	w.Walk(context.Background(), []string{dir}, func(s *Stream) error {
		if s.Container != "" {
			s.Hash()
			return nil
		}
		r, err := s.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		return r.Finish()
	})
	// What is looked at twice (the head of a gzip, the directory of a zip) may add a little.
	if got := w.Read(); got < total*95/100 || got > total*3/2 {
		t.Errorf("read %d bytes of %d", got, total)
	}
}

func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skip(err)
	}
}

// What a shell's <(command) hands over is a pipe that somebody writes to, and is read.
func TestPipeOfACommand(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skip("has no /dev/fd")
	}
	go func() {
		fmt.Fprint(w, "a line\n")
		w.Close()
	}()
	streams, problems := collect(t, Options{}, name)
	if d := cmp.Diff([]seen{{name, "", "a line\n"}}, streams); d != "" || len(problems) > 0 {
		t.Error(d, problems)
	}
}
