package disclose

import (
	"slices"
	"strings"
	"unicode"

	"github.com/barid-dfir/barid/internal/disclose/draft"
)

// named warns, in a part that stays in the house, where what people wrote for the public names a host, an account or an address of the
// incidents. Their words stand as they are: a person takes the names out, or means them.
func (d *drafter) named(said map[string][]string) {
	secret := map[string]bool{}
	for i := range d.c.Incidents {
		in := &d.c.Incidents[i]
		for _, names := range [][]string{in.Hosts, in.Actors, in.Accounts} {
			for _, n := range names {
				secret[strings.ToLower(n)] = true
			}
		}
	}
	for _, key := range sortedKeys(said) {
		var found []string
		for word := range strings.FieldsSeq(strings.Join(said[key], " ")) {
			word = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if secret[strings.ToLower(word)] && !slices.Contains(found, word) && len(found) < 5 {
				found = append(found, word)
			}
		}
		if len(found) > 0 {
			d.sentence("named", d.l.Words("form.named", "names", d.names(found)), draft.Open, key)
		}
	}
}
