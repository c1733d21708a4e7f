package lang

import (
	"testing"

	"github.com/barid-dfir/barid/content"
	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/detect"
	"github.com/barid-dfir/barid/internal/logs"
	"github.com/barid-dfir/barid/sigma"
)

func TestEveryBuiltInRuleHasATitle(t *testing.T) {
	pack, err := sigma.LoadFS(content.Rules())
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	engine, _ := sigma.Compile(pack, sigma.Options{})
	for _, r := range engine.Rules() {
		titles[r.Title] = true
	}
	for _, r := range detect.CountingRules() {
		titles[r.Title] = true
	}
	for _, l := range languages(t) {
		if l.english == nil {
			continue
		}
		for title := range titles {
			if l.rules.Rules[title] == "" {
				t.Errorf("content/lang/%s/rules.yaml has no title for %q", l.tag, title)
			}
		}
		for title := range l.rules.Rules {
			if !titles[title] {
				t.Errorf("content/lang/%s/rules.yaml: there is no rule %q", l.tag, title)
			}
		}
	}
}

func TestEveryInferenceAndGapIsInThePhrasebook(t *testing.T) {
	var all []string
	for _, i := range logs.Inferences() {
		all = append(all, i.Says)
	}
	for _, reason := range []string{"before_coverage", "after_coverage", "missing_file", "missing_records", "silence", "cleared", "disabled", "bypass", "narrowed",
		"throttled", "truncated_export", "truncated_file", "lost", "clock", "parse_error", "time_unknown"} {
		all = append(all, casefile.GapWords(reason))
	}
	for _, l := range languages(t) {
		for _, s := range all {
			if _, ok := l.Phrase(s); !ok {
				t.Errorf("content/lang/%s/phrases.yaml lacks %q", l.tag, s)
			}
		}
	}
}

func TestTacticsHaveNames(t *testing.T) {
	for _, l := range languages(t) {
		if l.english == nil {
			continue
		}
		if n := len(l.rules.Tactics); n != 16 {
			t.Errorf("%s: %d tactics have names, want 16", l.tag, n)
		}
	}
	if got := find(t, "fr").Tactic("Credential Access").Text(); got != "Accès aux identifiants" {
		t.Error(got)
	}
}

func BenchmarkPhrase(b *testing.B) {
	l, err := Find("ar")
	if err != nil {
		b.Fatal(err)
	}
	s := "It was accessed in a session that may have been the attacker's. Contents of the mailbox were fetched; the log does not say which. " +
		"28 records of eve from 203.0.113.9 since 2024-03-05 12:57:59, 2024-03-05 12:57:59 to 12:58:52 UTC."
	for b.Loop() {
		if _, ok := l.PhraseWords(s); !ok {
			b.Fatal(s)
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	l, err := Find("ar")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l.HTML("count.message", "n", 1234)
	}
}
