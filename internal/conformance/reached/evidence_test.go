package reached_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/sharedtest"
)

// assessShared makes the case of shared evidence, with facts if there are any.
func assessShared(t *testing.T, facts string, elem ...string) *casefile.Case {
	t.Helper()
	work := t.TempDir()
	if facts != "" {
		if err := os.WriteFile(filepath.Join(work, "facts.yaml"), []byte(facts), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path, err := filepath.Abs(sharedtest.Path(t, append([]string{"evidence"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, work, path)
}

const shell = "/owa/auth/RedirSuiteServerProxy.aspx"

// TestProxyLogonOf2021 holds the verdicts against what the publisher concluded: a shell was planted, nobody used it, and no data was
// reached through it. The excerpt by itself does not prove that nobody did, since it begins two days after the planting: that takes
// the word of somebody who has seen the whole log.
func TestProxyLogonOf2021(t *testing.T) {
	f := func(facts string, w ...wantReached) {
		t.Helper()
		c := assessShared(t, facts, "exchange", "proxylogon-2021-03-real")
		check(t, c, &want{Reached: w, Capabilities: []wantCapability{{Kind: "host", Principal: "servernavn.xxx.local", From: "2021-03-03T06:59:20"}}})
		for i := range c.Reached {
			r := &c.Reached[i]
			if r.Levels.Content == casefile.Confirmed && r.Object.Kind != "host" {
				t.Errorf("content of %s %s is said to have been reached", r.Object.Kind, r.Object.ID)
			}
			for _, y := range r.Why {
				if y.Rule == "SHELL_USED" {
					t.Errorf("the shell is said to have been used: %s", y.Text)
				}
			}
		}
	}
	host := wantReached{Kind: "host", ID: "servernavn.xxx.local", Verdict: casefile.Confirmed, Rules: []string{"SHELL_WRITTEN", "PROXYLOGON_WRITTEN", "PROXYLOGON_DIRECTORY"}, Settle: "process"}
	f("", host, wantReached{Kind: "file", ID: shell, Verdict: casefile.Possible, Rules: []string{"SHELL_VISITED"}, Never: []string{"SHELL_USED"}, Settle: "web server"})
	f(`window: {from: 2021-03-03T00:00:00Z, to: 2021-03-09T00:00:00Z}
evicted: 2021-03-08T20:30:00Z
coverage:
  - {stream: iis.w3c, level: presence, from: 2021-03-03T00:00:00Z, to: 2021-03-09T00:00:00Z, proof: "the publisher searched W3SVC1 as a whole and gives every request for the shell"}
  - {stream: iis.w3c, level: detail, from: 2021-03-03T00:00:00Z, to: 2021-03-09T00:00:00Z, proof: "the same"}
`, host, wantReached{Kind: "file", ID: shell, Verdict: casefile.RuledOut, Rules: []string{"SHELL_NOT_USED"}})
}

// TestServiceIsNotBlamed reads the audit log of a tenant that was attacked: what only the mail service itself touched nobody is said to
// have reached.
func TestServiceIsNotBlamed(t *testing.T) {
	c := assessShared(t, "", "m365", "invictus-o365", "auditrecords_2021-03_05.csv.gz")
	file, err := os.Open(sharedtest.Path(t, "evidence", "m365", "invictus-o365", "mailitemsaccessed_2021-03_05.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type message struct{ in, id string }
	person, service := map[message]bool{}, map[message]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		v := strings.Split(lines.Text(), "\t")
		if len(v) < 11 {
			continue
		}
		for _, id := range strings.Split(v[8], ",") {
			m := message{strings.ToLower(v[2]), id}
			if strings.Contains(v[10], "RESTSystem") && strings.HasPrefix(v[4], "2603:10a6:") {
				service[m] = true
			} else {
				person[m] = true
			}
		}
	}
	confirmed, only := 0, 0
	for i := range c.Reached {
		r := &c.Reached[i]
		m := message{r.Object.In, r.Object.ID}
		if r.Object.Kind != "message" {
			continue
		}
		if r.Levels.Content == casefile.Confirmed {
			confirmed++
			if !person[m] {
				t.Errorf("%s in %s was touched by the service only, and is said to have been reached", m.id, m.in)
			}
		}
		if service[m] && !person[m] {
			only++
			for _, y := range r.Why {
				if strings.Contains(y.Text, "opened or fetched") { // a Bind; that a folder was synchronised is said of all in it
					t.Errorf("the service's processing of %s in %s is blamed on somebody: %s", m.id, m.in, y.Text)
				}
			}
		}
	}
	t.Logf("%d messages confirmed; %d that only the service touched are entries", confirmed, only)
	if len(service) == 0 || confirmed == 0 {
		t.Error("the index says nothing of the service, or nothing is confirmed")
	}
}
