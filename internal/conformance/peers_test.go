package conformance_test

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
)

var verbose = flag.Bool("tables", false, "log the whole tables of what peers expect and what Barid finds")

// TestCrowdSecScenarios gives Barid the logs that CrowdSec tests its scenarios with, one test at a time. Where an
// alert is expected about something Barid claims to see, it must report something about the same address.
func TestCrowdSecScenarios(t *testing.T) {
	files := unzip(t, "crowdsec-hub", "tests.zip")
	rules := withSigmaHQ(t)
	expected, seen, met := map[string]int{}, map[string]int{}, map[string]int{}
	for _, row := range table(t, "crowdsec-hub", "expected.tsv") {
		name := row["test"]
		log, ok := files[name+"/"+row["log_file"]]
		if !ok || row["expected_sources"] == "" {
			continue
		}
		scope := crowdSecScope(row)
		dir := t.TempDir()
		findings, sources := scan(t, rules, put(t, dir, row["log_file"], log))
		var missing []string
		for _, source := range strings.Split(row["expected_sources"], ",") {
			expected[scope]++
			named, raised := false, false
			for _, f := range findings {
				l, _ := detect.ParseLevel(f.Rule.Level)
				named = named || names(&f, source)
				raised = raised || l >= detect.Low && names(&f, source)
			}
			if named {
				seen[scope]++
			}
			if raised {
				met[scope]++
				continue
			}
			missing = append(missing, source)
		}
		format, unparsed := "", int64(0)
		for _, s := range sources {
			format, unparsed = s.Format, unparsed+s.Unparsed
		}
		if len(missing) > 0 && scope != "elsewhere" || *verbose {
			t.Logf("%-10s %-32s %s: missing %v; %s, %d unread; finds %.200q", scope, name, row["expected_scenarios"], missing, format, unparsed, titles(findings))
		}
	}
	for s, want := range map[string][2]int{"mail": {9, 5}, "ssh": {4, 0}, "web": {62, 59}, "elsewhere": {1, 1}} {
		t.Logf("%-10s of %2d sources %2d are named, %2d of them in a finding of level low or above", s, expected[s], seen[s], met[s])
		if seen[s] < want[0] || met[s] < want[1] {
			t.Errorf("%s: more sources were named before", s)
		}
	}
}

// names reports whether a finding is about an address or account.
func names(f *casefile.Finding, who string) bool {
	return f.Client == who || f.Account == who || strings.Contains(string(f.Event), `"`+who+`"`)
}

// crowdSecScope says whose job the logs of a test are: a kind of what Barid reads, or "elsewhere" for programs and formats it does not
// read, and for alerts about something else than an attack on mail, logins, web servers or Windows.
func crowdSecScope(row map[string]string) string {
	switch row["log_type"] {
	case "nginx", "apache2", "caddy", "nginx-proxy-manager", "litespeed", "bunkerweb":
		if row["category"] == "mail" {
			return "mail"
		}
		return "web"
	case "exim", "exchange-pop", "exchange-smtp", "exchange-imap":
		return "mail"
	case "iis":
		return "web"
	case "syslog":
		switch name := row["test"]; {
		case strings.HasPrefix(name, "ssh-"), strings.HasPrefix(name, "sshd-"):
			return "ssh"
		case strings.HasPrefix(name, "dovecot-"), strings.HasPrefix(name, "postfix-"):
			return "mail"
		}
	}
	return "elsewhere"
}

// wazuhTests returns the log lines of a file of Wazuh's tests that must match, by the name of the test.
func wazuhTests(p []byte) map[string][]string {
	tests := map[string][]string{}
	name := ""
	for _, l := range strings.Split(string(p), "\n") {
		if t, ok := strings.CutPrefix(l, "["); ok {
			name = strings.TrimSuffix(strings.TrimSpace(t), "]")
			continue
		}
		key, text, ok := strings.Cut(l, "=")
		if f := strings.Fields(key); ok && len(f) == 3 && f[0] == "log" && f[2] == "pass" {
			tests[name] = append(tests[name], strings.TrimSpace(text))
		}
	}
	return tests
}

