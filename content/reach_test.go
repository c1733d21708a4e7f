package content_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/logs/logsource"
	"github.com/barid-dfir/barid/internal/pipeline"
	"github.com/barid-dfir/barid/internal/sharedtest"
	"github.com/barid-dfir/barid/sigma"
)

var update = flag.Bool("update", false, "write anew which log sources are reached, and which rules can never match")

// unread says of every log source for which SigmaHQ has rules and that nothing serves why that is so.
var unread = map[sigma.LogSource]string{
	{Category: "database"}:                                                  "no database's log of queries is read",
	{Product: "cisco", Service: "aaa"}:                                      "a line of a device in syslog says no product; --log-sources can",
	{Product: "cisco", Service: "bgp"}:                                      "a line of a device in syslog says no product; --log-sources can",
	{Product: "cisco", Service: "ldp"}:                                      "a line of a device in syslog says no product; --log-sources can",
	{Product: "cisco", Service: "syslog"}:                                   "a line of a device in syslog says no product; --log-sources can",
	{Product: "huawei", Service: "bgp"}:                                     "a line of a device in syslog says no product; --log-sources can",
	{Product: "juniper", Service: "bgp"}:                                    "a line of a device in syslog says no product; --log-sources can",
	{Product: "fortigate", Service: "event"}:                                "logs of firewalls as key=value are not read",
	{Product: "fortios", Service: "sslvpnd"}:                                "logs of firewalls as key=value are not read",
	{Product: "paloalto", Category: "appliance", Service: "globalprotect"}:  "logs of firewalls as CSV are not read",
	{Product: "paloalto", Category: "file_event", Service: "globalprotect"}: "logs of firewalls as CSV are not read",
	{Product: "django", Category: "application"}:                            "text that an application writes in a form of its own is not read",
	{Product: "jvm", Category: "application"}:                               "text that an application writes in a form of its own is not read",
	{Product: "nodejs", Category: "application"}:                            "text that an application writes in a form of its own is not read",
	{Product: "python", Category: "application"}:                            "text that an application writes in a form of its own is not read",
	{Product: "ruby_on_rails", Category: "application"}:                     "text that an application writes in a form of its own is not read",
	{Product: "spring", Category: "application"}:                            "text that an application writes in a form of its own is not read",
	{Product: "sql", Category: "application"}:                               "text that an application writes in a form of its own is not read",
	{Product: "velocity", Category: "application"}:                          "text that an application writes in a form of its own is not read",
	{Product: "macos", Category: "process_creation"}:                        "no log of macOS is read",
	{Product: "macos", Category: "file_event"}:                              "no log of macOS is read",
}

// TestLogSourcesAreReached compares, for every log source that SigmaHQ's rules ask for, the entries of the table that
// serve it with fields/testdata/reach.txt. None may be left without an entry or a reason.
func TestLogSourcesAreReached(t *testing.T) {
	pack, err := sigma.Load(sharedtest.Path(t, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[sigma.LogSource]int{}
	for _, r := range pack.Rules {
		rules[r.LogSource]++
	}
	sources := make([]sigma.LogSource, 0, len(rules))
	for s := range rules {
		sources = append(sources, s)
	}
	name := func(s sigma.LogSource) string {
		part := func(p string) string {
			if p == "" {
				return "-"
			}
			return p
		}
		return part(s.Product) + " " + part(s.Category) + " " + part(s.Service)
	}
	slices.SortFunc(sources, func(a, b sigma.LogSource) int { return strings.Compare(name(a), name(b)) })
	var b strings.Builder
	b.WriteString("# Every log source (product, category, service) of SigmaHQ's rules, how many rules ask for it, and which events it gets.\n" +
		"# Made by: go test ./content -run TestLogSourcesAreReached -update\n")
	served, left := 0, 0
	for _, s := range sources {
		fmt.Fprintf(&b, "\n%s: %d rules\n", name(s), rules[s])
		serving := logsource.Builtin().Serving(s)
		switch why := unread[s]; {
		case len(serving) == 0 && why == "":
			t.Errorf("%s: no entry of the table serves it; add one, or a reason in this test", name(s))
		case len(serving) == 0:
			fmt.Fprintf(&b, "  not read: %s\n", why)
			left += rules[s]
			continue
		case why != "":
			t.Errorf("%s: served by %s, and said to be unread", name(s), serving[0])
		}
		served += rules[s]
		for i, r := range serving {
			if i == 12 {
				fmt.Fprintf(&b, "  and %d entries more\n", len(serving)-i)
				break
			}
			fmt.Fprintf(&b, "  %s\n", r.Describe())
		}
	}
	fmt.Fprintf(&b, "\n%d rules are served, %d are for logs that are not read\n", served, left)
	golden(t, "reach.txt", b.String())
}

// TestRulesThatNeverMatch compares the rules of SigmaHQ that nothing can match with fields/testdata/never.txt. Of
// Barid's own there may be none.
func TestRulesThatNeverMatch(t *testing.T) {
	for _, n := range pipeline.Never(load(t), logsource.Builtin()) {
		t.Error(n)
	}
	pack, err := sigma.Load(sharedtest.Path(t, "evidence", "sigma-rules", "sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	engine, _ := sigma.Compile(pack, sigma.Options{})
	var b strings.Builder
	b.WriteString("# The rules of SigmaHQ that nothing can match that Barid reads, those for logs that it does not read (reach.txt) left out.\n" +
		"# Made by: go test ./content -run TestRulesThatNeverMatch -update\n")
	for _, n := range pipeline.Never(engine, logsource.Builtin()) {
		if unread[n.Rule.LogSource] != "" {
			continue
		}
		_, path, _ := strings.Cut(n.Error(), "!")
		b.WriteString(path + "\n")
	}
	golden(t, "never.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("fields", "testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	was := strings.Split(string(want), "\n")
	is := strings.Split(got, "\n")
	for _, l := range was {
		if !slices.Contains(is, l) {
			t.Errorf("was: %s", l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			t.Errorf("now: %s", l)
		}
	}
	t.Errorf("%s differs; if that is meant, write it anew with -update", path)
}
