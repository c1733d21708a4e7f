// Package reached_test holds what Barid says was reached against cases whose truth is written down: a folder each under
// testdata, with the evidence, what people know (facts.yaml and the lists it names), and what must be said (want.yaml, which
// opens with why). The program runs as people run it.
package reached_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

var program string

func TestMain(m *testing.M) { os.Exit(sharedtest.RunWithBarid(m, &program)) }

// want is want.yaml.
type want struct {
	Why          string                      `yaml:"why"`
	Args         []string                    `yaml:"args"`
	Reached      []wantReached               `yaml:"reached"`
	Summary      map[string]map[string]int64 `yaml:"summary"`
	Sessions     []wantSession               `yaml:"sessions"`
	Capabilities []wantCapability            `yaml:"capabilities"`
	Gaps         []wantGap                   `yaml:"gaps"`
}

// wantReached is what an entry must say; what is left out may be anything. Without an id it is about every entry of the kind
// (in that container, where one is named) that no other line names, and N is how many there must be.
type wantReached struct {
	Kind     string   `yaml:"kind"`
	ID       string   `yaml:"id"`
	In       string   `yaml:"in"`
	N        int      `yaml:"n"`
	Verdict  string   `yaml:"verdict"`
	Exposure string   `yaml:"exposure"`
	Content  string   `yaml:"content"`
	Partial  string   `yaml:"partial"`
	Metadata string   `yaml:"metadata"`
	Lower    *int64   `yaml:"lower"`
	Upper    *int64   `yaml:"upper"`
	Bytes    *int64   `yaml:"bytes"`
	First    string   `yaml:"first"`
	Last     string   `yaml:"last"`
	By       []string `yaml:"by"`
	Rules    []string `yaml:"rules"`   // among others
	Never    []string `yaml:"never"`   // rules that must not be named
	Settle   string   `yaml:"settle"`  // a part of it
	Channel  []string `yaml:"channel"` // "ews content=ruled_out metadata=possible"
}

type wantSession struct {
	ID          string `yaml:"id"`
	Account     string `yaml:"account"`
	IP          string `yaml:"ip"`
	Attribution string `yaml:"attribution"`
}

type wantCapability struct {
	Kind      string `yaml:"kind"`
	Principal string `yaml:"principal"`
	From      string `yaml:"from"`
	To        string `yaml:"to"`
	None      bool   `yaml:"none"` // there must be none of the kind, of the principal
}

type wantGap struct {
	Stream     string `yaml:"stream"` // a part of its name
	Principal  string `yaml:"principal"`
	Level      string `yaml:"level"`
	Reason     string `yaml:"reason"`
	From       string `yaml:"from"`
	To         string `yaml:"to"`
	Certain    *bool  `yaml:"certain"`
	Substitute string `yaml:"substitute"` // a part of it
	None       bool   `yaml:"none"`       // there must be no such gap
}

func TestCases(t *testing.T) {
	sharedtest.LookAtSources(t)
	cases, err := filepath.Glob("testdata/*/want.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			p, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var w want
			d := yaml.NewDecoder(bytes.NewReader(p))
			d.KnownFields(true)
			if err := d.Decode(&w); err != nil {
				t.Fatal(err)
			}
			if w.Why == "" {
				t.Error("want.yaml does not say why")
			}
			c := assess(t, dir, w.Args)
			check(t, c, &w)
			tellUnmatched(t, c)
		})
	}
}

// assess makes the case of a folder of testdata.
func assess(t *testing.T, dir string, args []string) *casefile.Case {
	t.Helper()
	work := t.TempDir()
	expand(t, dir, work)
	return run(t, work, append(args, "evidence")...)
}

