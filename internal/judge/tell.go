package judge

import (
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/logs"
)

// tell says what was reached.
func (r *reacher) tell() error {
	r.j.Counts = make(map[string]casefile.VerdictCounts)
	boxes := r.sorted()
	if len(r.nobody.items) > 0 {
		boxes = append(boxes, r.nobody)
	}
	r.layOut(boxes)
	for _, b := range boxes {
		r.tellBox(b)
	}
	if err := r.tellFiles(); err != nil {
		return err
	}
	r.tellHosts()
	r.tellCredentials()
	r.tellRules()
	return nil
}

// add adds an entry, and counts it.
func (r *reacher) add(e casefile.Reached) { r.j.Reached = append(r.j.Reached, r.counted(e)) }

// counted counts an entry.
func (r *reacher) counted(e casefile.Reached) casefile.Reached {
	if e.By == nil {
		e.By = []string{}
	}
	for i := range e.Why {
		r.used[e.Why[i].Rule]++
	}
	kind := e.CountedAs()
	n := r.j.Counts[kind]
	switch l := &e.Levels; {
	case l.Content == casefile.Confirmed || l.Partial == casefile.Confirmed:
		n.Confirmed++
	case l.Content == casefile.Possible || l.Partial == casefile.Possible:
		n.Possible++
	default:
		n.RuledOut++
		switch l.Metadata {
		case casefile.Confirmed:
			n.MetadataConfirmed++
		case casefile.Possible:
			n.MetadataPossible++
		}
	}
	r.j.Counts[kind] = n
	return e
}

var degreeNames = [...]string{casefile.RuledOut, casefile.Possible, casefile.Confirmed}

// named writes what is known of an object as a case does.
func (l *levels) named() casefile.Levels {
	return casefile.Levels{Content: degreeNames[l[logs.Content]], Partial: degreeNames[l[logs.Partial]], Metadata: degreeNames[l[logs.Metadata]]}
}

// verdict sets the verdict of an entry that is one item.
func verdict(e *casefile.Reached, l *levels) {
	x, d := l.main()
	e.Verdict, e.Exposure = degreeNames[d], x.String()
	e.Levels = l.named()
	switch l.content() {
	case was:
		e.Lower, e.Upper = 1, 1
	case may:
		e.Lower, e.Upper = 0, 1
	}
}

// tellRules lists the rules that verdicts lean on, and how many do.
func (r *reacher) tellRules() {
	for _, i := range slices.Concat(logs.Inferences(), rules()) {
		if n := r.used[i.Name]; n > 0 {
			r.j.Inferences = append(r.j.Inferences, casefile.Inference{Name: i.Name, Says: i.Says, Verified: i.Verified, Source: i.Source, Verdicts: n})
		}
	}
}
