package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/barid-dfir/barid/internal/event"
)

// What is written to stderr follows four rules: results never go there; a message is one line that begins with
// "barid: "; progress is one line that is drawn over, on a terminal only; --quiet leaves errors alone.
type terminal struct {
	w     io.Writer
	quiet bool
	bar   bool // progress can be drawn
	color bool

	mu    sync.Mutex
	drawn bool
}

func newTerminal(w io.Writer, quiet bool) *terminal {
	t := &terminal{w: w, quiet: quiet}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		t.bar = !quiet
		t.color = os.Getenv("NO_COLOR") == ""
	}
	return t
}

// say writes a message unless --quiet was given.
func (t *terminal) say(format string, args ...any) {
	if !t.quiet {
		t.line("barid: " + fmt.Sprintf(format, args...))
	}
}

func (t *terminal) line(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.erase()
	fmt.Fprintln(t.w, visible(s))
}

func (t *terminal) erase() {
	if t.drawn {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.drawn = false
	}
}

func (t *terminal) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.erase()
}

// visible makes one line of s, which may come from evidence, in which nothing acts on the terminal.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ' '
		case r != '\t' && event.Hidden(r):
			return '\ufffd'
		}
		return r
	}, strings.TrimRight(s, "\n"))
}

// watch draws progress until stop is called. done and total are in bytes; a total of 0 is unknown.
func (t *terminal) watch(done func() int64, total int64, events func() int64) (stop func()) {
	if !t.bar {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		start := time.Now()
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				t.clear()
				return
			case <-tick.C:
				t.draw(meter(done(), total, events(), time.Since(start)))
			}
		}
	}()
	return func() { close(end); <-ended }
}

func (t *terminal) draw(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	width := 80
	if f, ok := t.w.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			width = w
		}
	}
	if len(s) >= width {
		s = s[:width-1]
	}
	fmt.Fprintf(t.w, "\r\x1b[K%s", s)
	t.drawn = true
}

// meter is the line of progress: share, bytes, rate, time left, by bytes read of those handed over.
func meter(done, total, events int64, elapsed time.Duration) string {
	seconds := elapsed.Seconds()
	rate := float64(done) / max(seconds, 0.001)
	s := fmt.Sprintf("%s, %d events, %s/s", size(done), events, size(int64(rate)))
	if total <= 0 || done > total {
		return s
	}
	s = fmt.Sprintf("%3d%% of %s, %d events, %s/s", done*100/total, size(total), events, size(int64(rate)))
	if done > 0 && seconds > 1 {
		left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
		s += fmt.Sprintf(", %s left", left)
	}
	return s
}

// size writes a number of bytes for people.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, u := float64(n), -1
	for f >= 1024 && u < len(units)-1 {
		f /= 1024
		u++
	}
	return fmt.Sprintf("%.1f %ciB", f, units[u])
}
