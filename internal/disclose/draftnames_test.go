package disclose

import (
	"strings"
	"testing"

	"github.com/barid-dfir/barid/internal/casefile"
)

// The words of people may name a server in a statement to everybody: the draft warns in the part that stays in the house.
func TestPublicWarnsOfNames(t *testing.T) {
	var public Form
	for _, f := range draftForms() {
		if f.Name == "public" {
			public = f
		}
	}
	for _, test := range []struct {
		said  string
		warns bool
	}{
		{"Our mail server (EX1) was broken into.", true},
		{"Requests came from 203.0.113.77; we blocked them.", true},
		{"Our mail server was broken into. EX10 was not.", false},
	} {
		s := scene{"names", func() (*casefile.Case, *Facts, []casefile.Reached) {
			c, f, reached := agency(2)
			c.Incidents[0].Hosts, c.Incidents[0].Actors, c.Incidents[0].Accounts = []string{"ex1"}, []string{"203.0.113.77"}, nil
			f.Incident.Description = test.said
			return c, f, reached
		}}
		got := writeAll(t, s, public, "en")["md"]
		if got == "" {
			t.Fatal("nothing was written")
		}
		if warns := strings.Contains(got, "The text that people gave names"); warns != test.warns {
			t.Errorf("%q: warned %v, want %v", test.said, warns, test.warns)
		}
	}
}
