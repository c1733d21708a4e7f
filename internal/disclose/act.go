package disclose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/barid-dfir/barid/internal/strictyaml"
)

// The acts.
const (
	actClassified   = "classified"   // as major or not_major
	actReclassified = "reclassified" // as not_major: it never met the criteria
	actRisk         = "risk"         // for the persons concerned: unlikely, risk, high
	actSignificant  = "significant"  // yes, no
	actMaterial     = "material"     // yes, no
	actSubmitted    = "submitted"    // a stage
	actInformed     = "informed"     // a stage: persons, clients, the public
	actWaived       = "waived"       // a stage that somebody decided is not owed
)

// actKinds say what each act takes.
var actKinds = []struct {
	name  string
	as    []string
	stage bool
}{
	{actClassified, []string{"major", "not_major"}, false},
	{actReclassified, []string{"not_major"}, false},
	{actRisk, []string{"unlikely", "risk", "high"}, false},
	{actSignificant, []string{"yes", "no"}, false},
	{actMaterial, []string{"yes", "no"}, false},
	{actSubmitted, nil, true},
	{actInformed, nil, true},
	{actWaived, nil, true},
}

// checkActs looks at each act by itself, and at acts of one regime together.
func (f *Facts) checkActs() error {
	for i := range f.Acts {
		if err := f.checkAct(&f.Acts[i]); err != nil {
			return fmt.Errorf("%s%w", f.line("disclosure", "acts", i), err)
		}
	}
	for i := range f.Acts {
		if err := f.checkContradiction(i); err != nil {
			return fmt.Errorf("%s%w", f.line("disclosure", "acts", i), err)
		}
	}
	return nil
}

func (f *Facts) checkAct(a *Act) error {
	var names []string
	for _, k := range actKinds {
		names = append(names, k.name)
	}
	kind := slices.Index(names, a.Act)
	if kind < 0 {
		return fmt.Errorf("act: %q is none of %s%s", a.Act, strings.Join(names, ", "), strictyaml.DidYouMean(a.Act, names))
	}
	k := actKinds[kind]
	switch {
	case a.Regime == "":
		return fmt.Errorf("%s: regime is missing: under which law? (dora, nis2, gdpr, …)", a.Act)
	case a.Author == "":
		return fmt.Errorf("%s: author is missing: who answers for it?", a.Act)
	case a.Time.IsZero():
		return fmt.Errorf("%s: time is missing: when was it done? (2025-12-22T08:30:00+01:00)", a.Act)
	case a.Act == actSubmitted && a.Reason == "" && a.Receipt == "":
		return fmt.Errorf("%s: receipt is missing: the number that the recipient gave, or a reason why there is none", a.Act)
	case a.Act != actSubmitted && a.Reason == "":
		return fmt.Errorf("%s: reason is missing: how was it decided?", a.Act)
	case a.Act != actSubmitted && a.Receipt != "":
		return fmt.Errorf("%s: it takes no receipt", a.Act)
	case k.stage && a.Stage == "":
		return fmt.Errorf("%s: stage is missing: which? (initial, …: barid disclose names them)", a.Act)
	case !k.stage && a.Stage != "":
		return fmt.Errorf("%s: it takes no stage: it is about the incident", a.Act)
	case k.as == nil && a.As != "":
		return fmt.Errorf("%s: it takes no \"as\"", a.Act)
	case k.as != nil && !slices.Contains(k.as, a.As):
		return fmt.Errorf("%s: as: %q is none of %s%s", a.Act, a.As, strings.Join(k.as, ", "), strictyaml.DidYouMean(a.As, k.as))
	}
	for _, known := range []moment{{incident("detected"), f.Incident.Detected}, {incident("aware"), f.Incident.Aware}} {
		if known.time != nil && a.Time.Before(*known.time) {
			return fmt.Errorf("%s: time: %s is before the incident was known (%s: %s)", a.Act, written(a.Time), known.name(), written(*known.time))
		}
	}
	return nil
}

// checkContradiction holds an act against those before and beside it.
func (f *Facts) checkContradiction(i int) error {
	a := &f.Acts[i]
	wasMajor := false
	for j := range f.Acts {
		b := &f.Acts[j]
		if i == j || b.Regime != a.Regime {
			continue
		}
		if b.Act == a.Act && b.As != a.As && b.Time.Equal(a.Time) {
			return fmt.Errorf("%s: %s says %s and %s says %s, at the same time (%s)", a.Act, a.Author, a.As, b.Author, b.As, written(a.Time))
		}
		if b.Act == actClassified && b.As == "major" && b.Time.Before(a.Time) {
			wasMajor = true
			if a.Act == actClassified && a.As == "not_major" {
				return fmt.Errorf("classified: not_major on %s, after major on %s: write it as reclassified, if it never met the criteria", written(a.Time), written(b.Time))
			}
		}
	}
	if a.Act == actReclassified && !wasMajor {
		return fmt.Errorf("reclassified: nobody classified it as major before %s", written(a.Time))
	}
	return nil
}

// latest returns the last act of one of these kinds under the regime, or nil. Of acts of one time the one that stands last counts.
func (f *Facts) latest(regime string, kinds ...string) *Act {
	var found *Act
	for i := range f.Acts {
		if a := &f.Acts[i]; a.Regime == regime && slices.Contains(kinds, a.Act) && (found == nil || !a.Time.Before(found.Time)) {
			found = a
		}
	}
	return found
}
