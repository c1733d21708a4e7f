package judge

import (
	"slices"

	"github.com/barid-dfir/barid/internal/casefile"
	"github.com/barid-dfir/barid/internal/tally"
)

// Input is what verdicts are made of. Nothing in it is changed.
type Input struct {
	Store tally.Store
	// Sources are those of the case; a tally.Ref names them by index.
	Sources   []casefile.Source
	Incidents []casefile.Incident
	Facts     *Facts
	Inventory *Inventory
	// From and To are the window of the incident: what may have been reached before and from then on is not judged.
	// Nanoseconds since 1970 UTC; event.UnknownTime where neither the evidence nor the facts give one.
	From, To int64
	// Hosts tells which names are of one server; nil has them found by NewHostNames.
	Hosts *HostNames

	failed  *attempts       // once they were read
	between map[string]bool // see serversBetween, once it was asked
}

// Judgement is what was decided.
type Judgement struct {
	Coverage     []casefile.Coverage
	Sessions     []casefile.Session
	Capabilities []casefile.Capability
	Reached      []casefile.Reached
	Inferences   []casefile.Inference
	Statements   []casefile.Statement
	Counts       map[string]casefile.VerdictCounts // by Reached.CountedAs
	// Notes say what of the facts was not used, and why.
	Notes []string
}

// Judge decides who did what, what the logs would have shown, and what was reached. It is pure: the same input gives the
// same judgement.
func Judge(in *Input) (*Judgement, error) {
	own := *in
	in = &own
	if in.Hosts == nil {
		found, err := NewHostNames(in.Store, in.Sources, in.Facts)
		if err != nil {
			return nil, err
		}
		in.Hosts = found
	}
	who, err := newPeople(in)
	if err != nil {
		return nil, err
	}
	notes, err := unusedFacts(in, who)
	if err != nil {
		return nil, err
	}
	cover, err := newCoverage(in, who)
	if err != nil {
		return nil, err
	}
	skewed := *in
	skewed.Store = cover.store()
	in = &skewed
	sessions, err := attribute(in, who, cover)
	if err != nil {
		return nil, err
	}
	powers, err := capabilities(in, who, sessions)
	if err != nil {
		return nil, err
	}
	j := &Judgement{Coverage: cover.list(), Sessions: sessions.list(), Capabilities: listCapabilities(powers), Statements: in.Facts.statements(),
		Notes: slices.Concat(notes, in.Hosts.notes, cover.notes)}
	j.Notes = append(j.Notes, sessions.notes...)
	if who.uncounted {
		j.Notes = append(j.Notes, "logs give names more identifiers (GUIDs, SIDs) than are kept: none of them is used, and names that they would tell apart may be one another's")
	}
	if err := reach(in, who, cover, sessions, powers, j); err != nil {
		return nil, err
	}
	nameOwners(in.Inventory, who, j.Reached)
	return j, nil
}
