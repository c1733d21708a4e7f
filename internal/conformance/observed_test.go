package conformance_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// seen is what Barid makes of the lines of a test: how many events, and how many observations of each kind.
type seen struct {
	events, unread             int64
	ok, failed, unknown, other int
	// addresses are those that did not log in, or not certainly.
	addresses []string
	kinds     []string
}

func look(t *testing.T, name string, data []byte) seen {
	var s seen
	sources := dump(t, func(l *line) {
		s.events++
		for _, o := range l.Observed {
			switch {
			case o.Kind != "login":
				s.other++
				s.kinds = append(s.kinds, o.Kind)
			case o.OK == nil:
				s.unknown++
			case *o.OK:
				s.ok++
			default:
				s.failed++
			}
			if o.Kind == "login" && (o.OK == nil || !*o.OK) && o.IP != "" {
				s.addresses = append(s.addresses, o.IP)
			}
		}
	}, put(t, t.TempDir(), name, data))
	s.unread = unparsed(sources)
	slices.Sort(s.addresses)
	s.addresses = slices.Compact(s.addresses)
	slices.Sort(s.kinds)
	s.kinds = slices.Compact(s.kinds)
	return s
}

func unparsed(sources []casefile.Source) (n int64) {
	for _, s := range sources {
		n += s.Unparsed
	}
	return n
}

func (s *seen) row(b *strings.Builder, name, note string) {
	line := fmt.Sprintf("%-44s %6d %6d %4d %6d %7d %5d  %s", name, s.events, s.unread, s.ok, s.failed, s.unknown, s.other, strings.Join(append(slices.Clone(s.kinds), note), " "))
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

const observedHead = "%-44s %6s %6s %4s %6s %7s %5s\n"

// TestObservedInPeersTests writes what Barid sees in the tests of CrowdSec and Wazuh that are about logins and mail: one line for each. Where CrowdSec
// expects an alert about guessing, every address that it names must be seen to fail; where Wazuh's rule says that authentication failed
// or succeeded, so must an observation.
func TestObservedInPeersTests(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What Barid sees in peers' tests: events; lines not read; logins that succeeded, that failed, whose end is not told; other\n" +
		"# observations, and their kinds; what the peer expects that is not seen. Written by TestObservedInPeersTests with -update.\n\n")
	fmt.Fprintf(&b, observedHead, "CrowdSec", "events", "unread", "ok", "failed", "unknown", "other")
	agree, expects := 0, 0
	files := unzip(t, "crowdsec-hub", "tests.zip")
	for _, row := range table(t, "crowdsec-hub", "expected.tsv") {
		log, ok := files[row["test"]+"/"+row["log_file"]]
		if !ok || !aboutLogins(row) {
			continue
		}
		s := look(t, row["log_file"], log)
		var missing []string
		if about := row["expected_scenarios"]; strings.Contains(about, "-bf") || strings.Contains(about, "bruteforce") {
			for _, who := range strings.Split(row["expected_sources"], ",") {
				if who == "" {
					continue
				}
				expects++
				if slices.Contains(s.addresses, who) {
					agree++
					continue
				}
				missing = append(missing, who)
			}
		}
		note := ""
		if len(missing) > 0 {
			note = "misses " + strings.Join(missing, " ")
		}
		s.row(&b, row["test"], note)
	}
	fmt.Fprintf(&b, "addresses that guess by CrowdSec: %d of %d are seen to fail\n\n", agree, expects)
	fmt.Fprintf(&b, observedHead, "Wazuh (rule, level)", "events", "unread", "ok", "failed", "unknown", "other")
	agree, expects = 0, 0
	files = unzip(t, "wazuh-ruleset", "tests.zip")
	for _, row := range table(t, "wazuh-ruleset", "expected.tsv") {
		file := row["file"]
		switch file {
		case "sshd", "dropbear", "pam", "dovecot", "postfix", "exim", "exchange", "office365", "nginx", "apache":
		default:
			continue
		}
		lines := wazuhTests(files[file+".ini"])[row["test"]]
		if len(lines) == 0 {
			continue
		}
		if file == "office365" {
			for i := range lines {
				lines[i] = auditRecord(lines[i])
			}
		}
		s := look(t, file+".log", []byte(strings.Join(lines, "\n")+"\n"))
		note := ""
		groups := strings.Split(row["groups"], ",")
		failed := slices.ContainsFunc(groups, func(g string) bool {
			return strings.HasPrefix(g, "authentication_failure") || g == "authentication_failed"
		})
		if succeeded := slices.Contains(groups, "authentication_success"); failed || succeeded {
			expects++
			switch {
			case failed && s.failed+s.unknown > 0, succeeded && s.ok > 0:
				agree++
			case failed:
				note = "misses a failed login"
			default:
				note = "misses a login"
			}
		}
		s.row(&b, file+" "+row["rule_id"]+" "+row["alert_level"], note)
	}
	fmt.Fprintf(&b, "failed and good logins by Wazuh: %d of %d tests are seen so\n", agree, expects)
	golden(t, "observed.txt", b.String())
	if *verbose {
		t.Log("\n" + b.String())
	}
}

// aboutLogins reports whether a test of CrowdSec is about sshd, PAM, mail servers, Exchange, Microsoft 365, or logins at nginx, Apache or IIS.
func aboutLogins(row map[string]string) bool {
	name := row["test"]
	for _, p := range []string{"ssh", "dovecot", "postfix", "exim", "exchange", "pam-", "http-bf", "http-generic", "nginx-", "apache2-", "iis-", "o365", "m365", "azure"} {
		if strings.HasPrefix(name, p) {
			n, _ := strconv.Atoi(row["lines"])
			return n > 0 && name != "sshesame" // a honeypot's own log
		}
	}
	return row["category"] == "mail"
}
