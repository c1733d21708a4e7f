package played_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// TestCopiesAndWorkersChangeNothing holds that files which are compressed or there twice, and more workers, give the same case.
func TestCopiesAndWorkersChangeNothing(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			const seed = 7
			w := played(k.play, seed)
			files := w.evidence()
			f := func(name string, workers int, files []file) string {
				dir := t.TempDir()
				defer os.RemoveAll(dir)
				w.write(t, dir, files)
				return verdicts(t, assess(t, context.Background(), dir, workers))
			}
			want := f("as it is", 1, files)
			var double, small []file
			var z zipper
			for i, x := range files {
				double = append(double, x)
				if i%3 == 0 {
					double = append(double, file{"copy/" + x.name, x.data, x.written})
				}
				small = append(small, z.file(x))
			}
			for _, c := range []struct {
				name    string
				workers int
				files   []file
			}{{"by 4 workers", 4, files}, {"twice", 2, double}, {"compressed", 3, small}} {
				if got := f(c.name, c.workers, c.files); got != want {
					t.Errorf("%s: %s", c.name, difference(got, want))
				}
			}
		})
	}
}

// TestLostLogsProveNothing holds that to lose logs never rules out what was not, and that to get them back leaves confirmed what was.
func TestLostLogsProveNothing(t *testing.T) {
	for _, k := range kinds {
		if k.name == "events" || k.name == "people" || k.name == "webmail" {
			continue // a session that two logs tell of may be open in one of them: to lose that closes it
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(30); seed < 33; seed++ {
				var before map[string]casefile.Levels
				for lost := range 3 {
					w := newWorld(seed)
					k.play(w)
					w.count()
					w.losses = nil // they write records of their own
					for range lost {
						w.lose()
					}
					if w.after != nil {
						w.after()
					}
					dir := t.TempDir()
					w.write(t, dir, w.evidence())
					c := assess(t, context.Background(), dir, 1)
					os.RemoveAll(dir)
					now := make(map[string]casefile.Levels)
					for i := range c.Reached {
						r := &c.Reached[i]
						if r.Object.Kind == "message" || r.Object.Kind == "file" || r.Object.Kind == "mailbox" {
							now[r.Object.Kind+" "+r.Object.In+" "+r.Object.ID] = r.Levels
						}
					}
					for key, then := range before {
						if l, ok := now[key]; ok && then.Content != casefile.RuledOut && l.Content == casefile.RuledOut {
							t.Errorf("seed %d: without %s, %s is ruled out, and was %s with it", seed, strings.Join(w.lost, "; "), key, then.Content)
						}
					}
					for key, l := range now {
						if then, ok := before[key]; ok && l.Content == casefile.Confirmed && then.Content != casefile.Confirmed {
							t.Errorf("seed %d: with %s, %s is %s, and without it confirmed", seed, strings.Join(w.lost, "; "), key, then.Content)
						}
					}
					before = now
				}
			}
		})
	}
}

// verdicts returns all that a case says but for where records stand.
func verdicts(t *testing.T, c *casefile.Case) string {
	var lines []string
	say := func(kind string, v any) {
		p, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, kind+" "+string(p))
	}
	for _, r := range c.Reached {
		for i := range r.Why {
			r.Why[i].Evidence = nil
			r.Why[i].Text = ""
		}
		r.Settle = ""
		for i := range r.Channels {
			r.Channels[i].Why = ""
		}
		say("reached", r)
	}
	for _, s := range c.Sessions {
		s.Evidence = nil
		say("session", s)
	}
	for _, k := range c.Capabilities {
		k.Evidence = nil
		say("capability", k)
	}
	for _, g := range c.Coverage {
		g.Sources, g.Notes = nil, nil
		g.Gaps = slices.Clone(g.Gaps)
		for i := range g.Gaps {
			g.Gaps[i].Why = ""
		}
		say("coverage", g)
	}
	return strings.Join(lines, "\n")
}

// difference returns the first line in which two texts differ.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("\n got %s\nwant %s", a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(a), len(b))
}
