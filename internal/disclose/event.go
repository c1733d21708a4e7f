package disclose

import (
	"slices"
	"time"
)

// events start clocks, besides the submission of stages.
var events = []string{"occurred", "detected", "aware", "recovered", "resolved", "classified", "reclassified", "significant", "material"}

// happening is when an event was, or what would say it.
type happening struct {
	at  *time.Time
	key string // of the facts; "" where the event is one that need not have happened yet
	act *Act   // by which it is known, if it is by one
}

// happened says when an event was. Of a decision it is the first act that decided so.
func (a *asked) happened(event string) happening {
	i := &a.in.Facts.Incident
	if stage, ok := submission(event); ok {
		acts := a.submissions(stage)
		if len(acts) == 0 {
			return happening{}
		}
		act := acts[0]
		if event != "submitted:"+stage {
			act = acts[len(acts)-1]
		}
		return happening{at: &act.Time, act: act}
	}
	switch event {
	case "occurred":
		at, _ := a.in.Occurred()
		return happening{at: at, key: "disclosure.incident.occurred"}
	case "detected":
		return happening{at: i.Detected, key: "disclosure.incident.detected"}
	case "aware":
		return happening{at: i.Aware, key: "disclosure.incident.aware"}
	case "recovered":
		return happening{at: i.Recovered}
	case "resolved":
		return happening{at: i.Resolved}
	case "classified":
		return a.decision(actClassified, "major")
	case "reclassified":
		return a.decision(actReclassified, "not_major")
	case "significant":
		return a.decision(actSignificant, "yes")
	case "material":
		return a.decision(actMaterial, "yes")
	}
	return happening{}
}

// decision is when people first decided so.
func (a *asked) decision(act, as string) happening {
	h := happening{key: actKey(act, a.regime.Name)}
	for n := range a.in.Facts.Acts {
		if b := &a.in.Facts.Acts[n]; b.Act == act && b.As == as && b.Regime == a.regime.Name && (h.act == nil || b.Time.Before(h.act.Time)) {
			h.act, h.at = b, &b.Time
		}
	}
	return h
}

// submissions are the acts by which a stage was submitted, or another that takes its place, in order of time.
func (a *asked) submissions(stage string) []*Act {
	return a.acts(actSubmitted, func(s string) bool {
		d := a.regime.rule(s)
		return s == stage || d != nil && d.DoneBy.Submitted == stage
	})
}

// acts are the acts of a kind under the regime for stages that ok takes, in order of time.
func (a *asked) acts(kind string, ok func(stage string) bool) []*Act {
	var acts []*Act
	for n := range a.in.Facts.Acts {
		if b := &a.in.Facts.Acts[n]; b.Act == kind && b.Regime == a.regime.Name && ok(b.Stage) {
			acts = append(acts, b)
		}
	}
	slices.SortStableFunc(acts, func(x, y *Act) int { return x.Time.Compare(y.Time) })
	return acts
}
