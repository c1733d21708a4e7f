package disclose

import (
	"iter"
	"time"

	"github.com/barid-dfir/barid/internal/casefile"
)

// Input is what is owed is computed from, and drafts are written from.
type Input struct {
	// Case is the case. Its Reached is not looked at: it may be nil. It is not to be changed.
	Case *casefile.Case
	// Reached yields the verdicts in the order of the case, each valid until the next, as often as it is asked; nil if there are none.
	Reached iter.Seq2[*casefile.Reached, error]
	// Facts are what people said; never nil.
	Facts *Facts
	// Regimes are the laws; nil for those that come with Barid.
	Regimes *Regimes
}

// Verdicts is Reached, or nothing where that is nil.
func (in *Input) Verdicts() iter.Seq2[*casefile.Reached, error] {
	if in.Reached == nil {
		return func(func(*casefile.Reached, error) bool) {}
	}
	return in.Reached
}

// Occurred returns when the incident began: what the facts say, or else the first event of the incidents of the case, and
// then fromCase is true. It is nil where neither says.
func (in *Input) Occurred() (at *time.Time, fromCase bool) {
	if in.Facts.Incident.Occurred != nil {
		return in.Facts.Incident.Occurred, false
	}
	if first := firstEvent(in.Case); first != nil {
		return first, true
	}
	return nil, false
}

// firstEvent returns when the first of the incidents of a case began. Those of high and critical severity come first: attempts that came
// to nothing, which a public service sees every day, do not make an incident older than it is.
func firstEvent(c *casefile.Case) *time.Time {
	var first *casefile.Incident
	for i := range c.Incidents {
		in := &c.Incidents[i]
		if in.First.IsZero() {
			continue
		}
		if first == nil || grave(in) && !grave(first) || grave(in) == grave(first) && in.First.Before(first.First) {
			first = in
		}
	}
	if first == nil {
		return nil
	}
	return &first.First
}

func grave(in *casefile.Incident) bool { return in.Severity == "critical" || in.Severity == "high" }

// Result is what Assess came to.
type Result struct {
	// Owed are the duties: those that are due first come first, and those without a time last.
	Owed []casefile.Duty
	// Classifications are what the rules of regimes say of the incident.
	Classifications []casefile.Classification
	// Notes say where the facts and the case contradict each other, for Case.Notes.
	Notes []string
}