// TestWazuhAlerts gives Barid the lines to which Wazuh gives an alert level of 6 or more, a test at a time.
func TestWazuhAlerts(t *testing.T) {
	files := unzip(t, "wazuh-ruleset", "tests.zip")
	rules := withSigmaHQ(t)
	all, seen, raised := map[string]int{}, map[string]int{}, map[string]int{}
	for _, row := range table(t, "wazuh-ruleset", "expected.tsv") {
		var level int
		fmt.Sscan(row["alert_level"], &level)
		file := row["file"]
		switch file {
		case "office365", "sshd", "pam", "dovecot", "postfix", "exim", "nginx", "apache", "exchange", "web_rules", "web_appsec":
		default:
			continue
		}
		lines := wazuhTests(files[file+".ini"])[row["test"]]
		if level < 6 || len(lines) == 0 {
			continue
		}
		if file == "office365" {
			for i := range lines {
				lines[i] = auditRecord(lines[i])
			}
		}
		findings, sources := scan(t, rules, put(t, t.TempDir(), file+".log", []byte(strings.Join(lines, "\n")+"\n")))
		all[file]++
		top := detect.Level(0)
		for _, f := range findings {
			l, _ := detect.ParseLevel(f.Rule.Level)
			top = max(top, l)
		}
		if len(findings) > 0 {
			seen[file]++
		}
		if len(findings) > 0 && top >= detect.Low {
			raised[file]++
		} else {
			t.Logf("%-10s level %2d not raised: %s; %s, finds %q: %.260s", file, level, row["rule_description"], sources[0].Format, titles(findings), lines[0])
		}
	}
	for file, want := range map[string]int{"exchange": 2, "exim": 1, "office365": 7, "sshd": 3, "web_rules": 3} {
		if raised[file] < want {
			t.Errorf("%s: %d were found before", file, want)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(all)) {
		t.Logf("%-10s %d tests of level 6 and above: a finding in %d, of level low or above in %d", file, all[file], seen[file], raised[file])
	}
}

// auditRecord takes a record of the Microsoft 365 audit log out of the wrapping that Wazuh's agent puts around it.
func auditRecord(l string) string {
	var w struct {
		Office365 json.RawMessage `json:"office365"`
	}
	if json.Unmarshal([]byte(l), &w) != nil || w.Office365 == nil {
		return l
	}
	return string(w.Office365)
}

// TestPantherRules gives Barid the records about mail and identities that Panther tests its rules with. What must raise an alert there must be found,
// what must not must stay below level medium.
func TestPantherRules(t *testing.T) {
	f, err := os.Open(evidence(t, "m365", "panther-microsoft-tests.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rules := withSigmaHQ(t)
	agree, all := map[bool]int{}, map[bool]int{}
	for d := json.NewDecoder(z); d.More(); {
		var c struct {
			Rule     string          `json:"rule_id"`
			Name     string          `json:"test"`
			Expected bool            `json:"expected_result"`
			LogTypes []string        `json:"log_types"`
			Log      json.RawMessage `json:"log"`
		}
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(c.Rule, "Microsoft365."), strings.HasPrefix(c.Rule, "Azure.Audit."), strings.HasPrefix(c.Rule, "Windows."):
		default:
			continue // the cloud's machines, storage and networks; alerts of other products; lists of addresses
		}
		findings, sources := scan(t, rules, put(t, t.TempDir(), "log.jsonl", append(c.Log, '\n')))
		found := slices.ContainsFunc(findings, func(f casefile.Finding) bool {
			l, _ := detect.ParseLevel(f.Rule.Level)
			return c.Expected || l >= detect.Medium
		})
		all[c.Expected]++
		if found == c.Expected {
			agree[c.Expected]++
		} else {
			t.Logf("%s: %s: expected %v: %s, finds %q: %.400s", c.Rule, c.Name, c.Expected, sources[0].Format, titles(findings), c.Log)
		}
	}
	if agree[true] < 8 || agree[false] < 17 {
		t.Error("more agreed before")
	}
	t.Logf("found %d of %d that must be; quiet on %d of %d others", agree[true], all[true], agree[false], all[false])
}
