package conformance_test

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// fail2banLine is a line of fail2ban's tests, and what it must be.
type fail2banLine struct {
	file string
	// modes are those of the filter under which fail2ban reads the line so; none is its default.
	modes []string
	// before are the lines before it that the same process wrote: fail2ban, too, knows them when it judges.
	before []string
	text   string
	Match  bool
	Host   string
}

// filter returns the name of the filter, with the mode where it matters whether the line is about authentication.
func (l *fail2banLine) filter() string {
	name := path.Base(l.file)
	switch name {
	case "postfix":
		if slices.Contains(l.modes, "auth") {
			return name + " auth"
		}
		return name + " rejections, floods"
	case "exim":
		if slices.Contains(l.modes, "") {
			return name
		}
		return name + " more"
	case "nginx-http-auth":
		if !slices.Contains(l.modes, "auth") && !slices.Contains(l.modes, "") {
			return name + " fallback"
		}
	}
	return name
}

// authentication reports whether a filter is about authentication to what Barid reads. The others are about spam, scans and floods
// (postfix, exim and nginx have such modes), or about programs that Barid does not read.
func authentication(filter string) bool {
	switch filter {
	case "sshd", "sshd-journal", "dropbear", "pam-generic", "dovecot", "postfix auth", "exim", "cyrus-imap", "sieve", "courier-auth",
		"roundcube-auth", "sendmail-auth", "nginx-http-auth", "apache-auth":
		return true
	}
	return false
}

// fail2banLines returns the lines of fail2ban's tests that a comment before them says something about.
func fail2banLines(t *testing.T) []fail2banLine {
	t.Helper()
	var out []fail2banLine
	files := unzip(t, "fail2ban", "logs.zip")
	for _, name := range sortedKeys(files, strings.Compare) {
		spec, modes, journal, all := "", []string{""}, false, []string(nil)
		for l := range strings.Lines(string(files[name])) {
			l = strings.TrimRight(l, "\n")
			if c, ok := cutComment(l, "failJSON:"); ok {
				spec = c
				continue
			}
			if c, ok := cutComment(l, "filterOptions:"); ok {
				modes, journal = fail2banModes(t, c), strings.Contains(c, `"journal"`)
				continue
			}
			if strings.HasPrefix(l, "#") || strings.TrimSpace(l) == "" {
				continue
			}
			if journal || path.Base(name) == "sshd-journal" { // the time of a record of the journal is not in its text
				l = "Jan  1 00:00:00 " + l
			}
			x := fail2banLine{file: name, modes: modes, text: l}
			for _, b := range all {
				if p := process(l); p != "" && process(b) == p {
					x.before = append(x.before, b)
				}
			}
			all = append(all, l)
			if spec == "" {
				continue
			}
			if err := json.Unmarshal([]byte(spec), &x); err != nil {
				t.Fatalf("%s: %s: %v", name, spec, err)
			}
			out, spec = append(out, x), ""
		}
	}
	return out
}

// cutComment returns what follows a word at the beginning of a comment.
func cutComment(l, word string) (string, bool) {
	c, ok := strings.CutPrefix(l, "#")
	if !ok {
		return "", false
	}
	return strings.CutPrefix(strings.TrimLeft(c, " "), word)
}

// fail2banModes returns the modes in the options of a filter, an object or a list of them.
func fail2banModes(t *testing.T, options string) []string {
	t.Helper()
	options = strings.TrimSpace(options)
	if !strings.HasPrefix(options, "[") {
		options = "[" + options + "]"
	}
	var list []struct{ Mode string }
	if err := json.Unmarshal([]byte(options), &list); err != nil {
		t.Fatalf("%s: %v", options, err)
	}
	var modes []string
	for _, o := range list {
		if o.Mode == "normal" {
			o.Mode = ""
		}
		modes = append(modes, o.Mode)
	}
	return modes
}

// process returns the program and number of the process that wrote a line of syslog, "" if it does not say so.
func process(l string) string {
	for _, w := range strings.Fields(l) {
		if w = strings.TrimSuffix(w, ":"); strings.HasSuffix(w, "]") && strings.Index(w, "[") > 0 {
			return w
		}
	}
	return ""
}

// trueFailure reports whether a line that fail2ban must not match is a failed login all the same: it is in the form of Linux-PAM
// before 0.99.2, which fail2ban no longer reads.
func trueFailure(l *fail2banLine) bool {
	return !l.Match && path.Base(l.file) == "pam-generic" && strings.Contains(l.text, "(pam_unix)[")
}

