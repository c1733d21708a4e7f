package disclose

import (
	"strings"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// access is what a case shows of successful, malicious and unauthorised access.
type access struct {
	proven    bool // a capability over a host is proven, or a session of the attacker and something confirmed
	suspected bool
	content   bool       // content of something was accessed: a verdict is confirmed
	since     *time.Time // the first proof of what is proven; nil if it has no time
	by        string     // what shows it, by name
}

// accessIn reads it from the case, and from its verdicts where the case does not count them.
func accessIn(in *Input) (access, error) {
	c := in.Case
	var a access
	metadata := false
	for _, n := range c.Summary.Reached {
		a.content = a.content || n.Confirmed > 0
		metadata = metadata || n.MetadataConfirmed > 0
	}
	if c.Summary.Reached == nil {
		for r, err := range in.Verdicts() {
			if err != nil {
				return a, err
			}
			a.content = a.content || r.Levels.Content == casefile.Confirmed || r.Levels.Partial == casefile.Confirmed
			metadata = metadata || r.Levels.Metadata == casefile.Confirmed
		}
	}
	var proof, doubt []string
	at := func(t time.Time) {
		if !t.IsZero() {
			t = t.UTC()
			a.since = earliest(a.since, &t)
		}
	}
	for i := range c.Capabilities {
		h := &c.Capabilities[i]
		if h.Kind != "host" {
			continue
		}
		if h.Suspected {
			doubt = append(doubt, "host "+h.Principal)
			continue
		}
		proof = append(proof, "host "+h.Principal)
		at(h.From)
	}
	for i := range c.Sessions {
		s := &c.Sessions[i]
		switch {
		case s.Attribution == "attacker" && (a.content || metadata):
			proof = append(proof, "session "+s.ID)
			at(s.First)
		case s.Attribution == "attacker", s.Attribution == "suspected":
			doubt = append(doubt, "session "+s.ID)
		}
	}
	a.proven, a.suspected = len(proof) > 0, len(doubt) > 0
	if !a.proven {
		proof = doubt
	}
	a.by = some(proof)
	return a, nil
}

// some names the first of what there is many of.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