// run makes a case in a folder, with the facts that lie there if there are any.
func run(t *testing.T, work string, args ...string) *casefile.Case {
	t.Helper()
	cmd := exec.Command(program, "assess", "--quiet", "-o", "case")
	if _, err := os.Stat(filepath.Join(work, "facts.yaml")); err == nil {
		cmd.Args = append(cmd.Args, "--facts", "facts.yaml")
	}
	cmd.Args = append(cmd.Args, args...)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p, err := os.ReadFile(filepath.Join(work, "case", casefile.CaseFile))
	if err != nil {
		t.Fatal(err)
	}
	var c casefile.Case
	if err := json.Unmarshal(p, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

func check(t *testing.T, c *casefile.Case, w *want) {
	t.Helper()
	named := func(r *casefile.Reached) bool {
		return slices.ContainsFunc(w.Reached, func(x wantReached) bool { return x.ID != "" && x.is(r) })
	}
	failures := 0
	for i := range w.Reached {
		x := &w.Reached[i]
		n := 0
		for j := range c.Reached {
			r := &c.Reached[j]
			if !x.is(r) || x.ID == "" && named(r) {
				continue
			}
			n++
			if bad := x.differs(r); bad != "" {
				if failures++; failures <= 12 {
					t.Errorf("%s %s in %q: %s\n%s", r.Object.Kind, r.Object.ID, r.Object.In, bad, words(r))
				}
			}
		}
		if n == 0 {
			t.Errorf("nothing said of %s %s in %q", x.Kind, x.ID, x.In)
		}
		if x.ID == "" && x.N > 0 && n != x.N {
			t.Errorf("%d entries of other %ss in %q, want %d", n, x.Kind, x.In, x.N)
		}
	}
	for kind, want := range w.Summary {
		s := c.Summary.Reached[kind]
		got := map[string]int64{"confirmed": s.Confirmed, "possible": s.Possible, "ruled_out": s.RuledOut, "perhaps_same": s.PerhapsSame, "metadata_confirmed": s.MetadataConfirmed, "metadata_possible": s.MetadataPossible}
		for verdict, n := range want {
			if got[verdict] != n {
				t.Errorf("summary: %d %ss %s, want %d", got[verdict], kind, verdict, n)
			}
		}
	}
	for _, x := range w.Sessions {
		found := false
		for i := range c.Sessions {
			s := &c.Sessions[i]
			if x.ID != "" && s.ID != x.ID || x.Account != "" && !slices.Contains(s.Accounts, x.Account) || x.IP != "" && !slices.Contains(s.IPs, x.IP) {
				continue
			}
			found = true
			if s.Attribution != x.Attribution {
				t.Errorf("session %s is %s, want %s: %s", s.ID, s.Attribution, x.Attribution, strings.Join(s.Why, "; "))
			}
		}
		if !found {
			t.Errorf("no session %+v", x)
		}
	}
	for _, x := range w.Capabilities {
		found := slices.ContainsFunc(c.Capabilities, func(k casefile.Capability) bool {
			return k.Kind == x.Kind && (x.Principal == "" || k.Principal == x.Principal) && (x.From == "" || same(&k.From, x.From)) && (x.To == "" || same(k.To, x.To))
		})
		if found == x.None {
			t.Errorf("capability %+v: found %v; there are %+v", x, found, c.Capabilities)
		}
	}
	for _, x := range w.Gaps {
		found := false
		for _, v := range c.Coverage {
			for _, g := range v.Gaps {
				found = found || strings.Contains(v.Stream, x.Stream) && (x.Principal == "" || v.Principal == x.Principal) && (x.Level == "" || v.Level == x.Level) &&
					(x.Reason == "" || g.Reason == x.Reason) && (x.From == "" || same(g.From, x.From)) && (x.To == "" || same(g.To, x.To)) &&
					(x.Certain == nil || *x.Certain == g.Certain) && strings.Contains(g.Substitute, x.Substitute)
			}
		}
		if found == x.None {
			p, _ := json.Marshal(c.Coverage)
			t.Errorf("gap %+v: found %v in %s", x, found, p)
		}
	}
	if t.Failed() {
		for i := range c.Sessions {
			t.Logf("session %+v", c.Sessions[i])
		}
		for i := range c.Capabilities {
			t.Logf("capability %+v", c.Capabilities[i])
		}
		p, _ := json.Marshal(c.Coverage)
		t.Logf("coverage %s", p)
	}
}

// same reports whether a time is the one that is wanted, to the precision in which it is written: to the minute or the second.
func same(got *time.Time, want string) bool {
	return got != nil && strings.HasPrefix(got.UTC().Format("2006-01-02T15:04:05"), strings.TrimSuffix(want, "Z"))
}

func (x *wantReached) is(r *casefile.Reached) bool {
	return r.Object.Kind == x.Kind && (x.ID == "" || r.Object.ID == x.ID) && (x.In == "" || r.Object.In == x.In)
}

// differs says in what an entry is not as it should be.
func (x *wantReached) differs(r *casefile.Reached) string {
	var bad []string
	f := func(what, got, want string) {
		if want != "" && got != want {
			bad = append(bad, fmt.Sprintf("%s is %s, want %s", what, got, want))
		}
	}
	f("verdict", r.Verdict, x.Verdict)
	f("exposure", r.Exposure, x.Exposure)
	f("content", r.Levels.Content, x.Content)
	f("partial", r.Levels.Partial, x.Partial)
	f("metadata", r.Levels.Metadata, x.Metadata)
	number := func(what string, got int64, want *int64) {
		if want != nil && got != *want {
			bad = append(bad, fmt.Sprintf("%s is %d, want %d", what, got, *want))
		}
	}
	number("lower", r.Lower, x.Lower)
	number("upper", r.Upper, x.Upper)
	number("bytes", r.Bytes, x.Bytes)
	if x.First != "" && !same(r.First, x.First) {
		bad = append(bad, fmt.Sprintf("first is %v, want %s", r.First, x.First))
	}
	if x.Last != "" && !same(r.Last, x.Last) {
		bad = append(bad, fmt.Sprintf("last is %v, want %s", r.Last, x.Last))
	}
	if x.By != nil && !slices.Equal(r.By, x.By) {
		bad = append(bad, fmt.Sprintf("by %v, want %v", r.By, x.By))
	}
	rules := map[string]bool{}
	for _, y := range r.Why {
		rules[y.Rule] = true
	}
	for _, rule := range x.Rules {
		if !rules[rule] {
			bad = append(bad, "does not lean on "+rule)
		}
	}
	for _, rule := range x.Never {
		if rules[rule] {
			bad = append(bad, "leans on "+rule)
		}
	}
	if !strings.Contains(r.Settle, x.Settle) {
		bad = append(bad, fmt.Sprintf("settle is %q, want %q in it", r.Settle, x.Settle))
	}
	for _, want := range x.Channel {
		parts := strings.Fields(want)
		i := slices.IndexFunc(r.Channels, func(v casefile.ChannelVerdict) bool { return v.Channel == parts[0] })
		if i < 0 {
			bad = append(bad, "nothing of channel "+parts[0])
			continue
		}
		got := map[string]string{"content": r.Channels[i].Content, "partial": r.Channels[i].Partial, "metadata": r.Channels[i].Metadata}
		for _, part := range parts[1:] {
			level, verdict, _ := strings.Cut(part, "=")
			if got[level] != verdict {
				bad = append(bad, fmt.Sprintf("channel %s: %s is %s, want %s", parts[0], level, got[level], verdict))
			}
		}
	}
	return strings.Join(bad, "; ")
}

func words(r *casefile.Reached) string {
	p, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(p[:min(len(p), 1500)])
}