// TestFail2banLogins gives Barid every line of fail2ban's tests, each in a file of its own with what the same process wrote before.
// Where a filter for authentication must see a failure from a host, there must be a login from it that failed, or whose end the
// log does not tell; a line that it must not match may be none that failed.
func TestFail2banLogins(t *testing.T) {
	dir := t.TempDir()
	lines := map[string]*fail2banLine{}
	all := fail2banLines(t)
	for i := range all {
		l := &all[i]
		text := strings.Join(append(slices.Clone(l.before), l.text), "\n") + "\n"
		lines[put(t, dir, fmt.Sprintf("%s/%03d.log", path.Base(l.file), i), []byte(text))] = l
	}
	// What is seen in a line: a failed login, one that did not end, or one of these on a line before it.
	type sight struct{ failed, unknown, earlier, wrong bool }
	sights := map[*fail2banLine]*sight{}
	for _, x := range lines {
		sights[x] = new(sight)
	}
	dump(t, func(l *line) {
		x := lines[l.Source.Path]
		s := sights[x]
		last := l.Source.Line == int64(len(x.before))+1
		for _, o := range l.Observed {
			if o.Kind != "login" || o.OK != nil && *o.OK {
				continue
			}
			s.wrong = s.wrong || last && o.OK != nil
			if o.IP == "" || o.IP != x.Host && x.Host != "" {
				continue
			}
			s.failed = s.failed || last && o.OK != nil
			s.unknown = s.unknown || last && o.OK == nil
			s.earlier = s.earlier || !last
		}
	}, dir)
	type count struct{ must, failed, unknown, earlier, mustNot, wrong int }
	add := func(c *count, l *fail2banLine, s *sight) {
		if !l.Match {
			c.mustNot++
			if s.wrong && !trueFailure(l) {
				c.wrong++
			}
			return
		}
		c.must++
		switch {
		case s.failed:
			c.failed++
		case s.unknown:
			c.unknown++
		case s.earlier:
			c.earlier++
		}
	}
	filters := map[string]*count{}
	var about, others count
	for i := range all {
		l := &all[i]
		s, name := sights[l], l.filter()
		if filters[name] == nil {
			filters[name] = new(count)
		}
		add(filters[name], l, s)
		if authentication(name) {
			add(&about, l, s)
		} else {
			add(&others, l, s)
		}
		if !authentication(name) && !*verbose {
			continue
		}
		if l.Match && !s.failed && !s.unknown && !s.earlier {
			t.Logf("%s: nothing from %q: %.260s", name, l.Host, l.text)
		}
		if !l.Match && s.wrong {
			t.Logf("%s: taken for a failed login: %.260s", name, l.text)
		}
	}
	var b strings.Builder
	b.WriteString("# The lines of fail2ban's tests and what Barid sees in them: written by TestFail2banLogins with -update.\n" +
		"# must: lines that the filter must match, and of these: failed logins; sessions that ended before a login, or whose end the log does\n" +
		"# not tell; told by an earlier line of the same process; missed. must not: lines that it must not match, and failed logins among them.\n")
	row := func(name string, c *count) {
		fmt.Fprintf(&b, "%-28s %5d %7d %8d %8d %7d %9d %7d\n", name, c.must, c.failed, c.unknown, c.earlier,
			c.must-c.failed-c.unknown-c.earlier, c.mustNot, c.wrong)
	}
	for _, part := range []bool{true, false} {
		title, sum := "authentication", &about
		if !part {
			title, sum = "others", &others
		}
		fmt.Fprintf(&b, "\n%-28s %5s %7s %8s %8s %7s %9s %7s\n", title, "must", "failed", "unknown", "earlier", "missed", "must not", "wrong")
		for _, name := range sortedKeys(filters, strings.Compare) {
			if authentication(name) == part {
				row(name, filters[name])
			}
		}
		row("all", sum)
	}
	t.Log("\n" + b.String())
	golden(t, "fail2ban.txt", b.String())
	if seen := about.failed + about.unknown + about.earlier; seen*100 < about.must*98 {
		t.Errorf("%d of %d failures are seen, less than 98 %%", seen, about.must)
	}
	if about.wrong > 0 {
		t.Errorf("%d lines that are no failures are taken for one", about.wrong)
	}
}
