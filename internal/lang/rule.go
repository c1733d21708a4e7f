package lang

import (
	"go.yaml.in/yaml/v4"

	"github.com/barid-dfir/barid/internal/event"
)

// ruleNames is rules.yaml: what the built-in rules and the tactics are called.
type ruleNames struct {
	Rules      map[string]string `yaml:"rules"`      // by the English title
	Tactics    map[string]string `yaml:"tactics"`    // by the English name
	Techniques map[string]string `yaml:"techniques"` // by the English name
}

func readRuleNames(l *Language, p []byte) (ruleNames, error) {
	var r ruleNames
	err := yaml.Unmarshal(p, &r)
	for _, m := range []map[string]string{r.Rules, r.Tactics, r.Techniques} {
		for k, v := range m {
			m[k] = l.typeset(v)
		}
	}
	return r, err
}

// RuleTitle returns what a rule is called, by its English title. A rule from outside keeps its title, which is marked as English.
func (l *Language) RuleTitle(title string) Words { return l.called(l.rules.Rules, title) }

// Tactic returns what a tactic of ATT&CK is called, by its English name: "Credential Access".
func (l *Language) Tactic(name string) Words { return l.called(l.rules.Tactics, name) }

// Technique returns what a technique of ATT&CK is called, by its English name. Most languages leave those names as they are.
func (l *Language) Technique(name string) Words { return l.called(l.rules.Techniques, name) }

func (l *Language) called(names map[string]string, title string) Words {
	if s := names[title]; s != "" {
		return Words{parts: []part{{words, s}}, rtl: l.rtl}
	}
	return l.English(title)
}

// English returns an English text of a case or a rule, marked as English where it stands in another language. What would not show
// in it is written as its number.
func (l *Language) English(s string) Words {
	if s == "" {
		return Words{}
	}
	if l.english == nil {
		return Words{parts: []part{{name, event.Visible(s)}}}
	}
	return Words{parts: []part{{english, event.Visible(s)}}, rtl: l.rtl}
}
