package conformance_test

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"testing"
)

// TestRecordedEventsMatchTheirRules holds the recordings that SigmaHQ tests its rules with, as EVTX and as JSON, against the rules
// they must match, through the readers.
func TestRecordedEventsMatchTheirRules(t *testing.T) {
	findings, _ := scan(t, withSigmaHQ(t), evidence(t, "sigma-regression", "sigma-regression.zip"))
	matches := map[string]map[string]int{} // by path in the archive, by rule
	for _, f := range findings {
		_, name, _ := strings.Cut(f.Source.Path, "!")
		if matches[name] == nil {
			matches[name] = map[string]int{}
		}
		matches[name][f.Rule.ID]++
	}
	files := unzip(t, "sigma-regression", "sigma-regression.zip")
	evtx, twins := 0, 0
	for _, row := range table(t, "sigma-regression", "expected.tsv") {
		name, rule := row["evidence_path_in_zip"], row["must_match_rule_id"]
		want, _ := strconv.Atoi(row["match_count"])
		check := func(name string) bool {
			t.Helper()
			n := matches[name][rule]
			if n == 0 || want > 0 && n != want && rule != bothMatch {
				t.Errorf("%s: rule %s matches %d events, want %s", name, rule, n, row["match_count"])
				return false
			}
			return true
		}
		if row["type"] != "evtx" {
			t.Logf("no log that Barid reads: %s", name)
			continue
		}
		if check(name) {
			evtx++
		}
		twin := strings.TrimSuffix(name, path.Ext(name)) + ".json"
		if _, ok := files[twin]; ok && check(twin) {
			twins++
		}
	}
	t.Logf("%d recordings and %d of their twins in JSON match the rule they name", evtx, twins)
	if evtx != 103 || twins != 103 {
		t.Errorf("%d recordings, %d twins", evtx, twins)
	}
}

// bothMatch is a rule that is said to match one of two records, and both plainly set a value that it asks for.
const bothMatch = "c7dcacd0-cc59-4004-b0a4-1d6cdebe6f3e"

// TestRulesForProcessesSeeTheSecurityLog rewrites what Sysmon recorded of new processes as the record 4688 that Windows itself
// writes, and asks which rules for processes see it there as well. Those that need more than both records hold cannot.
func TestRulesForProcessesSeeTheSecurityLog(t *testing.T) {
	rules := withSigmaHQ(t)
	dir := t.TempDir()
	want := map[string]string{} // rule by file
	for name, data := range unzip(t, "sigma-regression", "sigma-regression.zip") {
		var e struct {
			Event struct {
				System    map[string]any
				EventData map[string]any
			}
		}
		if !strings.HasSuffix(name, ".json") || json.Unmarshal(data, &e) != nil {
			continue
		}
		d := e.Event.EventData
		if e.Event.System["EventID"] != 1.0 || d["Image"] == nil {
			continue
		}
		s := e.Event.System
		s["EventID"], s["Channel"] = 4688, "Security"
		s["Provider"] = map[string]any{"#attributes": map[string]any{"Name": "Microsoft-Windows-Security-Auditing"}}
		domain, user, _ := strings.Cut(text(d["User"]), `\`)
		e.Event.EventData = map[string]any{
			"SubjectUserSid": "S-1-5-21-1-2-3-1001", "SubjectUserName": user, "SubjectDomainName": domain, "SubjectLogonId": d["LogonId"],
			"NewProcessId": "0x1a2c", "NewProcessName": d["Image"], "TokenElevationType": "%%1936", "ProcessId": "0x4d8",
			"CommandLine": d["CommandLine"], "TargetUserSid": "S-1-0-0", "TargetUserName": "-", "TargetDomainName": "-", "TargetLogonId": "0x0",
			"ParentProcessName": d["ParentImage"], "MandatoryLabel": "S-1-16-12288",
		}
		p, err := json.Marshal(map[string]any{"Event": e.Event})
		if err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(path.Base(name), ".json")
		want[put(t, dir, id+".json", append(p, '\n'))] = id
	}
	findings, _ := scan(t, rules, dir)
	seen := map[string]bool{}
	for _, f := range findings {
		if want[f.Source.Path] == f.Rule.ID {
			seen[f.Rule.ID] = true
		}
	}
	// The fields that only Sysmon writes, and those that the record writes in another form.
	onlySysmon := []string{"OriginalFileName", "Description", "Product", "Company", "FileVersion", "Hashes", "Imphash", "ParentCommandLine", "CurrentDirectory", "IntegrityLevel", "ParentUser"}
	text := map[string]string{}
	for name, p := range unzip(t, "sigma-regression", "sigma-regression.zip") {
		if strings.HasPrefix(name, "rules/") {
			text[strings.TrimSuffix(path.Base(name), ".yml")] = string(p)
		}
	}
	not := 0
	for _, id := range want {
		if seen[id] {
			continue
		}
		not++
		needs := ""
		for _, f := range onlySysmon {
			if strings.Contains(text[id], f+":") || strings.Contains(text[id], f+"|") {
				needs += " " + f
			}
		}
		if needs == "" {
			t.Errorf("rule %s does not see record 4688 and needs nothing that only Sysmon has", id)
		}
		t.Logf("rule %s needs%s", id, needs)
	}
	t.Logf("%d of %d rules see record 4688", len(seen), len(want))
	if len(want) == 0 {
		t.Error("no recording of a new process")
	}
}

func text(v any) string { s, _ := v.(string); return s }
