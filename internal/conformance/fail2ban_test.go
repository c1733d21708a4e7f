package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// fail2banLine is a line of fail2ban's tests, and what it must be.
type fail2banLine struct {
	file, text string
	Match      bool
	Host       string
}

// fail2banLines returns the lines of fail2ban's tests that a comment before them says something about.
func fail2banLines(t *testing.T) []fail2banLine {
	t.Helper()
	var out []fail2banLine
	for name, p := range unzip(t, "fail2ban", "logs.zip") {
		spec := ""
		for _, l := range strings.Split(string(p), "\n") {
			if c, ok := strings.CutPrefix(strings.Replace(l, "# failJSON:", "#failJSON:", 1), "#failJSON:"); ok {
				spec = c
				continue
			}
			if spec == "" || strings.HasPrefix(l, "#") || strings.TrimSpace(l) == "" {
				continue
			}
			x := fail2banLine{file: name, text: l}
			if err := json.Unmarshal([]byte(spec), &x); err != nil {
				t.Fatalf("%s: %s: %v", name, spec, err)
			}
			out, spec = append(out, x), ""
		}
	}
	return out
}

// TestFail2banLogins gives Barid every line of fail2ban's tests in a file of its own: where fail2ban must see a failure from a host, there must be
// a failed login, or a finding, that names it. Many of the lines are of programs that Barid does not know, and some of
// fail2ban's failures are scans, floods and mail to nobody, which are no logins.
func TestFail2banLogins(t *testing.T) {
	dir := t.TempDir()
	lines := map[string]fail2banLine{}
	for i, l := range fail2banLines(t) {
		lines[put(t, dir, fmt.Sprintf("%s/%03d.log", path.Base(l.file), i), []byte(l.text+"\n"))] = l
	}
	login := map[string]bool{}
	dump(t, func(l *line) {
		x := lines[l.Source.Path]
		for _, o := range l.Observed {
			if o.Kind == "login" && !o.OK && (o.IP == x.Host || x.Host == "" || !x.Match) {
				login[l.Source.Path] = true
			}
		}
	}, dir)
	found := map[string]bool{}
	findings, _ := scan(t, own(t), dir)
	for _, f := range findings {
		if x := lines[f.Source.Path]; f.Client == x.Host {
			found[f.Source.Path] = true
		}
	}
	type count struct{ must, login, found, mustNot, falsely int }
	files := map[string]*count{}
	var all count
	for p, x := range lines {
		name := path.Base(x.file)
		c := files[name]
		if c == nil {
			c = &count{}
			files[name] = c
		}
		if !x.Match {
			c.mustNot++
			if login[p] {
				c.falsely++
				if *verbose {
					t.Logf("%s: taken for a failed login: %.200s", name, x.text)
				}
			}
			continue
		}
		c.must++
		if login[p] {
			c.login++
		} else if *verbose {
			t.Logf("%s: no failed login from %s: %.200s", name, x.Host, x.text)
		}
		if login[p] || found[p] {
			c.found++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		c := files[name]
		t.Logf("%-22s %3d of %3d failed logins, %3d with other findings; %d of %2d others taken for one", name, c.login, c.must, c.found, c.falsely, c.mustNot)
		all.must, all.login, all.found = all.must+c.must, all.login+c.login, all.found+c.found
		all.mustNot, all.falsely = all.mustNot+c.mustNot, all.falsely+c.falsely
	}
	t.Logf("%-22s %3d of %3d failed logins, %3d with other findings; %d of %2d others taken for one", "all", all.login, all.must, all.found, all.falsely, all.mustNot)
	if all.falsely > 2 {
		t.Errorf("%d lines that are no failures are taken for one", all.falsely)
	}
	for name, atLeast := range map[string]int{"sshd": 57, "dovecot": 22, "postfix": 3, "exim": 6, "roundcube-auth": 11, "cyrus-imap": 5, "sieve": 3,
		"sendmail-auth": 6, "dropbear": 10, "pam-generic": 8, "apache-auth": 9, "nginx-http-auth": 4} {
		if c := files[name]; c.login < atLeast {
			t.Errorf("%s: %d failed logins, there were %d", name, c.login, atLeast)
		}
	}
}
