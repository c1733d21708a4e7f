package judge

import (
	"testing"

	"github.com/barid-dfir/barid/internal/lang"
)

func TestRulesOfVerdictsAreInThePhrasebook(t *testing.T) {
	for _, tag := range lang.Tags() {
		l, err := lang.Find(tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules() {
			if _, ok := l.Phrase(r.Says); !ok {
				t.Errorf("content/lang/%s/phrases.yaml lacks what %s says: %q", tag, r.Name, r.Says)
			}
		}
	}
}
