package draft

import (
	"encoding/json"
	"fmt"
)

// Claim is what a draft says on one question, for the next draft to be held against.
type Claim struct {
	// About is the question, the same in every language and form: "reached.mailbox.content".
	About string `json:"about"`
	// Open says that nobody knows.
	Open bool `json:"open,omitempty"`
	// Value is the answer where it is not a number.
	Value string `json:"value,omitempty"`
	// Lower and Upper enclose the answer where it is a number: Number is true. Upper is -1 where no bound is known.
	Number bool  `json:"number,omitempty"`
	Lower  int64 `json:"lower"`
	Upper  int64 `json:"upper"`
	// Estimate says that the answer was given as an estimate, which may change without having been wrong.
	Estimate bool `json:"estimate,omitempty"`
	// Says is the answer as the draft says it.
	Says string `json:"says"`
}

// Earlier is a draft, or a statement made from one, that went out before.
type Earlier struct {
	Form   string
	Claims []Claim
}

// ReadEarlier reads the JSON of an earlier draft.
func ReadEarlier(text []byte) (*Earlier, error) {
	var in jsonDraft
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("not the JSON of an earlier draft (%w): write drafts with --as json too, to hold later ones against", err)
	}
	if in.Schema != Schema {
		return nil, fmt.Errorf("its schema is %q, not %q: give the JSON of an earlier draft, written with --as json", in.Schema, Schema)
	}
	seen := make(map[string]bool, len(in.Claims))
	for _, c := range in.Claims {
		switch {
		case c.About == "" || seen[c.About]:
			return nil, fmt.Errorf("claims: %q stands there twice, or names no question", c.About)
		case c.Number && (c.Lower < 0 || c.Upper < -1 || c.Upper >= 0 && c.Upper < c.Lower):
			return nil, fmt.Errorf("claims: %s: at least %d and at most %d is no interval", c.About, c.Lower, c.Upper)
		}
		seen[c.About] = true
	}
	return &Earlier{Form: in.Form, Claims: in.Claims}, nil
}

// Change is a claim that was made before and no longer holds, or that says more than before.
type Change struct {
	Was, Now Claim
}

// Compare holds the claims of now against earlier ones. Corrected are those that the earlier draft made and that no longer hold: what was
// certain is not any more, is something else, or a number is no longer within its bounds. News are those that were open or wider.
func (e *Earlier) Compare(now []Claim) (corrected, news []Change) {
	if e == nil {
		return nil, nil
	}
	is := make(map[string]Claim, len(now))
	for _, c := range now {
		is[c.About] = c
	}
	was := make(map[string]bool, len(e.Claims))
	for _, c := range e.Claims {
		was[c.About] = true
		n, ok := is[c.About]
		if !ok {
			n = Claim{About: c.About, Open: true}
		}
		switch {
		case c.same(n):
		case c.Open, c.Estimate && !n.Open, c.Number && n.Number && !n.Open && n.within(c):
			news = append(news, Change{c, n})
		default:
			corrected = append(corrected, Change{c, n})
		}
	}
	for _, c := range now {
		if !was[c.About] && !c.Open {
			news = append(news, Change{Claim{About: c.About, Open: true}, c})
		}
	}
	return corrected, news
}

func (c Claim) same(d Claim) bool {
	if c.Open || d.Open {
		return c.Open && d.Open
	}
	return c.Number == d.Number && c.Value == d.Value && c.Lower == d.Lower && c.Upper == d.Upper
}

// within says whether c's interval lies in that of d.
func (c Claim) within(d Claim) bool {
	return c.Lower >= d.Lower && (d.Upper < 0 || c.Upper >= 0 && c.Upper <= d.Upper)
}
