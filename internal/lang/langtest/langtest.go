// Package langtest helps tests to hold what cases say against the phrasebooks.
package langtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/lang"
)

// sentences returns every sentence that a case says in English, by where it stands.
func sentences(c *casefile.Case) map[string][]string {
	out := map[string][]string{}
	add := func(where string, all ...string) {
		for _, s := range all {
			if s != "" && !slices.Contains(out[where], s) {
				out[where] = append(out[where], s)
			}
		}
	}
	for i := range c.Sources {
		add("source error", c.Sources[i].Errors...)
		add("source note", c.Sources[i].Notes...)
	}
	for i := range c.Coverage {
		v := &c.Coverage[i]
		add("coverage beyond", v.Beyond)
		add("coverage note", v.Notes...)
		for j := range v.Gaps {
			add("gap why", v.Gaps[j].Why)
			add("gap reason", casefile.GapWords(v.Gaps[j].Reason))
		}
	}
	for i := range c.Incidents {
		v := &c.Incidents[i]
		add("incident title", v.Title)
		add("incident summary", v.Summary)
	}
	for i := range c.Sessions {
		add("session why", c.Sessions[i].Why...)
	}
	for i := range c.Capabilities {
		v := &c.Capabilities[i]
		add("capability why", v.Why...)
		add("capability reach", v.Reach...)
		add("capability ends", v.Ends)
	}
	seen := map[string]bool{}
	for i := range c.Reached {
		v := &c.Reached[i]
		for j := range v.Why {
			if s := v.Why[j].Text; !seen[s] && len(seen) < 20000 {
				seen[s] = true
				out["reason"] = append(out["reason"], s)
			}
		}
		if v.Settle != "" && !seen[v.Settle] {
			seen[v.Settle] = true
			out["settle"] = append(out["settle"], v.Settle)
		}
		for j := range v.Channels {
			add("channel why", v.Channels[j].Why)
		}
	}
	for i := range c.Inferences {
		add("inference", c.Inferences[i].Says)
	}
	add("rules note", c.Rules.Notes...)
	add("case note", c.Notes...)
	return out
}

// Unmatched counts the sentences of a case, once for each language, and returns those that a phrasebook does not have, sorted.
func Unmatched(t testing.TB, c *casefile.Case) (all int, left []string) {
	t.Helper()
	for where, list := range sentences(c) {
		for _, s := range list {
			for _, tag := range lang.Tags() {
				if tag == lang.English {
					continue
				}
				l, err := lang.Find(tag)
				if err != nil {
					t.Fatal(err)
				}
				all++
				if _, ok := l.Phrase(s); !ok {
					left = append(left, fmt.Sprintf("%s, %s: %s", tag, where, s))
				}
			}
		}
	}
	slices.Sort(left)
	return all, left
}
