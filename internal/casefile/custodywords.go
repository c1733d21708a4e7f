package casefile

import (
	"fmt"
	"strings"
	"time"
)

// meaning says what it means that a check failed, and what to do.
func meaning(c *Check) string {
	switch c.Kind {
	case KindChain:
		switch {
		case c.Path != CustodyFile:
			return "whether " + c.Path + " is as Barid wrote it cannot be told. Compare the case with another copy of it."
		case c.Line == 0:
			return "the chain is not the one whose head was noted down: it was written anew since, or was cut before that line, or the head is of another case. " +
				"Nothing else that this check says can be relied on. Compare with a copy of the case from that time."
		}
		return "somebody edited the chain, or a disk damaged it. Up to the line before, it holds; what this line and those after it say is not proven. " +
			"Compare with another copy of the case."
	case KindEvidence:
		return "the evidence is not what Barid read: what the case says of it cannot be checked against this copy. " +
			"Look for another copy that has the first hash; if there is none, assess this one anew, as another case."
	case KindExport:
		return "the file is not what Barid wrote: somebody filled it in or edited it, or wrote another in its place. The case itself is not concerned. " +
			"Do not pass it off as what Barid wrote: write it again, and keep an edited one under another name."
	case KindSeal:
		switch {
		case c.Status == Missing:
			return "the time stamp is gone: take it from another copy of the case, or show one that is kept elsewhere with --seal."
		case strings.Contains(c.Detail, "does not lead to a root"):
			return "anybody may have made this seal. Give the roots of the authority that was asked; if it is not among them, the seal proves nothing."
		case c.Was != "" && c.Is == "":
			return "the chain was changed or written anew after it was sealed, or the seal is of another case. Nothing else that this check says can be relied on. " +
				"Compare with a copy of the case from the time of the seal."
		}
		return "this is no time stamp that can be believed. Take it from another copy of the case; as it is, it proves nothing."
	case KindStatement:
		return "case.json says something else of what people stated than the chain: it was edited. Decide the case anew: barid judge."
	}
	if c.Status == Missing {
		return "a file of the case is gone. " + again(c.Path)
	}
	if c.Status == NotChecked {
		return "whether the file is as Barid wrote it cannot be told. Let who checks the case read all of it."
	}
	return "the file is not what Barid wrote: what it says cannot be relied on. " + again(c.Path)
}

// again says how a file of the case is made again.
func again(name string) string {
	switch {
	case name == CaseFile:
		return "The case cannot be decided anew without it as it was: take it from another copy, or assess the evidence again."
	case name == ReportFile:
		return "barid judge makes it again, from the facts that the case has."
	case name == StoreFile:
		return "Without it the case cannot be decided anew: take it from another copy, or assess the evidence again."
	case name == FactsFile, strings.HasPrefix(name, "inventory-"):
		return "The verdicts in case.json are from what it was. Take it from another copy, or decide the case anew: barid judge --facts."
	case name == RegimesFile:
		return "What is owed by case.json is from what it was. Take it from another copy, or decide the case anew: barid judge --regimes."
	case name == FindingsFile, name == TimelineFile:
		return "Take it from another copy, or assess the evidence again."
	}
	return "Take it from another copy of the case."
}

// fault is where a chain does not hold.
type fault struct {
	line int
	what string
}

// String says it for people.
func (f fault) String() string { return fmt.Sprintf("line %d %s", f.line, f.what) }

// Conclusion says in sentences what the checks come to, the most important first.
func (v *Verification) Conclusion() []string {
	var said []string
	failed := v.Failed()
	if failed == 0 {
		said = append(said, fmt.Sprintf("What could be checked is as it was: the chain has %d lines, and each follows the one before.", v.Lines))
	} else {
		said = append(said, fmt.Sprintf("CHANGED: %d of %d checks failed.", failed, len(v.Checks)))
	}
	for i := range v.Checks {
		if c := &v.Checks[i]; c.Failed() {
			said = append(said, "- "+c.failure())
		}
	}
	away := 0
	for i := range v.Checks {
		if c := &v.Checks[i]; c.Kind == KindEvidence && (c.Status == Missing || c.Status == NotChecked) {
			away++
		}
	}
	if away > 0 {
		said = append(said, fmt.Sprintf("Not at hand, so not checked: %d of the sources of evidence.", away))
	}
	if v.Noted > 0 {
		said = append(said, fmt.Sprintf("The chain has the head that was noted down, in line %d: up to there it is the one of then.", v.Noted))
	}
	return append(said, v.sealed()...)
}

// sealed says what the seals of the chain come to.
func (v *Verification) sealed() []string {
	var said []string
	upTo := 0
	for i := range v.Seals {
		s := &v.Seals[i]
		if !s.Fits {
			continue
		}
		upTo = max(upTo, s.Of)
		who := " Who that is was not checked: give the roots of the authority with --tsa-ca."
		if s.Trusted {
			who = " Its certificate leads to a root that was given."
		}
		said = append(said, fmt.Sprintf("Sealed: lines 1 to %d of the chain are as they were at %s, says %s (%s).%s", s.Of, s.Time.Format(time.RFC3339), s.By, s.Path, who),
			"  Anybody can check that: "+s.Command)
	}
	switch {
	case upTo == 0 && len(v.Seals) > 0:
		said = append(said, "No seal fits the chain: see above.")
	case upTo == 0:
		said = append(said, "There is no seal. Who can write to the case can change a file and write the chain anew, and this check would not show it: "+
			"compare the head with one that was noted down elsewhere (--head), show a seal that is kept elsewhere (--seal), or seal the case from now on (barid seal).")
	case upTo < v.Lines:
		said = append(said, fmt.Sprintf("Lines %d to %d are younger than the last seal that fits, and not sealed.", upTo+1, v.Lines))
	}
	return said
}

// failure says what is wrong with what was checked, in which line of the chain it stands, and what that means.
func (c *Check) failure() string {
	s := c.Path
	if c.Line > 0 && c.Kind != KindChain {
		s += fmt.Sprintf(" (%s, line %d of %s)", c.Kind, c.Line, CustodyFile)
	}
	switch {
	case c.Kind == KindChain || c.Kind == KindStatement || c.Kind == KindExport || c.Kind == KindSeal && c.Status != Missing:
		s += ": " + c.Detail
	case c.Status == Missing:
		s += " is missing: " + c.Detail
	case c.Status == NotChecked:
		s += " cannot be read: " + c.Detail
	default:
		s += " was changed: " + c.Detail
	}
	return s + ". What that means: " + c.Meaning
}
