package disclose

import (
	"strings"
	"time"
)

// access is what a case shows of successful, malicious and unauthorised access.
type access struct {
	proven    bool // a capability over a host is proven, or a session of the attacker and something confirmed
	suspected bool
	content   bool       // content of mail or of files was accessed: a verdict on them is confirmed
	since     *time.Time // the first proof of what is proven; nil if it has no time
	by        string     // what shows it, by name
}

// accessIn reads it from the case, and from its verdicts where the case does not count them.
func accessIn(in *Input) (access, error) {
	c := in.Case
	var a access
	content, metadata, err := in.accessProven()
	if err != nil {
		return a, err
	}
	a.content = content
	confirmed := content || metadata
	for _, n := range c.Summary.Reached {
		confirmed = confirmed || n.Confirmed > 0
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
		case s.Attribution == "attacker" && confirmed:
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
